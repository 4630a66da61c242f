/* experiment.h - what the experiments share: options, result files, progress

   An experiment is one C file that trains networks, one after the other ("runs"), and writes a
   result file for each, OUT/EXPERIMENT/RUN.tsv: comment lines (#), a header line, and a row per
   epoch, written as the epoch ends. Comments say where and how it was made; the other lines are the
   same on every machine. A file being written is called RUN.tsv.part; it gets its name when its
   run is complete, so that work which was interrupted can be started again: runs that are complete
   and would come out the same are skipped.                                                       */
#ifndef EXPERIMENT_H
#define EXPERIMENT_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#ifndef TINYNN_ELSEWHERE        /* the Makefile compiles the library once, for all of them */
#define TINYNN_IMPLEMENTATION
#endif
#include "tinynn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#ifdef _WIN32
#include <direct.h>
#include <io.h>
#define EXPERIMENT_MKDIR(path) _mkdir(path)
#define EXPERIMENT_TERMINAL()  _isatty(2)
#else
#include <unistd.h>
#define EXPERIMENT_MKDIR(path) mkdir(path, 0777)
#define EXPERIMENT_TERMINAL()  isatty(2)
#endif

#if defined __TINYC__
#define EXPERIMENT_COMPILER "tcc"
#elif defined __clang__
#define EXPERIMENT_COMPILER "clang " __clang_version__
#elif defined __GNUC__
#define EXPERIMENT_COMPILER "gcc " __VERSION__
#else
#define EXPERIMENT_COMPILER "another compiler"
#endif

enum { EXPERIMENT_PATH = 1024 };

typedef struct experiment {
    const char *name, *about;           /* "fashion_cnn"; a line for --help                       */
    const char *const *runs;            /* the names of its runs, then NULL                       */
    const char *choice;                 /* an option of its own ("--order"), or NULL,             */
    const char *const *choices;         /*   the values it takes, then NULL,                      */
    int chosen;                         /*   and which of them: the default, then the user's      */
    const char *shared;                 /* the run whose parts --shard spreads over processes, or
                                           NULL                                                   */
    int shard, shards;                  /* this process of so many: 0 of 1                        */
    int saves;                          /* calls experiment_resume, and so has --save             */
    /* options */
    const char *data, *out, *only;
    uint64_t    seed;
    int         threads, quick;
    /* set by who loads the data: "real" or "synthetic", with its numbers of samples */
    char        kind[80];
    /* the run being done */
    const char *run;
    int         epoch, epochs;
    FILE       *file;
    char        path[EXPERIMENT_PATH], checkpoint[EXPERIMENT_PATH + 32];
    double      begun, before;          /* when this process began it; seconds of those before    */
    double      every, saved;           /* seconds between checkpoints, when the last was made    */
    int         asked;                  /* for so many seconds                                    */
    tnn_net    *net;                    /* what they are of, or NULL                              */
    tnn_loader *batches;
    double     *kept;                   /* epochs that are done; of each its row; seconds         */
    int         kept_count;
    /* progress, in training samples, over all runs */
    double      work, done, run_done, run_work, start, drawn;
} experiment;

/* ==== Options ================================================================================= */

static inline void experiment_help(const experiment *e, FILE *to)
{
    fprintf(to, "%s - %s\n\nusage: build/%s [options]\n\n", e->name, e->about, e->name);
    fprintf(to, "  --data DIR     where the data is (default $TINYNN_DATA, else data); where the\n"
                "                 set is not there, a synthetic one stands in (none: always)\n"
                "  --out DIR      results go to DIR/%s/RUN.tsv (default build/results)\n"
                "  --seed N       of initialisation, dropout and shuffling (default 1);\n"
                "                 give each seed its own --out\n"
                "  --threads N    results do not depend on it (default $TINYNN_THREADS, else all)\n"
                "  --quick        few samples and epochs: does it work, are the bits the same?\n"
                "  --only RUN     this run alone\n", e->name);
    if (e->choice) {
        fprintf(to, "  %-14s", e->choice);
        for (int i = 0; e->choices[i]; i++)
            fprintf(to, " %s%s", e->choices[i], i == e->chosen ? " (default)" : "");
        fprintf(to, "\n");
    }
    if (e->shared)
        fprintf(to, "  --shard I/N    this is process I of the N that share the run %s, of which it\n"
                    "                 does every N-th part and nothing else; start all of them\n",
                e->shared);
    if (e->saves)
        fprintf(to, "  --save S       seconds between two checkpoints of a run, from which it goes on\n"
                    "                 if interrupted (default 10, and 50 times what one takes)\n");
    fprintf(to, "  --help         this\n\nruns:");
    for (int i = 0, column = 5; e->runs[i]; i++) {
        int length = 1 + (int)strlen(e->runs[i]), wrap = column + length > 78;
        fprintf(to, "%s %s", wrap ? "\n     " : "", e->runs[i]);
        column = (wrap ? 5 : column) + length;
    }
    fprintf(to, "\n\nComplete runs are skipped. Exit status: 0 done, 1 failed, 2 wrong usage.\n"
                "Here: instruction set %s ($TINYNN_ISA forces another), %d threads.\n",
            tnn_isa(), tnn_threads());
}

static inline int experiment_index(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0) return i;
    return -1;
}

static inline int experiment_usage(const experiment *e, const char *option, const char *problem,
                                   const char *const *known)
{
    fprintf(stderr, "%s: %s: %s", e->name, option, problem);
    for (int i = 0; known && known[i]; i++) fprintf(stderr, " %s", known[i]);
    fprintf(stderr, "%s\n", known ? "" : " (--help lists the options)");
    return 2;
}

/* A whole number from `low` to 2^53, or -1. */
static inline double experiment_number(const char *text, int low)
{
    char *end;
    double v = strtod(text, &end);
    int    digits = *text && strspn(text, "0123456789") == strlen(text);
    return digits && !*end && v >= low && v <= 9007199254740992.0 ? v : -1;
}

/* Reads "I/N", 1 <= I <= N <= 1024. */
static inline int experiment_shard(experiment *e, const char *text)
{
    char end;
    if (sscanf(text, "%4d/%4d%c", &e->shard, &e->shards, &end) != 2 || e->shard < 1 ||
        e->shard > e->shards || e->shards > 1024) return -1;
    e->shard--;
    e->only = e->shared;
    return 0;
}

/* Reads the command line. Returns -1 to go on, or the status to exit with. */
static inline int experiment_options(experiment *e, int argc, char **argv)
{
    e->data = getenv("TINYNN_DATA");
    const int given = e->data && *e->data;
    if (!given) e->data = "data";
    e->out  = "build/results";
    e->seed = 1;
    e->every = 10;
    e->shards = 1;
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i], *value;
        if (strcmp(option, "--help") == 0) { experiment_help(e, stdout); return 0; }
        if (strcmp(option, "--quick") == 0) { e->quick = 1; continue; }
        int own   = e->choice && strcmp(option, e->choice) == 0;
        int shard = e->shared && strcmp(option, "--shard") == 0;
        if (!own && !shard && strcmp(option, "--data") && strcmp(option, "--out") &&
            strcmp(option, "--only") && strcmp(option, "--seed") && strcmp(option, "--threads") &&
            (strcmp(option, "--save") || !e->saves))
            return experiment_usage(e, option, "unknown option", NULL);
        if (++i == argc || !*argv[i]) return experiment_usage(e, option, "needs a value", NULL);
        value = argv[i];
        if (own) {
            e->chosen = experiment_index(e->choices, value);
            if (e->chosen < 0) return experiment_usage(e, option, "known values are", e->choices);
        } else if (shard) {
            if (experiment_shard(e, value) != 0)
                return experiment_usage(e, option, "takes I/N, process I from 1 to N", NULL);
        } else if (strcmp(option, "--data") == 0) {
            e->data = value;
        } else if (strcmp(option, "--out") == 0) {
            e->out = value;
        } else if (strcmp(option, "--only") == 0) {
            e->only = value;
            if (experiment_index(e->runs, value) < 0) {
                fprintf(stderr, "%s: no run is called '%s'\n", e->name, value);
                return experiment_usage(e, option, "the runs are", e->runs);
            }
        } else {
            int threads = strcmp(option, "--threads") == 0;
            double v = experiment_number(value, threads);
            if (v < 0 || (threads && v > 1024))
                return experiment_usage(e, option, threads ? "takes a whole number from 1 to 1024"
                                                           : "takes a whole number", NULL);
            if (threads)                             e->threads = (int)v;
            else if (strcmp(option, "--save") == 0)  e->every = v, e->asked = 1;
            else                                     e->seed = (uint64_t)v;
        }
    }
    struct stat there;
    if ((given || strcmp(e->data, "data")) && strcmp(e->data, "none") && stat(e->data, &there)) {
        fprintf(stderr, "%s: there is no folder %s (--data none: synthetic images)\n", e->name,
                e->data);
        return 1;
    }
    tnn_set_threads(e->threads);
    return -1;
}

static inline int experiment_wants(const experiment *e, const char *run)
{
    return !e->only || strcmp(e->only, run) == 0;
}

/* ==== Progress, on standard error ===============================================================
   On a terminal a bar, with the speed and the time left for all runs; else a line per epoch, or
   per 50 epochs of long runs.                                                                    */

static inline double experiment_clock(void)
{
#ifdef _WIN32
    return (double)clock() / CLOCKS_PER_SEC;
#else
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
#endif
}

/* To be called after each batch with its number of samples. */
static inline void experiment_progress(experiment *e, int samples)
{
    e->run_done += samples;
    e->done     += samples;
    double now = experiment_clock(), seconds = now - e->start;
    if (!EXPERIMENT_TERMINAL() || now - e->drawn < 0.1 || seconds <= 0) return;
    e->drawn = now;
    int bar  = (int)(10 * e->run_done / e->run_work);
    int left = (int)(seconds * (e->work / e->done - 1));
    fprintf(stderr, "\r%-24.24s %3d/%d [%.*s%.*s] %7.0f samples/s %d:%02d:%02d left\033[K",
            e->run, e->epoch, e->epochs, bar, "##########", 10 - bar, "----------",
            e->done / seconds, left / 3600, left / 60 % 60, left % 60);
}

/* One epoch: the mean of the batches' losses, and the accuracy on the way. */
static inline tnn_metrics experiment_train(experiment *e, tnn_net *net, tnn_loader *batches)
{
    tnn_metrics m = {0, 0, 0, 0};
    while (tnn_next(batches)) {
        m.loss    += tnn_train_batch(net, batches->x, batches->labels, batches->n);
        m.correct += tnn_correct(net);
        m.n       += batches->n;
        experiment_progress(e, batches->n);
    }
    m.loss /= batches->batches;
    m.accuracy = (double)m.correct / m.n;
    return m;
}

static inline void experiment_say(const experiment *e, const char *what)
{
    fprintf(stderr, "%s%s: %s: %s\n", EXPERIMENT_TERMINAL() ? "\r\033[K" : "", e->name,
            e->run ? e->run : "data", what);
}

/* ==== Data files ============================================================================== */

static inline void *experiment_slurp(FILE *f, size_t *size)
{
    size_t room = 1 << 20, got;
    char  *data = (char *)malloc(room), *more;
    for (*size = 0; data && (got = fread(data + *size, 1, room - *size, f)) > 0;) {
        *size += got;
        if (*size < room) continue;
        more = (char *)realloc(data, room *= 2);
        if (!more) free(data);
        data = more;
    }
    if (data && ferror(f)) { free(data); data = NULL; }
    return data;
}

/* Reads a file that gzip compressed. */
static inline void *experiment_gunzip(const char *path, size_t *size)
{
    void *data = NULL;
#ifndef _WIN32
    char command[4 * EXPERIMENT_PATH + 32] = "gzip -dc < '", *c = command + strlen(command);
    for (const char *p = path; *p; p++)                     /* a ' within '...' is written '\'' */
        if (*p == '\'') { strcpy(c, "'\\''"); c += 4; }
        else *c++ = *p;
    strcpy(c, "'");
    FILE *f = popen(command, "r");
    if (f) data = experiment_slurp(f, size);
    if (f && pclose(f) != 0) { free(data); data = NULL; }
#else
    (void)path; (void)size;
#endif
    return data;
}

/* Reads DIR/FOLDER/NAME or NAME.gz; NULL on failure, which it has reported. */
static inline void *experiment_read(experiment *e, const char *folder, const char *name,
                                    size_t *size)
{
    char  path[EXPERIMENT_PATH], message[EXPERIMENT_PATH + 100];
    const char *problem = "cannot be read";
    void *data = NULL;
    FILE *f;
    snprintf(path, sizeof path, "%s/%s/%s", e->data, folder, name);
    if ((f = fopen(path, "rb"))) {
        data = experiment_slurp(f, size);
        fclose(f);
    } else {
        snprintf(path, sizeof path, "%s/%s/%s.gz", e->data, folder, name);
        if ((f = fopen(path, "rb"))) {
            fclose(f);
            data = experiment_gunzip(path, size);
            problem = "cannot be decompressed (is it damaged? is gzip installed?)";
        } else {
            problem = "is missing, and so is the file without .gz (make data fetches them)";
        }
    }
    if (data) return data;
    snprintf(message, sizeof message, "%s %s", path, problem);
    experiment_say(e, message);
    return NULL;
}

/* ==== Result files ============================================================================ */

static inline int experiment_mkdirs(char *path)     /* those above the file `path` */
{
    for (char *p = path + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            int failed = EXPERIMENT_MKDIR(path) != 0 && errno != EEXIST;
            *p = '/';
            if (failed) return -1;
        }
    return 0;
}

/* Stands for what a network computes: the hash of its weights after a step on the first two
   samples. Another architecture, learning rate, data set or library gives another. Frees it.     */
static inline uint64_t experiment_fingerprint(tnn_net *net, const tnn_data *data)
{
    tnn_loader *batches = tnn_loader_create(data, .batch = 2);
    uint64_t    hash = 0;
    if (net && tnn_next(batches)) {
        tnn_train_batch(net, batches->x, batches->labels, batches->n);
        hash = tnn_hash(net);
    }
    tnn_loader_free(batches);
    tnn_free(net);
    return hash;
}

/* FNV-1a, 64 bits, begun with 14695981039346656037. */
static inline uint64_t experiment_hash(uint64_t hash, const void *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ ((const unsigned char *)data)[i]) * 1099511628211u;
    return hash;
}

/* Does the file hold this configuration? A file with its final name is complete. */
static inline int experiment_is_done(const char *path, const char *config)
{
    char  line[512];
    int   same = 0;
    FILE *f = fopen(path, "r");
    while (f && !same && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = 0;
        same = strcmp(line, config) == 0;
    }
    if (f) fclose(f);
    return same;
}

/* Starts a run of `epochs` times `samples`; `settings` and `fingerprint` say what it is. Returns 1
   to train it, 0 to skip it (done before), -1 on failure, which it has reported.                 */
static inline int experiment_begin(experiment *e, const char *run, const char *settings,
                                   uint64_t fingerprint, int epochs, int samples,
                                   long long parameters)
{
    char config[512], message[EXPERIMENT_PATH + 64];
    e->run      = run;
    e->epoch    = 1;
    e->epochs   = epochs;
    e->run_work = (double)epochs * samples;
    e->run_done = 0;
    e->begun    = experiment_clock();
    e->before   = 0;
    if (tnn_failed()) { experiment_say(e, tnn_error()); return -1; }
    snprintf(config, sizeof config, "# config %s, %d epochs, seed %llu, %s, fingerprint %016llx",
             settings, epochs, (unsigned long long)e->seed, e->kind,
             (unsigned long long)fingerprint);
    int length = snprintf(e->path, sizeof e->path, "%s/%s/%s.tsv.part", e->out, e->name, run);
    if (length < 0 || length >= (int)sizeof e->path) {
        experiment_say(e, "the path of --out is too long");
        return -1;
    }
    char *part = e->path + length - strlen(".part");
    *part = 0;
    if (experiment_is_done(e->path, config)) {
        experiment_say(e, "complete, skipped");
        e->work -= e->run_work;
        return 0;
    }
    /* another configuration, another file */
    snprintf(e->checkpoint, sizeof e->checkpoint, "%.*s-%016llx.tnn",
             length - (int)strlen(".tsv.part"), e->path, (unsigned long long)
             experiment_hash(14695981039346656037u, config, strlen(config)));
    *part = '.';
    e->file = experiment_mkdirs(e->path) == 0 ? fopen(e->path, "w") : NULL;
    if (!e->file) {
        snprintf(message, sizeof message, "cannot write %s: %s", e->path, strerror(errno));
        experiment_say(e, message);
        return -1;
    }
    fprintf(e->file, "# %s %s\n# made by tinynn.h %s, instruction set %s, %d threads, %s\n",
            e->name, run, TNN_VERSION, tnn_isa(), tnn_threads(), EXPERIMENT_COMPILER);
    fprintf(e->file, "# data %s\n# seed %llu\n# parameters %lld\n%s\n", e->kind,
            (unsigned long long)e->seed, parameters, config);
    fprintf(e->file, "epoch\ttrain_loss\ttrain_acc\tval_loss\tval_acc\tlr\n");
    if (e->start == 0) e->start = experiment_clock();
    return 1;
}

/* CHECKPOINTS, for runs of any length: after experiment_begin
       experiment_resume(e, net, batches);
       for (each epoch) {
           if (!experiment_recall(e, &train, &val)) { train an epoch, and evaluate }
           experiment_row(e, train, val, tnn_lr(net));
       }
   From now on rows are kept, and saved with all that the network and the loader need; a run that
   was interrupted is given its rows again before it goes on. The file stands beside the results as
   RUN-CONFIGURATION.tnn until the run is complete. */
enum { EXPERIMENT_KEPT = 1, EXPERIMENT_ROW = 5 };
static inline void experiment_resume(experiment *e, tnn_net *net, tnn_loader *batches)
{
    char text[EXPERIMENT_PATH + 200];
    int  count = e->kept_count = EXPERIMENT_KEPT + EXPERIMENT_ROW * e->epochs + 1;
    e->kept = (double *)calloc((size_t)count, sizeof *e->kept);
    if (!e->kept || tnn_failed()) return;
    e->net     = net;
    e->batches = batches;
    e->saved   = experiment_clock();
    FILE *f = fopen(e->checkpoint, "rb");
    if (f) {
        fclose(f);
        tnn_load_checkpoint(net, e->checkpoint, .loader = batches, .numbers = e->kept,
                            .count = count);
        if (tnn_failed()) {
            snprintf(text, sizeof text, "begins anew: %s", tnn_error());
            experiment_say(e, text);
            tnn_clear_error();
        }
    }
    if (e->kept[0] > 0) {
        snprintf(text, sizeof text, "goes on after epoch %.0f", e->kept[0]);
        experiment_say(e, text);
        e->before   = e->kept[count - 1];
        e->run_done = e->run_work / e->epochs * e->kept[0];
        e->work    -= e->run_done;
    }
}
static inline int experiment_recall(experiment *e, tnn_metrics *train, tnn_metrics *val)
{
    if (!e->kept || e->epoch > e->kept[0]) return 0;
    const double *row = e->kept + EXPERIMENT_KEPT + EXPERIMENT_ROW * (e->epoch - 1);
    memset(train, 0, sizeof *train);
    memset(val, 0, sizeof *val);
    train->loss     = row[0];
    train->accuracy = row[1];
    val->loss       = row[2];
    val->accuracy   = row[3];
    return 1;
}
/* Keeps a row, and saves if it is time: where --save does not say, a fiftieth of it at the most. */
static inline void experiment_keep(experiment *e, tnn_metrics train, tnn_metrics val, double *lr)
{
    if (!e->kept) return;
    double *row = e->kept + EXPERIMENT_KEPT + EXPERIMENT_ROW * (e->epoch - 1);
    if (e->epoch <= e->kept[0]) { *lr = row[4]; return; }
    row[0] = train.loss;
    row[1] = train.accuracy;
    row[2] = val.loss;
    row[3] = val.accuracy;
    row[4] = *lr;
    e->kept[0] = e->epoch;
    double now = experiment_clock();
    if (!e->net || now < e->saved + e->every || e->epoch == e->epochs) return;
    e->kept[e->kept_count - 1] = e->before + now - e->begun;
    tnn_save_checkpoint(e->net, e->checkpoint, .loader = e->batches, .numbers = e->kept,
                        .count = e->kept_count);
    if (tnn_failed()) {                             /* the run itself goes well */
        experiment_say(e, tnn_error());
        tnn_clear_error();
        e->net = NULL;
    }
    e->saved = experiment_clock();
    if (!e->asked) e->saved += 50 * (e->saved - now);
}

/* C libraries spell NaN and infinity in different ways. */
static inline void experiment_value(FILE *f, double v)
{
    if (v != v)          fputs("\tnan", f);
    else if (v > 1e300)  fputs("\tinf", f);
    else if (v < -1e300) fputs("\t-inf", f);
    else                 fprintf(f, "\t%.6f", v);
}

/* The row of the epoch that ended. Returns 0, or -1 on failure. */
static inline int experiment_row(experiment *e, tnn_metrics train, tnn_metrics val, double lr)
{
    experiment_keep(e, train, val, &lr);
    fprintf(e->file, "%d", e->epoch);
    experiment_value(e->file, train.loss);
    experiment_value(e->file, train.accuracy);
    experiment_value(e->file, val.loss);
    experiment_value(e->file, val.accuracy);
    fprintf(e->file, "\t%g\n", lr);
    if (tnn_failed() || fflush(e->file) || ferror(e->file)) {
        experiment_say(e, tnn_failed() ? tnn_error() : "the result file cannot be written");
        return -1;
    }
    int tell = e->epochs <= 100 || e->epoch % 50 == 0;
    if ((tell && !EXPERIMENT_TERMINAL()) || e->epoch == e->epochs) {
        char text[160];
        snprintf(text, sizeof text, "epoch %3d/%d  train %.4f %6.2f %%  validation %.4f %6.2f %%",
                 e->epoch, e->epochs, train.loss, 100 * train.accuracy, val.loss,
                 100 * val.accuracy);
        experiment_say(e, text);
    }
    e->epoch++;
    return 0;
}

/* Ends the run: its file gets its name if every epoch was written. Returns 0, or -1 on failure. */
static inline int experiment_end(experiment *e)
{
    char path[EXPERIMENT_PATH];
    fprintf(e->file, "# seconds %.2f\n", e->before + experiment_clock() - e->begun);
    int  complete = e->epoch > e->epochs, failed = fclose(e->file) != 0;
    e->file = NULL;
    e->net  = NULL;
    free(e->kept);
    e->kept = NULL;
    if (!complete) return -1;
    memcpy(path, e->path, sizeof path);
    path[strlen(path) - strlen(".part")] = 0;
    remove(path);                                   /* rename() on Windows replaces nothing */
    if (failed || rename(e->path, path) != 0) {
        experiment_say(e, "the result file cannot be written");
        return -1;
    }
    remove(e->checkpoint);
    return 0;
}

#endif /* EXPERIMENT_H */
