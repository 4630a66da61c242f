#!/bin/sh
# figures.sh [all] - what people see of results: progress, what Ctrl-C says, the figures of one seed
# and of several, in each format, the report's verdict, the benchmark's table. Of synthetic data and
# short runs of three experiments, with `all` of six. Needs the experiments that make builds; the
# figures need gnuplot.

about=figures
. tests/check.sh
unset TINYNN_ISA TINYNN_THREADS TINYNN_DATA

results() { # EXPERIMENT: of three seeds, as make lays them out: in quick, quick/seed2, quick/seed3
    for seed in '' 2 3; do
        build/$1 --quick --data none --out "$dir/quick${seed:+/seed$seed}" ${seed:+--seed $seed} \
            > "$dir/$1$seed.log" 2>&1 || { tail -n 5 "$dir/$1$seed.log"; return 1; }
    done
}
experiments="icons_cnn kuzushiji_mlp optimizer_race"
[ "$1" != all ] || experiments="$experiments fashion_cnn fashion_mlp flags_cnn"
for x in $experiments; do check "short runs of $x" results $x; done
finish

# ---- progress ------------------------------------------------------------------------------------

few() { # 116 runs, and no terminal: what stands in, the first epoch, ten tenths; then one line
    log=$dir/optimizer_race.log
    lines=$(wc -l < "$log")
    [ "$lines" -ge 9 ] && [ "$lines" -le 12 ] &&
        [ "$(grep -c 'run [0-9]* of 116, epoch 1/1 .* left$' "$log")" -ge 8 ] &&
        tail -n 1 "$log" | grep 'run 116 of 116.* 0:00:00 left$' || { cat "$log"; return 1; }
    build/optimizer_race --quick --data none --out "$dir/quick" > "$log.2" 2>&1
    [ "$(wc -l < "$log.2")" -eq 2 ] && grep '116 runs complete, skipped$' "$log.2" ||
        { cat "$log.2"; return 1; }
}
check "few lines where there is no terminal" few

# stopped SIGNAL: says what is kept and how to go on, and goes on from there, to the same result
stopped() {
    out=$dir/stopped-$1 run="build/fashion_mlp --data none --only adam-bs1000 --threads 1"
    $run --out "$dir/whole-$1" > "$out.log" 2>&1 || return 1
    timeout -s "$1" 600 $run --out "$out" > "$out.log" 2>&1 &   # gives the signal on
    pid=$!
    until grep -q 'epoch 3/' "$out.log" || ! kill -0 $pid 2> /dev/null; do sleep 0.1; done
    kill $pid
    ! wait $pid && grep 'interrupted in epoch [0-9]* of 30, run 1 of 1$' "$out.log" &&
        grep "kept in $out/fashion_mlp: 0 complete runs, and of this one all up to" "$out.log" &&
        grep 'the same command goes on from there' "$out.log" &&
        $run --out "$out" > "$out.log" 2>&1 && grep 'goes on after epoch [1-9]' "$out.log" ||
        { cat "$out.log"; return 1; }
    for o in whole stopped; do
        grep -v '^#' "$dir/$o-$1/fashion_mlp/adam-bs1000.tsv" > "$dir/$o-$1.rows" || return 1
    done
    cmp "$dir/whole-$1.rows" "$dir/stopped-$1.rows"
}
if have timeout; then check "Ctrl-C, and then to the same result" stopped INT
else skip "Ctrl-C" "timeout not found"; fi

# ---- figures -------------------------------------------------------------------------------------

draw() { # EXPERIMENT SEEDS FORMAT FOLDER
    gnuplot -e "out='$dir/quick'; dir='$dir/$4'; format='$3'; seeds=$2" plots/$1.gp \
        > "$dir/$1-$3.log" 2>&1 || { cat "$dir/$1-$3.log"; return 1; }
    ! grep -v ': not in ' "$dir/$1-$3.log"
}
begins() { # FOLDER FORMAT BYTES: its files begin so; one that is empty would not
    for f in "$dir/$1"/*; do
        case $f in *."$2") ;; *) echo "$f"; return 1 ;; esac
        head -c 60 "$f" | grep -a -q "$3" || { echo "no $2: $f"; return 1; }
    done
}
formats() { # each figure in each of them, under the same names
    for x in $experiments; do
        draw $x 1 png png && draw $x 3 pdf pdf && draw $x 3 svg svg || return 1
    done
    begins png png PNG && begins pdf pdf '^%PDF' && begins svg svg '<?xml' &&
        [ "$(ls "$dir/png" | sed 's/png$//')" = "$(ls "$dir/pdf" | sed 's/pdf$//')" ] &&
        [ "$(ls "$dir/png" | wc -l)" -ge 25 ]
}
bands() { # an area for each of four curves, and the title says it; with one seed there are none
    draw kuzushiji_mlp 1 svg one || return 1
    f=kuzushiji_mlp_by_hand.svg
    ! grep 'mean and range' "$dir/one/$f" && grep 'mean and range of 3 seeds' "$dir/svg/$f" &&
        ! grep 'fill-opacity *= *.0[.]20' "$dir/one/$f" &&
        [ "$(grep -c 'fill-opacity *= *.0[.]20' "$dir/svg/$f")" -eq 4 ]
}
means() { # by hand: of one file, of three, of some that are not there, of what is no number
    for i in 1 2 3; do
        printf '# test_acc 0.%d\nepoch\tt\tt\tv\tv\n1\t%d\t.5\t1\t.1\n2\t%s\t.5\t1\t.%d\n' \
            $i $i "$([ $i = 3 ] && echo nan || echo $i)" $((2 * i)) > "$dir/seed.$i"
    done
    is() { [ "$(cat)" = "$(printf "$1")" ] || { echo "not $1"; return 1; }; }
    s="$dir/seed.1 $dir/seed.2 $dir/seed.3 $dir/seed.4"
    awk -f plots/seeds.awk $s | cut -f 1-4 |
        is '1\t2.000000\t1.000000\t3.000000\n2\t1.500000\t1.000000\t2.000000' &&
        awk -v at=last -v of=5 -f plots/seeds.awk $s | is '0.400000\t0.200000\t0.600000' &&
        awk -v at=average -v of=5 -f plots/seeds.awk $s | is '0.250000\t0.150000\t0.350000' &&
        awk -v at=best -v of=test_acc -f plots/seeds.awk $s | is '0.200000\t0.100000\t0.300000' &&
        awk -v at=1 -v of=5 -f plots/seeds.awk "$dir/seed.4" | is 'NaN\tNaN\tNaN'
}
check "the mean and the range of seeds" means
sentences() { # each figure of a report has one, and the other way round
    for x in $experiments; do
        [ -f plots/${x}_claims.tsv ] || continue
        sed -n 's/^figure	\([^	]*\)	..*/\1/p' plots/${x}_claims.tsv | tr ' ' '\n' |
            sort > "$dir/$x.said"
        ls "$dir/png" | sed -n "s/^\($x.*\)[.]png$/\1/p" | sort > "$dir/$x.drawn"
        [ $x != flags_cnn ] || sed -i '/transfer/d' "$dir/$x.said" "$dir/$x.drawn" # need weights
        diff "$dir/$x.said" "$dir/$x.drawn" || return 1
    done
}
wrong() {
    ! draw icons_cnn 1 gif gif > /dev/null && grep 'png, pdf or svg' "$dir/icons_cnn-gif.log"
}
made() { # make says what it wants, and nothing is begun
    ! make -s plots FORMAT=gif > "$dir/gif.log" 2>&1 && grep 'FORMAT is gif' "$dir/gif.log" &&
        ! make -s plots SEEDS=1000 > "$dir/seeds.log" 2>&1 && grep 'SEEDS is 1000' "$dir/seeds.log"
}
if have gnuplot; then
    check "each figure as PNG, PDF and SVG" formats
    finish
    check "bands where there are several seeds" bands
    check "a sentence for each figure" sentences
    check "a format that there is not" wrong
    check "make, with a format or seeds that there are not" made
else skip "the figures" "gnuplot not found"; fi

# ---- the report ----------------------------------------------------------------------------------

report() { build/report --figures "$dir/png" "$@" > "$dir/report.md" || return 1; }
row() { sed -n "s/^| Report $1: .* | \*\*quick runs\*\* | //p" "$dir/report.md"; }
verdict() { # first; what needs three seeds is not judged with two; where numbers lie with one
    report "$dir/quick" "$dir/quick/seed2" || return 1
    [ "$(grep -n '^## ' "$dir/report.md" | head -n 1)" = '5:## Verdict' ] || return 1
    row 5 | grep '^[0-3] | [0-3] | 3 | 1 | [0-9]* of 25 | ' || { row 5; return 1; }
    grep '^| 7 | .* | not judged: it takes 3 seeds, here are 2 | [0-9]' "$dir/report.md" || return 1
    report "$dir/quick" && row 5 | grep '| not judged | [0-9]* of 25 |' && # one has no range
        grep 'it takes 3 seeds, here is 1' "$dir/report.md" || return 1
    report "$dir/quick" "$dir/quick/seed2" "$dir/quick/seed3" &&
        ! grep 'it takes' "$dir/report.md" &&
        row 5 | grep '^[0-6] | [0-6] | 0 | 1 | ' &&
        [ "$(row 5 | awk -F ' [|] ' '{ print $1 + $2 }')" -eq 6 ] || { row 5; return 1; }
    # (one of seven claims is of 60 epochs, and not run); what does not hold is in the verdict,
    # with what decides
    [ "$(sed -n '/^## Verdict/,/^## Report 1/p' "$dir/report.md" |
        grep -c ': \*\*does not hold\*\*[.] .')" \
        -eq "$(grep -c '^| [0-9]* | .* | \*\*does not hold\*\* | .' "$dir/report.md")" ]
}
inline() { # the figures, and whether the claim holds that they show
    grep '^!\[icons_cnn\](png/icons_cnn[.]png)$' "$dir/report.md" &&
        grep '^`icons_cnn`: The validation .* Of the claims above, claim 1 [hd]' "$dir/report.md" &&
        grep '^(make plots draws it)$' "$dir/report.md"         # the others
}
check "the report's verdict" verdict
finish
if have gnuplot; then check "the report's figures" inline; fi

# ---- the benchmark -------------------------------------------------------------------------------

cc=${CC:-cc}
bench() { # what the cases are; Winograd's products count as they are done; nothing beats the limit
    $cc -O0 -w -I. -Itests tests/bench.c -o "$dir/bench" -lm -pthread &&
        "$dir/bench" --threads 1 --seconds 0.002 --tsv "$dir/bench.tsv" \
            tn:64:64:64 fwd:a:2 fwd:b-sgd:1 > "$dir/bench.log" 2>&1 || { cat "$dir/bench.log"; return 1; }
    grep '^C = A B: M:N:K' "$dir/bench.log" && grep '^inference: network' "$dir/bench.log" &&
        grep '^a: CNN of report 1$' "$dir/bench.log" && grep '^limit: the share' "$dir/bench.log" &&
        awk -F '\t' '$1 ~ /^fwd:a/ { a = $13/$6 } $1 ~ /^fwd:b/ { b = $13/$6 }
            END { print a, b; exit !(a > 0.4 && a < 0.6 && b == 1) }' "$dir/bench.tsv"
}
busy() { # as if it had been while the limits were measured
    sed 's/return p ? p->flops/return p ? 1e-9 * p->flops/' tests/bench.c > "$dir/busy.c"
    ! cmp -s tests/bench.c "$dir/busy.c" &&
        $cc -O0 -w -I. -Itests -Iexperiments "$dir/busy.c" -o "$dir/busy" -lm -pthread &&
        "$dir/busy" --threads 1 --seconds 0.002 tn:64:64:64 > "$dir/busy.log" 2>&1 &&
        grep '^tn:64:64:64 .* busy *$' "$dir/busy.log" && ! grep '[0-9]%$' "$dir/busy.log" &&
        grep '^busy: it took less time than' "$dir/busy.log" || { cat "$dir/busy.log"; return 1; }
}
check "the benchmark says what its cases are" bench
case $(uname -m) in
x86_64 | aarch64) check "the benchmark on a busy machine" busy ;;
esac
total
