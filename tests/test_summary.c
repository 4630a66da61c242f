/* test_summary.c - tnn_summary against what PyTorch and torchsummary print

   vectors/summary.txt is written by summary_vectors.py: of two networks the modules and the table.
   The rows of our table begin with torchsummary's and go on with the multiply-adds. */
#include "test.h"
#include "vectors.h"

enum { ROOM = 16384 };
static char text[ROOM], want[ROOM];

/* The section "== NAME" of the file. */
static char *section(const char *name)
{
    static char file[ROOM];
    char path[512], head[64], *from, *to;
    FILE *f;
    size_t n = 0;
    snprintf(path, sizeof path, "%s/summary.txt", directory);
    f = fopen(path, "rb");
    CHECK(f, "cannot open %s", path);
    if (f) {
        n = fread(file, 1, sizeof file - 1, f);
        fclose(f);
    }
    file[n] = 0;
    snprintf(head, sizeof head, "== %s\n", name);
    from = strstr(file, head);
    CHECK(from, "%s has no network %s", path, name);
    if (!from) return strcpy(want, "");
    from += strlen(head);
    to = strstr(from, "\n== ");
    if (to) to[1] = 0;
    return strcpy(want, from);
}

/* Each line of `lines` is in `page`, in this order, at the beginning of a line. */
static void lines_in(const char *page, char *lines)
{
    char *line, *next;
    int count = 0;
    for (line = lines; *line; line = next, count++) {
        size_t n = strcspn(line, "\n");
        const char *p = page;
        next = line + n + (line[n] == '\n');
        line[n] = 0;
        while (*p && strncmp(p, line, n) != 0) {
            p += strcspn(p, "\n");
            p += *p == '\n';
        }
        CHECK(*p, "missing, or not in this order: %s", line);
        if (!*p) return;
        page = p + n;
    }
    CHECK(count > 5, "only %d lines", count);
}

static tnn_net *icons(void)
{
    tnn_net *net = tnn_create(.input = {3, 32, 32}, .batch = 10);
    tnn_add(net, TNN_CONV2D, .filters = 32, .kernel = 3, .stride = 2, .pad = 1);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(net, TNN_CONV2D, .filters = 64, .kernel = 3, .pad = 1);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 256);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 5);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.07);
    return net;
}

/* The net of report 5, whose text has these numbers. */
static void the_report(void)
{
    static const char *const products[] = {"  221,184\n", "1,179,648\n", "1,048,576\n", " 1,280\n",
                                           "Mult-adds: 2,450,688\n"};
    char *lines = section("icons"), *table = strstr(lines, "\n)\n"), *line, mb[64];
    tnn_net *net = icons();
    size_t n = tnn_summary(net, text, ROOM, TNN_SUMMARY_FUNCTIONAL), i;
    CHECK(!tnn_failed(), "%s", tnn_error());
    CHECK(n == strlen(text), "%d characters, said to be %d", (int)strlen(text), (int)n);
    for (i = 0; i < sizeof products / sizeof *products; i++)
        CHECK(strstr(text, products[i]), "no %s", products[i]);
    snprintf(mb, sizeof mb, "Batch of 10, allocated at once (MB): %.2f\n",
             (double)tnn_net_bytes(net) / 1048576);
    CHECK(strstr(text, mb), "no %s", mb);
    n = tnn_summary(net, text + n + 1, ROOM - n - 1, TNN_SUMMARY_FUNCTIONAL | TNN_SUMMARY_MODULES);
    for (line = lines; table && line < table; line = strchr(line, '\n') + 1) {
        char item[128] = "";
        if (!strstr(line, "): ")) continue;
        sscanf(strstr(line, "): ") + 3, "%127[^\n]", item);
        CHECK(strstr(text + strlen(text) + 1, item), "no %s", item);
    }
    CHECK(table, "no table in the file");
    if (table) lines_in(text, table + 3);
    tnn_free(net);
}

static tnn_net *modules(void)
{
    tnn_net *net = tnn_create(.input = {3, 16, 16}, .batch = 4);
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .pad = 1);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel_h = 3, .kernel_w = 5, .stride_h = 1,
            .stride_w = 2, .pad_h = 2, .pad_w = 3, .dilation = 2, .groups = 2, .no_bias = 1);
    tnn_add(net, TNN_LEAKY_RELU, .slope = 0.2f);
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .pad = 1, .pad_mode = TNN_REFLECT);
    tnn_add(net, TNN_PRELU, .per_channel = 1);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 3, .stride = 2, .pad = 1);
    tnn_add(net, TNN_CONV_TRANSPOSE2D, .filters = 6, .kernel = 3, .stride = 2, .pad = 1,
            .output_pad = 1);
    tnn_add(net, TNN_GROUPNORM, .groups = 3);
    tnn_add(net, TNN_ELU);
    tnn_add(net, TNN_INSTANCENORM);
    tnn_add(net, TNN_CELU, .alpha = 1.5f);
    tnn_add(net, TNN_AVGPOOL2D, .kernel = 2);
    tnn_add(net, TNN_SELU);
    tnn_add(net, TNN_PAD, .pad = 1);
    tnn_add(net, TNN_GELU);
    tnn_add(net, TNN_PAD, .pad = 2, .mode = TNN_REFLECT);
    tnn_add(net, TNN_SILU);
    tnn_add(net, TNN_PAD, .pad_h = 2, .pad_w = 1, .value = 2.5f);
    tnn_add(net, TNN_PAD, .pad = 1, .mode = TNN_REPLICATE);
    tnn_add(net, TNN_UPSAMPLE);
    tnn_add(net, TNN_MISH);
    tnn_add(net, TNN_UPSAMPLE, .size_h = 9, .size_w = 7, .mode = TNN_BILINEAR);
    tnn_add(net, TNN_SOFTPLUS);
    tnn_add(net, TNN_SOFTSIGN);
    tnn_add(net, TNN_LOG_SIGMOID);
    tnn_add(net, TNN_HARDTANH);
    tnn_add(net, TNN_HARDSIGMOID);
    tnn_add(net, TNN_HARDSWISH);
    tnn_add(net, TNN_RELU6);
    tnn_add(net, TNN_ADAPTIVE_AVGPOOL2D, .size = 4);
    tnn_add(net, TNN_ADAPTIVE_MAXPOOL2D, .size_h = 2, .size_w = 4);
    tnn_add(net, TNN_DROPOUT2D, .p = 0.25f);
    tnn_add(net, TNN_DROPOUT, .p = 0.1f);
    tnn_add(net, TNN_ALPHA_DROPOUT);
    tnn_add(net, TNN_LAYERNORM, .eps = 1e-3f);
    tnn_add(net, TNN_GLU);
    tnn_add(net, TNN_SOFTMAX);
    tnn_add(net, TNN_LOG_SOFTMAX);
    tnn_add(net, TNN_IDENTITY);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_LAYERNORM, .no_bias = 1);
    tnn_add(net, TNN_RMSNORM);
    tnn_add(net, TNN_DENSE, .units = 20);
    tnn_add(net, TNN_BATCHNORM, .eps = 1e-6f, .momentum = 0.25f);
    tnn_add(net, TNN_SIGMOID);
    tnn_add(net, TNN_RESHAPE, .shape = {5, 2, -1});
    tnn_add(net, TNN_GELU, .approximate = 1);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_TANH);
    tnn_add(net, TNN_DENSE, .units = 5, .no_bias = 1);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.1);
    return net;
}

static void pytorch(void)
{
    char *lines = section("modules"), *table = strstr(lines, "\n)\n");
    tnn_net *net = modules();
    size_t n;
    int built;
    CHECK(table, "no table in the file");
    for (built = 0; built < 2 && table; built++) {
        n = tnn_summary(net, text, ROOM, TNN_SUMMARY_MODULES);
        CHECK(!tnn_failed(), "%s", tnn_error());
        CHECK(n == (size_t)(table + 3 - lines) && memcmp(text, lines, n) == 0,
              "not what PyTorch prints:\n%s", text);
        CHECK(tnn_build(net) == TNN_OK, "%s", tnn_error());
    }
    tnn_summary(net, text, ROOM, 0);
    if (table) lines_in(text, table + 3);
    CHECK(tnn_param_total(net) == 2498 + 2*24, "%d", (int)tnn_param_total(net));
    tnn_free(net);
}

static int thrice_shape(void *user, const int in[3], int out[3], int *params)
{
    (void)user, (void)in, (void)out;
    *params = 7;
    return 0;
}
static void thrice_forward(void *user, const float *x, float *y, const float *p, int training)
{
    (void)user, (void)p, (void)training, (void)x;
    y[0] = 0;
}
static void thrice_backward(void *user, const float *x, const float *y, const float *dy, float *dx,
                            const float *p, float *dp)
{
    (void)user, (void)x, (void)y, (void)dy, (void)dx, (void)p, (void)dp;
}

/* What PyTorch has not, branches, and frozen layers. */
static void others(void)
{
    static const tnn_custom_layer thrice = {"Thrice", NULL, thrice_shape, NULL, thrice_forward,
                                            thrice_backward};
    tnn_net *net = tnn_create(.input = {4, 6, 6}, .batch = 2);
    tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 3, .pad = 1, .groups = 4, .frozen = 1);
    tnn_add(net, TNN_RMSNORM);
    tnn_add(net, TNN_GAUSSIAN_NOISE);
    tnn_add(net, TNN_GAUSSIAN_DROPOUT);
    tnn_add(net, TNN_STOCHASTIC_DEPTH);
    tnn_add(net, TNN_SCALE, .value = 0.5f);
    tnn_add(net, TNN_ADD, .from = 1);
    tnn_add(net, TNN_CONCAT, .from = TNN_FROM_INPUT);
    tnn_add(net, TNN_CUSTOM_LAYER, .custom = &thrice);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.1);
    tnn_summary(net, text, ROOM, 0);
    CHECK(!tnn_failed(), "%s", tnn_error());
    strcpy(want,
           "            Conv2d-1              [-1, 4, 6, 6]              40           1,296\n"
           "           RMSNorm-2              [-1, 4, 6, 6]             144               0\n"
           "     GaussianNoise-3              [-1, 4, 6, 6]               0               0\n"
           "   GaussianDropout-4              [-1, 4, 6, 6]               0               0\n"
           "   StochasticDepth-5              [-1, 4, 6, 6]               0               0\n"
           "             Scale-6              [-1, 4, 6, 6]               4               0\n"
           "               Add-7              [-1, 4, 6, 6]               0               0\n"
           "            Concat-8              [-1, 8, 6, 6]               0               0\n"
           "            Thrice-9              [-1, 8, 6, 6]               7               0\n"
           "        MaxPool2d-10              [-1, 8, 3, 3]               0               0\n"
           "           Linear-11                    [-1, 3]             219             216\n"
           "Total params: 414\nTrainable params: 374\nNon-trainable params: 40\n"
           "Mult-adds: 1,512\n");
    lines_in(text, want);
    CHECK(tnn_param_total(net) == 414, "%d", (int)tnn_param_total(net));
    CHECK(tnn_set_group(net, "10", 1, 1, 1) == TNN_OK, "%s", tnn_error());
    tnn_summary(net, text, ROOM, 0);
    CHECK(strstr(text, "Non-trainable params: 259\n"), "frozen afterwards: %s", text);
    tnn_summary(net, text, ROOM, TNN_SUMMARY_FUNCTIONAL);
    CHECK(!strstr(text, "Add-") && strstr(text, "Thrice-7"), "functional: %s", text);
    tnn_free(net);
}

static void buffers(void)
{
    tnn_net *net = icons();
    size_t n, whole = tnn_summary(net, NULL, 0, 0), room;
    char *copy;
    CHECK(whole > 1000 && whole < ROOM && !tnn_failed(), "%d %s", (int)whole, tnn_error());
    tnn_summary(net, text, ROOM, 0);
    for (room = 1; room < whole + 3; room += room < 4 || room > whole - 3 ? 1 : 97) {
        copy = (char *)malloc(room);        /* the sanitizers watch its end */
        n = tnn_summary(net, copy, room, 0);
        CHECK(n == whole, "room %d: length %d", (int)room, (int)n);
        CHECK(strlen(copy) == (room <= whole ? room - 1 : whole), "room %d", (int)room);
        CHECK(memcmp(copy, text, strlen(copy)) == 0, "room %d: other text", (int)room);
        free(copy);
    }
    tnn_free(net);
}

#define REFUSED(call, message)                                                                   \
    do {                                                                                         \
        CHECK((call) == 0 && strstr(tnn_error(), message), "%s", tnn_error());                   \
        tnn_clear_error();                                                                       \
    } while (0)
static void errors(void)
{
    tnn_net *net = icons();
    REFUSED(tnn_summary(NULL, text, ROOM, 0), "no network");
    REFUSED(tnn_summary(net, NULL, ROOM, 0), "no text");
    REFUSED(tnn_summary(net, text, ROOM, 4), "flags are");
    tnn_free(net);
    net = tnn_create(.input = {3, 32, 32});
    REFUSED(tnn_summary(net, text, ROOM, 0), "no layers");
    tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 40);
    REFUSED(tnn_summary(net, text, ROOM, 0), "does not fit");
    tnn_free(net);
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    vectors_from(argc, argv);
    RUN("the icons' net of report 5", the_report);
    RUN("every module of PyTorch", pytorch);
    RUN("other layers", others);
    RUN("buffers", buffers);
    RUN("errors", errors);
    return test_finish();
}
