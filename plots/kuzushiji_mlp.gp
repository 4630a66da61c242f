# The figures of report 4, and the confusion matrices of its notebook (here of the test set).
#   gnuplot -e "out='build/results'; dir='build/plots'" plots/kuzushiji_mlp.gp
#   fig2, fig3                     accuracy against epoch, M0 and M1; circles: as the report prints
#   confusion_m0, confusion_m1     rows: true labels; columns: what was predicted
#   fig1                           four images
load 'plots/style.gp'

train_colour = int(0x1f4fd8)
val_colour   = int(0xc2410c)
file(name) = out.'/kuzushiji_mlp/'.name.'.tsv'
name(run)  = run eq 'm0' ? 'M0' : 'M1'
printed    = 'plots/kuzushiji_mlp_text.tsv'
at(which)  = strcol(1) eq run && strcol(3) eq which.'_acc' \
           ? (strcol(2) eq 'last' ? ended : column(2)) : NaN
drawn = 0

set key right bottom
set rmargin 4
set xlabel "Epoch"
set ylabel "Accuracy"
set yrange [0 : 1]
do for [run in "m0 m1"] {
    kinds = kind(file(run))
    if (kinds eq "") { print sprintf("%s was not run", run); continue }
    drawn = drawn + 1
    each  = run eq 'm0' ? 10 : 1            # so many epochs from mark to mark
    ended = run eq 'm0' ? 300 : 18          # the report's last
    eval canvas(1000, 700)
    set output dir.'/kuzushiji_mlp_fig'.(run eq 'm0' ? 2 : 3).'.png'
    set title marked("Train vs Validation Accuracy (".name(run).")", kinds) font ",20"
    plot file(run) using 1:3 with linespoints lc rgb train_colour lw 2 pt 7 ps 1.2 pi each \
             title 'Train Accuracy', \
         file(run) using 1:5 with linespoints lc rgb val_colour lw 2 pt 5 ps 1.2 pi each \
             title 'Validation Accuracy', \
         printed using (at('train')):4 with points lc rgb train_colour lw 2 pt 6 ps 2 notitle, \
         printed using (at('val')):4 with points lc rgb val_colour lw 2 pt 6 ps 2 notitle, \
         NaN with points lc rgb '#606060' lw 2 pt 6 ps 2 \
             title strstrt(kinds, 'synthetic') ? 'Report (real images)' : 'Report'
}

unset key
unset grid
set border 15
set size ratio -1
set xrange [-0.5 : 48.5]
set yrange [48.5 : -0.5]
set tics 4 out
set xlabel "Predicted label"
set ylabel "True label"
set cblabel "Images"
set palette defined (0 '#ffffff', 1 '#dbe7fb', 12 '#1f4fd8', 25 '#08306b')
do for [run in "m0 m1"] {
    kinds = kind(file(run))
    if (kinds eq "") { continue }
    eval canvas(1000, 950)
    set output dir.'/kuzushiji_mlp_confusion_'.run.'.png'
    set title marked("Confusion matrix of ".name(run).", test set", kinds) font ",20"
    plot file('confusion-'.run) matrix with image
}

if (drawn == 0) { exit status 1 }
eval canvas(900, 1020)
set output dir.'/kuzushiji_mlp_fig1.png'
set multiplot layout 2, 2 margins 0.03, 0.97, 0.02, 0.88 spacing 0.03, 0.05 \
    title marked("Four of the characters", kind(file('m0')).kind(file('m1'))) font ",20"
unset title
unset xlabel
unset ylabel
unset colorbox
unset tics
unset border
set palette gray
set xrange [-0.5 : 27.5]
do for [i = 0:3] {
    set title "image ".word("100 1000 2500 4999", i + 1) offset 0, -0.5
    set yrange [28 * i + 27.5 : 28 * i - 0.5]
    plot file('samples') matrix with image
}
unset multiplot
