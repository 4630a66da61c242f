/* reference.h - every layer by its definition, in doubles, with gradients

   Layers are plain loops over NODES, doubles that are noted together with each product that is
   added to them. One loop backwards over the notes then gives the gradients of everything, so that
   no layer needs a second text for them. Along with both go variances, which tell how far off
   floats may be: each number in them is off by a random share of about 6e-8, and so is, besides
   what its terms are off by, each product that is added. A value near 0 of a sum of large terms,
   or behind a division by one, thus has a large variance, and no other value has.

   forget() begins a network; numbers and zeros make nodes, apply() a layer's output, cross_entropy
   or squared_error add to a loss, and backwards(loss) fills in the gradients. test_networks.c holds
   these against central differences. */
#ifndef REFERENCE_H
#define REFERENCE_H

enum { NODES = 1 << 21, NOTES = 1 << 23 };
/* A value v and its gradient g; the variances of both, in units of a float's rounding. */
typedef struct node { double v, var_v, g, var_g; } node;
static node nodes[NODES];
static struct { int y, a, b; } notes[NOTES];
static int node_count, note_count;
enum { ONE, MINUS_ONE };        /* the first two nodes */
/* Set where a value is so close to a corner of its function that floats may be beyond it. */
static int corner;
#define CLOSE 2e-6

static inline int number(double v)
{
    node *p = &nodes[node_count];
    if (node_count == NODES - 1) { printf("FAIL  out of nodes\n"); exit(1); }
    p->v = v, p->var_v = v * v, p->g = p->var_g = 0;
    return node_count++;
}
static inline int zeros(int n)
{
    int first = node_count;
    while (n-- > 0) number(0);
    return first;
}
/* Of n floats. */
static inline int numbers_of(const float *x, int n)
{
    int first = node_count, i;
    for (i = 0; i < n; i++) number((double)x[i]);
    return first;
}
/* The values of n nodes, or (gradient = 1) their gradients; until the next call. */
static inline double *seen_at(int first, int n, int gradient)
{
    static double seen[1 << 18];
    int i;
    if (n > 1 << 18) { printf("FAIL  too many nodes to look at\n"); exit(1); }
    for (i = 0; i < n; i++) seen[i] = gradient ? nodes[first + i].g : nodes[first + i].v;
    return seen;
}
static inline void note(int y, int a, int b)
{
    if (note_count == NOTES) { printf("FAIL  out of notes\n"); exit(1); }
    notes[note_count].y = y, notes[note_count].a = a, notes[note_count++].b = b;
}
/* Of the product of x and b: also where both are nothing but errors. */
static inline double variance(double x, double var_x, const node *b)
{
    return x * x * b->var_v + (b->v * b->v + 6e-8 * 6e-8 * b->var_v) * var_x;
}
/* y += a b */
static inline void add(int y, int a, int b)
{
    nodes[y].v += nodes[a].v * nodes[b].v;
    nodes[y].var_v += variance(nodes[a].v, nodes[a].var_v, &nodes[b]);
    note(y, a, b);
}
static inline int product(int a, int b)
{
    int y = number(0);
    add(y, a, b);
    return y;
}
/* A function of x: its value and, in the node behind it, its derivative; with the second one. */
static inline int function(int x, double v, double derivative, double second)
{
    int y = number(v);
    nodes[y].var_v += derivative * derivative * nodes[x].var_v;
    note(y, x, number(derivative));
    nodes[y + 1].var_v += second * second * nodes[x].var_v;
    return y;
}
static inline void forget(void)
{
    node_count = note_count = corner = 0;
    number(1), number(-1);
}
static inline void backwards(int from)
{
    nodes[from].g = nodes[from].var_g = 1;
    while (note_count > 0) {
        node *y = &nodes[notes[--note_count].y];
        node *a = &nodes[notes[note_count].a], *b = &nodes[notes[note_count].b];
        const double g = y->g, var = y->var_g, of_a = g * b->v, of_b = g * a->v;
        a->g += of_a, a->var_g += variance(g, var, b);
        b->g += of_b, b->var_g += variance(g, var, a);
    }
}

/* ---- shapes ----------------------------------------------------------------------------------*/

/* Images, in the nodes from `at` on. flat: behind a flatten, 2 if it still lies as more
   than one pixel. */
typedef struct tensor { int n, c, h, w, flat, at; } tensor;
static inline int values(tensor t) { return t.c * t.h * t.w; }
static inline int place(tensor t, int n, int c, int i, int j)
{
    return t.at + ((n * t.c + c) * t.h + i) * t.w + j;
}
#define AT(t)   place(t, n, c, i, j)
#define EACH(t) for (n = 0; n < t.n; n++) for (c = 0; c < t.c; c++) \
                for (i = 0; i < t.h; i++) for (j = 0; j < t.w; j++)

/* A window with everything resolved; [0] is down, [1] across. */
typedef struct window { int k[2], s[2], p[2], d[2]; } window;
static inline int either(int own, int both, int otherwise)
{
    return own ? own : both ? both : otherwise;
}
static inline window window_of(const tnn_layer *l)
{
    int pools = l->type == TNN_MAXPOOL2D || l->type == TNN_AVGPOOL2D;
    window g;
    g.k[0] = either(l->kernel_h, l->kernel, 0), g.k[1] = either(l->kernel_w, l->kernel, 0);
    g.s[0] = either(l->stride_h, l->stride, pools ? g.k[0] : 1);
    g.s[1] = either(l->stride_w, l->stride, pools ? g.k[1] : 1);
    g.p[0] = either(l->pad_h, l->pad, 0), g.p[1] = either(l->pad_w, l->pad, 0);
    g.d[0] = either(l->dilation_h, l->dilation, 1), g.d[1] = either(l->dilation_w, l->dilation, 1);
    return g;
}
static inline int span(const window *g, int side) { return g->d[side] * (g->k[side] - 1) + 1; }
/* How many weights and biases a layer has that makes y of x. */
static inline void parameters_of(const tnn_layer *l, tensor x, tensor y, int *w, int *b)
{
    window g = window_of(l);
    *w = *b = 0;
    switch (l->type) {
    case TNN_CONV2D: case TNN_CONV_TRANSPOSE2D:
        *w = x.c * y.c / either(l->groups, 0, 1) * g.k[0] * g.k[1], *b = y.c;
        break;
    case TNN_DENSE: *w = values(x) * y.c, *b = y.c; break;
    case TNN_PRELU: *w = l->per_channel ? x.c : 1; break;
    case TNN_SCALE: if (!l->no_affine) *w = x.c; break;
    case TNN_RMSNORM: if (!l->no_affine) *w = values(x); break;
    case TNN_LAYERNORM: if (!l->no_affine) *w = *b = values(x); break;
    case TNN_BATCHNORM: case TNN_GROUPNORM: if (!l->no_affine) *w = *b = x.c; break;
    case TNN_INSTANCENORM: if (l->affine) *w = *b = x.c; break;
    case TNN_CUSTOM_LAYER: *w = 2; break;
    default: break;
    }
    if (l->no_bias) *b = 0;
}

/* Places of a window along `size`, 0 where it does not fit. */
static inline int extent(const window *g, int side, int size, int ceil)
{
    int s = g->s[side], p = g->p[side], room = size + 2 * p - span(g, side);
    if (room < 0) return ceil && room + s > 0;
    return room / s + 1 + (ceil && room % s && (room / s + 1) * s < size + p);
}
static inline int pad_fits(tnn_sampling mode, const window *g, tensor x)
{
    if (mode == TNN_REFLECT) return g->p[0] < x.h && g->p[1] < x.w;
    return mode != TNN_CIRCULAR || (g->p[0] <= x.h && g->p[1] <= x.w);
}

/* The shape of what a layer makes of x (and x2); 0 where it must be refused. */
static inline int shape_of(const tnn_layer *l, tensor x, tensor x2, tensor *y)
{
    window g = window_of(l);
    int groups = either(l->groups, 0, 1), fits = !x.flat;
    *y = x;
    switch (l->type) {
    case TNN_CONV2D:
        if (l->pad_mode) fits &= pad_fits(l->pad_mode, &g, x);
        y->c = l->filters, y->h = extent(&g, 0, x.h, 0), y->w = extent(&g, 1, x.w, 0);
        return fits && y->h > 0 && y->w > 0 && x.c % groups == 0 && y->c % groups == 0;
    case TNN_CONV_TRANSPOSE2D:
        y->c = l->filters;
        y->h = (x.h - 1) * g.s[0] - 2 * g.p[0] + span(&g, 0) + l->output_pad;
        y->w = (x.w - 1) * g.s[1] - 2 * g.p[1] + span(&g, 1) + l->output_pad;
        return fits && y->h > 0 && y->w > 0 && x.c % groups == 0 && y->c % groups == 0
               && (l->output_pad < g.s[0] || l->output_pad < g.d[0])
               && (l->output_pad < g.s[1] || l->output_pad < g.d[1]);
    case TNN_AVGPOOL2D: fits &= g.d[0] * g.d[1] == 1;   /* fallthrough */
    case TNN_MAXPOOL2D:
        y->h = extent(&g, 0, x.h, l->ceil), y->w = extent(&g, 1, x.w, l->ceil);
        return fits && y->h > 0 && y->w > 0 && 2 * g.p[0] <= span(&g, 0)
               && 2 * g.p[1] <= span(&g, 1);
    case TNN_DENSE: y->c = l->units, y->h = y->w = y->flat = 1; return 1;
    case TNN_ADAPTIVE_MAXPOOL2D: case TNN_ADAPTIVE_AVGPOOL2D:
        y->h = either(l->size_h, l->size, 1), y->w = either(l->size_w, l->size, 1);
        return fits;
    case TNN_UPSAMPLE:
        y->h = either(l->size_h, l->size, x.h * either(l->factor, 0, 2));
        y->w = either(l->size_w, l->size, x.w * either(l->factor, 0, 2));
        return fits;
    case TNN_PAD: y->h += 2 * g.p[0], y->w += 2 * g.p[1]; return fits && pad_fits(l->mode, &g, x);
    case TNN_FLATTEN:
        y->flat = x.h * x.w > 1 || x.flat == 2 ? 2 : 1;
        y->c = values(x), y->h = y->w = 1;
        return 1;
    case TNN_RESHAPE:
        y->c = l->shape[0], y->h = l->shape[1], y->w = l->shape[2], y->flat = 0;
        if (y->c < 0) y->c = values(x) / (y->h * y->w);
        return values(x) == values(*y);
    case TNN_ADD: return x.c == x2.c && x.h == x2.h && x.w == x2.w;
    case TNN_CONCAT: y->c += x2.c, y->flat = x.flat > 0; return x.h == x2.h && x.w == x2.w;
    case TNN_BATCHNORM: return x.n * x.h * x.w > 1;
    case TNN_GROUPNORM: if (groups > 1) y->flat = x.flat > 0; return x.c % groups == 0;
    case TNN_INSTANCENORM: return x.h * x.w > 1;
    case TNN_GLU: y->c /= 2, y->flat = x.flat > 0; return x.c % 2 == 0;
    case TNN_SOFTMAX: case TNN_LOG_SOFTMAX: case TNN_DROPOUT2D: y->flat = x.flat > 0; return 1;
    case TNN_PRELU: if (l->per_channel) y->flat = x.flat > 0; return 1;
    case TNN_CUSTOM_LAYER: y->flat = 0; return 1;
    default: return 1;
    }
}

/* ---- layers ----------------------------------------------------------------------------------*/

/* A convolution leads from `big` to `small`; transposed it leads back. */
static inline void convolve(tensor big, tensor small, int w, const window *g, int groups,
                            int transposed)
{
    int n, c, i, j, k, u, v, each = big.c / groups;
    EACH(small)
    for (k = 0; k < each; k++)
    for (u = 0; u < g->k[0]; u++)
    for (v = 0; v < g->k[1]; v++) {
        int row = i * g->s[0] + u * g->d[0] - g->p[0], col = j * g->s[1] + v * g->d[1] - g->p[1];
        int x = place(big, n, c / (small.c / groups) * each + k, row, col), y = AT(small);
        int weight = w + ((c * each + k) * g->k[0] + u) * g->k[1] + v;
        if (row < 0 || row >= big.h || col < 0 || col >= big.w) continue;
        if (transposed) add(x, weight, y);
        else add(y, weight, x);
    }
}

/* Does output i of a pooling see input `at`? */
static inline int sees(const tnn_layer *l, const window *g, int side, int i, int at, int in,
                       int out)
{
    int t = at + g->p[side] - i * g->s[side];
    if (l->type == TNN_MAXPOOL2D || l->type == TNN_AVGPOOL2D)
        return t >= 0 && t % g->d[side] == 0 && t / g->d[side] < g->k[side];
    return at >= i * in / out && at < ((i + 1) * in + out - 1) / out;
}
/* How much of window i is inside the padded image. */
static inline int inside(const window *g, int side, int i, int in)
{
    int first = i * g->s[side] - g->p[side], end = first + g->k[side], edge = in + g->p[side];
    return (end < edge ? end : edge) - first;
}
static inline void pool(const tnn_layer *l, tensor y, tensor x)
{
    window g = window_of(l);
    int average = l->type == TNN_AVGPOOL2D || l->type == TNN_ADAPTIVE_AVGPOOL2D;
    int n, c, i, j, row, col, t, seen[1000];
    EACH(y) {
        int count = 0, best, divisor;
        for (row = 0; row < x.h; row++)
        for (col = 0; col < x.w && sees(l, &g, 0, i, row, x.h, y.h); col++)
            if (sees(l, &g, 1, j, col, x.w, y.w)) seen[count++] = place(x, n, c, row, col);
        divisor = l->type == TNN_AVGPOOL2D && !l->exclude_pad
                  ? inside(&g, 0, i, x.h) * inside(&g, 1, j, x.w) : count;
        for (best = seen[0], t = 1; t < count; t++)
            if (nodes[seen[t]].v > nodes[best].v) best = seen[t];
        for (t = 0; t < count; t++) {
            double less = nodes[best].v - nodes[seen[t]].v;
            if (average) add(AT(y), seen[t], number(1.0 / divisor));
            else if (seen[t] == best) add(AT(y), best, ONE);
            else corner |= less > 0 && less < CLOSE * (1 + sqrt(nodes[best].var_v));
        }
    }
}

/* The places that an output coordinate of upsampling or padding reads, and their weights. */
static inline int taps(tnn_sampling mode, int i, int in, int out, int pad, int at[2],
                       double weight[2])
{
    double x = mode == TNN_BILINEAR ? (i + 0.5) * in / out - 0.5
             : out > 1 ? (double)i * (in - 1) / (out - 1) : 0;
    at[0] = i - pad, weight[0] = 1;
    switch (mode) {
    case TNN_REFLECT:
        if (at[0] < 0) at[0] = -at[0];
        if (at[0] >= in) at[0] = 2 * (in - 1) - at[0];
        return 1;
    case TNN_REPLICATE: at[0] = at[0] < 0 ? 0 : at[0] < in ? at[0] : in - 1; return 1;
    case TNN_CIRCULAR: at[0] = (at[0] + in) % in; return 1;
    case TNN_NEAREST: at[0] = i * in / out; return 1;
    case TNN_BILINEAR: case TNN_BILINEAR_ALIGNED:
        if (x < 0) x = 0;
        at[0] = (int)x, at[1] = at[0] + 1 < in ? at[0] + 1 : at[0];
        weight[1] = x - at[0], weight[0] = 1 - weight[1];
        return 2;
    default: return at[0] >= 0 && at[0] < in;
    }
}
static inline void resample(tnn_sampling mode, double value, tensor y, tensor x, const int pad[2])
{
    int n, c, i, j, u, v, rows[2], cols[2];
    double down[2], across[2];
    EACH(y) {
        int height = taps(mode, i, x.h, y.h, pad[0], rows, down);
        int width = taps(mode, j, x.w, y.w, pad[1], cols, across);
        if (height * width == 0) add(AT(y), number(value), ONE);
        for (u = 0; u < height; u++)
            for (v = 0; v < width; v++)
                add(AT(y), place(x, n, c, rows[u], cols[v]), number(down[u] * across[v]));
    }
}

/* The value of an option, or what 0 stands for. */
static inline double option(float given, double otherwise)
{
    return given > 0 || given < 0 ? (double)given : otherwise;
}
static inline double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static inline double clamp(double x, double lo, double hi) { return x < lo ? lo : x > hi ? hi : x; }
static inline double activation(const tnn_layer *l, double x)
{
    double a = option(l->alpha, 1), b = option(l->beta, 1), root = sqrt(2 / 3.14159265358979324);
    switch (l->type) {
    case TNN_RELU: return x > 0 ? x : 0;
    case TNN_LEAKY_RELU: return x > 0 ? x : option(l->slope, 0.01) * x;
    case TNN_RELU6: return clamp(x, 0, 6);
    case TNN_ELU: return x > 0 ? x : a * expm1(x);
    case TNN_SELU: return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x));
    case TNN_CELU: return x > 0 ? x : a * expm1(x / a);
    case TNN_GELU: return x / 2 * (l->approximate ? 1 + tanh(root * (x + 0.044715 * x * x * x))
                                                  : erfc(-x / sqrt(2)));
    case TNN_SILU: return x * sigmoid(x);
    case TNN_MISH: return x * tanh(log1p(exp(x)));
    case TNN_SOFTPLUS: return b * x > option(l->threshold, 20) ? x : log1p(exp(b * x)) / b;
    case TNN_SOFTSIGN: return x / (1 + fabs(x));
    case TNN_SIGMOID: return sigmoid(x);
    case TNN_LOG_SIGMOID: return -log1p(exp(-x));
    case TNN_TANH: return tanh(x);
    case TNN_HARDTANH: return clamp(x, option(l->min_value, -1), option(l->max_value, 1));
    case TNN_HARDSIGMOID: return clamp(x / 6 + 0.5, 0, 1);
    default: return x * clamp(x / 6 + 0.5, 0, 1);           /* TNN_HARDSWISH */
    }
}
/* The derivative is a central difference, but of what is straight; where the second one is large
   there is a corner. What is 0 without a variance is so in floats, too, and has the derivative from
   below. */
static inline int activate(const tnn_layer *l, int x)
{
    double v = nodes[x].v, f = activation(l, v), h = 1e-6, slope;
    const double far = CLOSE * (1 + sqrt(nodes[x].var_v));
    const int zero = !(v < 0 || v > 0 || nodes[x].var_v > 0);
    int y;
    if (l->type == TNN_RELU || l->type == TNN_LEAKY_RELU)
        slope = v > 0 ? 1 : -activation(l, -1);
    else if (zero) slope = (3 * f - 4 * activation(l, -h) + activation(l, -2 * h)) / (2 * h);
    else slope = (activation(l, v + h) - activation(l, v - h)) / (2 * h);
    corner |= !zero && fabs(activation(l, v - far) - 2 * f + activation(l, v + far)) > 1e-3 * far;
    y = function(x, f, slope, 1);
    nodes[y + 1].var_v += 1;        /* 1 - tanh(x)^2, for instance, is made of larger terms */
    return y;
}

/* Over the channels of each pixel. The largest is taken from each first: exp stays finite. */
static inline void softmax(tensor y, tensor x, int logarithm)
{
    int n, c, i, j, sum = 0;
    for (n = 0; n < y.n; n++)
    for (i = 0; i < y.h; i++)
    for (j = 0; j < y.w; j++) {
        double e, total, most = nodes[place(x, n, 0, i, j)].v;
        for (c = 1; c < x.c; c++) if (nodes[AT(x)].v > most) most = nodes[AT(x)].v;
        for (sum = zeros(1), c = 0; c < x.c; c++)
            e = exp(nodes[AT(x)].v - most), add(sum, function(AT(x), e, e, e), ONE);
        total = nodes[sum].v;
        if (logarithm) sum = function(sum, log(total), 1 / total, 1 / total / total);
        else sum = function(sum, 1 / total, -1 / total / total, 2 / total / total / total);
        for (c = 0; c < x.c; c++) {
            e = exp(nodes[AT(x)].v - most);
            if (!logarithm) { add(AT(y), function(AT(x), e, e, e), sum); continue; }
            add(AT(y), AT(x), ONE), add(AT(y), number(most), MINUS_ONE);
            add(AT(y), sum, MINUS_ONE);
        }
    }
}

/* y = (x - mean)/sqrt(var + eps) w + b: mean and variance are of sets of values, w and b by element
   or by channel (-1: none). Returns the means, behind which the variances stand; `known` are those
   of an earlier call, to be used instead. */
static inline int normalise(const tnn_layer *l, tensor y, tensor x, int w, int b, int known)
{
    int rms = l->type == TNN_RMSNORM, whole = rms || l->type == TNN_LAYERNORM, root;
    int groups = l->type == TNN_GROUPNORM ? l->groups : l->type == TNN_INSTANCENORM ? x.c : 1;
    int batch = l->type == TNN_BATCHNORM, sets = batch ? x.c : x.n * groups;
    int mean = known ? known : zeros(2 * sets), var = mean + sets, n, c, i, j;
    int share = number((double)sets / (x.n * values(x)));
    double eps = option(l->eps, rms ? 1.1920929e-7 : 1e-5);
    tensor away = x;
    away.at = zeros(x.n * values(x));
#define SET (batch ? c : n * groups + c / (x.c / groups))
    if (!known && !rms) EACH(x) add(mean + SET, AT(x), share);
    EACH(x) add(AT(away), AT(x), ONE), add(AT(away), mean + SET, MINUS_ONE);
    if (!known) EACH(x) add(var + SET, product(AT(away), share), AT(away));
    for (c = 0, root = node_count; c < sets; c++) {         /* two nodes each */
        double v = nodes[var + c].v + eps;
        function(var + c, 1 / sqrt(v), -0.5 / v / sqrt(v), 0.75 / v / v / sqrt(v));
    }
    EACH(x) {
        int at = whole ? AT(x) - place(x, n, 0, 0, 0) : c;
        add(AT(y), product(AT(away), root + 2 * SET), w < 0 ? ONE : w + at);
        if (b >= 0) add(AT(y), b + at, ONE);
    }
#undef SET
    return mean;
}
/* Running mean and variance after one step, from those of the batch at `mean`. */
static inline int running(const tnn_layer *l, tensor x, int mean)
{
    double m = option(l->momentum, 0.1), n = x.n * x.h * x.w;
    int at = zeros(2 * x.c), i;
    for (i = 0; i < 2 * x.c; i++) {
        if (i >= x.c) add(at + i, number(1 - m), ONE);
        add(at + i, mean + i, number(i < x.c ? m : m * n / (n - 1)));
    }
    return at;
}

/* What noise does is seen in what it makes of ones, or of zeros if it is added: which values,
   channels or samples are left, and by which factors. */
static inline void noise(const tnn_layer *l, tensor y, tensor x, const float *seen)
{
    int all = x.n * values(x), each = l->type == TNN_STOCHASTIC_DEPTH ? values(x)
                                    : l->type == TNN_DROPOUT2D ? x.h * x.w : 1, first, i;
    double p = option(l->p, 0.5), low = -1.0507009873554805 * 1.6732632423543772;
    double a = 1 / sqrt((1 - p) * (1 + p * low * low));
    for (first = 0; first < all; first += each) {
        double factor = 0, shift = 0, got = (double)seen[first];
        for (i = first; i < first + each; i++)
            if (seen[i] < 0 || seen[i] > 0) factor = 1 / (1 - p);
        if (l->type == TNN_GAUSSIAN_NOISE) factor = 1, shift = got;
        if (l->type == TNN_GAUSSIAN_DROPOUT) factor = got;
        if (l->type == TNN_ALPHA_DROPOUT) {
            factor = 0, shift = a * low * (1 - p);          /* dropped, or else */
            if (fabs(got - shift) > fabs(got - a * (1 - p * low))) factor = a, shift = -a * p * low;
        }
        CHECK(fabs(factor - 1) < 1 + 6 * sqrt(p / (1 - p)) && fabs(shift) < 12,
              "noise of %g and %g", factor, shift);
        for (i = first; i < first + each; i++)
            add(y.at + i, x.at + i, number(factor)), add(y.at + i, number(shift), ONE);
    }
}

/* y, so far zeros, from x and, where there is one, x2. w and b: its parameters, or -1. `seen` tells
   what was random: of noise what it makes of ones or zeros, of DropConnect the gradients of the
   weights, 0 for those dropped.
   *known is for batch normalisation: its means, or running ones to be used in evaluation. */
static inline void apply(const tnn_layer *l, tensor y, tensor x, tensor x2, int w, int b,
                         int training, const float *seen, int *known)
{
    window g = window_of(l);
    int groups = either(l->groups, 0, 1), n, c, i, j, left;
    static const int none[2];
    if (l->drop_connect > 0 && training) {
        parameters_of(l, x, y, &n, &c);
        for (left = zeros(n), i = 0; i < n; i++)
            if (seen[i] < 0 || seen[i] > 0)
                add(left + i, w + i, number(1 / (1 - (double)l->drop_connect)));
        w = left;
    }
    if (l->type == TNN_CONV2D && l->pad_mode) {
        tensor wide = x;
        wide.h += 2 * g.p[0], wide.w += 2 * g.p[1], wide.at = zeros(x.n * values(wide));
        resample(l->pad_mode, 0, wide, x, g.p);
        x = wide, g.p[0] = g.p[1] = 0;
    }
    switch (l->type) {
    case TNN_CONV2D: convolve(x, y, w, &g, groups, 0); break;
    case TNN_CONV_TRANSPOSE2D: convolve(y, x, w, &g, groups, 1); break;
    case TNN_DENSE:
        for (n = 0; n < y.n; n++)
            for (c = 0; c < y.c; c++)
                for (i = 0; i < values(x); i++)
                    add(y.at + n * y.c + c, x.at + n * values(x) + i, w + c * values(x) + i);
        break;
    case TNN_MAXPOOL2D: case TNN_AVGPOOL2D: case TNN_ADAPTIVE_MAXPOOL2D:
    case TNN_ADAPTIVE_AVGPOOL2D: pool(l, y, x); break;
    case TNN_UPSAMPLE: resample(l->mode ? l->mode : TNN_NEAREST, 0, y, x, none); break;
    case TNN_PAD: resample(l->mode, (double)l->value, y, x, g.p); break;
    case TNN_CONCAT: case TNN_ADD:
        EACH(x) add(AT(y), AT(x), ONE);
        EACH(x2) add(place(y, n, l->type == TNN_ADD ? c : c + x.c, i, j), AT(x2), ONE);
        break;
    case TNN_SCALE: EACH(x) add(AT(y), AT(x), w < 0 ? number(option(l->value, 1)) : w + c); break;
    case TNN_BATCHNORM: case TNN_LAYERNORM: case TNN_GROUPNORM: case TNN_INSTANCENORM:
    case TNN_RMSNORM:
        left = training || l->type != TNN_BATCHNORM || l->no_statistics ? 0 : *known;
        *known = normalise(l, y, x, w, b, left);
        return;
    case TNN_PRELU:
        EACH(x) {
            double v = nodes[AT(x)].v, var = nodes[AT(x)].var_v;
            corner |= var > 0 && fabs(v) < CLOSE * (1 + sqrt(var));
            add(AT(y), AT(x), v > 0 ? ONE : w + (l->per_channel ? c : 0));
        }
        break;
    case TNN_SOFTMAX: case TNN_LOG_SOFTMAX: softmax(y, x, l->type == TNN_LOG_SOFTMAX); break;
    case TNN_GLU:
        EACH(y) {
            int gate = place(x, n, c + y.c, i, j);
            double s = sigmoid(nodes[gate].v);
            add(AT(y), AT(x), function(gate, s, s * (1 - s), 0.1));
        }
        break;
    case TNN_CUSTOM_LAYER:          /* y[i] = w[i % 2] x[i] x[i + 1], the last times the first */
        for (n = 0; n < x.n; n++, x.at += values(x), y.at += values(x))
            for (i = 0; i < values(x); i++)
                add(y.at + i, product(x.at + i, x.at + (i + 1) % values(x)), w + i % 2);
        break;
    default:
        i = (l->type >= TNN_DROPOUT2D && l->type < TNN_CUSTOM_LAYER) || l->type == TNN_DROPOUT;
        j = l->type >= TNN_RELU6 || l->type == TNN_RELU || l->type == TNN_LEAKY_RELU;
        if (i && training) noise(l, y, x, seen);
        else for (n = 0; n < x.n * values(x); n++)
            add(y.at + n, j && !i ? activate(l, x.at + n) : x.at + n, ONE);
    }
    if (b >= 0) EACH(y) add(AT(y), b + c, ONE);
}

/* What one sample adds to cross-entropy, and one value to the mean square:
       -sum_c weights[c] t[c] log p[c] / total,  t[c] = (1 - smoothing) [c = label] + smoothing / n,
   where total is the sum of the weights of all samples' labels; no weights are ones. */
static inline void cross_entropy(int loss, tensor y, int sample, int label, double smoothing,
                          const float *weights, double total)
{
    tensor p = y;
    int c;
    y.at += sample * y.c, y.n = p.n = 1, p.at = zeros(y.c);
    softmax(p, y, 1);
    for (c = 0; c < y.c; c++) {
        double t = (c == label ? 1 - smoothing : 0) + smoothing / y.c;
        if (weights) t *= (double)weights[c];
        if (t > 0) add(loss, p.at + c, number(-t / total));
    }
}
static inline void squared_error(int loss, tensor y, int i, double target)
{
    int e = product(y.at + i, ONE);
    add(e, number(target), MINUS_ONE);
    add(loss, product(e, number(1.0 / (y.n * values(y)))), e);
}
#endif
