#!/bin/sh
# hello.sh [all] - the first steps, experiments/hello_*.c, as a user runs them: in an empty folder,
# without warnings, and they have learnt what they say. They are linked with make's object; with
# `all` each is compiled whole, too, as its first lines say, and hello_pytorch.c gets its weights
# from the Python in its head. Needs build/tinynn.o (make builds it).

about=hello
. tests/check.sh
cc=${CC:-cc}
strict='-std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror'

says() { # NAME PATTERN...: every pattern is in what it prints; run in a folder of its own
    name=$1
    shift
    mkdir -p "$dir/$name" && sed -e '/define TINYNN_IMPLEMENTATION/d' \
        -e 's|"../tinynn.h"|"tinynn.h"|' "experiments/$name.c" > "$dir/$name/$name.c" &&
        $cc $strict -O1 -I. "$dir/$name/$name.c" build/tinynn.o -o "$dir/$name/program" \
            -lm -pthread && (cd "$dir/$name" && ./program > printed 2> errors) || {
        cat "$dir/$name/errors"; return 1; }
    for pattern; do
        grep -q -- "$pattern" "$dir/$name/printed" || {
            echo "no \"$pattern\" in:"; cat "$dir/$name/printed"; return 1; }
    done
}
check "xor" says hello_xor '^0 xor 0 = 0' '^0 xor 1 = 1' '^1 xor 0 = 1' '^1 xor 1 = 0'
check "images" says hello_images '^test accuracy \(9[5-9]\|100\)'
check "several labels" says hello_labels '^right .* \(9[89]\|100\)' '^high .* \(9[89]\|100\)' \
    '^near .* 9[5-9]'
check "auto-encoder" says hello_autoencoder 'after training 0\.00'
check "regression" says hello_regression '^100 lines .* R2 0\.9[89].* error 0\.'
check "segmentation" says hello_segmentation '^9[89]\.'

saliency() { # in the picture's second and third part the shape is brighter than what is around it
    says hello_saliency && tail -c 9216 "$dir/hello_saliency/saliency.ppm" | od -An -v -tu1 |
        tr -s ' ' '\n' | sed '/^$/d' | awk '
            { k = int((NR - 1)/3); part = int(k/32)%3; at = int(k/96)*32 + k%32
              if (part == 0) on[at] = $1 >= 128
              sum[part, at] += $1 }
            END { for (at = 0; at < 1024; at++) {
                      n[on[at]]++
                      for (part = 1; part < 3; part++) light[part, on[at]] += sum[part, at] }
                  for (part = 1; part < 3; part++)
                      if (n[1] < 20 || n[1] > 81 || light[part, 1]/n[1] < 2*light[part, 0]/n[0]) {
                          print "part", part, n[1], light[part, 1], light[part, 0]; exit 1 } }'
}
check "saliency" saliency
check "threads" says hello_threads '^seed 1: loss 0\.00' '^seed 2: loss 0\.00' 'same to the bit'

# The body that hello_pytorch.c takes from PyTorch, under PyTorch's names, made here without it
cat > "$dir/board.c" << 'END'
#include "tinynn.h"
static float x[4000][2];
static int field[4000];
int main(void)
{
    int i, k;
    for (i = 0; i < 4000; i++) {
        for (k = 0; k < 2; k++) x[i][k] = 4*tnn_random_uniform(3, (uint64_t)k, (uint64_t)i);
        field[i] = 4*(int)x[i][0] + (int)x[i][1];
    }
    tnn_data data = tnn_data_view(NULL, x[0], field, 4000, 2, 1, 1);
    tnn_net *net = tnn_create(.input = {2}, .batch = 100);
    tnn_add(net, TNN_DENSE, .units = 64);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 64);
    tnn_add(net, TNN_RELU);
    tnn_add(net, TNN_DENSE, .units = 16);
    tnn_set_loss(net, TNN_CROSS_ENTROPY);
    tnn_set_optimizer(net, TNN_ADAM, .lr = 0.01);
    tnn_history run = tnn_fit(net, &data, NULL, .epochs = 40);
    tnn_history_free(&run);
    tnn_save_weights(net, "board.safetensors", .rename = {
        {"features.0.", "0."}, {"features.2.", "2."}, {"classifier.", "4."}});
    tnn_free(net);
    return tnn_failed();
}
END
fine_tuned() { # without the file it says what to do; with it, it learns
    mkdir "$dir/board" && $cc $strict -I. "$dir/board.c" build/tinynn.o -o "$dir/board/program" \
        -lm -pthread && (cd "$dir/board" && ./program) || return 1
    ! says hello_pytorch > "$dir/board/told" &&
        grep 'board.safetensors: cannot be opened: No such file' "$dir/board/told" &&
        grep 'has the Python' "$dir/hello_pytorch/printed" &&
        mv "$dir/board/board.safetensors" "$dir/hello_pytorch" || { cat "$dir/board/told"; return 1; }
    says hello_pytorch '^accuracy .*after training 9[3-9]'
}
check "PyTorch's weights" fine_tuned

plus() { # C++11; and what goes wrong is an exception
    cxx=${CXX:-c++}
    have "$cxx" || { echo "needs $cxx"; return 77; }
    warned="$cxx -std=c++11 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror -I."
    sed -e '/define TINYNN_IMPLEMENTATION/d' -e 's|"../tinynn.h"|"tinynn.h"|' \
        experiments/hello_cpp.cpp > "$dir/plus.cpp" &&
        $warned "$dir/plus.cpp" build/tinynn.o -o "$dir/plus" -pthread &&
        [ "$("$dir/plus" | tr '\n' ' ')" = '0 xor 0 = 0 0 xor 1 = 1 1 xor 0 = 1 1 xor 1 = 0 ' ] &&
        sed 's/net.add(TNN_TANH)/net.add(TNN_TANH, 3)/' "$dir/plus.cpp" > "$dir/wrong.cpp" &&
        $warned "$dir/wrong.cpp" build/tinynn.o -o "$dir/wrong" -pthread || return 1
    ! "$dir/wrong" 2> "$dir/told" && grep 'wrong.cpp:.*TNN_TANH has no .units' "$dir/told"
}
check "C++11" plus

resumed() { # four calls of three epochs are the twelve epochs of one that is not stopped
    mkdir "$dir/resume" && sed -e '/define TINYNN_IMPLEMENTATION/d' \
        -e 's|"../tinynn.h"|"tinynn.h"|' experiments/hello_resume.c > "$dir/resume/r.c" &&
        sed 's/++\*(int \*)user == 3/(++*(int *)user, 0)/' "$dir/resume/r.c" > "$dir/resume/w.c" &&
        $cc $strict -I. "$dir/resume/r.c" build/tinynn.o -o "$dir/resume/r" -lm -pthread &&
        $cc $strict -I. "$dir/resume/w.c" build/tinynn.o -o "$dir/resume/w" -lm -pthread || return 1
    (cd "$dir/resume" && for i in 1 2 3 4; do ./r part.tnn > "$i" || exit 1; done &&
        ./w whole.tnn | grep -v this > all && [ "$(grep -c '^epoch' 1)" -eq 3 ] &&
        [ "$(grep -c '^epoch' 4)" -eq 12 ] && grep -q '^--- this call' 3 &&
        grep -v this 4 | diff - all)
}
check "save and go on" resumed

if [ "$1" = all ]; then
    for program in experiments/hello_*.c; do
        check "$cc -O2 $program -lm" $cc -O2 "$program" -o "$dir/$(basename "$program" .c).out" \
            -lm -pthread
    done
    ! have "${CXX:-c++}" || check "${CXX:-c++} -std=c++11 -O2 experiments/hello_cpp.cpp" \
        "${CXX:-c++}" -std=c++11 -O2 experiments/hello_cpp.cpp -o "$dir/hello_cpp.out"
    finish
    of_pytorch() ( # the lines of the head, as they stand there
        for python in python3 /usr/bin/python3 none; do
            $python -c 'import torch' 2> /dev/null && break
        done
        [ $python != none ] || { echo "needs a python3 with torch"; return 77; }
        sed -n '/^ *import/,/file.write/s/^       //p' experiments/hello_pytorch.c |
            sed 's|  \*/$||' > "$dir/hello_pytorch/board.py"
        cd "$dir/hello_pytorch" && mv board.safetensors ours && $python board.py &&
            ! cmp -s ours board.safetensors && ./program > printed && cat printed &&
            grep '^accuracy .*after training 9' printed
    )
    check "PyTorch's own weights" of_pytorch
fi
finish
total
