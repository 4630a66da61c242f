#!/bin/sh
# data.sh [all] - what experiments/data.sh does when all is well with the sites of the data, and when
# not
#
# With sites made up here, of file:// URLs, for a copy of the script beside a list of its own. Where
# ImageMagick and the real photos are at hand, also what becomes of these. Run from the top folder.

about=data
. tests/check.sh
have curl || { skip "everything" "needs curl"; total; exit; }
if have sha256sum; then sha256='sha256sum'; else sha256='shasum -a 256'; fi
top=$PWD

# data NAME SET: the script's run on $dir/NAME/data, with what it says in $dir/NAME/said; sites are
# $dir/NAME/a, b and c, and the variables SITES the same for all sets.
data() {
    here=$dir/$1
    cp experiments/data.sh "$here/data.sh"
    FASHION_SITES=$SITES ICONS_SITES=$SITES KUZUSHIJI_SITES=$SITES FLAGS_SITES=$SITES \
        sh "$here/data.sh" "$here/data" "$2" > "$here/said" 2>&1
}
said()   { grep -e "$1" "$here/said" > /dev/null || { cat "$here/said"; return 1; }; }
unsaid() { ! grep -e "$1" "$here/said"; }
site()   { echo "file://$top/$dir/$1" | sed 's/ /%20/g'; }

# begin NAME: folders of a test, in which a/one.npy is on the list for the set kuzushiji.
begin() {
    here=$dir/$1
    mkdir -p "$here/a" "$here/b" "$here/data/kuzushiji"
    echo "the right file: $1" > "$here/a/one.npy"
    $sha256 "$here/a/one.npy" | sed 's| .*|  kuzushiji/one.npy|' > "$here/data.txt"
    got=$here/data/kuzushiji/one.npy
}

fresh() {
    begin fresh && rmdir "$here/data/kuzushiji" "$here/data"
    SITES="$(site fresh/a)/" data fresh kuzushiji && cmp "$here/a/one.npy" "$got" &&
        [ ! -e "$got.part" ] || return 1
    SITES="$(site fresh/gone)/" data fresh kuzushiji && [ ! -s "$here/said" ]
}
gone() {
    begin gone
    SITES="$(site gone/none)/ $(site gone/b)/ $(site gone/a)/" data gone kuzushiji &&
        cmp "$here/a/one.npy" "$got"
}
all_gone() {
    begin all_gone
    ! SITES="$(site all_gone/none)/ $(site all_gone/b)/" data all_gone kuzushiji &&
        said 'kuzushiji/one.npy could be had from none of: file:.*/none/ file:.*/b/' &&
        said 'find the file elsewhere' && [ ! -e "$here/data/kuzushiji" ]
}
wrong() {
    begin wrong
    echo "another file" > "$here/b/one.npy"
    SITES="$(site wrong/b)/ $(site wrong/a)/" data wrong kuzushiji &&
        cmp "$here/a/one.npy" "$got" && said 'its sha256 differs' || return 1
    rm "$got"
    ! SITES="$(site wrong/b)/" data wrong kuzushiji && [ ! -e "$got" ] && [ ! -e "$got.part" ]
}
# b has only the second half right: whoever gets the file from there has kept the first
interrupted() {
    begin interrupted
    head -c 9 "$here/a/one.npy" > "$got.part"
    { head -c 9 /dev/zero; tail -c +10 "$here/a/one.npy"; } > "$here/b/one.npy"
    SITES="$(site interrupted/b)/" data interrupted kuzushiji && cmp "$here/a/one.npy" "$got"
}
too_long() {
    begin too_long
    cat "$here/a/one.npy" "$here/a/one.npy" > "$got.part"
    SITES="$(site too_long/a)/" data too_long kuzushiji && cmp "$here/a/one.npy" "$got"
}
by_hand() {
    begin by_hand
    cp "$here/a/one.npy" "$got"
    SITES="$(site by_hand/none)/" data by_hand kuzushiji && [ ! -s "$here/said" ] || return 1
    echo damaged > "$got"
    SITES="$(site by_hand/a)/" data by_hand kuzushiji && cmp "$here/a/one.npy" "$got"
}
other_name() { # a site that is the file itself
    begin other_name
    mv "$here/a/one.npy" "$here/a/icons"
    SITES="$(site other_name/a/none) $(site other_name/a/icons)" data other_name kuzushiji &&
        cmp "$here/a/icons" "$got"
}
zipped() {
    begin zipped
    gzip -c "$here/a/one.npy" > "$here/a/one.gz"
    $sha256 "$here/a/one.gz" | sed 's| .*|  fashion-mnist/one.gz|' > "$here/data.txt"
    SITES="$(site zipped/a)/" data zipped fashion-mnist &&
        cmp "$here/a/one.npy" "$here/data/fashion-mnist/one" || return 1
    rm "$here/data/fashion-mnist/one.gz"
    SITES="$(site zipped/none)/" data zipped fashion-mnist
}
another() { # file of that name, the user's own
    begin another
    echo "my own" > "$got"
    SITES="$(site another/a)/" data another kuzushiji && cmp "$here/a/one.npy" "$got" &&
        [ "$(cat "$got.kept-1")" = "my own" ] && said 'kept as .*one.npy.kept-1'
}
# A site with another file does not spoil what is there of the right one.
spoilt() {
    begin spoilt
    head -c 9 "$here/a/one.npy" > "$got.part"
    tr a-z A-Z < "$here/a/one.npy" > "$here/b/one.npy"
    ! SITES="$(site spoilt/b)/" data spoilt kuzushiji &&
        [ "$(cat "$got.part")" = "$(head -c 9 "$here/a/one.npy")" ] || return 1
    SITES="$(site spoilt/b)/ $(site spoilt/a)/" data spoilt kuzushiji &&
        cmp "$here/a/one.npy" "$got"
}
half() { # unpacked, when gzip and the script are killed
    begin half
    gzip -c "$here/a/one.npy" > "$here/a/one.gz"
    $sha256 "$here/a/one.gz" | sed 's| .*|  fashion-mnist/one.gz|' > "$here/data.txt"
    mkdir "$here/bin"
    cat > "$here/bin/gzip" << 'END'
#!/bin/sh
for file; do :; done
PATH=${PATH#*:}
case $1 in
-dkf) gzip -dc "$file" | head -c 9 > "${file%.gz}" ;;
*) gzip -dc "$file" | head -c 9 ;;
esac
kill -9 $PPID
END
    chmod +x "$here/bin/gzip"
    ! PATH=$PWD/$here/bin:$PATH SITES="$(site half/a)/" data half fashion-mnist &&
        SITES="$(site half/none)/" data half fashion-mnist &&
        cmp "$here/a/one.npy" "$here/data/fashion-mnist/one" || return 1
    head -c 9 "$here/a/one.npy" > "$here/data/fashion-mnist/one"
    SITES="$(site half/none)/" data half fashion-mnist &&
        cmp "$here/a/one.npy" "$here/data/fashion-mnist/one"
}
# A script that is killed while its curl goes on, then two more: the file is fetched once.
together() {
    begin together
    have flock || have perl || { echo "needs flock or perl"; return 77; }
    mkdir "$here/bin"
    cat > "$here/bin/curl" << END
#!/bin/sh
PATH=\${PATH#*:}
echo >> '$PWD/$here/fetched'
sleep 0.4
exec curl "\$@"
END
    chmod +x "$here/bin/curl"
    cp experiments/data.sh "$here/data.sh"
    (
        PATH=$PWD/$here/bin:$PATH KUZUSHIJI_SITES="$(site together/a)/"
        export PATH KUZUSHIJI_SITES
        sh "$here/data.sh" "$here/data" kuzushiji &
        until [ -f "$here/fetched" ] || ! kill -0 $!; do sleep 0.02; done
        kill -9 $!
        sh "$here/data.sh" "$here/data" kuzushiji &
        sh "$here/data.sh" "$here/data" kuzushiji && wait $!
    ) > "$here/said" 2>&1 || { cat "$here/said"; return 1; }
    said 'waiting for another' && cmp "$here/a/one.npy" "$got" &&
        [ "$(wc -l < "$here/fetched")" -eq 1 ]
}
no_such_set() {
    begin no_such_set
    ! data no_such_set kanji && said 'no set kanji'
}

check "a file, once" fresh
check "several at once, and one killed" together
check "a site that is gone" gone
check "all sites gone" all_gone
check "a wrong file" wrong
check "an interrupted download" interrupted
check "one longer than the file" too_long
check "put there by hand" by_hand
check "a site with another name for it" other_name
check "a file to be unpacked" zipped
check "no such set" no_such_set
check "another file of that name" another
check "a site with another file" spoilt
check "killed while unpacking" half

# ---- sites that refuse, answer with a page, or break off -----------------------------------------
# A server of this machine: /403/, /429/ and /page/ have no files; /half/ breaks off after half of
# what is asked for, but with the last 9 bytes; all but /all/ go on where they are asked to.
server() {
    cat > "$dir/server.py" << 'END'
import http.server, os, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = 'HTTP/1.0'
    def log_message(self, *words): pass
    def do_GET(self):
        kind, path = self.path[1:].split('/', 1)
        if kind in ('403', '429'): return self.send_error(int(kind))
        body, start, status = b'<html>come back later</html>', 0, 200
        if kind != 'page':
            path = os.path.join(sys.argv[1], path)
            if not os.path.exists(path): return self.send_error(404)
            body = open(path, 'rb').read()
            wanted = self.headers.get('Range')
            if wanted and kind != 'all': start, status = int(wanted[6:].split('-')[0]), 206
        if start >= len(body): return self.send_error(416)
        self.send_response(status)
        self.send_header('Content-Length', str(len(body) - start))
        if status == 206:
            self.send_header('Content-Range', 'bytes %d-%d/%d' % (start, len(body) - 1, len(body)))
        self.end_headers()
        half = kind == 'half' and len(body) - start > 9
        self.wfile.write(body[start : (start + len(body)) // 2 if half else None])
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
with open(sys.argv[2] + '.new', 'w') as f: f.write(str(server.server_port))
os.rename(sys.argv[2] + '.new', sys.argv[2])
server.serve_forever()
END
    python3 "$dir/server.py" "$dir" "$dir/port" > "$dir/server.log" 2>&1 &
    server=$!
    until [ -f "$dir/port" ] || ! kill -0 $server; do sleep 0.2; done
    http=http://127.0.0.1:$(cat "$dir/port")
}
refused() { # whatever they answer, what is there of the file stays, and is enough
    begin refused
    head -c 20 "$here/a/one.npy" > "$got.part"
    ! SITES="$http/403/ $http/page/ $http/all/none/ $http/429/" data refused kuzushiji &&
        [ "$(cat "$got.part")" = "$(head -c 20 "$here/a/one.npy")" ] || return 1
    { head -c 20 /dev/zero; tail -c +21 "$here/a/one.npy"; } > "$here/b/one.npy"
    SITES="$http/403/ $http/page/ $http/from/refused/b/" data refused kuzushiji &&
        cmp "$here/a/one.npy" "$got" && [ "$(ls "$here/data/kuzushiji")" = one.npy ]
}
broken_off() { # again and again
    begin broken_off
    for i in 1 2 3 4 5 6 7 8 9; do
        SITES="$http/half/broken_off/a/" data broken_off kuzushiji && break
        [ "$(size "$got.part")" -gt "${last:-0}" ] || return 1
        last=$(size "$got.part")
    done
    cmp "$here/a/one.npy" "$got"
}
size() { wc -c < "$1"; }
from_the_beginning() { # only, but it does have the file
    begin from_the_beginning
    head -c 20 "$here/a/one.npy" > "$got.part"
    SITES="$http/all/from_the_beginning/a/" data from_the_beginning kuzushiji &&
        cmp "$here/a/one.npy" "$got" && [ "$(ls "$here/data/kuzushiji")" = one.npy ]
}
if [ "$1" = all ] && have python3; then
    server
    check "sites that refuse" refused
    check "a site that breaks off" broken_off
    check "a site that does not go on" from_the_beginning
    finish
    kill $server
else
    skip "sites that refuse" "needs python3, and the argument all"
fi

# ---- flags ---------------------------------------------------------------------------------------
# Photos of one colour each, and the array that they make: 'a' to 'd' are grey levels.

imagemagick() {
    { magick -version || convert -version; } 2> /dev/null | grep -q ImageMagick ||
        { echo "needs ImageMagick"; return 77; }
}
photo() { mkdir -p "${1%/*}"; { printf 'P6 3 2 255\n'; level "$2" 6; } > "$1"; }
level() { head -c $(($2 * 3)) /dev/zero | tr '\000' "$1"; }

flags() { # NAME: its site x/y/Flags and its list
    imagemagick || return
    here=$dir/$1 photos=$dir/$1/x/y/Flags
    photo "$photos/Los Dos/B.ppm" a
    photo "$photos/Los Dos/a (1).ppm" b
    photo "$photos/One/10.PPM" c
    echo "not a photo" > "$photos/One/11.gif"
    photo "$photos/One/2.ppm" d
    (cd "$photos" && $sha256 */* | sed 's|^\(.\{66\}\)|\1flags/originals/|' |
        LC_ALL=C sort -k 2) > "$here/data.txt"
    got=$here/data/flags
}
converted() {
    for c in a b c d; do level $c $((128 * 128)); done > "$here/pixels"
    tail -c +129 "$got/images.npy" | cmp - "$here/pixels" &&
        head -c 128 "$got/images.npy" | grep -a "'|u1'.*False.*(4, 128, 128, 3), }  *$" &&
        [ "$(head -c 10 "$got/images.npy" | od -An -tx1 | tr -d ' \n')" = 934e554d505901007600 ] &&
        head -c 128 "$got/labels.npy" | grep -a "'|u1'.*False.*(4,), }  *$" &&
        [ "$(tail -c +129 "$got/labels.npy" | od -An -tx1 | tr -d ' \n')" = 00000101 ] &&
        [ "$(cat "$got/classes.txt")" = "$(printf 'Los Dos\nOne')" ]
}
singly() {
    flags singly || return
    SITES="$(site singly/x/y/Flags)/" data singly flags && converted || return 1
    SITES="$(site singly/none)/" data singly flags && [ ! -s "$here/said" ]
}
archive() { # in which a photo is missing and another damaged
    flags archive || return
    cp -R "$here/x" "$here/z"
    rm "$here/z/y/Flags/Los Dos/a (1).ppm"
    echo damaged > "$here/z/y/Flags/One/2.ppm"
    tar -czf "$here/archive.tar.gz" -C "$here" z
    echo damaged > "$here/b.tar.gz"
    SITES="$(site archive/b.tar.gz) $(site archive/archive.tar.gz) $(site archive/x/y/Flags)/" \
        data archive flags && converted && said 'Flags/Los%20Dos/a%20(1).ppm' &&
        unsaid 'Flags/One/10' && [ "$(ls "$got" | wc -l)" -eq 4 ]
}
hostile() { # an archive with a link, and a file that would go through it
    flags hostile || return
    mkdir -p "$here/outside" "$here/z/y/Flags"
    ln -s "$PWD/$here/outside" "$here/z/y/Flags/One"
    tar -cf "$here/archive.tar" -C "$here" z
    rm "$here/z/y/Flags/One"
    cp -R "$here/x/y/Flags/One" "$here/z/y/Flags/One"
    tar -rf "$here/archive.tar" -C "$here" z/y/Flags/One/2.ppm
    gzip "$here/archive.tar"
    SITES="$(site hostile/archive.tar.gz) $(site hostile/x/y/Flags)/" data hostile flags &&
        converted && said 'it has links' && [ -z "$(ls "$here/outside")" ] &&
        [ ! -h "$got/originals/One" ]
}
unlisted() { # what an archive has beside the photos stays there
    flags unlisted || return
    echo more > "$here/x/y/Flags/One/more.sh"
    tar -czf "$here/archive.tar.gz" -C "$here" x
    SITES=$(site unlisted/archive.tar.gz) data unlisted flags && converted &&
        [ ! -e "$got/originals/One/more.sh" ]
}
incomplete() {
    flags incomplete || return
    mkdir "$here/a"
    cp -R "$photos/." "$here/a"
    rm "$here/a/One/2.ppm"
    ! SITES="$(site incomplete/a)/" data incomplete flags && [ ! -e "$got/images.npy" ] &&
        said 'One/2.ppm could be had from none of' || return 1
    SITES="$(site incomplete/x/y/Flags)/" data incomplete flags && converted &&
        unsaid 'Flags/Los'
}
unreadable() {
    flags unreadable || return
    echo "not a photo" > "$photos/One/10.PPM"
    (cd "$photos" && $sha256 One/10.PPM) | sed 's|^\(.\{66\}\)|\1flags/originals/|' |
        sed 's|/|\\/|g; s|.*|/10.PPM/s/.*/&/|' > "$here/edit"
    sed -f "$here/edit" "$here/data.txt" > "$here/list" && mv "$here/list" "$here/data.txt"
    ! SITES="$(site unreadable/x/y/Flags)/" data unreadable flags && said '10.PPM: ImageMagick' &&
        said 'not all photos' && [ ! -e "$got/images.npy" ]
}
check "photos one by one" singly
check "photos from an archive" archive
check "photos that are not all there" incomplete
check "an archive with links" hostile
[ "$1" != all ] || check "an archive with more in it" unlisted
check "a photo that cannot be read" unreadable

# The real ones at hand, each compared with its place in the array given: the list's order.
real() {
    imagemagick || return
    given=${TINYNN_DATA:-data}/flags here=$dir/real
    [ -d "$given/originals" ] && [ -f "$given/images.npy.gz" ] ||
        { echo "needs flags/originals and flags/images.npy.gz in TINYNN_DATA"; return 77; }
    mkdir -p "$here/data/flags"
    cp -R "$given/originals" "$here/data/flags/"
    grep '  flags/' experiments/data.txt | while read -r sum file; do
        [ ! -f "$here/data/$file" ] || echo "$sum  $file"
    done > "$here/data.txt"
    SITES='' data real flags || { cat "$here/said"; return 1; }
    cmp "$given/classes.txt" "$here/data/flags/classes.txt" || return 1
    gzip -dc "$given/images.npy.gz" > "$here/given"
    grep '  flags/' experiments/data.txt | cut -c 67- | grep -v 'gif$' > "$here/all"
    cut -c 67- "$here/data.txt" | grep -v 'gif$' | while read -r file; do
        i=$(grep -nxF "$file" "$here/all" | cut -d : -f 1)
        dd if="$here/given" bs=128 skip=$(((i - 1) * 384 + 1)) count=384 2> /dev/null
    done > "$here/wanted"
    tail -c +129 "$here/data/flags/images.npy" > "$here/pixels"
    [ "$(wc -c < "$here/wanted")" -eq "$(wc -c < "$here/pixels")" ] || return 1
    cmp -l "$here/wanted" "$here/pixels" | awk '
        function value(octal) {
            return int(octal / 100) * 64 + int(octal % 100 / 10) * 8 + octal % 10
        }
        { d = value($2) - value($3); if (d < 0) d = -d; if (d > most) most = d }
        END { print "differ by up to " most + 0 " grey levels"; exit most > 2 }'
}
check "the real photos at hand" real
total
