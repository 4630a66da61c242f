/* drawing.h - a pen for the images that stand in for data sets which are not there

   Integers only, and tnn_random_bits: the bytes drawn are the same on every machine. Coordinates
   are in 1/256 pixel. The properties of an image have numbers of their own, from which they are
   drawn, so that nothing depends on the order in which a compiler evaluates its arguments.       */
#ifndef DRAWING_H
#define DRAWING_H

#include "../tinynn.h"

typedef struct drawing_point { int x, y; } drawing_point;

/* Points in braces, and how many they are: two arguments. */
#define DRAWING_POINTS(...)                                                                       \
    (drawing_point[]){__VA_ARGS__}, (int)(sizeof((drawing_point[]){__VA_ARGS__})                  \
                                          / sizeof(drawing_point))

/* A whole number in [low, high], uniform, for a property of an image of a data set. */
static inline int drawing_pick(uint64_t set, uint64_t image, int property, int low, int high)
{
    uint32_t bits = tnn_random_bits(set, image, (uint64_t)property);
    return low + (int)(((uint64_t)bits * (uint64_t)(high - low + 1)) >> 32);
}

static inline int drawing_clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

enum { DRAWING_CORNERS = 32, DRAWING_SIDE = 32 };      /* the most there are */

/* Fills a polygon with a level, on a plane of side x side pixels. Each pixel is cut by four
   scan lines; along each, the crossings with the outline are exact to 1/256 pixel (even-odd).    */
static inline void drawing_fill(int *plane, int side, int level, const drawing_point *p, int n)
{
    for (int row = 0; row < side; row++, plane += side) {
        int cover[DRAWING_SIDE] = {0};                                /* of 4 * 256 */
        for (int line = 0; line < 4; line++) {
            int y = row * 256 + line * 64 + 32, cross[DRAWING_CORNERS], crossings = 0;
            for (int i = 0; i < n; i++) {
                drawing_point a = p[i], b = p[(i + 1) % n];
                if ((a.y <= y) == (b.y <= y)) continue;
                int x = drawing_clamp(a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y), 0, side * 256);
                int at = crossings++;
                for (; at > 0 && cross[at - 1] > x; at--) cross[at] = cross[at - 1];
                cross[at] = x;
            }
            for (int i = 0; i + 1 < crossings; i += 2)
                for (int x = cross[i] / 256; x < side && x * 256 < cross[i + 1]; x++)
                    cover[x] += drawing_clamp(cross[i + 1], x * 256, x * 256 + 256) -
                                drawing_clamp(cross[i], x * 256, x * 256 + 256);
        }
        for (int x = 0; x < side; x++) plane[x] += (level - plane[x]) * cover[x] / 1024;
    }
}

#endif /* DRAWING_H */
