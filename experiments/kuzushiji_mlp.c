/* kuzushiji_mlp.c - hand-written backpropagation against PyTorch on 49 old Japanese characters

   Reproduces M. Borrell, "TP3" (UdeSA I302, 2025-05-13): MLPs from 784 pixels to 49 classes, most
   of them by 100 and 80 ReLU units, on 3,200 images; 800 validate, 1,000 test. What it claims:

   - M0, full-batch gradient descent for 300 epochs: validation accuracy 0.565, test 0.535.
   - Of seven improvements, each alone, batches of one (0.624) and Adam (0.614) help; schedules that
     lower the learning rate and larger mini-batches at a lower rate only slow it down.
   - M1, what a search of one parameter after the other chose (Adam, lr 0.01, batch 1250, lambda
     0.01, patience 10): stops after 18 epochs, validation 0.609, test 0.604.
   - M2, the same in PyTorch: validation 0.596, test 0.582, at a lower loss (1.573 against 2.187).
   - M3, a grid of hidden layers: 100 and 80 remain the best. Trained anew: test 0.585.
   - M4, to overfit: one hidden layer of 5,000 units: training accuracy 1, loss 1.1e-5, and yet the
     best of all, validation 0.724, test 0.697. The code says SGD; both optimizers are run here.

   Its numbers are in plots/kuzushiji_mlp_text.tsv. It counts epochs from 0: "stopped at 17" are 18.
   Each result file ends with the comments test_loss and test_acc. Beside them: choices.tsv (what
   the search and the grids chose from), samples.tsv (figure 1), confusion-RUN.tsv (test set, a row
   for each label), predictions.csv (probabilities of the unlabelled images by M3; the report fed
   its net with pixels that it had not divided by 255: its probabilities are all 0 or 1).

   The hand-written networks, called own here, differ from PyTorch's in their start (He, biases 0),
   spare the biases from the decay, report losses with lambda/(2n) sum w^2 added, n the samples
   evaluated, and stop early with a min_delta of 0.001. No weights are restored by either. That the
   search's last stage went back to gradient descent makes its choice one of chance: the loss falls
   to the end of all 500 epochs, so that no patience ever ends a run.                             */
#include "experiment.h"
#include "kuzushiji_data.h"
#include <math.h>

typedef enum rule { OWN_SGD, OWN_ADAM, TORCH_SGD, TORCH_ADAM } rule;

enum { CLASSES = KUZUSHIJI_CLASSES, DEPTH = 7, LINEAR = TNN_POLYNOMIAL, FALLING = TNN_EXPONENTIAL };

typedef struct mlp_run {
    experiment_run run;                 /* batch 0: all samples                            */
    rule   rule;
    double lr, lambda;                  /* learning rate, weight decay                     */
    int    patience;                    /* 0: no early stopping                            */
    int    schedule;                    /* 0: none; LINEAR and FALLING, by epochs, to 0.01 */
    int    hidden[DEPTH];               /* units of each hidden layer, then 0              */
} mlp_run;

static const mlp_run RUNS[] = {
    /* name, batch, epochs; rule, learning rate, decay, patience, schedule, hidden layers */
    {{"m0",                 0, 300}, OWN_SGD,    0.1,  0,      0, 0, {100, 80}},
    {{"linear",             0, 300}, OWN_SGD,    0.1,  0,      0, LINEAR,  {100, 80}},
    {{"exponential",        0, 300}, OWN_SGD,    0.1,  0,      0, FALLING, {100, 80}},
    {{"minibatch",       1000, 300}, OWN_SGD,    0.01, 0,      0, 0, {100, 80}},
    {{"sgd",                1,  10}, OWN_SGD,    0.01, 0,      0, 0, {100, 80}},
    {{"adam",               0, 300}, OWN_ADAM,   0.01, 0,      0, 0, {100, 80}},
    {{"l2",                 0, 300}, OWN_SGD,    0.1,  0.01,   0, 0, {100, 80}},
    {{"earlystop",          0, 500}, OWN_SGD,    0.1,  0,     10, 0, {100, 80}},
    {{"m1",              1250, 500}, OWN_ADAM,   0.01, 0.01,  10, 0, {100, 80}},
    {{"m2",              1250, 500}, TORCH_ADAM, 0.01, 0.01,  10, 0, {100, 80}},
    {{"m3",              1250, 500}, TORCH_ADAM, 0.01, 0.01,  10, 0, {100, 80}},
    {{"m3-25-25-25",     1250, 500}, TORCH_ADAM, 0.01, 0.01,  10, 0, {25, 25, 25}},
    {{"m3-75-50-75",     1250, 500}, TORCH_ADAM, 0.01, 0.01,  10, 0, {75, 50, 75}},
    {{"m3-100-75-50-75-100", 1250, 500}, TORCH_ADAM, 0.01, 0.01,  10, 0, {100, 75, 50, 75, 100}},
    {{"m3-100-80",       1250, 500}, TORCH_ADAM, 0.01, 0.01,  10, 0, {100, 80}},
    {{"m3-100x5",        1250, 500}, TORCH_ADAM, 0.01, 0.01,  10, 0, {100, 100, 100, 100, 100}},
    {{"m3-10-10",        1250, 500}, TORCH_ADAM, 0.01, 0.01,  10, 0, {10, 10}},
    {{"m3-100-10",       1250, 500}, TORCH_ADAM, 0.01, 0.01,  10, 0, {100, 10}},
    {{"m3-100-85-70",    1250, 500}, TORCH_ADAM, 0.01, 0.01,  10, 0, {100, 85, 70}},
    {{"m4-5000",         1250, 500}, TORCH_ADAM, 0.01, 0,    100, 0, {5000}},
    {{"m4-100-125-100",  1250, 500}, TORCH_ADAM, 0.01, 0,    100, 0, {100, 125, 100}},
    {{"m4-200-100-50-100-200", 1250, 500}, TORCH_ADAM, 0.01, 0, 100, 0, {200, 100, 50, 100, 200}},
    {{"m4-100x6", 1250, 500}, TORCH_ADAM, 0.01, 0, 100, 0, {100, 100, 100, 100, 100, 100}},
    {{"m4-as-sgd",       1250, 500}, TORCH_SGD,  0.01, 0,      0, 0, {5000}},
    {{"m4-as-adam",      1250, 500}, TORCH_ADAM, 0.01, 0,      0, 0, {5000}},
    {.run = {"search", 0, 382}},        /* of 17 trainings, on an average of so many epochs */
};

/* The search: each stage keeps what those before it chose, and varies one parameter. What else they
   set is the report's. */
enum { ADAM, LR, BATCH, LAMBDA, PATIENCE, STAGES };
static const struct stage {
    const char *name;
    int     count;
    double  values[5];
    mlp_run base;
} SEARCH[STAGES] = {
    {"adam",     2, {0, 1},         {{NULL, 1250, 500}, OWN_SGD, 0.01, 0.01, 0, 0, {100, 80}}},
    {"lr",       2, {0.1, 0.01},           {{NULL, 0, 300}, OWN_SGD, 0, 0, 0, LINEAR, {100, 80}}},
    {"batch",    4, {1250, 2500, 1000, 0}, {{NULL, 0, 300}, OWN_SGD, 0, 0, 0, 0,      {100, 80}}},
    {"lambda",   4, {0.001, 0.01, 0.1, 0}, {{NULL, 0, 300}, OWN_SGD, 0, 0, 0, 0,      {100, 80}}},
    {"patience", 5, {5, 10, 20, 50, 500},  {{NULL, 0, 500}, OWN_SGD, 0, 0, 0, 0,      {100, 80}}},
};

/* ==== The networks ============================================================================ */

/* b to the power of n. */
static double power(double b, long long n)
{
    double p = 1;
    for (; n; n >>= 1, b *= b)
        if (n & 1) p *= b;
    return p;
}

typedef struct own_net { tnn_net *net; int layers; } own_net;

/* The report's own Adam. Its quirks: beta2 is 0.9999; its step counter goes on once for each layer,
   so that layer l of L corrects the bias in step s by t = L (s - 1) + l; the decay is decoupled.
       m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
       w -= lr (m/(1 - b1^t) / (sqrt(v/(1 - b2^t)) + eps) + lambda w)
   The layers' .lr_scale is not meant as such: it tells the rule which layer it is updating.      */
static void own_adam(const tnn_update_run *r)
{
    const own_net *own = (const own_net *)r->user;
    const double  lr = tnn_lr(own->net);
    const long long layer = (long long)(r->lr / lr + 0.5), t = own->layers * (r->step - 1) + layer;
    const float   c1 = (float)(1 / (1 - power(0.9, t))), c2 = (float)(1 / (1 - power(0.9999, t)));
    float        *m = r->state[0], *v = r->state[1];
    for (size_t i = 0; i < r->n; i++) {
        const float g = r->g[i];
        m[i] = fmaf(0.9f, m[i], 0.1f * g);
        v[i] = fmaf(0.9999f, v[i], 0.0001f * (g * g));
        float step = c1 * m[i] / (sqrtf(c2 * v[i]) + 1e-8f);
        r->w[i] = fmaf(-(float)lr, fmaf((float)r->weight_decay, r->w[i], step), r->w[i]);
    }
}

static int is_own(const mlp_run *r) { return r->rule == OWN_SGD || r->rule == OWN_ADAM; }

static tnn_net *build(experiment *e, const void *row)
{
    static const char *const RULES[] = {"own SGD", "own Adam", "SGD", "Adam"};
    static own_net own;
    const mlp_run *r = (const mlp_run *)row;
    const int n = e->train.n, batch = r->run.batch && r->run.batch < n ? r->run.batch : n;
    uint64_t  seed = e->seed;                       /* each run starts elsewhere */
    for (const char *c = r->run.name; *c; c++) seed = seed * 31 + (unsigned char)*c;
    e->loading  = (tnn_loader_options){.batch = batch, .shuffle = batch < n, .seed = seed};
    e->stopping = (tnn_early_stopping){.patience = r->patience,
                                       .min_delta = is_own(r) ? 0.001 : 0};
    if (!e->real && r->hidden[0] == 5000 && e->epochs > 50) e->epochs = 50;

    tnn_net *net = tnn_create(.input = {1, 28, 28}, .batch = batch < 100 ? 100 : batch,
                              .seed = seed);
    tnn_add(net, TNN_FLATTEN);
    for (int i = 0; i == 0 || r->hidden[i - 1]; i++) {
        if (i) tnn_add(net, TNN_RELU);
        tnn_add(net, TNN_DENSE, .units = r->hidden[i] ? r->hidden[i] : CLASSES,
                .init = is_own(r) ? TNN_INIT_HE_NORMAL : TNN_INIT_DEFAULT,
                .lr_scale = r->rule == OWN_ADAM ? (float)(i + 1) : 1);
        own.layers = i + 1;
    }
    own.net = net;
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_optimizer o = {.type = r->rule == TORCH_ADAM ? TNN_ADAM : TNN_SGD, .lr = r->lr,
                       .weight_decay = r->lambda, .no_bias_decay = is_own(r)};
    if (r->rule == OWN_ADAM) {
        o.type   = TNN_CUSTOM;
        o.update = own_adam;
        o.user   = &own;
        o.states = 2;
    }
    tnn_set_optimizer_with(net, &o);
    if (r->schedule)
        tnn_set_schedule(net, (tnn_schedule_type)r->schedule, .steps = r->schedule == LINEAR
                         ? e->epochs : 1, .gamma = r->schedule == FALLING ? 0.99 : 0,
                         .min_lr = 0.01, .per_epoch = 1);
    snprintf(e->settings, sizeof e->settings, "%s, lr %g, batch %d, lambda %g, patience %d",
             RULES[r->rule], r->lr, r->run.batch, r->lambda, r->patience);
    return net;
}

/* ==== Files beside the results ================================================================ */

/* A table of numbers, `width` in each row. Returns 0, or -1 on failure. */
static int write_table(experiment *e, const char *name, char separator, const char *format,
                       const float *values, int rows, int width)
{
    if (experiment_failed(e)) return -1;
    FILE *f = experiment_create(e, name);
    if (!f) return -1;
    for (int i = 0; i < rows * width; i++) {
        fprintf(f, format, (double)values[i]);
        fputc((i + 1) % width ? separator : '\n', f);
    }
    return experiment_end_file(e, f, name, 1);
}

/* Figure 1: images 100, 1000, 2500 and 4999 of the 5,000, below each other. */
static int write_samples(experiment *e)
{
    static const int SHOWN[4] = {100, 1000, 2500, 4999};
    static float pixels[4 * KUZUSHIJI_PIXELS];
    for (int i = 0; i < 4; i++)
        tnn_sample(&e->all, SHOWN[i] * e->all.n / 5000, pixels + i * KUZUSHIJI_PIXELS,
                   KUZUSHIJI_PIXELS);
    return write_table(e, "samples.tsv", '\t', "%.4f", pixels, 4 * 28, 28);
}

/* The probabilities of the 49 classes, one unlabelled image per row. */
static int write_predictions(experiment *e, tnn_net *net, const tnn_data *data)
{
    tnn_tensor  p = tnn_tensor_create(data->n, CLASSES, 1, 1);
    tnn_loader *batches = tnn_loader_create(data, .batch = 100);
    while (p.data && tnn_next(batches)) {
        tnn_forward(net, batches->x, batches->n, TNN_EVAL);
        const float *y = tnn_output(net);
        if (y) memcpy(p.data + batches->batch_index * 100 * CLASSES, y,
                      sizeof(float) * CLASSES * (size_t)batches->n);
    }
    tnn_softmax(p, p);
    int failed = write_table(e, "predictions.csv", ',', "%.6f", p.data, data->n, CLASSES);
    tnn_loader_free(batches);
    tnn_tensor_free(&p);
    return failed;
}

/* Loss and accuracy on the test set as comments of the run's file; what is made of its net. */
static int write_test(experiment *e, const void *row, tnn_net *net)
{
    static int   counts[CLASSES * CLASSES];
    static float confusion[CLASSES * CLASSES];
    (void)row;
    tnn_metrics  test = tnn_confusion(net, &e->test, counts, CLASSES);
    fprintf(e->file, "# test_loss %.6f\n# test_acc %.6f\n", test.loss, test.accuracy);
    for (int i = 0; i < CLASSES * CLASSES; i++) confusion[i] = (float)counts[i];
    if (strcmp(e->run, "m0") == 0 || strcmp(e->run, "m1") == 0)
        return write_table(e, e->run[1] == '0' ? "confusion-m0.tsv" : "confusion-m1.tsv", '\t',
                           "%.0f", confusion, CLASSES, CLASSES);
    return strcmp(e->run, "m3") == 0 ? write_predictions(e, net, &e->unlabelled) : 0;
}

/* ==== The runs ================================================================================ */

/* Training figures are measured after the epoch, too. The report's own loss has lambda/(2n) sum w^2
   of the weights, not the biases, in it.                                                         */
static void evaluate(void *user, const tnn_fit_state *state, tnn_epoch *epoch)
{
    static float w[100 * KUZUSHIJI_PIXELS];         /* the largest matrix of these nets */
    const experiment *e = (const experiment *)user;
    const mlp_run    *r = (const mlp_run *)e->current;
    const tnn_metrics train = tnn_evaluate(state->net, &e->train);
    epoch->loss     = train.loss;
    epoch->accuracy = train.accuracy;
    for (int i = 0; is_own(r) && r->lambda > 0 && i < tnn_param_count(state->net); i++) {
        const tnn_param p = tnn_param_info(state->net, i);
        if (p.ndim < 2 || tnn_get_param(state->net, p.name, w, p.count) != TNN_OK) continue;
        const tnn_tensor v = tnn_tensor_view(w, 1, p.count, 1, 1);
        const double     sum = r->lambda * (double)tnn_dot(v, v);
        epoch->loss            += sum / (2 * e->train.n);
        epoch->validation_loss += sum / (2 * e->val.n);
    }
}

/* The last row of a run, epoch to validation accuracy. Returns 0, or -1 where there is none. */
static int read_last(experiment *e, const char *run, double last[5])
{
    char  line[256];
    int   found = 0;
    FILE *f = fopen(experiment_path(e, run, ".tsv"), "r");
    while (f && fgets(line, sizeof line, f))
        found |= sscanf(line, "%lf\t%lf\t%lf\t%lf\t%lf", last, last + 1, last + 2, last + 3,
                        last + 4) == 5;
    if (f) fclose(f);
    return found ? 0 : -1;
}

/* The run of the best (first of equal) accuracy at its end, `by` 2 in training, 4 in validation;
   all of them to choices.tsv, after those of earlier calls. Returns its number, or -1 where one was
   not run or on failure.                                                                         */
static int choose(experiment *e, const char *stage, char names[][48], int count, int by)
{
    static char   text[8192] = "stage\trun\tepochs\ttrain_acc\tval_loss\tval_acc\tchosen\n";
    double last[8][5];
    int    best = 0;
    for (int i = 0; i < count; i++) {
        if (read_last(e, names[i], last[i]) != 0) return -1;
        if (last[i][by] > last[best][by]) best = i;
    }
    FILE *f = experiment_create(e, "choices.tsv");
    if (!f) return -1;
    for (int i = 0; i < count; i++) {
        const size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s\t%s\t%.0f\t%.6f\t%.6f\t%.6f\t%d\n",
                 stage, names[i], last[i][0], last[i][2], last[i][3], last[i][4], i == best);
    }
    fputs(text, f);
    return experiment_end_file(e, f, "choices.tsv", 1) == 0 ? best : -1;
}

/* Sets what stage `which` of the search varies. */
static void set_parameter(mlp_run *r, int which, double value)
{
    switch (which) {
    case ADAM:   r->rule = value > 0 ? OWN_ADAM : OWN_SGD; break;
    case LR:     r->lr = value; break;
    case BATCH:  r->run.batch = (int)value; break;
    case LAMBDA: r->lambda = value; break;
    default:     r->patience = (int)value; r->rule = OWN_SGD; break;
    }
}

/* Does the stages one after the other; what each chooses goes into the next. */
static int search(experiment *e)
{
    char names[5][48];
    double chosen[STAGES] = {0};
    for (int s = 0; s < STAGES; s++) {
        for (int i = 0; i < SEARCH[s].count; i++) {
            mlp_run r = SEARCH[s].base;
            snprintf(names[i], sizeof names[i], "search-%s-%g", SEARCH[s].name,
                     SEARCH[s].values[i]);
            r.run.name = names[i];
            for (int before = 0; before < s; before++) set_parameter(&r, before, chosen[before]);
            set_parameter(&r, s, SEARCH[s].values[i]);
            if (experiment_do_run(e, &r) != 0) return -1;
        }
        int best = choose(e, SEARCH[s].name, names, SEARCH[s].count, 4);
        if (best < 0) return -1;
        chosen[s] = SEARCH[s].values[best];
    }
    return 0;
}

/* All runs of a grid, those whose names begin with `prefix` and a digit. */
static void grid(experiment *e, const char *stage, const char *prefix, int by)
{
    char names[8][48];
    int  count = 0;
    for (int i = 0; e->runs[i]; i++)
        if (strncmp(e->runs[i], prefix, strlen(prefix)) == 0 && count < 8
            && strchr("0123456789", e->runs[i][strlen(prefix)]))
            snprintf(names[count++], sizeof names[0], "%s", e->runs[i]);
    choose(e, stage, names, count, by);
}

static int do_run(experiment *e, const void *row)
{
    return strcmp(((const mlp_run *)row)->run.name, "search") ? experiment_do_run(e, row)
                                                              : search(e);
}

static int after(experiment *e)
{
    if (experiment_wants(e, "search")) {
        grid(e, "hidden layers", "m3-", 4);
        grid(e, "overfit", "m4-", 2);
    }
    e->run = "samples";
    return write_samples(e);
}

int main(int argc, char **argv)
{
    experiment e = {.name = "kuzushiji_mlp", EXPERIMENT_TABLE(RUNS),
                    .about = "hand-written backpropagation against PyTorch, 49 classes",
                    .search = "search", .parts = 17, .quick_epochs = 2, .load = kuzushiji_load,
                    .build = build, .evaluate = evaluate, .finish = write_test,
                    .do_run = do_run, .after = after};
    return experiment_main(&e, argc, argv);
}
