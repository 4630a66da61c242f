/* hello_segmentation.c - a class for each pixel: background, disc or square. Labels move along when
   images are flipped and shifted; pixels that come from outside are not counted.

       cc -O2 experiments/hello_segmentation.c -lm && ./a.out  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    enum { N = 200, SIDE = 24, CLASSES = 3 };
    static float image[N][SIDE * SIDE];
    static int label[N][SIDE * SIDE];
    int counts[CLASSES * CLASSES];
    tnn_log_to_stderr();
    for (int i = 0; i < N; i++)
        for (int k = 0; k < SIDE * SIDE; k++) {
            const uint64_t n = (uint64_t)i;
            const int dx = k % SIDE - 6 - (int)(tnn_random_bits(1, n, 0) % 12);
            const int dy = k / SIDE - 6 - (int)(tnn_random_bits(1, n, 1) % 12);
            const int shape = 1 + i % 2;
            label[i][k] = (shape == 1 ? dx * dx + dy * dy <= 25 : abs(dx) <= 2 && abs(dy) <= 2)
                        ? shape : 0;
            image[i][k] = (label[i][k] > 0) + 0.3f * tnn_random_normal(2, n, (uint64_t)k);
        }
    tnn_data all = tnn_data_create(.n = N, .shape = { 1, SIDE, SIDE }, .floats = image[0],
                                   .labels = label[0], .per_pixel = 1), train, test;
    tnn_split(&all, 160, 1, &train, &test);
    tnn_net *net = tnn_create(.input = { 1, SIDE, SIDE }, .batch = 10, .seed = 1);
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 5, .pad = 2);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 5, .pad = 2);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_CONV2D, .filters = CLASSES, .kernel = 1);
    tnn_set_loss(net, TNN_CROSS_ENTROPY, .per_pixel = 1);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01);
    const tnn_loader_options augmented = { .batch = 10, .shuffle = 1, .flip = 0.5, .shift = 0.1 };
    tnn_history run = tnn_fit(net, &train, &test, .epochs = 40, .loader = &augmented);
    const tnn_metrics m = tnn_confusion(net, &test, counts, CLASSES);
    printf("%.2f %% of %d pixels right\n", 100 * m.accuracy, m.n);
    for (int k = 0; k < CLASSES; k++)
        printf("%-10s taken for background %5d, disc %5d, square %5d times\n",
               k == 0 ? "background" : k == 1 ? "disc" : "square", counts[CLASSES * k],
               counts[CLASSES * k + 1], counts[CLASSES * k + 2]);
    tnn_history_free(&run);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&test);
    return tnn_failed();
}
