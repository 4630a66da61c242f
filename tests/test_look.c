/* test_look.c - looking inside: outputs and gradients of layers, profile, statistics

   tests/test_random.c looks into every network it draws, and holds what it sees against
   reference.h. Here a layer's output is that of a network which ends there, to the bit; PyTorch's
   vectors (look_vectors.py) are met; a look leaves no trace in training; and tables are right. */
#include "hooked.h"
#include "test.h"
#define number one_of           /* a name of both */
#include "vectors.h"
#undef number
#include "reference.h"
#include "random_net.h"
#include "random_graph.h"

/* The n-th allocation from now on fails, and all after it; 0: none does. */
static int fail_at;
static void hooked_fail_at(int n) { fail_at = n; }
void *test_malloc(size_t bytes)
{
    if (fail_at == 1 || (fail_at > 1 && --fail_at == 0 && (fail_at = 1) != 0)) return NULL;
    return malloc(bytes);
}
void test_free(void *p) { free(p); }

/* ---- a layer's output is that of a network cut behind it --------------------------------------*/

/* `cut` layers of the drawn network, without a loss; joins of what is cut off are none. */
static tnn_net *build(int cut, int loss)
{
    const tensor *x = net.shape;
    tnn_net *made = tnn_create(.input = { x->c, x->h, x->w }, .batch = net.batch, .seed = 3);
    int k;
    for (k = 0; k < cut; k++) tnn_add_with(made, &net.layer[k]);
    if (loss) tnn_set_loss(made, TNN_MSE);
    if (loss) tnn_set_optimizer(made, TNN_ADAM, .lr = 0.01);
    tnn_build(made);
    return made;
}
/* The parameters of the one that the other has, too. */
static void copy_parameters(tnn_net *from, tnn_net *to)
{
    int i;
    for (i = 0; i < tnn_param_count(to); i++) {
        const tnn_param p = tnn_param_info(to, i);
        float *v = test_floats((size_t)p.count);
        CHECK(!tnn_get_param(from, p.name, v, p.count) && !tnn_set_param(to, p.name, v, p.count),
              "%s", tnn_error());
        test_release(v);
    }
}
static void cut_networks(void)
{
    int number, tried = 0, k, loss;
    for (number = 0; number < 160; number++) {
        if (number % 2) draw_graph(number / 2);
        else draw_number(number * 7 % 600);
        if (!net.fits || net.cost > COST / 4) continue;
        for (k = 0; k < net.layers && net.layer[k].type != TNN_CUSTOM_LAYER; k++) {}
        if (k < net.layers) continue;
        for (loss = 0; loss < 2; loss++) {
            tnn_net *whole = build(net.layers, loss);
            const int n = net.shape[0].n;
            float *x = test_values((size_t)(n * values(net.shape[0])), (uint32_t)number);
            CHECK(!tnn_look(whole, .x = x, .n = n), "%d: %s", number, tnn_error());
            for (k = 1; k <= net.layers; k++) {
                tnn_net *part = build(k, loss);
                tnn_tensor y;
                if (tnn_failed()) {             /* a branch whose end is cut off */
                    CHECK(strstr(tnn_error(), "no layer reads"), "%d: %s", number, tnn_error());
                    tnn_clear_error();
                    tnn_free(part);
                    continue;
                }
                copy_parameters(whole, part);
                tnn_forward(part, x, n, TNN_EVAL);
                y = tnn_layer_output(whole, k);
                CHECK_SAME("output", y.data, tnn_output(part),
                           (size_t)(n * values(net.shape[k])) * sizeof(float));
                CHECK_REPEATS("output", y.data, n * values(net.shape[k]));
                tnn_tensor_free(&y);
                tnn_free(part);
                tried++;
            }
            tnn_free(whole);
            test_release(x);
        }
    }
    CHECK(tried > 500, "only %d", tried);
    CHECK(!tnn_failed(), "%s", tnn_error());
}

/* ---- networks with everything that is fused ---------------------------------------------------*/

enum { N = 6, CLASSES = 5, PIXELS = 16 * 8 * 8 };
static float x_of[N * PIXELS];
static int labels_of[N];
static tnn_net *fused(int training, tnn_net_options *options)
{
    tnn_net_options own = { .input = { 16, 8, 8 }, .batch = N, .seed = 9 };
    tnn_net *made = tnn_create_with(options ? options : &own);
    int i;
    for (i = 0; i < N * PIXELS; i++) x_of[i] = test_value(4, (uint32_t)i);
    for (i = 0; i < N; i++) labels_of[i] = i % CLASSES;
    tnn_add(made, TNN_CONV2D, .filters = 32, .kernel = 3, .pad = 1);        /* 1 */
    tnn_add(made, TNN_RELU);
    tnn_add(made, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(made, TNN_CONV2D, .filters = 32, .kernel = 3, .pad = 1);        /* 4 */
    tnn_add(made, TNN_BATCHNORM);
    tnn_add(made, TNN_LEAKY_RELU, .slope = 0.1f);
    tnn_add(made, TNN_ADD, .from = 3);                                      /* 7 */
    tnn_add(made, TNN_DROPOUT2D, .p = 0.3f);
    tnn_add(made, TNN_FLATTEN);
    tnn_add(made, TNN_DENSE, .units = 20);                                  /* 10 */
    tnn_add(made, TNN_RELU);
    tnn_add(made, TNN_DROPOUT, .p = 0.4f);
    tnn_add(made, TNN_DENSE, .units = CLASSES);                             /* 13 */
    if (training) tnn_set_loss(made, TNN_CROSS_ENTROPY);
    if (training) tnn_set_optimizer(made, TNN_ADAM, .lr = 1e-3);
    tnn_build(made);
    return made;
}
enum { LAYERS = 13 };

/* Looks of all kinds at each stage of a step; without any the bits are the same. */
static void no_trace(void)
{
    uint64_t hash[2];
    float y[2][N * CLASSES];
    int looks, step;
    for (looks = 0; looks < 2; looks++) {
        tnn_net *made = fused(1, NULL);
        for (step = 0; step < 5; step++) {
            if (looks) tnn_look(made, .x = x_of, .n = 2, .outputs = labels_of);
            tnn_forward(made, x_of, N - step % 2, TNN_TRAIN);
            if (looks) tnn_look(made, .x = NULL, .outputs = labels_of);
            if (looks) tnn_look(made, .x = x_of, .n = N, .mode = TNN_TRAIN);
            tnn_loss(made, labels_of);
            if (looks) tnn_look(made, .x = NULL);
            tnn_backward(made);
            if (looks) tnn_look(made, .x = NULL);
            if (looks) tnn_look(made, .x = x_of, .n = N, .labels = labels_of);
            tnn_step(made);
        }
        tnn_forward(made, x_of, N, TNN_EVAL);
        if (looks) tnn_look(made, .x = x_of, .n = 1);
        memcpy(y[looks], tnn_output(made), sizeof *y);
        hash[looks] = tnn_hash(made);
        CHECK(!tnn_failed(), "%s", tnn_error());
        tnn_free(made);
    }
    CHECK(hash[0] == hash[1], "training went another way");
    CHECK_SAME("output", y[0], y[1], sizeof *y);
}

/* In training the last layers' output and gradient are the network's own, with its dropout; and
   those of a network's inference plan, which reuses its memory, are those of the training plan. */
static void same_batch(void)
{
    tnn_net *made = fused(1, NULL), *used = fused(0, NULL);
    int k, i;
    tnn_forward(made, x_of, N, TNN_TRAIN);
    tnn_look(made, .x = NULL, .labels = labels_of);
    {
        tnn_tensor y = tnn_layer_output(made, LAYERS), d = tnn_layer_output(made, 12);
        CHECK_SAME("training output", y.data, tnn_output(made), sizeof(float) * N * CLASSES);
        for (i = k = 0; i < N * 20; i++) k += !(d.data[i] > 0);
        CHECK(k > N * 20 / 3 && k < N * 20, "dropout: %d zeros", k);
        tnn_tensor_free(&y);
        tnn_tensor_free(&d);
    }
    copy_parameters(made, used);
    tnn_look(made, .x = x_of, .n = N, .outputs = labels_of);
    tnn_forward(used, x_of, N, TNN_EVAL);
    tnn_look(used, .x = NULL, .outputs = labels_of);
    for (k = 0; k <= LAYERS; k++) {
        tnn_tensor a = tnn_layer_output(made, k), b = tnn_layer_output(used, k);
        tnn_tensor da = tnn_layer_gradient(made, k), db = tnn_layer_gradient(used, k);
        const size_t n = (size_t)a.n * (size_t)a.c * (size_t)a.h * (size_t)a.w;
        CHECK(a.n == N && b.n == N && a.c == b.c && a.h == b.h && a.w == b.w, "shape of %d", k);
        CHECK_SAME("output", a.data, b.data, n * sizeof(float));
        CHECK_SAME("gradient", da.data, db.data, n * sizeof(float));
        if (k == 0) CHECK_SAME("input", a.data, x_of, n * sizeof(float));
        for (i = 0; k == LAYERS && i < N * CLASSES; i++)
            CHECK(da.data[i] == (float)(i % CLASSES == labels_of[i / CLASSES]), "dy %d", i);
        if (k == 9) CHECK(a.c == 32 * 4 * 4 && a.h == 1, "a flatten is flat");
        CHECK_REPEATS("output", a.data, n);
        CHECK_REPEATS("gradient", da.data, n);
        tnn_tensor_free(&a);
        tnn_tensor_free(&b);
        tnn_tensor_free(&da);
        tnn_tensor_free(&db);
    }
    tnn_free(made);
    tnn_free(used);
}

/* The loss's gradient by the input against its differences; floats allow so much. */
static void differences(void)
{
    tnn_net *made = fused(1, NULL);
    double worst = 0, largest = 0;
    tnn_tensor dx;
    int i;
    for (i = 0; i < 3; i++) tnn_train_batch(made, x_of, labels_of, N);
    tnn_look(made, .x = x_of, .n = N, .labels = labels_of);
    dx = tnn_layer_gradient(made, 0);
    for (i = 0; i < N * PIXELS; i += 37) {
        const float was = x_of[i], h = 1.0f / 256;
        double up, down;
        x_of[i] = was + h, tnn_forward(made, x_of, N, TNN_EVAL), up = tnn_loss(made, labels_of);
        x_of[i] = was - h, tnn_forward(made, x_of, N, TNN_EVAL), down = tnn_loss(made, labels_of);
        x_of[i] = was;
        worst = fmax(worst, fabs((up - down) * 128 - (double)dx.data[i]));
        largest = fmax(largest, fabs((double)dx.data[i]));
    }
    CHECK(largest > 0 && worst < 0.02 * largest, "off by %g of %g", worst, largest);
    tnn_tensor_free(&dx);
    tnn_free(made);
}

/* ---- PyTorch ----------------------------------------------------------------------------------*/

/* The networks of look_vectors.py. */
static tnn_net *torch_net(int which)
{
    tnn_net *made = tnn_create(.input = { 3, 6, 6 }, .batch = 2);
    if (which == 0) {
        tnn_add(made, TNN_CONV2D, .filters = 8, .kernel = 3, .pad = 1);
        tnn_add(made, TNN_BATCHNORM);
        tnn_add(made, TNN_RELU);
        tnn_add(made, TNN_MAXPOOL2D, .kernel = 2);
        tnn_add(made, TNN_CONV2D, .filters = 8, .kernel = 3, .pad = 1);
        tnn_add(made, TNN_RELU);
        tnn_add(made, TNN_ADD, .from = 4);
        tnn_add(made, TNN_CONV2D, .filters = 4, .kernel = 1);
        tnn_add(made, TNN_CONCAT, .from = 7);
        tnn_add(made, TNN_ADAPTIVE_AVGPOOL2D);
        tnn_add(made, TNN_FLATTEN);
        tnn_add(made, TNN_DENSE, .units = 5);
    } else {
        tnn_add(made, TNN_FLATTEN);
        tnn_add(made, TNN_DENSE, .units = 16);
        tnn_add(made, TNN_GELU);
        tnn_add(made, TNN_DROPOUT, .p = 0.5f);
        tnn_add(made, TNN_DENSE, .units = 16);
        tnn_add(made, TNN_RELU);
        tnn_add(made, TNN_DENSE, .units = 5);
    }
    tnn_set_loss(made, TNN_CROSS_ENTROPY);
    return made;
}
static void torch_vectors(void)
{
    int which, way, i, k, labels[2];
    load("look.txt");
    CHECK(case_count == 4, "%d cases", case_count);
    for (i = 0; i < case_count; i++) {
        vectors *c = &cases[i];
        tnn_net *made;
        float *x = floats(c, "x");
        which = integer(c, "net", 0), way = integer(c, "way", 0);
        made = torch_net(which);
        for (k = 0; k < c->arrays; k++) {
            float *v;
            if (!strstr(c->a[k].key, "weight") && !strstr(c->a[k].key, "bias")
                && !strstr(c->a[k].key, "running")) continue;
            v = floats(c, c->a[k].key);
            DO(tnn_set_param(made, c->a[k].key, v, c->a[k].n));
            test_release(v);
        }
        for (k = 0; k < 2; k++) labels[k] = integer(c, "labels", k);
        if (way) DO(tnn_look(made, .x = x, .n = 2, .labels = labels));
        else DO(tnn_look(made, .x = x, .n = 2, .outputs = labels));
        for (k = 0; k <= tnn_layer_count(made); k++) {
            char key[20];
            tnn_tensor y = tnn_layer_output(made, k), dy = tnn_layer_gradient(made, k);
            snprintf(key, sizeof key, "y%d", k);
            if (find(c, key)) expect(c, key, y.data, 2e-6);
            snprintf(key, sizeof key, "d%d", k);
            if (find(c, key)) expect(c, key, dy.data, 4e-6);
            tnn_tensor_free(&y);
            tnn_tensor_free(&dy);
        }
        tnn_free(made);
        test_release_all();
    }
}

/* ---- what fails -------------------------------------------------------------------------------*/

static void refused(const char *what)
{
    CHECK(tnn_failed() && strstr(tnn_error(), what), "\"%s\" is not \"%s\"", tnn_error(), what);
    tnn_clear_error();
}
static void errors(void)
{
    static const int outside[N] = { 0, 1, CLASSES };
    static float dy[N * CLASSES];
    tnn_net *made = fused(1, NULL), *used = fused(0, NULL);
    tnn_tensor y;
    CHECK(!tnn_layer_output(made, 1).data, "before a look");
    refused("tnn_layer_output: comes after tnn_look");
    tnn_look(made, .x = NULL);
    refused("after tnn_forward and before tnn_step");
    tnn_look(made, .n = 3);
    refused(".n does nothing without .x");
    tnn_look(made, .x = x_of, .n = N + 1);
    refused("a batch of 7; this network takes 1 to 6");
    tnn_look(made, .x = x_of, .n = -1);
    refused(".n = -1 must be 1 to");
    tnn_look(made, .x = x_of, .outputs = labels_of, .dy = dy);
    refused(".outputs does nothing with .dy");
    tnn_look(made, .x = x_of, .n = 3, .outputs = outside);
    refused(".outputs[2] = 5 must be 0 to 4");
    tnn_look(used, .x = x_of, .labels = labels_of);
    refused("no loss was set");
    CHECK(!tnn_layer_output(used, 1).data, "after a look that failed");
    refused("comes after tnn_look");
    tnn_look(made, .x = x_of);
    CHECK(!tnn_layer_gradient(made, 1).data, "a look without a gradient");
    refused("with .outputs, .dy");
    CHECK(!tnn_layer_output(made, LAYERS + 1).data, "no such layer");
    refused("layer 14 must be 1 to 13, or 0 for the input");
    y = tnn_layer_output(made, LAYERS);
    CHECK(y.data && y.n == 1 && y.c == CLASSES, "%s", tnn_error());
    tnn_tensor_free(&y);
    CHECK(!tnn_look(NULL, .x = x_of) || tnn_failed(), "no network");
    refused("no network");
    tnn_free(made);
    tnn_free(used);
}

/* Every allocation fails once; and in .memory nothing is allocated but tensors. */
static void memory(void)
{
    static char room[1 << 22];
    tnn_net_options own = { .input = { 16, 8, 8 }, .batch = N, .seed = 9, .memory = room,
                            .bytes = sizeof room };
    int fails, k;
    tnn_net *made = fused(1, NULL);
    tnn_tensor y;
    for (fails = 1; fails < 100; fails++) {
        hooked_fail_at(fails);
        if (!tnn_look(made, .x = x_of, .outputs = labels_of)) break;
        hooked_fail_at(0);
        CHECK(tnn_failed() == TNN_ERROR_MEMORY, "%s", tnn_error());
        tnn_clear_error();
    }
    hooked_fail_at(1);
    CHECK(fails > 3 && fails < 100, "%d allocations", fails);
    CHECK(!tnn_layer_output(made, 2).data && tnn_failed() == TNN_ERROR_MEMORY, "a tensor");
    hooked_fail_at(0);
    tnn_clear_error();
    tnn_free(made);

    made = fused(1, &own);
    hooked_fail_at(1);
    CHECK(!tnn_look(made, .x = x_of, .outputs = labels_of), "%s", tnn_error());
    CHECK(!tnn_look(made, .x = x_of, .outputs = labels_of), "%s", tnn_error());
    hooked_fail_at(0);
    y = tnn_layer_gradient(made, 0);
    CHECK(y.data && tnn_net_bytes(made) <= sizeof room, "%s", tnn_error());
    tnn_tensor_free(&y);
    k = (int)tnn_net_bytes(made);
    tnn_free(made);
    own.bytes = (size_t)k - 1;
    made = fused(1, &own);
    CHECK(!tnn_failed(), "%s", tnn_error());
    tnn_look(made, .x = x_of);
    refused("of .memory");
    CHECK(!tnn_forward(made, x_of, N, TNN_TRAIN), "%s", tnn_error());
    tnn_free(made);
}

/* ---- profile ----------------------------------------------------------------------------------*/

static char page[1 << 14];
/* The number in the column that ends at `end`, of the line with this name; NaN: there is none. */
static double cell(const char *name, int end)
{
    const char *line = strstr(page, name);
    char text[16];
    if (!line) return NAN;
    while (line > page && line[-1] != '\n') line--;
    if (strcspn(line, "\n") < (size_t)end) return NAN;
    snprintf(text, sizeof text, "%.*s", 8, line + end - 8);
    return atof(text + strspn(text, " "));
}
static void profiles(void)
{
    static const char *const rows[] = { " input", "1 conv2d+relu+maxpool2d", "4 conv2d",
        "5 batchnorm+leaky_relu", "7 add", "8 dropout2d+flatten", "10 dense+relu+dropout",
        "13 dense" };
    int training, i;
    for (training = 1; training >= 0; training--) {
        tnn_net *made = fused(training, NULL);
        tnn_data data = tnn_data_view(NULL, x_of, labels_of, N, 16, 8, 8);
        double forward = 0, backward = 0, share = 0;
        uint64_t hash, draws;
        size_t length;
        for (i = 0; i < 3 && training; i++) tnn_train_batch(made, x_of, labels_of, N);
        hash = tnn_hash(made);
        tnn_forward(made, x_of, N, TNN_EVAL);
        draws = (uint64_t)tnn_output(made)[0];
        memset(page, '#', sizeof page);
        length = tnn_profile(made, &data, page, sizeof page);
        CHECK(length > 0 && length < sizeof page && strlen(page) == length, "%d of %d: %s",
              (int)length, (int)strlen(page), tnn_error());
        for (i = 0; i < 8; i++) {
            CHECK(cell(rows[i], 46) >= 0 && cell(rows[i], 94) >= 0, "no row %s:\n%s", rows[i], page);
            forward += cell(rows[i], 46), backward += cell(rows[i], 58), share += cell(rows[i], 66);
        }
        CHECK(cell("4 conv2d", 94) > cell("13 dense", 94), "MB:\n%s", page);
        CHECK(cell("4 conv2d", 76) > 0.01 && cell("4 conv2d", 76) < 1e4, "GFLOP/s:\n%s", page);
        CHECK((cell(" loss", 46) > 0) == training && (cell(" optimizer", 58) > 0) == training,
              "rows:\n%s", page);
        CHECK(forward > 0 && (backward > 0) == training, "columns:\n%s", page);
        share += cell(" other", 66) + (training ? cell(" loss", 66) + cell(" optimizer", 66) : 0);
        CHECK(fabs(share - 100) < 8, "shares are %g %%:\n%s", share, page);
        CHECK(hash == tnn_hash(made) && draws == (uint64_t)tnn_output(made)[0], "changed");
        length = tnn_profile(made, &data, page, 10);
        CHECK(length > 500 && strlen(page) == 9, "%d characters", (int)strlen(page));
        if (training) {         /* training goes on as if nothing had been */
            tnn_net *other = fused(1, NULL);
            for (i = 0; i < 4; i++) tnn_train_batch(other, x_of, labels_of, N);
            tnn_train_batch(made, x_of, labels_of, N);
            CHECK(tnn_hash(made) == tnn_hash(other), "training went another way");
            tnn_free(other);
        }
        tnn_profile(made, NULL, page, sizeof page);
        refused("tnn_profile: no network, no data");
        data = tnn_data_view(NULL, x_of, labels_of, 1, 16, 8, 4);
        tnn_profile(made, &data, page, sizeof page);
        refused("tnn_profile: ");
        tnn_free(made);
    }
}

/* ---- statistics -------------------------------------------------------------------------------*/

/* Value `column` (0 the first) of line `line` (0 the head) of a table of tabs. */
static double value_in(const char *table, int line, int column)
{
    while (line-- > 0) table += strcspn(table, "\n") + 1;
    while (column-- > 0) table += strcspn(table, "\t") + 1;
    return strncmp(table, "nan", 3) ? atof(table) : NAN;
}
static int lines_of(const char *table)
{
    int n = 0;
    for (; *table; table++) n += *table == '\n';
    return n;
}
/* By hand: x = (1, 2), (3, 4); y = W x with a unit that relu makes 0. */
static void statistics(void)
{
    static const float x[4] = { 1, 2, 3, 4 }, w[6] = { 1, 0, -1, -1, 0, 0.5f };
    const int labels[2] = { 0, 1 };
    float before[64];
    size_t count = 0, length;
    tnn_net *made = tnn_create(.input = { 2 }, .batch = 2);
    tnn_add(made, TNN_DENSE, .units = 3, .no_bias = 1);
    tnn_add(made, TNN_RELU);
    tnn_set_loss(made, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(made, TNN_SGD, .lr = 0.5);
    tnn_set_param(made, "0.weight", w, 6);
    CHECK(!tnn_layer_statistics(made, 1, NULL, page, sizeof page), "before a look");
    refused("tnn_layer_statistics: comes after tnn_look");
    tnn_look(made, .x = x, .n = 2);
    length = tnn_layer_statistics(made, 7, NULL, page, sizeof page);
    CHECK(length == strlen(page) && lines_of(page) == 3, "%s", page);
    CHECK(!strncmp(page, "epoch\tlayer\tname\toutput_mean\t", 28), "%s", page);
    /* outputs 1 -3 1; 3 -7 2: mean -0.5, mean square 73/6 */
    CHECK_NEAR("epoch", value_in(page, 1, 0), 7, 0);
    CHECK_NEAR("layer", value_in(page, 2, 1), 2, 0);
    CHECK_NEAR("mean", value_in(page, 1, 3), -0.5, 1e-5);
    CHECK_NEAR("std", value_in(page, 1, 4), sqrt(73.0 / 6 - 0.25), 1e-5);
    CHECK_NEAR("zeros", value_in(page, 1, 5), 0, 0);
    CHECK_NEAR("zeros", value_in(page, 2, 5), 1.0 / 3, 1e-5);
    CHECK_NEAR("dead", value_in(page, 2, 6), 1.0 / 3, 1e-5);
    CHECK_NEAR("weights", value_in(page, 1, 7), -0.5 / 6, 1e-4);
    CHECK_NEAR("weights", value_in(page, 1, 8), sqrt(3.25 / 6 - 0.25 / 36), 1e-5);
    CHECK(value_in(page, 2, 7) != value_in(page, 2, 7), "relu has no weights:\n%s", page);
    CHECK(value_in(page, 1, 11) != value_in(page, 1, 11), "nothing is known before:\n%s", page);
    tnn_flat(made, 0, &count);
    CHECK(count <= 64, "%d", (int)count);
    memcpy(before, tnn_flat(made, 0, NULL), count * sizeof(float));
    tnn_train_batch(made, x, labels, 2);
    tnn_layer_statistics(made, 8, before, page, sizeof page);
    {
        float g[6], now[6];
        double sum = 0, squares = 0, moved = 0;
        int i;
        tnn_get_grad(made, "0.weight", g, 6);
        tnn_get_param(made, "0.weight", now, 6);
        for (i = 0; i < 6; i++) {
            sum += (double)g[i], squares += (double)g[i] * (double)g[i];
            moved += ((double)now[i] - (double)w[i]) * ((double)now[i] - (double)w[i]);
        }
        CHECK(moved > 0, "no step");
        CHECK_NEAR("gradient", value_in(page, 1, 9), sum / 6, 1e-4);
        CHECK_NEAR("gradient", value_in(page, 1, 10), sqrt(squares / 6 - sum * sum / 36), 1e-5);
        CHECK_NEAR("update", value_in(page, 1, 11), sqrt(moved / 3.25), 1e-5);
    }
    tnn_free(made);
}
/* The callback's file: a head, and every epoch's rows; the run is the same without it. */
static char folder[400];
static void watched(void)
{
    tnn_watch watch = { 0 };
    char path[500];
    uint64_t hash[2];
    int with, batch, k;
    snprintf(path, sizeof path, "%s/look.tsv", folder);
    for (batch = 2; batch <= N; batch += N - 2)         /* three steps an epoch, and one */
        for (with = 0; with < 2; with++) {
            tnn_net *made = fused(1, NULL);
            tnn_data data = tnn_data_view(NULL, x_of, labels_of, N, 16, 8, 8);
            tnn_history run;
            FILE *f;
            watch.path = path;
            run = with ? tnn_fit(made, &data, &data, .epochs = 3, .batch = batch, .seed = 2,
                                 .callback = tnn_watch_layers, .user = &watch)
                       : tnn_fit(made, &data, &data, .epochs = 3, .batch = batch, .seed = 2);
            CHECK(run.count == 3 && !tnn_failed(), "%s", tnn_error());
            hash[with] = tnn_hash(made);
            tnn_history_free(&run);
            tnn_watch_end(&watch);
            tnn_free(made);
            if (!with) continue;
            memset(page, 0, sizeof page);
            f = fopen(path, "rb");
            CHECK(f && fread(page, 1, sizeof page - 1, f) > 0, "no %s", path);
            if (f) fclose(f);
            CHECK(lines_of(page) == 1 + 3 * LAYERS, "%d lines:\n%s", lines_of(page), page);
            for (k = 1; k <= 3 * LAYERS; k++) {
                const int layer = (k - 1) % LAYERS + 1, epoch = (k - 1) / LAYERS + 1;
                const double update = value_in(page, k, 11);
                const int has = layer == 1 || layer == 4 || layer == 5 || layer == 10
                                || layer == 13;
                CHECK_NEAR("epoch", value_in(page, k, 0), epoch, 0);
                CHECK_NEAR("layer", value_in(page, k, 1), layer, 0);
                if (has && (batch == 2 || epoch > 1))
                    CHECK(update > 1e-5 && update < 0.1, "update %g in line %d", update, k);
                else CHECK(update != update, "update %g in line %d", update, k);
            }
            CHECK(hash[0] == hash[1], "training went another way");
        }
    CHECK(!watch.before && !watch.text, "the end frees all");
    {
        tnn_net *made = fused(1, NULL);
        tnn_data data = tnn_data_view(NULL, x_of, labels_of, N, 16, 8, 8);
        tnn_history run;
        watch.path = NULL;
        run = tnn_fit(made, &data, NULL, .callback = tnn_watch_layers, .user = &watch);
        refused("tnn_watch_layers: .user of tnn_fit is to be a tnn_watch with .path");
        tnn_history_free(&run);
        tnn_free(made);
    }
    remove(path);
}

int main(int argc, char **argv)
{
    test_folder(folder, sizeof folder, argv[0]);
    test_start(argc, argv);
    vectors_from(argc, argv);
    EACH_SETTING("outputs of networks cut", cut_networks);
    EACH_SETTING("the same batch", same_batch);
    EACH_ISA("no trace", no_trace);
    EACH_ISA("differences", differences);
    EACH_ISA("PyTorch's", torch_vectors);
    RUN("profile", profiles);
    EACH_ISA("statistics", statistics);
    RUN("statistics of a run", watched);
    RUN("errors", errors);
    RUN("memory", memory);
    return test_finish();
}
