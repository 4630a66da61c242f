#!/bin/sh
# packages.sh [all] - the snippets of README.md, taken from there: blocks that begin with
# ```LANGUAGE NAME, and commands that are indented
#
# The C programs compile without warnings, run, and say what README says that they do; PyTorch, if
# it is there, gives the same answer. With `all` each way to build, as its user types it: make,
# CMake, Meson, zig cc, pkg-config, a vcpkg port, shared libraries of Linux and Windows (under
# wine). All of them train to the same bytes. Tools that are missing are skipped. Needs
# build/tinynn.o, which make builds.

about=packages
. tests/check.sh
top=$PWD home=$PWD/$dir
unset MAKEFLAGS TINYNN_THREADS TINYNN_ISA TINYNN_DATA
cc=${CC:-cc}
mkdir -p "$dir/readme/ports/tinynn" "$dir/readme/tinynn"
if [ "$cc" != cc ]; then                # what README calls cc
    mkdir "$dir/bin" && printf '#!/bin/sh\nexec %s "$@"\n' "$cc" > "$dir/bin/cc"
    chmod +x "$dir/bin/cc"
    PATH=$home/bin:$PATH
    export PATH
fi

awk -v to="$dir/readme/" '
    /^```/ && !name { name = NF == 2 ? $2 : "block-" FNR; print name; printf "" > (to name); next }
    /^```/ { close(to name); name = ""; next }
    name { print > (to name) }' README.md > "$dir/names"
known() { # a new block needs a check below
    echo 'CMakeLists.txt Makefile classify.c eleven.cpp exchange.py meson.build model.h
        ports/tinynn/portfile.cmake ports/tinynn/vcpkg.json spirals.c tinynn.bib train.c' |
        tr -s ' \n' '\n' | sort > "$dir/known" && sort "$dir/names" | diff "$dir/known" -
}
check "each snippet has a check" known
# typed PATTERN: runs the indented lines of README that have it; there must be one
typed() { sed -n 's/^    //p' "$top/README.md" | grep -e "$1" > typed.sh && sh -e typed.sh; }
declared() { # no function, type or constant that the header does not know
    { cat README.md; sed '/^\/\* ==== 1\./,$d' tinynn.h; } | grep -o '\(tnn\|TNN\)_[A-Za-z0-9_]*' |
        grep -v '_$' | sort -u > "$dir/said"
    sed '1,/^\/\* ==== 1\./d' tinynn.h | grep -o '\(tnn\|TNN\)_[A-Za-z0-9_]*' | sort -u |
        comm -13 - "$dir/said" > "$dir/unknown"
    [ -s "$dir/said" ] && ! grep . "$dir/unknown"
}
check "the names in README and in the header's opening" declared
version=$(awk '/^.define TNN_VERSION_(MAJOR|MINOR|PATCH) / { v = v dot $3; dot = "." }
               END { print v }' tinynn.h)
versions() {
    head -n 1 tinynn.h | grep -F " v$version " && grep -F "version = {$version}" README.md &&
        grep -F "\"version\": \"$version\"" README.md && grep -F "| $version |" README.md
}
check "one version" versions

# folder NAME: a folder with the guide's files; what follows runs there
folder() {
    mkdir -p "$dir/$1" && cp -R "$dir/readme/." "$dir/$1/" && cp tinynn.h "$dir/$1/" &&
        cp tinynn.h "$dir/$1/tinynn/" && cd "$dir/$1" && typed '> tinynn.c$'
}
strict='-std=c99 -pedantic -Wall -Wextra -Wshadow -Werror'
guide() ( # trained; stopped after three epochs and gone on, to the same bytes; used
    folder guide || return 1
    for name in train classify; do
        $cc $strict $name.c "$top/build/tinynn.o" -o $name -lm -pthread || return 1
    done
    ./train 2> log > out && grep '^accuracy 1.000 after' out && grep -q '^epoch  3/20' log &&
        cp bars.safetensors whole && rm bars.tnn bars.safetensors || return 1
    { echo '#include "tinynn.h"'
      echo 'static int third(void *user, const tnn_fit_state *state)'
      echo '{ (void)user; return state->epoch == 3 && state->epoch_ended; }'
      sed 's/= tnn_progress/= third/' train.c; } > stopped.c
    $cc stopped.c "$top/build/tinynn.o" -o stopped -lm -pthread && ./stopped &&
        ! cmp -s bars.safetensors whole && ./train 2> log && cmp bars.safetensors whole &&
        ! grep '^epoch  [123]/' log && grep -q '^epoch  4/20' log || return 1
    sed -n 's/^An image to try it on: `\(.*\)`\.$/\1/p' "$top/README.md" > bar.sh && sh bar.sh &&
        ./classify | tee level && grep -q '^level, \(9\|100\)' level && cp bar.pgm kept &&
        sed 's/^[01] .*/0 0 1 0 0 0 0 0/' kept > bar.pgm && ./classify | tee upright &&
        grep -q '^upright, \(9\|100\)' upright && rm bar.pgm && ! ./classify && mv kept bar.pgm
)
check "the guide's programs" guide
spirals() (
    folder spirals && $cc $strict -DTINYNN_NO_SIMD spirals.c -o spirals -lm -pthread &&
        ./spirals > out &&
        grep '^accuracy \(9[89]\|100\)' out
)
check "the first program" spirals
eleven() (
    folder eleven && g++ -std=c++11 -Wall -Wextra -Werror eleven.cpp "$top/build/tinynn.o" \
        -o eleven -lm -pthread && ./eleven
)
if have g++; then check "C++11" eleven; else skip "C++11" "needs g++"; fi
finish

python=
for p in python3 /usr/bin/python3; do
    $p -c 'import torch' 2> /dev/null && { python=$p; break; }
done
torch() ( # there and back, to the same output as ours
    folder "torch-$1" && cp ../guide/bars.safetensors ../guide/classify ../guide/bar.pgm . &&
        ./classify > ours || return 1
    [ "$1" = without ] || $python -c 'import safetensors' 2> /dev/null ||
        { echo "needs safetensors"; return 77; }
    if [ "$1" = with ]; then cat exchange.py
    else
        sed -n '/^       import json, torch$/,/^ *open(path/s/^       //p' "$top/tinynn.h"
        sed 's/safetensors\.torch, //; s/safetensors\.torch\.//' exchange.py
    fi > run.py
    cat >> run.py << 'END'
import torch
image = open("bar.pgm").read().split()[4:]
x = torch.tensor([float(v) for v in image]).reshape(1, 1, 8, 8)
p = torch.softmax(net(x), 1)[0]
print("%s, %.1f %%" % (["level", "upright"][int(p.argmax())], 100 * float(p.max())))
END
    $python run.py > theirs && diff ours theirs && ./classify | diff ours -
)
if [ "$python" ]; then
    for how in with without; do check "PyTorch, $how its package" torch $how; done
else skip "PyTorch" "needs Python with torch"; fi

manual() { # both forms; all functions stand in them; what reads them has nothing to say
    awk -v form=man -f tests/manual.awk tinynn.h > "$dir/tinynn.3" &&
        awk -v form=html -f tests/manual.awk tinynn.h > "$dir/tinynn.html" || return 1
    functions | while read -r name; do
        grep -q "$name" "$dir/tinynn.3" && grep -q "id=\"$name\"" "$dir/tinynn.html" ||
            echo "$name is not there"
    done | grep . && return 1
    tr '<' '\n' < "$dir/tinynn.html" > "$dir/tags"
    sed -n 's/^a href="#\([^"]*\)".*/\1/p' "$dir/tags" | sort -u > "$dir/to"
    sed -n 's/^[a-z0-9]* id="\([^"]*\)".*/\1/p' "$dir/tags" | sort > "$dir/ids"
    [ -s "$dir/to" ] && [ -s "$dir/ids" ] || return 1
    ! comm -23 "$dir/to" "$dir/ids" | grep . && ! uniq -d "$dir/ids" | grep . || return 1
    # it has no date: that of the file would differ from one machine to the next
    ! have mandoc || ! mandoc -Tlint -Wwarning "$dir/tinynn.3" | grep -v "missing date" || return 1
    ! have groff || ! groff -ww -man -Tutf8 -rLL=110n "$dir/tinynn.3" 2>&1 > /dev/null | grep .
}
# the functions that section 1 declares
functions() {
    sed '/^\/\* ---- 1k/,$d' tinynn.h | sed -n 's/^TNN_API .*[ *]\(tnn_[a-z0-9_]*\)(.*/\1/p' | sort
}
check "the manual" manual
if [ "$1" != all ]; then total; exit; fi

# ---- the ways to build; each in a folder of its own ----------------------------------------------
trained() { ./"$1" > printed 2> log && cmp bars.safetensors ../guide/bars.safetensors; }

plain() (
    folder plain && make CC="$cc" && trained train && make | grep -i 'up to date\|nothing to be'
)
check "make" plain
cmake_() ( # NAME OPTION...
    name=$1
    shift
    folder "$name" && { [ $# = 0 ] || rm -r tinynn tinynn.h; } &&
        cmake -S . -B out -DCMAKE_BUILD_TYPE=Release "$@" && cmake --build out &&
        cp out/train . && trained train
)
fetched() ( # from a repository, which has no CMakeLists.txt
    mkdir "$dir/repository" && cp tinynn.h "$dir/repository" && cd "$dir/repository" || return 1
    git init -q . && git add tinynn.h && git -c user.name=x -c user.email=x@y commit -qm x ||
        return 1
    cd "$top" && cmake_ fetch "-DTINYNN_REPOSITORY=file://$home/repository"
)
port() (
    folder port && cp tinynn.h "$top/LICENSE" ports/tinynn/ && if have vcpkg; then
        vcpkg install tinynn --overlay-ports=ports --x-install-root=packages || return 1
        mv packages/*/include packages/*/share packages
    else
        cmake -DPORT=tinynn -DCURRENT_PACKAGES_DIR="$PWD/packages" -P ports/tinynn/portfile.cmake
    fi && cmp tinynn.h packages/include/tinynn.h &&
        cmp "$top/LICENSE" packages/share/tinynn/copyright
)
if have cmake; then
    check "CMake" cmake_ cmake
    if have git; then check "CMake, FetchContent" fetched; else skip "FetchContent" "needs git"; fi
    have vcpkg || skip "vcpkg itself" "not found"
    check "the vcpkg port" port
else skip "CMake, vcpkg port" "needs cmake"; fi
meson_() ( folder meson && meson setup out && ninja -C out && cp out/train . && trained train )
if have meson && have ninja; then check "Meson" meson_; else skip "Meson" "needs meson, ninja"; fi
zig_() ( folder zig && typed '^zig cc' && trained train )
if have zig; then check "zig cc" zig_; else skip "zig cc" "not found"; fi
pkg_config() (
    (HOME=$home/pkg-config && make -s install DESTDIR= PREFIX="$HOME/.local") &&
        folder pkg-config && rm -r tinynn tinynn.h &&
        PKG_CONFIG_PATH=$PWD/.local/lib/pkgconfig && export PKG_CONFIG_PATH &&
        typed 'pkg-config --cflags' && trained train &&
        [ "$(pkg-config --modversion tinynn)" = "$version" ] &&
        [ -s .local/share/man/man3/tinynn.3 ]
)
if have pkg-config; then check "make install, pkg-config" pkg_config
else skip "pkg-config" "not found"; fi

shared() (
    folder shared && typed 'DTINYNN_DLL.*so$' && typed ' -L\. ' && trained train || return 1
    nm -D --defined-only libtinynn.so | awk '{ print $3 }' | sort > exported
    cd "$top" && functions | diff - "$dir/shared/exported"
)
if [ "$(uname)" = Linux ]; then check "a shared library, whose symbols are the functions" shared
else skip "shared library" "of Linux only"; fi
wine=wine
have wine || wine=/usr/lib/wine/wine64      # where Debian has it
dll() (
    folder dll && typed '^x86_64-w64-mingw32-gcc' || return 1
    WINEDEBUG=-all WINEPREFIX=$PWD/wine $wine train.exe > printed 2> log &&
        cmp bars.safetensors ../guide/bars.safetensors || return 1
    x86_64-w64-mingw32-objdump -p tinynn.dll | awk '/Ordinal\/Name/ { table = 1 }
        /^$/ { table = 0 } table && /^\t\[/ { print $NF }' | sort > exported
    cd "$top" && functions | diff - "$dir/dll/exported"
)
if have x86_64-w64-mingw32-gcc && have $wine; then check "a DLL, under wine" dll
else skip "DLL" "needs gcc-mingw-w64-x86-64 and wine64"; fi
total
