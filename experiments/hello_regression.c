/* hello_regression.c - the price of a house from the other columns of a table, which the program
   writes first:   cc -O2 experiments/hello_regression.c -lm && ./a.out */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <stdio.h>

int main(void)
{
    FILE *file = fopen("hello_houses.csv", "w");
    float mean[3], std[3];
    tnn_data train, test;
    tnn_log_to_stderr();
    for (uint64_t i = 0; file && i < 2000; i++) {
        const float age = 90 * tnn_random_uniform(1, 1, i), km = 20 * tnn_random_uniform(1, 2, i);
        const float area = 40 + 160 * tnn_random_uniform(1, 3, i);
        fprintf(file, "%s%.0f,%.0f,%.1f,%.2f\n", i ? "" : "area,age,kilometres,price\n",
                area, age, km, 2 + area / 40 * (1 + 2 / (1 + km)) - age / 60);
    }
    if (file) fclose(file);
    tnn_data all = tnn_load_csv("hello_houses.csv", .targets = "price");
    tnn_split(&all, 1600, 1, &train, &test);
    tnn_measure(&train, mean, std);                         /* of each column */
    tnn_normalize_channels(&train, mean, std);
    tnn_normalize_channels(&test, mean, std);
    tnn_net *net = tnn_create(.input = { 3 }, .batch = 400, .seed = 1);
    tnn_add(net, TNN_DENSE, .units = 32);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 1);
    tnn_set_loss(net, TNN_MSE);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01);
    tnn_history run = tnn_fit(net, &train, NULL, .epochs = 100, .batch = 20);
    tnn_loader *rest = tnn_loader_create(&test, .batch = 400);
    if (tnn_next(rest) && !tnn_forward(net, rest->x, rest->n, TNN_EVAL)) {
        tnn_regression r = tnn_regression_report(tnn_output(net), rest->targets, rest->n, 1);
        printf("%d lines held out: R2 %.3f, mean error %.3f\n", rest->n, r.r2, r.mae);
    }
    tnn_loader_free(rest);
    tnn_history_free(&run);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&test);
    tnn_data_free(&all);
    return tnn_failed();
}
