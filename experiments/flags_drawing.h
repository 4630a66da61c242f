/* flags_drawing.h - a placeholder: three stripes in colours of the label's own */
#ifndef FLAGS_DRAWING_H
#define FLAGS_DRAWING_H

#include "tinynn.h"

static inline void flags_draw(unsigned char *rgb, int label, uint64_t image)
{
    int shift = (int)(tnn_random_bits(1, 1, image) % 30), across = label % 2;
    for (int i = 0; i < 3 * 128 * 128; i++) {
        int row = i / 384, column = i / 3 % 128, stripe = ((across ? column : row) + shift) / 53;
        rgb[i] = (unsigned char)(tnn_random_bits(2, (uint64_t)label, (uint64_t)(3*stripe + i%3)));
    }
}

#endif /* FLAGS_DRAWING_H */
