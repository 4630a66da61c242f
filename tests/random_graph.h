/* random_graph.h - draws whole graphs: forks, joins in every order, shortcuts, frozen parts

   draw_graph(i) draws number i, the same one everywhere, into `net` of random_net.h: a chain of
   parts, of which each is
     - a fork: two to four branches of none to three layers or forks, also from the input, joined
       pair by pair;
     - a join with any earlier output or the input, perhaps of an output with itself;
     - a layer that keeps the shape, or one that changes it.
   Joins read what they are given as first and second input alike: the order is drawn, and so is the
   layer that goes back to a branch when the first input is not the layer just before. */
#ifndef RANDOM_GRAPH_H
#define RANDOM_GRAPH_H

enum { GRAPH_IMAGES, GRAPH_VECTORS, GRAPH_NOISE, GRAPH_FROZEN, GRAPH_BATCHES, GRAPH_KINDS };
static const char *const GRAPH_NAMES[] = { "graphs of images", "graphs of vectors",
    "graphs with noise", "graphs, partly frozen", "graphs of larger batches" };

static const tnn_layer_type keeping[] = { TNN_IDENTITY, TNN_IDENTITY, TNN_SCALE, TNN_TANH,
    TNN_RELU, TNN_LEAKY_RELU, TNN_PRELU, TNN_SILU, TNN_SIGMOID, TNN_BATCHNORM, TNN_BATCHNORM,
    TNN_LAYERNORM, TNN_GROUPNORM, TNN_RMSNORM, TNN_INSTANCENORM, TNN_SOFTMAX, TNN_CUSTOM_LAYER,
    TNN_MAXPOOL2D, TNN_CONV2D, TNN_CONV2D, TNN_CONV2D, TNN_DENSE };
static const tnn_layer_type changing[] = { TNN_CONV2D, TNN_CONV_TRANSPOSE2D, TNN_DENSE, TNN_DENSE,
    TNN_FLATTEN, TNN_FLATTEN, TNN_RESHAPE, TNN_MAXPOOL2D, TNN_AVGPOOL2D, TNN_ADAPTIVE_AVGPOOL2D,
    TNN_UPSAMPLE, TNN_PAD, TNN_GLU };
static const tnn_layer_type drops[] = { TNN_DROPOUT, TNN_DROPOUT2D, TNN_ALPHA_DROPOUT,
    TNN_GAUSSIAN_DROPOUT, TNN_GAUSSIAN_NOISE, TNN_STOCHASTIC_DEPTH };
#define ONE_OF(list) list[pick(0, (int)(sizeof list / sizeof *list) - 1)]

static tensor at_layer(int from) { return net.shape[from < 0 ? 0 : from]; }
/* The shape behind layer k (0: the input) before a flatten, which says how noise is drawn. */
static tensor before_flatten(int k)
{
    const tnn_layer *l = net.layer + k - (k > 0);
    const int join = l->type == TNN_ADD || l->type == TNN_CONCAT;
    if (net.shape[k].flat < 2) return net.shape[k];
    return before_flatten(join || !l->from ? k - 1 : l->from < 0 ? 0 : l->from);
}

/* One more layer, as draw() does, unless it does not fit or is too large. */
static int attempt(tnn_layer_type type, int variant, int from)
{
    const int layers = net.layers;
    const double cost = net.cost;
    if (!net.fits || layers == MOST) return 0;
    draw(type, variant, from);
    if (net.fits && type == TNN_ADD) {      /* those that were flattened otherwise become vectors */
        const tensor a = before_flatten(layers), b = before_flatten(from < 0 ? 0 : from);
        if (a.c != b.c || a.h != b.h || a.w != b.w) net.shape[net.layers].flat = 1;
    }
    if (net.fits && net.cost < COST / 4) return 1;
    net.layers = layers, net.cost = cost, net.fits = 1;
    return 0;
}
/* A layer that keeps the shape; reads layer `from`. */
static void keep_shape(int from)
{
    int read = from == here() && pick(0, 3) ? 0 : from, tries;
    for (tries = 0; tries < 20; tries++) {
        const int noisy = net.kind == GRAPH_NOISE && pick(0, 3) == 0;
        if (attempt(noisy ? ONE_OF(drops) : ONE_OF(keeping), noisy ? LAST : SAME, read))
            return;
    }
    net.fits = attempt(TNN_IDENTITY, ANY, read);
}
static void fork_at(int base, int deep)
{
    const tensor x = at_layer(base), in = net.shape[0];
    const int from_input = x.h == in.h && x.w == in.w && !net.given;
    int ends[4], n = pick(2, 4), i, k, layers;
    for (i = 0; i < n && net.fits; i++) {
        ends[i] = i > 0 && from_input && pick(0, 5) == 0 ? TNN_FROM_INPUT : base;
        for (layers = pick(0, 3); layers > 0; layers--, ends[i] = here()) {
            if (deep < 1 && pick(0, 4) == 0) fork_at(ends[i], deep + 1);
            else keep_shape(ends[i]);
            if (!net.fits) return;
        }
    }
    for (i = n - 1; i > 0; i--) {
        const int other = pick(0, i), end = ends[i];
        ends[i] = ends[other], ends[other] = end;
    }
    if (ends[0] != here()) {
        if (pick(0, 1)) net.fits = attempt(TNN_IDENTITY, ANY, ends[0]);
        else keep_shape(ends[0]);
    }
    for (i = 1; i < n && net.fits; i++) {
        k = pick(0, 2) == 0;
        net.fits = attempt(k ? TNN_CONCAT : TNN_ADD, ANY, ends[i])
                   || attempt(k ? TNN_ADD : TNN_CONCAT, ANY, ends[i]);
    }
}

/* What is frozen: by the option, and by tnn_set_group, of the whole layer or its bias alone. */
static void freeze(void)
{
    const int all = pick(0, 2), until = pick(0, net.layers);
    int k;
    for (k = 0; k < net.layers; k++) {
        net.layer[k].frozen = all ? k < until : pick(0, 2) == 0;
        net.group[k] = pick(0, 4) ? 0 : pick(1, 3);
    }
}

static void draw_parts(void)
{
    tensor x = { 0, 0, 0, 0, 0, 0 }, *y;
    int target = pick(2, 16), kind = net.kind;
    x.n = pick(0, 3) ? pick(2, 5) : 1, x.c = pick(1, 6), x.h = pick(1, 6), x.w = pick(1, 6);
    if (kind == GRAPH_VECTORS) x.c = pick(1, 20), x.h = x.w = 1;
    if (kind == GRAPH_BATCHES) x.n = pick(6, 33), x.h = pick(1, 3), x.w = pick(1, 3);
    net.range = 1;
    start(x, pick(0, 2) == 0 && x.n * x.n * values(x) < COST / 8);
    net.batch = x.n + (pick(0, 1) ? 0 : pick(1, 3));
    while (net.fits && net.layers < target) {
        const int kept = here(), part = pick(0, 9);
        if (part < 3) fork_at(kept, 0);
        else if (part < 5) {
            const int from = pick(net.given ? 2 : 0, net.layers);
            attempt(pick(0, 1) ? TNN_ADD : TNN_CONCAT, ANY, from ? from : TNN_FROM_INPUT);
        } else if (part < 7) attempt(ONE_OF(changing), ANY, 0);
        else keep_shape(kept);
    }
    if (pick(0, 1)) attempt(TNN_FLATTEN, ANY, 0);
    if (pick(0, 1)) attempt(TNN_DENSE, ANY, 0);
    if (pick(0, 4) == 0) attempt(pick(0, 1) ? TNN_IDENTITY : TNN_FLATTEN, ANY, 0);
    y = &net.shape[net.layers];
    net.labelled = pick(0, 1) && y->h * y->w == 1 && y->c > 1;
    if (net.labelled && probabilities())
        net.fits = attempt(TNN_IDENTITY, ANY, 0);       /* says that it is meant */
    if (kind == GRAPH_FROZEN) freeze();
}
static void draw_graph(int number)
{
    net.number = number, net.kind = number % GRAPH_KINDS;
    state = test_hash(SEED + 2, (uint32_t)number);
    do draw_parts(); while (!net.fits || !net.layers);
}
#endif
