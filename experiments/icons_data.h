/* icons_data.h - the icons of report 5, or the stand-in of icons_drawing.h

   1,005 colour icons of 3 x 32 x 32 bytes in five classes: air transport, birds, water transport,
   people, cats. They come as a Python pickle, DIR/icons/iconos_train.pkl, a dict of two NumPy
   arrays: images uint8 (n, 3, 32, 32) and labels int64 (n). Axes are (channel, x, y), as the report
   trains on them. Where that folder does not exist, icons drawn here take its place: fewer, with
   integers only and tnn_random_bits, so that their bytes are the same on every machine.          */
#ifndef ICONS_DATA_H
#define ICONS_DATA_H

#include "experiment.h"
#include "icons_drawing.h"

enum { ICONS_CLASSES = 5, ICONS_SIDE = 32, ICONS_BYTES = 3 * ICONS_SIDE * ICONS_SIDE,
       ICONS_REAL = 1005 };

/* ==== The pickle ================================================================================
   A pickle is a program for a stack machine that can build, and run, anything. This reads protocol
   4 as what it must be here, token by token, and nothing else: a file with another opcode, name,
   type or length anywhere is refused. FRAME (its length is only held against the file's) and
   MEMOIZE stand between the tokens; BINGET stands for a token that was memoized. See Python's
   pickletools for the opcodes.                                                                   */
typedef struct icons_token {
    int op;                             /* 'i' integer, 's' text or short bytes, 'g' a global, */
    const unsigned char *text;          /*   else the opcode                                   */
    long long n;                        /* the integer, or the length of the text              */
} icons_token;

typedef struct icons_pickle {
    const unsigned char *at, *end;
    icons_token last, text, memo[64];   /* the last token, the last text (a global's name)     */
    int memos;
} icons_pickle;

enum {
    PICKLE_PROTO = 0x80, PICKLE_TUPLE1 = 0x85, PICKLE_TUPLE3 = 0x87, PICKLE_TRUE = 0x88,
    PICKLE_FALSE = 0x89, PICKLE_TEXT = 0x8c, PICKLE_GLOBAL = 0x93, PICKLE_MEMOIZE = 0x94,
    PICKLE_FRAME = 0x95
};

/* A little-endian number of some bytes; those that are not there make it fail later on. */
static inline long long icons_number(icons_pickle *p, int bytes)
{
    unsigned long long v = 0;
    if (p->end - p->at < bytes) { p->at = p->end; return -1; }
    for (int i = 0; i < bytes; i++) v |= (unsigned long long)*p->at++ << 8 * i;
    return (long long)v;
}

static inline icons_token icons_next(icons_pickle *p)
{
    icons_token t = {-1, NULL, 0};
    for (; p->at < p->end && (*p->at == PICKLE_FRAME || *p->at == PICKLE_MEMOIZE); ) {
        if (*p->at++ == PICKLE_FRAME) {
            long long frame = icons_number(p, 8);
            if (frame < 0 || frame > p->end - p->at) p->at = p->end;
        } else if (p->memos < (int)(sizeof p->memo / sizeof *p->memo)) {
            p->memo[p->memos++] = p->last;
        }
    }
    if (p->at == p->end) return t;
    t.op = *p->at++;
    int bytes = t.op == 'B' ? 4 : t.op == 'C' || t.op == PICKLE_TEXT ? 1 : 0;
    switch (t.op) {
    case 'K': t.n = icons_number(p, 1); t.op = 'i'; break;
    case 'M': t.n = icons_number(p, 2); t.op = 'i'; break;
    case 'J': t.n = (int32_t)icons_number(p, 4); t.op = 'i'; break;
    case 'h':
        t.n = icons_number(p, 1);
        if (t.n >= 0 && t.n < p->memos) t = p->memo[t.n];
        break;
    case PICKLE_GLOBAL: t = p->text; t.op = 'g'; break;
    default: break;
    }
    if (bytes) {
        t.n = icons_number(p, bytes);
        if (t.n < 0 || t.n > p->end - p->at) { t.op = -1; t.n = 0; }
        t.text = p->at;
        p->at += t.n;
        if (bytes == 1 && t.op >= 0) t.op = 's';
    }
    if (t.op == 's') p->text = t;
    return p->last = t;
}

static inline int icons_ops(icons_pickle *p, const char *ops)      /* opcodes without operands */
{
    for (; *ops; ops++)
        if (icons_next(p).op != (unsigned char)*ops) return 0;
    return 1;
}
static inline int icons_int(icons_pickle *p, long long n)
{
    icons_token t = icons_next(p);
    return t.op == 'i' && t.n == n;
}
static inline int icons_is(icons_token t, int op, const char *text)
{
    return t.op == op && t.n == (long long)strlen(text) && memcmp(t.text, text, strlen(text)) == 0;
}
static inline int icons_text(icons_pickle *p, const char *text)
{
    return icons_is(icons_next(p), 's', text);
}
static inline int icons_global(icons_pickle *p, const char *module, const char *name)
{
    icons_token t = icons_next(p);
    if (icons_is(t, 'g', name)) return 1;                               /* memoized */
    if (icons_is(t, 's', "numpy._core.multiarray")) module = "numpy._core.multiarray"; /* NumPy 2 */
    return icons_is(t, 's', module) && icons_text(p, name) && icons_is(icons_next(p), 'g', name);
}

/* An array of n samples (*n 0: any number) of `size` bytes in all, of a type like "u1" with a byte
   order; `shape` are its dimensions after n, ending with 0. NULL if it is not that.              */
static inline const unsigned char *icons_array(icons_pickle *p, const char *type, const char *order,
                                               int size, int *n, const int *shape)
{
    int good = icons_global(p, "numpy.core.multiarray", "_reconstruct")
               && icons_global(p, "numpy", "ndarray") && icons_int(p, 0) && icons_ops(p, "\x85")
               && icons_text(p, "b") && icons_ops(p, "\x87R(") && icons_int(p, 1)
               && (!*shape || icons_ops(p, "("));
    icons_token count = icons_next(p);
    good = good && count.op == 'i' && count.n > 0 && count.n <= 65535 && (!*n || *n == count.n);
    *n = (int)count.n;
    const char *tuple = *shape ? "t" : "\x85";
    while (good && *shape) good = icons_int(p, *shape++);
    good = good && icons_ops(p, tuple) && icons_global(p, "numpy", "dtype") && icons_text(p, type)
           && icons_ops(p, "\x89\x88\x87R(") && icons_int(p, 3) && icons_text(p, order)
           && icons_ops(p, "NNN") && icons_int(p, -1) && icons_int(p, -1) && icons_int(p, 0)
           && icons_ops(p, "tb\x89");                       /* not in Fortran's order */
    icons_token data = icons_next(p);
    good = good && data.op == 'B' && data.n == (long long)*n * size && icons_ops(p, "tb");
    return good ? data.text : NULL;
}

/* Finds the images in a pickle; gives their number and labels (allocated), 0 if it is another. */
static inline int icons_parse(icons_pickle *p, const unsigned char **images, int **labels)
{
    static const int image[] = {3, ICONS_SIDE, ICONS_SIDE, 0}, none[] = {0};
    int n = 0, good = p->end - p->at > 2 && p->at[0] == PICKLE_PROTO && p->at[1] == 4;
    const unsigned char *label = NULL;
    *labels = NULL;
    p->at += 2 * good;
    good = good && icons_ops(p, "}(") && icons_text(p, "images")
           && (*images = icons_array(p, "u1", "|", ICONS_BYTES, &n, image)) != NULL
           && icons_text(p, "labels") && (label = icons_array(p, "i8", "<", 8, &n, none)) != NULL
           && icons_ops(p, "u.") && p->at == p->end;
    if (good) *labels = (int *)malloc((size_t)n * sizeof **labels);
    for (int i = 0; *labels && i < n; i++) {
        static const unsigned char zeros[7];
        (*labels)[i] = label[8 * i];
        if (label[8 * i] >= ICONS_CLASSES || memcmp(label + 8 * i + 1, zeros, 7) != 0) good = 0;
    }
    return good && *labels ? n : 0;
}

/* ==== Loading ================================================================================= */
typedef struct icons_set {
    tnn_data       data;
    unsigned char *memory;              /* the file, or the drawings */
    int           *labels;
} icons_set;

static inline int icons_read(icons_set *set, experiment *e, const char *path)
{
    char  message[EXPERIMENT_PATH + 100];
    const unsigned char *images = NULL;
    const size_t room = 1 << 23;                /* the file has 3 MB */
    size_t size = 0;
    int    n = 0;
    FILE  *f = fopen(path, "rb");
    if (f) {
        set->memory = (unsigned char *)malloc(room);
        if (set->memory) size = fread(set->memory, 1, room, f);
        fclose(f);
        icons_pickle p = {.at = set->memory, .end = set->memory + size};
        if (size) n = icons_parse(&p, &images, &set->labels);
        snprintf(message, sizeof message, "%s, at byte %ld of %ld: not the pickle of the icons",
                 path, size ? (long)(p.at - set->memory) : 0, (long)size);
    } else {
        experiment_cannot(e, "read", path);
        return -1;
    }
    if (n) set->data = tnn_data_view(images, NULL, set->labels, n, 3, ICONS_SIDE, ICONS_SIDE);
    else   experiment_say(e, message);
    return n ? 0 : -1;
}

/* Loads or draws the set, pixels as x/255. `drawn`: how many the stand-in has; `quick`: with
   --quick. Returns 0, or -1 on failure, which it has reported.                                   */
static inline int icons_load(icons_set *set, experiment *e, int drawn, int quick)
{
    char path[EXPERIMENT_PATH], message[EXPERIMENT_PATH + 100];
    struct stat there;
    int n = e->quick ? quick : drawn;
    memset(set, 0, sizeof *set);
    snprintf(path, sizeof path, "%s/icons", e->data);
    int real = stat(path, &there) == 0 || (errno != ENOENT && errno != ENOTDIR);
    if (real) {
        snprintf(path, sizeof path, "%s/icons/iconos_train.pkl", e->data);
        if (icons_read(set, e, path) != 0) return -1;
        if (e->quick) set->data = tnn_subset(&set->data, 0, quick);
    } else {
        snprintf(message, sizeof message, "%s is not there: synthetic images stand in for it",
                 path);
        experiment_say(e, message);
        set->memory = (unsigned char *)malloc((size_t)n * ICONS_BYTES);
        set->labels = (int *)malloc((size_t)n * sizeof *set->labels);
        if (!set->memory || !set->labels) { experiment_say(e, "out of memory"); return -1; }
        for (int i = 0; i < n; i++)
            set->labels[i] = icons_draw(set->memory + (size_t)i * ICONS_BYTES, (uint64_t)i);
        set->data = tnn_data_view(set->memory, NULL, set->labels, n, 3, ICONS_SIDE, ICONS_SIDE);
    }
    snprintf(e->kind, sizeof e->kind, "%s, %d samples%s", real ? "real" : "synthetic",
             set->data.n, e->quick ? " (quick)" : "");
    if (tnn_failed()) { experiment_say(e, tnn_error()); return -1; }
    return 0;
}

static inline void icons_free(icons_set *set)
{
    tnn_data_free(&set->data);
    free(set->memory);
    free(set->labels);
}

#endif /* ICONS_DATA_H */
