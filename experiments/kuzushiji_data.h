/* kuzushiji_data.h - 5,000 old Japanese characters in 49 classes, or a stand-in

   28 x 28 grey levels, a part of Kuzushiji-49: Clanuwat et al., "Deep learning for classical
   Japanese literature", 2018. Read from DIR/kuzushiji: X_images.npy (5000, 784), y_images.npy
   (5000) and X_COMP.npy (1000, 784), the unlabelled ones. Where that folder does not exist,
   the characters of kuzushiji_drawing.h take its place.

   The split is the report's, from the seed: shuffled, a fifth for the test; the others shuffled
   again, a fifth of them for validation.                                                         */
#ifndef KUZUSHIJI_DATA_H
#define KUZUSHIJI_DATA_H

#include "experiment.h"
#include "kuzushiji_drawing.h"

enum { KUZUSHIJI_CLASSES = 49, KUZUSHIJI_PIXELS = 28 * 28 };

/* n labelled images, as many of each class as of the others, and some without labels. */
static inline int kuzushiji_synthesize(experiment *e, int n, int unlabelled)
{
    const size_t all = (size_t)(n + unlabelled);
    float *pixels = (float *)experiment_room(e, sizeof *pixels * KUZUSHIJI_PIXELS * all);
    int   *labels = (int *)experiment_room(e, sizeof *labels * all);
    if (!pixels || !labels) return -1;
    for (int i = 0; i < n + unlabelled; i++) {
        labels[i] = i % KUZUSHIJI_CLASSES;
        kuzushiji_draw(pixels + (size_t)i * KUZUSHIJI_PIXELS, labels[i], (uint64_t)i);
    }
    e->all = tnn_data_view(NULL, pixels, labels, n, 1, 28, 28);
    e->unlabelled = tnn_data_view(NULL, pixels + (size_t)n * KUZUSHIJI_PIXELS, labels + n,
                                  unlabelled, 1, 28, 28);
    return 0;
}

/* The three files; tnn_error() says what is wrong with them. */
static inline int kuzushiji_read(experiment *e)
{
    char path[3][EXPERIMENT_PATH + 32];
    static const char *const FILES[3] = {"X_images", "y_images", "X_COMP"};
    for (int i = 0; i < 3; i++)
        snprintf(path[i], sizeof path[i], "%.1000s/kuzushiji/%s.npy", e->data, FILES[i]);
    e->all        = tnn_load_npy(path[0], .labels = path[1], .shape = {1, 28, 28});
    e->unlabelled = tnn_load_npy(path[2], .shape = {1, 28, 28});
    if (tnn_failed() || (e->all.classes == KUZUSHIJI_CLASSES && e->all.n >= 100)) return 0;
    experiment_say(e, "y_images.npy does not have the labels 0 to 48");
    return -1;
}

/* Loads or draws the set, pixels scaled to x/255, and splits it. Returns 0, or -1 on failure,
   which it has reported. A set that is there but incomplete or damaged is a failure.             */
static inline int kuzushiji_load(experiment *e)
{
    if (experiment_is_real(e, "kuzushiji")
        ? kuzushiji_read(e) : kuzushiji_synthesize(e, e->quick ? 245 : 980, e->quick ? 10 : 98))
        return -1;
    const int test = e->all.n / 5, val = (e->all.n - test) / 5;
    tnn_data *rest = &e->whole[0];
    tnn_normalize(&e->all, 0, 255);
    tnn_normalize(&e->unlabelled, 0, 255);
    tnn_split(&e->all, test, e->seed, &e->test, rest);
    tnn_split(rest, val, e->seed + 1000000, &e->val, &e->train);
    if (e->quick && e->train.n > 200) e->train.n = 200, e->val.n = e->test.n = 50;
    return experiment_loaded(e, "%d training, %d validation and %d test samples", e->train.n,
                             e->val.n, e->test.n);
}

#endif /* KUZUSHIJI_DATA_H */
