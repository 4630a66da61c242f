/* inside.h - what tests and the benchmark see of the library's inside, a function for each thing

   No other file here knows private names of tinynn.h (tnn__...), or what its private structs have:
   who renames something there finds the places that are left in this one. It stands instead of
   tinynn.h, above test.h, and the program has the library in it; everything else that tests look at
   is told by the API. An instruction set is given by its number for tnn_isa_name, 0 being the
   scalar one. Images are of pixels, channels last.
   INSIDE_ROOT: a folder with a /proc and a /sys of the program's own. */
#ifndef INSIDE_H
#define INSIDE_H

#ifdef INSIDE_ROOT
#define TNN__ROOT INSIDE_ROOT
#endif
#define TINYNN_IMPLEMENTATION
#include "tinynn.h"

/* ---- numbers ---------------------------------------------------------------------------------*/

/* In double precision, of the library's own making; cos_turn is cos(2 pi x). */
static inline double inside_log(double x)            { return tnn__log_double(x); }
static inline double inside_exp(double x)            { return tnn__exp_double(x); }
static inline double inside_pow(double x, double y)  { return tnn__pow(x, y); }
static inline double inside_cos_turn(double x)       { return tnn__cos_turn(x); }
/* a*b + c, rounded once, as the scalar kernels have it. */
static inline float inside_fma(float a, float b, float c) { return tnn__fma(a, b, c); }
/* The function of float that the activations are made of: expm1, log, tanh ...; erf and erfc. */
#define INSIDE_SCALAR(name) tnn__##name##_scalar
static inline float inside_erf(float x)  { return tnn__erf_parts_scalar(x, &x); }
static inline float inside_erfc(float x) { tnn__erf_parts_scalar(x, &x); return x; }
/* Philox4x32-10: the four words of block `block` of a seed's stream. */
static inline void inside_philox(uint64_t seed, uint64_t stream, uint64_t block, uint32_t to[4])
{
    tnn__philox(seed, stream, block, to);
}
/* v as text: short, as in messages (40 bytes); a whole number within `room`; exactly (64). */
static inline void inside_short_text(char *text, double v)
{
    *tnn__put_double(text, text + 39, v) = 0;
}
static inline void inside_int_text(char *text, int room, long long v)
{
    *tnn__put_int(text, text + room, v) = 0;
}
static inline void inside_exact_text(char *text, double v)
{
    *tnn__put_exact(text, text + 63, v) = 0;
}
/* Reads a number: 0 if there is none. What was read is `*read` bytes long. */
static inline int inside_read(const char *text, double *v, size_t *read)
{
    const char *at = text;
    const int is = tnn__read_double(&at, at + strlen(at), v);
    *read = (size_t)(at - text);
    return is;
}

/* ---- kernels ---------------------------------------------------------------------------------*/

typedef tnn__len inside_len;
/* For the functions below. */
static inline const tnn__isa_table *inside_kernels(int isa) { return tnn__isa_tables[isa]; }

/* c[i0*c0 + i*ldc + j/16*cp + j%16] = start + the sum over i1, i2 and k, in this order, of
       a[i0*a0 + i1*a1 + i2*a2 + i/3*gs + i%3*rs + k*ks] * b[j/16*bp + i1*b1 + i2*b2 + k*ldb + j%16]
   for i0 < n0, i < rows, j < cols, i1 < n1, i2 < n2, k < run; relu: at least 0. At the start there
   is 0, what c holds, or bias[j]. Chains of fused multiply-adds are at most INSIDE_CHAIN long. */
enum { INSIDE_CHAIN = TNN__CHAIN, INSIDE_ZERO = TNN__ZERO, INSIDE_KEEP = TNN__KEEP,
       INSIDE_BIAS = TNN__BIAS };
typedef struct inside_product {
    int n0, n1, n2, run, rows, cols, start, relu;
    inside_len a0, a1, a2, rs, gs, ks, bp, b1, b2, ldb, c0, ldc, cp;
    const float *a, *b, *bias;
    float *c;
} inside_product;
static inline void inside_multiply(int isa, const inside_product *p)
{
    tnn__mm t;
    memset(&t, 0, sizeof t);
    t.n0 = p->n0; t.n1 = p->n1; t.n2 = p->n2; t.run = p->run;
    t.rows = p->rows; t.cols = p->cols; t.start = p->start; t.relu = p->relu;
    t.a = p->a; t.a0 = p->a0; t.a1 = p->a1; t.a2 = p->a2;
    t.rs = p->rs; t.gs = p->gs; t.ks = p->ks;
    t.b = p->b; t.bp = p->bp; t.b1 = p->b1; t.b2 = p->b2; t.ldb = p->ldb;
    t.bias = p->bias; t.c = p->c; t.c0 = p->c0; t.ldc = p->ldc; t.cp = p->cp;
    inside_kernels(isa)->mm(&t);
}

/* Kernels on n elements of x and y; results go to o, whose values count, too, and a number to p. */
enum { INSIDE_ADD, INSIDE_RELU, INSIDE_LEAKY, INSIDE_RELU_GRAD, INSIDE_LEAKY_GRAD, INSIDE_DROPOUT,
       INSIDE_SUM, INSIDE_EXP, INSIDE_NORMAL, INSIDE_ARITHMETIC, INSIDE_COLUMNS, INSIDE_COLSUM,
       INSIDE_TRANSPOSE };
static inline void inside_elements(int isa, int which, inside_len n, const float *x,
                                   const float *y, float *o, float *p)
{
    static const tnn__drop drop = { 0.3f, 1.25f, 0.5f, -2, 0x123456789abcull };
    const uint64_t stream = 0x3333333377ull, first = (uint64_t)64*0x40000001u;
    const tnn__isa_table *k = inside_kernels(isa);
    const inside_len c = n/7, wide = n > 40 ? 4 + n%16 : 3;
    switch (which) {
    case INSIDE_ADD:        k->madd(n, 1, x, o, o); break;
    case INSIDE_RELU:       k->act(n, x, o, 0); break;
    case INSIDE_LEAKY:      k->act(n, x, o, 0.01f); break;
    case INSIDE_RELU_GRAD:  k->act_grad(1, n, x, 0, y, 0, o, 0, 0, 1.25f); break;
    case INSIDE_LEAKY_GRAD: k->act_grad(1, n, x, 0, y, 0, o, 0, 0.3f, 1); break;
    case INSIDE_DROPOUT:    k->dropout(n, x, o, &drop, stream, first); break;
    case INSIDE_SUM:
        o[0] = k->sum(n, x);
        if (n > 1) o[1] = k->dot(n, x, y);
        if (n > 2) o[2] = k->largest(n, x);
        break;
    case INSIDE_EXP:        *p = k->exp_sum(n, x, 0.5f, o); break;
    case INSIDE_NORMAL:     k->normal(n, o, 0.3f, 1.5f, drop.seed, stream, first); break;
    case INSIDE_ARITHMETIC:
        k->madd(n, 0.7f, x, NULL, o);
        k->madd(n, -1.3f, y, o, o);
        k->multiply(n, y, o, o);
        k->softmax_grad(n, x, o, 0.25f, o, 0);
        k->softmax_grad(n, x, o, 0.25f, o, 1);
        break;
    case INSIDE_COLUMNS:    /* 7 rows of c; the options of the columns are in o's own rows */
        if (c < 1) break;
        k->moments(7, c, x, c, 0.5f, y, o, c);
        k->norm_sums(7, c, x, c, y, c, 0.3f, x, c, o + 3*c);
        k->affine(2, c, x, c, y, y + c, o, 0.5f, o + 2*c, c);
        k->affine_grad(2, c, x, c, y, c, 0, x + 2*c, c, o + 4*c, c);
        k->prelu(1, c, x, c, y, o + 6*c, c);
        k->prelu_grad(3, c, x, c, y, x + 3*c, c, o, c, o + 5*c, o + 4*c);
        break;
    case INSIDE_COLSUM:
        if (n >= 7) k->colsum(n/7, 7, x, 7, 1.5f, o, o + n - 7);
        if (n >= 14) k->colsum(1, n/2, y, n/2, 1, o, o + n/2);
        break;
    case INSIDE_TRANSPOSE:  k->transpose(n/wide, wide, x, wide, o, n/wide); break;
    default: break;
    }
}
/* y += a*x */
static inline void inside_axpy(int isa, inside_len n, float a, const float *x, float *y)
{
    inside_kernels(isa)->madd(n, a, x, y, y);
}
/* Of n elements: ReLU; the sum, of products; the largest; exp(x - most) to y and its sum;
   denormals of x become 0. */
static inline void inside_relu(int isa, inside_len n, const float *x, float *y)
{
    inside_kernels(isa)->act(n, x, y, 0);
}
static inline float inside_sum(int isa, inside_len n, const float *x)
{
    return inside_kernels(isa)->sum(n, x);
}
static inline float inside_dot(int isa, inside_len n, const float *x, const float *y)
{
    return inside_kernels(isa)->dot(n, x, y);
}
static inline float inside_largest(int isa, inside_len n, const float *x)
{
    return inside_kernels(isa)->largest(n, x);
}
static inline float inside_exp_sum(int isa, inside_len n, const float *x, float most, float *y)
{
    return inside_kernels(isa)->exp_sum(n, x, most, y);
}
static inline void inside_flush(int isa, inside_len n, float *x)
{
    inside_kernels(isa)->flush(n, x);
}
/* *y += the sum of n floats; what was lost is added to *low. */
static inline void inside_colsum(int isa, inside_len n, const float *x, float *y, float *low)
{
    inside_kernels(isa)->colsum(n, 1, x, 1, 1, y, low);
}
/* Elements from `first` on of a seed's stream: n normal numbers; x with p = 1/4 dropped. */
static inline void inside_normal(int isa, inside_len n, float *y, float deviation, float mean,
                                 uint64_t seed, uint64_t stream)
{
    inside_kernels(isa)->normal(n, y, deviation, mean, seed, stream, 0);
}
static inline void inside_drop_quarter(int isa, inside_len n, const float *x, float *y,
                                       uint64_t seed, uint64_t stream, uint64_t first)
{
    tnn__drop quarter = { 0.25f, 1/0.75f, 0, 0, 0 };
    quarter.seed = seed;
    inside_kernels(isa)->dropout(n, x, y, &quarter, stream, first);
}

/* Activations by number, INSIDE_ACT(tanh): y = f(x), or dx = dy f'(x); up to three options. */
#define INSIDE_ACT(name) TNN__ACT_##name
enum { INSIDE_ACTS = TNN__ACT_COUNT };
static inline const char *inside_act_name(int act)
{
    static const char *const names[] = {
#define X(name) #name,
        TNN__ACTIVATIONS(X)
#undef X
    };
    return names[act];
}
static inline void inside_act(int isa, int act, inside_len n, const float *x, float *y,
                              const float *options)
{
    inside_kernels(isa)->activate(act, n, x, NULL, y, options);
}
static inline void inside_act_grad(int isa, int act, inside_len n, const float *x,
                                   const float *dy, float *dx, const float *options)
{
    inside_kernels(isa)->activate(act, n, x, dy, dx, options);
}

/* A step of rule `type` on n weights, gradients and states, with options and numbers of one of four
   variants. Type TNN__LAST_RULE + 1 is the vector operations around the rules: weights and first
   state are made of the gradient, the third of the second. */
static inline void inside_update(int isa, int type, int variant, inside_len n, float *w, float *g,
                                 float *const states[TNN_STATES])
{
    const tnn__isa_table *k = inside_kernels(isa);
    tnn_net *net;
    tnn_optimizer o;
    tnn__update u;
    int i;
    if (type > (int)TNN__LAST_RULE) {
        k->lerp(n, 0.3f, g, w);
        k->scale(n, 2.5f, 1.25f, g, states[0]);
        k->madd(n, 0.7f, g, states[1], states[2]);
        return;
    }
    memset(&o, 0, sizeof o);
    o.type = (tnn_optimizer_type)type;
    if (type == TNN_CUSTOM) o.update = (void (*)(const tnn_update_run *))(uintptr_t)1;
    net = tnn_create(.input = {1});
    if (tnn_set_optimizer_with(net, &o)) return;
    o = net->optimizer;                         /* with its defaults */
    tnn_free(net);
    o.momentum = variant ? 0.9 : 0;
    o.nesterov = variant == 3;
    o.dampening = variant == 2 ? 0.3 : 0;
    o.amsgrad = o.centered = o.rectify = variant%2;
    o.alpha_warmup = o.beta3_warmup = variant*4;
    memset(&u, 0, sizeof u);
    u.o = &o;
    u.w = w; u.g = g;
    for (i = 0; i < TNN_STATES; i++) u.s[i] = states[i];
    u.lr = 0.1; u.decay = 0.01; u.shrink = -0.01; u.sign = variant == 2 ? -1 : 1;
    u.bias1 = 0.5; u.bias2 = 0.1; u.bias3 = 0.2;
    u.running[0] = 0.3; u.running[1] = 0.4;
    u.step = variant == 1 ? 1 : 10;
    u.estimate = type == TNN_SOPHIA && variant == 3 ? 5 : 0;
    k->rule[TNN__NTH(type)](&u, u.o, n);
}

/* ---- pooling and convolution of one image ----------------------------------------------------*/

/* The size of what pooling makes of a c x h x w image; 0 where the window is refused. */
static inline inside_len inside_pool_size(const tnn_window *window, int c, int h, int w)
{
    tnn__pool_geometry g;
    return tnn__window("pool", window, 1, c, h, w, &g) ? 0 : (inside_len)g.c*g.oh*g.ow;
}
/* The kernel of one direction: x to y, and for the maximum its places; or dy (x) to dx (y). */
enum { INSIDE_MAX, INSIDE_MAX_GRAD, INSIDE_AVERAGE, INSIDE_AVERAGE_GRAD };
static inline void inside_pool(int isa, int which, const tnn_window *window, int c, int h, int w,
                               const float *x, float *y, float *where)
{
    const tnn__isa_table *k = inside_kernels(isa);
    tnn__pool_geometry g;
    inside_len row, out;
    if (tnn__window("pool", window, 1, c, h, w, &g)) return;
    row = (inside_len)g.iw*g.c;
    out = (inside_len)g.ow*g.c;
    if (which == INSIDE_MAX) k->maxpool(&g, x, row, y, out, where);
    else if (which == INSIDE_MAX_GRAD) k->pool_grad(&g, x, where, y, row);
    else if (which == INSIDE_AVERAGE) k->avgpool(&g, x, row, y, out);
    else k->pool_grad(&g, x, NULL, y, row);
}

/* A 3x3 convolution with padding 1 of `side` x `side` pixels, c channels to oc. Images stand in a
   frame of zeros, one pixel wide: x is the first pixel within it. */
typedef tnn__conv inside_conv;
static inline inside_conv inside_conv_of(int c, int oc, int side)
{
    tnn_window window;
    inside_conv q;
    memset(&q, 0, sizeof q);
    memset(&window, 0, sizeof window);
    window.kernel = 3;
    window.pad = 1;
    tnn__conv_init("conv2d", &window, c, side, side, oc, &q);
    return q;
}
/* Weights turned around, for the gradient of the input. */
static inline void inside_conv_flip(const inside_conv *q, const float *w, float *flipped)
{
    tnn__conv_flip(tnn__kernels(), q, w, flipped);
}
/* Directly: y = w*x, relu or not, or dx = w*dy with flipped weights. */
static inline void inside_conv_forward(int isa, const inside_conv *q, int side, const float *x,
                                       const float *w, float *y, int relu)
{
    tnn__conv_forward(inside_kernels(isa), q, x, (side + 2)*q->g.c, w, NULL, y, side*q->oc, relu, 0,
                      side);
}
static inline void inside_conv_backward(int isa, const inside_conv *q, int side, const float *dy,
                                        const float *flipped, float *dx)
{
    tnn__conv_backward_input(inside_kernels(isa), q, dy, (side + 2)*q->oc, flipped, NULL, dx,
                             side*q->g.c);
}
/* Winograd's way: 16 numbers for each 9 of w; tiles (pairs of rows) from `first` to `end` of an
   image of c channels, c to oc. With `where` their maxima and places, by way of `rows`. */
static inline void inside_tile_weights(int isa, int c, int oc, const float *w, float *to)
{
    tnn__tile_weights(inside_kernels(isa), 1, c, oc, w, to);
}
static inline void inside_tile_forward(int isa, const inside_conv *q, int c, int oc, int side,
                                       const float *x, const float *u, const float *w, float *y,
                                       float *where, float *rows, float *scratch, int first,
                                       int end)
{
    const int max = where ? 2 : 0;
    tnn__tile_forward(inside_kernels(isa), q, c, oc, 1, x, 0, (side + 2)*c, u, w, NULL, y, 0,
                      (max ? side/2 : side)*oc, where, max, rows, max, scratch, first, end);
}
/* dw of one image; sums: 16/9 as many numbers. */
static inline void inside_tile_dw(int isa, const inside_conv *q, int side, const float *x,
                                  const float *dy, float *sums, float *scratch, float *dw)
{
    tnn__tile_backward_weights(inside_kernels(isa), q, x, (side + 2)*q->g.c, dy, side*q->oc, sums,
                               0, scratch);
    tnn__tile_dw(inside_kernels(isa), q, sums, dw);
}

/* ---- threads, processors, the mode of arithmetic ---------------------------------------------*/

/* f(context, task, worker) for each task, on the library's helpers. */
static inline void inside_run(int threads, int tasks, void (*f)(void *, int, int), void *context)
{
    tnn__run(threads, tasks, f, context);
}
#if !defined(TINYNN_NO_THREADS) && !defined(_WIN32)
static inline int  inside_helpers(void)          { return tnn__pool.started; }
static inline void inside_add(int *at, int n)    { TNN__ADD(at, n); }
static inline int  inside_load(int *at)          { return TNN__LOAD(at); }
static inline void inside_store(int *at, int n)  { TNN__STORE(at, n); }
/* How many processors there are for this process; of `most`, those that control groups allow. */
static inline int inside_processors(void)        { return (int)tnn__processors(); }
static inline int inside_quota(int most)         { return tnn__quota(most); }
#endif
#if defined(__linux__) && !defined(TINYNN_NO_THREADS)
/* The bits of the processors that this process may use. */
static inline int inside_affinity(unsigned long *set, size_t bytes)
{
    return tnn__getaffinity(0, bytes, set);
}
#endif
/* The next call chooses the instruction set anew. */
static inline void inside_forget_isa(void) { tnn__isa_chosen = 0; }
/* The bits that make up the processor's mode, 0 if it has none that can be seen; the mode; and
   whether it is another than the library's. */
#define INSIDE_MODE_BITS TNN__MODE_BITS
static inline unsigned inside_mode(void)             { return (unsigned)TNN__MODE_GET(); }
static inline void     inside_set_mode(unsigned m)   { TNN__MODE_SET(m); }
static inline int      inside_foreign_mode(void)     { return (int)tnn__mode(); }

/* ---- networks --------------------------------------------------------------------------------*/

/* Options with their defaults filled in: of the optimizer; p or slope of a layer. */
static inline const tnn_optimizer *inside_optimizer(const tnn_net *net) { return &net->optimizer; }
static inline float inside_p(const tnn_net *net, int layer)     { return net->op[layer].options.p; }
static inline float inside_slope(const tnn_net *net, int layer) { return net->op[layer].slope; }
/* A hash of all that a network is, which what leaves it alone leaves the same. */
static inline uint64_t inside_state(const tnn_net *net)
{
    const uint64_t hash = tnn__fnv(TNN__FNV, (const unsigned char *)net, sizeof *net);
    return tnn__fnv(hash, (const unsigned char *)net->memory,
                    (size_t)net->memory_floats*sizeof *net->memory);
}
/* How many numbers of 8 bytes a checkpoint has, without the caller's. */
enum { INSIDE_COUNTERS = TNN__WHOLE + TNN__REALS };
/* How many images a convolution works together, if it goes Winograd's way, or 0. */
static inline int inside_together(const tnn_net *net, int op)
{
    return net->op[op].tiled ? net->op[op].together : 0;
}
/* Whether the nth of its operations with weights, from 0, goes Winograd's way. */
static inline int inside_tiled(const tnn_net *net, int nth)
{
    int i;
    for (i = 0; i < net->ops; i++)
        if (net->op[i].w_floats > 0 && nth-- == 0) return net->op[i].tiled != NULL;
    return 0;
}
/* Whether the tables of layers' names and of optimizers have a row for each. */
static inline int inside_tables(void)
{
    const size_t layers = sizeof tnn__torch/sizeof *tnn__torch;
    const size_t rules = sizeof tnn__rules/sizeof *tnn__rules;
    int i;
    for (i = 0; i < (int)layers; i++) if (!tnn__torch[i]) return 0;
    return layers == TNN__NTH(TNN__LAST_LAYER) + 1 && rules == TNN__NTH(TNN__LAST_RULE) + 1;
}
/* The name of an optimizer in messages: "Schedule-Free SGD". */
static inline const char *inside_rule_name(int type) { return tnn__rules[TNN__NTH(type)].name; }
/* tnn_step may come, with the gradients that there are, and is not the first. */
static inline void inside_ready_to_step(tnn_net *net)
{
    net->stage = TNN__BACKWARD;
    net->steps += !net->steps;
}

/* The last layer, a convolution, of a network that has done tnn_forward: one direction alone, 'f',
   'd' of its input or 'w' of its weights; a task is a span of the batch. Gradients of the outputs
   are set by inside_last_ready, which also turns the weights. */
typedef struct inside_last { tnn__call call; int direction; } inside_last;
static inline void inside_last_ready(tnn_net *net, void (*fill)(float *, size_t))
{
    const tnn__op *op = &net->op[net->ops - 1];
    const tnn__blob *out = &net->blob[net->ops];
    int s;
    tnn__conv_flip(tnn__kernels(), &op->q, tnn__weights(net, op), op->flipped);
    for (s = 0; s < net->n; s++) fill(out->grad + s*out->sample, (size_t)tnn__values(out));
}
static inline void inside_last_task(void *context, int span, int worker)
{
    const inside_last *last = (const inside_last *)context;
    const tnn__call *call = &last->call;
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const int first = net->n*span/call->spans, end = net->n*(span + 1)/call->spans;
    int i;
    for (i = first; i < end; i++) {
        tnn__sample_at a = tnn__at_sample(call, call->first, i,
                                          net->scratch + worker*net->scratch_floats);
        a.keep = i > first;
        a.last = i == end - 1;
        if (last->direction == 'w') {
            a.dw = net->partial + span*net->partial_floats + op->partial;
            a.db = a.dw + op->w_floats;
            a.low = a.db + op->b_floats;
            if (!a.keep) memset(a.low, 0, (size_t)tnn__op_low(op)*sizeof *a.low);
            a.dx = NULL;
        }
        if (last->direction == 'f') tnn__layer_kinds[TNN__NTH(op->type)].forward(&a);
        else tnn__layer_kinds[TNN__NTH(op->type)].backward(&a);
    }
}
static inline void inside_last_run(tnn_net *net, int direction)
{
    inside_last last;
    memset(&last, 0, sizeof last);
    last.direction = direction;
    last.call.net = net;
    last.call.k = tnn__kernels();
    last.call.last = net->ops;
    last.call.first = net->ops - 1;
    last.call.op = net->op + last.call.first;
    last.call.spans = tnn__spans(net->partial_floats, net->n);
    tnn__run(net->threads, last.call.spans, inside_last_task, &last);
    if (direction == 'w') tnn__run(net->threads, 16, tnn__add_partials, &last.call);
}

/* ---- search ----------------------------------------------------------------------------------*/

#ifndef TINYNN_NO_SEARCH
/* The standard normal distribution: logs of its mass above x and between a and b; what lies at the
   share u of the mass between a and b. */
static inline double inside_log_tail(double x)           { return tnn__log_double(tnn__tail(x)); }
static inline double inside_log_mass(double a, double b) { return tnn__log_mass(a, b); }
static inline double inside_quantile(double a, double b, double u)
{
    return tnn__truncated_normal(a, b, u, NULL);
}
/* TPE sorts its trials into good ones and the rest; `anew`: all of them, not those told since. */
static inline void inside_split(tnn_study *study, int anew)
{
    if (anew) study->stale = 1;
    tnn__split_trials(study);
}
/* Which of n candidates it takes for a variable. */
static inline int inside_choose(tnn_study *study, int variable, double *x, int n)
{
    return tnn__tpe_choose(study, variable, x, n, -1);
}
/* log l of x, or log g (rest = 1), by the formula, from all kernels; inside_fit_rest comes before
   the latter, for each variable. */
static inline void inside_fit_rest(tnn_study *study, int variable)
{
    tnn__parzen_fit(study, variable, study->order, study->others, &study->rest);
}
static inline double inside_density(const tnn_study *study, int variable, int rest, double x)
{
    return tnn__parzen_log(study, variable, rest ? &study->rest : &study->space[variable].good, x);
}
/* The same but for the log and a factor, by the quick sums, of n candidates. */
static inline void inside_quick(tnn_study *study, int variable, int rest, int n, const double *x,
                                double *to)
{
    const tnn__crowd *crowd = rest ? tnn__fit_rest(study, variable) : NULL;
    const tnn__mix *mix = rest ? &study->rest : &study->space[variable].good;
    int i;
    for (i = 0; i < n; i++) to[i] = tnn__quick_density(study, variable, mix, crowd, x[i]);
}
/* Candidate k of a variable, drawn for trial `trial`: exactly or quickly. *apart: how far both are
   from each other on the axis, in shares of its range. Or (any = 1) one from anywhere on it. */
static inline double inside_draw(const tnn_study *study, int variable, int trial, int k, int any,
                                 double *apart)
{
    const tnn__axis *axis = &study->space[variable];
    const double range = axis->to - axis->from;
    double u[2], x;
    tnn__uniforms(study, k, variable, trial, u);
    x = tnn__parzen_draw(study, variable, u, 0);
    *apart = fabs(tnn__on_line(axis, x)
                  - tnn__on_line(axis, tnn__parzen_draw(study, variable, u, 1)))/range;
    return any ? tnn__from_line(axis, axis->from + range*u[0]) : x;
}
#endif
#endif
