/* vgg16.h - VGG-16, and transfer learning: a new last layer on features of a trained net

   Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition"
   (2015), configuration D. Its weights are read from safetensors files under the names of timm's
   and of torchvision's models. Layers before the last stay as they are, so what they make of the
   images is computed once and kept beside the results.                                           */
#ifndef VGG16_H
#define VGG16_H

#include "experiment.h"

/* ==== The net =================================================================================
   A row per layer, as in torchvision: rows 0 to 30 are "features.0" to "features.30", rows 33, 36
   and 39 the classifier. Any rows that follow each other make a net, whose layer i is row from + i.
   Each number of filters and units is divided by `thin`: 1 is VGG-16, more is for tests.         */
#define VGG16_CONV(filters) {TNN_CONV2D, filters}, {TNN_RELU, 0}
#define VGG16_POOL          {TNN_MAXPOOL2D, 2}
static const struct { tnn_layer_type type; int size; } VGG16[] = {
    VGG16_CONV(64),  VGG16_CONV(64),                   VGG16_POOL,
    VGG16_CONV(128), VGG16_CONV(128),                  VGG16_POOL,
    VGG16_CONV(256), VGG16_CONV(256), VGG16_CONV(256), VGG16_POOL,
    VGG16_CONV(512), VGG16_CONV(512), VGG16_CONV(512), VGG16_POOL,
    VGG16_CONV(512), VGG16_CONV(512), VGG16_CONV(512), VGG16_POOL,
    {TNN_ADAPTIVE_AVGPOOL2D, 7}, {TNN_FLATTEN, 0},
    {TNN_DENSE, 4096}, {TNN_RELU, 0}, {TNN_DROPOUT, 0},
    {TNN_DENSE, 4096}, {TNN_RELU, 0}, {TNN_DROPOUT, 0},
    {TNN_DENSE, 1000},
};
enum { VGG16_BLOCK2 = 10, VGG16_FC1 = 33, VGG16_FC2 = 36, VGG16_FC3 = 39, VGG16_ROWS = 40 };

/* Adds rows from..to-1, frozen, their weights to be loaded. */
static inline void vgg16_add(tnn_net *net, int from, int to, int thin)
{
    for (int i = from; i < to; i++) {
        tnn_layer layer;
        memset(&layer, 0, sizeof layer);
        layer.type    = VGG16[i].type;
        layer.filters = layer.type == TNN_CONV2D ? VGG16[i].size / thin : 0;
        layer.units   = layer.type == TNN_DENSE  ? VGG16[i].size / thin : 0;
        layer.kernel  = layer.type == TNN_CONV2D ? 3 : layer.type == TNN_MAXPOOL2D ? 2 : 0;
        layer.pad     = layer.type == TNN_CONV2D;
        layer.size    = layer.type == TNN_ADAPTIVE_AVGPOOL2D ? VGG16[i].size : 0;
        layer.init    = layer.filters || layer.units ? TNN_INIT_ZERO : TNN_INIT_DEFAULT;
        layer.frozen  = 1;
        tnn_add_with(net, &layer);
    }
}

/* Loads all weights of rows from..to-1 into a net that begins with row `from`. The classifier is
   pre_logits.fc1, pre_logits.fc2 and head.fc in timm's files (as convolutions over 7x7 and 1x1),
   classifier.0, .3 and .6 in torchvision's. What else the file holds is not looked at. Returns 0,
   or -1 on failure, for tnn_error() to tell.                                                     */
static inline int vgg16_load(tnn_net *net, const char *path, int from, int to)
{
    static const char *const dense[2][3] = {{"pre_logits.fc1.", "pre_logits.fc2.", "head.fc."},
                                            {"classifier.0.", "classifier.3.", "classifier.6."}};
    tnn_safetensors     file = tnn_read_safetensors(path);
    tnn_weights_options o;
    char text[VGG16_ROWS][2][24];
    int  torchvision = 0, rows = 0;
    for (int i = 0; i < file.count; i++)
        if (strcmp(file.tensor[i].name, "classifier.0.weight") == 0) torchvision = 1;
    tnn_safetensors_free(&file);
    memset(&o, 0, sizeof o);
    o.path = path;
    for (int i = from; i < to; i++) {
        if (VGG16[i].type != TNN_CONV2D && VGG16[i].type != TNN_DENSE) continue;
        if (i < VGG16_FC1) snprintf(text[rows][0], sizeof text[0][0], "features.%d.", i);
        else strcpy(text[rows][0], dense[torchvision][(i - VGG16_FC1) / 3]);
        snprintf(text[rows][1], sizeof text[0][1], "%d.", i - from);
        o.rename[rows].file = text[rows][0];
        o.rename[rows].net  = text[rows][1];
        rows++;
    }
    return tnn_load_weights_with(net, &o) == 2 * rows ? 0 : -1;
}

/* ==== Transfer ==================================================================================
   A run: the first `features` rows make the features of each image, of x = (byte - mean)/std; with
   `pool` the image that comes out is averaged to pool x pool. On from there to row `until` they are
   part of each training step, frozen (that is for dropout); then a new dense layer is trained.   */
typedef struct vgg16_run {
    const char *name, *weights;         /* the latter a file in the folder of the data */
    int    features, pool, until, outputs;
    float  mean[3], std;
} vgg16_run;

/* A run whose weights are not there is tried with those of its next row. */
static const vgg16_run VGG16_RUNS[] = {
    /* Blocks 1 and 2 alone, with the weights of the paper, for bytes less ImageNet's mean colour;
       or with torchvision's, for ImageNet's mean 0 and variance 1. */
    {"transfer-section", "blocks12.safetensors", VGG16_BLOCK2, 8, VGG16_BLOCK2, 24,
     {123.68f, 116.779f, 103.939f}, 1},
    {"transfer-section", "model.safetensors", VGG16_BLOCK2, 8, VGG16_BLOCK2, 24,
     {123.675f, 116.28f, 103.53f}, 57.63f},
    /* As in the report: torchvision's weights, though images are scaled to -1..1, and 124 outputs
       for 24 classes. */
    {"transfer-vgg16", "model.safetensors", VGG16_FC1 + 2, 0, VGG16_FC3, 124,
     {127.5f, 127.5f, 127.5f}, 127.5f},
};
enum { VGG16_RUN_COUNT = sizeof VGG16_RUNS / sizeof VGG16_RUNS[0] };

/* What the net makes of n images of 3 x `pixels` bytes. x: room for them as floats. */
static inline void vgg16_forward(tnn_net *net, const vgg16_run *run, const unsigned char *bytes,
                                 int pixels, int n, float *x, float *features)
{
    int shape[3], count = tnn_output_shape(net, shape);
    for (int i = 0; i < n * 3 * pixels; i++)
        x[i] = ((float)bytes[i] - run->mean[i / pixels % 3]) / run->std;
    tnn_forward(net, x, n, TNN_EVAL);
    const float *y = tnn_output(net);
    if (y) memcpy(features, y, sizeof *y * (size_t)(n * count));
}

/* Reads the features (n, count) if the file holds such. */
static inline int vgg16_cached(const char *path, float *features, int n, int count)
{
    FILE *f = fopen(path, "rb");
    if (!f) return 0;
    fclose(f);
    tnn_array a = tnn_read_npy(path);
    int good = a.data && a.dtype == TNN_F32 && a.ndim == 2 && a.shape[0] == n
               && a.shape[1] == count;
    if (good) memcpy(features, a.data, sizeof *features * (size_t)a.count);
    tnn_array_free(&a);
    tnn_clear_error();                  /* a broken file is written anew */
    return good;
}

/* The features (n, count) of the images, which are n times 3 x h x w bytes in a row; the caller's
   to free. They are kept in OUT/EXPERIMENT/features-HASH.npy; the hash is of weights, images, and
   what comes out for the first of them, so of the kernels, too. NULL on failure, which it has
   reported.                                                                                      */
static inline float *vgg16_features(experiment *e, const vgg16_run *run, const char *weights,
                                    const tnn_data *images, int *count)
{
    enum { BATCH = 8 };
    const int    n = images->n, pixels = images->h * images->w;
    const size_t size = 3 * (size_t)pixels;
    char path[EXPERIMENT_PATH + 160], suffix[32];
    int  shape[3];

    tnn_net *net = tnn_create(.input = {3, images->h, images->w}, .batch = BATCH);
    vgg16_add(net, 0, run->features, 1);
    if (run->pool) tnn_add(net, TNN_ADAPTIVE_AVGPOOL2D, .size = run->pool);
    *count = tnn_output_shape(net, shape);
    float *x = (float *)malloc(sizeof *x * BATCH * size);
    float *y = (float *)malloc(sizeof *y * (size_t)n * (size_t)*count + 1);
    int good = x && y && vgg16_load(net, weights, 0, run->features) == 0;
    if (good) {
        vgg16_forward(net, run, images->bytes, pixels, 1, x, y);
        uint64_t hash = experiment_hash(tnn_hash(net), y, sizeof *y * (size_t)*count);
        hash = experiment_hash(hash, images->bytes, size * (size_t)n);
        snprintf(suffix, sizeof suffix, "-%016llx.npy", (unsigned long long)hash);
        snprintf(path, sizeof path, "%s", experiment_path(e, "features", suffix));
    }
    if (good && !vgg16_cached(path, y, n, *count)) {
        experiment_say(e, "computing the features of all images, once");
        for (int i = 0; i < n && !tnn_failed(); i += BATCH)
            vgg16_forward(net, run, images->bytes + size * (size_t)i, pixels,
                          n - i < BATCH ? n - i : BATCH, x, y + (size_t)i * (size_t)*count);
        experiment_mkdirs(path);                    /* if it cannot, saving says why */
        tnn_save_npy(path, y, TNN_F32, 2, (long long[]){n, *count});
        good = !tnn_failed();
    }
    if (!good && !experiment_failed(e)) experiment_say(e, "out of memory");
    if (!good) free(y);
    free(x);
    tnn_free(net);
    return good ? y : NULL;
}

/* What is trained on the features of the run at hand. Those of convolutions differ in scale, and
   Adam's steps do not: each is brought to mean 0 and variance 1 over the batch, without parameters.
   A network of an experiment, as its `build`.                                                    */
static struct { const vgg16_run *run; char weights[EXPERIMENT_PATH]; int count; } vgg16;
static inline tnn_net *vgg16_head(experiment *e)
{
    const vgg16_run *run = vgg16.run;
    tnn_net *net = tnn_create(.input = {vgg16.count, 1, 1}, .batch = 32, .seed = e->seed);
    if (run->features < VGG16_FC1) tnn_add(net, TNN_BATCHNORM, .no_affine = 1);
    vgg16_add(net, run->features, run->until, 1);
    tnn_add(net, TNN_DENSE, .units = run->outputs);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 1e-3);
    if (run->features < run->until) vgg16_load(net, vgg16.weights, run->features, run->until);
    e->loading.batch = 32;
    snprintf(e->settings, sizeof e->settings, "Adam, lr 0.001, batch 32, %d/%d samples, VGG-16's "
             "first %d rows, %d features, %d outputs, %s", e->train.n, e->val.n, run->until,
             vgg16.count, run->outputs, run->weights);
    return net;
}

/* The samples of `part` with features instead of pixels: a view. */
static inline tnn_data vgg16_view(const tnn_data *part, const float *features)
{
    tnn_data d = *part;
    d.bytes  = NULL;
    d.floats = features;
    d.c = vgg16.count, d.h = d.w = 1;
    d.mean = 0, d.std = 1;
    return d;
}

/* A row's run with the features of its images in their place. Returns 0, or -1 on failure, which it
   has reported.                                                                                  */
static inline int vgg16_train(experiment *e, const void *row, const vgg16_run *run)
{
    const tnn_data train = e->train, val = e->val;
    e->run    = run->name;
    vgg16.run = run;
    snprintf(vgg16.weights, sizeof vgg16.weights, "%s/vgg16/%s", e->data, run->weights);
    float *features = vgg16_features(e, run, vgg16.weights, &e->all, &vgg16.count);
    if (!features) return -1;
    e->train = vgg16_view(&train, features);
    e->val   = vgg16_view(&val, features);
    const int failed = experiment_do_run(e, row);
    e->train = train;
    e->val   = val;
    free(features);
    return failed;
}

/* A run, the row of a table. Where there are no weights there is none: it says which they would be,
   and returns 0.                                                                                 */
static inline int vgg16_transfer(experiment *e, const experiment_run *row)
{
    char path[EXPERIMENT_PATH + 160];
    struct stat there;
    for (int i = 0; i < VGG16_RUN_COUNT; i++) {
        if (strcmp(VGG16_RUNS[i].name, row->name) != 0) continue;
        snprintf(path, sizeof path, "%s/vgg16/%s", e->data, VGG16_RUNS[i].weights);
        if (stat(path, &there) == 0) return vgg16_train(e, row, &VGG16_RUNS[i]);
    }
    e->run = row->name;
    experiment_say(e, "skipped: the weights %s/vgg16/model.safetensors are not there (make "
                   "data-vgg16 fetches them, 553 MB)", e->data);
    e->work -= (double)experiment_epochs(e, row) * e->train.n;
    return 0;
}

#endif /* VGG16_H */
