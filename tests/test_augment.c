/* test_augment.c - the loader's augmentation

   Each sample is worked again in double: maps as products of 3x3 matrices, inverted; colours by the
   formulas of torchvision's functional_tensor.py (blend, rgb to hsv and back); from the same draws
   of the counter-based generator, whose places are written here once more. */
#include "test.h"

enum { N = 60, C = 3, H = 9, W = 7, SIZE = C * H * W, CLASSES = 5 };
static unsigned char bytes[N * SIZE];
static float         values[N * SIZE];
static int           labels[N];

static tnn_data pictures(int channels, int of_bytes)
{
    int i;
    for (i = 0; i < N * SIZE; i++) {
        bytes[i] = (unsigned char)(test_hash(1, (uint32_t)i) >> 24);
        values[i] = (float)(test_hash(2, (uint32_t)i) >> 8) / 16777216.0f;
    }
    for (i = 0; i < N; i++) labels[i] = i % CLASSES;
    return tnn_data_view(of_bytes ? bytes : NULL, of_bytes ? NULL : values, labels, N, channels, H,
                         W);
}

/* Epoch `epoch` of the data, sample after sample, whatever their order; targets may be NULL. */
static void load(const tnn_data *data, tnn_loader_options o, int epoch, float *x, float *targets)
{
    size_t size = (size_t)(data->c * data->h * data->w), k;
    int *order = (int *)malloc((size_t)data->n * sizeof *order), e, i, at;
    tnn_loader *l = tnn_loader_create_with(data, &o);
    CHECK(l && order, "%s", tnn_error());
    for (e = 0; l && order && e <= epoch; e++) {
        for (i = 0; i < data->n; i++) order[i] = i;
        if (o.shuffle) tnn_shuffle(order, data->n, o.seed, ((uint64_t)1 << 62) + (uint64_t)e);
        for (at = 0; tnn_next(l); at += l->n)
            for (i = 0; e == epoch && i < l->n; i++) {
                size_t s = (size_t)order[at + i], n = (size_t)data->classes;
                CHECK(l->targets || l->labels[i] == labels[s], "label %d of sample %d",
                      l->labels[i], (int)s);
                memcpy(x + s * size, l->x + (size_t)i * size, size * sizeof *x);
                for (k = 0; targets && l->targets && k < n; k++)
                    targets[s * n + k] = l->targets[(size_t)i * n + k];
            }
    }
    CHECK(!l || !l->targets == !(o.mixup + o.cutmix > 0), "targets");
    CHECK(!l || !l->labels == !!l->targets, "labels beside targets");
    tnn_loader_free(l);
    free(order);
}

/* ==== REFERENCE =============================================================================== */

static double draw(const tnn_loader_options *o, int epoch, int sample, int k)
{
    return tnn_random_bits(o->seed, ((uint64_t)3 << 61) + (uint64_t)epoch,
                           (uint64_t)(64 * sample + k)) / 4294967296.0;
}
#define DRAW(k)          draw(o, epoch, sample, k)
#define DRAWN(k, lo, hi) ((lo) + ((hi) - (lo)) * DRAW(k))

typedef struct { double a[3][3]; } matrix;
static matrix affine(double a, double b, double tx, double c, double d, double ty)
{
    matrix m = { { { a, b, tx }, { c, d, ty }, { 0, 0, 1 } } };
    return m;
}
static matrix times(matrix x, matrix y)
{
    matrix z;
    int i, j, k;
    for (i = 0; i < 3; i++)
        for (j = 0; j < 3; j++)
            for (z.a[i][j] = 0, k = 0; k < 3; k++) z.a[i][j] += x.a[i][k] * y.a[k][j];
    return z;
}
static matrix inverse(matrix m)
{
    double d = m.a[0][0] * m.a[1][1] - m.a[0][1] * m.a[1][0];
    matrix linear = affine(m.a[1][1] / d, -m.a[0][1] / d, 0, -m.a[1][0] / d, m.a[0][0] / d, 0);
    return times(linear, affine(1, 0, -m.a[0][2], 0, 1, -m.a[1][2]));
}

static int whole(double x) { return (int)floor(x + 0.5); }
static double pixel(const tnn_loader_options *o, const double *x, int h, int w, int i, int j)
{
    if (o->border == TNN_BORDER_EDGE)
        i = i < 0 ? 0 : i >= h ? h - 1 : i, j = j < 0 ? 0 : j >= w ? w - 1 : j;
    while (o->border == TNN_BORDER_REFLECT && (i < 0 || i >= h)) i = i < 0 ? -i : 2 * (h - 1) - i;
    while (o->border == TNN_BORDER_REFLECT && (j < 0 || j >= w)) j = j < 0 ? -j : 2 * (w - 1) - j;
    return i < 0 || i >= h || j < 0 || j >= w ? o->fill : x[i * w + j];
}
static void geometry(const tnn_loader_options *o, int epoch, int sample, const tnn_data *data,
                     double *x)
{
    const double pi = 3.14159265358979323846;
    int h = data->h, w = data->w, i, j, k, c, pad = o->crop_pad;
    double min = o->scale_min > 0 ? o->scale_min : 1, max = o->scale_max > 0 ? o->scale_max : 1;
    double turn = DRAWN(2, -o->rotate, o->rotate) * pi / 180, s = DRAWN(4, min, max);
    double lean = DRAWN(3, -o->shear, o->shear) * pi / 180;
    double tx = whole(DRAWN(5, -o->shift, o->shift) * w) + floor(DRAW(7) * (2 * pad + 1)) - pad;
    double ty = whole(DRAWN(6, -o->shift, o->shift) * h) + floor(DRAW(8) * (2 * pad + 1)) - pad;
    matrix m = affine(1, 0, -0.5 * (w - 1), 0, 1, -0.5 * (h - 1));
    static double from[SIZE];
    memcpy(from, x, sizeof from);
    if (DRAW(0) < o->flip) m = times(affine(-1, 0, 0, 0, 1, 0), m);
    if (DRAW(1) < o->flip_vertical) m = times(affine(1, 0, 0, 0, -1, 0), m);
    m = times(affine(s, 0, 0, 0, s, 0), m);
    m = times(affine(1, -tan(lean), 0, 0, 1, 0), m);
    m = times(affine(cos(turn), -sin(turn), 0, sin(turn), cos(turn), 0), m);
    m = times(affine(1, 0, 0.5 * (w - 1) + tx, 0, 1, 0.5 * (h - 1) + ty), m);
    m = inverse(m);
    for (c = 0; c < data->c; c++)
        for (i = 0; i < h; i++)
            for (j = 0; j < w; j++) {
                double sx = m.a[0][0] * j + m.a[0][1] * i + m.a[0][2], sum = 0;
                double sy = m.a[1][0] * j + m.a[1][1] * i + m.a[1][2];
                for (k = 0; k < 4; k++) {
                    double px = floor(sx) + k % 2, py = floor(sy) + k / 2;
                    sum += (1 - fabs(sx - px)) * (1 - fabs(sy - py))
                         * pixel(o, from + c * h * w, h, w, (int)py, (int)px);
                }
                x[(c * h + i) * w + j] = sum;
            }
}

/* torchvision 0.14, functional_tensor.py: _blend, _rgb2hsv, _hsv2rgb */
static double clip(double v) { return v < 0 ? 0 : v > 1 ? 1 : v; }
static double grey(const double *x, int channels, int n, int p)
{
    if (channels == 1) return x[p];
    return 0.2989 * x[p] + 0.587 * x[n + p] + 0.114 * x[2 * n + p];
}
static void hue(double *x, int n, double turn)
{
    int p;
    for (p = 0; p < n; p++) {
        double r = x[p], g = x[n + p], b = x[2 * n + p], max = fmax(r, fmax(g, b));
        double min = fmin(r, fmin(g, b)), cr = max - min, s = cr / (max == min ? 1 : max);
        double d = max == min ? 1 : cr, rc = (max - r) / d, gc = (max - g) / d, bc = (max - b) / d;
        double hr = (max == r) * (bc - gc), hg = (max == g && max != r) * (2 + rc - bc);
        double hb = (max != g && max != r) * (4 + gc - rc), h = fmod((hr + hg + hb) / 6 + 1, 1);
        double f, P, q, t;
        int i;
        h = fmod(h + turn + 1, 1);
        i = (int)floor(h * 6);
        f = h * 6 - i;
        P = max * (1 - s), q = max * (1 - s * f), t = max * (1 - s * (1 - f));
        switch (i % 6) {
        case 0: r = max, g = t, b = P; break;
        case 1: r = q, g = max, b = P; break;
        case 2: r = P, g = max, b = t; break;
        case 3: r = P, g = q, b = max; break;
        case 4: r = t, g = P, b = max; break;
        default: r = max, g = P, b = q; break;
        }
        x[p] = r, x[n + p] = g, x[2 * n + p] = b;
    }
}
static void colour(const tnn_loader_options *o, int epoch, int sample, const tnn_data *data,
                   double *x)
{
    double strength[] = { o->brightness, o->contrast, o->saturation, o->hue };
    int order[] = { 0, 1, 2, 3 }, i, p, c, n = data->h * data->w;
    for (i = 3; i > 0; i--) {
        int j = (int)(DRAW(13 + i - 1) * (i + 1)), t = order[i];
        order[i] = order[j], order[j] = t;
    }
    for (i = 0; i < 4; i++) {
        int kind = order[i];
        double a = strength[kind], f = DRAWN(9 + kind, a < 1 ? 1 - a : 0, 1 + a), mean = 0;
        if (a == 0) continue;
        if (kind == 3) { hue(x, n, DRAWN(12, -a, a)); continue; }
        for (p = 0; p < n; p++) mean += grey(x, data->c, n, p) / n;
        for (p = 0; p < n; p++) {
            double other = kind == 0 ? 0 : kind == 1 ? mean : grey(x, data->c, n, p);
            for (c = 0; c < data->c; c++)
                x[c * n + p] = clip(f * x[c * n + p] + (1 - f) * other);
        }
    }
}

static void blank(const tnn_data *data, double *x, int y0, int y1, int x0, int x1)
{
    int c, i, j;
    for (c = 0; c < data->c; c++)
        for (i = y0 < 0 ? 0 : y0; i < y1 && i < data->h; i++)
            for (j = x0 < 0 ? 0 : x0; j < x1 && j < data->w; j++)
                x[(c * data->h + i) * data->w + j] = 0;
}
static void erase(const tnn_loader_options *o, int epoch, int sample, const tnn_data *data,
                  double *x)
{
    int k, y0 = (int)(DRAW(17) * data->h) - o->cutout / 2;
    int x0 = (int)(DRAW(16) * data->w) - o->cutout / 2;
    double min = o->erase_min > 0 ? o->erase_min : 0.02;
    double max = o->erase_max > 0 ? o->erase_max : 0.33;
    double ratio = o->erase_ratio > 0 ? o->erase_ratio : 3.3;
    blank(data, x, y0, y0 + o->cutout, x0, x0 + o->cutout);
    for (k = 24; k < 64 && DRAW(23) < o->erase; k += 4) {
        double area = DRAWN(k, min, max) * data->h * data->w;
        double r = exp(DRAWN(k + 1, -log(ratio), log(ratio)));
        int h = whole(sqrt(area / r)), w = whole(sqrt(area * r));
        if (h >= data->h || w >= data->w) continue;
        y0 = (int)(DRAW(k + 2) * (data->h - h + 1)), x0 = (int)(DRAW(k + 3) * (data->w - w + 1));
        blank(data, x, y0, y0 + h, x0, x0 + w);
        break;
    }
}

/* Sample `sample` of that epoch, but for mixing. */
static void reference(const tnn_loader_options *o, int epoch, int sample, const tnn_data *data,
                      double *x)
{
    int size = data->c * data->h * data->w, k;
    for (k = 0; k < size; k++)
        x[k] = data->bytes ? data->bytes[sample * size + k] / 255.0
                           : (double)data->floats[sample * size + k];
    geometry(o, epoch, sample, data, x);
    colour(o, epoch, sample, data, x);
    for (k = 0; k < size; k++) x[k] = (x[k] - (double)data->mean) / (double)data->std;
    erase(o, epoch, sample, data, x);
}

/* ==== ONE BY ONE ============================================================================== */

static tnn_loader_options none(void)
{
    tnn_loader_options o;
    memset(&o, 0, sizeof o);
    o.batch = 16;
    o.seed = 11;
    return o;
}

/* Calls check(name, options) for each set of options. */
static void each(void (*check)(const char *, tnn_loader_options))
{
    tnn_loader_options o = none();
#define SET(name, ...) do { o = none(); __VA_ARGS__; check(name, o); } while (0)
    SET("flip", o.flip = 0.5);
    SET("flip_vertical", o.flip_vertical = 0.5);
    SET("rotate", o.rotate = 30);
    SET("rotate, edge", o.rotate = 180; o.border = TNN_BORDER_EDGE);
    SET("shear", o.shear = 20; o.fill = 0.3);
    SET("scale", o.scale_min = 0.5; o.scale_max = 1.8; o.border = TNN_BORDER_REFLECT);
    SET("shrink", o.scale_min = 0.15; o.border = TNN_BORDER_REFLECT);
    SET("shift", o.shift = 0.3; o.fill = 0.7);
    SET("crop_pad", o.crop_pad = 2);
    SET("crop_pad, reflect", o.crop_pad = 12; o.border = TNN_BORDER_REFLECT);
    SET("crop_pad, edge", o.crop_pad = 4; o.border = TNN_BORDER_EDGE);
    SET("geometry", o.flip = o.flip_vertical = 0.5; o.rotate = 40; o.shear = 15; o.scale_min = 0.7;
        o.scale_max = 1.4; o.shift = 0.2; o.crop_pad = 1; o.fill = 0.4);
    SET("brightness", o.brightness = 0.6);
    SET("contrast", o.contrast = 1.5);
    SET("saturation", o.saturation = 0.8);
    SET("hue", o.hue = 0.5);
    SET("colours", o.brightness = 0.4; o.contrast = 0.4; o.saturation = 0.4; o.hue = 0.1);
    SET("cutout", o.cutout = 4);
    SET("cutout, odd", o.cutout = 3);
    SET("erase", o.erase = 0.6);
    SET("erase, narrow", o.erase = 1; o.erase_min = 0.3; o.erase_max = 0.9; o.erase_ratio = 20);
    SET("all", o.flip = 0.5; o.rotate = 10; o.scale_min = 0.9; o.crop_pad = 1; o.brightness = 0.3;
        o.contrast = 0.2; o.saturation = 0.2; o.hue = 0.05; o.cutout = 2; o.erase = 0.2);
#undef SET
}

static float  got[N * SIZE], targets[N * N];
static double want[N * SIZE];

static void against_reference(const char *name, tnn_loader_options given)
{
    int floats, channels, epoch, i;
    for (floats = 0; floats < 2; floats++)
    for (channels = 1; channels <= 3; channels += 2)
    for (epoch = 0; epoch < 2; epoch++) {
        tnn_data data = pictures(channels, !floats);
        int size = channels * H * W, changed = 0, differ = 0;
        char what[80];
        float plain[SIZE];
        tnn_loader_options o = given;
        if (channels == 1) o.saturation = o.hue = 0;
        if (!strcmp(name, "saturation") || !strcmp(name, "hue")) if (channels == 1) continue;
        if (!floats) tnn_normalize(&data, 0.4f, 0.3f);
        snprintf(what, sizeof what, "%s, %d %s, epoch %d", name, channels,
                 floats ? "floats" : "bytes", epoch);
        o.shuffle = epoch;
        load(&data, o, epoch, got, NULL);
        for (i = 0; i < N; i++) {
            reference(&o, epoch, i, &data, want + i * size);
            tnn_sample(&data, i, plain, size);
            changed += memcmp(plain, got + i * size, (size_t)size * sizeof *plain) != 0;
        }
        CHECK_CLOSE(what, got, want, N * size, 1e-6);
        CHECK(changed > N / 5, "%s: %d of %d samples changed", what, changed, N);
        if (epoch) {                        /* another epoch is another draw */
            o.shuffle = 0;
            for (i = 0; i < N * size; i++) want[i] = (double)got[i];
            load(&data, o, 0, got, NULL);
            for (i = 0; i < N * size; i++) differ += want[i] != (double)got[i];
            CHECK(differ > 0, "%s: the same as in epoch 0", what);
        }
    }
}
static void one_by_one(void) { each(against_reference); }

/* Nothing asked for: the data as they are; nor by options that come to nothing. */
static void off(void)
{
    int k, floats, i;
    for (floats = 0; floats < 2; floats++)
    for (k = 0; k < 7; k++) {
        tnn_data data = pictures(3, !floats);
        tnn_loader_options o = none();
        float plain[SIZE];
        if (k > 0 || !floats) tnn_normalize(&data, 0.4f, 0.3f);
        if (k == 1) o.shift = 1e-9, o.fill = 0.5;
        if (k == 2) o.mixup = 0.3, o.mix = TNN_ZERO;
        if (k == 3) o.scale_min = o.scale_max = 1;
        if (k == 4) o.flip = 1e-30;                 /* through the map and back to the same bits */
        if (k == 5) o.erase = 1e-30, o.erase_min = 0.1;
        if (k == 6) o.shift = 0.01;
        load(&data, o, 0, got, targets);
        for (i = 0; i < N; i++) {
            tnn_sample(&data, i, plain, SIZE);
            CHECK_SAME("samples", got + i * SIZE, plain, sizeof plain);
            CHECK(k != 2 || targets[i * CLASSES + labels[i]] == 1, "target %g",
                  (double)targets[i * CLASSES + labels[i]]);
        }
    }
}

/* Of a subset, samples are numbered as the subset numbers them. */
static void subset(void)
{
    tnn_data data = pictures(3, 1), part = tnn_subset(&data, 20, 15);
    tnn_loader *l = tnn_loader_create(&part, .batch = 15, .flip = 1e-30, .mixup = 1, .mix = 1e-30);
    tnn_loader *m = tnn_loader_create(&part, .batch = 15, .mixup = 1, .seed = 2);
    int i, k;
    CHECK(tnn_next(l) == 15 && tnn_next(m) == 15, "%s", tnn_error());
    for (i = 0; i < 15 && !tnn_failed(); i++) {
        tnn_loader_options o = none();
        int other, same = 1;
        float x[SIZE], y[SIZE];
        o.seed = 2;
        other = (int)(draw(&o, 0, i, 20) * 15);
        tnn_sample(&part, i, x, SIZE);
        tnn_sample(&data, 20 + other, y, SIZE);
        CHECK_SAME("samples", l->x + i * SIZE, x, sizeof x);
        CHECK(l->targets[i * CLASSES + labels[20 + i]] >= 1, "no target of label %d",
              labels[20 + i]);
        for (k = 0; k < SIZE; k++)
            same &= m->x[i * SIZE + k] >= fminf(x[k], y[k]) - 1e-6f
                 && m->x[i * SIZE + k] <= fmaxf(x[k], y[k]) + 1e-6f;
        CHECK(same, "sample %d is not between %d and %d", i, i, other);
        CHECK(m->targets[i * CLASSES + labels[20 + other]] > 0, "no target of %d", other);
    }
    tnn_loader_free(l);
    tnn_loader_free(m);
    tnn_data_free(&part);
}

/* Mirrors and whole pixels move values as they are. */
static void exactly(void)
{
    tnn_data data = pictures(3, 1);
    int k, s, c, i, j, flipped = 0;
    tnn_normalize(&data, 0.4f, 0.3f);
    for (k = 0; k < 4; k++) {
        tnn_loader_options o = none();
        o.flip = k == 0 ? 1 : k == 1 ? 0 : 0.5;
        o.flip_vertical = k == 1;
        if (k == 3) o.crop_pad = 3, o.border = TNN_BORDER_EDGE;
        load(&data, o, 0, got, NULL);
        for (s = 0; s < N; s++) {
            float x[SIZE];
            int mirror = draw(&o, 0, s, 0) < o.flip;
            int tx = k == 3 ? (int)(draw(&o, 0, s, 7) * 7) - 3 : 0;
            int ty = k == 3 ? (int)(draw(&o, 0, s, 8) * 7) - 3 : 0;
            tnn_sample(&data, s, x, SIZE);
            flipped += mirror;
            for (c = 0; c < C; c++)
                for (i = 0; i < H; i++)
                    for (j = 0; j < W; j++) {
                        int y = (k == 1 ? H - 1 - i : i) - ty, z = j - tx;
                        float v;
                        y = y < 0 ? 0 : y >= H ? H - 1 : y;
                        z = z < 0 ? 0 : z >= W ? W - 1 : z;
                        if (mirror) z = W - 1 - z;
                        v = got[((s * C + c) * H + i) * W + j];
                        CHECK(v == x[(c * H + y) * W + z], "setting %d, sample %d (%d, %d, %d): "
                              "%.9g, not %.9g", k, s, c, i, j, (double)v,
                              (double)x[(c * H + y) * W + z]);
                    }
        }
    }
    CHECK(flipped > N + 30 && flipped < N + 2 * N - 30, "%d flips", flipped);
}

/* ==== MIXING ================================================================================== */

static void mixing(void)
{
    int k, s, i, c, own_label = 0, cuts = 0, mixed = 0;
    for (k = 0; k < 4; k++) {
        tnn_data data = pictures(3, 1);
        tnn_loader_options o = none();
        tnn_normalize(&data, 0.4f, 0.3f);
        o.flip = 0.5, o.rotate = 20, o.shuffle = 1;
        if (k != 1) o.mixup = 0.8;
        if (k != 0) o.cutmix = 1;
        if (k == 3) o.mix = 0.4;
        load(&data, o, 1, got, targets);
        for (s = 0; s < N; s++) {
            double a[SIZE], b[SIZE], lambda, total = 0;
            int other = (int)(draw(&o, 1, s, 20) * N);
            int whether = draw(&o, 1, s, 18) < (k == 3 ? 0.4 : 1);
            int cut = k == 1 || (k > 1 && draw(&o, 1, s, 19) < 0.5);
            const float *t = targets + s * CLASSES;
            reference(&o, 1, s, &data, a);
            reference(&o, 1, other, &data, b);
            for (c = 0; c < CLASSES; c++) {
                total += (double)t[c];
                CHECK(t[c] >= 0 && (c == labels[s] || (whether && c == labels[other]) || t[c] == 0),
                      "sample %d with %d: target %d is %g", s, other, c, (double)t[c]);
            }
            CHECK_NEAR("sum of targets", total, 1, 1e-6);
            lambda = (double)t[labels[s]];
            if (!whether) {
                CHECK(lambda == 1, "%g", lambda);
                CHECK_CLOSE("not mixed", got + s * SIZE, a, SIZE, 1e-6);
                continue;
            }
            mixed++, cuts += cut;
            if (labels[other] == labels[s]) { own_label++; continue; }
            if (!cut) {
                for (i = 0; i < SIZE; i++) a[i] = lambda * a[i] + (1 - lambda) * b[i];
            } else {
                /* the middle is drawn; what is b's forms a rectangle around it, of that area */
                int cy = (int)(draw(&o, 1, s, 22) * H), cx = (int)(draw(&o, 1, s, 21) * W);
                int x0 = W, x1 = -1, y0 = H, y1 = -1, bs = 0;
                for (i = 0; i < H * W; i++)
                    if (fabs((double)got[s * SIZE + i] - b[i]) < 1e-5) {
                        bs++;
                        x0 = i % W < x0 ? i % W : x0, x1 = i % W > x1 ? i % W : x1;
                        y0 = i / W < y0 ? i / W : y0, y1 = i / W > y1 ? i / W : y1;
                        for (c = 0; c < C; c++) a[c * H * W + i] = b[c * H * W + i];
                    }
                CHECK(fabs((1 - lambda) * H * W - bs) < 1e-4 * H * W || bs > (1 - lambda) * H * W,
                      "sample %d: lambda %g, %d pixels", s, lambda, bs);
                if (1 - lambda > 0.5 / (H * W) && fabs((1 - lambda) * H * W - bs) < 0.5) {
                    int h = y1 - y0 + 1, w = x1 - x0 + 1;
                    CHECK(h * w == bs && cy >= y0 && cy <= y1 && cx >= x0 && cx <= x1,
                          "sample %d: not a rectangle about (%d, %d)", s, cy, cx);
                    /* not clipped: of the image's shape, side sqrt(1 - lambda) */
                    if (y0 > 0 && y1 < H - 1 && x0 > 0 && x1 < W - 1)
                        CHECK(cy == y0 + h / 2 && cx == x0 + w / 2 && abs(h * W - w * H) <= H + W,
                              "sample %d: %dx%d about (%d, %d) from (%d, %d)", s, h, w, cy, cx, y0,
                              x0);
                }
            }
            CHECK_CLOSE("mixed", got + s * SIZE, a, SIZE, 1e-6);
        }
    }
    CHECK(own_label > 10 && own_label < 100, "%d with their own label", own_label);
    CHECK(mixed > 190 && mixed < 220 && cuts > 80 && cuts < 125, "%d mixed, %d cut", mixed, cuts);
}

static int ascending(const void *p, const void *q)
{
    double x = *(const double *)p, y = *(const double *)q;
    return (x > y) - (x < y);
}
/* Kolmogorov and Smirnov's distance of x[0..n) from Beta(a, a) (a = 1: uniform), times sqrt(n).
   With x = sin^2 t the density of t is (sin t cos t)^(2a-1); its part t^(2a-1), which is infinite
   at 0 for a < 1/2, is integrated exactly, the rest by midpoints; x > 1/2 by symmetry. */
static double beta_distance(double *x, int n, double a)
{
    enum { STEPS = 20000 };
    static double below[STEPS + 1];
    double distance = 0, end = 0.78539816339744831;
    int i;
    qsort(x, (size_t)n, sizeof *x, ascending);
    for (i = 0; i < STEPS; i++) {
        double t0 = end * i / STEPS, t1 = end * (i + 1) / STEPS, m = (t0 + t1) / 2;
        below[i + 1] = below[i] + (pow(t1, 2 * a) - pow(t0, 2 * a))
                                * pow(sin(m) * cos(m) / m, 2 * a - 1);
    }
    for (i = 0; i < n; i++) {
        double t = asin(sqrt(x[i] <= 0.5 ? x[i] : 1 - x[i])) / end * STEPS, u, away;
        int k = t < STEPS ? (int)t : STEPS - 1;
        u = (below[k] + (t - k) * (below[k + 1] - below[k])) / (2 * below[STEPS]);
        away = fabs((x[i] <= 0.5 ? u : 1 - u) - (i + 0.5) / n);
        if (away > distance) distance = away;
    }
    return distance * sqrt(n);
}

/* lambda is what the targets of one's own and the other's label say: the smaller one, because much
   of Beta(0.2, 0.2) is nearer to 1 than floats tell apart. */
static void beta(void)
{
    static const double alphas[] = { 0.2, 0.4, 1, 4, 200 };
    enum { MANY = 20000 };
    static unsigned char one[MANY];
    static int own[MANY];
    static double lambda[MANY];
    int k, s, n;
    for (s = 0; s < MANY; s++) own[s] = s % 200;
    for (k = 0; k < 5; k++) {
        tnn_data data = tnn_data_view(one, NULL, own, MANY, 1, 1, 1);
        tnn_loader *l = tnn_loader_create(&data, .batch = 100, .seed = 3, .mixup = alphas[k]);
        double sum = 0, squares = 0, distance, variance = 0.25 / (2 * alphas[k] + 1);
        char what[40];
        for (n = s = 0; tnn_next(l); s += l->n) {
            int i;
            for (i = 0; i < l->n; i++) {
                tnn_loader_options o = none();
                int label = own[s + i], other;
                const float *t = l->targets + i * 200;
                o.seed = 3;
                other = own[(int)(draw(&o, 0, s + i, 20) * MANY)];
                if (other != label)
                    lambda[n++] = t[label] < 0.5f ? (double)t[label] : 1 - (double)t[other];
            }
        }
        for (s = 0; s < n; s++) {
            CHECK(lambda[s] >= 0 && lambda[s] <= 1, "lambda %g", lambda[s]);
            sum += lambda[s], squares += (lambda[s] - 0.5) * (lambda[s] - 0.5);
        }
        snprintf(what, sizeof what, "variance of Beta(%g)", alphas[k]);
        CHECK(n > 0.99 * MANY, "%d", n);
        CHECK(fabs(sum / n - 0.5) < 4.5 * sqrt(variance / n), "%s: mean %g", what, sum / n);
        CHECK_NEAR(what, squares / n, variance, 0.05);
        distance = beta_distance(lambda, n, alphas[k]);
        CHECK(distance < 1.95, "Beta(%g, %g): distance %g", alphas[k], alphas[k], distance);
        tnn_loader_free(l);
    }
}

/* ==== DRAWS =================================================================================== */

/* Chi squared of counts that should be alike, against its mean and deviation. */
static void check_even(const char *what, const int *counts, int n)
{
    double total = 0, chi = 0;
    int i;
    for (i = 0; i < n; i++) total += counts[i];
    for (i = 0; i < n; i++) chi += (counts[i] - total / n) * (counts[i] - total / n) / (total / n);
    CHECK(chi < n - 1 + 4.5 * sqrt(2.0 * (n - 1)), "%s: chi squared %g of %d", what, chi, n - 1);
}

static void draws(void)
{
    enum { MANY = 4000, SIDE = 8 };
    static float image[MANY * SIDE * SIDE], x[MANY * SIDE * SIDE];
    static int none_of[MANY], place[25];
    static double f[MANY];
    tnn_data data;
    tnn_loader_options o = none();
    int i, k, n, ones[2][SIDE] = { { 0 } };
    double least = 1, most = 0;
    for (i = 0; i < MANY * SIDE * SIDE; i++) image[i] = 0.5f;
    data = tnn_data_view(NULL, image, none_of, MANY, 1, SIDE, SIDE);
#define LOAD() do { \
        tnn_loader *l = tnn_loader_create_with(&data, &o); \
        CHECK(l, "%s", tnn_error()); \
        for (n = 0; tnn_next(l); n += l->n) \
            memcpy(x + n * SIDE * SIDE, l->x, (size_t)l->n * SIDE * SIDE * sizeof *x); \
        tnn_loader_free(l); } while (0)
    /* factors of brightness: uniform in [0.6, 1.4] */
    o.brightness = 0.4;
    LOAD();
    for (i = 0; i < MANY; i++) {
        f[i] = ((double)x[i * SIDE * SIDE] / 0.5 - 0.6) / 0.8;
        least = f[i] < least ? f[i] : least, most = f[i] > most ? f[i] : most;
    }
    CHECK(least > -1e-6 && least < 0.003 && most < 1 + 1e-6 && most > 0.997, "%g, %g", least, most);
    CHECK(beta_distance(f, MANY, 1) < 1.95, "brightness is not uniform");
    /* flips, rectangles: as often as asked for */
    o = none();
    o.erase = 0.3;
    LOAD();
    for (k = i = 0; i < MANY; i++) {
        int blanks = 0, j;
        for (j = 0; j < SIDE * SIDE; j++) blanks += x[i * SIDE * SIDE + j] == 0;
        k += blanks > 0;
        CHECK(blanks <= 0.33 * SIDE * SIDE + SIDE + 1, "%d pixels erased", blanks);
    }
    CHECK(abs(k - 1200) < 4.5 * sqrt(MANY * 0.3 * 0.7), "%d of 4000 erased", k);
    /* centres of a cutout of one pixel: even over rows and columns */
    o = none();
    o.cutout = 1;
    LOAD();
    for (i = 0; i < MANY * SIDE * SIDE; i++)
        if (x[i] == 0) ones[0][i % SIDE]++, ones[1][i / SIDE % SIDE]++;
    check_even("columns", ones[0], SIDE);
    check_even("rows", ones[1], SIDE);
    /* offsets of a crop: each as often */
    for (i = 0; i < MANY * SIDE * SIDE; i++) image[i] = i % SIDE == 3 && i / SIDE % SIDE == 4;
    o = none();
    o.crop_pad = 2;
    LOAD();
    for (i = 0; i < MANY * SIDE * SIDE; i++)
        if (x[i] == 1) place[(i / SIDE % SIDE - 2) * 5 + i % SIDE - 1]++;
    check_even("crops", place, 25);
    /* shifts go as far as they may */
    o = none();
    o.shift = 0.25;
    LOAD();
    memset(place, 0, sizeof place);
    for (i = 0; i < MANY * SIDE * SIDE; i++) if (x[i] == 1) place[i % SIDE]++;
    CHECK(!place[0] && place[1] && place[5] && !place[6] && !place[7], "shifts");
    CHECK(abs(place[3] - 1000) < 150 && abs(place[1] - 500) < 110, "%d, %d", place[3], place[1]);
#undef LOAD
}

/* ==== WHO DRAWS IT ============================================================================ */

static void everything(const char *name, tnn_loader_options o)
{
    static const int batches[] = { 1, 7, 64 };
    static float first[N * SIZE], others[N * SIZE], their_targets[N * CLASSES];
    tnn_data data = pictures(3, 1);
    int k;
    o.mixup = 0.4, o.cutmix = 1;
    load(&data, o, 0, first, targets);
    CHECK_REPEATS(name, first, N * SIZE);
    CHECK_REPEATS(name, targets, N * CLASSES);
    for (k = 0; k < 3; k++) {
        o.batch = batches[k], o.shuffle = k;
        load(&data, o, 0, others, their_targets);
        CHECK_SAME(name, others, first, sizeof first);
        CHECK_SAME(name, their_targets, targets, sizeof their_targets);
    }
}
static void whoever(void) { each(everything); }

/* One number for all bits of two epochs with everything on: it must come out on every machine. */
static void settled(void)
{
    tnn_data data = pictures(3, 1);
    tnn_loader *l;
    uint64_t hash = 14695981039346656037u;
    size_t i;
    tnn_normalize(&data, 0.4f, 0.3f);
    l = tnn_loader_create(&data, .batch = 16, .shuffle = 1, .seed = 5, .flip = 0.5,
                          .flip_vertical = 0.2, .rotate = 25, .shear = 10, .scale_min = 0.8,
                          .scale_max = 1.3, .shift = 0.1, .crop_pad = 1,
                          .border = TNN_BORDER_REFLECT, .brightness = 0.4, .contrast = 0.3,
                          .saturation = 0.3, .hue = 0.2, .cutout = 2, .erase = 0.3, .mixup = 0.4,
                          .cutmix = 1);
    while (l && l->epoch < 2)
        while (tnn_next(l)) {
            for (i = 0; i < (size_t)l->n * SIZE * 4; i++)
                hash = (hash ^ ((const unsigned char *)l->x)[i]) * 1099511628211u;
            for (i = 0; i < (size_t)l->n * CLASSES * 4; i++)
                hash = (hash ^ ((const unsigned char *)l->targets)[i]) * 1099511628211u;
        }
    CHECK(hash == 0x1a37551a6d5d9a6bu, "hash %016llx", (unsigned long long)hash);
    tnn_loader_free(l);
}

#define REFUSED(text, ...) do { \
    tnn_loader *l = tnn_loader_create(&data, .batch = 4, __VA_ARGS__); \
    CHECK(!l->batches && strstr(tnn_error(), "test_augment.c:") && strstr(tnn_error(), text), \
          "%s", \
          tnn_error()); \
    tnn_clear_error(); \
    tnn_loader_free(l); } while (0)
static void refusals(void)
{
    const double nan = HUGE_VAL - HUGE_VAL;
    tnn_data data = pictures(1, 1);
    REFUSED("tnn_loader_create: .flip = 1.5 must be in [0, 1]", .flip = 1.5);
    REFUSED(".flip_vertical = -0.1", .flip_vertical = -0.1);
    REFUSED(".rotate = nan must be in [0, 180]", .rotate = nan);
    REFUSED(".shear = 85", .shear = 85);
    REFUSED(".scale_min = 1 must be in [0.01, 0.5]", .scale_max = 0.5);
    REFUSED(".scale_min = -1", .scale_min = -1);
    REFUSED(".scale_max = inf must be in [0.01, 100]", .scale_max = HUGE_VAL);
    REFUSED(".shift = 2", .shift = 2);
    REFUSED(".crop_pad = -1", .crop_pad = -1);
    REFUSED(".border: 3 is not a border", .border = (tnn_border)3);
    REFUSED(".fill = nan", .fill = nan, .shift = 0.1);
    REFUSED(".brightness = -1", .brightness = -1);
    REFUSED(".contrast = inf", .contrast = HUGE_VAL);
    REFUSED(".hue = 0.6 must be in [0, 0.5]", .hue = 0.6);
    REFUSED(".saturation and .hue need 3 channels, the data have 1", .hue = 0.1);
    REFUSED(".saturation and .hue need 3 channels", .saturation = 0.1);
    REFUSED(".cutout = -2", .cutout = -2);
    REFUSED(".erase = 2", .erase = 2);
    REFUSED(".erase_min = 0.4 must be in [0, 0.33]", .erase = 1, .erase_min = 0.4);
    REFUSED(".erase_max = 1.1", .erase = 1, .erase_max = 1.1);
    REFUSED(".erase_ratio = 0.5 must be in [1, 1e6]", .erase = 1, .erase_ratio = 0.5);
    REFUSED(".mixup = -1", .mixup = -1);
    REFUSED(".cutmix = nan", .cutmix = nan);
    REFUSED(".mix = 2", .mixup = 1, .mix = 2);
    data.classes = 3;
    CHECK(!tnn_loader_create(&data, .mixup = 1)->batches, "a label beyond the classes");
    CHECK(strstr(tnn_error(), "label 3 of sample 3, the data have 3 classes"), "%s", tnn_error());
    tnn_clear_error();
}

/* An epoch on mixed targets is one of tnn_loss_targets. */
static void training(void)
{
    tnn_data data = pictures(1, 1);
    uint64_t hashes[2];
    int k;
    for (k = 0; k < 2; k++) {
        tnn_loader *l = tnn_loader_create(&data, .batch = 16, .shuffle = 1, .flip = 0.5,
                                          .mixup = 1);
        tnn_net *net = tnn_create(.input = { 1, H, W }, .batch = 16);
        tnn_add(net, TNN_DENSE, .units = CLASSES);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01);
        if (k) CHECK(tnn_train_epoch(net, l).loss > 0, "%s", tnn_error());
        else
            while (tnn_next(l)) {
                tnn_forward(net, l->x, l->n, TNN_TRAIN);
                tnn_loss_targets(net, l->targets);
                tnn_backward(net);
                tnn_step(net);
            }
        hashes[k] = tnn_hash(net);
        tnn_free(net);
        tnn_loader_free(l);
    }
    CHECK(hashes[0] == hashes[1], "tnn_train_epoch differs");
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    RUN("augment off", off);
    RUN("augment subset", subset);
    RUN("augment one by one", one_by_one);
    RUN("augment exactly", exactly);
    RUN("augment mixing", mixing);
    RUN("augment beta", beta);
    RUN("augment draws", draws);
    EACH_SETTING("augment whoever draws", whoever);
    RUN("augment settled", settled);
    RUN("augment refusals", refusals);
    RUN("augment training", training);
    return test_finish();
}
