/* report.c - our results beside the numbers that the reports print

   usage: build/report [--plots DIR] [OUT ...] > build/report.md

   Reads the result files in each OUT (default build/results), one folder per seed, and the reported
   numbers beside the figures' scripts (DIR, default plots). Prints, for each report, whether each
   of its claims holds and a row for each of its numbers: reported, our mean and range over the
   seeds, their difference, and whether the reported value lies in our range. "nearly" is a range
   widened by half a point of accuracy or by 0.03 of loss. Everything is computed from the files.

   Exit status: 0 printed, 1 a table of reported numbers cannot be read, or the report not written,
   2 wrong usage.                                                                                 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OUTS = 32, MAX_RUNS = 48, MAX_EPOCHS = 500, LINE = 512 };
enum { TRAIN_LOSS = 1, TRAIN_ACC, VAL_LOSS, VAL_ACC,     /* of an epoch */
       PARAMETERS, STOPPED, TEST_LOSS, TEST_ACC };            /* of a run   */
/* Epochs from 1, or one of these: */
enum {
    LAST   = 0,
    BEST   = -1,    /* the best of all epochs                                                    */
    TAIL   = -2,    /* mean of the last five                                                     */
    JITTER = -3,    /* mean distance from the mean of the two neighbours, second half of the run */
    MIDDLE = -4,    /* mean of epochs 26 to 30                                                   */
    AVERAGE = -5    /* mean of all epochs                                                        */
};

typedef struct run {                    /* one result file */
    int    there, epochs;
    double value[MAX_EPOCHS + 1][5];    /* [epoch][TRAIN_LOSS..VAL_ACC] */
    double once[TEST_ACC + 1];          /* [PARAMETERS..TEST_ACC]; -1 where there is none */
} run;

typedef struct summary { int n; double mean, min, max; } summary;

typedef struct tally { int numbers, run, within, nearly; } tally;

static const char *const QUANTITY[] = {"", "train_loss", "train_acc", "val_loss", "val_acc",
                                       "parameters", "epochs", "test_loss", "test_acc", NULL};
static const char *const CNN_RUNS[] = {
    "lr0.001-bs32", "lr0.001-bs64", "lr0.001-bs128", "lr0.01-bs32", "lr0.01-bs64", "lr0.01-bs128",
    "lr0.1-bs32", "lr0.1-bs64", "lr0.1-bs128", NULL};
static const char *const MLP_RUNS[] = {
    "adam-bs100", "sgd-bs100", "adam-bs500", "sgd-bs500", "adam-bs1000", "sgd-bs1000",
    "adam-bs1000-p0.05", "adam-bs500-p0.05-100epochs", NULL};
static const char *const ICONS_RUNS[] = {
    "lr0.05", "lr0.5", "lr0.001", "lr0.1", "bs10", "split800", "padded", "stride2", "60epochs",
    "softmax", "sigmoid", "final-a", "final-b", "alternative", NULL};

static const char *const KUZUSHIJI_RUNS[] = {
    "m0", "m1", "m2", "m3", "m4-as-sgd", "m4-as-adam",
    "linear", "exponential", "minibatch", "sgd", "adam", "l2", "earlystop",
    "search-adam-0", "search-adam-1", "search-lr-0.1", "search-lr-0.01",
    "m3-25-25-25", "m3-75-50-75", "m3-100-75-50-75-100", "m3-100-80", "m3-100x5", "m3-10-10",
    "m3-100-10", "m3-100-85-70",
    "m4-5000", "m4-100-125-100", "m4-200-100-50-100-200", "m4-100x6", NULL};

static const char *const FLAGS_RUNS[] = {
    "basic",
    "search0", "search1", "search2", "search3", "search4", "search5", "search6", "search7",
    "search8", "search9",
    "printed0", "printed1", "printed2", "printed3", "printed4", "printed5", "printed6", "printed7",
    "printed8", "printed9",
    "trial0", "trial1", "trial2", "trial3", "trial4", "trial5", "trial6", "trial7", "trial8",
    "trial9", "best0", "best1", "best2", "best3", "best4",
    "transfer-section", "transfer-vgg16", NULL};

static const char *outs[MAX_OUTS], *plots = "plots";
static int out_count;

/* The report being printed: its runs' names, its results, and whether it counts in percent. */
static const char *const *names;
static run results[MAX_OUTS][MAX_RUNS];
static int percent;

/* ==== Reading ================================================================================= */

static int find(const char *const *list, const char *name)
{
    for (int i = 0; list[i]; i++)
        if (strcmp(list[i], name) == 0) return i;
    return -1;
}

/* Cuts a line at its tabs; returns the number of fields. */
static int split(char *line, char **field, int max)
{
    int n = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *p = line; p && n < max; n++) {
        field[n] = p;
        p = strchr(p, '\t');
        if (p) *p++ = 0;
    }
    return n;
}

static void read_result(run *r, const char *path)
{
    char  line[LINE], *field[8];
    FILE *f = fopen(path, "r");
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
        if (line[0] == '#' || split(line, field, 8) < 5) continue;
        int epoch = atoi(field[0]);
        if (epoch < 1 || epoch > MAX_EPOCHS) continue;
        for (int q = TRAIN_LOSS; q <= VAL_ACC; q++) r->value[epoch][q] = strtod(field[q], NULL);
        r->epochs = epoch;
    }
    fclose(f);
    r->once[STOPPED] = r->epochs;
    r->there = r->epochs > 0;
}

/* Value of the comment "# WHAT ..." in a result file of the experiment, "" if there is none. */
static const char *comment(const char *out, const char *experiment, const char *what)
{
    static char line[LINE];
    char path[2 * LINE];
    for (int i = 0; names[i]; i++) {
        snprintf(path, sizeof path, "%s/%s/%s.tsv", out, experiment, names[i]);
        FILE *f = fopen(path, "r");
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

static void include(summary *s, double v)          /* one more value; the mean is a sum so far */
{
    s->n++;
    s->mean += v;
    if (v < s->min) s->min = v;
    if (v > s->max) s->max = v;
}

/* Over the seeds that have this epoch of the run. */
static summary ours(const char *name, int epoch, int quantity)
{
    summary s = {0, 0, INFINITY, -INFINITY};
    int     which = find(names, name), least = epoch == MIDDLE ? 30 : epoch > 0 ? epoch : 1;
    for (int i = 0; which >= 0 && i < out_count; i++) {
        const run *r = &results[i][which];
        if (!r->there || r->epochs < least) continue;
        if (quantity >= PARAMETERS && r->once[quantity] < 0) continue;
        include(&s, measure(r, epoch, quantity));
    }
    if (s.n) s.mean /= s.n;
    return s;
}

static int is_accuracy(int quantity)
{
    return quantity == TRAIN_ACC || quantity == VAL_ACC || quantity == TEST_ACC;
}

static int is_count(int quantity) { return quantity == PARAMETERS || quantity == STOPPED; }

static double margin(int quantity)
{
    return is_count(quantity) ? 0 : is_accuracy(quantity) ? 0.005 : 0.03;
}

/* ==== Printing ================================================================================ */

static const char *show(double v, int quantity, int sign)
{
    static char text[8][32];
    static int  next;
    char *t = text[next++ % 8];
    int   as_percent = percent && is_accuracy(quantity);
    if (is_count(quantity))     snprintf(t, 32, sign ? "%+.0f" : "%.0f", v);
    else if (as_percent)        snprintf(t, 32, sign ? "%+.2f" : "%.2f %%", 100 * v);
    else                        snprintf(t, 32, sign ? "%+.4f" : "%.4f", v);
    return t;
}

/* A row for what `label` calls the quantity, of the kind of `quantity`, and is s with us. */
static void summary_row(tally *t, const char *name, const char *epoch_name, const char *label,
                        int quantity, summary s, double low, double high, const char *words)
{
    t->numbers++;
    printf("| %s | %s | %s | %s", name, epoch_name, label, show(low, quantity, 0));
    if (high > low) printf(" to %s", show(high, quantity, 0));
    if (*words) printf(" (%s)", words);
    if (s.n == 0) { printf(" | not run | | | |\n"); return; }

    /* the files have six decimals, the reports at most four: half a unit of theirs either way */
    double half = is_count(quantity) ? 0 : 0.00005 + 1e-9, wide = margin(quantity);
    int within = low <= s.max + half && high >= s.min - half;
    int nearly = low <= s.max + half + wide && high >= s.min - half - wide;
    double difference = s.mean < low ? s.mean - low : s.mean > high ? s.mean - high : 0;
    printf(" | %s | %s to %s | %s | %s |\n", show(s.mean, quantity, 0), show(s.min, quantity, 0),
           show(s.max, quantity, 0), show(difference, quantity, 1),
           within ? "yes" : nearly ? "nearly" : "no");
    t->run++;
    t->within += within;
    t->nearly += nearly;
}

static void number_row(tally *t, const char *name, const char *epoch_name, int quantity, double low,
                       double high, const char *words)
{
    static const char *const epochs[] = {"last", "best", "average", NULL};
    static const int meant[] = {LAST, BEST, AVERAGE};
    int which = find(epochs, epoch_name), epoch = which < 0 ? atoi(epoch_name) : meant[which];
    if (which < 0 && epoch < 0) epoch = MAX_EPOCHS + 1;             /* which no run has */
    summary_row(t, name, epoch_name, QUANTITY[quantity], quantity, ours(name, epoch, quantity), low,
                high, words);
}

static void number_header(void)
{
    printf("| run | epoch | quantity | reported | ours, mean | ours, range | difference "
           "| within our range |\n|---|---|---|---|---|---|---|---|\n");
}

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

/* NAME_text.tsv: run, epoch, quantity, low, high, words. */
static void text_rows(tally *t, const char *table)
{
    char  line[LINE], *field[6];
    FILE *f = open_table(table);
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#' || split(line, field, 6) < 6) continue;
        for (int q = TRAIN_LOSS; q <= TEST_ACC; q++)
            if (strcmp(field[2], QUANTITY[q]) == 0)
                number_row(t, field[0], field[1], q, atof(field[3]), atof(field[4]), field[5]);
    }
    fclose(f);
}

static void print_tally(const tally *t)
{
    printf("\nOf %d reported numbers %d were run; %d of these lie within our range, %d within our "
           "range widened by 0.5 points of accuracy or 0.03 of loss.\n\n",
           t->numbers, t->run, t->within, t->nearly);
}

/* Loads an experiment's results and prints what they were made of. */
static void begin(const char *title, const char *experiment, const char *const *runs)
{
    char path[2 * LINE];
    int  synthetic = 0, quick = 0;
    names = runs;
    printf("## %s\n\n| results | data | seed | made by |\n|---|---|---|---|\n", title);
    for (int i = 0; i < out_count; i++) {
        for (int j = 0; names[j]; j++) {
            snprintf(path, sizeof path, "%s/%s/%s.tsv", outs[i], experiment, names[j]);
            read_result(&results[i][j], path);
        }
        const char *data = comment(outs[i], experiment, "data ");
        synthetic |= strncmp(data, "synthetic", 9) == 0;
        quick     |= strstr(data, "(quick)") != NULL;
        printf("| %s/%s | %s", outs[i], experiment, *data ? data : "none");
        printf(" | %s", comment(outs[i], experiment, "seed "));
        printf(" | %s |\n", comment(outs[i], experiment, "made by "));
    }
    printf("\nSettings of the first run: %s.\n\n", comment(outs[0], experiment, "config "));
    if (synthetic)
        printf("> **Synthetic data.** These results are not those of the real images: what follows "
               "shows that the\n> programs work, not whether the report can be reproduced.\n\n");
    if (quick) printf("> **Quick runs**, too short to be compared with anything.\n\n");
}

static void claim_header(const char *title)
{
    printf("### %s\n\n| claim | verdict | what decides |\n|---|---|---|\n", title);
}

/* A claim's row: `known` if what it needs was run, then printf arguments for what decides. */
#define CLAIM(text, known, holds, ...)                                                            \
    do {                                                                                          \
        printf("| %s | %s | ", text, !(known) ? "not run" : (holds) ? "**holds**"                 \
                                                                    : "**does not hold**");       \
        if (known) printf(__VA_ARGS__);                                                           \
        printf(" |\n");                                                                           \
    } while (0)

#define ACC(v) show(v, VAL_ACC, 0)

/* ==== Report 1: learning rate and batch size of a CNN ========================================= */

static void cnn_claims(const double final[9], const int final_known[9])
{
    summary best[9], last[9];
    int all = 1, top = 0, runner_up = -1, less = 1, close = 0, close_known = 0;
    for (int i = 0; i < 9; i++) {
        best[i] = ours(names[i], BEST, VAL_ACC);
        last[i] = ours(names[i], LAST, VAL_ACC);
        all &= best[i].n > 0;
        if (best[i].mean > best[top].mean) top = i;
    }
    for (int i = 0; i < 9; i++)
        if (i != top && (runner_up < 0 || best[i].mean > best[runner_up].mean)) runner_up = i;
    for (int i = 0; i < 3; i++) less &= last[i + 3].mean < last[i].mean;

    claim_header("Claims of the report");
    CLAIM("Learning rate 0.001, batch 32 is the best (validation accuracy, best epoch)",
          all, top == 0, "%s %s, then %s %s; lr0.001-bs32 %s", names[top], ACC(best[top].mean),
          names[runner_up], ACC(best[runner_up].mean), ACC(best[0].mean));
    CLAIM("0.01 learns less well than 0.001, at each batch size (last epoch)", all, less,
          "32: %s, %s; 64: %s, %s; 128: %s, %s", ACC(last[3].mean), ACC(last[0].mean),
          ACC(last[4].mean), ACC(last[1].mean), ACC(last[5].mean), ACC(last[2].mean));
    for (int i = 6; i < 9; i++) {
        int  collapsed = 0, n = 0;
        char text[160];
        for (int j = 0; j < out_count; j++) {
            const run *r = &results[j][i];
            if (!r->there) continue;
            double loss = measure(r, LAST, TRAIN_LOSS), accuracy = measure(r, LAST, VAL_ACC);
            n++;
            collapsed += loss > 2.30 && loss < 2.33 && fabs(accuracy - 0.1) < 1e-9;
        }
        summary loss = ours(names[i], LAST, TRAIN_LOSS);
        snprintf(text, sizeof text, "%s collapses: loss 2.30 to 2.33 and accuracy exactly 10.00 %% "
                 "at the last epoch, in at least two of three seeds", names[i]);
        CLAIM(text, n, 3 * collapsed >= 2 * n,
              "%d of %d seeds; loss %.4f to %.4f, accuracy %s to %s", collapsed, n, loss.min,
              loss.max, ACC(last[i].min), ACC(last[i].max));
    }

    for (int i = 0; i < 6; i++)
        if (final_known[i] && last[i].n) {
            double wide = margin(VAL_ACC) + 1e-9;
            close_known++;
            close += final[i] <= last[i].max + wide && final[i] >= last[i].min - wide;
        }
    double least = INFINITY;             /* over the seeds, of the best of the three runs */
    for (int j = 0; j < out_count; j++) {
        double most = 0;
        for (int i = 0; i < 3; i++)
            if (results[j][i].there) most = fmax(most, measure(&results[j][i], BEST, VAL_ACC));
        if (most > 0 && most < least) least = most;
    }
    printf("\n");
    claim_header("Is it reproduced?");
    CLAIM("With 0.001 and 0.01 the reported final accuracy is in our range widened by 0.5 points",
          close_known == 6, close == 6, "%d of 6 runs", close);
    CLAIM("With 0.001 the best run reaches 91 % in each seed", best[0].n || best[1].n || best[2].n,
          least >= 0.91, "%s in the worst seed", ACC(least));
    printf("\n");
}

static void cnn(void)
{
    char  line[LINE], *field[5], name[3 * LINE];
    tally t = {0, 0, 0, 0};
    double final[9] = {0};
    int final_known[9] = {0};
    percent = 1;
    begin("Report 1: learning rate and batch size of a CNN", "fashion_cnn", CNN_RUNS);
    FILE *f = open_table("fashion_cnn_reported.tsv");
    for (int pass = 0; pass < 2; pass++) {           /* the final accuracies, then all rows */
        rewind(f);
        if (pass == 1) {
            cnn_claims(final, final_known);
            printf("### Numbers\n\n");
            number_header();
        }
        while (fgets(line, sizeof line, f)) {
            if (line[0] == '#' || split(line, field, 5) < 5 || atoi(field[2]) < 1) continue;
            snprintf(name, sizeof name, "lr%s-bs%s", field[0], field[1]);
            int which = find(names, name);
            double accuracy = atof(field[4]) / 100;
            if (pass == 0 && which >= 0 && atoi(field[2]) == 5) {
                final[which] = accuracy;
                final_known[which] = 1;
            }
            if (pass == 0) continue;
            number_row(&t, name, field[2], TRAIN_LOSS, atof(field[3]), atof(field[3]), "");
            number_row(&t, name, field[2], VAL_ACC, accuracy, accuracy, "");
        }
    }
    fclose(f);
    text_rows(&t, "fashion_cnn_text.tsv");
    print_tally(&t);
}

/* ==== Report 2: Adam and SGD, batch size, dropout and epochs of an MLP ======================== */

enum { LONG_RUN = 100 };

static void mlp_batches(const char *label, const char *small, const char *middle, const char *large)
{
    char text[160];
    summary jitter[3] = {ours(small, JITTER, VAL_LOSS), ours(middle, JITTER, VAL_LOSS),
                         ours(large, JITTER, VAL_LOSS)};
    summary end[3] = {ours(small, TAIL, VAL_ACC), ours(middle, TAIL, VAL_ACC),
                      ours(large, TAIL, VAL_ACC)};
    int known = end[0].n && end[1].n && end[2].n;
    snprintf(text, sizeof text, "%s: larger batches are smoother (distance of the validation "
             "loss from its neighbours' mean, second half of the run)", label);
    CLAIM(text, known, jitter[1].mean < jitter[0].mean && jitter[2].mean < jitter[0].mean,
          "batch 100: %.4f, 500: %.4f, 1000: %.4f", jitter[0].mean, jitter[1].mean, jitter[2].mean);
    snprintf(text, sizeof text, "%s: larger batches are no better (validation accuracy, last five "
             "epochs, more than 0.5 points above batch 100)", label);
    CLAIM(text, known, end[1].mean <= end[0].mean + 0.005 && end[2].mean <= end[0].mean + 0.005,
          "batch 100: %s, 500: %s, 1000: %s", ACC(end[0].mean), ACC(end[1].mean), ACC(end[2].mean));
}

static void mlp_claims(double reported[LONG_RUN + 1][5])
{
    static const char *const LONG = "adam-bs500-p0.05-100epochs";
    summary adam = ours("adam-bs100", 1, TRAIN_LOSS), sgd = ours("sgd-bs100", 1, TRAIN_LOSS);
    summary adam_acc = ours("adam-bs100", 1, VAL_ACC), sgd_acc = ours("sgd-bs100", 1, VAL_ACC);
    int known = adam.n && sgd.n;
    claim_header("Claims of the report");
    CLAIM("Adam converges faster than SGD (batch 100, after epoch 1)", known,
          adam.mean < sgd.mean && adam_acc.mean > sgd_acc.mean,
          "training loss %.4f against %.4f, validation accuracy %s against %s", adam.mean, sgd.mean,
          ACC(adam_acc.mean), ACC(sgd_acc.mean));
    adam = ours("adam-bs100", JITTER, VAL_LOSS);
    sgd  = ours("sgd-bs100", JITTER, VAL_LOSS);
    CLAIM("Adam is more volatile (distance of the validation loss from its neighbours' mean)",
          known, adam.mean > sgd.mean, "%.4f against %.4f", adam.mean, sgd.mean);
    adam = ours("adam-bs100", TAIL, VAL_ACC);
    sgd  = ours("sgd-bs100", TAIL, VAL_ACC);
    CLAIM("SGD ends with the better validation accuracy (batch 100, last five epochs)", known,
          sgd.mean > adam.mean, "SGD %s (%s to %s), Adam %s (%s to %s)", ACC(sgd.mean),
          ACC(sgd.min), ACC(sgd.max), ACC(adam.mean), ACC(adam.min), ACC(adam.max));
    mlp_batches("Adam", "adam-bs100", "adam-bs500", "adam-bs1000");
    mlp_batches("SGD", "sgd-bs100", "sgd-bs500", "sgd-bs1000");
    summary a = ours("sgd-bs500", TAIL, VAL_ACC), b = ours("sgd-bs1000", TAIL, VAL_ACC);
    summary c = ours("sgd-bs500", TAIL, VAL_LOSS), d = ours("sgd-bs1000", TAIL, VAL_LOSS);
    CLAIM("SGD, batches of 1000 look like 500 (within 1 point, 0.03 of loss; last five epochs)",
          a.n && b.n, fabs(a.mean - b.mean) <= 0.01 && fabs(c.mean - d.mean) <= 0.03,
          "accuracy %s, %s; loss %.4f, %.4f", ACC(b.mean), ACC(a.mean), d.mean, c.mean);
    a = ours(LONG, BEST, VAL_LOSS);
    b = ours(LONG, TAIL, VAL_LOSS);
    c = ours(LONG, MIDDLE, TRAIN_LOSS);
    d = ours(LONG, TAIL, TRAIN_LOSS);
    summary early = ours(LONG, MIDDLE, VAL_ACC), late = ours(LONG, TAIL, VAL_ACC);
    CLAIM("100 epochs overfit: the validation loss ends 10 % above its best while the training "
          "loss still falls and validation gains less than a point (epochs 26-30 to 96-100)",
          early.n, b.mean > 1.1 * a.mean && d.mean < c.mean && late.mean < early.mean + 0.01,
          "validation loss %.4f, best %.4f; training loss %.4f to %.4f; accuracy %s to %s", b.mean,
          a.mean, c.mean, d.mean, ACC(early.mean), ACC(late.mean));

    printf("\n");
    claim_header("Is it reproduced?");
    static const int EPOCHS[] = {10, 30, 100};
    for (int i = 0; i < 3; i++) {
        char text[160];
        int  epoch = EPOCHS[i];
        summary loss = ours(LONG, epoch, TRAIN_LOSS), acc = ours(LONG, epoch, VAL_ACC);
        snprintf(text, sizeof text, "100-epoch run, epoch %d: training loss within 0.03 and "
                 "validation accuracy within 1 point of the report", epoch);
        CLAIM(text, loss.n, fabs(loss.mean - reported[epoch][TRAIN_LOSS]) <= 0.03 &&
                            fabs(acc.mean - reported[epoch][VAL_ACC]) <= 0.01,
              "loss %.4f, reported %.4f; accuracy %s, reported %s", loss.mean,
              reported[epoch][TRAIN_LOSS], ACC(acc.mean), ACC(reported[epoch][VAL_ACC]));
    }
    printf("\n");
}

static void mlp(void)
{
    char  line[LINE], *field[5];
    tally t = {0, 0, 0, 0};
    static double reported[LONG_RUN + 1][5];
    FILE *f = open_table("fashion_mlp_reported.tsv");
    percent = 0;
    begin("Report 2: Adam and SGD, batch size, dropout and epochs of an MLP", "fashion_mlp",
          MLP_RUNS);
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#' || split(line, field, 5) < 5) continue;
        int epoch = atoi(field[0]);
        if (epoch < 1 || epoch > LONG_RUN) continue;
        for (int q = TRAIN_LOSS; q <= VAL_ACC; q++) reported[epoch][q] = atof(field[q]);
    }
    fclose(f);
    mlp_claims(reported);
    printf("### Numbers\n\n");
    number_header();
    text_rows(&t, "fashion_mlp_text.tsv");
    for (int epoch = 1; epoch <= LONG_RUN; epoch++)
        for (int q = TRAIN_LOSS; q <= VAL_ACC; q++) {
            char epoch_name[16];
            snprintf(epoch_name, sizeof epoch_name, "%d", epoch);
            number_row(&t, "adam-bs500-p0.05-100epochs", epoch_name, q, reported[epoch][q],
                       reported[epoch][q], "");
        }
    print_tally(&t);
}

/* ==== Report 3: a CNN on flags, and a search ================================================== */

/* At the end of the run; NaN if it was not run, and so is all that is made of it. */
static double mean(const char *name, int quantity)
{
    summary s = ours(name, LAST, quantity);
    return s.n ? s.mean : NAN;
}

/* The number of the run with the largest mean of names[from..to), or -1 if one was not run. */
static int best_of(int from, int to, int quantity)
{
    int best = from;
    for (int i = from; i < to; i++) {
        if (isnan(mean(names[i], quantity))) return -1;
        if (mean(names[i], quantity) > mean(names[best], quantity)) best = i;
    }
    return best;
}

/* Of each seed the largest value of the runs names[from..to) at their end, if all were run. */
static summary flags_top(int from, int to, int quantity)
{
    summary s = {0, 0, INFINITY, -INFINITY};
    for (int i = 0; i < out_count; i++) {
        double most = -1;
        int    all = 1;
        for (int j = from; j < to; j++) {
            const run *r = &results[i][j];
            all &= r->there && (quantity < PARAMETERS || r->once[quantity] >= 0);
            if (all) most = fmax(most, measure(r, LAST, quantity));
        }
        if (all) include(&s, most);
    }
    if (s.n) s.mean /= s.n;
    return s;
}

/* Seeds in which the best trial of our search has this word among its settings. */
static int flags_best_has(const char *word)
{
    const int from = find(names, "search0");
    int count = 0;
    for (int i = 0; i < out_count; i++) {
        const char *const *all = names, *one[] = {NULL, NULL};
        int best = from;
        for (int j = from; j < from + 10; j++)
            if (results[i][j].once[TEST_ACC] > results[i][best].once[TEST_ACC]) best = j;
        one[0] = names[best];
        names = one;                            /* comment() looks into the runs named */
        count += strstr(comment(outs[i], "flags_cnn", "config "), word) != NULL;
        names = all;
    }
    return count;
}

static void flags_claims(void)
{
    static const char *const SLOW[] = {"printed2", "printed4", "printed5", "printed7"};
    static const char *const WORDS[] = {" LeakyReLU,", " NAdam,", " batch 16,"};
    const int printed = find(names, "printed0"), trial = find(names, "trial0");
    const int searched = find(names, "search0"), again = find(names, "best0");
    double worst = 0, a, b, c;
    for (int i = 0; i < 4; i++) worst = fmax(worst, mean(SLOW[i], TEST_ACC));
    claim_header("Claims of the report");
    a = mean(SLOW[0], TEST_ACC) + mean(SLOW[1], TEST_ACC) + mean(SLOW[2], TEST_ACC) +
        mean(SLOW[3], TEST_ACC);
    CLAIM("ASGD, Adadelta and SGD stay at chance, 4.2 % (trials 2, 4, 5 and 7 of its search; below "
          "12 %)", !isnan(a), worst < 0.12, "at most %s", ACC(worst));
    int best = best_of(printed, printed + 10, TEST_ACC);
    CLAIM("Of the ten trials of its search trial 0 is the best: 5 x 5, LeakyReLU, NAdam, batch 16, "
          "dropout 0.024, lr 1.8e-4", best >= 0, best == printed, "%s %s; printed0 %s",
          names[best], ACC(mean(names[best], TEST_ACC)), ACC(mean("printed0", TEST_ACC)));
    summary top = flags_top(searched, searched + 10, TEST_ACC);
    for (int i = 0; i < 3; i++) {
        char text[120];
        int  has = top.n ? flags_best_has(WORDS[i]) : 0;
        snprintf(text, sizeof text, "The best of ten trials of our own search has%.*s, too",
                 (int)strlen(WORDS[i]) - 1, WORDS[i]);
        CLAIM(text, top.n, 2 * has > top.n, "in %d of %d searches", has, top.n);
    }
    best = best_of(trial, trial + 10, VAL_ACC);
    CLAIM("Of the ten trained again trial 2 is the best (last test accuracy)", best >= 0,
          best == trial + 2, "%s %s; trial2 %s", names[best], ACC(mean(names[best], VAL_ACC)),
          ACC(mean("trial2", VAL_ACC)));
    a = mean("trial7", VAL_ACC);
    CLAIM("Sigmoid at 1.5e-5 learns nothing (trial 7; test accuracy below 12 %)", !isnan(a),
          a < 0.12, "%s", ACC(a));
    a = mean("trial2", VAL_ACC);
    b = mean("transfer-vgg16", VAL_ACC);
    c = mean("transfer-section", VAL_ACC);
    CLAIM("VGG-16, frozen under a new last layer, does worse than their own net (test accuracy)",
          !isnan(a + b), b < a, "%s against %s of trial2", ACC(b), ACC(a));
    CLAIM("So does a head on its first two blocks", !isnan(a + c), c < a, "%s against %s", ACC(c),
          ACC(a));
    printf("\n");

    claim_header("Is it reproduced?");
    summary two = ours("trial2", LAST, VAL_ACC), anew = flags_top(again, again + 5, VAL_ACC);
    CLAIM("Configuration 2 trained again reaches 80 % of the test set, mean of the seeds", two.n,
          two.mean >= 0.8, "%s (%s to %s)", ACC(two.mean), ACC(two.min), ACC(two.max));
    CLAIM("The best trial of our search has at least the report's 86.5 %, dropout on as there, "
          "mean of the seeds", top.n, top.mean >= 0.865, "%s (%s to %s), %+.1f points",
          ACC(top.mean), ACC(top.min), ACC(top.max), 100 * (top.mean - 0.865));
    CLAIM("Of its five best configurations, trained again, so has one", anew.n, anew.mean >= 0.865,
          "%s (%s to %s), %+.1f points", ACC(anew.mean), ACC(anew.min), ACC(anew.max),
          100 * (anew.mean - 0.865));
    printf("\nThe search measures with dropout on; what that costs, mean of its own ten trials "
           "and of the ten\nit printed, which are trained here as there:\n\n"
           "| trials | dropout on | evaluation mode |\n|---|---|---|\n");
    for (int from = searched; from <= printed; from += printed - searched) {
        double on = 0, off = 0;
        for (int i = from; i < from + 10; i++)
            on += mean(names[i], TEST_ACC) / 10, off += mean(names[i], VAL_ACC) / 10;
        if (!isnan(on + off)) printf("| %s to %s | %s | %s |\n", names[from], names[from + 9],
                                     ACC(on), ACC(off));
    }
    printf("\n");
}

static void flags(void)
{
    char  line[LINE], *field[5];
    tally t = {0, 0, 0, 0};
    percent = 1;
    begin("Report 3: a CNN on flags, and a search", "flags_cnn", FLAGS_RUNS);
    flags_claims();
    printf("### Numbers\n\n");
    number_header();
    const int searched = find(names, "search0");
    summary_row(&t, "search", "last", "test_acc", TEST_ACC,
                flags_top(searched, searched + 10, TEST_ACC), 0.865, 0.865,
                "the best trial, dropout on");
    text_rows(&t, "flags_cnn_text.tsv");
    FILE *f = open_table("flags_cnn_reported.tsv");
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#' || split(line, field, 5) < 5 || atoi(field[1]) < 1) continue;
        for (int q = TRAIN_LOSS, i = 2; i < 5; q = i == 3 ? VAL_ACC : TRAIN_ACC, i++) {
            double v = atof(field[i]) / (q == TRAIN_LOSS ? 1 : 100);
            if (field[i][0] != '-') number_row(&t, field[0], field[1], q, v, v, "");
        }
    }
    fclose(f);
    print_tally(&t);
}

/* ==== Report 4: hand-written backpropagation against PyTorch ================================== */

static void kuzushiji_claims(void)
{
    static const struct { const char *run; double low, high; } WANTED[] = {
        {"m0", 0.54, 0.60}, {"m2", 0.57, 0.64}, {"m4-as-adam", 0.69, 0.75}};
    double m0 = mean("m0", VAL_ACC), a = mean("sgd", VAL_ACC), b = mean("adam", VAL_ACC), c;
    claim_header("Claims of the report");
    CLAIM("Of the improvements batches of one and Adam help M0 (validation accuracy)",
          !isnan(m0 + a + b), a > m0 && b > m0, "M0 %s, batches of one %s, Adam %s", ACC(m0),
          ACC(a), ACC(b));
    a = mean("linear", VAL_ACC), b = mean("exponential", VAL_ACC), c = mean("minibatch", VAL_ACC);
    CLAIM("Schedules, and mini-batches at a lower rate, only slow M0 down",
          !isnan(m0 + a + b + c), a < m0 && b < m0 && c < m0,
          "M0 %s, linear %s, exponential %s, mini-batches %s", ACC(m0), ACC(a), ACC(b), ACC(c));
    a = mean("m0", TEST_ACC), b = mean("m1", TEST_ACC);
    CLAIM("What the search chose, M1, beats M0 (test accuracy)", !isnan(a + b), b > a,
          "%s against %s", ACC(b), ACC(a));
    a = mean("m1", VAL_LOSS), b = mean("m2", VAL_LOSS);
    CLAIM("M2, the same in PyTorch, ends at a lower validation loss than M1", !isnan(a + b), b < a,
          "%.4f against %.4f", b, a);
    int first = find(names, "m3-25-25-25"), best = best_of(first, first + 8, VAL_ACC);
    CLAIM("Of the grid's hidden layers 100 and 80 are the best (validation accuracy)", best >= 0,
          best == find(names, "m3-100-80"), "%s %s; m3-100-80 %s", names[best],
          ACC(mean(names[best], VAL_ACC)), ACC(mean("m3-100-80", VAL_ACC)));
    best = best_of(0, 6, TEST_ACC);
    CLAIM("M4, 5,000 units, overfits and is yet the best (test accuracy)", best >= 0,
          strncmp(names[best], "m4", 2) == 0, "%s %s; M0 to M3 %s, %s, %s, %s", names[best],
          ACC(mean(names[best], TEST_ACC)), ACC(mean("m0", TEST_ACC)), ACC(mean("m1", TEST_ACC)),
          ACC(mean("m2", TEST_ACC)), ACC(mean("m3", TEST_ACC)));
    a = mean("m4-as-sgd", TRAIN_LOSS), b = mean("m4-as-adam", TRAIN_LOSS);
    CLAIM("M4 was trained by SGD, as its code says (its training loss is 1.1e-5)", !isnan(a + b),
          fabs(log(a / 1.1e-5)) < fabs(log(b / 1.1e-5)), "training loss with SGD %.6f, with Adam "
          "%.6f", a, b);
    printf("\n");
    claim_header("Is it reproduced?");
    for (int i = 0; i < 3; i++) {
        char    text[160];
        summary s = ours(WANTED[i].run, LAST, VAL_ACC);
        snprintf(text, sizeof text, "%s: validation accuracy %.2f to %.2f, mean of the seeds",
                 WANTED[i].run, WANTED[i].low, WANTED[i].high);
        CLAIM(text, s.n, s.mean >= WANTED[i].low && s.mean <= WANTED[i].high, "%s (%s to %s)",
              ACC(s.mean), ACC(s.min), ACC(s.max));
    }
    printf("\n");
}

/* ==== Report 5: a CNN on icons ================================================================ */

/* The accuracy in column `what` ("train_average" ...) of a class, of a run's RUN.classes.tsv. */
static summary icons_class(const char *name, const char *class_name, const char *what)
{
    static const char *const columns[] = {"class", "train_average", "val_average", "train_last",
                                          "val_last", NULL};
    char    path[2 * LINE], line[LINE], *field[5];
    summary s = {0, 0, INFINITY, -INFINITY};
    const int column = find(columns, what);
    for (int i = 0; i < out_count && column > 0; i++) {
        snprintf(path, sizeof path, "%s/icons_cnn/%s.classes.tsv", outs[i], name);
        FILE *f = fopen(path, "r");
        while (f && fgets(line, sizeof line, f))
            if (line[0] != '#' && split(line, field, 5) == 5 && strcmp(field[0], class_name) == 0)
                include(&s, atof(field[column]));
        if (f) fclose(f);
    }
    if (s.n) s.mean /= s.n;
    return s;
}

/* How many of the report's numbers are in the final net's table; -1 where there is none. */
static int icons_table(const char *const *numbers)
{
    char   path[2 * LINE], text[8192];
    int    found = 0;
    snprintf(path, sizeof path, "%s/icons_cnn/summary.txt", outs[0]);
    FILE *f = fopen(path, "r");
    if (!f) return -1;
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    for (; *numbers; numbers++) found += strstr(text, *numbers) != NULL;
    return found;
}

static void icons_claims(void)
{
    static const char *const numbers[] = {" 896 ", " 18,496 ", " 1,048,832 ", " 1,285 ",
        "Total params: 1,069,509\n", "Input size (MB): 0.01\n", "pass size (MB): 0.11\n",
        "Params size (MB): 4.08\n", "Total Size (MB): 4.20\n", NULL};
    summary a = ours("lr0.5", LAST, TRAIN_LOSS), b = ours("lr0.5", LAST, VAL_ACC), c, d;
    claim_header("Claims of the report");
    CLAIM("Learning rate 0.5 does not learn (loss above 1.4 after 15 epochs, validation accuracy "
          "below 40 %)", a.n, a.mean > 1.4 && b.mean < 0.4, "loss %.4f, accuracy %s", a.mean,
          ACC(b.mean));
    a = ours("lr0.001", LAST, TRAIN_LOSS);
    b = ours("lr0.05", LAST, TRAIN_LOSS);
    CLAIM("0.001 is too slow (loss above 1.4 after 15 epochs; 0.05 far below)", a.n && b.n,
          a.mean > 1.4 && b.mean < 1, "loss %.4f; with 0.05 %.4f", a.mean, b.mean);
    a = ours("60epochs", BEST, VAL_LOSS);
    b = ours("60epochs", TAIL, VAL_LOSS);
    c = ours("60epochs", MIDDLE, VAL_ACC);
    d = ours("60epochs", TAIL, VAL_ACC);
    CLAIM("60 epochs overfit: the validation loss ends 10 % above its best, and accuracy gains "
          "less than a point (epochs 26-30 to 56-60)", a.n && c.n,
          b.mean > 1.1 * a.mean && d.mean < c.mean + 0.01, "loss %.4f, best %.4f; accuracy %s to "
          "%s", b.mean, a.mean, ACC(c.mean), ACC(d.mean));
    a = ours("stride2", TAIL, VAL_ACC);
    b = ours("softmax", TAIL, VAL_ACC);
    c = ours("sigmoid", TAIL, VAL_ACC);
    CLAIM("Softmax and sigmoid as hidden activation are worse than ReLU (last five epochs)",
          a.n && b.n && c.n, b.mean < a.mean && c.mean < a.mean, "%s and %s against %s",
          ACC(b.mean), ACC(c.mean), ACC(a.mean));
    a = ours("final-b", AVERAGE, VAL_ACC);
    b = ours("alternative", AVERAGE, VAL_ACC);
    c = ours("final-b", LAST, VAL_ACC);
    d = ours("alternative", LAST, VAL_ACC);
    CLAIM("Stride 1 and a second pool are as good as the final net B (average of all epochs, "
          "within 2 points)", a.n && b.n, fabs(a.mean - b.mean) <= 0.02,
          "%s against %s; at the last epoch %s against %s", ACC(b.mean), ACC(a.mean), ACC(d.mean),
          ACC(c.mean));
    int found = icons_table(numbers);
    CLAIM("The table of the final net: 896, 18,496, 1,048,832, 1,285, together 1,069,509; 0.01, "
          "0.11, 4.08, 4.20 MB", found >= 0, found == 9, "%d of 9 numbers", found);
    printf("\n");

    claim_header("Is it reproduced?");
    CLAIM("The final net B has 92 % of the validation set right at its last epoch", c.n,
          c.mean >= 0.92, "%s (%s to %s); the report's count over all epochs gives %s. PyTorch "
          "1.13, five seeds: 91.2 %% (87.8 to 93.2) and 82.7 %%",
          ACC(c.mean), ACC(c.min), ACC(c.max), ACC(a.mean));
    printf("\nThe report's accuracies are averages over all epochs of a run, because its counters "
           "are never reset\n(12,561 of 14,400 = 18 x 800). The rows \"average\" count like it; "
           "true ones, of the final net B\nat its last epoch:\n\n| class | training | validation "
           "| validation, range |\n|---|---|---|---|\n");
    static const char *const classes[] = {"air", "birds", "water", "people", "cats", "all", NULL};
    for (int i = 0; classes[i]; i++) {
        a = icons_class("final-b", classes[i], "train_last");
        b = icons_class("final-b", classes[i], "val_last");
        if (a.n) printf("| %s | %s | %s | %s to %s |\n", classes[i], ACC(a.mean), ACC(b.mean),
                        ACC(b.min), ACC(b.max));
    }
    printf("\n");
}

static void kuzushiji(void)
{
    tally t = {0, 0, 0, 0};
    percent = 0;
    begin("Report 4: hand-written backpropagation against PyTorch", "kuzushiji_mlp",
          KUZUSHIJI_RUNS);
    kuzushiji_claims();
    printf("### Numbers\n\n");
    number_header();
    text_rows(&t, "kuzushiji_mlp_text.tsv");
    print_tally(&t);
}

static void icons(void)
{
    char  line[LINE], *field[6], what[32];
    tally t = {0, 0, 0, 0};
    percent = 1;
    begin("Report 5: a CNN on icons", "icons_cnn", ICONS_RUNS);
    icons_claims();
    printf("### Numbers\n\n");
    number_header();
    text_rows(&t, "icons_cnn_text.tsv");
    FILE *f = open_table("icons_cnn_text.tsv");             /* those of classes: train_air ... */
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#' || split(line, field, 6) < 6 || find(QUANTITY + 1, field[2]) >= 0)
            continue;
        char *class_name = strchr(field[2], '_');
        if (!class_name) continue;
        snprintf(what, sizeof what, "%.*s_average", (int)(class_name - field[2]), field[2]);
        summary_row(&t, field[0], field[1], field[2], VAL_ACC,
                    icons_class(field[0], class_name + 1, what), atof(field[3]), atof(field[4]),
                    field[5]);
    }
    fclose(f);
    f = open_table("icons_cnn_reported.tsv");
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#' || split(line, field, 3) < 3 || atoi(field[0]) < 1) continue;
        number_row(&t, "final-b", field[0], TRAIN_LOSS, atof(field[1]), atof(field[1]), "");
        number_row(&t, "final-b", field[0], VAL_LOSS, atof(field[2]), atof(field[2]), "");
    }
    fclose(f);
    print_tally(&t);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--plots") == 0 && i + 1 < argc) plots = argv[++i];
        else if (argv[i][0] != '-' && out_count < MAX_OUTS) outs[out_count++] = argv[i];
        else if (strcmp(argv[i], "--help") == 0) {
            printf("report - our numbers beside the reported ones, as Markdown\n\n"
                   "usage: build/report [--plots DIR] [OUT ...]\n\n"
                   "  --plots DIR    where the reported numbers are (default %s)\n"
                   "  OUT ...        results, a folder for each seed (default build/results)\n",
                   plots);
            return 0;
        } else {
            fprintf(stderr, "report: %s: %s\nusage: build/report [--plots DIR] [OUT ...]\n",
                    argv[i], argv[i][0] == '-' ? "unknown option, or its value is missing"
                                               : "too many folders");
            return 2;
        }
    }
    if (out_count == 0) outs[out_count++] = "build/results";
    printf("# Our results beside the reported ones\n\n");
    printf("Means and ranges are over %d seed%s.\n\n", out_count, out_count == 1 ? "" : "s");
    cnn();
    mlp();
    flags();
    kuzushiji();
    icons();
    if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
    fprintf(stderr, "report: cannot write the report: %s\n", strerror(errno));
    return 1;
}
