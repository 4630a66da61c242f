/* text.h - layers as text: "conv 8 k3x5 s2 p1x2 d2 g4 nobias; leaky 0.1; maxpool k2 ceil; dense 10"

   A number alone is of filters or units, a slope or p; with a letter before it kernel, stride, pad,
   dilation (two: down, across), groups. Words: ceil, exclude (pads), nobias, he, orthogonal. */
#ifndef TEXT_H
#define TEXT_H

/* The first layer of a text; returns what follows its ';'. */
static inline const char *layer_of(const char *text, tnn_layer *layer)
{
    static const struct { const char *name; tnn_layer_type type; } types[] = {
        { "conv", TNN_CONV2D },       { "dense", TNN_DENSE },     { "maxpool", TNN_MAXPOOL2D },
        { "avgpool", TNN_AVGPOOL2D }, { "flatten", TNN_FLATTEN }, { "relu", TNN_RELU },
        { "leaky", TNN_LEAKY_RELU },  { "dropout", TNN_DROPOUT }
    };
    char word[32];
    int length, i;
    memset(layer, 0, sizeof *layer);
    while (sscanf(text, " %31[^ ;]%n", word, &length) == 1) {
        int a = 0, b = 0, pair = sscanf(word + 1, "%dx%d", &a, &b) == 2;
        text += length;
        for (i = 0; i < 8 && strcmp(word, types[i].name); i++) {}
        if (i < 8) layer->type = types[i].type;
        else if (!strcmp(word, "ceil")) layer->ceil = 1;
        else if (!strcmp(word, "exclude")) layer->exclude_pad = 1;
        else if (!strcmp(word, "nobias")) layer->no_bias = 1;
        else if (!strcmp(word, "he")) layer->init = TNN_INIT_HE_NORMAL;
        else if (!strcmp(word, "orthogonal")) layer->init = TNN_INIT_ORTHOGONAL;
        else if (word[0] >= '0' && word[0] <= '9') {
            if (layer->type == TNN_CONV2D) layer->filters = atoi(word);
            if (layer->type == TNN_DENSE) layer->units = atoi(word);
            if (layer->type == TNN_LEAKY_RELU) layer->slope = (float)atof(word);
            if (layer->type == TNN_DROPOUT) layer->p = (float)atof(word);
        }
#define SIZE(letter, member) \
        else if (word[0] == letter && pair) layer->member##_h = a, layer->member##_w = b; \
        else if (word[0] == letter) layer->member = a;
        SIZE('k', kernel)
        SIZE('s', stride)
        SIZE('p', pad)
        SIZE('d', dilation)
#undef SIZE
        else if (word[0] == 'g') layer->groups = a;
    }
    if (layer->type == TNN_AVGPOOL2D) layer->dilation_h = layer->dilation_w = 0;    /* 1 */
    text += strspn(text, " ");
    return *text == ';' ? text + 1 : text;
}
static inline void add_layers(tnn_net *net, const char *text)
{
    tnn_layer layer;
    while (*text) {
        text = layer_of(text, &layer);
        tnn_add_with(net, &layer);
    }
}
#endif
