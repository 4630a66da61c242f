/* flags_data.h - photos and drawings of 24 European flags, or a stand-in drawn by flags_drawing.h

   Read from DIR/flags: images.npy (n, 128, 128, 3), bytes, labels.npy (n), either of them with or
   without .gz, and classes.txt, the names in the order of the labels; n is 996. Where that folder
   does not exist, flags drawn here take its place, fewer and smaller ones: every 4 x 4 pixels
   become their mean. So do those of --quick.

   The split is random, four fifths to train on (796) and a fifth to test with (200), from the
   seed. Pixels are scaled to (x/255 - 0.5) / 0.5.                                                */
#ifndef FLAGS_DATA_H
#define FLAGS_DATA_H

#include "experiment.h"
#include "flags_drawing.h"

enum { FLAGS_CLASSES = 24, FLAGS_SIDE = 128, FLAGS_BYTES = 3 * FLAGS_SIDE * FLAGS_SIDE,
       FLAGS_SHRINK = 4, FLAGS_DRAWN = 16 * FLAGS_CLASSES, FLAGS_DRAWN_QUICK = 3 * FLAGS_CLASSES };

static const char FLAGS_NAMES[] =
    "Austria\nBelgium\nBulgaria\nCroatia\nCzech Republic\nDenmark\nEstonia\nFinland\nFrance\n"
    "Germany\nGreece\nHolland\nHungary\nIreland\nItaly\nLatvia\nLithuania\nLuxembourg\nMalta\n"
    "Slovakia\nSlovenia\nSouth Cyprus\nSpain\nSweden\n";

/* n drawings, as many of each flag as of the others, in the files' layout. */
static inline int flags_synthesize(experiment *e, tnn_array *images, tnn_array *labels, int n)
{
    unsigned char *pixels = (unsigned char *)experiment_room(e, (size_t)n * (FLAGS_BYTES + 1));
    const tnn_array x = {TNN_U8, 4, {n, FLAGS_SIDE, FLAGS_SIDE, 3}, (long long)n * FLAGS_BYTES,
                         pixels};
    if (!pixels) return -1;
    const tnn_array y = {TNN_U8, 1, {n}, n, pixels + x.count};
    for (int i = 0; i < n; i++) {
        pixels[x.count + i] = (unsigned char)(i % FLAGS_CLASSES);
        flags_draw(pixels + (size_t)i * FLAGS_BYTES, i % FLAGS_CLASSES, (uint64_t)i);
    }
    *images = x;
    *labels = y;
    return 0;
}

/* The mean of every k x k pixels, rounded. */
static inline int flags_shrink(experiment *e, int k)
{
    const tnn_data *from = &e->whole[0];
    e->whole[0] = e->all;
    const int h = from->h / k, w = from->w / k, planes = from->n * from->c;
    unsigned char *to = (unsigned char *)experiment_room(e, (size_t)planes * (size_t)(h * w));
    if (!to) return -1;
    for (int i = 0; i < planes * h * w; i++) {
        int plane = i / (h * w), row = i / w % h * k, column = i % w * k, sum = k * k / 2;
        const unsigned char *at = from->bytes + ((size_t)plane * (size_t)from->h + (size_t)row) *
                                  (size_t)from->w + column;
        for (int j = 0; j < k * k; j++) sum += at[j / k * from->w + j % k];
        to[i] = (unsigned char)(sum / (k * k));
    }
    e->all = tnn_data_view(to, NULL, from->labels, from->n, from->c, h, w);
    return 0;
}

/* The three files, as they stand in memory; -1 after an error, which it has reported. */
static inline int flags_read(experiment *e, tnn_array *images, tnn_array *labels)
{
    static const char *const FILES[3] = {"images.npy", "labels.npy", "classes.txt"};
    size_t size[3] = {0, 0, 0};
    void  *file[3] = {NULL, NULL, NULL};
    int    n = 0;
    while (n < 3 && (file[n] = experiment_read(e, "flags", FILES[n], &size[n])) != NULL) n++;
    if (n == 3 && (size[2] + 1 < sizeof FLAGS_NAMES || size[2] > sizeof FLAGS_NAMES ||
                   memcmp(file[2], FLAGS_NAMES, sizeof FLAGS_NAMES - 2) != 0)) {
        experiment_say(e, "flags/classes.txt does not have the 24 names in their order");
        n = 0;
    }
    if (n == 3) *images = tnn_parse_npy(file[0], size[0]);
    if (n == 3) *labels = tnn_parse_npy(file[1], size[1]);
    for (int i = 0; i < 3; i++) free(file[i]);
    return n == 3 ? 0 : -1;
}

/* Loads or draws the set and splits it; what the report tests with is e->val. Returns 0, or -1 on
   failure, which it has reported. A set that is there but incomplete or damaged is a failure.    */
static inline int flags_load(experiment *e)
{
    static const tnn_npy_options layout = {.samples = "flags/images.npy",
                                           .labels  = "flags/labels.npy", .channels_last = 1};
    const tnn_data *all = &e->all;
    tnn_array images, labels;
    memset(&images, 0, sizeof images);
    memset(&labels, 0, sizeof labels);
    if (experiment_is_real(e, "flags")
        ? flags_read(e, &images, &labels)
        : flags_synthesize(e, &images, &labels, e->quick ? FLAGS_DRAWN_QUICK : FLAGS_DRAWN))
        return -1;
    e->all = tnn_array_data(&images, &labels, &layout);
    if (e->real) tnn_array_free(&images), tnn_array_free(&labels);
    if (experiment_failed(e)) return -1;
    if (all->classes != FLAGS_CLASSES || all->c != 3 || all->n < 30 || all->h != FLAGS_SIDE ||
        all->w != FLAGS_SIDE) {
        experiment_say(e, "%s/flags: %d images of %dx%dx%d in %d classes instead of 3x128x128, 24",
                       e->data, all->n, all->c, all->h, all->w, all->classes);
        return -1;
    }
    if ((!e->real || e->quick) && flags_shrink(e, FLAGS_SHRINK) != 0) return -1;
    tnn_normalize(&e->all, 0.5f, 0.5f);
    tnn_split(&e->all, e->all.n * 4 / 5, e->seed, &e->train, &e->val);
    if (e->quick && e->train.n > 48) e->train.n = 48;
    if (e->quick && e->val.n > 24) e->val.n = 24;
    return experiment_loaded(e, "%d training and %d test samples of %dx%d", e->train.n, e->val.n,
                             e->all.h, e->all.w);
}

#endif /* FLAGS_DATA_H */
