# The figures of report 4, and the confusion matrices of its notebook (here of the test set).
#   gnuplot -e "out='build/results'; dir='build/plots'" plots/kuzushiji_mlp.gp
#   kuzushiji_mlp_fig2, _fig3      accuracy against epoch, M0 and M1; circles: as the report prints
#   kuzushiji_mlp_by_hand          M1, by hand, against M2, which is the same with PyTorch's rules
#   kuzushiji_mlp_models           the improvements of M0 and the five models, beside the report's
#   kuzushiji_mlp_confusion_m0, _confusion_m1    rows: true labels; columns: what was predicted
#   kuzushiji_mlp_fig1             four images
experiment = 'kuzushiji_mlp'
load 'plots/style.gp'

train_colour = int(0x1f4fd8)
val_colour   = int(0xc2410c)
name(run)    = run eq 'm0' ? 'M0' : 'M1'
drawn = 0

set key right bottom
set rmargin 9
set xlabel "Epoch"
set ylabel "Accuracy"
set yrange [0 : 1]
report_key(kinds) = ", NaN with points lc rgb 0x606060 lw 1.2 pt 6 ps 1 title '".of_report(kinds)."'"
do for [run in "m0 m1"] {
    kinds = kind(result(run))
    if (kinds eq "") { print sprintf("%s was not run", run); continue }
    drawn = drawn + 1
    style = "linespoints lw 1.2 pt %d ps 0.6 pi ".(run eq 'm0' ? 10 : 1)    # from mark to mark
    eval canvas(16, 9)
    set output figure('kuzushiji_mlp_fig'.(run eq 'm0' ? 2 : 3))
    set title marked("Train vs Validation Accuracy (".name(run).")", kinds)
    eval "plot ".curve(run, 'train_acc', 1, train_colour, sprintf(style, 7), 'Train Accuracy').', ' \
                .curve(run, 'val_acc', 1, val_colour, sprintf(style, 5), 'Validation Accuracy') \
                .circles(run, 'train_acc', 1, train_colour).circles(run, 'val_acc', 1, val_colour) \
                .report_key(kinds)
}

# by hand against PyTorch: the same network, samples and rate; what the report prints, at its last
if (has('m1') && has('m2')) {
    kinds = kind(result('m1')).kind(result('m2'))
    eval canvas(16, 8)
    set output figure('kuzushiji_mlp_by_hand')
    set multiplot layout 1, 2 title marked("By hand (M1) against PyTorch's rules (M2), validation", \
                                           kinds)
    set rmargin 4
    set xrange [0 : *]
    set key bmargin center horizontal Left reverse width -3
    do for [q in "val_loss val_acc"] {
        set title q eq 'val_acc' ? '(b) accuracy' : '(a) loss, M1 with its penalty of weights'
        set ylabel q eq 'val_acc' ? 'Accuracy' : 'Loss'
        set yrange [0 : (q eq 'val_acc' ? 1 : 4.2)]
        eval "plot ".curve('m1', q, 1, train_colour, 'lines lw 1.2', 'M1').', ' \
                    .curve('m2', q, 1, val_colour, 'lines lw 1.2', 'M2') \
                    .circles('m1', q, 1, train_colour).circles('m2', q, 1, val_colour) \
                    .report_key(kinds)
    }
    unset multiplot
}

if (drawn == 0) { exit status 1 }
improvements = "m0 linear exponential minibatch sgd adam l2 earlystop"
of_these = "'M0' 'linear schedule' 'exponential schedule' 'mini-batches of 1000' 'batches of one' \
            'Adam' 'L2' 'early stopping'"
models = "m0 m1 m2 m3 m4-as-sgd m4-as-adam"
model_names = "'M0' 'M1, by hand' 'M2, PyTorch' 'M3, after the grid' 'M4, by SGD' 'M4, by Adam'"
reset
load 'plots/style.gp'
kinds = kind(result('m0')).kind(result('m1'))
eval canvas(16, 12)
set output figure('kuzushiji_mlp_models')
set multiplot layout 2, 1 title marked("Accuracies beside the report's", kinds)
set lmargin 24; set rmargin 20
do for [panel = 1:2] {
    list = panel == 1 ? improvements : models
    q    = panel == 1 ? 'val_acc' : 'test_acc'
    set print $dots
    do for [i = 1:words(list)] {
        run = word(list, i)
        print dot(word(panel == 1 ? of_these : model_names, i), run, 'last', q, 1, \
                  printed(run, 'last', q, 1))
    }
    unset print
    set title panel == 1 ? "(a) M0 and its improvements, each alone: validation" \
                         : "(b) the models: test"
    set xlabel "Accuracy"
    eval dots("ours", "reported", 0, 1, "%.4f")
}
unset multiplot

reset
load 'plots/style.gp'
unset key
unset grid
set style fill solid 1
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
    kinds = kind(result(run))
    if (kinds eq "") { continue }
    eval canvas(13, 12)
    set output figure('kuzushiji_mlp_confusion_'.run)
    set title of_one_seed("Confusion matrix of ".name(run).", test set", kinds)
    plot result('confusion-'.run) matrix with image
}

eval canvas(11, 12.5)
set output figure('kuzushiji_mlp_fig1')
set multiplot layout 2, 2 margins 0.03, 0.97, 0.02, 0.86 spacing 0.03, 0.07 \
    title of_one_seed("Four of the characters", kinds)
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
    set yrange [28*i + 27.5 : 28*i - 0.5]
    plot result('samples') matrix with image
}
unset multiplot
