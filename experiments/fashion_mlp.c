/* fashion_mlp.c - Adam and SGD, batch size, dropout and epochs of an MLP on Fashion-MNIST

   Reproduces T. Caprari, "Clasificando Fashion-MNIST con PyTorch" (UNC, 2024-11-19): 784-128-64-10
   with ReLU and dropout after each hidden layer, learning rate 0.01, 30 epochs. What it claims:

   - Adam converges faster than plain SGD but is more volatile; with batches of 100 SGD ends with
     the better validation accuracy (0.86 against 0.84).
   - Larger batches, 500 and 1000, make smoother curves that are no better.
   - With 100 epochs (Adam, batch 500, dropout 0.05) the net overfits: training accuracy 0.95, while
     validation stays near 0.88 and its loss rises.

   Its numbers are in plots/fashion_mlp_reported.tsv (the 100 epochs, in full) and
   plots/fashion_mlp_text.tsv (those in its text). All four columns are taken after the epoch, with
   dropout off, over the whole training and validation sets.                                      */
#include "experiment.h"
#include "fashion_data.h"

typedef struct mlp_run {
    const char *name;
    tnn_optimizer_type optimizer;
    int   batch;
    float dropout;
    int   epochs;
} mlp_run;

static const mlp_run RUNS[] = {
    {"adam-bs100",                 TNN_ADAM,  100, 0.20f,  30},     /* figure 1 a, b */
    {"sgd-bs100",                  TNN_SGD,   100, 0.20f,  30},     /* figure 1 c, d */
    {"adam-bs500",                 TNN_ADAM,  500, 0.20f,  30},     /* figure 2      */
    {"sgd-bs500",                  TNN_SGD,   500, 0.20f,  30},     /* figure 3      */
    {"adam-bs1000",                TNN_ADAM, 1000, 0.20f,  30},     /* figure 4      */
    {"sgd-bs1000",                 TNN_SGD,  1000, 0.20f,  30},     /* not drawn     */
    {"adam-bs1000-p0.05",          TNN_ADAM, 1000, 0.05f,  30},     /* not drawn     */
    {"adam-bs500-p0.05-100epochs", TNN_ADAM,  500, 0.05f, 100},     /* figure 5      */
};
enum { RUN_COUNT = sizeof RUNS / sizeof RUNS[0] };

static tnn_net *build(const mlp_run *run, uint64_t seed)
{
    tnn_net *net = tnn_create(.input = {1, 28, 28}, .batch = run->batch, .seed = seed);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 128);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DROPOUT, .p = run->dropout);
    tnn_add(net, TNN_DENSE, .units = 64);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DROPOUT, .p = run->dropout);
    tnn_add(net, TNN_DENSE, .units = 10);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, run->optimizer, .lr = 0.01);
    return net;
}

static int do_run(experiment *e, const mlp_run *run, const fashion_set *set, int epochs)
{
    char settings[128];
    tnn_net *net = build(run, e->seed);
    snprintf(settings, sizeof settings, "%s, lr 0.01, batch %d, dropout %g, shuffled",
             run->optimizer == TNN_ADAM ? "Adam" : "SGD", run->batch, run->dropout);
    int go = experiment_begin(e, run->name, settings,
                              experiment_fingerprint(build(run, e->seed), &set->train), epochs,
                              set->train.n, tnn_param_total(net));
    if (go == 1) {
        tnn_loader *batches = tnn_loader_create(&set->train, .batch = run->batch, .shuffle = 1,
                                                .seed = e->seed);
        experiment_resume(e, net, batches);
        for (int epoch = 0; epoch < epochs; epoch++) {
            tnn_metrics train, val;
            if (!experiment_recall(e, &train, &val)) {
                experiment_train(e, net, batches);
                train = tnn_evaluate(net, &set->train);
                val   = tnn_evaluate(net, &set->val);
            }
            if (experiment_row(e, train, val, tnn_lr(net)) != 0) break;
        }
        tnn_loader_free(batches);
        go = experiment_end(e);
    }
    tnn_free(net);
    return go;
}

int main(int argc, char **argv)
{
    static const fashion_sizes sizes = {8000, 1000, 200, 100};
    const char *names[RUN_COUNT + 1] = {NULL};
    for (int i = 0; i < RUN_COUNT; i++) names[i] = RUNS[i].name;
    experiment e = {.name = "fashion_mlp", .saves = 1, .runs = names,
                    .about = "optimizer, batch size and dropout of an MLP on Fashion-MNIST"};
    fashion_set set;
    int status = experiment_options(&e, argc, argv);
    if (status >= 0) return status;

    status = fashion_load(&set, &e, sizes);
    if (status == 0) status = experiment_open(&e, &set.train, &set.val);
    for (int i = 0; i < RUN_COUNT; i++)
        if (experiment_wants(&e, names[i]))
            e.work += (double)set.train.n * (e.quick ? 2 : RUNS[i].epochs);
    for (int i = 0; i < RUN_COUNT && status == 0; i++)
        if (experiment_wants(&e, names[i]))
            status = do_run(&e, &RUNS[i], &set, e.quick ? 2 : RUNS[i].epochs);
    fashion_free(&set);
    return status != 0;
}
