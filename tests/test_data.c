/* test_data.c - data of any kind, from the data set to the metrics: what goes through loaders,
   tnn_train_epoch and tnn_evaluate is what the same steps by hand give, to the bit. */
#include "test.h"

#define SAYS(words) do { \
    CHECK(strstr(tnn_error(), words), "\"%s\" is not about \"%s\"", tnn_error(), words); \
    tnn_clear_error(); } while (0)

enum { N = 23, BATCH = 5 };

/* The weights after an epoch of the loader, and what tnn_evaluate says before and after. */
static uint64_t trained(tnn_net *net, const tnn_data *data, tnn_metrics metrics[3])
{
    tnn_loader *batches = tnn_loader_create(data, .batch = BATCH, .shuffle = 1, .seed = 4);
    uint64_t hash;
    metrics[0] = tnn_evaluate(net, data);
    metrics[1] = tnn_train_epoch(net, batches);
    metrics[2] = tnn_evaluate(net, data);
    CHECK(!tnn_failed(), "%s", tnn_error());
    CHECK(metrics[2].loss < metrics[0].loss, "nothing is learnt: %g, then %g", metrics[0].loss,
          metrics[2].loss);
    hash = tnn_hash(net);
    tnn_loader_free(batches);
    tnn_free(net);
    return hash;
}
/* The same by hand. x, labels or targets, and weights are of all samples, whose sizes are given. */
static uint64_t by_hand(tnn_net *net, const float *x, int size, const int *labels, int each,
                        const float *targets, int values, const float *weights, double *loss)
{
    int order[N], i, k, n;
    float *bx = test_floats((size_t)BATCH * (size_t)size), bw[BATCH];
    float *bt = test_floats((size_t)BATCH * (size_t)(values + 1));
    int bl[BATCH * 64];
    uint64_t hash;
    for (i = 0; i < N; i++) order[i] = i;
    tnn_shuffle(order, N, 4, (uint64_t)1 << 62);
    *loss = 0;
    for (i = 0; i < N; i += n) {
        n = N - i < BATCH ? N - i : BATCH;
        for (k = 0; k < n; k++) {
            const size_t at = (size_t)order[i + k];
            memcpy(bx + k * size, x + at * (size_t)size, (size_t)size * sizeof *x);
            if (labels)
                memcpy(bl + k * each, labels + at * (size_t)each, (size_t)each * sizeof *bl);
            if (targets)
                memcpy(bt + k * values, targets + at * (size_t)values, (size_t)values * sizeof *bt);
            if (weights) bw[k] = weights[at];
        }
        tnn_forward(net, bx, n, TNN_TRAIN);
        *loss += tnn_loss_weighted(net, labels ? bl : NULL, targets ? bt : NULL,
                                   weights ? bw : NULL);
        tnn_backward(net);
        tnn_step(net);
    }
    *loss /= (N + BATCH - 1) / BATCH;
    hash = tnn_hash(net);
    tnn_free(net);
    test_release(bx);
    test_release(bt);
    return hash;
}
static void same_as_by_hand(const char *what, tnn_net *(*make)(void), const tnn_data *data,
                            const float *x, int each, int values)
{
    tnn_metrics m[3];
    double loss;
    const uint64_t loaded = trained(make(), data, m);
    const uint64_t hand = by_hand(make(), x, data->c * data->h * data->w, data->labels, each,
                                  data->reconstruct ? x : data->targets, values, data->weights,
                                  &loss);
    CHECK(loaded == hand, "%s: other weights than by hand", what);
    CHECK_SAME("the epoch's loss", &m[1].loss, &loss, sizeof loss);
    CHECK(data->labels ? m[2].accuracy >= 0 : m[2].accuracy != m[2].accuracy && m[2].n == N,
          "%s: accuracy %g of %d", what, m[2].accuracy, m[2].n);
}

/* ==== ONE DATA SET OF EACH KIND =============================================================== */

static tnn_net *regression(void)
{
    tnn_net *net = tnn_create(.input = { 6 }, .batch = BATCH, .seed = 1);
    tnn_add(net, TNN_DENSE, .units = 8);
    tnn_add(net, TNN_TANH);
    tnn_add(net, TNN_DENSE, .units = 2);
    tnn_set_loss(net, TNN_MSE);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.05f);
    return net;
}
static tnn_net *several_labels(void)
{
    tnn_net *net = tnn_create(.input = { 6 }, .batch = BATCH, .seed = 1);
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_BCE_LOGITS);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01f);
    return net;
}
static tnn_net *classifier(void)
{
    tnn_net *net = tnn_create(.input = { 6 }, .batch = BATCH, .seed = 1);
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01f);
    return net;
}
static tnn_net *segmentation(void)
{
    tnn_net *net = tnn_create(.input = { 2, 5, 4 }, .batch = BATCH, .seed = 1);
    tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 3, .pad = 1);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_CONV2D, .filters = 3, .kernel = 1);
    tnn_set_loss(net, TNN_CROSS_ENTROPY, .per_pixel = 1);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01f);
    return net;
}
static tnn_net *image_to_image(void)
{
    tnn_net *net = tnn_create(.input = { 2, 5, 4 }, .batch = BATCH, .seed = 1);
    tnn_add(net, TNN_CONV2D, .filters = 2, .kernel = 3, .pad = 1);
    tnn_set_loss(net, TNN_MSE);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.05f);
    return net;
}
static void kinds(void)
{
    float *x = test_values(N * 40, 1), *t = test_values(N * 40, 2), *w = test_values(N, 3);
    float *ones = test_floats(N * 3);
    int labels[N * 20], classes[N], i;
    for (i = 0; i < N; i++) classes[i] = x[i * 6] > 0;
    for (i = 0; i < N; i++) w[i] = i % 4 ? (float)fabs((double)w[i]) : 0;
    for (i = 0; i < N * 3; i++) ones[i] = x[i / 3 * 6 + i % 3] > 0;
    for (i = 0; i < N * 20; i++) labels[i] = i % 7 == 3 ? -100 : x[i / 20 * 40 + i % 20] > 0;
    {
        const tnn_data d[] = {
            tnn_data_create(.n = N, .shape = { 6 }, .floats = x, .targets = t, .target = { 2 }),
            tnn_data_create(.n = N, .shape = { 6 }, .floats = x, .targets = t, .target = { 2 },
                            .weights = w),
            tnn_data_create(.n = N, .shape = { 6 }, .floats = x, .targets = ones, .target = { 3 }),
            tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .floats = x, .labels = labels,
                            .per_pixel = 1),
            tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .floats = x, .labels = labels,
                            .per_pixel = 1, .weights = w),
            tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .floats = x, .targets = t,
                            .target = { 2, 5, 4 }),
            tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .floats = x, .reconstruct = 1),
            tnn_data_create(.n = N, .shape = { 6 }, .floats = x, .labels = classes, .weights = w)
        };
        CHECK(!tnn_failed(), "%s", tnn_error());
        same_as_by_hand("regression", regression, &d[0], x, 0, 2);
        same_as_by_hand("regression, weights", regression, &d[1], x, 0, 2);
        same_as_by_hand("several labels", several_labels, &d[2], x, 0, 3);
        same_as_by_hand("segmentation", segmentation, &d[3], x, 20, 0);
        same_as_by_hand("segmentation, weights", segmentation, &d[4], x, 20, 0);
        same_as_by_hand("image to image", image_to_image, &d[5], x, 0, 40);
        same_as_by_hand("auto-encoder", image_to_image, &d[6], x, 0, 40);
        same_as_by_hand("classes, weights", classifier, &d[7], x, 1, 0);
    }
}

/* ==== WEIGHTS ================================================================================= */

/* A sample of weight 2 is one that comes twice, one of weight 0 none: the same loss and gradients,
   whatever the loss. */
static void weights_repeat(void)
{
    static const float w[4] = { 2, 0, 1, 3 };
    static const int which[6] = { 0, 0, 2, 3, 3, 3 };
    const float class_weights[3] = { 0.5f, 2, 1 };
    int type, i, k, labels[4] = { 0, 1, 2, 1 }, more[6];
    for (type = TNN_CROSS_ENTROPY; type <= TNN_DICE; type++) {
        const int gauss = type == TNN_GAUSSIAN_NLL, values = 4;
        const int takes_labels = type == TNN_NLL || type == TNN_MULTI_MARGIN;
        double loss[2], want[8 * 6];
        float g[2][8 * 6];
        int reduction;
        int count = 0;
        for (reduction = 0; reduction < 3; reduction++) {
            float *x = test_values(4 * 6, 1), *t = test_values(4 * 4, 2), *bx = test_floats(36);
            float *bt = test_floats(24);
            for (i = 0; i < 16; i++) {
                t[i] = (float)fabs((double)t[i]);
                if (type == TNN_CROSS_ENTROPY || type == TNN_BCE || t[i] > 1) t[i] = 0.25f;
                if (type == TNN_HINGE || type == TNN_SQUARED_HINGE || type == TNN_HINGE_EMBEDDING)
                    t[i] = t[i] > 0.1f ? 1 : -1.0f;
            }
            for (i = 0; i < 6; i++) {
                memcpy(bx + i * 6, x + which[i] * 6, 6 * sizeof *x);
                memcpy(bt + i * 4, t + which[i] * 4, 4 * sizeof *t);
                more[i] = labels[which[i]];
            }
            for (k = 0; k < 2; k++) {
                tnn_net *net = tnn_create(.input = { 6 }, .batch = 6, .seed = 1);
                tnn_add(net, TNN_DENSE, .units = gauss ? 8 : takes_labels ? 3 : values);
                if (type == TNN_NLL) tnn_add(net, TNN_LOG_SOFTMAX);
                else if (type == TNN_KL_DIV) tnn_add(net, TNN_LOG_SOFTMAX);
                else if (type == TNN_BCE || gauss) tnn_add(net, TNN_SIGMOID);
                tnn_set_loss(net, (tnn_loss_type)type,
                             .reduction = reduction ? (tnn_reduction)(900 + reduction)
                                                    : TNN_REDUCE_MEAN,
                             .class_weights = type == TNN_NLL ? class_weights : NULL);
                tnn_set_optimizer(net, TNN_SGD);
                tnn_forward(net, k ? bx : x, k ? 6 : 4, TNN_TRAIN);
                loss[k] = tnn_loss_weighted(net, !takes_labels ? NULL : k ? more : labels,
                                            takes_labels ? NULL : k ? bt : t, k ? NULL : w);
                tnn_backward(net);
                CHECK(!tnn_failed(), "loss %d: %s", type, tnn_error());
                count = tnn_param_info(net, 0).count;
                CHECK(tnn_get_grad(net, "0.weight", g[k], count) == TNN_OK, "%s", tnn_error());
                tnn_free(net);
            }
            for (i = 0; i < (int)count; i++) want[i] = (double)g[1][i];
            CHECK_NEAR("loss", loss[0], loss[1], 1e-6);
            CHECK_CLOSE("gradient", g[0], want, count, 3e-6);
            test_release_all();
        }
    }
}

/* ==== AUGMENTATION MOVES WHAT GOES WITH IMAGES ================================================ */

/* Labels that are the image's values, and targets that are the image, stay so under whole pixels;
   targets under any geometry. Outside labels are -100. */
static void maps_move(void)
{
    enum { C = 2, H = 7, W = 6, SIZE = C * H * W };
    static unsigned char bytes[N * SIZE];
    static int labels[N * H * W];
    static float floats[N * SIZE];
    int i, k, turn;
    for (i = 0; i < N * SIZE; i++) {
        bytes[i] = (unsigned char)(test_hash(1, (uint32_t)i) % 251 + 1);
        floats[i] = (float)bytes[i] / 255.0f;
    }
    for (i = 0; i < N * H * W; i++) labels[i] = bytes[i / (H * W) * SIZE + i % (H * W)];
    for (turn = 0; turn < 5; turn++) {
        const int whole = turn < 2, mixed = turn == 4;
        const tnn_data d[2] = {
            tnn_data_create(.n = N, .shape = { C, H, W }, .bytes = bytes, .labels = labels,
                            .per_pixel = 1),
            tnn_data_create(.n = N, .shape = { C, H, W }, .bytes = bytes, .targets = floats,
                            .target = { C, H, W })
        };
        const tnn_loader_options with = {
            .batch = 4, .shuffle = 1, .seed = 3, .flip = 0.5, .flip_vertical = 0.5,
            .crop_pad = whole ? 2 : 0, .rotate = whole ? 0 : 30, .scale_max = whole ? 0 : 1.3,
            .border = turn == 1 ? TNN_BORDER_REFLECT : TNN_BORDER_FILL, .cutmix = mixed
        };
        tnn_loader *of_labels = tnn_loader_create_with(&d[0], &with);
        tnn_loader *of_targets = tnn_loader_create_with(&d[1], &with);
        int n, outside = 0, inside = 0;
        while ((n = tnn_next(of_labels)) > 0) {
            CHECK(tnn_next(of_targets) == n, "%s", tnn_error());
            CHECK_SAME("x", of_labels->x, of_targets->x, (size_t)(n * SIZE) * sizeof(float));
            CHECK_SAME("targets", of_targets->targets, of_targets->x,
                       (size_t)(n * SIZE) * sizeof(float));
            for (k = 0; k < n * H * W; k++) {
                const float v = of_labels->x[k / (H * W) * SIZE + k % (H * W)] * 255;
                const int label = of_labels->labels[k];
                if (label == -100) outside++;
                else inside++;
                if (whole && !(label == -100 ? v < 0.1f : fabs((double)v - label) < 0.01)) {
                    CHECK(0, "pixel %d is %g, its label %d", k, (double)v, label);
                    break;
                }
            }
        }
        CHECK(inside > 0 && (outside > 0) == (turn != 1), "%d pixels inside, %d outside", inside,
              outside);
        CHECK(!tnn_failed(), "%s", tnn_error());
        tnn_loader_free(of_labels);
        tnn_loader_free(of_targets);
    }
}

/* Of an image of two halves, turned, leant and scaled: where it is surely of one half, so is the
   label; between and outside it may be either, or none. */
static void labels_turn(void)
{
    enum { SIDE = 16, AREA = SIDE * SIDE };
    static float image[AREA];
    static int label[AREA];
    tnn_data data;
    tnn_loader *batches;
    int i, epoch, ones = 0, zeros = 0, wrong = 0;
    for (i = 0; i < AREA; i++) image[i] = (float)(label[i] = i % SIDE + i / SIDE / 2 > 11);
    data = tnn_data_create(.n = 1, .shape = { 1, SIDE, SIDE }, .floats = image, .labels = label,
                           .per_pixel = 1);
    batches = tnn_loader_create(&data, .rotate = 180, .shear = 20, .scale_min = 0.7, .flip = 0.5,
                                .shift = 0.1);
    for (epoch = 0; epoch < 40; epoch++, tnn_next(batches)) {
        CHECK(tnn_next(batches) == 1, "%s", tnn_error());
        for (i = 0; i < AREA; i++) {
            const double v = (double)batches->x[i];
            ones += v > 0.99;
            zeros += batches->labels[i] == 0;
            wrong += v > 0.99 ? batches->labels[i] != 1 : v < 0.01 && batches->labels[i] == 1;
        }
    }
    CHECK(!wrong && ones > 1000 && zeros > 1000, "%d labels are wrong, of %d and %d", wrong, ones,
          zeros);
    tnn_loader_free(batches);
}

/* Mixing of targets: lambda of one and 1 - lambda of the other, as of the images. */
static void targets_mix(void)
{
    float *x = test_values(N * 6, 1);
    const tnn_data d = tnn_data_create(.n = N, .shape = { 6 }, .floats = x, .targets = x,
                                       .target = { 6 });
    tnn_loader *batches = tnn_loader_create(&d, .batch = N, .mixup = 0.4);
    double want[N * 6];
    int n = tnn_next(batches), changed;
    CHECK(n == N, "%s", tnn_error());
    changed = memcmp(batches->x, x, N * 6 * sizeof *x) != 0;
    CHECK(changed, "nothing is mixed");
    for (n = 0; n < N * 6; n++) want[n] = (double)batches->x[n];
    CHECK_CLOSE("targets", batches->targets, want, N * 6, 1e-6);
    tnn_loader_free(batches);
}

/* ==== NORMALISATION =========================================================================== */

static void channels(void)
{
    enum { C = 3, AREA = 20 };
    static unsigned char bytes[N * C * AREA];
    float *x = test_floats(N * C * AREA), means[C], stds[C], got[C * AREA];
    int i, c, k, kind, at[9];
    for (i = 0; i < N * C * AREA; i++) {
        c = i / AREA % C;
        bytes[i] = (unsigned char)(c == 2 ? 77 : test_hash(5, (uint32_t)i) % (c ? 256 : 40));
        x[i] = (float)bytes[i] / 255.0f;
    }
    for (kind = 0; kind < 2; kind++) {
        tnn_data all = tnn_data_create(.n = N, .shape = { C, 5, 4 }, .bytes = kind ? bytes : NULL,
                                       .floats = kind ? NULL : x), part, other;
        tnn_loader *batches;
        CHECK(tnn_measure(&all, means, stds) == TNN_OK, "%s", tnn_error());
        for (c = 0; c < C; c++) {
            double sum = 0, squares = 0;
            for (i = 0; i < N * AREA; i++) sum += (double)x[(i / AREA * C + c) * AREA + i % AREA];
            sum /= N * AREA;
            for (i = 0; i < N * AREA; i++) {
                const double e = (double)x[(i / AREA * C + c) * AREA + i % AREA] - sum;
                squares += e * e;
            }
            CHECK_NEAR("mean", (double)means[c], sum, 1e-7);
            CHECK_NEAR("std", (double)stds[c], c == 2 ? 1 : sqrt(squares / (N * AREA)), 1e-7);
        }
        CHECK(tnn_normalize_channels(&all, means, stds) == TNN_OK, "%s", tnn_error());
        CHECK(tnn_split(&all, 9, 1, &part, &other) == TNN_OK, "%s", tnn_error());
        CHECK(tnn_normalize_channels(&all, means, stds) == TNN_ERROR_ARGUMENT, "parts had others");
        SAYS("tnn_normalize_channels: comes before tnn_loader_create, tnn_subset and tnn_split");
        tnn_data_free(&all);            /* the parts keep the means */
        batches = tnn_loader_create(&part, .batch = 9);
        memcpy(at, part.order, sizeof at);
        tnn_data_free(&part);
        CHECK(tnn_next(batches) == 9, "%s", tnn_error());
        tnn_sample(&other, 3, got, C * AREA);
        for (k = 0; k < 9 + 1; k++) {
            const float *v = k < 9 ? batches->x + k * C * AREA : got;
            const int from = k < 9 ? at[k] : other.order[3];
            for (i = 0; i < C * AREA; i++) {
                const float want = (x[from * C * AREA + i] - means[i / AREA]) / stds[i / AREA];
                CHECK_SAME("a value", v + i, &want, sizeof want);
            }
        }
        tnn_loader_free(batches);
        tnn_data_free(&other);
    }
}

/* ==== PARTS AND SAMPLERS, against data_vectors.py ============================================= */

static const int classes_of[N] = { 2, 0, 1, 1, 0, 2, 2, 2, 0, 1, 2, 2, 0, 3, 2, 2, 1, 0, 3, 2, 2,
                                   0, 1 };
/* A data set of N samples whose only value is their number. */
static tnn_data numbered(void)
{
    static float x[N];
    int i;
    for (i = 0; i < N; i++) x[i] = (float)i;
    return tnn_data_view(NULL, x, classes_of, N, 1, 1, 1);
}
static int number(const tnn_data *data, int i)
{
    float x = -1;
    tnn_sample(data, i, &x, 1);
    return (int)x;
}

static void folds(void)
{
    static const struct { int folds, stratified; const char *fold; } want[] = {
        { 2, 0, "00000000000011111111111" }, { 2, 1, "00000000000110111111111" },
        { 3, 0, "00000000111111112222222" }, { 3, 1, "00010000111110122212222" },
        { 5, 0, "00000111112222233334444" }, { 5, 1, "00010011122221333324444" }
    };
    const tnn_data all = numbered();
    size_t w;
    int shuffle, f, i, k;
    for (w = 0; w < sizeof want / sizeof *want; w++)
        for (shuffle = 0; shuffle < 2; shuffle++) {
            char fold[N + 1] = { 0 };
            int same = 1, count[2][4] = { { 0 } };
            for (f = 0; f < want[w].folds; f++) {
                tnn_data train, test;
                CHECK(tnn_kfold(&all, f, &train, &test, .folds = want[w].folds,
                                .stratified = want[w].stratified, .shuffle = shuffle,
                                .seed = shuffle ? 3 : 0) == TNN_OK, "%s", tnn_error());
                CHECK(train.n + test.n == N, "%d and %d samples", train.n, test.n);
                for (i = 0; i < test.n; i++) {
                    CHECK(!i || number(&test, i) > number(&test, i - 1), "not in order");
                    CHECK(!fold[number(&test, i)], "sample %d in two folds", number(&test, i));
                    fold[number(&test, i)] = (char)('0' + f);
                    count[1][classes_of[number(&test, i)]] += f == 0;
                }
                for (i = 0; i < N && f == 0; i++)
                    count[0][classes_of[i]] += want[w].fold[i] == '0';
                for (i = 0; i < train.n; i++)
                    CHECK(fold[number(&train, i)] != '0' + f, "in both parts");
                tnn_data_free(&train);
                tnn_data_free(&test);
            }
            for (i = 0; i < N; i++) same &= fold[i] == want[w].fold[i];
            CHECK(same == !shuffle, "%d folds: %s, not %s", want[w].folds, fold, want[w].fold);
            for (k = 0; k < 4 && want[w].stratified; k++)
                CHECK(count[0][k] == count[1][k], "class %d: %d of fold 0", k, count[1][k]);
        }
}
static void shares(void)
{
    static const struct { int count, of[4]; } want[] = {
        { 4, { 1, 1, 2, 0 } }, { 9, { 2, 2, 4, 1 } }, { 11, { 3, 2, 5, 1 } }, { 15, { 4, 3, 7, 1 } }
    };
    const tnn_data all = numbered();
    size_t w;
    int i;
    for (w = 0; w < sizeof want / sizeof *want; w++) {
        tnn_data a, b;
        int of[4] = { 0 }, seen[N] = { 0 };
        CHECK(tnn_split_stratified(&all, want[w].count, 5, &a, &b) == TNN_OK, "%s", tnn_error());
        for (i = 0; i < a.n; i++) of[classes_of[number(&a, i)]]++;
        for (i = 0; i < N; i++) seen[i < a.n ? number(&a, i) : number(&b, i - a.n)]++;
        for (i = 0; i < N; i++) CHECK(seen[i] == 1, "sample %d comes %d times", i, seen[i]);
        CHECK(!memcmp(of, want[w].of, sizeof of), "%d: %d %d %d %d", want[w].count, of[0], of[1],
              of[2], of[3]);
        tnn_data_free(&a);
        tnn_data_free(&b);
    }
}
static void shards(void)
{
    static const struct { int n, shards, drop; const char *want; } cases[] = {
        { 23, 4, 0, "0 4 8 12 16 20; 1 5 9 13 17 21; 2 6 10 14 18 22; 3 7 11 15 19 0" },
        { 23, 4, 1, "0 4 8 12 16; 1 5 9 13 17; 2 6 10 14 18; 3 7 11 15 19" },
        { 3, 5, 0, "0; 1; 2; 0; 1" }
    };
    const tnn_data all = numbered();
    size_t c;
    int k, i, n;
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        tnn_data some = tnn_subset(&all, 0, cases[c].n);
        char text[200] = "";
        for (k = 0; k < cases[c].shards; k++) {
            tnn_loader *batches = tnn_loader_create(&some, .batch = 1, .shards = cases[c].shards,
                                                    .shard = k, .drop_last = cases[c].drop);
            if (k) strcat(text, ";");
            for (i = 0; (n = tnn_next(batches)) > 0; i++)
                sprintf(text + strlen(text), "%s%d", i || k ? " " : "", (int)batches->x[0]);
            tnn_loader_free(batches);
        }
        CHECK(!strcmp(text, cases[c].want), "\"%s\"\nwanted \"%s\"", text, cases[c].want);
        tnn_data_free(&some);
    }
    /* Shuffled, the shards of an epoch are all samples, in another order each epoch. */
    {
        tnn_loader *batches[4];
        int epoch, seen[3][N] = { { 0 } }, order[3][30] = { { 0 } };
        for (k = 0; k < 4; k++)
            batches[k] = tnn_loader_create(&all, .batch = 4, .shards = 4, .shard = k, .shuffle = 1);
        for (epoch = 0; epoch < 3; epoch++) {
            int drawn = 0;
            for (k = 0; k < 4; k++)
                while ((n = tnn_next(batches[k])) > 0)
                    for (i = 0; i < n; i++) {
                        seen[epoch][(int)batches[k]->x[i]]++;
                        order[epoch][drawn++] = (int)batches[k]->x[i];
                    }
            CHECK(drawn == 24, "%d samples", drawn);
            for (i = 0; i < N; i++) CHECK(seen[epoch][i], "sample %d is missing", i);
        }
        CHECK(memcmp(order[0], order[1], sizeof order[0]), "the same order");
        for (k = 0; k < 4; k++) tnn_loader_free(batches[k]);
    }
}
/* Samples come as often as their weights say, within 5 standard deviations. */
static void draws(void)
{
    enum { DRAWS = 40000 };
    const tnn_data all = numbered();
    float weights[N];
    int balanced, i, c, n, shares_of[4] = { 0 };
    for (i = 0; i < N; i++) weights[i] = (float)(i % 5);
    for (i = 0; i < N; i++) shares_of[classes_of[i]]++;
    for (balanced = 0; balanced < 2; balanced++) {
        tnn_loader *batches = tnn_loader_create(&all, .batch = 64, .seed = 8, .draws = DRAWS,
                                                .draw_weights = balanced ? NULL : weights,
                                                .balanced = balanced);
        int count[N] = { 0 }, total = 0;
        double sum = 0;
        for (i = 0; i < N; i++) sum += balanced ? 0 : (double)weights[i];
        while ((n = tnn_next(batches)) > 0)
            for (i = 0; i < n; i++, total++) {
                count[(int)batches->x[i]]++;
                CHECK(batches->labels[i] == classes_of[(int)batches->x[i]], "another's label");
            }
        CHECK(total == DRAWS && batches->batches == DRAWS / 64, "%d draws", total);
        for (i = 0; i < N; i++) {
            const double p = balanced ? 0.25 / shares_of[classes_of[i]] : (double)weights[i] / sum;
            CHECK(fabs(count[i] - p * DRAWS) <= 5 * sqrt(p * (1 - p) * DRAWS),
                  "sample %d comes %d times of %g", i, count[i], p * DRAWS);
        }
        for (c = 0; c < 4 && balanced; c++) {
            int of = 0;
            for (i = 0; i < N; i++) of += classes_of[i] == c ? count[i] : 0;
            CHECK(fabs(of - DRAWS / 4.0) < 5 * sqrt(DRAWS * 3 / 16.0), "class %d: %d", c, of);
        }
        tnn_loader_free(batches);
    }
}

/* ==== SOURCES ================================================================================= */

/* What a source reads: N samples of 2x5x4 values, a label, labels of pixels and a target each. */
typedef struct {
    const float *x, *targets;
    const int *labels, *maps;
    int inside, calls, bad;
} store;
static int stored(void *user, int i, float *x, int *labels, float *target)
{
    store *from = (store *)user;
    if (from->inside++) return 7;               /* two calls at a time */
    from->calls++;
    memcpy(x, from->x + i * 40, 40 * sizeof *x);
    if (labels && from->maps) memcpy(labels, from->maps + i * 20, 20 * sizeof *labels);
    else if (labels) *labels = from->labels[i];
    if (target) memcpy(target, from->targets + i * 40, 40 * sizeof *target);
    from->inside--;
    if (i == from->bad) tnn_softmax((tnn_tensor){ 0 }, (tnn_tensor){ 0 });
    return i == from->bad - 100 ? 3 : 0;
}
/* Whatever is done to samples, those of a source make the batches that those in memory make. */
static void sources(void)
{
    static float x[N * 40], t[N * 40];
    static int labels[N], maps[N * 20];
    const tnn_loader_options with[] = {
        { .batch = 6 },
        { .batch = 5, .shuffle = 1, .seed = 2, .drop_last = 1 },
        { .batch = 7, .shuffle = 1, .flip = 0.5, .rotate = 20, .brightness = 0.3, .cutout = 2 },
        { .batch = 4, .balanced = 1, .cutmix = 1, .mix = 0.7 },
        { .batch = 4, .mixup = 0.5 }
    };
    int kind, i, k, n;
    size_t w;
    for (i = 0; i < N * 40; i++) x[i] = (float)(test_hash(1, (uint32_t)i) % 1000) / 1000;
    for (i = 0; i < N * 40; i++) t[i] = (float)(test_hash(2, (uint32_t)i) % 1000) / 1000;
    for (i = 0; i < N; i++) labels[i] = classes_of[i];
    for (i = 0; i < N * 20; i++) maps[i] = i % 3;
    for (kind = 0; kind < 4; kind++) {
        store from = { x, t, labels, kind == 1 ? maps : NULL, 0, 0, -1 };
        const tnn_data in_memory = tnn_data_create(
            .n = N, .shape = { 2, 5, 4 }, .floats = x, .per_pixel = kind == 1,
            .labels = kind == 0 ? labels : kind == 1 ? maps : NULL,
            .targets = kind == 2 ? t : NULL, .target = { kind == 2 ? 2 : 0, kind == 2 ? 5 : 0,
                                                         kind == 2 ? 4 : 0 },
            .reconstruct = kind == 3);
        tnn_data source = tnn_data_create(
            .n = N, .shape = { 2, 5, 4 }, .sample = stored, .user = &from, .per_pixel = kind == 1,
            .classes = kind < 2 ? 4 - kind : 0, .target = { kind == 2 ? 2 : 0, kind == 2 ? 5 : 0,
                                                            kind == 2 ? 4 : 0 },
            .reconstruct = kind == 3);
        float mean[2][2], std[2][2], one[40];
        CHECK(!tnn_failed(), "%s", tnn_error());
        tnn_measure(&in_memory, mean[0], std[0]);
        tnn_measure(&source, mean[1], std[1]);
        CHECK_SAME("means", mean[1], mean[0], sizeof mean[0]);
        CHECK_SAME("stds", std[1], std[0], sizeof std[0]);
        tnn_sample(&source, 5, one, 40);
        CHECK_SAME("a sample", one, x + 5 * 40, sizeof one);
        for (w = 0; w < sizeof with / sizeof *with; w++) {
            tnn_data a, b;
            tnn_loader *wanted, *got;
            if ((with[w].balanced && kind) || (with[w].mixup > 0 && kind == 1)) continue;
            a = tnn_subset(&in_memory, 2, N - 2);
            b = tnn_subset(&source, 2, N - 2);
            if (with[w].balanced) b.labels = labels;    /* the source's are not known ahead */
            wanted = tnn_loader_create_with(&a, &with[w]);
            got = tnn_loader_create_with(&b, &with[w]);
            tnn_data_free(&a);
            tnn_data_free(&b);
            for (k = 0; k < 12; k++) {          /* some epochs, with another loader in between */
                n = tnn_next(wanted);
                CHECK(tnn_next(got) == n, "batch %d: %s", k, tnn_error());
                CHECK_SAME("x", got->x, wanted->x, (size_t)n * 40 * sizeof(float));
                if (wanted->labels)
                    CHECK_SAME("labels", got->labels, wanted->labels,
                               (size_t)n * (kind == 1 ? 20 : 1) * sizeof(int));
                if (wanted->targets)
                    CHECK_SAME("targets", got->targets, wanted->targets,
                               (size_t)n * (kind > 1 ? 40 : 4) * sizeof(float));
                if (k % 3 == 0) tnn_sample(&source, k, one, 40);
            }
            tnn_loader_free(wanted);
            tnn_loader_free(got);
        }
        CHECK(!tnn_failed(), "%s", tnn_error());
        tnn_data_free(&source);
    }
}
/* Training on a source, which evaluation reads between batches and epochs; and its mistakes. */
static void sources_train(void)
{
    enum { TIMES = 2000 };
    float *x = test_values(N * 40, 1);
    int maps[N * 20], i, k;
    uint64_t hash[2];
    store from = { NULL, NULL, NULL, NULL, 0, 0, -1 };
    tnn_data source, few, in_memory;
    tnn_loader *batches;
    for (i = 0; i < N * 20; i++) maps[i] = x[i / 20 * 40 + i % 20] > 0;
    from.x = x;
    from.maps = maps;
    in_memory = tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .floats = x, .labels = maps,
                                .per_pixel = 1);
    source = tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .sample = stored, .user = &from,
                             .classes = 3, .per_pixel = 1);
    for (k = 0; k < 2; k++) {
        const tnn_data *data = k ? &source : &in_memory;
        tnn_net *net = segmentation();
        double loss[6];
        batches = tnn_loader_create(data, .batch = BATCH, .shuffle = 1);
        for (i = 0; i < 3; i++) {
            tnn_next(batches);
            loss[2 * i] = tnn_train_batch(net, batches->x, batches->labels, batches->n);
            loss[2 * i + 1] = tnn_evaluate(net, data).loss;
        }
        tnn_train_epoch(net, batches);
        CHECK(!tnn_failed(), "%s", tnn_error());
        CHECK(loss[5] < loss[1], "nothing is learnt");
        hash[k] = tnn_hash(net);
        tnn_loader_free(batches);
        tnn_free(net);
    }
    CHECK(hash[0] == hash[1], "other weights than with the data in memory");
    /* A sample that cannot be had ends the epoch; the next one can be begun. */
    for (k = 0; k < 2; k++) {
        int seen = 0, n;
        from.bad = k ? 12 : 112;
        batches = tnn_loader_create(&source, .batch = 4);
        while ((n = tnn_next(batches)) > 0) seen += n;
        CHECK(seen == 12, "%d samples before the bad one", seen);
        if (k) SAYS("tnn_softmax: ");
        else SAYS("tnn_next: .sample returned 3 for sample 12");
        from.bad = -1;
        CHECK(tnn_next(batches) == 4 && batches->labels[0] == maps[16 * 20], "%s", tnn_error());
        tnn_loader_free(batches);
    }
    /* However quickly the batch ahead fails, the one before it is given first. Each time starts a
       thread or two, which emulators do not forget. */
    from.bad = 1;
    few = tnn_data_create(.n = 2, .shape = { 2, 5, 4 }, .sample = stored, .user = &from,
                          .classes = 3, .per_pixel = 1);
    batches = tnn_loader_create(&few, .batch = 1);
    for (k = 0; k < TIMES; k++) {
        if (tnn_next(batches) != 1) break;              /* sample 0 */
        if (tnn_next(batches)) break;                   /* sample 1, and its message */
        if (!strstr(tnn_error(), "tnn_softmax: ")) break;
        tnn_clear_error();
        while (tnn_next(batches)) {}
        if (tnn_failed()) break;
    }
    CHECK(k == TIMES, "epoch %d: %s", k, tnn_error());
    from.bad = -1;
    tnn_loader_free(batches);
    tnn_data_free(&few);
    maps[3] = 5;
    batches = tnn_loader_create(&source, .batch = 4);
    tnn_next(batches);
    SAYS("tnn_next: label 5 of sample 0 must be in [0, 2]");
    tnn_loader_free(batches);
    tnn_data_free(&source);
    CHECK(!from.inside, "two calls at a time");
}

/* ==== WHAT TAKES DATA ========================================================================= */

/* Confusion of pixels, gradients of a loader's batch, the finder on targets; a loop of one's own
   with tnn_loader_loss. */
static void downstream(void)
{
    float *x = test_values(N * 40, 1), *t = test_values(N * 40, 2);
    int labels[N * 20], counts[9], i, right = 0, all = 0;
    double lr[20], loss[20], seen;
    tnn_net *net = segmentation();
    tnn_lr_finder finder = { .steps = 20, .lr = lr, .loss = loss };
    tnn_metrics m;
    tnn_data maps, images;
    tnn_loader *batches;
    for (i = 0; i < N * 20; i++) labels[i] = i % 7 == 3 ? -100 : x[i / 20 * 40 + i % 20] > 0;
    maps = tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .floats = x, .labels = labels,
                           .per_pixel = 1);
    m = tnn_confusion(net, &maps, counts, 3);
    for (i = 0; i < 9; i++) all += counts[i];
    for (i = 0; i < 9; i += 4) right += counts[i];
    CHECK(!tnn_failed() && m.n == all && m.correct == right && all < N * 20 && all > N * 15,
          "%d of %d, counted %d of %d: %s", m.correct, m.n, right, all, tnn_error());
    batches = tnn_loader_create(&maps, .batch = BATCH);
    tnn_next(batches);
    CHECK(tnn_gradient_check_loader(net, batches, 8) < 1e-9, "gradients: %s", tnn_error());
    tnn_forward(net, batches->x, batches->n, TNN_TRAIN);
    seen = tnn_loader_loss(net, batches);
    CHECK(seen == tnn_loss(net, batches->labels), "%g: %s", seen, tnn_error());
    tnn_forward(net, batches->x, 2, TNN_TRAIN);
    tnn_loader_loss(net, batches);
    SAYS("tnn_loader_loss: the loader's batch has 5 samples, the last forward had 2");
    tnn_loader_free(batches);
    tnn_free(net);
    net = image_to_image();
    images = tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .floats = x, .targets = t,
                             .target = { 2, 5, 4 });
    batches = tnn_loader_create(&images, .batch = BATCH);
    tnn_lr_find(net, batches, &finder);
    CHECK(finder.count == 20 && !tnn_failed(), "%d steps: %s", finder.count, tnn_error());
    m = tnn_confusion(net, &images, counts, 2);
    SAYS("the data have no labels");
    tnn_loader_free(batches);
    tnn_free(net);
}

/* ==== MISTAKES ================================================================================ */

static void mistakes(void)
{
    float *x = test_values(N * 40, 1), *t = test_values(N * 40, 2), w[N];
    int labels[N * 20], i;
    tnn_net *net = image_to_image(), *pixels = segmentation();
    tnn_data d;
    tnn_loader *batches;
    for (i = 0; i < N * 20; i++) labels[i] = i % 3;
    for (i = 0; i < N; i++) w[i] = 1;
    tnn_data_create(.n = N, .shape = { 40 });
    SAYS("needs samples, .bytes, .floats or .sample");
    tnn_data_create(.n = N, .floats = x);
    SAYS(".shape = {0, 0, 0}");
    tnn_data_create(.n = N, .shape = { 40 }, .floats = x, .targets = t, .labels = labels);
    SAYS("of .labels, .targets and .reconstruct only one");
    tnn_data_create(.n = N, .shape = { 40 }, .floats = x, .target = { 3 });
    SAYS(".target needs .targets");
    tnn_data_create(.n = N, .shape = { 40 }, .floats = x, .targets = t, .per_pixel = 1);
    SAYS(".per_pixel needs .labels");
    t[7] = (float)(HUGE_VAL - HUGE_VAL);
    tnn_data_create(.n = N, .shape = { 40 }, .floats = x, .targets = t, .target = { 2 });
    SAYS("value 1 of the target of sample 3 is nan");
    t[7] = 1;
    w[2] = -1;
    tnn_data_create(.n = N, .shape = { 40 }, .floats = x, .targets = t, .weights = w);
    SAYS("weight -1 of sample 2 must be finite and not negative");
    d = tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .floats = x, .targets = t, .target = { 3 });
    tnn_evaluate(net, &d);
    SAYS("tnn_evaluate: targets of 3x1x1, the loss sees 2x5x4");
    d = tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .floats = x, .targets = t,
                        .target = { 5, 4, 2 });
    tnn_evaluate(net, &d);
    SAYS("tnn_evaluate: targets of 5x4x2, the loss sees 2x5x4");
    d = tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .floats = x);
    tnn_evaluate(net, &d);
    SAYS("tnn_evaluate: data without labels and targets; tnn_data_create gives them");
    d = tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .floats = x, .labels = labels);
    tnn_evaluate(pixels, &d);
    SAYS(".per_pixel of tnn_data_create says that each has a label");
    d = tnn_data_create(.n = N, .shape = { 2, 5, 4 }, .floats = x, .labels = labels,
                        .per_pixel = 1);
    batches = tnn_loader_create(&d, .mixup = 0.2);
    SAYS(".mixup of labels of pixels; .cutmix can mix these");
    tnn_loader_free(batches);
    tnn_loader_create(&d, .shuffle = 1, .balanced = 1);
    SAYS("of .shuffle, .draw_weights and .balanced only one");
    tnn_loader_create(&d, .balanced = 1);
    SAYS(".balanced needs data with one label per sample");
    tnn_loader_create(&d, .shards = 3, .shard = 3);
    SAYS(".shard = 3 of .shards = 3; the first is 0");
    tnn_loader_create(&d, .shard = 1);
    SAYS(".shard");
    tnn_loader_create(&d, .draws = 10);
    SAYS(".draws");
    memset(w, 0, sizeof w);
    tnn_loader_create(&d, .draw_weights = w);
    SAYS("all of .draw_weights are 0");
    tnn_kfold(&d, 5, &d, &d, .folds = 5);
    SAYS("tnn_kfold: fold 5 of .folds = 5 of 23 samples");
    tnn_split_stratified(&d, 4, 1, &d, &d);
    SAYS("tnn_split_stratified: 4 samples for the first part, of 0");
    tnn_measure(NULL, t, t);
    SAYS("tnn_measure: needs data");
    tnn_normalize_channels(&d, t, NULL);
    SAYS("tnn_normalize_channels: needs data, and means and stds");
    tnn_loader_loss(net, NULL);
    SAYS("tnn_loader_loss: no loader");
    tnn_free(net);
    tnn_free(pixels);
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    RUN("data of each kind", kinds);
    RUN("a weight is so many samples", weights_repeat);
    RUN("labels and targets move with images", maps_move);
    RUN("labels turn with images", labels_turn);
    RUN("mixed targets", targets_mix);
    RUN("means of channels", channels);
    RUN("folds", folds);
    RUN("shares of classes", shares);
    RUN("shards", shards);
    RUN("samples drawn", draws);
    RUN("sources", sources);
    RUN("training on a source", sources_train);
    RUN("what takes data", downstream);
    RUN("mistakes", mistakes);
    return test_finish();
}
