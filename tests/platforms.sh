#!/bin/sh
# platforms.sh - the tests on other processors, and under the sanitizers
#
# 64-bit ARM (NEON) and older x86 under qemu's user mode, AddressSanitizer, UndefinedBehaviorSanitizer
# and ThreadSanitizer; for Windows everything is only compiled. What is not installed is skipped.
# Needs the experiments and the test programs in build/ (`make test` builds both); takes a while.

about=platforms
. tests/check.sh
unset TINYNN_ISA TINYNN_THREADS
programs=$(for t in tests/test_*.c; do basename "$t" .c; done)
experiments='fashion_cnn fashion_mlp'

# tested COMMAND...: a test program; shows what failed and the count
tested() {
    out=$("$@" 2>&1)
    status=$?
    printf '%s\n' "$out" | grep -v -e '^ok ' -e '^qemu-.* warning: ' | tail -n 8
    [ $status -eq 0 ] && printf '%s\n' "$out" | tail -n 1 | grep -q ' passed, 0 failed$'
}
# built SOURCE RUNNER COMPILER...: builds a program and runs it; RUNNER may be empty
built() {
    source=$1 runner=$2
    exe=$dir/$about-$begun.exe
    shift 2
    "$@" -std=c99 -I. -Itests -Iexperiments "$source" -o "$exe" -lm -pthread || return 1
    case $source in
    tests/*) tested $runner "$exe" ;;
    *) $runner "$exe" --quick --out "$exe.results" ;;
    esac
}

# ---- other processors -----------------------------------------------------------------------------
if have qemu-aarch64 && have aarch64-linux-gnu-gcc; then
    for p in $programs; do
        check "aarch64, $p" built tests/$p.c qemu-aarch64 aarch64-linux-gnu-gcc -O2 -static
    done
else
    skip aarch64 "needs qemu-user, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross"
fi
if have qemu-x86_64 && [ "$(uname -m)" = x86_64 ]; then
    for cpu in Nehalem Haswell; do
        for p in $programs; do check "$cpu, $p" tested qemu-x86_64 -cpu $cpu build/$p; done
        for x in $experiments; do
            check "$cpu, $x --quick" qemu-x86_64 -cpu $cpu build/$x --quick --out "$dir/$cpu"
        done
    done
else
    skip "older x86" "needs qemu-user on an x86_64"
fi
for cc in x86_64-w64-mingw32-gcc i686-w64-mingw32-gcc; do
    have $cc || { skip $cc "not found"; continue; }
    for source in experiments/fashion_*.c tests/test_*.c; do
        check "$cc, $source compiles" $cc -O1 -Wall -Wextra -Werror -I. -Itests -Iexperiments \
            "$source" -o "$dir/$begun-windows.exe" -lm
    done
done

# ---- sanitizers -----------------------------------------------------------------------------------
ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS UBSAN_OPTIONS
echo 'int main(void) { return 0; }' > "$dir/empty.c"
for cc in gcc clang; do
    for sanitizer in address,undefined thread; do
        flags="-g -O1 -fsanitize=$sanitizer -fno-sanitize-recover=all"
        if ! $cc $flags "$dir/empty.c" -o "$dir/empty" 2> /dev/null || ! "$dir/empty"; then
            skip "$cc -fsanitize=$sanitizer" "not installed"
            continue
        fi
        for p in $programs; do
            check "$cc -fsanitize=$sanitizer, $p" built tests/$p.c '' $cc $flags
        done
        for x in $experiments; do
            check "$cc -fsanitize=$sanitizer, $x --quick" built experiments/$x.c '' $cc $flags
        done
    done
done
total
