#!/bin/sh
# coverage.sh - the lines of tinynn.h that no test program reaches; at least 97 % must be reached
#
# Every test program is built by gcc with the library in it, unoptimised, and run (ten minutes); the
# kernels of all instruction sets of this machine are the same lines. What stands in
# build/tests/coverage/missed at the end are errors that no test provokes, rare turns of L-BFGS's line
# search, what only the children of forks do, and what tests/export.sh runs beside these programs.

about=coverage
. tests/check.sh
jobs=2
have gcc && have gcov || { skip "everything" "needs gcc and gcov"; total; exit; }

counted() { # PROGRAM
    mkdir -p "$dir/$1"
    gcc -std=c99 -DTINYNN_SCALAR -O0 --coverage -dumpdir "$dir/$1/" -I. -Itests -Iexperiments tests/$1.c \
        -o "$dir/$1/$1" -lm -pthread || return 1
    "$dir/$1/$1" > "$dir/$1/log"
    gcov -t "$dir/$1"/*.gcda > "$dir/$1/lines" && tail -n 1 "$dir/$1/log" | grep ' 0 failed$'
}
for t in tests/test_*.c tests/mistakes.c; do
    check "$(basename $t .c)" counted "$(basename $t .c)"
done
finish
reached() {
    awk -F : -v missed="$dir/missed" '
        $3 == "Source" { here = $4 ~ /tinynn\.h$/ }
        !here || $1 ~ /^ *-$/ { next }
        !($2 in reached) { lines++; reached[$2] = 0; text[$2] = $0 }
        $1 !~ /[#=]/ { reached[$2] = 1 }
        END {
            for (n in reached) if (!reached[n]) { count++; print text[n] > missed }
            printf "%d of %d lines reached, %.2f %%\n", lines - count, lines, 100*(1 - count/lines)
            exit !(lines && count <= 0.03*lines)
        }' "$dir"/*/lines
}
check "at least 97 % of the lines" reached
finish
cat "$dir/$begun.out"
total
