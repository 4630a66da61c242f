/* fashion_data.h - Fashion-MNIST, or the stand-in of fashion_drawing.h

   60,000 training and 10,000 validation images of 28 x 28 grey levels in ten classes: Xiao, Rasul
   and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
   algorithms", 2017. It is read from DIR/fashion-mnist, four IDX files, compressed (.gz, through
   the gzip program) or not. Where that folder does not exist, drawn garments take its place.     */
#ifndef FASHION_DATA_H
#define FASHION_DATA_H

#include "experiment.h"
#include "fashion_drawing.h"

/* Reads the part `which`, training (0) or validation. */
static inline int fashion_read(experiment *e, int which)
{
    static const char *const FILES[2][2] = {
        {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
        {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}};
    const char *prefix = which ? "t10k" : "train";
    size_t size[2] = {0, 0};
    void  *images = experiment_read(e, "fashion-mnist", FILES[which][0], &size[0]);
    void  *labels = images ? experiment_read(e, "fashion-mnist", FILES[which][1], &size[1]) : NULL;
    tnn_data d;
    memset(&d, 0, sizeof d);
    if (labels) d = e->whole[which] = tnn_parse_idx(images, size[0], labels, size[1]);
    free(images);
    free(labels);
    if (d.n > 0 && d.c == 1 && d.h == 28 && d.w == 28 && d.classes <= 10) return 0;
    if (d.n > 0)
        experiment_say(e, "%s/fashion-mnist/%s-*: %dx%dx%d, %d classes instead of 1x28x28, 10",
                       e->data, prefix, d.c, d.h, d.w, d.classes);
    else if (labels)
        experiment_say(e, "%s/fashion-mnist/%s-*: %s", e->data, prefix, tnn_error());
    return -1;
}

/* Draws it: as many images of each class as of the others. */
static inline int fashion_synthesize(experiment *e, int which)
{
    const int      n = e->quick ? e->few[which] : e->drawn[which];
    const uint64_t first = which ? 1 << 24 : 0;             /* the number of its first image */
    unsigned char *pixels = (unsigned char *)experiment_room(e, (size_t)n * 28 * 28);
    int           *labels = (int *)experiment_room(e, (size_t)n * sizeof *labels);
    if (!pixels || !labels) return -1;
    for (int i = 0; i < n; i++) labels[i] = i % 10;
    tnn_shuffle(labels, n, 20170826, first);
    for (int i = 0; i < n; i++)
        fashion_draw(pixels + (size_t)i * 28 * 28, labels[i], first + (uint64_t)i);
    e->whole[which] = tnn_data_view(pixels, NULL, labels, n, 1, 28, 28);
    return 0;
}

/* Loads or draws the set, e->few of it with --quick, the pixels scaled to (x/255 - 0.5) / 0.5.
   Returns 0, or -1 on failure, which it has reported. A set that is there but incomplete or damaged
   is a failure.                                                                                  */
static inline int fashion_load(experiment *e)
{
    const int real = experiment_is_real(e, "fashion-mnist");
    for (int i = 0; i < 2; i++) {
        tnn_data *part = i ? &e->val : &e->train;
        if (real ? fashion_read(e, i) : fashion_synthesize(e, i)) return -1;
        const int n = e->whole[i].n;
        *part = tnn_subset(&e->whole[i], 0, e->quick && n > e->few[i] ? e->few[i] : n);
        tnn_normalize(part, 0.5f, 0.5f);
    }
    return experiment_loaded(e, "%d training and %d validation samples", e->train.n, e->val.n);
}

#endif /* FASHION_DATA_H */
