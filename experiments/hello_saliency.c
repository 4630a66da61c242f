/* hello_saliency.c - a network tells squares from crosses in noise. Where does it look? In
   saliency.ppm are an image, its Grad-CAM (Selvaraju et al. 2017) and the saliency of its pixels.

       cc -O2 experiments/hello_saliency.c -lm && ./a.out  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 600, SIDE = 32, PIXELS = SIDE * SIDE };
static float x[N][PIXELS], shown[3][PIXELS];
static int labels[N], on[N][PIXELS];                    /* on: the shape */

int main(void)
{
    tnn_log_to_stderr();
    for (int n = 0; n < N; n++)
        for (int i = 0; i < PIXELS; i++) {
            const int across = abs(i % SIDE - 6 - (int)(tnn_random_bits(1, (uint64_t)n, 0) % 20));
            const int down = abs(i / SIDE - 6 - (int)(tnn_random_bits(1, (uint64_t)n, 1) % 20));
            labels[n] = n % 2;
            on[n][i] = across <= 4 && down <= 4 && (labels[n] == 0 || across <= 1 || down <= 1);
            x[n][i] = (float)on[n][i] + tnn_random_uniform(2, (uint64_t)n, (uint64_t)i);
        }
    tnn_data data = tnn_data_view(NULL, x[0], labels, N, 1, SIDE, SIDE);
    tnn_net *net = tnn_create(.input = { 1, SIDE, SIDE }, .batch = 50, .seed = 1);
    tnn_add(net, TNN_CONV2D, .filters = 16, .kernel = 5, .pad = 2);
    tnn_add(net, TNN_RELU);                             /* layer 2 */
    tnn_add(net, TNN_ADAPTIVE_MAXPOOL2D);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 2);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 1e-2);
    tnn_history run = tnn_fit(net, &data, NULL, .epochs = 12, .callback = tnn_progress);
    tnn_history_free(&run);

    tnn_look(net, .x = x[0], .outputs = &labels[0]);    /* what makes the right output large? */
    tnn_tensor dx = tnn_layer_gradient(net, 0);
    tnn_tensor y = tnn_layer_output(net, 2), dy = tnn_layer_gradient(net, 2);
    for (int i = 0; i < PIXELS && dy.data; i++) {
        shown[0][i] = x[0][i] / 2;
        for (int c = 0; c < y.c; c++)                   /* maps of filters by their mean gradient */
            shown[1][i] += y.data[c * PIXELS + i]
                * tnn_mean(tnn_tensor_view(dy.data + c * PIXELS, 1, 1, SIDE, SIDE));
        shown[1][i] = fmaxf(shown[1][i], 0);
        shown[2][i] = fabsf(dx.data[i]);
    }
    FILE *file = fopen("saliency.ppm", "wb");
    if (file) fprintf(file, "P6 %d %d 255\n", 3 * SIDE, SIDE);
    for (int i = 0; file && i < 3 * PIXELS; i++) {      /* grey; red, yellow, white */
        const int k = i / SIDE % 3, at = i / (3 * SIDE) * SIDE + i % SIDE;
        const float v = shown[k][at] / tnn_max(tnn_tensor_view(shown[k], 1, 1, SIDE, SIDE));
        for (int c = 0; c < 3; c++)
            fputc((int)(255 * (k == 0 ? v : fmaxf(0, fminf(1, 3 * v - (float)c)))), file);
    }
    if (file) fclose(file);
    tnn_tensor_free(&dx);
    tnn_tensor_free(&y);
    tnn_tensor_free(&dy);
    tnn_free(net);
    return tnn_failed() || !file;
}
