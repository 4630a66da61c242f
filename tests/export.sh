#!/bin/sh
# export.sh [all] - networks as C: the compiled text gives the bits of the library, and as bytes it
# costs little accuracy. With `all` also the CNN of report 1: how much it costs there (on real data
# where TINYNN_DATA has it), how large it is, and that it takes nothing but fmaf from elsewhere.
# Needs build/tinynn.o, which make builds.

about=export
. tests/check.sh
cc=${CC:-cc}

# ---- writes five networks as C, as C with bytes, images with the outputs -------------------------
cat > "$dir/write.c" << 'END'
#define TINYNN_ELSEWHERE
#include "../../../experiments/experiment.h"
#include "../../../experiments/fashion_data.h"

enum { SAMPLES = 1000 };
static tnn_net *simple(void)
{
    tnn_net *net = tnn_create(.input = {1, 28, 28}, .batch = 64, .seed = 3);
    for (int i = 1; i <= 2; i++) {
        tnn_add(net, TNN_CONV2D, .filters = 32*i, .kernel = 3, .pad = 1);
        tnn_add(net, TNN_RELU);
        tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    }
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_DENSE, .units = 128);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 10);
    return net;
}
/* every layer that can be exported but functions, with the options that change its loops; the
   products of the first dense layer are more than one chain, as are those of the last below */
static tnn_net *varied(void)
{
    tnn_net *net = tnn_create(.input = {1, 28, 28}, .batch = 64, .seed = 3);
    tnn_add(net, TNN_GAUSSIAN_NOISE);
    tnn_add(net, TNN_CONV2D, .filters = 6, .kernel_h = 3, .kernel_w = 5, .pad = 1, .stride_w = 2);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_LEAKY_RELU);
    const int at = tnn_layer_count(net);
    tnn_add(net, TNN_CONV2D, .filters = 6, .kernel = 3, .pad = 2, .dilation = 2, .groups = 3);
    tnn_add(net, TNN_LEAKY_RELU, .slope = 0.2f);
    tnn_add(net, TNN_ADD, .from = at);
    tnn_add(net, TNN_CONCAT, .from = at);
    tnn_add(net, TNN_AVGPOOL2D, .kernel = 3, .stride = 2, .pad = 1, .ceil = 1);
    tnn_add(net, TNN_PRELU, .per_channel = 1);
    tnn_add(net, TNN_AVGPOOL2D, .kernel = 3, .stride = 1, .pad = 1, .exclude_pad = 1);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2, .stride = 1, .dilation = 2, .pad = 1);
    tnn_add(net, TNN_CONV2D, .filters = 12, .kernel = 3, .pad = 1, .groups = 12, .no_bias = 1);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_ADAPTIVE_MAXPOOL2D, .size = 7);
    tnn_add(net, TNN_DROPOUT);
    tnn_add(net, TNN_ADAPTIVE_AVGPOOL2D, .size = 6);
    tnn_add(net, TNN_RESHAPE, .shape = {6, 12, 6});
    tnn_add(net, TNN_FLATTEN);
    tnn_add(net, TNN_PRELU, .per_channel = 1);
    tnn_add(net, TNN_DENSE, .units = 9);
    tnn_add(net, TNN_BATCHNORM);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 10);
    return net;
}
/* Winograd's way; images as outputs */
static tnn_net *images(void)
{
    tnn_net *net = tnn_create(.input = {1, 28, 28}, .batch = 64, .seed = 3);
    tnn_add(net, TNN_CONV2D, .filters = 16, .kernel = 3, .pad = 1);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_CONV2D, .filters = 32, .kernel = 3, .pad = 1);
    tnn_add(net, TNN_LEAKY_RELU);
    tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
    tnn_add(net, TNN_CONV2D, .filters = 5, .kernel = 5, .stride = 4);
    tnn_add(net, TNN_PRELU);
    return net;
}
/* what lies beyond the edges; images of another size and shape */
static tnn_net *edges(void)
{
    tnn_net *net = tnn_create(.input = {1, 28, 28}, .batch = 64, .seed = 3);
    tnn_add(net, TNN_RESHAPE, .shape = {4, 14, 14});
    tnn_add(net, TNN_CONV2D, .filters = 6, .kernel = 3, .pad = 1, .pad_mode = TNN_REFLECT);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 5, .stride = 2, .pad_h = 3, .pad_w = 2,
            .pad_mode = TNN_REPLICATE);
    tnn_add(net, TNN_LEAKY_RELU);
    tnn_add(net, TNN_CONV2D, .filters = 8, .kernel = 3, .pad = 3, .dilation = 2, .groups = 4,
            .pad_mode = TNN_CIRCULAR);
    tnn_add(net, TNN_PAD, .pad_h = 1, .pad_w = 2, .value = 0.5f);
    tnn_add(net, TNN_PAD, .pad = 2, .mode = TNN_REFLECT);
    tnn_add(net, TNN_UPSAMPLE, .size_h = 15, .size_w = 27);
    tnn_add(net, TNN_RESHAPE, .shape = {-1, 9, 15});
    tnn_add(net, TNN_CONV2D, .filters = 3, .kernel = 3);
    return net;
}
/* the other activations, x + conv(f(x)) one after the other; of numbers near and far from zero */
static tnn_net *functions(void)
{
    tnn_net *net = tnn_create(.input = {1, 28, 28}, .batch = 64, .seed = 3);
    static const tnn_layer layers[] = {
        {.type = TNN_TANH}, {.type = TNN_ELU, .alpha = 0.7f}, {.type = TNN_SELU},
        {.type = TNN_CELU, .alpha = 0.5f}, {.type = TNN_RELU6}, {.type = TNN_GELU},
        {.type = TNN_GELU, .approximate = 1}, {.type = TNN_SILU}, {.type = TNN_MISH},
        {.type = TNN_SOFTPLUS, .beta = 2}, {.type = TNN_SOFTSIGN}, {.type = TNN_SIGMOID},
        {.type = TNN_LOG_SIGMOID}, {.type = TNN_HARDTANH}, {.type = TNN_HARDSIGMOID},
        {.type = TNN_HARDSWISH}, {.type = TNN_SOFTMAX}, {.type = TNN_GLU} };
    enum { COUNT = sizeof layers/sizeof *layers };
    static float w[49*40];
    for (int i = 0; i < 49*40; i++)
        w[i] = tnn_random_normal(5, 0, (uint64_t)i)*(i/49%2 ? 0.2f : 4.0f);
    tnn_add(net, TNN_CONV2D, .filters = 40, .kernel = 7, .stride = 7);
    for (int i = 0; i < COUNT; i++) {
        const int x = tnn_layer_count(net);
        tnn_add_with(net, &layers[i]);
        tnn_add(net, TNN_CONV2D, .filters = 40, .kernel = 1);
        tnn_add(net, TNN_ADD, .from = x);
    }
    tnn_set_param(net, "0.weight", w, 49*40);
    return net;
}
static int refused(tnn_net *net, const tnn_export_options *o, const char *why)
{
    const int good = !tnn_format_c(net, NULL, 0, o) && tnn_failed() && strstr(tnn_error(), why);
    if (!good) printf("not \"%s\": %s\n", why, tnn_error());
    tnn_clear_error();
    return !good;
}
int main(int argc, char **argv)
{
    static char text[200000];
    const tnn_export_options plain = {.name = "mixed"}, bad = {.name = "2nd"}, none = {.name = ""};
    static const char *const reserved[] = {"float", "int", "for", "fmaf", "class", "exp", "powl",
        "uint32_t", "HUGE_VALF", "_net", "main", "std", "write", "co_await"};
    experiment e = {.name = "export", .data = getenv("TINYNN_DATA"), .drawn = {2000, SAMPLES}};
    if (!e.data) e.data = "none";
    enum { NETS = 5 };
    tnn_net *net[NETS] = {simple(), varied(), images(), functions(), edges()};
    tnn_net *other = tnn_create(.input = {3}), *blurred = tnn_create(.input = {1, 4, 4});
    static const char *const names[NETS] = {"simple", "mixed", "pixels", "functions", "edges"};
    char path[300];
    int i, failed = 0;
    if (argc < 2 || fashion_load(&e)) return 1;
    for (i = 0; i < NETS; i++) {
        if (i < 2) {
            tnn_loader *l = tnn_loader_create(&e.train, .batch = 64, .shuffle = 1);
            tnn_set_loss(net[i], TNN_CROSS_ENTROPY);
            tnn_set_optimizer(net[i], TNN_ADAM, .lr = 1e-3);
            tnn_train_epoch(net[i], l);
            tnn_loader_free(l);
        }
        snprintf(path, sizeof path, "%s/%s.c", argv[1], names[i]);
        tnn_export_c(net[i], path, .name = names[i]);
        snprintf(path, sizeof path, "%s/%s-bytes.c", argv[1], names[i]);
        tnn_export_c(net[i], path, .name = names[i], .int8 = 1);
        snprintf(path, sizeof path, "%s/%s.data", argv[1], names[i]);
        FILE *f = fopen(path, "wb");
        tnn_loader *l = tnn_loader_create(&e.val, .batch = 50);
        while (f && tnn_next(l) && l->batch_index < SAMPLES/50) {
            int shape[3], size = tnn_output_shape(net[i], shape);
            tnn_forward(net[i], l->x, l->n, TNN_EVAL);
            const float *y = tnn_output(net[i]);
            for (int k = 0; y && k < l->n; k++) {
                fwrite(l->x + k*784, sizeof(float), 784, f);
                fwrite(y + k*size, sizeof(float), (size_t)size, f);
                fwrite(l->labels + k, sizeof(int), 1, f);
            }
        }
        tnn_loader_free(l);
        if (!f || fclose(f) || tnn_failed()) { printf("%s\n", tnn_error()); return 1; }
    }
    /* to memory the same text; what cannot be done is said */
    snprintf(path, sizeof path, "%s/mixed.c", argv[1]);
    const size_t size = tnn_format_c(net[1], text, sizeof text, &plain);
    FILE *f = fopen(path, "rb");
    for (size_t k = 0; k < size && !failed; k++) failed = !f || fgetc(f) != (unsigned char)text[k];
    failed = failed || !size || fgetc(f) != EOF || tnn_format_c(net[1], NULL, 0, &plain) != size;
    if (failed) printf("another text in memory: %s\n", tnn_error());
    fclose(f);
    tnn_add(blurred, TNN_UPSAMPLE, .mode = TNN_BILINEAR);
    tnn_add(other, TNN_DENSE, .units = 2);
    tnn_add(other, TNN_LOG_SOFTMAX);
    failed |= refused(other, NULL, "layer 2, log_softmax, cannot be exported");
    failed |= refused(blurred, NULL, "layer 1, upsample, cannot be exported");
    failed |= refused(net[1], &bad, "\"2nd\" must be a C identifier");
    failed |= refused(net[1], &none, "\"\" must be a C identifier");
    for (i = 0; i < (int)(sizeof reserved/sizeof *reserved); i++) {
        tnn_export_options o = {.name = reserved[i]};
        snprintf(path, sizeof path, ".name = \"%s\" is a word of C or C++", reserved[i]);
        failed |= refused(net[1], &o, path);
    }
    for (i = 0; i < NETS; i++) tnn_free(net[i]);
    tnn_free(other);
    tnn_free(blurred);
    experiment_free(&e);
    return failed;
}
END

# ---- runs one of them on the images --------------------------------------------------------------
cat > "$dir/run.c" << 'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define PASTE_(a, b) a##b
#define PASTE(a, b)  PASTE_(a, b)
#define OUTPUT       PASTE(NAME, _OUTPUT)
#include FILE_NAME

static float x[PASTE(NAME, _INPUT)], y[OUTPUT], want[OUTPUT], work[PASTE(NAME, _WORK)];
int main(int argc, char **argv)
{
    FILE *f = fopen(argv[argc - 1], "rb");
    int n = 0, same = 0, label, right = 0, wanted = 0, i, a, b;
    const int most = argc > 2 ? atoi(argv[1]) : 1000;
    while (n < most && f && fread(x, sizeof x, 1, f) && fread(want, sizeof y, 1, f)
           && fread(&label, sizeof label, 1, f)) {
        NAME(x, y, work);
        n++;
        same += !memcmp(y, want, sizeof y);
        for (i = a = b = 0; i < OUTPUT; i++) {
            if (y[i] > y[a]) a = i;
            if (want[i] > want[b]) b = i;
        }
        right += a == label;
        wanted += b == label;
    }
    printf("%d of %d samples with the library's bits; accuracy %.2f %%, the library's %.2f %%; %lu "
           "bytes to work in\n", same, n, 100.0*right/n, 100.0*wanted/n,
           (unsigned long)sizeof work);
    return n == 0 || (argc > 2 && same < n) || right < wanted - n/50;
}
END
build() { $cc -std=c99 -O2 -I. "$@" -lm -pthread; }
strict='-Wall -Wextra -pedantic -Wconversion -Wshadow -Werror'
written() { build "$dir/write.c" build/tinynn.o -o "$dir/write" && "$dir/write" "$dir"; }
runs() { # NAME SUFFIX [SAMPLES]: of so many every bit must be the library's
    name=$1 exe=$dir/$1$2
    build $strict -DNAME=$name -DFILE_NAME="\"$name$2.c\"" "$dir/run.c" -o "$exe" || return 1
    shift 2
    "$exe" "$@" "$dir/$name.data" | tee "$exe.txt" | grep samples
}
alone() { # NAME: no symbol but fmaf, without the compiler's own libraries; how large
    have nm && have size || { echo "needs nm and size"; return 77; }
    $cc -std=c99 -Os -ffreestanding -fno-builtin -fno-stack-protector -fno-pic -c "$dir/$1.c" \
        -o "$dir/$1.o" || return 1
    size "$dir/$1.o" > "$dir/$1.size"
    [ "$(nm -u "$dir/$1.o" | awk '{ print $NF }' | sort -u | tr -d '_\n')" = fmaf ]
}
plus_plus() { # what all of them compile to, by what there is
    n=0
    for cxx in g++ clang++; do
        have $cxx || continue
        n=$((n + 1))
        for name in mixed pixels functions edges; do
            $cxx -x c++ -std=c++17 -fsyntax-only $strict "$dir/$name.c" || return 1
        done
    done
    [ $n -gt 0 ] || { echo "needs g++ or clang++"; return 77; }
}
exact=200
[ "$1" != all ] || exact=1000
check "five networks, and what is refused" written
finish
check "every layer that can be exported" runs mixed '' $exact
check "the same as bytes" runs mixed -bytes
check "images as outputs" runs pixels '' $exact
check "functions" runs functions '' $exact
check "edges" runs edges '' $exact
check "edges as bytes" runs edges -bytes
check "as C++, without a warning" plus_plus
if [ "$1" = all ]; then
    check "the CNN of report 1" runs simple '' $exact
    check "the same as bytes" runs simple -bytes
    check "nothing but fmaf" alone simple
    check "nor do functions take more" alone functions
    finish
    for f in simple simple-bytes; do
        [ ! -f "$dir/$f.txt" ] || echo "      $f: $(cat "$dir/$f.txt")"
    done
    [ ! -f "$dir/simple.size" ] ||
        awk 'NR == 2 { print "      simple: " $1 " bytes of code and weights" }' "$dir/simple.size"
fi
total
