/* hello_images.c - a convolutional network tells circles, squares and crosses apart, drawn here. Of
   MNIST's files `train` is  tnn_load_idx("train-images-idx3-ubyte", "train-labels-idx1-ubyte").

       cc -O2 experiments/hello_images.c -lm && ./a.out  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <stdio.h>

int main(void)
{
    enum { N = 1200, SIDE = 28, PIXELS = SIDE * SIDE };
    static unsigned char images[N][PIXELS];
    static int labels[N];
    tnn_log_to_stderr();                                    /* what goes wrong, when it does */
    for (int i = 0; i < N * PIXELS; i++) {                  /* at 100 places, in noise */
        const int n = i / PIXELS, shape = labels[n] = n % 3;
        const int x = i % SIDE - 9 - n / 3 % 10, y = i / SIDE % SIDE - 9 - n / 30 % 10;
        const int inside = shape == 0 ? x * x + y * y <= 30 : x * x <= 25 && y * y <= 25;
        const int on = inside && (shape < 2 || x * x <= 1 || y * y <= 1);
        const int noise = (int)(tnn_random_bits(1, 0, (uint64_t)i) % 100);
        images[n][i % PIXELS] = (unsigned char)(150 * on + noise);
    }
    tnn_data all = tnn_data_view(images[0], NULL, labels, N, 1, SIDE, SIDE), train, test;
    tnn_split_stratified(&all, 1000, 1, &train, &test);
    tnn_net *net = tnn_create(.input = { 1, SIDE, SIDE }, .batch = 50, .seed = 1);
    tnn_add(net, TNN_CONV2D, .filters = 16, .kernel = 5, .pad = 2);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = all.classes);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 3e-3);
    tnn_history run = tnn_fit(net, &train, &test, .epochs = 8, .callback = tnn_progress);
    printf("test accuracy %.1f %%\n", 100 * tnn_evaluate(net, &test).accuracy);
    tnn_history_free(&run);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&test);
    return tnn_failed();
}
