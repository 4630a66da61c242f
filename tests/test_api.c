/* test_api.c - what a caller meets: errors and their messages, data, threads, and one number that
   must come out on every machine. */
#ifndef _WIN32
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <unistd.h>
#endif
#include <stddef.h>
#include "test.h"
#include "options.h"
#include "files.h"
#include <time.h>

/* Of small_net's parameters after 20 steps of Adam: the same on every machine but with SSE2. */
#define TRAINED_HASH 0x014c3a86140be361ull
#define TILED_HASH   0x2dee27244bd55fffull

/* The pending error's message is `want` (or begins with it if it ends in "..."), then cleared. */
static int says(const char *want)
{
    const size_t n = strlen(want), dots = n >= 3 && !strcmp(want + n - 3, "...") ? n - 3 : n;
    const int ok = tnn_failed() && (dots < n ? !strncmp(tnn_error(), want, dots)
                                             : !strcmp(tnn_error(), want));
    if (!ok) printf("      message: %s\n      wanted:  %s\n", tnn_error(), want);
    tnn_clear_error();
    return ok;
}
/* With the caller's line, the one before; clang counts from the last line of a macro's use, gcc
   from its first. */
static int says_at(int line, const char *rest)
{
    char want[300];
    int at = 0;
    if (sscanf(tnn_error(), "test_api.c:%d:", &at) == 1 && at <= line && at > line - 3) line = at;
    snprintf(want, sizeof want, "test_api.c:%d: %s", line, rest);
    return says(want);
}
#define SAYS(text)    CHECK(says(text), "another message")
#define SAYS_AT(text) CHECK(says_at(__LINE__ - 1, text), "another message")

/* The small network of most tests: every kind of layer, 2 x 8 x 9 images, 5 classes. */
static tnn_net *small_net(int batch, int threads)
{
    tnn_net *net = tnn_create(.input = {2, 8, 9}, .batch = batch, .threads = threads, .seed = 3);
    tnn_add(net, TNN_CONV2D, .filters = 6, .kernel = 3, .pad = 1);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .pad = 1, .stride = 2, .groups = 2);
    tnn_add(net, TNN_LEAKY_RELU);
    tnn_add(net, TNN_DROPOUT, .p = 0.1f);
    tnn_add(net, TNN_AVGPOOL2D, .kernel = 2, .stride = 1, .pad = 1);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 20);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DROPOUT, .p = 0.25f);
    tnn_add(net, TNN_DENSE, .units = 5);
    tnn_set_loss(net, TNN_CROSS_ENTROPY, .label_smoothing = 0.1f);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01);
    return net;
}
enum { SIZE = 2*8*9, SAMPLES = 37 };
static float xs[SAMPLES*SIZE];
static int   ys[SAMPLES];
static void make_data(void)
{
    int i;
    for (i = 0; i < SAMPLES*SIZE; i++) xs[i] = 2*tnn_random_uniform(5, 1, (uint64_t)i) - 1;
    for (i = 0; i < SAMPLES; i++) {
        ys[i] = i%5;
        xs[i*SIZE + 3 + ys[i]] += 2;
    }
}

/* ---- Choices --------------------------------------------------------------------------------- */
/* Every constant of a public enum, by its name. */
#define C(name) {#name, name},
static const struct { const char *name; int value; } constants[] = {
    C(TNN_CONV2D) C(TNN_DENSE) C(TNN_MAXPOOL2D) C(TNN_AVGPOOL2D) C(TNN_FLATTEN) C(TNN_RELU)
    C(TNN_LEAKY_RELU) C(TNN_DROPOUT) C(TNN_CONV_TRANSPOSE2D) C(TNN_ADAPTIVE_MAXPOOL2D)
    C(TNN_ADAPTIVE_AVGPOOL2D) C(TNN_UPSAMPLE) C(TNN_PAD) C(TNN_RESHAPE) C(TNN_IDENTITY) C(TNN_ADD)
    C(TNN_CONCAT) C(TNN_SCALE) C(TNN_BATCHNORM) C(TNN_LAYERNORM) C(TNN_GROUPNORM)
    C(TNN_INSTANCENORM) C(TNN_RMSNORM) C(TNN_PRELU) C(TNN_RELU6) C(TNN_ELU) C(TNN_SELU) C(TNN_CELU)
    C(TNN_GELU) C(TNN_SILU) C(TNN_MISH) C(TNN_SOFTPLUS) C(TNN_SOFTSIGN) C(TNN_SIGMOID)
    C(TNN_LOG_SIGMOID) C(TNN_TANH) C(TNN_HARDTANH) C(TNN_HARDSIGMOID) C(TNN_HARDSWISH)
    C(TNN_SOFTMAX) C(TNN_LOG_SOFTMAX) C(TNN_GLU) C(TNN_DROPOUT2D) C(TNN_ALPHA_DROPOUT)
    C(TNN_GAUSSIAN_DROPOUT) C(TNN_GAUSSIAN_NOISE) C(TNN_STOCHASTIC_DEPTH) C(TNN_CUSTOM_LAYER)
    C(TNN_CROSS_ENTROPY) C(TNN_NLL) C(TNN_MULTI_MARGIN) C(TNN_MSE) C(TNN_L1) C(TNN_HUBER)
    C(TNN_SMOOTH_L1) C(TNN_LOG_COSH) C(TNN_BCE) C(TNN_BCE_LOGITS) C(TNN_FOCAL) C(TNN_HINGE)
    C(TNN_SQUARED_HINGE) C(TNN_HINGE_EMBEDDING) C(TNN_KL_DIV) C(TNN_POISSON_NLL)
    C(TNN_GAUSSIAN_NLL) C(TNN_COSINE_LOSS) C(TNN_DICE) C(TNN_CUSTOM_LOSS)
    C(TNN_SGD) C(TNN_ADAM) C(TNN_ADAMW) C(TNN_ASGD) C(TNN_ADAGRAD) C(TNN_ADADELTA) C(TNN_RMSPROP)
    C(TNN_RPROP) C(TNN_ADAMAX) C(TNN_NADAM) C(TNN_RADAM) C(TNN_LION) C(TNN_ADABELIEF) C(TNN_ADAN)
    C(TNN_ADEMAMIX) C(TNN_SCHEDULE_FREE_SGD) C(TNN_SCHEDULE_FREE_ADAMW) C(TNN_SOPHIA) C(TNN_LARS)
    C(TNN_LAMB) C(TNN_ADAFACTOR) C(TNN_MUON) C(TNN_LBFGS) C(TNN_CUSTOM)
    C(TNN_CONSTANT) C(TNN_STEP) C(TNN_MULTISTEP) C(TNN_EXPONENTIAL) C(TNN_INVERSE_TIME)
    C(TNN_LINEAR) C(TNN_POLYNOMIAL) C(TNN_COSINE) C(TNN_COSINE_RESTARTS) C(TNN_ANNEAL) C(TNN_WSD)
    C(TNN_ONE_CYCLE) C(TNN_CYCLIC) C(TNN_SEQUENTIAL) C(TNN_CHAINED) C(TNN_LAMBDA)
    C(TNN_MULTIPLICATIVE)
    C(TNN_ZEROS) C(TNN_REFLECT) C(TNN_REPLICATE) C(TNN_CIRCULAR) C(TNN_NEAREST) C(TNN_BILINEAR)
    C(TNN_BILINEAR_ALIGNED)
    C(TNN_INIT_HE_UNIFORM) C(TNN_INIT_HE_NORMAL) C(TNN_INIT_XAVIER_UNIFORM)
    C(TNN_INIT_XAVIER_NORMAL) C(TNN_INIT_ZERO) C(TNN_INIT_LECUN_UNIFORM) C(TNN_INIT_LECUN_NORMAL)
    C(TNN_INIT_FAN_IN) C(TNN_INIT_UNIFORM) C(TNN_INIT_NORMAL) C(TNN_INIT_TRUNCATED)
    C(TNN_INIT_CONSTANT) C(TNN_INIT_ONE) C(TNN_INIT_EYE) C(TNN_INIT_ORTHOGONAL) C(TNN_INIT_SPARSE)
    C(TNN_FAN_IN) C(TNN_FAN_OUT) C(TNN_FAN_AVERAGE)
    C(TNN_MAX_NORM) C(TNN_UNIT_NORM) C(TNN_MIN_MAX_NORM) C(TNN_NON_NEGATIVE)
    C(TNN_REDUCE_SUM) C(TNN_REDUCE_BATCHMEAN) C(TNN_CLIP_VALUE) C(TNN_CLIP_TENSOR) C(TNN_CLIP_NORM)
    C(TNN_ANNEAL_LINEAR) C(TNN_ANNEAL_SQRT) C(TNN_BORDER_EDGE) C(TNN_BORDER_REFLECT)
    C(TNN_INT) C(TNN_CATEGORICAL) C(TNN_RANDOM) C(TNN_GRID) C(TNN_MEDIAN) C(TNN_HALVING)
    C(TNN_BOOL) C(TNN_U8) C(TNN_I8) C(TNN_U16) C(TNN_I16) C(TNN_U32) C(TNN_I32) C(TNN_U64)
    C(TNN_I64) C(TNN_F16) C(TNN_BF16) C(TNN_F32) C(TNN_F64)
    C(TNN_KERAS) C(TNN_RUNNING) C(TNN_DONE) C(TNN_PRUNED) C(TNN_FAILED)
    C(TNN_TRAIN) C(TNN_TRANSPOSE_A) C(TNN_TRANSPOSE_B) C(TNN_ACCUMULATE) C(TNN_SUMMARY_MODULES)
    C(TNN_SUMMARY_FUNCTIONAL)
};
#undef C
/* Gives constant v to place p, which takes those from `first` on; what the library says of it. */
static const char *given(int p, int v, int *first, int *last)
{
    static char said[400];
    static double wide[4];          /* four of any type */
    float m[4] = {1, 2, 3, 4};
    tnn_tensor t = tnn_tensor_view(m, 2, 2, 1, 1);
    const int labels[4] = {0, 1, 0, 1};
    tnn_data data = tnn_data_view(NULL, m, labels, 4, 1, 1, 1);
    tnn_array array = {TNN_F32, 1, {4}, 4, NULL};
    tnn_variable x = {.name = "x", .low = 1, .high = 2};
    tnn_net *net = tnn_create(.input = {2}, .batch = 2);
    tnn_add(net, TNN_DENSE, .units = 2);
    array.data = wide;
#define PLACE(from, to, call) *first = from, *last = to; call; break
    switch (p) {
    case 0:  PLACE(TNN_CONV2D, LAST_LAYER, tnn_add(net, (tnn_layer_type)v));
    case 1:  PLACE(TNN_CROSS_ENTROPY, LAST_LOSS, tnn_set_loss(net, (tnn_loss_type)v));
    case 2:  PLACE(TNN_SGD, LAST_RULE, tnn_set_optimizer(net, (tnn_optimizer_type)v));
    case 3:  PLACE(TNN_CONSTANT, LAST_SCHEDULE,
                   tnn_set_optimizer(net, TNN_SGD); tnn_set_schedule(net, (tnn_schedule_type)v));
    case 4:  PLACE(TNN_ZEROS, TNN_BILINEAR_ALIGNED,
                   tnn_add(net, TNN_UPSAMPLE, .mode = (tnn_sampling)v));
    case 5:  PLACE(TNN_ZEROS, TNN_BILINEAR_ALIGNED,
                   tnn_add(net, TNN_CONV2D, .filters = 1, .kernel = 1,
                           .pad_mode = (tnn_sampling)v));
    case 6:  PLACE(TNN_INIT_HE_UNIFORM, TNN_INIT_SPARSE,
                   tnn_add(net, TNN_DENSE, .units = 2, .init = (tnn_init)v));
    case 7:  PLACE(TNN_INIT_HE_UNIFORM, TNN_INIT_SPARSE,
                   tnn_add(net, TNN_DENSE, .units = 2, .bias_init = (tnn_init)v));
    case 8:  PLACE(TNN_FAN_IN, TNN_FAN_AVERAGE,
                   tnn_add(net, TNN_DENSE, .units = 2, .init = TNN_INIT_HE_NORMAL,
                           .init_with = {.fan = (tnn_fan)v}));
    case 9:  PLACE(TNN_MAX_NORM, TNN_NON_NEGATIVE,
                   tnn_add(net, TNN_DENSE, .units = 2, .constraint = (tnn_constraint)v));
    case 10: PLACE(TNN_REDUCE_SUM, TNN_REDUCE_BATCHMEAN,
                   tnn_set_loss(net, TNN_MSE, .reduction = (tnn_reduction)v));
    case 11: PLACE(TNN_CLIP_VALUE, TNN_CLIP_NORM, tnn_clip_grad(net, (tnn_clip)v, 1));
    case 12: PLACE(TNN_ANNEAL_LINEAR, TNN_ANNEAL_SQRT, tnn_set_optimizer(net, TNN_SGD);
                   tnn_set_schedule(net, TNN_ANNEAL, .end_lr = 1, .anneal = (tnn_anneal)v));
    case 13: PLACE(TNN_BORDER_EDGE, TNN_BORDER_REFLECT,
                   tnn_loader_free(tnn_loader_create(&data, .border = (tnn_border)v)));
    case 14: PLACE(TNN_INT, TNN_CATEGORICAL, x.type = (tnn_variable_type)v;
                   tnn_study_free(tnn_study_create(.space = &x, .count = 1)));
    case 15: PLACE(TNN_RANDOM, TNN_GRID, tnn_study_free(tnn_study_create(
                   .space = &x, .count = 1, .sampler = (tnn_sampler)v)));
    case 16: PLACE(TNN_MEDIAN, TNN_HALVING, tnn_study_free(tnn_study_create(
                   .space = &x, .count = 1, .pruner = (tnn_pruner)v)));
    case 17: PLACE(TNN_BOOL, TNN_F64, array.dtype = (tnn_dtype)v; tnn_array_value(&array, 0));
    case 18: PLACE(TNN_BOOL, TNN_F64, array.dtype = (tnn_dtype)v;
                   data = tnn_array_data(&array, NULL, NULL); tnn_data_free(&data));
    case 19: PLACE(TNN_KERAS, TNN_KERAS,
                   tnn_free(tnn_create(.input = {2}, .dialect = (tnn_dialect)v)));
    case 20: PLACE(TNN_TRAIN, TNN_TRAIN, tnn_forward(net, m, 1, (tnn_mode)v));
    case 21: PLACE(TNN_TRANSPOSE_A, TNN_ACCUMULATE,
                   tnn_matmul(tnn_tensor_view(m, 2, 2, 1, 1), t, t, v));
    case 22: PLACE(TNN_SUMMARY_MODULES, TNN_SUMMARY_FUNCTIONAL,
                   tnn_summary(net, said, sizeof said, v));
#ifndef TINYNN_NO_STDIO
    case 23: PLACE(TNN_BOOL, TNN_F64, remove("build/choice.npy");
                   tnn_save_npy("build/choice.npy", m, (tnn_dtype)v, 0, NULL));
#endif
    default: *first = 0;
    }
#undef PLACE
    strcpy(said, tnn_error());
    tnn_clear_error();
    tnn_free(net);
    return said;
}
/* No constant passes for one of another enum; the message says which one it is. */
static void choices(void)
{
    const int n = (int)(sizeof constants/sizeof *constants);
    int p, i, first, last, refused = 0;
    for (p = 0; given(p, 0, &first, &last), first; p++)
        for (i = 0; i < n; i++) {
            const int v = constants[i].value;
            const char *said = given(p, v, &first, &last);
            char is[80];
            snprintf(is, sizeof is, v > 100 && v < 1 << 12 ? "%s is " : "%.0s", constants[i].name);
            if (v >= first && v <= last)
                CHECK(!strstr(said, is) || v < 100 || v >= 1 << 12, "place %d: %s", p, said);
            else {
                CHECK(*said && strstr(said, is), "place %d takes %s: %s", p, constants[i].name,
                      said);
                refused++;
            }
        }
    CHECK(p >= 22 && refused > 3000, "%d places, %d refused", p, refused);
    for (i = 0; i < n; i++)
        for (p = 0; p < i; p++)
            CHECK(constants[i].value != constants[p].value, "%s is %s", constants[i].name,
                  constants[p].name);
}
/* What is called otherwise elsewhere, or nearly the same here, is told. */
static void hints(void)
{
    tnn_net *net = tnn_create(.input = {2});
    tnn_add(net, (tnn_layer_type)TNN_LINEAR, .units = 100);
    SAYS_AT("layer 1, tnn_add: TNN_LINEAR is a schedule, for tnn_set_schedule; a layer with "
            "weights and biases is TNN_DENSE");
    tnn_add(net, (tnn_layer_type)TNN_MSE);
    SAYS_AT("layer 1, tnn_add: TNN_MSE is a loss, for tnn_set_loss; needed is a layer");
    tnn_add(net, (tnn_layer_type)1);
    SAYS_AT("layer 1, tnn_add: 1 is not a layer (TNN_CONV2D is one)");
    tnn_set_loss(net, (tnn_loss_type)TNN_COSINE);
    SAYS_AT("tnn_set_loss: TNN_COSINE is a schedule, for tnn_set_schedule; a loss is "
            "TNN_COSINE_LOSS");
    tnn_set_loss(net, (tnn_loss_type)TNN_SOFTMAX);
    SAYS_AT("tnn_set_loss: TNN_SOFTMAX is a layer, for tnn_add; the loss of logits by classes is "
            "TNN_CROSS_ENTROPY");
    tnn_set_optimizer(net, (tnn_optimizer_type)TNN_CUSTOM_LAYER);
    SAYS_AT("tnn_set_optimizer: TNN_CUSTOM_LAYER is a layer, for tnn_add; an optimizer is "
            "TNN_CUSTOM");
    tnn_add(net, TNN_DENSE, .units = 2, .init = (tnn_init)TNN_CONSTANT);
    SAYS_AT("layer 1, tnn_add: .init: TNN_CONSTANT is a schedule, for tnn_set_schedule; a kind of "
            "initial value is TNN_INIT_CONSTANT");
    tnn_free(net);
}

/* ---- Options that do nothing ----------------------------------------------------------------- */
/* Each option of a struct is set alone, for each kind: it must change something that can be seen,
   or be refused. `seen` is a hash of all that can be. */
static uint64_t seen;
static void see(const void *p, size_t size)
{
    const unsigned char *b = (const unsigned char *)p;
    for (; p && size; size--) seen = (seen ^ *b++)*1099511628211u;
}
typedef struct {
    const char *what;
    const option *list;
    int count, first, last;
    void (*base)(void *o, int kind);
    void (*look)(const void *o);            /* adds to seen */
    union { tnn_layer layer; tnn_optimizer rule; tnn_schedule schedule; tnn_loss_options loss;
            tnn_loader_options loader; } o;
} options_case;
static void idle_options(options_case *c)
{
    static const double reals[] = {0.7, 1.5, 1e-3, -0.5};
    static const int ints[] = {1, 2, 3, -1, TNN_REFLECT, TNN_BILINEAR, TNN_INIT_HE_NORMAL,
                               TNN_INIT_NORMAL, TNN_FAN_OUT, TNN_UNIT_NORM, TNN_REDUCE_SUM,
                               TNN_ANNEAL_SQRT, TNN_BORDER_EDGE};
    int kind, i, k, refused = 0, tried = 0;
    for (kind = c->first; kind <= c->last; kind++) {
        uint64_t plain;
        c->base(&c->o, kind);
        seen = 0;
        c->look(&c->o);
        CHECK(!tnn_failed(), "%s %d: %s", c->what, kind, tnn_error());
        tnn_clear_error();
        plain = seen;
        for (i = 0; i < c->count; i++) {
            int taken = 0, changed = 0;
            for (k = c->list[i].type == 'e' ? 4 : 0; k < (c->list[i].type == 'e' ? 13 : 4); k++) {
                const float real = (float)reals[k%4];
                void *at = (char *)&c->o + c->list[i].at;
                c->base(&c->o, kind);
                if (strchr("ie", c->list[i].type)) memcpy(at, &ints[k], sizeof ints[k]);
                if (c->list[i].type == 'f') memcpy(at, &real, sizeof real);
                if (c->list[i].type == 'd') memcpy(at, &reals[k], sizeof reals[k]);
                seen = 0;
                c->look(&c->o);
                taken += !tnn_failed();
                changed += !tnn_failed() && seen != plain;
                tnn_clear_error();
            }
            CHECK(!taken || changed, "%s %d takes .%s, which does nothing", c->what, kind,
                  c->list[i].name);
            refused += !taken;
            tried++;
        }
    }
    test_note("%d of %d options taken", tried - refused, tried);
}
#define COUNTED(list) list, (int)(sizeof list/sizeof *list)
static int own_shape(void *user, const int in[3], int out[3], int *params)
{
    (void)user; (void)in; (void)out;
    *params = 1;
    return 0;
}
static void own_forward(void *user, const float *x, float *y, const float *w, int training)
{
    int i;
    (void)user; (void)training;
    for (i = 0; i < 4*8*8; i++) y[i] = x[i]*(1 + w[0]);
}
static void own_backward(void *user, const float *x, const float *y, const float *dy, float *dx,
                         const float *w, float *dw)
{
    int i;
    (void)user; (void)y;
    for (i = 0; i < 4*8*8; i++) dx[i] = dy[i]*(1 + w[0]);
    for (i = 0; dw && i < 4*8*8; i++) dw[0] += dy[i]*x[i];
}
static const tnn_custom_layer own_layer = {"own", NULL, own_shape, NULL, own_forward, own_backward};
static void layer_base(void *p, int type)
{
    tnn_layer *o = (tnn_layer *)p;
    const int window = type == TNN_CONV2D || type == TNN_CONV_TRANSPOSE2D || type == TNN_MAXPOOL2D
                       || type == TNN_AVGPOOL2D;
    memset(o, 0, sizeof *o);
    o->type = (tnn_layer_type)type;
    if (window) o->kernel = 5, o->stride = 2, o->pad = 1;
    if (type == TNN_CONV2D || type == TNN_CONV_TRANSPOSE2D) o->filters = 6;
    if (type == TNN_DENSE) o->units = 6;
    if (type == TNN_PAD) o->pad = 1;
    if (type == TNN_GROUPNORM) o->groups = 1;
    if (type == TNN_RESHAPE) o->shape[0] = -1, o->shape[1] = o->shape[2] = 4;
    if (type == TNN_ADD || type == TNN_CONCAT) o->from = 1;
    if (type == TNN_CUSTOM_LAYER) o->custom = &own_layer;
}
static void layer_look(const void *p)
{
    static const int labels[4] = {0, 2, 1, 2};
    static float x[4*4*8*8];
    tnn_net *net = tnn_create(.input = {4, 8, 8}, .batch = 4, .seed = 5, .threads = 1);
    int shape[3] = {0, 0, 0}, k;
    size_t n, bytes;
    uint64_t hash;
    for (k = 0; k < 4*4*8*8; k++) x[k] = 3*xs[k%1000];
    tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 1);
    tnn_add(net, TNN_TANH);
    if (!tnn_add_with(net, (const tnn_layer *)p)) {     /* .from: of the two before it */
        tnn_output_shape(net, shape);
        tnn_add(net, TNN_FLATTEN);
        tnn_add(net, TNN_DENSE, .units = 3);
        tnn_add(net, TNN_FLATTEN, .from = 2);
        tnn_add(net, TNN_DENSE, .units = 3);
        tnn_add(net, TNN_ADD, .from = 5);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net, TNN_SGD, .lr = 0.1, .momentum = 0.9, .weight_decay = 0.1);
        for (k = 0; k < 3; k++) {
            double penalty = tnn_penalty(net);
            see(&penalty, sizeof penalty);
            tnn_train_batch(net, x, labels, 4);
        }
        tnn_forward(net, x, 4, TNN_EVAL);
        if (!tnn_failed()) see(tnn_output(net), 12*sizeof(float));
        hash = tnn_hash(net);
        bytes = tnn_net_bytes(net);
        see(&hash, sizeof hash), see(&bytes, sizeof bytes), see(shape, sizeof shape);
        if (!tnn_failed()) {
            const float *w = tnn_flat(net, 0, &n);
            see(w, n*sizeof *w);
        }
    }
    tnn_free(net);
}
static void idle_layer_options(void)
{
#define STRUCT tnn_layer
#define INIT(of) D(of.gain) E(of.fan) I(of.truncated) D(of.mean) D(of.std) D(of.min) D(of.max) \
                 D(of.value) D(of.sparsity)
    static const option list[] = {      /* all but .exact, which other sizes show, and .lr_scale,
                                           .decay_scale, .frozen, which may be given to any layer */
        I(filters) I(units) I(kernel) I(kernel_h) I(kernel_w) I(stride) I(stride_h) I(stride_w)
        I(pad) I(pad_h) I(pad_w) I(dilation) I(dilation_h) I(dilation_w) I(groups) I(ceil)
        I(exclude_pad) I(no_bias) F(slope) F(p) E(init) INIT(init_with) E(bias_init)
        INIT(bias_init_with) D(l1) D(l2) D(orthogonal) E(constraint) D(norm_min) D(norm_max)
        D(norm_rate) I(from) I(output_pad) I(output_pad_h) I(output_pad_w) E(pad_mode) I(size)
        I(size_h) I(size_w) I(factor) E(mode) F(value) I(shape[1]) F(eps) F(momentum) I(no_affine)
        I(affine) I(no_statistics) I(statistics) I(cumulative) I(biased) F(alpha) F(beta)
        F(threshold) F(min_value) F(max_value) I(approximate) I(per_channel) F(std) F(drop_connect)
    };
#undef INIT
#undef STRUCT
    options_case c = {"layer", COUNTED(list), TNN_CONV2D, LAST_LAYER, layer_base, layer_look,
                      {{(tnn_layer_type)0}}};
    idle_options(&c);
}
static void own_update(const tnn_update_run *run)
{
    size_t i;
    for (i = 0; i < run->n; i++) {
        run->w[i] -= (float)run->lr*(run->g[i] + (float)run->weight_decay*run->w[i]);
        if (run->state[0]) run->state[0][i] += run->w[i];
    }
}
static void rule_base(void *p, int type)
{
    tnn_optimizer *o = (tnn_optimizer *)p;
    memset(o, 0, sizeof *o);
    o->type = (tnn_optimizer_type)type;
    if (type == TNN_CUSTOM) o->update = own_update;
    if (type == TNN_ADAMAX) o->eps = 0.01;
    if (type != TNN_LBFGS) o->weight_decay = 0.1;
}
static void rule_look(const void *p)
{
    static const int labels[4] = {0, 2, 1, 2};
    tnn_net *net = tnn_create(.input = {6}, .batch = 4, .seed = 5, .threads = 1);
    const float *w;
    size_t n;
    int k;
    tnn_add(net, TNN_DENSE, .units = 5);
    tnn_add(net, TNN_TANH);
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    if (!tnn_set_optimizer_with(net, (const tnn_optimizer *)p)) {
        for (k = 0; k < 12; k++) {
            tnn_train_batch(net, xs + 24*(k%3), labels, 4);
            if (k == 5) tnn_set_lr(net, 1.5*tnn_lr(net));
        }
        for (k = 0; k < 7 && !tnn_failed(); k++)
            if (k != 1 && (w = tnn_flat(net, k, &n)) != NULL) {
                see(&k, sizeof k);
                if (k < 2 || k > 5) see(w, n*sizeof *w);
            }
        if (!tnn_failed()) {
            if (!tnn_use_average(net, 1)) w = tnn_flat(net, 0, &n), see(w, n*sizeof *w);
            tnn_clear_error();          /* of a rule without an average */
        }
    }
    tnn_free(net);
}
static void idle_rule_options(void)
{
    options_case c = {"optimizer", COUNTED(rule_options), TNN_SGD, LAST_RULE, rule_base, rule_look,
                      {{(tnn_layer_type)0}}};
    idle_options(&c);
}
static double own_lr(void *user, long long t) { return user ? 2 : 1/(1.0 + (double)t); }
static void schedule_base(void *p, int type)
{
    static const int milestones[] = {3, 7};
    static const tnn_schedule parts[] = {{.type = TNN_CONSTANT}, {.type = TNN_COSINE, .steps = 9}};
    tnn_schedule *o = (tnn_schedule *)p;
    memset(o, 0, sizeof *o);
    o->type = (tnn_schedule_type)type;
    if (type == TNN_STEP || (type >= TNN_LINEAR && type <= TNN_CYCLIC && type != TNN_ANNEAL))
        o->steps = 10;
    if (type == TNN_EXPONENTIAL || type == TNN_INVERSE_TIME) o->gamma = 0.5, o->steps = 4;
    if (type == TNN_MULTISTEP || type == TNN_SEQUENTIAL) o->milestones = milestones, o->count = 2;
    if (type == TNN_CHAINED || type == TNN_SEQUENTIAL) o->parts = parts, o->count = 2;
    if (type == TNN_WSD) o->steps_down = 5;
    if (type == TNN_CYCLIC || type == TNN_ANNEAL) o->end_lr = 0.1;
    if (type == TNN_LAMBDA || type == TNN_MULTIPLICATIVE) o->function = own_lr;
}
static void schedule_look(const void *p)
{
    const tnn_schedule *s = (const tnn_schedule *)p;
    int t;
    for (t = 0; t < 40 && !tnn_failed(); t++) {
        const double lr = tnn_schedule_lr(s, t), m = tnn_schedule_momentum(s, t);
        see(&lr, sizeof lr);
        if (m >= 0) see(&m, sizeof m);
    }
}
static void idle_schedule_options(void)
{
#define STRUCT tnn_schedule
    static const option list[] = {      /* all but .steps* (long long), .per_epoch, pointers */
        D(lr) D(gamma) D(end_lr) D(end_factor) D(min_lr) D(warmup_factor) D(start_factor) D(power)
        E(anneal) I(staircase) I(mult) D(cycle_gamma) D(pct_start) D(div_factor) D(final_div_factor)
        I(three_phase) D(base_momentum) D(max_momentum) I(keep_momentum)
    };
#undef STRUCT
    options_case c = {"schedule", COUNTED(list), TNN_CONSTANT, LAST_SCHEDULE, schedule_base,
                      schedule_look, {{(tnn_layer_type)0}}};
    idle_options(&c);
}
static double own_loss(void *user, const float *x, const float *t, const int *labels, int n,
                       int count, float *gradient)
{
    int i;
    (void)user; (void)t; (void)labels; (void)x;
    for (i = 0; i < n*count; i++) gradient[i] = 1;
    return 1;
}
static void loss_base(void *p, int type)
{
    tnn_loss_options *o = (tnn_loss_options *)p;
    memset(o, 0, sizeof *o);
    o->type = (tnn_loss_type)type;
    if (type == TNN_CUSTOM_LOSS) o->custom = own_loss;
}
static void loss_look(const void *p)
{
    static const int labels[16] = {1, 2, 0, 3, 1, 1, 2, 2, 3, 0, 1, 2, 3, 1, 0, 2};
    static float targets[64];
    const tnn_loss_options *o = (const tnn_loss_options *)p;
    float dw[64];
    int image, way, i, done = 0;
    for (i = 0; i < 64; i++) targets[i] = (float)((i%4 == 1)*(1 + (o->type == TNN_POISSON_NLL)));
    for (image = 0; image < 2; image++)
        for (way = 0; way < 3; way++) {
            const int exps = o->type == TNN_NLL || o->type == TNN_KL_DIV;
            tnn_net *net = tnn_create(.input = {4, 2, 2}, .batch = 4, .seed = 2, .threads = 1);
            double loss;
            if (way == 2) for (i = 0; i < 64; i++) targets[i] -= 2;     /* logarithms */
            tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 1);
            if (!image) tnn_add(net, TNN_FLATTEN), tnn_add(net, TNN_DENSE, .units = 4);
            if (exps) tnn_add(net, TNN_LOG_SOFTMAX);
            else if (o->type == TNN_BCE || o->type == TNN_GAUSSIAN_NLL
                     || o->type == TNN_POISSON_NLL)
                tnn_add(net, TNN_SOFTPLUS);
            if (o->type == TNN_BCE) tnn_add(net, TNN_HARDTANH, .min_value = 0.01f);
            if (!tnn_set_loss_with(net, o)) {
                tnn_forward(net, xs, 4, TNN_TRAIN);
                loss = way ? tnn_loss_targets(net, targets) : tnn_loss(net, labels);
                if (!tnn_failed() && !tnn_backward(net)) {
                    i = tnn_counted(net);
                    tnn_get_grad(net, "0.weight", dw, 16);
                    see(&way, sizeof way), see(&image, sizeof image);
                    see(&loss, sizeof loss), see(dw, 16*sizeof *dw), see(&i, sizeof i);
                    done++;
                }
                tnn_clear_error();                  /* labels or targets that it does not take */
            } else if (tnn_failed() == TNN_ERROR_SHAPE) tnn_clear_error();
            if (way == 2) for (i = 0; i < 64; i++) targets[i] += 2;
            tnn_free(net);
            if (tnn_failed()) return;
        }
    if (!done) see("none", 4);
}
static void idle_loss_options(void)
{
#define STRUCT tnn_loss_options
    static const option list[] = {
        F(label_smoothing) E(reduction) O(ignore_index) 'f'}, F(gamma) F(margin) F(delta) F(beta)
        F(alpha) F(eps) F(smooth) I(p) I(log_target) I(no_log_input) I(full) I(per_pixel)
    };
#undef STRUCT
    options_case c = {"loss", COUNTED(list), TNN_CROSS_ENTROPY, LAST_LOSS, loss_base,
                      loss_look, {{(tnn_layer_type)0}}};
    idle_options(&c);
}
static void loader_base(void *p, int kind)
{
    (void)kind;
    memset(p, 0, sizeof(tnn_loader_options));
    ((tnn_loader_options *)p)->batch = 5;
}
static void loader_look(const void *p)
{
    static float pixels[8*3*6*6];
    static const int labels[8] = {0, 1, 2, 0, 1, 2, 0, 1};
    tnn_data data = tnn_data_view(NULL, pixels, labels, 8, 3, 6, 6);
    tnn_loader *l;
    int i;
    for (i = 0; i < 8*3*6*6; i++) pixels[i] = (xs[i%2000] + 2)/6;
    l = tnn_loader_create_with(&data, (const tnn_loader_options *)p);
    while (l && tnn_next(l)) {
        see(&l->n, sizeof l->n), see(l->x, sizeof(float)*108*(size_t)l->n);
        if (l->labels) see(l->labels, sizeof(int)*(size_t)l->n);
        if (l->targets) see(l->targets, sizeof(float)*3*(size_t)l->n);
    }
    tnn_loader_free(l);
}
static void idle_loader_options(void)
{
#define STRUCT tnn_loader_options
    static const option list[] = {      /* all but .seed, which may stand there without need */
        I(batch) I(shuffle) I(drop_last) D(flip) D(flip_vertical) D(rotate) D(shear) D(scale_min)
        D(scale_max) D(shift) I(crop_pad) E(border) D(fill) D(brightness) D(contrast) D(saturation)
        D(hue) I(cutout) D(erase) D(erase_min) D(erase_max) D(erase_ratio) D(mixup) D(cutmix) D(mix)
    };
#undef STRUCT
    options_case c = {"loader", COUNTED(list), 0, 0, loader_base, loader_look,
                      {{(tnn_layer_type)0}}};
    idle_options(&c);
}
#undef O
#undef I
#undef E
#undef F
#undef D

/* ---- Errors ---------------------------------------------------------------------------------- */
static void layer_errors(void)
{
    static const int kernels[] = { 3, 1, 5, 1 };
    tnn_net *net = tnn_create(.input = {64, 6, 6});
    int i;
    for (i = 0; i < 4; i++)         /* of one line: the number tells which; in the plan only */
        tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = kernels[i]);
    CHECK(tnn_output_shape(net, NULL) == 0 && tnn_output_shape(net, NULL) == 0, "taken");
    CHECK(says_at(__LINE__ - 2, "layer 3, conv2d: kernel 5x5 does not fit its input 8x4x4 "
                  "with pad 0: at most 4x4"), "another message");
    tnn_matmul(tnn_tensor_view(NULL, 1, 1, 1, 1), tnn_tensor_view(NULL, 1, 1, 1, 1),
               tnn_tensor_view(NULL, 1, 1, 1, 1), 0);
    CHECK(!strstr(tnn_error(), "layer"), "%s", tnn_error());
    tnn_clear_error();
    tnn_free(net);
    net = tnn_create(.input = {64, 3, 3});
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 5);
    CHECK(tnn_build(net) == TNN_ERROR_SHAPE, "a kernel larger than its input was taken");
    CHECK(says_at(__LINE__ - 2, "layer 1, conv2d: kernel 5x5 does not fit its input 64x3x3 "
                  "with pad 0: at most 3x3"), "another message");
    tnn_free(net);

    net = tnn_create(.input = {1, -1, 5});
    CHECK(!net && says_at(__LINE__ - 1, "tnn_create: .input = {1, -1, 5} must be..."),
          "a height of -1");
}

static void bad_sizes(void)
{
    static const struct { tnn_layer layer; const char *says; } bad[] = {
        {{.type = TNN_CONV2D, .kernel = 3}, "conv2d: 0 filters, must be 1 to 16777216"},
        {{.type = TNN_CONV2D, .filters = -2, .kernel = 3},
            "conv2d: -2 filters, must be 1 to 16777216"},
        {{.type = TNN_CONV2D, .filters = 2}, "conv2d: kernel 0x0 must be at least 1x1"},
        {{.type = TNN_CONV2D, .filters = 2, .kernel = -1},
            "conv2d: kernel -1x-1 must be at least 1x1"},
        {{.type = TNN_CONV2D, .filters = 2, .kernel = 3, .stride = -1},
            "conv2d: stride -1x-1 must be at least 1"},
        {{.type = TNN_CONV2D, .filters = 2, .kernel = 3, .pad = -1},
            "conv2d: pad -1x-1 must not be negative"},
        {{.type = TNN_CONV2D, .filters = 2, .kernel = 3, .dilation = -1},
            "conv2d: dilation -1x-1 must be at least 1"},
        {{.type = TNN_CONV2D, .filters = 2, .kernel = 3, .dilation = 9},
            "conv2d: kernel 19x19 does not fit its input 3x10x12 with pad 0: "
            "at most 10x12 (kernel with dilation)"},
        {{.type = TNN_CONV2D, .filters = 4, .kernel = 3, .groups = 2},
            "conv2d: 2 groups must divide the 3 input channels and the 4 filters"},
        {{.type = TNN_CONV2D, .filters = 2147483647, .kernel = 3},
            "conv2d: 2147483647 filters, must be 1 to 16777216"},
        {{.type = TNN_DENSE}, "dense: .units = 0, must be 1 to 16777216"},
        {{.type = TNN_DENSE, .units = -7}, "dense: .units = -7, must be 1 to 16777216"},
        {{.type = TNN_MAXPOOL2D}, "maxpool2d: kernel 0x0 must be at least 1x1"},
        {{.type = TNN_MAXPOOL2D, .kernel = 2, .pad = 2},
            "maxpool2d: pad 2x2 must be at most half the kernel 2x2"},
        {{.type = TNN_AVGPOOL2D, .kernel = 11},
            "avgpool2d: kernel 11x11 does not fit its input 3x10x12 with pad 0: at most 10x12"},
        {{.type = TNN_MAXPOOL2D, .kernel = 14, .stride = 4, .ceil = 1},
            "maxpool2d: kernel 14x14 does not fit its input 3x10x12 with pad 0: at most 13x15"},
        {{.type = TNN_DROPOUT, .p = 1.5f}, "dropout: .p = 1.5 must be in [0, 1]"},
        {{.type = TNN_DROPOUT, .p = -0.5f}, "dropout: .p = -0.5 must be in [0, 1]"},
    };
    size_t i;
    for (i = 0; i < sizeof bad/sizeof *bad; i++) {
        tnn_net *net = tnn_create(.input = {3, 10, 12});
        const int line = __LINE__ + 2;
        char want[200];
        tnn_add_with(net, &bad[i].layer);
        CHECK(tnn_build(net) != TNN_OK, "case %d was taken", (int)i);
        snprintf(want, sizeof want, "layer 1, %s", bad[i].says);
        CHECK(says_at(line, want), "case %d", (int)i);
        CHECK(tnn_net_bytes(net) == 0 && tnn_failed(),
              "case %d: a broken network has a size", (int)i);
        tnn_clear_error();
        tnn_free(net);
    }
}

static void option_errors(void)
{
    tnn_net *net = tnn_create(.input = {3, -1, 4});
    CHECK(!net && says_at(__LINE__ - 1, "tnn_create: .input = {3, -1, 4} must be positive "
                          "channels, height, width, ..."), "input");
    net = tnn_create(.input = {3}, .batch = -4);
    CHECK(!net && says_at(__LINE__ - 1, "tnn_create: .batch = -4 must be at least 1, "
                          ".threads = 0 not negative"), "batch");
    net = tnn_create(.input = {16777216, 65536, 65536});
    CHECK(!net && says("test_api.c:..."), "a huge input");
    net = tnn_create(.input = {4});
    CHECK(tnn_build(net) && says_at(__LINE__, "tnn_build: the network has no layers; "
                                                 "tnn_add adds them"), "no layers");
    tnn_add(net, (tnn_layer_type)99);
    SAYS_AT("layer 1, tnn_add: 99 is not a layer (TNN_CONV2D is one)");
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY, .label_smoothing = 1.5f);
    SAYS_AT("tnn_set_loss: .label_smoothing = 1.5 must be in [0, 1]");
    tnn_set_loss(net, TNN_CROSS_ENTROPY, .class_weights = (float[]){1, -1, 1});
    SAYS_AT("tnn_set_loss: .class_weights[1] = -1 must be in [0, 1e30]");
    tnn_set_optimizer(net, TNN_ADAM, .lr = -1);
    SAYS_AT("tnn_set_optimizer: .lr = -1 must be in [0, 1e30)");
    tnn_set_optimizer(net, TNN_ADAM, .beta2 = 1);
    SAYS_AT("tnn_set_optimizer: .beta2 = 1 must be in [0, 1)");
    tnn_set_optimizer(net, TNN_SGD, .nesterov = 1);
    SAYS_AT("tnn_set_optimizer: .nesterov does nothing without .momentum");
    tnn_set_optimizer(net, TNN_SGD, .lr = HUGE_VAL);
    SAYS_AT("tnn_set_optimizer: .lr = inf must be in [0, 1e30)");
    tnn_set_optimizer(net, TNN_ADAM, .lr = 1e30);
    SAYS_AT("tnn_set_optimizer: .lr = 1e30 must be in [0, 1e30)");
    tnn_free(net);
    net = tnn_create(.input = {3, 4, 4});
    tnn_add(net, TNN_CONV2D, .filters = 2, .kernel = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    CHECK(says_at(__LINE__ - 1, "tnn_set_loss: cross-entropy needs one value per class, "
                  "the last layer gives 2x2x2: .per_pixel = 1 if each pixel has a label, "
                  "else TNN_FLATTEN"), "another message");
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    CHECK(tnn_build(net) && says_at(__LINE__ - 1, "layer 3, maxpool2d: its input has been "
                                    "flattened to 8 values; it goes before that"),
          "pooling what is flat");
    tnn_free(net);
}

static void tensor_errors(void)
{
    float m[64] = {0};
    tnn_tensor a = tnn_tensor_view(m, 2, 3, 1, 1);
    tnn_tensor b = tnn_tensor_view(m, 4, 2, 1, 1);
    tnn_tensor c = tnn_tensor_view(m + 32, 2, 2, 1, 1);
    tnn_window w = {.kernel = 3};
    tnn_matmul(c, a, b, 0);
    SAYS_AT("tnn_matmul: C 2x2 = A 2x3 times B 4x2 does not fit; m x n is m x k times k x n");
    tnn_matmul(c, a, b, TNN_TRANSPOSE_A | TNN_TRANSPOSE_B);
    SAYS_AT("tnn_matmul: C 2x2 = A^T 2x3 times B^T 4x2 does not fit; "
            "m x n is m x k times k x n");
    a.data = NULL;
    tnn_matmul(c, a, b, 0);
    SAYS_AT("tnn_matmul: needs three matrices (n, c, 1, 1) with data");
    CHECK(!tnn_tensor_create(2, 0, 3, 4).data && says("..."), "an empty tensor");
    CHECK(!tnn_tensor_create(2147483647, 2147483647, 2147483647, 1).data && tnn_failed(),
          "a huge tensor");
    tnn_clear_error();
    a = tnn_tensor_view(m, 1, 1, 4, 4);
    CHECK(tnn_conv2d_forward(tnn_tensor_view(m + 16, 1, 1, 3, 3), a,
                             tnn_tensor_view(m + 32, 1, 1, 3, 3), NULL, w) == TNN_ERROR_SHAPE,
          "a wrong output shape");
    CHECK(strstr(tnn_error(), "tnn_conv2d_forward: output (1, 1, 3, 3) should be (1, 1, 2, 2)")
          != NULL, "%s", tnn_error());
    tnn_clear_error();
    CHECK(!tnn_tensor_slice(a, 0, 2).data && strstr(tnn_error(), "2 samples from 0 on, of 1"),
          "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_set_isa("mmx") == TNN_ERROR_ARGUMENT && strstr(tnn_error(), "has no \"mmx\""),
          "%s", tnn_error());
    tnn_clear_error();
}

static void calls_out_of_order(void)
{
    tnn_net *net = small_net(4, 1);
    tnn_loss(net, ys);
    SAYS_AT("tnn_loss: no forward has been done; tnn_forward comes first");
    tnn_backward(net);
    SAYS_AT("tnn_backward: comes after tnn_forward in TNN_TRAIN mode and tnn_loss");
    tnn_forward(net, xs, 5, TNN_TRAIN);
    SAYS_AT("tnn_forward: a batch of 5; this network takes 1 to 4 samples (.batch of tnn_create)");
    tnn_forward(net, xs, 4, TNN_EVAL);
    tnn_loss(net, ys);
    tnn_backward(net);
    SAYS_AT("tnn_backward: comes after tnn_forward in TNN_TRAIN mode and tnn_loss");
    tnn_forward(net, xs, 4, TNN_TRAIN);
    tnn_step(net);
    SAYS_AT("tnn_step: comes after tnn_backward");
    tnn_add(net, TNN_RELU);
    SAYS_AT("tnn_add: the network has been built; layers come before the first forward");
    tnn_free(net);
}

/* A bad batch changes nothing: after tnn_clear_error the next one goes on as if it had not been. */
static void bad_batches(void)
{
    tnn_net *net = small_net(8, 1), *twin = small_net(8, 1);
    const float inf = (float)HUGE_VAL;
    float bad[8*SIZE];
    int labels[8] = {0, 1, 2, 3, 4, 5, 0, 1};
    uint64_t before;
    double loss;
    int i;
    tnn_train_batch(net, xs, ys, 8);
    tnn_train_batch(twin, xs, ys, 8);
    before = tnn_hash(net);
    tnn_forward(net, xs, 8, TNN_TRAIN);
    loss = tnn_loss(net, labels);
    SAYS_AT("tnn_loss: label 5 of sample 5 is out of range, the network has 5 classes");
    CHECK(loss != loss, "a loss of bad labels");
    memcpy(bad, xs, sizeof bad);
    bad[3*SIZE + 17] = inf - inf;
    tnn_forward(net, bad, 8, TNN_TRAIN);
    tnn_loss(net, ys);
    CHECK(says_at(__LINE__ - 1, "tnn_loss: value 17 of sample 3 of the batch is nan; "
                  "the data must be finite"), "NaN");
    tnn_forward(net, bad, 8, TNN_TRAIN);
    loss = tnn_loss(net, ys);
    CHECK(tnn_backward(net) && tnn_step(net) && tnn_train_batch(net, xs, ys, 8) != 0,
          "a failed network goes on");
    tnn_clear_error();
    CHECK(tnn_hash(net) == before, "a bad batch changed the weights");
    for (i = 0; i < 3; i++) tnn_forward(twin, xs, 8, TNN_TRAIN);   /* which draws dropout masks */
    tnn_train_batch(net, xs, ys, 8);
    tnn_train_batch(twin, xs, ys, 8);
    CHECK(!tnn_failed() && tnn_hash(net) == tnn_hash(twin),
          "after a bad batch training is not the same");
    CHECK(tnn_set_param(net, "0.weight", bad, 6*2*9) == TNN_OK
          && tnn_set_param(net, "0.weight", bad + 3*SIZE, 6*2*9) == TNN_ERROR_NUMBER,
          "NaN taken as a parameter");
    CHECK(strstr(tnn_error(), "tnn_set_param: value 17 of 0.weight is not finite"),
          "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_set_param(net, "0.weight", bad, 7)
          && strstr(tnn_error(), "0.weight has 108 values, not 7"), "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_set_param(net, "1.weight", bad, 7)
          && strstr(tnn_error(), "no parameter \"1.weight\""), "%s", tnn_error());
    tnn_clear_error();
    tnn_free(net);
    tnn_free(twin);
}

static char logged[200];
static void to_log(void *user, const char *message)
{
    snprintf(logged, sizeof logged, "%s%s", (const char *)user, message);
}
static void messages(void)
{
    tnn_set_logger(to_log, (void *)(uintptr_t)"log: ");
    tnn_set_isa("one");
    tnn_set_isa("two");
    CHECK(strstr(tnn_error(), "\"one\""), "the first error is not kept: %s", tnn_error());
    CHECK(strstr(logged, "log: ") && strstr(logged, "\"two\""), "logged: %s", logged);
    tnn_clear_error();
    CHECK(!tnn_failed() && !*tnn_error(), "not cleared");
    tnn_set_logger(NULL, NULL);
}

/* What could not be made may be given to everything: refused, and the first error stays. */
static void not_made(void)
{
    double history[4], lr[3], loss[3];
    float x[4];
    int counts[4], cleared;
    for (cleared = 0; cleared < 2; cleared++) {
        tnn_data d = tnn_load_idx("no-such-images", "no-such-labels"), a, b;
        const tnn_status first = cleared ? TNN_ERROR_ARGUMENT : TNN_ERROR_IO;
        tnn_array array = tnn_read_npy("no-such.npy");
        tnn_safetensors file = tnn_read_safetensors("no-such.safetensors");
        tnn_study *study = tnn_study_create(.count = 1);
        tnn_trial *trial = tnn_ask(study);
        tnn_loader *l;
        tnn_net *net;
        tnn_lr_finder finder;
        tnn_early_stopping stop;
        tnn_tensor t = tnn_tensor_create(2, 2, 1, 1);
        memset(&finder, 0, sizeof finder);
        memset(&stop, 0, sizeof stop);
        finder.lr = lr, finder.loss = loss, finder.steps = 3;
        tnn_tensor_free(&t);
        if (cleared) tnn_clear_error();
        net = small_net(8, 1);
        tnn_normalize(&d, 0.5f, 0.5f);
        CHECK(tnn_split(&d, 3, 1, &a, &b) && !a.n && !b.n, "a split of nothing");
        l = tnn_loader_create(&d, .batch = 4);
        CHECK(l && l->batches == 0 && l->n == 0 && !tnn_next(l) && !tnn_next(NULL), "a loader");
        CHECK(tnn_train_epoch(net, l).n == 0 && tnn_evaluate(net, &d).n == 0
              && tnn_confusion(net, &d, counts, 5).n == 0, "metrics");
        CHECK(tnn_update_statistics(net, l) && tnn_sample(&d, 0, x, 4), "taken");
        CHECK(isnan(tnn_lr_find(net, l, &finder)) && isnan(tnn_train_batch(net, l->x, l->labels, 1))
              && isnan(tnn_sum(t)) && isnan(tnn_mean(t)) && isnan(tnn_max(t))
              && isnan(tnn_dot(t, t)), "a number");
        CHECK(tnn_save_checkpoint(net, "no-such.tnn", .loader = l)
              && tnn_load_checkpoint(net, "no-such.tnn", .loader = l, .numbers = history,
                                     .count = 4), "a checkpoint");
        CHECK(isnan(tnn_array_value(&array, 0)) && tnn_array_data(&array, NULL, NULL).n == 0
              && !tnn_safetensors_array(&file, 0).data, "files");
        CHECK(!study && !trial && isnan(tnn_trial_float(trial, "x")) && tnn_report(trial, 0, 1)
              && tnn_tell(trial, 1) && !tnn_study_best(study) && !tnn_study_trial(study, 0)
              && isnan(tnn_study_explained(study, "x")), "a study");
        CHECK(tnn_early_stop(&stop, net, 1), "early stopping");
        CHECK(!tnn_output_shape(NULL, NULL) && !tnn_param_count(NULL)
              && tnn_argmax(tnn_output(NULL), 5) == 0 && !*tnn_param_info(NULL, 0).name
              && tnn_hash(NULL) == 0, "no network");
        CHECK(tnn_failed() == (int)first, "not the first error: %s", tnn_error());
        tnn_loader_free(l);
        tnn_data_free(&d);
        tnn_data_free(&a);
        tnn_data_free(&b);
        tnn_array_free(&array);
        tnn_safetensors_free(&file);
        tnn_study_free(study);
        tnn_free(net);
        tnn_clear_error();
    }
}
#ifndef _WIN32
/* TINYNN_LOG in the environment, and tnn_log_to_stderr. */
static void log_to_stderr(void)
{
    static const char *const values[] = { NULL, "", "0", "1", NULL };
    const int old = dup(2);
    int k;
    for (k = 0; k < 5; k++) {
        FILE *f = tmpfile();
        char text[200] = "";
        size_t n;
        if (values[k]) setenv("TINYNN_LOG", values[k], 1);
        else unsetenv("TINYNN_LOG");
        fflush(stderr);
        if (!f || dup2(fileno(f), 2) < 0) { CHECK(0, "no file"); break; }
        if (k == 4) tnn_log_to_stderr();
        tnn_set_isa("one");
        dup2(old, 2);
        rewind(f);
        n = fread(text, 1, sizeof text - 1, f);
        CHECK(k < 3 ? n == 0 : strstr(text, "test_api.c:") == text && strstr(text, "\"one\"")
              && text[n - 1] == '\n', "%d: %s", k, text);
        fclose(f);
        tnn_set_logger(NULL, NULL);
        tnn_clear_error();
    }
    close(old);
}
#endif

/* ---- Data ------------------------------------------------------------------------------------ */
static const unsigned char idx_images[] = {
    0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2,
    0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8};
static const unsigned char idx_labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 2, 0, 7};

static void idx_files(void)
{
    unsigned char image[64], label[64];
    float x[4];
    size_t i;
    tnn_data d = tnn_parse_idx(idx_images, sizeof idx_images, idx_labels, sizeof idx_labels);
    CHECK(d.n == 3 && d.c == 1 && d.h == 2 && d.w == 2 && d.classes == 8,
          "%d %d %d %d %d", d.n, d.c, d.h, d.w, d.classes);
    tnn_normalize(&d, 0.5f, 0.5f);
    tnn_sample(&d, 0, x, 4);
    CHECK(x[0] == -1 && fabs((double)x[1] + 0.6) < 1e-6 && x[3] == 1 && d.labels[2] == 7,
          "%g %g %g %g", (double)x[0], (double)x[1], (double)x[2], (double)x[3]);
    tnn_data_free(&d);
    CHECK(d.n == 0 && !d.memory, "freed");
    /* every truncation, and a byte too many */
    for (i = 0; i < sizeof idx_images; i++) {
        d = tnn_parse_idx(idx_images, i, idx_labels, sizeof idx_labels);
        CHECK(d.n == 0 && tnn_failed() == TNN_ERROR_FORMAT,
              "images cut to %d bytes were read", (int)i);
        tnn_clear_error();
    }
    for (i = 0; i < sizeof idx_labels; i++) {
        d = tnn_parse_idx(idx_images, sizeof idx_images, idx_labels, i);
        CHECK(d.n == 0 && tnn_failed() == TNN_ERROR_FORMAT,
              "labels cut to %d bytes were read", (int)i);
        tnn_clear_error();
    }
    memcpy(image, idx_images, sizeof idx_images);
    memcpy(label, idx_labels, sizeof idx_labels);
    d = tnn_parse_idx(image, sizeof idx_images + 1, label, sizeof idx_labels);
    SAYS_AT("images: holds 13 bytes after its header, which announces 12");
    image[2] = 9;
    d = tnn_parse_idx(image, sizeof idx_images, label, sizeof idx_labels);
    CHECK(says_at(__LINE__ - 1, "images: is not an IDX file of bytes with 3 or 4 dimensions "
                  "(28 bytes, starts with 0 0 9 3, should be 0 0 8 3)"), "another message");
    image[0] = 0x1f;
    image[1] = 0x8b;
    d = tnn_parse_idx(image, sizeof idx_images, label, sizeof idx_labels);
    SAYS_AT("images: is compressed (gzip); unpack it first: gzip -dk");
    memcpy(image, idx_images, sizeof idx_images);
    image[4] = 255;
    d = tnn_parse_idx(image, sizeof idx_images, label, sizeof idx_labels);
    SAYS_AT("images: dimension 0 is 4278190083, at byte 4");
    image[4] = 127;
    image[8] = image[12] = 0;
    image[9] = image[13] = 0;
    image[10] = image[14] = 255;
    d = tnn_parse_idx(image, sizeof idx_images, label, sizeof idx_labels);
    CHECK(d.n == 0 && says_at(__LINE__ - 1, "images: holds 12 bytes after its header, "
                              "which announces..."), "a huge announcement");
    memcpy(image, idx_images, sizeof idx_images);
    image[11] = 0;
    d = tnn_parse_idx(image, sizeof idx_images, label, sizeof idx_labels);
    SAYS_AT("images: dimension 1 is 0, at byte 8");
    label[7] = 2;
    d = tnn_parse_idx(idx_images, sizeof idx_images, label, sizeof idx_labels - 1);
    SAYS_AT("images holds 3 images, labels 2 labels; they must be as many");
    d = tnn_load_idx("no/such/file", "nor/this");
    SAYS_AT("no/such/file: cannot be opened: No such file or directory");
    d = tnn_load_idx("/", "nor/this");
    CHECK(d.n == 0 && tnn_failed(), "a directory was read");
    tnn_clear_error();
    {
        const char *dir = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
        char a[300], b[300];
        snprintf(a, sizeof a, "%s/tinynn-test-%lu-images", dir, (unsigned long)time(NULL));
        snprintf(b, sizeof b, "%s/tinynn-test-%lu-labels", dir, (unsigned long)time(NULL));
        spill(a, idx_images, sizeof idx_images);
        spill(b, idx_labels, sizeof idx_labels);
        d = tnn_load_idx(a, b);
        CHECK(d.n == 3 && d.bytes[3] == 255 && d.labels[0] == 2, "%s", tnn_error());
        tnn_data_free(&d);
        d = tnn_load_idx(b, a);
        CHECK(d.n == 0 && tnn_failed() == TNN_ERROR_FORMAT, "files in the wrong order were read");
        tnn_clear_error();
        remove(a);
        remove(b);
    }
    CHECK(!tnn_data_view(NULL, xs, ys, 3, 0, 4, 4).n && tnn_failed(),
          "a data set without channels");
    tnn_clear_error();
    CHECK(!tnn_subset(&d, 0, 1).n && tnn_failed(), "a subset of nothing");
    tnn_clear_error();
}

static void loaders(void)
{
    tnn_data d = tnn_data_view(NULL, xs, ys, SAMPLES, 2, 8, 9), a, b;
    tnn_loader *l = tnn_loader_create(&d, .batch = 8);
    tnn_loader *s = tnn_loader_create(&d, .batch = 8, .shuffle = 1, .seed = 9);
    tnn_loader *r = tnn_loader_create(&d, .batch = 8, .shuffle = 1, .seed = 9);
    tnn_loader *drop = tnn_loader_create(&d, .batch = 8, .drop_last = 1);
    int n, k, epoch, seen[SAMPLES], order[2][SAMPLES];
    for (epoch = 0; epoch < 3; epoch++) {
        for (k = 0; (n = tnn_next(l)) > 0; k += n)
            CHECK(!memcmp(l->x, xs + k*SIZE, (size_t)n*SIZE*sizeof(float))
                  && !memcmp(l->labels, ys + k, (size_t)n*sizeof(int)), "batch at %d", k);
        CHECK(k == SAMPLES && l->epoch == epoch && l->batches == 5,
              "%d samples, epoch %d, %d batches", k, l->epoch, l->batches);
        memset(seen, 0, sizeof seen);
        for (k = 0; (n = tnn_next(s)) > 0; ) {
            int i;
            for (i = 0; i < n; i++, k++) {
                int at;
                for (at = 0; at < SAMPLES
                     && memcmp(s->x + i*SIZE, xs + at*SIZE, SIZE*sizeof(float)); at++) {}
                if (at < SAMPLES) {
                    seen[at]++;
                    CHECK(s->labels[i] == ys[at], "label of %d", at);
                }
                order[epoch & 1][k] = at;
            }
        }
        for (k = 0; k < SAMPLES; k++) CHECK(seen[k] == 1, "sample %d came %d times", k, seen[k]);
        if (epoch)
            CHECK(memcmp(order[0], order[1], sizeof order[0]), "two epochs in the same order");
    }
    while (tnn_next(r)) {}                  /* an epoch's order depends on its number alone */
    while (tnn_next(r)) {}
    tnn_next(r);
    CHECK(!memcmp(r->x, xs + order[0][0]*SIZE, SIZE*sizeof(float)),
          "the third epoch of a twin begins elsewhere");
    for (k = 0; (n = tnn_next(drop)) > 0; k += n) {}
    CHECK(k == 32, "drop_last gives %d samples", k);
    tnn_loader_free(l);
    tnn_loader_free(s);
    tnn_loader_free(r);
    tnn_loader_free(drop);

    tnn_split(&d, 30, 4, &a, &b);
    memset(seen, 0, sizeof seen);
    for (k = 0; k < a.n; k++) seen[a.order[k]]++;
    for (k = 0; k < b.n; k++) seen[b.order[k]]++;
    for (k = 0; k < SAMPLES; k++) CHECK(seen[k] == 1, "sample %d is in %d parts", k, seen[k]);
    CHECK(a.n == 30 && b.n == 7, "%d and %d", a.n, b.n);
    {
        tnn_data c = tnn_subset(&a, 10, 5);
        CHECK(c.n == 5 && c.order[0] == a.order[10] && c.order[4] == a.order[14],
              "a subset of a split");
        tnn_data_free(&c);
    }
    tnn_data_free(&a);
    tnn_data_free(&b);
    l = tnn_loader_create(&d, .batch = -1);
    CHECK(!l->batches && says_at(__LINE__ - 1,
                                 "tnn_loader_create: .batch = -1 must be 1 to 2147483647"),
          "batch -1");
    CHECK(tnn_split(&d, SAMPLES, 4, &a, &b) && tnn_failed(), "a split that leaves nothing");
    tnn_clear_error();
}

/* Loaders and parts outlive what they were made of, whatever is freed first; what would not hear of
   another mean and std keeps tnn_normalize from setting them. */
static void data_lives(void)
{
    float x[4];
    int first;
    for (first = 0; first < 4; first++) {
        tnn_data whole = tnn_parse_idx(idx_images, sizeof idx_images, idx_labels,
                                       sizeof idx_labels), part, half;
        tnn_loader *of_whole, *of_half;
        CHECK(tnn_normalize(&whole, 0.5f, 0.5f) == TNN_OK, "%s", tnn_error());
        part = tnn_subset(&whole, 0, 2);
        CHECK(tnn_normalize(&whole, 0.5f, 0.5f) == TNN_OK, "the same: %s", tnn_error());
        CHECK(tnn_normalize(&whole, 0, 1) == TNN_ERROR_ARGUMENT && whole.std == 0.5f, "taken");
        SAYS_AT("tnn_normalize: comes before tnn_loader_create, tnn_subset and tnn_split, or after "
                "what they made of this data set was freed: that would go on with mean 0.5 and "
                "std 0.5");
        CHECK(tnn_normalize(&part, 0, 1) == TNN_OK, "%s", tnn_error());
        half = tnn_subset(&part, 1, 1);
        of_whole = tnn_loader_create(&whole, .batch = 3);
        of_half = tnn_loader_create(&half, .batch = 3);
        CHECK(tnn_normalize(&half, 0, 2) && tnn_normalize(&part, 0, 2), "taken");
        tnn_clear_error();
        if (first == 0) tnn_data_free(&whole), tnn_data_free(&part), tnn_data_free(&half);
        if (first == 1) tnn_data_free(&half), tnn_data_free(&part), tnn_data_free(&whole);
        if (first == 2) tnn_data_free(&part);
        CHECK(tnn_next(of_whole) == 3 && tnn_next(of_half) == 1, "%s", tnn_error());
        if (!tnn_failed())
            CHECK(of_whole->x[3] == 1 && of_whole->labels[2] == 7 && of_half->labels[0] == 0
                  && fabs((double)of_half->x[2]*255 - 3) < 1e-5, "other samples");
        tnn_loader_free(of_whole);
        if (first == 3) CHECK(tnn_normalize(&half, 0, 3) && tnn_failed(), "taken");
        tnn_clear_error();
        tnn_loader_free(of_half);
        if (first == 3)
            CHECK(tnn_normalize(&half, 0, 3) == TNN_OK && tnn_sample(&half, 0, x, 4) == TNN_OK
                  && fabs((double)x[0]*3*255 - 1) < 1e-5, "nobody reads it: %s", tnn_error());
        tnn_data_free(&half);
        tnn_data_free(&part);
        tnn_data_free(&whole);
    }
}

static void metrics(void)
{
    tnn_net *net = small_net(8, 1);
    tnn_data d = tnn_data_view(NULL, xs, ys, SAMPLES, 2, 8, 9);
    tnn_data wrong = tnn_data_view(NULL, xs, ys, 3, 3, 4, 4);
    tnn_metrics m, c;
    int counts[25], i, trace = 0, all = 0, correct = 0;
    double loss = 0;
    m = tnn_evaluate(net, &d);
    c = tnn_confusion(net, &d, counts, 5);
    for (i = 0; i < 25; i++) {
        all += counts[i];
        if (i%6 == 0) trace += counts[i];
    }
    CHECK(tnn_confusion(net, &d, counts, 4).n == 0, "counts of 4 classes");
    SAYS_AT("tnn_confusion: counts of 4 classes, the network tells 5 apart");
    CHECK(tnn_confusion(net, &d, NULL, 5).n == 0, "no counts");
    SAYS_AT("tnn_confusion: no counts, which are classes*classes ints");
    CHECK(tnn_sample(&d, 0, xs, SIZE - 1) == TNN_ERROR_SHAPE, "a sample in too little room");
    SAYS_AT("tnn_sample: room for 143 values, a sample has 2x8x9");
    CHECK(m.n == SAMPLES && all == SAMPLES && trace == m.correct && c.loss == m.loss
          && fabs(m.accuracy - (double)trace/SAMPLES) < 1e-12, "confusion");
    for (i = 0; i < SAMPLES; i++) {
        tnn_forward(net, xs + i*SIZE, 1, TNN_EVAL);
        loss += tnn_loss(net, ys + i);
        correct += tnn_argmax(tnn_output(net), 5) == ys[i];
    }
    CHECK(correct == m.correct && fabs(loss/SAMPLES - m.loss) < 1e-7,
          "loss %.9g by samples, %.9g", loss/SAMPLES, m.loss);
    {   /* with class weights: the weighted mean over all samples, whatever the batch */
        const float weights[5] = {1, 0.5f, 0, 2, 3};
        double by_batch[2];
        for (i = 0; i < 2; i++) {
            tnn_net *w = tnn_create(.input = {2, 8, 9}, .batch = i ? 37 : 5, .seed = 3);
            tnn_add(w, TNN_DENSE, .units = 5);
            tnn_set_loss(w, TNN_CROSS_ENTROPY, .class_weights = weights);
            by_batch[i] = tnn_evaluate(w, &d).loss;
            tnn_free(w);
        }
        CHECK(fabs(by_batch[0] - by_batch[1]) < 1e-12, "%.9g, %.9g", by_batch[0], by_batch[1]);
    }
    {
        tnn_net *none = tnn_create(.input = {2, 8, 9});
        tnn_add(none, TNN_FLATTEN);
        tnn_add(none, TNN_RELU);
        tnn_set_loss(none, TNN_CROSS_ENTROPY);
        CHECK(tnn_gradient_check(none, xs, ys, 3, 5) == 0, "a network without parameters");
        CHECK(!tnn_failed(), "%s", tnn_error());
        tnn_free(none);
    }
    m = tnn_evaluate(net, &wrong);
    CHECK(m.loss != m.loss && says("..."), "data of another shape");
    tnn_free(net);
}

/* A network without a loss has parameters and groups like one with it; what needs one says so. */
static void without_a_loss(void)
{
    static char text[2][4000];
    tnn_net *net[2];
    tnn_data d = tnn_data_view(NULL, xs, ys, SAMPLES, 2, 8, 9);
    tnn_loader *batches = tnn_loader_create(&d, .batch = 8);
    double lr[5], loss[5];
    tnn_lr_finder finder = {.steps = 5, .lr = lr, .loss = loss};
    float w[2][1000];
    int i, k, step;
    for (i = 0; i < 2; i++) {
        net[i] = tnn_create(.input = {2, 8, 9}, .batch = 8, .seed = 3);
        tnn_add(net[i], TNN_CONV2D, .filters = 4, .kernel = 3);
        tnn_add(net[i], TNN_BATCHNORM, .frozen = 1);
        tnn_add(net[i], TNN_DENSE, .units = 5);
        if (i) tnn_set_loss(net[i], TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net[i], TNN_ADAM);
    }
    for (step = 0; step < 6; step++) {
        static const char *const frozen[] = {"8", "8", "84", "80", "0", "929"};
        for (i = 0; i < 2; i++) {
            CHECK(step != 1 || tnn_build(net[i]) == TNN_OK, "%s", tnn_error());
            if (step > 1)
                CHECK(tnn_set_group(net[i], step == 2 ? "0." : step == 3 ? "0.bias" : "", 1, 1,
                                    step != 3 && step != 4) == TNN_OK, "%s", tnn_error());
            /* the bytes that stand last are not the same, nor need they be */
            tnn_summary(net[i], text[i], sizeof text[i], 0);
            if (strstr(text[i], "Batch of")) *strstr(text[i], "Batch of") = 0;
        }
        CHECK(!strcmp(text[0], text[1]), "step %d: %s, with a loss %s", step, text[0], text[1]);
        sprintf(text[1], "\nNon-trainable params: %s\n", frozen[step]);
        CHECK(strstr(text[0], text[1]) != NULL, "step %d:%s not in %s", step, text[1], text[0]);
    }
    CHECK(tnn_param_count(net[0]) == tnn_param_count(net[1]), "parameters");
    for (k = 0; k < tnn_param_count(net[0]); k++) {
        const tnn_param p = tnn_param_info(net[0], k);
        for (i = 0; i < 2; i++) tnn_get_param(net[i], p.name, w[i], p.count);
        CHECK_SAME(p.name, w[0], w[1], (size_t)p.count*sizeof(float));
        CHECK(tnn_set_param(net[0], p.name, w[1], p.count) == TNN_OK, "%s", tnn_error());
    }
    CHECK(tnn_hash(net[0]) == tnn_hash(net[1]), "another hash");
    for (i = 0; i < 2; i++) tnn_forward(net[i], xs, 8, TNN_EVAL);
    CHECK_SAME("output", tnn_output(net[0]), tnn_output(net[1]), 8*5*sizeof(float));
    CHECK(tnn_set_momentum(net[0], 0.8) == TNN_OK && tnn_set_lr(net[0], 0.1) == TNN_OK, "%s",
          tnn_error());
    CHECK(tnn_update_statistics(net[0], batches) == TNN_OK, "%s", tnn_error());
#define NEEDS(call, message) \
    CHECK((call) && strstr(tnn_error(), message), #call ": %s", tnn_error()), tnn_clear_error()
    NEEDS(tnn_set_group(net[0], "7.", 1, 1, 1), "no parameter's name begins");
    NEEDS(tnn_get_grad(net[0], "0.weight", w[0], 72), "without a loss");
    NEEDS(tnn_loss(net[0], ys) != 0, "no loss was set");
    NEEDS(tnn_backward(net[0]), "and tnn_loss");
    NEEDS(tnn_step(net[0]), "tnn_backward");
    NEEDS(!(tnn_clip_grad(net[0], TNN_CLIP_NORM, 1) >= 0), "tnn_backward");
    NEEDS(!(tnn_train_batch(net[0], xs, ys, 8) >= 0), "no loss was set");
    NEEDS(!(tnn_train_epoch(net[0], batches).loss >= 0), "no loss was set");
    NEEDS(!(tnn_evaluate(net[0], &d).loss >= 0), "no loss was set");
    NEEDS(!(tnn_lr_find(net[0], batches, &finder) >= 0), "no loss was set");
    NEEDS(!(tnn_gradient_check(net[0], xs, ys, 8, 5) >= 0), "no loss was set");
    NEEDS(tnn_use_average(net[0], 1), "no average");
#undef NEEDS
    for (i = 0; i < 2; i++) tnn_free(net[i]);
    tnn_loader_free(batches);
}

/* ---- The same bits --------------------------------------------------------------------------- */
/* One whose convolution goes Winograd's way. */
static tnn_net *tiled_net(int batch, int threads)
{
    tnn_net *net = tnn_create(.input = {2, 8, 9}, .batch = batch, .threads = threads, .seed = 4);
    tnn_add(net, TNN_CONV2D, .filters = 16, .kernel_h = 1, .kernel_w = 2);
    tnn_add(net, TNN_CONV2D, .filters = 32, .kernel = 3, .pad = 1);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 5);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.1);
    return net;
}
static uint64_t trained_hash(int tiled, int batch, int threads, int steps)
{
    tnn_net *net = tiled ? tiled_net(batch, threads) : small_net(batch, threads);
    uint64_t hash;
    int i;
    tnn_build(net);
    for (i = 0; i < steps; i++) tnn_train_batch(net, xs + i%3*SIZE, ys + i%3, 33);
    hash = tnn_hash(net);           /* no CHECK, several threads are here at the same time */
    tnn_free(net);
    return hash;
}
static void same_bits(void)
{
    static const uint64_t want[2] = {TRAINED_HASH, TILED_HASH};
    const int emulated = getenv("TINYNN_EMULATED") != NULL;         /* which is slow */
    int i, t, k;
    for (i = 0; tnn_isa_name(i); i++) {
        tnn_set_isa(tnn_isa_name(i));
        for (t = emulated ? 3 : 1; t <= 3; t++)
            for (k = 0; k < 2; k++) {
                const uint64_t hash = trained_hash(k, 33, t, 20);
                if (!strcmp(tnn_isa(), "sse2")) continue;
                CHECK(hash == want[k], "%s, %d threads: hash %d: %08lx%08lx", tnn_isa(), t, k,
                      (unsigned long)(hash >> 32), (unsigned long)(hash & 0xffffffffu));
            }
    }
    CHECK(emulated || trained_hash(0, 50, 2, 20) == trained_hash(0, 33, 1, 20),
          "a larger .batch gives other bits");
    test_note("hash %08lx%08lx", (unsigned long)(want[0] >> 32),
              (unsigned long)(want[0] & 0xffffffffu));
}

/* A convolution with many weights goes Winograd's way only where nothing goes back through it: with
   a loss it goes the direct way, nearly to the same outputs. Small images are worked together, a
   sample is split where there are threads for its parts: neither changes a bit. */
typedef struct { int h, w, pool, leaky; } inference_case;
static const int inference_n[] = {1, 2, 7};
static size_t inference(const inference_case *k, int loss, int threads, float *outputs)
{
    tnn_net *net = tnn_create(.input = {1, k->h, k->w}, .batch = 7, .threads = threads, .seed = 6);
    size_t i, size, total = 0;
    int shape[3];
    tnn_add(net, TNN_CONV2D, .filters = 192, .kernel = 3);
    tnn_add(net, TNN_LEAKY_RELU);
    tnn_add(net, TNN_CONV2D, .filters = 192, .kernel = 3, .pad = 1);
    tnn_add(net, k->leaky ? TNN_LEAKY_RELU : TNN_RELU);
    if (k->pool) tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(net, TNN_CONV2D, .filters = 7, .kernel = 2);
    if (loss) tnn_set_loss(net, TNN_MSE);
    for (i = 0; i < 3; i++) {
        tnn_forward(net, xs, inference_n[i], TNN_EVAL);
        CHECK(!tnn_failed(), "%s", tnn_error());
        size = (size_t)inference_n[i]*(size_t)tnn_output_shape(net, shape);
        memcpy(outputs + total, tnn_output(net), size*sizeof *outputs);
        total += size;
    }
    tnn_free(net);
    return total;
}
static void inference_tiled(void)
{
    static const inference_case cases[] = {
        {10, 12, 0, 0}, {10, 12, 1, 0}, {10, 12, 0, 1}, {10, 12, 1, 1}, {6, 6, 0, 0}, {6, 6, 1, 1},
        {18, 14, 1, 0}
    };
    static float direct[1 << 14], want[1 << 14], got[1 << 14];
    size_t c, i, total;
    int threads, n;
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        const inference_case *k = &cases[c];
        inference(k, 1, 1, direct);
        total = inference(k, 0, 1, want);
        CHECK(total <= sizeof want / sizeof *want, "%lu outputs", (unsigned long)total);
        for (i = 0; i < total; i++)
            CHECK(fabsf(want[i] - direct[i]) < 2e-6f, "output %lu: %.9g, directly %.9g",
                  (unsigned long)i, (double)want[i], (double)direct[i]);
        CHECK(memcmp(want, direct, total*sizeof *want), "Winograd's way was not taken");
        for (n = 1; n < 3; n++)         /* the first samples of larger batches */
            CHECK(!memcmp(want + (n == 1 ? 1 : 3)*(total/10), want, total/10*sizeof *want),
                  "a batch of %d: other outputs", inference_n[n]);
        for (threads = 2; threads <= 5; threads++) {
            memset(got, 0, sizeof got);
            inference(k, 0, threads, got);
            CHECK(!memcmp(got, want, total*sizeof *got), "%d threads: other outputs", threads);
        }
    }
}

/* .exact, of a layer or of the network: the direct way, forward and backward. A window that moves
   the image by a column, over columns of 1e6 and of about 1, then gives each value as it is. */
enum { DIRAC = 16, DIRAC_SIDE = 8, DIRAC_ALL = DIRAC*DIRAC_SIDE*DIRAC_SIDE };
static tnn_net *dirac_net(int exact, int of_network, int threads)
{
    static float w[DIRAC*DIRAC*9];
    tnn_net *net = tnn_create(.input = {DIRAC, DIRAC_SIDE, DIRAC_SIDE}, .batch = 2, .seed = 6,
                              .threads = threads, .exact = exact && of_network);
    int i;
    tnn_add(net, TNN_CONV2D, .filters = DIRAC, .kernel = 3, .pad = 1, .no_bias = 1,
            .exact = exact && !of_network);
    tnn_set_loss(net, TNN_MSE);
    tnn_set_optimizer(net, TNN_SGD, .lr = 1e-9);
    for (i = 0; i < DIRAC; i++) w[(i*DIRAC + i)*9 + 3] = 1;
    tnn_set_param(net, "0.weight", w, DIRAC*DIRAC*9);
    return net;
}
static void exact_way(void)
{
    static float x[DIRAC_ALL], y[DIRAC_ALL], targets[DIRAC_ALL];
    uint64_t hash[3];
    int kind, i, right;
    for (i = 0; i < DIRAC_ALL; i++) x[i] = i%2 ? xs[i%1000] : 1e6f + xs[i%1000];
    for (kind = 0; kind < 3; kind++) {
        tnn_net *net = dirac_net(kind > 0, kind == 2, 1);
        tnn_forward(net, x, 1, TNN_TRAIN);
        memcpy(y, tnn_output(net), sizeof y);
        for (right = i = 0; i < DIRAC_ALL; i++)
            right += y[i] >= (i%DIRAC_SIDE ? x[i - 1] : 0) && y[i] <= (i%DIRAC_SIDE ? x[i - 1] : 0);
        CHECK((right == DIRAC_ALL) == (kind > 0), "exact %d: %d of %d values", kind, right,
              DIRAC_ALL);
        tnn_loss_targets(net, targets);
        tnn_backward(net);
        tnn_step(net);
        CHECK(!tnn_failed(), "exact %d: %s", kind, tnn_error());
        hash[kind] = tnn_hash(net);
        tnn_free(net);
    }
    CHECK(hash[1] == hash[2] && hash[0] != hash[1], "of a layer and of the network");
    for (i = 0; i < 3; i++) {
        const tnn_layer_type other[] = {TNN_DENSE, TNN_CONV_TRANSPOSE2D, TNN_RELU};
        static const char *const names[] = {"DENSE", "CONV_TRANSPOSE2D", "RELU"};
        char want[120];
        tnn_net *net = tnn_create(.input = {16, 8, 8});
        snprintf(want, sizeof want, "tnn_add: TNN_%s has no .exact; .exact is of TNN_CONV2D",
                 names[i]);
        CHECK(tnn_add(net, other[i], .exact = 1) && strstr(tnn_error(), want), "%s: %s", names[i],
              tnn_error());
        tnn_clear_error();
        tnn_free(net);
    }
}
/* Inputs that are finite the direct way only: its bits, with any number of threads; the other rows
   of the same image stay as they were. */
static void beyond_range(void)
{
    static float x[2*DIRAC_ALL], got[2*DIRAC_ALL], want[2*DIRAC_ALL], w[DIRAC*DIRAC*9];
    int kind, i;
    for (i = 0; i < 2*DIRAC_ALL; i++)
        x[i] = i/8%8 < 4 ? 1e38f*(i%4 < 2 ? 1.0f : -1.0f)*(i/8%4 < 2 ? 1.0f : -1.0f) : xs[i%1000];
    for (i = 0; i < DIRAC*DIRAC*9; i++) w[i] = 1e-4f*xs[i%777];
    for (kind = 0; kind < 5; kind++) {          /* directly; 1, 2, 3, 8 threads */
        tnn_net *net = dirac_net(kind == 0, 0, kind < 4 ? kind : 8);
        float *y = kind == 0 ? want : got;
        tnn_set_param(net, "0.weight", w, DIRAC*DIRAC*9);
        tnn_forward(net, x, 2, TNN_EVAL);
        CHECK(!tnn_failed(), "%s", tnn_error());
        if (kind == 2) memcpy(want, got, sizeof want);
        memcpy(y, tnn_output(net), sizeof want);
        if (kind == 1)
            for (i = 0; i < 2*DIRAC_ALL; i++)
                CHECK(i/8%8 < 4 ? want[i] - want[i] == 0 && !memcmp(got + i, want + i, sizeof *got)
                      : fabsf(got[i] - want[i]) <= 1e-6f*(i/8%8 < 6 ? 1e38f : 1), "output %d: %g, "
                      "directly %g", i, (double)got[i], (double)want[i]);
        if (kind > 1) CHECK(!memcmp(got, want, sizeof got), "%d threads: other bits", kind);
        tnn_free(net);
    }
}

/* With few weights a loss changes no bit, however small the image. */
static void inference_few_weights(void)
{
    float got[2][16*8*8];
    int side, loss;
    for (side = 4; side <= 8; side += 2) {
        for (loss = 0; loss < 2; loss++) {
            tnn_net *net = tnn_create(.input = {16, side, side}, .batch = 1, .seed = 6);
            tnn_add(net, TNN_CONV2D, .filters = 16, .kernel = 3, .pad = 1);
            if (loss) tnn_set_loss(net, TNN_MSE);
            tnn_forward(net, xs, 1, TNN_EVAL);
            CHECK(!tnn_failed(), "%s", tnn_error());
            memcpy(got[loss], tnn_output(net), (size_t)(16*side*side)*sizeof **got);
            tnn_free(net);
        }
        CHECK(!memcmp(got[0], got[1], (size_t)(16*side*side)*sizeof **got),
              "%dx%d: other outputs with a loss", side, side);
    }
}

/* The gradient of the first of three dense layers: the second, the widest, is frozen or not, the
   batch is as large as the network allows or smaller. All have the same bits. */
static void first_gradient(int frozen, int batch, float *gradient)
{
    enum { N = 33, IN = 2*SIZE };
    tnn_net *net = tnn_create(.input = {IN}, .batch = batch, .threads = 2, .seed = 5);
    tnn_add(net, TNN_DENSE, .units = 20);
    tnn_add(net, TNN_DENSE, .units = 300, .frozen = frozen);
    tnn_add(net, TNN_DENSE, .units = 5);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD);
    tnn_forward(net, xs, N/2, TNN_TRAIN);
    tnn_loss(net, ys);
    tnn_backward(net);
    tnn_get_grad(net, "0.weight", gradient, 20*IN);
    CHECK(!tnn_failed(), "%s", tnn_error());
    tnn_free(net);
}
static void frozen_dense(void)
{
    static float want[20*2*SIZE], got[20*2*SIZE];
    static const int batches[] = {16, 17, 257, 300, 1000};
    size_t i;
    int frozen;
    first_gradient(0, 16, want);
    for (i = 0; i < sizeof batches / sizeof *batches; i++)
        for (frozen = 0; frozen < 2; frozen++) {
            memset(got, 0, sizeof got);
            first_gradient(frozen, batches[i], got);
            CHECK(!memcmp(got, want, sizeof got), "frozen %d, .batch %d: other gradients", frozen,
                  batches[i]);
        }
}

static void defaults(void)
{
    /* TNN_ZERO is zero; zero is the default */
    tnn_net *net = small_net(8, 1);
    CHECK(tnn_lr(net) == 0.01, "lr");
    tnn_set_lr(net, 0.5);
    CHECK(tnn_lr(net) == 0.5, "lr");
    tnn_free(net);
    CHECK(!tnn_failed(), "%s", tnn_error());
}

/* ---- Threads --------------------------------------------------------------------------------- */
#if !defined(TINYNN_NO_THREADS) && !defined(_WIN32)
static void *train_in_thread(void *result)
{
    *(uint64_t *)result = trained_hash(0, 33, 2, 20);
    if (tnn_failed()) *(uint64_t *)result = 0;
    tnn_set_isa("nonsense");        /* an error in this thread is not one in others */
    return NULL;
}
static void two_networks(void)
{
    const uint64_t want = trained_hash(0, 33, 1, 20);
    pthread_t t[3];
    uint64_t hash[3] = {0, 0, 0};
    int i;
    for (i = 0; i < 3; i++) pthread_create(&t[i], NULL, train_in_thread, &hash[i]);
    for (i = 0; i < 3; i++) pthread_join(t[i], NULL);
    CHECK(!tnn_failed(), "another thread's error: %s", tnn_error());
    for (i = 0; i < 3; i++) CHECK(hash[i] == want, "thread %d", i);
}
/* So many layers are planned soon, and go back in a stack of 256 KB. ReLUs behind the first one do
   nothing, so their number is not seen in the weights. */
static void *deep_hash(void *result)
{
    enum { INPUTS = 20 };
    float x[INPUTS], target[3] = { 1, 2, 3 }, first[2000];
    size_t count = 0;
    int deep, i;
    for (i = 0; i < INPUTS; i++) x[i] = (float)(i % 7 - 3);
    for (deep = 0; deep < 2; deep++) {
        tnn_net *net = tnn_create(.input = { INPUTS }, .batch = 1, .seed = 4, .threads = 1);
        tnn_add(net, TNN_DENSE, .units = 30);
        for (i = 0; i < (deep ? 20000 : 1); i++) tnn_add(net, TNN_RELU);
        tnn_add(net, TNN_DENSE, .units = 3);
        tnn_set_loss(net, TNN_MSE);
        tnn_set_optimizer(net, TNN_SGD, .lr = 0.1);
        tnn_flat(net, 0, &count);
        if (!count || count > sizeof first/sizeof *first) return NULL;
        if (deep) memcpy(tnn_flat(net, 0, NULL), first, count*sizeof *first);
        else      memcpy(first, tnn_flat(net, 0, NULL), count*sizeof *first);
        for (i = 0; i < 3; i++) tnn_train_batch_targets(net, x, target, 1);
        ((uint64_t *)result)[deep] = tnn_failed() ? 0 : tnn_hash(net);
        tnn_free(net);
    }
    return NULL;
}
static void deep_network(void)
{
    uint64_t hash[2] = { 0, 1 };
    double seconds = (double)clock();
    pthread_attr_t stack;
    pthread_t thread;
    pthread_attr_init(&stack);
    pthread_attr_setstacksize(&stack, 256 << 10);
    CHECK(!pthread_create(&thread, &stack, deep_hash, hash), "no thread");
    pthread_join(thread, NULL);
    pthread_attr_destroy(&stack);
    seconds = ((double)clock() - seconds)/CLOCKS_PER_SEC;
    CHECK(hash[0] == hash[1] && hash[0], "other weights");
    CHECK(seconds < 5, "20000 layers: %.1f seconds", seconds);
    test_note("%.2f s", seconds);
}
#endif

static void version(void)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", TNN_VERSION_MAJOR, TNN_VERSION_MINOR,
             TNN_VERSION_PATCH);
    CHECK(!strcmp(TNN_VERSION, text) && !strcmp(tnn_version(), text), "%s", tnn_version());
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    make_data();
    RUN("the version", version);
    RUN("a constant for another enum is refused", choices);
    RUN("what was probably meant", hints);
    RUN("options that do nothing: layers", idle_layer_options);
    RUN("options that do nothing: optimizers", idle_rule_options);
    RUN("options that do nothing: schedules", idle_schedule_options);
    RUN("options that do nothing: losses", idle_loss_options);
    RUN("options that do nothing: loaders", idle_loader_options);
    RUN("errors name the caller's line", layer_errors);
    RUN("layers refuse bad sizes", bad_sizes);
    RUN("options out of range", option_errors);
    RUN("tensor functions refuse what does not fit", tensor_errors);
    RUN("calls out of order", calls_out_of_order);
    RUN("a bad batch loses nothing", bad_batches);
    RUN("messages, logger", messages);
    RUN("what could not be made", not_made);
#ifndef _WIN32
    RUN("messages on stderr", log_to_stderr);
#endif
    RUN("IDX files, good and bad", idx_files);
    RUN("loaders and splits", loaders);
    RUN("data sets live as long as their readers", data_lives);
    RUN("metrics and confusion matrix", metrics);
    RUN("a network without a loss", without_a_loss);
    RUN("defaults and TNN_ZERO", defaults);
    RUN("the same bits everywhere", same_bits);
    RUN("inference, on parts of a sample", inference_tiled);
    RUN("inference, few weights", inference_few_weights);
    RUN("the exact way of convolutions", exact_way);
    RUN("Winograd's way beyond its range", beyond_range);
    RUN("frozen dense layers, smaller batches", frozen_dense);
#if !defined(TINYNN_NO_THREADS) && !defined(_WIN32)
    RUN("many layers, a small stack", deep_network);
    RUN("networks in several threads", two_networks);
#endif
    return test_finish();
}
