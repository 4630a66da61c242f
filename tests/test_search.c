/* test_search.c - hyper-parameter search: TPE's densities, pruners and the normal distribution
   against tests/search_vectors.py; samplers against each other; journals cut anywhere, shared,
   refused; numbers as text. */
#define TINYNN_IMPLEMENTATION
#include "tinynn.h"
#include "test.h"
#include "vectors.h"

#define JOURNAL "build/test_search.tsv"

static const tnn_variable plane[] = {
    { .name = "x", .low = -5, .high = 10 }, { .name = "y", .low = 0, .high = 15 } };
static const tnn_variable mixed[] = {
    { .name = "lr", .low = 1e-5, .high = 1, .log = 1 },
    { .name = "units", .type = TNN_INT, .low = 8, .high = 100, .step = 8 },
    { .name = "width", .type = TNN_INT, .low = 1, .high = 200, .log = 1 },
    { .name = "p", .low = 0, .high = 0.9, .step = 0.1 },
    { .name = "act", .type = TNN_CATEGORICAL, .choices = "relu tanh  elu " } };

static char *slurp(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *text = (char *)calloc(1 << 20, 1);
    *size = f && text ? fread(text, 1, (1 << 20) - 1, f) : 0;
    if (f) fclose(f);
    return text;
}
static void spill(const char *path, const char *text, size_t size)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(text, 1, size, f) == size, "cannot write %s", path);
    if (f) fclose(f);
}

/* ---- numbers --------------------------------------------------------------------------------*/

static void check_text(double v)
{
    char text[64];
    const char *at = text;
    double back = 0;
    uint64_t a, b;
    *tnn__put_exact(text, text + 63, v) = 0;
    CHECK(tnn__read_double(&at, &back) && !*at, "%s is not read", text);
    memcpy(&a, &v, 8);
    memcpy(&b, &back, 8);
    CHECK(v == 0 ? back == 0 : a == b, "%.17g is written %s, read %.17g", v, text, back);
    CHECK(v == strtod(text, NULL), "%.17g is written %s, which strtod reads %.17g", v, text,
          strtod(text, NULL));
}
static void numbers_as_text(void)
{
    static const struct { double v; const char *text; } known[] = {
        { 0.1, "0.1" }, { -0.001, "-0.001" }, { 1e-5, "0.00001" }, { 1e-6, "1e-6" }, { 0, "0" },
        { 100, "100" }, { 123456.75, "123456.75" }, { 1e15, "1000000000000000" }, { 1e16, "1e16" },
        { 1.0/3, "0.3333333333333333" }, { 0.1 + 0.2, "0.30000000000000004" }, { -2.5e-300,
        "-2.5e-300" }, { HUGE_VAL, "inf" }, { -HUGE_VAL, "-inf" }, { 5e-324, "5e-324" } };
    static const char *const bad[] = { "", "-", ".", "e5", "1e", "x", "+1", " 1", "1e400", "1e-", "in" };
    static const struct { double v; const char *text; } given[] = {
        { 0.25, ".25" }, { 3, "3." }, { 1e22, "10000000000000000000000" }, { 0, "0e999" },
        { 0, "1e-999" }, { 1200, "1.2E+3" }, { 0.1, "0.1000000000000000055511151231257827" } };
    char text[64];
    const char *at;
    double v;
    uint64_t u;
    int i;
    for (i = 0; i < (int)(sizeof known/sizeof *known); i++) {
        *tnn__put_exact(text, text + 63, known[i].v) = 0;
        CHECK(!strcmp(text, known[i].text), "%g is written %s, not %s", known[i].v, text,
              known[i].text);
    }
    for (i = 0; i < (int)(sizeof given/sizeof *given); i++) {
        at = given[i].text;
        CHECK(tnn__read_double(&at, &v) && !*at && v == given[i].v, "%s is read as %.17g",
              given[i].text, v);
    }
    for (i = 0; i < (int)(sizeof bad/sizeof *bad); i++) {
        at = bad[i];
        CHECK(!tnn__read_double(&at, &v) || at == bad[i], "\"%s\" is read as a number", bad[i]);
    }
    for (i = 0; i < 20000; i++) {
        u = (uint64_t)tnn_random_bits(5, 1, (uint64_t)i) << 32 | tnn_random_bits(5, 2, (uint64_t)i);
        memcpy(&v, &u, 8);
        if (v - v == 0) check_text(v);
        check_text((double)tnn_random_normal(5, 3, (uint64_t)i)*1e-3);
    }
    for (i = 0; i < 52; i++) check_text(5e-324*(double)((uint64_t)1 << i));
    check_text(DBL_MAX);
    check_text(DBL_MIN);
}

static void normal_distribution(void)
{
    vectors *c;
    array *x, *want;
    double worst = 0;
    int i;
    load("search.txt");
    c = &cases[case_count - 1];
    x = get(c, "x");
    want = get(c, "log_tail");
    for (i = 0; i < x->n; i++)
        worst = TNN__MAX(worst, fabs(tnn__log_tail(x->v[i]) - want->v[i])/TNN__MAX(fabs(want->v[i]), 1));
    x = get(c, "a");
    want = get(c, "log_mass");
    for (i = 0; i < x->n; i++)
        worst = TNN__MAX(worst, fabs(tnn__log_mass(x->v[i], get(c, "b")->v[i]) - want->v[i])
                                /TNN__MAX(fabs(want->v[i]), 1));
    CHECK(worst < 1e-14, "logarithms of tails and masses %g away", worst);
    worst = 0;
    for (i = 0; i < 1000; i++) {            /* quantiles: the mass below them is u */
        const double u = (i + 0.5)/1000, a = -0.01*(i%37)*(i%37), b = 0.02*(i%29)*(i%29) + 0.1;
        const double q = tnn__truncated_normal(a, b, u);
        CHECK(q >= a && q <= b, "%g is not within [%g, %g]", q, a, b);
        worst = TNN__MAX(worst, fabs(tnn__exp_double(tnn__log_mass(a, q) - tnn__log_mass(a, b)) - u));
    }
    CHECK(worst < 2e-14, "shares below quantiles %g away", worst);
    CHECK(tnn__truncated_normal(-3, 3, 0.5) == 0 || fabs(tnn__truncated_normal(-3, 3, 0.5)) < 1e-14,
          "the median is %g", tnn__truncated_normal(-3, 3, 0.5));
}

/* ---- TPE against the script -----------------------------------------------------------------*/

/* The history of a case as a journal: this also tests reading it. */
static tnn_study *study_of(vectors *c, tnn_variable *space)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f" };
    const int n = get(c, "state")->n, count = get(c, "space")->n/5;
    tnn_study *s;
    int i, k;
    for (i = 0; i < count; i++) {
        const double *v = get(c, "space")->v + 5*i;
        memset(&space[i], 0, sizeof space[i]);
        space[i].name = names[i];
        space[i].type = (tnn_variable_type)(int)v[0];
        space[i].low = v[1];
        space[i].high = v[2];
        space[i].step = v[4] ? 0 : v[3];
        space[i].log = (int)v[4];
        if (space[i].type == TNN_CATEGORICAL) space[i].choices = "p q r s";
    }
    remove(JOURNAL);
    for (k = 0; k < 2; k++) {               /* the first writes the header */
        s = tnn_study_create(.space = space, .count = count, .trials = n + 1, .journal = JOURNAL,
                             .maximize = integer(c, "maximize", 0),
                             .prior_weight = get(c, "prior_weight")->v[0],
                             .no_magic_clip = !integer(c, "magic", 0),
                             .endpoints = integer(c, "endpoints", 0));
        CHECK(s, "%s", tnn_error());
        if (!s || k) return s;
        tnn_study_free(s);
        FILE *f = fopen(JOURNAL, "ab");
        for (i = 0; f && i < n; i++) {
            static const char *const states[] = { "", "", "done", "pruned", "failed" };
            const int state = integer(c, "state", i), last = integer(c, "last", i);
            int j, line;
            for (line = last < 0; line < 2; line++) {
                fprintf(f, "%d\t", i);
                for (j = 0; j < count; j++) fprintf(f, "%.17g\t", get(c, "x")->v[i*count + j]);
                fprintf(f, "%d\t%.17g\t0\t%s\n", last, get(c, line ? "value" : "report")->v[i],
                        line ? states[state] : "step");
            }
        }
        if (f) fclose(f);
    }
    return s;
}
static void tpe_densities(void)
{
    int k, i, j;
    double worst = 0;
    load("search.txt");
    for (k = 0; k < case_count; k++) {
        vectors *c = &cases[k];
        tnn_variable space[6];
        tnn_study *s;
        if (strncmp(c->name, "tpe-", 4) || !(s = study_of(c, space))) continue;
        tnn__split_trials(s);
        for (i = 0; i < 6; i++) {
            char key[20];
            const char *what[] = { "l", "g" };
            array *x;
            int side;
            snprintf(key, sizeof key, "candidates%d", i);
            x = get(c, key);
            snprintf(key, sizeof key, "chosen%d", i);
            j = tnn__tpe_choose(s, i, x->v, x->n);
            CHECK(j == integer(c, key, 0), "%s, variable %d: chose %d, not %d", c->name, i, j,
                  integer(c, key, 0));
            for (side = 0; side < 2; side++) {
                snprintf(key, sizeof key, "%s%d", what[side], i);
                for (j = 0; j < x->n; j++) {
                    const double got = tnn__parzen_log(s, i, side ? &s->rest : &s->good, x->v[j]);
                    const double error = fabs(got - get(c, key)->v[j]);
                    CHECK(error < 1e-9, "%s %s[%d]: %.12g, not %.12g", c->name, key, j, got,
                          get(c, key)->v[j]);
                    worst = TNN__MAX(worst, error);
                }
            }
        }
        tnn_study_free(s);
    }
    snprintf(test.note, sizeof test.note, "largest error %.1e", worst);
    CHECK(worst > 0, "nothing was compared");
    CHECK(!tnn_failed(), "%s", tnn_error());
}

static void pruners(void)
{
    int k, i, j;
    load("search.txt");
    for (k = 0; k < case_count; k++) {
        vectors *c = &cases[k];
        tnn_study *s;
        tnn_trial *t;
        int n, trials;
        if (strncmp(c->name, "prune-", 6)) continue;
        n = get(c, "steps")->n;
        trials = get(c, "stopped")->n;
        s = tnn_study_create(.space = plane, .count = 2, .trials = trials, .sampler = TNN_RANDOM,
                             .maximize = integer(c, "maximize", 0),
                             .pruner = (tnn_pruner)integer(c, "pruner", 0),
                             .prune_startup = integer(c, "startup", 0),
                             .warmup = integer(c, "warmup", 0),
                             .interval = integer(c, "interval", 0),
                             .min_resource = integer(c, "min_resource", 0),
                             .factor = integer(c, "factor", 0),
                             .min_rate = integer(c, "min_rate", 0));
        CHECK(s, "%s", tnn_error());
        for (i = 0; (t = tnn_ask(s)) != NULL; i++) {
            int stopped = 0;
            for (j = 0; j < n && !stopped; j++)
                if (tnn_report(t, integer(c, "steps", j), get(c, "curves")->v[i*n + j]))
                    stopped = j + 1;
            CHECK(stopped == integer(c, "stopped", i), "%s: trial %d stopped at %d, not %d",
                  c->name, i, stopped, integer(c, "stopped", i));
            tnn_tell(t, t->reports[t->count - 1].value);
            CHECK(t->state == (t->value != t->value ? TNN_FAILED : stopped ? TNN_PRUNED : TNN_DONE),
                  "%s: trial %d has state %d", c->name, i, (int)t->state);
        }
        CHECK(i == trials, "%s: %d trials", c->name, i);
        tnn_study_free(s);
    }
    CHECK(!tnn_failed(), "%s", tnn_error());
}

/* ---- samplers -------------------------------------------------------------------------------*/

static double sphere(const tnn_trial *t)
{
    return (t->x[0] - 1)*(t->x[0] - 1) + (t->x[1] - 9)*(t->x[1] - 9);
}
static double branin(const tnn_trial *t)        /* Dixon and Szego 1978; least 0.397887 */
{
    const double x = t->x[0], y = t->x[1] - 0.129184*x*x + 1.591549*x - 6;
    return y*y + 9.602113*cos(x) + 10;
}
static double rosenbrock(const tnn_trial *t)
{
    const double x = t->x[0]/5, y = t->x[1]/5;
    return 100*(y - x*x)*(y - x*x) + (1 - x)*(1 - x);
}
static double tuning(const tnn_trial *t)        /* as of a network: the best lr depends on act */
{
    const double lr = log10(tnn_trial_float(t, "lr")) + 3 - tnn_trial_choice(t, "act")*0.5;
    const double units = tnn_trial_int(t, "units")/64.0 - 1, p = tnn_trial_float(t, "p") - 0.3;
    const double width = log(tnn_trial_int(t, "width")/20.0);
    return lr*lr + units*units + 4*p*p + 0.2*width*width + 0.3*(tnn_trial_choice(t, "act") != 1);
}
static double best_of(const tnn_variable *space, int count, tnn_sampler sampler, int seed,
                      double (*f)(const tnn_trial *))
{
    tnn_study *s = tnn_study_create(.space = space, .count = count, .sampler = sampler,
                                    .seed = (uint64_t)seed);
    tnn_trial *t;
    double best = NAN;
    while ((t = tnn_ask(s)) != NULL) tnn_tell(t, f(t));
    if (tnn_study_best(s)) best = tnn_study_best(s)->value;
    tnn_study_free(s);
    return best;
}
static int rising(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}
static void tpe_beats_random(void)
{
    static const struct {
        const char *name;
        const tnn_variable *space;
        int count;
        double (*f)(const tnn_trial *);
    } functions[] = { { "sphere", plane, 2, sphere }, { "branin", plane, 2, branin },
                      { "rosenbrock", plane, 2, rosenbrock }, { "tuning", mixed, 5, tuning } };
    int i, seed, sampler, used = 0;
    for (i = 0; i < 4; i++) {
        double best[2][30];
        for (sampler = 0; sampler < 2; sampler++) {
            for (seed = 0; seed < 30; seed++)
                best[sampler][seed] = best_of(functions[i].space, functions[i].count,
                                              sampler ? TNN_RANDOM : TNN_TPE, seed, functions[i].f);
            qsort(best[sampler], 30, sizeof(double), rising);
        }
        CHECK(best[0][14] + best[0][15] < best[1][14] + best[1][15],
              "%s: median of the best, TPE %g, random %g", functions[i].name,
              (best[0][14] + best[0][15])/2, (best[1][14] + best[1][15])/2);
        used += snprintf(test.note + used, sizeof test.note - (size_t)used, "%s %.2g:%.2g ",
                         functions[i].name, (best[0][14] + best[0][15])/2,
                         (best[1][14] + best[1][15])/2);
    }
    CHECK(!tnn_failed(), "%s", tnn_error());
}
