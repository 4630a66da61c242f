/* hello_saliency.c - a network tells squares from crosses in noise. Where does it look? It writes a
   picture: the first image in green and, in red, the gradient by each of its pixels.

       cc -O2 experiments/hello_saliency.c -lm && ./a.out > saliency.ppm  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <math.h>
#include <stdio.h>

int main(void)
{
    enum { N = 600, SIDE = 32, PIXELS = SIDE * SIDE };
    static float images[N][PIXELS];
    static int labels[N];
    tnn_log_to_stderr();
    for (int i = 0; i < N * PIXELS; i++) {
        const int n = i / PIXELS, cross = labels[n] = n % 2;
        const int x = i % SIDE - 6 - n * 7 % 20, y = i / SIDE % SIDE - 6 - n / 20 % 20;
        const int on = x * x <= 16 && y * y <= 16 && (!cross || x * x <= 1 || y * y <= 1);
        images[n][i % PIXELS] = 0.4f * (float)on + 0.6f * tnn_random_uniform(1, 0, (uint64_t)i);
    }
    tnn_net *net = tnn_create(.input = { 1, SIDE, SIDE }, .batch = 50, .seed = 1);
    tnn_add(net, TNN_CONV2D, .filters = 16, .kernel = 5, .pad = 2);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_ADAPTIVE_MAXPOOL2D);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 2);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 1e-2);
    for (int i = 0; i < 12 * N; i += 50) tnn_train_batch(net, images[i % N], labels + i % N, 50);
    tnn_look(net, .x = images[0], .outputs = labels);       /* what makes the right output large? */
    tnn_tensor dx = tnn_layer_gradient(net, 0);             /* by layer 0, the input */
    const float most = tnn_max(dx);
    printf("P3 %d %d 255\n", SIDE, SIDE);
    for (int i = 0; i < PIXELS && dx.data; i++)
        printf("%.0f %.0f 0\n", fminf(255, 255 * fabsf(dx.data[i]) / most), 255 * images[0][i]);
    tnn_tensor_free(&dx);
    tnn_free(net);
    return tnn_failed();
}
