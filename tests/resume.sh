#!/bin/sh
# resume.sh [all] - runs that are killed (kill -9) at random moments, and started again, end with the
# result files of runs that are not: 4 kills of two experiments, with `all` 200 of three. Needs the
# experiments that make builds.

about=resume
. tests/check.sh
unset TINYNN_ISA TINYNN_THREADS TINYNN_DATA
kills=4
[ "$1" != all ] || kills=200

same() { # A B: folders with results of the same rows, and nothing beside them
    for file in "$1"/*/*; do
        other=$2/${file#"$1"/}
        grep -v '^#' "$file" > "$dir/rows"
        grep -v '^#' "$other" | cmp - "$dir/rows" || return 1
    done
    [ "$(ls "$1"/*)" = "$(ls "$2"/* | sed "s|$2|$1|")" ] || { ls "$2"/*; return 1; }
}
# killed EXPERIMENT RUN: killed and started again until it is complete; anew, if there are kills left
killed() {
    x=$1 run=$2 out=$dir/$1-killed left=$kills went_on=0 most=2 # seconds until it is killed
    while :; do
        build/$x --only $run --out "$out" --data none --save 0 > "$out.log" 2>&1 &
        pid=$!
        if [ $left -gt 0 ]; then
            until ls "$out/$x/$run"-*.tnn > "$dir/seen" 2>&1 || ! kill -0 $pid 2> /dev/null; do
                sleep 0.1
            done
            sleep "$(awk -v seed=$left$$ -v most=$most 'BEGIN {
                srand(seed); printf "%.3f", most*rand() }')"
            if kill -9 $pid 2> /dev/null; then left=$((left - 1))
            else most=$(awk -v most=$most 'BEGIN { printf "%.3f", most/2 }'); fi # it was too fast
        fi
        wait $pid 2> /dev/null
        grep 'begins anew' "$out.log" && return 1
        grep -q 'goes on after' "$out.log" && went_on=$((went_on + 1))
        [ -f "$out/$x/$run.tsv" ] || continue
        same "$dir/$x-whole" "$out" || return 1
        [ $left -gt 0 ] || break
        rm -rf "$out"
    done
    echo "went on $went_on times"
    [ $went_on -gt 0 ]
}
one() { # EXPERIMENT RUN
    build/$1 --only $2 --out "$dir/$1-whole" --data none > "$dir/$1-whole.log" 2>&1 &&
        killed $1 $2
}
check "fashion_mlp, killed $kills times" one fashion_mlp adam-bs1000
check "kuzushiji_mlp, killed $kills times" one kuzushiji_mlp m1
[ "$1" != all ] || check "fashion_cnn, killed $kills times" one fashion_cnn lr0.001-bs128
total
