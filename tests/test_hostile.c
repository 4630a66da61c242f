/* test_hostile.c - options of any value, calls in any order

   Networks are made of layers, losses, optimizers, schedules and loaders whose options are drawn
   from 0, small numbers, the largest and smallest, NaN and infinity, with data that are not always
   finite, and used by calls drawn one after the other; so are studies, tensors and data sets.
   Whatever that is, a call does what it says or gives an error with a message; a sanitizer
   (tests/platforms.sh sanitizers) sees the rest. No request for memory beyond ROOM is granted,
   which also keeps networks small.

   Program i is a function of i: a number as argument runs that one alone and shows its calls;
   TINYNN_HOSTILE=100000 in the environment runs so many. */
#define TINYNN_NO_SIMD          /* nothing here depends on it */
#include "hooked.h"
#include "test.h"

#include <limits.h>

enum { PROGRAMS = 2000, ROOM = 1 << 19, BATCH = 5, FLOATS = 3 * 8 * 8 };
void *test_malloc(size_t bytes) { return bytes > ROOM ? NULL : malloc(bytes); }
void  test_free(void *p) { free(p); }

/* ==== Drawing ================================================================================= */
static uint64_t program, drawn;
static int shown;

static uint32_t draw(void)       { return tnn_random_bits(27, program, drawn++); }
static int below(int n)          { return (int)(draw() % (uint32_t)n); }
static int chance(int percent)   { return below(100) < percent; }
static int any_int(void)
{
    static const int few[] = {0, 1, 1, 2, 2, 3, 4, 5, 7, 8, 10, -1, -1, -2};
    static const int many[] = {INT_MAX, INT_MIN, INT_MIN + 1, INT_MAX - 1, 65535, 65536, 46341,
                               1 << 24, 1 << 30, -65536, 1000, 257, 4097, 17, 33, 100};
    return chance(85) ? few[below(sizeof few / sizeof *few)]
                      : many[below(sizeof many / sizeof *many)];
}
static double any_real(void)
{
    static const double few[] = {0, 0.5, 0.1, 0.9, 1, 1, 2, 1e-3, 0.01, 10, -1, -0.0, 0.25};
    static const double many[] = {1e30, -1e30, 1e308, -1e308, 1e-30, 1e-320, 3e38, 1e39, 1e9,
                                  HUGE_VAL, -HUGE_VAL, 16777217, 0.999999, 4294967296.0};
    if (chance(3)) return (double)NAN;
    return chance(80) ? few[below(sizeof few / sizeof *few)]
                      : many[below(sizeof many / sizeof *many)];
}
static float any_float(void)
{
    const double v = any_real();
    return v > 3e38 ? (float)HUGE_VAL : v < -3e38 ? (float)-HUGE_VAL : (float)v;
}

/* Members of the struct o. Most stay 0, their default. */
static int rate;                /* percent of them that do not */
#define INT(member)   if (chance(rate)) o.member = any_int()
#define REAL(member)  if (chance(rate)) o.member = any_real()
#define FLOAT(member) if (chance(rate)) o.member = any_float()
#define FLAG(member)  if (chance(rate)) o.member = chance(80) ? 1 : any_int()
static int kind(int first, int n)      /* of an enum: 0, or one of its n others, or the next */
{
    const int k = below(n + 2);
    return k ? first - 1 + k : 0;
}
static int any_of(int first, int last)
{
    return chance(98) ? first + below(last - first + 1) : any_int();
}
#define KIND(type, member, first, n) \
    if (chance(rate)) o.member = (type)(chance(90) ? kind(first, n) : any_int())

static int refuse_shape(void *user, const int in[3], int out[3], int *params)
{
    (void)user;
    if (chance(10)) return 1;
    for (int i = 0; i < 3; i++) out[i] = chance(80) ? in[i] : any_int();
    *params = chance(80) ? 3 : any_int();
    return 0;
}
static void any_forward(void *user, const float *x, float *y, const float *w, int training)
{
    (void)user, (void)training;
    y[0] = x[0] + (w ? w[0] : 0);
}
static void any_backward(void *user, const float *x, const float *y, const float *dy, float *dx,
                         const float *w, float *dw)
{
    (void)user, (void)x, (void)y, (void)w;
    dx[0] = dy[0];
    if (dw) dw[0] += dy[0];
}
static const tnn_custom_layer custom[2] = {
    {.name = "own", .shape = refuse_shape, .forward = any_forward, .backward = any_backward},
    {.name = NULL, .shape = refuse_shape} };

static tnn_init_options any_init(void)
{
    tnn_init_options o = {0};
    REAL(gain); KIND(tnn_fan, fan, TNN_FAN_IN, 3); FLAG(truncated); REAL(mean); REAL(std);
    REAL(min); REAL(max); REAL(value); REAL(sparsity);
    return o;
}
static tnn_layer any_layer(int from)
{
    tnn_layer o = {.type = (tnn_layer_type)any_of(TNN_CONV2D, LAST_LAYER)};
    const int conv = o.type == TNN_CONV2D || o.type == TNN_CONV_TRANSPOSE2D;
    rate = 100;
    if (conv && chance(95)) o.filters = 1 + below(20);
    if (o.type == TNN_DENSE && chance(95)) o.units = 1 + below(20);
    if ((conv || o.type == TNN_MAXPOOL2D || o.type == TNN_AVGPOOL2D) && chance(95))
        o.kernel = 1 + below(3);
    if ((conv || o.type == TNN_GROUPNORM) && chance(90)) o.groups = 1;
    if (chance(90)) o.from = chance(50) ? TNN_FROM_INPUT : from;
    if (o.type != TNN_ADD && o.type != TNN_CONCAT && chance(80)) o.from = 0;
    if (o.type == TNN_RESHAPE && chance(90)) o.shape[below(3)] = -1;
    rate = chance(70) ? 0 : chance(70) ? 1 : 25;
    INT(filters); INT(units); INT(kernel); INT(kernel_h); INT(kernel_w); INT(stride);
    INT(stride_h); INT(stride_w); INT(pad); INT(pad_h); INT(pad_w); INT(dilation);
    INT(dilation_h); INT(dilation_w); INT(groups); FLAG(ceil); FLAG(exclude_pad); FLAG(no_bias);
    FLOAT(slope); FLOAT(p); KIND(tnn_init, init, TNN_INIT_HE_UNIFORM, 16);
    KIND(tnn_init, bias_init, TNN_INIT_HE_UNIFORM, 16);
    o.init_with = any_init();
    o.bias_init_with = any_init();
    REAL(l1); REAL(l2); REAL(orthogonal);
    KIND(tnn_constraint, constraint, TNN_MAX_NORM, 4); REAL(norm_min);
    REAL(norm_max); REAL(norm_rate); INT(from); INT(output_pad);
    KIND(tnn_sampling, pad_mode, TNN_ZEROS, 7); INT(size); INT(size_h); INT(size_w); INT(factor);
    KIND(tnn_sampling, mode, TNN_ZEROS, 7); FLOAT(value);
    INT(shape[0]); INT(shape[1]); INT(shape[2]);
    FLOAT(eps); FLOAT(momentum); FLAG(no_affine); FLAG(affine); FLAG(no_statistics); FLAG(biased);
    FLOAT(alpha); FLOAT(beta); FLOAT(threshold); FLOAT(min_value); FLOAT(max_value);
    FLAG(approximate); FLAG(per_channel); FLOAT(std); FLOAT(drop_connect); FLOAT(lr_scale);
    FLOAT(decay_scale); FLAG(frozen);
    if (o.type == TNN_CUSTOM_LAYER && chance(90)) o.custom = &custom[chance(10)];
    return o;
}
static float weights[64];
static tnn_loss_options any_loss(void)
{
    tnn_loss_options o = {
        .type = (tnn_loss_type)any_of(TNN_CROSS_ENTROPY, LAST_LOSS)};
    rate = chance(60) ? 0 : 25;
    FLOAT(label_smoothing); KIND(tnn_reduction, reduction, TNN_REDUCE_SUM, 2);
    FLOAT(ignore_index); FLOAT(gamma);
    FLOAT(margin); FLOAT(delta); FLOAT(beta); FLOAT(alpha); FLOAT(eps); FLOAT(smooth); INT(p);
    FLAG(log_target); FLAG(no_log_input); FLAG(full); FLAG(per_pixel);
    for (int i = 0; i < 64; i++) weights[i] = chance(95) ? 1 : any_float();
    if (chance(rate)) o.class_weights = weights;
    if (chance(rate)) o.pos_weights = weights;
    return o;
}
static tnn_optimizer any_optimizer(void)
{
    tnn_optimizer o = {
        .type = (tnn_optimizer_type)any_of(TNN_SGD, LAST_RULE)};
    rate = chance(60) ? 0 : chance(70) ? 2 : 25;
    if (chance(80)) o.lr = 0.01;
    REAL(lr); REAL(momentum); REAL(dampening); FLAG(nesterov); REAL(weight_decay); REAL(beta1);
    REAL(beta2); REAL(eps); REAL(beta3); REAL(alpha); REAL(rho); REAL(gamma); REAL(lambd);
    REAL(t0); REAL(lr_decay); REAL(initial_accumulator); REAL(eta_minus); REAL(eta_plus);
    REAL(step_min); REAL(step_max); REAL(momentum_decay); REAL(trust); REAL(beta2_decay);
    REAL(eps2); REAL(clip_threshold); REAL(r); REAL(weight_lr_power); REAL(ns_a); REAL(ns_b);
    REAL(ns_c); REAL(tolerance_grad); REAL(tolerance_change); FLAG(keras_eps); FLAG(velocity);
    FLAG(amsgrad); FLAG(maximize); FLAG(decoupled); FLAG(centered); FLAG(rectify);
    FLAG(no_nesterov); FLAG(match_rms); FLAG(strong_wolfe); INT(warmup_steps); INT(alpha_warmup);
    INT(beta3_warmup); INT(interval); INT(ns_steps); INT(max_iter); INT(max_eval); INT(history);
    INT(states); FLAG(no_bias_decay); REAL(clip_value); REAL(clip_tensor); REAL(clip_norm);
    INT(accumulate); INT(lookahead); REAL(lookahead_alpha); REAL(ema); FLAG(ema_warmup);
    INT(swa_start); INT(swa_every);
    return o;
}
static tnn_schedule any_schedule(int depth)
{
    static tnn_schedule parts[3][3];
    static int milestones[3];
    tnn_schedule o = {
        .type = (tnn_schedule_type)any_of(TNN_CONSTANT, LAST_SCHEDULE)};
    rate = chance(50) ? 5 : 25;
    if (chance(80)) o.steps = 1 + below(5);
    REAL(lr); INT(steps); REAL(gamma); REAL(end_lr); REAL(end_factor); REAL(min_lr); INT(warmup);
    REAL(warmup_factor); FLAG(per_epoch); REAL(start_factor); REAL(power);
    KIND(tnn_anneal, anneal, TNN_ANNEAL_LINEAR, 2); FLAG(staircase); INT(steps_down); INT(mult);
    REAL(cycle_gamma);
    REAL(pct_start); REAL(div_factor); REAL(final_div_factor); FLAG(three_phase);
    REAL(base_momentum); REAL(max_momentum); FLAG(keep_momentum);
    if (chance(rate)) o.steps = (long long)draw() << 31;
    for (int i = 0; i < 3; i++) milestones[i] = chance(90) ? i + 1 : any_int();
    if (chance(80)) o.milestones = milestones;
    if (chance(80) && depth < 3) {
        for (int i = 0; i < 3; i++) parts[depth][i] = any_schedule(depth + 1);
        o.parts = parts[depth];
    }
    o.count = chance(80) ? 2 : chance(50) ? 3 : -below(9);  /* what there is room for */
    return o;
}
static tnn_loader_options any_batches(void)
{
    tnn_loader_options o = {.batch = chance(90) ? 1 + below(BATCH) : any_int()};
    rate = chance(50) ? 0 : 15;
    FLAG(shuffle); FLAG(drop_last); REAL(flip); REAL(flip_vertical); REAL(rotate); REAL(shear);
    REAL(scale_min); REAL(scale_max); REAL(shift); INT(crop_pad);
    KIND(tnn_border, border, TNN_BORDER_EDGE, 2);
    REAL(fill); REAL(brightness); REAL(contrast); REAL(saturation); REAL(hue); INT(cutout);
    REAL(erase); REAL(erase_min); REAL(erase_max); REAL(erase_ratio); REAL(mixup); REAL(cutmix);
    REAL(mix);
    return o;
}

/* ==== Calling ================================================================================= */
enum { OUTPUTS = 4096 };
static float x[BATCH * FLOATS], targets[BATCH * OUTPUTS];
static int   labels[BATCH * OUTPUTS];       /* one for each pixel, where the loss wants that */
static char  text[1 << 16];
static unsigned char memory[1 << 20];
static int   errors, calls;
static volatile double seen;

static void called(const char *what)
{
    calls++;
    if (shown) printf("%s  %s\n", what, tnn_error());
    CHECK(!tnn_failed() == !*tnn_error(), "%d: %s: an error without a message", (int)program, what);
    if (!tnn_failed()) return;
    errors++;
    if (chance(95)) tnn_clear_error();
}
#define DO(call) do { call; called(#call); } while (0)

/* What a save accepts the load gives back, to the bit, in any state and under any names: into the
   same network, whose tensors have other values by then. */
static int saved;
static void spoil(tnn_net *net)
{
    char names[40][32];
    int count = 0;
    for (; count < 40 && count < tnn_param_count(net); count++)
        snprintf(names[count], sizeof *names, "%s", tnn_param_info(net, count).name);
    for (int i = 0; i < count; i++) {
        const long long n = tnn_param_info(net, i).count;
        float *v = (float *)malloc((size_t)n * sizeof *v);
        for (long long k = 0; v && k < n; k++) v[k] = 7;
        if (v && n > 0) tnn_set_param(net, names[i], v, (int)n);
        free(v);
    }
    CHECK(!tnn_failed(), "%d: a tensor cannot be set: %s", (int)program, tnn_error());
}
static void saves(tnn_net *net, tnn_loader *batches)
{
    static const tnn_rename pairs[] = {
        {"", ""}, {"a.", ""}, {"__metadata__", "0.weight"}, {"__meta", ""}, {"", "0."}, {"x", "0"},
        {"x", "1"}, {"\xff", "1"}, {"\xc3\xa9\"\\\n\x01", ""}, {"tinynn.", ""}, {"y", NULL},
        {NULL, "0.weight"}, {"a.num_batches_tracked", "0.bias"}, {"z", "none"},
        {"0.weight", "0.bias"},
        {"tinynn.hash", "0.weight"}, {"", "0.weight"}, {"data_offsets", "2."} };
    static unsigned char again[sizeof memory];
    tnn_weights_options o = {0};
    double numbers[3] = {any_real(), any_real(), any_real()}, back[3];
    tnn_checkpoint_options with = {.loader = batches, .numbers = numbers, .count = below(4)};
    size_t bytes;
    const int renames = chance(30) ? 0 : 1 + below(4);
    tnn_clear_error();
    for (int i = 0; i < renames; i++) o.rename[i] = pairs[below(sizeof pairs / sizeof *pairs)];
    DO(bytes = tnn_format_weights(net, memory, sizeof memory, &o));
    tnn_clear_error();
    if (bytes && bytes <= sizeof memory) {
        spoil(net);
        CHECK(tnn_parse_weights(net, memory, bytes, &o) > 0, "%d: saved, but %s", (int)program,
              tnn_error());
        CHECK(tnn_format_weights(net, again, sizeof again, &o) == bytes
              && !memcmp(memory, again, bytes), "%d: other weights: %s", (int)program, tnn_error());
        saved++;
    }
    DO(bytes = tnn_format_checkpoint(net, memory, sizeof memory, &with));
    tnn_clear_error();
    if (bytes && bytes <= sizeof memory) {
        spoil(net);
        with.numbers = back;
        CHECK(!tnn_parse_checkpoint(net, memory, bytes, &with)
              && !memcmp(numbers, back, (size_t)with.count * sizeof *back),
              "%d: saved, but %s", (int)program, tnn_error());
        CHECK(tnn_format_checkpoint(net, again, sizeof again, &with) == bytes
              && !memcmp(memory, again, bytes), "%d: another checkpoint: %s", (int)program,
              tnn_error());
        saved++;
    }
    tnn_clear_error();
    DO(bytes = tnn_format_c(net, memory, sizeof memory - 1, NULL));
    if (bytes && bytes < sizeof memory) {
        memory[bytes] = 0;
        CHECK(!strstr((char *)memory, "p128f"), "%d: an infinite number", (int)program);
    }
}
static void use(tnn_net *net, tnn_loader *batches, const tnn_data *data)
{
    const int n = chance(95) ? 1 + below(BATCH) : any_int();
    const tnn_mode mode = chance(80) ? TNN_TRAIN : TNN_EVAL;
    const char *const names[] = {"0.weight", "1.bias", "", "x", "0.", "2.running_mean"};
    const char *name = names[below(6)];
    tnn_plateau plateau = {.patience = any_int(), .factor = chance(50) ? 0 : any_real()};
    tnn_early_stopping stop = {.patience = any_int(), .min_delta = any_real(),
                               .restore_best = chance(50), .keras = chance(30)};
    double rates[100] = {0}, losses[100];     /* room for the default .steps */
    tnn_lr_finder finder = {.steps = chance(80) ? 5 : -below(5), .lr = rates, .loss = losses,
                            .max_lr = chance(80) ? 0 : any_real(),
                            .beta = chance(80) ? 0 : any_real()};
    const tnn_checkpoint_options with = {.loader = batches, .numbers = rates,
                                         .count = chance(90) ? 5 : -below(5)};
    const int size = n > 0 && n <= BATCH ? n : 0;
    double lr = any_real();
    int shape[3];
    size_t bytes;
    for (int i = 0; i < BATCH * FLOATS; i++) x[i] = (float)below(200) / 100 - 1;
    if (chance(5)) x[below(FLOATS)] = any_float();
    for (int i = 0; i < BATCH * OUTPUTS; i++) labels[i] = i % 3;
    for (int i = 0; i < BATCH; i++) labels[i] = chance(95) ? below(3) : any_int();
    for (int i = 0; i < 64; i++) targets[below(BATCH * OUTPUTS)] = any_float();
    DO(tnn_output_shape(net, shape));
    if (shape[0] > OUTPUTS || shape[1] * shape[2] * shape[0] > OUTPUTS) return;
    switch (below(28)) {
    case 0: case 1: case 2: case 3: case 4: case 5:
        DO(seen += tnn_train_batch(net, x, labels, n));
        break;
    case 6: case 7: case 8:
        DO(tnn_forward(net, x, n, mode));
        if (chance(80)) DO(seen += tnn_loss(net, labels));
        if (chance(80)) DO(tnn_backward(net));
        if (chance(80)) DO(tnn_step(net));
        if (tnn_output(net)) seen += (double)tnn_output(net)[0];
        break;
    case 9: DO(seen += tnn_train_batch_targets(net, x, targets, n)); break;
    case 10: DO(tnn_loss(net, labels)); break;
    case 11: DO(tnn_backward(net)); break;
    case 12: DO(tnn_step(net)); break;
    case 13: DO(seen += tnn_evaluate(net, data).loss); break;
    case 14: if (batches) DO(seen += tnn_train_epoch(net, batches).loss); break;
    case 15: DO(tnn_summary(net, text, sizeof text, chance(90) ? below(5) << 15 : any_int()));
             break;
    case 16: DO(tnn_get_param(net, name, targets, chance(50) ? 9 : any_int() % 1000)); break;
    case 17: DO(tnn_set_param(net, name, targets, chance(50) ? 9 : any_int() % 1000)); break;
    case 18: DO(tnn_set_lr(net, lr)); break;
    case 19: DO(tnn_set_momentum(net, lr)); break;
    case 20: DO(tnn_set_group(net, name, any_real(), any_real(), chance(50))); break;
    case 21: DO(seen += tnn_clip_grad(net, (tnn_clip)(TNN_CLIP_VALUE - 1 + below(5)), lr)); break;
    case 22: DO(tnn_use_average(net, below(2))); break;
    case 23:
        DO(bytes = tnn_format_weights(net, memory, sizeof memory, NULL));
        if (bytes && bytes <= sizeof memory && chance(50)) memory[below((int)bytes)] ^= 1;
        if (bytes && bytes <= sizeof memory) DO(tnn_parse_weights(net, memory, bytes, NULL));
        break;
    case 24:
        for (int i = 0; i < 5; i++) rates[i] = any_real();
        DO(bytes = tnn_format_checkpoint(net, memory, sizeof memory, &with));
        if (bytes && bytes <= sizeof memory) DO(tnn_parse_checkpoint(net, memory, bytes, &with));
        DO(bytes = tnn_format_c(net, memory, sizeof memory, NULL));
        break;
    case 25:
        DO(tnn_plateau_update(&plateau, lr, &lr));
        DO(tnn_early_stop(&stop, net, lr));
        DO(tnn_early_stop(&stop, net, lr));
        DO(tnn_early_stopping_end(&stop, net));
        break;
    case 26:
        if (batches) DO(seen += tnn_lr_find(net, batches, &finder));
        if (size && chance(30)) DO(seen += tnn_gradient_check(net, x, labels, size, 3));
        break;
    default:
        DO(tnn_end_epoch(net));
        DO(seen += (double)tnn_hash(net));
        DO(tnn_build(net));
    }
}
static void network(void)
{
    static unsigned char pixels[7 * FLOATS], given[ROOM];
    static int of[7];
    tnn_net_options o = {.input = {1 + below(3), 1 + below(8), 1 + below(8)}, .batch = BATCH,
                         .seed = draw(), .dialect = chance(50) ? TNN_KERAS : TNN_PYTORCH,
                         .threads = 1 + below(2)};
    tnn_loader *batches = NULL;
    tnn_data data;
    tnn_net *net;
    for (int i = 0; i < 7 * FLOATS; i++) pixels[i] = (unsigned char)below(256);
    for (int i = 0; i < 7; i++) of[i] = below(3);
    DO(data = tnn_data_view(pixels, NULL, of, 7, o.input[0], o.input[1], o.input[2]));
    rate = chance(90) ? 0 : 20;
    INT(input[0]); INT(input[1]); INT(input[2]); INT(batch); INT(threads);
    if (chance(10)) {
        o.memory = given + below(5);
        o.bytes  = (size_t)below(chance(50) ? ROOM - 4 : 40000);
    }
    /* a network reads BATCH samples of FLOATS values */
    if (o.batch > BATCH || o.input[0] > 3 || o.input[1] > 8 || o.input[2] > 8) {
        DO(net = tnn_create_with(&o));
        if (net) { tnn_layer l = any_layer(0); DO(tnn_add_with(net, &l)); DO(tnn_build(net)); }
        tnn_free(net);
        return;
    }
    DO(net = tnn_create_with(&o));
    if (chance(70)) {
        tnn_loader_options b = any_batches();
        DO(batches = tnn_loader_create_with(&data, &b));
    }
    for (int i = below(7); i >= 0; i--) {
        tnn_layer l = any_layer(1 + below(1 + tnn_layer_count(net)));
        if (shown) printf("layer type %d: ", (int)l.type);
        DO(tnn_add_with(net, &l));
    }
    if (chance(90)) {                           /* so that losses of labels fit */
        DO(tnn_add(net, TNN_FLATTEN, .units = 0));
        DO(tnn_add(net, TNN_DENSE, .units = 3));
    }
    if (chance(95)) DO(tnn_set_loss(net, TNN_CROSS_ENTROPY));
    if (chance(95)) DO(tnn_set_optimizer(net, TNN_SGD, .lr = 0.1));
    if (chance(60)) { tnn_loss_options l = any_loss(); DO(tnn_set_loss_with(net, &l)); }
    if (chance(90)) { tnn_optimizer p = any_optimizer(); DO(tnn_set_optimizer_with(net, &p)); }
    if (chance(40)) {
        tnn_schedule s = any_schedule(0);
        DO(seen += tnn_schedule_lr(&s, any_int()));
        DO(seen += tnn_schedule_momentum(&s, any_int()));
        DO(tnn_set_schedule_with(net, &s));
        /* it points to parts that are drawn again with the next one: used for this network only */
    }
    if (chance(10)) saves(net, batches);        /* before it is built */
    for (int i = below(12); i >= 0; i--) use(net, batches, &data);
    if (chance(50)) saves(net, batches);
    if (batches) DO(seen += tnn_next(batches));
    tnn_clear_error();
    tnn_loader_free(batches);
    tnn_free(net);
}
static void study(void)
{
    tnn_variable v[3];
    tnn_study_options o = {.space = v, .count = chance(95) ? 1 + below(3) : -below(5)};
    tnn_study *s;
    tnn_trial *t = NULL;
    static const char *const names[] = {"a", "b", "c", "a", "", "d e", NULL};
    static const char *const choices[] = {"x y", "x", "", "x x", NULL, "one two three", " x"};
    for (int i = 0; i < 3; i++) {
        tnn_variable p = {.name = chance(90) ? names[i] : names[below(7)],
                          .type = (tnn_variable_type)(chance(95) ? kind(TNN_INT, 2) : any_int()),
                          .low = chance(80) ? 1 : any_real(), .high = chance(80) ? 4 : any_real(),
                          .step = chance(80) ? 0 : any_real(), .log = chance(30),
                          .choices = choices[below(7)], .points = chance(80) ? 3 : any_int()};
        v[i] = p;
    }
    rate = 10;
    KIND(tnn_sampler, sampler, TNN_RANDOM, 2); KIND(tnn_pruner, pruner, TNN_MEDIAN, 2);
    INT(trials); FLAG(maximize);
    INT(shard); INT(shards); INT(startup); INT(candidates); REAL(prior_weight);
    FLAG(no_magic_clip); FLAG(endpoints); INT(prune_startup); INT(warmup); INT(interval);
    INT(min_resource); INT(factor); INT(min_rate);
    DO(s = tnn_study_create_with(&o));
    for (int i = 0; s && i < 12; i++) {
        DO(t = tnn_ask(s));
        if (!t) break;
        DO(seen += tnn_trial_float(t, names[below(7)]));
        DO(seen += tnn_trial_int(t, names[below(7)]));
        DO(seen += tnn_trial_choice(t, names[below(7)]));
        for (int k = below(4); k >= 0; k--) DO(tnn_report(t, chance(90) ? 3 - k : any_int(),
                                                          any_real()));
        DO(tnn_tell(t, any_real()));
        if (chance(10)) DO(tnn_tell(t, any_real()));
    }
    DO(seen += tnn_study_best(s) != NULL);
    DO(seen += tnn_study_explained(s, names[below(7)]));
    tnn_clear_error();
    tnn_study_free(s);
}

static tnn_tensor any_tensor(int block)
{
    static float values[4][256];
    int d[4];
    for (int i = 0; i < 4; i++) d[i] = chance(50) ? 2 : chance(95) ? 1 + below(4) : any_int();
    for (int i = 0; i < 256; i++) values[block][i] = chance(99) ? (float)below(9) : any_float();
    tnn_tensor t = tnn_tensor_view(values[block], d[0], d[1], d[2], d[3]);
    /* what it promises is there, or it is no tensor */
    if (t.data && (double)t.n * t.c * t.h * t.w > 256) t.data = NULL;
    if (chance(2)) t.data = NULL;
    if (chance(2)) t.n = chance(50) ? 0 : -below(9);
    return t;
}
static void tensors(void)
{
    tnn_tensor a = any_tensor(0), b = any_tensor(1), c = any_tensor(2), d;
    static float where[256], bias[65536];
    static int   indices[16];
    tnn_window o = {.kernel = 1 + below(3)};
    tnn_data data, part, rest;
    const int count = any_int(), first = any_int();
    tnn_clear_error();
    rate = chance(50) ? 0 : 15;
    INT(kernel); INT(kernel_h); INT(kernel_w); INT(stride); INT(stride_h); INT(stride_w); INT(pad);
    INT(pad_h); INT(pad_w); INT(dilation); INT(dilation_h); INT(dilation_w); INT(groups);
    FLAG(ceil); FLAG(exclude_pad);
    for (int i = 0; i < 256; i++) where[i] = (float)below(4);
    if (b.n > 0 && b.n < 65536) DO(tnn_conv2d_forward(c, a, b, chance(50) ? bias : NULL, o));
    DO(tnn_conv2d_backward_input(a, c, b, o));
    if (b.n > 0 && b.n < 65536)
        DO(tnn_conv2d_backward_weights(b, chance(50) ? bias : NULL, a, c, o));
    DO(tnn_maxpool2d_forward(c, chance(50) ? where : NULL, a, o));
    DO(tnn_maxpool2d_backward(a, c, where, o));
    DO(tnn_avgpool2d_forward(c, a, o));
    DO(tnn_avgpool2d_backward(a, c, o));
    DO(tnn_matmul(c, a, b, below(9) << 12));
    DO(tnn_softmax(c, a));
    DO(tnn_log_softmax(c, a));
    DO(tnn_fill(c, any_float()));
    DO(seen += (double)tnn_sum(a));
    DO(seen += (double)tnn_mean(a));
    DO(seen += (double)tnn_max(a));
    DO(seen += (double)tnn_dot(a, b));
    DO(d = tnn_tensor_slice(a, any_int(), any_int()));
    DO(seen += d.data ? (double)tnn_sum(d) : 0);
    DO(d = tnn_tensor_create(any_int(), any_int(), 1, 1));
    tnn_tensor_free(&d);
    for (int i = 0; i < 16; i++) indices[i] = chance(99) ? below(5) : any_int();
    if (!a.data || (double)a.n * a.c * a.h * a.w > 256 || a.n > 16) a.n = chance(50) ? 0 : -1;
    DO(data = tnn_data_view(NULL, a.data, indices, a.n, a.c, a.h, a.w));
    DO(tnn_normalize(&data, any_float(), any_float()));
    DO(part = tnn_subset(&data, first, count));
    DO(seen += part.n ? tnn_sample(&part, any_int(), where, part.c*part.h*part.w) : 0);
    tnn_data_free(&part);
    if (tnn_split(&data, count, 1, &part, &rest) == TNN_OK) {
        DO(seen += tnn_sample(&rest, any_int(), where, rest.c*rest.h*rest.w));
        tnn_data_free(&part);
        tnn_data_free(&rest);
    }
    called("tnn_split");
    tnn_clear_error();
    tnn_data_free(&data);
}

/* ==== What was found, by itself =============================================================== */
#define SAYS(words) do { \
    CHECK(strstr(tnn_error(), words), "\"%s\" is not about \"%s\"", tnn_error(), words); \
    tnn_clear_error(); } while (0)
static void found(void)
{
    static const float pixels[4 * 16] = {0};
    static const int   of[4] = {0, 1, 0, 1};
    double rates[100], losses[100];
    int shape[3];
    tnn_lr_finder finder = {.lr = rates, .loss = losses, .steps = 5};
    const tnn_data data = tnn_data_view(NULL, pixels, of, 4, 1, 4, 4);
    tnn_loader *batches = tnn_loader_create(&data, .batch = 2);
    tnn_net *net = tnn_create(.input = {1, 5, 5}, .batch = 2);
    tnn_add(net, TNN_AVGPOOL2D, .kernel = 2, .pad = 1);
    tnn_output_shape(net, shape);
    CHECK(shape[1] == 3 && shape[2] == 3, "%dx%d, %s", shape[1], shape[2], tnn_error());
    CHECK(tnn_summary(net, text, sizeof text, TNN_SUMMARY_MODULES) > 0
          && strstr(text, "padding=1)") && !strstr(text, "Pad2d"), "%s", text);
    tnn_add(net, TNN_FLATTEN, .units = 0);
    tnn_add(net, TNN_DENSE, .units = 2);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.1);
    tnn_train_epoch(net, batches);
    SAYS("tnn_train_epoch: samples of 1x4x4 for a network of 1x5x5");
    tnn_lr_find(net, batches, &finder);
    SAYS("tnn_lr_find: samples of 1x4x4 for a network of 1x5x5");
    tnn_update_statistics(net, batches);
    SAYS("tnn_update_statistics: samples of 1x4x4 for a network of 1x5x5");
    tnn_evaluate(net, &data);
    SAYS("tnn_evaluate: samples of 1x4x4 for a network of 1x5x5");
    tnn_loader_free(batches);
    tnn_free(net);

    net = tnn_create(.input = {1, 5, 5});
    tnn_add(net, TNN_CONV_TRANSPOSE2D, .kernel = 2);
    tnn_build(net);
    SAYS("conv_transpose2d: 0 filters, must be 1 to");
    tnn_free(net);

    CHECK(!tnn_tensor_slice(tnn_tensor_view(x, -2, 1, 1, 1), 0, INT_MAX).data, "a slice");
    SAYS("tnn_tensor_slice: 2147483647 samples from 0 on, of -2");
}

int main(int argc, char **argv)
{
    const char *count = getenv("TINYNN_HOSTILE");
    const int n = count ? atoi(count) : PROGRAMS;
    test_start(argc, argv);
    if (test.only[0] >= '0' && test.only[0] <= '9') {
        program = (uint64_t)atoi(test.only);
        shown = 1;
        setvbuf(stdout, NULL, _IONBF, 0);
        test.only = "";
        if (program % 8 == 7) RUN("a study", study);
        else if (program % 8 == 6) RUN("tensors", tensors);
        else RUN("a network", network);
        return test_finish();
    }
    RUN("what was found", found);
    if (test_begin("networks")) {
        for (program = 0; program < (uint64_t)n; program++)
            if (program % 8 < 6) drawn = 0, network();
        test_note("%d calls, %d errors, %d saved", calls, errors, saved);
        CHECK(saved > n / 10, "%d saved", saved);
        CHECK(errors > calls / 100 && errors < calls / 10 * 6, "%d errors of %d calls", errors,
              calls);
        test_end();
    }
    if (test_begin("studies")) {
        calls = errors = 0;
        for (program = 7; program < (uint64_t)n; program += 8) drawn = 0, study();
        test_note("%d calls, %d errors", calls, errors);
        test_end();
    }
    if (test_begin("tensors")) {
        calls = errors = 0;
        for (program = 6; program < (uint64_t)n; program += 8) drawn = 0, tensors();
        test_note("%d calls, %d errors", calls, errors);
        test_end();
    }
    return test_finish();
}
