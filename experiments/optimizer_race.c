/* optimizer_race.c - every optimizer and every schedule of tinynn.h on one small network

   An MLP 784-100-10 with ReLU is trained on Fashion-MNIST for five epochs with batches of 100:

   - by every optimizer at its default options, and at three learning rates of its usual range; the
     figure draws the default and the best of the three. L-BFGS, made for whole data sets, gets
     batches of 1000, ten iterations each, and a line search.
   - by SGD with momentum under every schedule, from a learning rate of 0.1; the figures draw the
     learning rate of every step, and what becomes of the accuracy. Those that end low end best.

   It reproduces no report: it is the evidence that everything that tinynn.h calls an optimizer or a
   schedule trains. Result files are as in the other experiments; schedules.tsv has the learning
   rate of each step under each schedule. */
#include "experiment.h"
#include "fashion_data.h"

typedef struct racer {
    const char        *name;
    tnn_optimizer_type type;
    const char        *lr[3];
    double             momentum;        /* where a rule without is seldom used */
    int                batch;           /* default 100 */
} racer;

static const racer RACERS[] = {
    {"sgd",        TNN_SGD,        {"0.03", "0.1", "0.3"}, 0, 0},
    {"momentum",   TNN_SGD,        {"0.01", "0.03", "0.1"}, 0.9, 0},
    {"asgd",       TNN_ASGD,       {"0.03", "0.1", "0.3"}, 0, 0},
    {"adagrad",    TNN_ADAGRAD,    {"0.003", "0.01", "0.03"}, 0, 0},
    {"adadelta",   TNN_ADADELTA,   {"0.3", "1", "3"}, 0, 0},
    {"rmsprop",    TNN_RMSPROP,    {"0.0003", "0.001", "0.003"}, 0, 0},
    {"rprop",      TNN_RPROP,      {"0.00001", "0.0001", "0.001"}, 0, 0},
    {"adam",       TNN_ADAM,       {"0.0003", "0.001", "0.003"}, 0, 0},
    {"adamw",      TNN_ADAMW,      {"0.0003", "0.001", "0.003"}, 0, 0},
    {"adamax",     TNN_ADAMAX,     {"0.001", "0.003", "0.01"}, 0, 0},
    {"nadam",      TNN_NADAM,      {"0.0003", "0.001", "0.003"}, 0, 0},
    {"radam",      TNN_RADAM,      {"0.0003", "0.001", "0.003"}, 0, 0},
    {"lion",       TNN_LION,       {"0.00003", "0.0001", "0.0003"}, 0, 0},
    {"adabelief",  TNN_ADABELIEF,  {"0.0003", "0.001", "0.003"}, 0, 0},
    {"adan",       TNN_ADAN,       {"0.0003", "0.001", "0.003"}, 0, 0},
    {"ademamix",   TNN_ADEMAMIX,   {"0.0003", "0.001", "0.003"}, 0, 0},
    {"schedule-free-sgd",   TNN_SCHEDULE_FREE_SGD,   {"0.1", "0.3", "1"}, 0, 0},
    {"schedule-free-adamw", TNN_SCHEDULE_FREE_ADAMW, {"0.001", "0.003", "0.01"}, 0, 0},
    {"sophia",     TNN_SOPHIA,     {"0.0001", "0.0003", "0.001"}, 0, 0},
    {"lars",       TNN_LARS,       {"1", "3", "10"}, 0, 0},
    {"lamb",       TNN_LAMB,       {"0.003", "0.01", "0.03"}, 0, 0},
    {"adafactor",  TNN_ADAFACTOR,  {"0.003", "0.01", "0.03"}, 0, 0},
    {"muon",       TNN_MUON,       {"0.003", "0.01", "0.03"}, 0, 0},
    {"lbfgs",      TNN_LBFGS,      {"0.1", "0.3", "1"}, 0, 1000},
};
enum { RACER_COUNT = sizeof RACERS / sizeof RACERS[0], TRIES = 4, BATCH = 100, EPOCHS = 5 };

/* The schedules over T steps; the parts of composed ones have to outlive them. */
static const char *const SCHEDULES[] = {
    "constant", "step", "multistep", "exponential", "inverse-time", "linear", "polynomial",
    "linear-saturated", "cosine", "cosine-restarts", "warmup-cosine", "warmup-stable-decay",
    "one-cycle", "one-cycle-three-phases", "cyclic", "cyclic-triangular2", "cyclic-exp-range",
    "sequential", "chained", "lambda"};
enum { SCHEDULE_COUNT = sizeof SCHEDULES / sizeof SCHEDULES[0],
       RUN_COUNT = RACER_COUNT * TRIES + SCHEDULE_COUNT };

static double square_root(void *user, long long step)       /* 1/sqrt(1 + 20 t/T) */
{
    double x = 1 + 20 * (double)step / *(double *)user, root = x;
    for (int i = 0; i < 40; i++) root = (root + x / root) / 2;
    return 1 / root;
}

static tnn_schedule schedule_of(int which, long long T)
{
    static int          milestones[2], half[1];
    static tnn_schedule parts[2], chain[2];
    static double       steps;
    const double        lr = 0.1;
    milestones[0] = (int)(T / 2), milestones[1] = (int)(T * 3 / 4), half[0] = (int)(T / 2);
    parts[0] = (tnn_schedule){.type = TNN_CONSTANT};
    parts[1] = (tnn_schedule){.type = TNN_COSINE, .steps = T - T / 2};
    chain[0] = (tnn_schedule){.type = TNN_COSINE, .steps = T};
    chain[1] = (tnn_schedule){.type = TNN_STEP, .steps = (T + 2) / 3, .gamma = 0.5};
    steps = (double)T;
    const tnn_schedule all[] = {
        {.type = TNN_CONSTANT, .lr = lr},
        {.type = TNN_STEP, .lr = lr, .steps = (T + 4) / 5, .gamma = 0.5},
        {.type = TNN_MULTISTEP, .lr = lr, .milestones = milestones, .count = 2},
        {.type = TNN_EXPONENTIAL, .lr = lr, .gamma = 0.01, .steps = T},
        {.type = TNN_INVERSE_TIME, .lr = lr, .gamma = 20, .steps = T},
        {.type = TNN_LINEAR, .lr = lr, .steps = T, .start_factor = 1, .end_factor = TNN_ZERO},
        {.type = TNN_POLYNOMIAL, .lr = lr, .steps = T, .power = 2},
        {.type = TNN_POLYNOMIAL, .lr = lr, .steps = T, .min_lr = 0.01},
        {.type = TNN_COSINE, .lr = lr, .steps = T},
        {.type = TNN_COSINE_RESTARTS, .lr = lr, .steps = (T + 6) / 7, .mult = 2},
        {.type = TNN_COSINE, .lr = lr, .steps = T - T / 10, .warmup = T / 10},
        {.type = TNN_WSD, .lr = lr, .steps = (6 * T + 9) / 10, .warmup = T / 10,
         .steps_down = (3 * T + 9) / 10},
        {.type = TNN_ONE_CYCLE, .lr = 2 * lr, .steps = T},
        {.type = TNN_ONE_CYCLE, .lr = 2 * lr, .steps = T, .three_phase = 1},
        {.type = TNN_CYCLIC, .lr = 0.1 * lr, .end_lr = lr, .steps = (T + 5) / 6},
        {.type = TNN_CYCLIC, .lr = 0.1 * lr, .end_lr = lr, .steps = (T + 5) / 6,
         .cycle_gamma = 0.5},
        {.type = TNN_CYCLIC, .lr = 0.1 * lr, .end_lr = lr, .steps = (T + 5) / 6,
         .gamma = 1 - 3 / (double)(T + 3)},
        {.type = TNN_SEQUENTIAL, .lr = lr, .parts = parts, .count = 2, .milestones = half},
        {.type = TNN_CHAINED, .lr = lr, .parts = chain, .count = 2},
        {.type = TNN_LAMBDA, .lr = lr, .function = square_root, .user = &steps},
    };
    return all[which];
}

/* TRIES of each optimizer, the first with its default learning rate; then the schedules. */
typedef struct race_run {
    experiment_run run;
    char           name[48];
    const racer   *racer;               /* or NULL                                */
    const char    *lr;                  /* NULL: the default                      */
    int            schedule;            /* -1: none, else of SGD with momentum    */
} race_run;
static race_run RUNS[RUN_COUNT];

static void list_runs(void)
{
    for (int i = 0; i < RUN_COUNT; i++) {
        race_run *r = &RUNS[i];
        const int attempt = i % TRIES;
        r->schedule = i < RACER_COUNT * TRIES ? -1 : i - RACER_COUNT * TRIES;
        r->racer = r->schedule < 0 ? &RACERS[i / TRIES] : NULL;
        r->lr    = r->racer && attempt ? r->racer->lr[attempt - 1] : NULL;
        if (r->racer) snprintf(r->name, sizeof r->name, "%s%s%s", r->racer->name,
                               r->lr ? "-lr" : "", r->lr ? r->lr : "");
        else          snprintf(r->name, sizeof r->name, "schedule-%s", SCHEDULES[r->schedule]);
        r->run.name   = r->name;
        r->run.batch  = r->racer && r->racer->batch ? r->racer->batch : BATCH;
        r->run.epochs = EPOCHS;
    }
}

static long long steps_of(const experiment *e, int batch)
{
    return (long long)(e->quick ? 1 : EPOCHS) * ((e->train.n + batch - 1) / batch);
}

static tnn_net *build(experiment *e, const void *row)
{
    const race_run *r = (const race_run *)row;
    tnn_net *net = tnn_create(.input = {1, 28, 28}, .batch = r->run.batch, .seed = e->seed);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 100);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 10);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_optimizer o = {.type = TNN_SGD, .momentum = 0.9, .lr = 0.1};
    if (r->racer) {
        o = (tnn_optimizer){.type = r->racer->type, .momentum = r->racer->momentum};
        if (r->lr) o.lr = strtod(r->lr, NULL);
        if (o.type == TNN_LBFGS) o.max_iter = o.history = 10, o.strong_wolfe = 1;
    }
    tnn_set_optimizer_with(net, &o);
    if (!r->racer) {
        tnn_schedule s = schedule_of(r->schedule, steps_of(e, r->run.batch));
        tnn_set_schedule_with(net, &s);
    }
    snprintf(e->settings, sizeof e->settings, "MLP 784-100-10, batch %d, shuffled", r->run.batch);
    return net;
}

/* The schedule-free rules train one set of weights, and mean another. */
static void evaluate(void *user, const tnn_fit_state *state, tnn_epoch *epoch)
{
    const experiment *e = (const experiment *)user;
    const racer      *r = ((const race_run *)e->current)->racer;
    if (!r || (r->type != TNN_SCHEDULE_FREE_SGD && r->type != TNN_SCHEDULE_FREE_ADAMW)) return;
    tnn_use_average(state->net, 1);
    const tnn_metrics val = tnn_evaluate(state->net, &e->val);
    tnn_use_average(state->net, 0);
    epoch->validation_loss     = val.loss;
    epoch->validation_accuracy = val.accuracy;
}

/* The learning rate of each step, a column for each schedule. */
static int write_schedules(experiment *e)
{
    const long long steps = steps_of(e, BATCH);
    e->run = "schedules";
    FILE *f = experiment_create(e, "schedules.tsv");
    if (!f) return -1;
    fprintf(f, "# learning rates of %lld steps\nstep", steps);
    for (int i = 0; i < SCHEDULE_COUNT; i++) fprintf(f, "\t%s", SCHEDULES[i]);
    for (long long t = 0; t < steps; t++) {
        if (steps > 2000 && t % (steps / 1000)) continue;
        fprintf(f, "\n%lld", t);
        for (int i = 0; i < SCHEDULE_COUNT; i++) {
            tnn_schedule s = schedule_of(i, steps);
            fprintf(f, "\t%.6g", tnn_schedule_lr(&s, t));
        }
    }
    fprintf(f, "\n");
    return experiment_end_file(e, f, "schedules.tsv", !experiment_failed(e));
}

int main(int argc, char **argv)
{
    experiment e = {.name = "optimizer_race", EXPERIMENT_TABLE(RUNS), .lost = 0.1,
                    .about = "every optimizer and every schedule on a small MLP",
                    .drawn = {4000, 1000}, .few = {200, 100}, .load = fashion_load, .build = build,
                    .evaluate = evaluate, .after = write_schedules};
    list_runs();
    return experiment_main(&e, argc, argv);
}
