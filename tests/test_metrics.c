/* test_metrics.c - metrics against scikit-learn's (metric_vectors.py), what they are by definition,
   and what is refused. */
#include "test.h"

#define SAYS(words) do { \
    CHECK(strstr(tnn_error(), words), "\"%s\" is not about \"%s\"", tnn_error(), words); \
    tnn_clear_error(); } while (0)

enum { N = 60, C = 4 };
static float scores[N * C], p[N * C];
static int labels[N], counts[C * C];

static const struct { const char *name; double values[4]; } wanted[] = {
    { "precision", { 0.6470588235294118, 0.5714285714285714, 0.69999999999999996, 0 } },
    { "recall", { 0.57894736842105265, 0.46153846153846156, 0.46666666666666667, 0 } },
    { "f1", { 0.61111111111111127, 0.5106382978723405, 0.56000000000000005, 0 } },
    { "support", { 19, 26, 15, 0 } },
    { "iou", { 0.44, 0.34285714285714286, 0.3888888888888889, 0 } },
    { "macro", { 0.47962184873949582, 0.37678812415654528, 0.42043735224586298,
      0.29293650793650794 } },
    { "weighted", { 0.62752100840336134, 0.5, 0.5547951142631995, 0.3851269841269841 } },
    { "micro", { 0.5, 0.5, 0.5, 0.33333333333333331 } },
    { "accuracy, balanced, matthews, kappa", { 0.5, 0.50238416554206033, 0.31519652411672078,
      0.30259589306470358 } },
    { "roc", { 0.71887034659820281, 0.47398190045248872, 0.70074074074074066 } },
    { "pr", { 0.51887904826411602, 0.40885724333360329, 0.45820218014331476 } },
    { "log loss", { 1.9432813907721898 } },
    { "mae, rmse, r2", { 0.31627604166666667, 0.39653087524938291, -1.0776225085578819 } }
};
static const char report_wanted[] =
    "              precision    recall  f1-score   support\n"
    "\n"
    "           0       0.65      0.58      0.61        19\n"
    "           1       0.57      0.46      0.51        26\n"
    "           2       0.70      0.47      0.56        15\n"
    "           3       0.00      0.00      0.00         0\n"
    "\n"
    "    accuracy                           0.50        60\n"
    "   macro avg       0.48      0.38      0.42        60\n"
    "weighted avg       0.63      0.50      0.55        60\n";

static int best_of(const float *x, int n)
{
    int i, best = 0;
    for (i = 1; i < n; i++) if (x[i] > x[best]) best = i;
    return best;
}
static void make_scores(void)
{
    int i, c;
    for (i = 0; i < N; i++) {
        float sum = 0;
        for (c = 0; c < C; c++)
            scores[i * C + c] = (float)(test_hash(1, (uint32_t)(i * C + c)) % 16) / 16;
        labels[i] = i % 2 ? (int)(test_hash(2, (uint32_t)i) % 3) : best_of(scores + i * C, C);
        if (labels[i] == 3) labels[i] = 1;      /* class 3 is predicted, but never right */
        for (c = 0; c < 3; c++) sum += p[i * C + c] = (16 * scores[i * C + c] + 1) / 64;
        p[i * C + 3] = 1 - sum;                 /* exact */
    }
    memset(counts, 0, sizeof counts);
    for (i = 0; i < N; i++) counts[labels[i] * C + best_of(scores + i * C, C)]++;
}
/* `got` (n) is what scikit-learn has under that name. */
static void like(const char *name, const double *got, int n)
{
    size_t k;
    int i;
    for (k = 0; k < sizeof wanted / sizeof *wanted && strcmp(wanted[k].name, name); k++) {}
    CHECK(k < sizeof wanted / sizeof *wanted, "no %s", name);
    for (i = 0; i < n; i++)
        CHECK(fabs(got[i] - wanted[k].values[i]) <= 1e-12 * (1 + fabs(wanted[k].values[i])),
              "%s[%d]: got %.17g, want %.17g", name, i, got[i], wanted[k].values[i]);
}
static void like_scores(const char *name, const tnn_class_scores *s)
{
    const double got[4] = { s->precision, s->recall, s->f1, s->iou };
    like(name, got, 4);
}

static void classes(void)
{
    tnn_class_scores each[C];
    tnn_class_metrics all;
    double of[5][C], four[4];
    int c;
    make_scores();
    all = tnn_class_report(counts, C, each);
    for (c = 0; c < C; c++) {
        of[0][c] = each[c].precision;
        of[1][c] = each[c].recall;
        of[2][c] = each[c].f1;
        of[3][c] = each[c].support;
        of[4][c] = each[c].iou;
    }
    like("precision", of[0], C);
    like("recall", of[1], C);
    like("f1", of[2], C);
    like("support", of[3], C);
    like("iou", of[4], C);
    like_scores("macro", &all.macro);
    like_scores("weighted", &all.weighted);
    like_scores("micro", &all.micro);
    four[0] = all.accuracy;
    four[1] = all.balanced_accuracy;
    four[2] = all.matthews;
    four[3] = all.kappa;
    like("accuracy, balanced, matthews, kappa", four, 4);
    CHECK(!tnn_failed(), "%s", tnn_error());
}
static void text(void)
{
    static const char *const names[C] = { "cat", "dog", "a very long name", "0" };
    char whole[1000], part[40];
    size_t length;
    make_scores();
    length = tnn_class_report_text(counts, C, NULL, whole, sizeof whole);
    CHECK(length == strlen(report_wanted) && !strcmp(whole, report_wanted), "%s", whole);
    CHECK(tnn_class_report_text(counts, C, NULL, part, sizeof part) == length
          && strlen(part) == 39 && !strncmp(part, whole, 39), "\"%s\"", part);
    CHECK(tnn_class_report_text(counts, C, NULL, NULL, 0) == length, "another length");
    length = tnn_class_report_text(counts, C, names, whole, sizeof whole);
    CHECK(strstr(whole, "\n             cat "), "%s", whole);
    CHECK(strstr(whole, "\na very long name       0."), "%s", whole);
}
static void areas(void)
{
    double roc[C], pr[C], mean, one;
    float single[N];
    int binary[N], i;
    make_scores();
    mean = tnn_roc_auc(scores, labels, N, C, roc);
    like("roc", roc, 3);
    CHECK(roc[3] != roc[3], "a class without samples has %g", roc[3]);
    CHECK_NEAR("the mean", mean, (roc[0] + roc[1] + roc[2]) / 3, 1e-14);
    tnn_pr_auc(scores, labels, N, C, pr);
    like("pr", pr, 3);
    for (i = 0; i < N; i++) {
        single[i] = scores[i * C + 2];
        binary[i] = labels[i] == 2;
    }
    one = tnn_roc_auc(single, binary, N, 1, NULL);
    CHECK_NEAR("one score", one, roc[2], 1e-14);
    CHECK(!tnn_failed(), "%s", tnn_error());
}
static void probabilities(void)
{
    float logits[N * C];
    double loss = tnn_log_loss((make_scores(), p), labels, N, C), t, e = 0, bins[5] = { 0 };
    int i, c;
    like("log loss", &loss, 1);
    CHECK(tnn_top_k(p, labels, N, C, C) == 1, "%s", tnn_error());
    t = tnn_top_k(scores, labels, N, C, 1);
    for (i = c = 0; i < N; i++) c += best_of(scores + i * C, C) == labels[i];
    CHECK_NEAR("top 1 is accuracy", t, (double)c / N, 1e-14);
    CHECK(tnn_top_k(scores, labels, N, C, 2) > t, "top 2 is no more");
    for (i = 0; i < N; i++) {
        const double confidence = (double)p[i * C + best_of(p + i * C, C)];
        const int bin = (int)ceil(confidence * 5) - 1;
        bins[bin] += (best_of(p + i * C, C) == labels[i]) - confidence;
    }
    for (i = 0; i < 5; i++) e += fabs(bins[i]) / N;
    CHECK_NEAR("calibration", tnn_calibration_error(p, labels, N, C, 5), e, 1e-12);
    /* Log loss at T is least: at 1 for logits/T. */
    for (i = 0; i < N * C; i++) logits[i] = 6 * scores[i];
    t = tnn_temperature(logits, labels, N, C);
    CHECK(t > 1.5 && t < 20, "T %g: %s", t, tnn_error());
    for (i = 0; i < N * C; i++) logits[i] = (float)((double)logits[i] / t);
    CHECK_NEAR("T of what has its T", tnn_temperature(logits, labels, N, C), 1, 1e-5);
}
static void regression(void)
{
    float outputs[N * 2], targets[N * 2];
    double got[3];
    tnn_regression r;
    int i;
    make_scores();
    for (i = 0; i < N * 2; i++) {
        outputs[i] = scores[i / 2 * C + i % 2];
        targets[i] = (float)(test_hash(3, (uint32_t)i) % 64) / 64;
    }
    r = tnn_regression_report(outputs, targets, N, 2);
    got[0] = r.mae;
    got[1] = r.rmse;
    got[2] = r.r2;
    like("mae, rmse, r2", got, 3);
}
static double mean_of(void *user, const int *which, int n)
{
    const float *x = (const float *)user;
    double sum = 0;
    int i;
    for (i = 0; i < n; i++) {
        CHECK(which[i] >= 0 && which[i] < n, "sample %d", which[i]);
        sum += (double)x[which[i]];
    }
    return sum / n;
}
/* The interval of a mean is that of its standard error. */
static void bootstrap(void)
{
    double interval[2], mean = 0, squares = 0;
    int i;
    make_scores();
    for (i = 0; i < N; i++) mean += (double)scores[i] / N;
    for (i = 0; i < N; i++) squares += ((double)scores[i] - mean) * ((double)scores[i] - mean);
    CHECK(tnn_bootstrap(mean_of, scores, N, 4000, 0.95, 1, interval) == TNN_OK, "%s", tnn_error());
    squares = 1.96 * sqrt(squares / N / N);
    CHECK(fabs(interval[0] - (mean - squares)) < squares / 10
          && fabs(interval[1] - (mean + squares)) < squares / 10,
          "[%g, %g], not %g -+ %g", interval[0], interval[1], mean, squares);
}
/* tnn_predict gives the outputs that tnn_evaluate sees. */
static void predictions(void)
{
    tnn_net *net = tnn_create(.input = { C }, .batch = 7, .seed = 2);
    float got[N * 3];
    tnn_data data, part;
    int i, hits = 0;
    make_scores();
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    data = tnn_data_view(NULL, scores, labels, N, C, 1, 1);
    CHECK(tnn_predict(net, &data, got, N * 3) == TNN_OK, "%s", tnn_error());
    for (i = 0; i < N; i++) hits += best_of(got + i * 3, 3) == labels[i];
    CHECK(hits == tnn_evaluate(net, &data).correct, "%d hits", hits);
    part = tnn_subset(&data, 50, 10);
    CHECK(tnn_predict(net, &part, got, 30) == TNN_OK, "%s", tnn_error());
    tnn_forward(net, scores + 50 * C, 7, TNN_EVAL);
    CHECK_SAME("outputs", got, tnn_output(net), 21 * sizeof(float));
    tnn_predict(net, &part, got, 29);
    SAYS("tnn_predict: room for 29 outputs, 10 samples have 3 each");
    tnn_data_free(&part);
    tnn_free(net);
}
static void mistakes(void)
{
    double interval[2];
    make_scores();
    counts[3] = -1;
    tnn_class_report(counts, C, NULL);
    SAYS("counts[0*classes + 3] is negative");
    tnn_class_report_text(counts, C, NULL, NULL, 0);
    SAYS("is negative");
    tnn_class_report_text(NULL, 0, NULL, NULL, 0);
    SAYS("no counts");
    tnn_roc_auc(scores, labels, N, 2, NULL);
    SAYS("tnn_roc_auc: label 2 of sample");
    tnn_log_loss((scores[0] = 2, scores), labels, N, C);
    SAYS("tnn_log_loss: 2 is no probability");
    scores[5] = (float)(HUGE_VAL - HUGE_VAL);
    tnn_top_k(scores, labels, N, C, 1);
    SAYS("tnn_top_k: score 1 of sample 1 is nan");
    tnn_top_k(p, labels, N, C, 5);
    SAYS("tnn_top_k: k = 5 of 4 classes");
    tnn_calibration_error(p, labels, N, C, -2);
    SAYS("-2 bins");
    tnn_temperature(p, labels, 0, C);
    SAYS("tnn_temperature: needs scores (n, classes)");
    tnn_regression_report(p, NULL, 3, 1);
    SAYS("tnn_regression_report: needs outputs and targets");
    tnn_bootstrap(mean_of, scores, N, 100, 95, 1, interval);
    SAYS("a level in (0, 1) (95)");
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    RUN("classes", classes);
    RUN("the report's text", text);
    RUN("areas under curves", areas);
    RUN("probabilities", probabilities);
    RUN("regression", regression);
    RUN("bootstrap", bootstrap);
    RUN("predictions", predictions);
    RUN("mistakes", mistakes);
    return test_finish();
}
