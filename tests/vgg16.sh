#!/bin/sh
# vgg16.sh - the whole of VGG-16 against PyTorch with the same weights
#
# vgg16_vectors.py makes a file of random weights (553 MB, removed afterwards) with the names and
# shapes of huggingface.co/timm/vgg16.tv_in1k; test_vgg16 loads it and compares the 1,000 outputs.
# Needs 2.5 GB of memory and build/test_vgg16, which make test builds.

about=vgg16
. tests/check.sh
full=$dir/full
mkdir -p "$full"
trap 'rm -rf "$full"' EXIT
trap 'exit 1' HUP INT TERM

whole() {
    PYTHONDONTWRITEBYTECODE=1 "$python" tests/vgg16_vectors.py "$full" || return 1
    TINYNN_VGG16=$full build/test_vgg16 'full net' > "$dir/outcome"
    cat "$dir/outcome"
    tail -n 1 "$dir/outcome" | grep -q '^1 passed, 0 failed$'
}

python=
for p in python3 /usr/bin/python3; do
    if "$p" -c 'import torch' 2> /dev/null; then python=$p; break; fi
done
if [ -n "$python" ]; then
    check "outputs of the full net, and the time they take" whole
    finish
    sed -n 's/^ok/     /p' "$dir/outcome"
else
    skip "the full net" "needs PyTorch: python3-torch"
fi
total
