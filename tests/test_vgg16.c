/* test_vgg16.c - VGG-16 (experiments/vgg16.h) against PyTorch, and transfer learning on it

   vgg16_vectors.py makes the expected outputs: of a net with a sixteenth of all filters and units,
   whose weights a hash of integers gives both sides; and, where TINYNN_VGG16 names the folder of
   its second form's files (tests/vgg16.sh makes them), of the full net with random weights.     */
#include "../experiments/vgg16.h"
#include "test.h"
#include "vectors.h"
#include "files.h"

/* ---- weights in a file, as timm or torchvision would have written them ----------------------- */

static const char *const CLASSIFIER[2][3] = {{"pre_logits.fc1", "pre_logits.fc2", "head.fc"},
                                             {"classifier.0", "classifier.3", "classifier.6"}};

/* Rows 0..to-1. Weights are streams 2k and 2k + 1 of test.h's numbers for the k-th layer with such,
   in the uniform distribution with variance 2/fan_in, and 1/8.                                   */
static void write_weights(const char *path, int to, int thin, int torchvision)
{
    static char text[8192];
    int channels = 3, at = 0, layer = 0, i, k, pass;
    size_t length = 0;
    FILE *f = fopen(path, "wb");
    CHECK(f, "%s cannot be written", path);
    if (!f) return;
    for (pass = 0; pass < 2; pass++) {
        channels = 3, at = layer = 0;
        for (i = 0; i < to; i++) {
            const int conv = VGG16[i].type == TNN_CONV2D, n = VGG16[i].size / thin;
            const int window = conv ? 9 : i == VGG16_FC1 ? 49 : 1, fan = channels * window;
            const float scale = (float)floor(128 * sqrt(6.0 / fan) + 0.5) / 128;
            char name[40], shape[60];
            if (!conv && VGG16[i].type != TNN_DENSE) continue;
            if (conv) snprintf(name, sizeof name, "features.%d", i);
            else snprintf(name, sizeof name, "%s", CLASSIFIER[torchvision][(i - VGG16_FC1) / 3]);
            if (conv || (i < VGG16_FC3 && !torchvision))
                snprintf(shape, sizeof shape, "%d,%d,%d,%d", n, channels,
                         conv ? 3 : i == VGG16_FC1 ? 7 : 1, conv ? 3 : i == VGG16_FC1 ? 7 : 1);
            else snprintf(shape, sizeof shape, "%d,%d", n, fan);
            if (pass == 0)
                length += (size_t)snprintf(text + length, sizeof text - length,
                    "%c\"%s.weight\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%d,%d]},"
                    "\"%s.bias\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[%d,%d]}",
                    layer ? ',' : '{', name, shape, at, at + 4*n*fan,
                    name, n, at + 4*n*fan, at + 4*n*fan + 4*n);
            for (k = 0; k < n*fan + n && pass == 1; k++) {
                const float v = k < n*fan ? test_value(2*(uint32_t)layer, (uint32_t)k) * scale
                              : test_value(2*(uint32_t)layer + 1, (uint32_t)(k - n*fan)) / 8;
                fwrite(&v, 4, 1, f);
            }
            at += 4*n*fan + 4*n;
            channels = n;
            layer++;
        }
        if (pass == 0) {
            unsigned char head[8] = {0};
            text[length++] = '}';
            for (k = 0; k < 4; k++) head[k] = (unsigned char)(length >> 8*k & 255);
            fwrite(head, 1, 8, f);
            fwrite(text, 1, length, f);
        }
    }
    fclose(f);
}

static tnn_net *net_of(int side, int from, int to, int thin)
{
    tnn_net *net = from ? tnn_create(.input = {VGG16[VGG16_FC1].size / thin, 1, 1}, .batch = 1)
                        : tnn_create(.input = {3, side, side}, .batch = 1);
    vgg16_add(net, from, to, thin);
    return net;
}

/* ---- the net ---------------------------------------------------------------------------------*/

/* Layers, shapes and parameters are those of the paper's table 2: 138 million. */
static void table(void)
{
    tnn_net *net = net_of(224, 0, VGG16_ROWS, 1);
    int shape[3];
    CHECK(tnn_param_total(net) == 138357544, "%ld parameters, %s", (long)tnn_param_total(net),
          tnn_error());
    CHECK(tnn_output_shape(net, shape) == 1000, "%d outputs", shape[0]);
    tnn_free(net);
    net = net_of(224, 0, VGG16_FC1 - 2, 1);
    CHECK(tnn_output_shape(net, shape) == 512*7*7 && shape[0] == 512, "%d channels", shape[0]);
    tnn_free(net);
}

static void forward(int side, tnn_net *net, float *y, int count)
{
    float *x = (float *)malloc(sizeof *x * 3 * (size_t)(side * side));
    test_fill(x, 3 * (size_t)(side * side), 100 + (uint32_t)side);
    CHECK(tnn_forward(net, x, 1, TNN_EVAL) == TNN_OK, "%s", tnn_error());
    if (tnn_output(net)) memcpy(y, tnn_output(net), sizeof *y * (size_t)count);
    free(x);
}

static void thin(void)
{
    const int sides[] = {128, 224};
    float y[2][62], features[256];
    const char *file[2];
    int i, k;
    load("vgg16.txt");
    for (k = 0; k < 2; k++)
        write_weights(file[k] = path_of(k ? "torchvision" : "timm"), VGG16_ROWS, 16, k);
    for (i = 0; i < 2 && case_count == 2; i++) {
        const array *want = get(&cases[i], "y");
        tnn_net *net[2], *part;
        CHECK(want->n == 62, "%d outputs", want->n);
        for (k = 0; k < 2; k++) {
            net[k] = net_of(sides[i], 0, VGG16_ROWS, 16);
            CHECK(vgg16_load(net[k], file[k], 0, VGG16_ROWS) == 0, "%s", tnn_error());
            forward(sides[i], net[k], y[k], 62);
        }
        CHECK_CLOSE("y", y[0], want->v, 62, 2e-6);
        CHECK_SAME("names of torchvision", y[1], y[0], sizeof y[0]);
        CHECK_REPEATS("y", y[0], 62);
        tnn_free(net[0]);
        tnn_free(net[1]);
        /* in two parts: to the first dense layer's ReLU, and from there on */
        part = net_of(sides[i], 0, VGG16_FC1 + 2, 16);
        CHECK(vgg16_load(part, file[0], 0, VGG16_FC1 + 2) == 0, "%s", tnn_error());
        forward(sides[i], part, features, 256);
        tnn_free(part);
        for (k = 0; k < 2; k++) {
            part = net_of(0, VGG16_FC1 + 2, VGG16_ROWS, 16);
            CHECK(vgg16_load(part, file[k], VGG16_FC1 + 2, VGG16_ROWS) == 0, "%s", tnn_error());
            tnn_forward(part, features, 1, TNN_EVAL);
            CHECK_SAME("in two parts", tnn_output(part), y[0], sizeof y[0]);
            tnn_free(part);
        }
    }
    /* a file that lacks what the net has */
    {
        tnn_net *net = net_of(128, 0, VGG16_ROWS, 16);
        write_weights(path_of("part"), VGG16_FC3, 16, 0);
        CHECK(vgg16_load(net, path_of("part"), 0, VGG16_ROWS) != 0
              && strstr(tnn_error(), "has no head.fc.weight"), "%s", tnn_error());
        tnn_clear_error();
        tnn_free(net);
    }
    remove(path_of("part"));
    remove(path_of("timm"));
    remove(path_of("torchvision"));
}

/* ---- transfer --------------------------------------------------------------------------------*/

enum { IMAGES = 20, SIDE = 8, SIZE = 3 * SIDE * SIDE };

static tnn_net *head(experiment *e, const void *row)
{
    (void)row;
    return vgg16_head(e);
}

static void transfer(void)
{
    static const experiment_run row = {"run", 32, 3}, section = {"transfer-section", 32, 3};
    static const vgg16_run run = {"run", "weights", 5, 2, 5, 4, {100, 110, 120}, 50};
    static unsigned char bytes[IMAGES * SIZE];
    static const char *const runs[] = {"run", NULL};
    experiment e;
    tnn_data images, part[2];
    char weights[600], path[600], result[600], log[600], *text[2];
    int labels[IMAGES], i, k, count = 0;
    float *y[4], x[SIZE];
    tnn_net *net;
    long size = 0;

    memset(&e, 0, sizeof e);
    e.name = "vgg";
    e.runs = runs;
    e.run  = "run";
    e.data = path_of("data");
    e.out  = folder;
    e.seed = 1;
    e.build = head;
    for (i = 0; i < IMAGES * SIZE; i++) bytes[i] = (unsigned char)(test_hash(3, (uint32_t)i) >> 24);
    for (i = 0; i < IMAGES; i++) labels[i] = i % 4;
    images = tnn_data_view(bytes, NULL, labels, IMAGES, 3, SIDE, SIDE);
    tnn_split(&images, 15, 1, &part[0], &part[1]);
    e.all = images, e.train = part[0], e.val = part[1];
    snprintf(weights, sizeof weights, "%s/vgg16/weights", e.data);
    snprintf(result, sizeof result, "%s/vgg/run.tsv", folder);
    snprintf(log, sizeof log, "%s", path_of("messages"));
    remove(result);
    remove(weights);
    CHECK(freopen(log, "w", stderr), "%s cannot be written", log);

    /* no weights: no run, and no failure */
    CHECK(vgg16_transfer(&e, &section) == 0 && !tnn_failed(), "%s", tnn_error());
    CHECK(!exists(result), "a result without weights");
    fflush(stderr);
    {
        size_t length;
        char *said = slurp(log, &length);
        CHECK(strstr(said, "vgg16/model.safetensors are not there"), "said \"%s\"", said);
        free(said);
    }

    experiment_mkdirs(weights);
    write_weights(weights, VGG16_BLOCK2, 1, 0);     /* of four convolutions; two are used */
    /* features are what the first layers make of normalised images */
    y[0] = vgg16_features(&e, &run, weights, &images, &count);
    CHECK(y[0] && count == 64 * 2 * 2, "%d features, %s", count, tnn_error());
    if (!y[0]) return;
    net = net_of(SIDE, 0, 5, 1);
    tnn_add(net, TNN_ADAPTIVE_AVGPOOL2D, .size = 2);
    vgg16_load(net, weights, 0, 5);
    for (k = 0; k < SIZE; k++)
        x[k] = ((float)bytes[7 * SIZE + k] - (float)(100 + 10 * (k / (SIDE * SIDE)))) / 50;
    tnn_forward(net, x, 1, TNN_EVAL);
    CHECK_SAME("features of image 7", y[0] + 7*count, tnn_output(net), sizeof(float) * 256);
    {   /* the file's name, by its hash */
        uint64_t hash = experiment_hash(tnn_hash(net), y[0], sizeof(float) * 256);
        hash = experiment_hash(hash, bytes, sizeof bytes);
        snprintf(path, sizeof path, "%s/vgg/features-%016llx.npy", folder,
                 (unsigned long long)hash);
    }
    tnn_free(net);
    /* the file is used: what it says is believed */
    {
        float *other = (float *)calloc(IMAGES * 256, sizeof *other);
        other[5] = 1;
        CHECK(tnn_save_npy(path, other, TNN_F32, 2, (long long[]){IMAGES, 256}) == TNN_OK, "%s",
              tnn_error());
        y[1] = vgg16_features(&e, &run, weights, &images, &count);
        CHECK_SAME("from the file", y[1], other, sizeof(float) * IMAGES * 256);
        /* but not one of another shape, nor a broken one */
        tnn_save_npy(path, other, TNN_F32, 2, (long long[]){IMAGES * 2, 128});
        y[2] = vgg16_features(&e, &run, weights, &images, &count);
        CHECK_SAME("another shape", y[2], y[0], sizeof(float) * IMAGES * 256);
        free(other);
    }
    {
        spill(path, "\x93NUMPY", 6);
        y[3] = vgg16_features(&e, &run, weights, &images, &count);
        CHECK_SAME("a broken file", y[3], y[0], sizeof(float) * IMAGES * 256);
        CHECK(!tnn_failed(), "%s", tnn_error());
    }
    for (i = 0; i < 4; i++) free(y[i]);

    /* trained twice: the same file, but for the seconds, with cached features or not */
    for (k = 0; k < 2; k++) {
        char *seconds;
        FILE *f;
        if (k) remove(path);
        remove(result);
        CHECK(vgg16_train(&e, &row, &run) == 0, "%s", tnn_error());
        text[k] = (char *)calloc(8192, 1);
        f = fopen(result, "rb");
        CHECK(f, "no %s", result);
        if (f) size = (long)fread(text[k], 1, 8191, f), fclose(f);
        CHECK(size > 100 && strstr(text[k], "\n3\t"), "%ld bytes", size);
        seconds = strstr(text[k], "# seconds");         /* the last line */
        if (seconds) memset(seconds, 0, strlen(seconds));
    }
    CHECK_SAME("results", text[0], text[1], 8192);
    free(text[0]);
    free(text[1]);
    /* complete: nothing is trained */
    CHECK(vgg16_train(&e, &row, &run) == 0 && e.run_done == 0,
          "trained again");
    tnn_data_free(&part[0]);
    tnn_data_free(&part[1]);
    remove(path);
    remove(weights);
}

/* ---- the full net ----------------------------------------------------------------------------*/

static void full(void)
{
    static float y[1000];
    char path[600];
    int i, k;
    double seconds[2] = {0, 0}, load_time = experiment_clock();
    directory = getenv("TINYNN_VGG16");
    load("vgg16.txt");
    snprintf(path, sizeof path, "%s/model.safetensors", directory);
    tnn_set_threads(1);
    for (i = 0; i < 2 && case_count == 2; i++) {
        const int side = i ? 224 : 128;
        tnn_net *net = net_of(side, 0, VGG16_ROWS, 1);
        load_time = experiment_clock();
        CHECK(vgg16_load(net, path, 0, VGG16_ROWS) == 0, "%s", tnn_error());
        load_time = experiment_clock() - load_time;
        for (k = 0; k < 4; k++) {
            const double start = experiment_clock();
            forward(side, net, y, 1000);
            if (!k || experiment_clock() - start < seconds[i])
                seconds[i] = experiment_clock() - start;
        }
        CHECK_CLOSE("y", y, get(&cases[i], "y")->v, 1000, 1e-5);
        tnn_free(net);
    }
    if (case_count == 2)
        test_note("128x128: %.2f s (PyTorch %.2f), 224x224: %.2f s (%.2f); loading %.2f s",
                  seconds[0], *get(&cases[0], "seconds")->v,
                  seconds[1], *get(&cases[1], "seconds")->v, load_time);
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    vectors_from(argc, argv);
    files_of(argv[0], "test_vgg16-");
    RUN("the table", table);
    EACH_ISA("a sixteenth of the net", thin);
    RUN("transfer, features kept in a file", transfer);
    if (getenv("TINYNN_VGG16")) RUN("the full net", full);
    else printf("skip  the full net: tests/vgg16.sh makes its weights\n");
    return test_finish();
}
