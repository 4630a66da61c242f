/* test_search.c - hyper-parameter search: TPE's densities, pruners and the normal distribution
   against tests/search_vectors.py; samplers against each other; journals cut anywhere, shared,
   refused; numbers as text. */
#include <stdlib.h>
static int allocations_left = -1;       /* until one fails; -1: none does */
#define TINYNN_MALLOC(context, bytes) (allocations_left >= 0 && !allocations_left-- ? NULL \
                                                                                 : malloc(bytes))
#define TINYNN_FREE(context, pointer) free(pointer)
#if defined __unix__ || defined __APPLE__
#include <unistd.h>
#define fsync(file) ((void)(file), 0)   /* thousands of times: without waiting for a disk */
#endif
#define TINYNN_NO_SIMD                  /* nothing here runs a kernel: it compiles sooner */
#include "inside.h"
#include "test.h"
#include "vectors.h"
#include "files.h"

#define JOURNAL "build/test_search.tsv"

static const tnn_variable plane[] = {
    { .name = "x", .low = -5, .high = 10 }, { .name = "y", .low = 0, .high = 15 } };
static const tnn_variable mixed[] = {
    { .name = "lr", .low = 1e-5, .high = 1, .log = 1 },
    { .name = "units", .type = TNN_INT, .low = 8, .high = 100, .step = 8 },
    { .name = "act", .type = TNN_CATEGORICAL, .choices = "relu tanh  elu " },
    { .name = "width", .type = TNN_INT, .low = 1, .high = 200, .log = 1 },
    { .name = "p", .low = 0, .high = 0.9, .step = 0.1 } };

/* ---- numbers --------------------------------------------------------------------------------*/

static void check_text(double v)
{
    char text[64];
    double back = 0;
    uint64_t a, b;
    size_t read;
    inside_exact_text(text, v);
    CHECK(inside_read(text, &back, &read) && !text[read], "%s is not read", text);
    memcpy(&a, &v, 8);
    memcpy(&b, &back, 8);
    CHECK(v == 0 ? back == 0 : a == b, "%.17g is written %s, read %.17g", v, text, back);
    CHECK(v == strtod(text, NULL), "%.17g is written %s, which strtod reads %.17g", v, text,
          strtod(text, NULL));
}
static void numbers_as_text(void)
{
    const struct { double v; const char *text; } known[] = {
        { 0.1, "0.1" }, { -0.001, "-0.001" }, { 1e-5, "0.00001" }, { 1e-6, "1e-6" }, { 0, "0" },
        { 100, "100" }, { 123456.75, "123456.75" }, { 1e15, "1000000000000000" }, { 1e16, "1e16" },
        { 1.0/3, "0.3333333333333333" }, { 0.1 + 0.2, "0.30000000000000004" }, { -2.5e-300,
        "-2.5e-300" }, { HUGE_VAL, "inf" }, { -HUGE_VAL, "-inf" } };
    static const char *const bad[] = { "", "-", ".", "e5", "1e", "x", "+1", " 1", "1e400",
                                      "1e-", "in" };
    const struct { double v; const char *text; } given[] = {
        { 0.25, ".25" }, { 3, "3." }, { 1e22, "10000000000000000000000" }, { 0, "0e999" },
        { 0, "1e-999" }, { 1200, "1.2E+3" }, { 0.1, "0.1000000000000000055511151231257827" } };
    char text[64];
    double v;
    uint64_t u;
    size_t read;
    int i;
    for (i = 0; i < (int)(sizeof known/sizeof *known); i++) {
        inside_exact_text(text, known[i].v);
        CHECK(!strcmp(text, known[i].text), "%g is written %s, not %s", known[i].v, text,
              known[i].text);
    }
    for (i = 0; i < (int)(sizeof given/sizeof *given); i++)
        CHECK(inside_read(given[i].text, &v, &read) && !given[i].text[read] && v == given[i].v,
              "%s is read as %.17g", given[i].text, v);
    for (i = 0; i < (int)(sizeof bad/sizeof *bad); i++)
        CHECK(!inside_read(bad[i], &v, &read) || !read, "\"%s\" is read as a number", bad[i]);
    for (i = 0; i < 5000; i++) {
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
        worst = fmax(worst, fabs(inside_log_tail(x->v[i]) - want->v[i])
                                /fmax(fabs(want->v[i]), 1));
    x = get(c, "a");
    want = get(c, "log_mass");
    for (i = 0; i < x->n; i++)
        worst = fmax(worst, fabs(inside_log_mass(x->v[i], get(c, "b")->v[i]) - want->v[i])
                                /fmax(fabs(want->v[i]), 1));
    snprintf(test.note, sizeof test.note, "largest error %.1e", worst);
    CHECK(worst < 1e-14, "logarithms of tails and masses %g away", worst);
    worst = 0;
    for (i = 0; i < 1000; i++) {            /* quantiles: the mass below them is u */
        const double u = (i + 0.5)/1000, a = -0.01*(i%37)*(i%37), b = 0.02*(i%29)*(i%29) + 0.1;
        const double q = inside_quantile(a, b, u);
        CHECK(q >= a && q <= b, "%g is not within [%g, %g]", q, a, b);
        worst = fmax(worst, fabs(inside_exp(inside_log_mass(a, q) - inside_log_mass(a, b))
                                     - u));
    }
    CHECK(worst < 2e-14, "shares below quantiles %g away", worst);
    CHECK(fabs(inside_quantile(-3, 3, 0.5)) < 1e-14, "the median is %g",
          inside_quantile(-3, 3, 0.5));
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
        space[i].type = v[0] > 1 ? TNN_CATEGORICAL : v[0] > 0 ? TNN_INT : TNN_FLOAT;
        if (space[i].type == TNN_CATEGORICAL) { space[i].choices = "p q r s"; continue; }
        space[i].low = v[1];
        space[i].high = v[2];
        space[i].step = v[4] > 0 ? 0 : v[3];
        space[i].log = (int)v[4];
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
        inside_split(s, 0);
        for (i = 0; i < 6; i++) {
            double *x = get(c, "candidates")->v + 24*i;
            int side;
            j = inside_choose(s, i, x, 24);
            inside_fit_rest(s, i);
            CHECK(j == integer(c, "chosen", i), "%s, variable %d: chose %d, not %d", c->name, i, j,
                  integer(c, "chosen", i));
            for (side = 0; side < 2; side++)
                for (j = 0; j < 24; j++) {
                    const double want = get(c, side ? "g" : "l")->v[24*i + j];
                    const double got = inside_density(s, i, side, x[j]);
                    CHECK(fabs(got - want) < 2e-9, "%s, variable %d: %s of candidate %d is %.12g, "
                          "not %.12g", c->name, i, side ? "g" : "l", j, got, want);
                    worst = fmax(worst, fabs(got - want));
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
                             .pruner = integer(c, "pruner", 0) > 1 ? TNN_HALVING
                                       : integer(c, "pruner", 0) ? TNN_MEDIAN : TNN_NO_PRUNER,
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

/* An infinite report is a value as others: the median of five at a step is the third. */
static void median_of_infinite(void)
{
    static const double told[] = { 3, HUGE_VAL, 1, -HUGE_VAL, 2, 2.5, 1.5, HUGE_VAL, -HUGE_VAL };
    static const int stops[] = { 0, 0, 0, 0, 0, 1, 0, 1, 0 };
    tnn_study *s = tnn_study_create(.space = plane, .count = 2, .trials = 9, .sampler = TNN_RANDOM,
                                    .pruner = TNN_MEDIAN);
    tnn_trial *t;
    while ((t = tnn_ask(s)) != NULL) {
        const int stop = tnn_report(t, 0, told[t->number]);
        CHECK(stop == stops[t->number], "trial %d: %d after %g", t->number, stop, told[t->number]);
        t->stop = 1;                    /* the median stays that of the first five */
        tnn_tell(t, told[t->number]);
        if (t->number < 5) t->state = TNN_DONE;
    }
    tnn_study_free(s);
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
static double tuning(const tnn_trial *t)        /* as of a network: the best lr depends on act */
{
    const double lr = log10(tnn_trial_float(t, "lr")) + 3 - tnn_trial_choice(t, "act")*0.5;
    const double units = tnn_trial_int(t, "units")/64.0 - 1;
    return lr*lr + units*units + 0.3*(tnn_trial_choice(t, "act") != 1);
}
static double tuning_all(const tnn_trial *t)    /* all five variables of `mixed` */
{
    const double p = tnn_trial_float(t, "p") - 0.3, width = log(tnn_trial_int(t, "width")/20.0);
    double y = tuning(t);
    y += 4*p*p + 0.2*width*width;
    return y;
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
                      { "tuning", mixed, 3, tuning } };
    int i, seed, sampler, used = 0;
    for (i = 0; i < 3; i++) {
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

/* Every value that random search and TPE draw is in the space; together they reach all of it. */
static void draws_in_range(void)
{
    int sampler, i;
    for (sampler = 0; sampler < 2; sampler++) {
        tnn_study *s = tnn_study_create(.space = mixed, .count = 5, .trials = 300,
                                        .startup = sampler ? 0 : 100, .seed = 3,
                                        .sampler = sampler ? TNN_RANDOM : TNN_TPE);
        tnn_trial *t;
        int seen[5][201] = { { 0 } };
        while ((t = tnn_ask(s)) != NULL) {
            const double lr = tnn_trial_float(t, "lr"), p = tnn_trial_float(t, "p")*10;
            const int units = tnn_trial_int(t, "units"), width = tnn_trial_int(t, "width");
            const int act = tnn_trial_choice(t, "act");
            CHECK(lr >= 1e-5 && lr <= 1, "lr %g", lr);
            CHECK(units >= 8 && units <= 96 && units%8 == 0, "units %d", units);
            CHECK(width >= 1 && width <= 200, "width %d", width);
            CHECK(p >= 0 && p <= 9 && fabs(p - floor(p + 0.5)) < 1e-12, "p %g", p);
            CHECK(act >= 0 && act < 3, "act %d", act);
            seen[0][(int)(-log10(lr))] = seen[1][units/8] = seen[2][width] = 1;
            seen[3][(int)(p + 0.5)] = seen[4][act] = 1;
            tnn_tell(t, lr + units);
        }
        for (i = 0; i < 5; i++) CHECK(seen[0][i], "no lr in 1e-%d", i);
        for (i = 1; i <= 12; i++) CHECK(seen[1][i], "never %d units", 8*i);
        for (i = 1; i <= 5; i++) CHECK(seen[2][i], "never width %d", i);
        for (i = 0; i < 10; i++) CHECK(seen[3][i], "never p 0.%d", i);
        for (i = 0; i < 3; i++) CHECK(seen[4][i], "never choice %d", i);
        tnn_study_free(s);
    }
}

static void grid(void)
{
    static const tnn_variable space[] = {
        { .name = "lr", .low = 1e-4, .high = 1, .log = 1, .points = 5 },
        { .name = "n", .type = TNN_INT, .low = 3, .high = 9, .step = 3 },
        { .name = "c", .type = TNN_CATEGORICAL, .choices = "no yes" },
        { .name = "one", .low = 7, .high = 7, .points = 1 } };
    tnn_study *s = tnn_study_create(.space = space, .count = 4, .sampler = TNN_GRID);
    tnn_trial *t;
    double lr = 1e-4;
    int k;
    CHECK(s, "%s", tnn_error());
    for (k = 0; (t = tnn_ask(s)) != NULL; k++) {
        if (k && k%6 == 0) lr *= 10;
        CHECK(fabs(t->x[0]/lr - 1) < 1e-13 && t->x[1] == 3 + 3*(k/2%3) && t->x[2] == k%2
              && t->x[3] == 7, "trial %d: %g %g %g %g", k, t->x[0], t->x[1], t->x[2], t->x[3]);
        tnn_tell(t, k == 17 ? -1 : k);
    }
    CHECK(k == 30, "%d trials", k);
    CHECK(tnn_study_best(s) && tnn_study_best(s)->number == 17, "the best is not trial 17");
    CHECK(tnn_study_trial(s, 29) && !tnn_study_trial(s, 30) && !tnn_study_trial(s, -1), "trials");
    tnn_study_free(s);
    s = tnn_study_create(.space = space, .count = 4, .sampler = TNN_GRID, .trials = 4);
    for (k = 0; (t = tnn_ask(s)) != NULL; k++) tnn_tell(t, 0);
    CHECK(k == 4, "%d trials of 4", k);
    tnn_study_free(s);
}

static void explained_variance(void)
{
    tnn_study *s = tnn_study_create(.space = mixed, .count = 5, .sampler = TNN_RANDOM,
                                    .trials = 400);
    tnn_trial *t;
    double x;
    CHECK(isnan(tnn_study_explained(s, "lr")) && !tnn_failed(), "explained without trials");
    while ((t = tnn_ask(s)) != NULL)
        tnn_tell(t, t->number == 7 ? HUGE_VAL : t->number == 8 ? NAN : 1e6 + 3*t->x[2]
                    + 0.1*tnn_random_normal(1, 1, (uint64_t)t->number) + log10(t->x[0])*0.5);
    /* variances: 9*2/3 = 6 and 25/12/4 = 0.52 */
    x = tnn_study_explained(s, "act");
    CHECK(fabs(x - 6/6.53) < 0.03, "act explains %g", x);
    x = tnn_study_explained(s, "lr");
    CHECK(x > 0.02 && x < 0.15, "lr explains %g", x);
    x = tnn_study_explained(s, "units");
    CHECK(x >= 0 && x < 0.04, "units explain %g", x);
    tnn_study_free(s);
}

/* ---- journals -------------------------------------------------------------------------------*/

#define STUDY(...) tnn_study_create(.space = mixed, .count = 5, .maximize = 1, .seed = 9, \
                                    .startup = 5, .pruner = TNN_HALVING, .factor = 2, \
                                    .min_resource = 1, .journal = JOURNAL, __VA_ARGS__)
/* Runs trials of a study, at most `most`; in the last of them stops after `reports`. */
static int run_trials(tnn_study *s, int most, int reports)
{
    tnn_trial *t;
    int n = 0;
    while (n < most && (t = tnn_ask(s)) != NULL) {
        double v = 0;
        int e;
        n++;
        for (e = 0; e < 3; e++) {
            if (n == most && e == reports) return n;
            v = -tuning_all(t)*(1 + 1.0/(e + 1));
            if (tnn_report(t, e, v)) break;
        }
        tnn_tell(t, t->number == 4 ? NAN : v);
    }
    return n;
}
/* All that two studies of `mixed` know of their trials, to the bit. */
static int same_trials(const tnn_study *a, const tnn_study *b)
{
    int k;
    for (k = 0; tnn_study_trial(a, k) || tnn_study_trial(b, k); k++) {
        const tnn_trial *s = tnn_study_trial(a, k), *t = tnn_study_trial(b, k);
        if (!s || !t || s->state != t->state
            || (s->state != TNN_FAILED && memcmp(&s->value, &t->value, 8))
            || memcmp(s->x, t->x, 5*sizeof(double)) || s->count != t->count
            || (s->count && memcmp(s->reports, t->reports, (size_t)s->count*sizeof *s->reports)))
            return 0;
    }
    return 1;
}
static void journal_repeats(void)
{
    char *one, *two;
    size_t n, m;
    tnn_study *s, *t;
    remove(JOURNAL);
    s = STUDY(.trials = 40);
    CHECK(run_trials(s, 1000, 99) == 40, "not 40 trials: %s", tnn_error());
    one = slurp(JOURNAL, &n);
    CHECK(n > 2000 && !strncmp(one, "# tinynn study, maximize, tpe seed 9; lr float 0.00001 1 log; "
                               "units int 8 96 step 8; act relu tanh  elu ; width int 1 200 step 1 "
                               "log; p float 0 0.9 step 0.1\ntrial\tlr\tunits\tact\twidth\tp\t"
                               "step\tvalue\trung\tstate\n0\t", 180), "it begins %.300s", one);
    t = STUDY(.trials = 40);            /* read back: nothing is left to do, and nothing written */
    CHECK(t && same_trials(s, t) && !tnn_ask(t), "read back it is another");
    tnn_study_free(t);
    tnn_study_free(s);
    two = slurp(JOURNAL, &m);
    CHECK(n == m && !memcmp(one, two, n), "reading has changed it");
    free(two);
    remove(JOURNAL);
    s = STUDY(.trials = 40);
    run_trials(s, 1000, 99);
    two = slurp(JOURNAL, &m);
    CHECK(n == m && !memcmp(one, two, n), "the same study writes other bytes");
    t = tnn_study_create(.space = mixed, .count = 5, .maximize = 1, .seed = 9, .startup = 5,
                         .pruner = TNN_HALVING, .factor = 2, .min_resource = 1, .trials = 40);
    run_trials(t, 1000, 99);
    CHECK(same_trials(s, t), "in memory it is another");
    tnn_study_free(t);
    tnn_study_free(s);
    free(one);
    free(two);
}
/* The journal's bytes are the same on every machine: an objective without products that a compiler
   could fuse, and a hash that was written down. */
static void journal_bytes(void)
{
    tnn_study *s;
    tnn_trial *t;
    char *text;
    size_t n, i;
    uint64_t hash = 14695981039346656037u;      /* FNV-1a */
    remove(JOURNAL);
    s = STUDY(.trials = 60);
    while ((t = tnn_ask(s)) != NULL) {
        double v = fabs(tnn_trial_float(t, "lr") - 0.125) + fabs(tnn_trial_float(t, "p") - 0.25);
        int e, stop = 0;
        v += abs(tnn_trial_int(t, "units") - 64)/64.0 + abs(tnn_trial_int(t, "width") - 20)/200.0;
        for (e = 0; e < 4 && !stop; e++)
            stop = tnn_report(t, e, -v - (tnn_trial_choice(t, "act") != 1)/(e + 1.0));
        tnn_tell(t, -v);
    }
    tnn_study_free(s);
    text = slurp(JOURNAL, &n);
    for (i = 0; i < n; i++) hash = (hash ^ (unsigned char)text[i])*1099511628211u;
    CHECK(hash == 0xc309a8eb9ed593d3u, "%d bytes of hash %llx", (int)n, (unsigned long long)hash);
    free(text);
}
/* The journal of 7 trials cut after every byte, and the study taken up from there. */
static void journal_cut_anywhere(void)
{
    char *whole;
    size_t n, cut;
    tnn_study *full;
    int run;
    remove(JOURNAL);
    full = STUDY(.trials = 7);
    run_trials(full, 7, 99);
    whole = slurp(JOURNAL, &n);
    for (cut = 0; cut <= n && !test.failures; cut++) {
        tnn_study *s, *again;
        size_t i, done = 0;
        spill(JOURNAL, whole, cut);
        for (i = 10; i + 1 < cut; i++)      /* trials whose line is there with its end */
            done += whole[i + 1] == '\n' && (!strncmp(whole + i - 4, "\tdone", 5)
                                             || !strncmp(whole + i - 6, "\tpruned", 7)
                                             || !strncmp(whole + i - 6, "\tfailed", 7));
        s = STUDY(.trials = 7);
        run = run_trials(s, 99, 99);
        CHECK(s && run == 7 - (int)done, "cut at %d: %d trials run, %d had ended; %s", (int)cut,
              run, (int)done, tnn_error());
        again = STUDY(.trials = 7);
        CHECK(s && again && same_trials(s, full) && same_trials(again, full),
              "cut at %d it becomes another", (int)cut);
        tnn_study_free(s);
        tnn_study_free(again);
    }
    CHECK(cut > n, "stopped at %d of %d", (int)cut, (int)n);
    free(whole);
    tnn_study_free(full);
}
/* Given up within a trial, again and again, by a process that goes on from the journal. */
static void journal_taken_up(void)
{
    tnn_study *full, *s = NULL;
    int i, runs = 0;
    full = tnn_study_create(.space = mixed, .count = 5, .maximize = 1, .seed = 9, .startup = 5,
                            .pruner = TNN_HALVING, .factor = 2, .min_resource = 1, .trials = 30);
    run_trials(full, 99, 99);
    remove(JOURNAL);
    for (i = 0; i < 100; i++) {
        s = STUDY(.trials = 30);
        if (run_trials(s, 2, i%3) == 0) break;
        tnn_study_free(s);
        runs++;
    }
    CHECK(runs > 20 && runs < 100 && same_trials(s, full), "after %d runs it is another", runs);
    tnn_study_free(s);
    tnn_study_free(full);
}
static void journal_shared(void)
{
    int n, i, k;
    for (n = 2; n <= 3; n++) {
        tnn_study *s[3], *all;
        tnn_trial *t[3] = { 0 };
        int ran[31] = { 0 }, left = n, turn;
        remove(JOURNAL);
        for (i = 0; i < n; i++) {
            s[i] = STUDY(.trials = 31, .shard = i, .shards = n);
            CHECK(s[i], "%s", tnn_error());
            if (!s[i]) return;
        }
        /* steps of them in random order; one is killed now and then, and leaves half a line */
        for (turn = 0; left && turn < 5000; turn++) {
            const uint32_t r = tnn_random_bits(2, (uint64_t)n, (uint64_t)turn);
            i = (int)(r%(uint32_t)n);
            if (!s[i]) continue;
            if (r >> 8 < 1 << 18) {
                FILE *f = fopen(JOURNAL, "ab");
                if (f) { fputs("5\t0.1", f); fclose(f); }
                if (t[i]) ran[t[i]->number] = 0;
                t[i] = NULL;
                tnn_study_free(s[i]);
                s[i] = STUDY(.trials = 31, .shard = i, .shards = n);
                if (!s[i]) break;
            } else if (!t[i]) {
                t[i] = tnn_ask(s[i]);
                if (t[i]) ran[t[i]->number]++;
                else { tnn_study_free(s[i]); s[i] = NULL; left--; }
            } else {
                const int e = t[i]->count;
                const double v = -tuning_all(t[i])*(1 + 1.0/(e + 1));
                if (tnn_report(t[i], e, v) || e == 2) { tnn_tell(t[i], v); t[i] = NULL; }
            }
        }
        CHECK(!left, "not at an end: %s", tnn_error());
        all = STUDY(.trials = 31);
        for (k = 0; all && k < 31; k++)
            CHECK(ran[k] == 1 && tnn_study_trial(all, k)->state >= TNN_DONE, "%d shards: trial %d "
                  "ran %d times, has state %d", n, k, ran[k], (int)tnn_study_trial(all, k)->state);
        tnn_study_free(all);
    }
    CHECK(!tnn_failed(), "%s", tnn_error());
}

/* Two processes without shards: who tells a trial first has it, as it is; the other learns why. */
static void journal_of_two(void)
{
    tnn_study *a, *b, *c;
    tnn_trial *t, *u;
    const tnn_trial *told;
    remove(JOURNAL);
    a = tnn_study_create(.space = plane, .count = 2, .journal = JOURNAL, .seed = 1, .startup = 1);
    b = tnn_study_create(.space = plane, .count = 2, .journal = JOURNAL, .seed = 1, .startup = 1);
    t = tnn_ask(a);
    u = tnn_ask(b);
    CHECK(t && u && t->number == 0 && u->number == 0, "%s", tnn_error());
    if (!t || !u) return;
    CHECK(!tnn_tell(t, 1) && !tnn_tell(u, 1), "the same line twice: %s", tnn_error());
    t = tnn_ask(a);
    u = tnn_ask(b);
    CHECK(!tnn_report(t, 3, 7) && tnn_report(u, 0, 9) && strstr(tnn_error(), ".shard"), "%s",
          tnn_error());
    tnn_clear_error();
    CHECK(!tnn_tell(t, 2) && tnn_tell(u, 3) && strstr(tnn_error(), "trial 1"), "%s", tnn_error());
    tnn_clear_error();
    c = tnn_study_create(.space = plane, .count = 2, .journal = JOURNAL, .seed = 1);
    told = tnn_study_trial(c, 1);
    CHECK(told && told->value == 2 && told->count == 1 && told->reports[0].value == 7,
          "trial 1 has %g", told ? told->value : 0);
    tnn_study_free(a);
    tnn_study_free(b);
    tnn_study_free(c);
}
/* Trials whose end is told again, as another one, by another process: who has the study open asks
   what one that reads the whole journal asks. */
static void journal_told_again(void)
{
    static const char *const ends[][4] = {
        { "failed" }, { "done" }, { "failed", "failed", "done" },
        { "done", "failed", "done", "done" }, { "pruned", "failed" },
        { "failed", "done", "failed", "pruned" } };
    tnn_study *one;
    int k, i, j, asked = 0;
    remove(JOURNAL);
    one = tnn_study_create(.space = plane, .count = 2, .journal = JOURNAL, .trials = 330,
                           .candidates = 6);
    for (k = 0; k < 330 && one && !test.failures; k++) {
        tnn_study *two = NULL;
        tnn_trial *t, *u;
        if (k > 20 && k%9 == 0) {
            FILE *f = fopen(JOURNAL, "ab");
            for (i = 0; f && i < 3; i++) {
                const uint32_t r = tnn_random_bits(8, (uint64_t)k, (uint64_t)i);
                const tnn_trial *told = tnn_study_trial(one, (int)(r%(uint32_t)k));
                for (j = 0; j < 4 && ends[r/1000%6][j]; j++)
                    fprintf(f, "%d\t%.17g\t%.17g\t-1\t%d\t0\t%s\n", told->number, told->x[0],
                            told->x[1], (int)(r/7000%90) + j, ends[r/1000%6][j]);
            }
            if (f) fclose(f);
            two = tnn_study_create(.space = plane, .count = 2, .journal = JOURNAL, .trials = 330,
                                   .candidates = 6);
        }
        t = tnn_ask(one);
        CHECK(t, "%s", tnn_error());
        if (!t) break;
        u = two ? tnn_ask(two) : NULL;
        CHECK(!two || (u && u->number == t->number && !memcmp(u->x, t->x, 2*sizeof *t->x)),
              "trial %d is another to who reads all", t->number);
        asked += two != NULL;
        tnn_study_free(two);
        tnn_tell(t, t->number%11 == 3 ? NAN : sphere(t));
    }
    CHECK(asked == 34, "%d times", asked);
    tnn_study_free(one);
    remove(JOURNAL);
}
/* A user's file under that name, with and without an end of its line: refused, and as it was. */
static void journal_that_is_none(void)
{
    static const struct { const char *text; size_t size; } files[] = {
        { "a thesis", 8 }, { "a thesis\nof two lines", 21 }, { "\n", 1 }, { "a\0b\n", 4 },
        { "# tinynn study, maxi", 20 }, { "# tinynn study\n", 15 } };
    size_t i, n;
    for (i = 0; i < sizeof files/sizeof *files; i++) {
        char *text;
        spill(JOURNAL, files[i].text, files[i].size);
        CHECK(!tnn_study_create(.space = plane, .count = 2, .journal = JOURNAL)
              && tnn_failed() == TNN_ERROR_FORMAT, "file %d is taken for a journal", (int)i);
        tnn_clear_error();
        text = slurp(JOURNAL, &n);
        CHECK(n == files[i].size && !memcmp(text, files[i].text, n), "file %d is another", (int)i);
        free(text);
    }
    remove(JOURNAL);
}

static void refused(const char *part, tnn_study *s)
{
    CHECK(!s && tnn_failed() && strstr(tnn_error(), part), "\"%s\" should be about %s", tnn_error(),
          part);
    tnn_clear_error();
    tnn_study_free(s);
}
#define REFUSED(part, ...) refused(part, tnn_study_create(__VA_ARGS__))
#define VARIABLE(part, ...) do { const tnn_variable one[] = { { .name = "v", __VA_ARGS__ } }; \
                                 REFUSED(part, .space = one, .count = 1); } while (0)
static void bad_options(void)
{
    static const tnn_variable twice[] = { { .name = "a", .high = 1 }, { .name = "a", .high = 1 } };
    static char longest[9000];
    tnn_variable v = { .name = "a b", .high = 1 }, more[3] = { [2] = { .name = "z", .high = 1 } };
    tnn_study *s;
    tnn_trial *t = NULL;
    REFUSED("space", .count = 1);
    REFUSED(".count = 0", .space = plane);
    REFUSED(".count = 65", .space = plane, .count = 65);
    REFUSED("both called a", .space = twice, .count = 2);
    REFUSED("a b", .space = &v, .count = 1);
    v.name = NULL;
    REFUSED(".name", .space = &v, .count = 1);
    VARIABLE(".low = 2", .low = 2, .high = 1);
    VARIABLE(".low = nan", .low = NAN, .high = 1);
    VARIABLE(".high = inf", .low = 0, .high = HUGE_VAL);
    VARIABLE("at least", .low = 0, .high = 1, .log = 1);
    VARIABLE(".step = 0.1", .low = 1, .high = 2, .step = 0.1, .log = 1);
    VARIABLE(".step = -1", .low = 1, .high = 2, .step = -1);
    VARIABLE("whole", .type = TNN_INT, .low = 0.5, .high = 2);
    VARIABLE("whole", .type = TNN_INT, .low = 0, .high = 2, .step = 0.5);
    VARIABLE("at least 1", .type = TNN_INT, .low = 0, .high = 2, .log = 1);
    VARIABLE("words", .type = TNN_CATEGORICAL);
    VARIABLE("words", .type = TNN_CATEGORICAL, .choices = "  ");
    VARIABLE("words", .type = TNN_CATEGORICAL, .choices = "a\tb");
    VARIABLE("3 is not a type of variable", .type = (tnn_variable_type)3);
    REFUSED("points", .space = plane, .count = 2, .sampler = TNN_GRID);
    REFUSED("3 is not a sampler", .space = plane, .count = 2, .sampler = (tnn_sampler)3);
    REFUSED("3 is not a pruner", .space = plane, .count = 2, .pruner = (tnn_pruner)3);
    REFUSED("trials", .space = plane, .count = 2, .trials = -1);
    REFUSED("shard = 2", .space = plane, .count = 2, .shard = 2, .shards = 2, .journal = JOURNAL);
    REFUSED("journal to share", .space = plane, .count = 2, .shards = 2);
    REFUSED("candidates", .space = plane, .count = 2, .candidates = -1);
    REFUSED("prior_weight", .space = plane, .count = 2, .prior_weight = NAN);
    REFUSED("factor", .space = plane, .count = 2, .factor = 1);
    REFUSED("interval", .space = plane, .count = 2, .interval = -2);
    REFUSED("j.tsv: cannot be opened: No ", .space = plane, .count = 2,
            .journal = "no/such/folder/j.tsv");
    memset(longest, 'x', sizeof longest - 1);
    VARIABLE("longer", .type = TNN_CATEGORICAL, .choices = longest);
    remove(JOURNAL);
    s = tnn_study_create(.space = plane, .count = 2, .journal = JOURNAL, .trials = 3);
    CHECK(s && (t = tnn_ask(s)) != NULL && !tnn_ask(s) && strstr(tnn_error(), "trial 0"),
          "asked twice: %s", tnn_error());
    tnn_clear_error();
    CHECK(isnan(tnn_trial_float(t, "z")) && strstr(tnn_error(), "z"), "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_trial_int(t, "x") == 0 && strstr(tnn_error(), "int variable x"), "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_trial_choice(t, "x") == -1 && tnn_failed(), "a choice of a float");
    tnn_clear_error();
    CHECK(!tnn_report(t, 3, 1) && !tnn_report(t, INT_MAX, 1) && t->count == 2, "the last step: %s",
          tnn_error());
    CHECK(tnn_report(t, 3, 1) && strstr(tnn_error(), "step 3"), "%s",
          tnn_error());
    tnn_clear_error();
    CHECK(!tnn_tell(t, 1) && tnn_tell(t, 1) == TNN_ERROR_ARGUMENT, "told twice");
    tnn_clear_error();
    CHECK(tnn_report(t, 9, 1) && tnn_failed(), "reported after the end");
    tnn_clear_error();
    CHECK(!tnn_ask(NULL) && tnn_failed(), "no study");
    tnn_clear_error();
    while ((t = tnn_ask(s)) != NULL) tnn_tell(t, 0);
    tnn_study_free(s);
    REFUSED("another study", .space = plane, .count = 2, .journal = JOURNAL, .seed = 1);
    REFUSED("another study", .space = plane, .count = 2, .journal = JOURNAL, .maximize = 1);
    REFUSED("another study", .space = plane, .count = 1, .journal = JOURNAL);
    memcpy(more, plane, sizeof plane);
    REFUSED("another study", .space = more, .count = 3, .journal = JOURNAL, .trials = 3);
    REFUSED("trial 2", .space = plane, .count = 2, .journal = JOURNAL, .trials = 2);
    s = tnn_study_create(.space = plane, .count = 2, .journal = JOURNAL, .trials = 4);
    CHECK(s && (t = tnn_ask(s)) != NULL && t->number == 3, "it cannot be made longer");
    spill(JOURNAL, "", 0);
    if (s) CHECK(tnn_tell(t, 0) && strstr(tnn_error(), "cannot be read"), "a journal that "
                 "was cut under way: %s", tnn_error());
    tnn_clear_error();
    tnn_study_free(s);
}
/* Candidates are compared by quick sums, with many trials by ones that are kept: both log l and
   log g to 2e-9, but for a number that all have; of each variable, while good trials come and go,
   with failed ones; counted anew (a trial told again) the same. What is drawn quickly is where it
   would be exactly, or in the same step. */
static void tpe_quickly(void)
{
    static const tnn_variable space[] = {
        { .name = "a", .low = 1e-5, .high = 1, .log = 1 },
        { .name = "b", .type = TNN_INT, .low = 8, .high = 100, .step = 8 },
        { .name = "c", .type = TNN_CATEGORICAL, .choices = "relu tanh elu" },
        { .name = "d", .type = TNN_INT, .low = 1, .high = 200, .log = 1 },
        { .name = "e", .type = TNN_INT, .low = 1, .high = 300 },
        { .name = "f", .type = TNN_INT, .low = 1, .high = 2100 },
        { .name = "g", .low = -5, .high = 10 }, { .name = "h", .low = 3, .high = 3 } };
    double worst = 0, away = 0;
    int ends, turn, side, i, j, checks = 0;
    for (ends = 0; ends < 2; ends++) {
        tnn_study *s = tnn_study_create(.space = space, .count = 8, .trials = 700, .seed = 4,
                                        .endpoints = ends, .candidates = 4);
        tnn_trial *t;
        while ((t = tnn_ask(s)) != NULL) {
            double value = 0;
            for (i = 0; i < 8; i++)
                value += (i + 1)*fabs(t->x[i] - 1.3*i)/10
                       + tnn_random_bits(5, (uint64_t)t->number, (uint64_t)i)%64;
            tnn_tell(t, t->number%17 == 3 ? NAN : value);
            if (t->number < 20 || t->number%40) continue;
            for (turn = 0; turn < 2; turn++) {
                inside_split(s, turn);
                for (i = 0; i < 7; i++) {
                    double x[16], quick[2][16], apart;
                    for (j = 0; j < 16; j++) {
                        x[j] = inside_draw(s, i, t->number, j, j%2, &apart);
                        away = fmax(away, apart);
                    }
                    for (side = 0; side < 2; side++) inside_quick(s, i, side, 16, x, quick[side]);
                    inside_fit_rest(s, i);
                    for (side = 0; side < 2; side++)
                        for (j = 0; j < 16; j++) {
                            const double got = log(quick[side][j]/quick[side][0]);
                            const double want = inside_density(s, i, side, x[j])
                                              - inside_density(s, i, side, x[0]);
                            worst = fmax(worst, fabs(got - want));
                            CHECK(fabs(got - want) < 2e-9, "%d trials, variable %d, %g: %s %.12g, "
                                  "not %.12g", t->number, i, x[j], side ? "g" : "l", got, want);
                            checks++;
                        }
                }
            }
        }
        CHECK(!tnn_failed(), "%s", tnn_error());
        tnn_study_free(s);
    }
    CHECK(away < 1e-8, "drawn quickly %g of the line away", away);
    test_note("errors of log l, log g %.1e (limit 2e-9), draws %.1e, %d candidates", worst, away,
              checks);
}
/* The trials that were chosen when each sum went over all trials. */
static void tpe_same(void)
{
    tnn_study *s = tnn_study_create(.space = plane, .count = 2, .trials = 800, .seed = 5);
    uint64_t hash = 1469598103934665603ull;
    tnn_trial *t;
    while ((t = tnn_ask(s)) != NULL) {
        double value = 0;
        int i, k;
        for (i = 0; i < 2; i++) {
            unsigned char byte[8];
            const double x = t->x[i];
            const volatile double at = 1.3*i, z = (i + 1)*(x - at)/10, square = z*z;   /* no fma */
            memcpy(byte, &x, 8);
            for (k = 0; k < 8; k++) hash = (hash ^ byte[k])*1099511628211ull;
            value += square;
        }
        tnn_tell(t, t->number%17 == 3 ? NAN : value);
    }
    CHECK(hash == 0x4ced6cb687a94d04ull, "%llx", (unsigned long long)hash);
    tnn_study_free(s);
}
/* What is no line of the study is passed over. */
static void journal_strange_lines(void)
{
    static const char lines[] =
        "0\t1\t2\t-1\t5\t0\tdone\n"
        "1\t1\t2\t-1\t5\t0\tdon\n1\t1\t2\t-1\t5\t0\tdone \n1\t1\t2\t-1\t5\t0\n"
        "1\t11\t2\t-1\t5\t0\tdone\n"
        "1\t1\tnan\t-1\t5\t0\tdone\n-1\t1\t2\t-1\t5\t0\tdone\n1\t1\t2\t-2\t5\t0\tdone\n\n# words\n"
        "1 1 2 -1 5 0 done\n1\t1,5\t2\t-1\t5\t0\tdone\n1\t1\t2\t-1\t5\t0\t3\tdone\n# tinynn\n"
        "1e999\t1\t2\t-1\t5\t0\tdone\nnan\t1\t2\t-1\t5\t0\tdone\n1\t1\t2\t-1\t5\t-1\tdone\n"
        "2\t10\t15\t3\t-inf\t0\tpruned\n2\t10\t15\t3\t7\t0\tstep\n0\t3\t4\t-1\t6\t0\tdone\n";
    char *text;
    tnn_study *s;
    tnn_trial *t, read[3];
    size_t n;
    int i;
    remove(JOURNAL);
    s = tnn_study_create(.space = plane, .count = 2, .journal = JOURNAL);
    tnn_study_free(s);
    text = slurp(JOURNAL, &n);
    memset(text + n, 'y', 50000);           /* a line too long, and one with a NUL */
    n += 50000;
    memcpy(text + n, "\n1\t1\t2\t-1\t5\t0\tdone\0\n", 21);
    n += 21;
    memcpy(text + n, lines, sizeof lines - 1);
    spill(JOURNAL, text, n + sizeof lines - 1);
    s = tnn_study_create(.space = plane, .count = 2, .journal = JOURNAL);
    CHECK(s, "%s", tnn_error());
    if (s) {
        for (i = 0; i < 3; i++) read[i] = *tnn_study_trial(s, i);
        CHECK(read[0].state == TNN_DONE && read[0].value == 6 && read[0].x[0] == 3, "trial 0: %g",
              read[0].value);
        CHECK(read[1].state == TNN_WAITING && !read[1].count, "a line that is none was read");
        CHECK(read[2].state == TNN_PRUNED && read[2].value == -HUGE_VAL && read[2].count == 1,
              "trial 2");
        CHECK((t = tnn_ask(s)) != NULL && t->number == 1, "trial 1 is not next");
    }
    tnn_study_free(s);
    free(text);
    remove(JOURNAL);
}

/* Every allocation of a study fails once: an error, and nothing is lost. */
static void out_of_memory(void)
{
    tnn_study *full, *s;
    int fail, ended = 0, i;
    remove(JOURNAL);
    full = tnn_study_create(.space = mixed, .count = 5, .maximize = 1, .seed = 9, .startup = 5,
                            .pruner = TNN_HALVING, .factor = 2, .min_resource = 1, .trials = 9);
    run_trials(full, 99, 99);
    for (fail = 0; fail < 50 && ended < 9; fail++) {
        allocations_left = fail;
        s = STUDY(.trials = 9);
        if (s) run_trials(s, 99, 99);
        ended = 0;
        for (i = 0; s && i < 9; i++) ended += tnn_study_trial(s, i)->state >= TNN_DONE;
        allocations_left = -1;
        CHECK(tnn_failed() == (ended < 9 ? TNN_ERROR_MEMORY : TNN_OK), "allocation %d: %d trials "
              "ended, \"%s\"", fail, ended, tnn_error());
        tnn_clear_error();
        if (ended == 9) CHECK(same_trials(s, full), "afterwards it is another");
        tnn_study_free(s);
    }
    CHECK(fail > 5 && ended == 9, "after %d failures %d trials have ended", fail, ended);
    tnn_study_free(full);
}

static void group(const char *name, void (*function)(void))
{
    if (!test_begin(name)) return;
    function();
    CHECK(!tnn_failed(), "unexpected error: %s", tnn_error());
    tnn_clear_error();
    test_end();
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    vectors_from(argc, argv);
    group("numbers as text", numbers_as_text);
    group("normal distribution", normal_distribution);
    group("TPE: densities and choices", tpe_densities);
    group("pruners", pruners);
    group("pruners: infinite values", median_of_infinite);
    group("draws in range", draws_in_range);
    group("grid", grid);
    group("explained variance", explained_variance);
    group("TPE beats random search", tpe_beats_random);
    group("TPE: quick sums", tpe_quickly);
    group("TPE of many trials: the same choices", tpe_same);
    group("journal: same bytes, read back", journal_repeats);
    group("journal: bytes of every machine", journal_bytes);
    group("journal cut after every byte", journal_cut_anywhere);
    group("journal taken up within trials", journal_taken_up);
    group("journal shared", journal_shared);
    group("journal: the same trial twice", journal_of_two);
    group("journal: trials told again", journal_told_again);
    group("journal that is none", journal_that_is_none);
    group("journal with strange lines", journal_strange_lines);
    group("out of memory", out_of_memory);
    group("bad options", bad_options);
    return test_finish();
}
