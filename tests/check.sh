# check.sh - what the test scripts share; sourced from the top folder with $about, the subject, set
#
#   check NAME COMMAND ARGUMENT...   prints "ok", "FAIL" or "skip", the subject and NAME: ok if the
#                                    command's status is 0, skipped if it is 77. Where it failed the
#                                    first lines that it printed follow. $jobs run at a time,
#                                    shown in their order. The N-th leaves what it printed in
#                                    build/tests/$about/N.out, the time it took in N.times.
#   finish                           waits for all of them
#   skip NAME WHY
#   idx FOLDER N GREY                makes a set of images
#   total                            prints "N passed, M failed", and is the status of the script

dir=build/tests/$about
rm -rf "$dir"
mkdir -p "$dir" || exit 1
jobs=3 begun=0 ended=0 passed=0 failed=0
mkfifo "$dir/ends" && exec 3<> "$dir/ends" || exit 1     # each that ends writes a line

have() { command -v "$1" > /dev/null 2>&1; }
skip() { printf 'skip  %s: %s (%s)\n' "$about" "$1" "$2"; }

check() {
    begun=$((begun + 1))
    echo "$1" > "$dir/$begun.name"
    shift
    [ "$begun" -le "$jobs" ] || read -r line <&3
    { "$@" > "$dir/$begun.out" 2>&1 3>&-; status=$?; times > "$dir/$begun.times"
      echo $status > "$dir/$begun.status"; echo >&3; } &
    eval "pid$begun=\$!"
    while [ -f "$dir/$((ended + 1)).status" ]; do end; done
}

# The oldest that runs: waits for it, shows it, and counts.
end() {
    ended=$((ended + 1))
    eval "wait \$pid$ended"
    name=$(cat "$dir/$ended.name")
    case $(cat "$dir/$ended.status") in
    0)  passed=$((passed + 1)); printf 'ok    %s: %s\n' "$about" "$name" ;;
    77) skip "$name" "$(tail -n 1 "$dir/$ended.out")" ;;
    *)  failed=$((failed + 1)); printf 'FAIL  %s: %s\n' "$about" "$name"
        sed -n '1,6s/^/      /p; 7s|.*|      ... see '"$dir/$ended.out|p" "$dir/$ended.out" ;;
    esac
}
finish() { while [ "$ended" -lt "$begun" ]; do end; done; }

# idx FOLDER N GREY: Fashion-MNIST, as far as its experiments know: N images, N < 256
idx() {
    mkdir -p "$1/fashion-mnist"
    for part in train t10k; do
        file=$1/fashion-mnist/$part
        { printf '\000\000\010\003\000\000\000'"\\$(printf %o "$2")"
          printf '\000\000\000\034\000\000\000\034'
          head -c $((784 * $2)) /dev/zero | tr '\000' "$3"; } > "$file-images-idx3-ubyte"
        { printf '\000\000\010\001\000\000\000'"\\$(printf %o "$2")"
          head -c "$2" /dev/zero; } > "$file-labels-idx1-ubyte"
    done
}
total() {
    finish
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
