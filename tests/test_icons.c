/* test_icons.c - the pickle of report 5's icons: as published, of other lengths, with each byte
   changed that is not of an image. It is refused, or it means images in the file and labels below
   5. Each is read from a block of its size, so that a sanitizer sees what reads beyond it. */
#include "icons_data.h"
#include "test.h"
#include "vectors.h"

enum { PIXELS = ICONS_REAL * ICONS_BYTES };
static unsigned char *file;
static int            labels[ICONS_REAL];

/* The vectors' text, around pixels i mod 7 and labels i mod 5. */
static void make_file(void)
{
    static const char *const KEYS[3] = {"before", "between", "behind"};
    static const int AT[4] = {0, ICONS_BETWEEN, ICONS_BEHIND, ICONS_SIZE};
    int i, k;
    load("icons.txt");
    file = (unsigned char *)calloc(ICONS_SIZE, 1);
    if (!file) exit(1);
    for (k = 0; k < 3; k++) {
        array *a = get(&cases[0], KEYS[k]);
        CHECK(AT[k] + a->n <= AT[k + 1], "%s has %d bytes", KEYS[k], a->n);
        for (i = 0; i < a->n && AT[k] + i < AT[k + 1]; i++)
            file[AT[k] + i] = (unsigned char)a->v[i];
    }
    for (i = 0; i < PIXELS; i++) file[ICONS_IMAGES + i] = (unsigned char)(i % 7);
    for (i = 0; i < ICONS_REAL; i++) file[ICONS_LABELS + 8 * i] = (unsigned char)(i % 5);
}

static void whole(void)
{
    int i;
    CHECK(icons_parse(file, ICONS_SIZE, labels) == file + ICONS_IMAGES, "refused");
    for (i = 0; i < ICONS_REAL; i++) CHECK(labels[i] == i % 5, "label %d is %d", i, labels[i]);
}

static void other_lengths(void)
{
    static const size_t LENGTHS[] = {0, 1, ICONS_IMAGES, ICONS_LABELS, ICONS_SIZE - 1,
                                     ICONS_SIZE + 1, 2 * ICONS_SIZE};
    size_t i;
    for (i = 0; i < sizeof LENGTHS / sizeof *LENGTHS; i++) {
        unsigned char *p = (unsigned char *)calloc(LENGTHS[i] + 1, 1);
        if (!p) exit(1);
        memcpy(p, file, LENGTHS[i] < ICONS_SIZE ? LENGTHS[i] : ICONS_SIZE);
        CHECK(!icons_parse(p, LENGTHS[i], labels), "of %lu bytes, taken",
              (unsigned long)LENGTHS[i]);
        free(p);
    }
}

/* A label may be another that is below 5; all else outside of the pixels is as it is. */
static void changed(void)
{
    int at, flip, taken = 0;
    for (at = 0; at < ICONS_SIZE; at++) {
        const int label = at >= ICONS_LABELS && at < ICONS_BEHIND;
        if (at == ICONS_IMAGES) at += PIXELS;
        for (flip = 1; flip < 256; flip += label ? 11 : 1) {
            file[at] ^= (unsigned char)flip;
            if (icons_parse(file, ICONS_SIZE, labels)) {
                taken++;
                CHECK(label && (at - ICONS_LABELS) % 8 == 0 && file[at] < 5, "byte %d: %d taken",
                      at, file[at]);
            }
            file[at] ^= (unsigned char)flip;
        }
    }
    CHECK(taken == ICONS_REAL * 4 / 5, "%d with other labels taken", taken);     /* 0 is 1 ... */
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    vectors_from(argc, argv);
    make_file();
    RUN("the icons' pickle, whole", whole);
    RUN("the icons' pickle, of other lengths", other_lengths);
    RUN("the icons' pickle, each byte changed", changed);
    free(file);
    free(numbers);
    return test_finish();
}
