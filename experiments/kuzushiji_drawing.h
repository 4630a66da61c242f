/* kuzushiji_drawing.h - characters that stand in for the Kuzushiji where they are not there

   Each class is three to five bent brush strokes, which every image of it bends, moves and inks in
   its own way.                                                                                   */
#ifndef KUZUSHIJI_DRAWING_H
#define KUZUSHIJI_DRAWING_H

#include "drawing.h"

/* Coordinates are in 1/256 pixel. `hand` numbers the image; property p of stroke s is drawn by
   number 16 s + p, of the class with `label` as stream, of the image with `hand`.                */

static inline int kuzushiji_pick(uint64_t stream, int property, int low, int high)
{
    return drawing_pick(20181204, stream, property, low, high);
}

/* A round dab with its middle at (x, y), full within `radius`, fading out over a pixel. */
static inline void kuzushiji_dab(float *pixels, int x, int y, int radius, int ink)
{
    const int inner = radius * radius, outer = (radius + 256) * (radius + 256);
    for (int row = y / 256 - 4; row <= y / 256 + 4; row++)
        for (int column = x / 256 - 4; column <= x / 256 + 4; column++) {
            int dx = column * 256 + 128 - x, dy = row * 256 + 128 - y, d = dx * dx + dy * dy;
            if (row < 0 || row > 27 || column < 0 || column > 27 || d >= outer) continue;
            int    level = d <= inner ? ink : ink * ((outer - d) / 64) / ((outer - inner) / 64);
            float *pixel = &pixels[row * 28 + column];
            if ((float)level > *pixel) *pixel = (float)level;
        }
}

/* Draws an image of class `label` (0..48), 28 x 28 levels from 0 to 255. A stroke is a quadratic
   Bezier curve, (1-t)^2 p0 + 2 t (1-t) p1 + t^2 p2, dabbed at t = i/32.                          */
static inline void kuzushiji_draw(float *pixels, int label, uint64_t hand)
{
    enum { STROKES = 1, ACROSS = 2, DOWN = 3, SLANT = 4, RIGHT = 5, LOWER = 6, BRUSH = 7, INK = 8 };
    const uint64_t character = (uint64_t)label, image = 1000 + hand;
    const int across = kuzushiji_pick(image, ACROSS, 200, 290);          /* factors, of 256 */
    const int slant  = kuzushiji_pick(image, SLANT, -50, 50);
    const int down   = kuzushiji_pick(image, DOWN, 210, 280);
    const int right  = kuzushiji_pick(image, RIGHT, -500, 500);
    const int lower  = kuzushiji_pick(image, LOWER, -500, 500);
    const int brush  = kuzushiji_pick(image, BRUSH, 130, 330);
    const int ink    = kuzushiji_pick(image, INK, 190, 255);
    const int strokes = kuzushiji_pick(character, STROKES, 3, 5);
    memset(pixels, 0, 28 * 28 * sizeof(float));
    for (int s = 1; s <= strokes; s++) {
        int x[3], y[3];
        for (int p = 0; p < 3; p++) {               /* around the canvas' middle, then onto it */
            int u = kuzushiji_pick(character, 16 * s + 2 * p, -10, 10) * 256
                  + kuzushiji_pick(image, 16 * s + 2 * p, -600, 600);
            int v = kuzushiji_pick(character, 16 * s + 2 * p + 1, -10, 10) * 256
                  + kuzushiji_pick(image, 16 * s + 2 * p + 1, -600, 600);
            x[p] = (u * across + v * slant) / 256 + 14 * 256 + right;
            y[p] = v * down / 256 + 14 * 256 + lower;
        }
        for (int t = 0, r = 32; t <= 32; t++, r--)
            kuzushiji_dab(pixels, (r * r * x[0] + 2 * t * r * x[1] + t * t * x[2]) / 1024,
                          (r * r * y[0] + 2 * t * r * y[1] + t * t * y[2]) / 1024,
                          brush * (48 - t) / 48, ink);
    }
}

#endif /* KUZUSHIJI_DRAWING_H */
