/* test_init.c - initial values: each kind's distribution, structure and options

   Draws are held against their distribution by mean, deviation, bounds and Kolmogorov and Smirnov's
   distance; structured matrices against their definition. */
#include <stdlib.h>
#include "test.h"

#define MOST 40000
static float  w[MOST], b[200];
static double wide[MOST];

/* The weights and biases of a layer on an input of `in` channels and size x size pixels. */
static int start(tnn_layer layer, int in, int size, uint64_t seed)
{
    tnn_net *net = tnn_create(.input = { in, size, size }, .batch = 1, .seed = seed);
    int count = 0;
    tnn_add_with(net, &layer);
    if (tnn_param_count(net) > 0) {
        count = tnn_param_info(net, 0).count;
        CHECK(tnn_get_param(net, "0.weight", w, count) == TNN_OK, "%s", tnn_error());
    }
    if (tnn_param_count(net) > 1) tnn_get_param(net, "0.bias", b, tnn_param_info(net, 1).count);
    tnn_free(net);
    return count;
}
static tnn_layer dense(int units, tnn_init init)
{
    tnn_layer layer;
    memset(&layer, 0, sizeof layer);
    layer.type = TNN_DENSE;
    layer.units = units;
    layer.init = init;
    return layer;
}
static tnn_layer conv(int filters, int kernel, int groups, tnn_init init)
{
    tnn_layer layer = dense(0, init);
    layer.type = TNN_CONV2D;
    layer.filters = filters;
    layer.kernel = kernel;
    layer.pad = kernel / 2;
    layer.groups = groups;
    return layer;
}

/* ==== AS THEY ALWAYS WERE ===================================================================== */

/* The first six written down before there were options. */
static void settled(void)
{
    tnn_net *drawn;
    static const uint64_t hashes[] = {
        0xeaf1e64fe3396969u, 0xd0194435ffdcb57eu, 0x94ff1283fc1f48b9u, 0x352beb4a931daab9u,
        0xdb02f9aa3c01535au, 0x4350f506ea09c275u,
    };
    int k;
    for (k = 0; k < 6; k++) {
        const tnn_init init = (tnn_init)(k ? TNN_INIT_HE_UNIFORM - 1 + k : 0);
        tnn_net *net = tnn_create(.input = { 4, 9, 8 }, .batch = 1, .seed = 77);
        tnn_add(net, TNN_CONV2D, .filters = 6, .kernel_h = 3, .kernel_w = 2, .groups = 2,
                .init = init);
        tnn_add(net, TNN_RELU);
        tnn_add(net, TNN_CONV2D, .filters = 21, .kernel = 3, .init = init);
        tnn_add(net, TNN_DENSE, .units = 37, .init = init);
        tnn_add(net, TNN_DENSE, .units = 10, .no_bias = 1, .init = init);
        CHECK(tnn_hash(net) == hashes[k], "init %d: %016llx", k, (unsigned long long)tnn_hash(net));
        tnn_free(net);
    }
    drawn = tnn_create(.input = { 4, 9, 8 }, .batch = 1, .seed = 77);
    tnn_add(drawn, TNN_CONV2D, .filters = 6, .kernel = 3, .groups = 2, .init = TNN_INIT_TRUNCATED);
    tnn_add(drawn, TNN_CONV2D, .filters = 20, .kernel = 3, .init = TNN_INIT_HE_NORMAL,
            .init_with = { .truncated = 1 }, .bias_init = TNN_INIT_NORMAL);
    tnn_add(drawn, TNN_DENSE, .units = 50, .init = TNN_INIT_ORTHOGONAL,
            .init_with = { .gain = 1.3 });
    tnn_add(drawn, TNN_DENSE, .units = 10, .init = TNN_INIT_SPARSE,
            .init_with = { .sparsity = 0.3 });
    CHECK(tnn_hash(drawn) == 0xeff8b63a613b0fadu, "drawn: %016llx",
          (unsigned long long)tnn_hash(drawn));
    tnn_free(drawn);
}

/* ==== DISTRIBUTIONS =========================================================================== */

static int ascending(const void *p, const void *q)
{
    double x = *(const double *)p, y = *(const double *)q;
    return (x > y) - (x < y);
}
static double normal_cdf(double z) { return 0.5 * erfc(-z / sqrt(2)); }

/* x[0..n) against the normal distribution of that mean and deviation within [lo, hi], or with
   deviation 0 the uniform one. */
static void check_draws(const char *what, const float *x, int n, double mean, double std,
                        double lo, double hi)
{
    double sum = 0, want_sum = 0, squares = 0, want_squares = 0, distance = 0, deviation;
    int i;
    for (i = 0; i < n; i++) {
        wide[i] = (double)x[i];
        sum += wide[i];
        CHECK(wide[i] >= lo - 1e-7 * fabs(lo) && wide[i] <= hi + 1e-7 * fabs(hi),
              "%s: %g is outside of [%g, %g]", what, wide[i], lo, hi);
    }
    /* the distribution's own moments, by the midpoint rule over what matters of it */
    {
        double from = std > 0 && lo < mean - 9 * std ? mean - 9 * std : lo, all = 0;
        double to = std > 0 && hi > mean + 9 * std ? mean + 9 * std : hi;
        for (i = 0; i < 20000; i++) {
            double t = from + (to - from) * (i + 0.5) / 20000, z = (t - mean) / (std > 0 ? std : 1);
            double p = std > 0 ? exp(-z * z / 2) : 1;
            all += p, want_sum += p * t, want_squares += p * t * t;
        }
        want_sum /= all, want_squares /= all;
        deviation = sqrt(want_squares - want_sum * want_sum);
    }
    for (i = 0; i < n; i++) squares += (wide[i] - sum / n) * (wide[i] - sum / n);
    CHECK(fabs(sum / n - want_sum) < 4.5 * deviation / sqrt(n), "%s: mean %g, not %g", what,
          sum / n, want_sum);
    CHECK_NEAR(what, sqrt(squares / n), deviation, 4 / sqrt(n));
    qsort(wide, (size_t)n, sizeof *wide, ascending);
    for (i = 0; i < n; i++) {
        double a = std > 0 ? normal_cdf((lo - mean) / std) : 0;
        double z = std > 0 ? normal_cdf((hi - mean) / std) : 1;
        double u = std > 0 ? normal_cdf((wide[i] - mean) / std) : (wide[i] - lo) / (hi - lo);
        double away = fabs((u - a) / (z - a) - (i + 0.5) / n);
        if (away > distance) distance = away;
    }
    CHECK(distance * sqrt(n) < 1.95, "%s: distance %.4f from its distribution", what, distance);
}

/* Each name of the general rule, with its defaults and with options: variance = gain^2/fan. */
static void scaling(void)
{
    static const struct { tnn_init init; int normal; double over; tnn_fan fan; } kinds[] = {
        { TNN_INIT_DEFAULT, 0, 1.0 / 3, TNN_FAN_IN }, { TNN_INIT_FAN_IN, 0, 1.0 / 3, TNN_FAN_IN },
        { TNN_INIT_HE_UNIFORM, 0, 2, TNN_FAN_IN },    { TNN_INIT_HE_NORMAL, 1, 2, TNN_FAN_IN },
        { TNN_INIT_LECUN_UNIFORM, 0, 1, TNN_FAN_IN }, { TNN_INIT_LECUN_NORMAL, 1, 1, TNN_FAN_IN },
        { TNN_INIT_XAVIER_UNIFORM, 0, 1, TNN_FAN_AVERAGE },
        { TNN_INIT_XAVIER_NORMAL, 1, 1, TNN_FAN_AVERAGE },
    };
    static const double gains[] = { 0, 5.0 / 3, 0.3 };
    size_t k;
    static const tnn_fan mode_of[] = {TNN_FAN_DEFAULT, TNN_FAN_IN, TNN_FAN_OUT, TNN_FAN_AVERAGE};
    int g, fan, shape, truncated;
    for (k = 0; k < sizeof kinds / sizeof *kinds; k++)
    for (g = 0; g < 3; g++)
    for (fan = 0; fan <= 3; fan++)
    for (shape = 0; shape < 2; shape++)
    for (truncated = 0; truncated <= kinds[k].normal; truncated++) {
        tnn_layer layer = shape ? conv(90, 3, 2, kinds[k].init) : dense(100, kinds[k].init);
        double fan_in = shape ? 6 * 9 : 192, fan_out = shape ? 90 * 9 : 100, n, std;
        tnn_fan mode = fan ? mode_of[fan] : kinds[k].fan;
        char what[80];
        int count;
        if (g == 2 && fan) continue;
        layer.init_with.gain = gains[g];
        layer.init_with.fan = mode_of[fan];
        layer.init_with.truncated = truncated;
        count = start(layer, 12, shape ? 5 : 4, 100 + (uint64_t)(g + fan));
        CHECK(count == (shape ? 90 * 54 : 19200), "%d weights", count);
        n = mode == TNN_FAN_IN ? fan_in : mode == TNN_FAN_OUT ? fan_out : (fan_in + fan_out) / 2;
        std = sqrt((g ? gains[g] * gains[g] : kinds[k].over) / n);
        snprintf(what, sizeof what, "init %d gain %g fan %d, %s%s", (int)kinds[k].init, gains[g],
                 fan, shape ? "conv2d" : "dense", truncated ? ", truncated" : "");
        if (truncated) {    /* what is left of a wider one has the same variance */
            double wider = std / 0.87962566103423978, squares = 0;
            int i;
            check_draws(what, w, count, 0, wider, -2 * wider, 2 * wider);
            for (i = 0; i < count; i++) squares += (double)w[i] * (double)w[i];
            CHECK_NEAR(what, sqrt(squares / count), std, 3 / sqrt(count));
        } else if (kinds[k].normal) check_draws(what, w, count, 0, std, -100 * std, 100 * std);
        else check_draws(what, w, count, 0, 0, -sqrt(3) * std, sqrt(3) * std);
    }
}

static void plain(void)
{
    static const struct { tnn_init init; double mean, std, min, max; } cases[] = {
        { TNN_INIT_UNIFORM,   0, 0, 0, 0 },     { TNN_INIT_UNIFORM, 0, 0, -0.05, 0.05 },
        { TNN_INIT_UNIFORM,   0, 0, -3, TNN_ZERO },
        { TNN_INIT_NORMAL,    0, 0, 0, 0 },     { TNN_INIT_NORMAL, 0.5, 0.05, 0, 0 },
        { TNN_INIT_TRUNCATED, 0, 0, 0, 0 },     { TNN_INIT_TRUNCATED, 0, 0.02, 0, 0 },
        { TNN_INIT_TRUNCATED, 1, 1, TNN_ZERO, 1.5 },
        { TNN_INIT_TRUNCATED, 0, 1, 5, 9 },     { TNN_INIT_TRUNCATED, 2, 0.5, -9, -0.5 },
        { TNN_INIT_TRUNCATED, 0, 1, 0.999, 1.001 },
    };
    size_t k;
    int i;
    for (k = 0; k < sizeof cases / sizeof *cases; k++) {
        tnn_layer layer = dense(128, cases[k].init);
        int uniform = cases[k].init == TNN_INIT_UNIFORM, cut = cases[k].init == TNN_INIT_TRUNCATED;
        double std = uniform ? 0 : cases[k].std > 0 ? cases[k].std : 1;
        double min = cases[k].min, max = cases[k].max;
        char what[40];
        if (min == 0 && max == 0) min = cut ? -2 : 0, max = cut ? 2 : 1;
        if (!uniform && !cut) min = -1e3, max = 1e3;
        layer.init_with.mean = cases[k].mean;
        layer.init_with.std = cases[k].std;
        layer.init_with.min = cases[k].min;
        layer.init_with.max = cases[k].max;
        layer.bias_init = cases[k].init;
        layer.bias_init_with = layer.init_with;
        snprintf(what, sizeof what, "case %d", (int)k);
        check_draws(what, w, start(layer, 200, 1, k), cases[k].mean, std, min, max);
        check_draws("its biases", b, 128, cases[k].mean, std, min, max);
        CHECK(memcmp(w, b, 64), "%s: biases and weights alike", what);
    }
    /* an element is a function of its number in PyTorch's order */
    start(conv(20, 3, 1, TNN_INIT_UNIFORM), 3, 5, 9);
    for (i = 0; i < 540; i++)
        CHECK(w[i] == tnn_random_uniform(9, 0, (uint64_t)i), "weight %d: %g", i, (double)w[i]);
    for (k = 0; k < 3; k++) {
        tnn_layer layer = dense(9, k == 0 ? TNN_INIT_CONSTANT : k == 1 ? TNN_INIT_ONE
                                                                       : TNN_INIT_ZERO);
        layer.bias_init = layer.init;
        if (k == 0) layer.init_with.value = -0.25, layer.bias_init_with.value = 7;
        start(layer, 11, 1, 0);
        for (i = 0; i < 99; i++) CHECK(w[i] == (k == 0 ? -0.25f : k == 1), "%g", (double)w[i]);
        for (i = 0; i < 9; i++) CHECK(b[i] == (k == 0 ? 7 : k == 1), "bias %g", (double)b[i]);
    }
}

/* PyTorch's biases beside any weights: what they are by default beside the default weights. */
static void biases(void)
{
    tnn_layer layer = dense(50, TNN_INIT_DEFAULT);
    float kept[50];
    int i;
    start(layer, 77, 1, 5);
    memcpy(kept, b, sizeof kept);
    for (i = 0; i < 50; i++) CHECK(fabs((double)b[i]) <= 1 / sqrt(77), "%g", (double)b[i]);
    layer.init = TNN_INIT_ORTHOGONAL;
    start(layer, 77, 1, 5);
    for (i = 0; i < 50; i++) CHECK(b[i] == 0, "%g", (double)b[i]);
    layer.bias_init = TNN_INIT_FAN_IN;
    start(layer, 77, 1, 5);
    CHECK_SAME("biases", b, kept, sizeof kept);
    layer.init = TNN_INIT_DEFAULT;
    layer.init_with.gain = TNN_ZERO;
    start(layer, 77, 1, 5);
    for (i = 0; i < 50 * 77; i++) CHECK(w[i] == 0, "gain 0: %g", (double)w[i]);
    layer.bias_init = TNN_INIT_ZERO;
    start(layer, 77, 1, 5);
    for (i = 0; i < 50; i++) CHECK(b[i] == 0, "%g", (double)b[i]);
}

/* ==== STRUCTURE =============================================================================== */

static void orthogonal(void)
{
    static const int shapes[][5] = {    /* units or filters, channels, size, kernel, groups */
        { 30, 50, 1, 0, 1 }, { 50, 30, 1, 0, 1 }, { 1, 40, 1, 0, 1 }, { 40, 1, 1, 0, 1 },
        { 24, 24, 1, 0, 1 }, { 10, 3, 5, 0, 1 },  { 18, 8, 7, 3, 1 }, { 70, 6, 7, 3, 2 },
        { 100, 390, 1, 0, 1 },
    };
    double worst = 0;
    size_t k;
    for (k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        const int *s = shapes[k];
        tnn_layer layer = s[3] ? conv(s[0], s[3], s[4], TNN_INIT_ORTHOGONAL)
                               : dense(s[0], TNN_INIT_ORTHOGONAL);
        double gain = k % 2 ? 1.5 : 1;
        int count, rows = s[0], cols, tall, few, many, i, j, at;
        if (k % 2) layer.init_with.gain = gain;
        count = start(layer, s[1], s[2], 40 + k);
        cols = count / rows;
        tall = rows > cols, few = tall ? cols : rows, many = tall ? rows : cols;
        for (i = 0; i < few; i++)
        for (j = 0; j <= i; j++) {
            double dot = 0, r = 0;
            for (at = 0; at < many; at++) {
                int pi = tall ? at * cols + i : i * cols + at;
                int pj = tall ? at * cols + j : j * cols + at;
                dot += (double)w[pi] * (double)w[pj];
                r += (double)w[pi] * (double)tnn_random_normal(40 + k, 0, (uint64_t)pj);
            }
            dot = fabs(dot / (gain * gain) - (i == j));
            if (dot > worst) worst = dot;
            /* R = Q^T A is triangular, its diagonal positive */
            if (i == j) CHECK(r > 0, "%d x %d: R[%d,%d] = %g", rows, cols, i, i, r);
            else CHECK(fabs(r) < 1e-4 * sqrt(many), "%d x %d: R[%d,%d] = %g", rows, cols, i, j, r);
        }
    }
    CHECK(worst < 1e-6, "dot products off by %g", worst);
    test_note("dot products to %.1e", worst);
}

static void eye(void)
{
    static const int shapes[][3] = { { 6, 6, 1 }, { 8, 5, 1 }, { 3, 7, 1 }, { 6, 6, 2 },
                                     { 12, 6, 3 }, { 4, 8, 2 } };
    tnn_layer layer = dense(7, TNN_INIT_EYE);
    float x[8 * 25];
    int k, i, kernel;
    start(layer, 9, 1, 1);
    for (i = 0; i < 63; i++) CHECK(w[i] == (i / 9 == i % 9), "%d: %g", i, (double)w[i]);
    layer.init_with.gain = 0.5;
    start(layer, 5, 1, 1);
    for (i = 0; i < 35; i++) CHECK(w[i] == 0.5f * (i / 5 == i % 5), "%d: %g", i, (double)w[i]);
    test_fill(x, 200, 1);
    for (k = 0; k < 6; k++)
    for (kernel = 1; kernel <= 5; kernel += 2) {
        int filters = shapes[k][0], in = shapes[k][1], groups = shapes[k][2], o;
        tnn_net *net = tnn_create(.input = { in, 5, 5 }, .batch = 1);
        const float *y;
        layer = conv(filters, kernel, groups, TNN_INIT_EYE);
        tnn_add_with(net, &layer);
        tnn_forward(net, x, 1, TNN_EVAL);
        y = tnn_output(net);
        for (o = 0; y && o < filters; o++) {
            int per = filters / groups, channel = o % per;
            for (i = 0; i < 25; i++) {
                float want = channel < in / groups ? x[(o / per * (in / groups) + channel) * 25 + i]
                                                   : 0;
                CHECK(y[o * 25 + i] == want, "filter %d: %g, not %g", o, (double)y[o * 25 + i],
                      (double)want);
            }
        }
        tnn_free(net);
    }
    /* an even window: the element after its middle, as torch's dirac_ */
    layer = conv(1, 4, 1, TNN_INIT_EYE);
    layer.kernel_w = 2;
    start(layer, 1, 6, 1);
    for (i = 0; i < 8; i++) CHECK(w[i] == (i == 5), "%d: %g", i, (double)w[i]);
}

static void sparse(void)
{
    static const double fractions[] = { 0.1, 0.5, 0.77, 1 };
    int k, r, c, rows = 60, cols = 400;
    for (k = 0; k < 4; k++) {
        tnn_layer layer = dense(rows, TNN_INIT_SPARSE);
        int zeros = (int)ceil(fractions[k] * rows), of_row[60] = { 0 }, n = 0;
        double chi = 0;
        layer.init_with.sparsity = fractions[k];
        if (k == 1) layer.init_with.std = 2;
        start(layer, cols, 1, 3);
        for (c = 0; c < cols; c++) {
            int found = 0;
            for (r = 0; r < rows; r++) {
                float v = w[r * cols + c];
                if (v == 0) found++, of_row[r]++;
                else w[30000 + n++ % 10000] = v;
            }
            CHECK(found == zeros, "column %d: %d zeros, not %d", c, found, zeros);
        }
        if (k == 3) continue;
        if (n > 10000) n = 10000;
        check_draws("what is not 0", w + 30000, n, 0, k == 1 ? 2 : 0.01, -20, 20);
        for (r = 0; r < rows; r++) {
            double want = (double)cols * zeros / rows, p = (double)zeros / rows;
            chi += (of_row[r] - want) * (of_row[r] - want) / (want * (1 - p));
        }
        CHECK(chi < 59 + 4.5 * sqrt(2 * 59.0), "zeros per row: chi squared %g of 59", chi);
    }
}

/* ==== NUMBERS AND REFUSALS ==================================================================== */

static void gains(void)
{
    /* torch.nn.init.calculate_gain */
    CHECK_NEAR("linear", tnn_calculate_gain("linear", 0), 1, 0);
    CHECK_NEAR("conv2d", tnn_calculate_gain("conv2d", 0), 1, 0);
    CHECK_NEAR("sigmoid", tnn_calculate_gain("sigmoid", 0), 1, 0);
    CHECK_NEAR("tanh", tnn_calculate_gain("tanh", 0), 1.6666666666666667, 1e-15);
    CHECK_NEAR("relu", tnn_calculate_gain("relu", 0), 1.4142135623730951, 1e-15);
    CHECK_NEAR("leaky_relu", tnn_calculate_gain("leaky_relu", 0), 1.4141428569978354, 1e-15);
    CHECK_NEAR("leaky_relu 0.3", tnn_calculate_gain("leaky_relu", 0.3), 1.3545709229571927, 1e-15);
    CHECK_NEAR("leaky_relu 0", tnn_calculate_gain("leaky_relu", TNN_ZERO), 1.4142135623730951,
               1e-15);
    CHECK_NEAR("selu", tnn_calculate_gain("selu", 0), 0.75, 0);
    CHECK(isnan(tnn_calculate_gain("swish", 0)), "a number");
    CHECK(strstr(tnn_error(), "tnn_calculate_gain: no \"swish\" among"), "%s", tnn_error());
    tnn_clear_error();
    CHECK(isnan(tnn_calculate_gain(NULL, 0)), "a number");
    tnn_clear_error();
}

#define REFUSED(text, ...) do { \
    tnn_net *net = tnn_create(.input = { 4 }, .batch = 1); \
    CHECK(tnn_add(net, TNN_DENSE, .units = 2, __VA_ARGS__) == TNN_ERROR_ARGUMENT, "accepted"); \
    CHECK(strstr(tnn_error(), "test_init.c:") && strstr(tnn_error(), text), "%s", tnn_error()); \
    tnn_clear_error(); \
    tnn_free(net); } while (0)
static void refusals(void)
{
    const double nan = HUGE_VAL - HUGE_VAL;
    REFUSED("tnn_add: .init: 99 is not a kind of initial value", .init = (tnn_init)99);
    REFUSED("tnn_add: .init: -1 is not a kind", .init = (tnn_init)-1);
    REFUSED("tnn_add: .bias_init = 602 is no kind of initial bias",
            .bias_init = TNN_INIT_HE_NORMAL);
    REFUSED("no kind of initial bias", .bias_init = TNN_INIT_ORTHOGONAL);
    REFUSED("tnn_add: .init_with.fan: 4 is not a fan", .init_with = { .fan = (tnn_fan)4 });
    REFUSED(".std = -1", .init = TNN_INIT_NORMAL, .init_with = { .std = -1 });
    REFUSED(".std = nan", .init = TNN_INIT_NORMAL, .init_with = { .std = nan });
    REFUSED(".gain = nan", .init_with = { .gain = nan });
    REFUSED(".gain = inf", .init_with = { .gain = HUGE_VAL });
    REFUSED(".mean = inf", .init = TNN_INIT_NORMAL, .init_with = { .mean = HUGE_VAL });
    REFUSED(".value = nan", .init = TNN_INIT_CONSTANT, .init_with = { .value = nan });
    REFUSED(".bias_init_with.value = inf must be in",
            .bias_init = TNN_INIT_CONSTANT, .bias_init_with = { .value = HUGE_VAL });
    REFUSED(".min = 2 must be below .max = 1", .init = TNN_INIT_UNIFORM, .init_with = { .min = 2 });
    REFUSED(".min = 3 must be below .max = 3", .init = TNN_INIT_TRUNCATED,
            .init_with = { .min = 3, .max = 3 });
    REFUSED(".std = 0 of a truncated", .init = TNN_INIT_TRUNCATED,
            .init_with = { .std = TNN_ZERO });
    REFUSED(".sparsity = 0 must be in (0, 1]", .init = TNN_INIT_SPARSE);
    REFUSED(".sparsity = 1.5", .init = TNN_INIT_SPARSE, .init_with = { .sparsity = 1.5 });
    REFUSED(".sparsity = nan", .init = TNN_INIT_SPARSE, .init_with = { .sparsity = nan });
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    RUN("init as it always was", settled);
    RUN("init over a fan", scaling);
    RUN("init uniform, normal, truncated, constant", plain);
    RUN("init of biases", biases);
    RUN("init orthogonal", orthogonal);
    RUN("init eye and dirac", eye);
    RUN("init sparse", sparse);
    RUN("init gains", gains);
    RUN("init refusals", refusals);
    return test_finish();
}
