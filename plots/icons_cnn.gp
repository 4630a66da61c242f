# Report 5: training and validation loss against epoch, a figure for each study, and one of all.
#   gnuplot -e "out='build/results'; dir='build/plots'" plots/icons_cnn.gp
# The report prints the numbers of its final net B, drawn dashed here, and of some others a loss at
# the first or the last epoch: circles.
spanish = 1
load 'plots/style.gp'

train_colour = int(0xd1242f)
val_colour   = int(0x1f4fd8)
file(run) = out.'/icons_cnn/'.run.'.tsv'
is(run, quantity) = strcol(1) eq run && strcol(3) eq quantity

names = "lr0.05 lr0.5 lr0.001 lr0.1 bs10 split800 padded stride2 60epochs softmax sigmoid \
         final-a final-b alternative"
titles = "'Tasa 0.05' 'Tasa 0.5' 'Tasa 0.001' 'Tasa 0.1' 'Lotes de 10' 'Partición 800/205' \
          'Dos convoluciones, con relleno' 'Paso 2, un solo pooling' '60 épocas' \
          'Softmax en las capas ocultas' 'Sigmoide en las capas ocultas' \
          'Final A (lotes de 5, tasa 0.1)' 'Final B (lotes de 10, tasa 0.07)' \
          'Alternativa (paso 1, segundo pooling)'"

# Draws `run`; kinds as kind(file(run)) gave it.
panel = "\
    set xrange [*:*]; set yrange [*:*]; \
    stats file(run) using 1 nooutput; last = STATS_max; \
    stats file(run) using ($2 > $4 ? $2 : $4) nooutput; top = STATS_max > 3 ? 3 : STATS_max; \
    stats file(run) using ($2 < $4 ? $2 : $4) nooutput; \
    bottom = STATS_min > 1 ? STATS_min - 0.1 : 0; \
    set xrange [0 : last + 1]; set yrange [bottom : bottom + 1.12*(top - bottom)]; \
    report = strstrt(kinds, 'synthetic') ? 'Informe (datos reales)' : 'Informe'; \
    printed = run eq 'final-b'; \
    circles = strstrt(' lr0.5 lr0.001 final-a ', ' '.run.' '); \
    plot 'plots/icons_cnn_reported.tsv' using 1:(printed ? $2 : NaN) \
             with lines lc rgb lighter(train_colour) lw 3 dt (8, 4) notitle, \
         '' using 1:(printed ? $3 : NaN) \
             with lines lc rgb lighter(val_colour) lw 3 dt (8, 4) notitle, \
         file(run) using 1:2 with linespoints lc rgb train_colour lw 2 pt 7 ps 0.5 \
             title 'Error entrenamiento', \
         file(run) using 1:4 with linespoints lc rgb val_colour lw 2 pt 7 ps 0.5 \
             title 'Error validación', \
         'plots/icons_cnn_text.tsv' using (strcol(2) eq 'last' ? last : column(2)) \
             :(is(run, 'train_loss') ? ($4 + $5) / 2 : NaN) \
             with points lc rgb train_colour lw 2 pt 6 ps 2 notitle, \
         '' using (strcol(2) eq 'last' ? last : column(2)) \
             :(is(run, 'val_loss') ? ($4 + $5) / 2 : NaN) \
             with points lc rgb val_colour lw 2 pt 6 ps 2 notitle, \
         NaN with lines lc rgb '#999999' lw 3 dt (8, 4) title printed ? report : '', \
         NaN with points lc rgb '#606060' lw 2 pt 6 ps 2 title circles ? report : ''"

drawn = 0
all = ""
set xlabel "Época" offset 0, 0.3
set ylabel 'Error (entropía cruzada)'
set key bmargin center horizontal Left reverse width -2 height 0.8
do for [i = 1:words(names)] {
    run = word(names, i)
    kinds = kind(file(run))
    if (kinds eq "") {
        print sprintf("%s: not in %s/icons_cnn", run, out)
        continue
    }
    drawn = drawn + 1
    all = all.kinds
    eval canvas(900, 640)
    set output sprintf("%s/icons_cnn_%s.png", dir, run)
    set title marked('Iconos, CNN: '.word(titles, i), kinds)
    eval panel
}
if (drawn == 0) { exit status 1 }

eval canvas(1800, 2000)
set output dir.'/icons_cnn.png'
set multiplot layout 5, 3 title marked('Iconos, CNN: todos los estudios', all) font ",20"
unset key
do for [i = 1:words(names)] {
    run = word(names, i)
    kinds = kind(file(run))
    if (kinds eq "") { continue }
    set title word(titles, i)
    eval panel
}
# the legend, in the place that is left
set key center center vertical Left reverse
set xrange [0:1]; set yrange [0:1]
unset border; unset tics; unset xlabel; unset ylabel; unset title; unset grid
report = strstrt(all, 'synthetic') ? 'Informe (datos reales)' : 'Informe'
plot NaN with lines lc rgb train_colour lw 2 title 'Error entrenamiento', \
     NaN with lines lc rgb val_colour lw 2 title 'Error validación', \
     NaN with lines lc rgb '#999999' lw 3 dt (8, 4) title report.', por época', \
     NaN with points lc rgb '#606060' lw 2 pt 6 ps 2 title report.', en el texto'
unset multiplot
