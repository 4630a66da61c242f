/* test_memory.c - allocations: how many there are, each of them made to fail, and none at all.

   The networks are those of the five reports, some with fewer units or pixels, each with what its
   user does: trained, evaluated, stopped early, saved and loaded in every form. */
#include "hooked.h"
#include "test.h"
#include "text.h"

/* ---- A malloc that counts, remembers the last request, and fails when told ------------------- */
static int    made, freed, fail_after = -1;
static int    for_good;         /* not only once */
static size_t last_bytes;
void *test_malloc(size_t bytes)
{
    if (fail_after >= 0 && fail_after-- == 0) {
        if (for_good) fail_after = 0;
        return NULL;
    }
    made++;
    last_bytes = bytes;
    return malloc(bytes);
}
void test_free(void *p)
{
    freed += p != NULL;
    free(p);
}

/* ---- The networks ---------------------------------------------------------------------------- */
enum { NETS = 5, BATCH = 4, SAMPLES = 10 };
static const char *const nets[NETS] = { "Fashion-MNIST CNN", "Fashion-MNIST MLP", "flags CNN",
                                        "Kuzushiji MLP", "icons CNN" };
static float xs[SAMPLES*3*64*64];
static int   ys[SAMPLES];
static char  folder[256];

static const int *shape_of(int which)
{
    static const int shape[NETS][3] = { {1, 28, 28}, {1, 28, 28}, {3, 32, 32}, {1, 28, 28},
                                        {3, 32, 32} };
    return shape[which];
}
static tnn_net_options options_of(int which)
{
    tnn_net_options o;
    memset(&o, 0, sizeof o);
    memcpy(o.input, shape_of(which), sizeof o.input);
    o.batch = BATCH;
    o.threads = 2;
    o.seed = 3;
    return o;
}
static void layers(tnn_net *net, int which)
{
    static const char *const text[NETS] = {
        "conv 32 k3 s1 p1; relu; maxpool k2; conv 64 k3 s1 p1; relu; maxpool k2; flatten; "
        "dense 16; relu; dense 10",
        "flatten; dense 128; relu; dropout 0.2; dense 64; relu; dropout 0.2; dense 10",
        "conv 24 k5 s1 p1; relu; maxpool k2; conv 96 k5 s1 p1; relu; maxpool k2; flatten; "
        "dense 3; relu; dropout 0.3; dense 24",
        "flatten; dense 100 he; relu; dense 80 orthogonal; relu; dense 49",
        "conv 32 k3 s2 p1; relu; maxpool k2; conv 64 k3 s1 p1; relu; maxpool k2; flatten; "
        "dense 16; relu; dense 5"
    };
    add_layers(net, text[which]);
}
static void learns(tnn_net *net, int which)
{
    static const tnn_optimizer_type type[NETS] = { TNN_ADAM, TNN_SGD, TNN_NADAM, TNN_ADAMW,
                                                   TNN_SGD };
    static const float weights[5] = { 1, 2, 1, 1, 1 };
    if (which == 4) tnn_set_loss(net, TNN_CROSS_ENTROPY, .class_weights = weights);
    else tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, type[which], .lr = 0.001);
}
static void make_data(void)
{
    int i;
    for (i = 0; i < (int)(sizeof xs/sizeof *xs); i++)
        xs[i] = 2*tnn_random_uniform(5, 1, (uint64_t)i) - 1;
    for (i = 0; i < SAMPLES; i++) ys[i] = i%5;
}

/* ---- Each of them fails, once and for good ----------------------------------------------------
   A call that fails says so, and changes nothing: done again it succeeds. DO returns where memory
   fails for good, so everything to be freed is in `h`. */
typedef struct {
    tnn_net *net;
    tnn_data all, train, val;
    tnn_loader *loader;
    tnn_early_stopping stop;
    tnn_array array;
    tnn_safetensors file;
    int refused;
} held;
static int refused(held *h)
{
    if (!tnn_failed()) return 0;
    CHECK(tnn_failed() == TNN_ERROR_MEMORY && strstr(tnn_error(), "allocate"), "%s", tnn_error());
    tnn_clear_error();
    h->refused++;
    return 1;
}
#define DO(call) do { call; if (refused(h)) { if (for_good) return 0; \
                      call; CHECK(!tnn_failed(), "again: %s", tnn_error()); } } while (0)

static uint64_t use(held *h, int which)
{
    static char memory[4 << 20];
    const tnn_net_options o = options_of(which);
    const int *shape = shape_of(which);
    const long long dims[2] = { SAMPLES, 20 };
    const tnn_checkpoint_options none = { NULL, NULL, NULL, 0, 0 };
    char weights[300], state[300], npy[300], code[300];
    tnn_metrics m;
    size_t size = 0;
    int i, count, counts[49*49];
    snprintf(weights, sizeof weights, "%s/test_memory.safetensors", folder);
    snprintf(state, sizeof state, "%s/test_memory.tnn", folder);
    snprintf(code, sizeof code, "%s/test_memory_net.c", folder);
    snprintf(npy, sizeof npy, "%s/test_memory.npy", folder);
    DO(h->net = tnn_create_with(&o));
    count = tnn_layer_count(h->net);
    /* layers are added in one go: what was added before the one that failed stays */
    layers(h->net, which);
    if (refused(h)) {
        if (for_good) return 0;
        tnn_free(h->net);
        h->net = tnn_create_with(&o);
        layers(h->net, which);
    }
    CHECK(count == 0 && tnn_layer_count(h->net) > 5, "%d layers", tnn_layer_count(h->net));
    DO(learns(h->net, which));
    DO(tnn_build(h->net));
    h->all = tnn_data_view(NULL, xs, ys, SAMPLES, shape[0], shape[1], shape[2]);
    DO(tnn_split(&h->all, 8, 1, &h->train, &h->val));
    DO(h->loader = tnn_loader_create(&h->train, .batch = BATCH, .shuffle = 1));
    DO(m = tnn_train_epoch(h->net, h->loader));
    DO(m = tnn_evaluate(h->net, &h->val));
    DO(m = tnn_confusion(h->net, &h->val, counts, tnn_output_shape(h->net, NULL)));
    h->stop.restore_best = 1;
    DO(tnn_early_stop(&h->stop, h->net, m.loss));
    DO(tnn_early_stopping_end(&h->stop, h->net));
    DO(tnn_save_weights(h->net, weights));
    DO(tnn_load_weights(h->net, weights));
    DO(tnn_save_checkpoint(h->net, state, .loader = h->loader));
    DO(tnn_load_checkpoint(h->net, state, .loader = h->loader));
    if (which == 1) {
        DO(size = tnn_format_checkpoint(h->net, memory, sizeof memory, &none));
        CHECK(size > 0 && size <= sizeof memory, "%lu bytes", (unsigned long)size);
        DO(tnn_parse_checkpoint(h->net, memory, size, &none));
        DO(size = tnn_format_c(h->net, NULL, 0, NULL));
        CHECK(size > 500000, "%lu bytes", (unsigned long)size);
        DO(tnn_export_c(h->net, code));
    }
    DO(h->file = tnn_read_safetensors(weights));
    CHECK(h->file.count == tnn_param_count(h->net), "%d tensors", h->file.count);
    DO(tnn_save_npy(npy, xs, TNN_F32, 2, dims));
    DO(h->array = tnn_read_npy(npy));
    CHECK(h->array.count == SAMPLES*20, "%lld values", h->array.count);
    tnn_array_free(&h->array);
    DO(h->array = tnn_parse_csv("1,2\n3,4\n", 8));
    tnn_array_free(&h->array);
    DO(h->array = tnn_parse_pnm("P2 2 1 255 0 9", 14));
    for (i = 0; i < 2; i++) DO(m = tnn_train_epoch(h->net, h->loader));
    return tnn_hash(h->net);
}
static uint64_t used(int which, int fail_at, int *was_refused)
{
    held h;
    uint64_t hash;
    memset(&h, 0, sizeof h);
    made = freed = 0;
    fail_after = fail_at;
    hash = use(&h, which);
    CHECK(hash || for_good, "%s", tnn_error());
    fail_after = -1;
    tnn_clear_error();
    tnn_safetensors_free(&h.file);
    tnn_array_free(&h.array);
    tnn_early_stopping_end(&h.stop, NULL);
    tnn_loader_free(h.loader);
    tnn_data_free(&h.train);
    tnn_data_free(&h.val);
    tnn_free(h.net);
    CHECK(made == freed, "malloc %d failed: %d allocations, %d freed", fail_at, made, freed);
    *was_refused = h.refused;
    return hash;
}
static int failing;
static void each_fails(void)
{
    int n, refusals, total;
    uint64_t hash;
    const uint64_t want = used(failing, -1, &refusals);
    total = made;
    for (for_good = 0; for_good < 2; for_good++)
        for (n = 0; n < total; n++) {
            hash = used(failing, n, &refusals);
            CHECK(refusals == 1, "malloc %d of %d failed, and %d calls", n, total, refusals);
            CHECK(for_good ? !hash : hash == want, "malloc %d failed: another result", n);
        }
    for_good = 0;
    test_note("%d mallocs made to fail", total);
}

/* ---- How many there are ---------------------------------------------------------------------- */
static void one_allocation(void)
{
    const tnn_net_options o = options_of(0);
    tnn_net *net;
    size_t bytes;
    int before, i;
    made = freed = 0;
    net = tnn_create_with(&o);
    layers(net, 0);
    learns(net, 0);
    bytes = tnn_net_bytes(net);
    before = made;
    CHECK(bytes > 0 && made == before, "asking for the size allocates");
    tnn_build(net);
    CHECK(made == before + 1, "tnn_build makes %d allocations", made - before);
    CHECK(last_bytes == bytes, "%lu bytes announced, %lu taken",
          (unsigned long)bytes, (unsigned long)last_bytes);
    before = made;
    for (i = 0; i < 5; i++) {
        tnn_train_batch(net, xs, ys, BATCH);
        tnn_forward(net, xs, 3, TNN_EVAL);
        tnn_output(net);
    }
    CHECK(!tnn_failed() && made == before,
          "5 steps make %d allocations: %s", made - before, tnn_error());
    tnn_free(net);
    CHECK(made == freed, "%d allocations, %d freed", made, freed);
    test_note("%d allocations for a network, %lu bytes", made, (unsigned long)bytes);
}

/* What is no longer needed makes room: without a loss 36 convolutions, batch norms and ReLUs more
   take hardly more than their parameters; with one they keep one output of the three, besides
   parameters and their gradients. */
static void rooms(void)
{
    enum { FILTERS = 8, SIDE = 16, N = 8, IMAGES = 4*FILTERS*SIDE*SIDE*N };
    static const double most[2] = { 0.3, 2.3 };     /* of an output, for each */
    int loss, deep, i;
    for (loss = 0; loss < 2; loss++) {
        double bytes[2], each;
        for (deep = 0; deep < 2; deep++) {
            tnn_net *net = tnn_create(.input = { 3, SIDE, SIDE }, .batch = N, .threads = 1);
            for (i = 0; i < (deep ? 40 : 4); i++) {
                tnn_add(net, TNN_CONV2D, .filters = FILTERS, .kernel = 3, .pad = 1);
                tnn_add(net, TNN_BATCHNORM);
                tnn_add(net, TNN_RELU);
            }
            if (loss) tnn_set_loss(net, TNN_MSE);
            bytes[deep] = (double)tnn_net_bytes(net);
            tnn_free(net);
        }
        each = (bytes[1] - bytes[0])/36/IMAGES;
        CHECK(!tnn_failed() && each < most[loss], "%g outputs for a convolution, batch norm and "
              "ReLU; %s", each, tnn_error());
        test_note("%.2f outputs to %s", each, loss ? "train" : "infer");
    }
}

/* A network in the caller's memory: the same bits, and no allocation; with a byte less an error. */
static void in_memory(void)
{
    size_t need, room = 64 << 20;
    char *memory = (char *)malloc(room);
    int which, less, i;
    for (which = 0; which < NETS; which++) {
        tnn_net_options o = options_of(which);
        tnn_net *net = tnn_create_with(&o);
        uint64_t want;
        layers(net, which);
        learns(net, which);
        for (i = 0; i < 3; i++) tnn_train_batch(net, xs, ys, BATCH);
        want = tnn_hash(net);
        tnn_free(net);
        made = 0;
        need = 0;
        for (less = -1; less < 2; less++) {     /* in much memory, in just enough, in too little */
            memset(memory, 0x55, room);
            o.memory = memory + 4*which;
            o.bytes = less < 0 ? room - 128 : need - (size_t)less;
            net = tnn_create_with(&o);
            layers(net, which);
            learns(net, which);
            for (i = 0; i < 3; i++) tnn_train_batch(net, xs, ys, BATCH);
            if (less > 0) {
                CHECK(tnn_failed() == TNN_ERROR_MEMORY && strstr(tnn_error(), "of .memory"),
                      "%s in too little: %s", nets[which], tnn_error());
                tnn_clear_error();
                continue;
            }
            CHECK(tnn_hash(net) == want, "%s: other bits: %s", nets[which], tnn_error());
            need = tnn_net_bytes(net);
            for (i = 0; i < 64; i++)
                CHECK(memory[4*which + (int)o.bytes + i] == 0x55, "written past the end");
            tnn_free(net);
        }
        CHECK(!made, "%d allocations", made);
    }
    free(memory);
}

/* No memory for an orthogonal matrix: an error, and a network that can be built later. */
static void no_start(void)
{
    float w[200];
    int k;
    for_good = 1;
    for (k = 0; k < 5; k++) {
        tnn_net *net = tnn_create(.input = { 40 }, .batch = 1);
        tnn_add(net, TNN_DENSE, .units = 20, .init = TNN_INIT_ORTHOGONAL);
        tnn_add(net, TNN_DENSE, .units = 10, .init = TNN_INIT_ORTHOGONAL);
        fail_after = k;
        if (k < 3) CHECK(tnn_build(net) == TNN_ERROR_MEMORY, "built without memory, %d", k);
        else CHECK(tnn_build(net) == TNN_OK, "%s", tnn_error());
        fail_after = -1;
        CHECK(k > 2 || strstr(tnn_error(), k ? "orthogonal initial weights: cannot allocate"
                                             : "tnn_build: cannot allocate"), "%s", tnn_error());
        tnn_clear_error();
        CHECK(tnn_get_param(net, "1.weight", w, 200) == TNN_OK, "%s", tnn_error());
        tnn_free(net);
    }
    for_good = 0;
}

int main(int argc, char **argv)
{
    char name[100];
    test_start(argc, argv);
    test_folder(folder, sizeof folder, argv[0]);
    make_data();
    RUN("one allocation, none in a step", one_allocation);
    RUN("what is no longer needed makes room", rooms);
    RUN("no memory for initial weights", no_start);
    RUN("networks in the caller's memory", in_memory);
    for (failing = 0; failing < NETS; failing++) {
        snprintf(name, sizeof name, "each malloc fails, %s", nets[failing]);
        RUN(name, each_fails);
    }
    return test_finish();
}
