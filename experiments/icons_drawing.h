/* icons_drawing.h - icons that stand in for those of report 5 where they are not there

   Aeroplanes, birds, boats, people and cats, polygons in two colours.                            */
#ifndef ICONS_DRAWING_H
#define ICONS_DRAWING_H

#include "drawing.h"

enum { ICON_SIDE = 32 };

typedef struct icons_canvas {
    uint64_t image;                     /* its stream of random numbers */
    int rgb[3][ICON_SIDE * ICON_SIDE];
    int xx, xy, yx, yy, dx, dy;         /* drawings (-100..100) to 1/256 pixel */
    int colour[2][3];                   /* of the figure, of its details */
} icons_canvas;

/* Properties of an image, each with a number of its own. */
enum { ICON_CLASS, ICON_WIDE, ICON_HIGH, ICON_SLANT, ICON_TILT, ICON_X, ICON_Y, ICON_FLIP, ICON_INK,
       ICON_NOISE, ICON_A, ICON_B, ICON_C, ICON_D, ICON_COLOURS = 20, ICON_GRAIN = 100 };

static inline int icons_pick(const icons_canvas *c, int property, int low, int high)
{
    return drawing_pick(20231015, c->image, property, low, high);
}

static inline void icons_fill(icons_canvas *c, int which, const drawing_point *outline, int n)
{
    drawing_point p[DRAWING_CORNERS];
    for (int i = 0; i < n; i++) {
        p[i].x = outline[i].x * c->xx + outline[i].y * c->xy + c->dx;
        p[i].y = outline[i].x * c->yx + outline[i].y * c->yy + c->dy;
    }
    for (int k = 0; k < 3; k++) drawing_fill(c->rgb[k], ICON_SIDE, c->colour[which][k], p, n);
}
#define ICONS_FILL(c, which, ...) icons_fill(c, which, DRAWING_POINTS(__VA_ARGS__))

static inline void icons_ellipse(icons_canvas *c, int which, int x, int y, int w, int h)
{
    static const int cosine[] = {100, 87, 50, 0, -50, -87, -100, -87, -50, 0, 50, 87};
    drawing_point p[12];
    for (int i = 0; i < 12; i++) {
        p[i].x = x + w * cosine[i] / 100;
        p[i].y = y + h * cosine[(i + 9) % 12] / 100;
    }
    icons_fill(c, which, p, 12);
}

static inline void icons_figure(icons_canvas *c, int kind)
{
    int a = icons_pick(c, ICON_A, 0, 30), b = icons_pick(c, ICON_B, 0, 30);
    int style = icons_pick(c, ICON_C, 0, 2), some = icons_pick(c, ICON_D, 0, 1);
    switch (kind) {
    case 0:                                                             /* an aeroplane, or so */
        ICONS_FILL(c, 0, {-90, -8}, {50, -14}, {92, 0}, {50, 14}, {-90, 8});
        ICONS_FILL(c, 0, {-10, 0}, {-40 - a, -85 + b}, {-15 - a, -85 + b}, {35, 0},
                   {-15 - a, 85 - b}, {-40 - a, 85 - b});
        ICONS_FILL(c, some, {-70, 0}, {-92, -38}, {-78, -38}, {-50, 0}, {-78, 38}, {-92, 38});
        break;
    case 1:                                                             /* a bird, its wings up */
        icons_ellipse(c, 0, -5, 20, 55, 24 + b / 3);
        icons_ellipse(c, 0, 52, -8, 20, 19);
        ICONS_FILL(c, 1, {70, -14}, {98, -4}, {70, 2});
        ICONS_FILL(c, 0, {-45, 15}, {-98, 0 + a}, {-88, 30 + a}, {-40, 32});
        ICONS_FILL(c, some, {-25, 18}, {-50 + a, -85 + b}, {-5 + a, -60 + b}, {22, 12});
        ICONS_FILL(c, 1, {-8, 40}, {-2, 40}, {-2, 78}, {-8, 78});
        break;
    case 2:                                                             /* a boat with sails */
        ICONS_FILL(c, 0, {-95 + a, 38}, {95, 38}, {62, 82}, {-62 + a, 82});
        ICONS_FILL(c, 1, {-5, -92 + b}, {4, -92 + b}, {4, 40}, {-5, 40});
        if (style < 2) ICONS_FILL(c, some, {8, -85 + b}, {70 - a, 26}, {8, 26});
        if (style < 1) ICONS_FILL(c, some, {-10, -70 + b}, {-62 + a, 26}, {-10, 26});
        if (style > 1) ICONS_FILL(c, some, {-45, 0}, {50, 0}, {50, 38}, {-45, 38});
        break;
    case 3:                                                             /* a person */
        icons_ellipse(c, some, 0, -62, 22, 26);
        ICONS_FILL(c, 0, {-30, -32}, {30, -32}, {24, 30}, {-24, 30});
        ICONS_FILL(c, 0, {-30, -32}, {-58 + a, 20 - 2 * b}, {-46 + a, 26 - 2 * b}, {-20, -10});
        ICONS_FILL(c, 0, {30, -32}, {58 - a, 20 - b}, {46 - a, 26 - b}, {20, -10});
        if (style < 2) {
            ICONS_FILL(c, 1, {-24, 30}, {-4, 30}, {-10, 95}, {-28, 95});
            ICONS_FILL(c, 1, {24, 30}, {4, 30}, {10, 95}, {28, 95});
        } else {
            ICONS_FILL(c, 1, {-24, 30}, {24, 30}, {45, 90}, {-45, 90});
        }
        break;
    default:                                                            /* a cat: face, sitting */
        if (style < 2) {
            icons_ellipse(c, 0, 0, 15, 72, 62 - b / 2);
            ICONS_FILL(c, 0, {-68, 0}, {-62 + a, -88}, {-14, -38});
            ICONS_FILL(c, 0, {68, 0}, {62 - a, -88}, {14, -38});
            icons_ellipse(c, 1, -28, 2, 10, 13);
            icons_ellipse(c, 1, 28, 2, 10, 13);
            ICONS_FILL(c, 1, {-9, 30}, {9, 30}, {0, 42});
        } else {
            icons_ellipse(c, 0, -8, 50, 40, 44);
            icons_ellipse(c, 0, 18, -22, 32, 28);
            ICONS_FILL(c, some, {-8, -30}, {-6, -75 + b}, {18, -44});
            ICONS_FILL(c, some, {44, -30}, {42, -75 + b}, {18, -44});
            ICONS_FILL(c, 0, {-42, 60}, {-92, 20 - a}, {-80, 10 - a}, {-38, 82});
        }
        break;
    }
}

/* Draws an icon of 3 x 32 x 32 bytes and returns its class. These are as uneven as the report's:
   70, 205, 261, 142 and 327 of 1,005.                                                            */
static inline int icons_draw(unsigned char *pixels, uint64_t image)
{
    static const int until[] = {70, 275, 536, 678, 1005};
    icons_canvas c = {.image = image};
    int label = 0, at = icons_pick(&c, ICON_CLASS, 0, 1004);
    int noise = icons_pick(&c, ICON_NOISE, 2, 40);
    while (at >= until[label]) label++;
    c.xx = icons_pick(&c, ICON_WIDE, 20, 39) * (icons_pick(&c, ICON_FLIP, 0, 1) ? 1 : -1);
    c.yy = icons_pick(&c, ICON_HIGH, 20, 39);
    c.xy = icons_pick(&c, ICON_SLANT, -9, 9);
    c.yx = icons_pick(&c, ICON_TILT, -9, 9);
    c.dx = 16 * 256 + icons_pick(&c, ICON_X, -700, 700);
    c.dy = 16 * 256 + icons_pick(&c, ICON_Y, -700, 700);
    int dark = icons_pick(&c, ICON_INK, 0, 9) < 7;                      /* ink on paper, mostly */
    for (int k = 0; k < 3; k++) {
        int paper = icons_pick(&c, ICON_COLOURS + k, dark ? 150 : 0, dark ? 255 : 110);
        for (int i = 0; i < 2; i++)
            c.colour[i][k] = icons_pick(&c, ICON_COLOURS + 3 + 3 * i + k, dark ? 0 : 120,
                                        dark ? 170 : 255);
        for (int i = 0; i < ICON_SIDE * ICON_SIDE; i++) c.rgb[k][i] = paper;
    }
    icons_figure(&c, label);
    for (int i = 0; i < 3 * ICON_SIDE * ICON_SIDE; i++) {
        int v = c.rgb[i / 1024][i % 1024] + icons_pick(&c, ICON_GRAIN + i, -noise, noise);
        pixels[i] = (unsigned char)drawing_clamp(v, 0, 255);
    }
    return label;
}

#endif /* ICONS_DRAWING_H */
