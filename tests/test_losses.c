/* test_losses.c - every loss: value and gradient

   Against PyTorch 2.14 and published formulas (loss_vectors.py, which says where the vectors come
   from), against differences of formulas written anew here in double precision, and against what
   the header says of labels, pixels, bad data and bad options. */
#include "test.h"
#include "vectors.h"

/* ---- a network whose output is what is wanted ------------------------------------------------
   A convolution of one pixel's window and one-hot inputs: pixel p of sample s has 1 in channel
   s*pixels + p, so the weights (c, n*pixels) are the outputs and their gradients those of the
   outputs, without any rounding. Only what is public is used. */
typedef struct {
    int      n, c, pixels, channels;
    float   *inputs, *weights;
    tnn_net *net;
} output_net;

static output_net output_create(int n, int c, int h, int w, int flat, const tnn_loss_options *loss)
{
    output_net o;
    int i;
    o.n = n, o.c = c, o.pixels = h * w, o.channels = n * o.pixels;
    o.inputs = test_floats((size_t)(n * o.channels * o.pixels));
    o.weights = test_floats((size_t)(c * o.channels));
    memset(o.inputs, 0, (size_t)(n * o.channels * o.pixels) * sizeof(float));
    for (i = 0; i < o.channels; i++)
        o.inputs[(i / o.pixels * o.channels + i) * o.pixels + i % o.pixels] = 1;
    o.net = tnn_create(.input = { o.channels, h, w }, .batch = n);
    tnn_add(o.net, TNN_CONV2D, .filters = c, .kernel = 1, .no_bias = 1);
    if (flat) tnn_add(o.net, TNN_FLATTEN);
    tnn_set_loss_with(o.net, loss);
    return o;
}

/* x, dx (n, c, h, w), of a sample and channel between them and the weights */
static void output_forward(output_net *o, const float *x)
{
    int s, f, p;
    for (s = 0; s < o->n; s++)
        for (f = 0; f < o->c; f++)
            for (p = 0; p < o->pixels; p++)
                o->weights[f * o->channels + s * o->pixels + p] = x[(s * o->c + f) * o->pixels + p];
    tnn_set_param(o->net, "0.weight", o->weights, o->c * o->channels);
    tnn_forward(o->net, o->inputs, o->n, TNN_TRAIN);
}

static void output_backward(output_net *o, float *dx)
{
    int s, f, p;
    tnn_backward(o->net);
    tnn_get_grad(o->net, "0.weight", o->weights, o->c * o->channels);
    for (s = 0; s < o->n; s++)
        for (f = 0; f < o->c; f++)
            for (p = 0; p < o->pixels; p++)
                dx[(s * o->c + f) * o->pixels + p] =
                    o->weights[f * o->channels + s * o->pixels + p];
}

static void output_free(output_net *o)
{
    tnn_free(o->net);
    test_release(o->inputs);
    test_release(o->weights);
}

/* Value and gradient of a loss on outputs x; targets or labels. */
static double evaluate(const tnn_loss_options *loss, const int shape[4], int flat, const float *x,
                       const float *targets, const int *labels, float *dx)
{
    output_net o = output_create(shape[0], shape[1], shape[2], shape[3], flat, loss);
    double value;
    output_forward(&o, x);
    value = targets ? tnn_loss_targets(o.net, targets) : tnn_loss(o.net, labels);
    output_backward(&o, dx);
    output_free(&o);
    return value;
}

static tnn_loss_options of_type(tnn_loss_type type)
{
    tnn_loss_options o;
    memset(&o, 0, sizeof o);
    o.type = type;
    return o;
}

/* ---- vectors ---------------------------------------------------------------------------------*/

static float option(vectors *c, const char *name)
{
    return find(c, name) ? number(c, name, 0) : 0;
}

static void compare(vectors *c)
{
    static const tnn_reduction reductions[] = {TNN_REDUCE_MEAN, TNN_REDUCE_SUM,
                                               TNN_REDUCE_BATCHMEAN};
    tnn_loss_options o = of_type((tnn_loss_type)(TNN_CROSS_ENTROPY - 1 + integer(c, "type", 0)));
    int shape[4], i, n = get(c, "x")->n, *labels = NULL;
    float *dx = test_floats((size_t)n), value;
    /* q^gamma = exp(gamma log q): with a small q, gamma log q has few digits after the point */
    double loss, limit = option(c, "gamma") > 0 ? 4e-6 : 1e-6;
    for (i = 0; i < 4; i++) shape[i] = integer(c, "shape", i);
    o.label_smoothing = option(c, "label_smoothing");
    o.ignore_index = option(c, "ignore_index");
    o.reduction = reductions[(int)option(c, "reduction")];
    o.gamma = option(c, "gamma"), o.alpha = option(c, "alpha"), o.margin = option(c, "margin");
    o.delta = option(c, "delta"), o.beta = option(c, "beta"), o.eps = option(c, "eps");
    o.smooth = option(c, "smooth"), o.p = (int)option(c, "p"), o.full = (int)option(c, "full");
    o.log_target = (int)option(c, "log_target");
    o.no_log_input = (int)option(c, "no_log_input");
    o.per_pixel = (int)option(c, "per_pixel");
    if (find(c, "class_weights")) o.class_weights = floats(c, "class_weights");
    if (find(c, "pos_weights")) o.pos_weights = floats(c, "pos_weights");
    if (find(c, "labels")) {
        labels = (int *)(void *)test_floats((size_t)get(c, "labels")->n);
        for (i = 0; i < get(c, "labels")->n; i++) labels[i] = integer(c, "labels", i);
    }
    loss = evaluate(&o, shape, integer(c, "flat", 0), floats(c, "x"),
                    labels ? NULL : floats(c, "t"), labels, dx);
    CHECK(!tnn_failed(), "%s: %s", c->name, tnn_error());
    tnn_clear_error();
    value = (float)loss;
    CHECK_NEAR(c->name, loss, get(c, "loss")->v[0], limit);
    expect(c, "dx", dx, limit);
    CHECK_REPEATS_TO(c->name, &value, 1, 0.01);
    CHECK_REPEATS_TO(c->name, dx, n, 0.01);
    test_release_all();
}

static void vectors_of(const char *file)
{
    vectors *c;
    load(file);
    for (c = cases; c < cases + case_count; c++) compare(c);
}
static void on_labels(void)       { vectors_of("loss_labels.txt"); }
static void on_targets(void)      { vectors_of("loss_targets.txt"); }
static void on_more_targets(void) { vectors_of("loss_more.txt"); }

/* ---- formulas written anew, in double --------------------------------------------------------*/

typedef struct {
    tnn_loss_options o;             /* every number given, none left to its default */
    int              labels;        /* 0: targets */
    double           lo, hi;        /* of the outputs */
    double           t_lo, t_hi;
} anew_case;

#define PI 3.14159265358979323846
static double softplus(double x) { return (x > 0 ? x : 0) + log1p(exp(-fabs(x))); }

/* One value's loss, its target t, s the weight of its class. */
static double value_anew(const tnn_loss_options *o, double x, double t)
{
    const double e = x - t, log_p = -softplus(-x), log_q = -softplus(x);
    const double s = t > 0 ? 1 : -1, z = 1 - s * x > 0 ? 1 - s * x : 0, m = fabs(e);
    const double full = o->full && t > 1 ? t * log(t) - t + log(PI * 2 * t) / 2 : 0;
    double d;
    switch (o->type) {
    case TNN_MSE: return e * e;
    case TNN_L1: return m;
    case TNN_HUBER:
        d = (double)o->delta;
        return m < d ? e * e / 2 : d * (m - d / 2);
    case TNN_SMOOTH_L1:
        d = (double)o->beta;
        return m < d ? e * e / 2 / d : m - d / 2;
    case TNN_LOG_COSH: return log(cosh(e));
    case TNN_BCE: return -t * log(x) - (1 - t) * log(1 - x);
    case TNN_BCE_LOGITS: return -t * log_p - (1 - t) * log_q;
    case TNN_FOCAL:
        d = t * exp(log_q) + (1 - t) * exp(log_p);
        return ((double)o->alpha * t + (1 - (double)o->alpha) * (1 - t)) * pow(d, (double)o->gamma)
             * (-t * log_p - (1 - t) * log_q);
    case TNN_HINGE: return z;
    case TNN_SQUARED_HINGE: return z * z;
    case TNN_HINGE_EMBEDDING: return t > 0 ? x : x < (double)o->margin ? (double)o->margin - x : 0;
    case TNN_KL_DIV: return o->log_target ? exp(t) * (t - x) : t * (log(t) - x);
    case TNN_POISSON_NLL:
        return (o->no_log_input ? x - t * log(x + (double)o->eps) : exp(x) - t * x) + full;
    default: return 0;
    }
}

/* The mean loss of n samples of `classes` values; labels or targets. */
static double loss_anew(const tnn_loss_options *o, int n, int classes, const double *x,
                        const float *t, const int *labels)
{
    double sum = 0, weight = 0;
    int i, c;
    for (i = 0; i < n; i++) {
        const double *y = x + i * classes;
        double xx = 0, xt = 0, tt = 0, all = 0, mine = 0, w;
        for (c = 0; c < classes && o->type != TNN_GAUSSIAN_NLL; c++) {
            const double u = labels ? c == labels[i] : (double)t[i * classes + c];
            xx += y[c] * y[c], xt += y[c] * u, tt += u * u, all += exp(y[c]);
        }
        w = o->class_weights && labels ? (double)o->class_weights[labels[i]] : 1;
        switch (o->type) {
        case TNN_CROSS_ENTROPY:
            for (c = 0; c < classes; c++) {
                double hot = labels ? c == labels[i] : (double)t[i * classes + c];
                double p = exp(y[c]) / all, s = (double)o->label_smoothing;
                double v = (1 - s) * hot + s / classes;
                mine -= v * log(p) * pow(1 - p, (double)o->gamma)
                      * (o->class_weights ? (double)o->class_weights[c] : 1);
            }
            sum += mine;
            weight += labels ? w : 1;
            break;
        case TNN_NLL:
            sum -= w * y[labels[i]];
            weight += w;
            break;
        case TNN_MULTI_MARGIN:
            for (c = 0; c < classes; c++) {
                const double z = (double)o->margin - y[labels[i]] + y[c];
                if (c != labels[i] && z > 0) sum += w * pow(z, o->p) / classes;
            }
            weight += 1;
            break;
        case TNN_COSINE_LOSS:
            sum += 1 - xt / sqrt(xx * tt);
            weight += 1;
            break;
        case TNN_DICE:
            sum += 1 - (2 * xt + (double)o->smooth) / (xx + tt + (double)o->smooth);
            weight += 1;
            break;
        case TNN_GAUSSIAN_NLL:
            for (c = 0; c < classes / 2; c++) {
                const double v = y[classes / 2 + c], e = y[c] - (double)t[i * (classes / 2) + c];
                sum += (log(v) + e * e / v) / 2 + (o->full ? log(2 * PI) / 2 : 0);
            }
            weight += classes / 2;
            break;
        default:
            for (c = 0; c < classes; c++)
                sum += value_anew(o, y[c], labels ? c == labels[i] : (double)t[i * classes + c])
                     * (o->class_weights ? (double)o->class_weights[c] : 1);
            weight += classes;
        }
    }
    return sum / weight;
}

static const float weights_of_6[6] = { 0.5f, 2, 1, 0.25f, 3, 1.5f };

#define CASE(type, labels, lo, hi, t_lo, t_hi, ...) \
    { { type, __VA_ARGS__ }, labels, lo, hi, t_lo, t_hi }
static const anew_case anew_cases[] = {
    CASE(TNN_CROSS_ENTROPY, 1, -3, 3, 0, 0, .class_weights = weights_of_6),
    CASE(TNN_CROSS_ENTROPY, 1, -3, 3, 0, 0, .label_smoothing = 0.3f),
    CASE(TNN_CROSS_ENTROPY, 1, -3, 3, 0, 0, .gamma = 1.5f, .class_weights = weights_of_6),
    CASE(TNN_CROSS_ENTROPY, 1, -3, 3, 0, 0, .gamma = 0.5f),
    CASE(TNN_CROSS_ENTROPY, 0, -3, 3, 0, 1, .label_smoothing = 0.1f),
    CASE(TNN_NLL, 1, -5, 0, 0, 0, .class_weights = weights_of_6),
    CASE(TNN_MULTI_MARGIN, 1, -1, 1, 0, 0, .margin = 1, .p = 1),
    CASE(TNN_MULTI_MARGIN, 1, -1, 1, 0, 0, .margin = 0.5f, .p = 2, .class_weights = weights_of_6),
    CASE(TNN_MSE, 0, -2, 2, -1, 1, .class_weights = weights_of_6),
    CASE(TNN_MSE, 1, -2, 2, 0, 0, .p = 0),
    CASE(TNN_L1, 0, -2, 2, -1, 1, .p = 0),
    CASE(TNN_HUBER, 0, -2, 2, -1, 1, .delta = 0.7f),
    CASE(TNN_SMOOTH_L1, 0, -2, 2, -1, 1, .beta = 0.6f),
    CASE(TNN_LOG_COSH, 0, -2, 2, -1, 1, .p = 0),
    CASE(TNN_BCE, 0, 0.02, 0.98, 0, 1, .p = 0),
    CASE(TNN_BCE, 1, 0.02, 0.98, 0, 0, .class_weights = weights_of_6),
    CASE(TNN_BCE_LOGITS, 0, -6, 6, 0, 1, .p = 0),
    CASE(TNN_FOCAL, 1, -5, 5, 0, 0, .alpha = 0.3f, .gamma = 1.25f),
    CASE(TNN_FOCAL, 0, -5, 5, 0, 1, .alpha = 0.25f, .gamma = 2),
    CASE(TNN_HINGE, 1, -2, 2, 0, 0, .p = 0),
    CASE(TNN_SQUARED_HINGE, 1, -2, 2, 0, 0, .p = 0),
    CASE(TNN_HINGE_EMBEDDING, 1, -2, 2, 0, 0, .margin = 0.8f),
    CASE(TNN_KL_DIV, 0, -6, 0, 0.01, 1, .p = 0),
    CASE(TNN_KL_DIV, 0, -6, 0, -4, 0, .log_target = 1),
    CASE(TNN_POISSON_NLL, 0, -2, 2, 0, 5, .full = 1),
    CASE(TNN_POISSON_NLL, 0, 0.2, 5, 0, 5, .no_log_input = 1, .eps = 0.01f),
    CASE(TNN_GAUSSIAN_NLL, 0, 0.3, 2, -1, 1, .full = 1),
    CASE(TNN_COSINE_LOSS, 0, -2, 2, -1, 1, .p = 0),
    CASE(TNN_DICE, 0, 0, 1, 0, 1, .smooth = 0.5f),
    CASE(TNN_DICE, 1, 0, 1, 0, 0, .smooth = 1)
};

static float between(double lo, double hi, uint32_t stream, int i)
{
    return (float)(lo + (hi - lo) * ((double)test_value(stream, (uint32_t)i) / 2 + 0.5));
}

static void differences(void)
{
    enum { N = 7, CLASSES = 6, COUNT = N * CLASSES };
    static const int shapes[2][4] = { { N, CLASSES, 1, 1 }, { N, 2, 1, 3 } };      /* flattened */
    size_t k;
    for (k = 0; k < 2 * sizeof anew_cases / sizeof *anew_cases; k++) {
        const anew_case *a = &anew_cases[k / 2];
        const int *shape = shapes[k % 2];
        const tnn_loss_options *o = &a->o;
        float *x = test_floats(COUNT), *dx = test_floats(COUNT), *t = test_floats(COUNT);
        double wide[COUNT], numeric[COUNT], h = 1e-6, at[2], loss;
        int labels[N], i, side;
        char what[60];
        snprintf(what, sizeof what, "loss %d, case %d%s", (int)o->type, (int)k / 2,
                 k % 2 ? ", flattened" : "");
        for (i = 0; i < COUNT; i++) {
            x[i] = between(a->lo, a->hi, 40, i);
            t[i] = between(a->t_lo, a->t_hi, 41, i);
            wide[i] = (double)x[i];
        }
        for (i = 0; i < N; i++) labels[i] = (int)(test_hash(42, (uint32_t)i) % CLASSES);
        for (i = 0; i < COUNT; i++) {
            for (side = 0; side < 2; side++) {
                wide[i] = (double)x[i] + (side ? -h : h);
                at[side] = loss_anew(o, N, CLASSES, wide, a->labels ? NULL : t,
                                     a->labels ? labels : NULL);
            }
            wide[i] = (double)x[i];
            numeric[i] = (at[0] - at[1]) / (2 * h);
        }
        loss = evaluate(o, shape, (int)k % 2, x, a->labels ? NULL : t, labels, dx);
        CHECK(!tnn_failed(), "%s: %s", what, tnn_error());
        tnn_clear_error();
        CHECK_NEAR(what, loss, loss_anew(o, N, CLASSES, wide, a->labels ? NULL : t,
                                         a->labels ? labels : NULL), 1e-6);
        CHECK_CLOSE(what, dx, numeric, COUNT, 2e-6);
        test_release_all();
    }
}

/* ---- enough for threads: bits ----------------------------------------------------------------*/

/* A layer that hands everything on, and keeps the gradient of each sample. */
typedef struct keeper { const float *x; float *dx; size_t n, count; } keeper;

static int keep_shape(void *user, const int in[3], int out[3], int *params)
{
    (void)user, (void)in, (void)out;
    *params = 1;                            /* or nothing needs a gradient */
    return 0;
}
static void keep_forward(void *user, const float *x, float *y, const float *params, int training)
{
    (void)params, (void)training;
    memcpy(y, x, ((const keeper *)user)->count * sizeof *y);
}
static void keep_backward(void *user, const float *x, const float *y, const float *dy, float *dx,
                          const float *params, float *dparams)
{
    const keeper *kept = (const keeper *)user;
    const size_t bytes = kept->count * sizeof *x;
    size_t s = 0;
    (void)y, (void)params, (void)dparams;
    while (s < kept->n && memcmp(kept->x + s * kept->count, x, bytes)) s++;
    if (s < kept->n) memcpy(kept->dx + s * kept->count, dy, bytes);
    memcpy(dx, dy, bytes);
}

static void large(void)
{
    enum { N = 61, C = 6, H = 9, W = 11, COUNT = C * H * W };
    size_t k;
    int flat;
    for (k = 0; k < sizeof anew_cases / sizeof *anew_cases; k++)
        for (flat = 0; flat < 2; flat++) {
            const anew_case *a = &anew_cases[k];
            tnn_loss_options o = a->o;
            tnn_net *net = tnn_create(.input = { C, H, W }, .batch = N + 3);
            float *x = test_floats(N * COUNT), *t = test_floats(N * COUNT), value, weights[COUNT];
            keeper kept = { x, test_floats(N * COUNT), N, COUNT };
            tnn_custom_layer keep = { "keeper", &kept, keep_shape, NULL, keep_forward,
                                      keep_backward };
            int *labels = (int *)(void *)test_floats(N * H * W), i, s;
            o.per_pixel = !flat && o.type != TNN_GAUSSIAN_NLL;
            for (i = 0; i < COUNT; i++) weights[i] = 1 + test_value(50, (uint32_t)i);
            if (o.class_weights) o.class_weights = weights;
            for (i = 0; i < N * COUNT; i++) {
                x[i] = between(a->lo, a->hi, 51, i);
                t[i] = between(a->t_lo, a->t_hi, 52, i);
            }
            for (i = 0; i < N * H * W; i++)
                labels[i] = (int)(test_hash(53, (uint32_t)i) % (flat ? COUNT : C));
            tnn_add(net, TNN_CUSTOM_LAYER, .custom = &keep);
            if (flat) tnn_add(net, TNN_FLATTEN);
            tnn_set_loss_with(net, &o);
            tnn_forward(net, x, N, TNN_TRAIN);
            value = (float)(a->labels ? tnn_loss(net, labels) : tnn_loss_targets(net, t));
            CHECK(!tnn_failed(), "loss %d: %s", (int)o.type, tnn_error());
            CHECK_REPEATS_TO("loss", &value, 1, 0.1);
            tnn_backward(net);
            for (s = 0; s < N && !tnn_failed(); s++) {
                CHECK(kept.dx[s * COUNT] - kept.dx[s * COUNT] >= 0, "sample %d: no gradient", s);
                CHECK_REPEATS_TO("gradient", kept.dx + s * COUNT, COUNT, 1e-4);
            }
            tnn_clear_error();
            tnn_free(net);
            test_release_all();
        }
}

/* ---- what else the header says ---------------------------------------------------------------*/

static int says(const char *want)
{
    const char *got = tnn_error(), *at = strstr(got, ": ");
    int ok = tnn_failed() && at && !strcmp(at + 2, want);
    if (!ok) printf("      message: %s\n      wanted:  %s\n", got, want);
    tnn_clear_error();
    return ok;
}
#define SAYS(text) CHECK(says(text), "another message than \"%s\"", text)

/* A dense layer of `units` on two inputs. */
static tnn_net *small(int units)
{
    tnn_net *net = tnn_create(.input = { 2 }, .batch = 4);
    tnn_add(net, TNN_DENSE, .units = units, .no_bias = 1);
    return net;
}

static void bad_options(void)
{
    const float w[3] = { 1, 2, -1 };
    const float nan = (float)(HUGE_VAL - HUGE_VAL);
    tnn_net *net = small(3);
    tnn_set_loss(net, (tnn_loss_type)77);
    SAYS("tnn_set_loss: 77 is not a loss (TNN_CROSS_ENTROPY is one)");
    tnn_set_loss(net, TNN_MSE, .delta = 2);
    SAYS("tnn_set_loss: TNN_MSE has no .delta; .delta is of TNN_HUBER; it has .class_weights");
    tnn_set_loss(net, TNN_HUBER, .delta = -2);
    SAYS("tnn_set_loss: .delta = -2 must be in [1e-30, 1e30]");
    tnn_set_loss(net, TNN_HUBER, .delta = TNN_ZERO);
    SAYS("tnn_set_loss: .delta = 0 must be in [1e-30, 1e30]");
    tnn_set_loss(net, TNN_SMOOTH_L1, .beta = nan);
    SAYS("tnn_set_loss: .beta = nan must be in [0, 1e30]");
    tnn_set_loss(net, TNN_L1, .gamma = nan);
    SAYS("tnn_set_loss: TNN_L1 has no .gamma; .gamma is of TNN_CROSS_ENTROPY, TNN_FOCAL; it has "
         ".class_weights");
    tnn_set_loss(net, TNN_FOCAL, .alpha = 2);
    SAYS("tnn_set_loss: .alpha = 2 must be in [-1, 1]");
    tnn_set_loss(net, TNN_CROSS_ENTROPY, .gamma = 2, .label_smoothing = 0.1f);
    SAYS("tnn_set_loss: .gamma and .label_smoothing do not go together");
    tnn_set_loss(net, TNN_MULTI_MARGIN, .p = 3);
    SAYS("tnn_set_loss: .p = 3 must be 1 or 2");
    tnn_set_loss(net, TNN_MSE, .p = 1);
    SAYS("tnn_set_loss: TNN_MSE has no .p; .p is of TNN_MULTI_MARGIN; it has .class_weights");
    tnn_set_loss(net, TNN_MSE, .reduction = (tnn_reduction)5);
    SAYS("tnn_set_loss: .reduction: 5 is not a reduction (TNN_REDUCE_SUM is one)");
    tnn_set_loss(net, TNN_CUSTOM_LOSS);
    SAYS("tnn_set_loss: TNN_CUSTOM_LOSS needs .custom, the function that computes it");
    tnn_set_loss(net, TNN_DICE, .class_weights = w);
    SAYS("tnn_set_loss: TNN_DICE has no .class_weights; .class_weights is of TNN_CROSS_ENTROPY, "
         "TNN_NLL, TNN_MULTI_MARGIN, TNN_MSE; it has .smooth");
    tnn_set_loss(net, TNN_BCE, .pos_weights = w);
    SAYS("tnn_set_loss: TNN_BCE has no .pos_weights; .pos_weights is of TNN_BCE_LOGITS; it has "
         ".class_weights");
    tnn_set_loss(net, TNN_BCE_LOGITS, .pos_weights = w);
    SAYS("tnn_set_loss: .pos_weights[2] = -1 must be in [0, 1e30]");
    tnn_set_loss(net, TNN_GAUSSIAN_NLL);
    SAYS("tnn_set_loss: gaussian nll needs channels of means and as many of variances, "
         "the last layer gives 3");
    tnn_set_loss(net, TNN_BCE_LOGITS, .pos_weights = weights_of_6);
    CHECK(!tnn_failed(), "%s", tnn_error());
    tnn_add(net, TNN_DENSE, .units = 4);
    tnn_build(net);
    SAYS("tnn_set_loss: 3 class weights for 4 classes; the loss comes after the last layer");
    tnn_free(net);
    net = tnn_create(.input = { 2, 4, 5 });
    tnn_add(net, TNN_CONV2D, .filters = 3, .kernel = 1);
    tnn_set_loss(net, TNN_NLL);
    SAYS("tnn_set_loss: nll needs one value per class, the last layer gives 3x4x5: "
         ".per_pixel = 1 if each pixel has a label, else TNN_FLATTEN");
    tnn_free(net);
}

static void bad_batches(void)
{
    const float x[4] = { 1, 0, 0, 1 }, nan = (float)(HUGE_VAL - HUGE_VAL);
    float t[6] = { 0, 1, 0, 1, 0, 1 };
    float w[6] = { 0.5f, 0.25f, 0.5f, 0.25f, 0.5f, 1.5f };
    const float halves[12] = { 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f,
                               0.5f };
    const int labels[2] = { 2, 0 }, ignored[2] = { -100, -100 }, negative[2] = { 0, -1 };
    int k;
    double loss;
    static const tnn_loss_type on_targets[] = {
        TNN_CROSS_ENTROPY, TNN_MSE, TNN_L1, TNN_HUBER, TNN_SMOOTH_L1, TNN_LOG_COSH, TNN_BCE_LOGITS,
        TNN_FOCAL, TNN_HINGE, TNN_SQUARED_HINGE, TNN_HINGE_EMBEDDING, TNN_KL_DIV, TNN_POISSON_NLL,
        TNN_COSINE_LOSS, TNN_DICE, TNN_BCE, TNN_GAUSSIAN_NLL
    };
    tnn_net *net;
    for (k = 0; k < (int)(sizeof on_targets / sizeof *on_targets); k++) {
        tnn_loss_options o = of_type(on_targets[k]);
        const int units = o.type == TNN_GAUSSIAN_NLL ? 6 : 3;
        int bad;
        net = small(units);
        tnn_set_loss_with(net, &o);
        tnn_set_param(net, "0.weight", halves, 2 * units);
        for (bad = 0; bad < 3; bad++) {
            const float was = t[4];
            tnn_forward(net, x, 2, TNN_TRAIN);
            tnn_loss_targets(net, t);
            CHECK(!tnn_failed(), "%s", tnn_error());
            t[4] = bad == 0 ? nan : bad == 1 ? (float)HUGE_VAL : (float)-HUGE_VAL;
            loss = tnn_loss_targets(net, t);
            CHECK(loss != loss && strstr(tnn_error(), "target 1 of sample 1 is "),
                  "loss %d took a target of %g: %s", (int)o.type, (double)t[4], tnn_error());
            tnn_clear_error();
            CHECK(tnn_backward(net) != TNN_OK, "backward after a bad loss");
            tnn_clear_error();
            t[4] = was;
        }
        tnn_free(net);
    }
    net = small(3);
    tnn_set_loss(net, TNN_BCE);
    tnn_set_param(net, "0.weight", w, 6);
    tnn_forward(net, x, 2, TNN_TRAIN);
    tnn_loss_targets(net, t);
    SAYS("tnn_loss_targets: output 2 of sample 1 is 1.5; for bce it must be at most 1");
    w[5] = 1;
    tnn_set_param(net, "0.weight", w, 6);
    t[3] = -0.5f;
    tnn_forward(net, x, 2, TNN_TRAIN);
    tnn_loss_targets(net, t);
    SAYS("tnn_loss_targets: target 0 of sample 1 is -0.5; those of bce must be finite "
         "and in [0, 1]");
    t[3] = 1;
    tnn_free(net);
    net = small(3);
    tnn_set_loss(net, TNN_HINGE);
    t[0] = 0.5f;
    tnn_forward(net, x, 2, TNN_TRAIN);
    tnn_loss_targets(net, t);
    SAYS("tnn_loss_targets: target 0 of sample 0 is 0.5; those of hinge are -1 or 1");
    t[0] = 0;
    tnn_loss_targets(net, NULL);
    SAYS("tnn_loss: no labels and no targets; a loader with .mixup or .cutmix has .targets, for "
         "tnn_loss_targets; tnn_loader_loss takes what a loader has");
    tnn_loss(net, negative);
    SAYS("tnn_loss: label -1 of sample 1 is out of range, the network has 3 classes");
    tnn_free(net);
    net = small(2);
    tnn_set_loss(net, TNN_GAUSSIAN_NLL);
    w[2] = -0.25f;
    tnn_set_param(net, "0.weight", w, 4);
    tnn_forward(net, x, 1, TNN_TRAIN);
    tnn_loss_targets(net, t);
    SAYS("tnn_loss_targets: output 1 of sample 0 is -0.25; for gaussian nll it must be "
         "at least 0");
    tnn_loss(net, labels);
    SAYS("tnn_loss: gaussian nll takes targets (tnn_loss_targets)");
    tnn_free(net);
    net = small(3);
    tnn_set_loss(net, TNN_NLL);
    tnn_forward(net, x, 2, TNN_TRAIN);
    tnn_loss_targets(net, t);
    SAYS("tnn_loss_targets: nll takes labels (tnn_loss)");
    loss = tnn_loss(net, ignored);
    CHECK(loss != loss, "all ignored: %g", loss);
    SAYS("tnn_loss: of all 2 samples the class or sample weights are 0, "
         "or the labels are ignored (.ignore_index = -100)");
    tnn_free(net);
    net = small(3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY, .gamma = 2);
    tnn_forward(net, x, 2, TNN_TRAIN);
    tnn_loss_targets(net, t);
    SAYS("tnn_loss_targets: cross-entropy takes labels (tnn_loss)");
    tnn_free(net);
    net = small(3);
    tnn_set_loss(net, TNN_MSE);
    w[2] = 0.5f, w[5] = 3e38f;
    tnn_set_param(net, "0.weight", w, 6);
    tnn_forward(net, x, 2, TNN_TRAIN);
    tnn_loss_targets(net, t);
    SAYS("tnn_loss_targets: the loss of sample 1 is not finite after 0 steps (its largest output "
         "is 3e38); the parameters are those of the last step; a smaller lr or normalised data "
         "may help");
    tnn_free(net);
    for (k = 0; k < 2; k++) {               /* products that overflow in a float */
        net = small(3);
        tnn_set_loss(net, k ? TNN_DICE : TNN_COSINE_LOSS);
        w[5] = 1e25f;
        tnn_set_param(net, "0.weight", w, 6);
        tnn_forward(net, x, 2, TNN_TRAIN);
        tnn_loss_targets(net, t);
        CHECK(strstr(tnn_error(), "the loss of sample 1 is not finite"), "%s", tnn_error());
        tnn_clear_error();
        tnn_free(net);
    }
    net = small(3);
    tnn_set_loss(net, TNN_POISSON_NLL);
    w[5] = 90;
    tnn_set_param(net, "0.weight", w, 6);
    tnn_forward(net, x, 2, TNN_TRAIN);
    tnn_loss_targets(net, t);
    SAYS("tnn_loss_targets: output 2 of sample 1 is 90; for poisson nll it must be "
         "at most 88");
    tnn_free(net);
}

/* What becomes infinite on the way: the layer, or the gradient; the parameters stay. A gradient
   whose square alone is too large for a float is right, whichever way it is looked at. */
static void overflows(void)
{
    static float x[2*600], w[40*600], now[40*600];
    const float zero[80] = { 0 };
    int k, i;
    tnn_net *net = small(4);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 2);
    tnn_set_loss(net, TNN_MSE);
    x[0] = x[1] = x[2] = 1;
    x[3] = 3e38f;
    for (i = 0; i < 8; i++) w[i] = 2;
    tnn_set_param(net, "0.weight", w, 8);
    tnn_forward(net, x, 2, TNN_TRAIN);
    tnn_loss_targets(net, zero);
    SAYS("tnn_loss_targets: the loss of sample 1 is not finite after 0 steps, and so is first an "
         "output of layer 1 (dense, or what follows it); the parameters are those of the last "
         "step; a smaller lr or normalised data may help");
    tnn_free(net);
    for (k = 0; k < 4; k++) {       /* 40 units: bounded by |x| |dy|; 2: looked at one by one */
        const int in = k & 1 ? 2 : 600, units = k & 1 ? 2 : 40;
        const float large = k & 2 ? 1e34f : 1e12f;
        net = tnn_create(.input = { in }, .batch = 2);
        tnn_add(net, TNN_DENSE, .units = units);
        tnn_set_loss(net, TNN_MSE);
        tnn_set_optimizer(net, TNN_SGD, .lr = 1e-30);
        for (i = 0; i < 2*in; i++) x[i] = large;
        for (i = 0; i < in*units; i++) w[i] = k & 2 ? 1e-27f : 1;
        tnn_set_param(net, "0.weight", w, in*units);
        tnn_set_param(net, "0.bias", zero, units);
        tnn_forward(net, x, 2, TNN_TRAIN);
        tnn_loss_targets(net, zero);
        CHECK(!tnn_failed(), "%s", tnn_error());
        CHECK((tnn_backward(net) == TNN_OK) == !(k & 2), "large gradients, %d: %s", k, tnn_error());
        if (k & 2) SAYS("tnn_backward: the gradient of 0.weight is not finite after 0 steps; the "
                        "parameters are those of the last step; a smaller lr may help");
        if (k & 2) CHECK(tnn_step(net) != TNN_OK, "a step after such a gradient");
        else CHECK(tnn_step(net) == TNN_OK, "%s", tnn_error());
        tnn_clear_error();
        tnn_get_param(net, "0.weight", now, in*units);
        CHECK(!memcmp(now, w, (size_t)(in*units)*sizeof *w) == !!(k & 2), "weights, %d", k);
        tnn_free(net);
    }
}

/* A logit of minus infinity masks its class, and is the logarithm of no probability. */
static void masked_logits(void)
{
    const float x[2] = { 10, 0 }, w[6] = { -3e38f, 0, 0.1f, 0, 0.2f, 0 };
    const float less[6] = { -3e38f, 0, -0.1f, 0, -0.2f, 0 };
    float dw[6];
    const int label = 1;
    tnn_net *net = small(3);
    double loss;
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_param(net, "0.weight", w, 6);
    tnn_forward(net, x, 1, TNN_TRAIN);
    CHECK(tnn_output(net)[0] < -3e38f, "the mask");
    loss = tnn_loss(net, &label);
    CHECK_NEAR("loss", loss, log1p(exp(1)), 1e-6);
    tnn_backward(net);
    tnn_get_grad(net, "0.weight", dw, 6);
    CHECK(dw[0] == 0, "its gradient is %g", (double)dw[0]);
    CHECK_NEAR("gradient", (double)dw[2], -10 * exp(1) / (1 + exp(1)), 1e-6);
    CHECK_NEAR("gradient", (double)dw[4], 10 * exp(1) / (1 + exp(1)), 1e-6);
    CHECK(!tnn_failed(), "%s", tnn_error());
    tnn_free(net);
    net = small(3);
    tnn_set_loss(net, TNN_NLL);
    tnn_set_param(net, "0.weight", less, 6);
    tnn_forward(net, x, 1, TNN_TRAIN);
    loss = tnn_loss(net, &label);
    CHECK(!tnn_failed(), "%s", tnn_error());
    CHECK_NEAR("nll", loss, 1, 1e-6);
    tnn_free(net);
}

/* A label of probability 1 has the gradient 0, whatever its class weighs: the rules that divide by
   gradients make steps of what rounding leaves. */
static void certain(void)
{
    const float weights[3] = { 0.3f, 1.7f, 0.9f }, x[9] = { 200, 0, 1, 0, 200, 1, 0, 1, 200 };
    const int shape[4] = { 3, 3, 1, 1 }, labels[3] = { 0, 1, 2 };
    tnn_loss_options loss = of_type(TNN_CROSS_ENTROPY);
    float dx[9];
    int k, i;
    for (k = 0; k < 4; k++) {
        loss.class_weights = k & 1 ? weights : NULL;
        loss.gamma = k & 2 ? 0.5f : 0;
        CHECK(evaluate(&loss, shape, 1, x, NULL, labels, dx) == 0, "loss %d", k);
        for (i = 0; i < 9; i++) CHECK(dx[i] == 0, "%d: gradient %d is %g", k, i, (double)dx[i]);
    }
}

/* Half the squared error, and what it was given. */
static double half_square(void *user, const float *y, const float *t, const int *labels, int n,
                          int count, float *g)
{
    double sum = 0;
    int i;
    *(int *)user += n * 100 + count;
    for (i = 0; i < n * count; i++) {
        const float want = t ? t[i] : (float)labels[i / count];
        g[i] = (y[i] - want) / (float)(n * count);
        sum += ((double)y[i] - (double)want) * ((double)y[i] - (double)want) / 2;
    }
    return sum / (n * count);
}

static void custom(void)
{
    enum { N = 3, C = 2, H = 3, W = 2, COUNT = C * H * W };
    const int shape[4] = { N, C, H, W };
    int seen = 0, flat, labels[N] = { 0, 1, 0 }, k;
    for (flat = 0; flat < 2; flat++) {
        tnn_loss_options mse = of_type(TNN_MSE), mine = of_type(TNN_CUSTOM_LOSS);
        float x[N * COUNT], t[N * COUNT], a[N * COUNT], b[N * COUNT];
        double want, got;
        mine.custom = half_square;
        mine.user = &seen;
        test_fill(x, N * COUNT, 60), test_fill(t, N * COUNT, 61);
        for (k = 0; k < 2; k++) {
            int i;
            for (i = 0; k && i < N * COUNT; i++) t[i] = (float)labels[i / COUNT];
            want = evaluate(&mse, shape, flat, x, t, NULL, a);
            got = evaluate(&mine, shape, flat, x, k ? NULL : t, labels, b);
            CHECK_NEAR("loss", 2 * got, want, 1e-6);
            for (i = 0; i < N * COUNT; i++)
                CHECK(fabs(2 * (double)b[i] - (double)a[i]) < 1e-8, "gradient %d: %g, %g", i,
                      (double)b[i], (double)a[i]);
        }
    }
    CHECK(seen == 4 * (N * 100 + COUNT), "%d", seen);
    CHECK(!tnn_failed(), "%s", tnn_error());
}

/* One output and labels 0 and 1: the label is the target, the side of the edge the prediction. */
static void binary(void)
{
    enum { N = 9 };
    static const tnn_loss_type types[] = { TNN_BCE_LOGITS, TNN_BCE, TNN_HINGE, TNN_MSE, TNN_FOCAL };
    static const float edges[] = { 0, 0.5f, 0, 0.5f, 0 };
    const float one = 1;
    float x[N], targets[N];
    int labels[N], i, k, correct = 0, counts[4];
    tnn_data data, counted;
    for (k = 0; k < 5; k++) {
        tnn_net *net = tnn_create(.input = { 1 }, .batch = 4);
        double by_labels = 0, by_targets = 0;
        tnn_metrics m;
        tnn_add(net, TNN_DENSE, .units = 1, .no_bias = 1);
        tnn_set_loss(net, types[k]);
        tnn_set_param(net, "0.weight", &one, 1);
        for (correct = i = 0; i < N; i++) {
            x[i] = test_value(70, (uint32_t)i) * 0.5f + 0.5f;
            if (edges[k] == 0) x[i] = 2 * x[i] - 1;
            labels[i] = i % 2;
            targets[i] = types[k] == TNN_HINGE ? (float)(2 * labels[i] - 1) : (float)labels[i];
            correct += (x[i] > edges[k]) == labels[i];
        }
        for (i = 0; i < N; i += 3) {
            tnn_forward(net, x + i, 3, TNN_EVAL);
            by_labels += tnn_loss(net, labels + i) / 3;
            by_targets += tnn_loss_targets(net, targets + i) / 3;
            CHECK(tnn_correct(net) == 0, "correct on targets");
        }
        CHECK(fabs(by_labels - by_targets) < 1e-12, "labels %g, targets %g", by_labels, by_targets);
        data = tnn_data_view(NULL, x, labels, N, 1, 1, 1);
        m = tnn_confusion(net, &data, counts, 2);
        CHECK(!tnn_failed(), "%s", tnn_error());
        CHECK_NEAR("evaluate", m.loss, by_labels, 1e-7);
        CHECK(m.correct == correct && counts[0] + counts[3] == correct
              && counts[0] + counts[1] == 5 && counts[2] + counts[3] == 4, "%d of %d, %d %d %d %d",
              m.correct, correct, counts[0], counts[1], counts[2], counts[3]);
        labels[3] = 2;
        counted = tnn_data_view(NULL, x, labels, N, 1, 1, 1);
        m = tnn_confusion(net, &counted, counts, 2);
        if (types[k] == TNN_MSE)
            SAYS("tnn_confusion: label 2 of sample 3, the network tells 2 classes apart");
        else CHECK(m.loss != m.loss && strstr(tnn_error(), "target 0 of sample 3 is 2; those of"),
                   "%s", tnn_error());
        tnn_clear_error();
        tnn_free(net);
    }
}

/* What is predicted: of outputs with ties, the first in PyTorch's order, by sample or by pixel. */
static void predictions(void)
{
    enum { N = 40, C = 3, H = 2, W = 2, COUNT = C * H * W };
    int way;
    for (way = 0; way < 3; way++) {             /* flattened, by pixel, pixels of one channel */
        const int c = way == 2 ? 1 : C, count = c * H * W, pixels = way ? H * W : 1;
        const uint32_t outcomes = way == 2 ? 2 : (uint32_t)(count / pixels);
        tnn_loss_options o = of_type(way == 2 ? TNN_BCE_LOGITS : TNN_CROSS_ENTROPY);
        output_net net;
        float x[N * COUNT];
        int labels[N * H * W], i, p, q, want = 0;
        o.per_pixel = way > 0;
        for (i = 0; i < N * count; i++)
            x[i] = (float)(test_hash(75, (uint32_t)i) % 4) - 1.5f;
        for (i = 0; i < N * pixels; i++)
            labels[i] = (int)(test_hash(76, (uint32_t)i) % outcomes);
        net = output_create(N, c, H, W, way == 0, &o);
        output_forward(&net, x);
        tnn_loss(net.net, labels);
        for (i = 0; i < N; i++)
            for (p = 0; p < pixels; p++) {
                const float *y = x + i * count + p;
                int best = 0;
                for (q = 1; q < count / pixels; q++)
                    if (y[q * pixels] > y[best * pixels]) best = q;
                if (way == 2) best = y[0] > 0;
                want += best == labels[i * pixels + p];
            }
        CHECK(tnn_correct(net.net) == want && want > 0, "%d of %d", tnn_correct(net.net), want);
        CHECK(!tnn_failed(), "%s", tnn_error());
        output_free(&net);
    }
}

/* tnn_evaluate: as of one batch, whatever the batches, the reduction and what is ignored. */
static void evaluation(void)
{
    enum { N = 13, C = 5 };
    float x[N * 2];
    int labels[N], i, k;
    test_fill(x, N * 2, 80);
    for (i = 0; i < N; i++) labels[i] = i < 4 ? 3 : i % C;      /* the first batch: all ignored */
    for (k = 0; k < 5; k++) {
        tnn_loss_options o = of_type(k < 3 ? TNN_CROSS_ENTROPY : TNN_MSE);
        double loss[2], batch[2];
        int b, correct[2];
        o.reduction = k == 1 || k == 4 ? TNN_REDUCE_SUM : k == 2 ? TNN_REDUCE_BATCHMEAN
                                                                 : TNN_REDUCE_MEAN;
        if (k < 3) o.ignore_index = 3;
        for (b = 0; b < 2; b++) {
            tnn_net *net = tnn_create(.input = { 2 }, .batch = b ? N : 4, .seed = 9);
            tnn_data data = tnn_data_view(NULL, x, labels, N, 2, 1, 1);
            tnn_metrics m;
            tnn_add(net, TNN_DENSE, .units = C);
            tnn_set_loss_with(net, &o);
            m = tnn_evaluate(net, &data);
            loss[b] = m.loss;
            correct[b] = m.correct;
            if (b) {
                tnn_forward(net, x, N, TNN_EVAL);
                batch[b] = tnn_loss(net, labels);
                CHECK_NEAR("one batch", m.loss, batch[b], 1e-12);
            }
            tnn_free(net);
        }
        CHECK(!tnn_failed(), "%s", tnn_error());
        CHECK_NEAR("batches", loss[0], loss[1], 1e-12);
        CHECK(correct[0] == correct[1] && correct[0] > 0, "%d %d", correct[0], correct[1]);
    }
    {
        tnn_net *net = tnn_create(.input = { 1, 2, 1 }, .batch = 4);
        tnn_data data = tnn_data_view(NULL, x, labels, N, 1, 2, 1);
        tnn_loader *batches = tnn_loader_create(&data, .batch = 4);
        const int pixels[2] = { 1, 1 };
        double loss;
        tnn_add(net, TNN_CONV2D, .filters = C, .kernel = 1);
        tnn_set_loss(net, TNN_CROSS_ENTROPY, .per_pixel = 1);
        tnn_evaluate(net, &data);
        SAYS("tnn_evaluate: a data set has one label per sample, the loss sees 2 pixels; "
             ".per_pixel of tnn_data_create says that each has a label");
        tnn_train_epoch(net, batches);
        SAYS("tnn_train_epoch: a data set has one label per sample, the loss sees 2 pixels; "
             ".per_pixel of tnn_data_create says that each has a label");
        tnn_forward(net, x, 1, TNN_EVAL);
        loss = tnn_loss(net, pixels);
        CHECK(loss > 0 && !tnn_failed(), "%g: %s", loss, tnn_error());
        tnn_loader_free(batches);
        tnn_free(net);
        net = tnn_create(.input = { 1, 2, 1 }, .batch = 4);
        tnn_add(net, TNN_CONV2D, .filters = C, .kernel = 1);
        tnn_set_loss(net, TNN_MSE);
        tnn_forward(net, x, 1, TNN_EVAL);
        tnn_loss(net, pixels);
        SAYS("tnn_loss: one label for 2 pixels of the last layer: .per_pixel = 1 if each has a "
             "label, else TNN_FLATTEN");
        tnn_free(net);
    }
}

/* Steps on targets, taken apart and at once; smaller batches too; and every loss's gradient through
   a network. */
static void steps(void)
{
    enum { N = 6, C = 3 };
    float x[N * 2], t[N * C];
    double first = 0, last = 0, loss[2];
    tnn_net *net[2];
    int i, k, labels[N] = { 0, 1, 2, 2, 1, 0 };
    test_fill(x, N * 2, 90), test_fill(t, N * C, 91);
    for (k = 0; k < 2; k++) {
        net[k] = tnn_create(.input = { 2 }, .batch = N, .seed = 4);
        tnn_add(net[k], TNN_DENSE, .units = 16);
        tnn_add(net[k], TNN_RELU);
        tnn_add(net[k], TNN_DENSE, .units = C);
        tnn_set_loss(net[k], TNN_HUBER);
        tnn_set_optimizer(net[k], TNN_ADAM, .lr = 0.01);
    }
    for (i = 0; i < 200; i++) {
        const int n = i % 3 ? N : 4;
        loss[0] = tnn_train_batch_targets(net[0], x, t, n);
        tnn_forward(net[1], x, n, TNN_TRAIN);
        loss[1] = tnn_loss_targets(net[1], t);
        tnn_backward(net[1]);
        tnn_step(net[1]);
        CHECK(loss[0] == loss[1], "step %d: %g, %g", i, loss[0], loss[1]);
        if (i == 1) first = loss[0];
        if (i % 3) last = loss[0];
    }
    CHECK(last < 0.2 * first, "from %g to %g", first, last);
    CHECK(tnn_hash(net[0]) == tnn_hash(net[1]), "other weights");
    tnn_free(net[0]), tnn_free(net[1]);
    for (k = TNN_CROSS_ENTROPY; k < TNN_CUSTOM_LOSS; k++) {
        tnn_net *one = tnn_create(.input = { 2 }, .batch = N, .seed = 4);
        double error;
        if (k == TNN_GAUSSIAN_NLL || k == TNN_BCE) { tnn_free(one); continue; }
        tnn_add(one, TNN_DENSE, .units = 16);
        tnn_add(one, TNN_RELU);
        tnn_add(one, TNN_DENSE, .units = C);
        if (k == TNN_NLL) tnn_add(one, TNN_LOG_SOFTMAX);
        tnn_set_loss(one, (tnn_loss_type)k);
        error = tnn_gradient_check(one, x, labels, N, 60);
        CHECK(error < 1e-3, "tnn_gradient_check of loss %d: %g", k, error);
        tnn_free(one);
    }
    CHECK(!tnn_failed(), "%s", tnn_error());
}

/* What else asks for a loss: mixed batches, L-BFGS's searches, Sophia's estimates. */
static void elsewhere(void)
{
    enum { N = 12, C = 3 };
    float x[N * 2], t[N * C];
    int labels[N], i, k;
    double loss = 0;
    tnn_data data;
    test_fill(x, N * 2, 95);
    for (i = 0; i < N; i++) {
        labels[i] = i % C;
        for (k = 0; k < C; k++)
            t[i * C + k] = (float)(k + 1) * x[2 * i] - 0.5f * x[2 * i + 1] + 0.25f;
    }
    data = tnn_data_view(NULL, x, labels, N, 2, 1, 1);
    for (k = 0; k < 2; k++) {
        tnn_net *net = tnn_create(.input = { 2 }, .batch = N);
        tnn_loader *mixed = tnn_loader_create(&data, .batch = 5, .mixup = 1);
        tnn_metrics m;
        tnn_add(net, TNN_DENSE, .units = C + k);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net, TNN_SGD, .lr = 0.1);
        m = tnn_train_epoch(net, mixed);
        CHECK(k || (m.loss > 0 && m.n == N && !tnn_failed()), "%g, %d: %s", m.loss, m.n,
              tnn_error());
        if (k) SAYS("tnn_train_epoch: targets of 3 classes, the loss sees 4 values");
        tnn_loader_free(mixed);
        tnn_free(net);
        net = tnn_create(.input = { 2 }, .batch = N);
        tnn_add(net, TNN_DENSE, .units = C);
        tnn_set_loss(net, TNN_MSE);
        tnn_set_optimizer(net, k ? TNN_SOPHIA : TNN_LBFGS);
        for (i = 0; i < 4; i++) loss = tnn_train_batch_targets(net, x, t, N);
        if (k) SAYS("tnn_step: Sophia draws labels from a softmax: it needs the cross-entropy of "
                    "one label per sample");
        else CHECK(loss < 1e-8 && !tnn_failed(), "a linear fit left %g: %s", loss, tnn_error());
        tnn_free(net);
    }
}

int main(int argc, char **argv)
{
    vectors_from(argc, argv);
    test_start(argc, argv);
    EACH_ISA("labels against PyTorch", on_labels);
    EACH_ISA("targets against PyTorch", on_targets);
    EACH_ISA("hinges, densities against PyTorch", on_more_targets);
    RUN("against differences of formulas", differences);
    EACH_SETTING("large batches", large);
    RUN("bad options", bad_options);
    RUN("bad labels, targets and outputs", bad_batches);
    RUN("what becomes infinite", overflows);
    EACH_ISA("masked logits", masked_logits);
    EACH_ISA("certain labels", certain);
    RUN("a loss of the user's", custom);
    EACH_ISA("one output", binary);
    RUN("predictions", predictions);
    EACH_ISA("evaluation", evaluation);
    EACH_ISA("steps", steps);
    EACH_ISA("mixed batches, L-BFGS, Sophia", elsewhere);
    return test_finish();
}
