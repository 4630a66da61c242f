# seeds.awk - one run, of one seed or more: awk -f seeds.awk FILE ..., its result file of each seed.
# Those that are not there do not count, nor does what is not a number.
#
#   alone                      a row per epoch: the epoch, and of each of the columns 2 to 5 of the
#                              files the mean, the least and the greatest
#   -v at=EPOCH -v of=COLUMN   one row, those three: of a column (a number) at an epoch, "last", or
#                              "best" (the greatest), or "average" of all; or of the comment that
#                              a COLUMN such as test_acc names, at any EPOCH
function include(row, column, v)
{
    if (v ~ /n/) return         # nan, inf
    if (!n[row, column]++) least[row, column] = most[row, column] = v
    sum[row, column] += v
    if (v < least[row, column]) least[row, column] = v
    if (v > most[row, column]) most[row, column] = v
}
function three(row, column)
{
    return n[row, column] ? sprintf("\t%.6f\t%.6f\t%.6f", sum[row, column]/n[row, column],
                                    least[row, column], most[row, column]) : "\tNaN\tNaN\tNaN"
}
BEGIN {
    for (i = 1; i < ARGC; i++) {
        found = seen = 0
        while ((getline line < ARGV[i]) > 0) {
            k = split(line, field, line ~ /^#/ ? " " : "\t")
            if (at && field[1] == "#" && field[2] == of) { found = 1; value = field[3] }
            if (field[1] !~ /^[0-9]+$/ || k < 5) continue
            epoch = field[1] + 0
            if (epoch > last) last = epoch
            if (!at) {
                for (c = 2; c <= 5; c++) include(epoch, c, field[c])
                continue
            }
            if (of !~ /^[0-9]+$/ || (at + 0 && at != epoch)) continue
            v = field[of]
            if (at == "average") { seen++; total = seen == 1 ? v : total + v; v = total/seen }
            if (!found || at != "best" || v > value) value = v
            found = 1
        }
        if (at && found) include("all", "value", value)
    }
    if (at) print substr(three("all", "value"), 2)
    else for (e = 1; e <= last; e++) {
        line = e
        for (c = 2; c <= 5; c++) line = line three(e, c)
        print line
    }
}
