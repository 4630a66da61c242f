/* test_training.c - what training makes of a bad batch, label, shape or step: it says so, and what
   the manual promises to keep is kept, to the bit. */
#ifndef TINYNN_ELSEWHERE
#define TINYNN_IMPLEMENTATION
#endif
#include "tinynn.h"
#include "test.h"

#define SAYS(text) do { \
    CHECK(!strcmp(tnn_error(), text), "it says \"%s\",\n          not \"%s\"", tnn_error(), text); \
    tnn_clear_error(); } while (0)
#define HAS(text) do { \
    CHECK(strstr(tnn_error(), text), "\"%s\" has no \"%s\"", tnn_error(), text); \
    tnn_clear_error(); } while (0)
#define DO(call) CHECK((call) == TNN_OK, "%s", tnn_error())

static const float infinity = (float)HUGE_VAL;

/* ==== RUNNING STATISTICS ====================================================================== */

enum { BATCH = 6, PIXELS = 3 * 4 * 4, GOOD = 7 };

/* Batch norm of the input, and one behind a convolution; 3 classes. */
static tnn_net *normed(int accumulate)
{
    tnn_net *net = tnn_create(.input = { 3, 4, 4 }, .batch = BATCH, .seed = 2);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_CONV2D, .filters = 5, .kernel = 3);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01, .accumulate = accumulate);
    return net;
}
static void batch_of(float *x, int *labels, int k)
{
    int i;
    test_fill(x, BATCH * PIXELS, 10 + (uint32_t)k);
    for (i = 0; i < BATCH; i++) labels[i] = (i + k) % 3;
}

/* Bad batches of every kind between good ones: the run is bit for bit that of the good ones, also
   where gradients are accumulated and a bad one comes in between. */
static void refused_batches(void)
{
    static const struct { const char *says; float a, b; int label; } bad[] = {
        { "is nan; the data must be finite", (float)(HUGE_VAL - HUGE_VAL), 0, 0 },
        { "is inf; the data must be finite", (float)HUGE_VAL, 0, 0 },
        { "0.running_var would not be finite", 1e20f, -1e20f, 0 },
        { "0.running_", 3e38f, -3e38f, 0 },
        { "label 3 of sample 0 is out of range", 0, 0, 3 },
        { "label -1 of sample 0 is out of range", 0, 0, -1 }
    };
    int accumulate, with, i;
    size_t k;
    for (accumulate = 1; accumulate <= 3; accumulate += 2) {
        uint64_t hash[2] = { 0, 0 };
        float y[2][BATCH * 3];
        memset(y, 0, sizeof y);
        for (with = 0; with < 2; with++) {
            tnn_net *net = normed(accumulate);
            float x[BATCH * PIXELS];
            int labels[BATCH];
            for (i = 0; i < GOOD; i++) {
                for (k = 0; with && k < sizeof bad / sizeof *bad; k++) {
                    const uint64_t before = tnn_hash(net);
                    batch_of(x, labels, 100 + i);
                    if (bad[k].a > 0 || bad[k].a < 0 || bad[k].a - bad[k].a != 0) {
                        x[1] = bad[k].a;
                        x[PIXELS + 2] = bad[k].b;
                    }
                    labels[0] = bad[k].label;
                    tnn_train_batch(net, x, labels, BATCH);
                    HAS(bad[k].says);
                    CHECK(tnn_hash(net) == before, "a batch refused for \"%s\" changed something",
                          bad[k].says);
                }
                batch_of(x, labels, i);
                tnn_train_batch(net, x, labels, BATCH);
                CHECK(!tnn_failed(), "after a refused batch: %s", tnn_error());
                tnn_clear_error();
            }
            batch_of(x, labels, 50);
            DO(tnn_forward(net, x, BATCH, TNN_EVAL));
            if (tnn_output(net)) memcpy(y[with], tnn_output(net), sizeof y[with]);
            hash[with] = tnn_hash(net);
            tnn_free(net);
        }
        CHECK(hash[0] == hash[1], "refused batches changed the run, accumulate %d", accumulate);
        CHECK_SAME("evaluation", y[1], y[0], sizeof y[0]);
    }
}

/* Only a step that is taken moves them; what was set between is kept. */
static void at_the_step(void)
{
    float x[BATCH * PIXELS], mean[2][3], set[3] = { 1, 2, 3 };
    int labels[BATCH], i;
    tnn_net *net = normed(1);
    double want[3] = { 0, 0, 0 };
    batch_of(x, labels, 0);
    for (i = 0; i < BATCH * PIXELS; i++)            /* momentum 0.1 */
        want[i / 16 % 3] += 0.1 * (double)x[i] / (BATCH * 16);
    DO(tnn_forward(net, x, BATCH, TNN_TRAIN));
    DO(tnn_forward(net, x, BATCH, TNN_TRAIN));
    tnn_loss(net, labels);
    DO(tnn_backward(net));
    DO(tnn_get_param(net, "0.running_mean", mean[0], 3));
    for (i = 0; i < 3; i++) CHECK(mean[0][i] == 0, "before the step it is %g", (double)mean[0][i]);
    DO(tnn_step(net));
    DO(tnn_get_param(net, "0.running_mean", mean[0], 3));
    for (i = 0; i < 3; i++) CHECK_NEAR("after one step", (double)mean[0][i], want[i], 1e-7);
    DO(tnn_forward(net, x, BATCH, TNN_TRAIN));
    tnn_loss(net, labels);
    DO(tnn_backward(net));
    DO(tnn_set_param(net, "0.running_mean", set, 3));
    DO(tnn_step(net));
    DO(tnn_get_param(net, "0.running_mean", mean[0], 3));
    CHECK_SAME("set before the step", mean[0], set, sizeof set);
    tnn_free(net);
    net = normed(2);
    for (i = 0; i < 2; i++) {                       /* every batch of an accumulated step counts */
        DO(tnn_forward(net, x, BATCH, TNN_TRAIN));
        tnn_loss(net, labels);
        DO(tnn_backward(net));
        DO(tnn_step(net));
        DO(tnn_get_param(net, "0.running_mean", mean[i], 3));
    }
    for (i = 0; i < 3; i++) {
        CHECK(mean[0][i] == 0, "half a step: %g", (double)mean[0][i]);
        CHECK_NEAR("two batches", (double)mean[1][i], 1.9 * want[i], 1e-7);
    }
    tnn_free(net);
}

/* torch.optim.LBFGS(max_iter=4) evaluates its closure four times, and each moves them by 0.1. */
static void of_lbfgs(void)
{
    float x[BATCH * PIXELS], mean[3];
    int labels[BATCH], i;
    double want[3] = { 0, 0, 0 };
    tnn_net *net = tnn_create(.input = { 3, 4, 4 }, .batch = BATCH, .seed = 2);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_LBFGS, .lr = 0.1, .max_iter = 4);
    batch_of(x, labels, 0);
    for (i = 0; i < BATCH * PIXELS; i++) want[i / 16 % 3] += (double)x[i] / (BATCH * 16);
    tnn_train_batch(net, x, labels, BATCH);
    DO(tnn_get_param(net, "0.running_mean", mean, 3));
    for (i = 0; i < 3; i++)
        CHECK_NEAR("four evaluations", (double)mean[i], (1 - 0.9*0.9*0.9*0.9) * want[i], 1e-7);
    tnn_free(net);
}

/* A pass over data with a NaN leaves them, and what is saved then can be loaded. */
static void updated(void)
{
    enum { N = 3 * BATCH };
    static float x[N * PIXELS];
    static int labels[N];
    static unsigned char file[1 << 14];
    tnn_net *net = normed(1);
    tnn_data data;
    tnn_loader *loader;
    uint64_t before;
    size_t size;
    int k;
    test_fill(x, N * PIXELS, 4);
    data = tnn_data_view(NULL, x, labels, N, 3, 4, 4);
    loader = tnn_loader_create(&data, .batch = BATCH);
    DO(tnn_update_statistics(net, loader));
    before = tnn_hash(net);
    for (k = 0; k < 2; k++) {
        x[2 * BATCH * PIXELS + 5] = k ? 1e30f : infinity - infinity;
        CHECK(tnn_update_statistics(net, loader) == TNN_ERROR_NUMBER, "it took a bad batch");
        HAS("tnn_update_statistics: 0.running_");
        CHECK(tnn_hash(net) == before, "a pass that was refused changed the statistics");
        tnn_loader_free(loader);
        loader = tnn_loader_create(&data, .batch = BATCH);
    }
    CHECK(tnn_update_statistics(net, NULL) == TNN_ERROR_ARGUMENT, "it took no loader");
    tnn_clear_error();
    size = tnn_format_weights(net, file, sizeof file, NULL);
    CHECK(size > 0 && size <= sizeof file && tnn_parse_weights(net, file, size, NULL) > 0,
          "what was saved is refused: %s", tnn_error());
    tnn_loader_free(loader);
    tnn_free(net);
}

/* ==== SHAPES ================================================================================== */

/* Of as many values: the same shape, or one side flat; all that takes a data set. */
static void shapes(void)
{
    static const struct { int in[3], c, h, w, fits; } cases[] = {
        { { 3, 8, 8 }, 3, 8, 8, 1 },   { { 3, 8, 8 }, 192, 1, 1, 1 }, { { 192, 1, 1 }, 3, 8, 8, 1 },
        { { 192, 0, 0 }, 8, 8, 3, 1 }, { { 3, 8, 8 }, 8, 8, 3, 0 },   { { 8, 8, 3 }, 3, 8, 8, 0 },
        { { 3, 8, 8 }, 3, 4, 16, 0 },  { { 3, 8, 8 }, 1, 192, 1, 0 }, { { 3, 8, 8 }, 3, 8, 7, 0 }
    };
    enum { N = 4 };
    static float x[N * 192];
    static double lr[3], loss[3];
    static const int labels[N] = { 0, 1, 0, 1 };
    size_t k;
    int call;
    test_fill(x, N * 192, 1);
    for (k = 0; k < sizeof cases / sizeof *cases; k++)
        for (call = 0; call < 5; call++) {
            const int *in = cases[k].in;
            tnn_net *net = tnn_create(.input = { in[0], in[1], in[2] }, .batch = N);
            tnn_data data = tnn_data_view(NULL, x, labels, N, cases[k].c, cases[k].h, cases[k].w);
            tnn_loader *loader = tnn_loader_create(&data, .batch = 2);
            tnn_lr_finder finder;
            int counts[4];
            memset(&finder, 0, sizeof finder);
            finder.lr = lr, finder.loss = loss, finder.steps = 3;
            tnn_add(net, TNN_FLATTEN);
            tnn_add(net, TNN_DENSE, .units = 2);
            tnn_set_loss(net, TNN_CROSS_ENTROPY);
            tnn_set_optimizer(net, TNN_SGD);
            if (call == 0) tnn_evaluate(net, &data);
            if (call == 1) tnn_confusion(net, &data, counts);
            if (call == 2) tnn_train_epoch(net, loader);
            if (call == 3) tnn_lr_find(net, loader, &finder);
            if (call == 4) tnn_update_statistics(net, loader);
            CHECK((tnn_failed() == TNN_ERROR_SHAPE) == !cases[k].fits, "case %d, call %d: \"%s\"",
                  (int)k, call, tnn_error());
            tnn_clear_error();
            tnn_loader_free(loader);
            tnn_free(net);
        }
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    RUN("refused batches change nothing", refused_batches);
    RUN("statistics move with a step", at_the_step);
    RUN("statistics under L-BFGS", of_lbfgs);
    RUN("statistics updated over bad data", updated);
    RUN("shapes of samples", shapes);
    return test_finish();
}
