/* flags_drawing.h - the 24 flags drawn from their geometry, as photographs might show them

   A flag is a list of shapes on a cloth 1200 wide and 800 high, later ones over earlier ones. A
   view of it is found backwards: every pixel asks where on the cloth it lies, through a perspective
   and a wave, and which shape is uppermost there. Light follows the folds; behind the cloth is a
   sky, a wall or a row of houses; something may stand before it.                                 */
#ifndef FLAGS_DRAWING_H
#define FLAGS_DRAWING_H

#include "drawing.h"

/* ==== The flags =================================================================================
   {shape, colour, x0, y0, x1, y1}: a box, or within it an ellipse, a triangle pointing to the fly,
   or a chequer of 5 x 5 fields whose first is of the colour. Lists are ended by DONE.            */
enum { END, BOX, ROUND, WEDGE, CHEQUER };
enum { WHITE = 0xf6f6f2, BLACK = 0x1c1a1b, RED = 0xcf2030, BLUE = 0x1f3f94, NAVY = 0x14275f,
       GREEN = 0x0f7f46, YELLOW = 0xfccf1c, ORANGE = 0xf08a2c, SKY = 0x3f9fdc, AZURE = 0x0e61ac,
       CARMINE = 0x98303c, COPPER = 0xd57c2a, OLIVE = 0x5a6f3c, GREY = 0xa7aab0 };

typedef struct flags_shape { int shape, colour, x0, y0, x1, y1; } flags_shape;

#define ROWS(a, b, c)    {BOX, a, 0, 0, 1200, 267}, {BOX, b, 0, 267, 1200, 533},                   \
                         {BOX, c, 0, 533, 1200, 800}
#define COLUMNS(a, b, c) {BOX, a, 0, 0, 400, 800}, {BOX, b, 400, 0, 800, 800},                     \
                         {BOX, c, 800, 0, 1200, 800}
#define CROSS(a, b)      {BOX, a, 0, 0, 1200, 800}, {BOX, b, 350, 0, 520, 800},                    \
                         {BOX, b, 0, 315, 1200, 485}
#define SHIELD(a, x, y)  {BOX, a, (x) - 110, (y) - 140, (x) + 110, (y) + 20},                      \
                         {ROUND, a, (x) - 110, (y) - 100, (x) + 110, (y) + 150}
#define DONE             {END, 0, 0, 0, 0, 0}

static const flags_shape FLAGS_SHAPES[] = {
    /* Austria    */ ROWS(RED, WHITE, RED), DONE,
    /* Belgium    */ COLUMNS(BLACK, YELLOW, RED), DONE,
    /* Bulgaria   */ ROWS(WHITE, GREEN, RED), DONE,
    /* Croatia    */ ROWS(RED, WHITE, BLUE), {BOX, BLUE, 470, 170, 730, 235},
                     {ROUND, YELLOW, 570, 180, 630, 230}, {BOX, WHITE, 485, 235, 715, 500},
                     {CHEQUER, RED, 485, 235, 715, 500}, {ROUND, RED, 500, 440, 700, 560}, DONE,
    /* Czech R.   */ {BOX, WHITE, 0, 0, 1200, 400}, {BOX, RED, 0, 400, 1200, 800},
                     {WEDGE, BLUE, 0, 0, 600, 800}, DONE,
    /* Denmark    */ CROSS(RED, WHITE), DONE,
    /* Estonia    */ ROWS(AZURE, BLACK, WHITE), DONE,
    /* Finland    */ CROSS(WHITE, BLUE), DONE,
    /* France     */ COLUMNS(BLUE, WHITE, RED), DONE,
    /* Germany    */ ROWS(BLACK, RED, YELLOW), DONE,
    /* Greece     */ {BOX, AZURE, 0, 0, 1200, 800}, {BOX, WHITE, 0, 89, 1200, 178},
                     {BOX, WHITE, 0, 267, 1200, 356}, {BOX, WHITE, 0, 444, 1200, 533},
                     {BOX, WHITE, 0, 622, 1200, 711}, {BOX, AZURE, 0, 0, 444, 444},
                     {BOX, WHITE, 178, 0, 267, 444}, {BOX, WHITE, 0, 178, 444, 267}, DONE,
    /* Holland    */ ROWS(RED, WHITE, BLUE), DONE,
    /* Hungary    */ ROWS(RED, WHITE, GREEN), DONE,
    /* Ireland    */ COLUMNS(GREEN, WHITE, ORANGE), DONE,
    /* Italy      */ COLUMNS(GREEN, WHITE, RED), DONE,
    /* Latvia     */ {BOX, CARMINE, 0, 0, 1200, 800}, {BOX, WHITE, 0, 320, 1200, 480}, DONE,
    /* Lithuania  */ ROWS(YELLOW, GREEN, RED), DONE,
    /* Luxembourg */ ROWS(RED, WHITE, SKY), DONE,
    /* Malta      */ {BOX, WHITE, 0, 0, 600, 800}, {BOX, RED, 600, 0, 1200, 800},
                     {BOX, RED, 170, 70, 230, 330}, {BOX, RED, 70, 170, 330, 230},
                     {BOX, GREY, 180, 80, 220, 320}, {BOX, GREY, 80, 180, 320, 220},
                     {ROUND, GREY, 150, 150, 250, 250}, DONE,
    /* Slovakia   */ ROWS(WHITE, BLUE, RED), SHIELD(WHITE, 400, 400),
                     {BOX, RED, 305, 275, 495, 420}, {ROUND, RED, 305, 310, 495, 535},
                     {BOX, WHITE, 386, 290, 414, 470},
                     {BOX, WHITE, 335, 375, 465, 400}, {BOX, WHITE, 350, 320, 450, 345},
                     {ROUND, BLUE, 345, 450, 455, 530}, DONE,
    /* Slovenia   */ ROWS(WHITE, BLUE, RED), SHIELD(RED, 330, 265), {BOX, BLUE, 235, 140, 425, 285},
                     {ROUND, BLUE, 235, 170, 425, 400}, {BOX, WHITE, 318, 225, 342, 260},
                     {BOX, WHITE, 288, 260, 372, 295}, {BOX, WHITE, 258, 295, 402, 330},
                     {ROUND, YELLOW, 315, 165, 345, 195}, DONE,
    /* S. Cyprus  */ {BOX, WHITE, 0, 0, 1200, 800}, {ROUND, COPPER, 400, 230, 760, 450},
                     {WEDGE, COPPER, 640, 200, 880, 330}, {ROUND, OLIVE, 430, 520, 590, 620},
                     {ROUND, WHITE, 440, 500, 600, 595}, {ROUND, OLIVE, 610, 520, 770, 620},
                     {ROUND, WHITE, 600, 500, 760, 595}, DONE,
    /* Spain      */ {BOX, RED, 0, 0, 1200, 800}, {BOX, YELLOW, 0, 200, 1200, 600},
                     {BOX, GREY, 255, 320, 280, 530}, {BOX, GREY, 480, 320, 505, 530},
                     {BOX, RED, 300, 330, 460, 470}, {ROUND, RED, 300, 400, 460, 540},
                     {BOX, WHITE, 380, 330, 460, 430}, {ROUND, YELLOW, 320, 270, 440, 340}, DONE,
    /* Sweden     */ CROSS(AZURE, YELLOW), DONE,
};
#undef ROWS
#undef COLUMNS
#undef CROSS
#undef SHIELD
#undef DONE

/* The colour of the cloth at (x, y). */
static inline int flags_cloth(const flags_shape *s, int x, int y)
{
    int colour = 0;
    for (; s->shape != END; s++) {
        const int w = s->x1 - s->x0, h = s->y1 - s->y0, u = x - s->x0, v = y - s->y0;
        if (u < 0 || v < 0 || u >= w || v >= h) continue;
        const int across = 2 * u - w, down = 2 * v - h;
        if (s->shape == BOX
            || (s->shape == ROUND && across * across / w * h + down * down / h * w < w * h)
            || (s->shape == WEDGE && (down < 0 ? -down : down) * w < h * (w - u))
            || (s->shape == CHEQUER && (5 * u / w + 5 * v / h) % 2 == 0)) colour = s->colour;
    }
    return colour;
}

/* ==== The view ================================================================================ */

/* Properties of an image, each with a number of its own. */
enum { FLAG_X = 1, FLAG_Y, FLAG_WIDE, FLAG_HIGH, FLAG_TILT, FLAG_SLANT, FLAG_NEAR, FLAG_ABOVE,
       FLAG_WAVES, FLAG_HEIGHT, FLAG_PHASE, FLAG_LEAN, FLAG_FOLD, FLAG_GAIN, FLAG_HAZE, FLAG_GRAIN,
       FLAG_PLACE, FLAG_BACK, FLAG_FRONT, FLAG_AT, FLAG_HOUSE = 60, FLAG_NOISE = 200 };

static inline int flags_pick(uint64_t image, int property, int low, int high)
{
    return drawing_pick(20241101, image, property, low, high);
}

/* About 256 sin(2 pi t/1024), from parabolas. */
static inline int flags_wave(int t)
{
    t &= 1023;
    const int half = t & 511, hump = half * (512 - half) / 256;
    return t < 512 ? hump : -hump;
}

/* Red (0), green (1) or blue (2) of a colour. */
static inline int flags_channel(int colour, int k) { return colour >> (16 - 8 * k) & 255; }

/* What is behind: a sky that grows lighter downwards, a wall with joints, or a row of houses. */
static inline int flags_behind(uint64_t image, int place, int colour, int x, int y)
{
    if (place == 1 && (y % 16 == 0 || (x + (y / 16 % 2) * 16) % 32 == 0)) return 0x707070;
    if (place == 2) {
        const int house = x / 24, roof = flags_pick(image, FLAG_HOUSE + house, 30, 100);
        const int tone = flags_pick(image, FLAG_HOUSE + 10 + house, 90, 190);
        const int window = x % 8 > 1 && x % 8 < 6 && (y - roof) % 12 > 4;
        if (y > roof) return (window ? tone / 2 : tone) * 0x10101;
    }
    if (place == 1) return colour;
    int lit = 0;
    for (int k = 0; k < 3; k++) {
        const int c = flags_channel(colour, k);
        lit = lit << 8 | (c + (235 - c) * y / 200);
    }
    return lit;
}

/* Draws a view of flag `label` (0 to 23, in the order of FLAGS_NAMES) into rgb: 128 rows of 128
   pixels of red, green, blue. `image` numbers the view. Each pixel is the mean of four points.   */
static inline void flags_draw(unsigned char *rgb, int label, uint64_t image)
{
    enum { SIDE = 128, FINE = 2, ONE = 1 << 12 };
    static const int backs[] = {0x6fa8dc, 0x9fb6c8, 0x8a6f5a, 0x5f7f4f, 0xc8c0b0, 0x47607f};
    const flags_shape *shapes = FLAGS_SHAPES;
    for (int i = 0; i < label; shapes++) i += shapes->shape == END;

    /* The cloth's axes in the view, then the view's on the cloth, in 1/ONE of a unit */
    const int wide  = flags_pick(image, FLAG_WIDE, 70, 190);
    const int high  = flags_pick(image, FLAG_HIGH, 50, 80) * wide / 100;
    const int tilt  = flags_pick(image, FLAG_TILT, -40, 40);
    const int slant = flags_pick(image, FLAG_SLANT, -40, 40);
    const int64_t det = (int64_t)wide * high * (10000 - tilt * slant);
    const int64_t xx = (int64_t)1200 * ONE / FINE * high * 10000 / det;
    const int64_t xy = (int64_t)1200 * ONE / FINE * high * slant * -100 / det;
    const int64_t yx = (int64_t)800 * ONE / FINE * wide * tilt * -100 / det;
    const int64_t yy = (int64_t)800 * ONE / FINE * wide * 10000 / det;
    const int x     = flags_pick(image, FLAG_X, -24, 24);
    const int y     = flags_pick(image, FLAG_Y, -20, 20);
    const int near  = flags_pick(image, FLAG_NEAR, -5, 5);
    const int above = flags_pick(image, FLAG_ABOVE, -4, 4);
    const int waves = flags_pick(image, FLAG_WAVES, 100, 260);      /* 1024ths of one, per 256 */
    const int lean  = flags_pick(image, FLAG_LEAN, -60, 60);
    const int phase = flags_pick(image, FLAG_PHASE, 0, 1023);
    const int bulge = flags_pick(image, FLAG_HEIGHT, 0, 70);
    const int fold  = flags_pick(image, FLAG_FOLD, 0, 2) * bulge / 2;
    const int gain  = flags_pick(image, FLAG_GAIN, 150, 290);
    const int haze  = flags_pick(image, FLAG_HAZE, 0, 60);
    const int grain = flags_pick(image, FLAG_GRAIN, 0, 24);
    const int place = flags_pick(image, FLAG_PLACE, 0, 2);
    const int back  = backs[flags_pick(image, FLAG_BACK, 0, 5)];
    const int front = flags_pick(image, FLAG_FRONT, 0, 4);          /* 0 a post, 1 a head */
    const int at    = flags_pick(image, FLAG_AT, 20, 108);

    for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
        const int row = pixel / SIDE, column = pixel % SIDE;
        int sum[3] = {0, 0, 0};
        for (int part = 0; part < FINE * FINE; part++) {
            const int dx = FINE * (column - SIDE / 2 - x) + part % FINE;
            const int dy = FINE * (row - SIDE / 2 - y) + part / FINE;
            const int64_t depth = ONE + near * dx + above * dy;
            const int u = 600 + (int)((xx * dx + xy * dy) / depth);
            int       v = 400 + (int)((yx * dx + yy * dy) / depth);
            const int turn = u * waves / 256 + v * lean / 256 + phase;
            v += bulge * flags_wave(turn) / 256;
            int colour, light = 256;
            if (u >= 0 && u < 1200 && v >= 0 && v < 800) {
                colour = flags_cloth(shapes, u, v);
                light += fold * flags_wave(turn + 256) / 256;
            } else {
                colour = flags_behind(image, place, back, column, row);
            }
            if (front == 0 && column >= at && column < at + 5) colour = 0x4a4642;
            if (front == 1 && (column - at) * (column - at) + 2 * (row - 128) * (row - 128) < 900)
                colour = 0x3b2c26;
            for (int k = 0; k < 3; k++) sum[k] += flags_channel(colour, k) * light;
        }
        const uint32_t noise = tnn_random_bits(20241101, image, (uint64_t)(FLAG_NOISE + pixel));
        for (int k = 0; k < 3; k++) {
            int c = sum[k] / (FINE * FINE) / 256 * gain / 256;
            c += (190 - c) * haze / 256 + ((int)(noise >> 8 * k & 255) - 128) * grain / 128;
            rgb[3 * pixel + k] = (unsigned char)drawing_clamp(c, 0, 255);
        }
    }
}

#endif /* FLAGS_DRAWING_H */
