/* test_checkpoint.c - a run that is saved and goes on in another network is the same run, to the
   bit: under every optimizer, within an epoch and within accumulation, with averages, schedules and
   dropout. Files that are damaged, cut, or another network's are refused and change nothing. */
#include "test.h"
#include "files.h"
#include <time.h>

enum { SAMPLES = 22, PIXELS = 2*8*8, BATCH = 5, NUMBERS = 4 };
static char path[460];
static uint64_t net_seed = 5;

typedef struct setting {
    const char *name;
    tnn_optimizer optimizer;
    tnn_schedule schedule;
    int before, after;          /* batches */
} setting;

static tnn_data data_set(void)
{
    static float x[SAMPLES * PIXELS];
    static int labels[SAMPLES];
    int i;
    for (i = 0; i < SAMPLES * PIXELS; i++) x[i] = tnn_random_normal(3, 1, (uint64_t)i);
    for (i = 0; i < SAMPLES; i++) labels[i] = i % 3;
    return tnn_data_view(NULL, x, labels, SAMPLES, 2, 8, 8);
}
static void layer(tnn_net *net, tnn_layer_type type, int units)
{
    tnn_layer o;
    memset(&o, 0, sizeof o);
    o.type = type;
    if (type == TNN_CONV2D) o.filters = units, o.kernel = 3, o.pad = 1;
    if (type == TNN_DENSE) o.units = units;
    if (type == TNN_MAXPOOL2D) o.kernel = 2;
    tnn_add_with(net, &o);
}
static tnn_net *build(const setting *s, int units)
{
    tnn_net_options options;
    tnn_loss_options loss;
    tnn_net *net;
    memset(&options, 0, sizeof options);
    memset(&loss, 0, sizeof loss);
    options.input[0] = 2;
    options.input[1] = options.input[2] = 8;
    options.batch = BATCH;
    options.seed = net_seed;
    loss.type = TNN_CROSS_ENTROPY;
    net = tnn_create_with(&options);
    layer(net, TNN_CONV2D, 6);
    layer(net, TNN_BATCHNORM, 0);
    layer(net, TNN_RELU, 0);
    layer(net, TNN_MAXPOOL2D, 0);
    layer(net, TNN_FLATTEN, 0);
    layer(net, TNN_DROPOUT, 0);
    layer(net, TNN_DENSE, units);
    layer(net, TNN_RELU, 0);
    layer(net, TNN_DENSE, 3);
    tnn_set_loss_with(net, &loss);
    tnn_set_optimizer_with(net, &s->optimizer);
    if (s->schedule.type) tnn_set_schedule_with(net, &s->schedule);
    return net;
}
static tnn_loader *loader(const tnn_data *d, int batch)
{
    tnn_loader_options o;
    memset(&o, 0, sizeof o);
    o.batch = batch;
    o.shuffle = 1;
    o.seed = 9;
    o.flip = 0.5;
    return tnn_loader_create_with(d, &o);
}
static void train(tnn_net *net, tnn_loader *l, int batches, double *history, int *have)
{
    for (; batches > 0 && !tnn_failed(); batches--) {
        double loss;
        while (!tnn_next(l) && !tnn_failed()) tnn_end_epoch(net);
        loss = tnn_train_batch(net, l->x, l->labels, l->n);
        history[(*have)++ % NUMBERS] = loss;
    }
}
/* Through a file. */
static tnn_checkpoint_options options_of(tnn_loader *l, double *numbers, int count)
{
    tnn_checkpoint_options o;
    memset(&o, 0, sizeof o);
    o.path = path;
    o.loader = l;
    o.numbers = numbers;
    o.count = count;
    return o;
}
static tnn_status save(tnn_net *net, tnn_loader *l, double *numbers, int count)
{
    const tnn_checkpoint_options o = options_of(l, numbers, count);
    return tnn_save_checkpoint_with(net, &o);
}
static tnn_status resume(tnn_net *net, tnn_loader *l, double *numbers, int count)
{
    const tnn_checkpoint_options o = options_of(l, numbers, count);
    return tnn_load_checkpoint_with(net, &o);
}

static void one(const setting *s)
{
    const tnn_data d = data_set();
    tnn_loader *l = loader(&d, BATCH), *other = loader(&d, BATCH);
    tnn_net *net = build(s, 7), *next = build(s, 7);
    double history[NUMBERS] = {0, 0, 0, 0}, again[NUMBERS + 1] = {7, 7, 7, 7, 7};
    int have = 0, had;
    train(net, l, s->before, history, &have);
    if (tnn_failed()) {
        CHECK(0, "%s: %s", s->name, tnn_error());
        tnn_clear_error();
    } else {
        CHECK(save(net, l, history, NUMBERS) == TNN_OK, "%s: %s", s->name, tnn_error());
        had = have;
        train(net, l, s->after, history, &have);
        CHECK(resume(next, other, again, NUMBERS + 1) == TNN_OK, "%s: %s", s->name, tnn_error());
        CHECK(again[NUMBERS] == 0, "%s: a number that is not in the file", s->name);
        train(next, other, s->after, again, &had);
        CHECK(tnn_hash(net) == tnn_hash(next), "%s: other weights than without a stop", s->name);
        CHECK_SAME(s->name, again, history, sizeof history);
        CHECK(tnn_lr(net) == tnn_lr(next), "%s: lr %g, %g", s->name, tnn_lr(net), tnn_lr(next));
        if (s->optimizer.ema > 0 || s->optimizer.swa_start || s->optimizer.lookahead) {
            tnn_use_average(net, 1);
            tnn_use_average(next, 1);
            CHECK(tnn_hash(net) == tnn_hash(next), "%s: other averages", s->name);
            CHECK(save(net, l, NULL, 0), "%s: saved with averages in use", s->name);
            tnn_clear_error();
        }
    }
    tnn_free(net);
    tnn_free(next);
    tnn_loader_free(l);
    tnn_loader_free(other);
}
static void optimizers(void)
{
    int type;
    for (type = TNN_SGD; type < TNN_CUSTOM; type++) {
        char name[32];
        setting s;
        memset(&s, 0, sizeof s);
        snprintf(name, sizeof name, "optimizer %d", type);
        s.name = name;
        s.optimizer.type = (tnn_optimizer_type)type;
        s.optimizer.lr = 0.003;
        s.optimizer.momentum = type == TNN_SGD ? 0.9 : 0;
        s.before = 7;           /* an epoch has five */
        s.after = 6;
        one(&s);
        {                       /* files know the rules as 1, 2, ..., whatever the enum's numbers */
            tnn_safetensors f = tnn_read_safetensors(path);
            int i = 0;
            tnn_array a;
            while (i < f.count - 1 && strcmp(f.tensor[i].name, "tinynn.integers")) i++;
            a = tnn_safetensors_array(&f, i);
            CHECK((int)tnn_array_value(&a, 1) == type - TNN_SGD + 1, "%s is %g in files", name,
                  tnn_array_value(&a, 1));
            tnn_array_free(&a);
            tnn_safetensors_free(&f);
        }
    }
}
static void everything(void)
{
    setting s;
    memset(&s, 0, sizeof s);
    s.name = "accumulated, averaged, scheduled";
    s.optimizer.type = TNN_ADAM;
    s.optimizer.lr = 0.01;
    s.optimizer.accumulate = 3;
    s.optimizer.ema = 0.9;
    s.schedule.type = TNN_ONE_CYCLE;
    s.schedule.steps = 9;
    s.before = 7;
    s.after = 9;
    one(&s);
    s.name = "SWA, clipped, a schedule per epoch";
    s.optimizer.accumulate = 0;
    s.optimizer.ema = 0;
    s.optimizer.swa_start = 4;
    s.optimizer.swa_every = 2;
    s.optimizer.clip_norm = 0.5;
    s.schedule.type = TNN_EXPONENTIAL;
    s.schedule.gamma = 0.5;
    s.schedule.per_epoch = 1;
    one(&s);
    s.name = "lookahead, between two epochs";
    s.optimizer.swa_start = s.optimizer.swa_every = 0;
    s.optimizer.lookahead = 4;
    s.before = 5;
    one(&s);
    s.name = "before the first step";
    s.before = 0;
    s.after = 8;
    one(&s);
}

static void refused(void)
{
    static unsigned char good[1 << 16];
    char *file;
    size_t length;
    tnn_checkpoint_options in_memory;
    const tnn_data d = data_set();
    setting s;
    tnn_loader *l = loader(&d, BATCH), *larger = loader(&d, BATCH + 1);
    tnn_weights_options weights;
    tnn_net *net, *wide, *sgd, *seeded, *plain, *amsgrad, *averaged;
    double numbers[NUMBERS] = {1, 2, 3, 4};
    uint64_t hash;
    size_t size, i;
    int have = 0, accepted = 0;
    memset(&weights, 0, sizeof weights);
    memset(&s, 0, sizeof s);
    s.optimizer.type = TNN_ADAM;
    net = build(&s, 2);
    wide = build(&s, 3);
    net_seed = 6;
    seeded = build(&s, 2);
    net_seed = 5;
    s.optimizer.type = TNN_ADAMAX;
    sgd = build(&s, 2);
    s.optimizer.type = TNN_SGD;
    plain = build(&s, 2);
    s.optimizer.type = TNN_ADAM;
    s.optimizer.amsgrad = 1;
    amsgrad = build(&s, 2);
    s.optimizer.amsgrad = 0;
    s.optimizer.ema = 0.9;
    averaged = build(&s, 2);
    train(net, l, 3, numbers, &have);
    CHECK(save(net, l, numbers, NUMBERS) == TNN_OK, "%s", tnn_error());
    in_memory = options_of(l, numbers, NUMBERS);
    size = tnn_format_checkpoint(net, good, sizeof good, &in_memory);
    CHECK(size > 1000 && size < sizeof good, "%lu bytes", (unsigned long)size);
    CHECK(tnn_format_checkpoint(net, good, size - 1, &in_memory) == size, "not its size");
    file = slurp(path, &length);
    CHECK(length == size && !memcmp(good, file, size), "file and memory differ");
    free(file);
    train(net, l, 1, numbers, &have);
    hash = tnn_hash(net);
    numbers[0] = 5;

#define REFUSED(call, words) do { \
        CHECK((call) != TNN_OK && strstr(tnn_error(), words), "\"%s\" is not about \"%s\"", \
              tnn_error(), words); \
        tnn_clear_error(); } while (0)
    REFUSED(resume(wide, l, numbers, NUMBERS), "of other layers, this network ");
    REFUSED(resume(sgd, l, numbers, NUMBERS), "is of a network with Adam, this one has Adamax");
    REFUSED(resume(plain, l, numbers, NUMBERS), "is of a network with Adam, this one has SGD");
    REFUSED(resume(amsgrad, l, numbers, NUMBERS),
            "has 0 of tinynn.state.4, the optimizer's state (.momentum, .amsgrad and their like), "
            "this network ");
    REFUSED(resume(averaged, l, numbers, NUMBERS),
            "has 0 of tinynn.state.6, averaged weights (.ema, .swa_start), this network ");
    REFUSED(resume(seeded, l, numbers, NUMBERS), "seed: 5 in the file, 6 here");
    REFUSED(resume(net, larger, numbers, NUMBERS), "batch: 5 in the file, 6 here");
    REFUSED(resume(net, NULL, numbers, NUMBERS), "there is one): 1 in the file, 0 here");
    REFUSED(resume(net, l, numbers, 3), "has 4 of tinynn.numbers");
    REFUSED(resume(net, l, NULL, 0), "has tinynn.numbers of 4");
    REFUSED(resume(net, l, NULL, 2), "without .numbers");
    weights.path = path;
    tnn_save_weights_with(net, &weights);
    REFUSED(resume(net, l, numbers, NUMBERS), "is no checkpoint");
    for (i = 0; i < size; i++) {
        unsigned char *cut = (unsigned char *)malloc(i + !i);   /* a sanitizer sees its end */
        if (!cut) break;
        memcpy(cut, good, i);
        accepted += tnn_parse_checkpoint(net, cut, i, &in_memory) == TNN_OK;
        tnn_clear_error();
        free(cut);
    }
    CHECK(!accepted, "%d of the cut files were accepted", accepted);
    for (i = 0; i < 8*size; i++) {
        good[i/8] ^= (unsigned char)(1 << i % 8);
        accepted += tnn_parse_checkpoint(net, good, size, &in_memory) == TNN_OK;
        tnn_clear_error();
        good[i/8] ^= (unsigned char)(1 << i % 8);
        i += i/8 > 3000 ? 7 : 0;                    /* every bit of the header, one of the rest */
    }
    CHECK(!accepted, "%d of the changed files were accepted", accepted);
    CHECK(tnn_hash(net) == hash && numbers[0] == 5, "a refused file has changed something");
    CHECK(tnn_parse_checkpoint(net, good, size, &in_memory) == TNN_OK, "%s", tnn_error());
    CHECK(tnn_hash(net) != hash, "nothing was loaded");
    CHECK(tnn_parse_weights(net, good, size, NULL) > 0, "as weights: %s", tnn_error());
    tnn_free(net);
    tnn_free(wide);
    tnn_free(sgd);
    tnn_free(seeded);
    tnn_free(plain);
    tnn_free(amsgrad);
    tnn_free(averaged);
    tnn_loader_free(l);
    tnn_loader_free(larger);
}

/* Files of somebody who knows the hash: every number of the counters replaced. What is accepted
   must be safe to go on with. */
static void forged(void)
{
    static unsigned char bytes[1 << 18];
    static const unsigned char values[][8] = {
        {0, 0, 0, 0, 0, 0, 0, 0x80}, {255, 255, 255, 255, 255, 255, 255, 0x7f},
        {255, 255, 255, 255, 255, 255, 255, 255}, {1, 0, 0, 0, 0, 0, 0, 0},
        {255, 255, 255, 0x7f, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, {0, 0, 1, 0, 0, 0, 0, 0}
    };
    const tnn_data d = data_set();
    const unsigned types[] = {TNN_ADAM, TNN_LBFGS, TNN_SCHEDULE_FREE_ADAMW};
    int accepted = 0, refused_ = 0, t;
    for (t = 0; t < 3; t++) {
        setting s;
        tnn_loader *l = loader(&d, BATCH);
        tnn_checkpoint_options o = options_of(l, NULL, 0);
        tnn_net *net;
        tnn_safetensors f;
        double numbers[NUMBERS];
        size_t size, at, k, v;
        int i, have = 0;
        memset(&s, 0, sizeof s);
        s.optimizer.type = (tnn_optimizer_type)types[t];
        s.optimizer.lr = 0.001;
        if (types[t] == TNN_LBFGS) s.optimizer.history = 3;
        net = build(&s, 2);
        train(net, l, 6, numbers, &have);
        size = tnn_format_checkpoint(net, bytes, sizeof bytes, &o);
        CHECK(size && size <= sizeof bytes, "%lu bytes", (unsigned long)size);
        f = tnn_parse_safetensors(bytes, size);
        for (i = 0; i < f.count; i++) {
            if (strcmp(f.tensor[i].name, "tinynn.integers")
                && strcmp(f.tensor[i].name, "tinynn.reals"))
                continue;
            at = (size_t)(f.data - bytes) + (size_t)f.tensor[i].begin;
            for (k = 0; k < (size_t)f.tensor[i].count; k++)
                for (v = 0; v < sizeof values / sizeof *values; v++) {
                    unsigned char old[8];
                    uint64_t hash = 14695981039346656037ull;
                    size_t b;
                    memcpy(old, bytes + at + 8*k, 8);
                    memcpy(bytes + at + 8*k, values[v], 8);
                    for (b = 0; b < size - 8; b++) hash = (hash ^ bytes[b])*1099511628211ull;
                    for (b = 0; b < 8; b++) bytes[size - 8 + b] = (unsigned char)(hash >> 8*b);
                    if (tnn_parse_checkpoint(net, bytes, size, &o) == TNN_OK) {
                        accepted++;
                        train(net, l, 2, numbers, &have);
                    } else refused_++;
                    tnn_clear_error();
                    memcpy(bytes + at + 8*k, old, 8);
                }
        }
        tnn_safetensors_free(&f);
        tnn_free(net);
        tnn_loader_free(l);
    }
    CHECK(accepted && refused_, "%d accepted, %d refused", accepted, refused_);
    test_note("%d accepted, %d refused", accepted, refused_);
}

/* Of 4,000 layers, what goes over all parameters by name: linear or nearly so. */
static void many_layers(void)
{
    enum { LAYERS = 4000 };
    tnn_checkpoint_options o;
    tnn_weights_options renamed;
    tnn_net *net[2];
    void *bytes[3];
    size_t size[3];
    float values[16];
    clock_t start = clock();
    double building, seconds;
    int i, k;
    memset(&o, 0, sizeof o);
    memset(&renamed, 0, sizeof renamed);
    renamed.rename[0].file = "features.";
    renamed.rename[0].net = "";
    for (k = 0; k < 2; k++) {
        tnn_net_options options;
        tnn_loss_options loss;
        memset(&options, 0, sizeof options);
        memset(&loss, 0, sizeof loss);
        options.input[0] = 4;
        options.batch = options.threads = 1;
        net[k] = tnn_create_with(&options);
        for (i = 0; i < LAYERS; i++) layer(net[k], TNN_DENSE, 4);
        loss.type = TNN_MSE;
        tnn_set_loss_with(net[k], &loss);
        CHECK(!tnn_build(net[k]), "%s", tnn_error());
    }
    building = (double)(clock() - start)/CLOCKS_PER_SEC;
    start = clock();
    for (k = 0; k < 3; k++) {
        const tnn_weights_options *w = k == 1 ? &renamed : NULL;
        size[k] = k < 2 ? tnn_format_weights(net[0], NULL, 0, w)
                        : tnn_format_checkpoint(net[0], NULL, 0, &o);
        bytes[k] = malloc(size[k] + 1);
        if (k < 2) tnn_format_weights(net[0], bytes[k], size[k], w);
        else tnn_format_checkpoint(net[0], bytes[k], size[k], &o);
    }
    for (k = 0; k < 3; k++) {
        static const float zero[16] = {0};
        int n;
        for (i = 0; i < tnn_param_count(net[1]); i++) {
            const tnn_param p = tnn_param_info(net[1], i);
            CHECK(!tnn_get_param(net[1], p.name, values, p.count)
                  && !tnn_set_param(net[1], p.name, zero, p.count), "%s: %s", p.name, tnn_error());
        }
        n = k == 2 ? 2*LAYERS*!tnn_parse_checkpoint(net[1], bytes[k], size[k], &o)
          : tnn_parse_weights(net[1], bytes[k], size[k], k == 1 ? &renamed : NULL);
        CHECK(n == 2*LAYERS, "%d tensors: %s", n, tnn_error());
        CHECK(tnn_hash(net[0]) == tnn_hash(net[1]), "other weights from file %d", k);
        free(bytes[k]);
    }
    CHECK(tnn_summary(net[1], NULL, 0, 0) > 0, "%s", tnn_error());
    seconds = (double)(clock() - start)/CLOCKS_PER_SEC;
    test_note("%.2f s", seconds);
    CHECK(seconds < 1 || seconds < 4*building           /* or the machine is slow */
          || getenv("TINYNN_EMULATED"), "%g s", seconds);
    tnn_free(net[0]);
    tnn_free(net[1]);
}

/* With .optional a file that is not there is no error, and changes nothing; a broken one is. */
static void optional(void)
{
    static const setting sgd = { "SGD", { .type = TNN_SGD }, { .type = (tnn_schedule_type)0 },
                                 1, 1 };
    tnn_data d = data_set();
    tnn_net *net = build(&sgd, 4);
    tnn_loader *l = loader(&d, BATCH);
    double numbers[2] = { 3, 4 };
    const uint64_t before = (remove(path), tnn_hash(net));
    CHECK(tnn_load_checkpoint(net, path, .loader = l, .numbers = numbers, .count = 2,
                              .optional = 1) == TNN_OK && !tnn_failed(), "%s", tnn_error());
    CHECK(l->epoch == -1 && numbers[0] == 3 && tnn_hash(net) == before, "something was set");
    CHECK(tnn_load_weights(net, path, .optional = 1) == 0 && !tnn_failed(), "%s", tnn_error());
    CHECK(tnn_load_checkpoint(net, path, .loader = l) == TNN_ERROR_IO, "without .optional");
    tnn_clear_error();
    tnn_next(l);
    tnn_train_batch(net, l->x, l->labels, l->n);
    CHECK(tnn_save_checkpoint(net, path, .loader = l, .numbers = numbers, .count = 2) == TNN_OK
          && tnn_load_checkpoint(net, path, .loader = l, .numbers = numbers, .count = 2,
                                 .optional = 1) == TNN_OK && l->epoch == 0, "%s", tnn_error());
    spill(path, "", 0);
    CHECK(tnn_load_checkpoint(net, path, .loader = l, .optional = 1) == TNN_ERROR_FORMAT,
          "an empty file: %s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_load_weights(net, path, .optional = 1) == 0 && tnn_failed() == TNN_ERROR_FORMAT,
          "an empty file: %s", tnn_error());
    tnn_clear_error();
    tnn_loader_free(l);
    tnn_free(net);
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    snprintf(path, sizeof path, "%.*stest_checkpoint.tnn", slash ? (int)(slash - argv[0] + 1) : 0,
             argv[0]);
    test_start(argc, argv);
    RUN("a run goes on, under every optimizer", optimizers);
    RUN("a run goes on, with averages and schedules", everything);
    RUN("damaged checkpoints and those of others", refused);
    RUN("forged checkpoints", forged);
    RUN("a checkpoint that need not be there", optional);
    RUN("4,000 layers", many_layers);
    remove(path);
    return test_finish();
}
