/* hello_xor.c - the smallest network: two inputs, four hidden units, one output that is x xor y.

       cc -O2 experiments/hello_xor.c -lm && ./a.out  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <stdio.h>

int main(void)
{
    static const float x[4][2] = { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } };
    static const int label[4] = { 0, 1, 1, 0 };
    int i;
    tnn_log_to_stderr();                                    /* what goes wrong, when it does */
    tnn_net *net = tnn_create(.input = { 2 }, .batch = 4, .seed = 1);
    tnn_add(net, TNN_DENSE, .units = 8);
    tnn_add(net, TNN_TANH);
    tnn_add(net, TNN_DENSE, .units = 1);                    /* a logit: above 0 means 1 */
    tnn_set_loss(net, TNN_BCE_LOGITS);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.05);
    for (i = 0; i < 200; i++) tnn_train_batch(net, x[0], label, 4);
    tnn_forward(net, x[0], 4, TNN_EVAL);                    /* the answers */
    for (i = 0; i < 4 && !tnn_failed(); i++)
        printf("%g xor %g = %d\n", x[i][0], x[i][1], tnn_output(net)[i] > 0);
    tnn_free(net);
    return tnn_failed();
}
