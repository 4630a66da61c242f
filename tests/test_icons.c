/* test_icons.c - the pickle of report 5's icons: of NumPy 1 and 2, cut everywhere, each byte of
   its structure changed to every other, and several bytes at random. It is refused, or it means
   images that lie in the file and labels below 5. Each is parsed from a block of exactly its size,
   so that a sanitizer sees what reads beyond it. */
#ifndef TINYNN_ELSEWHERE
#define TINYNN_IMPLEMENTATION
#endif
#include "icons_data.h"
#include "test.h"
#include "vectors.h"

enum { COUNT = 32, PIXELS = COUNT * ICONS_BYTES };
static unsigned char *file;             /* what comes before the pixels; they, i mod 7; the rest */
static size_t         size, before;

static void read_file(int number)
{
    array *a, *b;
    size_t i;
    free(file);
    load("icons.txt");
    a = get(&cases[number], "before");
    b = get(&cases[number], "after");
    before = (size_t)a->n;
    size = before + PIXELS + (size_t)b->n;
    file = (unsigned char *)malloc(size);
    if (!file) exit(1);
    for (i = 0; i < before; i++) file[i] = (unsigned char)a->v[i];
    for (i = 0; i < PIXELS; i++) file[before + i] = (unsigned char)(i % 7);
    for (i = 0; i < (size_t)b->n; i++) file[before + PIXELS + i] = (unsigned char)b->v[i];
}

/* Of a file in `length` bytes: the number of icons, 0 if it is refused. */
static int parse(const unsigned char *bytes, size_t length)
{
    icons_pickle p = {.at = bytes, .end = bytes + length};
    const unsigned char *images = NULL;
    int *labels = NULL, i, n = icons_parse(&p, &images, &labels);
    CHECK(p.at <= p.end, "read %ld bytes beyond the end", (long)(p.at - p.end));
    CHECK(n >= 0 && (size_t)n * ICONS_BYTES <= length, "%d icons in %lu bytes", n,
          (unsigned long)length);
    CHECK(!n || (images >= bytes && (size_t)(images - bytes) + (size_t)n * ICONS_BYTES <= length),
          "images outside of the file");
    for (i = 0; i < n; i++) CHECK(labels[i] >= 0 && labels[i] < ICONS_CLASSES, "%d", labels[i]);
    free(labels);
    return n;
}

static void whole_file(int number)
{
    icons_pickle p;
    const unsigned char *images = NULL;
    int *labels = NULL, i, n;
    read_file(number);
    p = (icons_pickle){.at = file, .end = file + size};
    n = icons_parse(&p, &images, &labels);
    CHECK(n == COUNT && images == file + before, "%d icons", n);
    for (i = 0; i < n; i++) CHECK(labels[i] == i % 5, "label %d is %d", i, labels[i]);
    free(labels);
}
static void whole(void)
{
    whole_file(0);
    whole_file(1);
}

static void cut(void)
{
    size_t n;
    read_file(0);
    for (n = 0; n < size + 2; n += n > before && n + 997 < before + PIXELS ? 997 : 1) {
        unsigned char *p = (unsigned char *)calloc(n + !n, 1);
        if (!p) exit(1);
        memcpy(p, file, n < size ? n : size);
        if (n != size) CHECK(parse(p, n) == 0, "of %lu bytes, taken", (unsigned long)n);
        free(p);
    }
}

/* Whatever is taken has all the icons: another shape would not fit what else the file says. */
static void changed(void)
{
    size_t i, tried = 0, taken = 0;
    int flip, n;
    read_file(0);
    for (i = 0; i < size; i++) {
        if (i == before) i += PIXELS;
        for (flip = 1; flip < 256; flip++, tried++) {
            file[i] ^= (unsigned char)flip;
            n = parse(file, size);
            CHECK(n == 0 || n == COUNT, "byte %lu: %d icons", (unsigned long)i, n);
            taken += n == COUNT;
            file[i] ^= (unsigned char)flip;
        }
    }
    CHECK(parse(file, size) == COUNT && taken > 0 && taken < tried / 20, "%lu of %lu taken",
          (unsigned long)taken, (unsigned long)tried);
    test_note("%lu of %lu changed files mean something", (unsigned long)taken,
              (unsigned long)tried);
}

/* One to eight bytes outside of the pixels set to anything, or copied from elsewhere. */
static void scrambled(void)
{
    enum { TIMES = 20000 };
    unsigned char *p;
    size_t outside;
    int t, k, n;
    read_file(0);
    outside = size - PIXELS;
    p = (unsigned char *)malloc(size);
    if (!p) exit(1);
    memcpy(p, file, size);
    for (t = 0; t < TIMES; t++) {
        const int changes = 1 + (int)(tnn_random_bits(1, (uint64_t)t, 0) % 8);
        for (k = 0; k < changes; k++) {
            const uint32_t place = tnn_random_bits(1, (uint64_t)t, (uint64_t)(3 * k + 1));
            const uint32_t value = tnn_random_bits(1, (uint64_t)t, (uint64_t)(3 * k + 2));
            size_t at = place % outside, from = value % outside;
            at += at < before ? 0 : PIXELS;
            from += from < before ? 0 : PIXELS;
            p[at] = place >> 31 ? file[from] : (unsigned char)(value >> 24);
        }
        n = parse(p, size);
        CHECK(n == 0 || n == COUNT, "file %d: %d icons", t, n);
        memcpy(p, file, before);
        memcpy(p + before + PIXELS, file + before + PIXELS, outside - before);
    }
    free(p);
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    vectors_from(argc, argv);
    RUN("the icons' pickle, whole", whole);
    RUN("the icons' pickle, cut everywhere", cut);
    RUN("the icons' pickle, each byte changed", changed);
    RUN("the icons' pickle, several bytes at random", scrambled);
    free(file);
    free(numbers);
    return test_finish();
}
