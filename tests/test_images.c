/* test_images.c - folders of images, and images in another size: as torchvision and PIL have them,
   streamed as in memory, and what a folder can do to its reader

   Vectors come from image_vectors.py. The folders are made here, beside the program. */
#include "hooked.h"
#include "test.h"
#include "vectors.h"
#include "files.h"
#ifndef _WIN32
extern int mkfifo(const char *, mode_t);
extern int symlink(const char *, const char *);
#endif

/* Allocations are made by a loader's thread, too. */
#define ADD(to, n) __atomic_add_fetch(&(to), n, __ATOMIC_SEQ_CST)
static int    made, freed, fail_after = -1;     /* allocations; which fails: only that one */
static size_t held_most, held;                  /* bytes */
void *test_malloc(size_t bytes)
{
    size_t *p, now;
    if (fail_after >= 0 && fail_after-- == 0) return NULL;
    p = (size_t *)malloc(bytes + 16);
    if (!p) return NULL;
    *p = bytes;
    ADD(made, 1);
    now = ADD(held, bytes);
    if (now > ADD(held_most, 0)) __atomic_store_n(&held_most, now, __ATOMIC_SEQ_CST);
    return (char *)p + 16;
}
void test_free(void *p)
{
    if (!p) return;
    ADD(freed, 1);
    ADD(held, (size_t)0 - *(size_t *)(void *)((char *)p - 16));
    free((char *)p - 16);
}

#define REFUSED(words) do { \
    CHECK(tnn_failed() && strstr(tnn_error(), words), "\"%s\" is not about \"%s\"", tnn_error(), \
          words); \
    tnn_clear_error(); } while (0)

/* ---- a tree of folders ------------------------------------------------------------------------*/

static char top[480], made_paths[4000][100];    /* what is in top; folders are before their files */
static int  made_count;

static const char *in_top(const char *name)
{
    static char path[2][700];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%.150s", top, name);
    return path[turn];
}
static void note(const char *name)
{
    int i;
    for (i = 0; i < made_count; i++) if (!strcmp(made_paths[i], name)) return;
    if (made_count == 4000) exit(1);
    snprintf(made_paths[made_count++], sizeof *made_paths, "%s", name);
}
/* The folders that a name in top begins with. */
static void folders(const char *name)
{
    char part[100];
    const char *p;
    MAKE_FOLDER(top);
    for (p = strchr(name, '/'); p; p = strchr(p + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(p - name), name);
        if (MAKE_FOLDER(in_top(part))) continue;
        note(part);
    }
}
static void put(const char *name, const void *bytes, size_t size)
{
    folders(name);
    spill(in_top(name), bytes, size);
    note(name);
}
static void clear(void)
{
    while (made_count > 0) {
        const char *path = in_top(made_paths[--made_count]);
        if (remove(path)) REMOVE_FOLDER(path);
    }
    REMOVE_FOLDER(top);
}
/* An image (c, h, w) of hash bytes: PGM or PPM. */
static unsigned char at_hash(uint32_t stream, int k)
{
    return (unsigned char)(test_hash(stream, (uint32_t)k) & 255);
}
static void put_image(const char *name, uint32_t stream, int c, int h, int w)
{
    static unsigned char file[1 << 17];
    int head = sprintf((char *)file, "P%d %d %d 255\n", c == 1 ? 5 : 6, w, h), i, j;
    for (i = 0; i < h * w; i++)
        for (j = 0; j < c; j++) file[head + i * c + j] = at_hash(stream, j * h * w + i);
    put(name, file, (size_t)(head + c * h * w));
}
static void put_grey(const char *name, int v)
{
    char file[40];
    put(name, file, (size_t)sprintf(file, "P2 1 1 255 %d", v));
}

/* A format of the tests' own: TOY, then c, h and w, a byte each, and the bytes (h, w, c). */
static int decoded;                     /* so many */
static unsigned char *decode_toy(void *user, const unsigned char *bytes, int size, int *w, int *h,
                                 int *c)
{
    unsigned char *p;
    decoded++;
    if (user && *(int *)user) { *w = *h = *c = *(int *)user; return (unsigned char *)malloc(9); }
    if (size < 6 || memcmp(bytes, "TOY", 3) || size != 6 + bytes[3]*bytes[4]*bytes[5]) return NULL;
    *c = bytes[3];
    *h = bytes[4];
    *w = bytes[5];
    p = (unsigned char *)malloc((size_t)size);
    if (p) memcpy(p, bytes + 6, (size_t)size - 6);
    return p;
}
/* One that fails with a message of a reader's. */
static unsigned char *decode_badly(void *user, const unsigned char *bytes, int size, int *w, int *h,
                                   int *c)
{
    tnn_array a = tnn_parse_npy(bytes, (size_t)size);
    tnn_array_free(&a);
    return decode_toy(user, bytes, size, w, h, c);
}

/* ---- images in another size -------------------------------------------------------------------*/

static void floats_as_pil(void)
{
    int k, n = 0;
    load("images.txt");
    for (k = 0; k < case_count; k++) {
        vectors *c = &cases[k];
        float *x, *y;
        int s[5], i;
        if (strncmp(c->name, "floats", 6)) continue;
        for (i = 0; i < 5; i++) s[i] = integer(c, "sizes", i);
        x = test_values((size_t)(s[0]*s[1]*s[2]), (uint32_t)integer(c, "stream", 0));
        y = test_floats((size_t)(s[0]*s[3]*s[4]));
        DO(tnn_resize(x, s[0], s[1], s[2], y, s[3], s[4]));
        expect(c, "y", y, 1e-6);
        test_release(x);
        test_release(y);
        n++;
    }
    CHECK(n == 13, "%d cases", n);
}
static void resize_limits(void)
{
    float x[12], y[12], *large = test_floats(1 << 16), one;
    int i;
    for (i = 0; i < 12; i++) x[i] = i & 1 ? 3.4e38f : -3.4e38f;
    CHECK(!tnn_resize(x, 1, 3, 4, y, 1, 1) && y[0] - y[0] == 0, "%g", (double)y[0]);
    for (i = 0; i < 1 << 16; i++) large[i] = 0.1f;
    CHECK(!tnn_resize(large, 1, 1, 1 << 16, &one, 1, 1), "%s", tnn_error());
    CHECK_SAME("the mean of equal values", &one, large, sizeof one);
    CHECK(!tnn_resize(&one, 1, 1, 1, large, 256, 256), "%s", tnn_error());
    for (i = 0; i < 1 << 16; i++) CHECK(large[i] >= one && large[i] <= one, "pixel %d", i);
    CHECK(!tnn_resize(x, 3, 2, 2, y, 2, 2), "%s", tnn_error());
    CHECK_SAME("the same size", x, y, sizeof x);
    for (i = 0; i < 12; i++) x[i] = (float)i;
    CHECK(tnn_resize(NULL, 1, 2, 2, y, 2, 2) == TNN_ERROR_SHAPE, "taken");
    REFUSED("needs x and y");
    CHECK(tnn_resize(x, 1, 2, 2, NULL, 2, 2) == TNN_ERROR_SHAPE, "taken");
    REFUSED("needs x and y");
    CHECK(tnn_resize(x, 1, 0, 2, y, 2, 2) == TNN_ERROR_SHAPE, "taken");     REFUSED("1x0x2 to 2x2");
    CHECK(tnn_resize(x, 1, 2, 2, y, 2, -1) == TNN_ERROR_SHAPE, "taken");    REFUSED("to 2x-1");
    CHECK(tnn_resize(x, 1 << 30, 1 << 30, 2, y, 2, 2) == TNN_ERROR_SHAPE, "taken");
    REFUSED("fit in memory");
    fail_after = 0;
    CHECK(tnn_resize(x, 1, 3, 4, y, 2, 2) == TNN_ERROR_MEMORY, "taken");
    REFUSED("tnn_resize: cannot allocate");
    fail_after = -1;
    test_release(large);
}

/* Bytes against a vector. */
static void same_bytes(vectors *c, const char *key, const unsigned char *got)
{
    array *a = get(c, key);
    int i, worst = 0;
    for (i = 0; i < a->n; i++) {
        const int by = got ? abs((int)got[i] - (int)a->v[i]) : 255;
        if (by > worst) worst = by;
    }
    CHECK(!worst, "%s: %s is off by up to %d", c->name, key, worst);
}
static void bytes_as_pil(void)
{
    int k, n = 0;
    load("images.txt");
    for (k = 0; k < case_count; k++) {
        vectors *c = &cases[k];
        tnn_data d;
        int s[5], i;
        if (strncmp(c->name, "bytes", 5)) continue;
        for (i = 0; i < 5; i++) s[i] = integer(c, "sizes", i);
        put_image("one/x.ppm", (uint32_t)integer(c, "stream", 0), s[0], s[1], s[2]);
        d = tnn_load_folder(top, .channels = s[0], .height = s[3], .width = s[4]);
        CHECK(d.n == 1 && d.c == s[0] && d.h == s[3] && d.w == s[4], "%s", tnn_error());
        same_bytes(c, "y", d.bytes);
        tnn_data_free(&d);
        d = tnn_load_folder(top, .channels = s[0], .height = s[3], .width = s[4], .crop = 1);
        same_bytes(c, "cropped", d.bytes);
        tnn_data_free(&d);
        d = tnn_load_folder(top, .channels = 1, .height = s[3], .width = s[4]);
        same_bytes(c, "grey", d.bytes);
        tnn_data_free(&d);
        if (s[0] == 1) {                /* three planes of grey */
            d = tnn_load_folder(top, .height = s[3], .width = s[4]);
            CHECK(d.c == 3, "%s", tnn_error());
            for (i = 0; i < 3 && d.n; i++) same_bytes(c, "y", d.bytes + i*s[3]*s[4]);
            tnn_data_free(&d);
        }
        CHECK(!tnn_failed(), "%s", tnn_error());
        tnn_clear_error();
        n++;
    }
    CHECK(n == 20, "%d cases", n);
    clear();
}
static void grey_as_pil(void)
{
    vectors *c = NULL;
    unsigned char toy[6 + 4*210], rgb[3*210];
    tnn_data d;
    int i, k, channels;
    load("images.txt");
    for (k = 0; k < case_count; k++) if (!strcmp(cases[k].name, "grey")) c = &cases[k];
    if (!c) { CHECK(0, "no vectors"); return; }
    for (i = 0; i < 3*210; i++) rgb[i] = (unsigned char)get(c, "rgb")->v[i];
    for (channels = 1; channels <= 4; channels++) {     /* of the file */
        memcpy(toy, "TOY", 3);
        toy[3] = (unsigned char)channels;
        toy[4] = 1;
        toy[5] = 210;
        for (i = 0; i < 210; i++)
            for (k = 0; k < channels; k++)
                toy[6 + i*channels + k] = k + (channels & 1 ? 0 : 1) == channels
                                          ? (unsigned char)(17*i) : rgb[3*i + (k < 3 ? k : 0)];
        if (channels & 1)
            for (i = 0; i < 210*channels; i++) toy[6 + i] = rgb[channels == 3 ? i : 3*i];
        put("one/x.png", toy, (size_t)(6 + 210*channels));
        d = tnn_load_folder(top, .channels = 1, .decode = decode_toy);
        CHECK(d.n == 1 && d.c == 1 && d.h == 1 && d.w == 210, "%s", tnn_error());
        if (channels > 2) same_bytes(c, "l", d.bytes);
        else for (i = 0; i < 210 && d.n; i++) CHECK(d.bytes[i] == rgb[3*i], "pixel %d", i);
        tnn_data_free(&d);
        d = tnn_load_folder(top, .decode = decode_toy);
        CHECK(d.n == 1 && d.c == 3, "%s", tnn_error());
        for (i = 0; i < 3*210 && d.n; i++)
            CHECK(d.bytes[i] == (channels > 2 ? rgb[3*(i%210) + i/210] : rgb[3*(i%210)]),
                  "%d channels: value %d", channels, i);
        tnn_data_free(&d);
    }
    put("one/x.png", "P5 3 1 65535\n\x80\x7f\x80\x80\xff\xff", 19);    /* 16 bits, to the nearest */
    d = tnn_load_folder(top, .channels = 1);
    CHECK(d.n == 1 && d.bytes[0] == 128 && d.bytes[1] == 128 && d.bytes[2] == 255, "%s",
          tnn_error());
    tnn_data_free(&d);
    clear();
}

/* ---- the tree ---------------------------------------------------------------------------------*/

static const char *const tree[] = {     /* as in image_vectors.py; then what is passed over */
    "b/2.pgm", "b/10.pgm", "b/1.pgm", "b/A.PGM", "a-b/x.pgm", "a/z.pgm", "a/c/1.pgm",
    "a/c-d/1.pgm", "a/c/d/0.pgm", "a/c d/1.pgm", "a/D/9.pgm", "a/x y.pgm", "a/\303\251.pgm",
    "\303\274 n/1.pgm", "b/folder.pgm/3.pgm", "Zz/0.pnm", "a/notes.txt", "top.pgm",
    ".git/x.pgm", "a/.x.pgm", "a/.thumbs/1.pgm", "a/pgm", "a/x.pgmx", "a/none/notes.md", "b/x."
};
static void order_as_torchvision(void)
{
    vectors *c;
    array *order, *labels, *first;
    tnn_data d, part, rest;
    int i;
    load("images.txt");
    c = &cases[case_count - 1];
    order = get(c, "order");
    labels = get(c, "labels");
    first = get(c, "first");
    for (i = 0; i < (int)(sizeof tree/sizeof *tree); i++) put_grey(tree[i], i);
    d = tnn_load_folder(top, .channels = 1);
    CHECK(d.n == order->n && d.classes == first->n && d.class_names, "%d images, %s", d.n,
          tnn_error());
    for (i = 0; i < d.n; i++)
        CHECK(d.bytes[i] == (int)order->v[i] && d.labels[i] == (int)labels->v[i],
              "image %d is %d of class %d", i, d.bytes[i], d.labels[i]);
    for (i = 0; i < d.classes; i++) {
        const char *file = tree[(int)first->v[i]];
        const size_t n = strcspn(file, "/");
        CHECK(strlen(d.class_names[i]) == n && !strncmp(d.class_names[i], file, n), "class %d is "
              "%s", i, d.class_names[i]);
    }
    /* Parts have the names, also when the whole is freed. */
    CHECK(!tnn_split_stratified(&d, d.n/2, 1, &part, &rest), "%s", tnn_error());
    tnn_data_free(&d);
    tnn_data_free(&rest);
    CHECK(part.class_names && !strcmp(part.class_names[0], "Zz"), "no names");
    tnn_data_free(&part);
    clear();
}
static void many_files(void)
{
    char name[40];
    tnn_data d;
    int i;
    for (i = 0; i < 2000; i++) {
        sprintf(name, "%c/%04d.pgm", "abcdefgh"[i%8], i);
        put_grey(name, i%256);
    }
    d = tnn_load_folder(top, .channels = 1);
    CHECK(d.n == 2000 && d.classes == 8, "%d: %s", d.n, tnn_error());
    for (i = 0; i < d.n; i++) {
        const int number = i%250*8 + i/250;
        CHECK(d.labels[i] == number%8 && d.bytes[i] == number%256, "image %d", i);
    }
    tnn_data_free(&d);
    clear();
}
static void like_another(void)
{
    char other[500];
    tnn_data train, held_out;
    const float four = 4/255.0f;
    float x[3];
    put_grey("train/cat/1.pgm", 1);
    put_grey("train/dog/1.pgm", 2);
    put_grey("train/eel/1.pgm", 3);
    put_grey("test/eel/1.pgm", 4);
    put_grey("test/cat/1.pgm", 5);
    snprintf(other, sizeof other, "%s", in_top("test"));
    train = tnn_load_folder(in_top("train"));
    held_out = tnn_load_folder(other);
    CHECK(held_out.classes == 2 && held_out.labels[1] == 1, "%s", tnn_error());
    tnn_data_free(&held_out);
    held_out = tnn_load_folder(other, .like = &train, .stream = 1);
    tnn_data_free(&train);
    CHECK(held_out.n == 2 && held_out.classes == 3 && held_out.labels[0] == 0
          && held_out.labels[1] == 2 && !strcmp(held_out.class_names[1], "dog")
          && !strcmp(held_out.class_names[2], "eel"), "%s", tnn_error());
    CHECK(!tnn_sample(&held_out, 1, x, 3), "%s", tnn_error());
    CHECK_SAME("the eel", &x[2], &four, sizeof four);
    put_grey("other/cat/1.pgm", 5);
    put_grey("other/bee/1.pgm", 5);
    train = tnn_load_folder(in_top("other"), .like = &held_out);
    REFUSED("class bee is none of the 3 of .like");
    CHECK(!train.n && !train.memory, "a data set");
    tnn_data_free(&held_out);
    held_out = tnn_data_create(.n = 1, .shape = { 3 }, .floats = x);
    train = tnn_load_folder(in_top("other"), .like = &held_out);
    REFUSED(".like has no .class_names");
    clear();
}

/* ---- streamed as in memory --------------------------------------------------------------------*/

static void put_photos(void)
{
    char name[60];
    int i;
    for (i = 0; i < 23; i++) {
        snprintf(name, sizeof name, "photos %s/%c/%d.%s", i%3 ? "b" : "a", "xyz"[i%3], i,
                 i%4 ? "ppm" : "PGM");
        put_image(name, (uint32_t)(700 + i), i%4 ? 3 : 1, 5 + i%6, 9 - i%5);
    }
}
static uint64_t learnt(const tnn_data *data, tnn_metrics *m, float *first)
{
    tnn_net *net = tnn_create(.input = { 3, 6, 7 }, .batch = 8, .seed = 1);
    tnn_loader *batches = tnn_loader_create(data, .batch = 4, .shuffle = 1, .seed = 3, .flip = 0.5,
                                            .rotate = 10, .brightness = 0.2, .mixup = 0.3);
    uint64_t hash;
    int n;
    tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 3);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 2);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 1e-3);
    tnn_train_epoch(net, batches);
    *m = tnn_evaluate(net, data);
    hash = tnn_hash(net);
    n = tnn_next(batches);
    memcpy(first, batches->x, (size_t)n*126*sizeof *first);
    tnn_loader_free(batches);
    tnn_free(net);
    return hash;
}
static void streamed(void)
{
    float mean[2][3], std[2][3], x[2][4*126];
    tnn_metrics m[2];
    uint64_t hash[2];
    int way;
    put_photos();
    for (way = 0; way < 2; way++) {
        tnn_data d = tnn_load_folder(top, .height = 6, .width = 7, .crop = 1, .stream = way), part;
        CHECK(d.n == 23 && d.classes == 2 && (d.bytes == NULL) == way, "%s", tnn_error());
        CHECK(!tnn_measure(&d, mean[way], std[way]), "%s", tnn_error());
        tnn_normalize_channels(&d, mean[way], std[way]);
        part = tnn_subset(&d, 1, 21);
        tnn_data_free(&d);
        hash[way] = learnt(&part, &m[way], x[way]);
        CHECK(!tnn_failed(), "%s", tnn_error());
        tnn_clear_error();
        tnn_data_free(&part);
    }
    CHECK(hash[0] == hash[1], "other weights");
    CHECK_SAME("means", mean[0], mean[1], sizeof mean[0]);
    CHECK_SAME("deviations", std[0], std[1], sizeof std[0]);
    CHECK_SAME("a batch", x[0], x[1], sizeof x[0]);
    CHECK_SAME("the loss", &m[0].loss, &m[1].loss, sizeof m[0].loss);
    CHECK(m[0].correct == m[1].correct && m[0].n == 21, "%d of %d", m[0].correct, m[0].n);
    CHECK(made == freed, "%d allocations, %d freed", made, freed);
    CHECK_REPEATS("a batch", x[0], 4*126);
    clear();
}
/* A file that is there when the folder is listed may be gone, or another one, when its batch is
   made: the loader says so, and goes on when that is mended. */
static void changed_under_way(void)
{
    tnn_data d;
    tnn_loader *batches;
    float x[3];
    int i;
    for (i = 0; i < 4; i++) put_image(i < 2 ? i ? "a/1.ppm" : "a/0.ppm"
                                            : i == 2 ? "b/2.ppm" : "b/3.ppm", 9, 3, 1, 1);
    d = tnn_load_folder(top, .stream = 1);
    CHECK(d.n == 4 && d.h == 1 && d.w == 1, "%s", tnn_error());
    remove(in_top("b/2.ppm"));
    batches = tnn_loader_create(&d, .batch = 2);
    CHECK(tnn_next(batches) == 2, "%s", tnn_error());
    CHECK(tnn_next(batches) == 0, "a batch");
    CHECK(strstr(tnn_error(), "test_images.c:"), "%s", tnn_error());
    REFUSED("b/2.ppm: cannot be opened");
    put_image("b/2.ppm", 9, 3, 2, 1);
    CHECK(tnn_sample(&d, 2, x, 3) == TNN_ERROR_SHAPE, "a sample");
    REFUSED("b/2.ppm: is 2x1, the first image 1x1");
    put("b/2.ppm", "P6 1 1 255\nab", 13);
    CHECK(tnn_sample(&d, 2, x, 3) == TNN_ERROR_FORMAT, "a sample");
    REFUSED("b/2.ppm: holds 2 bytes from byte 11");
    put_image("b/2.ppm", 9, 3, 1, 1);
    CHECK(!tnn_sample(&d, 2, x, 3), "%s", tnn_error());
    tnn_set_read_limit(1 << 16);        /* of this thread, now: the source has its own */
    tnn_loader_free(batches);
    tnn_data_free(&d);
    tnn_set_read_limit(0);
    clear();
}

/* ---- what is refused --------------------------------------------------------------------------*/

#define NOTHING(words, ...) do { \
    tnn_data nothing = tnn_load_folder(__VA_ARGS__); \
    CHECK(!nothing.n && !nothing.memory, "a data set"); \
    REFUSED(words); } while (0)

static void options(void)
{
    tnn_data d;
    put_grey("a/1.pgm", 1);
    put("a/2.toy", "TOY\1\1\1\7", 7);
    NOTHING("(no path): cannot be opened", NULL);
    NOTHING("cannot be opened", in_top("none"));
    NOTHING("cannot be opened", "");
    NOTHING("a/1.pgm: is a file; tnn_load_folder takes a folder", in_top("a/1.pgm"));
    NOTHING("needs a folder for each class, named after it; has 0", in_top("a"));
    NOTHING(".height does nothing without .width", top, .height = 3);
    NOTHING(".width does nothing without .height", top, .width = 3);
    NOTHING(".crop does nothing without .height", top, .crop = 1);
    NOTHING(".user does nothing without .decode", top, .user = &d);
    NOTHING(".channels = 2 must be 1 (grey) or 3", top, .channels = 2);
    NOTHING(".channels = 4 must be 1 to 3", top, .channels = 4);
    NOTHING(".height = -1 must be 0 to 65536", top, .height = -1, .width = 3);
    NOTHING("class a has no image, a file that ends in one of: tif", top, .extensions = "tif");
    NOTHING("a/2.toy: is no PGM or PPM image", top, .extensions = "pgm toy");
    d = tnn_load_folder(top, .extensions = "pgm toy", .decode = decode_toy, .channels = 1);
    CHECK(d.n == 2 && d.bytes[1] == 7, "%s", tnn_error());
    tnn_data_free(&d);
    d = tnn_load_folder(top, .extensions = "toy", .decode = decode_toy, .channels = 1);
    CHECK(d.n == 1 && d.bytes[0] == 7, "%s", tnn_error());
    tnn_data_free(&d);
    clear();
}
static void decoders(void)
{
    int say = -3;
    put("a/1.png", "TOX\1\1\1\7", 7);
    NOTHING("a/1.png: .decode returned NULL", top, .decode = decode_toy);
    put("a/1.png", "", 0);
    NOTHING("(0 bytes)", top, .decode = decode_toy);
    NOTHING("a/1.png: is no PGM", top);
    put("a/1.png", "TOY\1\1\1\7", 7);
    NOTHING(".decode says -3 channels of -3x-3 (h, w)", top, .decode = decode_toy, .user = &say);
    say = 5;
    NOTHING(".decode says 5 channels of 5x5 (h, w)", top, .decode = decode_toy, .user = &say);
    say = 1 << 30;
    NOTHING("must be 1 to 4 of an image that fits in memory", top, .decode = decode_toy,
            .user = &say);
    NOTHING("is not a .npy file", top, .decode = decode_badly);
    put("a/1.png", "P1 1 1 0", 8);      /* kinds of PNM that are not read here are the decoder's */
    NOTHING("a/1.png: .decode returned NULL", top, .decode = decode_toy);
    decoded = 0;
    put("a/1.png", "P2 1 1 255 9", 12);
    NOTHING("value 0, 0 to 8 expected", (put("a/1.png", "P2 1 1 8 9", 10), top),
            .decode = decode_toy);
    CHECK(!decoded, "decoded");
    put_image("a/1.png", 1, 3, 4, 5);
    put_image("a/2.ppm", 1, 3, 5, 4);
    NOTHING("a/2.ppm: is 5x4, the first image 4x5 (h, w)", top);
    clear();
}
static void limits(void)
{
    tnn_data d;
    put_image("a/1.ppm", 1, 3, 40, 40);
    put_image("a/2.ppm", 1, 1, 40, 40);
    tnn_set_read_limit(6000);           /* both images are more than that, none alone */
    NOTHING("9600 bytes; tnn_set_read_limit allows 6000", top);
    d = tnn_load_folder(top, .channels = 1);
    CHECK(d.n == 2, "%s", tnn_error());
    tnn_data_free(&d);
    tnn_set_read_limit(4800);
    NOTHING("a/1.ppm: 4813 bytes; tnn_set_read_limit allows 4800", top, .channels = 1);
    tnn_set_read_limit(100);
    NOTHING("tnn_set_read_limit allows 100", top, .channels = 1);
    tnn_set_read_limit(100000);
    d = tnn_load_folder(top, .stream = 1);
    CHECK(d.n == 2, "%s", tnn_error());
    tnn_set_read_limit(0);
    put_image("a/2.ppm", 1, 3, 190, 190);       /* larger than was allowed then */
    {
        float x[4800];
        CHECK(tnn_sample(&d, 1, x, 4800) == TNN_ERROR_MEMORY, "read");
        REFUSED("tnn_set_read_limit allows 100000");
        CHECK(tnn_read_limit() == 0, "the limit is %lu", (unsigned long)tnn_read_limit());
    }
    tnn_data_free(&d);
    clear();
}
/* An image of 65,535 pixels to 1, cropped: the part of it that is wanted alone is computed. */
static void thin_images(void)
{
    static unsigned char line[65535 + 20];
    const int head = sprintf((char *)line, "P5 65535 1 255\n");
    tnn_data d;
    memset(line + head, 77, 65535);
    put("a/1.pgm", line, (size_t)head + 65535);
    held_most = held;
    d = tnn_load_folder(top, .height = 200, .width = 200, .crop = 1, .channels = 1);
    CHECK(d.n == 1 && d.bytes[0] == 77 && d.bytes[39999] == 77, "%s", tnn_error());
    CHECK(held_most - held < 1 << 20, "%lu bytes", (unsigned long)held_most);
    tnn_data_free(&d);
    d = tnn_load_folder(top, .height = 1, .width = 1, .channels = 1);
    CHECK(d.n == 1 && d.bytes[0] == 77, "%d: %s", d.n ? d.bytes[0] : -1, tnn_error());
    tnn_data_free(&d);
    clear();
}
static void empty_classes(void)
{
    put_grey("a/1.pgm", 1);
    put_grey("c/1.pgm", 1);
    put("b/x.txt", "x", 1);
    NOTHING("class b has no image", top);
    put_grey("b/x.pgm", 1);
    put("d/x.txt", "x", 1);
    NOTHING("class d has no image", top);
    remove(in_top("d/x.txt"));
    NOTHING("class d has no image, a file that ends in one of: bmp jpeg", top);
    clear();
}
#ifndef _WIN32
static void links_and_pipes(void)
{
    char device[] = "/dev/zero";
    tnn_data d;
    put_grey("t/a/1.pgm", 1);
    put_grey("other/2.pgm", 2);
    put_grey("3.pgm", 3);
    CHECK(!symlink("../other", in_top("t/b")) && !symlink("../../3.pgm", in_top("t/a/link.pgm")),
          "no links");
    note("t/b");
    note("t/a/link.pgm");
    d = tnn_load_folder(in_top("t"), .channels = 1);    /* a class, and a file, may be links */
    CHECK(d.n == 3 && d.classes == 2 && d.bytes[1] == 3 && d.bytes[2] == 2, "%s", tnn_error());
    tnn_data_free(&d);
    symlink("nowhere", in_top("t/a/broken.txt"));
    note("t/a/broken.txt");
    symlink("nowhere", in_top("t/class"));
    note("t/class");
    d = tnn_load_folder(in_top("t"), .channels = 1);
    CHECK(d.n == 3, "%s", tnn_error());
    tnn_data_free(&d);
    symlink("nowhere", in_top("t/a/x.pgm"));
    note("t/a/x.pgm");
    NOTHING("t/a/x.pgm: cannot be opened: No such file", in_top("t"));
    remove(in_top("t/a/x.pgm"));
    symlink("x.pgm", in_top("t/a/x.pgm"));
    NOTHING("t/a/x.pgm: cannot be opened", in_top("t"));
    remove(in_top("t/a/x.pgm"));
    symlink(device, in_top("t/a/x.pgm"));
    NOTHING("a/x.pgm: is a pipe or a device", in_top("t"));
    remove(in_top("t/a/x.pgm"));
    CHECK(!mkfifo(in_top("t/a/x.pgm"), 0600), "no pipe");
    NOTHING("a/x.pgm: is a pipe or a device", in_top("t"));
    remove(in_top("t/a/x.pgm"));
    symlink(".", in_top("t/a/self"));
    note("t/a/self");
    NOTHING("t/a/self: is a link to a folder that it is in", in_top("t"));
    remove(in_top("t/a/self"));
    symlink("../..", in_top("t/a/self"));
    NOTHING("is a link to a folder that it is in", in_top("t"));
    remove(in_top("t/a/self"));
    symlink("../other", in_top("t/a/self"));        /* two ways to the same folder are none */
    symlink("../other", in_top("t/a/other"));
    note("t/a/other");
    put_grey("t/other/4.pgm", 4);
    d = tnn_load_folder(in_top("t"), .channels = 1);
    CHECK(d.n == 6, "%d: %s", d.n, tnn_error());
    tnn_data_free(&d);
    if (geteuid()) {                    /* root reads everything */
        chmod(in_top("t/a/1.pgm"), 0);
        NOTHING("t/a/1.pgm: cannot be opened: Permission", in_top("t"));
        chmod(in_top("t/other"), 0);
        NOTHING("cannot be opened: Permission", in_top("t"));
        chmod(in_top("t/other"), 0755);
    }
    clear();
}
#endif

/* Each allocation fails once: no data set, no memory left, and the same with the next one. */
static void without_memory(void)
{
    int way, k, done, steps;
    put_photos();
    put("photos a/x/toy.png", "TOY\3\1\1\7\7\7", 9);
    for (way = 0; way < 2; way++)
        for (k = done = steps = 0; !done && k < 1000; k++, steps++) {
            tnn_data d;
            made = freed = 0;
            fail_after = k;
            d = tnn_load_folder(top, .height = 3, .width = 4, .stream = way, .decode = decode_toy);
            done = fail_after >= 0;
            fail_after = -1;
            CHECK(d.n == (done ? 24 : 0) && done != (tnn_failed() == TNN_ERROR_MEMORY),
                  "%d allocations, %d samples: %s", k, d.n, tnn_error());
            tnn_clear_error();
            tnn_data_free(&d);
            CHECK(made == freed, "%d allocations, %d freed", made, freed);
        }
    CHECK(steps > 1, "%d allocations", steps);
    for (k = done = 0; !done && k < 100; k++) {         /* while a batch is made */
        tnn_data d = tnn_load_folder(top, .height = 3, .width = 4, .stream = 1,
                                     .decode = decode_toy);
        float x[36];
        fail_after = k;
        done = !tnn_sample(&d, 5, x, 36);
        fail_after = -1;
        CHECK(done != (tnn_failed() == TNN_ERROR_MEMORY), "%s", tnn_error());
        tnn_clear_error();
        tnn_data_free(&d);
        CHECK(made == freed, "%d allocations, %d freed", made, freed);
    }
    CHECK(k > 5, "%d allocations", k);
    clear();
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    vectors_from(argc, argv);
    files_of(argv[0], "test_images-");
    snprintf(top, sizeof top, "%s", path_of("tree"));
    RUN("tnn_resize: PIL's floats", floats_as_pil);
    RUN("tnn_resize: limits", resize_limits);
    RUN("folders: PIL's bytes", bytes_as_pil);
    RUN("folders: grey and colour as PIL", grey_as_pil);
    RUN("folders: torchvision's order", order_as_torchvision);
    RUN("folders: two thousand files", many_files);
    RUN("folders: like another one", like_another);
    EACH_SETTING("folders: streamed as in memory", streamed);
    RUN("folders: files that change", changed_under_way);
    RUN("folders: options", options);
    RUN("folders: decoders", decoders);
    RUN("folders: limits", limits);
    RUN("folders: thin images", thin_images);
    RUN("folders: empty classes", empty_classes);
#ifndef _WIN32
    RUN("folders: links and pipes", links_and_pipes);
#endif
    RUN("folders: without memory", without_memory);
    return test_finish();
}
