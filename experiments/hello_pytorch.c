/* hello_pytorch.c - fine-tuning: the body of a network that PyTorch has trained, frozen, and a new
   head. It knew the 16 fields of a 4x4 board; from 300 points it learns which four are the middle.

       python3 board.py && cc -O2 experiments/hello_pytorch.c -lm && ./a.out board.safetensors

   with these lines as board.py, of which the last seven save any model:

       import collections, json, struct, torch
       from torch.nn import Linear, ReLU, Sequential
       body = Sequential(Linear(2, 64), ReLU(), Linear(64, 64), ReLU())
       model = Sequential(collections.OrderedDict(features=body, classifier=Linear(64, 16)))
       adam = torch.optim.Adam(model.parameters(), 0.01)
       for step in range(2000):
           x = 4 * torch.rand(256, 2)
           field = 4 * x[:, 0].long() + x[:, 1].long()
           adam.zero_grad()
           torch.nn.functional.cross_entropy(model(x), field).backward()
           adam.step()
       head, data = {}, b""            # or: safetensors.torch.save_file(model.state_dict(), path)
       for name, v in model.state_dict().items():
           at, data = len(data), data + v.float().numpy().tobytes()
           head[name] = {"dtype": "F32", "shape": list(v.shape), "data_offsets": [at, len(data)]}
       head = json.dumps(head).encode()
       with open("board.safetensors", "wb") as file:
           file.write(struct.pack("<Q", len(head)) + head + data)  */
#define TINYNN_IMPLEMENTATION
#include "../tinynn.h"
#include <stdio.h>

int main(int argc, char **argv)
{
    enum { TRAIN = 300, N = 2000 };
    static float x[N][2];
    static int middle[N];
    tnn_log_to_stderr();
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 2; k++) x[i][k] = 4 * tnn_random_uniform(1, (uint64_t)k, (uint64_t)i);
        middle[i] = x[i][0] >= 1 && x[i][0] < 3 && x[i][1] >= 1 && x[i][1] < 3;
    }
    tnn_data all = tnn_data_view(NULL, x[0], middle, N, 2, 1, 1), train, test;
    tnn_split(&all, TRAIN, 1, &train, &test);
    tnn_net *net = tnn_create(.input = { 2 }, .batch = 20, .seed = 1);
    tnn_add(net, TNN_DENSE, .units = 64, .frozen = 1);      /* features.0 of the file */
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 64, .frozen = 1);      /* features.2 */
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 2);                    /* in place of classifier */
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.03);
    tnn_load_weights(net, argc > 1 ? argv[1] : "board.safetensors",
                     .rename = { { "features.0.", "0." }, { "features.2.", "2." } });
    const double before = tnn_evaluate(net, &test).accuracy;
    tnn_history run = tnn_fit(net, &train, &test, .epochs = 100);
    if (run.count) printf("accuracy %.1f %%, after training %.1f %%\n", 100 * before,
                          100 * run.epochs[run.count - 1].validation_accuracy);
    else puts("The head of this program has the Python that makes its file.");
    tnn_history_free(&run);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&test);
    return tnn_failed();
}
