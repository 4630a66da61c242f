/* report.c - our results beside the numbers that the reports print

   usage: build/report [--plots DIR] [--figures DIR] [OUT ...] > build/report.md

   Reads the result files in each OUT (default build/results), one folder per seed, and from beside
   the figures' scripts (DIR, default plots) what the reports claim, NAME_claims.tsv, and the tables
   of their numbers. Prints a verdict on all of them; then, for each report, whether each of its
   claims holds, the figures that show it (of FIGURES, where the report is to stand beside that
   folder; default build/plots), and a row for each of its numbers: reported, our mean and range over
   the seeds, their difference, and whether the reported value lies in our range. "nearly" is a range
   widened by half a point of accuracy or by 0.03 of loss. Everything is computed from the files.

   Exit status: 0 printed, 1 a folder OUT is not there, a table of numbers or claims cannot be read,
   or the report not written, 2 wrong usage.

   NAME_claims.tsv: the first field of a line says what the others are, and they are done in order.
       runs     names of result files, with spaces between them; their order matters to A..B
       title    the report's, then "percent" if it counts so; after the runs
       claims   the heading of a table of claims
       claim    what is claimed; the condition under which it holds; a template: what decides; how
                many seeds it takes to judge it (1). Claims are numbered from 1
       figure   names of figures, with spaces between them; a sentence, what they show; the numbers
                of the claims that they show
       text     printed as it is
       row      an expression; a template, printed if all was run that the expression needs
       number   run, epoch, quantity, expression, reported value, words: a row of the numbers
       numbers  a table of them: its columns are run, epoch, quantity, low, high, words; or epoch
                and then quantities (with _pct in percent), where a further field makes the run's
                name: each * in it stands for a column before that of the epoch
   A template has expressions in braces. Before them may stand a format, or "name" (of a run that an
   expression has found), or "range" (mean, least and greatest).

   EXPRESSIONS, whose words stand between spaces, parentheses or braces:
       RUN:EPOCH:QUANTITY      over the seeds that have it. A RUN A..B is the largest of the runs
                               from A to B, of seeds that have all of them; A..B? of those there.
                               EPOCH is a number or one of EPOCHS below. QUANTITY is a column or a
                               comment of RUN.tsv; train_CLASS and val_CLASS are in RUN.classes.tsv
       ...:min, :max, :n       over the seeds, instead of the mean; how many they are
       A..B:...:best, :second  which run has the best mean, and which the next; #RUN is a run
       A..B:...:top, :next     those means; :average is that of all
       + - * / < > <= >= == and ( a ), max( a b ... ), abs( a ), log( a )
       a near b                whether b lies in the range of a, widened as for "nearly"
       r has "text"            whether the settings of a run have it; within seeds( )
       seeds( condition )      the number of seeds in which it holds
       found( "text" ... )     how many of these are in summary.txt
   Where a RUN in it was not run, a condition is not known.                                       */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_OUTS = 32, MAX_RUNS = 48, MAX_CLAIMS = 64, MAX_EPOCHS = 500, LINE = 512, CLAIM = 2048 };
enum { TRAIN_LOSS = 1, TRAIN_ACC, VAL_LOSS, VAL_ACC,        /* of an epoch */
       PARAMETERS, STOPPED, TEST_LOSS, TEST_ACC };          /* of a run    */
static const char *const QUANTITY[] = {"", "train_loss", "train_acc", "val_loss", "val_acc",
                                       "parameters", "epochs", "test_loss", "test_acc", NULL};
/* Epochs from 1, or one of these. best: of all epochs; tail: mean of the last five; jitter: mean
   distance from the mean of the two neighbours, second half of the run; middle: mean of epochs 26
   to 30; average: of all.                                                                        */
enum { LAST = 0, BEST = -1, TAIL = -2, JITTER = -3, MIDDLE = -4, AVERAGE = -5 };
static const char *const EPOCHS[] = {"last", "best", "tail", "jitter", "middle", "average", NULL};

typedef struct run {                    /* one result file */
    int    epochs;                      /* 0: not there */
    double value[MAX_EPOCHS + 1][5];    /* [epoch][TRAIN_LOSS..VAL_ACC] */
    double once[TEST_ACC + 1];          /* [PARAMETERS..TEST_ACC]; -1 where there is none */
} run;

typedef struct summary {                /* of a quantity, over n seeds */
    int    n;
    double mean, min, max;
    int    quantity;
} summary;

static const char *outs[MAX_OUTS], *plots = "plots", *figures = "build/plots";
static int out_count, not_real;         /* folders; results of other images, or of short runs */
/* What comes behind the verdict; what does not hold, which is the verdict's end; where say() writes,
   one of them or standard output.                                                                */
static FILE *details, *doubts, *page;

/* The report being printed: its runs' names, their results, whether it counts in percent; what its
   claims came to; of its numbers, how many there are, were run, lie within our range, or nearly. */
static const char *experiment_name;     /* OUT/NAME/RUN.tsv, NAME_claims.tsv */
static char names[MAX_RUNS][64];
static int  run_count, percent;
static run  results[MAX_OUTS][MAX_RUNS];
static struct { int numbers, run, within, nearly; } tally;
enum { HOLDS, FAILS, NOT_JUDGED, NOT_RUN, VERDICTS };
static const char *const VERDICT[] = {"holds", "does not hold", "not judged", "not run"};
static int verdicts[MAX_CLAIMS], claim_count, far_off[MAX_RUNS]; /* numbers of a run, not nearly */

static void say(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vfprintf(page, format, values);
    va_end(values);
}

/* ==== Reading ================================================================================= */

/* The number of a name in a list that ends with NULL, or of a run; -1 if there is none. */
static int find(const char *const *list, const char *name)
{
    for (int i = 0; list[i]; i++)
        if (strcmp(list[i], name) == 0) return i;
    return -1;
}
static int find_run(const char *name)
{
    for (int i = 0; i < run_count; i++)
        if (strcmp(names[i], name) == 0) return i;
    return -1;
}

/* Cuts a line at its tabs, or at another character; returns the number of fields. */
static int split(char *line, char at, char **field, int max)
{
    int n = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *p = line; p && n < max; n++) {
        field[n] = p;
        p = strchr(p, at);
        if (p) *p++ = 0;
    }
    return n;
}

/* PLOTS/NAME; ends the program if it cannot be read. */
static FILE *open_table(const char *name)
{
    char path[2 * LINE];
    snprintf(path, sizeof path, "%s/%s", plots, name);
    FILE *f = fopen(path, "r");
    if (!f) {
        fprintf(stderr, "report: cannot read %s: %s (run it from the project's folder, or say "
                        "where its plots are with --plots DIR)\n", path, strerror(errno));
        exit(1);
    }
    return f;
}

/* A file of the experiment in OUT; NULL if it is not there. */
static FILE *open_result(int out, const char *name, const char *suffix)
{
    char path[2 * LINE];
    snprintf(path, sizeof path, "%s/%s/%.60s%s", outs[out], experiment_name, name, suffix);
    return fopen(path, "r");
}

/* Reads a result file and closes it; one that is NULL has no epochs. */
static void read_result(run *r, FILE *f)
{
    char line[LINE], *field[8];
    memset(r, 0, sizeof *r);
    if (!f) return;
    for (int q = PARAMETERS; q <= TEST_ACC; q++) r->once[q] = -1;
    while (fgets(line, sizeof line, f)) {
        for (int q = PARAMETERS; q <= TEST_ACC; q++) {      /* "# test_acc 0.5" */
            size_t n = strlen(QUANTITY[q]);
            if (strncmp(line, "# ", 2) == 0 && strncmp(line + 2, QUANTITY[q], n) == 0
                && line[n + 2] == ' ')
                r->once[q] = atof(line + n + 2);
        }
        if (line[0] == '#' || split(line, '\t', field, 8) < 5) continue;
        int epoch = atoi(field[0]);
        if (epoch < 1 || epoch > MAX_EPOCHS) continue;
        for (int q = TRAIN_LOSS; q <= VAL_ACC; q++) r->value[epoch][q] = strtod(field[q], NULL);
        r->epochs = epoch;
    }
    fclose(f);
    r->once[STOPPED] = r->epochs;
}

/* Value of the comment "# WHAT ..." in the result file of the first of the runs from..to that has
   it, "" if there is none.                                                                       */
static const char *comment(int out, int from, int to, const char *what)
{
    static char line[LINE];
    for (int i = from; i <= to; i++) {
        FILE *f = open_result(out, names[i], ".tsv");
        while (f && fgets(line, sizeof line, f))
            if (strncmp(line, "# ", 2) == 0 && strncmp(line + 2, what, strlen(what)) == 0) {
                fclose(f);
                line[strcspn(line, "\r\n")] = 0;
                return line + 2 + strlen(what);
            }
        if (f) fclose(f);
    }
    return "";
}

/* ==== Measuring =============================================================================== */

/* A quantity of a run that has the epoch. */
static double measure(const run *r, int epoch, int quantity)
{
    int    last = r->epochs, from = epoch, to = epoch;
    double v = 0;
    if (quantity >= PARAMETERS) return r->once[quantity];
    switch (epoch) {
    case LAST: from = to = last; break;
    case TAIL: to = last; from = last > 5 ? last - 4 : 1; break;
    case MIDDLE: from = 26; to = 30; break;
    case AVERAGE: from = 1; to = last; break;
    case BEST:
        v = r->value[1][quantity];
        for (int i = 2; i <= last; i++) {
            double w = r->value[i][quantity];
            if (quantity == VAL_ACC || quantity == TRAIN_ACC ? w > v : w < v) v = w;
        }
        return v;
    case JITTER:
        from = last / 2 + 1;
        for (int i = from; i < last; i++)
            v += fabs(r->value[i][quantity] - (r->value[i - 1][quantity] +
                                               r->value[i + 1][quantity]) / 2);
        return last - from > 0 ? v / (last - from) : 0;
    default: break;
    }
    for (int i = from; i <= to; i++) v += r->value[i][quantity];
    return v / (to - from + 1);
}

/* One more value; the mean is a sum until summed_up. */
static void include(summary *s, double v)
{
    s->n++;
    s->mean += v;
    s->min = fmin(s->min, v);
    s->max = fmax(s->max, v);
}
static summary summed_up(summary s)
{
    if (s.n) s.mean /= s.n;
    return s;
}

/* Over the seeds, or over one; where one has none of these runs it does not count, and without
   `some` not where it does not have all. Of several the largest counts.                          */
static summary over_seeds(int seed, int from, int to, int some, int epoch, int quantity)
{
    summary   s = {0, 0, INFINITY, -INFINITY, quantity};
    const int least = epoch == MIDDLE ? 30 : epoch > 0 ? epoch : 1;
    for (int i = seed < 0 ? 0 : seed; i < (seed < 0 ? out_count : seed + 1); i++) {
        double most = 0;
        int    there = 0;
        for (int j = from; j <= to; j++) {
            const run *r = &results[i][j];
            if (r->epochs < least || (quantity >= PARAMETERS && r->once[quantity] < 0)) continue;
            const double v = measure(r, epoch, quantity);
            if (!there++ || v > most) most = v;
        }
        if (there > to - from || (there && some)) include(&s, most);
    }
    return summed_up(s);
}

/* The accuracy "train_air" ... of a class, at "last" or "average", in each RUN.classes.tsv. */
static summary of_class(const char *name, const char *epoch, const char *quantity)
{
    static const char *const columns[] = {"class", "train_average", "val_average", "train_last",
                                          "val_last", NULL};
    char      line[LINE], what[64], *field[5];
    summary   s = {0, 0, INFINITY, -INFINITY, VAL_ACC};
    const int part = (int)strcspn(quantity, "_");
    snprintf(what, sizeof what, "%.*s_%.20s", part < 20 ? part : 20, quantity, epoch);
    const int column = find(columns, what);
    for (int i = 0; i < out_count && column > 0 && quantity[part]; i++) {
        FILE *f = open_result(i, name, ".classes.tsv");
        while (f && fgets(line, sizeof line, f))
            if (line[0] != '#' && split(line, '\t', field, 5) == 5 &&
                strcmp(field[0], quantity + part + 1) == 0)
                include(&s, atof(field[column]));
        if (f) fclose(f);
    }
    return summed_up(s);
}

/* Kinds of quantities: shares, shown as percent by some reports; whole numbers; else losses. */
static int is_accuracy(int quantity)
{
    return quantity == TRAIN_ACC || quantity == VAL_ACC || quantity == TEST_ACC;
}

static int is_count(int quantity) { return quantity == PARAMETERS || quantity == STOPPED; }

/* By how much "nearly" widens a range. */
static double margin(int quantity)
{
    return is_count(quantity) ? 0 : is_accuracy(quantity) ? 0.005 : 0.03;
}

/* What a table or an expression calls an epoch; "-" is the last. No run has one below 1. */
static int epoch_of(const char *word)
{
    int which = find(EPOCHS, word), epoch = atoi(word);
    return which >= 0 ? -which : epoch < 0 ? MAX_EPOCHS + 1 : epoch;
}

/* ==== Expressions ============================================================================= */

static const char *cursor = "";         /* behind the token that is next                  */
static char token[128], quoted[128];    /* "" at the end; the latest text                 */
static int  missing, one_seed;          /* a RUN was not run; the seed of seeds( ), or -1 */
static int  fewest;                     /* seeds that any of the values had               */

/* Takes the next token. */
static void next(void)
{
    cursor += strspn(cursor, " ");
    size_t n = *cursor == '"' ? strcspn(cursor + 1, "\"") + 1 : strcspn(cursor, " (){}");
    if (n == 0 && *cursor) n = 1;
    snprintf(token, sizeof token, "%.*s", (int)(n < sizeof token ? n : sizeof token - 1), cursor);
    cursor += n + (*token == '"' && cursor[n] == '"');
}

/* Ends the program: an expression, or a line, cannot be read. */
static void wrong(const char *what)
{
    fprintf(stderr, "report: %s_claims.tsv: %s, at '%s' before '%.60s'\n", experiment_name, what,
            token, cursor);
    exit(1);
}

/* A number, to be shown as the quantity is. */
static summary scalar(double v, int quantity)
{
    summary s = {1, v, v, v, quantity};
    return s;
}

/* Whether a value was run, and in how many seeds. */
static void need(summary s)
{
    missing |= s.n == 0;
    if (one_seed < 0 && s.n < fewest) fewest = s.n;
}

/* The number of a run that an expression has found. */
static int run_of(summary s) { return s.mean >= 0 && s.mean < run_count ? (int)s.mean : 0; }

/* Of the runs from..to by their means: the number of the best, that of the next, both means, and
   the mean of all, as `statistic` says (0 to 4).                                                 */
static summary compare_runs(int from, int to, int epoch, int quantity, int statistic)
{
    double mean[MAX_RUNS] = {0}, average = 0;
    int    best = from, second = -1;
    for (int i = from; i <= to; i++) {
        const summary s = over_seeds(one_seed, i, i, 0, epoch, quantity);
        need(s);
        mean[i]  = s.mean;
        average += s.mean / (to - from + 1);
        if (mean[i] > mean[best]) best = i;
    }
    for (int i = from; i <= to; i++)
        if (i != best && (second < 0 || mean[i] > mean[second])) second = i;
    if (second < 0) second = best;
    const double values[] = {best, second, mean[best], mean[second], average};
    return scalar(values[statistic], quantity);
}

/* RUN:EPOCH:QUANTITY and perhaps a statistic. */
static summary measured(char *text)
{
    static const char *const statistics[] = {"best", "second", "top", "next", "average", "mean",
                                             "min", "max", "n", NULL};
    char     *field[4], *end;
    const int n = split(text, ':', field, 4), which = n > 3 ? find(statistics, field[3]) : -1;
    if (n < 3 || (n > 3 && which < 0)) wrong("not an expression");
    const int epoch = epoch_of(field[1]), quantity = find(QUANTITY + 1, field[2]) + 1;
    if ((end = strstr(field[0], "..")) != NULL) *end = 0, end += 2;
    const int some = end && *end && end[strlen(end) - 1] == '?';
    if (some) end[strlen(end) - 1] = 0;
    const int from = find_run(field[0]), to = end ? find_run(end) : from;
    if (from < 0 || to < from) wrong("no such run");
    if (which >= 0 && which < 5) return compare_runs(from, to, epoch, quantity, which);
    const summary s = quantity ? over_seeds(one_seed, from, to, some, epoch, quantity)
                               : of_class(names[from], field[1], field[2]);
    const double values[] = {s.mean, s.min, s.max, s.n};
    need(s);
    return which < 0 ? s : scalar(values[which - 5], s.quantity);
}

static summary expression(int least);

/* The number of seeds in which the condition at the cursor holds. */
static summary count_seeds(void)
{
    const char *begin = cursor;
    const int   was_missing = missing;
    int         count = 0;
    for (one_seed = 0; one_seed < out_count; one_seed++) {
        cursor = begin;
        next();
        count += expression(0).mean != 0;
    }
    one_seed = -1;
    missing  = was_missing;
    return scalar(count, 0);
}

/* How many of the texts at the cursor are in summary.txt of the first folder. */
static summary count_texts(void)
{
    char  text[8192];
    int   count = 0;
    FILE *f = open_result(0, "summary", ".txt");
    missing |= f == NULL;
    text[f ? fread(text, 1, sizeof text - 1, f) : 0] = 0;
    if (f) fclose(f);
    for (next(); *token == '"'; next()) count += strstr(text, token + 1) != NULL;
    return scalar(count, 0);
}

/* A number, a text, a run, what was measured, a function, or what is in parentheses. */
static summary atom(void)
{
    enum { ABS = 1, LOG, MAX, SEEDS, FOUND };
    static const char *const functions[] = {"(", "abs", "log", "max", "seeds", "found", NULL};
    const int which = find(functions, token);
    char     *end, text[sizeof token];
    summary   s = scalar(0, VAL_ACC);
    strcpy(text, token);
    next();
    if (which > 0 && *token != '(') wrong("no parenthesis");
    if (which == SEEDS)      s = count_seeds();
    else if (which == FOUND) s = count_texts();
    else if (which >= 0) {
        if (which > 0) next();
        s = expression(0);
        while (which == MAX && *token && *token != ')') {
            const summary other = expression(0);
            if (other.mean > s.mean) s = other;
        }
        if (which == ABS || which == LOG)
            s = scalar(which == ABS ? fabs(s.mean) : log(s.mean), s.quantity);
    }
    if (which >= 0) {
        if (*token != ')') wrong("no parenthesis");
        next();
        return s;
    }
    if (*text == '"') strcpy(quoted, text + 1);
    else if (*text == '#') {
        s = scalar(find_run(text + 1), 0);
        if (s.mean < 0) wrong("no such run");
    } else {
        s = scalar(strtod(text, &end), VAL_ACC);
        if (!*text || *end) s = measured(text);
    }
    return s;
}

/* An expression whose operators bind at least so well. */
static summary expression(int least)
{
    enum { AND, LESS, GREATER, AT_MOST, AT_LEAST, EQUAL, NEAR, HAS, PLUS, MINUS, TIMES, OVER };
    static const char *const signs[] = {"and", "<", ">", "<=", ">=", "==", "near", "has", "+", "-",
                                        "*", "/", NULL};
    static const int levels[] = {0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3};
    summary a = atom();
    for (int which; (which = find(signs, token)) >= 0 && levels[which] >= least;) {
        next();
        const double  x = a.mean, y = expression(levels[which] + 1).mean;
        const double  wide = margin(a.quantity) + 1e-9;
        const int     i = run_of(a);
        double        v = 0;
        switch (which) {
        case AND:      v = x != 0 && y != 0; break;
        case LESS:     v = x < y; break;
        case GREATER:  v = x > y; break;
        case AT_MOST:  v = x <= y; break;
        case AT_LEAST: v = x >= y; break;
        case EQUAL:    v = x == y; break;
        case NEAR:     v = y <= a.max + wide && y >= a.min - wide; break;
        case HAS:
            v = one_seed >= 0 && strstr(comment(one_seed, i, i, "config "), quoted) != NULL;
            break;
        case PLUS:     v = x + y; break;
        case MINUS:    v = x - y; break;
        case TIMES:    v = x * y; break;
        default:       v = x / y; break;
        }
        a = scalar(v, a.quantity);
    }
    return a;
}

/* The value of an expression; sets `missing`. */
static summary evaluate(const char *text)
{
    cursor   = text;
    missing  = 0;
    fewest   = out_count;
    one_seed = -1;
    next();
    const summary s = expression(0);
    if (*token && *token != '}') wrong("not an expression");
    return s;
}

/* ==== Printing ================================================================================ */

/* A value as the report has it, with a sign or not; good until the eighth call from here. */
static const char *show(double v, int quantity, int sign)
{
    static char text[8][32];
    static int  next_text;
    char *t = text[next_text++ % 8];
    int   as_percent = percent && is_accuracy(quantity);
    if (is_count(quantity))     snprintf(t, 32, sign ? "%+.0f" : "%.0f", v);
    else if (as_percent)        snprintf(t, 32, sign ? "%+.2f" : "%.2f %%", 100 * v);
    else                        snprintf(t, 32, sign ? "%+.4f" : "%.4f", v);
    return t;
}

/* Prints a text with the values of its expressions. */
static void print_template(const char *text)
{
    static const char *const formats[] = {"name", "range", "%.0f", "%.6f", "%+.1f", NULL};
    for (; *text; text++) {
        if (*text != '{') { fputc(*text, page); continue; }
        cursor = text + 1;
        next();
        const int     format = find(formats, token);
        const summary s = evaluate(format < 0 ? text + 1 : cursor);
        if (*token != '}') wrong("no closing brace");
        text = cursor - 1;
        const char *mean = show(s.mean, s.quantity, 0);
        if (format < 0)       say("%s", mean);
        else if (format == 0) say("%s", names[run_of(s)]);
        else if (format == 1) say("%s (%s to %s)", mean, show(s.min, s.quantity, 0),
                                     show(s.max, s.quantity, 0));
        else                  say(formats[format], s.mean);
    }
}

/* A row for what `label` calls the quantity, which is s with us. */
static void number_row(const char *name, const char *epoch_name, const char *label, summary s,
                       double low, double high, const char *words)
{
    const int q = s.quantity;
    tally.numbers++;
    say("| %s | %s | %s | %s", name, epoch_name, label, show(low, q, 0));
    if (high > low) say(" to %s", show(high, q, 0));
    if (*words) say(" (%s)", words);
    if (s.n == 0) { say(" | not run | | | |\n"); return; }

    /* the files have six decimals, the reports at most four: half a unit of theirs either way */
    double half = is_count(q) ? 0 : 0.00005 + 1e-9, wide = margin(q);
    int within = low <= s.max + half && high >= s.min - half;
    int nearly = low <= s.max + half + wide && high >= s.min - half - wide;
    double difference = s.mean < low ? s.mean - low : s.mean > high ? s.mean - high : 0;
    say(" | %s | %s to %s | %s | %s |\n", show(s.mean, q, 0), show(s.min, q, 0),
           show(s.max, q, 0), show(difference, q, 1), within ? "yes" : nearly ? "nearly" : "no");
    tally.run++;
    tally.within += within;
    tally.nearly += nearly;
    if (!nearly && find_run(name) >= 0) far_off[find_run(name)]++;
}

/* A row of a table: what we have of the quantity at the epoch. Classes are some without results. */
static void table_row(const char *name, const char *epoch, const char *quantity, double low,
                      double high, const char *words)
{
    const int q = find(QUANTITY + 1, quantity) + 1, which = find_run(name);
    summary   s = {0, 0, 0, 0, q};
    if (q == 0 && !strchr(quantity, '_')) return;
    if (q == 0)          s = of_class(name, epoch, quantity);
    else if (which >= 0) s = over_seeds(-1, which, which, 0, epoch_of(epoch), q);
    number_row(name, epoch, quantity, s, low, high, words);
}

/* All rows of a table of numbers, as at the head of this file. */
static void table_rows(const char *table, const char *pattern)
{
    char  head[LINE], line[LINE], name[CLAIM + 8 * LINE], *column[8], *field[8];
    int   columns = 0, at = 0;
    FILE *f = open_table(table);
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#') continue;
        if (!columns) {
            columns = split(strcpy(head, line), '\t', column, 8);
            while (at < columns - 1 && strcmp(column[at], "epoch") != 0) at++;
            continue;
        }
        if (split(line, '\t', field, 8) < columns) continue;
        if (columns == 6 && strcmp(column[2], "quantity") == 0) {
            table_row(field[0], field[1], field[2], atof(field[3]), atof(field[4]), field[5]);
            continue;
        }
        char *to = name;
        int   star = 0;
        for (const char *p = pattern; *p; p++)
            if (*p == '*' && star < at) to += sprintf(to, "%s", field[star++]);
            else *to++ = *p;
        *to = 0;
        for (int i = at + 1; i < columns && atoi(field[at]) > 0; i++) {
            char  quantity[LINE], *pct = strstr(strcpy(quantity, column[i]), "_pct");
            if (pct) *pct = 0;
            const double v = atof(field[i]) / (pct ? 100 : 1);
            if (field[i][0] != '-') table_row(name, field[at], quantity, v, v, "");
        }
    }
    fclose(f);
}

/* Loads an experiment's results and prints what they were made of, which it returns in a word. */
static const char *begin(const char *title)
{
    int synthetic = 0, quick = 0;
    say("## %s\n\n| results | data | seed | made by |\n|---|---|---|---|\n", title);
    for (int i = 0; i < out_count; i++) {
        for (int j = 0; j < run_count; j++)
            read_result(&results[i][j], open_result(i, names[j], ".tsv"));
        const char *data = comment(i, 0, run_count - 1, "data ");
        synthetic |= strncmp(data, "synthetic", 9) == 0;
        quick     |= strstr(data, "(quick)") != NULL;
        say("| %s/%s | %s", outs[i], experiment_name, *data ? data : "none");
        say(" | %s", comment(i, 0, run_count - 1, "seed "));
        say(" | %s |\n", comment(i, 0, run_count - 1, "made by "));
    }
    say("\nSettings of the first run: %s.\n\n", comment(0, 0, run_count - 1, "config "));
    if (synthetic)
        say("> **Synthetic data.** These results are not those of the real images: what follows "
               "shows that the\n> programs work, not whether the report can be reproduced.\n\n");
    if (quick) say("> **Quick runs**, too short to be compared with anything.\n\n");
    not_real |= quick | synthetic;
    return quick ? "**quick runs**" : synthetic ? "**synthetic**" : "real";
}

/* A claim that takes `seeds` seeds to judge: a row of its table, and what it came to. */
static void print_claim(const char *claim, const char *condition, const char *decides, int seeds)
{
    const int holds = evaluate(condition).mean != 0, of = fewest;
    const int verdict = missing ? NOT_RUN : of < seeds ? NOT_JUDGED : holds ? HOLDS : FAILS;
    const char *stars = verdict <= FAILS ? "**" : "";
    if (claim_count == MAX_CLAIMS) wrong("too many claims");
    verdicts[claim_count++] = verdict;
    for (int copy = 0; copy < 2; copy++) {
        page = copy ? details : doubts;
        if (!copy && (verdict == HOLDS || verdict == NOT_RUN)) continue;
        say(copy ? "| %d | %s | %s%s%s" : "- %d. %s: %s%s%s", claim_count, claim, stars,
            VERDICT[verdict], stars);
        if (verdict == NOT_JUDGED) say(": it takes %d seeds, here %s %d", seeds,
                                       of == 1 ? "is" : "are", of);
        say(copy ? " | " : ". ");
        if (verdict != NOT_RUN) print_template(decides);
        say(copy ? " |\n" : "\n");
    }
}

/* Figures, each with the sentence below it and what the claims came to that they show. */
static void print_figures(char *list, const char *sentence, char *claims)
{
    char *figure[MAX_RUNS], *claim[MAX_CLAIMS], path[2 * LINE];
    const char *folder = strrchr(figures, '/');
    const int   n = split(list, ' ', figure, MAX_RUNS), m = split(claims, ' ', claim, MAX_CLAIMS);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s.png", figures, figure[i]);
        FILE *f = fopen(path, "r");
        if (f) say("\n![%s](%s/%s.png)\n\n", figure[i], folder ? folder + 1 : figures, figure[i]);
        else   say("\n(make plots draws it)\n\n");
        if (f) fclose(f);
        say("`%s`: %s", figure[i], sentence);
        for (int k = 0; k < m && *claim[k]; k++) {
            const int c = atoi(claim[k]);
            if (c < 1 || c > claim_count) wrong("no such claim");
            say("%s claim %d %s%s", k ? "," : " Of the claims above,", c,
                verdicts[c - 1] < NOT_JUDGED ? "" : "is ", VERDICT[verdicts[c - 1]]);
        }
        say(m && *claim[0] ? ".\n" : "\n");
    }
}

/* The verdict on a report: a row of its table, of what it was made of and what it came to. */
static void print_verdict(const char *title, const char *kind)
{
    int count[VERDICTS] = {0};
    for (int i = 0; i < claim_count; i++) count[verdicts[i]]++;
    page = stdout;
    say("| %s | %s | %d | %d | %d | %d | ", title, kind, count[HOLDS], count[FAILS],
        count[NOT_JUDGED], count[NOT_RUN]);
    if (out_count > 1) say("%d of %d", tally.within, tally.run);
    else               say("not judged");
    say(" | %d of %d | %d |\n", tally.nearly, tally.run, tally.numbers - tally.run);
    page = doubts;
    if (count[HOLDS] + count[NOT_RUN] == claim_count)
        say("- %s\n", count[HOLDS] ? "All claims that were run hold."
                                   : "None of its claims was run.");
    if (tally.run == tally.nearly) return;
    const char *comma = "- Numbers that are not even nearly as reported: ";
    for (int i = 0; i < run_count; i++) {
        if (far_off[i] == 0) continue;
        say("%s%d of %s", comma, far_off[i], names[i]);
        comma = ", ";
    }
    say(".\n");
}

/* One report: what the lines of its NAME_claims.tsv say, in their order. */
static void print_report(const char *name)
{
    enum { RUNS, TITLE, CLAIMS, ONE_CLAIM, FIGURE, TEXT, ROW, NUMBER, NUMBERS };
    static const char *const kinds[] = {"runs", "title", "claims", "claim", "figure", "text", "row",
                                        "number", "numbers", NULL};
    char  line[CLAIM], path[LINE], title[LINE] = "", *field[7], *run_name[MAX_RUNS];
    int   blocks = 0, n;
    const char *made_of = "none";
    experiment_name = name;
    run_count = claim_count = 0;
    page = details;
    memset(far_off, 0, sizeof far_off);
    memset(&tally, 0, sizeof tally);
    snprintf(path, sizeof path, "%s_claims.tsv", name);
    FILE *f = open_table(path);
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#' || line[0] == '\n') continue;
        for (n = split(line, '\t', field, 7); n < 7; n++) field[n] = line + strlen(line);
        const int kind = find(kinds, field[0]);
        switch (kind) {
        case RUNS:
            n = split(field[1], ' ', run_name, MAX_RUNS - run_count);
            for (int i = 0; i < n; i++)
                snprintf(names[run_count++], sizeof names[0], "%.60s", run_name[i]);
            break;
        case TITLE:
            percent = strcmp(field[2], "percent") == 0;
            snprintf(title, sizeof title, "%s", field[1]);
            fprintf(doubts, "\n%s\n\n", title);
            made_of = begin(title);
            break;
        case CLAIMS:
            say("%s### %s\n\n| | claim | verdict | what decides |\n|---|---|---|---|\n",
                blocks++ ? "\n" : "", field[1]);
            break;
        case ONE_CLAIM: print_claim(field[1], field[2], field[3], atoi(field[4])); break;
        case FIGURE: print_figures(field[1], field[2], field[3]); break;
        case TEXT: say("%s\n", field[1]); break;
        case ROW:
            evaluate(field[1]);
            if (missing) break;
            print_template(field[2]);
            say("\n");
            break;
        default:
            if (kind < 0) wrong("no such kind of line");
            if (tally.numbers == 0)
                say("\n### Numbers\n\n| run | epoch | quantity | reported | ours, mean | ours, "
                       "range | difference | within our range |\n"
                       "|---|---|---|---|---|---|---|---|\n");
            if (kind == NUMBERS) table_rows(field[1], field[2]);
            else number_row(field[1], field[2], field[3], evaluate(field[4]), atof(field[5]),
                            atof(field[5]), field[6]);
        }
    }
    fclose(f);
    print_verdict(title, made_of);
    page = details;
    say("\nOf %d reported numbers %d were run; %d of these lie within our range, %d within our "
           "range widened by 0.5 points of accuracy or 0.03 of loss.\n\n",
           tally.numbers, tally.run, tally.within, tally.nearly);
}

/* Copies what was written to a file to standard output, and closes it. */
static void show_file(FILE *f)
{
    char text[4096];
    rewind(f);
    for (size_t n; (n = fread(text, 1, sizeof text, f)) > 0;) fwrite(text, 1, n, stdout);
    fclose(f);
}

/* Ends the program if there is no folder OUT: a report of nothing would pass for one. */
static void need_folder(const char *out)
{
    char path[2 * LINE];
    struct stat there;
    snprintf(path, sizeof path, "%s/.", out);
    if (stat(path, &there) == 0) return;
    fprintf(stderr, "report: no folder of results %s: %s (make report trains, then prints)\n", out,
            strerror(errno));
    exit(1);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--plots") == 0 && i + 1 < argc) plots = argv[++i];
        else if (strcmp(argv[i], "--figures") == 0 && i + 1 < argc) figures = argv[++i];
        else if (argv[i][0] != '-' && out_count < MAX_OUTS) outs[out_count++] = argv[i];
        else if (strcmp(argv[i], "--help") == 0) {
            printf("report - our numbers beside the reported ones, as Markdown\n\n"
                   "usage: build/report [--plots DIR] [--figures DIR] [OUT ...]\n\n"
                   "  --plots DIR    where the reported numbers are (default %s)\n"
                   "  --figures DIR  where the figures are, beside the report (default %s)\n"
                   "  OUT ...        results, a folder for each seed (default build/results)\n",
                   plots, figures);
            return 0;
        } else {
            fprintf(stderr, "report: %s: %s\nusage: build/report [--plots DIR] [--figures DIR] "
                    "[OUT ...]\n", argv[i],
                    argv[i][0] == '-' ? "unknown option, or its value is missing"
                                      : "too many folders");
            return 2;
        }
    }
    if (out_count == 0) outs[out_count++] = "build/results";
    for (int i = 0; i < out_count; i++) need_folder(outs[i]);
    printf("# Our results beside the reported ones\n\n");
    printf("Means and ranges are over %d seed%s.\n\n", out_count, out_count == 1 ? "" : "s");
    printf("## Verdict\n\n| | data | claims that hold | that do not | not judged | not run | "
           "numbers within our range | or nearly | not run |\n"
           "|---|---|---|---|---|---|---|---|---|\n");
    details = tmpfile();
    doubts  = tmpfile();
    if (!details || !doubts) {
        fprintf(stderr, "report: cannot write a temporary file: %s\n", strerror(errno));
        return 1;
    }
    print_report("fashion_cnn");
    print_report("fashion_mlp");
    print_report("flags_cnn");
    print_report("kuzushiji_mlp");
    print_report("icons_cnn");
    printf("\n\"Nearly\": within our range widened by 0.5 points of accuracy or 0.03 of loss. %s\n\n"
           "### What does not hold, or is not judged, and why\n", out_count > 1 ? "" : "One seed "
           "has no range: whether a number lies within is not judged (make report SEEDS=5).");
    show_file(doubts);
    printf("\n%s", not_real ? "What synthetic data or quick runs decide says that the programs "
           "work, not whether a report\ncan be reproduced.\n\n" : "");
    show_file(details);
    if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
    fprintf(stderr, "report: cannot write the report: %s\n", strerror(errno));
    return 1;
}
