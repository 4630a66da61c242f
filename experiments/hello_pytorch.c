/* hello_pytorch.c - fine-tuning: the body of a network that PyTorch has trained, frozen, and a new
   head. It knew the 16 fields of a 4x4 board; from 300 points it learns which four are the middle.

       python3 experiments/hello_pytorch.py && cc -O2 experiments/hello_pytorch.c -lm && ./a.out  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <stdio.h>

int main(void)
{
    enum { N = 2000 };
    static float x[N][2];
    static int middle[N];
    tnn_log_to_stderr();
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 2; k++) x[i][k] = 4 * tnn_random_uniform(1, (uint64_t)k, (uint64_t)i);
        middle[i] = x[i][0] >= 1 && x[i][0] < 3 && x[i][1] >= 1 && x[i][1] < 3;
    }
    tnn_data all = tnn_data_view(NULL, x[0], middle, N, 2, 1, 1), train, test;
    tnn_split(&all, 300, 1, &train, &test);
    tnn_net *net = tnn_create(.input = { 2 }, .batch = 20, .seed = 1);
    tnn_add(net, TNN_DENSE, .units = 64, .frozen = 1);      /* features.0 of the file */
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 64, .frozen = 1);      /* features.2 */
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 2);                    /* in place of classifier */
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.03);
    if (!tnn_load_weights(net, "board.safetensors", .rename = { { "features.0.", "0." },
                                                                { "features.2.", "2." } }))
        puts("hello_pytorch.py makes this file");
    printf("accuracy %.1f %%, ", 100 * tnn_evaluate(net, &test).accuracy);
    tnn_history run = tnn_fit(net, &train, NULL, .epochs = 100);
    printf("after training %.1f %%\n", 100 * tnn_evaluate(net, &test).accuracy);
    tnn_history_free(&run);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&test);
    return tnn_failed();
}
