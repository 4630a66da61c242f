#!/bin/sh
# resume.sh [all] - what becomes of results: runs that are killed (kill -9) at random moments, and
# started again, end with the result files of runs that are not: 4 kills of one experiment, with
# `all` 50 of five; and what was complete stays, whatever happens to a run: other processes, other
# data, a full disk, a call that fails. Needs the experiments that make builds.

about=resume
. tests/check.sh
unset TINYNN_ISA TINYNN_THREADS TINYNN_DATA
kills=4
[ "$1" != all ] || kills=50

same() { # A B: folders with results of the same rows, and nothing beside them
    for file in "$1"/*/*; do
        other=$2/${file#"$1"/}
        grep -v '^#' "$file" > "$2.rows"
        grep -v '^#' "$other" | cmp - "$2.rows" || return 1
    done
    [ "$(ls "$1"/*)" = "$(ls "$2"/* | grep -v '[.]tmp$' | sed "s|$2|$1|")" ] ||
        { ls "$2"/*; return 1; }
}
# killed EXPERIMENT RUN: killed and started again until it is complete; anew, if there are kills left
killed() {
    x=$1 run=$2 out=$dir/$1-killed left=$kills went_on=0 most=2 # seconds until it is killed
    while :; do
        build/$x --only $run --out "$out" --data none --save 0 > "$out.log" 2>&1 &
        pid=$! dead=0
        if [ $left -gt 0 ]; then
            until ls "$out/$x/$run"-*.tnn > "$dir/seen" 2>&1 || ! kill -0 $pid 2> /dev/null; do
                sleep 0.1
            done
            sleep "$(awk -v seed=$left$$ -v most=$most 'BEGIN {
                srand(seed); printf "%.3f", most*rand() }')"
            if kill -9 $pid 2> /dev/null; then left=$((left - 1)) dead=1
            else most=$(awk -v most=$most 'BEGIN { printf "%.3f", most/2 }'); fi # it was too fast
        fi
        wait $pid 2> /dev/null
        grep 'begins anew' "$out.log" && return 1
        grep -q 'goes on after' "$out.log" && went_on=$((went_on + 1))
        # killed behind the run, it has not written what comes after all runs
        [ $dead -eq 0 ] && [ -f "$out/$x/$run.tsv" ] || continue
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
check "kuzushiji_mlp, killed $kills times" one kuzushiji_mlp m1
if [ "$1" = all ]; then
    check "fashion_mlp, killed $kills times" one fashion_mlp adam-bs1000
    check "fashion_cnn, killed $kills times" one fashion_cnn lr0.001-bs128
    check "icons_cnn, killed $kills times" one icons_cnn final-b
    check "optimizer_race, killed $kills times" one optimizer_race lbfgs
fi

# ---- what is complete stays ----------------------------------------------------------------------
# A short run, of 0.2 s. r=OUT/fashion_mlp/adam-bs1000.tsv is its result.
quick="build/fashion_mlp --threads 1 --quick --only adam-bs1000"
out() { out=$dir/$1 r=$dir/$1/fashion_mlp/adam-bs1000.tsv log=$dir/$1.log; }
rows() { [ -f "$1" ] && [ "$(grep -c '^[0-9]' "$1")" -eq "${2-2}" ] && grep -q '^# seconds' "$1"; }
said() { grep -e "$1" "$log" > /dev/null || { echo "did not say: $1"; cat "$log"; return 1; }; }

twice() { # TIMES: two at a time in one folder
    for i in $(seq "$1"); do
        out twice-$i
        $quick --out "$out" --data none > "$log" 2>&1 &
        a=$!
        $quick --out "$out" --data none > "$log.2" 2>&1
        b=$?
        wait $a
        a=$?
        rows "$r" && [ $((a * b)) -eq 0 ] || { ls "$out"/*; cat "$log" "$log.2"; return 1; }
        [ $((a + b)) -eq 0 ] || grep -h 'process [0-9]* makes .*adam-bs1000.tsv' "$log" "$log.2" ||
            { cat "$log" "$log.2"; return 1; }
        $quick --out "$out" --data none > "$log" 2>&1 && said 'complete, skipped' || return 1
    done
}
many=2
[ "$1" != all ] || many=25
check "two processes in one folder, $many times" twice $many

# keys OPTIONS...: they make another key. Refused, and with --aside both results can be had in turn.
keys() {
    out "keys-$1-${2##*/}"
    $quick --data none --out "$out" > "$log" 2>&1 && cp "$r" "$out.first" || return 1
    ! $quick --data none --out "$out" "$@" > "$log" 2>&1 && said '.*fashion_mlp has results of' &&
        said 'give another --out' && cmp "$r" "$out.first" || return 1
    $quick --data none --out "$out" "$@" --aside > "$log" 2>&1 && said 'kept as' && rows "$r" &&
        cp "$r" "$out.other" && ! cmp -s "$r" "$out.first" || return 1
    for i in 1 2; do
        $quick --data none --out "$out" --aside > "$log" 2>&1 && said 'complete, skipped' &&
            cmp "$r" "$out.first" || return 1
        $quick --data none --out "$out" "$@" --aside > "$log" 2>&1 && said 'complete, skipped' &&
            cmp "$r" "$out.other" || return 1
    done
    ! ls "$out"/*/*.part 2> /dev/null
}
idx "$dir/a" 60 a
idx "$dir/b" 60 b
check "another seed in one folder" keys --seed 2
check "other data in one folder" keys --data "$dir/a"
others() { # which differ in their last sample alone
    out others
    cp -R "$dir/a" "$dir/c"
    printf b | dd of="$dir/c/fashion-mnist/t10k-images-idx3-ubyte" bs=1 conv=notrunc \
        seek=$((16 + 784 * 60 - 1)) 2> /dev/null
    $quick --data "$dir/a" --out "$out" > "$log" 2>&1 && cp "$r" "$out.first" &&
        ! $quick --data "$dir/c" --out "$out" > "$log" 2>&1 && said 'has results of real' &&
        cmp "$r" "$out.first"
}
check "data that differ in one pixel" others
arithmetic() { # of a run's own, and what is no result
    out arithmetic
    $quick --data none --out "$out" > "$log" 2>&1 && sed -i 's/fingerprint ..../fingerprint 0000/' \
        "$r" && cp "$r" "$out.first" || return 1
    ! $quick --data none --out "$out" > "$log" 2>&1 && said 'has other settings or other' &&
        cmp "$r" "$out.first" || return 1
    $quick --data none --out "$out" --aside > "$log" 2>&1 && rows "$r" &&
        cmp "$out"/fashion_mlp/adam-bs1000-*.tsv "$out.first"
}
check "other arithmetic in one folder" arithmetic

busy() { # another key while a process is at work
    out busy
    build/fashion_mlp --data none --only adam-bs500-p0.05-100epochs --out "$out" <&- \
        > "$log.1" 2>&1 &      # whose lock is file 0, but for care
    pid=$!
    until [ -f "$out/fashion_mlp/key.txt" ] || ! kill -0 $pid 2> /dev/null; do sleep 0.05; done
    ! $quick --data none --out "$out" --aside > "$log" 2>&1 &&
        said "process $pid makes results of synthetic, 8000 .* these would be of synthetic, 200"
    status=$?
    kill $pid
    return $status
}
check "another key while a process is at work" busy
closed() { # standard streams: what is said is not written into a result
    out closed
    $quick --data none --out "$out" >&- 2>&- && rows "$r" && ! grep fashion_mlp: "$r"
}
check "closed standard streams" closed
no_lock() { # another user's, say, in a folder of both
    out no_lock
    mkdir -p "$out/.lock"
    ! $quick --data none --out "$out" > "$log" 2>&1 && [ ! -e "$out/fashion_mlp" ] &&
        said 'cannot open .*/no_lock/.lock: [A-Z]'
}
check "a lock that cannot be had" no_lock

# failing NAME COMMAND...: a short run of $program, "EXPERIMENT RUN", that may fail, in a folder
# with the complete result of another. What has its name is right, the message has path and reason,
# and the next run is as if nothing was. want PROGRAM RUN: the folder before, and how it is to be.
want() {
    program=$1 base=$dir/${1% *}
    short="build/${1% *} --threads 1 --quick --data none --only"
    [ ! -d "$base-want" ] || return 0
    { $short "$2" --out "$base-before" && cp -R "$base-before" "$base-want" &&
        $short "${1#* }" --out "$base-want"; } > "$base-want.log" 2>&1
}
failing() {
    out "$1"
    shift
    rm -rf "$out"
    cp -R "$base-before" "$out"
    { ( "$@" $short ${program#* } --out "$out" ) 2>&1; echo $? > "$out.status"; } | cat > "$log"
    status=$(cat "$out.status")
    for file in "$out"/*/*.t[sx][vt]; do
        grep -v '^#' "$file" > "$out.rows"
        grep -v '^#' "$base-want/${file#"$out"/}" | cmp - "$out.rows" || return 1
    done
    case $status in
    0)   same "$base-want" "$out" || return 1 ;;
    1)   said 'cannot .* build/tests/.*: [A-Z]' || return 1
         failed=$((failed + 1)) ;;
    137) failed=$((failed + 1)) ;;
    *)   echo "status $status"; cat "$log"; return 1 ;;
    esac
    $short ${program#* } --out "$out" > "$log" 2>&1 && same "$base-want" "$out"
}
want 'fashion_mlp adam-bs1000' sgd-bs1000
blocks() { ( ulimit -f "$1" && trap '' XFSZ && shift && exec "$@" ); }
full() { # after so many blocks of 512 bytes
    failed=0
    for n in 0 1 2 3; do failing full-$n blocks $n || return 1; done
    echo "$failed of 4 failed"
    [ $failed -gt 0 ]
}
check "a full disk" full

# failing.so: with FAILING=NAME:N the N-th call of that function fails as on a full disk; with q or
# i behind it for another reason, with k the process is killed instead
shim() {
    cat > "$dir/failing.c" << 'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
static int fails(const char *name)
{
    static int calls;
    const char *what = getenv("FAILING");
    size_t n = strlen(name);
    if (!what || strncmp(what, name, n) || what[n] != ':' || ++calls != atoi(what + n + 1))
        return 0;
    if (strchr(what, 'k')) raise(SIGKILL);
    errno = strchr(what, 'q') ? EDQUOT : strchr(what, 'i') ? EIO : ENOSPC;
    return 1;
}
#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, name)
int fflush(FILE *f) { REAL(int, "fflush", FILE *); return fails("fflush") ? -1 : real(f); }
int fclose(FILE *f)
{
    REAL(int, "fclose", FILE *);
    int r = real(f);
    return fails("fclose") ? -1 : r;
}
int fsync(int f) { REAL(int, "fsync", int); return fails("fsync") ? -1 : real(f); }
int rename(const char *a, const char *b)
{
    REAL(int, "rename", const char *, const char *);
    return fails("rename") ? -1 : real(a, b);
}
int mkdir(const char *a, mode_t m)
{
    REAL(int, "mkdir", const char *, mode_t);
    return fails("mkdir") ? -1 : real(a, m);
}
ssize_t write(int f, const void *p, size_t n)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    return fails("write") ? -1 : real(f, p, n);
}
FILE *fopen(const char *path, const char *mode)
{
    REAL(FILE *, "fopen", const char *, const char *);
    return *mode == 'w' && fails("fopen") ? NULL : real(path, mode);
}
int open(const char *path, int flags, ...)
{
    va_list v;
    va_start(v, flags);
    int mode = flags & O_CREAT ? va_arg(v, int) : 0;
    va_end(v);
    REAL(int, "open", const char *, int, ...);
    return fails("open") ? -1 : real(path, flags, mode);
}
END
    cc -shared -fPIC -w -o "$dir/failing.so" "$dir/failing.c" -ldl
}
[ "$(uname)" != Linux ] || shim 2> "$dir/shim.log"
# inject CALL...: each fails once
inject() {
    [ -f "$dir/failing.so" ] || { echo "needs Linux and cc"; return 77; }
    failed=0
    for call; do
        failing inject env LD_PRELOAD="$PWD/$dir/failing.so" FAILING=$call ||
            { echo "$call"; return 1; }
    done
    echo "$failed of $# failed"
    [ $failed -eq $# ]
}
# each_call 'EXPERIMENT RUN' BEFORE ERROR...: every call of every function fails once in each way
each_call() {
    [ -f "$dir/failing.so" ] || { echo "needs Linux and cc"; return 77; }
    runs=0 so=$PWD/$dir/failing.so
    want "$1" "$2" || return 1
    shift 2
    for function in open mkdir fopen fflush fsync fclose rename write; do
        for error; do
            n=1 failed=0 missed=0
            while [ $missed -lt 3 ]; do         # as many that succeed: there are no more of them
                was=$failed
                failing each-${base##*/} env LD_PRELOAD="$so" FAILING=$function:$n$error ||
                    { echo "$function, call $n, error $error"; return 1; }
                [ $failed -gt $was ] && missed=0 || missed=$((missed + 1))
                n=$((n + 1)) runs=$((runs + 1))
            done
        done
    done
    echo "$runs runs"
}
# in_epoch EXPERIMENT RUN DONE: killed after the first batch of the first epoch, it goes on with the
# second
in_epoch() {
    [ -f "$dir/failing.so" ] || { echo "needs Linux and cc"; return 77; }
    run="build/$1 --threads 1 --quick --only $2 --data none"
    out in_epoch-$1
    $run --out "$out-whole" > "$log" 2>&1 || return 1
    LD_PRELOAD="$PWD/$dir/failing.so" FAILING=rename:3k $run --out "$out" --save 0 > "$log" 2>&1
    $run --out "$out" > "$log" 2>&1 && same "$out-whole" "$out" &&
        said "goes on after epoch 0, with $3 samples"
}
check "fashion_mlp, killed within an epoch" in_epoch fashion_mlp adam-bs100 '100 of 400'
check "icons_cnn, killed within an epoch" in_epoch icons_cnn final-b '10 of 48'
check "optimizer_race, killed within an epoch" in_epoch optimizer_race ademamix '100 of 200'
again() { # a checkpoint that fails is not the last one
    [ -f "$dir/failing.so" ] || { echo "needs Linux and cc"; return 77; }
    out again
    LD_PRELOAD="$PWD/$dir/failing.so" FAILING=rename:2 build/fashion_mlp --threads 1 --data none \
        --only adam-bs500-p0.05-100epochs --out "$out" --save 0 > "$log" 2>&1 &
    pid=$!
    until ls "$out"/*/*.tnn > "$out.seen" 2>&1 || ! kill -0 $pid 2> /dev/null; do sleep 0.05; done
    kill $pid && said 'adam.*tnn: cannot be written: No space'
}
[ "$1" != all ] || check "a checkpoint after one that failed" again

if [ "$1" = all ]; then
    check "each call that writes fails, fashion_mlp" each_call 'fashion_mlp adam-bs1000' \
        sgd-bs1000 n k
    check "the same, icons_cnn" each_call 'icons_cnn lr0.05' lr0.5 q
    check "the same, kuzushiji_mlp" each_call 'kuzushiji_mlp m3' m0 i
    check "the same, flags_cnn" each_call 'flags_cnn basic' trial7 n
else # of the results: the checkpoint before them is no failure
    check "a call that writes fails" inject fopen:1 fflush:2 fsync:3 fsync:4 rename:2
fi
total
