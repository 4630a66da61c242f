# Report 1: validation accuracy, learning rate x batch size.
#   gnuplot -e "out='build/results'; dir='build/plots'" plots/fashion_cnn.gp
#   fashion_cnn_fig1   against epoch: its figure 1, and a part of it enlarged; ours solid, the
#                      reported curves dashed
#   fashion_cnn_best   the best epoch of each run: which is the best?
experiment = 'fashion_cnn'
load 'plots/style.gp'

rates   = "0.001 0.01 0.1"
batches = "32 64 128"
colours = "0x08306b 0x2171b5 0x4fa3dc 0x8c2d04 0xe6550d 0xf5a04f 0x00441b 0x238b45 0x66c274"
rate(i)  = word(rates, 1 + (i - 1)/3)
batch(i) = word(batches, 1 + (i - 1)%3)
run(i)   = 'lr'.rate(i).'-bs'.batch(i)
colour(i) = int(word(colours, i))
shape(i) = 5 + 2*((i - 1)%3)

have = ""
kinds = ""
low = 100.0
do for [i = 1:9] {
    if (has(run(i))) {
        have = have.' '.i
        kinds = kinds.kind(result(run(i)))
        stats over(run(i)) using (100*$12) nooutput
        if (STATS_max > 60 && STATS_min < low) { low = STATS_min }
    }
}
if (have eq "") {
    print "no results in ".out."/fashion_cnn: run build/fashion_cnn first"
    exit status 1
}
low = low < 79 ? floor(low) - 1 : 79

eval canvas(16, 10)
set output figure('fashion_cnn_fig1')
set multiplot title marked("Fashion-MNIST, CNN: validation accuracy", kinds)
set xlabel "Epoch"
set xrange [0.8:5.2]
set xtics 1
set ylabel "Validation accuracy (%)" offset 1, 0
set tmargin at screen 0.83
set bmargin at screen 0.28
table = "'plots/fashion_cnn_reported.tsv' using 3:(strcol(1) eq rate(%d) && strcol(2) eq batch(%d) \
? $5 : NaN) with linespoints lc rgb lighter(colour(%d)) lw 1.2 dt 2 pt shape(%d) - 1 ps 0.7 \
notitle, "
lines = ""
do for [i = 1:9] { lines = lines.sprintf(table, i, i, i, i) }
do for [k = 1:words(have)] {
    w = int(word(have, k))
    lines = lines.curve(run(w), 'val_acc', 100, colour(w), sprintf( \
        "linespoints lw 1.5 pt %d ps 0.6", shape(w)), 'lr '.rate(w).', batch '.batch(w)).', '
}
lines = lines."NaN with lines lc rgb 0x999999 lw 1.2 dt 2 title '".of_report(kinds)."'"
do for [panel = 1:2] {
    if (panel == 1) {
        set lmargin at screen 0.08; set rmargin at screen 0.40
        set yrange [0:100]
        set object 1 rectangle from 0.8, low to 5.2, 93 fs empty border lc rgb '#606060' lw 0.8 dt 3
        set title "(a) as in the report" offset 0, -0.5
        unset key
    } else {
        unset object 1
        set lmargin at screen 0.49; set rmargin at screen 0.98
        set yrange [low : 93]
        set title sprintf("(b) enlarged: %g to 93 %%, the dotted part of (a)", low)
        set key at screen 0.52, 0.17 center top maxrows 3 Left reverse width -4
        unset ylabel
    }
    eval "plot ".lines
}
unset multiplot

reset
load 'plots/style.gp'
set print $dots
do for [k = 1:words(have)] {
    w = int(word(have, k))
    best = system("awk -F '\t' '$1 == \"".rate(w)."\" && $2 == \"".batch(w)."\" && $5 > b \
{ b = $5 } END { print b }' plots/fashion_cnn_reported.tsv")
    print dot('lr '.rate(w).', batch '.batch(w), run(w), 'best', 'val_acc', 100, best."\t".best)
}
unset print
eval canvas(16, 7)
set output figure('fashion_cnn_best')
set title marked("The best epoch of each run", kinds)
set xlabel "Validation accuracy (%)"
set rmargin 16
eval dots("ours", "reported", 0, 100, "%.2f")
