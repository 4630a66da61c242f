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

typedef struct kuzushiji_set {
    tnn_data train, val, test, unlabelled;
    tnn_data all, rest;                 /* what was read or drawn, in its order; all but the test */
    void    *pixels, *labels;           /* the stand-in's */
} kuzushiji_set;

/* n labelled images, as many of each class as of the others, and some without labels. */
static inline int kuzushiji_synthesize(kuzushiji_set *set, int n, int unlabelled)
{
    float *pixels = (float *)malloc(sizeof(float) * KUZUSHIJI_PIXELS * (size_t)(n + unlabelled));
    int   *labels = (int *)malloc(sizeof(int) * (size_t)(n + unlabelled));
    set->pixels = pixels;
    set->labels = labels;
    if (!pixels || !labels) return -1;
    for (int i = 0; i < n + unlabelled; i++) {
        labels[i] = i % KUZUSHIJI_CLASSES;
        kuzushiji_draw(pixels + (size_t)i * KUZUSHIJI_PIXELS, labels[i], (uint64_t)i);
    }
    set->all = tnn_data_view(NULL, pixels, labels, n, 1, 28, 28);
    set->unlabelled = tnn_data_view(NULL, pixels + (size_t)n * KUZUSHIJI_PIXELS, labels + n,
                                    unlabelled, 1, 28, 28);
    return 0;
}

/* The three files; tnn_error() says what is wrong with them. */
static inline int kuzushiji_read(kuzushiji_set *set, experiment *e)
{
    char path[3][EXPERIMENT_PATH + 32];
    static const char *const FILES[3] = {"X_images", "y_images", "X_COMP"};
    for (int i = 0; i < 3; i++)
        snprintf(path[i], sizeof path[i], "%.1000s/kuzushiji/%s.npy", e->data, FILES[i]);
    set->all        = tnn_load_npy(path[0], .labels = path[1], .shape = {1, 28, 28});
    set->unlabelled = tnn_load_npy(path[2], .shape = {1, 28, 28});
    if (tnn_failed() || (set->all.classes == KUZUSHIJI_CLASSES && set->all.n >= 100)) return 0;
    experiment_say(e, "y_images.npy does not have the labels 0 to 48");
    return -1;
}

/* Loads or draws the set, pixels scaled to x/255, and splits it. Returns 0, or -1 on failure,
   which it has reported. A set that is there but incomplete or damaged is a failure.             */
static inline int kuzushiji_load(kuzushiji_set *set, experiment *e)
{
    char path[EXPERIMENT_PATH], message[EXPERIMENT_PATH + 100];
    struct stat there;
    memset(set, 0, sizeof *set);
    snprintf(path, sizeof path, "%s/kuzushiji", e->data);
    int real = stat(path, &there) == 0 || (errno != ENOENT && errno != ENOTDIR), failed;
    if (real) {
        failed = kuzushiji_read(set, e);
    } else {
        snprintf(message, sizeof message, "%s is not there: synthetic images stand in for it",
                 path);
        experiment_say(e, message);
        failed = kuzushiji_synthesize(set, e->quick ? 245 : 980, e->quick ? 10 : 98);
        if (failed && !tnn_failed()) experiment_say(e, "out of memory");
    }
    if (failed) return -1;
    const int test = set->all.n / 5, val = (set->all.n - test) / 5;
    tnn_normalize(&set->all, 0, 255);
    tnn_normalize(&set->unlabelled, 0, 255);
    tnn_split(&set->all, test, e->seed, &set->test, &set->rest);
    tnn_split(&set->rest, val, e->seed + 1000000, &set->val, &set->train);
    if (e->quick && set->train.n > 200) set->train.n = 200, set->val.n = set->test.n = 50;
    snprintf(e->kind, sizeof e->kind, "%s, %d training, %d validation and %d test samples%s",
             real ? "real" : "synthetic", set->train.n, set->val.n, set->test.n,
             e->quick ? " (quick)" : "");
    if (tnn_failed()) { experiment_say(e, tnn_error()); return -1; }
    return 0;
}

static inline void kuzushiji_free(kuzushiji_set *set)
{
    tnn_data *sets[] = {&set->train, &set->val, &set->rest, &set->test, &set->all,
                        &set->unlabelled};
    for (int i = 0; i < 6; i++) tnn_data_free(sets[i]);
    free(set->pixels);
    free(set->labels);
}

#endif /* KUZUSHIJI_DATA_H */
