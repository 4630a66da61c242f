/* test_kernels.c - every kernel on every instruction set against the scalar instance; the thread
   pool, and what else shows only inside the library.

   Bits must be equal (SSE2, without fused multiply-add: within 1e-5 of the largest value). All
   operands end at an unmapped page or begin behind one, at odd addresses and sizes, so that a
   kernel which touches what it was not given dies here; with TINYNN_UNGUARDED=1 in the environment
   there are no such pages, with TINYNN_EMULATED=1 nothing forks. */
#ifndef _WIN32
#define _DEFAULT_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#endif
#include <fenv.h>
#define INSIDE_ROOT "build/root"        /* with a /proc and a /sys of the tests' own */
#ifndef TINYNN_SCALAR
#define TINYNN_SCALAR           /* make gives it to all programs */
#endif
#include "inside.h"
#include "test.h"

/* ---- Guarded memory: `n` floats that end exactly at a page that cannot be touched ------------ */
enum { POOLS = 12, POOL_FLOATS = 1 << 16 };
static float *pool_end[POOLS], *pool_start[POOLS];
static void guard_init(void)
{
#ifdef _WIN32
    const size_t page = 4096;
#else
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
#endif
    const size_t bytes = POOL_FLOATS*sizeof(float);      /* a multiple of every page size in use */
    int i;
    for (i = 0; i < POOLS; i++) {
#ifdef _WIN32
        char *p = (char *)malloc(bytes + 2*page);
#else
        char *p = (char *)mmap(NULL, bytes + 2*page, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == (char *)MAP_FAILED) exit(1);
        if (!getenv("TINYNN_UNGUARDED")
            && (mprotect(p, page, PROT_NONE) || mprotect(p + page + bytes, page, PROT_NONE)))
            exit(1);
#endif
        pool_start[i] = (float *)(void *)(p + page);
        pool_end[i] = pool_start[i] + POOL_FLOATS;
    }
}
static float *at_end(int pool, inside_len n) { return pool_end[pool] - n; }
/* The same, filled with numbers in [-1, 1). */
static float *filled(int pool, inside_len n, unsigned seed)
{
    float *p = at_end(pool, n);
    inside_len i;
    for (i = 0; i < n; i++) p[i] = 2*tnn_random_uniform(seed, 7, (uint64_t)i) - 1;
    return p;
}

static int count;               /* of instruction sets on this machine */

/* Compares got with want (the scalar instance's), bit for bit or, for SSE2, closely. */
static double worst;
static const char *failed_in = "?";
static int same(int isa, const float *got, const float *want, inside_len n, double scale)
{
    inside_len i;
    if (!strcmp(tnn_isa_name(isa), "sse2")) {
        double d = 0;
        for (i = 0; i < n; i++) d = fmax(d, fabs((double)got[i] - (double)want[i]));
        worst = fmax(worst, d/scale);
        if (d <= 1e-5*scale) return 1;
    } else if (!memcmp(got, want, (size_t)n*sizeof *got)) return 1;
    failed_in = tnn_isa_name(isa);
    return 0;
}

/* Of n steps of `each` products so many make a chain (INSIDE_CHAIN): nearly equal parts. */
static int part_of(int n, int each)
{
    int parts = 1;
    while ((n + parts - 1)/parts*each > INSIDE_CHAIN && parts < n) parts++;
    return (n + parts - 1)/parts;
}
/* The kernel's own definition, element by element, by the formula above inside_product and what
   is said of chains. */
static void mm_naive(const inside_product *t)
{
    int i0, i, j, i1, i2, k;
    for (i0 = 0; i0 < t->n0; i0++)
        for (i = 0; i < t->rows; i++)
            for (j = 0; j < t->cols; j++) {
                const int inner = t->n2*t->run, depth = t->n1*inner;
                float *c = t->c + i0*t->c0 + i*t->ldc + j/16*t->cp + j%16;
                float s = t->start == INSIDE_BIAS ? t->bias[j] : 0, sum = *c;
                int keep = t->start == INSIDE_KEEP, at = 0;
                for (i1 = 0; i1 < t->n1; i1++)
                    for (i2 = 0; i2 < t->n2; i2++)
                        for (k = 0; k < t->run; k++, at++) {
                            const int begins = t->run > INSIDE_CHAIN ? k%part_of(t->run, 1) == 0
                                : inner > INSIDE_CHAIN ? i2%part_of(t->n2, t->run) == 0 && k == 0
                                : depth > INSIDE_CHAIN && i1%part_of(t->n1, inner) == 0
                                  && i2 == 0 && k == 0;
                            if (begins && at > 0) {
                                sum = keep ? sum + s : s;
                                keep = 1;
                                s = 0;
                            }
                            s = inside_fma(t->a[i0*t->a0 + i1*t->a1 + i2*t->a2
                                          + i/3*t->gs + i%3*t->rs + k*t->ks],
                                     t->b[j/16*t->bp + i1*t->b1 + i2*t->b2 + k*t->ldb + j%16], s);
                        }
                if (keep) s = sum + s;
                *c = t->relu && !(s > 0) && s == s ? 0 : s;
            }
}

static void test_mm(void)
{
    int trial, i, ok = 1;
    static float want[POOL_FLOATS];
    worst = 0;
    for (trial = 0; trial < 600 && ok; trial++) {
        inside_product t;
#define DRAW(n, lo, hi) \
    ((lo) + (int)(tnn_random_bits(11, (uint64_t)trial, n) % (unsigned)((hi) - (lo) + 1)))
        const int form = DRAW(0, 0, 3), panels = trial%8 ? DRAW(1, 1, 3) : 1;
        inside_len size_a, size_b, size_c, depth, gap;
        memset(&t, 0, sizeof t);
        t.n0 = DRAW(2, 1, 3); t.n1 = DRAW(3, 1, 2); t.n2 = DRAW(4, 0, 3); t.run = DRAW(5, 1, 9);
        t.rows = DRAW(6, 1, 33);
        t.cols = 16*(panels - 1) + DRAW(7, 1, 16);
        t.start = DRAW(8, 0, 2);
        t.relu = DRAW(9, 0, 1);
        gap = DRAW(10, 0, 2);
        if (trial%8 == 0) {                             /* more than one chain */
            const int more = INSIDE_CHAIN*DRAW(11, 1, 6)/2;
            t.rows = DRAW(6, 1, 5);
            t.cols = DRAW(7, 1, 16);
            t.n0 = 1;
            if (trial%3 == 0) { t.run = more + DRAW(13, 0, 9); t.n2 = 1; }
            else if (trial%3 == 1) t.n2 = more/t.run + 1;
            else t.n1 = more/((t.n2 ? t.n2 : 1)*t.run) + 1;
        }
        depth = (inside_len)t.n1*t.n2*t.run;
        if (form == 3) t.rows = 3*DRAW(6, 1, 5);                    /* rows in threes, far apart */
        if (form == 0) { t.ks = 1; t.rs = depth + gap; t.gs = 3*t.rs; }     /* rows by depth */
        if (form == 1) { t.rs = 1; t.gs = 3; t.ks = t.rows + gap; }         /* depth by rows */
        if (form == 2) { t.ks = 1; t.rs = 2 + gap; t.gs = 3*t.rs; }         /* as a convolution's */
        if (form == 3) { t.rs = 1; t.gs = 7 + gap; t.ks = 1; }
        t.a2 = t.run*t.ks; t.a1 = t.n2*t.a2;
        t.a0 = form == 1 ? depth*t.ks : (t.rows/3 + 1)*t.gs;
        t.ldb = 16; t.b2 = t.run*16; t.b1 = t.n2*t.b2; t.bp = depth*16 + 16;
        t.ldc = DRAW(12, 0, 1) ? 16 : t.cols + gap; t.cp = 16;
        if (t.ldc == 16 && panels > 1) t.cp = (inside_len)t.n0*t.rows*16;
        t.c0 = t.rows*t.ldc;
        size_a = (t.n0 - 1)*t.a0 + (t.n1 - 1)*t.a1 + (t.n2 ? t.n2 - 1 : 0)*t.a2
               + (t.rows - 1)/3*t.gs + (t.rows > 2 ? 2 : t.rows - 1)*t.rs + (t.run - 1)*t.ks + 1;
        if (form == 0 || form == 2) size_a += 2*t.rs;
        size_b = (panels - 1)*t.bp + (depth ? depth : 1)*16;
        size_c = (inside_len)(t.n0 - 1)*t.c0 + (t.rows - 1)*t.ldc
               + (t.cols - 1)/16*t.cp + (t.cols - 1)%16 + 1;
        t.a = filled(0, size_a, 1);
        t.b = filled(1, size_b, 2);
        t.bias = filled(2, 16*panels, 3);
        t.c = filled(3, size_c, 4);
        mm_naive(&t);
        memcpy(want, t.c, (size_t)size_c*sizeof *want);
        for (i = 0; i < count && ok; i++) {
            t.c = filled(3, size_c, 4);
            inside_multiply(i, &t);
            ok = same(i, t.c, want, size_c, 10);
        }
#undef DRAW
    }
    CHECK(ok, "product %d differs with %s", trial - 1, failed_in);
    test_note("600 products, sse2 off by %.1e", worst);
}

/* Kernels on n elements: x (pool 0), y (1), o (2), p (3), each ending at its page. */
static void all_activations(int isa, inside_len n, const float *x, const float *y, float *o)
{
    static const float option[3] = {0.7f, 1.1f, 1.3f};
    static float scaled[1200];
    inside_len i;
    int f;
    for (i = 0; i < n; i++) scaled[i] = 6*x[i];
    memset(o, 0, (size_t)n*sizeof *o);
    for (f = 0; f < INSIDE_ACTS; f++) {
        float *t = at_end(4, n);
        inside_act(isa, f, n, scaled, t, option);
        inside_axpy(isa, n, (float)(f + 1), t, o);
        inside_act_grad(isa, f, n, scaled, y, t, option);
        inside_axpy(isa, n, 0.1f*(float)(f + 1), t, o);
    }
}
static void test_elements(void)
{
    enum { ACTIVATIONS = -1 };
    static const struct { const char *name; int which; } kernels[] = {
        {"add", INSIDE_ADD}, {"relu", INSIDE_RELU}, {"leaky relu", INSIDE_LEAKY},
        {"relu gradient", INSIDE_RELU_GRAD}, {"leaky relu gradient", INSIDE_LEAKY_GRAD},
        {"dropout", INSIDE_DROPOUT}, {"sum, dot, max", INSIDE_SUM}, {"exp", INSIDE_EXP},
        {"normal", INSIDE_NORMAL}, {"axpy, multiply, softmax's gradient", INSIDE_ARITHMETIC},
        {"activations", ACTIVATIONS}, {"columns", INSIDE_COLUMNS},
        {"colsum", INSIDE_COLSUM}, {"transpose", INSIDE_TRANSPOSE} };
    static float want[1200], want2;
    size_t f;
    for (f = 0; f < sizeof kernels/sizeof *kernels; f++) {
        const int which = kernels[f].which;
        int ok = 1, i;
        inside_len n = which == INSIDE_COLSUM || which == INSIDE_TRANSPOSE ? 21 : 1;
        worst = 0;
        for (; n < 1200 && ok; n += n < 140 ? 1 : 97) {
            const float *x = filled(0, n, 5), *y = filled(1, n, 6);
            for (i = 0; i < count && ok; i++) {
                float *o = filled(2, n, 8), *p = filled(3, 1, 9);
                if (which == ACTIVATIONS) all_activations(i, n, x, y, o);
                else inside_elements(i, which, n, x, y, o, p);
                if (i == 0) {
                    memcpy(want, o, (size_t)n*sizeof *o);
                    want2 = *p;
                }
                ok = same(i, o, want, n, 10) && same(i, p, &want2, 1, 1000);
            }
        }
        CHECK(ok, "%s of about %d elements differs with %s", kernels[f].name, (int)n, failed_in);
    }
}

static void test_special_values(void)
{
    const float inf = (float)HUGE_VAL, nan = inf - inf;
    int i, ok_act = 1, ok_max = 1, ok_exp = 1;
    for (i = 0; i < count; i++) {
        float x[20], y[20], s;
        int j;
        for (j = 0; j < 20; j++) x[j] = (float)(j - 10);
        x[3] = nan; x[5] = -inf; x[17] = inf; x[19] = -0.0f;
        inside_relu(i, 20, x, y);
        ok_act &= y[3] != y[3] && y[5] == 0 && y[17] == inf && y[18] == 8 && y[0] == 0;
        ok_max &= inside_largest(i, 20, x) != inside_largest(i, 20, x);
        x[3] = 0;
        ok_max &= inside_largest(i, 20, x) == inf;
        for (j = 0; j < 20; j++) x[j] = -200.0f*(float)j;
        s = inside_exp_sum(i, 20, x, 0, y);
        ok_exp &= s == 1 && y[0] == 1 && y[1] == 0 && y[19] == 0;
        x[2] = nan;
        s = inside_exp_sum(i, 20, x, 0, y);
        ok_exp &= s != s && y[2] != y[2];
    }
    for (i = 0; i < count; i++) {
        const float least = 1.17549435e-38f;
        const float x[16] = { 0, least, -least, least/2, -least/2, 1e-45f, -1e-45f, nan, inf, -inf,
                              1, -1, 3e38f, -3e38f, 2*least, least*0.9999999f };
        float y[16], want[16];
        memcpy(want, x, sizeof x);
        want[3] = want[4] = want[5] = want[6] = want[15] = 0;
        memcpy(y, x, sizeof x);
        inside_flush(i, 16, y);
        CHECK(!memcmp(y, want, sizeof y), "flush, %s", tnn_isa_name(i));
    }
    for (i = 0; i < count*INSIDE_ACTS; i++) {
        const float p[3] = { 1, 2, 1 };
        float y;
        inside_act(i%count, i/count, 1, &nan, &y, p);
        CHECK(y != y, "activation %d of NaN is %g, %s", i/count, (double)y, tnn_isa_name(i%count));
    }
    for (i = 0; i < count; i++) {       /* also where sums are corrected for what was lost */
        static float x[2000], one[2000];
        float y[2] = { 0, 0 };
        int j;
        for (j = 0; j < 2000; j++) x[j] = 1, one[j] = 1;
        x[3] = inf;
        CHECK(inside_sum(i, 2000, x) == inf && inside_dot(i, 2000, x, one) == inf,
              "sum of infinity, %s", tnn_isa_name(i));
        inside_colsum(i, 2000, x, &y[0], &y[1]);
        CHECK(y[0] == inf, "of a column, %s", tnn_isa_name(i));
        for (j = 0; j < 2000; j++) x[j] = 1e37f;
        CHECK(inside_sum(i, 2000, x) == inf, "a sum too large, %s", tnn_isa_name(i));
        x[3] = inf, x[1000] = -inf;
        CHECK(inside_sum(i, 2000, x) != inside_sum(i, 2000, x), "inf - inf");
    }
    CHECK(ok_act, "activations keep NaN and infinity apart");
    CHECK(ok_max, "max finds NaN and infinity");
    CHECK(ok_exp, "exp: 0 far below, NaN stays");
}

/* The functions behind the activations against those in double. */
static double d_sigmoid(double x)  { return 1/(1 + exp(-x)); }
static double d_softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static void functions(double from, double to, double limit, const char *name,
                      float (*f)(float), double (*want)(double))
{
    double err = 0, x, w;
    int i;
    for (i = 0; i < 200000; i++) {
        const float at = (float)(from + (to - from)*(i + 0.37)/200000);
        x = at, w = want(x);
        err = fmax(err, (fabs((double)f(at) - w) - 2e-45)/(fabs(w) + 1e-44));
    }
    test_measure(err, limit);
    CHECK(err <= limit, "%s on [%g, %g]: relative error %.2g", name, from, to, err);
}
static double d_erfc(double x)     { return erfc(fabs(x)); }
static void test_functions(void)
{
    functions(-80, 88, 2.5e-7, "expm1", INSIDE_SCALAR(expm1), expm1);
    functions(-0.01, 0.01, 2.5e-7, "expm1", INSIDE_SCALAR(expm1), expm1);
    functions(1e-38, 1, 2.5e-7, "log", INSIDE_SCALAR(log), log);
    functions(0.9, 1.1, 2.5e-7, "log", INSIDE_SCALAR(log), log);
    functions(1e-44, 1e-37, 2.5e-7, "log", INSIDE_SCALAR(log), log);
    functions(1, 3e38, 2.5e-7, "log", INSIDE_SCALAR(log), log);
    functions(0, 1, 2.5e-7, "log1p", INSIDE_SCALAR(log1p), log1p);
    functions(-12, 12, 3e-7, "tanh", INSIDE_SCALAR(tanh), tanh);
    functions(-0.01, 0.01, 3e-7, "tanh", INSIDE_SCALAR(tanh), tanh);
    functions(-103, 30, 3e-7, "sigmoid", INSIDE_SCALAR(sigmoid), d_sigmoid);
    functions(-103, 88, 3e-7, "softplus", INSIDE_SCALAR(softplus), d_softplus);
    functions(-6, 6, 2.5e-7, "erf", inside_erf, erf);
    functions(-0.01, 0.01, 2.5e-7, "erf", inside_erf, erf);
    functions(1, 9, 5e-5, "erfc", inside_erfc, erfc);
    functions(-9, -1, 5e-5, "erfc, mirrored", inside_erfc, d_erfc);
    CHECK(INSIDE_SCALAR(log)(0) < -1e38f && INSIDE_SCALAR(log)((float)HUGE_VAL) > 1e38f,
          "log of 0, inf");
    CHECK(INSIDE_SCALAR(log)(-1) != INSIDE_SCALAR(log)(-1), "log of -1 is no number");
}

/* Every activation and its derivative from 0 to infinity, with every instruction set, against the
   formula in double. */
static double d_logistic(double x) { const double e = exp(-fabs(x)); return e/(1 + e)/(1 + e); }
static double d_of(int f, double x, const float *p, int derivative)
{
    const double a = (double)p[0], b = (double)p[1], c = (double)p[2], s = d_sigmoid(x);
    const double root = sqrt(2/3.14159265358979324), phi = exp(-x*x/2)*root/2;
    const double Phi = erfc(-x/sqrt(2))/2, six = fmin(fmax(x/6 + 0.5, 0), 1);
    const double u = 2*root*(x + 0.044715*x*x*x), du = 2*root*(1 + 3*0.044715*x*x);
    const double t = tanh(d_softplus(x)), inside = x > -3 && x < 3;
    switch (f + INSIDE_ACTS*derivative) {
    case INSIDE_ACT(elu):        return c*(x > 0 ? x : a*expm1(b*x));
    case INSIDE_ACT(clamp):      return fmin(fmax(x, a), b);
    case INSIDE_ACT(hardsigmoid):return six;
    case INSIDE_ACT(hardswish):  return x*six;
    case INSIDE_ACT(gelu):       return x*Phi;
    case INSIDE_ACT(gelu_tanh):  return x*d_sigmoid(u);
    case INSIDE_ACT(silu):       return x*s;
    case INSIDE_ACT(mish):       return x*t;
    case INSIDE_ACT(softplus):   return a*x > b ? x : d_softplus(a*x)/a;
    case INSIDE_ACT(softsign):   return x/(1 + fabs(x));
    case INSIDE_ACT(sigmoid):    return s;
    case INSIDE_ACT(log_sigmoid):return -d_softplus(-x);
    case INSIDE_ACT(tanh):       return tanh(x);
    }
    switch (f) {
    case INSIDE_ACT(elu):        return c*(x > 0 ? 1 : a*b*exp(b*x));
    case INSIDE_ACT(clamp):      return x > a && x < b;
    case INSIDE_ACT(hardsigmoid):return inside/6.0;
    case INSIDE_ACT(hardswish):  return inside ? x/3 + 0.5 : x >= 3;
    case INSIDE_ACT(gelu):       return Phi + x*phi;
    case INSIDE_ACT(gelu_tanh):  return d_sigmoid(u) + (fabs(x) < 100 ? x*du*d_logistic(u) : 0);
    case INSIDE_ACT(silu):       return s + x*d_logistic(x);
    case INSIDE_ACT(mish):       return t + x*s*(1 - t*t);
    case INSIDE_ACT(softplus):   return a*x > b ? 1 : d_sigmoid(a*x);
    case INSIDE_ACT(softsign):   return 1/(1 + fabs(x))/(1 + fabs(x));
    case INSIDE_ACT(sigmoid):    return d_logistic(x);
    case INSIDE_ACT(log_sigmoid):return d_sigmoid(-x);
    default:                   return 4*d_logistic(2*x);
    }
}
static void test_tails(void)
{
    static const float points[] = {
        0, 1e-45f, 1e-40f, 1e-20f, 0.5f, 1, 1.5f, 2, 3, 4, 5, 6, 10, 13, 15, 20, 30, 50, 80, 87,
        87.5f, 88, 88.7f, 89, 95, 100, 103, 103.9f, 104, 105, 300, 1e4f, 1e13f, 1e18f, 1e25f, 3e38f,
        (float)HUGE_VAL
    };
    enum { N = sizeof points/sizeof *points };
    static const float options[3] = {1, 20, 1}, others[3] = {0.5f, 2, 1.5f}, one = 1;
    int f, i, j, d, o;
    for (f = 0; f < INSIDE_ACTS; f++)
        for (d = 0; d < 2; d++) {
            double worst_here = 0;
            float at = 0, got = 0;
            for (o = 0; o < 2; o++)
                for (i = 0; i < count; i++)
                    for (j = 0; j < 2*N; j++) {
                        const float x = j < N ? points[j] : -points[j - N];
                        const float *p = o ? others : options;
                        const double want = d_of(f, (double)x, p, d);
                        /* what an argument's rounding does to exp, or to denormals times x */
                        const double arg = fmin(fabs((double)x), 105);
                        const int gelu = f == INSIDE_ACT(gelu) || f == INSIDE_ACT(gelu_tanh);
                        const double scale = gelu ? 1 + arg*arg/2 : 1;
                        /* hard swish's is rounded where it goes through 0 */
                        const double away = f == INSIDE_ACT(hardswish) && fabs((double)x) < 3;
                        double err;
                        float y;
                        if (want != want && fabs((double)x) > 3.1e38) continue;
                        if (d) inside_act_grad(i, f, 1, &x, &one, &y, p);
                        else inside_act(i, f, 1, &x, &y, p);
                        err = (double)y - want;
                        err = y == (float)want ? 0
                            : (fabs(err) - 3e-45*(1 + arg))/(fabs(want) + away);
                        if (!(err <= 1e-6*scale)) err = HUGE_VAL;
                        if (!(err/scale <= worst_here)) worst_here = err/scale, at = x, got = y;
                    }
            if (worst_here < HUGE_VAL) test_measure(worst_here, 1e-6);
            CHECK(worst_here < HUGE_VAL, "%s%s at %g is %g, should be %g", inside_act_name(f),
                  d ? ", derivative," : "", (double)at, (double)got,
                  d_of(f, (double)at, options, d));
        }
}

/* The normal kernel: moments, and the distance from the distribution. */
static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}
static void test_normals(void)
{
    enum { N = 1 << 18 };
    static float x[N];
    double sum = 0, squares = 0, distance = 0;
    int i;
    inside_normal(count - 1, N, x, 2, 3, 5, 6);
    for (i = 0; i < N; i++) sum += (double)x[i];
    for (i = 0; i < N; i++) squares += ((double)x[i] - sum/N)*((double)x[i] - sum/N);
    CHECK(fabs(sum/N - 3) < 4*2/sqrt((double)N), "mean %g", sum/N);
    CHECK(fabs(squares/N/4 - 1) < 4*sqrt(2.0/N), "variance %g", squares/N);
    qsort(x, N, sizeof *x, ascending);
    for (i = 0; i < N; i++) {
        const double away = fabs(0.5*erfc(-((double)x[i] - 3)/2/sqrt(2)) - (i + 0.5)/N);
        distance = fmax(distance, away);
    }
    CHECK(distance*sqrt((double)N) < 1.6, "distance %g from N(3, 4)", distance);
}

/* exp against the double one, over its whole range. */
static void test_accuracy(void)
{
    int i, j;
    double err = 0;
    for (i = 0; i < count; i++) {
        for (j = 0; j < 100000; j++) {
            float x = -105.0f + (float)j*(193.7f/100000), y;
            double want = exp((double)x);
            inside_exp_sum(i, 1, &x, 0, &y);
            err = fmax(err, (fabs((double)y - want) - 1e-45)/want);
        }
    }
    test_measure(err, 2.4e-7);
    CHECK(err < 2.4e-7, "exp: largest relative error %.2g (limit 2.4e-7)", err);
    for (err = 0, j = 1; j < 100000; j++) {
        double x = j*1e-3, want = log(x);
        err = fmax(err, fabs(inside_log(x) - want)/fmax(fabs(want), 1));
        x = (j - 1)/100000.0;
        err = fmax(err, fabs(inside_cos_turn(x) - cos(6.283185307179586*x)));
    }
    CHECK(err < 1e-14, "log and cos: largest error %.2g (limit 1e-14)", err);
}

/* What schedules are made of. */
static void test_elementary(void)
{
    const double none = HUGE_VAL - HUGE_VAL;
    double x;
    int i;
    for (i = -7000; i <= 7000; i++) {
        x = i*0.1 + 0.01*(i%7);
        CHECK_NEAR("exp", inside_exp(x), exp(x), 5e-16);
        if (i >= 0) CHECK_NEAR("pow", inside_pow(0.93, x), pow(0.93, x), 1e-13);
    }
    CHECK(inside_exp(0) == 1 && inside_exp(-800) == 0 && inside_exp(800) > 1e308,
          "exp at its ends");
    CHECK_NEAR("exp, almost 0", inside_exp(-744), exp(-744), 0);
    CHECK(inside_exp(none) != inside_exp(none), "exp of NaN");
    CHECK(inside_pow(0, 0) == 1 && inside_pow(0, 2) == 0 && inside_pow(0.3, 1) == 0.3,
          "pow of 0 and 1");
}

static void test_pooling(void)
{
    int trial, i, ok = 1;
    static float want[4][POOL_FLOATS];
    worst = 0;
    for (trial = 0; trial < 150 && ok; trial++) {
        tnn_window o;
        inside_len in, out;
        int c, h, w;
#define DRAW(n, lo, hi) \
    ((lo) + (int)(tnn_random_bits(12, (uint64_t)trial, n) % (unsigned)((hi) - (lo) + 1)))
        memset(&o, 0, sizeof o);
        o.kernel_h = DRAW(0, 1, 4); o.kernel_w = DRAW(1, 1, 4);
        o.stride_h = DRAW(2, 1, 3); o.stride_w = DRAW(3, 1, 3);
        o.pad_h = DRAW(4, 0, o.kernel_h/2); o.pad_w = DRAW(5, 0, o.kernel_w/2);
        o.ceil = DRAW(6, 0, 1);
        o.exclude_pad = DRAW(7, 0, 1);
        c = DRAW(8, 1, 37); h = DRAW(9, 4, 9); w = DRAW(10, 4, 9);
#undef DRAW
        in = (inside_len)c*h*w;
        out = inside_pool_size(&o, c, h, w);
        ok = out > 0;
        for (i = 0; i < count && ok; i++) {
            const float *x = filled(0, in, 1), *dy = filled(1, out, 2);
            float *r[4];
            int k;
            r[0] = at_end(2, out);
            r[1] = at_end(3, out);
            r[2] = filled(4, in, 3);
            r[3] = at_end(5, out);
            inside_pool(i, INSIDE_MAX, &o, c, h, w, x, r[0], r[1]);
            inside_pool(i, INSIDE_MAX_GRAD, &o, c, h, w, dy, r[2], r[1]);
            inside_pool(i, INSIDE_AVERAGE, &o, c, h, w, x, r[3], NULL);
            inside_pool(i, INSIDE_AVERAGE_GRAD, &o, c, h, w, dy, r[2], NULL);
            for (k = 0; k < 4 && ok; k++) {
                const inside_len n = k == 2 ? in : out;
                if (i == 0) memcpy(want[k], r[k], (size_t)n*sizeof(float));
                else ok = same(i, r[k], want[k], n, 10);
            }
        }
    }
    CHECK(ok, "window %d differs with %s", trial - 1, failed_in);
}

/* Every rule, in four variants of its options, then the vector operations around them. */
static void test_updates(void)
{
    enum { VECTORS = 1 + TNN_STATES };
    const inside_len n = 16*37;
    static float want[VECTORS][1 << 12];
    int type, variant, i, ok = 1;
    worst = 0;
    for (type = TNN_SGD; type <= LAST_RULE + 1; type++)
        for (variant = 0; variant < 4; variant++)
            for (i = 0; i < count && ok; i++) {
                float *r[VECTORS], *g = filled(6, n, 2);    /* weights, states; gradients */
                int s, e;
                for (s = 0; s < VECTORS; s++) r[s] = filled(s, n, s ? 2u + (unsigned)s : 1);
                for (s = 2; s < VECTORS; s++)
                    for (e = 0; e < n; e++) r[s][e] = 0.1f + r[s][e]*r[s][e];
                if (type == TNN_ADAGRAD || type == TNN_ADADELTA || type == TNN_RMSPROP)
                    for (e = 0; e < n; e++) r[1][e] = 0.1f + r[1][e]*r[1][e];
                /* a mean whose square is less than the mean square */
                if (type == TNN_RMSPROP) for (e = 0; e < n; e++) r[2][e] *= 0.1f;
                inside_update(i, type, variant, n, r[0], g, r + 1);
                CHECK(!tnn_failed(), "%s", tnn_error());
                for (s = 0; s < VECTORS && ok; s++)
                    if (i == 0) memcpy(want[s], r[s], (size_t)n*sizeof(float));
                    else ok = same(i, r[s], want[s], n, 100);
                CHECK(ok, "vector %d of rule %d, variant %d, differs with %s", s - 1, type, variant,
                      failed_in);
            }
}

/* Known answers of Philox4x32-10 from the authors' test vectors (Random123, kat_vectors). */
static void test_philox(void)
{
    uint32_t r[4];
    int i, j, ok;
    inside_philox(0, 0, 0, r);
    CHECK(r[0] == 0x6627e8d5u && r[1] == 0xe169c58du && r[2] == 0xbc57ac4cu && r[3] == 0x9b00dbd8u,
          "Philox4x32-10 of zeros");
    inside_philox(~0ull, ~0ull, ~0ull, r);
    CHECK(r[0] == 0x408f276du && r[1] == 0x41c83b0eu && r[2] == 0xa20bc7c6u && r[3] == 0x6d5451fdu,
          "Philox4x32-10 of ones");
    inside_philox(0x299f31d0a4093822ull, 0x0370734413198a2eull, 0x85a308d3243f6a88ull, r);
    CHECK(r[0] == 0xd16cfe09u && r[1] == 0x94fdccebu && r[2] == 0x5001e420u && r[3] == 0x24126ea1u,
          "Philox4x32-10 of pi");
    /* the kernel draws the same blocks */
    for (ok = 1, i = 0; i < count; i++) {
        float x[200], y[200];
        for (j = 0; j < 200; j++) x[j] = 1;
        inside_drop_quarter(i, 200, x, y, 77, 88, 64*5);
        for (j = 0; j < 200; j++) {
            const uint64_t e = 64*5 + (uint64_t)j;
            inside_philox(77, 88, e/64*16 + e%16, r);
            ok &= (y[j] == 0) == ((r[e/16%4] >> 8) < 0.25f*16777216)
                && (y[j] == 0 || y[j] == 1/0.75f);
        }
    }
    CHECK(ok, "dropout draws what Philox gives");
}

/* ---- Winograd's way: its bound, and rows that it would not make finite ----------------------- */
enum { SIDE = 8, DEEP = 16, FRAME = (SIDE + 2)*(SIDE + 2)*DEEP, TILES = SIDE*SIDE/4 };
static float tile_x[FRAME], tile_w[9*DEEP*DEEP], tile_u[16*DEEP*DEEP], tile_y[SIDE*SIDE*DEEP];
static float tile_scratch[1 << 16], tile_sums[16*DEEP*DEEP], tile_dw[9*DEEP*DEEP];
static float *tile_at(int i, int j, int c)      /* of the image in its frame */
{
    return tile_x + ((i + 1)*(SIDE + 2) + j + 1)*DEEP + c;
}
/* The errors of the middle tile and of the first weights, over their bounds. */
static double tile_error(const inside_conv *q)
{
    double bound = 0, err = 0;
    int i, j, c, u, v;
    inside_tile_weights(0, DEEP, DEEP, tile_w, tile_u);
    inside_tile_forward(count - 1, q, DEEP, DEEP, SIDE, tile_at(0, 0, 0), tile_u, tile_w, tile_y,
                        NULL, NULL, tile_scratch, 1, 2);
    for (c = 0; c < DEEP; c++) {
        double w = 0, x = 0;
        for (u = 0; u < 9; u++) w = fmax(w, fabs((double)tile_w[(u*DEEP + c)*16]));
        for (i = 1; i < 5; i++)
            for (j = 1; j < 5; j++) x = fmax(x, fabs((double)*tile_at(i, j, c)));
        bound += w*x;
    }
    for (i = 2; i < 4; i++)
        for (j = 2; j < 4; j++) {
            double want = 0;
            for (c = 0; c < DEEP; c++)
                for (u = 0; u < 3; u++)
                    for (v = 0; v < 3; v++)
                        want += (double)tile_w[((3*u + v)*DEEP + c)*16]
                                *(double)*tile_at(i + u - 1, j + v - 1, c);
            err = fmax(err, fabs((double)tile_y[(i*SIDE + j)*DEEP] - want));
        }
    return err/(64*(DEEP + 11)*bound/16777216);
}
static double tile_dw_error(const inside_conv *q)
{
    double bound = 0, err = 0;
    int i, j, u, v;
    inside_tile_dw(count - 1, q, SIDE, tile_at(0, 0, 0), tile_y, tile_sums, tile_scratch, tile_dw);
    for (i = 0; i < SIDE; i += 2)
        for (j = 0; j < SIDE; j += 2) {
            double x = 0, dy = 0;
            for (u = -1; u < 3; u++)
                for (v = -1; v < 3; v++) x = fmax(x, fabs((double)*tile_at(i + u, j + v, 0)));
            for (u = 0; u < 4; u++)
                dy = fmax(dy, fabs((double)tile_y[((i + u/2)*SIDE + j + u%2)*DEEP]));
            bound += x*dy;
        }
    for (u = 0; u < 3; u++)
        for (v = 0; v < 3; v++) {
            double want = 0;
            for (i = 0; i < SIDE; i++)
                for (j = 0; j < SIDE; j++)
                    want += (double)*tile_at(i + u - 1, j + v - 1, 0)
                            *(double)tile_y[(i*SIDE + j)*DEEP];
            err = fmax(err, fabs((double)tile_dw[(3*u + v)*DEEP*16] - want));
        }
    return err/(36*(TILES + 8)*bound/16777216);
}
/* From random values, like or unlike in size, changes that make the error larger are kept. */
static uint64_t drawn;
static float tile_draw(int spread)
{
    const uint32_t bits = tnn_random_bits(5, 1, drawn++);
    const float v = ((float)(bits >> 8) + 1)/16777216;
    return (float)ldexp((double)(bits & 1 ? v : -v), -(int)(bits >> 1 & 63)%(spread + 1));
}
static void test_tile_bound(void)
{
    const inside_conv q = inside_conv_of(DEEP, DEEP, SIDE);
    double most[2] = {0, 0};
    int back, start, step, i, j, c;
    CHECK(!tnn_failed(), "%s", tnn_error());
    for (back = 0; back < 2; back++)
        for (start = 0; start < 12; start++) {
            const int spread = start%4*8;
            double now;
            for (i = 0; i < 9*DEEP*DEEP; i++) tile_w[i] = tile_draw(spread);
            for (i = 0; i < SIDE*SIDE*DEEP; i++) tile_y[i] = tile_draw(spread);
            for (i = 0; i < SIDE; i++)
                for (j = 0; j < SIDE; j++)
                    for (c = 0; c < DEEP; c++) *tile_at(i, j, c) = tile_draw(spread);
            now = back ? tile_dw_error(&q) : tile_error(&q);
            for (step = 0; step < 150; step++) {
                const uint32_t bits = tnn_random_bits(6, 2, drawn);
                float *at = bits & 1 ? tile_at((int)(bits >> 1 & 7), (int)(bits >> 4 & 7),
                                               back ? 0 : (int)(bits >> 8)%DEEP)
                          : back ? tile_y + (bits >> 8)%(SIDE*SIDE)*DEEP
                                 : tile_w + (bits >> 8)%(9*DEEP)*16;
                const float old = *at;
                double then;
                *at = tile_draw(spread);
                then = back ? tile_dw_error(&q) : tile_error(&q);
                if (then >= now) now = then; else *at = old;
            }
            most[back] = fmax(most[back], now);
        }
    CHECK(most[0] <= 1 && most[1] <= 1, "errors are %g and %g times the bounds", most[0], most[1]);
    CHECK(most[0] > 1e-3 && most[1] > 1e-3, "bounds that tell nothing: %g, %g", most[0], most[1]);
    test_note("at most %.3f and %.3f of the bounds", most[0], most[1]);
}
/* Huge values with small weights, everywhere or in two columns, forward, pooled and backward: the
   bits of the direct way. */
static void test_tile_range(void)
{
    static float frame[(SIDE + 2)*(SIDE + 2)*2*DEEP], u[16*2*DEEP*DEEP], w[9*2*DEEP*DEEP];
    static float flipped[9*2*DEEP*DEEP], got[SIDE*SIDE*2*DEEP], want[SIDE*SIDE*2*DEEP];
    static float rows[2*SIDE*2*DEEP], where[2][SIDE*SIDE/4*2*DEEP], pooled[SIDE*SIDE/4*2*DEEP];
    const inside_conv q = inside_conv_of(DEEP, 2*DEEP, SIDE);
    const tnn_window pool = { .kernel = 2 };
    int way, i, j, t;
    CHECK(!tnn_failed(), "%s", tnn_error());
    for (way = 0; way < 8; way++) {
        const int back = way & 1, few = way >> 1 & 1, c = back ? 2*DEEP : DEEP;
        const int row = (SIDE + 2)*c, oc = back ? DEEP : 2*DEEP;
        const float *x = frame + row + c;
        int finite = 1;
        if (back && way > 3) continue;
        memset(frame, 0, sizeof frame);
        for (i = 0; i < SIDE*SIDE; i++)
            for (j = 0; j < c; j++)
                frame[(i/SIDE + 1)*row + (i%SIDE + 1)*c + j]
                    = (few && i%SIDE != 3 ? 1 : 2e38f)*(i%4 < 2 ? 1.0f : -1.0f)
                      *(i/SIDE%4 < 2 ? 1.0f : -1.0f);
        for (i = 0; i < 9*2*DEEP*DEEP; i++) w[i] = 1e-4f*(float)(i%7 - 3);
        inside_conv_flip(&q, w, flipped);
        for (t = 0; t < count; t++) {
            const int max = way > 3 ? 2 : 0;
            const char *isa = tnn_isa_name(t);
            if (!strcmp(isa, "sse2")) continue;
            inside_tile_weights(t, c, oc, back ? flipped : w, u);
            inside_tile_forward(t, &q, c, oc, SIDE, x, u, back ? flipped : w, got,
                                max ? where[0] : NULL, rows, tile_scratch, 0, SIDE/2);
            if (back) inside_conv_backward(t, &q, SIDE, x, flipped, want);
            else inside_conv_forward(t, &q, SIDE, x, w, want, max);
            for (i = 0; i < SIDE*SIDE*oc; i++) finite &= want[i] - want[i] == 0;
            if (max) inside_pool(t, INSIDE_MAX, &pool, oc, SIDE, SIDE, want, pooled, where[1]);
            CHECK(finite && !memcmp(got, max ? pooled : want, (max ? sizeof pooled : sizeof want)
                                    /(back ? 2 : 1)), "%s, way %d: not the direct way",
                  isa, way);
            CHECK(!max || !memcmp(where[0], where[1], sizeof where[0]), "other places, %s", isa);
        }
    }
}

/* A logger. */
static char notes[4][500];
static int  noted;
static void note(void *user, const char *message)
{
    (void)user;
    if (noted < 4) snprintf(notes[noted], sizeof notes[0], "%s", message);
    noted++;
}

/* ---- The thread pool ------------------------------------------------------------------------- */
#if !defined(TINYNN_NO_THREADS) && !defined(_WIN32)
#if defined __has_feature           /* ThreadSanitizer refuses threads after a fork */
enum { watched = __has_feature(thread_sanitizer) };
#elif defined __SANITIZE_THREAD__
enum { watched = 1 };
#else
enum { watched = 0 };
#endif
static uint64_t trained(void)
{
    static float x[33*300];
    static int   labels[33];
    tnn_net *net = tnn_create(.input = {300}, .batch = 33, .threads = 3, .seed = 3);
    uint64_t hash;
    int i;
    for (i = 0; i < 33*300; i++) x[i] = tnn_random_normal(1, 2, (uint64_t)i);
    for (i = 0; i < 33; i++) labels[i] = i%5;
    tnn_add(net, TNN_DENSE, .units = 200);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 5);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM);
    for (i = 0; i < 3; i++) tnn_train_batch(net, x, labels, 33);
    hash = tnn_hash(net);
    tnn_free(net);
    return hash;
}
static void who(void *helped, int task, int worker)
{
    (void)task;
    usleep(100);
    ((int *)helped)[worker] = 1;
}
/* Forks while helpers work, spin, fall asleep and sleep: parent and child go on with pools of their
   own. A child that hangs is killed. */
static void forks(void)
{
    const uint64_t want = trained();
    int i, status, bad = 0, helped[3] = { 0 };
    for (i = 0; i < 60; i++) {
        pid_t child;
        bad += trained() != want;
        usleep((useconds_t)(i*20));
        child = fork();
        if (child == 0) {
            alarm(20);
            while (!helped[1] && !helped[2]) inside_run(3, 9, who, helped);
            _exit(trained() == want ? 7 : 8);
        }
        bad += waitpid(child, &status, 0) != child || !WIFEXITED(status)
               || WEXITSTATUS(status) != 7;
    }
    CHECK(!bad, "%d of 60 forks went wrong", bad);
}
/* A signal that the program blocks in its own threads is for its sigwait: helpers, which were there
   before, do not take it. They are gone after tnn_shutdown, and come again. */
static void signals(void)
{
    const uint64_t want = trained();
    int status, got, i, wrong = 0, helped[3] = { 0 };
    pid_t child = fork();
    if (child == 0) {
        sigset_t term;
        alarm(20);
        trained();
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        sigprocmask(SIG_BLOCK, &term, NULL);
        for (i = 0; i < 20; i++) {
            kill(getpid(), SIGTERM);
            if (sigwait(&term, &got) || got != SIGTERM) _exit(8);
        }
        _exit(7);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7,
          "SIGTERM did not reach sigwait: status %#x", (unsigned)status);
    for (i = 0; i < 30; i++) {
        wrong += trained() != want;
        usleep((useconds_t)(i%10*300));
        if (i == 20) {
            helped[1] = helped[2] = 0;
            while (!helped[1] && !helped[2]) inside_run(3, 9, who, helped);
        }
        CHECK(inside_helpers() == 2 && tnn_shutdown() == TNN_OK && !inside_helpers()
              && tnn_shutdown() == TNN_OK, "helpers were not ended");
    }
    CHECK(!wrong, "%d networks were wrong after tnn_shutdown", wrong);
}
static void shut_within(void *refused, int task, int worker)
{
    (void)task;
    (void)worker;
    inside_add((int *)refused, tnn_shutdown() == TNN_ERROR_ARGUMENT);
    if (!worker) tnn_clear_error();
}
static void shutdown_within(void)
{
    int refused = 0;
    inside_run(3, 9, shut_within, &refused);
    CHECK(refused == 9, "tnn_shutdown within a call: refused %d times of 9", refused);
    CHECK(tnn_shutdown() == TNN_OK, "%s", tnn_error());
}

/* ---- How many threads, and what the environment says ----------------------------------------- */
/* What tnn_threads() and tnn_isa() tell the logger; each in a process of its own. */
static void environment(void)
{
    static const struct { const char *name, *value, *says; } cases[] = {
        { "TINYNN_THREADS", "1e3", "TINYNN_THREADS=\"1e3\" is ignored" },
        { "TINYNN_THREADS", "0", "from 1 to 64" },       { "TINYNN_THREADS", "-1", "from 1 to 64" },
        { "TINYNN_THREADS", "abc", "from 1 to 64" },     { "TINYNN_THREADS", " 4", "from 1 to 64" },
        { "TINYNN_THREADS", "99999999999", "from 1 to 64" }, { "TINYNN_THREADS", "65", "1 to 64" },
        { "TINYNN_THREADS", "", "" },    { "TINYNN_THREADS", "64", "" },
        { "TINYNN_THREADS", "7", "" },   { "TINYNN_ISA", "", "" },
        { "TINYNN_ISA", "SCALAR", "" },  { "TINYNN_ISA", "scalar", "" },
        { "TINYNN_ISA", "foo", "TINYNN_ISA=\"foo\" is ignored" },
        { "TINYNN_ISA", "scalar ", "this machine has scalar" }, { "TINYNN_ISA", "scala", "scalar" },
    };
    const char *isa = tnn_isa(), *want;
    const int usual = inside_processors();
    int i, status, fine;
    for (i = 0; i < (int)(sizeof cases/sizeof *cases); i++) {
        const char *value = cases[i].value, *says = cases[i].says;
        pid_t child = fork();
        if (child) {
            CHECK(waitpid(child, &status, 0) == child && !status,
                  "%s=\"%s\": wrong, or not \"%s\"", cases[i].name, value, says);
            continue;
        }
        setenv(cases[i].name, value, 1);
        tnn_set_logger(note, NULL);
        tnn_set_threads(0);
        inside_forget_isa();
        if (cases[i].name[7] == 'T') {
            const int n = !*value || *says ? (usual < 64 ? usual : 64) : atoi(value);
            fine = tnn_threads() == n;
            tnn_set_threads(0);
            fine = fine && tnn_threads() == n;
        } else {
            want = *value && !*says ? "scalar" : isa;
            fine = !strcmp(tnn_isa(), want);
        }
        _exit(!(fine && noted == (*says != 0) && strstr(notes[0], says) && !tnn_failed()));
    }
    fine = tnn_set_isa("Scalar") == TNN_OK && !strcmp(tnn_isa(), "scalar")
        && tnn_set_isa(isa) == TNN_OK;
    CHECK(fine, "%s", tnn_error());
}
#ifdef __linux__
extern int set_affinity(int, size_t, const unsigned long *) __asm__("sched_setaffinity");
static void write_text(const char *path, const char *text)
{
    char folder[200];
    size_t i;
    FILE *f;
    for (i = 0; path[i]; i++)
        if (path[i] == '/') {
            snprintf(folder, sizeof folder, "%.*s", (int)i, path);
            mkdir(folder, 0777);
        }
    if (!(f = fopen(path, "w"))) return;
    fputs(text, f);
    fclose(f);
}
#define GROUPS INSIDE_ROOT "/sys/fs/cgroup/"
/* What quotas allow, of 50 processors; the numbers are for versions 1 and 2 of control groups. */
static void quotas(void)
{
    static const struct { const char *groups, *path, *text; int want; } cases[] = {
        { "0::/a/b\n", "a/b/cpu.max", "max 100000\n", 50 },
        { "0::/a/b\n", "a/b/cpu.max", "300000 100000\n", 3 },
        { "0::/a/b\n", "a/b/cpu.max", "300001 100000\n", 4 },
        { "0::/a/b\n", "a/cpu.max", "150000 100000\n", 2 },
        { "0::/a/b\n", "a/b/cpu.max", "1000 100000\n", 1 },
        { "0::/a/b\n", "cpu.max", "70000000 1000000\n", 1 },
        { "0::/a/b\n", "a/b/cpu.max", "max 100000\n", 2 },
        { "0::/\n", "cpu.max", "5000000 1000000\n", 5 },
        { "0::/../elsewhere\n", "cpu.max", "500000 100000\n", 5 },
        { "12:cpuset:/c\n3:cpu,cpuacct:/c/d\n0::/\n", "cpu.max", "max 100000\n", 50 },
        { "12:cpuset:/c\n3:cpu,cpuacct:/c/d\n0::/\n",
          "cpu,cpuacct/c/d/cpu.cfs_period_us", "100000\n", 50 },
        { "12:cpuset:/c\n3:cpu,cpuacct:/c/d\n0::/\n",
          "cpu,cpuacct/c/d/cpu.cfs_quota_us", "-1\n", 50 },
        { "12:cpuset:/c\n3:cpu,cpuacct:/c/d\n0::/\n",
          "cpu,cpuacct/c/d/cpu.cfs_quota_us", "600000\n", 6 },
        { "12:cpuset:/c\n3:cpuacct,cpu:/c/d\n", "cpuacct,cpu/cpu.cfs_period_us", "50000\n", 50 },
        { "12:cpuset:/c\n3:cpuacct,cpu:/c/d\n", "cpuacct,cpu/cpu.cfs_quota_us", "100000\n", 2 },
        { "1:name=cpu:/x\nnonsense\n0:\n\n:::\n", "x/cpu.max", "100000 100000\n", 50 },
        { "", "x/cpu.max", "", 50 },
    };
    char path[200];
    int i, got;
    system("rm -rf " INSIDE_ROOT);
    CHECK(inside_quota(50) == 50, "without control groups");
    for (i = 0; i < (int)(sizeof cases/sizeof *cases); i++) {
        if (i == 7 || i == 9) system("rm -rf " INSIDE_ROOT);
        write_text(INSIDE_ROOT "/proc/self/cgroup", cases[i].groups);
        snprintf(path, sizeof path, GROUPS "%s", cases[i].path);
        write_text(path, cases[i].text);
        got = inside_quota(50);
        CHECK(got == cases[i].want, "case %d, %s: %d, want %d", i, path, got, cases[i].want);
    }
    system("rm -rf " INSIDE_ROOT);
}
/* A process pinned to one processor has one thread. */
static void affinity(void)
{
    unsigned long one[128] = { 0 }, all[128];
    int k, n;
    CHECK(inside_affinity(all, sizeof all) == 0, "no affinity");
    for (k = 0; !(all[0] >> k & 1); k++) {}
    one[0] = 1ul << k;
    CHECK(set_affinity(0, sizeof one, one) == 0, "cannot be pinned");
    n = inside_processors();
    CHECK(set_affinity(0, sizeof all, all) == 0, "cannot be freed");
    CHECK(n == 1, "%d threads on one processor", n);
}
#endif
static int sums[1000];
static void add_up(void *context, int task, int worker)
{
    (void)worker;
    sums[task] += *(int *)context;
}
static void many_runs(void)
{
    int run, i, one = 1, bad = 0;
    for (run = 0; run < 3000; run++) inside_run(1 + run%4, 1 + run%1000, add_up, &one);
    for (i = 0; i < 1000; i++) bad += sums[i] != 3*(1000 - i);
    CHECK(!bad, "%d tasks were not done exactly once a run", bad);
    usleep(200000);                 /* helpers fall asleep, and wake again */
    inside_run(4, 1000, add_up, &one);
    for (bad = 0, i = 0; i < 1000; i++) bad += sums[i] != 3*(1000 - i) + 1;
    CHECK(!bad, "%d tasks were not done after a pause", bad);
}
#endif

/* ---- Hooks that fail, and loggers ------------------------------------------------------------ */
enum { IN_FORWARD = 1, IN_BACKWARD, IN_LOSS, IN_UPDATE, IN_SCHEDULE, IN_INIT };
static int failing_in, loud;    /* the hook that fails; whether through the macro, with its line */
static void fail_here(int number)               /* a matrix that has so many rows too few */
{
    static float v[64];
    const tnn_tensor c = tnn_tensor_view(v, 30, 1, 1, 1);
    const tnn_tensor a = tnn_tensor_view(v, 30 - number, 1, 1, 1);
    if (loud) tnn_matmul(c, a, tnn_tensor_view(v, 1, 1, 1, 1), 0);
    else (tnn_matmul)(c, a, tnn_tensor_view(v, 1, 1, 1, 1), 0);
}
static int hook_shape(void *user, const int in[3], int out[3], int *params)
{
    (void)user; (void)in; (void)out;
    *params = 1;
    return 0;
}
static void hook_init(void *user, float *params, uint64_t seed)
{
    (void)user; (void)seed;
    params[0] = 1;
    if (failing_in == IN_INIT) fail_here(3);
}
static void hook_forward(void *user, const float *x, float *y, const float *params, int training)
{
    (void)params; (void)training;
    memcpy(y, x, 4*sizeof *y);
    if (failing_in == IN_FORWARD && x[0] >= (user ? 3 : 4)) fail_here((int)x[0]);
}
static void hook_backward(void *user, const float *x, const float *y, const float *dy, float *dx,
                          const float *params, float *dparams)
{
    (void)y; (void)params; (void)dparams;
    memcpy(dx, dy, 4*sizeof *dx);
    if (failing_in == IN_BACKWARD && x[0] >= (user ? 3 : 4)) fail_here((int)x[0]);
}
static double hook_loss(void *user, const float *outputs, const float *targets, const int *labels,
                        int n, int size, float *gradients)
{
    (void)user; (void)outputs; (void)targets; (void)labels;
    memset(gradients, 0, (size_t)(n*size)*sizeof *gradients);
    if (failing_in == IN_LOSS) fail_here(3);
    return 0;
}
static void hook_update(const tnn_update_run *run)
{
    (void)run;
    if (failing_in == IN_UPDATE) fail_here(3);
}
static double hook_schedule(void *user, long long step)
{
    (void)user; (void)step;
    if (failing_in == IN_SCHEDULE) fail_here(3);
    return 1;
}
/* The call in which a hook fails does so, too, with the error of the first sample: in the caller's
   thread, told once, whatever the number of threads. Without that it goes on. */
static void failing_hooks(void)
{
    static const tnn_custom_layer first = { "first", NULL, hook_shape, hook_init, hook_forward,
                                            hook_backward };
    static const tnn_custom_layer second = { "second", (void *)(uintptr_t)&first, hook_shape,
                                             hook_init, hook_forward, hook_backward };
    static const int calls[] = { 0, 0, 2, 1, 3, 3, 0 };         /* that are made before, by hook */
    static float x[23*4];
    static int labels[23];
    char want[400];
    int i, n, hook, threads, good;
    for (i = 0; i < 23*4; i++) x[i] = (float)(i/4);
    tnn_set_logger(note, NULL);
    for (loud = 0; loud < 2; loud++)
        for (hook = IN_FORWARD; hook <= IN_INIT; hook++)
            for (n = 4; n <= 23; n += 19)
                for (threads = 1; threads <= 8; threads += threads == 1 ? 2 : 5) {
                    tnn_net *net = tnn_create(.input = {4}, .batch = n, .threads = threads);
                    tnn_add(net, TNN_CUSTOM_LAYER, .custom = &first);
                    tnn_add(net, TNN_DENSE, .units = 4, .init = TNN_INIT_EYE);
                    tnn_add(net, TNN_CUSTOM_LAYER, .custom = &first);
                    tnn_add(net, TNN_CUSTOM_LAYER, .custom = &second);
                    tnn_add(net, TNN_DENSE, .units = 300);
                    tnn_add(net, TNN_DENSE, .units = 300);
                    tnn_set_loss(net, TNN_CUSTOM_LOSS, .custom = hook_loss);
                    tnn_set_optimizer(net, TNN_CUSTOM, .update = hook_update);
                    tnn_set_schedule(net, TNN_LAMBDA, .function = hook_schedule);
                    failing_in = hook;
                    noted = good = 0;
                    good += !tnn_forward(net, x, n, TNN_TRAIN);
                    if (good == 1) good += tnn_loss(net, labels) == 0;
                    if (good == 2) good += !tnn_backward(net);
                    if (good == 3) good += !tnn_step(net);
                    CHECK(good == calls[hook], "hook %d: failed after %d calls", hook, good);
                    CHECK(tnn_failed() == TNN_ERROR_SHAPE && noted == 1
                          && !strcmp(tnn_error(), notes[0]), "hook %d: %s, told %d times", hook,
                          tnn_error(), noted);
                    if (threads == 1) snprintf(want, sizeof want, "%s", tnn_error());
                    CHECK(!strcmp(want, tnn_error()) && strstr(want, "test_kernels.c:"),
                          "%d threads: %s, not %s", threads, tnn_error(), want);
                    tnn_clear_error();
                    failing_in = 0;
                    CHECK(!tnn_forward(net, x, n, TNN_TRAIN) && tnn_loss(net, labels) == 0
                          && !tnn_backward(net) && !tnn_step(net), "%s", tnn_error());
                    tnn_free(net);
                }
    tnn_set_logger(NULL, NULL);
}

#if !defined(TINYNN_NO_THREADS) && !defined(_WIN32)
static int mismatched, setters_done;
static void one_logger(void *user, const char *message)
{
    (void)message;
    if (user != (void *)&failing_in) inside_add(&mismatched, 1);
}
static void other_logger(void *user, const char *message)
{
    (void)message;
    if (user != (void *)&loud) inside_add(&mismatched, 1);
}
static void *raise_errors(void *none)
{
    while (!inside_load(&setters_done)) tnn_set_isa("none");
    return none;
}
/* Each logger gets its own `user`, also while another thread sets one. */
static void loggers(void)
{
    pthread_t thread;
    int i;
    if (pthread_create(&thread, NULL, raise_errors, NULL)) return;
    for (i = 0; i < 30000; i++)
        tnn_set_logger(i%2 ? one_logger : other_logger,
                       i%2 ? (void *)&failing_in : (void *)&loud);
    inside_store(&setters_done, 1);
    pthread_join(thread, NULL);
    tnn_set_logger(NULL, NULL);
    CHECK(!mismatched, "%d messages to a logger with another's user", mismatched);
}
#endif

/* ---- The caller's mode of arithmetic --------------------------------------------------------- */
static uint64_t seen;           /* a hash (FNV-1a) of all bytes shown to it */
static void see(const void *bytes, size_t n)
{
    const unsigned char *p = (const unsigned char *)bytes;
    for (; n > 0; n--) seen = (seen ^ *p++)*0x100000001b3u;
}
static void see_number(double x) { see(&x, sizeof x); }
static void see_tensors(void)
{
    static float a[7*33], b[33*5], c[7*5];
    const tnn_tensor A = tnn_tensor_view(a, 7, 33, 1, 1), B = tnn_tensor_view(b, 33, 5, 1, 1);
    const tnn_tensor C = tnn_tensor_view(c, 7, 5, 1, 1);
    int i, tiny;
    for (tiny = 0; tiny < 2; tiny++) {
        for (i = 0; i < 7*33; i++) a[i] = tnn_random_normal(1, 2, (uint64_t)i);
        for (i = 0; i < 33*5; i++) b[i] = tnn_random_normal(3, 4, (uint64_t)i);
        for (i = 0; tiny && i < 33*5; i++) {
            const uint32_t bits = 1u + (uint32_t)i*1234567u%0x7fffffu;      /* denormal */
            memcpy(&b[i], &bits, sizeof bits);
        }
        tnn_matmul(C, A, B, 0);
        see(c, sizeof c);
        c[0] = tnn_sum(B);
        c[1] = tnn_mean(B);
        c[2] = tnn_max(B);
        c[3] = tnn_dot(B, B);
        see(c, sizeof c);
        see_number(tnn_argmax(b, 33*5));
        tnn_softmax(A, A);
        tnn_log_softmax(C, C);
        see(a, sizeof a);
        see(c, sizeof c);
    }
}
static void see_network(int threads)
{
    static unsigned char bytes[40*3*64];
    static float         values[40*3*64];
    static int           labels[40];
    static char          text[400000];
    tnn_data data;
    tnn_loader *batches;
    tnn_net *net = tnn_create(.input = {3, 8, 8}, .batch = 10, .threads = threads, .seed = 5);
    tnn_metrics m;
    int i, epoch;
    for (i = 0; i < 40*3*64; i++)
        bytes[i] = (unsigned char)(tnn_random_bits(1, 1, (uint64_t)i) >> 24);
    for (i = 0; i < 40; i++) labels[i] = i%4;
    data = tnn_data_view(bytes, NULL, labels, 40, 3, 8, 8);
    tnn_normalize(&data, 0.3f, 0.7f);
    tnn_add(net, TNN_CONV2D, .filters = 16, .kernel = 3, .pad = 1, .init = TNN_INIT_TRUNCATED,
            .init_with = {.std = 0.1, .min = -0.2, .max = 0.15});
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_GELU);
    tnn_add(net, TNN_CONV2D, .filters = 16, .kernel = 3, .pad = 1, .init = TNN_INIT_HE_NORMAL);
    tnn_add(net, TNN_SILU);
    tnn_add(net, TNN_AVGPOOL2D, .kernel = 2);
    tnn_add(net, TNN_GAUSSIAN_DROPOUT, .p = 0.1);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 4, .init = TNN_INIT_ORTHOGONAL, .l2 = 1e-3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_NADAM, .lr = 1e-2, .clip_norm = 0.7, .ema = 0.9);
    tnn_set_schedule(net, TNN_COSINE, .lr = 0.01, .steps = 20, .warmup = 3);
    batches = tnn_loader_create(&data, .batch = 10, .shuffle = 1, .seed = 2, .flip = 0.5,
                                .rotate = 12, .shear = 5, .scale_min = 0.9, .scale_max = 1.1,
                                .shift = 0.1, .brightness = 0.2, .contrast = 0.2, .saturation = 0.2,
                                .hue = 0.1, .erase = 0.3, .mixup = 0.4, .cutmix = 0.5, .mix = 0.7);
    for (epoch = 0; epoch < 2; epoch++)
        while (tnn_next(batches)) {
            see_number(tnn_train_batch_targets(net, batches->x, batches->targets, batches->n));
            see(batches->x, (size_t)batches->n*3*64*sizeof(float));
        }
    tnn_use_average(net, 1);
    m = tnn_evaluate(net, &data);
    see_number(m.loss);
    tnn_sample(&data, 3, values, 3*64);
    see(values, 3*64*sizeof(float));
    for (i = 0; i < 30; i++) {
        tnn_schedule s;
        memset(&s, 0, sizeof s);
        s.type = i < 15 ? TNN_POLYNOMIAL : TNN_EXPONENTIAL;
        s.lr = 0.3;
        s.steps = 40;
        if (i < 15) s.power = 1.7;
        else s.gamma = 0.87;
        see_number(tnn_schedule_lr(&s, i));
    }
    see(text, tnn_format_weights(net, text, sizeof text, NULL));
    see(text, tnn_format_c(net, text, sizeof text, NULL));
    see(text, tnn_summary(net, text, sizeof text, 0));
    CHECK(tnn_hash(net) && !tnn_failed(), "%s", tnn_error());
    tnn_loader_free(batches);
    tnn_free(net);
}
static void see_search(void)
{
    static const tnn_variable space[] = {
        { "lr", TNN_FLOAT, 1e-5, 1, 0, 1, NULL, 0 }, { "p", TNN_FLOAT, 0, 0.9, 0.1, 0, NULL, 0 },
        { "units", TNN_INT, 3, 300, 0, 1, NULL, 0 } };
    tnn_study *s = tnn_study_create(.space = space, .count = 3, .trials = 25, .seed = 4);
    tnn_trial *t;
    while ((t = tnn_ask(s)) != NULL) {
        const double lr = tnn_trial_float(t, "lr"), p = tnn_trial_float(t, "p");
        see_number(lr);
        see_number(p);
        see_number(tnn_trial_int(t, "units"));
        tnn_tell(t, lr > 0.01 ? lr : p);       /* a sum here would be rounded by the caller */
    }
    see_number(tnn_study_explained(s, "lr"));
    tnn_study_free(s);
}
static void see_files(void)
{
    static const char csv[] = "0.1,1e-40,3.3333333333333333333,1e38\n-1.7e-3,16777217,1e-45,0.3\n";
    tnn_array a = tnn_parse_csv(csv, sizeof csv - 1);
    int i;
    CHECK(a.data && a.count == 8, "%s", tnn_error());
    for (i = 0; i < 8; i++) see_number(tnn_array_value(&a, i));
    tnn_array_free(&a);
}
static uint64_t everything(int threads)
{
    seen = 0xcbf29ce484222325u;
    see_tensors();
    see_network(threads);
    see_search();
    see_files();
    return seen;
}
/* Whatever the caller's mode is, all results are those of the default, and it stays as it was. */
static void modes(void)
{
    static const int round[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
    const uint64_t want[2] = { everything(1), everything(3) };  /* a summary counts memory */
    int i, k, one, other, wrong = 0, changed = 0, n = 0;
    uint64_t got;
    const int flushes = INSIDE_MODE_BITS == 0xe040u ? 4 : INSIDE_MODE_BITS ? 2 : 1;
    for (i = 0; i < 4; i++)
        for (k = 0; k < flushes; k++) {
            const unsigned bits = INSIDE_MODE_BITS == 0xe040u ? (k & 1 ? 0x8000u : 0) | (k/2)*0x40u
                                                            : (unsigned)k << 24;
            if (i + k == 0) continue;
            fesetround(round[i]);
            inside_set_mode(inside_mode() | bits);
            one = inside_foreign_mode();
            got = everything(n%2 ? 3 : 1) ^ want[n%2];
            n++;
            other = inside_foreign_mode();
            changed += one != other || fegetround() != round[i] || !one;
            inside_set_mode(inside_mode() & ~bits);
            fesetround(FE_TONEAREST);
            wrong += got != 0;
        }
    CHECK(!wrong, "%d modes of %d changed results", wrong, n);
    CHECK(!changed, "%d modes of %d were changed", changed, n);
}

/* ---- Inside the library ---------------------------------------------------------------------- */
static void numbers_as_text(void)
{
    static const double values[] = {0, 1, -1, 0.5, 100, 123456, 1234567, 0.001, 1e-8, 0.1, 2.5e9,
                                    1e20, -0.25, 3.14159265, 999999.5, 1e-5, 65504,
                                    1e300, 2.5e-308, -1.5e-310, 5e-324};
    char text[40];
    int i;
    for (i = 0; i < (int)(sizeof values/sizeof *values); i++) {
        inside_short_text(text, values[i]);
        CHECK(fabs(atof(text) - values[i]) <= 1e-5*fabs(values[i]),
              "%g is printed as %s", values[i], text);
    }
    inside_int_text(text, 39, -9223372036854775807ll - 1);
    CHECK(!strcmp(text, "-9223372036854775808"), "%s", text);
    inside_int_text(text, 5, 123456789);
    CHECK(!strcmp(text, "12345"), "a number longer than its room: %s", text);
}
/* Every type of layer that can be added has a name in summaries, every optimizer a row. */
static void names_of_layers(void)
{
    CHECK(inside_tables(), "a table without a row for each enumerator");
}
/* Zero is the default, TNN_ZERO is zero. */
static void defaults(void)
{
    tnn_net *net = tnn_create(.input = {3});
    const tnn_optimizer *adam;
    tnn_add(net, TNN_DENSE, .units = 2);
    tnn_add(net, TNN_DROPOUT, .p = TNN_ZERO);
    tnn_add(net, TNN_DROPOUT);
    tnn_add(net, TNN_LEAKY_RELU, .slope = TNN_ZERO);
    tnn_add(net, TNN_LEAKY_RELU);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .beta1 = TNN_ZERO);
    adam = inside_optimizer(net);
    CHECK(adam->lr == 1e-3 && adam->beta1 == 0 && adam->beta2 == 0.999 && adam->eps == 1e-8,
          "Adam's defaults");
    tnn_build(net);
    CHECK(inside_p(net, 1) == 0 && inside_p(net, 2) == 0.5f, "dropout's defaults");
    CHECK(inside_slope(net, 3) == 0 && inside_slope(net, 4) == 0.01f, "leaky ReLU's defaults");
    tnn_free(net);
    CHECK(!tnn_failed(), "%s", tnn_error());
}
/* Small images that go Winograd's way are worked together. */
static void images_together(void)
{
    static const int sides[][2] = { {10, 12}, {6, 6}, {18, 14} };
    int i, loss, together;
    for (i = 0; i < 3; i++)
        for (loss = 0; loss < 2; loss++) {
            const int h = sides[i][0], w = sides[i][1];
            tnn_net *net = tnn_create(.input = {192, h, w}, .batch = 7);
            tnn_add(net, TNN_CONV2D, .filters = 192, .kernel = 3, .pad = 1);
            if (loss) tnn_set_loss(net, TNN_MSE);
            CHECK(tnn_build(net) == TNN_OK, "%s", tnn_error());
            together = inside_together(net, 1);
            CHECK((together == 0) == loss, "loss %d goes the wrong way", loss);
            CHECK(loss || together == 112/(h/2*(w/2)), "%d images of %dx%d together", together, h,
                  w);
            tnn_free(net);
        }
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    guard_init();
    while (tnn_isa_name(count)) count++;
    /* these first: gcc at -O1 leaves out vzeroupper, and scalar code behind AVX is then slow */
    RUN("accuracy of the functions of activations", test_functions);
    RUN("accuracy of exp and pow of doubles", test_elementary);
    RUN("matrix products on every instruction set", test_mm);
    RUN("the bounds of Winograd's errors", test_tile_bound);
    RUN("Winograd's way beyond its range", test_tile_range);
    RUN("element kernels on every instruction set", test_elements);
    RUN("pooling kernels on every instruction set", test_pooling);
    RUN("optimizer kernels on every instruction set", test_updates);
    RUN("NaN and infinity in kernels", test_special_values);
    RUN("accuracy of exp, log, cos", test_accuracy);
    RUN("activations and derivatives from 0 to infinity", test_tails);
    RUN("normal numbers", test_normals);
    RUN("Philox known answers", test_philox);
#if !defined(TINYNN_NO_THREADS) && !defined(_WIN32)
    if (!watched && !getenv("TINYNN_EMULATED")) RUN("forks", forks);
    if (!watched && !getenv("TINYNN_EMULATED")) {
        RUN("signals, and the end of helpers", signals);
        RUN("TINYNN_THREADS and TINYNN_ISA", environment);
    }
    RUN("helpers are not ended within a call", shutdown_within);
#ifdef __linux__
    RUN("quotas of control groups", quotas);
    RUN("affinity", affinity);
#endif
    RUN("the thread pool", many_runs);
#endif
    RUN("hooks that fail", failing_hooks);
#if !defined(TINYNN_NO_THREADS) && !defined(_WIN32)
    RUN("loggers that change", loggers);
#endif
    RUN("every rounding mode, and flush to zero", modes);
    RUN("short numbers as text", numbers_as_text);
    RUN("every layer has a name", names_of_layers);
    RUN("defaults of layers and of Adam", defaults);
    RUN("small images together", images_together);
    return test_finish();
}
