/* test.h - what all test programs share: checks in named groups, one line of output per group

   A test program is one file:

       #include "test.h"

       static void product(void)
       {
           CHECK(tnn_matmul(c, a, b, 0) == TNN_OK, "%s", tnn_error());
           CHECK_CLOSE("c", c.data, want, 15, 1e-6);
       }

       int main(int argc, char **argv)
       {
           test_start(argc, argv);
           EACH_ISA("matmul", product);
           return test_finish();
       }

   built with  make build/test_x  and run as  build/test_x [SUBSTRING],  which runs only the groups
   whose name contains SUBSTRING. tinynn.h comes with this file, and the library with the program,
   where nothing says that it is linked (TINYNN_ELSEWHERE); or above it stand hooked.h, for a malloc
   of one's own, or inside.h. A group prints one of

       ok    matmul, avx2                      residual 1.2e-07 (limit 1e-06)
       FAIL  matmul, avx2                      c[7]: got 0.25, want 0.5 ... (line 12)

   and the last line is "N passed, M failed". The exit status is 0 if none failed, else 1. */
#ifndef TEST_H
#define TEST_H

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef TINYNN_H
#ifndef TINYNN_ELSEWHERE
#define TINYNN_IMPLEMENTATION
#endif
#include "tinynn.h"
#endif

/* The last of each enum whose members tests go through. */
enum { LAST_LAYER = TNN_CUSTOM_LAYER, LAST_LOSS = TNN_CUSTOM_LOSS, LAST_RULE = TNN_CUSTOM,
       LAST_SCHEDULE = TNN_MULTIPLICATIVE };

#if defined __GNUC__
#define TEST_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define TEST_PRINTF(f, a)
#endif

#define TEST_BLOCKS 256         /* guarded blocks alive at a time */
#define TEST_GUARD  64          /* floats on either side of one   */

static struct {
    const char *only;           /* the substring that selects groups                     */
    int         passed, failed; /* groups                                                */
    /* the group under way */
    char        name[120], why[400], note[120];
    int         checks, failures;
    double      residual, limit;    /* of the check that came nearest to its limit        */
    int         measured;
    /* floats seen by CHECK_REPEATS in the first run of a repeated group */
    float      *tape;
    size_t      tape_count, tape_space, tape_at;
    int         recording, comparing, loose;
    struct { float *data, *base; size_t count; } block[TEST_BLOCKS];
    unsigned    blocks_made;
} test;

/* ---- groups ---------------------------------------------------------------------------------*/

/* The folder of a test program, for its files. */
static inline void test_folder(char *folder, size_t size, const char *program)
{
    size_t n = strlen(program);
    while (n > 0 && program[n - 1] != '/' && program[n - 1] != '\\') n--;
    snprintf(folder, size, "%.*s", n ? (int)n - 1 : 1, n ? program : ".");
}

static inline void test_start(int argc, char **argv)
{
    memset(&test, 0, sizeof test);
    test.only = argc > 1 ? argv[1] : "";
}

static inline int test_begin(const char *name)
{
    if (!strstr(name, test.only)) return 0;
    snprintf(test.name, sizeof test.name, "%s", name);
    test.why[0] = test.note[0] = 0;
    test.checks = test.failures = test.measured = 0;
    test.residual = test.limit = 0;
    return 1;
}

static inline void test_end(void)
{
    char text[160];
    if (test.failures) {
        test.failed++;
        if (test.failures > 1)
            printf("FAIL  %-44s  %s [and %d more]\n", test.name, test.why, test.failures - 1);
        else printf("FAIL  %-44s  %s\n", test.name, test.why);
    } else {
        test.passed++;
        if (test.measured)
            snprintf(text, sizeof text, "residual %.1e (limit %.0e)", test.residual, test.limit);
        else snprintf(text, sizeof text, "%d check%s", test.checks, test.checks == 1 ? "" : "s");
        printf("ok    %-44s  %s%s%s\n", test.name, text, test.note[0] ? "  " : "", test.note);
    }
    fflush(stdout);
}

static inline int test_finish(void)
{
    printf("%d passed, %d failed\n", test.passed, test.failed);
    free(test.tape);
    return test.failed != 0;
}

static inline void test_run(const char *name, void (*function)(void))
{
    if (!test_begin(name)) return;
    function();
    test_end();
}
#define RUN(name, function) test_run(name, function)

/* Text at the end of a group's line. */
static inline void TEST_PRINTF(1, 2) test_note(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(test.note, sizeof test.note, format, list);
    va_end(list);
}

/* ---- checks ---------------------------------------------------------------------------------*/

static inline void TEST_PRINTF(2, 3) test_fail(int line, const char *format, ...)
{
    va_list list;
    size_t length;
    test.checks++;
    if (test.failures++) return;                /* the first one speaks */
    va_start(list, format);
    vsnprintf(test.why, sizeof test.why, format, list);
    va_end(list);
    length = strlen(test.why);
    snprintf(test.why + length, sizeof test.why - length, " (line %d)", line);
}

/* Whether the upper halves of AVX's registers are in use, where the processor tells (xgetbv with 1;
   cpuid 13.1 says whether). What has used them and leaves them so (no vzeroupper) makes Intel's
   processors many times slower in all that follows without AVX, in the user's code, too.
   TEST_UPPER_HALVES: the library was compiled with -O2 or -O3. */
#if defined TEST_UPPER_HALVES && defined __x86_64__ && defined __GNUC__ && !defined __AVX__
#include <cpuid.h>
static inline int test_upper_halves(void)
{
    static int tells = -1;
    unsigned a, b, c, d;
    if (tells < 0) {
        __cpuid(1, a, b, c, d);
        tells = c >> 27 & 1 && __get_cpuid_max(0, NULL) >= 13;
        if (tells) {
            __cpuid_count(13, 1, a, b, c, d);
            tells = a >> 2 & 1;
        }
    }
    if (!tells) return 0;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(1));
    return (a & 0x44) != 0;                     /* of ymm, of zmm */
}
#else
static inline int test_upper_halves(void) { return 0; }
#endif

static inline void test_hold(int line)
{
    test.checks++;
    if (test_upper_halves())
        test_fail(line, "the upper halves of AVX's registers are in use: a vzeroupper is missing");
}
/* CHECK(condition, "format", ...): the text says what is wrong when it does not hold. */
#define CHECK(condition, ...) \
    ((condition) ? test_hold(__LINE__) : test_fail(__LINE__, __VA_ARGS__))

static inline void test_measure(double residual, double limit)
{
    test.checks++;
    if (!test.measured || residual * test.limit > test.residual * limit) {
        test.residual = residual;
        test.limit = limit;
    }
    test.measured = 1;
}

static inline void test_close(int line, const char *what, const float *got, const double *want,
                              size_t n, double scale, double limit)
{
    double largest = scale, worst = 0;
    size_t i, at = 0;
    if (!got) { test_fail(line, "%s: nothing", what); return; }
    for (i = 0; i < n; i++) if (fabs(want[i]) > largest) largest = fabs(want[i]);
    if (largest == 0) largest = 1;
    for (i = 0; i < n; i++) {
        double error = fabs((double)got[i] - want[i]);
        if (!(error <= worst)) { worst = error; at = i; }       /* true for NaN, too */
        if (error != error) break;
    }
    worst /= largest;
    if (worst <= limit) test_measure(worst, limit);
    else test_fail(line, "%s[%lu of %lu]: got %.9g, want %.9g, residual %.1e (limit %.0e)", what,
                   (unsigned long)at, (unsigned long)n, (double)got[at], want[at], worst, limit);
}

static inline void test_near(int line, const char *what, double got, double want, double limit)
{
    double error = fabs(got - want) / (want != 0 ? fabs(want) : 1);
    if (error <= limit) test_measure(error, limit);
    else test_fail(line, "%s: got %.12g, want %.12g, residual %.1e (limit %.0e)", what, got, want,
                   error, limit);
}

static inline void test_same(int line, const char *what, const void *got, const void *want,
                             size_t bytes)
{
    const unsigned char *a = (const unsigned char *)got, *b = (const unsigned char *)want;
    size_t i;
    if (!a || !b) { test_fail(line, "%s: nothing", what); return; }
    if (!memcmp(a, b, bytes)) { test.checks++; return; }
    for (i = 0; a[i] == b[i]; i++) ;
    test_fail(line, "%s: differs from byte %lu on, of %lu", what, (unsigned long)i,
              (unsigned long)bytes);
}

/* max |got - want| / max |want| of float got[n] and double want[n], at most `limit`. */
#define CHECK_CLOSE(what, got, want, n, limit) \
    test_close(__LINE__, what, got, want, (size_t)(n), 0, limit)
/* The same where larger terms cancelled: max |got - want| over at least `scale`. */
#define CHECK_CLOSE_TO(what, got, want, n, scale, limit) \
    test_close(__LINE__, what, got, want, (size_t)(n), scale, limit)
/* |got - want| / |want| of two numbers. */
#define CHECK_NEAR(what, got, want, limit)     test_near(__LINE__, what, got, want, limit)
/* The same bytes. */
#define CHECK_SAME(what, got, want, bytes)     test_same(__LINE__, what, got, want, bytes)

/* ---- reproducible numbers -------------------------------------------------------------------*/

/* 32 mixed bits, a function of (stream, index). torch_vectors.py has the same one. */
static inline uint32_t test_hash(uint32_t stream, uint32_t index)
{
    uint32_t h = index * 0x9e3779b1u + (stream + 1u) * 0xc2b2ae3du;
    h = (h ^ (h >> 15)) * 0x2c1b3c6du;
    h = (h ^ (h >> 13)) * 0x297a2d39u;
    return h ^ (h >> 16);
}

/* A multiple of 2^-15 in [-1, 1). */
static inline float test_value(uint32_t stream, uint32_t index)
{
    return (float)((int)(test_hash(stream, index) >> 16) - 32768) / 32768.0f;
}

static inline void test_fill(float *x, size_t n, uint32_t stream)
{
    size_t i;
    for (i = 0; i < n; i++) x[i] = test_value(stream, (uint32_t)i);
}

/* An integer in lo..hi; *state is advanced. */
static inline int test_pick(uint32_t *state, int lo, int hi)
{
    return lo + (int)(test_hash(0x7e57u, (*state)++) % (uint32_t)(hi - lo + 1));
}

/* ---- guarded blocks -------------------------------------------------------------------------*/

/* n floats, all of them NaN, between guards of NaN: a kernel that reads too far spoils its result,
   one that writes too far is found by test_release. Blocks start at any multiple of 4 bytes. */
static inline float *test_floats(size_t n)
{
    const uint32_t bits = 0x7fc0beefu;
    size_t i, total = n + 2 * TEST_GUARD + 16;
    float *base = (float *)malloc(total * sizeof *base);
    int slot = 0;
    while (slot < TEST_BLOCKS && test.block[slot].data) slot++;
    if (!base || slot == TEST_BLOCKS) {
        printf("FAIL  the test program is out of memory or blocks\n");
        exit(1);
    }
    for (i = 0; i < total; i++) memcpy(base + i, &bits, sizeof bits);
    test.block[slot].base = base;
    test.block[slot].data = base + TEST_GUARD + test.blocks_made++ % 16;
    test.block[slot].count = n;
    return test.block[slot].data;
}

static inline void test_release(float *data)
{
    const uint32_t bits = 0x7fc0beefu;
    int slot = 0;
    size_t i, first, n;
    float *base;
    if (!data) return;
    while (slot < TEST_BLOCKS && test.block[slot].data != data) slot++;
    if (slot == TEST_BLOCKS) {
        test_fail(__LINE__, "a block that is not one of test_floats");
        return;
    }
    base = test.block[slot].base;
    n = test.block[slot].count;
    first = (size_t)(data - base);
    for (i = 0; i < n + 2 * TEST_GUARD + 16; i++)
        if ((i < first || i >= first + n) && memcmp(base + i, &bits, sizeof bits))
            break;
    if (i < n + 2 * TEST_GUARD + 16)
        test_fail(__LINE__, "written outside of %lu floats, at %ld", (unsigned long)n,
                  (long)i - (long)first);
    free(base);
    test.block[slot].data = NULL;
}

/* The same of values in [-1, 1). */
static inline float *test_values(size_t n, uint32_t stream)
{
    float *x = test_floats(n);
    test_fill(x, n, stream);
    return x;
}

static inline void test_release_all(void)
{
    int slot;
    for (slot = 0; slot < TEST_BLOCKS; slot++) test_release(test.block[slot].data);
}

/* ---- every instruction set, several numbers of threads --------------------------------------*/

/* In a group run by EACH_ISA or EACH_SETTING: floats that must have the same bits in each of its
   runs. Sums without fused multiply-add (sse2) are held to 1e-5 of the largest instead. */
#define CHECK_REPEATS(what, data, n) test_repeats(__LINE__, what, data, (size_t)(n), 0)
/* The same where larger terms cancelled: 1e-5 of at least `scale`. */
#define CHECK_REPEATS_TO(what, data, n, scale) \
    test_repeats(__LINE__, what, data, (size_t)(n), scale)

static inline void test_repeats(int line, const char *what, const float *data, size_t n,
                                double scale)
{
    size_t i;
    if (!data) { test_fail(line, "%s: nothing", what); return; }
    if (test.recording) {
        if (test.tape_count + n > test.tape_space) {
            test.tape_space = 2 * (test.tape_count + n);
            test.tape = (float *)realloc(test.tape, test.tape_space * sizeof(float));
            if (!test.tape) { printf("FAIL  the test program is out of memory\n"); exit(1); }
        }
        memcpy(test.tape + test.tape_count, data, n * sizeof(float));
        test.tape_count += n;
        return;
    }
    if (!test.comparing) return;                /* not one of several runs */
    if (test.tape_at + n > test.tape_count) {
        test_fail(line, "%s: more floats than in the first run", what);
    } else if (!test.loose) {
        test_same(line, what, data, test.tape + test.tape_at, n * sizeof(float));
    } else {
        double largest = scale, worst = 0;
        for (i = 0; i < n; i++) {
            double a = data[i], b = test.tape[test.tape_at + i];
            if (a == b || (a != a && b != b)) b = a;            /* infinities, NaN */
            if (fabs(b) > largest && fabs(b) <= 3.5e38) largest = fabs(b);
            if (a != a || b != b || a == b) { if ((a != a) != (b != b)) worst = 1e30; }
            else if (fabs(a - b) > worst) worst = fabs(a - b);
        }
        CHECK(worst <= 1e-5 * largest, "%s: %.1e of the largest away from the first run", what,
              worst / (largest > 0 ? largest : 1));
    }
    test.tape_at += n;
}

/* Whether products are fused multiply-adds, and fmaf is one: mingw's rounds twice. */
static inline int test_fma(void)
{
#ifdef __MINGW32__
    return 0;
#else
    return strcmp(tnn_isa(), "sse2") != 0;
#endif
}

static inline void test_run_set(const char *name, const char *isa, int threads, int *runs,
                                int *first_is_sse2, void (*function)(void))
{
    char text[120];
    int is_sse2 = !strcmp(isa, "sse2");
    if (threads) snprintf(text, sizeof text, "%s, %s, %d threads", name, isa, threads);
    else snprintf(text, sizeof text, "%s, %s", name, isa);
    if (!test_begin(text)) return;
    test.recording = *runs == 0;
    test.comparing = !test.recording;
    if (*runs == 0) { test.tape_count = 0; *first_is_sse2 = is_sse2; }
    test.loose = is_sse2 || *first_is_sse2;
    test.tape_at = 0;
    ++*runs;
    CHECK(tnn_set_isa(isa) == TNN_OK, "cannot choose %s: %s", isa, tnn_error());
    CHECK(!strcmp(tnn_isa(), isa), "chose %s, is %s", isa, tnn_isa());
    tnn_set_threads(threads ? threads : 1);
    function();
    CHECK(!tnn_failed(), "unexpected error: %s", tnn_error());
    CHECK(test.recording || test.tape_at == test.tape_count, "fewer floats than in the first run");
    tnn_clear_error();
    tnn_set_threads(0);
    test_end();
    test.recording = test.comparing = test.loose = 0;
}

/* Runs a function once for each instruction set of the machine, with one thread; then on the best
   (which stays chosen) with each number of threads from 2 to `threads`. */
static inline void test_each(const char *name, int threads, void (*function)(void))
{
    int i, runs = 0, first_is_sse2 = 0;
    const char *best = "";
    for (i = 0; tnn_isa_name(i); i++) {
        best = tnn_isa_name(i);
        test_run_set(name, best, 0, &runs, &first_is_sse2, function);
    }
    for (i = 2; i <= threads; i++) test_run_set(name, best, i, &runs, &first_is_sse2, function);
    tnn_set_isa(best);
}
#define EACH_ISA(name, function)     test_each(name, 1, function)
#define EACH_SETTING(name, function) test_each(name, 3, function)

#endif /* TEST_H */
