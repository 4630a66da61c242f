/* experiment.h - what the experiments share: options, runs, result files, progress

   An experiment is one C file that trains networks, one after the other ("runs"): a table of them,
   a function that builds the network of a row, and what else is its own. experiment_main, at the
   end of this file, does the rest. It writes a result file for each run, OUT/EXPERIMENT/RUN.tsv:
   comment lines (#), a header line, and a row per epoch, as the epoch ends. Comments say where and
   how it was made; the other lines are the same on every machine. A file being written is called
   RUN.tsv.part; it gets its name when its run is complete and on the disk, so that work which was
   interrupted can be started again: runs that are complete and would come out the same are skipped.

   A result is never replaced: its comment "config" has its key, that is data, seed, settings and
   arithmetic, and what has another is refused, or with --aside the results change places: see KEYS.
   Processes may share a folder, but not a run: see LOCKS.                                        */
#ifndef EXPERIMENT_H
#define EXPERIMENT_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#ifndef TINYNN_ELSEWHERE        /* the Makefile compiles the library once, for all of them */
#define TINYNN_IMPLEMENTATION
#endif
#include "../tinynn.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#ifdef _WIN32
#include <direct.h>
#include <io.h>
#include <sys/locking.h>
#define EXPERIMENT_MKDIR(path) _mkdir(path)
#define EXPERIMENT_TERMINAL()  _isatty(2)
#define EXPERIMENT_SYNC(f)     _commit(_fileno(f))
#else
#include <unistd.h>
#define EXPERIMENT_MKDIR(path) mkdir(path, 0777)
#define EXPERIMENT_TERMINAL()  isatty(2)
#define EXPERIMENT_SYNC(f)     fsync(fileno(f))
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

enum { EXPERIMENT_PATH = 1024, EXPERIMENT_RUNS = 160 };

/* Rows of a table of runs begin with one. */
typedef struct experiment_run {
    const char *name;
    int batch, epochs;
} experiment_run;

#define EXPERIMENT_TABLE(runs)                                                                    \
    .table = (runs), .row = sizeof *(runs), .count = (int)(sizeof (runs) / sizeof *(runs))

typedef struct experiment experiment;
struct experiment {
    const char *name, *about;           /* "fashion_cnn"; a line for --help                       */
    const void *table;                  /* its runs, rows                                         */
    size_t      row;                    /*   of so many bytes, and                                */
    int         count;                  /*   how many: EXPERIMENT_TABLE                           */
    int quick_epochs;                   /* of --quick; 0: one                                     */
    const char *choice;                 /* an option of its own ("--order"), or NULL,             */
    const char *const *choices;         /*   the values it takes, then NULL,                      */
    int chosen;                         /*   and which of them: the default, then the user's      */
    const char *search;                 /* a run of several trainings, or NULL;                   */
    int parts, shared;                  /*   how many; with --shard over processes                */
    int shard, shards;                  /* this process of so many: 0 of 1                        */
    int drawn[2], few[2];               /* samples (training, validation) of the stand-in, of
                                           --quick: for loaders that ask for it                   */
    /* What it does; all but the first two may be NULL. Those that return an int return 0, or -1 on
       failure, which they have reported.                                                         */
    int      (*load)(experiment *e);    /* the samples                                            */
    tnn_net *(*build)(experiment *e, const void *row);  /* the network of a row, and `settings`; it
                                           may change `loading`, `stopping` and `epochs`          */
    void     (*batch)(experiment *e, const tnn_fit_state *state);   /* after each batch           */
    tnn_fit_evaluate *evaluate;         /* tnn_fit's; its user is the experiment                  */
    int      (*finish)(experiment *e, const void *row, tnn_net *net);   /* writes more of a run that
                                           is complete                                            */
    int      (*do_run)(experiment *e, const void *row); /* instead of experiment_do_run           */
    int      (*after)(experiment *e);   /* after all runs                                         */
    /* the samples: what is trained on and validated with, what some have beside; `whole` are those
       that others are parts of, `memory` what was allocated for them                             */
    tnn_data train, val, test, all, unlabelled, whole[2];
    void    *memory[4];
    int      real;                      /* not the stand-in                                       */
    /* options */
    const char *data, *out, *only;
    uint64_t    seed;
    int         threads, quick, aside;
    char        kind[96];               /* "real" or "synthetic", with the numbers of samples     */
    char        key[256];               /* what the folder's results have in common               */
    int         lock;                   /* OUT/.lock, or -1                                       */
    /* the run being done */
    const char *const *runs;            /* the names of all of them, then NULL                    */
    const char *run;                    /* its name                                               */
    char        settings[256];
    tnn_loader_options loading;
    tnn_early_stopping stopping;        /* with a patience, or there is none                      */
    double      lost;                   /* not 0: a run may go to infinity; its rows to the end are
                                           NaN then, and this accuracy                            */
    int         epoch, epochs;          /* the next one that is written, of so many               */
    FILE       *file;
    char        file_name[128];         /* RUN.tsv                                               */
    char        checkpoint[EXPERIMENT_PATH + 160];
    const void *current;                /* its row                                                */
    double      every;                  /* seconds between checkpoints                            */
    double      seconds;                /* that its epochs took                                   */
    double     *tally;                  /* what else the experiment counts over a run: so many    */
    int         tallies;
    int         going;                  /* training has begun                                     */
    int         halt;                   /* why it is to stop: a signal's number, or -1: its file
                                           cannot be written                                      */
    /* progress, in training samples, over all runs */
    double      work, done, run_done, run_work, start, shown;
    int         nth, wanted;            /* the run being done is the nth of so many               */
    int         skipped;                /* complete ones, not yet spoken of                       */
    int         tenths;                 /* of the work, which have been told; see Progress        */
};

/* ==== Options ================================================================================= */

/* What --help prints. */
static inline void experiment_help(const experiment *e, FILE *to)
{
    fprintf(to, "%s - %s\n\nusage: build/%s [options]\n\n", e->name, e->about, e->name);
    fprintf(to, "  --data DIR     where the data is (default $TINYNN_DATA, else data); where the\n"
                "                 set is not there, a synthetic one stands in (none: always)\n"
                "  --out DIR      results go to DIR/%s/RUN.tsv (default build/results)\n"
                "  --aside        results of other data or another seed that are there are kept\n"
                "                 beside it, and those of this come back; without, an error\n"
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
        fprintf(to,
                "  --shard I/N    this is process I of the N that share the run %s, of which it\n"
                "                 does every N-th part and nothing else; start all of them\n",
                e->search);
    fprintf(to,
            "  --save S       seconds between two checkpoints of a run, from which it goes on\n"
            "                 if interrupted, to the batch (default 10; 50 times what one\n"
            "                 takes at least; 0: after each batch)\n"
            "  --help         this\n\nruns:");
    for (int i = 0, column = 5; e->runs[i]; i++) {
        int length = 1 + (int)strlen(e->runs[i]), wrap = column + length > 78;
        fprintf(to, "%s %s", wrap ? "\n     " : "", e->runs[i]);
        column = (wrap ? 5 : column) + length;
    }
    fprintf(to, "\n\nComplete runs are skipped; one that Ctrl-C or a kill ends goes on.\n"
                "Exit status: 0 done, 1 failed, 2 wrong usage.\n"
                "Here: instruction set %s ($TINYNN_ISA forces another), %d threads.\n",
            tnn_isa(), tnn_threads());
}

/* The place of a name in a list that ends with NULL, or -1. */
static inline int experiment_index(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0) return i;
    return -1;
}

/* Says what is wrong with an option, and the known values if there are. Returns 2, the status. */
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
    e->only = e->search;
    return 0;
}

/* Reads the command line. Returns -1 to go on, or the status to exit with. */
static inline int experiment_options(experiment *e, int argc, char **argv)
{
#ifndef _WIN32
    int f;                  /* no file of ours is standard error, if it was closed */
    do f = open("/dev/null", O_RDWR); while (f >= 0 && f <= 2);
    if (f > 2) close(f);
#endif
    e->data = getenv("TINYNN_DATA");
    const int given = e->data && *e->data;
    if (!given) e->data = "data";
    e->out  = "build/results";
    e->seed = 1;
    e->every = 10;
    e->shards = 1;
    e->lock = -1;
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i];
        if (strcmp(option, "--help") == 0) { experiment_help(e, stdout); return 0; }
        if (strcmp(option, "--quick") == 0) { e->quick = 1; continue; }
        if (strcmp(option, "--aside") == 0) { e->aside = 1; continue; }
        const int own     = e->choice && strcmp(option, e->choice) == 0;
        const int shard   = e->shared && strcmp(option, "--shard") == 0;
        const int save    = strcmp(option, "--save") == 0;
        const int threads = strcmp(option, "--threads") == 0;
        const int number  = save || threads || strcmp(option, "--seed") == 0;
        const char **text = strcmp(option, "--data") == 0 ? &e->data
                          : strcmp(option, "--out") == 0  ? &e->out
                          : strcmp(option, "--only") == 0 ? &e->only : NULL;
        if (!own && !shard && !number && !text)
            return experiment_usage(e, option, "unknown option", NULL);
        if (++i == argc || !*argv[i]) return experiment_usage(e, option, "needs a value", NULL);
        const char  *value = argv[i];
        const double v = experiment_number(value, threads);
        if (number && (v < 0 || (threads && v > 1024)))
            return experiment_usage(e, option, threads ? "takes a whole number from 1 to 1024"
                                                       : "takes a whole number", NULL);
        if (own && (e->chosen = experiment_index(e->choices, value)) < 0)
            return experiment_usage(e, option, "known values are", e->choices);
        if (shard && experiment_shard(e, value) != 0)
            return experiment_usage(e, option, "takes I/N, process I from 1 to N", NULL);
        if (text == &e->only && experiment_index(e->runs, value) < 0) {
            fprintf(stderr, "%s: no run is called '%s'\n", e->name, value);
            return experiment_usage(e, option, "the runs are", e->runs);
        }
        if (text)         *text = value;
        else if (threads) e->threads = (int)v;
        else if (save)    e->every = v;
        else if (number)  e->seed = (uint64_t)v;
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

/* How long a run is, before it is known to stop early. */
static inline int experiment_epochs(const experiment *e, const experiment_run *run)
{
    return !e->quick ? run->epochs : e->quick_epochs ? e->quick_epochs : 1;
}

/* Whether --only lets the run be done. */
static inline int experiment_wants(const experiment *e, const char *run)
{
    return !e->only || strcmp(e->only, run) == 0;
}

/* ==== Progress, on standard error ===============================================================
   On a terminal a bar, with the speed and the time left for all runs, and a line for each that
   ends; else a line after the first epoch and after each tenth of the work.                      */

/* Seconds, from any time on. */
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

/* A line of a message, with the names of the program and the run. */
static inline void experiment_say(const experiment *e, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fprintf(stderr, "%s%s: %s: ", EXPERIMENT_TERMINAL() ? "\r\033[K" : "", e->name,
            e->run ? e->run : "data");
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
}

/* Whether the library has failed, which it then reports. */
static inline int experiment_failed(const experiment *e)
{
    if (tnn_failed()) experiment_say(e, "%s", tnn_error());
    return tnn_failed() != TNN_OK;
}

/* "cannot DO PATH: the system's reason", which is in errno. Returns -1. */
static inline int experiment_cannot(const experiment *e, const char *action, const char *path)
{
    experiment_say(e, "cannot %s %s: %s", action, path, strerror(errno));
    return -1;
}

static inline char *experiment_path(const experiment *e, const char *name, const char *suffix);

/* Seconds until all runs are done, at the speed so far. */
static inline int experiment_left(const experiment *e)
{
    const double seconds = experiment_clock() - e->start;
    return e->done > 0 && e->work > e->done ? (int)(seconds * (e->work / e->done - 1)) : 0;
}

/* How complete runs are spoken of: once for all that follow each other. */
static inline void experiment_tell_skipped(experiment *e)
{
    if (e->skipped)
        experiment_say(e, "%d run%s complete, skipped", e->skipped, e->skipped > 1 ? "s" : "");
    e->skipped = 0;
}

/* CTRL-C, or what else asks the program to end: it does after the batch being trained, with a
   checkpoint. A second one ends it at once.                                                      */
static volatile sig_atomic_t experiment_stop;       /* the signal's number */
static inline void experiment_asked(int number)
{
    signal(number, SIG_DFL);
    experiment_stop = number;
}
static inline void experiment_heed_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    for (int i = 0; i < 2; i++) {
#ifdef _WIN32
        signal(numbers[i], experiment_asked);
#else
        struct sigaction a;
        if (sigaction(numbers[i], NULL, &a) != 0 || a.sa_handler == SIG_IGN) continue;
        memset(&a, 0, sizeof a);
        a.sa_handler = experiment_asked;
        a.sa_flags   = SA_RESTART;
        sigaction(numbers[i], &a, NULL);
#endif
    }
}
/* Ends the program as the signal would have: says what is kept and how to go on. `saved`: the run
   at hand is, up to its last batch.                                                              */
static inline void experiment_end_early(experiment *e, int saved)
{
    experiment_say(e, "interrupted in epoch %d of %d, run %d of %d\n  kept in %s: %d complete "
                   "run%s, and of this one %s\n  the same command goes on from there", e->epoch,
                   e->epochs, e->nth, e->wanted, experiment_path(e, "", ""), e->nth - 1,
                   e->nth == 2 ? "" : "s", saved ? "all up to the last batch" : "nothing");
    raise(experiment_stop);
}

/* To be called after each batch with its number of samples. */
static inline void experiment_progress(experiment *e, int samples)
{
    e->run_done += samples;
    e->done     += samples;
    double now = experiment_clock(), seconds = now - e->start;
    if (!EXPERIMENT_TERMINAL() || now - e->shown < 0.1 || seconds <= 0) return;
    e->shown = now;
    int bar  = (int)(10 * e->run_done / e->run_work);
    int left = experiment_left(e);
    fprintf(stderr, "\r%d/%d %-24.24s %3d/%d [%.*s%.*s] %7.0f samples/s %d:%02d:%02d left\033[K",
            e->nth, e->wanted, e->run, e->epoch, e->epochs, bar, "##########", 10 - bar,
            "----------", e->done / seconds, left / 3600, left / 60 % 60, left % 60);
}

/* ==== Data files ============================================================================== */

/* What is left of a file, for the caller to free; NULL on failure. */
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
    char  path[EXPERIMENT_PATH];
    void *data = NULL;
    snprintf(path, sizeof path, "%s/%s/%s", e->data, folder, name);
    FILE *f = fopen(path, "rb");
    if (f) {
        data = experiment_slurp(f, size);
        if (!data) experiment_cannot(e, "read", path);
        fclose(f);
        return data;
    }
    snprintf(path, sizeof path, "%s/%s/%s.gz", e->data, folder, name);
    f = fopen(path, "rb");
    if (f)                    data = experiment_gunzip(path, size);
    else if (errno != ENOENT) experiment_cannot(e, "read", path);
    else experiment_say(e, "%s is missing, and so is the file without .gz (make data fetches them)",
                        path);
    if (f && !data)
        experiment_say(e, "%s cannot be decompressed (is it damaged? is gzip installed?)", path);
    if (f) fclose(f);
    return data;
}

/* Whether DIR/FOLDER is there; says that the stand-in takes its place if not. One that is there but
   cannot be read is: who reads it says why.                                                      */
static inline int experiment_is_real(experiment *e, const char *folder)
{
    char path[EXPERIMENT_PATH];
    struct stat there;
    snprintf(path, sizeof path, "%s/%s", e->data, folder);
    e->real = stat(path, &there) == 0 || (errno != ENOENT && errno != ENOTDIR);
    if (!e->real)
        experiment_say(e, "%s is not there: synthetic images stand in for it", path);
    return e->real;
}

/* So many bytes, which experiment_free frees; NULL without memory, which it has reported. */
static inline void *experiment_room(experiment *e, size_t bytes)
{
    int i = 0;
    while (e->memory[i]) i++;
    e->memory[i] = malloc(bytes);
    if (!e->memory[i]) experiment_say(e, "out of memory");
    return e->memory[i];
}

/* Ends a `load`: what the samples are, of which `format` gives the numbers. Returns 0, or -1 if the
   library failed, which it has reported.                                                         */
static inline int experiment_loaded(experiment *e, const char *format, ...)
{
    char    numbers[64];
    va_list values;
    va_start(values, format);
    vsnprintf(numbers, sizeof numbers, format, values);
    va_end(values);
    snprintf(e->kind, sizeof e->kind, "%s, %s%s", e->real ? "real" : "synthetic", numbers,
             e->quick ? " (quick)" : "");
    return experiment_failed(e) ? -1 : 0;
}

/* Frees the samples. */
static inline void experiment_free(experiment *e)
{
    tnn_data *parts[] = {&e->train, &e->val, &e->test, &e->all, &e->unlabelled, &e->whole[0],
                         &e->whole[1]};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) tnn_data_free(parts[i]);
    for (int i = 0; i < 4; i++) free(e->memory[i]);
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

/* FNV-1a, 64 bits, begun with EXPERIMENT_HASH. */
#define EXPERIMENT_HASH 14695981039346656037u
static inline uint64_t experiment_hash(uint64_t hash, const void *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ ((const unsigned char *)data)[i]) * 1099511628211u;
    return hash;
}

/* LOCKS, each on a byte of OUT/.lock that stands for a name of the experiment's. They end with the
   process, whatever its end, so that none is left behind. SHARED with others or ALONE; waits for it
   or returns at once. Returns 0, or who has it: the number of a process, -1 where it is not known.
   Where the file system has no locks everyone gets them.                                         */
enum { EXPERIMENT_FREE, EXPERIMENT_SHARED, EXPERIMENT_ALONE };
static inline long experiment_lock(const experiment *e, const char *name, int how, int wait)
{
    const uint64_t hash = experiment_hash(EXPERIMENT_HASH, e->name, strlen(e->name) + 1);
    const long     at = (long)(experiment_hash(hash, name, strlen(name)) % 1000000007);
#ifdef _WIN32                                       /* which has none that are shared */
    const int free = how == EXPERIMENT_FREE;
    if (e->lock <= 0 || !*name || _lseek(e->lock, at, SEEK_SET) < 0) return 0;
    return !_locking(e->lock, free ? _LK_UNLCK : wait ? _LK_LOCK : _LK_NBLCK, 1) || free ? 0 : -1;
#else
    static const short types[] = {F_UNLCK, F_RDLCK, F_WRLCK};
    struct flock l;
    while (e->lock > 0) {
        memset(&l, 0, sizeof l);
        l.l_type   = types[how];
        l.l_whence = SEEK_SET;
        l.l_start  = at;
        l.l_len    = 1;
        if (fcntl(e->lock, wait ? F_SETLKW : F_SETLK, &l) == 0) break;
        if (errno == EINTR) continue;
        if ((errno != EACCES && errno != EAGAIN) || fcntl(e->lock, F_GETLK, &l) != 0) break;
        if (l.l_type != F_UNLCK) return l.l_pid > 0 ? (long)l.l_pid : -1;
    }                                               /* it was given back meanwhile */
    return 0;
#endif
}

/* Reports that the process `who` does what a lock stands for. Returns -1. */
static inline int experiment_busy(const experiment *e, long who, const char *what)
{
    char process[40] = "another process";
    if (who > 0) snprintf(process, sizeof process, "process %ld", who);
    experiment_say(e, "%s %s: wait for it, or give another --out", process, what);
    return -1;
}

/* The path of OUT/EXPERIMENT/NAME and a suffix, or for NAME "" of the folder and a suffix: good
   until the fourth call from here.                                                               */
static inline char *experiment_path(const experiment *e, const char *name, const char *suffix)
{
    static char paths[4][EXPERIMENT_PATH + 160];
    static int  latest;
    char *path = paths[latest = (latest + 1) % 4];
    snprintf(path, sizeof paths[0], "%s/%s%s%.120s%s", e->out, e->name, *name ? "/" : "", name,
             suffix);
    return path;
}

/* Begins a file, as NAME.part. NULL on failure, which it has reported. The caller has a lock. */
static inline FILE *experiment_begin_file(const experiment *e, const char *name)
{
    char *part = experiment_path(e, name, ".part");
    FILE *f = NULL;
    remove(part);                                   /* a link there must not be followed */
    if (experiment_mkdirs(part) != 0 || !(f = fopen(part, "w")))
        experiment_cannot(e, "write", part);
    return f;
}

/* Ends it, and the lock: it gets its name when it is on the disk, or with `complete` 0 never.
   Returns 0 if it has, for good. Else -1: a failure is reported, and unless that is of the sync of
   the folder what had the name remains.                                                          */
static inline int experiment_end_file(const experiment *e, FILE *f, const char *name, int complete)
{
    char *part = experiment_path(e, name, ".part"), *path = experiment_path(e, name, "");
    int   failed = fflush(f) != 0 || ferror(f) || EXPERIMENT_SYNC(f) != 0, error = errno;
    if (fclose(f) != 0 && !failed) failed = 1, error = errno;
#ifdef _WIN32
    if (!failed && complete) remove(path);          /* rename() replaces nothing there */
#endif
    if (!failed && complete && rename(part, path) != 0) failed = 1, error = errno;
    errno = error;
    if (failed) experiment_cannot(e, "write", path);
#ifndef _WIN32
    int folder = failed || !complete ? -1 : open(experiment_path(e, "", ""), O_RDONLY);
    if (folder >= 0 && fsync(folder) != 0 && errno != EINVAL)
        failed = experiment_cannot(e, "sync the folder of", path);
    if (folder >= 0) close(folder);
#endif
    experiment_lock(e, name, EXPERIMENT_FREE, 0);
    return failed || !complete ? -1 : 0;
}

/* A file beside the results, which replaces the one before; to be ended with experiment_end_file.
   NULL on failure, which it has reported.                                                        */
static inline FILE *experiment_create(const experiment *e, const char *name)
{
    experiment_lock(e, name, EXPERIMENT_ALONE, 1);
    FILE *f = experiment_begin_file(e, name);
    if (!f) experiment_lock(e, name, EXPERIMENT_FREE, 0);
    return f;
}

/* What follows `begin` in the first line that begins so; "" where there is none. Returns 0 if there
   is no such file.                                                                               */
static inline int experiment_comment(const char *path, const char *begin, char *text, size_t size)
{
    struct stat there;
    const size_t n = strlen(begin);
    int   found = 0;
    FILE *f = fopen(path, "r");
    while (f && !found && fgets(text, (int)size, f)) found = strncmp(text, begin, n) == 0;
    if (f) fclose(f);
    if (found) memmove(text, text + n, strlen(text + n) + 1);
    text[found ? strcspn(text, "\r\n") : 0] = 0;
    return f || stat(path, &there) == 0;
}

/* KEYS. The results of a folder OUT/EXPERIMENT are of the same data and seed: figures and choices
   take them together. Its key.txt says which. Those of another key are refused; with --aside they
   are kept as OUT/EXPERIMENT.HASH, and what was so kept for this key comes back.                 */
static inline char *experiment_kept(const experiment *e, const char *key)
{
    char suffix[32];
    snprintf(suffix, sizeof suffix, ".%016llx", (unsigned long long)
             experiment_hash(EXPERIMENT_HASH, key, strlen(key)));
    return experiment_path(e, "", suffix);
}
static inline int experiment_settle(const experiment *e)
{
    char key[sizeof e->key + 8];
    struct stat there;
    int other = experiment_comment(experiment_path(e, "key.txt", ""), "# key ", key, sizeof key);
    if (other && strcmp(key, e->key) == 0) return 0;
    for (int i = 0; e->runs[i] && !other; i++)      /* from before there were keys */
        other = stat(experiment_path(e, e->runs[i], ".tsv"), &there) == 0;
    const char *folder = experiment_path(e, "", ""), *mine = experiment_kept(e, e->key);
    if (other) {
        const char *kept = experiment_kept(e, key);
        experiment_say(e, "%s has results of %s, %s %s%s", folder, *key ? key : "an unknown key",
                       e->aside ? "kept as" : "these would be of", e->aside ? kept : e->key,
                       e->aside ? "" : ": give another --out, or --aside, which keeps them");
        if (!e->aside) return -1;
        if (rename(folder, kept) != 0) return experiment_cannot(e, "write", kept);
    }
    if (stat(mine, &there) == 0)
        return rename(mine, folder) == 0 ? 0 : experiment_cannot(e, "write", folder);
    FILE *f = experiment_create(e, "key.txt");
    if (!f) return -1;
    fprintf(f, "# what is here is of\n# key %s\n", e->key);
    return experiment_end_file(e, f, "key.txt", 1);
}

/* A hash of all samples, as floats, and their labels; 0 without memory. */
static inline uint64_t experiment_hash_data(const tnn_data *data)
{
    const size_t size = (size_t)data->c * (size_t)data->h * (size_t)data->w;
    float   *x = (float *)malloc(size * sizeof *x + 1);
    uint64_t hash = EXPERIMENT_HASH;
    for (int i = 0; x && i < data->n && tnn_sample(data, i, x, (int)size) == TNN_OK; i++) {
        for (size_t k = 0; k < size; k++) {
            uint32_t bits;
            memcpy(&bits, &x[k], sizeof bits);
            hash = (hash ^ bits) * 1099511628211u;
        }
        hash = (hash ^ (hash >> 32) ^ (unsigned)data->labels[data->order ? data->order[i] : i])
               * 1099511628211u;
    }
    free(x);
    return x ? hash : 0;
}

/* To be called once the samples are there, before anything is written: makes the key, and takes the
   folder, alone while it settles whose it is, then shared with others of that key. Returns 0, or -1
   on failure, which it has reported.                                                             */
static inline int experiment_open(experiment *e)
{
    char text[3 * EXPERIMENT_PATH], key[sizeof e->key + 8];
    const uint64_t hash = e->all.n ? experiment_hash_data(&e->all) * 31
                        : experiment_hash_data(&e->train) * 31 + experiment_hash_data(&e->val);
    e->run = "results";
    if (experiment_failed(e)) return -1;
    snprintf(e->key, sizeof e->key, "%s, data %016llx, seed %llu%s%s", e->kind,
             (unsigned long long)hash, (unsigned long long)e->seed, e->choice ? ", " : "",
             e->choice ? e->choices[e->chosen] : "");
    if (strlen(e->out) + strlen(e->name) + 160 > EXPERIMENT_PATH) {
        experiment_say(e, "the path of --out is too long");
        return -1;
    }
    snprintf(text, sizeof text, "%s/.lock", e->out);
    if (experiment_mkdirs(text) != 0) return experiment_cannot(e, "make the folder of", text);
    e->lock = open(text, O_RDWR | O_CREAT, 0666);
    if (e->lock < 0 && access(e->out, 2) == 0)      /* else what writes says why not */
        return experiment_cannot(e, "open", text);
    while (experiment_lock(e, "", EXPERIMENT_ALONE, 0) != 0) {
        experiment_lock(e, "", EXPERIMENT_SHARED, 1);
        experiment_comment(experiment_path(e, "key.txt", ""), "# key ", key, sizeof key);
        if (strcmp(key, e->key) == 0) return 0;
        experiment_lock(e, "", EXPERIMENT_FREE, 0);
        const long who = experiment_lock(e, "", EXPERIMENT_ALONE, 0);
        snprintf(text, sizeof text, "makes results of %s in %s, these would be of %s", key,
                 experiment_path(e, "", ""), e->key);
        if (who != 0) return experiment_busy(e, who, text);
    }
    const int failed = experiment_settle(e);
    experiment_lock(e, "", EXPERIMENT_SHARED, 0);
    return failed;
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

/* Starts a run of `epochs` times `samples`; `settings` and `fingerprint` say what it is. Returns 1
   to train it, 0 to skip it (done before), -1 on failure, which it has reported. A result of other
   settings or other arithmetic is refused, or with --aside gets another name.                    */
static inline int experiment_begin(experiment *e, const char *run, const char *settings,
                                   uint64_t fingerprint, int epochs, int samples,
                                   long long parameters)
{
    char config[1024], other[1024], message[3 * EXPERIMENT_PATH], suffix[32];
    e->run      = run;
    e->epoch    = 1;
    e->epochs   = epochs;
    e->run_work = (double)epochs * samples;
    e->run_done = 0;
    e->seconds  = 0;
    e->going    = e->halt = 0;
    if (experiment_failed(e)) return -1;
    snprintf(config, sizeof config, "%s, %d epochs, %s, fingerprint %016llx", settings, epochs,
             e->key, (unsigned long long)fingerprint);
    snprintf(e->file_name, sizeof e->file_name, "%.100s.tsv", run);
    char *path = experiment_path(e, e->file_name, "");
    long  who  = experiment_lock(e, e->file_name, EXPERIMENT_ALONE, 0);
    if (who != 0) {
        snprintf(message, sizeof message, "makes %s", path);
        return experiment_busy(e, who, message);
    }
    snprintf(suffix, sizeof suffix, "-%016llx.tnn", (unsigned long long)
             experiment_hash(EXPERIMENT_HASH, config, strlen(config)));
    snprintf(e->checkpoint, sizeof e->checkpoint, "%s", experiment_path(e, run, suffix));
    e->file = NULL;
    int there = experiment_comment(path, "# config ", other, sizeof other);
    int done  = there && strcmp(other, config) == 0, failed = 0;
    if (there && !done) {
        snprintf(suffix, sizeof suffix, "-%016llx.tsv", (unsigned long long)
                 experiment_hash(EXPERIMENT_HASH, other, strlen(other)));
        char *kept = experiment_path(e, run, suffix);
        experiment_say(e, e->aside ? "%s has other settings or other arithmetic, kept as %s"
                       : "%s has other settings or other arithmetic (see its comment config): give "
                       "another --out, or --aside, which keeps it as %s", path, kept);
        failed = !e->aside || (rename(path, kept) != 0 && experiment_cannot(e, "write", kept));
    }
    if (!failed && !done) e->file = experiment_begin_file(e, e->file_name);
    if (!e->file) {
        experiment_lock(e, e->file_name, EXPERIMENT_FREE, 0);
        if (!done) return -1;
        e->skipped++;
        remove(e->checkpoint);                      /* of one that was killed just before */
        e->work -= e->run_work;
        return 0;
    }
    fprintf(e->file, "# %s %s\n# made by tinynn.h %s, instruction set %s, %d threads, %s\n",
            e->name, run, TNN_VERSION, tnn_isa(), tnn_threads(), EXPERIMENT_COMPILER);
    fprintf(e->file, "# data %s\n# seed %llu\n# parameters %lld\n# config %s\n", e->kind,
            (unsigned long long)e->seed, parameters, config);
    fprintf(e->file, "epoch\ttrain_loss\ttrain_acc\tval_loss\tval_acc\tlr\n");
    if (e->start == 0) e->start = experiment_clock();
    experiment_tell_skipped(e);
    return 1;
}

/* C libraries spell NaN and infinity in different ways. */
static inline void experiment_value(FILE *f, double v)
{
    if (v != v)          fputs("\tnan", f);
    else if (v > 1e300)  fputs("\tinf", f);
    else if (v < -1e300) fputs("\t-inf", f);
    else                 fprintf(f, "\t%.6f", v);
}

/* Whether an epoch that ended is told of: on a terminal the last of a run, else the first of all,
   and what passes a tenth of the work.                                                           */
static inline int experiment_tells(experiment *e, int last)
{
    const int tenths = e->work > 0 ? 1 + (int)(10 * e->done / e->work + 1e-9) : 0;
    const int tell = EXPERIMENT_TERMINAL() ? last : tenths > e->tenths;
    if (tenths > e->tenths) e->tenths = tenths;
    return tell;
}

/* The row of the next epoch. Returns 0, or -1 on failure, which it has reported. */
static inline int experiment_row(experiment *e, const tnn_epoch *row)
{
    fprintf(e->file, "%d", e->epoch);
    experiment_value(e->file, row->loss);
    experiment_value(e->file, row->accuracy);
    experiment_value(e->file, row->validation_loss);
    experiment_value(e->file, row->validation_accuracy);
    fprintf(e->file, "\t%g\n", row->lr);
    if (fflush(e->file) != 0)
        return experiment_cannot(e, "write", experiment_path(e, e->file_name, ".part"));
    if (experiment_tells(e, e->epoch == e->epochs)) {
        const int left = experiment_left(e);
        experiment_say(e, "run %d of %d, epoch %d/%d  train %.4f %6.2f %%  validation %.4f %6.2f "
                       "%%  %d:%02d:%02d left", e->nth, e->wanted, e->epoch, e->epochs, row->loss,
                       100 * row->accuracy, row->validation_loss, 100 * row->validation_accuracy,
                       left / 3600, left / 60 % 60, left % 60);
    }
    e->seconds += row->seconds;
    e->epoch++;
    return 0;
}

/* Ends the run: its file gets its name if every epoch was written. Returns 0, or -1 on failure. */
static inline int experiment_end(experiment *e)
{
    fprintf(e->file, "# seconds %.2f\n", e->seconds);
    const int failed = experiment_end_file(e, e->file, e->file_name, e->epoch > e->epochs);
    e->file = NULL;
    if (!failed) remove(e->checkpoint);
    return failed;
}

/* ==== The program ============================================================================= */

/* Writes the rows of epochs that have none yet. */
static inline void experiment_rows(experiment *e, const tnn_history *history)
{
    while (!e->halt && e->epoch <= history->count)
        e->halt = experiment_row(e, &history->epochs[e->epoch - 1]);
}

/* The callback of tnn_fit. A run that was interrupted is given its rows again. */
static inline int experiment_follow(void *user, const tnn_fit_state *state)
{
    experiment *e = (experiment *)user;
    const int    n    = state->batches->n;          /* 0 at an epoch's end */
    const double done = (double)e->train.n * (state->epoch - 1) + state->metrics.n - n;
    if (!e->going && done > 0) {
        e->run_done = done;
        e->work    -= done;
        experiment_say(e, "goes on after epoch %d, with %.0f of %.0f samples done",
                       state->epoch - 1, done, e->run_work);
    }
    e->going = 1;
    experiment_rows(e, state->history);
    if (state->epoch_ended) return e->halt;
    if (e->batch) e->batch(e, state);
    experiment_progress(e, n);
    if (!e->halt) e->halt = experiment_stop;
    return e->halt;
}

/* Whether a run has gone to infinity, and may. */
static inline int experiment_lost(const experiment *e)
{
    return e->lost > 0 && tnn_failed() == TNN_ERROR_NUMBER;
}

/* The logger while tnn_fit is at work: a checkpoint that cannot be written is no error. */
static inline void experiment_log(void *user, const char *message)
{
    experiment *e = (experiment *)user;
    if (!experiment_lost(e)) experiment_say(e, "%s", message);
}

/* Trains the network, and writes the rows. The checkpoint is RUN-CONFIGURATION.tnn beside results,
   until these are on the disk. Who is killed while it is written leaves a .tmp there, which can be
   deleted. Returns whether the run is to begin anew, with a new network, as its checkpoint, which
   is removed, is damaged or of another version; not `again`.                                     */
static inline int experiment_fit(experiment *e, tnn_net *net, int again)
{
    for (int i = 0; i < e->tallies; i++) e->tally[i] = 0;
    tnn_set_logger(experiment_log, e);
    tnn_history run = tnn_fit(net, &e->train, &e->val, .epochs = e->epochs,
                              .loader = &e->loading, .evaluate = e->evaluate,
                              .stopping = e->stopping.patience ? &e->stopping : NULL,
                              .checkpoint = e->checkpoint,
                              .save_seconds = e->every > 0 ? e->every : TNN_ZERO,
                              .numbers = e->tally, .count = e->tallies,
                              .callback = experiment_follow, .user = e);
    tnn_set_logger(NULL, NULL);
    const int lost = experiment_lost(e);
    const int anew = !again && !e->going && strstr(tnn_error(), e->checkpoint) != NULL;
    if (anew) {
        experiment_say(e, "begins anew");
        remove(e->checkpoint);
        run.count = run.stopped = 0;
    }
    experiment_rows(e, &run);
    if (anew || lost) tnn_clear_error();
    if (e->halt > 0) experiment_end_early(e, !tnn_failed());
    if (!e->halt && (lost || run.stopped)) e->work -= (double)e->train.n * (e->epochs - run.count);
    const tnn_epoch end = {0, tnn_lr(net), NAN, e->lost, NAN, e->lost, 0};
    while (lost && !e->halt && e->epoch <= e->epochs) e->halt = experiment_row(e, &end);
    if (run.stopped && !e->halt && run.count < e->epochs) {
        const tnn_epoch *last = &run.epochs[run.count - 1];
        e->epochs = run.count;
        if (EXPERIMENT_TERMINAL() || e->nth == e->wanted)
            experiment_say(e, "stopped after epoch %d, validation %.4f %6.2f %%", e->epochs,
                           last->validation_loss, 100 * last->validation_accuracy);
    }
    tnn_history_free(&run);
    return anew;
}

/* The run of a row, to its end or until `stopping` says so (by accuracy with .max, else by loss; of
   the validation). Returns 0, also if it was complete before, or -1 on failure, which it has
   reported.                                                                                      */
static inline int experiment_do_run(experiment *e, const void *row)
{
    const experiment_run *run = (const experiment_run *)row;
    const int planned = experiment_epochs(e, run);
    e->current = row;
    e->loading = (tnn_loader_options){.batch = run->batch, .shuffle = 1, .seed = e->seed};
    e->epochs  = planned;
    memset(&e->stopping, 0, sizeof e->stopping);
    const uint64_t fingerprint = experiment_fingerprint(e->build(e, row), &e->train);
    tnn_net *net = e->build(e, row);
    e->work += (double)e->train.n * (e->epochs - planned);
    int go = experiment_begin(e, run->name, e->settings, fingerprint, e->epochs, e->train.n,
                              tnn_param_total(net));
    if (go == 1) {
        if (experiment_fit(e, net, 0)) {
            tnn_free(net);
            net = e->build(e, row);
            experiment_fit(e, net, 1);
        }
        if (e->finish && e->epoch > e->epochs && e->finish(e, row, net) != 0)
            e->epochs = e->epoch;                               /* not complete */
        go = experiment_end(e);
    }
    tnn_free(net);
    return go;
}

/* Row number i of the table. */
static inline const experiment_run *experiment_nth(const experiment *e, int i)
{
    const void *row = (const char *)e->table + (size_t)i * e->row;
    return (const experiment_run *)row;
}

/* The whole program: returns its exit status. */
static inline int experiment_main(experiment *e, int argc, char **argv)
{
    static const char *names[EXPERIMENT_RUNS + 1];
    for (int i = 0; i < e->count; i++) names[i] = experiment_nth(e, i)->name;
    e->runs = names;
    int status = experiment_options(e, argc, argv);
    if (status >= 0) return status;
    status = e->load(e);
    if (status == 0) status = experiment_open(e);
    experiment_heed_signals();
    for (int pass = 0; pass < 2; pass++)            /* how much there is to do; then do it */
        for (int i = 0; i < e->count && status == 0; i++) {
            const experiment_run *run = experiment_nth(e, i);
            const int parts = !e->search || strcmp(e->search, run->name) != 0 ? 1
                            : (e->parts - e->shard + e->shards - 1) / e->shards;
            if (!experiment_wants(e, run->name)) continue;
            if (pass == 0) e->work += (double)e->train.n * parts * experiment_epochs(e, run);
            ++*(pass == 0 ? &e->wanted : &e->nth);
            if (pass == 1) status = (e->do_run ? e->do_run : experiment_do_run)(e, run);
        }
    if (status == 0) experiment_tell_skipped(e);
    if (status == 0 && e->after) status = e->after(e);
    experiment_free(e);
    return status != 0;
}

#endif /* EXPERIMENT_H */
