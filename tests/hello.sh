#!/bin/sh
# hello.sh [all] - the first steps, experiments/hello_*.c, as a user runs them: in an empty folder,
# without warnings, and they have learnt what they say. They are linked with make's object; with
# `all` each is compiled whole, too, by the command in its first lines, and hello_pytorch.c gets its
# weights from hello_pytorch.py. Needs build/tinynn.o (make builds it).

about=hello
. tests/check.sh
top=$PWD
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
check "auto-encoder" says hello_autoencoder 'error 0\.73, after training [0-9.]*e-[01]'
check "regression" says hello_regression '^400 lines .* R2 0\.9[89].* error 0\.'
check "segmentation" says hello_segmentation '^9[89]\.'

saliency() { # a picture, which is redder where the shape is: 9x9 pixels around (6, 6)
    says hello_saliency '^P3 32 32 255$' && sed 1d "$dir/hello_saliency/printed" | awk '
        NF != 3 || $1 > 255 || $2 > 255 || $3 > 255 { print "line", NR, $0; exit bad = 1 }
        { k = NR - 1; on = k%32 >= 2 && k%32 <= 10 && k >= 2*32 && k < 11*32
          n[on]++; red[on] += $1; green[on] += $2 }
        END { if (bad || NR != 1024 || n[1] != 81 || red[1]/n[1] < 3*red[0]/n[0] ||
                  green[1]/n[1] < 2*green[0]/n[0]) { print NR, n[1], red[1], red[0]; exit 1 } }'
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
        grep 'hello_pytorch.py makes this file' "$dir/hello_pytorch/printed" &&
        cp "$dir/board/board.safetensors" "$dir/hello_pytorch" ||
        { cat "$dir/board/told"; return 1; }
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
        sed 's/, TNN_TANH)/, TNN_TANH, 3)/' "$dir/plus.cpp" > "$dir/wrong.cpp" &&
        $warned "$dir/wrong.cpp" build/tinynn.o -o "$dir/wrong" -pthread || return 1
    ! "$dir/wrong" 2> "$dir/told" && grep 'wrong.cpp:.*TNN_TANH has no .units' "$dir/told"
}
check "C++11" plus

counted() { # README's table has all of them, and their lines
    (cd experiments && wc -l hello_*.c hello_*.cpp) | sed '$d' |
        awk '{ print "| `" $2 "` | " $1 " |" }' | sort > "$dir/counted"
    sed -n 's/^\(| `hello_[a-z.]*` | [0-9]* |\).*/\1/p' README.md | sort | diff "$dir/counted" -
}
check "README's table" counted

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
    typed() ( # the command as it stands there, in a copy of the project without a build/
        command=$(sed -n '/-O2 experiments/{ s/^       //; s|  \*/$||; s/.*&& \(cc\)/\1/; p; q; }' \
            "$1")
        copy=$dir/typed/$(basename "$1")
        mkdir -p "$copy/experiments" && cp tinynn.h "$copy" && cp "$1" "$copy/experiments" &&
            echo "$command" && cd "$copy" && command -v "${command%% *}" || return 77
        case $1 in *pytorch*) cp "$top/$dir/board/board.safetensors" . || return 1 ;; esac
        sh -c "$command"
    )
    finish                      # the file for hello_pytorch.c is there
    for program in experiments/hello_*.c experiments/hello_*.cpp; do
        check "the command in $program" typed "$program"
    done
    finish
    of_pytorch() (
        for python in python3 /usr/bin/python3 none; do
            $python -c 'import torch' 2> /dev/null && break
        done
        [ $python != none ] || { echo "needs a python3 with torch"; return 77; }
        cd "$dir/hello_pytorch" && mv board.safetensors ours &&
            $python "$top/experiments/hello_pytorch.py" &&
            ! cmp -s ours board.safetensors && ./program > printed && cat printed &&
            grep '^accuracy .*after training 9' printed
    )
    check "PyTorch's own weights" of_pytorch
fi
finish
total
