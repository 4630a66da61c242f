/* test_modules.c - every layer against PyTorch, its gradients, and what noise layers promise

   layer_vectors.py wrote the numbers. A layer is tried alone: before it stands a custom layer whose
   parameters ARE the layer's input, sample by sample, so that their gradient is dx; behind it a
   custom layer that records y and hands back the dL/dy of the file, whatever the loss says. The
   network's own input is the number of the sample. Chains of layers are then checked by differences
   of their losses. */
#include "test.h"
#include "vectors.h"

/* ==== A LAYER BETWEEN GIVEN NUMBERS =========================================================== */

typedef struct given {
    int    n, shape[3], count;          /* samples of x; values of one */
    int    outputs;                     /* values of one sample of y */
    float *y, *dy;                      /* recorded, and handed back; n times outputs */
} given;

static int given_shape(void *user, const int in[3], int out[3], int *params)
{
    const given *g = (const given *)user;
    (void)in;
    memcpy(out, g->shape, sizeof g->shape);
    *params = g->n * g->count;
    return 0;
}
static void given_forward(void *user, const float *x, float *y, const float *params, int training)
{
    const given *g = (const given *)user;
    (void)training;
    memcpy(y, params + (int)x[0] * g->count, (size_t)g->count * sizeof *y);
}
static void given_backward(void *user, const float *x, const float *y, const float *dy, float *dx,
                           const float *params, float *dparams)
{
    const given *g = (const given *)user;
    int i;
    (void)y, (void)params, (void)dx;
    for (i = 0; i < g->count; i++) dparams[(int)x[0] * g->count + i] += dy[i];
}
/* x is y and, last, the number of the sample; two constant logits. */
static int taken_shape(void *user, const int in[3], int out[3], int *params)
{
    given *g = (given *)user;
    g->outputs = in[0] * in[1] * in[2] - 1;
    out[0] = 2, out[1] = out[2] = 1;
    *params = 0;
    return 0;
}
static void taken_forward(void *user, const float *x, float *y, const float *params, int training)
{
    const given *g = (const given *)user;
    (void)params, (void)training;
    memcpy(g->y + (int)x[g->outputs] * g->outputs, x, (size_t)g->outputs * sizeof *x);
    y[0] = y[1] = 0;
}
static void taken_backward(void *user, const float *x, const float *y, const float *dy, float *dx,
                           const float *params, float *dparams)
{
    const given *g = (const given *)user;
    (void)y, (void)dy, (void)params, (void)dparams;
    memcpy(dx, g->dy + (int)x[g->outputs] * g->outputs, (size_t)g->outputs * sizeof *dx);
    dx[g->outputs] = 0;
}
static tnn_custom_layer before, after;

/* The network around the layers; its first is number 2 in order of tnn_add. */
static tnn_net *around(given *g, const tnn_layer *layers, int count)
{
    tnn_net *net = tnn_create(.input = { 1 }, .batch = g->n, .seed = 3);
    int i;
    memset(&before, 0, sizeof before), memset(&after, 0, sizeof after);
    before.name = "given", before.user = g;
    before.shape = given_shape, before.forward = given_forward, before.backward = given_backward;
    after.name = "taken", after.user = g;
    after.shape = taken_shape, after.forward = taken_forward, after.backward = taken_backward;
    g->count = g->shape[0] * g->shape[1] * g->shape[2];
    tnn_add(net, TNN_CUSTOM_LAYER, .custom = &before);
    for (i = 0; i < count; i++) tnn_add_with(net, &layers[i]);
    tnn_add(net, TNN_RESHAPE, .shape = { -1, 1, 1 });
    tnn_add(net, TNN_CONCAT, .from = TNN_FROM_INPUT);
    tnn_add(net, TNN_CUSTOM_LAYER, .custom = &after);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = TNN_ZERO);
    return net;
}

static void numbers_of_samples(float *x, int *labels, int n)
{
    int i;
    for (i = 0; i < n; i++) x[i] = (float)i, labels[i] = 0;
}

/* ==== AGAINST PYTORCH ========================================================================= */

static const struct { const char *name; tnn_layer_type type; } TYPES[] = {
    { "relu", TNN_RELU }, { "leaky_relu", TNN_LEAKY_RELU }, { "relu6", TNN_RELU6 },
    { "elu", TNN_ELU }, { "selu", TNN_SELU }, { "celu", TNN_CELU }, { "gelu", TNN_GELU },
    { "silu", TNN_SILU }, { "mish", TNN_MISH }, { "softplus", TNN_SOFTPLUS },
    { "softsign", TNN_SOFTSIGN }, { "sigmoid", TNN_SIGMOID }, { "log_sigmoid", TNN_LOG_SIGMOID },
    { "tanh", TNN_TANH }, { "hardtanh", TNN_HARDTANH }, { "hardsigmoid", TNN_HARDSIGMOID },
    { "hardswish", TNN_HARDSWISH }, { "softmax", TNN_SOFTMAX }, { "log_softmax", TNN_LOG_SOFTMAX },
    { "glu", TNN_GLU }, { "prelu", TNN_PRELU }, { "conv_transpose2d", TNN_CONV_TRANSPOSE2D },
    { "conv2d", TNN_CONV2D }, { "adaptive_avgpool2d", TNN_ADAPTIVE_AVGPOOL2D },
    { "adaptive_maxpool2d", TNN_ADAPTIVE_MAXPOOL2D }, { "upsample", TNN_UPSAMPLE },
    { "pad", TNN_PAD }, { "reshape", TNN_RESHAPE }, { "batchnorm", TNN_BATCHNORM },
    { "layernorm", TNN_LAYERNORM }, { "rmsnorm", TNN_RMSNORM }, { "groupnorm", TNN_GROUPNORM },
    { "instancenorm", TNN_INSTANCENORM }, { "scale", TNN_SCALE }, { "maxpool2d", TNN_MAXPOOL2D },
    { "avgpool2d", TNN_AVGPOOL2D }, { "dropout", TNN_DROPOUT }, { "dropout2d", TNN_DROPOUT2D },
    { "alpha_dropout", TNN_ALPHA_DROPOUT }, { "stochastic_depth", TNN_STOCHASTIC_DEPTH }
};

static tnn_layer layer_of(vectors *c)
{
    const size_t length = strcspn(c->name, "-");
    tnn_layer l;
    size_t i;
    memset(&l, 0, sizeof l);
    for (i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (strlen(TYPES[i].name) == length && !strncmp(TYPES[i].name, c->name, length))
            l.type = TYPES[i].type;
    CHECK(l.type, "no layer %s", c->name);
#define INTEGER(member) if (find(c, #member)) l.member = integer(c, #member, 0);
#define FLOAT(member)   if (find(c, #member)) l.member = number(c, #member, 0);
    INTEGER(filters) INTEGER(kernel) INTEGER(stride) INTEGER(pad) INTEGER(pad_h) INTEGER(pad_w)
    INTEGER(dilation) INTEGER(groups) INTEGER(output_pad) INTEGER(no_bias) INTEGER(size_h)
    INTEGER(size_w) INTEGER(factor) INTEGER(no_affine) INTEGER(affine) INTEGER(no_statistics)
    INTEGER(approximate) INTEGER(per_channel) INTEGER(stride_h) INTEGER(stride_w) INTEGER(ceil)
    INTEGER(exclude_pad) INTEGER(output_pad_h) INTEGER(output_pad_w)
    FLOAT(slope) FLOAT(alpha) FLOAT(beta) FLOAT(threshold) FLOAT(min_value) FLOAT(max_value)
    FLOAT(eps) FLOAT(momentum) FLOAT(value) FLOAT(p)
#undef INTEGER
#undef FLOAT
    if (find(c, "mode")) l.mode = (tnn_sampling)(TNN_ZEROS - 1 + integer(c, "mode", 0));
    if (find(c, "pad_mode")) l.pad_mode = (tnn_sampling)(TNN_ZEROS - 1 + integer(c, "pad_mode", 0));
    if (!l.pad && !l.pad_h && !l.pad_w) l.exclude_pad = 0;
    if (find(c, "shape0")) {
        l.shape[0] = integer(c, "shape0", 0);
        l.shape[1] = integer(c, "shape1", 0);
        l.shape[2] = integer(c, "shape2", 0);
    }
    return l;
}

/* Each value is held against the largest of its array, but of a gradient that cancels to nothing
   (of x before batch norm) against the dL/dy it is made of. */
static void layers(void)
{
    vectors *c;
    load("layers.txt");
    for (c = cases; c < cases + case_count; c++) {
        static const char *const names[] = { "weight", "bias" };
        const double limit = strcmp(tnn_isa(), "sse2") ? 2e-6 : 6e-6;
        tnn_layer l;
        tnn_net *net;
        given g;
        float *x, *dx, index[32], shift = find(c, "shift") ? number(c, "shift", 0) : 0;
        int labels[32], i, p, nx, ny;
        char what[100], key[40];
        if (!strcmp(c->name, "residual")) continue;
        l = layer_of(c);
        memset(&g, 0, sizeof g);
        g.n = integer(c, "x_shape", 0);
        for (i = 0; i < 3; i++) g.shape[i] = integer(c, "x_shape", i + 1);
        nx = get(c, "x")->n, ny = get(c, "y")->n;
        x = floats(c, "x"), dx = test_floats((size_t)nx);
        for (i = 0; i < nx; i++) x[i] += shift;
        g.dy = floats(c, "dy"), g.y = test_floats((size_t)ny);
        net = around(&g, &l, 1);
        numbers_of_samples(index, labels, g.n);
        DO(tnn_set_param(net, "0.weight", x, nx));
        CHECK(g.outputs * g.n == ny, "%s: %d outputs, not %d", c->name, g.outputs, ny / g.n);
        for (p = 0; p < 2; p++)
            if (find(c, names[p])) {
                snprintf(key, sizeof key, "1.%s", names[p]);
                DO(tnn_set_param(net, key, floats(c, names[p]), get(c, names[p])->n));
            }
        if (!tnn_failed() && g.outputs * g.n == ny) {
            DO(tnn_forward(net, index, g.n, TNN_TRAIN));
            tnn_loss(net, labels);
            DO(tnn_backward(net));
            expect(c, "y", g.y, limit);
            CHECK_REPEATS(c->name, g.y, ny);
            DO(tnn_get_grad(net, "0.weight", dx, nx));
            snprintf(what, sizeof what, "%.50s dx", c->name);
            CHECK_CLOSE_TO(what, dx, get(c, "dx")->v, nx, 0.5, 2 * limit);
            CHECK_REPEATS_TO(what, dx, nx, 1);
            for (p = 0; p < 2; p++) {
                float *got;
                if (!find(c, names[p])) continue;
                snprintf(key, sizeof key, "1.%s", names[p]);
                got = test_floats((size_t)get(c, names[p])->n);
                DO(tnn_get_grad(net, key, got, get(c, names[p])->n));
                snprintf(key, sizeof key, "d%s", names[p]);
                snprintf(what, sizeof what, "%.50s %s", c->name, key);
                CHECK_CLOSE_TO(what, got, get(c, key)->v, get(c, key)->n, 1, 2 * limit);
                CHECK_REPEATS_TO(what, got, get(c, key)->n, 1);
            }
            DO(tnn_step(net));
            for (p = 0; p < 2; p++) {
                float *got;
                const char *name = p ? "running_var" : "running_mean";
                if (!find(c, name)) continue;
                snprintf(key, sizeof key, "1.%s", name);
                got = test_floats((size_t)get(c, name)->n);
                DO(tnn_get_param(net, key, got, get(c, name)->n));
                expect(c, name, got, limit);
            }
            if (find(c, "y_eval")) {
                DO(tnn_forward(net, index, g.n, TNN_EVAL));
                expect(c, "y_eval", g.y, limit);
                CHECK_REPEATS(c->name, g.y, ny);
            }
        }
        tnn_free(net);
        tnn_clear_error();
        test_release_all();
    }
}

/* Layers behind a flattened image, by the names of flat.txt. Layer 1 is x. */
static const struct { const char *name; tnn_layer layer[6]; } FLAT[] = {
#define IMAGE  { .type = TNN_CONV2D, .filters = 4, .kernel = 4 }, { .type = TNN_FLATTEN }
#define AGAIN  { .type = TNN_FLATTEN, .from = 3 }
#define IMAGES IMAGE, { .type = TNN_CONV2D, .filters = 1, .kernel = 2, .from = 1 }, \
               { .type = TNN_FLATTEN }
    { "layernorm", { IMAGE, { .type = TNN_LAYERNORM } } },
    { "rmsnorm", { IMAGE, { .type = TNN_RMSNORM } } },
    { "batchnorm", { IMAGE, { .type = TNN_BATCHNORM, .no_statistics = 1 } } },
    { "groupnorm", { IMAGE, { .type = TNN_GROUPNORM, .groups = 2 } } },
    { "softmax", { IMAGE, { .type = TNN_SOFTMAX } } },
    { "log_softmax", { IMAGE, { .type = TNN_LOG_SOFTMAX } } },
    { "glu", { IMAGE, { .type = TNN_GLU }, { .type = TNN_DENSE, .units = 3 } } },
    { "prelu", { IMAGE, { .type = TNN_PRELU, .per_channel = 1 } } },
    { "add-dense", { IMAGE, { .type = TNN_DENSE, .units = 16 }, { .type = TNN_ADD, .from = 3 } } },
    { "dense-add", { IMAGE, { .type = TNN_DENSE, .units = 16 }, AGAIN,
                     { .type = TNN_ADD, .from = 4 } } },
    { "concat-dense", { IMAGE, { .type = TNN_DENSE, .units = 5 },
                        { .type = TNN_CONCAT, .from = 3 } } },
    { "dense-concat", { IMAGE, { .type = TNN_DENSE, .units = 5 }, AGAIN,
                        { .type = TNN_CONCAT, .from = 4 }, { .type = TNN_DENSE, .units = 3 } } },
    { "concat-itself", { IMAGE, { .type = TNN_CONCAT, .from = 3 } } },
    { "add-images", { IMAGES, { .type = TNN_ADD, .from = 3 } } },
    { "concat-images", { IMAGES, { .type = TNN_CONCAT, .from = 3 } } },
#undef IMAGE
#undef AGAIN
#undef IMAGES
};

/* Shapes of parameters, y and gradients behind a flattened image. */
static void flattened(void)
{
    enum { FLATS = sizeof FLAT / sizeof *FLAT };
    const double limit = strcmp(tnn_isa(), "sse2") ? 2e-6 : 6e-6;
    int at, i, k;
    load("flat.txt");
    CHECK(case_count == FLATS, "%d cases for %d networks", case_count, (int)FLATS);
    for (at = 0; at < FLATS; at++) {
        vectors *c = &cases[at];
        given g;
        tnn_net *net;
        float index[4];
        int labels[4], layers = 0;
        CHECK(!strncmp(c->name, FLAT[at].name, strlen(FLAT[at].name)), "%s is %s", c->name,
              FLAT[at].name);
        while (layers < 6 && FLAT[at].layer[layers].type) layers++;
        memset(&g, 0, sizeof g);
        g.n = integer(c, "x_shape", 0);
        for (i = 0; i < 3; i++) g.shape[i] = integer(c, "x_shape", i + 1);
        g.dy = floats(c, "dy"), g.y = test_floats((size_t)get(c, "y")->n);
        net = around(&g, FLAT[at].layer, layers);
        numbers_of_samples(index, labels, g.n);
        for (i = 0; i < c->arrays; i++)
            if (c->a[i].key[1] == '.')
                DO(tnn_set_param(net, c->a[i].key, floats(c, c->a[i].key), c->a[i].n));
        DO(tnn_set_param(net, "0.weight", floats(c, "x"), get(c, "x")->n));
        DO(tnn_forward(net, index, g.n, TNN_TRAIN));
        tnn_loss(net, labels);
        DO(tnn_backward(net));
        if (!tnn_failed()) {
            expect(c, "y", g.y, limit);
            CHECK_REPEATS(c->name, g.y, get(c, "y")->n);
            for (k = 0; k < tnn_param_count(net); k++) {
                const tnn_param p = tnn_param_info(net, k);
                float *got = test_floats((size_t)p.count);
                char key[40], what[100];
                snprintf(key, sizeof key, "d%s", p.name);
                if (!strcmp(p.name, "0.weight")) strcpy(key, "dx");
                DO(tnn_get_grad(net, p.name, got, p.count));
                snprintf(what, sizeof what, "%.50s %s", c->name, key);
                CHECK_CLOSE_TO(what, got, get(c, key)->v, p.count, 1, 2 * limit);
                CHECK_REPEATS_TO(what, got, p.count, 1);
                if (strstr(c->name, "norm") && p.name[0] == '3')
                    CHECK(p.ndim == 1 && p.dims[0] == 16, "%s: %s has %d dimensions", c->name,
                          p.name, p.ndim);
            }
        }
        tnn_free(net);
        tnn_clear_error();
        test_release_all();
    }
}

/* A residual network of PyTorch's, ten steps. */
static void residual(void)
{
    static const char *const names[] = { "c1", "b1", "c2", "b2", "c3", "s3", "g3", "fc" };
    static const int layer_at[] = { 0, 1, 3, 4, 7, 8, 10, 14 };
    tnn_net *net = tnn_create(.input = { 2, 6, 5 }, .batch = 6);
    vectors *c;
    int relu, gelu, i, p, labels[6];
    load("layers.txt");
    c = cases + case_count - 1;
    tnn_add(net, TNN_CONV2D, .filters = 6, .kernel = 3, .pad = 1, .no_bias = 1);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_RELU);
    relu = tnn_layer_count(net);
    tnn_add(net, TNN_CONV2D, .filters = 6, .kernel = 3, .pad = 1, .groups = 6);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_ADD, .from = relu);
    tnn_add(net, TNN_GELU);
    gelu = tnn_layer_count(net);
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .stride = 2, .pad = 1);
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 1, .stride = 2, .from = gelu);
    tnn_add(net, TNN_CONCAT, .from = gelu + 1);
    tnn_add(net, TNN_GROUPNORM, .groups = 2);
    tnn_add(net, TNN_SILU);
    tnn_add(net, TNN_ADAPTIVE_AVGPOOL2D);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 5);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.1f, .momentum = 0.9f);
    for (i = 0; i < 8; i++)
        for (p = 0; p < 2; p++) {
            char key[40], name[40];
            float *v;
            snprintf(key, sizeof key, "%s.%s", names[i], p ? "bias" : "weight");
            snprintf(name, sizeof name, "%d.%s", layer_at[i], p ? "bias" : "weight");
            if (!find(c, key)) continue;
            v = floats(c, key);
            if (i == 6) {               /* there the shortcut's channels come first */
                float *w = test_floats(16);
                int k;
                for (k = 0; k < 16; k++) w[k] = v[(k + 8) % 16];
                v = w;
            }
            if (i == 7 && !p) {
                float *w = test_floats(80);
                int k;
                for (k = 0; k < 80; k++) w[k] = v[k / 16 * 16 + (k % 16 + 8) % 16];
                v = w;
            }
            DO(tnn_set_param(net, name, v, get(c, key)->n));
        }
    for (i = 0; i < 6; i++) labels[i] = integer(c, "labels", i);
    for (i = 0; i < 10 && !tnn_failed(); i++) {
        char what[40];
        float loss = (float)tnn_train_batch(net, floats(c, "x"), labels, 6);
        snprintf(what, sizeof what, "loss of step %d", i + 1);
        CHECK_NEAR(what, (double)loss, get(c, "losses")->v[i], i < 4 ? 2e-6 : 2e-5);
        CHECK_REPEATS(what, &loss, 1);
    }
    DO(tnn_forward(net, floats(c, "x"), 6, TNN_EVAL));
    expect(c, "eval", tnn_output(net), 1e-4);
    tnn_free(net);
    test_release_all();
}

/* ==== GRADIENTS OF WHOLE NETWORKS ============================================================= */

enum { MOST = 12 };
typedef struct network { const char *name; tnn_layer layer[MOST]; } network;
static const network NETWORKS[] = {
    { "batch norm between convolutions",
      { { .type = TNN_CONV2D, .filters = 5, .kernel = 3, .pad = 1 }, { .type = TNN_BATCHNORM },
        { .type = TNN_SILU }, { .type = TNN_CONV2D, .filters = 4, .kernel = 3 },
        { .type = TNN_BATCHNORM }, { .type = TNN_FLATTEN }, { .type = TNN_DENSE, .units = 4 } } },
    { "batch norm after flatten and dense",
      { { .type = TNN_CONV2D, .filters = 3, .kernel = 3 }, { .type = TNN_FLATTEN },
        { .type = TNN_BATCHNORM }, { .type = TNN_DENSE, .units = 7 }, { .type = TNN_BATCHNORM },
        { .type = TNN_TANH }, { .type = TNN_DENSE, .units = 4 } } },
    { "layer norm of images and of features",
      { { .type = TNN_CONV2D, .filters = 3, .kernel = 3 }, { .type = TNN_LAYERNORM },
        { .type = TNN_GELU }, { .type = TNN_FLATTEN }, { .type = TNN_LAYERNORM },
        { .type = TNN_DENSE, .units = 9 }, { .type = TNN_RMSNORM }, { .type = TNN_MISH },
        { .type = TNN_DENSE, .units = 4 } } },
    { "residual around two layers, twice",
      { { .type = TNN_CONV2D, .filters = 4, .kernel = 3, .pad = 1 },
        { .type = TNN_CONV2D, .filters = 4, .kernel = 3, .pad = 1 }, { .type = TNN_SOFTPLUS },
        { .type = TNN_ADD, .from = 1 }, { .type = TNN_CONV2D, .filters = 4, .kernel = 1 },
        { .type = TNN_ADD, .from = 4 }, { .type = TNN_ADD, .from = 1 }, { .type = TNN_FLATTEN },
        { .type = TNN_DENSE, .units = 4 } } },
    { "branches of three sizes, concatenated",
      { { .type = TNN_CONV2D, .filters = 3, .kernel = 1 },
        { .type = TNN_CONV2D, .filters = 2, .kernel = 3, .pad = 1, .from = 1 },
        { .type = TNN_CONV2D, .filters = 4, .kernel = 5, .pad = 2, .from = 1 },
        { .type = TNN_CONCAT, .from = 2 }, { .type = TNN_CONCAT, .from = 1 },
        { .type = TNN_GROUPNORM, .groups = 3 }, { .type = TNN_SIGMOID },
        { .type = TNN_ADAPTIVE_AVGPOOL2D, .size = 2 }, { .type = TNN_FLATTEN },
        { .type = TNN_DENSE, .units = 4 } } },
    { "a dense branch and its input, twice the same",
      { { .type = TNN_FLATTEN }, { .type = TNN_DENSE, .units = 6 }, { .type = TNN_TANH },
        { .type = TNN_DENSE, .units = 6 }, { .type = TNN_ADD, .from = 3 },
        { .type = TNN_ADD, .from = 5 }, { .type = TNN_DENSE, .units = 4 } } },
    { "transposed convolution, upsampling, padding",
      { { .type = TNN_CONV2D, .filters = 3, .kernel = 3, .stride = 2 },
        { .type = TNN_CONV_TRANSPOSE2D, .filters = 4, .kernel = 3, .stride = 2 },
        { .type = TNN_ELU }, { .type = TNN_UPSAMPLE, .mode = TNN_BILINEAR },
        { .type = TNN_PAD, .pad = 2, .mode = TNN_REFLECT },
        { .type = TNN_CONV2D, .filters = 2, .kernel = 5, .stride = 3, .pad = 1,
          .pad_mode = TNN_CIRCULAR },
        { .type = TNN_FLATTEN }, { .type = TNN_DENSE, .units = 4 } } },
    { "depthwise separable, PReLU, scale, GLU",
      { { .type = TNN_CONV2D, .filters = 6, .kernel = 1 },
        { .type = TNN_CONV2D, .filters = 6, .kernel = 3, .groups = 6, .pad = 1 },
        { .type = TNN_PRELU, .per_channel = 1 }, { .type = TNN_SCALE, .value = 0.5f },
        { .type = TNN_CONV2D, .filters = 8, .kernel = 1 }, { .type = TNN_GLU },
        { .type = TNN_PRELU }, { .type = TNN_FLATTEN }, { .type = TNN_DENSE, .units = 4 } } },
    { "softmax inside, DropConnect and dropout",
      { { .type = TNN_FLATTEN }, { .type = TNN_DENSE, .units = 16, .drop_connect = 0.5f },
        { .type = TNN_SOFTMAX }, { .type = TNN_DROPOUT, .p = 0.3f },
        { .type = TNN_DENSE, .units = 10 }, { .type = TNN_GAUSSIAN_DROPOUT, .p = 0.2f },
        { .type = TNN_LOG_SOFTMAX }, { .type = TNN_GAUSSIAN_NOISE }, { .type = TNN_ALPHA_DROPOUT,
        .p = 0.2f }, { .type = TNN_DENSE, .units = 4 } } },
    { "stochastic depth and dropout of channels",
      { { .type = TNN_CONV2D, .filters = 5, .kernel = 3, .pad = 1, .drop_connect = 0.25f },
        { .type = TNN_DROPOUT2D, .p = 0.4f }, { .type = TNN_CONV2D, .filters = 5, .kernel = 1 },
        { .type = TNN_STOCHASTIC_DEPTH, .p = 0.4f }, { .type = TNN_ADD, .from = 1 },
        { .type = TNN_INSTANCENORM, .affine = 1 }, { .type = TNN_FLATTEN },
        { .type = TNN_DENSE, .units = 4 } } },
};

/* The parameters' gradients against differences of the loss; the bits on every instruction set. */
static void networks(void)
{
    enum { N = 5, C = 2, H = 7, W = 6 };
    size_t k;
    double worst = 0;
    for (k = 0; k < sizeof NETWORKS / sizeof *NETWORKS; k++) {
        const network *t = &NETWORKS[k];
        tnn_net *net = tnn_create(.input = { C, H, W }, .batch = N + 2, .seed = 11);
        float *x = test_floats(N * C * H * W), loss;
        int labels[N], i;
        double error;
        for (i = 0; i < MOST && t->layer[i].type; i++) tnn_add_with(net, &t->layer[i]);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net, TNN_SGD, .lr = 0.05f, .momentum = 0.5f);
        test_fill(x, N * C * H * W, (uint32_t)(100 + k));
        for (i = 0; i < N; i++) labels[i] = i % 4;
        error = tnn_gradient_check(net, x, labels, N, 60);
        CHECK(error < 1e-3, "%s: gradient off by %g %s", t->name, error, tnn_error());
        if (error > worst) worst = error;
        for (i = 0; i < 4; i++) {
            loss = (float)tnn_train_batch(net, x, labels, N - i % 2);
            CHECK(loss == loss, "%s: %s", t->name, tnn_error());
            CHECK_REPEATS(t->name, &loss, 1);
        }
        for (i = 0; i < tnn_param_count(net); i++) {
            tnn_param p = tnn_param_info(net, i);
            float *v = test_floats((size_t)p.count);
            tnn_get_param(net, p.name, v, p.count);
            CHECK_REPEATS_TO(t->name, v, p.count, 1);
            test_release(v);
        }
        CHECK(!tnn_failed(), "%s: %s", t->name, tnn_error());
        tnn_free(net);
        tnn_clear_error();
        test_release_all();
    }
    test_note("largest %.1e", worst);
}

/* ==== NOISE =================================================================================== */

/* y of a noise layer on ones (SELU's low value: on zeros), and dx for dy = 1, in training mode. */
static int noise(tnn_layer_type type, float p, int n, int c, int h, int w, float fill, float *y,
                 float *dx, int evaluate)
{
    tnn_layer l;
    given g;
    float index[64];
    int labels[64], i, count = n * c * h * w;
    float *x = test_floats((size_t)count), *dy = test_floats((size_t)count);
    tnn_net *net;
    memset(&l, 0, sizeof l), memset(&g, 0, sizeof g);
    l.type = type;
    if (type == TNN_GAUSSIAN_NOISE) l.std = p;
    else l.p = p;
    g.n = n, g.shape[0] = c, g.shape[1] = h, g.shape[2] = w, g.y = y, g.dy = dy;
    for (i = 0; i < count; i++) x[i] = fill, dy[i] = 1;
    net = around(&g, &l, 1);
    numbers_of_samples(index, labels, n);
    tnn_set_param(net, "0.weight", x, count);
    tnn_forward(net, index, n, evaluate ? TNN_EVAL : TNN_TRAIN);
    if (!evaluate) {
        tnn_loss(net, labels);
        tnn_backward(net);
        tnn_get_grad(net, "0.weight", dx, count);
    }
    tnn_free(net);
    CHECK(!tnn_failed(), "%s", tnn_error());
    tnn_clear_error();
    return count;
}
static void moments(const float *y, int n, double *mean, double *variance)
{
    int i;
    *mean = *variance = 0;
    for (i = 0; i < n; i++) *mean += (double)y[i] / n;
    for (i = 0; i < n; i++) *variance += ((double)y[i] - *mean) * ((double)y[i] - *mean) / n;
}

static void noises(void)
{
    enum { N = 60, C = 16, H = 6, W = 5, ALL = N * C * H * W };
    static const struct { tnn_layer_type type; float p; double variance; } cases_of[] = {
        { TNN_DROPOUT, 0.25f, 0.25 / 0.75 }, { TNN_DROPOUT2D, 0.25f, 0.25 / 0.75 },
        { TNN_STOCHASTIC_DEPTH, 0.5f, 1 }, { TNN_GAUSSIAN_DROPOUT, 0.2f, 0.2 / 0.8 },
        { TNN_GAUSSIAN_NOISE, 0.5f, 0.25 }
    };
    static float y[ALL], dx[ALL];
    double mean, variance;
    size_t k;
    int i, j;
    for (k = 0; k < sizeof cases_of / sizeof *cases_of; k++) {
        const tnn_layer_type type = cases_of[k].type;
        const double want = cases_of[k].variance;
        const int draws = type == TNN_DROPOUT2D ? N * C : type == TNN_STOCHASTIC_DEPTH ? N : ALL;
        const int alike = ALL / draws;
        noise(type, cases_of[k].p, N, C, H, W, 1, y, dx, 0);
        moments(y, ALL, &mean, &variance);
        CHECK(fabs(mean - 1) < 4 * sqrt(want / draws), "layer %d: mean %g", (int)type, mean);
        CHECK(fabs(variance / want - 1) < 12 / sqrt((double)draws), "layer %d: variance %g, not %g",
              (int)type, variance, want);
        for (i = 0; i < ALL; i++) {
            j = i / alike * alike;
            if (type == TNN_GAUSSIAN_NOISE) { if (dx[i] < 1 || dx[i] > 1) break; }
            else if (memcmp(&dx[i], &y[i], sizeof *y)) break;   /* y = x f, so dx = f */
            if (alike > 1 && memcmp(&y[i], &y[j], sizeof *y)) break;
        }
        CHECK(i == ALL, "layer %d: element %d: y %g, dx %g, the first of its kind %g", (int)type, i,
              (double)y[i % ALL], (double)dx[i % ALL], (double)y[j]);
        CHECK_REPEATS("noise", y, ALL);
        noise(type, cases_of[k].p, N, C, H, W, 1, y, dx, 1);
        for (i = 0; i < ALL && !(y[i] < 1 || y[i] > 1); i++) {}
        CHECK(i == ALL, "layer %d changes values in evaluation", (int)type);
    }
    /* alpha dropout keeps mean 0 and variance 1: half the elements at +1, half at -1 would */
    {
        static float z[ALL];
        double other, spread;
        noise(TNN_ALPHA_DROPOUT, 0.3f, N, C, H, W, 1, y, dx, 0);
        noise(TNN_ALPHA_DROPOUT, 0.3f, N, C, H, W, -1, z, dx, 0);
        moments(y, ALL, &mean, &variance);
        moments(z, ALL, &other, &spread);
        CHECK(fabs(mean + other) < 0.05, "alpha dropout: mean %g", (mean + other) / 2);
        CHECK(fabs((variance + spread) / 2 + (mean - other) * (mean - other) / 4 - 1) < 0.05,
              "alpha dropout: variance %g",
              (variance + spread) / 2 + (mean - other) * (mean - other) / 4);
        for (i = j = 0; i < ALL; i++) j += !(dx[i] > 0);
        CHECK(fabs(j / (double)ALL - 0.3) < 0.02, "alpha dropout: %g of the gradients 0",
              j / (double)ALL);
    }
    test_release_all();
}

/* DropConnect: a dense layer of weights 1 on ones counts those that are left. */
static void drop_connect(void)
{
    enum { K = 200, UNITS = 50 };
    float *x = test_floats(2 * K), *w = test_floats(K * UNITS), first[UNITS];
    tnn_net *net = tnn_create(.input = { K }, .batch = 2, .seed = 9);
    const float *y;
    double mean, variance;
    int i, labels[2] = { 0, 1 };
    tnn_add(net, TNN_DENSE, .units = UNITS, .drop_connect = 0.5f, .no_bias = 1);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    for (i = 0; i < 2 * K; i++) x[i] = 1;
    for (i = 0; i < K * UNITS; i++) w[i] = 1;
    tnn_set_param(net, "0.weight", w, K * UNITS);
    tnn_forward(net, x, 2, TNN_TRAIN);
    y = tnn_output(net);
    CHECK(y != NULL, "%s", tnn_error());
    if (!y) { tnn_free(net); return; }
    memcpy(first, y, sizeof first);
    moments(y, UNITS, &mean, &variance);
    CHECK(fabs(mean - K) < 4 * sqrt((double)K / UNITS), "mean %g of %d", mean, K);
    CHECK(variance > K / 3.0 && variance < 3.0 * K, "variance %g, about %d expected", variance, K);
    tnn_loss(net, labels);
    tnn_backward(net);
    tnn_get_grad(net, "0.weight", w, K * UNITS);
    for (i = 0, mean = 0; i < K * UNITS; i++) mean += w[i] == 0;
    CHECK(fabs(mean / (K * UNITS) - 0.5) < 0.03, "%g of the gradients are 0", mean / (K * UNITS));
    tnn_forward(net, x, 2, TNN_TRAIN);
    CHECK(memcmp(first, tnn_output(net), sizeof first), "two steps drop the same weights");
    tnn_forward(net, x, 2, TNN_EVAL);
    CHECK(tnn_output(net)[7] == K, "evaluation gives %g", (double)tnn_output(net)[7]);
    tnn_free(net);
    test_release_all();
}
/* Dropout fused into a dense layer: it draws other numbers than the layer's DropConnect, and its
   default .p is fused as .p = 0.5 is, without other bits than when it is not (.from). */
static void fused_dropout(void)
{
    enum { UNITS = 2000 };
    uint64_t hash[2];
    size_t bytes[2];
    float *w = test_floats(UNITS), x[2] = { 1, 1 };
    int i, k, left = 0, labels[2] = { 0, 1 };
    tnn_net *net = tnn_create(.input = { 1 }, .batch = 1, .seed = 3);
    tnn_add(net, TNN_DENSE, .units = UNITS, .drop_connect = 0.5f, .no_bias = 1);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DROPOUT, .p = 0.5f);
    for (i = 0; i < UNITS; i++) w[i] = 1;
    tnn_set_param(net, "0.weight", w, UNITS);
    tnn_forward(net, x, 1, TNN_TRAIN);
    for (i = 0; !tnn_failed() && i < UNITS; i++) left += tnn_output(net)[i] > 0;
    CHECK(abs(left - UNITS / 4) < UNITS / 20, "%d of %d units are left", left, UNITS);
    tnn_free(net);
    for (k = 0; k < 2; k++) {
        net = tnn_create(.input = { 2 }, .batch = 1, .seed = 3);
        tnn_add(net, TNN_DENSE, .units = 20);
        tnn_add(net, TNN_RELU);
        tnn_add(net, TNN_DROPOUT, .from = k ? 2 : 0);
        tnn_add(net, TNN_DENSE, .units = 3);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net, TNN_ADAM, .lr = 0.1);
        for (i = 0; i < 5; i++) tnn_train_batch(net, x, labels + i % 2, 1);
        hash[k] = tnn_hash(net);
        bytes[k] = tnn_net_bytes(net);
        tnn_free(net);
    }
    CHECK(hash[0] == hash[1] && !tnn_failed(), "fused, other weights; %s", tnn_error());
    CHECK(bytes[0] < bytes[1], "fused: %u bytes, else %u", (unsigned)bytes[0], (unsigned)bytes[1]);
    test_release_all();
}

/* ==== WHAT IS REFUSED ========================================================================= */

static void refused(void)
{
    static const struct { const char *part; tnn_layer layer[3]; } cases_of[] = {
        { "needs a second input", { { .type = TNN_ADD } } },
        { "do not fit", { { .type = TNN_CONV2D, .filters = 3, .kernel = 3 },
                          { .type = TNN_ADD, .from = TNN_FROM_INPUT } } },
        { "do not fit", { { .type = TNN_FLATTEN }, { .type = TNN_ADD, .from = TNN_FROM_INPUT } } },
        { "do not fit", { { .type = TNN_IDENTITY }, { .type = TNN_FLATTEN },
                          { .type = TNN_CONCAT, .from = 1 } } },
        { ".from = 5", { { .type = TNN_CONCAT, .from = 5 } } },
        { "no layer reads its output", { { .type = TNN_CONV2D, .filters = 3, .kernel = 3 },
                          { .type = TNN_CONV2D, .filters = 3, .kernel = 3,
                            .from = TNN_FROM_INPUT } } },
        { "must divide the 2 channels", { { .type = TNN_GROUPNORM, .groups = 3 } } },
        { "must divide the 2 channels", { { .type = TNN_GROUPNORM } } },
        { ".eps", { { .type = TNN_BATCHNORM, .eps = -1 } } },
        { "[0, 1]", { { .type = TNN_BATCHNORM, .momentum = 2 } } },
        { "even number", { { .type = TNN_CONV2D, .filters = 3, .kernel = 1 },
                           { .type = TNN_GLU } } },
        { "has been flattened", { { .type = TNN_FLATTEN }, { .type = TNN_INSTANCENORM } } },
        { "do not fit", { { .type = TNN_FLATTEN }, { .type = TNN_ADD, .from = TNN_FROM_INPUT },
                          { .type = TNN_CONCAT, .from = TNN_FROM_INPUT } } },
        { "has been flattened", { { .type = TNN_FLATTEN }, { .type = TNN_UPSAMPLE } } },
        { "cannot be seen as", { { .type = TNN_RESHAPE, .shape = { 7, -1, 1 } } } },
        { "too much for an image", { { .type = TNN_PAD, .pad = 6, .mode = TNN_REFLECT } } },
        { ".mode", { { .type = TNN_PAD, .mode = TNN_NEAREST } } },
        { ".mode", { { .type = TNN_UPSAMPLE, .mode = TNN_ZEROS } } },
        { ".output_pad", { { .type = TNN_CONV_TRANSPOSE2D, .filters = 2, .kernel = 3,
                             .output_pad = 1 } } },
        { "leave nothing", { { .type = TNN_CONV_TRANSPOSE2D, .filters = 2, .kernel = 1,
                               .pad = 4 } } },
        { ".min_value", { { .type = TNN_HARDTANH, .min_value = 2 } } },
        { ".beta", { { .type = TNN_SOFTPLUS, .beta = -0.0f } } },
        { ".p", { { .type = TNN_DROPOUT2D, .p = 1.5f } } },
        { ".p", { { .type = TNN_GAUSSIAN_DROPOUT, .p = 1 } } },
        { ".std", { { .type = TNN_GAUSSIAN_NOISE, .std = -1 } } },
        { ".drop_connect", { { .type = TNN_CONV2D, .filters = 2, .kernel = 1,
                               .drop_connect = 1 } } },
        { "shape, forward and backward", { { .type = TNN_CUSTOM_LAYER } } },
        { ".size", { { .type = TNN_ADAPTIVE_AVGPOOL2D, .size = -2 } } },
        { "more than one pixel", { { .type = TNN_ADAPTIVE_AVGPOOL2D },
                                   { .type = TNN_INSTANCENORM } } },
    };
    size_t k;
    int i;
    for (k = 0; k < sizeof cases_of / sizeof *cases_of; k++) {
        tnn_net *net = tnn_create(.input = { 2, 5, 6 }, .batch = 2);
        for (i = 0; i < 3 && cases_of[k].layer[i].type; i++)
            tnn_add_with(net, &cases_of[k].layer[i]);
        CHECK(tnn_build(net) != TNN_OK, "case %d is taken: %s", (int)k, cases_of[k].part);
        CHECK(strstr(tnn_error(), cases_of[k].part), "case %d: \"%s\" has no \"%s\"", (int)k,
              tnn_error(), cases_of[k].part);
        tnn_free(net);
        tnn_clear_error();
    }
    {   /* the shape so far, while a branch is open: that is refused by tnn_build alone */
        tnn_net *net = tnn_create(.input = { 2, 5, 6 }, .batch = 2);
        int shape[3] = { 9, 9, 9 };
        tnn_add(net, TNN_CONV2D, .filters = 3, .kernel = 3);
        tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 3, .from = TNN_FROM_INPUT);
        CHECK(tnn_output_shape(net, shape) == 4 * 3 * 4 && shape[0] == 4 && shape[1] == 3
              && tnn_output_shape(net, NULL) == 48, "%s", tnn_error());
        CHECK(tnn_build(net) && strstr(tnn_error(), "no layer reads its output"), "an open branch");
        tnn_clear_error();
        tnn_add(net, TNN_CONCAT, .from = 1);
        CHECK(tnn_output_shape(net, shape) == 7 * 3 * 4 && tnn_build(net) == TNN_OK, "%s",
              tnn_error());
        tnn_free(net);
        tnn_clear_error();
    }
    {   /* one value per channel */
        tnn_net *net = tnn_create(.input = { 3 }, .batch = 2);
        float x[3] = { 1, 2, 3 };
        tnn_add(net, TNN_BATCHNORM);
        CHECK(tnn_forward(net, x, 1, TNN_TRAIN) != TNN_OK && strstr(tnn_error(), "more than one"),
              "batch norm of one value: %s", tnn_error());
        tnn_clear_error();
        CHECK(tnn_forward(net, x, 1, TNN_EVAL) == TNN_OK, "%s", tnn_error());
        tnn_free(net);
    }
}

/* Cumulative batch norm and instance norm with statistics: after each batch, in evaluation, through
   a checkpoint, and the number of batches from a file of PyTorch's. */
static tnn_net *running_net(vectors *c)
{
    tnn_net *net = tnn_create(.input = { 3, 2, 4 }, .batch = 5);
    const int instance = !strcmp(c->name, "instance");
    tnn_add(net, instance ? TNN_INSTANCENORM : TNN_BATCHNORM, .affine = find(c, "affine") != NULL,
            .statistics = instance, .cumulative = !instance,
            .momentum = find(c, "momentum") ? number(c, "momentum", 0) : 0,
            .eps = find(c, "eps") ? number(c, "eps", 0) : 0);
    tnn_set_loss(net, TNN_MSE);
    tnn_set_optimizer(net, TNN_SGD, .lr = TNN_ZERO);
    return net;
}
static void running(void)
{
    enum { BATCH = 5 * 3 * 2 * 4 };
    static const char tracked[] = "0.num_batches_tracked";
    static const char theirs[] =                /* 9, as PyTorch stores it */
        "{\"0.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}  "
        "\011\0\0\0\0\0\0";
    tnn_checkpoint_options here;
    vectors *c;
    memset(&here, 0, sizeof here);
    load("running.txt");
    for (c = cases; c < cases + case_count; c++) {
        const double limit = strcmp(tnn_isa(), "sse2") ? 1e-6 : 3e-6;
        const int counts = !strcmp(c->name, "cumulative");
        const float *x = floats(c, "x");
        tnn_net *net = running_net(c), *again = running_net(c);
        unsigned char *file = NULL;
        size_t size = 0;
        float got[7], all[7];
        int i;
        if (find(c, "weight")) {
            DO(tnn_set_param(net, "0.weight", floats(c, "weight"), 3));
            DO(tnn_set_param(net, "0.bias", floats(c, "bias"), 3));
        }
        for (i = 0; i < 4; i++) {
            tnn_train_batch_targets(net, x + i * BATCH, x, 5);
            got[6] = 0;
            DO(tnn_get_param(net, "0.running_mean", got, 3));
            DO(tnn_get_param(net, "0.running_var", got + 3, 3));
            if (counts) DO(tnn_get_param(net, tracked, got + 6, 1));
            CHECK((int)got[6] == (counts ? i + 1 : 0), "%s: %g batches", c->name, (double)got[6]);
            CHECK_CLOSE(c->name, got, get(c, "running")->v + 6 * i, 6, limit);
            CHECK_REPEATS_TO(c->name, got, 7, 1);
            if (i == 1) {
                size = tnn_format_checkpoint(net, NULL, 0, &here);
                file = (unsigned char *)malloc(size);
                tnn_format_checkpoint(net, file, size, &here);
            }
        }
        DO(tnn_forward(net, x + 3 * BATCH, 5, TNN_EVAL));
        expect(c, "y", tnn_output(net), limit);
        CHECK_REPEATS(c->name, tnn_output(net), BATCH);
        memcpy(all, got, sizeof all);
        DO(tnn_parse_checkpoint(again, file, size, &here));
        for (i = 2; i < 4; i++) tnn_train_batch_targets(again, x + i * BATCH, x, 5);
        DO(tnn_get_param(again, "0.running_mean", got, 3));
        DO(tnn_get_param(again, "0.running_var", got + 3, 3));
        if (counts) DO(tnn_get_param(again, tracked, got + 6, 1));
        CHECK_SAME("after a checkpoint", got, all, sizeof all);
        if (counts) {
            unsigned char bytes[8 + sizeof theirs] = { sizeof theirs - 8 };
            const tnn_weights_options some = { .partial = 1 };
            memcpy(bytes + 8, theirs, sizeof theirs);
            CHECK(tnn_parse_weights(again, bytes, sizeof bytes, &some) == 1, "%s",
                  tnn_error());
            DO(tnn_get_param(again, tracked, got, 1));
            CHECK(got[0] == 9, "%g batches in PyTorch's file", (double)got[0]);
        }
        free(file);
        tnn_free(net);
        tnn_free(again);
        tnn_clear_error();
        test_release_all();
    }
}

/* The running statistics as the mean over a loader's batches. */
static void statistics(void)
{
    enum { N = 24, C = 3, P = 4 };
    float *x = test_floats(N * C * P), mean[C], var[C];
    int labels[N], i, c, b;
    tnn_data data;
    tnn_net *net = tnn_create(.input = { C, 2, 2 }, .batch = 8);
    tnn_loader *loader;
    test_fill(x, N * C * P, 5);
    for (i = 0; i < N; i++) labels[i] = 0;
    data = tnn_data_view(NULL, x, labels, N, C, 2, 2);
    loader = tnn_loader_create(&data, .batch = 8);
    tnn_add(net, TNN_BATCHNORM);
    CHECK(tnn_update_statistics(net, loader) == TNN_OK, "%s", tnn_error());
    tnn_get_param(net, "0.running_mean", mean, C);
    tnn_get_param(net, "0.running_var", var, C);
    for (c = 0; c < C; c++) {
        double want_mean = 0, want_var = 0;
        for (b = 0; b < 3; b++) {
            double m = 0, v = 0;
            for (i = 0; i < 8 * P; i++)
                m += (double)x[((b * 8 + i / P) * C + c) * P + i % P] / (8 * P);
            for (i = 0; i < 8 * P; i++) {
                const double d = (double)x[((b * 8 + i / P) * C + c) * P + i % P] - m;
                v += d * d / (8 * P - 1);
            }
            want_mean += m / 3, want_var += v / 3;
        }
        CHECK_NEAR("mean", (double)mean[c] + 1, want_mean + 1, 1e-6);
        CHECK_NEAR("variance", (double)var[c], want_var, 1e-6);
    }
    tnn_loader_free(loader);
    tnn_free(net);
    test_release_all();
}

/* Averaged weights want statistics of their own: those of a network that has them as weights. */
static void averaged(void)
{
    enum { N = 24, SAMPLE = 2 * 5 * 5 };
    float *x = test_floats(N * SAMPLE), first[N * 3];
    int labels[N], i, k;
    tnn_data data;
    tnn_net *net[2];
    test_fill(x, N * SAMPLE, 8);
    for (i = 0; i < N; i++) labels[i] = i % 3;
    data = tnn_data_view(NULL, x, labels, N, 2, 5, 5);
    for (k = 0; k < 2; k++) {
        tnn_loader *loader = tnn_loader_create(&data, .batch = 8, .shuffle = 1, .seed = 4);
        net[k] = tnn_create(.input = { 2, 5, 5 }, .batch = N, .seed = (uint64_t)k);
        tnn_add(net[k], TNN_CONV2D, .filters = 4, .kernel = 3);
        tnn_add(net[k], TNN_BATCHNORM);
        tnn_add(net[k], TNN_RELU);
        tnn_add(net[k], TNN_FLATTEN);
        tnn_add(net[k], TNN_DENSE, .units = 3);
        tnn_set_loss(net[k], TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net[k], TNN_SGD, .lr = 0.2, .momentum = 0.9, .swa_start = 4);
        if (!k) {
            for (i = 0; i < 4; i++) tnn_train_epoch(net[k], loader);
            CHECK(tnn_use_average(net[k], 1) == TNN_OK, "%s", tnn_error());
            tnn_loader_free(loader);            /* the other one's begins with epoch 0 */
            loader = tnn_loader_create(&data, .batch = 8, .shuffle = 1, .seed = 4);
        } else
            for (i = 0; i < tnn_param_count(net[0]); i++) {
                const tnn_param p = tnn_param_info(net[0], i);
                float *v = test_floats((size_t)p.count);
                tnn_get_param(net[0], p.name, v, p.count);
                if (!p.buffer) tnn_set_param(net[1], p.name, v, p.count);
            }
        CHECK(tnn_update_statistics(net[k], loader) == TNN_OK, "%s", tnn_error());
        tnn_forward(net[k], x, N, TNN_EVAL);
        if (!k && tnn_output(net[k])) memcpy(first, tnn_output(net[k]), sizeof first);
        else CHECK_SAME("output", tnn_output(net[k]), first, sizeof first);
        tnn_loader_free(loader);
    }
    CHECK(tnn_use_average(net[0], 0) == TNN_OK, "%s", tnn_error());
    tnn_forward(net[0], x, N, TNN_EVAL);
    CHECK(memcmp(tnn_output(net[0]), first, sizeof first), "the average is what was trained");
    tnn_free(net[0]);
    tnn_free(net[1]);
    test_release_all();
}

/* Keras' initial weights, epsilon and running statistics where nothing is said. */
static void keras(void)
{
    enum { N = 4, K = 6, UNITS = 5 };
    float *x = test_floats(N * K), w[K * UNITS], b[UNITS], y[UNITS], mean[UNITS], var[UNITS];
    int labels[N] = { 0, 1, 2, 3 }, i, j;
    double largest = 0, h[N][UNITS];
    tnn_net *net = tnn_create(.input = { K }, .batch = N, .seed = 2, .dialect = TNN_KERAS);
    tnn_add(net, TNN_DENSE, .units = UNITS);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_LEAKY_RELU);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD);
    test_fill(x, N * K, 1);
    tnn_get_param(net, "0.weight", w, K * UNITS);
    tnn_get_param(net, "0.bias", b, UNITS);
    for (i = 0; i < K * UNITS; i++) if (fabs((double)w[i]) > largest) largest = fabs((double)w[i]);
    CHECK(largest <= sqrt(6.0 / (K + UNITS)) && largest > 0.8 * sqrt(6.0 / (K + UNITS)),
          "largest weight %g", largest);
    for (i = 0; i < UNITS; i++) CHECK(b[i] == 0, "bias %g", (double)b[i]);
    CHECK(tnn_forward(net, x, N, TNN_TRAIN) == TNN_OK, "%s", tnn_error());
    tnn_loss(net, labels);
    memcpy(y, tnn_output(net), sizeof y);
    tnn_backward(net);
    CHECK(tnn_step(net) == TNN_OK, "%s", tnn_error());
    tnn_get_param(net, "1.running_mean", mean, UNITS);
    tnn_get_param(net, "1.running_var", var, UNITS);
    for (j = 0; j < UNITS; j++) {
        double m = 0, v = 0, z;
        for (i = 0; i < N; i++) {
            int k;
            for (h[i][j] = 0, k = 0; k < K; k++)
                h[i][j] += (double)w[j * K + k] * (double)x[i * K + k];
            m += h[i][j] / N;
        }
        for (i = 0; i < N; i++) v += (h[i][j] - m) * (h[i][j] - m) / N;
        z = (h[0][j] - m) / sqrt(v + 1e-3);
        CHECK_NEAR("output", (double)y[j], z > 0 ? z : 0.3 * z, 1e-5);
        CHECK_NEAR("running mean", (double)mean[j], 0.01 * m, 1e-5);
        CHECK_NEAR("running variance", (double)var[j], 0.99 + 0.01 * v, 1e-6);
    }
    tnn_free(net);
    test_release_all();
}

/* Scales 2, 3 and 5 of one value, 3 and 5 both behind 2: 2 (3 + 5) = 16, and 16^2 as loss. The join
   reads the branch just before it as its first input, or as its second. */
static void fork_and_join(void)
{
    const float x = 1, target = 0;
    int order, i;
    for (order = 0; order < 4; order++) {
        static const float want[] = { 256, 64, 64 };
        tnn_net *net = tnn_create(.input = { 1 }, .batch = 1);
        tnn_add(net, TNN_SCALE, .value = 2);
        tnn_add(net, TNN_SCALE, .value = 3);
        tnn_add(net, TNN_SCALE, .value = 5, .from = 1);
        if (order == 1) tnn_add(net, TNN_IDENTITY, .from = 2);
        if (order == 2) tnn_add(net, TNN_FLATTEN, .from = 2);
        if (order == 3) tnn_add(net, TNN_SCALE, .from = 2, .no_affine = 1);
        tnn_add(net, TNN_ADD, .from = order ? 3 : 2);
        tnn_set_loss(net, TNN_MSE);
        tnn_forward(net, &x, 1, TNN_TRAIN);
        CHECK_NEAR("loss", tnn_loss_targets(net, &target), 256, 1e-7);
        tnn_backward(net);
        for (i = 0; i < 3; i++) {
            float g = 0;
            tnn_get_grad(net, tnn_param_info(net, i).name, &g, 1);
            CHECK(g >= want[i] && g <= want[i], "order %d, gradient %d: %g, not %g", order, i,
                  (double)g, (double)want[i]);
        }
        CHECK(!tnn_failed(), "%s", tnn_error());
        tnn_clear_error();
        tnn_free(net);
    }
}

/* ==== WHAT THE GRADIENT CHECK TELLS =========================================================== */

/* y = w x^2 by channel; `wrong` is what its derivatives are multiplied with, of x, w and w[0]. */
static int square_shape(void *user, const int in[3], int out[3], int *params)
{
    (void)user, (void)out;
    *params = in[0];
    return in[1] * in[2] != 1;
}
static void square_init(void *user, float *w, uint64_t seed)
{
    int i;
    (void)user, (void)seed;
    for (i = 0; i < 6; i++) w[i] = 0.5f + 0.1f * (float)i;
}
static void square_forward(void *user, const float *x, float *y, const float *w, int training)
{
    int i;
    (void)user, (void)training;
    for (i = 0; i < 6; i++) y[i] = w[i] * x[i] * x[i];
}
static void square_backward(void *user, const float *x, const float *y, const float *dy, float *dx,
                            const float *w, float *dw)
{
    const float *wrong = (const float *)user;
    int i;
    (void)y;
    for (i = 0; i < 6; i++) {
        dx[i] = wrong[0] * dy[i] * 2 * w[i] * x[i];
        dw[i] += wrong[i ? 1 : 2] * dy[i] * x[i] * x[i];
    }
}
/* The identity of a shortcut, whose gradient does not come back. */
static int cut_shape(void *user, const int in[3], int out[3], int *params)
{
    (void)user, (void)in, (void)out, (void)params;
    return 0;
}
static void cut_forward(void *user, const float *x, float *y, const float *w, int training)
{
    (void)w, (void)training;
    memcpy(y, x, *(const size_t *)user);
}
static void cut_backward(void *user, const float *x, const float *y, const float *dy, float *dx,
                         const float *w, float *dw)
{
    (void)x, (void)y, (void)dy, (void)w, (void)dw;
    memset(dx, 0, *(const size_t *)user);
}

/* 20 layers with weights on images of 16x16 (He et al. 2016, 4.2); the fifth shortcut is `cut`. */
static tnn_net *resnet(int batch, uint64_t seed, const tnn_custom_layer *cut)
{
    tnn_net *net = tnn_create(.input = { 3, 16, 16 }, .batch = batch, .seed = seed);
    int block, from, wide;
    tnn_add(net, TNN_CONV2D, .filters = 16, .kernel = 3, .pad = 1, .no_bias = 1);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_RELU);
    for (block = 0; block < 9; block++) {
        const int filters = 16 << block / 3, stride = block && block % 3 == 0 ? 2 : 1;
        from = tnn_layer_count(net);
        tnn_add(net, TNN_CONV2D, .filters = filters, .kernel = 3, .pad = 1, .stride = stride,
                .no_bias = 1);
        tnn_add(net, TNN_BATCHNORM);
        tnn_add(net, TNN_RELU);
        tnn_add(net, TNN_CONV2D, .filters = filters, .kernel = 3, .pad = 1, .no_bias = 1);
        tnn_add(net, TNN_BATCHNORM);
        wide = tnn_layer_count(net);
        if (stride > 1) {
            tnn_add(net, TNN_CONV2D, .filters = filters, .kernel = 1, .stride = 2, .no_bias = 1,
                    .from = from);
            tnn_add(net, TNN_BATCHNORM);
        }
        if (block == 4 && cut) {
            tnn_add(net, TNN_CUSTOM_LAYER, .custom = cut, .from = from);
            from = wide;
        }
        tnn_add(net, TNN_ADD, .from = stride > 1 ? wide : from);
        tnn_add(net, TNN_RELU);
    }
    tnn_add(net, TNN_ADAPTIVE_AVGPOOL2D);
    tnn_add(net, TNN_DENSE, .units = 10);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    return net;
}

/* TINYNN_SEEDS=20: so many ResNets, each right and with a shortcut that gives no gradient. */
static void gradient_check(void)
{
    enum { N = 4, SAMPLE = 3 * 16 * 16 };
    static const struct { float wrong[3]; double lo, hi; } tried[] = {
        { { 1, 1, 1 }, 0, 1e-6 }, { { 0.5f, 1, 1 }, 0.3, 1 }, { { 1, 2, 2 }, 0.3, 1 },
        { { 0, 1, 1 }, 0.9, 1 }, { { 1, -1, -1 }, 1.7, 2.1 }, { { 1.1f, 1, 1 }, 0.05, 0.15 },
        { { 1, 0.9f, 0.9f }, 0.05, 0.15 }, { { 1, 1, 1.03f }, 5e-3, 0.03 },
        { { 1.01f, 1, 1 }, 1e-3, 0.01 } };
    const size_t bytes = 32 * 8 * 8 * sizeof(float);
    const tnn_custom_layer cut = { .name = "cut", .user = (void *)(uintptr_t)&bytes,
        .shape = cut_shape, .forward = cut_forward, .backward = cut_backward };
    const int labels[N] = { 0, 1, 2, 3 }, seeds = getenv("TINYNN_SEEDS")
                                                ? atoi(getenv("TINYNN_SEEDS")) : 0;
    float *x = test_floats(N * SAMPLE);
    double error, largest = 0, least = HUGE_VAL;
    tnn_net *net;
    uint64_t seed;
    size_t i;
    int wrong;
    for (seed = 1; seed <= (uint64_t)(seeds ? seeds : 1); seed++)
        for (wrong = 0; wrong < 2; wrong++) {
            for (i = 0; i < N * SAMPLE; i++) x[i] = tnn_random_normal(7, seed, i);
            net = resnet(N, seed, wrong ? &cut : NULL);
            error = tnn_gradient_check(net, x, labels, N, seeds ? 130 : wrong ? 30 : 70);
            if (wrong) least = fmin(least, error);
            else       largest = fmax(largest, error);
            CHECK(wrong ? error > 0.1 : error < 1e-3, "of a ResNet-20%s: %g %s",
                  wrong ? ", a gradient missing" : "", error, tnn_error());
            tnn_free(net);
        }
    test_note("of a ResNet-20 %.1e, a gradient missing %.1e", largest, least);
    for (i = 0; i < N * SAMPLE; i++) x[i] = tnn_random_normal(7, 20, i);
    for (i = 0; i < sizeof tried / sizeof *tried; i++) {
        const tnn_custom_layer own = { .name = "square", .user = (void *)(uintptr_t)tried[i].wrong,
            .shape = square_shape, .init = square_init, .forward = square_forward,
            .backward = square_backward };
        net = tnn_create(.input = { SAMPLE }, .batch = N, .seed = 2);
        tnn_add(net, TNN_DENSE, .units = 6);
        tnn_add(net, TNN_TANH);
        tnn_add(net, TNN_CUSTOM_LAYER, .custom = &own);
        tnn_add(net, TNN_DENSE, .units = 10);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        error = tnn_gradient_check(net, x, labels, N, 300);
        CHECK(error >= tried[i].lo && error <= tried[i].hi,
              "derivatives times %g, %g and %g: %g %s", (double)tried[i].wrong[0],
              (double)tried[i].wrong[1], (double)tried[i].wrong[2], error, tnn_error());
        tnn_free(net);
    }
    test_release(x);
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    vectors_from(argc, argv);
    EACH_SETTING("torch layers", layers);
    EACH_SETTING("torch layers behind flatten", flattened);
    EACH_SETTING("torch residual network", residual);
    EACH_SETTING("gradients of networks", networks);
    EACH_SETTING("noise layers", noises);
    RUN("gradients behind a fork", fork_and_join);
    RUN("what the gradient check tells", gradient_check);
    EACH_SETTING("torch running statistics", running);
    RUN("DropConnect", drop_connect);
    RUN("fused dropout", fused_dropout);
    RUN("layers refused", refused);
    RUN("statistics of averaged weights", averaged);
    RUN("the dialect of Keras", keras);
    RUN("statistics of batch normalisation", statistics);
    free(numbers);
    return test_finish();
}
