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
    experiment_run run;
    tnn_optimizer_type optimizer;
    float dropout;
} mlp_run;

static const mlp_run RUNS[] = {         /* name, batch, epochs; optimizer, dropout */
    {{"adam-bs100",                  100,  30}, TNN_ADAM, 0.20f},       /* figure 1 a, b */
    {{"sgd-bs100",                   100,  30}, TNN_SGD,  0.20f},       /* figure 1 c, d */
    {{"adam-bs500",                  500,  30}, TNN_ADAM, 0.20f},       /* figure 2      */
    {{"sgd-bs500",                   500,  30}, TNN_SGD,  0.20f},       /* figure 3      */
    {{"adam-bs1000",                1000,  30}, TNN_ADAM, 0.20f},       /* figure 4      */
    {{"sgd-bs1000",                 1000,  30}, TNN_SGD,  0.20f},       /* not drawn     */
    {{"adam-bs1000-p0.05",          1000,  30}, TNN_ADAM, 0.05f},       /* not drawn     */
    {{"adam-bs500-p0.05-100epochs",  500, 100}, TNN_ADAM, 0.05f},       /* figure 5      */
};

static tnn_net *build(experiment *e, const void *row)
{
    const mlp_run *r = (const mlp_run *)row;
    tnn_net *net = tnn_create(.input = {1, 28, 28}, .batch = r->run.batch, .seed = e->seed);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 128);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DROPOUT, .p = r->dropout);
    tnn_add(net, TNN_DENSE, .units = 64);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DROPOUT, .p = r->dropout);
    tnn_add(net, TNN_DENSE, .units = 10);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, r->optimizer, .lr = 0.01);
    snprintf(e->settings, sizeof e->settings, "%s, lr 0.01, batch %d, dropout %g, shuffled",
             r->optimizer == TNN_ADAM ? "Adam" : "SGD", r->run.batch, r->dropout);
    return net;
}

/* Training figures are measured after the epoch, too. */
static void evaluate(void *user, const tnn_fit_state *state, tnn_epoch *epoch)
{
    const experiment *e = (const experiment *)user;
    const tnn_metrics train = tnn_evaluate(state->net, &e->train);
    epoch->loss     = train.loss;
    epoch->accuracy = train.accuracy;
}

int main(int argc, char **argv)
{
    experiment e = {.name = "fashion_mlp", EXPERIMENT_TABLE(RUNS),
                    .about = "optimizer, batch size and dropout of an MLP on Fashion-MNIST",
                    .drawn = {8000, 1000}, .few = {200, 100}, .quick_epochs = 2,
                    .load = fashion_load, .build = build, .evaluate = evaluate};
    return experiment_main(&e, argc, argv);
}
