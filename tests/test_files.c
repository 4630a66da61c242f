/* test_files.c - arrays, data sets and weights in .npy and safetensors files: NumPy's, PyTorch's,
   ours, and broken ones

   Vectors come from file_vectors.py. Each file is parsed from a block of exactly its size, so that
   a sanitizer sees what reads beyond it. With TINYNN_DATA set, the real files are read, too. */
#include "hooked.h"
#include "test.h"
#include "vectors.h"
#include "files.h"

static size_t most_bytes;               /* allocation so far */
static int    allowed = -1;             /* so many allocations are, then none; -1: all */
void *test_malloc(size_t bytes)
{
    if (bytes > most_bytes) most_bytes = bytes;
    if (allowed > 0) allowed--;
    return allowed == 0 ? NULL : malloc(bytes);
}
void test_free(void *p) { free(p); }

/* Bytes of a vector, in memory of their own size. */
static unsigned char *bytes_of(vectors *c, const char *key, size_t *size)
{
    array *a = get(c, key);
    unsigned char *p = (unsigned char *)malloc((size_t)a->n + !a->n);
    int i;
    if (!p) exit(1);
    for (i = 0; i < a->n; i++) p[i] = (unsigned char)a->v[i];
    *size = (size_t)a->n;
    return p;
}
static unsigned char *copy_of(const void *from, size_t size)
{
    unsigned char *p = (unsigned char *)malloc(size + !size);
    if (!p) exit(1);
    memcpy(p, from, size);
    return p;
}
static void put(unsigned char **to, const void *p, size_t n)
{
    memcpy(*to, p, n);
    *to += n;
}

/* The last call failed, with these words in its message. */
#define REFUSED(words) do { \
    CHECK(tnn_failed() && strstr(tnn_error(), words), "\"%s\" is not about \"%s\"", tnn_error(), \
          words); \
    tnn_clear_error(); } while (0)

/* ---- .npy ------------------------------------------------------------------------------------*/

static void npy_reading(void)
{
    int k, i, n = 0;
    load("files.txt");
    for (k = 0; k < case_count; k++) {
        vectors *c = &cases[k];
        array *shape, *values;
        size_t size, again_size;
        unsigned char *p;
        char *again;
        const char *path = path_of("a.npy");
        tnn_array a;
        if (strncmp(c->name, "npy-", 4)) continue;
        n++;
        shape = get(c, "shape");
        values = get(c, "values");
        p = bytes_of(c, "file", &size);
        a = tnn_parse_npy(p, size);
        CHECK(a.data && (int)a.dtype - TNN_BOOL + 1 == integer(c, "dtype", 0),
              "%s: type %d, %s", c->name,
              (int)a.dtype, tnn_error());
        CHECK(a.ndim == shape->n && a.count == values->n, "%s: %d dimensions, %ld elements",
              c->name, a.ndim, (long)a.count);
        for (i = 0; i < shape->n && i < a.ndim; i++)
            CHECK(a.shape[i] == (long long)shape->v[i], "%s: dimension %d is %ld", c->name, i,
                  (long)a.shape[i]);
        for (i = 0; i < values->n && i < a.count; i++)
            CHECK(tnn_array_value(&a, i) == values->v[i]
                  && signbit(tnn_array_value(&a, i)) == signbit(values->v[i]),
                  "%s[%d]: %.17g, not %.17g", c->name, i, tnn_array_value(&a, i), values->v[i]);
        /* written: NumPy's bytes, and read again the same */
        CHECK(tnn_save_npy(path, a.data, a.dtype, a.ndim, a.shape) == TNN_OK, "%s: %s", c->name,
              tnn_error());
        again = slurp(path, &again_size);
        if (integer(c, "canonical", 0)) {
            CHECK(size == again_size, "%s: %lu bytes", c->name, (unsigned long)again_size);
            CHECK_SAME(c->name, again, p, size < again_size ? size : again_size);
        }
        {
            tnn_array b = tnn_read_npy(path);
            CHECK(b.data && b.dtype == a.dtype && b.ndim == a.ndim && b.count == a.count
                  && !memcmp(a.shape, b.shape, sizeof a.shape), "%s: read again, %s", c->name,
                  tnn_error());
            for (i = 0; i < a.count; i++)
                CHECK(tnn_array_value(&a, i) == tnn_array_value(&b, i), "%s[%d]", c->name, i);
            tnn_array_free(&b);
        }
        remove(path);
        tnn_array_free(&a);
        CHECK(!a.data && !a.count, "freed");
        free(p);
        free(again);
    }
    CHECK(n > 30, "%d files", n);
}

/* A file of a header in text and `data` bytes 0, 1, 2, ... */
static tnn_array npy_text(int version, const char *header, int length, int data)
{
    const int n = length < 0 ? (int)strlen(header) : length, head = version > 1 ? 12 : 10;
    unsigned char *p = (unsigned char *)malloc((size_t)(head + (int)strlen(header) + data));
    unsigned char *to = p, start[12] = "\x93NUMPY";
    tnn_array a;
    int i;
    if (!p) exit(1);
    start[6] = (unsigned char)version;
    for (i = 8; i < head; i++) start[i] = (unsigned char)(n >> 8*(i - 8) & 255);
    put(&to, start, (size_t)head);
    put(&to, header, strlen(header));
    for (i = 0; i < data; i++) *to++ = (unsigned char)i;
    a = tnn_parse_npy(p, (size_t)(to - p));
    free(p);
    return a;
}
#define NPY(shape) "{'descr': '<f4', 'fortran_order': False, 'shape': " shape ", }\n"

static void npy_refused(void)
{
    static const struct { const char *header, *words; } bad[] = {
        {"",                                                 "'{' expected"},
        {"\n",                                               "at byte 11: '{' expected"},
        {"[]",                                               "'{' expected"},
        {"{",                                                "string expected"},
        {"{}",                                               "expected, each once"},
        {"{'descr'",                                         "':' expected"},
        {"{'descr",                                          "without an end"},
        {"{'descr': ",                                       "string expected"},
        {"{'descr': <f4}",                                   "string expected"},
        {"{'descr': '<f4' 'shape': (4,)}",                   "',' expected"},
        {"{'descr': '<f4', 'shape': (4,)}",                  "expected, each once"},
        {"{'descr': '<f4', 'descr': '<f4', 'shape': (4,)}",  "at byte 28: "},
        {"{'colour': 'red'}",                                "at byte 12: descr"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (4,)}",         "True or False"},
        {"{'descr': '<f4', 'fortran_order': Tru",            "True or False"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,)}", "records"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}",     "type '<c8'"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (4,)}",      "type '|O'"},
        {"{'descr': '<U4', 'fortran_order': False, 'shape': (1,)}",     "type '<U4'"},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (4,)}",     "type '|f4'"},
        {"{'descr': '=f4', 'fortran_order': False, 'shape': (4,)}",     "type '=f4'"},
        {"{'descr': '', 'fortran_order': False, 'shape': (4,)}",        "type ''"},
        {"{'descr': '<', 'fortran_order': False, 'shape': (4,)}",       "type '<'"},
        {"{'descr': 'f4', 'fortran_order': False, 'shape': (4,)}",      "type 'f4'"},
        {NPY("4"),                                           "'(' expected"},
        {NPY("(4)"),                                         "comma"},
        {NPY("(,)"),                                         "whole number"},
        {NPY("(4,,)"),                                       "whole number"},
        {NPY("(4 1)"),                                       "',' expected"},
        {NPY("(4"),                                          "whole number"},
        {"{'shape': (4}",                                    "',' expected"},
        {NPY("(-4,)"),                                       "not negative"},
        {NPY("(4.0,)"),                                      "',' expected"},
        {NPY("(04,)"),                                       "too long"},
        {NPY("(99999999999999999999,)"),                     "too long"},
        {NPY("(9007199254740992, 9007199254740992)"),        "16 bytes"},
        {NPY("(4611686018427387904,)"),                      "too long"},
        {NPY("(1,1,1,1,1,1,1,1,4)"),                         "more than 8"},
        {NPY("(5,)"),                                        "holds 16 bytes"},
        {NPY("(3,)"),                                        "3 elements of 4"},
        {NPY("()"),                                          "1 elements"},
        {NPY("(0,)"),                                        "0 elements"},
        {NPY("(4,)") "x",                                    "should end here"},
        {NPY("(4,)") "{}",                                   "should end here"},
        {"{'de\1cr': '<f4'}",                                "control character"},
        {"{'de\xff" "cr': '<f4'}",                           "no UTF-8"},
        {"{'de\\qcr': '<f4'}",                               "hexadecimal"},
    };
    size_t i;
    tnn_array a = npy_text(1, NPY("(4,)"), -1, 16);
    CHECK(a.data && a.count == 4, "%s", tnn_error());
    tnn_array_free(&a);
    for (i = 0; i < sizeof bad/sizeof *bad; i++) {
        a = npy_text(1, bad[i].header, -1, 16);
        CHECK(!a.data && !a.count && strstr(tnn_error(), bad[i].words), "%s: \"%s\", not \"%s\"",
              bad[i].header, tnn_error(), bad[i].words);
        tnn_clear_error();
    }
    a = npy_text(0, NPY("(4,)"), -1, 16);       REFUSED("version");
    a = npy_text(4, NPY("(4,)"), -1, 16);       REFUSED("version");
    a = npy_text(1, NPY("(4,)"), 1000, 16);     REFUSED("a header of 1000 bytes");
    a = npy_text(2, NPY("(4,)"), 0x7fffffff, 16); REFUSED("a header of 1073741824 bytes");
    a = tnn_parse_npy(NULL, 100);               REFUSED("is not a .npy");
    a = tnn_parse_npy("", 0);                   REFUSED("0 bytes");
    a = tnn_parse_npy("\x1f\x8b\x08", 3);       REFUSED("gzip -dk");
    a = tnn_read_npy(path_of("none"));          REFUSED("none: cannot be opened: No such");
    a = tnn_read_npy(NULL);                     REFUSED("cannot be opened");
    CHECK(!a.data, "an array");
    tnn_array_value(&a, 0);                     REFUSED("element 0 of 0");
    {
        static const float x[6] = {0};
        static const long long shape[3] = {2, 3, 1}, negative[2] = {2, -3};
        static const long long huge[2] = {1 << 30, (long long)1 << 45};
        const char *path = path_of("b.npy");
        tnn_save_npy(path, NULL, TNN_F32, 2, shape);            REFUSED("needs data");
        tnn_save_npy(path, x, (tnn_dtype)0, 2, shape);          REFUSED("0 is not a type");
        tnn_save_npy(path, x, (tnn_dtype)99, 2, shape);         REFUSED("99 is not a type");
        tnn_save_npy(path, x, TNN_BF16, 2, shape);              REFUSED("that NumPy has");
        tnn_save_npy(path, x, TNN_F32, 9, shape);               REFUSED("9 dimensions");
        tnn_save_npy(path, x, TNN_F32, -1, shape);              REFUSED("-1 dimensions");
        tnn_save_npy(path, x, TNN_F32, 2, NULL);                REFUSED("2 dimensions");
        tnn_save_npy(path, x, TNN_F32, 2, negative);            REFUSED("not negative");
        tnn_save_npy(path, x, TNN_F32, 2, huge);                REFUSED("not negative");
        tnn_save_npy(NULL, x, TNN_F32, 2, shape);               REFUSED("no path");
        tnn_save_npy("", x, TNN_F32, 2, shape);                 REFUSED("no path");
        tnn_save_npy("/no/such/folder/x", x, TNN_F32, 2, shape);REFUSED("be written: No ");
        CHECK(!exists(path), "a file");
        tnn_save_npy(folder, x, TNN_F32, 2, shape);             REFUSED("cannot be written");
    }
}

/* Every single byte changed, and the file cut and prolonged everywhere: it is refused, or it means
   something that fits its size. `parse` returns 1 if it took the file. */
static void mutations(const unsigned char *p, size_t size, int (*parse)(const void *, size_t))
{
    static const unsigned char flips[] = {1, 2, 4, 8, 16, 32, 64, 128, 255};
    size_t i, k;
    int taken = 0;
    unsigned char *q;
    most_bytes = 0;
    for (i = 0; i < size; i++) {
        q = copy_of(p, i);
        CHECK(!parse(q, i) && tnn_failed(), "cut at %lu, taken", (unsigned long)i);
        tnn_clear_error();
        free(q);
        q = copy_of(p, size);
        for (k = 0; k < sizeof flips; k++) {
            const int took = (q[i] = p[i] ^ flips[k], parse(q, size));
            CHECK(took == !tnn_failed(), "byte %lu: %s", (unsigned long)i, tnn_error());
            taken += took;
            tnn_clear_error();
        }
        free(q);
    }
    q = (unsigned char *)calloc(size + 1, 1);
    if (!q) exit(1);
    memcpy(q, p, size);
    CHECK(!parse(q, size + 1) && tnn_failed(), "a byte too many, taken");
    tnn_clear_error();
    free(q);
    CHECK(most_bytes < 8*size + 512, "allocated %lu bytes for a file of %lu",
          (unsigned long)most_bytes, (unsigned long)size);
    test_note("%d of %lu changed files mean something", taken, (unsigned long)(size*sizeof flips));
}
static int parse_npy(const void *p, size_t size)
{
    tnn_array a = tnn_parse_npy(p, size);
    const int good = a.data != NULL;
    double sum = 0;
    long long i;
    for (i = 0; i < a.count; i++) sum += tnn_array_value(&a, i);
    if (good && sum == 1.25) printf("\n");              /* all elements have been looked at */
    tnn_array_free(&a);
    return good;
}
static vectors *named(const char *name)
{
    int k;
    for (k = 0; k < case_count; k++) if (!strcmp(cases[k].name, name)) return &cases[k];
    printf("FAIL  no case %s\n", name);
    exit(1);
}
static void npy_broken(void)
{
    static const char *const names[] = {"npy-fortran-big", "npy-header-1", "npy-f2"};
    size_t i, size;
    load("files.txt");
    for (i = 0; i < sizeof names/sizeof *names; i++) {
        unsigned char *p = bytes_of(named(names[i]), "file", &size);
        mutations(p, size, parse_npy);
        free(p);
    }
}

/* ---- CSV, PGM and PPM ------------------------------------------------------------------------ */
#define NO (0.0/zero)
static double zero;             /* not a constant, which compilers would divide by */

static void same_array(const char *what, tnn_array a, tnn_dtype dtype, int ndim,
                       const long long *shape, const double *values)
{
    long long i, n = 1;
    CHECK(a.data && a.dtype == dtype && a.ndim == ndim, "%s: type %d, %d dimensions, %s", what,
          (int)a.dtype, a.ndim, tnn_error());
    for (i = 0; i < ndim && a.data; n *= shape[i++])
        CHECK(a.shape[i] == shape[i], "%s: dimension %d is %ld", what, (int)i, (long)a.shape[i]);
    for (i = 0; i < n && i < a.count; i++) {
        const double v = tnn_array_value(&a, i);
        CHECK(v == values[i] || (v != v && values[i] != values[i]), "%s[%d]: %.17g, not %.17g",
              what, (int)i, v, values[i]);
    }
    tnn_array_free(&a);
    tnn_clear_error();
}
static void csv(void)
{
    static const struct { const char *text; int rows, columns; double values[6]; } good[] = {
        {"1,2,3\n4,5,6\n",                   2, 3, {1, 2, 3, 4, 5, 6}},
        {"1,2,3\r\n4,5,6",                   2, 3, {1, 2, 3, 4, 5, 6}},
        {"\n1,2\n\n \r\n3,4\n\n\n",         2, 2, {1, 2, 3, 4}},
        {"x,y\n1,2\n",                       1, 2, {1, 2}},
        {"\xef\xbb\xbfx;\"y, z\"\n1;2\n",   1, 2, {1, 2}},
        {"\"x \"\"a, b\"\"\",y\n1,2\n",     1, 2, {1, 2}},
        {"1\t2\n3\t4",                      2, 2, {1, 2, 3, 4}},
        {" 1 ,\"2\" , \" 3 \"\n",           1, 3, {1, 2, 3}},
        {"0.1,-.5,+7.,1E3,1e-3,-2.5e+2\n",   1, 6, {0.1, -0.5, 7, 1000, 0.001, -250}},
        {"1e-310,1.7976931348623157e308\n",  1, 2, {1e-310, 1.7976931348623157e308}},
        {"-inf,Inf,0\n",                     1, 3, {-HUGE_VAL, HUGE_VAL, 0}},
        {"5\n6\n7\n",                       3, 1, {5, 6, 7}},
        {"1,0000000000000000000000000000000000000000000000000000000000000001\n", 1, 2, {1, 1}},
        {"+5,-nan,+inf,1e-400,0e999,-0\n",  1, 6, {5, NAN, HUGE_VAL, 0, 0, 0}},
        {"4.9406564584124654e-324,2.4703282292062328e-324,2.2250738585072011e-308", 1, 3,
                                            {4.9406564584124654e-324, 4.9406564584124654e-324,
                                             2.2250738585072011e-308}},
        /* between two doubles; of ties the even one */
        {"9007199254740993,9007199254740993.00000000000000000000000000001,9007199254740995", 1, 3,
                                            {9007199254740992, 9007199254740994, 9007199254740996}},
        {"label\n5",                         1, 1, {5}},
    };
    static const struct { const char *text, *words; } bad[] = {
        {"",                 "no line of numbers (0 bytes)"},
        {"a,b\n",            "no line of numbers"},
        {"\n\n",             "no line of numbers"},
        {"1,2\n3\n",         "at byte 4: line 2 has 1 fields, the first 2"},
        {"a,b,c\n3,4",       "at byte 6: line 2 has 2 fields, the first 3"},
        {"1,2\n3,x",         "at byte 6: field 2 of line 2 is not a number"},
        {"1,2\n3,x\n",       "at byte 6: field 2 of line 2 is not a number"},
        {"1,x\n3,4\n",       "at byte 2: field 2 of line 1"},
        {"a\nb\n1\n",        "field 1 of line 2"},
        {"1,2 3\n",          "field 2 of line 1"},
        {"1,0x10\n",         "field 2 of line 1"},
        {"1,1e999\n",        "field 2 of line 1"},
        {"1,\"2\n",          "field 2 of line 1"},
        {"1,2\"3\"\n",       "field 2 of line 1"},
        {"1,\"2\"3\n",       "field 2 of line 1"},
        {"1,\"2\"\"3\"\n",   "field 2 of line 1"},
        {"1,--2\n",          "field 2 of line 1"},
        {"1,infinity\n",     "field 2 of line 1"},
        {"1,2\n3,+-5\n",    "at byte 6: field 2 of line 2 is not a number, as -12, 0.5 or 1e-3, "
                             "up to 1.7e308: +-5"},
        {"1,1e\n",           "field 2 of line 1"},
        {"1,1e+\n",          "field 2 of line 1"},
        {"1,.\n",            "field 2 of line 1"},
        {"1,-\n",            "field 2 of line 1"},
        {"1,+\n",            "field 2 of line 1"},
        {"1,++1\n",          "field 2 of line 1"},
        {"1,-.e5\n",         "field 2 of line 1"},
        {"1,1_000\n",        "field 2 of line 1"},
        {"1,\"1,5\"\n",      "1.7e308: \"1,5\""},
        {"1,nan(7)\n",       "field 2 of line 1"},
        {"1,nana\n",         "field 2 of line 1"},
        {"1,na\n",           "field 2 of line 1"},
        {"1,-1e309\n",       "field 2 of line 1"},
        {"1,abc\tdefghijklmnopqrstuvw\n", ": abc?defghijklmnopqrs..."},
        {"\x1f\x8b\x08\n1",  "gzip -dk"},
    };
    static const double missing[] = {1, 0, 3, 0, 0, 6}, labelled[] = {20, 30, 50, 60};
    const long long shape[] = {2, 3}, pair[] = {1, 2};
    double with_nan[6];
    float x[2];
    size_t i;
    const char *path = path_of("a.csv");
    tnn_npy_options o = {NULL, NULL, 0, {0, 0, 0}, 1};
    tnn_array a, b;
    tnn_data d;
    for (i = 0; i < sizeof good/sizeof *good; i++) {
        const long long dims[] = {good[i].rows, good[i].columns};
        same_array(good[i].text, tnn_parse_csv(good[i].text, strlen(good[i].text)), TNN_F64, 2,
                   dims, good[i].values);
    }
    for (i = 0; i < 2; i++) {           /* printf's %f of 1e80, and a thousand zeros */
        static char text[2200];
        const double want[2] = {1e80, 1e-300};
        sprintf(text, "%f,0.%01000d1e701\n", 1e80, 0);
        if (i) sprintf(text, "1%080d.%01000d,1%0500d.e-800", 0, 0, 0);
        same_array("long fields", tnn_parse_csv(text, strlen(text)), TNN_F64, 2, pair, want);
    }
    for (i = 0; i < 6; i++) with_nan[i] = missing[i] > 0 ? missing[i] : NO;
    same_array("missing", tnn_parse_csv("1,,3\nNaN,\"\",6\n", 14), TNN_F64, 2, shape, with_nan);
    for (i = 0; i < sizeof bad/sizeof *bad; i++) {
        a = tnn_parse_csv(bad[i].text, strlen(bad[i].text));
        CHECK(!a.data && !a.count && strstr(tnn_error(), bad[i].words), "%s: \"%s\", not \"%s\"",
              bad[i].text, tnn_error(), bad[i].words);
        tnn_clear_error();
    }
    a = tnn_parse_csv(NULL, 7);         REFUSED("no line of numbers");
    a = tnn_parse_csv("1,\0002", 4);    REFUSED("field 2 of line 1");
    a = tnn_read_csv(path_of("none"));  REFUSED("cannot be opened");

    /* data sets: labels in any column */
    spill(path, "label,a,b\n1,20,30\n4,50,60\n", 26);
    a = tnn_read_csv(path);
    CHECK(a.count == 6, "%s", tnn_error());
    for (i = 0; i < 3; i++) {
        static const int columns[] = {1, -3, 3};
        o.label_column = columns[i];
        d = tnn_array_data(&a, NULL, &o);
        CHECK(d.n == 2 && d.c == 2 && d.h == 1 && d.w == 1, "%s", tnn_error());
        if (d.n && i < 2)
            CHECK(d.classes == 5 && d.labels[0] == 1 && d.labels[1] == 4
                  && d.floats[0] == 20 && d.floats[3] == 60, "labels %d and %d", d.labels[0],
                  d.labels[1]);
        if (d.n && i == 2)
            CHECK(d.classes == 61 && d.labels[0] == 30 && d.floats[2] == 4 && d.floats[3] == 50,
                  "labels %d and %d", d.labels[0], d.labels[1]);
        CHECK(d.n && tnn_sample(&d, 1, x, d.c*d.h*d.w) == TNN_OK && x[1] == (i < 2 ? 60 : 50), "%s",
              tnn_error());
        tnn_data_free(&d);
    }
    o.label_column = 1;
    o.shape[0] = 1; o.shape[1] = 2; o.shape[2] = 1;
    d = tnn_array_data(&a, NULL, &o);
    CHECK(d.n == 2 && d.c == 1 && d.h == 2 && d.w == 1, "%s", tnn_error());
    for (i = 0; d.n && i < 4; i++) CHECK(d.floats[i] == (float)labelled[i], "%g", d.floats[i]);
    tnn_data_free(&d);
    o.shape[1] = 3;             d = tnn_array_data(&a, NULL, &o);  REFUSED("have 2 values");
    o.label_column = 4;         d = tnn_array_data(&a, NULL, &o);  REFUSED(".label_column = 4");
    o.label_column = -4;        d = tnn_array_data(&a, NULL, &o);
    REFUSED("columns 1..3 or -3..-1");
    b = tnn_parse_csv("1\n2\n", 4);
    o.label_column = 1;         d = tnn_array_data(&a, &b, &o);    REFUSED("without other labels");
    d = tnn_array_data(&b, NULL, &o);                              REFUSED("at least 2");
    tnn_array_free(&a);
    tnn_array_free(&b);
    CHECK(!d.n, "a data set");
    remove(path);
}

#ifndef _WIN32
/* Numbers in all of printf's ways, and the middles between two doubles, are read as strtod reads
   them. TINYNN_NUMBERS: so many; 20,000. */
static void as_strtod(void)
{
    static char text[4000];
    const char *more = getenv("TINYNN_NUMBERS");
    const long count = more && *more ? atol(more) : 20000;
    long i, wrong = 0;
    for (i = 0; i < count; i++) {
        const uint32_t r = test_hash(50, (uint32_t)i), kind = r%7, n = r/7;
        uint64_t bits = (uint64_t)test_hash(51, (uint32_t)i) << 32 | test_hash(52, (uint32_t)i);
        double v, next, want, got;
        float f;
        tnn_array a;
        memcpy(&v, &bits, sizeof v);
        memcpy(&f, &bits, sizeof f);
        if (kind == 0) sprintf(text, "%.*e", (int)(n%25), v);
        else if (kind == 1) sprintf(text, "%.*e", (int)(n%800), v);
        else if (kind == 2)
            sprintf(text, "%llu.%lluE%d", (unsigned long long)bits >> n%64,
                    (unsigned long long)~bits >> n/64%64, (int)(n/4096%700) - 350);
        else if (kind == 3) {           /* 2^-1075 or more: no more than 767 digits */
            const long double one = 1;
            bits = bits%((uint64_t)2046 << 52) >> (n & 1 ? 11 : 0);
            memcpy(&v, &bits, sizeof v);
            bits++;
            memcpy(&next, &bits, sizeof next);
            sprintf(text, "%.800Le", (v*one + next*one)/2);
            if (n & 2) memcpy(strchr(text, 'e') - 5, "00001", 5);
        } else if (kind == 4) sprintf(text, "%llu", (unsigned long long)bits >> n%64);
        else if (kind == 5) sprintf(text, "%.*f", (int)(n%20), (double)(bits >> n%64)/1e5);
        else sprintf(text, "%.9g", (double)f);
        want = strtod(text, NULL);
        a = tnn_parse_csv(text, strlen(text));
        got = tnn_array_value(&a, 0);
        if (want - want != 0 && want == want && !a.data) {}        /* more than a double holds */
        else if (want != want) wrong += got == got;
        else wrong += memcmp(&got, &want, sizeof got) != 0;
        CHECK(!wrong, "%.50s...: %.17g, not %.17g", text, got, want);
        tnn_clear_error();
        tnn_array_free(&a);
    }
    test_note("%ld numbers", count);
}
#endif

static int parse_pnm(const void *p, size_t size)
{
    tnn_array a = tnn_parse_pnm(p, size);
    const int good = a.data != NULL;
    tnn_array_free(&a);
    return good;
}
static void pnm(void)
{
    static const long long wide[] = {2, 3}, colours[] = {1, 2, 3};
    static const double grey[] = {0, 17, 34, 51, 238, 255}, bytes[] = {97, 98, 99, 100, 101, 102};
    static const double deep[] = {0, 32768, 65535, 66, 131, 197}, two[] = {65535, 0, 64, 0, 0, 0};
    static const double black[] = {0, 0, 0, 255, 255, 0};
    static const long long pair[] = {1, 3};
    static const char text[] = "P2\n# made by hand\n3 2 # wide\n15\n0 1 2\n3\t14\r\n15\n";
    static const struct { const char *text, *words; } bad[] = {
        {"",                         "starts with 0 0"},
        {"P",                        "starts with 80 0"},
        {"P1 3 1\n101\n",            "starts with 80 49"},
        {"P4 8 1\nx",                "starts with 80 52"},
        {"P7\nWIDTH 1\n",            "starts with 80 55"},
        {"\x89PNG\r\n",              "is a PNG image"},
        {"P5",                       "starts with 80 53"},
        {"P5 ",                      "the width, 1 to 65535, expected"},
        {"P5 0 2 255\n",             "the width"},
        {"P5 -1 2 255\n",            "at byte 3: the width"},
        {"P5 65536 2 255\n",         "the width"},
        {"P5 2 x 255\nabcd",         "at byte 5: the height"},
        {"P5 2 2 0\nabcd",           "the largest value"},
        {"P5 2 2 70000\nabcd",       "the largest value"},
        {"P5 2 2 255abcd",           "the largest value"},
        {"P5 2 2 255",               "holds 0 bytes"},
        {"P5 2 2 255\nabc",          "holds 3 bytes from byte 11 on, 4 values of 1"},
        {"P5 2 2 255\nabcde",        "holds 5 bytes"},
        {"P6 2 2 255\nabcd",         "12 values of 1"},
        {"P5 2 2 256\nabcd",         "4 values of 2"},
        {"P5 65535 65535 255\nabcd", "4294836225 values"},
        {"P5 2 2 98\nabcd",          "at byte 12: value 2, 0 to 98"},
        {"P2 3 2 15\n0 1 2 3 14",    "at byte 20: value 5"},
        {"P2 3 2 15\n0 1 2 3",       "6 values of 2 or more are announced"},
        {"P2 3 2 15\n00 10 20 30 14","value 2, 0 to 15"},
        {"P2 3 2 15\n0 1 2 3 14 x",  "value 5"},
        {"P2 3 2 15\n0 1 2 3 14 15 0","at byte 24: the image should end here"},
    };
    size_t i;
    tnn_array a;
    const char *path = path_of("a.ppm");
    same_array("P2", tnn_parse_pnm(text, sizeof text - 1), TNN_U8, 2, wide, grey);
    same_array("P3", tnn_parse_pnm("P3 2 1 1 0 0 0 1 1 0", 20), TNN_U8, 3, colours, black);
    same_array("P5", tnn_parse_pnm("P5 3 2 255 abcdef", 17), TNN_U8, 2, wide, bytes);
    same_array("P6", tnn_parse_pnm("P6\n2\n1\n255\nabcdef", 17), TNN_U8, 3, colours, bytes);
    same_array("P2, 16 bits", tnn_parse_pnm("P2 3 2 1000 0 500 1000 1 2 3", 28), TNN_U16, 2, wide,
               deep);
    same_array("P5, 16 bits", tnn_parse_pnm("P5 3 1 1023\n\3\xff\0\0\0\1", 18), TNN_U16, 2, pair,
               two);
    for (i = 0; i < sizeof bad/sizeof *bad; i++) {
        a = tnn_parse_pnm(bad[i].text, strlen(bad[i].text));
        CHECK(!a.data && !a.count && strstr(tnn_error(), bad[i].words), "%s: \"%s\", not \"%s\"",
              bad[i].text, tnn_error(), bad[i].words);
        tnn_clear_error();
    }
    a = tnn_parse_pnm(NULL, 7);         REFUSED("is not a PGM");
    a = tnn_read_pnm(path_of("none"));  REFUSED("cannot be opened");
    mutations((const unsigned char *)"P6\n2\n1\n255\nabcdef", 17, parse_pnm);

    spill(path, "P6 2 1 255\nabcdef", 17);
    same_array("a file", tnn_read_pnm(path), TNN_U8, 3, colours, bytes);
    remove(path);
}

#ifndef _WIN32
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
extern int mkfifo(const char *, mode_t);
/* A process that opens the pipe after a while and writes `size` bytes, in parts. */
static pid_t writer(const char *path, const char *text, size_t size, unsigned wait)
{
    const pid_t child = fork();
    if (!child) {
        int f;
        size_t n;
        while (wait--) for (n = 0; n < 1000; n++) getppid();    /* some milliseconds */
        f = open(path, O_WRONLY);
        for (; f >= 0 && size > 0; size -= n, text += n) {
            n = size < 5000 ? size : 5000;
            if (write(f, text, n) != (ssize_t)n) break;
        }
        _exit(f < 0 || size > 0);
    }
    return child;
}
/* What comes out of pipes is read to its end, at any pace; a pipe nobody writes into, a folder and
   a device are refused. */
static void pipes(void)
{
    enum { LINES = 60000 };
    static char text[4*LINES + 1];
    static const unsigned char idx[] = {0, 0, 8, 1, 0, 0, 0, 1, 7}, image[] =
        {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9};
    char path[460], second[460];
    tnn_array a;
    tnn_data d;
    pid_t child, other;
    long k;
    int status = 1, ends[2];
    snprintf(path, sizeof path, "%s", path_of("pipe"));
    snprintf(second, sizeof second, "%s", path_of("pipe2"));
    remove(path);
    remove(second);
    if (mkfifo(path, 0600) || mkfifo(second, 0600)) { CHECK(0, "no pipe %s", path); return; }
    for (k = 0; k < LINES; k++) sprintf(text + 4*k, "%ld,%ld\n", k%10, k/10%10);
    child = writer(path, text, 4*LINES, 100);
    a = tnn_read_csv(path);
    CHECK(a.shape[0] == LINES && a.shape[1] == 2 && tnn_array_value(&a, 2*LINES - 2) == 9, "%s",
          tnn_error());
    tnn_array_free(&a);
    waitpid(child, &status, 0);
    CHECK(!status, "the writer: %d", status);
    child = writer(path, (const char *)image, sizeof image, 0);
    other = writer(second, (const char *)idx, sizeof idx, 0);
    d = tnn_load_idx(path, second);
    CHECK(d.n == 1 && d.bytes[0] == 9 && d.labels[0] == 7, "%s", tnn_error());
    tnn_data_free(&d);
    waitpid(child, &status, 0);
    waitpid(other, &status, 0);
    tnn_set_read_limit(100000);
    if (pipe(ends)) CHECK(0, "no pipe");
    child = fork();
    if (!child) {
        close(ends[0]);
        dup2(ends[1], 1);
        _exit(write(1, text, 4*LINES) < 0);
    }
    close(ends[1]);
    snprintf(second, sizeof second, "/dev/fd/%d", ends[0]);
    a = tnn_read_csv(second);                       REFUSED("tnn_set_read_limit allows 100000");
    close(ends[0]);
    waitpid(child, &status, 0);
    tnn_set_read_limit(0);
    a = tnn_read_csv(path);                         REFUSED("start its writer first");
    a = tnn_read_csv(folder);                       REFUSED("a folder or a device");
    a = tnn_read_csv("/dev/zero");                  REFUSED("a folder or a device");
    CHECK(!a.data, "read");
    remove(path);
    remove(path_of("pipe2"));
}
#endif

/* Each reader at its limit, and a byte below. */
static void limits(void)
{
    static const float x[6] = {1, 2, 3, 4, 5, 6};
    static const long long shape[2] = {3, 2};
    const char *path = path_of("limit.npy");
    tnn_data d;
    tnn_array a;
    CHECK(tnn_read_limit() == 0, "%lu", (unsigned long)tnn_read_limit());
    CHECK(tnn_save_npy(path, x, TNN_F32, 2, shape) == TNN_OK, "%s", tnn_error());
    tnn_set_read_limit(128 + sizeof x);                 /* the file's size */
    CHECK(tnn_read_limit() == 128 + sizeof x, "%lu", (unsigned long)tnn_read_limit());
    a = tnn_read_npy(path);
    CHECK(a.count == 6, "%s", tnn_error());
    tnn_set_read_limit(127 + sizeof x);
    CHECK(!tnn_read_npy(path).data, "read");            REFUSED("152 bytes; tnn_set_read_limit");
    tnn_set_read_limit(3*sizeof(int) + sizeof x);
    d = tnn_array_data(&a, NULL, NULL);
    CHECK(d.n == 3, "%s", tnn_error());
    tnn_data_free(&d);
    tnn_set_read_limit(3*sizeof(int) + sizeof x - 1);
    d = tnn_array_data(&a, NULL, NULL);                 REFUSED("36 bytes; tnn_set_read_limit");
    tnn_array_free(&a);
    tnn_set_read_limit(31);
    a = tnn_parse_csv("1,2,3,4\n", 8);                  REFUSED("32 bytes; tnn_set_read_limit");
    a = tnn_parse_pnm("P2 4 4 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", 40);
    CHECK(a.count == 16, "%s", tnn_error());
    tnn_array_free(&a);
    tnn_set_read_limit(15);
    a = tnn_parse_pnm("P2 4 4 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", 40); REFUSED("16 bytes; tnn_set");
    tnn_set_read_limit(0);
    a = tnn_read_npy(path);
    CHECK(a.count == 6, "%s", tnn_error());
    tnn_array_free(&a);
    remove(path);
}

static tnn_array array_of(void *data, tnn_dtype dtype, int ndim, int a, int b, int c, int d)
{
    tnn_array x;
    int i;
    memset(&x, 0, sizeof x);
    x.dtype = dtype;
    x.ndim = ndim;
    x.shape[0] = a; x.shape[1] = b; x.shape[2] = c; x.shape[3] = d;
    for (x.count = 1, i = 0; i < ndim; i++) x.count *= x.shape[i];
    x.data = data;
    return x;
}
static void data_sets(void)
{
    enum { N = 2, C = 3, H = 4, W = 5 };
    unsigned char bytes[N*C*H*W];
    float floats[N*C*H*W], got[C*H*W];
    int32_t label[N] = {7, 3};
    int64_t wide[N] = {0, 16777216};
    double wrong[N] = {1, 2.5};
    static const struct { int ndim, shape[4], c, h, w, last; } shapes[] = {
        {1, {120, 1, 1, 1}, 1, 1, 1, 0},  {2, {2, 60, 1, 1}, 60, 1, 1, 0},
        {3, {2, 12, 5, 1}, 1, 12, 5, 0},  {4, {2, 3, 4, 5}, 3, 4, 5, 0},
        {4, {2, 4, 5, 3}, 3, 4, 5, 1},
    };
    tnn_npy_options o, first;
    tnn_array x, y = array_of(label, TNN_I32, 1, N, 1, 1, 1);
    tnn_data d;
    size_t k;
    int i, j;
    memset(&o, 0, sizeof o);
    for (i = 0; i < N*C*H*W; i++) {
        bytes[i] = (unsigned char)(2*i);
        floats[i] = (float)i - 17.5f;
    }
    for (k = 0; k < sizeof shapes/sizeof *shapes; k++)
        for (j = 0; j < 2; j++) {
            const int *s = shapes[k].shape, values = shapes[k].c*shapes[k].h*shapes[k].w;
            x = array_of(j ? (void *)floats : (void *)bytes, j ? TNN_F32 : TNN_U8, shapes[k].ndim,
                         s[0], s[1], s[2], s[3]);
            o.channels_last = shapes[k].last;
            d = tnn_array_data(&x, s[0] == N ? &y : NULL, &o);
            CHECK(d.n == s[0] && d.c == shapes[k].c && d.h == shapes[k].h && d.w == shapes[k].w
                  && (j ? !d.bytes && d.floats : d.bytes && !d.floats),
                  "%d dimensions: %d of %dx%dx%d, %s", shapes[k].ndim, d.n, d.c, d.h, d.w,
                  tnn_error());
            if (!d.n) continue;
            CHECK(d.classes == (s[0] == N ? 8 : 1) && d.labels[1] == (s[0] == N ? 3 : 0),
                  "labels, %d classes", d.classes);
            CHECK(tnn_sample(&d, 1, got, values) == TNN_OK, "%s", tnn_error());
            for (i = 0; i < values; i++) {
                const int at = values
                    + (shapes[k].last ? i%(H*W)*C + i/(H*W) : i);      /* (h, w, c) */
                const float want = j ? floats[at] : (float)bytes[at]/255.0f;
                CHECK(!(got[i] < want) && !(got[i] > want), "value %d: %g, not %g", i,
                      (double)got[i], (double)want);
            }
            tnn_data_free(&d);
        }
    memset(&o, 0, sizeof o);
    first = o;
    /* other types, and another shape */
    x = array_of(label, TNN_I32, 2, N, 1, 1, 1);
    d = tnn_array_data(&x, &x, NULL);
    CHECK(d.n == N && d.floats && d.floats[0] >= 7 && d.floats[0] <= 7 && d.labels[1] == 3, "%s",
          tnn_error());
    tnn_data_free(&d);
    o.shape[0] = 1; o.shape[1] = 6; o.shape[2] = 10;
    x = array_of(floats, TNN_F32, 2, N, C*H*W, 1, 1);
    d = tnn_array_data(&x, &y, &o);
    CHECK(d.n == N && d.c == 1 && d.h == 6 && d.w == 10 && !memcmp(d.floats, floats, sizeof floats),
          "%s", tnn_error());
    tnn_data_free(&d);
    /* refused */
    o.shape[2] = 9;
    d = tnn_array_data(&x, &y, &o);                     REFUSED("samples have 60 values");
    o = first;
    o.samples = "images.npy";
    o.labels = "labels.npy";
    o.channels_last = 1;
    d = tnn_array_data(&x, &y, &o);                     REFUSED("images.npy: 2 dimensions");
    o.channels_last = 0;
    x = array_of(floats, TNN_F32, 2, 3, 5, 1, 1);
    d = tnn_array_data(&x, &y, &o);         REFUSED("images.npy holds 3 samples, labels.npy 2");
    x = array_of(floats, TNN_F32, 2, 0, 5, 1, 1);
    d = tnn_array_data(&x, &y, &o);                     REFUSED("no samples");
    x = array_of(floats, TNN_F32, 0, 1, 1, 1, 1);
    d = tnn_array_data(&x, &y, &o);                     REFUSED("0 dimensions");
    x = array_of(floats, TNN_F32, 5, 2, 1, 1, 1);
    x.shape[4] = x.count = 1;
    d = tnn_array_data(&x, &y, &o);                     REFUSED("5 dimensions");
    x = array_of(floats, TNN_F32, 2, N, 60, 1, 1);
    y = array_of(wide, TNN_I64, 2, N, 1, 1, 1);
    d = tnn_array_data(&x, &y, &o);
    CHECK(d.n == N && d.classes == 16777217, "%s", tnn_error());
    tnn_data_free(&d);
    wide[1]++;
    d = tnn_array_data(&x, &y, &o);                     REFUSED("label 16777217 of sample 1");
    wide[1] = -1;
    d = tnn_array_data(&x, &y, &o);                     REFUSED("labels.npy: label -1");
    y = array_of(wrong, TNN_F64, 1, N, 1, 1, 1);
    d = tnn_array_data(&x, &y, &o);                     REFUSED("label 2.5");
    wrong[1] = wrong[0]/0.0;
    d = tnn_array_data(&x, &y, &o);                     REFUSED("label inf");
    floats[61] = (float)wrong[1];
    d = tnn_array_data(&x, NULL, &o);                   REFUSED("value inf of sample 1");
    wrong[1] = 1e39;
    d = tnn_array_data(&y, NULL, &o);                   REFUSED("sample 1 is not a finite float");
    d = tnn_array_data(NULL, NULL, NULL);               REFUSED("no array");
    CHECK(!d.n && !d.memory, "a data set");
}

/* tnn_load_npy of two files. */
static void data_files(void)
{
    static const float x[4] = {1, 2, 3, 4};
    static const signed char y[2] = {1, 0};
    static const long long shape[2] = {2, 2};
    char images[460], labels[460];
    tnn_data d;
    snprintf(images, sizeof images, "%s", path_of("x.npy"));
    snprintf(labels, sizeof labels, "%s", path_of("y.npy"));
    CHECK(!tnn_save_npy(images, x, TNN_F32, 2, shape) && !tnn_save_npy(labels, y, TNN_I8, 1, shape),
          "%s", tnn_error());
    d = tnn_load_npy(images, .labels = labels, .shape = {1, 2, 1});
    CHECK(d.n == 2 && d.c == 1 && d.h == 2 && d.classes == 2 && d.labels[0] == 1, "%s",
          tnn_error());
    tnn_data_free(&d);
    d = tnn_load_npy(images);
    CHECK(d.n == 2 && d.c == 2 && d.classes == 1 && !memcmp(d.floats, x, sizeof x), "%s",
          tnn_error());
    tnn_data_free(&d);
    d = tnn_load_npy(labels, .labels = images);
    REFUSED("2 samples, ");
    d = tnn_load_npy(images, .labels = path_of("none"));
    REFUSED("none: cannot be opened");
    d = tnn_load_npy(path_of("none"));
    REFUSED("test_files.c:");
    CHECK(!d.n, "a data set");
    remove(images);
    remove(labels);
}

/* ---- safetensors -----------------------------------------------------------------------------*/

static void stored_types(void)
{
    vectors *c;
    size_t size;
    unsigned char *p;
    tnn_safetensors f;
    int i, k;
    load("files.txt");
    c = named("types");
    p = bytes_of(c, "file", &size);
    f = tnn_parse_safetensors(p, size);
    CHECK(f.count == 15, "%d tensors, %s", f.count, tnn_error());
    for (i = 0; i < f.count; i++) {
        const tnn_stored *t = &f.tensor[i];
        array *want = find(c, t->name);
        tnn_array a = tnn_safetensors_array(&f, i);
        CHECK(a.data && a.dtype == t->dtype && a.ndim == t->ndim && a.count == t->count, "%s: %s",
              t->name, tnn_error());
        if (want) {
            CHECK(t->ndim == 2 && t->shape[0] == 2 && t->shape[1] == 3 && a.count == 6
                  && (int)t->dtype == TNN_BOOL + i, "%s: type %d", t->name, (int)t->dtype);
            for (k = 0; k < 6; k++)
                CHECK(tnn_array_value(&a, k) == want->v[k]
                      && signbit(tnn_array_value(&a, k)) == signbit(want->v[k]),
                      "%s[%d]: %.17g, not %.17g", t->name, k, tnn_array_value(&a, k), want->v[k]);
        } else if (t->count)
            CHECK(!strcmp(t->name, "\xc3\xa9\"\\\n\xe2\x82\xac\xf0\x9f\x98\x80") && !t->ndim
                  && tnn_array_value(&a, 0) == 42, "a tensor %s", t->name);
        else CHECK(!strcmp(t->name, "empty") && t->shape[1] == 0, "a tensor %s", t->name);
        tnn_array_free(&a);
    }
    {
        tnn_array none = tnn_safetensors_array(&f, 15);
        CHECK(!none.data, "an array");
        REFUSED("tensor 15 of 15");
    }
    tnn_safetensors_free(&f);
    free(p);
}

static tnn_safetensors stored_text(const char *header, int length, int data)
{
    const size_t n = strlen(header), size = 8 + n + (size_t)data;
    unsigned char *p = (unsigned char *)calloc(size, 1);
    tnn_safetensors f;
    int i;
    if (!p) exit(1);
    for (i = 0; i < 4; i++) p[i] = (unsigned char)((length < 0 ? (int)n : length) >> 8*i & 255);
    memcpy(p + 8, header, n);
    f = tnn_parse_safetensors(p, size);
    tnn_safetensors_free(&f);
    free(p);
    return f;
}
#define T(name, shape, from, to) "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape \
    ",\"data_offsets\":[" #from "," #to "]}"
#define ONE(members) "{\"a\":{" members "}}"
#define D "\"dtype\":\"F32\""
#define S "\"shape\":[4]"
#define O "\"data_offsets\":[0,16]"

static void stored_refused(void)
{
    static const char *const good[] = {         /* with 16 bytes of data */
        "{" T("a", "[4]", 0, 16) "}", "{" T("a", "[4]", 0, 16) "}  \n",
        "{" T("b", "[2]", 8, 16) "," T("a", "[2,1]", 0, 8) "}",
        "{" T("a", "[4]", 0, 16) "," T("z", "[0]", 16, 16) "," T("y", "[3,0]", 16, 16) "}",
        "{" T("", "[]", 0, 4) "," T("c", "[1,3]", 4, 16) "}",
        "{\"__metadata__\":{}," T("a", "[4]", 0, 16) "}",
        "{" T("a", "[4]", 0, 16) ",\"__metadata__\":{\"k\":\"v\",\"l\":\"\\u00e9\\ud83d\\ude00\"}}",
        "{ \"a\" : { " O " , " D " , " S " } }",
    };
    static const struct { const char *header, *words; } bad[] = {
        {"",                                      "a header of 0"},
        {"[]",                                    "begins with 91"},
        {" {}",                                   "begins with 32"},
        {"{}",                                    "16 bytes of data, of which the header"},
        {"{",                                     "a header of 1"},
        {"{\"a\"",                                "':' expected"},
        {"{\"a\":1}",                             "'{' expected"},
        {"{'a':{}}",                              "string expected"},
        {ONE(""),                                 "expected, each once"},
        {ONE(D "," S),                            "expected, each once"},
        {ONE(D "," S "," S),                      "expected, each once"},
        {ONE(D "," S "," O "," O),                "at byte 63: dtype"},
        {ONE(D "," S "," O ",\"x\":1"),           "expected, each once"},
        {ONE(D "," S "," O ","),                  "string expected"},
        {ONE(D "," S "," O) ",",                  "should end here"},
        {ONE(D "," S "," O) "x",                  "should end here"},
        {"{" T("a", "[4]", 0, 16) ",}",           "string expected"},
        {"{" T("a", "[4]", 0, 16),                "',' expected"},
        {ONE("\"dtype\":\"F31\"," S ",\"data_offsets\":[0,17]"), "of 16 that there are"},
        {ONE("\"dtype\":\"F31\"," S ",\"data_offsets\":[0,12]"), "which the header describes 12"},
        {ONE("\"dtype\":32," S "," O),            "string expected"},
        {"{" T("a", "[4,]", 0, 16) "}",           "comma"},
        {"{" T("a", "[,]", 0, 16) "}",            "whole number"},
        {"{" T("a", "4", 0, 16) "}",              "'[' expected"},
        {"{" T("a", "(4)", 0, 16) "}",            "'[' expected"},
        {"{" T("a", "[-4]", 0, 16) "}",           "not negative"},
        {"{" T("a", "[4L]", 0, 16) "}",           "',' expected"},
        {"{" T("a", "[4e0]", 0, 16) "}",          "',' expected"},
        {"{" T("a", "[null]", 0, 16) "}",         "whole number"},
        {"{" T("a", "[1,1,1,1,1,1,1,1,4]", 0, 16) "}", "more than 8"},
        {"{" T("a", "[4]", 0, 16.0) "}",          "',' expected"},
        {ONE(D "," S ",\"data_offsets\":[0,16,16]"), "two data_offsets"},
        {ONE(D "," S ",\"data_offsets\":[16]"),   "two data_offsets"},
        {"{" T("a", "[5]", 0, 16) "}",            "its shape needs 20 bytes"},
        {"{" T("a", "[5]", 0, 20) "}",            "of 16 that there are"},
        {"{" T("a", "[3]", 0, 16) "}",            "its shape needs 12 bytes"},
        {"{" T("a", "[3]", 0, 12) "}",            "which the header describes 12"},
        {"{" T("a", "[3]", 4, 16) "}",            "a has data_offsets 4 to 16"},
        {"{" T("a", "[4]", 16, 0) "}",            "data_offsets 16 to 0"},
        {"{" T("a", "[2]", 0, 8) "," T("b", "[3]", 4, 16) "}",  "b has data_offsets 4 to 16"},
        {"{" T("a", "[2]", 0, 8) "," T("b", "[2]", 0, 8) "}",   "b has data_offsets 0 to 8"},
        {"{" T("a", "[1]", 0, 4) "," T("b", "[2]", 8, 16) "}",  "b has data_offsets 8 to 16"},
        {"{" T("a", "[4]", 0, 16) "," T("b", "[0]", 8, 8) "}",  "b has data_offsets 8 to 8"},
        {"{" T("a", "[2]", 0, 8) "," T("a", "[2]", 8, 16) "}",  "has a twice"},
        {"{" T("\\u0061", "[2]", 0, 8) "," T("a", "[2]", 8, 16) "}", "has a twice"},
        {"{" T("a", "[9007199254740992,9007199254740992]", 0, 16) "}", "its shape needs"},
        {"{" T("a", "[4611686018427387904,4]", 0, 16) "}", "too long"},
        {"{" T("a", "[4]", 0, 18446744073709551632) "}",   "too long"},
        {"{\"__metadata__\":{}," "\"__metadata__\":{}," T("a", "[4]", 0, 16) "}", "there twice"},
        {"{\"__metadata__\":{\"k\":1}," T("a", "[4]", 0, 16) "}",  "string expected"},
        {"{\"__metadata__\":{\"k\":{}}," T("a", "[4]", 0, 16) "}", "string expected"},
        {"{\"__metadata__\":[]," T("a", "[4]", 0, 16) "}",         "'{' expected"},
        {"{" T("\\u0000", "[4]", 0, 16) "}",      "no character"},
        {"{" T("\\ud800", "[4]", 0, 16) "}",      "no character"},
        {"{" T("\\udc00\\ud800", "[4]", 0, 16) "}", "no character"},
        {"{" T("\\ud800\\u0061", "[4]", 0, 16) "}", "no character"},
        {"{" T("\\u12g4", "[4]", 0, 16) "}",      "hexadecimal"},
        {"{" T("\\x", "[4]", 0, 16) "}",          "hexadecimal"},
        {"{" T("\n", "[4]", 0, 16) "}",           "control character"},
        {"{" T("\xc0\x80", "[4]", 0, 16) "}",     "no UTF-8"},
        {"{" T("\xed\xa0\x80", "[4]", 0, 16) "}", "no UTF-8"},
        {"{" T("\xf5\x80\x80\x80", "[4]", 0, 16) "}", "no UTF-8"},
        {"{\"a\\",                                "hexadecimal"},
        {"{\"a\xe2\x82",                          "no UTF-8"},
        {"{\"\\ud800",                            "no character"},
    };
    size_t i;
    char *deep = (char *)calloc(100001, 1);
    if (!deep) exit(1);
    for (i = 0; i < sizeof good/sizeof *good; i++) {
        stored_text(good[i], -1, 16);
        CHECK(!tnn_failed(), "%s: %s", good[i], tnn_error());
        tnn_clear_error();
    }
    for (i = 0; i < sizeof bad/sizeof *bad; i++) {
        stored_text(bad[i].header, -1, 16);
        CHECK(strstr(tnn_error(), bad[i].words), "%s: \"%s\", not \"%s\"", bad[i].header,
              tnn_error(), bad[i].words);
        tnn_clear_error();
    }
    stored_text("{}", -1, 0);
    CHECK(!tnn_failed(), "an empty file: %s", tnn_error());
    stored_text("{}", 3, 0);                            REFUSED("within its header of 3");
    stored_text("{}", 100000001, 0);                    REFUSED("a header of 100000001");
    stored_text("{}", 2147483647, 8);                   REFUSED("is not a safetensors");
    tnn_parse_safetensors(NULL, 100);                   REFUSED("is not a safetensors");
    tnn_parse_safetensors("1234567", 7);                REFUSED("7 bytes");
    tnn_parse_safetensors("\377\377\377\377\377\377\377\377{}", 10);    REFUSED("a header of");
    tnn_read_safetensors(path_of("none"));              REFUSED("cannot be opened");
    for (i = 0; i < 100000; i++) deep[i] = '{';
    stored_text(deep, -1, 0);                           REFUSED("string expected");
    for (i = 0; i < 100000; i++) deep[i] = i%5 ? "{\"\":"[i%5 - 1] : '{';
    stored_text(deep, -1, 0);
    CHECK(tnn_failed(), "100,000 braces, taken");
    tnn_clear_error();
    free(deep);
}

/* A type that we have not: listed; asked for, it is named; the others are read. */
static void stored_unknown(void)
{
    static const char *const types[] =
        {"F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "F6_E2M3", "C64", ""};
    size_t k;
    for (k = 0; k < sizeof types/sizeof *types; k++) {
        unsigned char file[400] = {0};
        char *header = (char *)file + 8, words[100];
        tnn_net *net = tnn_create(.input = {2});
        tnn_weights_options o;
        tnn_safetensors f;
        tnn_array a;
        float w[2] = {0, 0};
        static const unsigned char one[] = {0, 0, 0x80, 0x3f};
        int i, n = sprintf(header, "{\"0.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],"
                           "\"data_offsets\":[3,11]},\"0.bias\":{\"dtype\":\"F32\",\"shape\":[1],"
                           "\"data_offsets\":[11,15]},\"s\":{\"dtype\":\"%s\",\"shape\":[5],"
                           "\"data_offsets\":[0,3]}}", types[k]);
        const size_t size = 8 + (size_t)n + 15;
        file[0] = (unsigned char)(n & 255);
        file[1] = (unsigned char)(n >> 8);
        for (i = 0; i < 3; i++) memcpy(file + 8 + n + 3 + 4*i, one, 4);
        f = tnn_parse_safetensors(file, size);
        CHECK(f.count == 3 && !strcmp(f.tensor[0].name, "s") && f.tensor[0].dtype == (tnn_dtype)0
              && !strcmp(f.tensor[0].type, types[k]) && f.tensor[0].end == 3
              && f.tensor[0].count == 5 && !strcmp(f.tensor[1].type, "F32"), "%s: %s", types[k],
              tnn_error());
        a = tnn_safetensors_array(&f, 1);
        CHECK(a.count == 2 && tnn_array_value(&a, 1) == 1, "%s", tnn_error());
        tnn_array_free(&a);
        a = tnn_safetensors_array(&f, 0);
        CHECK(!a.data, "%s is read", types[k]);
        snprintf(words, sizeof words, "s is of type %s, which cannot be read", types[k]);
        REFUSED(words);
        tnn_safetensors_free(&f);
        memset(&o, 0, sizeof o);
        o.partial = 1;
        tnn_add(net, TNN_DENSE, .units = 1);
        tnn_get_param(net, "0.weight", w, 2);
        CHECK(tnn_parse_weights(net, file, size, &o) == 2, "%s", tnn_error());
        tnn_get_param(net, "0.weight", w, 2);
        CHECK(w[1] == 1, "%g", (double)w[1]);
        o.rename[0].file = "s";
        o.rename[0].net = "0.bias";
        CHECK(!tnn_parse_weights(net, file, size, &o), "loaded");
        REFUSED(words);
        tnn_free(net);
    }
}

static int parse_stored(const void *p, size_t size)
{
    tnn_safetensors f = tnn_parse_safetensors(p, size);
    const int good = f.tensor != NULL;
    double sum = 0;
    int i, k;
    for (i = 0; i < f.count; i++) {
        tnn_array a;
        if (!f.tensor[i].dtype) continue;
        a = tnn_safetensors_array(&f, i);
        for (k = 0; k < a.count; k++) sum += tnn_array_value(&a, k);
        tnn_array_free(&a);
    }
    if (good && sum == 1.25) printf("\n");
    tnn_safetensors_free(&f);
    return good;
}
static void stored_broken(void)
{
    size_t size;
    unsigned char *p;
    load("files.txt");
    p = bytes_of(named("types"), "file", &size);
    mutations(p, size, parse_stored);
    free(p);
}

/* ---- weights ---------------------------------------------------------------------------------*/

/* The network of file_vectors.py; `head` more outputs of its last layer. */
static tnn_net *network(uint64_t seed, int head)
{
    tnn_net *net = tnn_create(.input = {2, 4, 4}, .batch = 3, .seed = seed);
    tnn_add(net, TNN_CONV2D, .filters = 4, .kernel = 3, .pad = 1, .groups = 2);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_PRELU, .per_channel = 1);
    tnn_add(net, TNN_CONV_TRANSPOSE2D, .filters = 3, .kernel = 2);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 2 + head);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.01);
    return net;
}
static void torch_weights(void)
{
    vectors *c;
    size_t size, ours;
    unsigned char *p, *want, *got;
    float *x;
    tnn_net *net = network(1, 0);
    load("files.txt");
    c = named("weights");
    p = bytes_of(c, "theirs", &size);
    want = bytes_of(c, "ours", &ours);
    got = (unsigned char *)malloc(ours);
    x = floats(c, "x");
    CHECK(tnn_parse_weights(net, p, size, NULL) == 15, "%s", tnn_error());
    CHECK(tnn_forward(net, x, 3, TNN_EVAL) == TNN_OK, "%s", tnn_error());
    expect(c, "y", tnn_output(net), 1e-6);
    CHECK(tnn_format_weights(net, NULL, 0, NULL) == ours, "%s", tnn_error());
    memset(got, 7, ours);
    CHECK(tnn_format_weights(net, got, ours - 1, NULL) == ours && got[0] == 7, "no room");
    CHECK(tnn_format_weights(net, got, ours, NULL) == ours, "%s", tnn_error());
    CHECK_SAME("our file", got, want, ours);
    tnn_free(net);
    test_release(x);
    free(p);
    free(want);
    free(got);
}

static void round_trip(void)
{
    char path[460];
    float x[3*2*4*4];
    const int labels[3] = {0, 1, 1};
    tnn_net *a = network(1, 0), *b = network(2, 0), *head = network(3, 1);
    uint64_t hash;
    float before[225], after[225];
    int i;
    snprintf(path, sizeof path, "%s", path_of("net.safetensors"));
    test_fill(x, sizeof x/sizeof *x, 5);
    for (i = 0; i < 3; i++) tnn_train_batch(a, x, labels, 3);
    hash = tnn_hash(a);
    CHECK(hash != tnn_hash(b), "equal before");
    CHECK(tnn_save_weights(a, path) == TNN_OK, "%s", tnn_error());
    CHECK(tnn_load_weights(b, path) == 15, "%s", tnn_error());
    CHECK(hash == tnn_hash(b), "another hash");
    CHECK(hash == tnn_hash(a), "saving changed it");
    /* under a new head */
    hash = tnn_hash(head);
    CHECK(!tnn_load_weights(head, path), "loaded");
    REFUSED("6.weight is (2x75), the network's 6.weight (3x75)");
    CHECK(!tnn_load_weights(head, path, .partial = 1), "loaded");
    REFUSED("(2x75)");
    CHECK(hash == tnn_hash(head), "changed by what was refused");
    tnn_get_param(head, "6.weight", before, 225);
    CHECK(tnn_load_weights(head, path, .rename = {{"0.", "0."}, {"1.", "1."}, {"2.", "2."},
                                                  {"3.", "3."}, {"4.", "4."}}) == 13, "%s",
          tnn_error());
    tnn_get_param(head, "6.weight", after, 225);
    CHECK_SAME("the head", before, after, sizeof before);
    tnn_get_param(a, "4.running_var", before, 3);
    tnn_get_param(head, "4.running_var", after, 3);
    CHECK_SAME("running variance", before, after, 3*sizeof(float));
    /* other names */
    CHECK(tnn_save_weights(a, path, .rename = {{"body.", ""}, {"h\xc3\xa9\"\\\n", "6."}}) == TNN_OK,
          "%s", tnn_error());
    {
        tnn_safetensors f = tnn_read_safetensors(path);
        int seen = 0;
        for (i = 0; i < f.count; i++)
            seen += !strcmp(f.tensor[i].name, "h\xc3\xa9\"\\\nbias")
                  + !strcmp(f.tensor[i].name, "body.4.running_mean");
        CHECK(f.count == 15 && seen == 2, "%d tensors, %s", f.count, tnn_error());
        tnn_safetensors_free(&f);
    }
    CHECK(!tnn_load_weights(b, path), "loaded");                        REFUSED("has no 0.weight");
    CHECK(!tnn_load_weights(b, path, .partial = 1), "loaded");          REFUSED("has none of");
    CHECK(!tnn_load_weights(b, path, .rename = {{"body.", ""}}), "loaded");
    REFUSED("has no body.6.weight");
    CHECK(tnn_load_weights(b, path, .rename = {{"body.", ""}}, .partial = 1) == 13, "%s",
          tnn_error());
    CHECK(tnn_load_weights(b, path, .rename = {{"body.0.", "0."}}) == 2, "%s", tnn_error());
    CHECK(!tnn_load_weights(b, path, .rename = {{"body.", "0."}}), "loaded");
    REFUSED("has no body.weight");
    CHECK(!tnn_load_weights(b, path, .rename = {{"body.0.", "0."}, {"body.1", "0"}}), "loaded");
    REFUSED("has body.1.weight, the network has not");
    /* only a part is saved */
    CHECK(!tnn_save_weights(a, path, .rename = {{"x", "6"}}), "%s", tnn_error());
    CHECK(tnn_load_weights(b, path, .rename = {{"x", "6"}}) == 2, "%s", tnn_error());
    /* refused */
    hash = tnn_hash(b);
    tnn_save_weights(a, path, .rename = {{"a", "0"}, {"a", "1"}});      REFUSED("a.bias of two");
    tnn_save_weights(a, path, .rename = {{"\xff", ""}});                REFUSED("UTF-8");
    tnn_save_weights(a, path, .rename = {{"__metadata__", "6.weight"}}); REFUSED("__metadata__ of");
    tnn_save_weights(a, path, .rename = {{"x", "60."}});                REFUSED("leaves out all");
    tnn_get_param(a, "4.running_var", before, 3);
    for (i = 0; i < 2; i++) {
        char text[9000];
        after[0] = after[1] = before[0];
        after[2] = i ? INFINITY : NAN;
        tnn_set_param(a, "4.running_var", after, 3);
        tnn_clear_error();                      /* if that is refused there is nothing to test */
        tnn_get_param(a, "4.running_var", after, 3);
        if (after[2] - after[2] == 0) continue;
        tnn_save_weights(a, path);              REFUSED("value 2 of 4.running_var, ");
        tnn_save_checkpoint(a, path);           REFUSED("value 2 of 4.running_var, ");
        tnn_format_c(a, text, sizeof text, NULL); REFUSED("value 2 of 4.running_var, ");
        CHECK(tnn_load_weights(b, path, .rename = {{"x", "6"}}) == 2, "the old file is lost");
    }
    tnn_set_param(a, "4.running_var", before, 3);
    {
        tnn_net *none = tnn_create(.input = {3, 1, 1});
        tnn_checkpoint_options o = {NULL, NULL, NULL, 0, 0};
        static unsigned char bytes[4096];
        size_t n;
        tnn_add(none, TNN_RELU);
        tnn_save_weights(none, path);           REFUSED("the network has no tensors");
        n = tnn_format_checkpoint(none, bytes, sizeof bytes, &o);
        CHECK(n && n <= sizeof bytes && !tnn_parse_checkpoint(none, bytes, n, &o), "a checkpoint "
              "without tensors: %s", tnn_error());
        CHECK(tnn_format_checkpoint(none, NULL, 0, NULL) == n
              && !tnn_parse_checkpoint(none, bytes, n, NULL), "without options: %s", tnn_error());
        tnn_free(none);
    }
    tnn_save_weights(a, NULL);                                          REFUSED("no path");
    tnn_save_weights_with(a, NULL);                                          REFUSED("no path");
    tnn_save_weights(a, "/no/such/folder/x");                           REFUSED("be written: No ");
    CHECK(!tnn_load_weights(b, path_of("none")), "loaded");             REFUSED("cannot be opened");
    CHECK(!tnn_load_weights_with(b, NULL), "loaded");                REFUSED("cannot be opened");
    CHECK(hash == tnn_hash(b), "changed by what was refused");
    CHECK(exists(path), "the old file is gone");
    remove(path);
    tnn_free(a);
    tnn_free(b);
    tnn_free(head);
}

/* Weights of a convolution over its whole input go to a dense layer; such numbers as F16 has. */
static void conv_to_dense(void)
{
    static const char header[] = "{\"fc.weight\":{\"dtype\":\"F16\",\"shape\":[2,2,1,2],"
        "\"data_offsets\":[0,16]},\"fc.bias\":{\"dtype\":\"F64\",\"shape\":[2],"
        "\"data_offsets\":[16,32]},\"rest\":{\"dtype\":\"BOOL\",\"shape\":[1],"
        "\"data_offsets\":[32,33]}}";
    unsigned char file[8 + sizeof header - 1 + 33], *data = file + 8 + sizeof header - 1;
    static const float x[4] = {1, 10, 100, 1000};
    tnn_weights_options o;
    tnn_net *net = tnn_create(.input = {2, 1, 2}, .batch = 1);
    const float *y;
    uint64_t hash;
    int i;
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 2);
    memset(&o, 0, sizeof o);
    memset(file, 0, sizeof file);
    file[0] = (unsigned char)((sizeof header - 1) & 255);
    file[1] = (unsigned char)((sizeof header - 1) >> 8);
    memcpy(file + 8, header, sizeof header - 1);
    for (i = 0; i < 4; i++) data[2*i + 1] = 0x3c;       /* 1; the second output's are 2^-24 */
    for (i = 4; i < 8; i++) data[2*i] = 1;
    data[16 + 7] = 0xc0;                                /* -2 */
    o.rename[0].file = "fc.";
    o.rename[0].net = "1.";
    CHECK(tnn_parse_weights(net, file, sizeof file, &o) == 2, "%s", tnn_error());
    CHECK(tnn_forward(net, x, 1, TNN_EVAL) == TNN_OK, "%s", tnn_error());
    y = tnn_output(net);
    CHECK_NEAR("ones", (double)y[0], 1109, 1e-7);
    CHECK_NEAR("least", (double)y[1], 1111/16777216.0, 1e-7);
    hash = tnn_hash(net);
    data[1] = 0x7c;                                     /* infinity */
    data[0] = 0;
    CHECK(!tnn_parse_weights(net, file, sizeof file, &o), "loaded");
    REFUSED("value 0 of fc.weight, inf, is not a finite");
    data[1] = 0x3c;
    data[16 + 8 + 7] = 0x7f;
    CHECK(!tnn_parse_weights(net, file, sizeof file, &o), "loaded");
    REFUSED("value 1 of fc.bias");
    CHECK(hash == tnn_hash(net), "changed by what was refused");
    o.path = "some.safetensors";
    CHECK(!tnn_parse_weights(net, file, sizeof file - 1, &o), "loaded");
    REFUSED("some.safetensors: rest has data_offsets 32 to 33");
    CHECK(!tnn_parse_weights(NULL, file, sizeof file, &o), "loaded");
    CHECK(tnn_failed(), "no network");
    tnn_clear_error();
    tnn_free(net);
}

/* Without memory, at any point: an error, nothing lost. */
static void no_memory(void)
{
    const char *path = path_of("m.npy");
    static const float x[2] = {1, 2};
    static const long long shape[1] = {2};
    int k, done = 0, steps = 0;
    size_t size;
    unsigned char *p;
    tnn_net *net = network(1, 0);
    load("files.txt");
    p = bytes_of(named("weights"), "theirs", &size);
    CHECK(!tnn_build(net) && !tnn_save_npy(path, x, TNN_F32, 1, shape), "%s", tnn_error());
    for (k = 1; !done && k < 100; k++, steps++) {
        tnn_safetensors f;
        tnn_data d;
        allowed = k;
        done = tnn_parse_weights(net, p, size, NULL) == 15;
        if (done) {
            f = tnn_parse_safetensors(p, size);
            tnn_safetensors_free(&f);
            d = tnn_load_npy(path, .labels = path);
            done = d.n == 2 && !tnn_save_npy(path, x, TNN_F32, 1, shape);
            tnn_data_free(&d);
        }
        CHECK(done != (tnn_failed() == TNN_ERROR_MEMORY), "%d allocations: %s", k, tnn_error());
        tnn_clear_error();
    }
    allowed = -1;
    CHECK(steps > 8, "%d allocations in all", steps);
    remove(path);
    tnn_free(net);
    free(p);
}

/* ---- the real files --------------------------------------------------------------------------*/

static const char *real(const char *name)
{
    static char path[2][600];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", getenv("TINYNN_DATA"), name);
    return path[turn];
}
static void kuzushiji(void)
{
    tnn_data d = tnn_load_npy(real("kuzushiji/X_images.npy"),
                              .labels = real("kuzushiji/y_images.npy"), .shape = {1, 28, 28});
    double sum = 0;
    int i;
    CHECK(d.n == 5000 && d.c == 1 && d.h == 28 && d.w == 28 && d.classes == 49, "%s", tnn_error());
    if (!d.n) return;
    for (i = 0; i < 5000*784; i++) sum += (double)d.floats[i];
    CHECK(sum == 182379984, "sum %.17g", sum);          /* NumPy's */
    for (sum = 0, i = 0; i < 5000; i++) sum += (double)d.labels[i]*i;
    CHECK(sum == 335274062, "labels %.17g", sum);
    tnn_data_free(&d);
}
static void vgg(void)
{
    static const int filters[] = {64, 64, 0, 128, 128, 0};
    tnn_net *net = tnn_create(.input = {3, 16, 16}, .batch = 1);
    vectors *c;
    float x[3*16*16], got[34];
    const float *y;
    double sum = 0;
    int i;
    load("files.txt");
    c = named("vgg");
    for (i = 0; i < 6; i++)
        if (filters[i]) {
            tnn_add(net, TNN_CONV2D, .filters = filters[i], .kernel = 3, .pad = 1);
            tnn_add(net, TNN_RELU);
        } else tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    CHECK(tnn_load_weights(net, real("vgg16/blocks12.safetensors"), .rename = {{"features.", ""}})
          == 8, "%s", tnn_error());
    test_fill(x, 3*16*16, 7);
    for (i = 0; i < 3*16*16; i++) x[i] *= 128;
    CHECK(tnn_forward(net, x, 1, TNN_EVAL) == TNN_OK, "%s", tnn_error());
    y = tnn_output(net);
    if (!y) return;
    for (i = 0; i < 34; i++) got[i] = y[61*i];
    for (i = 0; i < 128*4*4; i++) sum += (double)y[i];
    CHECK_CLOSE_TO("y", got, get(c, "y")->v, 34, get(c, "largest")->v[0], 2e-6);
    CHECK_NEAR("sum", sum, get(c, "sum")->v[0], 1e-5);
    tnn_free(net);
}

/* Files of other kinds are named by their first bytes, by every reader. */
static void other_formats(void)
{
    static const struct { const char *bytes, *says; size_t n; int own; } kinds[] = {
#define KIND(bytes, own, says) { bytes, says, sizeof bytes - 1, own }
        KIND("\x1f\x8b\x08", 0, "is compressed (gzip); unpack it first: gzip -dk"),
        KIND("BZh91AY&SY", 0, "is compressed (bzip2)"),
        KIND("\xfd" "7zXZ\0", 0, "is compressed (xz)"),
        KIND("\x28\xb5\x2f\xfd", 0, "is compressed (zstd)"),
        KIND("PK\3\4\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\x18\0" "a/data.pkl", 0,
             "is a file of torch.save (.pt, .pth); tinynn.h says under WEIGHTS how to convert it"),
        KIND("PK\3\4-\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\0\x14\0" "arr_0.npy", 0,
             "is an archive of arrays (.npz)"),
        KIND("PK\3\4-\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\0\x14\0" "arr_0.txt", 0,
             "is a zip archive"),
        KIND("PK\3\4-\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\x14\0" "a.pkl", 0,
             "a zip archive"),
        KIND("\x80\2\x8a\x0al\xfc", 0, "old file of torch.save (.pkl, .pth)"),
        KIND("\x80\5\x95\x09", 0, "is a pickle of Python (.pkl)"),
        KIND("\x89HDF\r\n\x1a\n", 0, "is HDF5 (.h5, of Keras)"),
        KIND("\x08\x0a\x12\x07pytorch", 0, "is an ONNX model"),
        KIND("\x93NUMPY\1\0", 1, "is .npy, for tnn_load_npy and tnn_read_npy"),
        KIND("\0\1\0\0\0\0\0\0{\"0.weight\"", 2, "is safetensors, for tnn_load_weights"),
        KIND("\0\0\x08\3", 3, "is IDX, for tnn_load_idx"),
        KIND("\x89PNG\r\n\x1a\n", 0, "is a PNG image"),
        KIND("\xff\xd8\xff\xe0", 0, "is a JPEG image"),
        KIND("GIF89a", 0, "is a GIF image"),
        KIND("<!DOCTYPE html>", 0, "is a web page; the download went wrong"),
        KIND("<!doctype html>", 0, "is a web page; the download went wrong"),
        KIND("<html>", 0, "is a web page; the download went wrong"),
        KIND("version https://git-lfs.github.com/spec/v1", 0, "git lfs pull")
#undef KIND
    };
    unsigned char bytes[64];
    const tnn_net_options o = { .input = { 3, 1, 1 } };
    size_t k;
    int reader;
    for (k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (reader = 0; reader < 5; reader++) {
            tnn_net *net = tnn_create_with(&o);
            if (reader && reader == kinds[k].own) { tnn_free(net); continue; }
            memset(bytes, 0, sizeof bytes);
            memcpy(bytes, kinds[k].bytes, kinds[k].n);
            tnn_add(net, TNN_DENSE, .units = 2);
            if (reader == 0) CHECK(!tnn_parse_csv(bytes, sizeof bytes).data, "taken");
            if (reader == 1) CHECK(!tnn_parse_npy(bytes, sizeof bytes).data, "taken");
            if (reader == 2) CHECK(!tnn_parse_weights(net, bytes, sizeof bytes, NULL), "taken");
            if (reader == 3) CHECK(!tnn_parse_idx(bytes, sizeof bytes, bytes, 64).n, "taken");
            if (reader == 4) CHECK(!tnn_parse_pnm(bytes, sizeof bytes).data, "taken");
            CHECK(tnn_failed() == TNN_ERROR_FORMAT && strstr(tnn_error(), kinds[k].says),
                  "kind %d, reader %d: %s", (int)k, reader, tnn_error());
            tnn_clear_error();
            tnn_free(net);
        }
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    vectors_from(argc, argv);
    files_of(argv[0], "test_files-");
    RUN("files of other kinds", other_formats);
    RUN(".npy: NumPy's files, read and written", npy_reading);
    RUN(".npy: what is refused", npy_refused);
    RUN(".npy: each byte changed", npy_broken);
    RUN("CSV", csv);
#ifndef _WIN32                          /* whose printf and strtod round otherwise */
    RUN("CSV: numbers as strtod's", as_strtod);
#endif
    RUN("PGM and PPM", pnm);
    RUN("limits of readers", limits);
#ifndef _WIN32
    RUN("pipes", pipes);
#endif
    RUN("data sets of arrays", data_sets);
    RUN("data sets of .npy files", data_files);
    RUN("safetensors: every type", stored_types);
    RUN("safetensors: what is refused", stored_refused);
    RUN("safetensors: other types", stored_unknown);
    RUN("safetensors: each byte changed", stored_broken);
    EACH_ISA("weights of PyTorch's", torch_weights);
    RUN("weights saved and loaded", round_trip);
    RUN("a convolution's weights for a dense layer", conv_to_dense);
    RUN("files without memory", no_memory);
    if (!getenv("TINYNN_DATA") || !*getenv("TINYNN_DATA"))
        printf("skip  the real files: TINYNN_DATA is not set\n");
    else {
        RUN("the Kuzushiji images", kuzushiji);
        EACH_ISA("VGG-16's first two blocks", vgg);
    }
    return test_finish();
}
