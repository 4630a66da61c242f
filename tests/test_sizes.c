/* test_sizes.c - sizes up to the largest int and beyond what memory holds, on 64 and on 32 bits

   Networks of any size are planned and counted, not built: tnn_net_bytes knows what they need, or
   there is an error that names a limit; a sanitizer (tests/platforms.sh sanitizers) sees sums and
   products that wrap. TINYNN_SIZES=200000 in the environment counts so many; TINYNN_SIZES=all also
   reads a file above 2 GiB, on 32 bits of 600 MiB, into as much memory. */
#include "test.h"

#include <limits.h>

enum { NETS = 5000 };
static const char *asked;       /* TINYNN_SIZES */

/* ---- What is large, and can be had ----------------------------------------------------------- */

static void layer(tnn_net *net, tnn_layer_type type, int units)
{
    tnn_layer o;
    memset(&o, 0, sizeof o);
    o.type = type;
    if (type == TNN_DENSE) o.units = units;
    if (type == TNN_CONV2D || type == TNN_MAXPOOL2D) o.kernel = type == TNN_CONV2D ? 3 : 2;
    if (type == TNN_CONV2D) o.filters = units;
    tnn_add_with(net, &o);
}
static tnn_net *network(int c, int h, int w, int batch)
{
    tnn_net_options o;
    memset(&o, 0, sizeof o);
    o.input[0] = c; o.input[1] = h; o.input[2] = w;
    o.batch = batch;
    o.threads = 1;
    return tnn_create_with(&o);
}
/* A tensor of 80 MB, a network of 70, a data set as large as MNIST's. */
static void can_be_had(void)
{
    enum { IMAGES = 60000, BYTES = 28*28 };
    static const unsigned char head[] = {0, 0, 8, 3, 0, 0, IMAGES >> 8, IMAGES & 255, 0, 0, 0, 28,
                                         0, 0, 0, 28};
    const size_t size = sizeof head + (size_t)IMAGES*BYTES;
    unsigned char *images = (unsigned char *)calloc(size, 1);
    unsigned char *labels = (unsigned char *)calloc(8 + IMAGES, 1);
    tnn_tensor t = tnn_tensor_create(1, 20, 1000, 1000);
    tnn_net *net = network(1, 64, 64, 1);
    tnn_loss_options loss;
    tnn_data d;
    CHECK(t.data && tnn_sum(t) <= 0, "%s", tnn_error());
    tnn_tensor_free(&t);
    memset(&loss, 0, sizeof loss);
    loss.type = TNN_CROSS_ENTROPY;
    layer(net, TNN_DENSE, 2048);
    tnn_set_loss_with(net, &loss);
    CHECK(tnn_net_bytes(net) > (size_t)2*4*4096*2048 && !tnn_build(net), "%s", tnn_error());
    tnn_free(net);
    CHECK(images && labels, "no memory");
    memcpy(images, head, sizeof head);
    memcpy(labels, head, 8);
    labels[3] = 1;
    d = tnn_parse_idx(images, size, labels, 8 + IMAGES);
    CHECK(d.n == IMAGES && d.h == 28, "%s", tnn_error());
    tnn_data_free(&d);
    free(images);
    free(labels);
}

/* ---- What cannot ----------------------------------------------------------------------------- */

static void refused(void)
{
    const double most = (double)(size_t)-1;
    tnn_net *net;
    size_t bytes;
    const char *number;
    double need;
    /* more weights than an int counts */
    net = network(46352, 1, 1, 1);
    layer(net, TNN_DENSE, 46352);
    CHECK(!tnn_net_bytes(net) && tnn_failed() == TNN_ERROR_SHAPE
          && strstr(tnn_error(), "46352x46352 weights, at most 2147483647"), "%s", tnn_error());
    tnn_clear_error();
    tnn_free(net);
    net = network(46340, 1, 1, 1);
    layer(net, TNN_DENSE, 46340);
    bytes = tnn_net_bytes(net);
    need = 4.0*46340*46340;
    CHECK(need < most ? (double)bytes > need && (double)bytes < 1.01*need : !bytes,
          "%g bytes: %s", (double)bytes, tnn_error());
    tnn_clear_error();
    tnn_free(net);
    /* about 38 GB: what is needed is told, wherever */
    net = network(3, 1024, 1024, 1000);
    layer(net, TNN_SIGMOID, 0);
    need = 4.0*3*1024*1024*1000*3;
    bytes = tnn_net_bytes(net);
    if (most < need) {
        number = strstr(tnn_error(), "tnn_net_bytes: ");
        CHECK(!bytes && number && tnn_failed() == TNN_ERROR_MEMORY, "%s", tnn_error());
        if (number) number += strlen("tnn_net_bytes: ");
    } else {
        static char text[32];
        snprintf(text, sizeof text, "%.0f", (double)bytes);
        number = text;
    }
    CHECK(number && strtod(number, NULL) > need && strtod(number, NULL) < 1.1*need,
          "%s: %s", number ? number : "none", tnn_error());
    test_note("%.12s bytes needed", number ? number : "");
    tnn_clear_error();
    tnn_free(net);
    /* more than can be counted */
    net = network(1024, 1024, 1024, INT_MAX);
    layer(net, TNN_SIGMOID, 0);
    CHECK(!tnn_net_bytes(net) && tnn_failed() == TNN_ERROR_MEMORY, "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_build(net) == TNN_ERROR_MEMORY && strstr(tnn_error(), "cannot allocate"),
          "%s", tnn_error());
    tnn_clear_error();
    tnn_free(net);
}

/* ---- Networks of any size, counted ----------------------------------------------------------- */

static uint64_t number, drawn;
static uint32_t draw(void)     { return tnn_random_bits(41, number, drawn++); }
static int      below(int n)   { return (int)(draw()%(uint32_t)n); }
static int      zero_or(int n) { return below(3) ? 0 : n; }
/* Each number of binary digits as likely; at, above or below a power of two. */
static int size(int digits)
{
    const int k = below(digits + 1);
    const long long power = 1LL << k, any = power + draw()%(uint64_t)power + below(3) - 1;
    return (int)(any < 1 ? 1 : any > INT_MAX ? INT_MAX : any);
}
static int window(int digits) { return below(6) ? 1 + below(3) : size(digits); }
static void any_layer(tnn_net *net, int i)
{
    static const tnn_layer_type types[] = {
        TNN_CONV2D, TNN_CONV2D, TNN_CONV2D, TNN_DENSE, TNN_DENSE, TNN_MAXPOOL2D, TNN_AVGPOOL2D,
        TNN_FLATTEN, TNN_RELU, TNN_CONV_TRANSPOSE2D, TNN_CONV_TRANSPOSE2D, TNN_ADAPTIVE_MAXPOOL2D,
        TNN_ADAPTIVE_AVGPOOL2D, TNN_UPSAMPLE, TNN_PAD, TNN_RESHAPE, TNN_ADD, TNN_CONCAT,
        TNN_BATCHNORM, TNN_LAYERNORM, TNN_GROUPNORM, TNN_INSTANCENORM, TNN_PRELU, TNN_GLU,
        TNN_DROPOUT, TNN_SOFTMAX, TNN_SIGMOID};
    tnn_layer o;
    memset(&o, 0, sizeof o);
    o.type = types[below(sizeof types/sizeof *types)];
    {
        const int conv = o.type == TNN_CONV2D || o.type == TNN_CONV_TRANSPOSE2D;
        const int units = size(26), filters = below(2) ? size(26) : size(8), kernel = window(12);
        const int kernel_h = zero_or(window(12)), stride = zero_or(window(21));
        const int pad = o.type == TNN_PAD || o.type == TNN_CONV2D ? zero_or(window(21)) : 0;
        const int pad_w = zero_or(pad), dilation = zero_or(window(12));
        const int groups = zero_or(1 << below(24));
        const int ceil = below(2), sides = zero_or(size(21)), factor = zero_or(size(21));
        const int output_pad = zero_or(below(3)), h = size(4);
        if (o.type == TNN_DENSE) o.units = units;
        if (conv) o.filters = filters, o.groups = groups;
        if (o.type == TNN_GROUPNORM) o.groups = 1;
        if (conv || o.type == TNN_MAXPOOL2D || o.type == TNN_AVGPOOL2D) {
            o.kernel = kernel, o.kernel_h = kernel_h, o.stride = stride;
            if (o.type != TNN_AVGPOOL2D) o.dilation = dilation;
            if (!conv) o.ceil = ceil;
        }
        if (o.type == TNN_PAD || o.type == TNN_CONV2D) o.pad = pad, o.pad_w = pad_w;
        if (o.type == TNN_UPSAMPLE || o.type == TNN_ADAPTIVE_MAXPOOL2D
            || o.type == TNN_ADAPTIVE_AVGPOOL2D) o.size = sides;
        if (o.type == TNN_UPSAMPLE && !sides) o.factor = factor;
        if (o.type == TNN_CONV_TRANSPOSE2D) o.output_pad = output_pad;
        if (o.type == TNN_RESHAPE) o.shape[0] = -1, o.shape[1] = h, o.shape[2] = 1;
    }
    o.from = o.type != TNN_ADD && o.type != TNN_CONCAT ? 0 : i ? 1 + below(i) : TNN_FROM_INPUT;
    o.orthogonal = o.type == TNN_DENSE && !below(4);
    o.drop_connect = o.type == TNN_DENSE && !below(4) ? 0.5f : 0;
    tnn_add_with(net, &o);
}
/* The network, with a batch of that many: what it takes, as a double; 0 if it cannot be, and then
   the message has a number. */
static double bytes_of(int batch, double *least)
{
    static const tnn_optimizer_type rules[] = {TNN_SGD, TNN_ADAM, TNN_ADAFACTOR, TNN_MUON,
                                               TNN_LBFGS, TNN_LARS};
    int c, h, w, layers, sides, i, shape[3];
    tnn_net *net;
    tnn_loss_options loss;
    tnn_optimizer rule;
    double bytes;
    drawn = 0;
    i = below(25);
    c = size(i);
    sides = 29 - i;
    h = size(below(2) ? 5 : below(sides < 20 ? sides : 20));
    w = below(4) ? h : size(below(2) ? 5 : (29 - i)/2);
    net = network(c, h, w, batch);
    layers = 1 + below(6);
    for (i = 0; i < layers && !tnn_failed(); i++) any_layer(net, i);
    memset(&loss, 0, sizeof loss);
    memset(&rule, 0, sizeof rule);
    loss.type = TNN_MSE;
    rule.type = rules[below(6)];
    rule.history = rule.type == TNN_LBFGS ? zero_or(1 << 20) : 0;
    if (below(4)) tnn_set_loss_with(net, &loss);
    tnn_set_optimizer_with(net, &rule);
    bytes = (double)tnn_net_bytes(net);
    if (tnn_failed() == TNN_ERROR_MEMORY) {         /* what is needed is told */
        const char *text = strstr(tnn_error(), "tnn_net_bytes: ");
        bytes = text ? strtod(text + strlen("tnn_net_bytes: "), NULL) : 0;
        CHECK(bytes > 0, "network %d: %s", (int)number, tnn_error());
        tnn_clear_error();
    }
    *least = tnn_failed() ? 0 : 4.0*((double)tnn_param_total(net)
                                     + (double)batch*tnn_output_shape(net, shape));
    CHECK(tnn_failed() ? strlen(tnn_error()) > 9 : bytes >= *least || bytes >= 1.44e17,
          "network %d: %g bytes, not the %g of parameters and output", (int)number, bytes, *least);
    tnn_clear_error();
    tnn_free(net);
    return bytes;
}
static void counted(void)
{
    const int nets = asked && atoi(asked) ? atoi(asked) : NETS;
    int taken = 0;
    for (number = 0; (int)number < nets; number++) {
        double least, before = 0, bytes;
        int k;
        for (k = 0; k < 3; k++) {
            bytes = bytes_of(k == 0 ? 1 : k == 1 ? 1000 : INT_MAX, &least);
            CHECK(bytes >= before, "network %d: %g bytes, %g with a smaller batch", (int)number,
                  bytes, before);
            if (k && !before)
                CHECK(bytes <= 0, "network %d: only with a larger batch", (int)number);
            if (!bytes) break;
            before = bytes;
        }
        taken += before > 0;
    }
    CHECK(taken > nets/4, "%d of %d taken", taken, nets);
    test_note("%d networks, %d taken", nets, taken);
}

/* ---- A large file ---------------------------------------------------------------------------- */

static char path[460];
/* One tensor of bytes, of which the last is 7. The file has a hole where the system makes some. */
static void large_file(void)
{
    const long long n = sizeof(void *) > 4 ? (1LL << 31) + 4096 : 600LL << 20;
    long long left;
    char header[200];
    tnn_safetensors file;
    int length;
    FILE *f = fopen(path, "wb");
    CHECK(f, "%s cannot be written", path);
    if (!f) return;
    length = snprintf(header + 8, sizeof header - 8, "{\"a\":{\"dtype\":\"U8\",\"shape\":[%.0f],"
                      "\"data_offsets\":[0,%.0f]}}", (double)n, (double)n);
    memset(header, 0, 8);
    header[0] = (char)length;
    fwrite(header, 1, (size_t)length + 8, f);
    for (left = n - 1; left > 0; left -= 1 << 30)
        fseek(f, left < 1 << 30 ? (long)left : 1L << 30, SEEK_CUR);
    fputc(7, f);
    CHECK(!fclose(f), "%s cannot be written", path);
    file = tnn_read_safetensors(path);
    CHECK(file.count == 1 && file.tensor[0].count == n && file.data[n - 1] == 7, "%s", tnn_error());
    test_note("%.0f bytes", (double)n);
    tnn_safetensors_free(&file);
    remove(path);
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    test_folder(path, sizeof path - 30, argv[0]);
    strcat(path, "/test_sizes.safetensors");
    asked = getenv("TINYNN_SIZES");
    RUN("large, and to be had", can_be_had);
    RUN("more than can be had", refused);
    RUN("networks of any size, counted", counted);
    if (asked && !strcmp(asked, "all")) RUN("a large file", large_file);
    return test_finish();
}
