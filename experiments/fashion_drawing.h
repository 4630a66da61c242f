/* fashion_drawing.h - garments that stand in for Fashion-MNIST's where it is not there

   The classes overlap like the real ones (shirts with T-shirts, pullovers and coats, sneakers with
   boots): a good network gets most of it right, not all. fashion_draw, the last function, draws one
   image of a class; its number decides on all of its properties.                                 */
#ifndef FASHION_DRAWING_H
#define FASHION_DRAWING_H

#include "drawing.h"

/* ==== The pen: polygons on a 28 x 28 canvas =====================================================
   Outlines are in units of 1/10 pixel, x from -140 to 140, y from 0 (top) to 280. The canvas
   turns them into 1/256 pixel under the garment's own size, slant and place.                     */
typedef struct fashion_canvas {
    uint64_t image;                     /* number of the image: its stream of random numbers */
    int level[28][28];                  /* grey levels 0..255                                */
    int scale_x, scale_y, slant, dx, dy;
} fashion_canvas;

/* Properties of an image, each with a number of its own. Noise uses the numbers from 100. */
enum {
    SCALE_X, SCALE_Y, SLANT, SHIFT_X, SHIFT_Y, LEVEL, KIND, PATTERN, PERIOD, CONTRAST, FOLDS, GRAIN,
    WIDTH, WAIST, HEM, BOTTOM, NECK, NECK_DEPTH, SLEEVE, SLEEVE_ANGLE, CLOSURE, CLOSURE_LEVEL,
    COLLAR, PRINT, PRINT_SIZE, HEIGHT, HEEL, TOE, STRAPS, SOLE, HANDLE, STEP, STEP_SECOND,
    FOLD_GRID = 100, GRAIN_GRID = 200
};

/* A property of the image, from low to high. */
static inline int fashion_pick(const fashion_canvas *c, int property, int low, int high)
{
    return drawing_pick(20170825, c->image, property, low, high);
}

/* Fills the polygon of n points, in tenths of a pixel. */
static inline void fashion_fill(fashion_canvas *c, int level, const drawing_point *outline, int n)
{
    drawing_point p[DRAWING_CORNERS];
    for (int i = 0; i < n; i++) {
        int x = outline[i].x, y = outline[i].y - 140;
        p[i].x = (x * c->scale_x + y * c->slant) / 10 + 14 * 256 + c->dx;
        p[i].y = y * c->scale_y / 10 + 14 * 256 + c->dy;
    }
    drawing_fill(c->level[0], 28, level, p, n);
}
#define FASHION_FILL(c, level, ...) fashion_fill(c, level, DRAWING_POINTS(__VA_ARGS__))

/* The same outline on the left and on the right of the axis. */
#define FASHION_BOTH(c, level, ...)                                                               \
    do {                                                                                          \
        drawing_point both[] = {__VA_ARGS__};                                                     \
        int both_n = (int)(sizeof both / sizeof both[0]);                                         \
        fashion_fill(c, level, both, both_n);                                                     \
        for (int both_i = 0; both_i < both_n; both_i++) both[both_i].x = -both[both_i].x;         \
        fashion_fill(c, level, both, both_n);                                                     \
    } while (0)

/* A straight band from a to b, of half widths wa and wb. */
static inline void fashion_band(fashion_canvas *c, int level, int ax, int ay, int bx, int by,
                                int wa, int wb)
{
    int dx = bx - ax, dy = by - ay, length = 1;
    while (length * length < dx * dx + dy * dy) length++;
    FASHION_FILL(c, level, {ax + dy * wa / length, ay - dx * wa / length},
                 {bx + dy * wb / length, by - dx * wb / length},
                 {bx - dy * wb / length, by + dx * wb / length},
                 {ax - dy * wa / length, ay + dx * wa / length});
}

/* ==== The garments ============================================================================ */
enum { TSHIRT, TROUSER, PULLOVER, DRESS, COAT, SANDAL, SHIRT, SNEAKER, BAG, BOOT };

/* T-shirt, pullover, dress, coat and shirt are one pattern with other measures. */
static inline void fashion_top(fashion_canvas *c, int kind, int level)
{
    int width = fashion_pick(c, WIDTH, 58, 74), hem = width + fashion_pick(c, HEM, -8, 12);
    int bottom = fashion_pick(c, BOTTOM, 245, 272), waist = width - fashion_pick(c, WAIST, 0, 14);
    int chest = width, neck = fashion_pick(c, NECK, 20, 34);
    int depth = fashion_pick(c, NECK_DEPTH, 8, 26);
    int sleeve = fashion_pick(c, SLEEVE, 225, 256);                  /* 0 none, 256 to the wrist */
    int chance = fashion_pick(c, KIND, 0, 99), shade = fashion_pick(c, CLOSURE_LEVEL, -70, 70);
    switch (kind) {
    case TSHIRT:
        sleeve = chance < 10 ? 0 : chance < 92 ? fashion_pick(c, SLEEVE, 20, 110) : sleeve;
        break;
    case DRESS:
        width = fashion_pick(c, WIDTH, 36, 54);
        chest = width - 4;
        waist = fashion_pick(c, WAIST, 26, 46);
        hem = waist + fashion_pick(c, HEM, 0, 46);
        bottom = 276;
        sleeve = chance < 45 ? 0 : chance < 80 ? fashion_pick(c, SLEEVE, 20, 120) : sleeve;
        depth += 8;
        break;
    case COAT:
        width += 4;
        hem += 6;
        bottom += 6;
        break;
    case SHIRT:
        sleeve = chance < 40 ? fashion_pick(c, SLEEVE, 20, 150) : sleeve;
        break;
    default: break;
    }

    if (sleeve > 0) {                      /* short ones stick out, long ones hang by the side */
        int angle = fashion_pick(c, SLEEVE_ANGLE, -10, 12);
        int x = width + 28 + 10 * sleeve / 256 + angle, y = 78 + 165 * sleeve / 256 - angle;
        int cuff = 20 - 5 * sleeve / 256;
        fashion_band(c, level - 14, width - 10, 38, x, y, 24, cuff);
        fashion_band(c, level - 14, 10 - width, 38, -x, y, 24, cuff);
        if (sleeve > 200)                                   /* the shadow between arm and body */
            FASHION_BOTH(c, level / 3, {width - 2, 95}, {width + 5, 95},
                         {hem + 10, bottom - 20}, {hem - 1, bottom - 20});
    }
    FASHION_FILL(c, level, {0, 10 + depth}, {neck / 2, 8 + depth}, {neck, 8}, {width, 24},
                 {chest, 90}, {waist, 150}, {hem, bottom}, {0, bottom + 4}, {-hem, bottom},
                 {-waist, 150}, {-chest, 90}, {-width, 24}, {-neck, 8}, {-neck / 2, 8 + depth});

    if (kind == DRESS && fashion_pick(c, CLOSURE, 0, 2) == 0)                          /* a belt */
        fashion_band(c, level + shade, -waist, 148, waist, 148, 6, 6);
    if (kind == COAT || (kind == SHIRT && fashion_pick(c, CLOSURE, 0, 3) > 0)) {  /* zip, buttons */
        int w = kind == COAT ? fashion_pick(c, CLOSURE, 4, 9) : 4;
        fashion_band(c, level + shade, 0, 10 + depth, 0, bottom, w, w);
    }
    if (kind == COAT || (kind == SHIRT && fashion_pick(c, COLLAR, 0, 2) > 0))
        FASHION_BOTH(c, level - shade / 2, {neck + 4, 4}, {neck - 12, 2}, {2, 12 + depth},
                     {neck / 2, 34 + depth}, {neck + 10, 22});
    if (kind == PULLOVER || kind == TSHIRT)                                     /* ribbed neck */
        FASHION_BOTH(c, level - 24, {0, 10 + depth}, {neck / 2, 8 + depth}, {neck, 8},
                     {neck + 8, 10}, {neck / 2 + 4, 15 + depth}, {0, 17 + depth});
    if (kind == PULLOVER)                                                        /* ribbed hem */
        fashion_band(c, level - 24, -hem, bottom - 6, hem, bottom - 6, 5, 5);
    if ((kind == TSHIRT || kind == PULLOVER) && fashion_pick(c, PRINT, 0, 9) < 4) {
        int size = fashion_pick(c, PRINT_SIZE, 14, 40), y = fashion_pick(c, HEIGHT, 90, 130);
        FASHION_FILL(c, level + shade, {-size, y - 8}, {-size / 2, y - size}, {size / 2, y - size},
                     {size, y - 8}, {size - 6, y + size / 2}, {6 - size, y + size / 2});
    }
}

static inline void fashion_trouser(fashion_canvas *c, int level)
{
    int waist = fashion_pick(c, WAIST, 34, 46), hip = waist + fashion_pick(c, WIDTH, 2, 12);
    int inner = fashion_pick(c, HEM, 4, 26), outer = inner + fashion_pick(c, SLEEVE, 22, 36);
    int crotch = fashion_pick(c, HEIGHT, 80, 110);
    int bottom = fashion_pick(c, KIND, 0, 5) ? fashion_pick(c, BOTTOM, 262, 278) : 180;
    FASHION_BOTH(c, level, {0, 6}, {waist, 4}, {hip, 60}, {outer, bottom}, {inner, bottom},
                 {3, crotch}, {0, crotch - 4});
    fashion_band(c, level - 40, 0, 8, 0, crotch, 3, 3);
    fashion_band(c, level - 30, -waist, 12, waist, 12, 4, 4);
}

static inline void fashion_sandal(fashion_canvas *c, int level)
{
    int toe = fashion_pick(c, TOE, -134, -120), heel = fashion_pick(c, HEEL, -60, 105);
    int sole = fashion_pick(c, SOLE, 5, 15), straps = fashion_pick(c, STRAPS, 1, 2);
    int thick = fashion_pick(c, PRINT_SIZE, 4, 9), rise = fashion_pick(c, HEIGHT, 34, 54);
    if (heel < 30) heel = 0;
    int ground = 195 + heel / 3, front = ground - sole, back = front - heel, bend = toe + 100;
    /* the sole runs flat under the toes, then up to the heel */
    fashion_band(c, level, toe, front, bend, front, sole, sole);
    fashion_band(c, level, bend - 6, front, 118, back, sole, sole);
    if (heel) fashion_band(c, level, 112, back, 120, ground, 12, fashion_pick(c, WIDTH, 4, 14));
    for (int i = 0; i < straps; i++) {                                       /* over the toes */
        int x = toe + 24 + i * 44 + fashion_pick(c, STEP + i, -10, 10), top = front - rise;
        fashion_band(c, level - 10, x, front, x + 26, top, thick, thick);
        fashion_band(c, level - 10, x + 24, top, x + 54, top + 6, thick, thick);
        fashion_band(c, level - 10, x + 52, top + 4, x + 70, front - heel / 6, thick, thick);
    }
    if (fashion_pick(c, COLLAR, 0, 3)) {                            /* behind and round the ankle */
        int ankle = back - fashion_pick(c, NECK, 44, 80), lean = fashion_pick(c, WAIST, 30, 90);
        fashion_band(c, level - 10, 116, back, 108, ankle, thick, thick);
        fashion_band(c, level - 10, 110, ankle, 110 - lean, ankle + 4, thick, thick);
        fashion_band(c, level - 10, 112 - lean, ankle, 56 - lean, front - heel / 3, thick, thick);
    }
}

static inline void fashion_sneaker(fashion_canvas *c, int level)
{
    int toe = fashion_pick(c, TOE, -134, -124), shade = fashion_pick(c, CLOSURE_LEVEL, -90, 90);
    int high = fashion_pick(c, KIND, 0, 9) ? fashion_pick(c, HEIGHT, 92, 118) : 66; /* high-tops */
    int sole = fashion_pick(c, SOLE, 186, 196), vamp = fashion_pick(c, WAIST, 140, 156);
    FASHION_FILL(c, level, {toe, 184}, {toe + 10, 166}, {toe + 34, 158}, {-64, vamp},
                 {-16, high + 22}, {8, high - 6}, {26, high - 10}, {34, high + 8},
                 {66, high + 22}, {96, high}, {114, high - 4}, {120, high + 10}, {128, 180},
                 {126, 206}, {-118, 206}, {toe - 2, 196});
    FASHION_FILL(c, level + shade, {toe - 3, sole - 4}, {-60, sole}, {129, sole - 4}, {127, 208},
                 {-116, 208}, {toe - 3, 200});
    int stripes = fashion_pick(c, STRAPS, 0, 3);
    for (int i = 0; i < stripes; i++) {
        int x = -34 + i * 24 + fashion_pick(c, STEP, 0, 20);
        fashion_band(c, level + shade, x + 14, high + 40, x + 36, sole - 4, 5, 4);
    }
    fashion_band(c, level - 50, -52, vamp - 6, 22, high + 12, 4, 6);                 /* the laces */
}

static inline void fashion_bag(fashion_canvas *c, int level)
{
    int w = fashion_pick(c, WIDTH, 72, 132), top = fashion_pick(c, HEIGHT, 70, 120);
    int bottom = fashion_pick(c, BOTTOM, 205, 262), taper = fashion_pick(c, WAIST, -18, 26);
    int shade = fashion_pick(c, CLOSURE_LEVEL, -60, 60), handle = fashion_pick(c, HANDLE, 0, 3);
    int h = fashion_pick(c, SLEEVE, 34, 66), at = w * fashion_pick(c, COLLAR, 30, 70) / 100;
    if (handle == 1) {                                                        /* a round handle */
        fashion_band(c, level - 20, -at, top + 6, -at * 3 / 4, top - h * 3 / 4, 6, 6);
        fashion_band(c, level - 20, -at * 3 / 4, top - h * 3 / 4, -at / 3, top - h, 6, 6);
        fashion_band(c, level - 20, -at / 3, top - h, at / 3, top - h, 6, 6);
        fashion_band(c, level - 20, at / 3, top - h, at * 3 / 4, top - h * 3 / 4, 6, 6);
        fashion_band(c, level - 20, at * 3 / 4, top - h * 3 / 4, at, top + 6, 6, 6);
    } else if (handle == 2) {                                              /* a shoulder strap */
        fashion_band(c, level - 20, -w + 12, top + 6, 0, top - h - 20, 4, 4);
        fashion_band(c, level - 20, w - 12, top + 6, 0, top - h - 20, 4, 4);
    } else if (handle == 3) {                                               /* rings at the sides */
        FASHION_BOTH(c, level - 30, {w - 10, top + 4}, {w + 12, top + 26}, {w + 8, top + 70},
                     {w - 12, top + 90}, {w - 2, top + 60}, {w - 2, top + 30});
    }
    FASHION_FILL(c, level, {-w + taper + 8, top}, {w - taper - 8, top}, {w - taper, top + 10},
                 {w, bottom - 12}, {w - 12, bottom}, {12 - w, bottom}, {-w, bottom - 12},
                 {-w + taper, top + 10});
    int flap = top + (bottom - top) * fashion_pick(c, PRINT_SIZE, 20, 60) / 100;
    if (fashion_pick(c, PRINT, 0, 1))                                               /* a flap */
        FASHION_FILL(c, level + shade, {-w + taper, top + 4}, {w - taper, top + 4},
                     {w - taper - 10, flap - 16}, {0, flap}, {10 + taper - w, flap - 16});
    else
        fashion_band(c, level - 50, -w + 6, top + 12, w - 6, top + 12, 4, 4);
    FASHION_FILL(c, level + 60, {-8, flap - 8}, {8, flap - 8}, {8, flap + 6}, {-8, flap + 6});
}

static inline void fashion_boot(fashion_canvas *c, int level)
{
    int toe = fashion_pick(c, TOE, -134, -108), heel = fashion_pick(c, HEEL, 0, 66);
    int top = fashion_pick(c, KIND, 0, 5) ? fashion_pick(c, HEIGHT, 22, 84) : 100;
    int shaft = fashion_pick(c, WIDTH, 0, 22), ground = fashion_pick(c, BOTTOM, 226, 254);
    int shade = fashion_pick(c, CLOSURE_LEVEL, -70, 60), back = ground - heel;
    int vamp = fashion_pick(c, WAIST, 136, 164), slim = heel > 34 ? 16 : 0;
    if (heel < 14) heel = 0, back = ground;
    FASHION_FILL(c, level, {4 + shaft, top}, {108, top}, {106, 120}, {118, back - 46},
                 {118, back - 8}, {70, back - 8}, {20, back}, {-28, ground}, {toe + 6, ground},
                 {toe, ground - 22}, {toe + 24, ground - 44}, {-36, vamp + 14}, {2, vamp - 22},
                 {8 + shaft, 100});
    FASHION_FILL(c, level + shade, {118, back - 10}, {120, ground + 2}, {86 + slim, ground + 2},
                 {72 + slim, back - 8});
    fashion_band(c, level + shade, toe, ground - 3, -28, ground - 3, 5, 5);
    fashion_band(c, level + shade, -28, ground - 3, 72, back - 6, 5, 5);
    if (fashion_pick(c, CLOSURE, 0, 1))                                         /* elastic, zip */
        fashion_band(c, level + shade, 62, top + 4, 56, vamp, 10, 5);
    else
        fashion_band(c, level - 40, 8 + shaft, top + 20, -30, vamp + 12, 6, 4);      /* laces */
}

/* What cloth does to a finished drawing: stripes or checks, folds, grain. */
static inline void fashion_cloth(fashion_canvas *c)
{
    int pattern = fashion_pick(c, PATTERN, 0, 15), period = fashion_pick(c, PERIOD, 3, 7);
    int contrast = fashion_pick(c, CONTRAST, 20, 90);
    int folds = fashion_pick(c, FOLDS, 10, 60), grain = fashion_pick(c, GRAIN, 0, 14);
    grain = grain * grain / 7 + 2;                                  /* most cloth is plain */
    for (int y = 0; y < 28; y++)
        for (int x = 0; x < 28; x++) {
            if (c->level[y][x] <= 0) continue;
            int v = drawing_clamp(c->level[y][x], 0, 255), stripe = 0, fold = 0;
            if (pattern == 0 || pattern == 2) stripe += y % period < period / 2;
            if (pattern == 1 || pattern == 2) stripe += x % period < period / 2;
            if (pattern == 3) stripe = (x / period + y / period) % 2;
            for (int corner = 0; corner < 4; corner++) {     /* of an 8 x 8 grid, bilinear */
                int right = corner % 2, down = corner / 2;
                int weight = (right ? x % 4 : 4 - x % 4) * (down ? y % 4 : 4 - y % 4);
                int at = FOLD_GRID + (y / 4 + down) * 8 + x / 4 + right;
                fold += weight * fashion_pick(c, at, -folds, folds);
            }
            v = v * (256 + fold / 16 - stripe * contrast) / 256;
            v += fashion_pick(c, GRAIN_GRID + y * 28 + x, -grain, grain);
            c->level[y][x] = drawing_clamp(v, 1, 255);
        }
}

/* Draws an image, 28 x 28 bytes, of class `label` (0..9). */
static inline void fashion_draw(unsigned char *pixels, int label, uint64_t image)
{
    fashion_canvas c;
    memset(&c, 0, sizeof c);
    c.image   = image;
    c.scale_x = fashion_pick(&c, SCALE_X, 226, 262);
    c.scale_y = fashion_pick(&c, SCALE_Y, 236, 258);
    c.slant   = fashion_pick(&c, SLANT, -10, 10);
    c.dx      = fashion_pick(&c, SHIFT_X, -200, 200);
    c.dy      = fashion_pick(&c, SHIFT_Y, -160, 160);
    int level = fashion_pick(&c, LEVEL, 90, 245);
    switch (label) {
    case TROUSER: fashion_trouser(&c, level); break;
    case SANDAL:  fashion_sandal(&c, level); break;
    case SNEAKER: fashion_sneaker(&c, level); break;
    case BAG:     fashion_bag(&c, level); break;
    case BOOT:    fashion_boot(&c, level); break;
    default:      fashion_top(&c, label, level); break;
    }
    fashion_cloth(&c);
    for (int i = 0; i < 28 * 28; i++) pixels[i] = (unsigned char)c.level[i / 28][i % 28];
}

#endif /* FASHION_DRAWING_H */
