# How fast tinynn.h is, from build/bench --tsv and from what was measured against others.
#   gnuplot -e "out='build'; dir='build/plots'" plots/bench.gp
#   bench_roofline.png   each case's speed over the arithmetic that it does with a byte, under what
#                        the machine allows (out/bench.tsv)
#   bench_peers.png      how many times as long PyTorch and oneDNN take, as measured in turn
#                        (plots/bench_peers.tsv)
load 'plots/style.gp'

table = out.'/bench.tsv'
cell(what) = system("awk '".what."' ".shell(table)." 2>/dev/null")
machine = cell('/^# tinynn/ { print substr($0, 3) }')
if (machine eq "") { print sprintf("bench: no %s: run make bench", table); exit status 1 }
threads = cell('/^# peak/ { printf "%d ", $3 }')
levels  = "L1 L2 L3 memory"
kinds   = "nn|tn|nt conv step fwd"
names   = '"matrix product" "convolution" "training step" "inference"'
colours = "#1f4fd8 #0f9d76 #c2410c #8a4fbf"

eval canvas(16, 11)
set output figure('bench_roofline')
set multiplot layout 1, words(threads) \
    title "Speed of ".machine." under the machine's limits\n{/=8 the arithmetic that \
is done: convolutions of 3x3 take less than 2 for each direct multiply-add}"
set logscale xy
set xlabel "FLOP for each byte that is moved"
set ylabel "GFLOP/s"
set xrange [1 : 3000]
set yrange [5 : *]
set format "%g"
set key bmargin center vertical maxrows 4 Left reverse width -3 height 0.5
do for [t in threads] {
    peak = real(cell('/^# peak '.t.' / { print $4 }'))
    read(level) = real(cell('/^# read '.t.' .*'.level.'/ { print $4 }'))
    roof(x, rate) = peak < rate*x ? peak : rate*x
    set title t.(t eq "1" ? " thread" : " threads").sprintf(": peak %.0f GFLOP/s", peak)
    points(kind) = "< awk -F '\\t' '$1 ~ /^(".kind."):/ && $2 == ".t." && $13 > 0' ".shell(table)
    plot for [i = 1 : 4] roof(x, read(word(levels, i))) lw 1 lc rgb '#8a8f98' dt i \
             title sprintf("%s, %.0f GB/s", word(levels, i), read(word(levels, i))), \
         for [i = 1 : words(kinds)] points(word(kinds, i)) using ($13/$7):(1e6*$13/$3) \
             with points pt 7 ps 0.6 lc rgb word(colours, i) title word(names, i)
}
unset multiplot
unset logscale

# the others' times as multiples of ours, two bars for each case
peers = 'plots/bench_peers.tsv'
set output figure('bench_peers')
eval canvas(16, 18)
set multiplot layout 2, 1 title "How many times as long others take\n{/=7 ".\
    system("sed -n '/^# machine /{ s///; s/; /}\\n{\\/=7 /g; p; }' ".peers)."}"
set style fill solid 0.9 noborder
set boxwidth 0.38
set offsets 0, 0, graph 0.2, 0      # room for the key
set key bmargin center horizontal width 0 height 0 maxrows auto
set xtics rotate by -30 font ",7"
set xrange [-0.6 : *]
set yrange [0 : *]
set ytics 1
unset xlabel
set ylabel "time / time of tinynn.h"
do for [t in "1 2"] {
    of_t = sprintf("< awk -F '\\t' '$2 == %s' %s", t, peers)
    set title t.(t eq "1" ? " thread" : " threads")
    plot of_t using ($0 - 0.2):($4/$3):xtic(1) with boxes lc rgb '#1f4fd8' title 'PyTorch', \
         of_t using ($0 + 0.2):($5/$3) with boxes lc rgb '#c2410c' \
              title 'oneDNN, put together by hand', \
         of_t using ($0 - 0.2):($4/$3):(sprintf("%.1f", $4/$3)) \
              with labels font ",6" offset 0, 0.5 notitle, \
         of_t using ($0 + 0.2):($5/$3):(sprintf("%.1f", $5/$3)) \
              with labels font ",6" offset 0, 0.5 notitle, \
         1 lc rgb '#404040' lw 1 dt 2 notitle
}
unset multiplot
