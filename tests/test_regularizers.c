/* test_regularizers.c - penalties and constraints of the weights against their formulas in double

   The references are written over (outputs, fan_in) in PyTorch's order, group by group; penalties
   by Keras' definitions of L1, L2 and Bansal et al. 2018, constraints by Keras' constraints.py. */
#include "test.h"

#define MOST 32000
static float  w[MOST], before[MOST], after[MOST], g0[MOST], g1[MOST], difference[MOST];
static double v[MOST], want[MOST];

typedef struct { int outputs, channels, size, kernel, groups; } shape;
static const shape shapes[] = {
    { 37, 50, 1, 0, 1 }, { 3, 5, 1, 0, 1 }, { 70, 20, 1, 0, 1 }, { 16, 3, 4, 0, 1 },
    { 22, 6, 5, 3, 2 }, { 40, 1, 6, 3, 1 }, { 51, 6, 4, 2, 3 }, { 5, 4, 5, 3, 1 },
    { 150, 210, 1, 0, 1 },      /* enough for more than one thread */
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* ==== REFERENCES ============================================================================== */

static double gram(const shape *s, int cols, int i, int j)
{
    int k, per = s->outputs / s->groups;
    double dot = i == j ? -1 : 0;
    if (i / per != j / per) return 0;
    for (k = 0; k < cols; k++) dot += v[i * cols + k] * v[j * cols + k];
    return dot;
}
static double penalty(const shape *s, const tnn_layer *o, int count)
{
    int i, j, cols = count / s->outputs;
    double sum = 0;
    for (i = 0; i < count; i++) sum += o->l1 * fabs(v[i]) + o->l2 * v[i] * v[i];
    for (i = 0; o->orthogonal > 0 && i < s->outputs; i++)
        for (j = 0; j < s->outputs; j++)
            sum += o->orthogonal * gram(s, cols, i, j) * gram(s, cols, i, j);
    return sum;
}
static void penalty_gradient(const shape *s, const tnn_layer *o, int count)
{
    int i, j, k, cols = count / s->outputs;
    for (i = 0; i < count; i++)
        want[i] = o->l1 * ((v[i] > 0) - (v[i] < 0)) + 2 * o->l2 * v[i];
    for (i = 0; o->orthogonal > 0 && i < s->outputs; i++)
        for (j = 0; j < s->outputs; j++) {
            double e = 4 * o->orthogonal * gram(s, cols, i, j);
            for (k = 0; e != 0 && k < cols; k++) want[i * cols + k] += e * v[j * cols + k];
        }
}
/* keras/constraints.py: MaxNorm, UnitNorm, MinMaxNorm, NonNeg, with epsilon 1e-7 */
static void constrained(const shape *s, const tnn_layer *o, int count)
{
    int i, k, cols = count / s->outputs;
    double max = o->norm_max > 0 ? o->norm_max : o->constraint == TNN_MAX_NORM ? 2 : 1;
    double min = o->norm_min, rate = o->norm_rate > 0 ? o->norm_rate : 1;
    for (i = 0; i < s->outputs; i++) {
        double *u = v + i * cols, norm = 0, wanted = 1;
        for (k = 0; k < cols; k++) norm += u[k] * u[k];
        norm = sqrt(norm);
        if (o->constraint == TNN_MAX_NORM) wanted = norm > max ? max : norm;
        if (o->constraint == TNN_MIN_MAX_NORM)
            wanted = rate * (norm > max ? max : norm < min ? min : norm) + (1 - rate) * norm;
        for (k = 0; k < cols; k++)
            want[i * cols + k] = o->constraint == TNN_NON_NEGATIVE ? (u[k] > 0 ? u[k] : 0)
                                                                   : u[k] * wanted / (norm + 1e-7);
    }
}

/* ==== NETWORKS ================================================================================ */

/* A network of that one layer with options o and three classes after it, before its first step;
   its weights become `scale` times given ones. */
static tnn_net *network(const shape *s, tnn_layer o, double lr, float scale, int *count)
{
    tnn_net *net = tnn_create(.input = { s->channels, s->size, s->size }, .batch = 3);
    int i;
    o.type = s->kernel ? TNN_CONV2D : TNN_DENSE;
    if (s->kernel) o.filters = s->outputs, o.kernel = s->kernel, o.groups = s->groups;
    else o.units = s->outputs;
    tnn_add_with(net, &o);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = lr);
    *count = tnn_param_info(net, 0).count;
    test_fill(w, (size_t)*count, 5);
    for (i = 0; i < *count; i++) w[i] *= scale;
    tnn_set_param(net, "0.weight", w, *count);
    return net;
}
static void back(tnn_net *net, const shape *s)
{
    static const int labels[] = { 1, 0, 2 };
    float x[3 * 300];
    test_fill(x, 3 * (size_t)(s->channels * s->size * s->size), 9);
    tnn_forward(net, x, 3, TNN_TRAIN);
    tnn_loss(net, labels);
    CHECK(tnn_backward(net) == TNN_OK, "%s", tnn_error());
}
/* What is not zero in the flat vector are parameters: the padding is zero. */
static void check_padding(tnn_net *net)
{
    size_t n, i;
    long long found = 0;
    const float *p = tnn_flat(net, 0, &n);
    for (i = 0; i < n; i++) found += p[i] != 0;
    for (i = 0; i < (size_t)tnn_param_count(net); i++) {
        tnn_param q = tnn_param_info(net, (int)i);
        int k;
        tnn_get_param(net, q.name, difference, q.count);
        for (k = 0; k < q.count; k++) found -= difference[k] != 0;
    }
    CHECK(found == 0, "%d values of the padding are not zero", (int)found);
}

/* ==== PENALTIES =============================================================================== */

static void penalties(void)
{
    static const double strengths[][3] = { { 0.01, 0, 0 }, { 0, 0.02, 0 }, { 0.03, 0.01, 0 },
                                           { 0, 0, 0.05 }, { 0.02, 0.005, 0.01 } };
    int at, k, i, count;
    for (at = 0; at < SHAPES; at++)
    for (k = 0; k < 5; k++) {
        const shape *s = &shapes[at];
        tnn_layer o;
        tnn_net *net;
        char what[60];
        snprintf(what, sizeof what, "shape %d, penalties %d", at, k);
        memset(&o, 0, sizeof o);
        o.l1 = strengths[k][0], o.l2 = strengths[k][1], o.orthogonal = strengths[k][2];
        net = network(s, o, 0.1, 0.3f, &count);
        w[count / 2] = 0;                       /* where |w| has no derivative: 0 */
        tnn_set_param(net, "0.weight", w, count);
        for (i = 0; i < count; i++) v[i] = (double)w[i];
        CHECK_NEAR(what, tnn_penalty(net), penalty(s, &o, count), 2e-7);
        back(net, s);
        tnn_get_grad(net, "0.weight", g0, count);
        tnn_get_grad(net, "0.bias", before, s->outputs);
        CHECK(tnn_step(net) == TNN_OK, "%s", tnn_error());
        tnn_get_grad(net, "0.weight", g1, count);
        tnn_get_grad(net, "0.bias", after, s->outputs);
        CHECK_SAME("bias gradients", after, before, (size_t)s->outputs * sizeof(float));
        penalty_gradient(s, &o, count);
        for (i = 0; i < count; i++) want[i] += (double)g0[i];
        CHECK_CLOSE(what, g1, want, count, 1e-6);
        tnn_get_param(net, "0.weight", after, count);
        for (i = 0; i < count; i++) want[i] = (double)w[i] - 0.1 * want[i];
        CHECK_CLOSE(what, after, want, count, 5e-7);
        CHECK_REPEATS_TO(what, after, count, 0.3);
        check_padding(net);
        tnn_free(net);
    }
}

/* The formulas of gradients against central differences of the penalties themselves. */
static void differences(void)
{
    int at, i, count;
    for (at = 0; at < SHAPES; at++) {
        const shape *s = &shapes[at];
        tnn_layer o;
        double numeric[40], largest = 0;
        tnn_net *net;
        memset(&o, 0, sizeof o);
        o.l1 = 0.01, o.l2 = 0.03, o.orthogonal = 0.02;
        net = network(s, o, 0.1, 0.3f, &count);
        for (i = 0; i < count; i++) v[i] = (double)w[i];
        for (i = 0; i < 40; i++) {
            int place = (int)(test_hash(3, (uint32_t)i) % (uint32_t)count);
            double old = v[place];
            v[place] = old + 1e-5;
            numeric[i] = penalty(s, &o, count);
            v[place] = old - 1e-5;
            numeric[i] = (numeric[i] - penalty(s, &o, count)) / 2e-5;
            v[place] = old;
        }
        back(net, s);
        tnn_get_grad(net, "0.weight", g0, count);
        tnn_step(net);
        tnn_get_grad(net, "0.weight", g1, count);
        for (i = 0; i < count; i++)
            if (fabs((double)g1[i]) > largest) largest = fabs((double)g1[i]);
        for (i = 0; i < 40; i++) {
            int place = (int)(test_hash(3, (uint32_t)i) % (uint32_t)count);
            difference[i] = g1[place] - g0[place];
        }
        CHECK_CLOSE_TO("differences", difference, numeric, 40, largest, 1e-6);
        tnn_free(net);
    }
}

/* Descent on the penalty alone makes the rows orthonormal. */
static void orthogonality(void)
{
    tnn_net *net = tnn_create(.input = { 30 }, .batch = 1);
    float x[30] = { 0 };
    int step, label = 0;
    double first;
    tnn_add(net, TNN_DENSE, .units = 20, .orthogonal = 1, .init = TNN_INIT_LECUN_NORMAL);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.02);
    first = tnn_penalty(net);
    for (step = 0; step < 400; step++) tnn_train_batch(net, x, &label, 1);
    CHECK(first > 1 && tnn_penalty(net) < 1e-9, "penalty %g, then %g", first, tnn_penalty(net));
    tnn_free(net);
    /* what starts orthogonal has none */
    net = tnn_create(.input = { 30 }, .batch = 1);
    tnn_add(net, TNN_DENSE, .units = 20, .orthogonal = 1, .init = TNN_INIT_ORTHOGONAL);
    CHECK(tnn_penalty(net) < 1e-11, "penalty %g", tnn_penalty(net));
    tnn_free(net);
}

/* ==== CONSTRAINTS ============================================================================= */

static void constraints(void)
{
    static const struct { tnn_constraint c; double min, max, rate; } cases[] = {
        { TNN_MAX_NORM, 0, 0, 0 }, { TNN_MAX_NORM, 0, 0.7, 0 }, { TNN_UNIT_NORM, 0, 0, 0 },
        { TNN_MIN_MAX_NORM, 0.9, 1.3, 0 }, { TNN_MIN_MAX_NORM, 0.9, 1.3, 0.25 },
        { TNN_MIN_MAX_NORM, 0, 0, 0 }, { TNN_NON_NEGATIVE, 0, 0, 0 },
    };
    int at, k, i, count, exact;
    for (at = 0; at < SHAPES; at++)
    for (k = 0; k < 7; k++)
    for (exact = 0; exact < 2; exact++) {
        const shape *s = &shapes[at];
        tnn_layer o;
        tnn_net *net;
        int cols;
        char what[60];
        snprintf(what, sizeof what, "shape %d, constraint %d", at, k);
        memset(&o, 0, sizeof o);
        o.constraint = cases[k].c;
        o.norm_min = cases[k].min, o.norm_max = cases[k].max, o.norm_rate = cases[k].rate;
        net = network(s, o, exact ? TNN_ZERO : 0.1, 0.3f, &count);
        cols = count / s->outputs;
        /* outputs of all lengths, the first of none */
        for (i = 0; i < count; i++) w[i] *= (float)(i / cols % 7);
        tnn_set_param(net, "0.weight", w, count);
        back(net, s);
        tnn_get_grad(net, "0.weight", g0, count);
        tnn_get_param(net, "0.bias", before, s->outputs);
        CHECK(tnn_step(net) == TNN_OK, "%s", tnn_error());
        tnn_get_param(net, "0.weight", after, count);
        for (i = 0; i < count; i++) v[i] = (double)w[i] - (exact ? 0 : 0.1 * (double)g0[i]);
        constrained(s, &o, count);
        CHECK_CLOSE_TO(what, after, want, count, 0.1, 1e-6);
        if (exact) {
            int kept = 0, expected = 0;
            for (i = 0; i < s->outputs; i++) {
                double n = 0, a = 0;
                int j, same = 1;
                for (j = 0; j < cols; j++) {
                    same &= w[i * cols + j] == after[i * cols + j];
                    n += v[i * cols + j] * v[i * cols + j];
                    a += (want[i * cols + j] - v[i * cols + j])
                       * (want[i * cols + j] - v[i * cols + j]);
                }
                kept += same;
                expected += a <= 1e-12 * n;     /* Keras moves it only by its epsilon */
            }
            CHECK(kept == expected, "%s: %d of %d left alone, should be %d", what, kept,
                  s->outputs, expected);
            tnn_get_param(net, "0.bias", g1, s->outputs);
            CHECK_SAME("biases", g1, before, (size_t)s->outputs * sizeof(float));
        }
        CHECK_REPEATS_TO(what, after, count, 0.3);
        check_padding(net);
        tnn_free(net);
    }
}

/* ==== THE REST ================================================================================ */

/* Penalties of several layers add up; the others' gradients are not touched, and without any
   penalty none are. */
static void several(void)
{
    tnn_net *net = tnn_create(.input = { 2, 6, 6 }, .batch = 3);
    static const int labels[] = { 1, 0, 2 };
    float x[3 * 72];
    double sum = 0;
    int i, k;
    test_fill(x, 216, 9);
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .l2 = 0.01);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 20);
    tnn_add(net, TNN_DENSE, .units = 3, .l1 = 0.02, .constraint = TNN_MAX_NORM, .norm_max = 0.5);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01);
    tnn_get_param(net, "0.weight", w, 144);
    for (i = 0; i < 144; i++) sum += 0.01 * (double)w[i] * (double)w[i];
    tnn_get_param(net, "3.weight", w, 60);
    for (i = 0; i < 60; i++) sum += 0.02 * fabs((double)w[i]);
    CHECK_NEAR("penalty", tnn_penalty(net), sum, 1e-12);
    for (k = 0; k < 5; k++) {
        tnn_forward(net, x, 3, TNN_TRAIN);
        tnn_loss(net, labels);
        tnn_backward(net);
        tnn_get_grad(net, "2.weight", g0, 20 * 128);
        tnn_step(net);
        tnn_get_grad(net, "2.weight", g1, 20 * 128);
        CHECK_SAME("gradients", g0, g1, 20 * 128 * sizeof(float));
    }
    tnn_get_param(net, "3.weight", w, 60);
    for (i = 0; i < 3; i++) {
        for (sum = 0, k = 0; k < 20; k++) sum += (double)w[i * 20 + k] * (double)w[i * 20 + k];
        CHECK(sqrt(sum) <= 0.5 * (1 + 1e-6), "norm %g", sqrt(sum));
    }
    CHECK_REPEATS("weights", w, 60);
    tnn_free(net);
}

/* A line search minimises loss and penalty: (w - 1)^2 + w^2 is least at 1/2. */
static void searched(void)
{
    const float one = 1;
    int wolfe, t;
    for (wolfe = 0; wolfe < 2; wolfe++) {
        float got = 3;
        tnn_net *net = tnn_create(.input = { 1 }, .batch = 1);
        tnn_add(net, TNN_DENSE, .units = 1, .no_bias = 1, .l2 = 1);
        tnn_set_loss(net, TNN_MSE);
        tnn_set_optimizer(net, TNN_LBFGS, .strong_wolfe = wolfe);
        tnn_set_param(net, "0.weight", &got, 1);
        for (t = 0; t < 5; t++) tnn_train_batch_targets(net, &one, &one, 1);
        tnn_get_param(net, "0.weight", &got, 1);
        CHECK_NEAR("L-BFGS", got, 0.5, 1e-4);
        CHECK(!tnn_failed(), "%s", tnn_error());
        tnn_free(net);
    }
}

#define REFUSED(text, ...) do { \
    tnn_net *net = tnn_create(.input = { 4 }, .batch = 1); \
    CHECK(tnn_add(net, TNN_DENSE, .units = 2, __VA_ARGS__) == TNN_ERROR_ARGUMENT, "accepted"); \
    CHECK(strstr(tnn_error(), "test_regularizers.c:") && strstr(tnn_error(), text), "%s", \
          tnn_error()); \
    tnn_clear_error(); \
    tnn_free(net); } while (0)
static void refusals(void)
{
    const double nan = HUGE_VAL - HUGE_VAL;
    REFUSED("tnn_add: .l1 = -1 must be in [0, 1e30]", .l1 = -1);
    REFUSED(".l2 = nan", .l2 = nan);
    REFUSED(".orthogonal = inf", .orthogonal = HUGE_VAL);
    REFUSED("tnn_add: .constraint: 5 is not a constraint", .constraint = (tnn_constraint)5);
    REFUSED("tnn_add: .norm_min = -1 must be in [0, 1]", .constraint = TNN_MIN_MAX_NORM,
            .norm_min = -1);
    REFUSED(".norm_min = 3 must be in [0, 1]",
            .constraint = TNN_MIN_MAX_NORM, .norm_min = 3);
    REFUSED(".norm_max = nan", .constraint = TNN_MAX_NORM, .norm_max = nan);
    REFUSED(".norm_max = -2", .constraint = TNN_MAX_NORM, .norm_max = -2);
    REFUSED(".norm_rate = 1.5 must be in [0.000000001, 1]", .constraint = TNN_MIN_MAX_NORM,
            .norm_rate = 1.5);
    REFUSED(".norm_rate = 0 must be in [0.000000001, 1]", .constraint = TNN_MIN_MAX_NORM,
            .norm_rate = TNN_ZERO);
    CHECK(isnan(tnn_penalty(NULL)), "a penalty of nothing");
    tnn_clear_error();
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    EACH_SETTING("regularizers penalties", penalties);
    RUN("regularizers differences", differences);
    RUN("regularizers orthogonality", orthogonality);
    EACH_SETTING("regularizers constraints", constraints);
    EACH_SETTING("regularizers several", several);
    RUN("regularizers under L-BFGS", searched);
    RUN("regularizers refusals", refusals);
    return test_finish();
}
