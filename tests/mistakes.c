/* mistakes.c - what newcomers from PyTorch, Keras and stb get wrong, and what they are told

   None may be silent, none may crash: each must end in an error value and reach the logger. Every
   message is graded: whether it says WHAT was wrong, WHERE (besides the caller's line: the option,
   the layer, the file's line, the sample) and HOW it would be right. An entry states the words
   that tell these, NULL for what the message leaves out; the test fails where one is missing.
   TINYNN_MISTAKES=1 lists the messages. */
#include "test.h"
#include "files.h"

static struct { const char *name; char logged[1200]; int calls; } now;
static int count, said[3];
static int own_line;            /* the mistake is made by M's own lines, not by a function */
static tnn_net  *net;           /* of the mistake; freed behind it, as are these */
static tnn_data  data;
static tnn_study *study;
static tnn_loader *loader;
static tnn_array array;
static float x[64*64], t[64*64];
static int   y[64], counts[100];
static char  path[480];

static void logger(void *user, const char *message)
{
    (void)user;
    if (!now.calls++) snprintf(now.logged, sizeof now.logged, "%s", message);
}
static void begin(const char *name)
{
    int i;
    now.name = name;
    now.calls = 0;
    now.logged[0] = 0;
    for (i = 0; i < 64*64; i++) x[i] = t[i] = test_value(1, (uint32_t)i);
    for (i = 0; i < 64; i++) y[i] = i%3;
}
static int has(const char *words) { return words && strstr(tnn_error(), words) != NULL; }
static void judge(int line, const char *what, const char *where, const char *how)
{
    const char *const words[3] = {what, where, how};
    int i;
    CHECK(tnn_failed() && now.calls && !strcmp(now.logged, tnn_error()), "%s: silent (status %d, "
          "%d calls of the logger; line %d)", now.name, tnn_failed(), now.calls, line);
    CHECK(sscanf(tnn_error(), "mistakes.c:%d: ", &i) == 1 && (!own_line
          || abs(i - line) < 9), "%s: \"%s\" has not the line", now.name, tnn_error());
    for (i = 0; i < 3; i++) {
        said[i] += has(words[i]);
        CHECK(!words[i] || has(words[i]), "%s: \"%s\" is not in \"%s\" (line %d)", now.name,
              words[i], tnn_error(), line);
    }
    count++;
    if (getenv("TINYNN_MISTAKES"))
        printf("%-34s %d%d%d  %s\n", now.name, has(what), has(where), has(how), tnn_error());
    tnn_clear_error();
    tnn_loader_free(loader);
    tnn_free(net);
    tnn_study_free(study);
    tnn_data_free(&data);
    tnn_array_free(&array);
    net = NULL;
    study = NULL;
    loader = NULL;
}
#define M(name, what, where, how, ...) \
    do { begin(name); { __VA_ARGS__ } judge(__LINE__, what, where, how); } while (0)

/* Makes `net`. */
static void image(void) { net = tnn_create(.input = {1, 8, 8}, .batch = 8); }
static void flat(void)  { net = tnn_create(.input = {4}, .batch = 8); }
static void classifier(void)            /* ready to be trained: 4 values, 3 classes */
{
    flat();
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_SGD, .lr = 0.1);
}
static void regression(void)            /* 4 values, 1 */
{
    flat();
    tnn_add(net, TNN_DENSE, .units = 1);
    tnn_set_loss(net, TNN_MSE);
    tnn_set_optimizer(net, TNN_ADAM);
}
static void with_loss(tnn_layer_type last, tnn_loss_type loss)
{
    flat();
    tnn_add(net, TNN_DENSE, .units = 3);
    tnn_add(net, last);
    tnn_set_loss(net, loss);
    tnn_build(net);
}
static void samples(int n) { data = tnn_data_view(NULL, x, y, n, 4, 1, 1); }
/* A file of these bytes, named `path`. */
static void file(const char *name, const void *bytes, size_t size)
{
    snprintf(path, sizeof path, "%s", path_of(name));
    spill(path, bytes, size);
}
#define TEXT_FILE(name, text) file(name, text, sizeof text - 1)

/* ---- networks -------------------------------------------------------------------------------- */
static void building(void)
{
    M("nn.Linear", "TNN_LINEAR is a schedule", "tnn_add", "TNN_DENSE",
      flat(); tnn_add(net, (tnn_layer_type)TNN_LINEAR, .units = 10););
    M("a loss as layer", "TNN_CROSS_ENTROPY is a loss", "tnn_add", "for tnn_set_loss",
      flat(); tnn_add(net, (tnn_layer_type)TNN_CROSS_ENTROPY););
    M("no layer type", "0 is not a layer", "tnn_add", "TNN_CONV2D is one",
      flat(); tnn_add(net, (tnn_layer_type)0, .units = 3););
    M("no units", ".units = 0", "layer 1, dense", "must be 1 to",
      flat(); tnn_add(net, TNN_DENSE);
      tnn_build(net););
    M("no kernel", "kernel 0x0", "layer 1, conv2d", "must be at least 1x1",
      image(); tnn_add(net, TNN_CONV2D, .filters = 8);
      tnn_build(net););
    M("kernel too large", "kernel 11x11 does not fit", "layer 1, conv2d", "at most 8x8",
      image(); tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 11); tnn_build(net););
    M("pooled too often", "does not fit its input 1x1x1", "layer 4, maxpool2d", "at most 1x1",
      image();
      for (int i = 0; i < 4; i++) tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
      tnn_build(net););
    M("negative units", ".units = -10", "layer 1, dense", "must be 1 to",
      flat(); tnn_add(net, TNN_DENSE, .units = -10);
      tnn_build(net););
    M("negative pad", "pad -1x-1", "layer 1, conv2d", "must not be negative",
      image(); tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .pad = -1); tnn_build(net););
    M("pad = same", "pad 2x2", "layer 1, maxpool2d", "at most half the kernel",
      image(); tnn_add(net, TNN_MAXPOOL2D, .kernel = 2, .pad = 2); tnn_build(net););
    M("groups that do not divide", "3 groups", "layer 1, conv2d", "must divide the 1 input",
      image(); tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .groups = 3); tnn_build(net););
    M("dropout of 50 %", ".p = 50", "layer 1, dropout", "in [0, 1",
      flat(); tnn_add(net, TNN_DROPOUT, .p = 50);
      tnn_build(net););
    M("filters of dense", "TNN_DENSE has no .filters", "tnn_add", "it has .units",
      flat(); tnn_add(net, TNN_DENSE, .filters = 10););
    M("units of conv2d", "TNN_CONV2D has no .units", "tnn_add", "it has .filters",
      image(); tnn_add(net, TNN_CONV2D, .units = 8, .kernel = 3););
    M("dropout's rate as value", "TNN_DROPOUT has no .value", "tnn_add", "it has .p",
      flat(); tnn_add(net, TNN_DROPOUT, .value = 0.5f););
    M("alpha of leaky ReLU", "TNN_LEAKY_RELU has no .alpha", "tnn_add", "it has .slope",
      flat(); tnn_add(net, TNN_LEAKY_RELU, .alpha = 0.2f););
    M("slope of ReLU", "TNN_RELU has no .slope", "tnn_add", "is of TNN_LEAKY_RELU",
      flat(); tnn_add(net, TNN_RELU, .slope = 0.2f););
    M("stride of upsample", "TNN_UPSAMPLE has no .stride", "tnn_add", ".factor",
      image(); tnn_add(net, TNN_UPSAMPLE, .stride = 2););
    M("units of batch norm", "TNN_BATCHNORM has no .units", "tnn_add", "is of TNN_DENSE",
      flat(); tnn_add(net, TNN_BATCHNORM, .units = 4););
    M(".from of a later layer", ".from = 5", "layer 2, add", "a layer before it",
      image(); tnn_add(net, TNN_RELU); tnn_add(net, TNN_ADD, .from = 5); tnn_build(net););
    M("add without .from", "needs a second input", "layer 2, add", ".from",
      image(); tnn_add(net, TNN_RELU); tnn_add(net, TNN_ADD);
      tnn_build(net););
    M("add of other shapes", "16x8x8 and, from layer 1, 8x8x8", "layer 3, add", "one shape",
      image(); tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .pad = 1);
      tnn_add(net, TNN_CONV2D, .filters = 16, .kernel = 3, .pad = 1);
      tnn_add(net, TNN_ADD, .from = 1); tnn_build(net););
    M("concat of other sizes", "8x4x4 and, from layer 1, 8x8x8", "layer 3, concat",
      "one height and width",
      image(); tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .pad = 1);
      tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
      tnn_add(net, TNN_CONCAT, .from = 1); tnn_build(net););
    M("conv2d behind flatten", "flattened to 64 values", "layer 2, conv2d", "goes before that",
      image(); tnn_add(net, TNN_FLATTEN); tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3);
      tnn_build(net););
    M("reshape to another size", "1x8x8 values cannot", "layer 1, reshape", "product must be 64",
      image(); tnn_add(net, TNN_RESHAPE, .shape = {1, 7, 7}); tnn_build(net););
    M("two dimensions of -1", "-1x-1x8", "layer 1, reshape", "one number may be -1",
      image(); tnn_add(net, TNN_RESHAPE, .shape = {-1, -1, 8}); tnn_build(net););
    M("no layers", "has no layers", "tnn_build", "tnn_add adds",
      flat(); tnn_build(net););
    M("no input", ".input = {0, 0, 0}", "tnn_create", "positive channels, height, width",
      net = tnn_create(.batch = 8););
    M("no channels", ".input = {0, 28, 28}", "tnn_create", "positive channels, height, width",
      net = tnn_create(.input = {0, 28, 28}););
    M("a network's batch of -1", ".batch = -1", "tnn_create", "at least 1",
      net = tnn_create(.input = {4}, .batch = -1););
    M("a batch of a billion", "cannot allocate", "tnn_build", NULL,
      net = tnn_create(.input = {1024, 1024, 1024},
      .batch = 1000000000); tnn_add(net, TNN_RELU); tnn_build(net););
    M("layer behind build", "has been built", "tnn_add", "layers come before the first forward",
      classifier(); tnn_build(net); tnn_add(net, TNN_RELU););
    M("loss behind build", "has been built", "tnn_set_loss", "comes before the first forward",
      classifier(); tnn_build(net); tnn_set_loss(net, TNN_MSE););
    M("optimizer behind build", "has been built", "tnn_set_optimizer",
      "comes before the first forward",
      classifier(); tnn_build(net); tnn_set_optimizer(net, TNN_ADAM););
    M("layer of no network", "no network", "tnn_add", "tnn_create gives one",
      tnn_add(NULL, TNN_RELU););
    M("an init that there is not", "77 is not a kind of initial value", ".init",
      "TNN_INIT_HE_UNIFORM is one",
      flat(); tnn_add(net, TNN_DENSE, .units = 3, .init = (tnn_init)77); tnn_build(net););
    M("sparse without sparsity", "sparsity = 0", ".init_with.sparsity", "in (0, 1]",
      flat(); tnn_add(net, TNN_DENSE, .units = 3, .init = TNN_INIT_SPARSE); tnn_build(net););
    M("gain of relu6", "no \"relu6\"", "tnn_calculate_gain", "among linear, conv2d, sigmoid",
      tnn_calculate_gain("relu6", 0););
    M("upsampling mode of pad", ".mode must be", "layer 1, pad", "TNN_REFLECT",
      image(); tnn_add(net, TNN_PAD, .pad = 1, .mode = TNN_BILINEAR); tnn_build(net););
    M("reflected by its size", "8x8 is too much", "layer 1, pad", "less than its size",
      image(); tnn_add(net, TNN_PAD, .pad = 8, .mode = TNN_REFLECT); tnn_build(net););
    M("GLU of odd channels", "not 3", "layer 2, glu", "an even number of channels",
      flat(); tnn_add(net, TNN_DENSE, .units = 3); tnn_add(net, TNN_GLU); tnn_build(net););
    M("group norm of 3 in 4", ".groups = 3", "layer 1, groupnorm", "must divide the 4 channels",
      flat(); tnn_add(net, TNN_GROUPNORM, .groups = 3); tnn_build(net););
    M("momentum 1.5 of batch norm", ".momentum = 1.5", "layer 1, batchnorm", "in [0, 1]",
      flat(); tnn_add(net, TNN_BATCHNORM, .momentum = 1.5f); tnn_build(net););
    M("negative l2", ".l2 = -0.0001", "tnn_add", "in [0, 1e30]",
      flat(); tnn_add(net, TNN_DENSE, .units = 3, .l2 = -1e-4);
      tnn_build(net););
    M("too little memory", "of .memory 256 of 256 are left", "tnn_create", "takes ",
      static float room[64];
      net = tnn_create(.input = {4}, .memory = room, .bytes = sizeof room););
    M("bytes of no memory", ".bytes does nothing", "tnn_create", "without .memory",
      net = tnn_create(.input = {4}, .bytes = 4096););
    M("a parameter's name", "no parameter \"fc1.weight\"", "tnn_get_param", "as 0.weight",
      classifier(); tnn_get_param(net, "fc1.weight", x, 12););
    M("a parameter's size", "not 10", "0.weight", "has 12 values",
      classifier(); tnn_get_param(net, "0.weight", x, 10););
    M("NaN as weight", "not finite", "value 3 of 0.weight", NULL,
      classifier(); x[3] = NAN; tnn_set_param(net, "0.weight", x, 12););
    M("group of no layer", "begins with \"features.\"", "tnn_set_group", "tnn_param_info tells",
      classifier(); tnn_set_group(net, "features.", 0.1, 1, 0););
}

/* ---- order of calls -------------------------------------------------------------------------- */
static void order(void)
{
    M("backward before loss", "comes after", "tnn_backward",
      "tnn_forward in TNN_TRAIN mode and tnn_loss",
      classifier(); tnn_forward(net, x, 8, TNN_TRAIN);
      tnn_backward(net););
    M("loss before forward", "no forward", "tnn_loss", "tnn_forward comes first",
      classifier(); tnn_loss(net, y););
    M("step without backward", "comes after", "tnn_step", "tnn_backward",
      classifier(); tnn_forward(net, x, 8, TNN_TRAIN);
      tnn_loss(net, y); tnn_step(net););
    M("two steps", "comes after", "tnn_step", "tnn_backward",
      classifier(); tnn_train_batch(net, x, y, 8); tnn_step(net););
    M("two backwards", "comes after", "tnn_backward", "tnn_forward in TNN_TRAIN mode and tnn_loss",
      classifier(); tnn_forward(net, x, 8, TNN_TRAIN);
      tnn_loss(net, y); tnn_backward(net); tnn_backward(net););
    M("output before forward", "no forward", "tnn_output", "tnn_forward comes first",
      classifier(); tnn_output(net););
    M("training in TNN_EVAL", "comes after", "tnn_backward", "TNN_TRAIN",
      classifier(); tnn_forward(net, x, 8, TNN_EVAL);
      tnn_loss(net, y); tnn_backward(net););
    M("no loss", "no loss", "tnn_loss", "by tnn_set_loss",
      flat(); tnn_add(net, TNN_DENSE, .units = 3);
      tnn_set_optimizer(net, TNN_SGD); tnn_train_batch(net, x, y, 8););
    M("no optimizer", "no optimizer", "tnn_step", "by tnn_set_optimizer",
      flat(); tnn_add(net, TNN_DENSE, .units = 3);
      tnn_set_loss(net, TNN_CROSS_ENTROPY); tnn_train_batch(net, x, y, 8););
    M("schedule before optimizer", "no optimizer", "tnn_set_schedule", "that comes first",
      flat(); tnn_add(net, TNN_DENSE, .units = 3);
      tnn_set_schedule(net, TNN_COSINE, .steps = 10););
    M("batch beyond .batch", "a batch of 9", "tnn_forward", ".batch of tnn_create",
      classifier(); tnn_forward(net, x, 9, TNN_TRAIN););
    M("a batch of 0", "a batch of 0", "tnn_forward", "takes 1 to 8 samples",
      classifier(); tnn_forward(net, x, 0, TNN_TRAIN););
    M("no x", "x is NULL", "tnn_forward", "must be 8 samples",
      classifier(); tnn_forward(net, NULL, 8, TNN_TRAIN););
    M("a loss without labels", "no labels", "tnn_loss", "has .targets, for tnn_loss_targets",
      classifier(); tnn_forward(net, x, 8, TNN_TRAIN);
      tnn_loss(net, NULL););
    M("average that there is not", "there is no average", "tnn_use_average",
      "it takes .ema, .swa_start",
      classifier(); tnn_use_average(net, 1););
    M("no network", "no network", NULL, "tnn_create",
      tnn_train_batch(NULL, x, y, 8););
    M("clipping before backward", "comes after", "tnn_clip_grad", "tnn_backward",
      classifier(); tnn_build(net);
      tnn_clip_grad(net, TNN_CLIP_NORM, 1););
    M("clipping to -1", "limit = -1", "tnn_clip_grad", "not negative",
      classifier(); tnn_forward(net, x, 8, TNN_TRAIN);
      tnn_loss(net, y); tnn_backward(net); tnn_clip_grad(net, TNN_CLIP_NORM, -1););
}

/* ---- data ------------------------------------------------------------------------------------ */
static void data_sets(void)
{
    static const unsigned char idx[] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9};
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 8};
    M("no such file", "No such file", "mnist/train", NULL,
      data = tnn_load_idx("mnist/train", "mnist/labels"););
    M("no path", "(no path)", "must be given", NULL,
      data = tnn_load_idx(NULL, NULL););
#ifndef _WIN32
    M("a folder", "not a file", "a folder", NULL,
      data = tnn_load_idx(folder, folder););
#endif
    M("still compressed", "compressed", "mistakes-gz", "unpack it first: gzip -dk",
      TEXT_FILE("gz", "\x1f\x8b\x08\0\0");
      data = tnn_load_idx(path, path););
    M("labels for images", "not an IDX file", "mistakes-labels", "should be 0 0 8 3",
      file("labels", labels, sizeof labels);
      data = tnn_load_idx(path, path););
    M("more labels than images", "2 labels", "images holds 1", "must be as many",
      data = tnn_parse_idx(idx, sizeof idx, labels, sizeof labels););
    M("half a download", "holds 0 bytes", "images", "announces 1",
      data = tnn_parse_idx(idx, sizeof idx - 1, labels, 9););
    M("a PNG as IDX", "is a PNG image", "mistakes-png", "convert it to PGM or PPM",
      TEXT_FILE("png", "\x89PNG\r\n\x1a\n        ");
      data = tnn_load_idx(path, path););
    M("a PNG as PGM", "is a PNG image", "pnm", "convert it to PGM or PPM",
      array = tnn_parse_pnm("\x89PNG\r\n\x1a\n", 8););
    M("a JPEG as PGM", "is a JPEG image", "pnm", "convert it to PGM or PPM",
      array = tnn_parse_pnm("\xff\xd8\xff\xe0", 4););
    M("CSV as .npy", "is not a .npy file", "mistakes-csv", "version 1.0",
      TEXT_FILE("csv", "1,2\n3,4\n"); array = tnn_read_npy(path););
    M(".npz as .npy", "zip archive", "npy", "unpack it first: unzip",
      array = tnn_parse_npy("PK\3\4          ", 14););
    M("a pickle as .npy", "a pickle of Python", "npy", "numpy.save",
      array = tnn_parse_npy("\x80\4\x95        ", 11););
    M("strings in .npy", "type '<U4'", "npy", "supported are b1, u1",
      static const char text[] = "\x93NUMPY\1\0\x3c\0"
      "{'descr': '<U4', 'fortran_order': False, 'shape': (1,), }  \n0123456789abcdef";
      array = tnn_parse_npy(text, sizeof text - 1););
    M("a word in CSV", "not a number", "field 2 of line 2", "as -12, 0.5 or 1e-3",
      array = tnn_parse_csv("1,2\n3,cat\n", 10););
    M("a decimal comma", ": 4,5", "field 2 of line 2", "as -12, 0.5 or 1e-3",
      array = tnn_parse_csv("1;2\n3;4,5\n", 10););
    M("thousands", ": 1_000", "field 2 of line 2", "as -12, 0.5 or 1e-3",
      array = tnn_parse_csv("1,2\n3,1_000\n", 12););
    M("a line too short", "1 fields", "line 2", "the first 2",
      array = tnn_parse_csv("1,2\n3\n", 6););
    M("an empty CSV", "no line of numbers", "csv", "one is as",
      array = tnn_parse_csv("", 0););
    M("label column 4 of 3", ".label_column = 4", "samples", "columns 1..3 or -3..-1",
      array = tnn_parse_csv("1,2,3\n", 6);
      data = tnn_array_data(&array, NULL, &(tnn_npy_options){.label_column = 4}););
    M("a label of 2.5", "label 2.5", "sample 0", "a whole number",
      array = tnn_parse_csv("2.5,1\n", 6);
      data = tnn_array_data(&array, NULL, &(tnn_npy_options){.label_column = 1}););
    M("a label of -1", "label -1", "sample 0", "0..16777216",
      array = tnn_parse_csv("-1,1\n", 5);
      data = tnn_array_data(&array, NULL, &(tnn_npy_options){.label_column = 1}););
    M("a missing value", "value nan", "sample 1", "a finite float",
      array = tnn_parse_csv("1,2\n3,\n", 7);
      data = tnn_array_data(&array, NULL, NULL););
    M("a column misspelt", ".targets has \"prize\"", "csv", "the file has \"rooms\", \"price\"",
      data = tnn_csv_data("rooms,price\n1,2\n", 16, &(tnn_csv_options){.targets = "prize"}););
    M("one class", "column \"kind\" has 1", "csv", "at least 2 classes",
      data = tnn_csv_data("x,kind\n1,a\n2,a\n", 15, &(tnn_csv_options){.label = "kind"}););
    M("text as input", "\"Bern\" is not a number", "line 3, column \"city\"", ".one_hot takes",
      data = tnn_csv_data("city,y\n1,2\nBern,3\n", 18, &(tnn_csv_options){.targets = "y"}););
    M("a hole in a table", "a missing value", "line 2, column \"x\"", ".fill_mean = 1",
      data = tnn_csv_data("x,y\nNA,2\n", 9, &(tnn_csv_options){.targets = "y"}););
    M("targets and label", ".targets are numbers, .label is classes", "tnn_load_csv", "one of them",
      TEXT_FILE("csv", "x,y\n1,2\n");
      data = tnn_load_csv(path, .targets = "y", .label = "y"););
    M("a file of names alone", "no line of values", "mistakes-csv", NULL,
      TEXT_FILE("csv", "x,y\n"); data = tnn_load_csv(path, .targets = "y"););
    M("an array misspelt", "no array x_tain", "none.npz", "its arrays are",
      static const char empty[] = "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
      file("none.npz", empty, 22); array = tnn_read_npz(path, "x_tain"););
    M("another shape", "samples have 3 values", ".shape 1x2x2", "must have as many",
      array = tnn_parse_csv("1,2,3\n4,5,6\n", 12);
      data = tnn_array_data(&array, NULL, &(tnn_npy_options){.shape = {1, 2, 2}}););
    M("negative labels", "label -1", "sample 3", "must be in [0, ",
      y[3] = -1; samples(8););
    M("no labels", "needs", "tnn_data_view", "labels",
      data = tnn_data_view(NULL, x, NULL, 8, 4, 1, 1););
    M("bytes and floats", "needs", "tnn_data_view", "either bytes or floats",
      data = tnn_data_view((const unsigned char *)x, x, y, 8, 4, 1, 1););
    M("no samples", "(0, 4, 1, 1)", "tnn_data_view", "positive n",
      samples(0););
    M("std 0", "std 0", "tnn_normalize", "positive",
      samples(8); tnn_normalize(&data, 0.5f, 0););
    M("mean and std in 0..255", "mean 128 and std 64", "tnn_normalize", "divide both by 255",
      static unsigned char bytes[32];
      data = tnn_data_view(bytes, NULL, y, 8, 4, 1, 1);
      tnn_normalize(&data, 128, 64););
    M("normalised too late", "what they made", "tnn_normalize",
      "comes before tnn_loader_create",
      array = tnn_parse_csv("1,2\n3,4\n", 8);
      data = tnn_array_data(&array, NULL, NULL); loader = tnn_loader_create(&data, .batch = 2);
      tnn_normalize(&data, 0.5f, 0.5f););
    M("subset beyond the end", "4 samples from 6 on", "tnn_subset", "of 8",
      samples(8); tnn_subset(&data, 6, 4););
    M("split of 80 %", "80 samples", "tnn_split", "of 8",
      tnn_data a; tnn_data b; samples(8);
      tnn_split(&data, 80, 1, &a, &b););
    M("sample 8 of 8", "sample 8", "tnn_sample", "of 8",
      samples(8); tnn_sample(&data, 8, x, 4););
    M("loader of nothing", "no samples", "tnn_loader_create", "tnn_load_idx",
      loader = tnn_loader_create(&data, .batch = 4););
    M("loader of a missing file", "No such file", "no-images", NULL,
      data = tnn_load_idx("no-images", "no-labels");
      loader = tnn_loader_create(&data, .batch = 4); tnn_next(loader););
    M("negative batch", ".batch = -4", "tnn_loader_create", "must be 1 to",
      samples(8); loader = tnn_loader_create(&data, .batch = -4););
    M("flip of 50 %", ".flip = 50", "tnn_loader_create", "in [0, 1]",
      samples(8); loader = tnn_loader_create(&data, .flip = 50););
    M("flip of flat samples", "4x1x1 are no images", "tnn_loader_create",
      "give the data set the images' shape",
      samples(8); loader = tnn_loader_create(&data, .flip = 0.5);
      tnn_next(loader););
    M("hue of grey", "the data have 1", ".hue", "need 3 channels",
      data = tnn_data_view(NULL, x, y, 8, 1, 8, 8);
      loader = tnn_loader_create(&data, .hue = 0.1); tnn_next(loader););
    M("all dropped", "drops everything", ".drop_last", "8 samples in batches of 16",
      samples(8);
      loader = tnn_loader_create(&data, .batch = 16, .drop_last = 1););
    M("crop beyond the image", ".crop_pad = 8", "tnn_loader_create", "at most 7",
      data = tnn_data_view(NULL, x, y, 8, 1, 8, 8);
      loader = tnn_loader_create(&data, .crop_pad = 8););
}

/* ---- losses ---------------------------------------------------------------------------------- */
static void losses(void)
{
    const float w[3] = {1, -2, 1};
    M("softmax before cross-entropy", "takes logits", "layer 2 (softmax)", "leave out layer 2",
      with_loss(TNN_SOFTMAX, TNN_CROSS_ENTROPY););
    M("sigmoid before BCE_LOGITS", "takes logits", "layer 2 (sigmoid)", "leave out layer 2",
      with_loss(TNN_SIGMOID, TNN_BCE_LOGITS););
    M("logits for NLL", "nll", "output ", "at most",
      with_loss(TNN_LEAKY_RELU, TNN_NLL);
      tnn_forward(net, x, 8, TNN_TRAIN); tnn_loss(net, y););
    M("softmax before NLL", "takes log-probabilities", "layer 2 (softmax)",
      "TNN_LOG_SOFTMAX instead",
      with_loss(TNN_SOFTMAX, TNN_NLL););
    M("logits for BCE", "is -101", "output 0 of sample 0", "at least 0",
      regression(); tnn_set_loss(net, TNN_BCE);
      x[0] = 1000; tnn_forward(net, x, 8, TNN_TRAIN); tnn_loss(net, y););
    M("a label of class 3 of 3", "label 3", "sample 4", "the network has 3 classes",
      classifier(); y[4] = 3;
      tnn_train_batch(net, x, y, 8););
    M("labels from 1 on", "label 3", "sample 0", "the network has 3 classes",
      classifier(); y[0] = 3; samples(8);
      loader = tnn_loader_create(&data, .batch = 8); tnn_train_epoch(net, loader););
    M("BCE with labels -1 and 1", "is -1;", "target 0 of sample 0", "in [0, 1]",
      regression(); tnn_set_loss(net, TNN_BCE_LOGITS);
      t[0] = -1; tnn_train_batch_targets(net, x, t, 8););
    M("probabilities of 2", "is -0.34", "target 0 of sample 0", "in [0, 1]",
      classifier(); t[5] = 2;
      tnn_train_batch_targets(net, x, t, 8););
    M("targets for NLL", "nll takes labels", "tnn_loss_targets", "(tnn_loss)",
      flat(); tnn_add(net, TNN_DENSE, .units = 3);
      tnn_add(net, TNN_LOG_SOFTMAX); tnn_set_loss(net, TNN_NLL); tnn_set_optimizer(net, TNN_SGD);
      tnn_train_batch_targets(net, x, t, 8););
    M("labels for Gaussian NLL", "takes targets", "tnn_loss", "(tnn_loss_targets)",
      flat(); tnn_add(net, TNN_DENSE, .units = 2);
      tnn_add(net, TNN_SOFTPLUS);
      tnn_set_loss(net, TNN_GAUSSIAN_NLL); tnn_set_optimizer(net, TNN_SGD);
      tnn_train_batch(net, x, y, 8););
    M("NaN in samples", "is nan", "value 1 of sample 1", "must be finite",
      classifier(); x[5] = NAN; tnn_train_batch(net, x, y, 8););
    M("NaN in targets", "is nan", "target 0 of sample 5", "must be finite",
      regression(); t[5] = NAN;
      tnn_train_batch_targets(net, x, t, 8););
    M("label smoothing of 10 %", ".label_smoothing = 10", "tnn_set_loss", "in [0, 1]",
      flat();
      tnn_set_loss(net, TNN_CROSS_ENTROPY, .label_smoothing = 10););
    M("smoothing of MSE", "TNN_MSE has no", ".label_smoothing", "is of TNN_CROSS_ENTROPY",
      flat(); tnn_set_loss(net, TNN_MSE, .label_smoothing = 0.1f););
    M("gamma of BCE", "TNN_BCE_LOGITS has no", ".gamma", "is of TNN_CROSS_ENTROPY",
      flat(); tnn_set_loss(net, TNN_BCE_LOGITS, .gamma = 2););
    M("negative class weights", "= -2", ".class_weights[1]", "in [0, 1e30]",
      flat(); tnn_add(net, TNN_DENSE, .units = 3);
      tnn_set_loss(net, TNN_CROSS_ENTROPY, .class_weights = w); tnn_build(net););
    M("class weights of Dice", "TNN_DICE has no", ".class_weights", "it has .smooth",
      flat();
      tnn_set_loss(net, TNN_DICE, .class_weights = w););
    M("an activation as loss", "TNN_SOFTMAX is a layer", "tnn_set_loss", "is TNN_CROSS_ENTROPY",
      flat(); tnn_set_loss(net, (tnn_loss_type)TNN_SOFTMAX););
    M("cosine's schedule as loss", "TNN_COSINE is a schedule", "tnn_set_loss", "TNN_COSINE_LOSS",
      flat();
      tnn_set_loss(net, (tnn_loss_type)TNN_COSINE););
    M("segmentation without .per_pixel", "one value per class", "the last layer gives 3x8x8",
      ".per_pixel = 1",
      image();
      tnn_add(net, TNN_CONV2D, .filters = 3, .kernel = 1); tnn_set_loss(net, TNN_CROSS_ENTROPY);
      tnn_set_optimizer(net, TNN_SGD); tnn_train_batch(net, x, y, 8););
    M("forgot flatten", "one value per class", "the last layer gives 3x6x6", "else TNN_FLATTEN",
      image();
      tnn_add(net, TNN_CONV2D, .filters = 3, .kernel = 3); tnn_set_loss(net, TNN_CROSS_ENTROPY);
      tnn_set_optimizer(net, TNN_SGD); tnn_forward(net, x, 8, TNN_TRAIN); tnn_loss(net, y););
    M("ignore_index of 0.5", "= 0.5", ".ignore_index", "a whole number",
      flat();
      tnn_set_loss(net, TNN_CROSS_ENTROPY, .ignore_index = 0.5f););
    M("huber with delta -1", "= -1", ".delta", "in [1e-30, 1e30]",
      flat(); tnn_set_loss(net, TNN_HUBER, .delta = -1););
    M("custom without a function", ".custom", "tnn_set_loss", "the function",
      flat(); tnn_set_loss(net, TNN_CUSTOM_LOSS););
}

/* ---- optimizers and schedules ---------------------------------------------------------------- */
static void optimizers(void)
{
    M("lr of -0.1", "= -0.1", ".lr", "in [0, 1e30)",
      flat(); tnn_set_optimizer(net, TNN_SGD, .lr = -0.1););
    M("lr of 1e30", "= 1e30", ".lr", "in [0, 1e30)",
      flat(); tnn_set_optimizer(net, TNN_SGD, .lr = 1e30););
    M("lr of NaN", "= nan", "tnn_set_lr", "in [0, 1e30",
      classifier(); tnn_set_lr(net, NAN););
    M("momentum of 1.5", "= 1.5", ".momentum", "in [0, 1)",
      flat();
      tnn_set_optimizer(net, TNN_SGD, .lr = 0.1, .momentum = 1.5););
    M("momentum of 1", "= 1 ", ".momentum", "in [0, 1)",
      flat(); tnn_set_optimizer(net, TNN_SGD, .momentum = 1););
    M("beta1 of 9", "= 9", ".beta1", "in [0, 1)",
      flat(); tnn_set_optimizer(net, TNN_ADAM, .beta1 = 9););
    M("negative weight decay", "= -0.01", ".weight_decay", "in [0, 1e30)",
      flat();
      tnn_set_optimizer(net, TNN_ADAMW, .weight_decay = -0.01););
    M("momentum of Adam", "TNN_ADAM has no .momentum", "tnn_set_optimizer", "it has .beta1",
      flat(); tnn_set_optimizer(net, TNN_ADAM, .momentum = 0.9););
    M("nesterov of Adam", "TNN_ADAM has no .nesterov", "tnn_set_optimizer", "is of TNN_SGD",
      flat(); tnn_set_optimizer(net, TNN_ADAM, .nesterov = 1););
    M("beta1 of SGD", "TNN_SGD has no .beta1", "tnn_set_optimizer", "it has .momentum",
      flat(); tnn_set_optimizer(net, TNN_SGD, .beta1 = 0.9););
    M("amsgrad of NAdam", "TNN_NADAM has no .amsgrad", "tnn_set_optimizer", "is of TNN_ADAM",
      flat(); tnn_set_optimizer(net, TNN_NADAM, .amsgrad = 1););
    M("eps of Lion", "TNN_LION has no .eps", "tnn_set_optimizer", "it has .beta1 .beta2",
      flat(); tnn_set_optimizer(net, TNN_LION, .eps = 1e-8););
    M("weight decay of L-BFGS", "TNN_LBFGS has no .weight_decay", "tnn_set_optimizer",
      "it has .tolerance_grad",
      flat(); tnn_set_optimizer(net, TNN_LBFGS, .weight_decay = 1e-4););
    M("gamma of cosine", "TNN_COSINE has no .gamma", "schedule", "is of TNN_STEP",
      classifier(); tnn_set_schedule(net, TNN_COSINE, .steps = 100, .gamma = 0.1););
    M("nesterov without momentum", ".nesterov does nothing", "tnn_set_optimizer", ".momentum",
      flat();
      tnn_set_optimizer(net, TNN_SGD, .nesterov = 1););
    M("a loss as optimizer", "TNN_MSE is a loss", "tnn_set_optimizer", "needed is an optimizer",
      flat();
      tnn_set_optimizer(net, (tnn_optimizer_type)TNN_MSE););
    M("no optimizer type", "0 is not an optimizer", "tnn_set_optimizer", "TNN_SGD is one",
      flat(); tnn_set_optimizer(net, (tnn_optimizer_type)0););
    M("negative eps", "= -0.00000001", ".eps", "in [0, 1e30)",
      flat(); tnn_set_optimizer(net, TNN_ADAM, .eps = -1e-8););
    M("clip_norm of -1", "= -1", ".clip_norm", "in [0, 1e30)",
      flat(); tnn_set_optimizer(net, TNN_SGD, .clip_norm = -1););
    M("accumulate -2", "= -2", ".accumulate", "1 to 2147483647",
      flat(); tnn_set_optimizer(net, TNN_SGD, .accumulate = -2););
    M("EMA of 2", "= 2", ".ema", "in [0, 1)",
      flat(); tnn_set_optimizer(net, TNN_SGD, .ema = 2););
    M("EMA and SWA", ".ema = 0.9 and .swa_start = 10", "tnn_set_optimizer", "there is one average",
      flat();
      tnn_set_optimizer(net, TNN_SGD, .ema = 0.9, .swa_start = 10););
    M("custom without update", "TNN_CUSTOM needs", "tnn_set_optimizer", ".update",
      flat(); tnn_set_optimizer(net, TNN_CUSTOM););
    M("diverged", "not finite after ", "the loss of sample 0", "a smaller lr",
      regression(); tnn_set_optimizer(net, TNN_SGD, .lr = 1e8);
      for (int i = 0; i < 50 && !tnn_failed(); i++) tnn_train_batch_targets(net, x, t, 8););
    M("momentum set too late", "without momentum", "tnn_set_momentum", "give the optimizer some",
      classifier(); tnn_build(net);
      tnn_set_momentum(net, 0.9););
    M("step without steps", ".steps = 0", "schedule step", "must be given, 1 to",
      classifier();
      tnn_set_schedule(net, TNN_STEP, .gamma = 0.1););
    M("cosine without steps", ".steps = 0", "schedule cosine", "must be given, 1 to",
      classifier(); tnn_set_schedule(net, TNN_COSINE););
    M("exponential without gamma", ".gamma = 0", "schedule exponential", "must be given",
      classifier();
      tnn_set_schedule(net, TNN_EXPONENTIAL););
    M("gamma of -0.9", ".gamma = -0.9", "schedule exponential", "in [0, 1e30]",
      classifier();
      tnn_set_schedule(net, TNN_EXPONENTIAL, .gamma = -0.9););
    M("milestones that fall", "= 30", ".milestones[1]", "not be less than 60",
      static const int at[] = {60, 30}; classifier();
      tnn_set_schedule(net, TNN_MULTISTEP, .milestones = at, .count = 2););
    M("milestones without count", ".count = 0", "schedule multistep", "at least 1",
      static const int at[] = {30, 60}; classifier();
      tnn_set_schedule(net, TNN_MULTISTEP, .milestones = at););
    M("sequence without parts", "must be given", "schedule sequential", ".milestones",
      classifier();
      tnn_set_schedule(net, TNN_SEQUENTIAL, .count = 2););
    M("a dense layer as schedule", "TNN_DENSE is a layer", "schedule", "for tnn_add",
      classifier();
      tnn_set_schedule(net, (tnn_schedule_type)TNN_DENSE, .steps = 10););
    M("one-cycle without momentum", "without momentum", "tnn_set_momentum",
      "give the optimizer some",
      classifier(); tnn_build(net);
      tnn_set_schedule(net, TNN_ONE_CYCLE, .steps = 100); tnn_train_batch(net, x, y, 8););
    M("negative warmup", "= -5", ".warmup", "must be 0 to",
      classifier();
      tnn_set_schedule(net, TNN_COSINE, .steps = 10, .warmup = -5););
    M("plateau with factor 10", "= 10", ".factor", "in [0, 1)",
      double lr = 0.1; tnn_plateau p = {.factor = 10};
      tnn_plateau_update(&p, 1, &lr););
    M("Keras' plateau with an eps", ".eps does nothing", "tnn_plateau_update", "with .keras",
      double lr = 0.1; tnn_plateau p = {.keras = 1, .eps = 1e-3};
      tnn_plateau_update(&p, 1, &lr););
    M("a Keras' threshold said absolute", ".absolute does nothing", "tnn_plateau_update",
      "with .keras", double lr = 0.1; tnn_plateau p = {.keras = 1, .absolute = 1};
      tnn_plateau_update(&p, 1, &lr););
    M("a part per epoch", ".per_epoch", "schedule cosine", "belongs to the whole",
      tnn_schedule part[2] = {{.type = TNN_COSINE, .steps = 5, .per_epoch = 1},
                              {.type = TNN_COSINE, .steps = 5}};
      const int mile[1] = {5};
      classifier(); tnn_set_schedule(net, TNN_SEQUENTIAL, .parts = part, .count = 2,
                                     .milestones = mile););
    M("step of -1", "step -1", "schedule", "0 to 2^53",
      tnn_schedule s = {.type = TNN_COSINE, .steps = 10};
      tnn_schedule_lr(&s, -1););
}

/* ---- training -------------------------------------------------------------------------------- */
static void training(void)
{
    M("data of another shape", "samples of 5x1x1", "tnn_evaluate", "a network of 4x1x1",
      classifier();
      data = tnn_data_view(NULL, x, y, 8, 5, 1, 1); tnn_evaluate(net, &data););
    M("images the other way round", "another order", "samples of 8x8x1",
      "channels x height x width",
      image(); tnn_add(net, TNN_DENSE, .units = 3);
      tnn_set_loss(net, TNN_CROSS_ENTROPY); data = tnn_data_view(NULL, x, y, 8, 8, 8, 1);
      tnn_evaluate(net, &data););
    M("evaluate nothing", "no data", "tnn_evaluate", "give data sets",
      classifier(); tnn_evaluate(net, &data););
    M("more classes than outputs", "label 9", "sample 7", "the network has 3 classes",
      classifier(); y[7] = 9; samples(8);
      tnn_evaluate(net, &data););
    M("confusion too small", "2 classes", "tnn_confusion", "tells 3 apart",
      classifier(); samples(8);
      tnn_confusion(net, &data, counts, 2););
    M("confusion of nothing", "no counts", "tnn_confusion", "classes*classes ints",
      classifier(); samples(8);
      tnn_confusion(net, &data, NULL, 3););
    M("epoch of no loader", "no loader", "tnn_train_epoch", "tnn_loader_create makes",
      classifier(); tnn_train_epoch(net, NULL););
    M("mixup without targets", "no labels", "tnn_loss", "has .targets, for tnn_loss_targets",
      classifier(); samples(8);
      loader = tnn_loader_create(&data, .mixup = 0.2); tnn_next(loader);
      tnn_train_batch(net, loader->x, loader->labels, loader->n););
    M("loader beyond .batch", "a batch of 32", "tnn_forward", ".batch of tnn_create",
      classifier(); samples(32);
      loader = tnn_loader_create(&data, .batch = 32); tnn_train_epoch(net, loader););
    M("no network to restore", "no network", "tnn_early_stop", "for .restore_best",
      tnn_early_stopping s = {.restore_best = 1};
      tnn_early_stop(&s, NULL, 1););
    M("early stopping of a larger network", "another network", "tnn_early_stop", "of its own",
      classifier();
      tnn_early_stopping s = {.restore_best = 1}; tnn_early_stop(&s, net, 2);
      tnn_net *larger = tnn_create(.input = {64}, .batch = 8);
      tnn_add(larger, TNN_DENSE, .units = 64);
      tnn_early_stop(&s, larger, 1); tnn_early_stopping_end(&s, NULL); tnn_free(larger););
    M("its best for another network", "of another network", "tnn_early_stopping_end", NULL,
      classifier();
      tnn_early_stopping s = {.restore_best = 1}; tnn_early_stop(&s, net, 2);
      tnn_net *larger = tnn_create(.input = {64}, .batch = 8);
      tnn_add(larger, TNN_DENSE, .units = 64); tnn_build(larger);
      tnn_early_stopping_end(&s, larger); tnn_free(larger););
    M("Keras' and ours", "does nothing with .keras", ".stop_at", NULL,
      classifier();
      tnn_early_stopping s = {.keras = 1, .stop_at = 0.5}; tnn_early_stop(&s, net, 1););
    M("finder from 1 to 0.1", ".max_lr = 0.1", "tnn_lr_find", "0 < .min_lr",
      classifier(); samples(8);
      loader = tnn_loader_create(&data, .batch = 8); static double lr[10]; static double loss[10];
      tnn_lr_finder f = {.min_lr = 1, .max_lr = 0.1, .steps = 10, .lr = lr, .loss = loss};
      tnn_lr_find(net, loader, &f););
    M("finder without arrays", "no arrays", "tnn_lr_find", ".lr and .loss",
      classifier(); samples(8);
      loader = tnn_loader_create(&data, .batch = 8); tnn_lr_finder f = {.steps = 10};
      tnn_lr_find(net, loader, &f););
    M("a layer's output without a look", "comes after tnn_look", "tnn_layer_output", NULL,
      classifier(); tnn_forward(net, x, 8, TNN_EVAL); tnn_layer_output(net, 1););
    M("gradient of a look forward", "comes after tnn_look", "tnn_layer_gradient", "with .outputs",
      classifier(); tnn_look(net, .x = x, .n = 8); tnn_layer_gradient(net, 1););
    M("a layer that there is not", "layer 9", "tnn_layer_output", "must be 1 to 1, or 0 for",
      classifier(); tnn_look(net, .x = x, .n = 8); tnn_layer_output(net, 9););
    M("look at a batch after its step", "of the last forward's batch", "tnn_look",
      "before tnn_step",
      classifier(); tnn_train_batch(net, x, y, 8); tnn_look(net, .x = NULL););
    M("saliency of a class that is none", ".outputs[1] = 3", "tnn_look", "must be 0 to 2",
      static int most[2]; most[1] = 3;
      classifier(); tnn_look(net, .x = x, .n = 2, .outputs = most););
    M("saliency of the loss without one", "no loss was set", "tnn_loss", "by tnn_set_loss",
      flat(); tnn_add(net, TNN_DENSE, .units = 3); tnn_look(net, .x = x, .labels = y););
    M("profile with images of others", "samples of 3x1x1", "tnn_profile", "a network of 4x1x1",
      classifier(); samples(8); data.c = 3;
      char page[100]; tnn_profile(net, &data, page, sizeof page););
    M("statistics without a look", "comes after tnn_look", "tnn_layer_statistics", NULL,
      classifier(); tnn_layer_statistics(net, 1, NULL, NULL, 0););
    M("a watch without a path", "is to be a tnn_watch", "tnn_watch_layers", "with .path",
      classifier(); samples(8); tnn_watch watch = {0};
      tnn_history run = tnn_fit(net, &data, NULL, .callback = tnn_watch_layers, .user = &watch);
      tnn_history_free(&run););
}

/* ---- files ----------------------------------------------------------------------------------- */
static void files(void)
{
    static char bytes[20000];
    size_t size = 0;
    classifier();
    size = tnn_format_checkpoint(net, bytes, sizeof bytes, NULL);
    tnn_free(net);
    net = NULL;
    file("run.tnn", bytes, size);
    M("no checkpoint", "No such file", "none.tnn", NULL,
      classifier(); tnn_load_checkpoint(net, "none.tnn"););
#ifndef _WIN32
    M("a folder as checkpoint", "not a file", "a folder", NULL,
      classifier(); tnn_load_checkpoint(net, folder););
#endif
    M("another architecture", "is (3x4)", "the network's 0.weight", NULL,
      flat(); tnn_add(net, TNN_DENSE, .units = 4);
      tnn_set_loss(net, TNN_CROSS_ENTROPY); tnn_set_optimizer(net, TNN_SGD, .lr = 0.1);
      tnn_load_checkpoint(net, path););
    M("another optimizer", "is of a network with SGD", "this one has Adam", "tnn_load_weights",
      classifier(); tnn_set_optimizer(net, TNN_ADAM);
      tnn_load_checkpoint(net, path););
    M("loader that was not there", "loader", "mistakes-run.tnn", NULL,
      classifier(); samples(8);
      loader = tnn_loader_create(&data, .batch = 8);
      tnn_load_checkpoint(net, path, .loader = loader););
    M("half a checkpoint", "is cut off", "within its header", NULL,
      classifier(); file("half", bytes, size/2);
      tnn_load_checkpoint(net, path););
    M("a byte changed", "is damaged", "mistakes-bad", "an older copy",
      classifier(); bytes[size - 20] ^= 1; file("bad", bytes, size);
      bytes[size - 20] ^= 1; tnn_load_checkpoint(net, path););
    M("an empty file", "0 bytes", "mistakes-empty", NULL,
      classifier(); TEXT_FILE("empty", "");
      tnn_load_checkpoint(net, path););
    M("model.pt", "torch.save", "mistakes-m.pt", "how to convert it",
      classifier(); TEXT_FILE("m.pt", "PK\3\4\0\0\b\b\0\0\0\0\0\0\0\0\0\0"
      "\0\0\0\0\0\0\0\0\20\0\0\0archive/data.pkl\200\2}");
      tnn_load_weights(net, path););
    M("model.pth, old", "torch.save", "mistakes-m.pth", "how to convert it",
      classifier(); TEXT_FILE("m.pth", "\x80\2\x8a\nl\xfc\x9c    ");
      tnn_load_weights(net, path););
    M("model.h5", "HDF5", "mistakes-m.h5", "numpy.save",
      classifier(); TEXT_FILE("m.h5", "\x89HDF\r\n\x1a\n            ");
      tnn_load_weights(net, path););
    M("model.onnx", "ONNX", "mistakes-m.onnx", "save its weights in Python as safetensors",
      classifier(); TEXT_FILE("m.onnx", "\b\b\x12\apytorch\x1a\5" "2.1.0");
      tnn_load_weights(net, path););
    M("weights of others", "0.weight is (3x4)", "the network's 0.weight (4x4)", NULL,
      flat(); tnn_add(net, TNN_DENSE, .units = 4);
      file("run.tnn", bytes, size); tnn_load_weights(net, path););
    M("weights of other names", "has no fc.weight", "mistakes-run.tnn", ".partial = 1",
      classifier();
      tnn_load_weights(net, path, .rename = {{"fc.", "0."}}););
    M("no such folder", "No such file", "none/net.safetensors", NULL,
      classifier(); tnn_save_weights(net, "none/net.safetensors"););
    M("no path to save to", "no path", "must be given", NULL,
      classifier(); tnn_save_weights(net, NULL););
    M("a part of the weights saved", ".partial", "tnn_save_weights", "for loading",
      classifier(); tnn_save_weights(net, path, .partial = 1););
    M("weights saved if they are there", ".optional", "tnn_format_weights", "for loading",
      classifier(); tnn_format_weights(net, bytes, sizeof bytes,
                                       &(tnn_weights_options){.optional = 1}););
    M("a checkpoint saved if it is there", ".optional", "tnn_save_checkpoint", "for loading",
      classifier(); tnn_save_checkpoint(net, path, .optional = 1););
    M("numbers without a count", ".count = 3", "tnn_save_checkpoint", "without .numbers",
      classifier();
      tnn_save_checkpoint(net, path, .count = 3););
    M("save within a step", "within a step", "tnn_save_checkpoint", "after tnn_step",
      classifier(); tnn_forward(net, x, 8, TNN_TRAIN);
      tnn_loss(net, y); tnn_backward(net); tnn_save_checkpoint(net, path););
    M("FP8", "F8_E4M3", "fp8.safetensors: 0.weight", "convert it to F32",
      classifier(); static const char f8[] = "\x44\0\0\0\0\0\0\0"
      "{\"0.weight\":{\"dtype\":\"F8_E4M3\",\"shape\":[3,4],\"data_offsets\":[0,12]}}"
      "0123456789ab";
      tnn_parse_weights(net, f8, sizeof f8 - 1,
                        &(tnn_weights_options){.path = "fp8.safetensors", .partial = 1}););
    M("exported as int", "a word of C", ".name = \"int\"", "\"net_int\" would do",
      classifier(); tnn_export_c(net, path, .name = "int"););
    M("exported with a dash", "\"my-net\"", ".name", "a C identifier",
      classifier();
      tnn_export_c(net, path, .name = "my-net"););
    M("a layer that C has not", "cannot be exported", "layer 1, layernorm",
      "names those that can",
      flat(); tnn_add(net, TNN_LAYERNORM);
      tnn_export_c(net, path););
    M("bf16 as .npy", "not TNN_BF16", "tnn_save_npy", "a type that NumPy has",
      tnn_save_npy(path, x, TNN_BF16, 1, (long long[]){8}););
    M("element 9 of 4", "element 9", "tnn_array_value", "of 4",
      array = tnn_parse_csv("1,2\n3,4\n", 8);
      tnn_array_value(&array, 9););
    remove(path);
}

/* ---- folders of images -----------------------------------------------------------------------*/
static unsigned char *no_image(void *user, const unsigned char *bytes, int size, int *w, int *h,
                               int *c)
{
    (void)user, (void)bytes, (void)size;
    *w = *h = *c = 1;
    return NULL;
}
static void image_folders(void)
{
    static const char *const names[] = {"photos", "photos/cat", "photos/dog"},
        *const images[] = {"photos/cat/1.jpg", "photos/cat/2.ppm", "photos/dog/1.ppm"};
    char photos[480];
    int i;
    for (i = 0; i < 3; i++) MAKE_FOLDER(path_of(names[i]));
    file(images[1], "P5 1 1 255 a", 12);
    file(images[2], "P5 2 1 255 ab", 13);
    snprintf(photos, sizeof photos, "%s", path_of("photos"));
    M("a file as folder", "is a file", "1.ppm", "takes a folder in which each class has one",
      data = tnn_load_folder(path););
    M("a class as folder", "has 0", "photos/cat", "a folder for each class, named after it",
      data = tnn_load_folder(path_of("photos/cat")););
    M("height without width", ".height does nothing", "tnn_load_folder", "without .width",
      data = tnn_load_folder(photos, .height = 8););
    M("photos of several sizes", "is 1x2, the first image 1x1", "1.ppm", ".height and .width",
      data = tnn_load_folder(photos););
    M("grey and alpha", ".channels = 2", "tnn_load_folder", "must be 1 (grey) or 3 (colour)",
      data = tnn_load_folder(photos, .channels = 2););
    file(images[0], "\xff\xd8\xff\xe0", 4);
    M("JPEG without a decoder", "is no PGM or PPM", "cat/1.jpg", "need .decode",
      data = tnn_load_folder(photos, .height = 8, .width = 8););
    M("a JPEG that is broken", ".decode returned NULL", "cat/1.jpg", "does not read",
      data = tnn_load_folder(photos, .height = 8, .width = 8, .decode = no_image););
    M("extensions with dots", "class cat has no image", "photos", "that ends in one of: .jpg",
      data = tnn_load_folder(photos, .extensions = ".jpg"););
    M("like floats", "no .class_names", ".like", "a folder's data set has",
      samples(8); data = tnn_load_folder(photos, .like = &data););
    for (i = 0; i < 3; i++) remove(path_of(images[i]));
    for (i = 2; i >= 0; i--) REMOVE_FOLDER(path_of(names[i]));
}

/* ---- tensors, the machine -------------------------------------------------------------------- */
static void tensors(void)
{
    const tnn_tensor a = tnn_tensor_view(x, 2, 3, 1, 1), b = tnn_tensor_view(t, 4, 2, 1, 1);
    tnn_tensor c = tnn_tensor_view(x + 100, 2, 2, 1, 1), none = {2, 2, 1, 1, NULL};
    const tnn_tensor w = tnn_tensor_view(t, 2, 3, 3, 3), pixels = tnn_tensor_view(x, 1, 1, 4, 4);
    const tnn_tensor out = tnn_tensor_view(x + 200, 1, 2, 2, 2);
    tnn_window window;
    memset(&window, 0, sizeof window);
    M("matrices that do not fit", "does not fit", "C 2x2 = A 2x3 times B 4x2",
      "m x n is m x k times k x n",
      tnn_matmul(c, a, b, 0););
    M("product in place", "C overlaps A", "tnn_matmul", "memory of its own",
      tnn_tensor s = tnn_tensor_view(x, 2, 2, 1, 1);
      tnn_matmul(s, s, tnn_tensor_view(t, 2, 2, 1, 1), 0););
    M("no data", "needs", "tnn_matmul", "with data",
      tnn_matmul(c, none, none, 0););
    M("flags of another kind", "64 is not", "tnn_matmul", "TNN_TRANSPOSE_A",
      tnn_matmul(c, tnn_tensor_view(x, 2, 2, 1, 1),
      tnn_tensor_view(t, 2, 2, 1, 1), 64););
    M("a tensor of 0", "(0, 3, 1, 1)", "shape", "must be positive",
      c = tnn_tensor_create(0, 3, 1, 1););
    M("too large a tensor", "(1073741824, 1073741824, 1, 1)", "shape", "fit in memory",
      c = tnn_tensor_create(1 << 30, 1 << 30, 1, 1););
    M("slice beyond the end", "5 samples from 1 on", "tnn_tensor_slice", "of 2",
      c = tnn_tensor_slice(a, 1, 5););
    M("weights of 3 channels", "weights (2, 3, 3, 3)", "tnn_conv2d_forward",
      "should be (2, 1, 3, 3)",
      tnn_conv2d_forward(out, pixels, w, NULL, window););
    M("an output of another size", "(1, 1, 3, 3)", "tnn_maxpool2d_forward",
      "should be (1, 1, 2, 2)",
      window.kernel = 2;
      tnn_maxpool2d_forward(tnn_tensor_view(t, 1, 1, 3, 3), NULL, pixels, window););
    M("no window", "kernel 0x0", "tnn_avgpool2d_forward", "at least 1x1",
      memset(&window, 0, sizeof window);
      tnn_avgpool2d_forward(out, pixels, window););
    M("softmax of other shapes", "(3, 2, 1, 1) and (2, 3, 1, 1)", "tnn_softmax", "of one shape", 
      tnn_softmax(tnn_tensor_view(x, 3, 2, 1, 1), a););
    M("dot of other sizes", "6 and 8 elements", "tnn_dot", "must have as many",
      tnn_dot(a, b););
    M("fill nothing", "without data", "tnn_fill", "tnn_tensor_create gives one",
      tnn_fill(none, 1););
    M("AVX1024", "no \"avx1024\"", "tnn_set_isa", "it has scalar",
      tnn_set_isa("avx1024"););
}

/* ---- search ---------------------------------------------------------------------------------- */
static void search(void)
{
    static const tnn_variable good[] = {{.name = "lr", .low = 1e-4, .high = 1, .log = 1}};
    static const tnn_variable range[] = {{.name = "lr", .low = 1, .high = 0}};
    static const tnn_variable zero[] = {{.name = "lr", .low = 0, .high = 1, .log = 1}};
    static const tnn_variable word[] = {{.name = "learning rate", .low = 0, .high = 1}};
    static const tnn_variable twice[] = {{.name = "a", .high = 1}, {.name = "a", .high = 1}};
    static const tnn_variable empty[] = {{.name = "a", .type = TNN_CATEGORICAL}};
    static const tnn_variable half[] = {{.name = "n", .type = TNN_INT, .low = 0.5, .high = 4}};
    tnn_trial *trial;
    M("no space", ".count = 0", "study", "1 to 64",
      study = tnn_study_create(.trials = 10););
    M("high below low", ".low = 1", "study: lr", "<= .high",
      study = tnn_study_create(.space = range, .count = 1););
    M("the logarithm of 0", ".low = 0", "study: lr", "at least 1e-290",
      study = tnn_study_create(.space = zero, .count = 1););
    M("two words", "\"learning rate\"", "variable 0", "one word",
      study = tnn_study_create(.space = word, .count = 1););
    M("a name twice", "both called a", "variables 0 and 1", "must differ",
      study = tnn_study_create(.space = twice, .count = 2););
    M("no choices", ".choices", "study: a", "words, a space between",
      study = tnn_study_create(.space = empty, .count = 1););
    M("an int of 0.5", ".low", "study: n", "whole",
      study = tnn_study_create(.space = half, .count = 1););
    M("a grid without points", ".points = 0", "study: lr", "at least 2",
      study = tnn_study_create(.space = good, .count = 1, .sampler = TNN_GRID););
    M("points without a grid", ".points", "study: lr", ".sampler = TNN_GRID",
      study = tnn_study_create(.space = &(tnn_variable){.name = "lr", .high = 1, .points = 3},
                               .count = 1););
    M("negative trials", ".trials = -5", "study", "1 to 1000000",
      study = tnn_study_create(.space = good, .count = 1, .trials = -5););
    M("a study's folder is not there", "No such file", "none/study.tsv", NULL,
      study = tnn_study_create(.space = good, .count = 1, .journal = "none/study.tsv");
      tnn_ask(study););
    M("a variable that is not there", "no variable momentum", "tnn_trial_float", ".space has them",
      study = tnn_study_create(.space = good, .count = 1); trial = tnn_ask(study);
      tnn_trial_float(trial, "momentum"););
    M("a float as int", "no int variable lr", "tnn_trial_int", "by their type",
      study = tnn_study_create(.space = good, .count = 1);
      trial = tnn_ask(study); tnn_trial_int(trial, "lr"););
    M("report behind tell", "step 0 of trial 0", "tnn_report", "must be under way",
      study = tnn_study_create(.space = good, .count = 1);
      trial = tnn_ask(study); tnn_tell(trial, 1); tnn_report(trial, 0, 1););
    M("told twice", "not under way", "trial 0", "tnn_ask begins one",
      study = tnn_study_create(.space = good, .count = 1);
      trial = tnn_ask(study); tnn_tell(trial, 1); tnn_tell(trial, 2););
    M("steps that fall", "step 2 of trial 0", "tnn_report", "its last step smaller",
      study = tnn_study_create(.space = good, .count = 1);
      trial = tnn_ask(study); tnn_report(trial, 3, 1); tnn_report(trial, 2, 1););
    M("asked, not told", "has not been told", "trial 0", "tnn_tell ends it",
      study = tnn_study_create(.space = good, .count = 1);
      tnn_ask(study); tnn_ask(study););
    M("a CSV as journal", "not a journal", "mistakes-table.csv", "whose first line would be",
      TEXT_FILE("table.csv", "a,b\n1,2\n");
      study = tnn_study_create(.space = good, .count = 1, .journal = path); tnn_ask(study););
    remove(path);
}

/* ---- first steps: experiments/hello_*.c, each with what may go wrong in it -----------------*/
static void hello_xor(void)
{
    static const float points[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    static const int label[4] = {0, 1, 1, 0}, sign[4] = {-1, 1, 1, -1};
#define XOR(batch_, last, loss, optimizer) \
    net = tnn_create(.input = {2}, .batch = batch_); \
    tnn_add(net, TNN_DENSE, .units = 8); \
    tnn_add(net, TNN_TANH); \
    tnn_add(net, TNN_DENSE, .units = 1); \
    last \
    tnn_set_loss(net, loss); \
    optimizer
#define ADAM tnn_set_optimizer(net, TNN_ADAM, .lr = 0.05);
    M("xor: 0 hidden units", ".units = 0", "layer 1, dense", "must be 1 to",
      net = tnn_create(.input = {2}, .batch = 4); tnn_add(net, TNN_DENSE);
      tnn_train_batch(net, points[0], label, 4););
    M("xor: no batch for 4", "a batch of 4", "tnn_forward", ".batch of tnn_create",
      XOR(1, , TNN_BCE_LOGITS, ADAM); tnn_train_batch(net, points[0], label, 4););
    M("xor: sigmoid at the end", "takes logits", "layer 4 (sigmoid)", "leave out layer 4",
      XOR(4, tnn_add(net, TNN_SIGMOID);, TNN_BCE_LOGITS, ADAM);
      tnn_train_batch(net, points[0], label, 4););
    M("xor: labels -1 and 1", "is -1;", "target 0 of sample 0", "in [0, 1]",
      XOR(4, , TNN_BCE_LOGITS, ADAM); tnn_train_batch(net, points[0], sign, 4););
    M("xor: cross-entropy of one unit", "label 1", "sample 1", "TNN_BCE_LOGITS",
      XOR(4, , TNN_CROSS_ENTROPY, ADAM); tnn_train_batch(net, points[0], label, 4););
    M("xor: no optimizer", "no optimizer", "tnn_step", "by tnn_set_optimizer",
      XOR(4, , TNN_BCE_LOGITS, ); tnn_train_batch(net, points[0], label, 4););
    M("xor: units of tanh", "TNN_TANH has no .units", "tnn_add", "is of TNN_DENSE",
      net = tnn_create(.input = {2}, .batch = 4); tnn_add(net, TNN_TANH, .units = 8););
    M("xor: output without forward", "no forward", "tnn_output", "tnn_forward comes first",
      XOR(4, , TNN_BCE_LOGITS, ADAM); tnn_output(net););
    M("xor: no labels", "no labels and no targets", "tnn_loss",
      "tnn_loader_loss takes what a loader has",
      XOR(4, , TNN_BCE_LOGITS, ADAM); tnn_train_batch(net, points[0], NULL, 4););
#undef XOR
}

static void hello_images(void)
{
    static unsigned char pixels[12*28*28];
    tnn_data test;
#define IMAGES(units_, ...) \
    net = tnn_create(.input = __VA_ARGS__, .batch = 4); \
    tnn_add(net, TNN_CONV2D, .filters = 2, .kernel = 5, .pad = 2); \
    tnn_add(net, TNN_RELU); \
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2); \
    tnn_add(net, TNN_FLATTEN); \
    tnn_add(net, TNN_DENSE, .units = units_); \
    tnn_set_loss(net, TNN_CROSS_ENTROPY); \
    ADAM
#define FIT(...) tnn_history run = tnn_fit(net, __VA_ARGS__); tnn_history_free(&run)
    M("images: files that are not there", "No such file", "train-images-idx3-ubyte", NULL,
      data = tnn_load_idx("train-images-idx3-ubyte", "train-labels-idx1-ubyte");
      IMAGES(data.classes, {1, 28, 28}); FIT(&data, NULL, .epochs = 2););
    M("images: height, width, channels", "does not fit its input 2x28x1", "layer 3, maxpool2d",
      ".input is channels x height x width",
      data = tnn_data_view(pixels, NULL, y, 12, 1, 28, 28);
      IMAGES(3, {28, 28, 1}); FIT(&data, NULL, .epochs = 2););
    M("images: a class too few", "label 2", "sample", "the network has 2 classes",
      data = tnn_data_view(pixels, NULL, y, 12, 1, 28, 28);
      IMAGES(2, {1, 28, 28}); FIT(&data, NULL, .epochs = 2););
    M("images: a class that only the test has", "label 7", "sample 3", "the network has 3 classes",
      data = tnn_data_view(pixels, NULL, y, 3, 1, 28, 28); y[6] = 7;
      test = tnn_data_view(pixels, NULL, y + 3, 6, 1, 28, 28);
      IMAGES(data.classes, {1, 28, 28}); FIT(&data, &test, .epochs = 2););
    M("images: a test of other images", "samples of 1x14x14", "tnn_fit", "a network of 1x28x28",
      data = tnn_data_view(pixels, NULL, y, 12, 1, 28, 28);
      test = tnn_data_view(pixels, NULL, y, 12, 1, 14, 14);
      IMAGES(3, {1, 28, 28}); FIT(&data, &test, .epochs = 2););
    M("images: -8 epochs", ".epochs = -8", "tnn_fit", "must be 1 to",
      data = tnn_data_view(pixels, NULL, y, 12, 1, 28, 28);
      IMAGES(3, {1, 28, 28}); FIT(&data, NULL, .epochs = -8););
    M("images: more than the network's batch", "a batch of 12", "tnn_forward",
      ".batch of tnn_create",
      data = tnn_data_view(pixels, NULL, y, 12, 1, 28, 28);
      IMAGES(3, {1, 28, 28}); FIT(&data, NULL, .batch = 12););
    M("images: parts larger than the whole", "1000 samples", "tnn_split", "of 12",
      tnn_data train; data = tnn_data_view(pixels, NULL, y, 12, 1, 28, 28);
      tnn_split_stratified(&data, 1000, 1, &train, &test););
    M("images: no flatten, no dense", "one value per class", "the last layer gives 2x28x28",
      "TNN_FLATTEN",
      data = tnn_data_view(pixels, NULL, y, 12, 1, 28, 28);
      net = tnn_create(.input = {1, 28, 28}, .batch = 4);
      tnn_add(net, TNN_CONV2D, .filters = 2, .kernel = 5, .pad = 2);
      tnn_set_loss(net, TNN_CROSS_ENTROPY); ADAM FIT(&data, NULL, .epochs = 2););
    M("images: units of a convolution", "TNN_CONV2D has no .units", "tnn_add", "it has .filters",
      net = tnn_create(.input = {1, 28, 28}, .batch = 4);
      tnn_add(net, TNN_CONV2D, .units = 16, .kernel = 5););
#undef IMAGES
}

static void hello_labels(void)
{
#define POINTS(units_, loss, ...) \
    data = tnn_data_create(.n = 8, .shape = {2}, .floats = x, __VA_ARGS__); \
    net = tnn_create(.input = {2}, .batch = 4); \
    tnn_add(net, TNN_DENSE, .units = units_); \
    tnn_set_loss(net, loss); \
    ADAM
    M("labels: .target left out", "targets of 1x1x1", "tnn_fit", "3x1x1",
      POINTS(3, TNN_BCE_LOGITS, .targets = t); FIT(&data, NULL, .epochs = 2););
    M("labels: a unit too few", "targets of 3x1x1", "tnn_fit", "2x1x1",
      POINTS(2, TNN_BCE_LOGITS, .targets = t, .target = {3}); FIT(&data, NULL, .epochs = 2););
    M("labels: targets of 2", "is 2;", "target 1 of sample 0", "in [0, 1]",
      for (int i = 0; i < 24; i++) t[i] = 0;
      t[1] = 2; POINTS(3, TNN_BCE_LOGITS, .targets = t, .target = {3});
      FIT(&data, NULL, .epochs = 2, .no_shuffle = 1););
    M("labels: labels and targets", "labels", "tnn_data_create", "one",
      data = tnn_data_create(.n = 8, .shape = {2}, .floats = x, .labels = y, .targets = t););
    M("labels: confusion of targets", "the data have no labels", "tnn_confusion",
      "tnn_regression_report is for targets",
      POINTS(3, TNN_BCE_LOGITS, .targets = t, .target = {3});
      tnn_confusion(net, &data, counts, 3););
    M("labels: trained as classes", "no labels", "tnn_loss", "tnn_loss_targets",
      POINTS(3, TNN_BCE_LOGITS, .targets = t, .target = {3});
      loader = tnn_loader_create(&data, .batch = 4); tnn_next(loader);
      tnn_train_batch(net, loader->x, loader->labels, loader->n););
}

static void hello_autoencoder(void)
{
    M("auto-encoder: another length comes out", "targets of 2x1x1", "tnn_fit", "3x1x1",
      POINTS(3, TNN_MSE, .reconstruct = 1); FIT(&data, NULL, .epochs = 2););
    M("auto-encoder: .reconstruct left out", "without labels and targets", "tnn_fit",
      "tnn_data_create gives them",
      POINTS(2, TNN_MSE, .classes = 0); FIT(&data, NULL, .epochs = 2););
    M("auto-encoder: .reconstruct and targets", ".reconstruct", "tnn_data_create", "one",
      data = tnn_data_create(.n = 8, .shape = {2}, .floats = x, .targets = t, .reconstruct = 1););
    M("auto-encoder: a wave of NaN", "nan", "sample 1", "finite",
      x[3] = NAN; POINTS(2, TNN_MSE, .reconstruct = 1);
      FIT(&data, NULL, .epochs = 2, .no_shuffle = 1););
    M("auto-encoder: a code of nothing", ".units = 0", "layer 1, dense", "must be 1 to",
      POINTS(0, TNN_MSE, .reconstruct = 1); FIT(&data, NULL, .epochs = 2););
    M("auto-encoder: cross-entropy of waves", "is -", "target", "in [0, 1]",
      x[0] = -1; POINTS(2, TNN_CROSS_ENTROPY, .reconstruct = 1);
      FIT(&data, NULL, .epochs = 2, .no_shuffle = 1););
#undef POINTS
}

static void hello_regression(void)
{
    static const char houses[] = "area,age,price\n50,3,2.5\n90,60,3.1\n70,9,2.9\n120,1,5\n";
#define HOUSES(target_, ...) \
    TEXT_FILE("houses.csv", houses); \
    data = tnn_load_csv(path, .targets = target_); \
    net = tnn_create(.input = __VA_ARGS__, .batch = 4); \
    tnn_add(net, TNN_DENSE, .units = 1); \
    tnn_set_loss(net, TNN_MSE)
    M("regression: no such table", "No such file", "house.csv", NULL,
      data = tnn_load_csv("house.csv", .targets = "price"););
    M("regression: a column misspelt", "\"prise\"", "houses.csv", "\"price\"",
      HOUSES("prise", {2}););
    M("regression: the price as input", "samples of 2x1x1", "tnn_fit", "a network of 3x1x1",
      HOUSES("price", {3}); ADAM FIT(&data, NULL, .epochs = 2););
    M("regression: not normalised", "not finite after", "the loss of sample 0",
      "normalised data may help",
      HOUSES("price", {2}); tnn_set_optimizer(net, TNN_SGD, .lr = 0.1);
      FIT(&data, NULL, .epochs = 60););
    M("regression: confusion of prices", "the data have no labels", "tnn_confusion",
      "tnn_regression_report is for targets",
      HOUSES("price", {2}); ADAM tnn_confusion(net, &data, counts, 1););
    M("regression: a std of 0", "std", "tnn_normalize_channels", "positive",
      static const float mean[2] = {0}; static const float std[2] = {1, 0};
      HOUSES("price", {2}); tnn_normalize_channels(&data, mean, std););
    M("regression: an empty table", "no line of values", "houses.csv", NULL,
      TEXT_FILE("houses.csv", "area,age,price\n"); data = tnn_load_csv(path, .targets = "price"););
    remove(path);
#undef HOUSES
}

static void hello_segmentation(void)
{
    static int pixel[8*64];
    for (int i = 0; i < 8*64; i++) pixel[i] = i%3;
#define SCENES(filters_, pad_, ...) \
    data = tnn_data_create(.n = 8, .shape = {1, 8, 8}, .floats = x, .labels = pixel, \
                           .per_pixel = 1); \
    image(); \
    tnn_add(net, TNN_CONV2D, .filters = filters_, .kernel = 3, .pad = pad_); \
    tnn_set_loss(net, TNN_CROSS_ENTROPY, __VA_ARGS__); \
    ADAM
    M("segmentation: .per_pixel of the loss", "one value per class", "the last layer gives 3x8x8",
      ".per_pixel = 1",
      SCENES(3, 1, .per_pixel = 0); FIT(&data, NULL, .epochs = 2););
    M("segmentation: .per_pixel of the data", "one label per sample", "tnn_fit",
      ".per_pixel of tnn_data_create",
      SCENES(3, 1, .per_pixel = 1); data.per_pixel = 0; FIT(&data, NULL, .epochs = 2););
    M("segmentation: no pad", "6x6", "tnn_fit", "8x8",
      SCENES(3, 0, .per_pixel = 1); FIT(&data, NULL, .epochs = 2););
    M("segmentation: a class too few", "label 2", "sample 0", "the network has 2 classes",
      SCENES(2, 1, .per_pixel = 1); FIT(&data, NULL, .epochs = 2, .no_shuffle = 1););
    M("segmentation: shifted by pixels", ".shift = 2", "loader", "in [0, 1]",
      const tnn_loader_options moved = {.batch = 4, .shift = 2};
      SCENES(3, 1, .per_pixel = 1); FIT(&data, NULL, .loader = &moved););
    M("segmentation: a batch said twice", ".batch does nothing", "tnn_fit", ".loader",
      const tnn_loader_options moved = {.batch = 4};
      SCENES(3, 1, .per_pixel = 1); FIT(&data, NULL, .loader = &moved, .batch = 4););
    M("segmentation: counts of 2 classes", "2 classes", "tnn_confusion", "3",
      SCENES(3, 1, .per_pixel = 1); tnn_confusion(net, &data, counts, 2););
#undef SCENES
}

static void hello_saliency(void)
{
    static int right[8], third[1] = {2};
#define SQUARES \
    image(); \
    tnn_add(net, TNN_CONV2D, .filters = 2, .kernel = 5, .pad = 2); \
    tnn_add(net, TNN_RELU); \
    tnn_add(net, TNN_ADAPTIVE_MAXPOOL2D); \
    tnn_add(net, TNN_FLATTEN); \
    tnn_add(net, TNN_DENSE, .units = 2); \
    tnn_set_loss(net, TNN_CROSS_ENTROPY); \
    ADAM
    M("saliency: gradient without a look", "comes after tnn_look", "tnn_layer_gradient", ".outputs",
      SQUARES tnn_layer_gradient(net, 2););
    M("saliency: of no output", "comes after tnn_look", "tnn_layer_gradient", "with .outputs",
      SQUARES tnn_look(net, .x = x); tnn_layer_gradient(net, 2););
    M("saliency: of class 2 of 2", ".outputs[0] = 2", "tnn_look", "must be 0 to 1",
      SQUARES tnn_look(net, .x = x, .outputs = third););
    M("saliency: of layer 6 of 5", "layer 6", "tnn_layer_output", "must be 1 to 5",
      SQUARES tnn_look(net, .x = x, .outputs = right); tnn_layer_output(net, 6););
    M("saliency: of 9 images", "a batch of 9", "takes 1 to 8 samples", ".batch of tnn_create",
      SQUARES tnn_look(net, .x = x, .n = 9, .outputs = right););
    M("saliency: of an output and the loss", ".outputs does nothing", "tnn_look", "with .labels",
      SQUARES tnn_look(net, .x = x, .outputs = right, .labels = y););
    M("saliency: of a network without layers", "has no layers", "tnn_build", "tnn_add adds them",
      image(); tnn_look(net, .x = x, .outputs = right););
}

static void hello_resume(void)
{
    static float sine[12];
#define SINE(units_, seed_, n_) \
    data = tnn_data_create(.n = n_, .shape = {1}, .floats = x, .targets = sine); \
    net = tnn_create(.input = {1}, .batch = 4, .seed = seed_); \
    tnn_add(net, TNN_DENSE, .units = units_); \
    tnn_add(net, TNN_DENSE, .units = 1); \
    tnn_set_loss(net, TNN_MSE)
    begin("resume");
    snprintf(path, sizeof path, "%s", path_of("resume.tnn"));
    remove(path);
    SINE(3, 1, 12); ADAM
    tnn_history first = tnn_fit(net, &data, NULL, .epochs = 3, .checkpoint = path);
    CHECK(first.count == 3 && !tnn_failed(), "%d epochs, %s", first.count, tnn_error());
    tnn_history_free(&first);
    tnn_free(net);
    M("resume: another width", "of other layers", "resume.tnn", "make it as the one",
      SINE(4, 1, 12); ADAM FIT(&data, NULL, .epochs = 6, .checkpoint = path););
    M("resume: another optimizer", "a network with Adam", "resume.tnn", "SGD",
      SINE(3, 1, 12); tnn_set_optimizer(net, TNN_SGD, .lr = 0.01);
      FIT(&data, NULL, .epochs = 6, .checkpoint = path););
    M("resume: another seed", "seed", "resume.tnn", "1",
      SINE(3, 2, 12); ADAM FIT(&data, NULL, .epochs = 6, .checkpoint = path););
    M("resume: other data", "12", "resume.tnn", "8",
      SINE(3, 1, 8); ADAM FIT(&data, NULL, .epochs = 6, .checkpoint = path););
    M("resume: fewer epochs than there were", "has 23 of tinynn.numbers", "resume.tnn",
      "of tnn_fit for more .epochs",
      SINE(3, 1, 12); ADAM FIT(&data, NULL, .epochs = 2, .checkpoint = path););
    M("resume: a folder that is not there", "No such file", "none/run.tnn", NULL,
      SINE(3, 1, 12); ADAM FIT(&data, NULL, .epochs = 6, .checkpoint = "none/run.tnn"););
    M("resume: weights in place of a checkpoint", "is no checkpoint", "resume.tnn",
      "weights alone are for tnn_load_weights",
      SINE(3, 1, 12); ADAM tnn_save_weights(net, path);
      FIT(&data, NULL, .epochs = 6, .checkpoint = path););
    M("resume: another kind of file", "is not a safetensors file", "resume.tnn", "should be 123",
      TEXT_FILE("resume.tnn", "epoch\tloss\n1\t0.5\n");
      SINE(3, 1, 12); ADAM FIT(&data, NULL, .epochs = 6, .checkpoint = path););
    remove(path);
#undef SINE
}

static void hello_pytorch(void)
{
#define BODY(units_, frozen_) \
    net = tnn_create(.input = {2}, .batch = 8); \
    tnn_add(net, TNN_DENSE, .units = units_, .frozen = 1); \
    tnn_add(net, TNN_RELU); \
    tnn_add(net, TNN_DENSE, .units = 2, .frozen = frozen_); \
    tnn_set_loss(net, TNN_CROSS_ENTROPY); \
    ADAM
#define FEATURES .rename = {{"features.0.", "0."}}
    begin("board");
    BODY(4, 0)
    snprintf(path, sizeof path, "%s", path_of("board.safetensors"));
    tnn_save_weights(net, path, .rename = {{"features.0.", "0."}, {"classifier.", "2."}});
    tnn_free(net);
    M("PyTorch: the file was not made", "No such file", "board.safetensors", NULL,
      BODY(4, 0) tnn_load_weights(net, "board.safetensors", FEATURES););
    M("PyTorch: names as they are", "has no 0.weight, but classifier.bias", "board.safetensors",
      ".rename says how its names begin",
      BODY(4, 0) tnn_load_weights(net, path););
    M("PyTorch: a name misspelt", "has no feature.0.weight, but classifier.bias",
      "board.safetensors", ".rename says how its names begin",
      BODY(4, 0) tnn_load_weights(net, path, .rename = {{"feature.0.", "0."}}););
    M("PyTorch: the other way round", "none of the network's tensors, but classifier.bias",
      "board.safetensors", ".rename says how its names begin",
      BODY(4, 0) tnn_load_weights(net, path, .rename = {{"0.", "features.0."}}););
    M("PyTorch: the number of another layer", "is (4x2)", "features.0.weight",
      "the network's 2.weight (2x4)",
      BODY(4, 0) tnn_load_weights(net, path, .rename = {{"features.0.", "2."}}););
    M("PyTorch: another width", "is (4x2)", "features.0.weight",
      "the network's 0.weight (5x2)",
      BODY(5, 0) tnn_load_weights(net, path, FEATURES););
    M("PyTorch: the head is frozen, too", "every parameter is frozen", "tnn_fit",
      "leave .frozen of a layer out",
      BODY(4, 1) tnn_load_weights(net, path, FEATURES);
      data = tnn_data_view(NULL, x, y, 8, 2, 1, 1); for (int i = 0; i < 8; i++) y[i] = i%2;
      FIT(&data, NULL, .epochs = 2););
    M("PyTorch: layers after the weights", "has been built", "tnn_add", "before the first forward",
      BODY(4, 0) tnn_load_weights(net, path, FEATURES); tnn_add(net, TNN_RELU););
    remove(path);
#undef BODY
#undef FEATURES
}

static void hello_threads(void)
{
    M("threads: -1 of them", ".threads = -1", "tnn_create", "not negative",
      net = tnn_create(.input = {1}, .threads = -1););
    M("threads: targets of another kind", "no labels", "tnn_loss", "tnn_loss_targets",
      net = tnn_create(.input = {1}, .batch = 8); tnn_add(net, TNN_DENSE, .units = 1);
      tnn_set_loss(net, TNN_MSE); ADAM
      data = tnn_data_create(.n = 8, .shape = {1}, .floats = x, .targets = t);
      loader = tnn_loader_create(&data, .batch = 8); tnn_next(loader);
      tnn_train_batch(net, loader->x, loader->labels, loader->n););
    M("threads: no network of its own", "no network", "tnn_fit", NULL,
      data = tnn_data_create(.n = 8, .shape = {1}, .floats = x, .targets = t);
      FIT(&data, NULL, .epochs = 2););
    M("threads: one diverges", "not finite after", "the loss of sample", "a smaller lr or",
      net = tnn_create(.input = {1}, .batch = 8); tnn_add(net, TNN_DENSE, .units = 1);
      tnn_set_loss(net, TNN_MSE); tnn_set_optimizer(net, TNN_SGD, .lr = 1e9);
      data = tnn_data_create(.n = 8, .shape = {1}, .floats = x, .targets = t);
      FIT(&data, NULL, .epochs = 50););
    M("threads: one's data are freed", "no samples", "tnn_loader_create", "give data sets",
      net = tnn_create(.input = {1}, .batch = 8); tnn_add(net, TNN_DENSE, .units = 1);
      tnn_set_loss(net, TNN_MSE); ADAM
      data = tnn_data_create(.n = 8, .shape = {1}, .floats = x, .targets = t);
      tnn_data_free(&data); FIT(&data, NULL, .epochs = 2););
}

static void hello_cpp(void)
{
    tnn_net_options options = {{0}, 0, 0, 0, TNN_PYTORCH, 0, NULL, 0};
    tnn_layer layer;
    tnn_loss_options loss;
    tnn_optimizer adam;
    memset(&layer, 0, sizeof layer);
    memset(&loss, 0, sizeof loss);
    memset(&adam, 0, sizeof adam);
    M("C++: options left empty", ".input = {0, 0, 0}", "tnn_create", "positive channels",
      net = tnn_create_with(&options););
    M("C++: no options", "no options", "tnn_create", NULL, net = tnn_create_with(NULL););
    M("C++: a layer left empty", "0 is not a layer", "tnn_add", "TNN_CONV2D is one",
      flat(); tnn_add_with(net, &layer););
    M("C++: no layer", "no layer", "tnn_add", NULL, flat(); tnn_add_with(net, NULL););
    M("C++: a loss left empty", "0 is not a loss", "tnn_set_loss", "TNN_CROSS_ENTROPY is one",
      flat(); tnn_set_loss_with(net, &loss););
    M("C++: an optimizer left empty", "0 is not an optimizer", "tnn_set_optimizer",
      "TNN_SGD is one",
      flat(); tnn_set_optimizer_with(net, &adam););
    layer.type = TNN_TANH;
    layer.units = 8;
    M("C++: the struct of the layer before", "TNN_TANH has no .units", "tnn_add", "is of TNN_DENSE",
      flat(); tnn_add_with(net, &layer););
    adam.type = TNN_ADAM;
    adam.lr = -0.05;
    M("C++: a negative lr", "= -0.05", ".lr", "in [0, 1e30)",
      flat(); tnn_set_optimizer_with(net, &adam););
#undef FIT
#undef ADAM
}
static void first_steps(void)
{
    own_line = 1;
    hello_xor();
    hello_images();
    hello_labels();
    hello_autoencoder();
    hello_regression();
    hello_segmentation();
    hello_saliency();
    hello_resume();
    hello_pytorch();
    hello_threads();
    hello_cpp();
}

int main(int argc, char **argv)
{
    test_start(argc, argv);
    files_of(argv[0], "mistakes-");
    tnn_set_logger(logger, NULL);
    RUN("mistakes: networks", building);
    RUN("mistakes: order of calls", order);
    RUN("mistakes: data", data_sets);
    RUN("mistakes: losses", losses);
    RUN("mistakes: optimizers and schedules", optimizers);
    RUN("mistakes: training", training);
    RUN("mistakes: files", files);
    RUN("mistakes: folders of images", image_folders);
    RUN("mistakes: tensors", tensors);
    RUN("mistakes: search", search);
    RUN("mistakes: first steps", first_steps);
    printf("      what %d, where %d, how %d of %d mistakes\n", said[0], said[1], said[2], count);
    return test_finish();
}
