/* hello_images.c - a convolutional network tells circles, squares and crosses apart, drawn here.
   With the four files of MNIST or Fashion-MNIST (unpacked) it learns these:

       cc -O2 experiments/hello_images.c -lm && ./a.out
       ./a.out train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte \
               t10k-labels-idx1-ubyte  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <stdio.h>
#include <stdlib.h>

/* An image of 28x28 pixels: shape 0 a circle, 1 a square, 2 a cross, somewhere, with noise. */
static void draw(unsigned char *pixel, int shape, uint64_t number)
{
    const int cx = 9 + (int)(tnn_random_bits(1, number, 0) % 10), r = 4 + (int)(number % 5);
    const int cy = 9 + (int)(tnn_random_bits(1, number, 1) % 10);
    for (int i = 0; i < 28 * 28; i++) {
        const int x = abs(i % 28 - cx), y = abs(i / 28 - cy);
        const int on = shape == 0 ? x * x + y * y <= r * r : shape == 1 ? x <= r && y <= r
                     : (x <= r && y <= 1) || (y <= r && x <= 1);
        pixel[i] = (unsigned char)(180 * on + (int)(tnn_random_bits(2, number, (uint64_t)i) % 60));
    }
}

int main(int argc, char **argv)
{
    enum { N = 1200 };
    static unsigned char images[N][28 * 28];
    static int labels[N];
    tnn_data train, test;
    tnn_log_to_stderr();
    if (argc == 5) {
        train = tnn_load_idx(argv[1], argv[2]);
        test = tnn_load_idx(argv[3], argv[4]);
    } else {
        for (int i = 0; i < N; i++) draw(images[i], labels[i] = i % 3, (uint64_t)i);
        tnn_data all = tnn_data_view(images[0], NULL, labels, N, 1, 28, 28);
        tnn_split_stratified(&all, 1000, 1, &train, &test);
    }
    tnn_net *net = tnn_create(.input = { 1, 28, 28 }, .batch = 50, .seed = 1);
    tnn_add(net, TNN_CONV2D, .filters = 16, .kernel = 5, .pad = 2);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = train.classes);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 3e-3);
    tnn_history run = tnn_fit(net, &train, &test, .epochs = 8, .callback = tnn_progress);
    if (run.count) printf("test accuracy %.1f %%\n",
                          100 * run.epochs[run.count - 1].validation_accuracy);
    tnn_history_free(&run);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&test);
    return tnn_failed();
}
