/* test_random.c - random networks on every instruction set, against doubles

   Of layers, network i (random_net.h) is built around the layer of ROWS[i % ROW_COUNT]; of graphs
   random_graph.h) it is a whole one. A training step and an evaluation of each, with a look inside
   either,
     - give the same bits on every instruction set and with 1 to 5 threads, graphs on every one with
       1, 2 and 3: outputs, loss, gradients of parameters and input, running statistics, output of
       each layer and gradient by it (sse2, without fused multiply-add: its own);
     - are near to those of reference.h, which goes through the list of layers and knows nothing of
       plans: each value within LIMIT times its size plus the mean size of its tensor; the size of a
       value is its absolute value and 1/10 of its deviation there, in units of a float's rounding.
   What the definitions refuse the library must refuse, and nothing else. A number as argument runs
   and shows that network alone, g and a number that graph; TINYNN_RANDOM=10000 in the environment
   runs so many of both, an argument "graphs" these alone. */
#include "test.h"
#include "reference.h"
#include "random_net.h"
#include "random_graph.h"

/* Does the .from of some layer name layer k, counted from 1? */
static int named(int k)
{
    int i;
    for (i = k; i < net.layers; i++) if (net.layer[i].from == k) return 1;
    return 0;
}
/* Prints the net, a line for each layer. */
static void show(void)
{
    const tensor *t = net.shape;
    int k, r;
    printf("%d: %d samples of %dx%dx%d, .batch = %d, %s\n", net.number, t->n, t->c, t->h, t->w,
           net.batch, net.labelled ? "cross-entropy" : "MSE");
    for (k = 0; k < net.layers; k++) {
        const tnn_layer *l = &net.layer[k];
        for (r = 0; ROWS[r].type != l->type; r++) {}
        printf("    %s", ROWS[r].name);
#define INT(name)   if (l->name) printf(", ." #name " = %d", (int)l->name);
#define FLOAT(name) if (l->name > 0 || l->name < 0) printf(", ." #name " = %g", (double)l->name);
#define TWO(name)   INT(name) INT(name##_h) INT(name##_w)
        INT(from) INT(filters) INT(units) TWO(kernel) TWO(stride) TWO(pad) TWO(dilation) INT(groups)
        INT(ceil) INT(exclude_pad) INT(no_bias) INT(output_pad) INT(pad_mode) TWO(size) INT(factor)
        INT(mode) INT(shape[0]) INT(shape[1]) INT(shape[2]) INT(no_affine) INT(affine)
        INT(no_statistics) INT(approximate) INT(per_channel) FLOAT(slope) FLOAT(p) FLOAT(value)
        FLOAT(eps) FLOAT(momentum) FLOAT(alpha) FLOAT(beta) FLOAT(threshold) FLOAT(min_value)
        FLOAT(max_value) FLOAT(std) FLOAT(drop_connect) INT(frozen)
        if (net.group[k]) printf(", group %d", net.group[k]);
        if (net.fits || k < net.layers - 1) t++, printf("  -> %dx%dx%d", t->c, t->h, t->w);
        printf("\n");
    }
}

enum { LAYERS_TRIED = 1000, GRAPHS_TRIED = 200, THREADS = 5, FLOATS = 1 << 20, PARTS = 9 * MOST };
#define LIMIT 2e-5

/* ==== THE LIBRARY ============================================================================= */

/* What a run gives, part by part: output, loss, gradients of the parameters in their order, running
   statistics, output of the evaluation; then what is seen in training and in evaluation: of each
   layer from the input on the output and the gradient by it. */
static struct { char name[40]; int n, at; } part[PARTS];
static int parts, params;
static float values_of[FLOATS];         /* the parameters, in the places of their gradients */
static float results[3][FLOATS];        /* of the first run, of the first with sse2, of the last */

static int end_of_parts(void) { return parts ? part[parts - 1].at + part[parts - 1].n : 0; }
static void keep(const char *name, const float *x, int n)
{
    int at = end_of_parts();
    if (parts == PARTS || at + n > FLOATS) { printf("FAIL  out of results\n"); exit(1); }
    snprintf(part[parts].name, sizeof part->name, "%s", name);
    part[parts].n = n, part[parts++].at = at;
    if (x) memcpy(results[2] + at, x, (size_t)n * sizeof *x);
    else CHECK(0, "%d: no %s: %s", net.number, name, tnn_error());
}

/* Number i of a parameter, of the input (which = -1), of the targets (-2). */
static double value(int which, int i)
{
    float v = test_value(net.stream + (uint32_t)which, (uint32_t)i);
    return v < 0 || v > 0 ? (double)v : 0.5;
}
static float input(int i)
{
    const int n = net.shape[0].n;
    return net.given ? (float)(i / n == i % n) : (float)(net.range * value(-1, i));
}
static int label(int sample)
{
    return (int)(test_hash(net.stream, (uint32_t)sample) % (uint32_t)net.shape[net.layers].c);
}

/* A layer of our own: y[i] = w[i % 2] x[i] x[i + 1], the last times the first. */
static int pairs_shape(void *user, const int in[3], int out[3], int *count)
{
    *(int *)user = in[0] * in[1] * in[2], *count = 2;
    return out[0] < 1;
}
static void pairs_forward(void *user, const float *x, float *y, const float *w, int training)
{
    const int pairs = *(const int *)user;
    int i;
    (void)training;
    for (i = 0; i < pairs; i++) y[i] = w[i % 2] * x[i] * x[(i + 1) % pairs];
}
static void pairs_backward(void *user, const float *x, const float *y, const float *dy, float *dx,
                           const float *w, float *dw)
{
    const int pairs = *(const int *)user;
    int i;
    (void)y;
    memset(dx, 0, (size_t)pairs * sizeof *dx);
    for (i = 0; i < pairs; i++) {
        const int next = (i + 1) % pairs;
        dx[i] += dy[i] * w[i % 2] * x[next];
        dx[next] += dy[i] * w[i % 2] * x[i];
        if (dw) dw[i % 2] += dy[i] * x[i] * x[next];
    }
}

/* The last look at a network becomes parts later: seen[evaluation]. */
static struct { tnn_tensor output[MOST + 1], gradient[MOST + 1]; } seen_in[2];
static void look(tnn_net *made, int evaluation)
{
    int k;
    for (k = 0; k <= net.layers; k++) {
        seen_in[evaluation].output[k] = tnn_layer_output(made, k);
        seen_in[evaluation].gradient[k] = tnn_layer_gradient(made, k);
        CHECK(!tnn_failed(), "%d: layer %d: %s", net.number, k, tnn_error());
    }
}
static void keep_seen(void)
{
    const int looked = parts;
    int i, k;
    char name[40];
    for (i = 0; i < 2; i++)
        for (k = 0; k <= net.layers; k++) {
            tnn_tensor *y = &seen_in[i].output[k], *dy = &seen_in[i].gradient[k];
            const int n = y->n * y->c * y->h * y->w;
            snprintf(name, sizeof name, "%s of layer %d", i ? "evaluation" : "training", k);
            CHECK(n == net.shape[0].n * values(net.shape[k]), "%d: %s: %d values", net.number, name,
                  n);
            keep(name, y->data, n);
            if (k == net.layers && y->data)
                CHECK_SAME(name, y->data, results[2] + part[i ? looked - 1 : 0].at,
                           (size_t)n * sizeof(float));
            snprintf(name, sizeof name, "%s gradient of layer %d", i ? "evaluation" : "training",
                     k);
            keep(name, dy->data, n);
            tnn_tensor_free(y);
            tnn_tensor_free(dy);
        }
}

static tnn_net *build(int threads, int training)
{
    static const tnn_custom_layer custom = { .name = "pairs", .shape = pairs_shape,
        .forward = pairs_forward, .backward = pairs_backward };
    static tnn_custom_layer own[MOST];
    static int pairs[MOST];
    const tensor *x = net.shape;
    tnn_net *made = tnn_create(.input = { x->c, x->h, x->w }, .batch = net.batch,
                               .threads = threads, .seed = 3);
    int k;
    for (k = 0; k < net.layers; k++) {
        own[k] = custom, own[k].user = &pairs[k];
        if (net.layer[k].type == TNN_CUSTOM_LAYER) net.layer[k].custom = &own[k];
        if (net.layer[k].type == TNN_CONV2D || net.layer[k].type == TNN_CONV_TRANSPOSE2D
            || net.layer[k].type == TNN_DENSE) net.layer[k].init = TNN_INIT_ZERO;
        tnn_add_with(made, &net.layer[k]);
    }
    if (training) tnn_set_loss(made, net.labelled ? TNN_CROSS_ENTROPY : TNN_MSE);
    if (training) tnn_set_optimizer(made, TNN_SGD, .lr = TNN_ZERO);
    tnn_build(made);
    return made;
}

/* What layer k, which reads x, makes of ones, or of zeros if it adds: the noise of the first
   training step, in a network where nothing else stands before it. A dropout that a dense layer
   with ReLU takes over is drawn by its number. */
static float *noise_of(int k, tensor x)
{
    tnn_layer l = net.layer[k], nothing;
    const tensor lies = before_flatten(l.from < 0 ? 0 : l.from ? l.from : k);
    const int n = x.n * values(x), fused = l.type == TNN_DROPOUT && l.p > 0 && k > 1 && !l.from
        && net.layer[k - 1].type == TNN_RELU && !net.layer[k - 1].from && !named(k)
        && net.layer[k - 2].type == TNN_DENSE && !named(k - 1);
    float *ones = test_floats((size_t)n), *seen = test_floats((size_t)n);
    tnn_net *made = tnn_create(.input = { lies.c, lies.h, lies.w }, .batch = x.n, .seed = 3);
    int i;
    memset(&nothing, 0, sizeof nothing);
    nothing.type = x.flat ? TNN_FLATTEN : TNN_IDENTITY, l.from = 0;
    for (i = 0; i < k - 2 * fused; i++) tnn_add_with(made, &nothing);
    tnn_add_with(made, &l);
    for (i = 0; i < n; i++) ones[i] = l.type != TNN_GAUSSIAN_NOISE;
    tnn_forward(made, ones, x.n, TNN_TRAIN);
    if (tnn_output(made)) memcpy(seen, tnn_output(made), (size_t)n * sizeof *seen);
    CHECK(!tnn_failed(), "%d: noise of layer %d: %s", net.number, k, tnn_error());
    tnn_free(made);
    test_release(ones);
    return seen;
}

/* A network without a loss and with these parameters evaluates to the same bits, though its values
   lie where others have been, of this forward and of the one before. */
static void infer(tnn_net *trained, const float *x, int outputs)
{
    tnn_net *made = build(1, 0);
    int i;
    if (tnn_param_count(made)) {
        size_t bytes = tnn_format_weights(trained, NULL, 0, NULL);
        void *file = malloc(bytes);
        tnn_format_weights(trained, file, bytes, NULL);
        tnn_parse_weights(made, file, bytes, NULL);
        free(file);
    }
    for (i = 0; i < 2; i++) tnn_forward(made, x, net.shape[0].n, TNN_EVAL);
    CHECK(!tnn_failed(), "%s", tnn_error());
    CHECK_SAME("evaluation without a loss", tnn_output(made), tnn_output(trained),
               (size_t)outputs * sizeof(float));
    tnn_free(made);
}

/* A step and an evaluation, into results[2]. */
static tnn_status run(const char *isa, int threads)
{
    const int n = net.shape[0].n, inputs = n * values(net.shape[0]);
    const int outputs = net.fits ? n * values(net.shape[net.layers]) : 1;
    float *x = test_floats((size_t)inputs), *targets = test_floats((size_t)outputs), loss;
    int labels[33], room = outputs + 1, i, k;
    tnn_net *made;
    tnn_set_isa(isa);
    made = build(threads, 1);
    for (i = 0; i < inputs; i++) x[i] = input(i);
    for (i = 0; i < outputs; i++) targets[i] = (float)value(-2, i);
    for (i = 0; i < n && net.labelled && net.fits; i++) labels[i] = label(i);
    for (parts = params = k = 0; k < tnn_param_count(made); k++) {
        const tnn_param p = tnn_param_info(made, k);
        const double scale = net.given && k == 0 ? net.range
                           : p.ndim > 1 ? 1.5 / sqrt(p.count / p.dims[0]) : 1;
        if (p.buffer) continue;
        if (room + p.count > FLOATS) { printf("FAIL  out of values\n"); exit(1); }
        for (i = 0; i < p.count; i++) values_of[room + i] = (float)(scale * value(k, i));
        tnn_set_param(made, p.name, values_of + room, p.count);
        room += p.count, params++;
    }
    for (k = 0; k < net.layers && net.fits; k++)
        if (net.group[k]) {
            char prefix[20];
            snprintf(prefix, sizeof prefix, "%d.%s", k, net.group[k] == 2 ? "bias" : "");
            tnn_set_group(made, prefix, 1, 1, net.group[k] < 3);
            CHECK(!tnn_failed() || strstr(tnn_error(), "no parameter's name"), "%s", tnn_error());
            tnn_clear_error();      /* it has none */
        }
    if (tnn_forward(made, x, n, TNN_TRAIN) == TNN_OK && net.fits) {
        keep("output", tnn_output(made), outputs);
        for (i = 0; i <= threads % 2; i++) {    /* once more: all it needs is still there */
            loss = (float)(net.labelled ? tnn_loss(made, labels)
                                        : tnn_loss_targets(made, targets));
            tnn_backward(made);
        }
        keep("loss", &loss, 1);
        tnn_look(made, .x = NULL);
        look(made, 0);
        tnn_step(made);         /* of lr 0: it takes the running statistics over */
        for (k = 0; k < tnn_param_count(made); k++) {
            const tnn_param p = tnn_param_info(made, k);
            float *v = test_floats((size_t)p.count);
            if (p.buffer) tnn_get_param(made, p.name, v, p.count);
            else tnn_get_grad(made, p.name, v, p.count);
            keep(p.name, v, p.count);
            test_release(v);
        }
        tnn_forward(made, x, n, TNN_EVAL);
        tnn_look(made, .x = x, .n = n, .dy = targets);
        look(made, 1);
        keep("output of the evaluation", tnn_output(made), outputs);
        keep_seen();
        if (threads == THREADS) infer(made, x, outputs);
        CHECK(!tnn_failed(), "%d: %s", net.number, tnn_error());
        tnn_clear_error();
    }
    tnn_free(made);
    test_release_all();
    return (tnn_status)tnn_failed();
}

/* ==== COMPARED ================================================================================ */

static int want[PARTS], asked;      /* the first node of each part; the next of the parameters */
static int evaluated;               /* the sum of the evaluation's outputs times the targets */
static int frozen[PARTS];           /* the gradient of this part is 0 */
static int guessed;                 /* which weights are dropped, where their gradient is 0 anyhow:
                                       then the gradient by what they multiply is not known */
/* The nodes of a layer's n weights or biases, -1 if there are none. */
static int parameter(int layer, const char *name, int n)
{
    char full[40];
    snprintf(full, sizeof full, "%d.%s", layer, name);
    if (n == 0) return -1;
    CHECK(asked < 2 + params && !strcmp(full, part[asked].name) && n == part[asked].n,
          "%d: there should be %s of %d values, not %s of %d", net.number, full, n,
          part[asked].name, part[asked].n);
    return want[asked++];
}

/* The part that is the input in a look. */
static int first_seen(int evaluation) { return parts - (2 - evaluation) * 2 * (net.layers + 1); }

/* Nodes of the same values, which are made of nothing: running statistics are given. */
static int copies(int from, int n)
{
    const int first = zeros(n);
    int i;
    for (i = 0; i < n; i++)
        nodes[first + i].v = nodes[from + i].v, nodes[first + i].var_v = nodes[from + i].var_v;
    return first;
}
/* Fills in `want`: a step, which can then go backwards, and the evaluation. */
static void reference(void)
{
    int known[MOST], i, k, training, buffer = 2 + params;
    tensor t[MOST + 1];
    forget();
    guessed = 0;
    for (k = 2; k < buffer; k++)
        for (want[k] = node_count, i = 0; i < part[k].n; i++)
            number((double)values_of[part[k].at + i]);
    t[0] = net.shape[0], t[0].at = node_count;
    for (i = 0; i < t[0].n * values(t[0]); i++) number((double)input(i));
    for (training = 1; training >= 0; training--) {
        for (asked = 2, k = 0; k < net.layers; k++) {
            const tnn_layer *l = &net.layer[k];
            const int noise = l->type >= TNN_DROPOUT2D && l->type < TNN_CUSTOM_LAYER;
            const int noisy = training && (noise || l->type == TNN_DROPOUT);
            int first = asked;
            float *seen = results[0] + (l->drop_connect > 0 ? part[asked].at : 0);
            tensor x = t[k], x2 = t[l->from < 0 ? 0 : l->from], *y = &t[k + 1];
            int w, b;
            if (l->from && l->type != TNN_ADD && l->type != TNN_CONCAT) x = x2;
            guessed |= l->drop_connect > 0;
            if (noisy) seen = noise_of(k, x);
            *y = net.shape[k + 1], y->at = zeros(y->n * values(*y));
            parameters_of(l, x, *y, &w, &b);
            w = parameter(k, "weight", w), b = parameter(k, "bias", b);
            if (l->type == TNN_BATCHNORM && !l->no_statistics && !training)
                known[k] = copies(known[k], 2 * x.c);
            while (first < asked)
                frozen[first++] = net.group[k] < 3 && (l->frozen || net.group[k] == 1);
            apply(l, *y, x, x2, w, b, training, seen, &known[k]);
            if (noisy) test_release(seen);
            want[first_seen(!training) + 2 * k + 2] = y->at;
            want[first_seen(!training) + 2 * k + 3] = y->at;
            if (l->type != TNN_BATCHNORM || l->no_statistics || !training) continue;
            known[k] = running(l, x, known[k]);
            want[buffer++] = known[k], want[buffer++] = known[k] + x.c;
        }
        want[training ? 0 : buffer] = t[k].at;
        want[first_seen(!training)] = want[first_seen(!training) + 1] = t[0].at;
        if (!training) {
            evaluated = zeros(1);
            for (i = 0; i < t[k].n * values(t[k]); i++)
                add(evaluated, t[k].at + i, number(value(-2, i)));
            continue;
        }
        want[1] = zeros(1);
        for (i = 0; i < t[k].n && net.labelled; i++) 
            cross_entropy(want[1], t[k], i, label(i), 0, NULL, t[k].n);
        for (i = 0; i < t[k].n * values(t[k]) && !net.labelled; i++)
            squared_error(want[1], t[k], i, value(-2, i));
    }
    CHECK(buffer == first_seen(0) - 1, "%d: %d tensors, not %d", net.number, parts, buffer + 1);
}

/* The size of a value or gradient. What it was made of counts, as that may have cancelled. */
static double size_of(const node *p, int gradient)
{
    return gradient ? fabs(p->g) + sqrt(p->var_g) / 10 : fabs(p->v) + sqrt(p->var_v) / 10;
}
/* A run's values and gradients of the loss, or its gradients of the evaluation, against those of
   the nodes. */
static void compare(const char *isa, const float *all, int evaluation)
{
    const int noted = note_count;
    int k, i;
    for (i = 0; i < node_count; i++) nodes[i].g = nodes[i].var_g = 0;
    backwards(evaluation ? evaluated : want[1]);
    note_count = noted;                 /* for the other one */
    for (k = 0; k < parts; k++) {
        const node *p = &nodes[want[k]];
        const float *got = all + part[k].at;
        const int looked = k >= first_seen(0) && (k - first_seen(0)) % 2;
        const int gradient = (k > 1 && k < 2 + params) || looked, n = part[k].n;
        double mean = 0, worst = 0;
        int at = 0;
        if ((k >= first_seen(1) && looked) != evaluation) continue;
        if (looked && !evaluation && guessed) continue;
        if (gradient && !looked && frozen[k]) {
            for (i = 0; i < n && !(got[i] < 0 || got[i] > 0); i++) {}
            CHECK(i == n, "%d: %s, %s is frozen, and its gradient is %g", net.number, isa,
                  part[k].name, (double)got[i]);
            continue;
        }
        for (i = 0; i < n; i++) mean += size_of(&p[i], gradient) / n;
        for (i = 0; i < n; i++) {
            double error = fabs((double)got[i] - (gradient ? p[i].g : p[i].v));
            if (error > 0) error /= mean + size_of(&p[i], gradient);
            if (!(error <= worst)) worst = error, at = i;
            if (error != error) break;
        }
        if (worst <= LIMIT) test_measure(worst, LIMIT);
        else test_fail(__LINE__, "%d: %s, %s[%d of %d]: got %.9g, want %.9g, residual %.1e",
                       net.number, isa, part[k].name, at, n, (double)got[at],
                       gradient ? p[at].g : p[at].v, worst);
    }
}

static int only = -1;                   /* the number of the one to be run and shown */
static int sets, refused, corners;      /* instruction sets; configurations of a row */
/* The network under way. On every instruction set with each number of threads up to `each`, then
   with more on any one. */
static void configuration(int each)
{
    const char *isa = tnn_isa_name(0);
    const int number = net.number;
    int i, k, t, with_sse2 = 0;
    for (t = 0, corner = 1; corner && t < 20; t++) {
        net.stream = test_hash(SEED + 1, (uint32_t)(number * 20 + t));
        if (run(isa, 1)) {
            CHECK(!net.fits && strstr(tnn_error(), ": "), "%d: %s", number, tnn_error());
            if (only >= 0) printf("    %s\n", tnn_error());
            tnn_clear_error();
            refused++;
            return;
        }
        CHECK(net.fits, "%d: should have been refused", number);
        if (!net.fits) return;
        memcpy(results[0], results[2], (size_t)end_of_parts() * sizeof(float));
        reference();
    }
    corners += corner;
    if (!corner) compare(isa, results[0], 0), compare(isa, results[0], 1);
    for (i = 1; i < sets * each + THREADS - each; i++) {
        const int all = i < sets * each, threads = all ? i / sets + 1 : i - sets * each + each + 1;
        const int set = all ? i % sets : pick(0, sets - 1);
        const int sse2 = !strcmp(isa = tnn_isa_name(set), "sse2");
        run(isa, threads);
        if (sse2 && !with_sse2++) {
            memcpy(results[1], results[2], (size_t)end_of_parts() * sizeof(float));
            if (!corner) compare(isa, results[1], 0), compare(isa, results[1], 1);
        }
        for (k = 0; k < parts; k++)
            CHECK(!memcmp(results[sse2] + part[k].at, results[2] + part[k].at,
                          (size_t)part[k].n * sizeof(float)),
                  "%d: %s, %d threads, %s: other bits", number, isa, threads, part[k].name);
    }
}

/* Every `rows`-th of n numbers from r on, or `only` one of them. */
static int all_tried, all_refused;
static void group(const char *name, int r, int rows, int n, void (*draw_one)(int), int each)
{
    int i = only < 0 ? r : only, tried = 0;
    if (i % rows != r || !test_begin(name)) return;
    refused = corners = 0;
    for (; i < (only < 0 ? n : only + 1); i += rows, tried++) {
        draw_one(i);
        if (only >= 0) show();
        configuration(each);
    }
    test_note("%d tried, %d refused, %d at corners", tried, refused, corners);
    test_end();
    all_tried += tried, all_refused += refused;
}

int main(int argc, char **argv)
{
    const char *count = getenv("TINYNN_RANDOM");
    int r, one_graph;
    test_start(argc, argv);
    one_graph = test.only[0] == 'g' && test.only[1] >= '0' && test.only[1] <= '9';
    if (one_graph || (test.only[0] >= '0' && test.only[0] <= '9'))
        only = atoi(test.only + one_graph), test.only = "";
    else printf("seed %d\n", SEED);
    while (tnn_isa_name(sets)) sets++;
    for (r = 0; r < ROW_COUNT && !one_graph; r++)
        group(ROWS[r].name, r, ROW_COUNT, count ? atoi(count) : LAYERS_TRIED, draw_number, 1);
    if (only < 0 && test_begin("few are refused")) {
        CHECK(10 * all_refused <= 3 * all_tried, "%d of %d", all_refused, all_tried);
        test_note("%d of %d", all_refused, all_tried);
        test_end();
    }
    for (r = 0; r < GRAPH_KINDS && (only < 0 || one_graph); r++)
        group(GRAPH_NAMES[r], r, GRAPH_KINDS, count ? atoi(count) : GRAPHS_TRIED, draw_graph, 3);
    return test_finish();
}
