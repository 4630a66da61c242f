#!/bin/sh
# data.sh DIR SET... - fetches the real data from where they are published, to DIR/SET/
#
# data.txt beside this script lists the files of each set, as sha256sum does. What is there and
# right is not fetched again; a download goes on where it stopped, and is given up only once it was
# complete and wrong. A file gets its name when it is whole, and another file that has the name is
# kept as FILE.kept-1. One script is at work in DIR at a time, others wait for it.
# Sites are tried in their order: each is a folder with the files if it ends in /, or else the file
# itself (of the flags: a .tar.gz of them). Commits are named, so that the files stay what they are.
# Other sites can be given in the environment.

github=https://raw.githubusercontent.com jsdelivr=https://cdn.jsdelivr.net/gh
zalando=https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion
kmnist=c400549d85bbdb21798b8870949ada657a5fca7f
icons=abd3e66ce782446175ed32fd29d6a1212a5d1bc9
flags=862dbe3f01d795099470d33bba222507d16e3013
timm=https://huggingface.co/timm/vgg16.tv_in1k/resolve/b8d8aa2dd860af9233c8c67385a8097fd6c35d3f
zalando_s3=http://fashion-mnist.s3-website.eu-central-1.amazonaws.com
: "${FASHION_SITES=$zalando/ $zalando_s3/}"
: "${KUZUSHIJI_SITES=$github/manurrell/ML_TP3/$kmnist/tp3/ $jsdelivr/manurrell/ML_TP3@$kmnist/tp3/}"
: "${ICONS_SITES=$github/Agudroid/Icon_Classifier/$icons/icons \
https://www.dropbox.com/s/jgjuf2t0enioz1n/iconos_train.pkl?dl=1}"
# Not 997 requests to github, which limits their number per hour, but one.
: "${FLAGS_SITES=https://codeload.github.com/LuisPereraPerez/AA2_practicas/tar.gz/$flags \
$jsdelivr/LuisPereraPerez/AA2_practicas@$flags/Pr%C3%A1ctica-1/Flags/}"
: "${VGG16_SITES=$timm/}"

say() { printf '%s\n' "$@" >&2; }
have() { command -v "$1" > /dev/null 2>&1; }

if have sha256sum; then sha256() { sha256sum; }; else sha256() { shasum -a 256; }; fi
right() { # SUM FILE; or gzip FILE: a whole .gz
    [ -f "$2" ] || return
    case $1 in
    gzip) gzip -t < "$2" 2> /dev/null ;;
    *) [ "$(sha256 < "$2" | cut -d ' ' -f 1)" = "$1" ] ;;
    esac
}
size() { if [ -f "$1" ]; then wc -c < "$1" | tr -d ' '; else echo 0; fi; }

# keep FILE: moves another file of its name out of the way.
keep() {
    i=1
    while [ -e "$1.kept-$i" ] || [ -h "$1.kept-$i" ]; do i=$((i + 1)); done
    mv "$1" "$1.kept-$i" && say "$1 is another file: kept as $1.kept-$i"
}
# place NEW FILE: gives a file that is whole its name.
place() {
    if cmp -s "$1" "$2"; then rm "$1"; return; fi
    if [ -e "$2" ] || [ -h "$2" ]; then keep "$2" || return; fi
    mv "$1" "$2"
}

# lock: waits until no other script is at work here, nor the curl of one that was killed. Without
# flock, and without perl, which has it, too, it does not.
lock() {
    (: >> .lock) 2> /dev/null || return         # a folder that is only read needs no lock
    exec 9>> .lock
    locked now || { say "waiting for another make data in $PWD"; locked ''; }
}
locked() {
    if have flock; then flock ${1:+-n} 9
    elif have perl; then perl -e 'open F, ">>&=9"; exit !flock F, $ARGV[0] ? 6 : 2' "$1"
    fi
}

get() { # URL FILE: on from what is there of it
    say "$1"
    curl -fL"$bar" --retry 2 --retry-max-time 600 --connect-timeout 20 --speed-time 60 -C - \
        -o "$2" "$1"
}

# download SUM FILE: FILE.part, from the first of $sites that has it. What is there of it is not
# touched by a site that refuses, or has another file. So it is cut to what it was when the rest has
# shown that the whole is wrong; then what was there may be, too, and a new one is begun beside it.
download() {
    part=$2.part new=$2.part.new again=
    if [ "$(size "$new")" -gt "$(size "$part")" ]; then mv "$new" "$part"; fi
    right "$1" "$part" && return
    for site in $sites; do
        url "$site" "$2" || continue
        before=$(size "$part")
        get "$url" "$part"
        case $? in
        0)  right "$1" "$part" && return
            say "not the file expected: its sha256 differs" ;;
        22 | 33 | 36) ;;                    # refused, or only from the beginning
        *)  continue ;;
        esac
        again="$again $site"
        if [ "$before" -eq 0 ]; then rm -f "$part"
        else dd if=/dev/null of="$part" bs=1 seek="$before" 2> /dev/null; fi
    done
    [ -f "$part" ] || return
    for site in $again; do
        url "$site" "$2" && rm -f "$new" && get "$url" "$new"
        done=$?
        right "$1" "$new" && mv "$new" "$part" && return
        if [ $done -ne 0 ] && [ "$(size "$new")" -gt "$(size "$part")" ]; then mv "$new" "$part"; fi
        rm -f "$new"
    done
    return 1
}
# url SITE FILE: where the site has it; fails where it does not have single files, but an archive.
url() {
    url=$1 name=${2#*/}
    case $2:$1 in
    flags/photos.tar.gz:*/) false ;;
    flags/photos.tar.gz:*) ;;
    *:*/) url=$1$(echo "${name#originals/}" | sed 's/ /%20/g') ;;
    flags/*) false ;;
    esac
}

# fetch SUM FILE: one file of the list.
fetch() {
    right "$1" "$2" && return
    mkdir -p "${2%/*}"
    if [ -e "$2" ] || [ -h "$2" ]; then keep "$2" || return; fi
    download "$1" "$2" && mv "$2.part" "$2" && return
    say "make data: $2 could be had from none of: $sites" \
        "Try again (it goes on where it stopped), or find the file elsewhere, put it into" \
        "$PWD/${2%/*}/ and run make data once more."
    rmdir -p "${2%/*}" 2> /dev/null         # an empty folder would stand for a damaged set
    return 1
}

# unpacked FILE.gz: whether it has been, to the end; or only what was in it is there.
unpacked() { [ -f "${1%.gz}" ] && { [ ! -f "$1" ] || gzip -dc "$1" | cmp -s - "${1%.gz}"; }; }
unpack()   { gzip -dc "$1" > "${1%.gz}.new" && place "${1%.gz}.new" "${1%.gz}"; }

listed() { grep "  $set/" "$list"; }

files() { # SITES
    sites=$1 bar=\#
    listed | while read -r sum file; do
        case $file in
        *.gz) unpacked "$file" || { fetch "$sum" "$file" && unpack "$file"; } ;;
        *) fetch "$sum" "$file" ;;
        esac || exit 1
    done
}

# ---- flags: photos, and what ImageFolder makes of them: images.npy, labels.npy, classes.txt ------

# The list is in ImageFolder's order: by folder, then by name, as Python sorts them. So are these,
# which are those of its extensions: all but a gif.
photos() { listed | cut -c 67- | grep -iE '\.(jpe?g|png|ppm|bmp|pgm|tiff?|webp)$'; }

# npy SHAPE: the header of an array of bytes, of 128 bytes, 'v' = 118 of them after its length.
npy() {
    printf '\223NUMPY\001\000v\000'
    printf '%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': ($1), }"
}

# archive: the photos of an archive that are right; it has them in */*/Flags. One with links, or
# with names that lead out of its folder, is not unpacked.
archive() {
    tar=flags/photos.tar.gz.part new=flags/photos.new sites=$FLAGS_SITES bar=\#
    mkdir -p flags/originals
    download gzip flags/photos.tar.gz || return
    if tar -tvzf $tar | grep -q '^[^d-]' || tar -tzf $tar | grep -qE '^/|(^|/)\.\.(/|$)'; then
        say 'not the archive expected: it has links, or names that lead out of it'
    else
        rm -rf $new
        mkdir $new && tar -xzof $tar -C $new && listed | while read -r sum file; do
            for photo in $new/*/*/Flags/"${file#flags/originals/}"; do
                [ ! -e "$file" ] && right "$sum" "$photo" && mkdir -p "${file%/*}" &&
                    mv "$photo" "$file"
            done
        done
    fi
    rm -rf $new $tar
}

flags() {
    [ -f flags/images.npy ] || [ -f flags/images.npy.gz ] && [ -f flags/labels.npy ] && return
    if have magick; then convert=magick; else convert=convert; fi # Windows has a convert of its own
    $convert -version 2> /dev/null | grep -q ImageMagick || {
        say 'make data: the flags need ImageMagick, for instance: apt-get install imagemagick'
        return 1
    }
    absent=$(listed | while read -r sum file; do [ -f "$file" ] || echo; done | wc -l)
    [ $((2 * absent)) -le "$(listed | wc -l)" ] || archive
    sites=$FLAGS_SITES bar=sS
    listed | while read -r sum file; do fetch "$sum" "$file" || exit 1; done || return

    n=$(photos | wc -l | tr -d ' ')
    say "flags: $n photos become images of 128x128, a minute or two"
    photos | cut -d / -f 3 | uniq > flags/classes.new
    {
        npy "$n,"
        printf '%b' "$(photos |
            awk -F / '$3 != class { class = $3; k++ } { printf "\\0%03o", k - 1 }')"
    } > flags/labels.new
    {
        npy "$n, 128, 128, 3"
        photos | while read -r file; do
            $convert -quiet "$file[0]" -alpha off -filter Triangle -resize '128x128!' -depth 8 \
                rgb:- < /dev/null || say "$file: ImageMagick had trouble with it"
        done
    } > flags/images.new
    [ "$(wc -c < flags/images.new)" -eq $((128 + n * 128 * 128 * 3)) ] || {
        say "make data: not all photos in $PWD/flags/originals could be converted"
        return 1
    }
    place flags/classes.new flags/classes.txt && place flags/labels.new flags/labels.npy &&
        place flags/images.new flags/images.npy
}

# --------------------------------------------------------------------------------------------------
have curl || { say 'make data needs curl, for instance: apt-get install curl'; exit 1; }
have sha256sum || have shasum || { say 'make data needs sha256sum or shasum'; exit 1; }
list=$(cd "$(dirname "$0")" && pwd)/data.txt
mkdir -p "$1" && cd "$1" || exit 1
shift
lock
status=0
for set; do
    case $set in
    fashion-mnist) files "$FASHION_SITES" ;;
    kuzushiji)     files "$KUZUSHIJI_SITES" ;;
    icons)         files "$ICONS_SITES" ;;
    flags)         flags ;;
    vgg16)         files "$VGG16_SITES" ;;
    *)             say "data.sh: there is no set $set"; false ;;
    esac || status=1
done
exit $status
