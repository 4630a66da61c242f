/* hello_autoencoder.c - a network learns to give back what it is given, through two numbers only:
   sine waves of any height and phase lie in two dimensions.

       cc -O2 experiments/hello_autoencoder.c -lm && ./a.out  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <math.h>
#include <stdio.h>

int main(void)
{
    enum { N = 500, POINTS = 32 };
    static float wave[N][POINTS];
    tnn_log_to_stderr();
    for (int i = 0; i < N; i++) {
        const float height = 0.5f + tnn_random_uniform(1, 1, (uint64_t)i);
        const float phase = 6.2832f * tnn_random_uniform(1, 2, (uint64_t)i);
        for (int k = 0; k < POINTS; k++) wave[i][k] = height * sinf(0.4f * (float)k + phase);
    }
    tnn_data all = tnn_data_create(.n = N, .shape = { POINTS }, .floats = wave[0],
                                   .reconstruct = 1), train, test;
    tnn_split(&all, 400, 1, &train, &test);
    tnn_net *net = tnn_create(.input = { POINTS }, .batch = 20, .seed = 1);
    tnn_add(net, TNN_DENSE, .units = 2);                    /* the code */
    tnn_add(net, TNN_DENSE, .units = POINTS);
    tnn_set_loss(net, TNN_MSE);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01);
    const double before = tnn_evaluate(net, &test).loss;
    tnn_history run = tnn_fit(net, &train, &test, .epochs = 60);
    if (run.count) printf("mean squared error %.2g, after training %.2g\n", before,
                          run.epochs[run.count - 1].validation_loss);
    tnn_history_free(&run);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&test);
    return tnn_failed();
}
