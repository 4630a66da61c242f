#!/bin/sh
# fuzz.sh [RUNS | all] [READER ...] - tests/fuzz.c: changed files for every reader, under clang's
# libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer: 10,000 for each, with `all` 1,000,000,
# which takes an hour. They start from valid files and are kept in build/tests/fuzz/READER/, those
# that show an error as build/tests/fuzz/READER-crash-HASH, with READER.log. To read one again:
#     READER=npy build/tests/fuzz/again FILE

about=fuzz
. tests/check.sh
unset TINYNN_ISA TINYNN_THREADS
jobs=1                          # each has a processor for itself
runs=${1:-10000}
[ "$runs" != all ] || runs=1000000
[ $# -eq 0 ] || shift

TMPDIR=$(mktemp -d /dev/shm/fuzz.XXXXXX 2> /dev/null || mktemp -d) || exit 1
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 1' INT TERM

# Without vector instructions, which take minutes to instrument and do not read files.
strict='-std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow'
flags="$strict -g -DTINYNN_NO_SIMD -I. -Iexperiments tests/fuzz.c -lm -pthread"
fuzzer='-DLIBFUZZER -O2 -fsanitize=fuzzer,address,undefined,float-cast-overflow'

quiet() { log=$("$@" 2>&1) && [ -z "$log" ] || { echo "$log"; return 1; }; }
# Its first files, all of which it takes but those that are called refused.
starts() { # READER
    mkdir "$dir/$1" && READER=$1 SEEDS=$dir/$1 "$dir/again" || return 1
    READER=$1 "$dir/again" $(ls "$dir/$1"/* | grep -v /refused) > "$dir/$1.log" 2>&1 &&
        grep '^\([0-9]*\) files, \1 of them taken$' "$dir/$1.log" > /dev/null ||
        { cat "$dir/$1.log"; return 1; }
}
fuzzed() { # READER
    case $1 in checkpoint) most=16384 ;; *) most=4096 ;; esac
    READER=$1 "$dir/fuzz" -runs="$runs" -max_len=$most -timeout=10 -error_exitcode=1 \
        -print_final_stats=1 -artifact_prefix="$dir/$1-" "$dir/$1" > "$dir/$1.log" 2>&1 ||
        { grep -e ERROR -e 'runtime error' -e '^fuzz\.c' -e 'Test unit' "$dir/$1.log"; return 1; }
    READER=$1 "$dir/again" "$dir/$1"/*
}

cc=${CC:-cc}
check "$cc, no warning" quiet $cc -O1 $flags -o "$dir/again"
finish
[ -x "$dir/again" ] || { total; exit 1; }
readers=${*:-$("$dir/again" 2>&1 | sed -n 's/^readers: //p')}
for r in $readers; do check "$r, its first files" starts $r; done

echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return !p && n; }' > "$dir/empty.c"
if ! clang $fuzzer "$dir/empty.c" -o "$dir/empty" 2> /dev/null; then
    skip "$runs files for each" "needs clang and libFuzzer, libclang-rt-dev"
    total
    exit
fi
check "clang's libFuzzer, no warning" quiet clang $fuzzer -fno-sanitize-recover=all $flags \
    -o "$dir/fuzz"
finish
for r in $readers; do check "$r, $runs files" fuzzed $r; done
total
