# Figure 1 of the report: validation accuracy against epoch, learning rate x batch size.
#   gnuplot -e "out='build/results'; dir='build/plots'" plots/fashion_cnn.gp
# Left as in the report; right the same, enlarged. Ours solid, the reported curves dashed.
load 'plots/style.gp'

rates   = "0.001 0.01 0.1"
batches = "32 64 128"
colours = "0x08306b 0x2171b5 0x4fa3dc 0x8c2d04 0xe6550d 0xf5a04f 0x00441b 0x238b45 0x66c274"
points  = "5 7 9"
rate(i)  = word(rates, 1 + (i - 1) / 3)
batch(i) = word(batches, 1 + (i - 1) % 3)
file(i)  = out.'/fashion_cnn/lr'.rate(i).'-bs'.batch(i).'.tsv'
colour(i) = int(word(colours, i))
shape(i) = int(word(points, 1 + (i - 1) % 3))

have = ""
kinds = ""
low = 100.0
do for [i = 1:9] {
    k = kind(file(i))
    if (k ne "") {
        have = have.' '.i
        kinds = kinds.k
        stats file(i) using (100 * $5) nooutput
        if (STATS_max > 60 && STATS_min < low) { low = STATS_min }
    }
}
if (have eq "") {
    print "no results in ".out."/fashion_cnn: run build/fashion_cnn first"
    exit status 1
}

eval canvas(1400, 800)
set output dir.'/fashion_cnn_fig1.png'
set multiplot title marked("Fashion-MNIST, CNN: validation accuracy", kinds) font ",20"
set label "solid: tinynn.h     dashed: as reported (real images)" at screen 0.5, 0.9 center
set xlabel "Epoch"
set xrange [0.8:5.2]
set xtics 1
set ylabel "Validation accuracy (%)" offset 1, 0
set tmargin at screen 0.86
set bmargin at screen 0.29

do for [panel = 1:2] {
    if (panel == 1) {
        set lmargin at screen 0.07; set rmargin at screen 0.37
        set yrange [0:100]
        unset key
    } else {
        unset label
        set lmargin at screen 0.44; set rmargin at screen 0.98
        set yrange [floor(low < 79 ? low - 1 : 79) : *]
        set key at screen 0.5, 0.17 center top maxrows 3 Left reverse width 3
        unset ylabel
    }
    plot for [i = 1:9] 'plots/fashion_cnn_reported.tsv' \
             using 3:(strcol(1) eq rate(i) && strcol(2) eq batch(i) ? $5 : NaN) \
             with linespoints lc rgb lighter(colour(i)) lw 2 dt 2 pt shape(i) - 1 ps 1.2 notitle, \
         for [w in have] file(int(w)) using 1:(100 * $5) \
             with linespoints lc rgb colour(int(w)) lw 2.5 pt shape(int(w)) ps 1.2 \
             title 'lr='.rate(int(w)).', batch\_size='.batch(int(w))
}
unset multiplot
