/* test_losses.c - every loss: value and gradient

   Against PyTorch 1.13 and published formulas (loss_vectors.py, which says where the vectors come
   from), against differences of formulas written anew here in double precision, and against what
   the header says of labels, pixels, bad data and bad options. */
#define TINYNN_IMPLEMENTATION
#include "tinynn.h"
#include "test.h"
#include "vectors.h"

/* ---- a network whose output is what is wanted ---------------------------------------------------
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
    tnn_net_loss(o.net, loss);
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

/* ---- vectors ------------------------------------------------------------------------------------*/

static float option(vectors *c, const char *name)
{
    return find(c, name) ? number(c, name, 0) : 0;
}

static void compare(vectors *c)
{
    tnn_loss_options o = of_type((tnn_loss_type)integer(c, "type", 0));
    int shape[4], i, n = get(c, "x")->n, *labels = NULL;
    float *dx = test_floats((size_t)n), value;
    /* q^gamma = exp(gamma log q): with a small q, gamma log q has few digits after the point */
    double loss, limit = option(c, "gamma") > 0 ? 4e-6 : 1e-6;
    for (i = 0; i < 4; i++) shape[i] = integer(c, "shape", i);
    o.label_smoothing = option(c, "label_smoothing");
    o.ignore_index = option(c, "ignore_index");
    o.reduction = (tnn_reduction)(int)option(c, "reduction");
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

int main(int argc, char **argv)
{
    vectors_from(argc, argv);
    test_start(argc, argv);
    EACH_ISA("labels against PyTorch", on_labels);
    EACH_ISA("targets against PyTorch", on_targets);
    EACH_ISA("hinges, densities against PyTorch", on_more_targets);
    return test_finish();
}
