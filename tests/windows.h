/* windows.h - windows of the tensor functions, as layers of reference.h and drawn */
#ifndef WINDOWS_H
#define WINDOWS_H

/* A convolution or pooling with that window. */
static inline tnn_layer layer_with(tnn_layer_type type, const tnn_window *k, int filters)
{
    tnn_layer l;
    memset(&l, 0, sizeof l);
    l.type = type, l.filters = type == TNN_CONV2D ? filters : 0;
    l.kernel = k->kernel, l.kernel_h = k->kernel_h, l.kernel_w = k->kernel_w;
    l.stride = k->stride, l.stride_h = k->stride_h, l.stride_w = k->stride_w;
    l.pad = k->pad, l.pad_h = k->pad_h, l.pad_w = k->pad_w;
    l.dilation = k->dilation, l.dilation_h = k->dilation_h, l.dilation_w = k->dilation_w;
    l.groups = k->groups, l.ceil = k->ceil, l.exclude_pad = k->exclude_pad;
    return l;
}

/* Whether each window of a pooling, which makes y of x, has something of the image in it. */
static inline int sees_image(const tnn_layer *l, tensor x, tensor y)
{
    const window g = window_of(l);
    int i, at;
    for (i = 0; i < y.h; i++) {
        for (at = 0; at < x.h && !sees(l, &g, 0, i, at, x.h, y.h); at++) {}
        if (at == x.h) return 0;
    }
    for (i = 0; i < y.w; i++) {
        for (at = 0; at < x.w && !sees(l, &g, 1, i, at, x.w, y.w); at++) {}
        if (at == x.w) return 0;
    }
    return 1;
}

/* One for a convolution (pooling = 0), or for TNN_MAXPOOL2D or TNN_AVGPOOL2D. */
static inline void draw_window(uint32_t *state, tnn_window *k, int pooling)
{
    memset(k, 0, sizeof *k);
    if (test_pick(state, 0, 1)) k->kernel = test_pick(state, 1, 4);
    else k->kernel_h = test_pick(state, 1, 5), k->kernel_w = test_pick(state, 1, 5);
    if (test_pick(state, 0, 1)) k->stride = test_pick(state, 0, 3);
    else k->stride_h = test_pick(state, 1, 4), k->stride_w = test_pick(state, 1, 4);
    if (pooling != TNN_AVGPOOL2D && test_pick(state, 0, 2) == 0) {
        k->dilation_h = test_pick(state, 1, 3);
        k->dilation_w = test_pick(state, 1, 3);
    }
    if (pooling) {
        k->pad_h = test_pick(state, 0, either(k->kernel_h, k->kernel, 1) / 2);
        k->pad_w = test_pick(state, 0, either(k->kernel_w, k->kernel, 1) / 2);
        k->ceil = test_pick(state, 0, 1);
    } else if (test_pick(state, 0, 1)) {
        k->pad = test_pick(state, 0, 3);
    } else {
        k->pad_h = test_pick(state, 0, 5);
        k->pad_w = test_pick(state, 0, 5);
    }
    if (pooling == TNN_AVGPOOL2D) k->exclude_pad = test_pick(state, 0, 1);
}
#endif
