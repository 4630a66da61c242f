# Report 2: mean loss and accuracy against epoch, training and validation.
#   gnuplot -e "out='build/results'; dir='build/plots'" plots/fashion_mlp.gp
# Which run is in which of its figures; sgd-bs1000 ("like figure 3") and adam-bs1000-p0.05 are not:
#   fashion_mlp_fig1  a, b  adam-bs100       batch 100, dropout 0.2: Adam
#                     c, d  sgd-bs100        the same with SGD
#   fashion_mlp_fig2  a, b  adam-bs500       batch 500: Adam
#   fashion_mlp_fig3  a, b  sgd-bs500        the same with SGD
#   fashion_mlp_fig4  a, b  adam-bs1000      batch 1000, Adam
#   fashion_mlp_fig5  a, b  adam-bs500-p0.05-100epochs
# The report prints the numbers of figure 5, drawn dashed here. Of the others its text gives some
# values at the first and the last epoch: circles.
#   fashion_mlp_claims      Adam against SGD, and the batch sizes, each pair in the same axes
spanish = 1
experiment = 'fashion_mlp'
load 'plots/style.gp'

train_colour = int(0x1a7f37)
val_colour   = int(0x1f4fd8)
long = 'adam-bs500-p0.05-100epochs'
table = 'plots/fashion_mlp_reported.tsv'

# The end of a plot command: what the report's lines and circles are called.
legend(lines, points) = \
    (lines ? ", NaN with lines lc rgb 0x999999 lw 1.5 dt (8, 4) title report" : "") \
    .(points ? ", NaN with points lc rgb 0x606060 lw 1.2 pt 6 ps 1 title '" \
               .(lines ? 'Informe, texto' : report)."'" : "")
title_of(letter, name, q) = '('.letter.') '.name \
                           .(q eq 'loss' ? ': pérdida promedio' : ': precisión')

# Draws a panel of `run`: q is `loss` or `acc`.
panel = "\
    last = ended(run); \
    set xrange [0 : last + 1]; \
    set title title_of(letter, name, q); \
    set ylabel q eq 'loss' ? 'Pérdida promedio' : 'Precisión'; \
    a = q eq 'loss' ? 2 : 3; b = a + 2; \
    set rmargin q eq 'acc' && (figure == 2 || figure == 5) ? 8 : 2; \
    eval 'plot '.(run eq long ? 'table using 1:a with lines lc rgb lighter(train_colour) lw 1.5 \
dt (8, 4) notitle, table using 1:b with lines lc rgb lighter(val_colour) lw 1.5 \
dt (8, 4) notitle, ' \
: '').curve(run, 'train_'.q, 1, train_colour, 'lines lw 1.2', 'Entrenamiento').', ' \
        .curve(run, 'val_'.q, 1, val_colour, 'lines lw 1.2', 'Validación') \
        .(run eq long ? '' : circles(run, 'train_'.q, 1, train_colour)) \
        .circles(run, 'val_'.q, 1, val_colour) \
        .legend(run eq long, says(run, 'val_'.q) || (run ne long && says(run, 'train_'.q)))"

runs  = "adam-bs100 adam-bs500 sgd-bs500 adam-bs1000 ".long
names = "'Adam, lotes de 100' 'Adam, lotes de 500' 'SGD, lotes de 500' 'Adam, lotes de 1000' \
         'p = 0.05, 100 épocas'"

drawn = 0
set xlabel "Época"
set offsets 0, 0, graph 0.04, graph 0.04        # no circle on the frame
set key bmargin center horizontal Left reverse width -3 height 1.2
do for [figure = 1:5] {
    rows = figure == 1 ? 2 : 1
    run = word(runs, figure); name = word(names, figure)
    kinds = kind(result(run))
    if (figure == 1) { if (!has('sgd-bs100')) { kinds = "" } }
    if (kinds eq "") {
        print sprintf("figure %d: its runs are not in %s/fashion_mlp", figure, out)
        continue
    }
    drawn = drawn + 1
    report = of_report(kinds)
    eval canvas(16, 1 + 7*rows)
    set output figure('fashion_mlp_fig'.figure)
    set multiplot layout rows, 2 \
        title marked(sprintf("Fashion-MNIST, MLP: figura %d", figure), kinds)
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

# ---- the claims: what is compared is in the same axes --------------------------------------------
colours = "0x08306b 0x4fa3dc 0x8a8f98 0x8c2d04 0xf08030 0xb0a090"
compared = "adam-bs100 adam-bs500 adam-bs1000 sgd-bs100 sgd-bs500 sgd-bs1000"
colour(run) = int(word(colours, place(compared, run)))
label_of(run) = run[1:1] eq 'a' ? 'Adam, '.run[8:] : 'SGD, '.run[7:]
kinds = ""
do for [run in compared] { kinds = kinds.kind(result(run)) }
if (!has('adam-bs100') || !has('sgd-bs100')) { exit }
last = ended('adam-bs100')
set xrange [0 : last + 1]
eval canvas(16, 14)
set output figure('fashion_mlp_claims')
set multiplot layout 2, 2 \
    title marked("Fashion-MNIST, MLP: Adam, SGD y el tamaño de los lotes", kinds)
lines_of(list, q) = lines_at(list, q, 1)
lines_at(list, q, i) = i > words(list) ? 'NaN notitle' \
    : (has(word(list, i)) ? curve(word(list, i), q, 1, colour(word(list, i)), 'lines lw 1.2', \
       label_of(word(list, i))).', ' : '').lines_at(list, q, i + 1)
set rmargin 2
set key inside top right vertical noreverse width 0 height 0
set title "(a) Lotes de 100: pérdida, entrenamiento"
set ylabel 'Pérdida promedio'
eval "plot ".lines_of("adam-bs100 sgd-bs100", 'train_loss')
set title "(b) Lotes de 100: precisión, validación"
set ylabel 'Precisión'
set key bottom right
eval "plot ".lines_of("adam-bs100 sgd-bs100", 'val_acc')
set ylabel 'Pérdida promedio'
set key top right
set offsets 0, 0, graph 0.3, 0            # room for the key
set title "(c) Adam: pérdida, validación"
eval "plot ".lines_of("adam-bs100 adam-bs500 adam-bs1000", 'val_loss')
set title "(d) SGD: pérdida, validación"
eval "plot ".lines_of("sgd-bs100 sgd-bs500 sgd-bs1000", 'val_loss')
unset multiplot
