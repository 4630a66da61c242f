/* hello_cpp.cpp - C++11: options are structs that are filled in, objects free themselves, and the
   first error becomes an exception. (From C++20 on tnn_add(net, TNN_DENSE, .units = 8) works too.)

       c++ -std=c++11 -O2 experiments/hello_cpp.cpp && ./a.out  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <cstdio>
#include <memory>
#include <stdexcept>

class Net {
    std::unique_ptr<tnn_net, decltype(&tnn_free)> net;
    static tnn_net *create(int inputs, int batch)
    {
        tnn_net_options options = {};                       // zero is the default of every option
        options.input[0] = inputs;
        options.batch = batch;
        options.seed = 1;
        return tnn_create_with(&options);
    }
public:
    Net(int inputs, int batch) : net(create(inputs, batch), tnn_free) { check(); }
    operator tnn_net *() const { return net.get(); }        // for every function of tinynn.h
    void add(tnn_layer_type type, int units = 0)
    {
        tnn_layer layer = {};
        layer.type = type;
        layer.units = units;
        tnn_add_with(net.get(), &layer);
    }
    static void check() { if (tnn_failed()) throw std::runtime_error(tnn_error()); }
};

int main() try
{
    const float x[4][2] = { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } };
    const int label[4] = { 0, 1, 1, 0 };
    Net net(2, 4);
    net.add(TNN_DENSE, 8);
    net.add(TNN_TANH);
    net.add(TNN_DENSE, 1);
    tnn_loss_options loss = {};
    loss.type = TNN_BCE_LOGITS;
    tnn_set_loss_with(net, &loss);
    tnn_optimizer adam = {};
    adam.type = TNN_ADAM;
    adam.lr = 0.05;
    tnn_set_optimizer_with(net, &adam);
    for (int i = 0; i < 200; i++) tnn_train_batch(net, x[0], label, 4);
    tnn_forward(net, x[0], 4, TNN_EVAL);
    Net::check();                                           // once: after an error nothing is done
    for (int i = 0; i < 4; i++)
        std::printf("%g xor %g = %d\n", x[i][0], x[i][1], tnn_output(net)[i] > 0);
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
