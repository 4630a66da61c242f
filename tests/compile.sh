#!/bin/sh
# compile.sh [all] - the header in all the ways to include it, under all the compilers found
#
# No warning anywhere; a small network, trained in each of these ways, ends with the same weights.
# With `all` also what takes long: every standard, -O3, -march=native, clang where gcc has told as
# much, and the newest gcc and clang: of those with a number (gcc-16), or what TINYNN_CC lists. Run
# from the top folder, where make has built build/tinynn.o.

about=compile
. tests/check.sh
mkdir -p "$dir/renamed" "$dir/away/x" "$dir/away/y"
cp tinynn.h "$dir/renamed/other.h"
cp tinynn.h "$dir/away/x/"

# What a check may ask for: no output; failure with a message; a program, which then runs and prints
# the hash of its weights.
quiet() { log=$("$@" 2>&1) && [ -z "$log" ] || { echo "$log"; return 1; }; }
refuses() { # PATTERN COMMAND...
    pattern=$1
    shift
    if log=$("$@" 2>&1); then echo "compiled, but should not"; return 1; fi
    echo "$log" | grep "$pattern" > /dev/null || { echo "$log"; return 1; }
}
runs() { # EXE COMMAND...: the command builds EXE
    exe=$dir/$1
    shift
    quiet "$@" -o "$exe" -lm -pthread || return 1
    "$exe" > "$exe.txt" || { cat "$exe.txt"; return 1; }
}

framed() { # LEVEL: the program, run; no function's frame is over 16 KB
    quiet $cc $1 $strict $whole -fstack-usage -c "$dir/use.c" -o "$dir/$cc$1.o" &&
        runs "$cc$1" $cc "$dir/$cc$1.o" &&
        ! awk -F '\t' '$2 > 16384 || $3 ~ /dynamic/ && $3 !~ /bounded/' "$dir/$cc$1.su" | grep .
}
fast() {
    $cc -Ofast -w $here -c "$dir/use.c" -o "$dir/$cc-fast.o" &&
        runs $cc-fast $cc "$dir/$cc-fast.o" build/tinynn.o
}
told() { # what the compiler does not tell the header, its first error does
    $cc -O1 "$@" $whole -DTINYNN_SCALAR "$dir/use.c" -o "$dir/$cc$1" -lm -pthread &&
        "$dir/$cc$1" | grep "flags that change what arithmetic"
}

told_or_off() { # the newest clang turns it off where the header asks for it: the same weights
    told "$@" || "$dir/$cc$1" > "$dir/$cc$1.txt"
}

# ---- the programs: C and C++, and one with the API only, one with the implementation only --------
cat > "$dir/use.c" << 'END'
#include HEADER
#include HEADER /* twice does no harm */
#include <stdio.h>
#include <string.h>

static void add(tnn_net *net, tnn_layer_type type, int units)
{
    tnn_layer layer;
    memset(&layer, 0, sizeof layer);
    layer.type = type;
    if (type == TNN_CONV2D) layer.filters = units, layer.kernel = 3, layer.pad = 1;
    if (type == TNN_MAXPOOL2D) layer.kernel = 2;
    if (type == TNN_DENSE) layer.units = units;
    if (type == TNN_LEAKY_RELU) layer.slope = (float)TNN_ZERO;
    tnn_add_with(net, &layer);
}

int main(void)
{
    enum { N = 5 };
    float            x[N * 2 * 6 * 6];
    int              labels[N], i;
    tnn_net_options  options;
    tnn_loss_options loss;
    tnn_optimizer    adam;
    tnn_net         *net;
    memset(&options, 0, sizeof options);
    memset(&loss, 0, sizeof loss);
    memset(&adam, 0, sizeof adam);
    options.input[0] = 2;
    options.input[1] = options.input[2] = 6;
    options.batch = N;
    options.seed = 7;
    loss.type = TNN_CROSS_ENTROPY;
    adam.type = TNN_ADAM;
    for (i = 0; i < N * 2 * 6 * 6; i++) x[i] = tnn_random_normal(1, 2, (uint64_t)i);
    for (i = 0; i < N; i++) labels[i] = i % 3;
    net = tnn_create_with(&options);
    add(net, TNN_CONV2D, 5);
    add(net, TNN_LEAKY_RELU, 0);
    add(net, TNN_MAXPOOL2D, 0);
    add(net, TNN_FLATTEN, 0);
    add(net, TNN_DROPOUT, 0);
    add(net, TNN_DENSE, 3);
    tnn_set_loss_with(net, &loss);
    tnn_set_optimizer_with(net, &adam);
    for (i = 0; i < 3; i++) {
        tnn_forward(net, x, N, TNN_TRAIN);
        tnn_loss(net, labels);
        tnn_backward(net);
        tnn_step(net);
    }
    if (tnn_failed()) printf("%s\n", tnn_error());
    else printf("%08lx\n", (unsigned long)(tnn_hash(net) & 0xffffffffu));
    tnn_free(net);
    return tnn_failed();
}
END
cat > "$dir/implementation.c" << 'END'
#include "tinynn.h"
#define TINYNN_IMPLEMENTATION
#include "tinynn.h"
#include "tinynn.h"
END
cat > "$dir/inside.cpp" << 'END'
extern "C" {
#define TINYNN_IMPLEMENTATION
#include "tinynn.h"
}
END
cat > "$dir/away/y/beside.c" << 'END'
#define TINYNN_IMPLEMENTATION
#include "../x/tinynn.h"
END
# A process that makes it hard: the library comes and goes with dlopen, in a thread with a small
# stack, all signals blocked and numbers rounded upwards, on one processor, with three threads.
cat > "$dir/load.c" << 'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static int forked; /* a child, where the library is loaded already if the thread had begun */
static void *life(void *path) /* loads the library, trains, and unloads it; NULL: all went well */
{
    void *library = dlopen((const char *)path, RTLD_NOW), *main_of = NULL;
    int (*train)(void);
    fesetround(FE_UPWARD);
    if (library) main_of = dlsym(library, "train");
    if (!main_of) return path;
    *(void **)&train = main_of;
    return train() || dlclose(library)
           || (!forked && dlopen((const char *)path, RTLD_NOW | RTLD_NOLOAD)) ? path : NULL;
}
int main(int argc, char **argv)
{
    int i, status = 0;
    sigset_t all;
    cpu_set_t one;
    pthread_t thread;
    pthread_attr_t small;
    void *bad = NULL;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    CPU_ZERO(&one);
    sched_getaffinity(0, sizeof one, &one);
    for (i = 0; CPU_COUNT(&one) > 1; i++) CPU_CLR(i, &one);
    sched_setaffinity(0, sizeof one, &one);
    setenv("TINYNN_THREADS", "3", 1);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK);
    for (i = 0; i < 100 && !bad && !status; i++) {
        if (pthread_create(&thread, &small, life, argv[1 + i % (argc - 1)])) return 3;
        if (i % 10 == 9 && (forked = fork() == 0)) return life(argv[1]) != NULL;
        pthread_join(thread, &bad);
        if (i % 10 == 9) wait(&status);
    }
    return bad || status;
}
END
cat > "$dir/thread.c" << 'END'
#define main use
#include "use.c"
#undef main
#include <pthread.h>
static void *work(void *unused) { use(); return unused; }
int main(void)
{
    pthread_attr_t small;
    pthread_t thread;
    return pthread_attr_init(&small) || pthread_attr_setstacksize(&small, 65536)
        || pthread_create(&thread, &small, work, NULL) || pthread_join(thread, NULL);
}
END
# the programs of the opening comment; README's are run by packages.sh
for program in SYNOPSIS REGRESSION; do
    sed -n "/^   $program/,/^       }\$/p" tinynn.h | sed -n 's/^       //p; /^ *$/p' \
        > "$dir/$program.c"
done
cp "$dir/use.c" "$dir/use.cpp"
cp "$dir/implementation.c" "$dir/implementation.cpp"

strict='-Wall -Wextra -pedantic -Wconversion -Wshadow'
here='-I. -DHEADER="tinynn.h"'
whole="$here -DTINYNN_IMPLEMENTATION"

# macros that a program may have: names of one or two characters that begin with a capital, known
# before anything is included; then, but for what libc defines, all of the header's own words in
# capitals and the usual others. With arguments and without.
{
    awk 'BEGIN {
        a = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"; all = a tolower(a) "0123456789_"
        for (i = 1; i <= 26; i++)
            for (k = 0; k <= length(all); k++)
                print "#define " substr(a, i, 1) substr(all, k, k > 0) " @"
    }'
    {
        grep -o '#include <[a-z/]*[.]h>' tinynn.h | grep -v 'intrin\|neon' | sort -u
        grep -o '[A-Za-z0-9_]*' tinynn.h | grep '^[A-Z][A-Z0-9_]*$' |
            grep -v '^TNN_\|^TINYNN_\|^FILE$\|^O_' | sort -u
        echo 'near far small huge interface index rindex j0 j1 jn y0 y1 yn major minor unix linux
            true false vector pixel slots signals emit foreach pascal cdecl internal global scalar
            neon avx2 KERNEL HELPER TARGET LIMIT RELU IN OUT TRUE FALSE BOOL CONST VOID ERROR OK
            DEBUG EPS min(a,b) max(a,b) abs(a,b) round(a,b) check(a,b) verify(a,b)'
    } | awk '/^#/ { print "#if __has_include(" $2 ")\n" $0 "\n#endif"; next }
        { for (i = 1; i <= NF; i++) {
              name = $i; sub(/[(].*/, "", name)
              print "#ifndef " name "\n#define " $i " @\n#endif" } }'
} > "$dir/names.h"

# ---- for each compiler; the first found tells what does not depend on it -------------------------
# The whole takes 10 seconds at -O0, 2 with -fsyntax-only, 3 with TINYNN_NO_SIMD, 1 with both.
supports() { $cc -std=$std -fsyntax-only -x $1 /dev/null 2> /dev/null; }
told=
for cc in gcc clang; do
    have $cc || { skip "$cc" "not found"; continue; }
    stds=c99
    [ "$1" != all ] || stds='c99 c11 c17 c2x'
    for std in $stds; do
        supports c || { skip "$cc -std=$std" "not supported"; continue; }
        check "$cc -std=$std: no warning" quiet $cc -std=$std $strict $whole -DTINYNN_SCALAR \
            -fsyntax-only "$dir/use.c"
    done
    check "$cc -std=c99 -D_GNU_SOURCE: no warning" quiet $cc -std=c99 -D_GNU_SOURCE $strict $whole \
        -DTINYNN_NO_SIMD -fsyntax-only "$dir/use.c"
    check "$cc -O0, run, frames" framed -O0
    check "$cc, the experiments" quiet $cc -std=c99 $strict -DTINYNN_ELSEWHERE -fsyntax-only \
        $(ls experiments/*.c | grep -v hello_)
    check "$cc -Ofast, the program's own file only" fast
    if [ "$1" = all ]; then
        if [ $cc = clang ]; then
            check "$cc, parts of -ffast-math, run" runs $cc-parts $cc -O1 -fno-signed-zeros \
                -freciprocal-math $strict $whole "$dir/use.c"
            check "$cc -fassociative-math is told or off" told_or_off -fassociative-math \
                -fno-signed-zeros
            check "$cc -fassociative-math, without scalar kernels" runs $cc-associative $cc -O1 \
                -fassociative-math -fno-signed-zeros $whole "$dir/use.c"
            check "$cc -ffp-contract=fast is told" told -ffp-contract=fast
            check "$cc -funsafe-math-optimizations is told" told -funsafe-math-optimizations
        fi
        check "$cc, two translation units" runs $cc-two $cc -O0 $strict $here "$dir/use.c" \
            "$dir/implementation.c"
        for level in -O1 -O2 -O3 -Os; do check "$cc $level, run, frames" framed $level; done
        check "$cc -march=native, run" runs $cc-native $cc -O1 -march=native $strict $whole \
            "$dir/use.c"
    elif [ -n "$told" ]; then continue
    fi
    told=$cc
    check "$cc, TINYNN_NO_SIMD" runs $cc-no-simd $cc -O0 $strict $whole -DTINYNN_NO_SIMD \
        "$dir/use.c"
    for switch in STATIC NO_THREADS NO_STDIO NO_SEARCH NO_EXPORT NO_FILES \
        'NO_FILES -DTINYNN_NO_SEARCH'; do
        check "$cc, TINYNN_$switch" quiet $cc $strict $whole -DTINYNN_NO_SIMD -DTINYNN_$switch \
            -fsyntax-only "$dir/use.c"
    done
    check "$cc, other name" quiet $cc $strict -I"$dir/renamed" -DHEADER='"other.h"' \
        -DTINYNN_SELF='"other.h"' -DTINYNN_IMPLEMENTATION -fsyntax-only "$dir/use.c"
    check "$cc, other name not told" refuses 'TINYNN_SELF' $cc -I"$dir/renamed" \
        -DHEADER='"other.h"' -DTINYNN_IMPLEMENTATION -fsyntax-only "$dir/use.c"
    check "$cc, relative path" quiet $cc $strict -fsyntax-only "$dir/away/y/beside.c"
    check "$cc, -I elsewhere" quiet $cc $strict -I"$dir/away/x" -DHEADER='<tinynn.h>' \
        -DTINYNN_IMPLEMENTATION -fsyntax-only "$dir/use.c"
    check "$cc, a program's macros" quiet $cc -w -I. -DTINYNN_NO_SIMD -fsyntax-only \
        -include "$dir/names.h" "$dir/implementation.c"
    parts='-ffinite-math-only -fno-signed-zeros -fsingle-precision-constant -freciprocal-math'
    [ $cc = gcc ] || parts=-ffinite-math-only
    for flag in -ffast-math $parts; do
        check "$cc $flag refused" refuses 'fast-math' $cc $flag -I. -DTINYNN_NO_SIMD \
            -fsyntax-only "$dir/implementation.c"
    done
    check "$cc: the header's synopsis" quiet $cc -std=c99 $strict -DTINYNN_NO_SIMD -I. \
        -fsyntax-only "$dir/SYNOPSIS.c"
done
told=
for cc in g++ clang++; do
    have $cc || { skip "$cc" "not found"; continue; }
    stds='c++11 c++20' simd=-DTINYNN_NO_SIMD
    [ "$1" != all ] || stds='c++11 c++14 c++17 c++20 c++2b c++2c' simd=
    for std in $stds; do
        supports c++ || { skip "$cc -std=$std" "not supported"; continue; }
        check "$cc -std=$std: no warning" quiet $cc -std=$std $strict $whole -DTINYNN_SCALAR -fsyntax-only \
            "$dir/use.cpp"
    done
    [ "$1" = all ] || [ -z "$told" ] || continue
    told=$cc
    check "$cc, run" runs $cc-one $cc -std=c++17 -O0 $strict $whole $simd "$dir/use.cpp"
    check "$cc, inside extern \"C\"" quiet $cc -std=c++17 $strict -I. -fsyntax-only \
        "$dir/inside.cpp"
done
if have g++; then
    check "g++, linked with make's object" runs mixed g++ -std=c++17 $here "$dir/use.cpp" \
        build/tinynn.o
fi
if have tcc; then check "tcc, run" runs tcc tcc $whole "$dir/use.c"
else skip tcc "not found"; fi

foreign() { # macros whose name is not the header's; DIR is as before behind it
    ! grep '^ *# *\(define\|undef\)' tinynn.h | grep -v ' \(TNN_\|TINYNN_\|tnn_\)\|undef DIR$'
}
check "macros begin with TNN_, TINYNN_ or tnn_" foreign
tagged() { # where a caller's line is noted there is a definition, too
    ctags --version 2> /dev/null | grep -q Universal || { echo "needs Universal Ctags"; return 77; }
    ctags --language-force=C -o "$dir/tags" tinynn.h
    sed -n 's/^#define \(tnn_[a-z0-9_]*\)(\.\.\.)  *TNN__CALL.*/\1/p' tinynn.h | sort > "$dir/called"
    awk -F '\t' '$4 == "f" { print $1 }' "$dir/tags" | sort -u > "$dir/defined"
    [ -s "$dir/called" ] && ! comm -23 "$dir/called" "$dir/defined" | grep .
}
check "tags lead to the public functions" tagged

# ---- whatever compiler `cc` is -------------------------------------------------------------------
cc=${CC:-cc}
check "plain cc -O2, linked with make's object" runs cc $cc -O2 $here "$dir/use.c" build/tinynn.o
check "in a thread with a stack of 64 KiB" runs thread $cc -O2 $here "$dir/thread.c" build/tinynn.o
loaded() { # SWITCH...: with the shared objects that they build, by turns
    libraries=
    for switch; do
        library=$dir/load$switch.so
        quiet $cc -O0 $whole -DTINYNN_NO_SIMD $switch -Dmain=train -fPIC -shared "$dir/use.c" \
            -o "$library" -lm -pthread || return 1
        libraries="$libraries $library"
    done
    quiet $cc -DSTACK=65536 "$dir/load.c" -o "$dir/load" -ldl -lm -pthread || return 1
    "$dir/load" $libraries > "$dir/load.txt" ||
        { echo "status $?"; tail -n 3 "$dir/load.txt"; return 1; }
    [ "$(wc -l < "$dir/load.txt")" -ge 100 ]
}
if [ "$(uname)" = Linux ]; then
    check "loaded and unloaded 100 times" loaded -DPLAIN ${1:+-DTINYNN_STATIC}
fi
alone() { # as it stands beside its headers, without an option
    quiet $cc -O0 -DTINYNN_NO_SIMD -fsyntax-only experiments/fashion_cnn.c &&
        (cd experiments && quiet $cc -DTINYNN_ELSEWHERE -fsyntax-only ./*.c)
}
check "the experiments from the top folder and from theirs" alone
claims() { # all can be read; without results none is said to hold or not, without a folder nothing
    quiet $cc -std=c99 $strict experiments/report.c -o "$dir/report" -lm &&
        mkdir "$dir/none" && "$dir/report" "$dir/none" > "$dir/report.md" &&
        [ "$(grep -c '| not run |  |$' "$dir/report.md")" -eq \
            "$(cat plots/*_claims.tsv | grep -c '^claim	')" ] &&
        ! "$dir/report" "$dir/none" "$dir/nowhere" > "$dir/nowhere.md" 2> "$dir/nowhere.log" &&
        grep 'no folder .*/nowhere: [A-Z]' "$dir/nowhere.log" && [ ! -s "$dir/nowhere.md" ]
}
check "the report without results, and without their folder" claims
regression() { # the opening's program
    quiet $cc $strict -std=c99 -DTINYNN_NO_SIMD -I. "$dir/REGRESSION.c" -o "$dir/regression" -lm &&
        "$dir/regression" | grep '^R2 0\.99'
}
check "the header's regression, run" regression
# sizes: a product of two ints is not widened afterwards (the kernels' are of small constants)
widened() {
    clang-tidy -checks='-*,bugprone-implicit-widening-of-multiplication-result' \
        -header-filter='.*' "$dir/implementation.c" -- -I. -DTINYNN_NO_SIMD > "$dir/tidy" 2>&1 ||
        { cat "$dir/tidy"; return 1; }
    awk '/==== 3[.]/ { first = FNR } /==== 4[.]/ { last = FNR }
        / warning: / { split($0, at, ":"); if (at[2] < first || at[2] > last) { print; bad = 1 } }
        END { exit bad }' tinynn.h "$dir/tidy"
}
if have clang-tidy; then check "no product of two ints is widened" widened
else skip "clang-tidy" "not found"; fi
installed() {
    quiet env -u MAKEFLAGS make -s install DESTDIR="$dir/staged" PREFIX=/usr &&
        cmp tinynn.h "$dir/staged/usr/include/tinynn.h" &&
        grep '^Version: [0-9]' "$dir/staged/usr/lib/pkgconfig/tinynn.pc"
}
check "make install" installed
finish
same() {
    [ "$(cat "$dir"/*.txt | sort -u | wc -l)" -eq 1 ] || { head -n 1 "$dir"/*.txt; return 1; }
}
check "all these programs end with the same weights" same

# ---- named arguments in C++20, where g++ -Wextra has a warning for members left out --------------
printf '#include "tinynn.h"\nint main() {\n    tnn_add(tnn_create(.input = {1}), %s);\n}\n' \
    'TNN_DENSE, .units = 2' > "$dir/named.cpp"
# ---- the newest gcc and clang, by their numbers or as TINYNN_CC names them; zig cc ----------------
if [ "$1" = all ]; then
    newest() {
        for n in 30 29 28 27 26 25 24 23 22 21 20 19 18 17 16 15 14 13; do
            have "$1-$n" && { echo "$1-$n"; break; }
        done
    }
    for cc in ${TINYNN_CC-$(newest gcc) $(newest clang)}; do
        cxx=$(basename "$cc" | sed 's/gcc/g++/; s/clang/clang++/')
        case $cc in */*) cxx=${cc%/*}/$cxx ;; esac
        for std in c99 c2x; do
            check "$cc -std=$std: no warning" quiet $cc -std=$std $strict $whole -DTINYNN_SCALAR \
                -fsyntax-only "$dir/use.c"
        done
        lto=-flto               # gcc in one piece, else it says that it shares none with a make
        case $cc in *gcc*) lto="$lto -flto-partition=one" ;; esac
        check "$cc -O3 -flto: no warning" quiet $cc -O3 $lto $strict $whole "$dir/use.c" \
            -o "$dir/newest" -lm -pthread
        last=c++2c
        $cxx -std=$last -fsyntax-only -x c++ /dev/null 2> /dev/null || last=c++20
        for std in c++11 c++20 $last; do
            check "$cxx -std=$std: no warning" quiet $cxx -std=$std $strict $whole \
                -fsyntax-only "$dir/use.cpp"
        done
        for std in c++20 $last; do
            check "$cxx -std=$std: named arguments" quiet $cxx -std=$std $strict -I. \
                -fsyntax-only "$dir/named.cpp"
        done
    done
    if have zig; then check "zig cc" runs zig zig cc -O1 $strict $whole "$dir/use.c"
    else skip "zig cc" "not found"; fi
fi
for cc in g++ clang++; do
    have $cc || { skip "$cc" "not found"; continue; }
    check "$cc -std=c++20: named arguments" quiet $cc -std=c++20 $strict -I. -fsyntax-only \
        "$dir/named.cpp"
done
total
