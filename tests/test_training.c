/* test_training.c - what training makes of a bad batch, label, shape or step: it says so, and what
   the manual promises to keep is kept, to the bit. */
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
#define MEANS 5e-6      /* of means that are a hundredth of the values, whose rounding counts */

/* Batch norm of the input, others with statistics behind a convolution; dropout; 3 classes. */
static tnn_net *normed(int accumulate)
{
    tnn_net *net = tnn_create(.input = { 3, 4, 4 }, .batch = BATCH, .seed = 2);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_CONV2D, .filters = 5, .kernel = 3);
    tnn_add(net, TNN_BATCHNORM, .cumulative = 1);
    tnn_add(net, TNN_INSTANCENORM, .statistics = 1);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DROPOUT, .p = 0.25f);
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
        { "0.running_var would not be finite", 1e21f, -1e21f, 0 },
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
                    if (k == 0) tnn_train_batch(net, x, labels, BATCH + 1), tnn_clear_error();
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
    for (i = 0; i < 3; i++) CHECK_NEAR("after one step", (double)mean[0][i], want[i], MEANS);
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
        CHECK_NEAR("two batches", (double)mean[1][i], 1.9 * want[i], MEANS);
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
        CHECK_NEAR("four evaluations", (double)mean[i], (1 - 0.9*0.9*0.9*0.9) * want[i], MEANS);
    tnn_free(net);
}

/* A pass over data with a NaN leaves them, and what is saved then can be loaded. */
static void updated(void)
{
    enum { N = 3 * BATCH };
    static float x[N * PIXELS];
    static int labels[N];
    static unsigned char file[1 << 14], state[1 << 16], after[1 << 16];
    tnn_net *net = normed(1);
    tnn_data data;
    tnn_loader *loader;
    uint64_t before;
    size_t size, whole;
    const tnn_checkpoint_options none = { .count = 0 };
    int k;
    test_fill(x, N * PIXELS, 4);
    data = tnn_data_view(NULL, x, labels, N, 3, 4, 4);
    loader = tnn_loader_create(&data, .batch = BATCH);
    DO(tnn_update_statistics(net, loader));
    before = tnn_hash(net);
    whole = tnn_format_checkpoint(net, state, sizeof state, &none);
    CHECK(whole > 0 && whole <= sizeof state, "%lu bytes; %s", (unsigned long)whole, tnn_error());
    for (k = 0; k < 2; k++) {
        x[2 * BATCH * PIXELS + 5] = k ? 1e30f : infinity - infinity;
        CHECK(tnn_update_statistics(net, loader) == TNN_ERROR_NUMBER, "it took a bad batch");
        HAS("tnn_update_statistics: 0.running_");
        CHECK(tnn_hash(net) == before, "a pass that was refused changed the statistics");
        tnn_format_checkpoint(net, after, sizeof after, &none);
        CHECK_SAME("state", after, state, whole);
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

/* ==== UPDATES THAT ARE NOT FINITE ============================================================= */

static void plunge(const tnn_update_run *run)
{
    size_t i;
    for (i = 0; i < run->n; i++) run->w[i] -= (float)run->lr * run->g[i];
}
static tnn_net *narrow(const tnn_optimizer *o, const tnn_layer *more)
{
    tnn_net *net = tnn_create(.input = { 40 }, .batch = 8, .seed = 3);
    tnn_layer l = { TNN_DENSE, .units = 3 };
    tnn_add(net, TNN_DENSE, .units = 17);
    tnn_add(net, TNN_LEAKY_RELU);
    if (more) l = *more;
    tnn_add_with(net, &l);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer_with(net, o);
    return net;
}
static int all_finite(tnn_net *net, char *name)
{
    int i, k;
    for (i = 0; i < tnn_param_count(net); i++) {
        const tnn_param p = tnn_param_info(net, i);
        float *v = test_floats((size_t)p.count);
        int good = 1;
        tnn_get_param(net, p.name, v, p.count);
        for (k = 0; k < p.count; k++) good &= v[k] - v[k] >= 0;
        test_release(v);
        if (good) continue;
        strcpy(name, p.name);
        return 0;
    }
    return 1;
}

/* Under every rule, with learning rates that overflow: each step is finite and OK, or an error that
   names the first tensor that is not; the same with averages, constraints and Lookahead. */
static void updates(void)
{
    static const int labels[8] = { 0, 1, 2, 0, 1, 2, 0, 1 };
    static const double lrs[] = { 9e29, 1e20, 1 };
    float x[8 * 40];
    int rule, k, i, extra, refused = 0, steps = 0, rules = 0;
    test_fill(x, 8 * 40, 1);
    for (i = 0; i < 8 * 40; i++) x[i] *= 1e10f;
    for (rule = TNN_SGD; rule <= LAST_RULE; rule++)
        for (extra = 0; extra < 3; extra++) {
            int seen = 0;
            for (k = 0; k < 3; k++) {
                tnn_optimizer o;
                const tnn_layer held = { TNN_DENSE, .units = 3, .constraint = TNN_MAX_NORM };
                tnn_net *net;
                memset(&o, 0, sizeof o);
                o.type = (tnn_optimizer_type)rule;
                o.lr = lrs[k];
                if (rule == TNN_RPROP) o.step_max = 8e29;
                if (rule == TNN_LBFGS) o.max_iter = 3;
                if (rule == TNN_CUSTOM) o.update = plunge;
                if (extra == 1) o.ema = 0.9;
                if (extra == 2) o.lookahead = 2;
                net = narrow(&o, extra == 1 ? &held : NULL);
                for (i = 0; i < 6; i++) {
                    tnn_status e;
                    char name[40] = "", want[80], says[300];
                    tnn_forward(net, x, 8, TNN_TRAIN);
                    tnn_loss(net, labels);
                    if (tnn_backward(net)) break;       /* what overflowed on the way */
                    e = tnn_step(net);
                    steps++;
                    CHECK(e == TNN_OK || e == TNN_ERROR_NUMBER, "%s", tnn_error());
                    if (e && rule == TNN_LBFGS) {
                        tnn_clear_error();
                        CHECK(all_finite(net, name), "L-BFGS has lost %s", name);
                        break;
                    }
                    snprintf(says, sizeof says, "%s", tnn_error());
                    tnn_clear_error();
                    CHECK(all_finite(net, name) == (e == TNN_OK), "rule %d, lr %g, step %d: status "
                          "%d, and %s is not finite (%s)", rule, lrs[k], i, (int)e, name, says);
                    snprintf(want, sizeof want, "tnn_step: %s is not finite", name);
                    CHECK(!e || strstr(says, want), "\"%s\" has no \"%s\"", says, want);
                    refused += e != TNN_OK;
                    seen |= e != TNN_OK;
                    if (e) break;
                }
                tnn_clear_error();
                tnn_free(net);
            }
            rules += seen && !extra;
        }
    test_note("%d steps, %d refused, of %d rules", steps, refused, rules);
    CHECK(rules >= 7, "only %d rules ever overflowed", rules);
    test_release_all();
}

/* Lookahead itself, the extrapolated average, a constraint whose norm overflows, momentum. */
static void other_updates(void)
{
    static const int labels[8] = { 0, 1, 2, 0, 1, 2, 0, 1 };
    static const double momenta[] = { 1, 1.5, 1e30 };
    tnn_layer held = { TNN_DENSE, .units = 3, .constraint = TNN_MIN_MAX_NORM, .norm_max = 2,
                       .norm_rate = 0.5 };
    float x[8 * 40], w[51];
    tnn_optimizer o = { TNN_SGD, .lr = 1e12, .lookahead = 1, .lookahead_alpha = 9e29 };
    tnn_net *net = narrow(&o, NULL);
    int i, k, at;
    uint64_t before;
    test_fill(x, 8 * 40, 1);
    for (i = 0; i < 3 && !tnn_failed(); i++) tnn_train_batch(net, x, labels, 8);
    HAS("tnn_step: 0.weight is not finite after");
    tnn_free(net);
    o.lookahead = 0, o.lookahead_alpha = 0, o.lr = 1e-3;
    net = narrow(&o, &held);
    for (i = 0; i < 51; i++) w[i] = 1e25f;
    tnn_set_param(net, "2.weight", w, 51);
    tnn_train_batch(net, x, labels, 8);
    CHECK(!tnn_failed(), "%s", tnn_error());
    tnn_get_param(net, "2.weight", w, 51);
    for (i = 0; i < 51; i++)        /* a rate of 1/2: half way down to the bound */
        CHECK_NEAR("norm of 4e25", (double)w[i] * 2e-25, 1, 1e-6);
    tnn_free(net);
    memset(&o, 0, sizeof o);
    o.type = TNN_SGD, o.lr = 9e29;
    net = narrow(&o, NULL);
    for (i = 0; i < 8 * 40; i++) x[i] *= 1e10f;
    tnn_train_batch(net, x, labels, 8);
    HAS("tnn_step: 0.weight is not finite after 1 steps; the weights before are lost: load a "
        "checkpoint, and take a smaller lr");
    tnn_free(net);
    test_fill(x, 8 * 40, 1);
    memset(&o, 0, sizeof o);
    o.type = TNN_SCHEDULE_FREE_SGD, o.lr = 1, o.momentum = 1e-30;      /* x = w - 1e30 (z - w) */
    net = narrow(&o, NULL);
    for (i = 0; i < 3; i++) tnn_train_batch(net, x, labels, 8);
    tnn_get_param(net, "2.weight", w, 51);
    for (k = 0; k < 51; k++) w[k] += 1e10f;
    tnn_set_param(net, "2.weight", w, 51);
    before = tnn_hash(net);
    CHECK(tnn_use_average(net, 1) == TNN_ERROR_NUMBER, "an average that is not finite");
    HAS("tnn_use_average: 2.weight is not finite after 3 steps; the trained weights stay in place");
    CHECK(tnn_hash(net) == before, "it has changed the weights");
    tnn_free(net);
    for (k = 0; k < 3; k++)
        for (at = 0; at < 3; at++) {
            memset(&o, 0, sizeof o);
            o.type = at == 0 ? TNN_SGD : at == 1 ? TNN_RMSPROP : TNN_LARS;
            o.momentum = momenta[k];
            net = tnn_create(.input = { 4 }, .batch = 8);
            tnn_set_optimizer_with(net, &o);
            HAS("must be in [0, 1)");
            o.momentum = 0.99;
            DO(tnn_set_optimizer_with(net, &o));
            tnn_set_momentum(net, momenta[k]);
            HAS("must be in [0, 1)");
            tnn_set_schedule(net, TNN_ONE_CYCLE, .steps = 5, .max_momentum = momenta[k]);
            HAS(".max_momentum = 1");
            tnn_free(net);
        }
}

/* ==== THE CHECK OF GRADIENTS ================================================================== */

static int no_other(void *user, const int in[3], int out[3], int *params)
{
    (void)user, (void)in, (void)out, (void)params;
    return 0;
}
static void twice(void *user, const float *x, float *y, const float *params, int training)
{
    (void)user, (void)params, (void)training;
    y[0] = 2 * x[0], y[1] = 2 * x[1];
}
static void once(void *user, const float *x, const float *y, const float *dy, float *dx,
                 const float *params, float *dparams)
{
    (void)user, (void)x, (void)y, (void)params, (void)dparams;
    dx[0] = dy[0], dx[1] = dy[1];
}
/* A wrong gradient is found with one sample for each tensor that is trained, whatever is frozen. */
static void checked_gradients(void)
{
    static const tnn_custom_layer wrong = { .name = "wrong", .shape = no_other,
                                            .forward = twice, .backward = once };
    const float x[2] = { 1, 2 };
    const int labels[2] = { 0, 1 };
    double error;
    tnn_net *net = tnn_create(.input = { 1 }, .batch = 2);
    tnn_add(net, TNN_DENSE, .units = 3, .frozen = 1);
    tnn_add(net, TNN_DENSE, .units = 3, .frozen = 1);
    tnn_add(net, TNN_DENSE, .units = 2);
    tnn_add(net, TNN_CUSTOM_LAYER, .custom = &wrong);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    error = tnn_gradient_check(net, x, labels, 2, 4);
    CHECK(error > 0.1, "a gradient of half the size: %g, %s", error, tnn_error());
    tnn_set_group(net, "2.", 1, 1, 1);
    error = tnn_gradient_check(net, x, labels, 2, 2);
    CHECK(error == 0, "all is frozen: %g, %s", error, tnn_error());
    tnn_free(net);
}

/* ==== LABELS THAT DO NOT COUNT ================================================================ */

/* Three right, five ignored: all that count are right. 255, beyond the classes, may be ignored. */
static void ignored(void)
{
    static const int ignore[] = { 255, 0 };
    static const tnn_loss_type types[] = { TNN_CROSS_ENTROPY, TNN_NLL };
    const float w[9] = { 5, 0, 0, 0, 5, 0, 0, 0, 5 }, zero[3] = { 0, 0, 0 };
    float x[8 * 3];
    int k, t, i, call;
    for (k = 0; k < 2; k++)
        for (t = 0; t < 2; t++)
            for (call = 0; call < 5; call++) {
                int labels[8], counts[9], c, sum = 0, diagonal = 0;
                tnn_net *net = tnn_create(.input = { 3 }, .batch = 3);
                tnn_data data;
                tnn_loader *loader;
                tnn_metrics m = { 0, 0, 0, 0 };
                for (i = 0; i < 8; i++) {           /* classes 1 and 2, always right */
                    const int class_of = 1 + i % 2;
                    labels[i] = i % 3 == 0 ? class_of : ignore[k];
                    for (c = 0; c < 3; c++) x[3 * i + c] = c == class_of;
                }
                data = tnn_data_view(NULL, x, labels, 8, 3, 1, 1);
                loader = tnn_loader_create(&data, .batch = 3);
                tnn_add(net, TNN_DENSE, .units = 3);
                if (t) tnn_add(net, TNN_LOG_SOFTMAX);
                tnn_set_loss(net, types[t],
                             .ignore_index = ignore[k] ? (float)ignore[k] : (float)TNN_ZERO);
                tnn_set_optimizer(net, TNN_SGD, .lr = 1e-6);
                tnn_set_param(net, "0.weight", w, 9);
                tnn_set_param(net, "0.bias", zero, 3);
                if (call == 0) m = tnn_evaluate(net, &data);
                if (call == 1) m = tnn_train_epoch(net, loader);
                if (call == 2) {
                    m = tnn_confusion(net, &data, counts, 3);
                    for (i = 0; i < 9; i++) sum += counts[i], diagonal += i % 4 ? 0 : counts[i];
                    CHECK(sum == 3 && diagonal == 3, "%d counted, %d right", sum, diagonal);
                }
                if (call == 3) {
                    tnn_forward(net, x, 3, TNN_TRAIN);
                    tnn_loss(net, labels);
                    CHECK(tnn_correct(net) == 1 && tnn_counted(net) == 1, "%d of %d",
                          tnn_correct(net), tnn_counted(net));
                } else if (call == 4) {             /* a label that is neither class nor ignored */
                    labels[1] = 254;
                    m = tnn_confusion(net, &data, counts, 3);
                    CHECK(m.n == 0 && tnn_failed() == TNN_ERROR_ARGUMENT, "%s", tnn_error());
                    tnn_clear_error();
                } else {
                    CHECK(m.n == 3 && m.correct == 3, "call %d: %d of %d", call, m.correct, m.n);
                    CHECK_NEAR("accuracy", m.accuracy, 1, 1e-12);
                    CHECK_NEAR("loss", m.loss, log(1 + 2*exp(-5)), 1e-6);
                }
                CHECK(!tnn_failed(), "call %d: %s", call, tnn_error());
                tnn_clear_error();
                tnn_loader_free(loader);
                tnn_free(net);
            }
    {
        tnn_net *net = tnn_create(.input = { 3 });
        tnn_add(net, TNN_DENSE, .units = 3);
        tnn_set_loss(net, TNN_CROSS_ENTROPY, .ignore_index = 1.5f);
        HAS("tnn_set_loss: .ignore_index = 1.5 must be a label, a whole number");
        tnn_free(net);
    }
}

/* ==== AUGMENTATION AND MIXED BATCHES ========================================================== */

/* What needs an image is refused for flat samples; what does not gives what it gives images. */
static void flat_samples(void)
{
    enum { N = 6, SIZE = 16 };
    float x[N * SIZE];
    const int labels[N] = { 0, 1, 2, 0, 1, 2 };
    tnn_data flat, image, row;
    tnn_loader *l[2];
    int i;
#define FLAT(...) do { \
    CHECK(!tnn_loader_create(&flat, __VA_ARGS__)->batches, "taken: %s", #__VA_ARGS__); \
    HAS("samples of 16x1x1 are no images"); } while (0)
    for (i = 0; i < N * SIZE; i++) x[i] = (float)i / (N * SIZE);
    flat = tnn_data_view(NULL, x, labels, N, SIZE, 1, 1);
    image = tnn_data_view(NULL, x, labels, N, 1, 4, 4);
    row = tnn_data_view(NULL, x, labels, N, 1, 1, SIZE);
    FLAT(.flip = 0.5);      FLAT(.flip_vertical = 0.5); FLAT(.rotate = 9);   FLAT(.shear = 9);
    FLAT(.scale_min = 0.5); FLAT(.scale_max = 2);       FLAT(.shift = 0.1);  FLAT(.crop_pad = 2);
    FLAT(.cutout = 1);      FLAT(.erase = 0.5);         FLAT(.cutmix = 1);   FLAT(.contrast = 0.5);
    for (i = 0; i < 2; i++) {
        l[0] = tnn_loader_create(&flat, .batch = N, .brightness = 0.5, .mixup = i);
        l[1] = tnn_loader_create(&image, .batch = N, .brightness = 0.5, .mixup = i);
        CHECK(tnn_next(l[0]) == N && tnn_next(l[1]) == N, "%s", tnn_error());
        if (!tnn_failed()) CHECK_SAME("flat and image", l[0]->x, l[1]->x, sizeof x);
        tnn_loader_free(l[0]);
        tnn_loader_free(l[1]);
    }
    CHECK(!tnn_loader_create(&row, .crop_pad = 1)->batches, "crops with nothing in them");
    HAS(".crop_pad = 1 of images of 1x16");
    CHECK(!tnn_loader_create(&image, .crop_pad = 4)->batches, "crops with nothing in them");
    HAS("at most 3");
    l[0] = tnn_loader_create(&row, .crop_pad = 1, .border = TNN_BORDER_EDGE);
    l[1] = tnn_loader_create(&image, .crop_pad = 3);
    CHECK(l[0]->batches && l[1]->batches, "%s", tnn_error());
    tnn_loader_free(l[0]);
    tnn_loader_free(l[1]);
}

/* Mixed batches have no labels, and what trains takes their targets. */
static void mixed(void)
{
    enum { N = 12 };
    float x[N * 4];
    int labels[N], i, cut;
    for (i = 0; i < N; i++) labels[i] = i % 3;
    test_fill(x, N * 4, 2);
    for (cut = 0; cut < 2; cut++) {
        tnn_data data = tnn_data_view(NULL, x, labels, N, 1, 2, 2);
        tnn_loader *loader = tnn_loader_create(&data, .batch = N, .mixup = !cut, .cutmix = cut);
        tnn_net *net = tnn_create(.input = { 1, 2, 2 }, .batch = N);
        double lr[8], loss[8], want;
        tnn_lr_finder finder;
        memset(&finder, 0, sizeof finder);
        finder.lr = lr, finder.loss = loss, finder.steps = 8;
        tnn_add(net, TNN_FLATTEN);
        tnn_add(net, TNN_DENSE, .units = 3);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net, TNN_SGD);
        CHECK(tnn_next(loader) == N && !loader->labels && loader->targets, "%s", tnn_error());
        DO(tnn_forward(net, loader->x, N, TNN_TRAIN));
        tnn_loss(net, loader->labels);
        HAS("tnn_loss: no labels and no targets; a loader with .mixup or .cutmix has .targets");
        tnn_train_batch(net, loader->x, loader->labels, N);
        HAS("for tnn_loss_targets");
        DO(tnn_forward(net, loader->x, N, TNN_TRAIN));
        want = tnn_loss_targets(net, loader->targets);
        tnn_loader_free(loader);                        /* the finder's first step is on epoch 0 */
        loader = tnn_loader_create(&data, .batch = N, .mixup = !cut, .cutmix = cut);
        tnn_lr_find(net, loader, &finder);
        tnn_clear_error();                              /* whether it finds one is not the point */
        CHECK(finder.count > 0, "no step");
        CHECK_NEAR("the finder's first loss", loss[0], want, 1e-12);
        CHECK(tnn_train_epoch(net, loader).n == N, "%s", tnn_error());
        tnn_loader_free(loader);
        tnn_free(net);
    }
}

/* ==== A LAST LAYER THAT THE LOSS CANNOT BE MEANT FOR ========================================== */

static void last_layers(void)
{
    static const struct { tnn_loss_type loss; tnn_layer_type last; int taken; } cases[] = {
        { TNN_CROSS_ENTROPY, TNN_SOFTMAX, 0 },     { TNN_CROSS_ENTROPY, TNN_SIGMOID, 0 },
        { TNN_CROSS_ENTROPY, TNN_HARDSIGMOID, 0 }, { TNN_CROSS_ENTROPY, TNN_LOG_SOFTMAX, 1 },
        { TNN_CROSS_ENTROPY, TNN_RELU, 1 },        { TNN_CROSS_ENTROPY, TNN_TANH, 1 },
        { TNN_NLL, TNN_SOFTMAX, 0 },               { TNN_NLL, TNN_LOG_SOFTMAX, 1 },
        { TNN_NLL, TNN_LOG_SIGMOID, 1 },           { TNN_NLL, TNN_SIGMOID, 0 },
        { TNN_KL_DIV, TNN_SOFTMAX, 0 },            { TNN_KL_DIV, TNN_LOG_SOFTMAX, 1 },
        { TNN_BCE_LOGITS, TNN_SIGMOID, 0 },        { TNN_BCE_LOGITS, TNN_LOG_SIGMOID, 0 },
        { TNN_BCE_LOGITS, TNN_TANH, 1 },           { TNN_FOCAL, TNN_SOFTMAX, 0 },
        { TNN_FOCAL, TNN_LOG_SOFTMAX, 0 },         { TNN_BCE, TNN_SIGMOID, 1 },
        { TNN_BCE, TNN_SOFTMAX, 1 },               { TNN_MSE, TNN_SOFTMAX, 1 },
        { TNN_MULTI_MARGIN, TNN_SOFTMAX, 1 },      { TNN_DICE, TNN_SIGMOID, 1 }
    };
    const float x[4] = { 0.5f, -1, 2, 0.25f }, one[3] = { 1, 1, 1 };
    const int label = 1;
    size_t k;
    int meant;
    double loss, plain;
    tnn_net *net;
    for (k = 0; k < sizeof cases / sizeof *cases; k++)
        for (meant = 0; meant < 2; meant++) {
            tnn_layer last;
            tnn_loss_options o;
            memset(&last, 0, sizeof last);
            memset(&o, 0, sizeof o);
            last.type = cases[k].last, o.type = cases[k].loss;
            net = tnn_create(.input = { 4 });
            tnn_set_loss_with(net, &o);                  /* may come before the last layer */
            tnn_clear_error();
            tnn_add(net, TNN_DENSE, .units = 3);
            tnn_add_with(net, &last);
            if (k % 2) tnn_add(net, TNN_FLATTEN);
            if (meant) tnn_add(net, TNN_IDENTITY);
            tnn_set_loss_with(net, &o);
            CHECK(!tnn_failed(), "%s", tnn_error());
            CHECK((tnn_build(net) == TNN_OK) == (meant || cases[k].taken), "case %d, meant %d: %s",
                  (int)k, meant, tnn_error());
            tnn_clear_error();
            tnn_free(net);
        }
    net = tnn_create(.input = { 4 });
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_add(net, TNN_SOFTMAX);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_build(net);
    HAS("tnn_build: cross-entropy takes logits and has a softmax of its own: leave out layer 2 "
        "(softmax) before it (a TNN_IDENTITY behind it says that it is meant)");
    tnn_free(net);
    for (meant = 0; meant < 2; meant++) {           /* NLL on positive outputs */
        net = tnn_create(.input = { 4 });
        tnn_add(net, TNN_DENSE, .units = 3);
        if (meant) tnn_add(net, TNN_IDENTITY);
        tnn_set_loss(net, TNN_NLL);
        tnn_set_param(net, "0.bias", one, 3);
        tnn_set_param(net, "0.weight", (const float[12]){ 0 }, 12);
        tnn_forward(net, x, 1, TNN_TRAIN);
        loss = tnn_loss(net, &label);
        if (meant) CHECK_NEAR("nll of 1", loss, -1, 1e-7);
        else HAS("tnn_loss: output 0 of sample 0 is 1; nll takes log-probabilities, as of "
                 "TNN_LOG_SOFTMAX, at most 0.001");
        tnn_free(net);
    }
    for (loss = plain = 0, meant = 0; meant < 2; meant++) {     /* the same numbers twice */
        net = tnn_create(.input = { 4 }, .seed = 5);
        tnn_add(net, TNN_DENSE, .units = 3);
        if (meant) tnn_add(net, TNN_LOG_SOFTMAX);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_forward(net, x, 1, TNN_TRAIN);
        if (meant) loss = tnn_loss(net, &label);
        else plain = tnn_loss(net, &label);
        tnn_free(net);
    }
    CHECK_NEAR("cross-entropy of a log softmax", loss, plain, 1e-6);
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
            if (call == 1) tnn_confusion(net, &data, counts, 2);
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
    EACH_ISA("updates that are not finite", updates);
    RUN("averages, constraints, momentum", other_updates);
    RUN("wrong gradients beside frozen layers", checked_gradients);
    RUN("labels that are ignored", ignored);
    RUN("augmentation of flat samples", flat_samples);
    RUN("mixed batches", mixed);
    RUN("last layers", last_layers);
    RUN("shapes of samples", shapes);
    return test_finish();
}
