/* icons_data.h - the icons of report 5, or the stand-in of icons_drawing.h

   1,005 colour icons of 3 x 32 x 32 bytes in five classes: air transport, birds, water transport,
   people, cats. They come as a Python pickle, DIR/icons/iconos_train.pkl, a dict of two NumPy
   arrays: images uint8 (1005, 3, 32, 32) and labels int64 (1005). Axes are (channel, x, y), as the
   report trains on them. Where that folder does not exist, drawn icons take its place, fewer.    */
#ifndef ICONS_DATA_H
#define ICONS_DATA_H

#include "experiment.h"
#include "icons_drawing.h"

enum { ICONS_CLASSES = 5, ICONS_SIDE = 32, ICONS_BYTES = 3 * ICONS_SIDE * ICONS_SIDE,
       ICONS_REAL = 1005 };

/* The published pickle is a fixed text around two arrays: 1,005 images, then as many labels of
   eight bytes. A pickle is a program that could do anything, so none is run: what stands before,
   between and behind the arrays must be those 259 bytes, which their hash tells.                 */
enum { ICONS_IMAGES = 165, ICONS_BETWEEN = ICONS_IMAGES + ICONS_REAL * ICONS_BYTES,
       ICONS_LABELS = ICONS_BETWEEN + 88, ICONS_BEHIND = ICONS_LABELS + ICONS_REAL * 8,
       ICONS_SIZE = ICONS_BEHIND + 6 };

/* Gives the labels (ICONS_REAL) and returns the images in it, NULL if it is another file. */
static inline const unsigned char *icons_parse(const unsigned char *file, size_t size, int *labels)
{
    if (size != ICONS_SIZE) return NULL;
    uint64_t hash = experiment_hash(EXPERIMENT_HASH, file, ICONS_IMAGES);
    hash = experiment_hash(hash, file + ICONS_BETWEEN, ICONS_LABELS - ICONS_BETWEEN);
    hash = experiment_hash(hash, file + ICONS_BEHIND, ICONS_SIZE - ICONS_BEHIND);
    int good = hash == 0x1fd1a2b3aaae30b0u;
    for (int i = 0; i < ICONS_REAL; i++) {
        const unsigned char *label = file + ICONS_LABELS + 8 * i, as_it_is[8] = {*label};
        labels[i] = *label;
        good &= *label < ICONS_CLASSES && memcmp(label, as_it_is, 8) == 0;
    }
    return good ? file + ICONS_IMAGES : NULL;
}

/* Reads the pickle. Returns 0, or -1 on failure, which it has reported. */
static inline int icons_read(experiment *e)
{
    size_t size = 0;
    int   *labels = (int *)experiment_room(e, ICONS_REAL * sizeof *labels);
    unsigned char *file = (unsigned char *)experiment_read(e, "icons", "iconos_train.pkl", &size);
    e->memory[1] = file;
    const unsigned char *images = file && labels ? icons_parse(file, size, labels) : NULL;
    if (images)
        e->all = tnn_data_view(images, NULL, labels, ICONS_REAL, 3, ICONS_SIDE, ICONS_SIDE);
    else if (file && labels)
        experiment_say(e, "%s/icons/iconos_train.pkl, of %ld bytes, is not the published pickle "
                       "of %d icons, of %d (make data fetches that)", e->data, (long)size,
                       ICONS_REAL, ICONS_SIZE);
    return images ? 0 : -1;
}

/* Draws n icons. Returns 0, or -1 without memory. */
static inline int icons_synthesize(experiment *e, int n)
{
    unsigned char *pixels = (unsigned char *)experiment_room(e, (size_t)n * ICONS_BYTES);
    int           *labels = (int *)experiment_room(e, (size_t)n * sizeof *labels);
    if (!pixels || !labels) return -1;
    for (int i = 0; i < n; i++)
        labels[i] = icons_draw(pixels + (size_t)i * ICONS_BYTES, (uint64_t)i);
    e->all = tnn_data_view(pixels, NULL, labels, n, 3, ICONS_SIDE, ICONS_SIDE);
    return 0;
}

/* Splits the samples anew; `val` of 1,005 validate, or the same part of those that are there. */
static inline void icons_split(experiment *e, int val)
{
    tnn_data_free(&e->train);
    tnn_data_free(&e->val);
    tnn_split(&e->all, e->all.n - e->all.n * val / ICONS_REAL, e->seed, &e->train, &e->val);
}

/* Loads or draws the set, pixels as x/255, and splits it. Returns 0, or -1 on failure, which it has
   reported.                                                                                      */
static inline int icons_load(experiment *e)
{
    if (experiment_is_real(e, "icons") ? icons_read(e)
                                       : icons_synthesize(e, e->quick ? e->few[0] : e->drawn[0]))
        return -1;
    if (e->real && e->quick) e->all = tnn_subset(&e->all, 0, e->few[0]);
    icons_split(e, 205);
    return experiment_loaded(e, "%d samples", e->all.n);
}

#endif /* ICONS_DATA_H */
