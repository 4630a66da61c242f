/* hello_cpp.cpp - C++11: options are structs that are filled in, a network frees itself, and the
   first error becomes an exception. (From C++20 on tnn_add(net, TNN_DENSE, .units = 8) works too.)

       c++ -std=c++11 -O2 experiments/hello_cpp.cpp && ./a.out  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <cstdio>
#include <memory>
#include <stdexcept>

static void add(tnn_net *net, tnn_layer_type type, int units = 0)
{
    tnn_layer layer = {};                                   // zero is the default of every option
    layer.type = type;
    layer.units = units;
    tnn_add_with(net, &layer);
}

int main() try
{
    const float x[4][2] = { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } };
    const int label[4] = { 0, 1, 1, 0 };
    tnn_net_options options = {};
    options.input[0] = 2;
    options.seed = 1;
    std::unique_ptr<tnn_net, decltype(&tnn_free)> net(tnn_create_with(&options), tnn_free);
    add(net.get(), TNN_DENSE, 8);
    add(net.get(), TNN_TANH);
    add(net.get(), TNN_DENSE, 1);
    tnn_loss_options loss = {};
    loss.type = TNN_BCE_LOGITS;
    tnn_set_loss_with(net.get(), &loss);
    tnn_optimizer adam = {};
    adam.type = TNN_ADAM;
    adam.lr = 0.05;
    tnn_set_optimizer_with(net.get(), &adam);
    for (int i = 0; i < 200; i++) tnn_train_batch(net.get(), x[0], label, 4);
    tnn_forward(net.get(), x[0], 4, TNN_EVAL);
    if (tnn_failed()) throw std::runtime_error(tnn_error());    // after an error nothing is done
    for (int i = 0; i < 4; i++)
        std::printf("%g xor %g = %d\n", x[i][0], x[i][1], tnn_output(net.get())[i] > 0);
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
