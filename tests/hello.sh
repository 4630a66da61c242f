#!/bin/sh
# hello.sh [all] - the first steps, experiments/hello_*.c, as a user runs them: in an empty folder,
# without warnings, and they have learnt what they say. They are linked with make's object; with
# `all` each is compiled whole, too, as its first lines say. Needs build/tinynn.o (make builds it).

about=hello
. tests/check.sh
cc=${CC:-cc}
strict='-std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror'

says() { # NAME PATTERN...: every pattern is in what it prints; run in a folder of its own
    name=$1
    shift
    mkdir "$dir/$name" && sed -e '/define TINYNN_IMPLEMENTATION/d' \
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
        check "$cc -O2 $program -lm" $cc -O2 "$program" -o "$dir/$(basename "$program" .c).out" -lm
    done
fi
finish
total
