#!/bin/sh
# platforms.sh [arm|others|x86|windows|sanitizers ...] - the tests on other processors, and watched
# closely
#
# 64-bit ARM (NEON) and x86 without AVX, and where this machine has AVX-512 without that, under
# qemu's user mode: the programs that reach the kernels; so, with the bits that must be the same and
# the files only, 32-bit ARM, RISC-V, s390x and PowerPC (both big-endian), 32-bit x86, and musl;
# Windows under wine (32-bit: compiled only); AddressSanitizer with UndefinedBehaviorSanitizer, and
# of what has threads ThreadSanitizer, by gcc, else by clang. What is not installed is skipped.
# Needs the experiments and test programs that make test builds.

about=platforms
. tests/check.sh
unset TINYNN_ISA TINYNN_THREADS TINYNN_SIZES
programs=$(for t in tests/test_*.c tests/mistakes.c; do basename "$t" .c; done)
experiments=$(grep -l 'experiment\.h' experiments/*.c | sed 's|.*/||; s|\.c$||')
wanted=${*:-arm others x86 windows sanitizers}
want() { case " $wanted " in *" $1 "*) ;; *) false ;; esac; }

# tested COMMAND...: a test program; shows what failed and the count
tested() {
    out=$("$@" 2>&1)
    status=$?
    out=$(printf '%s\n' "$out" | tr -d '\r')
    printf '%s\n' "$out" | grep -v -e '^ok ' -e '^qemu-.* warning: '
    [ $status -eq 0 ] && printf '%s\n' "$out" | tail -n 1 | grep -q ' passed, 0 failed$'
}
# quick COMMAND...: one short run of an experiment, the first that it has; Wine has no gzip for data
quick() {
    run=$("$@" --help | tr -d '\r' | sed -n 's/^runs: \([^ ]*\).*/\1/p')
    "$@" --quick --data none --only $run --out "$dir/$(echo "$*" | tr -c '[:alnum:]\n' -)"
}
# objects NAME COMPILER...: builds the library, once for most of the programs that follow, with the
# hooks of tests/hooked.h; and what these are where a program has none of its own
objects() {
    platform=$1 objects=$dir/$(echo "$1" | tr -c '[:alnum:]\n' -)
    shift
    check "$platform, the library" "$@" -std=c99 -DTINYNN_SCALAR -I. -x c -c tests/hooked.h \
        -o "$objects-hooked.o"
    check "$platform, plain hooks" "$@" -std=c99 -c "$dir/plain.c" -o "$objects-plain.o"
}
cat > "$dir/plain.c" << 'END'
#include <stdlib.h>
void *test_malloc(size_t bytes);
void  test_free(void *p);
void *test_malloc(size_t bytes) { return malloc(bytes); }
void  test_free(void *p) { free(p); }
END
# compiled SOURCE EXE COMPILER...: a program, with the library in it where it looks inside
compiled() {
    source=$1 exe=$2 hooks=plain
    shift 2
    case $source in
    tests/*)
        ! grep -q '"hooked\.h"' "$source" || hooks=
        ! grep -q '"inside\.h"' "$source" || hooks=inside ;;
    esac
    if [ "$hooks" = inside ]; then set -- "$@" $inside
    else set -- "$@" -DTINYNN_ELSEWHERE "$objects-hooked.o" ${hooks:+"$objects-plain.o"}; fi
    "$@" -std=c99 -DTINYNN_SCALAR -I. -Itests -Iexperiments "$source" -o "$exe" -lm -pthread
}
inside=
# built SOURCE RUNNER COMPILER...: builds a program and runs it; RUNNER may be empty, and of a test
# the groups named by $only
only=
built() {
    source=$1 runner=$2
    exe=$dir/$about-$begun.exe
    shift 2
    compiled "$source" "$exe" "$@" || return 1
    case $source in
    tests/*) tested $runner "$exe" "$only" ;;
    *) quick $runner "$exe" ;;
    esac
}

# ---- other processors ----------------------------------------------------------------------------
TINYNN_EMULATED=1                       # qemu is slow, and ends where a process with threads forks
TINYNN_RANDOM=50
export TINYNN_EMULATED TINYNN_RANDOM
# groups PROGRAM ISA: there even fmaf is slow; of the long programs what tests the best set
groups() {
    case $1 in
    test_modules | test_networks | test_tensors) echo "$2, 3 threads" ;;
    test_optimizers | test_vgg16) echo "$2" ;;
    test_torch) echo "mlp, SGD, $2" ;;
    test_api) echo "same bits" ;;
    esac
}
kernels=$(for p in $programs; do
    case $p in
    test_hostile | test_icons | test_memory | test_schedules | test_search | test_summary) ;;
    *) echo $p ;;
    esac
done)
if ! want arm; then :
elif have qemu-aarch64 && have aarch64-linux-gnu-gcc; then
    inside=-O1                          # gcc 12 breaks off where it vectorises test_kernels.c
    objects aarch64 aarch64-linux-gnu-gcc -O2
    finish
    for p in $kernels; do
        only=$(groups $p neon)
        check "aarch64, $p" built tests/$p.c qemu-aarch64 aarch64-linux-gnu-gcc -O2 -static
    done
else
    skip aarch64 "needs qemu-user, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross"
fi
only= inside=

# other NAME RUNNER COMPILER...
other() {
    processor=$1 runner=$2
    shift 2
    want others || return 0
    if ! have "$1" || { [ -n "$runner" ] && ! have $runner; }; then
        skip "$processor" "needs $1${runner:+ and $runner}"
        return
    fi
    objects "$processor" "$@"
    finish
    for p in test_api test_files test_images test_checkpoint test_hostile test_sizes; do
        case $p in
        test_images)            # qemu-arm gives 32-bit programs places in folders of 64 bits
            [ "$runner" != qemu-arm ] || continue
            only= ;;
        test_api) only="same bits" ;;
        test_checkpoint) only="with averages" ;;
        *) only= ;;
        esac
        check "$processor, $p" built tests/$p.c "$runner" "$@"
    done
    only=
}
other "32-bit ARM" qemu-arm arm-linux-gnueabihf-gcc -O2 -static
other "32-bit ARM with NEON" qemu-arm arm-linux-gnueabihf-gcc -O2 -mfpu=neon-vfpv4 -static
other RISC-V qemu-riscv64 riscv64-linux-gnu-gcc -O2 -static
other s390x qemu-s390x s390x-linux-gnu-gcc -O2 -static
other PowerPC qemu-ppc64 powerpc64-linux-gnu-gcc -O2 -static
# by a compiler of its own or gcc's -m32; not every x86_64's kernel runs its programs
x86_32="i686-linux-gnu-gcc"
have $x86_32 || x86_32="gcc -m32"
echo 'int main(void) { return 0; }' > "$dir/32.c"
$x86_32 -static "$dir/32.c" -o "$dir/32" 2> /dev/null || x86_32="i686-linux-gnu-gcc"
runner=
"$dir/32" 2> /dev/null || runner=qemu-i386
TINYNN_SIZES=all
export TINYNN_SIZES
other "32-bit x86" "$runner" $x86_32 -O2 -msse2 -mfpmath=sse -static
unset TINYNN_SIZES
other musl "" musl-gcc -O2 -static

if ! want x86; then :
elif have qemu-x86_64 && [ "$(uname -m)" = x86_64 ]; then
    # qemu 7 faults where a masked load of AVX ends before a page that may not be read, which the
    # processor does not: there are no such pages.
    for cpu in Nehalem Haswell; do
        case $cpu in Nehalem) isa=sse2 ;; *) isa=avx2 ;; esac
        if build/fashion_mlp --help | grep -q "instruction set $isa "; then
            skip $cpu "this machine has no more than $isa itself"
            continue
        fi
        for p in test_kernels test_losses test_sums test_torch test_vgg16; do
            only=$(groups $p $isa)
            [ $p = test_kernels ] || only=${only:-$isa}
            check "$cpu, $p" tested env TINYNN_UNGUARDED=1 qemu-x86_64 -cpu $cpu build/$p "$only"
        done
        for x in fashion_cnn fashion_mlp; do
            check "$cpu, $x --quick" quick qemu-x86_64 -cpu $cpu build/$x
        done
    done
    only=
else
    skip "older x86" "needs qemu-user on an x86_64"
fi

wine=wine
have wine || wine=/usr/lib/wine/wine64      # where Debian has it
WINEPREFIX=$PWD/$dir/wine WINEDEBUG=-all TINYNN_SIZES=all
export WINEPREFIX WINEDEBUG TINYNN_SIZES
if ! want windows; then :
elif have x86_64-w64-mingw32-gcc && have $wine && mkdir -p "$WINEPREFIX" && $wine cmd /c exit \
    > /dev/null 2>&1; then
    objects "64-bit Windows" x86_64-w64-mingw32-gcc -O1 -Wall -Wextra -Werror
    finish
    for source in tests/test_*.c tests/mistakes.c $(printf 'experiments/%s.c ' $experiments); do
        check "wine, $source" built "$source" $wine x86_64-w64-mingw32-gcc -O1 -Wall -Wextra -Werror
    done
else
    skip windows "needs gcc-mingw-w64-x86-64 and wine64"
fi
unset TINYNN_SIZES
if ! want windows; then :
elif have i686-w64-mingw32-gcc; then
    objects "32-bit Windows" i686-w64-mingw32-gcc -O1 -Wall -Wextra -Werror
    finish
    for source in tests/test_*.c tests/mistakes.c $(printf 'experiments/%s.c ' $experiments); do
        check "32-bit Windows, $source compiles" compiled "$source" "$dir/windows-$begun.exe" \
            i686-w64-mingw32-gcc -O1 -Wall -Wextra -Werror
    done
else
    skip "32-bit windows" "needs gcc-mingw-w64-i686"
fi

# ---- sanitizers ----------------------------------------------------------------------------------
unset TINYNN_EMULATED TINYNN_RANDOM
echo 'int main(void) { return 0; }' > "$dir/empty.c"
for sanitizer in address,undefined thread; do
    want sanitizers || continue
    for cc in gcc clang ''; do
        flags="-g1 -O1 -fsanitize=$sanitizer -fno-sanitize-recover=all"
        [ "$cc" ] && $cc $flags "$dir/empty.c" -o "$dir/empty" 2> /dev/null && "$dir/empty" && break
    done
    [ "$cc" ] || { skip "-fsanitize=$sanitizer" "not installed"; continue; }
    # Instrumented vector kernels take long to compile. With threads, which work alike on every
    # instruction set, and where test_kernels has pages of its own around all operands, the scalar
    # ones do.
    inside=-DTINYNN_NO_SIMD early='' later=''
    [ $sanitizer != thread ] || flags="$flags $inside"
    [ $sanitizer != thread ] || programs='test_kernels test_api test_hostile test_modules
        test_networks test_saving test_tensors'
    for p in $programs; do
        if grep -q '"inside\.h"' tests/$p.c; then early="$early $p"; else later="$later $p"; fi
    done
    objects "$cc -fsanitize=$sanitizer" $cc $flags
    for p in $early; do
        check "$cc -fsanitize=$sanitizer, $p" built tests/$p.c '' $cc $flags
    done
    finish
    for p in $later; do
        only=
        [ $sanitizer != thread ] || only=$(groups $p scalar)
        [ "$only" != "same bits" ] || only="several threads"
        check "$cc -fsanitize=$sanitizer, $p" built tests/$p.c '' $cc $flags
    done
    only=
    for x in fashion_cnn fashion_mlp; do
        check "$cc -fsanitize=$sanitizer, $x --quick" built experiments/$x.c '' $cc $flags
    done
done
total
