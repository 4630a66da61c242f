/* random_net.h - draws small networks of every layer type

   draw_number(i) draws number i, the same one everywhere, into `net`. */
#ifndef RANDOM_NET_H
#define RANDOM_NET_H

enum { SEED = 1, COST = 150000, MOST = 64 };

/* ---- networks --------------------------------------------------------------------------------*/

enum { ANY, GROUPS, DEPTHWISE, WINOGRAD, LARGE, PAD_MODE, DROP_CONNECT, LAST, SAME };
static const struct row { tnn_layer_type type; int variant; const char *name; } ROWS[] = {
#define ROW(type) { type, ANY, #type }
    ROW(TNN_CONV2D), { TNN_CONV2D, GROUPS, "TNN_CONV2D with groups" },
    { TNN_CONV2D, DEPTHWISE, "TNN_CONV2D, depthwise" }, { TNN_CONV2D, ANY, "TNN_CONV2D once more" },
    { TNN_CONV2D, WINOGRAD, "TNN_CONV2D, 3x3 on 16 channels" },
    { TNN_CONV2D, PAD_MODE, "TNN_CONV2D with pad_mode" },
    { TNN_CONV2D, DROP_CONNECT, "TNN_CONV2D with drop_connect" }, ROW(TNN_CONV_TRANSPOSE2D),
    { TNN_CONV_TRANSPOSE2D, GROUPS, "TNN_CONV_TRANSPOSE2D with groups" },
    { TNN_CONV_TRANSPOSE2D, DEPTHWISE, "TNN_CONV_TRANSPOSE2D, depthwise" },
    ROW(TNN_DENSE), { TNN_DENSE, LARGE, "TNN_DENSE, large" },
    { TNN_DENSE, DROP_CONNECT, "TNN_DENSE with drop_connect" },
    ROW(TNN_MAXPOOL2D), ROW(TNN_AVGPOOL2D), ROW(TNN_ADAPTIVE_MAXPOOL2D),
    ROW(TNN_ADAPTIVE_AVGPOOL2D), ROW(TNN_UPSAMPLE), ROW(TNN_PAD), ROW(TNN_FLATTEN),
    ROW(TNN_RESHAPE), ROW(TNN_IDENTITY), ROW(TNN_ADD), ROW(TNN_CONCAT), ROW(TNN_SCALE),
    ROW(TNN_BATCHNORM), ROW(TNN_LAYERNORM), ROW(TNN_GROUPNORM), ROW(TNN_INSTANCENORM),
    ROW(TNN_RMSNORM), ROW(TNN_RELU), ROW(TNN_LEAKY_RELU), ROW(TNN_PRELU), ROW(TNN_RELU6),
    ROW(TNN_ELU), ROW(TNN_SELU), ROW(TNN_CELU), ROW(TNN_GELU), ROW(TNN_SILU), ROW(TNN_MISH),
    ROW(TNN_SOFTPLUS), ROW(TNN_SOFTSIGN), ROW(TNN_SIGMOID), ROW(TNN_LOG_SIGMOID), ROW(TNN_TANH),
    ROW(TNN_HARDTANH), ROW(TNN_HARDSIGMOID), ROW(TNN_HARDSWISH), ROW(TNN_SOFTMAX),
    ROW(TNN_LOG_SOFTMAX), ROW(TNN_GLU), ROW(TNN_CUSTOM_LAYER),
#undef ROW
#define ROW(type) { type, LAST, #type }         /* its output shows what was drawn */
    ROW(TNN_DROPOUT), ROW(TNN_DROPOUT2D), ROW(TNN_ALPHA_DROPOUT), ROW(TNN_GAUSSIAN_DROPOUT),
    ROW(TNN_GAUSSIAN_NOISE), ROW(TNN_STOCHASTIC_DEPTH)
#undef ROW
};
enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };

/* The one under way. In a `given` one the first layers, dense and reshape, make the input of the
   sample's number as one of n bits, so that its gradient is one of weights. */
static struct {
    int       number, given, batch, labelled, layers, fits;
    uint32_t  stream;                       /* of the values of parameters, input, targets */
    double    range, cost;                  /* of the input; products of a forward pass */
    int       kind, group[MOST];            /* of graphs: random_graph.h */
    tnn_layer layer[MOST];
    tensor    shape[MOST + 1];              /* before each layer, and behind the last */
} net;

static uint32_t state;
static int pick(int lo, int hi) { return test_pick(&state, lo, hi); }
static int channels(void)
{
    const int kind = pick(0, 5);
    return kind == 0 ? pick(1, 4) : kind == 1 ? 16 * pick(1, 2) + pick(-1, 1) : pick(1, 40);
}

#define MAYBE(statement) { if (pick(0, 2) == 0) { statement; } }
#define SIDES(member, lo, hi) { \
    if (pick(0, 1)) l->member = pick(lo, hi); \
    else l->member##_h = pick(lo, hi), l->member##_w = pick(lo, hi); }

/* Options of a layer that reads x. */
static void draw_options(tnn_layer *l, int variant, tensor x)
{
    const int conv = l->type == TNN_CONV2D || l->type == TNN_CONV_TRANSPOSE2D;
    const float quarter = (float)pick(1, 7) / 4;
    switch (l->type) {
    case TNN_CONV2D: case TNN_CONV_TRANSPOSE2D: case TNN_MAXPOOL2D: case TNN_AVGPOOL2D:
        if (conv) l->filters = variant == WINOGRAD ? 16 * pick(1, 2) : channels();
        if (conv) l->no_bias = pick(0, 3) == 0;
        else {
            const int exclude = pick(0, 1);
            l->ceil = pick(0, 1);
            if (l->type == TNN_AVGPOOL2D) l->exclude_pad = exclude;
        }
        if (variant == SAME || variant == WINOGRAD) {
            if (conv && variant == SAME && pick(0, 7)) l->filters = x.c;
            l->kernel = 3, l->stride = l->pad = 1, l->ceil = 0;
            break;
        }
        if (!conv && pick(0, 2) == 0) { l->kernel = 2; break; }
        SIDES(kernel, 1, !conv ? 4 : pick(0, 1) ? 3 : 7)
        MAYBE(SIDES(stride, 1, 3))
        MAYBE(SIDES(pad, 0, l->type == TNN_CONV2D ? 4 : 2))
        if (l->type != TNN_AVGPOOL2D) MAYBE(SIDES(dilation, 1, 3))
        if (l->type == TNN_CONV_TRANSPOSE2D) MAYBE(l->output_pad = pick(0, 2))
        if (variant == GROUPS) {
            do l->groups = pick(2, pick(0, 1) ? 3 : x.c + 1); while (x.c % l->groups && pick(0, 9));
            l->filters = l->groups * pick(1, 1 + 48 / l->groups);
        }
        if (variant == DEPTHWISE) l->groups = l->filters = x.c;
        if (variant == PAD_MODE && (l->pad || l->pad_h || l->pad_w))
            l->pad_mode = (tnn_sampling)pick(TNN_ZEROS, TNN_CIRCULAR);
        break;
    case TNN_DENSE:
        l->units = variant == SAME ? values(x) : variant == LARGE ? pick(60, 130) : channels();
        l->no_bias = pick(0, 3) == 0;
        break;
    case TNN_ADAPTIVE_MAXPOOL2D: case TNN_ADAPTIVE_AVGPOOL2D: MAYBE(SIDES(size, 1, 7)) break;
    case TNN_UPSAMPLE:
        MAYBE(l->mode = (tnn_sampling)pick(TNN_NEAREST, TNN_BILINEAR_ALIGNED))
        if (pick(0, 1)) l->factor = pick(0, 3);
        else l->size_h = pick(1, 20), l->size_w = pick(1, 20);
        break;
    case TNN_PAD:
        l->mode = (tnn_sampling)pick(TNN_ZEROS, TNN_CIRCULAR);
        SIDES(pad, 0, 4)
        if (l->mode == TNN_ZEROS) MAYBE(l->value = quarter)
        break;
    case TNN_RESHAPE:
        l->shape[0] = pick(0, 1) ? -1 : x.c * x.h;
        l->shape[1] = pick(0, 6) ? 1 : 2, l->shape[2] = x.w;
        break;
    case TNN_SCALE: MAYBE(l->value = quarter) MAYBE(l->no_affine = 1) break;
    case TNN_GROUPNORM: do l->groups = pick(1, x.c); while (x.c % l->groups && pick(0, 9));
        /* fallthrough */
    case TNN_BATCHNORM: case TNN_LAYERNORM: case TNN_INSTANCENORM: case TNN_RMSNORM:
        MAYBE(l->eps = quarter / 100)
        if (l->type == TNN_BATCHNORM) MAYBE(l->no_statistics = 1)
        if (l->type == TNN_BATCHNORM && !l->no_statistics) MAYBE(l->momentum = quarter / 8)
        if (l->type == TNN_INSTANCENORM) { MAYBE(l->affine = 1) }
        else MAYBE(l->no_affine = 1)
        if (l->type == TNN_INSTANCENORM ? l->affine : l->type != TNN_RMSNORM && !l->no_affine)
            MAYBE(l->no_bias = 1)
        break;
    case TNN_LEAKY_RELU: if (pick(0, 1)) l->slope = pick(0, 2) ? quarter : -quarter;
        break;
    case TNN_PRELU: l->per_channel = pick(0, 1); break;
    case TNN_ELU: case TNN_CELU: MAYBE(l->alpha = quarter) break;
    case TNN_GELU: l->approximate = pick(0, 1); break;
    case TNN_SOFTPLUS: MAYBE(l->beta = quarter) MAYBE(l->threshold = quarter) break;
    case TNN_HARDTANH: MAYBE(l->min_value = -quarter) MAYBE(l->max_value = quarter / 2) break;
    case TNN_GAUSSIAN_NOISE: MAYBE(l->std = quarter) break;
    default: if (variant == LAST) MAYBE(l->p = (float)pick(1, 8) / 10) break;
    }
    if (variant == DROP_CONNECT) l->drop_connect = (float)pick(1, 8) / 10;
}

/* One more layer, behind the last or behind layer `from`, the second input of those with two. */
static void draw(tnn_layer_type type, int variant, int from)
{
    tnn_layer *l = &net.layer[net.layers];
    tensor x = net.shape[net.layers], x2 = net.shape[from < 0 ? 0 : from], *y;
    window g;
    int w, b;
    if (!net.fits) return;
    if (from && type != TNN_ADD && type != TNN_CONCAT) x = x2;
    memset(l, 0, sizeof *l);
    l->type = type, l->from = from;
    draw_options(l, variant, x);
    y = &net.shape[++net.layers];
    net.fits = shape_of(l, x, x2, y);
    if (!net.fits) return;
    g = window_of(l);
    parameters_of(l, x, *y, &w, &b);
    net.cost += 8 * y->n * values(*y) + 4.0 * w;
    if (type == TNN_CONV2D) net.cost += (double)w * y->n * y->h * y->w;
    if (type == TNN_CONV_TRANSPOSE2D) net.cost += (double)w * x.n * x.h * x.w;
    if (type == TNN_DENSE) net.cost += (double)w * x.n;
    /* windows that see nothing of the image have no finite maximum */
    if (type == TNN_MAXPOOL2D && ((g.d[0] > 1 && span(&g, 0) > x.h)
                                  || (g.d[1] > 1 && span(&g, 1) > x.w))) net.cost = 1e9;
}
static int here(void) { return net.layers ? net.layers : TNN_FROM_INPUT; }

/* A network that begins with x. */
static void start(tensor x, int given)
{
    tnn_layer *l = net.layer;
    net.layers = 0, net.fits = 1, net.cost = 0, net.given = given, net.shape[0] = x;
    memset(net.group, 0, sizeof net.group);
    if (!given) return;
    memset(l, 0, 2 * sizeof *l);
    l[0].type = TNN_DENSE, l[0].units = values(x), l[0].no_bias = 1;
    l[1].type = TNN_RESHAPE, l[1].shape[0] = x.c, l[1].shape[1] = x.h, l[1].shape[2] = x.w;
    net.layers = 2, net.shape[2] = x;
    net.shape[0].c = x.n, net.shape[0].h = net.shape[0].w = 1;
    shape_of(l, net.shape[0], x, &net.shape[1]);
}

/* Whether the outputs are probabilities: cross-entropy of them is refused. */
static int probabilities(void)
{
    const tnn_layer *l = &net.layer[net.layers - 1];
    while (l > net.layer && !l->from && (l->type == TNN_FLATTEN || l->type == TNN_RESHAPE)) l--;
    return l->type == TNN_SOFTMAX || l->type == TNN_SIGMOID || l->type == TNN_HARDSIGMOID;
}
/* Around a row's layer: something before it, two branches for those that join them, an activation
   and a pooling that may be fused, a shortcut, a dense layer. */
static void draw_network(const struct row *r)
{
    static const tnn_layer_type same[] = { TNN_CONV2D, TNN_MAXPOOL2D, TNN_TANH, TNN_SCALE };
    static const tnn_layer_type acts[] = { TNN_RELU, TNN_LEAKY_RELU };
    const int joins = r->type == TNN_ADD || r->type == TNN_CONCAT;
    int base, first;
    tensor x = { 0, 0, 0, 0, 0, 0 }, *y;
    x.c = channels(), x.n = pick(0, 3);
    x.n = x.n == 0 ? 16 * pick(1, 2) + pick(0, 1) : x.n == 1 ? pick(1, 33) : pick(1, 4);
    x.h = pick(1, 20), x.w = pick(0, 3) ? pick(1, 20) : x.h;
    if (r->variant == LARGE) x.n = pick(17, 33), x.c = pick(60, 130), x.h = x.w = 1;
    if (r->variant == WINOGRAD) x.c = 16 * pick(1, 2), x.h = 2 * pick(4, 8), x.w = 8;
    net.labelled = pick(0, 1), net.range = pick(0, 2) ? 1 : 4;
    net.batch = x.n + (pick(0, 1) ? 0 : pick(1, 3));
    start(x, pick(0, 2) > 0 && x.n * x.n * values(x) < COST / 4);
    switch (r->variant == WINOGRAD ? 9 : r->variant == LARGE ? 5 : pick(0, 9)) {
    case 0: draw(TNN_CONV2D, SAME, 0); break;
    case 1: draw(acts[pick(0, 1)], ANY, 0); break;
    case 2: draw(TNN_BATCHNORM, ANY, 0); break;
    case 3: draw(TNN_DENSE, ANY, 0), draw(acts[pick(0, 1)], ANY, 0); break;
    case 4: draw(TNN_FLATTEN, ANY, 0); break;
    case 5: draw(TNN_SCALE, ANY, 0); break;
    default: break;
    }
    base = first = here();
    if (joins && pick(0, 7)) draw(same[pick(0, 3)], SAME, 0);
    if (joins && pick(0, 1)) first = here(), draw(same[pick(0, 3)], SAME, base);
    draw(r->type, r->variant, joins ? first : 0);
    if (r->variant != LAST && r->variant != DROP_CONNECT) {
        if (pick(0, 1)) draw(acts[pick(0, 1)], ANY, 0);
        y = &net.shape[net.layers];
        if (pick(0, 2) == 0 && !y->flat) draw(TNN_MAXPOOL2D, pick(0, 2) ? ANY : SAME, 0);
        x = net.shape[base < 0 ? 0 : base], y = &net.shape[net.layers];
        if (net.fits && pick(0, 2) == 0 && !x.flat && !y->flat && x.h == y->h && x.w == y->w)
            draw(x.c == y->c ? TNN_ADD : TNN_CONCAT, ANY, base);
    }
    if (r->variant != LAST && pick(0, 1)) {
        MAYBE(draw(TNN_FLATTEN, ANY, 0))
        draw(TNN_DENSE, ANY, 0);
    }
    y = &net.shape[net.layers];
    if (net.fits && (y->h * y->w > 1 || y->c == 1 || probabilities())) net.labelled = 0;
}

/* One that is not too large; of those to be refused only some, as these are never too large. */
static void draw_number(int number)
{
    const struct row *row = &ROWS[number % ROW_COUNT];
    const int large = row->type == TNN_CONV2D || row->type == TNN_CONV_TRANSPOSE2D
                      || row->variant == LARGE;
    const double cost = large ? 4 * COST : COST;
    net.number = number;
    state = test_hash(SEED, (uint32_t)number);
    do draw_network(row); while (net.cost >= cost || (!net.fits && pick(0, large ? 7 : 1)));
}
#endif
