# Figures 1 to 5 of the report: mean loss and accuracy against epoch, training and validation.
#   gnuplot -e "out='build/results'; dir='build/plots'" plots/fashion_mlp.gp
# Which run is in which figure; sgd-bs1000 ("like figure 3") and adam-bs1000-p0.05 are not drawn:
#   1 a, b  adam-bs100       batch 100, dropout 0.2: Adam
#   1 c, d  sgd-bs100        the same with SGD
#   2 a, b  adam-bs500       batch 500: Adam
#   3 a, b  sgd-bs500        the same with SGD
#   4 a, b  adam-bs1000      batch 1000, Adam
#   5 a, b  adam-bs500-p0.05-100epochs
# The report prints the numbers of figure 5, drawn dashed here. Of the others its text gives some
# values at the first and the last epoch: circles.
spanish = 1
load 'plots/style.gp'

train_colour = int(0x1a7f37)
val_colour   = int(0x1f4fd8)
file(run) = out.'/fashion_mlp/'.run.'.tsv'
is(run, quantity) = strcol(1) eq run && strcol(3) eq quantity

# Draws a panel of `run`: `loss` or `acc`, columns a (training) and b (validation).
panel = "\
    stats file(run) using 1 nooutput; last = STATS_max; \
    set xrange [0 : last + 1]; \
    set title '('.letter.') '.name.(q eq 'loss' ? ': pérdida promedio' : ': precisión'); \
    set ylabel q eq 'loss' ? 'Pérdida promedio' : 'Precisión'; \
    printed = run eq 'adam-bs500-p0.05-100epochs'; \
    a = q eq 'loss' ? 2 : 3; b = a + 2; \
    plot 'plots/fashion_mlp_reported.tsv' using 1:(printed ? column(a) : NaN) \
             with lines lc rgb lighter(train_colour) lw 3 dt (8, 4) notitle, \
         '' using 1:(printed ? column(b) : NaN) \
             with lines lc rgb lighter(val_colour) lw 3 dt (8, 4) notitle, \
         file(run) using 1:a with lines lc rgb train_colour lw 2 title 'Entrenamiento', \
         file(run) using 1:b with lines lc rgb val_colour lw 2 title 'Validación', \
         'plots/fashion_mlp_text.tsv' using (strcol(2) eq 'last' ? last : column(2)) \
             :(is(run, 'train_'.q) && !printed ? ($4 + $5) / 2 : NaN) \
             with points lc rgb train_colour lw 2 pt 6 ps 2 notitle, \
         '' using (strcol(2) eq 'last' ? last : column(2)) \
             :(is(run, 'val_'.q) && !printed ? ($4 + $5) / 2 : NaN) \
             with points lc rgb val_colour lw 2 pt 6 ps 2 notitle, \
         NaN with lines lc rgb '#999999' lw 3 dt (8, 4) title printed ? report : '', \
         NaN with points lc rgb '#606060' lw 2 pt 6 ps 2 title printed ? '' : report"

runs(figure) = word("adam-bs100 adam-bs500 sgd-bs500 adam-bs1000 \
                     adam-bs500-p0.05-100epochs", figure)
names = "'Adam, lotes de 100' 'Adam, lotes de 500' 'SGD, lotes de 500' 'Adam, lotes de 1000' \
         'Adam, lotes de 500, p = 0.05, 100 épocas'"

drawn = 0
set xlabel "Época" offset 0, 0.3
set offsets 0, 0, graph 0.04, graph 0.04        # no circle on the frame
set key bmargin center horizontal Left reverse width -2 height 0.8
do for [figure = 1:5] {
    rows = figure == 1 ? 2 : 1
    kinds = kind(file(runs(figure)))
    if (figure == 1) { if (kind(file('sgd-bs100')) eq "") { kinds = "" } }
    if (kinds eq "") {
        print sprintf("figure %d: its runs are not in %s/fashion_mlp", figure, out)
        continue
    }
    drawn = drawn + 1
    report = strstrt(kinds, 'synthetic') ? 'Informe (datos reales)' : 'Informe'
    eval canvas(1400, 100 + 560 * rows)
    set output sprintf("%s/fashion_mlp_fig%d.png", dir, figure)
    set multiplot layout rows, 2 \
        title marked(sprintf("Fashion-MNIST, MLP: figura %d", figure), kinds) font ",20"
    run = runs(figure); name = word(names, figure)
    letter = 'a'; q = 'loss'; eval panel
    letter = 'b'; q = 'acc';  eval panel
    if (figure == 1) {
        run = 'sgd-bs100'; name = 'SGD, lotes de 100'
        letter = 'c'; q = 'loss'; eval panel
        letter = 'd'; q = 'acc';  eval panel
    }
    unset multiplot
}
if (drawn == 0) { exit status 1 }
