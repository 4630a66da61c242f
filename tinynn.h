/* tinynn.h - v0.1.0 - neural networks in C - MIT licence or public domain (see the end)

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
           tnn_set_optimizer(net, TNN_ADAM, .lr = 1e-3);

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

   CONTENTS  (search for "==== ")

        1  Public API            the manual: every declaration says shapes, defaults, errors, source
        2  Foundations           portability, errors, memory, random numbers, threads
        3  Kernels               one text, read once per instruction set
        4  Instantiation         and the choice at run time
        5  Tensors               shapes, convolution, matrix product, pooling, softmax
        6  Layers                shape, forward and backward of each
        7  Networks              the plan, parameters, forward and backward of a batch
        8  Losses
        9  Optimizers
       11  Regularizers          penalties and constraints of the weights
       12  Data                  IDX files, normalisation, splits, augmentation, batches
       13  Training              metrics, gradient check
       16  Licence
   (numbers left out are kept for schedules, search and checkpoints)

   OPTIONS  (macros, defined before the implementation is included)

       TINYNN_STATIC             every function is static
       TINYNN_MALLOC(context, bytes), TINYNN_FREE(context, pointer), TINYNN_CONTEXT
                                 another allocator; context is evaluated at each call
       TINYNN_NO_THREADS         no thread pool
       TINYNN_NO_STDIO           no files: data comes from memory
       TINYNN_NO_SIMD            the scalar kernels only
       TINYNN_SELF               this file's name, if it is not "tinynn.h"

   and in the environment of the program: TINYNN_ISA (one of scalar, sse2, avx2, avx512, neon; one
   that the machine has not is ignored), TINYNN_THREADS.

   WORDS  A sample is one image or vector, a batch the samples of one step, a step one update of the
   parameters, an epoch one pass over a data set. Logits are the values before softmax.

   MEANING  Where nothing else is said, PyTorch's: shapes, default initialisation, rounding of
   output sizes, ties in max pooling, means over the batch, optimizer constants, the last smaller
   batch kept. Inside a network images lie channels last and weights in panels of 16 outputs; the
   functions that take and give parameters and outputs convert.

   THE SAME BITS  One program, seed and data set give the same floats with AVX2, AVX-512, NEON
   and the scalar kernels, any number of threads, any compiler and optimisation level. For this
     - a product that is added is one fused multiply-add, and no other is made;
     - each element of a matrix product is one chain over k in rising order;
     - the reductions of tensors and softmax run over 16 interleaved partial sums, folded in one
       order; gradients of biases add up in the order of samples and pixels;
     - gradients of convolutions are summed in spans of the batch, cut by its size alone;
     - exp, log and cos are made here; from libm come only fmaf and the square roots, which are
       exact;
     - random numbers are functions of (seed, stream, index).
   SSE2 has no fused multiply-add and differs in the last bits. -ffast-math is refused. Machines
   that round to more than float precision in between (x87) are outside the promise.

   THREADS  One pool for the process, started at the first use that wants more than one thread.
   Different networks may be used from different threads at the same time (one has the pool, the
   others work alone); one network by one thread at a time. Errors are kept per thread.

   WHAT IT DOES NOT DO  Other types than float. Graphs: layers form a chain. Recurrence, attention,
   automatic differentiation of user code. GPUs. More than a machine's memory.
*/

/* ==== 1. PUBLIC API =========================================================================== */
#ifndef TINYNN_H
#define TINYNN_H

#include <stddef.h>
#include <stdint.h>

#define TNN_VERSION "0.1.0"

#if defined(TINYNN_STATIC) && defined(__GNUC__)
#define TNN_API static __attribute__((unused))
#elif defined(TINYNN_STATIC)
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
   FIRST error of each thread is kept as a message until tnn_clear_error(), and networks do nothing
   more in that thread until then: one check at the end suffices. A message names the caller's line,
   the object, the numbers that do not fit and what would:
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
   All but sse2 (which has no fused multiply-add) give the same bits. */
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
   float, row-major, contiguous, shape (n, c, h, w); a matrix of r rows and k columns is
   (r, k, 1, 1). A tensor is a plain value: a view shares `data` and owns nothing. */
typedef struct tnn_tensor {
    int    n, c, h, w;      /* each at least 1                                    */
    float *data;            /* n*c*h*w floats, or NULL where creating one failed  */
} tnn_tensor;

TNN_API tnn_tensor tnn_tensor_create(int n, int c, int h, int w);               /* of zeros */
TNN_API tnn_tensor tnn_tensor_view(float *data, int n, int c, int h, int w);
TNN_API tnn_tensor tnn_tensor_slice(tnn_tensor t, int first, int count);        /* a view */
TNN_API void       tnn_tensor_free(tnn_tensor *t);                              /* a created one */
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
    int kernel, kernel_h, kernel_w;         /* required; tnn_conv2d_*: default w's               */
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
TNN_API tnn_status tnn_maxpool2d_forward(tnn_tensor y, float *where, tnn_tensor x,
                                         tnn_window window);
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
   makes the network's one allocation, of tnn_net_bytes(); no step allocates anything afterwards.

   In every options struct zero means the default. Where zero is wanted and is not the default
   (.beta1 = 0), say TNN_ZERO.                                                                    */
#define TNN_ZERO (-0.0)

typedef struct tnn_net tnn_net;

typedef struct tnn_net_options {
    int      input[3];      /* required: channels, height, width; {784} is {784, 1, 1} */
    int      batch;         /* the largest batch that will be given. Default 64 */
    int      threads;       /* default tnn_threads() */
    uint64_t seed;          /* of initialisation and dropout. Default 0 */
} tnn_net_options;

typedef enum tnn_layer_type {
    TNN_CONV2D = 1, /* .filters .kernel .stride .pad .dilation .groups .no_bias .init */
    TNN_DENSE,      /* .units .no_bias .init                y = x W^T + b */
    TNN_MAXPOOL2D,  /* .kernel .stride .pad .dilation .ceil */
    TNN_AVGPOOL2D,  /* .kernel .stride .pad .ceil .exclude_pad */
    TNN_FLATTEN,    /* (c, h, w) -> (c*h*w, 1, 1) */
    TNN_RELU,       /* max(x, 0) */
    TNN_LEAKY_RELU, /* .slope (default 0.01)                x > 0 ? x : slope x */
    TNN_DROPOUT     /* .p (default 0.5)    training only: 0 with probability p, else x / (1 - p) */
} tnn_layer_type;

/* How weights start. fan_in = inputs of one output; fan_out = filters times the window's size, or
   units; their average. U(a, b): uniform in [a, b). Value i of a tensor, in PyTorch's order, is a
   function of (seed, layer, i).
   All with a fan are one rule, Keras' VarianceScaling: of mean 0 and variance s/fan, normal or
   uniform in +-sqrt(3 s/fan). tnn_init_options changes both: s = gain^2, and another fan. In
   torch.nn.init kaiming_ is HE, xavier_ XAVIER; in Keras he_ is HE, glorot_ XAVIER, lecun_ LECUN,
   their normal ones with .truncated.
   Biases have .bias_init, of the kinds marked b. By default they are TNN_INIT_FAN_IN beside weights
   of TNN_INIT_DEFAULT (PyTorch), else 0 (Keras). */
typedef enum tnn_init {
    TNN_INIT_DEFAULT = 0,     /* uniform, s = 1/3, fan_in     PyTorch's for Linear and Conv2d,
                                                              +-1/sqrt(fan_in)                    */
    TNN_INIT_HE_UNIFORM,      /* uniform, s = 2, fan_in       He et al. 2015, eq. 10              */
    TNN_INIT_HE_NORMAL,       /* normal,  s = 2, fan_in                                           */
    TNN_INIT_XAVIER_UNIFORM,  /* uniform, s = 1, average      Glorot and Bengio 2010, eq. 16      */
    TNN_INIT_XAVIER_NORMAL,   /* normal,  s = 1, average                                          */
    TNN_INIT_ZERO,            /* 0                                                              b */
    TNN_INIT_LECUN_UNIFORM,   /* uniform, s = 1, fan_in       LeCun et al. 1998, section 4.6      */
    TNN_INIT_LECUN_NORMAL,    /* normal,  s = 1, fan_in       Klambauer et al. 2017 (SELU)        */
    TNN_INIT_FAN_IN,          /* uniform, s = 1/3, fan_in: the default by name                  b */
    TNN_INIT_UNIFORM,         /* U(min, max)                                                    b */
    TNN_INIT_NORMAL,          /* N(mean, std^2)                                                 b */
    TNN_INIT_TRUNCATED,       /* N(mean, std^2) within [min, max] (trunc_normal_)               b */
    TNN_INIT_CONSTANT,        /* value                                                          b */
    TNN_INIT_ONE,             /* 1                                                              b */
    TNN_INIT_EYE,             /* gain times the identity: dense 1 where output = input; conv2d 1 in
                                 the window's middle where output = input of each group (dirac_):
                                 with odd windows and half of them as pad it passes its input on */
    TNN_INIT_ORTHOGONAL,      /* gain times a random matrix (outputs, fan_in) with orthonormal rows,
                                 or columns if they are fewer          Saxe et al. 2014           */
    TNN_INIT_SPARSE           /* N(0, std^2), but of each column of that matrix a random `sparsity`
                                 of the outputs, rounded up, 0         Martens 2010               */
} tnn_init;
typedef enum tnn_fan { TNN_FAN_DEFAULT = 0, TNN_FAN_IN, TNN_FAN_OUT, TNN_FAN_AVERAGE } tnn_fan;
typedef struct tnn_init_options {
    double  gain;           /* default: sqrt(s) as above; EYE and ORTHOGONAL: 1 */
    tnn_fan fan;            /* default: as above */
    int     truncated;      /* normal ones with a fan: cut off at two deviations of a distribution
                               wide enough for the variance to come out (Keras) */
    double  mean, std;      /* defaults 0, 1; TNN_INIT_SPARSE: std 0.01 */
    double  min, max;       /* defaults 0, 1; TNN_INIT_TRUNCATED: -2, 2 (as they are, not in std);
                               what would be further than 6 std from the likeliest is not drawn */
    double  value;          /* TNN_INIT_CONSTANT */
    double  sparsity;       /* TNN_INIT_SPARSE: required, in (0, 1] */
} tnn_init_options;
/* torch.nn.init.calculate_gain: of "linear", "conv2d" and "sigmoid" 1, of "tanh" 5/3, of "relu"
   sqrt(2), of "leaky_relu" sqrt(2/(1 + slope^2)) (slope default 0.01), of "selu" 3/4.
   .init = TNN_INIT_HE_UNIFORM, .init_with = {.gain = tnn_calculate_gain("tanh", 0)}
   NaN for any other name. */
TNN_API double tnn_calculate_gain(const char *nonlinearity, double slope);

/* PENALTIES of a layer are added to its gradients by tnn_step, CONSTRAINTS hold after each step;
   both are of the weights, not of the biases.
     .l1 .l2       Keras' L1, L2 and L1L2: gradient l1 sign(w) + 2 l2 w. An optimizer's
                   .weight_decay d is l2 = d/2 of every parameter, biases too (AdamW's is another
                   thing: it does not go through the moments).
     .orthogonal   W (outputs, fan_in) towards orthonormal rows, of each group by itself: soft
                   orthogonality (Bansal et al. 2018, section 3.1). Gradient 4 s (W W^T - I) W. For
                   layers with at most fan_in outputs; others cannot reach 0.
   Of the constraints all but the last are one rule for n = the Euclidean norm of one output's
   weights: where n is not within [norm_min, norm_max] they are multiplied by
   (rate bound + (1 - rate) n)/(n + 1e-7), the bound being the nearer one. */
typedef enum tnn_constraint {
    TNN_UNCONSTRAINED = 0,
    TNN_MAX_NORM,       /* n <= .norm_max (default 2)         Srivastava et al. 2014, section 5.1 */
    TNN_UNIT_NORM,      /* n = 1                              Keras' UnitNorm                     */
    TNN_MIN_MAX_NORM,   /* .norm_min (default 0) <= n <= .norm_max (default 1), with .norm_rate
                           (default 1) in (0, 1]              Keras' MinMaxNorm                   */
    TNN_NON_NEGATIVE    /* w >= 0: the negative ones become 0 */
} tnn_constraint;

typedef struct tnn_layer {
    tnn_layer_type type;
    int   filters, units;                   /* outputs of conv2d, of dense */
    int   kernel, kernel_h, kernel_w;       /* the window, as in tnn_window */
    int   stride, stride_h, stride_w;
    int   pad, pad_h, pad_w;
    int   dilation, dilation_h, dilation_w;
    int   groups, ceil, exclude_pad;
    int   no_bias;
    float slope, p;
    tnn_init init;                          /* of the weights */
    tnn_init_options init_with;
    tnn_init bias_init;
    tnn_init_options bias_init_with;
    double l1, l2;                          /* penalty l1 sum |w| + l2 sum w^2 (elastic net) */
    double orthogonal;                      /* penalty orthogonal |W W^T - I|^2 */
    tnn_constraint constraint;
    double norm_min, norm_max, norm_rate;
} tnn_layer;

/* The sum of all layers' penalties at the present weights: what training minimises is the loss and
   this. NaN on error. */
TNN_API double tnn_penalty(tnn_net *net);

typedef enum tnn_loss_type {
    TNN_CROSS_ENTROPY = 1   /* of softmax(logits), mean over the batch (weighted mean with
                               .class_weights): torch.nn.CrossEntropyLoss */
} tnn_loss_type;

typedef struct tnn_loss_options {
    tnn_loss_type type;
    float         label_smoothing;  /* in [0, 1]: target (1-s) [c = label] + s/classes */
    const float  *class_weights;    /* one per class, copied; NULL: all 1 */
} tnn_loss_options;

typedef enum tnn_optimizer_type {
    TNN_SGD = 1,    /* .lr .momentum .dampening .nesterov .weight_decay (L2: added to gradient) */
    TNN_ADAM,       /* .lr .beta1 .beta2 .eps .weight_decay (L2)       Kingma and Ba 2015, alg. 1 */
    TNN_ADAMW       /* the same, weight decay decoupled                Loshchilov and Hutter 2019 */
} tnn_optimizer_type;

typedef struct tnn_optimizer {
    tnn_optimizer_type type;
    double lr;              /* default 1e-3                                  */
    double momentum;        /* SGD: default 0                                */
    double dampening;       /* SGD: default 0                                */
    int    nesterov;        /* SGD: needs momentum and no dampening          */
    double weight_decay;    /* default 0; AdamW 0.01                         */
    double beta1, beta2;    /* default 0.9, 0.999                            */
    double eps;             /* default 1e-8                                  */
} tnn_optimizer;

TNN_API tnn_net   *tnn_net_create(const tnn_net_options *options);  /* NULL on failure */
TNN_API void       tnn_free(tnn_net *net);
TNN_API tnn_status tnn_add_layer(tnn_net *net, const tnn_layer *layer);
TNN_API tnn_status tnn_net_loss(tnn_net *net, const tnn_loss_options *loss);
TNN_API tnn_status tnn_net_optimizer(tnn_net *net, const tnn_optimizer *optimizer);

TNN_API size_t     tnn_net_bytes(tnn_net *net);    /* what tnn_build will allocate, 0 on error */
TNN_API tnn_status tnn_build(tnn_net *net);
TNN_API int        tnn_output_shape(tnn_net *net, int shape[3]);  /* c, h, w; their product, or 0 */

typedef enum tnn_mode { TNN_EVAL = 0, TNN_TRAIN = 1 } tnn_mode;

/* x holds n samples (c, h, w), 1 <= n <= .batch; it must stay unchanged until tnn_backward. */
TNN_API tnn_status   tnn_forward(tnn_net *net, const float *x, int n, tnn_mode mode);
TNN_API const float *tnn_output(tnn_net *net);     /* (n, c, h, w) of the last forward */
/* The loss of the last forward against n labels in 0..classes-1, and its gradient; NaN on error. */
TNN_API double       tnn_loss(tnn_net *net, const int *labels);
TNN_API int          tnn_correct(const tnn_net *net);  /* samples of the last loss whose largest
                                                          logit is their label's */
TNN_API tnn_status   tnn_backward(tnn_net *net);   /* overwrites the gradients */
TNN_API tnn_status   tnn_step(tnn_net *net);       /* one update of the parameters */
/* forward in training mode, loss, backward and step; returns the loss. */
TNN_API double       tnn_train_batch(tnn_net *net, const float *x, const int *labels, int n);
TNN_API tnn_status   tnn_set_lr(tnn_net *net, double lr);
TNN_API double       tnn_lr(const tnn_net *net);

/* Parameters by name, "LAYER.weight" and "LAYER.bias" with LAYER the index in order of tnn_add,
   as in torch.nn.Sequential, in PyTorch's shapes: conv2d (filters, c/groups, kh, kw), dense
   (units, inputs), bias (count). The network keeps them in an order of its own; these convert. */
typedef struct tnn_param {
    const char *name;
    int         ndim, dims[4];
    int         count;              /* product of dims */
} tnn_param;
TNN_API int        tnn_param_count(tnn_net *net);                     /* number of named tensors */
TNN_API tnn_param  tnn_param_info(tnn_net *net, int i);
TNN_API long long  tnn_param_total(tnn_net *net);                     /* number of trained floats */
TNN_API tnn_status tnn_get_param(tnn_net *net, const char *name, float *values, int count);
TNN_API tnn_status tnn_set_param(tnn_net *net, const char *name, const float *values, int count);
TNN_API tnn_status tnn_get_grad(tnn_net *net, const char *name, float *values, int count);
/* The flat vectors themselves, in the private order, padding (always zero) included: for averaging
   over machines, hooks, checksums. `which`: 0 parameters, 1 gradients, 2 and up the optimizer's
   moments. Returns NULL where there is none. */
TNN_API float     *tnn_flat(tnn_net *net, int which, size_t *count);
/* FNV-1a 64 of all parameters in PyTorch's order: equal networks, equal numbers. */
TNN_API uint64_t   tnn_hash(tnn_net *net);

/* ---- 1f. Data ---------------------------------------------------------------------------------
   A data set is samples of (c, h, w) bytes or floats with one label each. What loads one owns it
   (`memory`); subsets and splits are views that must not outlive it, with `index` their own. */
typedef struct tnn_data {
    int                  n, c, h, w;
    int                  classes;       /* 1 + the largest label */
    const unsigned char *bytes;         /* samples, one of the two */
    const float         *floats;
    const int           *labels;
    const int           *index;         /* sample i is number index[i]; NULL: i */
    float                mean, std;     /* given x = (v - mean) / std, v = byte/255 or the float */
    void                *memory;        /* what tnn_data_free frees */
} tnn_data;

/* IDX files (yann.lecun.com/exdb/mnist), not compressed: images (n, h, w) or (n, c, h, w) of
   unsigned bytes, labels (n). .n is 0 on failure. The second form reads them from memory. */
#ifndef TINYNN_NO_STDIO
TNN_API tnn_data   tnn_load_idx(const char *images_path, const char *labels_path);
#endif
TNN_API tnn_data   tnn_parse_idx(const void *images, size_t images_size,
                                 const void *labels, size_t labels_size);
/* Samples the caller keeps; exactly one of bytes and floats is not NULL. */
TNN_API tnn_data   tnn_data_view(const unsigned char *bytes, const float *floats, const int *labels,
                                 int n, int c, int h, int w);
TNN_API void       tnn_data_free(tnn_data *data);
TNN_API tnn_status tnn_normalize(tnn_data *data, float mean, float std);
TNN_API tnn_data   tnn_subset(const tnn_data *data, int first, int count);
/* A random `count` samples in *a, the others in *b (torch.utils.data.random_split). */
TNN_API tnn_status tnn_split(const tnn_data *data, int count, uint64_t seed,
                             tnn_data *a, tnn_data *b);
/* Sample i as floats (c, h, w), normalised. */
TNN_API tnn_status tnn_sample(const tnn_data *data, int i, float *x);

/* Batches of a data set, the last one as small as it comes (PyTorch's DataLoader). tnn_next fills
   x, labels and n and returns n, or 0 at the end of an epoch; the next call starts another one.
   Epoch e is shuffled by (seed, e): a loader's batches do not depend on what was drawn before. */
typedef struct tnn_loader {
    float *x;               /* (n, c, h, w) */
    int   *labels;          /* n            */
    float *targets;         /* (n, classes of the data), with .mixup or .cutmix, for
                               tnn_loss_targets; else NULL */
    int    n;
    int    epoch, batch_index, batches;   /* counted from 0; batches per epoch */
    struct tnn__loader *state;
} tnn_loader;

/* AUGMENTATION, by options of the loader that are off where they are 0. What happens to sample i
   (its place in the loader's data) in epoch e is a function of (seed, e, i): the same in batches of
   any size and order. u is uniform in what is said, each drawn on its own. In this order:
     geometry, one map from each pixel to where it is taken from, sampled once, bilinearly; whole
     pixels and mirrors move values as they are. About the image's middle, in pixels, y downwards:
       .flip .flip_vertical  mirror left and right, top and bottom, with that probability
       .rotate               by u degrees in [-rotate, rotate], x towards y
       .shear                x by -y tan u, u degrees in [-shear, shear]
       .scale_min .scale_max by a factor u in [scale_min, scale_max]; each default 1
       .shift                by u, as a fraction of width and height in [-shift, shift], rounded to
                             whole pixels                   (these four: torchvision RandomAffine)
       .crop_pad             pad by that many pixels, crop to the old size at random (RandomCrop)
     .border says what lies outside of the image, .fill its value.
     colour, of values within [0, 1] and clipped to them; in random order (ColorJitter):
       .brightness .contrast .saturation   v = f v + (1 - f) b, f = u in [max(0, 1 - o), 1 + o] for
                             option o; b = 0; the mean grey of the image; the pixel's grey
       .hue                  turned by u in [-hue, hue] of the circle, hue at most 1/2
     Saturation and hue need 3 channels; grey = 0.2989 r + 0.587 g + 0.114 b, or the channels' mean.
     normalisation; so all this is before it: on byte/255, or on floats as they are.
     erasing, to 0, the mean of normalised data:
       .cutout               a square of that many pixels, its centre u in the image (DeVries and
                             Taylor 2017)
       .erase                with that probability a rectangle of u in [erase_min, erase_max] of the
                             area, width to height [1/erase_ratio, erase_ratio], uniform in its
                             logarithm (Zhong et al. 2020, torchvision RandomErasing)
     mixing, with probability .mix (default 1), with another sample j of the data, augmented in its
     turn; lambda ~ Beta(alpha, alpha), targets = lambda of i's label + 1 - lambda of j's:
       .mixup = alpha        x = lambda x_i + (1 - lambda) x_j             (Zhang et al. 2018)
       .cutmix = alpha       x_j in a rectangle of 1 - lambda of the area, then clipped; lambda what
                             is left (Yun et al. 2019). With both, either with probability 1/2. */
typedef enum tnn_border {
    TNN_BORDER_FILL = 0,    /* .fill                                      */
    TNN_BORDER_EDGE,        /* the nearest pixel                          */
    TNN_BORDER_REFLECT      /* mirrored at the outermost pixel: c b a b c */
} tnn_border;

typedef struct tnn_loader_options {
    int      batch;         /* default 64                     */
    int      shuffle;       /* default 0: in order            */
    int      drop_last;     /* default 0: keep a smaller last */
    uint64_t seed;
    double   flip, flip_vertical;               /* probabilities              */
    double   rotate, shear;                     /* degrees; shear at most 80  */
    double   scale_min, scale_max;              /* factors in [0.01, 100]     */
    double   shift;                             /* fraction in [0, 1]         */
    int      crop_pad;                          /* pixels                     */
    tnn_border border;
    double   fill;                              /* before normalisation       */
    double   brightness, contrast, saturation;  /* each at least 0            */
    double   hue;
    int      cutout;                            /* pixels                     */
    double   erase;                             /* probability                */
    double   erase_min, erase_max, erase_ratio; /* default 0.02, 0.33, 3.3    */
    double   mixup, cutmix, mix;
} tnn_loader_options;
TNN_API tnn_loader *tnn_loader_open(const tnn_data *data, const tnn_loader_options *options);
TNN_API int         tnn_next(tnn_loader *loader);
TNN_API void        tnn_loader_free(tnn_loader *loader);

/* ---- 1g. Training and metrics ---------------------------------------------------------------- */
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

/* The gradients of a network's parameters against central differences of its loss in training
   mode, on one batch: the largest |analytic - numeric| / max(0.1 * largest gradient, |both|) over
   `samples` elements. Leaves the parameters as they were. NaN on error. */
TNN_API double tnn_gradient_check(tnn_net *net, const float *x, const int *labels, int n,
                                  int samples);

/* The macros of 1h note the caller's line with this. */
TNN_API void tnn_at(const char *file, int line);

#ifdef __cplusplus
}
#endif

/* ---- 1h. Named arguments, and the caller's line -----------------------------------------------
   tnn_add(net, TNN_DENSE, .units = 10) in C99 (and C++20, members in the order above) makes an
   options struct. Every other language and C++ before 20 fills one in and calls the function
   behind the macro. The macros also note the caller's file and line for messages. */
#define TNN__HERE tnn_at(__FILE__, __LINE__)
#ifdef __cplusplus
#define TNN__OPTIONS(type, ...) tnn__address(type{__VA_ARGS__})
extern "C++" {     /* also where the header is included inside extern "C" */
template <class T> static inline const T *tnn__address(const T &t) { return &t; }
}
#else
#define TNN__OPTIONS(type, ...) &(type){__VA_ARGS__}
#endif
#define tnn_create(...) \
    (TNN__HERE, tnn_net_create(TNN__OPTIONS(tnn_net_options, __VA_ARGS__)))
#define tnn_add(net, ...) \
    (TNN__HERE, tnn_add_layer(net, TNN__OPTIONS(tnn_layer, .type = __VA_ARGS__)))
#define tnn_set_loss(net, ...) \
    (TNN__HERE, tnn_net_loss(net, TNN__OPTIONS(tnn_loss_options, .type = __VA_ARGS__)))
#define tnn_set_optimizer(net, ...) \
    (TNN__HERE, tnn_net_optimizer(net, TNN__OPTIONS(tnn_optimizer, .type = __VA_ARGS__)))
#define tnn_loader_create(data, ...) \
    (TNN__HERE, tnn_loader_open(data, TNN__OPTIONS(tnn_loader_options, __VA_ARGS__)))
/* Function-like macros do not expand within themselves: each of these notes the line and calls. */
#define tnn_set_isa(...)                 (TNN__HERE, tnn_set_isa(__VA_ARGS__))
#define tnn_tensor_create(...)           (TNN__HERE, tnn_tensor_create(__VA_ARGS__))
#define tnn_tensor_slice(...)            (TNN__HERE, tnn_tensor_slice(__VA_ARGS__))
#define tnn_fill(...)                    (TNN__HERE, tnn_fill(__VA_ARGS__))
#define tnn_matmul(...)                  (TNN__HERE, tnn_matmul(__VA_ARGS__))
#define tnn_conv2d_forward(...)          (TNN__HERE, tnn_conv2d_forward(__VA_ARGS__))
#define tnn_conv2d_backward_input(...)   (TNN__HERE, tnn_conv2d_backward_input(__VA_ARGS__))
#define tnn_conv2d_backward_weights(...) (TNN__HERE, tnn_conv2d_backward_weights(__VA_ARGS__))
#define tnn_maxpool2d_forward(...)       (TNN__HERE, tnn_maxpool2d_forward(__VA_ARGS__))
#define tnn_maxpool2d_backward(...)      (TNN__HERE, tnn_maxpool2d_backward(__VA_ARGS__))
#define tnn_avgpool2d_forward(...)       (TNN__HERE, tnn_avgpool2d_forward(__VA_ARGS__))
#define tnn_avgpool2d_backward(...)      (TNN__HERE, tnn_avgpool2d_backward(__VA_ARGS__))
#define tnn_softmax(...)                 (TNN__HERE, tnn_softmax(__VA_ARGS__))
#define tnn_log_softmax(...)             (TNN__HERE, tnn_log_softmax(__VA_ARGS__))
#define tnn_max(...)                     (TNN__HERE, tnn_max(__VA_ARGS__))
#define tnn_dot(...)                     (TNN__HERE, tnn_dot(__VA_ARGS__))
#define tnn_calculate_gain(...)          (TNN__HERE, tnn_calculate_gain(__VA_ARGS__))
#define tnn_net_create(...)              (TNN__HERE, tnn_net_create(__VA_ARGS__))
#define tnn_add_layer(...)               (TNN__HERE, tnn_add_layer(__VA_ARGS__))
#define tnn_net_loss(...)                (TNN__HERE, tnn_net_loss(__VA_ARGS__))
#define tnn_net_optimizer(...)           (TNN__HERE, tnn_net_optimizer(__VA_ARGS__))
#define tnn_net_bytes(...)               (TNN__HERE, tnn_net_bytes(__VA_ARGS__))
#define tnn_build(...)                   (TNN__HERE, tnn_build(__VA_ARGS__))
#define tnn_output_shape(...)            (TNN__HERE, tnn_output_shape(__VA_ARGS__))
#define tnn_forward(...)                 (TNN__HERE, tnn_forward(__VA_ARGS__))
#define tnn_output(...)                  (TNN__HERE, tnn_output(__VA_ARGS__))
#define tnn_loss(...)                    (TNN__HERE, tnn_loss(__VA_ARGS__))
#define tnn_backward(...)                (TNN__HERE, tnn_backward(__VA_ARGS__))
#define tnn_step(...)                    (TNN__HERE, tnn_step(__VA_ARGS__))
#define tnn_penalty(...)                 (TNN__HERE, tnn_penalty(__VA_ARGS__))
#define tnn_train_batch(...)             (TNN__HERE, tnn_train_batch(__VA_ARGS__))
#define tnn_set_lr(...)                  (TNN__HERE, tnn_set_lr(__VA_ARGS__))
#define tnn_param_count(...)             (TNN__HERE, tnn_param_count(__VA_ARGS__))
#define tnn_param_info(...)              (TNN__HERE, tnn_param_info(__VA_ARGS__))
#define tnn_param_total(...)             (TNN__HERE, tnn_param_total(__VA_ARGS__))
#define tnn_get_param(...)               (TNN__HERE, tnn_get_param(__VA_ARGS__))
#define tnn_set_param(...)               (TNN__HERE, tnn_set_param(__VA_ARGS__))
#define tnn_get_grad(...)                (TNN__HERE, tnn_get_grad(__VA_ARGS__))
#define tnn_flat(...)                    (TNN__HERE, tnn_flat(__VA_ARGS__))
#define tnn_hash(...)                    (TNN__HERE, tnn_hash(__VA_ARGS__))
#define tnn_load_idx(...)                (TNN__HERE, tnn_load_idx(__VA_ARGS__))
#define tnn_parse_idx(...)               (TNN__HERE, tnn_parse_idx(__VA_ARGS__))
#define tnn_data_view(...)               (TNN__HERE, tnn_data_view(__VA_ARGS__))
#define tnn_normalize(...)               (TNN__HERE, tnn_normalize(__VA_ARGS__))
#define tnn_subset(...)                  (TNN__HERE, tnn_subset(__VA_ARGS__))
#define tnn_split(...)                   (TNN__HERE, tnn_split(__VA_ARGS__))
#define tnn_sample(...)                  (TNN__HERE, tnn_sample(__VA_ARGS__))
#define tnn_loader_open(...)             (TNN__HERE, tnn_loader_open(__VA_ARGS__))
#define tnn_next(...)                    (TNN__HERE, tnn_next(__VA_ARGS__))
#define tnn_evaluate(...)                (TNN__HERE, tnn_evaluate(__VA_ARGS__))
#define tnn_confusion(...)               (TNN__HERE, tnn_confusion(__VA_ARGS__))
#define tnn_train_epoch(...)             (TNN__HERE, tnn_train_epoch(__VA_ARGS__))
#define tnn_gradient_check(...)          (TNN__HERE, tnn_gradient_check(__VA_ARGS__))

#endif /* TINYNN_H */

#if defined(TINYNN_IMPLEMENTATION) && (defined(TNN__PASS) || !defined(TNN__IMPLEMENTED))

/* ==== 2. FOUNDATIONS ========================================================================== */
#ifndef TNN__PASS
#define TNN__IMPLEMENTED

/* ---- 2a. Portability --------------------------------------------------------------------------
   Everything that depends on the compiler stands here (the vector layer of 3a aside).            */
#include <limits.h>
#include <math.h>           /* fmaf, sqrt and sqrtf only: the exact ones */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#ifndef TINYNN_NO_STDIO
#include <stdio.h>
#endif

#if defined(__FAST_MATH__) || defined(_M_FP_FAST)
#error "tinynn.h promises the same bits on every machine: " \
       "compile without -ffast-math, -Ofast, /fp:fast"
#endif

/* The kernels of part 3 are read once per instruction set: this file includes itself. The name is
   fixed because __FILE__ is relative to where the compiler was started, while a quoted #include is
   looked up beside the file that contains it. */
#ifndef TINYNN_SELF
#define TINYNN_SELF "tinynn.h"
#endif
#ifdef __has_include
#if !__has_include(TINYNN_SELF)
#error "tinynn.h has another name here: #define TINYNN_SELF \"that_name.h\" before including it"
#endif
#endif

#if defined(TINYNN_NO_SIMD) || defined(__TINYC__) || defined(__BIG_ENDIAN__)
    /* scalar only */
#elif (defined(__x86_64__) && defined(__GNUC__)) || defined(_M_X64)
    #define TNN__X86
    #include <immintrin.h>              /* declares every intrinsic, whatever the flags */
    #ifndef _MSC_VER
        #include <cpuid.h>
    #endif
#elif (defined(__aarch64__) && defined(__GNUC__)) || defined(_M_ARM64)
    #define TNN__NEON
    #include <arm_neon.h>
#endif

#if defined(__GNUC__) && !defined(__TINYC__)
    #define TNN__TARGET(isa) __attribute__((target(isa)))
    #define TNN__INLINE      static inline __attribute__((always_inline, unused))
    #define TNN__UNUSED      __attribute__((unused))
    #define TNN__THREAD      static __thread
    #define TNN__LOAD(p)     __atomic_load_n(p, __ATOMIC_SEQ_CST)
    #define TNN__STORE(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
    #define TNN__ADD(p, v)   __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)     /* the old value */
    #define TNN__AND(p, v)   __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
    #define TNN__SWAP(p, old, v) \
        __atomic_compare_exchange_n(p, &(old), v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#elif defined(_MSC_VER)
    #include <intrin.h>
    #define TNN__TARGET(isa)            /* MSVC compiles any intrinsic anywhere */
    #define TNN__INLINE      static __forceinline
    #define TNN__UNUSED
    #define TNN__THREAD      static __declspec(thread)
    #define TNN__LOAD(p)     _InterlockedOr((volatile long *)(p), 0)
    #define TNN__STORE(p, v) _InterlockedExchange((volatile long *)(p), (long)(v))
    #define TNN__ADD(p, v)   _InterlockedExchangeAdd((volatile long *)(p), (long)(v))
    #define TNN__AND(p, v)   _InterlockedAnd((volatile long *)(p), (long)(v))
    #define TNN__SWAP(p, old, v) \
        (_InterlockedCompareExchange((volatile long *)(p), (long)(v), (long)(old)) == (long)(old))
#else
    #define TNN__TARGET(isa)
    #define TNN__INLINE      static
    #define TNN__UNUSED
    #define TNN__THREAD      static
    #ifndef TINYNN_NO_THREADS
    #define TINYNN_NO_THREADS
    #endif
#endif
#ifndef TNN__LOAD
    #define TNN__LOAD(p)     (*(p))
    #define TNN__STORE(p, v) (*(p) = (v))
#endif
#if defined(__GNUC__) || defined(_MSC_VER)
    #define TNN__RESTRICT __restrict
#else
    #define TNN__RESTRICT
#endif
#ifndef TINYNN_NO_THREADS
    #if defined(_WIN32)
        /* These few as windows.h declares them; its macros would get into the user's program. */
        #include <process.h>
        #ifdef __cplusplus
        extern "C" {
        #endif
        #define TNN__WINDOWS __declspec(dllimport)
        struct _RTL_SRWLOCK;
        struct _RTL_CONDITION_VARIABLE;
        TNN__WINDOWS void __stdcall AcquireSRWLockExclusive(struct _RTL_SRWLOCK *);
        TNN__WINDOWS void __stdcall ReleaseSRWLockExclusive(struct _RTL_SRWLOCK *);
        TNN__WINDOWS int  __stdcall SleepConditionVariableSRW(struct _RTL_CONDITION_VARIABLE *,
                                        struct _RTL_SRWLOCK *, unsigned long, unsigned long);
        TNN__WINDOWS void __stdcall WakeAllConditionVariable(struct _RTL_CONDITION_VARIABLE *);
        TNN__WINDOWS int  __stdcall SwitchToThread(void);
        TNN__WINDOWS int  __stdcall CloseHandle(void *);
        TNN__WINDOWS unsigned long __stdcall GetActiveProcessorCount(unsigned short);
        #ifdef __cplusplus
        }
        #endif
    #else
        #include <pthread.h>
        #include <sched.h>
        #include <unistd.h>
    #endif
#endif

#define TNN__CAT_(a, b) a##b
#define TNN__CAT(a, b)  TNN__CAT_(a, b)
#define TNN__STR_(a)    #a
#define TNN__STR(a)     TNN__STR_(a)
#define TNN__MIN(a, b)  ((a) < (b) ? (a) : (b))
#define TNN__MAX(a, b)  ((a) > (b) ? (a) : (b))

/* gcc fuses a*b + c on its own, even across intrinsics, unless told not to; and gcc 12 warns about
   its own _mm512_undefined_ps(). Both end with the implementation. */
#if defined(__clang__)
    #pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
    #pragma GCC push_options
    #pragma GCC optimize("fp-contract=off")
    #pragma GCC diagnostic push
    #pragma GCC diagnostic ignored "-Wuninitialized"
    #pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#elif defined(_MSC_VER)
    #pragma fp_contract(off)
#endif

typedef ptrdiff_t tnn__len;     /* counts and strides of floats: signed, so that they may mix */

/* a*b + c, rounded once: fmaf, but where it rounds twice (mingw). There from doubles: the product
   of two floats is exact in one, and their sum survives a second rounding if its last bit is odd
   whenever it is not exact (Boldo and Melquiond 2008). */
#ifdef __MINGW32__
static float tnn__fma(float a, float b, float c)
{
    const double p = (double)a*(double)b, s = p + (double)c, t = s - p;
    const double e = (p - (s - t)) + ((double)c - t);           /* p + c = s + e */
    double odd = s;
    uint64_t u;
    memcpy(&u, &s, sizeof u);
    if ((e > 0 || e < 0) && u%2 == 0) {
        u = (e > 0) == (s > 0) ? u + 1 : u - 1;
        memcpy(&odd, &u, sizeof odd);
    }
    return (float)odd;
}
#else
#define tnn__fma fmaf
#endif

/* ---- 2b. Errors ------------------------------------------------------------------------------ */
typedef struct {
    const char *file;           /* where the caller is, or NULL */
    int         line;
    tnn_status  status;
    char        message[400];
} tnn__error_state;
TNN__THREAD tnn__error_state tnn__err;
static void (*tnn__log)(void *, const char *);
static void *tnn__log_user;

TNN_API void tnn_at(const char *file, int line)
{
    tnn__err.file = file;
    tnn__err.line = line;
}
TNN_API int         tnn_failed(void) { return (int)tnn__err.status; }
TNN_API const char *tnn_error(void)  { return tnn__err.status ? tnn__err.message : ""; }
TNN_API void        tnn_clear_error(void)
{
    tnn__err.status = TNN_OK;
    tnn__err.message[0] = 0;
}
TNN_API void        tnn_set_logger(void (*log)(void *user, const char *message), void *user)
{
    tnn__log = log;
    tnn__log_user = user;
}

/* The little of printf that messages need, so that they work without stdio:
   %s string, %d int, %l long long, %g double with up to 6 significant digits. */
static char *tnn__put(char *to, char *end, const char *s)
{
    while (*s && to < end) *to++ = *s++;
    return to;
}
static char *tnn__put_int(char *to, char *end, long long v)
{
    char digits[24], *d = digits + sizeof digits - 1;
    unsigned long long u = v < 0 ? 0ull - (unsigned long long)v : (unsigned long long)v;
    *d = 0;
    do *--d = (char)('0' + u % 10); while (u /= 10);
    if (v < 0) *--d = '-';
    return tnn__put(to, end, d);
}
static char *tnn__put_double(char *to, char *end, double v)
{
    int e = 0;
    long long m;
    if (v != v) return tnn__put(to, end, "nan");
    if (v < 0) { to = tnn__put(to, end, "-"); v = -v; }
    if (v > 1e300) return tnn__put(to, end, "inf");
    if (v == 0) return tnn__put(to, end, "0");
    while (v >= 1e6) { v /= 10; e++; }
    while (v < 1e5 && e > -320) { v *= 10; e--; }
    m = (long long)(v + 0.5);                           /* six digits, m * 10^e */
    while (m % 10 == 0) { m /= 10; e++; }
    if (e >= 0 && e <= 3) { while (e--) m *= 10; return tnn__put_int(to, end, m); }
    if (e < 0 && e > -10) {
        long long p = 1;
        int k;
        for (k = 0; k < -e; k++) p *= 10;
        to = tnn__put(tnn__put_int(to, end, m / p), end, ".");
        for (m %= p, p /= 10; p > m && p > 1; p /= 10) to = tnn__put(to, end, "0");
        return tnn__put_int(to, end, m);
    }
    return tnn__put_int(tnn__put(tnn__put_int(to, end, m), end, "e"), end, e);
}
static void tnn__format(char *to, size_t size, const char *format, va_list args)
{
    char *end = to + size - 1;
    for (; *format && to < end; format++) {
        if (*format != '%') { *to++ = *format; continue; }
        switch (*++format) {
        case 's': to = tnn__put(to, end, va_arg(args, const char *)); break;
        case 'd': to = tnn__put_int(to, end, va_arg(args, int)); break;
        case 'l': to = tnn__put_int(to, end, va_arg(args, long long)); break;
        case 'g': to = tnn__put_double(to, end, va_arg(args, double)); break;
        default:  *to++ = '%'; format -= *format == 0; break;
        }
    }
    *to = 0;
}

/* Records an error of the call at file:line (NULL: unknown), tells the logger, returns status. */
static tnn_status tnn__fail_at(const char *file, int line, tnn_status status, const char *format,
                               va_list args)
{
    char text[sizeof tnn__err.message], *to = text, *end = text + sizeof text - 1;
    if (file) {
        const char *name = file, *p;
        for (p = file; *p; p++) if (*p == '/' || *p == '\\') name = p + 1;
        to = tnn__put(tnn__put_int(tnn__put(tnn__put(to, end, name), end, ":"), end, line),
                      end, ": ");
    }
    tnn__format(to, (size_t)(end - to) + 1, format, args);
    if (!tnn__err.status) {
        tnn__err.status = status;
        memcpy(tnn__err.message, text, sizeof text);
    }
    if (tnn__log) tnn__log(tnn__log_user, text);
    return status;
}
static tnn_status tnn__fail(tnn_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    status = tnn__fail_at(tnn__err.file, tnn__err.line, status, format, args);
    va_end(args);
    return status;
}

/* An option: zero means the default, TNN_ZERO (-0) zero. */
static double tnn__default(double value, double otherwise)
{
    return value > 0 || value < 0 ? value : value != value ? value : 1/value < 0 ? 0 : otherwise;
}

/* ---- 2c. Memory -------------------------------------------------------------------------------
   TINYNN_MALLOC(context, bytes) and TINYNN_FREE(context, pointer) may be defined by the includer;
   `context` is the expression TINYNN_CONTEXT. */
#ifndef TINYNN_CONTEXT
#define TINYNN_CONTEXT NULL
#endif
#ifndef TINYNN_MALLOC
#define TINYNN_MALLOC(context, bytes) malloc(bytes)
#define TINYNN_FREE(context, pointer) free(pointer)
#endif
#define TNN__ALIGN 64           /* bytes: a cache line, and the widest vector */
#define TNN__SLACK 32           /* floats past the end that a kernel may read, never use */

/* Products of sizes saturate here, so that no sum of a few of them overflows. */
#define TNN__HUGE ((tnn__len)(PTRDIFF_MAX / 64))
static tnn__len tnn__mul(tnn__len a, tnn__len b)
{
    return b != 0 && a > TNN__HUGE / b ? TNN__HUGE : a * b;
}
static tnn__len tnn__round_up(tnn__len n, tnn__len unit) { return (n + unit - 1) / unit * unit; }

/* Memory at a multiple of TNN__ALIGN bytes; the allocator's own pointer stands before it. */
static void *tnn__alloc_raw(tnn__len bytes, const char *what)
{
    char *raw = NULL, *p;
    if (bytes < TNN__HUGE)
        raw = (char *)TINYNN_MALLOC(TINYNN_CONTEXT, (size_t)bytes + TNN__ALIGN + sizeof raw);
    if (!raw) {
        tnn__fail(TNN_ERROR_MEMORY, "%s: cannot allocate %l bytes", what, (long long)bytes);
        return NULL;
    }
    p = raw + sizeof raw;
    p += (TNN__ALIGN - (uintptr_t)p % TNN__ALIGN) % TNN__ALIGN;
    memcpy(p - sizeof raw, &raw, sizeof raw);
    return p;
}
static void *tnn__alloc(tnn__len bytes, const char *what)       /* of zeros */
{
    void *p = tnn__alloc_raw(bytes, what);
    if (p) memset(p, 0, (size_t)bytes);
    return p;
}
static void tnn__release(void *p)
{
    char *raw;
    if (!p) return;
    memcpy(&raw, (char *)p - sizeof raw, sizeof raw);
    TINYNN_FREE(TINYNN_CONTEXT, raw);
}
static float *tnn__floats(tnn__len count, const char *what)
{
    return (float *)tnn__alloc(tnn__mul(count + TNN__SLACK, (tnn__len)sizeof(float)), what);
}
static float *tnn__workspace(tnn__len count, const char *what)  /* not zeroed */
{
    return (float *)tnn__alloc_raw(tnn__mul(count + TNN__SLACK, (tnn__len)sizeof(float)), what);
}

/* ---- 2d. Random numbers -----------------------------------------------------------------------
   Philox4x32-10: ten rounds of two 32 x 32 -> 64 bit products over a 128-bit counter
   (index, stream) with a 64-bit key (seed). */
#define TNN__PHILOX_M0 0xD2511F53u
#define TNN__PHILOX_M1 0xCD9E8D57u
#define TNN__PHILOX_W0 0x9E3779B9u
#define TNN__PHILOX_W1 0xBB67AE85u
static void tnn__philox(uint64_t seed, uint64_t stream, uint64_t block, uint32_t r[4])
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    int i;
    r[0] = (uint32_t)block;  r[1] = (uint32_t)(block >> 32);
    r[2] = (uint32_t)stream; r[3] = (uint32_t)(stream >> 32);
    for (i = 0; i < 10; i++, k0 += TNN__PHILOX_W0, k1 += TNN__PHILOX_W1) {
        uint64_t p0 = (uint64_t)TNN__PHILOX_M0 * r[0];
        uint64_t p1 = (uint64_t)TNN__PHILOX_M1 * r[2];
        uint32_t r0 = (uint32_t)(p1 >> 32) ^ r[1] ^ k0;
        uint32_t r2 = (uint32_t)(p0 >> 32) ^ r[3] ^ k1;
        r[0] = r0; r[1] = (uint32_t)p1; r[2] = r2; r[3] = (uint32_t)p0;
    }
}
TNN_API uint32_t tnn_random_bits(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t r[4];
    tnn__philox(seed, stream, index / 4, r);
    return r[index % 4];
}
TNN_API float tnn_random_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    return (float)(tnn_random_bits(seed, stream, index) >> 8) * (1.0f / 16777216.0f);
}

/* log and cos in plain double arithmetic, to about 1e-15: libm's differ from machine to machine. */
static double tnn__log_double(double x)
{
    /* x = 2^e m with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m-1)/(m+1) */
    int e = 0, k;
    double s, q, sum = 0;
    if (!(x > 0)) return x == 0 ? -HUGE_VAL : x - x;
    if (x > 1e308) return x;
    while (x >= 4294967296.0) { x *= 1.0 / 4294967296.0; e += 32; }
    while (x < 1.0 / 4294967296.0) { x *= 4294967296.0; e -= 32; }
    while (x >= 1.4142135623730951) { x *= 0.5; e++; }
    while (x < 0.7071067811865476) { x *= 2; e--; }
    s = (x - 1) / (x + 1);
    q = s * s;
    for (k = 23; k >= 1; k -= 2) sum = sum * q + 1.0 / k;
    return 2 * s * sum + e * 0.6931471805599453;
}
static double tnn__cos_turn(double u)   /* cos(2 pi u), 0 <= u < 1 */
{
    double t = u < 0.5 ? u : 1 - u, sign = 1, q, term = 1, sum = 1;
    int k, odd = 0;
    if (t > 0.25) { t = 0.5 - t; sign = -1; }           /* now t <= 1/4 */
    if (t > 0.125) { t = 0.25 - t; odd = 1; }           /* cos x = sin(pi/2 - x) */
    t *= 6.283185307179586;
    q = -t * t;
    for (k = 1 + odd; k < 20; k += 2) {
        term = term * q / (k * (k + 1));
        sum += term;
    }
    return sign * (odd ? t * sum : sum);
}
/* e^x to 3e-16 of itself: x = k log 2 + r with |r| <= log(2)/2, then r's series. log 2 stands in
   two parts, the upper one short enough that k times it is exact. */
static double tnn__exp_double(double x)
{
    double r, e = 1;
    int k, i;
    if (!(x > -746)) return x != x ? x : 0;
    if (x > 709.79) return HUGE_VAL;
    k = (int)(x*1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
    r = x - k*0.69314718036912382 - k*1.9082149292705877e-10;
    for (i = 15; i >= 1; i--) e = 1 + r/i*e;
    for (; k > 0; k--) e *= 2;
    for (; k < 0; k++) e *= 0.5;
    return e;
}
/* Box and Muller 1958, from words 0 and 1 of block `index`. */
TNN_API float tnn_random_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t r[4];
    tnn__philox(seed, stream, index, r);
    return (float)(sqrt(-2 * tnn__log_double((r[0] + 1.0) / 4294967296.0))
                   * tnn__cos_turn(r[1] / 4294967296.0));
}
TNN_API void tnn_shuffle(int *index, int n, uint64_t seed, uint64_t stream)
{
    int i;
    for (i = n - 1; i > 0; i--) {
        int j = (int)(((uint64_t)tnn_random_bits(seed, stream, (uint64_t)i) * ((uint64_t)i + 1))
                      >> 32);
        int t = index[i];
        index[i] = index[j];
        index[j] = t;
    }
}

/* ---- 2e. Threads ------------------------------------------------------------------------------
   One pool for the process. tnn__run(threads, tasks, f, context) calls f(context, task, worker)
   once for each task 0..tasks-1, on the calling thread (worker 0) and up to threads-1 helpers, and
   returns when all are done. Worker w starts with its own share of the tasks, which keeps data in
   its cache, and then takes what the others have left. Helpers spin for a while between calls,
   then sleep. Results cannot depend on the distribution, because tasks write to disjoint places.

   The pool's state is one word: generation, an open bit, the number of helpers inside. A helper
   enters by counting itself in while the bit is set; the caller clears the bit when no task is
   left to take and waits for the count to fall to zero. So a helper that wakes late is never
   waited for. If another thread uses the pool at the moment, the caller does all tasks itself. */
typedef void tnn__task(void *context, int task, int worker);
#define TNN__MAX_THREADS 64

static int tnn__threads_wanted;         /* by tnn_set_threads; 0: not yet known */

#ifdef TINYNN_NO_THREADS
TNN_API int  tnn_threads(void)                 { return 1; }
TNN_API void tnn_set_threads(int threads)      { tnn__threads_wanted = threads; }
static void  tnn__run(int threads, int tasks, tnn__task *f, void *context)
{
    int i;
    (void)threads;
    for (i = 0; i < tasks; i++) f(context, i, 0);
}
#else

#define TNN__OPEN   0x100
#define TNN__INSIDE 0xff
static struct {
    int        word;                    /* generation * 512 | open | helpers inside */
    int        busy;                    /* a caller is using the pool */
    int        sleepers, started;
    tnn__task *f;
    void      *context;
    int        workers, tasks;
    struct { int next, end, pad[14]; } share[TNN__MAX_THREADS];
#ifdef _WIN32
    void      *lock, *wake;             /* an SRWLOCK, a CONDITION_VARIABLE: zero at first */
#else
    pthread_mutex_t    lock;
    pthread_cond_t     wake;
#endif
} tnn__pool
#ifndef _WIN32
    = { 0, 0, 0, 0, 0, 0, 0, 0, {{0, 0, {0}}}, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER }
#endif
    ;

#ifdef _WIN32
#define TNN__SRWLOCK  ((struct _RTL_SRWLOCK *)(void *)&tnn__pool.lock)
#define TNN__CONDVAR  ((struct _RTL_CONDITION_VARIABLE *)(void *)&tnn__pool.wake)
#define TNN__LOCK()   AcquireSRWLockExclusive(TNN__SRWLOCK)
#define TNN__UNLOCK() ReleaseSRWLockExclusive(TNN__SRWLOCK)
#define TNN__WAIT()   SleepConditionVariableSRW(TNN__CONDVAR, TNN__SRWLOCK, 0xffffffffu, 0)
#define TNN__WAKE()   WakeAllConditionVariable(TNN__CONDVAR)
#define TNN__YIELD()  SwitchToThread()
#else
#define TNN__LOCK()   pthread_mutex_lock(&tnn__pool.lock)
#define TNN__UNLOCK() pthread_mutex_unlock(&tnn__pool.lock)
#define TNN__WAIT()   pthread_cond_wait(&tnn__pool.wake, &tnn__pool.lock)
#define TNN__WAKE()   pthread_cond_broadcast(&tnn__pool.wake)
#define TNN__YIELD()  sched_yield()
#endif
#if defined(TNN__X86)
#define TNN__PAUSE()  _mm_pause()
#else
#define TNN__PAUSE()  ((void)0)
#endif

TNN_API int tnn_threads(void)
{
    int n = TNN__LOAD(&tnn__threads_wanted);
    if (!n) {
        const char *e = getenv("TINYNN_THREADS");
        n = e ? atoi(e) : 0;
        if (n < 1) {
#ifdef _WIN32
            n = (int)GetActiveProcessorCount(0xffff);           /* of all groups */
#else
            n = (int)sysconf(_SC_NPROCESSORS_ONLN);
#endif
        }
        n = TNN__MAX(1, TNN__MIN(n, TNN__MAX_THREADS));
        TNN__STORE(&tnn__threads_wanted, n);
    }
    return n;
}
TNN_API void tnn_set_threads(int threads)
{
    TNN__STORE(&tnn__threads_wanted, TNN__MAX(0, TNN__MIN(threads, TNN__MAX_THREADS)));
}

static void tnn__work(int worker)
{
    int i, n = tnn__pool.workers;
    for (i = 0; i < n; i++) {
        int w = (worker + i) % n, task;
        while ((task = TNN__ADD(&tnn__pool.share[w].next, 1)) < tnn__pool.share[w].end)
            tnn__pool.f(tnn__pool.context, task, worker);
    }
}

/* Helpers have the numbers 1, 2, ...; one whose number is beyond this call's workers stays out. */
static void tnn__helper(int number)
{
    int seen = TNN__LOAD(&tnn__pool.word) & ~(TNN__OPEN | TNN__INSIDE), idle = 0;
    for (;;) {
        int word = TNN__LOAD(&tnn__pool.word);
        if ((word & TNN__OPEN) && (word & ~(TNN__OPEN | TNN__INSIDE)) != seen) {
            if (TNN__SWAP(&tnn__pool.word, word, word + 1)) {
                seen = word & ~(TNN__OPEN | TNN__INSIDE);
                if (number < tnn__pool.workers) tnn__work(number);
                TNN__ADD(&tnn__pool.word, -1);
            }
            idle = 0;
        } else if (++idle < 4000) {
            TNN__PAUSE();
            if (idle % 64 == 0) TNN__YIELD();
        } else {
            TNN__LOCK();
            TNN__ADD(&tnn__pool.sleepers, 1);
            word = TNN__LOAD(&tnn__pool.word);
            if (!(word & TNN__OPEN) || (word & ~(TNN__OPEN | TNN__INSIDE)) == seen) TNN__WAIT();
            TNN__ADD(&tnn__pool.sleepers, -1);
            TNN__UNLOCK();
            idle = 0;
        }
    }
}
#ifdef _WIN32
static unsigned __stdcall tnn__helper_main(void *p) { tnn__helper((int)(intptr_t)p); return 0; }
#else
static void *tnn__helper_main(void *p) { tnn__helper((int)(intptr_t)p); return NULL; }
#endif
static void tnn__start_helpers(int threads)
{
    while (tnn__pool.started < threads - 1) {
        intptr_t number = tnn__pool.started + 1;
#ifdef _WIN32
        uintptr_t t = _beginthreadex(NULL, 0, tnn__helper_main, (void *)number, 0, NULL);
        if (!t) return;
        CloseHandle((void *)t);
#else
        pthread_t t;
        if (pthread_create(&t, NULL, tnn__helper_main, (void *)number)) return;
        pthread_detach(t);
#endif
        tnn__pool.started++;
    }
}

static void tnn__run(int threads, int tasks, tnn__task *f, void *context)
{
    int i, zero = 0;
    threads = TNN__MIN(TNN__MIN(threads, tasks), TNN__MAX_THREADS);
    if (threads < 2 || !TNN__SWAP(&tnn__pool.busy, zero, 1)) {
        for (i = 0; i < tasks; i++) f(context, i, 0);
        return;
    }
    if (tnn__pool.started < threads - 1) tnn__start_helpers(threads);
    tnn__pool.f = f;
    tnn__pool.context = context;
    tnn__pool.workers = threads;
    tnn__pool.tasks = tasks;
    for (i = 0; i < threads; i++) {
        tnn__pool.share[i].end = (int)((tnn__len)tasks * (i + 1) / threads);
        TNN__STORE(&tnn__pool.share[i].next, (int)((tnn__len)tasks * i / threads));
    }
    /* generation + 1, open, nobody inside; unsigned, because it wraps around */
    TNN__STORE(&tnn__pool.word,
               (int)(((unsigned)TNN__LOAD(&tnn__pool.word) & ~511u) + 512u + TNN__OPEN));
    if (TNN__LOAD(&tnn__pool.sleepers)) {
        TNN__LOCK();
        TNN__WAKE();
        TNN__UNLOCK();
    }
    tnn__work(0);
    TNN__AND(&tnn__pool.word, ~TNN__OPEN);
    for (i = 0; TNN__LOAD(&tnn__pool.word) & TNN__INSIDE; i++) {
        TNN__PAUSE();
        if (i % 64 == 63) TNN__YIELD();
    }
    TNN__STORE(&tnn__pool.busy, 0);
}
#endif /* TINYNN_NO_THREADS */

/* ---- 2f. What kernels are given, and their list -----------------------------------------------

   PANELS. The right-hand side of every product is held in panels of 16 columns: element (k, j) of
   a K x N matrix stands at  (j/16)*K*16 + k*16 + j%16.  16 floats are one cache line: one AVX-512
   register, two AVX, four SSE or NEON ones; so the same memory serves every instruction set. The
   network keeps its weights that way, and nothing is packed at all.

   ONE PRODUCT FOR EVERYTHING. tnn__mm describes  C += A B  with a left-hand side that is never
   packed either: each of its elements is multiplied with a row of a panel, so it may stand
   anywhere. Element (i, k):

       a + i0*a0 + i1*a1 + i2*a2 + (i/3)*gs + (i%3)*rs + k*ks

   where k runs 0..run-1 innermost, within i2 in 0..n2-1, within i1 in 0..n1-1 (all three add up to
   "k" of the product, in this order), and i0 in 0..n0-1 counts blocks of rows. So one kernel does
     dense        rows are samples;        run = inputs
     convolution  rows are the pixels of one image row (i0), channels last; run = one row of the
                  window, contiguous over pixels and channels; i2 = rows of the window
     its dw       rows are elements of the window, run = the pixels of an image row, i2 = image rows
     its dx       a convolution of dy with the window turned around.
   gs = 3*rs but where rows come in threes that are further apart. */
typedef struct {
    const float *a;             /* left: broadcast, element by element */
    tnn__len     a0, a1, a2, rs, gs, ks;
    const float *b;             /* right: rows of 16 columns, ldb floats from k to k+1, bp from */
    tnn__len     bp, b1, b2, ldb;           /* panel to panel, b1 and b2 as a1 and a2 */
    float       *c;             /* rows at i0*c0 + i*ldc, 16 columns each, cp from panel to panel */
    tnn__len     c0, ldc, cp;
    const float *bias;          /* TNN__BIAS: 16 per panel, contiguous */
    int          n0, rows, n1, n2, run;
    int          cols;          /* columns of C that are written; B is read in whole panels */
    int          start;         /* C starts from zero, from what it holds, or from the bias */
    int          relu;          /* and ends as max(C, 0) */
} tnn__mm;
enum { TNN__ZERO, TNN__KEEP, TNN__BIAS };

/* A window moved over an image of c channels (last), ih x iw pixels, giving oh x ow. */
typedef struct {
    int c, ih, iw, oh, ow, kh, kw, sh, sw, ph, pw, dh, dw, exclude_pad;
} tnn__pool_geometry;

typedef struct {                /* one optimizer step over n floats */
    int    type, nesterov, first;
    float *w, *g, *m, *v;
    float  lr, momentum, undampened, decay, beta1, beta2, one_beta1, one_beta2, eps, root2, keep;
} tnn__update;

#define TNN__KERNELS(X) \
    X(void,  mm,           (const tnn__mm *t)) \
    X(void,  transpose,    (tnn__len rows, tnn__len cols, const float *x, tnn__len ldx, \
                            float *y, tnn__len ldy)) \
    X(void,  add,          (tnn__len n, const float *x, float *y)) \
    X(void,  colsum,       (tnn__len rows, tnn__len cols, const float *x, tnn__len ldx, float *y)) \
    X(void,  colsquares,   (tnn__len K, const float *w, float *sums)) \
    X(void,  colscale,     (tnn__len K, const float *factors, float *w)) \
    X(void,  penalty,      (tnn__len n, const float *w, float *g, float l1, float l2)) \
    X(void,  act,          (tnn__len n, const float *x, float *y, float slope)) \
    X(void,  act_grad,     (tnn__len n, const float *y, const float *dy, float *dx, \
                            float slope, float scale)) \
    X(void,  dropout,      (tnn__len n, const float *x, float *y, float p, \
                            uint64_t seed, uint64_t stream, uint64_t first)) \
    X(void,  maxpool,      (const tnn__pool_geometry *p, const float *x, tnn__len x_row, \
                            float *y, tnn__len y_row, float *where, int i0, int i1)) \
    X(void,  maxpool_grad, (const tnn__pool_geometry *p, const float *dy, const float *where, \
                            float *dx, tnn__len dx_row, int i0, int i1)) \
    X(void,  avgpool,      (const tnn__pool_geometry *p, const float *x, tnn__len x_row, \
                            float *y, tnn__len y_row)) \
    X(void,  avgpool_grad, (const tnn__pool_geometry *p, const float *dy, \
                            float *dx, tnn__len dx_row)) \
    X(float, sum,          (tnn__len n, const float *x)) \
    X(float, dot,          (tnn__len n, const float *x, const float *y)) \
    X(float, largest,      (tnn__len n, const float *x)) \
    X(float, exp_sum,      (tnn__len n, const float *x, float max, float *y)) \
    X(void,  update,       (const tnn__update *u, tnn__len n))
typedef struct {
    const char *name;
#define X(ret, kernel, args) ret (*kernel) args;
    TNN__KERNELS(X)
#undef X
} tnn__isa_table;
#endif /* !TNN__PASS */

/* ==== 3. KERNELS: written once, read once per instruction set ================================= */
#ifdef TNN__PASS
#define FN(name) TNN__CAT(TNN__CAT(tnn__, name), TNN__CAT(_, TNN__PASS_NAME))
#if   TNN__PASS == 3
    #define TARGET TNN__TARGET("avx2,fma")
#elif TNN__PASS == 4
    #define TARGET TNN__TARGET("avx512f,avx2,fma")
#else
    #define TARGET
#endif
#define KERNEL static TARGET
#define HELPER TNN__INLINE TARGET

/* ---- 3a. The vector layer: the only lines that know an instruction set ------------------------
   VF  VN floats; VU as many 32-bit integers. Selections mean what C means by them, NaN included:
     vf_max(a, b)       a > b ? a : b          vf_min(a, b)       a < b ? a : b
     vf_gt(a, b, x, y)  a > b ? x : y          vf_eq(a, b, x, y)  a == b ? x : y
     vf_fma(a, b, c)    a*b + c, rounded once (SSE2 has none and rounds twice)
     vf_load_n, vf_store_n: the first n elements only (any n), zeros for the rest
     vu_mul(a, m, hi, lo)   the 64-bit products of a and m, split into words
   A matrix tile is MR rows by NV vectors; NV*VN is at most two panels. */
#if TNN__PASS == 1              /* scalar: the reference */
    #define VF                  float
    #define VN                  1
    #define vf_set1(s)          (s)
    #define vf_load(p)          (*(p))
    #define vf_store(p, v)      (*(p) = (v))
    #define vf_load_n(p, n)     ((n) > 0 ? *(p) : 0.0f)
    #define vf_store_n(p, v, n) do { if ((n) > 0) *(p) = (v); } while (0)
    #define vf_add(a, b)        ((a) + (b))
    #define vf_sub(a, b)        ((a) - (b))
    #define vf_mul(a, b)        ((a) * (b))
    #define vf_div(a, b)        ((a) / (b))
    #define vf_sqrt(a)          sqrtf(a)
    #define vf_fma(a, b, c)     tnn__fma(a, b, c)
    #define vf_max(a, b)        ((a) > (b) ? (a) : (b))
    #define vf_min(a, b)        ((a) < (b) ? (a) : (b))
    #define vf_gt(a, b, x, y)   ((a) > (b) ? (x) : (y))
    #define vf_eq(a, b, x, y)   (!((a) < (b)) && !((a) > (b)) && (a) <= (b) ? (x) : (y))
    #define VU                  uint32_t
    HELPER float FN(cast_f)(uint32_t u) { float f; memcpy(&f, &u, sizeof f); return f; }
    HELPER uint32_t FN(cast_u)(float f) { uint32_t u; memcpy(&u, &f, sizeof u); return u; }
    #define vf_cast             FN(cast_f)
    #define vu_cast             FN(cast_u)
    #define vf_from(u)          ((float)(u))
    #define vu_set1(s)          (s)
    #define vu_load(p)          (*(p))
    #define vu_add(a, b)        ((a) + (b))
    #define vu_xor(a, b)        ((a) ^ (b))
    #define vu_sll(a, n)        ((a) << (n))
    #define vu_srl(a, n)        ((a) >> (n))
    #define vu_mul(a, m, hi, lo) do { \
        uint64_t p_ = (uint64_t)(a) * (m); \
        hi = (uint32_t)(p_ >> 32); lo = (uint32_t)p_; } while (0)
    #define MR 4
    #define NV 4
#elif TNN__PASS == 2            /* SSE2: 16 registers of 4, no fused multiply-add: other bits */
    #define VF                  __m128
    #define VN                  4
    #define vf_set1(s)          _mm_set1_ps(s)
    #define vf_load(p)          _mm_loadu_ps(p)
    #define vf_store(p, v)      _mm_storeu_ps(p, v)
    #define vf_add(a, b)        _mm_add_ps(a, b)
    #define vf_sub(a, b)        _mm_sub_ps(a, b)
    #define vf_mul(a, b)        _mm_mul_ps(a, b)
    #define vf_div(a, b)        _mm_div_ps(a, b)
    #define vf_sqrt(a)          _mm_sqrt_ps(a)
    #define vf_fma(a, b, c)     _mm_add_ps(_mm_mul_ps(a, b), c)
    #define vf_max(a, b)        _mm_max_ps(a, b)
    #define vf_min(a, b)        _mm_min_ps(a, b)
    HELPER VF FN(select)(VF m, VF x, VF y)
    {
        return _mm_or_ps(_mm_and_ps(m, x), _mm_andnot_ps(m, y));
    }
    #define vf_gt(a, b, x, y)   FN(select)(_mm_cmpgt_ps(a, b), x, y)
    #define vf_eq(a, b, x, y)   FN(select)(_mm_cmpeq_ps(a, b), x, y)
    #define VU                  __m128i
    #define vf_cast(u)          _mm_castsi128_ps(u)
    #define vu_cast(f)          _mm_castps_si128(f)
    #define vf_from(u)          _mm_cvtepi32_ps(u)
    #define vu_set1(s)          _mm_set1_epi32((int)(s))
    #define vu_load(p)          _mm_loadu_si128((const __m128i *)(const void *)(p))
    #define vu_add(a, b)        _mm_add_epi32(a, b)
    #define vu_xor(a, b)        _mm_xor_si128(a, b)
    #define vu_sll(a, n)        _mm_slli_epi32(a, n)
    #define vu_srl(a, n)        _mm_srli_epi32(a, n)
    #define vu_mul(a, m, hi, lo) do { \
        __m128i e_ = _mm_mul_epu32(a, m), o_ = _mm_mul_epu32(_mm_srli_epi64(a, 32), m); \
        __m128i k_ = _mm_set_epi32(-1, 0, -1, 0); \
        hi = _mm_or_si128(_mm_srli_epi64(e_, 32), _mm_and_si128(o_, k_)); \
        lo = _mm_or_si128(_mm_andnot_si128(k_, e_), _mm_slli_epi64(o_, 32)); } while (0)
    #define MR 6
    #define NV 2
#elif TNN__PASS == 3            /* AVX2 + FMA: 16 registers of 8 */
    #define VF                  __m256
    #define VN                  8
    #define vf_set1(s)          _mm256_set1_ps(s)
    #define vf_load(p)          _mm256_loadu_ps(p)
    #define vf_store(p, v)      _mm256_storeu_ps(p, v)
    HELPER __m256i FN(mask)(int n)
    {
        return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
    #define vf_load_n(p, n)     _mm256_maskload_ps(p, FN(mask)((int)(n)))
    #define vf_store_n(p, v, n) _mm256_maskstore_ps(p, FN(mask)((int)(n)), v)
    #define vf_add(a, b)        _mm256_add_ps(a, b)
    #define vf_sub(a, b)        _mm256_sub_ps(a, b)
    #define vf_mul(a, b)        _mm256_mul_ps(a, b)
    #define vf_div(a, b)        _mm256_div_ps(a, b)
    #define vf_sqrt(a)          _mm256_sqrt_ps(a)
    #define vf_fma(a, b, c)     _mm256_fmadd_ps(a, b, c)
    #define vf_max(a, b)        _mm256_max_ps(a, b)
    #define vf_min(a, b)        _mm256_min_ps(a, b)
    #define vf_gt(a, b, x, y)   _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_GT_OQ))
    #define vf_eq(a, b, x, y)   _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_EQ_OQ))
    #define VU                  __m256i
    #define vf_cast(u)          _mm256_castsi256_ps(u)
    #define vu_cast(f)          _mm256_castps_si256(f)
    #define vf_from(u)          _mm256_cvtepi32_ps(u)
    #define vu_set1(s)          _mm256_set1_epi32((int)(s))
    #define vu_load(p)          _mm256_loadu_si256((const __m256i *)(const void *)(p))
    #define vu_add(a, b)        _mm256_add_epi32(a, b)
    #define vu_xor(a, b)        _mm256_xor_si256(a, b)
    #define vu_sll(a, n)        _mm256_slli_epi32(a, n)
    #define vu_srl(a, n)        _mm256_srli_epi32(a, n)
    #define vu_mul(a, m, hi, lo) do { \
        __m256i e_ = _mm256_mul_epu32(a, m), o_ = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), m); \
        hi = _mm256_blend_epi32(_mm256_srli_epi64(e_, 32), o_, 0xaa); \
        lo = _mm256_blend_epi32(e_, _mm256_slli_epi64(o_, 32), 0xaa); } while (0)
    #define MR 6
    #define NV 2
#elif TNN__PASS == 4            /* AVX-512: 32 registers of 16 */
    #define VF                  __m512
    #define VN                  16
    #define vf_set1(s)          _mm512_set1_ps(s)
    #define vf_load(p)          _mm512_loadu_ps(p)
    #define vf_store(p, v)      _mm512_storeu_ps(p, v)
    #define vf_mask(n)          ((__mmask16)((n) >= 16 ? 0xffff : (n) <= 0 ? 0 : (1 << (n)) - 1))
    #define vf_load_n(p, n)     _mm512_maskz_loadu_ps(vf_mask(n), p)
    #define vf_store_n(p, v, n) _mm512_mask_storeu_ps(p, vf_mask(n), v)
    #define vf_add(a, b)        _mm512_add_ps(a, b)
    #define vf_sub(a, b)        _mm512_sub_ps(a, b)
    #define vf_mul(a, b)        _mm512_mul_ps(a, b)
    #define vf_div(a, b)        _mm512_div_ps(a, b)
    #define vf_sqrt(a)          _mm512_sqrt_ps(a)
    #define vf_fma(a, b, c)     _mm512_fmadd_ps(a, b, c)
    #define vf_max(a, b)        _mm512_max_ps(a, b)
    #define vf_min(a, b)        _mm512_min_ps(a, b)
    #define vf_gt(a, b, x, y)   _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), y, x)
    #define vf_eq(a, b, x, y)   _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ), y, x)
    #define VU                  __m512i
    #define vf_cast(u)          _mm512_castsi512_ps(u)
    #define vu_cast(f)          _mm512_castps_si512(f)
    #define vf_from(u)          _mm512_cvtepi32_ps(u)
    #define vu_set1(s)          _mm512_set1_epi32((int)(s))
    #define vu_load(p)          _mm512_loadu_si512((const void *)(p))
    #define vu_add(a, b)        _mm512_add_epi32(a, b)
    #define vu_xor(a, b)        _mm512_xor_si512(a, b)
    #define vu_sll(a, n)        _mm512_slli_epi32(a, n)
    #define vu_srl(a, n)        _mm512_srli_epi32(a, n)
    #define vu_mul(a, m, hi, lo) do { \
        __m512i e_ = _mm512_mul_epu32(a, m), o_ = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), m); \
        hi = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(e_, 32), o_); \
        lo = _mm512_mask_blend_epi32(0xaaaa, e_, _mm512_slli_epi64(o_, 32)); } while (0)
    #define MR 14
    #define NV 2
#elif TNN__PASS == 5            /* NEON, aarch64: 32 registers of 4 */
    #define VF                  float32x4_t
    #define VN                  4
    #define vf_set1(s)          vdupq_n_f32(s)
    #define vf_load(p)          vld1q_f32(p)
    #define vf_store(p, v)      vst1q_f32(p, v)
    #define vf_add(a, b)        vaddq_f32(a, b)
    #define vf_sub(a, b)        vsubq_f32(a, b)
    #define vf_mul(a, b)        vmulq_f32(a, b)
    #define vf_div(a, b)        vdivq_f32(a, b)
    #define vf_sqrt(a)          vsqrtq_f32(a)
    #define vf_fma(a, b, c)     vfmaq_f32(c, a, b)
    #define vf_max(a, b)        vbslq_f32(vcgtq_f32(a, b), a, b)
    #define vf_min(a, b)        vbslq_f32(vcltq_f32(a, b), a, b)
    #define vf_gt(a, b, x, y)   vbslq_f32(vcgtq_f32(a, b), x, y)
    #define vf_eq(a, b, x, y)   vbslq_f32(vceqq_f32(a, b), x, y)
    #define VU                  uint32x4_t
    #define vf_cast(u)          vreinterpretq_f32_u32(u)
    #define vu_cast(f)          vreinterpretq_u32_f32(f)
    #define vf_from(u)          vcvtq_f32_u32(u)
    #define vu_set1(s)          vdupq_n_u32(s)
    #define vu_load(p)          vld1q_u32(p)
    #define vu_add(a, b)        vaddq_u32(a, b)
    #define vu_xor(a, b)        veorq_u32(a, b)
    #define vu_sll(a, n)        vshlq_n_u32(a, n)
    #define vu_srl(a, n)        vshrq_n_u32(a, n)
    #define vu_mul(a, m, hi, lo) do { \
        uint32x4_t l_ = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a), vget_low_u32(m))); \
        uint32x4_t h_ = vreinterpretq_u32_u64(vmull_u32(vget_high_u32(a), vget_high_u32(m))); \
        lo = vuzp1q_u32(l_, h_); hi = vuzp2q_u32(l_, h_); } while (0)
    #define MR 6
    #define NV 4
#endif
#if TNN__PASS == 2 || TNN__PASS == 5
    HELPER VF FN(load_n)(const float *p, tnn__len n)
    {
        float t[4] = {0, 0, 0, 0};
        int i;
        for (i = 0; i < 4 && i < n; i++) t[i] = p[i];
        return vf_load(t);
    }
    HELPER void FN(store_n)(float *p, VF v, tnn__len n)
    {
        float t[4];
        int i;
        vf_store(t, v);
        for (i = 0; i < 4 && i < n; i++) p[i] = t[i];
    }
    #define vf_load_n           FN(load_n)
    #define vf_store_n          FN(store_n)
#endif
/* y[j*ldy + i] = x[i*ldx + j] for i, j in 0..3 */
HELPER void FN(transpose4)(const float *x, tnn__len ldx, float *y, tnn__len ldy)
{
#if TNN__PASS == 1
    int i, j;
    for (j = 0; j < 4; j++) for (i = 0; i < 4; i++) y[j*ldy + i] = x[i*ldx + j];
#elif TNN__PASS == 5
    const float32x4x2_t a = vtrnq_f32(vld1q_f32(x), vld1q_f32(x + ldx));
    const float32x4x2_t b = vtrnq_f32(vld1q_f32(x + 2*ldx), vld1q_f32(x + 3*ldx));
    vst1q_f32(y,         vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0])));
    vst1q_f32(y + ldy,   vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1])));
    vst1q_f32(y + 2*ldy, vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0])));
    vst1q_f32(y + 3*ldy, vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1])));
#else
    const __m128 r0 = _mm_loadu_ps(x), r1 = _mm_loadu_ps(x + ldx);
    const __m128 r2 = _mm_loadu_ps(x + 2*ldx), r3 = _mm_loadu_ps(x + 3*ldx);
    const __m128 a = _mm_unpacklo_ps(r0, r1), b = _mm_unpacklo_ps(r2, r3);
    const __m128 c = _mm_unpackhi_ps(r0, r1), d = _mm_unpackhi_ps(r2, r3);
    _mm_storeu_ps(y,         _mm_movelh_ps(a, b));
    _mm_storeu_ps(y + ldy,   _mm_movehl_ps(b, a));
    _mm_storeu_ps(y + 2*ldy, _mm_movelh_ps(c, d));
    _mm_storeu_ps(y + 3*ldy, _mm_movehl_ps(d, c));
#endif
}
#define vf_zero() vf_set1(0.0f)
#define NW        (NV*VN)       /* columns of a tile */
#define LANES     16            /* reductions run over 16 interleaved partial results */

/* ---- 3b. The matrix product -------------------------------------------------------------------
   A tile of M rows and V vectors stays in registers while k runs; per step it loads V vectors of
   B and broadcasts M elements of A:

             w0      w1                M*V accumulators + V + 1 registers of
        x0 [ c0_0    c0_1 ]            AVX-512  14*2 + 3 = 31 of 32
        x1 [ c1_0    c1_1 ]            AVX2      6*2 + 3 = 15 of 16
        ..   ..      ..                NEON      6*4 + 5 = 29 of 32

   The accumulators have names, not indices: compilers keep an array in memory. Three rows share
   one base register (p0, p0 + rs, p0 + 2 rs), p1 is the next base, and so on. */
#define ROWS_1(R)  R(0, p0[0])
#define ROWS_2(R)  ROWS_1(R)  R(1, p0[rs])
#define ROWS_3(R)  ROWS_2(R)  R(2, p0[2*rs])
#define ROWS_4(R)  ROWS_3(R)  R(3, p1[0])
#define ROWS_5(R)  ROWS_4(R)  R(4, p1[rs])
#define ROWS_6(R)  ROWS_5(R)  R(5, p1[2*rs])
#define ROWS_7(R)  ROWS_6(R)  R(6, p2[0])
#define ROWS_8(R)  ROWS_7(R)  R(7, p2[rs])
#define ROWS_9(R)  ROWS_8(R)  R(8, p2[2*rs])
#define ROWS_10(R) ROWS_9(R)  R(9, p3[0])
#define ROWS_11(R) ROWS_10(R) R(10, p3[rs])
#define ROWS_12(R) ROWS_11(R) R(11, p3[2*rs])
#define ROWS_13(R) ROWS_12(R) R(12, p4[0])
#define ROWS_14(R) ROWS_13(R) R(13, p4[rs])

#define COLS_1(X, i) X(i, 0)
#define COLS_2(X, i) X(i, 0) X(i, 1)
#define COLS_4(X, i) X(i, 0) X(i, 1) X(i, 2) X(i, 3)

/* Vector v of a tile: the next VN columns, but with AVX-512 the next panel. */
#if VN == 16
    #define BV(v) (v)*bp
    #define CV(v) (v)*cp
#else
    #define BV(v) (v)*VN
    #define CV(v) (v)*VN
#endif
#define DECLARE(i, v)  VF c##i##_##v;
#define SET_ZERO(i, v) c##i##_##v = vf_zero();
#define SET_BIAS(i, v) c##i##_##v = w##v;
#define SET_KEEP(i, v) c##i##_##v = vf_load(c + i*ldc + CV(v));
#define STEP(i, v)     c##i##_##v = vf_fma(x, w##v, c##i##_##v);
#define RELU(i, v)     c##i##_##v = vf_max(vf_zero(), c##i##_##v);
#define SAVE(i, v)     vf_store(c + i*ldc + CV(v), c##i##_##v);
#define W_DECLARE(i, v) VF w##v;
#define W_BIAS(i, v)    w##v = vf_load(t->bias + j + (v)*VN);
#define W_LOAD(i, v)    w##v = vf_load(b + BV(v));

#define TILE(M, V, COLS) \
KERNEL void FN(tile_##M##_##V)(const tnn__mm *t, const float *a, const float *b0, \
                               float *c, tnn__len ldc, tnn__len cp, tnn__len j) \
{ \
    const tnn__len rs = t->rs, gs = t->gs, ks = t->ks, ldb = t->ldb, bp = t->bp; \
    const int n1 = t->n1, n2 = t->n2, run = t->run; \
    int i1, i2, k; \
    VF x; \
    COLS(W_DECLARE, 0) \
    ROWS_##M(DECLARE_##V) \
    (void)cp; (void)bp; (void)rs; \
    if (t->start == TNN__KEEP) { ROWS_##M(KEEP_##V) } \
    else if (t->start == TNN__BIAS) { COLS(W_BIAS, 0) ROWS_##M(BIAS_##V) } \
    else { ROWS_##M(ZERO_##V) } \
    for (i1 = 0; i1 < n1; i1++) \
        for (i2 = 0; i2 < n2; i2++) { \
            const float *b = b0 + i1*t->b1 + i2*t->b2; \
            const float *p0 = a + i1*t->a1 + i2*t->a2, *p1 = p0 + gs; \
            const float *p2 = p1 + gs, *p3 = p2 + gs, *p4 = p3 + gs; \
            for (k = run; k > 0; k--) { \
                COLS(W_LOAD, 0) \
                ROWS_##M(STEP_##V) \
                p0 += ks; p1 += ks; p2 += ks; p3 += ks; p4 += ks; b += ldb; \
            } \
            (void)p1; (void)p2; (void)p3; (void)p4; \
        } \
    if (t->relu) { ROWS_##M(RELU_##V) } \
    ROWS_##M(SAVE_##V) \
}
#define DECLARE_1(i, a) COLS_1(DECLARE, i)
#define KEEP_1(i, a)    COLS_1(SET_KEEP, i)
#define BIAS_1(i, a)    COLS_1(SET_BIAS, i)
#define ZERO_1(i, a)    COLS_1(SET_ZERO, i)
#define STEP_1(i, a)    x = vf_set1(a); COLS_1(STEP, i)
#define RELU_1(i, a)    COLS_1(RELU, i)
#define SAVE_1(i, a)    COLS_1(SAVE, i)
#define DECLARE_2(i, a) COLS_2(DECLARE, i)
#define KEEP_2(i, a)    COLS_2(SET_KEEP, i)
#define BIAS_2(i, a)    COLS_2(SET_BIAS, i)
#define ZERO_2(i, a)    COLS_2(SET_ZERO, i)
#define STEP_2(i, a)    x = vf_set1(a); COLS_2(STEP, i)
#define RELU_2(i, a)    COLS_2(RELU, i)
#define SAVE_2(i, a)    COLS_2(SAVE, i)
#define DECLARE_4(i, a) COLS_4(DECLARE, i)
#define KEEP_4(i, a)    COLS_4(SET_KEEP, i)
#define BIAS_4(i, a)    COLS_4(SET_BIAS, i)
#define ZERO_4(i, a)    COLS_4(SET_ZERO, i)
#define STEP_4(i, a)    x = vf_set1(a); COLS_4(STEP, i)
#define RELU_4(i, a)    COLS_4(RELU, i)
#define SAVE_4(i, a)    COLS_4(SAVE, i)
#if NV == 2
    #define TILES(M) TILE(M, 1, COLS_1) TILE(M, 2, COLS_2)
    #define WIDE(M)  FN(tile_##M##_2)
#else
    #define TILES(M) TILE(M, 1, COLS_1) TILE(M, 4, COLS_4)
    #define WIDE(M)  FN(tile_##M##_4)
#endif
TILES(1) TILES(2) TILES(3) TILES(4)
#if MR > 4
TILES(5) TILES(6)
#endif
#if MR > 6
TILES(7) TILES(8) TILES(9) TILES(10) TILES(11) TILES(12) TILES(13) TILES(14)
#endif

/* The whole product: columns in tiles of NW, then blocks of rows, rows in tiles of nearly equal
   height. A tile with fewer than its full columns is computed in `edge` and copied. */
KERNEL void FN(mm)(const tnn__mm *t)
{
    typedef void tile(const tnn__mm *, const float *, const float *,
                      float *, tnn__len, tnn__len, tnn__len);
    static tile *const one[] = { NULL, FN(tile_1_1), FN(tile_2_1), FN(tile_3_1), FN(tile_4_1),
#if MR > 4
        FN(tile_5_1), FN(tile_6_1),
#endif
#if MR > 6
        FN(tile_7_1), FN(tile_8_1), FN(tile_9_1), FN(tile_10_1), FN(tile_11_1), FN(tile_12_1),
        FN(tile_13_1), FN(tile_14_1)
#endif
    };
    static tile *const wide[] = { NULL, WIDE(1), WIDE(2), WIDE(3), WIDE(4),
#if MR > 4
        WIDE(5), WIDE(6),
#endif
#if MR > 6
        WIDE(7), WIDE(8), WIDE(9), WIDE(10), WIDE(11), WIDE(12), WIDE(13), WIDE(14)
#endif
    };
    const int threes = t->gs != 3*t->rs;        /* then tiles begin at multiples of three rows */
    const int tiles = threes ? (t->rows + MR/3*3 - 1)/(MR/3*3) : (t->rows + MR - 1)/MR;
    int j, i0, n;
    for (j = 0; j < t->cols; ) {
        const int left = t->cols - j, width = left <= VN ? VN : NW, part = left < width;
        tile *const *f = left <= VN ? one : wide;
        const float *b = t->b + j/16*t->bp + j%16;
        for (i0 = 0; i0 < t->n0; i0++) {
            int row = 0;
            for (n = tiles; n > 0; n--) {
                const int m = threes ? TNN__MIN(MR/3*3, t->rows - row) : (t->rows - row + n - 1)/n;
                const float *a = t->a + i0*t->a0 + (threes ? row/3*t->gs : row*t->rs);
                float *c = t->c + i0*t->c0 + row*t->ldc + j/16*t->cp + j%16;
                if (!part) f[m](t, a, b, c, t->ldc, t->cp, j);
                else {
                    float edge[MR*NW];
                    int i, k;
                    if (t->start == TNN__KEEP)
                        for (i = 0; i < m; i++)
                            for (k = 0; k < left; k++)
                                edge[i*NW + k] = c[i*t->ldc + k/16*t->cp + k%16];
                    f[m](t, a, b, edge, NW, VN, j);
                    for (i = 0; i < m; i++)
                        for (k = 0; k < left; k++)
                            c[i*t->ldc + k/16*t->cp + k%16] = edge[i*NW + k];
                }
                row += m;
            }
        }
        j += width;
    }
}

/* y[j, i] = x[i, j] */
KERNEL void FN(transpose)(tnn__len rows, tnn__len cols, const float *x, tnn__len ldx,
                          float *y, tnn__len ldy)
{
    tnn__len i, j, j0;
    for (j0 = 0; j0 < cols; j0 += 16) {         /* a cache line of each row at a time */
        const tnn__len end = TNN__MIN(cols, j0 + 16), whole = j0 + (end - j0)/4*4;
        for (i = 0; i + 4 <= rows; i += 4) {
            for (j = j0; j < whole; j += 4) FN(transpose4)(x + i*ldx + j, ldx, y + j*ldy + i, ldy);
            for (; j < end; j++) {
                y[j*ldy + i] = x[i*ldx + j];
                y[j*ldy + i + 1] = x[(i + 1)*ldx + j];
                y[j*ldy + i + 2] = x[(i + 2)*ldx + j];
                y[j*ldy + i + 3] = x[(i + 3)*ldx + j];
            }
        }
        for (; i < rows; i++) for (j = j0; j < end; j++) y[j*ldy + i] = x[i*ldx + j];
    }
}

/* ---- 3c. Element by element ------------------------------------------------------------------ */
/* y += x */
KERNEL void FN(add)(tnn__len n, const float *x, float *y)
{
    tnn__len i = 0;
    for (; i + VN <= n; i += VN) vf_store(y + i, vf_add(vf_load(y + i), vf_load(x + i)));
    if (i < n) vf_store_n(y + i, vf_add(vf_load_n(y + i, n - i), vf_load_n(x + i, n - i)), n - i);
}

/* y[j] += sum over rows of x[row, j], in the order of the rows */
KERNEL void FN(colsum)(tnn__len rows, tnn__len cols, const float *x, tnn__len ldx, float *y)
{
    tnn__len j, r;
    for (j = 0; j < cols; j += VN) {
        const tnn__len n = cols - j;
        VF s = n >= VN ? vf_load(y + j) : vf_load_n(y + j, n);
        if (n >= VN) for (r = 0; r < rows; r++) s = vf_add(s, vf_load(x + r*ldx + j));
        else         for (r = 0; r < rows; r++) s = vf_add(s, vf_load_n(x + r*ldx + j, n));
        if (n >= VN) vf_store(y + j, s); else vf_store_n(y + j, s, n);
    }
}

/* y = x > 0 ? x : slope*x; slope 0 is ReLU, max(0, x). NaN stays NaN. */
HELPER VF FN(act1)(VF x, VF slope, int relu)
{
    return relu ? vf_max(vf_zero(), x) : vf_gt(x, vf_zero(), x, vf_mul(slope, x));
}
KERNEL void FN(act)(tnn__len n, const float *x, float *y, float slope)
{
    const VF s = vf_set1(slope);
    const int relu = !(slope > 0 || slope < 0);
    tnn__len i = 0;
    for (; i + VN <= n; i += VN) vf_store(y + i, FN(act1)(vf_load(x + i), s, relu));
    if (i < n) vf_store_n(y + i, FN(act1)(vf_load_n(x + i, n - i), s, relu), n - i);
}
/* dx = scale * dy where y > 0, else slope * scale * dy (0 with slope 0). For slope >= 0 the sign of
   y is x's. */
KERNEL void FN(act_grad)(tnn__len n, const float *y, const float *dy, float *dx,
                         float slope, float scale)
{
    const VF s = vf_set1(scale), l = vf_set1(slope*scale);
    const int relu = !(slope > 0 || slope < 0);
    tnn__len i = 0;
    for (; i < n; i += VN) {
        const tnn__len r = n - i;
        VF v = r >= VN ? vf_load(y + i) : vf_load_n(y + i, r);
        VF g = r >= VN ? vf_load(dy + i) : vf_load_n(dy + i, r);
        v = vf_gt(v, vf_zero(), vf_mul(s, g), relu ? vf_zero() : vf_mul(l, g));
        if (r >= VN) vf_store(dx + i, v); else vf_store_n(dx + i, v, r);
    }
}

/* y = 0 with probability p, else x/(1-p). Element e = first + i (first a multiple of 64) is drawn
   from word e/16 % 4 of Philox block e/64*16 + e%16: 64 elements are four vectors of 16 lanes. */
KERNEL void FN(dropout)(tnn__len n, const float *x, float *y, float p,
                        uint64_t seed, uint64_t stream, uint64_t first)
{
    static const uint32_t iota[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const VF limit = vf_set1(p*16777216.0f), scale = vf_set1(1.0f/(1.0f - p)), zero = vf_zero();
    const VU m0 = vu_set1(TNN__PHILOX_M0), m1 = vu_set1(TNN__PHILOX_M1);
    tnn__len i;
    for (i = 0; i < n; i += 64) {
        const uint64_t block = (first + (uint64_t)i)/64*16;     /* its low word may take 15 more */
        int lane;
        for (lane = 0; lane < 16 && i + lane < n; lane += VN) {
            VU c0 = vu_add(vu_set1((uint32_t)block), vu_load(iota + lane));
            VU c1 = vu_set1((uint32_t)(block >> 32));
            VU c2 = vu_set1((uint32_t)stream);
            VU c3 = vu_set1((uint32_t)(stream >> 32));
            VU h0, l0, h1, l1;
            uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
            int r;
            for (r = 0; r < 10; r++, k0 += TNN__PHILOX_W0, k1 += TNN__PHILOX_W1) {
                vu_mul(c0, m0, h0, l0);
                vu_mul(c2, m1, h1, l1);
                c0 = vu_xor(vu_xor(h1, c1), vu_set1(k0));
                c2 = vu_xor(vu_xor(h0, c3), vu_set1(k1));
                c1 = l1;
                c3 = l0;
            }
#define KEEP(w, c) { \
                const tnn__len at = i + w*16 + lane, rest = n - at; \
                const VF draw = vf_from(vu_srl(c, 8)); \
                if (rest >= VN) \
                    vf_store(y + at, vf_gt(limit, draw, zero, vf_mul(scale, vf_load(x + at)))); \
                else if (rest > 0) { \
                    const VF v = vf_mul(scale, vf_load_n(x + at, rest)); \
                    vf_store_n(y + at, vf_gt(limit, draw, zero, v), rest); \
                } }
            KEEP(0, c0) KEEP(1, c1) KEEP(2, c2) KEEP(3, c3)
#undef KEEP
        }
    }
}

/* ---- 3d. Pooling, channels last -------------------------------------------------------------- */
/* Rows i0..i1-1 of the output. `where` (may be NULL) gets u*kw + v of the maximum. */
KERNEL void FN(maxpool)(const tnn__pool_geometry *p, const float *x, tnn__len x_row,
                        float *y, tnn__len y_row, float *where, int i0, int i1)
{
    int i, j, u, v;
    tnn__len c;
    for (i = i0; i < i1; i++)
        for (j = 0; j < p->ow; j++) {
            float *to = y + i*y_row + (tnn__len)j*p->c;
            float *w = where ? where + ((tnn__len)i*p->ow + j)*p->c : NULL;
            for (c = 0; c < p->c; c += VN) {
                const tnn__len rest = p->c - c;
                int first = 1;                  /* a window of padding alone stays -infinity */
                VF m = vf_set1((float)-HUGE_VAL), at = vf_zero();
                for (u = 0; u < p->kh; u++) {
                    const int yi = i*p->sh - p->ph + u*p->dh;
                    if (yi < 0 || yi >= p->ih) continue;
                    for (v = 0; v < p->kw; v++) {
                        const int xi = j*p->sw - p->pw + v*p->dw;
                        const float *from = x + yi*x_row + (tnn__len)xi*p->c + c;
                        VF e, q;
                        if (xi < 0 || xi >= p->iw) continue;
                        e = rest >= VN ? vf_load(from) : vf_load_n(from, rest);
                        q = vf_set1((float)(u*p->kw + v));
                        if (first) {
                            m = e;
                            at = q;
                            first = 0;
                            continue;
                        }
                        at = vf_gt(e, m, q, vf_eq(e, e, at, q));        /* larger, or NaN */
                        m = vf_gt(e, m, e, vf_eq(e, e, m, e));
                    }
                }
                if (rest >= VN) vf_store(to + c, m); else vf_store_n(to + c, m, rest);
                if (w) { if (rest >= VN) vf_store(w + c, at); else vf_store_n(w + c, at, rest); }
            }
        }
}
/* dx += dy at the place of each maximum. dy and where are contiguous. */
KERNEL void FN(maxpool_grad)(const tnn__pool_geometry *p, const float *dy, const float *where,
                             float *dx, tnn__len dx_row, int i0, int i1)
{
    int i, j, u, v;
    tnn__len c;
    for (i = i0; i < i1; i++)
        for (j = 0; j < p->ow; j++) {
            const float *g = dy + ((tnn__len)i*p->ow + j)*p->c;
            const float *w = where + ((tnn__len)i*p->ow + j)*p->c;
            for (u = 0; u < p->kh; u++) {
                const int yi = i*p->sh - p->ph + u*p->dh;
                if (yi < 0 || yi >= p->ih) continue;
                for (v = 0; v < p->kw; v++) {
                    const int xi = j*p->sw - p->pw + v*p->dw;
                    float *to = dx + yi*dx_row + (tnn__len)xi*p->c;
                    const VF q = vf_set1((float)(u*p->kw + v));
                    if (xi < 0 || xi >= p->iw) continue;
                    for (c = 0; c + VN <= p->c; c += VN)
                        vf_store(to + c,
                                 vf_add(vf_load(to + c),
                                        vf_eq(vf_load(w + c), q, vf_load(g + c), vf_zero())));
                    if (c < p->c) {
                        const tnn__len r = p->c - c;
                        vf_store_n(to + c,
                                   vf_add(vf_load_n(to + c, r),
                                          vf_eq(vf_load_n(w + c, r), q,
                                                vf_load_n(g + c, r), vf_zero())), r);
                    }
                }
            }
        }
}

/* How many elements an average is over: those of the window, cut off at the padded image's end as
   PyTorch does, or with exclude_pad at the image's. */
#ifndef TNN__DIVISOR
#define TNN__DIVISOR
static float tnn__pool_divisor(const tnn__pool_geometry *p, int i, int j)
{
    int h0 = i*p->sh - p->ph, w0 = j*p->sw - p->pw;
    int h1 = TNN__MIN(h0 + p->kh, p->ih + p->ph), w1 = TNN__MIN(w0 + p->kw, p->iw + p->pw);
    if (p->exclude_pad) {
        h0 = TNN__MAX(h0, 0);
        w0 = TNN__MAX(w0, 0);
        h1 = TNN__MIN(h1, p->ih);
        w1 = TNN__MIN(w1, p->iw);
    }
    return (float)((h1 - h0)*(w1 - w0));
}
#endif
KERNEL void FN(avgpool)(const tnn__pool_geometry *p, const float *x, tnn__len x_row,
                        float *y, tnn__len y_row)
{
    int i, j, u, v;
    tnn__len c;
    for (i = 0; i < p->oh; i++)
        for (j = 0; j < p->ow; j++) {
            const VF n = vf_set1(tnn__pool_divisor(p, i, j));
            float *to = y + i*y_row + (tnn__len)j*p->c;
            for (c = 0; c < p->c; c += VN) {
                const tnn__len rest = p->c - c;
                VF s = vf_zero();
                for (u = 0; u < p->kh; u++) {
                    const int yi = i*p->sh - p->ph + u;
                    if (yi < 0 || yi >= p->ih) continue;
                    for (v = 0; v < p->kw; v++) {
                        const int xi = j*p->sw - p->pw + v;
                        const float *from = x + yi*x_row + (tnn__len)xi*p->c + c;
                        if (xi >= 0 && xi < p->iw)
                            s = vf_add(s, rest >= VN ? vf_load(from) : vf_load_n(from, rest));
                    }
                }
                s = vf_div(s, n);
                if (rest >= VN) vf_store(to + c, s); else vf_store_n(to + c, s, rest);
            }
        }
}
KERNEL void FN(avgpool_grad)(const tnn__pool_geometry *p, const float *dy,
                             float *dx, tnn__len dx_row)
{
    int i, j, u, v;
    tnn__len c;
    for (i = 0; i < p->oh; i++)
        for (j = 0; j < p->ow; j++) {
            const VF n = vf_set1(tnn__pool_divisor(p, i, j));
            const float *g = dy + ((tnn__len)i*p->ow + j)*p->c;
            for (u = 0; u < p->kh; u++) {
                const int yi = i*p->sh - p->ph + u;
                if (yi < 0 || yi >= p->ih) continue;
                for (v = 0; v < p->kw; v++) {
                    const int xi = j*p->sw - p->pw + v;
                    float *to = dx + yi*dx_row + (tnn__len)xi*p->c;
                    if (xi < 0 || xi >= p->iw) continue;
                    for (c = 0; c < p->c; c += VN) {
                        const tnn__len r = p->c - c;
                        if (r >= VN)
                            vf_store(to + c, vf_add(vf_load(to + c), vf_div(vf_load(g + c), n)));
                        else
                            vf_store_n(to + c, vf_add(vf_load_n(to + c, r),
                                                      vf_div(vf_load_n(g + c, r), n)), r);
                    }
                }
            }
        }
}

/* ---- 3e. Reductions ---------------------------------------------------------------------------
   Element i goes to lane i % 16, in rising order; then lane l takes in lane l + 8, 4, 2, 1. */
HELPER float FN(fold)(float t[LANES])
{
    int n, l;
    for (n = LANES/2; n > 0; n /= 2) for (l = 0; l < n; l++) t[l] += t[l + n];
    return t[0];
}
KERNEL float FN(sum)(tnn__len n, const float *x)
{
    float t[LANES];
    tnn__len i;
    int v;
    for (v = 0; v < LANES; v += VN) {
        VF s = vf_zero();
        for (i = v; i + VN <= n; i += LANES) s = vf_add(s, vf_load(x + i));
        if (i < n) s = vf_add(s, vf_load_n(x + i, n - i));
        vf_store(t + v, s);
    }
    return FN(fold)(t);
}
KERNEL float FN(dot)(tnn__len n, const float *x, const float *y)
{
    float t[LANES];
    tnn__len i;
    int v;
    for (v = 0; v < LANES; v += VN) {
        VF s = vf_zero();
        for (i = v; i + VN <= n; i += LANES) s = vf_fma(vf_load(x + i), vf_load(y + i), s);
        if (i < n) s = vf_fma(vf_load_n(x + i, n - i), vf_load_n(y + i, n - i), s);
        vf_store(t + v, s);
    }
    return FN(fold)(t);
}
/* The largest element, NaN if there is one; n at least 1. */
KERNEL float FN(largest)(tnn__len n, const float *x)
{
    float t[VN], m;
    tnn__len i = 0;
    int v;
    VF s = vf_set1(x[0]);
    for (; i + VN <= n; i += VN) {
        VF e = vf_load(x + i);
        s = vf_gt(s, e, s, vf_eq(s, s, e, s));
    }
    vf_store(t, s);
    for (m = t[0], v = 1; v < VN; v++) if (!(t[v] <= m) && m == m) m = t[v];
    for (; i < n; i++) if (!(x[i] <= m) && m == m) m = x[i];
    return m;
}

/* exp(x) to about 1 ulp: x = n ln 2 + r, |r| <= ln 2 / 2, exp x = 2^n times the Taylor
   polynomial of degree 7; ln 2 in two parts, the first short enough for n times it to be exact.
   Below -87.3 the result is 0, above 88 that of 88. */
HELPER VF FN(exp)(VF x)
{
    /* 1.5 * 2^23: adding it rounds to an integer, kept in the low bits */
    const VF magic = vf_set1(12582912.0f);
    const VF y = vf_min(vf_set1(88.0f), vf_max(vf_set1(-87.3f), x));
    const VF t = vf_fma(y, vf_set1(1.44269504f), magic);
    const VF n = vf_sub(t, magic);
    const VF r = vf_fma(n, vf_set1(2.12194440e-4f), vf_fma(n, vf_set1(-0.693359375f), y));
    VF p = vf_set1(1.0f/5040);
    p = vf_fma(p, r, vf_set1(1.0f/720));
    p = vf_fma(p, r, vf_set1(1.0f/120));
    p = vf_fma(p, r, vf_set1(1.0f/24));
    p = vf_fma(p, r, vf_set1(1.0f/6));
    p = vf_fma(p, r, vf_set1(0.5f));
    p = vf_fma(p, r, vf_set1(1.0f));
    p = vf_fma(p, r, vf_set1(1.0f));
    p = vf_mul(p, vf_cast(vu_add(vu_sll(vu_cast(t), 23), vu_set1(127u << 23))));
    return vf_gt(vf_set1(-87.3f), x, vf_zero(), p);
}
/* y = exp(x - max); returns its sum. */
KERNEL float FN(exp_sum)(tnn__len n, const float *x, float max, float *y)
{
    const VF m = vf_set1(max);
    float t[LANES];
    tnn__len i;
    int v;
    for (v = 0; v < LANES; v += VN) {
        VF s = vf_zero(), e;
        for (i = v; i + VN <= n; i += LANES) {
            e = FN(exp)(vf_sub(vf_load(x + i), m));
            vf_store(y + i, e);
            s = vf_add(s, e);
        }
        if (i < n) {
            vf_store_n(y + i, FN(exp)(vf_sub(vf_load_n(x + i, n - i), m)), n - i);
            s = vf_add(s, vf_load_n(y + i, n - i));
        }
        vf_store(t + v, s);
    }
    return FN(fold)(t);
}

/* ---- 3f. Optimizers ---------------------------------------------------------------------------
   One pass over w (parameters), g (gradients), m and v (moments), n a multiple of 16. The rules
   are in part 9. */
KERNEL void FN(update)(const tnn__update *u, tnn__len n)
{
    float *TNN__RESTRICT w = u->w, *TNN__RESTRICT m = u->m, *TNN__RESTRICT v = u->v;
    const float *TNN__RESTRICT g = u->g;
    const VF step = vf_set1(-u->lr), decay = vf_set1(u->decay);
    const VF beta1 = vf_set1(u->beta1), beta2 = vf_set1(u->beta2);
    const VF one_beta1 = vf_set1(u->one_beta1), one_beta2 = vf_set1(u->one_beta2);
    const VF eps = vf_set1(u->eps), root2 = vf_set1(u->root2);
    const VF mu = vf_set1(u->momentum), undampened = vf_set1(u->undampened);
    const VF keep = vf_set1(u->keep);
    tnn__len i;
    if (u->type == TNN_SGD && !m)
        for (i = 0; i < n; i += VN) {
            const VF p = vf_load(w + i);
            vf_store(w + i, vf_fma(step, vf_fma(decay, p, vf_load(g + i)), p));
        }
    else if (u->type == TNN_SGD)
        for (i = 0; i < n; i += VN) {
            const VF p = vf_load(w + i), d = vf_fma(decay, p, vf_load(g + i));
            const VF b = u->first ? d : vf_fma(mu, vf_load(m + i), vf_mul(undampened, d));
            vf_store(m + i, b);
            vf_store(w + i, vf_fma(step, u->nesterov ? vf_fma(mu, b, d) : b, p));
        }
    else    /* Adam (keep = 1) and AdamW (decay = 0, keep = 1 - lr * weight_decay) */
        for (i = 0; i < n; i += VN) {
            const VF p = vf_mul(keep, vf_load(w + i)), d = vf_fma(decay, p, vf_load(g + i));
            const VF a = vf_fma(one_beta1, d, vf_mul(beta1, vf_load(m + i)));
            const VF b = vf_fma(vf_mul(one_beta2, d), d, vf_mul(beta2, vf_load(v + i)));
            vf_store(m + i, a);
            vf_store(v + i, b);
            vf_store(w + i, vf_fma(step, vf_div(a, vf_fma(vf_sqrt(b), root2, eps)), p));
        }
}

/* ---- 3g. Regularizers ------------------------------------------------------------------------ */
/* sums[j] = sum over k of w[k,j]^2, for one panel w of K rows; over four partial sums each. */
KERNEL void FN(colsquares)(tnn__len K, const float *w, float *sums)
{
    tnn__len k;
    int v;
    for (v = 0; v < 16; v += VN) {
        VF s0 = vf_zero(), s1 = s0, s2 = s0, s3 = s0, x;
        for (k = 0; k + 4 <= K; k += 4) {
            const float *p = w + k*16 + v;
            x = vf_load(p);      s0 = vf_fma(x, x, s0);
            x = vf_load(p + 16); s1 = vf_fma(x, x, s1);
            x = vf_load(p + 32); s2 = vf_fma(x, x, s2);
            x = vf_load(p + 48); s3 = vf_fma(x, x, s3);
        }
        for (; k < K; k++) {
            x = vf_load(w + k*16 + v);
            s0 = vf_fma(x, x, s0);
        }
        vf_store(sums + v, vf_add(vf_add(s0, s1), vf_add(s2, s3)));
    }
}
/* w[k,j] *= factors[j] */
KERNEL void FN(colscale)(tnn__len K, const float *factors, float *w)
{
    tnn__len k;
    int v;
    for (v = 0; v < 16; v += VN) {
        const VF f = vf_load(factors + v);
        for (k = 0; k < K; k++) vf_store(w + k*16 + v, vf_mul(f, vf_load(w + k*16 + v)));
    }
}
/* g += l1 sign(w) + l2 w, n a multiple of 16 */
KERNEL void FN(penalty)(tnn__len n, const float *w, float *g, float l1, float l2)
{
    const VF up = vf_set1(l1), down = vf_set1(-l1), slope = vf_set1(l2), zero = vf_zero();
    tnn__len i;
    for (i = 0; i < n; i += VN) {
        const VF x = vf_load(w + i), d = vf_fma(slope, x, vf_load(g + i));
        vf_store(g + i, vf_add(d, vf_gt(x, zero, up, vf_gt(zero, x, down, zero))));
    }
}

static const tnn__isa_table FN(table) = {
    TNN__STR(TNN__PASS_NAME),
#define X(ret, kernel, args) FN(kernel),
    TNN__KERNELS(X)
#undef X
};
/* Nothing is left behind. */
#undef FN
#undef TARGET
#undef KERNEL
#undef HELPER
#undef VF
#undef VN
#undef vf_set1
#undef vf_load
#undef vf_store
#undef vf_load_n
#undef vf_store_n
#undef vf_add
#undef vf_sub
#undef vf_mul
#undef vf_div
#undef vf_sqrt
#undef vf_fma
#undef vf_max
#undef vf_min
#undef vf_gt
#undef vf_eq
#undef VU
#undef vf_cast
#undef vu_cast
#undef vf_from
#undef vu_set1
#undef vu_load
#undef vu_add
#undef vu_xor
#undef vu_sll
#undef vu_srl
#undef vu_mul
#undef MR
#undef NV
#undef vf_mask
#undef vf_zero
#undef NW
#undef LANES
#undef ROWS_1
#undef ROWS_2
#undef ROWS_3
#undef ROWS_4
#undef ROWS_5
#undef ROWS_6
#undef ROWS_7
#undef ROWS_8
#undef ROWS_9
#undef ROWS_10
#undef ROWS_11
#undef ROWS_12
#undef ROWS_13
#undef ROWS_14
#undef COLS_1
#undef COLS_2
#undef COLS_4
#undef BV
#undef CV
#undef DECLARE
#undef SET_ZERO
#undef SET_BIAS
#undef SET_KEEP
#undef STEP
#undef RELU
#undef SAVE
#undef W_DECLARE
#undef W_BIAS
#undef W_LOAD
#undef TILE
#undef DECLARE_1
#undef KEEP_1
#undef BIAS_1
#undef ZERO_1
#undef STEP_1
#undef RELU_1
#undef SAVE_1
#undef DECLARE_2
#undef KEEP_2
#undef BIAS_2
#undef ZERO_2
#undef STEP_2
#undef RELU_2
#undef SAVE_2
#undef DECLARE_4
#undef KEEP_4
#undef BIAS_4
#undef ZERO_4
#undef STEP_4
#undef RELU_4
#undef SAVE_4
#undef TILES
#undef WIDE
#endif /* TNN__PASS */

/* ==== 4. INSTANTIATION AND DISPATCH =========================================================== */
#ifndef TNN__PASS
#define TNN__PASS 1
#define TNN__PASS_NAME scalar
#include TINYNN_SELF
#undef TNN__PASS
#undef TNN__PASS_NAME
#ifdef TNN__X86
#define TNN__PASS 2
#define TNN__PASS_NAME sse2
#include TINYNN_SELF
#undef TNN__PASS
#undef TNN__PASS_NAME
#define TNN__PASS 3
#define TNN__PASS_NAME avx2
#include TINYNN_SELF
#undef TNN__PASS
#undef TNN__PASS_NAME
#define TNN__PASS 4
#define TNN__PASS_NAME avx512
#include TINYNN_SELF
#undef TNN__PASS
#undef TNN__PASS_NAME
#endif
#ifdef TNN__NEON
#define TNN__PASS 5
#define TNN__PASS_NAME neon
#include TINYNN_SELF
#undef TNN__PASS
#undef TNN__PASS_NAME
#endif

/* Worst first. The machine has the first tnn__isa_count() of them: a set counts only if the cpu has
   it AND the operating system saves its registers. */
static const tnn__isa_table *const tnn__isa_tables[] = {
    &tnn__table_scalar,
#ifdef TNN__X86
    &tnn__table_sse2, &tnn__table_avx2, &tnn__table_avx512,
#endif
#ifdef TNN__NEON
    &tnn__table_neon,
#endif
};
static int tnn__isa_count(void)
{
#ifdef TNN__X86
    unsigned r[4], xcr0, c1;
    #ifdef _MSC_VER
    #define CPUID(leaf) __cpuidex((int *)r, leaf, 0)
    #define XCR0()      (xcr0 = (unsigned)_xgetbv(0))
    #else
    #define CPUID(leaf) __cpuid_count(leaf, 0, r[0], r[1], r[2], r[3])
    #define XCR0()      __asm__ volatile ("xgetbv" : "=a"(xcr0) : "c"(0) : "edx")
    #endif
    CPUID(0);
    if (r[0] < 7) return 2;
    CPUID(1);
    c1 = r[2];
    if (!(c1 >> 27 & 1)) return 2;                                              /* OSXSAVE */
    XCR0();
    CPUID(7);
    if ((xcr0 & 0x06) != 0x06 || !(c1 >> 12 & 1) || !(c1 >> 28 & 1) || !(r[1] >> 5 & 1))
        return 2;                                                   /* ymm saved, FMA, AVX, AVX2 */
    return (xcr0 & 0xe6) == 0xe6 && (r[1] >> 16 & 1) ? 4 : 3;       /* zmm saved, AVX-512F */
    #undef CPUID
    #undef XCR0
#else
    return (int)(sizeof tnn__isa_tables / sizeof *tnn__isa_tables);
#endif
}

static int tnn__isa_chosen;     /* index + 1; threads may race, but set the same value */
static const tnn__isa_table *tnn__kernels(void)
{
    int chosen = TNN__LOAD(&tnn__isa_chosen), i;
    if (!chosen) {
        const char *want = getenv("TINYNN_ISA");
        const int n = chosen = tnn__isa_count();
        for (i = 0; want && i < n; i++)
            if (!strcmp(want, tnn__isa_tables[i]->name)) chosen = i + 1;
        TNN__STORE(&tnn__isa_chosen, chosen);
    }
    return tnn__isa_tables[chosen - 1];
}
TNN_API const char *tnn_isa(void) { return tnn__kernels()->name; }
TNN_API const char *tnn_isa_name(int i)
{
    return i >= 0 && i < tnn__isa_count() ? tnn__isa_tables[i]->name : NULL;
}
TNN_API tnn_status (tnn_set_isa)(const char *name)
{
    int i, n = tnn__isa_count();
    for (i = 0; name && i < n; i++)
        if (!strcmp(name, tnn__isa_tables[i]->name)) {
            TNN__STORE(&tnn__isa_chosen, i + 1);
            return TNN_OK;
        }
    return tnn__fail(TNN_ERROR_ARGUMENT,
                     "tnn_set_isa: this machine has no \"%s\"; its best is \"%s\"",
                     name ? name : "(null)", tnn__isa_tables[n - 1]->name);
}

/* ==== 5. TENSORS ============================================================================== */

/* ---- 5a. Shapes and windows ------------------------------------------------------------------ */
/* Elements of a shape, 0 if a dimension is not positive or the product does not fit. */
static tnn__len tnn__count(int n, int c, int h, int w)
{
    tnn__len count;
    if (n < 1 || c < 1 || h < 1 || w < 1) return 0;
    count = tnn__mul(tnn__mul(n, c), tnn__mul(h, w));
    return count >= TNN__HUGE / 16 ? 0 : count;
}
static tnn__len tnn__size(tnn_tensor t) { return t.data ? tnn__count(t.n, t.c, t.h, t.w) : 0; }

TNN_API tnn_tensor tnn_tensor_view(float *data, int n, int c, int h, int w)
{
    tnn_tensor t;
    t.n = n; t.c = c; t.h = h; t.w = w; t.data = data;
    return t;
}
TNN_API tnn_tensor (tnn_tensor_create)(int n, int c, int h, int w)
{
    tnn_tensor t = tnn_tensor_view(NULL, n, c, h, w);
    tnn__len count = tnn__count(n, c, h, w);
    if (count) t.data = tnn__floats(count, "tensor");
    else tnn__fail(TNN_ERROR_SHAPE,
                   "tensor: shape (%d, %d, %d, %d) must be positive and fit in memory", n, c, h, w);
    return t;
}
TNN_API tnn_tensor (tnn_tensor_slice)(tnn_tensor t, int first, int count)
{
    tnn_tensor s = t;
    if (first < 0 || count < 1 || first > t.n - count) {
        tnn__fail(TNN_ERROR_SHAPE, "tnn_tensor_slice: %d samples from %d on, of %d",
                  count, first, t.n);
        s.data = NULL;
    } else {
        if (s.data) s.data += (tnn__len)first*t.c*t.h*t.w;
        s.n = count;
    }
    return s;
}
TNN_API void tnn_tensor_free(tnn_tensor *t)
{
    if (t) {
        tnn__release(t->data);
        t->data = NULL;
    }
}
TNN_API tnn_status (tnn_fill)(tnn_tensor t, float value)
{
    tnn__len i, n = tnn__size(t);
    if (!n) return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_fill: a tensor without data");
    for (i = 0; i < n; i++) t.data[i] = value;
    return TNN_OK;
}

/* Fills in a window's geometry over an image of c x h x w; `what` names the object in messages.
   Pooling windows (`pooling`) step by their own size and may be padded by half of it at most. */
static tnn_status tnn__window(const char *what, const tnn_window *o, int pooling,
                              int c, int h, int w, tnn__pool_geometry *g)
{
    int span_h, span_w, k;
    memset(g, 0, sizeof *g);
    g->c = c; g->ih = h; g->iw = w;
    g->kh = o->kernel_h ? o->kernel_h : o->kernel;
    g->kw = o->kernel_w ? o->kernel_w : o->kernel;
    g->sh = o->stride_h ? o->stride_h : o->stride;
    g->sw = o->stride_w ? o->stride_w : o->stride;
    g->ph = o->pad_h ? o->pad_h : o->pad;
    g->pw = o->pad_w ? o->pad_w : o->pad;
    g->dh = o->dilation_h ? o->dilation_h : o->dilation ? o->dilation : 1;
    g->dw = o->dilation_w ? o->dilation_w : o->dilation ? o->dilation : 1;
    if (!g->sh) g->sh = pooling ? g->kh : 1;
    if (!g->sw) g->sw = pooling ? g->kw : 1;
    g->exclude_pad = o->exclude_pad;
    if (g->kh < 1 || g->kw < 1)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: kernel %dx%d must be at least 1x1",
                         what, g->kh, g->kw);
    if (g->sh < 1 || g->sw < 1)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: stride %dx%d must be at least 1",
                         what, g->sh, g->sw);
    if (g->dh < 1 || g->dw < 1)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: dilation %dx%d must be at least 1",
                         what, g->dh, g->dw);
    if (g->ph < 0 || g->pw < 0)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: pad %dx%d must not be negative",
                         what, g->ph, g->pw);
    k = 1 << 20;        /* keeps every later product of two of these within an int */
    if (g->kh > 4096 || g->kw > 4096 || g->sh > k || g->sw > k || g->dh > 4096 || g->dw > 4096
        || g->ph > k || g->pw > k || h > k || w > k || c > 1 << 24)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: kernel and dilation go up to 4096, "
                         "stride, pad, height and width to %d", what, k);
    span_h = g->dh*(g->kh - 1) + 1;
    span_w = g->dw*(g->kw - 1) + 1;
    if (pooling && (2*g->ph > span_h || 2*g->pw > span_w))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: pad %dx%d must be at most half the kernel %dx%d",
                         what, g->ph, g->pw, span_h, span_w);
    if (span_h > h + 2*g->ph || span_w > w + 2*g->pw)
        return tnn__fail(TNN_ERROR_SHAPE,
                         "%s: kernel %dx%d does not fit its input %dx%dx%d with pad %d%s",
                         what, span_h, span_w, c, h, w, TNN__MAX(g->ph, g->pw),
                         g->dh > 1 || g->dw > 1 ? " (kernel with dilation)" : "");
    k = pooling && o->ceil;
    g->oh = (h + 2*g->ph - span_h + (k ? g->sh - 1 : 0))/g->sh + 1;
    g->ow = (w + 2*g->pw - span_w + (k ? g->sw - 1 : 0))/g->sw + 1;
    /* a window must start inside the image or its left pad */
    if (k && (g->oh - 1)*g->sh >= h + g->ph) g->oh--;
    if (k && (g->ow - 1)*g->sw >= w + g->pw) g->ow--;
    return TNN_OK;
}

/* One image between (c, h, w) and channels last, whose image rows are `row` floats apart. */
static void tnn__channels_last(const tnn__isa_table *k, int c, int h, int w,
                               const float *x, float *y, tnn__len row)
{
    int i;
    for (i = 0; i < h; i++)
        if (c == 1) memcpy(y + i*row, x + (tnn__len)i*w, (size_t)w*sizeof *y);
        else k->transpose(c, w, x + (tnn__len)i*w, (tnn__len)h*w, y + i*row, c);
}
static void tnn__channels_first(const tnn__isa_table *k, int c, int h, int w,
                                const float *x, tnn__len row, float *y)
{
    int i;
    for (i = 0; i < h; i++)
        if (c == 1) memcpy(y + (tnn__len)i*w, x + i*row, (size_t)w*sizeof *y);
        else k->transpose(w, c, x + i*row, c, y + (tnn__len)i*w, (tnn__len)h*w);
}

/* ---- 5b. Convolution of one image -------------------------------------------------------------
   x (ih, iw, ic), y (oh, ow, oc), channels last. x and dy stand in frames of zeros wide enough
   for every window, so no product asks where the image ends; pointers are to pixel (0, 0), rows
   x_row and y_row floats apart.

       y[i,j,f] = bias[f] + sum_{u,v,c} w[f,(u,v,c)] x[i*sh + u*dh - ph, j*sw + v*dw - pw, c]

   Weights are panels over f, per group: K = kh*kw*cg rows in the order (u, v, c). A dense layer
   is the convolution whose window is the whole image. */
typedef struct {
    tnn__pool_geometry g;       /* c is ic */
    int      oc, groups;
    int      cg, og;            /* channels in and out per group */
    int      panels;            /* per group */
    tnn__len K;
    int      y_lo_h, y_hi_h, y_lo_w, y_hi_w;    /* the frame that dx needs around dy */
} tnn__conv;

/* dx in one dimension. Pixel r + s*t of x meets window element u where  r + s*t = y*s + u*d - p,
   so  y = t + (r + p - u*d)/s: for each of the s residues r a convolution of dy with the u that
   divide. In order of rising y they form an arithmetic progression. */
typedef struct { int count, u, u_step, y, y_step; } tnn__taps;
static tnn__taps tnn__dx_taps(int r, int p, int d, int s, int k)
{
    tnn__taps t = {0, 0, 0, 0, 0};
    int u;
    for (u = k - 1; u >= 0; u--)
        if ((r + p - u*d)%s == 0) {
            const int y = (r + p - u*d)/s;
            if (t.count == 0) {
                t.u = u;
                t.y = y;
            }
            if (t.count == 1) {
                t.u_step = u - t.u;
                t.y_step = y - t.y;
            }
            t.count++;
        }
    return t;
}
static void tnn__dx_frame(int p, int d, int s, int k, int in, int out, int *lo, int *hi)
{
    int r;
    *lo = *hi = 0;
    for (r = 0; r < s && r < in; r++) {
        const tnn__taps t = tnn__dx_taps(r, p, d, s, k);
        const int last = (in - 1 - r)/s + t.y + (t.count - 1)*t.y_step;
        if (!t.count) continue;
        *lo = TNN__MAX(*lo, -t.y);
        *hi = TNN__MAX(*hi, last - (out - 1));
    }
}

static tnn_status tnn__conv_init(const char *what, const tnn_window *o, int c, int h, int w,
                                 int oc, tnn__conv *q)
{
    tnn_status s = tnn__window(what, o, 0, c, h, w, &q->g);
    if (s) return s;
    q->oc = oc;
    q->groups = o->groups ? o->groups : 1;
    if (oc < 1 || oc > 1 << 24)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: %d filters, must be 1 to %d", what, oc, 1 << 24);
    if (q->groups < 1 || c%q->groups || oc%q->groups)
        return tnn__fail(TNN_ERROR_SHAPE,
                         "%s: %d groups must divide the %d input channels and the %d filters",
                         what, q->groups, c, oc);
    q->cg = c/q->groups;
    q->og = oc/q->groups;
    q->panels = (q->og + 15)/16;
    q->K = tnn__mul(tnn__mul(q->g.kh, q->g.kw), q->cg);
    if (q->K > 1 << 30 || tnn__mul(q->K, tnn__mul(q->groups*16, q->panels)) >= TNN__HUGE/16)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: %l weights per filter, %d filters: too many",
                         what, (long long)q->K, oc);
    tnn__dx_frame(q->g.ph, q->g.dh, q->g.sh, q->g.kh, h, q->g.oh, &q->y_lo_h, &q->y_hi_h);
    tnn__dx_frame(q->g.pw, q->g.dw, q->g.sw, q->g.kw, w, q->g.ow, &q->y_lo_w, &q->y_hi_w);
    return TNN_OK;
}
/* The frame around x: ph, pw before it; what the last window needs behind it. */
static int tnn__x_hi_h(const tnn__pool_geometry *g)
{
    return TNN__MAX(0, (g->oh - 1)*g->sh - g->ph + (g->kh - 1)*g->dh - (g->ih - 1));
}
static int tnn__x_hi_w(const tnn__pool_geometry *g)
{
    return TNN__MAX(0, (g->ow - 1)*g->sw - g->pw + (g->kw - 1)*g->dw - (g->iw - 1));
}
static tnn__len tnn__weight_floats(const tnn__conv *q) { return q->K*16*q->panels*q->groups; }
static int      tnn__bias_floats(const tnn__conv *q)   { return 16*q->panels*q->groups; }
static tnn__len tnn__flipped_floats(const tnn__conv *q)
{
    return (tnn__len)q->g.kh*q->g.kw*q->oc*((q->cg + 15)/16*16);
}

/* Between PyTorch's (oc, cg, kh, kw) and panels. */
static void tnn__copy_weights(const tnn__conv *q, float *panels, float *values, int to_panels)
{
    int o, c, u, v;
    for (o = 0; o < q->oc; o++) {
        const int f = o%q->og;
        float *p = panels + ((tnn__len)(o/q->og*q->panels + f/16)*q->K)*16 + f%16;
        for (c = 0; c < q->cg; c++)
            for (u = 0; u < q->g.kh; u++)
                for (v = 0; v < q->g.kw; v++, values++) {
                    float *at = p + ((tnn__len)(u*q->g.kw + v)*q->cg + c)*16;
                    if (to_panels) *at = *values; else *values = *at;
                }
    }
}
static void tnn__copy_bias(const tnn__conv *q, float *panels, float *values, int to_panels)
{
    int o;
    for (o = 0; o < q->oc; o++) {
        float *at = panels + o/q->og*q->panels*16 + o%q->og;
        if (to_panels) *at = values[o]; else values[o] = *at;
    }
}

/* Rows i0..i1-1 of the output, the first of them at y. */
static void tnn__conv_forward(const tnn__isa_table *k, const tnn__conv *q,
                              const float *x, tnn__len x_row, const float *w, const float *bias,
                              float *y, tnn__len y_row, int relu, int i0, int i1)
{
    const tnn__pool_geometry *g = &q->g;
    int group;
    for (group = 0; group < q->groups; group++) {
        tnn__mm t;
        memset(&t, 0, sizeof t);
        t.a = x + (i0*g->sh - g->ph)*x_row - (tnn__len)g->pw*g->c + group*q->cg;
        t.a0 = g->sh*x_row;
        t.rs = (tnn__len)g->sw*g->c;
        t.gs = 3*t.rs;
        t.ks = 1;
        t.b = w + group*q->panels*q->K*16;
        t.bp = q->K*16;
        t.ldb = 16;
        t.n1 = 1;
        if (q->groups == 1 && g->dw == 1) {     /* a row of the window is contiguous */
            t.n2 = g->kh;
            t.a2 = g->dh*x_row;
            t.run = g->kw*g->c;
            t.b2 = (tnn__len)t.run*16;
        } else {
            t.n1 = g->kh; t.a1 = g->dh*x_row; t.b1 = (tnn__len)g->kw*q->cg*16;
            t.n2 = g->kw; t.a2 = (tnn__len)g->dw*g->c; t.b2 = (tnn__len)q->cg*16;
            t.run = q->cg;
        }
        t.c = y + group*q->og;
        t.c0 = y_row; t.ldc = q->oc; t.cp = 16;
        t.n0 = i1 - i0; t.rows = g->ow; t.cols = q->og;
        t.start = bias ? TNN__BIAS : TNN__ZERO;
        t.bias = bias ? bias + group*q->panels*16 : NULL;
        t.relu = relu;
        k->mm(&t);
    }
}

/* dw (+)= patches(x)^T dy;  db += sum of dy. */
static void tnn__conv_backward_weights(const tnn__isa_table *k, const tnn__conv *q,
                                       const float *x, tnn__len x_row,
                                       const float *dy, tnn__len y_row,
                                       float *dw, float *db, int keep)
{
    const tnn__pool_geometry *g = &q->g;
    const int whole = q->groups == 1 && g->dw == 1, rows = whole ? g->kw*g->c : q->cg;
    int group, u, v;
    for (group = 0; group < q->groups; group++) {
        tnn__mm t;
        memset(&t, 0, sizeof t);
        t.rs = 1; t.gs = 3;
        t.ks = (tnn__len)g->sw*g->c;
        t.a2 = g->sh*x_row;
        t.b = dy + group*q->og;
        t.bp = 16; t.ldb = q->oc; t.b2 = y_row;
        t.n0 = t.n1 = 1; t.n2 = g->oh; t.run = g->ow;
        t.ldc = 16; t.cp = q->K*16; t.cols = q->og;
        t.start = keep ? TNN__KEEP : TNN__ZERO;
        /* a 3x3 window on one channel: all rows at once */
        if (whole && rows == 3 && g->dh == 1) {
            t.a = x - g->ph*x_row - (tnn__len)g->pw*g->c;
            t.gs = x_row;
            t.rows = 3*g->kh;
            t.c = dw;
            k->mm(&t);
            continue;
        }
        t.rows = rows;
        for (u = 0; u < g->kh; u++)
            for (v = 0; v < (whole ? 1 : g->kw); v++) {
                t.a = x + (u*g->dh - g->ph)*x_row + (tnn__len)(v*g->dw - g->pw)*g->c + group*q->cg;
                t.c = dw + (group*q->panels*q->K + (tnn__len)(u*g->kw + v)*q->cg)*16;
                k->mm(&t);
            }
    }
    if (db)
        for (group = 0; group < q->groups; group++)
            for (u = 0; u < g->oh; u++)
                k->colsum(g->ow, q->og, dy + u*y_row + group*q->og, q->oc, db + group*q->panels*16);
}

/* The weights as the right-hand side of dx: per residue and group, panels over input channels with
   rows (tap, tap, output channel). */
static void tnn__conv_flip(const tnn__conv *q, const float *w, float *flipped)
{
    const tnn__pool_geometry *g = &q->g;
    int rh, rw, group, p, a, b, o, c;
    for (rh = 0; rh < g->sh; rh++)
        for (rw = 0; rw < g->sw; rw++) {
            const tnn__taps th = tnn__dx_taps(rh, g->ph, g->dh, g->sh, g->kh);
            const tnn__taps tw = tnn__dx_taps(rw, g->pw, g->dw, g->sw, g->kw);
            for (group = 0; group < q->groups; group++)
                for (p = 0; p < q->cg; p += 16)
                    for (a = 0; a < th.count; a++)
                        for (b = 0; b < tw.count; b++) {
                            const int uv = (th.u + a*th.u_step)*g->kw + tw.u + b*tw.u_step;
                            const int n = TNN__MIN(16, q->cg - p);
                            for (o = 0; o < q->og; o++, flipped += 16) {
                                const float *from = w + ((group*q->panels + o/16)*q->K
                                                         + (tnn__len)uv*q->cg + p)*16 + o%16;
                                for (c = 0; c < n; c++) flipped[c] = from[c*16];
                                for (; c < 16; c++) flipped[c] = 0;
                            }
                        }
        }
}
static void tnn__conv_backward_input(const tnn__isa_table *k, const tnn__conv *q,
                                     const float *dy, tnn__len y_row, const float *flipped,
                                     float *dx, tnn__len x_row)
{
    const tnn__pool_geometry *g = &q->g;
    const int panels = (q->cg + 15)/16;
    int rh, rw, group;
    for (rh = 0; rh < g->sh; rh++)
        for (rw = 0; rw < g->sw; rw++) {
            const tnn__taps th = tnn__dx_taps(rh, g->ph, g->dh, g->sh, g->kh);
            const tnn__taps tw = tnn__dx_taps(rw, g->pw, g->dw, g->sw, g->kw);
            const tnn__len depth = (tnn__len)th.count*tw.count*q->og;
            for (group = 0; group < q->groups; group++, flipped += depth*16*panels) {
                tnn__mm t;
                if (rh >= g->ih || rw >= g->iw) continue;
                memset(&t, 0, sizeof t);
                t.a = dy + th.y*y_row + (tnn__len)tw.y*q->oc + group*q->og;
                t.a0 = y_row;
                t.rs = q->oc; t.gs = 3*t.rs; t.ks = 1;
                t.n1 = th.count; t.a1 = th.y_step*y_row;
                t.n2 = tw.count; t.a2 = (tnn__len)tw.y_step*q->oc;
                t.run = q->og;
                if (q->groups == 1 && (tw.count == 1 || tw.y_step == 1)) {
                    t.run *= tw.count;
                    t.n2 = 1;
                    t.a2 = 0;
                }
                t.b = flipped;
                t.ldb = 16; t.bp = depth*16;
                t.b2 = (tnn__len)t.run*16; t.b1 = t.n2*t.b2;
                t.c = dx + rh*x_row + (tnn__len)rw*g->c + group*q->cg;
                t.c0 = g->sh*x_row; t.ldc = (tnn__len)g->sw*g->c; t.cp = 16;
                t.n0 = (g->ih - rh + g->sh - 1)/g->sh;
                t.rows = (g->iw - rw + g->sw - 1)/g->sw;
                t.cols = q->cg;
                k->mm(&t);
            }
        }
}

/* ---- 5c. Tensor functions ---------------------------------------------------------------------
   Each checks its shapes, takes one workspace, and splits its samples or rows over the threads. */
#define TNN__K_BLOCK 512        /* k at a time: rows of B that stay cached while A's pass by */
static int tnn__k_block(tnn__len k)         /* nearly equal blocks */
{
    const tnn__len blocks = (k + TNN__K_BLOCK - 1)/TNN__K_BLOCK;
    return (int)((k + blocks - 1)/blocks);
}

/* How many partial sums a batch's weight gradient is split into: by its shape alone. */
#define TNN__SPANS 16
static int tnn__spans(tnn__len weights, int n)
{
    const tnn__len most = TNN__MAX(1, ((tnn__len)16 << 20)/TNN__MAX(weights, 1));   /* 64 MiB */
    return (int)TNN__MIN(TNN__MIN(most, TNN__SPANS), n);
}

typedef struct {
    const tnn__isa_table *k;
    tnn_tensor   a, b, c;
    int          flags, M, N, K, row_block, col_block, col_blocks;
    tnn__len     pack_a;            /* floats per thread for a copy of a block of A, or 0 */
    float       *panels, *packed;
} tnn__matmul_call;

static void tnn__matmul_pack(void *context, int task, int worker)
{
    const tnn__matmul_call *s = (const tnn__matmul_call *)context;
    const int n = TNN__MIN(16, s->N - 16*task);
    float *to = s->panels + (tnn__len)task*s->K*16;
    int k, j;
    (void)worker;
    if (s->flags & TNN_TRANSPOSE_B) {
        if (n < 16) memset(to, 0, (size_t)s->K*16*sizeof *to);
        s->k->transpose(n, s->K, s->b.data + (tnn__len)16*task*s->K, s->K, to, 16);
    } else
        for (k = 0; k < s->K; k++, to += 16) {
            const float *from = s->b.data + (tnn__len)k*s->N + 16*task;
            if (n == 16) memcpy(to, from, 16*sizeof *to);
            else for (j = 0; j < 16; j++) to[j] = j < n ? from[j] : 0;
        }
}
static void tnn__matmul_task(void *context, int task, int worker)
{
    const tnn__matmul_call *s = (const tnn__matmul_call *)context;
    const int i0 = task/s->col_blocks*s->row_block, j0 = task%s->col_blocks*s->col_block;
    const int transposed = s->flags & TNN_TRANSPOSE_A;
    tnn__mm t;
    const int block = tnn__k_block(s->K);
    int k0;
    memset(&t, 0, sizeof t);
    t.n0 = t.n1 = t.n2 = 1;
    t.rows = TNN__MIN(s->row_block, s->M - i0);
    t.cols = TNN__MIN(s->col_block, s->N - j0);
    t.c = s->c.data + (tnn__len)i0*s->N + j0;
    t.ldc = s->N; t.cp = 16;
    t.bp = (tnn__len)s->K*16; t.ldb = 16;
    for (k0 = 0; k0 < s->K; k0 += block) {
        const float *a = s->a.data + (transposed ? (tnn__len)k0*s->M + i0 : (tnn__len)i0*s->K + k0);
        t.run = TNN__MIN(block, s->K - k0);
        t.b = s->panels + j0/16*t.bp + (tnn__len)k0*16;
        t.start = k0 > 0 || (s->flags & TNN_ACCUMULATE) ? TNN__KEEP : TNN__ZERO;
        t.rs = transposed ? 1 : s->K;
        t.ks = transposed ? s->M : 1;
        t.a = a;
        /* rows that would share few cache sets: a copy with a better stride */
        if (s->pack_a) {
            const int rows = transposed ? t.run : t.rows, cols = transposed ? t.rows : t.run;
            const tnn__len from = transposed ? s->M : s->K;
            const tnn__len stride = (transposed ? s->row_block : TNN__K_BLOCK) + 16;
            float *to = s->packed + worker*s->pack_a;
            int i;
            for (i = 0; i < rows; i++) memcpy(to + i*stride, a + i*from, (size_t)cols*sizeof *to);
            t.a = to;
            t.rs = transposed ? 1 : stride;
            t.ks = transposed ? stride : 1;
        }
        t.gs = 3*t.rs;
        s->k->mm(&t);
    }
}
TNN_API tnn_status (tnn_matmul)(tnn_tensor c, tnn_tensor a, tnn_tensor b, int flags)
{
    tnn__matmul_call s;
    const int ta = flags & TNN_TRANSPOSE_A, tb = flags & TNN_TRANSPOSE_B;
    const tnn__len size_a = tnn__size(a), size_b = tnn__size(b), size_c = tnn__size(c);
    int threads = tnn_threads(), row_blocks;
    if (!size_a || !size_b || !size_c || a.h != 1 || a.w != 1 || b.h != 1 || b.w != 1
        || c.h != 1 || c.w != 1)
        return tnn__fail(TNN_ERROR_SHAPE,
                         "tnn_matmul: needs three matrices (n, c, 1, 1) with data");
    s.k = tnn__kernels();
    s.a = a; s.b = b; s.c = c; s.flags = flags;
    s.M = ta ? a.c : a.n;
    s.K = ta ? a.n : a.c;
    s.N = tb ? b.n : b.c;
    if ((tb ? b.c : b.n) != s.K || c.n != s.M || c.c != s.N)
        return tnn__fail(TNN_ERROR_SHAPE,
                         "tnn_matmul: C %dx%d = A%s %dx%d times B%s %dx%d does not fit",
                         c.n, c.c, ta ? "^T" : "", a.n, a.c, tb ? "^T" : "", b.n, b.c);
    if ((tnn__len)s.M*s.N*s.K < 32*32*32) threads = 1;
    row_blocks = (s.M + 111)/112;
    s.col_block = TNN__MIN(512, (int)tnn__round_up(s.N, 32));
    s.col_blocks = (s.N + s.col_block - 1)/s.col_block;
    if (threads > 1)
        row_blocks = (int)TNN__MIN((s.M + 13)/14,
                                   tnn__round_up(row_blocks, TNN__MAX(1, 2*threads/s.col_blocks)));
    s.row_block = (s.M + row_blocks - 1)/row_blocks;
    row_blocks = (s.M + s.row_block - 1)/s.row_block;
    s.pack_a = (ta ? s.M : s.K) >= 512 && s.N >= 64 ? (s.row_block + 16)*(TNN__K_BLOCK + 16) : 0;
    s.panels = tnn__workspace(tnn__mul((s.N + 15)/16*16, s.K) + tnn__mul(threads, s.pack_a),
                              "tnn_matmul");
    if (!s.panels) return TNN_ERROR_MEMORY;
    s.packed = s.panels + tnn__mul((s.N + 15)/16*16, s.K);
    tnn__run(threads, (s.N + 15)/16, tnn__matmul_pack, &s);
    tnn__run(threads, row_blocks*s.col_blocks, tnn__matmul_task, &s);
    tnn__release(s.panels);
    return TNN_OK;
}

typedef struct {
    const tnn__isa_table *k;
    tnn__conv    q;
    tnn_tensor   x, y;              /* whichever of them is a gradient */
    const float *weights, *bias;    /* as the kernels want them */
    float       *partial;           /* of dw and db, one per span */
    float       *scratch;           /* per thread: the framed x, the framed y */
    tnn__len     frame_x, frame_y, x_row, y_row;    /* sizes, strides, */
    tnn__len     x_at, y_at;                        /* where pixel (0, 0) stands */
    int          spans;
} tnn__conv_call;

static void tnn__conv_forward_task(void *context, int i, int worker)
{
    const tnn__conv_call *s = (const tnn__conv_call *)context;
    float *x = s->scratch + worker*(s->frame_x + s->frame_y), *y = x + s->frame_x;
    const tnn__pool_geometry *g = &s->q.g;
    tnn__channels_last(s->k, g->c, g->ih, g->iw, s->x.data + (tnn__len)i*g->c*g->ih*g->iw,
                       x + s->x_at, s->x_row);
    tnn__conv_forward(s->k, &s->q, x + s->x_at, s->x_row, s->weights, s->bias, y + s->y_at,
                      s->y_row, 0, 0, g->oh);
    tnn__channels_first(s->k, s->q.oc, g->oh, g->ow, y + s->y_at, s->y_row,
                        s->y.data + (tnn__len)i*s->q.oc*g->oh*g->ow);
}
static void tnn__conv_input_task(void *context, int i, int worker)
{
    const tnn__conv_call *s = (const tnn__conv_call *)context;
    float *x = s->scratch + worker*(s->frame_x + s->frame_y), *y = x + s->frame_x;
    const tnn__pool_geometry *g = &s->q.g;
    tnn__channels_last(s->k, s->q.oc, g->oh, g->ow, s->y.data + (tnn__len)i*s->q.oc*g->oh*g->ow,
                       y + s->y_at, s->y_row);
    tnn__conv_backward_input(s->k, &s->q, y + s->y_at, s->y_row, s->weights, x + s->x_at, s->x_row);
    tnn__channels_first(s->k, g->c, g->ih, g->iw, x + s->x_at, s->x_row,
                        s->x.data + (tnn__len)i*g->c*g->ih*g->iw);
}
static void tnn__conv_weights_task(void *context, int span, int worker)
{
    const tnn__conv_call *s = (const tnn__conv_call *)context;
    float *x = s->scratch + worker*(s->frame_x + s->frame_y), *y = x + s->frame_x;
    float *dw = s->partial + span*(tnn__weight_floats(&s->q) + tnn__bias_floats(&s->q));
    float *db = dw + tnn__weight_floats(&s->q);
    const tnn__pool_geometry *g = &s->q.g;
    int i, first = (int)((tnn__len)s->x.n*span/s->spans);
    int end = (int)((tnn__len)s->x.n*(span + 1)/s->spans);
    for (i = first; i < end; i++) {
        tnn__channels_last(s->k, g->c, g->ih, g->iw, s->x.data + (tnn__len)i*g->c*g->ih*g->iw,
                           x + s->x_at, s->x_row);
        tnn__channels_last(s->k, s->q.oc, g->oh, g->ow, s->y.data + (tnn__len)i*s->q.oc*g->oh*g->ow,
                           y + s->y_at, s->y_row);
        tnn__conv_backward_weights(s->k, &s->q, x + s->x_at, s->x_row, y + s->y_at, s->y_row,
                                   dw, db, i > first);
    }
}

/* The checks and the workspace of all three; `weights` floats are taken for packed weights or
   partial gradients. */
static tnn_status tnn__conv_begin(const char *what, tnn__conv_call *s, tnn_tensor x, tnn_tensor w,
                                  tnn_tensor y, const tnn_window *o, tnn__len *weights)
{
    tnn_window window = *o;
    const tnn__pool_geometry *g = &s->q.g;
    tnn_status e;
    if (!tnn__size(x) || !tnn__size(w) || !tnn__size(y))
        return tnn__fail(TNN_ERROR_SHAPE, "%s: needs tensors with data and positive shapes", what);
    if (!window.kernel && !window.kernel_h) window.kernel_h = w.h;
    if (!window.kernel && !window.kernel_w) window.kernel_w = w.w;
    if ((e = tnn__conv_init(what, &window, x.c, x.h, x.w, w.n, &s->q)) != TNN_OK) return e;
    if (w.c != s->q.cg || w.h != g->kh || w.w != g->kw)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: weights (%d, %d, %d, %d) should be (%d, %d, %d, %d)",
                         what, w.n, w.c, w.h, w.w, w.n, s->q.cg, g->kh, g->kw);
    if (y.n != x.n || y.c != w.n || y.h != g->oh || y.w != g->ow)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: output (%d, %d, %d, %d) should be (%d, %d, %d, %d)",
                         what, y.n, y.c, y.h, y.w, x.n, w.n, g->oh, g->ow);
    s->k = tnn__kernels();
    s->x = x;
    s->y = y;
    s->spans = tnn__spans(tnn__weight_floats(&s->q), x.n);
    s->x_row = (tnn__len)(g->pw + g->iw + tnn__x_hi_w(g))*g->c;
    s->x_at = g->ph*s->x_row + (tnn__len)g->pw*g->c;
    s->frame_x = tnn__round_up((g->ph + g->ih + tnn__x_hi_h(g))*s->x_row + TNN__SLACK, 16);
    s->y_row = (tnn__len)(s->q.y_lo_w + g->ow + s->q.y_hi_w)*s->q.oc;
    s->y_at = s->q.y_lo_h*s->y_row + (tnn__len)s->q.y_lo_w*s->q.oc;
    s->frame_y = tnn__round_up((s->q.y_lo_h + g->oh + s->q.y_hi_h)*s->y_row + TNN__SLACK, 16);
    if (*weights < 0) *weights = s->spans*(tnn__weight_floats(&s->q) + tnn__bias_floats(&s->q));
    else *weights = tnn__weight_floats(&s->q) + tnn__bias_floats(&s->q)
                  + tnn__flipped_floats(&s->q);
    s->partial = tnn__floats(*weights + tnn__mul(tnn_threads(), s->frame_x + s->frame_y), what);
    if (!s->partial) return TNN_ERROR_MEMORY;
    s->scratch = s->partial + *weights;
    return TNN_OK;
}
TNN_API tnn_status (tnn_conv2d_forward)(tnn_tensor y, tnn_tensor x, tnn_tensor w, const float *bias,
                                        tnn_window window)
{
    tnn__conv_call s;
    tnn__len weights = 0;
    tnn_status e = tnn__conv_begin("tnn_conv2d_forward", &s, x, w, y, &window, &weights);
    if (e) return e;
    tnn__copy_weights(&s.q, s.partial, w.data, 1);
    s.weights = s.partial;
    s.bias = NULL;
    if (bias) {
        float *b = s.partial + tnn__weight_floats(&s.q);
        int o;
        for (o = 0; o < s.q.oc; o++) b[o/s.q.og*s.q.panels*16 + o%s.q.og] = bias[o];
        s.bias = b;
    }
    tnn__run(tnn_threads(), x.n, tnn__conv_forward_task, &s);
    tnn__release(s.partial);
    return TNN_OK;
}
TNN_API tnn_status (tnn_conv2d_backward_input)(tnn_tensor dx, tnn_tensor dy, tnn_tensor w,
                                               tnn_window window)
{
    tnn__conv_call s;
    tnn__len weights = 0;
    tnn_status e = tnn__conv_begin("tnn_conv2d_backward_input", &s, dx, w, dy, &window, &weights);
    float *flipped;
    if (e) return e;
    flipped = s.partial + tnn__weight_floats(&s.q);
    tnn__copy_weights(&s.q, s.partial, w.data, 1);
    tnn__conv_flip(&s.q, s.partial, flipped);
    s.weights = flipped;
    tnn__run(tnn_threads(), dx.n, tnn__conv_input_task, &s);
    tnn__release(s.partial);
    return TNN_OK;
}
TNN_API tnn_status (tnn_conv2d_backward_weights)(tnn_tensor dw, float *db, tnn_tensor x,
                                                 tnn_tensor dy, tnn_window window)
{
    tnn__conv_call s;
    tnn__len weights = -1, each, i;
    tnn_status e = tnn__conv_begin("tnn_conv2d_backward_weights", &s, x, dw, dy, &window, &weights);
    float *sum;
    int o, c, u, v;
    if (e) return e;
    tnn__run(tnn_threads(), s.spans, tnn__conv_weights_task, &s);
    each = tnn__weight_floats(&s.q) + tnn__bias_floats(&s.q);
    for (i = 1; i < s.spans; i++) s.k->add(each, s.partial + i*each, s.partial);
    sum = dw.data;
    for (o = 0; o < s.q.oc; o++) {
        const int f = o%s.q.og;
        const float *p = s.partial + ((tnn__len)(o/s.q.og*s.q.panels + f/16)*s.q.K)*16 + f%16;
        for (c = 0; c < s.q.cg; c++)
            for (u = 0; u < s.q.g.kh; u++)
                for (v = 0; v < s.q.g.kw; v++)
                    *sum++ += p[((tnn__len)(u*s.q.g.kw + v)*s.q.cg + c)*16];
        if (db) db[o] += s.partial[tnn__weight_floats(&s.q) + o/s.q.og*s.q.panels*16 + f];
    }
    tnn__release(s.partial);
    return TNN_OK;
}

typedef struct {
    const tnn__isa_table *k;
    tnn__pool_geometry g;
    int          max;
    const float *from;              /* x, or dy */
    float       *to, *where_out;    /* y, or dx */
    const float *where_in;
    float       *scratch;
    tnn__len     in, out;           /* floats of an image of x, of y */
} tnn__pool_call;
static void tnn__pool_forward_task(void *context, int i, int worker)
{
    const tnn__pool_call *s = (const tnn__pool_call *)context;
    const tnn__pool_geometry *g = &s->g;
    float *x = s->scratch + worker*(s->in + 2*s->out), *y = x + s->in, *where = y + s->out;
    tnn__channels_last(s->k, g->c, g->ih, g->iw, s->from + i*s->in, x, (tnn__len)g->iw*g->c);
    if (s->max)
        s->k->maxpool(g, x, (tnn__len)g->iw*g->c, y, (tnn__len)g->ow*g->c,
                      s->where_out ? where : NULL, 0, g->oh);
    else s->k->avgpool(g, x, (tnn__len)g->iw*g->c, y, (tnn__len)g->ow*g->c);
    tnn__channels_first(s->k, g->c, g->oh, g->ow, y, (tnn__len)g->ow*g->c, s->to + i*s->out);
    if (s->where_out)
        tnn__channels_first(s->k, g->c, g->oh, g->ow, where, (tnn__len)g->ow*g->c,
                            s->where_out + i*s->out);
}
static void tnn__pool_backward_task(void *context, int i, int worker)
{
    const tnn__pool_call *s = (const tnn__pool_call *)context;
    const tnn__pool_geometry *g = &s->g;
    float *dx = s->scratch + worker*(s->in + 2*s->out), *dy = dx + s->in, *where = dy + s->out;
    memset(dx, 0, (size_t)s->in*sizeof *dx);
    tnn__channels_last(s->k, g->c, g->oh, g->ow, s->from + i*s->out, dy, (tnn__len)g->ow*g->c);
    if (s->max) {
        tnn__channels_last(s->k, g->c, g->oh, g->ow, s->where_in + i*s->out, where,
                           (tnn__len)g->ow*g->c);
        s->k->maxpool_grad(g, dy, where, dx, (tnn__len)g->iw*g->c, 0, g->oh);
    } else s->k->avgpool_grad(g, dy, dx, (tnn__len)g->iw*g->c);
    tnn__channels_first(s->k, g->c, g->ih, g->iw, dx, (tnn__len)g->iw*g->c, s->to + i*s->in);
}
static tnn_status tnn__pooling(const char *what, tnn_tensor x, tnn_tensor y,
                               const float *where_in, float *where_out, const tnn_window *o,
                               int max, int backward)
{
    tnn__pool_call s;
    tnn_status e;
    if (!tnn__size(x) || !tnn__size(y) || (max && backward && !where_in))
        return tnn__fail(TNN_ERROR_SHAPE, "%s: needs tensors with data and positive shapes", what);
    if (!max && (o->dilation > 1 || o->dilation_h > 1 || o->dilation_w > 1))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: average pooling has no dilation", what);
    if ((e = tnn__window(what, o, 1, x.c, x.h, x.w, &s.g)) != TNN_OK) return e;
    if (y.n != x.n || y.c != x.c || y.h != s.g.oh || y.w != s.g.ow)
        return tnn__fail(TNN_ERROR_SHAPE,
                         "%s: pooled tensor (%d, %d, %d, %d) should be (%d, %d, %d, %d)",
                         what, y.n, y.c, y.h, y.w, x.n, x.c, s.g.oh, s.g.ow);
    s.k = tnn__kernels();
    s.max = max;
    s.from = backward ? y.data : x.data;
    s.to = backward ? x.data : y.data;
    s.where_in = where_in;
    s.where_out = where_out;
    s.in = (tnn__len)x.c*x.h*x.w;
    s.out = (tnn__len)y.c*y.h*y.w;
    s.scratch = tnn__workspace(tnn__mul(tnn_threads(), s.in + 2*s.out), what);
    if (!s.scratch) return TNN_ERROR_MEMORY;
    tnn__run(tnn_threads(), x.n, backward ? tnn__pool_backward_task : tnn__pool_forward_task, &s);
    tnn__release(s.scratch);
    return TNN_OK;
}
TNN_API tnn_status (tnn_maxpool2d_forward)(tnn_tensor y, float *where, tnn_tensor x,
                                           tnn_window window)
{
    return tnn__pooling("tnn_maxpool2d_forward", x, y, NULL, where, &window, 1, 0);
}
TNN_API tnn_status (tnn_maxpool2d_backward)(tnn_tensor dx, tnn_tensor dy, const float *where,
                                            tnn_window window)
{
    return tnn__pooling("tnn_maxpool2d_backward", dx, dy, where, NULL, &window, 1, 1);
}
TNN_API tnn_status (tnn_avgpool2d_forward)(tnn_tensor y, tnn_tensor x, tnn_window window)
{
    return tnn__pooling("tnn_avgpool2d_forward", x, y, NULL, NULL, &window, 0, 0);
}
TNN_API tnn_status (tnn_avgpool2d_backward)(tnn_tensor dx, tnn_tensor dy, tnn_window window)
{
    return tnn__pooling("tnn_avgpool2d_backward", dx, dy, NULL, NULL, &window, 0, 1);
}

static tnn_status tnn__softmax(const char *what, tnn_tensor y, tnn_tensor x, int logarithm)
{
    const tnn__isa_table *k = tnn__kernels();
    tnn__len i;
    int j;
    if (!tnn__size(x) || !tnn__size(y) || x.h != 1 || x.w != 1 || y.h != 1 || y.w != 1
        || x.n != y.n || x.c != y.c)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: needs two matrices of one shape, "
                         "has (%d, %d, %d, %d) and (%d, %d, %d, %d)",
                         what, y.n, y.c, y.h, y.w, x.n, x.c, x.h, x.w);
    for (i = 0; i < x.n; i++) {
        const float *from = x.data + i*x.c, max = k->largest(x.c, from);
        float *to = y.data + i*x.c;
        if (logarithm) {
            float e[64], sum = 0, lse;
            for (j = 0; j < x.c; j += 64)
                sum += k->exp_sum(TNN__MIN(64, x.c - j), from + j, max, e);
            lse = (float)tnn__log_double(sum);
            for (j = 0; j < x.c; j++) to[j] = (from[j] - max) - lse;
        } else {
            const float sum = k->exp_sum(x.c, from, max, to);
            for (j = 0; j < x.c; j++) to[j] /= sum;
        }
    }
    return TNN_OK;
}
TNN_API tnn_status (tnn_softmax)(tnn_tensor y, tnn_tensor x)
{
    return tnn__softmax("tnn_softmax", y, x, 0);
}
TNN_API tnn_status (tnn_log_softmax)(tnn_tensor y, tnn_tensor x)
{
    return tnn__softmax("tnn_log_softmax", y, x, 1);
}

TNN_API float tnn_sum(tnn_tensor x)  { return tnn__kernels()->sum(tnn__size(x), x.data); }
TNN_API float tnn_mean(tnn_tensor x) { return tnn_sum(x)/(float)TNN__MAX(1, tnn__size(x)); }
TNN_API float (tnn_max)(tnn_tensor x)
{
    if (tnn__size(x)) return tnn__kernels()->largest(tnn__size(x), x.data);
    tnn__fail(TNN_ERROR_ARGUMENT, "tnn_max: a tensor without data");
    return 0;
}
TNN_API float (tnn_dot)(tnn_tensor x, tnn_tensor y)
{
    if (tnn__size(x) == tnn__size(y)) return tnn__kernels()->dot(tnn__size(x), x.data, y.data);
    tnn__fail(TNN_ERROR_SHAPE, "tnn_dot: tensors of %l and %l elements",
              (long long)tnn__size(x), (long long)tnn__size(y));
    return 0;
}
TNN_API int tnn_argmax(const float *x, int n)
{
    int i, best = 0;
    for (i = 1; i < n; i++) if (x[i] > x[best]) best = i;
    return best;
}

/* ==== 6. LAYERS ================================================================================
   A layer of the user becomes an OPERATION, alone or with followers fused into it: an activation
   and a pooling into a convolution, an activation and dropout into a dense layer. Operations stand
   between BLOBS: blob i is what operation i reads and operation i-1 has written, for the whole
   batch, channels last, each image in the frame of zeros that a convolution reading it needs.
   Gradients have no frames.

   All but dense work on one sample at a time: a run of them, a TRUNK, goes depth first, each sample
   through all of its operations while it is in the cache, forward and backward; gradients between
   them are scratch memory of one sample per thread. Dense operations are matrix products over the
   batch.

   Each layer is a block below: shape, forward, backward. A new one is a block and a line in 6h. */

/* ---- 6a. What they work on ------------------------------------------------------------------- */
enum { TNN__INPUT = 0 };        /* the operation that brings the user's samples into the network */

typedef struct {
    int          type;              /* a tnn_layer_type, or TNN__INPUT */
    int          layer;             /* in order of tnn_add: for messages and parameter names */
    tnn__conv    q;                 /* conv2d and dense */
    tnn__pool_geometry pool;        /* pooling; of a conv2d, fused: pool.kh > 0 */
    int          act;               /* conv2d, dense: followed by (leaky) ReLU */
    float        slope;             /* of that, or of the activation itself; 0 is ReLU */
    float        p;                 /* dropout; dense with ReLU: followed by it if > 0 */
    int          no_bias;
    tnn__len     w, b;              /* in the flat vectors */
    tnn__len     partial;           /* floats before this conv's part in a span's partial sum */
    int          needs_dx;
    float       *where;             /* of max pooling: for each output, the place in its window */
    float       *flipped;           /* conv2d: the weights as dx wants them */
    tnn__len     dy, dy_floats, dy_row, dy_at;  /* conv2d: its framed dy in a thread's scratch */
    tnn__len     rows;              /* conv2d with pool: one pooled row's convolution, likewise */
    char         weight_name[24], bias_name[24];
} tnn__op;

typedef struct {
    int      c, h, w;               /* as they lie: channels last */
    int      flat;                  /* seen by the layers as (c*h*w, 1, 1) */
    int      lo_h, hi_h, lo_w, hi_w;
    tnn__len sample, row, at;       /* floats per sample, per image row; where pixel (0, 0) is */
    float   *data;
    tnn__len grad_sample;
    float   *grad;                  /* of the whole batch; NULL inside a trunk: scratch */
} tnn__blob;

typedef struct {
    tnn_layer   o;
    const char *file;
    int         line;
} tnn__record;

struct tnn_net {
    tnn_net_options  options;
    int              layers, capacity, built;
    tnn__record     *record;        /* capacity of them, then as many operations, then blobs */
    tnn__op         *op;
    tnn__blob       *blob;          /* ops + 1 of them */
    int              ops, threads;
    int              direct;        /* the first operation reads the user's x as it is */
    tnn_loss_options loss;
    float           *class_weights, *loaned_weights;
    int              weight_count;
    double           weight_sum, weight;    /* of all classes; of the last batch's labels */
    tnn_optimizer    optimizer;
    float           *memory;        /* THE allocation; all below point into it */
    tnn__len         memory_floats;
    tnn__len         params;        /* floats of each flat vector */
    long long        param_total;   /* without the padding */
    float           *flat[4];       /* parameters, gradients, moments */
    tnn__len         partial_floats;
    float           *partial;
    tnn__len         scratch_floats, g[2];
    float           *scratch;       /* threads * scratch_floats */
    float           *turned;        /* dy^T of a dense layer, in panels over the batch */
    float           *gram;          /* W W^T of a layer with an orthogonality penalty */
    float           *output;
    /* the state of training */
    const float     *x;
    int              n, mode, stage;        /* stage: what was done last */
    uint64_t         draws;                 /* training forwards so far: the dropout stream */
    long long        steps;
    double           beta1_t, beta2_t;
    int              correct;
};
enum { TNN__NOTHING, TNN__FORWARD, TNN__LOSS, TNN__BACKWARD };

/* One operation on one sample. x, y, dy, dx are at pixel (0, 0); dy and dx are contiguous images,
   dx is NULL where nothing wants it; rows of x and y are in->row and out->row apart. */
typedef struct {
    const tnn_net *net;
    const tnn__isa_table *k;
    const tnn__op *op;
    const tnn__blob *in, *out;
    int          s, training;
    const float *x;
    float       *y, *where, *dy, *dx, *scratch;
    float       *partial;           /* of this span's weight gradients, to add to if `keep` */
    int          keep;
} tnn__sample_at;

static tnn_window tnn__layer_window(const tnn_layer *o)
{
    tnn_window w;
    memset(&w, 0, sizeof w);
    w.kernel = o->kernel;     w.kernel_h = o->kernel_h;     w.kernel_w = o->kernel_w;
    w.stride = o->stride;     w.stride_h = o->stride_h;     w.stride_w = o->stride_w;
    w.pad = o->pad;           w.pad_h = o->pad_h;           w.pad_w = o->pad_w;
    w.dilation = o->dilation; w.dilation_h = o->dilation_h; w.dilation_w = o->dilation_w;
    w.groups = o->groups; w.ceil = o->ceil; w.exclude_pad = o->exclude_pad;
    return w;
}

/* ---- 6b. Input ------------------------------------------------------------------------------- */
static void tnn__input_forward(const tnn__sample_at *a)
{
    const tnn__len size = (tnn__len)a->in->c*a->in->h*a->in->w;
    tnn__channels_last(a->k, a->in->c, a->in->h, a->in->w, a->net->x + a->s*size,
                       a->y, a->out->row);
}

/* ---- 6c. Activations: y = x > 0 ? x : slope x ------------------------------------------------ */
static tnn_status tnn__act_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    (void)b;
    op->slope = o->type == TNN_RELU ? 0 : (float)tnn__default((double)o->slope, 0.01);
    return TNN_OK;
}
static void tnn__act_forward(const tnn__sample_at *a)
{
    const tnn__len n = (tnn__len)a->out->w*a->out->c;
    int r;
    for (r = 0; r < a->out->h; r++)
        a->k->act(n, a->x + r*a->in->row, a->y + r*a->out->row, a->op->slope);
}
/* by the sign of x: with a negative slope y does not tell it */
static void tnn__act_backward(const tnn__sample_at *a)
{
    const tnn__len n = (tnn__len)a->out->w*a->out->c;
    int r;
    for (r = 0; r < a->out->h; r++)
        a->k->act_grad(n, a->x + r*a->in->row, a->dy + r*n, a->dx + r*n, a->op->slope, 1);
}

/* ---- 6d. Dropout: y = 0 with probability p, else x/(1-p) ------------------------------------- */
static tnn_status tnn__dropout_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    (void)b;
    op->p = (float)tnn__default((double)o->p, 0.5);
    if (op->p >= 0 && op->p < 1) return TNN_OK;
    return tnn__fail(TNN_ERROR_ARGUMENT, "dropout: .p = %g must be in [0, 1)", (double)op->p);
}
/* Its elements are numbered in image rows of multiples of 64; each training forward has a stream of
   its own. */
static void tnn__dropout_rows(const tnn_net *net, const tnn__isa_table *k, const tnn__op *op,
                              const tnn__blob *b, int s, const float *x, tnn__len x_row,
                              float *y, tnn__len y_row)
{
    const tnn__len n = (tnn__len)b->w*b->c, numbers = tnn__round_up(n, 64);
    int i;
    for (i = 0; i < b->h; i++)
        k->dropout(n, x + i*x_row, y + i*y_row, op->p, net->options.seed,
                   (net->draws << 20) + (1u << 19) + (uint64_t)op->layer,
                   (uint64_t)(((tnn__len)s*b->h + i)*numbers));
}
static void tnn__dropout_forward(const tnn__sample_at *a)
{
    const tnn__len n = (tnn__len)a->out->w*a->out->c;
    int r;
    if (a->training)
        tnn__dropout_rows(a->net, a->k, a->op, a->out, a->s, a->x, a->in->row,
                          a->y, a->out->row);
    else
        for (r = 0; r < a->out->h; r++)
            memcpy(a->y + r*a->out->row, a->x + r*a->in->row, (size_t)n*sizeof *a->y);
}
static void tnn__dropout_backward(const tnn__sample_at *a)
{
    const tnn__len n = (tnn__len)a->out->w*a->out->c;
    tnn__dropout_rows(a->net, a->k, a->op, a->out, a->s, a->dy, n, a->dx, n);
}

/* ---- 6e. Pooling ----------------------------------------------------------------------------- */
static tnn_status tnn__pool_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    const tnn_window w = tnn__layer_window(o);
    const char *name = o->type == TNN_MAXPOOL2D ? "maxpool2d" : "avgpool2d";
    tnn_status e;
    if (o->type == TNN_AVGPOOL2D && (o->dilation > 1 || o->dilation_h > 1 || o->dilation_w > 1))
        return tnn__fail(TNN_ERROR_ARGUMENT, "avgpool2d: average pooling has no dilation");
    e = tnn__window(name, &w, 1, b->c, b->h, b->w, &op->pool);
    b->h = op->pool.oh;
    b->w = op->pool.ow;
    return e;
}
static void tnn__maxpool_forward(const tnn__sample_at *a)
{
    a->k->maxpool(&a->op->pool, a->x, a->in->row, a->y, a->out->row, a->where, 0, a->out->h);
}
static void tnn__maxpool_backward(const tnn__sample_at *a)
{
    const tnn__len row = (tnn__len)a->in->w*a->in->c;
    memset(a->dx, 0, (size_t)(a->in->h*row)*sizeof *a->dx);
    a->k->maxpool_grad(&a->op->pool, a->dy, a->where, a->dx, row, 0, a->out->h);
}
static void tnn__avgpool_forward(const tnn__sample_at *a)
{
    a->k->avgpool(&a->op->pool, a->x, a->in->row, a->y, a->out->row);
}
static void tnn__avgpool_backward(const tnn__sample_at *a)
{
    const tnn__len row = (tnn__len)a->in->w*a->in->c;
    memset(a->dx, 0, (size_t)(a->in->h*row)*sizeof *a->dx);
    a->k->avgpool_grad(&a->op->pool, a->dy, a->dx, row);
}

/* ---- 6f. Convolution: the formulas are in 5b ------------------------------------------------- */
static tnn_status tnn__conv_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    const tnn_window w = tnn__layer_window(o);
    const tnn_status e = tnn__conv_init("conv2d", &w, b->c, b->h, b->w, o->filters, &op->q);
    op->no_bias = o->no_bias;
    b->c = o->filters; b->h = op->q.g.oh; b->w = op->q.g.ow;
    return e;
}
static void tnn__conv_sample_forward(const tnn__sample_at *a)
{
    const tnn__op *op = a->op;
    const tnn__blob *in = a->in, *out = a->out;
    const float *w = a->net->flat[0] + op->w, *bias = op->no_bias ? NULL : a->net->flat[0] + op->b;
    const tnn__len n = (tnn__len)out->w*out->c, wide = (tnn__len)op->q.g.ow*op->q.oc;
    const int relu = op->act && !(op->slope > 0), leaky = op->act && op->slope > 0;
    tnn__pool_geometry strip = op->pool;
    int r;
    if (!op->pool.kh)
        tnn__conv_forward(a->k, &op->q, a->x, in->row, w, bias, a->y, out->row, relu, 0, out->h);
    strip.ih = strip.kh;
    strip.oh = 1;
    for (r = 0; r < out->h; r++) {
        float *y = a->y + r*out->row;
        /* as many rows of the convolution as a pooled row needs; (leaky) ReLU commutes with max */
        if (op->pool.kh) {
            float *rows = a->scratch + op->rows;
            tnn__conv_forward(a->k, &op->q, a->x, in->row, w, bias, rows, wide, relu,
                              r*strip.kh, (r + 1)*strip.kh);
            a->k->maxpool(&strip, rows, wide, y, out->row, a->where ? a->where + r*n : NULL, 0, 1);
        }
        if (leaky) a->k->act(n, y, y, op->slope);
    }
}
static void tnn__conv_sample_backward(const tnn__sample_at *a)
{
    const tnn__op *op = a->op;
    const tnn__len n = (tnn__len)a->out->w*a->out->c, weights = tnn__weight_floats(&op->q);
    float *g = a->dy, *dy = a->scratch + op->dy, *dw = a->partial + op->partial, *db = dw + weights;
    tnn__len row = op->dy_row;
    int r;
    if (op->pool.kh) {
        if (op->act)
            for (r = 0; r < a->out->h; r++)
                a->k->act_grad(n, a->y + r*a->out->row, g + r*n, g + r*n, op->slope, 1);
        memset(dy, 0, (size_t)op->dy_floats*sizeof *dy);
        dy += op->dy_at;
        a->k->maxpool_grad(&op->pool, g, a->where, dy, row, 0, a->out->h);
    } else {
        if (op->dy_floats == n*a->out->h) {             /* no frame: in place */
            dy = g;
            row = n;
        } else dy += op->dy_at;
        for (r = 0; r < a->out->h; r++)
            if (op->act) a->k->act_grad(n, a->y + r*a->out->row, g + r*n, dy + r*row, op->slope, 1);
            else if (dy != g) memcpy(dy + r*row, g + r*n, (size_t)n*sizeof *dy);
    }
    if (!a->keep) memset(db, 0, (size_t)tnn__bias_floats(&op->q)*sizeof *db);
    tnn__conv_backward_weights(a->k, &op->q, a->x, a->in->row, dy, row,
                               dw, op->no_bias ? NULL : db, a->keep);
    if (a->dx)
        tnn__conv_backward_input(a->k, &op->q, dy, row, op->flipped,
                                 a->dx, (tnn__len)a->in->w*a->in->c);
}

/* ---- 6g. Dense --------------------------------------------------------------------------------
   x (n, K)   W (units, K), as panels (units/16, K, 16)   y (n, units)
   y = x W^T + b,   dW = dy^T x,   db = column sums of dy,   dx = dy W
   Tasks are blocks of the output; the block sizes are in the call. */
static tnn_status tnn__dense_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    tnn_window w;
    tnn_status e;
    memset(&w, 0, sizeof w);
    w.kernel_h = b->h;
    w.kernel_w = b->w;
    op->no_bias = o->no_bias;
    if (b->h > 4096 || b->w > 4096)
        return tnn__fail(TNN_ERROR_SHAPE, "dense: input images of %dx%d, at most 4096x4096",
                         b->h, b->w);
    if (o->units < 1 || o->units > 1 << 24)
        return tnn__fail(TNN_ERROR_ARGUMENT, "dense: .units = %d, must be 1 to %d",
                         o->units, 1 << 24);
    e = tnn__conv_init("dense", &w, b->c, b->h, b->w, o->units, &op->q);
    b->c = o->units; b->h = b->w = 1;
    b->flat = 1;
    return e;
}
typedef struct {
    tnn_net *net;
    const tnn__isa_table *k;
    int first, last;        /* of a trunk: operations first..last-1 */
    int spans;
    const tnn__op *op;      /* of a dense operation */
    int row_block, col_block, col_blocks, dx_blocks;
    tnn__update update;
} tnn__call;
static void tnn__dense_forward(void *context, int task, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__len index = op - net->op;
    const tnn__blob *in = &net->blob[index], *out = &net->blob[index + 1];
    const int i0 = task/call->col_blocks*call->row_block;
    const int j0 = task%call->col_blocks*call->col_block;
    const int block = tnn__k_block(op->q.K);
    tnn__mm t;
    int k0, r;
    (void)worker;
    memset(&t, 0, sizeof t);
    t.rs = in->sample; t.gs = 3*t.rs; t.ks = 1;
    t.ldb = 16; t.bp = op->q.K*16;
    t.n0 = t.n1 = t.n2 = 1;
    t.rows = TNN__MIN(call->row_block, net->n - i0);
    t.cols = TNN__MIN(call->col_block, op->q.oc - j0);
    t.c = out->data + i0*out->sample + j0;
    t.ldc = out->sample; t.cp = 16;
    t.bias = net->flat[0] + op->b + j0;
    for (k0 = 0; k0 < op->q.K; k0 += block) {
        t.run = (int)TNN__MIN(block, op->q.K - k0);
        t.a = in->data + i0*in->sample + k0;
        t.b = net->flat[0] + op->w + (j0/16*op->q.K + k0)*16;
        t.start = k0 ? TNN__KEEP : op->no_bias ? TNN__ZERO : TNN__BIAS;
        t.relu = op->act && !(op->slope > 0) && k0 + t.run == op->q.K;
        call->k->mm(&t);
    }
    if (op->act && op->slope > 0)
        for (r = 0; r < t.rows; r++) call->k->act(t.cols, t.c + r*t.ldc, t.c + r*t.ldc, op->slope);
}
static void tnn__dense_dropout(void *context, int task, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    const tnn__blob *out = &net->blob[call->op - net->op + 1];
    int s, end = TNN__MIN(net->n, (task + 1)*16);
    (void)worker;
    for (s = task*16; s < end; s++) {
        float *y = out->data + s*out->sample;
        tnn__dropout_rows(net, call->k, call->op, out, s, y, 0, y, 0);
    }
}

/* dy back through dropout and activation, in place: y is positive where both let it through. And
   for dx, 16 rows of dy as one panel over the batch. */
static void tnn__dense_turn(void *context, int task, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__blob *out = &net->blob[op - net->op + 1];
    const int s0 = task*16, rows = TNN__MIN(16, net->n - s0);
    const int units = op->q.oc, deep = (units + 15)/16*16;
    float *panel = net->turned + (tnn__len)task*deep*16;
    int s;
    (void)worker;
    if (op->act)
        for (s = s0; s < s0 + rows; s++)
            call->k->act_grad(units, out->data + s*out->sample, out->grad + s*out->grad_sample,
                              out->grad + s*out->grad_sample, op->slope, 1.0f/(1.0f - op->p));
    if (!op->needs_dx) return;
    if (rows < 16) memset(panel, 0, (size_t)deep*16*sizeof *panel);
    call->k->transpose(rows, units, out->grad + s0*out->grad_sample, out->grad_sample, panel, 16);
    for (s = units*16; s < deep*16; s++) panel[s] = 0;
}

/* Tasks 0..dx_blocks-1: rows of dx^T = W dy^T, the weights broadcast straight from their panels,
   so that each is read once however small the batch. The others: blocks of dW, rows of inputs. */
static void tnn__dense_backward(void *context, int task, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__len index = op - net->op;
    const tnn__blob *in = &net->blob[index], *out = &net->blob[index + 1];
    const int units = op->q.oc, deep = (units + 15)/16*16, block = tnn__k_block(net->n);
    int i0, j0, s0, s, k0;
    tnn__mm t;
    memset(&t, 0, sizeof t);
    t.n0 = t.n1 = t.n2 = 1;
    if (task < call->dx_blocks) {
        float *turned = net->scratch + worker*net->scratch_floats + net->g[0];
        i0 = task*call->row_block;
        t.rows = (int)TNN__MIN(call->row_block, op->q.K - i0);
        t.a = net->flat[0] + op->w + (tnn__len)i0*16;
        t.rs = 16; t.gs = 48; t.ks = 1;
        t.n2 = deep/16; t.a2 = op->q.K*16; t.run = 16;
        t.ldb = 16; t.b2 = 16*16; t.bp = (tnn__len)deep*16;
        t.c = turned;
        t.ldc = 16; t.cp = (tnn__len)t.rows*16;
        for (s0 = 0; s0 < net->n; s0 += 32) {
            t.b = net->turned + s0/16*t.bp;
            t.cols = TNN__MIN(32, net->n - s0);
            call->k->mm(&t);
            for (s = 0; s < t.cols; s += 16)
                call->k->transpose(t.rows, TNN__MIN(16, t.cols - s), turned + s/16*t.cp, 16,
                                   in->grad + (s0 + s)*in->grad_sample + i0, in->grad_sample);
        }
        return;
    }
    task -= call->dx_blocks;
    i0 = task/call->col_blocks*call->row_block;
    j0 = task%call->col_blocks*call->col_block;
    t.rows = (int)TNN__MIN(call->row_block, op->q.K - i0);
    t.cols = TNN__MIN(call->col_block, units - j0);
    t.rs = 1; t.gs = 3; t.ks = in->sample;
    t.ldb = out->grad_sample; t.bp = 16;
    t.c = net->flat[1] + op->w + (j0/16*op->q.K + i0)*16;
    t.ldc = 16; t.cp = op->q.K*16;
    for (k0 = 0; k0 < net->n; k0 += block) {
        t.run = TNN__MIN(block, net->n - k0);
        t.a = in->data + k0*in->sample + i0;
        t.b = out->grad + k0*out->grad_sample + j0;
        t.start = k0 ? TNN__KEEP : TNN__ZERO;
        call->k->mm(&t);
    }
    if (i0 == 0 && !op->no_bias) {
        float *db = net->flat[1] + op->b + j0;
        memset(db, 0, (size_t)t.cols*sizeof *db);
        call->k->colsum(net->n, t.cols, out->grad + j0, out->grad_sample, db);
    }
}

/* ---- 6h. All of them ------------------------------------------------------------------------- */
typedef struct {
    const char *name;
    tnn_status (*shape)(tnn__op *op, const tnn_layer *o, tnn__blob *b);     /* b: in, then out */
    void (*forward)(const tnn__sample_at *a);
    void (*backward)(const tnn__sample_at *a);
} tnn__layer_kind;
static const tnn__layer_kind tnn__layer_kinds[] = {         /* by tnn_layer_type */
    {"input",      NULL,               tnn__input_forward,       NULL},
    {"conv2d",     tnn__conv_shape,    tnn__conv_sample_forward, tnn__conv_sample_backward},
    {"dense",      tnn__dense_shape,   NULL,                     NULL},
    {"maxpool2d",  tnn__pool_shape,    tnn__maxpool_forward,     tnn__maxpool_backward},
    {"avgpool2d",  tnn__pool_shape,    tnn__avgpool_forward,     tnn__avgpool_backward},
    {"flatten",    NULL,               NULL,                     NULL},
    {"relu",       tnn__act_shape,     tnn__act_forward,         tnn__act_backward},
    {"leaky_relu", tnn__act_shape,     tnn__act_forward,         tnn__act_backward},
    {"dropout",    tnn__dropout_shape, tnn__dropout_forward,     tnn__dropout_backward},
};

/* ==== 7. NETWORKS AND PLANS ====================================================================
   tnn_add records layers; tnn_build turns them into operations and lays out one allocation. The
   batch is cut into spans by its size alone (tnn__spans); in a trunk a span is one task, which
   adds its share of the convolutions' weight gradients into a partial sum of its own; they are
   added up in the order of the spans. */

/* ---- 7a. Recording and planning -------------------------------------------------------------- */
/* Values of one sample's image: at most so many, so that products of its sizes fit in an int. */
#define TNN__MOST (1 << 30)

TNN_API tnn_net *(tnn_net_create)(const tnn_net_options *options)
{
    tnn_net *net;
    tnn_net_options o;
    int i;
    if (tnn_failed()) return NULL;
    if (!options) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_create: no options");
        return NULL;
    }
    o = *options;
    for (i = 1; i < 3; i++)
        if (o.input[i] == 0 && o.input[0] > 0) o.input[i] = 1;
    if (!o.batch) o.batch = 64;
    if (o.input[0] < 1 || o.input[1] < 1 || o.input[2] < 1 || o.input[0] > 1 << 24
        || tnn__mul(tnn__mul(o.input[0], o.input[1]), o.input[2]) > TNN__MOST) {
        tnn__fail(TNN_ERROR_SHAPE, "tnn_create: .input = {%d, %d, %d} must be positive channels, "
                  "height, width, %d values at most",
                  o.input[0], o.input[1], o.input[2], TNN__MOST);
        return NULL;
    }
    if (o.batch < 1 || o.threads < 0) {
        tnn__fail(TNN_ERROR_ARGUMENT,
                  "tnn_create: .batch = %d must be at least 1, .threads = %d not negative",
                  o.batch, o.threads);
        return NULL;
    }
    net = (tnn_net *)tnn__alloc((tnn__len)sizeof *net, "tnn_create");
    if (!net) return NULL;
    net->options = o;
    return net;
}
TNN_API void tnn_free(tnn_net *net)
{
    if (!net) return;
    tnn__release(net->memory);
    tnn__release(net->record);
    tnn__release(net->loaned_weights);
    tnn__release(net);
}

static tnn_status tnn__check_start(const tnn_layer *o);
static tnn_status tnn__check_regularizers(const tnn_layer *o);
TNN_API tnn_status (tnn_add_layer)(tnn_net *net, const tnn_layer *layer)
{
    tnn_status e;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || !layer) return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_add: no network or no layer");
    if (net->built)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_add: the network has been built; "
                         "layers come before the first forward");
    if (layer->type < TNN_CONV2D
        || (size_t)layer->type >= sizeof tnn__layer_kinds/sizeof *tnn__layer_kinds)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_add: no layer type %d", (int)layer->type);
    e = tnn__check_start(layer);
    if (!e) e = tnn__check_regularizers(layer);
    if (e) return e;
    if (net->layers == net->capacity) {
        const int n = net->capacity ? 2*net->capacity : 16;
        const tnn__len each = (tnn__len)(sizeof(tnn__record) + sizeof(tnn__op) + sizeof(tnn__blob));
        tnn__record *r = (tnn__record *)tnn__alloc(each*(n + 2), "tnn_add");
        if (!r) return TNN_ERROR_MEMORY;
        if (net->layers) memcpy(r, net->record, (size_t)net->layers*sizeof *r);
        tnn__release(net->record);
        net->record = r;
        net->op = (tnn__op *)(void *)(r + n);
        net->blob = (tnn__blob *)(void *)(net->op + n + 1);
        net->capacity = n;
    }
    net->record[net->layers].o = *layer;
    net->record[net->layers].file = tnn__err.file;
    net->record[net->layers].line = tnn__err.line;
    net->layers++;
    return TNN_OK;
}

/* Fuses into a conv2d or dense operation what may follow it in the same pass over the output;
   returns how many layers that are. b is the shape so far. */
static int tnn__fuse(const tnn_net *net, int i, tnn__op *op, tnn__blob *b)
{
    const tnn__record *next = &net->record[i + 1], *end = net->record + net->layers;
    int fused = 0;
    if (next < end && (next->o.type == TNN_RELU
                       || (next->o.type == TNN_LEAKY_RELU && next->o.slope >= 0))) {
        op->act = 1;
        tnn__act_shape(op, &next->o, b);
        fused++, next++;
    }
    if (next < end && op->type == TNN_CONV2D && next->o.type == TNN_MAXPOOL2D && !next->o.ceil) {
        const tnn_window w = tnn__layer_window(&next->o);
        tnn__pool_geometry *g = &op->pool;
        tnn__err.file = next->file;
        tnn__err.line = next->line;
        if (tnn__window("maxpool2d", &w, 1, b->c, b->h, b->w, g)) return -1;
        if (g->kh == g->sh && g->kw == g->sw && !g->ph && !g->pw && g->dh*g->dw == 1) {
            b->h = g->oh;
            b->w = g->ow;
            fused++, next++;
        } else memset(g, 0, sizeof *g);
    }
    if (next < end && op->type == TNN_DENSE && op->act && !(op->slope > 0)
        && next->o.type == TNN_DROPOUT && next->o.p > 0 && next->o.p < 1) {
        op->p = next->o.p;
        fused++;
    }
    return fused;
}

/* One operation for each layer that is not fused into the one before; shapes as they come. */
static tnn_status tnn__plan_ops(tnn_net *net)
{
    int i, n = 0, trained = 0;
    tnn__blob b;
    memset(net->op, 0, sizeof *net->op*(size_t)(net->capacity + 1));
    memset(&b, 0, sizeof b);
    b.c = net->options.input[0]; b.h = net->options.input[1]; b.w = net->options.input[2];
    for (i = 0; i < net->layers && net->record[i].o.type == TNN_FLATTEN; i++) b.flat = 1;
    net->direct = i < net->layers && net->record[i].o.type == TNN_DENSE
                  && (b.c == 1 || b.h*b.w == 1);
    net->blob[0] = b;
    if (!net->direct) {
        net->op[0].type = TNN__INPUT;
        net->blob[++n] = b;
    }
    for (; i < net->layers; i++) {
        const tnn__record *r = &net->record[i];
        const tnn__layer_kind *kind = &tnn__layer_kinds[r->o.type];
        tnn__op *op = &net->op[n];
        tnn_status e;
        tnn__err.file = r->file;        /* messages name the line that added the layer */
        tnn__err.line = r->line;
        if (r->o.type == TNN_FLATTEN) {
            b.flat = net->blob[n].flat = 1;
            continue;
        }
        if (b.flat && (r->o.type == TNN_CONV2D || r->o.type == TNN_MAXPOOL2D
                       || r->o.type == TNN_AVGPOOL2D))
            return tnn__fail(TNN_ERROR_SHAPE, "%s: its input has been flattened to %d values",
                             kind->name, b.c*b.h*b.w);
        op->type = (int)r->o.type;
        op->layer = i;
        op->needs_dx = trained;
        e = kind->shape(op, &r->o, &b);
        if (e) return e;
        if (tnn__mul(tnn__mul(b.c, b.h), b.w) > TNN__MOST)
            return tnn__fail(TNN_ERROR_SHAPE, "%s: its output %dx%dx%d has more than %d values",
                             kind->name, b.c, b.h, b.w, TNN__MOST);
        if (op->type == TNN_CONV2D || op->type == TNN_DENSE) {
            const int fused = tnn__fuse(net, i, op, &b);
            if (fused < 0) return (tnn_status)tnn_failed();
            trained = 1;
            i += fused;
        }
        net->blob[++n] = b;
    }
    net->ops = n;
    return TNN_OK;
}

/* Hands out the allocation piece by piece; with memory NULL it only counts. */
typedef struct { float *memory; tnn__len used; } tnn__arena;
static float *tnn__take(tnn__arena *a, tnn__len floats)
{
    float *p = a->memory ? a->memory + a->used : NULL;
    a->used = tnn__round_up(a->used + TNN__MIN(floats, TNN__HUGE), 16);
    if (a->used > TNN__HUGE) a->used = TNN__HUGE;
    return p;
}

static tnn__len tnn__gram_floats(const tnn__conv *q);

#define TNN__DX_BLOCK 112       /* at most so many inputs at a time in a dense layer's dx */

/* Where everything is. Called twice: to count, and to place. */
static tnn__len tnn__place(tnn_net *net, float *memory)
{
    tnn__arena a;
    const int training = net->loss.type != 0, batch = net->options.batch;
    /* a dense layer's dx passes through g[0], too */
    tnn__len most = TNN__DX_BLOCK*32, turned = 0, gram = 0;
    int i, moments = 0;
    a.memory = memory;
    a.used = 0;
    /* frames and strides */
    for (i = 0; i <= net->ops; i++) {
        tnn__blob *b = &net->blob[i];
        const tnn__op *reader = i < net->ops ? &net->op[i] : NULL;
        b->lo_h = b->hi_h = b->lo_w = b->hi_w = 0;
        if (reader && reader->type == TNN_CONV2D) {
            b->lo_h = reader->q.g.ph; b->hi_h = tnn__x_hi_h(&reader->q.g);
            b->lo_w = reader->q.g.pw; b->hi_w = tnn__x_hi_w(&reader->q.g);
        }
        b->row = tnn__mul(b->lo_w + b->w + b->hi_w, b->c);
        b->at = b->lo_h*b->row + (tnn__len)b->lo_w*b->c;
        b->sample = tnn__round_up(tnn__mul(b->lo_h + b->h + b->hi_h, b->row), 16);
        /* rows a page apart would share few cache sets */
        if (b->sample%1024 == 0) b->sample += 16;
        b->grad_sample = tnn__round_up((tnn__len)b->c*b->h*b->w, 16);
        if (b->grad_sample%1024 == 0) b->grad_sample += 16;
        if (i == 0 && net->direct) b->sample = (tnn__len)b->c*b->h*b->w;
        most = TNN__MAX(most, b->grad_sample);
    }
    /* the flat vectors */
    net->params = 0;
    net->param_total = 0;
    net->partial_floats = 0;
    for (i = 0; i < net->ops; i++) {
        tnn__op *op = &net->op[i];
        if (op->type != TNN_CONV2D && op->type != TNN_DENSE) continue;
        op->w = net->params;
        net->params += tnn__weight_floats(&op->q);
        op->b = net->params;
        if (!op->no_bias) net->params += tnn__bias_floats(&op->q);
        net->params = TNN__MIN(net->params, TNN__HUGE/64);
        net->param_total += (long long)op->q.K*op->q.oc + (op->no_bias ? 0 : op->q.oc);
        if (op->type == TNN_CONV2D) {
            op->partial = net->partial_floats;
            net->partial_floats += tnn__weight_floats(&op->q) + tnn__bias_floats(&op->q);
        }
    }
    if (net->optimizer.type == TNN_SGD) moments = net->optimizer.momentum > 0;
    else if (net->optimizer.type) moments = 2;
    for (i = 0; i < 4; i++)
        net->flat[i] = i == 0 || (training && i < 2 + moments) ? tnn__take(&a, net->params) : NULL;
    if (training)
        net->partial = tnn__take(&a, tnn__mul(tnn__spans(net->partial_floats, batch),
                                              net->partial_floats));
    net->class_weights = net->loss.class_weights
        ? tnn__take(&a, net->blob[net->ops].c*net->blob[net->ops].h*net->blob[net->ops].w) : NULL;
    /* activations, and the gradients between trunks and dense operations */
    for (i = 0; i <= net->ops; i++) {
        tnn__blob *b = &net->blob[i];
        const int before = i > 0 && net->op[i - 1].type == TNN_DENSE;
        const int after = i == net->ops || net->op[i].type == TNN_DENSE;
        if (i > 0) b->data = tnn__take(&a, tnn__mul(batch, b->sample) + TNN__SLACK);
        b->grad = training && i > 0 && (before || after)
            ? tnn__take(&a, tnn__mul(batch, b->grad_sample) + TNN__SLACK) : NULL;
    }
    /* per operation */
    net->scratch_floats = 0;
    net->g[0] = 0;
    net->g[1] = most + TNN__SLACK;
    if (training) net->scratch_floats = 2*(most + TNN__SLACK);
    for (i = 0; i < net->ops; i++) {
        tnn__op *op = &net->op[i];
        const tnn__conv *q = &op->q;
        if (op->pool.kh && op->type != TNN_AVGPOOL2D && training)
            op->where = tnn__take(&a, tnn__mul(batch, (tnn__len)net->blob[i + 1].c
                                               *net->blob[i + 1].h*net->blob[i + 1].w));
        if (op->type == TNN_CONV2D) {
            if (op->needs_dx && training) op->flipped = tnn__take(&a, tnn__flipped_floats(q));
            op->dy_row = (tnn__len)(op->needs_dx ? q->y_lo_w + q->y_hi_w + q->g.ow : q->g.ow)*q->oc;
            op->dy_at = op->needs_dx ? q->y_lo_h*op->dy_row + (tnn__len)q->y_lo_w*q->oc : 0;
            op->dy_floats = tnn__mul(op->needs_dx ? q->y_lo_h + q->y_hi_h + q->g.oh : q->g.oh,
                                     op->dy_row);
            op->dy = net->scratch_floats;
            if (training) net->scratch_floats += tnn__round_up(op->dy_floats + TNN__SLACK, 16);
            op->rows = net->scratch_floats;
            if (op->pool.kh)
                net->scratch_floats += tnn__round_up((tnn__len)op->pool.kh*q->g.ow*q->oc
                                                     + TNN__SLACK, 16);
        }
        if (op->type == TNN_DENSE && op->needs_dx)
            turned = TNN__MAX(turned, tnn__mul((batch + 15)/16*16, (q->oc + 15)/16*16));
        if (net->record[op->layer].o.orthogonal > 0) gram = TNN__MAX(gram, tnn__gram_floats(q));
    }
    net->gram = tnn__take(&a, gram);
    net->scratch = tnn__take(&a, tnn__mul(net->threads, net->scratch_floats));
    net->turned = training ? tnn__take(&a, turned) : NULL;
    net->output = tnn__take(&a, tnn__mul(batch, (tnn__len)net->blob[net->ops].c
                                         *net->blob[net->ops].h*net->blob[net->ops].w));
    return a.used + TNN__SLACK;
}

static tnn_status tnn__init_params(tnn_net *net);
static tnn_status tnn__check_loss(const tnn_net *net);

static tnn_status tnn__plan(tnn_net *net)
{
    const char *file = tnn__err.file;
    const int line = tnn__err.line;
    tnn_status e;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net) return tnn__fail(TNN_ERROR_ARGUMENT, "no network");
    if (net->built) return TNN_OK;
    if (!net->layers) return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_build: the network has no layers");
    e = tnn__plan_ops(net);
    if (e) return e;
    tnn__err.file = file;
    tnn__err.line = line;
    e = tnn__check_loss(net);
    if (e) return e;
    net->threads = net->options.threads ? TNN__MIN(net->options.threads, TNN__MAX_THREADS)
                                        : tnn_threads();
    net->memory_floats = tnn__place(net, NULL);
    return TNN_OK;
}
TNN_API size_t (tnn_net_bytes)(tnn_net *net)
{
    if (tnn__plan(net) || net->memory_floats >= TNN__HUGE/(tnn__len)sizeof(float)) return 0;
    return (size_t)net->memory_floats*sizeof(float) + TNN__ALIGN + sizeof(char *);
}
TNN_API tnn_status (tnn_build)(tnn_net *net)
{
    tnn_status e = tnn__plan(net);
    if (e || net->built) return e;
    net->memory = (float *)tnn__alloc(tnn__mul(net->memory_floats, (tnn__len)sizeof(float)),
                                      "tnn_build");
    if (!net->memory) return TNN_ERROR_MEMORY;
    tnn__place(net, net->memory);
    net->beta1_t = net->beta2_t = 1;
    if (net->class_weights) {
        const tnn__blob *b = &net->blob[net->ops];
        int i, n = b->c*b->h*b->w;
        net->weight_sum = 0;
        for (i = 0; i < n; i++) net->weight_sum += net->class_weights[i] = net->loaned_weights[i];
    }
    e = tnn__init_params(net);
    net->built = !e;
    if (e) {
        tnn__release(net->memory);
        net->memory = NULL;
    }
    return e;
}
TNN_API int (tnn_output_shape)(tnn_net *net, int shape[3])
{
    const tnn__blob *b;
    shape[0] = shape[1] = shape[2] = 0;
    if (tnn__plan(net)) return 0;
    b = &net->blob[net->ops];
    shape[0] = b->flat ? b->c*b->h*b->w : b->c;
    shape[1] = b->flat ? 1 : b->h;
    shape[2] = b->flat ? 1 : b->w;
    return b->c*b->h*b->w;
}

/* ---- 7b. Parameters -------------------------------------------------------------------------- */
static const tnn__op *tnn__find_param(tnn_net *net, int i, int *bias)
{
    int k;
    for (k = 0; k < net->ops; k++) {
        const tnn__op *op = &net->op[k];
        if (op->type != TNN_CONV2D && op->type != TNN_DENSE) continue;
        if (i-- == 0) {
            *bias = 0;
            return op;
        }
        if (!op->no_bias && i-- == 0) {
            *bias = 1;
            return op;
        }
    }
    return NULL;
}
static tnn_param tnn__param_of(const tnn__op *op, int bias)
{
    tnn_param p;
    memset(&p, 0, sizeof p);
    p.name = bias ? op->bias_name : op->weight_name;
    p.ndim = bias ? 1 : op->type == TNN_CONV2D ? 4 : 2;
    p.dims[0] = op->q.oc;
    p.dims[1] = bias ? 1 : op->type == TNN_CONV2D ? op->q.cg : (int)op->q.K;
    p.dims[2] = bias || op->type != TNN_CONV2D ? 1 : op->q.g.kh;
    p.dims[3] = bias || op->type != TNN_CONV2D ? 1 : op->q.g.kw;
    p.count = p.dims[0]*p.dims[1]*p.dims[2]*p.dims[3];
    return p;
}
TNN_API int (tnn_param_count)(tnn_net *net)
{
    int i, bias;
    if (tnn__plan(net)) return 0;
    for (i = 0; tnn__find_param(net, i, &bias); i++) {}
    return i;
}
TNN_API tnn_param (tnn_param_info)(tnn_net *net, int i)
{
    tnn_param none;
    const tnn__op *op;
    int bias = 0;
    memset(&none, 0, sizeof none);
    if ((tnn_build)(net)) return none;
    op = i < 0 ? NULL : tnn__find_param(net, i, &bias);
    if (op) return tnn__param_of(op, bias);
    tnn__fail(TNN_ERROR_ARGUMENT, "tnn_param_info: no parameter %d", i);
    return none;
}
TNN_API long long (tnn_param_total)(tnn_net *net) { return tnn__plan(net) ? 0 : net->param_total; }

static tnn_status tnn__param_copy(const char *what, tnn_net *net, const char *name, int which,
                                  float *values, int count, int to)
{
    const tnn__op *op;
    int i, bias;
    tnn_status e = (tnn_build)(net);
    if (e) return e;
    if (!name || !values || !net->flat[which])
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: no name, values or gradients", what);
    for (i = 0; (op = tnn__find_param(net, i, &bias)) != NULL; i++) {
        const tnn_param p = tnn__param_of(op, bias);
        if (strcmp(p.name, name)) continue;
        if (p.count != count)
            return tnn__fail(TNN_ERROR_SHAPE, "%s: %s has %d values, not %d",
                             what, name, p.count, count);
        if (to)
            for (i = 0; i < count; i++)
                if (!(values[i] - values[i] >= 0))
                    return tnn__fail(TNN_ERROR_NUMBER, "%s: value %d of %s is not finite",
                                     what, i, name);
        if (bias) tnn__copy_bias(&op->q, net->flat[which] + op->b, values, to);
        else tnn__copy_weights(&op->q, net->flat[which] + op->w, values, to);
        return TNN_OK;
    }
    return tnn__fail(TNN_ERROR_ARGUMENT, "%s: no parameter \"%s\"", what, name);
}
TNN_API tnn_status (tnn_get_param)(tnn_net *net, const char *name, float *values, int count)
{
    return tnn__param_copy("tnn_get_param", net, name, 0, values, count, 0);
}
TNN_API tnn_status (tnn_set_param)(tnn_net *net, const char *name, const float *values, int count)
{
    return tnn__param_copy("tnn_set_param", net, name, 0, (float *)(uintptr_t)values, count, 1);
}
TNN_API tnn_status (tnn_get_grad)(tnn_net *net, const char *name, float *values, int count)
{
    return tnn__param_copy("tnn_get_grad", net, name, 1, values, count, 0);
}
TNN_API float *(tnn_flat)(tnn_net *net, int which, size_t *count)
{
    if ((tnn_build)(net) || which < 0 || which > 3) return NULL;
    if (count) *count = net->flat[which] ? (size_t)net->params : 0;
    return net->flat[which];
}

/* Element `at` of a tensor in PyTorch's order, from the panels. */
static float *tnn__param_at(const tnn__op *op, int bias, float *flat, tnn__len at)
{
    const tnn__conv *q = &op->q;
    const int window = q->g.kh*q->g.kw;
    const int o = (int)(bias ? at : at/q->K), f = o%q->og;
    const tnn__len r = bias ? 0 : at%q->K;
    if (bias) return flat + op->b + o/q->og*q->panels*16 + f;
    return flat + op->w + ((o/q->og*q->panels + f/16)*q->K + r%window*q->cg + r/window)*16 + f%16;
}
TNN_API uint64_t (tnn_hash)(tnn_net *net)
{
    uint64_t hash = 14695981039346656037ull;
    const tnn__op *op;
    int i, k, bias;
    tnn__len at, n;
    if ((tnn_build)(net)) return 0;
    for (i = 0; (op = tnn__find_param(net, i, &bias)) != NULL; i++) {
        n = bias ? op->q.oc : op->q.K*op->q.oc;
        for (at = 0; at < n; at++) {
            uint32_t u;
            memcpy(&u, tnn__param_at(op, bias, net->flat[0], at), sizeof u);
            for (k = 0; k < 32; k += 8) hash = (hash ^ (u >> k & 0xff))*1099511628211ull;
        }
    }
    return hash;
}

/* The kinds of initial values, by tnn_init: what is drawn; `over` a fan, with variance over/fan;
   what stands for an option left out. */
enum { TNN__EQUAL, TNN__UNIFORM, TNN__NORMAL, TNN__CUT, TNN__EYE, TNN__ORTHOGONAL, TNN__SPARSE };
typedef struct {
    int     draw, for_bias;
    double  over;
    tnn_fan fan;
    double  std, min, max;      /* TNN__EQUAL: the value is min */
} tnn__init_kind;
static const tnn__init_kind tnn__init_kinds[] = {
    {TNN__UNIFORM,    1, 1.0/3, TNN_FAN_IN,      0,    0,  0},  /* DEFAULT */
    {TNN__UNIFORM,    0, 2,     TNN_FAN_IN,      0,    0,  0},  /* HE_UNIFORM */
    {TNN__NORMAL,     0, 2,     TNN_FAN_IN,      0,    0,  0},  /* HE_NORMAL */
    {TNN__UNIFORM,    0, 1,     TNN_FAN_AVERAGE, 0,    0,  0},  /* XAVIER_UNIFORM */
    {TNN__NORMAL,     0, 1,     TNN_FAN_AVERAGE, 0,    0,  0},  /* XAVIER_NORMAL */
    {TNN__EQUAL,      1, 0,     TNN_FAN_DEFAULT, 0,    0,  0},  /* ZERO */
    {TNN__UNIFORM,    0, 1,     TNN_FAN_IN,      0,    0,  0},  /* LECUN_UNIFORM */
    {TNN__NORMAL,     0, 1,     TNN_FAN_IN,      0,    0,  0},  /* LECUN_NORMAL */
    {TNN__UNIFORM,    1, 1.0/3, TNN_FAN_IN,      0,    0,  0},  /* FAN_IN */
    {TNN__UNIFORM,    1, 0,     TNN_FAN_DEFAULT, 0,    0,  1},  /* UNIFORM */
    {TNN__NORMAL,     1, 0,     TNN_FAN_DEFAULT, 1,    0,  0},  /* NORMAL */
    {TNN__CUT,        1, 0,     TNN_FAN_DEFAULT, 1,    -2, 2},  /* TRUNCATED */
    {TNN__EQUAL,      1, 0,     TNN_FAN_DEFAULT, 0,    0,  0},  /* CONSTANT */
    {TNN__EQUAL,      1, 0,     TNN_FAN_DEFAULT, 0,    1,  0},  /* ONE */
    {TNN__EYE,        0, 0,     TNN_FAN_DEFAULT, 0,    0,  0},  /* EYE */
    {TNN__ORTHOGONAL, 0, 0,     TNN_FAN_DEFAULT, 1,    0,  0},  /* ORTHOGONAL */
    {TNN__SPARSE,     0, 0,     TNN_FAN_DEFAULT, 0.01, 0,  0},  /* SPARSE */
};
TNN_API double (tnn_calculate_gain)(const char *nonlinearity, double slope)
{
    static const struct { const char *name; double gain; } gains[] = {
        {"linear", 1}, {"conv2d", 1}, {"sigmoid", 1}, {"tanh", 5.0/3},
        {"relu", 1.4142135623730951}, {"selu", 0.75},
    };
    size_t i;
    for (i = 0; nonlinearity && i < sizeof gains/sizeof *gains; i++)
        if (!strcmp(nonlinearity, gains[i].name)) return gains[i].gain;
    if (nonlinearity && !strcmp(nonlinearity, "leaky_relu")) {
        slope = tnn__default(slope, 0.01);
        return sqrt(2/(1 + slope*slope));
    }
    tnn__fail(TNN_ERROR_ARGUMENT, "tnn_calculate_gain: no \"%s\" among linear, conv2d, sigmoid, "
              "tanh, relu, leaky_relu, selu", nonlinearity ? nonlinearity : "(null)");
    return HUGE_VAL - HUGE_VAL;
}

/* How one tensor of `rows` outputs starts; each has `in` inputs under a window of kh x kw. */
typedef struct {
    int      draw, rows, in, kh, kw, groups;
    double   mean, std, min, max, gain;
    int      zeros;             /* of each column, TNN__SPARSE */
    uint64_t seed, stream;
} tnn__start;

/* Fills in draw, mean, std, min, max and zeros from a kind, its options and the tensor's fans (0
   where they are not yet known). `what` names the options in messages. */
static tnn_status tnn__start_of(const char *what, tnn_init init, const tnn_init_options *o,
                                int bias, double fan_in, double fan_out, tnn__start *s)
{
    const int known = (size_t)init < sizeof tnn__init_kinds/sizeof *tnn__init_kinds;
    const tnn__init_kind *kind = &tnn__init_kinds[known ? init : 0];
    const tnn_fan mode = o->fan ? o->fan : kind->fan;
    const double fan = mode == TNN_FAN_IN ? fan_in : mode == TNN_FAN_OUT ? fan_out
                                                   : (fan_in + fan_out)/2;
    const double gain = tnn__default(o->gain, HUGE_VAL);
    const double over = gain < HUGE_VAL ? gain*gain : kind->over;
    if (!known || (bias && !kind->for_bias))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s = %d is no kind of initial %s",
                         what, (int)init, bias ? "bias" : "weight");
    if (o->fan < TNN_FAN_DEFAULT || o->fan > TNN_FAN_AVERAGE)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s_with.fan = %d is none of tnn_fan",
                         what, (int)o->fan);
    s->draw = kind->draw;
    s->gain = tnn__default(o->gain, 1);
    s->mean = tnn__default(o->mean, 0);
    s->std = tnn__default(o->std, kind->std);
    s->min = tnn__default(init == TNN_INIT_CONSTANT ? o->value : o->min, kind->min);
    s->max = tnn__default(o->max, kind->max);
    if (!(s->std >= 0) || !(fabs(s->gain) <= 1e15) || !(fabs(s->mean) + s->std <= 1e30)
        || !(fabs(s->min) + fabs(s->max) <= 1e30))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s_with: .gain = %g, .mean = %g, .std = %g, "
                         ".min = %g, .max = %g, .value = %g must be finite, .std not negative",
                         what, o->gain, o->mean, o->std, o->min, o->max, o->value);
    if ((kind->max > kind->min && !(s->min < s->max)) || (s->draw == TNN__CUT && !(s->std > 0)))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s_with: .min = %g must be below .max = %g, "
                         ".std = %g of a truncated distribution not 0",
                         what, s->min, s->max, s->std);
    if (s->draw == TNN__SPARSE && !(o->sparsity > 0 && o->sparsity <= 1))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s_with.sparsity = %g must be in (0, 1]",
                         what, o->sparsity);
    s->zeros = s->draw == TNN__SPARSE ? (int)(o->sparsity*s->rows) : 0;
    if (s->zeros < o->sparsity*s->rows) s->zeros++;
    if (!(fan > 0) || !(kind->over > 0)) return TNN_OK;
    s->std = sqrt(over/fan);
    s->max = over > 1.0/3 || over < 1.0/3 ? sqrt(3*over/fan) : 1/sqrt(fan);
    s->min = -s->max;
    if (s->draw == TNN__NORMAL && o->truncated) {
        s->draw = TNN__CUT;
        s->std /= 0.87962566103423978;      /* the deviation of N(0, 1) within [-2, 2] */
        s->max = 2*s->std;
        s->min = -s->max;
    }
    return TNN_OK;
}
/* The options of a layer, before its shape is known. */
static tnn_status tnn__check_start(const tnn_layer *o)
{
    tnn__start s;
    tnn_status e;
    memset(&s, 0, sizeof s);
    e = tnn__start_of("tnn_add: .init", o->init, &o->init_with, 0, 0, 0, &s);
    return e ? e : tnn__start_of("tnn_add: .bias_init", o->bias_init, &o->bias_init_with, 1,
                                 0, 0, &s);
}

/* N(mean, std^2) within [min, max] by rejection (Robert 1995, without his exponential proposals): z
   uniform in the interval, at most 6 from where the density is highest, z0, stands with probability
   exp((z0^2 - z^2)/2). Attempt t draws words 0 and 1 of block at + 2^40 t. */
static double tnn__truncated(const tnn__start *s, uint64_t at)
{
    double lo = (s->min - s->mean)/s->std, hi = (s->max - s->mean)/s->std;
    const double z0 = lo > 0 ? lo : hi < 0 ? hi : 0;
    uint32_t r[4];
    lo = TNN__MAX(lo, z0 - 6);
    hi = TNN__MIN(hi, z0 + 6);
    for (;; at += (uint64_t)1 << 40) {
        double z;
        tnn__philox(s->seed, s->stream, at, r);
        z = lo + (hi - lo)*(r[0]/4294967296.0);
        if (2*tnn__log_double((r[1] + 1.0)/4294967296.0) <= z0*z0 - z*z)
            return s->mean + s->std*z;
    }
}
/* A random matrix with orthonormal rows, or columns where they are fewer: `few` vectors of `many`
   numbers, to be freed. Gram and Schmidt's process on normal vectors, done twice ("twice is
   enough", Giraud et al. 2005), is the QR decomposition whose R has a positive diagonal. */
static double *tnn__orthonormal(const tnn__start *s)
{
    const tnn__len cols = (tnn__len)s->in*s->kh*s->kw;
    const tnn__len few = TNN__MIN(s->rows, cols), many = TNN__MAX(s->rows, cols);
    double *q = (double *)tnn__alloc_raw(tnn__mul(tnn__mul(few, many), (tnn__len)sizeof *q),
                                         "orthogonal initial weights");
    tnn__len i, j, k;
    int pass;
    for (i = 0; q && i < few; i++) {
        double *v = q + i*many, dot;
        for (k = 0; k < many; k++)
            v[k] = (double)tnn_random_normal(s->seed, s->stream,
                                             (uint64_t)(few < s->rows ? k*cols + i : i*cols + k));
        for (pass = 0; pass < 2; pass++)
            for (j = 0; j < i; j++) {
                const double *u = q + j*many;
                for (dot = 0, k = 0; k < many; k++) dot += u[k]*v[k];
                for (k = 0; k < many; k++) v[k] -= dot*u[k];
            }
        for (dot = 0, k = 0; k < many; k++) dot += v[k]*v[k];
        for (k = 0; k < many; k++) v[k] /= sqrt(dot);
    }
    return q;
}
/* Value (row, col). `left` counts the zeros that a sparse column still needs: down the column each
   row becomes one with probability left/(rows left) (Knuth, volume 2, algorithm 3.4.2S). */
static double tnn__initial(const tnn__start *s, int row, tnn__len col, const double *q, int *left)
{
    const tnn__len cols = (tnn__len)s->in*s->kh*s->kw;
    const uint64_t at = (uint64_t)(row*cols + col);
    const int window = s->kh*s->kw, out = s->rows/s->groups;
    switch (s->draw) {
    case TNN__UNIFORM:
        return (s->min + s->max)/2
             + (2.0*(double)tnn_random_uniform(s->seed, s->stream, at) - 1.0)*((s->max - s->min)/2);
    case TNN__NORMAL:
        return s->mean + (double)tnn_random_normal(s->seed, s->stream, at)*s->std;
    case TNN__CUT:
        return tnn__truncated(s, at);
    case TNN__EYE:
        return col/window == row%out && col%window == s->kh/2*s->kw + s->kw/2 ? s->gain : 0;
    case TNN__ORTHOGONAL:
        return s->gain*(cols < s->rows ? q[col*s->rows + row] : q[at]);
    case TNN__SPARSE:
        if (row == 0) *left = s->zeros;
        if ((double)tnn_random_uniform(s->seed, s->stream, 4*at + 2)*(s->rows - row) < *left) {
            --*left;
            return 0;
        }
        return (double)tnn_random_normal(s->seed, s->stream, at)*s->std;
    }
    return s->min;
}

/* Value i of a parameter is drawn from element i of stream 2*layer (weights) or 2*layer + 1
   (biases): independent of how the network holds it. */
static tnn_status tnn__init_params(tnn_net *net)
{
    const tnn__op *op;
    int i, bias;
    for (i = 0; (op = tnn__find_param(net, i, &bias)) != NULL; i++) {
        const tnn_layer *o = &net->record[op->layer].o;
        const tnn_param p = tnn__param_of(op, bias);
        const double fan_in = (double)op->q.K;
        const double fan_out = (double)op->q.oc
                               *(op->type == TNN_CONV2D ? op->q.g.kh*op->q.g.kw : 1);
        tnn_init init = bias ? o->bias_init : o->init;
        double *q = NULL;
        tnn__start s;
        tnn__len col;
        int row, left = 0;
        char digits[16], *end = tnn__put_int(digits, digits + 15, op->layer);
        tnn__op *named = (tnn__op *)(uintptr_t)op;
        *end = 0;
        *tnn__put(tnn__put(named->weight_name, named->weight_name + 23, digits),
                  named->weight_name + 23, ".weight") = 0;
        *tnn__put(tnn__put(named->bias_name, named->bias_name + 23, digits),
                  named->bias_name + 23, ".bias") = 0;
        if (bias && init == TNN_INIT_DEFAULT && o->init != TNN_INIT_DEFAULT) init = TNN_INIT_ZERO;
        memset(&s, 0, sizeof s);
        s.rows = p.dims[0]; s.in = p.dims[1]; s.kh = p.dims[2]; s.kw = p.dims[3];
        s.groups = op->q.groups;
        s.seed = net->options.seed;
        s.stream = (uint64_t)op->layer*2 + (uint64_t)bias;
        tnn__start_of("tnn_build: .init", init, bias ? &o->bias_init_with : &o->init_with, bias,
                      fan_in, fan_out, &s);
        if (s.draw == TNN__ORTHOGONAL && (q = tnn__orthonormal(&s)) == NULL)
            return TNN_ERROR_MEMORY;
        for (col = 0; col < p.count/p.dims[0]; col++)
            for (row = 0; row < s.rows; row++)
                *tnn__param_at(op, bias, net->flat[0], row*(tnn__len)(p.count/p.dims[0]) + col)
                    = (float)tnn__initial(&s, row, col, q, &left);
        tnn__release(q);
    }
    return TNN_OK;
}

/* ---- 7c. Forward and backward ---------------------------------------------------------------- */
static float *tnn__sample_data(const tnn__blob *b, int s) { return b->data + s*b->sample + b->at; }

/* Everything that operation i needs for sample s. The gradient of a blob is the batch's, or this
   thread's scratch. */
static tnn__sample_at tnn__at_sample(const tnn__call *call, int i, int s, float *scratch)
{
    const tnn_net *net = call->net;
    tnn__sample_at a;
    memset(&a, 0, sizeof a);
    a.net = net;
    a.k = call->k;
    a.op = &net->op[i];
    a.in = &net->blob[i];
    a.out = &net->blob[i + 1];
    a.s = s;
    a.training = net->mode == TNN_TRAIN;
    a.scratch = scratch;
    if (a.op->type != TNN__INPUT) a.x = tnn__sample_data(a.in, s);
    a.y = tnn__sample_data(a.out, s);
    if (a.op->where && a.training) a.where = a.op->where + (tnn__len)s*a.out->c*a.out->h*a.out->w;
    a.dy = a.out->grad ? a.out->grad + s*a.out->grad_sample : scratch + net->g[(i + 1) & 1];
    if (a.op->needs_dx)
        a.dx = a.in->grad ? a.in->grad + s*a.in->grad_sample : scratch + net->g[i & 1];
    return a;
}

/* A task is a span of samples. */
static void tnn__trunk_forward(void *context, int span, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    float *scratch = net->scratch + worker*net->scratch_floats;
    const int first = (int)((tnn__len)net->n*span/call->spans);
    const int end = (int)((tnn__len)net->n*(span + 1)/call->spans);
    int s, i;
    for (s = first; s < end; s++)
        for (i = call->first; i < call->last; i++) {
            const tnn__sample_at a = tnn__at_sample(call, i, s, scratch);
            tnn__layer_kinds[a.op->type].forward(&a);
        }
}
static void tnn__trunk_backward(void *context, int span, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    float *scratch = net->scratch + worker*net->scratch_floats;
    const int first = (int)((tnn__len)net->n*span/call->spans);
    const int end = (int)((tnn__len)net->n*(span + 1)/call->spans);
    int s, i;
    for (s = first; s < end; s++)
        for (i = call->last - 1; i >= call->first; i--) {
            tnn__sample_at a = tnn__at_sample(call, i, s, scratch);
            a.partial = net->partial + span*net->partial_floats;
            a.keep = s > first;
            if (a.dx || a.op->type == TNN_CONV2D) tnn__layer_kinds[a.op->type].backward(&a);
        }
}
/* Adds up the spans' partial sums: the gradients. A task is a 16th of one convolution's floats. */
static void tnn__add_partials(void *context, int task, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    const tnn__op *op = &net->op[call->first + task/16];
    tnn__len n, from, end;
    int s;
    (void)worker;
    if (op->type != TNN_CONV2D) return;
    /* weights and biases are neighbours in both */
    n = tnn__weight_floats(&op->q) + (op->no_bias ? 0 : tnn__bias_floats(&op->q));
    from = n/16*(task%16)/16*16;
    end = task%16 == 15 ? n : n/16*(task%16 + 1)/16*16;
    memcpy(net->flat[1] + op->w + from, net->partial + op->partial + from,
           (size_t)(end - from)*sizeof(float));
    for (s = 1; s < call->spans; s++)
        call->k->add(end - from, net->partial + s*net->partial_floats + op->partial + from,
                     net->flat[1] + op->w + from);
}

/* Below so many multiply-adds or floats moved, one thread is faster than two. */
static int tnn__threads_for(const tnn_net *net, tnn__len work)
{
    return work < 20000 ? 1 : net->threads;
}

TNN_API tnn_status (tnn_forward)(tnn_net *net, const float *x, int n, tnn_mode mode)
{
    tnn__call call;
    tnn_status e = (tnn_build)(net);
    int i;
    if (e) return e;
    if (!x) return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_forward: x is NULL");
    if (n < 1 || n > net->options.batch)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_forward: a batch of %d; "
                         "this network takes 1 to %d samples (.batch of tnn_create)",
                         n, net->options.batch);
    net->x = x;
    net->n = n;
    net->mode = (int)mode;
    if (mode == TNN_TRAIN) net->draws++;
    call.net = net;
    call.k = tnn__kernels();
    call.spans = TNN__MIN(n, TNN__SPANS);
    if (net->direct) net->blob[0].data = (float *)(uintptr_t)x;
    for (i = 0; i < net->ops; ) {
        call.first = i;
        while (i < net->ops && net->op[i].type != TNN_DENSE) i++;
        call.last = i;
        if (call.last > call.first) tnn__run(net->threads, call.spans, tnn__trunk_forward, &call);
        if (i < net->ops) {
            const tnn__op *op = call.op = &net->op[i++];
            const int blocks = (n + 111)/112;
            call.row_block = (n + blocks - 1)/blocks;
            call.col_block = 32;
            call.col_blocks = (op->q.oc + 31)/32;
            tnn__run(tnn__threads_for(net, n*op->q.K*op->q.oc/8), blocks*call.col_blocks,
                     tnn__dense_forward, &call);
            if (op->p > 0 && mode == TNN_TRAIN)
                tnn__run(tnn__threads_for(net, (tnn__len)n*op->q.oc*4), (n + 15)/16,
                         tnn__dense_dropout, &call);
        }
    }
    net->stage = TNN__FORWARD;
    return TNN_OK;
}

TNN_API tnn_status (tnn_backward)(tnn_net *net)
{
    tnn__call call;
    int i, first;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || net->stage != TNN__LOSS || net->mode != TNN_TRAIN)
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_backward: comes after tnn_forward in TNN_TRAIN mode and tnn_loss");
    call.net = net;
    call.k = tnn__kernels();
    call.spans = tnn__spans(net->partial_floats, net->n);
    /* nothing before the first parameters needs a gradient */
    for (first = 0; first < net->ops; first++) {
        const tnn__op *op = &net->op[first];
        if (op->type == TNN_CONV2D || op->type == TNN_DENSE) break;
        if (op->needs_dx) break;
    }
    for (i = net->ops; i > first; ) {
        call.last = i;
        while (i > first && net->op[i - 1].type != TNN_DENSE) i--;
        call.first = i;
        if (call.last > call.first) {
            int k;
            for (k = call.first; k < call.last; k++)
                if (net->op[k].flipped)
                    tnn__conv_flip(&net->op[k].q, net->flat[0] + net->op[k].w, net->op[k].flipped);
            tnn__run(net->threads, call.spans, tnn__trunk_backward, &call);
            tnn__run(tnn__threads_for(net, net->partial_floats), 16*(call.last - call.first),
                     tnn__add_partials, &call);
        }
        if (i > first) {
            const tnn__op *op = call.op = &net->op[--i];
            const tnn__len K = op->q.K, work = net->n*K*op->q.oc/8;
            const int blocks = (int)TNN__MAX((K + TNN__DX_BLOCK - 1)/TNN__DX_BLOCK,
                                             TNN__MIN(8, (K + 27)/28));
            if (op->act || op->needs_dx)
                tnn__run(tnn__threads_for(net, (tnn__len)net->n*op->q.oc), (net->n + 15)/16,
                         tnn__dense_turn, &call);
            call.row_block = (int)((K + blocks - 1)/blocks);
            call.dx_blocks = op->needs_dx ? (int)((K + call.row_block - 1)/call.row_block) : 0;
            call.col_block = 128;
            call.col_blocks = (op->q.oc + 127)/128;
            tnn__run(tnn__threads_for(net, work),
                     call.dx_blocks
                     + (int)((K + call.row_block - 1)/call.row_block)*call.col_blocks,
                     tnn__dense_backward, &call);
        }
    }
    net->stage = TNN__BACKWARD;
    return TNN_OK;
}

/* Where value i of (c, h, w) lies in a blob's channels-last image. */
static tnn__len tnn__place_of(const tnn__blob *b, int i)
{
    return (tnn__len)(i%(b->h*b->w))*b->c + i/(b->h*b->w);
}

TNN_API const float *(tnn_output)(tnn_net *net)
{
    const tnn__blob *b;
    int s;
    if (tnn_failed() || !net) return NULL;
    if (!net->n) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_output: no forward has been done");
        return NULL;
    }
    b = &net->blob[net->ops];
    for (s = 0; s < net->n; s++)
        tnn__channels_first(tnn__kernels(), b->c, b->h, b->w, tnn__sample_data(b, s), b->row,
                            net->output + (tnn__len)s*b->c*b->h*b->w);
    return net->output;
}

/* ==== 8. LOSSES =============================================================================== */
#define TNN__NOT_FLAT "tnn_set_loss: cross-entropy needs one value per class, " \
                      "the last layer gives %dx%dx%d (flatten it)"
static tnn_status tnn__check_loss(const tnn_net *net)
{
    const tnn__blob *b = &net->blob[net->ops];
    const int n = b->c*b->h*b->w;
    if (!net->loss.type) return TNN_OK;
    if (!b->flat && b->h*b->w != 1)
        return tnn__fail(TNN_ERROR_SHAPE, TNN__NOT_FLAT, b->c, b->h, b->w);
    if (net->loss.class_weights && net->weight_count != n)
        return tnn__fail(TNN_ERROR_SHAPE, "tnn_set_loss: %d class weights for %d classes; "
                         "the loss comes after the last layer", net->weight_count, n);
    return TNN_OK;
}
TNN_API tnn_status (tnn_net_loss)(tnn_net *net, const tnn_loss_options *loss)
{
    int i, n, shape[3];
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || !loss || loss->type != TNN_CROSS_ENTROPY)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_loss: no network or no such loss");
    if (net->built)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_loss: the network has been built; "
                         "the loss comes before the first forward");
    if (!(loss->label_smoothing >= 0 && loss->label_smoothing <= 1))
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_set_loss: .label_smoothing = %g must be in [0, 1]",
                         (double)loss->label_smoothing);
    n = (tnn_output_shape)(net, shape);
    if (!n) return (tnn_status)tnn_failed();
    if (shape[1]*shape[2] != 1)
        return tnn__fail(TNN_ERROR_SHAPE, TNN__NOT_FLAT, shape[0], shape[1], shape[2]);
    if (loss->class_weights) {
        float *copy = tnn__floats(n, "tnn_set_loss");
        if (!copy) return TNN_ERROR_MEMORY;
        for (i = 0; i < n; i++) {
            copy[i] = loss->class_weights[i];
            if (!(copy[i] >= 0) || copy[i] > 1e30f) {
                tnn__release(copy);
                return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_loss: .class_weights[%d] = %g "
                                 "must be finite and not negative",
                                 i, (double)loss->class_weights[i]);
            }
        }
        tnn__release(net->loaned_weights);
        net->loaned_weights = copy;
        net->weight_count = n;
    }
    net->loss = *loss;
    return TNN_OK;
}

/* With p = softmax(x), weights v, smoothing s, W = sum over samples of v[label], V = sum of v,
   C classes:
     loss = 1/W sum_i ( (1-s) v[l] (lse - x[l]) + s/C sum_c v[c] (lse - x[c]) )
     dx_c = 1/W ( p_c ((1-s) v[l] + s/C V) - (1-s) v[l] [c = l] - s/C v[c] ) */
TNN_API double (tnn_loss)(tnn_net *net, const int *labels)
{
    const tnn__isa_table *k = tnn__kernels();
    const tnn__blob *b;
    const double nan = HUGE_VAL - HUGE_VAL;
    double total = 0, weight = 0, smooth;
    int classes, s, c;
    if (tnn_failed() || !net) return nan;
    if (!net->loss.type) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_loss: no loss was set");
        return nan;
    }
    if (net->stage == TNN__NOTHING || !labels) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_loss: no forward has been done, or no labels");
        return nan;
    }
    b = &net->blob[net->ops];
    classes = b->c*b->h*b->w;
    smooth = (double)net->loss.label_smoothing;
    for (s = 0; s < net->n; s++) {
        if (labels[s] < 0 || labels[s] >= classes) {
            tnn__fail(TNN_ERROR_ARGUMENT,
                      "tnn_loss: label %d of sample %d is out of range, the network has %d classes",
                      labels[s], s, classes);
            return nan;
        }
        weight += net->class_weights ? (double)net->class_weights[labels[s]] : 1;
    }
    if (!(weight > 0)) {
        tnn__fail(TNN_ERROR_NUMBER,
                  "tnn_loss: the class weights of all %d labels of the batch are 0", net->n);
        return nan;
    }
    net->correct = 0;
    for (s = 0; s < net->n; s++) {
        const float *x = tnn__sample_data(b, s), max = k->largest(classes, x);
        float *dx = b->grad + s*b->grad_sample, sum = k->exp_sum(classes, x, max, dx), scale;
        const tnn__len label = tnn__place_of(b, labels[s]);
        const double lse = (double)max + tnn__log_double((double)sum);
        const double v = net->class_weights ? (double)net->class_weights[labels[s]] : 1;
        const double all = net->class_weights ? net->weight_sum : classes;
        double loss = (1 - smooth)*v*(lse - (double)x[label]);
        int best = 0;
        if (!(lse - lse >= 0) || !(loss - loss >= 0)) {
            const tnn__len size = (tnn__len)net->blob[0].c*net->blob[0].h*net->blob[0].w;
            tnn__len i;
            for (i = 0; i < size; i++)
                if (!(net->x[s*size + i] - net->x[s*size + i] >= 0)) {
                    tnn__fail(TNN_ERROR_NUMBER, "tnn_loss: value %l of sample %d of the batch "
                              "is %s; the data must be finite", (long long)i, s,
                              net->x[s*size + i] > 0 ? "inf"
                              : net->x[s*size + i] < 0 ? "-inf" : "nan");
                    return nan;
                }
            tnn__fail(TNN_ERROR_NUMBER, "tnn_loss: the loss of sample %d is not finite "
                      "after %l steps (its largest logit is %g); "
                      "the parameters are those of the last step; a smaller lr may help",
                      s, net->steps, (double)max);
            return nan;
        }
        scale = (float)(((1 - smooth)*v + smooth/classes*all)/weight/(double)sum);
        for (c = 0; c < classes; c++) dx[c] *= scale;
        if (smooth > 0)
            for (c = 0; c < classes; c++) {
                const tnn__len at = tnn__place_of(b, c);
                const double u = net->class_weights ? (double)net->class_weights[c] : 1;
                loss += smooth/classes*u*(lse - (double)x[at]);
                dx[at] -= (float)(smooth/classes*u/weight);
            }
        dx[label] -= (float)((1 - smooth)*v/weight);
        total += loss;
        for (c = 1; c < classes; c++)
            if (x[tnn__place_of(b, c)] > x[tnn__place_of(b, best)]) best = c;
        net->correct += best == labels[s];
    }
    net->weight = weight;
    net->stage = TNN__LOSS;
    return total/weight;
}

TNN_API int tnn_correct(const tnn_net *net) { return net ? net->correct : 0; }

/* ==== 9. OPTIMIZERS ============================================================================
   g = gradient, w = parameter, t = step counted from 1, all element by element.
   SGD      d = g + decay w;  first step: b = d, then b = momentum b + (1 - dampening) d;
            w -= lr d                  without momentum
            w -= lr b                  with momentum
            w -= lr (d + momentum b)   Nesterov (Sutskever et al. 2013, in PyTorch's form)
   Adam     d = g + decay w;  m = beta1 m + (1 - beta1) d;  v = beta2 v + (1 - beta2) d^2;
            w -= lr/(1 - beta1^t) * m / (sqrt(v)/sqrt(1 - beta2^t) + eps)
   AdamW    w *= 1 - lr decay;  then Adam without decay */
TNN_API tnn_status (tnn_net_optimizer)(tnn_net *net, const tnn_optimizer *optimizer)
{
    tnn_optimizer o;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || !optimizer)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_optimizer: no network or no optimizer");
    if (net->built)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_optimizer: the network has been built; "
                         "the optimizer comes before the first forward");
    o = *optimizer;
    if (o.type < TNN_SGD || o.type > TNN_ADAMW)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_optimizer: no optimizer %d", (int)o.type);
    o.lr = tnn__default(o.lr, 1e-3);
    o.beta1 = tnn__default(o.beta1, 0.9);
    o.beta2 = tnn__default(o.beta2, 0.999);
    o.eps = tnn__default(o.eps, 1e-8);
    o.weight_decay = tnn__default(o.weight_decay, o.type == TNN_ADAMW ? 0.01 : 0);
    if (!(o.lr >= 0) || o.lr > 1e30)
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_set_optimizer: .lr = %g must be finite and not negative", o.lr);
    if (!(o.beta1 >= 0 && o.beta1 < 1) || !(o.beta2 >= 0 && o.beta2 < 1))
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_set_optimizer: .beta1 = %g and .beta2 = %g must be in [0, 1)",
                         o.beta1, o.beta2);
    if (!(o.eps >= 0) || !(o.weight_decay >= 0) || !(o.momentum >= 0)
        || o.eps + o.weight_decay + o.momentum > 1e30)
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_set_optimizer: .eps = %g, .weight_decay = %g, .momentum = %g "
                         "must be finite and not negative", o.eps, o.weight_decay, o.momentum);
    if (!(o.dampening - o.dampening >= 0))
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_optimizer: .dampening must be finite");
    if (o.nesterov && (!(o.momentum > 0) || o.dampening > 0 || o.dampening < 0))
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_set_optimizer: .nesterov needs .momentum and no .dampening");
    net->optimizer = o;
    return TNN_OK;
}
TNN_API tnn_status (tnn_set_lr)(tnn_net *net, double lr)
{
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || !(lr >= 0) || lr > 1e30)
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_set_lr: lr = %g must be finite and not negative", lr);
    net->optimizer.lr = lr;
    return TNN_OK;
}
TNN_API double tnn_lr(const tnn_net *net) { return net ? net->optimizer.lr : 0; }

#define TNN__UPDATE_BLOCK 8192
static void tnn__step_task(void *context, int task, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn__len at = (tnn__len)task*TNN__UPDATE_BLOCK;
    tnn__update u = call->update;
    (void)worker;
    u.w += at;
    u.g += at;
    if (u.m) u.m += at;
    if (u.v) u.v += at;
    call->k->update(&u, TNN__MIN(TNN__UPDATE_BLOCK, call->net->params - at));
}
static void tnn__penalize(tnn_net *net);
static void tnn__constrain(tnn_net *net);
TNN_API tnn_status (tnn_step)(tnn_net *net)
{
    tnn__call call;
    tnn__update *u = &call.update;
    const tnn_optimizer *o;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || net->stage != TNN__BACKWARD)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_step: comes after tnn_backward");
    o = &net->optimizer;
    if (!o->type) return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_step: no optimizer was set");
    tnn__penalize(net);
    net->beta1_t *= o->beta1;
    net->beta2_t *= o->beta2;
    memset(u, 0, sizeof *u);
    u->type = (int)o->type;
    u->nesterov = o->nesterov;
    u->first = net->steps == 0;
    u->w = net->flat[0]; u->g = net->flat[1]; u->m = net->flat[2]; u->v = net->flat[3];
    u->lr = (float)(o->type == TNN_SGD ? o->lr : o->lr/(1 - net->beta1_t));
    u->momentum = (float)o->momentum;
    u->undampened = (float)(1 - o->dampening);
    u->decay = o->type == TNN_ADAMW ? 0 : (float)o->weight_decay;
    u->keep = o->type == TNN_ADAMW ? (float)(1 - o->lr*o->weight_decay) : 1;
    u->beta1 = (float)o->beta1; u->one_beta1 = (float)(1 - o->beta1);
    u->beta2 = (float)o->beta2; u->one_beta2 = (float)(1 - o->beta2);
    u->eps = (float)o->eps;
    u->root2 = (float)(1/sqrt(1 - net->beta2_t));
    call.net = net;
    call.k = tnn__kernels();
    tnn__run(tnn__threads_for(net, net->params),
             (int)((net->params + TNN__UPDATE_BLOCK - 1)/TNN__UPDATE_BLOCK), tnn__step_task, &call);
    tnn__constrain(net);
    net->steps++;
    net->stage = TNN__NOTHING;
    return TNN_OK;
}
TNN_API double (tnn_train_batch)(tnn_net *net, const float *x, const int *labels, int n)
{
    double loss;
    if ((tnn_forward)(net, x, n, TNN_TRAIN)) return HUGE_VAL - HUGE_VAL;
    loss = (tnn_loss)(net, labels);
    (tnn_backward)(net);
    (tnn_step)(net);
    return loss;
}

/* ==== 11. REGULARIZERS =========================================================================
   W = a layer's weights (outputs, fan_in), of one group; P = its penalty.
   L1, L2       P = l1 sum |w| + l2 sum w^2       dP = l1 sign(w) + 2 l2 w
   orthogonal   P = s |W W^T - I|^2               dP = 4 s (W W^T - I) W
   They work on the panels as they lie, one panel of 16 outputs a task; its padding stays zero. */
typedef struct {
    const tnn_net   *net;
    const tnn__isa_table *k;
    const tnn__conv *q;
    float           *w, *g, *gram;
    float            l1, twice_l2;
    double           scale;             /* of W W^T - I */
    double           norm_min, norm_max, norm_rate;     /* rate 0: none of them, but w >= 0 */
} tnn__regularizer;

static tnn_status tnn__check_regularizers(const tnn_layer *o)
{
    const double max = tnn__default(o->norm_max, o->constraint == TNN_MAX_NORM ? 2 : 1);
    const double rate = tnn__default(o->norm_rate, 1);
    if (!(o->l1 >= 0) || !(o->l2 >= 0) || !(o->orthogonal >= 0)
        || o->l1 + o->l2 + o->orthogonal > 1e30)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_add: .l1 = %g, .l2 = %g, .orthogonal = %g "
                         "must be finite and not negative", o->l1, o->l2, o->orthogonal);
    if (o->constraint < TNN_UNCONSTRAINED || o->constraint > TNN_NON_NEGATIVE)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_add: no constraint %d", (int)o->constraint);
    if (!(o->norm_min >= 0) || !(max >= o->norm_min) || max > 1e30 || !(rate > 0 && rate <= 1))
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_add: .norm_min = %g must not be negative "
                         "or above .norm_max = %g, .norm_rate = %g in (0, 1]",
                         o->norm_min, max, rate);
    return TNN_OK;
}
/* The next operation with weights from the *i-th on: its options, NULL past the last. */
static const tnn_layer *tnn__next_weights(tnn_net *net, int *i, tnn__regularizer *r)
{
    for (; *i < net->ops; ++*i) {
        const tnn__op *op = &net->op[*i];
        if (op->type != TNN_CONV2D && op->type != TNN_DENSE) continue;
        memset(r, 0, sizeof *r);
        r->net = net;
        r->k = tnn__kernels();
        r->q = &op->q;
        r->w = net->flat[0] + op->w;
        r->g = net->flat[1] ? net->flat[1] + op->w : NULL;
        r->gram = net->gram;
        ++*i;
        return &net->record[op->layer].o;
    }
    return NULL;
}
static void tnn__each_panel(tnn__regularizer *r, tnn__len work, tnn__task *f)
{
    tnn__run(tnn__threads_for(r->net, work), r->q->groups*r->q->panels, f, r);
}

/* scale (W W^T - I), panels of n x n with n = 16 panels, for each group. Task: 16 of its rows. */
static tnn__len tnn__gram_floats(const tnn__conv *q)
{
    return tnn__mul(q->groups, tnn__mul(16*(tnn__len)q->panels, 16*(tnn__len)q->panels));
}
static void tnn__gram_task(void *context, int task, int worker)
{
    const tnn__regularizer *r = (const tnn__regularizer *)context;
    const tnn__conv *q = r->q;
    const int group = task/q->panels, first = task%q->panels*16, n = 16*q->panels;
    tnn__mm t;
    int i, j;
    (void)worker;
    memset(&t, 0, sizeof t);
    t.a = r->w + task*q->K*16;
    t.rs = 1; t.gs = 3; t.ks = 16;
    t.b = r->w + group*q->panels*q->K*16;
    t.bp = q->K*16; t.ldb = 16;
    t.c = r->gram + (tnn__len)group*n*n + first*16;
    t.ldc = 16; t.cp = (tnn__len)n*16;
    t.n0 = t.n1 = t.n2 = 1; t.rows = 16; t.run = (int)q->K; t.cols = n;
    r->k->mm(&t);
    for (j = 0; j < n; j++)
        for (i = 0; i < 16; i++) {
            float *c = t.c + j/16*t.cp + i*16 + j%16;
            *c = (float)(r->scale*((double)*c - (first + i == j && j < q->og)));
        }
}
/* The gradient of one panel. That of orthogonality, transposed: W^T (K, n) times the symmetric
   matrix above, (n, n). */
static void tnn__penalty_task(void *context, int task, int worker)
{
    const tnn__regularizer *r = (const tnn__regularizer *)context;
    const tnn__conv *q = r->q;
    const int group = task/q->panels, n = 16*q->panels;
    tnn__mm t;
    (void)worker;
    if (r->l1 > 0 || r->twice_l2 > 0)
        r->k->penalty(q->K*16, r->w + task*q->K*16, r->g + task*q->K*16, r->l1, r->twice_l2);
    if (!(r->scale > 0)) return;
    memset(&t, 0, sizeof t);
    t.a = r->w + group*q->panels*q->K*16;
    t.rs = 16; t.gs = 48; t.ks = 1;
    t.n2 = q->panels; t.a2 = q->K*16; t.run = 16;
    t.b = r->gram + (tnn__len)group*n*n + (tnn__len)(task%q->panels)*n*16;
    t.bp = (tnn__len)n*16; t.ldb = 16; t.b2 = 256;
    t.c = r->g + task*q->K*16;
    t.ldc = 16; t.cp = q->K*16;
    t.n0 = t.n1 = 1; t.rows = (int)q->K; t.cols = 16;
    t.start = TNN__KEEP;
    r->k->mm(&t);
}
/* Between backward and update: adds the penalties' gradients. */
static void tnn__penalize(tnn_net *net)
{
    tnn__regularizer r;
    const tnn_layer *o;
    int i;
    for (i = 0; (o = tnn__next_weights(net, &i, &r)) != NULL; ) {
        const tnn__len size = r.q->K*r.q->oc, work = size*r.q->og/8;
        if (!(o->l1 + o->l2 + o->orthogonal > 0)) continue;
        r.l1 = (float)o->l1;
        r.twice_l2 = (float)(2*o->l2);
        r.scale = 4*o->orthogonal;
        if (r.scale > 0) tnn__each_panel(&r, work, tnn__gram_task);
        tnn__each_panel(&r, r.scale > 0 ? work : size, tnn__penalty_task);
    }
}
TNN_API double (tnn_penalty)(tnn_net *net)
{
    double total = 0;
    tnn__regularizer r;
    const tnn_layer *o;
    int i;
    if ((tnn_build)(net)) return HUGE_VAL - HUGE_VAL;
    for (i = 0; (o = tnn__next_weights(net, &i, &r)) != NULL; ) {
        double sum = 0, squares = 0;
        tnn__len k;
        if (o->l1 > 0 || o->l2 > 0) {
            for (k = 0; k < tnn__weight_floats(r.q); k++) {
                const double w = (double)r.w[k];
                sum += fabs(w);
                squares += w*w;
            }
            total += o->l1*sum + o->l2*squares;
        }
        if (o->orthogonal > 0) {
            r.scale = 1;
            tnn__each_panel(&r, r.q->K*r.q->oc*r.q->og/8, tnn__gram_task);
            for (squares = 0, k = 0; k < tnn__gram_floats(r.q); k++)
                squares += (double)r.gram[k]*(double)r.gram[k];
            total += o->orthogonal*squares;
        }
    }
    return total;
}

static void tnn__constraint_task(void *context, int task, int worker)
{
    const tnn__regularizer *r = (const tnn__regularizer *)context;
    float *w = r->w + task*r->q->K*16, norms[16], factors[16];
    int j, any = 0;
    (void)worker;
    if (!(r->norm_rate > 0)) {
        r->k->act(r->q->K*16, w, w, 0);
        return;
    }
    r->k->colsquares(r->q->K, w, norms);
    for (j = 0; j < 16; j++) {
        const double n = sqrt((double)norms[j]);
        const double bound = n > r->norm_max ? r->norm_max : n < r->norm_min ? r->norm_min : n;
        const int outside = bound < n || bound > n;
        factors[j] = outside ? (float)((r->norm_rate*bound + (1 - r->norm_rate)*n)/(n + 1e-7)) : 1;
        any |= outside;
    }
    if (any) r->k->colscale(r->q->K, factors, w);
}
/* After the update. */
static void tnn__constrain(tnn_net *net)
{
    tnn__regularizer r;
    const tnn_layer *o;
    int i;
    for (i = 0; (o = tnn__next_weights(net, &i, &r)) != NULL; ) {
        const int unit = o->constraint == TNN_UNIT_NORM, both = o->constraint == TNN_MIN_MAX_NORM;
        if (o->constraint == TNN_UNCONSTRAINED) continue;
        r.norm_min = unit ? 1 : both ? o->norm_min : 0;
        r.norm_max = unit ? 1 : tnn__default(o->norm_max, both ? 1 : 2);
        r.norm_rate = o->constraint == TNN_NON_NEGATIVE ? 0
                    : both ? tnn__default(o->norm_rate, 1) : 1;
        tnn__each_panel(&r, r.q->K*r.q->oc, tnn__constraint_task);
    }
}

/* ==== 12. DATA ================================================================================ */
static tnn_data tnn__no_data(void)
{
    tnn_data d;
    memset(&d, 0, sizeof d);
    d.std = 1;
    return d;
}

/* An IDX header: two zero bytes, 8 (unsigned bytes), the number of dimensions, each as 4 bytes, the
   highest first. dims gets n and up to three more; returns the header's size, 0 on error. */
static size_t tnn__idx_header(const char *name, const unsigned char *p, size_t size, int least,
                              int most, int dims[4])
{
    int n, i;
    size_t header;
    uint64_t bytes = 1;
    for (i = 0; i < 4; i++) dims[i] = 1;
    if (!p || size < 4 || p[0] || p[1] || p[2] != 8 || p[3] < least || p[3] > most) {
        const int known = p && size >= 4;
        if (known && p[0] == 0x1f && p[1] == 0x8b)
            tnn__fail(TNN_ERROR_FORMAT,
                      "%s: is compressed (gzip); unpack it first: gzip -dk", name);
        else
            tnn__fail(TNN_ERROR_FORMAT,
                      "%s: is not an IDX file of bytes with %d%s dimensions "
                      "(%l bytes, starts with %d %d %d %d, should be 0 0 8 %d)",
                      name, least, most > least ? " or 4" : "", (long long)size,
                      known ? p[0] : 0, known ? p[1] : 0, known ? p[2] : 0, known ? p[3] : 0,
                      least);
        return 0;
    }
    n = p[3];
    header = 4 + 4*(size_t)n;
    if (size < header) {
        tnn__fail(TNN_ERROR_FORMAT, "%s: truncated in its header, %l bytes of %l",
                  name, (long long)size, (long long)header);
        return 0;
    }
    for (i = 0; i < n; i++) {
        const uint32_t d = (uint32_t)p[4 + 4*i] << 24 | (uint32_t)p[5 + 4*i] << 16
                         | (uint32_t)p[6 + 4*i] << 8 | p[7 + 4*i];
        if (d < 1 || d > (i ? 65535u : 0x7fffffffu)) {
            tnn__fail(TNN_ERROR_FORMAT, "%s: dimension %d is %l, at byte %d",
                      name, i, (long long)d, 4 + 4*i);
            return 0;
        }
        dims[i] = (int)d;
        bytes = bytes > (uint64_t)1 << 40 ? bytes : bytes*d;
    }
    if ((uint64_t)(size - header) != bytes) {
        tnn__fail(TNN_ERROR_FORMAT, "%s: holds %l bytes after its header, which announces %l",
                  name, (long long)(size - header), (long long)bytes);
        return 0;
    }
    return header;
}
/* A data set of its own, copied from two files in memory; the names are for messages. */
static tnn_data tnn__idx(const char *images_name, const unsigned char *images, size_t images_size,
                         const char *labels_name, const unsigned char *labels, size_t labels_size)
{
    tnn_data d = tnn__no_data();
    int dims[4], count[4], i;
    const size_t at = tnn__idx_header(images_name, images, images_size, 3, 4, dims);
    const size_t labels_at = at
        ? tnn__idx_header(labels_name, labels, labels_size, 1, 1, count) : 0;
    tnn__len bytes;
    char *p;
    if (!labels_at) return d;
    if (dims[0] != count[0]) {
        tnn__fail(TNN_ERROR_SHAPE, "%s holds %d images, %s %d labels",
                  images_name, dims[0], labels_name, count[0]);
        return d;
    }
    bytes = (tnn__len)(images_size - at);
    p = (char *)tnn__alloc(tnn__mul(dims[0], (tnn__len)sizeof(int)) + bytes, images_name);
    if (!p) return d;
    d.memory = p;
    d.n = dims[0];
    d.c = images[3] == 4 ? dims[1] : 1;
    d.h = images[3] == 4 ? dims[2] : dims[1];
    d.w = images[3] == 4 ? dims[3] : dims[2];
    d.labels = (int *)(void *)p;
    d.bytes = (unsigned char *)p + (size_t)d.n*sizeof(int);
    for (i = 0; i < d.n; i++) {
        ((int *)(void *)p)[i] = labels[labels_at + (size_t)i];
        d.classes = TNN__MAX(d.classes, labels[labels_at + (size_t)i] + 1);
    }
    memcpy(p + (size_t)d.n*sizeof(int), images + at, (size_t)bytes);
    return d;
}
TNN_API tnn_data (tnn_parse_idx)(const void *images, size_t images_size,
                                 const void *labels, size_t labels_size)
{
    return tnn__idx("images", (const unsigned char *)images, images_size,
                    "labels", (const unsigned char *)labels, labels_size);
}

#ifndef TINYNN_NO_STDIO
/* A whole file; NULL on error. */
static unsigned char *tnn__read_file(const char *path, size_t *size)
{
    FILE *f = path ? fopen(path, "rb") : NULL;
    unsigned char *p = NULL;
    long end = -1;
    if (!f) {
        tnn__fail(TNN_ERROR_IO, "%s: cannot be opened", path ? path : "(no path)");
        return NULL;
    }
    if (!fseek(f, 0, SEEK_END)) end = ftell(f);
    if (end < 0 || end > LONG_MAX/4 || fseek(f, 0, SEEK_SET))
        tnn__fail(TNN_ERROR_IO, "%s: is not a file that can be read", path);
    else if ((p = (unsigned char *)tnn__alloc_raw((tnn__len)end + 1, path)) != NULL
             && fread(p, 1, (size_t)end, f) != (size_t)end) {
        tnn__fail(TNN_ERROR_IO, "%s: cannot be read", path);
        tnn__release(p);
        p = NULL;
    }
    fclose(f);
    *size = (size_t)end;
    return p;
}
TNN_API tnn_data (tnn_load_idx)(const char *images_path, const char *labels_path)
{
    size_t images_size = 0, labels_size = 0;
    unsigned char *images = tnn__read_file(images_path, &images_size);
    unsigned char *labels = images ? tnn__read_file(labels_path, &labels_size) : NULL;
    tnn_data d = tnn__no_data();
    if (images && labels)
        d = tnn__idx(images_path, images, images_size, labels_path, labels, labels_size);
    tnn__release(images);
    tnn__release(labels);
    return d;
}
#endif

TNN_API tnn_data (tnn_data_view)(const unsigned char *bytes, const float *floats, const int *labels,
                                 int n, int c, int h, int w)
{
    tnn_data d = tnn__no_data();
    int i;
    if (!tnn__count(n, c, h, w) || !labels || !bytes == !floats) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_data_view: needs positive n, c, h, w (%d, %d, %d, %d), "
                  "labels, and either bytes or floats", n, c, h, w);
        return d;
    }
    for (i = 0; i < n; i++) {
        if (labels[i] < 0 || labels[i] > 1 << 24) {
            tnn__fail(TNN_ERROR_ARGUMENT, "tnn_data_view: label %d of sample %d", labels[i], i);
            return d;
        }
        d.classes = TNN__MAX(d.classes, labels[i] + 1);
    }
    d.n = n; d.c = c; d.h = h; d.w = w;
    d.bytes = bytes; d.floats = floats; d.labels = labels;
    return d;
}
TNN_API void tnn_data_free(tnn_data *data)
{
    if (!data) return;
    tnn__release(data->memory);
    *data = tnn__no_data();
}
TNN_API tnn_status (tnn_normalize)(tnn_data *data, float mean, float std)
{
    if (!data || !(mean - mean >= 0) || !(std > 0) || std > 1e30f)
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_normalize: mean %g must be finite, std %g positive",
                         (double)mean, (double)std);
    data->mean = mean;
    data->std = std;
    return TNN_OK;
}

/* A data set of `count` samples of another: those listed in `order`, or first, first + 1, ... if
   it is NULL. */
static tnn_data tnn__select(const tnn_data *data, const int *order, int first, int count)
{
    tnn_data d = *data;
    int i, *index = (int *)tnn__alloc(tnn__mul(count, (tnn__len)sizeof(int)), "subset");
    if (!index) return tnn__no_data();
    for (i = 0; i < count; i++) {
        const int at = order ? order[i] : first + i;
        index[i] = data->index ? data->index[at] : at;
    }
    d.memory = index;
    d.index = index;
    d.n = count;
    return d;
}
TNN_API tnn_data (tnn_subset)(const tnn_data *data, int first, int count)
{
    if (data && first >= 0 && count >= 1 && first <= data->n - count)
        return tnn__select(data, NULL, first, count);
    tnn__fail(TNN_ERROR_ARGUMENT, "tnn_subset: %d samples from %d on, of %d",
              count, first, data ? data->n : 0);
    return tnn__no_data();
}
TNN_API tnn_status (tnn_split)(const tnn_data *data, int count, uint64_t seed,
                               tnn_data *a, tnn_data *b)
{
    int i, *order;
    if (!data || !a || !b || count < 1 || count >= data->n)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_split: %d samples for the first part, of %d",
                         count, data ? data->n : 0);
    order = (int *)tnn__alloc(tnn__mul(data->n, (tnn__len)sizeof(int)), "tnn_split");
    if (!order) return TNN_ERROR_MEMORY;
    for (i = 0; i < data->n; i++) order[i] = i;
    tnn_shuffle(order, data->n, seed, 0);
    *a = tnn__select(data, order, 0, count);
    *b = tnn__select(data, order + count, 0, data->n - count);
    tnn__release(order);
    if (a->n && b->n) return TNN_OK;
    tnn_data_free(a);
    tnn_data_free(b);
    return TNN_ERROR_MEMORY;
}

/* The 256 floats that bytes stand for. */
static void tnn__byte_values(const tnn_data *d, float table[256])
{
    int i;
    for (i = 0; i < 256; i++) table[i] = ((float)i/255.0f - d->mean)/d->std;
}
static void tnn__sample(const tnn_data *d, int i, const float table[256], float *x)
{
    const tnn__len size = (tnn__len)d->c*d->h*d->w;
    const tnn__len at = (tnn__len)(d->index ? d->index[i] : i)*size;
    tnn__len k;
    if (d->bytes)
        for (k = 0; k < size; k++) x[k] = table[d->bytes[at + k]];
    else if (d->mean < 0 || d->mean > 0 || d->std < 1 || d->std > 1)
        for (k = 0; k < size; k++) x[k] = (d->floats[at + k] - d->mean)/d->std;
    else memcpy(x, d->floats + at, (size_t)size*sizeof *x);
}
static int tnn__label(const tnn_data *d, int i) { return d->labels[d->index ? d->index[i] : i]; }
TNN_API tnn_status (tnn_sample)(const tnn_data *data, int i, float *x)
{
    float table[256];
    if (!data || !x || i < 0 || i >= data->n)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_sample: sample %d of %d",
                         i, data ? data->n : 0);
    tnn__byte_values(data, table);
    tnn__sample(data, i, table, x);
    return TNN_OK;
}

/* ---- 12b. Augmentation ------------------------------------------------------------------------
   Sample i draws words 64 i + k of its epoch's stream, k named here; Beta variates draw from a
   stream of their own. */
enum {
    TNN__DRAW_FLIP_X, TNN__DRAW_FLIP_Y, TNN__DRAW_ROTATE, TNN__DRAW_SHEAR, TNN__DRAW_SCALE,
    TNN__DRAW_SHIFT_X, TNN__DRAW_SHIFT_Y, TNN__DRAW_CROP_X, TNN__DRAW_CROP_Y,
    TNN__DRAW_COLOUR,                           /* brightness, contrast, saturation, hue */
    TNN__DRAW_ORDER = TNN__DRAW_COLOUR + 4,     /* of those: three */
    TNN__DRAW_CUTOUT_X = TNN__DRAW_ORDER + 3, TNN__DRAW_CUTOUT_Y,
    TNN__DRAW_MIX, TNN__DRAW_MIX_KIND, TNN__DRAW_OTHER, TNN__DRAW_BOX_X, TNN__DRAW_BOX_Y,
    TNN__DRAW_ERASE, TNN__DRAW_RECTANGLE        /* ten times four: area, ratio, row, column */
};
typedef struct { uint64_t seed, epoch, sample; } tnn__draws;
static double tnn__draw(const tnn__draws *d, int k)                     /* in [0, 1) */
{
    return tnn_random_bits(d->seed, ((uint64_t)3 << 61) + d->epoch, 64*d->sample + (uint64_t)k)
           /4294967296.0;
}
static double tnn__draw_from(const tnn__draws *d, int k, double lo, double hi)
{
    return lo + (hi - lo)*tnn__draw(d, k);
}
static int tnn__floor(double x)
{
    const int i = (int)x;
    return i > x ? i - 1 : i;
}

/* The logarithm of a Gamma(a, 1) variate (Marsaglia and Tsang 2000; for a < 1 that of a + 1, times
   U^(1/a)). Attempt t has block first + t: a normal variate and two uniform ones. */
static double tnn__log_gamma_variate(const tnn__draws *d, uint64_t first, double a)
{
    const uint64_t stream = ((uint64_t)7 << 60) + d->epoch;
    const double b = (a < 1 ? a + 1 : a) - 1.0/3, c = 1/sqrt(9*b);
    for (;; first++) {
        const double x = (double)tnn_random_normal(d->seed, stream, first), y = 1 + c*x;
        const double v = y*y*y;
        const double u = tnn__log_double((tnn_random_bits(d->seed, stream, 4*first + 2) + 0.5)
                                         /4294967296.0);
        if (!(y > 0) || !(u < 0.5*x*x + b - b*v + b*tnn__log_double(v))) continue;
        return tnn__log_double(b*v)
             + (a < 1 ? tnn__log_double((tnn_random_bits(d->seed, stream, 4*first + 3) + 0.5)
                                        /4294967296.0)/a : 0);
    }
}
static double tnn__beta_variate(const tnn__draws *d, double alpha)      /* Beta(alpha, alpha) */
{
    const double g = tnn__log_gamma_variate(d, d->sample << 20, alpha);
    return 1/(1 + tnn__exp_double(tnn__log_gamma_variate(d, (d->sample << 20) + (1u << 19), alpha)
                                  - g));
}

/* The pixel that stands at i of 0..n-1, -1: none. */
static int tnn__border(int i, int n, tnn_border border)
{
    const int period = TNN__MAX(1, 2*(n - 1));
    if (i >= 0 && i < n) return i;
    if (border == TNN_BORDER_FILL) return -1;
    if (border == TNN_BORDER_EDGE) return i < 0 ? 0 : n - 1;
    i = (i%period + period)%period;
    return TNN__MIN(i, period - i)%n;
}

/* Pixel p of the result is taken from  m + A^-1 (p - m - t),  m the middle, t the shift and
       A = rotation * [1 -tan u; 0 1] * scale * mirrors.
   Values at whole pixels come out as they are. */
static void tnn__transform(const tnn_data *data, const tnn_loader_options *o, const tnn__draws *d,
                           const unsigned char *bytes, const float *floats, float *x)
{
    const int h = data->h, w = data->w;
    const tnn__len area = (tnn__len)h*w;
    const double mx = 0.5*(w - 1), my = 0.5*(h - 1), fill = o->fill;
    const double turn = tnn__draw_from(d, TNN__DRAW_ROTATE, -o->rotate, o->rotate)/360;
    const double lean = tnn__draw_from(d, TNN__DRAW_SHEAR, -o->shear, o->shear)/360;
    const double scale = tnn__draw_from(d, TNN__DRAW_SCALE, o->scale_min, o->scale_max);
    const double c = tnn__cos_turn(fabs(turn));
    const double s = tnn__cos_turn(turn < 0.25 ? turn + 0.75 : turn - 0.25);
    const double slant = tnn__cos_turn(lean + 0.75)/tnn__cos_turn(fabs(lean));
    const double mirror_x = tnn__draw(d, TNN__DRAW_FLIP_X) < o->flip ? -scale : scale;
    const double mirror_y = tnn__draw(d, TNN__DRAW_FLIP_Y) < o->flip_vertical ? -scale : scale;
    const double xx = (c - slant*s)/mirror_x, xy = (s + slant*c)/mirror_x;
    const double yx = -s/mirror_y,          yy = c/mirror_y;
    const double tx = tnn__floor(tnn__draw_from(d, TNN__DRAW_SHIFT_X, -o->shift, o->shift)*w + 0.5)
                    + tnn__floor(tnn__draw(d, TNN__DRAW_CROP_X)*(2*o->crop_pad + 1)) - o->crop_pad;
    const double ty = tnn__floor(tnn__draw_from(d, TNN__DRAW_SHIFT_Y, -o->shift, o->shift)*h + 0.5)
                    + tnn__floor(tnn__draw(d, TNN__DRAW_CROP_Y)*(2*o->crop_pad + 1)) - o->crop_pad;
    int i, j, k, channel;
    for (i = 0; i < h; i++)
        for (j = 0; j < w; j++, x++) {
            const double px = j - mx - tx, py = i - my - ty;
            const double sx = mx + (xx*px + xy*py), sy = my + (yx*px + yy*py);
            const int x0 = tnn__floor(sx), y0 = tnn__floor(sy);
            const double fx = sx - x0, fy = sy - y0;
            const int taps = fx > 0 || fy > 0 ? 4 : 1;
            tnn__len at[4];
            for (k = 0; k < taps; k++) {
                const int from_x = tnn__border(x0 + k%2, w, o->border);
                const int from_y = tnn__border(y0 + k/2, h, o->border);
                at[k] = from_x < 0 || from_y < 0 ? -1 : (tnn__len)from_y*w + from_x;
            }
            for (channel = 0; channel < data->c; channel++) {
                double v[4];
                for (k = 0; k < taps; k++) {
                    const tnn__len from = channel*area + at[k];
                    v[k] = at[k] < 0 ? fill : bytes ? (double)((float)bytes[from]/255.0f)
                                                    : (double)floats[from];
                }
                if (taps == 4) {
                    v[0] += fx*(v[1] - v[0]);
                    v[2] += fx*(v[3] - v[2]);
                    v[0] += fy*(v[2] - v[0]);
                }
                x[channel*area] = (float)v[0];
            }
        }
}

static double tnn__grey(const float *x, int channels, tnn__len area)
{
    double sum = 0;
    int c;
    if (channels == 3)
        return 0.2989*(double)x[0] + 0.587*(double)x[area] + 0.114*(double)x[2*area];
    for (c = 0; c < channels; c++) sum += (double)x[c*area];
    return sum/channels;
}
/* Colour of n pixels. With value V = max and chroma C = max - min the hue H, in sixths of the
   circle, gives  channel = V - C max(0, min(k, 4 - k, 1)),  k = (5, 3, 1 for r, g, b) + H modulo 6.
   */
static void tnn__colour(const tnn_loader_options *o, const tnn__draws *d, int channels, tnn__len n,
                        float *x)
{
    const double strength[4] = { o->brightness, o->contrast, o->saturation, o->hue };
    int order[4] = { 0, 1, 2, 3 }, i, c;
    tnn__len p;
    for (i = 3; i > 0; i--) {
        const int j = tnn__floor(tnn__draw(d, TNN__DRAW_ORDER + i - 1)*(i + 1)), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (i = 0; i < 4; i++) {
        const int kind = order[i];
        const double a = strength[kind];
        const double f = tnn__draw_from(d, TNN__DRAW_COLOUR + kind,
                                        kind == 3 ? -6*a : TNN__MAX(0, 1 - a),
                                        kind == 3 ? 6*a : 1 + a);
        double mean = 0;
        if (!(a > 0)) continue;
        for (p = 0; kind == 1 && p < n; p++) mean += tnn__grey(x + p, channels, n)/(double)n;
        for (p = 0; kind < 3 && p < n; p++) {
            const double b = kind == 2 ? tnn__grey(x + p, channels, n) : mean;
            for (c = 0; c < channels; c++) {
                const double v = f*(double)x[c*n + p] + (1 - f)*b;
                x[c*n + p] = (float)(v < 0 ? 0 : v > 1 ? 1 : v);
            }
        }
        for (p = 0; kind == 3 && p < n; p++) {
            const double r = (double)x[p], g = (double)x[n + p], b = (double)x[2*n + p];
            const double most = TNN__MAX(r, TNN__MAX(g, b)), least = TNN__MIN(r, TNN__MIN(g, b));
            const double chroma = most - least;
            const double hue = !(chroma > 0) ? 0 : r >= most ? (g - b)/chroma
                             : g >= most ? 2 + (b - r)/chroma : 4 + (r - g)/chroma;
            for (c = 0; c < 3; c++) {
                double k = 5 - 2*c + hue + f;
                k -= 6*tnn__floor(k/6);
                k = TNN__MIN(1, TNN__MIN(k, 4 - k));
                x[c*n + p] = (float)(most - chroma*TNN__MAX(0, k));
            }
        }
    }
}

/* Of 0..n-1 what `size` pixels about the u-th part of it leave inside. */
typedef struct { int lo, hi; } tnn__part;
static tnn__part tnn__part_of(int n, double u, int size)
{
    const int first = tnn__floor(u*n) - size/2;
    tnn__part p;
    p.lo = TNN__MAX(0, first);
    p.hi = TNN__MIN(n, first + size);
    return p;
}
/* In that part of each channel x becomes y, or 0 where y is NULL. */
static void tnn__paste(const tnn_data *data, float *x, const float *y, tnn__part rows,
                       tnn__part cols)
{
    int c, i, j;
    for (c = 0; c < data->c; c++)
        for (i = rows.lo; i < rows.hi; i++)
            for (j = cols.lo; j < cols.hi; j++) {
                const tnn__len at = ((tnn__len)c*data->h + i)*data->w + j;
                x[at] = y ? y[at] : 0;
            }
}
static void tnn__erase(const tnn_data *data, const tnn_loader_options *o, const tnn__draws *d,
                       float *x)
{
    const double log_ratio = tnn__log_double(o->erase_ratio);
    int attempt;
    if (o->cutout)
        tnn__paste(data, x, NULL,
                   tnn__part_of(data->h, tnn__draw(d, TNN__DRAW_CUTOUT_Y), o->cutout),
                   tnn__part_of(data->w, tnn__draw(d, TNN__DRAW_CUTOUT_X), o->cutout));
    if (!(tnn__draw(d, TNN__DRAW_ERASE) < o->erase)) return;
    for (attempt = 0; attempt < 10; attempt++) {
        const int k = TNN__DRAW_RECTANGLE + 4*attempt;
        const double area = tnn__draw_from(d, k, o->erase_min, o->erase_max)*data->h*data->w;
        const double ratio = tnn__exp_double(tnn__draw_from(d, k + 1, -log_ratio, log_ratio));
        const int h = tnn__floor(sqrt(area/ratio) + 0.5), w = tnn__floor(sqrt(area*ratio) + 0.5);
        tnn__part rows, cols;
        if (h >= data->h || w >= data->w) continue;
        rows.lo = tnn__floor(tnn__draw(d, k + 2)*(data->h - h + 1));
        cols.lo = tnn__floor(tnn__draw(d, k + 3)*(data->w - w + 1));
        rows.hi = rows.lo + h;
        cols.hi = cols.lo + w;
        tnn__paste(data, x, NULL, rows, cols);
        return;
    }
}

/* ---- 12c. Batches ---------------------------------------------------------------------------- */
struct tnn__loader {
    tnn_data           data;
    tnn_loader_options options;
    int                between, *order;     /* between two epochs */
    float              table[256];
    int                geometry, colour, erasing, mixing, threads;
    float             *spare;               /* of each thread: the sample that is mixed in */
};

/* Fills in defaults of the augmentation's options and refuses what is out of range. */
static tnn_status tnn__check_augmentation(tnn_loader_options *o)
{
    const int side = 1 << 16;
    struct { const char *name; double value, least, most; } limits[32], *l = limits;
    o->scale_min = tnn__default(o->scale_min, 1);
    o->scale_max = tnn__default(o->scale_max, 1);
    o->erase_min = tnn__default(o->erase_min, 0.02);
    o->erase_max = tnn__default(o->erase_max, 0.33);
    o->erase_ratio = tnn__default(o->erase_ratio, 3.3);
    o->mix = tnn__default(o->mix, 1);
#define LIMIT(option, from, to) \
    (l->name = #option, l->value = (double)o->option, l->least = from, l->most = to, l++)
    LIMIT(flip, 0, 1);          LIMIT(flip_vertical, 0, 1);
    LIMIT(rotate, 0, 180);      LIMIT(shear, 0, 80);
    LIMIT(scale_max, 0.01, 100); LIMIT(scale_min, 0.01, o->scale_max);
    LIMIT(shift, 0, 1);         LIMIT(crop_pad, 0, side);
    LIMIT(border, TNN_BORDER_FILL, TNN_BORDER_REFLECT);
    LIMIT(fill, -1e30, 1e30);
    LIMIT(brightness, 0, 1e6);  LIMIT(contrast, 0, 1e6);
    LIMIT(saturation, 0, 1e6);  LIMIT(hue, 0, 0.5);
    LIMIT(cutout, 0, side);     LIMIT(erase, 0, 1);
    LIMIT(erase_max, 0, 1);     LIMIT(erase_min, 0, o->erase_max);
    LIMIT(erase_ratio, 1, 1e6);
    LIMIT(mixup, 0, 1e6);       LIMIT(cutmix, 0, 1e6);
    LIMIT(mix, 0, 1);
#undef LIMIT
    l->name = NULL;
    for (l = limits; l->name; l++)
        if (!(l->value >= l->least && l->value <= l->most))
            return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_loader_create: .%s = %g must be in [%g, %g]",
                             l->name, l->value, l->least, l->most);
    return TNN_OK;
}
TNN_API tnn_loader *(tnn_loader_open)(const tnn_data *data, const tnn_loader_options *options)
{
    tnn_loader_options o;
    tnn_loader *l;
    struct tnn__loader *s, on;
    tnn__len size, floats;
    int i;
    if (tnn_failed()) return NULL;
    if (!data || !options || data->n < 1) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_loader_create: no data or no options");
        return NULL;
    }
    o = *options;
    if (!o.batch) o.batch = 64;
    if (o.batch < 1) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_loader_create: .batch = %d must be at least 1", o.batch);
        return NULL;
    }
    if (o.drop_last && o.batch > data->n) {
        tnn__fail(TNN_ERROR_ARGUMENT,
                  "tnn_loader_create: .drop_last drops everything: %d samples in batches of %d",
                  data->n, o.batch);
        return NULL;
    }
    if (tnn__check_augmentation(&o)) return NULL;
    o.batch = TNN__MIN(o.batch, data->n);
    size = (tnn__len)data->c*data->h*data->w;
    memset(&on, 0, sizeof on);
    on.geometry = o.flip + o.flip_vertical + o.rotate + o.shear + o.shift > 0 || o.crop_pad
                  || o.scale_min < 1 || o.scale_max > 1;
    on.colour = o.brightness + o.contrast + o.saturation + o.hue > 0;
    on.erasing = o.cutout || o.erase > 0;
    on.mixing = o.mixup + o.cutmix > 0;
    on.threads = on.geometry || on.colour || on.erasing || on.mixing ? tnn_threads() : 1;
    if (data->c != 3 && o.saturation + o.hue > 0) {
        tnn__fail(TNN_ERROR_SHAPE, "tnn_loader_create: .saturation and .hue need 3 channels, "
                  "the data have %d", data->c);
        return NULL;
    }
    if ((on.geometry || on.erasing || on.mixing) && (data->h > 1 << 16 || data->w > 1 << 16)) {
        tnn__fail(TNN_ERROR_SHAPE, "tnn_loader_create: augmentation of images of %dx%d, "
                  "at most %dx%d", data->h, data->w, 1 << 16, 1 << 16);
        return NULL;
    }
    for (i = 0; on.mixing && i < data->n; i++)
        if (tnn__label(data, i) < 0 || tnn__label(data, i) >= data->classes) {
            tnn__fail(TNN_ERROR_ARGUMENT, "tnn_loader_create: label %d of sample %d, "
                      "the data have %d classes", tnn__label(data, i), i, data->classes);
            return NULL;
        }
    /* the loader, its state, the batch, its targets, the spare samples, the labels, the order: one
       piece */
    floats = tnn__mul(o.batch, size);
    if (on.mixing)
        floats += tnn__mul(o.batch, data->classes) + tnn__mul(on.threads, size);
    l = (tnn_loader *)tnn__alloc(
        (tnn__len)(sizeof *l + sizeof *s)
        + tnn__mul(floats + o.batch + data->n + 2*TNN__ALIGN, 4), "tnn_loader_create");
    if (!l) return NULL;
    s = (struct tnn__loader *)(void *)(l + 1);
    *s = on;
    l->state = s;
    l->x = (float *)(void *)((char *)(s + 1)
                             + (TNN__ALIGN - (uintptr_t)(s + 1)%TNN__ALIGN)%TNN__ALIGN);
    if (on.mixing) {
        s->spare = l->x + o.batch*size;
        l->targets = s->spare + on.threads*size;
    }
    l->labels = (int *)(void *)(l->x + floats);
    s->order = l->labels + o.batch;
    l->batches = o.drop_last ? data->n/o.batch : (data->n + o.batch - 1)/o.batch;
    l->epoch = -1;
    s->data = *data;
    s->options = o;
    s->between = 1;
    tnn__byte_values(data, s->table);
    return l;
}
/* Sample i of the epoch, without what is mixed in. */
static void tnn__load_sample(const tnn_loader *l, const tnn__draws *d, float *x)
{
    const struct tnn__loader *s = l->state;
    const tnn_data *data = &s->data;
    const int i = (int)d->sample;
    const tnn__len size = (tnn__len)data->c*data->h*data->w;
    const tnn__len at = (data->index ? data->index[i] : i)*size;
    const unsigned char *bytes = data->bytes ? data->bytes + at : NULL;
    const float *floats = data->bytes ? NULL : data->floats + at;
    tnn__len k;
    if (s->geometry || s->colour) {
        if (s->geometry) tnn__transform(data, &s->options, d, bytes, floats, x);
        else
            for (k = 0; k < size; k++) x[k] = bytes ? (float)bytes[k]/255.0f : floats[k];
        if (s->colour) tnn__colour(&s->options, d, data->c, (tnn__len)data->h*data->w, x);
        for (k = 0; k < size; k++) x[k] = (x[k] - data->mean)/data->std;
    } else tnn__sample(data, i, s->table, x);
    if (s->erasing) tnn__erase(data, &s->options, d, x);
}
static void tnn__load_task(void *context, int task, int worker)
{
    tnn_loader *l = (tnn_loader *)context;
    struct tnn__loader *s = l->state;
    const tnn_loader_options *o = &s->options;
    const tnn_data *data = &s->data;
    const tnn__len size = (tnn__len)data->c*data->h*data->w;
    float *x = l->x + task*size, *y, *target;
    double lambda;
    int cut;
    tnn__len k;
    tnn__draws d, other;
    d.seed = o->seed;
    d.epoch = (uint64_t)l->epoch;
    d.sample = (uint64_t)s->order[l->batch_index*o->batch + task];
    tnn__load_sample(l, &d, x);
    l->labels[task] = tnn__label(data, (int)d.sample);
    if (!s->mixing) return;
    target = l->targets + (tnn__len)task*data->classes;
    memset(target, 0, (size_t)data->classes*sizeof *target);
    target[l->labels[task]] = 1;
    if (!(tnn__draw(&d, TNN__DRAW_MIX) < o->mix)) return;
    y = s->spare + worker*size;
    other = d;
    other.sample = (uint64_t)tnn__floor(tnn__draw(&d, TNN__DRAW_OTHER)*data->n);
    tnn__load_sample(l, &other, y);
    cut = o->cutmix > 0 && (!(o->mixup > 0) || tnn__draw(&d, TNN__DRAW_MIX_KIND) < 0.5);
    lambda = tnn__beta_variate(&d, TNN__MAX(cut ? o->cutmix : o->mixup, 1e-6));
    if (!cut)
        for (k = 0; k < size; k++)
            x[k] = (float)(lambda*(double)x[k] + (1 - lambda)*(double)y[k]);
    else {
        const double side = sqrt(1 - lambda);
        const tnn__part rows = tnn__part_of(data->h, tnn__draw(&d, TNN__DRAW_BOX_Y),
                                            tnn__floor(side*data->h));
        const tnn__part cols = tnn__part_of(data->w, tnn__draw(&d, TNN__DRAW_BOX_X),
                                            tnn__floor(side*data->w));
        tnn__paste(data, x, y, rows, cols);
        lambda = 1 - (double)(rows.hi - rows.lo)*(cols.hi - cols.lo)/data->h/data->w;
    }
    target[l->labels[task]] = (float)lambda;
    target[tnn__label(data, (int)other.sample)] += (float)(1 - lambda);
}
TNN_API int (tnn_next)(tnn_loader *l)
{
    struct tnn__loader *s;
    int i, n;
    if (tnn_failed() || !l) return 0;
    s = l->state;
    n = s->data.n;
    l->n = 0;
    if (s->between) {               /* begin an epoch */
        s->between = 0;
        l->epoch++;
        l->batch_index = -1;
        for (i = 0; i < n; i++) s->order[i] = i;
        if (s->options.shuffle)
            tnn_shuffle(s->order, n, s->options.seed, ((uint64_t)1 << 62) + (uint64_t)l->epoch);
    }
    if (++l->batch_index >= l->batches) {
        s->between = 1;
        return 0;
    }
    l->n = TNN__MIN(s->options.batch, n - l->batch_index*s->options.batch);
    tnn__run(s->threads, l->n, tnn__load_task, l);
    return l->n;
}
TNN_API void tnn_loader_free(tnn_loader *loader) { tnn__release(loader); }

/* ==== 13. TRAINING AND METRICS ================================================================ */
static tnn_metrics tnn__no_metrics(void)
{
    tnn_metrics m;
    memset(&m, 0, sizeof m);
    m.loss = HUGE_VAL - HUGE_VAL;
    return m;
}

TNN_API tnn_metrics (tnn_confusion)(tnn_net *net, const tnn_data *data, int *counts)
{
    tnn_metrics m = tnn__no_metrics();
    float table[256], *x;
    int *labels, i, s, c, shape[3], classes = (tnn_output_shape)(net, shape), batch;
    double loss = 0, weight = 0;
    tnn__len size;
    if (!classes) return m;
    if (!data || data->n < 1) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_evaluate: no data");
        return m;
    }
    size = (tnn__len)data->c*data->h*data->w;
    if (size != (tnn__len)net->options.input[0]*net->options.input[1]*net->options.input[2]) {
        tnn__fail(TNN_ERROR_SHAPE, "tnn_evaluate: samples of %dx%dx%d for a network of %dx%dx%d",
                  data->c, data->h, data->w,
                  net->options.input[0], net->options.input[1], net->options.input[2]);
        return m;
    }
    batch = TNN__MIN(net->options.batch, data->n);
    x = tnn__workspace(tnn__mul(batch, size + 1), "tnn_evaluate");
    if (!x) return m;
    labels = (int *)(void *)(x + batch*size);
    if (counts) memset(counts, 0, (size_t)classes*(size_t)classes*sizeof *counts);
    tnn__byte_values(data, table);
    m.loss = 0;
    for (i = 0; i < data->n && !tnn_failed(); i += batch) {
        const int n = TNN__MIN(batch, data->n - i);
        for (s = 0; s < n; s++) {
            tnn__sample(data, i + s, table, x + s*size);
            labels[s] = tnn__label(data, i + s);
        }
        if ((tnn_forward)(net, x, n, TNN_EVAL)) break;
        loss = (tnn_loss)(net, labels);
        if (tnn_failed()) break;
        m.loss += loss*net->weight;         /* the labels' class weights; else the samples */
        weight += net->weight;
        m.correct += net->correct;
        m.n += n;
        if (counts) {
            const tnn__blob *b = &net->blob[net->ops];
            for (s = 0; s < n; s++) {
                const float *y = tnn__sample_data(b, s);
                int best = 0;
                for (c = 1; c < classes; c++)
                    if (y[tnn__place_of(b, c)] > y[tnn__place_of(b, best)]) best = c;
                counts[labels[s]*classes + best]++;
            }
        }
    }
    tnn__release(x);
    net->stage = TNN__NOTHING;
    if (tnn_failed()) return tnn__no_metrics();
    m.loss /= weight;
    m.accuracy = (double)m.correct/m.n;
    return m;
}
TNN_API tnn_metrics (tnn_evaluate)(tnn_net *net, const tnn_data *data)
{
    return (tnn_confusion)(net, data, NULL);
}

TNN_API tnn_metrics (tnn_train_epoch)(tnn_net *net, tnn_loader *loader)
{
    tnn_metrics m = tnn__no_metrics();
    double loss = 0;
    int batches = 0;
    while ((tnn_next)(loader)) {
        double l = HUGE_VAL - HUGE_VAL;
        if (!loader->targets)
            l = (tnn_train_batch)(net, loader->x, loader->labels, loader->n);
#ifdef tnn_loss_targets
        else if (!(tnn_forward)(net, loader->x, loader->n, TNN_TRAIN)) {
            l = (tnn_loss_targets)(net, loader->targets);
            (tnn_backward)(net);
            (tnn_step)(net);
        }
#endif
        if (tnn_failed()) break;
        loss += l;
        m.n += loader->n;
        m.correct += net->correct;
        batches++;
    }
    if (tnn_failed() || !batches) return tnn__no_metrics();
    m.loss = loss/batches;
    m.accuracy = (double)m.correct/m.n;
    return m;
}

TNN_API double (tnn_gradient_check)(tnn_net *net, const float *x, const int *labels, int n,
                                    int samples)
{
    const double nan = HUGE_VAL - HUGE_VAL;
    double worst = 0, largest = 0;
    const tnn__op *op;
    int i, k, bias, tensors;
    uint64_t draws;
    if ((tnn_forward)(net, x, n, TNN_TRAIN)) return nan;
    draws = net->draws;                 /* every forward below draws the same dropout */
    (tnn_loss)(net, labels);
    (tnn_backward)(net);
    if (tnn_failed()) return nan;
    for (i = 0; i < net->params; i++) largest = TNN__MAX(largest, fabs((double)net->flat[1][i]));
    tensors = (tnn_param_count)(net);
    if (!tensors) return 0;             /* nothing can be wrong */
    for (k = 0; k < samples; k++) {
        tnn__len count, at;
        float *w, old;
        double g, error = HUGE_VAL;
        int step;
        op = tnn__find_param(net, k%tensors, &bias);
        count = bias ? op->q.oc : op->q.K*op->q.oc;
        at = (tnn__len)(tnn_random_bits(1, 1, (uint64_t)k)%(uint64_t)count);
        w = tnn__param_at(op, bias, net->flat[0], at);
        g = (double)*tnn__param_at(op, bias, net->flat[1], at);
        old = *w;
        /* a kink within a long step, rounding in a short one: the best counts */
        for (step = 0; step < 4; step++) {
            const float h = step == 0 ? 1e-2f : step == 1 ? 3e-3f : step == 2 ? 1e-3f : 3e-4f;
            double loss[2], at_w[2], numeric;
            int side;
            for (side = 0; side < 2; side++) {
                *w = side ? old - h : old + h;
                at_w[side] = (double)*w;
                net->draws = draws - 1;
                (tnn_forward)(net, x, n, TNN_TRAIN);
                loss[side] = (tnn_loss)(net, labels);
            }
            *w = old;
            numeric = (loss[0] - loss[1])/(at_w[0] - at_w[1]);
            error = TNN__MIN(error, fabs(numeric - g)
                                    /TNN__MAX(TNN__MAX(0.1*largest, fabs(g)),
                                              TNN__MAX(fabs(numeric), 1e-30)));
        }
        worst = TNN__MAX(worst, error);
    }
    net->stage = TNN__NOTHING;
    return tnn_failed() ? nan : worst;
}

#if defined(__clang__)
    #pragma STDC FP_CONTRACT DEFAULT
#elif defined(__GNUC__)
    #pragma GCC diagnostic pop
    #pragma GCC pop_options
#endif
#endif /* !TNN__PASS */
#endif /* TINYNN_IMPLEMENTATION */

/* ==== 16. LICENCE ==============================================================================
tinynn.h and everything around it is available under two licences. Choose the one you prefer.

------------------------------------------------------------------------------------------------
ALTERNATIVE A - MIT License

Copyright (c) 2026 the authors of tinynn.h

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

------------------------------------------------------------------------------------------------
ALTERNATIVE B - Public Domain (www.unlicense.org)

This is free and unencumbered software released into the public domain.

Anyone is free to copy, modify, publish, use, compile, sell, or distribute this software, either in
source code form or as a compiled binary, for any purpose, commercial or non-commercial, and by any
means.

In jurisdictions that recognize copyright laws, the author or authors of this software dedicate any
and all copyright interest in the software to the public domain. We make this dedication for the
benefit of the public at large and to the detriment of our heirs and successors. We intend this
dedication to be an overt act of relinquishment in perpetuity of all present and future rights to
this software under copyright law.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY,
WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
*/
