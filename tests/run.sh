#!/bin/sh
# run.sh PROGRAM... - runs test programs and scripts, passes on what they print, in their order, and
# adds up the lines "N passed, M failed" with which each ends. One that crashes, or ends without
# such a line, or with a status that contradicts it, counts as a failure. Two programs run at a
# time; a script (x.sh, or 'x.sh all') alone, as it does two things at a time itself.

log=${TMPDIR:-/tmp}/tinynn-run.$$
trap 'rm -f "$log".*' EXIT
trap 'exit 1' HUP INT TERM
# glibc then keeps what is freed: else new pages take most of the time where a page is dear
export MALLOC_MMAP_THRESHOLD_=2000000000 MALLOC_TRIM_THRESHOLD_=4000000000
begun=0 ended=0 passed=0 failed=0
mkfifo "$log.ends" && exec 3<> "$log.ends" || exit 1     # each that ends writes a line

begin() { # COMMAND...: when less than two run
    begun=$((begun + 1))
    echo "$*" > "$log.$begun.name"
    [ "$begun" -le 2 ] || read -r line <&3
    { "$@" > "$log.$begun.out" 2>&1 3>&-; echo $? > "$log.$begun.status"; echo >&3; } &
    eval "pid$begun=$!"
    while [ -f "$log.$((ended + 1)).status" ]; do end; done
}

# The oldest that runs: waits for it, shows it, and counts.
end() {
    ended=$((ended + 1))
    name=$(cat "$log.$ended.name")
    eval "wait \$pid$ended"
    printf '== %s\n' "$name"
    cat "$log.$ended.out"
    status=$(cat "$log.$ended.status")
    count=$(sed -n '$s/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p' "$log.$ended.out")
    p=${count% *} f=${count#* }
    if [ -z "$count" ]; then
        echo "FAIL  $name: exit status $status, and no line 'N passed, M failed' at the end"
        p=0 f=1
    elif [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
        echo "FAIL  $name: exit status $status"
        f=1
    fi
    passed=$((passed + p)) failed=$((failed + f))
}
all() { while [ "$ended" -lt "$begun" ]; do end; done; }

for program; do
    case $program in
    *.sh | *.sh\ *) all; begin sh $program; all ;;
    *) begin $program ;;
    esac
done
all
echo "== total"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
