/* fashion_data.h - Fashion-MNIST, or the stand-in of fashion_drawing.h

   60,000 training and 10,000 validation images of 28 x 28 grey levels in ten classes: Xiao, Rasul
   and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
   algorithms", 2017. It is read from DIR/fashion-mnist, four IDX files, compressed (.gz, through
   the gzip program) or not. Where that folder does not exist, drawn garments take its place.     */
#ifndef FASHION_DATA_H
#define FASHION_DATA_H

#include "experiment.h"
#include "fashion_drawing.h"

typedef struct fashion_set {
    tnn_data train, val;                /* what to train on and to validate with               */
    tnn_data whole[2];                  /* what was read or drawn; those are its first samples */
    void    *drawn[2][2];               /* the stand-in's pixels and labels                    */
} fashion_set;

/* How much of it: the stand-in is smaller than the real set, --quick smaller still. */
typedef struct fashion_sizes {
    int synthetic_train, synthetic_val, quick_train, quick_val;
} fashion_sizes;

static inline int fashion_read_pair(experiment *e, fashion_set *set, int which, const char *prefix)
{
    char     name[64], message[EXPERIMENT_PATH + 600];
    size_t   size[2];
    void    *file[2];
    tnn_data d;
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s-%s-ubyte", prefix, i == 0 ? "images-idx3" : "labels-idx1");
        file[i] = experiment_read(e, "fashion-mnist", name, &size[i]);
        if (!file[i]) { if (i == 1) free(file[0]); return -1; }
    }
    d = set->whole[which] = tnn_parse_idx(file[0], size[0], file[1], size[1]);
    free(file[0]);
    free(file[1]);
    if (d.n > 0 && d.c == 1 && d.h == 28 && d.w == 28 && d.classes <= 10) return 0;
    if (d.n > 0)
        snprintf(message, sizeof message, "%s/fashion-mnist/%s-*: %dx%dx%d, %d classes instead of "
                 "1x28x28, 10", e->data, prefix, d.c, d.h, d.w, d.classes);
    else
        snprintf(message, sizeof message, "%s/fashion-mnist/%s-*: %s", e->data, prefix,
                 tnn_error());
    experiment_say(e, message);
    return -1;
}

/* n images, as many of each class as of the others; `first` numbers them. */
static inline int fashion_synthesize(fashion_set *set, int which, int n, uint64_t first)
{
    unsigned char *pixels = (unsigned char *)malloc((size_t)n * 28 * 28);
    int           *labels = (int *)malloc((size_t)n * sizeof(int));
    set->drawn[which][0] = pixels;
    set->drawn[which][1] = labels;
    if (!pixels || !labels) return -1;
    for (int i = 0; i < n; i++) labels[i] = i % 10;
    tnn_shuffle(labels, n, 20170826, first);
    for (int i = 0; i < n; i++)
        fashion_draw(pixels + (size_t)i * 28 * 28, labels[i], first + (uint64_t)i);
    set->whole[which] = tnn_data_view(pixels, NULL, labels, n, 1, 28, 28);
    return set->whole[which].n > 0 ? 0 : -1;
}

/* Loads or draws the set, the pixels scaled to (x/255 - 0.5) / 0.5. Returns 0, or -1 on failure,
   which it has reported. A set that is there but incomplete or damaged is a failure.             */
static inline int fashion_load(fashion_set *set, experiment *e, fashion_sizes sizes)
{
    char path[EXPERIMENT_PATH], message[EXPERIMENT_PATH + 100];
    struct stat there;
    memset(set, 0, sizeof *set);
    snprintf(path, sizeof path, "%s/fashion-mnist", e->data);
    int real = stat(path, &there) == 0 || (errno != ENOENT && errno != ENOTDIR), failed;
    if (real) {
        failed = fashion_read_pair(e, set, 0, "train") || fashion_read_pair(e, set, 1, "t10k");
    } else {
        snprintf(message, sizeof message, "%s is not there: synthetic images stand in for it",
                 path);
        experiment_say(e, message);
        int train = e->quick ? sizes.quick_train : sizes.synthetic_train;
        int val   = e->quick ? sizes.quick_val : sizes.synthetic_val;
        failed = fashion_synthesize(set, 0, train, 0) || fashion_synthesize(set, 1, val, 1 << 24);
        if (failed) experiment_say(e, tnn_failed() ? tnn_error() : "out of memory");
    }
    if (failed) return -1;
    int train = set->whole[0].n, val = set->whole[1].n;
    if (e->quick && train > sizes.quick_train) train = sizes.quick_train;
    if (e->quick && val > sizes.quick_val) val = sizes.quick_val;
    set->train = tnn_subset(&set->whole[0], 0, train);
    set->val   = tnn_subset(&set->whole[1], 0, val);
    tnn_normalize(&set->train, 0.5f, 0.5f);
    tnn_normalize(&set->val, 0.5f, 0.5f);
    snprintf(e->kind, sizeof e->kind, "%s, %d training and %d validation samples%s",
             real ? "real" : "synthetic", set->train.n, set->val.n, e->quick ? " (quick)" : "");
    if (tnn_failed()) { experiment_say(e, tnn_error()); return -1; }
    return 0;
}

static inline void fashion_free(fashion_set *set)
{
    tnn_data_free(&set->train);
    tnn_data_free(&set->val);
    for (int i = 0; i < 2; i++) {
        tnn_data_free(&set->whole[i]);
        free(set->drawn[i][0]);
        free(set->drawn[i][1]);
    }
}

#endif /* FASHION_DATA_H */
