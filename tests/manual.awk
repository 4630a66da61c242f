# manual.awk - the manual, made of the comments in tinynn.h: its opening and section 1
#
#     awk -v form=man  -f tests/manual.awk tinynn.h > build/tinynn.3
#     awk -v form=html -f tests/manual.awk tinynn.h > build/tinynn.html
#
# Comments that begin in the first column are text, all else of section 1 is code. Text is filled
# but where its lines are indented or have columns: these stay as they are. A name has its anchor
# where it is declared, and elsewhere is a link to it.

# What section 1 has for the compiler alone is left out.
/^\/\* TNN_API stands/, /^#define TNN_API extern/ { next }
/^#define TNN__HERE/ { skipped = 1 }
/^#define tnn_create/ { skipped = 0 }
skipped { next }
/^#ifdef __cplusplus/, /^#endif/ { next }
/^#if defined\(TINYNN_NO_FILES\) && !/, /^#endif/ { next }
/^#define TNN__VERSION|^#(ifndef|define) TINYNN_H$/ { next }
/^\/\* Each of these notes the line/ { exit }
{
    line[++lines] = $0
    if ($0 ~ /^#define TNN_VERSION_/) version = version (version == "" ? "" : ".") $3
}

END {
    for (i = 1; i <= lines; i++) find(i)
    begin()
    for (i = 1; i <= lines; i++) {
        if (line[i] ~ /^\/\* ==== /) continue
        if (line[i] ~ /^\/\*/) comment()
        else code[++codes] = i
    }
    flush_code()
    finish()
}

# ---- names ---------------------------------------------------------------------------------------
# What line i declares, into where[name]; commented and in_enum go on from line to line.
function find(i,    s) {
    s = line[i]
    if (s ~ /^(typedef )?enum/) in_enum = 1
    if (s ~ /^TNN_API /) declare(last_call(s), i)
    else if (s ~ /^typedef (struct|enum) tnn_/) { split(s, part, " "); declare(part[3], i) }
    else if (s ~ /^typedef .*\(/) declare(last_call(s), i)
    else if (s ~ /^#define (tnn|TNN)_[A-Za-z]/) {
        match(s, /(tnn|TNN)_[A-Za-z0-9_]+/)
        declare(substr(s, RSTART, RLENGTH), i)
    }
    if (commented && !sub(/^.*\*\//, "", s)) return
    commented = 0
    gsub(/\/\*([^*]|\*[^\/])*\*\//, "", s)
    if (sub(/\/\*.*$/, "", s)) commented = 1
    if (!in_enum) return
    if (s ~ /}/) in_enum = 0
    while (match(s, /TNN_[A-Z0-9_]+/)) {
        declare(substr(s, RSTART, RLENGTH), i)
        s = substr(s, RSTART + RLENGTH)
    }
}
function declare(name, i) {
    if (name == "" || name in where) return
    where[name] = i
    if (name ~ /^tnn_/) index_of[++names] = name
}
# The last name in s that is followed by a parenthesis; "" if there is none.
function last_call(s,    name) {
    while (match(s, /tnn_[a-z0-9_]+\(/)) {
        name = substr(s, RSTART, RLENGTH - 1)
        s = substr(s, RSTART + RLENGTH)
    }
    return name
}

# ---- what there is: headings, text and code ------------------------------------------------------
# The comment that begins in line i; i is its last line then.
function comment(    s, title) {
    flush_code()
    for (; i <= lines; i++) {
        s = line[i]
        last = s ~ /\*\/ *$/
        sub(/ *\*\/ *$/, "", s)
        if (s ~ /^\/\* ---- 1/) {
            flush_text()
            sub(/^\/\* ---- /, "", s)
            sub(/ *-*$/, "", s)
            heading(s)
        } else if (s ~ /^\/\* tinynn\.h - /) heading("Description")
        else {
            sub(/^(\/\*|  ) ?/, "", s)
            if (match(s, /^[A-Z][A-Z ]+[A-Z]  /) && !opened) {
                title = substr(s, 1, RLENGTH - 2)
                s = substr(s, RLENGTH + 1)
                flush_text()
                heading(substr(title, 1, 1) tolower(substr(title, 2)))
            }
            text[++texts] = s
            of_line[texts] = i
        }
        if (last) break
    }
    opened = 1
    flush_text()
}
# Text so far: lines with columns, or indented, are shown as they are, and so is a line between two.
# A sentence that ends before the line is full ends a paragraph.
function flush_text(    k, n, state) {
    for (k = 1; k <= texts; k++) as_is[k] = text[k] ~ /^ |[^.!?:] [ ]+[^ ]/
    for (k = 2; k < texts; k++)
        if (!as_is[k] && as_is[k - 1] && as_is[k + 1] && text[k] != "") as_is[k] = 1
    for (k = 1; k <= texts; k++) {
        if (text[k] == "") {
            n = as_is[k + 1] && k < texts && state == 2 ? 2 : 0
            if (n == 2) { put("", 0); continue }
        } else n = as_is[k] ? 2 : 1
        if (n != state) { if (state) close_block(state); if (n) open_block(n) }
        state = n
        if (n) put(text[k], of_line[k])
        if (n == 1 && text[k] ~ /[.:)]$/ && k < texts) {
            split(text[k + 1], part, " ")
            if (length(text[k]) + 1 + length(part[1]) <= 97) { close_block(1); state = 0 }
        }
    }
    if (state) close_block(state)
    texts = 0
}
function flush_code(    k, first, s) {
    for (first = 1; first <= codes && line[code[first]] == ""; first++);
    while (codes && line[code[codes]] == "") codes--
    if (first > codes) { codes = 0; return }
    open_block(3)
    for (k = first; k <= codes; k++) put(line[code[k]], code[k])
    close_block(3)
    codes = 0
}

# ---- how it is written ---------------------------------------------------------------------------
function begin() {
    if (form == "man") {
        printf ".\\\" made from tinynn.h by tests/manual.awk\n"
        printf ".TH TINYNN 3 \"\" \"tinynn %s\" \"Library Functions\"\n", version
        printf ".SH NAME\ntinynn \\- neural networks in C, in one header\n"
        return
    }
    print "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    print "<meta name=\"viewport\" content=\"width=device-width\">"
    print "<title>tinynn.h " version "</title>\n<style>"
    print "body { font: 16px/1.5 sans-serif; max-width: 58em; margin: 2em auto; padding: 0 1em }"
    print "pre { font: 13px/1.4 monospace; overflow-x: auto; margin: .6em 0 }"
    print "pre.code { background: #f4f4f4; padding: .6em .8em }"
    print "a { color: #0550ae; text-decoration: none } a:hover { text-decoration: underline }"
    print "h2 { border-top: 1px solid #ccc; padding-top: .6em } ul { columns: 15em; padding: 0 }"
    print "li { list-style: none } b:target { background: #fe8 }"
    print "@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd }"
    print "pre.code { background: #242424 } a { color: #7ab7ff } b:target { background: #650 } }"
    print "</style></head><body>\n<h1>tinynn.h " version "</h1>\n<ul>"
    headings(1)
    print "<li><a href=\"#index\">Index</a></li>\n</ul>"
}
# The contents, before what they list: the headings are looked for where comment() finds them.
function headings(    k, s, out) {
    for (k = 1; k <= lines; k++) {
        s = line[k]
        if (s ~ /\*\/ *$/) out = 1
        if (s ~ /^\/\* tinynn\.h - /) item("Description")
        else if (s ~ /^\/\* ---- 1/) {
            sub(/^\/\* ---- /, "", s)
            sub(/ *-*( *\*\/)?$/, "", s)
            item(s)
        } else if (!out && match(s, /^   [A-Z][A-Z ]+[A-Z]  /)) {
            s = substr(s, 4, RLENGTH - 5)
            item(substr(s, 1, 1) tolower(substr(s, 2)))
        }
    }
}
function item(s) { print "<li><a href=\"#" slug(s) "\">" html(s) "</a></li>" }
function slug(s) {
    s = tolower(s)
    gsub(/[^a-z0-9]+/, "-", s)
    return s
}
function heading(s) {
    if (form == "man") printf ".SH \"%s\"\n", roff(toupper(s))
    else print "<h2 id=\"" slug(s) "\">" html(s) "</h2>"
    headed = 1
}
function open_block(kind) { # 1 text, 2 text as it is, 3 code
    if (form == "man") printf "%s%s", headed ? "" : ".PP\n", kind == 1 ? "" : ".nf\n"
    else printf "%s", kind == 1 ? "<p>" : kind == 2 ? "<pre>" : "<pre class=\"code\">"
    headed = 0
}
function close_block(kind) {
    if (form == "man") { if (kind > 1) print ".fi" }
    else print kind == 1 ? "</p>" : "</pre>"
}
function put(s, at) {
    if (s ~ /^[^ ]/) shifted = sub(/^TNN_API /, "", s)
    else if (shifted) sub(/^        /, "", s)
    if (form == "man") { s = roff(s); print s == "" ? "\\&" : s }
    else print linked(s, at)
}
function roff(s) {
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    if (s ~ /^[.']/) s = "\\&" s
    return s
}
function html(s) {
    gsub(/&/, "\\&amp;", s)
    gsub(/</, "\\&lt;", s)
    gsub(/>/, "\\&gt;", s)
    return s
}
# Line `at` with its names as anchors and links.
function linked(s, at,    out, name) {
    while (match(s, /[A-Za-z_][A-Za-z0-9_]*/)) {
        name = substr(s, RSTART, RLENGTH)
        out = out html(substr(s, 1, RSTART - 1))
        s = substr(s, RSTART + RLENGTH)
        if (!(name in where)) out = out name
        else if (where[name] == at && !(name in anchored)) {
            anchored[name] = 1
            out = out "<b id=\"" name "\">" name "</b>"
        } else out = out "<a href=\"#" name "\">" name "</a>"
    }
    return out html(s)
}
function finish(    k, n, name) {
    if (form == "man") return
    print "<h2 id=\"index\">Index</h2>\n<ul>"
    for (k = 2; k <= names; k++) # by insertion
        for (n = k; n > 1 && index_of[n] < index_of[n - 1]; n--) {
            name = index_of[n]; index_of[n] = index_of[n - 1]; index_of[n - 1] = name
        }
    for (k = 1; k <= names; k++) print "<li><a href=\"#" index_of[k] "\">" index_of[k] "</a></li>"
    print "</ul>\n</body></html>"
}
