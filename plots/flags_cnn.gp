# The figures of report 3.
#   gnuplot -e "out='build/results'; dir='build/plots'" plots/flags_cnn.gp
#   basic, trial0 ..., best0 ...   loss and accuracies against epoch, one figure each; trials: all
#   search_history, search_slice, search_parallel, search_importance
# What the report prints is drawn beside ours in lighter tones, dashed or hollow.
spanish = 1
load 'plots/style.gp'

loss_colour  = int(0x1f4fd8)
train_colour = int(0x15803d)
test_colour  = int(0xd1242f)
file(run) = out.'/flags_cnn/'.run.'.tsv'
reported  = 'plots/flags_cnn_reported.tsv'
searched  = 'plots/flags_cnn_search.tsv'
of(kinds) = strstrt(kinds, 'synthetic') ? 'Informe (datos reales)' : 'Informe'
printed(run) = run[1:4] ne 'best' && run ne 'transfer-section'
has(run)  = system("test -f ".shell(file(run))." && echo 1") eq "1"

# What the comment "config" of a result file says of the net.
settings(run) = system("sed -nE -e 's/^# config filters ([0-9]+) and ([0-9]+), kernels ([0-9]+) \
and ([0-9]+), ([0-9]+) units, (.*batch [0-9]+).*/conv1 \\1 (\\3×\\3), conv2 \\2 (\\4×\\4), \
fc1 \\5, \\6/p' ".shell(file(run)))

runs = "basic trial0 trial1 trial2 trial3 trial4 trial5 trial6 trial7 trial8 trial9 \
        best0 best1 best2 best3 best4 transfer-section transfer-vgg16"
name(run) = run eq 'basic' ? 'Ejecución básica' \
          : run[1:5] eq 'trial' ? 'Trial '.run[6:] \
          : run[1:4] eq 'best' ? 'Búsqueda propia, n.º '.(run[5:] + 1) \
          : run eq 'transfer-vgg16' ? 'Transferencia: VGG-16' : 'Transferencia: sección de VGG-16'

# Loss on the left axis, accuracies on the right one; `marks`: the size of the points.
panel = "\
    set xrange [*:*]; set yrange [*:*]; \
    stats file(run) using 1 nooutput; last = STATS_max; \
    stats file(run) using 2 nooutput; top = STATS_max; \
    stats reported using (strcol(1) eq run && $2 > last ? (last = $2) : 0) nooutput; \
    stats reported using (strcol(1) eq run && $3 > top ? (top = $3) : 0) nooutput; \
    set xrange [0.5 : last + 0.5]; set yrange [0 : 1.08*top]; set y2range [0 : 108]; \
    set xtics last > 10 ? 2 : 1; \
    plot reported using (strcol(1) eq run ? $2 : NaN):3 \
             with lines lc rgb lighter(loss_colour) lw 3 dt (8, 4) notitle, \
         '' using (strcol(1) eq run ? $2 : NaN):4 axes x1y2 \
             with lines lc rgb lighter(train_colour) lw 3 dt (8, 4) notitle, \
         '' using (strcol(1) eq run && strcol(5) ne '-' ? $2 : NaN):5 axes x1y2 \
             with linespoints lc rgb lighter(test_colour) lw 3 dt (8, 4) pt 2 ps marks notitle, \
         file(run) using 1:2 with linespoints lc rgb loss_colour lw 2 pt 7 ps marks \
             title 'Pérdida', \
         '' using 1:(100*$3) axes x1y2 with linespoints lc rgb train_colour lw 2 pt 7 ps marks \
             title 'Precisión, entrenamiento', \
         '' using 1:(100*$5) axes x1y2 with linespoints lc rgb test_colour lw 2 pt 2 ps 1.3*marks \
             title 'Precisión, prueba', \
         NaN with lines lc rgb '#999999' lw 3 dt (8, 4) title printed(run) ? of(kinds) : ''"

set border 11
set y2tics 0, 20, 100
set xlabel "Época" offset 0, 0.3
set ylabel 'Pérdida (entropía cruzada)' textcolor rgb loss_colour
set y2label 'Precisión (%)'
set key bmargin center horizontal Left reverse width -2 height 0.8
drawn = 0
all = ""
do for [run in runs] {
    kinds = kind(file(run))
    if (kinds eq "") { print sprintf("%s: not in %s/flags_cnn", run, out); continue }
    drawn = drawn + 1
    all = all.kinds
    set xrange [*:*]; set yrange [*:*]
    stats file(run) using (seen = 100*$3, tested = 100*$5) nooutput
    eval canvas(1000, 700)
    set output sprintf("%s/flags_cnn_%s.png", dir, run)
    set title marked(sprintf("{/:Bold %s}: entrenamiento %.2f %%, prueba %.2f %%\n{/=12 %s}", \
                             name(run), seen, tested, settings(run)), kinds)
    marks = 1.3
    eval panel
}
if (drawn == 0) { exit status 1 }

eval canvas(1800, 2000)
set output dir.'/flags_cnn_trials.png'
set multiplot layout 4, 3 title marked('Banderas, CNN: las diez configuraciones', all) font ",20"
unset key
marks = 0.9
do for [i = 0:9] {
    run = 'trial'.i
    kinds = kind(file(run))
    if (kinds eq "") { continue }
    set xrange [*:*]; set yrange [*:*]
    stats file(run) using (tested = 100*$5) nooutput
    text = settings(run)
    cut = strstrt(text, ', fc1')
    set title sprintf("{/:Bold Trial %d}: prueba %.1f %%\n{/=11 %s}\n{/=11 %s}", i, tested, \
                      text[1:cut], text[cut + 2:])
    eval panel
}
set key center center vertical Left reverse
set xrange [0:1]; set yrange [0:1]
unset border; unset tics; unset xlabel; unset ylabel; unset y2label; unset title; unset grid
plot NaN with linespoints lc rgb loss_colour lw 2 pt 7 ps 1.2 title 'Pérdida (eje izquierdo)', \
     NaN with linespoints lc rgb train_colour lw 2 pt 7 ps 1.2 \
         title 'Precisión, entrenamiento (derecho)', \
     NaN with linespoints lc rgb test_colour lw 2 pt 2 ps 1.5 \
         title 'Precisión, prueba (derecho)', \
     NaN with lines lc rgb '#999999' lw 3 dt (8, 4) title of(all)
unset multiplot

# ==== The search: objective = test accuracy with dropout on =======================================
if (!has('search')) { exit }
kinds = kind(file('search'))
objective = 'Precisión, prueba, con dropout (%)'
unset y2tics; unset y2range
set border 3; set grid; set autoscale
set xtics nomirror autofreq; set ytics nomirror autofreq
set key bmargin center horizontal Left reverse width -2 height 0.8

eval canvas(1000, 700)
set output dir.'/flags_cnn_search_history.png'
set title marked('Historia de la búsqueda', kinds) font ",20"
set xlabel "Trial" offset 0, 0.3
set ylabel objective textcolor rgb 'black'
set xrange [-0.5 : 9.5]; set yrange [0 : 100]; set xtics 1
best = 0
plot searched using 1:(best = column(2) > best ? column(2) : best, 100*best) \
         with steps lc rgb lighter(test_colour) lw 3 dt (8, 4) \
         title of(kinds).', mejor hasta ahora', \
     '' using 1:(100*$2) with points lc rgb lighter(loss_colour) lw 2 pt 6 ps 1.8 \
         title of(kinds), \
     file('search') using 1:(100*$4) with steps lc rgb test_colour lw 2 title 'Mejor hasta ahora', \
     '' using 1:(100*$2) with points lc rgb loss_colour pt 7 ps 1.6 title 'Trial'

# Our table has the parameters from column 5 on, the report's from column 3 on.
parameters = "num_filters_conv1 num_filters_conv2 kernel_size_conv1 kernel_size_conv2 fc1_units \
              dropout_rate activation lr optimizer batch_size"
low  = "8 16 3 3 64 0 0 0.00001 0 16"
high = "64 128 7 7 512 0.5 4 0.001 6 128"
activations = "ReLU LeakyReLU ELU Sigmoid Tanh"
optimizers  = "Adam SGD RMSprop Adadelta Adagrad ASGD NAdam"
choices(p) = p == 7 ? activations : p == 9 ? optimizers : ""
place(list, what) = sum [i = 1:words(list)] (word(list, i) eq what ? i - 1 : 0)
given(p, c) = choices(p) eq "" ? column(c) : place(choices(p), strcol(c))

eval canvas(1800, 1000)
set output dir.'/flags_cnn_search_slice.png'
set multiplot layout 2, 5 margins 0.055, 0.985, 0.17, 0.87 spacing 0.027, 0.13 \
    title marked('Precisión de prueba, con dropout, frente a cada parámetro', kinds) font ",20"
unset title
set yrange [0 : 100]
set ytics 20
do for [p = 1:10] {
    from = word(low, p) + 0.0
    to   = word(high, p) + 0.0
    margin = 0.07*(to - from)
    set xlabel word(parameters, p) noenhanced offset 0, 0.3
    if (p % 5 == 1) { set ylabel 'Precisión (%)' offset 1, 0 } else { unset ylabel }
    unset logscale x
    set xtics autofreq norotate
    set format x "%g"
    if (p == 8) { set logscale x; set format x "10^{%T}"; set xrange [from/1.3 : to*1.3] } \
    else        { set xrange [from - margin : to + margin] }
    if (p == 3 || p == 4) { set xtics 3, 2 }
    if (p == 7 || p == 9) {
        set xtics () rotate by -60
        do for [i = 1:words(choices(p))] { set xtics add (word(choices(p), i) i - 1) }
        set xlabel offset 0, 0
    } else { set xlabel offset 0, 0.3 }
    if (p == 8) { set key at screen 0.985, 0.985 right top vertical } else { unset key }
    plot searched using (given(p, p + 2)):(100*$2) with points lc rgb lighter(loss_colour) \
             lw 2 pt 6 ps 1.8 title of(kinds), \
         file('search') using (given(p, p + 4)):(100*$2) with points lc rgb loss_colour \
             pt 7 ps 1.5 title 'Búsqueda propia'
}
unset multiplot

# Each trial a line through its values, each between the ends of its range; colour: the objective.
axis_colour = int(0xa0a0a0)
eval canvas(1800, 900)
set output dir.'/flags_cnn_search_parallel.png'
set title marked('Las pruebas en coordenadas paralelas', kinds) font ",20"
unset logscale x; unset xlabel; unset ylabel; unset key; unset ytics; unset border; unset grid
set format x "%g"
set xrange [0.3 : 10.3]; set yrange [-0.04 : 1.06]
set xtics norotate scale 0
set xtics ()
do for [p = 1:10] {
    set xtics add (word(parameters, p) p)
    set arrow from p, 0 to p, 1 nohead lc rgb axis_colour lw 1.5 back
    n = choices(p) ne "" ? words(choices(p)) : word("8 8 3 3 8 6 1 3 1 8", p) + 0
    do for [i = 0:n - 1] {
        v = word(low, p) + i*(word(high, p) - word(low, p))/(n - 1.0)
        said = p == 8 ? sprintf("10^{%d}", i - 5) \
             : choices(p) ne "" ? word(choices(p), i + 1) : sprintf("%g", v)
        set label said at p, i/(n - 1.0) right offset -0.5, 0 font ",12" front
    }
}
set xtics noenhanced font ",11"
set cbtics 0, 20, 100
set palette defined (0 '#c6d4f7', 0.5 '#1f4fd8', 1 '#08164f')
set cbrange [0 : 100]
set cblabel objective
lines = "< awk -F'\t' -v OFS='\t' 'BEGIN { \
    split(\"".low."\", low, \" \"); split(\"".high."\", high, \" \"); \
    n = split(\"".activations." ".optimizers."\", w, \" \"); \
    for (i = 1; i <= n; i++) at[w[i]] = i <= 5 ? i - 1 : i - 6 } \
    $1 ~ /^[0-9]/ { for (p = 1; p <= 10; p++) { x = $(p + 4); if (x in at) x = at[x]; \
        v = p == 8 ? log(x/low[p])/log(high[p]/low[p]) : (x - low[p])/(high[p] - low[p]); \
        print p, v, 100*$2 } print \"\" }' ".shell(file('search'))
plot lines using 1:2:3 with lines lc palette lw 3

# How much of the objective's variance each parameter explains by itself.
reset
load 'plots/style.gp'
eval canvas(1000, 700)
set output dir.'/flags_cnn_search_importance.png'
set title marked('Importancia de cada parámetro', kinds) font ",20"
set bmargin 4
set xlabel "Parte de la varianza que explica por sí solo (diez pruebas)"
unset key
set xrange [0 : 1.08]; set yrange [9.6 : -0.6]
set ytics noenhanced
set style fill solid 1 noborder
explained = "< sed -nE 's/^# explained (.*) (.*)/\\1\\t\\2/p' ".shell(file('search'))." \
             | sort -t '\t' -k 2,2gr"
plot explained using ($2/2):0:($2/2):(0.35):ytic(1) with boxxyerror lc rgb loss_colour, \
     '' using ($2 + 0.01):0:(sprintf("%.2f", $2)) with labels left font ",13"
