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

/* The published pickle is a fixed text around two arrays: 1,005 images, then as many labels of eight
   bytes. A pickle is a program that could do anything, so none is run: what stands before, between
   and behind the arrays must be those 259 bytes, which their hash tells.                         */
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

typedef struct icons_set {
    tnn_data       data;
    unsigned char *memory;              /* the file, or the drawings */
    int           *labels;
} icons_set;

/* Reads the pickle. Returns 0, or -1 on failure, which it has reported. */
static inline int icons_read(icons_set *set, experiment *e)
{
    char   message[EXPERIMENT_PATH + 200];
    size_t size = 0;
    const unsigned char *images = NULL;
    set->memory = (unsigned char *)experiment_read(e, "icons", "iconos_train.pkl", &size);
    set->labels = (int *)malloc(ICONS_REAL * sizeof *set->labels);
    if (set->memory && set->labels) images = icons_parse(set->memory, size, set->labels);
    if (images) set->data = tnn_data_view(images, NULL, set->labels, ICONS_REAL, 3, ICONS_SIDE,
                                          ICONS_SIDE);
    snprintf(message, sizeof message, "%s/icons/iconos_train.pkl, of %ld bytes, is not the "
             "published pickle of %d icons, of %d (make data fetches that)", e->data, (long)size,
             ICONS_REAL, ICONS_SIZE);
    if (set->memory && !images) experiment_say(e, message);
    return images ? 0 : -1;
}

/* Loads or draws the set, pixels as x/255. `drawn`: how many the stand-in has; `quick`: with
   --quick. Returns 0, or -1 on failure, which it has reported.                                   */
static inline int icons_load(icons_set *set, experiment *e, int drawn, int quick)
{
    char path[EXPERIMENT_PATH], message[EXPERIMENT_PATH + 100];
    struct stat there;
    int n = e->quick ? quick : drawn;
    memset(set, 0, sizeof *set);
    snprintf(path, sizeof path, "%s/icons", e->data);
    int real = stat(path, &there) == 0 || (errno != ENOENT && errno != ENOTDIR);
    if (real) {
        if (icons_read(set, e) != 0) return -1;
        if (e->quick) set->data = tnn_subset(&set->data, 0, quick);
    } else {
        snprintf(message, sizeof message, "%s is not there: synthetic images stand in for it",
                 path);
        experiment_say(e, message);
        set->memory = (unsigned char *)malloc((size_t)n * ICONS_BYTES);
        set->labels = (int *)malloc((size_t)n * sizeof *set->labels);
        if (!set->memory || !set->labels) { experiment_say(e, "out of memory"); return -1; }
        for (int i = 0; i < n; i++)
            set->labels[i] = icons_draw(set->memory + (size_t)i * ICONS_BYTES, (uint64_t)i);
        set->data = tnn_data_view(set->memory, NULL, set->labels, n, 3, ICONS_SIDE, ICONS_SIDE);
    }
    snprintf(e->kind, sizeof e->kind, "%s, %d samples%s", real ? "real" : "synthetic",
             set->data.n, e->quick ? " (quick)" : "");
    if (tnn_failed()) { experiment_say(e, tnn_error()); return -1; }
    return 0;
}

static inline void icons_free(icons_set *set)
{
    tnn_data_free(&set->data);
    free(set->memory);
    free(set->labels);
}

#endif /* ICONS_DATA_H */
