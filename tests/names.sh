#!/bin/sh
# names.sh [all] - folders and files of any name: with blanks, quotes and what the shell would run,
# for make install, for the experiments that make runs, their data and results, with `all` for the
# figures; and that make clean leaves results. Needs the experiments that make builds.

about=names
. tests/check.sh
unset TINYNN_ISA TINYNN_THREADS TINYNN_DATA MAKEFLAGS
top=$PWD odd="a b'c\"d;touch pwned;\$(touch pwned)\`touch pwned\`&\$HOME"
make=${MAKE:-make}
$make --version 2> /dev/null | grep -q GNU || make=gmake

# A copy of the project, programs that are built included, in a folder of that name
odd_copy() {
    copy=$dir/$1/$odd
    mkdir -p "$copy/build"
    cp -Rp Makefile tinynn.h experiments plots tests "$copy"
    cp -p build/tinynn.o build/fashion_mlp build/optimizer_race "$copy/build"
}
safe() { # nothing was run; and make is content
    ! find . -name 'pwned*' | grep .
}

install() {
    odd_copy install
    root=$top/$dir/install/root
    (cd "$copy" && $make install DESTDIR="$root/$odd" PREFIX="/p $odd") > "$dir/install.log" 2>&1 &&
        cmp tinynn.h "$root/$odd/p $odd/include/tinynn.h" || { cat "$dir/install.log"; return 1; }
    (cd "$copy" && DESTDIR=$root PREFIX=/e$odd $make install) > "$dir/install.log" 2>&1 &&
        cmp tinynn.h "$root/e$odd/include/tinynn.h" && safe || return 1
    (cd "$copy" && $make install DESTDIR="$root" PREFIX=/usr) > "$dir/install.log" 2>&1 &&
        grep -x 'prefix=/usr' "$root/usr/lib/pkgconfig/tinynn.pc" || return 1
    have pkg-config || return 0
    (cd "$copy" && $make install DESTDIR="$root" PREFIX="/p a'b") > "$dir/install.log" 2>&1 &&
        got=$(PKG_CONFIG_PATH="$root/p a'b/lib/pkgconfig" pkg-config --cflags tinynn) &&
        eval "set -- $got" && [ "$1" = "-I/p a'b/include" ] || { echo "$got"; return 1; }
}
check "make install" install

experiment() { # switching data: each has its results, and has them again
    odd_copy experiment
    idx "$copy/$odd" 60 a
    run() { (cd "$copy" && "$@" $make build/quick/fashion_mlp.done) > "$dir/run.log" 2>&1 && safe; }
    fresh() { ! grep 'epoch  ' "$dir/run.log"; }         # nothing was trained
    result=$copy/build/quick/fashion_mlp/adam-bs1000.tsv
    run && grep -q '# data synthetic' "$result" && cp "$result" "$dir/synthetic" &&
        run env TINYNN_DATA="$odd" && grep -q '# data real' "$result" && cp "$result" "$dir/real" &&
        run && cmp "$result" "$dir/synthetic" && fresh &&
        run env TINYNN_DATA="$odd" && cmp "$result" "$dir/real" && fresh &&
        run env TINYNN_DATA="$odd" && ! grep -e --out "$dir/run.log" ||
        { cat "$dir/run.log"; return 1; }
    (cd "$copy" && $make build/quick/fashion_mlp.done TINYNN_DATA="$odd") > "$dir/run.log" 2>&1 &&
        ! grep -e --out "$dir/run.log" && safe
}
check "make, and other data" experiment

clean() {
    odd_copy clean
    mkdir -p "$copy/build/results/x" "$copy/build/quick" "$copy/build/tests" "$copy/build/plots"
    touch "$copy/build/results/x/y.tsv" "$copy/build/report.md"
    (cd "$copy" && $make clean) > "$dir/clean.log" 2>&1
    [ "$(ls "$copy/build" | tr '\n' ' ')" = "plots report.md results " ] &&
        [ -f "$copy/build/results/x/y.tsv" ] || { ls "$copy/build"; return 1; }
    (cd "$copy" && $make distclean) > "$dir/clean.log" 2>&1
    [ ! -e "$copy/build" ] && [ -f "$copy/tinynn.h" ]
}
check "make clean leaves results" clean

seeds() { # a number, and nothing that is run
    for seeds in '1;touch pwned' '1)touch pwned'; do
        ! $make -n report SEEDS="$seeds" > "$dir/seeds.log" 2>&1 || { cat "$dir/seeds.log"; return 1; }
    done
    $make -n report SEEDS=3 > "$dir/seeds.log" 2>&1 && grep -q 'results/seed3' "$dir/seeds.log" &&
        ! grep -q 'seed4' "$dir/seeds.log"
}
check "make report of several seeds" seeds

figures() ( # of results in such a folder, one of them with such a name
    have gnuplot || { echo "needs gnuplot"; return 77; }
    odd_copy figures
    name=$(echo "$odd" | sed "s/'/''/g")                # as gnuplot has it within '...'
    cd "$copy" || return 1
    TINYNN_THREADS=1 build/optimizer_race --quick --data none --out "$odd" > run.log 2>&1 ||
        { cat run.log; return 1; }
    cp "$odd/optimizer_race/adam.tsv" "$odd/optimizer_race/sgd-lr1';touch pwned;'.tsv"
    cp "$odd/optimizer_race/adam.tsv" "$odd/optimizer_race/sgd-lr\$(touch pwned).tsv"
    cp -R "$odd" "<touch pwned"
    for out in "$name" '<touch pwned'; do
        gnuplot -d -e "out='$out'; dir='|touch pwned; p $name'" plots/optimizer_race.gp \
            > plot.log 2>&1
        [ -s "|touch pwned; p $odd/optimizer_race.png" ] &&
            [ -s "|touch pwned; p $odd/schedule_race.png" ] || { cat plot.log; return 1; }
        rm "|touch pwned; p $odd"/*
    done
    ! find "$top/$dir" -name pwned | grep .
)
[ "$1" != all ] || check "figures" figures
total
