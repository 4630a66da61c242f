#!/bin/sh
# run.sh PROGRAM... - runs test programs and scripts, passes on what they print, and adds up the
# lines "N passed, M failed" with which each ends. One that crashes, or ends without such a line, or
# with a status that contradicts it, counts as a failure. Arguments may hold options: 'x.sh all'.

log=${TMPDIR:-/tmp}/tinynn-run.$$
trap 'rm -f "$log" "$log.status"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0
for program; do
    case $program in
    *.sh | *.sh\ *) command="sh $program" ;;
    *) command=$program ;;
    esac
    printf '== %s\n' "$program"
    { $command 2>&1; echo $? > "$log.status"; } | tee "$log"
    status=$(cat "$log.status")
    count=$(tail -n 1 "$log" | sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p')
    p=${count% *} f=${count#* }
    if [ -z "$count" ]; then
        echo "FAIL  $program: exit status $status, and no line 'N passed, M failed' at the end"
        p=0 f=1
    elif [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
        echo "FAIL  $program: exit status $status"
        f=1
    fi
    passed=$((passed + p)) failed=$((failed + f))
done
echo "== total"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
