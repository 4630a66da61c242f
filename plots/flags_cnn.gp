# The figures of report 3.
#   gnuplot -e "out='build/results'; dir='build/plots'" plots/flags_cnn.gp
#   flags_cnn_basic, _trial0 ..., _best0 ...   loss and accuracies against epoch, one figure each
#   flags_cnn_trials    the last test accuracies, beside the report's: which is the best?
#   flags_cnn_search_history, _slice_1, _slice_2, _parallel, _importance
# What the report prints is drawn beside ours in lighter tones, dashed or hollow.
spanish = 1
experiment = 'flags_cnn'
load 'plots/style.gp'

loss_colour  = int(0x1f4fd8)
train_colour = int(0x15803d)
test_colour  = int(0xd1242f)
reported  = 'plots/flags_cnn_reported.tsv'
searched  = 'plots/flags_cnn_search.tsv'
in_report(run) = run[1:4] ne 'best' && run ne 'transfer-section'

# What the comment "config" of a result file says of the net.
settings(run) = system("sed -nE -e 's/^# config filters ([0-9]+) and ([0-9]+), kernels ([0-9]+) \
and ([0-9]+), ([0-9]+) units, (.*batch [0-9]+).*/conv1 \\1 (\\3×\\3), conv2 \\2 (\\4×\\4), \
fc1 \\5, \\6/p' ".shell(result(run)))

runs = "basic trial0 trial1 trial2 trial3 trial4 trial5 trial6 trial7 trial8 trial9 \
        best0 best1 best2 best3 best4 transfer-section transfer-vgg16"
name(run) = run eq 'basic' ? 'Ejecución básica' \
          : run[1:5] eq 'trial' ? 'Trial '.run[6:] \
          : run[1:4] eq 'best' ? 'Búsqueda propia, n.º '.(run[5:] + 1) \
          : run eq 'transfer-vgg16' ? 'Transferencia: VGG-16' : 'Transferencia: sección de VGG-16'

# Loss on the left axis, accuracies on the right one.
set border 11
set y2tics 0, 20, 100
set xlabel "Época"
set ylabel 'Pérdida (entropía cruzada)' textcolor rgb loss_colour
set y2label 'Precisión (%)'
set key bmargin center horizontal Left reverse width -2 height 0.8
style = "linespoints lw 1.2 pt %d ps %g"
there = ""
all = ""
do for [run in runs] {
    kinds = kind(result(run))
    if (kinds eq "") { print sprintf("%s: not in %s/flags_cnn", run, out); continue }
    there = there.' '.run
    all = all.kinds
    set xrange [*:*]; set yrange [*:*]
    last = ended(run)
    stats over(run) using 4 nooutput; top = STATS_max
    stats reported using (strcol(1) eq run && $2 > last ? (last = $2) : 0) nooutput
    stats reported using (strcol(1) eq run && $3 > top ? (top = $3) : 0) nooutput
    set xrange [0.5 : last + 0.5]; set yrange [0 : 1.08*top]; set y2range [0 : 108]
    set xtics last > 10 ? 2 : 1
    eval canvas(16, 10)
    set output figure('flags_cnn_'.run)
    set title marked(sprintf("%s: entrenamiento %.2f %%, prueba %.2f %%", name(run), \
                             100*word(three_of(run, 'last', 'train_acc'), 1), \
                             100*word(three_of(run, 'last', 'val_acc'), 1)), kinds) \
              .(settings(run) eq "" ? "" : "\n{/=7 ".settings(run)."}")
    axes = ''
    loss = curve(run, 'train_loss', 1, loss_colour, sprintf(style, 7, 0.7), 'Pérdida').', '
    axes = ' axes x1y2'
    eval "plot reported using (strcol(1) eq run ? $2 : NaN):3 \
                 with lines lc rgb lighter(loss_colour) lw 1.5 dt (8, 4) notitle, \
             '' using (strcol(1) eq run ? $2 : NaN):4 axes x1y2 \
                 with lines lc rgb lighter(train_colour) lw 1.5 dt (8, 4) notitle, \
             '' using (strcol(1) eq run && strcol(5) ne '-' ? $2 : NaN):5 axes x1y2 \
                 with linespoints lc rgb lighter(test_colour) lw 1.5 dt (8, 4) pt 2 ps 0.7 \
                 notitle, " \
         .loss.curve(run, 'train_acc', 100, train_colour, sprintf(style, 7, 0.7), \
                     'Precisión, entrenamiento').', ' \
         .curve(run, 'val_acc', 100, test_colour, sprintf(style, 2, 0.9), 'Precisión, prueba') \
         .", NaN with lines lc rgb 0x999999 lw 1.5 dt (8, 4) title '" \
         .(in_report(run) ? of_report(kinds) : "")."'"
}
if (there eq "") { exit status 1 }

# ==== The last test accuracies ====================================================================
reset
load 'plots/style.gp'
printed_last(run) = system("awk -F '\t' '$1 == \"".run."\" && $5 != \"-\" { v = $5 } \
END { print v == \"\" ? \"NaN\" : v }' ".reported)
eval canvas(16, 17)
set output figure('flags_cnn_trials')
set multiplot layout 2, 1 title marked('Banderas, CNN: precisión de prueba en la última época', all)
set lmargin 30; set rmargin 16
set xlabel 'Precisión, prueba (%)'
set arrow 1 from 100.0/24, graph 0 to 100.0/24, graph 1 nohead lc rgb '#404040' dt 3 lw 1
set label 3 'azar' at 100.0/24, graph 1 offset -1, 0.4 font ',7'
set print $dots
do for [run in there] {
    if (run[1:4] ne 'best') {
        printed_now = in_report(run) ? printed_last(run) : "NaN"
        print dot(name(run), run, 'last', 'val_acc', 100, printed_now."\t".printed_now)
    }
}
unset print
set title '(a) entrenadas de nuevo, y transferencia'
eval dots("nuestra", "informe", 0, 100, "%.1f")
set print $dots
do for [i = 0:9] {
    run = sprintf('printed%d', i)
    p = system("awk -F '\t' '$1 == \"".i."\" { print 100*$2 \"\t\" 100*$2 }' ".searched)
    if (has(run)) {
        print dot(system("awk -F '\t' '$1 == \"".i."\" { print $1 \": \" $11 \", \" $9 \", lotes \" \
$12 }' ".searched), run, 'last', 'test_acc', 100, p)
    }
}
unset print
set title '(b) las diez de la búsqueda del informe, con dropout'
if (|$dots| > 0) { eval dots("nuestra", "informe", 0, 100, "%.1f") }
unset multiplot

# ==== The search: objective = test accuracy with dropout on =======================================
if (!has('search')) { exit }
kinds = kind(result('search'))
objective = 'Precisión, prueba, con dropout (%)'
reset
load 'plots/style.gp'
set key bmargin center horizontal Left reverse width -2 height 0.8

eval canvas(16, 9)
set output figure('flags_cnn_search_history')
set title of_one_seed('Historia de la búsqueda', kinds)
set xlabel "Trial"
set ylabel objective
set xrange [-0.5 : 9.5]; set yrange [0 : 100]; set xtics 1
best = 0
plot searched using 1:(best = column(2) > best ? column(2) : best, 100*best) \
         with steps lc rgb lighter(test_colour) lw 1.5 dt (8, 4) \
         title of_report(kinds).', mejor hasta ahora', \
     '' using 1:(100*$2) with points lc rgb lighter(loss_colour) lw 1.2 pt 6 ps 1 \
         title of_report(kinds), \
     result('search') using 1:(100*$4) with steps lc rgb test_colour lw 1.2 \
         title 'Mejor hasta ahora', \
     '' using 1:(100*$2) with points lc rgb loss_colour pt 7 ps 0.8 title 'Trial'

# Our table has the parameters from column 5 on, the report's from column 3 on.
parameters = "num_filters_conv1 num_filters_conv2 kernel_size_conv1 kernel_size_conv2 fc1_units \
              dropout_rate activation lr optimizer batch_size"
low  = "8 16 3 3 64 0 0 0.00001 0 16"
high = "64 128 7 7 512 0.5 4 0.001 6 128"
activations = "ReLU LeakyReLU ELU Sigmoid Tanh"
optimizers  = "Adam SGD RMSprop Adadelta Adagrad ASGD NAdam"
choices(p) = p == 7 ? activations : p == 9 ? optimizers : ""
given(p, c) = choices(p) eq "" ? column(c) : place(choices(p), strcol(c)) - 1

# five on a page, and the legend in the place of a sixth
do for [page = 1:2] {
    eval canvas(16, 15)
    set output figure('flags_cnn_search_slice_'.page)
    set multiplot layout 3, 2 margins 0.09, 0.96, 0.08, 0.89 spacing 0.11, 0.12 \
        title of_one_seed(sprintf('Precisión de prueba, con dropout, frente a cada parámetro (%d de 2)', \
                             page), kinds)
    unset title
    set border 3; set grid; set yrange [0 : 100]
    set ytics nomirror 20
    set ylabel 'Precisión (%)' offset 1, 0
    unset key
    do for [p = 5*page - 4 : 5*page] {
        from = word(low, p) + 0.0
        to   = word(high, p) + 0.0
        margin = 0.07*(to - from)
        set xlabel word(parameters, p) noenhanced
        unset logscale x
        set xtics nomirror autofreq norotate
        set format x "%g"
        if (p == 8) { set logscale x; set format x "10^{%T}"; set xrange [from/1.3 : to*1.3] } \
        else        { set xrange [from - margin : to + margin] }
        if (p == 3 || p == 4) { set xtics 3, 2 }
        if (p == 7 || p == 9) {
            set xtics () font ',7'
            do for [i = 1:words(choices(p))] { set xtics add (word(choices(p), i) i - 1) }
            if (p == 9) { set xtics rotate by -30 }
        }
        plot searched using (given(p, p + 2)):(100*$2) with points lc rgb lighter(loss_colour) \
                 lw 1.2 pt 6 ps 1, \
             result('search') using (given(p, p + 4)):(100*$2) with points lc rgb loss_colour \
                 pt 7 ps 0.8
        set xtics font ',8'
    }
    unset logscale x; unset border; unset tics; unset xlabel; unset ylabel; unset grid
    set xrange [0 : 1]; set yrange [0 : 1]
    set key at screen 0.77, 0.2 center center vertical Left reverse
    plot NaN with points lc rgb lighter(loss_colour) lw 1.2 pt 6 ps 1 title of_report(kinds), \
         NaN with points lc rgb loss_colour pt 7 ps 0.8 title 'Búsqueda propia'
    unset multiplot
}

# Each trial a line through its values, each between the ends of its range; colour: the objective.
axis_colour = int(0xa0a0a0)
reset
load 'plots/style.gp'
eval canvas(16, 10)
set output figure('flags_cnn_search_parallel')
set title of_one_seed('Las pruebas en coordenadas paralelas', kinds)
unset key; unset ytics; unset border; unset grid
set style fill solid 1
set xrange [0.1 : 10.3]; set yrange [-0.04 : 1.06]
set xtics scale 0 rotate by -25
set xtics ()
letters(p, text) = p == 8 ? 3 : strlen(text)       # 10^{-3} takes the room of three
do for [p = 1:10] {
    set xtics add (word(parameters, p) p)
    set arrow from p, 0 to p, 1 nohead lc rgb axis_colour lw 1 back
    n = choices(p) ne "" ? words(choices(p)) : word("8 8 3 3 8 6 1 3 1 8", p) + 0
    do for [i = 0:n - 1] {
        v = word(low, p) + i*(word(high, p) - word(low, p))/(n - 1.0)
        said = p == 8 ? sprintf("10^{%d}", i - 5) \
             : choices(p) ne "" ? word(choices(p), i + 1) : sprintf("%g", v)
        # not through the lines: a white field behind it (boxed labels are none in SVG)
        set object rectangle center p - 0.08 - 0.045*letters(p, said), i/(n - 1.0) \
            size 0.09*letters(p, said) + 0.04, 0.045 fc rgb 'white' fs solid 1 noborder front
        set label said at p - 0.08, i/(n - 1.0) right font ",6" front
    }
}
set xtics noenhanced font ",7"
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
        print p, v, 100*$2 } print \"\" }' ".shell(result('search'))
plot lines using 1:2:3 with lines lc palette lw 1.5

# How much of the objective's variance each parameter explains by itself.
reset
load 'plots/style.gp'
eval canvas(16, 9)
set output figure('flags_cnn_search_importance')
set title of_one_seed('Importancia de cada parámetro', kinds)
set bmargin 4
set xlabel "Parte de la varianza que explica por sí solo (diez pruebas)"
unset key
set xrange [0 : 1.08]; set yrange [9.6 : -0.6]
set ytics noenhanced
set style fill solid 1 noborder
explained = "< sed -nE 's/^# explained (.*) (.*)/\\1\\t\\2/p' ".shell(result('search'))." \
             | sort -t '\t' -k 2,2gr"
plot explained using ($2/2):0:($2/2):(0.35):ytic(1) with boxxyerror lc rgb loss_colour, \
     '' using ($2 + 0.01):0:(sprintf("%.2f", $2)) with labels left font ",7"
