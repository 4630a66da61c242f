/* tinynn.h - v0.1 - neural networks for C - MIT or public domain, see the end of this file

   One header, libc and libm only. Trains small convolutional networks and multi-layer perceptrons
   with hand-written SSE2, AVX2, AVX-512 and NEON kernels, chosen at run time; gives the same bits
   on every machine, whatever the number of threads; means what PyTorch means.

   Do this in ONE C or C++ file:

       #define TINYNN_IMPLEMENTATION
       #include "tinynn.h"

   and plainly include it everywhere else. Compile with  cc -O2 program.c -lm

   SYNOPSIS  (a convolutional network on Fashion-MNIST, five epochs, compiles as it stands)

       #define TINYNN_IMPLEMENTATION
       #include "tinynn.h"
       #include <stdio.h>

       int main(void)
       {
           tnn_data train = tnn_load_idx("train-images-idx3-ubyte", "train-labels-idx1-ubyte");
           tnn_data test  = tnn_load_idx("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte");
           tnn_normalize(&train, 0.5f, 0.5f);                  // x = (byte/255 - mean) / std
           tnn_normalize(&test,  0.5f, 0.5f);

           tnn_net *net = tnn_create(.input = {1, 28, 28}, .batch = 64, .seed = 1);
           tnn_add(net, TNN_CONV2D, .filters = 32, .kernel = 3, .pad = 1);
           tnn_add(net, TNN_RELU);
           tnn_add(net, TNN_MAXPOOL2D, .kernel = 2);
           tnn_add(net, TNN_FLATTEN);
           tnn_add(net, TNN_DENSE, .units = 10);
           tnn_set_loss(net, TNN_CROSS_ENTROPY);
           tnn_set_optimizer(net, TNN_ADAM, .lr = 1e-3f);

           tnn_loader *batches = tnn_loader_create(&train, .batch = 64, .shuffle = 1, .seed = 1);
           for (int epoch = 1; epoch <= 5 && !tnn_failed(); epoch++) {
               while (tnn_next(batches)) {
                   tnn_forward(net, batches->x, batches->n, TNN_TRAIN);
                   tnn_loss(net, batches->labels);
                   tnn_backward(net);
                   tnn_step(net);
               }
               tnn_metrics m = tnn_evaluate(net, &test);
               printf("epoch %d  loss %.4f  accuracy %.2f %%\n", epoch, m.loss, 100 * m.accuracy);
           }
           if (tnn_failed()) fprintf(stderr, "%s\n", tnn_error());
           tnn_loader_free(batches);
           tnn_free(net);
           tnn_data_free(&train);
           tnn_data_free(&test);
           return tnn_failed();
       }
*/

/* ==== 1. PUBLIC API =========================================================================== */
#ifndef TINYNN_H
#define TINYNN_H

#include <stddef.h>
#include <stdint.h>

#define TNN_VERSION "0.1.0"

#ifdef TINYNN_STATIC
#define TNN_API static
#else
#define TNN_API extern
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- 1a. Errors -------------------------------------------------------------------------------
   No function aborts, exits or prints. A call that cannot do what it is asked changes nothing and
   returns a status other than TNN_OK (or NULL, 0 or NaN where it returns something else). The
   FIRST error of each thread is kept as a message until tnn_clear_error(), and a network that
   met one does nothing more until then: one check at the end suffices. A message names the caller's
   line, the object, the numbers that do not fit and what would:
       train.c:22: conv2d: kernel 5x5 does not fit its input 64x3x3 with pad 0                    */
typedef enum tnn_status {
    TNN_OK = 0,
    TNN_ERROR_ARGUMENT,     /* an option or argument out of its range, or a call out of order */
    TNN_ERROR_SHAPE,        /* shapes that do not fit each other                              */
    TNN_ERROR_MEMORY,       /* an allocation failed                                           */
    TNN_ERROR_IO,           /* a file cannot be opened, read or written                       */
    TNN_ERROR_FORMAT,       /* a file is not what its name or header says                     */
    TNN_ERROR_NUMBER        /* NaN or infinity where a finite number is needed                */
} tnn_status;

TNN_API int         tnn_failed(void);             /* the status of the first error, or 0      */
TNN_API const char *tnn_error(void);              /* its message, or ""                       */
TNN_API void        tnn_clear_error(void);
/* `log` is called with each error's message as it happens; NULL (the default) is silence. */
TNN_API void        tnn_set_logger(void (*log)(void *user, const char *message), void *user);

/* ---- 1b. The machine --------------------------------------------------------------------------
   The best instruction set that cpu and operating system have is chosen at the first use; the
   environment variable TINYNN_ISA=scalar|sse2|avx2|avx512|neon, or tnn_set_isa, forces another.
   All but sse2 (which has no fused multiply-add) give the same bits.                              */
TNN_API const char *tnn_isa(void);                /* name of the one in use                       */
TNN_API const char *tnn_isa_name(int i);          /* the i-th that this machine has, worst first;
                                                     NULL past the last                           */
TNN_API tnn_status  tnn_set_isa(const char *name);
/* Threads used where a network or call does not say: TINYNN_THREADS in the environment, else the
   number of processors. Results never depend on it.                                              */
TNN_API int         tnn_threads(void);
TNN_API void        tnn_set_threads(int threads); /* 0: back to the default                       */

/* ---- 1c. Random numbers -----------------------------------------------------------------------
   Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11). Element
   `index` of stream `stream` is a function of (seed, stream, index) alone.                       */
TNN_API uint32_t tnn_random_bits(uint64_t seed, uint64_t stream, uint64_t index);
TNN_API float    tnn_random_uniform(uint64_t seed, uint64_t stream, uint64_t index); /* [0, 1)    */
TNN_API float    tnn_random_normal(uint64_t seed, uint64_t stream, uint64_t index);  /* N(0, 1)   */
/* Fisher-Yates shuffle of index[0..n). */
TNN_API void     tnn_shuffle(int *index, int n, uint64_t seed, uint64_t stream);

/* ---- 1d. Tensors ------------------------------------------------------------------------------
   float, row-major, contiguous, shape (n, c, h, w). A matrix of r rows and k columns is (r, k, 1, 1).
   A tensor is a plain value: a view shares `data` and owns nothing.                              */
typedef struct tnn_tensor {
    int    n, c, h, w;      /* each at least 1                                    */
    float *data;            /* n*c*h*w floats, or NULL where creating one failed  */
} tnn_tensor;

TNN_API tnn_tensor tnn_tensor_create(int n, int c, int h, int w);               /* of zeros        */
TNN_API tnn_tensor tnn_tensor_view(float *data, int n, int c, int h, int w);
TNN_API tnn_tensor tnn_tensor_slice(tnn_tensor t, int first, int count);  /* samples, a view       */
TNN_API void       tnn_tensor_free(tnn_tensor *t);                        /* of a created one only */
TNN_API tnn_status tnn_fill(tnn_tensor t, float value);

/* C = A B with A and B transposed or not, C (m, n), inner dimension k:
   A is (m, k), or (k, m) with TNN_TRANSPOSE_A; B is (k, n), or (n, k) with TNN_TRANSPOSE_B.
   With TNN_ACCUMULATE  C += A B. C must not overlap A or B. Each element of C is one chain of
   fused multiply-adds over k in rising order.                                                    */
enum { TNN_TRANSPOSE_A = 1, TNN_TRANSPOSE_B = 2, TNN_ACCUMULATE = 4 };
TNN_API tnn_status tnn_matmul(tnn_tensor c, tnn_tensor a, tnn_tensor b, int flags);

/* Geometry of a convolution or pooling window. Zero means the default; the _h and _w members
   override the square one. Output height is
       (h + 2 pad - dilation (kernel - 1) - 1) / stride + 1, rounded down (up with .ceil).        */
typedef struct tnn_window {
    int kernel, kernel_h, kernel_w;         /* required                                          */
    int stride, stride_h, stride_w;         /* default: 1 for convolution, the kernel for pooling */
    int pad, pad_h, pad_w;                  /* default 0, on both sides; of zeros (max: -infinity);
                                               for pooling at most half the kernel                */
    int dilation, dilation_h, dilation_w;   /* default 1; 1 for average pooling                   */
    int groups;                             /* convolution only; default 1                        */
    int ceil;                               /* pooling only: PyTorch's ceil_mode                  */
    int exclude_pad;                        /* average pooling: divide by the number of elements
                                               inside the image (count_include_pad=False)         */
} tnn_window;

/* y[n,f,i,j] = bias[f] + sum_{c,u,v} w[f,c,u,v] x[n, c, i*stride + u*dilation - pad, j*...]
   x (n,c,h,w)   w (f,c/groups,kh,kw)   bias (f) or NULL   y (n,f,ho,wo)
   The gradients of w and bias are added to dw and db (db may be NULL); dx is overwritten.        */
TNN_API tnn_status tnn_conv2d_forward(tnn_tensor y, tnn_tensor x, tnn_tensor w, const float *bias,
                                      tnn_window window);
TNN_API tnn_status tnn_conv2d_backward_input(tnn_tensor dx, tnn_tensor dy, tnn_tensor w,
                                             tnn_window window);
TNN_API tnn_status tnn_conv2d_backward_weights(tnn_tensor dw, float *db, tnn_tensor x,
                                               tnn_tensor dy, tnn_window window);

/* Max pooling keeps where each maximum came from: `where` has y's size and holds u*kw + v, the
   place in the window; may be NULL in the forward direction. The first of equal maxima counts; NaN
   is larger than any number (both as in PyTorch).                                                */
TNN_API tnn_status tnn_maxpool2d_forward(tnn_tensor y, float *where, tnn_tensor x, tnn_window window);
TNN_API tnn_status tnn_maxpool2d_backward(tnn_tensor dx, tnn_tensor dy, const float *where,
                                          tnn_window window);
TNN_API tnn_status tnn_avgpool2d_forward(tnn_tensor y, tnn_tensor x, tnn_window window);
TNN_API tnn_status tnn_avgpool2d_backward(tnn_tensor dx, tnn_tensor dy, tnn_window window);

/* Over each row of a matrix (n, c); y may be x. */
TNN_API tnn_status tnn_softmax(tnn_tensor y, tnn_tensor x);
TNN_API tnn_status tnn_log_softmax(tnn_tensor y, tnn_tensor x);

/* Reductions over all elements, over 16 interleaved partial results folded in one fixed order. */
TNN_API float tnn_sum(tnn_tensor x);
TNN_API float tnn_mean(tnn_tensor x);
TNN_API float tnn_max(tnn_tensor x);
TNN_API float tnn_dot(tnn_tensor x, tnn_tensor y);
TNN_API int   tnn_argmax(const float *x, int n);  /* the first of equal ones */

/* ---- 1e. Networks -----------------------------------------------------------------------------
   tnn_create, tnn_add for each layer, tnn_set_loss, tnn_set_optimizer; then forward, loss,
   backward, step for each batch. The first forward (or tnn_build) plans: infers shapes, fuses, and
   makes the network's one allocation, of tnn_net_bytes(). Nothing is allocated afterwards.

   In every options struct zero means the default. Where zero is wanted and is not the default
   (.beta1 = 0), say TNN_ZERO.                                                                    */
#define TNN_ZERO (-0.0f)

typedef struct tnn_net tnn_net;

typedef struct tnn_net_options {
    int      input[3];      /* channels, height, width of a sample; {784} is {784, 1, 1}. Required */
    int      batch;         /* the largest batch that will be given. Default 64                    */
    int      threads;       /* default tnn_threads()                                               */
    uint64_t seed;          /* of initialisation and dropout. Default 0                            */
} tnn_net_options;

typedef enum tnn_layer_type {
    TNN_CONV2D = 1, /* .filters .kernel .stride .pad .dilation .groups .no_bias .init              */
    TNN_DENSE,      /* .units .no_bias .init                y = x W^T + b                          */
    TNN_MAXPOOL2D,  /* .kernel .stride .pad .dilation .ceil                                        */
    TNN_AVGPOOL2D,  /* .kernel .stride .pad .ceil .exclude_pad                                     */
    TNN_FLATTEN,    /* (c, h, w) -> (c*h*w, 1, 1)                                                  */
    TNN_RELU,       /* max(x, 0)                                                                   */
    TNN_LEAKY_RELU, /* .slope (default 0.01)                x > 0 ? x : slope x                    */
    TNN_DROPOUT     /* .p (default 0.5)    training only: 0 with probability p, else x / (1 - p)   */
} tnn_layer_type;

/* How weights start. fan_in = inputs of one output, fan_out = outputs fed by one input.
   U(a): uniform in [-a, a). Biases: with the default U(1/sqrt(fan_in)), else 0.                  */
typedef enum tnn_init {
    TNN_INIT_DEFAULT = 0,     /* U(1/sqrt(fan_in)): PyTorch's for Linear and Conv2d               */
    TNN_INIT_HE_UNIFORM,      /* U(sqrt(6/fan_in))                    He et al. 2015, eq. 10       */
    TNN_INIT_HE_NORMAL,       /* N(0, 2/fan_in)                                                    */
    TNN_INIT_XAVIER_UNIFORM,  /* U(sqrt(6/(fan_in+fan_out)))          Glorot and Bengio 2010, eq. 16 */
    TNN_INIT_XAVIER_NORMAL,   /* N(0, 2/(fan_in+fan_out))                                          */
    TNN_INIT_ZERO
} tnn_init;

typedef struct tnn_layer {
    tnn_layer_type type;
    int   filters, units;                   /* outputs of conv2d, of dense                         */
    int   kernel, kernel_h, kernel_w;       /* the window, as in tnn_window                        */
    int   stride, stride_h, stride_w;
    int   pad, pad_h, pad_w;
    int   dilation, dilation_h, dilation_w;
    int   groups, ceil, exclude_pad;
    int   no_bias;
    float slope, p;
    tnn_init init;
} tnn_layer;

typedef enum tnn_loss_type {
    TNN_CROSS_ENTROPY = 1   /* of softmax(logits), mean over the batch (weighted mean with
                               .class_weights): torch.nn.CrossEntropyLoss                          */
} tnn_loss_type;

typedef struct tnn_loss_options {
    tnn_loss_type type;
    float         label_smoothing;  /* in [0, 1]: target (1-s) [c = label] + s/classes             */
    const float  *class_weights;    /* one per class, copied; NULL: all 1                          */
} tnn_loss_options;

typedef enum tnn_optimizer_type {
    TNN_SGD = 1,    /* .lr .momentum .dampening .nesterov .weight_decay (L2, added to the gradient) */
    TNN_ADAM,       /* .lr .beta1 .beta2 .eps .weight_decay (L2)       Kingma and Ba 2015, alg. 1   */
    TNN_ADAMW       /* .lr .beta1 .beta2 .eps .weight_decay (decoupled) Loshchilov and Hutter 2019  */
} tnn_optimizer_type;

typedef struct tnn_optimizer {
    tnn_optimizer_type type;
    float lr;               /* default 1e-3                                  */
    float momentum;         /* SGD: default 0                                */
    float dampening;        /* SGD: default 0                                */
    int   nesterov;         /* SGD: needs momentum and no dampening          */
    float weight_decay;     /* default 0; AdamW 0.01                         */
    float beta1, beta2;     /* default 0.9, 0.999                            */
    float eps;              /* default 1e-8                                  */
} tnn_optimizer;

TNN_API tnn_net   *tnn_net_create(const tnn_net_options *options);  /* NULL on failure             */
TNN_API void       tnn_free(tnn_net *net);
TNN_API tnn_status tnn_add_layer(tnn_net *net, const tnn_layer *layer);
TNN_API tnn_status tnn_net_loss(tnn_net *net, const tnn_loss_options *loss);
TNN_API tnn_status tnn_net_optimizer(tnn_net *net, const tnn_optimizer *optimizer);

TNN_API size_t     tnn_net_bytes(tnn_net *net);    /* what tnn_build will allocate, 0 on error     */
TNN_API tnn_status tnn_build(tnn_net *net);
TNN_API int        tnn_output_shape(tnn_net *net, int shape[3]);  /* c, h, w; their product, or 0  */

typedef enum tnn_mode { TNN_EVAL = 0, TNN_TRAIN = 1 } tnn_mode;

/* x holds n samples (c, h, w), 1 <= n <= .batch; it must stay unchanged until tnn_backward. */
TNN_API tnn_status   tnn_forward(tnn_net *net, const float *x, int n, tnn_mode mode);
TNN_API const float *tnn_output(tnn_net *net);     /* (n, c, h, w) of the last forward             */
/* The loss of the last forward against n labels in 0..classes-1, and its gradient; NaN on error.  */
TNN_API double       tnn_loss(tnn_net *net, const int *labels);
TNN_API tnn_status   tnn_backward(tnn_net *net);   /* overwrites the gradients                     */
TNN_API tnn_status   tnn_step(tnn_net *net);       /* one update of the parameters                 */
/* forward in training mode, loss, backward and step; returns the loss. */
TNN_API double       tnn_train_batch(tnn_net *net, const float *x, const int *labels, int n);
TNN_API tnn_status   tnn_set_lr(tnn_net *net, float lr);
TNN_API float        tnn_lr(const tnn_net *net);

/* Parameters by name, "LAYER.weight" and "LAYER.bias" with LAYER the index in order of tnn_add, as in
   torch.nn.Sequential, in PyTorch's shapes: conv2d (filters, c/groups, kh, kw), dense (units, inputs),
   bias (count). The network keeps them in an order of its own; these convert.                     */
typedef struct tnn_param {
    const char *name;
    int         ndim, dims[4];
    int         count;              /* product of dims */
} tnn_param;
TNN_API int        tnn_param_count(tnn_net *net);                     /* number of named tensors    */
TNN_API tnn_param  tnn_param_info(tnn_net *net, int i);
TNN_API long long  tnn_param_total(tnn_net *net);                     /* number of trained floats   */
TNN_API tnn_status tnn_get_param(tnn_net *net, const char *name, float *values, int count);
TNN_API tnn_status tnn_set_param(tnn_net *net, const char *name, const float *values, int count);
TNN_API tnn_status tnn_get_grad(tnn_net *net, const char *name, float *values, int count);
/* The flat vectors themselves, in the private order, padding (always zero) included: for averaging
   over machines, hooks, checksums. `which`: 0 parameters, 1 gradients, 2 and up the optimizer's
   moments. Returns NULL where there is none.                                                      */
TNN_API float     *tnn_flat(tnn_net *net, int which, size_t *count);
/* FNV-1a 64 of all parameters in PyTorch's order: equal networks, equal numbers. */
TNN_API uint64_t   tnn_hash(tnn_net *net);

/* ---- 1f. Data ---------------------------------------------------------------------------------
   A data set is samples of (c, h, w) bytes or floats with one label each. What loads one owns it
   (`memory`); subsets and splits are views that must not outlive it, with `index` their own.      */
typedef struct tnn_data {
    int                  n, c, h, w;
    int                  classes;       /* 1 + the largest label                                   */
    const unsigned char *bytes;         /* samples, one of the two                                 */
    const float         *floats;
    const int           *labels;
    const int           *index;         /* sample i is number index[i]; NULL: i                    */
    float                mean, std;     /* given x = (v - mean) / std, v = byte/255 or the float   */
    void                *memory;        /* what tnn_data_free frees                                */
} tnn_data;

/* IDX files (yann.lecun.com/exdb/mnist), not compressed: images (n, h, w) or (n, c, h, w) of unsigned
   bytes, labels (n). .n is 0 on failure. The second form reads them from memory.                  */
TNN_API tnn_data   tnn_load_idx(const char *images_path, const char *labels_path);
TNN_API tnn_data   tnn_parse_idx(const void *images, size_t images_size, const void *labels,
                                 size_t labels_size);
/* Samples the caller keeps; exactly one of bytes and floats is not NULL. */
TNN_API tnn_data   tnn_data_view(const unsigned char *bytes, const float *floats, const int *labels,
                                 int n, int c, int h, int w);
TNN_API void       tnn_data_free(tnn_data *data);
TNN_API tnn_status tnn_normalize(tnn_data *data, float mean, float std);
TNN_API tnn_data   tnn_subset(const tnn_data *data, int first, int count);
/* A random `count` samples in *a, the others in *b (torch.utils.data.random_split). */
TNN_API tnn_status tnn_split(const tnn_data *data, int count, uint64_t seed, tnn_data *a, tnn_data *b);
/* Sample i as floats (c, h, w), normalised. */
TNN_API tnn_status tnn_sample(const tnn_data *data, int i, float *x);

/* Batches of a data set, the last one as small as it comes (PyTorch's DataLoader). tnn_next fills x,
   labels and n and returns n; 0 at the end of an epoch, and the next call starts another one.
   Epoch e is shuffled by (seed, e): a loader's batches do not depend on what was drawn before.     */
typedef struct tnn_loader {
    float *x;               /* (n, c, h, w) */
    int   *labels;          /* n            */
    int    n;
    int    epoch, batch_index, batches;   /* counted from 0; batches per epoch */
    struct tnn__loader *state;
} tnn_loader;

typedef struct tnn_loader_options {
    int      batch;         /* default 64                     */
    int      shuffle;       /* default 0: in order            */
    int      drop_last;     /* default 0: keep a smaller last */
    uint64_t seed;
} tnn_loader_options;
TNN_API tnn_loader *tnn_loader_open(const tnn_data *data, const tnn_loader_options *options);
TNN_API int         tnn_next(tnn_loader *loader);
TNN_API void        tnn_loader_free(tnn_loader *loader);

/* ---- 1g. Training and metrics ----------------------------------------------------------------- */
typedef struct tnn_metrics {
    double loss;            /* mean over the samples; NaN on error              */
    double accuracy;        /* fraction whose largest logit is the label's      */
    int    n, correct;
} tnn_metrics;
/* In eval mode, in batches of the network's size. */
TNN_API tnn_metrics tnn_evaluate(tnn_net *net, const tnn_data *data);
/* counts[label*classes + predicted], classes the network's outputs; also gives the metrics. */
TNN_API tnn_metrics tnn_confusion(tnn_net *net, const tnn_data *data, int *counts);

/* One epoch over the loader: the mean of the batch losses and the accuracy seen while training. */
TNN_API tnn_metrics tnn_train_epoch(tnn_net *net, tnn_loader *loader);

/* The gradients of a network's parameters against central differences of its loss in training mode,
   on one batch: the largest |analytic - numeric| / max(1e-2 * largest gradient, |both|) over `samples` elements. Leaves the
   parameters as they were; for tests of own set-ups. NaN on error.                               */
TNN_API double tnn_gradient_check(tnn_net *net, const float *x, const int *labels, int n, int samples);

#ifdef __cplusplus
}
#endif

/* ---- 1h. Named arguments, and the caller's line -----------------------------------------------
   tnn_add(net, TNN_DENSE, .units = 10) in C99 (and C++20, members in the order above) makes an options struct.
   Every other language and C++ before 20 fills one in and calls the function behind the macro. The macros
   also note the caller's file and line for messages.                                              */
#ifdef __cplusplus
extern "C"
#else
TNN_API
#endif
void tnn_at(const char *file, int line);
#define TNN__HERE tnn_at(__FILE__, __LINE__)
#ifdef __cplusplus
#define TNN__OPTIONS(type, ...) tnn__address(type{__VA_ARGS__})
template <class T> static inline const T *tnn__address(const T &t) { return &t; }
#else
#define TNN__OPTIONS(type, ...) &(type){__VA_ARGS__}
#endif
#define tnn_create(...)               (TNN__HERE, tnn_net_create(TNN__OPTIONS(tnn_net_options, __VA_ARGS__)))
#define tnn_add(net, ...)             (TNN__HERE, tnn_add_layer(net, TNN__OPTIONS(tnn_layer, .type = __VA_ARGS__)))
#define tnn_set_loss(net, ...)        (TNN__HERE, tnn_net_loss(net, TNN__OPTIONS(tnn_loss_options, .type = __VA_ARGS__)))
#define tnn_set_optimizer(net, ...)   (TNN__HERE, tnn_net_optimizer(net, TNN__OPTIONS(tnn_optimizer, .type = __VA_ARGS__)))
#define tnn_loader_create(data, ...)  (TNN__HERE, tnn_loader_open(data, TNN__OPTIONS(tnn_loader_options, __VA_ARGS__)))
/* Function-like macros do not expand within themselves: each of these notes the line, then calls. */
#define tnn_matmul(...)       (TNN__HERE, tnn_matmul(__VA_ARGS__))
#define tnn_build(net)        (TNN__HERE, tnn_build(net))
#define tnn_forward(...)      (TNN__HERE, tnn_forward(__VA_ARGS__))
#define tnn_loss(...)         (TNN__HERE, tnn_loss(__VA_ARGS__))
#define tnn_backward(net)     (TNN__HERE, tnn_backward(net))
#define tnn_step(net)         (TNN__HERE, tnn_step(net))

#endif /* TINYNN_H */
