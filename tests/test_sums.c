/* test_sums.c - long sums of floats against double precision: reductions, means and variances of
   every normalisation, their gradients, those of biases, slopes and depthwise weights, pooling,
   losses, softmax; and numbers whose squares no float holds

       build/test_sums [all]        all: on images to 1280 x 1280

   A chain of float additions over 512 x 512 equal pixels is off by 1e-3. Asked for here is the
   rounding of a few additions, whatever the size. */
#include "test.h"

static int side = 160;

/* ---- data: equal numbers, on which a chain drifts to one side, and random ones --------------- */
enum { KINDS = 4, LARGE, CHANNELS = 4, BATCH = 2 };
static const char *const kind_names[KINDS] = {"254.3", "0.1", "random", "random around 254.3"};
static float datum(int kind, size_t i)
{
    return kind == 0 ? 254.3f : kind == 1 ? 0.1f
         : test_value(7, (uint32_t)i) + (kind == 3 ? 254.3f : 0);
}
static float *data_of(int kind, size_t n)
{
    float *x = test_floats(n);
    size_t i;
    for (i = 0; i < n; i++) x[i] = datum(kind, i);
    return x;
}
/* Checks that |got - want| is at most limit times scale. */
static void near_to(const char *what, const char *of, double got, double want, double scale,
                    double limit)
{
    const double err = fabs(got - want)/scale;
    test_measure(err, limit);
    CHECK(err <= limit, "%s of %s, %d x %d: %.9g, should be %.9g", what, of, side, side, got, want);
}

static void reductions(void)
{
    const size_t n = (size_t)side*(size_t)side;
    int kind;
    size_t i;
    for (kind = 0; kind < KINDS; kind++) {
        float *x = data_of(kind, n);
        const tnn_tensor t = tnn_tensor_view(x, side, side, 1, 1);
        double sum = 0, dot = 0, size = 0;
        for (i = 0; i < n; i++) sum += (double)x[i], dot += (double)x[i]*(double)x[i];
        for (i = 0; i < n; i++) size += fabs((double)x[i]);
        near_to("tnn_sum", kind_names[kind], (double)tnn_sum(t), sum, size, 2.4e-7);
        near_to("tnn_mean", kind_names[kind], (double)tnn_mean(t), sum/(double)n, size/(double)n,
                2.4e-7);
        near_to("tnn_dot", kind_names[kind], (double)tnn_dot(t, t), dot, dot, 2.4e-7);
        test_release(x);
    }
}

/* ---- layers: before them stands one that keeps what comes back ------------------------------- */
typedef struct { float *dx; size_t at, size; } tap;
static int tap_shape(void *user, const int in[3], int out[3], int *params)
{
    ((tap *)user)->size = (size_t)in[0]*(size_t)in[1]*(size_t)in[2];
    (void)out;
    *params = 1;
    return 0;
}
static void tap_forward(void *user, const float *x, float *y, const float *params, int training)
{
    (void)params; (void)training;
    memcpy(y, x, ((tap *)user)->size*sizeof *y);
}
static void tap_backward(void *user, const float *x, const float *y, const float *dy, float *dx,
                         const float *params, float *dparams)
{
    tap *t = (tap *)user;
    (void)x; (void)y; (void)dx; (void)params; (void)dparams;
    memcpy(t->dx + t->at, dy, t->size*sizeof *dy);
    t->at += t->size;
}
typedef struct {
    tnn_net         *net;
    tap              tap;
    tnn_custom_layer layer;
    size_t           n;             /* values of the input */
    int              kind;          /* of dL/dy: 0.1 where data are equal, random elsewhere */
    float           *x, *y, *dy;    /* all samples */
    size_t           outputs;
} rig;
static double rig_loss(void *user, const float *y, const float *targets, const int *labels, int n,
                       int size, float *grad)
{
    rig *r = (rig *)user;
    size_t i;
    (void)targets; (void)labels;
    for (i = 0; i < (size_t)n*(size_t)size; i++) grad[i] = r->dy[i];
    memcpy(r->y, y, (size_t)n*(size_t)size*sizeof *y);
    return 0;
}
/* Forward and backward of a layer on `batch` samples x. */
static void run_layer(rig *r, tnn_layer o, int c, int h, int w, int batch, const float *x, int kind)
{
    static const int no_label[1 << 14];
    size_t i;
    int shape[3] = {0, 0, 0};
    memset(r, 0, sizeof *r);
    r->layer.user = &r->tap;
    r->layer.shape = tap_shape;
    r->layer.forward = tap_forward;
    r->layer.backward = tap_backward;
    r->n = (size_t)batch*(size_t)c*(size_t)h*(size_t)w;
    r->net = tnn_create(.input = {c, h, w}, .batch = batch, .threads = 1);
    tnn_add(r->net, TNN_CUSTOM_LAYER, .custom = &r->layer);
    tnn_add_with(r->net, &o);
    tnn_set_loss(r->net, TNN_CUSTOM_LOSS, .custom = rig_loss, .user = r);
    tnn_output_shape(r->net, shape);
    r->outputs = (size_t)shape[0]*(size_t)shape[1]*(size_t)shape[2];
    r->y = test_floats((size_t)batch*r->outputs);
    r->dy = test_floats((size_t)batch*r->outputs);
    r->tap.dx = test_floats(r->n);
    for (i = 0; i < (size_t)batch*r->outputs; i++)
        r->dy[i] = kind < 2 ? 0.1f : kind == LARGE ? 1e25f : test_value(9, (uint32_t)i);
    tnn_forward(r->net, x, batch, TNN_TRAIN);
    tnn_loss(r->net, no_label);
    tnn_backward(r->net);
    CHECK(!tnn_failed(), "layer type %d: %s", (int)o.type, tnn_error());
    tnn_clear_error();
}
static void drop_rig(rig *r)
{
    tnn_free(r->net);
    test_release(r->y);
    test_release(r->dy);
    test_release(r->tap.dx);
}
static void grad_of(rig *r, const char *name, float *g, int count)
{
    CHECK(!tnn_get_grad(r->net, name, g, count), "%s", tnn_error());
    tnn_clear_error();
}

/* Which statistic value i of a sample s belongs to, of how many. */
static int group_of(int type, int s, size_t i, size_t pixels)
{
    const int channel = (int)(i/pixels);
    return type == TNN_BATCHNORM ? channel : type == TNN_GROUPNORM ? 2*s + channel/2
         : type == TNN_INSTANCENORM ? CHANNELS*s + channel : s;
}
static void normalised(int type, const char *name, int kind, double scale)
{
    enum { MOST = CHANNELS*BATCH };
    const size_t pixels = (size_t)side*(size_t)side, each = CHANNELS*pixels, n = BATCH*each;
    const int centred = type != TNN_RMSNORM, whole = type == TNN_LAYERNORM || !centred;
    const double eps = centred ? 1e-5 : 1.1920929e-7;
    double mean[MOST] = {0}, var[MOST] = {0}, count[MOST] = {0}, m1[MOST] = {0}, m2[MOST] = {0};
    double y_err = 0, dx_err = 0, dw[CHANNELS] = {0}, db[CHANNELS] = {0}, all[CHANNELS] = {0};
    double b_all[CHANNELS] = {0};
    float *x = data_of(kind, n), gw[CHANNELS], gb[CHANNELS];
    tnn_layer o;
    rig r;
    size_t i;
    int g, c;
    memset(&o, 0, sizeof o);
    o.type = (tnn_layer_type)type;
    if (type == TNN_GROUPNORM) o.groups = 2;
    if (type == TNN_INSTANCENORM) o.affine = 1;
    o.no_statistics = type == TNN_BATCHNORM;          /* running variances are floats */
    if (scale > 1) for (i = 0; i < n; i++) x[i] *= (float)scale;
    run_layer(&r, o, CHANNELS, side, side, BATCH, x, kind);
#define EACH_VALUE for (i = 0; i < n; i++)
#define G    group_of(type, (int)(i/each), i%each, pixels)
#define HAT  (((double)x[i] - mean[g])/sqrt(var[g] + eps))
    EACH_VALUE count[G]++, mean[G] += centred ? (double)x[i] : 0;
    for (g = 0; g < MOST; g++) mean[g] /= count[g] + (count[g] == 0);
    EACH_VALUE { g = G; var[g] += ((double)x[i] - mean[g])*((double)x[i] - mean[g]); }
    for (g = 0; g < MOST; g++) var[g] /= count[g] + (count[g] == 0);
    EACH_VALUE {
        const double e = (g = G, HAT*(double)r.dy[i]);
        m1[g] += centred ? (double)r.dy[i] : 0, m2[g] += e;
        c = (int)(i%each/pixels);
        dw[c] += e, all[c] += fabs(e), db[c] += (double)r.dy[i], b_all[c] += fabs((double)r.dy[i]);
    }
    EACH_VALUE {
        const double std = (g = G, sqrt(var[g] + eps)), hat = HAT;
        const double dx = ((double)r.dy[i] - m1[g]/count[g] - hat*m2[g]/count[g])/std;
        /* the mean is kept as a float: half a unit of it, of equal numbers none */
        const double away = kind < 2 ? 1e-9 : fabs(mean[g])*6e-8/std;
        const double err = (fabs((double)r.y[i] - hat) - away)/(1 + fabs(hat));
        const double back = (fabs((double)r.tap.dx[i] - dx)*std - away)/(1 + fabs(hat));
        if (!(err <= y_err)) y_err = err;
        if (!(back <= dx_err)) dx_err = back;
    }
    near_to(name, kind_names[kind], y_err, 0, 1, 1e-6);
    near_to(name, "its gradient", dx_err, 0, 1, 1e-6);
    if (!whole) {
        grad_of(&r, "1.weight", gw, CHANNELS);
        grad_of(&r, "1.bias", gb, CHANNELS);
        for (c = 0; c < CHANNELS; c++) {
            const double away = kind < 2 ? 1 : fabs(mean[c])*6e-8/sqrt(var[c] + eps)*b_all[c];
            near_to(name, "weight's gradient", (double)gw[c], dw[c], all[c] + away*4e6, 6e-7);
            near_to(name, "bias' gradient", (double)gb[c], db[c], b_all[c], 2.4e-7);
        }
    }
    drop_rig(&r);
    test_release(x);
}
static const struct { int type; const char *name; } norms[] = {
    {TNN_BATCHNORM, "batch norm"}, {TNN_LAYERNORM, "layer norm"}, {TNN_GROUPNORM, "group norm"},
    {TNN_INSTANCENORM, "instance norm"}, {TNN_RMSNORM, "RMS norm"}
};
static void normalisation(void)
{
    int i, kind;
    for (i = 0; i < 5; i++)
        for (kind = 0; kind < KINDS; kind++) normalised(norms[i].type, norms[i].name, kind, 1);
}
/* Squares beyond the floats. */
static void huge(void)
{
    static const double scales[] = {1e17, 1e18, 1e19, 1e20, 1e25, 1e30, 1e36};
    int i, k;
    for (i = 0; i < 5; i++)
        for (k = 0; k < 7; k++) normalised(norms[i].type, norms[i].name, 2, scales[k]);
}

/* ---- other gradients ------------------------------------------------------------------------- */
static void gradients(void)
{
    const int h = side, w = side, n = CHANNELS*w*h;
    int kind, c, i, u, v;
    for (kind = 1; kind < 3; kind++) {
        float *x = data_of(kind, (size_t)n), g[9*CHANNELS];
        double sum, size;
        tnn_layer o;
        rig r;
        memset(&o, 0, sizeof o);
        o.type = TNN_CONV2D;
        o.filters = o.groups = CHANNELS;
        o.kernel = 3;
        o.pad = 1;
        run_layer(&r, o, CHANNELS, h, w, 1, x, kind);
        grad_of(&r, "1.bias", g, CHANNELS);
        for (c = 0; c < CHANNELS; c++) {
            for (sum = size = 0, i = c*h*w; i < (c + 1)*h*w; i++)
                sum += (double)r.dy[i], size += fabs((double)r.dy[i]);
            near_to("bias' gradient", kind_names[kind], (double)g[c], sum, size, 2.4e-7);
        }
        grad_of(&r, "1.weight", g, 9*CHANNELS);
        for (c = 0; c < 9*CHANNELS; c++) {
            const float *dy = r.dy + c/9*h*w, *from = x + c/9*h*w;
            const int y0 = c%9/3 - 1, x0 = c%3 - 1;
            for (sum = size = 0, u = 0; u < h; u++)
                for (v = 0; v < w; v++) {
                    if (u + y0 < 0 || u + y0 >= h || v + x0 < 0 || v + x0 >= w) continue;
                    sum += (double)dy[u*w + v]*(double)from[(u + y0)*w + v + x0];
                    size += fabs((double)dy[u*w + v]*(double)from[(u + y0)*w + v + x0]);
                }
            near_to("depthwise weight's gradient", kind_names[kind], (double)g[c], sum, size,
                    4e-7);
        }
        drop_rig(&r);
        for (i = 0; i < n; i++) x[i] = -x[i];
        for (u = 0; u < 2; u++) {
            memset(&o, 0, sizeof o);
            o.type = TNN_PRELU;
            o.per_channel = u;
            run_layer(&r, o, CHANNELS, h, w, 1, x, kind);
            for (sum = size = 0, i = 0; i < (u ? h*w : n); i++) {
                sum += x[i] > 0 ? 0 : (double)x[i]*(double)r.dy[i];
                size += x[i] > 0 ? 0 : fabs((double)x[i]*(double)r.dy[i]);
            }
            grad_of(&r, "1.weight", g, u ? CHANNELS : 1);
            near_to("slope's gradient", kind_names[kind], (double)g[0], sum, size, 4e-7);
            drop_rig(&r);
        }
        memset(&o, 0, sizeof o);
        o.type = TNN_SCALE;
        run_layer(&r, o, CHANNELS, h, w, 1, x, kind);
        for (sum = size = 0, i = 0; i < h*w; i++)
            sum += (double)x[i]*(double)r.dy[i], size += fabs((double)x[i]*(double)r.dy[i]);
        grad_of(&r, "1.weight", g, CHANNELS);
        near_to("scale's gradient", kind_names[kind], (double)g[0], sum, size, 4e-7);
        drop_rig(&r);
        memset(&o, 0, sizeof o);
        o.type = TNN_DENSE;
        o.units = 3;
        run_layer(&r, o, 1, 1, 1, 1 << 14, x, kind);
        for (sum = size = 0, i = 0; i < 3 << 14; i += 3)
            sum += (double)r.dy[i], size += fabs((double)r.dy[i]);
        grad_of(&r, "1.bias", g, 3);
        near_to("dense bias' gradient", kind_names[kind], (double)g[0], sum, size, 2.4e-7);
        drop_rig(&r);
        test_release(x);
    }
}
/* LayerNorm over one value gives its bias, whatever the value: no gradient but the bias'. */
static void one_value(void)
{
    int batch = 64, i;
    float *x = data_of(2, 64), g;
    tnn_layer o;
    rig r;
    memset(&o, 0, sizeof o);
    o.type = TNN_LAYERNORM;
    run_layer(&r, o, 1, 1, 1, batch, x, 2);
    for (i = 0; i < batch; i++) CHECK(r.tap.dx[i] == 0 && r.y[i] == 0, "%g", (double)r.tap.dx[i]);
    grad_of(&r, "1.weight", &g, 1);
    CHECK(g == 0, "weight's gradient is %g", (double)g);
    drop_rig(&r);
    test_release(x);
}

/* ---- pooling, softmax, losses ---------------------------------------------------------------- */
static void means(void)
{
    const size_t n = (size_t)side*(size_t)side;
    int kind;
    size_t i;
    for (kind = 0; kind < KINDS; kind++) {
        float *x = data_of(kind, n), y = 0, *from = test_floats(n);
        double sum = 0, size = 0, loss, sum_e = 0;
        tnn_net *net;
        memset(from, 0, n*sizeof *from);
        for (i = 0; i < n; i++) {
            sum += (double)x[i], size += fabs((double)x[i]);
            sum_e += exp((double)x[i] - 255.3);
        }
        tnn_avgpool2d_forward(tnn_tensor_view(&y, 1, 1, 1, 1),
                              tnn_tensor_view(x, 1, 1, side, side), (tnn_window){.kernel = side});
        near_to("average", kind_names[kind], (double)y, sum/(double)n, size/(double)n, 2.4e-7);
        net = tnn_create(.input = {1, side, side}, .batch = 1, .threads = 1);
        tnn_add(net, TNN_IDENTITY);
        tnn_set_loss(net, TNN_L1);
        tnn_forward(net, x, 1, TNN_TRAIN);
        loss = tnn_loss_targets(net, from);
        near_to("L1 loss", kind_names[kind], loss, size/(double)n, size/(double)n, 2.4e-7);
        tnn_free(net);
        net = tnn_create(.input = {(int)n}, .batch = 1, .threads = 1);
        tnn_add(net, TNN_IDENTITY);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_forward(net, x, 1, TNN_TRAIN);
        loss = tnn_loss(net, (const int[1]){3});
        near_to("cross-entropy", kind_names[kind], loss, log(sum_e) + 255.3 - (double)x[3], 1,
                1.2e-6);
        tnn_free(net);
        tnn_softmax(tnn_tensor_view(from, 1, (int)n, 1, 1), tnn_tensor_view(x, 1, (int)n, 1, 1));
        near_to("softmax", kind_names[kind], (double)from[3], exp((double)x[3] - 255.3)/sum_e,
                exp((double)x[3] - 255.3)/sum_e, 6e-7);
        CHECK(!tnn_failed(), "%s", tnn_error());
        tnn_clear_error();
        test_release(x);
        test_release(from);
    }
}

/* ---- norms of gradients and weights beyond the floats' squares ------------------------------- */
static void clipping(void)
{
    float x[4] = {1, -2, 3, 4}, g[12], targets[3] = {0, 0, 0};
    double norm = 0, want = 0;
    tnn_layer o;
    tnn_net *net;
    rig r;
    int i, k;
    memset(&o, 0, sizeof o);
    o.type = TNN_DENSE;
    o.units = 3;
    o.no_bias = 1;
    for (i = 0; i < 12; i++) want += (double)(x[i%4]*x[i%4])*1e50;
    run_layer(&r, o, 4, 1, 1, 1, x, LARGE);
    near_to("norm", "gradients of 1e25", tnn_clip_grad(r.net, TNN_CLIP_NORM, 1), sqrt(want),
            sqrt(want), 2.4e-7);
    grad_of(&r, "1.weight", g, 12);
    for (i = 0; i < 12; i++) norm += (double)g[i]*(double)g[i];
    near_to("norm", "clipped gradients", sqrt(norm), 1, 1, 4e-7);
    drop_rig(&r);

    net = tnn_create(.input = {4}, .batch = 1, .threads = 1);
    tnn_add(net, TNN_DENSE, .units = 3, .no_bias = 1, .constraint = TNN_UNIT_NORM);
    tnn_set_loss(net, TNN_HINGE_EMBEDDING);
    tnn_set_optimizer(net, TNN_SGD, .lr = 1e-30);
    for (i = 0; i < 12; i++) g[i] = 1e25f*x[i%4];
    tnn_set_param(net, "0.weight", g, 12);
    memset(x, 0, sizeof x);
    tnn_forward(net, x, 1, TNN_TRAIN);
    tnn_loss_targets(net, targets);
    tnn_backward(net);
    tnn_step(net);
    tnn_get_param(net, "0.weight", g, 12);
    for (k = 0; k < 3; k++) {
        for (norm = 0, i = 0; i < 4; i++) norm += (double)g[4*k + i]*(double)g[4*k + i];
        near_to("norm", "a row of 1e25 constrained to 1", sqrt(norm), 1, 1, 4e-7);
    }
    CHECK(!tnn_failed(), "%s", tnn_error());
    tnn_clear_error();
    tnn_free(net);
}

int main(int argc, char **argv)
{
    const int all = argc > 1 && !strcmp(argv[1], "all");
    test_start(all ? 1 : argc, argv);
    for (; side <= (all ? 1280 : 160); side *= 2) {
        RUN("reductions of tensors", reductions);
        RUN("average, losses, softmax", means);
        RUN("gradients of biases, slopes, depthwise weights", gradients);
        RUN("normalisation", normalisation);
    }
    side = 21;
    EACH_ISA("normalisation of 1e17 to 1e36", huge);
    EACH_ISA("layer norm over one value", one_value);
    EACH_ISA("norms of 1e25", clipping);
    side = 70;
    EACH_ISA("reductions", reductions);
    EACH_ISA("averages, losses, softmax", means);
    EACH_ISA("gradients", gradients);
    EACH_ISA("normalisation", normalisation);
    return test_finish();
}
