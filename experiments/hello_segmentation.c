/* hello_segmentation.c - a class for each pixel: background, disc or square. Labels move along when
   images are flipped and shifted; pixels that come from outside are not counted.

       cc -O2 experiments/hello_segmentation.c -lm && ./a.out  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <stdio.h>

int main(void)
{
    enum { N = 200, SIDE = 24, PIXELS = SIDE * SIDE, CLASSES = 3 };
    static float images[N * PIXELS];
    static int labels[N * PIXELS], counts[CLASSES * CLASSES];
    tnn_log_to_stderr();
    for (int i = 0; i < N * PIXELS; i++) {
        const int n = i / PIXELS, square = n % 2;
        const int x = i % SIDE - 6 - n / 2 % 12, y = i / SIDE % SIDE - 6 - n / 24 % 12;
        const int on = square ? x * x <= 4 && y * y <= 4 : x * x + y * y <= 25;
        labels[i] = on ? 1 + square : 0;
        images[i] = (float)on + 0.3f * tnn_random_normal(1, 0, (uint64_t)i);
    }
    tnn_data all = tnn_data_create(.n = N, .shape = { 1, SIDE, SIDE }, .floats = images,
                                   .labels = labels, .per_pixel = 1), train, test;
    tnn_split(&all, 160, 1, &train, &test);
    tnn_net *net = tnn_create(.input = { 1, SIDE, SIDE }, .batch = 10, .seed = 1);
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 9, .pad = 4);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_CONV2D, .filters = CLASSES, .kernel = 1);
    tnn_set_loss(net, TNN_CROSS_ENTROPY, .per_pixel = 1);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01);
    const tnn_loader_options augmented = { .batch = 10, .shuffle = 1, .flip = 0.5, .shift = 0.1 };
    tnn_history run = tnn_fit(net, &train, &test, .epochs = 40, .loader = &augmented);
    printf("%.2f %% of the pixels right\n", 100 * tnn_confusion(net, &test, counts, 3).accuracy);
    printf("mean IoU %.3f\n", tnn_class_report(counts, CLASSES, NULL).macro.iou);
    tnn_history_free(&run);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&test);
    return tnn_failed();
}
