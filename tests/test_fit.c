/* test_fit.c - tnn_fit against the loop that a program writes by hand; runs that are interrupted,
   go on, stop early and keep their best weights. */
#include "test.h"

#define SAYS(words) do { \
    CHECK(strstr(tnn_error(), words), "\"%s\" is not about \"%s\"", tnn_error(), words); \
    tnn_clear_error(); } while (0)

enum { N = 90, EPOCHS = 7 };
static char folder[200];
static float x[N * 6], targets[N];
static int labels[N];

/* Noisy classes, so that validation gets worse again. */
static void make_data(tnn_data *train, tnn_data *validation)
{
    tnn_data all;
    int i, k;
    for (i = 0; i < N; i++) {
        labels[i] = (int)(test_hash(4, (uint32_t)i) % 3);
        targets[i] = (float)(labels[i] + 0.1 * (test_hash(5, (uint32_t)i) % 10));
        for (k = 0; k < 6; k++)
            x[i * 6 + k] = (float)(test_hash(6, (uint32_t)(i * 6 + k)) % 1000) / 500
                         + (k == labels[i] ? 0.7f : 0) - 1;
    }
    all = tnn_data_view(NULL, x, labels, N, 6, 1, 1);
    tnn_split(&all, 60, 1, train, validation);
}
static tnn_net *make_net(double lr)
{
    tnn_net *net = tnn_create(.input = { 6 }, .batch = 8, .seed = 3);
    tnn_add(net, TNN_DENSE, .units = 30);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DROPOUT, .p = 0.2f);
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = lr);
    return net;
}
static void by_hand(void)
{
    tnn_data train, validation;
    tnn_net *net[2];
    tnn_history run;
    tnn_loader *batches;
    int e;
    make_data(&train, &validation);
    net[0] = make_net(0.01);
    net[1] = make_net(0.01);
    run = tnn_fit(net[0], &train, &validation, .epochs = EPOCHS, .batch = 7, .seed = 5);
    CHECK(run.count == EPOCHS && !run.stopped && !tnn_failed(), "%d epochs: %s", run.count,
          tnn_error());
    batches = tnn_loader_create(&train, .batch = 7, .shuffle = 1, .seed = 5);
    for (e = 0; e < run.count; e++) {
        const tnn_metrics m = tnn_train_epoch(net[1], batches);
        const tnn_metrics v = tnn_evaluate(net[1], &validation);
        CHECK(run.epochs[e].epoch == e + 1, "epoch %d", run.epochs[e].epoch);
        CHECK_SAME("loss", &run.epochs[e].loss, &m.loss, sizeof m.loss);
        CHECK_SAME("accuracy", &run.epochs[e].accuracy, &m.accuracy, sizeof m.loss);
        CHECK_SAME("validation", &run.epochs[e].validation_loss, &v.loss, sizeof m.loss);
        CHECK_SAME("validation", &run.epochs[e].validation_accuracy, &v.accuracy, sizeof m.loss);
        CHECK(run.epochs[run.best - 1].validation_loss <= v.loss, "%d is not the best", run.best);
    }
    CHECK(tnn_hash(net[0]) == tnn_hash(net[1]), "other weights");
    tnn_history_free(&run);
    CHECK(!run.epochs && !run.count, "there is a history still");
    tnn_loader_free(batches);
    tnn_free(net[0]);
    tnn_free(net[1]);
    tnn_data_free(&train);
    tnn_data_free(&validation);
}

/* Stops at a batch or at an epoch's end, as one who presses Ctrl-C. */
typedef struct { int epoch, batch, calls, ends; } interruption;
static int interrupt(void *user, const tnn_fit_state *state)
{
    interruption *at = (interruption *)user;
    at->calls++;
    at->ends += state->epoch_ended;
    CHECK(state->epochs >= state->epoch
          && state->history->count == state->epoch - !state->epoch_ended,
          "epoch %d of %d, %d in the history", state->epoch, state->epochs, state->history->count);
    return state->epoch == at->epoch
        && (at->batch < 0 ? state->epoch_ended : state->batches->batch_index == at->batch);
}
static uint64_t run_of(const char *file, int epochs, interruption *at, tnn_history *run,
                       tnn_plateau *plateau)
{
    tnn_data train, validation;
    tnn_net *net = make_net(0.02);
    uint64_t hash;
    make_data(&train, &validation);
    *run = tnn_fit(net, &train, &validation, .epochs = epochs, .checkpoint = file, .patience = 4,
                   .restore_best = 1, .plateau = plateau, .callback = at ? interrupt : NULL,
                   .user = at);
    CHECK(!tnn_failed(), "%s", tnn_error());
    if (run->best && !run->stopped) {
        const double loss = tnn_evaluate(net, &validation).loss;
        CHECK_SAME("the best weights' loss", &loss, &run->epochs[run->best - 1].validation_loss,
                   sizeof loss);
    }
    hash = tnn_hash(net);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&validation);
    return hash;
}
/* Interrupted in any place and called again, a run is what it would have been. */
static void goes_on(void)
{
    static const interruption places[] = {
        { 1, 0, 0, 0 }, { 1, -1, 0, 0 }, { 2, 3, 0, 0 }, { 3, -1, 0, 0 }, { 5, 6, 0, 0 }
    };
    char file[300], best[310];
    tnn_history whole, part;
    tnn_plateau plateau = { .patience = 1, .factor = 0.5 };
    uint64_t hash;
    size_t k;
    int e, ended = 0;
    snprintf(file, sizeof file, "%s/test_fit.tnn", folder);
    snprintf(best, sizeof best, "%s.best", file);
    remove(file);
    hash = run_of(NULL, 30, NULL, &whole, &plateau);
    CHECK(whole.stopped && whole.count < 30 && whole.count == whole.best + 4, "%d epochs, best %d",
          whole.count, whole.best);
    CHECK(whole.epochs[whole.count - 1].lr < 0.02, "the plateau has not lowered lr");
    for (k = 0; k < sizeof places / sizeof *places; k++) {
        interruption at = places[k];
        tnn_plateau other = { .patience = 1, .factor = 0.5 };
        run_of(file, 30, &at, &part, &other);
        CHECK(part.stopped && part.count == at.epoch - (at.batch >= 0), "%d epochs", part.count);
        tnn_history_free(&part);
        memset(&other, 0, sizeof other);
        other.patience = 1;
        other.factor = 0.5;
        CHECK(run_of(file, 30, NULL, &part, &other) == hash, "place %d: other weights", (int)k);
        CHECK(part.count == whole.count && part.best == whole.best && part.stopped, "place %d: %d "
              "epochs, best %d", (int)k, part.count, part.best);
        for (e = 0; e < part.count; e++) {
            part.epochs[e].seconds = whole.epochs[e].seconds;
            ended += !memcmp(&part.epochs[e], &whole.epochs[e], sizeof part.epochs[e]);
        }
        tnn_history_free(&part);
        /* Once more: it has ended, nothing is trained. */
        memset(&at, 0, sizeof at);
        memset(&other, 0, sizeof other);
        CHECK(run_of(file, 30, &at, &part, &other) == hash && !at.calls, "%d batches", at.calls);
        tnn_history_free(&part);
        remove(file);
        remove(best);
    }
    CHECK(ended == whole.count * (int)(sizeof places / sizeof *places), "other epochs");
    tnn_history_free(&whole);
}

/* What a caller counts over a run, and measures after each epoch: a loss that is the largest in
   epoch 3, whatever was learnt, of samples that the callback has seen. */
typedef struct { double batches, samples, loss; int stop_at; const double *losses; } counting;
static counting counts;
static int count_batch(void *user, const tnn_fit_state *state)
{
    counting *c = (counting *)user;
    if (state->epoch_ended) return 0;
    if (state->batches->batch_index == 0) c->loss = 0;
    c->batches += 1;
    c->samples += state->batches->n;
    c->loss += state->loss;
    return c->batches > c->stop_at - 1 && c->stop_at;
}
static void measure(void *user, const tnn_fit_state *state, tnn_epoch *epoch)
{
    const counting *c = (const counting *)user;
    CHECK(epoch->epoch == state->epoch && state->history->count == state->epoch - 1
          && state->metrics.n == 60, "epoch %d, %d samples", epoch->epoch, state->metrics.n);
    CHECK(fabs(epoch->loss*state->batches->batches - c->loss) < 1e-9, "the batches' losses are %g, "
          "not %d times %g", c->loss, state->batches->batches, epoch->loss);
    epoch->accuracy = c->samples;
    epoch->validation_accuracy = c->losses[epoch->epoch - 1];
}
/* 7 epochs of 8 batches, by `with`; the network's hash. */
static uint64_t counted(tnn_fit_options *with, tnn_history *run)
{
    tnn_data train, validation;
    tnn_net *net = make_net(0.02);
    uint64_t hash;
    make_data(&train, &validation);
    with->epochs = EPOCHS;
    with->evaluate = measure;
    with->callback = count_batch;
    with->user = &counts;
    *run = tnn_fit_with(net, &train, &validation, with);
    hash = tnn_hash(net);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&validation);
    return hash;
}
static const double LOSSES[EPOCHS] = { 0.5, 0.7, 0.6, 0.65, 0.8, 0.75, 0.9 };

/* Its own numbers are what stopping sees; all options of stopping are there. */
static void measured(void)
{
    static const struct { tnn_early_stopping stop; int count, best; } cases[] = {
        { { .max = 1, .patience = 2 }, 4, 2 },
        { { .max = 1, .patience = 2, .min_delta = 0.25 }, 3, 1 },
        { { .max = 1, .patience = 9, .stop_at = 0.78, .restore_best = 1 }, 5, 5 },
        { { .max = 1, .patience = 2, .keras = 1, .start_from = 2, .restore_best = 1 }, 7, 7 }
    };
    tnn_fit_options with, plain;
    tnn_history run;
    uint64_t hash, stopped;
    int k;
    for (k = 0; k < (int)(sizeof cases / sizeof *cases); k++) {
        memset(&with, 0, sizeof with);
        memset(&counts, 0, sizeof counts);
        counts.losses = LOSSES;
        with.stopping = &cases[k].stop;
        stopped = counted(&with, &run);
        CHECK(run.count == cases[k].count && run.best == cases[k].best && !tnn_failed(), "case %d: "
              "%d epochs, best %d: %s", k, run.count, run.best, tnn_error());
        CHECK(run.epochs[1].accuracy == 120 && run.epochs[1].validation_accuracy == 0.7,
              "%g, %g", run.epochs[1].accuracy, run.epochs[1].validation_accuracy);
        tnn_history_free(&run);
        if (!cases[k].stop.stop_at) continue;
        /* The best weights are the last ones: as where it is told to stop there. */
        memset(&plain, 0, sizeof plain);
        memset(&counts, 0, sizeof counts);
        counts.losses = LOSSES;
        counts.stop_at = 8 * 5;
        hash = counted(&plain, &run);
        CHECK(run.stopped && run.count == 4 && hash == stopped, "not the weights that reached it");
        tnn_history_free(&run);
    }
}
/* Without a validation set, .evaluate may measure one of its own; else training is watched. */
static void own_validation(void *user, const tnn_fit_state *state, tnn_epoch *epoch)
{
    (void)state;
    if (user) epoch->validation_loss = epoch->epoch == 2 ? 0 : 1;
}
/* The epoch's number is not its to change; its learning rate is what a plateau lowers. */
static void own_number(void *user, const tnn_fit_state *state, tnn_epoch *epoch)
{
    (void)user;
    epoch->epoch = 77;
    tnn_set_lr((tnn_net *)(uintptr_t)state->net, 1e-6);
}
static void kept(void)
{
    tnn_data train, validation;
    tnn_history run;
    tnn_net *net = make_net(0.01);
    tnn_plateau plateau = {.factor = 0.5, .patience = -1, .threshold = 1e3, .absolute = 1};
    make_data(&train, &validation);
    run = tnn_fit(net, &train, &validation, .epochs = 2, .evaluate = own_number,
                  .plateau = &plateau);
    CHECK(run.count == 2 && run.best <= 2 && run.epochs[1].epoch == 2, "best %d", run.best);
    CHECK(tnn_lr(net) <= 1e-6, "an lr of %g", tnn_lr(net));
    tnn_history_free(&run);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&validation);
}
static void watched(void)
{
    tnn_data train, validation;
    tnn_history run;
    tnn_net *net;
    int own, mark = 0;
    make_data(&train, &validation);
    for (own = 0; own < 2; own++) {
        net = make_net(0.01);
        run = tnn_fit(net, &train, NULL, .epochs = 6, .patience = 3, .evaluate = own_validation,
                      .user = own ? &mark : NULL);
        CHECK(run.count == (own ? 5 : 6) && run.stopped == own && (run.best == 2) == own,
              "%d epochs, best %d", run.count, run.best);
        tnn_history_free(&run);
        tnn_free(net);
    }
    tnn_data_free(&train);
    tnn_data_free(&validation);
}
/* Interrupted after any batch, a run goes on with the next one, and with what its caller counts. */
static void within_epochs(void)
{
    char file[300];
    tnn_history whole, part;
    tnn_fit_options with;
    counting end;
    uint64_t hash;
    int stop, e, k, same = 0, stops = 0;
    snprintf(file, sizeof file, "%s/test_fit_within.tnn", folder);
    memset(&with, 0, sizeof with);
    memset(&counts, 0, sizeof counts);
    counts.losses = LOSSES;
    hash = counted(&with, &whole);
    end = counts;
    CHECK(whole.count == EPOCHS && end.batches == EPOCHS * 8 && end.samples == EPOCHS * 60,
          "%g batches", end.batches);
    with.checkpoint = file;
    with.save_seconds = TNN_ZERO;
    with.numbers = &counts.batches;
    with.count = 3;
    for (stop = 1; stop < EPOCHS * 8; stop += 5, stops++) {
        remove(file);
        for (k = 0; k < 2; k++) {
            memset(&counts, 0, sizeof counts);
            counts.losses = LOSSES;
            counts.stop_at = k ? 0 : stop;
            if (k) CHECK(counted(&with, &part) == hash, "after batch %d: other weights", stop);
            else {
                counted(&with, &part);
                CHECK(part.stopped && part.count == (stop - 1) / 8, "%d epochs", part.count);
                tnn_history_free(&part);
            }
        }
        CHECK(!memcmp(&counts, &end, 3*sizeof(double)), "%g batches, %g samples", counts.batches,
              counts.samples);
        for (e = 0; e < part.count; e++) {
            CHECK(part.epochs[e].seconds >= 0, "%g seconds", part.epochs[e].seconds);
            part.epochs[e].seconds = whole.epochs[e].seconds;
            same += !memcmp(&part.epochs[e], &whole.epochs[e], sizeof part.epochs[e]);
        }
        CHECK(part.count == EPOCHS && part.best == whole.best, "%d epochs", part.count);
        tnn_history_free(&part);
    }
    CHECK(stops == 11 && same == EPOCHS * stops, "%d epochs are the same", same);
    for (with.count = 2; with.count < 5; with.count += 2) {     /* it has three */
        counted(&with, &part);
        tnn_history_free(&part);
        SAYS(with.count < 3 ? "room is for 53: for more .count" : "has not 4 of the caller's");
    }
    remove(file);
    tnn_history_free(&whole);
}
/* What is counted at the end of an epoch belongs to it: stopped there, that is not counted anew. */
static int count_epochs(void *user, const tnn_fit_state *state)
{
    double *ended = (double *)user;
    if (!state->epoch_ended) return 0;
    ended[0]++;
    return state->epoch == ended[1];
}
static void epoch_ends(void)
{
    char file[300];
    tnn_data train, validation;
    tnn_history run;
    tnn_net *net;
    int seconds, stop;
    make_data(&train, &validation);
    snprintf(file, sizeof file, "%s/test_fit_ends.tnn", folder);
    for (seconds = 0; seconds < 2; seconds++) {
        double ended[2] = {0, 0};
        remove(file);
        for (stop = 2; stop <= 4; stop += 2) {          /* at the end of epoch 2; then never */
            ended[0] = 0;
            ended[1] = stop == 2 ? 2 : 0;
            net = make_net(0.01);
            run = tnn_fit(net, &train, NULL, .epochs = 4, .checkpoint = file,
                          .save_seconds = seconds ? TNN_ZERO : 0, .numbers = ended, .count = 1,
                          .callback = count_epochs, .user = ended);
            CHECK(run.count == stop && ended[0] == stop && !tnn_failed(), "%d epochs, %g counted",
                  run.count, ended[0]);
            tnn_history_free(&run);
            tnn_free(net);
        }
    }
    remove(file);
    tnn_data_free(&train);
    tnn_data_free(&validation);
}
/* Not before it is time; and one that cannot be written is an error only at the end. */
static int messages;
static void count_messages(void *user, const char *message)
{
    messages += strstr(message, (const char *)user) != NULL;
}
static int look(void *user, const tnn_fit_state *state)
{
    FILE *f = fopen((const char *)user, "rb");
    if (f) fclose(f);
    CHECK(!f, "a checkpoint in epoch %d", state->epoch);
    return state->epoch == 4 && state->epoch_ended;
}
/* Best weights are never ahead of the checkpoint, where a killed run goes on. */
static int both(void *user, const tnn_fit_state *state)
{
    char best[310];
    FILE *f[2];
    if (state->epoch != 2 || state->epoch_ended) return 0;
    snprintf(best, sizeof best, "%s.best", (const char *)user);
    f[0] = fopen(best, "rb");
    f[1] = fopen((const char *)user, "rb");
    CHECK(f[0] && f[1], "best weights %d, checkpoint %d", f[0] != NULL, f[1] != NULL);
    if (f[0]) fclose(f[0]);
    if (f[1]) fclose(f[1]);
    return 0;
}
static void by_time(void)
{
    static char file[300], nowhere[] = "no/such/folder/run.tnn";
    tnn_data train, validation;
    tnn_history run;
    tnn_net *net = make_net(0.01);
    uint64_t hash;
    FILE *f;
    make_data(&train, &validation);
    snprintf(file, sizeof file, "%s/test_fit_time.tnn", folder);
    remove(file);
    run = tnn_fit(net, &train, NULL, .epochs = 3, .checkpoint = file, .save_seconds = 1e6,
                  .callback = look, .user = file);
    CHECK(run.count == 3 && !tnn_failed(), "%s", tnn_error());
    tnn_history_free(&run);
    hash = tnn_hash(net);                               /* a complete run is not trained again */
    run = tnn_fit(net, &train, NULL, .epochs = 3, .checkpoint = file, .save_seconds = 1e6);
    CHECK(run.count == 3 && hash && tnn_hash(net) == hash, "trained again");
    tnn_history_free(&run);
    remove(file);
    run = tnn_fit(net, &train, NULL, .epochs = 5, .checkpoint = file, .save_seconds = 1e6,
                  .callback = look, .user = file);      /* who stops is to find it */
    CHECK(run.count == 4 && run.stopped && !tnn_failed(), "%s", tnn_error());
    tnn_history_free(&run);
    f = fopen(file, "rb");
    CHECK(f != NULL, "no checkpoint");
    if (f) fclose(f);
    remove(file);
    run = tnn_fit(net, &train, NULL, .epochs = 2, .checkpoint = file, .save_seconds = 1e6,
                  .restore_best = 1, .callback = both, .user = file);
    tnn_history_free(&run);
    remove(file);
    tnn_set_logger(count_messages, nowhere);
    run = tnn_fit(net, &train, NULL, .epochs = 2, .checkpoint = nowhere, .save_seconds = TNN_ZERO);
    tnn_set_logger(NULL, NULL);
    CHECK(run.count == 2 && !run.stopped && messages == 2 * 8 + 2, "%d epochs, %d messages",
          run.count, messages);
    tnn_history_free(&run);
    SAYS(nowhere);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&validation);
}

static void history_file(void)
{
    static const char begins[] = "epoch\tlr\tloss\taccuracy\tvalidation_loss\tvalidation_accuracy\t"
                                 "seconds\n1\t0.01\t";
    char path[300], text[2000] = "", *line;
    tnn_net *net = tnn_create(.input = { 6 }, .batch = 8);
    tnn_data data, none;
    tnn_history run;
    FILE *f;
    int lines = 0;
    make_data(&data, &none);
    tnn_data_free(&data);
    tnn_data_free(&none);
    data = tnn_data_create(.n = N, .shape = { 6 }, .floats = x, .targets = targets);
    snprintf(path, sizeof path, "%s/test_fit.tsv", folder);
    tnn_add(net, TNN_DENSE, .units = 1);
    tnn_set_loss(net, TNN_MSE);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.01);
    run = tnn_fit(net, &data, NULL, .epochs = 3, .history = path);
    CHECK(run.count == 3 && run.best == 3 && !tnn_failed(), "%s", tnn_error());
    CHECK(run.epochs[2].accuracy != run.epochs[2].accuracy
          && run.epochs[2].validation_loss != run.epochs[2].validation_loss, "numbers of nothing");
    f = fopen(path, "rb");
    if (f) text[fread(text, 1, sizeof text - 1, f)] = 0;
    if (f) fclose(f);
    CHECK(!strncmp(text, begins, strlen(begins)), "%s", text);
    for (line = text; *line; line++) lines += *line == '\n';
    CHECK(lines == 4 && strstr(text, "\tnan\tnan\tnan\t"), "%s", text);
    tnn_history_free(&run);
    tnn_free(net);
    remove(path);
}

static void mistakes(void)
{
    tnn_data train, validation, other;
    tnn_history run;
    tnn_net *net = make_net(0.1);
    const tnn_loader_options augmented = { .batch = 8, .brightness = 0.1 };
    tnn_early_stopping stopping = { .stop_at = 0.1 };
    double number = 0;
    make_data(&train, &validation);
    other = tnn_data_view(NULL, x, labels, N, 5, 1, 1);
    run = tnn_fit(net, &train, &other, .epochs = 2);
    tnn_history_free(&run);
    SAYS("tnn_fit: validation: samples of 5x1x1 for a network of 6x1x1");
    run = tnn_fit(net, &other, &train, .epochs = 2);
    tnn_history_free(&run);
    SAYS("tnn_fit: samples of 5x1x1 for a network of 6x1x1");
    run = tnn_fit(net, &train, NULL, .epochs = -1);
    tnn_history_free(&run);
    SAYS("tnn_fit: .epochs = -1");
    run = tnn_fit(net, &train, NULL, .epochs = 1, .loader = &augmented, .batch = 5);
    tnn_history_free(&run);
    SAYS("tnn_fit: .batch");
    run = tnn_fit(net, &train, NULL, .epochs = 1, .no_shuffle = 1, .seed = 3);
    tnn_history_free(&run);
    SAYS("tnn_fit: .seed");
    run = tnn_fit(net, NULL, NULL, .epochs = 1);
    tnn_history_free(&run);
    SAYS("tnn_fit: no network, no data or no options");
    other = tnn_data_create(.n = N, .shape = { 6 }, .floats = x, .targets = targets);
    run = tnn_fit(net, &train, &other, .accuracy = 1);
    tnn_history_free(&run);
    SAYS("tnn_fit: .accuracy of data without labels");
    run = tnn_fit(net, &other, NULL, .epochs = 1);
    tnn_history_free(&run);
    SAYS("tnn_fit: targets of 1x1x1, the loss sees 3x1x1");
    run = tnn_fit(net, &train, NULL, .epochs = 1, .history = "no/such/folder/run.tsv");
    tnn_history_free(&run);
    SAYS("no/such/folder/run.tsv");
    run = tnn_fit(net, &train, NULL, .epochs = 1, .checkpoint = "no/such/folder/run.tnn");
    tnn_history_free(&run);
    SAYS("no/such/folder/run.tnn");
    run = tnn_fit(net, &train, NULL, .epochs = 1, .stopping = &stopping, .patience = 2);
    tnn_history_free(&run);
    SAYS("tnn_fit: .patience");
    stopping.keras = 1;
    run = tnn_fit(net, &train, NULL, .epochs = 1, .stopping = &stopping);
    tnn_history_free(&run);
    SAYS(".stop_at does nothing with .keras");
    run = tnn_fit(net, &train, NULL, .epochs = 1, .save_seconds = 3);
    tnn_history_free(&run);
    SAYS("tnn_fit: .save_seconds");
    run = tnn_fit(net, &train, NULL, .epochs = 1, .checkpoint = "x", .numbers = &number);
    tnn_history_free(&run);
    SAYS("tnn_fit: .numbers");
    run = tnn_fit(net, &train, NULL, .epochs = 1, .checkpoint = "x", .count = 1);
    tnn_history_free(&run);
    SAYS("tnn_fit: .count");
    tnn_free(net);
    net = make_net(0.1);
    x[7] = (float)HUGE_VAL;                     /* an error within an epoch is no early stop */
    run = tnn_fit(net, &train, NULL, .epochs = 2);
    CHECK(run.count == 0 && !run.stopped, "%d epochs, stopped %d", run.count, run.stopped);
    SAYS("is inf; the data must be finite");
    tnn_history_free(&run);
    x[7] = 0;
    run = tnn_fit(net, &train, NULL, .epochs = 1, .loader = &augmented);
    CHECK(run.count == 1, "%s", tnn_error());
    tnn_history_free(&run);
    tnn_free(net);
    tnn_data_free(&train);
    tnn_data_free(&validation);
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    test_folder(folder, sizeof folder, argv[0]);
    RUN("the loop by hand", by_hand);
    RUN("runs that go on", goes_on);
    RUN("what the caller measures, and stopping", measured);
    RUN("what is watched", watched);
    RUN("what .evaluate may not change", kept);
    RUN("runs that go on within epochs", within_epochs);
    RUN("the end of an epoch", epoch_ends);
    RUN("checkpoints by time", by_time);
    RUN("the history's file", history_file);
    RUN("mistakes", mistakes);
    return test_finish();
}
