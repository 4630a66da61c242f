/* test_optimizers.c - every optimizer with its options, and what stands around them

   Weights after steps on gradients that are a function of the weights, against PyTorch and
   published formulas in double precision (optimizer_vectors.py); the rest against references here.
   */
#include "hooked.h"
#include "test.h"
#include "vectors.h"
#include "options.h"

static int allocations;
void *test_malloc(size_t bytes) { allocations++; return malloc(bytes); }
void  test_free(void *p) { free(p); }

/* ==== THE PROBLEM ============================================================================= */

enum { COUNT = 203, STEPS = 50, SAMPLE = 3*3*2 };

/* Layers 0, 2, 3 with tensors (6,3,3,2), (6), (7,6), (7), (5,7), (5). */
static tnn_net *small_net(const tnn_optimizer *o, const tnn_layer *factors, tnn_dialect dialect)
{
    tnn_net *net = tnn_create(.input = {3, 3, 2}, .batch = 4, .dialect = dialect);
    tnn_layer conv = {.type = TNN_CONV2D, .filters = 6, .kernel_h = 3, .kernel_w = 2};
    tnn_layer last = {.type = TNN_DENSE, .units = 5};
    if (factors) {
        conv.lr_scale = factors[0].lr_scale;
        conv.decay_scale = factors[0].decay_scale;
        conv.frozen = factors[0].frozen;
        last.lr_scale = factors[3].lr_scale;
        last.decay_scale = factors[3].decay_scale;
        last.frozen = factors[3].frozen;
    }
    tnn_add_with(net, &conv);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 7);
    tnn_add_with(net, &last);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer_with(net, o);
    tnn_build(net);
    return net;
}

/* All trained tensors in PyTorch's order: the parameters (which = 0) or their gradients (1). */
static void read_all(tnn_net *net, int which, float *x)
{
    int i;
    for (i = 0; i < tnn_param_count(net); i++) {
        const tnn_param p = tnn_param_info(net, i);
        if (p.buffer) continue;
        if (which) tnn_get_grad(net, p.name, x, p.count);
        else tnn_get_param(net, p.name, x, p.count);
        x += p.count;
    }
}
static void write_params(tnn_net *net, const float *x)
{
    int i;
    for (i = 0; i < tnn_param_count(net); i++) {
        const tnn_param p = tnn_param_info(net, i);
        if (p.buffer) continue;
        tnn_set_param(net, p.name, x, p.count);
        x += p.count;
    }
}
/* There is no call for these. But gradients lie as the parameters do: they go there first. */
static void write_grads(tnn_net *net, const float *g)
{
    size_t n;
    float *kept, *w = tnn_flat(net, 0, &n);
    if (!w) return;                     /* an error before */
    kept = (float *)malloc(n*sizeof *kept);
    memcpy(kept, w, n*sizeof *w);
    write_params(net, g);
    memcpy(tnn_flat(net, 1, NULL), w, n*sizeof *w);
    memcpy(w, kept, n*sizeof *w);
    free(kept);
}
/* The gradient of tensor i alone. */
static void write_grad(tnn_net *net, int i, const float *g)
{
    const size_t count = (size_t)tnn_param_info(net, i).count;
    float *all = (float *)malloc((size_t)tnn_param_total(net)*sizeof *all), *at = all;
    read_all(net, 1, all);
    while (i > 0) at += tnn_param_info(net, --i).count;
    memcpy(at, g, count*sizeof *g);
    write_grads(net, all);
    free(all);
}

/* optimizer_vectors.py has the same, in the same order of operations. */
static void gradient(const float *w, int t, float *g)
{
    int i;
    for (i = 0; i < COUNT; i++) {
        double x = w[i], next = w[(i + 1)%COUNT], c = test_value(11001, (uint32_t)i);
        double a = 1 + test_value(11002, (uint32_t)i)/2.0;
        double d = a*(x - c) + 0.3*(x - next) + 0.5*(x*x*x);
        g[i] = (float)(d + 0.25*test_value((uint32_t)(12000 + t), (uint32_t)i));
    }
}

/* Step t on that gradient: forward, loss and backward run as always, what they give is replaced. */
static tnn_status step(tnn_net *net, int t)
{
    static const float x[SAMPLE] = {1, 2, 3};
    float w[COUNT], g[COUNT];
    int label = 1;
    tnn_forward(net, x, 1, TNN_TRAIN);
    tnn_loss(net, &label);
    tnn_backward(net);
    read_all(net, 0, w);
    gradient(w, t, g);
    write_grads(net, g);
    return tnn_step(net);
}

static void start(tnn_net *net)
{
    float w[COUNT];
    int i;
    test_fill(w, COUNT, 11000);
    for (i = 0; i < COUNT; i++) w[i] /= 2;
    write_params(net, w);
}

/* The padding of the parameters is still zero; sets the others to it, too. */
static void check_padding(const char *what, tnn_net *net)
{
    static const float zeros[1 << 16];
    size_t i, n;
    const float *w = tnn_flat(net, 0, &n);
    int other = 0;
    write_params(net, zeros);
    for (i = 0; i < n; i++) other += w[i] != 0;
    CHECK(!other, "%s: %d floats of padding are not zero", what, other);
}

/* Sets the option that an array "o.NAME" is named after. */
static void set_option(tnn_optimizer *o, const char *name, double v)
{
    const int whole = (int)v;
    size_t i;
    if (v == 0) v = TNN_ZERO;
    for (i = 0; i < sizeof rule_options/sizeof *rule_options; i++) {
        char *at = (char *)o + rule_options[i].at;
        if (strcmp(name, rule_options[i].name)) continue;
        if (rule_options[i].type == 'd') memcpy(at, &v, sizeof v);
        else memcpy(at, &whole, sizeof whole);
    }
}

static tnn_optimizer options_of(const vectors *c)
{
    tnn_optimizer o;
    int i;
    memset(&o, 0, sizeof o);
    for (i = 0; i < c->arrays; i++)
        if (!strcmp(c->a[i].key, "type"))
            o.type = (tnn_optimizer_type)(TNN_SGD - 1 + (int)c->a[i].v[0]);
        else if (!strncmp(c->a[i].key, "o.", 2)) set_option(&o, c->a[i].key + 2, c->a[i].v[0]);
    return o;
}

/* ==== THE RULES =============================================================================== */

/* As an option of a layer: 0 is one that was given. */
static float factor(vectors *c, const char *key, int i)
{
    return number(c, key, i) > 0 ? number(c, key, i) : (float)TNN_ZERO;
}
static void one_rule(vectors *c)
{
    static const char *const keys[] = {"layer0", NULL, "layer2", "layer3"};
    const tnn_optimizer o = options_of(c);
    float w[COUNT], before[COUNT], seen[3*34], again[COUNT];
    tnn_layer factors[4];
    tnn_net *net;
    void *middle = NULL;                /* a checkpoint */
    size_t size = 0;
    array *layer2 = find(c, "layer2"), *change = find(c, "change"), *average = find(c, "average");
    int t, i, k, at = 0;
    memset(factors, 0, sizeof factors);
    for (i = 0; i < 4; i++)
        if (keys[i] && find(c, keys[i])) {
            factors[i].lr_scale = factor(c, keys[i], 0);
            factors[i].decay_scale = factor(c, keys[i], 1);
            factors[i].frozen = integer(c, keys[i], 2);
        }
    net = small_net(&o, factors, strncmp(c->name, "Keras", 5) ? TNN_PYTORCH : TNN_KERAS);
    if (layer2) DO(tnn_set_group(net, "2.", layer2->v[0], layer2->v[1], (int)layer2->v[2]));
    start(net);
    read_all(net, 0, before);
    for (t = 1; t <= STEPS; t++) {
        if (change && t == (int)change->v[0]) {
            DO(tnn_set_lr(net, change->v[1]));
            DO(tnn_set_momentum(net, change->v[2]));
            CHECK(tnn_lr(net) == change->v[1] && tnn_momentum(net) == change->v[2], "%s", c->name);
        }
        DO(step(net, t));
        read_all(net, 0, w);
        if (t == 1 || t == 5 || t == STEPS) for (i = 0; i < COUNT; i += 6) seen[at++] = w[i];
        if (t == 12) {
            size = tnn_format_checkpoint(net, NULL, 0, NULL);
            middle = malloc(size);
            CHECK(tnn_format_checkpoint(net, middle, size, NULL) == size, "%s", tnn_error());
        }
    }
    /* Lion adds one and the same number to a weight again and again: so do the rounding errors.
       The rule in float32 by numpy or torch ends 1.34e-6, 1.56e-6 and 1.32e-6 off in these cases */
    expect(c, "trajectory", seen, o.type == TNN_LION ? 2e-6 : 1e-6);
    CHECK_REPEATS(c->name, w, COUNT);
    /* frozen ones have kept their bits */
    for (i = k = 0; k < tnn_param_count(net); i += tnn_param_info(net, k++).count) {
        const tnn_param p = tnn_param_info(net, k);
        const int layer = p.name[0] - '0';
        if (layer == 2 && layer2 ? layer2->v[2] > 0 : factors[layer].frozen)
            CHECK_SAME(c->name, w + i, before + i, (size_t)p.count*sizeof *w);
    }
    if (average) {
        float got[34];
        DO(tnn_use_average(net, 1));
        DO(tnn_use_average(net, 1));
        read_all(net, 0, again);
        for (i = at = 0; i < COUNT; i += 6) got[at++] = again[i];
        expect(c, "average", got, 1e-6);
        CHECK_REPEATS(c->name, again, COUNT);
        CHECK(step(net, 51) == TNN_ERROR_ARGUMENT && strstr(tnn_error(), "averaged weights are in"),
              "%s: trained the average: %s", c->name, tnn_error());
        tnn_clear_error();
        DO(tnn_use_average(net, 0));
        read_all(net, 0, again);
        CHECK_SAME(c->name, again, w, sizeof w);
    } else {
        CHECK(tnn_use_average(net, 1) == TNN_ERROR_ARGUMENT, "%s: an average", c->name);
        tnn_clear_error();
    }
    /* the same again from the middle */
    DO(tnn_parse_checkpoint(net, middle, size, NULL));
    free(middle);
    for (t = 13; t <= STEPS; t++) DO(step(net, t));
    read_all(net, 0, again);
    CHECK_SAME(c->name, again, w, sizeof w);
    check_padding(c->name, net);
    tnn_free(net);
}

static void rules(void)
{
    char seen[TNN_CUSTOM - TNN_SGD + 2] = {0};      /* the vectors count from 1 */
    int type;
    vectors *c;
    load("optimizers_rules.txt");
    CHECK(case_count > 90, "%d cases", case_count);
    for (c = cases; c < cases + case_count; c++) {
        one_rule(c);
        seen[(int)number(c, "type", 0)] = 1;
    }
    for (type = TNN_SGD; type < TNN_LBFGS; type++)          /* Sophia, L-BFGS, custom: below */
        CHECK(seen[type - TNN_SGD + 1] || type == TNN_SOPHIA, "no case of rule %d",
              type - TNN_SGD + 1);
    test_release_all();
}


/* ==== RULES THAT RUN THE NETWORK AGAIN ======================================================== */

static void lbfgs(void)
{
    enum { INPUTS = 6, N = 30, ALL = 6*9 + 9 + 9*4 + 4 };
    vectors *c;
    load("optimizers_lbfgs.txt");
    CHECK(case_count == 10, "%d cases", case_count);
    for (c = cases; c < cases + case_count; c++) {
        float x[N*INPUTS], w[ALL];
        int labels[N], t, i, k;
        char key[20];
        tnn_optimizer o = options_of(c);
        tnn_net *net = tnn_create(.input = {INPUTS}, .batch = N);
        o.type = TNN_LBFGS;
        tnn_add(net, TNN_DENSE, .units = 9);
        tnn_add(net, TNN_LEAKY_RELU, .slope = 0.25f);
        tnn_add(net, TNN_DENSE, .units = 4);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        DO(tnn_set_optimizer_with(net, &o));
        DO(tnn_build(net));
        for (k = 0; k < 4; k++) {
            const tnn_param p = tnn_param_info(net, k);
            test_fill(w, (size_t)p.count, (uint32_t)(13000 + k));
            for (i = 0; i < p.count; i++) w[i] /= 2;
            DO(tnn_set_param(net, p.name, w, p.count));
        }
        for (t = 0; t < 3; t++) {
            const int made = allocations;
            test_fill(x, N*INPUTS, (uint32_t)(13100 + t/2));
            for (i = 0; i < N; i++) {
                labels[i] = 0;
                for (k = 1; k < 4 && i%3; k++)
                    if (x[i*INPUTS + k] > x[i*INPUTS + labels[i]]) labels[i] = k;
            }
            tnn_train_batch(net, x, labels, N);
            CHECK(!tnn_failed(), "%s: %s", c->name, tnn_error());
            CHECK(made == allocations, "%s: allocates in a step", c->name);
            read_all(net, 0, w);
            snprintf(key, sizeof key, "step%d", t);
            /* up to 25 evaluations a step, each from the rounding errors of the one before: PyTorch
               in float32 is itself `float32` off, 2e-6 after the first step of the first case and
               2.4e-5 after the third (here 7.5e-6 after the first) */
            CHECK_CLOSE(key, w, get(c, key)->v, ALL, 1e-6 + 8*get(c, "float32")->v[t]);
            CHECK_REPEATS_TO(c->name, w, ALL, 1e3);
        }
        check_padding(c->name, net);
        tnn_free(net);
    }
}

/* L-BFGS leaves frozen layers alone, and its line search lowers the loss of the batch. */
static void lbfgs_frozen(void)
{
    float x[8*4], before[12], after[12], w[12], first = 0;
    int labels[8], i;
    tnn_net *net = tnn_create(.input = {4}, .batch = 8, .seed = 5);
    tnn_add(net, TNN_DENSE, .units = 3, .frozen = 1);
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_LBFGS, .strong_wolfe = 1);
    test_fill(x, 8*4, 1);
    for (i = 0; i < 8; i++) labels[i] = i%3;
    tnn_get_param(net, "0.weight", before, 12);
    before[3] = -0.0f;
    tnn_set_param(net, "0.weight", before, 12);
    for (i = 0; i < 3; i++) {
        const float loss = (float)tnn_train_batch(net, x, labels, 8);
        CHECK(i == 0 || loss < first, "loss %g after %g", (double)loss, (double)first);
        first = loss;
    }
    tnn_get_param(net, "0.weight", after, 12);
    CHECK_SAME("frozen", after, before, sizeof after);
    tnn_get_param(net, "1.weight", w, 9);
    CHECK_REPEATS_TO("w", w, 9, 1e5);
    tnn_free(net);
}

/* After a step that failed, because lr was far too large, L-BFGS tries again as if it had not
   been. */
static void lbfgs_after_failure(void)
{
    float x[2][8*4], w[2][12];
    int labels[8], i, k, wolfe;
    for (i = 0; i < 2; i++) test_fill(x[i], 8*4, (uint32_t)i);
    for (i = 0; i < 8; i++) labels[i] = i%3;
    for (wolfe = 0; wolfe < 2; wolfe++) {
        for (k = 0; k < 2; k++) {
            tnn_net *net = tnn_create(.input = {4}, .batch = 8, .seed = 5);
            tnn_add(net, TNN_DENSE, .units = 3, .no_bias = 1);
            tnn_set_loss(net, TNN_MSE);
            tnn_set_optimizer(net, TNN_LBFGS, .strong_wolfe = wolfe, .max_iter = 3);
            for (i = 0; i < 4; i++) {
                if (k && i%2 == 0) {            /* before the first and the third step */
                    tnn_set_lr(net, 9e29);
                    tnn_train_batch(net, x[i > 0], labels, 8);
                    CHECK(tnn_failed() == TNN_ERROR_NUMBER, "lr of 9e29: %s", tnn_error());
                    tnn_clear_error();
                    tnn_set_lr(net, 0.5);
                }
                if (!k) tnn_set_lr(net, 0.5);
                tnn_train_batch(net, x[1], labels, 8);
            }
            CHECK(!tnn_failed(), "%s", tnn_error());
            tnn_get_param(net, "0.weight", w[k], 12);
            tnn_free(net);
        }
        CHECK_SAME("after a failure", w[1], w[0], sizeof w[0]);
    }
}

/* Sophia on softmax regression, worked in double here, with the labels that it draws. */
static void sophia(void)
{
    enum { IN = 5, OUT = 3, N = 12 };
    float x[N*IN], w[OUT*IN], gradient_kept[OUT*IN];
    double p[OUT*IN], m[OUT*IN] = {0}, h[OUT*IN] = {0}, g[OUT*IN];
    int labels[N], drawn[N], t, i, k, s, correct;
    tnn_net *net = tnn_create(.input = {IN}, .batch = N, .seed = 9);
    tnn_add(net, TNN_DENSE, .units = OUT, .no_bias = 1);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SOPHIA, .lr = 0.05, .gamma = 0.3, .beta2 = 0.9, .interval = 3,
                      .weight_decay = 0.2);
    test_fill(w, OUT*IN, 3);
    tnn_set_param(net, "0.weight", w, OUT*IN);
    for (i = 0; i < OUT*IN; i++) p[i] = w[i];
    for (t = 1; t <= 10; t++) {
        const int *of[2];
        int pass;
        test_fill(x, N*IN, (uint32_t)(50 + t));
        for (s = 0; s < N; s++) labels[s] = (s + t)%OUT;
        of[0] = drawn; of[1] = labels;
        for (pass = 0; pass < 2; pass++) {          /* for the labels drawn, the true ones */
            for (i = 0; i < OUT*IN; i++) g[i] = 0;
            for (s = 0; s < N; s++) {
                double e[OUT], sum = 0, below = 0, u;
                for (k = 0; k < OUT; k++) {
                    double y = 0;
                    for (i = 0; i < IN; i++) y += p[k*IN + i]*(double)x[s*IN + i];
                    sum += e[k] = exp(y);
                }
                u = (double)tnn_random_uniform(9, (uint64_t)t << 20 | 1u << 18, (uint64_t)s);
                for (k = 0; k < OUT - 1 && (below += e[k]) <= u*sum; k++) {}
                if (!pass) drawn[s] = k;
                for (k = 0; k < OUT; k++)
                    for (i = 0; i < IN; i++)
                        g[k*IN + i] += (e[k]/sum - (of[pass][s] == k))*(double)x[s*IN + i]/N;
            }
            if (!pass && t%3 == 1)
                for (i = 0; i < OUT*IN; i++) h[i] = 0.9*h[i] + 0.1*N*g[i]*g[i];
        }
        for (i = 0; i < OUT*IN; i++) {
            double ratio;
            m[i] = 0.965*m[i] + 0.035*g[i];
            ratio = m[i]/(0.3*h[i] + 1e-15);
            p[i] = p[i]*(1 - 0.05*0.2) - 0.05*(ratio > 1 ? 1 : ratio < -1 ? -1 : ratio);
        }
        tnn_forward(net, x, N, TNN_TRAIN);
        tnn_loss(net, labels);
        tnn_backward(net);
        correct = tnn_correct(net);
        tnn_step(net);
        CHECK(correct == tnn_correct(net), "the drawn labels count as correct ones");
        tnn_get_grad(net, "0.weight", gradient_kept, OUT*IN);
        CHECK_CLOSE("gradient", gradient_kept, g, OUT*IN, 1e-5);
        tnn_get_param(net, "0.weight", w, OUT*IN);
        CHECK_CLOSE("Sophia", w, p, OUT*IN, 1e-5);
        CHECK_REPEATS("Sophia", w, OUT*IN);
    }
    check_padding("Sophia", net);
    tnn_free(net);
}

/* ==== A RULE OF ONE'S OWN ===================================================================== */

/* Heavy ball with decay, and what it was given. */
static long long steps_seen;
static void heavy_ball(const tnn_update_run *r)
{
    const float beta = *(const float *)r->user;
    size_t i;
    for (i = 0; i < r->n; i++) {
        r->state[0][i] = beta*r->state[0][i] + r->g[i] + (float)r->weight_decay*r->w[i];
        r->w[i] -= (float)r->lr*r->state[0][i];
    }
    steps_seen = r->step;
}

static void custom(void)
{
    float beta = 0.9f, w[COUNT], want[COUNT];
    double wide[COUNT];
    tnn_optimizer o, sgd;
    tnn_net *net, *same;
    int t, i;
    memset(&o, 0, sizeof o);
    o.type = TNN_CUSTOM;
    o.update = heavy_ball;
    o.user = &beta;
    o.states = 1;
    o.lr = 0.02;
    o.weight_decay = 0.125;
    memset(&sgd, 0, sizeof sgd);
    sgd.type = TNN_SGD;
    sgd.momentum = 0.9;
    sgd.lr = 0.02;
    sgd.weight_decay = 0.125;
    net = small_net(&o, NULL, TNN_PYTORCH);
    same = small_net(&sgd, NULL, TNN_PYTORCH);
    CHECK(tnn_set_group(net, "2.", 0.5, 2, 0) == TNN_OK
          && tnn_set_group(same, "2.", 0.5, 2, 0) == TNN_OK
          && tnn_set_group(net, "3.bias", 1, 1, 1) == TNN_OK
          && tnn_set_group(same, "3.bias", 1, 1, 1) == TNN_OK, "%s", tnn_error());
    start(net);
    start(same);
    for (t = 1; t <= 20; t++) {
        CHECK(step(net, t) == TNN_OK && step(same, t) == TNN_OK, "%s", tnn_error());
        CHECK(steps_seen == t, "step %d is called %d", t, (int)steps_seen);
    }
    read_all(net, 0, w);
    read_all(same, 0, want);
    for (i = 0; i < COUNT; i++) wide[i] = (double)want[i];
    CHECK_CLOSE("own rule", w, wide, COUNT, 1e-6);
    check_padding("own rule", net);
    tnn_free(net);
    tnn_free(same);
}

/* ==== GRADIENTS =============================================================================== */

/* Three batches of 4 accumulated, in either order of calls, are one batch of 12. */
static void accumulation(void)
{
    float x[12*SAMPLE], got[COUNT], before[COUNT], mean[COUNT], want[COUNT];
    double wide[COUNT];
    int labels[12], form, i, k;
    tnn_optimizer o;
    tnn_net *net, *whole = tnn_create(.input = {3, 3, 2}, .batch = 12);
    tnn_add(whole, TNN_CONV2D, .filters = 6, .kernel_h = 3, .kernel_w = 2);
    tnn_add(whole, TNN_FLATTEN);
    tnn_add(whole, TNN_DENSE, .units = 7);
    tnn_add(whole, TNN_DENSE, .units = 5);
    tnn_set_loss(whole, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(whole, TNN_SGD, .lr = 0.5);
    tnn_build(whole);
    start(whole);
    test_fill(x, 12*SAMPLE, 77);
    for (i = 0; i < 12; i++) labels[i] = i%5;
    for (k = 0; k < 2; k++) tnn_train_batch(whole, x, labels, 12);
    read_all(whole, 0, want);
    for (i = 0; i < COUNT; i++) wide[i] = (double)want[i];
    memset(&o, 0, sizeof o);
    o.type = TNN_SGD;
    o.lr = 0.5;
    o.accumulate = 3;
    for (form = 0; form < 2; form++) {
        net = small_net(&o, NULL, TNN_PYTORCH);
        start(net);
        for (k = 0; k < 6; k++) {
            read_all(net, 0, before);
            tnn_forward(net, x + k%3*4*SAMPLE, 4, TNN_TRAIN);
            tnn_loss(net, labels + k%3*4);
            tnn_backward(net);
            read_all(net, 1, mean);
            if (form == 0 || k%3 == 2) CHECK(tnn_step(net) == TNN_OK, "%s", tnn_error());
            read_all(net, 0, got);
            CHECK((k%3 == 2) == !!memcmp(got, before, sizeof got), "batch %d", k);
        }
        CHECK_CLOSE("accumulated", got, wide, COUNT, 1e-6);
        CHECK_REPEATS("accumulated", got, COUNT);
        read_all(whole, 1, want);
        for (i = 0; i < COUNT; i++) wide[i] = (double)want[i];
        CHECK_CLOSE("mean gradient", mean, wide, COUNT, 1e-5);
        read_all(whole, 0, want);
        for (i = 0; i < COUNT; i++) wide[i] = (double)want[i];
        /* a gradient check or a search for lr among them neither sees nor leaves anything */
        for (k = 0; k < 2; k++) {
            tnn_forward(net, x, 4, TNN_TRAIN);
            tnn_loss(net, labels);
            tnn_backward(net);
        }
        tnn_forward(net, x + 8*SAMPLE, 4, TNN_TRAIN);
        tnn_loss(net, labels + 8);
        CHECK(tnn_gradient_check(net, x + 4*SAMPLE, labels + 4, 4, 20) < 1e-4, "%s", tnn_error());
        {
            const float bad[4*SAMPLE] = {NAN};
            double lr[5], losses[5];
            tnn_lr_finder f = {.steps = 5, .lr = lr, .loss = losses};
            tnn_data data = tnn_data_view(NULL, x, labels, 8, 3, 3, 2);
            tnn_loader *loader = tnn_loader_create(&data, .batch = 4);
            CHECK(tnn_lr_find(net, loader, &f) > 0, "%s", tnn_error());
            tnn_loader_free(loader);
            CHECK(!(tnn_gradient_check(net, bad, labels, 4, 20) >= 0), "NaN");
            tnn_clear_error();
        }
        tnn_backward(net);
        CHECK(tnn_step(net) == TNN_OK, "%s", tnn_error());
        read_all(net, 0, got);
        CHECK_REPEATS("accumulated", got, COUNT);
        for (k = 0; k < 3; k++) {           /* nothing was: it takes three again */
            memcpy(before, got, sizeof got);
            tnn_train_batch(net, x, labels, 4);
            read_all(net, 0, got);
            CHECK((k == 2) == !!memcmp(got, before, sizeof got), "batch %d of three more", k);
        }
        tnn_free(net);
    }
    tnn_free(whole);
}

static void clipping(void)
{
    float g[COUNT], got[COUNT], x[SAMPLE] = {1, 2, 3};
    double want[COUNT], sum = 0, norm, tensor;
    int label = 2, i, k, at;
    tnn_optimizer o;
    tnn_net *net;
    memset(&o, 0, sizeof o);
    o.type = TNN_SGD;
    net = small_net(&o, NULL, TNN_PYTORCH);
    CHECK(tnn_clip_grad(net, TNN_CLIP_NORM, 1) != tnn_clip_grad(net, TNN_CLIP_NORM, 1)
          && strstr(tnn_error(), "tnn_clip_grad: comes after tnn_backward"), "%s", tnn_error());
    tnn_clear_error();
    tnn_forward(net, x, 1, TNN_TRAIN);
    tnn_loss(net, &label);
    tnn_backward(net);
    test_fill(g, COUNT, 5);
    for (i = 0; i < COUNT; i++) sum += (double)g[i]*(double)g[i];
    norm = sqrt(sum);
    write_grads(net, g);
    CHECK_NEAR("norm", tnn_clip_grad(net, TNN_CLIP_NORM, HUGE_VAL), norm, 1e-7);
    read_all(net, 1, got);
    CHECK_SAME("measured only", got, g, sizeof g);
    CHECK_NEAR("norm", tnn_clip_grad(net, TNN_CLIP_NORM, 1.5), norm, 1e-7);
    CHECK_NEAR("kept", tnn_grad_norm(net), norm, 1e-7);
    read_all(net, 1, got);
    for (i = 0; i < COUNT; i++) want[i] = (double)g[i]*1.5/(norm + 1e-6);
    CHECK_CLOSE("by norm", got, want, COUNT, 2e-7);
    CHECK_REPEATS("by norm", got, COUNT);
    write_grads(net, g);
    tnn_clip_grad(net, TNN_CLIP_VALUE, 0.25);
    read_all(net, 1, got);
    for (i = 0; i < COUNT; i++)
        want[i] = g[i] > 0.25f ? 0.25 : g[i] < -0.25f ? -0.25 : (double)g[i];
    CHECK_CLOSE("by value", got, want, COUNT, 0);
    write_grads(net, g);
    tnn_clip_grad(net, TNN_CLIP_TENSOR, 1.25);
    read_all(net, 1, got);
    for (k = at = 0; k < tnn_param_count(net); at += tnn_param_info(net, k++).count) {
        const int n = tnn_param_info(net, k).count;
        for (tensor = 0, i = at; i < at + n; i++) tensor += (double)g[i]*(double)g[i];
        tensor = fmin(1, 1.25/(sqrt(tensor) + 1e-6));
        for (i = at; i < at + n; i++) want[i] = (double)g[i]*tensor;
    }
    CHECK_CLOSE("by tensor", got, want, COUNT, 2e-7);
    /* frozen ones neither count nor change */
    tnn_set_group(net, "", 1, 1, 1);
    tnn_set_group(net, "2.bias", 1, 1, 0);
    write_grads(net, g);
    for (sum = 0, i = 156; i < 163; i++) sum += (double)g[i]*(double)g[i];
    CHECK_NEAR("norm of the rest", tnn_clip_grad(net, TNN_CLIP_NORM, 0.1), sqrt(sum), 1e-7);
    read_all(net, 1, got);
    CHECK_SAME("frozen", got, g, 156*sizeof *g);
    tnn_free(net);
}

/* ==== FROZEN LAYERS =========================================================================== */

/* Networks with frozen layers below, between and beside trained ones; instead of being frozen they
   may have a learning rate of 0. */
static tnn_net *frozen_net(int kind, int frozen)
{
    const float lr = frozen ? 0 : (float)TNN_ZERO;
    tnn_net *net = tnn_create(.input = {4, 6, 6}, .batch = 5, .seed = 4);
#define FROZEN .frozen = frozen, .lr_scale = lr
    if (kind == 0) {                                        /* a trunk, then a head */
        tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .pad = 1, .l2 = 0.1f, FROZEN);
        tnn_add(net, TNN_BATCHNORM, FROZEN);
        tnn_add(net, TNN_RELU);
        tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .pad = 1, FROZEN);
        tnn_add(net, TNN_RELU);
        tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
        tnn_add(net, TNN_DENSE, .units = 9, FROZEN);
        tnn_add(net, TNN_RELU);
        tnn_add(net, TNN_DENSE, .units = 7);
    } else if (kind == 1) {                                 /* each kind above a trained layer */
        tnn_add(net, TNN_CONV2D, .filters = 6, .kernel = 3);
        tnn_add(net, TNN_BATCHNORM, FROZEN);
        tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 2, .drop_connect = 0.3f, FROZEN);
        tnn_add(net, TNN_PRELU, FROZEN);
        tnn_add(net, TNN_CONV_TRANSPOSE2D, .filters = 4, .kernel = 2, FROZEN);
        tnn_add(net, TNN_PRELU, .per_channel = 1, FROZEN);
        tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 3, .pad = 1, .groups = 4, FROZEN);
        tnn_add(net, TNN_GROUPNORM, .groups = 2, FROZEN);
        tnn_add(net, TNN_SCALE, FROZEN);
        tnn_add(net, TNN_DENSE, .units = 8, FROZEN);
        tnn_add(net, TNN_LAYERNORM, FROZEN);
        tnn_add(net, TNN_DENSE, .units = 7);
    } else {                                                /* one of two branches */
        tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 3, .pad = 1, FROZEN);
        tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 3, .pad = 1);
        tnn_add(net, TNN_BATCHNORM, .from = 1, FROZEN);
        tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 1, FROZEN);
        tnn_add(net, TNN_ADD, .from = 2);
        tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 1, FROZEN);
        tnn_add(net, TNN_CONCAT, .from = 1);
        tnn_add(net, TNN_DENSE, .units = 7);
    }
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.1);
    return net;
}

static void frozen_layers(void)
{
    enum { N = 5, ALL = 5000 };
    static float x[N*144], w[2][ALL], g[2][ALL];
    static const int labels[N] = {0, 6, 3, 3, 1};
    static const int frozen_at[] = {0x4b, 0x7fe, 0x2d};     /* a bit for each layer */
    int kind, t, i, k, frozen;
    test_fill(x, N*144, 77);
    for (kind = 0; kind < 3; kind++) {
        tnn_net *net[2];
        for (frozen = 0; frozen < 2; frozen++) {
            net[frozen] = frozen_net(kind, frozen);
            CHECK(tnn_build(net[frozen]) == TNN_OK, "%d: %s", kind, tnn_error());
        }
        for (t = 0; t < 6; t++) {
            if (t == 2 || t == 4)                           /* all trained; then but the first */
                for (frozen = 0; frozen < 2; frozen++)
                    tnn_set_group(net[frozen], t == 2 ? "" : "0.", t == 2 || frozen, 1,
                                  t == 4 && frozen);
            for (frozen = 0; frozen < 2; frozen++) {
                tnn_train_batch(net[frozen], x, labels, N);
                CHECK(!tnn_failed(), "%d: %s", kind, tnn_error());
            }
            for (i = k = 0; i < tnn_param_count(net[1]); i++) {
                const tnn_param p = tnn_param_info(net[1], i);
                const size_t bytes = (size_t)p.count*sizeof(float);
                for (frozen = 0; frozen < 2; frozen++) {
                    tnn_get_param(net[frozen], p.name, w[frozen] + k, p.count);
                    if (!p.buffer) tnn_get_grad(net[frozen], p.name, g[frozen], p.count);
                }
                CHECK_SAME(p.name, w[1] + k, w[0] + k, bytes);
                if (p.buffer) continue;
                if (t < 2 ? frozen_at[kind] >> atoi(p.name) & 1
                    : t > 3 && !strncmp(p.name, "0.", 2)) memset(g[0], 0, bytes);
                CHECK_SAME(p.name, g[1], g[0], bytes);
                k += p.count;
            }
        }
        CHECK_REPEATS("weights", w[1], (size_t)k);
        /* a frozen layer's 0 against its true gradient would give 1 */
        CHECK(tnn_gradient_check(net[1], x, labels, N, 50) < 1e-3, "%d: gradients", kind);
        tnn_free(net[0]);
        tnn_free(net[1]);
    }
    {   /* nothing is trained; penalties and constraints leave frozen weights alone */
        tnn_net *net = tnn_create(.input = {4}, .batch = 2);
        tnn_add(net, TNN_DENSE, .units = 3, .frozen = 1, .constraint = TNN_UNIT_NORM, .l1 = 1);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net, TNN_SGD, .lr = 1);
        tnn_get_param(net, "0.weight", w[0], 12);
        for (t = 0; t < 2; t++) tnn_train_batch(net, x, labels, 1);
        CHECK(!tnn_failed(), "%s", tnn_error());
        tnn_get_param(net, "0.weight", w[1], 12);
        CHECK_SAME("all frozen", w[1], w[0], 12*sizeof(float));
        CHECK(tnn_penalty(net) > 0, "the penalty of a frozen layer is part of the loss");
        tnn_free(net);
    }
}

/* ==== LARGE: THREADS ========================================================================== */

static void large(void)
{
    enum { IN = 150, HIDDEN = 301, OUT = 20, N = 3 };
    static float x[N*IN], g[IN*HIDDEN], w[IN*HIDDEN];
    static const int labels[N] = {3, 1, 2};
    int type, t;
    test_fill(x, N*IN, 8);
    for (type = TNN_SGD; type < TNN_CUSTOM; type++) {
        char what[40];
        int made;
        tnn_optimizer o;
        tnn_net *net = tnn_create(.input = {IN}, .batch = N, .seed = 2);
        memset(&o, 0, sizeof o);
        o.type = (tnn_optimizer_type)type;
        o.lr = type == TNN_LBFGS ? 1 : 0.01;
        o.momentum = type == TNN_SGD || type == TNN_RMSPROP ? 0.9 : 0;
        if (type == TNN_LBFGS) o.max_iter = 3, o.history = 2, o.strong_wolfe = 1;
        else if (type != TNN_RPROP) o.clip_norm = 5;
        if (type == TNN_SOPHIA) o.interval = 2;
        o.ema = 0.9;
        o.lookahead = 2;
        tnn_add(net, TNN_DENSE, .units = HIDDEN);
        tnn_add(net, TNN_DENSE, .units = OUT, .lr_scale = 0.5f);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        CHECK(tnn_set_optimizer_with(net, &o) == TNN_OK && tnn_build(net) == TNN_OK, "%s",
              tnn_error());
        snprintf(what, sizeof what, "rule %d", type - TNN_SGD + 1);
        made = allocations;
        for (t = 1; t <= 3; t++) {
            tnn_forward(net, x, N, TNN_TRAIN);
            tnn_loss(net, labels);
            tnn_backward(net);
            test_fill(g, IN*HIDDEN, (uint32_t)t);
            if (type != TNN_LBFGS) write_grad(net, 0, g);
            CHECK(tnn_step(net) == TNN_OK, "%s: %s", what, tnn_error());
        }
        CHECK(made == allocations, "%s allocates in a step", what);
        tnn_get_param(net, "0.weight", w, IN*HIDDEN);
        CHECK_REPEATS_TO(what, w, IN*HIDDEN, 1e4);
        CHECK(tnn_use_average(net, 1) == TNN_OK, "%s", tnn_error());
        tnn_get_param(net, "0.weight", w, IN*HIDDEN);
        CHECK_REPEATS_TO(what, w, IN*HIDDEN, 1e4);
        tnn_free(net);
    }
}

/* ==== ADAFACTOR AND MUON ON TENSORS OF MANY PANELS ============================================ */

enum { TENSOR = 130*120 };

/* One step of a tensor (n matrices of rows x cols; a vector: 1 x 1) by the formulas of 1e. */
static void adafactor_step(int n, int rows, int cols, int t, const float *g, double *w, double *R,
                           double *C)
{
    static double u[TENSOR];
    const double b = pow(t, -0.8), eps = ldexp(1, -23);
    double size = 0, squares = 0;
    int m, i, j;
    for (m = 0; m < n; m++, R += rows, C += cols) {
        const float *x = g + m*rows*cols;
        double mean = 0;
        for (i = 0; i < rows; i++) R[i] *= 1 - b;
        for (j = 0; j < cols; j++) C[j] *= 1 - b;
        for (i = 0; i < rows*cols; i++) {
            R[i/cols] += b*x[i]*x[i]/cols;
            C[i%cols] += b*x[i]*x[i]/rows;
        }
        for (i = 0; i < rows; i++) mean += R[i]/rows;
        for (i = 0; i < rows*cols; i++) {
            const double v = rows*cols > 1 ? R[i/cols]*C[i%cols]/fmax(mean, eps) : R[0];
            u[m*rows*cols + i] = x[i]/sqrt(fmax(v, eps*eps));
        }
    }
    n *= rows*cols;
    for (i = 0; i < n; i++) {
        squares += u[i]*u[i];
        size += w[i]*w[i];
    }
    for (i = 0; i < n; i++)
        w[i] -= fmax(1e-3, sqrt(size/n))*fmin(0.02, 1/sqrt(t))*u[i]/fmax(1, sqrt(squares/n));
}

/* x (rows, cols) to its direction, by 1e's iteration. */
static void orthogonalize(int rows, int cols, double *x)
{
    static double a[130*130], c[130*130], y[TENSOR];
    const int wide = rows > cols, m = wide ? cols : rows, n = wide ? rows : cols;
    double norm = 0;
    int i, j, k, t;
#define X(i, k) x[wide ? (k)*cols + (i) : (i)*cols + (k)]
    for (i = 0; i < m*n; i++) norm += x[i]*x[i];
    for (i = 0; i < m*n; i++) x[i] /= sqrt(norm);
    for (t = 0; t < 5; t++) {
        for (i = 0; i < m*m; i++)
            for (a[i] = 0, k = 0; k < n; k++) a[i] += X(i/m, k)*X(i%m, k);
        for (i = 0; i < m*m; i++)
            for (c[i] = -4.775*a[i], k = 0; k < m; k++) c[i] += 2.0315*a[i/m*m + k]*a[k*m + i%m];
        for (i = 0; i < m; i++)
            for (j = 0; j < n; j++)
                for (y[i*n + j] = 3.4445*X(i, j), k = 0; k < m; k++)
                    y[i*n + j] += c[i*m + k]*X(k, j);
        for (i = 0; i < m; i++) for (j = 0; j < n; j++) X(i, j) = y[i*n + j];
    }
#undef X
}

static tnn_net *whole_net(int type)
{
    tnn_net *net = tnn_create(.input = {5, 6, 7}, .batch = 1, .seed = 3);
    tnn_add(net, TNN_LAYERNORM);
    tnn_add(net, TNN_CONV2D, .filters = 40, .kernel_h = 3, .kernel_w = 2);
    tnn_add(net, TNN_CONV2D, .filters = 40, .kernel = 3, .groups = 2);
    tnn_add(net, TNN_CONV2D, .filters = 40, .kernel = 2, .groups = 40);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 130);
    tnn_add(net, TNN_DENSE, .units = 17);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, (tnn_optimizer_type)type, .lr = 0.02, .weight_decay = TNN_ZERO);
    CHECK(tnn_build(net) == TNN_OK, "%s", tnn_error());
    return net;
}
/* Each tensor in a network of its own, from the first step on. */
static void whole_tensors(void)
{
    static double w[TENSOR], R[TENSOR], C[TENSOR], x[TENSOR];
    static float g[TENSOR], got[TENSOR], image[5*6*7];
    const int label = 1;
    int type, i, k, t;
    for (type = TNN_ADAFACTOR; type <= TNN_MUON; type++)
        for (i = 0; i < 12; i++) {
            tnn_net *net = whole_net(type);
            const tnn_param p = tnn_param_info(net, i);
            const int cols = p.ndim > 1 ? p.dims[p.ndim - 1] : 1;
            const int rows = p.ndim > 1 ? p.dims[p.ndim - 2] : 1;
            const int steps = type == TNN_ADAFACTOR ? 3 : p.ndim == 2 ? 1 + (p.count < 5000) : 0;
            CHECK(tnn_param_count(net) == 12, "%d tensors", tnn_param_count(net));
            memset(R, 0, sizeof R);
            memset(C, 0, sizeof C);
            tnn_get_param(net, p.name, got, p.count);
            for (k = 0; k < p.count; k++) w[k] = got[k];
            for (t = 1; t <= steps; t++) {
                tnn_forward(net, image, 1, TNN_TRAIN);
                tnn_loss(net, &label);
                tnn_backward(net);
                test_fill(g, (size_t)p.count, (uint32_t)(i + 10*t));
                write_grad(net, i, g);
                CHECK(tnn_step(net) == TNN_OK, "%s", tnn_error());
                if (type == TNN_ADAFACTOR)
                    adafactor_step(p.count/rows/cols, rows, cols, t, g, w, R, C);
                else {
                    for (k = 0; k < p.count; k++) {
                        R[k] = 0.95*R[k] + 0.05*g[k];
                        x[k] = 0.95*R[k] + 0.05*g[k];
                    }
                    orthogonalize(rows, cols, x);
                    for (k = 0; k < p.count; k++)
                        w[k] -= 0.02*sqrt(fmax(1, (double)rows/cols))*x[k];
                }
            }
            tnn_get_param(net, p.name, got, p.count);
            CHECK_CLOSE(p.name, got, w, (size_t)p.count, 1e-6);
            CHECK_REPEATS_TO(p.name, got, (size_t)p.count, 1e4);
            check_padding(p.name, net);
            tnn_free(net);
        }
}

/* ==== OPTIONS ================================================================================= */

static void refused(void)
{
#define REFUSES(text, ...) do { \
        tnn_net *net = tnn_create(.input = {3}); \
        tnn_add(net, TNN_DENSE, .units = 2); \
        tnn_set_loss(net, TNN_CROSS_ENTROPY); \
        CHECK(tnn_set_optimizer(net, __VA_ARGS__) == TNN_ERROR_ARGUMENT, "taken: %s", text); \
        CHECK(strstr(tnn_error(), text), "\"%s\" instead of \"%s\"", tnn_error(), text); \
        tnn_clear_error(); \
        tnn_free(net); } while (0)
    size_t i;
    REFUSES("99 is not an optimizer", (tnn_optimizer_type)99);
    REFUSES("tnn_set_optimizer: .beta1 = 1 must be in [0, 1)", TNN_LION, .beta1 = 1);
    REFUSES(".beta3 = -0.5 must be in [0, 1)", TNN_ADAN, .beta3 = -0.5);
    REFUSES(".eps = -1 must be in [0, 1e30)", TNN_ADAM, .eps = -1);
    REFUSES(".alpha = nan must be in [0, 1e30)", TNN_RMSPROP, .alpha = HUGE_VAL - HUGE_VAL);
    REFUSES(".rho = 1.5 must be in [0, 1]", TNN_ADADELTA, .rho = 1.5);
    REFUSES(".eta_plus = 0.5 must be in [1, 1e30)", TNN_RPROP, .eta_plus = 0.5);
    REFUSES(".step_min = 2 is larger than .step_max = 1", TNN_RPROP, .step_min = 2, .step_max = 1);
    REFUSES(".clip_threshold = 0.5 must be in [1, 1e30)", TNN_ADAFACTOR,
            .clip_threshold = 0.5);
    REFUSES(".beta2_decay = 0.8 must be in [-100,", TNN_ADAFACTOR, .beta2_decay = 0.8);
    REFUSES(".ns_steps = 100 must be 1 to 99", TNN_MUON, .ns_steps = 100);
    REFUSES(".nesterov does nothing with .dampening", TNN_LARS, .nesterov = 1,
            .dampening = 0.5);
    REFUSES(".momentum = 0: Schedule-Free SGD needs it between 0 and 1", TNN_SCHEDULE_FREE_SGD,
            .momentum = TNN_ZERO);
    REFUSES(".beta1 = 0: Schedule-Free AdamW needs it", TNN_SCHEDULE_FREE_ADAMW, .beta1 = TNN_ZERO);
    REFUSES("TNN_LBFGS has no .accumulate; it has .", TNN_LBFGS, .accumulate = 2);
    REFUSES("TNN_LBFGS has no .clip_norm", TNN_LBFGS, .clip_norm = 1);
    REFUSES("TNN_CUSTOM needs .update", TNN_CUSTOM, .states = 1);
    REFUSES(".states = 5 must be 0 to 4", TNN_CUSTOM, .update = heavy_ball, .states = 5);
    REFUSES(".ema = 1 must be in [0, 1)", TNN_SGD, .ema = 1);
    REFUSES(".ema = 0.9 and .swa_start = 3: there is one average", TNN_SGD, .ema = 0.9,
            .swa_start = 3);
    REFUSES(".clip_norm = -1 must be in", TNN_SGD, .clip_norm = -1);
    REFUSES(".accumulate = -2 must be 1 to", TNN_SGD, .accumulate = -2);
    REFUSES(".lookahead_alpha = -1 must be in", TNN_SGD, .lookahead = 2, .lookahead_alpha = -1);
    for (i = 0; i < sizeof rule_options/sizeof *rule_options; i++) {        /* NaN nowhere */
        const double nan = HUGE_VAL - HUGE_VAL;
        tnn_net *net;
        tnn_optimizer o;
        if (rule_options[i].type == 'i') continue;
        net = tnn_create(.input = {3});
        memset(&o, 0, sizeof o);
        o.type = TNN_SGD;
        memcpy((char *)&o + rule_options[i].at, &nan, sizeof nan);
        CHECK(tnn_set_optimizer_with(net, &o) == TNN_ERROR_ARGUMENT, "%s took NaN",
              rule_options[i].name);
        tnn_clear_error();
        tnn_free(net);
    }
}

/* A gradient that stays 0: the means of past ones end as 0, not as denormals. */
static void denormals(void)
{
    static const tnn_optimizer_type types[] = { TNN_SGD, TNN_ADAM, TNN_RMSPROP, TNN_LION };
    const float x[3] = { 1e-5f, 2e-5f, -1e-5f }, none[3] = { 0, 0, 0 };
    const int label = 1;
    int i, k;
    for (k = 0; k < 4; k++) {
        tnn_net *net = tnn_create(.input = { 3 }, .batch = 1);
        const float *state;
        size_t n;
        tnn_add(net, TNN_DENSE, .units = 2, .no_bias = 1);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        if (k == 0) tnn_set_optimizer(net, types[k], .momentum = 0.8);
        else if (k == 2) tnn_set_optimizer(net, types[k], .momentum = 0.8, .alpha = 0.8);
        else tnn_set_optimizer(net, types[k], .beta1 = 0.8, .beta2 = 0.8);
        for (i = 1; i <= 512; i++) tnn_train_batch(net, i < 64 ? x : none, &label, 1);
        state = tnn_flat(net, 2, &n);
        for (i = 0; state && i < (int)n; i++)
            if (state[i] > 0 || state[i] < 0) break;
        CHECK(state && i == (int)n, "rule %d: state %d is %g, %s", (int)types[k], i,
              state ? (double)state[i % (int)n] : 0, tnn_error());
        tnn_clear_error();
        tnn_free(net);
    }
}

/* What is frozen in the middle of Lookahead's turn keeps its bits, and has them in the average. */
static void frozen_lookahead(void)
{
    const float x = 1;
    const int label = 1;
    float before[2], w[2];
    int t;
    tnn_net *net = tnn_create(.input = {1}, .batch = 1);
    tnn_add(net, TNN_DENSE, .units = 2);
    tnn_add(net, TNN_DENSE, .units = 2);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.1, .lookahead = 3);
    for (t = 0; t < 7; t++) {
        if (t == 2) tnn_get_param(net, "0.weight", before, 2), tnn_set_group(net, "0.", 1, 1, 1);
        tnn_train_batch(net, &x, &label, 1);
    }
    tnn_get_param(net, "0.weight", w, 2);
    CHECK_SAME("frozen", w, before, sizeof w);
    CHECK(tnn_use_average(net, 1) == TNN_OK, "%s", tnn_error());
    tnn_get_param(net, "0.weight", w, 2);
    CHECK_SAME("frozen, slow", w, before, sizeof w);
    tnn_free(net);
}

static void refused_calls(void)
{
    tnn_optimizer o;
    tnn_net *net;
    memset(&o, 0, sizeof o);
    o.type = TNN_SGD;
    net = small_net(&o, NULL, TNN_PYTORCH);
    CHECK(tnn_set_momentum(net, 0.9) == TNN_ERROR_ARGUMENT
          && strstr(tnn_error(), "built for SGD without momentum"), "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_set_momentum(net, 1) == TNN_ERROR_ARGUMENT
          && strstr(tnn_error(), "momentum = 1 must be in [0, 1)"), "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_set_group(net, "7.", 1, 1, 0) == TNN_ERROR_ARGUMENT
          && strstr(tnn_error(), "no parameter's name begins with \"7.\""), "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_set_group(net, "2.", -1, 1, 0) == TNN_ERROR_ARGUMENT, "a negative factor");
    tnn_clear_error();
    CHECK(tnn_use_average(net, 0) == TNN_OK, "%s", tnn_error());
    CHECK(tnn_use_average(net, 1) == TNN_ERROR_ARGUMENT
          && strstr(tnn_error(), "there is no average after 0 steps"), "%s", tnn_error());
    tnn_clear_error();
    tnn_free(net);
    net = tnn_create(.input = {3});
    CHECK(tnn_add(net, TNN_DENSE, .units = 2, .lr_scale = -1) == TNN_ERROR_ARGUMENT
          && strstr(tnn_error(), ".lr_scale = -1"), "%s", tnn_error());
    tnn_clear_error();
    tnn_free(net);
    /* a Schedule-Free average is beyond w by 1/momentum */
    o.type = TNN_SCHEDULE_FREE_SGD;
    net = small_net(&o, NULL, TNN_PYTORCH);
    CHECK(tnn_set_momentum(net, 0) && strstr(tnn_error(), "momentum = 0 must be in (0, 1)"), "%s",
          tnn_error());
    tnn_clear_error();
    CHECK(tnn_set_lr(net, 1e30) && strstr(tnn_error(), "lr = 1e30 must be in [0, 1e30)"), "%s",
          tnn_error());
    tnn_clear_error();
    tnn_free(net);
    o.type = TNN_SGD;
    /* an average that has not begun; eps of zero is not 0/0 */
    o.swa_start = 9;
    net = small_net(&o, NULL, TNN_PYTORCH);
    start(net);
    CHECK(step(net, 1) == TNN_OK && tnn_use_average(net, 1) == TNN_ERROR_ARGUMENT, "an average");
    tnn_clear_error();
    tnn_free(net);
    memset(&o, 0, sizeof o);
    o.type = TNN_ADAM;
    o.eps = TNN_ZERO;
    net = small_net(&o, NULL, TNN_PYTORCH);
    start(net);
    CHECK(step(net, 1) == TNN_OK && step(net, 2) == TNN_OK, "%s", tnn_error());
    check_padding("Adam with eps of 0", net);
    tnn_free(net);
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    vectors_from(argc, argv);
    EACH_ISA("optimizers, rules", rules);
    EACH_ISA("optimizers, L-BFGS", lbfgs);
    EACH_ISA("optimizers, L-BFGS with frozen layers", lbfgs_frozen);
    EACH_ISA("optimizers, L-BFGS after a failure", lbfgs_after_failure);
    EACH_ISA("optimizers, Sophia", sophia);
    EACH_ISA("optimizers, a rule of one's own", custom);
    EACH_ISA("optimizers, accumulation", accumulation);
    EACH_ISA("optimizers, clipping", clipping);
    EACH_SETTING("optimizers, frozen layers", frozen_layers);
    EACH_SETTING("optimizers, whole tensors", whole_tensors);
    EACH_SETTING("optimizers, threads", large);
    EACH_ISA("optimizers, denormals", denormals);
    RUN("optimizers, frozen under Lookahead", frozen_lookahead);
    RUN("optimizers, options refused", refused);
    RUN("optimizers, calls refused", refused_calls);
    free(numbers);
    return test_finish();
}
