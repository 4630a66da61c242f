/* test_tables.c - tables, CSV with names and classes, and archives of arrays, .npz

   Vectors come from table_vectors.py: what scikit-learn makes of columns, and archives as NumPy
   writes them. */
#include "hooked.h"
#include "test.h"
#include "vectors.h"
#include "files.h"

static int    made, freed, fail_after = -1;
static size_t most_bytes;
void *test_malloc(size_t bytes)
{
    if (fail_after >= 0 && fail_after-- == 0) return NULL;
    made++;
    if (bytes > most_bytes) most_bytes = bytes;
    return malloc(bytes);
}
void test_free(void *p)
{
    freed += p != NULL;
    free(p);
}

/* The last call failed, with these words in its message. */
#define REFUSED(words) do { \
    CHECK(tnn_failed() && strstr(tnn_error(), words), "\"%s\" is not about \"%s\"", tnn_error(), \
          words); \
    tnn_clear_error(); } while (0)

/* The data set of a text, in memory of exactly its size. */
static tnn_data table_of(const char *text, const tnn_csv_options *options)
{
    const size_t size = strlen(text);
    char *copy = (char *)malloc(size + !size);
    tnn_data data;
    if (!copy) exit(1);
    memcpy(copy, text, size);
    data = tnn_csv_data(copy, size, options);
    free(copy);
    CHECK(!data.n == !!tnn_failed(), "%d samples, \"%s\"", data.n, tnn_error());
    return data;
}
#define TABLE(text, ...) table_of(text, &(tnn_csv_options){__VA_ARGS__})

/* The data are n samples of c inputs x, and of each a label or so many targets. */
static void holds(const char *what, const tnn_data *data, int n, int c, const float *x,
                  const int *labels, const float *targets, int values)
{
    CHECK(!tnn_failed(), "%s: %s", what, tnn_error());
    CHECK(data->n == n && data->c == c && data->h == 1 && data->w == 1,
          "%s: %d samples of %dx%dx%d", what, data->n, data->c, data->h, data->w);
    CHECK(!data->labels == !labels && !data->targets == !targets && data->target[0] == values,
          "%s: labels or targets", what);
    if (data->n != n || data->c != c) return;
    CHECK_SAME(what, data->floats, x, (size_t)n*(size_t)c*sizeof *x);
    if (labels && data->labels) CHECK_SAME(what, data->labels, labels, (size_t)n*sizeof *labels);
    if (targets && data->targets)
        CHECK_SAME(what, data->targets, targets, (size_t)n*(size_t)values*sizeof *targets);
}
/* The classes' names, one behind the other with | between. */
static void named(const char *what, const tnn_data *data, const char *names)
{
    char got[600] = "";
    int i;
    for (i = 0; i < data->classes && data->class_names; i++) {
        if (i) strcat(got, "|");
        strcat(got, data->class_names[i]);
    }
    CHECK(!strcmp(got, names), "%s: classes %s, not %s", what, got, names);
}

/* ---- columns --------------------------------------------------------------------------------- */
static void columns(void)
{
    static const float ac[] = {1, 3, 4, 6}, ca[] = {3, 1, 6, 4}, b[] = {2, 5}, abc[] = {1, 2, 3};
    static const float bc[] = {2, 3, 5, 6}, a[] = {1, 4}, all[] = {1, 2, 3, 4, 5, 6};
    static const float hot[] = {1, 1, 0, 4, 0, 1}, ba[] = {2, 1, 5, 4};
    static const int label[] = {1, 0};
    const char *text = "a,b,c\n1,2,3\n4,5,6\n";
    tnn_data d = TABLE(text, .targets = "b");
    holds("targets", &d, 2, 2, ac, NULL, b, 1);
    tnn_data_free(&d);
    d = TABLE(text, .inputs = "c,a", .targets = "b");
    holds("inputs in their order", &d, 2, 2, ca, NULL, b, 1);
    tnn_data_free(&d);
    d = TABLE(text, .targets = " b , a", .ignore = "c");
    CHECK(!d.n, "no inputs are left");
    REFUSED("0 columns as inputs");
    d = TABLE(text, .inputs = "c", .targets = "b,a");
    holds("two targets", &d, 2, 1, (const float[]){3, 6}, NULL, ba, 2);
    tnn_data_free(&d);
    d = TABLE(text, .ignore = "a");
    holds("neither targets nor label", &d, 2, 2, bc, NULL, NULL, 0);
    tnn_data_free(&d);
    d = TABLE("1,2,3\n4,5,6", .targets = "1");
    holds("without names", &d, 2, 2, bc, NULL, a, 1);
    tnn_data_free(&d);
    d = TABLE("1;2;3\r\n\r\n4;5;6\r\n", .targets = "-2");
    holds("from the end, semicolons, Windows", &d, 2, 2, ac, NULL, b, 1);
    tnn_data_free(&d);
    d = TABLE("x\ty\tz\n\"b\"\t1\t \n a \t4\t-\n", .label = "x", .inputs = "y");
    holds("tabs, blanks and quotes", &d, 2, 1, a, label, NULL, 0);
    named("tabs, blanks and quotes", &d, "a|b");
    tnn_data_free(&d);
    d = TABLE("x,y\n\" a \"\"b\"\"\",1\n\" \"\"c\"\"\",4\n", .label = "x");
    named("quotes behind a blank in quotes", &d, "\"c\"|a \"b\"");
    tnn_data_free(&d);
    d = TABLE("\xef\xbb\xbf\"a, b\",\"\"\"x\"\"\",\xc3\xa4\n1,2,3\n4,5,6\n",
              .inputs = "\"a, b\",\xc3\xa4", .targets = "\"x\"");
    CHECK(!d.n, "a list is a line of CSV");
    REFUSED("has \"x\", which is no column; the file has \"a, b\", \"\"x\"\", \"\xc3\xa4\"");
    d = TABLE("\xef\xbb\xbf\"a, b\",year built,\xc3\xa4\n1,2,3\n4,5,6\n",
              .inputs = "\"a, b\",\xc3\xa4", .targets = "year built");
    holds("odd names", &d, 2, 2, ac, NULL, b, 1);
    tnn_data_free(&d);
    d = TABLE(",a,b\n0,1,2\n1,4,5\n", .ignore = "", .targets = "b");
    holds("pandas' index has no name", &d, 2, 1, a, NULL, b, 1);
    tnn_data_free(&d);
    d = TABLE("1,2,3\n1,2,3\n4,5,6", .header = 1, .targets = "2");
    holds("names that are numbers", &d, 2, 2, ac, NULL, b, 1);
    tnn_data_free(&d);
    d = TABLE("1,2,3\n", .header = -1);
    holds("one line", &d, 1, 3, abc, NULL, NULL, 0);
    tnn_data_free(&d);
    d = TABLE("p,x\np,y", .header = -1, .inputs = "2", .one_hot = "2");
    holds("text without names", &d, 2, 2, (const float[]){1, 0, 0, 1}, NULL, NULL, 0);
    tnn_data_free(&d);
    d = TABLE("n,city\n1,Bern\n4,Rome\n", .one_hot = "city");
    holds("one hot", &d, 2, 3, hot, NULL, NULL, 0);
    tnn_data_free(&d);
    d = tnn_csv_data("1,2,3\n4,5,6\n", 12, NULL);
    holds("no options", &d, 2, 3, all, NULL, NULL, 0);
    tnn_data_free(&d);
}

/* ---- what scikit-learn makes of columns ------------------------------------------------------ */
static char *text_of(vectors *c, const char *key, size_t *size)
{
    array *a = get(c, key);
    char *p = (char *)malloc((size_t)a->n + 1);
    int i;
    if (!p) exit(1);
    for (i = 0; i < a->n; i++) p[i] = (char)(unsigned char)a->v[i];
    p[a->n] = 0;
    if (size) *size = (size_t)a->n;
    return p;
}
static void scikit(void)
{
    int k, i, n = 0;
    load("tables.txt");
    for (k = 0; k < case_count; k++) {
        vectors *c = &cases[k];
        char *text, *names, *p;
        tnn_data d;
        if (!strncmp(c->name, "npz", 3)) continue;
        text = text_of(c, "file", NULL);
        n++;
        if (!strcmp(c->name, "filled")) {
            float *x = floats(c, "inputs");
            d = TABLE(text, .one_hot = "city", .fill_mean = 1);
            CHECK(d.n == 12 && d.c == 7, "%d of %d: %s", d.n, d.c, tnn_error());
            for (i = 0; i < 12*7 && d.n; i++)
                CHECK(fabs((double)d.floats[i] - (double)x[i]) <= 1e-7*fabs((double)x[i]),
                      "input %d is %g, not %g", i, (double)d.floats[i], (double)x[i]);
            test_release(x);
        } else {
            d = TABLE(text, .label = "kind");
            names = text_of(c, "names", NULL);
            for (p = names; *p; p++) if (*p == '\n') *p = '|';
            CHECK(d.n == get(c, "labels")->n, "%s: %d samples, %s", c->name, d.n, tnn_error());
            for (i = 0; i < d.n; i++)
                CHECK(d.labels[i] == integer(c, "labels", i), "%s: label %d is %d", c->name, i,
                      d.labels[i]);
            named(c->name, &d, names);
            free(names);
        }
        tnn_data_free(&d);
        free(text);
    }
    CHECK(n == 6, "%d cases", n);
}
/* Numbers are the same class if their values are, and its name is the first by its bytes. */
static void number_classes(void)
{
    static const int labels[] = {1, 0, 1, 2, 1, 0};
    static const float x[] = {0, 1, 2, 3, 4, 5};
    tnn_data d = TABLE("x,y\n0,1.0\n1,0\n2,+1\n3,10\n4,1\n5,-0\n", .label = "y");
    holds("numbers", &d, 6, 1, x, labels, NULL, 0);
    CHECK(d.classes == 3, "%d classes", d.classes);
    named("numbers", &d, "-0|+1|10");
    tnn_data_free(&d);
}

/* ---- what shares a table's memory ------------------------------------------------------------ */
static void parts(void)
{
    const int before = made - freed;
    tnn_data d = TABLE("x,kind\n0,p\n1,q\n2,p\n3,q\n4,p\n5,q\n6,r\n7,r\n", .label = "kind");
    tnn_data a, b, sub, train, test;
    tnn_loader *batches;
    int counts[9] = {3, 0, 0, 0, 3, 0, 0, 0, 2};
    char report[900];
    tnn_split(&d, 3, 1, &a, &b);
    sub = tnn_subset(&d, 2, 3);
    tnn_kfold(&d, 1, &train, &test, .folds = 2, .stratified = 1);
    batches = tnn_loader_create(&a, .batch = 2);
    tnn_data_free(&d);
    tnn_data_free(&b);
    CHECK(!d.class_names && !d.table, "an empty data set has names");
    named("a part", &a, "p|q|r");
    named("a subset", &sub, "p|q|r");
    named("a fold", &train, "p|q|r");
    named("a fold", &test, "p|q|r");
    tnn_data_free(&train);
    tnn_data_free(&test);
    d = TABLE("kind,x\nr,1\np,2\n", .like = &sub);
    tnn_data_free(&sub);
    tnn_data_free(&a);
    while (tnn_next(batches)) CHECK(batches->labels[0] >= 0 && batches->labels[0] < 3, "a label");
    tnn_loader_free(batches);
    holds("like a part", &d, 2, 1, (const float[]){1, 2}, (const int[]){2, 0}, NULL, 0);
    named("like a part", &d, "p|q|r");
    tnn_class_report_text(counts, 3, d.class_names, report, sizeof report);
    CHECK(strstr(report, "q "), "no name in the report:\n%s", report);
    tnn_data_free(&d);
    CHECK(!tnn_failed() && made - freed == before, "%s; %d allocations are left", tnn_error(),
          made - freed - before);
}
static void like(void)
{
    static const float x[] = {2, 1, 0, 5, 0, 1}, more[] = {2, 0, 0};
    const char *text = "id,size,city,price\n7,1,Rome,10\n8,,Bern,20\n9,3,Bern,30\n";
    const float means[] = {1, 0, 0}, stds[] = {2, 1, 1};
    tnn_data train = TABLE(text, .targets = "price", .ignore = "id", .one_hot = "city",
                           .fill_mean = 1), test, part;
    float got[3];
    test = TABLE("price,city,size\n1,Bern,NA\n2,Rome,5\n", .like = &train);
    holds("other columns, a mean", &test, 2, 3, x, NULL, (const float[]){1, 2}, 1);
    tnn_data_free(&test);
    test = TABLE("city,size\n,\n", .like = &train);
    holds("without targets", &test, 1, 3, more, NULL, NULL, 0);
    CHECK(test.target[1] == 0 && test.target[2] == 0, "targets of %d", test.target[1]);
    tnn_data_free(&test);
    CHECK(!tnn_normalize_channels(&train, means, stds), "%s", tnn_error());
    test = TABLE("city,size\nBern,5\n", .like = &train);
    CHECK(!tnn_sample(&test, 0, got, 3) && got[0] >= 2 && got[0] <= 2 && got[1] >= 1
          && got[1] <= 1, "not normalised: %g %g %s", (double)got[0], (double)got[1], tnn_error());
    tnn_data_free(&train);
    part = tnn_subset(&test, 0, 1);
    tnn_data_free(&test);
    test = TABLE("city,size\nBern,\n", .like = &part);
    tnn_data_free(&part);
    CHECK(!tnn_sample(&test, 0, got, 3) && got[0] >= 0.5f && got[0] <= 0.5f,
          "like one that is like another: %g, %s", (double)got[0], tnn_error());
    tnn_data_free(&test);
    /* one number for all channels; columns by their numbers */
    train = TABLE("1,2,7\n3,4,8\n", .label = "3");
    tnn_normalize(&train, 1, 2);
    test = TABLE("3,5\n", .like = &train);
    holds("without names", &test, 1, 2, (const float[]){3, 5}, NULL, NULL, 0);
    CHECK(test.std >= 2 && test.std <= 2 && !test.classes, "std %g", (double)test.std);
    tnn_data_free(&test);
    test = TABLE("3,5,8\n", .like = &train);
    holds("with a label", &test, 1, 2, (const float[]){3, 5}, (const int[]){1}, NULL, 0);
    tnn_data_free(&test);
    test = TABLE("3\n", .like = &train);        REFUSED(".like = \"2\" is no column");
    test = TABLE("3,5,9\n", .like = &train);    REFUSED("column 3: \"9\" is none of the classes");
    test = TABLE("3,,8\n", .like = &train);     REFUSED("is a missing value; .fill_mean");
    test = TABLE("3,,8\n", .like = &train, .fill_mean = 1);
    holds("filled only here", &test, 1, 2, (const float[]){3, 3}, (const int[]){1}, NULL, 0);
    tnn_data_free(&test);
    test = TABLE("3,5\n", .like = &train, .label = "3");
    REFUSED(".label does nothing with .like");
    tnn_data_free(&train);
    test = TABLE("3,5\n", .like = &train);      REFUSED(".like is not, or no longer");
    train = TABLE("a,b,c\n1,2,3\n", .targets = "b,c");
    test = TABLE("a,b\n1,2\n", .like = &train); REFUSED(".like has \"c\", which is no column");
    test = TABLE("b,c\n1,2\n", .like = &train); REFUSED(".like has \"a\", which is no column");
    tnn_data_free(&train);
}

/* ---- what is trained ------------------------------------------------------------------------- */
static uint64_t learnt(tnn_data *data)
{
    tnn_net *net = tnn_create(.input = {2}, .batch = 4, .seed = 1);
    tnn_history run;
    uint64_t hash;
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.1);
    run = tnn_fit(net, data, NULL, .epochs = 3);
    hash = tnn_hash(net);
    CHECK(!tnn_failed() && run.count == 3, "%s", tnn_error());
    tnn_history_free(&run);
    tnn_free(net);
    return hash;
}
/* The same weights as of the same data from arrays. */
static void trained(void)
{
    tnn_data d = TABLE("a,b,y\n1,2,z\n3,4,x\n-1,0.5,y\n2,2,z\n0,1,y\n", .label = "y");
    tnn_array array = tnn_parse_csv("1,2,2\n3,4,0\n-1,0.5,1\n2,2,2\n0,1,1\n", 33);
    tnn_data same = tnn_array_data(&array, NULL, &(tnn_npy_options){.label_column = -1});
    CHECK(learnt(&d) == learnt(&same), "other weights than of arrays");
    tnn_data_free(&d);
    tnn_data_free(&same);
    tnn_array_free(&array);
}

/* ---- tables that are refused ----------------------------------------------------------------- */
static void refused(void)
{
    static const struct { const char *text; tnn_csv_options with; const char *says; } bad[] = {
        {"",                   {0}, "csv: has no line of values (0 bytes)"},
        {"a,b\n",              {0}, "has no line of values, but one of names (4 bytes)"},
        {"a,b\n\n\r\n",        {0}, "but one of names"},
        {"a,b\n1,2\n3\n",      {0}, "at byte 8: line 3 has 1 fields, the first 2"},
        {"a,b\n1,2,3\n",       {0}, "line 2 has 3 fields, the first 2"},
        {"a,y\n1,\"x\n2,y\"\n3,z\n", {.label = "y"}, "csv: line 2, field 2 begins with a quote that "
                               "does not close at the field's end; a field has no line breaks"},
        {"a,y\n1,x\n2,\"y\"\"",  {.label = "y"}, "line 3, field 2 begins with a quote"},
        {"a,y\n1,\"x\"z\n2,w\n", {.label = "y"}, "line 2, field 2 begins with a quote"},
        {"\"a\ny\"\n1\n",     {0}, "line 1, field 1 begins with a quote"},
        {"a,y\n1,2\n,\"",      {.ignore = "y"}, "line 3, field 2 begins with a quote"},
        {"a,y\r1,x\r2,z\r",    {.label = "y"}, "csv: its lines end in carriage returns alone; they "
                               "must end in line feeds, as \\n or \\r\\n"},
        {"a,b\n1,x\n",         {0}, "line 2, column \"b\": \"x\" is not a number; .one_hot takes"},
        {"a,b\n\n1,2\n3,x\n",  {.targets = "b"}, "line 4, column \"b\": \"x\" is not a number; "
                                "classes are for .label"},
        {"1,2\n3,x\n",         {0}, "line 2, column 2: \"x\" is not a number"},
        {"a,b\n1,\n",          {0}, "line 2, column \"b\": \"\" is a missing value; .fill_mean"},
        {"a,b\n1,NA\n",        {0}, "\"NA\" is a missing value"},
        {"a,b\n1,na\n",        {0}, "\"na\" is not a number"},
        {"a,b\n1,NA|NULL\n",   {0}, "\"NA|NULL\" is not a number"},
        {"a,b\n1,?\n2,3\n",    {.label = "a", .fill_mean = 1}, "\"?\" is not a number"},
        {"a,b\n1,nan\n",       {.targets = "b", .fill_mean = 1}, "which a target or label cannot"},
        {"a,b\n1,x\n2,\n3,y",  {.label = "b"}, "line 3, column \"b\": \"\" is a missing value"},
        {"a,b\n1,NA\n2,\n",    {.fill_mean = 1}, "column \"b\": \"NA\" and all others are missing"},
        {"a,b\n1,inf\n",       {0}, "\"inf\" is not a finite float"},
        {"a,b\n1,1e39\n",      {.targets = "b"}, "\"1e39\" is not a finite float"},
        {"a,b\n1,x\n2,x\n",    {.label = "b"}, "column \"b\" has 1 categories, a .label has at "
                                "least 2"},
        {"a,b\n1,2\n",         {.targets = "c"}, ".targets has \"c\", which is no column; the file "
                                "has \"a\", \"b\""},
        {"a,b\n1,2\n",         {.inputs = "a,B"}, ".inputs has \"B\", which is no column"},
        {"a,b\n1,2\n",         {.inputs = "a,"}, ".inputs has \"\", which is no column"},
        {"a,b\n1,2\n",         {.ignore = "2"}, ".ignore has \"2\", which is no column"},
        {"1,2\n",              {.ignore = "3"}, ".ignore = \"3\" is no column: the file has no "
                                "line of names; columns are numbers, 1 to 2, or -2 to -1"},
        {"1,2\n",              {.ignore = "0"}, "is no column"},
        {"1,2\n",              {.ignore = "-3"}, "is no column"},
        {"1,2\n",              {.ignore = "1.5"}, "is no column"},
        {"1,2\n",              {.ignore = "1e30"}, "is no column"},
        {"1,2\n",              {.ignore = "nan"}, "is no column"},
        {"a,a,b\n1,2,3\n",     {.targets = "a"}, "which is more than one column"},
        {"a,b\n1,2\n",         {.inputs = "a,b", .targets = "b"}, ".targets has column \"b\", "
                                "which is listed twice"},
        {"a,b\n1,2\n",         {.inputs = "a", .one_hot = "b"}, "must be one of the inputs"},
        {"a,b\n1,2\n",         {.one_hot = "b,b"}, "must be one of the inputs, once"},
        {"a,b,c\n1,2,3\n",     {.label = "b,c"}, ".label is one column of classes; there are 2"},
        {"a,b\n1,2\n",         {.label = "a", .targets = "b"}, ".targets are numbers, .label is"},
        {"a,b\n1,2\n",         {.inputs = "a", .ignore = "b"}, ".ignore does nothing with .inputs"},
        {"a,b\n1,2\n",         {.header = 2}, ".header = 2 must be 1, -1 or 0"},
        {"a,b\n1,2\n",         {.header = -1}, "line 1, column 1: \"a\" is not a number"},
        {"a,\x01""bcdefghijklmnopqrstuvwxyz0123456789bcdefghijkl\n1,x\n", {0},
                               "\"?bcdefghijklmnopqrstuvwxyz0123456789bcde...\": \"x\" is not"},
        {"\x1f\x8b\x08\n1,2",  {0}, "is compressed (gzip)"},
    };
    static const char zeros[] = "a,b\n1,\0" "2\n";
    tnn_csv_options view = {0};
    tnn_data d;
    char *wide, *p;
    size_t i;
    for (i = 0; i < sizeof bad/sizeof *bad; i++) {
        d = table_of(bad[i].text, &bad[i].with);
        CHECK(!d.n && !d.memory && !d.table, "%s was taken", bad[i].text);
        REFUSED(bad[i].says);
    }
    d = tnn_csv_data(zeros, sizeof zeros - 1, &view);   REFUSED("at byte 6: a zero");
    d = tnn_csv_data(NULL, 0, NULL);                    REFUSED("has no line of values");
    /* 257 categories are too many, and 256 are not */
    p = wide = (char *)malloc(9*300);
    if (!wide) exit(1);
    p += sprintf(p, "a\n");
    for (i = 0; i < 257; i++) p += sprintf(p, "c%d\n", (int)i);
    d = TABLE(wide, .one_hot = "a");
    REFUSED("column \"a\" has 257 categories, .one_hot takes at most 256");
    p[-5] = 0;
    d = TABLE(wide, .one_hot = "a");
    CHECK(d.n == 256 && d.c == 256, "%d of %d: %s", d.n, d.c, tnn_error());
    tnn_data_free(&d);
    /* a message has as many names as fit */
    p = wide;
    for (i = 0; i < 200; i++) p += sprintf(p, "%scolumn%d", i ? "," : "", (int)i);
    sprintf(p, "\n");
    for (i = 0; i < 200; i++) strcat(p, i ? ",1" : "1");
    d = TABLE(wide, .targets = "price");
    REFUSED("\"column9\", ");
    free(wide);
}

/* ---- archives -------------------------------------------------------------------------------- */
static void same(vectors *c, int i, const tnn_array *a)
{
    char key[20];
    array *shape, *values;
    long long k;
    snprintf(key, sizeof key, "shape%d", i);
    shape = get(c, key);
    snprintf(key, sizeof key, "values%d", i);
    values = get(c, key);
    CHECK(a->ndim == shape->n && a->count == values->n, "%s %d: %d dimensions, %lld elements: %s",
          c->name, i, a->ndim, a->count, tnn_error());
    for (k = 0; k < a->ndim && a->ndim == shape->n; k++)
        CHECK(a->shape[k] == (long long)shape->v[k], "%s: dimension %lld", c->name, k);
    for (k = 0; k < a->count && a->count == values->n; k++) {
        const double v = tnn_array_value(a, k);
        CHECK(v >= values->v[k] && v <= values->v[k], "%s: element %lld is %g", c->name, k, v);
    }
}
static void npz(void)
{
    int k, i, n = 0;
    load("tables.txt");
    for (k = 0; k < case_count; k++) {
        vectors *c = &cases[k];
        char *file, *names, *name, *end;
        size_t size;
        tnn_array a;
        if (strncmp(c->name, "npz", 3)) continue;
        file = text_of(c, "file", &size);
        names = text_of(c, "names", NULL);
        for (name = names, i = 0; name; name = end, i++) {
            end = strchr(name, '\n');
            if (end) *end++ = 0;
            a = tnn_parse_npz(file, size, name);
            same(c, i, &a);
            tnn_array_free(&a);
        }
        a = tnn_parse_npz(file, size, NULL);
        if (i == 1) same(c, 0, &a);
        else REFUSED("its arrays are \"");
        tnn_array_free(&a);
        free(file);
        free(names);
        n++;
    }
    CHECK(n == 9, "%d archives", n);
}
static vectors *case_of(const char *name)
{
    int k;
    load("tables.txt");
    for (k = 0; k < case_count && strcmp(cases[k].name, name); k++) {}
    if (k == case_count) { printf("FAIL  no case %s\n", name); exit(1); }
    return &cases[k];
}
/* Cut anywhere, and with any byte changed, an archive is refused or is what it was. */
static void damaged(void)
{
    static const char *const names[] = {"npz-compressed", "npz-fixed", "npz-zip64"};
    static const char *const arrays[] = {"y_train", "t", "z"};
    static const int which[] = {1, 0, 0};
    int k, taken = 0, all = 0;
    for (k = 0; k < 3; k++) {
        vectors *c = case_of(names[k]);
        size_t size, i;
        char *file = text_of(c, "file", &size);
        for (i = 0; i < size; i++) {
            char *cut = (char *)malloc(i + !i);
            tnn_array a;
            if (!cut) exit(1);
            memcpy(cut, file, i);
            a = tnn_parse_npz(cut, i, arrays[k]);
            CHECK(!a.data && tnn_failed(), "%s cut to %d bytes is taken", c->name, (int)i);
            tnn_clear_error();
            free(cut);
            most_bytes = 0;
            file[i] = (char)(file[i] ^ (i%3 ? 1 << i%8 : 255));
            a = tnn_parse_npz(file, size, arrays[k]);
            CHECK(!a.data == !!tnn_failed(), "%s: %s", c->name, tnn_error());
            CHECK(most_bytes < 1032*size + (1 << 18), "%d bytes of memory for %d", (int)most_bytes,
                  (int)size);
            if (a.data) same(c, which[k], &a);
            taken += a.data != NULL;
            all++;
            tnn_array_free(&a);
            tnn_clear_error();
            file[i] = (char)(file[i] ^ (i%3 ? 1 << i%8 : 255));
        }
        free(file);
    }
    test_note("%d of %d changed bytes are of no account", taken, all);
    CHECK(taken > all/20 && taken < all, "%d of %d", taken, all);
}
static void put4(char *p, unsigned long v)
{
    int i;
    for (i = 0; i < 4; i++, v >>= 8) p[i] = (char)(v & 255);
}
static void hostile(void)
{
    vectors *c = case_of("npz-best");
    size_t size, at;                    /* at: where the directory begins */
    char *file = text_of(c, "file", &size), *was = text_of(c, "file", NULL), *d, *end;
    tnn_array a;
    for (at = size - 22; memcmp(file + at, "PK\1\2", 4); at--) {}
    d = file + at;
    end = file + size - 22;
#define PACKED(says) do { \
    a = tnn_parse_npz(file, size, "t"); \
    CHECK(!a.data, "taken: %s", says); \
    REFUSED(says); \
    memcpy(file, was, size); } while (0)
    put4(d + 24, 0x7fffffff);                   PACKED("its size is not what so many packed bytes");
    put4(d + 24, 900);                          PACKED("cannot be unpacked");
    put4(d + 24, 1200);                         PACKED("cannot be unpacked");
    put4(d + 20, 1 << 20);                      PACKED("lies outside of the file");
    put4(d + 20, 5);                            PACKED("cannot be unpacked");
    put4(d + 42, 1 << 30);                      PACKED("lies outside of the file");
    put4(d + 42, 7);                            PACKED("lies outside of the file");
    put4(d + 16, 1);                            PACKED("not what its CRC says");
    d[8] = 1;                                   PACKED("is encrypted");
    d[10] = 12;                                 PACKED("packed by another method");
    d[10] = 0;                                  PACKED("its size is not what");
    d[28] = 99;                                 PACKED("does not hold the 1 members");
    d[46] = 'T';                                PACKED("has no array t; its arrays are \"T\"");
    d[46] = 3;                                  PACKED("its arrays are \"?\"");
    end[10] = 2;                                PACKED("does not hold the 2 members");
    end[10] = 0;                                PACKED("does not hold the 0 members");
    put4(end + 12, 1);                          PACKED("is not a whole .npz");
    put4(end + 16, 0xfffffff0);                 PACKED("is not a whole .npz");
    end[20] = 1;                                PACKED("is not a whole .npz");
#undef PACKED
    a = tnn_parse_npz(file, size, "t.npy");     REFUSED("has no array t.npy");
    tnn_set_read_limit(900);
    a = tnn_parse_npz(file, size, "t");         REFUSED("tnn_set_read_limit allows 900");
    tnn_set_read_limit(0);
    a = tnn_parse_npz(NULL, 0, "t");            REFUSED("is not a whole .npz");
    a = tnn_parse_npz("\x93NUMPY\1\0", 8, "t"); REFUSED("is .npy, for tnn_load_npy");
    a = tnn_parse_npy(file, size);              REFUSED("FILE.npz:NAME in tnn_load_npy");
    (void)a;
    free(file);
    free(was);
    /* two members of which the second begins in the first */
    c = case_of("npz-savez");
    file = text_of(c, "file", &size);
    at = size - 22;
    while (memcmp(file + at, "PK\1\2", 4) || memcmp(file + at + 46, "layer", 5)) at--;
    put4(file + at + 42, 40);
    a = tnn_parse_npz(file, size, "x_train");   REFUSED("members of the archive overlap");
    free(file);
}

/* ---- files, memory --------------------------------------------------------------------------- */
static void files(void)
{
    vectors *c = case_of("npz-compressed");
    char path[700], images[720], labels[720];
    size_t size;
    char *file = text_of(c, "file", &size);
    tnn_array a;
    tnn_data d;
    snprintf(path, sizeof path, "%s", path_of("a.npz"));
    spill(path, file, size);
    free(file);
    a = tnn_read_npz(path, "x_train");
    same(c, 0, &a);
    tnn_array_free(&a);
    snprintf(images, sizeof images, "%s:x_train", path);
    snprintf(labels, sizeof labels, "%s:y_train", path);
    d = tnn_load_npy(images, .labels = labels);
    CHECK(d.n == 6 && d.h == 5 && d.bytes, "%d samples: %s", d.n, tnn_error());
    tnn_data_free(&d);
    a = tnn_read_npz(path, "x_test");           REFUSED("a.npz: has no array x_test; its arrays "
                                                        "are \"x_train\", \"y_train\", \"layer");
    d = tnn_load_npy(path);                     REFUSED("one of them is FILE.npz:NAME");
    d = tnn_load_npy("none.npz:x");             REFUSED("none.npz: cannot be opened");
    a = tnn_read_npz(NULL, "x");                REFUSED("(no path)");
    remove(path);
    snprintf(path, sizeof path, "%s", path_of("a.csv"));
    spill(path, "a,b\n1,x\n2,y\n", 12);
    d = tnn_load_csv(path, .label = "b");
    CHECK(d.n == 2 && d.classes == 2, "%d samples: %s", d.n, tnn_error());
    tnn_data_free(&d);
    d = tnn_load_csv(path, .targets = "b");     REFUSED("a.csv: line 2, column \"b\": \"x\" is");
    tnn_set_read_limit(11);
    d = tnn_load_csv(path, .label = "b");       REFUSED("12 bytes; tnn_set_read_limit allows 11");
    tnn_set_read_limit(40);
    d = tnn_load_csv(path, .label = "b");       REFUSED("48 bytes; tnn_set_read_limit allows 40");
    tnn_set_read_limit(0);
    d = tnn_load_csv(NULL);                     REFUSED("(no path)");
    remove(path);
    d = tnn_load_csv(path, .label = "b");       REFUSED("cannot be opened");
}
static void each_fails(void)
{
    vectors *c = case_of("npz-best");
    const char *text = "a,city,kind\n1,x,p\n,y,q\n3,x,q\n";
    size_t size;
    char *file = text_of(c, "file", &size);
    int n, done = 0;
    for (n = 0; !done; n++) {
        const int before = made - freed;
        tnn_data train, test;
        tnn_array a;
        const float means[] = {1, 0, 0}, stds[] = {2, 1, 1};
        fail_after = n;
        a = tnn_parse_npz(file, size, "t");
        train = tnn_csv_data(text, strlen(text), &(tnn_csv_options){.label = "kind",
                             .one_hot = "city", .fill_mean = 1});
        memset(&test, 0, sizeof test);
        if (train.n) {
            tnn_normalize_channels(&train, means, stds);
            test = tnn_csv_data(text, strlen(text), &(tnn_csv_options){.like = &train});
        }
        done = fail_after >= 0;
        fail_after = -1;
        CHECK(done ? !tnn_failed() && test.n == 3 && a.data
                   : tnn_failed() == TNN_ERROR_MEMORY, "malloc %d: %s", n, tnn_error());
        tnn_clear_error();
        tnn_array_free(&a);
        tnn_data_free(&train);
        tnn_data_free(&test);
        CHECK(made - freed == before, "malloc %d failed: %d are not given back", n,
              made - freed - before);
    }
    CHECK(n > 12, "%d mallocs", n);
    test_note("%d mallocs made to fail", n - 1);
    free(file);
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    vectors_from(argc, argv);
    files_of(argv[0], "test_tables-");
    RUN("columns", columns);
    RUN("classes, means, one hot as scikit-learn has them", scikit);
    RUN("classes that are numbers", number_classes);
    RUN("parts and loaders", parts);
    RUN("like another table", like);
    RUN("the same weights as of arrays", trained);
    RUN("tables that are refused", refused);
    RUN(".npz", npz);
    RUN(".npz, cut and changed", damaged);
    RUN(".npz, hostile", hostile);
    RUN("by path", files);
    RUN("each malloc fails", each_fails);
    return test_finish();
}
