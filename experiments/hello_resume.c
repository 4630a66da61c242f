/* hello_resume.c - save and go on. Each call trains until it is stopped, here after three epochs;
   the next one goes on behind that, to the same bits as without a stop.

       cc -O2 experiments/hello_resume.c -lm && ./a.out run.tnn && ./a.out run.tnn  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <math.h>
#include <stdio.h>

/* After each batch and each epoch: 1 stops. */
static int three_more(void *user, const tnn_fit_state *state)
{
    return state->epoch_ended && ++*(int *)user == 3;
}

int main(int argc, char **argv)
{
    enum { N = 300 };
    static float x[N], y[N];
    int epochs = 0;
    tnn_log_to_stderr();
    for (int i = 0; i < N; i++) y[i] = sinf(x[i] = 6 * (float)i / N - 3);
    tnn_data data = tnn_data_create(.n = N, .shape = { 1 }, .floats = x, .targets = y);
    tnn_net *net = tnn_create(.input = { 1 }, .batch = 10, .seed = 1);
    tnn_add(net, TNN_DENSE, .units = 32);
    tnn_add(net, TNN_TANH);
    tnn_add(net, TNN_DENSE, .units = 1);
    tnn_set_loss(net, TNN_MSE);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01);
    tnn_history run = tnn_fit(net, &data, NULL, .epochs = 12, .callback = three_more,
                              .user = &epochs, .checkpoint = argc > 1 ? argv[1] : "run.tnn");
    for (int i = 0; i < run.count; i++)
        printf("%sepoch %2d  loss %.6f\n", i == run.count - epochs ? "--- this call:\n" : "",
               run.epochs[i].epoch, run.epochs[i].loss);
    printf("weights %08lx%08lx\n", (unsigned long)(tnn_hash(net) >> 32),
           (unsigned long)(tnn_hash(net) & 0xffffffff));
    tnn_history_free(&run);
    tnn_free(net);
    return tnn_failed();
}
