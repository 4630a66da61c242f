#!/bin/sh
# coverage.sh - the lines of tinynn.h that no test program reaches; at least 97 % must be reached
#
# gcc builds the library unoptimised: once, once with hooks, and once in each program that looks
# inside. The kernels of all instruction sets of this machine are the same lines. What stands in
# build/tests/coverage/missed at the end are errors that no test provokes, rare turns of L-BFGS's
# line search, what only the children of forks do, and what tests/export.sh runs beside these
# programs.

about=coverage
. tests/check.sh
jobs=2
have gcc && have gcov || { skip "everything" "needs gcc and gcov"; total; exit; }

flags='-std=c99 -DTINYNN_SCALAR -O0 --coverage -I. -Itests -Iexperiments'
watched() { # NAME FLAGS...: an object whose lines are counted
    object=$dir/$1.o
    shift
    gcc $flags -c "$@" -o "$object"
}
counted() { # PROGRAM
    object=$dir/tinynn.o source=tests/$1.c
    ! grep -q '"hooked\.h"' "$source" || object=$dir/hooked.o
    if grep -q '"inside\.h"' "$source"; then watched "$1" "$source" && source=$dir/$1.o object=; fi
    gcc ${object:+-std=c99 -DTINYNN_ELSEWHERE -O1 -I. -Itests -Iexperiments} "$source" \
        ${object:+"$object"} -o "$dir/$1" -lgcov -lm -pthread || return 1
    "$dir/$1" > "$dir/$1.log"
    tail -n 1 "$dir/$1.log" | grep ' 0 failed$' || { grep '^FAIL' "$dir/$1.log"; return 1; }
}
check "the library" watched tinynn -DTINYNN_IMPLEMENTATION -x c tinynn.h
check "with hooks" watched hooked -x c tests/hooked.h
finish
for t in tests/test_*.c tests/mistakes.c; do
    check "$(basename $t .c)" counted "$(basename $t .c)"
done
finish
reached() {
    for lines in "$dir"/*.gcda; do gcov -t "$lines" > "${lines%.gcda}.lines" || return 1; done
    awk -F : -v missed="$dir/missed" '
        $3 == "Source" { here = $4 ~ /tinynn\.h$/ }
        !here || $1 ~ /^ *-$/ { next }
        !($2 in reached) { lines++; reached[$2] = 0; text[$2] = $0 }
        $1 !~ /[#=]/ { reached[$2] = 1 }
        END {
            for (n in reached) if (!reached[n]) { count++; print text[n] > missed }
            printf "%d of %d lines reached, %.2f %%\n", lines - count, lines, 100*(1 - count/lines)
            exit !(lines && count <= 0.03*lines)
        }' "$dir"/*.lines
}
check "at least 97 % of the lines" reached
finish
cat "$dir/$begun.out"
total
