/* bench.c - how fast tinynn.h is on this machine

       build/bench [OPTIONS] [CASE ...]   a table; without cases, of a choice of all kinds
       build/bench peak                   what the machine can do: multiply-adds, reading memory
       build/bench serve THREADS          reads lines "CASE SECONDS", answers each with
                                          "ok MEDIAN_NS MIN_NS CALLS" or "na REASON"

   `serve` is for measuring several libraries in turn: each is a process that stays warm and blocks
   on its input while another one works. A case is one of

       nn:M:N:K  tn:M:N:K  nt:M:N:K       C = A B, A^T B, A B^T; C is (M, N), the inner dimension K
       conv:DIR:nchw:IC:OC:H:W:K:S:P:B    convolution of B images; DIR f forward, d gradient of the
                                          input, w of weights and bias; K kernel, S stride, P pad
       conv:DIR:any:IC:OC:H:W:K:S:P:B     the same inside a network, its layout being the library's
       pool:DIR:nchw:C:H:W:B              max pooling 2x2; DIR f or d
       step:NET:BATCH                     forward, loss, backward, optimizer; four batches in turn
       fwd:NET:BATCH                      forward in evaluation mode
       opt:NAME:KIND:N                    one update of N parameters; NAME as in the enum without
                                          TNN_ and _, in small letters, or momentum (of SGD); KIND,
                                          which of a library's forms it is, makes no difference here

   A multiply-add counts as two floating-point operations. GFLOP/s count a convolution as if done
   directly; what goes Winograd's way takes 16 products for 36, and so many count in the limit. In a
   training step the gradient of the network's input is not
   computed and not counted; nor are activations, loss and optimizer.

   The table's "limit" is the roofline (Williams, Waterman and Patterson 2009): how much of the time
   is what the arithmetic takes at the peak of the instruction set, or what the memory that a run
   must move takes at the speed at which so many bytes are read again and again, whichever is
   longer; after a training step's, the memory of its optimizer. Where that is more than 100 %, the
   machine was busy while its limits were measured: they are once more, and if it remains, said.
   "where" says where the time of a network goes: the per cent of products / copies / passes /
   waiting. On Linux a timer looks every 0.2 ms what function the calling thread is in, in runs of
   their own after those that are timed; so nothing that is timed is slower, and the library has no
   clocks in it. `places` below says which function is what; passes are all others: activations,
   pooling, loss, optimizer.

   --tsv FILE writes the table for plots/bench.gp.                                                */
#ifdef __linux__
#define _GNU_SOURCE             /* the program counter of a signal */
#else
#define _POSIX_C_SOURCE 200809L
#endif
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined __linux__ && defined __GNUC__ && (defined __x86_64__ || defined __aarch64__)
#include <elf.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <ucontext.h>
#endif
#if defined __x86_64__ || defined __i386__
#include <immintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif
#include "inside.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ==== The networks ============================================================================ */

#define CONV(n, k, s, p) {.type = TNN_CONV2D, .filters = n, .kernel = k, .stride = s, .pad = p}
#define POOL             {.type = TNN_MAXPOOL2D, .kernel = 2}
#define FLATTEN          {.type = TNN_FLATTEN}
#define DENSE(n)         {.type = TNN_DENSE, .units = n}
#define RELU             {.type = TNN_RELU}
#define LEAKY            {.type = TNN_LEAKY_RELU}
#define DROP(q)          {.type = TNN_DROPOUT, .p = q}
#define END              {.type = (tnn_layer_type)0}
#define CONV3_RELU(n)    CONV(n, 3, 1, 1), RELU

static const tnn_layer simple_cnn[] = {CONV(32, 3, 1, 1), RELU, POOL, CONV(64, 3, 1, 1), RELU, POOL,
                                       FLATTEN, DENSE(128), RELU, DENSE(10), END};
static const tnn_layer mlp[] = {DENSE(128), RELU, DENSE(64), RELU, DENSE(10), END};
static const tnn_layer mlp_dropout[] = {DENSE(128), RELU, DROP(0.2f), DENSE(64), RELU, DROP(0.2f),
                                        DENSE(10), END};
static const tnn_layer mlp_c1[] = {DENSE(100), RELU, DENSE(80), RELU, DENSE(49), END};
static const tnn_layer mlp_c2[] = {DENSE(5000), RELU, DENSE(49), END};
static const tnn_layer flags[] = {CONV(24, 5, 1, 2), LEAKY, POOL, CONV(96, 5, 1, 2), LEAKY, POOL,
                                  FLATTEN, DENSE(384), LEAKY, DROP(0.5f), DENSE(24), END};
static const tnn_layer flags_big[] = {CONV(64, 7, 1, 3), LEAKY, POOL, CONV(128, 7, 1, 3), LEAKY,
    POOL,
                                      FLATTEN, DENSE(512), LEAKY, DROP(0.5f), DENSE(24), END};
static const tnn_layer icons[] = {CONV(32, 3, 2, 1), RELU, POOL, CONV(64, 3, 1, 1), RELU, FLATTEN,
                                  DENSE(256), RELU, DENSE(5), END};
static const tnn_layer vgg16[] = {CONV3_RELU(64),  CONV3_RELU(64),  POOL,
                                  CONV3_RELU(128), CONV3_RELU(128), POOL,
                                  CONV3_RELU(256), CONV3_RELU(256), CONV3_RELU(256), POOL,
                                  CONV3_RELU(512), CONV3_RELU(512), CONV3_RELU(512), POOL,
                                  CONV3_RELU(512), CONV3_RELU(512), CONV3_RELU(512), POOL, END};

typedef struct net_case {
    const char      *name;
    int              c, h, w, classes;
    const tnn_layer *layers;
    const char      *about;
    const char      *missing; /* why a training step cannot be done */
    tnn_optimizer    optimizer;
} net_case;

#define ADAM(rate, decay) {.type = TNN_ADAM, .lr = rate, .weight_decay = decay}
#define SGD(rate)         {.type = TNN_SGD, .lr = rate}
#define NADAM(rate)       {.type = TNN_NADAM, .lr = rate}

static const net_case nets[] = {
    {"a",       1, 28, 28,   10, simple_cnn, 
     "CNN of report 1", NULL, ADAM(1e-3, 0)},
    {"b-adam",  784, 1, 1,   10, mlp_dropout,
     "MLP 784-128-64-10 of report 2, Adam", NULL, ADAM(1e-3, 0)},
    {"b-sgd",   784, 1, 1,   10, mlp_dropout,
     "MLP 784-128-64-10 of report 2, SGD", NULL, SGD(1e-2)},
    {"bn-adam", 784, 1, 1,   10, mlp,        
     "the MLP of report 2 without dropout, Adam", NULL, ADAM(1e-3, 0)},
    {"bn-sgd",  784, 1, 1,   10, mlp,        
     "the MLP of report 2 without dropout, SGD", NULL, SGD(1e-2)},
    {"c1",      784, 1, 1,   49, mlp_c1,     
     "MLP 784-100-80-49 of report 4", NULL, ADAM(1e-3, 0.01)},
    {"c2",      784, 1, 1,   49, mlp_c2,     
     "MLP 784-5000-49 of report 4", NULL, ADAM(1e-3, 0.01)},
    {"d1",      3, 64, 64,   24, flags,      
     "CNN of report 3, images of 64x64", NULL, NADAM(1e-3)},
    {"d2",      3, 128, 128, 24, flags,      
     "CNN of report 3, images of 128x128", NULL, NADAM(1e-3)},
    {"d3",      3, 64, 64,   24, flags_big,  
     "the largest CNN of report 3, 64x64", NULL, NADAM(1e-3)},
    {"e",       3, 32, 32,   5,  icons,      
     "CNN of report 5", NULL, SGD(0.07)},
    {"f",       3, 224, 224, 1,  vgg16,      
     "convolutions of VGG-16, images of 224x224", "no classifier", SGD(1e-3)},
    {"f64",     3, 64, 64,   1,  vgg16,      
     "convolutions of VGG-16, images of 64x64", "no classifier", SGD(1e-3)},
};

/* Multiply-adds of one sample; in training a weighted layer takes three products of the same size
   (output, gradient of the weights, gradient of the input), the first one two. As if done directly,
   or as the network does them. */
#define WINOGRAD (16.0 / 36)    /* F(2x2, 3x3) */
static double multiply_adds(const net_case *n, int training, const tnn_net *net)
{
    int    c = n->c, h = n->h, w = n->w, first = 1, nth = 0;
    double sum = 0;
    for (const tnn_layer *l = n->layers; l->type; l++) {
        double macs = 0;
        if (l->type == TNN_CONV2D) {
            h = (h + 2 * l->pad - l->kernel) / l->stride + 1;
            w = (w + 2 * l->pad - l->kernel) / l->stride + 1;
            macs = (double)l->filters * h * w * c * l->kernel * l->kernel;
            c = l->filters;
        } else if (l->type == TNN_DENSE) {
            macs = (double)l->units * c * h * w;
            c = l->units;
            h = w = 1;
        } else if (l->type == TNN_MAXPOOL2D) {
            h /= 2;
            w /= 2;
        }
        if (macs > 0) {
            if (net && inside_tiled(net, nth++)) macs *= WINOGRAD;
            sum += macs * (training ? 3 - first : 1);
            first = 0;
        }
    }
    return sum;
}

/* ==== Cases =================================================================================== */

/* different ones, so that a step does not find its input in the first cache */
enum { BATCHES = 4 };

typedef struct bench {
    void (*run)(struct bench *);
    double     flops, images;   /* of one run; 0 where they mean nothing */
    double     done;            /* of the flops, which are as if done directly */
    double     bytes;           /* that it moves at least: what it reads and writes, each once */
    double     update;          /* further ones that its optimizer moves */
    tnn_tensor t[4];
    float     *bias;
    tnn_window window;
    int        flags;
    tnn_net   *net;
    tnn_mode   mode;
    int        batch, turn, direction;
    tnn_tensor x[BATCHES];
    int       *labels[BATCHES];
} bench;

static void run_matmul(bench *b) { tnn_matmul(b->t[0], b->t[1], b->t[2], b->flags); }

static void run_conv_f(bench *b)
{
    tnn_conv2d_forward(b->t[0], b->t[1], b->t[2], b->bias, b->window);
}
static void run_conv_d(bench *b)
{
    tnn_conv2d_backward_input(b->t[1], b->t[0], b->t[2], b->window);
}
static void run_conv_w(bench *b)
{
    tnn_conv2d_backward_weights(b->t[2], b->bias, b->t[1], b->t[0], b->window);
}
static void run_pool_f(bench *b)
{
    tnn_maxpool2d_forward(b->t[0], b->t[2].data, b->t[1], b->window);
}
static void run_pool_d(bench *b)
{
    tnn_maxpool2d_backward(b->t[3], b->t[0], b->t[2].data, b->window);
}

static void run_step(bench *b)
{
    int i = b->turn++ % BATCHES;
    tnn_forward(b->net, b->x[i].data, b->batch, TNN_TRAIN);
    tnn_loss(b->net, b->labels[i]);
    tnn_backward(b->net);
    tnn_step(b->net);
}
static void run_forward(bench *b)
{
    tnn_forward(b->net, b->x[b->turn++ % BATCHES].data, b->batch, TNN_EVAL);
}

/* A fast generator of our own: setting up a case must not take longer than measuring it. */
static uint32_t random_state = 1;
static uint32_t random_bits(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}
static void fill_random(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = (float)random_bits() * (2.0f / 16777216) - 1;
}
static tnn_tensor random_tensor(int n, int c, int h, int w)
{
    tnn_tensor t = tnn_tensor_create(n, c, h, w);
    if (t.data) fill_random(t.data, (size_t)n * (size_t)c * (size_t)h * (size_t)w);
    return t;
}

/* An update reads the gradient, reads and writes the weights and each moment. */
static double update_bytes(tnn_net *net, double n)
{
    int states = 0;
    while (states < TNN_STATES && tnn_flat(net, 2 + states, NULL)) states++;
    return 4 * n * (3 + 2 * states);
}

static const char *open_net(bench *b, const char *name, int batch, int training)
{
    const net_case *n = NULL;
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        if (!strcmp(nets[i].name, name)) n = &nets[i];
    if (!n) return "no such network";
    if (training && n->missing) return n->missing;
    if (batch < 1) return "bad batch size";
    tnn_net_options options = {.input = {n->c, n->h, n->w}, .batch = batch, .seed = 1};
    b->net = tnn_create_with(&options);
    for (const tnn_layer *l = n->layers; l->type; l++) tnn_add_with(b->net, l);
    if (training) {
        tnn_loss_options loss = {.type = TNN_CROSS_ENTROPY};
        tnn_set_loss_with(b->net, &loss);
        tnn_set_optimizer_with(b->net, &n->optimizer);
    }
    tnn_build(b->net);
    if (tnn_failed()) return tnn_error();
    size_t floats = (size_t)batch * (size_t)n->c * (size_t)n->h * (size_t)n->w;
    for (int k = 0; k < BATCHES; k++) {
        b->x[k] = tnn_tensor_create(batch, n->c, n->h, n->w);
        b->labels[k] = (int *)malloc((size_t)batch * sizeof(int));
        if (!b->x[k].data || !b->labels[k]) return "out of memory";
        fill_random(b->x[k].data, floats);
        for (int i = 0; i < batch; i++) b->labels[k][i] = (int)random_bits() % n->classes;
    }
    b->batch = batch;
    b->images = batch;
    b->flops = 2 * batch * multiply_adds(n, training, NULL);
    b->done  = 2 * batch * multiply_adds(n, training, b->net);
    double weights = (double)tnn_param_total(b->net);
    b->bytes = 4 * ((double)floats + weights * (training ? 3 : 1)); /* read twice; gradients */
    if (training) b->update = update_bytes(b->net, weights);
    b->run = training ? run_step : run_forward;
    return NULL;
}

/* The second of two convolutions, 1x1 and this one, alone, its weights turned and transformed
   beforehand. */
static void run_conv(bench *b) { inside_last_run(b->net, b->direction); }
static const char *open_conv(bench *b, int ic, int oc, int h, int w, int k, int s, int p, int batch)
{
    tnn_net_options options = {.input = {ic, h, w}, .batch = batch};
    tnn_layer first = CONV(ic, 1, 1, 0), second = CONV(oc, k, s, p);
    tnn_loss_options loss = {.type = TNN_MSE};
    b->net = tnn_create_with(&options);
    tnn_add_with(b->net, &first);
    tnn_add_with(b->net, &second);
    tnn_set_loss_with(b->net, &loss);
    tnn_build(b->net);
    if (tnn_failed()) return tnn_error();
    b->x[0] = tnn_tensor_create(batch, ic, h, w);
    if (!b->x[0].data) return "out of memory";
    fill_random(b->x[0].data, (size_t)batch * (size_t)ic * (size_t)h * (size_t)w);
    tnn_forward(b->net, b->x[0].data, batch, TNN_TRAIN);
    if (tnn_failed()) return tnn_error();
    inside_last_ready(b->net, fill_random);
    b->done = b->flops * (inside_tiled(b->net, 1) ? WINOGRAD : 1);
    b->run = run_conv;
    return NULL;
}

/* The gradients stay as they are; all that a step asks for is that there are some. */
static void run_update(bench *b)
{
    inside_ready_to_step(b->net);
    tnn_step(b->net);
}

static const char *open_update(bench *b, const char *name, int n)
{
    tnn_net_options  options = {.input = {1}, .batch = 1};
    tnn_layer        layer = {.type = TNN_DENSE, .no_bias = 1};
    tnn_loss_options loss = {.type = TNN_CROSS_ENTROPY};
    tnn_optimizer    o = {.type = TNN_SGD, .lr = 1e-3};
    if (!strcmp(name, "momentum")) o.momentum = 0.9;
    else {
        int type = TNN_SGD, i = 0, k = 0;
        for (; type < TNN_CUSTOM; type++) { /* the rule's name in letters only */
            const char *of = inside_rule_name(type);
            for (i = k = 0; of[k] && name[i]; k++)
                if (of[k] != ' ' && of[k] != '-' && (of[k] | 32) != name[i++]) break;
            if (!of[k] && !name[i]) break;
        }
        if (type == TNN_CUSTOM || type == TNN_LBFGS) return "no such optimizer";
        o.type = (tnn_optimizer_type)type;
    }
    if (o.type == TNN_SOPHIA) o.interval = 1 << 30;
    if (o.type == TNN_ADAFACTOR || o.type == TNN_MUON) /* these look at a matrix: about square */
        while (4.0 * options.input[0] * options.input[0] <= n) options.input[0] *= 2;
    layer.units = n / options.input[0];
    b->net = tnn_create_with(&options);
    tnn_add_with(b->net, &layer);
    tnn_set_loss_with(b->net, &loss);
    tnn_set_optimizer_with(b->net, &o);
    tnn_build(b->net);
    if (tnn_failed()) return tnn_error();
    fill_random(tnn_flat(b->net, 1, NULL), (size_t)n);
    b->update = update_bytes(b->net, n);
    b->run = run_update;
    return NULL;
}

static void close_case(bench *b)
{
    for (int i = 0; i < 4; i++) tnn_tensor_free(&b->t[i]);
    for (int k = 0; k < BATCHES; k++) {
        tnn_tensor_free(&b->x[k]);
        free(b->labels[k]);
    }
    free(b->bias);
    tnn_free(b->net);
}

/* Sets up the case `name`; returns NULL, or why it cannot be done. close_case in either event. */
static const char *open_case(bench *b, const char *name)
{
    char ta, tb, dir, net[32], kind[32], end;
    int  m, n, k, ic, oc, h, w, s, p, batch;
    memset(b, 0, sizeof *b);
    tnn_clear_error();
    if (sscanf(name, "%c%c:%d:%d:%d%c", &ta, &tb, &m, &n, &k, &end) == 5) {
        if ((ta != 'n' && ta != 't') || (tb != 'n' && tb != 't')) return "unknown case";
        b->flags = (ta == 't' ? TNN_TRANSPOSE_A : 0) | (tb == 't' ? TNN_TRANSPOSE_B : 0);
        b->t[0] = tnn_tensor_create(m, n, 1, 1);
        b->t[1] = ta == 't' ? random_tensor(k, m, 1, 1) : random_tensor(m, k, 1, 1);
        b->t[2] = tb == 't' ? random_tensor(n, k, 1, 1) : random_tensor(k, n, 1, 1);
        b->flops = b->done = 2.0 * m * n * k;
        b->bytes = 4 * ((double)m * k + (double)k * n + (double)m * n);
        b->run = run_matmul;
    } else if (sscanf(name, "conv:%c:%31[^:]:%d:%d:%d:%d:%d:%d:%d:%d%c", &dir, kind, &ic, &oc, &h,
                      &w, &k, &s, &p, &batch, &end) == 10) {
        if (k < 1 || s < 1 || h + 2 * p < k || w + 2 * p < k) return "bad sizes";
        if (!strchr("fdw", dir) || (strcmp(kind, "nchw") && strcmp(kind, "any")))
            return "unknown case";
        int ho = (h + 2 * p - k) / s + 1, wo = (w + 2 * p - k) / s + 1;
        b->flops = b->done = 2.0 * batch * oc * ho * wo * ic * k * k;
        b->bytes = 4.0 * (batch * ((double)ic * h * w + (double)oc * ho * wo) + oc * ic * k * k);
        b->images = batch;
        b->direction = dir;
        if (!strcmp(kind, "any")) return open_conv(b, ic, oc, h, w, k, s, p, batch);
        b->window.kernel = k;
        b->window.stride = s;
        b->window.pad = p;
        b->t[0] = random_tensor(batch, oc, ho, wo);
        b->t[1] = random_tensor(batch, ic, h, w);
        b->t[2] = random_tensor(oc, ic, k, k);
        b->bias = oc > 0 ? (float *)calloc((size_t)oc, sizeof(float)) : NULL;
        b->run = dir == 'f' ? run_conv_f : dir == 'd' ? run_conv_d : run_conv_w;
    } else if (sscanf(name, "pool:%c:nchw:%d:%d:%d:%d%c", &dir, &ic, &h, &w, &batch, &end) == 5) {
        b->window.kernel = 2;
        b->t[0] = random_tensor(batch, ic, h / 2, w / 2);
        b->t[1] = random_tensor(batch, ic, h, w);
        b->t[2] = tnn_tensor_create(batch, ic, h / 2, w / 2);
        b->t[3] = tnn_tensor_create(batch, ic, h, w);
        b->images = batch;
        b->bytes = 4.0 * batch * ic * (h * w + h / 2 * (w / 2) * 2);
        b->run = dir == 'f' ? run_pool_f : dir == 'd' ? run_pool_d : NULL;
        if (!tnn_failed()) run_pool_f(b); /* where the maxima are, for the way back */
    } else if (sscanf(name, "step:%31[^:]:%d%c", net, &batch, &end) == 2) {
        return open_net(b, net, batch, 1);
    } else if (sscanf(name, "fwd:%31[^:]:%d%c", net, &batch, &end) == 2) {
        return open_net(b, net, batch, 0);
    } else if (sscanf(name, "opt:%31[^:]:%31[^:]:%d%c", net, kind, &n, &end) == 3) {
        return open_update(b, net, n);
    }
    if (tnn_failed()) return tnn_error();
    return b->run ? NULL : "unknown case";
}

/* ==== Measuring =============================================================================== */

typedef struct timing {
    double median, best; /* seconds per run */
    long   runs;
} timing;

/* Runs in chunks of at least 1 ms (the clock costs some 30 ns) for `seconds`, three chunks or more,
   after a warm-up of a quarter of that for caches, page tables and the frequency of the cores. */
static timing measure(bench *b, double seconds)
{
    enum { MOST = 4096 };
    static double sample[MOST];
    double begin = now(), t, quickest = 1e30;
    for (int i = 0; i < 2 || now() - begin < seconds / 4; i++) {
        t = now();
        b->run(b);
        t = now() - t;
        if (t < quickest) quickest = t;
    }
    long chunk = quickest < 1e-3 ? 1 + (long)(1e-3 / (quickest + 1e-8)) : 1;
    int  n = 0;
    begin = now();
    while (n < MOST && (n < 3 || now() - begin < seconds)) {
        t = now();
        for (long i = 0; i < chunk; i++) b->run(b);
        sample[n++] = (now() - t) / (double)chunk;
    }
    qsort(sample, (size_t)n, sizeof *sample, ascending);
    timing result = {sample[n / 2], sample[0], n * chunk};
    return result;
}

/* ==== Where the time goes ===================================================================== */

enum { PRODUCTS, COPIES, PASSES, WAITING, PLACES };

#if defined __linux__ && defined __GNUC__ && (defined __x86_64__ || defined __aarch64__)
/* Beginnings of functions' names: the first that fits says where a function belongs; others are
   passes. Outside of the program is memcpy, but for sched_yield. Winograd's way copies tiles in and
   out, and adds as it does so. */
static const struct { const char *name; int place; } places[] = {
    {"tnn__tiles_", COPIES}, {"tnn__tile_", PRODUCTS}, {"tnn__mm", PRODUCTS},
    {"tnn__dot", PRODUCTS}, {"tnn__wide", PRODUCTS}, {"tnn__depthwise", PRODUCTS},
    {"tnn__window_product", PRODUCTS}, {"tnn__transpose", COPIES}, {"tnn__narrow", COPIES},
    {"tnn__conv_flip", COPIES}, {"tnn__turn", COPIES}, {"tnn__dense_turn", COPIES},
    {"tnn__dense_flip", COPIES}, {"tnn__matmul_pack", COPIES}, {"tnn__run", WAITING},
    {NULL, PASSES}};

typedef struct function { uintptr_t from, to; int place; } function;
static struct { function *list; long n, hits[PLACES]; } seen;

static int by_address(const void *a, const void *b)
{
    const function *x = (const function *)a, *y = (const function *)b;
    return (x->from > y->from) - (x->from < y->from);
}

/* Lists the functions of this program, from the symbols in its file; none if they are stripped. */
static void list_functions(const char *file)
{
    const ElfW(Ehdr) *head = (const ElfW(Ehdr) *)(const void *)file;
    const ElfW(Shdr) *part = (const ElfW(Shdr) *)(const void *)(file + head->e_shoff);
    const ElfW(Shdr) *table = part;
    while (table < part + head->e_shnum && table->sh_type != SHT_SYMTAB) table++;
    if (table == part + head->e_shnum) return;
    const ElfW(Sym) *symbol = (const ElfW(Sym) *)(const void *)(file + table->sh_offset);
    const char      *names = file + part[table->sh_link].sh_offset;
    size_t           count = table->sh_size / sizeof *symbol;
    uintptr_t        shift = 0; /* where it was loaded */
    seen.list = (function *)malloc(count * sizeof *seen.list);
    for (size_t i = 0; i < count && seen.list; i++) {
        const char *name = names + symbol[i].st_name;
        function    f = {symbol[i].st_value, symbol[i].st_value + symbol[i].st_size, PASSES};
        int         k = 0;
        if ((symbol[i].st_info & 15) != STT_FUNC || !symbol[i].st_size) continue;
        if (!strcmp(name, "list_functions")) shift = (uintptr_t)list_functions - f.from;
        while (places[k].name && strncmp(name, places[k].name, strlen(places[k].name))) k++;
        f.place = places[k].place;
        seen.list[seen.n++] = f;
    }
    for (long i = 0; i < seen.n; i++) {
        seen.list[i].from += shift;
        seen.list[i].to += shift;
    }
    if (seen.n) qsort(seen.list, (size_t)seen.n, sizeof *seen.list, by_address);
}
static void read_functions(void)
{
    FILE *f = fopen("/proc/self/exe", "rb");
    long  size = f && !fseek(f, 0, SEEK_END) ? ftell(f) : 0;
    char *file = size > 0 ? (char *)malloc((size_t)size) : NULL;
    if (file && !fseek(f, 0, SEEK_SET) && fread(file, 1, (size_t)size, f) == (size_t)size)
        list_functions(file);
    free(file);
    if (f) fclose(f);
}

static void look(int number, siginfo_t *info, void *context)
{
#ifdef __x86_64__
    uintptr_t at = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#else
    uintptr_t at = (uintptr_t)((ucontext_t *)context)->uc_mcontext.pc;
#endif
    long low = 0, high = seen.n; /* the last that does not begin above it */
    (void)number;
    (void)info;
    while (high - low > 1) {
        long middle = (low + high) / 2;
        if (seen.list[middle].from <= at) low = middle;
        else high = middle;
    }
    if (at >= seen.list[low].from && at < seen.list[low].to) seen.hits[seen.list[low].place]++;
    else seen.hits[at - (uintptr_t)sched_yield < 64 ? WAITING : COPIES]++;
}

/* The shares of the places in so many seconds of runs; 0 if they cannot be known. */
static int look_around(bench *b, double seconds, double share[PLACES])
{
    struct itimerval every = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    struct sigaction act;
    double           begin = now();
    long             all = 0;
    if (!seen.list) read_functions();
    if (!seen.n) return 0;
    memset(seen.hits, 0, sizeof seen.hits);
    memset(&act, 0, sizeof act);
    act.sa_sigaction = look;
    act.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    while (now() - begin < seconds) b->run(b);
    setitimer(ITIMER_REAL, &never, NULL);
    for (int i = 0; i < PLACES; i++) all += seen.hits[i];
    for (int i = 0; i < PLACES && all; i++) share[i] = 100.0 * (double)seen.hits[i] / (double)all;
    return all > 0;
}
#else
static int look_around(bench *b, double seconds, double share[PLACES])
{
    (void)b;
    (void)seconds;
    (void)share;
    return 0;
}
#endif

static int serve(int threads)
{
    char line[512], name[400];
    tnn_set_threads(threads);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    while (fgets(line, sizeof line, stdin)) {
        double      seconds;
        bench       b;
        timing      t = {0, 0, 0};
        const char *why;
        if (sscanf(line, "%399s %lf", name, &seconds) != 2) {
            puts("na expected: CASE SECONDS");
            continue;
        }
        why = open_case(&b, name);
        if (!why) t = measure(&b, seconds);
        if (!why && tnn_failed()) why = tnn_error();
        if (why) printf("na %s\n", why);
        else printf("ok %.1f %.1f %ld\n", t.median * 1e9, t.best * 1e9, t.runs);
        close_case(&b);
    }
    return 0;
}

/* ==== What the machine can do ================================================================= */
/* Named accumulators, since compilers spill arrays of them: 12 independent chains hide a latency of
   six cycles on two units and leave room in 16 registers; ARM processors of four units need 16 and
   have 32 registers (clang spills 20 of AVX-512's). */
#define R12(X, F) X(F, 0) X(F, 1) X(F, 2) X(F, 3) X(F, 4) X(F, 5) X(F, 6) X(F, 7) X(F, 8) X(F, 9) \
                  X(F, 10) X(F, 11)
#define R20(X, F) R12(X, F) X(F, 12) X(F, 13) X(F, 14) X(F, 15) X(F, 16) X(F, 17) X(F, 18) X(F, 19)
#define START(F, i) v r##i = m + (float)i;
#define CHAIN(F, i) r##i = F(r##i, m, s);
#define TOTAL(F, i) s += r##i;
#define R8(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define NONE(i) u a##i = {0};
#define LOAD(i) a##i |= x[k + i];
#define MERGE(i) a0 |= a##i;

#if defined __GNUC__
static volatile float sink;

/* NAME_fma: n rounds of one multiply-add in each chain. NAME_read: reads `size` bytes n times; "or"
   needs less of the machine than an addition and waits for nothing else. */
#define PEAK(name, attribute, width, fma, list)                                                    \
    attribute static void name##_fma(const void *p, size_t size, long n)                           \
    {                                                                                              \
        typedef float v __attribute__((vector_size(width)));                                       \
        v m = {0}, s = {0};                                                                        \
        m += *(const float *)p;                                                                    \
        s += (float)size;                                                                          \
        list(START, fma)                                                                           \
        while (n-- > 0) { list(CHAIN, fma) }                                                       \
        list(TOTAL, fma)                                                                           \
        sink = s[0];                                                                               \
    }                                                                                              \
    attribute static void name##_read(const void *p, size_t size, long n)                          \
    {                                                                                              \
        typedef int u __attribute__((vector_size(width), may_alias));                              \
        const u *x = (const u *)p;                                                                 \
        R8(NONE)                                                                                   \
        while (n-- > 0) {                                                                          \
            for (size_t k = 0; k < size / width; k += 8) { R8(LOAD) }                              \
            __asm__ volatile("" ::: "memory");                                                     \
        }                                                                                          \
        R8(MERGE)                                                                                  \
        sink = (float)a0[0];                                                                       \
    }                                                                                              \
    enum { name##_flops = 2 * width / 4 * (0 list(COUNT, fma)) };
#define COUNT(F, i) +1

#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#if defined __x86_64__ || defined __i386__
PEAK(sse2, __attribute__((target("sse2"))), 16, MULTIPLY_ADD, R12)
PEAK(avx2, __attribute__((target("avx2,fma"))), 32, _mm256_fmadd_ps, R12)
PEAK(avx512, __attribute__((target("avx512f"))), 64, _mm512_fmadd_ps, R12)
#elif defined __aarch64__
#define NEON_FMA(a, b, c) vfmaq_f32(c, a, b)
PEAK(neon, , 16, NEON_FMA, R20)
#endif
#endif

typedef void peak_kernel(const void *p, size_t size, long n);
static const struct peak {
    const char  *isa;
    peak_kernel *fma, *read;
    int          flops; /* of a round of fma */
} peaks[] = {
#if defined __GNUC__ && (defined __x86_64__ || defined __i386__)
    {"sse2", sse2_fma, sse2_read, sse2_flops},
    {"avx2", avx2_fma, avx2_read, avx2_flops},
    {"avx512", avx512_fma, avx512_read, avx512_flops},
#elif defined __GNUC__ && defined __aarch64__
    {"neon", neon_fma, neon_read, neon_flops},
#endif
    {NULL, NULL, NULL, 0}};

static const struct peak *find_peak(const char *isa)
{
    const struct peak *p = peaks;
    while (p->isa && strcmp(p->isa, isa)) p++;
    return p->isa ? p : NULL;
}

typedef struct peak_job {
    peak_kernel *kernel;
    const void  *data;
    size_t       size;
    long         n;
} peak_job;

static void *peak_thread(void *job)
{
    peak_job *j = (peak_job *)job;
    j->kernel(j->data, j->size, j->n);
    return NULL;
}

/* Seconds that `threads` threads take for n rounds each, every one on its own `size` bytes. */
static double peak_seconds(peak_kernel *kernel, const char *data, size_t size, int threads, long n)
{
    enum { MOST = 256 };
    pthread_t id[MOST];
    peak_job  job[MOST];
    int       started = 1;
    double    t = now();
    for (int i = 0; i < threads && i < MOST; i++) {
        peak_job j = {kernel, data + (size_t)i * size, size, n};
        job[i] = j;
    }
    while (started < threads && started < MOST &&
           !pthread_create(&id[started], NULL, peak_thread, &job[started]))
        started++;
    peak_thread(&job[0]);
    for (int i = 1; i < started; i++) pthread_join(id[i], NULL);
    return (now() - t) * threads / started;
}

/* Rounds per second of all threads together: the best of 12 times 8 ms (or one round), so that
   other processes do not pass for a slow machine. */
static double peak_rate(peak_kernel *kernel, const char *data, size_t size, int threads)
{
    long   n = 1;
    double t, best = 0;
    do { /* a single thread tells how many rounds; the quickest of three tells it undisturbed */
        n *= 4;
        t = 1;
        for (int i = 0; i < 3; i++) {
            double again = peak_seconds(kernel, data, size, 1, n);
            if (again < t) t = again;
        }
    } while (t < 1e-3 && n < 1L << 30);
    n = 1 + (long)((double)n * 8e-3 / t);
    for (int i = 0; i < 12; i++) {
        double rate = (double)n * threads / peak_seconds(kernel, data, size, threads, n);
        if (rate > best) best = rate;
    }
    return best;
}

/* Floating-point operations per second of the instruction set in use; 0 where not known. */
static double fma_peak(int threads)
{
    const struct peak *p = find_peak(tnn_isa());
    float              one[1] = {0.999f};
    return p ? p->flops * peak_rate(p->fma, (const char *)one, 0, threads) : 0;
}

/* Bytes per second that all threads together read when each goes over its own share of so many
   bytes again and again; 0 where not known. */
static double read_rate(double bytes, int threads)
{
    const struct peak *p = find_peak(tnn_isa());
    size_t size = 4096;         /* of a share */
    while ((double)size * threads < bytes && size < (size_t)128 << 20) size *= 2;
    char *memory = p ? (char *)malloc(size * (size_t)threads + 4096) : NULL;
    if (!memory) return 0;
    char *data = memory + (4096 - (uintptr_t)memory % 4096);
    memset(data, 1, size * (size_t)threads);
    double rate = (double)size * peak_rate(p->read, data, size, threads);
    free(memory);
    return rate;
}

/* The machine, as far as it has been measured: for one thread and for all. */
typedef struct machine { int threads; double fma, read[48]; } machine;

/* Seconds that moving so many bytes takes, over and over a memory of `size`. */
static double memory_time(machine *m, double bytes, double size)
{
    int k = 12;
    while (k < 40 && (double)(1LL << k) < size) k++;
    if (m->read[k] <= 0) m->read[k] = read_rate((double)(1LL << k), m->threads);
    return m->read[k] > 0 ? bytes / m->read[k] : 0;
}
/* What no run can be quicker than; 0 where not known. */
static double limit(machine *m, const bench *b)
{
    if (m->fma <= 0) return 0;
    double arithmetic = b->done / m->fma;
    double memory = b->bytes > 0 ? memory_time(m, b->bytes, b->bytes) : 0;
    /* most of what an update moves is read and written: the memory is smaller */
    double update = b->update > 0 ? memory_time(m, b->update, b->update / 1.75) : 0;
    return (arithmetic > memory ? arithmetic : memory) + update;
}

/* The same, if a run was quicker than that: from what the machine does when measured again. */
static double limit_again(machine *m, const bench *b)
{
    machine again = {m->threads, fma_peak(m->threads), {0}};
    limit(&again, b);
    if (again.fma > m->fma) m->fma = again.fma;
    for (int k = 0; k < 48; k++)
        if (again.read[k] > m->read[k]) m->read[k] = again.read[k];
    return limit(m, b);
}

/* per thread */
enum { LEVELS = 4 };
static const struct { const char *name; double bytes; } levels[LEVELS] = {
    {"L1, 16 KiB", 16 << 10}, {"L2, 256 KiB", 256 << 10}, {"L3, 4 MiB", 4 << 20},
    {"memory, 128 MiB", 128 << 20}};

static int show_peak(int threads)
{
    int               columns = threads > 1 ? 2 : 1;
    const struct peak *best = NULL;
    printf("%-38s %12s", "", "1 thread");
    if (columns == 2) printf("  %2d threads", threads);
    printf("\n");
    for (int i = 0; tnn_isa_name(i); i++) {
        const struct peak *p = find_peak(tnn_isa_name(i));
        float              one[1] = {0.999f};
        if (!p) continue;
        best = p;
        printf("%-11s%-27s", p->isa, strcmp(p->isa, "sse2") ? "multiply-add, GFLOP/s"
                                                            : "multiply, add, GFLOP/s");
        for (int k = 0; k < columns; k++)
            printf(" %12.1f", 1e-9 * p->flops *
                              peak_rate(p->fma, (const char *)one, 0, k ? threads : 1));
        printf("\n");
        fflush(stdout);
    }
    if (!best) return puts("no peak known for this processor"), 0;
    for (int i = 0; i < LEVELS; i++) {
        printf("read       %-18s GB/s    ", levels[i].name);
        for (int k = 0, n = 1; k < columns; k++, n = threads)
            printf(" %12.1f", 1e-9 * read_rate(levels[i].bytes * n, n));
        printf("\n");
        fflush(stdout);
    }
    return 0;
}

/* ==== The table =============================================================================== */

static const char *const choice[] = {
    "nn:256:256:256", "nn:512:512:512", "nn:1024:1024:1024", "tn:512:512:512", "nt:512:512:512",
    "nn:100:128:784", "tn:784:128:100", "nt:100:784:128",
    "conv:f:nchw:1:32:28:28:3:1:1:64", "conv:w:nchw:1:32:28:28:3:1:1:64",
    "conv:f:nchw:32:64:14:14:3:1:1:64", "conv:d:nchw:32:64:14:14:3:1:1:64",
    "conv:w:nchw:32:64:14:14:3:1:1:64", "conv:f:nchw:24:96:32:32:5:1:2:16",
    "conv:d:nchw:24:96:32:32:5:1:2:16", "conv:w:nchw:24:96:32:32:5:1:2:16",
    "pool:f:nchw:32:28:28:64", "pool:d:nchw:32:28:28:64",
    "opt:sgd:single:1069509", "opt:adam:single:1069509", "opt:nadam:single:1069509",
    "step:a:32", "step:a:64", "step:a:128", "step:b-adam:100", "step:b-adam:500",
    "step:b-adam:1000", "step:b-sgd:100", "step:b-sgd:500", "step:b-sgd:1000", "step:c1:1250",
    "step:c1:3200", "step:c2:1250", "step:d1:16", "step:d2:16", "step:d3:128", "step:e:5",
    "step:e:10", "fwd:a:1", "fwd:a:64", "fwd:f:1", "fwd:f64:16", NULL};

static void show_time(double seconds)
{
    if (seconds < 1e-3) printf(" %9.1f us", seconds * 1e6);
    else printf(" %9.2f ms", seconds * 1e3);
}

/* What the kinds of cases are, said above the first of each; and of the networks. */
static const struct { const char *begin, *about; } kinds[] = {
    {"nn:", "C = A B: M:N:K, C is MxN and K the inner dimension; tn, nt: A, B transposed"},
    {"tn:", NULL}, {"nt:", NULL},
    {"conv:", "convolution: f forward, d gradient of the input, w of the weights; then channels in "
              "and\nout, height, width, kernel, stride, padding, images"},
    {"pool:", "2x2 max pooling: f forward, d back; channels, height, width, images"},
    {"opt:", "one update of so many parameters by an optimizer"},
    {"step:", "a training step: network, images of a batch"},
    {"fwd:", "inference: network, images of a batch"}};
static void explain(const char *name)
{
    static int last = -1;
    static const net_case *net;
    for (int i = 0; i < (int)(sizeof kinds / sizeof *kinds); i++) {
        if (strncmp(name, kinds[i].begin, strlen(kinds[i].begin))) continue;
        int kind = i;
        while (!kinds[kind].about) kind--;
        if (kind != last) printf("\n%s\n", kinds[kind].about);
        last = kind;
    }
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        const char  *of = strchr(name, ':') ? strchr(name, ':') + 1 : "";
        const size_t length = strlen(nets[i].name);
        if ((strncmp(name, "step:", 5) && strncmp(name, "fwd:", 4)) ||
            strncmp(of, nets[i].name, length) || of[length] != ':' || net == &nets[i]) continue;
        net = &nets[i];
        printf("%s: %s\n", net->name, net->about);
    }
}

static int over;        /* measurements that were quicker than their limit */

/* One case with m->threads threads, as a part of a line and as a line of the file. */
static int show_case(const char *name, machine *m, double seconds, FILE *tsv)
{
    bench       b;
    timing      t = {0, 0, 0};
    const char *why;
    double      least = 0, share[PLACES] = {0, 0, 0, 0};
    int         known = 0;
    tnn_set_threads(m->threads);
    why = open_case(&b, name);
    if (!why) t = measure(&b, seconds);
    if (!why && b.net && b.images > 0) known = look_around(&b, seconds, share);
    if (!why && tnn_failed()) why = tnn_error();
    if (why) printf("  %s", why);
    else {
        least = limit(m, &b);
        if (least > t.median) least = limit_again(m, &b);
        over += least > t.median;
        printf("  ");
        show_time(t.median);
        if (b.flops > 0) printf(" %8.1f", b.flops / t.median * 1e-9);
        else printf(" %8s", "");
        if (least > t.median) printf("   busy");
        else if (least > 0) printf("  %4.0f%%", 100 * least / t.median);
        else printf("  %5s", "");
        if (b.images > 0) printf(" %9.0f", b.images / t.median);
        else printf(" %9s", "");
        if (known) printf("  %3.0f/%2.0f/%2.0f/%2.0f", share[0], share[1], share[2], share[3]);
        else printf("  %12s", "");
        if (tsv)
            fprintf(tsv, "%s\t%d\t%.2f\t%.2f\t%.2f\t%.6g\t%.6g\t%.2f\t%.1f\t%.1f\t%.1f\t%.1f"
                         "\t%.6g\n", name, m->threads, t.median * 1e6, t.best * 1e6, least * 1e6,
                    b.flops * 1e-9,
                    (b.bytes + b.update) * 1e-9, b.images / t.median, share[PRODUCTS],
                    share[COPIES], share[PASSES], share[WAITING], b.done * 1e-9);
    }
    close_case(&b);
    fflush(stdout);
    return why != NULL;
}

static int cannot_write(const char *path)
{
    fprintf(stderr, "bench: cannot write %s: %s\n", path, strerror(errno));
    return 1;
}

static int show_table(const char *const *cases, int threads, double seconds, const char *path)
{
    int      columns = threads > 1 ? 2 : 1, failures = 0;
    machine  machines[2];
    FILE    *tsv = path ? fopen(path, "w") : NULL;
    if (path && !tsv) return cannot_write(path);
    memset(machines, 0, sizeof machines);
    for (int k = 0; k < columns; k++) {
        machines[k].threads = k ? threads : 1;
        machines[k].fma = fma_peak(machines[k].threads);
    }
    printf("tinynn %s, %s; multiply-add peak %.0f GFLOP/s", TNN_VERSION, tnn_isa(),
           machines[0].fma * 1e-9);
    if (columns > 1) printf(", with %d threads %.0f", threads, machines[1].fma * 1e-9);
    printf("\nlimit: the share of the time that the arithmetic takes at that peak, or the memory "
           "where that is\nlonger; 100%% cannot be beaten. GFLOP/s: a convolution counts as done "
           "directly, in the limit as it is.\nwhere: %% of products / copies / passes / waiting\n\n"
           "%-34s", "case");
    if (tsv) fprintf(tsv, "# tinynn %s, %s\n", TNN_VERSION, tnn_isa());
    for (int k = 0; k < columns; k++) {
        if (k) printf("   %6d threads", threads);
        else printf("       1 thread");
        printf("  GFLOP/s  limit  images/s  %-12s", "where");
    }
    printf("\n");
    if (tsv)
        fprintf(tsv, "case\tthreads\tmedian_us\tbest_us\tlimit_us\tGFLOP\tGB\timages_per_s"
                     "\tproducts\tcopies\tpasses\twaiting\tGFLOP_done\n");
    for (; *cases; cases++) {
        explain(*cases);
        printf("%-34s", *cases);
        for (int k = 0, failed = 0; k < columns && !failed; k++)
            failures += failed = show_case(*cases, &machines[k], seconds, tsv);
        printf("\n");
    }
    for (int k = 0; k < columns && tsv; k++) {      /* as last measured */
        fprintf(tsv, "# peak %d %.1f\n", machines[k].threads, machines[k].fma * 1e-9);
        for (int i = 0; i < LEVELS; i++)
            fprintf(tsv, "# read %d %.1f %s\n", machines[k].threads,
                    1e-9 * read_rate(levels[i].bytes * machines[k].threads, machines[k].threads),
                    levels[i].name);
    }
    if (over)
        printf("\nbusy: it took less time than the machine's limits, measured twice, allow: the "
               "machine was busy\nwith something else then. Run it again when it is not.\n");
    if (tsv && (ferror(tsv) | fclose(tsv)) != 0) return cannot_write(path);
    return failures > 0;
}

static int usage(FILE *f, int status)
{
    fputs("usage: bench [--threads N] [--seconds S] [--tsv FILE] [CASE ...]   a table of times\n"
          "       bench [--threads N] peak                       what the machine can do\n"
          "       bench serve THREADS                            lines CASE SECONDS in,\n"
          "                     ok MEDIAN_NS MIN_NS CALLS or na REASON out\n"
          "  --threads N   beside 1 thread measure N (default: all)\n"
          "  --seconds S   for each case (default 0.2)\n"
          "  --tsv FILE    writes the table to a file, too\n"
          "cases: nn|tn|nt:M:N:K  conv:f|d|w:nchw|any:IC:OC:H:W:K:S:P:B\n"
          "       pool:f|d:nchw:C:H:W:B  opt:NAME:KIND:N\n"
          "       step:NET:BATCH  fwd:NET:BATCH, NET one of", f);
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) fprintf(f, " %s", nets[i].name);
    fputs("\nTINYNN_ISA=scalar|sse2|avx2|avx512|neon in the environment chooses the instructions\n",
          f);
    return status;
}

int main(int argc, char **argv)
{
    int    threads = tnn_threads(), i = 1;
    double seconds = 0.2;
    const char *tsv = NULL;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "--help")) return usage(stdout, 0);
        else if (!strcmp(argv[i], "--threads") && i + 1 < argc) threads = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--seconds") && i + 1 < argc) seconds = atof(argv[++i]);
        else if (!strcmp(argv[i], "--tsv") && i + 1 < argc) tsv = argv[++i];
        else return usage(stderr, 2);
    }
    if (i + 1 < argc && !strcmp(argv[i], "serve")) threads = atoi(argv[++i]);
    if (threads < 1 || threads > 256 || !(seconds > 0)) return usage(stderr, 2);
    if (i > 1 && !strcmp(argv[i - 1], "serve")) return i + 1 == argc ? serve(threads)
        : usage(stderr, 2);
    if (i + 1 == argc && !strcmp(argv[i], "peak")) return show_peak(threads);
    if (i < argc && !strchr(argv[i], ':')) return usage(stderr, 2);
    return show_table(i < argc ? (const char *const *)(argv + i) : choice, threads, seconds, tsv);
}
