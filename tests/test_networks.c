/* test_networks.c - whole networks, written as text, against reference.h

   "conv 8 k3 p1; relu; flatten; dense 10" is a network (text.h). What the reference computes
   backwards is checked against central differences of what it computes forwards; then the library
   is checked against it, on every instruction set and with 1, 2 and 3 threads, which must agree in
   every bit (test.h). test_random.c has layers of all types, and graphs. */
#include "test.h"
#include "reference.h"
#include "windows.h"
#include "text.h"

/* Zeroed doubles that live until fresh(). */
static double scratch[1 << 20];
static size_t used;
static double *doubles(int n)
{
    double *x = scratch + used;
    if ((size_t)n > sizeof scratch / sizeof *scratch - used) {
        printf("FAIL  the test program is out of scratch memory\n");
        exit(1);
    }
    memset(x, 0, (size_t)n * sizeof *x);
    used += (size_t)n;
    return x;
}
static void fresh(void)
{
    test_release_all();
    used = 0;
}

/* ==== NETWORKS AS TEXT ======================================================================== */

enum { MAX_LAYERS = 24 };
typedef struct text_net {
    const char  *text;
    int          layers, classes, labels[64];
    tnn_layer    layer[MAX_LAYERS];
    tensor       shape[MAX_LAYERS + 1];     /* before each layer, and behind the last */
    int          weights[MAX_LAYERS], biases[MAX_LAYERS];       /* how many */
    double      *x, *w[MAX_LAYERS], *b[MAX_LAYERS];             /* their values */
    float       *kept;                      /* NULL: evaluation; 0 where dropout drops */
    double       smoothing;
    const float *class_weights;
    int          w_at[MAX_LAYERS], b_at[MAX_LAYERS], loss;      /* nodes, once it has been run */
} text_net;

/* Shapes, and parameters (floats of about 1/sqrt(fan_in), from `stream`); the input is left to the
   caller. Returns 0 where some window does not fit. */
static int text_init(text_net *net, int n, int c, int h, int w, const char *text, uint32_t stream)
{
    int i;
    memset(net, 0, sizeof *net);
    net->text = text;
    net->shape->n = n, net->shape->c = c, net->shape->h = h, net->shape->w = w;
    net->x = doubles(n * c * h * w);
    while (*text) {
        const int k = net->layers++;
        tnn_layer *l = &net->layer[k];
        const tensor x = net->shape[k];
        tensor *y = &net->shape[k + 1];
        text = layer_of(text, l);
        if (!shape_of(l, x, x, y)) return 0;
        parameters_of(l, x, *y, &net->weights[k], &net->biases[k]);
        if (!net->weights[k]) continue;
        net->w[k] = doubles(net->weights[k]), net->b[k] = doubles(net->biases[k]);
        for (i = 0; i < net->weights[k] + net->biases[k]; i++) {
            const int bias = i >= net->weights[k], at = bias ? i - net->weights[k] : i;
            double v = (double)test_value(stream + (uint32_t)bias, (uint32_t)at);
            v = (float)(1 / sqrt(net->weights[k] / y->c) * v);
            if (bias) net->b[k][at] = v;
            else net->w[k][at] = v;
        }
        stream += 2;
    }
    net->classes = values(net->shape[net->layers]);
    for (i = 0; i < n; i++)
        net->labels[i] = (int)(test_hash(stream, (uint32_t)i) % (uint32_t)net->classes);
    return 1;
}

static int nodes_of(const double *x, int n)
{
    const int first = node_count;
    int i;
    for (i = 0; i < n; i++) number(x[i]);
    return n ? first : -1;
}
static void text_forward(text_net *net)
{
    int k;
    forget();
    net->shape->at = nodes_of(net->x, net->shape->n * values(*net->shape));
    for (k = 0; k < net->layers; k++) {
        tensor *y = &net->shape[k + 1];
        net->w_at[k] = nodes_of(net->w[k], net->weights[k]);
        net->b_at[k] = nodes_of(net->b[k], net->biases[k]);
        y->at = zeros(y->n * values(*y));
        apply(&net->layer[k], *y, y[-1], y[-1], net->w_at[k], net->b_at[k], net->kept != NULL,
              net->kept, NULL);
    }
}
static double text_loss(text_net *net, tensor y)
{
    double total = 0;
    int i;
    for (i = 0; i < y.n; i++)
        total += net->class_weights ? (double)net->class_weights[net->labels[i]] : 1;
    net->loss = zeros(1);
    for (i = 0; i < y.n; i++)
        cross_entropy(net->loss, y, i, net->labels[i], net->smoothing, net->class_weights, total);
    return nodes[net->loss].v;
}
/* Forward, loss (which it returns) and all gradients. */
static double text_step(text_net *net)
{
    double loss;
    text_forward(net);
    loss = text_loss(net, net->shape[net->layers]);
    backwards(net->loss);
    return loss;
}
/* The outputs, until the next call. */
static double *text_output(const text_net *net)
{
    return seen_at(net->shape[net->layers].at, net->shape->n * net->classes, 0);
}

/* ==== THE REFERENCE AGAINST DIFFERENCES ======================================================= */

/* The largest |dx - (f(x + h) - f(x - h)) / 2h| over x[0..n), over the largest |dx|; f is the loss,
   dx the gradients of nodes `at`, which are then gone. */
static double differences(text_net *net, double *x, const double *dx, int n)
{
    const double h = 1e-5;
    double worst = 0, largest = 1e-300;
    int i;
    for (i = 0; i < n; i++) {
        const double was = x[i];
        double up, down, error;
        x[i] = was + h, text_forward(net), up = text_loss(net, net->shape[net->layers]);
        x[i] = was - h, text_forward(net), down = text_loss(net, net->shape[net->layers]);
        x[i] = was;
        error = fabs((up - down) / (2 * h) - dx[i]);
        if (!(error <= worst)) worst = error;
        if (fabs(dx[i]) > largest) largest = fabs(dx[i]);
    }
    return worst / largest;
}
static double *kept_gradients(int at, int n)
{
    double *dx = doubles(n);
    memcpy(dx, seen_at(at, n, 1), (size_t)n * sizeof *dx);
    return dx;
}
static void agree(text_net *net, const char *what, double *x, const double *dx, int n)
{
    const double error = differences(net, x, dx, n);
    if (error <= 1e-6) test_measure(error, 1e-6);
    else test_fail(__LINE__, "%s: %s off by %.1e", net->text, what, error);
}

static const float some_weights[10] = { 1.5f, 0.25f, 3, 0.5f, 1, 0, 2, 0.75f, 1.25f, 0.125f };

/* Each layer alone, and whole networks. A unit can lie so close to the corner of a rectifier, or
   two to a tie of a maximum, that a difference steps over it; none does with these numbers. */
static void check_references(void)
{
    static const char *const nets[] = {
        "flatten", "flatten; dense 7", "conv 4 k3; flatten", "conv 6 k3x2 s2x1 p1x2 g2; flatten",
        "conv 4 k2 d2 s3 p3 nobias; flatten", "conv 8 k3 p1 g4; flatten",
        "maxpool k2; flatten", "maxpool k3 s2 p1 ceil; flatten", "maxpool k2x3 s1 d2x1; flatten",
        "avgpool k2; flatten", "avgpool k3 s2 p1 ceil; flatten",
        "avgpool k3x4 s3x2 p1x2 exclude; flatten", "relu; flatten", "leaky 0.3; flatten",
        "leaky; flatten", "dropout; flatten",
        ("conv 4 k3 p1; relu; maxpool k2; conv 6 k3 s2 p1; leaky; avgpool k2 s1; flatten; dense 9; "
         "relu; dropout; dense 10"),
        "avgpool k2 s1 p1; conv 3 k1; maxpool k3 s1 p1; leaky 0.2; flatten; dense 10"
    };
    enum { N = 2, SAMPLE = 4 * 6 * 7 };
    float kept[N * SAMPLE];
    size_t k;
    int i, at, variant;
    for (i = 0; i < N * SAMPLE; i++) kept[i] = i * 7 % 5 >= 2;
    for (k = 0; k < sizeof nets / sizeof *nets; k++)
    for (variant = 0; variant < 3; variant++) {
        text_net net;
        double *dx, *dw[MAX_LAYERS], *db[MAX_LAYERS];
        CHECK(text_init(&net, N, 4, 6, 7, nets[k], (uint32_t)(100 * k)), "%s", nets[k]);
        if (variant == 1 || variant == 2) net.smoothing = 0.15;
        if (variant == 2 && net.classes <= 10) net.class_weights = some_weights;
        net.kept = kept;
        for (i = 0; i < N * SAMPLE; i++)            /* all different, none 0 */
            net.x[i] = (double)(i * 101 % 336) / 168.0 - 1 + 1 / 512.0;
        text_step(&net);
        dx = kept_gradients(net.shape->at, N * SAMPLE);
        for (at = 0; at < net.layers; at++) {
            dw[at] = kept_gradients(net.w_at[at], net.weights[at]);
            db[at] = kept_gradients(net.b_at[at], net.biases[at]);
        }
        agree(&net, "dx", net.x, dx, N * SAMPLE);
        for (at = 0; at < net.layers; at++) {
            if (net.weights[at]) agree(&net, "dw", net.w[at], dw[at], net.weights[at]);
            if (net.biases[at]) agree(&net, "db", net.b[at], db[at], net.biases[at]);
        }
        fresh();
    }
}

/* ==== THE LIBRARY AGAINST THE REFERENCE ======================================================= */

/* The library's network of the same layers, parameters and loss, for batches up to `batch`. The
   optimizer may be NULL. */
static tnn_net *build_like(const text_net *r, int batch, const tnn_optimizer *optimizer)
{
    tnn_net_options options;
    tnn_loss_options loss;
    tnn_net *net;
    int i, k;
    char name[32];
    memset(&options, 0, sizeof options);
    memset(&loss, 0, sizeof loss);
    options.input[0] = r->shape->c, options.input[1] = r->shape->h;
    options.input[2] = r->shape->w;
    options.batch = batch, options.seed = 5;
    loss.type = TNN_CROSS_ENTROPY;
    loss.label_smoothing = (float)r->smoothing;
    loss.class_weights = r->class_weights;
    net = tnn_create_with(&options);
    for (k = 0; k < r->layers; k++) tnn_add_with(net, &r->layer[k]);
    tnn_set_loss_with(net, &loss);
    if (optimizer) tnn_set_optimizer_with(net, optimizer);
    for (k = 0; k < r->layers; k++) {
        const int weights = r->weights[k], biases = r->biases[k];
        float *all;
        if (!weights) continue;
        all = test_floats((size_t)(weights + biases));
        for (i = 0; i < weights; i++) all[i] = (float)r->w[k][i];
        for (i = 0; i < biases; i++) all[weights + i] = (float)r->b[k][i];
        snprintf(name, sizeof name, "%d.weight", k);
        tnn_set_param(net, name, all, weights);
        snprintf(name, sizeof name, "%d.bias", k);
        if (biases) tnn_set_param(net, name, all + weights, biases);
    }
    CHECK(!tnn_failed(), "%s: %s", r->text, tnn_error());
    return net;
}

/* Every parameter (gradients = 0) or gradient (1) of the two networks. A gradient is a sum whose
   terms may cancel: it is held against a tenth of the network's largest one. */
static void compare_params(const text_net *r, tnn_net *net, int gradients, double limit)
{
    int k, bias, i;
    char name[32], what[400];
    double scale = 0;
    if (!test_fma()) limit *= 3;
    for (k = 0; gradients && k < r->layers; k++)
        for (i = 0; i < r->weights[k]; i++)
            scale = fmax(scale, fabs(nodes[r->w_at[k] + i].g) / 10);
    for (k = 0; k < r->layers; k++)
    for (bias = 0; bias < 2; bias++) {
        const int n = bias ? r->biases[k] : r->weights[k];
        float *got;
        tnn_status status;
        if (!n) continue;
        got = test_floats((size_t)n);
        snprintf(name, sizeof name, "%d.%s", k, bias ? "bias" : "weight");
        snprintf(what, sizeof what, "[%s] %s of %s", r->text, gradients ? "gradient" : "value",
                 name);
        status = gradients ? tnn_get_grad(net, name, got, n) : tnn_get_param(net, name, got, n);
        CHECK(status == TNN_OK, "%s: %s", what, tnn_error());
        CHECK_CLOSE_TO(what, got, gradients ? seen_at(bias ? r->b_at[k] : r->w_at[k], n, 1)
                                            : bias ? r->b[k] : r->w[k], n, scale, limit);
        CHECK_REPEATS_TO(what, got, n, scale);
        test_release(got);
    }
}

/* Forward, loss and gradients of one batch; the reference has been run. */
static void compare_step(text_net *r, tnn_net *net, const float *x, double limit)
{
    const int n = r->shape->n;
    const float *y;
    int shape[3], outputs;
    float loss;
    char what[400];
    CHECK(tnn_forward(net, x, n, TNN_TRAIN) == TNN_OK, "%s: %s", r->text, tnn_error());
    outputs = tnn_output_shape(net, shape);
    CHECK(outputs == r->classes, "%s: %d outputs", r->text, outputs);
    y = tnn_output(net);
    if (!y) { test_fail(__LINE__, "%s: no output: %s", r->text, tnn_error()); return; }
    snprintf(what, sizeof what, "[%s] output", r->text);
    CHECK_CLOSE(what, y, text_output(r), n * r->classes, limit);
    CHECK_REPEATS(what, y, n * r->classes);
    loss = (float)tnn_loss(net, r->labels);
    snprintf(what, sizeof what, "[%s] loss", r->text);
    CHECK_NEAR(what, (double)loss, nodes[r->loss].v, limit);
    CHECK_REPEATS(what, &loss, 1);
    CHECK(tnn_backward(net) == TNN_OK, "%s: %s", r->text, tnn_error());
    compare_params(r, net, 1, 2 * limit);
}

static void one_network(int n, int c, int h, int w, const char *text, uint32_t stream,
                        double smoothing, const float *class_weights)
{
    text_net r;
    tnn_net *net;
    const int nx = n * c * h * w;
    float *x = test_values((size_t)nx, stream + 90);
    int i;
    CHECK(text_init(&r, n, c, h, w, text, stream), "%s", text);
    r.smoothing = (double)(float)smoothing;
    if (r.classes <= 10) r.class_weights = class_weights;
    if (some_weights[r.labels[0] % 10] == 0) r.labels[0] = 0;   /* not all of weight 0 */
    for (i = 0; i < nx; i++) r.x[i] = x[i];
    text_step(&r);
    net = build_like(&r, n + (int)(stream % 3), NULL);
    compare_step(&r, net, x, 3e-6);
    tnn_free(net);
    fresh();
}

/* One layer at a time between layers with parameters, whose gradients show its own; shapes that are
   no multiple of anything; then usual networks. */
static void networks_chosen(void)
{
    static const char *const nets[] = {
        "dense 1; dense 2", "dense 10", "dense 10 nobias", "dense 17; dense 10",
        "dense 33; relu; dense 10", "dense 128; relu; dense 64; relu; dense 10",
        "dense 31; leaky; dense 10", "dense 31; leaky 0.5; dense 5 nobias", "relu; dense 10",
        "leaky 0.1; dense 10", "dense 20; relu; relu; leaky; dense 10", "dense 10; relu",
        "flatten; dense 12; relu; flatten; dense 10"
    };
    static const char *const images[] = {
        "flatten", "flatten; dense 10", "conv 10 k7x9", "conv 5 k3; flatten",
        "conv 5 k3 nobias; flatten; dense 10", "conv 5 k1; conv 6 k3 p1; flatten; dense 10",
        "conv 6 k1; conv 6 k3 g3; flatten; dense 10",
        "conv 6 k1; conv 12 k3 g6 p1; flatten; dense 3",
        "conv 5 k1; conv 6 k3x2 s2x3 p2x0; flatten", "conv 5 k1; conv 6 k2 s3 d2; flatten",
        "conv 5 k1; conv 6 k2 p3; flatten", "conv 4 k1 s3; relu; flatten; dense 10",
        "conv 3 k1; maxpool k2; flatten", "conv 3 k1; maxpool k3 s2 p1; flatten",
        "conv 3 k1; maxpool k3 s2 p1 ceil; flatten", "conv 17 k1; maxpool k2x3 s1x2 d2; flatten",
        "conv 3 k1; maxpool k2 s4; flatten", "conv 3 k1; maxpool k3 s1 p1; flatten",
        "conv 3 k1; avgpool k2; flatten", "conv 3 k1; avgpool k3 s2 p1; flatten",
        "conv 3 k1; avgpool k3 s2 p1 exclude; flatten",
        "conv 18 k1; avgpool k2x3 s1x2 ceil; flatten",
        "conv 3 k1; avgpool k2 s3 ceil exclude; flatten", "conv 10 k1; avgpool k7x9; flatten",
        "maxpool k2; conv 4 k3 p1; flatten", "avgpool k2; conv 4 k3 p1; flatten",
        "conv 3 k3; relu; flatten", "conv 3 k3; leaky 0.2; flatten", "relu; conv 3 k3; flatten",
        "conv 3 k3; relu; maxpool k2; flatten", "conv 3 k3; maxpool k2; relu; flatten",
        "conv 3 k3; leaky; maxpool k2; flatten", "conv 3 k3; maxpool k2; leaky; flatten",
        "conv 4 k3; relu; avgpool k2; flatten", "conv 4 k3; avgpool k2; leaky; flatten",
        "conv 4 k3 p1; relu; maxpool k3 s2 p1; conv 5 k3 p1; relu; maxpool k2; flatten; dense 10",
        ("conv 16 k3 p1; relu; maxpool k2; conv 18 k3 p1; relu; maxpool k2; flatten; dense 12; "
         "relu; dense 10"),
        ("conv 4 k3 p1; relu; maxpool k2 ceil; conv 6 k3 s2 p1; leaky; avgpool k2 s1; flatten; "
         "dense 9; relu; dense 10")
    };
    /* small images, whose frames share memory with little else */
    static const char *const tiny[] = {
        "conv 8 k1; conv 4 k3 p1; flatten; dense 2",
        "conv 4 k3 p1; conv 4 k3 p1; flatten; dense 3",
        "conv 2 k3 p1; relu; maxpool k2; conv 3 k3 p1; relu; flatten; dense 5; relu; dense 2",
        "conv 8 k2 p1; leaky; conv 4 k3 s3 p3 d1x3; flatten; dense 25; relu; dense 12",
        "conv 4 k1; conv 7 k2x4 p1; conv 5 k3 p2 s2; flatten; dense 16; relu; dense 11"
    };
    static const int batches[] = { 1, 2, 7, 16, 33 };
    size_t k, b;
    for (k = 0; k < sizeof tiny / sizeof *tiny; k++)
        for (b = 0; b < sizeof batches / sizeof *batches; b++) {
            one_network(batches[b], 1, 2, 2, tiny[k], (uint32_t)(700 + k + b), 0, NULL);
            one_network(batches[b], 2, 3, 4, tiny[k], (uint32_t)(800 + k + b), 0, NULL);
        }
    for (k = 0; k < sizeof nets / sizeof *nets; k++)
        for (b = 0; b < sizeof batches / sizeof *batches; b++)
            one_network(batches[b], b % 2 ? 50 : 23, 1, 1, nets[k], (uint32_t)(k + b), 0, NULL);
    for (k = 0; k < sizeof images / sizeof *images; k++)
        for (b = 0; b < 3; b++)
            one_network(batches[b], 3, 7, 9, images[k], (uint32_t)(k + b), 0, NULL);
}

static void losses(void)
{
    static const double smoothing[] = { 0, 0.1, 0.5, 1 };
    uint32_t stream = 300;
    int classes, s, weighted, n;
    char text[40];
    for (classes = 2; classes <= 10; classes += classes == 3 ? 7 : 1)
    for (s = 0; s < 4; s++)
    for (weighted = 0; weighted < 2; weighted++)
    for (n = 1; n <= 25; n += 8) {
        snprintf(text, sizeof text, "dense %d", classes);
        one_network(n, 13, 1, 1, text, stream++, smoothing[s], weighted ? some_weights : NULL);
    }
    for (classes = 15; classes <= 100; classes += 17) {    /* more classes than lanes */
        snprintf(text, sizeof text, "dense %d", classes);
        one_network(5, 13, 1, 1, text, stream++, 0.1, NULL);
    }
    {   /* hopelessly wrong and perfectly right, without overflow */
        text_net r;
        tnn_net *net;
        float x[2] = { 1, 1 };
        int i;
        text_init(&r, 2, 1, 1, 1, "dense 4", 0);
        for (i = 0; i < 4; i++) r.w[0][i] = i == 2 ? 300 : -300, r.b[0][i] = 0;
        r.labels[0] = 2, r.labels[1] = 1;
        r.x[0] = r.x[1] = 1;
        CHECK_NEAR("a loss of 300", text_step(&r), 300, 1e-12);
        net = build_like(&r, 2, NULL);
        compare_step(&r, net, x, 1e-6);
        tnn_free(net);
        fresh();
    }
}

/* 3x3 windows on whole panels of channels go Winograd's way: alone, with bias, activations and
   pooling, in one block of tiles and in several, down to the smallest image; those that just fail
   to (odd sizes, another pooling) beside them. */
static void networks_tiled(void)
{
    static const struct { int n, c, h, w; const char *text; } nets[] = {
        {3, 16,  8,  8, "conv 16 k3 p1; flatten; dense 10"},
        {2, 16,  8, 10, "conv 32 k3 p1 nobias; relu; flatten; dense 4"},
        {2, 32, 10,  8, "conv 16 k3 p1; leaky 0.2; flatten; dense 4"},
        {3,  2,  8, 12, "conv 16 k1; conv 32 k3 p1; relu; maxpool k2; flatten; dense 6; relu; "
                        "dense 3"},
        {2,  1, 12,  8, "conv 16 k3 p1; conv 16 k3 p1; leaky; maxpool k2; flatten; dense 5"},
        {2,  3,  8,  8, "conv 16 k1; conv 48 k3 p1; maxpool k2; flatten; dense 5"},
        {2,  3,  8,  8, "conv 16 k1; conv 16 k3 p1; relu; maxpool k3 s2 p1; flatten; dense 5"},
        {2,  3,  8,  8, "conv 16 k1; conv 16 k3 p1; relu; avgpool k2; flatten; dense 5"},
        {2,  1,  4, 70, "conv 16 k1; conv 16 k3 p1; relu; maxpool k2; flatten; dense 5"},
        {2,  1, 34,  8, "conv 16 k1; conv 32 k3 p1; relu; conv 16 k3 p1; flatten; dense 2"},
        {2,  1,  9,  8, "conv 16 k1; conv 16 k3 p1; maxpool k2; flatten; dense 5"},
        {17, 1,  8,  8, "conv 16 k1; conv 16 k3 p1; relu; maxpool k2; flatten; dense 5"}
    };
    size_t k;
    for (k = 0; k < sizeof nets / sizeof *nets; k++)
        one_network(nets[k].n, nets[k].c, nets[k].h, nets[k].w, nets[k].text, (uint32_t)k, 0, NULL);
}

/* Layers drawn one by one while they fit, then flatten and dense. */
static void networks_random(void)
{
    uint32_t state = 2024;
    int done;
    for (done = 0; done < 300; done++) {
        int n = test_pick(&state, 1, 6), c = test_pick(&state, 1, 5);
        int h = test_pick(&state, 4, 14), w = test_pick(&state, 4, 14);
        int layers = test_pick(&state, 1, 6), i, channels = c, units;
        char text[400] = "", longer[480], one[80];
        const size_t before = used;
        text_net r;
        for (i = 0; i < layers; i++) {
            int kind = test_pick(&state, 0, 9), at;
            tnn_window k;
            draw_window(&state, &k, kind == 6 || kind == 7 ? TNN_MAXPOOL2D
                                      : kind == 8 ? TNN_AVGPOOL2D : 0);
            k.kernel_h = either(k.kernel_h, k.kernel, 1);
            k.kernel_w = either(k.kernel_w, k.kernel, 1);
            snprintf(one, sizeof one, " k%dx%d s%dx%d p%dx%d d%dx%d%s%s", k.kernel_h, k.kernel_w,
                     either(k.stride_h, k.stride, 1), either(k.stride_w, k.stride, 1),
                     either(k.pad_h, k.pad, 0), either(k.pad_w, k.pad, 0),
                     either(k.dilation_h, 1, 1), either(k.dilation_w, 1, 1),
                     k.ceil ? " ceil" : "", k.exclude_pad ? " exclude" : "");
            if (kind <= 3) {
                int groups = channels > 1 && test_pick(&state, 0, 2) == 0 ? channels : 1;
                int filters = groups * test_pick(&state, 1, groups > 1 ? 2 : 9);
                snprintf(longer, sizeof longer, "%sconv %d%s g%d%s; ", text, filters, one, groups,
                         filters % 4 ? "" : " nobias");
            } else {
                snprintf(longer, sizeof longer, "%s%s%s; ", text,
                         kind == 4 ? "relu" : kind == 5 ? "leaky 0.25" : kind == 8 ? "avgpool"
                         : kind == 9 ? "relu" : "maxpool", kind == 4 || kind == 5 || kind == 9 ? ""
                         : one);
            }
            if (strlen(longer) > 300 || !text_init(&r, n, c, h, w, longer, 0)) continue;
            for (at = 0; at < r.layers; at++)
                if (r.layer[at].type == TNN_MAXPOOL2D
                    && !sees_image(&r.layer[at], r.shape[at], r.shape[at + 1])) break;
            used = before;
            if (at < r.layers || r.classes > 3000) continue;
            channels = r.shape[r.layers].c;
            snprintf(text, sizeof text, "%s", longer);
        }
        units = test_pick(&state, 1, 40);
        snprintf(longer, sizeof longer, "%sflatten; dense %d; relu; dense %d", text, units,
                 test_pick(&state, 2, 12));
        one_network(n, c, h, w, longer, (uint32_t)(7 * done), done % 2 ? 0 : 0.1,
                    done % 3 ? NULL : some_weights);
    }
}

/* Batches of every size in one network, forward alone between them, backward twice: nothing may be
   left over from the batch before. */
static void batches(void)
{
    static const char *const text = "conv 5 k3 p1; relu; maxpool k2; conv 6 k3; leaky; flatten; "
                                    "dense 11; relu; dense 10";
    static const int sizes[] = { 9, 1, 4, 9, 2, 8, 3 };
    text_net r;
    tnn_net *net = NULL;
    size_t k, i, sample = 2 * 8 * 9;
    for (k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        float *x = test_values(9 * sample, (uint32_t)k);
        text_init(&r, sizes[k], 2, 8, 9, text, 40);
        for (i = 0; i < (size_t)sizes[k] * sample; i++) r.x[i] = x[i];
        text_step(&r);
        if (!net) net = build_like(&r, 9, NULL);
        compare_step(&r, net, x, 3e-6);
        CHECK(tnn_forward(net, x, sizes[k], TNN_EVAL) == TNN_OK, "%s", tnn_error());
        CHECK_CLOSE("output in eval mode", tnn_output(net), text_output(&r), sizes[k] * 10, 3e-6);
        compare_step(&r, net, x, 3e-6);
        fresh();
    }
    tnn_free(net);
}

/* Parameters: names, shapes, set and get; the flat vectors hold them. */
static void parameters(void)
{
    static const struct { const char *name; int ndim, dims[4]; } want[] = {
        { "0.weight", 4, { 6, 3, 3, 2 } }, { "0.bias", 1, { 6, 0, 0, 0 } },
        { "2.weight", 4, { 9, 2, 1, 1 } }, { "4.weight", 2, { 7, 180, 0, 0 } },
        { "4.bias", 1, { 7, 0, 0, 0 } }
    };
    text_net r;
    tnn_net *net;
    long long total = 0;
    double sum = 0, flat_sum = 0;
    size_t count = 0, j;
    float *flat;
    int i, d;
    text_init(&r, 2, 3, 6, 6, "conv 6 k3x2; relu; conv 9 k1 g3 nobias; flatten; dense 7", 3);
    net = build_like(&r, 2, NULL);
    CHECK(tnn_param_count(net) == 5, "%d parameters", tnn_param_count(net));
    for (i = 0; i < 5; i++) {
        tnn_param p = tnn_param_info(net, i);
        int n = 1;
        for (d = 0; d < want[i].ndim; d++) n *= want[i].dims[d];
        CHECK(p.name && !strcmp(p.name, want[i].name), "%s is %s", want[i].name,
              p.name ? p.name : "none");
        CHECK(p.ndim == want[i].ndim && p.count == n, "%s: %d dimensions, %d elements",
              want[i].name, p.ndim, p.count);
        for (d = 0; d < want[i].ndim; d++)
            CHECK(p.dims[d] == want[i].dims[d], "%s: dimension %d is %d", p.name, d, p.dims[d]);
        total += n;
    }
    CHECK(tnn_param_total(net) == total, "%ld floats", (long)tnn_param_total(net));
    compare_params(&r, net, 0, 0);
    for (i = 0; i < r.layers; i++) {
        for (d = 0; d < r.weights[i]; d++) sum += r.w[i][d];
        for (d = 0; d < r.biases[i]; d++) sum += r.b[i][d];
    }
    flat = tnn_flat(net, 0, &count);
    for (j = 0; flat && j < count; j++) flat_sum += flat[j];
    CHECK_NEAR("sum of the flat vector", flat_sum, sum, 1e-9);
    tnn_free(net);
    fresh();
}

/* ==== DROPOUT ================================================================================= */

static tnn_net *dropout_net(float p, int n, int features, uint64_t seed)
{
    tnn_net *net = tnn_create(.input = { features }, .batch = n, .seed = seed);
    tnn_add(net, TNN_DROPOUT, .p = p);
    return net;
}

/* Counts, scale, independence of samples and steps, and the identity in eval mode. */
static void dropout_statistics(void)
{
    static const float ps[] = { 0, 0.05f, 0.1f, 0.5f, 0.9f };
    enum { N = 61, F = 1023 };
    float *x = test_floats(N * F), *was = test_floats(N * F);
    size_t k, i;
    for (i = 0; i < N * F; i++) x[i] = 1;
    for (k = 0; k < sizeof ps / sizeof *ps; k++) {
        double p = ps[k] > 0 ? (double)ps[k] : 0.5, sigma = sqrt(p * (1 - p) / (N * F));
        float scale = 1.0f / (1.0f - (float)p);
        tnn_net *net = dropout_net(ps[k], N, F, 3);
        const float *y;
        int step, other = 0;
        for (step = 0; step < 3; step++) {
            size_t dropped = 0, same = 0, neighbours = 0;
            CHECK(tnn_forward(net, x, N, TNN_TRAIN) == TNN_OK, "%s", tnn_error());
            y = tnn_output(net);
            if (!y) { test_fail(__LINE__, "no output: %s", tnn_error()); break; }
            for (i = 0; i < N * F; i++) {
                if (y[i] != 0 && y[i] != scale) other++;
                dropped += y[i] == 0;
                if (i >= F) neighbours += y[i] == 0 && y[i - F] == 0;
                if (step) same += y[i] == 0 && was[i] == 0;
            }
            CHECK(!other, "p %g: kept ones are not %.9g", p, (double)scale);
            CHECK(fabs((double)dropped / (N * F) - p) < 4 * sigma, "p %g: dropped %.4f", p,
                  (double)dropped / (N * F));
            sigma = sqrt(p * p * (1 - p * p) / ((N - 1) * F));
            CHECK(fabs((double)neighbours / ((N - 1) * F) - p * p) < 5 * sigma,
                  "p %g: samples are dropped alike: %.4f", p, (double)neighbours / ((N - 1) * F));
            if (step)
                CHECK(fabs((double)same / (N * F) - p * p) < 5 * sigma,
                      "p %g: steps are dropped alike: %.4f", p, (double)same / (N * F));
            sigma = sqrt(p * (1 - p) / (N * F));
            memcpy(was, y, N * F * sizeof *y);
            CHECK_REPEATS("dropped", y, N * F);
        }
        CHECK(tnn_forward(net, x, N, TNN_EVAL) == TNN_OK, "%s", tnn_error());
        if (tnn_output(net)) CHECK_SAME("eval mode", tnn_output(net), x, N * F * sizeof *x);
        tnn_free(net);
    }
    {   /* the same seed drops the same, another one another; p = 0 (said so) and 1 */
        tnn_net *a = dropout_net(0.5f, N, F, 8), *b = dropout_net(0.5f, N, F, 8);
        tnn_net *c = dropout_net(0.5f, N, F, 9), *none = dropout_net(TNN_ZERO, N, F, 8);
        tnn_forward(a, x, N, TNN_TRAIN);
        tnn_forward(b, x, N, TNN_TRAIN);
        tnn_forward(c, x, N, TNN_TRAIN);
        tnn_forward(none, x, N, TNN_TRAIN);
        CHECK(!tnn_failed(), "%s", tnn_error());
        if (!tnn_failed()) {
            CHECK_SAME("the same seed", tnn_output(a), tnn_output(b), N * F * sizeof *x);
            CHECK(memcmp(tnn_output(a), tnn_output(c), N * F * sizeof *x), "two seeds alike");
            CHECK_SAME("p = 0", tnn_output(none), x, N * F * sizeof *x);
        }
        tnn_free(a), tnn_free(b), tnn_free(c), tnn_free(none);
    }
    fresh();
}

/* ==== EVERYTHING TOGETHER ===================================================================== */

/* Which elements of the input h (n, features) of the last dense layer were dropped shows only in
   its weights' gradient, dw[c,j] = sum_n dz[n,c] h[n,j] keep[n,j]: of the 2^n ways to drop column
   j, the one that fits is taken. dz comes from the library's own output. The reference has been run
   without dropping anything; `kept` is filled in. */
static void find_dropped(text_net *r, tnn_net *net, int last, double scale, float *kept)
{
    const int n = r->shape->n, classes = r->classes, features = r->shape[last].c;
    float *dw = test_floats((size_t)(classes * features));
    double *h = doubles(n * features), *dz;
    tensor y = r->shape[r->layers];
    const size_t before = used;
    char name[32];
    int i, c, j, way;
    memcpy(h, seen_at(r->shape[last].at, n * features, 0), (size_t)(n * features) * sizeof *h);
    snprintf(name, sizeof name, "%d.weight", last);
    CHECK(tnn_get_grad(net, name, dw, classes * features) == TNN_OK, "%s", tnn_error());
    forget();
    y.at = numbers_of(tnn_output(net), n * classes);
    text_loss(r, y);
    backwards(r->loss);
    dz = seen_at(y.at, n * classes, 1);
    for (j = 0; j < features; j++) {
        double best = 1e300;
        int best_way = 0;
        for (way = 0; way < 1 << n; way++) {
            double error = 0;
            for (c = 0; c < classes; c++) {
                double d = dw[c * features + j];
                for (i = 0; i < n; i++)
                    if (way >> i & 1) d -= dz[i * classes + c] * h[i * features + j] * scale;
                error += d * d;
            }
            if (error < best) best = error, best_way = way;
        }
        for (i = 0; i < n; i++) kept[i * features + j] = (float)(best_way >> i & 1);
    }
    test_release(dw);
    used = before;
}

static const char *const combined_text =
    "conv 6 k3 p1; relu; maxpool k2; conv 8 k3 s2 p1; leaky 0.1; avgpool k2 s1; flatten; dense 20; "
    "relu; dropout 0.25; dense 10";

static void combined(void)
{
    enum { N = 4, SAMPLE = 2 * 11 * 13 };
    text_net r;
    tnn_net *net;
    float *x = test_values(N * SAMPLE, 77);
    double error, largest = 0;
    int dropped = 0, units = 0, step, i;
    text_init(&r, N, 2, 11, 13, combined_text, 60);
    r.smoothing = 0.125;
    r.class_weights = some_weights;
    for (i = 0; i < N * SAMPLE; i++) r.x[i] = x[i];
    net = build_like(&r, N, NULL);
    for (step = 0; step < 5; step++) {
        float kept[N * 20];
        r.kept = NULL;
        text_forward(&r);
        CHECK(tnn_forward(net, x, N, TNN_EVAL) == TNN_OK, "%s", tnn_error());
        CHECK_CLOSE("output in eval mode", tnn_output(net), text_output(&r), N * 10, 3e-6);
        CHECK(tnn_forward(net, x, N, TNN_TRAIN) == TNN_OK, "%s", tnn_error());
        tnn_loss(net, r.labels);
        CHECK(tnn_backward(net) == TNN_OK, "%s", tnn_error());
        if (!tnn_output(net)) break;
        find_dropped(&r, net, 10, 1 / 0.75, kept);
        r.kept = kept;
        text_step(&r);
        for (i = 0; i < N * 20; i++) {
            if (nodes[r.shape[9].at + i].v <= 0) continue;
            dropped += kept[i] == 0;
            units++;
        }
        CHECK_CLOSE("output", tnn_output(net), text_output(&r), N * 10, 3e-6);
        CHECK_NEAR("loss", tnn_loss(net, r.labels), nodes[r.loss].v, 3e-6);
        compare_params(&r, net, 1, 6e-6);
    }
    CHECK(4 * dropped > units / 2 && 4 * dropped < 2 * units, "%d of %d dropped", dropped, units);
    largest = tnn_gradient_check(net, x, r.labels, N, 400);
    CHECK(largest < 1e-3, "tnn_gradient_check: %g", largest);
    tnn_free(net);
    text_init(&r, N, 2, 11, 13, "conv 6 k3 p1 s2; avgpool k2; flatten; dense 20; dense 10", 60);
    net = build_like(&r, N, NULL);
    error = tnn_gradient_check(net, x, r.labels, N, 200);
    CHECK(error < 1e-3, "tnn_gradient_check without corners: %g", error);
    test_note("tnn_gradient_check %.1e, without corners %.1e", largest, error);
    tnn_free(net);
    fresh();
}

/* ==== OPTIMIZERS ============================================================================== */

/* Step t = 1, 2 ... of n parameters p with gradients g and moments m, v: torch.optim's rules. */
static void naive_update(const tnn_optimizer *o, int t, double *p, const double *g, double *m,
                         double *v, int n)
{
#define VALUE(member, otherwise) (o->member != 0 ? (double)o->member \
                                  : signbit(o->member) ? 0.0 : otherwise)
    double lr = VALUE(lr, 1e-3), mu = o->momentum, b1 = VALUE(beta1, 0.9);
    double b2 = VALUE(beta2, 0.999), eps = VALUE(eps, 1e-8);
    double decay = VALUE(weight_decay, o->type == TNN_ADAMW ? 0.01 : 0.0);
#undef VALUE
    int i;
    for (i = 0; i < n; i++) {
        double d = g[i];
        if (o->type == TNN_ADAMW) p[i] -= lr * decay * p[i];
        else d += decay * p[i];
        if (o->type == TNN_SGD) {
            if (mu != 0) {
                m[i] = t == 1 ? d : mu * m[i] + (1 - (double)o->dampening) * d;
                d = o->nesterov ? d + mu * m[i] : m[i];
            }
            p[i] -= lr * d;
        } else {
            m[i] = b1 * m[i] + (1 - b1) * d;
            v[i] = b2 * v[i] + (1 - b2) * d * d;
            p[i] -= lr * (m[i] / (1 - pow(b1, t))) / (sqrt(v[i] / (1 - pow(b2, t))) + eps);
        }
    }
}

static const tnn_optimizer optimizers[] = {
    { .type = TNN_SGD },
    { .type = TNN_SGD, .lr = 0.1f },
    { .type = TNN_SGD, .lr = 0.1f, .weight_decay = 0.05f },
    { .type = TNN_SGD, .lr = 0.1f, .momentum = 0.9f },
    { .type = TNN_SGD, .lr = 0.1f, .momentum = 0.9f, .nesterov = 1 },
    { .type = TNN_SGD, .lr = 0.1f, .momentum = 0.5f, .dampening = 0.25f },
    { .type = TNN_SGD, .lr = 0.05f, .momentum = 0.9f, .dampening = 0.1f, .weight_decay = 0.1f },
    { .type = TNN_SGD, .lr = 0.05f, .momentum = 0.8f, .nesterov = 1, .weight_decay = 0.1f },
    { .type = TNN_ADAM },
    { .type = TNN_ADAM, .lr = 0.01f },
    { .type = TNN_ADAM, .lr = 0.01f, .beta1 = 0.5f, .beta2 = 0.9f, .eps = 1e-3f },
    { .type = TNN_ADAM, .lr = 0.01f, .beta1 = TNN_ZERO },
    { .type = TNN_ADAM, .lr = 0.01f, .weight_decay = 0.1f },
    { .type = TNN_ADAMW },
    { .type = TNN_ADAMW, .lr = 0.01f, .weight_decay = 0.3f },
    { .type = TNN_ADAMW, .lr = 0.01f, .weight_decay = TNN_ZERO, .beta2 = 0.99f },
    { .type = TNN_SGD, .lr = TNN_ZERO, .momentum = 0.9f }
};

static void describe_optimizer(char *text, size_t size, const tnn_optimizer *o)
{
    snprintf(text, size, "%s lr %g momentum %g%s dampening %g decay %g betas %g %g eps %g",
             o->type == TNN_SGD ? "SGD" : o->type == TNN_ADAM ? "Adam" : "AdamW", (double)o->lr,
             (double)o->momentum, o->nesterov ? " nesterov" : "", (double)o->dampening,
             (double)o->weight_decay, (double)o->beta1, (double)o->beta2, (double)o->eps);
}

/* The update alone, on gradients put into the flat vector: of sizes from 1e-6 to 1e3, and 0. */
static void update_rules(void)
{
    enum { FEATURES = 47, UNITS = 3 };
    size_t k, i, count, gradients;
    char what[160];
    for (k = 0; k < sizeof optimizers / sizeof *optimizers; k++) {
        float *x = test_values(FEATURES, 1), *p, *g;
        double *pd, *gd, *m, *v;
        tnn_optimizer o = optimizers[k];
        tnn_net *net = tnn_create(.input = { FEATURES }, .batch = 1, .seed = 4);
        int label = 1, t, n;
        describe_optimizer(what, sizeof what, &o);
        tnn_add(net, TNN_DENSE, .units = UNITS);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        CHECK(tnn_set_optimizer_with(net, &o) == TNN_OK, "%s: %s", what, tnn_error());
        tnn_build(net);
        p = tnn_flat(net, 0, &count), g = tnn_flat(net, 1, &gradients);
        CHECK(p && g && count == gradients && count >= FEATURES * UNITS + UNITS,
              "%lu parameters, %lu gradients", (unsigned long)count, (unsigned long)gradients);
        if (!p || !g || count != gradients) { tnn_free(net); fresh(); return; }
        test_fill(p, count, 9);
        n = (int)count;
        pd = doubles(n), gd = doubles(n), m = doubles(n), v = doubles(n);
        for (i = 0; i < count; i++) pd[i] = p[i];
        for (t = 1; t <= 12; t++) {
            tnn_forward(net, x, 1, TNN_TRAIN);
            tnn_loss(net, &label);
            tnn_backward(net);
            for (i = 0; i < count; i++) {
                static const float scales[] = { 1, 1e-6f, 1e3f, 0, 1e-3f, 0.1f, 10 };
                g[i] = test_value((uint32_t)(100 + t), (uint32_t)i) * scales[i % 7];
                gd[i] = g[i];
            }
            if (t == 7) o.lr = 0.03f, tnn_set_lr(net, o.lr);
            naive_update(&o, t, pd, gd, m, v, n);
            CHECK(tnn_step(net) == TNN_OK, "%s: %s", what, tnn_error());
            CHECK_CLOSE(what, p, pd, count, 5e-6);
            CHECK_REPEATS(what, p, count);
        }
        tnn_free(net);
        fresh();
    }
}

/* Some whole steps of training, by tnn_train_batch, against the reference with the same rule. */
static void training(void)
{
    static const char *const nets[] = {
        "conv 4 k3 p1; relu; maxpool k2; flatten; dense 12; relu; dense 10",
        "flatten; dense 21; leaky; dense 10"
    };
    enum { N = 5, SAMPLE = 1 * 6 * 7 };
    size_t net_at, k, i;
    int t, at;
    char what[160];
    for (net_at = 0; net_at < 2; net_at++)
    for (k = 0; k < sizeof optimizers / sizeof *optimizers; k++) {
        text_net r;
        double *m, *v, *first_m, *first_v;
        tnn_net *net;
        describe_optimizer(what, sizeof what, &optimizers[k]);
        text_init(&r, N, 1, 6, 7, nets[net_at], 500);
        net = build_like(&r, N, &optimizers[k]);
        first_m = doubles(3000), first_v = doubles(3000);
        for (t = 1; t <= 6; t++) {
            float *x = test_values(N * SAMPLE, (uint32_t)t);
            double loss;
            for (i = 0; i < N * SAMPLE; i++) r.x[i] = x[i];
            text_step(&r);
            loss = tnn_train_batch(net, x, r.labels, N);
            CHECK_NEAR(what, loss, nodes[r.loss].v, 1e-5);
            for (at = 0, m = first_m, v = first_v; at < r.layers; at++) {
                const int weights = r.weights[at], biases = r.biases[at];
                if (!weights) continue;
                naive_update(&optimizers[k], t, r.w[at], seen_at(r.w_at[at], weights, 1), m, v,
                             weights);
                m += weights, v += weights;
                naive_update(&optimizers[k], t, r.b[at], seen_at(r.b_at[at], biases, 1), m, v,
                             biases);
                m += biases, v += biases;
            }
            test_release(x);
        }
        compare_params(&r, net, 0, 1e-4);
        tnn_free(net);
        fresh();
    }
}

/* ==== SIZES WORTH THREADS ===================================================================== */

/* Some steps of a convolutional network and of a multi-layer perceptron of useful sizes. */
static void large_training(void)
{
    static const char *const nets[] = {
        ("conv 16 k3 p1; relu; maxpool k2; conv 32 k3 p1; relu; maxpool k2; flatten; dropout 0.3; "
         "dense 100; relu; dense 10"),
        "flatten; dense 128; relu; dropout 0.05; dense 64; relu; dense 10"
    };
    enum { N = 30 };
    int k, t, i, labels[N], at;
    for (k = 0; k < 2; k++) {
        float *x = test_values(N * 784, 1);
        tnn_net *net = tnn_create(.input = { 1, 28, 28 }, .batch = N, .seed = 6);
        add_layers(net, nets[k]);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net, TNN_ADAM, .lr = 1e-2f);
        for (i = 0; i < N; i++) labels[i] = i % 10;
        for (t = 0; t < 3; t++) {
            float loss = (float)tnn_train_batch(net, x, labels, t == 2 ? 13 : N);
            CHECK(loss == loss, "no loss: %s", tnn_error());
            CHECK_REPEATS("loss", &loss, 1);
        }
        for (at = 0; at < tnn_param_count(net); at++) {
            tnn_param p = tnn_param_info(net, at);
            float *got = test_floats((size_t)p.count);
            tnn_get_param(net, p.name, got, p.count);
            /* without fused multiply-add, updates of Adam for gradients near 0 may be anything */
            if (test.recording || (test_fma() && !test.loose))
                CHECK_REPEATS(p.name, got, p.count);
            else test.tape_at += (size_t)p.count;
            test_release(got);
        }
        tnn_free(net);
        fresh();
    }
}

/* A dense layer chooses how to compute dW at each step: by its samples and the instruction set,
   either of which may be another than when the network was built. The weights after a step are
   those of a network built for these samples on this instruction set. */
static uint64_t stepped(int inputs, int units, int batch, int samples, const float *x,
                        const int *labels, const char *built, const char *used)
{
    tnn_net *net = tnn_create(.input = { inputs, 1, 1 }, .batch = batch, .seed = 6, .threads = 1);
    uint64_t hash;
    tnn_add(net, TNN_DENSE, .units = units);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.1f);
    tnn_set_isa(built);
    CHECK(tnn_build(net) == TNN_OK, "%s", tnn_error());
    tnn_set_isa(used);
    CHECK(tnn_train_batch(net, x, labels, samples) > 0, "%s", tnn_error());
    hash = tnn_hash(net);
    tnn_free(net);
    return hash;
}
static void fewer_samples(void)
{
    static const struct { int inputs, units, batch, samples; } cases[] = {
        { 272, 127, 2000, 1016 }, { 64, 10, 4096, 20 }, { 784, 9, 400, 30 },
        { 320, 49, 1000, 500 }, { 1008, 100, 261, 20 } };
    const char *isa = tnn_isa();
    int k, i, labels[2000];
    for (k = 0; k < (int)(sizeof cases / sizeof *cases); k++) {
        const int inputs = cases[k].inputs, units = cases[k].units, n = cases[k].samples;
        float *x = test_values((size_t)n * (size_t)inputs, 1);
        uint64_t want;
        for (i = 0; i < n; i++) labels[i] = i % units;
        want = stepped(inputs, units, n, n, x, labels, isa, isa);
        for (i = 0; tnn_isa_name(i); i++)
            CHECK(stepped(inputs, units, cases[k].batch, n, x, labels, tnn_isa_name(i), isa)
                  == want,
                  "%d inputs, %d units, %d of %d samples, built for %s: other weights", inputs,
                  units, n, cases[k].batch, tnn_isa_name(i));
        fresh();
    }
}

/* The option of a network, rather than the default of all. */
static void threads_option(void)
{
    enum { N = 20 };
    float first[2000];
    int labels[N], threads, i;
    for (i = 0; i < N; i++) labels[i] = i % 10;
    for (threads = 1; threads <= 5; threads++) {
        float *x = test_values(N * 784, 1), got[2000];
        tnn_net *net = tnn_create(.input = { 1, 28, 28 }, .batch = N, .seed = 6,
                                  .threads = threads);
        add_layers(net, "conv 8 k3 p1; relu; maxpool k2; flatten; dense 200; relu; dense 10");
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net, TNN_SGD, .lr = 0.1f, .momentum = 0.9f);
        for (i = 0; i < 3; i++) tnn_train_batch(net, x, labels, N);
        CHECK(tnn_get_param(net, "6.weight", got, 2000) == TNN_OK, "%s", tnn_error());
        if (threads == 1) memcpy(first, got, sizeof got);
        else CHECK_SAME("6.weight", got, first, sizeof got);
        tnn_free(net);
        fresh();
    }
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    RUN("references against differences", check_references);
    EACH_SETTING("networks, chosen", networks_chosen);
    EACH_SETTING("networks, tiled", networks_tiled);
    EACH_SETTING("networks, random", networks_random);
    EACH_SETTING("losses", losses);
    EACH_ISA("batches of changing size", batches);
    EACH_ISA("parameters", parameters);
    EACH_SETTING("dropout", dropout_statistics);
    EACH_SETTING("every layer together", combined);
    EACH_ISA("update rules", update_rules);
    EACH_ISA("training steps", training);
    EACH_SETTING("large training", large_training);
    EACH_ISA("fewer samples than the batch", fewer_samples);
    RUN("threads of one network", threads_option);
    return test_finish();
}
