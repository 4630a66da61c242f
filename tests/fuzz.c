/* fuzz.c - every reader of files that may be anything: the header's and the report's

   With clang's libFuzzer (tests/fuzz.sh), and without it to read files again:
       clang -std=c99 -g -O1 -DLIBFUZZER -fsanitize=fuzzer,address,undefined -I. -Iexperiments \
           tests/fuzz.c -o fuzz -lm -pthread
       READER=npy ./fuzz -runs=1000000 CORPUS
       cc -std=c99 -I. -Iexperiments tests/fuzz.c -o again -lm -pthread
       READER=npy ./again FILE...
   SEEDS=DIR in the environment: writes valid files to DIR first. Readers that want the name of a
   file are given one in $TMPDIR (/tmp).

   A reader takes a file or refuses it with a message. What it took is used to the last byte; what
   it refused has changed nothing. At no time has it more memory than `times` bytes for each byte of
   the file and `more` beside, and in the end it has none. A sanitizer sees what goes beyond a
   block: the file has one of its own size, and the library's end where it believes they end. */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEED(condition, ...) \
    do if (!(condition)) { \
        fprintf(stderr, "fuzz.c:%d: ", __LINE__); \
        fprintf(stderr, __VA_ARGS__); \
        fprintf(stderr, "\n"); \
        abort(); \
    } while (0)

/* ==== Memory ==================================================================================
   The library asks for 64 bytes and a pointer more than it uses, and uses what begins at the first
   multiple of 64 after the pointer. So that nothing is left over at the end, blocks begin a pointer
   before such a multiple; the space before that holds the size. */
enum { LINE_BYTES = 64, POINTER = sizeof(void *) };
static size_t held, allowed = SIZE_MAX;         /* bytes */

static void *take(size_t bytes)
{
    void *block = NULL;
    NEED(bytes <= allowed && held <= allowed - bytes, "%lu bytes of memory beside %lu, of %lu",
         (unsigned long)bytes, (unsigned long)held, (unsigned long)allowed);
    if (posix_memalign(&block, LINE_BYTES, bytes - POINTER)) return NULL;
    memcpy(block, &bytes, sizeof bytes);
    held += bytes;
    return (char *)block + LINE_BYTES - POINTER;
}
static void give(void *pointer)
{
    char *block = (char *)pointer - (LINE_BYTES - POINTER);
    size_t bytes;
    memcpy(&bytes, block, sizeof bytes);
    held -= bytes;
    free(block);
}
#define TINYNN_MALLOC(context, bytes) take(bytes)
#define TINYNN_FREE(context, pointer) give(pointer)
#include "inside.h"
#include "experiment.h"

static void *copy_of(const void *from, size_t size)
{
    void *p = malloc(size + !size);
    NEED(p, "no memory");
    if (size) memcpy(p, from, size);
    return p;
}

/* ==== What all readers share ================================================================== */
static volatile double seen;

static void use_bytes(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) seen += ((const unsigned char *)p)[i];
}
static void use_floats(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) seen += (double)x[i];
}
/* A call was good or gives a reason. Afterwards there is none. */
static void settled(int good)
{
    NEED(good == !tnn_failed(), "%s", good ? tnn_error() : "refused without an error");
    NEED(good == !*tnn_error(), "an error without a message");
    tnn_clear_error();
    NEED(!tnn_failed() && !*tnn_error(), "an error that cannot be cleared");
}
static void use_data(const tnn_data *d)
{
    const size_t count = (size_t)d->c * (size_t)d->h * (size_t)d->w;
    float *x = (float *)malloc(count * sizeof *x);
    NEED(x && d->c > 0 && d->h > 0 && d->w > 0, "samples of %dx%dx%d", d->c, d->h, d->w);
    NEED(!d->bytes != !d->floats, "samples are not either bytes or floats");
    for (int i = 0; i < d->n; i++) {
        NEED(tnn_sample(d, i, x, (int)count) == TNN_OK, "sample %d: %s", i, tnn_error());
        use_floats(x, count);
        NEED(!d->labels || (d->labels[i] >= 0 && d->labels[i] < d->classes),
             "label %d of %d classes", d->labels ? d->labels[i] : -1, d->classes);
    }
    free(x);
}

static const char *folder, *seeds;
static const char *path_of(const char *name)
{
    static char path[EXPERIMENT_PATH];
    snprintf(path, sizeof path, "%s/fuzz-%ld-%s", folder, (long)getpid(), name);
    return path;
}
static void spill(const char *path, const void *p, size_t size)
{
    FILE *f = fopen(path, "wb");
    NEED(f, "cannot write %s", path);
    if (size) fwrite(p, 1, size, f);
    fclose(f);
}
static const char *seed_path(const char *name)
{
    static char path[EXPERIMENT_PATH];
    snprintf(path, sizeof path, "%s/%s", seeds, name);
    return path;
}
static void seed(const char *name, const void *p, size_t size) { spill(seed_path(name), p, size); }
static void seed_text(const char *name, const char *text) { seed(name, text, strlen(text)); }
static void seed_gzip(void)
{
    seed("refused-gzip", "\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0", 20);
}

/* ==== IDX: images, then labels from the last header of labels on, or from the middle ========== */
static int read_idx(const unsigned char *p, size_t size)
{
    size_t at = size < 4 ? 0 : size - 4;
    while (at && memcmp(p + at, "\0\0\x08\x01", 4)) at--;
    if (!at) at = size / 2;
    unsigned char *images = (unsigned char *)copy_of(p, at);
    unsigned char *labels = (unsigned char *)copy_of(p + at, size - at);
    tnn_data d = tnn_parse_idx(images, at, labels, size - at);
    settled(d.n > 0);
    free(images);
    free(labels);
    const int taken = d.n > 0;
    if (taken) use_data(&d);
    tnn_data_free(&d);
    return taken;
}
static void seed_idx(void)
{
    static const unsigned char grey[] = {
        0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255,
        0, 0, 8, 1, 0, 0, 0, 2, 0, 9 };
    static const unsigned char colour[] = {
        0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 6, 5, 4, 3, 2, 1,
        0, 0, 8, 1, 0, 0, 0, 1, 255 };
    static const unsigned char uneven[] = {
        0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 7, 8, 9,
        0, 0, 8, 1, 0, 0, 0, 1, 5 };
    seed("grey", grey, sizeof grey);
    seed("colour", colour, sizeof colour);
    seed("refused-uneven", uneven, sizeof uneven);
    seed_gzip();
}

/* ==== .npy, and data sets of it =============================================================== */
static const size_t TYPE_BYTES[] = {0, 1, 1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8};

static void use_array(const tnn_array *a)
{
    long long count = 1;
    NEED(a->ndim >= 0 && a->ndim <= TNN_DIMS && a->dtype >= TNN_BOOL && a->dtype <= TNN_F64,
         "%d dimensions, type %d", a->ndim, (int)a->dtype);
    for (int i = 0; i < a->ndim; i++) {
        NEED(a->shape[i] >= 0, "dimension %d is %lld", i, a->shape[i]);
        if (a->shape[i] == 0) count = 0;
    }
    for (int i = 0; count && i < a->ndim; i++) count *= a->shape[i];
    NEED(a->count == count, "%lld elements of %lld", a->count, count);
    use_bytes(a->data, (size_t)count * TYPE_BYTES[a->dtype - TNN_BOOL + 1]);
    for (long long i = 0; i < count; i++) seen += tnn_array_value(a, i);
}
static int take_array(tnn_array a)
{
    settled(a.data != NULL);
    if (!a.data) return 0;
    use_array(&a);
    for (int k = 0; k < 8; k++) {
        tnn_npy_options o = {NULL, NULL, k & 1, {0, 0, 0}, k < 6 ? 0 : k == 6 ? 1 : -1};
        if (k & 4) o.shape[0] = 1, o.shape[1] = 2, o.shape[2] = 3;
        tnn_data d = tnn_array_data(&a, k < 6 && k & 2 ? &a : NULL, &o);
        settled(d.n > 0);
        if (d.n) use_data(&d);
        tnn_data_free(&d);
    }
    tnn_array_free(&a);
    return 1;
}
static int read_npy(const unsigned char *p, size_t size)
{
    return take_array(tnn_parse_npy(p, size));
}
static void seed_npy_of(const char *name, int version, const char *header, size_t data)
{
    unsigned char file[512] = "\x93NUMPY";
    const size_t length = strlen(header), at = version > 1 ? 12 : 10;
    file[6] = (unsigned char)version;
    file[8] = (unsigned char)length;
    memcpy(file + at, header, length);
    for (size_t i = 0; i < data; i++) file[at + length + i] = (unsigned char)(i % 5);
    seed(name, file, at + length + data);
}
static void seed_npy(void)
{
    static const long long shapes[][4] = {{6}, {2, 3}, {2, 1, 3}, {1, 2, 3, 1}};
    static const double values[6] = {1, 2, 3, 0, 65536, 1e9};
    for (int type = TNN_BOOL; type <= TNN_F64; type++) {
        char name[16];
        if (type == TNN_BF16) continue;
        snprintf(name, sizeof name, "type%d", type);
        tnn_save_npy(seed_path(name), values, (tnn_dtype)type, type % 4 + 1, shapes[type % 4]);
    }
    NEED(!tnn_failed(), "%s", tnn_error());
    seed_npy_of("fortran", 1, "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3, 2)}\n", 24);
    seed_npy_of("big", 2, "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3)}  \n", 24);
    seed_npy_of("json", 3, "{\"shape\": (1, 6L,),\"descr\":\"|u1\",\"fortran_order\":False}", 6);
    seed_npy_of("labels", 1, "{'descr': '<u2', 'fortran_order': False, 'shape': (4, 1)}", 8);
    seed_npy_of("escapes", 1, "{'descr': '\\u003cb1', 'fortran_order': True,'shape': ()}", 1);
    seed_gzip();
}

/* ==== CSV, PGM and PPM ======================================================================== */
static int read_csv(const unsigned char *p, size_t size)
{
    return take_array(tnn_parse_csv(p, size));
}
static void seed_csv(void)
{
    seed_text("numbers", "1,2.5,-3e4\n4,5,6\r\n");
    seed_text("names", "\xef\xbb\xbf\"a, b\";c;\n\n1;\"2\"; nan\n;inf; -0.5 \n");
    seed_text("tabs", "0\t255\n1\t0\n2\t128");
    seed_text("seven", "3,1,2,3,4,5,6\n0,6,5,4,3,2,1\n\n");
    seed_text("column", "7\n+8\n.9\n");
    seed_text("refused-uneven", "1,2\n3\n");
    seed_text("refused-word", "1,2\n3,four");
}
/* A table: with its first line the options. Each of its letters stands for one. */
static int read_table(const unsigned char *p, size_t size)
{
    const unsigned char *line = (const unsigned char *)memchr(p, '\n', size);
    const size_t head = line ? (size_t)(line - p) + 1 : size;
    tnn_csv_options o = {0};
    tnn_data d, e;
    int taken;
    for (size_t i = 0; i + 1 < head; i++)
        switch (p[i]) {
        case 't': o.targets = "c,a"; break;
        case 'n': o.targets = "-1"; break;
        case 'l': o.label = "b"; break;
        case 'm': o.label = "1"; break;
        case 'i': o.inputs = "\"a\", c"; break;
        case 'x': o.ignore = "c,"; break;
        case 'o': o.one_hot = "b"; break;
        case 'p': o.one_hot = "1,2"; break;
        case 'h': o.header = 1; break;
        case '-': o.header = -1; break;
        case 'f': o.fill_mean = 1; break;
        }
    unsigned char *text = (unsigned char *)copy_of(p + head, size - head);
    d = tnn_csv_data(text, size - head, &o);
    settled(d.n > 0);
    if ((taken = d.n > 0) != 0) {
        const int n = d.n;
        use_data(&d);
        for (int i = 0; i < d.classes; i++) use_bytes(d.class_names[i], strlen(d.class_names[i]));
        if (d.targets) use_floats(d.targets, (size_t)d.n * (size_t)d.target[0]);
        e = tnn_csv_data(text, size - head, &(tnn_csv_options){.like = &d});
        settled(e.n > 0);       /* a line of names that is one of numbers may be taken for names */
        NEED(e.n == n && e.c == d.c && e.classes == d.classes, "%d samples like %d", e.n, n);
        tnn_data_free(&d);
        use_data(&e);
        tnn_data_free(&e);
    }
    free(text);
    return taken;
}
static void seed_table(void)
{
    seed_text("targets", "t\na,b,c\n1,2,3\n-4,5e1,6\n");
    seed_text("label", "lx\na,\"b\",c,\n1,p,2,3\r\n4,\"q \"\"r\"\"\", 7,8\n\n7,p,1,1\n");
    seed_text("hot", "of\na;b;c\n1;;3\nNA;x;4\n2;y;5\n3;x;nan\n");
    seed_text("numbers", "nf-\n1\t2\t3\n4\t\t6\n");
    seed_text("all", "-p\nu,v\nv,u\n");
    seed_text("names", "hm\n1,2\n3,4\n5,6\n+3,0\n");
    seed_text("inputs", "i\na,b,c\n1,x,3\n");
    seed_text("refused-word", "t\na,b,c\n1,2,x\n");
    seed_text("refused-column", "t\na,b\n1,2\n");
    seed_text("refused-uneven", "\n1,2\n3");
}
/* An archive, of whose arrays one is called z or alone. */
static int read_npz(const unsigned char *p, size_t size)
{
    tnn_array a = tnn_parse_npz(p, size, NULL);
    if (!a.data) {
        settled(0);
        a = tnn_parse_npz(p, size, "z");
    }
    settled(a.data != NULL);
    if (!a.data) return 0;
    use_array(&a);
    tnn_array_free(&a);
    return 1;
}
static void seed_npz(void)
{
    /* numpy.savez_compressed of z = [0, 0, 0, 0, 0, 0, 0, 0], and of y beside it */
    static const unsigned char one[] = {
        80, 75, 3, 4, 20, 0, 0, 0, 8, 0, 0, 0, 33, 0, 14, 143, 237, 18, 71, 0, 0, 0, 136, 0, 0,
        0, 5, 0, 20, 0, 122, 46, 110, 112, 121, 1, 0, 16, 0, 136, 0, 0, 0, 0, 0, 0, 0, 71, 0, 0,
        0, 0, 0, 0, 0, 155, 236, 23, 234, 27, 16, 201, 200, 80, 198, 80, 173, 158, 146, 90, 156,
        92, 164, 110, 165, 160, 94, 83, 106, 168, 174, 163, 160, 158, 150, 95, 84, 82, 148, 152,
        23, 159, 95, 148, 146, 10, 18, 119, 75, 204, 41, 78, 5, 138, 23, 103, 36, 22, 164, 2,
        249, 26, 22, 58, 154, 58, 10, 181, 10, 20, 0, 46, 6, 40, 0, 0, 80, 75, 1, 2, 20, 3, 20,
        0, 0, 0, 8, 0, 0, 0, 33, 0, 14, 143, 237, 18, 71, 0, 0, 0, 136, 0, 0, 0, 5, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 128, 1, 0, 0, 0, 0, 122, 46, 110, 112, 121, 80, 75, 5, 6, 0, 0, 0,
        0, 1, 0, 1, 0, 51, 0, 0, 0, 126, 0, 0, 0, 0, 0};
    static const unsigned char two[] = {
        80, 75, 3, 4, 20, 0, 0, 0, 0, 0, 0, 0, 33, 0, 243, 5, 83, 33, 136, 0, 0, 0, 136, 0, 0, 0,
        5, 0, 20, 0, 121, 46, 110, 112, 121, 1, 0, 16, 0, 136, 0, 0, 0, 0, 0, 0, 0, 136, 0, 0, 0,
        0, 0, 0, 0, 147, 78, 85, 77, 80, 89, 1, 0, 118, 0, 123, 39, 100, 101, 115, 99, 114, 39,
        58, 32, 39, 60, 102, 52, 39, 44, 32, 39, 102, 111, 114, 116, 114, 97, 110, 95, 111, 114,
        100, 101, 114, 39, 58, 32, 70, 97, 108, 115, 101, 44, 32, 39, 115, 104, 97, 112, 101, 39,
        58, 32, 40, 50, 44, 41, 44, 32, 125, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32,
        32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32,
        32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32,
        32, 32, 32, 10, 0, 0, 0, 0, 0, 0, 128, 63, 80, 75, 3, 4, 20, 0, 0, 0, 0, 0, 0, 0, 33, 0,
        14, 143, 237, 18, 136, 0, 0, 0, 136, 0, 0, 0, 5, 0, 20, 0, 122, 46, 110, 112, 121, 1, 0,
        16, 0, 136, 0, 0, 0, 0, 0, 0, 0, 136, 0, 0, 0, 0, 0, 0, 0, 147, 78, 85, 77, 80, 89, 1, 0,
        118, 0, 123, 39, 100, 101, 115, 99, 114, 39, 58, 32, 39, 124, 117, 49, 39, 44, 32, 39,
        102, 111, 114, 116, 114, 97, 110, 95, 111, 114, 100, 101, 114, 39, 58, 32, 70, 97, 108,
        115, 101, 44, 32, 39, 115, 104, 97, 112, 101, 39, 58, 32, 40, 56, 44, 41, 44, 32, 125,
        32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32,
        32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32,
        32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 10, 0, 0, 0, 0, 0, 0, 0,
        0, 80, 75, 1, 2, 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 33, 0, 243, 5, 83, 33, 136, 0, 0, 0,
        136, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 1, 0, 0, 0, 0, 121, 46, 110, 112,
        121, 80, 75, 1, 2, 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 33, 0, 14, 143, 237, 18, 136, 0, 0, 0,
        136, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 1, 191, 0, 0, 0, 122, 46, 110,
        112, 121, 80, 75, 5, 6, 0, 0, 0, 0, 2, 0, 2, 0, 102, 0, 0, 0, 126, 1, 0, 0, 0, 0};
    seed("one", one, sizeof one);
    seed("stored", two, sizeof two);
    seed("refused-cut", one, sizeof one - 1);
    seed_gzip();
}
static int read_pnm(const unsigned char *p, size_t size)
{
    return take_array(tnn_parse_pnm(p, size));
}
static void seed_pnm(void)
{
    seed_text("text-grey", "P2\n# a comment\n3 2 # another\n15\n0 1 2\n3 14 15\n");
    seed_text("text-colour", "P3 2 1 1000\n0 500 1000 1 2 3");
    seed_text("grey", "P5 3 2 255\nabcdef");
    seed_text("colour", "P6\n2\n2\n255\nabcdefghijkl");
    seed("deep", "P5 2 1 1023\n\3\xff\0\1", 16);
    seed_text("refused-short", "P5 3 2 255\nabcde");
    seed_text("refused-bits", "P1 3 1\n101\n");
}

/* ==== A folder of one image: flags, height and width, a byte each, then its file ============== */
static unsigned char *decode(void *user, const unsigned char *bytes, int size, int *w, int *h,
                             int *c)           /* c, h, w, the pixels */
{
    (void)user;
    if (size < 3) return NULL;
    *c = bytes[0] % 8;
    *h = bytes[1];
    *w = bytes[2];
    if (!*c || *c * *h * *w > size - 3) return *c > 4 ? (unsigned char *)copy_of("", 1) : NULL;
    return (unsigned char *)copy_of(bytes + 3, (size_t)(*c * *h * *w));
}
static void start_folder(void)
{
    mkdir(path_of("photos"), 0700);
    mkdir(path_of("photos/a"), 0700);
}
static int read_folder(const unsigned char *p, size_t size)
{
    const int flags = size < 3 ? 0 : p[0];
    tnn_folder_options o = {0};
    char image[EXPERIMENT_PATH];
    snprintf(image, sizeof image, "%s", path_of("photos/a/1.png"));
    spill(image, size < 3 ? p : p + 3, size < 3 ? size : size - 3);
    o.channels = flags & 1 ? 1 : 3;
    if (size >= 3 && p[1] && p[2]) o.height = p[1], o.width = p[2], o.crop = flags >> 1 & 1;
    o.stream = flags >> 2 & 1;
    if (flags & 8) o.decode = decode;
    o.path = path_of("photos");
    tnn_data d = tnn_load_folder_with(&o);
    settled(d.n > 0);
    int taken = d.n > 0;
    if (taken) {
        const int count = d.c * d.h * d.w;
        float *x = (float *)malloc((size_t)count * sizeof *x);
        NEED(x && d.n == 1 && d.classes == 1 && !strcmp(d.class_names[0], "a"), "the data set");
        taken = tnn_sample(&d, 0, x, count) == TNN_OK;
        NEED(taken || o.stream, "%s", tnn_error());
        settled(taken);
        if (taken) use_floats(x, (size_t)count);
        free(x);
    }
    tnn_data_free(&d);
    unlink(image);
    return taken;
}
static void seed_folder(void)
{
    seed_text("grey", "0  P5 3 2 255\nabcdef");
    seed("colour", "2\3\4P6\n2\n2\n255\nabcdefghijkl", 26);
    seed("deep", "5\0\0P5 2 1 1023\n\3\xff\0\1", 19);
    seed("decoded", "=\2\3\4\1\2abcdefgh", 14);
    seed_text("refused", "9  P5 3 2 255\nabcde");
}

/* ==== safetensors ============================================================================= */
static int read_safetensors(const unsigned char *p, size_t size)
{
    tnn_safetensors f = tnn_parse_safetensors(p, size);
    const int taken = f.tensor != NULL;
    long long at = 0;
    settled(taken);
    for (int i = 0; i < f.count; i++) {
        const tnn_stored *t = &f.tensor[i];
        tnn_array a = tnn_safetensors_array(&f, i);
        settled(a.data != NULL);
        NEED(!a.data == !t->dtype, "type %s, %d", t->type, (int)t->dtype);
        if (a.data) use_array(&a);
        use_bytes(t->name, strlen(t->name));
        use_bytes(t->type, strlen(t->type));
        for (int k = 0; k < i; k++)
            NEED(strcmp(t->name, f.tensor[k].name), "%s twice", t->name);
        NEED(t->begin == at && (!t->dtype || (t->count == a.count
             && t->end - at == a.count * (long long)TYPE_BYTES[a.dtype - TNN_BOOL + 1])),
             "bytes %lld to %lld",
             t->begin, t->end);
        use_bytes(f.data + at, (size_t)(t->end - at));
        at = t->end;
        tnn_array_free(&a);
    }
    NEED(!taken || f.data + at == p + size, "%lld bytes of data", at);
    tnn_safetensors_free(&f);
    return taken;
}
/* A header with its length before it, and data of zeros. */
static void seed_stored(const char *name, const char *header, size_t data)
{
    static unsigned char file[4096];
    const size_t length = strlen(header);
    memset(file, 0, sizeof file);
    file[0] = (unsigned char)length;
    file[1] = (unsigned char)(length >> 8);
    memcpy(file + 8, header, length);
    seed(name, file, 8 + length + data);
}
static void seed_safetensors(void)
{
    static const char *const types[] = {"BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64",
                                        "I64", "F16", "BF16", "F32", "F64"};
    char header[2048], *to = header, *end = header + sizeof header;
    size_t at = 0;
    for (int i = 0; i < 13; i++) {
        to += snprintf(to, (size_t)(end - to), "%c\"%s\":{\"dtype\":\"%s\",\"shape\":[2,1],"
                       "\"data_offsets\":[%lu,", i ? ',' : '{', types[i], types[i],
                       (unsigned long)at);
        at += 2 * TYPE_BYTES[i + 1];
        to += snprintf(to, (size_t)(end - to), "%lu]}", (unsigned long)at);
    }
    snprintf(to, (size_t)(end - to), "}  ");
    seed_stored("types", header, at);
    seed_stored("empty", "{}", 0);
    seed_stored("metadata",
                "{\"__metadata__\":{\"format\":\"pt\", \"\\u00e9\\ud83d\\ude00\\n\":\"\"},"
                "\"a.weight\" : {\"data_offsets\":[4, 12], \"shape\":[], \"dtype\":\"F64\"},"
                "\"\xc3\xa9\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[0,4]},"
                "\"none\":{\"dtype\":\"F32\",\"shape\":[3,0,5],\"data_offsets\":[12,12]}}", 12);
}

/* ==== Weights and checkpoints: of small networks, which are the same before each file ========= */
enum { SAMPLES = 7, PIXELS = 16, BATCH = 2, NUMBERS = 3, NETS = 3, ROOM = 1 << 16 };

typedef struct subject {
    const char    *name;
    tnn_net       *net;
    tnn_checkpoint_options with;
    double         numbers[NUMBERS];
    unsigned char *good, *now;          /* the checkpoint it goes back to; room for others */
    size_t         size;
    uint64_t       state;               /* the network's and its loader's there */
    tnn_loader     place;
    double         before[NUMBERS];
} subject;
static subject subjects[NETS];

static tnn_net *network(tnn_optimizer_type rule)
{
    tnn_net *net = tnn_create(.input = {1, 4, 4}, .batch = BATCH, .seed = 3);
    tnn_add(net, TNN_CONV2D, .filters = 2, .kernel = 3, .pad = 1);
    tnn_add(net, TNN_BATCHNORM, .eps = 0);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(net, TNN_FLATTEN, .eps = 0);
    tnn_add(net, TNN_DROPOUT, .p = 0.25f);
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    switch (rule) {
    case TNN_ADAM:
        tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01, .accumulate = 2, .ema = 0.9);
        tnn_set_schedule(net, TNN_ONE_CYCLE, .steps = 20);
        break;
    case TNN_LBFGS:
        tnn_set_optimizer(net, TNN_LBFGS, .lr = 0.1, .history = 2, .max_iter = 3);
        break;
    default:
        tnn_set_optimizer(net, TNN_SCHEDULE_FREE_ADAMW, .lookahead = 3, .warmup_steps = 5);
        tnn_set_schedule(net, TNN_STEP, .steps = 2, .per_epoch = 1);
    }
    return net;
}
/* Two batches more. */
static void train(subject *s)
{
    static float x[BATCH * PIXELS];
    static const int labels[BATCH] = {2, 0};
    tnn_loader *l = s->with.loader;
    for (int i = 0; i < BATCH * PIXELS; i++) x[i] = (float)(i % 5) / 4;
    for (int i = 0; i < 2 && !tnn_failed(); i++) {
        while (l && !tnn_next(l) && !tnn_failed()) tnn_end_epoch(s->net);
        seen += l ? tnn_train_batch(s->net, l->x, l->labels, l->n)
                  : tnn_train_batch(s->net, x, labels, BATCH);
    }
}
static void remember(subject *s)
{
    s->state = inside_state(s->net);
    memcpy(s->before, s->numbers, sizeof s->before);
    if (s->with.loader) memcpy(&s->place, s->with.loader, sizeof s->place);
}
static void unchanged(const subject *s)
{
    NEED(s->state == inside_state(s->net)
         && !memcmp(s->before, s->numbers, sizeof s->before)
         && (!s->with.loader || !memcmp(&s->place, s->with.loader, sizeof s->place)),
         "a file that was refused has changed the network");
}
static void go_back(subject *s)
{
    tnn_clear_error();
    NEED(tnn_parse_checkpoint(s->net, s->good, s->size, &s->with) == TNN_OK, "%s", tnn_error());
    NEED(tnn_format_checkpoint(s->net, s->now, ROOM, &s->with) == s->size
         && !memcmp(s->now, s->good, s->size), "a checkpoint, read and written, is another");
    remember(s);
}
static void start_networks(void)
{
    static const tnn_optimizer_type rules[NETS] = {TNN_ADAM, TNN_LBFGS, TNN_SCHEDULE_FREE_ADAMW};
    static const char *const called[NETS] = {"adam", "lbfgs", "schedule-free"};
    static unsigned char pixels[SAMPLES * PIXELS];
    static int labels[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) labels[i] = i % 3;
    for (int i = 0; i < SAMPLES * PIXELS; i++) pixels[i] = (unsigned char)(i * 37 % 256);
    tnn_data d = tnn_data_view(pixels, NULL, labels, SAMPLES, 1, 4, 4);
    for (int k = 0; k < NETS; k++) {
        subject *s = &subjects[k];
        s->name = called[k];
        s->net  = network(rules[k]);
        if (k != 1) {
            s->with.loader  = tnn_loader_create(&d, .batch = BATCH, .shuffle = 1, .flip = 0.5);
            s->with.numbers = s->numbers;
            s->with.count   = NUMBERS;
        }
        for (int i = 0; i < NUMBERS; i++) s->numbers[i] = i + 0.5;
        train(s);
        s->good = (unsigned char *)malloc(ROOM);
        s->now  = (unsigned char *)malloc(ROOM);
        NEED(s->good && s->now, "no memory");
        s->size = tnn_format_checkpoint(s->net, s->good, ROOM, &s->with);
        NEED(s->size && s->size <= ROOM, "%s", tnn_error());
        go_back(s);
    }
}
static void use_network(subject *s)
{
    static const float x[BATCH * PIXELS] = {1, 0, -1};
    NEED(tnn_forward(s->net, x, BATCH, TNN_EVAL) == TNN_OK, "%s", tnn_error());
    use_floats(tnn_output(s->net), BATCH * 3);
    if (tnn_use_average(s->net, 1) == TNN_OK) tnn_use_average(s->net, 0);
    tnn_clear_error();
    train(s);                               /* numbers that are not finite may end it */
}

static int read_weights(const unsigned char *p, size_t size)
{
    static const tnn_weights_options all[] = {
        {.partial = 0}, {.partial = 1},
        {.rename = {{"features.", ""}, {"head.", "5."}}, .partial = 1} };
    subject *s = &subjects[0];
    int taken = 0;
    for (int k = 0; k < 3; k++) {
        const int count = tnn_parse_weights(s->net, p, size, &all[k]);
        settled(count > 0);
        NEED(count >= 0 && count <= tnn_param_count(s->net), "%d tensors", count);
        if (!count) { unchanged(s); continue; }
        taken = 1;
        const uint64_t hash = tnn_hash(s->net);
        const size_t n = tnn_format_weights(s->net, s->now, ROOM, NULL);
        NEED(n && tnn_parse_weights(s->net, s->now, n, NULL) == tnn_param_count(s->net)
             && tnn_hash(s->net) == hash, "written and read again: %s", tnn_error());
        use_network(s);
        go_back(s);
    }
    return taken;
}
static void seed_weights(void)
{
    static const tnn_weights_options torchvision = {
        .rename = {{"features.", ""}, {"head.", "5."}}};
    subject *s = &subjects[0];
    size_t n = tnn_format_weights(s->net, s->now, ROOM, NULL);
    seed("weights", s->now, n);
    n = tnn_format_weights(s->net, s->now, ROOM, &torchvision);
    seed("renamed", s->now, n);
    seed_stored("half", "{\"5.bias\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[0,6]},"
                "\"1.num_batches_tracked\":{\"dtype\":\"I8\",\"shape\":[],\"data_offsets\":[6,7]},"
                "\"5.weight\":{\"dtype\":\"BF16\",\"shape\":[3,2,2,2],\"data_offsets\":[7,55]}}",
                55);
}

static int read_checkpoint(const unsigned char *p, size_t size)
{
    int taken = 0;
    for (int k = 0; k < NETS; k++) {
        subject *s = &subjects[k];
        const int good = tnn_parse_checkpoint(s->net, p, size, &s->with) == TNN_OK;
        settled(good);
        if (!good) { unchanged(s); continue; }
        taken = 1;
        for (int i = 0; i < NUMBERS; i++) seen += s->numbers[i];
        use_network(s);
        go_back(s);
    }
    return taken;
}
static void seed_checkpoint(void)
{
    for (int k = 0; k < NETS; k++) {
        seed(subjects[k].name, subjects[k].good, subjects[k].size);
        train(&subjects[k]);                /* once more, at another place of its epoch */
        size_t n = tnn_format_checkpoint(subjects[k].net, subjects[k].now, ROOM, &subjects[k].with);
        char name[32];
        snprintf(name, sizeof name, "%s-later", subjects[k].name);
        seed(name, subjects[k].now, n);
        go_back(&subjects[k]);
    }
}

/* ==== The search's journal: of a study with each pruner in turn, which goes on with it ======== */
enum { TRIALS = 12 };
static const tnn_variable SPACE[] = {
    {.name = "lr", .low = 1e-4, .high = 0.1, .log = 1},
    {.name = "units", .type = TNN_INT, .low = 16, .high = 64, .step = 16},
    {.name = "act", .type = TNN_CATEGORICAL, .choices = "relu tanh elu"} };

static tnn_study *study(const char *journal, tnn_pruner pruner)
{
    return tnn_study_create(.space = SPACE, .count = 3, .trials = TRIALS, .startup = 2,
                            .candidates = 4, .pruner = pruner, .journal = journal,
                            .prune_startup = pruner == TNN_MEDIAN,
                            .factor = pruner == TNN_HALVING ? 2 : 0);
}
/* One trial more; 0 if there is none to do. */
static int try_once(tnn_study *s)
{
    tnn_trial *t = tnn_ask(s);
    if (!t) return 0;
    const double lr = tnn_trial_float(t, "lr");
    const int units = tnn_trial_int(t, "units"), act = tnn_trial_choice(t, "act");
    NEED(lr >= 1e-4 && lr <= 0.1 && units >= 16 && units <= 64 && act >= 0 && act < 3,
         "drawn: %g, %d, %d", lr, units, act);
    for (int step = 1; step < 4 && !tnn_report(t, step, lr * step + act); step++) {}
    NEED(tnn_tell(t, t->number % 5 ? lr * units + act : NAN) == TNN_OK, "%s", tnn_error());
    return 1;
}
static int read_journal(const unsigned char *p, size_t size)
{
    const char *path = path_of("journal.tsv");
    int taken = 0;
    spill(path, p, size);
    for (int k = TNN_MEDIAN; k <= TNN_HALVING; k++) {
        tnn_study *s = study(path, (tnn_pruner)k);
        settled(s != NULL);
        taken |= s != NULL;
        for (int i = 0; s && i < TRIALS; i++) {
            const tnn_trial *t = tnn_study_trial(s, i);
            NEED(t->number == i && t->state <= TNN_FAILED && t->count <= t->room, "trial %d", i);
            for (int j = 0; j < t->count; j++) {
                NEED(!j || t->reports[j].step > t->reports[j - 1].step, "step %d", j);
                seen += t->reports[j].value + t->reports[j].rung;
            }
            for (int j = 0; t->state > TNN_RUNNING && j < 3; j++)
                NEED(t->x[j] >= SPACE[j].low && t->x[j] <= (j < 2 ? SPACE[j].high : 2),
                     "variable %d is %g", j, t->x[j]);
        }
        if (s && tnn_study_best(s)) seen += tnn_study_best(s)->value;
        for (int j = 0; s && j < 3; j++) seen += tnn_study_explained(s, SPACE[j].name);
        for (int i = 0; s && i < 2 && try_once(s); i++) {}
        settled(1);
        tnn_study_free(s);
    }
    return taken;
}
static void seed_journal(void)
{
    for (int k = TNN_MEDIAN; k <= TNN_HALVING; k++) {
        const char *path = seed_path(k == TNN_MEDIAN ? "median.tsv" : "halving.tsv");
        remove(path);
        tnn_study *s = study(path, (tnn_pruner)k);
        while (s && try_once(s)) {}
        tnn_study_free(s);
        NEED(!tnn_failed(), "%s", tnn_error());
    }
    seed_text("torn", "# tinynn study, minimize, tpe seed 0; lr float 0.0001 0.1 log; "
              "units int 16 64 step 16; act relu tanh elu\n"
              "trial\tlr\tunits\tact\tstep\tvalue\trung\tstate\n"
              "0\t0.01\t32\t1\t3\t-inf\t0\tstep\n0\t1e-2\t32\t1\t-1\tnan\t0\tfailed\n"
              "1\t0.05\t16\t2\t-1\t2.5e3\t2\tdone\n3\t0.0");
}

/* ==== The report: a text as each of the tables and result files of one of its parts =========== */
#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wshadow"       /* it has other things called experiment */
#endif
#define main report_main
#include "report.c"
#undef main

static const char *const REPORTS[] = {"fashion_cnn", "fashion_mlp", "flags_cnn", "kuzushiji_mlp",
                                      "icons_cnn"};
static void start_report(void)          /* in the top folder, whose claims it takes */
{
    static const char *const files[] = {
        "plots/fashion_cnn_reported", "plots/fashion_cnn_text", "plots/fashion_mlp_reported",
        "plots/fashion_mlp_text", "plots/flags_cnn_reported", "plots/flags_cnn_text",
        "plots/kuzushiji_mlp_text", "plots/icons_cnn_reported", "plots/icons_cnn_text",
        "out/fashion_cnn/lr0.001-bs32", "out/fashion_cnn/lr0.1-bs32", "out/fashion_mlp/adam-bs100",
        "out/fashion_mlp/adam-bs500-p0.05-100epochs", "out/flags_cnn/basic",
        "out/flags_cnn/search1", "out/kuzushiji_mlp/m0", "out/icons_cnn/lr0.05",
        "out/icons_cnn/final-b", "out/icons_cnn/final-b.classes" };
    static char plots_path[EXPERIMENT_PATH], out_path[EXPERIMENT_PATH];
    char there[EXPERIMENT_PATH], path[EXPERIMENT_PATH], name[100], top[EXPERIMENT_PATH / 2];
    snprintf(plots_path, sizeof plots_path, "%s", path_of("plots"));
    snprintf(out_path, sizeof out_path, "%s", path_of("out"));
    snprintf(there, sizeof there, "%s", path_of("report.tsv"));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(name, sizeof name, "%s.tsv", files[i]);
        snprintf(path, sizeof path, "%s", path_of(name));
        NEED(experiment_mkdirs(path) == 0 && symlink(there, path) == 0, "cannot make %s", path);
    }
    NEED(getcwd(top, sizeof top), "no folder");
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "plots/%s_claims.tsv", REPORTS[i]);
        snprintf(path, sizeof path, "%s", path_of(name));
        snprintf(there, sizeof there, "%s/%s", top, name);
        NEED(symlink(there, path) == 0, "cannot make %s", path);
    }
    plots     = plots_path;
    outs[0]   = out_path;
    out_count = 1;
    NEED(freopen("/dev/null", "w", stdout), "no /dev/null");
    details = doubts = page = stdout;
}
static int read_report(const unsigned char *p, size_t size)
{
    spill(path_of("report.tsv"), p, size);
    print_report(REPORTS[size % 5]);
    char config[512];
    seen += experiment_comment(path_of("report.tsv"), "# config ", config, sizeof config);
    return 1;
}
static void seed_report(void)
{
    seed_text("result", "# fashion_cnn lr0.1-bs32\n# made by tinynn.h\n# data real, 5 samples\n"
              "# seed 1\n# parameters 1285\n# config Adam, 2 epochs\n"
              "epoch\ttrain_loss\ttrain_acc\tval_loss\tval_acc\tlr\n1\t2.303\t0.1\t2.3\tnan\t0.1\n"
              "2\t1.5\t0.2\tinf\t0.1\t0.1\n# test_loss 1.25\n# test_acc 0.875\n");
    seed_text("reported", "lr\tbatch_size\tepoch\n0.001\t32\t5\t0.39\t89.78\n1\t0.3\t0.2\t0.5\t"
              "0.1\nbasic\t1\t2.2\t34.4\t-\n500\t1.5\t0.2\t0.3\t0.1\t0.1\n");
    seed_text("text", "run\tepoch\tquantity\tlow\thigh\twords\n"
              "lr0.001-bs32\tbest\tval_acc\t0.91\t0.92\tbest\n"
              "lr0.001-bs32\t-1\tval_loss\t0.2\t0.3\tx\n"
              "adam-bs100\t1\ttrain_loss\t0.475\t0.475\tfrom\n"
              "m0\tlast\tparameters\t1\t1\tx\n"
              "final-b\taverage\ttrain_air\t0.8\t0.9\tx\nair\t0.1\t0.2\t0.3\t0.4\n");
}

/* ==== The readers ============================================================================= */
typedef struct reader {
    const char *name;
    int  (*read)(const unsigned char *p, size_t size);      /* 1: it is such a file */
    void (*seed)(void);
    void (*start)(void);
    size_t times, more;         /* memory: for each byte of the file, and beside */
    size_t length_at, length;   /* where the length of its header stands, in so many bytes; 0: it
                                   has none */
} reader;
static const reader READERS[] = {
    {"idx",         read_idx,         seed_idx,         NULL,           5, 128,     0, 0},
    {"npy",         read_npy,         seed_npy,         NULL,           9, 256,     8, 2},
    {"csv",         read_csv,         seed_csv,         NULL,          18, 256,     0, 0},
    {"table",       read_table,       seed_table,       NULL,        2048, 4096,    0, 0},
    {"npz",         read_npz,         seed_npz,         NULL,        1100, 200000,  0, 0},
    {"pnm",         read_pnm,         seed_pnm,         NULL,           5, 256,     0, 0},
    {"folder",      read_folder,      seed_folder,      start_folder,  12, 1 << 22, 0, 0},
    {"safetensors", read_safetensors, seed_safetensors, NULL,           4, 512,     0, 8},
    {"weights",     read_weights,     seed_weights,     start_networks, 4, 8192,    0, 8},
    {"checkpoint",  read_checkpoint,  seed_checkpoint,  start_networks, 4, 8192,    0, 8},
    {"journal",     read_journal,     seed_journal,     NULL,          64, 1 << 16, 0, 0},
    {"report",      read_report,      seed_report,      start_report,   0, 0,       0, 0},
    {NULL,          NULL,             NULL,             NULL,           0, 0,       0, 0} };
static const reader *the = READERS;
static int taken_files;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("READER");
    for (; the->name && (!name || strcmp(the->name, name)); the++) {}
    if (!the->name) {
        fprintf(stderr, "usage: READER=NAME %s FILE...\nreaders:", *argc ? **argv : "fuzz");
        for (the = READERS; the->name; the++) fprintf(stderr, " %s", the->name);
        fprintf(stderr, "\n");
        exit(2);
    }
    folder = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    seeds  = getenv("SEEDS");
    tnn_set_threads(1);
    if (the->start) the->start();
    if (seeds) the->seed();
    return 0;
}
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *p = (unsigned char *)copy_of(data, size);
    const size_t before = held;
    allowed = before + the->times * size + the->more;
    taken_files += the->read(p, size);
    NEED(held == before, "%lu bytes of memory are not given back", (unsigned long)(held - before));
    NEED(!tnn_failed(), "an error is left: %s", tnn_error());
    allowed = SIZE_MAX;
    free(p);
    return 0;
}

#ifdef LIBFUZZER
/* ==== Changing a file ===========================================================================
   Mostly its structure, at the front and at the back, and not the numbers between them; or one of a
   checkpoint's counters. Then the length of its header is set right, and a checkpoint's hash. One
   in eight is changed anywhere. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int chance);
enum { COUNTERS = INSIDE_COUNTERS + NUMBERS };  /* numbers of 8 bytes before the hash */

static void put_number(unsigned char *p, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++, v >>= 8) p[i] = (unsigned char)v;
}
/* Where the front ends and the back begins; both are the whole file where it has no such parts. */
static void find_parts(const unsigned char *p, size_t size, size_t *front, size_t *back)
{
    const size_t after = the->length_at + the->length, few = 600;
    size_t length = 0;
    *front = size;
    *back  = 0;
    if (the->length && size >= after) {
        for (size_t i = the->length; i-- > 0; ) length = length << 8 | p[the->length_at + i];
        if (length <= size - after) *front = *back = after + length;
        if (the->read == read_checkpoint && size - *back > few) *back = size - few;
    }
}
static void change_counter(unsigned char *p, size_t size, unsigned int chance)
{
    unsigned char *number = p + size - 8 * (2 + chance % COUNTERS);
    chance /= COUNTERS;
    if (chance % 2) put_number(number, chance / 2 % 16, 8);
    else LLVMFuzzerMutate(number, 8, 8);
}
size_t LLVMFuzzerCustomMutator(uint8_t *p, size_t size, size_t room, unsigned int chance)
{
    const int checkpoint = the->read == read_checkpoint, what = chance % 8;
    chance /= 8;
    if (checkpoint && what == 1 && size >= 8 * (2 + COUNTERS)) {
        change_counter(p, size, chance);
    } else {
        size_t front, back, from = 0, to = size;
        find_parts(p, size, &front, &back);
        if (what > 2) to = front;
        else if (what) from = back;
        if (from == to && size == room) from = 0, to = size;
        unsigned char *rest = (unsigned char *)copy_of(p + to, size - to);
        const size_t n = LLVMFuzzerMutate(p + from, to - from, room - (size - (to - from)));
        memcpy(p + from + n, rest, size - to);
        free(rest);
        size += n - (to - from);
        if (what > 2 && n >= the->length_at + the->length)
            put_number(p + the->length_at, n - the->length_at - the->length, the->length);
    }
    if (checkpoint && size >= 8 && chance % 64)
        put_number(p + size - 8, experiment_hash(14695981039346656037u, p, size - 8), 8);
    return size;
}
#else
int main(int argc, char **argv)
{
    static unsigned char file[1 << 20];
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        NEED(f, "cannot read %s", argv[i]);
        const size_t size = fread(file, 1, sizeof file, f);
        fclose(f);
        LLVMFuzzerTestOneInput(file, size);
    }
    fprintf(stderr, "%d files, %d of them taken\n", argc - 1, taken_files);
    return 0;
}
#endif
