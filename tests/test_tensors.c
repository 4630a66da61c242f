/* test_tensors.c - every tensor function against its definition in double precision

   References are the obvious loops, here or, with gradients, in reference.h. All instruction sets,
   and 1, 2 and 3 threads, must agree in every bit (test.h). */
#include "test.h"
#include "reference.h"
#include "windows.h"

static tnn_tensor matrix(float *data, int rows, int cols)
{
    return tnn_tensor_view(data, rows, cols, 1, 1);
}

/* ==== PRODUCTS ================================================================================ */

/* Zeroed doubles, valid until the next call. */
static double *zeroed(int n)
{
    static double x[1 << 18];
    if (n > 1 << 18) { printf("FAIL  the test program is out of scratch memory\n"); exit(1); }
    memset(x, 0, (size_t)n * sizeof *x);
    return x;
}

/* All flags; in double, and as the promised chains of fused multiply-adds bit for bit. */
static void one_matmul(int m, int n, int k, int exact)
{
    char what[80];
    int flags, i, j, l;
    for (flags = 0; flags < 8*TNN_TRANSPOSE_A; flags += TNN_TRANSPOSE_A) {
        float *a = test_values((size_t)(m * k), 1), *b = test_values((size_t)(k * n), 2);
        float *c = flags & TNN_ACCUMULATE ? test_values((size_t)(m * n), 3)
                                          : test_floats((size_t)(m * n));
        float *chain = test_floats((size_t)(m * n));
        double *want = zeroed(m * n);
        tnn_tensor A = flags & TNN_TRANSPOSE_A ? matrix(a, k, m) : matrix(a, m, k);
        tnn_tensor B = flags & TNN_TRANSPOSE_B ? matrix(b, n, k) : matrix(b, k, n);
        for (i = 0; i < m; i++)
        for (j = 0; j < n; j++) {
            float f = 0, sum = flags & TNN_ACCUMULATE ? c[i * n + j] : -0.0f;
            double d = sum;
            int chains = (k + 319) / 320, part = (k + chains - 1) / chains;
            for (l = 0; l < k; l++) {
                if (l && l % part == 0) sum += f, f = 0;
                float x = flags & TNN_TRANSPOSE_A ? a[l * m + i] : a[i * k + l];
                float y = flags & TNN_TRANSPOSE_B ? b[j * k + l] : b[l * n + j];
                if (exact) f = fmaf(x, y, f);
                d += (double)x * (double)y;
            }
            want[i * n + j] = d;
            chain[i * n + j] = sum + f;
        }
        snprintf(what, sizeof what, "(%d,%d,%d) flags %d", m, n, k, flags);
        CHECK(tnn_matmul(matrix(c, m, n), A, B, flags) == TNN_OK, "%s: %s", what, tnn_error());
        CHECK_CLOSE(what, c, want, m * n, 2e-6);
        CHECK_REPEATS(what, c, m * n);
        if (exact && test_fma())
            CHECK_SAME("the chains", c, chain, (size_t)(m * n) * sizeof(float));
        test_release_all();
    }
}

static void matmul(void)
{
    static const int sizes[][3] = {
        { 1, 1, 1 }, { 1, 1, 17 }, { 1, 33, 1 }, { 19, 1, 1 }, { 1, 70, 5 }, { 5, 1, 70 },
        { 70, 5, 1 }, { 3, 5, 7 }, { 7, 16, 9 }, { 8, 8, 8 }, { 13, 17, 31 }, { 6, 16, 64 },
        { 16, 6, 64 }, { 31, 33, 15 }, { 64, 64, 64 }, { 65, 47, 33 }, { 12, 129, 257 },
        { 100, 10, 64 }, { 2, 48, 600 }, { 15, 49, 1025 },
        { 20, 70, 530 }, { 530, 70, 20 }, { 20, 70, 1024 },     /* the last: A is copied, */
        { 530, 257, 21 }, { 1030, 64, 9 },      /* A^T turned, but with AVX-512 */
        { 120, 48, 330 }, { 96, 10, 700 }, { 304, 5, 40 }       /* B in place; C^T, twice */
    };
    size_t s;
    uint32_t state = 11;
    int i;
    for (s = 0; s < sizeof sizes / sizeof *sizes; s++)
        one_matmul(sizes[s][0], sizes[s][1], sizes[s][2], 1);
    for (i = 0; i < 40; i++) {
        int m = test_pick(&state, 1, 50), n = test_pick(&state, 1, 50);
        one_matmul(m, n, test_pick(&state, 1, 50), 1);
    }
}

/* Long sums of products of [0, 1) and of numbers near 0.1, which drift together: the root of the
   mean square of the error, relative, is at most twice that of PyTorch 2.14 on one thread. */
static void near(const char *what, const float *got, const double *want, size_t n, double pytorch)
{
    double error = 0, square = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        error += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        square += want[i] * want[i];
    }
    error = sqrt(error / square);
    test_measure(error, 2 * pytorch);
    CHECK(error <= 2 * pytorch, "%s: off by %.2g, PyTorch by %.2g", what, error, pytorch);
}
static float *positive(size_t n, uint32_t stream, float low, float range)
{
    float *x = test_values(n, stream);
    size_t i;
    for (i = 0; i < n; i++) x[i] = low + range * (x[i] + 1) / 2;
    return x;
}
static void long_sums(void)
{
    enum { M = 6, DEEP = 65536, C = 512, F = 4, H = 6, SIDE = 512, ALL = SIDE * SIDE };
    static const struct { const char *what; float low, range; double product, forward, pixels; }
    kinds[] = { { "[0, 1)", 0, 1, 1.9e-7, 9.2e-8, 4.6e-7 },
                { "0.1", 0.1f, 0.001f, 2.1e-7, 9.0e-8, 4.6e-7 } };
    const tnn_window three = { .kernel = 3, .pad = 1 }, one = { .kernel = 1 };
    const tnn_window each = { .kernel = 3, .pad = 1, .groups = 2 };
    size_t kind;
    int i, j, k, l, u, v;
    for (kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        const float low = kinds[kind].low, range = kinds[kind].range;
        {
            float *a = positive(M * DEEP, 1, low, range), *b = positive(DEEP * M, 2, low, range);
            float *c = test_floats(M * M);
            double *want = zeroed(M * M);
            for (k = 0; k < DEEP; k++)
            for (i = 0; i < M; i++)
            for (j = 0; j < M; j++)
                want[i * M + j] += (double)a[i * DEEP + k] * (double)b[k * M + j];
            tnn_matmul(matrix(c, M, M), matrix(a, M, DEEP), matrix(b, DEEP, M), 0);
            near("product", c, want, M * M, kinds[kind].product);
            test_release_all();
        }
        {
            float *x = positive(C * H * H, 1, low, range), *w = positive(F * C * 9, 2, low, range);
            float *y = test_floats(F * H * H);
            double *want = zeroed(F * H * H);
            for (l = 0; l < F; l++)
            for (k = 0; k < C; k++)
            for (i = 0; i < H; i++)
            for (j = 0; j < H; j++)
            for (u = 0; u < 3; u++)
            for (v = 0; v < 3; v++)
                if (i + u > 0 && i + u <= H && j + v > 0 && j + v <= H)
                    want[(l * H + i) * H + j] += (double)w[((l * C + k) * 3 + u) * 3 + v]
                                              * (double)x[(k * H + i + u - 1) * H + j + v - 1];
            tnn_conv2d_forward(tnn_tensor_view(y, 1, F, H, H), tnn_tensor_view(x, 1, C, H, H),
                               tnn_tensor_view(w, F, C, 3, 3), NULL, three);
            near("convolution", y, want, F * H * H, kinds[kind].forward);
            test_release_all();
        }
        for (l = 0; l < 2; l++) {       /* all weights of a 1x1 one; the middle of a depthwise */
            float *x = positive(2 * ALL, 1, low, range), *dy = positive(2 * ALL, 2, low, range);
            float dw[18] = { 0 };
            double want[4] = { 0 };
            for (i = 0; i < ALL; i++)
            for (j = 0; j < 4; j++)
                want[j] += (double)dy[j / 2 * ALL + i] * (double)x[j % 2 * ALL + i];
            tnn_conv2d_backward_weights(tnn_tensor_view(dw, 2, l ? 1 : 2, l ? 3 : 1, l ? 3 : 1),
                                        NULL, tnn_tensor_view(x, 1, 2, SIDE, SIDE),
                                        tnn_tensor_view(dy, 1, 2, SIDE, SIDE), l ? each : one);
            if (l) dw[0] = dw[4], dw[1] = dw[13], want[1] = want[3];
            near(l ? "depthwise weights" : "1x1 weights", dw, want, l ? 2 : 4,
                 kinds[kind].pixels);
            test_release_all();
        }
    }
}

/* ==== WINDOWS ================================================================================= */

typedef struct window_case { int n, c, h, w, f; tnn_window k; } window_case;

static tnn_tensor view(float *data, tensor t) { return tnn_tensor_view(data, t.n, t.c, t.h, t.w); }
static int size_of(tensor t) { return t.n * values(t); }
static void describe(char *text, size_t size, const char *name, const tnn_layer *l, tensor x,
                     tensor y)
{
    const window g = window_of(l);
    snprintf(text, size, "%s %dx%dx%dx%d f%d k%dx%d s%dx%d p%dx%d d%dx%d g%d out %dx%d%s", name,
             x.n, x.c, x.h, x.w, y.c, g.k[0], g.k[1], g.s[0], g.s[1], g.p[0], g.p[1], g.d[0],
             g.d[1], l->groups, y.h, y.w, l->exclude_pad ? " exclude_pad" : "");
}
/* Goes backwards from sum dy y. */
static void backwards_from(tensor y, const float *dy)
{
    const int loss = zeros(1), n = size_of(y);
    int i;
    for (i = 0; i < n; i++) add(loss, y.at + i, number((double)dy[i]));
    backwards(loss);
}
/* What is added to n floats that were there before: their sums with the gradients. */
static double *accumulated(const float *before, int first, int n)
{
    double *sum = seen_at(first, n, 1);
    int i;
    for (i = 0; i < n; i++) sum[i] += (double)before[i];
    return sum;
}

static void one_conv(const window_case *k)
{
    const tnn_layer l = layer_with(TNN_CONV2D, &k->k, k->f);
    tensor x = { k->n, k->c, k->h, k->w, 0, 0 }, y, w = { 0, 0, 0, 0, 0, 0 };
    const window g = window_of(&l);
    const int fits = shape_of(&l, x, x, &y);
    int nx = size_of(x), ny = size_of(y), nw, nb, b, n, c, i, j;
    float *xs, *ws, *bs, *dy, *dw, *db, *dx, *ys, *before;
    char what[120];
    CHECK(fits, "a window does not fit");
    parameters_of(&l, x, y, &nw, &nb);
    w.n = y.c, w.c = x.c / either(l.groups, 0, 1), w.h = g.k[0], w.w = g.k[1];
    xs = test_values((size_t)nx, 1), ws = test_values((size_t)nw, 2);
    bs = test_values((size_t)nb, 3), dy = test_values((size_t)ny, 4);
    dw = test_values((size_t)nw, 5), db = test_values((size_t)nb, 6);
    before = test_values((size_t)nw, 5);
    dx = test_floats((size_t)nx), ys = test_floats((size_t)ny);
    forget();
    x.at = numbers_of(xs, nx), w.at = numbers_of(ws, nw), b = numbers_of(bs, nb);
    y.at = zeros(ny);

    apply(&l, y, x, x, w.at, -1, 0, NULL, NULL);
    describe(what, sizeof what, "y without bias,", &l, x, y);
    CHECK(tnn_conv2d_forward(view(ys, y), view(xs, x), view(ws, w), NULL, k->k) == TNN_OK,
          "%s: %s", what, tnn_error());
    CHECK_CLOSE(what, ys, seen_at(y.at, ny, 0), ny, 2e-6);
    CHECK_REPEATS(what, ys, ny);

    EACH(y) add(AT(y), b + c, ONE);
    describe(what, sizeof what, "y,", &l, x, y);
    CHECK(tnn_conv2d_forward(view(ys, y), view(xs, x), view(ws, w), bs, k->k) == TNN_OK,
          "%s: %s", what, tnn_error());
    CHECK_CLOSE(what, ys, seen_at(y.at, ny, 0), ny, 2e-6);
    CHECK_REPEATS(what, ys, ny);

    backwards_from(y, dy);
    describe(what, sizeof what, "dx,", &l, x, y);
    CHECK(tnn_conv2d_backward_input(view(dx, x), view(dy, y), view(ws, w), k->k) == TNN_OK,
          "%s: %s", what, tnn_error());
    CHECK_CLOSE(what, dx, seen_at(x.at, nx, 1), nx, 2e-6);
    CHECK_REPEATS(what, dx, nx);

    describe(what, sizeof what, "dw,", &l, x, y);
    CHECK(tnn_conv2d_backward_weights(view(dw, w), db, view(xs, x), view(dy, y), k->k) == TNN_OK,
          "%s: %s", what, tnn_error());
    CHECK_CLOSE(what, dw, accumulated(before, w.at, nw), nw, 3e-6);
    CHECK_REPEATS(what, dw, nw);
    describe(what, sizeof what, "db,", &l, x, y);
    CHECK_CLOSE(what, db, accumulated(test_values((size_t)nb, 6), b, nb), nb, 3e-6);
    CHECK_REPEATS(what, db, nb);

    test_fill(dw, (size_t)nw, 5);               /* db may be absent */
    describe(what, sizeof what, "dw without db,", &l, x, y);
    CHECK(tnn_conv2d_backward_weights(view(dw, w), NULL, view(xs, x), view(dy, y), k->k) == TNN_OK,
          "%s: %s", what, tnn_error());
    CHECK_CLOSE(what, dw, accumulated(before, w.at, nw), nw, 3e-6);
    test_release_all();
}

static void conv_chosen(void)
{
    static const window_case cases[] = {
        { 1, 1, 1, 1, 1, { .kernel = 1 } },
        { 2, 3, 5, 7, 4, { .kernel = 1 } },
        { 3, 17, 4, 4, 33, { .kernel = 1 } },
        { 2, 3, 6, 5, 5, { .kernel = 3 } },
        { 2, 1, 28, 28, 8, { .kernel = 3, .pad = 1 } },
        { 2, 16, 14, 14, 20, { .kernel = 3, .pad = 1 } },
        { 1, 5, 9, 11, 18, { .kernel = 5, .pad = 2 } },
        { 1, 2, 13, 12, 3, { .kernel = 7, .pad = 3, .stride = 2 } },
        { 2, 4, 7, 9, 6, { .kernel_h = 3, .kernel_w = 5 } },
        { 2, 4, 9, 7, 6, { .kernel_h = 5, .kernel_w = 1, .pad_h = 2 } },
        { 2, 4, 7, 9, 6, { .kernel_h = 1, .kernel_w = 4, .pad_w = 3, .stride_w = 2 } },
        { 2, 3, 8, 9, 7, { .kernel = 3, .stride_h = 2, .stride_w = 3, .pad_h = 1, .pad_w = 2 } },
        { 2, 3, 11, 10, 7, { .kernel = 2, .stride = 4 } },              /* stride > kernel */
        { 2, 3, 10, 10, 5, { .kernel = 1, .stride = 3 } },
        { 2, 3, 7, 7, 5, { .kernel = 1, .stride = 2, .pad = 1 } },
        { 1, 3, 5, 4, 5, { .kernel = 2, .pad = 3 } },                   /* pad > kernel - 1 */
        { 1, 3, 2, 2, 5, { .kernel = 3, .pad = 4, .stride = 2 } },
        { 1, 2, 3, 3, 5, { .kernel = 1, .pad = 2 } },
        { 2, 3, 9, 9, 4, { .kernel = 3, .dilation = 2 } },
        { 2, 3, 9, 12, 4, { .kernel = 3, .dilation_h = 1, .dilation_w = 3, .pad = 2 } },
        { 1, 2, 8, 8, 4, { .kernel = 2, .dilation = 5, .pad = 1, .stride = 2 } },
        { 2, 6, 7, 7, 9, { .kernel = 3, .groups = 3, .pad = 1 } },
        { 2, 8, 6, 6, 8, { .kernel = 3, .groups = 8, .pad = 1 } },      /* depthwise */
        { 1, 5, 8, 7, 15, { .kernel = 3, .groups = 5, .stride = 2 } },
        { 2, 4, 5, 5, 6, { .kernel = 1, .groups = 2 } },
        { 1, 32, 6, 6, 32, { .kernel = 3, .groups = 2, .pad = 1 } },
        { 2, 40, 3, 3, 24, { .kernel = 3 } },                           /* output 1x1 */
        { 5, 3, 4, 4, 2, { .kernel = 4 } },
        { 1, 3, 1, 40, 5, { .kernel_h = 1, .kernel_w = 3, .pad_w = 1 } },
        { 1, 3, 40, 1, 5, { .kernel_h = 3, .kernel_w = 1, .pad_h = 1 } },
        { 1, 3, 2, 2, 4, { .kernel = 5, .pad = 2 } },                   /* kernel > image */
        { 7, 2, 3, 3, 3, { .kernel = 2, .stride = 2 } }                 /* a row unused */
    };
    size_t i;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) one_conv(&cases[i]);
}

static void conv_random(void)
{
    uint32_t state = 1000;
    int done = 0;
    while (done < 150) {
        const tensor none = { 0, 0, 0, 0, 0, 0 };
        tensor x = none, y;
        tnn_layer l;
        window_case k;
        int groups = test_pick(&state, 0, 3) ? 1 : test_pick(&state, 2, 4);
        k.n = test_pick(&state, 1, 3);
        k.c = groups * test_pick(&state, 1, groups > 1 ? 3 : 9);
        k.f = groups * test_pick(&state, 1, groups > 1 ? 3 : 20);
        k.h = test_pick(&state, 1, 11);
        k.w = test_pick(&state, 1, 19);
        draw_window(&state, &k.k, 0);
        k.k.groups = groups;
        l = layer_with(TNN_CONV2D, &k.k, k.f);
        x.n = k.n, x.c = k.c, x.h = k.h, x.w = k.w;
        if (!shape_of(&l, x, x, &y)) continue;
        one_conv(&k);
        done++;
    }
}

/* The place in its window of the first maximum that y[n,c,i,j] is. */
static int place_of(const tnn_layer *l, tensor x, int n, int c, int i, int j)
{
    const window g = window_of(l);
    int u, v, best = -1;
    double most = 0;
    for (u = 0; u < g.k[0]; u++)
    for (v = 0; v < g.k[1]; v++) {
        int row = i * g.s[0] + u * g.d[0] - g.p[0], col = j * g.s[1] + v * g.d[1] - g.p[1];
        if (row < 0 || row >= x.h || col < 0 || col >= x.w) continue;
        if (best >= 0 && nodes[place(x, n, c, row, col)].v <= most) continue;
        best = u * g.k[1] + v, most = nodes[place(x, n, c, row, col)].v;
    }
    return best;
}

static void one_pool(const window_case *k, int average)
{
    const tnn_layer l = layer_with(average ? TNN_AVGPOOL2D : TNN_MAXPOOL2D, &k->k, 0);
    tensor x = { k->n, k->c, k->h, k->w, 0, 0 }, y;
    const int fits = shape_of(&l, x, x, &y), nx = size_of(x), ny = size_of(y);
    float *xs = test_values((size_t)nx, 1), *dy = test_values((size_t)ny, 2);
    float *ys = test_floats((size_t)ny), *dx = test_floats((size_t)nx);
    float *where = test_floats((size_t)ny);
    int n, c, i, j;
    char what[120];
    CHECK(fits, "a window does not fit");
    if (!average)       /* few different values: ties must go to the first */
        for (i = 0; i < nx; i++) xs[i] = (float)((int)(test_hash(3, (uint32_t)i) % 7) - 3);
    forget();
    x.at = numbers_of(xs, nx), y.at = zeros(ny);
    apply(&l, y, x, x, -1, -1, 0, NULL, NULL);
    if (average) {
        describe(what, sizeof what, "avgpool y,", &l, x, y);
        CHECK(tnn_avgpool2d_forward(view(ys, y), view(xs, x), k->k) == TNN_OK, "%s: %s", what,
              tnn_error());
        CHECK_CLOSE(what, ys, seen_at(y.at, ny, 0), ny, 1e-6);
        CHECK_REPEATS(what, ys, ny);
        CHECK(tnn_avgpool2d_backward(view(dx, x), view(dy, y), k->k) == TNN_OK, "%s: %s", what,
              tnn_error());
    } else {
        double *places = zeroed(ny);
        EACH(y) places[AT(y) - y.at] = place_of(&l, x, n, c, i, j);
        describe(what, sizeof what, "maxpool y,", &l, x, y);
        CHECK(tnn_maxpool2d_forward(view(ys, y), NULL, view(xs, x), k->k) == TNN_OK, "%s: %s",
              what, tnn_error());
        CHECK_CLOSE(what, ys, seen_at(y.at, ny, 0), ny, 0);
        for (i = 0; i < ny; i++) ys[i] = -9;
        CHECK(tnn_maxpool2d_forward(view(ys, y), where, view(xs, x), k->k) == TNN_OK, "%s: %s",
              what, tnn_error());
        CHECK_CLOSE(what, ys, seen_at(y.at, ny, 0), ny, 0);
        describe(what, sizeof what, "maxpool where,", &l, x, y);
        CHECK_CLOSE(what, where, places, ny, 0);
        describe(what, sizeof what, "maxpool dx,", &l, x, y);
        CHECK(tnn_maxpool2d_backward(view(dx, x), view(dy, y), where, k->k) == TNN_OK, "%s: %s",
              what, tnn_error());
    }
    backwards_from(y, dy);
    describe(what, sizeof what, "dx,", &l, x, y);
    CHECK_CLOSE(what, dx, seen_at(x.at, nx, 1), nx, 1e-6);
    CHECK_REPEATS(what, dx, nx);
    test_release_all();
}

static const window_case pool_cases[] = {
    { 1, 1, 1, 1, 0, { .kernel = 1 } },
    { 2, 3, 4, 4, 0, { .kernel = 2 } },
    { 2, 3, 28, 28, 0, { .kernel = 2 } },
    { 1, 20, 7, 5, 0, { .kernel = 2 } },
    { 1, 2, 7, 5, 0, { .kernel = 2, .ceil = 1 } },
    { 2, 17, 9, 9, 0, { .kernel = 3, .stride = 2 } },
    { 2, 3, 9, 9, 0, { .kernel = 3, .stride = 2, .pad = 1 } },
    { 2, 3, 10, 8, 0, { .kernel = 3, .stride = 2, .pad = 1, .ceil = 1 } },
    { 2, 3, 10, 8, 0, { .kernel = 3, .stride = 1, .pad = 1 } },
    { 1, 3, 11, 12, 0, { .kernel = 2, .stride = 5 } },              /* stride > kernel */
    { 1, 3, 11, 12, 0, { .kernel = 2, .stride = 5, .ceil = 1 } },
    { 1, 3, 6, 9, 0, { .kernel_h = 2, .kernel_w = 3 } },
    { 1, 3, 6, 9, 0, { .kernel_h = 1, .kernel_w = 4, .stride_h = 2, .stride_w = 1, .pad_w = 2 } },
    { 3, 2, 5, 6, 0, { .kernel_h = 5, .kernel_w = 6 } },            /* the whole image */
    { 1, 1, 3, 3, 0, { .kernel = 2, .stride = 2, .pad = 1, .ceil = 1 } },
    { 1, 2, 2, 2, 0, { .kernel = 4, .stride = 1, .pad = 2 } },
    { 2, 3, 2, 2, 0, { .kernel = 3, .stride = 2, .ceil = 1 } },     /* larger than the image */
    { 1, 17, 1, 4, 0, { .kernel = 4, .stride = 3, .pad = 1, .ceil = 1 } }
};

static void pools(int average, uint32_t state)
{
    size_t i;
    int done = 0;
    for (i = 0; i < sizeof pool_cases / sizeof *pool_cases; i++) {
        window_case k = pool_cases[i];
        one_pool(&k, average);
        k.k.exclude_pad = 1;
        if (average && k.k.pad + k.k.pad_w + k.k.ceil) one_pool(&k, average);
    }
    while (done < 120) {
        const tensor none = { 0, 0, 0, 0, 0, 0 };
        tensor x = none, y;
        tnn_layer l;
        window_case k;
        k.n = test_pick(&state, 1, 3);
        k.c = test_pick(&state, 1, 20);
        k.h = test_pick(&state, 1, 12);
        k.w = test_pick(&state, 1, 20);
        k.f = 0;
        draw_window(&state, &k.k, average ? TNN_AVGPOOL2D : TNN_MAXPOOL2D);
        l = layer_with(average ? TNN_AVGPOOL2D : TNN_MAXPOOL2D, &k.k, 0);
        x.n = k.n, x.c = k.c, x.h = k.h, x.w = k.w;
        if (!shape_of(&l, x, x, &y) || !sees_image(&l, x, y)) continue;
        one_pool(&k, average);
        done++;
    }
}

/* Numbers that are none. */
static void maxpool_special(void)
{
    static const window_case k = { 1, 1, 4, 6, 0, { .kernel = 2 } };
    float *x = test_values(24, 1), *y = test_floats(6), *where = test_floats(6);
    float *dx = test_floats(24);
    tnn_tensor X = tnn_tensor_view(x, 1, 1, 4, 6), DX = tnn_tensor_view(dx, 1, 1, 4, 6);
    tnn_tensor Y = tnn_tensor_view(y, 1, 1, 2, 3);
    tnn_window padded = { .kernel = 3, .stride = 3, .pad = 1 };
    tnn_window apart = { .kernel = 2, .stride = 1, .pad = 1, .dilation = 3 };
    int i, bad = 0;
    x[1] = x[13] = (float)NAN;                  /* second and third place of their windows */
    x[10] = (float)INFINITY;                    /* third place of the third window         */
    CHECK(tnn_maxpool2d_forward(Y, where, X, k.k) == TNN_OK, "%s", tnn_error());
    CHECK(y[0] != y[0] && where[0] == 1, "NaN in place 1: %g from %g", (double)y[0],
          (double)where[0]);
    CHECK(y[3] != y[3] && where[3] == 1, "NaN in place 1: %g from %g", (double)y[3],
          (double)where[3]);
    CHECK(y[2] > 1 && where[2] == 2, "infinity in place 2: %g from %g", (double)y[2],
          (double)where[2]);
    for (i = 0; i < 24; i++) x[i] = -(float)INFINITY;
    Y = tnn_tensor_view(y, 1, 1, 2, 2);
    CHECK(tnn_maxpool2d_forward(Y, where, X, padded) == TNN_OK, "%s", tnn_error());
    for (i = 0; i < 4; i++) bad += !(y[i] < -1);
    CHECK(!bad, "-infinity alone: %g", (double)y[0]);
    CHECK(where[0] == 4, "the first place in the image is 4, not %g", (double)where[0]);
    for (i = 0; i < 4; i++) y[i] = 1;
    CHECK(tnn_maxpool2d_backward(DX, Y, where, padded) == TNN_OK, "%s", tnn_error());
    CHECK(dx[0] == 1, "its gradient is lost: %g", (double)dx[0]);

    /* 2x2 image, taps at -1 and 2: the window sees padding only. Nothing is written outside. */
    X = tnn_tensor_view(x, 1, 1, 2, 2);
    DX = tnn_tensor_view(dx, 1, 1, 2, 2);
    Y = tnn_tensor_view(y, 1, 1, 1, 1);
    x[0] = x[1] = x[2] = x[3] = 1;
    if (tnn_maxpool2d_forward(Y, where, X, apart) == TNN_OK) {
        CHECK(y[0] < -1, "a window of padding: %g", (double)y[0]);
        y[0] = 1;
        tnn_maxpool2d_backward(DX, Y, where, apart);
    }
    tnn_clear_error();
    test_release_all();
}

static void maxpool(void) { pools(0, 5000); maxpool_special(); }
static void avgpool(void) { pools(1, 6000); }

/* ==== SOFTMAX AND SUMS ======================================================================== */

static void softmaxes(void)
{
    static const int shapes[][2] = {
        { 1, 1 }, { 3, 2 }, { 5, 3 }, { 4, 10 }, { 2, 15 }, { 2, 16 }, { 3, 17 }, { 1, 33 },
        { 7, 24 }, { 2, 100 }, { 1, 1000 }, { 70, 10 }
    };
    static const float scales[] = { 1, 8, 80, 1e4f, 1e30f };
    size_t s, k;
    int i, n, in_place;
    char what[80];
    for (s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (k = 0; k < sizeof scales / sizeof *scales; k++)
    for (in_place = 0; in_place < 2; in_place++) {
        int rows = shapes[s][0], classes = shapes[s][1];
        float *x, *y;
        tensor of = { rows, classes, 1, 1, 0, 0 }, p = of, logs = of;
        n = rows * classes;
        x = test_values((size_t)n, (uint32_t)(s + k));
        y = in_place ? x : test_floats((size_t)n);
        for (i = 0; i < n; i++) x[i] *= scales[k];
        forget();
        of.at = numbers_of(x, n), p.at = zeros(n), logs.at = zeros(n);
        softmax(p, of, 0), softmax(logs, of, 1);
        snprintf(what, sizeof what, "%dx%d of %g", rows, classes, (double)scales[k]);
        CHECK(tnn_softmax(matrix(y, rows, classes), matrix(x, rows, classes)) == TNN_OK, "%s",
              tnn_error());
        CHECK_CLOSE(what, y, seen_at(p.at, n, 0), n, 2e-6);
        CHECK_REPEATS(what, y, n);
        if (in_place) {
            test_fill(x, (size_t)n, (uint32_t)(s + k));
            for (i = 0; i < n; i++) x[i] *= scales[k];
        }
        snprintf(what, sizeof what, "log, %dx%d of %g", rows, classes, (double)scales[k]);
        CHECK(tnn_log_softmax(matrix(y, rows, classes), matrix(x, rows, classes)) == TNN_OK, "%s",
              tnn_error());
        CHECK_CLOSE(what, y, seen_at(logs.at, n, 0), n, 2e-6);
        CHECK_REPEATS(what, y, n);
        test_release_all();
    }
    {   /* small log-probabilities to the last digits: log(1 + e^-10) */
        float x[2] = { 5, -5 }, y[2];
        CHECK(tnn_log_softmax(matrix(y, 1, 2), matrix(x, 1, 2)) == TNN_OK, "%s", tnn_error());
        CHECK(fabs((double)y[0] + 4.5398899216870535e-05) < 2e-7, "log(1 + e^-10): %g",
              (double)y[0]);
    }
}

static void reductions(void)
{
    static const int sizes[] = { 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100, 255,
                                 256, 257, 1000, 4099, 65536, 100003 };
    size_t s;
    int i, n;
    for (s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        float *x, *y, got[4];
        double sum = 0, absolute = 0, dot = 0, absolute_dot = 0, largest;
        int at = 0;
        n = sizes[s];
        x = test_values((size_t)n, 1), y = test_values((size_t)n, 2);
        largest = x[0];
        for (i = 0; i < n; i++) {
            sum += x[i], absolute += fabs((double)x[i]);
            dot += (double)x[i] * (double)y[i];
            absolute_dot += fabs((double)x[i] * (double)y[i]);
            if (x[i] > (float)largest) largest = x[i], at = i;
        }
        got[0] = tnn_sum(matrix(x, 1, n)), got[1] = tnn_mean(matrix(x, 1, n));
        got[2] = tnn_max(matrix(x, 1, n)), got[3] = tnn_dot(matrix(x, 1, n), matrix(y, 1, n));
        /* against the sum of absolute values, as terms may cancel */
        CHECK_NEAR("sum", (double)got[0] - sum + absolute, absolute, 1e-6);
        CHECK_NEAR("mean", ((double)got[1] - sum / n) * n + absolute, absolute, 1e-6);
        CHECK(got[2] == (float)largest, "max of %d: %g, not %g", n, (double)got[2], largest);
        CHECK_NEAR("dot", (double)got[3] - dot + absolute_dot, absolute_dot, 1e-6);
        CHECK(tnn_argmax(x, n) == at, "argmax of %d: %d, not %d", n, tnn_argmax(x, n), at);
        CHECK_REPEATS("reductions", got, 4);
        for (i = 0; i < n; i++) x[i] = -3;                  /* the first of equal ones */
        CHECK(tnn_argmax(x, n) == 0, "argmax of %d equal: %d", n, tnn_argmax(x, n));
        x[n - 1] = x[n / 2] = -2;
        CHECK(tnn_argmax(x, n) == n / 2, "argmax of %d: %d, not %d", n, tnn_argmax(x, n), n / 2);
        CHECK(tnn_max(matrix(x, 1, n)) == -2, "max of negative numbers");
        test_release_all();
    }
}

/* ==== SIZES WORTH THREADS ===================================================================== */

/* Bits only: large enough that threads and every blocking take part. */
static void large(void)
{
    static const window_case cases[] = {
        { 8, 1, 28, 28, 32, { .kernel = 3, .pad = 1 } },
        { 8, 32, 14, 14, 64, { .kernel = 3, .pad = 1 } },
        { 3, 20, 17, 19, 37, { .kernel = 5, .pad = 2, .stride = 2 } },
        { 2, 64, 14, 14, 64, { .kernel = 3, .pad = 1, .groups = 64 } },
        { 2, 64, 15, 15, 96, { .kernel = 1 } }
    };
    size_t k;
    int flags;
    for (flags = 0; flags < 4; flags++) {
        float *a = test_values(203 * 517, 1), *b = test_values(517 * 161, 2);
        float *c = test_floats(203 * 161);
        tnn_matmul(matrix(c, 203, 161), flags & 1 ? matrix(a, 517, 203) : matrix(a, 203, 517),
                   flags & 2 ? matrix(b, 161, 517) : matrix(b, 517, 161),
                   flags*TNN_TRANSPOSE_A);
        CHECK_REPEATS("matmul 203x161x517", c, 203 * 161);
        test_release_all();
    }
    for (k = 0; k < sizeof cases / sizeof *cases; k++) {
        const tnn_window *o = &cases[k].k;
        const tnn_layer l = layer_with(TNN_CONV2D, o, cases[k].f);
        tensor x = { cases[k].n, cases[k].c, cases[k].h, cases[k].w, 0, 0 }, y;
        const tensor w = { cases[k].f, x.c / either(o->groups, 0, 1), o->kernel, o->kernel, 0, 0 };
        const int fits = shape_of(&l, x, x, &y), nx = size_of(x), ny = size_of(y), nw = size_of(w);
        float *xs = test_values((size_t)nx, 1), *ws = test_values((size_t)nw, 2);
        float *b = test_values((size_t)y.c, 3), *dy = test_values((size_t)ny, 4);
        float *ys = test_floats((size_t)ny), *dx = test_floats((size_t)nx);
        float *dw = test_values((size_t)nw, 5), *db = test_values((size_t)y.c, 6);
        CHECK(fits, "a window does not fit");
        tnn_conv2d_forward(view(ys, y), view(xs, x), view(ws, w), b, *o);
        CHECK_REPEATS("y", ys, ny);
        tnn_conv2d_backward_input(view(dx, x), view(dy, y), view(ws, w), *o);
        CHECK_REPEATS("dx", dx, nx);
        tnn_conv2d_backward_weights(view(dw, w), db, view(xs, x), view(dy, y), *o);
        CHECK_REPEATS("dw", dw, nw);
        CHECK_REPEATS("db", db, y.c);
        test_release_all();
    }
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    EACH_SETTING("matmul", matmul);
    RUN("long sums of products", long_sums);
    EACH_SETTING("conv2d, chosen", conv_chosen);
    EACH_SETTING("conv2d, random", conv_random);
    EACH_SETTING("maxpool2d", maxpool);
    EACH_SETTING("avgpool2d", avgpool);
    EACH_SETTING("softmax", softmaxes);
    EACH_SETTING("reductions", reductions);
    EACH_SETTING("large tensors", large);
    return test_finish();
}
