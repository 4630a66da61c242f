# Every optimizer and every schedule on one small network, as optimizer_race.c trained it.
#   gnuplot -e "out='build/results'; dir='build/plots'" plots/optimizer_race.gp
#   optimizer_race       a ranking: the validation error of each optimizer at its default learning
#                        rate and at the best of the three tried, after the first and last epoch
#   schedule_race        the same of the schedules
#   schedule_shapes_N    the learning rate of every step under each
experiment = 'optimizer_race'
load 'plots/style.gp'

folder = out.'/optimizer_race/'
list(name) = system("cd ".shell(folder)." 2>/dev/null && ls | grep -x '".name. \
                    "-lr[0-9.]*[.]tsv' | sed 's/[.]tsv$//'")
optimizers = "sgd momentum asgd adagrad adadelta rmsprop rprop adam adamw adamax nadam radam lion \
              adabelief adan ademamix schedule-free-sgd schedule-free-adamw sophia lars lamb \
              adafactor muon lbfgs"
table = folder.'schedules.tsv'
schedules = system("sed -n '/^step/ { s/^step.//; s/\\t/ /g; p; }' ".shell(table)." 2>/dev/null")
kinds = kind(result('adam'))
if (kinds eq "") { print sprintf("optimizer_race: its runs are not in %s", folder); exit status 1 }

# A row of what is ranked: name, the errors in percent of its best run (mean, least, greatest), that
# after the first epoch, of its default, and words.
accuracy(run, epoch, i) = real(word(three_of(run, epoch, 'val_acc'), i))
error(run, epoch, i) = 100 - 100*accuracy(run, epoch, i)
ranked(name, run, usual, words) = sprintf("%s\t%g\t%g\t%g\t%g\t%g\t%s", name, \
    error(run, 'last', 1), error(run, 'last', 3), error(run, 'last', 2), error(run, '1', 1), \
    usual eq "" ? NaN : error(usual, 'last', 1), words)

# Draws rows, the best first. The axis is logarithmic, so that nothing lies beyond it.
draw = "\
    set print $ranked; \
    print system('printf \"%s\" '.shell(rows).' | sort -t \"\t\" -k 2,2g'); \
    unset print; \
    unset logscale x; set xrange [*:*]; set yrange [*:*]; stats $ranked using 3 nooutput; \
    least = STATS_min; stats $ranked using 5 nooutput; right = STATS_max; \
    stats $ranked using (column(usual eq '' ? 5 : 6)) nooutput; \
    right = 1.1*(STATS_max > right ? STATS_max : right); \
    set logscale x; set xrange [0.9*least : right]; set yrange [|$ranked| - 0.5 : -0.5]; \
    set xtics (5, 6, 8, 10, 12, 15, 20, 30, 40, 60, 90); set ytics scale 0; \
    set xlabel 'Validation error (%), logarithmic'; \
    set lmargin 24; set rmargin 18; \
    set key bmargin center vertical maxrows 3 Left reverse height 0.5; \
    plot $ranked using 5:0 with points pt 6 ps 0.6 lw 1.2 lc rgb '#9db4ee' title first, \
         '' using 6:0 with points pt 7 ps 0.8 lc rgb '#8a8f98' title usual, \
         '' using 2:0:3:4:ytic(1) with xerrorbars pt 7 ps 0.7 lw 1.2 lc rgb '#1f4fd8' title last, \
         '' using (right):0:(sprintf('%.1f %%', 100 - $2)) with labels left offset 1, 0 \
             tc rgb '#1f4fd8' notitle, \
         '' using (right):0:7 with labels left offset 8, 0 tc rgb '#404040' notitle"

rows = ""
do for [name in optimizers] {
    best = ''; high = -1
    do for [run in list(name)] {
        a = accuracy(run, 'last', 1)
        if (a > high) { high = a; best = run }
    }
    if (best ne '') { rows = rows.ranked(name, best, name, 'lr '.best[strlen(name) + 4 :])."\n" }
}
eval canvas(16, 15)
set output figure('optimizer_race')
set title marked("Optimizers: the validation error, and on the right the accuracy", kinds)
first = 'best of three learning rates, after epoch 1'
last  = 'best of three learning rates, after the last epoch'
usual = 'default learning rate, after the last epoch'
eval draw

rows = ""
do for [name in schedules] {
    run = 'schedule-'.name
    if (has(run)) { rows = rows.ranked(name, run, "", "")."\n" }
}
if (rows eq "") { exit }
eval canvas(16, 13)
set output figure('schedule_race')
set title marked("Schedules of SGD with momentum 0.9: the validation error, and the accuracy", \
                 kinds)
first = 'after epoch 1'
last  = 'after the last epoch'
usual = ''
eval draw

# the shapes, six on a page
reset
load 'plots/style.gp'
stats table using 1 skip 2 nooutput
steps = STATS_max
set xrange [0 : steps]
set yrange [0 : *]
set xtics steps < 2 ? 1 : steps < 1000 ? 0.5*steps : 1000 format "%.0f"
set ytics 0.05
set xlabel "Step"
set ylabel "Learning rate"
unset key
pages = (words(schedules) + 5)/6
do for [page = 1:pages] {
    eval canvas(16, 15)
    set output figure('schedule_shapes_'.page)
    set multiplot layout 3, 2 title of_one_seed(sprintf("Learning rates of the schedules, %d of %d", \
                                                   page, pages), kinds)
    do for [i = 6*page - 5 : 6*page] {
        if (i > words(schedules)) { continue }
        set title word(schedules, i)
        plot table using 1:(column(i + 1)) skip 2 with lines lc rgb '#c2410c' lw 1.5
    }
    unset multiplot
}
