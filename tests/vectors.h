/* vectors.h - reads the files of numbers that PyTorch (or a formula in double precision) computed

   tests/vectors/NAME.txt is a sequence of cases, a case a sequence of arrays:

       case NAME
       KEY COUNT VALUE VALUE ...

   A test program that includes this after test.h calls vectors_from(argc, argv) first: the
   directory may be its second argument, or the environment variable VECTORS. */
#ifndef VECTORS_H
#define VECTORS_H

static const char *directory = "tests/vectors";

static inline void vectors_from(int argc, char **argv)
{
    if (argc > 2) directory = argv[2];
    else if (getenv("VECTORS")) directory = getenv("VECTORS");
}

typedef struct array { char key[40]; double *v; int n; } array;

typedef struct vectors {            /* one case */
    char  name[40];
    int   arrays;
    array a[24];
} vectors;

#define MAX_CASES 256
static vectors cases[MAX_CASES];
static int case_count;
static double *numbers;             /* of all arrays of the file */

/* The cases of a file become cases[0..case_count). */
static inline void load(const char *file)
{
    char path[512], *text, *p;
    size_t size, room = 0, used = 0;
    FILE *f;
    case_count = 0;
    free(numbers);
    numbers = NULL;
    snprintf(path, sizeof path, "%s/%s", directory, file);
    f = fopen(path, "rb");
    CHECK(f, "cannot open %s", path);
    if (!f) return;
    fseek(f, 0, SEEK_END);
    size = (size_t)ftell(f);
    rewind(f);
    text = (char *)malloc(size + 1);
    if (!text || fread(text, 1, size, f) != size) { printf("FAIL  reading %s\n", path); exit(1); }
    fclose(f);
    text[size] = 0;
    for (p = text; *p; p++) room += *p == ' ';
    numbers = (double *)malloc((room + 1) * sizeof *numbers);
    for (p = text; numbers && *p; ) {
        int length = 0;
        if (*p == '#' || *p == '\n') {
            p += strcspn(p, "\n");
            p += *p == '\n';
        } else if (!strncmp(p, "case ", 5)) {
            vectors *c = &cases[case_count++];
            if (case_count > MAX_CASES) { printf("FAIL  too many cases in %s\n", path); exit(1); }
            memset(c, 0, sizeof *c);
            sscanf(p + 5, "%39s%n", c->name, &length);
            p += 5 + length;
        } else {
            vectors *c = &cases[case_count - 1];
            array *a = &c->a[c->arrays];
            int i;
            if (case_count < 1 || c->arrays++ == 24
                || sscanf(p, "%39s %d%n", a->key, &a->n, &length) != 2) {
                printf("FAIL  %s is not a file of vectors\n", path);
                exit(1);
            }
            p += length;
            a->v = numbers + used;
            for (i = 0; i < a->n; i++) a->v[i] = strtod(p, &p);
            used += (size_t)a->n;
        }
    }
    free(text);
}

static inline array *find(vectors *c, const char *key)
{
    int i;
    for (i = 0; i < c->arrays; i++) if (!strcmp(c->a[i].key, key)) return &c->a[i];
    return NULL;
}

static inline array *get(vectors *c, const char *key)
{
    array *a = find(c, key);
    if (!a) { printf("FAIL  %s has no %s\n", c->name, key); exit(1); }
    return a;
}

static inline int integer(vectors *c, const char *key, int i) { return (int)get(c, key)->v[i]; }
static inline float number(vectors *c, const char *key, int i) { return (float)get(c, key)->v[i]; }

static inline float *floats(vectors *c, const char *key)
{
    array *a = get(c, key);
    float *x = test_floats((size_t)a->n);
    int i;
    for (i = 0; i < a->n; i++) x[i] = (float)a->v[i];
    return x;
}

static inline tnn_tensor shaped(vectors *c, const char *key, float *data)
{
    return tnn_tensor_view(data, integer(c, key, 0), integer(c, key, 1), integer(c, key, 2),
                           integer(c, key, 3));
}

/* A result against the array of that name. */
static inline void expect(vectors *c, const char *key, const float *got, double limit)
{
    char what[100];
    array *a = get(c, key);
    snprintf(what, sizeof what, "%.60s %.30s", c->name, key);
    CHECK_CLOSE(what, got, a->v, a->n, limit);
}

#define DO(call) CHECK((call) == TNN_OK, "%s: %s", c->name, tnn_error())

#endif /* VECTORS_H */
