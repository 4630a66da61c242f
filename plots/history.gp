# history.gp - the curves of a training run, as tnn_history_save or tnn_fit's .history writes them
#
#     gnuplot -e "file='run.tsv'" plots/history.gp                    -> run.tsv.png
#     gnuplot -e "file='run.tsv'; out='run.pdf'" plots/history.gp     -> run.pdf (or .svg, .png)
#     gnuplot -e "file='run.tsv'; live=1" plots/history.gp            a window, drawn anew each second
if (!exists("file")) { print "usage: gnuplot -e \"file='run.tsv'\" plots/history.gp"; exit status 2 }
if (!exists("live")) live = 0
if (!exists("out")) out = file.".png"
set datafile separator "\t"
set datafile missing "nan"
set style line 1 lc rgb "#0072b2" lw 2
set style line 2 lc rgb "#d55e00" lw 2
set key top right
set grid lc rgb "#dddddd"
set xlabel "epoch"
has(column) = system(sprintf("awk -F '\\t' 'NR > 1 && $%d != \"nan\" { n++ } END { print n + 0 }' \"%s\"", \
                             column, file)) + 0
if (live == 0) {
    ending = out[strlen(out) - 3:]
    eval "set terminal ".(ending eq ".pdf" ? "pdfcairo size 16cm, 7cm font ',10'" \
                        : ending eq ".svg" ? "svg size 900, 380 font ',12'" \
                                           : "pngcairo size 1100, 460 font ',12'")
    set output out
}
again = 1
while (again) {
    accuracies = has(4) + has(6)
    step = (has(1) + 9)/10
    set xtics step
    set multiplot layout 1, (accuracies ? 2 : 1)
    set ylabel "loss"
    plot for [k = 0:(has(5) ? 1 : 0)] file using 1:(column(3 + 2*k)) every ::1 \
         with linespoints ls k + 1 pt 7 ps 0.6 title word("training validation", k + 1)
    if (accuracies) {
        set key bottom right
        set ylabel "accuracy, %"
        plot for [k = 0:(has(6) ? 1 : 0)] file using 1:(100*column(4 + 2*k)) every ::1 \
             with linespoints ls k + 1 pt 7 ps 0.6 title word("training validation", k + 1)
        set key top right
    }
    unset multiplot
    again = live
    if (live) { pause 1 }
}
