/* test_schedules.c - learning rates and momenta of whole runs against PyTorch and published
   formulas (tests/vectors/schedules.txt), attached to networks; reduction on plateaus, early
   stopping, the learning-rate finder; bad options */
#include "test.h"
#include "vectors.h"

static const double none = HUGE_VAL - HUGE_VAL;

/* ---- curves ----------------------------------------------------------------------------------*/

static double one_eighth(void *user, long long t) { return 1/(1.25 + (double)t/ *(double *)user); }

#define PARTS 8
static tnn_schedule part_room[PARTS];
static int          milestone_room[4*PARTS], parts_used, milestones_used;
static double       eight = 8;

static double value_of(vectors *c, const char *prefix, const char *key)
{
    char name[64];
    array *a;
    snprintf(name, sizeof name, "%s%s", prefix, key);
    a = find(c, name);
    return !a ? 0 : a->v[0] == 0 ? TNN_ZERO : a->v[0];
}
static tnn_schedule schedule_of(vectors *c, const char *prefix)
{
    static const tnn_anneal anneals[] = {TNN_ANNEAL_COSINE, TNN_ANNEAL_LINEAR, TNN_ANNEAL_SQRT};
    tnn_schedule s;
    char name[64];
    array *a;
    int i;
    memset(&s, 0, sizeof s);
    s.type = (tnn_schedule_type)(TNN_CONSTANT - 1 + (int)value_of(c, prefix, "type"));
#define REAL(key) s.key = value_of(c, prefix, #key)
    REAL(lr); REAL(gamma); REAL(end_lr); REAL(end_factor); REAL(min_lr); REAL(warmup_factor);
    REAL(start_factor); REAL(power); REAL(cycle_gamma); REAL(pct_start); REAL(div_factor);
    REAL(final_div_factor); REAL(base_momentum); REAL(max_momentum);
#undef REAL
#define COUNT(key) s.key = (int)value_of(c, prefix, #key)
    COUNT(steps); COUNT(warmup); COUNT(staircase); COUNT(steps_down); COUNT(mult);
    COUNT(three_phase); COUNT(keep_momentum); COUNT(count);
#undef COUNT
    s.anneal = anneals[(int)value_of(c, prefix, "anneal")];
    snprintf(name, sizeof name, "%smilestones", prefix);
    if ((a = find(c, name)) != NULL) {
        s.milestones = milestone_room + milestones_used;
        for (i = 0; i < a->n; i++) milestone_room[milestones_used++] = (int)a->v[i];
    }
    if (s.type == TNN_SEQUENTIAL || s.type == TNN_CHAINED) {
        tnn_schedule *parts = part_room + parts_used;
        parts_used += s.count;
        s.parts = parts;
        for (i = 0; i < s.count; i++) {
            snprintf(name, sizeof name, "%s%d.", prefix, i);
            parts[i] = schedule_of(c, name);
        }
    }
    if (s.type == TNN_LAMBDA || s.type == TNN_MULTIPLICATIVE) {
        s.function = one_eighth;
        s.user = &eight;
    }
    return s;
}
static int curves;                      /* compared so far */
static int same_number(double a, double b, double limit)
{
    return a != a ? b != b : fabs(a - b) <= limit*fabs(b) + 1e-16;
}
static void curve(vectors *c)
{
    tnn_schedule s;
    array *lr = find(c, "curve"), *momentum = find(c, "momentum");
    int t;
    if (!lr) return;
    parts_used = milestones_used = 0;
    s = schedule_of(c, "");
    CHECK(lr->n >= 20 || s.type == TNN_ONE_CYCLE, "%s: only %d steps", c->name, lr->n);
    for (t = lr->n - 1; t >= 0; t--) {                  /* backwards: it has no memory */
        const double got = tnn_schedule_lr(&s, t);
        CHECK(same_number(got, lr->v[t], 1e-9), "%s: lr at step %d is %.12g, not %.12g (%s)",
              c->name, t, got, lr->v[t], tnn_error());
        if (momentum) {
            const double m = tnn_schedule_momentum(&s, t);
            CHECK(same_number(m, momentum->v[t], 1e-9), "%s: momentum at step %d is %.12g, not "
                  "%.12g", c->name, t, m, momentum->v[t]);
        } else CHECK(tnn_schedule_momentum(&s, t) != tnn_schedule_momentum(&s, t),
                     "%s has a momentum", c->name);
    }
    curves++;
}
static void all_curves(void)
{
    int seen[TNN_MULTIPLICATIVE - TNN_CONSTANT + 2], i;
    memset(seen, 0, sizeof seen);
    curves = 0;
    load("schedules.txt");
    for (i = 0; i < case_count; i++) {
        curve(&cases[i]);
        if (find(&cases[i], "type")) seen[integer(&cases[i], "type", 0)]++;
    }
    for (i = TNN_CONSTANT; i <= TNN_MULTIPLICATIVE; i++)
        CHECK(seen[i - TNN_CONSTANT + 1], "no curve of type %d", i);
    test_note("%d curves", curves);
}

static void ends(void)                  /* where nothing of PyTorch's exists, or far away */
{
    tnn_schedule s;
    memset(&s, 0, sizeof s);
    s.type = TNN_CONSTANT;
    CHECK(tnn_schedule_lr(&s, 0) == 1e-3 && tnn_schedule_lr(&s, 1000000) == 1e-3, "plain constant");
    s.type = TNN_ONE_CYCLE;
    s.lr = 0.1;
    s.steps = 10;
    CHECK_NEAR("one cycle, after the end", tnn_schedule_lr(&s, 1000), 0.1/25/1e4, 1e-12);
    CHECK_NEAR("and momentum", tnn_schedule_momentum(&s, 1000), 0.95, 1e-12);
    s.steps = 1;
    CHECK_NEAR("one cycle of a step", tnn_schedule_lr(&s, 0), 0.1/25/1e4, 1e-12);
    s.pct_start = 0.1;
    s.steps = 10;                       /* PyTorch divides by zero */
    CHECK_NEAR("one cycle, up in no step", tnn_schedule_lr(&s, 0), 0.1, 1e-12);
    s.pct_start = 0;
    s.type = TNN_COSINE_RESTARTS;
    s.mult = 2;
    CHECK(tnn_schedule_lr(&s, (1ll << 53) - 7) <= 0.1, "restarts, far away");
    s.mult = 2147483647;
    s.steps = 1ll << 40;                /* the second cycle has 2^71 steps */
    CHECK_NEAR("restarts, a long cycle", tnn_schedule_lr(&s, 1ll << 41), 0.1, 1e-12);
    s.mult = 0;
    s.type = TNN_EXPONENTIAL;
    s.gamma = TNN_ZERO;
    s.steps = 0;
    CHECK(tnn_schedule_lr(&s, 0) == 0.1 && tnn_schedule_lr(&s, 1) == 0, "gamma 0");
    s.gamma = 0.99999;
    CHECK_NEAR("gamma^1000000", tnn_schedule_lr(&s, 1000000), 0.1*exp(1e6*log(0.99999)), 1e-9);
    CHECK(!tnn_failed(), "%s", tnn_error());
}

/* ---- bad options -----------------------------------------------------------------------------*/

static void refused(int line, tnn_schedule s, const char *words)
{
    const double lr = tnn_schedule_lr(&s, 3);
    if (!(lr != lr) || !tnn_failed() || !strstr(tnn_error(), words))
        test_fail(line, "not refused, or not for \"%s\": %g, \"%s\"", words, lr, tnn_error());
    else test.checks++;
    tnn_clear_error();
}
static void bad_options(void)
{
    static const int falling[] = { 5, 3 }, negative[] = { -1, 3 }, good[] = { 3, 5 };
    tnn_schedule parts[2], loop;
    memset(parts, 0, sizeof parts);
    memset(&loop, 0, sizeof loop);
#define REFUSED(words, ...) refused(__LINE__, (tnn_schedule){__VA_ARGS__}, words)
    REFUSED("0 is not a schedule", .lr = 1);
    REFUSED("99 is not a schedule", .type = (tnn_schedule_type)99);
    REFUSED("-1 is not a schedule", .type = (tnn_schedule_type)-1);
    REFUSED("cosine: .steps = 0 must be given, 1 to", .type = TNN_COSINE);
    REFUSED("step: .steps = 0", .type = TNN_STEP);
    REFUSED("one cycle: .steps = 0", .type = TNN_ONE_CYCLE);
    REFUSED("cyclic: .steps = 0", .type = TNN_CYCLIC, .end_lr = 1);
    REFUSED("restarts: .steps = -4", .type = TNN_COSINE_RESTARTS, .steps = -4);
    REFUSED("cyclic: .steps_down = -1", .type = TNN_CYCLIC, .steps = 3, .end_lr = 1,
            .steps_down = -1);
    REFUSED("cyclic: .end_lr = 0 must be given", .type = TNN_CYCLIC, .lr = 0.1, .steps = 3);
    REFUSED("anneal: .end_lr = 0 must be given", .type = TNN_ANNEAL, .lr = 0.1);
    REFUSED("wsd: .steps_down = 0", .type = TNN_WSD, .steps = 4);
    REFUSED("exponential: .gamma = 0 must be given", .type = TNN_EXPONENTIAL, .lr = 0.1);
    REFUSED(".gamma = nan", .type = TNN_EXPONENTIAL, .gamma = none);
    REFUSED(".gamma = -0.5", .type = TNN_STEP, .steps = 2, .gamma = -0.5);
    REFUSED(".lr = nan", .type = TNN_CONSTANT, .lr = none);
    REFUSED(".lr = inf", .type = TNN_CONSTANT, .lr = HUGE_VAL);
    REFUSED(".lr = -1", .type = TNN_CONSTANT, .lr = -1);
    REFUSED(".end_lr = -1", .type = TNN_COSINE, .steps = 5, .end_lr = -1);
    REFUSED(".end_factor = -2", .type = TNN_COSINE, .steps = 5, .end_factor = -2);
    REFUSED(".end_factor = nan", .type = TNN_COSINE, .steps = 5, .end_factor = none);
    REFUSED(".min_lr = nan", .type = TNN_COSINE, .steps = 5, .min_lr = none);
    REFUSED(".warmup = -1", .type = TNN_COSINE, .steps = 5, .warmup = -1);
    REFUSED(".warmup_factor = -1", .type = TNN_COSINE, .steps = 5, .warmup = 1,
            .warmup_factor = -1);
    REFUSED(".start_factor = nan", .type = TNN_LINEAR, .steps = 5, .start_factor = none);
    REFUSED(".power = -1", .type = TNN_POLYNOMIAL, .steps = 5, .power = -1);
    REFUSED(".mult = -2", .type = TNN_COSINE_RESTARTS, .steps = 5, .mult = -2);
    REFUSED(".cycle_gamma = nan", .type = TNN_COSINE_RESTARTS, .steps = 5, .cycle_gamma = none);
    REFUSED(".pct_start = 1.5", .type = TNN_ONE_CYCLE, .steps = 5, .pct_start = 1.5);
    REFUSED(".div_factor", .type = TNN_ONE_CYCLE, .steps = 5, .div_factor = TNN_ZERO);
    REFUSED(".base_momentum = 2", .type = TNN_ONE_CYCLE, .steps = 5, .base_momentum = 2);
    REFUSED("7 is not an annealing", .type = TNN_ANNEAL, .end_lr = 1, .anneal = (tnn_anneal)7);
    REFUSED("lambda: .function", .type = TNN_LAMBDA);
    REFUSED("multistep: .count = 0", .type = TNN_MULTISTEP, .milestones = good);
    REFUSED("2 .milestones must be given", .type = TNN_MULTISTEP, .count = 2);
    REFUSED(".milestones[1] = 3 must not be less than 5", .type = TNN_MULTISTEP,
            .milestones = falling,
            .count = 2);
    REFUSED(".milestones[0] = -1", .type = TNN_MULTISTEP, .milestones = negative, .count = 2);
    REFUSED("sequential: 2 .parts must be given", .type = TNN_SEQUENTIAL, .milestones = good,
            .count = 2);
    REFUSED("sequential: 1 .milestones", .type = TNN_SEQUENTIAL, .parts = parts, .count = 2);
    REFUSED("chained: 2 .parts must be given", .type = TNN_CHAINED, .count = 2);
    REFUSED("chained: .count = -1", .type = TNN_CHAINED, .parts = parts, .count = -1);
    REFUSED("0 is not a schedule", .type = TNN_CHAINED, .parts = parts, .count = 2);
    parts[0].type = TNN_CONSTANT;
    parts[1].type = TNN_STEP;
    REFUSED("step: .steps = 0", .type = TNN_CHAINED, .parts = parts, .count = 2);
    parts[1].steps = 3;
    parts[1].lr = 0.1;
    REFUSED("part 1 has .lr = 0.1", .type = TNN_CHAINED, .parts = parts, .count = 2);
    loop.type = TNN_SEQUENTIAL;
    loop.parts = &loop;
    loop.count = 1;
    refused(__LINE__, loop, "8 deep");
    loop.type = TNN_CONSTANT;
    CHECK(tnn_schedule_lr(&loop, -1) != 1e-3 && strstr(tnn_error(), "step -1"), "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_schedule_momentum(NULL, 0) != 0 && strstr(tnn_error(), "none was given"), "%s",
          tnn_error());
    tnn_clear_error();
}

/* ---- attached to a network -------------------------------------------------------------------*/

#define N 12
static tnn_net *small_net(tnn_optimizer_type type, double momentum)
{
    tnn_optimizer o = {.type = type, .lr = 0.05};
    tnn_net *net = tnn_create(.input = { 6 }, .batch = N, .seed = 3);
    tnn_add(net, TNN_DENSE, .units = 7);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DROPOUT);
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    if (type == TNN_SGD) o.momentum = momentum;
    tnn_set_optimizer_with(net, &o);
    return net;
}
static float x[6*3*N];
static int   labels[3*N];
static tnn_data small_data(void)
{
    int i;
    test_fill(x, 6*3*N, 1);
    for (i = 0; i < 3*N; i++) labels[i] = (int)(test_hash(2, (uint32_t)i)%3);
    return tnn_data_view(NULL, x, labels, 3*N, 6, 1, 1);
}

/* A schedule trains as lr and momentum set by hand before each step do, to the last bit. */
static void attached_as(tnn_schedule s, tnn_optimizer_type type, double momentum, int per_epoch)
{
    tnn_net *a = small_net(type, momentum), *b = small_net(type, momentum),
            *c = small_net(type, momentum);
    const tnn_data data = small_data();
    tnn_loader *loader = tnn_loader_create(&data, .batch = N);
    const long long from = type == TNN_ADAM ? 2 : 0;    /* attached in the middle of training */
    size_t n = 0;
    int i, k, t = 0;
    s.per_epoch = per_epoch;
    if (!from) CHECK(tnn_set_schedule_with(a, &s) == TNN_OK, "%s", tnn_error());
    if (s.lr <= 0 && s.lr >= 0) s.lr = 0.05;            /* the optimizer's */
    for (i = 0; i < 4; i++)                             /* epochs of three steps */
        for (k = 0; k < 3; k++, t++) {
            const long long at = per_epoch ? i - (from ? 1 : 0) : t - from;
            const int on = per_epoch ? i >= (from ? 1 : 0) : t >= from;
            double m;
            if (from && (per_epoch ? i == 1 && k == 0 : t == from)) tnn_set_schedule_with(a, &s);
            tnn_train_batch(a, x + 6*N*k, labels + N*k, N);
            if (on) {
                m = tnn_schedule_momentum(&s, at);
                tnn_set_lr(b, tnn_schedule_lr(&s, at));
                if (m >= 0) tnn_set_momentum(b, m);
                CHECK(tnn_lr(a) == tnn_schedule_lr(&s, at), "lr of step %d: %g", t, tnn_lr(a));
            }
            tnn_train_batch(b, x + 6*N*k, labels + N*k, N);
            tnn_train_batch(c, x + 6*N*k, labels + N*k, N);
            CHECK(tnn_hash(a) == tnn_hash(b), "differs after step %d (%s)", t, tnn_error());
            if (k == 2) tnn_end_epoch(a);
        }
    CHECK(tnn_hash(a) != tnn_hash(c), "the schedule does nothing");
    { const float *w = tnn_flat(a, 0, &n); CHECK_REPEATS("parameters", w, n); }
    tnn_free(a);
    tnn_free(b);
    /* tnn_train_epoch calls tnn_end_epoch */
    a = small_net(type, momentum);
    tnn_set_schedule_with(a, &s);
    for (i = 0; i < 3; i++) {
        tnn_train_epoch(a, loader);
        CHECK(tnn_lr(a) == tnn_schedule_lr(&s, per_epoch ? i : 3*i + 2), "lr of epoch %d: %g", i,
              tnn_lr(a));
    }
    CHECK(!tnn_failed(), "%s", tnn_error());
    tnn_loader_free(loader);
    tnn_free(a);
    tnn_free(c);
}
static void attached(void)
{
    tnn_schedule s, parts[2];
    int per_epoch;
    memset(parts, 0, sizeof parts);
    parts[0].type = TNN_EXPONENTIAL;
    parts[0].gamma = 0.8;
    parts[1].type = TNN_STEP;
    parts[1].steps = 3;
    for (per_epoch = 0; per_epoch < 2; per_epoch++) {
        memset(&s, 0, sizeof s);
        s.type = TNN_COSINE;
        s.steps = 10;
        s.warmup = 2;
        s.warmup_factor = 0.1;
        attached_as(s, TNN_SGD, 0, per_epoch);          /* lr: the optimizer's */
        s.lr = 0.2;
        attached_as(s, TNN_ADAM, 0, per_epoch);
        s.type = TNN_ONE_CYCLE;
        attached_as(s, TNN_SGD, 0.9, per_epoch);        /* with momentum, or beta1 */
        attached_as(s, TNN_SGD, 0, per_epoch);          /* as in PyTorch: it gets momentum */
        attached_as(s, TNN_ADAMW, 0, per_epoch);
        memset(&s, 0, sizeof s);
        s.type = TNN_CHAINED;
        s.lr = 0.2;
        s.warmup = 2;
        s.warmup_factor = 0.1;
        s.parts = parts;
        s.count = 2;
        attached_as(s, TNN_ADAM, 0, per_epoch);
    }
}
static double failing(void *user, long long t)
{
    (void)user, (void)t;
    tnn_set_lr(NULL, 1);
    return 1;
}
static double not_finite(void *user, long long t) { return t < *(int *)user ? 1 : none; }
static void attached_badly(void)
{
    tnn_net *net = small_net(TNN_SGD, 0);
    tnn_schedule s, parts[2];
    uint64_t before;
    int two = 2, i;
    small_data();
    memset(&s, 0, sizeof s);
    memset(parts, 0, sizeof parts);
    parts[0].type = TNN_CONSTANT;
    parts[1].type = TNN_ONE_CYCLE, parts[1].steps = 10;
    CHECK(tnn_set_schedule(net, TNN_COSINE) == TNN_ERROR_ARGUMENT
          && strstr(tnn_error(), "test_schedules.c:"), "%s", tnn_error());
    tnn_clear_error();
    tnn_train_batch(net, x, labels, N);
    CHECK(tnn_lr(net) == 0.05, "a refused schedule changed lr to %g", tnn_lr(net));
    CHECK(tnn_set_schedule(net, TNN_ONE_CYCLE, .lr = 0.1, .steps = 10) == TNN_ERROR_ARGUMENT
          && strstr(tnn_error(), "without momentum"), "%s", tnn_error());
    tnn_clear_error();
    tnn_train_batch(net, x, labels, N);
    CHECK(tnn_lr(net) == 0.05, "a schedule without room for momentum changed lr to %g",
          tnn_lr(net));
    CHECK(!tnn_set_schedule(net, TNN_SEQUENTIAL, .lr = 0.1, .parts = parts, .milestones = &two,
                            .count = 2), "%s", tnn_error());
    for (i = 0; i < 3; i++) tnn_train_batch(net, x, labels, N);
    CHECK(strstr(tnn_error(), "without momentum"), "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_lr(net) == 0.1, "a step that was refused changed lr to %g", tnn_lr(net));
    CHECK(!tnn_set_schedule(net, TNN_ONE_CYCLE, .lr = 0.1, .steps = 10, .keep_momentum = 1),
          "%s", tnn_error());
    CHECK(!tnn_set_schedule(net, TNN_LAMBDA, .lr = 0.1, .function = not_finite, .user = &two), "%s",
          tnn_error());
    for (i = 0; i < 2; i++) tnn_train_batch(net, x, labels, N);
    CHECK(!tnn_failed(), "%s", tnn_error());
    before = tnn_hash(net);
    tnn_train_batch(net, x, labels, N);
    CHECK(tnn_failed() == TNN_ERROR_ARGUMENT && strstr(tnn_error(), "lr = nan"), "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_hash(net) == before, "lr = NaN was used");
    CHECK(!tnn_set_schedule_with(net, NULL) && tnn_lr(net) == 0.1, "taken off: %g", tnn_lr(net));
    tnn_train_batch(net, x, labels, N);
    CHECK(tnn_lr(net) == 0.1 && tnn_hash(net) != before, "after that: %g", tnn_lr(net));
    tnn_free(net);
    net = tnn_create(.input = { 6 });
    CHECK(tnn_set_schedule(net, TNN_CONSTANT) && strstr(tnn_error(), "no optimizer"), "%s",
          tnn_error());
    tnn_clear_error();
    CHECK(tnn_end_epoch(NULL) && tnn_failed(), "no network");
    tnn_clear_error();
    s.type = TNN_LAMBDA;
    s.function = failing;
    CHECK(isnan(tnn_schedule_lr(&s, 1)) && tnn_failed(), "a function that fails");
    tnn_clear_error();
    CHECK(tnn_set_momentum(net, 1) && strstr(tnn_error(), "[0, 1)"), "%s", tnn_error());
    tnn_clear_error();
    tnn_free(net);
}

/* ---- plateaus and early stopping -------------------------------------------------------------*/

static array *metrics_of(const vectors *c)      /* NAME of plateau-NAME-2, stop-NAME-2-keras */
{
    const char *name = strchr(c->name, '-') + 1;
    char text[60];
    int i;
    snprintf(text, sizeof text, "metrics-%.*s", (int)strcspn(name, "-"), name);
    for (i = 0; i < case_count; i++)
        if (!strcmp(cases[i].name, text)) return get(&cases[i], "metrics");
    printf("FAIL  no %s\n", text);
    exit(1);
}
static double zero_is_meant(double v) { return v == 0 ? TNN_ZERO : v != v ? 0 : v; }

static void plateaus(void)
{
    int i, t, keras, reductions = 0, cases_seen = 0;
    load("schedules.txt");
    for (i = 0; i < case_count; i++) {
        vectors *c = &cases[i];
        if (strncmp(c->name, "plateau-", 8)) continue;
        for (keras = 0; keras < 2; keras++) {
            const array *m = metrics_of(c), *want = get(c, keras ? "keras" : "torch");
            const double *o = get(c, "options")->v;
            tnn_plateau p;
            double lr = 0.1;
            memset(&p, 0, sizeof p);
            p.max = (int)o[0];
            p.factor = o[1];
            p.patience = o[2] < 1 ? -1 : (int)o[2];
            p.threshold = zero_is_meant(o[3]);
            p.absolute = !keras && (int)o[4];
            p.cooldown = (int)o[5];
            p.min_lr = o[6];
            p.eps = keras ? 0 : o[7];
            p.keras = keras;
            for (t = 0; t < m->n; t++) {
                const double before = lr;
                const int reduced = tnn_plateau_update(&p, m->v[t], &lr);
                CHECK(fabs(lr - want->v[t]) <= 1e-9*want->v[t], "%s, keras %d: lr after metric %d "
                      "is %g, not %g", c->name, keras, t, lr, want->v[t]);
                CHECK(reduced == (lr < before), "%s: says %d", c->name, reduced);
                reductions += reduced;
            }
            cases_seen++;
        }
    }
    CHECK(cases_seen > 50 && reductions > 50, "%d cases, %d reductions", cases_seen, reductions);
    CHECK(!tnn_failed(), "%s", tnn_error());
    test_note("%d sequences, %d reductions", cases_seen, reductions);
}
static void stops(void)
{
    int i, t, stopped = 0, cases_seen = 0;
    load("schedules.txt");
    for (i = 0; i < case_count; i++) {
        vectors *c = &cases[i];
        array *m, *want;
        const double *o;
        tnn_early_stopping s;
        if (strncmp(c->name, "stop-", 5)) continue;
        m = metrics_of(c);
        want = get(c, "stops");
        o = get(c, "options")->v;
        memset(&s, 0, sizeof s);
        s.max = (int)o[0];
        s.min_delta = o[1];
        s.patience = o[2] < 1 ? -1 : (int)o[2];
        s.keras = (int)o[6];
        if (s.keras) {
            s.baseline = zero_is_meant(o[4]);
            s.start_from = (int)o[5];
        } else {
            s.any_value = (int)o[3];
            s.stop_at = zero_is_meant(o[4]);
            s.diverged_at = zero_is_meant(o[5]);
        }
        for (t = 0; t < m->n; t++) {
            const int stop = tnn_early_stop(&s, NULL, m->v[t]);
            CHECK(stop == (int)want->v[t], "%s: %d after metric %d (%s)", c->name, stop, t,
                  tnn_error());
            stopped += stop;
        }
        cases_seen++;
    }
    CHECK(cases_seen > 50 && stopped > 50, "%d cases, %d stops", cases_seen, stopped);
    test_note("%d sequences, %d stops", cases_seen, stopped);
}
static void stopping_defaults(void)
{
    tnn_early_stopping s;
    tnn_plateau p;
    double lr = 1;
    int i, at = 0;
    memset(&s, 0, sizeof s);
    for (i = 1; !at && i < 20; i++) if (tnn_early_stop(&s, NULL, 1)) at = i;
    CHECK(at == 4, "Lightning's patience of 3: stops at call %d", at);
    tnn_early_stopping_end(&s, NULL);
    CHECK(!s.calls && !s.bad && !s.best_call, "the state is not zero again");
    s.keras = 1;
    for (at = 0, i = 1; !at && i < 20; i++) if (tnn_early_stop(&s, NULL, 1)) at = i;
    CHECK(at == 2, "Keras' patience of 0: stops at call %d", at);
    memset(&p, 0, sizeof p);
    for (at = 0, i = 1; !at && i < 20; i++) if (tnn_plateau_update(&p, 1, &lr)) at = i;
    CHECK(at == 12 && lr == 0.1, "plateau's patience of 10: call %d, lr %g", at, lr);
    /* nothing to reduce: torch counts from 0 and cools down, Keras goes on */
    for (i = 0; i < 2; i++) {
        memset(&p, 0, sizeof p);
        p.keras = i;
        p.patience = 2;
        p.cooldown = 5;
        p.min_lr = lr;
        for (at = 0; at < 4; at++) CHECK(!tnn_plateau_update(&p, 1, &lr), "below .min_lr");
        CHECK(i ? p.bad == 3 && p.cooling == 0 : p.bad == 0 && p.cooling == 5,
              "keras %d: bad %d, cooling %d", i, p.bad, p.cooling);
    }
#define STOP_REFUSED(words, ...) do { \
        tnn_early_stopping bad = __VA_ARGS__; \
        CHECK(tnn_early_stop(&bad, NULL, 1) == 1 && strstr(tnn_error(), words), "%s", \
              tnn_error()); \
        CHECK(!bad.calls && !bad.copy, "the refused one was counted"); \
        tnn_clear_error(); } while (0)
    STOP_REFUSED(".patience = -2", { .patience = -2 });
    STOP_REFUSED(".min_delta = nan", { .min_delta = none });
    STOP_REFUSED(".min_delta = -1", { .min_delta = -1 });
    STOP_REFUSED("no network", { .restore_best = 1 });
    STOP_REFUSED(".baseline does nothing without .keras", { .baseline = 1 });
    STOP_REFUSED(".start_from does nothing without .keras", { .start_from = 1 });
    STOP_REFUSED(" does nothing with .keras", { .keras = 1, .stop_at = 1 });
    STOP_REFUSED(" does nothing with .keras", { .keras = 1, .any_value = 1 });
    STOP_REFUSED(" does nothing with .keras", { .keras = 1, .diverged_at = TNN_ZERO });
#define PLATEAU_REFUSED(words, ...) do { \
        tnn_plateau bad = __VA_ARGS__; \
        CHECK(!tnn_plateau_update(&bad, 1, &lr) && strstr(tnn_error(), words), "%s", tnn_error()); \
        CHECK(!bad.updates, "the refused one was counted"); \
        tnn_clear_error(); } while (0)
    PLATEAU_REFUSED(".factor = 1", { .factor = 1 });
    PLATEAU_REFUSED(".factor = nan", { .factor = none });
    PLATEAU_REFUSED(".patience = -2", { .patience = -2 });
    PLATEAU_REFUSED(".cooldown = -1", { .cooldown = -1 });
    PLATEAU_REFUSED(".threshold = -1", { .threshold = -1 });
    PLATEAU_REFUSED(".min_lr = nan", { .min_lr = none });
    PLATEAU_REFUSED(".eps = -1", { .eps = -1 });
    CHECK(!tnn_plateau_update(NULL, 1, &lr) && tnn_failed(), "no plateau");
    tnn_clear_error();
    CHECK(tnn_early_stop(NULL, NULL, 1) && tnn_failed(), "no early stopping");
    tnn_clear_error();
    CHECK(tnn_early_stopping_end(NULL, NULL) && tnn_failed(), "no early stopping");
    tnn_clear_error();
}
static void restore_best(void)
{
    static const double metric[] = { 0.5, 0.3, 0.4, 0.2, 0.25, 0.3, 0.21 };
    tnn_net *net = small_net(TNN_ADAM, 0);
    tnn_early_stopping s;
    uint64_t hash[8], last;
    int i = 0, stop = 0, round;
    small_data();
    memset(&s, 0, sizeof s);
    s.restore_best = 1;
    for (round = 0; round < 2; round++) {
        for (i = stop = 0; i < 7 && !stop; i++) {
            tnn_train_batch(net, x, labels, N);
            hash[i] = tnn_hash(net);
            stop = tnn_early_stop(&s, net, metric[i]);
        }
        CHECK(stop && i == 7 && s.best_call == 4 && s.best == 0.2, "stops after %d, best %d", i,
              s.best_call);
        CHECK(tnn_hash(net) == hash[6] && hash[6] != hash[3], "restored too early");
        CHECK(tnn_early_stopping_end(&s, net) == TNN_OK, "%s", tnn_error());
        CHECK(tnn_hash(net) == hash[3], "not the parameters of the best epoch");
        CHECK(!s.copy, "the copy was not freed");
    }
    /* nothing better than the first, NaN; and freed without being put back */
    tnn_early_stop(&s, net, none);
    last = tnn_hash(net);
    tnn_train_batch(net, x, labels, N);
    CHECK(tnn_hash(net) != last, "nothing was trained");
    tnn_early_stop(&s, net, none);
    tnn_early_stopping_end(&s, net);
    CHECK(tnn_hash(net) == last, "the first parameters are the best while nothing is better");
    tnn_early_stop(&s, net, 1);
    tnn_train_batch(net, x, labels, N);
    last = tnn_hash(net);
    tnn_early_stopping_end(&s, NULL);
    CHECK(tnn_hash(net) == last && !s.copy, "put back all the same");
    /* after an error, too: it may be that the weights were lost */
    tnn_early_stop(&s, net, 1);
    tnn_train_batch(net, x, labels, N);
    tnn_train_batch(net, NULL, labels, N);
    CHECK(tnn_early_stop(&s, net, 0) && tnn_early_stopping_end(&s, net) && !s.copy, "no error");
    tnn_clear_error();
    CHECK(tnn_hash(net) == last, "after an error the best parameters were lost");
    CHECK(!tnn_failed(), "%s", tnn_error());
    tnn_free(net);
}

/* ---- the finder ------------------------------------------------------------------------------*/

enum { STEPS = 40 };
static int steepest_from(const tnn_lr_finder *f, int i)
{
    int best = i;
    for (; i + 1 < f->count; i++)
        if (f->loss[i + 1] - f->loss[i - 1] < f->loss[best + 1] - f->loss[best - 1]) best = i;
    return best;
}
/* Gradients that were accumulated before do not count in the curve. */
static void finder_accumulates(void)
{
    const tnn_data data = small_data();
    double lr[2][STEPS], loss[2][STEPS];
    int k;
    for (k = 0; k < 2; k++) {
        tnn_loader *loader = tnn_loader_create(&data, .batch = N);
        tnn_lr_finder f = {.steps = STEPS, .lr = lr[k], .loss = loss[k]};
        tnn_net *net = tnn_create(.input = { 6 }, .batch = N);
        tnn_add(net, TNN_DENSE, .units = 3);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net, TNN_SGD, .accumulate = 2);
        if (k) tnn_train_batch(net, x + 6*N, labels, N);
        tnn_lr_find(net, loader, &f);
        CHECK(f.count > STEPS/2 && !tnn_failed(), "%d steps: %s", f.count, tnn_error());
        tnn_loader_free(loader);
        tnn_free(net);
    }
    CHECK_SAME("losses", loss[1], loss[0], sizeof loss[0]/2);
}

static void finder(void)
{
    tnn_net *net = small_net(TNN_SGD, 0.9), *twin = small_net(TNN_SGD, 0.9);
    const tnn_data data = small_data();
    tnn_loader *loader = tnn_loader_create(&data, .batch = N), *again;
    double lr[STEPS], loss[STEPS], got, average = 0, weight = 1, least = HUGE_VAL;
    float *kept[4];
    tnn_lr_finder f;
    size_t n = 0;
    int i, at = 0;
    memset(&f, 0, sizeof f);
    f.lr = lr;
    f.loss = loss;
    f.steps = STEPS;
    f.min_lr = 1e-4;
    f.max_lr = 100;
    f.beta = 0.5;
    tnn_set_schedule(net, TNN_COSINE, .lr = 0.1, .steps = 50);
    tnn_set_schedule(twin, TNN_COSINE, .lr = 0.1, .steps = 50);
    for (i = 0; i < 3; i++) {                   /* in the middle of training */
        tnn_train_batch(net, x, labels, N);
        tnn_train_batch(twin, x, labels, N);
    }
    for (i = 0; i < 3; i++) {
        const float *v = tnn_flat(net, i, &n);
        kept[i] = test_floats(n);
        memcpy(kept[i], v, n*sizeof *v);
    }
    got = tnn_lr_find(net, loader, &f);
    CHECK(got > 1e-4 && got < 100, "suggests %g (%s)", got, tnn_error());
    for (i = 0; i < 3; i++) {
        CHECK_SAME("parameters, gradients, moments", tnn_flat(net, i, NULL), kept[i],
                   n*sizeof(float));
        test_release(kept[i]);
    }
    CHECK(tnn_lr(net) == tnn_lr(twin), "lr is %g", tnn_lr(net));
    /* the network goes on as if nothing had been: dropout, schedule and momentum, too */
    for (i = 0; i < 4; i++) {
        tnn_train_batch(net, x, labels, N);
        tnn_train_batch(twin, x, labels, N);
        CHECK(tnn_hash(net) == tnn_hash(twin) && tnn_lr(net) == tnn_lr(twin), "step %d differs", i);
    }
    tnn_free(net);
    tnn_free(twin);
    /* the curve, by hand, from the same start */
    net = small_net(TNN_SGD, 0.9);
    for (i = 0; i < 3; i++) {
        tnn_set_lr(net, 0.05*(1 + cos(3.14159265358979*i/50)));
        tnn_train_batch(net, x, labels, N);
    }
    again = tnn_loader_create(&data, .batch = N);
    for (i = 0; i < STEPS; i++) {
        double l;
        if (!tnn_next(again)) tnn_next(again);
        tnn_set_lr(net, 1e-4*pow(1e6, i/(STEPS - 1.0)));
        l = tnn_train_batch(net, again->x, again->labels, again->n);
        average = 0.5*average + 0.5*l;
        weight *= 0.5;
        if (i >= f.count || tnn_failed()) break;
        CHECK_NEAR("lr", lr[i], 1e-4*pow(1e6, i/(STEPS - 1.0)), 1e-12);
        CHECK_NEAR("smoothed loss", loss[i], average/(1 - weight), 1e-4);
        if (i + 1 < f.count)
            CHECK(loss[i] <= 4*least, "went on after %g at step %d", loss[i], i);
        least = loss[i] < least ? loss[i] : least;
    }
    CHECK(f.count < STEPS && f.count > 10 && (loss[f.count - 1] > 4*least*0.999 || tnn_failed()),
          "ended after %d steps, %g", f.count, loss[f.count - 1]);
    tnn_clear_error();
    at = steepest_from(&f, STEPS/10);
    CHECK(got == lr[at] && loss[at + 1] < loss[at - 1], "suggests %g, steepest at %g", got, lr[at]);
    test_note("suggests %.3g of %d steps", got, f.count);
    /* linear, and without divergence */
    tnn_free(net);
    net = small_net(TNN_SGD, 0.9);
    f.linear = 1;
    f.max_lr = 1e-2;
    got = tnn_lr_find(net, loader, &f);
    CHECK(f.count == STEPS && got == got, "linear: %d steps, %s", f.count, tnn_error());
    CHECK_NEAR("linear", lr[STEPS/2], 1e-4 + (1e-2 - 1e-4)*(STEPS/2)/(STEPS - 1.0), 1e-12);
    for (i = 0, n = 0; i < 20; i++) {           /* the first tenth does not count */
        tnn_loader *shuffled = tnn_loader_create(&data, .batch = 4, .shuffle = 1,
                                                 .seed = (uint64_t)i);
        got = tnn_lr_find(net, shuffled, &f);
        CHECK(got == lr[steepest_from(&f, STEPS/10)], "suggests %g", got);
        n += got > lr[steepest_from(&f, 1)];
        tnn_loader_free(shuffled);
    }
    CHECK(n > 0, "the steepest was never among the first");
    /* a loss that is not finite is an end, not an error */
    f.linear = 0;
    f.min_lr = 1e-3;
    f.max_lr = 1e30;
    f.diverge = 1e30;
    got = tnn_lr_find(net, loader, &f);
    CHECK(f.count < STEPS && got == got && !tnn_failed(), "to infinity: %d steps, %s", f.count,
          tnn_error());
    /* refused */
#define FIND_REFUSED(words, member, value) do { \
        tnn_lr_finder bad = f; \
        const uint64_t before = tnn_hash(net); \
        bad.member = value; \
        got = tnn_lr_find(net, loader, &bad); \
        CHECK(got != got && strstr(tnn_error(), words), "%s", tnn_error()); \
        tnn_clear_error(); \
        CHECK(tnn_hash(net) == before, "changed the network"); } while (0)
    FIND_REFUSED("no arrays", lr, NULL);
    FIND_REFUSED(".steps = 0 at least 3", steps, 0);
    FIND_REFUSED(".min_lr = nan", min_lr, none);
    FIND_REFUSED(".min_lr = -1", min_lr, -1);
    FIND_REFUSED(".max_lr = 0.0001", max_lr, 1e-4);
    FIND_REFUSED(".steps = 2", steps, 2);
    FIND_REFUSED(".beta = 1", beta, 1);
    FIND_REFUSED(".diverge = 0.5", diverge, 0.5);
    FIND_REFUSED("too few", min_lr, 1e29);
    tnn_loader_free(loader);
    tnn_loader_free(again);
    tnn_free(net);
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    vectors_from(argc, argv);
    RUN("curves against PyTorch and formulas", all_curves);
    RUN("schedules at their ends", ends);
    RUN("schedules refuse bad options", bad_options);
    EACH_ISA("schedules on a network", attached);
    RUN("schedules that a network refuses", attached_badly);
    RUN("reduction on plateaus", plateaus);
    RUN("early stopping", stops);
    RUN("their defaults and bad options", stopping_defaults);
    RUN("the best parameters", restore_best);
    EACH_ISA("learning-rate finder", finder);
    RUN("learning-rate finder, accumulation", finder_accumulates);
    return test_finish();
}
