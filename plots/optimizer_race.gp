# Every optimizer and every schedule on one small network, as optimizer_race.c trained it.
#   gnuplot -e "out='build/results'; dir='build/plots'" plots/optimizer_race.gp
#   optimizer_race.png   a panel for each optimizer: accuracy at its defaults and at the best of the
#                        three learning rates tried
#   schedule_race.png    a panel for each schedule: the learning rate of every step, and what came
#                        of it
load 'plots/style.gp'

folder = out.'/optimizer_race/'
default_colour = '#8a8f98'
best_colour    = '#1f4fd8'
rate_colour    = '#c2410c'
list(name) = system("cd ".shell(folder)." 2>/dev/null && ls | grep -x '".name."-lr[0-9.]*[.]tsv'")
optimizers = "sgd momentum asgd adagrad adadelta rmsprop rprop adam adamw adamax nadam radam lion \
              adabelief adan ademamix schedule-free-sgd schedule-free-adamw sophia lars lamb \
              adafactor muon lbfgs"
accuracy(file) = real(system("awk -F '\\t' '$1 ~ /^[0-9]/ { v = $5 } END { print v + 0 }' ". \
                             shell(file)))
kinds = kind(folder.'adam.tsv')
if (kinds eq "") { print sprintf("optimizer_race: its runs are not in %s", folder); exit status 1 }

eval canvas(1500, 1500)
set output dir.'/optimizer_race.png'
set multiplot layout 6, 4 spacing 0.035, 0.053 \
    margins 0.04, 0.985, 0.045, remark(kinds) eq "" ? 0.94 : 0.92 \
    title marked("Validation accuracy (%) after each epoch: at the defaults (grey), at the best of \
three learning rates (blue)", kinds) font ",20"
set tics font ",11"
unset key
set yrange [(strstrt(kinds, "quick") ? 0 : kinds eq "real" ? 70 : 40) : 91]
set xrange [0.8 : 5.2]
set xtics 1
do for [i = 1 : words(optimizers)] {
    name = word(optimizers, i)
    best = ''; high = -1
    do for [file in list(name)] {
        a = accuracy(folder.file)
        if (a > high) { high = a; best = file }
    }
    rate = best[strlen(name) + 4 : strlen(best) - 4]
    usual = folder.name.'.tsv'
    set title sprintf("%s: %.1f;  lr %s: %.1f", name, 100 * accuracy(usual), rate, 100 * high) \
        font (strlen(name) < 15 ? ",14" : ",11") offset 0, -0.7
    set xlabel (i > words(optimizers) - 4 ? "epoch" : "") offset 0, 0.6
    plot usual using 1:(100 * $5) with linespoints lc rgb default_colour lw 2 pt 7 ps 0.6, \
         folder.best using 1:(100 * $5) with linespoints lc rgb best_colour lw 2 pt 7 ps 0.6
}
unset multiplot

eval canvas(1500, 1300)
set output dir.'/schedule_race.png'
table = folder.'schedules.tsv'
names = system("sed -n '/^step/ { s/^step.//; s/\\t/ /g; p; }' ".shell(table))
set autoscale
stats table using 1 skip 2 nooutput
steps = STATS_max
set multiplot layout 5, 4 spacing 0.045, 0.07 \
    margins 0.045, 0.985, 0.055, remark(kinds) eq "" ? 0.93 : 0.91 \
    title marked("Learning rate of every step, and the validation accuracy (%) that it leads to: \
SGD with momentum 0.9", kinds) font ",20"
set xrange [0 : steps]
set yrange [0 : *]
set xtics steps < 2 ? 1 : steps < 1000 ? 0.5 * steps : 1000 format "%.0f"
set ytics 0.05
do for [i = 1 : words(names)] {
    name = word(names, i)
    set title sprintf("%s:  %.1f", name, 100 * accuracy(folder.'schedule-'.name.'.tsv')) \
        font ",14" offset 0, -0.7
    set xlabel (i > words(names) - 4 ? "step" : "") offset 0, 0.6
    plot table using 1:(column(i + 1)) skip 2 with lines lc rgb rate_colour lw 2
}
unset multiplot
