#!/bin/sh
# same_bits.sh [all] - the same numbers, to the last bit, whatever computes them
#
# Runs the --quick version of every experiment in several ways and compares what they write, comment
# lines apart: each instruction set of this machine, and 1, 2 and 3 threads; with `all` every run of
# them but where that takes minutes, and gcc and clang at -O1 and -O3; and the first run on a 64-bit
# ARM under qemu. SSE2, without fused multiply-add, is the exception. Needs the experiments that
# `make` builds; run from the top folder.

about=same_bits
. tests/check.sh
unset TINYNN_ISA TINYNN_THREADS

# run NAME EXPERIMENT COMMAND...: rows of all its result files to $dir/NAME-EXPERIMENT.rows/, their
# comments to .comments
run() {
    out=$dir/$1-$2
    shift 2
    mkdir -p "$out.rows"
    "$@" --quick --out "$out" > "$out.log" 2>&1 || { tail -n 1 "$out.log"; return 1; }
    for file in "$out"/*/*.tsv; do
        grep -v '^#' "$file" > "$out.rows/${file##*/}" || return 1
        grep '^#' "$file" || :          # samples.tsv has none
    done > "$out.comments"
}

# same NAME EXPERIMENT WANT COMMAND...: gives the rows of the reference. WANT is a text that the
# comments must contain: what was meant to be tested is what ran.
same() {
    name=$1 x=$2 want=$3
    shift 3
    run "$name" "$x" "$@" || return 1
    if ! grep -q "$want" "$dir/$name-$x.comments"; then
        echo "did not run with $want"
        return 1
    fi
    for file in "$dir/$name-$x.rows"/*; do
        reference=$dir/reference-$x.rows/${file##*/}
        cmp -s "$reference" "$file" && continue
        echo "${file##*/}:"
        diff "$reference" "$file" | sed -n '/^[<>]/p' | sed -n 1,2p
        return 1
    done
}

# library NAME COMPILER...: builds it, for the programs that follow
library() {
    object=$dir/$1.o
    shift
    "$@" -std=c99 -DTINYNN_IMPLEMENTATION -I. -x c -c tinynn.h -o "$object"
}
# built NAME EXPERIMENT COMPILER...: the same with a program built by that command
built() {
    name=$1 x=$2 exe=$dir/$1-$2.exe
    shift 2
    "$@" -std=c99 -DTINYNN_ELSEWHERE -I. -Iexperiments -o "$exe" "experiments/$x.c" "$dir/$name.o" \
        -lm -pthread || return 1
    case $name in
    aarch64*) same "$name" "$x" 'instruction set neon,' qemu-aarch64 "$exe" $(first $x) ;;
    *) same "$name" "$x" . "$exe" $(some $x) ;;
    esac
}

experiments=$(grep -l "experiment\.h" experiments/*.c | sed "s|.*/||; s|\.c$||")
# The first run of an experiment; of the one that takes minutes, and if not `all` is given of each.
first() { echo "--only $(build/$1 --help | sed -n 's/^runs: \([^ ]*\).*/\1/p')"; }
some()  { [ "$all" ] && [ $1 != flags_cnn ] || first $1; }
all=
[ "$1" != all ] || all=1
for x in $experiments; do
    only=
    [ "$all" ] || [ $x != flags_cnn ] || only=$(first $x)
    check "$x, 2 threads" run reference $x env TINYNN_THREADS=2 build/$x $only
done
if [ "$all" ]; then
    for cc in gcc clang; do
        have $cc || { skip "$cc" "not found"; continue; }
        for o in -O1 -O3; do check "the library, $cc $o" library $cc$o $cc $o; done
    done
    if have aarch64-linux-gnu-gcc && have qemu-aarch64; then
        check "the library, aarch64" library aarch64 aarch64-linux-gnu-gcc -O2
    else
        skip aarch64 "needs aarch64-linux-gnu-gcc and qemu-aarch64"
    fi
fi
finish
for x in $experiments; do
    check "$x, 1 thread" same threads1 $x " 1 threads" env TINYNN_THREADS=1 build/$x $(some $x)
    only=
    [ "$all" ] || only=$(first $x)
    check "$x, 3 threads" same threads3 $x " 3 threads" env TINYNN_THREADS=3 build/$x $only
    only=
    [ $x != flags_cnn ] || only=$(first $x)
    for isa in avx2 avx512 neon; do
        if grep -q "instruction set $isa," "$dir/reference-$x.comments"; then
            continue                            # the reference is of it
        elif TINYNN_ISA=$isa build/$x --help | grep -q "instruction set $isa "; then
            check "$x, $isa" same $isa $x "instruction set $isa," env TINYNN_ISA=$isa \
                build/$x $only
        else
            skip "$x, $isa" "not on this machine"
        fi
    done
    check "$x, scalar" same scalar $x "instruction set scalar," \
        env TINYNN_ISA=scalar build/$x $(first $x)      # 25 times as long
    for object in "$dir"/*-O*.o; do
        [ -f "$object" ] || continue
        name=$(basename "$object" .o)
        check "$x, $name" built $name $x ${name%-O*} -O${name#*-O}
    done
    [ ! -f "$dir/aarch64.o" ] || check "$x, aarch64 under qemu" built aarch64 $x \
        aarch64-linux-gnu-gcc -O2 -static
done
total
