# What the figures share. Variables that the caller may set with -e:
#   out     the folder of the result files (build/results)   dir  where figures go (build/plots)
#   format  png, pdf or svg (png)                            seeds  how many (1): out, out/seed2 ...
# and a script, before it loads this: experiment, the folder in `out`; spanish, if its figures are.
if (!exists("out")) out = 'build/results'
if (!exists("dir")) dir = 'build/plots'
if (!exists("format")) format = 'png'
if (!exists("seeds")) seeds = 1
# A name that begins with <, | or - would be a command or standard input.
if (out[1:1] ne '/') out = './'.out
if (dir[1:1] ne '/') dir = './'.dir

# A file name as one word for the shell: within '...', where a ' is written '\''.
shell(name) = "'".escaped(name)."'"
escaped(s)  = escaped_at(s, strstrt(s, "'"))
escaped_at(s, i) = i ? s[1 : i - 1]."'\\''".escaped(s[i + 1 :]) : s
system("mkdir -p ".shell(dir))

# ---- paper: sizes in cm and points are those of a page, whose width is 16 cm --------------------
dots_per_inch = 200             # of PNG
terminal = format eq 'pdf' ? 'pdfcairo' : format eq 'svg' ? 'svg' \
         : strstrt(GPVAL_TERMINALS, 'pngcairo') ? 'pngcairo' : 'png'
if (!strstrt(' png pdf svg ', ' '.format.' ') || !strstrt(GPVAL_TERMINALS, terminal)) {
    print sprintf("format %s: png, pdf or svg can be had, if this gnuplot has them", format)
    exit status 2
}
pixels(cm) = ceil(cm/2.54*(format eq 'svg' ? 96 : dots_per_inch))
size_of(w, h) = format eq 'pdf' ? sprintf("%gcm,%gcm", w, h) \
              : sprintf("%d,%d", pixels(w), pixels(h))
scales = terminal eq 'pngcairo' ? sprintf("fontscale %g linewidth 2 pointscale 1.3", \
                                          0.78*dots_per_inch/72) \
       : terminal eq 'pdfcairo' ? "fontscale 0.78 linewidth 1.5 pointscale 0.5" \
       : terminal eq 'svg' ? "background rgb 'white' fontscale 1.33 linewidth 0.9" : ""
canvas(w, h) = sprintf("set terminal %s size %s font 'DejaVu Sans,8' %s", \
                       terminal, size_of(w, h), scales)
figure(name) = dir.'/'.name.'.'.format
set encoding utf8
set datafile separator "\t"
set datafile commentschars "#"
set grid lt 1 lc rgb '#e4e4e4' lw 0.7
set border 3 lw 0.8 lc rgb '#404040'
set tics nomirror scale 0.6
set format "%h"         # the default begins with a space, which moves labels off their tics
set key samplen 2.5 spacing 1.15
set errorbars small
set xlabel offset 0, 0.4
set style fill transparent solid 0.2 noborder           # bands

# ---- results ------------------------------------------------------------------------------------
result(run) = out.'/'.experiment.'/'.run.'.tsv'
of_seed(k, run) = (k == 1 ? out : out.'/seed'.k).'/'.experiment.'/'.run.'.tsv'
all_seeds(run) = all_from(1, run)
all_from(k, run) = k > seeds ? '' : ' '.shell(of_seed(k, run)).all_from(k + 1, run)
# "real" or "synthetic", as the comments of a result file say, with "(quick)" behind it if the run
# was one of --quick; "" where there is no such file.
kind(file) = system("sed -n 's/^# data \\([a-z]*\\)[^(]*/\\1/p' ".shell(file)." 2>/dev/null")
has(run) = kind(result(run)) ne ""

# A run over all seeds, to plot: column 1 the epoch, MEAN(q) the mean of a quantity, with the least
# and the greatest behind it. Then one value of it: "mean least greatest", as plots/seeds.awk says.
quantities = "train_loss train_acc val_loss val_acc"
place(list, what) = sum [i = 1:words(list)] (word(list, i) eq what ? i : 0)
mean(q) = 3*place(quantities, q) - 1
over(run) = "< awk -f plots/seeds.awk ".all_seeds(run)
three_of(run, epoch, q) = system(sprintf("awk -v at=%s -v of=%s -f plots/seeds.awk %s", epoch, \
    place(quantities, q) ? sprintf("%d", 1 + place(quantities, q)) : q, all_seeds(run)))
ended(run) = int(system("awk -f plots/seeds.awk ".all_seeds(run)." | tail -n 1 | cut -f 1"))

# Pieces of a plot command, to be joined by commas and done with eval "plot ".
# A curve of a run: its mean, in percent with `times` 100, and with several seeds their range; on
# other axes if `axes` says so.
axes = ''
curve(run, q, times, colour, style, title) = \
    (seeds > 1 ? sprintf("over('%s') using 1:(%g*$%d):(%g*$%d)%s with filledcurves lc rgb %d \
notitle, ", run, times, mean(q) + 1, times, mean(q) + 2, axes, colour) : "").\
    sprintf("over('%s') using 1:(%g*$%d)%s with %s lc rgb %d title \"%s\"", run, times, mean(q), \
            axes, style, colour, title)
# What a report prints of it in its text, at an epoch or at its last (circles, bars where it is a
# range; what is in parentheses, and the abstract, is named beside them).
named = !exists("spanish") ? "" : "sub(/figure/, \"figura\", name); sub(/text/, \"texto\", name); \
sub(/notebook/, \"cuaderno\", name); "
said(run, q, times) = sprintf("< awk -F '\\t' -v OFS='\\t' -v last=%d '$1 == \"%s\" && \
$3 == \"epochs\" { last = $4 } $1 == \"%s\" && $3 == \"%s\" && $2 ~ /^([0-9]+|last)$/ { \
i = match($6, /abstract|\\([^0-9 ][^)]*\\)/); name = i ? substr($6, i, RLENGTH) : \"\"; \
gsub(/[()]/, \"\", name); %sprint $2 == \"last\" ? last : $2, %g*($4 + $5)/2, %g*$4, %g*$5, name }' \
plots/%s_text.tsv", ended(run), run, run, q, named, times, times, times, experiment)
says(run, q) = system(said(run, q, 1)[3:]) ne ""
circles(run, q, times, colour) = !says(run, q) ? "" : sprintf(", said('%s', '%s', %g) using \
1:2:3:4 with yerrorbars lc rgb %d lw 1.2 pt 6 ps 1 notitle, '' using 1:2:5 with labels left \
offset 1, 0 font ',7' tc rgb %d notitle", run, q, times, colour, colour)

# ---- words --------------------------------------------------------------------------------------
# Results that are not those of the real images, or of whole runs, must not pass for them.
in_spanish = exists("spanish")
synthetic = in_spanish ? "datos sintéticos" : "synthetic data"
short     = in_spanish ? "ejecución corta" : "quick run"
remark(kinds) = (strstrt(kinds, "synthetic") ? synthetic : "") \
              .(strstrt(kinds, "synthetic") && strstrt(kinds, "quick") ? ", " : "") \
              .(strstrt(kinds, "quick") ? short : "")
bands = seeds == 1 ? "" : sprintf(in_spanish ? "media y extremos de %d semillas" \
                                             : "mean and range of %d seeds", seeds)
first_of = seeds == 1 ? "" : in_spanish ? "de la primera semilla" : "of the first seed"
marked(title, kinds)      = noted(title, remark(kinds), bands)
of_one_seed(title, kinds) = noted(title, remark(kinds), first_of)       # what has no mean
noted(title, a, b) = "{/:Bold ".title."}" \
                   .(a.b eq "" ? "" : "\n{/=8 ".a.(a ne "" && b ne "" ? "; " : "").b."}")
of_report(kinds) = (in_spanish ? "Informe" : "Report") \
    .(!strstrt(kinds, "synthetic") ? "" : in_spanish ? " (datos reales)" : " (real images)")

# A lighter tone of a colour 0xRRGGBB, for what the reports print.
tone(v) = (v + 255)/2
lighter(rgb) = tone(rgb/65536)*65536 + tone(rgb/256 % 256)*256 + tone(rgb % 256)

# ---- ours beside what is reported: a line for each run -------------------------------------------
# Rows of $dots are label, mean, least, greatest; least and greatest of what is reported, "NaN\tNaN"
# if nothing is. dot() is one, printed() those that a text has. Then eval dots(ours, report, ...)
# draws them from the top, with their numbers at the right, of which those two are the headings.
dot(label, run, epoch, q, times, report) = label."\t".system(sprintf("echo '%s' | \
awk -F '\t' -v OFS='\t' '{ for (i = 1; i <= 3; i++) if ($i != \"NaN\") $i *= %g; print }'", \
    three_of(run, epoch, q), times))."\t".report
printed(run, epoch, q, times) = system(sprintf("awk -F '\\t' 'BEGIN { low = high = \"NaN\" } \
$1 == \"%s\" && $2 == \"%s\" && $3 == \"%s\" { a = %g*$4; b = %g*$5; \
if (!n++ || a < low) low = a; if (n == 1 || b > high) high = b } END { print low \"\\t\" high }' \
plots/%s_text.tsv", run, epoch, q, times, times, experiment))
said_of(low, high, f) = low eq "NaN" ? "" : sprintf(f, real(low)) \
                      .(real(high) > real(low) ? sprintf("–".f, real(high)) : "")
dots(ours, report, left, right, f) = sprintf("set xrange [%g : %g]; \
set yrange [|$dots| - 0.5 : -0.5]; set ytics scale 0; set grid ytics; unset ylabel; unset key; \
set label 1 \"%s\" at graph 1, graph 1 left offset 1, 0.6 tc rgb 0x1f4fd8; \
set label 2 \"%s\" at graph 1, graph 1 left offset 7.5, 0.6 tc rgb 0x8a5a00; \
plot $dots using (($5 + $6)/2):0:5:6 with xerrorbars lc rgb 0xe0a040 lw 1.5 pt 6 ps 1.2, \
'' using 2:0:3:4:ytic(1) with xerrorbars lc rgb 0x1f4fd8 lw 1.2 pt 7 ps 0.7, \
'' using (%g):0:(sprintf(\"%s\", $2)) with labels left offset 1, 0 tc rgb 0x1f4fd8, \
'' using (%g):0:(said_of(strcol(5), strcol(6), \"%s\")) with labels left offset 7.5, 0 \
tc rgb 0x8a5a00; unset label 1; unset label 2", left, right, ours, report, right, f, right, f)
