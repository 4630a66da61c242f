/* test_layers.c - every tensor function and layer against the obvious loops in double precision

   The references come first, written as their definitions say. What they compute backwards is
   checked against central differences of what they compute forwards; then the library is checked
   against them, on every instruction set and with 1, 2 and 3 threads, which must agree in every bit
   (test.h). Networks are written as text, "conv 8 k3 p1; relu; flatten; dense 10".               */
#ifndef TINYNN_ELSEWHERE
#define TINYNN_IMPLEMENTATION
#endif
#include "tinynn.h"
#include "test.h"

/* ==== SCRATCH ================================================================================= */

/* Zeroed doubles that live until fresh(). */
static double pool[1 << 21];
static size_t pooled;

static double *doubles(size_t n)
{
    double *x = pool + pooled;
    if (n > sizeof pool / sizeof *pool - pooled) {
        printf("FAIL  the test program is out of scratch memory\n");
        exit(1);
    }
    memset(x, 0, n * sizeof *x);
    pooled += n;
    return x;
}

static double *widen(const float *x, size_t n)
{
    double *y = doubles(n);
    size_t i;
    for (i = 0; i < n; i++) y[i] = x[i];
    return y;
}

static void fresh(void)
{
    test_release_all();
    pooled = 0;
}

/* n guarded floats with values in [-1, 1). */
static float *values(size_t n, uint32_t stream)
{
    float *x = test_floats(n);
    test_fill(x, n, stream);
    return x;
}

/* ==== REFERENCES ============================================================================== */

typedef struct geometry {
    int n, c, h, w;             /* input                          */
    int f, ho, wo;              /* output, 0 where nothing fits   */
    int kh, kw, sh, sw, ph, pw, dh, dw, groups, exclude_pad;
} geometry;

static int first_set(int a, int b, int c) { return a ? a : b ? b : c; }

static int extent(int size, int k, int s, int p, int d, int ceil)
{
    int room = size + 2 * p - d * (k - 1) - 1, count;
    if (room < 0) return ceil && room + s > 0;      /* one that the image does not fill */
    count = room / s + 1;
    /* one more window, if something is left for it and it begins inside the image */
    if (ceil && room % s && count * s < size + p) count++;
    return count;
}

static geometry geometry_of(int n, int c, int h, int w, int f, const tnn_window *k, int pooling)
{
    geometry g;
    g.n = n, g.c = c, g.h = h, g.w = w, g.f = f;
    g.kh = first_set(k->kernel_h, k->kernel, 1);
    g.kw = first_set(k->kernel_w, k->kernel, 1);
    g.sh = first_set(k->stride_h, k->stride, pooling ? g.kh : 1);
    g.sw = first_set(k->stride_w, k->stride, pooling ? g.kw : 1);
    g.ph = first_set(k->pad_h, k->pad, 0);
    g.pw = first_set(k->pad_w, k->pad, 0);
    g.dh = first_set(k->dilation_h, k->dilation, 1);
    g.dw = first_set(k->dilation_w, k->dilation, 1);
    g.groups = first_set(k->groups, 1, 1);
    g.exclude_pad = k->exclude_pad;
    g.ho = extent(h, g.kh, g.sh, g.ph, g.dh, k->ceil);
    g.wo = extent(w, g.kw, g.sw, g.pw, g.dw, k->ceil);
    return g;
}

/* Convolution and its two gradients are one sum over the same index set, of products of two of y, w
   and x into the third. */
enum { FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT };

static void naive_conv(const geometry *g, int what, double *y, double *w, double *x)
{
    int n, f, i, j, c, u, v, per_group = g->c / g->groups, filters = g->f / g->groups;
    for (n = 0; n < g->n; n++)
    for (f = 0; f < g->f; f++)
    for (i = 0; i < g->ho; i++)
    for (j = 0; j < g->wo; j++)
    for (c = 0; c < per_group; c++)
    for (u = 0; u < g->kh; u++) {
        int channel = f / filters * per_group + c, row = i * g->sh + u * g->dh - g->ph;
        int yi = ((n * g->f + f) * g->ho + i) * g->wo + j;
        int wi = ((f * per_group + c) * g->kh + u) * g->kw;
        int xi = ((n * g->c + channel) * g->h + row) * g->w, col = j * g->sw - g->pw;
        if (row < 0 || row >= g->h) continue;
        for (v = 0; v < g->kw; v++, wi++, col += g->dw) {
            if (col < 0 || col >= g->w) continue;
            if (what == FORWARD) y[yi] += w[wi] * x[xi + col];
            if (what == INPUT_GRADIENT) x[xi + col] += w[wi] * y[yi];
            if (what == WEIGHT_GRADIENT) w[wi] += x[xi + col] * y[yi];
        }
    }
}

/* y += bias, or its gradient: bias += y summed over samples and places. */
static void naive_bias(const geometry *g, int what, double *y, double *bias)
{
    int n, f, i, at = 0;
    for (n = 0; n < g->n; n++)
    for (f = 0; f < g->f; f++)
    for (i = 0; i < g->ho * g->wo; i++, at++) {
        if (what == FORWARD) y[at] += bias[f];
        else bias[f] += y[at];
    }
}

/* from[y index] = index into x of the first maximum, where[y index] = its place in the window; both
   -1 in a window with nothing of the image in it. */
static void naive_maxpool(const geometry *g, double *y, int *from, double *where, const double *x)
{
    int p, i, j, u, v;
    for (p = 0; p < g->n * g->c; p++)
    for (i = 0; i < g->ho; i++)
    for (j = 0; j < g->wo; j++) {
        int yi = (p * g->ho + i) * g->wo + j;
        from[yi] = -1, where[yi] = -1;
        for (u = 0; u < g->kh; u++)
        for (v = 0; v < g->kw; v++) {
            int row = i * g->sh + u * g->dh - g->ph, col = j * g->sw + v * g->dw - g->pw;
            int xi = (p * g->h + row) * g->w + col;
            if (row < 0 || row >= g->h || col < 0 || col >= g->w) continue;
            if (from[yi] >= 0 && x[xi] <= x[from[yi]]) continue;
            from[yi] = xi, where[yi] = u * g->kw + v;
            y[yi] = x[xi];
        }
    }
}

static void naive_maxpool_backward(const geometry *g, double *dx, const double *dy, const int *from)
{
    int i;
    for (i = 0; i < g->n * g->c * g->ho * g->wo; i++) dx[from[i]] += dy[i];
}

/* The divisor counts the elements of the window inside the image or, with padding included, inside
   the padded image. */
static void naive_avgpool(const geometry *g, int what, double *y, double *x)
{
    int p, i, j, u, v, pass;
    for (p = 0; p < g->n * g->c; p++)
    for (i = 0; i < g->ho; i++)
    for (j = 0; j < g->wo; j++) {
        int yi = (p * g->ho + i) * g->wo + j, inside = 0, padded = 0;
        for (pass = 0; pass < 2; pass++)
        for (u = 0; u < g->kh; u++)
        for (v = 0; v < g->kw; v++) {
            int row = i * g->sh + u - g->ph, col = j * g->sw + v - g->pw;
            int xi = (p * g->h + row) * g->w + col;
            int is_inside = row >= 0 && row < g->h && col >= 0 && col < g->w;
            double count = g->exclude_pad ? inside : padded;
            if (pass == 0) {
                inside += is_inside;
                padded += row < g->h + g->ph && col < g->w + g->pw;
            } else if (is_inside) {
                if (what == FORWARD) y[yi] += x[xi] / count;
                else x[xi] += y[yi] / count;
            }
        }
    }
}

static void naive_log_softmax(double *y, const double *x, int rows, int classes)
{
    int i, j;
    for (i = 0; i < rows; i++, x += classes, y += classes) {
        double largest = x[0], sum = 0;
        for (j = 1; j < classes; j++) if (x[j] > largest) largest = x[j];
        for (j = 0; j < classes; j++) sum += exp(x[j] - largest);
        for (j = 0; j < classes; j++) y[j] = x[j] - largest - log(sum);
    }
}

/* L = sum_n sum_c -weight[c] t[n,c] log p[n,c] / sum_n weight[label n], where
   t[n,c] = (1 - s) [c = label n] + s / classes. Returns L, and dL/dlogits in dx. */
static double naive_cross_entropy(double *dx, const double *x, const int *labels, int rows,
                                  int classes, double s, const float *class_weights)
{
    double loss = 0, total = 0, *logp = doubles((size_t)(rows * classes));
    int i, j;
    naive_log_softmax(logp, x, rows, classes);
    for (i = 0; i < rows; i++) total += class_weights ? (double)class_weights[labels[i]] : 1;
    for (i = 0; i < rows; i++, dx += classes, logp += classes) {
        double sum = 0;
        for (j = 0; j < classes; j++) {
            double weight = class_weights ? (double)class_weights[j] : 1;
            double t = weight * ((j == labels[i] ? 1 - s : 0) + s / classes) / total;
            loss -= t * logp[j];
            sum += t;
            dx[j] -= t;
        }
        /* d log p[j] / dx[k] = [j = k] - p[k], so that each t[j] adds t[j] p[k] */
        for (j = 0; j < classes; j++) dx[j] += sum * exp(logp[j]);
    }
    return loss;
}

/* ---- networks of them ------------------------------------------------------------------------ */

#define MAX_LAYERS 24

typedef struct naive_layer {
    tnn_layer is;
    geometry  g;                    /* dense: a 1x1 convolution; others: h = ho ...  */
    size_t    in, out;              /* elements of the whole batch                   */
    size_t    weights, biases;
    double   *x, *y, *dx, *dy;      /* x and dx are the layer before's y and dy      */
    double   *w, *b, *dw, *db;
    double   *keep;                 /* dropout: 0 or 1 / (1 - p) for each element    */
    int      *from;                 /* max pooling                                   */
} naive_layer;

typedef struct naive_net {
    const char  *text;
    int          n, c, h, w, layers, classes;
    naive_layer  layer[MAX_LAYERS];
    double      *x, *dx, *logits, *dlogits, loss;
    int          labels[64];
    double       smoothing;
    const float *class_weights;
} naive_net;

/* One layer from text such as "conv 8 k3x5 s2 p1x2 d2 g4 nobias". Returns what follows its ';'. */
static const char *parse_layer(const char *text, tnn_layer *layer)
{
    static const struct { const char *name; tnn_layer_type type; } types[] = {
        { "conv", TNN_CONV2D },     { "dense", TNN_DENSE },     { "maxpool", TNN_MAXPOOL2D },
        { "avgpool", TNN_AVGPOOL2D }, { "flatten", TNN_FLATTEN }, { "relu", TNN_RELU },
        { "leaky", TNN_LEAKY_RELU }, { "dropout", TNN_DROPOUT }
    };
    char word[32];
    int length, i;
    memset(layer, 0, sizeof *layer);
    while (sscanf(text, " %31[^ ;]%n", word, &length) == 1) {
        int a = 0, b = 0, pair = sscanf(word + 1, "%dx%d", &a, &b) == 2;
        text += length;
        if (word[0] >= '0' && word[0] <= '9') {
            if (layer->type == TNN_CONV2D) layer->filters = atoi(word);
            if (layer->type == TNN_DENSE) layer->units = atoi(word);
            if (layer->type == TNN_LEAKY_RELU) layer->slope = (float)atof(word);
            if (layer->type == TNN_DROPOUT) layer->p = (float)atof(word);
            continue;
        }
        for (i = 0; i < 8; i++) if (!strcmp(word, types[i].name)) break;
        if (i < 8) { layer->type = types[i].type; continue; }
        if (!strcmp(word, "ceil")) { layer->ceil = 1; continue; }
        if (!strcmp(word, "exclude")) { layer->exclude_pad = 1; continue; }
        if (!strcmp(word, "nobias")) { layer->no_bias = 1; continue; }
#define SIZE(letter, member) \
        if (word[0] == letter && pair) layer->member##_h = a, layer->member##_w = b; \
        else if (word[0] == letter) layer->member = a;
        SIZE('k', kernel)
        SIZE('s', stride)
        SIZE('p', pad)
        SIZE('d', dilation)
#undef SIZE
        if (word[0] == 'g') layer->groups = a;
    }
    text += strspn(text, " ");
    return *text == ';' ? text + 1 : text;
}

static tnn_window window_of(const tnn_layer *l)
{
    tnn_window k;
    k.kernel = l->kernel, k.kernel_h = l->kernel_h, k.kernel_w = l->kernel_w;
    k.stride = l->stride, k.stride_h = l->stride_h, k.stride_w = l->stride_w;
    k.pad = l->pad, k.pad_h = l->pad_h, k.pad_w = l->pad_w;
    k.dilation = l->dilation, k.dilation_h = l->dilation_h, k.dilation_w = l->dilation_w;
    k.groups = l->groups, k.ceil = l->ceil, k.exclude_pad = l->exclude_pad;
    return k;
}

/* Shapes, memory and parameters (floats of about 1/sqrt(fan_in), from `stream`); the input is left
   to the caller. Returns 0 where some window does not fit. */
static int naive_init(naive_net *net, int n, int c, int h, int w, const char *text, uint32_t stream)
{
    static int from_pool[1 << 18];
    size_t from_at = 0, i;
    memset(net, 0, sizeof *net);
    net->text = text, net->n = n, net->c = c, net->h = h, net->w = w;
    net->x = doubles((size_t)(n * c * h * w));
    net->dx = doubles((size_t)(n * c * h * w));
    while (*text) {
        naive_layer *l = &net->layer[net->layers++];
        tnn_window k;
        int pooling, f = c;
        memset(l, 0, sizeof *l);
        text = parse_layer(text, &l->is);
        k = window_of(&l->is);
        pooling = l->is.type == TNN_MAXPOOL2D || l->is.type == TNN_AVGPOOL2D;
        if (l->is.type == TNN_CONV2D) f = l->is.filters;
        if (l->is.type == TNN_DENSE) f = l->is.units;
        if (l->is.type == TNN_FLATTEN) f = c = c * h * w, h = w = 1;
        l->g = geometry_of(n, c, h, w, f, &k, pooling);
        if (l->g.ho < 1 || l->g.wo < 1) return 0;
        l->x = net->layers > 1 ? l[-1].y : net->x;
        l->dx = net->layers > 1 ? l[-1].dy : net->dx;
        l->in = (size_t)(n * c * h * w);
        c = f, h = l->g.ho, w = l->g.wo;
        l->out = (size_t)(n * c * h * w);
        l->y = doubles(l->out);
        l->dy = doubles(l->out);
        if (l->is.type == TNN_CONV2D || l->is.type == TNN_DENSE) {
            int fan_in = l->g.c / l->g.groups * l->g.kh * l->g.kw;
            double scale = 1 / sqrt(fan_in);
            l->weights = (size_t)(f * fan_in);
            l->biases = l->is.no_bias ? 0 : (size_t)f;
            l->w = doubles(l->weights), l->dw = doubles(l->weights);
            l->b = doubles(l->biases), l->db = doubles(l->biases);
            for (i = 0; i < l->weights; i++)
                l->w[i] = (float)(scale * (double)test_value(stream, (uint32_t)i));
            for (i = 0; i < l->biases; i++)
                l->b[i] = (float)(scale * (double)test_value(stream + 1, (uint32_t)i));
            stream += 2;
        }
        if (l->is.type == TNN_MAXPOOL2D) {
            if (from_at + l->out > sizeof from_pool / sizeof *from_pool) exit(1);
            l->from = from_pool + from_at;
            from_at += l->out;
        }
        if (l->is.type == TNN_DROPOUT) {            /* nothing is dropped, as in eval mode */
            l->keep = doubles(l->out);
            for (i = 0; i < l->out; i++) l->keep[i] = 1;
        }
    }
    net->classes = c * h * w;
    net->logits = net->layer[net->layers - 1].y;
    net->dlogits = net->layer[net->layers - 1].dy;
    for (i = 0; i < (size_t)n; i++)
        net->labels[i] = (int)(test_hash(stream, (uint32_t)i) % (uint32_t)net->classes);
    return 1;
}

static void naive_forward(naive_net *net)
{
    size_t i;
    int k;
    for (k = 0; k < net->layers; k++) {
        naive_layer *l = &net->layer[k];
        double slope = l->is.slope != 0 ? (double)l->is.slope : 0.01;
        memset(l->y, 0, l->out * sizeof *l->y);
        switch (l->is.type) {
        case TNN_CONV2D:
        case TNN_DENSE:
            naive_conv(&l->g, FORWARD, l->y, l->w, l->x);
            if (l->biases) naive_bias(&l->g, FORWARD, l->y, l->b);
            break;
        case TNN_MAXPOOL2D: {
            size_t before = pooled;
            naive_maxpool(&l->g, l->y, l->from, doubles(l->out), l->x);
            pooled = before;
            break;
        }
        case TNN_AVGPOOL2D: naive_avgpool(&l->g, FORWARD, l->y, l->x); break;
        case TNN_FLATTEN: memcpy(l->y, l->x, l->out * sizeof *l->y); break;
        case TNN_RELU: for (i = 0; i < l->out; i++) l->y[i] = l->x[i] > 0 ? l->x[i] : 0; break;
        case TNN_LEAKY_RELU:
            for (i = 0; i < l->out; i++) l->y[i] = l->x[i] > 0 ? l->x[i] : slope * l->x[i];
            break;
        case TNN_DROPOUT: for (i = 0; i < l->out; i++) l->y[i] = l->x[i] * l->keep[i]; break;
        default: break;                             /* the others: test_modules.c */
        }
    }
}

static double naive_loss(naive_net *net)
{
    size_t before = pooled;
    memset(net->dlogits, 0, (size_t)(net->n * net->classes) * sizeof(double));
    net->loss = naive_cross_entropy(net->dlogits, net->logits, net->labels, net->n, net->classes,
                                    net->smoothing, net->class_weights);
    pooled = before;
    return net->loss;
}

/* From dlogits to all gradients. */
static void naive_backward(naive_net *net)
{
    size_t i;
    int k;
    for (k = net->layers - 1; k >= 0; k--) {
        naive_layer *l = &net->layer[k];
        double slope = l->is.slope != 0 ? (double)l->is.slope : 0.01;
        memset(l->dx, 0, l->in * sizeof *l->dx);
        switch (l->is.type) {
        case TNN_CONV2D:
        case TNN_DENSE:
            memset(l->dw, 0, l->weights * sizeof *l->dw);
            memset(l->db, 0, l->biases * sizeof *l->db);
            naive_conv(&l->g, WEIGHT_GRADIENT, l->dy, l->dw, l->x);
            naive_conv(&l->g, INPUT_GRADIENT, l->dy, l->w, l->dx);
            if (l->biases) naive_bias(&l->g, WEIGHT_GRADIENT, l->dy, l->db);
            break;
        case TNN_MAXPOOL2D: naive_maxpool_backward(&l->g, l->dx, l->dy, l->from); break;
        case TNN_AVGPOOL2D: naive_avgpool(&l->g, INPUT_GRADIENT, l->dy, l->dx); break;
        case TNN_FLATTEN: memcpy(l->dx, l->dy, l->in * sizeof *l->dx); break;
        case TNN_RELU: for (i = 0; i < l->in; i++) l->dx[i] = l->x[i] > 0 ? l->dy[i] : 0; break;
        case TNN_LEAKY_RELU:
            for (i = 0; i < l->in; i++) l->dx[i] = l->dy[i] * (l->x[i] > 0 ? 1 : slope);
            break;
        case TNN_DROPOUT: for (i = 0; i < l->in; i++) l->dx[i] = l->dy[i] * l->keep[i]; break;
        default: break;
        }
    }
}

/* ---- updates --------------------------------------------------------------------------------- */

/* Step t = 1, 2 ... of n parameters p with gradients g and moments m, v: torch.optim's rules. */
static void naive_update(const tnn_optimizer *o, int t, double *p, const double *g, double *m,
                         double *v, size_t n)
{
#define VALUE(member, otherwise) (o->member != 0 ? (double)o->member \
                                  : signbit(o->member) ? 0.0 : otherwise)
    double lr = VALUE(lr, 1e-3), mu = o->momentum, b1 = VALUE(beta1, 0.9);
    double b2 = VALUE(beta2, 0.999), eps = VALUE(eps, 1e-8);
    double decay = VALUE(weight_decay, o->type == TNN_ADAMW ? 0.01 : 0.0);
#undef VALUE
    size_t i;
    for (i = 0; i < n; i++) {
        double d = g[i];
        if (o->type == TNN_ADAMW) p[i] -= lr * decay * p[i];
        else d += decay * p[i];
        if (o->type == TNN_SGD) {
            if (mu != 0) {
                m[i] = t == 1 ? d : mu * m[i] + (1 - (double)o->dampening) * d;
                d = o->nesterov ? d + mu * m[i] : m[i];
            }
            p[i] -= lr * d;
        } else {
            m[i] = b1 * m[i] + (1 - b1) * d;
            v[i] = b2 * v[i] + (1 - b2) * d * d;
            p[i] -= lr * (m[i] / (1 - pow(b1, t))) / (sqrt(v[i] / (1 - pow(b2, t))) + eps);
        }
    }
}

/* ==== THE REFERENCES AGAINST DIFFERENCES ====================================================== */

/* The largest |dx - (f(x + h) - f(x - h)) / 2h| over x[0..n), over the largest |dx|. */
static double differences(double (*f)(void *), void *of, double *x, const double *dx, size_t n,
                          double h)
{
    double worst = 0, largest = 1e-300;
    size_t i;
    for (i = 0; i < n; i++) {
        double was = x[i], up, down, error;
        x[i] = was + h, up = f(of);
        x[i] = was - h, down = f(of);
        x[i] = was;
        error = fabs((up - down) / (2 * h) - dx[i]);
        if (!(error <= worst)) worst = error;
        if (fabs(dx[i]) > largest) largest = fabs(dx[i]);
    }
    return worst / largest;
}

static double loss_of(void *of)
{
    naive_forward((naive_net *)of);
    return naive_loss((naive_net *)of);
}

static const float some_weights[10] = { 1.5f, 0.25f, 3, 0.5f, 1, 0, 2, 0.75f, 1.25f, 0.125f };

/* Each layer alone, and whole networks. A unit can lie so close to the corner of a rectifier, or
   two to a tie of a maximum, that a difference steps over it; none does with these numbers. */
static void check_references(void)
{
    static const char *const nets[] = {
        "flatten", "flatten; dense 7", "conv 4 k3; flatten", "conv 6 k3x2 s2x1 p1x2 g2; flatten",
        "conv 4 k2 d2 s3 p3 nobias; flatten", "conv 8 k3 p1 g4; flatten",
        "maxpool k2; flatten", "maxpool k3 s2 p1 ceil; flatten", "maxpool k2x3 s1 d2x1; flatten",
        "avgpool k2; flatten", "avgpool k3 s2 p1 ceil; flatten",
        "avgpool k3x4 s3x2 p1x2 exclude; flatten", "relu; flatten", "leaky 0.3; flatten",
        "leaky; flatten", "dropout; flatten",
        ("conv 4 k3 p1; relu; maxpool k2; conv 6 k3 s2 p1; leaky; avgpool k2 s1; flatten; dense 9; "
         "relu; dropout; dense 10"),
        "avgpool k2 s1 p1; conv 3 k1; maxpool k3 s1 p1; leaky 0.2; flatten; dense 10"
    };
    size_t k, i;
    int at, variant;
    for (k = 0; k < sizeof nets / sizeof *nets; k++)
    for (variant = 0; variant < 3; variant++) {
        naive_net net;
        CHECK(naive_init(&net, 2, 4, 6, 7, nets[k], (uint32_t)(100 * k)), "%s", nets[k]);
        if (variant == 1 || variant == 2) net.smoothing = 0.15;
        if (variant == 2 && net.classes <= 10) net.class_weights = some_weights;
        for (i = 0; i < 2 * 4 * 6 * 7; i++) {       /* all different, none 0 */
            net.x[i] = (double)(i * 101 % 336) / 168.0 - 1 + 1 / 512.0;
        }
        for (at = 0; at < net.layers; at++)
            for (i = 0; net.layer[at].keep && i < net.layer[at].out; i++)
                net.layer[at].keep[i] = i * 7 % 5 < 2 ? 0 : 1.75;
        loss_of(&net);
        naive_backward(&net);
#define AGREE(what, x, dx, n) do { \
        double error = differences(loss_of, &net, x, dx, n, 1e-5); \
        if (error <= 1e-6) test_measure(error, 1e-6); \
        else test_fail(__LINE__, "%s: %s off by %.1e", nets[k], what, error); } while (0)
        AGREE("dx", net.x, net.dx, (size_t)(2 * 4 * 6 * 7));
        for (at = 0; at < net.layers; at++) {
            naive_layer *l = &net.layer[at];
            if (l->weights) AGREE("dw", l->w, l->dw, l->weights);
            if (l->biases) AGREE("db", l->b, l->db, l->biases);
        }
#undef AGREE
        fresh();
    }
}

/* ==== TENSOR FUNCTIONS ======================================================================== */

static tnn_tensor matrix(float *data, int rows, int cols)
{
    return tnn_tensor_view(data, rows, cols, 1, 1);
}

/* Whether products are fused multiply-adds, and fmaf is one: mingw's rounds twice. */
#ifdef __MINGW32__
static int has_fma(void) { return 0; }
#else
static int has_fma(void) { return strcmp(tnn_isa(), "sse2") != 0; }
#endif

/* All flags; in double, and as the promised chains of fused multiply-adds bit for bit. */
static void one_matmul(int m, int n, int k, int exact)
{
    char what[80];
    int flags, i, j, l;
    for (flags = 0; flags < 8*TNN_TRANSPOSE_A; flags += TNN_TRANSPOSE_A) {
        float *a = values((size_t)(m * k), 1), *b = values((size_t)(k * n), 2);
        float *c = flags & TNN_ACCUMULATE ? values((size_t)(m * n), 3)
                                          : test_floats((size_t)(m * n));
        float *chain = test_floats((size_t)(m * n));
        double *want = doubles((size_t)(m * n));
        tnn_tensor A = flags & TNN_TRANSPOSE_A ? matrix(a, k, m) : matrix(a, m, k);
        tnn_tensor B = flags & TNN_TRANSPOSE_B ? matrix(b, n, k) : matrix(b, k, n);
        for (i = 0; i < m; i++)
        for (j = 0; j < n; j++) {
            float f = 0, sum = flags & TNN_ACCUMULATE ? c[i * n + j] : -0.0f;
            double d = sum;
            int chains = (k + 319) / 320, part = (k + chains - 1) / chains;
            for (l = 0; l < k; l++) {
                if (l && l % part == 0) sum += f, f = 0;
                float x = flags & TNN_TRANSPOSE_A ? a[l * m + i] : a[i * k + l];
                float y = flags & TNN_TRANSPOSE_B ? b[j * k + l] : b[l * n + j];
                if (exact) f = fmaf(x, y, f);
                d += (double)x * (double)y;
            }
            want[i * n + j] = d;
            chain[i * n + j] = sum + f;
        }
        snprintf(what, sizeof what, "(%d,%d,%d) flags %d", m, n, k, flags);
        CHECK(tnn_matmul(matrix(c, m, n), A, B, flags) == TNN_OK, "%s: %s", what, tnn_error());
        CHECK_CLOSE(what, c, want, m * n, 2e-6);
        CHECK_REPEATS(what, c, m * n);
        if (exact && has_fma()) CHECK_SAME("the chains", c, chain, (size_t)(m * n) * sizeof(float));
        fresh();
    }
}

static void matmul(void)
{
    static const int sizes[][3] = {
        { 1, 1, 1 }, { 1, 1, 17 }, { 1, 33, 1 }, { 19, 1, 1 }, { 1, 70, 5 }, { 5, 1, 70 },
        { 70, 5, 1 }, { 3, 5, 7 }, { 7, 16, 9 }, { 8, 8, 8 }, { 13, 17, 31 }, { 6, 16, 64 },
        { 16, 6, 64 }, { 31, 33, 15 }, { 64, 64, 64 }, { 65, 47, 33 }, { 12, 129, 257 },
        { 100, 10, 64 }, { 2, 48, 600 }, { 15, 49, 1025 },
        { 20, 70, 530 }, { 530, 70, 20 }, { 530, 257, 21 }      /* A is copied, copied, turned */
    };
    size_t s;
    uint32_t state = 11;
    int i;
    for (s = 0; s < sizeof sizes / sizeof *sizes; s++)
        one_matmul(sizes[s][0], sizes[s][1], sizes[s][2], 1);
    for (i = 0; i < 40; i++) {
        int m = test_pick(&state, 1, 50), n = test_pick(&state, 1, 50);
        one_matmul(m, n, test_pick(&state, 1, 50), 1);
    }
}

/* Long sums of products of [0, 1) and of numbers near 0.1, which drift together: the root of the
   mean square of the error, relative, is at most twice that of PyTorch 2.14 on one thread. */
static void near(const char *what, const float *got, const double *want, size_t n, double pytorch)
{
    double error = 0, square = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        error += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        square += want[i] * want[i];
    }
    error = sqrt(error / square);
    test_measure(error, 2 * pytorch);
    CHECK(error <= 2 * pytorch, "%s: off by %.2g, PyTorch by %.2g", what, error, pytorch);
}
static float *positive(size_t n, uint32_t stream, float low, float range)
{
    float *x = values(n, stream);
    size_t i;
    for (i = 0; i < n; i++) x[i] = low + range * (x[i] + 1) / 2;
    return x;
}
static void long_sums(void)
{
    enum { M = 6, DEEP = 65536, C = 512, F = 4, H = 6, SIDE = 512, ALL = SIDE * SIDE };
    static const struct { const char *what; float low, range; double product, forward, pixels; }
    kinds[] = { { "[0, 1)", 0, 1, 1.9e-7, 9.2e-8, 4.6e-7 },
                { "0.1", 0.1f, 0.001f, 2.1e-7, 9.0e-8, 4.6e-7 } };
    const tnn_window three = { .kernel = 3, .pad = 1 }, one = { .kernel = 1 };
    const tnn_window each = { .kernel = 3, .pad = 1, .groups = 2 };
    size_t kind;
    int i, j, k, l, u, v;
    for (kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        const float low = kinds[kind].low, range = kinds[kind].range;
        {
            float *a = positive(M * DEEP, 1, low, range), *b = positive(DEEP * M, 2, low, range);
            float *c = test_floats(M * M);
            double *want = doubles(M * M);
            for (k = 0; k < DEEP; k++)
            for (i = 0; i < M; i++)
            for (j = 0; j < M; j++)
                want[i * M + j] += (double)a[i * DEEP + k] * (double)b[k * M + j];
            tnn_matmul(matrix(c, M, M), matrix(a, M, DEEP), matrix(b, DEEP, M), 0);
            near("product", c, want, M * M, kinds[kind].product);
            fresh();
        }
        {
            float *x = positive(C * H * H, 1, low, range), *w = positive(F * C * 9, 2, low, range);
            float *y = test_floats(F * H * H);
            double *want = doubles(F * H * H);
            for (l = 0; l < F; l++)
            for (k = 0; k < C; k++)
            for (i = 0; i < H; i++)
            for (j = 0; j < H; j++)
            for (u = 0; u < 3; u++)
            for (v = 0; v < 3; v++)
                if (i + u > 0 && i + u <= H && j + v > 0 && j + v <= H)
                    want[(l * H + i) * H + j] += (double)w[((l * C + k) * 3 + u) * 3 + v]
                                              * (double)x[(k * H + i + u - 1) * H + j + v - 1];
            tnn_conv2d_forward(tnn_tensor_view(y, 1, F, H, H), tnn_tensor_view(x, 1, C, H, H),
                               tnn_tensor_view(w, F, C, 3, 3), NULL, three);
            near("convolution", y, want, F * H * H, kinds[kind].forward);
            fresh();
        }
        for (l = 0; l < 2; l++) {       /* all weights of a 1x1 one; the middle of a depthwise */
            float *x = positive(2 * ALL, 1, low, range), *dy = positive(2 * ALL, 2, low, range);
            float dw[18] = { 0 };
            double want[4] = { 0 };
            for (i = 0; i < ALL; i++)
            for (j = 0; j < 4; j++)
                want[j] += (double)dy[j / 2 * ALL + i] * (double)x[j % 2 * ALL + i];
            tnn_conv2d_backward_weights(tnn_tensor_view(dw, 2, l ? 1 : 2, l ? 3 : 1, l ? 3 : 1),
                                        NULL, tnn_tensor_view(x, 1, 2, SIDE, SIDE),
                                        tnn_tensor_view(dy, 1, 2, SIDE, SIDE), l ? each : one);
            if (l) dw[0] = dw[4], dw[1] = dw[13], want[1] = want[3];
            near(l ? "depthwise weights" : "1x1 weights", dw, want, l ? 2 : 4,
                 kinds[kind].pixels);
            fresh();
        }
    }
}

typedef struct window_case { int n, c, h, w, f; tnn_window k; } window_case;

static void describe(char *text, size_t size, const char *name, const geometry *g)
{
    snprintf(text, size, "%s %dx%dx%dx%d f%d k%dx%d s%dx%d p%dx%d d%dx%d g%d out %dx%d%s", name,
             g->n, g->c, g->h, g->w, g->f, g->kh, g->kw, g->sh, g->sw, g->ph, g->pw, g->dh, g->dw,
             g->groups, g->ho, g->wo, g->exclude_pad ? " exclude_pad" : "");
}

static void one_conv(const window_case *k)
{
    geometry g = geometry_of(k->n, k->c, k->h, k->w, k->f, &k->k, 0);
    size_t nx = (size_t)(g.n * g.c * g.h * g.w), ny = (size_t)(g.n * g.f * g.ho * g.wo);
    size_t nw = (size_t)(g.f * (g.c / g.groups) * g.kh * g.kw), nb = (size_t)g.f;
    float *x = values(nx, 1), *w = values(nw, 2), *b = values(nb, 3), *dy = values(ny, 4);
    float *dw = values(nw, 5), *db = values(nb, 6), *dx = test_floats(nx), *y = test_floats(ny);
    tnn_tensor X = tnn_tensor_view(x, g.n, g.c, g.h, g.w);
    tnn_tensor DX = tnn_tensor_view(dx, g.n, g.c, g.h, g.w);
    tnn_tensor Y = tnn_tensor_view(y, g.n, g.f, g.ho, g.wo);
    tnn_tensor DY = tnn_tensor_view(dy, g.n, g.f, g.ho, g.wo);
    tnn_tensor W = tnn_tensor_view(w, g.f, g.c / g.groups, g.kh, g.kw);
    tnn_tensor DW = tnn_tensor_view(dw, g.f, g.c / g.groups, g.kh, g.kw);
    double *xd = widen(x, nx), *wd = widen(w, nw), *dyd = widen(dy, ny);
    double *yd = doubles(ny), *dxd = doubles(nx), *dwd = widen(dw, nw), *dbd = widen(db, nb);
    char what[120];

    naive_conv(&g, FORWARD, yd, wd, xd);
    describe(what, sizeof what, "y without bias,", &g);
    CHECK(tnn_conv2d_forward(Y, X, W, NULL, k->k) == TNN_OK, "%s: %s", what, tnn_error());
    CHECK_CLOSE(what, y, yd, ny, 2e-6);
    CHECK_REPEATS(what, y, ny);

    naive_bias(&g, FORWARD, yd, widen(b, nb));
    describe(what, sizeof what, "y,", &g);
    CHECK(tnn_conv2d_forward(Y, X, W, b, k->k) == TNN_OK, "%s: %s", what, tnn_error());
    CHECK_CLOSE(what, y, yd, ny, 2e-6);
    CHECK_REPEATS(what, y, ny);

    naive_conv(&g, INPUT_GRADIENT, dyd, wd, dxd);
    describe(what, sizeof what, "dx,", &g);
    CHECK(tnn_conv2d_backward_input(DX, DY, W, k->k) == TNN_OK, "%s: %s", what, tnn_error());
    CHECK_CLOSE(what, dx, dxd, nx, 2e-6);
    CHECK_REPEATS(what, dx, nx);

    naive_conv(&g, WEIGHT_GRADIENT, dyd, dwd, xd);
    naive_bias(&g, WEIGHT_GRADIENT, dyd, dbd);
    describe(what, sizeof what, "dw,", &g);
    CHECK(tnn_conv2d_backward_weights(DW, db, X, DY, k->k) == TNN_OK, "%s: %s", what, tnn_error());
    CHECK_CLOSE(what, dw, dwd, nw, 3e-6);
    CHECK_REPEATS(what, dw, nw);
    describe(what, sizeof what, "db,", &g);
    CHECK_CLOSE(what, db, dbd, nb, 3e-6);
    CHECK_REPEATS(what, db, nb);

    test_fill(dw, nw, 5);                       /* db may be absent */
    describe(what, sizeof what, "dw without db,", &g);
    CHECK(tnn_conv2d_backward_weights(DW, NULL, X, DY, k->k) == TNN_OK, "%s: %s", what,
          tnn_error());
    CHECK_CLOSE(what, dw, dwd, nw, 3e-6);
    fresh();
}

static void conv_chosen(void)
{
    static const window_case cases[] = {
        { 1, 1, 1, 1, 1, { .kernel = 1 } },
        { 2, 3, 5, 7, 4, { .kernel = 1 } },
        { 3, 17, 4, 4, 33, { .kernel = 1 } },
        { 2, 3, 6, 5, 5, { .kernel = 3 } },
        { 2, 1, 28, 28, 8, { .kernel = 3, .pad = 1 } },
        { 2, 16, 14, 14, 20, { .kernel = 3, .pad = 1 } },
        { 1, 5, 9, 11, 18, { .kernel = 5, .pad = 2 } },
        { 1, 2, 13, 12, 3, { .kernel = 7, .pad = 3, .stride = 2 } },
        { 2, 4, 7, 9, 6, { .kernel_h = 3, .kernel_w = 5 } },
        { 2, 4, 9, 7, 6, { .kernel_h = 5, .kernel_w = 1, .pad_h = 2 } },
        { 2, 4, 7, 9, 6, { .kernel_h = 1, .kernel_w = 4, .pad_w = 3, .stride_w = 2 } },
        { 2, 3, 8, 9, 7, { .kernel = 3, .stride_h = 2, .stride_w = 3, .pad_h = 1, .pad_w = 2 } },
        { 2, 3, 11, 10, 7, { .kernel = 2, .stride = 4 } },              /* stride > kernel */
        { 2, 3, 10, 10, 5, { .kernel = 1, .stride = 3 } },
        { 2, 3, 7, 7, 5, { .kernel = 1, .stride = 2, .pad = 1 } },
        { 1, 3, 5, 4, 5, { .kernel = 2, .pad = 3 } },                   /* pad > kernel - 1 */
        { 1, 3, 2, 2, 5, { .kernel = 3, .pad = 4, .stride = 2 } },
        { 1, 2, 3, 3, 5, { .kernel = 1, .pad = 2 } },
        { 2, 3, 9, 9, 4, { .kernel = 3, .dilation = 2 } },
        { 2, 3, 9, 12, 4, { .kernel = 3, .dilation_h = 1, .dilation_w = 3, .pad = 2 } },
        { 1, 2, 8, 8, 4, { .kernel = 2, .dilation = 5, .pad = 1, .stride = 2 } },
        { 2, 6, 7, 7, 9, { .kernel = 3, .groups = 3, .pad = 1 } },
        { 2, 8, 6, 6, 8, { .kernel = 3, .groups = 8, .pad = 1 } },      /* depthwise */
        { 1, 5, 8, 7, 15, { .kernel = 3, .groups = 5, .stride = 2 } },
        { 2, 4, 5, 5, 6, { .kernel = 1, .groups = 2 } },
        { 1, 32, 6, 6, 32, { .kernel = 3, .groups = 2, .pad = 1 } },
        { 2, 40, 3, 3, 24, { .kernel = 3 } },                           /* output 1x1 */
        { 5, 3, 4, 4, 2, { .kernel = 4 } },
        { 1, 3, 1, 40, 5, { .kernel_h = 1, .kernel_w = 3, .pad_w = 1 } },
        { 1, 3, 40, 1, 5, { .kernel_h = 3, .kernel_w = 1, .pad_h = 1 } },
        { 1, 3, 2, 2, 4, { .kernel = 5, .pad = 2 } },                   /* kernel > image */
        { 7, 2, 3, 3, 3, { .kernel = 2, .stride = 2 } }                 /* a row unused */
    };
    size_t i;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) one_conv(&cases[i]);
}

static void random_window(uint32_t *state, tnn_window *k, int pooling)
{
    memset(k, 0, sizeof *k);
    if (test_pick(state, 0, 1)) k->kernel = test_pick(state, 1, 4);
    else k->kernel_h = test_pick(state, 1, 5), k->kernel_w = test_pick(state, 1, 5);
    if (test_pick(state, 0, 1)) k->stride = test_pick(state, 0, 3);
    else k->stride_h = test_pick(state, 1, 4), k->stride_w = test_pick(state, 1, 4);
    if (pooling != TNN_AVGPOOL2D && test_pick(state, 0, 2) == 0) {
        k->dilation_h = test_pick(state, 1, 3);
        k->dilation_w = test_pick(state, 1, 3);
    }
    if (pooling) {
        k->pad_h = test_pick(state, 0, first_set(k->kernel_h, k->kernel, 1) / 2);
        k->pad_w = test_pick(state, 0, first_set(k->kernel_w, k->kernel, 1) / 2);
        k->ceil = test_pick(state, 0, 1);
    } else if (test_pick(state, 0, 1)) {
        k->pad = test_pick(state, 0, 3);
    } else {
        k->pad_h = test_pick(state, 0, 5);
        k->pad_w = test_pick(state, 0, 5);
    }
    if (pooling == TNN_AVGPOOL2D) k->exclude_pad = test_pick(state, 0, 1);
}

static void conv_random(void)
{
    uint32_t state = 1000;
    int done = 0;
    while (done < 150) {
        window_case k;
        geometry g;
        int groups = test_pick(&state, 0, 3) ? 1 : test_pick(&state, 2, 4);
        k.n = test_pick(&state, 1, 3);
        k.c = groups * test_pick(&state, 1, groups > 1 ? 3 : 9);
        k.f = groups * test_pick(&state, 1, groups > 1 ? 3 : 20);
        k.h = test_pick(&state, 1, 11);
        k.w = test_pick(&state, 1, 19);
        random_window(&state, &k.k, 0);
        k.k.groups = groups;
        g = geometry_of(k.n, k.c, k.h, k.w, k.f, &k.k, 0);
        if (g.ho < 1 || g.wo < 1) continue;
        one_conv(&k);
        done++;
    }
}

static int every_window_sees_the_image(const geometry *g)
{
    size_t before = pooled;
    int i, count = g->ho * g->wo, seen = 1, from[1024];
    geometry one = *g;
    one.n = one.c = 1;
    if (count > 1024) return 0;
    naive_maxpool(&one, doubles((size_t)count), from, doubles((size_t)count),
                  doubles((size_t)(g->h * g->w)));
    for (i = 0; i < count; i++) if (from[i] < 0) seen = 0;
    pooled = before;
    return seen;
}

static void one_pool(const window_case *k, int average)
{
    static int from[1 << 16];
    geometry g = geometry_of(k->n, k->c, k->h, k->w, k->c, &k->k, 1);
    size_t nx = (size_t)(g.n * g.c * g.h * g.w), ny = (size_t)(g.n * g.c * g.ho * g.wo), i;
    float *x = values(nx, 1), *dy = values(ny, 2), *y = test_floats(ny), *dx = test_floats(nx);
    float *where = test_floats(ny);
    tnn_tensor X = tnn_tensor_view(x, g.n, g.c, g.h, g.w);
    tnn_tensor DX = tnn_tensor_view(dx, g.n, g.c, g.h, g.w);
    tnn_tensor Y = tnn_tensor_view(y, g.n, g.c, g.ho, g.wo);
    tnn_tensor DY = tnn_tensor_view(dy, g.n, g.c, g.ho, g.wo);
    double *yd = doubles(ny), *dxd = doubles(nx), *dyd = widen(dy, ny), *whered = doubles(ny), *xd;
    char what[120];

    if (!average)       /* few different values: ties must go to the first */
        for (i = 0; i < nx; i++) x[i] = (float)((int)(test_hash(3, (uint32_t)i) % 7) - 3);
    xd = widen(x, nx);
    if (average) {
        naive_avgpool(&g, FORWARD, yd, xd);
        naive_avgpool(&g, INPUT_GRADIENT, dyd, dxd);
        describe(what, sizeof what, "avgpool y,", &g);
        CHECK(tnn_avgpool2d_forward(Y, X, k->k) == TNN_OK, "%s: %s", what, tnn_error());
        CHECK_CLOSE(what, y, yd, ny, 1e-6);
        CHECK_REPEATS(what, y, ny);
        CHECK(tnn_avgpool2d_backward(DX, DY, k->k) == TNN_OK, "%s: %s", what, tnn_error());
    } else {
        naive_maxpool(&g, yd, from, whered, xd);
        naive_maxpool_backward(&g, dxd, dyd, from);
        describe(what, sizeof what, "maxpool y,", &g);
        CHECK(tnn_maxpool2d_forward(Y, NULL, X, k->k) == TNN_OK, "%s: %s", what, tnn_error());
        CHECK_CLOSE(what, y, yd, ny, 0);
        for (i = 0; i < ny; i++) y[i] = -9;
        CHECK(tnn_maxpool2d_forward(Y, where, X, k->k) == TNN_OK, "%s: %s", what, tnn_error());
        CHECK_CLOSE(what, y, yd, ny, 0);
        describe(what, sizeof what, "maxpool where,", &g);
        CHECK_CLOSE(what, where, whered, ny, 0);
        describe(what, sizeof what, "maxpool dx,", &g);
        CHECK(tnn_maxpool2d_backward(DX, DY, where, k->k) == TNN_OK, "%s: %s", what, tnn_error());
    }
    describe(what, sizeof what, "dx,", &g);
    CHECK_CLOSE(what, dx, dxd, nx, 1e-6);
    CHECK_REPEATS(what, dx, nx);
    fresh();
}

static const window_case pool_cases[] = {
    { 1, 1, 1, 1, 0, { .kernel = 1 } },
    { 2, 3, 4, 4, 0, { .kernel = 2 } },
    { 2, 3, 28, 28, 0, { .kernel = 2 } },
    { 1, 20, 7, 5, 0, { .kernel = 2 } },
    { 1, 2, 7, 5, 0, { .kernel = 2, .ceil = 1 } },
    { 2, 17, 9, 9, 0, { .kernel = 3, .stride = 2 } },
    { 2, 3, 9, 9, 0, { .kernel = 3, .stride = 2, .pad = 1 } },
    { 2, 3, 10, 8, 0, { .kernel = 3, .stride = 2, .pad = 1, .ceil = 1 } },
    { 2, 3, 10, 8, 0, { .kernel = 3, .stride = 1, .pad = 1 } },
    { 1, 3, 11, 12, 0, { .kernel = 2, .stride = 5 } },              /* stride > kernel */
    { 1, 3, 11, 12, 0, { .kernel = 2, .stride = 5, .ceil = 1 } },
    { 1, 3, 6, 9, 0, { .kernel_h = 2, .kernel_w = 3 } },
    { 1, 3, 6, 9, 0, { .kernel_h = 1, .kernel_w = 4, .stride_h = 2, .stride_w = 1, .pad_w = 2 } },
    { 3, 2, 5, 6, 0, { .kernel_h = 5, .kernel_w = 6 } },            /* the whole image */
    { 1, 1, 3, 3, 0, { .kernel = 2, .stride = 2, .pad = 1, .ceil = 1 } },
    { 1, 2, 2, 2, 0, { .kernel = 4, .stride = 1, .pad = 2 } },
    { 2, 3, 2, 2, 0, { .kernel = 3, .stride = 2, .ceil = 1 } },     /* larger than the image */
    { 1, 17, 1, 4, 0, { .kernel = 4, .stride = 3, .pad = 1, .ceil = 1 } }
};

static void pools(int average, uint32_t state)
{
    size_t i;
    int done = 0;
    for (i = 0; i < sizeof pool_cases / sizeof *pool_cases; i++) {
        window_case k = pool_cases[i];
        one_pool(&k, average);
        k.k.exclude_pad = 1;
        if (average && k.k.pad + k.k.pad_w + k.k.ceil) one_pool(&k, average);
    }
    while (done < 120) {
        window_case k;
        geometry g;
        k.n = test_pick(&state, 1, 3);
        k.c = test_pick(&state, 1, 20);
        k.h = test_pick(&state, 1, 12);
        k.w = test_pick(&state, 1, 20);
        k.f = 0;
        random_window(&state, &k.k, average ? TNN_AVGPOOL2D : TNN_MAXPOOL2D);
        g = geometry_of(k.n, k.c, k.h, k.w, k.c, &k.k, 1);
        if (g.ho < 1 || g.wo < 1 || !every_window_sees_the_image(&g)) continue;
        one_pool(&k, average);
        done++;
    }
}

/* Numbers that are none. */
static void maxpool_special(void)
{
    static const window_case k = { 1, 1, 4, 6, 0, { .kernel = 2 } };
    float *x = values(24, 1), *y = test_floats(6), *where = test_floats(6), *dx = test_floats(24);
    tnn_tensor X = tnn_tensor_view(x, 1, 1, 4, 6), DX = tnn_tensor_view(dx, 1, 1, 4, 6);
    tnn_tensor Y = tnn_tensor_view(y, 1, 1, 2, 3);
    tnn_window padded = { .kernel = 3, .stride = 3, .pad = 1 };
    tnn_window apart = { .kernel = 2, .stride = 1, .pad = 1, .dilation = 3 };
    int i, bad = 0;
    x[1] = x[13] = (float)NAN;                  /* second and third place of their windows */
    x[10] = (float)INFINITY;                    /* third place of the third window         */
    CHECK(tnn_maxpool2d_forward(Y, where, X, k.k) == TNN_OK, "%s", tnn_error());
    CHECK(y[0] != y[0] && where[0] == 1, "NaN in place 1: %g from %g", (double)y[0],
          (double)where[0]);
    CHECK(y[3] != y[3] && where[3] == 1, "NaN in place 1: %g from %g", (double)y[3],
          (double)where[3]);
    CHECK(y[2] > 1 && where[2] == 2, "infinity in place 2: %g from %g", (double)y[2],
          (double)where[2]);
    for (i = 0; i < 24; i++) x[i] = -(float)INFINITY;
    Y = tnn_tensor_view(y, 1, 1, 2, 2);
    CHECK(tnn_maxpool2d_forward(Y, where, X, padded) == TNN_OK, "%s", tnn_error());
    for (i = 0; i < 4; i++) bad += !(y[i] < -1);
    CHECK(!bad, "-infinity alone: %g", (double)y[0]);
    CHECK(where[0] == 4, "the first place in the image is 4, not %g", (double)where[0]);
    for (i = 0; i < 4; i++) y[i] = 1;
    CHECK(tnn_maxpool2d_backward(DX, Y, where, padded) == TNN_OK, "%s", tnn_error());
    CHECK(dx[0] == 1, "its gradient is lost: %g", (double)dx[0]);

    /* 2x2 image, taps at -1 and 2: the window sees padding only. Nothing is written outside. */
    X = tnn_tensor_view(x, 1, 1, 2, 2);
    DX = tnn_tensor_view(dx, 1, 1, 2, 2);
    Y = tnn_tensor_view(y, 1, 1, 1, 1);
    x[0] = x[1] = x[2] = x[3] = 1;
    if (tnn_maxpool2d_forward(Y, where, X, apart) == TNN_OK) {
        CHECK(y[0] < -1, "a window of padding: %g", (double)y[0]);
        y[0] = 1;
        tnn_maxpool2d_backward(DX, Y, where, apart);
    }
    tnn_clear_error();
    fresh();
}

static void maxpool(void) { pools(0, 5000); maxpool_special(); }
static void avgpool(void) { pools(1, 6000); }

static void softmax(void)
{
    static const int shapes[][2] = {
        { 1, 1 }, { 3, 2 }, { 5, 3 }, { 4, 10 }, { 2, 15 }, { 2, 16 }, { 3, 17 }, { 1, 33 },
        { 7, 24 }, { 2, 100 }, { 1, 1000 }, { 70, 10 }
    };
    static const float scales[] = { 1, 8, 80, 1e4f, 1e30f };
    size_t s, k;
    int i, n, in_place;
    char what[80];
    for (s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (k = 0; k < sizeof scales / sizeof *scales; k++)
    for (in_place = 0; in_place < 2; in_place++) {
        int rows = shapes[s][0], classes = shapes[s][1];
        float *x, *y;
        double *want, *p;
        n = rows * classes;
        x = values((size_t)n, (uint32_t)(s + k));
        y = in_place ? x : test_floats((size_t)n);
        want = doubles((size_t)n), p = doubles((size_t)n);
        for (i = 0; i < n; i++) x[i] *= scales[k];
        naive_log_softmax(want, widen(x, (size_t)n), rows, classes);
        for (i = 0; i < n; i++) p[i] = exp(want[i]);
        snprintf(what, sizeof what, "%dx%d of %g", rows, classes, (double)scales[k]);
        CHECK(tnn_softmax(matrix(y, rows, classes), matrix(x, rows, classes)) == TNN_OK, "%s",
              tnn_error());
        CHECK_CLOSE(what, y, p, n, 2e-6);
        CHECK_REPEATS(what, y, n);
        if (in_place) {
            test_fill(x, (size_t)n, (uint32_t)(s + k));
            for (i = 0; i < n; i++) x[i] *= scales[k];
        }
        snprintf(what, sizeof what, "log, %dx%d of %g", rows, classes, (double)scales[k]);
        CHECK(tnn_log_softmax(matrix(y, rows, classes), matrix(x, rows, classes)) == TNN_OK, "%s",
              tnn_error());
        CHECK_CLOSE(what, y, want, n, 2e-6);
        CHECK_REPEATS(what, y, n);
        fresh();
    }
    {   /* small log-probabilities to the last digits: log(1 + e^-10) */
        float x[2] = { 5, -5 }, y[2];
        CHECK(tnn_log_softmax(matrix(y, 1, 2), matrix(x, 1, 2)) == TNN_OK, "%s", tnn_error());
        CHECK(fabs((double)y[0] + 4.5398899216870535e-05) < 2e-7, "log(1 + e^-10): %g",
              (double)y[0]);
    }
}

static void reductions(void)
{
    static const int sizes[] = { 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100, 255,
                                 256, 257, 1000, 4099, 65536, 100003 };
    size_t s;
    int i, n;
    for (s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        float *x, *y, got[4];
        double sum = 0, absolute = 0, dot = 0, absolute_dot = 0, largest;
        int at = 0;
        n = sizes[s];
        x = values((size_t)n, 1), y = values((size_t)n, 2);
        largest = x[0];
        for (i = 0; i < n; i++) {
            sum += x[i], absolute += fabs((double)x[i]);
            dot += (double)x[i] * (double)y[i];
            absolute_dot += fabs((double)x[i] * (double)y[i]);
            if (x[i] > (float)largest) largest = x[i], at = i;
        }
        got[0] = tnn_sum(matrix(x, 1, n)), got[1] = tnn_mean(matrix(x, 1, n));
        got[2] = tnn_max(matrix(x, 1, n)), got[3] = tnn_dot(matrix(x, 1, n), matrix(y, 1, n));
        /* against the sum of absolute values, as terms may cancel */
        CHECK_NEAR("sum", (double)got[0] - sum + absolute, absolute, 1e-6);
        CHECK_NEAR("mean", ((double)got[1] - sum / n) * n + absolute, absolute, 1e-6);
        CHECK(got[2] == (float)largest, "max of %d: %g, not %g", n, (double)got[2], largest);
        CHECK_NEAR("dot", (double)got[3] - dot + absolute_dot, absolute_dot, 1e-6);
        CHECK(tnn_argmax(x, n) == at, "argmax of %d: %d, not %d", n, tnn_argmax(x, n), at);
        CHECK_REPEATS("reductions", got, 4);
        for (i = 0; i < n; i++) x[i] = -3;                  /* the first of equal ones */
        CHECK(tnn_argmax(x, n) == 0, "argmax of %d equal: %d", n, tnn_argmax(x, n));
        x[n - 1] = x[n / 2] = -2;
        CHECK(tnn_argmax(x, n) == n / 2, "argmax of %d: %d, not %d", n, tnn_argmax(x, n), n / 2);
        CHECK(tnn_max(matrix(x, 1, n)) == -2, "max of negative numbers");
        fresh();
    }
}

/* ==== NETWORKS ================================================================================ */

/* The library's network of the same layers, parameters and loss, for batches up to `batch`. The
   optimizer may be NULL. */
static tnn_net *build_like(const naive_net *r, int batch, const tnn_optimizer *optimizer)
{
    tnn_net_options options;
    tnn_loss_options loss;
    tnn_net *net;
    size_t i;
    int k;
    char name[32];
    memset(&options, 0, sizeof options);
    memset(&loss, 0, sizeof loss);
    options.input[0] = r->c, options.input[1] = r->h, options.input[2] = r->w;
    options.batch = batch, options.seed = 5;
    loss.type = TNN_CROSS_ENTROPY;
    loss.label_smoothing = (float)r->smoothing;
    loss.class_weights = r->class_weights;
    net = tnn_create_with(&options);
    for (k = 0; k < r->layers; k++) {
        tnn_layer l = r->layer[k].is;
        if (l.type == TNN_AVGPOOL2D) l.dilation = l.dilation_h = l.dilation_w = 0;     /* 1 */
        else l.exclude_pad = 0;
        tnn_add_with(net, &l);
    }
    tnn_set_loss_with(net, &loss);
    if (optimizer) tnn_set_optimizer_with(net, optimizer);
    for (k = 0; k < r->layers; k++) {
        const naive_layer *l = &r->layer[k];
        float *values_of;
        if (!l->weights) continue;
        values_of = test_floats(l->weights + l->biases);
        for (i = 0; i < l->weights; i++) values_of[i] = (float)l->w[i];
        for (i = 0; i < l->biases; i++) values_of[l->weights + i] = (float)l->b[i];
        snprintf(name, sizeof name, "%d.weight", k);
        tnn_set_param(net, name, values_of, (int)l->weights);
        snprintf(name, sizeof name, "%d.bias", k);
        if (l->biases) tnn_set_param(net, name, values_of + l->weights, (int)l->biases);
    }
    CHECK(!tnn_failed(), "%s: %s", r->text, tnn_error());
    return net;
}

/* Every parameter (gradients = 0) or gradient (1) of the two networks. A gradient is a sum whose
   terms may cancel: it is held against a tenth of the network's largest one. */
static void compare_params(const naive_net *r, tnn_net *net, int gradients, double limit)
{
    int k, bias;
    char name[32], what[400];
    double scale = 0;
    size_t i;
    if (!has_fma()) limit *= 3;
    for (k = 0; gradients && k < r->layers; k++)
        for (i = 0; i < r->layer[k].weights; i++)
            if (fabs(r->layer[k].dw[i]) > 10 * scale) scale = fabs(r->layer[k].dw[i]) / 10;
    for (k = 0; k < r->layers; k++)
    for (bias = 0; bias < 2; bias++) {
        const naive_layer *l = &r->layer[k];
        size_t n = bias ? l->biases : l->weights;
        float *got;
        tnn_status status;
        if (!n) continue;
        got = test_floats(n);
        snprintf(name, sizeof name, "%d.%s", k, bias ? "bias" : "weight");
        snprintf(what, sizeof what, "[%s] %s of %s", r->text, gradients ? "gradient" : "value",
                 name);
        status = gradients ? tnn_get_grad(net, name, got, (int)n)
                           : tnn_get_param(net, name, got, (int)n);
        CHECK(status == TNN_OK, "%s: %s", what, tnn_error());
        CHECK_CLOSE_TO(what, got, bias ? gradients ? l->db : l->b : gradients ? l->dw : l->w, n,
                       scale, limit);
        CHECK_REPEATS_TO(what, got, n, scale);
        test_release(got);
    }
}

/* Forward, loss and gradients of one batch; the reference has been run. */
static void compare_step(naive_net *r, tnn_net *net, const float *x, double limit)
{
    const float *y;
    int shape[3], outputs;
    float loss;
    char what[400];
    CHECK(tnn_forward(net, x, r->n, TNN_TRAIN) == TNN_OK, "%s: %s", r->text, tnn_error());
    outputs = tnn_output_shape(net, shape);
    CHECK(outputs == r->classes, "%s: %d outputs", r->text, outputs);
    y = tnn_output(net);
    if (!y) { test_fail(__LINE__, "%s: no output: %s", r->text, tnn_error()); return; }
    snprintf(what, sizeof what, "[%s] output", r->text);
    CHECK_CLOSE(what, y, r->logits, r->n * r->classes, limit);
    CHECK_REPEATS(what, y, r->n * r->classes);
    loss = (float)tnn_loss(net, r->labels);
    snprintf(what, sizeof what, "[%s] loss", r->text);
    CHECK_NEAR(what, (double)loss, r->loss, limit);
    CHECK_REPEATS(what, &loss, 1);
    CHECK(tnn_backward(net) == TNN_OK, "%s: %s", r->text, tnn_error());
    compare_params(r, net, 1, 2 * limit);
}

static void one_network(int n, int c, int h, int w, const char *text, uint32_t stream,
                        double smoothing, const float *class_weights)
{
    naive_net r;
    tnn_net *net;
    size_t i, nx = (size_t)(n * c * h * w);
    float *x = values(nx, stream + 90);
    CHECK(naive_init(&r, n, c, h, w, text, stream), "%s", text);
    r.smoothing = (double)(float)smoothing;
    if (r.classes <= 10) r.class_weights = class_weights;
    if (some_weights[r.labels[0] % 10] == 0) r.labels[0] = 0;   /* not all of weight 0 */
    for (i = 0; i < nx; i++) r.x[i] = x[i];
    naive_forward(&r);
    naive_loss(&r);
    naive_backward(&r);
    net = build_like(&r, n + (int)(stream % 3), NULL);
    compare_step(&r, net, x, 3e-6);
    tnn_free(net);
    fresh();
}

/* One layer at a time between layers with parameters, whose gradients show its own; shapes that are
   no multiple of anything; then usual networks. */
static void networks_chosen(void)
{
    static const char *const nets[] = {
        "dense 1; dense 2", "dense 10", "dense 10 nobias", "dense 17; dense 10",
        "dense 33; relu; dense 10", "dense 128; relu; dense 64; relu; dense 10",
        "dense 31; leaky; dense 10", "dense 31; leaky 0.5; dense 5 nobias", "relu; dense 10",
        "leaky 0.1; dense 10", "dense 20; relu; relu; leaky; dense 10", "dense 10; relu",
        "flatten; dense 12; relu; flatten; dense 10"
    };
    static const char *const images[] = {
        "flatten", "flatten; dense 10", "conv 10 k7x9", "conv 5 k3; flatten",
        "conv 5 k3 nobias; flatten; dense 10", "conv 5 k1; conv 6 k3 p1; flatten; dense 10",
        "conv 6 k1; conv 6 k3 g3; flatten; dense 10",
        "conv 6 k1; conv 12 k3 g6 p1; flatten; dense 3",
        "conv 5 k1; conv 6 k3x2 s2x3 p2x0; flatten", "conv 5 k1; conv 6 k2 s3 d2; flatten",
        "conv 5 k1; conv 6 k2 p3; flatten", "conv 4 k1 s3; relu; flatten; dense 10",
        "conv 3 k1; maxpool k2; flatten", "conv 3 k1; maxpool k3 s2 p1; flatten",
        "conv 3 k1; maxpool k3 s2 p1 ceil; flatten", "conv 17 k1; maxpool k2x3 s1x2 d2; flatten",
        "conv 3 k1; maxpool k2 s4; flatten", "conv 3 k1; maxpool k3 s1 p1; flatten",
        "conv 3 k1; avgpool k2; flatten", "conv 3 k1; avgpool k3 s2 p1; flatten",
        "conv 3 k1; avgpool k3 s2 p1 exclude; flatten",
        "conv 18 k1; avgpool k2x3 s1x2 ceil; flatten",
        "conv 3 k1; avgpool k2 s3 ceil exclude; flatten", "conv 10 k1; avgpool k7x9; flatten",
        "maxpool k2; conv 4 k3 p1; flatten", "avgpool k2; conv 4 k3 p1; flatten",
        "conv 3 k3; relu; flatten", "conv 3 k3; leaky 0.2; flatten", "relu; conv 3 k3; flatten",
        "conv 3 k3; relu; maxpool k2; flatten", "conv 3 k3; maxpool k2; relu; flatten",
        "conv 3 k3; leaky; maxpool k2; flatten", "conv 3 k3; maxpool k2; leaky; flatten",
        "conv 4 k3; relu; avgpool k2; flatten", "conv 4 k3; avgpool k2; leaky; flatten",
        "conv 4 k3 p1; relu; maxpool k3 s2 p1; conv 5 k3 p1; relu; maxpool k2; flatten; dense 10",
        ("conv 16 k3 p1; relu; maxpool k2; conv 18 k3 p1; relu; maxpool k2; flatten; dense 12; "
         "relu; dense 10"),
        ("conv 4 k3 p1; relu; maxpool k2 ceil; conv 6 k3 s2 p1; leaky; avgpool k2 s1; flatten; "
         "dense 9; relu; dense 10")
    };
    /* small images, whose frames share memory with little else */
    static const char *const tiny[] = {
        "conv 8 k1; conv 4 k3 p1; flatten; dense 2",
        "conv 4 k3 p1; conv 4 k3 p1; flatten; dense 3",
        "conv 2 k3 p1; relu; maxpool k2; conv 3 k3 p1; relu; flatten; dense 5; relu; dense 2",
        "conv 8 k2 p1; leaky; conv 4 k3 s3 p3 d1x3; flatten; dense 25; relu; dense 12",
        "conv 4 k1; conv 7 k2x4 p1; conv 5 k3 p2 s2; flatten; dense 16; relu; dense 11"
    };
    static const int batches[] = { 1, 2, 7, 16, 33 };
    size_t k, b;
    for (k = 0; k < sizeof tiny / sizeof *tiny; k++)
        for (b = 0; b < sizeof batches / sizeof *batches; b++) {
            one_network(batches[b], 1, 2, 2, tiny[k], (uint32_t)(700 + k + b), 0, NULL);
            one_network(batches[b], 2, 3, 4, tiny[k], (uint32_t)(800 + k + b), 0, NULL);
        }
    for (k = 0; k < sizeof nets / sizeof *nets; k++)
        for (b = 0; b < sizeof batches / sizeof *batches; b++)
            one_network(batches[b], b % 2 ? 50 : 23, 1, 1, nets[k], (uint32_t)(k + b), 0, NULL);
    for (k = 0; k < sizeof images / sizeof *images; k++)
        for (b = 0; b < 3; b++)
            one_network(batches[b], 3, 7, 9, images[k], (uint32_t)(k + b), 0, NULL);
}

static void losses(void)
{
    static const double smoothing[] = { 0, 0.1, 0.5, 1 };
    uint32_t stream = 300;
    int classes, s, weighted, n;
    char text[40];
    for (classes = 2; classes <= 10; classes += classes == 3 ? 7 : 1)
    for (s = 0; s < 4; s++)
    for (weighted = 0; weighted < 2; weighted++)
    for (n = 1; n <= 25; n += 8) {
        snprintf(text, sizeof text, "dense %d", classes);
        one_network(n, 13, 1, 1, text, stream++, smoothing[s], weighted ? some_weights : NULL);
    }
    for (classes = 15; classes <= 100; classes += 17) {    /* more classes than lanes */
        snprintf(text, sizeof text, "dense %d", classes);
        one_network(5, 13, 1, 1, text, stream++, 0.1, NULL);
    }
    {   /* hopelessly wrong and perfectly right, without overflow */
        naive_net r;
        tnn_net *net;
        float x[2] = { 1, 1 };
        int i;
        naive_init(&r, 2, 1, 1, 1, "dense 4", 0);
        for (i = 0; i < 4; i++) r.layer[0].w[i] = i == 2 ? 300 : -300, r.layer[0].b[i] = 0;
        r.labels[0] = 2, r.labels[1] = 1;
        r.x[0] = r.x[1] = 1;
        naive_forward(&r);
        naive_loss(&r);
        naive_backward(&r);
        net = build_like(&r, 2, NULL);
        CHECK_NEAR("a loss of 300", r.loss, 300, 1e-12);
        compare_step(&r, net, x, 1e-6);
        tnn_free(net);
        fresh();
    }
}

/* 3x3 windows on whole panels of channels go Winograd's way: alone, with bias, activations and
   pooling, in one block of tiles and in several, down to the smallest image; those that just fail
   to (odd sizes, another pooling) beside them. */
static void networks_tiled(void)
{
    static const struct { int n, c, h, w; const char *text; } nets[] = {
        {3, 16,  8,  8, "conv 16 k3 p1; flatten; dense 10"},
        {2, 16,  8, 10, "conv 32 k3 p1 nobias; relu; flatten; dense 4"},
        {2, 32, 10,  8, "conv 16 k3 p1; leaky 0.2; flatten; dense 4"},
        {3,  2,  8, 12, "conv 16 k1; conv 32 k3 p1; relu; maxpool k2; flatten; dense 6; relu; dense 3"},
        {2,  1, 12,  8, "conv 16 k3 p1; conv 16 k3 p1; leaky; maxpool k2; flatten; dense 5"},
        {2,  3,  8,  8, "conv 16 k1; conv 48 k3 p1; maxpool k2; flatten; dense 5"},
        {2,  3,  8,  8, "conv 16 k1; conv 16 k3 p1; relu; maxpool k3 s2 p1; flatten; dense 5"},
        {2,  3,  8,  8, "conv 16 k1; conv 16 k3 p1; relu; avgpool k2; flatten; dense 5"},
        {2,  1,  4, 70, "conv 16 k1; conv 16 k3 p1; relu; maxpool k2; flatten; dense 5"},
        {2,  1, 34,  8, "conv 16 k1; conv 32 k3 p1; relu; conv 16 k3 p1; flatten; dense 2"},
        {2,  1,  9,  8, "conv 16 k1; conv 16 k3 p1; maxpool k2; flatten; dense 5"},
        {17, 1,  8,  8, "conv 16 k1; conv 16 k3 p1; relu; maxpool k2; flatten; dense 5"}
    };
    size_t k;
    for (k = 0; k < sizeof nets / sizeof *nets; k++)
        one_network(nets[k].n, nets[k].c, nets[k].h, nets[k].w, nets[k].text, (uint32_t)k, 0, NULL);
}

/* Layers drawn one by one while they fit, then flatten and dense. */
static void networks_random(void)
{
    uint32_t state = 2024;
    int done;
    for (done = 0; done < 300; done++) {
        int n = test_pick(&state, 1, 6), c = test_pick(&state, 1, 5);
        int h = test_pick(&state, 4, 14), w = test_pick(&state, 4, 14);
        int layers = test_pick(&state, 1, 6), i, channels = c, units;
        char text[400] = "", longer[480], one[80];
        size_t before = pooled;
        naive_net r;
        for (i = 0; i < layers; i++) {
            int kind = test_pick(&state, 0, 9), at;
            tnn_window k;
            random_window(&state, &k, kind == 6 || kind == 7 ? TNN_MAXPOOL2D
                                      : kind == 8 ? TNN_AVGPOOL2D : 0);
            k.kernel_h = first_set(k.kernel_h, k.kernel, 1);
            k.kernel_w = first_set(k.kernel_w, k.kernel, 1);
            snprintf(one, sizeof one, " k%dx%d s%dx%d p%dx%d d%dx%d%s%s", k.kernel_h, k.kernel_w,
                     first_set(k.stride_h, k.stride, 1), first_set(k.stride_w, k.stride, 1),
                     first_set(k.pad_h, k.pad, 0), first_set(k.pad_w, k.pad, 0),
                     first_set(k.dilation_h, 1, 1), first_set(k.dilation_w, 1, 1),
                     k.ceil ? " ceil" : "", k.exclude_pad ? " exclude" : "");
            if (kind <= 3) {
                int groups = channels > 1 && test_pick(&state, 0, 2) == 0 ? channels : 1;
                int filters = groups * test_pick(&state, 1, groups > 1 ? 2 : 9);
                snprintf(longer, sizeof longer, "%sconv %d%s g%d%s; ", text, filters, one, groups,
                         filters % 4 ? "" : " nobias");
            } else {
                snprintf(longer, sizeof longer, "%s%s%s; ", text,
                         kind == 4 ? "relu" : kind == 5 ? "leaky 0.25" : kind == 8 ? "avgpool"
                         : kind == 9 ? "relu" : "maxpool", kind == 4 || kind == 5 || kind == 9 ? ""
                         : one);
            }
            if (strlen(longer) > 300 || !naive_init(&r, n, c, h, w, longer, 0)) continue;
            for (at = 0; at < r.layers; at++)
                if (r.layer[at].is.type == TNN_MAXPOOL2D
                    && !every_window_sees_the_image(&r.layer[at].g)) break;
            pooled = before;
            if (at < r.layers || r.classes > 3000) continue;
            channels = r.layer[r.layers - 1].g.f;
            snprintf(text, sizeof text, "%s", longer);
        }
        units = test_pick(&state, 1, 40);
        snprintf(longer, sizeof longer, "%sflatten; dense %d; relu; dense %d", text, units,
                 test_pick(&state, 2, 12));
        one_network(n, c, h, w, longer, (uint32_t)(7 * done), done % 2 ? 0 : 0.1,
                    done % 3 ? NULL : some_weights);
    }
}

/* Batches of every size in one network, forward alone between them, backward twice: nothing may be
   left over from the batch before. */
static void batches(void)
{
    static const char *const text = "conv 5 k3 p1; relu; maxpool k2; conv 6 k3; leaky; flatten; "
                                    "dense 11; relu; dense 10";
    static const int sizes[] = { 9, 1, 4, 9, 2, 8, 3 };
    naive_net r;
    tnn_net *net = NULL;
    size_t k, i, sample = 2 * 8 * 9;
    for (k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        float *x = values(9 * sample, (uint32_t)k);
        naive_init(&r, sizes[k], 2, 8, 9, text, 40);
        for (i = 0; i < (size_t)sizes[k] * sample; i++) r.x[i] = x[i];
        naive_forward(&r);
        naive_loss(&r);
        naive_backward(&r);
        if (!net) net = build_like(&r, 9, NULL);
        compare_step(&r, net, x, 3e-6);
        CHECK(tnn_forward(net, x, sizes[k], TNN_EVAL) == TNN_OK, "%s", tnn_error());
        CHECK_CLOSE("output in eval mode", tnn_output(net), r.logits, sizes[k] * 10, 3e-6);
        compare_step(&r, net, x, 3e-6);
        fresh();
    }
    tnn_free(net);
}

/* Parameters: names, shapes, set and get; the flat vectors hold them. */
static void parameters(void)
{
    static const struct { const char *name; int ndim, dims[4]; } want[] = {
        { "0.weight", 4, { 6, 3, 3, 2 } }, { "0.bias", 1, { 6, 0, 0, 0 } },
        { "2.weight", 4, { 9, 2, 1, 1 } }, { "4.weight", 2, { 7, 180, 0, 0 } },
        { "4.bias", 1, { 7, 0, 0, 0 } }
    };
    naive_net r;
    tnn_net *net;
    long long total = 0;
    double sum = 0, flat_sum = 0;
    size_t count = 0, j;
    float *flat;
    int i, d;
    naive_init(&r, 2, 3, 6, 6, "conv 6 k3x2; relu; conv 9 k1 g3 nobias; flatten; dense 7", 3);
    net = build_like(&r, 2, NULL);
    CHECK(tnn_param_count(net) == 5, "%d parameters", tnn_param_count(net));
    for (i = 0; i < 5; i++) {
        tnn_param p = tnn_param_info(net, i);
        int n = 1;
        for (d = 0; d < want[i].ndim; d++) n *= want[i].dims[d];
        CHECK(p.name && !strcmp(p.name, want[i].name), "%s is %s", want[i].name,
              p.name ? p.name : "none");
        CHECK(p.ndim == want[i].ndim && p.count == n, "%s: %d dimensions, %d elements",
              want[i].name, p.ndim, p.count);
        for (d = 0; d < want[i].ndim; d++)
            CHECK(p.dims[d] == want[i].dims[d], "%s: dimension %d is %d", p.name, d, p.dims[d]);
        total += n;
    }
    CHECK(tnn_param_total(net) == total, "%ld floats", (long)tnn_param_total(net));
    compare_params(&r, net, 0, 0);
    for (i = 0; i < r.layers; i++) {
        for (j = 0; j < r.layer[i].weights; j++) sum += r.layer[i].w[j];
        for (j = 0; j < r.layer[i].biases; j++) sum += r.layer[i].b[j];
    }
    flat = tnn_flat(net, 0, &count);
    for (j = 0; flat && j < count; j++) flat_sum += flat[j];
    CHECK_NEAR("sum of the flat vector", flat_sum, sum, 1e-9);
    tnn_free(net);
    fresh();
}

/* ==== DROPOUT ================================================================================= */

static tnn_net *dropout_net(float p, int n, int features, uint64_t seed)
{
    tnn_net *net = tnn_create(.input = { features }, .batch = n, .seed = seed);
    tnn_add(net, TNN_DROPOUT, .p = p);
    return net;
}

/* Counts, scale, independence of samples and steps, and the identity in eval mode. */
static void dropout_statistics(void)
{
    static const float ps[] = { 0, 0.05f, 0.1f, 0.5f, 0.9f };
    enum { N = 61, F = 1023 };
    float *x = test_floats(N * F), *was = test_floats(N * F);
    size_t k, i;
    for (i = 0; i < N * F; i++) x[i] = 1;
    for (k = 0; k < sizeof ps / sizeof *ps; k++) {
        double p = ps[k] > 0 ? (double)ps[k] : 0.5, sigma = sqrt(p * (1 - p) / (N * F));
        float scale = 1.0f / (1.0f - (float)p);
        tnn_net *net = dropout_net(ps[k], N, F, 3);
        const float *y;
        int step, other = 0;
        for (step = 0; step < 3; step++) {
            size_t dropped = 0, same = 0, neighbours = 0;
            CHECK(tnn_forward(net, x, N, TNN_TRAIN) == TNN_OK, "%s", tnn_error());
            y = tnn_output(net);
            if (!y) { test_fail(__LINE__, "no output: %s", tnn_error()); break; }
            for (i = 0; i < N * F; i++) {
                if (y[i] != 0 && y[i] != scale) other++;
                dropped += y[i] == 0;
                if (i >= F) neighbours += y[i] == 0 && y[i - F] == 0;
                if (step) same += y[i] == 0 && was[i] == 0;
            }
            CHECK(!other, "p %g: kept ones are not %.9g", p, (double)scale);
            CHECK(fabs((double)dropped / (N * F) - p) < 4 * sigma, "p %g: dropped %.4f", p,
                  (double)dropped / (N * F));
            sigma = sqrt(p * p * (1 - p * p) / ((N - 1) * F));
            CHECK(fabs((double)neighbours / ((N - 1) * F) - p * p) < 5 * sigma,
                  "p %g: samples are dropped alike: %.4f", p, (double)neighbours / ((N - 1) * F));
            if (step)
                CHECK(fabs((double)same / (N * F) - p * p) < 5 * sigma,
                      "p %g: steps are dropped alike: %.4f", p, (double)same / (N * F));
            sigma = sqrt(p * (1 - p) / (N * F));
            memcpy(was, y, N * F * sizeof *y);
            CHECK_REPEATS("dropped", y, N * F);
        }
        CHECK(tnn_forward(net, x, N, TNN_EVAL) == TNN_OK, "%s", tnn_error());
        if (tnn_output(net)) CHECK_SAME("eval mode", tnn_output(net), x, N * F * sizeof *x);
        tnn_free(net);
    }
    {   /* the same seed drops the same, another one another; p = 0 (said so) and 1 */
        tnn_net *a = dropout_net(0.5f, N, F, 8), *b = dropout_net(0.5f, N, F, 8);
        tnn_net *c = dropout_net(0.5f, N, F, 9), *none = dropout_net(TNN_ZERO, N, F, 8);
        tnn_forward(a, x, N, TNN_TRAIN);
        tnn_forward(b, x, N, TNN_TRAIN);
        tnn_forward(c, x, N, TNN_TRAIN);
        tnn_forward(none, x, N, TNN_TRAIN);
        CHECK(!tnn_failed(), "%s", tnn_error());
        if (!tnn_failed()) {
            CHECK_SAME("the same seed", tnn_output(a), tnn_output(b), N * F * sizeof *x);
            CHECK(memcmp(tnn_output(a), tnn_output(c), N * F * sizeof *x), "two seeds alike");
            CHECK_SAME("p = 0", tnn_output(none), x, N * F * sizeof *x);
        }
        tnn_free(a), tnn_free(b), tnn_free(c), tnn_free(none);
    }
    fresh();
}

/* ==== EVERYTHING TOGETHER ===================================================================== */

/* Which elements of the input `h` (n, features) of the last dense layer were dropped shows only in
   its weights' gradient, dw[c,j] = sum_n dz[n,c] h[n,j] keep[n,j]: of the 2^n ways to drop column
   j, the one that fits is taken. dz comes from the library's own output. */
static void find_dropped(naive_net *r, tnn_net *net, int last, double scale)
{
    naive_layer *l = &r->layer[last], *drop = l - 1;
    int n = r->n, classes = r->classes, features = l->g.c, i, c, j, way;
    size_t before = pooled;
    float *dw = test_floats(l->weights);
    double *dz = doubles((size_t)(n * classes)), *h = drop->x;
    char name[32];
    snprintf(name, sizeof name, "%d.weight", last);
    CHECK(tnn_get_grad(net, name, dw, (int)l->weights) == TNN_OK, "%s", tnn_error());
    naive_cross_entropy(dz, widen(tnn_output(net), (size_t)(n * classes)), r->labels, n, classes,
                        r->smoothing, r->class_weights);
    for (j = 0; j < features; j++) {
        double best = 1e300;
        int best_way = 0;
        for (way = 0; way < 1 << n; way++) {
            double error = 0;
            for (c = 0; c < classes; c++) {
                double d = dw[c * features + j];
                for (i = 0; i < n; i++)
                    if (way >> i & 1) d -= dz[i * classes + c] * h[i * features + j] * scale;
                error += d * d;
            }
            if (error < best) best = error, best_way = way;
        }
        for (i = 0; i < n; i++) drop->keep[i * features + j] = best_way >> i & 1 ? scale : 0;
    }
    test_release(dw);
    pooled = before;
}

static const char *const combined_text =
    "conv 6 k3 p1; relu; maxpool k2; conv 8 k3 s2 p1; leaky 0.1; avgpool k2 s1; flatten; dense 20; "
    "relu; dropout 0.25; dense 10";

static void combined(void)
{
    enum { N = 4, SAMPLE = 2 * 11 * 13 };
    naive_net r;
    tnn_net *net;
    float *x = values(N * SAMPLE, 77);
    double error, largest = 0;
    int dropped = 0, units = 0, step, i;
    naive_init(&r, N, 2, 11, 13, combined_text, 60);
    r.smoothing = 0.125;
    r.class_weights = some_weights;
    for (i = 0; i < N * SAMPLE; i++) r.x[i] = x[i];
    net = build_like(&r, N, NULL);
    for (step = 0; step < 5; step++) {
        naive_forward(&r);
        CHECK(tnn_forward(net, x, N, TNN_EVAL) == TNN_OK, "%s", tnn_error());
        for (i = 0; i < N * 20; i++) r.layer[9].keep[i] = 1;
        naive_forward(&r);
        CHECK_CLOSE("output in eval mode", tnn_output(net), r.logits, N * 10, 3e-6);
        CHECK(tnn_forward(net, x, N, TNN_TRAIN) == TNN_OK, "%s", tnn_error());
        tnn_loss(net, r.labels);
        CHECK(tnn_backward(net) == TNN_OK, "%s", tnn_error());
        if (!tnn_output(net)) break;
        find_dropped(&r, net, 10, 1 / 0.75);
        for (i = 0; i < N * 20; i++) {
            if (r.layer[8].y[i] <= 0) continue;
            dropped += r.layer[9].keep[i] == 0;
            units++;
        }
        naive_forward(&r);
        naive_loss(&r);
        naive_backward(&r);
        CHECK_CLOSE("output", tnn_output(net), r.logits, N * 10, 3e-6);
        CHECK_NEAR("loss", tnn_loss(net, r.labels), r.loss, 3e-6);
        compare_params(&r, net, 1, 6e-6);
    }
    CHECK(4 * dropped > units / 2 && 4 * dropped < 2 * units, "%d of %d dropped", dropped, units);
    largest = tnn_gradient_check(net, x, r.labels, N, 400);
    CHECK(largest < 1e-3, "tnn_gradient_check: %g", largest);
    tnn_free(net);
    naive_init(&r, N, 2, 11, 13, "conv 6 k3 p1 s2; avgpool k2; flatten; dense 20; dense 10", 60);
    net = build_like(&r, N, NULL);
    error = tnn_gradient_check(net, x, r.labels, N, 200);
    CHECK(error < 1e-3, "tnn_gradient_check without corners: %g", error);
    test_note("tnn_gradient_check %.1e, without corners %.1e", largest, error);
    tnn_free(net);
    fresh();
}

/* ==== OPTIMIZERS ============================================================================== */

static const tnn_optimizer optimizers[] = {
    { .type = TNN_SGD },
    { .type = TNN_SGD, .lr = 0.1f },
    { .type = TNN_SGD, .lr = 0.1f, .weight_decay = 0.05f },
    { .type = TNN_SGD, .lr = 0.1f, .momentum = 0.9f },
    { .type = TNN_SGD, .lr = 0.1f, .momentum = 0.9f, .nesterov = 1 },
    { .type = TNN_SGD, .lr = 0.1f, .momentum = 0.5f, .dampening = 0.25f },
    { .type = TNN_SGD, .lr = 0.05f, .momentum = 0.9f, .dampening = 0.1f, .weight_decay = 0.1f },
    { .type = TNN_SGD, .lr = 0.05f, .momentum = 0.8f, .nesterov = 1, .weight_decay = 0.1f },
    { .type = TNN_ADAM },
    { .type = TNN_ADAM, .lr = 0.01f },
    { .type = TNN_ADAM, .lr = 0.01f, .beta1 = 0.5f, .beta2 = 0.9f, .eps = 1e-3f },
    { .type = TNN_ADAM, .lr = 0.01f, .beta1 = TNN_ZERO },
    { .type = TNN_ADAM, .lr = 0.01f, .weight_decay = 0.1f },
    { .type = TNN_ADAMW },
    { .type = TNN_ADAMW, .lr = 0.01f, .weight_decay = 0.3f },
    { .type = TNN_ADAMW, .lr = 0.01f, .weight_decay = TNN_ZERO, .beta2 = 0.99f },
    { .type = TNN_SGD, .lr = TNN_ZERO, .momentum = 0.9f }
};

static void describe_optimizer(char *text, size_t size, const tnn_optimizer *o)
{
    snprintf(text, size, "%s lr %g momentum %g%s dampening %g decay %g betas %g %g eps %g",
             o->type == TNN_SGD ? "SGD" : o->type == TNN_ADAM ? "Adam" : "AdamW", (double)o->lr,
             (double)o->momentum, o->nesterov ? " nesterov" : "", (double)o->dampening,
             (double)o->weight_decay, (double)o->beta1, (double)o->beta2, (double)o->eps);
}

/* The update alone, on gradients put into the flat vector: of sizes from 1e-6 to 1e3, and 0. */
static void update_rules(void)
{
    enum { FEATURES = 47, UNITS = 3 };
    size_t k, i, count, gradients;
    char what[160];
    for (k = 0; k < sizeof optimizers / sizeof *optimizers; k++) {
        float *x = values(FEATURES, 1), *p, *g;
        double *pd, *gd, *m, *v;
        tnn_optimizer o = optimizers[k];
        tnn_net *net = tnn_create(.input = { FEATURES }, .batch = 1, .seed = 4);
        int label = 1, t;
        describe_optimizer(what, sizeof what, &o);
        tnn_add(net, TNN_DENSE, .units = UNITS);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        CHECK(tnn_set_optimizer_with(net, &o) == TNN_OK, "%s: %s", what, tnn_error());
        tnn_build(net);
        p = tnn_flat(net, 0, &count), g = tnn_flat(net, 1, &gradients);
        CHECK(p && g && count == gradients && count >= FEATURES * UNITS + UNITS,
              "%lu parameters, %lu gradients", (unsigned long)count, (unsigned long)gradients);
        if (!p || !g || count != gradients) { tnn_free(net); fresh(); return; }
        test_fill(p, count, 9);
        pd = widen(p, count), gd = doubles(count), m = doubles(count), v = doubles(count);
        for (t = 1; t <= 12; t++) {
            tnn_forward(net, x, 1, TNN_TRAIN);
            tnn_loss(net, &label);
            tnn_backward(net);
            for (i = 0; i < count; i++) {
                static const float scales[] = { 1, 1e-6f, 1e3f, 0, 1e-3f, 0.1f, 10 };
                g[i] = test_value((uint32_t)(100 + t), (uint32_t)i) * scales[i % 7];
                gd[i] = g[i];
            }
            if (t == 7) o.lr = 0.03f, tnn_set_lr(net, o.lr);
            naive_update(&o, t, pd, gd, m, v, count);
            CHECK(tnn_step(net) == TNN_OK, "%s: %s", what, tnn_error());
            CHECK_CLOSE(what, p, pd, count, 5e-6);
            CHECK_REPEATS(what, p, count);
        }
        tnn_free(net);
        fresh();
    }
}

/* Some whole steps of training, by tnn_train_batch, against the reference with the same rule. */
static void training(void)
{
    static const char *const nets[] = {
        "conv 4 k3 p1; relu; maxpool k2; flatten; dense 12; relu; dense 10",
        "flatten; dense 21; leaky; dense 10"
    };
    enum { N = 5, SAMPLE = 1 * 6 * 7 };
    size_t net_at, k, i;
    int t, at;
    char what[160];
    for (net_at = 0; net_at < 2; net_at++)
    for (k = 0; k < sizeof optimizers / sizeof *optimizers; k++) {
        naive_net r;
        double *m, *v, *first_m, *first_v;
        tnn_net *net;
        describe_optimizer(what, sizeof what, &optimizers[k]);
        naive_init(&r, N, 1, 6, 7, nets[net_at], 500);
        net = build_like(&r, N, &optimizers[k]);
        first_m = doubles(3000), first_v = doubles(3000);
        for (t = 1; t <= 6; t++) {
            float *x = values(N * SAMPLE, (uint32_t)t);
            double loss;
            for (i = 0; i < N * SAMPLE; i++) r.x[i] = x[i];
            naive_forward(&r);
            naive_loss(&r);
            naive_backward(&r);
            loss = tnn_train_batch(net, x, r.labels, N);
            CHECK_NEAR(what, loss, r.loss, 1e-5);
            for (at = 0, m = first_m, v = first_v; at < r.layers; at++) {
                naive_layer *l = &r.layer[at];
                naive_update(&optimizers[k], t, l->w, l->dw, m, v, l->weights);
                m += l->weights, v += l->weights;
                naive_update(&optimizers[k], t, l->b, l->db, m, v, l->biases);
                m += l->biases, v += l->biases;
            }
            test_release(x);
        }
        compare_params(&r, net, 0, 1e-4);
        tnn_free(net);
        fresh();
    }
}

/* ==== SIZES WORTH THREADS ===================================================================== */

/* Bits only: large enough that threads and every blocking take part. */
static void large(void)
{
    static const window_case cases[] = {
        { 8, 1, 28, 28, 32, { .kernel = 3, .pad = 1 } },
        { 8, 32, 14, 14, 64, { .kernel = 3, .pad = 1 } },
        { 3, 20, 17, 19, 37, { .kernel = 5, .pad = 2, .stride = 2 } },
        { 2, 64, 14, 14, 64, { .kernel = 3, .pad = 1, .groups = 64 } },
        { 2, 64, 15, 15, 96, { .kernel = 1 } }
    };
    size_t k;
    int flags;
    for (flags = 0; flags < 4; flags++) {
        float *a = values(203 * 517, 1), *b = values(517 * 161, 2), *c = test_floats(203 * 161);
        tnn_matmul(matrix(c, 203, 161), flags & 1 ? matrix(a, 517, 203) : matrix(a, 203, 517),
                   flags & 2 ? matrix(b, 161, 517) : matrix(b, 517, 161),
                   flags*TNN_TRANSPOSE_A);
        CHECK_REPEATS("matmul 203x161x517", c, 203 * 161);
        fresh();
    }
    for (k = 0; k < sizeof cases / sizeof *cases; k++) {
        geometry g = geometry_of(cases[k].n, cases[k].c, cases[k].h, cases[k].w, cases[k].f,
                                 &cases[k].k, 0);
        int per_group = g.c / g.groups;
        size_t nx = (size_t)(g.n * g.c * g.h * g.w), ny = (size_t)(g.n * g.f * g.ho * g.wo);
        size_t nw = (size_t)(g.f * per_group * g.kh * g.kw), nb = (size_t)g.f;
        float *x = values(nx, 1), *w = values(nw, 2), *b = values(nb, 3), *dy = values(ny, 4);
        float *y = test_floats(ny), *dx = test_floats(nx), *dw = values(nw, 5), *db = values(nb, 6);
        tnn_tensor W = tnn_tensor_view(w, g.f, per_group, g.kh, g.kw);
        tnn_conv2d_forward(tnn_tensor_view(y, g.n, g.f, g.ho, g.wo),
                           tnn_tensor_view(x, g.n, g.c, g.h, g.w), W, b, cases[k].k);
        CHECK_REPEATS("y", y, ny);
        tnn_conv2d_backward_input(tnn_tensor_view(dx, g.n, g.c, g.h, g.w),
                                  tnn_tensor_view(dy, g.n, g.f, g.ho, g.wo), W, cases[k].k);
        CHECK_REPEATS("dx", dx, nx);
        tnn_conv2d_backward_weights(tnn_tensor_view(dw, g.f, per_group, g.kh, g.kw), db,
                                    tnn_tensor_view(x, g.n, g.c, g.h, g.w),
                                    tnn_tensor_view(dy, g.n, g.f, g.ho, g.wo), cases[k].k);
        CHECK_REPEATS("dw", dw, nw);
        CHECK_REPEATS("db", db, nb);
        fresh();
    }
}

/* Some steps of a convolutional network and of a multi-layer perceptron of useful sizes. */
static void large_training(void)
{
    static const char *const nets[] = {
        ("conv 16 k3 p1; relu; maxpool k2; conv 32 k3 p1; relu; maxpool k2; flatten; dropout 0.3; "
         "dense 100; relu; dense 10"),
        "flatten; dense 128; relu; dropout 0.05; dense 64; relu; dense 10"
    };
    enum { N = 30 };
    int k, t, i, labels[N], at;
    for (k = 0; k < 2; k++) {
        const char *text = nets[k];
        float *x = values(N * 784, 1);
        tnn_net *net = tnn_create(.input = { 1, 28, 28 }, .batch = N, .seed = 6);
        while (*text) {
            tnn_layer layer;
            text = parse_layer(text, &layer);
            tnn_add_with(net, &layer);
        }
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net, TNN_ADAM, .lr = 1e-2f);
        for (i = 0; i < N; i++) labels[i] = i % 10;
        for (t = 0; t < 3; t++) {
            float loss = (float)tnn_train_batch(net, x, labels, t == 2 ? 13 : N);
            CHECK(loss == loss, "no loss: %s", tnn_error());
            CHECK_REPEATS("loss", &loss, 1);
        }
        for (at = 0; at < tnn_param_count(net); at++) {
            tnn_param p = tnn_param_info(net, at);
            float *got = test_floats((size_t)p.count);
            tnn_get_param(net, p.name, got, p.count);
            /* without fused multiply-add, updates of Adam for gradients near 0 may be anything */
            if (test.recording || (has_fma() && !test.loose))
                CHECK_REPEATS(p.name, got, p.count);
            else test.tape_at += (size_t)p.count;
            test_release(got);
        }
        tnn_free(net);
        fresh();
    }
}

/* The option of a network, rather than the default of all. */
static void threads_option(void)
{
    enum { N = 20 };
    float first[2000];
    int labels[N], threads, i;
    for (i = 0; i < N; i++) labels[i] = i % 10;
    for (threads = 1; threads <= 5; threads++) {
        float *x = values(N * 784, 1), got[2000];
        tnn_net *net = tnn_create(.input = { 1, 28, 28 }, .batch = N, .seed = 6,
                                  .threads = threads);
        tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .pad = 1);
        tnn_add(net, TNN_RELU);
        tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
        tnn_add(net, TNN_FLATTEN);
        tnn_add(net, TNN_DENSE, .units = 200);
        tnn_add(net, TNN_RELU);
        tnn_add(net, TNN_DENSE, .units = 10);
        tnn_set_loss(net, TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net, TNN_SGD, .lr = 0.1f, .momentum = 0.9f);
        for (i = 0; i < 3; i++) tnn_train_batch(net, x, labels, N);
        CHECK(tnn_get_param(net, "6.weight", got, 2000) == TNN_OK, "%s", tnn_error());
        if (threads == 1) memcpy(first, got, sizeof got);
        else CHECK_SAME("6.weight", got, first, sizeof got);
        tnn_free(net);
        fresh();
    }
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    RUN("references against differences", check_references);
    EACH_SETTING("matmul", matmul);
    RUN("long sums of products", long_sums);
    EACH_SETTING("conv2d, chosen", conv_chosen);
    EACH_SETTING("conv2d, random", conv_random);
    EACH_SETTING("maxpool2d", maxpool);
    EACH_SETTING("avgpool2d", avgpool);
    EACH_SETTING("softmax", softmax);
    EACH_SETTING("reductions", reductions);
    EACH_SETTING("networks, chosen", networks_chosen);
    EACH_SETTING("networks, tiled", networks_tiled);
    EACH_SETTING("networks, random", networks_random);
    EACH_SETTING("losses", losses);
    EACH_ISA("batches of changing size", batches);
    EACH_ISA("parameters", parameters);
    EACH_SETTING("dropout", dropout_statistics);
    EACH_SETTING("every layer together", combined);
    EACH_ISA("update rules", update_rules);
    EACH_ISA("training steps", training);
    EACH_SETTING("large tensors", large);
    EACH_SETTING("large training", large_training);
    RUN("threads of one network", threads_option);
    return test_finish();
}
