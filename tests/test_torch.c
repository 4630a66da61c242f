/* test_torch.c - the library against what PyTorch 2.14 computed

   torch_vectors.py wrote the numbers, and says how. They are read from the directory given as
   second argument, else by the environment variable VECTORS, else from tests/vectors. */
#include "test.h"
#include "vectors.h"
#include "text.h"

/* ==== LAYERS ================================================================================== */

static tnn_window window_of(vectors *c)
{
    tnn_window k;
    memset(&k, 0, sizeof k);
    k.kernel_h = integer(c, "kernel", 0), k.kernel_w = integer(c, "kernel", 1);
    k.stride_h = integer(c, "stride", 0), k.stride_w = integer(c, "stride", 1);
    k.pad_h = integer(c, "pad", 0), k.pad_w = integer(c, "pad", 1);
    k.dilation_h = integer(c, "dilation", 0), k.dilation_w = integer(c, "dilation", 1);
    return k;
}

static void conv2d(void)
{
    vectors *c;
    load("conv2d.txt");
    for (c = cases; c < cases + case_count; c++) {
        tnn_window k = window_of(c);
        int nw = get(c, "w")->n, nb = get(c, "b")->n;
        int filters = integer(c, "y_shape", 1), per_group;
        float *x = floats(c, "x"), *w = floats(c, "w"), *b = floats(c, "b"), *dy = floats(c, "dy");
        float *y = test_floats((size_t)get(c, "y")->n), *dx = test_floats((size_t)get(c, "x")->n);
        float *dw = test_floats((size_t)nw), *db = test_floats((size_t)nb);
        tnn_tensor W, DW;
        k.groups = integer(c, "groups", 0);
        per_group = integer(c, "x_shape", 1) / k.groups;
        W = tnn_tensor_view(w, filters, per_group, k.kernel_h, k.kernel_w);
        DW = tnn_tensor_view(dw, filters, per_group, k.kernel_h, k.kernel_w);
        memset(dw, 0, (size_t)nw * sizeof *dw);
        memset(db, 0, (size_t)nb * sizeof *db);
        DO(tnn_conv2d_forward(shaped(c, "y_shape", y), shaped(c, "x_shape", x), W, b, k));
        DO(tnn_conv2d_backward_input(shaped(c, "x_shape", dx), shaped(c, "y_shape", dy), W, k));
        DO(tnn_conv2d_backward_weights(DW, db, shaped(c, "x_shape", x), shaped(c, "y_shape", dy),
                                       k));
        expect(c, "y", y, 1e-6);
        expect(c, "dx", dx, 1e-6);
        expect(c, "dw", dw, 1e-6);
        expect(c, "db", db, 1e-6);
        test_release_all();
    }
}

static void pooling(void)
{
    vectors *c;
    load("pooling.txt");
    for (c = cases; c < cases + case_count; c++) {
        tnn_window k = window_of(c);
        size_t nx = (size_t)get(c, "x")->n, ny = (size_t)get(c, "y")->n;
        float *x = floats(c, "x"), *dy = floats(c, "dy"), *dx = test_floats(nx);
        float *y = test_floats(ny), *where = test_floats(ny);
        k.ceil = integer(c, "ceil", 0);
        k.exclude_pad = integer(c, "exclude_pad", 0);
        if (integer(c, "average", 0)) {
            DO(tnn_avgpool2d_forward(shaped(c, "y_shape", y), shaped(c, "x_shape", x), k));
            DO(tnn_avgpool2d_backward(shaped(c, "x_shape", dx), shaped(c, "y_shape", dy), k));
        } else {
            DO(tnn_maxpool2d_forward(shaped(c, "y_shape", y), where, shaped(c, "x_shape", x), k));
            DO(tnn_maxpool2d_backward(shaped(c, "x_shape", dx), shaped(c, "y_shape", dy), where,
                                      k));
        }
        expect(c, "y", y, integer(c, "average", 0) ? 5e-7 : 0);
        expect(c, "dx", dx, 5e-7);
        test_release_all();
    }
}

static void softmax(vectors *c)
{
    int n = integer(c, "shape", 0), classes = integer(c, "shape", 1);
    float *x = floats(c, "x"), *y = test_floats((size_t)get(c, "x")->n);
    tnn_tensor X = tnn_tensor_view(x, n, classes, 1, 1), Y = tnn_tensor_view(y, n, classes, 1, 1);
    DO(tnn_softmax(Y, X));
    expect(c, "softmax", y, 1e-6);
    DO(tnn_log_softmax(Y, X));
    expect(c, "log_softmax", y, 1e-6);
    test_release_all();
}

/* A dense layer whose inputs are the unit vectors: its weights are the logits, transposed. */
static void cross_entropy(vectors *c)
{
    int n = integer(c, "shape", 0), classes = integer(c, "shape", 1), i, j, labels[16];
    float *x = test_floats((size_t)(n * n)), *w = test_floats((size_t)(n * classes));
    float *dx = test_floats((size_t)(n * classes));
    float *weights = find(c, "weights") ? floats(c, "weights") : NULL;
    tnn_net *net = tnn_create(.input = { n }, .batch = n);
    tnn_add(net, TNN_DENSE, .units = classes, .no_bias = 1);
    tnn_set_loss(net, TNN_CROSS_ENTROPY, .label_smoothing = number(c, "smoothing", 0),
                 .class_weights = weights);
    for (i = 0; i < n; i++) {
        labels[i] = integer(c, "labels", i);
        for (j = 0; j < n; j++) x[i * n + j] = i == j;
        for (j = 0; j < classes; j++) w[j * n + i] = number(c, "x", i * classes + j);
    }
    DO(tnn_set_param(net, "0.weight", w, n * classes));
    DO(tnn_forward(net, x, n, TNN_TRAIN));
    CHECK_NEAR(c->name, tnn_loss(net, labels), get(c, "loss")->v[0], 1e-6);
    DO(tnn_backward(net));
    DO(tnn_get_grad(net, "0.weight", w, n * classes));
    for (i = 0; i < n; i++)
        for (j = 0; j < classes; j++) dx[i * classes + j] = w[j * n + i];
    expect(c, "dx", dx, 2e-6);
    tnn_free(net);
    test_release_all();
}

static void losses(void)
{
    vectors *c;
    load("losses.txt");
    for (c = cases; c < cases + case_count; c++) {
        if (!strncmp(c->name, "softmax", 7)) softmax(c);
        else cross_entropy(c);
    }
}

/* ==== OPTIMIZERS ============================================================================== */

/* An option whose default is not zero: zero has to be said. */
static float said(float value)
{
    if (value == 0) value = TNN_ZERO;
    return value;
}

/* Eight weights of a dense layer, with gradients put where the flat vector keeps theirs. */
static void optimizers(void)
{
    vectors *c, *given = cases;
    load("optimizers.txt");
    for (c = given + 1; c < cases + case_count; c++) {
        enum { COUNT = 8, STEPS = 50 };
        float *start = floats(given, "start"), *got = test_floats(STEPS * COUNT), *p, *g;
        float x[4] = { 1, 2, 3, 4 }, order[COUNT];
        int place[COUNT], label = 0, t, i;
        size_t count = 0, j;
        tnn_optimizer o;
        tnn_net *net = tnn_create(.input = { 4 }, .batch = 1);
        memset(&o, 0, sizeof o);
        o.type = !strncmp(c->name, "SGD", 3) ? TNN_SGD : !strncmp(c->name, "AdamW", 5) ? TNN_ADAMW
                                                                                       : TNN_ADAM;
        o.lr = number(c, "lr", 0);
        o.weight_decay = said(number(c, "weight_decay", 0));
        if (o.type == TNN_SGD) {
            o.momentum = number(c, "momentum", 0);
            o.dampening = number(c, "dampening", 0);
            o.nesterov = integer(c, "nesterov", 0);
        } else {
            o.beta1 = said(number(c, "betas", 0));
            o.beta2 = said(number(c, "betas", 1));
            o.eps = said(number(c, "eps", 0));
        }
        tnn_add(net, TNN_DENSE, .units = 2, .no_bias = 1);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        DO(tnn_set_optimizer_with(net, &o));
        for (i = 0; i < COUNT; i++) order[i] = (float)(i + 1), place[i] = -1;
        DO(tnn_set_param(net, "0.weight", order, COUNT));
        p = tnn_flat(net, 0, &count), g = tnn_flat(net, 1, &count);
        for (j = 0; p && j < count; j++)
            for (i = 0; i < COUNT; i++) if (p[j] == order[i]) place[i] = (int)j;
        for (i = 0; i < COUNT; i++) if (place[i] < 0) g = NULL;
        CHECK(g, "%s: the flat vectors are not there", c->name);
        if (g) {
            DO(tnn_set_param(net, "0.weight", start, COUNT));
            for (t = 0; t < STEPS; t++) {
                tnn_forward(net, x, 1, TNN_TRAIN);
                tnn_loss(net, &label);
                tnn_backward(net);
                for (i = 0; i < COUNT; i++)
                    g[place[i]] = number(given, "gradients", t * COUNT + i);
                DO(tnn_step(net));
                DO(tnn_get_param(net, "0.weight", got + t * COUNT, COUNT));
            }
            /* each weight on its own: the largest must not hide the others */
            for (i = 0; i < COUNT; i++) {
                float path[STEPS];
                double want[STEPS];
                char what[60];
                for (t = 0; t < STEPS; t++) {
                    path[t] = got[t * COUNT + i];
                    want[t] = get(c, "trajectory")->v[t * COUNT + i];
                }
                snprintf(what, sizeof what, "%s weight %d", c->name, i);
                CHECK_CLOSE(what, path, want, STEPS, 1e-5);
            }
        }
        tnn_free(net);
        test_release_all();
    }
}

/* ==== INITIAL WEIGHTS ========================================================================= */

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Mean, largest value and deviation of x[0..n) against PyTorch's draws, and the distance of the
   distribution from the uniform or normal one of that deviation (Kolmogorov and Smirnov). */
static void check_draws(const char *what, float *x, int n, const double *largest_deviation,
                        double bound)
{
    double largest = 0, sum = 0, squares = 0, deviation, distance = 0;
    int normal = bound == 0, i;
    for (i = 0; i < n; i++) {
        sum += x[i], squares += (double)x[i] * (double)x[i];
        if (fabs((double)x[i]) > largest) largest = fabs((double)x[i]);
    }
    deviation = sqrt(squares / n);
    CHECK(fabs(sum / n) < 4.5 * deviation / sqrt(n), "%s: mean %g of deviation %g", what, sum / n,
          deviation);
    CHECK_NEAR(what, deviation, largest_deviation[1], 4 / sqrt(n));
    if (normal) {
        CHECK_NEAR(what, largest, largest_deviation[0], 0.25);
    } else {
        CHECK(largest <= bound * (1 + 1e-7), "%s: %.9g > %.9g", what, largest, bound);
        CHECK_NEAR(what, largest, bound, 20.0 / n);
        CHECK_NEAR("deviation of a uniform", deviation, bound / sqrt(3), 4 / sqrt(n));
    }
    if (n > 20000) n = 20000;
    qsort(x, (size_t)n, sizeof *x, ascending);
    for (i = 0; i < n; i++) {
        double u = normal ? 0.5 * erfc(-(double)x[i] / largest_deviation[1] / sqrt(2))
                          : 0.5 + 0.5 * (double)x[i] / bound;
        double away = fabs(u - (i + 0.5) / n);
        if (away > distance) distance = away;
    }
    CHECK(distance * sqrt(n) < 1.95, "%s: distance %.4f from its distribution", what, distance);
}

static void initial_weights(void)
{
    enum { SEEDS = 20 };
    vectors *c;
    load("init.txt");
    for (c = cases; c < cases + case_count; c++) {
        array *shape = get(c, "weight_shape");
        int conv = shape->n == 4, kind = integer(c, "init", 0), groups = integer(c, "groups", 0);
        int out = integer(c, "weight_shape", 0), in = integer(c, "weight_shape", 1);
        int kh = conv ? integer(c, "weight_shape", 2) : 1;
        int kw = conv ? integer(c, "weight_shape", 3) : 1;
        int fan_in = in * kh * kw, fan_out = out * kh * kw, count = out * fan_in, seed, i;
        int init = kind ? TNN_INIT_HE_UNIFORM - 1 + kind : TNN_INIT_DEFAULT;
        double bound = init == TNN_INIT_DEFAULT ? 1 / sqrt(fan_in)
                     : init == TNN_INIT_HE_UNIFORM ? sqrt(6.0 / fan_in)
                     : init == TNN_INIT_XAVIER_UNIFORM ? sqrt(6.0 / (fan_in + fan_out)) : 0;
        float *w = test_floats((size_t)(SEEDS * count)), *b = test_floats((size_t)(SEEDS * out));
        for (seed = 0; seed < SEEDS; seed++) {
            tnn_net *net = tnn_create(.input = { in * groups, kh, kw }, .batch = 1,
                                      .seed = (uint64_t)(1000 + seed));
            float *mine = w + seed * count;
            if (conv) tnn_add(net, TNN_CONV2D, .filters = out, .kernel_h = kh, .kernel_w = kw,
                              .groups = groups, .init = (tnn_init)init);
            else tnn_add(net, TNN_DENSE, .units = out, .init = (tnn_init)init);
            DO(tnn_get_param(net, "0.weight", mine, count));
            DO(tnn_get_param(net, "0.bias", b + seed * out, out));
            CHECK(!seed || memcmp(mine, w, 64), "%s: two seeds alike", c->name);
            CHECK(memcmp(mine, b + seed * out, 64), "%s: bias and weight alike", c->name);
            tnn_free(net);
        }
        check_draws(c->name, w, SEEDS * count, get(c, "weight_largest_deviation")->v, bound);
        if (init == TNN_INIT_DEFAULT)
            check_draws("bias", b, SEEDS * out, get(c, "bias_largest_deviation")->v, bound);
        else
            for (i = 0; i < SEEDS * out; i++)
                CHECK(b[i] == 0, "%s: bias %g", c->name, (double)b[i]);
        test_release_all();
    }
}

/* ==== TRAINING ================================================================================ */

/* Sample number `sample` as in torch_vectors.py; returns its label. */
static int image(float *x, int sample)
{
    int label = (int)(test_hash(5000, (uint32_t)sample) % 10), grid[64], i, j;
    for (i = 0; i < 64; i++) {
        grid[i] = (int)(test_hash(5100 + (uint32_t)label, (uint32_t)i) >> 24);
        grid[i] += (int)(test_hash(6000 + (uint32_t)sample, (uint32_t)i) >> 24);
    }
    for (i = 0; i < 28; i++)
    for (j = 0; j < 28; j++) {
        const int *cell = grid + i / 4 * 8 + j / 4;
        int v = (4 - i % 4) * ((4 - j % 4) * cell[0] + j % 4 * cell[1])
              + i % 4 * ((4 - j % 4) * cell[8] + j % 4 * cell[9]);
        x[i * 28 + j] = (float)(v - 4096) / 4096.0f;
    }
    return label;
}

static void train(vectors *c, int steps)
{
    static const int cnn_scales[] = { 341, 60, 18, 90 }, mlp_scales[] = { 37, 90, 128 };
    int cnn = !strncmp(c->name, "cnn", 3), adam = strstr(c->name, "adam") != NULL;
    int batch = integer(c, "batch", 0), labels[32], t, i, k;
    const int *scales = cnn ? cnn_scales : mlp_scales;
    double furthest = 0;
    float *x = test_floats((size_t)(batch * 784));
    tnn_net *net = tnn_create(.input = { 1, 28, 28 }, .batch = batch);
    add_layers(net, cnn ? "conv 32 k3 p1; relu; maxpool k2; conv 64 k3 p1; relu; maxpool k2; "
                          "flatten; dense 128; relu; dense 10"
                        : "flatten; dense 128; relu; dense 64; relu; dense 10");
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, adam ? TNN_ADAM : TNN_SGD, .lr = adam ? 1e-3f : 1e-2f);
    DO(tnn_build(net));
    for (k = 0; k < tnn_param_count(net); k++) {
        tnn_param p = tnn_param_info(net, k);
        float *w = test_floats((size_t)p.count);
        test_fill(w, (size_t)p.count, (uint32_t)((cnn ? 7000 : 8000) + k));
        for (i = 0; i < p.count; i++) w[i] *= (float)scales[k / 2] / 1024.0f;
        DO(tnn_set_param(net, p.name, w, p.count));
        test_release(w);
    }
    for (t = 0; t < steps; t++) {
        double loss, wide = get(c, "losses64")->v[t];
        char what[60];
        for (i = 0; i < batch; i++) labels[i] = image(x + i * 784, t * batch + i);
        loss = tnn_train_batch(net, x, labels, batch);
        snprintf(what, sizeof what, "%s, loss of step %d", c->name, t + 1);
        CHECK_NEAR(what, loss, get(c, "losses32")->v[t], 1e-5);
        if (fabs(loss / wide - 1) > furthest) furthest = fabs(loss / wide - 1);
    }
    for (k = 0; steps == 20 && k < tnn_param_count(net); k++) {
        tnn_param p = tnn_param_info(net, k);
        float *w = test_floats((size_t)p.count), chosen[50];
        char key[40];
        DO(tnn_get_param(net, p.name, w, p.count));
        for (i = 0; i < 50; i++)
            chosen[i] = w[test_hash((uint32_t)(9000 + k), (uint32_t)i) % (uint32_t)p.count];
        snprintf(key, sizeof key, "%s.32", p.name);
        expect(c, key, chosen, 1e-4);
        test_release(w);
    }
    test_note("losses to double %.1e", furthest);
    tnn_free(net);
    test_release_all();
}

/* The scalar kernels take fewer steps: they are slow, and the same as the others. */
static void training(const char *name)
{
    vectors *c;
    int scalar = !strcmp(tnn_isa(), "scalar");
    load("training.txt");
    for (c = cases; c < cases + case_count; c++)
        if (!strcmp(c->name, name)) train(c, scalar && name[0] == 'c' ? 2 : 20);
}

static void cnn_adam(void) { training("cnn-adam"); }
static void cnn_sgd(void)  { training("cnn-sgd"); }
static void mlp_adam(void) { training("mlp-adam"); }
static void mlp_sgd(void)  { training("mlp-sgd"); }

int main(int argc, char **argv)
{
    test_start(argc, argv);
    vectors_from(argc, argv);
    EACH_ISA("torch conv2d", conv2d);
    EACH_ISA("torch pooling", pooling);
    EACH_ISA("torch losses", losses);
    EACH_ISA("torch optimizers", optimizers);
    RUN("torch initial weights", initial_weights);
    EACH_SETTING("torch cnn, Adam", cnn_adam);
    EACH_SETTING("torch cnn, SGD", cnn_sgd);
    EACH_SETTING("torch mlp, Adam", mlp_adam);
    EACH_SETTING("torch mlp, SGD", mlp_sgd);
    free(numbers);
    return test_finish();
}
