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
    experiment_run run;
    icons_shape    shape;
    tnn_layer_type activation;
    double lr;
    int    val;                         /* of 1,005 samples                                       */
} icons_run;

static const icons_run RUNS[] = {       /* name, batch, epochs; in the order of the report */
    {{"lr0.05",      20, 15}, FIRST,   TNN_RELU,    0.05,  160},
    {{"lr0.5",       20, 15}, FIRST,   TNN_RELU,    0.5,   160},
    {{"lr0.001",     20, 15}, FIRST,   TNN_RELU,    0.001, 160},
    {{"lr0.1",       20, 15}, FIRST,   TNN_RELU,    0.1,   160},
    {{"bs10",        10, 15}, FIRST,   TNN_RELU,    0.05,  160},
    {{"split800",    10, 20}, FIRST,   TNN_RELU,    0.05,  205},
    {{"padded",      10, 20}, PADDED,  TNN_RELU,    0.05,  205},
    {{"stride2",     10, 30}, STRIDED, TNN_RELU,    0.05,  205},
    {{"60epochs",    10, 60}, STRIDED, TNN_RELU,    0.05,  205},
    {{"softmax",     10, 30}, STRIDED, TNN_SOFTMAX, 0.05,  205},
    {{"sigmoid",     10, 30}, STRIDED, TNN_SIGMOID, 0.05,  205},
    {{"final-a",      5, 30}, STRIDED, TNN_RELU,    0.1,   205},
    {{"final-b",     10, 18}, STRIDED, TNN_RELU,    0.07,  205},
    {{"alternative", 10, 18}, PADDED,  TNN_RELU,    0.07,  205},
};
enum { CLASSES = ICONS_CLASSES };

static tnn_net *build(experiment *e, const void *row)
{
    static const char *const shapes[] = {"three convolutions", "padding", "stride 2"};
    const icons_run *r = (const icons_run *)row;
    int first = r->shape == FIRST, stride = r->shape == STRIDED ? 2 : 1;
    tnn_net *net = tnn_create(.input = {3, 32, 32}, .batch = r->run.batch, .seed = e->seed);
    tnn_add(net, TNN_CONV2D, .filters = first ? 16 : 32, .kernel = 3, .stride = stride,
            .pad = !first);
    tnn_add(net, r->activation);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(net, TNN_CONV2D, .filters = first ? 32 : 64, .kernel = 3, .pad = !first);
    tnn_add(net, r->activation);
    if (r->shape != STRIDED) tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    if (first) {
        tnn_add(net, TNN_CONV2D, .filters = 64, .kernel = 3);
        tnn_add(net, r->activation);
    }
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 256);
    tnn_add(net, r->activation);
    tnn_add(net, TNN_DENSE, .units = CLASSES);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = r->lr);
    snprintf(e->settings, sizeof e->settings, "SGD, lr %g, batch %d, %d/%d samples, %s, %s", r->lr,
             r->run.batch, e->train.n, e->val.n, shapes[r->shape],
             r->activation == TNN_RELU ? "ReLU" : r->run.name);
    return net;
}

/* ==== Counting by class: over all epochs of a run, and in its last one ======================== */
/* They are in checkpoints: a run that was interrupted within an epoch goes on counting. */
typedef struct hits { double correct[CLASSES], n[CLASSES]; } hits;
static struct { hits all[2], last[2]; double loss; } counts;    /* training, validation */

/* Counts n images of a class, so many of them right. */
static void count(int part, int label, int correct, int n)
{
    hits *both[] = {&counts.all[part], &counts.last[part]};
    for (int i = 0; i < 2; i++) {
        both[i]->correct[label] += correct;
        both[i]->n[label]       += n;
    }
}

/* Training images are counted on the way; their losses are added up. */
static void batch(experiment *e, const tnn_fit_state *state)
{
    const tnn_loader *b = state->batches;
    const float *logits = tnn_output(state->net);
    (void)e;
    if (b->batch_index == 0) {
        memset(counts.last, 0, sizeof counts.last);
        counts.loss = 0;
    }
    counts.loss += state->loss * b->n;
    for (int i = 0; i < b->n; i++)
        count(0, b->labels[i], tnn_argmax(logits + i * CLASSES, CLASSES) == b->labels[i], 1);
}

/* The training loss is a mean over the samples; validation images are counted. */
static void evaluate(void *user, const tnn_fit_state *state, tnn_epoch *epoch)
{
    int table[CLASSES * CLASSES];
    epoch->loss = counts.loss / state->metrics.n;
    tnn_confusion(state->net, &((experiment *)user)->val, table, CLASSES);
    for (int i = 0; i < CLASSES * CLASSES && !tnn_failed(); i++)
        count(1, i / CLASSES, i % CLASSES == i / CLASSES ? table[i] : 0, table[i]);
}

/* RUN.classes.tsv: accuracies over all epochs, as the report counts, and at the last epoch. */
static int write_classes(experiment *e, const void *row, tnn_net *net)
{
    static const char *const names[] = {"air", "birds", "water", "people", "cats", "all"};
    char name[128];
    (void)row, (void)net;
    snprintf(name, sizeof name, "%s.classes.tsv", e->run);
    FILE *f = experiment_create(e, name);
    if (!f) return -1;
    fprintf(f, "# %s %s: accuracies by class, averaged over all epochs and at the last one\n"
               "class\ttrain_average\tval_average\ttrain_last\tval_last\n", e->name, e->run);
    for (int c = 0; c <= CLASSES; c++) {
        fprintf(f, "%s", names[c]);
        for (int column = 0; column < 4; column++) {
            const hits *h = &(column < 2 ? counts.all : counts.last)[column % 2];
            double correct = 0, n = 0;
            for (int i = 0; i < CLASSES; i++)
                if (c == CLASSES || c == i) correct += h->correct[i], n += h->n[i];
            fprintf(f, "\t%.6f", n > 0 ? correct / n : 0);
        }
        fprintf(f, "\n");
    }
    return experiment_end_file(e, f, name, 1);
}

/* ==== The program ============================================================================= */

/* A run has a split of its own. */
static int do_run(experiment *e, const void *row)
{
    icons_split(e, ((const icons_run *)row)->val);
    return experiment_do_run(e, row);
}

/* The final net as the report prints it: modules, then torchsummary's table. */
static int write_summary(experiment *e)
{
    static char text[8192];
    tnn_net *net = build(e, &RUNS[experiment_index(e->runs, "final-b")]);
    size_t n = tnn_summary(net, text, sizeof text, TNN_SUMMARY_FUNCTIONAL | TNN_SUMMARY_MODULES);
    tnn_summary(net, text + n, sizeof text - n, TNN_SUMMARY_FUNCTIONAL);
    tnn_free(net);
    if (experiment_failed(e)) return -1;
    FILE *f = experiment_create(e, "summary.txt");
    if (f) fputs(text, f);
    return f ? experiment_end_file(e, f, "summary.txt", 1) : -1;
}

int main(int argc, char **argv)
{
    experiment e = {.name = "icons_cnn", EXPERIMENT_TABLE(RUNS),
                    .about = "learning rate, batch size, stride and activation of a CNN on icons",
                    .drawn = {600}, .few = {60}, .load = icons_load, .build = build,
                    .batch = batch, .evaluate = evaluate, .finish = write_classes,
                    .do_run = do_run, .after = write_summary, .tally = (double *)&counts,
                    .tallies = sizeof counts / sizeof(double)};
    return experiment_main(&e, argc, argv);
}
