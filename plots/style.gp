# What the figures share. Variables that the caller may set with -e:
#   out  the folder of the result files (build/results)     dir  where figures go (build/plots)
# and a script, before it loads this: spanish, if its figures are.
if (!exists("out")) out = 'build/results'
if (!exists("dir")) dir = 'build/plots'
# A name that begins with <, | or - would be a command or standard input.
if (out[1:1] ne '/') out = './'.out
if (dir[1:1] ne '/') dir = './'.dir

# A file name as one word for the shell: within '...', where a ' is written '\''.
shell(name) = "'".escaped(name)."'"
escaped(s)  = escaped_at(s, strstrt(s, "'"))
escaped_at(s, i) = i ? s[1 : i - 1]."'\\''".escaped(s[i + 1 :]) : s
system("mkdir -p ".shell(dir))

terminal = strstrt(GPVAL_TERMINALS, "pngcairo") ? "pngcairo" : "png"
canvas(width, height) = sprintf("set terminal %s size %d,%d font 'DejaVu Sans,15'", \
                                terminal, width, height)
set encoding utf8
set datafile separator "\t"
set datafile commentschars "#"
set grid lt 1 lc rgb '#e4e4e4' lw 1
set border 3 lw 1.5 lc rgb '#404040'
set tics nomirror
set format "%h"         # the default begins with a space, which moves labels off their tics
set key samplen 2.5 spacing 1.15

# "real" or "synthetic", as the comments of a result file say, with "(quick)" behind it if the run
# was one of --quick; "" where there is no such file.
kind(file) = system("sed -n 's/^# data \\([a-z]*\\)[^(]*/\\1/p' ".shell(file)." 2>/dev/null")
# Results that are not those of the real images, or of whole runs, must not pass for them.
synthetic = exists("spanish") ? "datos sintéticos" : "synthetic data"
short     = exists("spanish") ? "ejecución corta" : "quick run"
remark(kinds) = (strstrt(kinds, "synthetic") ? synthetic : "") \
              .(strstrt(kinds, "synthetic") && strstrt(kinds, "quick") ? ", " : "") \
              .(strstrt(kinds, "quick") ? short : "")
marked(title, kinds) = title.(remark(kinds) eq "" ? "" : "\n{/:Bold ".remark(kinds)."}")

# A lighter tone of a colour 0xRRGGBB, for what the reports print.
tone(v) = (v + 255) / 2
lighter(rgb) = tone(rgb / 65536) * 65536 + tone(rgb / 256 % 256) * 256 + tone(rgb % 256)
