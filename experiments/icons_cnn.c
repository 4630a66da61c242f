/* icons_cnn.c - learning rate, batch size, stride and activation of a CNN on colour icons

   Reproduces Márquez Moncada, "Memoria práctica 1": 1,005 icons of 3 x 32 x 32 in five classes, SGD
   without momentum, cross-entropy; one setting after the other is changed, and each study is a
   figure of training and validation loss. What it claims:

   - lr 0.5 does not learn (loss near 1.51, 32 % in training, 29 % in validation), 0.001 is too slow
     (1.61 to 1.53 in 15 epochs, 31 and 26 %).
   - 60 epochs overfit; softmax and sigmoid as hidden activations are worse than ReLU.
   - Final nets: A, batch 5, lr 0.1, 30 epochs: 92 % in training, 87 % in validation; B, batch 10,
     lr 0.07, 18 epochs: 87 and 86 %. With stride 1 and a second pool: as good at half the speed.

   THE REPORT'S ACCURACIES ARE AVERAGES OVER ALL EPOCHS: its counters are never reset (87 % is
   12,561 of 14,400 = 18 x 800). RUN.tsv has each epoch's own; RUN.classes.tsv has both, by class.
   Training figures are taken while training, on the way; losses are means over the samples.

   Measured with PyTorch 1.13, the final net B as here, seeds 1 to 5: 91.2 % of the validation set
   at the last epoch (87.8 to 93.2), 82.7 % averaged over the epochs (79.7 to 85.7); lr 0.001 ends
   at 1.567 and 1.570 (seeds 1 and 2): 1.53 is not what these settings give.

   Not said, and taken here: until the study that says otherwise a setting stays as it was (lr 0.05
   again after the learning rates; batch 10 from its study on, 800/205 likewise). Of the net without
   the third convolution only what the final one has is known: 32 and 64 filters, 4,096 inputs of
   the dense layer, which two pools leave as well as a stride of 2 and one.

   The final net's summary, as the report prints it, is written to OUT/icons_cnn/summary.txt. The
   report's numbers are in plots/icons_cnn_reported.tsv and plots/icons_cnn_text.tsv.             */
#include "experiment.h"
#include "icons_data.h"

typedef enum icons_shape {
    FIRST,                              /* conv 16, pool, conv 32, pool, conv 64: no padding      */
    PADDED,                             /* conv 32, pool, conv 64, pool: padding 1                */
    STRIDED                             /* conv 32 with stride 2, pool, conv 64: padding 1        */
} icons_shape;

typedef struct icons_run {
    const char    *name;
    icons_shape    shape;
    tnn_layer_type activation;
    double lr;
    int    batch, epochs;
    int    val;                         /* of 1,005 samples                                       */
} icons_run;

static const icons_run RUNS[] = {       /* in the order of the report */
    {"lr0.05",      FIRST,   TNN_RELU,    0.05,  20, 15, 160},
    {"lr0.5",       FIRST,   TNN_RELU,    0.5,   20, 15, 160},
    {"lr0.001",     FIRST,   TNN_RELU,    0.001, 20, 15, 160},
    {"lr0.1",       FIRST,   TNN_RELU,    0.1,   20, 15, 160},
    {"bs10",        FIRST,   TNN_RELU,    0.05,  10, 15, 160},
    {"split800",    FIRST,   TNN_RELU,    0.05,  10, 20, 205},
    {"padded",      PADDED,  TNN_RELU,    0.05,  10, 20, 205},
    {"stride2",     STRIDED, TNN_RELU,    0.05,  10, 30, 205},
    {"60epochs",    STRIDED, TNN_RELU,    0.05,  10, 60, 205},
    {"softmax",     STRIDED, TNN_SOFTMAX, 0.05,  10, 30, 205},
    {"sigmoid",     STRIDED, TNN_SIGMOID, 0.05,  10, 30, 205},
    {"final-a",     STRIDED, TNN_RELU,    0.1,    5, 30, 205},
    {"final-b",     STRIDED, TNN_RELU,    0.07,  10, 18, 205},
    {"alternative", PADDED,  TNN_RELU,    0.07,  10, 18, 205},
};
enum { RUN_COUNT = sizeof RUNS / sizeof RUNS[0], CLASSES = ICONS_CLASSES };

static tnn_net *build(const icons_run *run, uint64_t seed)
{
    int first = run->shape == FIRST, stride = run->shape == STRIDED ? 2 : 1;
    tnn_net *net = tnn_create(.input = {3, 32, 32}, .batch = run->batch, .seed = seed);
    tnn_add(net, TNN_CONV2D, .filters = first ? 16 : 32, .kernel = 3, .stride = stride,
            .pad = !first);
    tnn_add(net, run->activation);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(net, TNN_CONV2D, .filters = first ? 32 : 64, .kernel = 3, .pad = !first);
    tnn_add(net, run->activation);
    if (run->shape != STRIDED) tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    if (first) {
        tnn_add(net, TNN_CONV2D, .filters = 64, .kernel = 3);
        tnn_add(net, run->activation);
    }
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 256);
    tnn_add(net, run->activation);
    tnn_add(net, TNN_DENSE, .units = CLASSES);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = run->lr);
    return net;
}

/* ==== Counting ================================================================================ */
typedef struct hits { int correct[CLASSES], n[CLASSES]; } hits;

static void count(hits *h, int label, int correct, int n)
{
    h->correct[label] += correct;
    h->n[label]       += n;
}

/* One epoch: mean loss and accuracy on the way. */
static tnn_metrics train(experiment *e, tnn_net *net, tnn_loader *batches, hits *h)
{
    tnn_metrics m = {0, 0, 0, 0};
    while (tnn_next(batches)) {
        m.loss    += tnn_train_batch(net, batches->x, batches->labels, batches->n) * batches->n;
        m.correct += tnn_correct(net);
        m.n       += batches->n;
        const float *logits = tnn_output(net);
        for (int i = 0; logits && i < batches->n; i++)
            count(h, batches->labels[i],
                  tnn_argmax(logits + i * CLASSES, CLASSES) == batches->labels[i], 1);
        experiment_progress(e, batches->n);
    }
    m.loss /= m.n;
    m.accuracy = (double)m.correct / m.n;
    return m;
}

static tnn_metrics validate(tnn_net *net, const tnn_data *data, hits *h)
{
    int table[CLASSES * CLASSES];
    tnn_metrics m = tnn_confusion(net, data, table, CLASSES);
    for (int i = 0; i < CLASSES * CLASSES && !tnn_failed(); i++)
        count(h, i / CLASSES, i % CLASSES == i / CLASSES ? table[i] : 0, table[i]);
    return m;
}

/* RUN.classes.tsv: accuracies over all epochs, as the report counts, and at the last epoch. */
static int write_classes(const experiment *e, const hits all[2], const hits last[2])
{
    static const char *const names[] = {"air", "birds", "water", "people", "cats", "all"};
    char name[128];
    snprintf(name, sizeof name, "%s.classes.tsv", e->run);
    FILE *f = experiment_create(e, name);
    if (!f) return -1;
    fprintf(f, "# %s %s: accuracies by class, averaged over all epochs and at the last one\n"
               "class\ttrain_average\tval_average\ttrain_last\tval_last\n", e->name, e->run);
    for (int c = 0; c <= CLASSES; c++) {
        fprintf(f, "%s", names[c]);
        for (int column = 0; column < 4; column++) {
            const hits *h = &(column < 2 ? all : last)[column % 2];
            int correct = 0, n = 0;
            for (int i = 0; i < CLASSES; i++)
                if (c == CLASSES || c == i) correct += h->correct[i], n += h->n[i];
            fprintf(f, "\t%.6f", n ? (double)correct / n : 0.0);
        }
        fprintf(f, "\n");
    }
    return experiment_end_file(e, f, name, 1);
}

/* ==== Runs ==================================================================================== */

/* The same part of the samples that are there: all 1,005, or fewer. */
static int validation_part(const icons_run *run, int n) { return n * run->val / ICONS_REAL; }

static int do_run(experiment *e, const icons_run *run, const tnn_data *data, int epochs)
{
    static const char *const shapes[] = {"three convolutions", "padding", "stride 2"};
    char settings[160];
    hits all[2], last[2];
    tnn_data part[2];
    tnn_net *net = build(run, e->seed);
    memset(part, 0, sizeof part);
    tnn_split(data, data->n - validation_part(run, data->n), e->seed, &part[0], &part[1]);
    snprintf(settings, sizeof settings, "SGD, lr %g, batch %d, %d/%d samples, %s, %s", run->lr,
             run->batch, part[0].n, part[1].n, shapes[run->shape],
             run->activation == TNN_RELU ? "ReLU" : run->name);
    int go = experiment_begin(e, run->name, settings,
                              experiment_fingerprint(build(run, e->seed), &part[0]), epochs,
                              part[0].n, tnn_param_total(net));
    if (go == 1) {
        tnn_loader *batches = tnn_loader_create(&part[0], .batch = run->batch, .shuffle = 1,
                                                .seed = e->seed);
        memset(all, 0, sizeof all);
        for (int epoch = 0; epoch < epochs; epoch++) {
            memset(last, 0, sizeof last);
            tnn_metrics seen = train(e, net, batches, &last[0]);
            tnn_metrics val  = validate(net, &part[1], &last[1]);
            for (int i = 0; i < 2 * CLASSES; i++)
                count(&all[i / CLASSES], i % CLASSES, last[i / CLASSES].correct[i % CLASSES],
                      last[i / CLASSES].n[i % CLASSES]);
            if (experiment_row(e, seen, val, tnn_lr(net)) != 0) break;
        }
        tnn_loader_free(batches);
        if (e->epoch > e->epochs && write_classes(e, all, last) != 0) e->epochs = e->epoch;
        go = experiment_end(e);
    }
    tnn_data_free(&part[0]);
    tnn_data_free(&part[1]);
    tnn_free(net);
    return go;
}

/* The final net as the report prints it: modules, then torchsummary's table. */
static int write_summary(experiment *e)
{
    static char text[8192];
    tnn_net *net = build(&RUNS[experiment_index(e->runs, "final-b")], e->seed);
    size_t n = tnn_summary(net, text, sizeof text, TNN_SUMMARY_FUNCTIONAL | TNN_SUMMARY_MODULES);
    tnn_summary(net, text + n, sizeof text - n, TNN_SUMMARY_FUNCTIONAL);
    tnn_free(net);
    if (tnn_failed()) { experiment_say(e, tnn_error()); return -1; }
    FILE *f = experiment_create(e, "summary.txt");
    if (f) fputs(text, f);
    return f ? experiment_end_file(e, f, "summary.txt", 1) : -1;
}

int main(int argc, char **argv)
{
    const char *names[RUN_COUNT + 1] = {NULL};
    for (int i = 0; i < RUN_COUNT; i++) names[i] = RUNS[i].name;
    experiment e = {.name = "icons_cnn", .runs = names,
                    .about = "learning rate, batch size, stride and activation of a CNN on icons"};
    icons_set set;
    int status = experiment_options(&e, argc, argv);
    if (status >= 0) return status;

    status = icons_load(&set, &e, 600, 60);
    if (status == 0) status = experiment_open(&e, &set.data, NULL);
    if (status == 0) status = write_summary(&e);
    for (int i = 0; i < RUN_COUNT; i++)
        if (experiment_wants(&e, names[i]))
            e.work += (double)(e.quick ? 1 : RUNS[i].epochs) *
                      (set.data.n - validation_part(&RUNS[i], set.data.n));
    for (int i = 0; i < RUN_COUNT && status == 0; i++)
        if (experiment_wants(&e, names[i]))
            status = do_run(&e, &RUNS[i], &set.data, e.quick ? 1 : RUNS[i].epochs);
    icons_free(&set);
    return status != 0;
}
