# Report 5: training and validation, loss and accuracy, against epoch; and what the report claims.
#   gnuplot -e "out='build/results'; dir='build/plots'" plots/icons_cnn.gp
#   icons_cnn_RUN      a figure for each study. The report prints the losses of its final net B,
#                      drawn dashed, and of some others a loss at the first or last epoch: circles
#   icons_cnn_rates    the four learning rates in the same axes
#   icons_cnn          the validation accuracy of each study, counted as the report does (over all
#                      epochs) beside what it prints, and that of the last epoch
spanish = 1
experiment = 'icons_cnn'
load 'plots/style.gp'

train_colour = int(0xd1242f)
val_colour   = int(0x1f4fd8)

names = "lr0.05 lr0.5 lr0.001 lr0.1 bs10 split800 padded stride2 60epochs softmax sigmoid \
         final-a final-b alternative"
titles = "'Tasa 0.05' 'Tasa 0.5' 'Tasa 0.001' 'Tasa 0.1' 'Lotes de 10' 'Partición 800/205' \
          'Dos convoluciones, con relleno' 'Paso 2, un solo pooling' '60 épocas' \
          'Softmax en las capas ocultas' 'Sigmoide en las capas ocultas' \
          'Final A (lotes de 5, tasa 0.1)' 'Final B (lotes de 10, tasa 0.07)' \
          'Alternativa (paso 1, segundo pooling)'"
style = "linespoints lw 1.2 pt 7 ps 0.3"
table = 'plots/icons_cnn_reported.tsv'

set xlabel "Época"
set key bmargin center horizontal Left reverse width -3 height 0.8
there = ""
all = ""
do for [i = 1:words(names)] {
    run = word(names, i)
    kinds = kind(result(run))
    if (kinds eq "") {
        print sprintf("%s: not in %s/icons_cnn", run, out)
        continue
    }
    there = there.' '.run
    all = all.kinds
    last = ended(run)
    set xrange [0 : last + 1]; set yrange [*:*]
    stats over(run) using ($4 > $10 ? $4 : $10) nooutput; top = STATS_max > 3 ? 3 : STATS_max
    stats over(run) using ($3 < $9 ? $3 : $9) nooutput
    bottom = STATS_min > 1 ? STATS_min - 0.1 : 0
    printed_losses = run eq 'final-b'
    eval canvas(16, 7.5)
    set output figure('icons_cnn_'.run)
    set multiplot layout 1, 2 title marked('Iconos, CNN: '.word(titles, i), kinds)
    set ylabel 'Error (entropía cruzada)'
    set yrange [bottom : bottom + 1.12*(top - bottom)]
    eval "plot ".(printed_losses ? "table using 1:2 with lines lc rgb lighter(train_colour) lw 1.5 \
dt (8, 4) notitle, table using 1:3 with lines lc rgb lighter(val_colour) lw 1.5 \
dt (8, 4) notitle, " \
: "").curve(run, 'train_loss', 1, train_colour, style, 'Entrenamiento').', ' \
         .curve(run, 'val_loss', 1, val_colour, style, 'Validación') \
         .circles(run, 'train_loss', 1, train_colour).circles(run, 'val_loss', 1, val_colour) \
         .", NaN with ".(printed_losses ? "lines lc rgb 0x999999 lw 1.5 dt (8, 4)" : \
                         "points lc rgb 0x606060 lw 1.2 pt 6 ps 1")." title '" \
         .(printed_losses || says(run, 'train_loss') || says(run, 'val_loss') ? of_report(kinds) \
                                                                              : "")."'"
    set ylabel 'Precisión (%)'
    set yrange [0 : 102]
    eval "plot ".curve(run, 'train_acc', 100, train_colour, style, 'Entrenamiento').', ' \
                .curve(run, 'val_acc', 100, val_colour, style, 'Validación')
    unset multiplot
}
if (there eq "") { exit status 1 }

set key width -1
# the four learning rates: what is compared is in the same axes
rates   = "lr0.001 lr0.05 lr0.1 lr0.5"
colours = "0x8a8f98 0x4fa3dc 0x08306b 0xc2410c"
lines(q, times) = lines_at(q, times, 1)
lines_at(q, times, i) = i > words(rates) ? 'NaN notitle' : (!has(word(rates, i)) ? '' : \
    curve(word(rates, i), q, times, int(word(colours, i)), style, 'Tasa '.word(rates, i)[3:]).', ') \
    .lines_at(q, times, i + 1)
set xrange [0 : *]
eval canvas(16, 14)
set output figure('icons_cnn_rates')
set multiplot layout 2, 2 title marked('Iconos, CNN: cuatro tasas de aprendizaje', all)
do for [part in "train val"] {
    what = part eq 'train' ? 'entrenamiento' : 'validación'
    set yrange [0 : 2.5]
    set title (part eq 'train' ? '(a)' : '(c)').' Error, '.what
    set ylabel 'Error (entropía cruzada), hasta 2.5'
    eval "plot ".lines(part.'_loss', 1)
    set yrange [0 : 102]
    set title (part eq 'train' ? '(b)' : '(d)').' Precisión, '.what
    set ylabel 'Precisión (%)'
    eval "plot ".lines(part.'_acc', 100)
}
unset multiplot

# accuracies: what the report claims is in these
reset
load 'plots/style.gp'
label_of(run) = word(titles, place(names, run))
eval canvas(16, 16)
set output figure('icons_cnn')
set multiplot layout 2, 1 title marked('Iconos, CNN: precisión de validación', all)
set xlabel 'Precisión de validación (%)'
set rmargin 16; set lmargin 34
do for [epoch in "average last"] {
    set title epoch eq 'last' ? '(b) en la última época' \
                              : '(a) promedio de todas las épocas, como cuenta el informe'
    set print $dots
    do for [run in there] {
        print dot(label_of(run), run, epoch, 'val_acc', 100, printed(run, epoch, 'val_acc', 100))
    }
    unset print
    eval dots("nuestra", epoch eq 'last' ? "" : "informe", 0, 100, "%.1f")
}
unset multiplot
