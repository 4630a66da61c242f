/* hello_labels.c - several labels for each sample: a point of the plane is "right", "high" and
   "near", or not, each on its own. Targets are as many zeros and ones.

       cc -O2 experiments/hello_labels.c -lm && ./a.out  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <stdio.h>

int main(void)
{
    enum { N = 600, LABELS = 3 };
    static float x[N][2], is[N][LABELS], logits[N][LABELS];
    static const char *const names[LABELS] = { "right", "high", "near" };
    tnn_log_to_stderr();
    for (int i = 0; i < N; i++) {
        const float a = x[i][0] = tnn_random_normal(1, 1, (uint64_t)i);
        const float b = x[i][1] = tnn_random_normal(1, 2, (uint64_t)i);
        is[i][0] = a > 0;
        is[i][1] = b > 0;
        is[i][2] = a * a + b * b < 1;
    }
    tnn_data all = tnn_data_create(.n = N, .shape = { 2 }, .floats = x[0],
                                   .targets = is[0], .target = { LABELS });
    tnn_net *net = tnn_create(.input = { 2 }, .batch = 20, .seed = 1);
    tnn_add(net, TNN_DENSE, .units = 32);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = LABELS);               /* a logit for each label */
    tnn_set_loss(net, TNN_BCE_LOGITS);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01);
    tnn_history run = tnn_fit(net, &all, NULL, .epochs = 40);
    tnn_predict(net, &all, logits[0], N * LABELS);
    for (int k = 0; k < LABELS; k++) {
        int told = 0;
        for (int i = 0; i < N; i++) told += (logits[i][k] > 0) == (is[i][k] > 0);
        printf("%-6s told in %.1f %% of the points\n", names[k], 100.0 * told / N);
    }
    tnn_history_free(&run);
    tnn_free(net);
    return tnn_failed();
}
