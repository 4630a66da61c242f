/* hello_regression.c - the price of a house from the other columns of a table, which the program
   writes first; or a column of a CSV of yours:

       cc -O2 experiments/hello_regression.c -lm && ./a.out
       ./a.out FILE.csv COLUMN  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <stdio.h>

int main(int argc, char **argv)
{
    const char *path = argc == 3 ? argv[1] : "hello_houses.csv";
    static float mean[1000], std[1000];
    tnn_data train, test;
    FILE *file = argc == 3 ? NULL : fopen(path, "w");
    tnn_log_to_stderr();
    if (file) fprintf(file, "area,age,kilometres,price\n");
    for (uint64_t i = 0; file && i < 500; i++) {
        const float age = 90 * tnn_random_uniform(1, 1, i), km = 20 * tnn_random_uniform(1, 2, i);
        const float area = 40 + 160 * tnn_random_uniform(1, 3, i);
        const float price = 2 + area / 40 * (1 + 2 / (1 + km)) - age / 60;
        fprintf(file, "%.0f,%.0f,%.1f,%.2f\n", area, age, km, price);
    }
    if (file) fclose(file);

    tnn_data all = tnn_load_csv(path, .targets = argc == 3 ? argv[2] : "price");
    if (all.c > 1000 || tnn_split(&all, all.n * 4 / 5, 1, &train, &test)) return 1;
    tnn_measure(&train, mean, std);                         /* of each column */
    tnn_normalize_channels(&train, mean, std);
    tnn_normalize_channels(&test, mean, std);
    tnn_net *net = tnn_create(.input = { all.c }, .batch = test.n, .seed = 1);
    tnn_add(net, TNN_DENSE, .units = 32);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 1);
    tnn_set_loss(net, TNN_MSE);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01);
    tnn_history run = tnn_fit(net, &train, &test, .epochs = 100, .batch = 20);
    tnn_loader *rest = tnn_loader_create(&test, .batch = test.n);
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
