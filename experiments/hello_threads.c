/* hello_threads.c - two networks in two threads at the same time: a program may have any number of
   them, each in one thread at a time. Each ends with the bits that it has alone.

       cc -O2 experiments/hello_threads.c -lm -pthread && ./a.out  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <math.h>
#include <pthread.h>
#include <stdio.h>

enum { N = 400 };
static float x[N], y[N];                                    /* read by both */

/* A thread: trains a network of the seed *number, and puts its hash in place of that. */
static void *train(void *number)
{
    uint64_t *seed = (uint64_t *)number;
    tnn_net *net = tnn_create(.input = { 1 }, .batch = N, .seed = *seed);
    tnn_add(net, TNN_DENSE, .units = 64);
    tnn_add(net, TNN_TANH);
    tnn_add(net, TNN_DENSE, .units = 1);
    tnn_set_loss(net, TNN_MSE);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01);
    for (int i = 0; i < 500; i++) tnn_train_batch_targets(net, x, y, N);
    printf("seed %d: loss %.6f\n", (int)*seed, tnn_train_batch_targets(net, x, y, N));
    *seed = tnn_hash(net);                                  /* 0 after an error */
    tnn_free(net);
    return NULL;
}

int main(void)
{
    uint64_t alone[2] = { 1, 2 }, together[2] = { 1, 2 };
    pthread_t thread[2];
    tnn_log_to_stderr();
    for (int i = 0; i < N; i++) y[i] = sinf(x[i] = 6 * (float)i / N - 3);
    for (int k = 0; k < 2; k++) train(&alone[k]);
    for (int k = 0; k < 2; k++) if (pthread_create(&thread[k], NULL, train, &together[k])) return 1;
    for (int k = 0; k < 2; k++) pthread_join(thread[k], NULL);
    const int same = alone[0] && alone[0] == together[0] && alone[1] == together[1];
    printf("the weights are %s to the bit\n", same ? "the same" : "different");
    return !same;
}
