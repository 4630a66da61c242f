/* tinynn.h - v0.2.0 - neural networks in C - MIT licence or public domain (see the end)

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
           tnn_log_to_stderr();                                // errors, as they happen
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
           tnn_loader_free(batches);
           tnn_free(net);
           tnn_data_free(&train);
           tnn_data_free(&test);
           return tnn_failed();                                // the first error's number, or 0
       }

   CONTENTS  (search for "==== ")

        1  Public API            the manual: every declaration says shapes, defaults, errors, source
        2  Foundations           portability, errors, memory, random numbers, threads
        3  Kernels               one text, read once per instruction set
        4  Instantiation         and the choice at run time
        5  Tensors               shapes, convolution, matrix product, pooling, softmax
        6  Layers                shape, forward and backward of each
        7  Parameters            tensors with names, and their initial weights
        8  Losses
        9  Regularizers          penalties and constraints of the weights
       10  Optimizers            options, rules, averages
       11  Schedules             of the learning rate, and reduction on plateaus
       12  Networks              the plan; forward, backward and step of a batch
       13  Data                  IDX files, normalisation, splits, augmentation, batches
       14  Training              metrics, early stopping, learning-rate finder, gradient check,
                                 summary
     to be skipped on first reading:
       15  Files                 arrays (.npy, CSV, PGM, PPM), weights as safetensors, checkpoints
       16  Search                of hyper-parameters: samplers, pruners, journals
       17  Networks as C
       18  The door              what is called from outside
       19  History
       20  Licence

   WHAT THERE IS  (formula, defaults and source of each stand beside its enum in section 1)

       layers        conv2d (groups, depthwise, dilation), conv_transpose2d, dense, max, average and
                     adaptive pooling, upsample, pad, flatten, reshape, identity, add, concat,
                     scale; batch, layer, group, instance and RMS norm; dropout (elements,
                     channels, alpha, Gaussian), noise, stochastic depth, DropConnect; your own
       activations   ReLU, ReLU6, leaky ReLU, PReLU, ELU, SELU, CELU, GELU, SiLU, Mish, softplus,
                     softsign, sigmoid, log sigmoid, tanh, hardtanh, hardsigmoid, hardswish,
                     softmax, log softmax, GLU
       losses        cross-entropy, NLL, multi-margin, MSE, L1, Huber, smooth L1, log-cosh, BCE, BCE
                     with logits, focal, hinge, squared hinge, hinge embedding, KL divergence,
                     Poisson and Gaussian NLL, cosine, Dice; your own
       optimizers    SGD, ASGD, Adagrad, Adadelta, RMSprop, Rprop, Adam, AMSGrad, AdamW, Adamax,
                     NAdam, RAdam, Lion, AdaBelief, Adan, AdEMAMix, Schedule-Free SGD and AdamW,
                     Sophia, LARS, LAMB, Adafactor, Muon, L-BFGS; your own. With Lookahead, EMA,
                     SWA, accumulation, clipping, factors by layer, frozen layers
       schedules     constant, step, multi-step, exponential, inverse time, linear, polynomial,
                     cosine, restarts, warm-up, WSD, one-cycle, cyclic, SWALR, sequential, chained,
                     your own; on plateaus; a learning-rate finder; early stopping
       regularizers  L1, L2, elastic net, orthogonality; max-norm, unit norm, min-max norm, w >= 0
       augmentation  flips, shift, crop, rotation, scale, shear, colours, cutout, erasing, mixup,
                     cutmix
       initial       torch.nn.init's, Keras' variance scaling
       files         IDX, .npy, CSV, PGM, PPM, safetensors (PyTorch's weights by name, all or some
                     of them), checkpoints from which a run goes on to the same bits; networks as C
       search        TPE, random, grid; median pruning, successive halving; studies that are
                     interrupted, resumed, shared by processes

   OPTIONS  (macros, defined before the implementation is included)

       TINYNN_STATIC             every function is static
       TINYNN_MALLOC(context, bytes), TINYNN_FREE(context, pointer), TINYNN_CONTEXT
                                 another allocator; context is evaluated at each call
       TINYNN_NO_THREADS         no thread pool
       TINYNN_NO_STDIO           no files, environment or stderr: data and weights come from memory,
                                 studies stay there. With TINYNN_NO_THREADS, networks in the
                                 caller's .memory and TINYNN_MALLOC(context, bytes) as NULL this is
                                 for machines without an operating system: of the C library it
                                 takes memcpy, memset, memcmp, qsort, sqrt, fmaf and str* functions
       TINYNN_NO_SIMD            the scalar kernels only
       TINYNN_SCALAR             the scalar kernels beside those of the processor, to compare with
       TINYNN_NO_SEARCH          no studies (1i): a program that needs none compiles sooner
       TINYNN_NO_EXPORT          no networks as C (1j)
       TINYNN_SELF               this file's name, if it is not "tinynn.h"

   and in the environment of the program: TINYNN_ISA (one of sse2, avx2, avx512, neon, scalar),
   TINYNN_THREADS (1 to 64), TINYNN_LOG=1 (errors go to stderr). What cannot be heeded is ignored,
   and the logger told.

   NAMES  All that is declared and every macro begins with tnn_, TNN_ or TINYNN_. Macros that the
   program has already do no harm if their names are capitals (N, M1, KERNEL) or take arguments
   (min, max); others must not be a member of a public structure (n, lr) or a local name.

   WORDS  A sample is one image or vector, a batch the samples of one step, a step one update of the
   parameters, an epoch one pass over a data set. Logits are the values before softmax. Layers are
   numbered from 1 in the order of tnn_add: by .from, messages, the summary. Parameters have
   PyTorch's names, whose numbers are one less: "0.weight" is layer 1's.

   MEANING  Where nothing else is said, PyTorch 2.14's: shapes, default initialisation, rounding of
   output sizes, ties in max pooling, means over the batch, optimizer constants, the last smaller
   batch kept. Inside a network images lie channels last and weights in panels of 16 outputs; the
   functions that take and give parameters and outputs convert.

   THE SAME BITS  One program, seed and data set give the same floats with AVX2, AVX-512, NEON
   and the scalar kernels, any number of threads, any compiler and optimisation level. For this
     - a product that is added is one fused multiply-add, and no other is made;
     - each element of a matrix product is a sum of chains over k in rising order, of at most 320
       products each, cut by shape alone, that start from zero (the first from the bias) and are
       added in their order; whether a network's convolution takes Winograd's shorter way (3x3 on
       multiples of 16 channels, without .exact) is its shape's, and with more than 32,768 pairs of
       channels only if no gradient goes back through it: such a network with a loss and one
       without differ in the last bits;
     - any other sum (statistics and gradients of norms; gradients of biases, slopes, depthwise
       weights; pools, losses, softmax, reductions) is made of chains of 16 terms in the order of
       samples and pixels, added up with Kahan's compensation: its error does not grow with its
       length. Those of tensors, losses and softmax are over 16 interleaved partial sums, folded
       in one order;
     - what is summed over the batch is summed in spans of it, cut by its size alone;
     - exp, log, tanh, erf, cos are made here; from libm come only fmaf and the square roots,
       which are exact;
     - random numbers are functions of (seed, stream, index);
     - the caller's rounding mode and flush-to-zero are set to the default for each call, of the
       caller's own functions in it, too, and restored (flush-to-zero by gcc, clang and MSVC).
   Denormal numbers are what IEEE 754 makes of them everywhere, but every 64 steps those in the
   optimizers' state become 0: the means of a gradient that stays 0 end there, and would slow every
   step. SSE2 has no fused multiply-add and differs in the last bits. Where the header is compiled
   with -ffast-math, a part of it or clang's -ffp-contract=fast, it says so: then, or in its first
   error; the program's other files may be.
   Where the processor computes in more than float precision (32-bit x86 with its x87), gcc must be
   told not to, by -msse2 -mfpmath=sse.

   THREADS  One pool for the process, started at the first use that wants more than one thread.
   Different networks may be used from different threads at the same time (one has the pool, the
   others work alone); one network by one thread at a time. Errors are kept per thread. The child
   of a fork has a pool of its own. The pool's threads block all signals, and end with the process,
   when a shared library with tinynn.h in it is unloaded, or by tnn_shutdown(). On Windows such a
   library stays loaded until then. A call takes up to 48 KB of the caller's stack, training 26.

   WHAT IT DOES NOT DO  Other types than float. Graphs with several inputs, outputs or losses (a
   layer may read any earlier one). Recurrence, attention, automatic differentiation of user code.
   GPUs. More than a machine's memory.
*/

/* ==== 1. PUBLIC API =========================================================================== */
#ifndef TINYNN_H
#define TINYNN_H

#include <stddef.h>
#include <stdint.h>

#define TNN_VERSION "0.2.0"

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
   No function aborts or exits, and none prints unless it is told to (by a logger). A call that
   cannot do what it is asked changes nothing (but see tnn_step) and returns a status other than
   TNN_OK (or NULL, 0 or NaN where it returns something else). The FIRST error of each thread is
   kept as a message until tnn_clear_error(), and networks and loaders do nothing more in that
   thread until then: one check at the end suffices. An object that could not be made may be given
   to every function, which refuses it, and be freed.
   A message names the caller's line, the object, the numbers that do not fit and what would:
       train.c:22: layer 3, conv2d: kernel 5x5 does not fit its input 64x3x3 with pad 0: at most
       3x3                                                                                        */
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
/* `log` is called with each error's message as it happens, in the thread of the call that fails:
   in several at a time if several fail. What is logged just then may still go to the one before.
   NULL (the default) is silence, but with TINYNN_LOG=1 in the environment the same as
   tnn_log_to_stderr. */
TNN_API void        tnn_set_logger(void (*log)(void *user, const char *message), void *user);
#ifndef TINYNN_NO_STDIO
TNN_API void        tnn_log_to_stderr(void);      /* a logger that writes a line to stderr    */
#endif

/* ---- 1b. The machine --------------------------------------------------------------------------
   The best instruction set that cpu and operating system have is chosen at the first use; the
   environment variable TINYNN_ISA=sse2|avx2|avx512|neon|scalar, or tnn_set_isa, forces another.
   All but sse2 (which has no fused multiply-add) give the same bits. gcc and clang compile avx512
   with optimisation only. scalar is there where the processor has none of the others, or with
   TINYNN_SCALAR or TINYNN_NO_SIMD. */
TNN_API const char *tnn_isa(void);                /* name of the one in use                       */
TNN_API const char *tnn_isa_name(int i);          /* the i-th that this machine has, worst first;
                                                     NULL past the last                           */
TNN_API tnn_status  tnn_set_isa(const char *name);
/* Threads used where a network or call does not say: TINYNN_THREADS in the environment, else the
   number of processors that the process may use, by its affinity and, on Linux, the quotas of its
   control groups (rounded up). Results never depend on it.                                       */
TNN_API int         tnn_threads(void);
TNN_API void        tnn_set_threads(int threads); /* 0: back to the default                       */
/* Ends the helper threads; the next call that wants some starts them again. An error while a call
   in another thread is using them.                                                               */
TNN_API tnn_status  tnn_shutdown(void);

/* ---- 1c. Random numbers -----------------------------------------------------------------------
   Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11). Element
   `element` of stream `stream` is a function of (seed, stream, element) alone.                   */
TNN_API uint32_t tnn_random_bits(uint64_t seed, uint64_t stream, uint64_t element);
TNN_API float    tnn_random_uniform(uint64_t seed, uint64_t stream, uint64_t element); /* [0, 1) */
TNN_API float    tnn_random_normal(uint64_t seed, uint64_t stream, uint64_t element);  /* N(0, 1) */
/* Fisher-Yates shuffle of order[0..n). */
TNN_API void     tnn_shuffle(int *order, int n, uint64_t seed, uint64_t stream);

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
   With TNN_ACCUMULATE  C += A B. C must not overlap A or B. Each element of C is a sum of chains
   of fused multiply-adds over k in rising order: nearly equal ones of at most 320, each of which
   starts from zero; their sums are added to C in this order.                                     */
enum { TNN_TRANSPOSE_A = 1 << 12, TNN_TRANSPOSE_B = 1 << 13, TNN_ACCUMULATE = 1 << 14 };
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

/* Reductions over all elements, to a few units in the last place of the sum of their magnitudes;
   NaN on error. */
TNN_API float tnn_sum(tnn_tensor x);
TNN_API float tnn_mean(tnn_tensor x);
TNN_API float tnn_max(tnn_tensor x);
TNN_API float tnn_dot(tnn_tensor x, tnn_tensor y);
TNN_API int   tnn_argmax(const float *x, int n);  /* the first of equal ones; 0 on error */

/* ---- 1e. Networks -----------------------------------------------------------------------------
   tnn_create, tnn_add for each layer, tnn_set_loss, tnn_set_optimizer; then forward, loss,
   backward, step for each batch. The first forward (or tnn_build) plans: infers shapes, fuses, and
   makes the network's one allocation, of tnn_net_bytes(); no step allocates anything afterwards.

   In every options struct zero means the default. Where zero is wanted and is not the default
   (.beta1 = 0), say TNN_ZERO. Each enum has numbers of its own: a constant of another one is
   refused, and the message says what it is. So is an option that the kind does not read, or that
   does nothing without another; the message names what has it. A struct for one optimizer does
   not serve another: set for each what it has. Seeds and a layer's .frozen, .lr_scale and
   .decay_scale may stand anywhere.                                                               */
#define TNN_ZERO 1.23456789e-38         /* known again, whatever flags compile the program */

typedef struct tnn_net tnn_net;

/* Whose defaults and conventions an option that is not set means, where the two differ:
                                PyTorch                         Keras 3
     initial weights, biases    U(1/sqrt(fan_in)), the same     Xavier uniform, 0
     normalisation  .eps        1e-5                            1e-3
     batch norm .momentum m     x = (1-m) x + m new, 0.1        x = m x + (1-m) new, 0.99
       running variance         of n - 1                        of n
     leaky ReLU .slope          0.01                            0.3
     optimizers .lr             as in their table               SGD 0.01, the others 1e-3
       .eps                     1e-8 mostly                     1e-7; AdamW .weight_decay 0.004,
       other defaults                                           RMSprop .alpha 0.9, Adadelta .rho
                                                                0.95, Adagrad
                                                                .initial_accumulator 0.1
       .eps is added            to the corrected root of v      Adam's: to the root before it is
                                                                corrected; RMSprop, Adagrad: under
                                                                the root; Adamax: to u after its
                                (Adamax: to |g| before the max) max              (.keras_eps)
       momentum of SGD          b = m b + d, w -= lr b          b = m b - lr d, w += b: the lr of
                                                                its own time     (.velocity)
       .weight_decay            L2 but for AdamW                decoupled        (.decoupled)
     penalty .l2                l2 sum w^2 in both: twice PyTorch's weight_decay
     plateaus, early stopping   their own .keras                                             */
typedef enum tnn_dialect { TNN_PYTORCH = 0, TNN_KERAS = 1701 } tnn_dialect;

typedef struct tnn_net_options {
    int         input[3];   /* required: channels, height, width; {784} is {784, 1, 1} */
    int         batch;      /* the largest batch that will be given. Default 64 */
    int         threads;    /* default tnn_threads() */
    uint64_t    seed;       /* of initialisation and dropout. Default 0 */
    tnn_dialect dialect;    /* default TNN_PYTORCH */
    int         exact;      /* no convolution by Winograd's way: tnn_layer.exact, of all */
    void       *memory;     /* the network lies in these .bytes, and none of its functions but */
    size_t      bytes;      /* tnn_evaluate and its kind allocates any. Default: the allocator's */
} tnn_net_options;

typedef enum tnn_layer_type {
    TNN_CONV2D = 101, /* .filters .kernel .stride .pad .dilation .groups .pad_mode .no_bias .init
                       .exact */
    TNN_DENSE,      /* .units .no_bias .init                y = x W^T + b */
    TNN_MAXPOOL2D,  /* .kernel .stride .pad .dilation .ceil */
    TNN_AVGPOOL2D,  /* .kernel .stride .pad .ceil .exclude_pad */
    TNN_FLATTEN,    /* (c, h, w) -> (c*h*w, 1, 1): channels of one pixel to what follows */
    TNN_RELU,       /* max(x, 0) */
    TNN_LEAKY_RELU, /* .slope (default 0.01)                x > 0 ? x : slope x */
    TNN_DROPOUT,    /* .p (default 0.5)    training only: 0 with probability p, else x / (1 - p) */
    TNN_CONV_TRANSPOSE2D,   /* as conv2d, and .output_pad   its gradient by the input, forward */
    TNN_ADAPTIVE_MAXPOOL2D, /* .size (default 1: global)    windows that cut an image into .size */
    TNN_ADAPTIVE_AVGPOOL2D, /* .size (default 1: global) */
    TNN_UPSAMPLE,   /* .factor (default 2) or .size; .mode TNN_NEAREST (default), TNN_BILINEAR,
                       TNN_BILINEAR_ALIGNED (align_corners) */
    TNN_PAD,        /* .pad; .mode TNN_ZEROS (default; .value), _REFLECT, _REPLICATE, _CIRCULAR */
    TNN_RESHAPE,    /* .shape {c, h, w}, one of them may be -1 */
    TNN_IDENTITY,
    TNN_ADD,        /* .from                                x + the output of another layer; both
                                                            flattened, or neither */
    TNN_CONCAT,     /* .from                                the channels of both, likewise */
    TNN_SCALE,      /* .value (default 1): where it starts. x w, w learned by channel; with
                       .no_affine it stays at .value */
    /* (x - mean)/sqrt(var + eps) w + b; .eps (default 1e-5) .no_affine .no_bias; what mean and var
       are of: */
    TNN_BATCHNORM,  /* .momentum (default 0.1) or .cumulative .no_statistics
                                                                    a channel of the batch */
    TNN_LAYERNORM,  /*                                              all of a sample */
    TNN_GROUPNORM,  /* .groups                                      some channels of a sample */
    TNN_INSTANCENORM, /* .affine .statistics .momentum (default: neither of the two first, as in
                         PyTorch)                                   a channel of a sample */
    TNN_RMSNORM,    /* .eps (default 2^-23): x/sqrt(mean x^2 + eps) w */
    /* activations; s(x) = 1/(1 + exp(-x)), Phi the normal distribution */
    TNN_PRELU,      /* .slope (0.25) .per_channel           x > 0 ? x : w x      He et al. 2015 */
    TNN_RELU6,      /* min(max(x, 0), 6)                    Howard et al. 2017 */
    TNN_ELU,        /* .alpha (1)    x > 0 ? x : alpha (exp(x) - 1)     Clevert et al. 2016 */
    TNN_SELU,       /* 1.0507 elu(x; 1.6733)                Klambauer et al. 2017 */
    TNN_CELU,       /* .alpha (1)    x > 0 ? x : alpha (exp(x/alpha) - 1)    Barron 2017 */
    TNN_GELU,       /* x Phi(x); .approximate: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
                       Hendrycks and Gimpel 2016 */
    TNN_SILU,       /* x s(x), swish                        Elfwing et al. 2018 */
    TNN_MISH,       /* x tanh(softplus(x))                  Misra 2020 */
    TNN_SOFTPLUS,   /* .beta (1) .threshold (20)   log(1 + exp(beta x))/beta, x above threshold */
    TNN_SOFTSIGN,   /* x/(1 + |x|) */
    TNN_SIGMOID,    /* s(x) */
    TNN_LOG_SIGMOID, /* log s(x) */
    TNN_TANH,
    TNN_HARDTANH,   /* .min_value (-1) .max_value (1) */
    TNN_HARDSIGMOID, /* min(max(x/6 + 1/2, 0), 1)           Courbariaux et al. 2015 */
    TNN_HARDSWISH,  /* x hardsigmoid(x)                     Howard et al. 2019 */
    TNN_SOFTMAX,    /* over the channels of each pixel */
    TNN_LOG_SOFTMAX,
    TNN_GLU,        /* first half of the channels times s(second half)    Dauphin et al. 2017 */
    /* noise, in training only */
    TNN_DROPOUT2D,  /* .p (0.5)    whole channels           Tompson et al. 2015 */
    TNN_ALPHA_DROPOUT, /* .p (0.5) for SELU                 Klambauer et al. 2017 */
    TNN_GAUSSIAN_DROPOUT, /* .p (0.5)  x N(1, p/(1-p))      Srivastava et al. 2014, 10 */
    TNN_GAUSSIAN_NOISE, /* .std (0.1)  x + N(0, std^2) */
    TNN_STOCHASTIC_DEPTH, /* .p (0.5)  whole samples, before an add      Huang et al. 2016 */
    TNN_CUSTOM_LAYER /* .custom: your own, see tnn_custom_layer */
} tnn_layer_type;

/* How an image goes on beyond its edges; how it is sampled. */
typedef enum tnn_sampling {
    TNN_ZEROS = 501, TNN_REFLECT, TNN_REPLICATE, TNN_CIRCULAR,
    TNN_NEAREST, TNN_BILINEAR, TNN_BILINEAR_ALIGNED
} tnn_sampling;

/* HOOKS are functions of yours: of layers, losses, optimizers, schedules. When they make a call of
   this library that fails, so does the call in which they run, with the error of the first sample
   (parameter) of which a hook failed. They must not throw, nor longjmp out: other threads may be at
   work for the same call; in C++ the program is ended if a layer's or an optimizer's throws.

   A layer of your own: four functions on one sample, images in PyTorch's order (c, h, w). They may
   run in several threads at a time, on different samples. The struct must outlive the network. */
typedef struct tnn_custom_layer {
    const char *name;
    void       *user;
    /* The shape of the output (first a copy of the input's) and the number of parameters, for an
       input of shape in; not 0 refuses it. */
    int  (*shape)(void *user, const int in[3], int out[3], int *params);
    /* Fills params at the start; NULL: zeros. */
    void (*init)(void *user, float *params, uint64_t seed);
    void (*forward)(void *user, const float *x, float *y, const float *params, int training);
    /* Sets dx from dy = dL/dy; adds to dparams (NULL where they are not trained). */
    void (*backward)(void *user, const float *x, const float *y, const float *dy, float *dx,
                     const float *params, float *dparams);
} tnn_custom_layer;

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
    TNN_INIT_HE_UNIFORM = 601,/* uniform, s = 2, fan_in       He et al. 2015, eq. 10              */
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
typedef enum tnn_fan {
    TNN_FAN_DEFAULT = 0, TNN_FAN_IN = 701, TNN_FAN_OUT, TNN_FAN_AVERAGE
} tnn_fan;
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
    TNN_MAX_NORM = 801, /* n <= .norm_max (default 2)         Srivastava et al. 2014, section 5.1 */
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
    /* what it reads: 0 the layer before it; k the output of the k-th layer added, counted from 1
       (tnn_layer_count() tells, after it was added); TNN_FROM_INPUT. Add and concat read the layer
       before them AND .from. */
    int   from;
    int   output_pad, output_pad_h, output_pad_w;   /* conv_transpose2d: rows and columns added
                                               at the end; less than stride or dilation */
    tnn_sampling pad_mode;                  /* conv2d: default TNN_ZEROS */
    int   exact;                            /* conv2d: never by Winograd's way (below) */
    int   size, size_h, size_w, factor;     /* of outputs: adaptive pooling, upsample */
    tnn_sampling mode;                      /* pad, upsample */
    float value;                            /* pad, scale */
    int   shape[3];                         /* reshape */
    float eps, momentum;                    /* normalisation */
    int   no_affine, affine;
    int   no_statistics, statistics;        /* running ones, for evaluation (track_running_stats) */
    int   cumulative;                       /* batch norm: they are means of all batches so far
                                               (momentum=None) */
    int   biased;                           /* batch norm: the running variance is of n */
    float alpha, beta, threshold, min_value, max_value;     /* activations */
    int   approximate, per_channel;
    float std;                              /* gaussian noise */
    float drop_connect;                     /* conv2d, dense: each weight 0 with this probability,
                                               others over 1 - it, in training (Wan et al. 2013) */
    const tnn_custom_layer *custom;
    float lr_scale, decay_scale;            /* of its parameters; factors, default 1 */
    int   frozen;                           /* its parameters stay as they are, also by penalties
                                               and constraints; their gradients are 0 and cost
                                               nothing, nor does backward below the lowest layer
                                               that is trained. The running statistics of batch
                                               normalisation go on in training, as in PyTorch */
} tnn_layer;
#define TNN_FROM_INPUT (-1)

/* WINOGRAD'S WAY takes 16 products for 36 in 3x3 convolutions of stride and padding 1 on multiples
   of 16 channels (THE SAME BITS says which). Its errors are relative to the largest values near an
   output, not to those that make it. With u = 2^-24, C channels that are read, and x over the 4x4
   inputs of a tile of 2x2 outputs,
       |error of y|  <= 64 (C + 11) u sum_c max|w_c| max|x_c|
   (the input's gradient likewise; a bias adds u |y| here and below); that of a weight's gradient,
   over all T tiles of the batch,
       |error of dw| <= 36 (T + 8) u sum_tiles max|x| max|dy|
   No search came near these: 3 % of them at most. For values of like size errors are half to three
   times the direct way's; but a window that picks 1 beside 1e6 loses digits. Then say .exact = 1,
   of a layer or of the network: forward and backward go the direct way, where
       |error of y|  <= 9 (C + 1) u sum |w| |x|  over the products of this output.
   Outputs and gradients of inputs that would not be finite are made again the direct way, two rows
   of an image at a time; a weight's gradient is not, and tnn_backward refuses it.                */

/* The sum of all layers' penalties at the present weights: what training minimises is the loss and
   this. NaN on error. */
TNN_API double tnn_penalty(tnn_net *net);

/* LOSSES compare the outputs x with labels or with targets t. Below, e = x - t, C the classes,
   S(x) = 1/(1 + exp(-x)), w .class_weights; a formula without a sum is of each value on its own.

   TNN_              formula                                        options (default)       as in
   CROSS_ENTROPY  L  -sum_c w_c t'_c log p_c,  p = softmax(x),      .label_smoothing (0)
                     t' = (1 - s) t + s/C, s .label_smoothing       .ignore_index (-100)    torch
                     .gamma g: times (1 - p_label)^g (softmax focal loss; labels only)      [2]
   NLL            L  -w_c x_c, c the label, x log-probabilities     .ignore_index (-100)    torch
   MULTI_MARGIN   L  w_y/C sum_{c != y} max(0, m - x_y + x_c)^p     .margin (1) .p (1 or 2) torch
   MSE               e^2                                                                    torch
   L1                |e|                                                                    torch
   HUBER             e^2/2 up to |e| = d, then d (|e| - d/2)        .delta (1)              torch
   SMOOTH_L1         HUBER with d = beta, divided by it             .beta (1)               torch
   LOG_COSH          log cosh e                                                             Keras
   BCE               -t log x - (1-t) log(1-x), logs at least -100; x and t in [0, 1]       torch
   BCE_LOGITS        -P t log S(x) - (1-t) log S(-x)                P = .pos_weights (1)    torch
   FOCAL             BCE_LOGITS times A (1 - p)^g, p = S(x) t + S(-x) (1-t),                [2]
                     A = a t + (1-a) (1-t), or 1 if a < 0           .alpha (0.25) .gamma (2)
   HINGE             max(0, 1 - t x), t = -1 or 1 (0 is taken as -1)                        Keras
   SQUARED_HINGE     its square                                                             Keras
   HINGE_EMBEDDING   x where t = 1, max(0, m - x) where -1 (or 0)   .margin (1)             torch
   KL_DIV            t (log t - x), x log-probabilities             .log_target: t is, too  torch
   POISSON_NLL       exp(x) - t x; with .no_log_input  x - t log(x + eps)   .eps (1e-8)     torch
                     .full: + t log t - t + log(2 pi t)/2 where t > 1
   GAUSSIAN_NLL   T  log(v)/2 + (x-t)^2/(2v), v = max(v, eps)       .eps (1e-6)             torch
                     .full: + log(2 pi)/2; the first half of the output's channels are x, the
                     second v, not negative; t is (n, c/2, h, w)
   COSINE_LOSS       1 - x.t / sqrt((x.x + 1e-12)(t.t + 1e-12))                             [3]
   DICE              1 - (2 x.t + s)/(x.x + t.t + s)                .smooth (1)             [1]
   CUSTOM_LOSS       .custom (below)
   [1] Milletari et al. 2016, sec. 3.  [2] Lin et al. 2017, eq. 5; torchvision sigmoid_focal_loss.
   [3] torch CosineEmbeddingLoss of pairs that belong together.

   LABELS (tnn_loss): one per sample, in 0..C-1, C the values of an output. Losses without L take
   the label as a one-hot target, and a network with ONE output takes the label itself as target
   (0 and 1 for binary classification; counts, ages: any number). T, and KL_DIV with .log_target:
   no labels.
   TARGETS (tnn_loss_targets): floats in the output's shape (n, c, h, w); for CROSS_ENTROPY
   probabilities of classes. NLL and MULTI_MARGIN take labels only.
   PIXELS  Of an output (c, h, w) that is not flattened, c are the classes and the weights. With
   .per_pixel labels are (n, h, w), and each pixel is a sample to losses with L and COSINE_LOSS.
   MEAN  over the values of all samples; over the samples for MULTI_MARGIN, COSINE_LOSS, DICE and
   for CROSS_ENTROPY on targets; for it and NLL on labels sum(loss)/sum(w_label).
   RANGES  Outputs and targets must be finite (but logits and log-probabilities of L, which may be
   -infinity where the target is 0), those of NLL at most 0 (0.001 for rounding's sake), targets of
   CROSS_ENTROPY, BCE_LOGITS and FOCAL in [0, 1], those of KL_DIV and POISSON_NLL not negative, and
   what goes through exp at most 88. The message of TNN_ERROR_NUMBER names the value; so it does
   where the loss is not finite.
   LAST LAYER  CROSS_ENTROPY, BCE_LOGITS and FOCAL take logits, and make probabilities themselves;
   NLL and KL_DIV take logarithms. A softmax, sigmoid or hard sigmoid as last layer before any of
   them, or a log softmax or log sigmoid before BCE_LOGITS or FOCAL, cannot be fitted and is refused
   by tnn_build; so are positive outputs before NLL. PyTorch takes them: TNN_IDENTITY as the very
   last layer says that it is meant. */
typedef enum tnn_loss_type {
    TNN_CROSS_ENTROPY = 201, TNN_NLL, TNN_MULTI_MARGIN, TNN_MSE, TNN_L1, TNN_HUBER, TNN_SMOOTH_L1,
    TNN_LOG_COSH, TNN_BCE, TNN_BCE_LOGITS, TNN_FOCAL, TNN_HINGE, TNN_SQUARED_HINGE,
    TNN_HINGE_EMBEDDING, TNN_KL_DIV, TNN_POISSON_NLL, TNN_GAUSSIAN_NLL, TNN_COSINE_LOSS, TNN_DICE,
    TNN_CUSTOM_LOSS
} tnn_loss_type;

typedef enum tnn_reduction {
    TNN_REDUCE_MEAN = 0,
    TNN_REDUCE_SUM = 901,   /* over all values and samples                                   */
    TNN_REDUCE_BATCHMEAN    /* the sum divided by n: what KL_DIV is by its mathematical name */
} tnn_reduction;

/* A loss of the user's: outputs (n, count), count = c*h*w, in PyTorch's order, and what tnn_loss or
   tnn_loss_targets was given (the other is NULL). Returns the loss and fills `gradient` (n, count),
   its derivatives by the outputs. */
typedef double tnn_loss_function(void *user, const float *outputs, const float *targets,
                                 const int *labels, int n, int count, float *gradient);

typedef struct tnn_loss_options {
    tnn_loss_type type;
    float         label_smoothing;  /* in [0, 1] */
    const float  *class_weights;    /* C of them, copied; NULL: all 1. Not for GAUSSIAN_NLL,
                                       COSINE_LOSS, DICE. Without L: of each value's loss */
    const float  *pos_weights;      /* BCE_LOGITS: C of them, copied; NULL: all 1 */
    tnn_reduction reduction;
    float         ignore_index;     /* samples of this label, a whole number, do not count, neither
                                       in the loss nor in accuracies; TNN_ZERO for 0 */
    float         gamma, margin, delta, beta, alpha, eps, smooth;
    int           p;
    int           log_target, no_log_input, full, per_pixel;
    tnn_loss_function *custom;
    void         *user;             /* passed to custom */
} tnn_loss_options;

/* THE RULES (put TNN_ before the name). g gradient, negated by .maximize; g' the one before; w
   parameter; t step counted from 1; m^ = m/(1 - beta1^t), v^ = v/(1 - beta2^t) and so on; "x by b
   of y" is x = b x + (1 - b) y. All state starts at 0 where nothing else is said. Defaults stand in
   brackets in the order of the options named; formulas and defaults are PyTorch's where it has the
   rule, else the paper's. "n": floats of state per parameter. L: .weight_decay [0 or as said];
   "L2" adds L w to g, "dec." (decoupled) first takes w (1 - lr L), as .decoupled does anywhere.

   rule, options [defaults]                                                           n  decay
   SGD   lr momentum dampening [1e-3 0 0] .nesterov                                 0-1  L2
         b = momentum b + (1 - dampening) g, first b = g;  w -= lr b
         .nesterov: w -= lr (g + momentum b)               Sutskever et al. 2013, PyTorch's form
   ADAM  lr beta1 beta2 eps [1e-3 .9 .999 1e-8] .amsgrad                            2-3  L2
         m by beta1 of g;  v by beta2 of g^2;  w -= lr m^/(sqrt(v^) + eps)
         .amsgrad: the largest v so far       Kingma and Ba 2015, alg. 1; Reddi et al. 2018, alg. 2
   ADAMW the same, L [1e-2]                  Loshchilov and Hutter 2019, alg. 2     2-3  dec.
   ASGD  lr lambd alpha t0 [1e-2 1e-4 .75 1e6]                                        1  L2
         eta = lr/(1 + lambd lr (t-1))^alpha;  w -= eta (g + lambd w);
         average a += (w - a)/max(1, t-1-t0)                          Polyak and Juditsky 1992
   ADAGRAD  lr lr_decay initial_accumulator eps [1e-2 0 0 1e-10]                      1  L2
         h += g^2;  w -= lr/(1 + (t-1) lr_decay) g/(sqrt(h) + eps)       Duchi et al. 2011
   ADADELTA lr rho eps [1 .9 1e-6]                                                    2  L2
         v by rho of g^2;  d = sqrt((a + eps)/(v + eps)) g;  a by rho of d^2;  w -= lr d
                                                                         Zeiler 2012, alg. 1
   RMSPROP  lr alpha eps momentum [1e-2 .99 1e-8 0] .centered                       1-3  L2
         v by alpha of g^2;  b = momentum b + g/(sqrt(v) + eps);  w -= lr b
         .centered: sqrt(v - a^2), a by alpha of g               Hinton 2012; Graves 2013, eq. 38
   RPROP lr eta_minus eta_plus step_min step_max [1e-2 .5 1.2 1e-6 50]                2  L2
         s *= g g' > 0 ? eta_plus : g g' < 0 ? eta_minus : 1, kept in step_min..step_max, first lr;
         g = 0 where g g' < 0;  w -= s sign(g)                  Riedmiller and Braun 1993
   ADAMAX   lr beta1 beta2 eps [2e-3 .9 .999 1e-8]                                    2  L2
         u = max(beta2 u, |g| + eps);  w -= lr m^/u                      Kingma and Ba, alg. 2
   NADAM lr beta1 beta2 eps momentum_decay [2e-3 .9 .999 1e-8 4e-3]                   2  L2
         c_t = beta1 (1 - .96^(t momentum_decay)/2), P_t = c_1 ... c_t;
         w -= lr ((1-c_t)/(1-P_t) g + c_(t+1)/(1-P_(t+1)) m)/(sqrt(v^) + eps)     Dozat 2016
   RADAM lr beta1 beta2 eps [1e-3 .9 .999 1e-8]                                       2  L2
         R = 2/(1-beta2) - 1, r = R - 2 t beta2^t/(1-beta2^t);  r > 5: w -= lr m^ l rect,
         l = sqrt(1-beta2^t)/(sqrt(v) + eps), rect = sqrt((r-4)(r-2)R/((R-4)(R-2)r));
         else w -= lr m^                                                 Liu et al. 2020, alg. 2
   LION  lr beta1 beta2 [1e-4 .9 .99]                                                 1  dec.
         w -= lr sign(beta1 m + (1-beta1) g);  m by beta2 of g           Chen et al. 2023, alg. 2
   ADABELIEF lr beta1 beta2 eps [1e-3 .9 .999 1e-16] .amsgrad .rectify              2-3  dec.
         Adam with v by beta2 of (g - m)^2, plus eps; .rectify: with RAdam's r and rect
                                                                         Zhuang et al. 2020, alg. 2
   ADAN  lr beta1 beta2 beta3 eps [1e-3 .98 .92 .99 1e-8]                             4  prox
         d = g - g';  m by beta1 of g;  v by beta2 of d;  n by beta3 of (g + beta2 d)^2;
         w -= lr (m^ + beta2 v^)/(sqrt(n^) + eps);  w /= 1 + lr L
                                                                         Xie et al. 2022, alg. 1
   ADEMAMIX lr beta1 beta2 beta3 alpha eps [1e-3 .9 .999 .9999 2 1e-8]                3  dec.
         s by beta3 of g;  w -= lr (m^ + alpha s)/(sqrt(v^) + eps);  alpha rises during the first
         alpha_warmup [0] steps, beta3 during beta3_warmup [0]     Pagliardini et al. 2024, alg. 1
   SCHEDULE_FREE_SGD   lr momentum [1 .9]                                           1+1  in h
   SCHEDULE_FREE_ADAMW lr beta1 beta2 eps [2.5e-3 .9 .999 1e-8]                     2+1  in h
         h = g + L w (SGD), g/(sqrt(v) + eps) + L w (AdamW; lr times sqrt(1-beta2^t));
         c = W/sum W, W = t^r max(lr)^weight_lr_power [0 2];  beta = momentum or beta1;  first z = w
         w += c (z - w) - lr (1 - beta (1-c)) h;  z -= lr h;  lr rises during warmup_steps [0]
         The average x = w + (1 - 1/beta)(z - w) is for evaluation: tnn_use_average.
                                                                         Defazio et al. 2024, alg. 1
   SOPHIA lr beta1 beta2 gamma interval [1e-4 .965 .99 .04 10], L [.1]                3  dec.
         w -= lr clip(m/(gamma h + 1e-15), -1..1);  each `interval` steps, from the first on:
         h by beta2 of n q^2, q the gradient of the same n samples with labels drawn from the
         network's softmax; so x must stay unchanged until tnn_step      Liu et al. 2023, alg. 3, G
   LARS  lr momentum trust eps [1 .9 1e-3 1e-8] .nesterov .dampening               1  L2
         SGD with g + L w times trust |w|/(|g| + L |w| + eps) per tensor (1 where a norm is 0)
                                                                         You et al. 2017, alg. 1
   LAMB  lr beta1 beta2 eps [1e-3 .9 .999 1e-6], L [1e-2]                             3  in r
         r = m^/(sqrt(v^) + eps) + L w;  w -= lr |w|/|r| r per tensor (1 where a norm is 0)
                                                                         You et al. 2020, alg. 2
   ADAFACTOR lr beta2_decay eps eps2 clip_threshold [1e-2 -.8 2^-23 1e-3 1]           3  dec.
         b = t^beta2_decay;  per tensor, over its last two dimensions: R by 1-b of the rows' means
         of g^2, C of the columns', V = R C/max(mean R, eps);  vectors: V by 1-b of g^2;
         U = g/sqrt(max(V, eps^2));  U /= max(1, rms(U)/clip_threshold);
         w -= max(eps2, rms(w)) min(lr, 1/sqrt(t)) U               Shazeer and Stern 2018, alg. 4
   MUON  lr momentum eps ns_a ns_b ns_c ns_steps [1e-3 .95 1e-7 3.4445 -4.775 2.0315 5], L [.1]
         .no_nesterov .match_rms                                                      3  dec.
         matrices of dense layers:  b = momentum b + (1-momentum) g;
         X = momentum b + (1-momentum) g (.no_nesterov: b), transposed if it has more rows than
         columns, /max(|X|, eps);  ns_steps times X = ns_a X + (ns_b A + ns_c A^2) X, A = X X^T;
         w -= lr sqrt(max(1, rows/columns)) X  (.match_rms: lr .2 sqrt(max(rows, columns)))
         in float, where PyTorch takes bfloat16.                         Jordan et al. 2024
         All other parameters: AdamW with the same lr and L, beta1 beta2 [.9 .999], eps 1e-8.
   LBFGS lr max_iter max_eval tolerance_grad tolerance_change history               2H + 5  none
         [1 20 max_iter*5/4 1e-7 1e-9 100] .strong_wolfe
         One tnn_step is up to max_iter iterations, which run forward, loss and backward on the last
         batch again: x and labels must stay unchanged until then. Of the layers' factors it heeds
         .frozen. H: history                                         Nocedal 1980; torch.optim.LBFGS
   CUSTOM   .update .user .states, lr [1e-3]: your own rule, see tnn_update_run.   .states  yours
   Apart from PyTorch: eps of 0 is 1e-37, so that 0/0 is 0; a change of lr reaches ASGD's eta at
   once; t counts the network's steps also for a tensor that was frozen before.                   */
typedef enum tnn_optimizer_type {
    TNN_SGD = 301, TNN_ADAM, TNN_ADAMW, TNN_ASGD, TNN_ADAGRAD, TNN_ADADELTA, TNN_RMSPROP, TNN_RPROP,
    TNN_ADAMAX, TNN_NADAM, TNN_RADAM, TNN_LION, TNN_ADABELIEF, TNN_ADAN, TNN_ADEMAMIX,
    TNN_SCHEDULE_FREE_SGD, TNN_SCHEDULE_FREE_ADAMW, TNN_SOPHIA, TNN_LARS, TNN_LAMB, TNN_ADAFACTOR,
    TNN_MUON, TNN_LBFGS, TNN_CUSTOM
} tnn_optimizer_type;

/* What a rule of your own is given: a run of parameters that lie side by side in the network's
   private order, with padding in between. Where w and g are both 0 and the state has never been
   touched, w must stay 0 (padding). Runs are updated by several threads at the same time. */
enum { TNN_STATES = 4 };
typedef struct tnn_update_run {
    float       *w;                 /* n parameters                                      */
    const float *g;                 /* their gradients; there is no .maximize            */
    float       *state[TNN_STATES]; /* the first .states of them; zeros before step 1    */
    size_t       n;
    long long    step;              /* counted from 1                                    */
    double       lr, weight_decay;  /* with the layer's factors                          */
    void        *user;
} tnn_update_run;

typedef struct tnn_optimizer {
    tnn_optimizer_type type;
    double lr;              /* defaults: the table above                                 */
    double momentum;        /* [0, 1): from 1 on nothing that was ever added fades       */
    double dampening;       /* finite                                                    */
    int    nesterov;        /* SGD, LARS: needs momentum and no dampening                */
    double weight_decay;    /* default 0 but where the table says otherwise              */
    double beta1, beta2;    /* [0, 1)                                                    */
    double eps;
    double beta3, alpha, rho, gamma, lambd, t0, lr_decay, initial_accumulator;
    double eta_minus, eta_plus, step_min, step_max, momentum_decay, trust;
    double beta2_decay, eps2, clip_threshold, r, weight_lr_power, ns_a, ns_b, ns_c;
    double tolerance_grad, tolerance_change;
    int    keras_eps, velocity;     /* Keras' forms: see tnn_dialect                         */
    int    amsgrad, maximize, decoupled, centered, rectify, no_nesterov, match_rms, strong_wolfe;
    int    warmup_steps, alpha_warmup, beta3_warmup, interval, ns_steps, max_iter, max_eval,
           history;
    void (*update)(const tnn_update_run *run);
    void  *user;
    int    states;

    int    no_bias_decay;   /* no weight decay on biases, nor on weights of norms, PReLU, scale */
    /* Gradients are limited before the update in this order; 0: not. |g| is over all of them. */
    double clip_value;      /* each to -clip_value..clip_value                           */
    double clip_tensor;     /* each tensor's norm, as clip_norm                          */
    double clip_norm;       /* g *= min(1, clip_norm/(|g| + 1e-6)); torch's clip_grad_norm_ */
    int    accumulate;      /* The mean gradient of so many tnn_backward calls makes one update;
                               tnn_step does nothing before. Default 1                   */
    /* Lookahead (Zhang et al. 2019): every `lookahead` steps  slow += lookahead_alpha (w - slow),
       w = slow. Default 0: none; 0.5 */
    int    lookahead;
    double lookahead_alpha;
    /* Averages of the weights for evaluation, by tnn_use_average; one of the two.
       EMA: a += (1 - d)(w - a) after each step, the first copies; d = ema, or with .ema_warmup
       min(ema, (1+t)/(10+t)). SWA (Izmailov et al. 2018): the mean of the weights after step
       swa_start and every swa_every (default 1) steps from there. */
    double ema;
    int    ema_warmup, swa_start, swa_every;
} tnn_optimizer;

TNN_API tnn_net   *tnn_create_with(const tnn_net_options *options);  /* NULL on failure */
TNN_API void       tnn_free(tnn_net *net);
TNN_API tnn_status tnn_add_with(tnn_net *net, const tnn_layer *layer);
TNN_API int        tnn_layer_count(const tnn_net *net);    /* added so far: the last's number */
TNN_API tnn_status tnn_set_loss_with(tnn_net *net, const tnn_loss_options *loss);
TNN_API tnn_status tnn_set_optimizer_with(tnn_net *net, const tnn_optimizer *optimizer);

/* What tnn_build will allocate; of a network in .memory how many .bytes it takes in all, before
   tnn_build without what orthogonal initial weights take for a while. Also where that is more
   than can be had; where it is more than a size_t can hold, 0 and the message tells it. 0 on
   error. */
TNN_API size_t     tnn_net_bytes(tnn_net *net);
TNN_API tnn_status tnn_build(tnn_net *net);
/* c, h, w of the last layer so far; shape may be NULL. Returns their product, 0 on error. */
TNN_API int        tnn_output_shape(tnn_net *net, int shape[3]);

typedef enum tnn_mode { TNN_EVAL = 0, TNN_TRAIN = 1 } tnn_mode;

/* x holds n samples (c, h, w), 1 <= n <= .batch; it must stay unchanged until tnn_backward.
   In TNN_TRAIN mode batch normalisation takes the batch's mean and variance. Its running ones,
   which TNN_EVAL takes, move with tnn_step (PyTorch's move here): a batch that is refused or makes
   no step leaves them. All batches of .accumulate move them in turn, and all evaluations of L-BFGS.
   Without steps there is tnn_update_statistics. */
TNN_API tnn_status   tnn_forward(tnn_net *net, const float *x, int n, tnn_mode mode);
TNN_API const float *tnn_output(tnn_net *net);     /* (n, c, h, w) of the last forward */
/* The loss of the last forward against n labels, or n targets, and its gradient; NaN on error. */
TNN_API double       tnn_loss(tnn_net *net, const int *labels);
TNN_API double       tnn_loss_targets(tnn_net *net, const float *targets);
/* Labels of the last loss that are predicted: by the largest output, the first of equal ones; or,
   where there is one output, 1 by one above 0 (BCE_LOGITS, FOCAL, the hinges) or 0.5 (the others),
   else 0. On targets 0. */
TNN_API int          tnn_correct(const tnn_net *net);
/* How many labels of the last loss count, which tnn_correct is a part of: not those ignored
   (.ignore_index). On targets the samples. */
TNN_API int          tnn_counted(const tnn_net *net);
/* Overwrites the gradients; see .accumulate. One that is not finite is TNN_ERROR_NUMBER, and the
   message names its tensor: no step is made with it. So it is with running statistics that would
   not be finite. */
TNN_API tnn_status   tnn_backward(tnn_net *net);
/* One update of the parameters. Where it makes one infinite or NaN it is TNN_ERROR_NUMBER, and the
   message names the tensor. No copy is kept of the parameters and the optimizer's state before it:
   load a checkpoint. (L-BFGS has one, of the weights before its last iteration.) */
TNN_API tnn_status   tnn_step(tnn_net *net);
/* forward in training mode, loss, backward and step; returns the loss. */
TNN_API double       tnn_train_batch(tnn_net *net, const float *x, const int *labels, int n);
TNN_API double       tnn_train_batch_targets(tnn_net *net, const float *x, const float *targets,
                                             int n);
TNN_API tnn_status   tnn_set_lr(tnn_net *net, double lr);
TNN_API double       tnn_lr(const tnn_net *net);
/* Momentum, or beta1 of the rules that have betas (not Muon). What the network was built without
   cannot be had later. */
TNN_API tnn_status   tnn_set_momentum(tnn_net *net, double momentum);
TNN_API double       tnn_momentum(const tnn_net *net);
/* Changes the layers' .lr_scale, .decay_scale and .frozen for all parameters whose name begins with
   `prefix`: "4." is layer 5, "4.bias" its bias, "" everything. Here 0 is 0. Frozen ones keep their
   bits; a layer has no gradients (0) once all of its tensors are frozen. Builds the network. */
TNN_API tnn_status   tnn_set_group(tnn_net *net, const char *prefix, double lr_scale,
                                   double decay_scale, int frozen);
/* After tnn_backward: limits the gradients (as .clip_value, .clip_tensor, .clip_norm do in
   tnn_step) and returns the norm that all of them had before, frozen ones left out; NaN on error.
   With an infinite limit it only measures. tnn_grad_norm: what the last clipping returned. */
typedef enum tnn_clip { TNN_CLIP_VALUE = 1001, TNN_CLIP_TENSOR, TNN_CLIP_NORM } tnn_clip;
TNN_API double       tnn_clip_grad(tnn_net *net, tnn_clip kind, double limit);
TNN_API double       tnn_grad_norm(const tnn_net *net);
/* on = 1 puts the averaged weights in place of the trained ones, 0 takes them out, bit by bit:
   EMA's or SWA's; else the rule's own (ASGD, Schedule-Free); else Lookahead's slow ones. While they
   are in, tnn_backward and tnn_step are refused. */
TNN_API tnn_status   tnn_use_average(tnn_net *net, int on);

/* Parameters by name, "LAYER.weight" and "LAYER.bias" with LAYER counted from 0 in order of
   tnn_add, as in torch.nn.Sequential, in PyTorch's shapes: conv2d (filters, c/groups, kh, kw),
   dense (units, inputs), bias (count). The network has them in an order of its own; these
   convert. */
typedef struct tnn_param {
    const char *name;
    int         ndim, dims[4];
    int         count;              /* product of dims */
    int         buffer;             /* running mean or variance: kept, not trained; with
                                       .cumulative .num_batches_tracked, of ndim 0, too */
} tnn_param;
TNN_API int        tnn_param_count(tnn_net *net);                     /* number of named tensors */
TNN_API tnn_param  tnn_param_info(tnn_net *net, int i);               /* .name is "" on error */
TNN_API long long  tnn_param_total(tnn_net *net);                     /* number of trained floats */
TNN_API tnn_status tnn_get_param(tnn_net *net, const char *name, float *values, int count);
TNN_API tnn_status tnn_set_param(tnn_net *net, const char *name, const float *values, int count);
TNN_API tnn_status tnn_get_grad(tnn_net *net, const char *name, float *values, int count);
/* The flat vectors themselves, in the private order, padding (always zero) included: for averaging
   over machines, hooks, checksums. `which`: 0 parameters, 1 gradients, 2 to 5 the optimizer's state
   (whose padding may be anything), 6 the average, 7 Lookahead's slow weights, 8 the gradients
   accumulated so far. Returns NULL where there is none. */
TNN_API float     *tnn_flat(tnn_net *net, int which, size_t *count);
/* FNV-1a 64 of all parameters in PyTorch's order: equal networks, equal numbers. */
TNN_API uint64_t   tnn_hash(tnn_net *net);

/* ---- 1f. Schedules ----------------------------------------------------------------------------
   The learning rate as a pure function of the step t = 0, 1, 2, ...: attached to a network it is
   applied before each update, and tnn_schedule_lr gives the same numbers anywhere else.

       tnn_set_schedule(net, TNN_COSINE, .lr = 0.1, .steps = 1000, .warmup = 50);

   Each is  lr(t) = end + (start - end) w(t)  with  start = lr start_factor (default 1),
   end = end_lr, or else lr end_factor (default 0),  and T = steps.  A(u) is the .anneal: it falls
   from 1 at u = 0 to 0 at u = 1 and stays there. (!) marks what must be given; a type does not read
   what neither it nor this text names.

   type                 w(t)                                    defaults; the same elsewhere
   TNN_CONSTANT         1 if t < T, else 0                      T 0 (always lr), start_factor 1/3,
                                                                end_factor 1; torch ConstantLR
   TNN_STEP             gamma^floor(t/T)                        T(!), gamma 0.1; StepLR
   TNN_MULTISTEP        gamma^(number of milestones <= t)       count(!), gamma 0.1; MultiStepLR
   TNN_EXPONENTIAL      gamma^(t/T)                             gamma(!), T 1; ExponentialLR;
                        (both with .staircase: floor(t/T))      Keras ExponentialDecay
   TNN_INVERSE_TIME     1/(1 + gamma t/T)                       gamma(!), T 1;
                                                                Keras InverseTimeDecay
   TNN_LINEAR           (1 - t/T)^power until T, then 0         T(!), power 1, start_factor 1/3,
                                                                end_factor 1; LinearLR
   TNN_POLYNOMIAL       (1 - t/T)^power until T, then 0         T(!), power 1; PolynomialLR,
                                                                Keras PolynomialDecay
   TNN_COSINE           (1 + cos(pi t/T))/2: after T it rises   T(!) = T_max, end = eta_min;
                                                                CosineAnnealingLR
   TNN_COSINE_RESTARTS  the same until T, then anew, each cycle T(!) = T_0, mult 1 = T_mult; SGDR
                        mult times as long as the one before;   (2017), CosineAnnealingWarmRestarts;
                        cycle i times cycle_gamma^i             cycle_gamma 1 = Keras' m_mul
   TNN_ANNEAL           A(t/T)                                  T 10, end(!); SWALR;
                                                                Keras CosineDecay
   TNN_WSD              A((t - T)/steps_down)                   T(!), steps_down(!); after .warmup
                                                                warm-up-stable-decay (Hu 2024)
   TNN_ONE_CYCLE        lr/div_factor -> lr -> lr/div_factor/final_div_factor, each by A;
                        the first until pct_start T - 1, all    T(!), pct_start 0.3, div_factor 25,
                        until T - 1; with .three_phase down to  final_div_factor 1e4, momentum 0.95
                        lr/div_factor as long as up, then on    -> 0.85 -> 0.95; Smith 2019,
                                                                OneCycleLR
   TNN_CYCLIC           1 - h gamma^t cycle_gamma^i in cycle i: T(!), end(!) = max_lr, steps_down T,
                        h from 0 to 1 in T steps, back in       gamma 1, cycle_gamma 1, momentum 0.9
                        steps_down. cycle_gamma 0.5 is          -> 0.8 -> 0.9; Smith 2017, CyclicLR
                        triangular2, gamma exp_range
   TNN_SEQUENTIAL       part i from .milestones[i-1] on, its t  count(!) parts and count-1
                        counted from there                      milestones; SequentialLR
   TNN_CHAINED          what a part gives is the lr of the next count(!) parts; ChainedScheduler
                        one: a product where their end is 0     of factors [1]
   TNN_LAMBDA           function(user, t)                       function(!); LambdaLR
   TNN_MULTIPLICATIVE   function(user, 1) ... function(user, t) function(!), called t times;
                                                                MultiplicativeLR

   [1] Of CONSTANT, STEP, MULTISTEP, EXPONENTIAL, LINEAR, POLYNOMIAL, MULTIPLICATIVE, and COSINE
   with end 0 until its T, a chain is PyTorch's. There a COSINE otherwise goes on from the lr that
   the whole chain had a step before, and the other types undo what the other parts did; here, as
   everywhere, lr(t) is a function of t.

   Under each .min_lr is a floor, lr(t) = max(min_lr, ...): POLYNOMIAL with it is the linear
   schedule with saturation, max(min_lr, lr (1 - t/T)); EXPONENTIAL gives max(min_lr, lr gamma^t).
   And .warmup steps may stand before each, not counted in T: from warmup_factor lr(0) linearly to
   lr(0) (Goyal et al. 2017; in torch a SequentialLR of a LinearLR and the schedule). */
typedef enum tnn_schedule_type {
    TNN_CONSTANT = 401, TNN_STEP, TNN_MULTISTEP, TNN_EXPONENTIAL, TNN_INVERSE_TIME, TNN_LINEAR,
    TNN_POLYNOMIAL, TNN_COSINE, TNN_COSINE_RESTARTS, TNN_ANNEAL, TNN_WSD, TNN_ONE_CYCLE, TNN_CYCLIC,
    TNN_SEQUENTIAL, TNN_CHAINED, TNN_LAMBDA, TNN_MULTIPLICATIVE
} tnn_schedule_type;

typedef enum tnn_anneal {
    TNN_ANNEAL_COSINE = 0,  /* (1 + cos(pi u))/2 */
    TNN_ANNEAL_LINEAR = 1101, /* (1 - u)^.power  */
    TNN_ANNEAL_SQRT         /* 1 - sqrt(u)       */
} tnn_anneal;

typedef struct tnn_schedule tnn_schedule;
struct tnn_schedule {
    tnn_schedule_type type;
    double     lr;              /* default: that of the whole in a part, the optimizer's where a
                                   network has the schedule, else 1e-3                      */
    long long  steps;           /* T: of updates, or of epochs with .per_epoch               */
    double     gamma;
    double     end_lr, end_factor;      /* end_lr says more than end_factor                  */
    double     min_lr;                  /* floor. Default 0                                  */
    long long  warmup;                  /* default 0 steps                                   */
    double     warmup_factor;           /* default 0: the very first step has lr 0           */
    int        per_epoch;               /* t counts epochs, not updates; that of the whole   */
    double     start_factor, power;
    tnn_anneal anneal;
    int        staircase;
    long long  steps_down;
    int        mult;                    /* T_mult                                            */
    double     cycle_gamma;
    double     pct_start, div_factor, final_div_factor;
    int        three_phase;
    double     base_momentum, max_momentum; /* of ONE_CYCLE and CYCLIC: the lower, the upper  */
    int        keep_momentum;               /* those two leave momentum alone                 */
    const int *milestones;              /* rising                                            */
    const tnn_schedule *parts;          /* neither is copied: they must outlive the schedule's
                                           use. At most 8 deep                               */
    int        count;                   /* of parts; in MULTISTEP of milestones              */
    double   (*function)(void *user, long long step);
    void      *user;
};

/* The learning rate of a step; NaN on error. */
TNN_API double     tnn_schedule_lr(const tnn_schedule *schedule, long long step);
/* Momentum (Adam's and its like's beta1) of a step; NaN where the schedule leaves it alone. */
TNN_API double     tnn_schedule_momentum(const tnn_schedule *schedule, long long step);
/* Copies the schedule (not what it points to). tnn_step sets lr, and momentum where the schedule
   has one, before it updates, with the number of steps since this call, or of epochs with
   .per_epoch. NULL takes it off, and leaves lr as it is. After tnn_set_optimizer; momentum of SGD
   must not have been 0 when the network was built. */
TNN_API tnn_status tnn_set_schedule_with(tnn_net *net, const tnn_schedule *schedule);
/* The end of an epoch, for a schedule .per_epoch. tnn_train_epoch calls it. */
TNN_API tnn_status tnn_end_epoch(tnn_net *net);

/* Lower lr when a metric has not got better: torch ReduceLROnPlateau. Call after each validation:
       double lr = tnn_lr(net);
       if (tnn_plateau_update(&plateau, m.loss, &lr)) tnn_set_lr(net, lr);
   A metric is better if metric < best (1 - threshold), or > best (1 + threshold) with .max; with
   .absolute if < best - threshold, or > best + threshold. NaN never is. The first finite one is.
   Bad epochs are counted since the last better one or the last reduction:
                            torch                             .keras (ReduceLROnPlateau, Keras 3)
     lr is reduced at       bad > patience                    bad >= patience (one epoch earlier;
                                                              patience 0 is 1)
     threshold              relative, or .absolute            absolute (its min_delta)
     cooldown               the next .cooldown epochs do not  one fewer: the epoch that ends the
                            count as bad                      cooldown counts
     no reduction if        lr - new <= eps; counting starts  lr <= min_lr; counting goes on, no
                            anew and cools down all the same  cooldown                          */
typedef struct tnn_plateau {
    int    max;                 /* the larger the better                                     */
    double factor;              /* new lr = max(lr factor, min_lr). Default 0.1, less than 1 */
    int    patience;            /* default 10; -1 means 0                                    */
    double threshold;           /* default 1e-4                                              */
    int    absolute;            /* torch's only                                              */
    int    cooldown;            /* default 0                                                 */
    double min_lr;              /* default 0                                                 */
    double eps;                 /* torch's only. Default 1e-8                                */
    int    keras;
    /* its state, all zero at first */
    int    updates, bad, cooling;
    double best;
} tnn_plateau;
/* 1 if *lr was lowered, else 0 (also on error). */
TNN_API int tnn_plateau_update(tnn_plateau *plateau, double metric, double *lr);

/* ---- 1g. Data ---------------------------------------------------------------------------------
   A data set is samples of (c, h, w) bytes or floats with one label each. What loads one owns it
   (`memory`), together with its parts (tnn_subset, tnn_split) and loaders: the last of them that is
   freed frees it. The samples of a tnn_data_view are the caller's, and must outlive them all. */
typedef struct tnn_data {
    int                  n, c, h, w;
    int                  classes;       /* 1 + the largest label */
    const unsigned char *bytes;         /* samples, one of the two */
    const float         *floats;
    const int           *labels;
    const int           *order;         /* sample i is number order[i]; NULL: i */
    float                mean, std;     /* given x = (v - mean) / std, v = byte/255 or the float */
    void                *memory;        /* what tnn_data_free gives up */
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
/* Before tnn_loader_create, tnn_subset and tnn_split: loaders and parts have the mean and std that
   the data set had then. Afterwards it is refused; but of a tnn_data_view, which does not know of
   them, it would change the data set alone. Of bytes, which are given as byte/255, mean is at most
   1 and std at most 10. */
TNN_API tnn_status tnn_normalize(tnn_data *data, float mean, float std);
TNN_API tnn_data   tnn_subset(const tnn_data *data, int first, int count);
/* A random `count` samples in *a, the others in *b (torch.utils.data.random_split); on error both
   have none. */
TNN_API tnn_status tnn_split(const tnn_data *data, int count, uint64_t seed,
                             tnn_data *a, tnn_data *b);
/* Sample i as floats (c, h, w), normalised: count of them, which must be c*h*w. */
TNN_API tnn_status tnn_sample(const tnn_data *data, int i, float *x, int count);

/* Batches of a data set, the last one as small as it comes (PyTorch's DataLoader). tnn_next fills
   x, labels and n and returns n, or 0 at the end of an epoch; the next call starts another one.
   Epoch e is shuffled by (seed, e): a loader's batches do not depend on what was drawn before. */
typedef struct tnn_loader {
    float *x;               /* (n, c, h, w) */
    int   *labels;          /* n            */
    float *targets;         /* (n, classes of the data), for tnn_loss_targets, with .mixup or
                               .cutmix, where labels is NULL; else this is */
    int    n;
    int    epoch, batch_index, batches;   /* counted from 0; batches per epoch */
    struct tnn__loader *state;
} tnn_loader;

/* AUGMENTATION, by options of the loader that are off where they are 0. What happens to sample i
   (its place in the loader's data) in epoch e is a function of (seed, e, i): the same in batches of
   any size and order. Flat samples (c, 1, 1) take .brightness and .mixup alone (and, if c is 3,
   .saturation and .hue). u is uniform in what is said, each drawn on its own. In this order:
     geometry, one map from each pixel to where it is taken from, sampled once, bilinearly; whole
     pixels and mirrors move values as they are. About the image's middle, in pixels, y downwards:
       .flip .flip_vertical  mirror left and right, top and bottom, with that probability
       .rotate               by u degrees in [-rotate, rotate], x towards y
       .shear                x by -y tan u, u degrees in [-shear, shear]
       .scale_min .scale_max by a factor u in [scale_min, scale_max]; each default 1
       .shift                by u, as a fraction of width and height in [-shift, shift], rounded to
                             whole pixels                   (these four: torchvision RandomAffine)
       .crop_pad             pad by that many pixels, crop to the old size at random (RandomCrop);
                             filled borders: fewer than the image is high and wide
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
    TNN_BORDER_EDGE = 1201, /* the nearest pixel                      */
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
/* Never NULL: after an error, its own or an earlier one, a loader of 0 .batches, which tnn_next and
   all others refuse. */
TNN_API tnn_loader *tnn_loader_create_with(const tnn_data *data, const tnn_loader_options *options);
TNN_API int         tnn_next(tnn_loader *loader);
TNN_API void        tnn_loader_free(tnn_loader *loader);

/* ---- 1h. Training and metrics -----------------------------------------------------------------
   Where a network meets a data set or loader, samples are of its .input's shape, or one of the two
   is flat, (c*h*w, 1, 1); others are TNN_ERROR_SHAPE, also where they are as many values.        */
typedef struct tnn_metrics {
    double loss;            /* as of one batch of all samples; NaN on error     */
    double accuracy;        /* correct/n; NaN where n is 0                      */
    int    n, correct;      /* samples that count, without those whose label is
                               ignored (.ignore_index), and of them predicted as
                               tnn_correct counts                               */
} tnn_metrics;
/* In eval mode, in batches of the network's size. A data set has one label per sample: losses on
   targets see what its labels stand for (1e); GAUSSIAN_NLL and .per_pixel are refused. */
TNN_API tnn_metrics tnn_evaluate(tnn_net *net, const tnn_data *data);
/* counts[label*classes + predicted], classes*classes of them, classes the network's outputs, 2 if
   it has one; samples whose label is ignored are left out; also gives the metrics. */
TNN_API tnn_metrics tnn_confusion(tnn_net *net, const tnn_data *data, int *counts, int classes);

/* One epoch over the loader: the mean of the batch losses and the accuracy seen while training. */
TNN_API tnn_metrics tnn_train_epoch(tnn_net *net, tnn_loader *loader);

/* Early stopping on any metric, one call after each validation: 1 when training should stop, or on
   error.
       tnn_early_stopping stop = { .patience = 10, .restore_best = 1 };
       ... if (tnn_early_stop(&stop, net, m.loss)) break; ...
       tnn_early_stopping_end(&stop, net);
   A metric is better if metric < best - min_delta, with .max if > best + min_delta. Calls without a
   better one are counted; at .patience of them it is time to stop (patience 0 means 1).
                            Lightning EarlyStopping           .keras (EarlyStopping, Keras 3)
     default patience       3                                 0
     NaN or infinity        stops at once, unless .any_value  NaN is not better; -inf may be
     the first call         like any other                    never stops
     .baseline              none                              the count starts anew only where the
                                                              metric is also better than it; one
                                                              that is merely the best counts, but
                                                              does not stop
     .start_from            none                              so many calls are not looked at
     .stop_at               stops if the metric is < it (>)   none
     .diverged_at           stops if it is > it (< with .max) none
   Fields of the other column are refused. */
typedef struct tnn_early_stopping {
    int    max;                 /* the larger the better                                     */
    int    patience;            /* -1 means 0                                                */
    double min_delta;           /* default 0                                                 */
    int    restore_best;        /* keep a copy of the best parameters (allocated at the first
                                   call); tnn_early_stopping_end puts them back              */
    int    keras, any_value, start_from;
    double baseline, stop_at, diverged_at;  /* 0: none; TNN_ZERO: at zero                    */
    /* its state, all zero at first */
    int    calls, bad, best_call;                               /* calls counted from 1      */
    double best;
    float *copy;
} tnn_early_stopping;
TNN_API int        tnn_early_stop(tnn_early_stopping *stopping, tnn_net *net, double metric);
/* Puts the best parameters back if they were kept (net NULL: does not), frees the copy, and makes
   the state zero, so that the options may serve again. */
TNN_API tnn_status tnn_early_stopping_end(tnn_early_stopping *stopping, tnn_net *net);

/* Learning-rate range test (Smith 2017, 3.3), as fastai and Lightning do it: step k of n trains a
   batch with lr_k = min_lr (max_lr/min_lr)^(k/(n-1)), linear in k with .linear; losses are
   smoothed, a = beta a + (1 - beta) loss, a/(1 - beta^(k+1)); it ends early where the smoothed loss
   exceeds .diverge times its least, or a loss is not finite (a logger hears of that). The
   suggestion is the lr where the smoothed loss falls fastest from step to step (central
   differences), the first n/10 steps and the last left out (fastai's "steep"). Network, optimizer,
   schedule and lr are afterwards bit for bit as they were; a copy of the network's memory is
   allocated for the time. The loader has gone on: better give it one of its own. */
typedef struct tnn_lr_finder {
    double  min_lr, max_lr;     /* default 1e-8, 1                                           */
    int     steps;              /* n: required                                               */
    int     linear;
    double  beta;               /* default 0.98                                              */
    double  diverge;            /* default 4                                                 */
    double *lr, *loss;          /* room for n each: the curve, losses smoothed               */
    int     count;              /* out: steps done                                           */
} tnn_lr_finder;
/* The suggested lr; NaN on error, also where fewer than three points are left. */
TNN_API double tnn_lr_find(tnn_net *net, tnn_loader *loader, tnn_lr_finder *finder);

/* The gradients of a network's parameters against differences of its loss in training mode, on one
   batch. Each of `samples` takes one tensor in turn: in the first round, the third ... all of it,
   along random signs, in the others one element; those of frozen layers are left out. Returned is
   the largest difference, relative to the derivative, in excess of what rounding, corners (ReLU,
   max pooling) and curvature can make, which eight steps of each sample tell: 0 for right
   gradients, also a ResNet-20's. A wrong sign, factor or a missing term shows as 0.1 to 2; errors
   below 1 % show only in small, smooth networks, and below 10 % not where corners are many. Single
   elements are seen where they are drawn: take several of each tensor. The network is afterwards
   bit for bit as it was; a copy of its memory is allocated for the time. NaN on error. */
TNN_API double tnn_gradient_check(tnn_net *net, const float *x, const int *labels, int n,
                                  int samples);

/* The running statistics of batch (and instance) normalisation anew: their means over one pass of
   the loader, at the present parameters (torch.optim.swa_utils.update_bn). On an error they stay as
   they were. */
TNN_API tnn_status tnn_update_statistics(tnn_net *net, tnn_loader *loader);

/* A network in words. The table is torchsummary's (1.5.1), with its arithmetic and rounding: a row
   per layer in order of tnn_add under PyTorch's name, output shape, parameters; then, of one
   sample, 4 bytes a value and 2^20 a MB, the input, every row's output twice (forward, backward),
   the parameters and their sum. Ours are the column of multiply-adds (of convolutions and dense
   layers, per sample) and, last, what tnn_build allocates for a batch, training included (more with
   more threads).
     TNN_SUMMARY_MODULES      instead, what PyTorch prints of the same modules in a Sequential
     TNN_SUMMARY_FUNCTIONAL   activations without parameters, flatten, reshape, add and concat are
                              left out and not counted: in PyTorch they are then calls in forward()
                              (F.relu), which torchsummary does not see either
   Writes at most room - 1 characters and a 0 to text (NULL if room is 0); returns the length of the
   whole, as snprintf; 0 on error. Plans the network, but does not build it. */
enum { TNN_SUMMARY_MODULES = 1 << 15, TNN_SUMMARY_FUNCTIONAL = 1 << 16 };
TNN_API size_t tnn_summary(tnn_net *net, char *text, size_t room, int flags);

/* ---- 1i. Hyper-parameter search ---------------------------------------------------------------
       const tnn_variable space[] = {
           { .name = "lr",    .low = 1e-4, .high = 1e-1, .log = 1 },
           { .name = "units", .type = TNN_INT, .low = 16, .high = 128, .step = 16 },
           { .name = "act",   .type = TNN_CATEGORICAL, .choices = "relu tanh elu" } };
       tnn_study *study = tnn_study_create(.space = space, .count = 3, .trials = 50, .maximize = 1,
                                           .pruner = TNN_MEDIAN, .journal = "build/study.tsv");
       tnn_trial *t;
       while ((t = tnn_ask(study))) {
           double lr = tnn_trial_float(t, "lr"), accuracy = 0;
           for (int epoch = 0; epoch < 10; epoch++) {
               accuracy = ...
               if (tnn_report(t, epoch, accuracy)) break;          // pruned
           }
           tnn_tell(t, accuracy);
       }
       const tnn_trial *best = tnn_study_best(study);

   What options mean, and their defaults, is Optuna 3's. Trial k is drawn from (seed, k) and the
   trials that have ended: one process gives the same study every time, interrupted or not.
   THE JOURNAL is a text of tab-separated columns: a # line with the space, sampler and seed (a
   journal of another study is refused), a line of the columns' names, then one line per report
   (`step`) and per trial ended (`done`, `pruned`, `failed`):
       trial  lr  units  act  step  value  rung  state
   a categorical variable as the number of its choice; numbers read back as the same doubles. In
   gnuplot, `set datafile separator tab`, then
       plot "study.tsv" using (stringcolumn("state") eq "done" ? column("trial") : NaN):"value"
   Each line is added while the file is locked (flock), and read back; tnn_tell syncs it, too. What
   a process that was killed or a full disk left of a line is not one, and the next line takes its
   place; other lines that are not this study's are passed over. A call that fails changes nothing,
   and may be made again. Opened again, trials that ended are read and the one under way begins
   anew; of lines that say the same thing the last one counts. A file that is not a journal is
   refused, and left as it is.
   SHARED by n processes, each with its own .shard of .shards: process i runs trials i, i + n, ...
   and reads before each draw and each pruning what the others have added. The draws then depend on
   who was faster. Where two run the same trial the slower one's next report or tell is an error. */
typedef enum tnn_variable_type {
    TNN_FLOAT = 0, TNN_INT = 1301, TNN_CATEGORICAL
} tnn_variable_type;
typedef struct tnn_variable {
    const char *name;           /* required, and unique: one word                                */
    tnn_variable_type type;
    double      low, high;      /* low <= high, both included; floats within +-1e15              */
    double      step;           /* only low, low + step, ... Default: 1 for ints, any for floats */
    int         log;            /* uniform in log x: low > 0, no step                            */
    const char *choices;        /* categorical: words, a space between them                      */
    int         points;         /* of a float without step: a grid's, which needs it             */
} tnn_variable;

typedef enum tnn_sampler {
    TNN_TPE = 0,    /* tree-structured Parzen estimator, each variable by itself: of .candidates
                       drawn from l, the density of the best tenth of the trials (ceil, at most 25),
                       the one with the largest l/g, g the density of the others; random for the
                       first .startup trials     Bergstra et al. 2011; Watanabe 2023             */
    TNN_RANDOM = 1401,
    TNN_GRID        /* all combinations, the last variable fastest                               */
} tnn_sampler;

typedef enum tnn_pruner {
    TNN_NO_PRUNER = 0,
    TNN_MEDIAN = 1501, /* a trial whose best report is worse than the median, at this step, of the
                       trials done: .prune_startup .warmup .interval                             */
    TNN_HALVING     /* asynchronous successive halving (Li et al. 2020): at steps min_resource
                       factor^(min_rate + rung), rung = 0, 1 ..., only the best 1/factor of what
                       was reported there goes on: .min_resource .factor .min_rate               */
} tnn_pruner;

/* Where 0 is wanted of an int whose default is not 0: -1. The strings are not copied. */
typedef struct tnn_study_options {
    const tnn_variable *space;  /* required, copied                                              */
    int         count;          /* required: how many variables, at most 64                      */
    int         trials;         /* default 100, at most 1e6; grid: all, and never more           */
    int         maximize;       /* the larger the better                                         */
    uint64_t    seed;
    const char *journal;        /* a file's name; NULL: in memory                                */
    int         shard, shards;  /* this process of so many. Default 0 of 1                       */
    tnn_sampler sampler;
    int         startup;        /* TPE: default 10                                               */
    int         candidates;     /* default 24, at most 65536                                     */
    double      prior_weight;   /* default 1, of one trial                                       */
    int         no_magic_clip;  /* deviations down to 1e-12, not range/min(100, 2 + trials)      */
    int         endpoints;      /* consider_endpoints: the range's ends are neighbours           */
    tnn_pruner  pruner;
    int         prune_startup;  /* median: default 5 trials done                                 */
    int         warmup;         /* no pruning before this step. Default 0                        */
    int         interval;       /* steps from one look to the next. Default 1                    */
    int         min_resource;   /* halving: default a hundredth of the steps of the first trial
                                   done, at least 1; none is pruned before                       */
    int         factor;         /* default 4                                                     */
    int         min_rate;       /* default 0                                                     */
} tnn_study_options;

typedef struct tnn_study tnn_study;
typedef enum tnn_trial_state {
    TNN_WAITING = 0, TNN_RUNNING = 1801, TNN_DONE, TNN_PRUNED, TNN_FAILED
} tnn_trial_state;
typedef struct tnn_trial_report { int step, rung; double value; } tnn_trial_report;
typedef struct tnn_trial {      /* to be read; it lives as long as its study                     */
    int     number;             /* from 0                                                        */
    tnn_trial_state state;
    double  value;              /* what was told                                                 */
    double *x;                  /* of each variable, in the order of the space                   */
    tnn_trial_report *reports;  /* .count of them, steps rising; .rung: rungs of successive      */
    int     count, room;        /* halving that were passed with it                              */
    int     stop;               /* internal                                                      */
    tnn_study *study;
} tnn_trial;

#ifndef TINYNN_NO_SEARCH
/* NULL on error; behind the macro tnn_study_create. */
TNN_API tnn_study  *tnn_study_create_with(const tnn_study_options *options);
TNN_API void        tnn_study_free(tnn_study *study);
/* The next trial to run; NULL at the end of this process's share and after any error. */
TNN_API tnn_trial  *tnn_ask(tnn_study *study);
/* The value of the variable of that name; NaN, 0 and -1 where there is none of that type. A choice
   is its number, from 0. tnn_trial_float also takes the other types. */
TNN_API double      tnn_trial_float(const tnn_trial *trial, const char *name);
TNN_API int         tnn_trial_int(const tnn_trial *trial, const char *name);
TNN_API int         tnn_trial_choice(const tnn_trial *trial, const char *name);
/* An intermediate value after `step`, at least 0 and rising. Not 0: it is not worth going on (or an
   error); end the trial with tnn_tell, it will count as pruned. */
TNN_API int         tnn_report(tnn_trial *trial, int step, double value);
/* Ends the trial. NaN: it failed, and the sampler does not look at it. After an error the trial has
   not ended: tnn_clear_error, and tell it again. */
TNN_API tnn_status  tnn_tell(tnn_trial *trial, double value);
TNN_API const tnn_trial *tnn_study_best(const tnn_study *study);    /* of those done, or NULL    */
TNN_API const tnn_trial *tnn_study_trial(const tnn_study *study, int number); /* NULL: none      */
/* How much of the variance of the values told one variable explains BY ITSELF: trials are put into
   groups by choice, or by rank of a number (8 of them, fewer below 64 trials, equally large); the
   share of the variance that lies between the groups, corrected for chance as adjusted R^2, at
   least 0. It sees no interactions, and only what the sampler visited: a description of these
   trials, not an fANOVA. NaN for fewer than 4 trials done, or values that are all equal. */
TNN_API double      tnn_study_explained(const tnn_study *study, const char *name);
#endif

/* ---- 1j. Files --------------------------------------------------------------------------------
   Readers believe nothing: each length is checked against the file's before it is used, no more is
   allocated than the file's size justifies, what does not fit is refused with the byte where it
   stands, and so is whatever follows the end. A path may name a pipe (/dev/stdin, bash's <(...), a
   FIFO somebody opens within 2 seconds), which is read to its end; folders and devices are refused.
   Writers make a new file PATH.PROCESS-NUMBER.tmp, sync it, and rename it to PATH: who reads finds
   the old file or the new one, whole, whatever writers do at the same time; after a failure it is
   the old one. Links are followed, the mode stays, a file that may not be written to is refused;
   into a device, a pipe or /dev/stdout the bytes go straight. A process that is killed while it
   writes leaves its .tmp behind, which can be deleted. */
#ifndef TINYNN_NO_STDIO
/* Writes a whole file, of any contents, in that way. */
TNN_API tnn_status tnn_write_file(const char *path, const void *bytes, size_t size);
#endif

/* In this thread readers refuse files of more bytes than this, and what would take more. 0, the
   default: as many as there is memory for. */
TNN_API void   tnn_set_read_limit(size_t bytes);
TNN_API size_t tnn_read_limit(void);
typedef enum tnn_dtype {
    TNN_BOOL = 1601, TNN_U8, TNN_I8, TNN_U16, TNN_I16, TNN_U32, TNN_I32, TNN_U64, TNN_I64,
    TNN_F16, TNN_BF16, TNN_F32, TNN_F64
} tnn_dtype;

/* An array of up to 8 dimensions: `count` elements, the product of shape (1 if ndim is 0), in the
   machine's byte order, the last index running fastest. What a reader returns owns its data. */
enum { TNN_DIMS = 8 };
typedef struct tnn_array {
    tnn_dtype dtype;
    int       ndim;
    long long shape[TNN_DIMS], count;
    void     *data;         /* NULL on failure */
} tnn_array;
TNN_API void   tnn_array_free(tnn_array *array);
/* Element i as a number (64-bit ones beyond 2^53 rounded); NaN where there is none. */
TNN_API double tnn_array_value(const tnn_array *array, long long i);

/* NumPy's format .npy (numpy.lib.format), versions 1.0 to 3.0, of any of these types but BF16, of
   either byte order. Fortran order is turned into C order. Files are written little-endian in
   version 1.0: tnn_save_npy("p.npy", p, TNN_F32, 2, (long long[]){n, 10}). */
TNN_API tnn_array  tnn_parse_npy(const void *bytes, size_t size);
#ifndef TINYNN_NO_STDIO
TNN_API tnn_array  tnn_read_npy(const char *path);
TNN_API tnn_status tnn_save_npy(const char *path, const void *data, tnn_dtype dtype, int ndim,
                                const long long *shape);
#endif

/* Numbers in columns (CSV, RFC 4180): an F64 array (lines, fields), as many fields in each line,
   between commas, or semicolons or tabs if the first of them in the file is one. A field is a
   decimal number of any length, read as the nearest double, nan or inf, with spaces or double
   quotes around it or not; an empty one is NaN. A first line without a single number is one of
   names, and is passed over; so are empty lines.
       tnn_array a = tnn_read_csv("mnist_train.csv");
       tnn_data  d = tnn_array_data(&a, NULL, &(tnn_npy_options){.label_column = 1,
                                                                 .shape = {1, 28, 28}});        */
TNN_API tnn_array  tnn_parse_csv(const void *bytes, size_t size);
/* An image, PGM or PPM (netpbm.sourceforge.net), raw (P5, P6) or as text (P2, P3): (h, w) of grey
   or (h, w, 3) of red, green and blue, U8 scaled to 0..255, or U16 to 0..65535 where the file's
   largest value is above 255. */
TNN_API tnn_array  tnn_parse_pnm(const void *bytes, size_t size);
#ifndef TINYNN_NO_STDIO
TNN_API tnn_array  tnn_read_csv(const char *path);
TNN_API tnn_array  tnn_read_pnm(const char *path);
#endif

/* A data set of an array of samples (n), (n, k), (n, h, w) or (n, c, h, w), the latter three k
   channels of one pixel, one channel, c channels; and of n labels, (n) or (n, 1), whole numbers of
   any type in 0..2^24; without them all are 0. U8 stay bytes, given as byte/255; all others
   become floats, given as they are, and must be finite: for floats in 0..255 that is
   tnn_normalize(&data, 0, 255). .n is 0 on failure. Owns its memory: the arrays may be freed.
       tnn_data d = tnn_load_npy("images.npy", .labels = "labels.npy", .channels_last = 1);     */
typedef struct tnn_npy_options {
    const char *samples, *labels;   /* paths; tnn_array_data has them in messages only */
    int         channels_last;      /* samples are (n, h, w, c), as image libraries have them */
    int         shape[3];           /* c, h, w of a sample instead: its values taken as these */
    int         label_column;       /* samples are (n, k): this column of them, from 1 on, or from
                                       -1, the last, backwards, has their labels */
} tnn_npy_options;
TNN_API tnn_data   tnn_array_data(const tnn_array *samples, const tnn_array *labels,
                                  const tnn_npy_options *options);      /* or NULL */
#ifndef TINYNN_NO_STDIO
TNN_API tnn_data   tnn_load_npy_with(const tnn_npy_options *options);        /* tnn_load_npy */
#endif

/* WEIGHTS in safetensors' format (github.com/huggingface/safetensors), read strictly: a header of
   at most 100 MB, no name twice, offsets without overlap, hole or rest, sizes as shapes say.
       tnn_save_weights(net, "net.safetensors");
       tnn_load_weights(net, "net.safetensors");
   saves all that tnn_param_info names, in F32, and reads it back (what loading would not take, such
   as a weight that is NaN, saving refuses, and the old file stays); torch.nn.Sequential of the same
   layers loads the file (load_state_dict), and the other way round. In Python, a .pt or .pth:
       import torch, safetensors.torch                 # pip install safetensors
       w = torch.load("net.pt", map_location="cpu")    # a state_dict, or .state_dict() of a module
       safetensors.torch.save_file({k: v.contiguous() for k, v in w.items()}, "net.safetensors")
   .rename says what the file calls them: with {{"features.", ""}} "0.weight" is "features.0.weight"
   as in torchvision's VGG, of which the full network is {{"features.", ""}, {"classifier.0.",
   "32."}, {"classifier.3.", "35."}, {"classifier.6.", "38."}}. The longest beginning counts; where
   there is a pair, names that begin with none are left out, on both sides.
   Loading converts any type to float, of finite values only, and sets nothing before all is known
   to fit. Shapes must be the same, but dense layers take the weights of a convolution over their
   whole input (units, c, h, w), as timm's VGG has them. Tensors that one side lacks are refused;
   with .partial what both have is loaded, at least one: the first layers of a larger file, or those
   under a new head. PyTorch's num_batches_tracked does not count, but with .cumulative. */
enum { TNN_RENAMES = 64 };
typedef struct tnn_rename { const char *file, *net; } tnn_rename;
typedef struct tnn_weights_options {
    const char *path;       /* from and to memory: in messages only */
    tnn_rename  rename[TNN_RENAMES];
    int         partial;    /* loading only: as above */
    int         optional;   /* loading only: where there is no such file nothing is set, which is
                               no error */
} tnn_weights_options;
/* Loading returns the number of tensors set, 0 on error. tnn_format_weights returns the file's
   size, 0 on error, and writes it to `to` if it fits into `room` bytes. Options may be NULL. */
TNN_API int        tnn_parse_weights(tnn_net *net, const void *bytes, size_t size,
                                     const tnn_weights_options *options);
TNN_API size_t     tnn_format_weights(tnn_net *net, void *to, size_t room,
                                      const tnn_weights_options *options);
#ifndef TINYNN_NO_STDIO
TNN_API int        tnn_load_weights_with(tnn_net *net, const tnn_weights_options *options);
TNN_API tnn_status tnn_save_weights_with(tnn_net *net, const tnn_weights_options *options);
#endif

/* CHECKPOINTS: all that training needs to go on, to the bit: weights and running statistics, the
   optimizer's state, averages, learning rate and momentum in use, the places of dropout and of the
   schedule; the loader's place in its epoch; numbers of the caller's, such as the losses so far.
       tnn_save_checkpoint(net, "run.tnn", .loader = batches, .numbers = history, .count = 20);
   The program that goes on makes network, loss, optimizer, schedule and loader as before, then
       tnn_load_checkpoint(net, "run.tnn", .loader = batches, .numbers = history, .count = 20,
                           .optional = 1);
   and tnn_next gives the batch that would have come next; with .optional the first of all where
   there is no such file yet: one program begins and goes on. Nothing is set unless the whole file
   is right and fits. Neither may stand between tnn_forward and tnn_step: what was done of a step
   is neither stored nor kept.
   FORMAT: weights as above, so that tnn_load_weights and PyTorch (strict=False) read them, and
   then, all little-endian and with one dimension, in this order, those that the network has:
     tinynn.state.I   F32   flat vector I >= 2 of tnn_flat, as it lies: the optimizer's, averages
     tinynn.statistics F32  with .accumulate: what its next step makes of the running statistics
     tinynn.work      F32   L-BFGS: its memory of steps
     tinynn.integers  I64   21. Of the same value in network and loader that go on: the version of
                            the format, 1; the optimizer (its place in 1e, SGD 1); floats of a flat
                            vector; whether there is a loader, its samples, .batch, .shuffle,
                            .drop_last, .seed (without it 0); the network's .seed. Where they are:
                            training forwards (the stream of dropout); updates; updates or epochs
                            that the schedule has counted; averages taken; gradients accumulated;
                            L-BFGS's iterations, pairs kept, the oldest of them; the loader's
                            .epoch and .batch_index, and whether it stands between epochs
     tinynn.reals     F64   10: learning rate and momentum in use; batch norm's average, if > 0
                            over so many batches; four of the optimizer (NAdam's products of
                            momenta, Schedule-Free's sum of weights and largest rate); the last
                            norm of the gradients; L-BFGS's scale and step
     tinynn.numbers   F64   the caller's
     tinynn.hash      U64   one: FNV-1a (64 bits) of all bytes of the file before it             */
typedef struct tnn_checkpoint_options {
    const char *path;           /* from and to memory: in messages only */
    tnn_loader *loader;
    double     *numbers;
    int         count;          /* of numbers; where the file has fewer, 0 is for the rest; more
                                   are refused */
    int         optional;       /* loading only: where there is no such file nothing is set (the
                                   loader's .epoch stays -1), which is no error */
} tnn_checkpoint_options;
/* From and to memory; the latter as tnn_format_weights does. Options may be NULL. */
TNN_API tnn_status tnn_parse_checkpoint(tnn_net *net, const void *bytes, size_t size,
                                        const tnn_checkpoint_options *options);
TNN_API size_t     tnn_format_checkpoint(tnn_net *net, void *to, size_t room,
                                         const tnn_checkpoint_options *options);
#ifndef TINYNN_NO_STDIO
TNN_API tnn_status tnn_save_checkpoint_with(tnn_net *net, const tnn_checkpoint_options *options);
TNN_API tnn_status tnn_load_checkpoint_with(tnn_net *net, const tnn_checkpoint_options *options);
#endif

/* A trained network as one C99 file for small machines: constant arrays and a function
       void NAME(const float *x, float *y, float *work);
   of one sample x (c, h, w) to its outputs y, in evaluation mode, with the same bits as the scalar
   kernels; `work` is NAME_WORK floats of the caller's. Of the C library it takes fmaf; it
   allocates nothing. .int8 keeps the weights as bytes, each output's with one scale, the largest
   being 127: a quarter of the room, other results (measure them), and no Winograd's way; without,
   what this way would not make finite stays so: say .exact where that matters. For
   conv2d, dense, max, average and adaptive pooling, pad, upsample to the nearest, the activations
   but log softmax, batch norm with statistics, add, concat, flatten, reshape, identity, dropout and
   noise; other layers are refused.
   A forward follows: outputs of the last one are lost. */
#ifndef TINYNN_NO_EXPORT
typedef struct tnn_export_options {
    const char *path;
    const char *name;       /* of the function, a C identifier that is no word of C, C++ or their
                               libraries. Default "network" */
    int         int8;
} tnn_export_options;
/* The size of the text, 0 on error; it is written to `to` if it fits into `room` bytes. */
TNN_API size_t     tnn_format_c(tnn_net *net, void *to, size_t room,
                                const tnn_export_options *options);
#ifndef TINYNN_NO_STDIO
TNN_API tnn_status tnn_export_c_with(tnn_net *net, const tnn_export_options *options);
#endif
#endif

/* What such a file holds, in the order of its data. Parsed bytes must stay as long as the list. */
typedef struct tnn_stored {
    const char *name;
    tnn_dtype   dtype;                  /* 0: none of tnn_dtype; it cannot be read */
    int         ndim;
    long long   shape[TNN_DIMS], count;
    long long   begin, end;             /* bytes of the file's data part */
    const char *type;                   /* as the file calls it: "F32", "F8_E4M3" */
} tnn_stored;
typedef struct tnn_safetensors {
    int                  count;
    const tnn_stored    *tensor;        /* NULL on failure */
    const unsigned char *data;
    void                *memory, *file; /* what tnn_safetensors_free frees */
} tnn_safetensors;
TNN_API tnn_safetensors tnn_parse_safetensors(const void *bytes, size_t size);
#ifndef TINYNN_NO_STDIO
TNN_API tnn_safetensors tnn_read_safetensors(const char *path);
#endif
TNN_API tnn_array       tnn_safetensors_array(const tnn_safetensors *file, int i);   /* a copy */
TNN_API void            tnn_safetensors_free(tnn_safetensors *file);

/* The macros of 1k note the caller's line with this. */
TNN_API void tnn_at(const char *file, int line);

#ifdef __cplusplus
}
#endif

/* ---- 1k. Named arguments, and the caller's line -----------------------------------------------
   tnn_x(a, .option = b) in C99 (and C++20, members in the order above) makes an options struct and
   calls tnn_x_with(a, &options). Every other language and C++ before 20 fills one in and calls
   that. The macros also note the caller's file and line for messages. */
#define TNN__HERE tnn_at(__FILE__, __LINE__)
#ifdef __cplusplus
#if defined(__GNUC__) && __cplusplus > 201703L
/* g++ and clang++ (18) warn of members left out, and g++ takes a pragma only between statements; so
   these macros are not for initialisers outside functions there. */
#define TNN__OPTIONS(type, ...) tnn__address([&] { \
    _Pragma("GCC diagnostic push") \
    _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"") \
    return type{__VA_ARGS__}; \
    _Pragma("GCC diagnostic pop") }())
#else
#define TNN__OPTIONS(type, ...) tnn__address(type{__VA_ARGS__})
#endif
extern "C++" {     /* also where the header is included inside extern "C" */
template <class tnn__t> static inline const tnn__t *tnn__address(const tnn__t &t) { return &t; }
}
#else
#define TNN__OPTIONS(type, ...) &(type){__VA_ARGS__}
#endif
#define tnn_create(...) tnn_create_with(TNN__OPTIONS(tnn_net_options, __VA_ARGS__))
#define tnn_add(net, ...) tnn_add_with(net, TNN__OPTIONS(tnn_layer, .type = __VA_ARGS__))
#define tnn_set_loss(net, ...) \
    tnn_set_loss_with(net, TNN__OPTIONS(tnn_loss_options, .type = __VA_ARGS__))
#define tnn_set_optimizer(net, ...) \
    tnn_set_optimizer_with(net, TNN__OPTIONS(tnn_optimizer, .type = __VA_ARGS__))
#define tnn_set_schedule(net, ...) \
    tnn_set_schedule_with(net, TNN__OPTIONS(tnn_schedule, .type = __VA_ARGS__))
#define tnn_loader_create(data, ...) \
    tnn_loader_create_with(data, TNN__OPTIONS(tnn_loader_options, __VA_ARGS__))
#define tnn_study_create(...) tnn_study_create_with(TNN__OPTIONS(tnn_study_options, __VA_ARGS__))
#define tnn_load_npy(...) tnn_load_npy_with(TNN__OPTIONS(tnn_npy_options, .samples = __VA_ARGS__))
#define tnn_load_weights(net, ...) \
    tnn_load_weights_with(net, TNN__OPTIONS(tnn_weights_options, .path = __VA_ARGS__))
#define tnn_save_weights(net, ...) \
    tnn_save_weights_with(net, TNN__OPTIONS(tnn_weights_options, .path = __VA_ARGS__))
#define tnn_export_c(net, ...) \
    tnn_export_c_with(net, TNN__OPTIONS(tnn_export_options, .path = __VA_ARGS__))
#define tnn_save_checkpoint(net, ...) \
    tnn_save_checkpoint_with(net, TNN__OPTIONS(tnn_checkpoint_options, .path = __VA_ARGS__))
#define tnn_load_checkpoint(net, ...) \
    tnn_load_checkpoint_with(net, TNN__OPTIONS(tnn_checkpoint_options, .path = __VA_ARGS__))
/* Each of these notes the line and calls: a macro does not expand within itself. */
#define TNN__CALL(name, ...) (TNN__HERE, tnn_##name(__VA_ARGS__))
#define tnn_set_isa(...)                      TNN__CALL(set_isa, __VA_ARGS__)
#define tnn_shutdown(...)                     TNN__CALL(shutdown, __VA_ARGS__)
#define tnn_random_normal(...)                TNN__CALL(random_normal, __VA_ARGS__)
#define tnn_tensor_create(...)                TNN__CALL(tensor_create, __VA_ARGS__)
#define tnn_tensor_slice(...)                 TNN__CALL(tensor_slice, __VA_ARGS__)
#define tnn_fill(...)                         TNN__CALL(fill, __VA_ARGS__)
#define tnn_matmul(...)                       TNN__CALL(matmul, __VA_ARGS__)
#define tnn_conv2d_forward(...)               TNN__CALL(conv2d_forward, __VA_ARGS__)
#define tnn_conv2d_backward_input(...)        TNN__CALL(conv2d_backward_input, __VA_ARGS__)
#define tnn_conv2d_backward_weights(...)      TNN__CALL(conv2d_backward_weights, __VA_ARGS__)
#define tnn_maxpool2d_forward(...)            TNN__CALL(maxpool2d_forward, __VA_ARGS__)
#define tnn_maxpool2d_backward(...)           TNN__CALL(maxpool2d_backward, __VA_ARGS__)
#define tnn_avgpool2d_forward(...)            TNN__CALL(avgpool2d_forward, __VA_ARGS__)
#define tnn_avgpool2d_backward(...)           TNN__CALL(avgpool2d_backward, __VA_ARGS__)
#define tnn_softmax(...)                      TNN__CALL(softmax, __VA_ARGS__)
#define tnn_log_softmax(...)                  TNN__CALL(log_softmax, __VA_ARGS__)
#define tnn_sum(...)                          TNN__CALL(sum, __VA_ARGS__)
#define tnn_mean(...)                         TNN__CALL(mean, __VA_ARGS__)
#define tnn_max(...)                          TNN__CALL(max, __VA_ARGS__)
#define tnn_dot(...)                          TNN__CALL(dot, __VA_ARGS__)
#define tnn_argmax(...)                       TNN__CALL(argmax, __VA_ARGS__)
#define tnn_calculate_gain(...)               TNN__CALL(calculate_gain, __VA_ARGS__)
#define tnn_penalty(...)                      TNN__CALL(penalty, __VA_ARGS__)
#define tnn_create_with(...)                  TNN__CALL(create_with, __VA_ARGS__)
#define tnn_add_with(...)                     TNN__CALL(add_with, __VA_ARGS__)
#define tnn_set_loss_with(...)                TNN__CALL(set_loss_with, __VA_ARGS__)
#define tnn_set_optimizer_with(...)           TNN__CALL(set_optimizer_with, __VA_ARGS__)
#define tnn_net_bytes(...)                    TNN__CALL(net_bytes, __VA_ARGS__)
#define tnn_build(...)                        TNN__CALL(build, __VA_ARGS__)
#define tnn_output_shape(...)                 TNN__CALL(output_shape, __VA_ARGS__)
#define tnn_forward(...)                      TNN__CALL(forward, __VA_ARGS__)
#define tnn_output(...)                       TNN__CALL(output, __VA_ARGS__)
#define tnn_loss(...)                         TNN__CALL(loss, __VA_ARGS__)
#define tnn_loss_targets(...)                 TNN__CALL(loss_targets, __VA_ARGS__)
#define tnn_backward(...)                     TNN__CALL(backward, __VA_ARGS__)
#define tnn_step(...)                         TNN__CALL(step, __VA_ARGS__)
#define tnn_train_batch(...)                  TNN__CALL(train_batch, __VA_ARGS__)
#define tnn_train_batch_targets(...)          TNN__CALL(train_batch_targets, __VA_ARGS__)
#define tnn_set_lr(...)                       TNN__CALL(set_lr, __VA_ARGS__)
#define tnn_set_momentum(...)                 TNN__CALL(set_momentum, __VA_ARGS__)
#define tnn_set_group(...)                    TNN__CALL(set_group, __VA_ARGS__)
#define tnn_clip_grad(...)                    TNN__CALL(clip_grad, __VA_ARGS__)
#define tnn_use_average(...)                  TNN__CALL(use_average, __VA_ARGS__)
#define tnn_param_count(...)                  TNN__CALL(param_count, __VA_ARGS__)
#define tnn_param_info(...)                   TNN__CALL(param_info, __VA_ARGS__)
#define tnn_param_total(...)                  TNN__CALL(param_total, __VA_ARGS__)
#define tnn_get_param(...)                    TNN__CALL(get_param, __VA_ARGS__)
#define tnn_set_param(...)                    TNN__CALL(set_param, __VA_ARGS__)
#define tnn_get_grad(...)                     TNN__CALL(get_grad, __VA_ARGS__)
#define tnn_flat(...)                         TNN__CALL(flat, __VA_ARGS__)
#define tnn_hash(...)                         TNN__CALL(hash, __VA_ARGS__)
#define tnn_schedule_lr(...)                  TNN__CALL(schedule_lr, __VA_ARGS__)
#define tnn_schedule_momentum(...)            TNN__CALL(schedule_momentum, __VA_ARGS__)
#define tnn_set_schedule_with(...)            TNN__CALL(set_schedule_with, __VA_ARGS__)
#define tnn_end_epoch(...)                    TNN__CALL(end_epoch, __VA_ARGS__)
#define tnn_plateau_update(...)               TNN__CALL(plateau_update, __VA_ARGS__)
#define tnn_load_idx(...)                     TNN__CALL(load_idx, __VA_ARGS__)
#define tnn_parse_idx(...)                    TNN__CALL(parse_idx, __VA_ARGS__)
#define tnn_data_view(...)                    TNN__CALL(data_view, __VA_ARGS__)
#define tnn_normalize(...)                    TNN__CALL(normalize, __VA_ARGS__)
#define tnn_subset(...)                       TNN__CALL(subset, __VA_ARGS__)
#define tnn_split(...)                        TNN__CALL(split, __VA_ARGS__)
#define tnn_sample(...)                       TNN__CALL(sample, __VA_ARGS__)
#define tnn_loader_create_with(...)           TNN__CALL(loader_create_with, __VA_ARGS__)
#define tnn_next(...)                         TNN__CALL(next, __VA_ARGS__)
#define tnn_evaluate(...)                     TNN__CALL(evaluate, __VA_ARGS__)
#define tnn_confusion(...)                    TNN__CALL(confusion, __VA_ARGS__)
#define tnn_train_epoch(...)                  TNN__CALL(train_epoch, __VA_ARGS__)
#define tnn_early_stop(...)                   TNN__CALL(early_stop, __VA_ARGS__)
#define tnn_early_stopping_end(...)           TNN__CALL(early_stopping_end, __VA_ARGS__)
#define tnn_lr_find(...)                      TNN__CALL(lr_find, __VA_ARGS__)
#define tnn_gradient_check(...)               TNN__CALL(gradient_check, __VA_ARGS__)
#define tnn_update_statistics(...)            TNN__CALL(update_statistics, __VA_ARGS__)
#define tnn_summary(...)                      TNN__CALL(summary, __VA_ARGS__)
#define tnn_study_create_with(...)            TNN__CALL(study_create_with, __VA_ARGS__)
#define tnn_ask(...)                          TNN__CALL(ask, __VA_ARGS__)
#define tnn_trial_float(...)                  TNN__CALL(trial_float, __VA_ARGS__)
#define tnn_trial_int(...)                    TNN__CALL(trial_int, __VA_ARGS__)
#define tnn_trial_choice(...)                 TNN__CALL(trial_choice, __VA_ARGS__)
#define tnn_report(...)                       TNN__CALL(report, __VA_ARGS__)
#define tnn_tell(...)                         TNN__CALL(tell, __VA_ARGS__)
#define tnn_study_best(...)                   TNN__CALL(study_best, __VA_ARGS__)
#define tnn_study_explained(...)              TNN__CALL(study_explained, __VA_ARGS__)
#define tnn_write_file(...)                   TNN__CALL(write_file, __VA_ARGS__)
#define tnn_array_value(...)                  TNN__CALL(array_value, __VA_ARGS__)
#define tnn_parse_npy(...)                    TNN__CALL(parse_npy, __VA_ARGS__)
#define tnn_read_npy(...)                     TNN__CALL(read_npy, __VA_ARGS__)
#define tnn_save_npy(...)                     TNN__CALL(save_npy, __VA_ARGS__)
#define tnn_parse_csv(...)                    TNN__CALL(parse_csv, __VA_ARGS__)
#define tnn_parse_pnm(...)                    TNN__CALL(parse_pnm, __VA_ARGS__)
#define tnn_read_csv(...)                     TNN__CALL(read_csv, __VA_ARGS__)
#define tnn_read_pnm(...)                     TNN__CALL(read_pnm, __VA_ARGS__)
#define tnn_array_data(...)                   TNN__CALL(array_data, __VA_ARGS__)
#define tnn_load_npy_with(...)                TNN__CALL(load_npy_with, __VA_ARGS__)
#define tnn_parse_weights(...)                TNN__CALL(parse_weights, __VA_ARGS__)
#define tnn_format_weights(...)               TNN__CALL(format_weights, __VA_ARGS__)
#define tnn_load_weights_with(...)            TNN__CALL(load_weights_with, __VA_ARGS__)
#define tnn_save_weights_with(...)            TNN__CALL(save_weights_with, __VA_ARGS__)
#define tnn_parse_checkpoint(...)             TNN__CALL(parse_checkpoint, __VA_ARGS__)
#define tnn_format_checkpoint(...)            TNN__CALL(format_checkpoint, __VA_ARGS__)
#define tnn_save_checkpoint_with(...)         TNN__CALL(save_checkpoint_with, __VA_ARGS__)
#define tnn_load_checkpoint_with(...)         TNN__CALL(load_checkpoint_with, __VA_ARGS__)
#define tnn_format_c(...)                     TNN__CALL(format_c, __VA_ARGS__)
#define tnn_export_c_with(...)                TNN__CALL(export_c_with, __VA_ARGS__)
#define tnn_parse_safetensors(...)            TNN__CALL(parse_safetensors, __VA_ARGS__)
#define tnn_read_safetensors(...)             TNN__CALL(read_safetensors, __VA_ARGS__)
#define tnn_safetensors_array(...)            TNN__CALL(safetensors_array, __VA_ARGS__)

#endif /* TINYNN_H */

#if defined(TINYNN_IMPLEMENTATION) && (defined(TNN__PASS) || !defined(TNN__IMPLEMENTED))

/* ==== 2. FOUNDATIONS ===========================================================================
   HOW TO READ ON. The implementation goes from the bottom up: nothing is used before it stands. A
   first reading may skip 2a, 3 and all from 15 on. What happens to a batch is told at the head of
   12; the operations that it passes through, at the head of 6.

   LETTERS stand for the same thing everywhere:
     x, y, w, b      input, output, weights, biases;  dx, dy, dw, db: the loss's gradients by them
     n, c, h, w      samples, channels, height, width;  oc, oh, ow: those of an output
     i, j, r         indexes: mostly sample or element, column or output, row
     u, v            row and column of a window;  s, p, d before h or w: its stride, pad, dilation
     m, n, k         of a product C += A B: rows of A, columns of B, what is summed over
     q, g            a convolution (tnn__conv), its geometry
     k, a, t         in front of ->: the kernels in use (tnn__isa_table), an operation on a sample
                     (tnn__sample_at), a product (tnn__mm)
     e, p            a status; text or bytes that are read

   HOW TO ADD. Each table is in the order of its enum; new entries go to the end of both. An option
   is a member of the options struct, an entry in the list of its options and a word in the rows of
   those that read it. tests/test_api.c holds a list of every enumerator, and tries every option.
     a kernel      3: the function, TNN__FN(name), from the vector layer alone; 2f: its line in
                   TNN__KERNELS. It must give the bits of its scalar instance, so sums have a fixed
                   order. tests/test_kernels.c compares all instruction sets, in guarded memory
     an activation 1e: its enumerator, with the formula; 2b: its name in tnn__choices; 2f: its word
                   in TNN__ACTIVATIONS; 3c: a TNN__ACTIVATION of f and f'; 6l: a TNN__FUNCTION row;
                   14: PyTorch's name, or "" for none; 17: f in C, or NULL. tests/test_kernels.c
                   and tests/reference.h have f and f' in double precision, tests/test_modules.c
                   its name in the vectors, which tests/layer_vectors.py makes with PyTorch
     a layer       1e, 2b, 14, 17 as an activation; 6: a block with the mathematics above it, shape,
                   forward, backward; 6l: its row, and columns for what few layers need. Vectors as
                   above; tests/random_net.h puts it into random networks
     a loss        1e: its enumerator and formula; 2b; 3h: the formula of a row and its gradient; 8:
                   its row. tests/loss_vectors.py, tests/test_losses.c
     an optimizer  1e: enumerator and update; 2b; 2f: its line in TNN__RULES; 3f: the rule; the head
                   of 10 says where what only some need goes. tests/optimizer_vectors.py
     a schedule    1f: enumerator and formula; 2b; 11: its row and its w(t).
                   tests/schedule_vectors.py */
#ifndef TNN__PASS
#define TNN__IMPLEMENTED

/* ---- 2a. Portability --------------------------------------------------------------------------
   Everything that depends on the compiler stands here (the vector layer of 3a aside).            */
#include <float.h>
#include <limits.h>
#include <math.h>           /* fmaf, sqrt and sqrtf only: the exact ones */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#ifdef TINYNN_NO_STDIO
#define TNN__GETENV(name) NULL
#else
#define TNN__GETENV(name) getenv(name)
#include <stdio.h>
#endif

/* -ffast-math is refused where the compiler tells of it: gcc tells of any part, clang of some. The
   pragma below turns others off in clang. tnn__check_arithmetic finds the rest, at first use. */
#if defined(__FAST_MATH__) || defined(_M_FP_FAST) || defined(__GCC_IEC_559) && __GCC_IEC_559 == 0 \
    || defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0
#error "tinynn.h promises the same bits on every machine: " \
       "compile without -ffast-math, -Ofast, /fp:fast and what is part of them " \
       "(-ffinite-math-only, -fno-signed-zeros, -fsingle-precision-constant ...)"
#endif

/* Section 3 is read once per instruction set: this file includes itself. The name is
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

/* Turns -fno-signed-zeros and -freciprocal-math off in clang, from here to the end of the
   implementation (not on ARM); in the intrinsics too, if this includes them first. */
#if defined(__clang__)
    #pragma clang diagnostic push
    #pragma clang diagnostic ignored "-Wignored-pragmas"
    #pragma float_control(precise, on, push)
    #pragma clang diagnostic pop
#endif

#if defined(TINYNN_NO_SIMD) || defined(__TINYC__) || defined(__BIG_ENDIAN__)
    /* scalar only */
#elif (defined(__x86_64__) && defined(__GNUC__)) || defined(_M_X64)
    #define TNN__X86
    #if defined(__OPTIMIZE__) || defined(_MSC_VER)
        #define TNN__AVX512             /* at -O0 its frames have up to 26 KB */
    #endif
    #include <immintrin.h>              /* declares every intrinsic, whatever the flags */
    #ifndef _MSC_VER
        #include <cpuid.h>
    #endif
#elif (defined(__aarch64__) && defined(__GNUC__)) || defined(_M_ARM64)
    #define TNN__NEON
    #include <arm_neon.h>
#endif

#if defined(TINYNN_SCALAR) || !defined(TNN__X86) && !defined(TNN__NEON)
    #define TNN__SCALAR 1
#else
    #define TNN__SCALAR 0
#endif

#if defined(__GNUC__) && !defined(__TINYC__)
    #define TNN__TARGET(isa) __attribute__((target(isa)))
    #ifdef __OPTIMIZE__
    #define TNN__INLINE      static inline __attribute__((always_inline, unused))
    #else                               /* the frames of all that is inlined would add up */
    #define TNN__INLINE      static __attribute__((unused))
    #endif
    #define TNN__UNUSED      __attribute__((unused))
    #define TNN__OWN_CALL    __attribute__((noinline, unused))
    #define TNN__THREAD      static __thread
    #ifdef __clang__
        #define TNN__UNROLL  _Pragma("unroll")
    #else
        #define TNN__UNROLL  _Pragma("GCC unroll 16")
    #endif
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
    #define TNN__OWN_CALL    __declspec(noinline)
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
    #define TNN__OWN_CALL
    #define TNN__THREAD      static
    #ifndef TINYNN_NO_THREADS
    #define TINYNN_NO_THREADS
    #endif
#endif
#ifndef TNN__UNROLL
    #define TNN__UNROLL                 /* before a loop of few, known turns */
#endif
#ifndef TNN__LOAD
    #define TNN__LOAD(p)     (*(p))
    #define TNN__STORE(p, v) (*(p) = (v))
    #define TNN__ADD(p, v)   ((*(p) += (v)) - (v))
    #define TNN__SWAP(p, old, v) (*(p) == (old) ? (*(p) = (v), 1) : 0)
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
        TNN__WINDOWS unsigned long __stdcall WaitForSingleObject(void *, unsigned long);
        TNN__WINDOWS unsigned long __stdcall GetActiveProcessorCount(unsigned short);
        #ifdef _WIN64
        typedef unsigned long long tnn__mask;
        #else
        typedef unsigned long tnn__mask;
        #endif
        TNN__WINDOWS int  __stdcall GetProcessAffinityMask(void *, tnn__mask *, tnn__mask *);
        struct HINSTANCE__;
        TNN__WINDOWS int  __stdcall GetModuleHandleExA(unsigned long, const char *,
                                                       struct HINSTANCE__ **);
        TNN__WINDOWS void __stdcall FreeLibraryAndExitThread(struct HINSTANCE__ *, unsigned long);
        #ifdef __cplusplus
        }
        #endif
    #else
        #include <pthread.h>
        #include <sched.h>
        #include <unistd.h>
        #ifdef __linux__
            /* Under names of our own: the headers hide them without _GNU_SOURCE, or as -std=c99. */
            #ifdef __cplusplus
            extern "C" {
            #endif
            typedef struct { unsigned long bits[128/sizeof(long)]; } tnn__signals;
            extern int tnn__sigfillset(tnn__signals *) __asm__("sigfillset");
            extern int tnn__sigmask(int, const tnn__signals *, tnn__signals *)
                __asm__("pthread_sigmask");
            extern int tnn__getaffinity(int, size_t, unsigned long *) __asm__("sched_getaffinity");
            #ifdef __cplusplus
            }
            #endif
            #if defined(__mips__) || defined(__alpha__)
            #define TNN__SIG_SETMASK 3
            #elif defined(__sparc__)
            #define TNN__SIG_SETMASK 4
            #else
            #define TNN__SIG_SETMASK 2
            #endif
        #else
            #include <signal.h>
            typedef sigset_t tnn__signals;
            #define tnn__sigfillset  sigfillset
            #define tnn__sigmask     pthread_sigmask
            #define TNN__SIG_SETMASK SIG_SETMASK
        #endif
    #endif
#endif

/* Files as the system has them: numbers, errors in errno. TNN__RENAME replaces; 0: done. */
#ifndef TINYNN_NO_STDIO
    #include <errno.h>
    #include <fcntl.h>
    #include <sys/stat.h>
    #include <sys/types.h>
    #if defined(_WIN32)
        #include <io.h>
        #include <process.h>
        #include <sys/locking.h>
        #ifdef __cplusplus
        extern "C" {
        #endif
        __declspec(dllimport) int __stdcall MoveFileExA(const char *, const char *, unsigned long);
        #ifdef __cplusplus
        }
        #endif
        #define TNN__SYS(name)    _##name
        #define TNN__O(flag)      (_O_##flag | _O_BINARY | _O_NOINHERIT)
        #define TNN__COUNT(n)     (unsigned)(n)
        #define TNN__PLAIN(mode)  (((mode) & _S_IFMT) == _S_IFREG)
        #define TNN__SYNC(f)      _commit(f)
        #define TNN__SEEK(f, at)  _lseeki64(f, at, SEEK_SET)
        #define TNN__RENAME(a, b) (MoveFileExA(a, b, 1 | 8) ? 0 : (errno = EACCES, -1))
        #define TNN__PIPE(mode)   (((mode) & _S_IFMT) == _S_IFIFO)
        #define TNN__O_INPUT      TNN__O(RDONLY)
    #else
        #include <poll.h>
        #include <sys/file.h>
        #include <unistd.h>
        #ifndef __cplusplus             /* -std=c99 hides them, no C++ does */
        extern int (fsync)(int);
        extern ssize_t (readlink)(const char *, char *, size_t);
        #endif
        #define TNN__SYS(name)    name
        #ifdef O_CLOEXEC
        #define TNN__O(flag)      (O_##flag | O_CLOEXEC)
        #else
        #define TNN__O(flag)      O_##flag
        #endif
        #define TNN__COUNT(n)     (size_t)(n)
        #define TNN__PLAIN(mode)  S_ISREG(mode)
        #define TNN__SYNC(f)      fsync(f)
        #define TNN__SEEK(f, at)  lseek(f, (off_t)(at), SEEK_SET)
        #define TNN__RENAME(a, b) rename(a, b)
        #define TNN__PIPE(mode)   S_ISFIFO(mode)
        #define TNN__O_INPUT      (TNN__O(RDONLY) | O_NONBLOCK)     /* no wait for a writer */
    #endif
#endif

#define TNN__CAT_(a, b) a##b
#define TNN__CAT(a, b)  TNN__CAT_(a, b)
#define TNN__STR_(a)    #a
#define TNN__STR(a)     TNN__STR_(a)
#define TNN__MIN(a, b)  ((a) < (b) ? (a) : (b))
#define TNN__MAX(a, b)  ((a) > (b) ? (a) : (b))
#define TNN__NAN        (HUGE_VAL - HUGE_VAL)

/* gcc fuses a*b + c on its own, even across intrinsics, unless told not to; and gcc 12 warns about
   its own _mm512_undefined_ps(). All this ends with the implementation. */
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

/* Counts and strides of floats: signed, so that they may mix; also where addresses have 32 bits of
   64, so that what does not fit there can be counted and told. */
typedef int64_t tnn__len;

#ifdef __MINGW32__
/* a*b + c, rounded once, where fmaf rounds twice. From doubles: the product of two floats is exact
   in one, and their sum survives a second rounding if its last bit is odd whenever it is not exact
   (Boldo and Melquiond 2008). */
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

/* The caller's mode of arithmetic: how it rounds, and whether it takes denormal numbers for zeros;
   0 is IEEE 754's default. What else the registers hold, flags and traps, is left alone. */
#if (defined(__SSE__) && defined(__GNUC__) && !defined(__TINYC__)) || defined(_M_X64)
    #ifdef _MSC_VER
    #define TNN__MODE_GET()   _mm_getcsr()
    #define TNN__MODE_SET(m)  _mm_setcsr(m)
    #else
    #define TNN__MODE_GET()   __builtin_ia32_stmxcsr()
    #define TNN__MODE_SET(m)  __builtin_ia32_ldmxcsr(m)
    #endif
    #define TNN__MODE_BITS    0xe040u                   /* flush to zero, rounding, denormals */
#elif defined(__aarch64__) && defined(__GNUC__)
    TNN__INLINE uint64_t TNN__MODE_GET(void)
    {
        uint64_t m;
        __asm__ volatile ("mrs %0, fpcr" : "=r"(m));
        return m;
    }
    #define TNN__MODE_SET(m)  __asm__ volatile ("msr fpcr, %0" : : "r"((uint64_t)(m)))
    #define TNN__MODE_BITS    0x03c00003u               /* default NaN, too */
#endif
#ifndef TNN__MODE_BITS
    #define TNN__MODE_GET()   0u
    #define TNN__MODE_SET(m)  ((void)(m))
    #define TNN__MODE_BITS    0u
#endif
#if (!TNN__MODE_BITS || defined(__i386__)) && !defined(TINYNN_NO_STDIO)     /* x87 has its own */
    #include <fenv.h>
    #ifdef FE_TONEAREST
    #define TNN__FENV
    #endif
#endif
/* The mode as it is. */
TNN__INLINE unsigned tnn__mode(void)
{
    const unsigned mode = (unsigned)TNN__MODE_GET() & TNN__MODE_BITS;
#ifdef TNN__FENV
    return mode | (unsigned)(fegetround() ^ FE_TONEAREST);
#else
    return mode;
#endif
}
/* Sets it to what tnn__mode returned, or to 0. */
static void tnn__set_mode(unsigned mode)
{
#ifdef TNN__FENV
    fesetround((int)(mode & ~TNN__MODE_BITS) ^ FE_TONEAREST);
#endif
    TNN__MODE_SET((TNN__MODE_GET() & ~TNN__MODE_BITS) | (mode & TNN__MODE_BITS));
}
/* A public function that can fail or computes is defined by its name behind this word; section 18
   has what is called so from outside, and sees to the mode. In between, calls go straight. */
#define TNN_API_GATED static TNN__OWN_CALL
#undef TNN__CALL
#define TNN__CALL(name, ...) tnn__do_##name(__VA_ARGS__)

/* ---- 2b. Errors -------------------------------------------------------------------------------
   An error is a value: a function that fails returns a status, or NULL, after tnn__fail has put a
   message together and given it to the logger. The first message of a thread is kept until
   tnn_clear_error. A message says what was wrong, where, and how to mend it. */
typedef struct {
    const char *file;           /* where the caller is, or NULL */
    int         line, layer;    /* layer: the one that the plan has come to, or 0 */
    tnn_status  status;
    int         quiet;          /* in a hook: what it raises is told after it */
    char        message[400];
} tnn__error_state;
TNN__THREAD tnn__error_state tnn__err;
static void (*tnn__log)(void *, const char *);
static void *tnn__log_user;
static int   tnn__log_lock;

/* Takes a lock that is held for a few moves. It needs no 2e: the threads of a program with
   TINYNN_NO_THREADS use it, too. */
static void tnn__hold(int *lock)
{
    int none = 0;
    while (!TNN__SWAP(lock, none, 1)) none = 0;
}
/* Gives it back. */
static void tnn__let_go(int *lock) { TNN__STORE(lock, 0); }

/* Says where the next call of this thread comes from; the macros of 1k call it. */
TNN_API void tnn_at(const char *file, int line)
{
    tnn__err.file = file;
    tnn__err.line = line;
}
/* Whether a call of this thread has failed: the first status, TNN_OK (0) if none. */
TNN_API int         tnn_failed(void) { return (int)tnn__err.status; }
/* Its message, or "". */
TNN_API const char *tnn_error(void)  { return tnn__err.status ? tnn__err.message : ""; }
/* Forgets it. */
TNN_API void        tnn_clear_error(void)
{
    tnn__err.status = TNN_OK;
    tnn__err.message[0] = 0;
}
/* From now on every message goes to `log`, of all threads; NULL: none does. */
TNN_API void        tnn_set_logger(void (*log)(void *user, const char *message), void *user)
{
    tnn__hold(&tnn__log_lock);
    tnn__log = log;
    tnn__log_user = user;
    tnn__let_go(&tnn__log_lock);
}
#ifndef TINYNN_NO_STDIO
/* A logger. */
static void tnn__to_stderr(void *user, const char *message)
{
    (void)user;
    fprintf(stderr, "%s\n", message);
}
/* Messages go to stderr, a line each. */
TNN_API void        tnn_log_to_stderr(void) { tnn_set_logger(tnn__to_stderr, NULL); }
#endif
/* To the logger; without one to stderr if the environment's TINYNN_LOG says so. */
static void tnn__tell(const char *message)
{
    void (*log)(void *, const char *);
    void *user;
    tnn__hold(&tnn__log_lock);
    log = tnn__log;
    user = tnn__log_user;
    tnn__let_go(&tnn__log_lock);
    if (log) log(user, message);
#ifndef TINYNN_NO_STDIO
    else {
        const char *on = TNN__GETENV("TINYNN_LOG");
        if (on && *on && strcmp(on, "0")) tnn__to_stderr(NULL, message);
    }
#endif
}

/* Writes s at `to`, as far as it goes before `end`; returns where it ends. No zero is added. */
static char *tnn__put(char *to, char *end, const char *s)
{
    while (*s && to < end) *to++ = *s++;
    return to;
}
/* The digits of v, with a sign. */
static char *tnn__put_int(char *to, char *end, long long v)
{
    char digits[24], *d = digits + sizeof digits - 1;
    unsigned long long u = v < 0 ? 0ull - (unsigned long long)v : (unsigned long long)v;
    *d = 0;
    do *--d = (char)('0' + u % 10); while (u /= 10);
    if (v < 0) *--d = '-';
    return tnn__put(to, end, d);
}
/* Up to 6 significant digits: "nan", "inf", 120000, 0.00125, 3e-20. */
static char *tnn__put_double(char *to, char *end, double v)
{
    int e = 0;
    long long m;
    if (v != v) return tnn__put(to, end, "nan");
    if (v < 0) { to = tnn__put(to, end, "-"); v = -v; }
    if (v > 1e300) return tnn__put(to, end, "inf");
    if (v == 0) return tnn__put(to, end, "0");
    while (v >= 1e6) { v /= 10; e++; }
    while (v < 1e5 && e > -330) { v *= 10; e--; }
    m = (long long)(v + 0.5);                           /* six digits, m * 10^e */
    while (m && m % 10 == 0) { m /= 10; e++; }
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
/* The little of printf that messages need, so that they work without stdio: %s string, %d int,
   %l long long, %g double. Any other % stands for itself. Always ends with a zero. */
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
    if (tnn__err.layer)
        to = tnn__put(tnn__put_int(tnn__put(to, end, "layer "), end, tnn__err.layer), end, ", ");
    tnn__format(to, (size_t)(end - to) + 1, format, args);
    if (!tnn__err.status) {
        tnn__err.status = status;
        memcpy(tnn__err.message, text, sizeof text);
    }
    if (!tnn__err.quiet) tnn__tell(text);
    return status;
}
/* The same of the public call that tnn_at has named. */
static tnn_status tnn__fail(tnn_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    status = tnn__fail_at(tnn__err.file, tnn__err.line, status, format, args);
    va_end(args);
    return status;
}

/* Tells the logger what is no error. */
static void tnn__note(const char *format, ...)
{
    char text[sizeof tnn__err.message];
    va_list args;
    va_start(args, format);
    tnn__format(text, sizeof text, format, args);
    va_end(args);
    tnn__tell(text);
}

/* Whether an option is TNN_ZERO, perhaps rounded to a float; or -0, which it was once. */
static int tnn__is_zero(double value)
{
    uint64_t u;
    memcpy(&u, &value, sizeof u);
    return u == (uint64_t)1 << 63 || (value > 1.2345678e-38 && value < 1.234568e-38);
}
/* An option: zero means the default, TNN_ZERO zero. */
static double tnn__default(double value, double otherwise)
{
    return tnn__is_zero(value) ? 0 : value > 0 || value < 0 || value != value ? value : otherwise;
}

/* CHOICES. Constant v of a public enum is name v%100 of line v/100 below, counted from 0: each enum
   has a range of its own, so that what is meant for one cannot pass for another. 0 is the first
   name of every line, "-" where it is none. Flags are bits above all of them. */
#define TNN__NTH(choice) ((int)(choice)%100)
enum { TNN__NO_CHOICE = 1900 };
static const struct { const char *what, *of, *names; } tnn__choices[] = {
    {"a mode", "tnn_forward", "EVAL TRAIN"},
    {"a layer", "tnn_add", "- CONV2D DENSE MAXPOOL2D AVGPOOL2D FLATTEN RELU LEAKY_RELU DROPOUT "
     "CONV_TRANSPOSE2D ADAPTIVE_MAXPOOL2D ADAPTIVE_AVGPOOL2D UPSAMPLE PAD RESHAPE IDENTITY ADD "
     "CONCAT SCALE BATCHNORM LAYERNORM GROUPNORM INSTANCENORM RMSNORM PRELU RELU6 ELU SELU CELU "
     "GELU SILU MISH SOFTPLUS SOFTSIGN SIGMOID LOG_SIGMOID TANH HARDTANH HARDSIGMOID HARDSWISH "
     "SOFTMAX LOG_SOFTMAX GLU DROPOUT2D ALPHA_DROPOUT GAUSSIAN_DROPOUT GAUSSIAN_NOISE "
     "STOCHASTIC_DEPTH CUSTOM_LAYER"},
    {"a loss", "tnn_set_loss", "- CROSS_ENTROPY NLL MULTI_MARGIN MSE L1 HUBER SMOOTH_L1 LOG_COSH "
     "BCE BCE_LOGITS FOCAL HINGE SQUARED_HINGE HINGE_EMBEDDING KL_DIV POISSON_NLL GAUSSIAN_NLL "
     "COSINE_LOSS DICE CUSTOM_LOSS"},
    {"an optimizer", "tnn_set_optimizer", "- SGD ADAM ADAMW ASGD ADAGRAD ADADELTA RMSPROP RPROP "
     "ADAMAX NADAM RADAM LION ADABELIEF ADAN ADEMAMIX SCHEDULE_FREE_SGD SCHEDULE_FREE_ADAMW "
     "SOPHIA LARS LAMB ADAFACTOR MUON LBFGS CUSTOM"},
    {"a schedule", "tnn_set_schedule", "- CONSTANT STEP MULTISTEP EXPONENTIAL INVERSE_TIME LINEAR "
     "POLYNOMIAL COSINE COSINE_RESTARTS ANNEAL WSD ONE_CYCLE CYCLIC SEQUENTIAL CHAINED LAMBDA "
     "MULTIPLICATIVE"},
    {"a sampling", ".mode and .pad_mode of layers", "- ZEROS REFLECT REPLICATE CIRCULAR NEAREST "
     "BILINEAR BILINEAR_ALIGNED"},
    {"a kind of initial value", ".init and .bias_init", "INIT_DEFAULT INIT_HE_UNIFORM "
     "INIT_HE_NORMAL INIT_XAVIER_UNIFORM INIT_XAVIER_NORMAL INIT_ZERO INIT_LECUN_UNIFORM "
     "INIT_LECUN_NORMAL INIT_FAN_IN INIT_UNIFORM INIT_NORMAL INIT_TRUNCATED INIT_CONSTANT INIT_ONE "
     "INIT_EYE INIT_ORTHOGONAL INIT_SPARSE"},
    {"a fan", ".init_with.fan", "FAN_DEFAULT FAN_IN FAN_OUT FAN_AVERAGE"},
    {"a constraint", ".constraint of layers", "UNCONSTRAINED MAX_NORM UNIT_NORM MIN_MAX_NORM "
     "NON_NEGATIVE"},
    {"a reduction", ".reduction of losses", "REDUCE_MEAN REDUCE_SUM REDUCE_BATCHMEAN"},
    {"a kind of clipping", "tnn_clip_grad", "- CLIP_VALUE CLIP_TENSOR CLIP_NORM"},
    {"an annealing", ".anneal of schedules", "ANNEAL_COSINE ANNEAL_LINEAR ANNEAL_SQRT"},
    {"a border", ".border of loaders", "BORDER_FILL BORDER_EDGE BORDER_REFLECT"},
    {"a type of variable", "tnn_variable", "FLOAT INT CATEGORICAL"},
    {"a sampler", ".sampler of studies", "TPE RANDOM GRID"},
    {"a pruner", ".pruner of studies", "NO_PRUNER MEDIAN HALVING"},
    {"a type of elements", "arrays", "- BOOL U8 I8 U16 I16 U32 I32 U64 I64 F16 BF16 F32 F64"},
    {"a dialect", ".dialect of tnn_create", "PYTORCH KERAS"},
    {"a state", "trials", "WAITING RUNNING DONE PRUNED FAILED"}, {"one of them", "", ""}
};
/* What is called otherwise here than elsewhere: constant given, an enum's first, what was meant. */
static const struct { int given, wanted; const char *meant; } tnn__meant[] = {
    {TNN_LINEAR, TNN_CONV2D, "a layer with weights and biases is TNN_DENSE"},
    {TNN_NEAREST, TNN_CONV2D, "a layer that enlarges images is TNN_UPSAMPLE"},
    {TNN_BILINEAR, TNN_CONV2D, "a layer that enlarges images is TNN_UPSAMPLE"},
    {TNN_SOFTMAX, TNN_CROSS_ENTROPY, "the loss of logits by classes is TNN_CROSS_ENTROPY"},
    {TNN_LOG_SOFTMAX, TNN_CROSS_ENTROPY, "the loss behind it is TNN_NLL"},
    {TNN_SIGMOID, TNN_CROSS_ENTROPY, "the loss of logits by themselves is TNN_BCE_LOGITS"},
    {TNN_ZEROS, TNN_INIT_HE_UNIFORM, "weights of 0 are TNN_INIT_ZERO"},
    {TNN_ZEROS, TNN_BORDER_EDGE, "that is .fill = 0 with TNN_BORDER_FILL"},
    {TNN_REPLICATE, TNN_BORDER_EDGE, "that is TNN_BORDER_EDGE"},
    {TNN_BORDER_EDGE, TNN_ZEROS, "that is TNN_REPLICATE"},
    {TNN_INT, TNN_BOOL, "integers of 32 bits are TNN_I32"}
};
/* The name of constant number `at` of a line, without TNN_; its length, 0 where there is none. */
static int tnn__choice_name(int line, int at, const char **name)
{
    const int lines = (int)(sizeof tnn__choices/sizeof *tnn__choices);
    const char *p = line >= 0 && line < lines ? tnn__choices[line].names : "";
    while (at > 0 && *p) at -= *p++ == ' ';
    *name = p;
    while (!at && *p && *p != ' ' && *p != '-') p++;
    return (int)(p - *name);
}
/* Is `value` one of the enum that `wanted` belongs to? Where not, the error says what it is and
   what was probably meant: of losses TNN_COSINE_LOSS for TNN_COSINE. `what`: the call or option. */
static tnn_status tnn__choice(const char *what, int value, int wanted)
{
    char text[240], *to = text, *end = text + sizeof text - 1;
    const int line = wanted/100, given = value/100;
    const char *a, *b, *meant = NULL;
    const int n = tnn__choice_name(value ? given : line, TNN__NTH(value), &a);
    int i;
    size_t k;
    if (n && (given == line || !value)) return TNN_OK;
    if (!n || value < 100) {
        i = tnn__choice_name(line, 1, &b);
        *tnn__put(text, TNN__MIN(end, text + i), b) = 0;
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: %d is not %s%s%s%s", what, value,
                         tnn__choices[line].what, i ? " (TNN_" : "", text, i ? " is one)" : "");
    }
    to = tnn__put(tnn__put(to, end, "TNN_"), TNN__MIN(end, to + 4 + n), a);
    to = tnn__put(tnn__put(to, end, " is "), end, tnn__choices[given].what);
    to = tnn__put(tnn__put(tnn__put(to, end, ", for "), end, tnn__choices[given].of), end, "; ");
    for (k = 0; k < sizeof tnn__meant/sizeof *tnn__meant && !meant; k++)
        if (tnn__meant[k].given == value && tnn__meant[k].wanted/100 == line)
            meant = tnn__meant[k].meant;
    for (i = 0; !meant && i < 100; i++) {       /* the one name within the other? */
        const int m = tnn__choice_name(line, i, &b), at = m > n ? m - n : n - m;
        const char *longer = m > n ? b : a, *shorter = m > n ? a : b;
        const size_t size = (size_t)TNN__MIN(m, n);
        if (!m || !at || ((longer[at - 1] != '_' || memcmp(longer + at, shorter, size))
                          && (longer[size] != '_' || memcmp(longer, shorter, size)))) continue;
        to = tnn__put(tnn__put(to, end, tnn__choices[line].what), end, " is TNN_");
        to = tnn__put(to, TNN__MIN(end, to + m), b);
        meant = "";
    }
    if (!meant) to = tnn__put(tnn__put(to, end, "needed is "), end, tnn__choices[line].what);
    *tnn__put(to, end, meant ? meant : "") = 0;
    return tnn__fail(TNN_ERROR_ARGUMENT, "%s: %s", what, text);
}

/* WHO READS WHAT. In the tables of kinds stands what each reads of its struct's options, in words:
   "slope"; "mix:mixup|cutmix", which does something only if one of these two is set, too;
   "momentum:statistics:!cumulative", only with the one and without the other; "-eps", not even if
   all kinds read it. A word stands for its _h and _w, too. What is set and not read is an error. */

/* An option: a member, what 0 means of it, and its range. type: 'i' int, 'l' long long, 'f' float,
   'd' double, 'D' double that is less than `most`; 0: anything, without a range. */
typedef struct {
    const char *name;
    size_t      at, size;
    int         type;
    double      otherwise, least, most;
} tnn__option;
#define TNN__RANGE(of, member, type, otherwise, least, most) \
    {#member, offsetof(of, member), sizeof ((of *)0)->member, type, otherwise, least, most}
#define TNN__OPTION(of, member) TNN__RANGE(of, member, 0, 0, 0, 0)
/* Where in `words` the word that stands for `name` ends; NULL: none does. */
static const char *tnn__word(const char *words, const char *name)
{
    for (; words && *words; words += *words == ' ') {
        const size_t n = strcspn(words, " :|"), all = strcspn(words, " ");
        if (!strncmp(words, name, n) && (!name[n] || !strcmp(name + n, "_h")
                                         || !strcmp(name + n, "_w"))) return words + n;
        words += all;
    }
    return NULL;
}
/* Whether an option that the word at `word` stands for is set: its bytes are not all 0. */
static int tnn__is_set(const void *options, const tnn__option *list, int n, const char *word)
{
    static const char zeros[256] = {0};
    int i;
    for (i = 0; i < n; i++)
        if (tnn__word(word, list[i].name) == word + strcspn(word, " :|")
            && memcmp((const char *)options + list[i].at, zeros, list[i].size)) return 1;
    return 0;
}
/* The words of a row of kinds: those of row 0 are at `reads`, each next `each` bytes further. */
static const char *tnn__reads_of(const char *const *reads, size_t each, int row)
{
    const char *words;
    memcpy(&words, (const char *)(const void *)reads + each*(size_t)row, sizeof words);
    return words;
}
/* Refuses what is set of the n options in `list` and not read: by constant `kind` of the enum with
   the constant `first`, whose row of the kinds' table has its words `each` bytes after the row
   before, at `reads`; or, with first 0, by anyone, according to `common`. */
static tnn_status tnn__check_options(const char *what, const void *options, const tnn__option *list,
                                     int n, int first, int kind, const char *const *reads,
                                     size_t each, const char *common)
{
    char text[300], *to = text, *end = text + sizeof text - 1;
    const char *name, *own = NULL;
    int i, k, has = 0;
    if (first) own = tnn__reads_of(reads, each, TNN__NTH(kind));
    for (i = 0; i < n; i++) {
        const char *at = NULL;
        char without[64] = "-";
        if (!tnn__is_set(options, &list[i], 1, list[i].name)) continue;
        *tnn__put(without + 1, without + sizeof without - 1, list[i].name) = 0;
        if (!tnn__word(own, without)) {
            at = tnn__word(own, list[i].name);
            if (!at) at = tnn__word(common, list[i].name);
        }
        for (; at && *at == ':'; at += strcspn(at, " :")) {
            const char *word = ++at;
            int met = 0;
            for (; !met; word += strcspn(word, " :|") + 1) {
                met = *word == '!' ? !tnn__is_set(options, list, n, word + 1)
                                   : tnn__is_set(options, list, n, word);
                if (word[strcspn(word, " :|")] != '|') break;
            }
            if (met) continue;
            to = tnn__put(tnn__put(tnn__put(to, end, "."), end, list[i].name), end,
                          *at == '!' ? " does nothing with ." : " does nothing without .");
            for (at += *at == '!'; *at && *at != ' ' && *at != ':'; at++)
                if (*at == '|') to = tnn__put(to, end, " or .");
                else if (to < end) *to++ = *at;
            *to = 0;
            return tnn__fail(TNN_ERROR_ARGUMENT, "%s: %s", what, text);
        }
        if (at) continue;
        if (first) {
            k = tnn__choice_name(first/100, TNN__NTH(kind), &name);
            to = tnn__put(tnn__put(to, end, "TNN_"), TNN__MIN(end, to + 4 + k), name);
        } else to = tnn__put(to, end, "it");
        to = tnn__put(tnn__put(to, end, " has no ."), end, list[i].name);
        for (k = 0, has = 0; first && has < 4 && tnn__choice_name(first/100, k, &name) + !k; k++) {
            const int length = tnn__choice_name(first/100, k, &name);
            if (!length || !tnn__word(tnn__reads_of(reads, each, k), list[i].name)) continue;
            to = tnn__put(to, end, has++ ? ", " : "; .");
            if (has == 1) to = tnn__put(tnn__put(to, end, list[i].name), end, " is of ");
            to = tnn__put(tnn__put(to, end, "TNN_"), TNN__MIN(end, to + 4 + length), name);
        }
        for (k = 0, has = 0; k < n && has < 9; k++) {   /* what it has instead */
            const char *tail = strrchr(list[k].name, '_');
            if (!tnn__word(own, list[k].name)
                || (tail && (!strcmp(tail, "_h") || !strcmp(tail, "_w")))) continue;
            to = tnn__put(to, end, ++has > 8 ? " ..." : has > 1 ? " ." : "; it has .");
            if (has < 9) to = tnn__put(to, end, list[k].name);
        }
        *to = 0;
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: %s", what, text);
    }
    return TNN_OK;
}
#define TNN__COUNT_OF(array) ((int)(sizeof (array)/sizeof *(array)))
/* The same of a whole list, where the kinds' table has a member .reads. */
#define TNN__CHECK_OPTIONS(what, options, list, first, kind, table, common) \
    tnn__check_options(what, options, list, TNN__COUNT_OF(list), first, (int)(kind), \
                       &(table)[0].reads, sizeof *(table), common)
/* The same of a list without kinds. */
#define TNN__CHECK_READ(what, options, list, common) \
    tnn__check_options(what, options, list, TNN__COUNT_OF(list), 0, 0, NULL, 0, common)

/* Fills in the default of an option with a range and refuses what is outside, NaN too; `what`
   begins the message, NULL: nothing is refused. Zero is TNN_ZERO of floats, and -1 of an int from 0
   on of which 0 means something else. */
static tnn_status tnn__check_range(const char *what, void *options, const tnn__option *row)
{
    void *at = (char *)options + row->at;
    const int whole = row->type == 'i' || row->type == 'l';
    const double given = row->type == 'i' ? *(int *)at : row->type == 'f' ? (double)*(float *)at
                       : row->type == 'l' ? (double)*(long long *)at : *(double *)at;
    const int minus = row->type == 'i' && row->least >= 0 && row->least <= 0
                      && row->otherwise > 0 && given >= -1 && given <= -1;
    const double value = minus ? 0 : tnn__default(given, row->otherwise);
    const int unset = value < row->least && tnn__default(given, 1) > 0 && !(given > 0);
    if (what && !(value >= row->least && value <= row->most
                  && (row->type != 'D' || value < row->most)))
        return whole
             ? tnn__fail(TNN_ERROR_ARGUMENT, "%s.%s = %l must be %s%l to %l", what, row->name,
                         (long long)given, unset ? "given, " : "", (long long)row->least,
                         (long long)row->most)
             : tnn__fail(TNN_ERROR_ARGUMENT, "%s.%s = %g must be %sin [%g, %g%s", what, row->name,
                         unset ? given : value, unset ? "given, " : "", row->least, row->most,
                         row->type == 'D' ? ")" : "]");
    switch (row->type) {
    case 'i': *(int *)at = (int)value; break;
    case 'l': *(long long *)at = (long long)value; break;
    case 'f': *(float *)at = (float)value; break;
    default: *(double *)at = value;
    }
    return TNN_OK;
}
/* The same of n options. It comes after tnn__check_options: afterwards all of them are set. */
static tnn_status tnn__check_ranges(const char *what, void *options, const tnn__option *row, int n)
{
    for (; n > 0; n--, row++)
        if (row->type && tnn__check_range(what, options, row)) return TNN_ERROR_ARGUMENT;
    return TNN_OK;
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

#define TNN__HUGE ((tnn__len)(INT64_MAX / 64))
#define TNN__OBJECT TNN__MIN(TNN__HUGE, (tnn__len)PTRDIFF_MAX - 128)    /* more than any object */
#define TNN__MOST (1 << 30)     /* floats of a sample: products of its sizes fit in an int */
/* a b for sizes; what is too large is TNN__HUGE, a few of which can be added without overflow. */
static tnn__len tnn__mul(tnn__len a, tnn__len b)
{
    return b != 0 && a > TNN__HUGE / b ? TNN__HUGE : a * b;
}
/* The multiple of `unit` at or above n. */
static tnn__len tnn__round_up(tnn__len n, tnn__len unit) { return (n + unit - 1) / unit * unit; }
/* How many blocks of `size` cover n. */
static int tnn__blocks(int n, int size) { return (int)(((tnn__len)n + size - 1)/size); }

/* Memory at a multiple of TNN__ALIGN bytes, as it comes; the allocator's own pointer stands before
   it. NULL and TNN_ERROR_MEMORY, "WHAT: cannot allocate ...", on failure. */
static void *tnn__alloc_raw(tnn__len bytes, const char *what)
{
    char *raw = NULL, *p;
    if (bytes < TNN__OBJECT)
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
/* The same, of zeros. */
static void *tnn__alloc(tnn__len bytes, const char *what)
{
    void *p = tnn__alloc_raw(bytes, what);
    if (p) memset(p, 0, (size_t)bytes);
    return p;
}
/* Gives back what these two gave, or NULL. */
static void tnn__release(void *p)
{
    char *raw;
    if (!p) return;
    memcpy(&raw, (char *)p - sizeof raw, sizeof raw);
    TINYNN_FREE(TINYNN_CONTEXT, raw);
}
TNN__THREAD size_t tnn__limit;
/* The bytes that readers of files may take for one object, 0: any number. Per thread. */
TNN_API void   tnn_set_read_limit(size_t bytes) { tnn__limit = bytes; }
/* What was set. */
TNN_API size_t tnn_read_limit(void)             { return tnn__limit; }
/* Whether an object of a file may take `bytes`; 0 and TNN_ERROR_MEMORY if not. */
static int tnn__within_limit(tnn__len bytes, const char *what)
{
    if (!tnn__limit || (uint64_t)bytes <= tnn__limit) return 1;
    tnn__fail(TNN_ERROR_MEMORY, "%s: %l bytes; tnn_set_read_limit allows %l", what,
              (long long)bytes, (long long)tnn__limit);
    return 0;
}
/* Memory for one, not zeroed; NULL on failure. */
static void *tnn__read_alloc(tnn__len bytes, const char *what)
{
    return tnn__within_limit(bytes, what) ? tnn__alloc_raw(bytes, what) : NULL;
}
/* `count` zeros, and TNN__SLACK behind them; NULL on failure. */
static float *tnn__floats(tnn__len count, const char *what)
{
    return (float *)tnn__alloc(tnn__mul(count + TNN__SLACK, (tnn__len)sizeof(float)), what);
}
/* The same, not zeroed. */
static float *tnn__workspace(tnn__len count, const char *what)
{
    return (float *)tnn__alloc_raw(tnn__mul(count + TNN__SLACK, (tnn__len)sizeof(float)), what);
}

/* An allocation that is handed out piece by piece; with memory NULL the pieces are only counted. So
   one function says what a network needs and where it stands. */
typedef struct { float *memory; tnn__len used; } tnn__arena;
/* The next piece, at a multiple of 16 floats; NULL when counting. */
static float *tnn__take(tnn__arena *arena, tnn__len floats)
{
    float *p = arena->memory ? arena->memory + arena->used : NULL;
    arena->used = tnn__round_up(arena->used + TNN__MIN(floats, TNN__HUGE), 16);
    arena->used = TNN__MIN(arena->used, TNN__HUGE);
    return p;
}

/* ---- 2d. Random numbers -----------------------------------------------------------------------
   Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011): ten rounds of two 32 x 32 -> 64 bit products
   over a 128-bit counter (index, stream) with a 64-bit key (seed). A number depends on these three
   alone, so any thread can draw any element, and vectors of them are drawn the same (3g).
   What is made of them needs log, cos and exp. Those of libm differ from machine to machine; those
   here are plain double arithmetic. */
#define TNN__PHILOX_M0 0xD2511F53u
#define TNN__PHILOX_M1 0xCD9E8D57u
#define TNN__PHILOX_W0 0x9E3779B9u
#define TNN__PHILOX_W1 0xBB67AE85u
/* r = the four words of a block. */
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
/* Word element%4 of block element/4. */
TNN_API uint32_t tnn_random_bits(uint64_t seed, uint64_t stream, uint64_t element)
{
    uint32_t r[4];
    tnn__philox(seed, stream, element / 4, r);
    return r[element % 4];
}
/* In [0, 1), from the upper 24 bits: exact. */
TNN_API float tnn_random_uniform(uint64_t seed, uint64_t stream, uint64_t element)
{
    return (float)(tnn_random_bits(seed, stream, element) >> 8) * (1.0f / 16777216.0f);
}

/* log x to about 1e-15: x = 2^e m with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s) as a series in
   s = (m-1)/(m+1). */
static double tnn__log_double(double x)
{
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
/* cos(2 pi u) for 0 <= u < 1, to about 1e-15: folded to an eighth of a turn, then the series. */
static double tnn__cos_turn(double u)
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
/* x^y for x >= 0, to about (1 + |y log x|) 4e-16 of itself; 0^0 is 1, and x^1 is x. */
static double tnn__pow(double x, double y)
{
    return !(y > 0 || y < 0) ? 1 : x == 0 ? 0 : y == 1 ? x : tnn__exp_double(y*tnn__log_double(x));
}
/* Box and Muller 1958, from words 0 and 1 of block `element`. */
TNN_API_GATED float tnn_random_normal(uint64_t seed, uint64_t stream, uint64_t element)
{
    uint32_t r[4];
    tnn__philox(seed, stream, element, r);
    return (float)(sqrt(-2 * tnn__log_double((r[0] + 1.0) / 4294967296.0))
                   * tnn__cos_turn(r[1] / 4294967296.0));
}
/* Puts order (n) into a random order: Fisher and Yates 1938. */
TNN_API void tnn_shuffle(int *order, int n, uint64_t seed, uint64_t stream)
{
    int i;
    for (i = n - 1; i > 0; i--) {
        const uint64_t bits = tnn_random_bits(seed, stream, (uint64_t)i);
        const int j = (int)((bits*((uint64_t)i + 1)) >> 32), t = order[i];
        order[i] = order[j];
        order[j] = t;
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
   waited for. If another thread uses the pool at the moment, the caller does all tasks itself. The
   child of a fork begins with a new pool. A call without f ends the helpers. */
typedef void tnn__task(void *context, int task, int worker);
#ifdef __cplusplus
#define TNN__NOTHROW noexcept   /* what throws would leave helpers at work for a dead call */
#else
#define TNN__NOTHROW
#endif
#define TNN__MAX_THREADS 64

static int tnn__threads_wanted;         /* by tnn_set_threads; 0: not yet known */

#ifdef TINYNN_NO_THREADS
/* Always 1. */
TNN_API int  tnn_threads(void) { return 1; }
/* Changes nothing. */
TNN_API void tnn_set_threads(int threads) { tnn__threads_wanted = threads; }
/* Has nothing to end. */
TNN_API_GATED tnn_status tnn_shutdown(void) { return TNN_OK; }
/* All tasks, one after the other. */
static void tnn__run(int threads, int tasks, tnn__task *f, void *context) TNN__NOTHROW
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
    int        workers;
    struct { int next, end, pad[14]; } share[TNN__MAX_THREADS];
#ifdef _WIN32
    void      *lock, *wake;             /* an SRWLOCK, a CONDITION_VARIABLE: zero at first */
    void      *thread[TNN__MAX_THREADS];
    struct HINSTANCE__ *module;         /* helpers keep loaded what they run */
#else
    pthread_mutex_t    lock;
    pthread_cond_t     wake;
    pthread_t          thread[TNN__MAX_THREADS];        /* of number 1.. */
#endif
} tnn__pool
#ifndef _WIN32
    = { 0, 0, 0, 0, 0, 0, 0, {{0, 0, {0}}}, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
        {0} }
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

#if defined(__linux__) && !defined(TINYNN_NO_STDIO)
#ifndef TNN__ROOT
#define TNN__ROOT ""            /* where /proc and /sys are: tests have their own */
#endif
/* The number with which the file PATH/NAME begins, and in *second the one after it; 0: none. */
static long long tnn__limit_of(const char *path, const char *name, long long *second)
{
    char text[4200], *end = text + sizeof text - 1;
    long long first;
    ssize_t n;
    int f;
    *tnn__put(tnn__put(text, end, path), end, name) = 0;
    f = open(text, TNN__O(RDONLY));
    n = f < 0 ? 0 : read(f, text, 60);
    if (f >= 0) close(f);
    text[TNN__MAX(n, 0)] = 0;
    first = strtoll(text, &end, 10);
    *second = strtoll(end, NULL, 10);
    return first;
}
/* `most`, or fewer processors if a quota of the process's control groups says so. A group is named
   by each line NUMBER:CONTROLLERS:PATH of /proc/self/cgroup; those above it count as well. Version
   2 has no controllers there, and a file "quota period"; version 1 has a file for each. */
static int tnn__quota(int most)
{
    char groups[4096], path[4150], *line, *next, *end = path + sizeof path - 1;
    const int f = open(TNN__ROOT "/proc/self/cgroup", TNN__O(RDONLY));
    const ssize_t n = f < 0 ? 0 : read(f, groups, sizeof groups - 1);
    if (f >= 0) close(f);
    groups[TNN__MAX(n, 0)] = 0;
    for (line = groups; (next = strchr(line, '\n')) != NULL; line = next + 1) {
        char *controllers = strchr(line, ':'), *group, *p, *root;
        *next = 0;
        if (!controllers || !(group = strchr(++controllers, ':'))) continue;
        *group++ = 0;
        for (p = strstr(controllers, "cpu"); p && p[3] && p[3] != ','; p = strstr(p + 3, "cpu")) {}
        if (*controllers && !p) continue;
        root = tnn__put(tnn__put(path, end, TNN__ROOT "/sys/fs/cgroup/"), end, controllers);
        *(p = tnn__put(root, end, group)) = 0;
        while (p >= root) {
            long long period, none, quota;
            *p = 0;
            if (*controllers) {
                quota = tnn__limit_of(path, "/cpu.cfs_quota_us", &none);
                period = tnn__limit_of(path, "/cpu.cfs_period_us", &none);
            } else
                quota = tnn__limit_of(path, "/cpu.max", &period);
            if (quota > 0 && period > 0) most = (int)TNN__MIN(most, (quota - 1)/period + 1);
            while (--p >= root && *p != '/') {}
        }
    }
    return most;
}
#elif !defined(_WIN32)
/* Quotas are Linux's. */
static int tnn__quota(int most) { return most; }
#endif
/* How many processors the process may use, as far as the system says so. */
static int tnn__processors(void)
{
#ifdef _WIN32
    tnn__mask own, all;
    int n = 0;
    if (GetProcessAffinityMask((void *)(intptr_t)-1, &own, &all) && own != all)
        for (; own; own &= own - 1) n++;
    return n ? n : (int)GetActiveProcessorCount(0xffff);        /* of all groups */
#else
    int n = 0;
#ifdef __linux__
    unsigned long set[1024/sizeof(long)], bits;
    size_t i;
    memset(set, 0, sizeof set);
    if (!tnn__getaffinity(0, sizeof set, set))
        for (i = 0; i < sizeof set/sizeof *set; i++)
            for (bits = set[i]; bits; bits &= bits - 1) n++;
#endif
    return tnn__quota(n ? n : (int)sysconf(_SC_NPROCESSORS_ONLN));
#endif
}

/* What was set, or TINYNN_THREADS in the environment, or the number of processors. A word in the
   environment that is no number is told of once. */
TNN_API int tnn_threads(void)
{
    static int said;
    int n = TNN__LOAD(&tnn__threads_wanted);
    if (!n) {
        const char *e = TNN__GETENV("TINYNN_THREADS"), *d;
        for (d = e ? e : ""; *d >= '0' && *d <= '9' && n <= TNN__MAX_THREADS; d++)
            n = 10*n + *d - '0';
        if (!e || *d || n < 1 || n > TNN__MAX_THREADS) {
            n = TNN__MAX(1, TNN__MIN(tnn__processors(), TNN__MAX_THREADS));
            if (e && *e && !TNN__ADD(&said, 1))
                tnn__note("TINYNN_THREADS=\"%s\" is ignored, %d are used: it must be a number from "
                          "1 to %d", e, n, TNN__MAX_THREADS);
        }
        TNN__STORE(&tnn__threads_wanted, n);
    }
    return n;
}
/* 0: as if it was never set. */
TNN_API void tnn_set_threads(int threads)
{
    TNN__STORE(&tnn__threads_wanted, TNN__MAX(0, TNN__MIN(threads, TNN__MAX_THREADS)));
}

/* Does a worker's share of the call's tasks, and then what is left of the others'. */
static void tnn__work(int worker)
{
    int i, n = tnn__pool.workers;
    for (i = 0; i < n; i++) {
        int w = (worker + i) % n, task;
        while ((task = TNN__ADD(&tnn__pool.share[w].next, 1)) < tnn__pool.share[w].end)
            tnn__pool.f(tnn__pool.context, task, worker);
    }
}

/* A helper's life: it takes part in each call once and ends with the call that has no f. Helpers
   have the numbers 1, 2, ...; one whose number is beyond a call's workers stays out. Before it
   sleeps it looks at the word once more, under the lock, so no call goes unseen. */
static void tnn__helper(int number)
{
    int seen = 1 /* no generation */, idle = 0;
    tnn__set_mode(0);
    for (;;) {
        int word = TNN__LOAD(&tnn__pool.word);
        if ((word & TNN__OPEN) && (word & ~(TNN__OPEN | TNN__INSIDE)) != seen) {
            if (TNN__SWAP(&tnn__pool.word, word, word + 1)) {
                const int ends = !tnn__pool.f;
                seen = word & ~(TNN__OPEN | TNN__INSIDE);
                if (number < tnn__pool.workers) tnn__work(number);
                TNN__ADD(&tnn__pool.word, -1);
                if (ends) return;
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
/* A thread's first function. */
static unsigned __stdcall tnn__helper_main(void *p)
{
    tnn__helper((int)(intptr_t)p);
    FreeLibraryAndExitThread(tnn__pool.module, 0);
    return 0;
}
#else
/* A thread's first function. */
static void *tnn__helper_main(void *p) { tnn__helper((int)(intptr_t)p); return NULL; }
/* The child of a fork has no helpers, and maybe a lock that one of them holds. */
static void tnn__after_fork(void)
{
    const pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
    tnn__log_lock = 0;
    tnn__pool.word = tnn__pool.busy = tnn__pool.sleepers = tnn__pool.started = 0;
    tnn__pool.lock = lock;
    tnn__pool.wake = wake;
}
#endif
/* Starts helpers up to threads - 1; those that the system refuses are done without. Signals are the
   program's, so helpers block all of them. Their stack has at least 256 KiB, even where `ulimit -s`
   or the system would give less: the library takes 48, the rest is for the program's own layers
   and losses. */
static void tnn__start_helpers(int threads)
{
#ifndef _WIN32
    static int registered;
    tnn__signals all, own;
    pthread_attr_t attributes;
    size_t stack;
    if (!registered) registered = !pthread_atfork(NULL, NULL, tnn__after_fork);
    tnn__sigfillset(&all);
    if (pthread_attr_init(&attributes)) return;
    if (!pthread_attr_getstacksize(&attributes, &stack) && stack < 1 << 18)
        pthread_attr_setstacksize(&attributes, 1 << 18);
    if (tnn__sigmask(TNN__SIG_SETMASK, &all, &own)) return;
#endif
    while (tnn__pool.started < threads - 1) {
        intptr_t number = tnn__pool.started + 1;
#ifdef _WIN32
        tnn__pool.thread[number] =
            (void *)_beginthreadex(NULL, 0, tnn__helper_main, (void *)number, 0, NULL);
        if (!tnn__pool.thread[number]) break;
        /* 4: the module with this address; each helper counts as one more that has it loaded */
        GetModuleHandleExA(4, (const char *)(uintptr_t)tnn__helper_main, &tnn__pool.module);
#else
        if (pthread_create(&tnn__pool.thread[number], &attributes, tnn__helper_main,
                           (void *)number))
            break;
#endif
        tnn__pool.started++;
    }
#ifndef _WIN32
    tnn__sigmask(TNN__SIG_SETMASK, &own, NULL);
    pthread_attr_destroy(&attributes);
#endif
}

/* Begins a call: generation + 1, open, nobody inside; unsigned, because it wraps around. */
static void tnn__start_call(tnn__task *f, void *context, int workers)
{
    tnn__pool.f = f;
    tnn__pool.context = context;
    tnn__pool.workers = workers;
    TNN__STORE(&tnn__pool.word,
               (int)(((unsigned)TNN__LOAD(&tnn__pool.word) & ~511u) + 512u + TNN__OPEN));
    if (TNN__LOAD(&tnn__pool.sleepers)) {
        TNN__LOCK();
        TNN__WAKE();
        TNN__UNLOCK();
    }
}
/* Ends the helpers; 0: a call is using them. */
static int tnn__end_helpers(void)
{
    int zero = 0;
    if (!TNN__SWAP(&tnn__pool.busy, zero, 1)) return 0;
    tnn__start_call(NULL, NULL, 0);
    for (; tnn__pool.started; tnn__pool.started--) {
#ifdef _WIN32
        WaitForSingleObject(tnn__pool.thread[tnn__pool.started], 0xffffffffu);
        CloseHandle(tnn__pool.thread[tnn__pool.started]);
#else
        pthread_join(tnn__pool.thread[tnn__pool.started], NULL);
#endif
    }
    TNN__AND(&tnn__pool.word, ~TNN__OPEN);
    TNN__STORE(&tnn__pool.busy, 0);
    return 1;
}
/* Ends the helpers, until a call needs them again; TNN_ERROR_ARGUMENT while one uses them. */
TNN_API_GATED tnn_status tnn_shutdown(void)
{
    return tnn__end_helpers() ? TNN_OK
        : tnn__fail(TNN_ERROR_ARGUMENT, "tnn_shutdown: a call is using the helper threads");
}
#if defined(__GNUC__) && !defined(_WIN32)
/* The process exits, or unloads the library. Nobody is waited for who may wait for this thread. */
__attribute__((destructor)) static void tnn__unload(void) { tnn__end_helpers(); }
#endif

/* f(context, task, worker) for all tasks, on at most `threads` threads; returns after the last. */
static void tnn__run(int threads, int tasks, tnn__task *f, void *context) TNN__NOTHROW
{
    int i, zero = 0;
    threads = TNN__MIN(TNN__MIN(threads, tasks), TNN__MAX_THREADS);
    if (threads < 2 || !TNN__SWAP(&tnn__pool.busy, zero, 1)) {
        for (i = 0; i < tasks; i++) f(context, i, 0);
        return;
    }
    if (tnn__pool.started < threads - 1) tnn__start_helpers(threads);
    for (i = 0; i < threads; i++) {
        tnn__pool.share[i].end = (int)((tnn__len)tasks * (i + 1) / threads);
        TNN__STORE(&tnn__pool.share[i].next, (int)((tnn__len)tasks * i / threads));
    }
    tnn__start_call(f, context, threads);
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
    tnn__len     bp, b0, b1, b2, ldb;       /* panel to panel, b0, b1 and b2 as a0, a1 and a2 */
    float       *c;             /* rows at i0*c0 + i*ldc, 16 columns each, cp from panel to panel */
    tnn__len     c0, ldc, cp;
    const float *bias;          /* TNN__BIAS: 16 per panel, contiguous */
    int          n0, rows, n1, n2, run;
    int          cols;          /* columns of C that are written; B is read in whole panels */
    int          start;         /* C starts from zero, from what it holds, or from the bias */
    int          relu;          /* and ends as max(C, 0) */
} tnn__mm;
enum { TNN__ZERO, TNN__KEEP, TNN__BIAS };
/* A tile of C: 3b. */
typedef void tnn__tile(const tnn__mm *t, const float *a, const float *b, float *c, tnn__len ldc,
                       tnn__len cp, tnn__len j);

/* CHAINS. The products of one element of C are added in chains of at most TNN__CHAIN fused
   multiply-adds, cut by n1, n2 and run alone: a run that is longer into nearly equal parts;
   otherwise as many of n2, or of n1, as fit. The first chain starts from the bias or from zero,
   each of the others from zero, and its sum is added to C. */
#define TNN__CHAIN 320
/* How many of n steps, each of `each` products, make one chain: nearly equal parts. */
static int tnn__chain(tnn__len n, tnn__len each)
{
    const tnn__len most = TNN__MAX(1, TNN__CHAIN/TNN__MAX(1, each));
    const tnn__len parts = TNN__MAX(1, (n + most - 1)/most);
    return (int)((n + parts - 1)/parts);
}

/* A depthwise convolution: every channel on its own, vectors of channels.
       y[i,j] = bias + sum_{u<kh,v<kw} w[u,v] x[i*x_row + j*x_col + u*x_u + v*x_v]     dw likewise
   Weights are panels of 16 channels, `panel` floats apart, w_u and w_v from element to element. */
typedef struct {
    const float *x, *w, *bias, *dy;
    float       *y, *dw, *low;      /* low: see 3a */
    tnn__len     x_row, x_col, x_u, x_v, w_u, w_v, panel, y_row, y_col;
    int          rows, cols, c, kh, kw;
    int          relu, keep;
} tnn__depthwise;

/* WINOGRAD'S CONVOLUTION, F(2x2, 3x3) (Lavin and Gray 2016): a tile of 2 x 2 outputs y from 4 x 4
   inputs d by 16 products instead of 36, the weights' gradient likewise:

       y = A^T [sum_c (G g G^T) o (B^T d B)] A      dg = G^T [sum_tiles (B^T d B) o (A dy A^T)] G

             1  0 -1  0          1   0   0         1  0
       B^T = 0  1  1  0     G = 1/2 1/2 1/2    A = 1  1     o element by element: each of the 16
             0 -1  1  0         1/2-1/2 1/2        1 -1     is a matrix product over channels or
             0  1  0 -1          0   0   1         0 -1     tiles

   What is transformed is 16 matrices, `each` floats apart, that of element (i, k) the (4i + k)-th:
   for every tile of a block of rows x cols a row of channels.

   The bounds in 1e: every term of y passes 2 roundings in B^T d B, 4 in G g G^T, at most C in the
   products (chains and their sums), 4 in A^T . A, one with the bias; and rows of |B^T| add up to 2,
   of |G| to 1, 3/2, 3/2, 1, of which |A^T| takes 1 + 3/2 + 3/2: (2*4)^2 = 64. Of dg 2, 2, T and 4
   roundings; rows of |A| are 1, 2, 2, 1, of which |G^T| takes at most 3: (2*3)^2 = 36. */
typedef struct {
    const float *x;             /* the block's first pixel: of d, or of dy */
    float       *v, *y;         /* transformed; the block's first output */
    const float *bias;          /* or NULL */
    float       *where;         /* with `pool`: places of the maxima, as y; or NULL */
    tnn__len     x_row, y_row, where_row, each;
    int          rows, cols, c, relu;
    int          pool;          /* y is the maximum of each tile */
    unsigned char *bad;         /* of each row: whether an output was not finite */
} tnn__tiles;

/* A window moved over an image of c channels (last), ih x iw pixels, giving oh x ow. */
typedef struct {
    int c, ih, iw, oh, ow, kh, kw, sh, sw, ph, pw, dh, dw, exclude_pad;
    int adaptive;               /* pooling: output i sees in*i/out .. (in*(i+1) - 1)/out */
} tnn__pool_geometry;
/* Where the window of output i begins, and its size, in one dimension. */
static int tnn__first(const tnn__pool_geometry *g, int i, int in, int out, int s, int p)
{
    return g->adaptive ? (int)((tnn__len)in*i/out) : i*s - p;
}
static int tnn__extent(const tnn__pool_geometry *g, int i, int in, int out, int k)
{
    if (!g->adaptive) return k;
    return (int)(((tnn__len)in*(i + 1) + out - 1)/out - (tnn__len)in*i/out);
}
#define TNN__ROWS_OF(g, i) const int y_0 = tnn__first(g, i, (g)->ih, (g)->oh, (g)->sh, (g)->ph), \
                                     kh = tnn__extent(g, i, (g)->ih, (g)->oh, (g)->kh)
#define TNN__COLS_OF(g, j) const int x_0 = tnn__first(g, j, (g)->iw, (g)->ow, (g)->sw, (g)->pw), \
                                     kw = tnn__extent(g, j, (g)->iw, (g)->ow, (g)->kw)

typedef struct {                /* dropout: with probability p `dropped`, else scale x + shift */
    float    p, scale, shift, dropped;
    uint64_t seed;
} tnn__drop;

typedef struct {                /* one step of an optimizer over a run of floats */
    const tnn_optimizer *o;
    float    *w, *g, *s[TNN_STATES];    /* parameters, gradients, state */
    double    lr, decay;        /* with the layer's factors; decay: L2 or of a rule's own kind   */
    double    shrink, sign;     /* the weight is w + shrink w, the gradient sign g, at first     */
    double    bias1, bias2, bias3;      /* 1 - beta^t */
    double    c[2];             /* running numbers of a rule: tnn__advance */
    long long step;             /* t, from 1 */
    double    estimate;         /* Sophia: > 0, and g is of drawn labels */
} tnn__update;

typedef struct {                /* a loss: section 8 */
    int    kind, p, full;       /* its tnn_loss_type, or a variant of that; options */
    float  a, b;                /* its numbers: 3h */
    float  x_lo, x_hi, t_lo, t_hi;      /* outputs and targets allowed; lo > hi: any */
    double divisor;             /* the gradient is divided by it */
    const float *weights, *pos_weights;     /* of each output, or NULL */
} tnn__criterion;
enum { TNN__KL_LOG = TNN_CUSTOM_LOSS + 1, TNN__POISSON_RATE, TNN__LOSSES };  /* the variants */

/* The activations of 3d, each with its gradient. */
#define TNN__ACTIVATIONS(X) \
    X(elu) X(clamp) X(hardsigmoid) X(hardswish) X(gelu) X(gelu_tanh) X(silu) X(mish) X(softplus) \
    X(softsign) X(sigmoid) X(log_sigmoid) X(tanh)
enum {
#define TNN__X(name) TNN__ACT_##name,
    TNN__ACTIVATIONS(TNN__X)
#undef TNN__X
    TNN__ACT_COUNT
};
typedef struct {                /* y = f(x), dx = dy f'(x); p: up to three options */
    void (*forward)(tnn__len n, const float *x, float *y, const float *p);
    void (*backward)(tnn__len n, const float *x, const float *dy, float *dx, const float *p);
} tnn__activation;
/* The rules of section 10, in the order of tnn_optimizer_type: kernel, name, options that not all
   read, defaults of lr, momentum, beta1, beta2, beta3, eps, weight_decay and alpha, whether weight
   decay is decoupled, and how many state vectors it has with options o. */
#define TNN__RULES(R) \
    R(sgd, "SGD", "momentum dampening:momentum nesterov:momentum:!dampening velocity:momentum", \
      1e-3, 0, 0, 0, 0, 0, 0, 0, 0, o->momentum > 0) \
    R(adam, "Adam", "beta1 beta2 eps amsgrad keras_eps", \
      1e-3, 0, .9, .999, 0, 1e-8, 0, 0, 0, 2 + !!o->amsgrad) \
    R(adam, "AdamW", "beta1 beta2 eps amsgrad keras_eps -decoupled", \
      1e-3, 0, .9, .999, 0, 1e-8, .01, 0, 1, 2 + !!o->amsgrad) \
    R(asgd, "ASGD", "lambd alpha t0", \
      1e-2, 0, 0, 0, 0, 0, 0, .75, 0, 1) \
    R(adagrad, "Adagrad", "lr_decay initial_accumulator eps keras_eps", \
      1e-2, 0, 0, 0, 0, 1e-10, 0, 0, 0, 1) \
    R(adadelta, "Adadelta", "rho eps", \
      1, 0, 0, 0, 0, 1e-6, 0, 0, 0, 2) \
    R(rmsprop, "RMSprop", "alpha eps momentum centered keras_eps velocity:momentum", \
      1e-2, 0, 0, 0, 0, 1e-8, 0, .99, 0, 1 + !!o->centered + (o->momentum > 0)) \
    R(rprop, "Rprop", "eta_minus eta_plus step_min step_max clip_value:weight_decay " \
      "clip_tensor:weight_decay clip_norm:weight_decay", \
      1e-2, 0, 0, 0, 0, 0, 0, 0, 0, 2) \
    R(adamax, "Adamax", "beta1 beta2 eps keras_eps", \
      2e-3, 0, .9, .999, 0, 1e-8, 0, 0, 0, 2) \
    R(nadam, "NAdam", "beta1 beta2 eps momentum_decay", \
      2e-3, 0, .9, .999, 0, 1e-8, 0, 0, 0, 2) \
    R(radam, "RAdam", "beta1 beta2 eps", \
      1e-3, 0, .9, .999, 0, 1e-8, 0, 0, 0, 2) \
    R(lion, "Lion", "beta1 beta2 -decoupled", \
      1e-4, 0, .9, .99, 0, 0, 0, 0, 1, 1) \
    R(adabelief, "AdaBelief", "beta1 beta2 eps amsgrad rectify -decoupled", \
      1e-3, 0, .9, .999, 0, 1e-16, 0, 0, 1, 2 + !!o->amsgrad) \
    R(adan, "Adan", "beta1 beta2 beta3 eps", \
      1e-3, 0, .98, .92, .99, 1e-8, 0, 0, 0, 4) \
    R(ademamix, "AdEMAMix", "beta1 beta2 beta3 alpha eps alpha_warmup beta3_warmup " \
      "-decoupled", \
      1e-3, 0, .9, .999, .9999, 1e-8, 0, 2, 1, 3) \
    R(free_sgd, "Schedule-Free SGD", "momentum r weight_lr_power warmup_steps", \
      1, .9, 0, 0, 0, 0, 0, 0, 0, 1) \
    R(free_adamw, "Schedule-Free AdamW", "beta1 beta2 eps r weight_lr_power warmup_steps", \
      2.5e-3, 0, .9, .999, 0, 1e-8, 0, 0, 0, 2) \
    R(sophia, "Sophia", "beta1 beta2 gamma interval -decoupled", \
      1e-4, 0, .965, .99, 0, 0, .1, 0, 1, 3) \
    R(sgd, "LARS", "momentum trust eps nesterov:!dampening dampening velocity", \
      1, .9, 0, 0, 0, 1e-8, 0, 0, 0, 1) \
    R(lamb, "LAMB", "beta1 beta2 eps", \
      1e-3, 0, .9, .999, 0, 1e-6, .01, 0, 0, 3) \
    R(sgd, "Adafactor", "beta2_decay eps eps2 clip_threshold -decoupled", \
      1e-2, 0, 0, 0, 0, 1.0/8388608, 0, 0, 1, 3) \
    R(muon, "Muon", "momentum eps ns_a ns_b ns_c ns_steps no_nesterov match_rms beta1 " \
      "beta2 keras_eps -decoupled", \
      1e-3, .95, .9, .999, 0, 1e-7, .1, 0, 1, 3) \
    R(sgd, "L-BFGS", "max_iter max_eval tolerance_grad tolerance_change history " \
      "strong_wolfe -weight_decay -no_bias_decay -decoupled -clip_value -clip_tensor " \
      "-clip_norm -accumulate", \
      1, 0, 0, 0, 0, 0, 0, 0, 0, 4) \
    R(sgd, "custom", "update user states -maximize -decoupled", \
      1e-3, 0, 0, 0, 0, 0, 0, 0, 0, o->states)
/* NAdam's momentum of step t; RAdam's rectification, 0 while the variance is not known well enough.
   Both are in the table of 1e. */
static double tnn__nadam_momentum(const tnn_optimizer *o, long long t)
{
    return o->beta1*(1 - 0.5*tnn__pow(0.96, (double)t*o->momentum_decay));
}
static double tnn__rectification(double beta2, double bias2, long long t)
{
    const double most = 2/(1 - beta2) - 1, r = most - 2*(double)t*(1 - bias2)/bias2;
    return r > 5 ? sqrt((r - 4)*(r - 2)*most/((most - 4)*(most - 2)*r)) : 0;
}

#define TNN__KERNELS(X) \
    X(void,  mm,           (const tnn__mm *t)) \
    X(void,  depthwise,    (const tnn__depthwise *d)) \
    X(void,  depthwise_dw, (const tnn__depthwise *d)) \
    X(void,  tiles_in,     (const tnn__tiles *t)) \
    X(void,  tiles_out,    (const tnn__tiles *t)) \
    X(void,  tiles_grad,   (const tnn__tiles *t)) \
    X(void,  tiles_weights, (tnn__len n, const float *w, float *to, tnn__len each)) \
    X(void,  tiles_dw,     (tnn__len n, const float *m, tnn__len each, float *dw)) \
    X(void,  transpose,    (tnn__len rows, tnn__len cols, const float *x, tnn__len ldx, \
                            float *y, tnn__len ldy)) \
    X(void,  add,          (tnn__len n, const float *x, float *y)) \
    X(void,  add_to,       (tnn__len n, const float *x, float *y, float *low)) \
    X(void,  colsum,       (tnn__len rows, tnn__len cols, const float *x, tnn__len ldx, \
                            float unit, float *y, float *low)) \
    X(void,  moments,      (tnn__len rows, tnn__len cols, const float *x, tnn__len ldx, \
                            float unit, const float *centre, float *sums, tnn__len each)) \
    X(void,  norm_sums,    (tnn__len rows, tnn__len cols, const float *x, tnn__len ldx, \
                            const float *mean, const float *rstd, const float *dy, \
                            tnn__len ldy, float *sums, tnn__len each)) \
    X(void,  affine,       (tnn__len rows, tnn__len cols, const float *x, tnn__len ldx, \
                            const float *mean, const float *scale, const float *shift, \
                            float *y, tnn__len ldy)) \
    X(void,  affine_grad,  (tnn__len rows, tnn__len cols, const float *x, tnn__len ldx, \
                            const float *mean, const float *rstd, const float *dy, \
                            tnn__len ldy, const float *a, const float *b, const float *c, \
                            float *dx, tnn__len lddx)) \
    X(void,  prelu,        (tnn__len rows, tnn__len cols, const float *x, tnn__len ldx, \
                            const float *slope, float *y, tnn__len ldy)) \
    X(void,  prelu_grad,   (tnn__len rows, tnn__len cols, const float *x, tnn__len ldx, \
                            const float *slope, const float *dy, tnn__len ldy, float *dx, \
                            tnn__len lddx, float *dslope, float *low)) \
    X(void,  axpy,         (tnn__len n, float a, const float *x, float *y, int keep)) \
    X(void,  multiply,     (tnn__len n, const float *x, const float *m, float *y)) \
    X(void,  softmax_grad, (tnn__len n, const float *y, const float *dy, float dot, float *dx, \
                            int logarithm)) \
    X(void,  colsquares,   (tnn__len rows, tnn__len cols, const float *x, tnn__len ldx, float a, \
                            float keep, float *y)) \
    X(void,  adafactor,    (tnn__len rows, tnn__len cols, const float *g, const float *r, \
                            const float *mean, const float *c, float sign, float eps, \
                            float *d)) \
    X(void,  colscale,     (tnn__len rows, const float *factors, float *w)) \
    X(void,  penalty,      (tnn__len n, const float *w, float *g, float l1, float l2)) \
    X(void,  act,          (tnn__len n, const float *x, float *y, float slope)) \
    X(void,  act_panel,    (tnn__len rows, const float *y, tnn__len ldy, const float *dy, \
                            tnn__len ldd, float *to, float slope, float scale)) \
    X(void,  act_grad,     (tnn__len n, const float *y, const float *dy, float *dx, \
                            float slope, float scale)) \
    X(void,  uniform,      (tnn__len n, float *y, uint64_t seed, uint64_t stream, \
                            uint64_t first)) \
    X(void,  dropout,      (tnn__len n, const float *x, float *y, const tnn__drop *d, \
                            uint64_t stream, uint64_t first)) \
    X(void,  normal,       (tnn__len n, float *y, float deviation, float shift, \
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
    X(void,  lerp,         (tnn__len n, float a, const float *x, float *y)) \
    X(void,  scale,        (tnn__len n, float a, float limit, const float *x, float *y)) \
    X(void,  flush,        (tnn__len n, float *x)) \
    X(void,  madd,         (tnn__len n, float a, const float *x, const float *y, float *z)) \
    X(int,   exact,        (void))
typedef struct {
    const char *name;
    int (*rule[TNN__NTH(TNN_CUSTOM) + 1])(const tnn__update *u, tnn__len n);
    double (*loss)(const tnn__criterion *o, tnn__len n, const float *x, const float *t, float *g,
                   tnn__len at);
#define TNN__X(ret, kernel, args) ret (*kernel) args;
    TNN__KERNELS(TNN__X)
#undef TNN__X
    tnn__activation activation[TNN__ACT_COUNT];
} tnn__isa_table;
#endif /* !TNN__PASS */

/* ==== 3. KERNELS: written once, read once per instruction set =================================
   Section 4 includes this file anew for each instruction set, with TNN__PASS = 1 (scalar), 2
   (SSE2), 3 (AVX2), 4 (AVX-512) or 5 (NEON); then only this section is read. TNN__FN(add) is
   tnn__add_avx2 in pass 3. At its end stands a table of the pass's kernels, tnn__table_avx2, that
   the library calls through.

   A CONTRACT for all: a kernel computes what the scalar statement above it says, each operation
   rounded by itself in the order written, whatever the width of a vector. Sums whose order would
   depend on the width run over 16 interleaved lanes (3e). So all instances but SSE2's give the
   same bits. Lengths are in floats and may be 0. Pointers need no alignment. Outputs may be
   inputs where both are read and written at the same element, and must not overlap otherwise.
   Nothing is read or written beyond the n elements, rows or columns named; only panels are always
   read in whole vectors, 16 columns wide. Kernels neither fail nor allocate. A kernel is
   TNN__KERNEL, what it inlines TNN__HELPER.

   Pass 4 has no losses and no rules of its own: division and square root limit these, which
   AVX-512 does no faster, and its table has AVX2's. */
#ifdef TNN__PASS
#if   TNN__PASS == 3
    #define TNN__ISA TNN__TARGET("avx2,fma")
#elif TNN__PASS == 4
    #define TNN__ISA TNN__TARGET("avx512f,avx2,fma")
#else
    #define TNN__ISA
#endif
#define TNN__FN(name) TNN__CAT(tnn__##name, TNN__PASS_NAME)
#define TNN__KERNEL static TNN__ISA
#define TNN__HELPER TNN__INLINE TNN__ISA

/* ---- 3a. The vector layer: the only lines that know an instruction set ------------------------
   TNN__VF is TNN__VN floats, TNN__VU as many 32-bit integers. An operation is named as Intel's
   intrinsic: TNN__I(add_ps) is _mm256_add_ps in pass 3, and tnn__one_add_ps or tnn__neon_add_ps,
   defined below, in passes 1 and 5. TNN__SI(cast, _ps) pastes the width in, as in
   _mm256_castsi256_ps. What the sets do in different ways is defined by pass, as tnn__vfma_avx2.

   Selections mean what C means by them, NaN included:
     tnn__vmax(a, b)       a > b ? a : b          tnn__vmin(a, b)       a < b ? a : b
     tnn__vgt(a, b, x, y)  a > b ? x : y          tnn__veq(a, b, x, y)  a == b ? x : y
     tnn__vfma(a, b, c)    a*b + c, rounded once (SSE2 has none and rounds twice)
     tnn__vload_n, tnn__vstore_n: the first n elements only (any n), zeros for the rest
     tnn__umul(a, m, hi, lo)   the 64-bit products of a and m, split into words
   A matrix tile is TNN__MR rows by TNN__NV vectors, TNN__NV*TNN__VN at most two panels; a narrow
   one TNN__MN rows by one. */
#define tnn__vset1(s)          TNN__I(set1_ps)(s)
#define tnn__vload(p)          TNN__I(loadu_ps)(p)
#define tnn__vstore(p, v)      TNN__I(storeu_ps)(p, v)
#define tnn__vload_n(p, n)     TNN__FN(vload_n)(p, n)
#define tnn__vstore_n(p, v, n) TNN__FN(vstore_n)(p, v, n)
#define tnn__vadd(a, b)        TNN__I(add_ps)(a, b)
#define tnn__vsub(a, b)        TNN__I(sub_ps)(a, b)
#define tnn__vmul(a, b)        TNN__I(mul_ps)(a, b)
#define tnn__vdiv(a, b)        TNN__I(div_ps)(a, b)
#define tnn__vsqrt(a)          TNN__I(sqrt_ps)(a)
#define tnn__vfma(a, b, c)     TNN__FN(vfma)(a, b, c)
#define tnn__vmax(a, b)        TNN__I(max_ps)(a, b)
#define tnn__vmin(a, b)        TNN__I(min_ps)(a, b)
#define tnn__vgt(a, b, x, y)   TNN__FN(vgt)(a, b, x, y)
#define tnn__veq(a, b, x, y)   TNN__FN(veq)(a, b, x, y)
#define tnn__vcast(u)          TNN__SI(cast, _ps)(u)
#define tnn__ucast(f)          TNN__SI(castps_, )(f)
#define tnn__vfrom(u)          TNN__I(cvtepi32_ps)(u)
#define tnn__uset1(s)          TNN__I(set1_epi32)((int)(s))
#define tnn__uload(p)          TNN__SI(loadu_, )((const TNN__VU *)(const void *)(p))
#define tnn__uadd(a, b)        TNN__I(add_epi32)(a, b)
#define tnn__uxor(a, b)        TNN__SI(xor_, )(a, b)
#define tnn__usll(a, n)        TNN__I(slli_epi32)(a, n)
#define tnn__usrl(a, n)        TNN__I(srli_epi32)(a, n)
#define tnn__umul(a, m, hi, lo) TNN__FN(umul)(a, m, hi, lo)
#define tnn__vzero()           tnn__vset1(0.0f)
#if TNN__PASS == 1      /* scalar: the reference; casts, since C99 may compute in double (s390x) */
    #define TNN__PASS_NAME         _scalar
    #define TNN__VF                float
    #define TNN__VU                uint32_t
    #define TNN__VN                1
    #define TNN__I(op)             tnn__one_##op
    #define TNN__SI(a, b)          tnn__one_##a##si##b
    #define tnn__one_set1_ps(s)          (s)
    #define tnn__one_loadu_ps(p)         (*(p))
    #define tnn__one_storeu_ps(p, v)     (*(p) = (v))
    #define tnn__vload_n_scalar(p, n)    ((n) > 0 ? *(p) : 0.0f)
    #define tnn__vstore_n_scalar(p, v, n) do { if ((n) > 0) *(p) = (v); } while (0)
    #define tnn__one_add_ps(a, b)        ((float)((a) + (b)))
    #define tnn__one_sub_ps(a, b)        ((float)((a) - (b)))
    #define tnn__one_mul_ps(a, b)        ((float)((a) * (b)))
    #define tnn__one_div_ps(a, b)        ((float)((a) / (b)))
    #define tnn__one_sqrt_ps(a)          sqrtf(a)
    #define tnn__vfma_scalar(a, b, c)    tnn__fma(a, b, c)
    #define tnn__one_max_ps(a, b)        ((a) > (b) ? (a) : (b))
    #define tnn__one_min_ps(a, b)        ((a) < (b) ? (a) : (b))
    #define tnn__vgt_scalar(a, b, x, y)  ((a) > (b) ? (x) : (y))
    #define tnn__veq_scalar(a, b, x, y)  (!((a) < (b)) && !((a) > (b)) && (a) <= (b) ? (x) : (y))
    /* The float of these bits. */
    TNN__HELPER float tnn__one_castsi_ps(uint32_t u) { float f; memcpy(&f, &u, 4); return f; }
    /* The bits of this float. */
    TNN__HELPER uint32_t tnn__one_castps_si(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }
    #define tnn__one_cvtepi32_ps(u)      ((float)(u))
    #define tnn__one_set1_epi32(s)       ((uint32_t)(s))
    #define tnn__one_loadu_si(p)         (*(p))
    #define tnn__one_add_epi32(a, b)     ((a) + (b))
    #define tnn__one_xor_si(a, b)        ((a) ^ (b))
    #define tnn__one_slli_epi32(a, n)    ((a) << (n))
    #define tnn__one_srli_epi32(a, n)    ((a) >> (n))
    #define tnn__umul_scalar(a, m, hi, lo) do { \
        uint64_t p_ = (uint64_t)(a) * (m); \
        hi = (uint32_t)(p_ >> 32); lo = (uint32_t)p_; } while (0)
    #define TNN__MR 4
    #define TNN__MN 4
    #define TNN__NV 4
#elif TNN__PASS == 2            /* SSE2: 16 registers of 4, no fused multiply-add: other bits */
    #define TNN__PASS_NAME         _sse2
    #define TNN__VF                __m128
    #define TNN__VU                __m128i
    #define TNN__VN                4
    #define TNN__I(op)             _mm_##op
    #define TNN__SI(a, b)          _mm_##a##si128##b
    #define tnn__vfma_sse2(a, b, c)     _mm_add_ps(_mm_mul_ps(a, b), c)
    /* m is all ones or all zeros in each element: m ? x : y */
    TNN__HELPER TNN__VF TNN__FN(select)(TNN__VF m, TNN__VF x, TNN__VF y)
    {
        return _mm_or_ps(_mm_and_ps(m, x), _mm_andnot_ps(m, y));
    }
    #define tnn__vgt_sse2(a, b, x, y)   tnn__select_sse2(_mm_cmpgt_ps(a, b), x, y)
    #define tnn__veq_sse2(a, b, x, y)   tnn__select_sse2(_mm_cmpeq_ps(a, b), x, y)
    #define tnn__umul_sse2(a, m, hi, lo) do { \
        __m128i e_ = _mm_mul_epu32(a, m), o_ = _mm_mul_epu32(_mm_srli_epi64(a, 32), m); \
        __m128i k_ = _mm_set_epi32(-1, 0, -1, 0); \
        hi = _mm_or_si128(_mm_srli_epi64(e_, 32), _mm_and_si128(o_, k_)); \
        lo = _mm_or_si128(_mm_andnot_si128(k_, e_), _mm_slli_epi64(o_, 32)); } while (0)
    #define TNN__MR 6
    #define TNN__MN 12
    #define TNN__NV 2
#elif TNN__PASS == 3            /* AVX2 + FMA: 16 registers of 8 */
    #define TNN__PASS_NAME         _avx2
    #define TNN__VF                __m256
    #define TNN__VU                __m256i
    #define TNN__VN                8
    #define TNN__I(op)             _mm256_##op
    #define TNN__SI(a, b)          _mm256_##a##si256##b
    /* All ones in the first n elements. */
    TNN__HELPER __m256i TNN__FN(mask)(int n)
    {
        return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
    #define tnn__vload_n_avx2(p, n)     _mm256_maskload_ps(p, tnn__mask_avx2((int)(n)))
    #define tnn__vstore_n_avx2(p, v, n) _mm256_maskstore_ps(p, tnn__mask_avx2((int)(n)), v)
    #define tnn__vfma_avx2(a, b, c)     _mm256_fmadd_ps(a, b, c)
    #define tnn__vgt_avx2(a, b, x, y)   _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_GT_OQ))
    #define tnn__veq_avx2(a, b, x, y)   _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_EQ_OQ))
    #define tnn__umul_avx2(a, m, hi, lo) do { \
        __m256i e_ = _mm256_mul_epu32(a, m), o_ = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), m); \
        hi = _mm256_blend_epi32(_mm256_srli_epi64(e_, 32), o_, 0xaa); \
        lo = _mm256_blend_epi32(e_, _mm256_slli_epi64(o_, 32), 0xaa); } while (0)
    #define TNN__MR 6
    #define TNN__MN 12
    #define TNN__NV 2
#elif TNN__PASS == 4            /* AVX-512: 32 registers of 16 */
    #define TNN__PASS_NAME         _avx512
    #define TNN__VF                __m512
    #define TNN__VU                __m512i
    #define TNN__VN                16
    #define TNN__I(op)             _mm512_##op
    #define TNN__SI(a, b)          _mm512_##a##si512##b
    #define tnn__vmask(n) ((__mmask16)((n) >= 16 ? 0xffff : (n) <= 0 ? 0 : (1 << (n)) - 1))
    #define tnn__vblend(a, b, x, y, how) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, how), y, x)
    #define tnn__vload_n_avx512(p, n)     _mm512_maskz_loadu_ps(tnn__vmask(n), p)
    #define tnn__vstore_n_avx512(p, v, n) _mm512_mask_storeu_ps(p, tnn__vmask(n), v)
    #define tnn__vfma_avx512(a, b, c)     _mm512_fmadd_ps(a, b, c)
    #define tnn__vgt_avx512(a, b, x, y)   tnn__vblend(a, b, x, y, _CMP_GT_OQ)
    #define tnn__veq_avx512(a, b, x, y)   tnn__vblend(a, b, x, y, _CMP_EQ_OQ)
    #define tnn__umul_avx512(a, m, hi, lo) do { \
        __m512i e_ = _mm512_mul_epu32(a, m), o_ = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), m); \
        hi = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(e_, 32), o_); \
        lo = _mm512_mask_blend_epi32(0xaaaa, e_, _mm512_slli_epi64(o_, 32)); } while (0)
    #define TNN__MR 14
    #define TNN__MN 14
    #define TNN__NV 2
#elif TNN__PASS == 5            /* NEON, aarch64: 32 registers of 4 */
    #define TNN__PASS_NAME         _neon
    #define TNN__VF                float32x4_t
    #define TNN__VU                uint32x4_t
    #define TNN__VN                4
    #define TNN__I(op)             tnn__neon_##op
    #define TNN__SI(a, b)          tnn__neon_##a##si##b
    #define tnn__neon_set1_ps(s)          vdupq_n_f32(s)
    #define tnn__neon_loadu_ps(p)         vld1q_f32(p)
    #define tnn__neon_storeu_ps(p, v)     vst1q_f32(p, v)
    #define tnn__neon_add_ps(a, b)        vaddq_f32(a, b)
    #define tnn__neon_sub_ps(a, b)        vsubq_f32(a, b)
    #define tnn__neon_mul_ps(a, b)        vmulq_f32(a, b)
    #define tnn__neon_div_ps(a, b)        vdivq_f32(a, b)
    #define tnn__neon_sqrt_ps(a)          vsqrtq_f32(a)
    #define tnn__vfma_neon(a, b, c)       vfmaq_f32(c, a, b)
    #define tnn__neon_max_ps(a, b)        vbslq_f32(vcgtq_f32(a, b), a, b)
    #define tnn__neon_min_ps(a, b)        vbslq_f32(vcltq_f32(a, b), a, b)
    #define tnn__vgt_neon(a, b, x, y)     vbslq_f32(vcgtq_f32(a, b), x, y)
    #define tnn__veq_neon(a, b, x, y)     vbslq_f32(vceqq_f32(a, b), x, y)
    #define tnn__neon_castsi_ps(u)        vreinterpretq_f32_u32(u)
    #define tnn__neon_castps_si(u)        vreinterpretq_u32_f32(u)
    #define tnn__neon_cvtepi32_ps(u)      vcvtq_f32_u32(u)
    #define tnn__neon_set1_epi32(s)       vdupq_n_u32((uint32_t)(s))
    #define tnn__neon_loadu_si(p)         vld1q_u32((const uint32_t *)(p))
    #define tnn__neon_add_epi32(a, b)     vaddq_u32(a, b)
    #define tnn__neon_xor_si(a, b)        veorq_u32(a, b)
    #define tnn__neon_slli_epi32(a, n)    vshlq_n_u32(a, n)
    #define tnn__neon_srli_epi32(a, n)    vshrq_n_u32(a, n)
    #define tnn__umul_neon(a, m, hi, lo) do { \
        uint32x4_t l_ = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a), vget_low_u32(m))); \
        uint32x4_t h_ = vreinterpretq_u32_u64(vmull_u32(vget_high_u32(a), vget_high_u32(m))); \
        lo = vuzp1q_u32(l_, h_); hi = vuzp2q_u32(l_, h_); } while (0)
    #define TNN__MR 6
    #define TNN__MN 12
    #define TNN__NV 4
#endif
#if TNN__PASS == 2 || TNN__PASS == 5
    /* tnn__vload_n of the sets without masks */
    TNN__HELPER TNN__VF TNN__FN(vload_n)(const float *p, tnn__len n)
    {
        float t[4] = {0, 0, 0, 0};
        int i;
        for (i = 0; i < 4 && i < n; i++) t[i] = p[i];
        return tnn__vload(t);
    }
    /* tnn__vstore_n of the sets without masks */
    TNN__HELPER void TNN__FN(vstore_n)(float *p, TNN__VF v, tnn__len n)
    {
        float t[4];
        int i;
        tnn__vstore(t, v);
        for (i = 0; i < 4 && i < n; i++) p[i] = t[i];
    }
#endif
/* y[j*ldy + i] = x[i*ldx + j] for i, j in 0..3 */
TNN__HELPER void TNN__FN(transpose4)(const float *x, tnn__len ldx, float *y, tnn__len ldy)
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
#define TNN__NW        (TNN__NV*TNN__VN)    /* columns of a tile */
#define TNN__LANES     16                   /* reductions run over 16 interleaved partial results */

/* SUMS. A chain of n additions of floats is off by up to n/2 units in the last place, with equal
   numbers always to the same side. So sums run in chains of at most TNN__TERMS_MAX terms, each from
   0, whose results are added with Kahan's compensation: low is what rounding has put too much into
   s. What comes out is off by about TNN__TERMS_MAX/2 units at worst, however many the terms. */
#define TNN__TERMS_MAX 16
#define TNN__BLOCK     (TNN__TERMS_MAX*TNN__LANES)
TNN__HELPER void TNN__FN(collect)(TNN__VF *s, TNN__VF *low, TNN__VF t)
{
    const TNN__VF y = tnn__vsub(t, *low), z = tnn__vadd(*s, y), l = tnn__vsub(tnn__vsub(z, *s), y);
    *low = tnn__veq(tnn__vsub(l, l), tnn__vzero(), l, tnn__vzero()); /* infinite s stays so */
    *s = z;
}

/* LOOPS over n elements, a vector at a time: element i, of which `rest` are left, and `part` where
   these do not fill a vector. TNN__AT(p) loads p[i] and on, TNN__PUT(p, v) stores there, as far as
   there are elements. TNN__EACH has its body twice, for whole vectors and for the rest, with `part`
   a constant: for short bodies, and those with loops of their own. TNN__EACH_ONCE has it once. */
#define TNN__AT(p) (part ? tnn__vload_n((p) + i, rest) : tnn__vload((p) + i))
#define TNN__PUT(p, v) do { \
    const TNN__VF v_ = (v); \
    if (part) tnn__vstore_n((p) + i, v_, rest); \
    else tnn__vstore((p) + i, v_); } while (0)
#define TNN__EACH(n, ...) { \
    const tnn__len n_ = (n), rest = n_%TNN__VN; \
    tnn__len i; \
    (void)rest; \
    for (i = 0; i < n_ - rest; i += TNN__VN) { enum { part = 0 }; __VA_ARGS__ } \
    if (rest) { enum { part = 1 }; __VA_ARGS__ } }
#define TNN__EACH_ONCE(n, ...) { \
    tnn__len i, rest = (n); \
    for (i = 0; rest > 0; i += TNN__VN, rest -= TNN__VN) { \
        const int part = rest < TNN__VN; \
        __VA_ARGS__ \
    } }
#define TNN__ONE    tnn__vset1(1.0f)
#define TNN__HALF   tnn__vset1(0.5f)
#define TNN__NEG(v) tnn__vsub(tnn__vzero(), v)

/* ---- 3b. The matrix product -------------------------------------------------------------------
   A tile of M rows and V vectors stays in registers while k runs; per step it loads V vectors of
   B and broadcasts M elements of A:

             w0      w1                M*V accumulators + V + 1 registers of
        x0 [ c0_0    c0_1 ]            AVX-512  14*2 + 3 = 31 of 32
        x1 [ c1_0    c1_1 ]            AVX2      6*2 + 3 = 15 of 16
        ..   ..      ..                NEON      6*4 + 5 = 29 of 32

   The accumulators have names, not indices: compilers keep an array in memory. Three rows share
   one base register (p0, p0 + rs, p0 + 2 rs), p1 is the next base, and so on. */
#define TNN__ROWS_1(R, C)  R(C, 0, p0[0])
#define TNN__ROWS_2(R, C)  TNN__ROWS_1(R, C)  R(C, 1, p0[rs])
#define TNN__ROWS_3(R, C)  TNN__ROWS_2(R, C)  R(C, 2, p0[2*rs])
#define TNN__ROWS_4(R, C)  TNN__ROWS_3(R, C)  R(C, 3, p1[0])
#define TNN__ROWS_5(R, C)  TNN__ROWS_4(R, C)  R(C, 4, p1[rs])
#define TNN__ROWS_6(R, C)  TNN__ROWS_5(R, C)  R(C, 5, p1[2*rs])
#define TNN__ROWS_7(R, C)  TNN__ROWS_6(R, C)  R(C, 6, p2[0])
#define TNN__ROWS_8(R, C)  TNN__ROWS_7(R, C)  R(C, 7, p2[rs])
#define TNN__ROWS_9(R, C)  TNN__ROWS_8(R, C)  R(C, 8, p2[2*rs])
#define TNN__ROWS_10(R, C) TNN__ROWS_9(R, C)  R(C, 9, p3[0])
#define TNN__ROWS_11(R, C) TNN__ROWS_10(R, C) R(C, 10, p3[rs])
#define TNN__ROWS_12(R, C) TNN__ROWS_11(R, C) R(C, 11, p3[2*rs])
#define TNN__ROWS_13(R, C) TNN__ROWS_12(R, C) R(C, 12, p4[0])
#define TNN__ROWS_14(R, C) TNN__ROWS_13(R, C) R(C, 13, p4[rs])

#define TNN__COLS_1(X, i) X(i, 0)
#define TNN__COLS_2(X, i) X(i, 0) X(i, 1)
#define TNN__COLS_4(X, i) X(i, 0) X(i, 1) X(i, 2) X(i, 3)

/* NEON: gcc (12) loads all of a step's elements of A first, and then lacks registers for C. */
#if TNN__PASS == 5 && defined __GNUC__ && !defined __clang__
    #define TNN__IN_ORDER(x) __asm__ volatile("" : "+w"(x));
#else
    #define TNN__IN_ORDER(x)
#endif

/* Vector v of a tile: the next TNN__VN columns, but with AVX-512 the next panel. */
#if TNN__VN == 16
    #define TNN__BV(v) (v)*bp
    #define TNN__CV(v) (v)*cp
#else
    #define TNN__BV(v) (v)*TNN__VN
    #define TNN__CV(v) (v)*TNN__VN
#endif
#define TNN__DECLARE(i, v)  TNN__VF c##i##_##v;
#define TNN__SET_ZERO(i, v) c##i##_##v = tnn__vzero();
#define TNN__SET_BIAS(i, v) c##i##_##v = w##v;
#define TNN__ADD_KEPT(i, v) c##i##_##v = tnn__vadd(tnn__vload(c + i*ldc + TNN__CV(v)), c##i##_##v);
#define TNN__STEP(i, v)     c##i##_##v = tnn__vfma(x, w##v, c##i##_##v);
#define TNN__RELU(i, v)     c##i##_##v = tnn__vmax(tnn__vzero(), c##i##_##v);
#define TNN__SAVE(i, v)     tnn__vstore(c + i*ldc + TNN__CV(v), c##i##_##v);
#define TNN__W_DECLARE(i, v) TNN__VF w##v;
#define TNN__W_BIAS(i, v)    w##v = tnn__vload(t->bias + j + (v)*TNN__VN);
#define TNN__W_LOAD(i, v)    w##v = tnn__vload(b + TNN__BV(v));

#define TNN__DECLARE_ROW(C, i, a) C(TNN__DECLARE, i)
#define TNN__KEEP_ROW(C, i, a)    C(TNN__ADD_KEPT, i)
#define TNN__BIAS_ROW(C, i, a)    C(TNN__SET_BIAS, i)
#define TNN__ZERO_ROW(C, i, a)    C(TNN__SET_ZERO, i)
#define TNN__STEP_ROW(C, i, a)    x = tnn__vset1(a); TNN__IN_ORDER(x) C(TNN__STEP, i)
#define TNN__RELU_ROW(C, i, a)    C(TNN__RELU, i)
#define TNN__SAVE_ROW(C, i, a)    C(TNN__SAVE, i)
/* One tile, M rows by V vectors, for i < M and j < V*TNN__VN:
       C[i, j] = start + sum over i1, i2, k of A[i, i1, i2, k] B[i1, i2, k, j]
   in one chain per element, which starts from the bias or from 0. With TNN__KEEP the chain starts
   from 0 and is added to C as a whole. a: the tile's first element of A; b0: its first one of B;
   c: of C, rows ldc apart and a second panel cp further; j: its first column, for the bias. All M
   rows and V vectors are read and written: TNN__FN(edge) cares for what is less. */
#define TNN__TILE(M, V) \
TNN__KERNEL void TNN__FN(tile_##M##_##V)(const tnn__mm *t, const float *a, const float *b0, \
                                         float *c, tnn__len ldc, tnn__len cp, tnn__len j) \
{ \
    const tnn__len rs = t->rs, gs = t->gs, ks = t->ks, ldb = t->ldb, bp = t->bp; \
    const int n1 = t->n1, n2 = t->n2, run = t->run; \
    int i1, i2, k; \
    TNN__VF x; \
    TNN__COLS_##V(TNN__W_DECLARE, 0) \
    TNN__ROWS_##M(TNN__DECLARE_ROW, TNN__COLS_##V) \
    (void)cp; (void)bp; (void)rs; \
    if (t->start == TNN__BIAS) { \
        TNN__COLS_##V(TNN__W_BIAS, 0) \
        TNN__ROWS_##M(TNN__BIAS_ROW, TNN__COLS_##V) \
    } else { TNN__ROWS_##M(TNN__ZERO_ROW, TNN__COLS_##V) } \
    for (i1 = 0; i1 < n1; i1++) \
        for (i2 = 0; i2 < n2; i2++) { \
            const float *b = b0 + i1*t->b1 + i2*t->b2; \
            const float *p0 = a + i1*t->a1 + i2*t->a2, *p1 = p0 + gs; \
            const float *p2 = p1 + gs, *p3 = p2 + gs, *p4 = p3 + gs; \
            for (k = run; k > 0; k--) { \
                TNN__COLS_##V(TNN__W_LOAD, 0) \
                TNN__ROWS_##M(TNN__STEP_ROW, TNN__COLS_##V) \
                p0 += ks; p1 += ks; p2 += ks; p3 += ks; p4 += ks; b += ldb; \
            } \
            (void)p1; (void)p2; (void)p3; (void)p4; \
        } \
    if (t->start == TNN__KEEP) { TNN__ROWS_##M(TNN__KEEP_ROW, TNN__COLS_##V) } \
    if (t->relu) { TNN__ROWS_##M(TNN__RELU_ROW, TNN__COLS_##V) } \
    TNN__ROWS_##M(TNN__SAVE_ROW, TNN__COLS_##V) \
}
/* All heights 1..M of tiles, wide and narrow ones, and their rows in a table by height. */
#define TNN__UP_TO_4(X)    X(1) X(2) X(3) X(4)
#define TNN__UP_TO_6(X)    TNN__UP_TO_4(X) X(5) X(6)
#define TNN__UP_TO_12(X)   TNN__UP_TO_6(X) X(7) X(8) X(9) X(10) X(11) X(12)
#define TNN__UP_TO_14(X)   TNN__UP_TO_12(X) X(13) X(14)
#define TNN__UP_TO_(M, X)  TNN__UP_TO_##M(X)
#define TNN__UP_TO(M, X)   TNN__UP_TO_(M, X)
#define TNN__TILE_AT(M, V) , TNN__FN(tile_##M##_##V)
#define TNN__OF(X, M, V)   X(M, V)
#define TNN__WIDE(M)       TNN__OF(TNN__TILE, M, TNN__NV)
#define TNN__WIDE_AT(M)    TNN__OF(TNN__TILE_AT, M, TNN__NV)
#define TNN__NARROW(M)     TNN__TILE(M, 1)
#define TNN__NARROW_AT(M)  TNN__TILE_AT(M, 1)
TNN__UP_TO(TNN__MR, TNN__WIDE)
TNN__UP_TO(TNN__MN, TNN__NARROW)
static tnn__tile *const TNN__FN(wide)[] = { NULL TNN__UP_TO(TNN__MR, TNN__WIDE_AT) };
static tnn__tile *const TNN__FN(narrow)[] = { NULL TNN__UP_TO(TNN__MN, TNN__NARROW_AT) };

/* The tile of m rows by `tile`, of whose columns C has only the first `left`: computed in `edge`,
   from what C holds where it is kept, and copied. Other arguments as of a tile. */
#define TNN__C_AT(i, k) (c + (i)*t->ldc + (k)/16*t->cp + (k)%16)
TNN__KERNEL void TNN__FN(edge)(tnn__tile *tile, const tnn__mm *t, const float *a, const float *b,
                               float *c, int m, int left, int j)
{
    float edge[TNN__MN*TNN__NW];
    int i, e;
    if (t->start == TNN__KEEP)
        for (e = 0; e < left; e += TNN__VN)
            for (i = 0; i < m; i++)
                tnn__vstore(edge + i*TNN__NW + e, tnn__vload_n(TNN__C_AT(i, e), left - e));
    tile(t, a, b, edge, TNN__NW, TNN__VN, j);
    for (e = 0; e + TNN__VN <= left; e += TNN__VN)
        for (i = 0; i < m; i++)
            tnn__vstore(TNN__C_AT(i, e), tnn__vload(edge + i*TNN__NW + e));
    for (i = 0; e < left && i < m; i++)
        tnn__vstore_n(TNN__C_AT(i, e), tnn__vload(edge + i*TNN__NW + e), left - e);
}
/* All rows of one strip of columns, one chain: in tiles of nearly equal height, `most` at most.
   Where rows come in threes (gs) a tile begins at a multiple of three. left: columns that C has,
   where the tiles have more; otherwise 0. */
TNN__HELPER void TNN__FN(strip)(const tnn__mm *t, tnn__tile *const *tiles, int most, int left,
                                const float *a, const float *b, float *c, int j)
{
    const int threes = t->gs != 3*t->rs, high = threes ? most/3*3 : most;
    int row = 0, n, m;
    for (n = (t->rows + high - 1)/high; n > 0; n--, row += m) {
        const float *from = a + (threes ? row/3*t->gs : row*t->rs);
        m = threes ? TNN__MIN(high, t->rows - row) : (t->rows - row + n - 1)/n;
        if (left) TNN__FN(edge)(tiles[m], t, from, b, c + row*t->ldc, m, left, j);
        else tiles[m](t, from, b, c + row*t->ldc, t->ldc, t->cp, j);
    }
}
/* The product that t describes (2f). Strips of TNN__NW columns, the last few in narrow ones; then
   blocks of rows (i0); then the pieces of k that are one chain each. With AVX-512 the last 1..8
   columns of 1..24 are AVX2's narrow tiles: half the work where 512 bits take two turns. */
TNN__KERNEL void TNN__FN(mm)(const tnn__mm *t)
{
    const int several = (tnn__len)t->n1*t->n2*t->run > TNN__CHAIN;
    const int s1 = several ? tnn__chain(t->n1, (tnn__len)t->n2*t->run) : t->n1;
    const int s2 = several ? tnn__chain(t->n2, t->run) : t->n2;
    const int s  = several ? tnn__chain(t->run, 1) : t->run;
    tnn__mm piece = *t;
    int j, i0, i1, i2, k, width;
    for (j = 0; j < t->cols; j += width) {
        const int left = t->cols - j, narrow = left <= TNN__NW/2 + (TNN__PASS == 4 ? 8 : 0);
        const float *b = t->b + j/16*t->bp + j%16;
        tnn__tile *const *tiles = narrow ? TNN__FN(narrow) : TNN__FN(wide);
        int most = narrow ? TNN__MN : TNN__MR;
        width = narrow ? TNN__VN : TNN__NW;
#if TNN__PASS == 4
        if (left <= 8) {
            tiles = tnn__narrow_avx2;
            most = 12;
            width = 8;
        }
#endif
        for (i0 = 0; i0 < t->n0; i0++, b += t->b0) {
            float *c = t->c + i0*t->c0 + j/16*t->cp + j%16;
            i1 = i2 = k = 0;
            do {
                const float *a = t->a + i0*t->a0 + i1*t->a1 + i2*t->a2 + k*t->ks;
                const float *b1 = b + i1*t->b1 + i2*t->b2 + k*t->ldb;
                piece.start = i1 || i2 || k ? TNN__KEEP : t->start;
                piece.n1 = TNN__MIN(s1, t->n1 - i1);
                piece.n2 = TNN__MIN(s2, t->n2 - i2);
                piece.run = TNN__MIN(s, t->run - k);
                if ((k += s) >= t->run) {
                    k = 0;
                    if ((i2 += s2) >= t->n2) {
                        i2 = 0;
                        i1 += s1;
                    }
                }
                piece.relu = t->relu && i1 >= t->n1;
                TNN__FN(strip)(&piece, tiles, most, left < width ? left : 0, a, b1, c, j);
            } while (i1 < t->n1);
        }
    }
}

/* A depthwise convolution (2f), four pixels of a row at a time: one load of w serves them all.
       y[row, col, i] = bias[i] + sum_{u, v} w[u, v, i] x[row, col, u, v, i],   then ReLU, if any
   in one chain over (u, v). Where a row has fewer than four pixels left, the first is computed in
   place of the others, which are not stored. w and bias are read in whole vectors. */
TNN__KERNEL void TNN__FN(depthwise)(const tnn__depthwise *d)
{
    int row, col, u, v;
    TNN__EACH(d->c,
        const float *w0 = d->w + i/16*d->panel + i%16;
        const TNN__VF bias = d->bias ? tnn__vload(d->bias + i) : tnn__vzero();
        for (row = 0; row < d->rows; row++)
            for (col = 0; col < d->cols; col += 4) {
                const float *x = d->x + row*d->x_row + col*d->x_col;
                const int m = TNN__MIN(4, d->cols - col);
                const tnn__len at1 = m > 1 ? d->x_col : 0, at2 = m > 2 ? 2*d->x_col : 0;
                const tnn__len at3 = m > 3 ? 3*d->x_col : 0;
                float *y = d->y + row*d->y_row + col*d->y_col;
                TNN__VF s0 = bias, s1 = bias, s2 = bias, s3 = bias;
                for (u = 0; u < d->kh; u++)
                    for (v = 0; v < d->kw; v++) {
                        const float *p = x + u*d->x_u + v*d->x_v;
                        const TNN__VF w = tnn__vload(w0 + u*d->w_u + v*d->w_v);
                        s0 = tnn__vfma(w, TNN__AT(p), s0);
                        s1 = tnn__vfma(w, TNN__AT(p + at1), s1);
                        s2 = tnn__vfma(w, TNN__AT(p + at2), s2);
                        s3 = tnn__vfma(w, TNN__AT(p + at3), s3);
                    }
                if (d->relu) {
                    s0 = tnn__vmax(tnn__vzero(), s0);
                    s1 = tnn__vmax(tnn__vzero(), s1);
                    s2 = tnn__vmax(tnn__vzero(), s2);
                    s3 = tnn__vmax(tnn__vzero(), s3);
                }
                TNN__PUT(y, s0);
                if (m > 1) TNN__PUT(y + d->y_col, s1);
                if (m > 2) TNN__PUT(y + 2*d->y_col, s2);
                if (m > 3) TNN__PUT(y + 3*d->y_col, s3);
            }
    )
}
/* Its weights' gradient, up to four elements of a row of the window at a time, over all pixels:
       dw[u, v, i] += sum_{row, col} x[row, col, u, v, i] dy[row, col, i]
   in chains along each row, compensated by low; without `keep` dw and low are new. */
TNN__KERNEL void TNN__FN(depthwise_dw)(const tnn__depthwise *d)
{
    int row, col, u, v, k;
    TNN__EACH(d->c,
        for (u = 0; u < d->kh; u++)
            for (v = 0; v < d->kw; v += 4) {
                const tnn__len to = i/16*d->panel + i%16 + u*d->w_u + v*d->w_v;
                const int m = TNN__MIN(4, d->kw - v);
                const tnn__len at1 = m > 1 ? d->x_v : 0, at2 = m > 2 ? 2*d->x_v : 0;
                const tnn__len at3 = m > 3 ? 3*d->x_v : 0;
                TNN__VF s[4], low[4];
                for (k = 0; k < 4; k++) {
                    const int old = d->keep && k < m;
                    s[k] = old ? tnn__vload(d->dw + to + k*d->w_v) : tnn__vzero();
                    low[k] = old ? tnn__vload(d->low + to + k*d->w_v) : tnn__vzero();
                }
                for (row = 0; row < d->rows; row++) {
                    const float *x = d->x + row*d->x_row + u*d->x_u + v*d->x_v;
                    const float *dy = d->dy + row*d->y_row;
                    for (col = 0; col < d->cols; ) {
                        const int end = TNN__MIN(d->cols, col + TNN__TERMS_MAX);
                        TNN__VF s0 = tnn__vzero(), s1 = s0, s2 = s0, s3 = s0;
                        for (; col < end; col++, x += d->x_col, dy += d->y_col) {
                            const TNN__VF g = TNN__AT(dy);
                            s0 = tnn__vfma(TNN__AT(x), g, s0);
                            s1 = tnn__vfma(TNN__AT(x + at1), g, s1);
                            s2 = tnn__vfma(TNN__AT(x + at2), g, s2);
                            s3 = tnn__vfma(TNN__AT(x + at3), g, s3);
                        }
                        TNN__FN(collect)(&s[0], &low[0], s0);
                        TNN__FN(collect)(&s[1], &low[1], s1);
                        TNN__FN(collect)(&s[2], &low[2], s2);
                        TNN__FN(collect)(&s[3], &low[3], s3);
                    }
                }
                for (k = 0; k < m; k++) {
                    tnn__vstore(d->dw + to + k*d->w_v, s[k]);
                    tnn__vstore(d->low + to + k*d->w_v, low[k]);
                }
            }
    )
}

/* Winograd's transforms (2f), first down the columns k of a tile, then along its rows i. */
#define TNN__EACH_TILE(BODY) \
    int r, j; \
    tnn__len c; \
    for (r = 0; r < t->rows; r++) \
        for (j = 0; j < t->cols; j++) \
            for (c = 0; c < t->c; c += TNN__VN) { \
                float *v = t->v + (tnn__len)(r*t->cols + j)*t->c + c; \
                BODY \
            }
#define TNN__PLACE(i, k) v + (4*(i) + (k))*each
TNN__KERNEL void TNN__FN(tiles_in)(const tnn__tiles *t)
{
    const tnn__len row = t->x_row, each = t->each;
#define TNN__COLUMN(k) \
    const TNN__VF a##k = tnn__vload(x + k*t->c), b##k = tnn__vload(x + row + k*t->c); \
    const TNN__VF e##k = tnn__vload(x + 2*row + k*t->c), f##k = tnn__vload(x + 3*row + k*t->c); \
    const TNN__VF d0##k = tnn__vsub(a##k, e##k), d1##k = tnn__vadd(b##k, e##k); \
    const TNN__VF d2##k = tnn__vsub(e##k, b##k), d3##k = tnn__vsub(b##k, f##k);
#define TNN__ROW(i) \
    tnn__vstore(TNN__PLACE(i, 0), tnn__vsub(d##i##0, d##i##2)); \
    tnn__vstore(TNN__PLACE(i, 1), tnn__vadd(d##i##1, d##i##2)); \
    tnn__vstore(TNN__PLACE(i, 2), tnn__vsub(d##i##2, d##i##1)); \
    tnn__vstore(TNN__PLACE(i, 3), tnn__vsub(d##i##1, d##i##3));
    TNN__EACH_TILE(
        const float *x = t->x + 2*r*row + 2*j*(tnn__len)t->c + c;
        TNN__COLUMN(0) TNN__COLUMN(1) TNN__COLUMN(2) TNN__COLUMN(3)
        TNN__ROW(0) TNN__ROW(1) TNN__ROW(2) TNN__ROW(3)
    )
#undef TNN__COLUMN
#undef TNN__ROW
}
TNN__KERNEL void TNN__FN(tiles_out)(const tnn__tiles *t)
{
    const tnn__len each = t->each;
#define TNN__COLUMN(k) \
    const TNN__VF a##k = tnn__vload(TNN__PLACE(0, k)), b##k = tnn__vload(TNN__PLACE(1, k)); \
    const TNN__VF e##k = tnn__vload(TNN__PLACE(2, k)), f##k = tnn__vload(TNN__PLACE(3, k)); \
    const TNN__VF s0##k = tnn__vadd(tnn__vadd(a##k, b##k), e##k); \
    const TNN__VF s1##k = tnn__vsub(tnn__vsub(b##k, e##k), f##k);
#define TNN__ROW(i) \
    TNN__VF y##i##0 = tnn__vadd(tnn__vadd(tnn__vadd(s##i##0, s##i##1), s##i##2), bias); \
    TNN__VF y##i##1 = tnn__vadd(tnn__vsub(tnn__vsub(s##i##1, s##i##2), s##i##3), bias); \
    const TNN__VF both##i = tnn__vadd(y##i##0, y##i##1); \
    if (t->relu) { \
        y##i##0 = tnn__vmax(tnn__vzero(), y##i##0); \
        y##i##1 = tnn__vmax(tnn__vzero(), y##i##1); \
    }
#define TNN__LARGER(y, q) \
    at = tnn__vgt(y, m, tnn__vset1(q), tnn__veq(y, y, at, tnn__vset1(q))); \
    m = tnn__vgt(y, m, y, tnn__veq(y, y, m, y));
    float lanes[TNN__VN];
    TNN__VF bad = tnn__vzero();     /* of a row: 0, or NaN if a sum of four outputs is not finite */
    int i;
    TNN__EACH_TILE(
        const TNN__VF bias = t->bias ? tnn__vload(t->bias + c) : tnn__vzero();
        TNN__COLUMN(0) TNN__COLUMN(1) TNN__COLUMN(2) TNN__COLUMN(3)
        TNN__ROW(0) TNN__ROW(1)
        const TNN__VF four = tnn__vadd(both0, both1);
        bad = tnn__vadd(bad, tnn__vsub(four, four));
        if (t->pool) {
            TNN__VF m = y00;
            TNN__VF at = tnn__vzero();
            TNN__LARGER(y01, 1.0f) TNN__LARGER(y10, 2.0f) TNN__LARGER(y11, 3.0f)
            tnn__vstore(t->y + r*t->y_row + (tnn__len)j*t->c + c, m);
            if (t->where) tnn__vstore(t->where + r*t->where_row + (tnn__len)j*t->c + c, at);
        } else {
            float *y = t->y + 2*r*t->y_row + 2*j*(tnn__len)t->c + c;
            tnn__vstore(y, y00);
            tnn__vstore(y + t->c, y01);
            tnn__vstore(y + t->y_row, y10);
            tnn__vstore(y + t->y_row + t->c, y11);
        }
        if (j == t->cols - 1 && c + TNN__VN >= t->c) {
            tnn__vstore(lanes, bad);
            bad = tnn__vzero();
            t->bad[r] = 0;
            for (i = 0; i < TNN__VN; i++) if (!(lanes[i] <= 0)) t->bad[r] = 1;
        }
    )
#undef TNN__COLUMN
#undef TNN__ROW
}
TNN__KERNEL void TNN__FN(tiles_grad)(const tnn__tiles *t)
{
    const tnn__len each = t->each;
#define TNN__COLUMN(k) \
    const TNN__VF d0##k = tnn__vload(x + k*t->c), e##k = tnn__vload(x + t->x_row + k*t->c); \
    const TNN__VF d1##k = tnn__vadd(d0##k, e##k), d2##k = tnn__vsub(d0##k, e##k); \
    const TNN__VF d3##k = tnn__vsub(tnn__vzero(), e##k);
#define TNN__ROW(i) \
    tnn__vstore(TNN__PLACE(i, 0), d##i##0); \
    tnn__vstore(TNN__PLACE(i, 1), tnn__vadd(d##i##0, d##i##1)); \
    tnn__vstore(TNN__PLACE(i, 2), tnn__vsub(d##i##0, d##i##1)); \
    tnn__vstore(TNN__PLACE(i, 3), tnn__vsub(tnn__vzero(), d##i##1));
    TNN__EACH_TILE(
        const float *x = t->x + 2*r*t->x_row + 2*j*(tnn__len)t->c + c;
        TNN__COLUMN(0) TNN__COLUMN(1)
        TNN__ROW(0) TNN__ROW(1) TNN__ROW(2) TNN__ROW(3)
    )
#undef TNN__COLUMN
#undef TNN__ROW
}
/* n floats for each of the nine places of the window */
TNN__KERNEL void TNN__FN(tiles_weights)(tnn__len n, const float *w, float *to, tnn__len each)
{
    const TNN__VF half = tnn__vset1(0.5f);
    tnn__len c;
#define TNN__COLUMN(k) \
    const TNN__VF g0##k = tnn__vload(w + c + k*n), b##k = tnn__vload(w + c + (3 + k)*n); \
    const TNN__VF g3##k = tnn__vload(w + c + (6 + k)*n), s##k = tnn__vadd(g0##k, g3##k); \
    const TNN__VF g1##k = tnn__vmul(half, tnn__vadd(s##k, b##k)); \
    const TNN__VF g2##k = tnn__vmul(half, tnn__vsub(s##k, b##k));
#define TNN__ROW(i) \
    const TNN__VF t##i = tnn__vadd(g##i##0, g##i##2); \
    tnn__vstore(TNN__PLACE(i, 0), g##i##0); \
    tnn__vstore(TNN__PLACE(i, 1), tnn__vmul(half, tnn__vadd(t##i, g##i##1))); \
    tnn__vstore(TNN__PLACE(i, 2), tnn__vmul(half, tnn__vsub(t##i, g##i##1))); \
    tnn__vstore(TNN__PLACE(i, 3), g##i##2);
    for (c = 0; c < n; c += TNN__VN) {
        float *v = to + c;
        TNN__COLUMN(0) TNN__COLUMN(1) TNN__COLUMN(2)
        TNN__ROW(0) TNN__ROW(1) TNN__ROW(2) TNN__ROW(3)
    }
#undef TNN__COLUMN
#undef TNN__ROW
}
TNN__KERNEL void TNN__FN(tiles_dw)(tnn__len n, const float *m, tnn__len each, float *dw)
{
    const TNN__VF half = tnn__vset1(0.5f);
    tnn__len c;
#define TNN__COLUMN(k) \
    const TNN__VF a##k = tnn__vload(TNN__PLACE(0, k)), b##k = tnn__vload(TNN__PLACE(1, k)); \
    const TNN__VF e##k = tnn__vload(TNN__PLACE(2, k)), f##k = tnn__vload(TNN__PLACE(3, k)); \
    const TNN__VF s##k = tnn__vadd(b##k, e##k); \
    const TNN__VF d0##k = tnn__vfma(half, s##k, a##k), d2##k = tnn__vfma(half, s##k, f##k); \
    const TNN__VF d1##k = tnn__vmul(half, tnn__vsub(b##k, e##k));
#define TNN__ROW(i) \
    const TNN__VF t##i = tnn__vadd(d##i##1, d##i##2); \
    tnn__vstore(dw + c + 3*i*n, tnn__vfma(half, t##i, d##i##0)); \
    tnn__vstore(dw + c + (3*i + 1)*n, tnn__vmul(half, tnn__vsub(d##i##1, d##i##2))); \
    tnn__vstore(dw + c + (3*i + 2)*n, tnn__vfma(half, t##i, d##i##3));
    for (c = 0; c < n; c += TNN__VN) {
        const float *v = m + c;
        TNN__COLUMN(0) TNN__COLUMN(1) TNN__COLUMN(2) TNN__COLUMN(3)
        TNN__ROW(0) TNN__ROW(1) TNN__ROW(2)
    }
#undef TNN__COLUMN
#undef TNN__ROW
}

/* y[j, i] = x[i, j] */
TNN__KERNEL void TNN__FN(transpose)(tnn__len rows, tnn__len cols, const float *x, tnn__len ldx,
                                    float *y, tnn__len ldy)
{
    tnn__len i, j, j_0;
    for (j_0 = 0; j_0 < cols; j_0 += 16) {         /* a cache line of each row at a time */
        const tnn__len end = TNN__MIN(cols, j_0 + 16), whole = j_0 + (end - j_0)/4*4;
        for (i = 0; i + 4 <= rows; i += 4) {
            for (j = j_0; j < whole; j += 4)
                TNN__FN(transpose4)(x + i*ldx + j, ldx, y + j*ldy + i, ldy);
            for (; j < end; j++) {
                y[j*ldy + i] = x[i*ldx + j];
                y[j*ldy + i + 1] = x[(i + 1)*ldx + j];
                y[j*ldy + i + 2] = x[(i + 2)*ldx + j];
                y[j*ldy + i + 3] = x[(i + 3)*ldx + j];
            }
        }
        for (; i < rows; i++) for (j = j_0; j < end; j++) y[j*ldy + i] = x[i*ldx + j];
    }
}

/* ---- 3c. Functions, and element by element ----------------------------------------------------
   Functions of a vector, to about 2 ulp, by series whose coefficients are the mathematical ones
   but for erf's, which are fitted. libm's differ from machine to machine. */
TNN__HELPER TNN__VF TNN__FN(abs)(TNN__VF x) { return tnn__vmax(x, tnn__vsub(tnn__vzero(), x)); }
TNN__HELPER TNN__VF TNN__FN(with_sign)(TNN__VF x, TNN__VF y)
{
    return tnn__vgt(tnn__vzero(), x, tnn__vsub(tnn__vzero(), y), y);
}
/* c[0] x^(n-1) + ... + c[n-1] */
TNN__HELPER TNN__VF TNN__FN(poly)(TNN__VF x, const float *c, int n)
{
    TNN__VF p = tnn__vset1(c[0]);
    int i;
    TNN__UNROLL
    for (i = 1; i < n; i++) p = tnn__vfma(p, x, tnn__vset1(c[i]));
    return p;
}

/* x = n ln 2 + r, |r| <= ln 2 / 2: gives r, unit 2^n and (exp(r) - 1)/r by its Taylor series. ln 2
   in two parts, the first short enough for n times it to be exact. unit is a power of two, |x| at
   most 104, and unit 2^n a float that is not denormal. */
TNN__HELPER TNN__VF TNN__FN(exp_parts)(TNN__VF x, TNN__VF unit, TNN__VF *r, TNN__VF *power)
{
    static const float taylor[] = {1.0f/5040, 1.0f/720, 1.0f/120, 1.0f/24, 1.0f/6, 0.5f, 1};
    /* 1.5 * 2^23: adding it rounds to an integer, kept in the low bits */
    const TNN__VF magic = tnn__vset1(12582912.0f);
    const TNN__VF t = tnn__vfma(x, tnn__vset1(1.44269504f), magic);
    const TNN__VF n = tnn__vsub(t, magic);
    *r = tnn__vfma(n, tnn__vset1(2.12194440e-4f), tnn__vfma(n, tnn__vset1(-0.693359375f), x));
    *power = tnn__vcast(tnn__uadd(tnn__usll(tnn__ucast(t), 23), tnn__ucast(unit)));
    return TNN__FN(poly)(*r, taylor, 7);
}
/* 2^n reaches beyond the floats that are not denormal. 2^n times 2^64 or 2^-64 does not, and only
   the product that takes these back rounds, down to 0 or up to infinity. */
TNN__HELPER TNN__VF TNN__FN(exp)(TNN__VF x)
{
    const TNN__VF large = tnn__vset1(18446744073709551616.0f);
    const TNN__VF tiny = tnn__vset1(1/18446744073709551616.0f);
    const TNN__VF at = tnn__vmin(tnn__vset1(89.0f), tnn__vmax(tnn__vset1(-104.0f), x));
    const TNN__VF zero = tnn__vzero();
    TNN__VF r, power;
    const TNN__VF p = TNN__FN(exp_parts)(at, tnn__vgt(zero, at, large, tiny), &r, &power);
    return tnn__vmul(tnn__vmul(tnn__vfma(p, r, tnn__vset1(1.0f)), power),
                     tnn__vgt(zero, at, tiny, large));
}
/* exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1); above 88 that of 88 */
TNN__HELPER TNN__VF TNN__FN(expm1)(TNN__VF x)
{
    const TNN__VF one = tnn__vset1(1.0f);
    TNN__VF r, power, p;
    p = TNN__FN(exp_parts)(tnn__vmin(tnn__vset1(88.0f), tnn__vmax(tnn__vset1(-87.3f), x)), one, &r,
                           &power);
    return tnn__vfma(tnn__vmul(p, r), power, tnn__vsub(power, one));
}
/* 2 atanh(s)/s - 2 in z = s^2 */
TNN__HELPER TNN__VF TNN__FN(atanh_tail)(TNN__VF z)
{
    static const float c[] = {2.0f/15, 2.0f/13, 2.0f/11, 2.0f/9, 2.0f/7, 2.0f/5, 2.0f/3};
    return tnn__vmul(z, TNN__FN(poly)(z, c, 7));
}
/* log(1 + f) = 2 atanh(s), s = f/(2 + f), written as f - s (f - tail) to keep f's digits;
   f in [-0.3, 1]. */
TNN__HELPER TNN__VF TNN__FN(log1p)(TNN__VF f)
{
    const TNN__VF s = tnn__vdiv(f, tnn__vadd(tnn__vset1(2.0f), f));
    return tnn__vsub(f, tnn__vmul(s, tnn__vsub(f, TNN__FN(atanh_tail)(tnn__vmul(s, s)))));
}
/* x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)) */
TNN__HELPER TNN__VF TNN__FN(log)(TNN__VF x)
{
    const TNN__VF tiny = tnn__vset1(1.17549435e-38f);
    const TNN__VF y = tnn__vgt(tiny, x, tnn__vmul(x, tnn__vset1(8388608.0f)), x); /* 2^23 */
    const TNN__VU u = tnn__uadd(tnn__ucast(y), tnn__uset1(0x3f800000u - 0x3f3504f3u));
    const TNN__VF f = tnn__vsub(tnn__vcast(tnn__uadd(tnn__usrl(tnn__usll(u, 9), 9),
                                                     tnn__uset1(0x3f3504f3u))),
                                tnn__vset1(1.0f));
    const TNN__VF k = tnn__vsub(tnn__vfrom(tnn__usrl(u, 23)),
                                tnn__vgt(tiny, x, tnn__vset1(150.0f), tnn__vset1(127.0f)));
    const TNN__VF s = tnn__vdiv(f, tnn__vadd(tnn__vset1(2.0f), f));
    const TNN__VF low = tnn__vfma(k, tnn__vset1(-2.12194440e-4f),
                                  tnn__vmul(s, tnn__vsub(TNN__FN(atanh_tail)(tnn__vmul(s, s)), f)));
    const TNN__VF r = tnn__vfma(k, tnn__vset1(0.693359375f), tnn__vadd(f, low));
    return tnn__vgt(x, tnn__vzero(), tnn__vgt(x, tnn__vset1(3.4028235e38f), x, r),
                    tnn__veq(x, tnn__vzero(), tnn__vset1((float)-HUGE_VAL),
                             tnn__vset1((float)TNN__NAN)));
}
TNN__HELPER TNN__VF TNN__FN(sigmoid)(TNN__VF x) /* 1/(1 + e) or e/(1 + e), e = exp(-|x|) */
{
    const TNN__VF one = tnn__vset1(1.0f);
    const TNN__VF e = TNN__FN(exp)(tnn__vsub(tnn__vzero(), TNN__FN(abs)(x)));
    return tnn__vdiv(tnn__vgt(tnn__vzero(), x, e, one), tnn__vadd(one, e));
}
TNN__HELPER TNN__VF TNN__FN(logistic)(TNN__VF x) /* its derivative, e/(1 + e)^2 */
{
    const TNN__VF e = TNN__FN(exp)(tnn__vsub(tnn__vzero(), TNN__FN(abs)(x)));
    const TNN__VF q = tnn__vadd(tnn__vset1(1.0f), e);
    return tnn__vdiv(e, tnn__vmul(q, q));
}
TNN__HELPER TNN__VF TNN__FN(tanh)(TNN__VF x) /* of |x|: e/(e + 2), e = exp(2x) - 1 */
{
    const TNN__VF a = tnn__vmin(tnn__vset1(10.0f), TNN__FN(abs)(x));
    const TNN__VF e = TNN__FN(expm1)(tnn__vadd(a, a));
    return tnn__veq(x, x, TNN__FN(with_sign)(x, tnn__vdiv(e, tnn__vadd(e, tnn__vset1(2.0f)))), x);
}
/* log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)) */
TNN__HELPER TNN__VF TNN__FN(softplus)(TNN__VF x)
{
    return tnn__vadd(tnn__vmax(x, tnn__vzero()),
                     TNN__FN(log1p)(TNN__FN(exp)(tnn__vsub(tnn__vzero(), TNN__FN(abs)(x)))));
}
/* x P(x^2) below 1; above, 1 - exp(-x^2) t Q(t), t = 1/(1 + x/2): relative errors 1e-9, 8e-9.
   *tail = 1 - erf(|x|), where |x| is 1 or more. */
TNN__HELPER TNN__VF TNN__FN(erf_parts)(TNN__VF x, TNN__VF *tail)
{
    static const float below[] = {7.85385572e-05f, -8.01019192e-04f, 5.18832749e-03f,
                                  -2.68538118e-02f, 1.12835851e-01f, -3.76126258e-01f,
                                  1.12837917f};
    static const float above[] = {0.0903068943f, -0.371924909f, 0.419313965f, 0.011148143f,
                                  0.293492455f, 0.274944265f, 0.282557077f};
    const TNN__VF one = TNN__ONE, a = tnn__vmin(tnn__vset1(10.5f), TNN__FN(abs)(x));
    const TNN__VF z = tnn__vmul(a, a);
    const TNN__VF t = tnn__vdiv(one, tnn__vfma(a, tnn__vset1(0.5f), one));
    *tail = tnn__vmul(tnn__vmul(TNN__FN(exp)(tnn__vsub(tnn__vzero(), z)), t),
                      TNN__FN(poly)(t, above, 7));
    return TNN__FN(with_sign)(x, tnn__vgt(one, a, tnn__vmul(a, TNN__FN(poly)(z, below, 7)),
                                          tnn__vsub(one, *tail)));
}

/* ELEMENT BY ELEMENT, and by column: the loops are TNN__EACH's and TNN__EACH_ONCE's (3a). Matrices
   have `rows` rows of `cols` floats, ldx, ldy, lddx floats apart. What is summed over the rows goes
   in chains: TNN__CHAINS { BEGIN; TNN__EACH_TERM ADD; END }, and is added to what stands in y with
   the compensation `low` (SUMS in 3a), so that rows may come in several calls. */
#define TNN__CHAINS for (r = end = 0; end < rows; )
#define TNN__EACH_TERM for (end = TNN__MIN(rows, end + TNN__TERMS_MAX); r < end; r++)

/* y[i] += x[i] */
TNN__KERNEL void TNN__FN(add)(tnn__len n, const float *x, float *y)
{
    TNN__EACH(n, TNN__PUT(y, tnn__vadd(TNN__AT(y), TNN__AT(x)));)
}
/* y[i] += x[i], compensated: x[i] is a chain's result, low[i] what y[i] has too much. */
TNN__KERNEL void TNN__FN(add_to)(tnn__len n, const float *x, float *y, float *low)
{
    TNN__EACH_ONCE(n,
        TNN__VF s = TNN__AT(y), c = TNN__AT(low);
        TNN__FN(collect)(&s, &c, TNN__AT(x));
        TNN__PUT(y, s);
        TNN__PUT(low, c);
    )
}
/* y[j] += sum over rows r of x[r, j] unit, compensated. x (rows, cols), y and low (cols) */
TNN__KERNEL void TNN__FN(colsum)(tnn__len rows, tnn__len cols, const float *x, tnn__len ldx,
                                 float unit, float *y, float *low)
{
    const TNN__VF u = tnn__vset1(unit);
    tnn__len r, end;
    TNN__EACH(cols,
        TNN__VF s = TNN__AT(y), c = TNN__AT(low);
        TNN__CHAINS {
            TNN__VF t = tnn__vzero();
            TNN__EACH_TERM t = tnn__vfma(u, TNN__AT(x + r*ldx), t);
            TNN__FN(collect)(&s, &c, t);
        }
        TNN__PUT(y, s);
        TNN__PUT(low, c);
    )
}
/* Two sums by column, of what the body adds to t0 and t1 for row r: the first to sums (cols), its
   low at sums + each, the second to sums + 2 each, its low at sums + 3 each. */
#define TNN__TWO_SUMS(...) \
    TNN__VF s0 = TNN__AT(sums), c0 = TNN__AT(sums + each); \
    TNN__VF s1 = TNN__AT(sums + 2*each), c1 = TNN__AT(sums + 3*each); \
    TNN__CHAINS { \
        TNN__VF t0 = tnn__vzero(), t1 = t0; \
        TNN__EACH_TERM { __VA_ARGS__ } \
        TNN__FN(collect)(&s0, &c0, t0); \
        TNN__FN(collect)(&s1, &c1, t1); \
    } \
    TNN__PUT(sums, s0); \
    TNN__PUT(sums + each, c0); \
    TNN__PUT(sums + 2*each, s1); \
    TNN__PUT(sums + 3*each, c1);
/* The sums of d = x unit - centre and of d^2, by column. centre (cols) */
TNN__KERNEL void TNN__FN(moments)(tnn__len rows, tnn__len cols, const float *x, tnn__len ldx,
                                  float unit, const float *centre, float *sums, tnn__len each)
{
    const TNN__VF u = tnn__vset1(unit);
    tnn__len r, end;
    TNN__EACH(cols,
        const TNN__VF m = TNN__NEG(TNN__AT(centre));
        TNN__TWO_SUMS(
            const TNN__VF d = tnn__vfma(u, TNN__AT(x + r*ldx), m);
            t0 = tnn__vadd(t0, d);
            t1 = tnn__vfma(d, d, t1);
        )
    )
}
/* The sums of dy and of dy x^, x^ = (x - mean) rstd, by column. mean and rstd (cols) */
TNN__KERNEL void TNN__FN(norm_sums)(tnn__len rows, tnn__len cols, const float *x, tnn__len ldx,
                                    const float *mean, const float *rstd, const float *dy,
                                    tnn__len ldy, float *sums, tnn__len each)
{
    tnn__len r, end;
    TNN__EACH(cols,
        const TNN__VF m = TNN__AT(mean), q = TNN__AT(rstd);
        TNN__TWO_SUMS(
            const TNN__VF g = TNN__AT(dy + r*ldy);
            t0 = tnn__vadd(t0, g);
            t1 = tnn__vfma(tnn__vmul(tnn__vsub(TNN__AT(x + r*ldx), m), q), g, t1);
        )
    )
}
/* y[j] = keep y[j] + a sum over rows of x[r, j]^2; with keep 0 y is not read. */
TNN__KERNEL void TNN__FN(colsquares)(tnn__len rows, tnn__len cols, const float *x, tnn__len ldx,
                                     float a, float keep, float *y)
{
    const TNN__VF scale = tnn__vset1(a), k = tnn__vset1(keep), zero = tnn__vzero();
    tnn__len r, end;
    TNN__EACH(cols,
        TNN__VF s = zero, c = s;
        TNN__CHAINS {
            TNN__VF t = zero;
            TNN__EACH_TERM {
                const TNN__VF d = TNN__AT(x + r*ldx);
                t = tnn__vfma(d, d, t);
            }
            TNN__FN(collect)(&s, &c, t);
        }
        TNN__PUT(y, tnn__vfma(scale, s, keep > 0 ? tnn__vmul(k, TNN__AT(y)) : zero));
    )
}
/* Adafactor: q = r/max(mean, eps), or r where mean is NULL;  v = q c, or q where c is NULL;
   d = sign g/sqrt(max(v, eps^2)).  r and mean by column; g, c and d (rows, cols) */
TNN__KERNEL void TNN__FN(adafactor)(tnn__len rows, tnn__len cols, const float *g, const float *r,
                                    const float *mean, const float *c, float sign, float eps,
                                    float *d)
{
    const TNN__VF s = tnn__vset1(sign), least = tnn__vset1(eps), tiny = tnn__vset1(eps*eps);
    tnn__len k;
    TNN__EACH(cols,
        TNN__VF q = TNN__AT(r);
        if (mean) q = tnn__vdiv(q, tnn__vmax(TNN__AT(mean), least));
        for (k = 0; k < rows*cols; k += cols) {
            const TNN__VF v = tnn__vmax(c ? tnn__vmul(q, TNN__AT(c + k)) : q, tiny);
            TNN__PUT(d + k, tnn__vdiv(tnn__vmul(s, TNN__AT(g + k)), tnn__vsqrt(v)));
        }
    )
}
/* y = (x - mean) scale + shift, each of the three by column */
TNN__KERNEL void TNN__FN(affine)(tnn__len rows, tnn__len cols, const float *x, tnn__len ldx,
                                 const float *mean, const float *scale, const float *shift,
                                 float *y, tnn__len ldy)
{
    tnn__len r;
    TNN__EACH(cols,
        const TNN__VF m = TNN__AT(mean), a = TNN__AT(scale), b = TNN__AT(shift);
        for (r = 0; r < rows; r++)
            TNN__PUT(y + r*ldy, tnn__vfma(tnn__vsub(TNN__AT(x + r*ldx), m), a, b));
    )
}
/* dx = a dy + b x^ + c, x^ = (x - mean) rstd; a, b, c, mean and rstd by column */
TNN__KERNEL void TNN__FN(affine_grad)(tnn__len rows, tnn__len cols, const float *x, tnn__len ldx,
                                      const float *mean, const float *rstd, const float *dy,
                                      tnn__len ldy, const float *a, const float *b, const float *c,
                                      float *dx, tnn__len lddx)
{
    tnn__len r;
    TNN__EACH(cols,
        const TNN__VF m = TNN__AT(mean), s = TNN__AT(rstd);
        const TNN__VF p = TNN__AT(a), q = TNN__AT(b), t = TNN__AT(c);
        for (r = 0; r < rows; r++) {
            const TNN__VF u = tnn__vmul(tnn__vsub(TNN__AT(x + r*ldx), m), s);
            TNN__PUT(dx + r*lddx, tnn__vfma(p, TNN__AT(dy + r*ldy), tnn__vfma(q, u, t)));
        }
    )
}
/* y = x > 0 ? x : slope x, slope by column */
TNN__KERNEL void TNN__FN(prelu)(tnn__len rows, tnn__len cols, const float *x, tnn__len ldx,
                                const float *slope, float *y, tnn__len ldy)
{
    tnn__len r;
    TNN__EACH(cols,
        const TNN__VF a = TNN__AT(slope);
        for (r = 0; r < rows; r++) {
            const TNN__VF v = TNN__AT(x + r*ldx);
            TNN__PUT(y + r*ldy, tnn__vgt(v, tnn__vzero(), v, tnn__vmul(a, v)));
        }
    )
}
/* dx = x > 0 ? dy : slope dy, unless dx is NULL; dslope += sum over rows of dy x where x <= 0,
   compensated by low. slope, dslope and low by column */
TNN__KERNEL void TNN__FN(prelu_grad)(tnn__len rows, tnn__len cols, const float *x, tnn__len ldx,
                                     const float *slope, const float *dy, tnn__len ldy, float *dx,
                                     tnn__len lddx, float *dslope, float *low)
{
    const TNN__VF zero = tnn__vzero();
    tnn__len r, end;
    TNN__EACH(cols,
        const TNN__VF a = TNN__AT(slope);
        TNN__VF s = TNN__AT(dslope), c = TNN__AT(low);
        TNN__CHAINS {
            TNN__VF t = zero;
            TNN__EACH_TERM {
                const TNN__VF v = TNN__AT(x + r*ldx), g = TNN__AT(dy + r*ldy);
                t = tnn__vfma(tnn__vgt(v, zero, zero, g), v, t);
                if (dx) TNN__PUT(dx + r*lddx, tnn__vgt(v, zero, g, tnn__vmul(a, g)));
            }
            TNN__FN(collect)(&s, &c, t);
        }
        TNN__PUT(dslope, s);
        TNN__PUT(low, c);
    )
}

/* y = a x, or with keep y += a x */
TNN__KERNEL void TNN__FN(axpy)(tnn__len n, float a, const float *x, float *y, int keep)
{
    const TNN__VF f = tnn__vset1(a);
    TNN__EACH(n, TNN__PUT(y, keep ? tnn__vfma(f, TNN__AT(x), TNN__AT(y))
                                  : tnn__vmul(f, TNN__AT(x)));)
}
/* y = x m */
TNN__KERNEL void TNN__FN(multiply)(tnn__len n, const float *x, const float *m, float *y)
{
    TNN__EACH(n, TNN__PUT(y, tnn__vmul(TNN__AT(x), TNN__AT(m)));)
}
/* y += a (x - y) */
TNN__KERNEL void TNN__FN(lerp)(tnn__len n, float a, const float *x, float *y)
{
    const TNN__VF s = tnn__vset1(a);
    TNN__EACH(n, TNN__PUT(y, tnn__vfma(s, tnn__vsub(TNN__AT(x), TNN__AT(y)), TNN__AT(y)));)
}
/* z = a x + y */
TNN__KERNEL void TNN__FN(madd)(tnn__len n, float a, const float *x, const float *y, float *z)
{
    const TNN__VF s = tnn__vset1(a);
    TNN__EACH(n, TNN__PUT(z, tnn__vfma(s, TNN__AT(x), TNN__AT(y)));)
}
/* y = a x, kept in -limit..limit; NaN stays NaN */
TNN__KERNEL void TNN__FN(scale)(tnn__len n, float a, float limit, const float *x, float *y)
{
    const TNN__VF s = tnn__vset1(a), low = tnn__vset1(-limit), high = tnn__vset1(limit);
    TNN__EACH(n, TNN__PUT(y, tnn__vmin(high, tnn__vmax(low, tnn__vmul(s, TNN__AT(x)))));)
}
/* Denormal x[i] become 0. */
TNN__KERNEL void TNN__FN(flush)(tnn__len n, float *x)
{
    const TNN__VF least = tnn__vset1(1.17549435e-38f);
    TNN__EACH(n,
        const TNN__VF a = TNN__AT(x);
        TNN__PUT(x, tnn__vgt(least, TNN__FN(abs)(a), tnn__vzero(), a));
    )
}
/* g += l1 sign(w) + l2 w: the gradient of l1 |w| + l2/2 w^2 */
TNN__KERNEL void TNN__FN(penalty)(tnn__len n, const float *w, float *g, float l1, float l2)
{
    const TNN__VF up = tnn__vset1(l1), down = tnn__vset1(-l1), slope = tnn__vset1(l2);
    const TNN__VF zero = tnn__vzero();
    TNN__EACH(n,
        const TNN__VF x = TNN__AT(w), d = tnn__vfma(slope, x, TNN__AT(g));
        TNN__PUT(g, tnn__vadd(d, tnn__vgt(x, zero, up, tnn__vgt(zero, x, down, zero))));
    )
}
/* w[k, j] *= factors[j], w a panel of `rows` rows of 16 columns */
TNN__KERNEL void TNN__FN(colscale)(tnn__len rows, const float *factors, float *w)
{
    tnn__len k;
    TNN__EACH(16,
        const TNN__VF f = TNN__AT(factors);
        for (k = 0; k < rows; k++) TNN__PUT(w + k*16, tnn__vmul(f, TNN__AT(w + k*16)));
    )
}
/* softmax: dx = y (dy - dot), dot = sum y dy.  log softmax: dx = dy - exp(y) dot, dot = sum dy */
TNN__KERNEL void TNN__FN(softmax_grad)(tnn__len n, const float *y, const float *dy, float dot,
                                       float *dx, int logarithm)
{
    const TNN__VF d = tnn__vset1(dot), minus = tnn__vset1(-dot);
    TNN__EACH_ONCE(n,
        const TNN__VF v = TNN__AT(y), g = TNN__AT(dy);
        TNN__PUT(dx, logarithm ? tnn__vfma(TNN__FN(exp)(v), minus, g)
                               : tnn__vmul(v, tnn__vsub(g, d)));
    )
}

/* y = x > 0 ? x : slope x; slope 0 is ReLU, max(0, x). NaN stays NaN. */
TNN__KERNEL void TNN__FN(act)(tnn__len n, const float *x, float *y, float slope)
{
    const TNN__VF s = tnn__vset1(slope), zero = tnn__vzero();
    if (slope > 0 || slope < 0) {
        TNN__EACH(n,
            const TNN__VF v = TNN__AT(x);
            TNN__PUT(y, tnn__vgt(v, zero, v, tnn__vmul(s, v)));
        )
    } else TNN__EACH(n, TNN__PUT(y, tnn__vmax(zero, TNN__AT(x)));)
}
/* Of a gradient g through act, whose output is v: scale g where v > 0, else slope scale g, and 0
   with slope 0. For slope >= 0 the sign of v is that of act's input. */
TNN__HELPER TNN__VF TNN__FN(back)(TNN__VF v, TNN__VF g, float slope, float scale)
{
    const TNN__VF below = slope > 0 || slope < 0 ? tnn__vmul(tnn__vset1(slope*scale), g)
                                                 : tnn__vzero();
    return tnn__vgt(v, tnn__vzero(), tnn__vmul(tnn__vset1(scale), g), below);
}
/* dx = dy through act, times scale; y: act's output, or its input */
TNN__KERNEL void TNN__FN(act_grad)(tnn__len n, const float *y, const float *dy, float *dx,
                                   float slope, float scale)
{
    TNN__EACH(n, TNN__PUT(dx, TNN__FN(back)(TNN__AT(y), TNN__AT(dy), slope, scale));)
}
/* The same of 16 columns of dy (rows, ldd apart), into a panel; y NULL: dy as it is. */
TNN__KERNEL void TNN__FN(act_panel)(tnn__len rows, const float *y, tnn__len ldy, const float *dy,
                                    tnn__len ldd, float *to, float slope, float scale)
{
    tnn__len r;
    for (r = 0; r < rows; r++, dy += ldd, to += 16)
        TNN__EACH(16,
            const TNN__VF g = TNN__AT(dy);
            TNN__PUT(to, y ? TNN__FN(back)(TNN__AT(y + r*ldy), g, slope, scale) : g);
        )
}

/* The other activations: y = f(x) and dx = dy f'(x), a, b and c up to three options p. Each is a
   row below: its name, f and f' of the vector x. */
#define TNN__ACTIVATION(name, Y, DY) \
TNN__KERNEL void TNN__FN(act_##name)(tnn__len n, const float *from, float *y, const float *p) \
{ \
    const TNN__VF a = tnn__vset1(p[0]), b = tnn__vset1(p[1]), c = tnn__vset1(p[2]); \
    (void)a; (void)b; (void)c; \
    TNN__EACH_ONCE(n, const TNN__VF x = TNN__AT(from); TNN__PUT(y, Y);) \
} \
TNN__KERNEL void TNN__FN(act_##name##_grad)(tnn__len n, const float *from, const float *dy, \
                                            float *dx, const float *p) \
{ \
    const TNN__VF a = tnn__vset1(p[0]), b = tnn__vset1(p[1]), c = tnn__vset1(p[2]); \
    (void)a; (void)b; (void)c; \
    TNN__EACH_ONCE(n, \
        const TNN__VF x = TNN__AT(from), g = TNN__AT(dy); \
        TNN__PUT(dx, tnn__vmul(g, DY)); \
    ) \
}
/* Phi(x), the normal distribution; phi(x), its density */
TNN__HELPER TNN__VF TNN__FN(cdf)(TNN__VF x)
{
    const TNN__VF u = tnn__vmul(x, tnn__vset1(0.707106781f)), half = tnn__vset1(0.5f);
    TNN__VF tail;
    const TNN__VF y = tnn__vfma(half, TNN__FN(erf_parts)(u, &tail), half);
    return tnn__vgt(tnn__vset1(-1.0f), u, tnn__vmul(half, tail), y);
}
TNN__HELPER TNN__VF TNN__FN(density)(TNN__VF x)
{
    return tnn__vmul(tnn__vset1(0.398942280f),
                     TNN__FN(exp)(tnn__vmul(tnn__vmul(x, x), tnn__vset1(-0.5f))));
}
/* u = sqrt(2/pi) (x + 0.044715 x^3), and du/dx */
TNN__HELPER TNN__VF TNN__FN(gelu_u)(TNN__VF x)
{
    return tnn__vmul(tnn__vset1(0.797884561f),
                     tnn__vmul(x, tnn__vfma(tnn__vmul(x, x), tnn__vset1(0.044715f),
                                            tnn__vset1(1.0f))));
}
TNN__HELPER TNN__VF TNN__FN(gelu_du)(TNN__VF x)
{
    return tnn__vfma(tnn__vmul(x, x), tnn__vset1(0.797884561f*3*0.044715f),
                     tnn__vset1(0.797884561f));
}
/* tanh(softplus(x)) = e (e + 2)/(e (e + 2) + 2), e = exp(x) */
TNN__HELPER TNN__VF TNN__FN(tanh_softplus)(TNN__VF x)
{
    const TNN__VF e = TNN__FN(exp)(tnn__vmin(tnn__vset1(20.0f), x));
    const TNN__VF w = tnn__vmul(e, tnn__vadd(e, tnn__vset1(2.0f)));
    return tnn__vdiv(w, tnn__vadd(w, tnn__vset1(2.0f)));
}
TNN__HELPER TNN__VF TNN__FN(square)(TNN__VF x)      { return tnn__vmul(x, x); }
/* s + x s (1 - s) du: the derivative of x s(u), s the sigmoid */
TNN__HELPER TNN__VF TNN__FN(x_sigmoid_grad)(TNN__VF x, TNN__VF s, TNN__VF du)
{
    return tnn__vfma(tnn__vmul(x, du), tnn__vmul(s, tnn__vsub(tnn__vset1(1.0f), s)), s);
}
/* of x s(2u); from 16 on either side it is 1 or 0 */
TNN__HELPER TNN__VF TNN__FN(gelu_tanh_grad)(TNN__VF x)
{
    const TNN__VF two = tnn__vset1(2.0f);
    const TNN__VF a = tnn__vmin(tnn__vset1(16.0f), tnn__vmax(tnn__vset1(-16.0f), x));
    return TNN__FN(x_sigmoid_grad)(a, TNN__FN(sigmoid)(tnn__vmul(two, TNN__FN(gelu_u)(a))),
                                   tnn__vmul(two, TNN__FN(gelu_du)(a)));
}
TNN__HELPER TNN__VF TNN__FN(mish_grad)(TNN__VF x, TNN__VF t) /* t + x s (1 - t^2) */
{
    return tnn__vfma(tnn__vmul(x, TNN__FN(sigmoid)(x)),
                     tnn__vsub(tnn__vset1(1.0f), tnn__vmul(t, t)), t);
}
TNN__HELPER TNN__VF TNN__FN(softsign_grad)(TNN__VF x)
{
    return tnn__vdiv(tnn__vset1(1.0f),
                     TNN__FN(square)(tnn__vadd(tnn__vset1(1.0f), TNN__FN(abs)(x))));
}
/* x kept in 0..1; in this order NaN stays */
#define TNN__CLAMP(x)    tnn__vmin(TNN__ONE, tnn__vmax(tnn__vzero(), x))
#define TNN__SIXTH(x)    TNN__CLAMP(tnn__vfma(x, tnn__vset1(1.0f/6), tnn__vset1(0.5f)))
#define TNN__WITHIN(x, lo, hi, v) tnn__vgt(x, lo, tnn__vgt(hi, x, v, tnn__vzero()), tnn__vzero())
/* c (x > 0 ? x : a (exp(b x) - 1)): ELU (b = c = 1), SELU, CELU (b = 1/a) */
TNN__ACTIVATION(elu, tnn__vmul(c, tnn__vgt(x, tnn__vzero(), x,
                                           tnn__vmul(a, TNN__FN(expm1)(tnn__vmul(b, x))))),
                tnn__vmul(c, tnn__vgt(x, tnn__vzero(), TNN__ONE,
                                      tnn__vmul(tnn__vmul(a, b), TNN__FN(exp)(tnn__vmul(b, x))))))
TNN__ACTIVATION(clamp, tnn__vgt(a, x, a, tnn__vgt(x, b, b, x)), TNN__WITHIN(x, a, b, TNN__ONE))
TNN__ACTIVATION(hardsigmoid, TNN__SIXTH(x),
                TNN__WITHIN(x, tnn__vset1(-3.0f), tnn__vset1(3.0f), tnn__vset1(1.0f/6)))
TNN__ACTIVATION(hardswish, tnn__vmul(x, TNN__SIXTH(x)),
                tnn__vgt(tnn__vset1(3.0f), x,
                         tnn__vgt(x, tnn__vset1(-3.0f), tnn__vfma(x, tnn__vset1(1.0f/3), TNN__HALF),
                                  tnn__vzero()), TNN__ONE))
TNN__ACTIVATION(gelu, tnn__vmul(x, TNN__FN(cdf)(x)),
                tnn__vfma(x, TNN__FN(density)(x), TNN__FN(cdf)(x)))
/* x s(2u): 0.5 (1 + tanh(u)) = s(2u) */
TNN__ACTIVATION(gelu_tanh,
                tnn__vmul(x, TNN__FN(sigmoid)(tnn__vmul(tnn__vset1(2.0f), TNN__FN(gelu_u)(x)))),
                TNN__FN(gelu_tanh_grad)(x))
TNN__ACTIVATION(silu, tnn__vmul(x, TNN__FN(sigmoid)(x)),
                TNN__FN(x_sigmoid_grad)(x, TNN__FN(sigmoid)(x), TNN__ONE))
TNN__ACTIVATION(mish, tnn__vmul(x, TNN__FN(tanh_softplus)(x)),
                TNN__FN(mish_grad)(x, TNN__FN(tanh_softplus)(x)))
/* log(1 + exp(a x))/a, x itself where a x > b */
TNN__ACTIVATION(softplus, tnn__vgt(tnn__vmul(a, x), b, x,
                                   tnn__vdiv(TNN__FN(softplus)(tnn__vmul(a, x)), a)),
                tnn__vgt(tnn__vmul(a, x), b, TNN__ONE, TNN__FN(sigmoid)(tnn__vmul(a, x))))
TNN__ACTIVATION(softsign, tnn__vdiv(x, tnn__vadd(TNN__ONE, TNN__FN(abs)(x))),
                TNN__FN(softsign_grad)(x))
TNN__ACTIVATION(sigmoid, TNN__FN(sigmoid)(x), TNN__FN(logistic)(x))
TNN__ACTIVATION(log_sigmoid, tnn__vsub(tnn__vzero(), TNN__FN(softplus)(tnn__vsub(tnn__vzero(), x))),
                TNN__FN(sigmoid)(tnn__vsub(tnn__vzero(), x)))
TNN__ACTIVATION(tanh, TNN__FN(tanh)(x),
                tnn__vmul(tnn__vset1(4.0f), TNN__FN(logistic)(tnn__vadd(x, x))))

/* Random words: blocks `block` + 0..15 of Philox for lanes `lane` and on, four words each. */
TNN__HELPER void TNN__FN(philox)(uint64_t seed, uint64_t stream, uint64_t block, int lane,
                                 TNN__VU word[4])
{
    static const uint32_t iota[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const TNN__VU m0 = tnn__uset1(TNN__PHILOX_M0), m1 = tnn__uset1(TNN__PHILOX_M1);
    TNN__VU c0 = tnn__uadd(tnn__uset1((uint32_t)block), tnn__uload(iota + lane));  /* 15 more */
    TNN__VU c1 = tnn__uset1((uint32_t)(block >> 32));
    TNN__VU c2 = tnn__uset1((uint32_t)stream);
    TNN__VU c3 = tnn__uset1((uint32_t)(stream >> 32));
    TNN__VU h0, l0, h1, l1;
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    int r;
    for (r = 0; r < 10; r++, k0 += TNN__PHILOX_W0, k1 += TNN__PHILOX_W1) {
        tnn__umul(c0, m0, h0, l0);
        tnn__umul(c2, m1, h1, l1);
        c0 = tnn__uxor(tnn__uxor(h1, c1), tnn__uset1(k0));
        c2 = tnn__uxor(tnn__uxor(h0, c3), tnn__uset1(k1));
        c1 = l1;
        c3 = l0;
    }
    word[0] = c0; word[1] = c1; word[2] = c2; word[3] = c3;
}
/* Element e = first + i (first a multiple of 64) is drawn from word e/16 % 4 of Philox block
   e/64*16 + e%16: 64 elements are four vectors of 16 lanes. */
TNN__KERNEL void TNN__FN(dropout)(tnn__len n, const float *x, float *y, const tnn__drop *d,
                                  uint64_t stream, uint64_t first)
{
    const TNN__VF limit = tnn__vset1(d->p*16777216.0f), scale = tnn__vset1(d->scale);
    const TNN__VF shift = tnn__vset1(d->shift), dropped = tnn__vset1(d->dropped);
    TNN__VU word[4];
    tnn__len i;
    int lane, w;
    for (i = 0; i < n; i += 64)
        for (lane = 0; lane < 16 && i + lane < n; lane += TNN__VN) {
            TNN__FN(philox)(d->seed, stream, (first + (uint64_t)i)/64*16, lane, word);
            for (w = 0; w < 4; w++) {
                const tnn__len at = i + w*16 + lane, rest = n - at;
                const TNN__VF draw = tnn__vfrom(tnn__usrl(word[w], 8));
                if (rest >= TNN__VN)
                    tnn__vstore(y + at, tnn__vgt(limit, draw, dropped,
                                                 tnn__vfma(scale, tnn__vload(x + at), shift)));
                else if (rest > 0)
                    tnn__vstore_n(y + at,
                                  tnn__vgt(limit, draw, dropped,
                                           tnn__vfma(scale, tnn__vload_n(x + at, rest), shift)),
                                  rest);
            }
        }
}
/* y[i] = tnn_random_uniform(seed, stream, first + i): element e from word e%4 of block e/4 */
TNN__KERNEL void TNN__FN(uniform)(tnn__len n, float *y, uint64_t seed, uint64_t stream,
                                  uint64_t first)
{
    const TNN__VF unit = tnn__vset1(1.0f/16777216.0f);
    const uint64_t end = first + (uint64_t)n;
    uint64_t e = first/64*64;
    float t[4][16], u[64];
    TNN__VU word[4];
    int lane, w;
    for (; e < end; e += 64) {
        const int from = (int)(e < first ? first - e : 0), to = (int)TNN__MIN(end - e, 64);
        for (lane = 0; lane < 16; lane += TNN__VN) {
            TNN__FN(philox)(seed, stream, e/4, lane, word);
            for (w = 0; w < 4; w++)
                tnn__vstore(t[w] + lane, tnn__vmul(tnn__vfrom(tnn__usrl(word[w], 8)), unit));
        }
        for (lane = 0; lane < 16; lane += 4) TNN__FN(transpose4)(t[0] + lane, 16, u + 4*lane, 4);
        memcpy(y, u + from, (size_t)(to - from)*sizeof *y);
        y += to - from;
    }
}
/* cos and sin of 2 pi u, u in [0, 1): by quarter turns, t in [-1/8, 1/8] of a turn from each */
TNN__HELPER void TNN__FN(cos_sin)(TNN__VF u, TNN__VF *cosine, TNN__VF *sine)
{
    static const float cosines[] = {1.0f/40320, -1.0f/720, 1.0f/24, -0.5f, 1};
    static const float sines[] = {1.0f/362880, -1.0f/5040, 1.0f/120, -1.0f/6};
    const TNN__VF magic = tnn__vset1(12582912.0f);
    const TNN__VF q = tnn__vsub(tnn__vfma(u, tnn__vset1(4.0f), magic), magic);
    const TNN__VF t = tnn__vmul(tnn__vfma(q, tnn__vset1(-0.25f), u), tnn__vset1(6.28318531f));
    const TNN__VF z = tnn__vmul(t, t);
    const TNN__VF c = TNN__FN(poly)(z, cosines, 5);
    const TNN__VF s = tnn__vfma(tnn__vmul(t, z), TNN__FN(poly)(z, sines, 4), t);
    const TNN__VF odd = tnn__veq(q, tnn__vset1(1.0f), s, tnn__veq(q, tnn__vset1(3.0f), s, c));
    const TNN__VF even = tnn__veq(q, tnn__vset1(1.0f), c, tnn__veq(q, tnn__vset1(3.0f), c, s));
    *cosine = tnn__veq(q, tnn__vset1(1.0f), tnn__vsub(tnn__vzero(), odd),
                       tnn__veq(q, tnn__vset1(2.0f), tnn__vsub(tnn__vzero(), odd), odd));
    *sine = tnn__veq(q, tnn__vset1(2.0f), tnn__vsub(tnn__vzero(), even),
                     tnn__veq(q, tnn__vset1(3.0f), tnn__vsub(tnn__vzero(), even), even));
}
/* y = shift + deviation N(0, 1) by Box and Muller, a pair of normals from words 0 and 1, another
   from 2 and 3; elements and blocks as in dropout. */
TNN__KERNEL void TNN__FN(normal)(tnn__len n, float *y, float deviation, float shift,
                                 uint64_t seed, uint64_t stream, uint64_t first)
{
    const TNN__VF d = tnn__vset1(deviation), m = tnn__vset1(shift);
    const TNN__VF unit = tnn__vset1(1.0f/16777216.0f);
    TNN__VU word[4];
    tnn__len i;
    int lane, w;
    for (i = 0; i < n; i += 64)
        for (lane = 0; lane < 16 && i + lane < n; lane += TNN__VN) {
            TNN__FN(philox)(seed, stream, (first + (uint64_t)i)/64*16, lane, word);
            for (w = 0; w < 4; w += 2) {
                const TNN__VF u = tnn__vmul(tnn__vadd(tnn__vfrom(tnn__usrl(word[w], 8)),
                                                      tnn__vset1(1.0f)), unit);
                const TNN__VF log_u = TNN__FN(log)(u);
                const TNN__VF r = tnn__vmul(d, tnn__vsqrt(tnn__vmul(tnn__vset1(-2.0f), log_u)));
                const tnn__len at = i + w*16 + lane, more = at + 16;
                TNN__VF c, s;
                TNN__FN(cos_sin)(tnn__vmul(tnn__vfrom(tnn__usrl(word[w + 1], 8)), unit), &c, &s);
                c = tnn__vfma(r, c, m);
                s = tnn__vfma(r, s, m);
                if (n - at >= TNN__VN) tnn__vstore(y + at, c);
                else tnn__vstore_n(y + at, c, n - at);
                if (n - more >= TNN__VN) tnn__vstore(y + more, s);
                else tnn__vstore_n(y + more, s, n - more);
            }
        }
}

/* ---- 3d. Pooling, channels last ---------------------------------------------------------------
   Images are rows x_row floats apart of pixels of c channels; p says the geometry (2f).
   TNN__OUTPUTS has its body for each output pixel (row, col), whose window begins at (y_0, x_0)
   and has kh x kw elements; TNN__WINDOW for those elements (u, v) that lie in the image, at (yi,
   xi). What lies outside takes no part: padding is no zero here. Vectors are of channels. */
#define TNN__OUTPUTS(p, from, to, ...) \
    for (row = from; row < to; row++) { \
        TNN__ROWS_OF(p, row); \
        for (col = 0; col < (p)->ow; col++) { \
            TNN__COLS_OF(p, col); \
            __VA_ARGS__ \
        } \
    }
#define TNN__WINDOW(p, ...) \
    for (u = 0; u < kh; u++) { \
        const int yi = y_0 + u*(p)->dh; \
        if (yi < 0 || yi >= (p)->ih) continue; \
        for (v = 0; v < kw; v++) { \
            const int xi = x_0 + v*(p)->dw; \
            if (xi < 0 || xi >= (p)->iw) continue; \
            __VA_ARGS__ \
        } \
    }
/* y = the largest of each window, NaN if there is one, -infinity if there is none; rows i0..i1-1 of
   the output. where (may be NULL), contiguous, gets u*kw + v, the place of the first such. */
TNN__KERNEL void TNN__FN(maxpool)(const tnn__pool_geometry *p, const float *x, tnn__len x_row,
                                  float *y, tnn__len y_row, float *where, int i0, int i1)
{
    int row, col, u, v;
    TNN__OUTPUTS(p, i0, i1,
        float *to = y + row*y_row + (tnn__len)col*p->c;
        float *places = where ? where + ((tnn__len)row*p->ow + col)*p->c : NULL;
        TNN__EACH_ONCE(p->c,
            int first = 1;
            TNN__VF m = tnn__vset1((float)-HUGE_VAL), at = tnn__vzero();
            TNN__WINDOW(p,
                const TNN__VF e = TNN__AT(x + yi*x_row + (tnn__len)xi*p->c);
                const TNN__VF q = tnn__vset1((float)(u*p->kw + v));
                if (first) {
                    m = e;
                    at = q;
                    first = 0;
                    continue;
                }
                at = tnn__vgt(e, m, q, tnn__veq(e, e, at, q));      /* larger, or NaN */
                m = tnn__vgt(e, m, e, tnn__veq(e, e, m, e));
            )
            TNN__PUT(to, m);
            if (places) TNN__PUT(places, at);
        )
    )
}
/* dx += dy at the place of each maximum; dy and where are contiguous. */
TNN__KERNEL void TNN__FN(maxpool_grad)(const tnn__pool_geometry *p, const float *dy,
                                       const float *where,
                                       float *dx, tnn__len dx_row, int i0, int i1)
{
    int row, col, u, v;
    TNN__OUTPUTS(p, i0, i1,
        const tnn__len at = ((tnn__len)row*p->ow + col)*p->c;
        TNN__WINDOW(p,
            float *to = dx + yi*dx_row + (tnn__len)xi*p->c;
            const TNN__VF q = tnn__vset1((float)(u*p->kw + v));
            TNN__EACH(p->c,
                const TNN__VF g = tnn__veq(TNN__AT(where + at), q, TNN__AT(dy + at), tnn__vzero());
                TNN__PUT(to, tnn__vadd(TNN__AT(to), g));
            )
        )
    )
}

/* How many elements an average is over: those of the window, cut off at the padded image's end as
   PyTorch does, or with exclude_pad at the image's. */
#ifndef TNN__DIVISOR
#define TNN__DIVISOR
static float tnn__pool_divisor(const tnn__pool_geometry *p, int h0, int kh, int w0, int kw)
{
    int h1 = TNN__MIN(h0 + kh, p->ih + p->ph), w1 = TNN__MIN(w0 + kw, p->iw + p->pw);
    if (p->exclude_pad) {
        h0 = TNN__MAX(h0, 0);
        w0 = TNN__MAX(w0, 0);
        h1 = TNN__MIN(h1, p->ih);
        w1 = TNN__MIN(w1, p->iw);
    }
    return (float)((h1 - h0)*(w1 - w0));
}
#endif
/* y = the sum of each window, in chains, over its divisor */
TNN__KERNEL void TNN__FN(avgpool)(const tnn__pool_geometry *p, const float *x, tnn__len x_row,
                                  float *y, tnn__len y_row)
{
    int row, col, u, v;
    TNN__OUTPUTS(p, 0, p->oh,
        const TNN__VF divisor = tnn__vset1(tnn__pool_divisor(p, y_0, kh, x_0, kw));
        float *to = y + row*y_row + (tnn__len)col*p->c;
        TNN__EACH_ONCE(p->c,
            TNN__VF s = tnn__vzero(), low = s, t = s;
            int terms = 0;
            TNN__WINDOW(p,
                t = tnn__vadd(t, TNN__AT(x + yi*x_row + (tnn__len)xi*p->c));
                if (++terms%TNN__TERMS_MAX == 0) {
                    TNN__FN(collect)(&s, &low, t);
                    t = tnn__vzero();
                }
            )
            TNN__FN(collect)(&s, &low, t);
            TNN__PUT(to, tnn__vdiv(s, divisor));
        )
    )
}
/* dx += dy over the divisor, at each element of each window; dy is contiguous. */
TNN__KERNEL void TNN__FN(avgpool_grad)(const tnn__pool_geometry *p, const float *dy,
                                       float *dx, tnn__len dx_row)
{
    int row, col, u, v;
    TNN__OUTPUTS(p, 0, p->oh,
        const TNN__VF divisor = tnn__vset1(tnn__pool_divisor(p, y_0, kh, x_0, kw));
        const float *g = dy + ((tnn__len)row*p->ow + col)*p->c;
        TNN__WINDOW(p,
            float *to = dx + yi*dx_row + (tnn__len)xi*p->c;
            TNN__EACH(p->c, TNN__PUT(to, tnn__vadd(TNN__AT(to), tnn__vdiv(TNN__AT(g), divisor)));)
        )
    )
}

/* ---- 3e. Reductions ---------------------------------------------------------------------------
   Element i goes to lane i % 16, of each block of 256 elements a chain (3a), whose results are
   collected; then lane l takes in lane l + 8, 4, 2, 1. */
/* The sum of 16 lanes, in that order */
TNN__HELPER float TNN__FN(fold)(float t[TNN__LANES])
{
    int n, l;
    for (n = TNN__LANES/2; n > 0; n /= 2) for (l = 0; l < n; l++) t[l] += t[l + n];
    return t[0];
}
/* *s += t, compensated, of the TNN__VN lanes from s and low on */
TNN__HELPER void TNN__FN(collect_at)(float *s, float *low, TNN__VF t)
{
    TNN__VF a = tnn__vload(s), b = tnn__vload(low);
    TNN__FN(collect)(&a, &b, t);
    tnn__vstore(s, a);
    tnn__vstore(low, b);
}
/* A function's end: returns the sum of n terms, which the body adds to t for elements i and on. */
#define TNN__BY_BLOCK(...) \
    float sums[TNN__LANES] = {0}, low[TNN__LANES] = {0}; \
    tnn__len at, i; \
    int lane; \
    for (at = 0; at < n; at += TNN__BLOCK) \
        for (lane = 0; lane < TNN__LANES; lane += TNN__VN) { \
            const tnn__len end = TNN__MIN(n, at + TNN__BLOCK); \
            const tnn__len rest = (end - at - lane)%TNN__LANES; \
            TNN__VF t = tnn__vzero(); \
            for (i = at + lane; i + TNN__VN <= end; i += TNN__LANES) { \
                enum { part = 0 }; \
                __VA_ARGS__ \
            } \
            if (i < end) { \
                enum { part = 1 }; \
                __VA_ARGS__ \
            } \
            TNN__FN(collect_at)(sums + lane, low + lane, t); \
        } \
    return TNN__FN(fold)(sums);
/* sum of x[i] */
TNN__KERNEL float TNN__FN(sum)(tnn__len n, const float *x)
{
    TNN__BY_BLOCK(t = tnn__vadd(t, TNN__AT(x));)
}
/* sum of x[i] y[i] */
TNN__KERNEL float TNN__FN(dot)(tnn__len n, const float *x, const float *y)
{
    TNN__BY_BLOCK(t = tnn__vfma(TNN__AT(x), TNN__AT(y), t);)
}
/* y[i] = exp(x[i] - max); returns their sum. */
TNN__KERNEL float TNN__FN(exp_sum)(tnn__len n, const float *x, float max, float *y)
{
    const TNN__VF m = tnn__vset1(max);
    TNN__BY_BLOCK(
        const TNN__VF e = TNN__FN(exp)(tnn__vsub(TNN__AT(x), m));
        TNN__PUT(y, e);
        t = tnn__vadd(t, TNN__AT(y));
    )
}
/* The largest element, NaN if there is one; n at least 1. */
TNN__KERNEL float TNN__FN(largest)(tnn__len n, const float *x)
{
    float t[TNN__VN], m;
    tnn__len i = 0;
    int v;
    TNN__VF s = tnn__vset1(x[0]);
    for (; i + TNN__VN <= n; i += TNN__VN) {
        TNN__VF e = tnn__vload(x + i);
        s = tnn__vgt(s, e, s, tnn__veq(s, s, e, s));
    }
    tnn__vstore(t, s);
    for (m = t[0], v = 1; v < TNN__VN; v++) if (!(t[v] <= m) && m == m) m = t[v];
    for (; i < n; i++) if (!(x[i] <= m) && m == m) m = x[i];
    return m;
}

#if TNN__PASS != 4
/* ---- 3f. Optimizers ---------------------------------------------------------------------------
   Each rule is one pass over n weights w, their gradient g and state s[0], s[1] ...; n is a
   multiple of 16. Formulas and sources are in 1e, a rule's row in 2f. Scalars are worked in double
   and rounded once. TNN__RULE begins a kernel; TNN__MOMENTS does, too, for Adam's family: m and v
   with their betas, and TNN__OVER(a, b) = a/(root sqrt(b) + eps), root = 1/sqrt(bias2).
   TNN__WEIGHTS(body) is its loop, and its end. In the body TNN__READ gives

       p = w + shrink w        the weight, after decoupled decay
       d = sign g + decay p    the gradient, with L2 decay

   and TNN__UPDATE(x) sets w = x. A kernel returns whether some x was not finite: then x - x is NaN,
   and bit 30 of it set, which `odd` counts. */
#define TNN__SET(x)   tnn__vset1((float)(x))
#define TNN__STATE(name, at) float *TNN__RESTRICT name = u->s[at]
#define TNN__RULE \
    const tnn_optimizer *const o = u->o; \
    float *TNN__RESTRICT w = u->w; \
    const float *TNN__RESTRICT g = u->g; \
    const TNN__VF shrink = TNN__SET(u->shrink), decay = TNN__SET(u->decay); \
    const TNN__VF sign = TNN__SET(u->sign); \
    TNN__VU odd = tnn__uset1(0); \
    tnn__len i; \
    (void)o; (void)w; (void)shrink; (void)decay
#define TNN__MOMENTS \
    TNN__RULE; \
    TNN__STATE(m, 0); \
    TNN__STATE(v, 1); \
    const TNN__VF eps = TNN__SET(o->eps), root = TNN__SET(1/sqrt(u->bias2)); \
    TNN__BETA(beta1, o->beta1); \
    TNN__BETA(beta2, o->beta2); \
    (void)m; (void)v; (void)eps; (void)root; (void)beta2
#define TNN__OVER(a, b) tnn__vdiv(a, tnn__vfma(tnn__vsqrt(b), root, eps))
#define TNN__WEIGHTS(...) \
    for (i = 0; i < n; i += TNN__VN) { __VA_ARGS__ } \
    return TNN__FN(any)(odd);
#define TNN__SHRUNK   tnn__vfma(shrink, tnn__vload(w + i), tnn__vload(w + i))
#define TNN__GRADIENT tnn__vmul(sign, tnn__vload(g + i))
#define TNN__READ     const TNN__VF p = TNN__SHRUNK, d = tnn__vfma(decay, p, TNN__GRADIENT)
#define TNN__UPDATE(x) do { \
    const TNN__VF x_ = (x); \
    tnn__vstore(w + i, x_); \
    odd = tnn__uadd(odd, tnn__usrl(tnn__ucast(tnn__vsub(x_, x_)), 30)); } while (0)
/* TNN__BETA(b, value): vectors b and rest_b = 1 - b. TNN__MEAN1(m, b, x): m = b m + (1 - b) x, and
   its value; TNN__MEAN2(v, b, x): the same of x^2. */
#define TNN__BETA(b, value)  const TNN__VF b = TNN__SET(value), rest_##b = TNN__SET(1 - (value))
#define TNN__MEAN1(m, b, x)  TNN__FN(mean)(m + i, b, rest_##b, x)
#define TNN__MEAN2(v, b, x)  TNN__FN(mean2)(v + i, b, rest_##b, x)
/* *m = beta *m + rest x, and returns it */
TNN__HELPER TNN__VF TNN__FN(mean)(float *m, TNN__VF beta, TNN__VF rest, TNN__VF x)
{
    const TNN__VF a = tnn__vfma(rest, x, tnn__vmul(beta, tnn__vload(m)));
    tnn__vstore(m, a);
    return a;
}
/* *v = beta *v + rest x x, and returns it */
TNN__HELPER TNN__VF TNN__FN(mean2)(float *v, TNN__VF beta, TNN__VF rest, TNN__VF x)
{
    const TNN__VF a = tnn__vfma(tnn__vmul(rest, x), x, tnn__vmul(beta, tnn__vload(v)));
    tnn__vstore(v, a);
    return a;
}
/* AMSGrad: the largest b so far, kept in top */
TNN__HELPER TNN__VF TNN__FN(largest_yet)(float *top, TNN__VF b)
{
    const TNN__VF a = tnn__vmax(b, tnn__vload(top));
    tnn__vstore(top, a);
    return a;
}
/* 1, 0 or -1, the sign of x; 0 for NaN */
TNN__HELPER TNN__VF TNN__FN(sign)(TNN__VF x)
{
    return tnn__vgt(x, tnn__vzero(), TNN__ONE,
                    tnn__vgt(tnn__vzero(), x, TNN__NEG(TNN__ONE), tnn__vzero()));
}
/* Whether some element is not 0; all are below 2^24. */
TNN__HELPER int TNN__FN(any)(TNN__VU u)
{
    float t[TNN__VN], sum = 0;
    int i;
    tnn__vstore(t, tnn__vfrom(u));
    for (i = 0; i < TNN__VN; i++) sum += t[i];
    return sum > 0;
}

/* SGD: b = momentum b + (1 - dampening) d, at first b = d;  w -= lr b, or lr (d + momentum b).
   velocity: -lr d is in b already. */
TNN__KERNEL int TNN__FN(sgd)(const tnn__update *u, tnn__len n)
{
    TNN__RULE;
    float *TNN__RESTRICT m = o->momentum > 0 ? u->s[0] : NULL;
    const double now = o->velocity ? -u->lr : 1;
    const TNN__VF step = TNN__SET(o->velocity ? 1 : -u->lr), mu = TNN__SET(o->momentum);
    const TNN__VF each = TNN__SET(now), all = TNN__SET(-u->lr);
    const TNN__VF old = TNN__SET(u->step > 1 ? o->momentum : 0);
    const TNN__VF fresh = TNN__SET(now*(u->step > 1 ? 1 - o->dampening : 1));
    if (!m) {
        TNN__WEIGHTS(
            TNN__READ;
            TNN__UPDATE(tnn__vfma(all, d, p));
        )
    }
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF b = tnn__vfma(old, tnn__vload(m + i), tnn__vmul(fresh, d));
        tnn__vstore(m + i, b);
        TNN__UPDATE(tnn__vfma(step, o->nesterov ? tnn__vfma(mu, b, tnn__vmul(each, d)) : b, p));
    )
}

/* ASGD: eta = lr/(1 + lambd lr (t-1))^alpha;  w -= eta (d + lambd w);
   a = mu w + (1 - mu) a,  mu = 1/max(1, t-1-t0). */
TNN__KERNEL int TNN__FN(asgd)(const tnn__update *u, tnn__len n)
{
    TNN__RULE;
    TNN__STATE(a, 0);
    const double t = (double)(u->step - 1), late = TNN__MAX(1, t - o->t0);
    const double eta = u->lr/tnn__pow(1 + o->lambd*u->lr*t, o->alpha);
    const TNN__VF lambd = TNN__SET(o->lambd), step = TNN__SET(-eta);
    TNN__BETA(mu, 1/late);
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF q = tnn__vfma(step, tnn__vfma(lambd, p, d), p);
        TNN__UPDATE(q);
        tnn__vstore(a + i, tnn__vfma(mu, q, tnn__vmul(rest_mu, tnn__vload(a + i))));
    )
}

/* Adagrad: h += d^2;  w -= lr/(1 + (t-1) lr_decay) d/(sqrt(h) + eps), or with keras_eps
   d/sqrt(h + eps). */
TNN__KERNEL int TNN__FN(adagrad)(const tnn__update *u, tnn__len n)
{
    TNN__RULE;
    TNN__STATE(h, 0);
    const TNN__VF step = TNN__SET(-u->lr/(1 + (double)(u->step - 1)*o->lr_decay));
    const TNN__VF eps = TNN__SET(o->keras_eps ? 0 : o->eps);
    const TNN__VF under = TNN__SET(o->keras_eps ? o->eps : 0);
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF a = tnn__vfma(d, d, tnn__vload(h + i));
        const TNN__VF root = tnn__vsqrt(tnn__vadd(a, under));
        tnn__vstore(h + i, a);
        TNN__UPDATE(tnn__vfma(step, tnn__vdiv(d, tnn__vadd(root, eps)), p));
    )
}

/* Adadelta: v by rho of d^2;  e = sqrt((a + eps)/(v + eps)) d;  a by rho of e^2;  w -= lr e. */
TNN__KERNEL int TNN__FN(adadelta)(const tnn__update *u, tnn__len n)
{
    TNN__RULE;
    TNN__STATE(v, 0);
    TNN__STATE(a, 1);
    const TNN__VF step = TNN__SET(-u->lr), eps = TNN__SET(o->eps);
    TNN__BETA(rho, o->rho);
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF q = tnn__vadd(TNN__MEAN2(v, rho, d), eps);
        const TNN__VF e = tnn__vmul(tnn__vsqrt(tnn__vdiv(tnn__vadd(tnn__vload(a + i), eps), q)), d);
        TNN__MEAN2(a, rho, e);
        TNN__UPDATE(tnn__vfma(step, e, p));
    )
}

/* RMSprop: v by alpha of d^2, a by alpha of d;  q = d/(sqrt(v - centered a^2) + eps);
   b = momentum b + q;  w -= lr b.  v - a^2 is a variance: where rounding makes it negative, 0. */
TNN__KERNEL int TNN__FN(rmsprop)(const tnn__update *u, tnn__len n)
{
    TNN__RULE;
    TNN__STATE(v, 0);
    float *TNN__RESTRICT a = o->centered ? u->s[1] : NULL;
    float *TNN__RESTRICT b = o->momentum > 0 ? u->s[o->centered ? 2 : 1] : NULL;
    const TNN__VF step = TNN__SET(-u->lr), mu = TNN__SET(o->momentum);
    const TNN__VF eps = TNN__SET(o->keras_eps ? 0 : o->eps);
    const TNN__VF under = TNN__SET(o->keras_eps ? o->eps : 0);
    TNN__BETA(alpha, o->alpha);
    TNN__WEIGHTS(
        TNN__READ;
        TNN__VF q = TNN__MEAN2(v, alpha, d);
        if (a) {
            const TNN__VF mean = TNN__MEAN1(a, alpha, d);
            q = tnn__vmax(tnn__vzero(), tnn__vfma(TNN__NEG(mean), mean, q));
        }
        q = tnn__vdiv(d, tnn__vadd(tnn__vsqrt(tnn__vadd(q, under)), eps));
        if (b) {
            q = tnn__vfma(mu, tnn__vload(b + i), q);
            tnn__vstore(b + i, q);
        }
        TNN__UPDATE(tnn__vfma(step, q, p));
    )
}

/* Rprop: e = d d';  s = clamp(s (e > 0 ? eta_plus : e < 0 ? eta_minus : 1));
   d = 0 where e < 0;  w -= sign(d) s;  d' = d. */
TNN__KERNEL int TNN__FN(rprop)(const tnn__update *u, tnn__len n)
{
    TNN__RULE;
    TNN__STATE(before, 0);
    TNN__STATE(s, 1);
    const TNN__VF up = TNN__SET(o->eta_plus), down = TNN__SET(o->eta_minus), zero = tnn__vzero();
    const TNN__VF low = TNN__SET(o->step_min), high = TNN__SET(o->step_max);
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF e = tnn__vmul(d, tnn__vload(before + i));
        const TNN__VF f = tnn__vgt(e, zero, up, tnn__vgt(zero, e, down, TNN__ONE));
        const TNN__VF a = tnn__vmin(high, tnn__vmax(low, tnn__vmul(tnn__vload(s + i), f)));
        const TNN__VF c = tnn__vgt(zero, e, zero, d);
        tnn__vstore(s + i, a);
        tnn__vstore(before + i, c);
        TNN__UPDATE(tnn__vfma(TNN__FN(sign)(c), TNN__NEG(a), p));
    )
}

/* Adam: m by beta1 of d, v by beta2 of d^2;  w -= lr/bias1 m/(sqrt(v/bias2) + eps).
   amsgrad, a constant: the largest v so far in its place. */
TNN__HELPER int TNN__FN(adam_form)(const tnn__update *u, tnn__len n, int amsgrad)
{
    const double scale = u->o->keras_eps ? 1/sqrt(u->bias2) : 1;
    const TNN__VF step = TNN__SET(-u->lr/u->bias1), after = TNN__SET(u->o->eps*scale);
    TNN__STATE(top, 2);
    TNN__MOMENTS;
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF a = TNN__MEAN1(m, beta1, d);
        TNN__VF b = TNN__MEAN2(v, beta2, d);
        if (amsgrad) b = TNN__FN(largest_yet)(top + i, b);
        TNN__UPDATE(tnn__vfma(step, tnn__vdiv(a, tnn__vfma(tnn__vsqrt(b), root, after)), p));
    )
}
/* Adam and AdamW, with amsgrad or without */
TNN__KERNEL int TNN__FN(adam)(const tnn__update *u, tnn__len n)
{
    return u->o->amsgrad ? TNN__FN(adam_form)(u, n, 1) : TNN__FN(adam_form)(u, n, 0);
}

/* Adamax: m by beta1 of d;  u = max(beta2 u, |d| + eps);  w -= lr/bias1 m/u.
   keras_eps: u = max(beta2 u, |d|);  w -= lr/bias1 m/(u + eps). */
TNN__KERNEL int TNN__FN(adamax)(const tnn__update *u, tnn__len n)
{
    TNN__RULE;
    TNN__STATE(m, 0);
    TNN__STATE(top, 1);
    const TNN__VF step = TNN__SET(-u->lr/u->bias1), beta2 = TNN__SET(o->beta2);
    const TNN__VF eps = TNN__SET(o->keras_eps ? 0 : o->eps);
    const TNN__VF after = TNN__SET(o->keras_eps ? o->eps : 0);
    TNN__BETA(beta1, o->beta1);
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF size = tnn__vadd(TNN__FN(abs)(d), eps);
        const TNN__VF b = tnn__vmax(tnn__vmul(beta2, tnn__vload(top + i)), size);
        tnn__vstore(top + i, b);
        TNN__UPDATE(tnn__vfma(step, tnn__vdiv(TNN__MEAN1(m, beta1, d), tnn__vadd(b, after)), p));
    )
}

/* NAdam: w -= lr ((1 - c)/(1 - P) d + c'/(1 - P c') m)/(sqrt(v/bias2) + eps), with c = c[0] and
   P = c[1] of this step and c' of the next. */
TNN__KERNEL int TNN__FN(nadam)(const tnn__update *u, tnn__len n)
{
    const double next = tnn__nadam_momentum(u->o, u->step + 1);
    const TNN__VF of_d = TNN__SET(-u->lr*(1 - u->c[0])/(1 - u->c[1]));
    const TNN__VF of_m = TNN__SET(-u->lr*next/(1 - u->c[1]*next));
    TNN__MOMENTS;
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF a = tnn__vfma(of_m, TNN__MEAN1(m, beta1, d), tnn__vmul(of_d, d));
        TNN__UPDATE(tnn__vadd(p, TNN__OVER(a, TNN__MEAN2(v, beta2, d))));
    )
}

/* RAdam: Adam with w -= lr rect sqrt(bias2)/bias1 m/(sqrt(v) + eps) once the variance is known well
   enough (rect > 0), and w -= lr/bias1 m before. */
TNN__KERNEL int TNN__FN(radam)(const tnn__update *u, tnn__len n)
{
    const double rect = tnn__rectification(u->o->beta2, u->bias2, u->step);
    const TNN__VF step = TNN__SET(-u->lr/u->bias1*(rect > 0 ? rect*sqrt(u->bias2) : 1));
    TNN__MOMENTS;
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF a = TNN__MEAN1(m, beta1, d), b = TNN__MEAN2(v, beta2, d);
        TNN__UPDATE(tnn__vfma(step, rect > 0 ? tnn__vdiv(a, tnn__vadd(tnn__vsqrt(b), eps)) : a, p));
    )
}

/* Lion: w -= lr sign(beta1 m + (1 - beta1) d);  m by beta2 of d. */
TNN__KERNEL int TNN__FN(lion)(const tnn__update *u, tnn__len n)
{
    TNN__RULE;
    TNN__STATE(m, 0);
    const TNN__VF step = TNN__SET(-u->lr);
    TNN__BETA(beta1, o->beta1);
    TNN__BETA(beta2, o->beta2);
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF c = tnn__vfma(rest_beta1, d, tnn__vmul(beta1, tnn__vload(m + i)));
        TNN__MEAN1(m, beta2, d);
        TNN__UPDATE(tnn__vfma(step, TNN__FN(sign)(c), p));
    )
}

/* AdaBelief: m by beta1 of d, v by beta2 of (d - m)^2, plus eps;
   w -= lr/bias1 m/(sqrt(v/bias2) + eps);  amsgrad as in Adam;  rectify: as in RAdam. */
TNN__KERNEL int TNN__FN(adabelief)(const tnn__update *u, tnn__len n)
{
    float *TNN__RESTRICT top = u->o->amsgrad ? u->s[2] : NULL;
    const int rectify = u->o->rectify;
    const double rect = rectify ? tnn__rectification(u->o->beta2, u->bias2, u->step) : 1;
    const double scale = rectify && rect > 0 ? rect*sqrt(u->bias2) : 1;
    const TNN__VF step = TNN__SET(-u->lr/u->bias1*scale);
    const TNN__VF factor = TNN__SET(rectify ? 1 : 1/sqrt(u->bias2));
    TNN__MOMENTS;
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF a = TNN__MEAN1(m, beta1, d), x = tnn__vsub(d, a);
        TNN__VF b = tnn__vfma(tnn__vmul(rest_beta2, x), x,
                              tnn__vfma(beta2, tnn__vload(v + i), eps));
        tnn__vstore(v + i, b);
        if (top) b = TNN__FN(largest_yet)(top + i, b);
        b = tnn__vfma(tnn__vsqrt(b), factor, eps);
        TNN__UPDATE(tnn__vfma(step, rect > 0 ? tnn__vdiv(a, b) : a, p));
    )
}

/* Adan: e = d - d';  m by beta1 of d, v by beta2 of e, n by beta3 of (d + beta2 e)^2;  d' = d;
   w = (w - lr (m/bias1 + beta2/bias2 v)/(sqrt(n/bias3) + eps))/(1 + lr L), L in u->decay. */
TNN__KERNEL int TNN__FN(adan)(const tnn__update *u, tnn__len n)
{
    const TNN__VF of_m = TNN__SET(-u->lr/u->bias1), of_v = TNN__SET(-u->lr*u->o->beta2/u->bias2);
    const TNN__VF root3 = TNN__SET(1/sqrt(u->bias3)), prox = TNN__SET(1/(1 + u->lr*u->decay));
    TNN__STATE(q, 2);
    TNN__STATE(before, 3);
    TNN__BETA(beta3, u->o->beta3);
    TNN__MOMENTS;
    TNN__WEIGHTS(
        const TNN__VF p = TNN__SHRUNK, d = TNN__GRADIENT;
        const TNN__VF e = tnn__vsub(d, tnn__vload(before + i));
        const TNN__VF a = tnn__vfma(of_v, TNN__MEAN1(v, beta2, e),
                                    tnn__vmul(of_m, TNN__MEAN1(m, beta1, d)));
        TNN__VF b = TNN__MEAN2(q, beta3, tnn__vfma(beta2, e, d));
        b = tnn__vdiv(a, tnn__vfma(tnn__vsqrt(b), root3, eps));
        tnn__vstore(before + i, d);
        TNN__UPDATE(tnn__vmul(prox, tnn__vadd(p, b)));
    )
}

/* AdEMAMix: m by beta1 of d, s by beta3 of d, v by beta2 of d^2;
   w -= lr (m/bias1 + alpha s)/(sqrt(v/bias2) + eps). Warm-ups, x = min(1, t/steps): alpha x, and
   for beta3 the half-life log 1/2 / log beta - 1 rises from beta1's to beta3's in x. */
TNN__KERNEL int TNN__FN(ademamix)(const tnn__update *u, tnn__len n)
{
    TNN__MOMENTS;
    TNN__STATE(s, 2);
    const double t = (double)u->step, half = -0.69314718055994531;
    const double alpha = o->alpha*(t < o->alpha_warmup ? t/o->alpha_warmup : 1);
    const double x = t < o->beta3_warmup ? t/o->beta3_warmup : 1;
    const double life = (1 - x)*(half/tnn__log_double(o->beta1 + 1e-8) - 1)
                        + x*(half/tnn__log_double(o->beta3 + 1e-8) - 1);
    const double slow = x < 1 ? tnn__exp_double(half/(life + 1)) : o->beta3;
    const TNN__VF of_m = TNN__SET(-u->lr/u->bias1), of_s = TNN__SET(-u->lr*alpha);
    TNN__BETA(beta3, slow);
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF a = tnn__vfma(of_s, TNN__MEAN1(s, beta3, d),
                                    tnn__vmul(of_m, TNN__MEAN1(m, beta1, d)));
        TNN__UPDATE(tnn__vadd(p, TNN__OVER(a, TNN__MEAN2(v, beta2, d))));
    )
}

/* Schedule-Free, c = c[0], lr times c[1] (warm-up and bias): h = g + L w (SGD, v NULL), or
   g/(sqrt(v) + eps) + L w (AdamW);  w += c (z - w) - lr (1 - beta (1 - c)) h;  z -= lr h. */
TNN__HELPER int TNN__FN(free_form)(const tnn__update *u, tnn__len n, double beta,
                                   float *TNN__RESTRICT v)
{
    TNN__RULE;
    TNN__STATE(z, 0);
    const double lr = u->c[1]*u->lr;
    const TNN__VF c = TNN__SET(u->c[0]), step = TNN__SET(-lr);
    const TNN__VF part = TNN__SET(-lr*(1 - beta*(1 - u->c[0]))), eps = TNN__SET(o->eps);
    TNN__BETA(beta2, o->beta2);
    TNN__WEIGHTS(
        const TNN__VF p = TNN__SHRUNK, q = tnn__vload(z + i);
        TNN__VF h = TNN__GRADIENT;
        if (v) h = tnn__vdiv(h, tnn__vadd(tnn__vsqrt(TNN__MEAN2(v, beta2, h)), eps));
        h = tnn__vfma(decay, p, h);
        TNN__UPDATE(tnn__vfma(part, h, tnn__vfma(c, tnn__vsub(q, p), p)));
        tnn__vstore(z + i, tnn__vfma(step, h, q));
    )
}
/* Schedule-Free SGD */
TNN__KERNEL int TNN__FN(free_sgd)(const tnn__update *u, tnn__len n)
{
    return TNN__FN(free_form)(u, n, u->o->momentum, NULL);
}
/* Schedule-Free AdamW */
TNN__KERNEL int TNN__FN(free_adamw)(const tnn__update *u, tnn__len n)
{
    return TNN__FN(free_form)(u, n, u->o->beta1, u->s[1]);
}

/* Sophia: m by beta1 of d;  w -= lr clip(m/(gamma h + 1e-15), -1..1). With an estimate of n samples
   before it: h = beta2 h + (1 - beta2) n g^2, and no more. */
TNN__KERNEL int TNN__FN(sophia)(const tnn__update *u, tnn__len n)
{
    TNN__RULE;
    TNN__STATE(m, 0);
    TNN__STATE(h, 1);
    const TNN__VF step = TNN__SET(-u->lr), gamma = TNN__SET(o->gamma), tiny = TNN__SET(1e-15);
    const TNN__VF beta2 = TNN__SET(o->beta2), part = TNN__SET((1 - o->beta2)*u->estimate);
    TNN__BETA(beta1, o->beta1);
    if (u->estimate > 0) {
        TNN__WEIGHTS(
            const TNN__VF q = tnn__vload(g + i);
            tnn__vstore(h + i, tnn__vfma(tnn__vmul(part, q), q,
                                         tnn__vmul(beta2, tnn__vload(h + i))));
        )
    }
    TNN__WEIGHTS(
        TNN__READ;
        const TNN__VF x = tnn__vdiv(TNN__MEAN1(m, beta1, d),
                                    tnn__vfma(gamma, tnn__vload(h + i), tiny));
        TNN__UPDATE(tnn__vfma(step, tnn__vmin(TNN__ONE, tnn__vmax(TNN__NEG(TNN__ONE), x)), p));
    )
}

/* LAMB, first part: m, v as in Adam;  r = (m/bias1)/(sqrt(v/bias2) + eps) + L w, L in u->decay.
   w stays as it is. */
TNN__KERNEL int TNN__FN(lamb)(const tnn__update *u, tnn__len n)
{
    const TNN__VF scale = TNN__SET(1/u->bias1);
    TNN__STATE(r, 2);
    TNN__MOMENTS;
    TNN__WEIGHTS(
        const TNN__VF d = TNN__GRADIENT, a = tnn__vmul(scale, TNN__MEAN1(m, beta1, d));
        const TNN__VF q = TNN__OVER(a, TNN__MEAN2(v, beta2, d));
        tnn__vstore(r + i, tnn__vfma(decay, tnn__vload(w + i), q));
    )
}

/* Muon, first part: b by momentum of d;  x = momentum b + (1 - momentum) d, or b. w stays. */
TNN__KERNEL int TNN__FN(muon)(const tnn__update *u, tnn__len n)
{
    TNN__RULE;
    TNN__STATE(b, 0);
    TNN__STATE(x, 2);
    TNN__BETA(mu, o->momentum);
    TNN__WEIGHTS(
        const TNN__VF d = TNN__GRADIENT, m = TNN__MEAN1(b, mu, d);
        tnn__vstore(x + i, o->no_nesterov ? m : tnn__vfma(mu, m, tnn__vmul(rest_mu, d)));
    )
}

/* ---- 3g. Losses -------------------------------------------------------------------------------
   x: outputs, t: targets, g: gets the gradient, and may be t; n of each, in any one order. Most
   losses are FORMULAS of one value: they return it and set d, its derivative by x. a and b are
   numbers, named at the call in TNN__FN(loss). Formulas and sources: tnn_loss_type. */
#define TNN__FORMULA(name) \
    TNN__HELPER TNN__VF TNN__FN(name)(const tnn__criterion *o TNN__UNUSED, TNN__VF x TNN__UNUSED, \
                                      TNN__VF t, TNN__VF a TNN__UNUSED, TNN__VF b TNN__UNUSED, \
                                      TNN__VF *d)
TNN__FORMULA(mse)
{
    const TNN__VF e = tnn__vsub(x, t);
    *d = tnn__vadd(e, e);
    return tnn__vmul(e, e);
}
TNN__FORMULA(l1)
{
    const TNN__VF e = tnn__vsub(x, t);
    *d = tnn__vgt(e, tnn__vzero(), TNN__ONE,
                  tnn__vgt(tnn__vzero(), e, tnn__vset1(-1.0f), tnn__vzero()));
    return TNN__FN(abs)(e);
}
TNN__FORMULA(huber)             /* times b */
{
    const TNN__VF e = tnn__vsub(x, t), m = TNN__FN(abs)(e);
    const TNN__VF h = tnn__vmul(TNN__HALF, tnn__vmul(e, e));
    *d = tnn__vmul(b, tnn__vmin(a, tnn__vmax(TNN__NEG(a), e)));
    return tnn__vmul(b, tnn__vgt(m, a, tnn__vmul(a, tnn__vfma(TNN__NEG(TNN__HALF), a, m)), h));
}
/* log(1 + sinh^2 e)/2 near 0, |e| + log(1 + exp(-2|e|)) - log 2 elsewhere */
TNN__FORMULA(log_cosh)
{
    const TNN__VF e = tnn__vsub(x, t), m = TNN__FN(abs)(e);
    const TNN__VF e1 = TNN__FN(expm1)(tnn__vmin(m, TNN__HALF));
    const TNN__VF twice = tnn__vadd(e1, tnn__vdiv(e1, tnn__vadd(e1, TNN__ONE)));
    const TNN__VF sinh = tnn__vmul(TNN__HALF, twice);
    const TNN__VF tail = tnn__vsub(TNN__FN(softplus)(tnn__vmul(tnn__vset1(-2.0f), m)),
                                   tnn__vset1(0.693147181f));
    *d = TNN__FN(tanh)(e);
    return tnn__vgt(m, TNN__HALF, tnn__vadd(m, tail),
                    tnn__vmul(TNN__HALF, TNN__FN(log1p)(tnn__vmul(sinh, sinh))));
}
TNN__FORMULA(bce)               /* 1 - x is exact from 1/2 on, log1p serves below */
{
    const TNN__VF y = tnn__vsub(TNN__ONE, x), u = tnn__vsub(TNN__ONE, t);
    const TNN__VF least = tnn__vset1(-100.0f);
    const TNN__VF q = tnn__vset1(0.25f), lx = TNN__FN(log)(x), ly = TNN__FN(log)(y);
    const TNN__VF l = tnn__vgt(q, x, TNN__FN(log1p)(TNN__NEG(tnn__vmin(q, x))), ly);
    const TNN__VF xy = tnn__vmul(x, y);
    *d = tnn__vdiv(tnn__vsub(x, t), tnn__vmax(xy, tnn__vset1(1e-12f)));
    return TNN__NEG(tnn__vfma(t, tnn__vmax(lx, least), tnn__vmul(u, tnn__vmax(l, least))));
}
/* Of a logit: S(x), S(-x), -log S(x) and -log S(-x), none of them by a difference. */
TNN__HELPER void TNN__FN(logit)(TNN__VF x, TNN__VF *p, TNN__VF *q, TNN__VF *lp, TNN__VF *lq)
{
    const TNN__VF e = TNN__FN(exp)(TNN__NEG(TNN__FN(abs)(x)));
    const TNN__VF y = tnn__vdiv(TNN__ONE, tnn__vadd(TNN__ONE, e)), z = tnn__vmul(e, y);
    const TNN__VF r = TNN__FN(log1p)(e);
    *p = tnn__vgt(x, tnn__vzero(), y, z);
    *q = tnn__vgt(x, tnn__vzero(), z, y);
    *lp = tnn__vadd(r, tnn__vmax(TNN__NEG(x), tnn__vzero()));
    *lq = tnn__vadd(r, tnn__vmax(x, tnn__vzero()));
}
TNN__FORMULA(bce_logits)        /* b = pos_weight */
{
    const TNN__VF u = tnn__vsub(TNN__ONE, t), bt = tnn__vmul(b, t);
    TNN__VF p, q, lp, lq;
    TNN__FN(logit)(x, &p, &q, &lp, &lq);
    *d = tnn__vfma(u, p, TNN__NEG(tnn__vmul(bt, q)));
    return tnn__vfma(bt, lp, tnn__vmul(u, lq));
}
/* With c the cross-entropy and r = 1 - p_t = S(-x) t + S(x) (1-t):  A r^g c,  and its derivative
   A r^g (c' + g c r'/r),  c' = S(x) (1-t) - S(-x) t,  r' = (1 - 2t) S(x) S(-x). */
TNN__FORMULA(focal)             /* a = alpha, b = gamma */
{
    const TNN__VF u = tnn__vsub(TNN__ONE, t);
    TNN__VF p, q, lp, lq, r, c, front;
    TNN__FN(logit)(x, &p, &q, &lp, &lq);
    r = tnn__vmax(tnn__vfma(t, q, tnn__vmul(u, p)), tnn__vset1(1e-30f));
    c = tnn__vfma(t, lp, tnn__vmul(u, lq));
    front = tnn__vfma(a, t, tnn__vmul(tnn__vsub(TNN__ONE, a), u));
    front = tnn__vgt(tnn__vzero(), a, TNN__ONE, front);
    front = tnn__vmul(front, TNN__FN(exp)(tnn__vmul(b, TNN__FN(log)(r))));
    *d = tnn__vmul(tnn__vmul(tnn__vsub(u, t), tnn__vmul(p, tnn__vdiv(q, r))), tnn__vmul(b, c));
    *d = tnn__vmul(front, tnn__vadd(*d, tnn__vfma(u, p, TNN__NEG(tnn__vmul(t, q)))));
    return tnn__vmul(front, c);
}
TNN__HELPER TNN__VF TNN__FN(side)(TNN__VF t) /* 1 or -1; NaN for what is neither of them nor 0 */
{
    const TNN__VF negative = tnn__vset1(-1.0f), nan = tnn__vset1((float)TNN__NAN);
    return tnn__veq(t, TNN__ONE, TNN__ONE,
                    tnn__veq(t, tnn__vzero(), negative, tnn__veq(t, negative, negative, nan)));
}
TNN__FORMULA(hinge)             /* the kink counts as inside */
{
    const TNN__VF s = TNN__FN(side)(t), z = tnn__vfma(TNN__NEG(s), x, TNN__ONE);
    *d = tnn__vgt(tnn__vzero(), z, tnn__vzero(), TNN__NEG(s));
    return tnn__vgt(tnn__vzero(), z, tnn__vzero(), z);
}
TNN__FORMULA(squared_hinge)
{
    const TNN__VF z = TNN__FN(hinge)(o, x, t, a, b, d), two = tnn__vadd(z, z);
    *d = tnn__vmul(two, *d);
    return tnn__vmul(z, z);
}
TNN__FORMULA(hinge_embedding)   /* the kink counts as outside */
{
    const TNN__VF s = TNN__FN(side)(t), z = tnn__vsub(a, x);
    *d = tnn__vgt(s, tnn__vzero(), TNN__ONE,
                  tnn__vgt(z, tnn__vzero(), tnn__vset1(-1.0f), tnn__vzero()));
    return tnn__vgt(s, tnn__vzero(), x,
                    tnn__vgt(tnn__vzero(), s, tnn__vgt(tnn__vzero(), z, tnn__vzero(), z), s));
}
TNN__FORMULA(nll)               /* t is one-hot; other x may be infinite */
{
    *d = TNN__NEG(t);
    return tnn__veq(t, tnn__vzero(), tnn__vzero(), tnn__vmul(*d, x));
}
/* a = margin - x_y, b = w_y/C; the label's own derivative is made in TNN__FN(loss) */
TNN__FORMULA(multi_margin)
{
    const TNN__VF z = tnn__veq(t, tnn__vzero(), tnn__vadd(a, x), tnn__vzero());
    const TNN__VF m = tnn__vgt(tnn__vzero(), z, tnn__vzero(), z);
    *d = tnn__vgt(m, tnn__vzero(), tnn__vmul(b, o->p == 2 ? tnn__vadd(m, m) : TNN__ONE),
                  tnn__vzero());
    return tnn__vmul(b, o->p == 2 ? tnn__vmul(m, m) : m);
}
TNN__FORMULA(kl_div)
{
    *d = TNN__NEG(t);
    return tnn__vgt(t, tnn__vzero(), tnn__vmul(t, tnn__vsub(TNN__FN(log)(t), x)), tnn__vzero());
}
TNN__FORMULA(kl_div_log)
{
    const TNN__VF e = TNN__FN(exp)(t);
    *d = TNN__NEG(e);
    return tnn__vmul(e, tnn__vsub(t, x));
}
TNN__HELPER TNN__VF TNN__FN(stirling)(TNN__VF t) /* of log t! */
{
    const TNN__VF s = tnn__vfma(TNN__HALF, TNN__FN(log)(tnn__vmul(tnn__vset1(6.28318531f), t)),
                                TNN__NEG(t));
    return tnn__vgt(t, TNN__ONE, tnn__vfma(t, TNN__FN(log)(t), s), tnn__vzero());
}
TNN__FORMULA(poisson)
{
    const TNN__VF e = TNN__FN(exp)(x), l = tnn__vfma(TNN__NEG(t), x, e);
    *d = tnn__vsub(e, t);
    return o->full ? tnn__vadd(l, TNN__FN(stirling)(t)) : l;
}
TNN__FORMULA(poisson_rate)      /* a = eps */
{
    const TNN__VF y = tnn__vadd(x, a), l = tnn__vfma(TNN__NEG(t), TNN__FN(log)(y), x);
    *d = tnn__vsub(TNN__ONE, tnn__vdiv(t, y));
    return o->full ? tnn__vadd(l, TNN__FN(stirling)(t)) : l;
}

TNN__HELPER TNN__VF TNN__FN(cut)(TNN__VF v, tnn__len r) /* its first r elements, zeros after them */
{
    float t[TNN__VN];
    if (r >= TNN__VN) return v;
    tnn__vstore(t, v);
    return tnn__vload_n(t, r);
}
TNN__HELPER float TNN__FN(first)(TNN__VF v)
{
    float t[TNN__VN];
    tnn__vstore(t, v);
    return t[0];
}
/* A sum of n terms as in 3e: TNN__BLOCKS { BEGIN; TNN__TERMS(ADD) END }, for the TNN__VN lanes from
   `lane` on of each block; ADD adds elements i and on. */
#define TNN__BLOCKS \
    for (tnn__len block = 0, end; end = TNN__MIN(n, block + TNN__BLOCK), \
         block < n; block += TNN__BLOCK) \
        for (int lane = 0; lane < TNN__LANES; lane += TNN__VN)
#define TNN__TERMS(...) \
    for (tnn__len i = block + lane; i < end; i += TNN__LANES) { \
        const tnn__len rest = n - i; \
        const int part = rest < TNN__VN; \
        __VA_ARGS__ \
    }
/* Whether all n of x are in [lo, hi], which includes 0; lo > hi: any are */
TNN__HELPER int TNN__FN(inside)(tnn__len n, const float *x, float lo, float hi)
{
    const TNN__VF l = tnn__vset1(lo), h = tnn__vset1(hi);
    TNN__VF out = tnn__vzero();
    float t[TNN__VN], any = 0;
    int k;
    if (lo > hi) return 1;
    TNN__EACH_ONCE(n,
        const TNN__VF e = TNN__AT(x);
        out = tnn__vgt(l, e, TNN__ONE, tnn__vgt(e, h, TNN__ONE, tnn__veq(e, e, out, TNN__ONE)));
    )
    tnn__vstore(t, out);
    for (k = 0; k < TNN__VN; k++) any += t[k];
    return !(any > 0);
}

/* The focal loss (1-p)^b L, p the label's probability e/sum, others/sum = 1-p, and L = loss. The
   gradient of L times *share is its gradient: *share = (1-p)^b (1 - b p log(p)/(1-p))/divisor. */
TNN__HELPER double TNN__FN(focal_cross)(const tnn__criterion *o, float e, float others, float sum,
                                        double all, double loss, double *share)
{
    const float q = others/sum;
    double power = 0, log_p = 0;
    *share = 0;
    if (q > 0 && all > 0) {
        const TNN__VF log_q = TNN__FN(log)(tnn__vset1(q));
        power = (double)TNN__FN(first)(TNN__FN(exp)(tnn__vmul(tnn__vset1(o->b), log_q)));
        /* log p = -log(1 + (1-p)/p) keeps the digits of a small 1 - p */
        log_p = e > others ? -(double)TNN__FN(first)(TNN__FN(log1p)(tnn__vset1(others/e)))
                           : -loss/all;
        *share = power*(1 - (double)o->b*(double)(e/sum)*log_p/(double)q)/o->divisor;
    }
    return -all*power*log_p;
}
/* For one row of n classes. With m the largest x, e_c = exp(x_c - m), s their sum, and t'_c the
   smoothed target keep t_c + spread,
     L = sum_c w_c t'_c (m - x_c + log s),   dL/dx_c = e_c/s sum_k w_k t'_k - w_c t'_c.
   at: the place of the label, which the focal factor (b > 0) needs. */
TNN__HELPER double TNN__FN(cross_entropy)(const tnn__criterion *o, tnn__len n, const float *x,
                                          const float *t, float *g, tnn__len at)
{
    const float max = TNN__FN(largest)(n, x);
    const double keep = 1 - (double)o->a, spread = (double)o->a/(double)n;
    const TNN__VF m = tnn__vset1(max), k = tnn__vset1((float)keep), p = tnn__vset1((float)spread);
    float sums[5][TNN__LANES], low[5][TNN__LANES], sum, others;
    double all, loss, share = 1/o->divisor, last = 1;
    memset(sums, 0, sizeof sums);
    memset(low, 0, sizeof low);
    TNN__BLOCKS {
        TNN__VF s = tnn__vzero(), other = s, w = s, wt = s, l = s;
        TNN__TERMS(
            const TNN__VF z = tnn__vsub(TNN__AT(x), m), e = TNN__FN(cut)(TNN__FN(exp)(z), rest);
            const TNN__VF hot = TNN__AT(t);
            const TNN__VF one = TNN__FN(cut)(o->weights ? TNN__AT(o->weights) : TNN__ONE, rest);
            const TNN__VF u = tnn__vmul(one, tnn__vfma(k, hot, p));
            s = tnn__vadd(s, e);
            other = tnn__vadd(other, tnn__veq(hot, tnn__vzero(), e, tnn__vzero()));
            w = tnn__vadd(w, one);
            wt = tnn__vfma(one, hot, wt);
            /* x may be -infinity */
            l = tnn__vadd(l, tnn__veq(u, tnn__vzero(), u, tnn__vmul(TNN__NEG(u), z)));
        )
        TNN__FN(collect_at)(sums[0] + lane, low[0] + lane, s);
        TNN__FN(collect_at)(sums[1] + lane, low[1] + lane, other);
        TNN__FN(collect_at)(sums[2] + lane, low[2] + lane, w);
        TNN__FN(collect_at)(sums[3] + lane, low[3] + lane, wt);
        TNN__FN(collect_at)(sums[4] + lane, low[4] + lane, l);
    }
    sum = TNN__FN(fold)(sums[0]);
    others = o->b > 0 ? TNN__FN(fold)(sums[1]) : 0;
    all = spread > 0 ? spread*(double)TNN__FN(fold)(sums[2]) : 0;
    all = keep*(double)TNN__FN(fold)(sums[3]) + all;        /* sum of w_k t'_k */
    loss = (double)TNN__FN(first)(TNN__FN(log)(tnn__vset1(sum)));
    loss = (double)TNN__FN(fold)(sums[4]) + all*loss;
    if (o->b > 0 && loss - loss >= 0) {
        const TNN__VF z = tnn__vsub(tnn__vset1(x[at]), m);
        loss = TNN__FN(focal_cross)(o, TNN__FN(first)(TNN__FN(exp)(z)), others, sum, all, loss,
                                    &share);
    }
    if (o->weights) last = share, share = 1;            /* where p is 1, w - w is 0 */
    TNN__EACH_ONCE(n,
        const TNN__VF one = o->weights ? TNN__AT(o->weights) : TNN__ONE;
        TNN__VF d = tnn__vmul(TNN__FN(exp)(tnn__vsub(TNN__AT(x), m)),
                              tnn__vset1((float)(all*share/(double)sum)));
        d = tnn__vfma(one, tnn__vset1((float)(-spread*share)), d);
        d = tnn__vfma(tnn__vmul(one, TNN__AT(t)), tnn__vset1((float)(-keep*share)), d);
        TNN__PUT(g, tnn__vmul(d, tnn__vset1((float)last)));
    )
    if (o->b > 0) g[at] = (float)(-all*share*last*(double)(others/sum));  /* without cancellation */
    return loss;
}

/* The dot products and the gradient p x + q t that Dice's loss and the cosine share:
     Dice    L = 1 - N/D,  N = 2 x.t + s,  D = x.x + t.t + s,  dL/dx = 2 N/D^2 x - 2/D t
     cosine  L = 1 - c,    c = x.t/D,  D^2 = (x.x + e)(t.t + e),   dL/dx = c/(x.x + e) x - t/D */
TNN__HELPER double TNN__FN(overlap)(const tnn__criterion *o, tnn__len n, const float *x,
                                    const float *t, float *g)
{
    const double xt = (double)TNN__FN(dot)(n, x, t), tt = (double)TNN__FN(dot)(n, t, t);
    const double xx = (double)TNN__FN(dot)(n, x, x), eps = 1e-12, s = (double)o->a;
    const int dice = o->kind == TNN_DICE;
    const double over = dice ? xx + tt + s : sqrt((xx + eps)*(tt + eps));
    const double c = (dice ? 2*xt + s : xt)/over;
    const TNN__VF p = tnn__vset1((float)((dice ? 2*c/over : c/(xx + eps))/o->divisor));
    const TNN__VF q = tnn__vset1((float)((dice ? -2/over : -1/over)/o->divisor));
    TNN__EACH_ONCE(n, TNN__PUT(g, tnn__vfma(p, TNN__AT(x), tnn__vmul(q, TNN__AT(t))));)
    return 1 - c + (over - over);                 /* NaN, if it overflows */
}

/* A pixel of n channels: n/2 means, then n/2 variances v. With e = (x - t)/v:
     dL/dx = e,   dL/dv = (1/v - e^2)/2,   also where v is below eps (as in torch) */
TNN__HELPER double TNN__FN(gaussian)(const tnn__criterion *o, tnn__len n, const float *x,
                                     const float *t, float *g)
{
    const TNN__VF scale = tnn__vset1((float)(1/o->divisor)), eps = tnn__vset1(o->a);
    const TNN__VF constant = tnn__vset1(o->full ? 0.918938533f : 0.0f);
    float sums[TNN__LANES] = {0}, low[TNN__LANES] = {0};
    n /= 2;
    TNN__BLOCKS {
        TNN__VF s = tnn__vzero();
        TNN__TERMS(
            const TNN__VF var = tnn__vmax(TNN__AT(x + n), eps);
            const TNN__VF e = tnn__vsub(TNN__AT(x), TNN__AT(t)), q = tnn__vdiv(e, var);
            const TNN__VF l = tnn__vfma(TNN__HALF, tnn__vfma(e, q, TNN__FN(log)(var)), constant);
            const TNN__VF dv = tnn__vmul(TNN__HALF,
                                         tnn__vfma(TNN__NEG(q), q, tnn__vdiv(TNN__ONE, var)));
            TNN__PUT(g, tnn__vmul(scale, q));
            TNN__PUT(g + n, tnn__vmul(scale, dv));
            s = tnn__vadd(s, TNN__FN(cut)(l, rest));
        )
        TNN__FN(collect_at)(sums + lane, low + lane, s);
    }
    return (double)TNN__FN(fold)(sums);
}

/* The losses that are formulas: kind, formula, its a and b, and b by element (B). */
#define TNN__FORMULAS(X) \
    X(TNN_MULTI_MARGIN, multi_margin, o->a - x[at], share, b) \
    X(TNN_MSE, mse, 0, 0, b) \
    X(TNN_L1, l1, 0, 0, b) \
    X(TNN_HUBER, huber, o->a, o->b, b) \
    X(TNN_LOG_COSH, log_cosh, 0, 0, b) \
    X(TNN_BCE, bce, 0, 0, b) \
    X(TNN_BCE_LOGITS, bce_logits, 0, 1, positive ? TNN__AT(positive) : b) \
    X(TNN_FOCAL, focal, o->a, o->b, b) \
    X(TNN_HINGE, hinge, 0, 0, b) \
    X(TNN_SQUARED_HINGE, squared_hinge, 0, 0, b) \
    X(TNN_HINGE_EMBEDDING, hinge_embedding, o->a, 0, b) \
    X(TNN_NLL, nll, 0, 0, b) \
    X(TNN_KL_DIV, kl_div, 0, 0, b) \
    X(TNN__KL_LOG, kl_div_log, 0, 0, b) \
    X(TNN_POISSON_NLL, poisson, 0, 0, b) \
    X(TNN__POISSON_RATE, poisson_rate, o->a, 0, b)
/* Sums a formula, times w where there are such, over n elements into 16 lanes; g gets its gradient
   over the divisor. A function each, whose frames do not add up. */
#define TNN__SUM(kind, formula, a1, b1, B) \
TNN__KERNEL void TNN__FN(formula##_sum)(const tnn__criterion *o, tnn__len n, const float *x, \
                                        const float *t, float *g, const float *w, float a0, \
                                        float b0, float *lanes) \
{ \
    const float *const positive TNN__UNUSED = o->pos_weights; \
    const TNN__VF scale = tnn__vset1((float)(1/o->divisor)); \
    const TNN__VF a = tnn__vset1(a0), b = tnn__vset1(b0); \
    float low[TNN__LANES] = {0}; \
    TNN__BLOCKS { \
        TNN__VF sum = tnn__vzero(); \
        TNN__TERMS( \
            TNN__VF d, l = TNN__FN(formula)(o, TNN__AT(x), TNN__AT(t), a, B, &d); \
            if (w) { \
                l = tnn__vmul(l, TNN__AT(w)); \
                d = tnn__vmul(d, TNN__AT(w)); \
            } \
            TNN__PUT(g, tnn__vmul(d, scale)); \
            sum = tnn__vadd(sum, TNN__FN(cut)(l, rest)); \
        ) \
        TNN__FN(collect_at)(lanes + lane, low + lane, sum); \
    } \
}
TNN__FORMULAS(TNN__SUM)
/* The loss of a sample, or of a pixel, of n outputs x and targets t, and its gradient g; at: the
   place of its label. NaN where x or t is out of range. */
TNN__KERNEL double TNN__FN(loss)(const tnn__criterion *o, tnn__len n, const float *x,
                                 const float *t, float *g, tnn__len at)
{
    const tnn__len half = o->kind == TNN_GAUSSIAN_NLL ? n/2 : n;
    const int margin = o->kind == TNN_MULTI_MARGIN;
    const float *const w = margin ? NULL : o->weights;
    const float share = (margin && o->weights ? o->weights[at] : 1.0f)/(float)n;
    float lanes[TNN__LANES] = {0};
    if (!TNN__FN(inside)(half, x, o->x_lo, o->x_hi) || !TNN__FN(inside)(half, t, o->t_lo, o->t_hi)
        || !TNN__FN(inside)(n - half, x + half, 0, o->x_hi)) return TNN__NAN;
#define TNN__CASE(kind, formula, a, b, B) \
    case kind: TNN__FN(formula##_sum)(o, n, x, t, g, w, a, b, lanes); break;
    switch (o->kind == TNN_SMOOTH_L1 ? TNN_HUBER : o->kind) {
    TNN__FORMULAS(TNN__CASE)
    case TNN_CROSS_ENTROPY: return TNN__FN(cross_entropy)(o, n, x, t, g, at);
    case TNN_GAUSSIAN_NLL:  return TNN__FN(gaussian)(o, n, x, t, g);
    default:                return TNN__FN(overlap)(o, n, x, t, g);
    }
    if (margin) g[at] = -TNN__FN(sum)(n, g);
    return (double)TNN__FN(fold)(lanes);
}
#endif /* TNN__PASS != 4 */

/* Whether operations are rounded one by one in the order in which they stand, as those are that go
   through memory, and a fused one once. */
TNN__KERNEL int TNN__FN(exact)(void)
{
    static const volatile float x = 1 + 1/4096.0f, y = -1 - 1/2048.0f, large = 16777216, seven = 7;
    const TNN__VF a = tnn__vset1(x), b = tnn__vset1(y), c = tnn__vset1(large);
    const TNN__VF d = tnn__vset1(seven);
    volatile float product = x, sum = x, one = x, other = y;
    float got[4][TNN__VN];
    tnn__vstore(got[0], tnn__vadd(tnn__vmul(a, a), b));
    tnn__vstore(got[1], tnn__vsub(tnn__vadd(c, a), c));
    tnn__vstore(got[2], tnn__vadd(tnn__vdiv(a, d), tnn__vdiv(b, d)));
    tnn__vstore(got[3], tnn__vfma(a, a, b));
    product = product*product;
    product = product + y;
    sum = sum + large;
    sum = sum - large;
    one = one/seven;
    other = other/seven;
    one = one + other;
    return got[0][0] == product && got[1][0] == sum && got[2][0] == one
        && got[3][0] == (TNN__PASS == 2 ? product : 1/16777216.0f);
}

#if TNN__PASS == 4
    #define TNN__SHARED(kernel) tnn__##kernel##_avx2
#else
    #define TNN__SHARED(kernel) TNN__FN(kernel)
#endif
static const tnn__isa_table TNN__FN(table) = {
    &TNN__STR(TNN__PASS_NAME)[1],
#define TNN__R(kernel, name, reads, lr, momentum, beta1, beta2, beta3, eps, decay, alpha, \
               decoupled, states) \
    , TNN__SHARED(kernel)
    { NULL TNN__RULES(TNN__R) }, TNN__SHARED(loss),
#undef TNN__R
#undef TNN__SHARED
#define TNN__X(ret, kernel, args) TNN__FN(kernel),
    TNN__KERNELS(TNN__X)
#undef TNN__X
    {
#define TNN__X(name) {TNN__FN(act_##name), TNN__FN(act_##name##_grad)},
    TNN__ACTIVATIONS(TNN__X)
#undef TNN__X
    }
};
/* What the next pass defines anew. */
#undef TNN__PASS_NAME
#undef TNN__ISA
#undef TNN__VF
#undef TNN__VU
#undef TNN__VN
#undef TNN__I
#undef TNN__SI
#undef TNN__MR
#undef TNN__MN
#undef TNN__NV
#undef TNN__IN_ORDER
#undef TNN__BV
#undef TNN__CV
#endif /* TNN__PASS */

/* ==== 4. INSTANTIATION AND DISPATCH =========================================================== */
#ifndef TNN__PASS
#if TNN__SCALAR
#define TNN__PASS 1
#include TINYNN_SELF
#undef TNN__PASS
#endif
#ifdef TNN__X86
#define TNN__PASS 2
#include TINYNN_SELF
#undef TNN__PASS
#define TNN__PASS 3
#include TINYNN_SELF
#undef TNN__PASS
#endif
#ifdef TNN__AVX512
#define TNN__PASS 4
#include TINYNN_SELF
#undef TNN__PASS
#endif
#ifdef TNN__NEON
#define TNN__PASS 5
#include TINYNN_SELF
#undef TNN__PASS
#endif

/* Worst first. The machine has the first tnn__isa_count() of them: a set counts only if the cpu has
   it AND the operating system saves its registers. */
static const tnn__isa_table *const tnn__isa_tables[] = {
#if TNN__SCALAR
    &tnn__table_scalar,
#endif
#ifdef TNN__X86
    &tnn__table_sse2, &tnn__table_avx2,
#endif
#ifdef TNN__AVX512
    &tnn__table_avx512,
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
    #define TNN__CPUID(leaf) __cpuidex((int *)r, leaf, 0)
    #define TNN__XCR0()      (xcr0 = (unsigned)_xgetbv(0))
    #else
    #define TNN__CPUID(leaf) __cpuid_count(leaf, 0, r[0], r[1], r[2], r[3])
    #define TNN__XCR0()      __asm__ volatile ("xgetbv" : "=a"(xcr0) : "c"(0) : "edx")
    #endif
    TNN__CPUID(0);
    if (r[0] < 7) return TNN__SCALAR + 1;
    TNN__CPUID(1);
    c1 = r[2];
    if (!(c1 >> 27 & 1)) return TNN__SCALAR + 1;                                /* OSXSAVE */
    TNN__XCR0();
    TNN__CPUID(7);
    if ((xcr0 & 0x06) != 0x06 || !(c1 >> 12 & 1) || !(c1 >> 28 & 1) || !(r[1] >> 5 & 1))
        return TNN__SCALAR + 1;                                     /* ymm saved, FMA, AVX, AVX2 */
#ifdef TNN__AVX512
    if ((xcr0 & 0xe6) == 0xe6 && (r[1] >> 16 & 1)) return TNN__SCALAR + 3;  /* zmm, AVX-512F */
#endif
    return TNN__SCALAR + 2;
    #undef TNN__CPUID
    #undef TNN__XCR0
#else
    return (int)(sizeof tnn__isa_tables / sizeof *tnn__isa_tables);
#endif
}

/* index + 1 of the one with this name, in small or capital letters; 0: this machine has none */
static int tnn__isa_find(const char *name)
{
    int i, k;
    for (i = tnn__isa_count(); name && i > 0; i--) {
        const char *own = tnn__isa_tables[i - 1]->name;
        for (k = 0; own[k] && own[k] == (name[k] >= 'A' && name[k] <= 'Z' ? name[k] + 32 : name[k]);
             k++) {}
        if (!own[k] && !name[k]) return i;
    }
    return 0;
}
static const char *tnn__isa_names(char text[64])
{
    char *to = text;
    int i;
    for (i = 0; i < tnn__isa_count(); i++)
        to = tnn__put(tnn__put(to, text + 63, i ? ", " : ""), text + 63, tnn__isa_tables[i]->name);
    if (!TNN__SCALAR) to = tnn__put(to, text + 63, "; scalar: #define TINYNN_SCALAR");
    *to = 0;
    return text;
}

static int tnn__isa_chosen;     /* index + 1 */

/* An error at each use, if flags of the compiler have changed what arithmetic gives. */
static void tnn__check_arithmetic(void)
{
    static int known;           /* 1: it is right, 2: it is not */
    int i, found = TNN__LOAD(&known);
    if (!found) {
        for (found = 1, i = 0; i < tnn__isa_count(); i++)
            if (!tnn__isa_tables[i]->exact()) found = 2;
        TNN__STORE(&known, found);
    }
    if (found == 2 && !tnn_failed())
        tnn__fail(TNN_ERROR_NUMBER, "tinynn.h was compiled with flags that change what arithmetic "
                  "gives, as -ffp-contract=fast does: compile it without them");
}
static const tnn__isa_table *tnn__kernels(void)
{
    int chosen = TNN__LOAD(&tnn__isa_chosen), none = 0;
    if (!chosen) {
        const char *want = TNN__GETENV("TINYNN_ISA");
        const int found = tnn__isa_find(want);
        char names[64];
        chosen = found ? found : tnn__isa_count();
        if (TNN__SWAP(&tnn__isa_chosen, none, chosen) && !found && want && *want)
            tnn__note("TINYNN_ISA=\"%s\" is ignored, %s is used: this machine has %s", want,
                      tnn__isa_tables[chosen - 1]->name, tnn__isa_names(names));
    }
    tnn__check_arithmetic();
    return tnn__isa_tables[chosen - 1];
}
TNN_API const char *tnn_isa(void) { return tnn__kernels()->name; }
TNN_API const char *tnn_isa_name(int i)
{
    return i >= 0 && i < tnn__isa_count() ? tnn__isa_tables[i]->name : NULL;
}
TNN_API_GATED tnn_status tnn_set_isa(const char *name)
{
    const int found = tnn__isa_find(name);
    char names[64];
    if (!found)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_isa: this machine has no \"%s\"; it has %s",
                         name ? name : "(null)", tnn__isa_names(names));
    TNN__STORE(&tnn__isa_chosen, found);
    return TNN_OK;
}

/* ==== 5. TENSORS ==============================================================================
   What lies between the kernels and the layers: 5a a constructor of products, shapes and windows;
   5b convolution, forward and back, of one image; 5c the same by Winograd's transforms; 5d the
   public functions. Layers (section 6) call 5b and 5c; 5d is for the user alone.

   A tensor (n, c, h, w) holds channels first, as PyTorch's. All inner work is on images that are
   CHANNELS LAST, (h, w, c): then the channels of a pixel, and the pixels of a row, are neighbours.
   A FRAME is zeros around such an image, wide enough for every window, so no loop asks where the
   image ends. A pointer to a framed image is to its pixel (0, 0), and its rows are x_row or y_row
   floats apart. Weights and biases are PANELS of 16 outputs (2f).

           x_row floats: (pw + iw + more) pixels of c channels
       0 0 0 0 0 0 0 0    ph rows of zeros
       0 x x x x x x 0    x points to the first x: ph*x_row + pw*c floats into the frame
       0 x x x x x x 0    ih rows of iw pixels; pw before them, tnn__x_hi_w behind
       0 0 0 0 0 0 0 0    tnn__x_hi_h rows

   ORDER OF SUMS. Which products form a chain, and which chains a sum, follows from shapes alone
   (CHAINS in 2f). A function here may cut a product into blocks of rows or columns as threads and
   caches like it; it cuts the sum over k only where tnn__chain says so. So neither the number of
   threads nor the instruction set shows in a bit. */

/* ---- 5a. Products, shapes and windows -------------------------------------------------------- */
/* C (rows, cols) = A B over `run` products, A(i, k) = a[i*rs + k*ks], B and C in panels of 16
   columns, those of C side by side. The caller sets a, b, bp, c, ldc and what else differs. */
static tnn__mm tnn__product(int rows, int cols, int run, tnn__len rs, tnn__len ks)
{
    tnn__mm t;
    memset(&t, 0, sizeof t);
    t.n0 = t.n1 = t.n2 = 1;
    t.rows = rows; t.cols = cols; t.run = run;
    t.rs = rs; t.gs = 3*rs; t.ks = ks;
    t.ldb = t.cp = 16;
    return t;
}

/* The elements of a shape: 0 if a dimension is not positive or the product does not fit. */
static tnn__len tnn__count(int n, int c, int h, int w)
{
    tnn__len count;
    if (n < 1 || c < 1 || h < 1 || w < 1) return 0;
    count = tnn__mul(tnn__mul(n, c), tnn__mul(h, w));
    return count >= TNN__OBJECT / 16 ? 0 : count;
}
/* The elements of a tensor; 0 if it has no data, too. */
static tnn__len tnn__size(tnn_tensor t) { return t.data ? tnn__count(t.n, t.c, t.h, t.w) : 0; }

/* A tensor over memory of the caller's, who keeps it. Nothing is checked. */
TNN_API tnn_tensor tnn_tensor_view(float *data, int n, int c, int h, int w)
{
    tnn_tensor t;
    t.n = n; t.c = c; t.h = h; t.w = w; t.data = data;
    return t;
}
/* A tensor of zeros, for tnn_tensor_free; its data is NULL on failure. */
TNN_API_GATED tnn_tensor tnn_tensor_create(int n, int c, int h, int w)
{
    tnn_tensor t = tnn_tensor_view(NULL, n, c, h, w);
    tnn__len count = tnn__count(n, c, h, w);
    if (count) t.data = tnn__floats(count, "tensor");
    else tnn__fail(TNN_ERROR_SHAPE,
                   "tensor: shape (%d, %d, %d, %d) must be positive and fit in memory", n, c, h, w);
    return t;
}
/* Samples first .. first + count - 1, in the same memory; data is NULL on failure. */
TNN_API_GATED tnn_tensor tnn_tensor_slice(tnn_tensor t, int first, int count)
{
    tnn_tensor s = t;
    if (first < 0 || count < 1 || !tnn__count(t.n, t.c, t.h, t.w) || first > t.n - count) {
        tnn__fail(TNN_ERROR_SHAPE, "tnn_tensor_slice: %d samples from %d on, of %d",
                  count, first, t.n);
        s.data = NULL;
    } else {
        if (s.data) s.data += (tnn__len)first*t.c*t.h*t.w;
        s.n = count;
    }
    return s;
}
/* Gives the memory of tnn_tensor_create back; NULL, or a tensor without data, is left alone. */
TNN_API void tnn_tensor_free(tnn_tensor *t)
{
    if (t) {
        tnn__release(t->data);
        t->data = NULL;
    }
}
/* Sets every element to `value`. */
TNN_API_GATED tnn_status tnn_fill(tnn_tensor t, float value)
{
    tnn__len i, n = tnn__size(t);
    if (!n) return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_fill: a tensor without data; "
                             "tnn_tensor_create gives one");
    for (i = 0; i < n; i++) t.data[i] = value;
    return TNN_OK;
}

/* Fills in the geometry of a window over an image (c, h, w); `what` names the object in messages.
   Per dimension it has
       span = dilation*(kernel - 1) + 1          out = (in + 2 pad - span)/stride + 1
   With `pooling` the stride is the kernel's size where none is given, the pad is half the window at
   most, and .ceil rounds the division up. TNN_ERROR_ARGUMENT or _SHAPE on failure. */
static tnn_status tnn__window(const char *what, const tnn_window *o, int pooling,
                              int c, int h, int w, tnn__pool_geometry *g)
{
    static const struct { const char *name, *must; int least; } limits[] = {
        {"kernel", "be at least 1x1", 1}, {"stride", "be at least 1", 1},
        {"dilation", "be at least 1", 1}, {"pad", "not be negative", 0},
    };
    int span_h, span_w, most_h, most_w, k, i;
    memset(g, 0, sizeof *g);
    g->c = c; g->ih = h; g->iw = w;
    g->kh = o->kernel_h ? o->kernel_h : o->kernel;
    g->kw = o->kernel_w ? o->kernel_w : o->kernel;
    g->sh = o->stride_h ? o->stride_h : o->stride ? o->stride : pooling ? g->kh : 1;
    g->sw = o->stride_w ? o->stride_w : o->stride ? o->stride : pooling ? g->kw : 1;
    g->ph = o->pad_h ? o->pad_h : o->pad;
    g->pw = o->pad_w ? o->pad_w : o->pad;
    g->dh = o->dilation_h ? o->dilation_h : o->dilation ? o->dilation : 1;
    g->dw = o->dilation_w ? o->dilation_w : o->dilation ? o->dilation : 1;
    g->exclude_pad = o->exclude_pad;
    for (i = 0; i < 4; i++) {
        const int given[4][2] = {{g->kh, g->kw}, {g->sh, g->sw}, {g->dh, g->dw}, {g->ph, g->pw}};
        if (TNN__MIN(given[i][0], given[i][1]) < limits[i].least)
            return tnn__fail(TNN_ERROR_ARGUMENT, "%s: %s %dx%d must %s", what, limits[i].name,
                             given[i][0], given[i][1], limits[i].must);
    }
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
    k = pooling && o->ceil;         /* a window may then lack as much as a step but for one */
    most_h = h + 2*g->ph + (k ? g->sh - 1 : 0);
    most_w = w + 2*g->pw + (k ? g->sw - 1 : 0);
    if (span_h > most_h || span_w > most_w)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: kernel %dx%d does not fit its input %dx%dx%d with "
                         "pad %d: at most %dx%d%s", what, span_h, span_w, c, h, w,
                         TNN__MAX(g->ph, g->pw), most_h, most_w,
                         g->dh > 1 || g->dw > 1 ? " (kernel with dilation)" : "");
    g->oh = (most_h - span_h)/g->sh + 1;
    g->ow = (most_w - span_w)/g->sw + 1;
    /* a window must start inside the image or its left pad */
    if (k && (g->oh - 1)*g->sh >= h + g->ph) g->oh--;
    if (k && (g->ow - 1)*g->sw >= w + g->pw) g->ow--;
    return TNN_OK;
}

/* y (h, w, c), channels last with image rows `row` floats apart, = x (c, h, w). */
static void tnn__channels_last(const tnn__isa_table *k, int c, int h, int w,
                               const float *x, float *y, tnn__len row)
{
    int i;
    for (i = 0; i < h; i++)
        if (c == 1) memcpy(y + i*row, x + (tnn__len)i*w, (size_t)w*sizeof *y);
        else k->transpose(c, w, x + (tnn__len)i*w, (tnn__len)h*w, y + i*row, c);
}
/* The way back: y (c, h, w) = x (h, w, c), whose image rows are `row` floats apart. */
static void tnn__channels_first(const tnn__isa_table *k, int c, int h, int w,
                                const float *x, tnn__len row, float *y)
{
    int i;
    for (i = 0; i < h; i++)
        if (c == 1) memcpy(y + (tnn__len)i*w, x + i*row, (size_t)w*sizeof *y);
        else k->transpose(w, c, x + i*row, c, y + (tnn__len)i*w, (tnn__len)h*w);
}

/* ---- 5b. Convolution of one image -------------------------------------------------------------
   x (ih, iw, c) and y (oh, ow, oc) are channels last. x stands in a frame for the way forward, dy
   in one for dx. With g groups of cg = c/g inputs and og = oc/g outputs:

       y[i,j,f]    = bias[f] + sum_{u,v,c} w[f,(u,v,c)] x[i*sh + u*dh - ph, j*sw + v*dw - pw, c]
       dw[f,u,v,c] = sum_{i,j} dy[i,j,f] x[i*sh + u*dh - ph, j*sw + v*dw - pw, c]
       db[f]       = sum_{i,j} dy[i,j,f]
       dx          = dy through the weights turned around, a convolution again (tnn__taps)

   Weights are panels over f, group by group: inner = kh*kw*cg rows in the order (u, v, c). A dense
   layer is the convolution whose window is the whole image. */
typedef struct {
    tnn__pool_geometry g;       /* c counts the input's channels */
    int      oc, groups;        /* channels of the output */
    int      cg, og;            /* channels in and out per group */
    int      depthwise;         /* cg = og = 1 and groups > 1: kernels of their own, not tnn__mm */
    int      blocks, po;        /* a block of panels has po outputs: a group, or all if depthwise */
    int      panels;            /* in a block */
    tnn__len inner;             /* weights of an output */
    int      y_lo_h, y_hi_h, y_lo_w, y_hi_w;    /* the frame that dx needs around dy */
} tnn__conv;

/* dx in one dimension. Pixel r + s*t of x meets window element u where  r + s*t = y*s + u*d - p,
   so  y = t + (r + p - u*d)/s: for each of the s residues r a convolution of dy with the u that
   divide. In order of rising y they form an arithmetic progression: `count` of them, from element u
   at y on, u_step and y_step apart. With s = 2, k = 3, d = 1, p = 1, for example:
       r = 0: u = 1 alone, at y = t               even pixels are in the middle of one window
       r = 1: u = 2 at y = t, u = 0 at y = t + 1  odd ones end one window and begin the next */
typedef struct { int count, u, u_step, y, y_step; } tnn__taps;
/* The taps of residue r with pad p, dilation d, stride s and kernel k. */
static tnn__taps tnn__dx_taps(int r, int p, int d, int s, int k)
{
    tnn__taps t = {0, 0, 0, 0, 0};
    int u;
    for (u = k - 1; u >= 0; u--)
        if ((r + p - u*d)%s == 0) {
            const int y = (r + p - u*d)/s;
            if (t.count == 0) { t.u = u; t.y = y; }
            if (t.count == 1) { t.u_step = u - t.u; t.y_step = y - t.y; }
            t.count++;
        }
    return t;
}
/* Pixels that the taps of all residues reach before dy, *lo, and behind it, *hi. */
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
/* The frame around dy, both dimensions. */
static void tnn__dx_frames(tnn__conv *q)
{
    const tnn__pool_geometry *g = &q->g;
    tnn__dx_frame(g->ph, g->dh, g->sh, g->kh, g->ih, g->oh, &q->y_lo_h, &q->y_hi_h);
    tnn__dx_frame(g->pw, g->dw, g->sw, g->kw, g->iw, g->ow, &q->y_lo_w, &q->y_hi_w);
}
/* Fills in a convolution of an image (c, h, w) to oc filters; `what` names it in messages.
   TNN_ERROR_ARGUMENT or _SHAPE if the options do not fit, or the weights not into memory. */
static tnn_status tnn__conv_init(const char *what, const tnn_window *o, int c, int h, int w,
                                 int oc, tnn__conv *q)
{
    const tnn_status e = tnn__window(what, o, 0, c, h, w, &q->g);
    if (e) return e;
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
    q->depthwise = q->groups > 1 && q->cg == 1 && q->og == 1;
    q->blocks = q->depthwise ? 1 : q->groups;
    q->po = oc/q->blocks;
    q->panels = (q->po + 15)/16;
    q->inner = tnn__mul(tnn__mul(q->g.kh, q->g.kw), q->cg);
    if (q->inner > TNN__MOST || tnn__mul(q->inner, tnn__mul(q->blocks, 16*(tnn__len)q->panels))
                               >= TNN__HUGE/16)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: %l weights per filter, %d filters: too many",
                         what, (long long)q->inner, oc);
    tnn__dx_frames(q);
    return TNN_OK;
}
/* The frame around x is ph and pw before it. Behind it, what the last window needs: rows, */
static int tnn__x_hi_h(const tnn__pool_geometry *g)
{
    return TNN__MAX(0, (g->oh - 1)*g->sh - g->ph + (g->kh - 1)*g->dh - (g->ih - 1));
}
/* and columns. */
static int tnn__x_hi_w(const tnn__pool_geometry *g)
{
    return TNN__MAX(0, (g->ow - 1)*g->sw - g->pw + (g->kw - 1)*g->dw - (g->iw - 1));
}
/* Floats of the weights' panels, of the bias's, */
static tnn__len tnn__weight_floats(const tnn__conv *q) { return q->inner*16*q->panels*q->blocks; }
/* padded to whole panels. */
static int tnn__bias_floats(const tnn__conv *q) { return 16*q->panels*q->blocks; }
/* Floats of the sums' low parts (3a): those of a depthwise one's dw, then those of db. */
static tnn__len tnn__low_floats(const tnn__conv *q)
{
    return tnn__bias_floats(q) + (q->depthwise ? tnn__weight_floats(q) : 0);
}
/* Floats of the weights that tnn__conv_flip writes. */
static tnn__len tnn__flipped_floats(const tnn__conv *q)
{
    return q->depthwise ? 0 : (tnn__len)q->g.kh*q->g.kw*q->oc*tnn__round_up(q->cg, 16);
}
/* Where weight (o, c, u, v) stands among the panels; c counts within the group, uv is u*kw + v. */
static tnn__len tnn__weight_at(const tnn__conv *q, int o, int c, int uv)
{
    const int f = o%q->po;
    return ((o/q->po*q->panels + f/16)*q->inner + (tnn__len)uv*q->cg + c)*16 + f%16;
}
/* Where the bias of output o stands among the panels. */
static tnn__len tnn__bias_at(const tnn__conv *q, int o)
{
    return o/q->po*q->panels*16 + o%q->po;
}

/* Panels = values, PyTorch's (oc, cg, kh, kw); or, with `back`, values += panels. */
static void tnn__copy_weights(const tnn__conv *q, float *panels, float *values, int back)
{
    int o, c, uv;
    for (o = 0; o < q->oc; o++)
        for (c = 0; c < q->cg; c++)
            for (uv = 0; uv < q->g.kh*q->g.kw; uv++, values++) {
                float *at = panels + tnn__weight_at(q, o, c, uv);
                if (back) *values += *at; else *at = *values;
            }
}

/* The window as loops n1, n2 and run of a product. Without groups or dilation a row of it is
   contiguous, and 1 is returned: run = kw*c, n2 = kh. Else run is the channels of one pixel. */
static int tnn__window_loops(const tnn__conv *q, int *n1, int *n2, int *run)
{
    const int whole = q->groups == 1 && q->g.dw == 1;
    *n1 = whole ? 1 : q->g.kh;
    *n2 = whole ? q->g.kh : q->g.kw;
    *run = whole ? q->g.kw*q->g.c : q->cg;
    return whole;
}
/* What the depthwise kernels need to know of rows i0..i1-1 of y, but for the pointers to weights
   and outputs; x at pixel (0, 0). */
static tnn__depthwise tnn__depthwise_of(const tnn__conv *q, const float *x, tnn__len x_row,
                                        tnn__len y_row, int i0, int i1)
{
    const tnn__pool_geometry *g = &q->g;
    tnn__depthwise d;
    memset(&d, 0, sizeof d);
    d.x = x + (i0*g->sh - g->ph)*x_row - (tnn__len)g->pw*g->c;
    d.x_row = g->sh*x_row; d.x_col = (tnn__len)g->sw*g->c;
    d.x_u = g->dh*x_row;   d.x_v = (tnn__len)g->dw*g->c;
    d.w_u = (tnn__len)g->kw*16; d.w_v = 16; d.panel = q->inner*16;
    d.y_row = y_row; d.y_col = q->oc;
    d.rows = i1 - i0; d.cols = g->ow; d.c = g->c; d.kh = g->kh; d.kw = g->kw;
    return d;
}
/* Rows i0..i1-1 of y, the first of them at y; x at pixel (0, 0) of its frame. bias is in panels, or
   NULL; relu: y = max(y, 0). A group is one product, the fields of tnn__mm being
       n0    image rows, y_row apart in C and sh*x_row in A
       rows  pixels of an image row, oc apart in C and sw*c in A
       cols  outputs of the group
       n1    rows of the window, dh*x_row apart in A
       n2    its columns, dw*c apart
       run   channels of a pixel, which are neighbours; tnn__window_loops makes it longer */
static void tnn__conv_forward(const tnn__isa_table *k, const tnn__conv *q,
                              const float *x, tnn__len x_row, const float *w, const float *bias,
                              float *y, tnn__len y_row, int relu, int i0, int i1)
{
    const tnn__pool_geometry *g = &q->g;
    int group;
    if (q->depthwise) {
        tnn__depthwise d = tnn__depthwise_of(q, x, x_row, y_row, i0, i1);
        d.w = w;
        d.bias = bias;
        d.y = y;
        d.relu = relu;
        k->depthwise(&d);
        return;
    }
    for (group = 0; group < q->groups; group++) {
        tnn__mm t = tnn__product(g->ow, q->og, 0, (tnn__len)g->sw*g->c, 1);
        t.a = x + (i0*g->sh - g->ph)*x_row - (tnn__len)g->pw*g->c + (tnn__len)group*q->cg;
        t.a0 = g->sh*x_row;
        t.a1 = g->dh*x_row;
        t.a2 = tnn__window_loops(q, &t.n1, &t.n2, &t.run) ? t.a1 : (tnn__len)g->dw*g->c;
        t.b = w + (tnn__len)group*q->panels*q->inner*16;
        t.bp = q->inner*16;
        t.b2 = (tnn__len)t.run*16;
        t.b1 = t.n2*t.b2;
        t.c = y + (tnn__len)group*q->og;
        t.c0 = y_row; t.ldc = q->oc;
        t.n0 = i1 - i0;
        t.start = bias ? TNN__BIAS : TNN__ZERO;
        t.bias = bias ? bias + (tnn__len)group*q->panels*16 : NULL;
        t.relu = relu;
        k->mm(&t);
    }
}

/* db += the sum of dy over pixels, row by row; low as in 3a, both tnn__bias_floats. */
static void tnn__conv_backward_bias(const tnn__isa_table *k, const tnn__conv *q, const float *dy,
                                    tnn__len y_row, float *db, float *low)
{
    tnn__len group, u;
    for (group = 0; group < q->blocks; group++)
        for (u = 0; u < q->g.oh; u++)
            k->colsum(q->g.ow, q->po, dy + u*y_row + group*q->po, q->oc, 1,
                      db + group*q->panels*16, low + group*q->panels*16);
}
#define TNN__DW_PIXELS 128      /* about as many pixels at a time: their x and dy stay cached */
/* dw (+)= patches(x)^T dy, added with `keep`;  db += sum of dy, if it is not NULL. x is framed, dy
   (oh, ow, oc) need not be; low: tnn__low_floats. A product for each element of the window, or for
   each row of it where that is contiguous:
       rows  inputs of the element, neighbours in A; their weights are neighbours in dw
       cols  outputs of the group
       n2    image rows, at most `step` at a time, so that dy is still cached for the next element
       run   pixels of an image row, sw*c apart in A, oc in B: B is dy itself, not in panels */
static void tnn__conv_backward_weights(const tnn__isa_table *k, const tnn__conv *q,
                                       const float *x, tnn__len x_row,
                                       const float *dy, tnn__len y_row,
                                       float *dw, float *db, float *low, int keep)
{
    const tnn__pool_geometry *g = &q->g;
    const int whole = q->groups == 1 && g->dw == 1, rows = whole ? g->kw*g->c : q->cg;
    const int step = TNN__MAX(1, TNN__DW_PIXELS/g->ow);
    int group, u, v, r;
    if (q->depthwise) {
        tnn__depthwise d = tnn__depthwise_of(q, x, x_row, y_row, 0, g->oh);
        d.dy = dy;
        d.dw = dw;
        d.low = low;
        d.keep = keep;
        k->depthwise_dw(&d);
    } else for (group = 0; group < q->groups; group++) {
        tnn__mm t = tnn__product(rows, q->og, g->ow, 1, (tnn__len)g->sw*g->c);
        t.a2 = g->sh*x_row;
        t.b = dy + (tnn__len)group*q->og;
        t.bp = 16; t.ldb = q->oc; t.b2 = y_row;
        t.n2 = g->oh;
        t.ldc = 16; t.cp = q->inner*16;
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
        for (r = 0; r < g->oh; r += step, t.b += t.n2*t.b2, t.start = TNN__KEEP) {
            t.n2 = TNN__MIN(step, g->oh - r);
            for (u = 0; u < g->kh; u++)
                for (v = 0; v < (whole ? 1 : g->kw); v++) {
                    t.a = x + (r*g->sh + u*g->dh - g->ph)*x_row
                          + (tnn__len)(v*g->dw - g->pw)*g->c + (tnn__len)group*q->cg;
                    t.c = dw + ((tnn__len)group*q->panels*q->inner
                                + (tnn__len)(u*g->kw + v)*q->cg)*16;
                    k->mm(&t);
                }
        }
    }
    if (db) tnn__conv_backward_bias(k, q, dy, y_row, db, low + tnn__low_floats(q)
                                                         - tnn__bias_floats(q));
}

/* The weights as the right-hand side of dx, which is a product over outputs where that of y is over
   inputs: per residue (rh, rw) and group, panels over the group's input channels, whose rows are
   (tap of h, tap of w, output channel). A panel that is not full has zeros. Depthwise ones need
   none of this. */
static void tnn__conv_flip(const tnn__conv *q, const float *w, float *flipped)
{
    const tnn__pool_geometry *g = &q->g;
    int rh, rw, group, p, a, b, o, c;
    if (q->depthwise) return;
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
                                const float *from = w + tnn__weight_at(q, group*q->og + o, p, uv);
                                for (c = 0; c < n; c++) flipped[c] = from[16*(tnn__len)c];
                                for (; c < 16; c++) flipped[c] = 0;
                            }
                        }
        }
}
/* dx (ih, iw, c) = bias + the sum over taps of w dy, by products for each residue of pixels. dy
   stands in its frame. `flipped` is from tnn__conv_flip; a depthwise convolution takes its weights
   as they are. bias is by input channel, in panels per group, or NULL. */
static void tnn__conv_backward_input(const tnn__isa_table *k, const tnn__conv *q,
                                     const float *dy, tnn__len y_row, const float *flipped,
                                     const float *bias, float *dx, tnn__len x_row)
{
    const tnn__pool_geometry *g = &q->g;
    const int panels = (q->cg + 15)/16;
    int rh, rw, group;
    for (rh = 0; rh < g->sh; rh++)
        for (rw = 0; rw < g->sw; rw++) {
            const tnn__taps th = tnn__dx_taps(rh, g->ph, g->dh, g->sh, g->kh);
            const tnn__taps tw = tnn__dx_taps(rw, g->pw, g->dw, g->sw, g->kw);
            const tnn__len depth = (tnn__len)th.count*tw.count*q->og;
            if (rh >= g->ih || rw >= g->iw) {
                if (!q->depthwise) flipped += depth*16*panels*q->groups;
                continue;
            }
            if (q->depthwise) {
                tnn__depthwise d;
                memset(&d, 0, sizeof d);
                d.x = dy + th.y*y_row + (tnn__len)tw.y*q->oc;
                d.x_row = y_row;          d.x_col = q->oc;
                d.x_u = th.y_step*y_row;  d.x_v = (tnn__len)tw.y_step*q->oc;
                d.w = flipped + (tnn__len)(th.u*g->kw + tw.u)*16;
                d.w_u = (tnn__len)th.u_step*g->kw*16; d.w_v = (tnn__len)tw.u_step*16;
                d.panel = q->inner*16;
                d.bias = bias;
                d.y = dx + rh*x_row + (tnn__len)rw*g->c;
                d.y_row = g->sh*x_row; d.y_col = (tnn__len)g->sw*g->c;
                d.rows = (g->ih - rh + g->sh - 1)/g->sh;
                d.cols = (g->iw - rw + g->sw - 1)/g->sw;
                d.c = g->c; d.kh = th.count; d.kw = tw.count;
                k->depthwise(&d);
                continue;
            }
            for (group = 0; group < q->groups; group++, flipped += depth*16*panels) {
                tnn__mm t = tnn__product((g->iw - rw + g->sw - 1)/g->sw, q->cg, q->og, q->oc, 1);
                t.start = bias ? TNN__BIAS : TNN__ZERO;
                t.bias = bias ? bias + (tnn__len)group*panels*16 : NULL;
                t.a = dy + th.y*y_row + (tnn__len)tw.y*q->oc + (tnn__len)group*q->og;
                t.a0 = y_row;
                t.n1 = th.count; t.a1 = th.y_step*y_row;
                t.n2 = tw.count; t.a2 = (tnn__len)tw.y_step*q->oc;
                if (q->groups == 1 && (tw.count == 1 || tw.y_step == 1)) {
                    t.run *= tw.count;
                    t.n2 = 1;
                    t.a2 = 0;
                }
                t.b = flipped; t.bp = depth*16;
                t.b2 = (tnn__len)t.run*16; t.b1 = t.n2*t.b2;
                t.c = dx + rh*x_row + (tnn__len)rw*g->c + (tnn__len)group*q->cg;
                t.c0 = g->sh*x_row; t.ldc = (tnn__len)g->sw*g->c;
                t.n0 = (g->ih - rh + g->sh - 1)/g->sh;
                k->mm(&t);
            }
        }
}

/* ---- 5c. Convolution by Winograd's transforms -------------------------------------------------
   A 3x3 convolution with stride 1 and pad 1 in TILES of 2 x 2 outputs (2f has the matrices). Three
   kernels transform, 16 products between them do the work, one for each element of a tile:

       V = B^T d B     tiles_in     v (16, tiles, c)     d: the 4 x 4 pixels of x under a tile
       U = G g G^T     tiles_weights                     g: the weights; once per step
       M = V U         tnn__mm with n0 = 16              M (16, tiles, oc)
       y = A^T M A     tiles_out                         bias, relu and 2x2 max pooling with it
       dx              the same from dy, with the weights that tnn__conv_flip has turned
       dg              A dy A^T (tiles_grad), V^T times that, and G^T . G in the end (tiles_dw)

   Tiles of several rows are worked together, so that a product has rows enough to be worth reading
   U for. An infinite or NaN pixel spoils a tile's other outputs in V: such rows of tiles are done
   again the direct way.

   The workspace of a thread is two blocks of 16 matrices, one for each element (i, k) of a tile. A
   matrix is (tiles, channels), and tnn__tile_each floats from the next:

       V(0,0) V(0,1) ... V(3,3)   M(0,0) M(0,1) ... M(3,3)
       |-each-|                   |-each-|
                                  the second block begins at 16*each of the first */
#define TNN__TILED_WEIGHTS (1 << 15)    /* pairs of channels; with more the weights are "wide" */
#define TNN__TILES 28                   /* tiles at a time */
#define TNN__TILES_WIDE 112             /* and with wide weights */
/* Whether the weights are too many for the nearer caches. */
static int tnn__tiled_wide(const tnn__conv *q)
{
    return (tnn__len)q->g.c*q->oc > TNN__TILED_WEIGHTS;
}
/* Whether this way is the quicker one, which is decided by shape. Wide weights go this way forward
   only, in networks that do not train (`backward` is 0). A pool that comes after must be 2x2, or
   none: pool->kh is 0. */
static int tnn__tileable(const tnn__conv *q, const tnn__pool_geometry *pool, int backward)
{
    const tnn__pool_geometry *g = &q->g;
    return g->kh == 3 && g->kw == 3 && g->sh == 1 && g->sw == 1 && g->dh == 1 && g->dw == 1
           && g->ph == 1 && g->pw == 1 && q->groups == 1 && g->c%16 == 0 && q->oc%16 == 0
           && g->oh%2 == 0 && g->ow%2 == 0 && g->oh*g->ow >= (tnn__tiled_wide(q) ? 16 : 64)
           && (!backward || !tnn__tiled_wide(q))
           && (!pool->kh || (pool->kh == 2 && pool->kw == 2 && pool->sh == 2 && pool->sw == 2
                             && !pool->ph && !pool->pw && pool->dh == 1 && pool->dw == 1));
}
/* How many images are worked together: with wide weights as many as fill a run of tiles, else 1. */
static int tnn__tiled_images(const tnn__conv *q)
{
    return tnn__tiled_wide(q) ? TNN__MAX(1, TNN__TILES_WIDE/(q->g.oh/2*(q->g.ow/2))) : 1;
}
/* Rows of tiles at a time, of `images` together; `twice`: as many as dw takes. */
static int tnn__tile_rows(const tnn__conv *q, int images, int twice)
{
    const int tiles = tnn__tiled_wide(q) ? TNN__TILES_WIDE : twice ? 2*TNN__TILES : TNN__TILES;
    return TNN__MIN(images*(q->g.oh/2), TNN__MAX(1, tiles/(q->g.ow/2)));
}
/* Floats of one of the 16 matrices with c channels: the stride between them. */
static tnn__len tnn__tile_each(const tnn__conv *q, int images, int c)
{
    return (tnn__len)tnn__tile_rows(q, images, 1)*(q->g.ow/2)*c + 16;
}
/* Floats of the workspace: V and M, or V and A dy A^T. */
static tnn__len tnn__tile_floats(const tnn__conv *q, int images)
{
    return 16*(tnn__tile_each(q, images, q->g.c) + tnn__tile_each(q, images, q->oc));
}
/* Weights to transform. */
typedef struct {
    const tnn__isa_table *k;
    int          c, oc;
    const float *w;
    float       *to;
} tnn__tile_call;
/* A task: panel p. */
static void tnn__tile_panel(void *context, int p, int worker)
{
    const tnn__tile_call *call = (const tnn__tile_call *)context;
    const tnn__len n = (tnn__len)call->c*16;
    (void)worker;
    call->k->tiles_weights(n, call->w + 9*n*p, call->to + n*p, (tnn__len)call->c*call->oc);
}
/* to (16 matrices of c x oc, in panels) = U of w: panels over oc, rows (u, v, c). */
static void tnn__tile_weights(const tnn__isa_table *k, int threads, int c, int oc, const float *w,
                              float *to)
{
    tnn__tile_call call;
    call.k = k; call.c = c; call.oc = oc; call.w = w; call.to = to;
    tnn__run(c*oc < 4096 ? 1 : threads, oc/16, tnn__tile_panel, &call);
}
/* Row r of tiles of a framed image x (c channels) the direct way, to y and `where` as `out` says:
   two rows of outputs, or one of maxima by way of `scratch` (2, ow, oc). w (u, v, c) in panels. */
static void tnn__tile_again(const tnn__isa_table *k, const tnn__conv *q, int c, const float *x,
                            tnn__len x_row, const float *w, const tnn__tiles *out, int r,
                            float *y, float *where, float *scratch)
{
    tnn__conv d = *q;               /* or, for its gradient, the one back */
    tnn__pool_geometry strip;
    d.g.c = d.cg = c;
    d.oc = d.og = d.po = out->c;
    d.panels = out->c/16;
    d.inner = 9*(tnn__len)c;
    if (!out->pool) {
        tnn__conv_forward(k, &d, x, x_row, w, out->bias, y, out->y_row, out->relu, 2*r, 2*r + 2);
        return;
    }
    tnn__conv_forward(k, &d, x, x_row, w, out->bias, scratch, (tnn__len)q->g.ow*d.oc, out->relu,
                      2*r, 2*r + 2);
    memset(&strip, 0, sizeof strip);
    strip.c = d.oc; strip.ih = 2; strip.iw = q->g.ow; strip.oh = 1; strip.ow = q->g.ow/2;
    strip.kh = strip.kw = strip.sh = strip.sw = 2;
    strip.dh = strip.dw = 1;
    k->maxpool(&strip, scratch, (tnn__len)q->g.ow*d.oc, y, out->y_row, where, 0, 1);
}
/* Tiles of a matrix with c channels, none of them placed yet. */
static tnn__tiles tnn__tiles_of(const tnn__conv *q, int images, int c)
{
    tnn__tiles tiles;
    memset(&tiles, 0, sizeof tiles);
    tiles.each = tnn__tile_each(q, images, c);
    tiles.cols = q->g.ow/2;
    tiles.c = c;
    return tiles;
}
/* y = conv(x) + bias for rows r0..r1-1 of tiles of `images`; also dx from dy, c and oc exchanged.
     x        framed, c channels, at pixel (0, 0); images x_image, rows x_row apart
     w        transformed; `direct` are the same before that, for rows that are not finite
     bias     panels, or NULL; then relu
     y        oc channels, images y_image, rows y_row apart; with `pool` the maximum of each tile,
              and `where` (oh/2, ow/2, oc) their places, or NULL
     scratch  tnn__tile_floats; two_rows (2, ow, oc), with `pool` only */
static void tnn__tile_forward(const tnn__isa_table *k, const tnn__conv *q, int c, int oc,
                              int images, const float *x, tnn__len x_image, tnn__len x_row,
                              const float *w, const float *direct, const float *bias,
                              float *y, tnn__len y_image, tnn__len y_row, float *where, int pool,
                              float *two_rows, int relu, float *scratch, int r0, int r1)
{
    unsigned char bad[TNN__TILES_WIDE];
    const int cols = q->g.ow/2, rows = r1 - r0, step = tnn__tile_rows(q, images, 0);
    tnn__tiles in = tnn__tiles_of(q, images, c), out = tnn__tiles_of(q, images, oc);
    tnn__mm t = tnn__product(0, oc, c, c, 1);
    int first, end, r, i;
    in.x_row = x_row;
    out.y_row = y_row;
    out.where_row = (tnn__len)cols*oc;
    out.bias = bias; out.relu = relu; out.pool = pool;
    out.bad = bad;
    t.n0 = 16;
    t.a = scratch; t.a0 = in.each;
    t.b = w; t.b0 = (tnn__len)c*oc; t.bp = (tnn__len)c*16;
    t.c = scratch + 16*in.each; t.c0 = out.each; t.ldc = oc;
    for (first = 0; first < images*rows; first = end) {
        end = TNN__MIN(images*rows, first + step);
        for (r = first; r < end; r += in.rows) {        /* of one image after the other */
            in.rows = TNN__MIN(rows - r%rows, end - r);
            in.x = x + r/rows*x_image + (2*(r0 + r%rows) - 1)*x_row - c;
            in.v = scratch + (tnn__len)(r - first)*cols*c;
            k->tiles_in(&in);
        }
        t.rows = (end - first)*cols;
        k->mm(&t);
        for (r = first; r < end; r += out.rows) {
            const int at = r0 + r%rows;
            out.rows = TNN__MIN(rows - r%rows, end - r);
            out.v = scratch + 16*in.each + (tnn__len)(r - first)*cols*oc;
            out.y = y + r/rows*y_image + (pool ? at : 2*at)*y_row;
            out.where = where ? where + (r/rows*(q->g.oh/2) + at)*out.where_row : NULL;
            k->tiles_out(&out);
            for (i = 0; i < out.rows; i++)
                if (bad[i])
                    tnn__tile_again(k, q, c, x + r/rows*x_image, x_row, direct, &out, at + i,
                                    out.y + (pool ? i : 2*i)*y_row,
                                    where ? out.where + i*out.where_row : NULL, two_rows);
        }
    }
}
/* dw (panels over oc, rows (u, v, c)) = G^T sums G, from tnn__tile_backward_weights. */
static void tnn__tile_dw(const tnn__isa_table *k, const tnn__conv *q, const float *sums, float *dw)
{
    const tnn__len n = (tnn__len)q->g.c*16;
    int p;
    for (p = 0; p < q->oc; p += 16, sums += n, dw += 9*n)
        k->tiles_dw(n, sums, (tnn__len)q->g.c*q->oc, dw);
}
/* sums (16 matrices of c x oc, in panels) (+)= V^T (A dy A^T) of one image, added with `keep`. x
   is framed; dy (oh, ow, oc) has rows y_row apart. */
static void tnn__tile_backward_weights(const tnn__isa_table *k, const tnn__conv *q, const float *x,
                                       tnn__len x_row, const float *dy, tnn__len y_row,
                                       float *sums, int keep, float *scratch)
{
    const int step = tnn__tile_rows(q, 1, 1), cols = q->g.ow/2, c = q->g.c, oc = q->oc;
    tnn__tiles in = tnn__tiles_of(q, 1, c), out = tnn__tiles_of(q, 1, oc);
    tnn__mm t = tnn__product(c, oc, 0, 1, c);
    int r;
    in.v = scratch;
    in.x_row = x_row;
    out.v = scratch + 16*in.each;
    out.x_row = y_row;
    t.n0 = 16;
    t.a = in.v; t.a0 = in.each;
    t.b = out.v; t.b0 = out.each; t.bp = 16; t.ldb = oc;
    t.c = sums; t.c0 = (tnn__len)c*oc; t.ldc = 16; t.cp = (tnn__len)c*16;
    for (r = 0; r < q->g.oh/2; r += step) {
        in.rows = out.rows = TNN__MIN(step, q->g.oh/2 - r);
        in.x = x + (2*r - 1)*x_row - c;
        out.x = dy + 2*(tnn__len)r*y_row;
        k->tiles_in(&in);
        k->tiles_grad(&out);
        t.run = in.rows*cols;
        t.start = keep || r ? TNN__KEEP : TNN__ZERO;
        k->mm(&t);
    }
}

/* ---- 5d. Tensor functions ---------------------------------------------------------------------
   Each checks its shapes, takes one workspace, and splits its samples or rows over the threads. The
   order of sums does not depend on the number of threads. No network is needed: these are for a
   user who builds something else from the same kernels. */
#define TNN__SPANS 16
/* How many partial sums a gradient of `weights` floats over n samples is split into: by its shape
   alone, and of no more than 64 MiB. */
static int tnn__spans(tnn__len weights, int n)
{
    const tnn__len most = TNN__MAX(1, ((tnn__len)16 << 20)/TNN__MAX(weights, 1));
    return (int)TNN__MIN(TNN__MIN(most, TNN__SPANS), n);
}

/* MATRIX PRODUCT: C (m, n) = A (m, inner) B (inner, n). All of B is copied to panels first. Then
   a task is a block of C: row_block x col_block. In it a chain of `inner` at a time is added:

       C block += A (row_block, chain) B (chain, col_block)

   so the rows of B that it needs stay cached while those of A pass by. A is read where it stands,
   turned or not: only rs and ks differ. */
#define TNN__A_STRIDE (TNN__CHAIN + 20)         /* of rows of A that are copied */
typedef struct {
    const tnn__isa_table *k;
    tnn_tensor   a, b, c;
    int          flags, m, n, inner, row_block, col_block, col_blocks;
    tnn__len     pack_a;            /* floats per thread for a copy of a block of A, or 0 */
    float       *panels, *packed;   /* B; the copies of A */
} tnn__matmul_call;

/* A task: 16 columns of B as a panel, filled up with zeros. */
static void tnn__matmul_pack(void *context, int task, int worker)
{
    const tnn__matmul_call *call = (const tnn__matmul_call *)context;
    const int n = TNN__MIN(16, call->n - 16*task);
    float *to = call->panels + (tnn__len)task*call->inner*16;
    int k, j;
    (void)worker;
    if (call->flags & TNN_TRANSPOSE_B) {
        if (n < 16) memset(to, 0, (size_t)call->inner*16*sizeof *to);
        call->k->transpose(n, call->inner, call->b.data + (tnn__len)16*task*call->inner,
                           call->inner, to, 16);
    } else
        for (k = 0; k < call->inner; k++, to += 16) {
            const float *from = call->b.data + (tnn__len)k*call->n + 16*(tnn__len)task;
            if (n == 16) memcpy(to, from, 16*sizeof *to);
            else for (j = 0; j < 16; j++) to[j] = j < n ? from[j] : 0;
        }
}
/* A task: a block of C. Rows of A that would share few cache sets or banks are copied, and turned
   where enough columns of B follow: else each step of a tile reads a line and needs a third. */
static void tnn__matmul_task(void *context, int task, int worker)
{
    const tnn__matmul_call *call = (const tnn__matmul_call *)context;
    const int i0 = task/call->col_blocks*call->row_block;
    const int j_0 = task%call->col_blocks*call->col_block;
    const int transposed = call->flags & TNN_TRANSPOSE_A;
    const tnn__len from = transposed ? call->m : call->inner;           /* floats of a row of A */
    tnn__mm t = tnn__product(TNN__MIN(call->row_block, call->m - i0),
                             TNN__MIN(call->col_block, call->n - j_0), 0, 0, 0);
    const int block = tnn__chain(call->inner, 1);
    tnn__len k0;
    t.c = call->c.data + (tnn__len)i0*call->n + j_0;
    t.ldc = call->n;
    t.bp = (tnn__len)call->inner*16;
    for (k0 = 0; k0 < call->inner; k0 += block) {
        const float *a = call->a.data + (transposed ? k0*from + i0 : i0*from + k0);
        t.run = (int)TNN__MIN(block, call->inner - k0);
        t.b = call->panels + j_0/16*t.bp + k0*16;
        t.start = k0 > 0 || (call->flags & TNN_ACCUMULATE) ? TNN__KEEP : TNN__ZERO;
        t.rs = transposed ? 1 : from;
        t.ks = transposed ? from : 1;
        t.a = a;
        if (call->pack_a) {
            const int turned = transposed && call->n >= 256, columns = transposed && !turned;
            const int rows = columns ? t.run : t.rows, cols = columns ? t.rows : t.run;
            const tnn__len stride = columns ? call->row_block + 16 : TNN__A_STRIDE;
            float *to = call->packed + worker*call->pack_a;
            int i;
            if (turned) call->k->transpose(t.run, t.rows, a, from, to, stride);
            else for (i = 0; i < rows; i++)
                memcpy(to + i*stride, a + i*from, (size_t)cols*sizeof *to);
            t.a = to;
            t.rs = columns ? 1 : stride;
            t.ks = columns ? stride : 1;
        }
        t.gs = 3*t.rs;
        call->k->mm(&t);
    }
}
/* Whether two tensors have memory in common. */
static int tnn__overlap(tnn_tensor a, tnn_tensor b)
{
    const uintptr_t p = (uintptr_t)a.data, q = (uintptr_t)b.data;
    return p < q + (size_t)tnn__size(b)*sizeof(float) && q < p + (size_t)tnn__size(a)*sizeof(float);
}
/* c (m, n) = a (m, k) b (k, n); flags turn a or b first, or add the product to c. Blocks of C are
   112 rows (8 tiles of 14) by 2048 columns, of fewer rows where there are threads to feed. */
TNN_API_GATED tnn_status tnn_matmul(tnn_tensor c, tnn_tensor a, tnn_tensor b, int flags)
{
    tnn__matmul_call call;
    const int ta = flags & TNN_TRANSPOSE_A, tb = flags & TNN_TRANSPOSE_B;
    tnn__len floats;
    int threads = tnn_threads(), row_blocks;
    if (flags & ~(TNN_TRANSPOSE_A | TNN_TRANSPOSE_B | TNN_ACCUMULATE))
        return tnn__choice("tnn_matmul: flags are TNN_TRANSPOSE_A, TNN_TRANSPOSE_B and "
                           "TNN_ACCUMULATE", flags, TNN__NO_CHOICE);
    if (!tnn__size(a) || !tnn__size(b) || !tnn__size(c)
        || a.h != 1 || a.w != 1 || b.h != 1 || b.w != 1 || c.h != 1 || c.w != 1)
        return tnn__fail(TNN_ERROR_SHAPE,
                         "tnn_matmul: needs three matrices (n, c, 1, 1) with data");
    call.k = tnn__kernels();
    call.a = a; call.b = b; call.c = c; call.flags = flags;
    call.m = ta ? a.c : a.n;
    call.inner = ta ? a.n : a.c;
    call.n = tb ? b.n : b.c;
    if ((tb ? b.c : b.n) != call.inner || c.n != call.m || c.c != call.n)
        return tnn__fail(TNN_ERROR_SHAPE,
                         "tnn_matmul: C %dx%d = A%s %dx%d times B%s %dx%d does not fit; m x n is "
                         "m x k times k x n",
                         c.n, c.c, ta ? "^T" : "", a.n, a.c, tb ? "^T" : "", b.n, b.c);
    if (tnn__overlap(c, a) || tnn__overlap(c, b))
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_matmul: C overlaps %s; it needs memory of its "
                         "own", tnn__overlap(c, a) ? "A" : "B");
    if (tnn__mul(tnn__mul(call.m, call.n), call.inner) < 32768) threads = 1;
    row_blocks = tnn__blocks(call.m, 112);
    call.col_block = TNN__MIN(2048, (int)tnn__round_up(call.n, 32));
    call.col_blocks = tnn__blocks(call.n, call.col_block);
    if (threads > 1)
        row_blocks = (int)TNN__MIN(tnn__blocks(call.m, 14), tnn__round_up(row_blocks,
                                   TNN__MAX(1, 2*threads/call.col_blocks)));
    call.row_block = tnn__blocks(call.m, row_blocks);
    row_blocks = tnn__blocks(call.m, call.row_block);
    call.pack_a = (ta ? call.m : call.inner) >= 512 && call.n >= 64
                ? (call.row_block + 16)*TNN__A_STRIDE : 0;
    floats = tnn__mul(tnn__round_up(call.n, 16), call.inner);
    call.panels = tnn__workspace(floats + tnn__mul(threads, call.pack_a), "tnn_matmul");
    if (!call.panels) return TNN_ERROR_MEMORY;
    call.packed = call.panels + floats;
    tnn__run(threads, tnn__blocks(call.n, 16), tnn__matmul_pack, &call);
    tnn__run(threads, row_blocks*call.col_blocks, tnn__matmul_task, &call);
    tnn__release(call.panels);
    return TNN_OK;
}

/* CONVOLUTION of tensors: forward, dx and dw share one task. An image is laid channels last into a
   frame, the function of 5b works there, and what it gives is laid back. Every image is a task; for
   dw every span is, whose images add up in order, and so do the spans: the same bits with any
   number of threads. */
enum { TNN__CONV_FORWARD, TNN__CONV_INPUT, TNN__CONV_WEIGHTS };
typedef struct {
    const tnn__isa_table *k;
    tnn__conv    q;
    int          way, tasks;        /* one of the three; what the images are split into */
    tnn_tensor   x, y;              /* (n, c, h, w), (n, f, oh, ow), or their gradients */
    float       *weights;           /* as the kernels want them; or dw, db, low of every span */
    const float *bias;              /* in panels, or NULL */
    float       *frames;            /* per thread: x in its frame, y in its frame */
    tnn__len     x_size, y_size, x_row, y_row, x_at, y_at;  /* of frames; where pixel (0, 0) is */
    tnn__len     each;              /* floats of a span's sums */
} tnn__conv_call;
/* The images of one task, one after the other. */
static void tnn__conv_task(void *context, int task, int worker)
{
    const tnn__conv_call *call = (const tnn__conv_call *)context;
    const tnn__isa_table *k = call->k;
    const tnn__conv *q = &call->q;
    const tnn__pool_geometry *g = &q->g;
    const int first = (int)((tnn__len)call->x.n*task/call->tasks);
    const int end = (int)((tnn__len)call->x.n*(task + 1)/call->tasks);
    float *x = call->frames + worker*(call->x_size + call->y_size) + call->x_at;
    float *y = x - call->x_at + call->x_size + call->y_at;
    float *dw = call->weights + task*call->each, *db = dw + tnn__weight_floats(q);
    int i;
    for (i = first; i < end; i++) {
        float *in = call->x.data + (tnn__len)i*g->c*g->ih*g->iw;
        float *out = call->y.data + (tnn__len)i*q->oc*g->oh*g->ow;
        if (call->way != TNN__CONV_INPUT)
            tnn__channels_last(k, g->c, g->ih, g->iw, in, x, call->x_row);
        if (call->way != TNN__CONV_FORWARD)
            tnn__channels_last(k, q->oc, g->oh, g->ow, out, y, call->y_row);
        if (call->way == TNN__CONV_FORWARD) {
            tnn__conv_forward(k, q, x, call->x_row, call->weights, call->bias, y, call->y_row,
                              0, 0, g->oh);
            tnn__channels_first(k, q->oc, g->oh, g->ow, y, call->y_row, out);
        } else if (call->way == TNN__CONV_INPUT) {
            tnn__conv_backward_input(k, q, y, call->y_row, call->weights, NULL, x, call->x_row);
            tnn__channels_first(k, g->c, g->ih, g->iw, x, call->x_row, in);
        } else
            tnn__conv_backward_weights(k, q, x, call->x_row, y, call->y_row, dw, db,
                                       db + tnn__bias_floats(q), i > first);
    }
}
/* Checks the shapes of x, w (f, c/groups, kh, kw) and y, and fills in the geometry. A window that
   names no kernel has that of w. */
static tnn_status tnn__conv_check(const char *what, tnn__conv_call *call, tnn_tensor w,
                                  tnn_window window)
{
    const tnn_tensor x = call->x, y = call->y;
    const tnn__conv *q = &call->q;
    const tnn__pool_geometry *g = &q->g;
    tnn_status e;
    if (!tnn__size(x) || !tnn__size(w) || !tnn__size(y))
        return tnn__fail(TNN_ERROR_SHAPE, "%s: needs tensors with data and positive shapes", what);
    if (!window.kernel && !window.kernel_h) window.kernel_h = w.h;
    if (!window.kernel && !window.kernel_w) window.kernel_w = w.w;
    if ((e = tnn__conv_init(what, &window, x.c, x.h, x.w, w.n, &call->q)) != TNN_OK) return e;
    if (w.c != q->cg || w.h != g->kh || w.w != g->kw)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: weights (%d, %d, %d, %d) should be (%d, %d, %d, %d)",
                         what, w.n, w.c, w.h, w.w, w.n, q->cg, g->kh, g->kw);
    if (y.n != x.n || y.c != w.n || y.h != g->oh || y.w != g->ow)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: output (%d, %d, %d, %d) should be (%d, %d, %d, %d)",
                         what, y.n, y.c, y.h, y.w, x.n, w.n, g->oh, g->ow);
    call->x_row = (tnn__len)(g->pw + g->iw + tnn__x_hi_w(g))*g->c;
    call->x_at = g->ph*call->x_row + (tnn__len)g->pw*g->c;
    call->x_size = tnn__round_up((g->ph + g->ih + tnn__x_hi_h(g))*call->x_row + TNN__SLACK, 16);
    call->y_row = (tnn__len)(q->y_lo_w + g->ow + q->y_hi_w)*q->oc;
    call->y_at = q->y_lo_h*call->y_row + (tnn__len)q->y_lo_w*q->oc;
    call->y_size = tnn__round_up((q->y_lo_h + g->oh + q->y_hi_h)*call->y_row + TNN__SLACK, 16);
    return TNN_OK;
}
/* All three ways, with one workspace: zeros, the frames among them. `bias` (f) is read forward and
   `db` (f) added to with dw; both may be NULL. TNN_ERROR_SHAPE, _ARGUMENT or _MEMORY on failure. */
static tnn_status tnn__conv_tensors(const char *what, int way, tnn_tensor x, tnn_tensor w,
                                    tnn_tensor y, const float *bias, float *db, tnn_window window)
{
    tnn__conv_call call;
    const tnn__conv *q = &call.q;
    tnn__len panels, biases, room;
    float *at;
    int i;
    tnn_status e;
    call.k = tnn__kernels();
    call.way = way;
    call.x = x; call.y = y;
    if ((e = tnn__conv_check(what, &call, w, window)) != TNN_OK) return e;
    panels = tnn__weight_floats(q);
    biases = tnn__bias_floats(q);
    call.tasks = way == TNN__CONV_WEIGHTS ? tnn__spans(panels, x.n) : x.n;
    call.each = way == TNN__CONV_WEIGHTS ? panels + biases + tnn__low_floats(q) : 0;
    room = call.each ? call.tasks*call.each : panels + biases + tnn__flipped_floats(q);
    at = tnn__floats(room + tnn__mul(tnn_threads(), call.x_size + call.y_size), what);
    if (!at) return TNN_ERROR_MEMORY;
    call.weights = at;
    call.frames = at + room;
    call.bias = bias ? at + panels : NULL;
    for (i = 0; bias && i < q->oc; i++) at[panels + tnn__bias_at(q, i)] = bias[i];
    if (way != TNN__CONV_WEIGHTS) tnn__copy_weights(q, at, w.data, 0);
    if (way == TNN__CONV_INPUT && !q->depthwise) {
        call.weights = at + panels;
        tnn__conv_flip(q, at, call.weights);
    }
    tnn__run(tnn_threads(), call.tasks, tnn__conv_task, &call);
    if (way == TNN__CONV_WEIGHTS) {
        for (i = 1; i < call.tasks; i++) call.k->add(call.each, at + i*call.each, at);
        tnn__copy_weights(q, at, w.data, 1);
        for (i = 0; db && i < q->oc; i++) db[i] += at[panels + tnn__bias_at(q, i)];
    }
    tnn__release(at);
    return TNN_OK;
}
/* y = conv(x, w) + bias; w (f, c/groups, kh, kw), bias (f) or NULL. */
TNN_API_GATED tnn_status tnn_conv2d_forward(tnn_tensor y, tnn_tensor x, tnn_tensor w,
                                            const float *bias, tnn_window window)
{
    return tnn__conv_tensors("tnn_conv2d_forward", TNN__CONV_FORWARD, x, w, y, bias, NULL, window);
}
/* dx from dy: the transposed convolution. */
TNN_API_GATED tnn_status tnn_conv2d_backward_input(tnn_tensor dx, tnn_tensor dy, tnn_tensor w,
                                                   tnn_window window)
{
    return tnn__conv_tensors("tnn_conv2d_backward_input", TNN__CONV_INPUT, dx, w, dy, NULL, NULL,
                             window);
}
/* dw += patches(x)^T dy,  db (f) += sums of dy, if it is not NULL. */
TNN_API_GATED tnn_status tnn_conv2d_backward_weights(tnn_tensor dw, float *db, tnn_tensor x,
                                                     tnn_tensor dy, tnn_window window)
{
    return tnn__conv_tensors("tnn_conv2d_backward_weights", TNN__CONV_WEIGHTS, x, dw, dy, NULL, db,
                             window);
}

/* POOLING of tensors, an image a task: x (n, c, h, w) and y (n, c, oh, ow), or their gradients. */
typedef struct {
    const tnn__isa_table *k;
    tnn__pool_geometry g;
    int          max, backward;
    tnn_tensor   x, y;
    const float *where_in;          /* as y: the places of maxima, read backward, */
    float       *where_out;         /* written forward; or NULL */
    float       *scratch;           /* per thread: an image of x, of y, of places */
    tnn__len     in, out;           /* floats of an image of x, of y */
} tnn__pool_call;
/* Image i, through channels last. */
static void tnn__pool_task(void *context, int i, int worker)
{
    const tnn__pool_call *call = (const tnn__pool_call *)context;
    const tnn__isa_table *k = call->k;
    const tnn__pool_geometry *g = &call->g;
    const tnn__len x_row = (tnn__len)g->iw*g->c, y_row = (tnn__len)g->ow*g->c;
    float *x = call->scratch + worker*(call->in + 2*call->out), *y = x + call->in;
    float *where = y + call->out, *in = call->x.data + i*call->in;
    float *out = call->y.data + i*call->out;
    if (call->backward) {
        memset(x, 0, (size_t)call->in*sizeof *x);
        tnn__channels_last(k, g->c, g->oh, g->ow, out, y, y_row);
        if (call->max) {
            tnn__channels_last(k, g->c, g->oh, g->ow, call->where_in + i*call->out, where, y_row);
            k->maxpool_grad(g, y, where, x, x_row, 0, g->oh);
        } else k->avgpool_grad(g, y, x, x_row);
        tnn__channels_first(k, g->c, g->ih, g->iw, x, x_row, in);
        return;
    }
    tnn__channels_last(k, g->c, g->ih, g->iw, in, x, x_row);
    if (call->max) k->maxpool(g, x, x_row, y, y_row, call->where_out ? where : NULL, 0, g->oh);
    else k->avgpool(g, x, x_row, y, y_row);
    tnn__channels_first(k, g->c, g->oh, g->ow, y, y_row, out);
    if (call->where_out)
        tnn__channels_first(k, g->c, g->oh, g->ow, where, y_row, call->where_out + i*call->out);
}
/* The checks and the workspace of all four. TNN_ERROR_SHAPE, _ARGUMENT or _MEMORY on failure. */
static tnn_status tnn__pooling(const char *what, tnn_tensor x, tnn_tensor y,
                               const float *where_in, float *where_out, const tnn_window *o,
                               int max, int backward)
{
    tnn__pool_call call;
    tnn_status e;
    if (!tnn__size(x) || !tnn__size(y) || (max && backward && !where_in))
        return tnn__fail(TNN_ERROR_SHAPE, "%s: needs tensors with data and positive shapes", what);
    if (!max && (o->dilation > 1 || o->dilation_h > 1 || o->dilation_w > 1))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: average pooling has no dilation", what);
    if ((e = tnn__window(what, o, 1, x.c, x.h, x.w, &call.g)) != TNN_OK) return e;
    if (y.n != x.n || y.c != x.c || y.h != call.g.oh || y.w != call.g.ow)
        return tnn__fail(TNN_ERROR_SHAPE,
                         "%s: pooled tensor (%d, %d, %d, %d) should be (%d, %d, %d, %d)",
                         what, y.n, y.c, y.h, y.w, x.n, x.c, call.g.oh, call.g.ow);
    call.k = tnn__kernels();
    call.max = max; call.backward = backward;
    call.x = x; call.y = y;
    call.where_in = where_in; call.where_out = where_out;
    call.in = (tnn__len)x.c*x.h*x.w;
    call.out = (tnn__len)y.c*y.h*y.w;
    call.scratch = tnn__workspace(tnn__mul(tnn_threads(), call.in + 2*call.out), what);
    if (!call.scratch) return TNN_ERROR_MEMORY;
    tnn__run(tnn_threads(), x.n, tnn__pool_task, &call);
    tnn__release(call.scratch);
    return TNN_OK;
}
/* y = the maxima of x; `where`, as y, gets their places in their image, or is NULL. */
TNN_API_GATED tnn_status tnn_maxpool2d_forward(tnn_tensor y, float *where, tnn_tensor x,
                                               tnn_window window)
{
    return tnn__pooling("tnn_maxpool2d_forward", x, y, NULL, where, &window, 1, 0);
}
/* dx = dy, where the maxima were: `where` is from the way forward. */
TNN_API_GATED tnn_status tnn_maxpool2d_backward(tnn_tensor dx, tnn_tensor dy, const float *where,
                                                tnn_window window)
{
    return tnn__pooling("tnn_maxpool2d_backward", dx, dy, where, NULL, &window, 1, 1);
}
/* y = the means of x. */
TNN_API_GATED tnn_status tnn_avgpool2d_forward(tnn_tensor y, tnn_tensor x, tnn_window window)
{
    return tnn__pooling("tnn_avgpool2d_forward", x, y, NULL, NULL, &window, 0, 0);
}
/* dx = dy, shared out evenly over each window. */
TNN_API_GATED tnn_status tnn_avgpool2d_backward(tnn_tensor dx, tnn_tensor dy, tnn_window window)
{
    return tnn__pooling("tnn_avgpool2d_backward", dx, dy, NULL, NULL, &window, 0, 1);
}

/* y (n) = exp(x - max)/sum, or its logarithm  x - max - log(sum), of one row x (n). The logarithm
   needs no exponentials but in the sum, which is taken in pieces of 64 in double precision. */
static void tnn__softmax_row(const tnn__isa_table *k, int n, const float *x, float *y,
                             int logarithm)
{
    const float max = k->largest(n, x);
    int j;
    if (logarithm) {
        double sum = 0;
        float e[64], lse;
        for (j = 0; j < n; j += 64) sum += (double)k->exp_sum(TNN__MIN(64, n - j), x + j, max, e);
        lse = (float)tnn__log_double(sum);
        for (j = 0; j < n; j++) y[j] = (x[j] - max) - lse;
    } else {
        const float sum = k->exp_sum(n, x, max, y);
        for (j = 0; j < n; j++) y[j] /= sum;
    }
}
/* Checks the shapes, (n, c) both, and does row after row. */
static tnn_status tnn__softmax(const char *what, tnn_tensor y, tnn_tensor x, int logarithm)
{
    tnn__len i;
    if (!tnn__size(x) || !tnn__size(y) || x.h != 1 || x.w != 1 || y.h != 1 || y.w != 1
        || x.n != y.n || x.c != y.c)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: needs two matrices of one shape, "
                         "has (%d, %d, %d, %d) and (%d, %d, %d, %d)",
                         what, y.n, y.c, y.h, y.w, x.n, x.c, x.h, x.w);
    for (i = 0; i < x.n; i++)
        tnn__softmax_row(tnn__kernels(), x.c, x.data + i*x.c, y.data + i*x.c, logarithm);
    return TNN_OK;
}
/* y (n, c) = softmax of the rows of x; they may be one tensor. */
TNN_API_GATED tnn_status tnn_softmax(tnn_tensor y, tnn_tensor x)
{
    return tnn__softmax("tnn_softmax", y, x, 0);
}
/* y (n, c) = log softmax of the rows of x; they may be one tensor. */
TNN_API_GATED tnn_status tnn_log_softmax(tnn_tensor y, tnn_tensor x)
{
    return tnn__softmax("tnn_log_softmax", y, x, 1);
}

/* The number of elements; 0 and an error where there are none. */
static tnn__len tnn__some(const char *what, tnn_tensor x)
{
    const tnn__len n = tnn__size(x);
    if (!n) tnn__fail(TNN_ERROR_ARGUMENT, "%s: a tensor without data; tnn_tensor_create gives "
                      "one", what);
    return n;
}
/* The sum of all elements, of any shape; NaN on failure. */
TNN_API_GATED float tnn_sum(tnn_tensor x)
{
    const tnn__len n = tnn__some("tnn_sum", x);
    return n ? tnn__kernels()->sum(n, x.data) : (float)TNN__NAN;
}
/* Their mean; NaN on failure. */
TNN_API_GATED float tnn_mean(tnn_tensor x)
{
    const tnn__len n = tnn__some("tnn_mean", x);
    return n ? tnn__kernels()->sum(n, x.data)/(float)n : (float)TNN__NAN;
}
/* The largest; NaN on failure. */
TNN_API_GATED float tnn_max(tnn_tensor x)
{
    const tnn__len n = tnn__some("tnn_max", x);
    return n ? tnn__kernels()->largest(n, x.data) : (float)TNN__NAN;
}
/* The sum of products of elements in the same place; shapes may differ. NaN on failure. */
TNN_API_GATED float tnn_dot(tnn_tensor x, tnn_tensor y)
{
    const tnn__len n = tnn__size(x), m = tnn__size(y);
    if (n && n == m) return tnn__kernels()->dot(n, x.data, y.data);
    tnn__fail(TNN_ERROR_SHAPE, "tnn_dot: tensors of %l and %l elements must have as many",
              (long long)n, (long long)m);
    return (float)TNN__NAN;
}
/* The first place of the largest of x (n); 0 on failure. No NaN is larger. */
TNN_API_GATED int tnn_argmax(const float *x, int n)
{
    int i, best = 0;
    if (!x || n < 1) tnn__fail(TNN_ERROR_ARGUMENT, "tnn_argmax: no values, or %d of them", n);
    for (i = 1; x && i < n; i++) if (x[i] > x[best]) best = i;
    return best;
}

/* ==== 6. LAYERS ================================================================================
   A layer of the user becomes an OPERATION, alone or with followers fused into it: an activation
   and a pooling into a convolution, an activation and dropout into a dense layer. Operations stand
   between BLOBS. Operation i writes blob i+1 and reads an earlier one, mostly blob i; add and
   concat read two. A blob holds the whole batch, channels last: a sample is h rows of w pixels of c
   floats. The convolutions that read it need zeros around each image, its FRAME. Gradients have no
   frames.

   Most operations work on one sample at a time. A run of them is a TRUNK, which goes depth first:
   each sample passes through all of its operations while it is in the cache, forward and backward.
   The gradients between them are scratch memory of one sample per thread. A dense operation is a
   matrix product over the batch. Batch normalisation has a pass over the whole batch, which sums up
   what it needs, before its samples: it begins a trunk forward, and ends one backward.

   Each layer is a block below: the mathematics, shape, forward, backward; and a row in 6l.
     shape      checks the options, says what the operation needs, turns its input's shape into
                its output's
     forward    x, sample a->s of the blob that it reads, to y; rows of x are a->in->row floats
                apart, rows of y a->out->row; both pointers are at pixel (0, 0)
     backward   dy to dx, and adds to dw and db; dy and dx are images without frame, (h, w, c). dx
                is NULL where nothing wants it, dw where its parameters are not trained
   In the formulas x, y, dx, dy are one sample; W the weights, b the biases. */

/* ---- 6a. What they work on ------------------------------------------------------------------- */
enum { TNN__INPUT = 0 };        /* the operation that brings the user's samples into the network */
typedef struct tnn__layer_kind tnn__layer_kind;
typedef struct { int ndim, dims[4]; } tnn__dims;

/* An operation. Members in a kind's column are of that kind alone. */
typedef struct {
    const tnn__layer_kind *kind;
    int          type;              /* a tnn_layer_type, or TNN__INPUT */
    int          layer;             /* in order of tnn_add: for messages and parameter names */
    int          drawn;             /* the layer whose random numbers dropout and noise draw */
    int          in, from;          /* the blobs it reads; from is -1 but for add and concat */
    tnn__conv    q;                 /* conv2d, dense; transposed: the convolution it is dx of */
    tnn__pool_geometry pool;        /* pooling; of a conv2d, fused: pool.kh > 0 */
    int          act;               /* conv2d, dense: followed by (leaky) ReLU */
    float        slope;             /* of that, or of the activation itself; 0 is ReLU */
    float        p;                 /* dropout; dense with ReLU: followed by it if > 0 */
    int          function;          /* activations: TNN__ACT_... */
    float        option[3];         /* and their options; noise: deviation; resampling: value */
    int          groups, statistics;            /* normalisation (6g) */
    int          per_channel;       /* PReLU: a weight for each */
    int          element, centred, affine, track, biased, cumulative;
    int          flat;              /* its input was seen as (c*h*w, 1, 1) */
    int          frame[4];          /* zeros that its input needs above, below, left, right */
    float        eps, momentum;
    int          mode, top, left;               /* resampling (6e) */
    float        drop_connect;
    int          no_bias, trained;  /* trained: its parameters get gradients */
    int          frozen;            /* 1: its weights are, 2: its biases */
    int          needs_dx, needs_dx2;           /* the blobs it reads want gradients, */
    int          adds_dx, adds_dx2;             /* to which others have contributed before */
    const tnn_custom_layer *custom;
    /* parameters: floats in the flat vectors, running statistics in net->buffers */
    tnn__len     w, w_floats, b, b_floats, s, s_floats;
    tnn__dims    weight_dims, other_dims;       /* in PyTorch: of the weight; of the rest */
    int          bias_each, bias_room;          /* PRODUCT: so many biases in so many floats */
    tnn__len     partial;           /* floats before its part in a span's partial sum */
    float       *where;             /* max pooling: for each output, the place in its window */
    float       *flipped;           /* conv2d: the weights as dx wants them */
    float       *tiled;             /* conv2d, Winograd's way: transformed weights, or NULL; in a */
    tnn__len     tiles, sums;       /* thread's scratch transformed images, weight gradients */
    int          together;          /* of so many samples at once, if more than 1 */
    float       *masked;            /* DropConnect: the weights that are left */
    float       *kept;              /* normalisation: statistics that backward needs */
    tnn__len     dy, dy_floats, dy_row, dy_at;  /* conv2d: its framed dy in a thread's scratch */
    tnn__len     rows;              /* conv2d with pool: one pooled row's convolution, likewise */
    tnn__len     tmp, tmp_floats;   /* other floats of a thread's scratch */
    char         name[5][32];       /* "LAYER.weight", .bias, .running_mean, .running_var, */
                                    /* .num_batches_tracked */
} tnn__op;

/* What lies between operations: the values of a batch, and their gradients. */
typedef struct {
    int      c, h, w;               /* as they lie: channels last */
    int      flat;                  /* seen by the layers as (c*h*w, 1, 1) */
    int      frame[4];              /* zeros above, below, left, right: the most of its readers */
    int      readers, last_reader, needs_grad;
    tnn__len sample, row, at;       /* floats per sample, per image row; where pixel (0, 0) is */
    float   *data;
    tnn__len grad_sample;
    float   *grad;                  /* of the whole batch; NULL inside a trunk: scratch */
} tnn__blob;

/* A layer as tnn_add recorded it: the options, the caller's line, what became of it. */
typedef struct {
    tnn_layer   o;
    const char *file;
    int         line;
    int         named;              /* some .from names it: nothing is fused across its output */
    int         blob, flat;         /* its output */
} tnn__record;

/* A tensor with a name: op->name[which]. */
typedef struct { const tnn__op *op; int which; } tnn__named;

/* The flat vectors; S: the first of the optimizer's state. */
enum {
    TNN__W, TNN__G, TNN__S, TNN__AVERAGE = TNN__S + TNN_STATES, TNN__SLOW, TNN__SUM, TNN__FLATS
};

/* A tensor of parameters in the flat vectors, or a run of them: section 10. */
typedef struct {
    tnn__len       at, floats;
    const tnn__op *op;
    int            bias, frozen;
    double         lr, decay;       /* factors */
    int            direction;       /* the update is w -= step times what is in s[2]; -1: which
                                       the rule has yet to make */
    double         step;
    double         trust;           /* LARS: a factor; while clipping, the squared norm */
} tnn__segment;
typedef struct { int iterations, kept, oldest; double scale, t; } tnn__lbfgs;

struct tnn_net {
    tnn_net_options  options;
    int              layers, capacity, built;
    tnn__record     *record;        /* capacity of them, then five times the tensors, three times */
    tnn__op         *op;            /* the operations, the blobs */
    tnn__blob       *blob;          /* ops + 1 of them */
    tnn__named      *tensor;
    int              tensors, trained_tensors;      /* these come first */
    int              ops, threads;
    int              direct;        /* the first operation reads the user's x as it is */
    tnn_loss_options loss;                  /* with its defaults filled in */
    tnn__criterion   criterion;
    float           *loaned_weights, *loss_weights[2];  /* .class_weights and .pos_weights */
    int              weight_count;
    double          *losses;                /* of each sample of the last batch */
    int             *hits;                  /* its labels that are predicted */
    float           *custom_grad;
    tnn__error_state hook;                  /* the first error of the hooks of this call, by */
    tnn__len         hook_at;               /* this order */
    int              hook_lock;
    double           total, weight;         /* of the last batch: the loss is total/weight */
    tnn_optimizer    optimizer, other;
    size_t           used, most;    /* bytes of the caller's memory, now and at most */
    float           *memory;        /* THE allocation; all below point into it */
    tnn__len         memory_floats;
    tnn__len         params;        /* floats of each flat vector */
    long long        param_total;   /* without the padding */
    float           *flat[TNN__FLATS];
    tnn__segment    *segment, *run;
    int              segments, runs;
    float           *work;          /* the optimizer's */
    tnn__len         buffer_floats;
    float           *buffers;       /* running statistics, not trained: behind the parameters. */
    float           *held, *moved;  /* what the next step makes of them: tnn__copy_statistics */
    tnn__len         partial_floats;
    float           *partial;
    tnn__len         scratch_floats, g[4];
    float           *scratch;       /* threads * scratch_floats */
    float           *turned;        /* dy^T of a dense layer, in panels over the batch */
    float           *panels;        /* dy of a dense layer, in panels over its units */
    float           *gram;          /* W W^T of a layer with an orthogonality penalty */
    float           *output;
    /* the state of training */
    const float     *x;
    int              n, mode, stage;        /* stage: what was done last */
    uint64_t         draws;                 /* training forwards so far: the dropout stream */
    double           cumulative;            /* > 0: running statistics are means of so many */
    long long        steps;
    int              correct, counted;      /* of the last loss's labels: predicted; not ignored */
    const int       *labels;                /* of the last loss, or its targets, and it */
    const float     *targets;
    double           value;
    double           c[2], shares, lr_max;  /* of rules: tnn__advance */
    int              averages, accumulated, swapped;
    double           grad_norm;
    int              odd;           /* some weight may not be finite: tnn__check_weights */
    tnn__lbfgs       lbfgs;
    tnn_schedule     schedule;              /* .type 0: none */
    long long        schedule_step;         /* of the next update */
};
enum { TNN__NOTHING, TNN__FORWARD, TNN__LOSS, TNN__BACKWARD };

/* HOOKS are the user's functions. They run in any thread, and may raise errors. */
/* Comes before a hook: its errors are quiet. Returns the state for tnn__after_hook. */
static tnn__error_state tnn__before_hook(void)
{
    const tnn__error_state was = tnn__err;
    tnn_at(NULL, 0);
    tnn__err.quiet = 1;
    return was;
}
/* Comes after a hook, which was number `at` in the order of one thread. Keeps its error in the
   network, unless a hook before it in that order has failed, too. */
static void tnn__after_hook(const tnn_net *at_work, tnn__len at, const tnn__error_state *was)
{
    tnn_net *net = (tnn_net *)(uintptr_t)at_work;
    if (tnn__err.status) {
        tnn__hold(&net->hook_lock);
        if (!net->hook.status || at < net->hook_at) {
            net->hook = tnn__err;
            net->hook_at = at;
        }
        tnn__let_go(&net->hook_lock);
    }
    tnn__err = *was;
}
/* Raises what hooks have raised, in the caller's thread. */
static tnn_status tnn__hooks(tnn_net *net)
{
    const tnn_status e = net->hook.status;
    if (!e) return TNN_OK;
    net->hook.status = TNN_OK;
    if (!net->hook.file) return tnn__fail(e, "%s", net->hook.message);
    if (!tnn_failed()) {                        /* the message has the hook's line */
        tnn__err.status = e;
        memcpy(tnn__err.message, net->hook.message, sizeof tnn__err.message);
    }
    if (!tnn__err.quiet) tnn__tell(net->hook.message);
    return e;
}

/* One operation on one sample. x, y, dy, dx are at pixel (0, 0); dy and dx are contiguous images,
   dx is NULL where nothing wants it; rows of x and y are in->row and out->row apart. x2 and dx2 are
   those of a second input. */
typedef struct {
    const tnn_net *net;
    const tnn__isa_table *k;
    const tnn__op *op;
    const tnn__blob *in, *in2, *out;
    int          s, training;
    int          part, parts;       /* forward: of the rows of y, those of this task */
    const float *x, *x2;
    float       *y, *where, *dy, *dx, *dx2, *scratch, *tmp;
    const float *w, *b;             /* parameters; NULL where it has none */
    float       *dw, *db, *low;     /* this span's gradients of them, to add to if `keep`; */
    int          keep, last;        /* its last sample */
} tnn__sample_at;

/* What the tasks of a pass over the batch have in common. */
typedef struct {
    tnn_net *net;
    const tnn__isa_table *k;
    const tnn__op *op;
    int first, last;        /* of a trunk: operations first..last-1 */
    int spans;
    int pass;               /* of batch normalisation: which sums, */
    float unit;             /* of x times this */
    int row_block, col_block, col_blocks, dx_blocks, dw_rows;       /* of a dense operation */
} tnn__call;
/* What operations take of the allocation, and the most that any of them needs of what they share:
   a gradient of one sample; panels of dy of a dense layer, and dy^T or W^T; a Gram matrix. */
typedef struct {
    tnn__arena arena;
    int        training, batch;
    tnn__len   most, turned, panels, gram;
} tnn__room;

/* THE KINDS OF LAYERS, a row each in 6l. */
/* What a flattened image is to it, .flat: values like any others; nothing it takes; channels, for
   which the plan puts a reshape before it. */
enum { TNN__VALUES, TNN__IMAGES, TNN__CHANNELS };
enum {
    TNN__NOTHING_TO_DO = 1,     /* flatten, identity: no operation, unless it is the last */
    TNN__TWO           = 2,     /* it has a second input, .from */
    TNN__PRODUCT       = 4,     /* its weights are panels of a matrix product, op->q */
    TNN__MAXIMA        = 8,     /* it keeps the places of maxima, op->where */
    TNN__ON_BATCH      = 16,    /* it works on the whole batch at once, and wants its gradients */
    TNN__SUMS          = 32,    /* sums over the whole batch come before its samples */
    TNN__ROWS          = 64     /* threads can share the rows of one sample's output */
};
struct tnn__layer_kind {
    const char *name, *reads;   /* reads: the options, see tnn__option */
    int         flat, flags;
    /* Checks the layer's options, says what the operation needs, and makes b[0], the shape of its
       input, that of its output. b[1] is the shape of a second input. */
    tnn_status (*shape)(tnn__op *op, const tnn_layer *layer, tnn__blob *b);
    void (*forward)(const tnn__sample_at *a);
    void (*backward)(const tnn__sample_at *a);
    const struct tnn__extras *extras;
    int         function;       /* of 3c, */
    float       numbers[3];     /* and what it is given */
};
/* What few of them need besides; any may be NULL. */
typedef struct tnn__extras {
    void (*keras)(tnn_layer *layer);            /* Keras' defaults in PyTorch's terms */
    /* how many of the layers that follow layer `layer` are fused into op; -1: an error */
    int  (*fuse)(tnn_net *net, int layer, tnn__op *op, tnn__blob *b);
    void (*place)(tnn_net *net, tnn__op *op, tnn__room *room);      /* takes its memory */
    void (*prepare)(const tnn__call *call);     /* before forward: weights as kernels want them */
    tnn_status (*forward)(tnn__call *call);     /* over the batch, before the samples */
    void (*after)(const tnn__call *call);       /* after all of a forward in training */
    void (*prepare_backward)(const tnn__call *call);
    void (*backward)(tnn__call *call);          /* over the batch, before the samples */
    /* of 6d: n = a->out's row of floats at x to y, rows x_row and y_row apart */
    void (*map)(const tnn__sample_at *a, const float *x, tnn__len x_row, float *y, tnn__len y_row,
                int forward);
} tnn__extras;

/* The window of a layer's options, as the functions on tensors take it. */
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
/* Values of an image row, and of an image. */
static tnn__len tnn__wide(const tnn__blob *b) { return (tnn__len)b->w*b->c; }
static int      tnn__values(const tnn__blob *b) { return b->c*b->h*b->w; }
/* The shape of a tensor of parameters; ndim 1, 2, 3 or 4. */
static tnn__dims tnn__dims_of(int ndim, int d0, int d1, int d2, int d3)
{
    tnn__dims d;
    d.ndim = ndim;
    d.dims[0] = d0; d.dims[1] = d1; d.dims[2] = d2; d.dims[3] = d3;
    return d;
}
/* Where value i of (c, h, w) lies in a blob's channels-last image. */
static tnn__len tnn__place_of(const tnn__blob *b, int i)
{
    return (tnn__len)(i%(b->h*b->w))*b->c + i/(b->h*b->w);
}
/* An option of two dimensions: the one for this, else the one for both, else `otherwise`. */
static int tnn__either(int own, int both, int otherwise)
{
    return own ? own : both ? both : otherwise;
}

/* Zeros, from the allocator or from .memory, of which `used` bytes are in use. What is given back
   there is lost, but for what was taken after a mark, net->used. */
static void *tnn__net_alloc(tnn_net *net, tnn__len bytes, const char *what)
{
    const uintptr_t start = (uintptr_t)net->options.memory + net->used;
    const size_t pad = (TNN__ALIGN - start%TNN__ALIGN)%TNN__ALIGN;
    char *p = (char *)net->options.memory;
    if (!p) return tnn__alloc(bytes, what);
    if (bytes >= TNN__HUGE || net->used + pad > net->options.bytes
        || (uint64_t)bytes > net->options.bytes - net->used - pad) {
        tnn__fail(TNN_ERROR_MEMORY, "%s: takes %l bytes, of .memory %l of %l are left", what,
                  (long long)bytes, (long long)(net->options.bytes - net->used),
                  (long long)net->options.bytes);
        return NULL;
    }
    p += net->used + pad;
    net->used += pad + (size_t)bytes;
    net->most = TNN__MAX(net->most, net->used);
    return memset(p, 0, (size_t)bytes);
}
/* Gives it back to the allocator. */
static void tnn__net_release(const tnn_net *net, void *p)
{
    if (!net->options.memory) tnn__release(p);
}
/* Pixel (0, 0) of sample s. */
static float *tnn__sample_data(const tnn__blob *b, int s) { return b->data + s*b->sample + b->at; }
/* Below so many multiply-adds or floats moved, one thread is faster than two. */
static int tnn__threads_for(const tnn_net *net, tnn__len work)
{
    return work < 20000 ? 1 : net->threads;
}

/* The weights in use: with DropConnect (Wan et al. 2013) those left in this training step. */
static const float *tnn__weights(const tnn_net *net, const tnn__op *op)
{
    return op->masked && net->mode == TNN_TRAIN ? op->masked : net->flat[TNN__W] + op->w;
}
/* The stream of random numbers of a layer in this training forward: streams below 2^19 of each
   forward are for other uses. */
static uint64_t tnn__draw_stream(const tnn_net *net, int layer)
{
    return (net->draws << 20) + (1u << 19) + (uint64_t)layer;
}
/* Messages are about that layer from here on, and name the line that added it. */
static void tnn__about(const tnn_net *net, int layer)
{
    tnn__err.file = net->record[layer].file;
    tnn__err.line = net->record[layer].line;
    tnn__err.layer = layer + 1;
}

/* ---- 6b. Input, reshape, identity, add, concat ----------------------------------------------- */
/* Brings the user's sample, (c, h, w), into the network. */
static void tnn__input_forward(const tnn__sample_at *a)
{
    const tnn__len size = tnn__values(a->in);
    tnn__channels_last(a->k, a->in->c, a->in->h, a->in->w, a->net->x + a->s*size,
                       a->y, a->out->row);
}

/* The same values in PyTorch's order under another shape; one dimension may be -1. */
static tnn_status tnn__reshape_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    const int n = tnn__values(b);
    int d[3], i, open = -1;
    tnn__len known = 1;
    for (i = 0; i < 3; i++) {
        d[i] = o->shape[i] ? o->shape[i] : 1;
        if (d[i] == -1 && open < 0) open = i;
        else known = d[i] < 1 ? TNN__HUGE : tnn__mul(known, d[i]);
    }
    if (open >= 0 && known < TNN__HUGE && n%known == 0) {
        d[open] = (int)(n/known);
        known = n;
    }
    if (known != n)
        return tnn__fail(TNN_ERROR_SHAPE, "reshape: %dx%dx%d values cannot be seen as %dx%dx%d; "
                         "the product must be %d, one number may be -1, for what is left", b->c,
                         b->h, b->w, o->shape[0], o->shape[1], o->shape[2], n);
    op->tmp_floats = n;
    b->c = d[0]; b->h = d[1]; b->w = d[2];
    b->flat = 0;
    return TNN_OK;
}
/* Through PyTorch's order, in which a reshape changes nothing. */
static void tnn__reshape_forward(const tnn__sample_at *a)
{
    tnn__channels_first(a->k, a->in->c, a->in->h, a->in->w, a->x, a->in->row, a->tmp);
    tnn__channels_last(a->k, a->out->c, a->out->h, a->out->w, a->tmp, a->y, a->out->row);
}
/* The same way back. */
static void tnn__reshape_backward(const tnn__sample_at *a)
{
    tnn__channels_first(a->k, a->out->c, a->out->h, a->out->w, a->dy, tnn__wide(a->out), a->tmp);
    tnn__channels_last(a->k, a->in->c, a->in->h, a->in->w, a->tmp, a->dx, tnn__wide(a->in));
}

/* y = x; stands where two readers must not write one gradient */
static void tnn__identity_forward(const tnn__sample_at *a)
{
    int r;
    for (r = 0; r < a->out->h; r++)
        memcpy(a->y + r*a->out->row, a->x + r*a->in->row, (size_t)tnn__wide(a->out)*sizeof *a->y);
}
/* dx = dy */
static void tnn__identity_backward(const tnn__sample_at *a)
{
    memcpy(a->dx, a->dy, (size_t)tnn__values(a->out)*sizeof *a->dx);
}

/* Two inputs of one shape; for concat, of one height and width. */
static tnn_status tnn__two_shape(tnn__op *op, const tnn_layer *layer, tnn__blob *b)
{
    const int add = layer->type == TNN_ADD;
    if (b[1].h != b->h || b[1].w != b->w || (add && b[1].c != b->c))
        return tnn__fail(TNN_ERROR_SHAPE, "%s: %dx%dx%d and, from layer %d, %dx%dx%d do not fit: "
                         "they must have one %s", op->kind->name, b->c, b->h, b->w, layer->from,
                         b[1].c, b[1].h, b[1].w, add ? "shape" : "height and width");
    if (!add) b->c += b[1].c;
    return TNN_OK;
}
/* y = x + x2 (He et al. 2016); both inputs get dy. */
static void tnn__add_forward(const tnn__sample_at *a)
{
    int r;
    tnn__identity_forward(a);
    for (r = 0; r < a->out->h; r++)
        a->k->add(tnn__wide(a->out), a->x2 + r*a->in2->row, a->y + r*a->out->row);
}
/* dx = dx2 = dy */
static void tnn__add_backward(const tnn__sample_at *a)
{
    const size_t bytes = (size_t)tnn__values(a->out)*sizeof *a->dy;
    if (a->dx) memcpy(a->dx, a->dy, bytes);
    if (a->dx2) memcpy(a->dx2, a->dy, bytes);
}

/* Pixel p, counted along rows, of an image of blob b's shape at x. */
static float *tnn__pixel(const tnn__blob *b, const float *x, tnn__len p)
{
    return (float *)(uintptr_t)(x + p/b->w*b->row + p%b->w*b->c);
}
/* y = the channels of x, then those of x2 */
static void tnn__concat_forward(const tnn__sample_at *a)
{
    const size_t bytes = (size_t)a->in->c*sizeof(float), bytes2 = (size_t)a->in2->c*sizeof(float);
    tnn__len p;
    for (p = 0; p < (tnn__len)a->out->h*a->out->w; p++) {
        float *y = tnn__pixel(a->out, a->y, p);
        memcpy(y, tnn__pixel(a->in, a->x, p), bytes);
        memcpy(y + a->in->c, tnn__pixel(a->in2, a->x2, p), bytes2);
    }
}
/* dx = the first channels of dy, dx2 = the others */
static void tnn__concat_backward(const tnn__sample_at *a)
{
    const size_t bytes = (size_t)a->in->c*sizeof(float), bytes2 = (size_t)a->in2->c*sizeof(float);
    tnn__len p;
    for (p = 0; p < (tnn__len)a->out->h*a->out->w; p++) {
        const float *dy = a->dy + p*a->out->c;
        if (a->dx) memcpy(a->dx + p*a->in->c, dy, bytes);
        if (a->dx2) memcpy(a->dx2 + p*a->in2->c, dy + a->in->c, bytes2);
    }
}

/* ---- 6c. Activations ------------------------------------------------------------------------- */
/* ReLU y = max(x, 0), and leaky ReLU y = x > 0 ? x : slope x. */
static tnn_status tnn__act_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    (void)b;
    op->slope = o->type == TNN_RELU ? 0 : (float)tnn__default((double)o->slope, 0.01);
    return TNN_OK;
}
/* Keras has another slope. */
static void tnn__leaky_keras(tnn_layer *layer)
{
    layer->slope = (float)tnn__default((double)layer->slope, 0.3);
}
/* y = x > 0 ? x : slope x, row by row */
static void tnn__act_forward(const tnn__sample_at *a)
{
    const tnn__len n = tnn__wide(a->out);
    int r;
    for (r = 0; r < a->out->h; r++)
        a->k->act(n, a->x + r*a->in->row, a->y + r*a->out->row, a->op->slope);
}
/* dx = x > 0 ? dy : slope dy, by the sign of x: with a negative slope y does not tell it */
static void tnn__act_backward(const tnn__sample_at *a)
{
    const tnn__len n = tnn__wide(a->out);
    int r;
    for (r = 0; r < a->out->h; r++)
        a->k->act_grad(n, a->x + r*a->in->row, a->dy + r*n, a->dx + r*n, a->op->slope, 1);
}

/* Which function f of 3c is in the kind's row, with its numbers p; some are options. */
static tnn_status tnn__function_shape(tnn__op *op, const tnn_layer *layer, tnn__blob *b)
{
    const double alpha = tnn__default((double)layer->alpha, 1);
    float *p = op->option;
    (void)b;
    op->function = op->kind->function + (layer->approximate ? 1 : 0);   /* gelu, gelu_tanh */
    memcpy(p, op->kind->numbers, sizeof op->kind->numbers);
    if (layer->type == TNN_ELU || layer->type == TNN_CELU) p[0] = (float)alpha;
    if (layer->type == TNN_CELU) p[1] = (float)(1/alpha);
    if (layer->type == TNN_HARDTANH) {
        p[0] = (float)tnn__default((double)layer->min_value, (double)p[0]);
        p[1] = (float)tnn__default((double)layer->max_value, (double)p[1]);
    }
    if (layer->type == TNN_SOFTPLUS) {
        p[0] = (float)tnn__default((double)layer->beta, (double)p[0]);
        p[1] = (float)tnn__default((double)layer->threshold, (double)p[1]);
    }
    if (!(alpha > -1e30 && alpha < 1e30)
        || (layer->type == TNN_CELU && !(alpha > 0 || alpha < 0)))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: .alpha = %g must be between -1e30 and "
                         "1e30, for celu not 0", op->kind->name, alpha);
    if (layer->type == TNN_HARDTANH && !(p[0] <= p[1]))
        return tnn__fail(TNN_ERROR_ARGUMENT, "hardtanh: .min_value = %g must not be more than "
                         ".max_value = %g", (double)p[0], (double)p[1]);
    if (layer->type == TNN_SOFTPLUS
        && (!(p[0] > 0 || p[0] < 0) || !(p[0] - p[0] + p[1] - p[1] >= 0)))
        return tnn__fail(TNN_ERROR_ARGUMENT, "softplus: .beta = %g must be finite and not 0, "
                         ".threshold = %g finite", (double)p[0], (double)p[1]);
    return TNN_OK;
}
/* y = f(x), row by row */
static void tnn__function_forward(const tnn__sample_at *a)
{
    const tnn__len n = tnn__wide(a->out);
    int r;
    for (r = 0; r < a->out->h; r++)
        a->k->activation[a->op->function].forward(n, a->x + r*a->in->row, a->y + r*a->out->row,
                                                  a->op->option);
}
/* dx = f'(x) dy */
static void tnn__function_backward(const tnn__sample_at *a)
{
    const tnn__len n = tnn__wide(a->out);
    int r;
    for (r = 0; r < a->out->h; r++)
        a->k->activation[a->op->function].backward(n, a->x + r*a->in->row, a->dy + r*n,
                                                   a->dx + r*n, a->op->option);
}

/* y = x > 0 ? x : w x, w learned: one, or one per channel (He et al. 2015) */
static tnn_status tnn__prelu_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    op->per_channel = o->per_channel;
    op->weight_dims = tnn__dims_of(1, o->per_channel ? b->c : 1, 1, 1, 1);
    op->w_floats = tnn__round_up(op->weight_dims.dims[0], 16);
    op->tmp_floats = 3*tnn__round_up(b->c, 16);
    op->option[0] = (float)tnn__default((double)o->slope, 0.25);
    return TNN_OK;
}
/* The slopes by channel; a single one is spread over a->tmp. */
static const float *tnn__prelu_slopes(const tnn__sample_at *a)
{
    int c;
    if (a->op->per_channel) return a->w;
    for (c = 0; c < a->in->c; c++) a->tmp[c] = a->w[0];
    return a->tmp;
}
/* y = x > 0 ? x : w x */
static void tnn__prelu_forward(const tnn__sample_at *a)
{
    const float *slope = tnn__prelu_slopes(a);
    int r;
    for (r = 0; r < a->out->h; r++)
        a->k->prelu(a->in->w, a->in->c, a->x + r*a->in->row, a->in->c, slope,
                    a->y + r*a->out->row, a->in->c);
}
/* dx = x > 0 ? dy : w dy,  dw += sum of x dy where x <= 0 */
static void tnn__prelu_backward(const tnn__sample_at *a)
{
    const float *slope = tnn__prelu_slopes(a);
    const tnn__len n = tnn__wide(a->in);
    const int c = a->in->c;
    const tnn__len room = tnn__round_up(c, 16);
    float *d = a->op->per_channel && a->dw ? a->dw : a->tmp + room;
    float *low = d == a->dw ? a->low : d + room, sum;
    int r;
    if (d != a->dw) memset(d, 0, (size_t)(2*room)*sizeof *d);
    for (r = 0; r < a->out->h; r++)
        a->k->prelu_grad(a->in->w, c, a->x + r*a->in->row, c, slope, a->dy + r*n, c,
                         a->dx ? a->dx + r*n : NULL, c, d, low);
    if (a->op->per_channel || !a->dw) return;
    sum = a->k->sum(c, d);
    a->k->add_to(1, &sum, a->dw, a->low);
}

/* Over the channels of each pixel: softmax, its logarithm, and GLU, the first half of the channels
   times the sigmoid of the second (Dauphin et al. 2017). */
static tnn_status tnn__softmax_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    op->tmp_floats = b->c;
    if (o->type != TNN_GLU) return TNN_OK;
    if (b->c%2)
        return tnn__fail(TNN_ERROR_SHAPE, "glu: needs an even number of channels, not %d", b->c);
    b->c /= 2;
    return TNN_OK;
}
/* y = softmax(x) or its logarithm, pixel by pixel */
static void tnn__softmax_forward(const tnn__sample_at *a)
{
    tnn__len p;
    for (p = 0; p < (tnn__len)a->out->h*a->out->w; p++)
        tnn__softmax_row(a->k, a->in->c, tnn__pixel(a->in, a->x, p), tnn__pixel(a->out, a->y, p),
                         a->op->type == TNN_LOG_SOFTMAX);
}
/* dx = y (dy - y.dy), of the logarithm dy - e^y sum dy */
static void tnn__softmax_backward(const tnn__sample_at *a)
{
    const int c = a->out->c, logarithm = a->op->type == TNN_LOG_SOFTMAX;
    tnn__len p;
    for (p = 0; p < (tnn__len)a->out->h*a->out->w; p++) {
        const float *y = tnn__pixel(a->out, a->y, p), *dy = a->dy + p*c;
        const float dot = logarithm ? a->k->sum(c, dy) : a->k->dot(c, y, dy);
        a->k->softmax_grad(c, y, dy, dot, a->dx + p*c, logarithm);
    }
}
/* y = x1 s(x2): x1 and x2 the two halves of a pixel's channels, s the sigmoid */
static void tnn__glu_forward(const tnn__sample_at *a)
{
    const int c = a->out->c;
    tnn__len p;
    for (p = 0; p < (tnn__len)a->out->h*a->out->w; p++) {
        const float *x = tnn__pixel(a->in, a->x, p);
        float *y = tnn__pixel(a->out, a->y, p);
        a->k->activation[TNN__ACT_sigmoid].forward(c, x + c, y, a->op->option);
        a->k->multiply(c, x, y, y);
    }
}
/* dx1 = dy s(x2),  dx2 = dy x1 s'(x2) */
static void tnn__glu_backward(const tnn__sample_at *a)
{
    const int c = a->out->c;
    tnn__len p;
    for (p = 0; p < (tnn__len)a->out->h*a->out->w; p++) {
        const float *x = tnn__pixel(a->in, a->x, p), *dy = a->dy + p*c;
        float *dx = a->dx + 2*p*c;
        a->k->activation[TNN__ACT_sigmoid].forward(c, x + c, a->tmp, a->op->option);
        a->k->multiply(c, dy, a->tmp, dx);
        a->k->multiply(c, dy, x, a->tmp);
        a->k->activation[TNN__ACT_sigmoid].backward(c, x + c, a->tmp, dx + c, a->op->option);
    }
}

/* ---- 6d. Dropout and noise: in training only --------------------------------------------------
   Each is a map of rows, which serves both ways: forward x to y, backward dy to dx. Each training
   forward has a stream of random numbers of its own; backward draws the same ones again. Elements
   are numbered in image rows, each begun at a multiple of 64. */

/* The options of them all. */
static tnn_status tnn__dropout_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    op->p = (float)tnn__default((double)o->p, 0.5);
    op->option[0] = (float)tnn__default((double)o->std, 0.1);
    op->tmp_floats = TNN__MAX(3*tnn__round_up(b->c, 16), tnn__wide(b));
    if (!(op->p >= 0 && op->p <= 1) || (o->type == TNN_GAUSSIAN_DROPOUT && !(op->p < 1)))
        return tnn__fail(TNN_ERROR_ARGUMENT, "dropout: .p = %g must be in [0, 1%s", (double)op->p,
                         o->type == TNN_GAUSSIAN_DROPOUT ? ")" : "]");
    if (!(op->option[0] >= 0) || op->option[0] > 1e30f)
        return tnn__fail(TNN_ERROR_ARGUMENT, "gaussian_noise: .std = %g must be in [0, 1e30]",
                         (double)op->option[0]);
    return TNN_OK;
}
/* Dropout: 0 with probability p, else x/(1-p) (Srivastava et al. 2014). Alpha dropout (Klambauer et
   al. 2017): to what SELU gives far below zero, then scaled and shifted so that mean 0 and variance
   1 stay; its gradient has the scale alone. */
static tnn__drop tnn__drop_of(const tnn_net *net, const tnn__op *op, int forward)
{
    tnn__drop d;
    memset(&d, 0, sizeof d);
    d.p = op->p;
    d.seed = net->options.seed;
    if (!(op->p < 1)) return d;                 /* all 0 */
    d.scale = 1.0f/(1.0f - op->p);
    if (op->type == TNN_ALPHA_DROPOUT) {
        const double low = -1.0507009873554805*1.6732632423543772, p = (double)op->p;
        const double scale = 1/sqrt((1 - p)*(1 + p*low*low));
        d.scale = (float)scale;
        d.shift = forward ? (float)(-scale*p*low) : 0;
        d.dropped = forward ? (float)(scale*low - scale*p*low) : 0;
    }
    return d;
}
/* Element by element. */
static void tnn__dropout_rows(const tnn_net *net, const tnn__isa_table *k, const tnn__op *op,
                              const tnn__blob *b, int s, const float *x, tnn__len x_row,
                              float *y, tnn__len y_row, int forward)
{
    const tnn__len n = tnn__wide(b), numbers = tnn__round_up(n, 64);
    const tnn__drop d = tnn__drop_of(net, op, forward);
    int i;
    for (i = 0; i < b->h; i++)
        k->dropout(n, x + i*x_row, y + i*y_row, &d, tnn__draw_stream(net, op->drawn),
                   (uint64_t)(((tnn__len)s*b->h + i)*numbers));
}
/* The same of a sample. */
static void tnn__dropout_map(const tnn__sample_at *a, const float *x, tnn__len x_row, float *y,
                             tnn__len y_row, int forward)
{
    tnn__dropout_rows(a->net, a->k, a->op, a->out, a->s, x, x_row, y, y_row, forward);
}
/* Whole channels (Tompson et al. 2015), or whole samples (stochastic depth, Huang et al. 2016): one
   draw for each, as a factor. */
static void tnn__drop_whole_map(const tnn__sample_at *a, const float *x, tnn__len x_row, float *y,
                                tnn__len y_row, int forward)
{
    const tnn__drop d = tnn__drop_of(a->net, a->op, 0);
    const int c = a->out->c, draws = a->op->type == TNN_DROPOUT2D ? c : 1;
    const tnn__len each = tnn__round_up(c, 16);
    float *factor = a->tmp, *zero = factor + each, *one = zero + each;
    int i;
    (void)forward;
    for (i = 0; i < c; i++) {
        zero[i] = 0;
        one[i] = 1;
    }
    a->k->dropout(draws, one, factor, &d, tnn__draw_stream(a->net, a->op->drawn),
                  (uint64_t)a->s*(uint64_t)tnn__round_up(draws, 64));
    for (i = draws; i < c; i++) factor[i] = factor[0];
    for (i = 0; i < a->out->h; i++)
        a->k->affine(a->out->w, c, x + i*x_row, c, zero, factor, zero, y + i*y_row, c);
}
/* Gaussian dropout: x N(1, p/(1-p)) (Srivastava et al. 2014, 10); noise: x + N(0, std^2), which
   backward leaves dy alone. */
static void tnn__noise_map(const tnn__sample_at *a, const float *x, tnn__len x_row, float *y,
                           tnn__len y_row, int forward)
{
    const tnn__len n = tnn__wide(a->out), numbers = tnn__round_up(n, 64);
    const int times = a->op->type == TNN_GAUSSIAN_DROPOUT;
    const float deviation = times ? sqrtf(a->op->p/(1.0f - a->op->p)) : a->op->option[0];
    int r;
    for (r = 0; r < a->out->h; r++) {
        a->k->normal(n, a->tmp, deviation, times ? 1.0f : 0.0f, a->net->options.seed,
                     tnn__draw_stream(a->net, a->op->drawn),
                     (uint64_t)(((tnn__len)a->s*a->out->h + r)*numbers));
        if (times) a->k->multiply(n, x + r*x_row, a->tmp, y + r*y_row);
        else {
            memcpy(y + r*y_row, x + r*x_row, (size_t)n*sizeof *y);
            if (forward) a->k->add(n, a->tmp, y + r*y_row);
        }
    }
}
/* Forward of all of them: in evaluation y = x. */
static void tnn__map_forward(const tnn__sample_at *a)
{
    if (a->training)
        a->op->kind->extras->map(a, a->x, a->in->row, a->y, a->out->row, 1);
    else tnn__identity_forward(a);
}
/* Backward of all of them. */
static void tnn__map_backward(const tnn__sample_at *a)
{
    a->op->kind->extras->map(a, a->dy, tnn__wide(a->out), a->dx, tnn__wide(a->out), 0);
}

/* ---- 6e. Resampling: padding and upsampling ---------------------------------------------------
   y[i, j] = sum over up to two rows and two columns of x with weights: a TAP is the two places and
   weights of one output coordinate. Padding has one place, or none; nearest neighbours one;
   bilinear two. Backward scatters with the same weights. */
typedef struct { int at[2], count; float weight[2]; } tnn__tap;
static tnn__tap tnn__tap_of(const tnn__op *op, int i, int in, int out, int before)
{
    tnn__tap t;
    memset(&t, 0, sizeof t);
    t.count = 1;
    t.weight[0] = 1;
    t.at[0] = i - before;
    switch (op->mode) {
    case TNN_ZEROS:     t.count = t.at[0] >= 0 && t.at[0] < in; break;
    case TNN_REPLICATE: t.at[0] = TNN__MAX(0, TNN__MIN(in - 1, t.at[0])); break;
    case TNN_REFLECT:   if (t.at[0] < 0) t.at[0] = -t.at[0];
                        if (t.at[0] >= in) t.at[0] = 2*(in - 1) - t.at[0];
                        break;
    case TNN_CIRCULAR:  t.at[0] = (t.at[0] + in)%in; break;
    case TNN_NEAREST:   t.at[0] = (int)((tnn__len)i*in/out); break;
    default: {          /* bilinear, corners aligned or not */
        double x = op->mode == TNN_BILINEAR ? (i + 0.5)*in/out - 0.5
                                            : out > 1 ? (double)i*(in - 1)/(out - 1) : 0;
        x = TNN__MAX(x, 0);
        t.at[0] = (int)x;
        t.at[1] = TNN__MIN(t.at[0] + 1, in - 1);
        t.weight[1] = (float)(x - t.at[0]);
        t.weight[0] = 1 - t.weight[1];
        t.count = 2;
    } }
    return t;
}
/* Rows and columns are added on both sides. Refuses other modes than the four, and what reflection
   or a circle cannot reach. */
static tnn_status tnn__pad_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    op->top = o->pad_h ? o->pad_h : o->pad;
    op->left = o->pad_w ? o->pad_w : o->pad;
    op->mode = o->mode ? (int)o->mode : TNN_ZEROS;
    op->option[0] = (float)tnn__default((double)o->value, 0);
    if (op->mode < TNN_ZEROS || op->mode > TNN_CIRCULAR)
        return tnn__fail(TNN_ERROR_ARGUMENT, "pad: .mode must be TNN_ZEROS, TNN_REFLECT, "
                         "TNN_REPLICATE or TNN_CIRCULAR");
    if (op->mode != TNN_ZEROS && (op->option[0] > 0 || op->option[0] < 0))
        return tnn__fail(TNN_ERROR_ARGUMENT, "pad: .value = %g is of .mode TNN_ZEROS",
                         (double)op->option[0]);
    if (op->top < 0 || op->left < 0 || op->top > 4096 || op->left > 4096)
        return tnn__fail(TNN_ERROR_ARGUMENT, "pad: .pad = %dx%d must be 0 to 4096",
                         op->top, op->left);
    if ((op->mode == TNN_REFLECT && (op->top >= b->h || op->left >= b->w))
        || (op->mode == TNN_CIRCULAR && (op->top > b->h || op->left > b->w)))
        return tnn__fail(TNN_ERROR_SHAPE, "pad: %dx%d is too much for an image of %dx%d%s",
                         op->top, op->left, b->h, b->w,
                         op->mode == TNN_REFLECT ? ": less than its size" : "");
    b->h += 2*op->top;
    b->w += 2*op->left;
    return TNN_OK;
}
/* A convolution that is padded by an operation of its own, before it. */
static int tnn__pads_first(const tnn_layer *o)
{
    return o->type == TNN_CONV2D && o->pad_mode && o->pad_mode != TNN_ZEROS;
}
/* .factor times as large, or of .size. */
static tnn_status tnn__upsample_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    const int h = tnn__either(o->size_h, o->size, 0), w = tnn__either(o->size_w, o->size, 0);
    const int times = o->factor ? o->factor : 2;
    op->mode = o->mode ? (int)o->mode : TNN_NEAREST;
    if (op->mode < TNN_NEAREST || op->mode > TNN_BILINEAR_ALIGNED)
        return tnn__fail(TNN_ERROR_ARGUMENT, "upsample: .mode must be TNN_NEAREST, TNN_BILINEAR or "
                         "TNN_BILINEAR_ALIGNED");
    if (times < 1 || times > 4096 || h < 0 || w < 0 || (h > 0) != (w > 0) || h > 1 << 20
        || w > 1 << 20)
        return tnn__fail(TNN_ERROR_ARGUMENT, "upsample: .factor = %d must be 1 to 4096, "
                         "or .size %dx%d positive", times, h, w);
    b->h = h ? h : (int)TNN__MIN(tnn__mul(b->h, times), 1 << 24);
    b->w = w ? w : (int)TNN__MIN(tnn__mul(b->w, times), 1 << 24);
    return TNN_OK;
}
/* The taps of rows times those of columns; without any the padding value. */
static void tnn__resample_forward(const tnn__sample_at *a)
{
    const int c = a->out->c;
    int i, j, u, v, k;
    for (i = 0; i < a->out->h; i++) {
        const tnn__tap r = tnn__tap_of(a->op, i, a->in->h, a->out->h, a->op->top);
        for (j = 0; j < a->out->w; j++) {
            const tnn__tap s = tnn__tap_of(a->op, j, a->in->w, a->out->w, a->op->left);
            float *y = a->y + i*a->out->row + (tnn__len)j*c;
            if (r.count*s.count == 0) for (k = 0; k < c; k++) y[k] = a->op->option[0];
            for (u = 0; u < r.count; u++)
                for (v = 0; v < s.count; v++)
                    a->k->axpy(c, r.weight[u]*s.weight[v],
                               a->x + r.at[u]*a->in->row + (tnn__len)s.at[v]*c, y, u + v > 0);
        }
    }
}
/* dx is the sum of what each y took from x, in the order of y. */
static void tnn__resample_backward(const tnn__sample_at *a)
{
    const int c = a->out->c;
    int i, j, u, v;
    memset(a->dx, 0, (size_t)tnn__values(a->in)*sizeof *a->dx);
    for (i = 0; i < a->out->h; i++) {
        const tnn__tap r = tnn__tap_of(a->op, i, a->in->h, a->out->h, a->op->top);
        for (j = 0; j < a->out->w; j++) {
            const tnn__tap s = tnn__tap_of(a->op, j, a->in->w, a->out->w, a->op->left);
            for (u = 0; u < r.count; u++)
                for (v = 0; v < s.count; v++)
                    a->k->axpy(c, r.weight[u]*s.weight[v],
                               a->dy + ((tnn__len)i*a->out->w + j)*c,
                               a->dx + ((tnn__len)r.at[u]*a->in->w + s.at[v])*c, 1);
        }
    }
}

/* ---- 6f. Pooling ----------------------------------------------------------------------------- */
/* Max and average pooling by windows. */
static tnn_status tnn__pool_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    const tnn_window w = tnn__layer_window(o);
    const char *name = o->type == TNN_MAXPOOL2D ? "maxpool2d" : "avgpool2d";
    tnn_status e;
    e = tnn__window(name, &w, 1, b->c, b->h, b->w, &op->pool);
    b->h = op->pool.oh;
    b->w = op->pool.ow;
    return e;
}
/* Window i of n over h rows is i h/n rounded down to (i+1) h/n rounded up (PyTorch). */
static tnn_status tnn__adaptive_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    tnn__pool_geometry *g = &op->pool;
    g->c = b->c; g->ih = b->h; g->iw = b->w;
    g->oh = tnn__either(o->size_h, o->size, 1);
    g->ow = tnn__either(o->size_w, o->size, 1);
    if (g->oh < 1 || g->ow < 1 || g->oh > 1 << 20 || g->ow > 1 << 20)
        return tnn__fail(TNN_ERROR_ARGUMENT, "adaptive pooling: .size = %dx%d must be 1 to 1048576",
                         g->oh, g->ow);
    g->adaptive = g->dh = g->dw = g->sh = g->sw = 1;
    g->kh = b->h/g->oh + 2;             /* at most so many */
    g->kw = b->w/g->ow + 2;
    b->h = g->oh;
    b->w = g->ow;
    return TNN_OK;
}
/* y = the largest of each window; `where` keeps its place in the window for backward. */
static void tnn__maxpool_forward(const tnn__sample_at *a)
{
    a->k->maxpool(&a->op->pool, a->x, a->in->row, a->y, a->out->row, a->where, 0, a->out->h);
}
/* dx: each dy goes to the place of the maximum. */
static void tnn__maxpool_backward(const tnn__sample_at *a)
{
    const tnn__len row = tnn__wide(a->in);
    memset(a->dx, 0, (size_t)(a->in->h*row)*sizeof *a->dx);
    a->k->maxpool_grad(&a->op->pool, a->dy, a->where, a->dx, row, 0, a->out->h);
}
/* y = the mean of each window */
static void tnn__avgpool_forward(const tnn__sample_at *a)
{
    a->k->avgpool(&a->op->pool, a->x, a->in->row, a->y, a->out->row);
}
/* dx: each dy is spread over its window. */
static void tnn__avgpool_backward(const tnn__sample_at *a)
{
    const tnn__len row = tnn__wide(a->in);
    memset(a->dx, 0, (size_t)(a->in->h*row)*sizeof *a->dx);
    a->k->avgpool_grad(&a->op->pool, a->dy, a->dx, row);
}

/* ---- 6g. Normalisation and scale --------------------------------------------------------------
   y = (x - mean)/sqrt(var + eps) w + b, mean and variance over
     batch norm       the batch and pixels of each channel; afterwards by the running ones
                      (Ioffe and Szegedy 2015)
     group norm       the pixels of a group of channels (Wu and He 2018); instance norm has as many
                      groups as channels (Ulyanov et al. 2016), layer norm one (Ba et al. 2016)
     RMS norm         layer norm with mean = 0 and the mean square for var (Zhang and Sennrich 2019)
     scale            nothing: mean = 0, var + eps = 1
   w and b are by channel; of layer and RMS norm and after a flatten by element. To see both alike,
   an image row is `pixels` rows of `cells` columns: (w, c), or (1, w*c) with w, b by row.

   Backward, N values to a mean, x^ = (x - mean) r, r = 1/sqrt(var + eps), sums over those values:
     db = sum dy,  dw = sum dy x^,
     dx = r (w dy - sum(w dy)/N - x^ sum(w dy x^)/N) = A dy + B x^ + C,
     A = r w,  B = -r sum(w dy x^)/N,  C = -r sum(w dy)/N  (C = 0 where mean is)
   and for scale B = C = 0; for the running statistics too. Of a single value, which always becomes
   b, A = B = C = 0. */
enum { TNN__NO_STATISTICS, TNN__GROUP, TNN__BATCH };
/* The kinds differ in what they take the mean over, and in defaults. */
static tnn_status tnn__norm_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    const int layer = o->type == TNN_LAYERNORM || o->type == TNN_RMSNORM;
    const char *name = o->type == TNN_BATCHNORM ? "batchnorm" : o->type == TNN_SCALE ? "scale"
                     : o->type == TNN_GROUPNORM ? "groupnorm" : "norm";
    const double momentum = tnn__default((double)o->momentum, 0.1);
    tnn__len cells;
    op->statistics = o->type == TNN_BATCHNORM ? TNN__BATCH
                   : o->type == TNN_SCALE ? TNN__NO_STATISTICS : TNN__GROUP;
    op->groups = layer ? 1 : o->type == TNN_INSTANCENORM ? b->c : o->groups;
    op->flat = b->flat;
    op->element = layer || (b->flat && b->h*b->w > 1);
    op->centred = o->type != TNN_RMSNORM && o->type != TNN_SCALE;
    op->affine = !o->no_affine;
    op->no_bias = o->no_bias || o->type == TNN_RMSNORM || o->type == TNN_SCALE;
    op->track = o->type == TNN_BATCHNORM ? !o->no_statistics
                                         : o->type == TNN_INSTANCENORM && o->statistics;
    op->cumulative = o->type == TNN_BATCHNORM && op->track && o->cumulative;
    op->biased = o->biased;
    op->eps = (float)tnn__default((double)o->eps, o->type == TNN_RMSNORM ? 1.1920929e-7 : 1e-5);
    op->momentum = (float)momentum;
    op->option[0] = (float)tnn__default((double)o->value, 1);
    if (o->type == TNN_GROUPNORM && (op->groups < 1 || b->c%op->groups))
        return tnn__fail(TNN_ERROR_SHAPE, "groupnorm: .groups = %d must divide the %d channels",
                         op->groups, b->c);
    if (!(op->eps >= 0) || op->eps > 1e30f || !(momentum >= 0 && momentum <= 1))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: .eps = %g must be in [0, 1e30], "
                         ".momentum = %g in [0, 1]", name, (double)op->eps, momentum);
    if (o->type == TNN_INSTANCENORM && b->h*b->w < 2)
        return tnn__fail(TNN_ERROR_SHAPE, "instancenorm: needs more than one pixel");
    if (o->type == TNN_INSTANCENORM) op->affine = o->affine;
    op->weight_dims = op->other_dims = op->element && b->h*b->w > 1 && !b->flat
        ? tnn__dims_of(3, b->c, b->h, b->w, 1)
        : tnn__dims_of(1, op->element ? tnn__values(b) : b->c, 1, 1, 1);
    cells = tnn__round_up(op->element ? tnn__values(b) : b->c, 16);
    if (op->affine) op->w_floats = cells;
    if (op->affine && !op->no_bias) op->b_floats = cells;
    if (op->track) op->s_floats = 2*cells + (op->cumulative ? 16 : 0);
    op->tmp_floats = 9*cells;
    return TNN_OK;
}
/* Keras has another .eps. */
static void tnn__norm_keras(tnn_layer *layer)
{
    layer->eps = (float)tnn__default((double)layer->eps, 1e-3);
}
/* Keras' momentum is the share that stays; its variance is the biased one. */
static void tnn__batchnorm_keras(tnn_layer *layer)
{
    const float share = (float)(1 - tnn__default((double)layer->momentum, 0.99));
    tnn__norm_keras(layer);
    layer->momentum = share > 0 || share < 0 ? share : (float)TNN_ZERO;
    layer->biased = 1;
}
/* The statistics of batch norm are one per slot: mean, r, A, b, B, C of the whole batch, then two
   sums of each span, each with its low. Of the others two per group and sample. */
static tnn__len tnn__norm_cells(const tnn__op *op, const tnn__blob *in)
{
    return tnn__round_up(op->element ? tnn__values(in) : in->c, 16);
}
/* Takes op->kept. */
static void tnn__norm_place(tnn_net *net, tnn__op *op, tnn__room *room)
{
    op->kept = tnn__take(&room->arena, op->statistics == TNN__BATCH
                         ? tnn__norm_cells(op, &net->blob[op->in])*(6 + 4*TNN__SPANS)
                         : tnn__mul(2*(tnn__len)op->groups, room->batch));
}
enum { TNN__SUM_X, TNN__SUM_SQUARES, TNN__SUM_DY };
/* The row `r` of an image seen as rows of cells. */
typedef struct { tnn__len pixels, cells, at; } tnn__norm_row;
static tnn__norm_row tnn__norm_row_of(int element, const tnn__blob *in, int r)
{
    tnn__norm_row v;
    v.pixels = element ? 1 : in->w;
    v.cells = element ? tnn__wide(in) : in->c;
    v.at = element ? r*tnn__wide(in) : 0;
    return v;
}
/* Mean and variance of count values x from the sums of e = x unit - centre and of e^2: exact to
   rounding if the centre is near the mean (Chan, Golub and LeVeque 1983). Returns 0 if a square was
   no longer finite; with unit = TNN__TINY none is. */
#define TNN__TINY (1/1208925819614629174706176.0f)         /* 2^-80 */
static int tnn__mean_and_variance(double sum, double squares, double count, double centre,
                                  double unit, double *mean, double *var)
{
    const double d = sum/count, v = squares/count - d*d;
    *mean = (centre + d)/unit;
    *var = (v < 0 ? 0 : v)/(unit*unit);
    return v - v >= 0;
}
/* x[0..n-1] = v */
static void tnn__fill_floats(float *x, tnn__len n, float v)
{
    tnn__len i;
    for (i = 0; i < n; i++) x[i] = v;
}

/* Mean and r of each group of one sample. Sums are by channel, then over channels; those of a
   single group are by the 16 columns that an image row is cut into, whatever its channels. */
static void tnn__group_statistics(const tnn__sample_at *a, float *kept)
{
    const tnn__op *op = a->op;
    const tnn__blob *in = a->in;
    const int cols = op->groups == 1 ? 16 : in->c, each = cols/op->groups;
    const tnn__len room = tnn__round_up(cols, 16), rows = tnn__wide(in)/cols;
    const tnn__len rest = tnn__wide(in)%cols;
    const double count = (double)in->c/op->groups*in->h*in->w;
    float *centre = a->tmp + 3*tnn__norm_cells(op, in), *sums = centre + room;
    tnn__len g;
    int r, pass, again, wild = 1;
    for (again = 0; again < 2 && wild; again++) {
        const float unit = again ? TNN__TINY : 1;
        tnn__fill_floats(centre, cols, 0);
        for (pass = op->centred ? 0 : 1, wild = 0; pass < 2; pass++) {
            memset(sums, 0, (size_t)(4*room)*sizeof *sums);
            for (r = 0; r < in->h; r++) {
                const float *x = a->x + r*in->row, *end = x + rows*cols;
                if (pass) {
                    a->k->moments(rows, cols, x, cols, unit, centre, sums, room);
                    a->k->moments(rest > 0, rest, end, cols, unit, centre, sums, room);
                } else {
                    a->k->colsum(rows, cols, x, cols, unit, sums, sums + room);
                    a->k->colsum(rest > 0, rest, end, cols, unit, sums, sums + room);
                }
            }
            for (g = 0; g < op->groups; g++) {
                const double sum = (double)a->k->sum(each, sums + g*each);
                const double squares = (double)a->k->sum(each, sums + 2*room + g*each);
                double mean, var;
                if (!pass) tnn__fill_floats(centre + g*each, each, (float)(sum/count));
                else if (!again || !(kept[2*g + 1] >= 0)) {     /* not those that were fine */
                    const int fine = tnn__mean_and_variance(op->centred ? sum : 0, squares, count,
                                                            (double)centre[g*each], (double)unit,
                                                            &mean, &var);
                    kept[2*g] = (float)mean;
                    kept[2*g + 1] = fine ? (float)(1/sqrt(var + (double)op->eps)) : (float)TNN__NAN;
                    wild |= !fine;
                }
            }
        }
    }
}
/* Spreads what was kept of the groups over the cells. */
static void tnn__group_spread(const tnn__sample_at *a, const float *kept, float *mean, float *rstd)
{
    const tnn__op *op = a->op;
    const int each = (op->element ? tnn__values(a->in) : a->in->c)/op->groups;
    tnn__len g;
    for (g = 0; g < op->groups; g++) {
        tnn__fill_floats(mean + g*each, each, op->centred ? kept[2*g] : 0);
        tnn__fill_floats(rstd + g*each, each, kept[2*g + 1]);
    }
}
/* y = (x - mean) scale + shift, each by cell. */
static void tnn__norm_apply(const tnn__sample_at *a, const float *mean, const float *scale,
                            const float *shift)
{
    int r;
    for (r = 0; r < a->in->h; r++) {
        const tnn__norm_row v = tnn__norm_row_of(a->op->element, a->in, r);
        a->k->affine(v.pixels, v.cells, a->x + r*a->in->row, v.cells, mean + v.at, scale + v.at,
                     shift + v.at, a->y + r*a->out->row, v.cells);
    }
}
/* Mean and r of the groups of this sample. */
static float *tnn__group_kept(const tnn__sample_at *a)
{
    return a->op->kept + (tnn__len)a->s*2*a->op->groups;
}
/* Of all kinds: mean and scale by cell from where the kind has them, then y. */
static void tnn__norm_forward(const tnn__sample_at *a)
{
    const tnn__op *op = a->op;
    const tnn__len cells = tnn__norm_cells(op, a->in);
    float *mean = a->tmp, *scale = mean + cells, *shift = scale + cells;
    tnn__len i;
    if (op->statistics == TNN__BATCH) {         /* prepared by tnn__batch_statistics */
        tnn__norm_apply(a, op->kept, op->kept + 2*cells, op->kept + 3*cells);
        return;
    }
    tnn__fill_floats(mean, cells, 0);
    tnn__fill_floats(scale, cells, op->affine ? 1 : op->option[0]);
    if (op->track && !a->training) {            /* of instance norm */
        const float *running = a->net->buffers + op->s;
        memcpy(mean, running, (size_t)cells*sizeof *mean);
        for (i = 0; i < cells; i++) scale[i] = 1.0f/sqrtf(running[cells + i] + op->eps);
    } else if (op->statistics == TNN__GROUP) {
        tnn__group_statistics(a, tnn__group_kept(a));
        tnn__group_spread(a, tnn__group_kept(a), mean, scale);
    }
    if (a->w) a->k->multiply(cells, scale, a->w, scale);
    if (a->b) memcpy(shift, a->b, (size_t)cells*sizeof *shift);
    else memset(shift, 0, (size_t)cells*sizeof *shift);
    tnn__norm_apply(a, mean, scale, shift);
}
/* Sums of one sample, by cell: of dy, and of products x^ dy. By element each has one term. */
static void tnn__norm_sums_of(const tnn__sample_at *a, const float *mean, const float *rstd,
                              const float *zero, float *sum, float *products)
{
    const tnn__op *op = a->op;
    const tnn__blob *in = a->in;
    const tnn__len cells = tnn__norm_cells(op, in), n = tnn__wide(in), values = tnn__values(in);
    int r;
    if (op->element) {                              /* what no row sets */
        tnn__fill_floats(sum + values, cells - values, 0);
        tnn__fill_floats(products + values, cells - values, 0);
    } else memset(sum, 0, (size_t)(4*cells)*sizeof *sum);
    for (r = 0; r < in->h; r++) {
        const tnn__norm_row v = tnn__norm_row_of(op->element, in, r);
        const float *x = a->x + r*in->row, *dy = a->dy + r*n;
        if (op->element) {
            a->k->affine(1, n, x, n, mean + v.at, rstd + v.at, zero, products + v.at, n);
            a->k->multiply(n, products + v.at, dy, products + v.at);
            memcpy(sum + v.at, dy, (size_t)n*sizeof *sum);
        } else
            a->k->norm_sums(v.pixels, v.cells, x, v.cells, mean + v.at, rstd + v.at, dy, v.cells,
                            sum + v.at, cells);
    }
}
/* B and C of each group from the sums of w dy and of w x^ dy. */
static void tnn__group_gradients(const tnn__sample_at *a, const float *sum, const float *products,
                                 float *by_x, float *plus)
{
    const tnn__op *op = a->op;
    const int each = (op->element ? tnn__values(a->in) : a->in->c)/op->groups;
    const double count = (double)a->in->c/op->groups*a->in->h*a->in->w;
    tnn__len g;
    for (g = 0; g < op->groups; g++) {
        const double q = (double)tnn__group_kept(a)[2*g + 1]/count;
        const double p = (double)a->k->sum(each, products + g*each);
        const double m = (double)a->k->sum(each, sum + g*each);
        tnn__fill_floats(by_x + g*each, each, (float)(-q*p));
        if (op->centred) tnn__fill_floats(plus + g*each, each, (float)(-q*m));
    }
}
/* Adds to dw and db, and makes dx = A dy + B x^ + C. The floats at a->tmp are, by cell: mean, r, A,
   B, C, sum of dy, its low, sum of products, its low. */
static void tnn__norm_backward(const tnn__sample_at *a)
{
    const tnn__op *op = a->op;
    const tnn__blob *in = a->in;
    const tnn__len cells = tnn__norm_cells(op, in), n = tnn__wide(in);
    float *mean = a->tmp, *rstd = mean + cells, *by_dy = rstd + cells, *by_x = by_dy + cells;
    float *plus = by_x + cells, *sum = plus + cells, *products = sum + 2*cells;
    int r;
    if (op->statistics == TNN__BATCH) {         /* prepared by tnn__batch_gradients */
        mean = op->kept; rstd = op->kept + cells;
        by_dy = op->kept + 2*cells; by_x = op->kept + 4*cells; plus = op->kept + 5*cells;
    } else {
        /* terms of dw and db in a span: a plain chain if they are few */
        const int few = op->element
                        && a->net->n <= 16*tnn__spans(a->net->partial_floats, a->net->n);
        tnn__fill_floats(mean, 5*cells, 0);
        tnn__fill_floats(rstd, cells, op->affine ? 1 : op->option[0]);
        if (op->statistics == TNN__GROUP) tnn__group_spread(a, tnn__group_kept(a), mean, rstd);
        memcpy(by_dy, rstd, (size_t)cells*sizeof *by_dy);
        tnn__norm_sums_of(a, mean, rstd, plus, sum, products);
        if (a->dw && few) a->k->add(cells, products, a->dw);
        else if (a->dw) a->k->add_to(cells, products, a->dw, a->low);
        if (a->db && few) a->k->add(cells, sum, a->db);
        else if (a->db) a->k->add_to(cells, sum, a->db, a->low + op->w_floats);
        if (a->w) {
            a->k->multiply(cells, products, a->w, products);
            a->k->multiply(cells, sum, a->w, sum);
        }
        if (op->statistics == TNN__GROUP) {
            tnn__group_gradients(a, sum, products, by_x, plus);
            if (op->centred && (double)in->c/op->groups*in->h*in->w < 2)
                tnn__fill_floats(by_dy, 3*cells, 0);
        }
        if (a->w) a->k->multiply(cells, by_dy, a->w, by_dy);
    }
    for (r = 0; a->dx && r < in->h; r++) {
        const tnn__norm_row v = tnn__norm_row_of(op->element, in, r);
        a->k->affine_grad(v.pixels, v.cells, a->x + r*in->row, v.cells, mean + v.at, rstd + v.at,
                          a->dy + r*n, v.cells, by_dy + v.at, by_x + v.at, plus + v.at,
                          a->dx + r*n, v.cells);
    }
}

/* ---- 6h. Convolution, transposed or not: the formulas are in 5b ------------------------------ */
static void tnn__frame_of(tnn__op *op, int above, int below, int left, int right)
{
    op->frame[0] = above;
    op->frame[1] = below;
    op->frame[2] = left;
    op->frame[3] = right;
}
/* What operations need whose weights are panels of op->q. */
static tnn_status tnn__product_needs(tnn__op *op, const tnn_layer *layer)
{
    op->no_bias = layer->no_bias;
    op->w_floats = tnn__weight_floats(&op->q);
    op->b_floats = op->no_bias ? 0 : tnn__bias_floats(&op->q);
    op->drop_connect = layer->drop_connect;
    op->weight_dims = tnn__dims_of(4, op->q.oc, op->q.cg, op->q.g.kh, op->q.g.kw);
    op->other_dims = tnn__dims_of(1, op->q.oc, 1, 1, 1);
    op->bias_each = op->q.po;
    op->bias_room = op->q.panels*16;
    if (tnn__mul(op->q.oc, op->q.inner) > INT_MAX)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: %dx%l weights, at most %d", op->kind->name,
                         op->q.oc, (long long)op->q.inner, INT_MAX);
    if (!(layer->drop_connect >= 0 && layer->drop_connect < 1))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: .drop_connect = %g must be in [0, 1)",
                         op->kind->name, (double)layer->drop_connect);
    if (layer->orthogonal > 0 && op->q.depthwise)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: .orthogonal is not for depthwise ones",
                         op->kind->name);
    return TNN_OK;
}
/* May the layer after record r, if it is of this type, be fused with what comes before it? */
static int tnn__follows(const tnn_net *net, const tnn__record *r, int type)
{
    return r + 1 < net->record + net->layers && !r->named && !r[1].o.from
        && (int)r[1].o.type == type;
}
/* Takes up the (leaky) ReLU after record r, if it is one; returns 1 if so. */
static int tnn__fuse_act(const tnn_net *net, const tnn__record *r, tnn__op *op)
{
    op->act = tnn__follows(net, r, TNN_RELU)
              || (tnn__follows(net, r, TNN_LEAKY_RELU) && r[1].o.slope >= 0);
    return op->act && !tnn__act_shape(op, &r[1].o, NULL);
}
/* Convolution, activation, max pooling without overlap: one pass over the output. */
static int tnn__conv2d_fuse(tnn_net *net, int layer, tnn__op *op, tnn__blob *b)
{
    const tnn__record *r = &net->record[layer];
    tnn__pool_geometry *g = &op->pool;
    const int act = tnn__fuse_act(net, r, op);
    tnn_window w;
    r += act;
    if (!tnn__follows(net, r, TNN_MAXPOOL2D) || r[1].o.ceil) return act;
    w = tnn__layer_window(&r[1].o);
    tnn__about(net, layer + act + 1);
    if (tnn__window("maxpool2d", &w, 1, b->c, b->h, b->w, g)) return -1;
    if (g->kh != g->sh || g->kw != g->sw || g->ph || g->pw || g->dh*g->dw != 1) {
        memset(g, 0, sizeof *g);
        return act;
    }
    b->h = g->oh;
    b->w = g->ow;
    return act + 1;
}
/* `floats` of each thread's scratch: where they begin. */
static tnn__len tnn__scratch(tnn_net *net, tnn__len floats)
{
    const tnn__len at = net->scratch_floats;
    net->scratch_floats += tnn__round_up(floats, 16);
    return at;
}
/* The framed dy of a convolution or, transposed, of the one that it is dx of: g is (h, w, c) with
   `frame` around it. */
static void tnn__place_dy(tnn_net *net, tnn__op *op, const tnn__room *room, int h, int w, int c,
                          const int frame[4])
{
    op->dy_row = tnn__mul(frame[2] + w + frame[3], c);
    op->dy_at = tnn__mul(frame[0], op->dy_row) + (tnn__len)frame[2]*c;
    op->dy_floats = tnn__mul(frame[0] + h + frame[1], op->dy_row);
    op->dy = tnn__scratch(net, room->training ? op->dy_floats + TNN__SLACK : 0);
}
/* Takes flipped weights, Winograd's weights and tiles, the framed dy, the rows that a pooled row
   needs. */
static void tnn__conv2d_place(tnn_net *net, tnn__op *op, tnn__room *room)
{
    const tnn__conv *q = &op->q;
    int frame[4] = {0, 0, 0, 0};
    if (op->needs_dx) {
        frame[0] = q->y_lo_h; frame[1] = q->y_hi_h; frame[2] = q->y_lo_w; frame[3] = q->y_hi_w;
        if (room->training) op->flipped = tnn__take(&room->arena, tnn__flipped_floats(q));
    }
    if (!net->options.exact && !net->record[op->layer].o.exact
        && tnn__tileable(q, &op->pool, room->training)) {
        const tnn__len floats = (tnn__len)16*q->g.c*q->oc;
        op->tiled = tnn__take(&room->arena, floats);
        op->together = tnn__tiled_images(q);
        op->tiles = tnn__scratch(net, tnn__tile_floats(q, TNN__MIN(room->batch, op->together))
                                      + TNN__SLACK);
        op->sums = tnn__scratch(net, room->training ? floats : 0);
    }
    tnn__place_dy(net, op, room, q->g.oh, q->g.ow, q->oc, frame);
    op->rows = tnn__scratch(net, op->pool.kh ? (tnn__len)op->pool.kh*q->g.ow*q->oc + TNN__SLACK
                                             : 0);
}
/* Winograd's weights, of this step. */
static void tnn__conv2d_prepare(const tnn__call *call)
{
    const tnn__op *op = call->op;
    if (op->tiled)
        tnn__tile_weights(call->k, call->net->threads, op->q.g.c, op->q.oc,
                          tnn__weights(call->net, op), op->tiled);
}
/* Winograd's dx is such a convolution, too, of the flipped weights. */
static void tnn__conv2d_prepare_backward(const tnn__call *call)
{
    const tnn__op *op = call->op;
    if (!op->flipped || !op->needs_dx) return;
    tnn__conv_flip(&op->q, tnn__weights(call->net, op), op->flipped);
    if (op->tiled)
        tnn__tile_weights(call->k, call->net->threads, op->q.oc, op->q.g.c, op->flipped, op->tiled);
}
/* Filters of (kh, kw, c/groups): the output is (filters, oh, ow), see 5a. */
static tnn_status tnn__conv_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    const tnn_window w = tnn__layer_window(o);
    const tnn_status e = tnn__conv_init("conv2d", &w, b->c, b->h, b->w, o->filters, &op->q);
    if (e) return e;
    b->c = o->filters; b->h = op->q.g.oh; b->w = op->q.g.ow;
    tnn__frame_of(op, op->q.g.ph, tnn__x_hi_h(&op->q.g), op->q.g.pw, tnn__x_hi_w(&op->q.g));
    return tnn__product_needs(op, o);
}
/* Winograd's way: of this sample and those after it, rows r0..r1-1 of tiles. */
static void tnn__conv2d_tiled(const tnn__sample_at *a, int samples, int r0, int r1)
{
    const tnn__op *op = a->op;
    const tnn__blob *in = a->in, *out = a->out;
    const int leaky = op->act && op->slope > 0, unit = op->pool.kh ? 1 : 2;
    int s, r;
    tnn__tile_forward(a->k, &op->q, in->c, op->q.oc, samples, a->x, in->sample, in->row,
                      op->tiled, a->w, a->b, a->y, out->sample, out->row, a->where, op->pool.kh,
                      a->scratch + op->rows, op->act && !leaky, a->scratch + op->tiles, r0, r1);
    for (s = 0; s < samples && leaky; s++)
        for (r = r0*unit; r < r1*unit; r++) {
            float *y = a->y + s*out->sample + r*out->row;
            a->k->act(tnn__wide(out), y, y, op->slope);
        }
}
/* y = pool(act(conv(x))), or less of it, in this task's rows of y. For a pooled row the rows of the
   convolution that it needs are made and pooled; leaky ReLU comes last, as it commutes with max. */
static void tnn__conv2d_forward(const tnn__sample_at *a)
{
    const tnn__op *op = a->op;
    const tnn__blob *in = a->in, *out = a->out;
    const tnn__len n = tnn__wide(out), wide = (tnn__len)op->q.g.ow*op->q.oc;
    const int relu = op->act && !(op->slope > 0), leaky = op->act && op->slope > 0;
    const int units = op->tiled && !op->pool.kh ? out->h/2 : out->h;
    const int r0 = units*a->part/a->parts, r1 = units*(a->part + 1)/a->parts;
    tnn__pool_geometry strip = op->pool;
    int r;
    if (op->tiled) {
        tnn__conv2d_tiled(a, 1, r0, r1);
        return;
    }
    if (!op->pool.kh)
        tnn__conv_forward(a->k, &op->q, a->x, in->row, a->w, a->b, a->y + r0*out->row, out->row,
                          relu, r0, r1);
    strip.ih = strip.kh;
    strip.oh = 1;
    for (r = r0; r < r1; r++) {
        float *y = a->y + r*out->row;
        if (op->pool.kh) {
            float *rows = a->scratch + op->rows;
            tnn__conv_forward(a->k, &op->q, a->x, in->row, a->w, a->b, rows, wide, relu,
                              r*strip.kh, (r + 1)*strip.kh);
            a->k->maxpool(&strip, rows, wide, y, out->row, a->where ? a->where + r*n : NULL, 0, 1);
        }
        if (leaky) a->k->act(n, y, y, op->slope);
    }
}
/* Back through pool and activation into a framed dy, where dx needs one; then dw, db and dx. */
static void tnn__conv2d_backward(const tnn__sample_at *a)
{
    const tnn__op *op = a->op;
    const tnn__len n = tnn__wide(a->out);
    float *g = a->dy, *dy = a->scratch + op->dy;
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
    if (a->dw) {
        if (!a->keep && a->db) memset(a->db, 0, (size_t)op->b_floats*sizeof *a->db);
        if (op->tiled) {
            tnn__tile_backward_weights(a->k, &op->q, a->x, a->in->row, dy, row,
                                       a->scratch + op->sums, a->keep, a->scratch + op->tiles);
            if (a->last) tnn__tile_dw(a->k, &op->q, a->scratch + op->sums, a->dw);
            if (a->db) tnn__conv_backward_bias(a->k, &op->q, dy, row, a->db, a->low);
        } else
            tnn__conv_backward_weights(a->k, &op->q, a->x, a->in->row, dy, row, a->dw, a->db,
                                       a->low, a->keep);
    }
    if (a->dx && op->tiled)
        tnn__tile_forward(a->k, &op->q, op->q.oc, a->in->c, 1, dy, 0, row, op->tiled, op->flipped,
                          NULL, a->dx, 0, tnn__wide(a->in), NULL, 0, NULL, 0,
                          a->scratch + op->tiles, 0, a->in->h/2);
    else if (a->dx)
        tnn__conv_backward_input(a->k, &op->q, dy, row, op->q.depthwise ? a->w : op->flipped, NULL,
                                 a->dx, tnn__wide(a->in));
}

/* The transposed convolution is the gradient of the input of a convolution q that leads from its
   output to its input; its own gradient of the input is q, and its weights' gradient q's with the
   two images changing places. h' = (h-1) stride - 2 pad + dilation (kernel-1) + output_pad + 1. */
static tnn_status tnn__transposed_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    tnn_window w = tnn__layer_window(o);
    const int kh = tnn__either(w.kernel_h, w.kernel, 0), kw = tnn__either(w.kernel_w, w.kernel, 0);
    const int sh = tnn__either(w.stride_h, w.stride, 1), sw = tnn__either(w.stride_w, w.stride, 1);
    const int ph = tnn__either(w.pad_h, w.pad, 0), pw = tnn__either(w.pad_w, w.pad, 0);
    const int dh = tnn__either(w.dilation_h, w.dilation, 1);
    const int dw = tnn__either(w.dilation_w, w.dilation, 1);
    const int more_h = tnn__either(o->output_pad_h, o->output_pad, 0);
    const int more_w = tnn__either(o->output_pad_w, o->output_pad, 0);
    const long long h = (b->h - 1)*(long long)sh - 2*(long long)ph + (kh - (long long)1)*dh
                        + more_h + 1;
    const long long wide = (b->w - 1)*(long long)sw - 2*(long long)pw + (kw - (long long)1)*dw
                           + more_w + 1;
    tnn_status e;
    if (o->filters < 1 || o->filters > 1 << 24)
        return tnn__fail(TNN_ERROR_ARGUMENT, "conv_transpose2d: %d filters, must be 1 to %d",
                         o->filters, 1 << 24);
    if (more_h < 0 || more_w < 0 || more_h >= TNN__MAX(sh, dh) || more_w >= TNN__MAX(sw, dw))
        return tnn__fail(TNN_ERROR_ARGUMENT, "conv_transpose2d: .output_pad = %dx%d must be less "
                         "than the stride %dx%d or the dilation %dx%d", more_h, more_w, sh, sw,
                         dh, dw);
    if (h < 1 || wide < 1 || h > 1 << 20 || wide > 1 << 20)
        return tnn__fail(TNN_ERROR_SHAPE, "conv_transpose2d: kernel %dx%d and pad %dx%d leave "
                         "nothing of its input %dx%dx%d", kh, kw, ph, pw, b->c, b->h, b->w);
    e = tnn__conv_init("conv_transpose2d", &w, o->filters, (int)h, (int)wide, b->c, &op->q);
    if (e) return e;
    op->q.g.oh = b->h;              /* with .output_pad of a stride or more q had more windows */
    op->q.g.ow = b->w;
    tnn__dx_frames(&op->q);
    b->c = o->filters; b->h = (int)h; b->w = (int)wide;
    tnn__frame_of(op, op->q.y_lo_h, op->q.y_hi_h, op->q.y_lo_w, op->q.y_hi_w);
    e = tnn__product_needs(op, o);
    op->other_dims.dims[0] = op->q.g.c;
    if (!op->q.depthwise) {
        op->bias_each = op->q.cg;
        op->bias_room = (op->q.cg + 15)/16*16;
        op->b_floats = o->no_bias ? 0 : (tnn__len)op->bias_room*op->q.groups;
    }
    return e;
}
/* Takes flipped weights and the framed dy. */
static void tnn__transposed_place(tnn_net *net, tnn__op *op, tnn__room *room)
{
    const tnn__pool_geometry *g = &op->q.g;
    const int frame[4] = {g->ph, tnn__x_hi_h(g), g->pw, tnn__x_hi_w(g)};
    op->flipped = tnn__take(&room->arena, tnn__flipped_floats(&op->q));
    tnn__place_dy(net, op, room, g->ih, g->iw, g->c, frame);
}
/* The weights as dx wants them, of this step. */
static void tnn__transposed_prepare(const tnn__call *call)
{
    const tnn__op *op = call->op;
    tnn__conv_flip(&op->q, call->net->flat[TNN__W] + op->w, op->flipped);
}
/* y = dx of q where its dy is x; b is added. */
static void tnn__transposed_forward(const tnn__sample_at *a)
{
    tnn__conv_backward_input(a->k, &a->op->q, a->x, a->in->row,
                             a->op->q.depthwise ? a->w : a->op->flipped, a->b, a->y, a->out->row);
}
/* dx = q of dy; dw is q's, its input dy and its gradient x; db = sums of dy. */
static void tnn__transposed_backward(const tnn__sample_at *a)
{
    const tnn__op *op = a->op;
    const tnn__conv *q = &op->q;
    const tnn__len n = tnn__wide(a->out);
    float *dy = a->scratch + op->dy + op->dy_at;
    tnn__len r, group;
    for (r = 0; r < a->out->h; r++)
        memcpy(dy + r*op->dy_row, a->dy + r*n, (size_t)n*sizeof *dy);
    if (a->dw)
        tnn__conv_backward_weights(a->k, q, dy, op->dy_row, a->x, a->in->row, a->dw, NULL, a->low,
                                   a->keep);
    if (a->db) {
        const int each = q->g.c/q->blocks, room = (int)(op->b_floats/q->blocks);
        float *low = a->low + (q->depthwise ? op->w_floats : 0);
        if (!a->keep) memset(a->db, 0, (size_t)op->b_floats*sizeof *a->db);
        for (r = 0; r < a->out->h; r++)
            for (group = 0; group < q->blocks; group++)
                a->k->colsum(a->out->w, each, a->dy + r*n + group*each, a->out->c, 1,
                             a->db + group*room, low + group*room);
    }
    if (a->dx)
        tnn__conv_forward(a->k, q, dy, op->dy_row, a->w, NULL, a->dx, tnn__wide(a->in), 0,
                          0, a->in->h);
}

/* ---- 6i. Custom layers: the user's functions, on images in PyTorch's order ------------------- */
/* The user's function says the shape and the number of parameters. */
static tnn_status tnn__custom_shape(tnn__op *op, const tnn_layer *o, tnn__blob *b)
{
    const tnn_custom_layer *f = o->custom;
    int in[3], out[3], params = 0;
    if (!f || !f->shape || !f->forward || !f->backward)
        return tnn__fail(TNN_ERROR_ARGUMENT, "custom layer: .custom needs its shape, forward and "
                         "backward functions");
    in[0] = b->flat ? tnn__values(b) : b->c;
    in[1] = b->flat ? 1 : b->h;
    in[2] = b->flat ? 1 : b->w;
    out[0] = in[0]; out[1] = in[1]; out[2] = in[2];
    if (f->shape(f->user, in, out, &params) || out[0] < 1 || out[1] < 1 || out[2] < 1
        || tnn__mul(tnn__mul(out[0], out[1]), out[2]) > TNN__MOST || params < 0 || params > 1 << 28)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: refuses its input %dx%dx%d",
                         f->name ? f->name : "custom layer", in[0], in[1], in[2]);
    op->custom = f;
    op->weight_dims = tnn__dims_of(1, params, 1, 1, 1);
    op->w_floats = tnn__round_up(params, 16);
    op->tmp_floats = 2*(tnn__round_up(tnn__values(b), 16)
                        + tnn__round_up((tnn__len)out[0]*out[1]*out[2], 16));
    b->flat = 0;
    b->c = out[0]; b->h = out[1]; b->w = out[2];
    return TNN_OK;
}
/* The user's forward, on copies in PyTorch's order. */
static void tnn__custom_forward(const tnn__sample_at *a)
{
    float *x = a->tmp, *y = x + tnn__round_up(tnn__values(a->in), 16);
    const tnn_custom_layer *f = a->op->custom;
    tnn__error_state was;
    tnn__channels_first(a->k, a->in->c, a->in->h, a->in->w, a->x, a->in->row, x);
    was = tnn__before_hook();
    f->forward(f->user, x, y, a->w, a->training);
    tnn__after_hook(a->net, ((tnn__len)a->s << 32) + (a->op - a->net->op), &was);
    tnn__channels_last(a->k, a->out->c, a->out->h, a->out->w, y, a->y, a->out->row);
}
/* The user's backward, likewise. It adds to dw. */
static void tnn__custom_backward(const tnn__sample_at *a)
{
    const tnn__len in = tnn__round_up(tnn__values(a->in), 16);
    const tnn__len out = tnn__round_up(tnn__values(a->out), 16);
    float *x = a->tmp, *y = x + in, *dy = y + out, *dx = dy + out;
    const tnn_custom_layer *f = a->op->custom;
    tnn__error_state was;
    tnn__channels_first(a->k, a->in->c, a->in->h, a->in->w, a->x, a->in->row, x);
    tnn__channels_first(a->k, a->out->c, a->out->h, a->out->w, a->y, a->out->row, y);
    tnn__channels_first(a->k, a->out->c, a->out->h, a->out->w, a->dy, tnn__wide(a->out), dy);
    was = tnn__before_hook();
    f->backward(f->user, x, y, dy, dx, a->w, a->dw);
    tnn__after_hook(a->net, ((tnn__len)a->s << 32) - (a->op - a->net->op), &was);
    if (a->dx)
        tnn__channels_last(a->k, a->in->c, a->in->h, a->in->w, dx, a->dx, tnn__wide(a->in));
}

/* ---- 6j. Dense --------------------------------------------------------------------------------
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
    if (b->h > 4096 || b->w > 4096)
        return tnn__fail(TNN_ERROR_SHAPE, "dense: input images of %dx%d, at most 4096x4096",
                         b->h, b->w);
    if (o->units < 1 || o->units > 1 << 24)
        return tnn__fail(TNN_ERROR_ARGUMENT, "dense: .units = %d, must be 1 to %d",
                         o->units, 1 << 24);
    e = tnn__conv_init("dense", &w, b->c, b->h, b->w, o->units, &op->q);
    if (e) return e;
    b->c = o->units; b->h = b->w = 1;
    b->flat = 1;
    e = tnn__product_needs(op, o);
    op->weight_dims = tnn__dims_of(2, op->q.oc, (int)op->q.inner, 1, 1);
    return e;
}
/* Dense, ReLU, dropout. The random numbers are those that the dropout would have drawn alone, but
   for a default .p, and not those that DropConnect draws. */
static int tnn__dense_fuse(tnn_net *net, int layer, tnn__op *op, tnn__blob *b)
{
    const int act = tnn__fuse_act(net, &net->record[layer], op);
    const tnn__record *r = &net->record[layer + act];
    (void)b;
    if (!op->act || op->slope > 0 || !tnn__follows(net, r, TNN_DROPOUT)
        || !(tnn__default((double)r[1].o.p, 0.5) > 0) || !(r[1].o.p < 1)) return act;
    op->p = (float)tnn__default((double)r[1].o.p, 0.5);
    if (op->drop_connect > 0 || !(r[1].o.p > 0)) op->drawn = layer + act + 1;
    return act + 1;
}
#define TNN__DX_BLOCK 112       /* at most so many inputs at a time in dx, */
#define TNN__DW_BLOCK 392       /* and in dW, of at most */
#define TNN__DW_SAMPLES 256     /* so many samples */
static int tnn__dw_block(int n)                 /* nearly equal blocks */
{
    return tnn__blocks(n, tnn__blocks(n, TNN__DW_SAMPLES));
}

static void tnn__dense_forward(void *context, int task, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__blob *in = &net->blob[op->in], *out = &net->blob[op - net->op + 1];
    const int i0 = task/call->col_blocks*call->row_block;
    const int j_0 = task%call->col_blocks*call->col_block;
    const int block = tnn__chain(op->q.inner, 1);       /* stays cached while rows pass by */
    tnn__mm t = tnn__product(TNN__MIN(call->row_block, net->n - i0),
                             TNN__MIN(call->col_block, op->q.oc - j_0), 0, in->sample, 1);
    int k0, r;
    (void)worker;
    t.bp = op->q.inner*16;
    t.c = out->data + i0*out->sample + j_0;
    t.ldc = out->sample;
    t.bias = net->flat[TNN__W] + op->b + j_0;
    for (k0 = 0; k0 < op->q.inner; k0 += block) {
        t.run = (int)TNN__MIN(block, op->q.inner - k0);
        t.a = in->data + i0*in->sample + k0;
        t.b = tnn__weights(net, op) + (j_0/16*op->q.inner + k0)*16;
        t.start = k0 ? TNN__KEEP : op->no_bias ? TNN__ZERO : TNN__BIAS;
        t.relu = op->act && !(op->slope > 0) && k0 + t.run == op->q.inner;
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
        tnn__dropout_rows(net, call->k, call->op, out, s, y, 0, y, 0, 1);
    }
}

/* There are two ways to dx = dy W, with the same chains: dx^T = W dy^T takes the weights as they
   are, each of them once however small the batch, but turns dy and dx; the other turns the weights,
   which is less with a large batch. */
static int tnn__dense_flips(const tnn__op *op, int n)
{
    return op->q.inner*op->q.oc <= n*(op->q.inner + op->q.oc);
}
/* dy back through dropout and activation (y is positive where both let it through), in panels over
   the units; for dx^T also 16 samples as one panel of dy^T. */
static void tnn__dense_turn(void *context, int task, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__blob *out = &net->blob[op - net->op + 1];
    const int s0 = task*16, rows = TNN__MIN(16, net->n - s0);
    const int units = op->q.oc, deep = (units + 15)/16*16;
    const int turns = op->needs_dx && !tnn__dense_flips(op, net->n);
    float *turned = net->turned + (tnn__len)task*deep*16;
    int i, j, s;
    (void)worker;
    if (turns && rows < 16) memset(turned, 0, (size_t)deep*16*sizeof *turned);
    for (j = 0; j < units; j += 16) {
        float *panel = net->panels + (tnn__len)j*net->n + (tnn__len)s0*16;
        call->k->act_panel(rows, op->act ? out->data + s0*out->sample + j : NULL, out->sample,
                           out->grad + s0*out->grad_sample + j, out->grad_sample, panel,
                           op->slope, 1.0f/(1.0f - op->p));
        for (s = 0; j + 16 > units && s < rows; s++)
            for (i = units - j; i < 16; i++) panel[s*16 + i] = 0;
        if (turns) call->k->transpose(rows, 16, panel, 16, turned + (tnn__len)j*16, 16);
    }
}
/* 16 inputs' weights as a panel over them. */
static void tnn__dense_flip(void *context, int task, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn__op *op = call->op;
    const int deep = (op->q.oc + 15)/16*16, i0 = task*16;
    const int rows = (int)TNN__MIN(16, op->q.inner - i0);
    float *to = call->net->turned + (tnn__len)task*deep*16;
    int j;
    (void)worker;
    if (rows < 16) memset(to, 0, (size_t)deep*16*sizeof *to);
    for (j = 0; j < deep; j += 16)
        call->k->transpose(rows, 16,
                           tnn__weights(call->net, op) + (j*op->q.inner + (tnn__len)i0*16),
                           16, to + (tnn__len)j*16, 16);
}

static void tnn__dense_place(tnn_net *net, tnn__op *op, tnn__room *room)
{
    const tnn__len batch = room->batch, inner = op->q.inner, units = tnn__round_up(op->q.oc, 16);
    (void)net;
    if (room->training && op->trained && inner >= 512)
        room->most = TNN__MAX(room->most, (TNN__DW_BLOCK + 16)*TNN__MIN(batch, TNN__DW_SAMPLES));
    room->panels = TNN__MAX(room->panels, tnn__mul(batch, units));
    if (!op->needs_dx) return;
    room->turned = TNN__MAX(room->turned, tnn__mul(units, 15
                            + TNN__MAX(batch, tnn__dense_flips(op, room->batch) ? inner : 0)));
}
static tnn_status tnn__dense_over(tnn__call *call)
{
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const int n = net->n, blocks = (n + TNN__DX_BLOCK - 1)/TNN__DX_BLOCK;
    call->row_block = tnn__blocks(n, blocks);
    call->col_block = 32;
    call->col_blocks = (op->q.oc + 31)/32;
    tnn__run(tnn__threads_for(net, n*op->q.inner*op->q.oc/8), blocks*call->col_blocks,
             tnn__dense_forward, call);
    if (op->p > 0 && net->mode == TNN_TRAIN)
        tnn__run(tnn__threads_for(net, (tnn__len)n*op->q.oc*4), (n + 15)/16, tnn__dense_dropout,
                 call);
    return TNN_OK;
}

/* dx = dy W, a block of samples: dy in net->panels, W turned in net->turned, panels over inputs of
   deep rows. A chain is of all columns at a time. */
static void tnn__dense_dx(const tnn__call *call, int block)
{
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__blob *in = &net->blob[op->in];
    const int deep = (op->q.oc + 15)/16*16, i0 = block*call->row_block;
    tnn__mm t = tnn__product(TNN__MIN(call->row_block, net->n - i0), (int)op->q.inner, 16, 16, 1);
    int k0;
    t.a2 = (tnn__len)net->n*16;
    t.b2 = 256; t.bp = (tnn__len)deep*16;
    t.c = in->grad + i0*in->grad_sample;
    t.ldc = in->grad_sample;
    for (k0 = 0; k0 < deep; k0 += 16*t.n2) {
        t.a = net->panels + (tnn__len)k0*net->n + (tnn__len)i0*16;
        t.b = net->turned + (tnn__len)k0*16;
        t.n2 = TNN__MIN(tnn__chain(deep/16, 16), (deep - k0)/16);
        t.start = k0 ? TNN__KEEP : TNN__ZERO;
        call->k->mm(&t);
    }
}
/* dx^T = W dy^T, a block of inputs: W as it is, dy^T in net->turned, a panel for 16 samples. The
   product, 32 samples at a time, goes to `scratch` and is turned from there. */
static void tnn__dense_dx_turned(const tnn__call *call, int block, float *scratch)
{
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__blob *in = &net->blob[op->in];
    const int deep = (op->q.oc + 15)/16*16, i0 = block*call->row_block;
    tnn__mm t = tnn__product((int)TNN__MIN(call->row_block, op->q.inner - i0), 0, 16, 16, 1);
    tnn__len s0;
    int s;
    t.a = tnn__weights(net, op) + (tnn__len)i0*16;
    t.n2 = deep/16; t.a2 = op->q.inner*16;
    t.b2 = 256; t.bp = (tnn__len)deep*16;
    t.c = scratch;
    t.ldc = 16; t.cp = (tnn__len)t.rows*16;
    for (s0 = 0; s0 < net->n; s0 += 32) {
        t.b = net->turned + s0/16*t.bp;
        t.cols = (int)TNN__MIN(32, net->n - s0);
        call->k->mm(&t);
        for (s = 0; s < t.cols; s += 16)
            call->k->transpose(t.rows, TNN__MIN(16, t.cols - s), scratch + s/16*t.cp, 16,
                               in->grad + (s0 + s)*in->grad_sample + i0, in->grad_sample);
    }
}
/* A block of dW = x^T dy, and of db with the first inputs. x comes from far away: rows of it are
   copied to `scratch` first where many columns of dy use them. */
static void tnn__dense_dw(const tnn__call *call, int task, float *scratch)
{
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__blob *in = &net->blob[op->in];
    const int i0 = task/call->col_blocks*call->dw_rows, block = tnn__dw_block(net->n);
    const int j_0 = task%call->col_blocks*call->col_block;
    tnn__mm t = tnn__product((int)TNN__MIN(call->dw_rows, op->q.inner - i0),
                             TNN__MIN(call->col_block, op->q.oc - j_0), 0, 1, 0);
    int k0, s;
    t.bp = (tnn__len)net->n*16;
    t.c = net->flat[TNN__G] + op->w + (j_0/16*op->q.inner + i0)*16;
    t.ldc = 16; t.cp = op->q.inner*16;
    for (k0 = 0; k0 < net->n; k0 += block) {
        t.run = TNN__MIN(block, net->n - k0);
        t.a = in->data + k0*in->sample + i0;
        t.ks = in->sample;
        if (op->q.inner >= 512 && t.cols >= 64) {
            const tnn__len row = call->dw_rows + 16;
            for (s = 0; s < t.run; s++)
                memcpy(scratch + s*row, t.a + s*t.ks, (size_t)t.rows*sizeof *scratch);
            t.a = scratch;
            t.ks = row;
        }
        t.b = net->panels + (tnn__len)j_0*net->n + (tnn__len)k0*16;
        t.start = k0 ? TNN__KEEP : TNN__ZERO;
        call->k->mm(&t);
    }
    if (i0 == 0 && !op->no_bias) {
        float *db = net->flat[TNN__G] + op->b + j_0;
        memset(db, 0, (size_t)t.cols*sizeof *db);
        for (s = 0; s < t.cols; s += 16) {
            float low[16] = {0};
            call->k->colsum(net->n, TNN__MIN(16, t.cols - s),
                            net->panels + (tnn__len)(j_0 + s)*net->n, 16, 1, db + s, low);
        }
    }
}
/* Tasks 0..dx_blocks-1 are blocks of dx, those behind them blocks of dW. */
static void tnn__dense_backward(void *context, int task, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    float *scratch = net->scratch + worker*net->scratch_floats + net->g[0];
    if (task >= call->dx_blocks) tnn__dense_dw(call, task - call->dx_blocks, scratch);
    else if (tnn__dense_flips(call->op, net->n)) tnn__dense_dx(call, task);
    else tnn__dense_dx_turned(call, task, scratch);
}

static void tnn__dense_over_backward(tnn__call *call)
{
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__len inner = op->q.inner, units = op->q.oc;
    const int flips = tnn__dense_flips(op, net->n);
    const tnn__len rows = flips ? net->n : inner;           /* of dx, or of dx^T */
    const tnn__len blocks = TNN__MAX((rows + TNN__DX_BLOCK - 1)/TNN__DX_BLOCK,
                                     TNN__MIN(8, (rows + 27)/28));
    const tnn__len dw_blocks = TNN__MAX((inner + TNN__DW_BLOCK - 1)/TNN__DW_BLOCK,
                                        TNN__MIN(net->threads > 1 ? 8 : 1, (inner + 27)/28));
    tnn__run(tnn__threads_for(net, net->n*units), (net->n + 15)/16, tnn__dense_turn, call);
    if (op->needs_dx && flips)
        tnn__run(tnn__threads_for(net, inner*units), (int)((inner + 15)/16), tnn__dense_flip,
                 call);
    call->row_block = (int)((rows + blocks - 1)/blocks);
    call->dx_blocks = op->needs_dx ? (int)((rows + call->row_block - 1)/call->row_block) : 0;
    call->col_block = units > 1024 ? 512 : 128;
    call->col_blocks = (op->q.oc + call->col_block - 1)/call->col_block;
    call->dw_rows = (int)((inner + dw_blocks - 1)/dw_blocks);
    tnn__run(tnn__threads_for(net, net->n*inner*units/8), call->dx_blocks + (op->trained
                 ? (int)((inner + call->dw_rows - 1)/call->dw_rows)*call->col_blocks : 0),
             tnn__dense_backward, call);
}

/* ---- 6k. Batch normalisation over the batch ---------------------------------------------------
   Sums by slot over spans of the batch, added up in their order; see 6g. */
static void tnn__batch_sums(void *context, int span, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__blob *in = &net->blob[op->in], *out = &net->blob[op - net->op + 1];
    const tnn__len cells = tnn__norm_cells(op, in);
    const float *mean = op->kept, *rstd = mean + cells, *centre = mean + 4*cells;
    float *sums = op->kept + (6 + 4*span)*cells;
    int s = (int)((tnn__len)net->n*span/call->spans), r;
    const int end = (int)((tnn__len)net->n*(span + 1)/call->spans);
    const int all = op->element || (in->h == 1 && in->w == 1);  /* a slot's rows are samples */
    (void)worker;
    memset(sums, 0, (size_t)(4*cells)*sizeof *sums);
    for (; s < end; s += all ? end - s : 1)
        for (r = 0; r < in->h; r++) {
            const tnn__norm_row v = tnn__norm_row_of(op->element, in, r);
            const float *x = in->data + s*in->sample + in->at + r*in->row;
            const tnn__len rows = all ? end - s : v.pixels, ldx = all ? in->sample : v.cells;
            if (call->pass == TNN__SUM_X)
                call->k->colsum(rows, v.cells, x, ldx, call->unit, sums + v.at,
                                sums + cells + v.at);
            else if (call->pass == TNN__SUM_SQUARES)
                call->k->moments(rows, v.cells, x, ldx, call->unit, centre + v.at, sums + v.at,
                                 cells);
            else
                call->k->norm_sums(rows, v.cells, x, ldx, mean + v.at, rstd + v.at,
                                   out->grad + s*out->grad_sample + r*tnn__wide(in),
                                   all ? out->grad_sample : v.cells, sums + v.at, cells);
        }
}
/* All sums of a pass, by span. */
static void tnn__batch_sum(tnn__call *call, int pass)
{
    call->pass = pass;
    call->spans = TNN__MIN(call->net->n, TNN__SPANS);
    tnn__run(call->net->threads, call->spans, tnn__batch_sums, call);
}
/* The first or second sum of slot i. */
static double tnn__batch_total(const tnn__call *call, tnn__len cells, int second, tnn__len i)
{
    const float *sums = call->op->kept + (6 + 2*second)*cells + i;
    double total = 0;
    int s;
    for (s = 0; s < call->spans; s++, sums += 4*cells) total += (double)*sums - (double)sums[cells];
    return total;
}
/* How many values a mean is over. */
static double tnn__batch_count(const tnn_net *net, const tnn__op *op)
{
    const tnn__blob *in = &net->blob[op->in];
    return (double)net->n*(op->element ? 1 : (double)in->h*in->w);
}
/* How far net->moved moves towards this batch's statistics; with .cumulative counts it. */
static double tnn__running_share(const tnn_net *net, const tnn__op *op, tnn__len cells)
{
    if (net->mode == TNN_TRAIN && op->cumulative) {
        float *batches = net->moved + op->s + 2*cells;
        *batches = net->cumulative > 0 ? (float)net->cumulative : TNN__MAX(*batches, 0) + 1;
        return 1/(double)*batches;
    }
    return net->cumulative > 0 ? 1/net->cumulative : (double)op->momentum;
}
/* Sets the mean, the variance (in r) and r (in A) of each slot. */
static void tnn__batch_moments(tnn__call *call, double count)
{
    const tnn__op *op = call->op;
    const tnn__len cells = tnn__norm_cells(op, &call->net->blob[op->in]);
    float *mean = op->kept, *var = mean + cells, *rstd = var + cells, *centre = mean + 4*cells;
    int again, wild = 1;
    tnn__len i;
    for (again = 0; again < 2 && wild; again++) {
        call->unit = again ? TNN__TINY : 1;
        tnn__batch_sum(call, TNN__SUM_X);
        for (i = 0; i < cells; i++)
            centre[i] = (float)(tnn__batch_total(call, cells, 0, i)/count);
        tnn__batch_sum(call, TNN__SUM_SQUARES);
        for (i = 0, wild = 0; i < cells; i++) {
            double m, v;
            int fine;
            if (again && rstd[i] >= 0) continue;                /* it was fine */
            fine = tnn__mean_and_variance(tnn__batch_total(call, cells, 0, i),
                                          tnn__batch_total(call, cells, 1, i), count,
                                          (double)centre[i], (double)call->unit, &m, &v);
            mean[i] = (float)m;
            var[i] = (float)v;
            rstd[i] = fine ? (float)(1/sqrt(v + (double)op->eps)) : (float)TNN__NAN;
            wild |= !fine;
        }
    }
}
/* Before forward: mean, r, A and b of each slot; net->moved moves towards the batch's. */
static tnn_status tnn__batch_statistics(tnn__call *call)
{
    tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__len cells = tnn__norm_cells(op, &net->blob[op->in]);
    const float *w = op->w_floats ? net->flat[TNN__W] + op->w : NULL;
    const float *b = op->b_floats ? net->flat[TNN__W] + op->b : NULL;
    float *mean = op->kept, *rstd = mean + cells, *scale = rstd + cells, *shift = scale + cells;
    float *running = op->track ? (net->mode == TNN_TRAIN ? net->moved : net->buffers) + op->s
                               : NULL;
    const double count = tnn__batch_count(net, op);
    const int training = net->mode == TNN_TRAIN, own = training || !running;
    const double m = tnn__running_share(net, op, cells);
    tnn__len i;
    if (training && count < 2)
        return tnn__fail(TNN_ERROR_SHAPE, "batchnorm: training needs more than one value per "
                         "channel, not a batch of %d of %dx%d pixels", net->n,
                         net->blob[op->in].h, net->blob[op->in].w);
    if (own) {
        tnn__batch_moments(call, count);
    } else {
        memcpy(mean, running, (size_t)cells*sizeof *mean);
        for (i = 0; i < cells; i++)
            scale[i] = (float)(1/sqrt((double)running[cells + i] + (double)op->eps));
    }
    for (i = 0; i < cells; i++) {
        if (training && running) {
            const double var = (double)rstd[i]*(op->biased ? 1 : count/(count - 1));
            running[i] = (float)((1 - m)*(double)running[i] + m*(double)mean[i]);
            running[cells + i] = (float)((1 - m)*(double)running[cells + i] + m*var);
        }
        rstd[i] = scale[i];
        scale[i] = w ? rstd[i]*w[i] : rstd[i];
        shift[i] = b ? b[i] : 0;
    }
    return TNN_OK;
}
/* After forward, of instance norm: net->moved moves towards the means over the samples of what was
   kept, mean and r. */
static void tnn__instance_statistics(const tnn__call *call)
{
    const tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__blob *in = &net->blob[op->in];
    const tnn__len cells = tnn__norm_cells(op, in);
    const double m = tnn__running_share(net, op, cells), pixels = (double)in->h*in->w;
    float *running = net->moved + op->s;
    int c, s;
    for (c = 0; op->track && c < in->c; c++) {
        double mean = 0, var = 0;
        for (s = 0; s < net->n; s++) {
            const float *kept = op->kept + 2*((tnn__len)s*in->c + c);
            const double r = (double)kept[1];
            mean += (double)kept[0];
            var += TNN__MAX(1/(r*r) - (double)op->eps, 0);
        }
        running[c] = (float)((1 - m)*(double)running[c] + m*mean/net->n);
        running[cells + c] = (float)((1 - m)*(double)running[cells + c]
                                     + m*var/net->n*pixels/(pixels - 1));
    }
}
/* Before backward: dw, db, B and C. */
static void tnn__batch_gradients(tnn__call *call)
{
    tnn_net *net = call->net;
    const tnn__op *op = call->op;
    const tnn__len cells = tnn__norm_cells(op, &net->blob[op->in]);
    const float *w = op->w_floats ? net->flat[TNN__W] + op->w : NULL, *rstd = op->kept + cells;
    float *by_x = op->kept + 4*cells, *plus = by_x + cells;
    const double count = tnn__batch_count(net, op);
    tnn__len i;
    tnn__batch_sum(call, TNN__SUM_DY);
    for (i = 0; i < cells; i++) {
        const double r = (double)rstd[i]*(w ? (double)w[i] : 1);
        const double sum = tnn__batch_total(call, cells, 0, i);
        const double products = tnn__batch_total(call, cells, 1, i);
        if (op->trained && op->w_floats) net->flat[TNN__G][op->w + i] = (float)products;
        if (op->trained && op->b_floats) net->flat[TNN__G][op->b + i] = (float)sum;
        by_x[i] = (float)(-r*products/count);
        plus[i] = (float)(-r*sum/count);
    }
}

/* ---- 6l. All of them ------------------------------------------------------------------------- */
/* keras, fuse, place, prepare, forward, after, prepare_backward, backward, map */
static const tnn__extras tnn__conv2d_extras = {
    NULL, tnn__conv2d_fuse, tnn__conv2d_place, tnn__conv2d_prepare, NULL, NULL,
    tnn__conv2d_prepare_backward, NULL, NULL
};
static const tnn__extras tnn__transposed_extras = {
    NULL, NULL, tnn__transposed_place, tnn__transposed_prepare, NULL, NULL, NULL, NULL, NULL
};
static const tnn__extras tnn__dense_extras = {
    NULL, tnn__dense_fuse, tnn__dense_place, NULL, tnn__dense_over, NULL, NULL,
    tnn__dense_over_backward, NULL
};
static const tnn__extras tnn__leaky_extras = {
    tnn__leaky_keras, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};
static const tnn__extras tnn__norm_extras = {
    tnn__norm_keras, NULL, tnn__norm_place, NULL, NULL, NULL, NULL, NULL, NULL
};
static const tnn__extras tnn__batchnorm_extras = {
    tnn__batchnorm_keras, NULL, tnn__norm_place, NULL, tnn__batch_statistics, NULL, NULL,
    tnn__batch_gradients, NULL
};
static const tnn__extras tnn__instancenorm_extras = {
    tnn__norm_keras, NULL, tnn__norm_place, NULL, NULL, tnn__instance_statistics, NULL, NULL, NULL
};
static const tnn__extras tnn__map_extras[3] = {
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, tnn__dropout_map},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, tnn__drop_whole_map},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, tnn__noise_map}
};
#define TNN__LAYER(name, flat, flags, shape, passes, extras, reads) \
    {name, reads, TNN__##flat, flags, tnn__##shape##_shape, tnn__##passes##_forward, \
     tnn__##passes##_backward, extras, 0, {0, 0, 0}}
#define TNN__SIMPLE(name, flat, shape, passes, reads) \
    {name, reads, TNN__##flat, 0, tnn__##shape##_shape, tnn__##passes##_forward, \
     tnn__##passes##_backward, NULL, 0, {0, 0, 0}}
#define TNN__FUNCTION(name, reads, f, p0, p1, p2) \
    {name, reads, TNN__VALUES, 0, tnn__function_shape, tnn__function_forward, \
     tnn__function_backward, NULL, TNN__ACT_##f, {p0, p1, p2}}
#define TNN__NORM(name, flat, flags, extras, reads) \
    {name, reads, TNN__##flat, flags, tnn__norm_shape, tnn__norm_forward, tnn__norm_backward, \
     extras, 0, {0, 0, 0}}
#define TNN__MAP(name, flat, extras, reads) \
    {name, reads, TNN__##flat, 0, tnn__dropout_shape, tnn__map_forward, tnn__map_backward, extras, \
     0, {0, 0, 0}}
#define TNN__WEIGHTED "no_bias init init_with bias_init:!no_bias bias_init_with:!no_bias "
#define TNN__PENALTIES "l1 l2 orthogonal constraint norm_min norm_max norm_rate drop_connect "
static const tnn__layer_kind tnn__layer_kinds[] = {         /* in the order of tnn_layer_type */
    {"input", "", TNN__VALUES, 0, NULL, tnn__input_forward, NULL, NULL, 0, {0, 0, 0}},
    TNN__LAYER("conv2d", IMAGES, TNN__PRODUCT | TNN__MAXIMA | TNN__ROWS, conv, conv2d,
               &tnn__conv2d_extras, "filters kernel stride pad dilation groups "
               "pad_mode:pad|pad_h|pad_w exact " TNN__WEIGHTED TNN__PENALTIES),
    {"dense", "units " TNN__WEIGHTED TNN__PENALTIES, TNN__VALUES, TNN__PRODUCT | TNN__ON_BATCH,
     tnn__dense_shape, NULL, NULL, &tnn__dense_extras, 0, {0, 0, 0}},
    TNN__LAYER("maxpool2d", IMAGES, TNN__MAXIMA, pool, maxpool, NULL,
               "kernel stride pad dilation ceil"),
    TNN__SIMPLE("avgpool2d", IMAGES, pool, avgpool, "kernel stride pad ceil exclude_pad"),
    {"flatten", "", TNN__VALUES, TNN__NOTHING_TO_DO, NULL, tnn__identity_forward,
     tnn__identity_backward, NULL, 0, {0, 0, 0}},
    TNN__SIMPLE("relu", VALUES, act, act, ""),
    TNN__LAYER("leaky_relu", VALUES, 0, act, act, &tnn__leaky_extras, "slope"),
    TNN__MAP("dropout", VALUES, &tnn__map_extras[0], "p"),
    TNN__LAYER("conv_transpose2d", IMAGES, TNN__PRODUCT, transposed, transposed,
               &tnn__transposed_extras, "filters kernel stride pad dilation groups output_pad "
               TNN__WEIGHTED),
    TNN__LAYER("adaptive_maxpool2d", IMAGES, TNN__MAXIMA, adaptive, maxpool, NULL, "size"),
    TNN__SIMPLE("adaptive_avgpool2d", IMAGES, adaptive, avgpool, "size"),
    TNN__SIMPLE("upsample", IMAGES, upsample, resample, "factor:!size mode size"),
    TNN__SIMPLE("pad", IMAGES, pad, resample, "pad mode value"),
    TNN__SIMPLE("reshape", VALUES, reshape, reshape, "shape"),
    {"identity", "", TNN__VALUES, TNN__NOTHING_TO_DO, NULL, tnn__identity_forward,
     tnn__identity_backward, NULL, 0, {0, 0, 0}},
    TNN__LAYER("add", VALUES, TNN__TWO, two, add, NULL, ""),
    TNN__LAYER("concat", CHANNELS, TNN__TWO, two, concat, NULL, ""),
    TNN__NORM("scale", VALUES, 0, NULL, "value no_affine"),
    TNN__NORM("batchnorm", VALUES, TNN__SUMS, &tnn__batchnorm_extras,
              "eps momentum:!cumulative:!no_statistics cumulative:!no_statistics "
              "biased:!no_statistics no_statistics no_affine no_bias:!no_affine"),
    TNN__NORM("layernorm", VALUES, 0, &tnn__norm_extras, "eps no_affine no_bias:!no_affine"),
    TNN__NORM("groupnorm", CHANNELS, 0, &tnn__norm_extras,
              "eps groups no_affine no_bias:!no_affine"),
    TNN__NORM("instancenorm", IMAGES, 0, &tnn__instancenorm_extras,
              "eps statistics momentum:statistics affine no_bias:affine"),
    TNN__NORM("rmsnorm", VALUES, 0, &tnn__norm_extras, "eps no_affine"),
    TNN__SIMPLE("prelu", CHANNELS, prelu, prelu, "slope per_channel"),
    TNN__FUNCTION("relu6", "", clamp, 0, 6, 0),
    TNN__FUNCTION("elu", "alpha", elu, 1, 1, 1),
    TNN__FUNCTION("selu", "", elu, 1.67326324f, 1, 1.05070099f),
    TNN__FUNCTION("celu", "alpha", elu, 1, 1, 1),
    TNN__FUNCTION("gelu", "approximate", gelu, 0, 0, 0),
    TNN__FUNCTION("silu", "", silu, 0, 0, 0),
    TNN__FUNCTION("mish", "", mish, 0, 0, 0),
    TNN__FUNCTION("softplus", "beta threshold", softplus, 1, 20, 0),
    TNN__FUNCTION("softsign", "", softsign, 0, 0, 0),
    TNN__FUNCTION("sigmoid", "", sigmoid, 0, 0, 0),
    TNN__FUNCTION("log_sigmoid", "", log_sigmoid, 0, 0, 0),
    TNN__FUNCTION("tanh", "", tanh, 0, 0, 0),
    TNN__FUNCTION("hardtanh", "min_value max_value", clamp, -1, 1, 0),
    TNN__FUNCTION("hardsigmoid", "", hardsigmoid, 0, 0, 0),
    TNN__FUNCTION("hardswish", "", hardswish, 0, 0, 0),
    TNN__SIMPLE("softmax", CHANNELS, softmax, softmax, ""),
    TNN__SIMPLE("log_softmax", CHANNELS, softmax, softmax, ""),
    TNN__SIMPLE("glu", CHANNELS, softmax, glu, ""),
    TNN__MAP("dropout2d", CHANNELS, &tnn__map_extras[1], "p"),
    TNN__MAP("alpha_dropout", VALUES, &tnn__map_extras[0], "p"),
    TNN__MAP("gaussian_dropout", VALUES, &tnn__map_extras[2], "p"),
    TNN__MAP("gaussian_noise", VALUES, &tnn__map_extras[2], "std"),
    TNN__MAP("stochastic_depth", VALUES, &tnn__map_extras[1], "p"),
    TNN__SIMPLE("custom layer", VALUES, custom, custom, "custom"),
};
static const tnn__option tnn__layer_options[] = {
#define TNN__X(member) TNN__OPTION(tnn_layer, member),
    TNN__X(filters) TNN__X(units) TNN__X(kernel) TNN__X(kernel_h) TNN__X(kernel_w) TNN__X(stride)
    TNN__X(stride_h) TNN__X(stride_w) TNN__X(pad) TNN__X(pad_h) TNN__X(pad_w) TNN__X(dilation)
    TNN__X(dilation_h) TNN__X(dilation_w) TNN__X(groups) TNN__X(ceil) TNN__X(exclude_pad)
    TNN__X(no_bias) TNN__X(slope) TNN__X(p) TNN__X(init) TNN__X(init_with) TNN__X(bias_init)
    TNN__X(bias_init_with) TNN__X(l1) TNN__X(l2) TNN__X(orthogonal) TNN__X(constraint)
    TNN__X(norm_min) TNN__X(norm_max) TNN__X(norm_rate) TNN__X(from) TNN__X(output_pad)
    TNN__X(output_pad_h) TNN__X(output_pad_w) TNN__X(pad_mode) TNN__X(exact) TNN__X(size)
    TNN__X(size_h) TNN__X(size_w) TNN__X(factor) TNN__X(mode) TNN__X(value) TNN__X(shape)
    TNN__X(eps) TNN__X(momentum) TNN__X(no_affine) TNN__X(affine) TNN__X(no_statistics)
    TNN__X(statistics) TNN__X(cumulative) TNN__X(biased) TNN__X(alpha) TNN__X(beta)
    TNN__X(threshold) TNN__X(min_value) TNN__X(max_value) TNN__X(approximate) TNN__X(per_channel)
    TNN__X(std) TNN__X(drop_connect) TNN__X(custom) TNN__X(lr_scale) TNN__X(decay_scale)
    TNN__X(frozen)
#undef TNN__X
};

/* What a flattened image is to this layer: where one weight or one group serves all channels, they
   are values. */
static int tnn__flat_input(const tnn_layer *o)
{
    if ((o->type == TNN_PRELU && !o->per_channel) || (o->type == TNN_GROUPNORM && o->groups == 1))
        return TNN__VALUES;
    return tnn__layer_kinds[TNN__NTH(o->type)].flat;
}
/* Whether a layer takes its inputs as channels of one pixel: also two that differ, one of which may
   be flattened. b: the shapes of its inputs. */
static int tnn__wants_channels(const tnn_layer *layer, const tnn__blob *b)
{
    return tnn__flat_input(layer) == TNN__CHANNELS
        || ((tnn__layer_kinds[TNN__NTH(layer->type)].flags & TNN__TWO)
            && (b[1].flat != b->flat || b[1].c != b->c || b[1].h != b->h || b[1].w != b->w));
}
/* A flattened image as the channels of one pixel; 0 where it is that already. */
static int tnn__as_channels(tnn__blob *b)
{
    const int turns = b->flat && b->h*b->w > 1;
    if (turns) {
        b->c = tnn__values(b);
        b->h = b->w = 1;
    }
    return turns;
}

TNN_API_GATED const float *tnn_output(tnn_net *net)
{
    const tnn__blob *b;
    int s;
    if (tnn_failed() || !net) return NULL;
    if (!net->n) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_output: no forward has been done; tnn_forward comes "
                  "first");
        return NULL;
    }
    b = &net->blob[net->ops];
    for (s = 0; s < net->n; s++)
        tnn__channels_first(tnn__kernels(), b->c, b->h, b->w, tnn__sample_data(b, s), b->row,
                            net->output + (tnn__len)s*b->c*b->h*b->w);
    return net->output;
}

/* ==== 7. PARAMETERS AND INITIAL WEIGHTS ======================================================= */
/* ---- 7a. Tensors with names ------------------------------------------------------------------ */
/* Numbers the tensors with names: weight and bias of each operation, then what is not trained, the
   running mean and variance, with .cumulative the number of batches. `which` is one of these. */
enum { TNN__WEIGHT, TNN__BIASES, TNN__MEAN, TNN__VARIANCE, TNN__BATCHES, TNN__TENSORS };
/* Tensor i, or NULL past the last. */
static const tnn__op *tnn__find_param(const tnn_net *net, int i, int *which)
{
    *which = 0;
    if (i < 0 || i >= net->tensors) return NULL;
    *which = net->tensor[i].which;
    return net->tensor[i].op;
}
/* The first tensor of a layer's, or of a later layer's, among those that are trained or not. */
static int tnn__first_param(const tnn_net *net, int layer, int trained)
{
    int from = trained ? 0 : net->trained_tensors;
    int to = trained ? net->trained_tensors : net->tensors;
    while (from < to) {
        const int i = from + (to - from)/2;
        if (net->tensor[i].op->layer < layer) from = i + 1; else to = i;
    }
    return from;
}
/* The tensor that is called so, or NULL. */
static const tnn__op *tnn__param_named(const tnn_net *net, const char *name, int *which)
{
    const tnn__op *op;
    int layer = 0, i, trained;
    const char *p;
    for (p = name; *p >= '0' && *p <= '9' && layer < net->layers; p++) layer = 10*layer + *p - '0';
    for (trained = 1; trained >= 0; trained--)
        for (i = tnn__first_param(net, layer, trained);
             (op = tnn__find_param(net, i, which)) != NULL && op->layer == layer; i++)
            if (!strcmp(op->name[*which], name)) return op;
    return NULL;
}
static int tnn__is_conv(const tnn__op *op)
{
    return (op->kind->flags & TNN__PRODUCT) != 0;
}
static tnn_param tnn__param_of(const tnn__op *op, int which)
{
    const tnn__dims *d = which == TNN__WEIGHT ? &op->weight_dims : &op->other_dims;
    tnn_param p;
    int i;
    memset(&p, 0, sizeof p);
    p.name = op->name[which];
    p.buffer = which >= TNN__MEAN;
    p.ndim = which == TNN__BATCHES ? 0 : d->ndim;
    for (p.count = 1, i = 0; i < 4; i++)
        p.count *= p.dims[i] = i < p.ndim ? d->dims[i] : 1;         /* fits: tnn__plan_layer */
    return p;
}
static long long tnn__count_params(tnn_net *net)
{
    const tnn__op *op;
    long long total = 0;
    int i, which;
    for (i = 0; i < net->trained_tensors; i++) {
        op = tnn__find_param(net, i, &which);
        total += tnn__param_of(op, which).count;
    }
    return total;
}
/* Element `at` of a tensor in PyTorch's order, in a flat vector or, what is not trained, in
   net->buffers. */
static float *tnn__param_at(const tnn_net *net, const tnn__op *op, int which, float *flat,
                            tnn__len at)
{
    const tnn__conv *q = &op->q;
    const tnn__blob *in = &net->blob[op->in];
    const int i = (int)at;
    if (tnn__is_conv(op) && which == TNN__WEIGHT) {
        const int window = q->g.kh*q->g.kw, r = (int)(at%q->inner);
        return flat + op->w + tnn__weight_at(q, (int)(at/q->inner), r/window, r%window);
    }
    if (tnn__is_conv(op))
        return flat + op->b + (tnn__len)(i/op->bias_each)*op->bias_room + i%op->bias_each;
    if (op->element) at = tnn__place_of(in, i);
    return which == TNN__WEIGHT ? flat + op->w + at : which == TNN__BIASES ? flat + op->b + at
         : flat + op->s + (which - TNN__MEAN)*tnn__norm_cells(op, in) + at;
}
/* Sets element `at` of a tensor's values. A running statistic goes on from there at once. */
static void tnn__param_set(const tnn_net *net, const tnn__op *op, int which, tnn__len at, float v)
{
    const int buffer = which >= TNN__MEAN;
    float *to = tnn__param_at(net, op, which, buffer ? net->buffers : net->flat[TNN__W], at);
    to[0] = v;
    if (buffer) to[net->buffer_floats] = to[2*net->buffer_floats] = v;
}

/* ---- 7b. Initial weights --------------------------------------------------------------------- */
/* The kinds of initial values, by tnn_init: what is drawn; `over` a fan, with variance over/fan;
   what stands for an option left out. */
enum { TNN__EQUAL, TNN__UNIFORM, TNN__NORMAL, TNN__CUT, TNN__EYE, TNN__ORTHOGONAL, TNN__SPARSE };
typedef struct {
    const char *reads;          /* of tnn_init_options */
    int     draw, for_bias;
    double  over;
    tnn_fan fan;
    double  std, min, max;      /* TNN__EQUAL: the value is min */
} tnn__init_kind;
static const tnn__init_kind tnn__init_kinds[] = {
    {"gain fan",           TNN__UNIFORM, 1, 1.0/3, TNN_FAN_IN, 0, 0, 0}, /* DEFAULT */
    {"gain fan",           TNN__UNIFORM, 0, 2, TNN_FAN_IN, 0, 0, 0}, /* HE_UNIFORM */
    {"gain fan truncated", TNN__NORMAL, 0, 2, TNN_FAN_IN, 0, 0, 0}, /* HE_NORMAL */
    {"gain fan",           TNN__UNIFORM, 0, 1, TNN_FAN_AVERAGE, 0, 0, 0}, /* XAVIER_UNIFORM */
    {"gain fan truncated", TNN__NORMAL, 0, 1, TNN_FAN_AVERAGE, 0, 0, 0}, /* XAVIER_NORMAL */
    {"",                   TNN__EQUAL, 1, 0, TNN_FAN_DEFAULT, 0, 0, 0}, /* ZERO */
    {"gain fan",           TNN__UNIFORM, 0, 1, TNN_FAN_IN, 0, 0, 0}, /* LECUN_UNIFORM */
    {"gain fan truncated", TNN__NORMAL, 0, 1, TNN_FAN_IN, 0, 0, 0}, /* LECUN_NORMAL */
    {"gain fan",           TNN__UNIFORM, 1, 1.0/3, TNN_FAN_IN, 0, 0, 0}, /* FAN_IN */
    {"min max",            TNN__UNIFORM, 1, 0, TNN_FAN_DEFAULT, 0, 0, 1}, /* UNIFORM */
    {"mean std",           TNN__NORMAL, 1, 0, TNN_FAN_DEFAULT, 1, 0, 0}, /* NORMAL */
    {"mean std min max",   TNN__CUT, 1, 0, TNN_FAN_DEFAULT, 1, -2, 2}, /* TRUNCATED */
    {"value",              TNN__EQUAL, 1, 0, TNN_FAN_DEFAULT, 0, 0, 0}, /* CONSTANT */
    {"",                   TNN__EQUAL, 1, 0, TNN_FAN_DEFAULT, 0, 1, 0}, /* ONE */
    {"gain",               TNN__EYE, 0, 0, TNN_FAN_DEFAULT, 0, 0, 0}, /* EYE */
    {"gain",               TNN__ORTHOGONAL, 0, 0, TNN_FAN_DEFAULT, 1, 0, 0}, /* ORTHOGONAL */
    {"std sparsity",       TNN__SPARSE, 0, 0, TNN_FAN_DEFAULT, 0.01, 0, 0}, /* SPARSE */
};
static const tnn__option tnn__init_options[] = {
#define TNN__X(member) TNN__OPTION(tnn_init_options, member),
    TNN__X(gain) TNN__X(fan) TNN__X(truncated) TNN__X(mean) TNN__X(std) TNN__X(min) TNN__X(max)
    TNN__X(value) TNN__X(sparsity)
#undef TNN__X
};
static tnn_status tnn__check_init(const char *what, tnn_init init, const tnn_init_options *o)
{
    return TNN__CHECK_OPTIONS(what, o, tnn__init_options, TNN_INIT_HE_UNIFORM, init,
                              tnn__init_kinds, NULL);
}
TNN_API_GATED double tnn_calculate_gain(const char *nonlinearity, double slope)
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
    return TNN__NAN;
}

/* How one tensor of `rows` outputs starts; each has `in` inputs under a window of kh x kw. */
typedef struct {
    int      draw, rows, in, kh, kw, groups;
    double   mean, std, min, max, gain;
    int      zeros;             /* of each column, TNN__SPARSE */
    uint64_t seed, stream;
} tnn__start_values;

/* Fills in draw, mean, std, min, max and zeros from a kind, its options and the tensor's fans (0
   where they are not yet known). `what` names the options in messages. */
static tnn_status tnn__start_of(const char *what, tnn_init init, const tnn_init_options *o,
                                int bias, double fan_in, double fan_out, tnn__start_values *s)
{
    const tnn__init_kind *kind = &tnn__init_kinds[TNN__NTH(init)];
    const tnn_fan mode = o->fan ? o->fan : kind->fan;
    const double fan = mode == TNN_FAN_IN ? fan_in : mode == TNN_FAN_OUT ? fan_out
                                                   : (fan_in + fan_out)/2;
    const double gain = tnn__default(o->gain, HUGE_VAL);
    const double over = gain < HUGE_VAL ? gain*gain : kind->over;
    if (bias && !kind->for_bias)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s = %d is no kind of initial bias",
                         what, (int)init);
    s->draw = kind->draw;
    s->gain = tnn__default(o->gain, 1);
    s->mean = tnn__default(o->mean, 0);
    s->std = tnn__default(o->std, kind->std);
    s->min = tnn__default(init == TNN_INIT_CONSTANT ? o->value : o->min, kind->min);
    s->max = tnn__default(o->max, kind->max);
    if (!(s->std >= 0) || !(fabs(s->gain) <= 1e15) || !(fabs(s->mean) + s->std <= 1e30)
        || !(fabs(s->min) + fabs(s->max) <= 1e30))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s_with: .gain = %g, .mean = %g, .std = %g, "
                         ".min = %g, .max = %g, .value = %g must be within "
                         "+-1e30, .std not negative",
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
    tnn__start_values s;
    tnn_status e;
    memset(&s, 0, sizeof s);
    if (tnn__choice("tnn_add: .init", (int)o->init, TNN_INIT_HE_UNIFORM)
        || tnn__choice("tnn_add: .bias_init", (int)o->bias_init, TNN_INIT_HE_UNIFORM)
        || tnn__choice("tnn_add: .init_with.fan", (int)o->init_with.fan, TNN_FAN_IN)
        || tnn__choice("tnn_add: .bias_init_with.fan", (int)o->bias_init_with.fan, TNN_FAN_IN)
        || tnn__check_init("tnn_add: .init_with", o->init, &o->init_with)
        || tnn__check_init("tnn_add: .bias_init_with", o->bias_init || !o->init ? o->bias_init
                           : TNN_INIT_ZERO, &o->bias_init_with))
        return TNN_ERROR_ARGUMENT;
    e = tnn__start_of("tnn_add: .init", o->init, &o->init_with, 0, 0, 0, &s);
    return e ? e : tnn__start_of("tnn_add: .bias_init", o->bias_init, &o->bias_init_with, 1,
                                 0, 0, &s);
}

/* N(mean, std^2) within [min, max] by rejection (Robert 1995, without his exponential proposals): z
   uniform in the interval, at most 6 from where the density is highest, z0, stands with probability
   exp((z0^2 - z^2)/2). Attempt t draws words 0 and 1 of block at + 2^40 t. */
static double tnn__truncated(const tnn__start_values *s, uint64_t at)
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
static double *tnn__orthonormal(tnn_net *net, const tnn__start_values *s)
{
    const tnn__len cols = (tnn__len)s->in*s->kh*s->kw;
    const tnn__len few = TNN__MIN(s->rows, cols), many = TNN__MAX(s->rows, cols);
    double *q = (double *)tnn__net_alloc(net, tnn__mul(tnn__mul(few, many), (tnn__len)sizeof *q),
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
static double tnn__initial(const tnn__start_values *s, int row, tnn__len col, const double *q,
                           int *left)
{
    const tnn__len cols = (tnn__len)s->in*s->kh*s->kw;
    const uint64_t at = (uint64_t)(row*cols + col);
    const int window = s->kh*s->kw, out = s->rows/s->groups;
    switch (s->draw) {
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

/* The most frequent ones, many at a time: so many columns of as many rows as a panel has, which are
   neighbours there. */
static void tnn__init_uniform(tnn_net *net, const tnn__op *op, int which,
                              const tnn__start_values *s, tnn__len cols)
{
    const tnn__isa_table *k = tnn__kernels();
    const double middle = (s->min + s->max)/2, half = (s->max - s->min)/2;
    float draw[16][64];
    tnn__len row, col, r, c;
    for (row = 0; row < s->rows; row += 16)
        for (col = 0; col < cols; col += 64) {
            const tnn__len rows = TNN__MIN(16, s->rows - row), n = TNN__MIN(64, cols - col);
            for (r = 0; r < rows; r++)
                k->uniform(n, draw[r], s->seed, s->stream, (uint64_t)((row + r)*cols + col));
            for (c = 0; c < n; c++) {
                float *to = NULL;
                for (r = 0; r < rows; r++, to++) {
                    if (r == 0 || op->q.blocks > 1)
                        to = tnn__param_at(net, op, which, net->flat[TNN__W],
                                           (row + r)*cols + col + c);
                    *to = (float)(middle + (2.0*(double)draw[r][c] - 1.0)*half);
                }
            }
        }
}

/* Value i of a parameter is drawn from element i of stream 2*layer (weights) or 2*layer + 1
   (biases): independent of how the network holds it. */
static tnn_status tnn__init_params(tnn_net *net)
{
    static const char *const names[] = {".weight", ".bias", ".running_mean", ".running_var",
                                        ".num_batches_tracked"};
    const tnn__op *op;
    int i, which;
    for (i = 0; i < net->ops; i++)
        for (which = 0; which < TNN__TENSORS; which++) {
            char *to = net->op[i].name[which], *end = to + sizeof net->op[i].name[which] - 1;
            *tnn__put(tnn__put_int(to, end, net->op[i].layer), end, names[which]) = 0;
        }
    for (i = 0; (op = tnn__find_param(net, i, &which)) != NULL; i++) {
        const tnn_layer *o = &net->record[op->layer].o;
        const tnn_param p = tnn__param_of(op, which);
        const int bias = which == TNN__BIASES;
        const double fan_in = (double)op->q.inner;
        const double fan_out = (double)op->q.oc
                               *(op->type == TNN_DENSE ? 1 : op->q.g.kh*op->q.g.kw);
        tnn_init init = bias ? o->bias_init : o->init;
        const size_t mark = net->used;
        double *q = NULL;
        tnn__start_values s;
        tnn__len col;
        int row, left = 0;
        if (!tnn__is_conv(op)) {
            float *flat = which >= TNN__MEAN ? net->buffers : net->flat[TNN__W];
            for (row = 0; row < p.count; row++)
                *tnn__param_at(net, op, which, flat, row) = which == TNN__WEIGHT ? op->option[0]
                                                          : which == TNN__VARIANCE ? 1.0f : 0.0f;
            if (op->custom && op->custom->init)
                op->custom->init(op->custom->user, net->flat[TNN__W] + op->w, net->options.seed);
            if (tnn_failed()) return (tnn_status)tnn_failed();
            continue;
        }
        if (bias && init == TNN_INIT_DEFAULT && o->init != TNN_INIT_DEFAULT) init = TNN_INIT_ZERO;
        memset(&s, 0, sizeof s);
        s.rows = p.dims[0]; s.in = p.dims[1]; s.kh = p.dims[2]; s.kw = p.dims[3];
        s.groups = op->q.groups;
        s.seed = net->options.seed;
        s.stream = (uint64_t)op->layer*2 + (uint64_t)bias;
        tnn__start_of("tnn_build: .init", init, bias ? &o->bias_init_with : &o->init_with, bias,
                      fan_in, fan_out, &s);
        if (s.draw == TNN__ORTHOGONAL && (q = tnn__orthonormal(net, &s)) == NULL)
            return TNN_ERROR_MEMORY;
        if (s.draw == TNN__UNIFORM) tnn__init_uniform(net, op, which, &s, p.count/p.dims[0]);
        else for (col = 0; col < p.count/p.dims[0]; col++)
            for (row = 0; row < s.rows; row++)
                *tnn__param_at(net, op, which, net->flat[TNN__W],
                               row*(tnn__len)(p.count/p.dims[0]) + col)
                    = (float)tnn__initial(&s, row, col, q, &left);
        tnn__net_release(net, q);
        net->used = mark;
    }
    return TNN_OK;
}

/* ==== 8. LOSSES ================================================================================
   A loss is a row of this table and a formula in 3h. The kernel is given ROWS of outputs: a whole
   sample, as it lies (channels last), or a pixel's channels. Labels become one-hot targets, which
   stand where the gradient will, as do targets that have to be turned channels last. The loss of
   each sample is kept in its place, and added up in double in the order of samples. */
enum { TNN__PER_VALUE, TNN__PER_ROW, TNN__PER_SAMPLE };             /* what the mean is over */
enum { TNN__LABELS = 1, TNN__TARGETS = 2, TNN__BOTH = 3,            /* what it takes */
       TNN__CLASSES = 4,        /* labels are of classes also where there is one output */
       TNN__PIXELS = 8,         /* with .per_pixel each pixel is a row */
       TNN__SIGNS = 16 };       /* targets -1, 0 or 1 */
typedef struct {
    const char *name, *reads;
    int   mean, traits;
    float edge;                 /* one output above it predicts 1 */
    float x_lo, x_hi, t_lo, t_hi;       /* allowed outputs and targets; lo > hi: any */
} tnn__loss_kind;
#define TNN__FINITE 3.4028235e38f
#define TNN__ALL    -TNN__FINITE, TNN__FINITE
static const tnn__loss_kind tnn__loss_kinds[TNN__NTH(TNN__LOSSES)] = {
    { NULL, "", 0, 0, 0, 0, 0, 0, 0 },
    { "cross-entropy", "label_smoothing gamma ignore_index class_weights",
      TNN__PER_ROW, TNN__BOTH | TNN__CLASSES | TNN__PIXELS,
      0, 1, 0, 0, 1 },
    { "nll", "ignore_index class_weights",
      TNN__PER_ROW, TNN__LABELS | TNN__CLASSES | TNN__PIXELS,
      0, -TNN__FINITE, 1e-3f, 0, 1 },           /* room for the rounding of a logarithm */
    { "multi-margin", "margin p class_weights",
      TNN__PER_ROW, TNN__LABELS | TNN__CLASSES | TNN__PIXELS,
      0, TNN__ALL, 0, 1 },
    { "mse", "class_weights",
      TNN__PER_VALUE, TNN__BOTH, 0.5f, TNN__ALL, TNN__ALL },
    { "l1", "class_weights",
      TNN__PER_VALUE, TNN__BOTH, 0.5f, TNN__ALL, TNN__ALL },
    { "huber", "delta class_weights",
      TNN__PER_VALUE, TNN__BOTH, 0.5f, TNN__ALL, TNN__ALL },
    { "smooth l1", "beta class_weights",
      TNN__PER_VALUE, TNN__BOTH, 0.5f, TNN__ALL, TNN__ALL },
    { "log-cosh", "class_weights",
      TNN__PER_VALUE, TNN__BOTH, 0.5f, TNN__ALL, TNN__ALL },
    { "bce", "class_weights",
      TNN__PER_VALUE, TNN__BOTH, 0.5f, 0, 1, 0, 1 },
    { "bce with logits", "pos_weights class_weights",
      TNN__PER_VALUE, TNN__BOTH, 0, TNN__ALL, 0, 1 },
    { "focal", "alpha gamma class_weights",
      TNN__PER_VALUE, TNN__BOTH, 0, TNN__ALL, 0, 1 },
    { "hinge", "class_weights",
      TNN__PER_VALUE, TNN__BOTH | TNN__SIGNS, 0, TNN__ALL, -1, 1 },
    { "squared hinge", "class_weights",
      TNN__PER_VALUE, TNN__BOTH | TNN__SIGNS, 0, TNN__ALL, -1, 1 },
    { "hinge embedding", "margin class_weights",
      TNN__PER_VALUE, TNN__BOTH | TNN__SIGNS,
      0, TNN__ALL, -1, 1 },
    { "kl divergence", "log_target class_weights",
      TNN__PER_VALUE, TNN__BOTH, 0.5f, TNN__ALL, 0, TNN__FINITE },
    /* exp of more is infinite */
    { "poisson nll", "no_log_input full eps:no_log_input class_weights",
      TNN__PER_VALUE, TNN__BOTH, 0.5f, -TNN__FINITE, 88,
      0, TNN__FINITE },
    { "gaussian nll", "eps full -per_pixel",
      TNN__PER_VALUE, TNN__TARGETS, 0.5f, TNN__ALL, TNN__ALL },
    { "cosine", "",
      TNN__PER_ROW, TNN__BOTH | TNN__PIXELS, 0.5f, TNN__ALL, TNN__ALL },
    { "dice", "smooth",
      TNN__PER_SAMPLE, TNN__BOTH, 0.5f, TNN__ALL, TNN__ALL },
    { "custom loss", "custom user -reduction -per_pixel",
      TNN__PER_SAMPLE, TNN__BOTH, 0.5f, 1, 0, 1, 0 },
    { "kl divergence", "",
      TNN__PER_VALUE, TNN__TARGETS, 0.5f, TNN__ALL,
      -TNN__FINITE, 88 },
    { "poisson nll", "",
      TNN__PER_VALUE, TNN__BOTH, 0.5f, 0, TNN__FINITE,
      0, TNN__FINITE }
};

/* The numbers of each loss: the first is the kernel's a, the second its b. */
#define TNN__X(type, member, otherwise, least, most) \
    {type, TNN__RANGE(tnn_loss_options, member, 'f', otherwise, least, most)},
static const struct { int type; tnn__option option; } tnn__loss_numbers[] = {
    TNN__X(TNN_CROSS_ENTROPY, label_smoothing, 0, 0, 1)
    TNN__X(TNN_CROSS_ENTROPY, gamma, 0, 0, 1000)
    TNN__X(TNN_CROSS_ENTROPY, ignore_index, -100, -1e6, 1e6)
    TNN__X(TNN_NLL, ignore_index, -100, -1e6, 1e6)
    TNN__X(TNN_MULTI_MARGIN, margin, 1, -1e30, 1e30)
    TNN__X(TNN_HUBER, delta, 1, 1e-30, 1e30)
    TNN__X(TNN_SMOOTH_L1, beta, 1, 0, 1e30)
    TNN__X(TNN_FOCAL, alpha, 0.25, -1, 1)
    TNN__X(TNN_FOCAL, gamma, 2, 0, 1000)
    TNN__X(TNN_HINGE_EMBEDDING, margin, 1, -1e30, 1e30)
    TNN__X(TNN_POISSON_NLL, eps, 1e-8, 0, 1e30)
    TNN__X(TNN_GAUSSIAN_NLL, eps, 1e-6, 1e-30, 1e30)
    TNN__X(TNN_DICE, smooth, 1, 0, 1e30)
};
#undef TNN__X
static const tnn__option tnn__loss_options[] = {
#define TNN__X(member) TNN__OPTION(tnn_loss_options, member),
    TNN__X(label_smoothing) TNN__X(class_weights) TNN__X(pos_weights) TNN__X(reduction)
    TNN__X(ignore_index) TNN__X(gamma) TNN__X(margin) TNN__X(delta) TNN__X(beta) TNN__X(alpha)
    TNN__X(eps) TNN__X(smooth) TNN__X(p) TNN__X(log_target) TNN__X(no_log_input) TNN__X(full)
    TNN__X(per_pixel) TNN__X(custom) TNN__X(user)
#undef TNN__X
};

/* Fills in the defaults of `o` and what the kernel wants. */
static tnn_status tnn__loss_defaults(tnn_loss_options *o, tnn__criterion *c)
{
    const tnn__loss_kind *kind;
    float number[3] = {0, 0, 0};
    int i, count = 0;
    for (i = 0; i < TNN__COUNT_OF(tnn__loss_numbers); i++) {
        const tnn__option *row = &tnn__loss_numbers[i].option;
        if (tnn__loss_numbers[i].type != (int)o->type) continue;
        if (tnn__check_range("tnn_set_loss: ", o, row)) return TNN_ERROR_ARGUMENT;
        memcpy(&number[count++], (const char *)o + row->at, sizeof *number);
    }
    if (o->ignore_index != (float)(int)o->ignore_index)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_loss: .ignore_index = %g must be a "
                         "label, a whole number", (double)o->ignore_index);
    memset(c, 0, sizeof *c);
    c->kind = (int)o->type;
    c->a = number[0];
    c->b = number[1];
    c->p = o->p;
    c->full = o->full;
    if (o->type == TNN_HUBER) c->b = 1;
    if (o->type == TNN_SMOOTH_L1) c->b = 1/TNN__MAX(c->a, 1e-30f);
    if (o->type == TNN_SMOOTH_L1 && !(c->a > 0)) c->kind = TNN_L1;
    if (o->type == TNN_KL_DIV && o->log_target) c->kind = TNN__KL_LOG;
    if (o->type == TNN_POISSON_NLL && o->no_log_input) c->kind = TNN__POISSON_RATE;
    kind = &tnn__loss_kinds[TNN__NTH(c->kind)];
    c->x_lo = kind->x_lo; c->x_hi = kind->x_hi;
    c->t_lo = kind->t_lo; c->t_hi = kind->t_hi;
    if (c->kind == TNN_NLL) c->x_lo = (float)-HUGE_VAL;     /* no constant to every compiler */
    return TNN_OK;
}

/* How a loss sees the output: as `pixels` times `classes` values, each of them a row if `rows`. */
typedef struct { int size, values, pixels, classes, rows; } tnn__view;
static tnn__view tnn__loss_view(const tnn_net *net, const tnn_loss_options *o)
{
    const tnn__blob *b = &net->blob[net->ops];
    const int halves = o->type == TNN_GAUSSIAN_NLL ? 2 : 1;
    tnn__view v;
    v.size = b->c*b->h*b->w;
    v.values = v.size/halves;
    v.pixels = b->flat ? 1 : b->h*b->w;
    v.classes = v.values/v.pixels;
    v.rows = halves == 2 ? b->h*b->w
           : o->per_pixel && tnn__loss_kinds[TNN__NTH(o->type)].traits & TNN__PIXELS ? v.pixels
                                                                                    : 1;
    return v;
}
static tnn_status tnn__check_loss(const tnn_net *net, const tnn_loss_options *o)
{
    const tnn__blob *b = &net->blob[net->ops];
    const tnn__loss_kind *kind = &tnn__loss_kinds[TNN__NTH(o->type)];
    const tnn__view v = tnn__loss_view(net, o);
    if (!o->type) return TNN_OK;
    if (kind->traits & TNN__CLASSES && v.pixels > 1 && !o->per_pixel)
        return tnn__fail(TNN_ERROR_SHAPE, "tnn_set_loss: %s needs one value per class, "
                         "the last layer gives %dx%dx%d: .per_pixel = 1 if each pixel has a label, "
                         "else TNN_FLATTEN", kind->name, b->c, b->h, b->w);
    if (o->type == TNN_GAUSSIAN_NLL && b->c%2)
        return tnn__fail(TNN_ERROR_SHAPE, "tnn_set_loss: gaussian nll needs channels of means and "
                         "as many of variances, the last layer gives %d", b->c);
    if ((o->class_weights || o->pos_weights) && net->weight_count != v.classes)
        return tnn__fail(TNN_ERROR_SHAPE, "tnn_set_loss: %d class weights for %d classes; "
                         "the loss comes after the last layer", net->weight_count, v.classes);
    return TNN_OK;
}
/* Refuses a last layer after which the loss can only be a mistake: probabilities where it takes
   logits or logarithms, logarithms of them where the sigmoid of a logit is all it looks at. */
static tnn_status tnn__check_last(tnn_net *net)
{
    const tnn_loss_type loss = net->loss.type;
    const int sigmoid = loss == TNN_BCE_LOGITS || loss == TNN_FOCAL;
    const int logs = loss == TNN_NLL || loss == TNN_KL_DIV;
    int i = net->layers - 1, type;
    while (i > 0 && !net->record[i].o.from && (net->record[i].o.type == TNN_FLATTEN
                                               || net->record[i].o.type == TNN_RESHAPE)) i--;
    type = (int)net->record[i].o.type;
    if (loss == TNN_NLL && type == TNN_IDENTITY) net->criterion.x_hi = (float)HUGE_VAL;
    if (!((type == TNN_SOFTMAX || type == TNN_SIGMOID || type == TNN_HARDSIGMOID)
          && (loss == TNN_CROSS_ENTROPY || sigmoid || logs))
        && !((type == TNN_LOG_SOFTMAX || type == TNN_LOG_SIGMOID) && sigmoid)) return TNN_OK;
    return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_build: %s takes %s: %s layer %d (%s) before it (a "
                     "TNN_IDENTITY behind it says that it is meant)",
                     tnn__loss_kinds[TNN__NTH(loss)].name, logs ? "log-probabilities"
                     : sigmoid ? "logits and has a sigmoid of its own"
                     : "logits and has a softmax of its own", logs ? "TNN_LOG_SOFTMAX instead of"
                     : "leave out", i + 1, tnn__layer_kinds[TNN__NTH(type)].name);
}

/* Where value i of (classes, ...) stands in an image or pixel of c channels, n values in all. */
static tnn__len tnn__class_at(int i, int n, int c) { return (tnn__len)(i%(n/c))*c + i/(n/c); }

static void tnn__place_loss(tnn_net *net, tnn__arena *a)
{
    const tnn_loss_options *o = &net->loss;
    const tnn__view v = tnn__loss_view(net, o);
    const tnn__len batch = o->type ? net->options.batch : 0;
    net->loss_weights[0] = o->class_weights ? tnn__take(a, v.values) : NULL;
    net->loss_weights[1] = o->pos_weights ? tnn__take(a, v.values) : NULL;
    net->losses = (double *)(void *)tnn__take(a, 2*batch);
    net->hits = (int *)(void *)tnn__take(a, batch);
    net->custom_grad = o->custom ? tnn__take(a, tnn__mul(batch, v.size)) : NULL;
}
static void tnn__place_weights(tnn_net *net)        /* as the output lies */
{
    const tnn__view v = tnn__loss_view(net, &net->loss);
    const int c = net->blob[net->ops].c;
    int k, i, p;
    for (k = 0; k < 2; k++) {
        const float *from = k ? net->loss.pos_weights : net->loss.class_weights;
        for (p = 0; from && p < v.pixels; p++)
            for (i = 0; i < v.classes; i++)
                net->loss_weights[k][(tnn__len)p*v.classes + tnn__class_at(i, v.classes, c)]
                    = from[i];
    }
    net->criterion.weights = net->loss_weights[0];
    net->criterion.pos_weights = net->loss_weights[1];
}

/* The class that n outputs of c channels predict. */
static int tnn__predict(const tnn__isa_table *k, const float *x, int n, int c, int one, float edge)
{
    const float most = k->largest(n, x);
    int i, p;
    if (one) return x[0] > edge;
    for (i = 0; i < c; i++)
        for (p = 0; p < n/c; p++) if (x[p*c + i] >= most) return i*(n/c) + p;
    return 0;
}
static int tnn__outcomes(const tnn_net *net)        /* how many different ones there are */
{
    const int n = tnn__loss_view(net, &net->loss).classes;
    return n == 1 && !(tnn__loss_kinds[TNN__NTH(net->loss.type)].traits & TNN__CLASSES) ? 2 : n;
}
static int tnn__predicted(const tnn_net *net, int s)        /* for a sample of one row */
{
    const tnn__blob *b = &net->blob[net->ops];
    const tnn__view v = tnn__loss_view(net, &net->loss);
    return tnn__predict(tnn__kernels(), tnn__sample_data(b, s), v.classes, b->c,
                        tnn__outcomes(net) != v.classes,
                        tnn__loss_kinds[TNN__NTH(net->loss.type)].edge);
}

typedef struct {
    tnn_net      *net;
    const tnn__isa_table *k;
    const int    *labels;           /* one of the two */
    const float  *targets;
    tnn__view     v;
    tnn__criterion o;
    int           spans, one;               /* one: the label is itself the target */
} tnn__loss_call;

static int tnn__ignores(const tnn_net *net)
{
    return net->loss.type == TNN_CROSS_ENTROPY || net->loss.type == TNN_NLL;
}
static int tnn__ignored(const tnn_net *net, int label)
{
    return tnn__ignores(net) && (double)label == (double)net->loss.ignore_index;
}
static void tnn__loss_task(void *context, int span, int worker)
{
    const tnn__loss_call *call = (const tnn__loss_call *)context;
    const tnn_net *net = call->net;
    const tnn__blob *b = &net->blob[net->ops];
    const tnn__view v = call->v;
    const int first = (int)((tnn__len)net->n*span/call->spans);
    const int end = (int)((tnn__len)net->n*(span + 1)/call->spans);
    const float edge = tnn__loss_kinds[TNN__NTH(net->loss.type)].edge;
    int s, p;
    (void)worker;
    for (s = first; s < end; s++) {
        const int *label = call->labels ? call->labels + (tnn__len)s*v.pixels : NULL;
        const float *x = tnn__sample_data(b, s), *t;
        float *g = b->grad + s*b->grad_sample;
        const int deep = v.values/(b->h*b->w);          /* channels of the targets */
        net->losses[s] = 0;
        net->hits[s] = 0;
        if (label) {
            t = g;
            memset(g, 0, (size_t)v.values*sizeof *g);
            for (p = 0; p < v.pixels; p++) {
                if (tnn__ignored(net, label[p])) continue;
                if (call->one) g[p] = (float)label[p];
                else g[(tnn__len)p*v.classes + tnn__class_at(label[p], v.classes, b->c)] = 1;
                net->hits[s] += label[p] == tnn__predict(call->k, x + (tnn__len)p*v.classes,
                                                         v.classes, b->c, call->one, edge);
            }
        } else {
            t = call->targets + (tnn__len)s*v.values;
            if (deep > 1 && b->h*b->w > 1) {
                tnn__channels_last(call->k, deep, b->h, b->w, t, g, (tnn__len)b->w*deep);
                t = g;
            }
        }
        /* the last row first: rows of the gradient may be longer than those of the targets */
        for (p = v.rows - 1; p >= 0; p--) {
            const int n = v.size/v.rows, each = v.values/v.rows;
            if (label && tnn__ignored(net, label[p])) {
                memset(g + (tnn__len)p*n, 0, (size_t)n*sizeof *g);
                continue;
            }
            net->losses[s] += call->k->loss(&call->o, n, x + (tnn__len)p*n, t + (tnn__len)p*each,
                                            g + (tnn__len)p*n,
                                            label && !call->one
                                            ? tnn__class_at(label[p], v.classes, b->c) : 0);
        }
    }
}

static int tnn__runs_away(const tnn__blob *b, int s)    /* a value that is not finite */
{
    const float *x = tnn__sample_data(b, s);
    tnn__len i, j, n = tnn__wide(b);
    for (i = 0; i < b->h; i++)
        for (j = 0; j < n; j++)
            if (!(x[i*b->row + j] - x[i*b->row + j] >= 0)) return 1;
    return 0;
}
/* Why the loss of sample s is not finite: its data, its targets, its outputs, what came before. */
static tnn_status tnn__blame(const tnn__loss_call *call, int s)
{
    const tnn_net *net = call->net;
    const tnn__blob *b = &net->blob[net->ops];
    const tnn__view v = call->v;
    const tnn__loss_kind *kind = &tnn__loss_kinds[TNN__NTH(call->o.kind)];
    const char *what = call->targets ? "tnn_loss_targets" : "tnn_loss";
    const float *x = tnn__sample_data(b, s);
    const tnn__len size = (tnn__len)net->blob[0].c*net->blob[0].h*net->blob[0].w;
    const double t_hi = kind->t_hi < TNN__FINITE ? (double)kind->t_hi : HUGE_VAL;   /* to print */
    const double t_lo = kind->t_lo > -TNN__FINITE ? (double)kind->t_lo : -HUGE_VAL;
    tnn__len i;
    int k;
    for (i = 0; i < size; i++)
        if (!(net->x[s*size + i] - net->x[s*size + i] >= 0))
            return tnn__fail(TNN_ERROR_NUMBER, "%s: value %l of sample %d of the batch "
                             "is %s; the data must be finite", what, (long long)i, s,
                             net->x[s*size + i] > 0 ? "inf"
                             : net->x[s*size + i] < 0 ? "-inf" : "nan");
    for (i = 0; i < (call->targets ? v.values : call->one ? v.pixels : 0); i++) {
        const float t = call->targets ? call->targets[(tnn__len)s*v.values + i]
                                      : (float)call->labels[(tnn__len)s*v.pixels + i];
        const int sign = (t <= 0 && t >= 0) || (t <= 1 && t >= 1) || (t <= -1 && t >= -1);
        if (kind->t_lo > kind->t_hi
            || (t >= kind->t_lo && t <= kind->t_hi && (sign || !(kind->traits & TNN__SIGNS))))
            continue;
        return tnn__fail(TNN_ERROR_NUMBER, kind->traits & TNN__SIGNS
                         ? "%s: target %l of sample %d is %g; those of %s are -1 or 1"
                         : "%s: target %l of sample %d is %g; those of %s must be finite "
                         "and in [%g, %g]",
                         what, (long long)i, s, (double)t, kind->name, t_lo, t_hi);
    }
    for (i = 0; i < v.size && call->o.x_lo <= call->o.x_hi; i++) {
        const float y = x[tnn__place_of(b, (int)i)], lo = i < v.values ? call->o.x_lo : 0;
        if (y - y >= 0 && !(y >= lo && y <= call->o.x_hi))
            return tnn__fail(TNN_ERROR_NUMBER, y < lo
                             ? "%s: output %l of sample %d is %g; for %s it must be at least %g"
                             : call->o.kind == TNN_NLL
                             ? "%s: output %l of sample %d is %g; %s takes log-probabilities, as "
                               "of TNN_LOG_SOFTMAX, at most %g"
                             : "%s: output %l of sample %d is %g; for %s it must be at most %g",
                             what, (long long)i, s, (double)y, kind->name,
                             (double)(y < lo ? lo : call->o.x_hi));
    }
    for (k = 0; k < net->ops && !tnn__runs_away(&net->blob[k + 1], s); k++) {}
    if (k < net->ops)
        return tnn__fail(TNN_ERROR_NUMBER, "%s: the loss of sample %d is not finite after %l "
                         "steps, and so is first an output of layer %d (%s, or what follows it); "
                         "the parameters are those of the last step; a smaller lr may help",
                         what, s, net->steps, net->op[k].layer + 1,
                         tnn__layer_kinds[TNN__NTH(net->op[k].type)].name);
    return tnn__fail(TNN_ERROR_NUMBER, "%s: the loss of sample %d is not finite "
                     "after %l steps (its largest output is %g); "
                     "the parameters are those of the last step; a smaller lr may help",
                     what, s, net->steps, (double)call->k->largest(v.size, x));
}

/* The user's own loss: as if each sample had its share. */
static void tnn__custom_loss(const tnn__loss_call *call)
{
    tnn_net *net = call->net;
    const tnn__blob *b = &net->blob[net->ops];
    const tnn__view v = call->v;
    const float *output = tnn_output(net);
    const tnn__error_state was = tnn__before_hook();
    const double loss = net->loss.custom(net->loss.user, output, call->targets, call->labels,
                                         net->n, v.size, net->custom_grad);
    int s;
    tnn__after_hook(net, 0, &was);
    for (s = 0; s < net->n; s++)
        tnn__channels_last(call->k, b->c, b->h, b->w, net->custom_grad + (tnn__len)s*v.size,
                           b->grad + s*b->grad_sample, (tnn__len)b->w*b->c);
    for (s = 0; s < net->n; s++) {
        net->losses[s] = loss + 0*(double)call->k->sum(v.size, b->grad + s*b->grad_sample);
        net->hits[s] = call->labels && v.pixels == 1 && tnn__predicted(net, s) == call->labels[s];
    }
}

/* The labels of the batch: whether they are in their range, how many count, and their weight. */
static tnn_status tnn__check_labels(const tnn__loss_call *call, double *weight)
{
    tnn_net *net = call->net;
    const tnn__blob *b = &net->blob[net->ops];
    const tnn__view v = call->v;
    tnn__len i, n = (tnn__len)net->n*v.pixels, ignored = 0;
    *weight = 0;
    for (i = 0; i < n && !call->one; i++) {
        const int label = call->labels[i];
        if (tnn__ignored(net, label)) {
            ignored++;
            continue;
        }
        if (label < 0 || label >= v.classes)
            return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_loss: label %d of sample %d is out of range, "
                             "the network has %d classes", label, (int)(i/v.pixels), v.classes);
        *weight += call->o.weights
            ? (double)call->o.weights[tnn__class_at(label, v.classes, b->c)] : 1;
    }
    net->counted = (int)(n - ignored);
    return TNN_OK;
}

/* Sets the gradient, total, weight (what the total is to be divided by) and correct. */
static tnn_status tnn__loss_run(tnn_net *net, const int *labels, const float *targets)
{
    const char *what = targets ? "tnn_loss_targets" : "tnn_loss";
    const tnn__loss_kind *kind;
    tnn__loss_call call;
    tnn_status e;
    int s, takes;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || !net->loss.type)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: no loss was set, by tnn_set_loss", what);
    if (!labels && !targets)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_loss: no labels and no targets; a loader with "
                         ".mixup or .cutmix has .targets, for tnn_loss_targets");
    if (net->stage == TNN__NOTHING)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: no forward has been done; tnn_forward comes "
                         "first", what);
    kind = &tnn__loss_kinds[TNN__NTH(net->criterion.kind)];
    takes = kind->traits & TNN__BOTH;
    if (kind->traits & TNN__CLASSES && net->loss.gamma > 0) takes = TNN__LABELS;
    if (!(takes & (labels ? TNN__LABELS : TNN__TARGETS)))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: %s takes %s", what,
                         kind->name, labels ? "targets (tnn_loss_targets)" : "labels (tnn_loss)");
    call.net = net;
    call.k = tnn__kernels();
    call.labels = labels;
    call.targets = targets;
    call.v = tnn__loss_view(net, &net->loss);
    call.o = net->criterion;
    call.one = call.v.classes == 1 && !(kind->traits & TNN__CLASSES);
    call.spans = TNN__MIN(net->n, TNN__SPANS);
    net->weight = net->n*(kind->mean == TNN__PER_VALUE ? (double)call.v.values
                          : kind->mean == TNN__PER_ROW ? (double)call.v.rows : 1);
    net->stage = TNN__FORWARD;
    net->counted = net->n;
    if (net->loss.custom) {
        tnn__custom_loss(&call);
        if ((e = tnn__hooks(net)) != TNN_OK) return e;
    }
    else {
        double weight;
        if (labels && call.v.pixels > 1 && !net->loss.per_pixel)
            return tnn__fail(TNN_ERROR_SHAPE, "tnn_loss: one label for %d pixels of the last "
                             "layer: .per_pixel = 1 if each has a label, else TNN_FLATTEN",
                             call.v.pixels);
        if (labels) {
            if ((e = tnn__check_labels(&call, &weight)) != TNN_OK) return e;
            if (tnn__ignores(net)) net->weight = weight;
        }
        if (net->loss.reduction == TNN_REDUCE_BATCHMEAN) net->weight = net->n;
        call.o.divisor = net->loss.reduction == TNN_REDUCE_SUM || !(net->weight > 0)
                       ? 1 : net->weight;
        tnn__run(tnn__threads_for(net, (tnn__len)net->n*call.v.size*4), call.spans,
                 tnn__loss_task, &call);
    }
    net->total = 0;
    net->correct = 0;
    for (s = 0; s < net->n; s++) {
        if (!(net->losses[s] - net->losses[s] >= 0)) return tnn__blame(&call, s);
        net->total += net->losses[s];
        net->correct += net->hits[s];
    }
    net->labels = labels;
    net->targets = targets;
    net->stage = TNN__LOSS;
    return TNN_OK;
}
/* A total over n samples: the loss; NaN where no label counts. */
static double tnn__reduced(const tnn_net *net, int n, double total, double weight)
{
    if (net->loss.reduction == TNN_REDUCE_SUM) return total;
    if (weight > 0) return total/weight;
    tnn__fail(TNN_ERROR_NUMBER, "tnn_loss: of all %d labels the class weights are 0, "
              "or they are ignored (.ignore_index = %g)", n, (double)net->loss.ignore_index);
    return TNN__NAN;
}
static double tnn__loss(tnn_net *net, const int *labels, const float *targets)
{
    if (tnn__loss_run(net, labels, targets)) return TNN__NAN;
    net->value = tnn__reduced(net, net->n, net->total, net->weight);
    if (tnn_failed()) net->stage = TNN__FORWARD;
    return net->value;
}
TNN_API_GATED double tnn_loss(tnn_net *net, const int *labels)
{
    return tnn__loss(net, labels, NULL);
}
TNN_API_GATED double tnn_loss_targets(tnn_net *net, const float *targets)
{
    return tnn__loss(net, NULL, targets);
}
TNN_API int tnn_correct(const tnn_net *net) { return net ? net->correct : 0; }
TNN_API int tnn_counted(const tnn_net *net) { return net ? net->counted : 0; }

/* ==== 9. REGULARIZERS ==========================================================================
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
    int              frozen;
} tnn__regularizer;

/* Refuses penalties and norms of a layer that are out of range, and norms that its constraint
   does not read. */
static tnn_status tnn__check_regularizers(const tnn_layer *o)
{
    static const char *const reads[] = {"", "norm_max", "", "norm_min norm_max norm_rate", ""};
    tnn_layer filled = *o;
    const double most = tnn__default(o->norm_max, o->constraint == TNN_MAX_NORM ? 2 : 1);
#define TNN__X(member, otherwise, least, most) \
    TNN__RANGE(tnn_layer, member, 'd', otherwise, least, most),
    const tnn__option options[] = {
        TNN__X(l1, 0, 0, 1e30) TNN__X(l2, 0, 0, 1e30) TNN__X(orthogonal, 0, 0, 1e30)
        TNN__X(norm_max, most, 0, 1e30) TNN__X(norm_min, 0, 0, most) TNN__X(norm_rate, 1, 1e-9, 1)
    };
#undef TNN__X
    if (tnn__choice("tnn_add: .constraint", (int)o->constraint, TNN_MAX_NORM)
        || tnn__check_options("tnn_add", o, options + 3, 3, TNN_MAX_NORM, (int)o->constraint, reads,
                              sizeof *reads, NULL)) return TNN_ERROR_ARGUMENT;
    return tnn__check_ranges("tnn_add: ", &filled, options, TNN__COUNT_OF(options));
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
        r->w = net->flat[TNN__W] + op->w;
        r->g = net->flat[TNN__G] ? net->flat[TNN__G] + op->w : NULL;
        r->gram = net->gram;
        r->frozen = op->frozen & 1;
        ++*i;
        return &net->record[op->layer].o;
    }
    return NULL;
}
static void tnn__each_panel(tnn__regularizer *r, tnn__len work, tnn__task *f)
{
    tnn__run(tnn__threads_for(r->net, work), r->q->blocks*r->q->panels, f, r);
}

/* scale (W W^T - I), panels of n x n with n = 16 panels, for each group. Task: 16 of its rows. */
static tnn__len tnn__gram_floats(const tnn__conv *q)
{
    return tnn__mul(q->blocks, tnn__mul(16*(tnn__len)q->panels, 16*(tnn__len)q->panels));
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
    t.a = r->w + task*q->inner*16;
    t.rs = 1; t.gs = 3; t.ks = 16;
    t.b = r->w + (tnn__len)group*q->panels*q->inner*16;
    t.bp = q->inner*16; t.ldb = 16;
    t.c = r->gram + (tnn__len)group*n*n + (tnn__len)first*16;
    t.ldc = 16; t.cp = (tnn__len)n*16;
    t.n0 = t.n1 = t.n2 = 1; t.rows = 16; t.run = (int)q->inner; t.cols = n;
    r->k->mm(&t);
    for (j = 0; j < n; j++)
        for (i = 0; i < 16; i++) {
            float *c = t.c + j/16*t.cp + (tnn__len)i*16 + j%16;
            *c = (float)(r->scale*((double)*c - (first + i == j && j < q->po)));
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
        r->k->penalty(q->inner*16, r->w + task*q->inner*16, r->g + task*q->inner*16, r->l1,
                      r->twice_l2);
    if (!(r->scale > 0)) return;
    memset(&t, 0, sizeof t);
    t.a = r->w + (tnn__len)group*q->panels*q->inner*16;
    t.rs = 16; t.gs = 48; t.ks = 1;
    t.n2 = q->panels; t.a2 = q->inner*16; t.run = 16;
    t.b = r->gram + (tnn__len)group*n*n + (tnn__len)(task%q->panels)*n*16;
    t.bp = (tnn__len)n*16; t.ldb = 16; t.b2 = 256;
    t.c = r->g + task*q->inner*16;
    t.ldc = 16; t.cp = q->inner*16;
    t.n0 = t.n1 = 1; t.rows = (int)q->inner; t.cols = 16;
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
        const tnn__len size = r.q->inner*r.q->oc, work = size*r.q->po/8;
        if (!(o->l1 + o->l2 + o->orthogonal > 0) || r.frozen) continue;
        r.l1 = (float)o->l1;
        r.twice_l2 = (float)(2*o->l2);
        r.scale = 4*o->orthogonal;
        if (r.scale > 0) tnn__each_panel(&r, work, tnn__gram_task);
        tnn__each_panel(&r, r.scale > 0 ? work : size, tnn__penalty_task);
    }
}

/* Of one output in a panel, where its square is beyond a float. */
static double tnn__column_norm(tnn__len inner, const float *w)
{
    double sum = 0;
    tnn__len k;
    for (k = 0; k < inner; k++) sum += (double)w[k*16]*(double)w[k*16];
    return sqrt(sum);
}
static void tnn__constraint_task(void *context, int task, int worker)
{
    const tnn__regularizer *r = (const tnn__regularizer *)context;
    float *w = r->w + task*r->q->inner*16, norms[16], factors[16];
    int j, any = 0;
    (void)worker;
    if (!(r->norm_rate > 0)) {
        r->k->act(r->q->inner*16, w, w, 0);
        return;
    }
    r->k->colsquares(r->q->inner, 16, w, 16, 1, 0, norms);
    for (j = 0; j < 16; j++) {
        double n = sqrt((double)norms[j]), bound;
        int outside;
        if (!(n < HUGE_VAL)) n = tnn__column_norm(r->q->inner, w + j);
        bound = n > r->norm_max ? r->norm_max : n < r->norm_min ? r->norm_min : n;
        outside = bound < n || bound > n;
        factors[j] = outside ? (float)((r->norm_rate*bound + (1 - r->norm_rate)*n)/(n + 1e-7)) : 1;
        any |= outside;
    }
    if (any) r->k->colscale(r->q->inner, factors, w);
}
/* After the update. */
static void tnn__constrain(tnn_net *net)
{
    tnn__regularizer r;
    const tnn_layer *o;
    int i;
    for (i = 0; (o = tnn__next_weights(net, &i, &r)) != NULL; ) {
        const int unit = o->constraint == TNN_UNIT_NORM, both = o->constraint == TNN_MIN_MAX_NORM;
        if (o->constraint == TNN_UNCONSTRAINED || r.frozen) continue;
        r.norm_min = unit ? 1 : both ? o->norm_min : 0;
        r.norm_max = unit ? 1 : tnn__default(o->norm_max, both ? 1 : 2);
        r.norm_rate = o->constraint == TNN_NON_NEGATIVE ? 0
                    : both ? tnn__default(o->norm_rate, 1) : 1;
        tnn__each_panel(&r, r.q->inner*r.q->oc, tnn__constraint_task);
    }
}

/* ==== 10. OPTIMIZERS ===========================================================================
   The rules are in the table of 1e, their arithmetic in 3f, a line for each in TNN__RULES of 2f.
   Most are one pass over the flat vectors in blocks of 8192 floats that threads share; a block
   takes up runs of neighbouring tensors with the same factors. Those that look at a whole tensor
   (LARS, LAMB, Adafactor, Muon) first work out a factor or a direction for it; L-BFGS steers all
   at once. Sums are added block by block in one order, so that threads do not change them.
   A NEW RULE is its entry and enumerator in 1e, a block in 3f and a line in 2f. What only some need
   has one place each: an option is a member of tnn_optimizer and an entry of
   tnn__rule_options; state that starts at something else than 0, tnn__start; numbers that run from
   step to step, tnn__advance; a look at whole tensors, an enumerator from TNN_LARS to TNN_MUON (so
   that runs are single tensors), a block in 10d and its call in tnn__update_all. */

/* ---- 10a. Options ---------------------------------------------------------------------------- */
typedef struct {
    const char *name, *reads;
    double      own[8];         /* defaults of the first 8 numbers below */
    int         decoupled;
} tnn__rule;
static const tnn__rule tnn__rules[] = {                         /* by tnn_optimizer_type */
    {"", "", {0, 0, 0, 0, 0, 0, 0, 0}, 0},
#define TNN__R(kernel, name, reads, lr, momentum, beta1, beta2, beta3, eps, decay, alpha, \
               decoupled, states) \
    {name, reads, {lr, momentum, beta1, beta2, beta3, eps, decay, alpha}, decoupled},
    TNN__RULES(TNN__R)
#undef TNN__R
};
static int tnn__states(const tnn_optimizer *o)
{
    const int states[] = { 0,
#define TNN__R(kernel, name, reads, lr, momentum, beta1, beta2, beta3, eps, decay, alpha, \
               decoupled, states) \
        states,
        TNN__RULES(TNN__R)
#undef TNN__R
    };
    return states[TNN__NTH(o->type)];
}

/* momentum, or beta1 where it takes that place */
static double *tnn__momentum(tnn_optimizer *o)
{
    const tnn__rule *rule = &tnn__rules[TNN__NTH(o->type)];
    return rule->own[1] > 0 || !(rule->own[2] > 0) ? &o->momentum : &o->beta1;
}
static int tnn__schedule_free(const tnn_optimizer *o)
{
    return o->type == TNN_SCHEDULE_FREE_SGD || o->type == TNN_SCHEDULE_FREE_ADAMW;
}

#define TNN__HIGH 1e30
#define TNN__X(member) TNN__OPTION(tnn_optimizer, member),
#define TNN__Y(member, otherwise, least, most) \
    TNN__RANGE(tnn_optimizer, member, 'D', otherwise, least, most),
#define TNN__Z(member, otherwise, least, most) \
    TNN__RANGE(tnn_optimizer, member, 'i', otherwise, least, most),
static const tnn__option tnn__rule_options[] = {
    TNN__Y(lr, 0, 0, TNN__HIGH)              TNN__Y(momentum, 0, 0, 1)
    TNN__Y(beta1, 0, 0, 1)                   TNN__Y(beta2, 0, 0, 1)
    TNN__Y(beta3, 0, 0, 1)                   TNN__Y(eps, 0, 0, TNN__HIGH)
    TNN__Y(weight_decay, 0, 0, TNN__HIGH)    TNN__Y(alpha, 0, 0, TNN__HIGH) /* up to here by rule */
    TNN__Y(dampening, 0, -TNN__HIGH, TNN__HIGH)
    TNN__RANGE(tnn_optimizer, rho, 'd', 0.9, 0, 1),
    TNN__Y(gamma, 0.04, 0, TNN__HIGH)        TNN__Y(lambd, 1e-4, 0, TNN__HIGH)
    TNN__Y(t0, 1e6, 0, TNN__HIGH)            TNN__Y(lr_decay, 0, 0, TNN__HIGH)
    TNN__Y(initial_accumulator, 0, 0, TNN__HIGH)
    TNN__Y(eta_minus, 0.5, 0, 1)             TNN__Y(eta_plus, 1.2, 1, TNN__HIGH)
    TNN__Y(step_min, 1e-6, 0, TNN__HIGH)     TNN__Y(step_max, 50, 0, TNN__HIGH)
    TNN__Y(momentum_decay, 4e-3, 0, TNN__HIGH)
    TNN__Y(trust, 1e-3, 0, TNN__HIGH)
    TNN__RANGE(tnn_optimizer, beta2_decay, 'd', -0.8, -100, 0),
    TNN__Y(eps2, 1e-3, 0, TNN__HIGH)         TNN__Y(clip_threshold, 1, 1, TNN__HIGH)
    TNN__Y(r, 0, 0, TNN__HIGH)               TNN__Y(weight_lr_power, 2, 0, TNN__HIGH)
    TNN__Y(ns_a, 3.4445, -TNN__HIGH, TNN__HIGH)
    TNN__Y(ns_b, -4.775, -TNN__HIGH, TNN__HIGH)
    TNN__Y(ns_c, 2.0315, -TNN__HIGH, TNN__HIGH)
    TNN__Y(tolerance_grad, 1e-7, 0, TNN__HIGH)
    TNN__Y(tolerance_change, 1e-9, 0, TNN__HIGH)
    TNN__X(keras_eps) TNN__X(velocity) TNN__X(amsgrad) TNN__X(maximize) TNN__X(decoupled)
    TNN__X(centered) TNN__X(rectify) TNN__X(nesterov) TNN__X(no_nesterov) TNN__X(match_rms)
    TNN__X(strong_wolfe) TNN__X(update) TNN__X(user) TNN__X(no_bias_decay) TNN__X(ema_warmup)
    TNN__Z(warmup_steps, 0, 0, INT_MAX)      TNN__Z(alpha_warmup, 0, 0, INT_MAX)
    TNN__Z(beta3_warmup, 0, 0, INT_MAX)      TNN__Z(interval, 10, 1, INT_MAX)
    TNN__Z(ns_steps, 5, 1, 99)               TNN__Z(max_iter, 20, 1, 1 << 24)
    TNN__Z(max_eval, 0, 0, INT_MAX)          TNN__Z(history, 100, 1, 1 << 20)
    TNN__Z(states, 0, 0, TNN_STATES)         TNN__Z(accumulate, 1, 1, INT_MAX)
    TNN__Y(clip_value, 0, 0, TNN__HIGH)      TNN__Y(clip_tensor, 0, 0, TNN__HIGH)
    TNN__Y(clip_norm, 0, 0, TNN__HIGH)       TNN__Z(lookahead, 0, 0, INT_MAX)
    TNN__Y(lookahead_alpha, 0.5, 0, TNN__HIGH)
    TNN__Y(ema, 0, 0, 1)                     TNN__Z(swa_start, 0, 0, INT_MAX)
    TNN__Z(swa_every, 1, 1, INT_MAX)
};
#undef TNN__X
#undef TNN__Y
#undef TNN__Z

/* Keras' defaults and forms, as options that say the same in PyTorch's terms. */
static void tnn__keras_optimizer(tnn_optimizer *o)
{
    o->lr = tnn__default(o->lr, o->type == TNN_SGD ? 0.01 : 1e-3);
    if (tnn__rules[TNN__NTH(o->type)].own[5] > 0) o->eps = tnn__default(o->eps, 1e-7);
    if (o->type == TNN_RMSPROP) o->alpha = tnn__default(o->alpha, 0.9);
    if (o->type == TNN_ADADELTA) o->rho = tnn__default(o->rho, 0.95);
    if (o->type == TNN_ADAGRAD) o->initial_accumulator = tnn__default(o->initial_accumulator, 0.1);
    if (o->type == TNN_ADAMW) o->weight_decay = tnn__default(o->weight_decay, 0.004);
    if (o->type == TNN_NADAM) o->momentum_decay = tnn__default(o->momentum_decay, 1);
    o->keras_eps = o->velocity = o->decoupled = 1;
}
TNN_API_GATED tnn_status tnn_set_optimizer_with(tnn_net *net, const tnn_optimizer *optimizer)
{
    tnn__option options[sizeof tnn__rule_options/sizeof *tnn__rule_options];
    const tnn__rule *rule;
    tnn_optimizer o;
    int i;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || !optimizer)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_optimizer: no network or no optimizer");
    if (net->built)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_optimizer: the network has been built; "
                         "the optimizer comes before the first forward");
    o = *optimizer;
    if (tnn__choice("tnn_set_optimizer", (int)o.type, TNN_SGD)
        || TNN__CHECK_OPTIONS("tnn_set_optimizer", &o, tnn__rule_options, TNN_SGD, o.type,
                              tnn__rules,
                              "lr weight_decay decoupled no_bias_decay "
                              "maximize clip_value clip_tensor clip_norm accumulate lookahead "
                              "lookahead_alpha:lookahead ema ema_warmup:ema swa_start "
                              "swa_every:swa_start")) return TNN_ERROR_ARGUMENT;
    rule = &tnn__rules[TNN__NTH(o.type)];
    if (net->options.dialect == TNN_KERAS) tnn__keras_optimizer(&o);
    memcpy(options, tnn__rule_options, sizeof options);
    for (i = 0; i < TNN__COUNT_OF(rule->own); i++) options[i].otherwise = rule->own[i];
    if (tnn__check_ranges("tnn_set_optimizer: ", &o, options, TNN__COUNT_OF(options)))
        return TNN_ERROR_ARGUMENT;
    if (o.nesterov && (!(o.momentum > 0) || o.dampening > 0 || o.dampening < 0))
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_set_optimizer: .nesterov needs .momentum and no .dampening");
    if (tnn__schedule_free(&o) && !(*tnn__momentum(&o) > 0 && *tnn__momentum(&o) < 1))
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_optimizer: .%s = %g: %s needs it between 0 "
                         "and 1", o.type == TNN_SCHEDULE_FREE_SGD ? "momentum" : "beta1",
                         *tnn__momentum(&o), rule->name);
    if (o.step_min > o.step_max)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_optimizer: .step_min = %g is larger than "
                         ".step_max = %g", o.step_min, o.step_max);
    if (o.ema > 0 && o.swa_start)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_optimizer: .ema = %g and .swa_start = %d: "
                         "there is one average, of one kind", o.ema, o.swa_start);
    if (o.type == TNN_CUSTOM && !o.update)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_optimizer: TNN_CUSTOM needs .update");
    if (!o.max_eval) o.max_eval = (int)(o.max_iter*1.25);
    o.decoupled = o.decoupled || rule->decoupled;
    o.eps = TNN__MAX(o.eps, 1e-37);             /* 0/0 is 0, in padding, too */
    net->optimizer = net->other = o;
    net->other.eps = 1e-8;                      /* AdamW's, for what Muon leaves */
    net->other.amsgrad = 0;
    return TNN_OK;
}
TNN_API_GATED tnn_status tnn_set_lr(tnn_net *net, double lr)
{
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || !(lr >= 0) || lr > TNN__HIGH)
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_set_lr: lr = %g must be in [0, %g]", lr, TNN__HIGH);
    net->optimizer.lr = lr;
    return TNN_OK;
}
TNN_API double tnn_lr(const tnn_net *net) { return net ? net->optimizer.lr : 0; }

TNN_API_GATED tnn_status tnn_set_momentum(tnn_net *net, double momentum)
{
    tnn_optimizer o;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || !(momentum >= 0 && momentum < 1))
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_set_momentum: momentum = %g must be in [0, 1)", momentum);
    o = net->optimizer;
    *tnn__momentum(&o) = momentum;
    if (net->flat[TNN__G] && !net->flat[TNN__S + tnn__states(&o) - 1] && tnn__states(&o))
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_momentum: the network was built for %s "
                         "without momentum; give the optimizer some",
                         tnn__rules[TNN__NTH(o.type)].name);
    net->optimizer = o;
    return TNN_OK;
}
TNN_API double tnn_momentum(const tnn_net *net)
{
    tnn_optimizer o;
    if (!net) return 0;
    o = net->optimizer;
    return *tnn__momentum(&o);
}

/* ---- 10b. Tensors of parameters and their factors -------------------------------------------- */
#define TNN__UPDATE_BLOCK 8192

typedef struct {
    tnn_net             *net;
    const tnn__isa_table *k;
    tnn__update          u;
} tnn__stepping;
/* What Adafactor and Muon know of one tensor: 10d. */
typedef struct {
    const tnn__stepping *c;
    const float *w, *g;
    float       *by_row, *by_col, *d, *mean;
    double     (*sums)[2];          /* of d^2 and w^2, by task */
    double       beta, height;      /* rows of a matrix */
    tnn__len     outer, rows, inner, line, work;
    int          cols, lanes, chunks;
} tnn__factors;
typedef struct {
    const tnn__stepping *c;
    const tnn__segment  *r;
    float       *xt, *yt, *xxt, *scaled, *poly;
    double      *sums;
    double       factor;
    tnn__len     inner, xs, as, work;
    int          n, units, panels, wide, turned, back;
} tnn__square;

/* All that optimizers know of where parameters lie: tensor i, in the order of tnn_param_info. */
static void tnn__segments(tnn_net *net)
{
    int i;
    for (i = 0; i < net->segments; i++) {
        tnn__segment *s = &net->segment[i];
        const tnn_layer *o;
        s->op = tnn__find_param(net, i, &s->bias);
        s->at = s->bias ? s->op->b : s->op->w;
        s->floats = s->bias ? s->op->b_floats : s->op->w_floats;
        o = &net->record[s->op->layer].o;
        s->lr = tnn__default((double)o->lr_scale, 1);
        s->decay = tnn__default((double)o->decay_scale, 1);
        s->frozen = o->frozen;
    }
}

/* Neighbours that are updated alike become one run; frozen tensors are in none. */
static void tnn__runs(tnn_net *net)
{
    const tnn_optimizer *o = &net->optimizer;
    const int alone = o->type >= TNN_LARS && o->type <= TNN_MUON;
    int i;
    net->runs = 0;
    for (i = 0; i < net->segments; i++) {
        tnn__segment s = net->segment[i], *last = &net->run[net->runs - (net->runs > 0)];
        if (s.frozen) continue;
        if ((s.bias || !tnn__is_conv(s.op)) && o->no_bias_decay) s.decay = 0;
        s.trust = 1;
        s.direction = 0;
        if (net->runs && !alone && last->at + last->floats == s.at
            && !memcmp(&last->lr, &s.lr, sizeof s.lr)
            && !memcmp(&last->decay, &s.decay, sizeof s.decay))
            last->floats += s.floats;
        else net->run[net->runs++] = s;
    }
}

/* n floats of a run from `at` on. */
static void tnn__apply(const tnn__stepping *c, const tnn__segment *run, tnn__len at, tnn__len n)
{
    tnn__update u = c->u;
    const tnn_optimizer *o = u.o;
    const double decay = o->weight_decay*run->decay;
    int i, rule = (int)o->type;
    u.w += at;
    u.g += at;
    for (i = 0; i < TNN_STATES; i++) if (u.s[i]) u.s[i] += at;
    for (i = 0; i < TNN_STATES && u.step%64 == 0 && rule < TNN_CUSTOM; i++)
        if (u.s[i]) c->k->flush(n, u.s[i]);
    u.lr *= run->lr;
    u.shrink = o->decoupled ? -u.lr*decay : 0;
    u.decay = o->decoupled ? 0 : decay;
    if (run->direction > 0) {                       /* w += shrink w - step s[2] */
        u.decay = 0;
        u.lr = run->step;
        u.sign = 1;
        u.g = u.s[2];
        u.s[0] = NULL;
        u.o = &c->net->other;
        rule = TNN_SGD;
    } else if (o->type == TNN_LARS) {
        u.sign *= run->trust;
        u.decay *= run->trust;
    } else if (o->type == TNN_MUON && !run->direction) {
        u.o = &c->net->other;
        rule = TNN_ADAM;
    } else if (o->type == TNN_CUSTOM) {
        tnn__error_state was = tnn__before_hook();
        tnn_update_run r;
        r.w = u.w; r.g = u.g; r.n = (size_t)n;
        memcpy(r.state, u.s, sizeof r.state);
        r.step = u.step; r.lr = u.lr; r.weight_decay = decay; r.user = o->user;
        o->update(&r);
        tnn__after_hook(c->net, at, &was);
        if (!(fabs((double)c->k->sum(n, r.w)) < HUGE_VAL)) TNN__STORE(&c->net->odd, 1);
        return;
    }
    if (c->k->rule[TNN__NTH(rule)](&u, n)) TNN__STORE(&c->net->odd, 1);
}
static void tnn__apply_task(void *context, int task, int worker)
{
    const tnn__stepping *c = (const tnn__stepping *)context;
    const tnn__len from = (tnn__len)task*TNN__UPDATE_BLOCK, to = from + TNN__UPDATE_BLOCK;
    int i;
    (void)worker;
    for (i = 0; i < c->net->runs; i++) {
        const tnn__segment *r = &c->net->run[i];
        const tnn__len a = TNN__MAX(from, r->at), b = TNN__MIN(to, r->at + r->floats);
        if (a < b) tnn__apply(c, r, a, b - a);
    }
}

static void tnn__each_block(const tnn_net *net, tnn__task *f, void *context)
{
    tnn__run(tnn__threads_for(net, net->params),
             (int)((net->params + TNN__UPDATE_BLOCK - 1)/TNN__UPDATE_BLOCK), f, context);
}

/* x.y; where floats overflow, in double */
static double tnn__inner(const tnn__isa_table *k, tnn__len n, const float *x, const float *y)
{
    double sum = 0;
    tnn__len i, j;
    for (i = 0; i < n; i += TNN__UPDATE_BLOCK) {
        const tnn__len end = TNN__MIN(n, i + TNN__UPDATE_BLOCK);
        const float part = k->dot(end - i, x + i, y + i);
        if (part - part >= 0) sum += (double)part;
        else for (j = i; j < end; j++) sum += (double)x[j]*(double)y[j];
    }
    return sum;
}

/* ---- 10c. Gradients: accumulated, clipped ---------------------------------------------------- */
/* After each backward: the gradients become the mean of those since the last update. */
static void tnn__accumulate(tnn_net *net)
{
    const size_t bytes = (size_t)net->params*sizeof(float);
    float *sum = net->flat[TNN__SUM];
    if (!sum) return;
    net->accumulated++;
    if (net->accumulated == 1) memcpy(sum, net->flat[TNN__G], bytes);
    else {
        tnn__kernels()->lerp(net->params, (float)(1.0/net->accumulated), net->flat[TNN__G], sum);
        memcpy(net->flat[TNN__G], sum, bytes);
    }
}

static void tnn__norm_task(void *context, int task, int worker)
{
    const tnn__stepping *c = (const tnn__stepping *)context;
    tnn__segment *s = &c->net->segment[task];
    const float *g = c->net->flat[TNN__G] + s->at;
    (void)worker;
    s->trust = s->frozen ? 0 : tnn__inner(c->k, s->floats, g, g);
}
static double tnn__clip(tnn_net *net, tnn_clip kind, double limit)
{
    tnn__stepping c;
    double sum = 0;
    int i;
    c.net = net;
    c.k = tnn__kernels();
    tnn__run(tnn__threads_for(net, net->params), net->segments, tnn__norm_task, &c);
    for (i = 0; i < net->segments; i++) sum += net->segment[i].trust;
    for (i = 0; i < net->segments; i++) {
        const tnn__segment *s = &net->segment[i];
        float *g = net->flat[TNN__G] + s->at;
        const double norm = sqrt(kind == TNN_CLIP_TENSOR ? s->trust : sum);
        if (s->frozen) continue;
        if (kind == TNN_CLIP_VALUE) c.k->scale(s->floats, 1, (float)limit, g, g);
        else if (!(limit >= norm + 1e-6))
            c.k->scale(s->floats, (float)(limit/(norm + 1e-6)), (float)HUGE_VAL, g, g);
    }
    return net->grad_norm = sqrt(sum);
}
TNN_API_GATED double tnn_clip_grad(tnn_net *net, tnn_clip kind, double limit)
{
    if (tnn_failed()) return TNN__NAN;
    if (tnn__choice("tnn_clip_grad", (int)kind, TNN_CLIP_VALUE)) return TNN__NAN;
    if (!net || net->stage != TNN__BACKWARD || !(limit >= 0)) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_clip_grad: comes after tnn_backward, with limit = %g "
                  "not negative", limit);
        return TNN__NAN;
    }
    return tnn__clip(net, kind, limit);
}
TNN_API double tnn_grad_norm(const tnn_net *net) { return net ? net->grad_norm : 0; }

/* ---- 10d. Rules that look at a whole tensor -------------------------------------------------- */
/* LARS: trust |w|/(|g| + L |w| + eps);  LAMB: |w|/|r|;  1 where a norm is 0. */
static void tnn__trust_task(void *context, int task, int worker)
{
    const tnn__stepping *c = (const tnn__stepping *)context;
    const tnn_optimizer *o = c->u.o;
    tnn__segment *r = &c->net->run[task];
    const float *w = c->u.w + r->at, *x = (o->type == TNN_LARS ? c->u.g : c->u.s[2]) + r->at;
    const double norm_w = sqrt(tnn__inner(c->k, r->floats, w, w));
    const double norm = sqrt(tnn__inner(c->k, r->floats, x, x));
    (void)worker;
    if (norm_w > 0 && norm > 0)
        r->trust = o->type == TNN_LAMB ? norm_w/norm
            : o->trust*norm_w/(norm + o->weight_decay*r->decay*norm_w + o->eps);
    r->step = c->u.lr*r->lr*r->trust;
    r->direction = o->type == TNN_LAMB;
}

/* ADAFACTOR. A tensor is `outer` times `inner` matrices of rows x cols, element (u, v) of matrix
   (o, i) at  ((o*rows + u)*cols + v)*inner + i:
     convolution  kernels kh x kw: outer counts panels, inner is c/groups*16
     dense        one matrix: u counts panels, v inputs; the 16 lanes of a panel are rows, too
     norms        of images (c, h, w): one panel of c
     vectors      one by one, all in R.
   R lies at (o, u, 0, i) of s[0], C at (o, 0, v, i) of s[1], the direction in s[2]. */
static tnn__factors tnn__factors_of(const tnn__op *op, int bias, const tnn_param *p)
{
    const tnn__conv *q = &op->q;
    tnn__factors f;
    memset(&f, 0, sizeof f);
    f.outer = f.rows = f.cols = f.lanes = 1;
    f.inner = bias ? op->b_floats : op->w_floats;
    if (p->ndim == 4) {
        f.outer = (tnn__len)q->panels*q->blocks;
        f.rows = q->g.kh;
        f.cols = q->g.kw;
        f.inner = (tnn__len)q->cg*16;
    } else if (p->ndim == 3) {
        f.rows = p->dims[1];
        f.cols = p->dims[2];
        f.inner = p->dims[0];
    } else if (p->ndim == 2) {
        f.rows = q->panels;
        f.cols = (int)q->inner;
        f.inner = f.lanes = 16;
    }
    f.height = p->ndim == 2 ? q->oc : (double)f.rows;
    f.line = f.cols*f.inner;
    f.chunks = p->ndim > 1 ? (int)((f.line + 1023)/1024) : 0;
    f.work = tnn__round_up(f.outer*f.inner, 16) + 4*(f.lanes > 1 ? f.rows : f.outer);
    return f;
}
/* R = (1 - beta) R + beta/cols sum_v g^2 of row `task`; then C likewise, 1024 columns a task. */
static void tnn__factors_task(void *context, int task, int worker)
{
    const tnn__factors *f = (const tnn__factors *)context;
    const tnn__isa_table *k = f->c->k;
    const float keep = (float)(1 - f->beta);
    const tnn__len others = task - f->outer*f->rows;
    (void)worker;
    if (others < 0) {
        float *by_row = f->by_row + task/f->rows*f->rows*f->line + task%f->rows*f->inner;
        k->colsquares(f->cols, f->inner, f->g + task*f->line, f->inner, (float)(f->beta/f->cols),
                      keep, by_row);
    } else {
        const tnn__len o = others/f->chunks*f->rows*f->line, at = 1024*(others%f->chunks);
        const tnn__len n = TNN__MIN(1024, f->line - at);
        float *by_col = f->by_col + o + at;
        int u, l;
        tnn__len i;
        for (u = 0; u < f->rows; u++)
            k->colsquares(1, n, f->g + o + u*f->line + at, 0, (float)(f->beta/f->height),
                          u ? 1 : keep/(float)f->lanes, by_col);
        for (i = 0; i < n && f->lanes > 1; i += 16) {   /* the lanes are rows, too: their sum */
            float sum = by_col[i];
            for (l = 1; l < 16; l++) sum += by_col[i + l];
            for (l = 0; l < 16; l++) by_col[i + l] = sum;
        }
    }
}
/* The direction of a panel, and sums of squares of it and of the weights. */
static void tnn__factored_task(void *context, int task, int worker)
{
    const tnn__factors *f = (const tnn__factors *)context;
    const tnn__isa_table *k = f->c->k;
    const tnn__len rows = f->lanes > 1 ? 1 : f->rows;       /* of this task */
    const tnn__len at = task*rows*f->line, o = f->lanes > 1 ? 0 : at;
    const float *by_row = f->by_row + (f->lanes > 1 ? task*f->inner : o);
    float *mean = f->mean + (f->lanes > 1 ? 0 : task*f->inner);
    int u;
    (void)worker;
    for (u = 0; u < rows && f->lanes == 1; u++)
        k->axpy(f->inner, 1/(float)rows, by_row + u*f->inner, mean, u > 0);
    for (u = 0; u < rows; u++)
        k->adafactor(f->cols, f->inner, f->g + at + u*f->line, by_row + u*f->inner,
                     f->chunks ? mean : NULL, f->chunks ? f->by_col + o : NULL, (float)f->c->u.sign,
                     (float)f->c->u.o->eps, f->d + at + u*f->line);
    f->sums[task][0] = tnn__inner(k, rows*f->line, f->d + at, f->d + at);
    f->sums[task][1] = tnn__inner(k, rows*f->line, f->w + at, f->w + at);
}
static void tnn__adafactor(const tnn__stepping *c, tnn__segment *r)
{
    const tnn_optimizer *o = c->u.o;
    const tnn_param p = tnn__param_of(r->op, r->bias);
    const int threads = tnn__threads_for(c->net, r->floats);
    const double t = (double)c->u.step;
    double squares = 0, size = 0, mean = 0, scale;
    tnn__factors f = tnn__factors_of(r->op, r->bias, &p);
    int i, l, tasks = (int)(f.lanes > 1 ? f.rows : f.outer);
    f.c = c;
    f.w = c->u.w + r->at;
    f.g = c->u.g + r->at;
    f.by_row = c->u.s[0] + r->at;
    f.by_col = c->u.s[1] + r->at;
    f.d = c->u.s[2] + r->at;
    f.sums = (double (*)[2])(void *)c->net->work;
    f.mean = c->net->work + 4*(tnn__len)tasks;
    f.beta = tnn__pow(t, o->beta2_decay);
    tnn__run(threads, (int)(f.outer*(f.rows + f.chunks)), tnn__factors_task, &f);
    for (i = 0; i < f.rows && f.lanes > 1; i++)
        for (l = 0; l < 16; l++) mean += (double)f.by_row[16*(tnn__len)i + l];
    for (l = 0; l < 16 && f.lanes > 1; l++) f.mean[l] = (float)(mean/f.height);
    tnn__run(threads, tasks, tnn__factored_task, &f);
    for (i = 0; i < tasks; i++) {
        squares += f.sums[i][0];
        size += f.sums[i][1];
    }
    scale = TNN__MAX(1, sqrt(squares/p.count)/o->clip_threshold);
    r->step = TNN__MAX(o->eps2, sqrt(size/p.count))*TNN__MIN(c->u.lr*r->lr, 1/sqrt(t))/scale;
    r->direction = 1;
}

/* MUON. Newton and Schulz's iteration X = a X + (b A + c A A) X, A = X X^T, brings the singular
   values of X, the matrix or its transpose, near 1. It is kept as X^T (n, m), m <= n, in panels
   of 16 columns, as are A and what becomes of it, (m, m): then every product has its right side
   in panels, and its left one lies in them row by row or, for A, column by column. Panels are an
   odd number of cache lines apart. The order of the inputs is the private one, which X may be in,
   as may Y = X P of any permutation P: Y Y^T = X X^T. */
static tnn__square tnn__square_of(const tnn_param *p)
{
    tnn__square q;
    memset(&q, 0, sizeof q);
    q.inner = p->dims[1];
    q.units = (p->dims[0] + 15)/16;
    q.turned = p->dims[0] > p->dims[1];
    q.panels = q.turned ? (int)((q.inner + 15)/16) : q.units;
    q.n = q.turned ? 16*q.units : (int)q.inner;
    q.wide = 16*q.panels;
    q.xs = 16*(tnn__len)(q.n | 1);
    q.as = 16*(tnn__len)(q.wide | 1);
    q.work = tnn__mul(q.panels, 2*q.xs + 3*q.as) + 2*(tnn__len)q.units;
    return q;
}
/* C = alpha D + A B (D NULL: A B), all in panels, as, bs and cs floats apart; C has `rows`, A B a
   sum over `run`. gram: A stands for its transpose. symmetric: only what is not above the diagonal
   is worked. A task is two panels of C, of these all rows or 112. */
typedef struct {
    const tnn__isa_table *k;
    const float *a, *b, *d;
    float       *c, alpha;
    tnn__len     as, bs, cs;
    int          rows, panels, run, gram, symmetric;
} tnn__square_product;
static void tnn__product_task(void *context, int task, int worker)
{
    const tnn__square_product *p = (const tnn__square_product *)context;
    const int blocks = p->symmetric ? 1 : (p->rows + 111)/112, j = task/blocks*2;
    const int first = p->symmetric ? 16*j : task%blocks*112;
    const int end = p->symmetric ? p->rows : TNN__MIN(p->rows, first + 112);
    const int panels = TNN__MIN(2, p->panels - j);
    tnn__len i;
    int v;
    (void)worker;
    for (i = first; i < end; i += 112) {
        const int rows = (int)TNN__MIN(112, end - i);
        tnn__mm t;
        memset(&t, 0, sizeof t);
        t.n0 = t.n1 = t.n2 = 1;
        t.c = p->c + j*p->cs + i*16; t.ldc = 16; t.cp = p->cs;
        t.ldb = 16; t.bp = p->bs; t.b2 = 256;
        t.rows = rows; t.cols = 16*panels;
        t.rs = 16; t.gs = 48; t.ks = 1; t.a2 = p->as;
        t.a = p->a + i*16;
        t.b = p->b + j*p->bs;
        t.n2 = p->run/16; t.run = 16;
        if (p->gram) {
            t.n0 = rows/16; t.a0 = p->as; t.c0 = 256;
            t.rows = 16; t.rs = 1; t.gs = 3; t.ks = 16;
            t.a = p->a + i/16*p->as;
            t.n2 = 1; t.run = p->run;
        }
        for (v = 0; v < panels && p->d; v++)
            p->k->scale((tnn__len)rows*16, p->alpha, (float)HUGE_VAL, p->d + (j + v)*p->cs + i*16,
                        t.c + v*p->cs);
        t.start = p->d ? TNN__KEEP : TNN__ZERO;
        p->k->mm(&t);
    }
    for (v = j; v < j + panels && p->symmetric; v++)
        for (i = v + 1; i < p->panels; i++)
            p->k->transpose(16, 16, p->c + v*p->cs + 256*i, 16, p->c + i*p->cs + v*(tnn__len)256,
                            16);
}
static void tnn__multiply(const tnn__square *q, const float *a, const float *b, const float *d,
                          double alpha, float *c, int gram, int symmetric)
{
    tnn__square_product p;
    p.k = q->c->k;
    p.a = a; p.b = b; p.d = d; p.c = c;
    p.alpha = (float)alpha;
    p.as = gram || !symmetric ? q->xs : q->as;
    p.bs = gram ? q->xs : q->as;
    p.cs = symmetric ? q->as : q->xs;
    p.rows = symmetric ? q->wide : q->n;
    p.panels = q->panels;
    p.run = gram ? q->n : q->wide;
    p.gram = gram; p.symmetric = symmetric;
    tnn__run(tnn__threads_for(q->c->net, (tnn__len)p.rows*p.run*q->wide/8),
             (p.panels + 1)/2*(symmetric ? 1 : (p.rows + 111)/112), tnn__product_task, &p);
}
/* A panel of the direction: from the gradient, and its sum of squares; then, times `factor`, to X;
   and back from X. */
static void tnn__momentum_task(void *context, int task, int worker)
{
    const tnn__square *q = (const tnn__square *)context;
    const tnn__len at = q->r->at + task*q->inner*16;
    const float *x = q->c->u.s[2] + at;
    (void)worker;
    tnn__apply(q->c, q->r, at, q->inner*16);
    q->sums[task] = tnn__inner(q->c->k, q->inner*16, x, x);
}
static void tnn__turn_task(void *context, int task, int worker)
{
    const tnn__square *q = (const tnn__square *)context;
    const tnn__isa_table *k = q->c->k;
    float *x = q->c->u.s[2] + q->r->at + task*q->inner*16;
    float *xt = q->xt + (q->turned ? (tnn__len)task*256 : task*q->xs);
    tnn__len i;
    (void)worker;
    if (!q->back) k->scale(q->inner*16, (float)q->factor, (float)HUGE_VAL, x, x);
    for (i = 0; i < q->inner; i += 16, x += 256, xt += q->turned ? q->xs : 256) {
        const tnn__len n = TNN__MIN(16, q->inner - i);
        if (!q->turned) memcpy(q->back ? x : xt, q->back ? xt : x, (size_t)n*16*sizeof *x);
        else if (q->back) k->transpose(16, n, xt, 16, x, 16);
        else k->transpose(n, 16, x, 16, xt, 16);
    }
}
static void tnn__muon(const tnn__stepping *c, tnn__segment *r)
{
    const tnn_optimizer *o = c->u.o;
    const tnn_param p = tnn__param_of(r->op, r->bias);
    const double rows = p.dims[0], cols = p.dims[1];
    const int threads = tnn__threads_for(c->net, r->floats);
    tnn__square q = tnn__square_of(&p);
    double norm = 0;
    int i;
    if (p.ndim != 2) return;
    q.c = c;
    q.r = r;
    q.sums = (double *)(void *)c->net->work;
    q.xt = c->net->work + tnn__round_up(2*(tnn__len)q.units, 16);
    q.yt = q.xt + q.panels*q.xs;
    q.xxt = q.yt + q.panels*q.xs;
    q.scaled = q.xxt + q.panels*q.as;
    q.poly = q.scaled + q.panels*q.as;
    r->direction = -1;
    tnn__run(threads, q.units, tnn__momentum_task, &q);
    for (i = 0; i < q.units; i++) norm += q.sums[i];
    q.factor = 1/TNN__MAX(sqrt(norm), o->eps);
    memset(q.xt + (q.panels - 1)*q.xs, 0, (size_t)q.xs*sizeof *q.xt);
    tnn__run(threads, q.units, tnn__turn_task, &q);
    for (i = 0; i < o->ns_steps; i++) {
        float *xt = q.xt;
        tnn__multiply(&q, xt, xt, NULL, 0, q.xxt, 1, 1);
        c->k->scale(q.panels*q.as, (float)o->ns_c, (float)HUGE_VAL, q.xxt, q.scaled);
        tnn__multiply(&q, q.scaled, q.xxt, q.xxt, o->ns_b, q.poly, 0, 1);
        tnn__multiply(&q, xt, q.poly, xt, o->ns_a, q.yt, 0, 0);
        q.xt = q.yt;
        q.yt = xt;
    }
    q.back = 1;
    tnn__run(threads, q.units, tnn__turn_task, &q);
    r->step = c->u.lr*r->lr*(o->match_rms ? 0.2*sqrt(TNN__MAX(rows, cols))
                                          : sqrt(TNN__MAX(1, rows/cols)));
    r->direction = 1;
}

/* The optimizer's part of the network's allocation. */
static void tnn__place_optimizer(tnn_net *net, tnn__arena *a)
{
    const tnn_optimizer *o = &net->optimizer;
    const int training = net->loss.type != 0, states = tnn__states(o);
    tnn__len work = 0, each = (tnn__len)(sizeof(tnn__segment)/sizeof(float));
    const tnn__op *op;
    int i, bias;
    for (i = 0; i < TNN__FLATS; i++) {
        const int there = i == TNN__W || (training && (i == TNN__G || i < TNN__S + states
            || (i == TNN__AVERAGE && (o->ema > 0 || o->swa_start || tnn__schedule_free(o)))
            || (i == TNN__SLOW && o->lookahead) || (i == TNN__SUM && o->accumulate > 1)));
        net->flat[i] = there
            ? tnn__take(a, net->params + (i == TNN__W ? 3*net->buffer_floats : 0)) : NULL;
    }
    for (i = 0; (op = tnn__find_param(net, i, &bias)) != NULL && bias < TNN__MEAN; i++) {
        const tnn_param p = tnn__param_of(op, bias);
        if (o->type == TNN_ADAFACTOR) work = TNN__MAX(work, tnn__factors_of(op, bias, &p).work);
        if (o->type == TNN_MUON && p.ndim == 2) work = TNN__MAX(work, tnn__square_of(&p).work);
    }
    if (o->type == TNN_SOPHIA) work = net->options.batch;
    if (o->type == TNN_LBFGS)
        work = tnn__mul(2*(tnn__len)o->history + 1, net->params) + 4*(tnn__len)o->history;
    net->segments = i;
    net->segment = (tnn__segment *)(void *)tnn__take(a, net->segments*each);
    net->run = training ? (tnn__segment *)(void *)tnn__take(a, net->segments*each) : NULL;
    net->work = training ? tnn__take(a, work) : NULL;
}

/* ---- 10e. Before and after the rules --------------------------------------------------------- */
/* Refuses weights, or averages of them, that are not finite, and names the first tensor. */
static tnn_status tnn__check_weights(const tnn_net *net, const float *w, const char *what,
                                     const char *then)
{
    int i;
    tnn__len k;
    for (i = 0; i < net->segments; i++) {
        const tnn__segment *s = &net->segment[i];
        for (k = 0; k < s->floats; k++)
            if (!(w[s->at + k] - w[s->at + k] >= 0))
                return tnn__fail(TNN_ERROR_NUMBER, "%s: %s is not finite after %l steps; %s", what,
                                 s->op->name[s->bias], net->steps, then);
    }
    return TNN_OK;
}

/* State before the first step, where it is not 0. */
static void tnn__start(tnn_net *net)
{
    const tnn_optimizer *o = &net->optimizer;
    const size_t bytes = (size_t)net->params*sizeof(float);
    float **s = net->flat + TNN__S;
    tnn__len i, k;
    net->c[0] = net->c[1] = 1;
    net->shares = net->lr_max = 0;
    if (net->flat[TNN__SLOW]) memcpy(net->flat[TNN__SLOW], net->flat[TNN__W], bytes);
    switch ((int)o->type) {
    case TNN_ASGD:
    case TNN_SCHEDULE_FREE_SGD:
    case TNN_SCHEDULE_FREE_ADAMW:
        memcpy(s[0], net->flat[TNN__W], bytes);
        break;
    case TNN_ADAGRAD:
        for (i = 0; i < net->params; i++) s[0][i] = (float)o->initial_accumulator;
        break;
    case TNN_RPROP:
        for (k = 0; k < net->segments; k++)
            for (i = 0; i < net->segment[k].floats; i++)
                s[1][net->segment[k].at + i] = (float)(o->lr*net->segment[k].lr);
        break;
    case TNN_ADAN:
        tnn__kernels()->scale(net->params, o->maximize ? -1.0f : 1.0f, (float)HUGE_VAL,
                              net->flat[TNN__G], s[3]);
        break;
    }
}

/* The running numbers of step t: NAdam's c_t and P_t, Schedule-Free's c and what lr is multiplied
   with. */
static void tnn__advance(tnn_net *net, double bias2)
{
    const tnn_optimizer *o = &net->optimizer;
    const double t = (double)net->steps;
    if (o->type == TNN_NADAM) {
        net->c[0] = tnn__nadam_momentum(o, net->steps);
        net->c[1] *= net->c[0];
    } else if (tnn__schedule_free(o)) {
        double share;
        net->c[1] = t < o->warmup_steps ? t/o->warmup_steps : 1;
        if (o->type == TNN_SCHEDULE_FREE_ADAMW) net->c[1] *= sqrt(bias2);
        net->lr_max = TNN__MAX(net->lr_max, o->lr*net->c[1]);
        share = tnn__pow(t, o->r)*tnn__pow(net->lr_max, o->weight_lr_power);
        net->shares += share;
        net->c[0] = net->shares > 0 ? share/net->shares : 0;
    }
}

/* ---- 10f. Averages of the weights ------------------------------------------------------------ */
typedef struct {
    tnn_net *net;
    int      look;
    float    part;              /* of the new weights in the average; 0: none today */
} tnn__averaging;
static void tnn__average_task(void *context, int task, int worker)
{
    const tnn__averaging *c = (const tnn__averaging *)context;
    const tnn__len at = (tnn__len)task*TNN__UPDATE_BLOCK;
    const tnn__len n = TNN__MIN(TNN__UPDATE_BLOCK, c->net->params - at);
    float *w = c->net->flat[TNN__W] + at, *slow = c->net->flat[TNN__SLOW];
    const tnn__isa_table *k = tnn__kernels();
    (void)worker;
    if (c->look) {
        k->lerp(n, (float)c->net->optimizer.lookahead_alpha, w, slow + at);
        memcpy(w, slow + at, (size_t)n*sizeof *w);
        if (!(fabs((double)k->sum(n, w)) < HUGE_VAL)) TNN__STORE(&c->net->odd, 1);
    }
    if (c->part >= 1) memcpy(c->net->flat[TNN__AVERAGE] + at, w, (size_t)n*sizeof *w);
    else if (c->part > 0) k->lerp(n, c->part, w, c->net->flat[TNN__AVERAGE] + at);
}
static void tnn__average(tnn_net *net)
{
    const tnn_optimizer *o = &net->optimizer;
    const long long t = net->steps;
    tnn__averaging c;
    c.net = net;
    c.look = o->lookahead && t%o->lookahead == 0;
    c.part = 0;
    if (o->ema > 0) {
        const double warm = o->ema_warmup ? (1.0 + (double)t)/(10.0 + (double)t) : 1;
        c.part = net->averages ? (float)(1 - TNN__MIN(o->ema, warm)) : 1;
        net->averages++;
    } else if (o->swa_start && t >= o->swa_start && (t - o->swa_start)%o->swa_every == 0) {
        net->averages++;
        c.part = (float)(1.0/net->averages);
    }
    if (c.look || c.part > 0) tnn__each_block(net, tnn__average_task, &c);
}

TNN_API_GATED tnn_status tnn_use_average(tnn_net *net, int on)
{
    const tnn_optimizer *o;
    float *w, *a;
    tnn__len i;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net) return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_use_average: no network");
    o = &net->optimizer;
    if (!on == !net->swapped) return TNN_OK;
    w = net->flat[TNN__W];
    a = o->ema > 0 || o->swa_start ? net->flat[TNN__AVERAGE]
        : o->type == TNN_ASGD ? net->flat[TNN__S]
        : net->flat[TNN__AVERAGE] ? net->flat[TNN__AVERAGE] : net->flat[TNN__SLOW];
    if (!a || !net->steps || ((o->ema > 0 || o->swa_start) && !net->averages))
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_use_average: there is no average after %l steps: "
                         "it takes .ema, .swa_start, .lookahead, ASGD or a Schedule-Free rule",
                         net->steps);
    if (on && tnn__schedule_free(o) && !(o->ema > 0) && !o->swa_start) {
        memcpy(a, w, (size_t)net->params*sizeof *a);        /* x = w + (1 - 1/beta)(z - w) */
        tnn__kernels()->lerp(net->params, (float)(1 - 1/tnn_momentum(net)), net->flat[TNN__S], a);
    }
    if (on && tnn__check_weights(net, a, "tnn_use_average", "the trained weights stay in place"))
        return TNN_ERROR_NUMBER;
    for (i = 0; i < net->params; i++) {
        const float x = w[i];
        w[i] = a[i];
        a[i] = x;
    }
    net->swapped = on != 0;
    net->stage = TNN__NOTHING;
    return TNN_OK;
}

/* ==== 11. SCHEDULES ============================================================================
   Every one is  lr(t) = max(min_lr, end + (start - end) w(t)),  and momentum likewise with the same
   w: a row of this table gives the defaults, tnn__schedule_at the w. */
static const struct tnn__schedule_kind {
    const char *name, *reads;
    long long   steps, down;            /* defaults; -1: none, it must be given; -2: as steps */
    double      gamma, start, end, momentum[2];
    int         anneal;                 /* the only one, or -1: .anneal says which */
    int         needs;                  /* 1 milestones, 2 parts, 4 a function */
} tnn__schedule_kinds[] = {
    /* name, options
       steps down gamma start end  momentum   anneal   needs */
    { "", "",
      0, 0,   1,       1,  0, { 0,    0    }, -1,                0 },
    { "constant", "steps start_factor:steps",
      0, 0,   1, 1.0/3.0,  1, { 0,    0    }, -1,                0 },
    { "step", "steps gamma",
      -1, 0, 0.1,       1,  0, { 0,    0    }, -1,                0 },
    { "multistep", "milestones count gamma",
      0, 0, 0.1,       1,  0, { 0,    0    }, -1,                1 },
    { "exponential", "steps gamma staircase",
      1, 0,  -1,       1,  0, { 0,    0    }, -1,                0 },
    { "inverse time", "steps gamma staircase",
      1, 0,  -1,       1,  0, { 0,    0    }, -1,                0 },
    { "linear", "steps power",
      -1, 0,   1, 1.0/3.0,  1, { 0,    0    }, TNN_ANNEAL_LINEAR, 0 },
    { "polynomial", "steps power",
      -1, 0,   1,       1,  0, { 0,    0    }, TNN_ANNEAL_LINEAR, 0 },
    { "cosine", "steps",
      -1, 0,   1,       1,  0, { 0,    0    }, TNN_ANNEAL_COSINE, 0 },
    { "cosine restarts", "steps mult cycle_gamma",
      -1, 0,   1,       1,  0, { 0,    0    }, TNN_ANNEAL_COSINE, 0 },
    { "anneal", "steps anneal power",
      10, 0,   1,       1, -1, { 0,    0    }, -1,                0 },
    { "wsd", "steps steps_down anneal power",
      -1, -1,   1,       1,  0, { 0,    0    }, -1,                0 },
    { "one cycle", "steps pct_start div_factor final_div_factor three_phase anneal power "
      "base_momentum:!keep_momentum max_momentum:!keep_momentum keep_momentum -start_factor "
      "-end_lr -end_factor",
      -1, 0,   1,       1,  0, { 0.85, 0.95 }, -1,                0 },
    { "cyclic", "steps steps_down gamma cycle_gamma base_momentum:!keep_momentum "
      "max_momentum:!keep_momentum keep_momentum",
      -1, -2,   1,       1, -1, { 0.8,  0.9  }, -1,                0 },
    { "sequential", "parts milestones count -start_factor -end_lr -end_factor",
      0, 0,   1,       1,  0, { 0,    0    }, -1,                3 },
    { "chained", "parts count -start_factor -end_lr -end_factor",
      0, 0,   1,       1,  0, { 0,    0    }, -1,                2 },
    { "lambda", "function user",
      0, 0,   1,       1,  0, { 0,    0    }, -1,                4 },
    { "multiplicative", "function user",
      0, 0,   1,       1,  0, { 0,    0    }, -1,                4 }
};
#define TNN__X(member) TNN__OPTION(tnn_schedule, member),
#define TNN__Y(member, otherwise, least, most) \
    TNN__RANGE(tnn_schedule, member, 'd', otherwise, least, most),
#define TNN__Z(member, otherwise, least) \
    TNN__RANGE(tnn_schedule, member, 'l', otherwise, least, 9007199254740992.0), /* 2^53 */
static const tnn__option tnn__schedule_options[] = {    /* the first 9 by kind */
    TNN__Y(lr, 0, 0, 1e30)                TNN__Z(steps, 0, 0)
    TNN__Z(steps_down, 0, 0)              TNN__Y(gamma, 1, 0, 1e30)
    TNN__Y(start_factor, 1, 0, 1e30)      TNN__Y(end_factor, 0, 0, 1e30)
    TNN__Y(end_lr, 0, 0, 1e30)            TNN__Y(base_momentum, 0, 0, 0.999999)
    TNN__Y(max_momentum, 0, 0, 0.999999)  TNN__Y(min_lr, 0, 0, 1e30)
    TNN__Z(warmup, 0, 0)                  TNN__Y(warmup_factor, 0, 0, 1e30)
    TNN__X(per_epoch)                     TNN__Y(power, 1, 0, 1e30)
    TNN__X(anneal) TNN__X(staircase)      TNN__RANGE(tnn_schedule, mult, 'i', 1, 1, INT_MAX),
    TNN__Y(cycle_gamma, 1, 0, 1e30)       TNN__Y(pct_start, 0.3, 0, 1)
    TNN__Y(div_factor, 25, 1e-30, 1e30)   TNN__Y(final_div_factor, 1e4, 1e-30, 1e30)
    TNN__X(three_phase) TNN__X(keep_momentum) TNN__X(milestones) TNN__X(parts) TNN__X(count)
    TNN__X(function) TNN__X(user)
};
#undef TNN__X
#undef TNN__Y
#undef TNN__Z
#define TNN__SCHEDULE_DEPTH 8

/* Sets s to the options with their defaults; lr is that of the whole. `what` begins the message
   about an option out of range; NULL: of a schedule that has been checked. */
static tnn_status tnn__schedule_filled(const char *what, const tnn_schedule *given, double lr,
                                       tnn_schedule *s)
{
    const struct tnn__schedule_kind *kind = &tnn__schedule_kinds[TNN__NTH(given->type)];
    tnn__option options[sizeof tnn__schedule_options/sizeof *tnn__schedule_options];
    const double start = tnn__default(given->lr, lr);
    const double own[] = {
        start, (double)kind->steps,
        (double)(kind->down != -2 ? kind->down : given->steps ? given->steps : kind->steps),
        kind->gamma, kind->start, kind->end, start*tnn__default(given->end_factor, kind->end),
        kind->momentum[0], kind->momentum[1]
    };
    int i;
    memcpy(options, tnn__schedule_options, sizeof options);
    for (i = 0; i < TNN__COUNT_OF(own); i++) options[i].otherwise = own[i];
    options[1].least = kind->steps != 0;
    options[2].least = kind->down != 0;
    if (!(given->end_factor < 0)) options[5].least = TNN__MIN(kind->end, 0);    /* or .end_lr */
    *s = *given;
    if (kind->anneal >= 0) s->anneal = (tnn_anneal)kind->anneal;
    return tnn__check_ranges(what, s, options, TNN__COUNT_OF(options));
}

/* The .parts of a schedule need the same check, one level deeper. */
static tnn_status tnn__schedule_check(const tnn_schedule *given, double lr, int depth);
/* Refuses a schedule whose function, count, milestones or parts are missing or wrong; `s` is
   filled. */
static tnn_status tnn__schedule_needs(const struct tnn__schedule_kind *kind, const tnn_schedule *s,
                                      int depth)
{
    const int n = s->type == TNN_SEQUENTIAL ? s->count - 1 : s->count;
    int i;
    if ((kind->needs & 4) && !s->function)
        return tnn__fail(TNN_ERROR_ARGUMENT, "schedule %s: .function must be given", kind->name);
    if ((kind->needs & 3) && s->count < 1)
        return tnn__fail(TNN_ERROR_ARGUMENT, "schedule %s: .count = %d must be at least 1",
                         kind->name, s->count);
    if ((kind->needs & 1) && n && !s->milestones)
        return tnn__fail(TNN_ERROR_ARGUMENT, "schedule %s: %d .milestones must be given",
                         kind->name, n);
    for (i = 0; (kind->needs & 1) && i < n; i++)
        if (s->milestones[i] < (i ? s->milestones[i - 1] : 0))
            return tnn__fail(TNN_ERROR_ARGUMENT, "schedule %s: .milestones[%d] = %d must not "
                             "be less than %d", kind->name, i, s->milestones[i],
                             i ? s->milestones[i - 1] : 0);
    if ((kind->needs & 2) && !s->parts)
        return tnn__fail(TNN_ERROR_ARGUMENT, "schedule %s: %d .parts must be given",
                         kind->name, s->count);
    for (i = 0; (kind->needs & 2) && i < s->count; i++) {
        if (s->type == TNN_CHAINED && tnn__default(s->parts[i].lr, -1) >= 0)
            return tnn__fail(TNN_ERROR_ARGUMENT, "schedule chained: part %d has .lr = %g; only "
                             "the whole may", i, s->parts[i].lr);
        if (tnn__schedule_check(&s->parts[i], s->lr, depth + 1)) return (tnn_status)tnn_failed();
    }
    return TNN_OK;
}
/* Checks a schedule and its parts, themselves `depth` levels deep; lr is that of the whole. */
static tnn_status tnn__schedule_check(const tnn_schedule *given, double lr, int depth)
{
    static const char *const anneals[] = {"", "power", ""};
    static const tnn__option power = TNN__OPTION(tnn_schedule, power);
    const struct tnn__schedule_kind *kind;
    char what[64];
    tnn_schedule s;
    if (!given) return tnn__fail(TNN_ERROR_ARGUMENT, "schedule: none was given");
    if (tnn__choice("schedule", (int)given->type, TNN_CONSTANT)
        || tnn__choice("schedule: .anneal", (int)given->anneal, TNN_ANNEAL_LINEAR))
        return TNN_ERROR_ARGUMENT;
    kind = &tnn__schedule_kinds[TNN__NTH(given->type)];
    if (TNN__CHECK_OPTIONS("schedule", given, tnn__schedule_options, TNN_CONSTANT, given->type,
                           tnn__schedule_kinds, "per_epoch lr min_lr warmup warmup_factor:warmup "
                                                "start_factor end_lr end_factor:!end_lr")
        || (kind->anneal < 0
            && tnn__check_options("schedule: .anneal", given, &power, 1, TNN_ANNEAL_LINEAR,
                                  (int)given->anneal, anneals, sizeof *anneals, NULL)))
        return TNN_ERROR_ARGUMENT;
    if (depth && given->per_epoch)
        return tnn__fail(TNN_ERROR_ARGUMENT, "schedule %s: a part has no .per_epoch; it belongs to "
                         "the whole", kind->name);
    if (depth == TNN__SCHEDULE_DEPTH)
        return tnn__fail(TNN_ERROR_ARGUMENT, "schedule %s: parts within parts, more than %d deep",
                         kind->name, TNN__SCHEDULE_DEPTH);
    *tnn__put(tnn__put(tnn__put(what, what + 60, "schedule "), what + 60, kind->name), what + 60,
              ": ") = 0;
    if (tnn__schedule_filled(what, given, lr, &s)) return TNN_ERROR_ARGUMENT;
    return tnn__schedule_needs(kind, &s, depth);
}

/* How many of n milestones, which do not fall, are at step t or before. */
static int tnn__milestones_passed(const int *milestone, int n, long long t)
{
    int i = 0;
    while (i < n && milestone[i] <= t) i++;
    return i;
}
/* w(at/n), from 1 at 0 to 0 at n and beyond; (1 + cos(pi u))/2 = cos(pi u/2)^2, without
   cancellation. */
static double tnn__anneal(const tnn_schedule *s, double at, double n)
{
    const double u = at >= n ? 1 : at > 0 ? at/n : 0;
    const double c = tnn__cos_turn(u/4);
    return s->anneal == TNN_ANNEAL_COSINE ? c*c
         : s->anneal == TNN_ANNEAL_LINEAR ? tnn__pow(1 - u, s->power) : 1 - sqrt(u);
}

/* out: lr and momentum (NaN: left alone) at step t of a schedule that has been checked. */
static void tnn__schedule_at(const tnn_schedule *given, double lr, long long t, double out[2])
{
    const double none = TNN__NAN;
    const int momentum = (given->type == TNN_ONE_CYCLE || given->type == TNN_CYCLIC)
                         && !given->keep_momentum;
    const long long since = TNN__MAX(t - given->warmup, 0);
    tnn_schedule s;
    long long at = since, n, cycle = 0;
    double low, high, from[2], to[2], w = 1, x;
    int i;
    tnn__schedule_filled(NULL, given, lr, &s);
    n = s.steps;
    low = momentum ? s.base_momentum : none;
    high = momentum ? s.max_momentum : none;
    from[0] = s.lr*s.start_factor; from[1] = high;
    to[0] = s.end_lr;              to[1] = low;
    switch (s.type) {
    case TNN_CONSTANT:
        w = at < n;
        break;
    case TNN_STEP: case TNN_MULTISTEP: case TNN_EXPONENTIAL: case TNN_INVERSE_TIME:
        x = s.type == TNN_MULTISTEP ? tnn__milestones_passed(s.milestones, s.count, at)
          : s.type == TNN_STEP || s.staircase ? (double)(at/n) : (double)at/(double)n;
        w = s.type == TNN_INVERSE_TIME ? 1/(1 + s.gamma*x) : tnn__pow(s.gamma, x);
        break;
    case TNN_COSINE:                    /* falls and rises */
        at %= 2*n;
        w = tnn__anneal(&s, (double)TNN__MIN(at, 2*n - at), (double)n);
        break;
    case TNN_COSINE_RESTARTS:
        if (s.mult == 1) { cycle = at/n; at %= n; }
        else for (; at >= n; cycle++) { at -= n; n = n > since ? n : n*s.mult; }
        w = tnn__anneal(&s, (double)at, (double)n)*tnn__pow(s.cycle_gamma, (double)cycle);
        break;
    case TNN_CYCLIC:
        cycle = at/(n + s.steps_down);
        at %= n + s.steps_down;
        x = at <= n ? (double)at/(double)n
                    : (double)(n + s.steps_down - at)/(double)s.steps_down;
        w = 1 - x*tnn__pow(s.gamma, (double)since)*tnn__pow(s.cycle_gamma, (double)cycle);
        break;
    case TNN_ONE_CYCLE: {               /* two or three phases between these */
        const double least = s.lr/s.div_factor, last = least/s.final_div_factor, all = (double)n;
        const double rates[4] = { least, s.lr, s.three_phase ? least : last, last };
        const double momenta[4] = { high, low, high, high };
        double end[3], begin = 0;
        end[0] = s.pct_start*all - 1;
        end[1] = s.three_phase ? 2*s.pct_start*all - 2 : all - 1;
        end[2] = all - 1;
        for (i = 0; i < 1 + !!s.three_phase && (double)at > end[i]; i++) begin = end[i];
        from[0] = rates[i];     to[0] = rates[i + 1];
        from[1] = momenta[i];   to[1] = momenta[i + 1];
        w = tnn__anneal(&s, (double)at - begin, end[i] - begin);
        break; }
    case TNN_SEQUENTIAL:
        i = tnn__milestones_passed(s.milestones, s.count - 1, at);
        tnn__schedule_at(&s.parts[i], s.lr, i ? at - s.milestones[i - 1] : at, from);
        to[0] = to[1] = 0;
        break;
    case TNN_CHAINED:
        for (i = 0; i < s.count; i++) {
            tnn__schedule_at(&s.parts[i], from[0], at, out);
            from[0] = out[0];
            if (out[1] >= 0) from[1] = out[1];
        }
        to[0] = to[1] = 0;
        break;
    case TNN_LAMBDA:
        w = s.function(s.user, at);
        break;
    case TNN_MULTIPLICATIVE:
        for (at = 1; at <= since; at++) w *= s.function(s.user, at);
        break;
    case TNN_WSD:
        at -= n;
        n = s.steps_down;
        /* fall through */
    default:                            /* LINEAR, POLYNOMIAL, ANNEAL */
        w = tnn__anneal(&s, (double)at, (double)n);
    }
    for (i = 0; i < 2; i++) out[i] = to[i] + (from[i] - to[i])*w;
    out[0] = out[0] < s.min_lr ? s.min_lr : out[0];
    if (t < s.warmup)
        out[0] *= s.warmup_factor + (1 - s.warmup_factor)*(double)t/(double)s.warmup;
}

static double tnn__schedule_value(const tnn_schedule *s, long long step, int which)
{
    double out[2];
    out[0] = out[1] = TNN__NAN;
    if (tnn_failed()) return out[0];
    if (step < 0 || step > (long long)1 << 53)
        tnn__fail(TNN_ERROR_ARGUMENT, "schedule: step %l must be 0 to 2^53", step);
    else if (!tnn__schedule_check(s, 1e-3, 0)) tnn__schedule_at(s, 1e-3, step, out);
    return out[which];
}
TNN_API_GATED double tnn_schedule_lr(const tnn_schedule *schedule, long long step)
{
    return tnn__schedule_value(schedule, step, 0);
}
TNN_API_GATED double tnn_schedule_momentum(const tnn_schedule *schedule, long long step)
{
    return tnn__schedule_value(schedule, step, 1);
}

static tnn_status tnn__follow_schedule(tnn_net *net)
{
    double value[2];
    if (!net->schedule.type) return TNN_OK;
    tnn__schedule_at(&net->schedule, 0, net->schedule_step, value);
    if (tnn_failed() || tnn_set_lr(net, value[0])) return (tnn_status)tnn_failed();
    return value[1] >= 0 ? tnn_set_momentum(net, value[1]) : TNN_OK;
}
TNN_API_GATED tnn_status tnn_set_schedule_with(tnn_net *net, const tnn_schedule *schedule)
{
    tnn_net before;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || !net->optimizer.type)
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_set_schedule: no network, or no optimizer; that comes first");
    if (schedule && tnn__schedule_check(schedule, net->optimizer.lr, 0))
        return (tnn_status)tnn_failed();
    before = *net;
    memset(&net->schedule, 0, sizeof net->schedule);
    net->schedule_step = 0;
    if (!schedule) return TNN_OK;
    net->schedule = *schedule;
    if (!(tnn__default(schedule->lr, -1) >= 0)) net->schedule.lr = net->optimizer.lr;
    if (tnn__follow_schedule(net)) *net = before;
    return (tnn_status)tnn_failed();
}
TNN_API_GATED tnn_status tnn_end_epoch(tnn_net *net)
{
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net) return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_end_epoch: no network");
    net->schedule_step += net->schedule.per_epoch != 0;
    return TNN_OK;
}

TNN_API_GATED int tnn_plateau_update(tnn_plateau *p, double metric, double *lr)
{
    static const tnn__option options[] = {
#define TNN__X(member, otherwise, most) TNN__RANGE(tnn_plateau, member, 'd', otherwise, 0, most),
#define TNN__Y(member, otherwise) TNN__RANGE(tnn_plateau, member, 'i', otherwise, 0, INT_MAX),
        TNN__OPTION(tnn_plateau, absolute), TNN__OPTION(tnn_plateau, keras),
        TNN__X(eps, 1e-8, 1e30) TNN__X(threshold, 1e-4, 1e30) TNN__X(min_lr, 0, 1e30)
        TNN__RANGE(tnn_plateau, factor, 'D', 0.1, 0, 1),
        TNN__Y(patience, 10) TNN__Y(cooldown, 0)
#undef TNN__X
#undef TNN__Y
    };
    tnn_plateau filled;
    double reach, lower;
    int counted, keras, enough, reduced;
    if (tnn_failed()) return 0;
    if (!p || !lr || !(*lr >= 0)) {
        tnn__fail(TNN_ERROR_ARGUMENT, p && lr ? "tnn_plateau_update: lr = %g must not be negative"
                  : "tnn_plateau_update: no tnn_plateau or no lr", lr ? *lr : 0);
        return 0;
    }
    filled = *p;
    if (tnn__check_options("tnn_plateau_update", p, options, 3, 0, 0, NULL, 0,
                           "keras absolute:!keras eps:!keras")
        || tnn__check_ranges("tnn_plateau_update: ", &filled, options, TNN__COUNT_OF(options)))
        return 0;
    keras = p->keras != 0;
    if (!p->updates++) p->best = p->max ? -HUGE_VAL : HUGE_VAL;
    /* of the epochs that cool down torch ignores the last one, too */
    counted = p->cooling <= keras;
    p->cooling -= p->cooling > 0;
    reach = (p->max ? 1 : -1)*filled.threshold;
    reach = p->absolute || keras ? p->best + reach : p->best*(1 + reach);
    if (p->max ? metric > reach : metric < reach) {
        p->best = metric;
        p->bad = 0;
    } else p->bad += counted;
    enough = p->bad > 0 && p->bad > filled.patience - keras;
    if (!enough) return 0;
    lower = TNN__MAX(*lr*filled.factor, filled.min_lr);
    reduced = keras ? *lr > filled.min_lr : *lr - lower > filled.eps;
    if (reduced) *lr = lower;
    if (reduced || !keras) {
        p->cooling = p->cooldown;
        p->bad = 0;
    }
    return reduced;
}

/* ==== 12. NETWORKS =============================================================================
   Here all parts are put together. tnn_add records a layer and checks what it can of its options.
   tnn_build plans, once:
     operations   tnn__plan_ops: one for each layer that is not fused, shapes as they come; before
                  it a reshape, padding or copy where a layer needs one
     gradients    tnn__plan_gradients: which blobs need one; whose reader stores, whose adds
     tensors      tnn__plan_tensors: their numbers, in PyTorch's order
     memory       tnn__place: every array's place in ONE allocation. It runs twice, first to count,
                  then to place; so tnn_net_bytes can tell before anything is allocated
     values       tnn__init_params: the initial weights

   A batch then goes through
     tnn_forward  for each operation what comes before (DropConnect, Winograd's weights); then along
                  the operations: a dense one as a matrix product over the batch, a trunk sample by
                  sample. A task is a SPAN of samples. How many spans there are depends on the batch
                  alone, never on the threads
     tnn_loss     section 8: the loss of each sample and the gradient of the last blob
     tnn_backward the same way back. In a trunk every span adds its gradients of the weights into a
                  partial sum of its own; afterwards they are added up in the order of spans. So the
                  same numbers are added in the same order whatever the threads. Gradients that are
                  not finite are refused
     tnn_step     penalties and clipping, the optimizer's rule (section 10), constraints, averages,
                  the schedule (section 11)
   Each of them is refused out of this order, which net->stage tells. */

/* ---- 12a. Recording and planning ------------------------------------------------------------- */

TNN_API_GATED tnn_net *tnn_create_with(const tnn_net_options *options)
{
    static const tnn__option room[] = {
        TNN__OPTION(tnn_net_options, memory), TNN__OPTION(tnn_net_options, bytes)
    };
    tnn_net *net, first;
    tnn_net_options o;
    int i;
    tnn__kernels();             /* which fails where flags have changed arithmetic */
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
    if (tnn__choice("tnn_create: .dialect", (int)o.dialect, TNN_KERAS)
        || TNN__CHECK_READ("tnn_create", &o, room, "memory bytes:memory")) return NULL;
    if (o.batch < 1 || o.threads < 0) {
        tnn__fail(TNN_ERROR_ARGUMENT,
                  "tnn_create: .batch = %d must be at least 1, .threads = %d not negative",
                  o.batch, o.threads);
        return NULL;
    }
    memset(&first, 0, sizeof first);
    first.options = o;
    net = (tnn_net *)tnn__net_alloc(&first, (tnn__len)sizeof *net, "tnn_create");
    if (net) *net = first;
    return net;
}
TNN_API void tnn_free(tnn_net *net)
{
    if (!net) return;
    if (net->options.memory) return;
    tnn__release(net->memory);
    tnn__release(net->record);
    tnn__release(net->loaned_weights);
    tnn__release(net);
}

/* TNN_ZERO where zero is the default. */
static void tnn__zeros(tnn_layer *o)
{
    o->l1 = tnn__default(o->l1, 0);
    o->l2 = tnn__default(o->l2, 0);
    o->orthogonal = tnn__default(o->orthogonal, 0);
    o->norm_min = tnn__default(o->norm_min, 0);
    o->drop_connect = (float)tnn__default((double)o->drop_connect, 0);
}
/* Keras' defaults, as options that mean the same in PyTorch's terms. */
static void tnn__keras_layer(tnn_layer *layer)
{
    const tnn__extras *extras = tnn__layer_kinds[TNN__NTH(layer->type)].extras;
    if (extras && extras->keras) extras->keras(layer);
    if (layer->init == TNN_INIT_DEFAULT) layer->init = TNN_INIT_XAVIER_UNIFORM;
}
/* What a layer's own options can be refused for; what depends on its input is left to the plan. */
static tnn_status tnn__check_layer(const tnn_layer *layer)
{
    tnn_status e = tnn__choice("tnn_add", (int)layer->type, TNN_CONV2D);
    if (!e && layer->mode) e = tnn__choice("tnn_add: .mode", (int)layer->mode, TNN_ZEROS);
    if (!e && layer->pad_mode)
        e = tnn__choice("tnn_add: .pad_mode", (int)layer->pad_mode, TNN_ZEROS);
    if (!e) e = TNN__CHECK_OPTIONS("tnn_add", layer, tnn__layer_options, TNN_CONV2D, layer->type,
                                   tnn__layer_kinds, "from lr_scale decay_scale frozen");
    if (!e) e = tnn__check_start(layer);
    if (!e) e = tnn__check_regularizers(layer);
    if (e) return e;
    if (!(layer->lr_scale >= 0) || !(layer->decay_scale >= 0)
        || (double)(layer->lr_scale + layer->decay_scale) > 1e30)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_add: .lr_scale = %g and .decay_scale = %g must "
                         "be 0 or more, at most 1e30 together",
                         (double)layer->lr_scale, (double)layer->decay_scale);
    return TNN_OK;
}
TNN_API int tnn_layer_count(const tnn_net *net) { return net ? net->layers : 0; }
TNN_API_GATED tnn_status tnn_add_with(tnn_net *net, const tnn_layer *layer)
{
    tnn_status e;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || !layer)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_add: no %s", net ? "layer"
                         : "network: tnn_create gives one");
    if (net->built)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_add: the network has been built; "
                         "layers come before the first forward");
    tnn__err.layer = net->layers + 1;
    e = tnn__check_layer(layer);
    tnn__err.layer = 0;
    if (e) return e;
    if (net->layers == net->capacity) {
        const int n = net->capacity ? 2*net->capacity : 16;
        const tnn__len each = (tnn__len)(sizeof(tnn__record) + 5*sizeof(tnn__named)
                                         + 3*(sizeof(tnn__op) + sizeof(tnn__blob)));
        tnn__record *r = (tnn__record *)tnn__net_alloc(net, each*(n + 1), "tnn_add");
        if (!r) return TNN_ERROR_MEMORY;
        if (net->layers) memcpy(r, net->record, (size_t)net->layers*sizeof *r);
        tnn__net_release(net, net->record);
        net->record = r;
        net->tensor = (tnn__named *)(void *)(r + n);
        net->op = (tnn__op *)(void *)(net->tensor + 5*(size_t)n);
        net->blob = (tnn__blob *)(void *)(net->op + 3*(size_t)n + 1);
        net->capacity = n;
    }
    net->record[net->layers].o = *layer;
    tnn__zeros(&net->record[net->layers].o);
    if (net->options.dialect == TNN_KERAS) tnn__keras_layer(&net->record[net->layers].o);
    net->record[net->layers].file = tnn__err.file;
    net->record[net->layers].line = tnn__err.line;
    net->layers++;
    return TNN_OK;
}

/* The blob that a layer's .from names, and its shape. */
static int tnn__named_blob(const tnn_net *net, int from, tnn__blob *b)
{
    const int at = from == TNN_FROM_INPUT ? !net->direct : net->record[from - 1].blob;
    *b = net->blob[at];
    b->flat = from == TNN_FROM_INPUT ? 0 : net->record[from - 1].flat;
    return at;
}
/* Where planning is: operations so far, the blob that the next layer reads, and its shape. */
typedef struct { int ops, at; tnn__blob b; } tnn__planning;

/* The next operation, which reads blob plan->at. */
static tnn__op *tnn__new_op(tnn_net *net, const tnn__planning *plan, int type, int layer)
{
    tnn__op *op = &net->op[plan->ops];
    memset(op, 0, sizeof *op);
    op->kind = &tnn__layer_kinds[TNN__NTH(type)];
    op->type = type;
    op->layer = op->drawn = layer;
    op->in = plan->at;
    op->from = -1;
    return op;
}
/* It is complete: its output has shape plan->b. */
static void tnn__end_op(tnn_net *net, tnn__planning *plan)
{
    net->blob[++plan->ops] = plan->b;
    plan->at = plan->ops;
}
/* Makes a flattened image the channels of one pixel, by an operation where it is not that yet. */
static void tnn__plan_channels(tnn_net *net, tnn__planning *plan, int layer)
{
    if (!tnn__as_channels(&plan->b)) return;
    tnn__new_op(net, plan, TNN_RESHAPE, layer)->tmp_floats = plan->b.c;
    tnn__end_op(net, plan);
}

/* Marks the layers that others name; checks the names. Returns whether there are any; -1: error. */
static int tnn__plan_names(tnn_net *net)
{
    int i, any = 0;
    for (i = 0; i < net->layers; i++) net->record[i].named = 0;
    for (i = 0; i < net->layers; i++) {
        const tnn_layer *layer = &net->record[i].o;
        const tnn__layer_kind *kind = &tnn__layer_kinds[TNN__NTH(layer->type)];
        const int from = layer->from;
        tnn__about(net, i);
        if (from < TNN_FROM_INPUT || from > i) {
            tnn__fail(TNN_ERROR_ARGUMENT, "%s: .from = %d must be the number of a layer before it, "
                      "counted from 1 (here up to %d), or TNN_FROM_INPUT", kind->name, from, i);
            return -1;
        }
        if ((kind->flags & TNN__TWO) && !from) {
            tnn__fail(TNN_ERROR_ARGUMENT, "%s: needs a second input: .from", kind->name);
            return -1;
        }
        if (from > 0) net->record[from - 1].named = 1;
        any |= from != 0;
    }
    return any;
}

/* What has to come before the operation of a layer: its inputs as channels, padding, and a copy of
   an input whose gradient it wants alone. `from` and second: the blob of a second input, its
   shape. */
static tnn_status tnn__plan_before(tnn_net *net, tnn__planning *plan, int layer, int copy,
                                   int *from, tnn__blob *second)
{
    const tnn_layer *o = &net->record[layer].o;
    const tnn__layer_kind *kind = &tnn__layer_kinds[TNN__NTH(o->type)];
    tnn__blob b[2];
    *from = -1;
    b[0] = plan->b;
    if (kind->flags & TNN__TWO) *from = tnn__named_blob(net, o->from, &b[1]);
    if (tnn__wants_channels(o, b)) {
        if (*from >= 0) {
            tnn__planning other;
            other.ops = plan->ops;
            other.at = *from;
            other.b = b[1];
            tnn__plan_channels(net, &other, layer);
            plan->ops = other.ops;
            *from = other.at;
            b[1] = other.b;
        }
        tnn__plan_channels(net, plan, layer);
    }
    if (*from >= 0) *second = b[1];
    if (plan->b.flat && tnn__flat_input(o) == TNN__IMAGES)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: its input has been flattened to %d values; it goes "
                         "before that", kind->name, tnn__values(&plan->b));
    if (tnn__pads_first(o)) {
        tnn_layer pad = *o;
        pad.mode = pad.pad_mode;
        if (tnn__pad_shape(tnn__new_op(net, plan, TNN_PAD, layer), &pad, &plan->b))
            return (tnn_status)tnn_failed();
        tnn__end_op(net, plan);
    }
    if (copy) {
        tnn__new_op(net, plan, TNN_IDENTITY, layer);
        tnn__end_op(net, plan);
    }
    return TNN_OK;
}
/* The operation of a layer that has one; returns how many layers after it are fused into it, -1 on
   error. */
static int tnn__plan_layer(tnn_net *net, tnn__planning *plan, int i, int from,
                           const tnn__blob *second)
{
    const tnn__layer_kind *kind = &tnn__layer_kinds[TNN__NTH(net->record[i].o.type)];
    tnn_layer layer = net->record[i].o;
    tnn__op *op = tnn__new_op(net, plan, (int)layer.type, i);
    tnn__blob b[2];
    int fused = 0;
    op->from = from;
    b[0] = plan->b;
    if (from >= 0) b[1] = *second;
    if (tnn__pads_first(&layer)) layer.pad = layer.pad_h = layer.pad_w = 0;
    if (kind->shape(op, &layer, b)) return -1;
    if (tnn__mul(tnn__mul(b->c, b->h), b->w) > TNN__MOST) {
        tnn__fail(TNN_ERROR_SHAPE, "%s: its output %dx%dx%d has more than %d values", kind->name,
                  b->c, b->h, b->w, TNN__MOST);
        return -1;
    }
    if (kind->extras && kind->extras->fuse) fused = kind->extras->fuse(net, i, op, b);
    plan->b = b[0];
    tnn__end_op(net, plan);
    return fused;
}
/* One operation for each layer that is not fused into the one before; shapes as they come. */
static tnn_status tnn__plan_ops(tnn_net *net)
{
    const int named = tnn__plan_names(net);
    int i, k, first = 0;
    tnn__planning plan;
    if (named < 0) return (tnn_status)tnn_failed();
    memset(&plan, 0, sizeof plan);
    plan.b.c = net->options.input[0];
    plan.b.h = net->options.input[1];
    plan.b.w = net->options.input[2];
    net->blob[0] = plan.b;
    while (first < net->layers - 1 && net->record[first].o.type == TNN_FLATTEN) first++;
    net->direct = !named && (plan.b.c == 1 || plan.b.h*plan.b.w == 1)
        && (tnn__layer_kinds[TNN__NTH(net->record[first].o.type)].flags & TNN__ON_BATCH);
    if (!net->direct) {
        tnn__new_op(net, &plan, TNN__INPUT, 0);
        tnn__end_op(net, &plan);
    }
    for (i = 0; i < net->layers; i++) {
        const tnn_layer *layer = &net->record[i].o;
        const tnn__layer_kind *kind = &tnn__layer_kinds[TNN__NTH(layer->type)];
        const int none = kind->flags & TNN__NOTHING_TO_DO;
        int fused = 0, from;
        tnn__blob second;
        tnn__about(net, i);
        if (layer->from && !(kind->flags & TNN__TWO))
            plan.at = tnn__named_blob(net, layer->from, &plan.b);
        if (none) plan.b.flat |= layer->type == TNN_FLATTEN;
        /* the last layer's output is the last blob */
        if (!none || (i == net->layers - 1 && plan.at != plan.ops)) {
            const int copy = none || (named && (kind->flags & TNN__ON_BATCH));
            if (tnn__plan_before(net, &plan, i, copy, &from, &second)) break;
            if (!none) fused = tnn__plan_layer(net, &plan, i, from, &second);
            if (fused < 0) break;
        }
        for (k = i + fused; i <= k; i++) {
            net->record[i].blob = plan.at;
            net->record[i].flat = plan.b.flat;
        }
        i = k;
    }
    net->ops = plan.ops;
    net->blob[plan.ops].flat = plan.b.flat;
    return (tnn_status)tnn_failed();
}
/* Lists the tensors with names: first weight and bias of each operation, then what is not
   trained. */
static void tnn__plan_tensors(tnn_net *net)
{
    int i, which, first;
    net->tensors = net->trained_tensors = 0;
    for (first = TNN__WEIGHT; first <= TNN__MEAN; first += TNN__MEAN) {
        for (i = 0; i < net->ops; i++)
            for (which = first; which < (first ? TNN__TENSORS : TNN__MEAN); which++) {
                const tnn__op *op = &net->op[i];
                tnn__named *t = &net->tensor[net->tensors];
                if (!(which == TNN__BATCHES ? op->cumulative : first ? op->s_floats > 0
                      : which ? op->b_floats > 0 : op->w_floats > 0)) continue;
                t->op = op;
                t->which = which;
                net->tensors++;
            }
        if (!first) net->trained_tensors = net->tensors;
    }
}

/* Who needs gradients: what is trained, and all between it and the loss. The plan is made as if all
   were; what is frozen by then or later is left out when the tensors of parameters are known. */
static void tnn__plan_needs(tnn_net *net)
{
    int i;
    for (i = 0; i < net->ops; i++) net->op[i].frozen = 0;
    for (i = 0; i < net->segments; i++)
        if (net->segment[i].frozen)
            net->op[net->segment[i].op - net->op].frozen |= net->segment[i].bias ? 2 : 1;
    net->blob[0].needs_grad = 0;
    for (i = 0; i < net->ops; i++) {
        tnn__op *op = &net->op[i];
        op->trained = op->w_floats > 0 && op->frozen != (op->b_floats ? 3 : 1);
        op->needs_dx = net->blob[op->in].needs_grad;
        op->needs_dx2 = op->from >= 0 && net->blob[op->from].needs_grad;
        net->blob[i + 1].needs_grad = op->trained || op->needs_dx || op->needs_dx2;
        if (op->w_floats && !op->trained && net->flat[TNN__G])
            memset(net->flat[TNN__G] + op->w, 0,
                   (size_t)(op->w_floats + op->b_floats)*sizeof(float));
    }
}
/* Who reads which blob, and who has to add its gradient to another's. */
static tnn_status tnn__plan_gradients(tnn_net *net)
{
    int i;
    net->segments = 0;
    tnn__plan_needs(net);
    for (i = 0; i <= net->ops; i++) net->blob[i].readers = 0;
    for (i = 0; i < net->ops; i++) {
        tnn__op *op = &net->op[i];
        tnn__blob *in = &net->blob[op->in], *in2 = op->from < 0 ? NULL : &net->blob[op->from];
        in->readers++;
        in->last_reader = i;
        if (in2) in2->readers++;
        if (in2) in2->last_reader = i;
    }
    /* backward the last reader comes first and stores, the others add */
    for (i = 0; i < net->ops; i++) {
        tnn__op *op = &net->op[i];
        op->adds_dx = net->blob[op->in].last_reader != i;
        op->adds_dx2 = op->from >= 0 && (net->blob[op->from].last_reader != i
                                         || op->from == op->in);
    }
    for (i = 1; i < net->ops; i++)
        if (!net->blob[i].readers) {
            const int layer = net->op[i - 1].layer;
            tnn__about(net, layer);
            return tnn__fail(TNN_ERROR_ARGUMENT, "%s: no layer reads its output",
                             tnn__layer_kinds[TNN__NTH(net->record[layer].o.type)].name);
        }
    return TNN_OK;
}


/* Whether its parameters' gradients come from the whole batch, not from spans of it. */
static int tnn__over_batch(const tnn__op *op)
{
    return (op->kind->flags & (TNN__ON_BATCH | TNN__SUMS)) != 0;
}
/* Floats that the sums of its gradients over a span take, besides those (low in 3a): a matrix
   product's have none, and hooks do as they like. */
static tnn__len tnn__op_low(const tnn__op *op)
{
    if (op->custom) return 0;
    return op->b_floats + (op->q.inner > 0 && !op->q.depthwise ? 0 : op->w_floats);
}

/* Frames, strides and sizes of the blobs. */
static void tnn__place_blobs(tnn_net *net, tnn__room *room)
{
    int i, side;
    for (i = 0; i <= net->ops; i++) memset(net->blob[i].frame, 0, sizeof net->blob[i].frame);
    for (i = 0; i < net->ops; i++)
        for (side = 0; side < 4; side++) {
            int *frame = &net->blob[net->op[i].in].frame[side];
            *frame = TNN__MAX(*frame, net->op[i].frame[side]);
        }
    for (i = 0; i <= net->ops; i++) {
        tnn__blob *b = &net->blob[i];
        b->row = tnn__mul(b->frame[2] + b->w + b->frame[3], b->c);
        b->at = tnn__mul(b->frame[0], b->row) + (tnn__len)b->frame[2]*b->c;
        b->sample = tnn__round_up(tnn__mul(b->frame[0] + b->h + b->frame[1], b->row), 16);
        /* rows a page apart would share few cache sets */
        if (b->sample%1024 == 0) b->sample += 16;
        /* a convolution's dw reads the last pixel's dy as whole panels: not into the next sample */
        b->grad_sample = tnn__round_up(tnn__values(b) + (b->c%16 ? 15 : 0), 16);
        if (b->grad_sample%1024 == 0) b->grad_sample += 16;
        if (i == 0 && net->direct) b->sample = tnn__values(b);
        room->most = TNN__MAX(room->most, b->grad_sample);
    }
}
/* Where each operation's parameters and statistics are. */
static void tnn__place_params(tnn_net *net)
{
    int i;
    net->params = net->buffer_floats = net->partial_floats = 0;
    for (i = 0; i < net->ops; i++) {
        tnn__op *op = &net->op[i];
        op->w = net->params;
        net->params += op->w_floats;
        op->b = net->params;
        net->params = TNN__MIN(net->params + op->b_floats, TNN__HUGE/64);
        op->s = net->buffer_floats;
        net->buffer_floats += op->s_floats;
        op->partial = net->partial_floats;
        if (op->trained && !tnn__over_batch(op))
            net->partial_floats += op->w_floats + op->b_floats + tnn__op_low(op);
    }
}
/* Activations, and the gradients that are not scratch: at operations on the whole batch, of blobs
   that are not read just by the next operation, as its first input. */
static void tnn__place_data(tnn_net *net, tnn__room *room)
{
    int i;
    for (i = 0; i <= net->ops; i++) {
        tnn__blob *b = &net->blob[i];
        const int before = i > 0 && tnn__over_batch(&net->op[i - 1]);
        const int after = i == net->ops || (net->op[i].kind->flags & TNN__ON_BATCH)
                          || b->readers != 1 || net->op[i].in != i;
        if (i > 0) b->data = tnn__take(&room->arena,
                                       tnn__mul(room->batch, b->sample) + TNN__SLACK);
        b->grad = room->training && i > 0 && (before || after)
            ? tnn__take(&room->arena, tnn__mul(room->batch, b->grad_sample) + TNN__SLACK) : NULL;
    }
}
/* What each operation needs for itself, in the network and in the threads' scratch. */
static void tnn__place_ops(tnn_net *net, tnn__room *room)
{
    int i, adds = 0;
    net->scratch_floats = 0;
    for (i = 0; i < net->ops; i++) {
        tnn__op *op = &net->op[i];
        const tnn__extras *extras = op->kind->extras;
        adds |= op->adds_dx | op->adds_dx2;
        op->where = op->pool.kh && (op->kind->flags & TNN__MAXIMA) && room->training
            ? tnn__take(&room->arena, tnn__mul(room->batch, tnn__values(&net->blob[i + 1]))) : NULL;
        op->masked = op->drop_connect > 0 ? tnn__take(&room->arena, op->w_floats) : NULL;
        op->tmp = tnn__scratch(net, op->tmp_floats);
        if (extras && extras->place) extras->place(net, op, room);
        if (net->record[op->layer].o.orthogonal > 0)
            room->gram = TNN__MAX(room->gram, tnn__gram_floats(&op->q));
    }
    for (i = 0; i < 4; i++)         /* gradients between the operations of a trunk */
        net->g[i] = tnn__scratch(net, room->training && (i < 2 || adds) ? room->most + TNN__SLACK
                                                                        : 0);
}
/* Where everything is. Called twice: to count, and to place. */
static tnn__len tnn__place(tnn_net *net, float *memory)
{
    const tnn__len values = tnn__values(&net->blob[net->ops]);
    tnn__room room;
    tnn__arena *arena = &room.arena;
    memset(&room, 0, sizeof room);
    arena->memory = memory;
    room.training = net->loss.type != 0;
    room.batch = net->options.batch;
    room.most = (tnn__len)TNN__DX_BLOCK*32;     /* a dense layer's dx passes through g[0], too */
    tnn__place_blobs(net, &room);
    tnn__place_params(net);
    tnn__place_optimizer(net, arena);
    net->buffers = memory ? net->flat[TNN__W] + net->params : NULL;
    net->held = memory ? net->buffers + net->buffer_floats : NULL;
    net->moved = memory ? net->held + net->buffer_floats : NULL;
    net->partial = room.training
        ? tnn__take(arena, tnn__mul(tnn__spans(net->partial_floats, room.batch),
                                    net->partial_floats)) : NULL;
    tnn__place_loss(net, arena);
    tnn__place_data(net, &room);
    tnn__place_ops(net, &room);
    net->gram = tnn__take(arena, room.gram);
    net->scratch = tnn__take(arena, tnn__mul(net->threads, net->scratch_floats));
    net->turned = room.training ? tnn__take(arena, room.turned) : NULL;
    net->panels = room.training ? tnn__take(arena, room.panels) : NULL;
    net->output = tnn__take(arena, tnn__mul(room.batch, values));
    return arena->used + TNN__SLACK;
}

/* A part of the plan; its messages name layers. The caller's line is back afterwards. */
static tnn_status tnn__plan_part(tnn_net *net, tnn_status (*part)(tnn_net *net))
{
    const char *file = tnn__err.file;
    const int line = tnn__err.line;
    const tnn_status e = part(net);
    tnn__err.file = file;
    tnn__err.line = line;
    tnn__err.layer = 0;
    return e;
}
/* The operations and their shapes, which are all there is of a network to which layers may still
   come. */
static tnn_status tnn__plan_shapes(tnn_net *net)
{
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net) return tnn__fail(TNN_ERROR_ARGUMENT, "no network: tnn_create gives one");
    if (net->built) return TNN_OK;
    if (!net->layers)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_build: the network has no layers; tnn_add adds "
                         "them");
    return tnn__plan_part(net, tnn__plan_ops);
}
/* All that is known without memory; nothing if the network has been built. */
static tnn_status tnn__plan(tnn_net *net)
{
    tnn_status e = tnn__plan_shapes(net);
    if (e || net->built) return e;
    if ((e = tnn__plan_part(net, tnn__plan_gradients)) != TNN_OK) return e;
    tnn__plan_tensors(net);
    if ((e = tnn__check_loss(net, &net->loss)) != TNN_OK) return e;
    net->threads = net->options.threads ? TNN__MIN(net->options.threads, TNN__MAX_THREADS)
                                        : tnn_threads();
    net->memory_floats = tnn__place(net, NULL);
    net->param_total = tnn__count_params(net);
    return TNN_OK;
}
TNN_API_GATED size_t tnn_net_bytes(tnn_net *net)
{
    tnn__len bytes;
    if (tnn__plan(net)) return 0;
    if (net->options.memory && net->built) return net->most;
    bytes = tnn__mul(net->memory_floats, (tnn__len)sizeof(float)) + TNN__ALIGN
            + (tnn__len)(net->options.memory ? net->used : sizeof(char *));
    if (bytes < TNN__HUGE && bytes == (tnn__len)(size_t)bytes) return (size_t)bytes;
    tnn__fail(TNN_ERROR_MEMORY, "tnn_net_bytes: %l bytes, more than an address can tell",
              (long long)bytes);
    return 0;
}
TNN_API_GATED tnn_status tnn_build(tnn_net *net)
{
    tnn_status e = tnn__plan(net);
    size_t mark;
    if (e || net->built) return e;
    if ((e = tnn__check_last(net)) != TNN_OK) return e;
    mark = net->used;
    net->memory = (float *)tnn__net_alloc(net, tnn__mul(net->memory_floats,
                                                        (tnn__len)sizeof(float)), "tnn_build");
    if (!net->memory) return TNN_ERROR_MEMORY;
    tnn__place(net, net->memory);
    tnn__place_weights(net);
    e = tnn__init_params(net);
    net->built = !e;
    if (e) {
        tnn__net_release(net, net->memory);
        net->used = mark;
        net->memory = NULL;
        return e;
    }
    tnn__segments(net);
    tnn__plan_needs(net);
    return TNN_OK;
}
TNN_API_GATED int tnn_output_shape(tnn_net *net, int shape[3])
{
    const tnn__blob *b;
    int ignored[3];
    if (!shape) shape = ignored;
    shape[0] = shape[1] = shape[2] = 0;
    if (tnn__plan_shapes(net)) return 0;
    b = &net->blob[net->ops];
    shape[0] = b->flat ? b->c*b->h*b->w : b->c;
    shape[1] = b->flat ? 1 : b->h;
    shape[2] = b->flat ? 1 : b->w;
    return b->c*b->h*b->w;
}

TNN_API_GATED tnn_status tnn_set_loss_with(tnn_net *net, const tnn_loss_options *loss)
{
    tnn_loss_options o;
    tnn__criterion c;
    tnn__view v;
    const float *given[2];
    float *copy = NULL;
    size_t mark;
    int i, k, shape[3];
    tnn_status e;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || !loss) return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_loss: no network or no loss");
    if (tnn__choice("tnn_set_loss", (int)loss->type, TNN_CROSS_ENTROPY)
        || tnn__choice("tnn_set_loss: .reduction", (int)loss->reduction, TNN_REDUCE_SUM)
        || TNN__CHECK_OPTIONS("tnn_set_loss", loss, tnn__loss_options, TNN_CROSS_ENTROPY,
                              loss->type, tnn__loss_kinds, "reduction per_pixel"))
        return TNN_ERROR_ARGUMENT;
    if (net->built)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_loss: the network has been built; "
                         "the loss comes before the first forward");
    o = *loss;
    if ((e = tnn__loss_defaults(&o, &c)) != TNN_OK) return e;
    if (o.p < 0 || o.p > 2)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_loss: .p = %d must be 1 or 2", o.p);
    if (o.gamma > 0 && o.label_smoothing > 0)
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_set_loss: .gamma and .label_smoothing do not go together");
    if (o.type == TNN_CUSTOM_LOSS && !o.custom)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_loss: TNN_CUSTOM_LOSS needs "
                         ".custom, the function that computes it");
    if (!tnn_output_shape(net, shape)) return (tnn_status)tnn_failed();
    v = tnn__loss_view(net, &o);
    given[0] = o.class_weights;
    given[1] = o.pos_weights;
    o.class_weights = o.pos_weights = NULL;         /* not yet counted */
    if ((e = tnn__check_loss(net, &o)) != TNN_OK) return e;
    mark = net->used;
    if (given[0] || given[1]) {
        copy = (float *)tnn__net_alloc(net, (2*(tnn__len)v.classes + TNN__SLACK)
                                            *(tnn__len)sizeof *copy, "tnn_set_loss");
        if (!copy) return TNN_ERROR_MEMORY;
    }
    for (k = 0; k < 2; k++)
        for (i = 0; given[k] && i < v.classes; i++) {
            const float w = copy[k*v.classes + i] = given[k][i];
            if (w >= 0 && w <= 1e30f) continue;
            tnn__net_release(net, copy);
            net->used = mark;
            return tnn__fail(TNN_ERROR_ARGUMENT,
                             "tnn_set_loss: %s[%d] = %g must be in [0, 1e30]",
                             k ? ".pos_weights" : ".class_weights", i, (double)w);
        }
    tnn__net_release(net, net->loaned_weights);
    net->loaned_weights = copy;
    net->weight_count = v.classes;
    if (given[0]) o.class_weights = copy;
    if (given[1]) o.pos_weights = copy + v.classes;
    net->loss = o;
    net->criterion = c;
    return TNN_OK;
}
/* Whether a data set's one label per sample is what the loss wants. */
static tnn_status tnn__one_label(const char *what, tnn_net *net)
{
    tnn_status e = tnn__plan(net);
    if (e || net->loss.custom || tnn__loss_view(net, &net->loss).pixels == 1) return e;
    return tnn__fail(TNN_ERROR_SHAPE, "%s: a data set has one label per sample, the loss sees %d "
                     "pixels; labels of pixels go to tnn_train_batch and, one batch at a time, "
                     "tnn_loss", what, tnn__loss_view(net, &net->loss).pixels);
}
TNN_API_GATED double tnn_penalty(tnn_net *net)
{
    double total = 0;
    tnn__regularizer r;
    const tnn_layer *o;
    int i;
    if (tnn_build(net)) return TNN__NAN;
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
            tnn__each_panel(&r, r.q->inner*r.q->oc*r.q->po/8, tnn__gram_task);
            for (squares = 0, k = 0; k < tnn__gram_floats(r.q); k++)
                squares += (double)r.gram[k]*(double)r.gram[k];
            total += o->orthogonal*squares;
        }
    }
    return total;
}

/* ---- 12b. Parameters by name ----------------------------------------------------------------- */
TNN_API_GATED int tnn_param_count(tnn_net *net)
{
    return tnn__plan(net) ? 0 : net->tensors;
}
TNN_API_GATED tnn_param tnn_param_info(tnn_net *net, int i)
{
    tnn_param none;
    const tnn__op *op;
    int which = 0;
    memset(&none, 0, sizeof none);
    none.name = "";
    if (tnn_build(net)) return none;
    op = tnn__find_param(net, i, &which);
    if (op) return tnn__param_of(op, which);
    tnn__fail(TNN_ERROR_ARGUMENT, "tnn_param_info: no parameter %d", i);
    return none;
}
TNN_API_GATED long long tnn_param_total(tnn_net *net)
{
    return tnn__plan(net) ? 0 : net->param_total;
}

/* Copies the values of a tensor, in PyTorch's order, from flat vector `flat` to `values`, or, if
   `to`, back. Refuses a name that there is not, another count, and values that are not finite. */
static tnn_status tnn__param_copy(const char *what, tnn_net *net, const char *name, int flat,
                                  float *values, int count, int to)
{
    const tnn__op *op;
    tnn_param p;
    int i, which = 0;
    tnn_status e = tnn_build(net);
    if (e) return e;
    if (!name || !values)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: no name or no values", what);
    if (!net->flat[flat])
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: the network was built without a loss, and has no "
                         "gradients", what);
    op = tnn__param_named(net, name, &which);
    if (!op)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: no parameter \"%s\"; tnn_param_info tells their "
                         "names, as 0.weight", what, name);
    p = tnn__param_of(op, which);
    if (p.buffer && flat)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: %s is not trained", what, name);
    if (p.count != count)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: %s has %d values, not %d",
                         what, name, p.count, count);
    for (i = 0; i < count && to; i++)
        if (!(values[i] - values[i] >= 0))
            return tnn__fail(TNN_ERROR_NUMBER, "%s: value %d of %s is not finite", what, i, name);
    for (i = 0; i < count; i++)
        if (to) tnn__param_set(net, op, which, i, values[i]);
        else
            values[i] = *tnn__param_at(net, op, which, p.buffer ? net->buffers : net->flat[flat],
                                       i);
    return TNN_OK;
}
TNN_API_GATED tnn_status tnn_set_group(tnn_net *net, const char *prefix, double lr_scale,
                                       double decay_scale, int frozen)
{
    int i, found = 0;
    tnn_status e = tnn_build(net);
    if (e) return e;
    if (!prefix || !(lr_scale >= 0) || !(decay_scale >= 0) || lr_scale + decay_scale > TNN__HIGH)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_group: no prefix, or lr_scale = %g or "
                         "decay_scale = %g negative, or above 1e30 together",
                         lr_scale, decay_scale);
    for (i = 0; i < net->segments; i++) {
        tnn__segment *s = &net->segment[i];
        if (strncmp(tnn__param_of(s->op, s->bias).name, prefix, strlen(prefix))) continue;
        s->lr = lr_scale;
        s->decay = decay_scale;
        s->frozen = frozen;
        found = 1;
    }
    tnn__plan_needs(net);
    return found ? TNN_OK : tnn__fail(TNN_ERROR_ARGUMENT, "tnn_set_group: no parameter's name "
                                      "begins with \"%s\"; tnn_param_info tells them, as 0.weight",
                                      prefix);
}

TNN_API_GATED tnn_status tnn_get_param(tnn_net *net, const char *name, float *values, int count)
{
    return tnn__param_copy("tnn_get_param", net, name, 0, values, count, 0);
}
TNN_API_GATED tnn_status tnn_set_param(tnn_net *net, const char *name, const float *values,
                                       int count)
{
    return tnn__param_copy("tnn_set_param", net, name, 0, (float *)(uintptr_t)values, count, 1);
}
TNN_API_GATED tnn_status tnn_get_grad(tnn_net *net, const char *name, float *values, int count)
{
    return tnn__param_copy("tnn_get_grad", net, name, 1, values, count, 0);
}
TNN_API_GATED float *tnn_flat(tnn_net *net, int which, size_t *count)
{
    if (tnn_build(net) || which < 0 || which >= TNN__FLATS) return NULL;
    if (count) *count = net->flat[which] ? (size_t)net->params : 0;
    return net->flat[which];
}
#define TNN__FNV 14695981039346656037ull
/* FNV-1a of more bytes; the first hash is TNN__FNV. */
static uint64_t tnn__fnv(uint64_t hash, const unsigned char *p, size_t size)
{
    for (; size; size--) hash = (hash ^ *p++)*1099511628211ull;
    return hash;
}
TNN_API_GATED uint64_t tnn_hash(tnn_net *net)
{
    uint64_t hash = TNN__FNV;
    const tnn__op *op;
    unsigned char bytes[4];
    int i, k, which;
    tnn__len at;
    if (tnn_build(net)) return 0;
    for (i = 0; (op = tnn__find_param(net, i, &which)) != NULL; i++) {
        const tnn_param p = tnn__param_of(op, which);
        for (at = 0; at < p.count; at++) {
            uint32_t u;
            memcpy(&u, tnn__param_at(net, op, which,
                                     p.buffer ? net->buffers : net->flat[TNN__W], at),
                   sizeof u);
            for (k = 0; k < 4; k++) bytes[k] = (unsigned char)(u >> 8*k & 0xff);
            hash = tnn__fnv(hash, bytes, sizeof bytes);
        }
    }
    return hash;
}

/* ---- 12c. Forward and backward --------------------------------------------------------------- */

/* Everything that operation i needs for sample s. The gradient of a blob is the batch's, or this
   thread's scratch; a contribution to a gradient that has others is scratch at first. */
static tnn__sample_at tnn__at_sample(const tnn__call *call, int i, int s, float *scratch)
{
    const tnn_net *net = call->net;
    tnn__sample_at a;
    memset(&a, 0, sizeof a);
    a.net = net;
    a.k = call->k;
    a.op = &net->op[i];
    a.in = &net->blob[a.op->in];
    a.in2 = a.op->from < 0 ? NULL : &net->blob[a.op->from];
    a.out = &net->blob[i + 1];
    a.s = s;
    a.parts = 1;
    a.training = net->mode == TNN_TRAIN;
    a.scratch = scratch;
    a.tmp = scratch + a.op->tmp;
    if (a.in->data) a.x = tnn__sample_data(a.in, s);
    if (a.in2) a.x2 = tnn__sample_data(a.in2, s);
    a.y = tnn__sample_data(a.out, s);
    if (a.op->w_floats) a.w = tnn__weights(net, a.op);
    if (a.op->b_floats) a.b = net->flat[TNN__W] + a.op->b;
    if (a.op->where && a.training) a.where = a.op->where + (tnn__len)s*tnn__values(a.out);
    a.dy = a.out->grad ? a.out->grad + s*a.out->grad_sample : scratch + net->g[(i + 1) & 1];
    if (a.op->needs_dx)
        a.dx = a.op->adds_dx ? scratch + net->g[2]
             : a.in->grad ? a.in->grad + s*a.in->grad_sample : scratch + net->g[a.op->in & 1];
    if (a.op->needs_dx2)                        /* networks that do not train have no gradients */
        a.dx2 = a.op->adds_dx2 ? scratch + net->g[3]
              : a.in2->grad ? a.in2->grad + s*a.in2->grad_sample : NULL;
    return a;
}

/* A span of samples through the operations of a trunk, each sample through all. */
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
            a.op->kind->forward(&a);
        }
}
/* A span of samples through one convolution by Winograd's way, which takes several at once. */
static void tnn__together_forward(void *context, int span, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    const int first = (int)((tnn__len)net->n*span/call->spans);
    const int end = (int)((tnn__len)net->n*(span + 1)/call->spans);
    const tnn__sample_at a = tnn__at_sample(call, call->first, first,
                                            net->scratch + worker*net->scratch_floats);
    tnn__conv2d_tiled(&a, end - first, 0, a.op->q.g.oh/2);
}
/* One operation on a part of one sample's rows, where there are more threads than samples. */
static void tnn__part_forward(void *context, int task, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    tnn__sample_at a = tnn__at_sample(call, call->first, task/call->spans,
                                      call->net->scratch + worker*call->net->scratch_floats);
    a.part = task%call->spans;
    a.parts = call->spans;
    a.op->kind->forward(&a);
}
/* A span of samples through the operations of a trunk, back. Gradients of parameters go into the
   span's partial sum, which its first sample begins. Where a blob has several readers, the gradient
   of this one is made in scratch and added. */
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
            const tnn__op *op = a.op;
            a.keep = s > first;
            a.last = s == end - 1;
            if (op->trained && !tnn__over_batch(op)) {
                a.dw = net->partial + span*net->partial_floats + op->partial;
                if (op->b_floats) a.db = a.dw + op->w_floats;
                a.low = a.dw + op->w_floats + op->b_floats;
                if (!a.keep) memset(a.low, 0, (size_t)tnn__op_low(op)*sizeof *a.low);
                if (!a.keep && !tnn__is_conv(op))
                    memset(a.dw, 0, (size_t)(op->w_floats + op->b_floats)*sizeof *a.dw);
            }
            if (a.dx || a.dx2 || a.dw) op->kind->backward(&a);
            if (a.dx && op->adds_dx)
                a.k->add(tnn__values(a.in), a.dx, a.in->grad + s*a.in->grad_sample);
            if (a.dx2 && op->adds_dx2)
                a.k->add(tnn__values(a.in2), a.dx2, a.in2->grad + s*a.in2->grad_sample);
        }
}
/* Adds up the spans' partial sums in their order: the gradients. A task is a 16th of the parameters
   of one operation. */
static void tnn__add_partials(void *context, int task, int worker)
{
    const tnn__call *call = (const tnn__call *)context;
    const tnn_net *net = call->net;
    const tnn__op *op = &net->op[call->first + task/16];
    tnn__len n, from, end;
    int s;
    (void)worker;
    if (!op->trained || tnn__over_batch(op)) return;
    n = op->w_floats + op->b_floats;        /* they are neighbours in both */
    from = n/16*(task%16)/16*16;
    end = task%16 == 15 ? n : n/16*(task%16 + 1)/16*16;
    memcpy(net->flat[TNN__G] + op->w + from, net->partial + op->partial + from,
           (size_t)(end - from)*sizeof(float));
    for (s = 1; s < call->spans; s++)
        call->k->add(end - from, net->partial + s*net->partial_floats + op->partial + from,
                     net->flat[TNN__G] + op->w + from);
}

/* DropConnect of the weights, or of their gradients, of this step. */
static void tnn__mask(const tnn_net *net, const tnn__op *op, const float *from, float *to)
{
    tnn__drop d;
    memset(&d, 0, sizeof d);
    d.p = op->drop_connect;
    d.scale = 1.0f/(1.0f - d.p);
    d.seed = net->options.seed;
    tnn__kernels()->dropout(op->w_floats, from, to, &d, tnn__draw_stream(net, op->layer), 0);
}

/* The running statistics change with a step that is taken, in three stages: a forward in training
   sets `moved` from those of the last step, or of the batches accumulated since; once its batch has
   gone backward that is `held`; the step makes it `buffers`. */
static void tnn__copy_statistics(const tnn_net *net, const float *from, float *to)
{
    memcpy(to, from, (size_t)net->buffer_floats*sizeof *to);
}
/* Refuses `moved` that is not finite, and names the first. */
static tnn_status tnn__check_statistics(const char *what, tnn_net *net)
{
    const double sum = (double)tnn__kernels()->sum(net->buffer_floats, net->moved);
    const tnn__op *op;
    int i, k, which;
    for (i = 0; !(sum - sum >= 0) && (op = tnn__find_param(net, i, &which)) != NULL; i++) {
        const int count = which < TNN__MEAN ? 0 : tnn__param_of(op, which).count;
        for (k = 0; k < count; k++) {
            const float v = *tnn__param_at(net, op, which, net->moved, k);
            if (!(v - v >= 0))
                return tnn__fail(TNN_ERROR_NUMBER, "%s: %s would not be finite after %l steps: "
                                 "what comes into layer %d is not, or its square is too large; "
                                 "parameters and statistics are those of the last step", what,
                                 op->name[which], net->steps, op->layer + 1);
        }
    }
    return TNN_OK;
}

/* The run of operations from call->first on that work on one sample at a time, or one of them by
   several threads where the batch is small; returns the one after it. */
static int tnn__forward_trunk(tnn__call *call)
{
    const tnn_net *net = call->net;
    const int n = net->n;
    int i = call->first + 1;
    if (call->op->together > 1 && n > net->threads/2) {
        call->spans = TNN__MAX(tnn__blocks(n, call->op->together), TNN__MIN(n, net->threads));
        tnn__run(net->threads, call->spans, tnn__together_forward, call);
        return i;
    }
    while (i < net->ops && !tnn__over_batch(&net->op[i]) && net->op[i].together < 2) i++;
    call->last = i;
    if (n > net->threads/2) {
        call->spans = TNN__MIN(n, TNN__SPANS);
        tnn__run(net->threads, call->spans, tnn__trunk_forward, call);
    } else for (; call->first < i; call->first++) {
        const tnn__op *op = &net->op[call->first];
        const tnn__len values = tnn__mul(n, tnn__values(&net->blob[call->first + 1]));
        call->spans = op->kind->flags & TNN__ROWS ? net->threads/n : 1;
        tnn__run(tnn__threads_for(net, tnn__mul(values, TNN__MAX(1, op->q.inner/8))),
                 n*call->spans, tnn__part_forward, call);
    }
    return i;
}
/* All operations. */
static tnn_status tnn__forward_ops(tnn__call *call)
{
    tnn_net *net = call->net;
    const int training = net->mode == TNN_TRAIN;
    const tnn__extras *extras;
    tnn_status e = TNN_OK;
    int i;
    for (i = 0; i < net->ops; i++) {
        call->op = &net->op[i];
        extras = call->op->kind->extras;
        if (call->op->masked && training)
            tnn__mask(net, call->op, net->flat[TNN__W] + call->op->w, call->op->masked);
        if (extras && extras->prepare) extras->prepare(call);
    }
    for (i = 0; i < net->ops && !e; ) {
        call->op = &net->op[i];
        call->first = i;
        extras = call->op->kind->extras;
        if (extras && extras->forward) e = extras->forward(call);
        if (!e && call->op->kind->forward) {
            i = tnn__forward_trunk(call);
            e = tnn__hooks(net);
        } else i++;
    }
    for (i = 0; i < net->ops && training && !e; i++) {
        call->op = &net->op[i];
        extras = call->op->kind->extras;
        if (extras && extras->after) extras->after(call);
    }
    return e;
}
TNN_API_GATED tnn_status tnn_forward(tnn_net *net, const float *x, int n, tnn_mode mode)
{
    const int training = mode == TNN_TRAIN;
    tnn__call call;
    tnn_status e = tnn_build(net);
    if (e) return e;
    if (!x)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_forward: x is NULL; it must be %d samples of the "
                         "network's .input", n);
    if ((e = tnn__choice("tnn_forward", (int)mode, TNN_TRAIN)) != TNN_OK) return e;
    if (n < 1 || n > net->options.batch)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_forward: a batch of %d; "
                         "this network takes 1 to %d samples (.batch of tnn_create)",
                         n, net->options.batch);
    net->x = x;
    net->n = n;
    net->mode = (int)mode;
    net->stage = TNN__NOTHING;
    net->draws += (uint64_t)training;
    if (training && !(net->cumulative > 1))
        tnn__copy_statistics(net, net->accumulated ? net->held : net->buffers, net->moved);
    if (net->direct) net->blob[0].data = (float *)(uintptr_t)x;
    memset(&call, 0, sizeof call);
    call.net = net;
    call.k = tnn__kernels();
    e = tnn__forward_ops(&call);
    if (e) net->draws -= (uint64_t)training;
    else net->stage = TNN__FORWARD;
    return e;
}

/* Whether a dense layer's dW is finite for certain, by |dW| <= |x| |dy|: where there are fewer of
   these to read than there are weights. */
static int tnn__dense_bounded(const tnn_net *net, const tnn__op *op)
{
    const tnn__isa_table *k = tnn__kernels();
    const tnn__blob *in = &net->blob[op->in], *out = &net->blob[op - net->op + 1];
    double x = 0, dy = 0;
    int s;
    if (op->masked || net->n*(op->q.inner + op->q.oc) > op->w_floats) return 0;
    for (s = 0; s < net->n; s++) {
        const float *g = out->grad + s*out->grad_sample;
        x += tnn__inner(k, op->q.inner, in->data + s*in->sample, in->data + s*in->sample);
        dy += tnn__inner(k, op->q.oc, g, g);
    }
    return sqrt(x*dy)*(1 + fabs((double)op->slope))/(1 - (double)op->p) < 1e38;
}
/* Refuses gradients that are not finite, and names the first. */
static tnn_status tnn__check_gradients(tnn_net *net)
{
    const tnn__isa_table *k = tnn__kernels();
    const tnn__op *op;
    int i, which;
    for (i = 0; (op = tnn__find_param(net, i, &which)) != NULL && which < TNN__MEAN; i++) {
        const float *g = net->flat[TNN__G] + (which ? op->b : op->w);
        const tnn__len n = which ? op->b_floats : op->w_floats;
        tnn__len at;
        double sum;
        if (!op->trained || (!which && (op->kind->flags & TNN__ON_BATCH)
                             && tnn__dense_bounded(net, op))) continue;
        sum = tnn__inner(k, n, g, g);
        for (at = 0; !(sum - sum >= 0) && at < n; at++)         /* or its square is too large */
            if (!(g[at] - g[at] >= 0))
                return tnn__fail(TNN_ERROR_NUMBER, "tnn_backward: the gradient of %s is not finite "
                                 "after %l steps; the parameters are those of the last step; "
                                 "a smaller lr may help", op->name[which], net->steps);
    }
    return TNN_OK;
}
/* The trunk that ends with operation call->last - 1, back to `first` at most; returns its first. */
static int tnn__backward_trunk(tnn__call *call, int first)
{
    const tnn_net *net = call->net;
    int i = call->last - 1;
    while (i > first && !tnn__over_batch(&net->op[i - 1])) i--;
    call->first = i;
    for (; i < call->last; i++) {
        const tnn__extras *extras = net->op[i].kind->extras;
        call->op = &net->op[i];
        if (extras && extras->prepare_backward) extras->prepare_backward(call);
    }
    call->spans = tnn__spans(net->partial_floats, net->n);
    tnn__run(net->threads, call->spans, tnn__trunk_backward, call);
    return call->first;
}
TNN_API_GATED tnn_status tnn_backward(tnn_net *net)
{
    tnn__call call;
    tnn_status e;
    int i, first;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || net->stage != TNN__LOSS || net->mode != TNN_TRAIN)
        return tnn__fail(TNN_ERROR_ARGUMENT,
                         "tnn_backward: comes after tnn_forward in TNN_TRAIN mode and tnn_loss");
    if (net->swapped)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_backward: the averaged weights are in place; "
                         "tnn_use_average(net, 0) comes first");
    memset(&call, 0, sizeof call);
    call.net = net;
    call.k = tnn__kernels();
    /* nothing before the first parameters that are trained needs a gradient */
    for (first = 0; first < net->ops && !net->blob[first + 1].needs_grad; first++) {}
    for (i = net->ops; i > first; ) {
        const tnn__extras *extras = net->op[--i].kind->extras;
        call.op = &net->op[i];
        if (tnn__over_batch(call.op) && !net->blob[i + 1].needs_grad) continue;
        if (extras && extras->backward) extras->backward(&call);
        if (!call.op->kind->backward) continue;
        call.last = i + 1;
        i = tnn__backward_trunk(&call, first);
        if ((e = tnn__hooks(net)) != TNN_OK) return e;
        tnn__run(tnn__threads_for(net, net->partial_floats), 16*(call.last - call.first),
                 tnn__add_partials, &call);
    }
    for (i = 0; i < net->ops; i++)
        if (net->op[i].masked && net->op[i].trained) {
            float *dw = net->flat[TNN__G] + net->op[i].w;
            tnn__mask(net, &net->op[i], dw, dw);
        }
    if (tnn__check_gradients(net) || tnn__check_statistics("tnn_backward", net))
        return TNN_ERROR_NUMBER;
    tnn__copy_statistics(net, net->moved, net->held);
    net->stage = TNN__BACKWARD;
    tnn__accumulate(net);
    return TNN_OK;
}

/* ---- 12d. Rules that look at the loss again: L-BFGS; Sophia -----------------------------------
   s[0] direction d, s[1] gradient before, s[2] weights before, s[3] and the first vector of the
   workspace: gradients at the two ends of the bracket. Then history: pairs (s, y), and 1/(y.s). */
typedef struct { double t, f, slope; float *g; } tnn__probe;    /* loss and gradient at w + t d */

/* w = weights before + t d */
static void tnn__lbfgs_move(tnn_net *net, double t)
{
    int i;
    for (i = 0; i < net->runs; i++) {
        const tnn__len at = net->run[i].at;
        tnn__kernels()->madd(net->run[i].floats, (float)t, net->flat[TNN__S] + at,
                             net->flat[TNN__S + 2] + at, net->flat[TNN__W] + at);
    }
}
/* The gradient of what is minimised, with .maximize that of -loss (and back: called twice). Frozen
   parameters take no part: their gradient is 0. */
static void tnn__lbfgs_gradient(tnn_net *net)
{
    int i;
    if (net->optimizer.maximize)
        tnn__kernels()->scale(net->params, -1, (float)HUGE_VAL, net->flat[TNN__G],
                              net->flat[TNN__G]);
    for (i = 0; i < net->segments; i++)
        if (net->segment[i].frozen)
            memset(net->flat[TNN__G] + net->segment[i].at, 0,
                   (size_t)net->segment[i].floats*sizeof(float));
}
/* The loss there; the gradient in its vector. Dropout draws what it drew in the first forward. */
static tnn__probe tnn__lbfgs_probe(tnn_net *net, double t)
{
    tnn__probe p;
    p.t = t;
    p.g = net->flat[TNN__G];
    tnn__lbfgs_move(net, t);
    net->draws--;
    tnn_forward(net, net->x, net->n, TNN_TRAIN);
    p.f = tnn__loss(net, net->labels, net->targets);
    if (net->optimizer.maximize) p.f = -p.f;
    tnn_backward(net);
    tnn__lbfgs_gradient(net);
    p.slope = tnn__inner(tnn__kernels(), net->params, p.g, net->flat[TNN__S]);
    return p;
}
static double tnn__largest_size(const float *x, tnn__len n, double *sum)
{
    double most = 0, all = 0;
    tnn__len i;
    for (i = 0; i < n; i++) {
        const double v = fabs((double)x[i]);
        all += v;
        if (!(v <= most)) most = v;
    }
    if (sum) *sum = all;
    return most;
}
/* Where the cubic through the values and slopes at a and b is least, within low..high. */
static double tnn__cubic(const tnn__probe *a, const tnn__probe *b, double low, double high)
{
    const tnn__probe *l = a->t <= b->t ? a : b, *r = a->t <= b->t ? b : a;
    const double e = a->slope + b->slope - 3*(a->f - b->f)/(a->t - b->t);
    const double q = e*e - a->slope*b->slope;
    double t = (low + high)/2;
    if (q >= 0) {
        t = r->t - (r->t - l->t)*((r->slope + sqrt(q) - e)/(r->slope - l->slope + 2*sqrt(q)));
        t = TNN__MIN(TNN__MAX(t, low), high);
    }
    return t;
}
/* Line search for the strong Wolfe conditions (Nocedal and Wright 2006, alg. 3.5 and 3.6), as in
   torch.optim: brackets a minimum from step *t on, then narrows the bracket p[0..1], of which
   p[low] is the better end. Evaluates once and at most `tries` times more; returns how often. */
static int tnn__lbfgs_search(tnn_net *net, int tries, double *t, double *loss, double slope)
{
    const double c1 = 1e-4, c2 = 0.9, tolerance = net->optimizer.tolerance_change;
    const size_t bytes = (size_t)net->params*sizeof(float);
    const double size = tnn__largest_size(net->flat[TNN__S], net->params, NULL);
    tnn__probe p[2], now, start;
    int i, low, high, done = 0, stuck = 0;
    start.t = 0; start.f = *loss; start.slope = slope; start.g = net->flat[TNN__S + 1];
    p[0] = p[1] = start;
    p[0].g = net->flat[TNN__S + 3];
    p[1].g = net->work;
    memcpy(p[0].g, start.g, bytes);
    now = tnn__lbfgs_probe(net, *t);
    for (i = 0; i < tries && !tnn_failed(); i++) {
        const int higher = now.f > start.f + c1*now.t*slope || (i > 1 && now.f >= p[0].f);
        double next;
        done = !higher && fabs(now.slope) <= -c2*slope;
        if (higher || done || now.slope >= 0) break;
        next = tnn__cubic(&p[0], &now, now.t + 0.01*(now.t - p[0].t), 10*now.t);
        p[0].t = now.t; p[0].f = now.f; p[0].slope = now.slope;
        memcpy(p[0].g, now.g, bytes);
        now = tnn__lbfgs_probe(net, next);
    }
    *t = now.t;
    *loss = now.f;
    if (done || tnn_failed()) return i + 1;
    if (i == tries) {
        memcpy(p[0].g, start.g, bytes);
        p[0].t = 0; p[0].f = start.f; p[0].slope = start.slope;
    }
    p[1].t = now.t; p[1].f = now.f; p[1].slope = now.slope;
    memcpy(p[1].g, now.g, bytes);
    low = p[0].f <= p[1].f ? 0 : 1;
    for (; i < tries && !done && !tnn_failed(); i++) {
        const double least = TNN__MIN(p[0].t, p[1].t), most = TNN__MAX(p[0].t, p[1].t);
        const double edge = 0.1*(most - least);
        double next;
        float *spare;
        high = 1 - low;
        if ((most - least)*size < tolerance) break;
        next = tnn__cubic(&p[0], &p[1], least, most);
        if (TNN__MIN(most - next, next - least) >= edge) stuck = 0;
        else if (stuck || next >= most || next <= least) {
            next = fabs(next - most) < fabs(next - least) ? most - edge : least + edge;
            stuck = 0;
        } else stuck = 1;
        now = tnn__lbfgs_probe(net, next);
        if (now.f > start.f + c1*next*slope || now.f >= p[low].f) {
            spare = p[high].g;
            memcpy(spare, now.g, bytes);
            p[high] = now;
            p[high].g = spare;
            low = p[0].f <= p[1].f ? 0 : 1;
            continue;
        }
        done = fabs(now.slope) <= -c2*slope;
        if (!done && now.slope*(p[high].t - p[low].t) >= 0) {
            spare = p[high].g;
            p[high] = p[low];
        } else spare = p[low].g;
        memcpy(spare, now.g, bytes);
        p[low] = now;
        p[low].g = spare;
    }
    *t = p[low].t;
    *loss = p[low].f;
    memcpy(net->flat[TNN__G], p[low].g, bytes);
    return i + 1;
}

/* d = -H g by the two loops over the last pairs s = w - w', y = g - g' (Nocedal 1980). */
static void tnn__lbfgs_direction(tnn_net *net)
{
    const tnn__isa_table *k = tnn__kernels();
    const int most = net->optimizer.history;
    const tnn__len n = net->params;
    const size_t bytes = (size_t)n*sizeof(float);
    float *d = net->flat[TNN__S], *g = net->flat[TNN__G], *pairs = net->work + n;
    double *inverse = (double *)(void *)(pairs + 2*n*most), *part = inverse + most;
    tnn__lbfgs *m = &net->lbfgs;
    int i;
    if (m->iterations++ > 0) {
        float *y = net->flat[TNN__S + 3], *s = net->work;
        double ys;
        k->madd(n, -1, net->flat[TNN__S + 1], g, y);
        k->scale(n, (float)m->t, (float)HUGE_VAL, d, s);
        ys = tnn__inner(k, n, y, s);
        if (ys > 1e-10) {
            const int at = (m->oldest + m->kept)%most;
            if (m->kept == most) m->oldest = (m->oldest + 1)%most;
            else m->kept++;
            memcpy(pairs + 2*n*at, s, bytes);
            memcpy(pairs + 2*n*at + n, y, bytes);
            inverse[at] = 1/ys;
            m->scale = ys/tnn__inner(k, n, y, y);
        }
    } else m->scale = 1;
    k->scale(n, -1, (float)HUGE_VAL, g, d);
    for (i = m->kept - 1; i >= 0; i--) {
        const int at = (m->oldest + i)%most;
        const float *s = pairs + 2*n*at, *y = s + n;
        part[at] = tnn__inner(k, n, s, d)*inverse[at];
        k->madd(n, (float)-part[at], y, d, d);
    }
    k->scale(n, (float)m->scale, (float)HUGE_VAL, d, d);
    for (i = 0; i < m->kept; i++) {
        const int at = (m->oldest + i)%most;
        const float *s = pairs + 2*n*at, *y = s + n;
        k->madd(n, (float)(part[at] - tnn__inner(k, n, y, d)*inverse[at]), s, d, d);
    }
}

static tnn_status tnn__lbfgs_step(tnn_net *net)
{
    const tnn_optimizer *o = &net->optimizer;
    const size_t bytes = (size_t)net->params*sizeof(float);
    float *d = net->flat[TNN__S], *g = net->flat[TNN__G];
    double loss = o->maximize ? -net->value : net->value, sum, t;
    int i, evaluations = 1, done;
    tnn__runs(net);
    net->accumulated = 1;           /* running statistics go on from one forward to the next */
    tnn__lbfgs_gradient(net);
    done = tnn__largest_size(g, net->params, NULL) <= o->tolerance_grad;
    for (i = 1; !done; i++) {
        const double before = loss;
        double slope;
        tnn__lbfgs_direction(net);
        memcpy(net->flat[TNN__S + 1], g, bytes);
        memcpy(net->flat[TNN__S + 2], net->flat[TNN__W], bytes);
        tnn__largest_size(g, net->params, &sum);
        t = net->lbfgs.iterations == 1 ? TNN__MIN(1, 1/sum)*o->lr : o->lr;
        slope = tnn__inner(tnn__kernels(), net->params, g, d);
        net->lbfgs.t = t;
        if (slope > -o->tolerance_change) break;
        if (o->strong_wolfe) {
            evaluations += tnn__lbfgs_search(net, o->max_eval - evaluations, &t, &loss, slope);
            net->lbfgs.t = t;
            tnn__lbfgs_move(net, t);
        } else if (i == o->max_iter) {
            tnn__lbfgs_move(net, t);
            tnn__check_weights(net, net->flat[TNN__W], "tnn_step", "the weights stay what they "
                               "were before the last iteration; a smaller lr may help");
        } else {
            loss = tnn__lbfgs_probe(net, t).f;
            evaluations++;
        }
        if (tnn_failed()) {
            memcpy(net->flat[TNN__W], net->flat[TNN__S + 2], bytes);
            return (tnn_status)tnn_failed();
        }
        done = i == o->max_iter || evaluations >= o->max_eval
               || tnn__largest_size(g, net->params, NULL) <= o->tolerance_grad
               || tnn__largest_size(d, net->params, NULL)*fabs(t) <= o->tolerance_change
               || fabs(loss - before) < o->tolerance_change;
    }
    if (o->maximize) tnn__lbfgs_gradient(net);
    return TNN_OK;
}

/* Sophia: h takes in the gradient for labels drawn from the softmax of the last forward. The
   gradients wait in s[2]. */
static tnn_status tnn__sophia_estimate(tnn__stepping *c)
{
    tnn_net *net = c->net;
    const tnn_loss_options loss = net->loss;
    const tnn__criterion criterion = net->criterion;
    const tnn__blob *b = &net->blob[net->ops];
    const size_t bytes = (size_t)net->params*sizeof(float);
    const int correct = net->correct, counted = net->counted, *given = net->labels;
    const int classes = tnn__values(b);
    const float *targets = net->targets;
    const double weight = net->weight, total = net->total;
    float *sum_of_all = net->flat[TNN__SUM];
    int *labels = (int *)(void *)net->work, s, i;
    if (loss.type != TNN_CROSS_ENTROPY || loss.per_pixel)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_step: Sophia draws labels from a softmax: it "
                         "needs the cross-entropy of one label per sample");
    memcpy(c->u.s[2], c->u.g, bytes);
    for (s = 0; s < net->n; s++) {
        const float *x = tnn__sample_data(b, s), max = c->k->largest(classes, x);
        const double u = (double)tnn_random_uniform(net->options.seed, (uint64_t)net->steps << 20
                                                    | 1u << 18, (uint64_t)s);
        double sum = 0, below = 0;
        for (i = 0; i < classes; i++) sum += tnn__exp_double((double)x[i] - (double)max);
        for (i = 0; i < classes - 1; i++) {
            below += tnn__exp_double((double)x[tnn__place_of(b, i)] - (double)max);
            if (below > u*sum) break;
        }
        labels[s] = i;
    }
    net->loss.ignore_index = -100;
    net->loss.reduction = TNN_REDUCE_MEAN;
    net->loss.label_smoothing = net->loss.gamma = net->criterion.a = net->criterion.b = 0;
    net->criterion.weights = NULL;
    net->flat[TNN__SUM] = NULL;                     /* these are not to be accumulated */
    net->stage = TNN__FORWARD;
    tnn_loss(net, labels);
    tnn_backward(net);
    net->loss = loss;
    net->criterion = criterion;
    net->flat[TNN__SUM] = sum_of_all;
    net->correct = correct;
    net->counted = counted;
    net->weight = weight;
    net->total = total;
    net->labels = given;
    net->targets = targets;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    c->u.estimate = net->n;
    tnn__each_block(c->net, tnn__apply_task, c);
    c->u.estimate = 0;
    memcpy(c->u.g, c->u.s[2], bytes);
    return TNN_OK;
}
static tnn_status tnn__update_all(tnn_net *net)
{
    const tnn_optimizer *o = &net->optimizer;
    const double t = (double)net->steps;
    tnn__stepping c;
    int i;
    memset(&c, 0, sizeof c);
    c.net = net;
    c.k = tnn__kernels();
    c.u.o = o;
    c.u.w = net->flat[TNN__W];
    c.u.g = net->flat[TNN__G];
    for (i = 0; i < TNN_STATES; i++) c.u.s[i] = net->flat[TNN__S + i];
    c.u.lr = o->lr;
    c.u.sign = o->maximize ? -1 : 1;
    c.u.bias1 = 1 - tnn__pow(o->beta1, t);
    c.u.bias2 = 1 - tnn__pow(o->beta2, t);
    c.u.bias3 = 1 - tnn__pow(o->beta3, t);
    tnn__advance(net, c.u.bias2);
    c.u.c[0] = net->c[0];
    c.u.c[1] = net->c[1];
    c.u.step = net->steps;
    tnn__runs(net);
    if (o->type == TNN_SOPHIA && (net->steps - 1)%o->interval == 0 && tnn__sophia_estimate(&c))
        return (tnn_status)tnn_failed();
    if (o->type == TNN_LAMB) tnn__each_block(net, tnn__apply_task, &c);   /* r to s[2] */
    if (o->type == TNN_LAMB || o->type == TNN_LARS)
        tnn__run(tnn__threads_for(net, net->params), net->runs, tnn__trust_task, &c);
    for (i = 0; i < net->runs; i++)
        if (o->type == TNN_ADAFACTOR) tnn__adafactor(&c, &net->run[i]);
        else if (o->type == TNN_MUON) tnn__muon(&c, &net->run[i]);
    tnn__each_block(net, tnn__apply_task, &c);
    return TNN_OK;
}

/* ---- 12e. The step --------------------------------------------------------------------------- */
static tnn_status tnn__check_update(const tnn_net *net)
{
    if (!net->odd) return TNN_OK;
    return tnn__check_weights(net, net->flat[TNN__W], "tnn_step", "the weights before are lost: "
                              "load a checkpoint, and take a smaller lr");
}
TNN_API_GATED tnn_status tnn_step(tnn_net *net)
{
    const tnn_optimizer *o;
    tnn_status e;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!net || net->stage != TNN__BACKWARD)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_step: comes after tnn_backward");
    o = &net->optimizer;
    if (!o->type)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_step: no optimizer was set, by "
                         "tnn_set_optimizer");
    net->stage = TNN__NOTHING;
    if (net->accumulated < o->accumulate && o->accumulate > 1) return TNN_OK;
    e = tnn__follow_schedule(net);
    if (e) return e;
    tnn__penalize(net);
    net->accumulated = 0;
    if (o->clip_value > 0) tnn__clip(net, TNN_CLIP_VALUE, o->clip_value);
    if (o->clip_tensor > 0) tnn__clip(net, TNN_CLIP_TENSOR, o->clip_tensor);
    if (o->clip_norm > 0) tnn__clip(net, TNN_CLIP_NORM, o->clip_norm);
    if (!net->steps) tnn__start(net);
    net->steps++;
    net->odd = 0;
    e = o->type == TNN_LBFGS ? tnn__lbfgs_step(net) : tnn__update_all(net);
    if (!e) e = tnn__hooks(net);
    if (!e) tnn__constrain(net);
    if (!e) e = tnn__check_update(net);
    if (!e) tnn__average(net);
    if (!e) e = tnn__check_update(net);         /* Lookahead's weights */
    net->accumulated = 0;
    net->stage = TNN__NOTHING;
    if (e) {
        net->steps--;
        return e;
    }
    tnn__copy_statistics(net, net->held, net->buffers);
    net->schedule_step += !net->schedule.per_epoch;
    return TNN_OK;
}
static double tnn__train_batch(tnn_net *net, const float *x, const int *labels,
                               const float *targets, int n)
{
    const uint64_t draws = net ? net->draws : 0;
    double loss;
    tnn_forward(net, x, n, TNN_TRAIN);
    loss = targets ? tnn_loss_targets(net, targets) : tnn_loss(net, labels);
    tnn_backward(net);
    tnn_step(net);
    if (net && tnn_failed()) net->draws = draws;        /* dropout goes on as without this batch */
    return loss;
}
TNN_API_GATED double tnn_train_batch(tnn_net *net, const float *x, const int *labels, int n)
{
    return tnn__train_batch(net, x, labels, NULL, n);
}
TNN_API_GATED double tnn_train_batch_targets(tnn_net *net, const float *x, const float *targets,
                                             int n)
{
    return tnn__train_batch(net, x, NULL, targets, n);
}

/* ==== 13. DATA =================================================================================
   A data set is a few pointers (tnn_data) to memory that it shares with its parts and loaders.
   Bytes stay bytes until a batch is made; x = (v - mean)/std is worked out then. A part is another
   order of the same samples.
     13a  data sets: their memory, parts and samples
     13b  files as the system has them; what stands in sections 15 and 16 reads and writes by these
     13c  IDX files
     13d  augmentation of one sample
     13e  loaders: the order of an epoch, and its batches, whose samples threads make */

/* ---- 13a. Data sets ---------------------------------------------------------------------------
   Memory is counted, not copied: a program may free a data set before the loaders that read it.

       tnn_data.memory -> tnn__shared {from, readers}, then labels, bytes or an order of samples
                                        |
       a part's own memory -------------+-> the memory of the whole
*/

/* What failure gives, and what tnn_data_free leaves: no samples. */
static tnn_data tnn__no_data(void)
{
    tnn_data data;
    memset(&data, 0, sizeof data);
    data.std = 1;
    return data;
}
/* With this begins a data set's memory. It is freed by the last of those who read it: the data set,
   its loaders and its parts, each of which has memory of its own, and `from` that of the whole. */
typedef struct tnn__shared {
    struct tnn__shared *from;           /* the whole's memory, or NULL */
    int                 readers;        /* data sets and loaders */
} tnn__shared;
/* Gives the data set memory with room for so many bytes, which it returns, aligned as all memory
   is; NULL on error. Of a part, `from` is the memory of the whole, which tnn__share then counts. */
static void *tnn__own(tnn_data *data, tnn__len bytes, void *from, const char *what)
{
    tnn__shared *memory = (tnn__shared *)tnn__alloc_raw(bytes + TNN__ALIGN, what);
    if (!memory) return NULL;
    memory->from = (tnn__shared *)from;
    memory->readers = 1;
    data->memory = memory;
    return (char *)memory + TNN__ALIGN;
}
/* One reader more of that memory, which may be NULL. */
static void tnn__share(void *memory)
{
    if (memory) TNN__ADD(&((tnn__shared *)memory)->readers, 1);
}
/* One reader less; the last one frees it. */
static void tnn__give_up(void *memory)
{
    tnn__shared *part = (tnn__shared *)memory, *from;
    for (; part && TNN__ADD(&part->readers, -1) == 1; part = from) {
        from = part->from;
        tnn__release(part);
    }
}
/* The caller's samples (n, c, h, w) and labels (n): there is no memory to give up. On failure n is
   0. Labels are looked at once, here, for the number of classes. */
TNN_API_GATED tnn_data tnn_data_view(const unsigned char *bytes, const float *floats,
                                     const int *labels, int n, int c, int h, int w)
{
    tnn_data data = tnn__no_data();
    int i;
    if (!tnn__count(n, c, h, w) || !labels || !bytes == !floats) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_data_view: needs positive n, c, h, w (%d, %d, %d, %d) "
                  "that fit in memory, labels, and either bytes or floats", n, c, h, w);
        return data;
    }
    for (i = 0; i < n; i++) {
        if (labels[i] < 0 || labels[i] > 1 << 24) {
            tnn__fail(TNN_ERROR_ARGUMENT, "tnn_data_view: label %d of sample %d must be in [0, %d]",
                      labels[i], i, 1 << 24);
            return tnn__no_data();
        }
        data.classes = TNN__MAX(data.classes, labels[i] + 1);
    }
    data.n = n; data.c = c; data.h = h; data.w = w;
    data.bytes = bytes; data.floats = floats; data.labels = labels;
    return data;
}
/* Gives the memory up, which the last reader frees; the data set is empty then. */
TNN_API void tnn_data_free(tnn_data *data)
{
    if (!data) return;
    tnn__give_up(data->memory);
    *data = tnn__no_data();
}
/* Only notes mean and std: samples stay as they are. Refused where parts or loaders have noted
   others, which would go on with them, and where mean and std are plainly of bytes in 0..255. */
TNN_API_GATED tnn_status tnn_normalize(tnn_data *data, float mean, float std)
{
    if (!data || !(mean - mean >= 0) || !(std > 0) || std > 1e30f)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_normalize: mean %g must be finite, std %g "
                         "positive and at most 1e30", (double)mean, (double)std);
    /* Who has read it already would not see the change. */
    if (data->memory && TNN__LOAD(&((tnn__shared *)data->memory)->readers) > 1
        && (mean < data->mean || mean > data->mean || std < data->std || std > data->std))
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_normalize: comes before tnn_loader_create, "
                         "tnn_subset and tnn_split, or after what they made of this data set was "
                         "freed: that would go on with mean %g and std %g", (double)data->mean,
                         (double)data->std);
    if (data->bytes && (mean > 1 || std > 10))
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_normalize: mean %g and std %g of bytes, which "
                         "are given as byte/255: divide both by 255", (double)mean, (double)std);
    data->mean = mean;
    data->std = std;
    return TNN_OK;
}

/* A data set of `count` samples of another: those listed in `order`, or first, first + 1, ... if
   it is NULL. Orders of orders become one, so that a sample is always one step away. n is 0 on
   failure. */
static tnn_data tnn__select(const tnn_data *data, const int *order, int first, int count)
{
    tnn_data part = *data;
    int i, *own = (int *)tnn__own(&part, tnn__mul(count, (tnn__len)sizeof(int)), data->memory,
                                  "subset");
    if (!own) return tnn__no_data();
    tnn__share(data->memory);
    for (i = 0; i < count; i++) {
        const int at = order ? order[i] : first + i; /* in the data set that is cut */
        own[i] = data->order ? data->order[at] : at;
    }
    part.order = own;
    part.n = count;
    return part;
}
/* Samples first to first + count - 1; n is 0 where there are no such. */
TNN_API_GATED tnn_data tnn_subset(const tnn_data *data, int first, int count)
{
    if (data && first >= 0 && count >= 1 && first <= data->n - count)
        return tnn__select(data, NULL, first, count);
    tnn__fail(TNN_ERROR_ARGUMENT, "tnn_subset: %d samples from %d on, of %d",
              count, first, data ? data->n : 0);
    return tnn__no_data();
}
/* Cuts a shuffled order in two. Both parts are made, or none. */
TNN_API_GATED tnn_status tnn_split(const tnn_data *data, int count, uint64_t seed, tnn_data *a,
                                   tnn_data *b)
{
    const tnn_data whole = data ? *data : tnn__no_data();       /* *a may be the same */
    int i, *order;
    if (a) *a = tnn__no_data();
    if (b) *b = tnn__no_data();
    if (!a || !b || count < 1 || count >= whole.n)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_split: %d samples for the first part, of %d",
                         count, whole.n);
    order = (int *)tnn__alloc(tnn__mul(whole.n, (tnn__len)sizeof(int)), "tnn_split");
    if (!order) return TNN_ERROR_MEMORY;
    for (i = 0; i < whole.n; i++) order[i] = i;
    tnn_shuffle(order, whole.n, seed, 0);
    *a = tnn__select(&whole, order, 0, count);
    *b = tnn__select(&whole, order + count, 0, whole.n - count);
    tnn__release(order);
    /* One without the other is none. */
    if (a->n && b->n) return TNN_OK;
    tnn_data_free(a);
    tnn_data_free(b);
    return TNN_ERROR_MEMORY;
}

/* The 256 floats that bytes stand for: a sample of bytes is then a lookup per value, with the same
   bits as the division. */
static void tnn__byte_values(const tnn_data *data, float table[256])
{
    int i;
    for (i = 0; i < 256; i++) table[i] = ((float)i/255.0f - data->mean)/data->std;
}
/* Sample i as floats (c, h, w), normalised; the table is tnn__byte_values'. Floats with mean 0 and
   std 1 are copied, so that they stay what they are to the bit. */
static void tnn__sample(const tnn_data *data, int i, const float table[256], float *x)
{
    const tnn__len size = (tnn__len)data->c*data->h*data->w;
    const tnn__len at = (tnn__len)(data->order ? data->order[i] : i)*size;
    tnn__len k;
    if (data->bytes)
        for (k = 0; k < size; k++) x[k] = table[data->bytes[at + k]];
    else if (data->mean < 0 || data->mean > 0 || data->std < 1 || data->std > 1)
        for (k = 0; k < size; k++) x[k] = (data->floats[at + k] - data->mean)/data->std;
    else memcpy(x, data->floats + at, (size_t)size*sizeof *x);
}
/* The label of sample i: in the order of a part, as its samples are. */
static int tnn__label(const tnn_data *data, int i)
{
    return data->labels[data->order ? data->order[i] : i];
}
/* x (count): the caller says how much room there is, and it must be a sample's. */
TNN_API_GATED tnn_status tnn_sample(const tnn_data *data, int i, float *x, int count)
{
    float table[256];                   /* for this one sample */
    if (!data || !x || i < 0 || i >= data->n)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_sample: sample %d of %d", i, data ? data->n : 0);
    if (count != (tnn__len)data->c*data->h*data->w)
        return tnn__fail(TNN_ERROR_SHAPE, "tnn_sample: room for %d values, a sample has %dx%dx%d",
                         count, data->c, data->h, data->w);
    tnn__byte_values(data, table);
    tnn__sample(data, i, table, x);
    return TNN_OK;
}

#ifndef TINYNN_NO_STDIO
/* ---- 13b. Files -------------------------------------------------------------------------------
   The system's own functions, of which a signal ends none: 0 or more, or -1 and errno. They are
   used rather than stdio's because a journal must be locked and synced, and a pipe waited for. What
   differs on Windows is in 2a. */

/* "PATH: cannot be opened: No such file or directory": the reason is that of `error`, an errno. Of
   a long path the end, where the file's name is. Returns TNN_ERROR_IO. */
static tnn_status tnn__fail_file(const char *path, const char *done, int error)
{
    const size_t n = strlen(path);      /* messages end at 400 characters */
    return tnn__fail(TNN_ERROR_IO, "%s%s: cannot be %s: %s",
                     n > 200 ? "..." : "", n > 200 ? path + n - 200 : path, done, strerror(error));
}
/* Whether a signal ended a call. */
static int tnn__again(tnn__len result) { return result < 0 && errno == EINTR; }
/* Opens a file, which is the result. */
static int tnn__open(const char *path, int flags, int mode)
{
    int file;
    do file = TNN__SYS(open)(path, flags, mode); while (tnn__again(file));
    return file;
}
/* Waits until what was written is on the disk, where a power failure leaves it. */
static int tnn__sync(int file)
{
    int result;
    do result = TNN__SYNC(file); while (tnn__again(result));
    return result;
}
/* Closes a file, which it then is even if a signal came: to close it again could close another
   thread's. */
static int tnn__close(int file)
{
    return TNN__SYS(close)(file) && errno != EINTR ? -1 : 0;
}
/* Writes all of it, in as many turns as the system takes. A device that takes nothing is full. */
static int tnn__write_all(int file, const void *bytes, size_t size)
{
    const char *p = (const char *)bytes; /* what is left */
    while (size > 0) {
        const tnn__len n = TNN__SYS(write)(file, p, TNN__COUNT(TNN__MIN(size, 1 << 30)));
        if (tnn__again(n)) continue;
        if (n == 0) errno = ENOSPC;     /* some systems do not say why */
        if (n <= 0) return -1;
        p += n;
        size -= (size_t)n;
    }
    return 0;
}
/* Reads the next bytes, at most `size`; how many, 0 at the end. */
static tnn__len tnn__read_some(int file, void *to, size_t size)
{
    tnn__len n;
    do n = TNN__SYS(read)(file, to, TNN__COUNT(size)); while (tnn__again(n));
    return n;
}
enum { TNN__PATH = 4096 };              /* longer ones no system takes */
#ifndef _WIN32
/* The folder of a path, as its first bytes up to the last slash; 0: the present folder. */
static size_t tnn__folder(const char *path)
{
    const char *end = strrchr(path, '/');
    return end ? (size_t)(end - path) + 1 : 0;
}
#endif
/* Opens the folder of a path, to be synced: -1 where that cannot be, as on Windows; then errno is
   EACCES if there is nothing wrong with that. */
static int tnn__open_folder(const char *path)
{
#ifdef _WIN32
    (void)path;
    errno = EACCES;
    return -1;
#else
    char name[TNN__PATH] = ".";         /* of a path without one */
    const size_t n = tnn__folder(path);
    errno = ENAMETOOLONG;
    if (n >= sizeof name) return -1;
    if (n) memcpy(name, path, n);
    if (n) name[n] = 0;
    return tnn__open(name, TNN__O(RDONLY), 0);
#endif
}
/* Opens a file to be read, and says what it is; -1 on failure, which is no error where the file is
   `optional` and not there. */
static int tnn__open_input(const char *path, struct stat *info, int optional)
{
    int file = -1;
    if (!path) tnn__fail(TNN_ERROR_IO, "(no path): cannot be opened; a file's name must be given");
    else if ((file = tnn__open(path, TNN__O_INPUT, 0)) < 0) {
        if (!optional || errno != ENOENT) tnn__fail_file(path, "opened", errno);
    } else if (fstat(file, info)) {
        tnn__fail_file(path, "opened", errno);
        tnn__close(file);
        file = -1;
    }
    return file;
}
/* As tnn__read_some, but a pipe is waited for: two seconds for its first writer, then as long as
   one has it open. */
static tnn__len tnn__read_input(int file, void *to, size_t size, int pipe, int first)
{
    tnn__len got = tnn__read_some(file, to, size);
#ifndef _WIN32
    int turns = first ? 200 : 0;        /* of 10 ms */
    for (; pipe && got <= 0; got = tnn__read_some(file, to, size)) {
        /* EAGAIN: a writer has it open and has not written. 0: none has it open. */
        struct pollfd writer = {file, POLLIN, 0};
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) poll(&writer, 1, -1);
        else if (!got && turns-- > 0) poll(NULL, 0, 10);
        else break;
    }
#else
    (void)pipe, (void)first;
#endif
    return got;
}
/* A whole file, or all that comes out of a pipe; NULL on error, and without one where it is
   `optional` and not there. The memory is a byte larger than the file, so that one turn reads it
   and the next sees its end; where more comes it is doubled. What it may take is bounded by
   tnn_set_read_limit, of a pipe as it comes. The caller releases it. */
static unsigned char *tnn__read_file(const char *path, size_t *size, int optional)
{
    unsigned char *p = NULL;
    const char *why = NULL;             /* what is read cannot be a file */
    struct stat info;
    tnn__len room, n = 0, got;          /* n bytes read, room for so many */
    const int file = tnn__open_input(path, &info, optional);
    int pipe, plain;
    if (file < 0) return NULL;
    pipe = TNN__PIPE(info.st_mode);
    plain = TNN__PLAIN(info.st_mode);
    room = plain && info.st_size >= 0 ? (tnn__len)info.st_size + 1 : 65536;
    if (!pipe && !plain)
        why = "a folder or a device; what a device gives can be saved into a file first";
    else if (pipe || tnn__within_limit(room - 1, path))
        p = (unsigned char *)tnn__alloc_raw(room, path);
    while (p) {
        if (n == room) {                /* it is longer than was said */
            unsigned char *more = (unsigned char *)tnn__alloc_raw(room *= 2, path);
            if (more) memcpy(more, p, (size_t)n);
            tnn__release(p);
            if ((p = more) == NULL) break;
        }
        got = tnn__read_input(file, p + n, (size_t)TNN__MIN(room - n, 1 << 30), pipe, !n);
        if (got > 0 && tnn__within_limit(n += got, path)) continue;
        if (!got && (n || !pipe)) break; /* the end */
        if (!got) why = "a pipe out of which nothing comes; start its writer first";
        if (got < 0) tnn__fail_file(path, "read", errno);
        tnn__release(p);
        p = NULL;
    }
    if (why) tnn__fail(TNN_ERROR_IO, "%s: is not a file that can be read, but %s", path, why);
    tnn__close(file);
    *size = (size_t)n;
    return p;
}
#endif

/* ---- 13c. IDX files ---------------------------------------------------------------------------
       0 0 8 n   d_1 d_2 ... d_n (4 bytes each, the highest first)   the bytes
   A reader must take nothing on trust: sizes are compared with the file's before memory is asked
   for, and what is plainly another kind of file is called by its name. */
/* Files that readers are given by mistake, by their first bytes: names them and says what would be
   right. `own` is the reader's format, as its line here begins. Returns whether there is such an
   error; all readers of sections 13 and 15 ask before they say that a file is wrong. */
static int tnn__foreign(const char *name, const unsigned char *p, size_t size, const char *own)
{
    static const struct { int at, n; const char *bytes, *is; } known[] = {
        /* at -4: in the end of the first name in a zip archive */
        {0, 2, "\x1f\x8b", "compressed (gzip); unpack it first: gzip -dk"},
        {4, 6, "1AY&SY", "compressed (bzip2); unpack it first: bzip2 -dk"},
        {0, 6, "\xfd""7zXZ\0", "compressed (xz); unpack it first: xz -dk"},
        {0, 4, "\x28\xb5\x2f\xfd", "compressed (zstd); unpack it first: zstd -d"},
        {-4, 4, ".pkl", "a file of torch.save (.pt, .pth); tinynn.h says under WEIGHTS how to "
                        "convert it"},
        {-4, 4, ".npy", "an archive of arrays (.npz); unpack it first: unzip"},
        {0, 4, "PK\3\4", "a zip archive; unpack it first: unzip"},
        {0, 2, "\x80\2", "a pickle of Python or old file of torch.save (.pkl, .pth); tinynn.h says "
                         "under WEIGHTS how to convert it"},
        {0, 2, "\x80\4", "a pickle of Python (.pkl); save its arrays with numpy.save"},
        {0, 2, "\x80\5", "a pickle of Python (.pkl); save its arrays with numpy.save"},
        {0, 8, "\x89HDF\r\n\x1a\n", "HDF5 (.h5, of Keras); save its arrays with numpy.save"},
        {0, 6, "\x93NUMPY", ".npy, for tnn_load_npy and tnn_read_npy"},
        {8, 2, "{\"", "safetensors, for tnn_load_weights"},
        {0, 3, "\0\0\x08", "IDX, for tnn_load_idx"},
        {0, 4, "\x89PNG", "a PNG image; convert it to PGM or PPM"},
        {0, 3, "\xff\xd8\xff", "a JPEG image; convert it to PGM or PPM"},
        {0, 6, "GIF89a", "a GIF image; convert it to PGM or PPM"},
        {0, 9, "<!DOCTYPE", "a web page; the download went wrong"},
        {0, 9, "<!doctype", "a web page; the download went wrong"},
        {0, 5, "<html", "a web page; the download went wrong"},
        {0, 15, "version https:/", "a pointer of Git LFS, without the file: git lfs pull"}
    };
    /* What a zip archive is of, the first name in it says: its length stands at 26. */
    const size_t zip = p && size >= 30 && !memcmp(p, "PK\3\4", 4)
                     ? 30 + p[26] + 256*(size_t)p[27] : 0;
    /* ONNX has no magic number: a field for the version, one for the producer's name. */
    const char *is = p && size > 4 && p[0] == 8 && p[1] < 32 && p[2] == 18
                   ? "an ONNX model; save its weights in Python as safetensors" : NULL;
    size_t i;                           /* row of the table */
    for (i = 0; p && !is && i < sizeof known/sizeof *known; i++) {
        const size_t n = (size_t)known[i].n;
        const size_t at = known[i].at < 0 ? zip - 4 : (size_t)known[i].at;
        if ((known[i].at >= 0 || zip >= 34) && size >= n && at <= size - n
            && !memcmp(p + at, known[i].bytes, n)) is = known[i].is;
    }
    if (!is || !strncmp(is, own, strlen(own))) return 0;
    tnn__fail(TNN_ERROR_FORMAT, "%s: is %s", name, is);
    return 1;
}
/* A file in memory, whose header says `dims` and where the values begin. */
typedef struct {
    const char *name;           /* for messages */
    const unsigned char *bytes;
    size_t size, at;
    int    ndim, dims[4];       /* (1, 1) and more behind ndim of them */
} tnn__idx_file;

/* Reads an IDX header: two zero bytes, 8 (unsigned bytes), the number of dimensions, each as 4
   bytes, the highest first. There must be `ndim` of them, or 4 for 3. Returns whether it is
   right. */
static int tnn__idx_header(tnn__idx_file *file, int ndim)
{
    const unsigned char *p = file->bytes;
    const int known = p && file->size >= 4; /* there are four bytes to show */
    const char *name = file->name;
    uint64_t bytes = 1;                 /* so many the dimensions announce */
    int i;
    if (!known || p[0] || p[1] || p[2] != 8 || (p[3] != ndim && (ndim < 3 || p[3] != 4))) {
        if (!tnn__foreign(name, p, file->size, "IDX"))
            tnn__fail(TNN_ERROR_FORMAT, "%s: is not an IDX file of bytes with %d%s dimensions "
                      "(%l bytes, starts with %d %d %d %d, should be 0 0 8 %d)",
                      name, ndim, ndim == 3 ? " or 4" : "", (long long)file->size, known ? p[0] : 0,
                      known ? p[1] : 0, known ? p[2] : 0, known ? p[3] : 0, ndim);
        return 0;
    }
    file->ndim = p[3];                  /* 1, 3 or 4 */
    file->at = 4 + 4*(size_t)p[3];
    if (file->size < file->at) {
        tnn__fail(TNN_ERROR_FORMAT, "%s: truncated in its header, %l bytes of %l", name,
                  (long long)file->size, (long long)file->at);
        return 0;
    }
    for (i = 0; i < 4; i++) {
        const unsigned char *at = p + 4 + 4*(tnn__len)i;
        const uint32_t d = i >= file->ndim ? 1 : (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16
                                                 | (uint32_t)at[2] << 8 | at[3];
        if (d < 1 || d > (i ? 65535u : 0x7fffffffu)) {
            tnn__fail(TNN_ERROR_FORMAT, "%s: dimension %d is %l, at byte %d", name, i,
                      (long long)d, 4 + 4*i);
            return 0;
        }
        file->dims[i] = (int)d;
        bytes = bytes > (uint64_t)1 << 40 ? bytes : bytes*d; /* enough to be wrong */
    }
    if ((uint64_t)(file->size - file->at) == bytes) return 1;
    tnn__fail(TNN_ERROR_FORMAT, "%s: holds %l bytes after its header, which announces %l", name,
              (long long)(file->size - file->at), (long long)bytes);
    return 0;
}
/* A data set of its own, copied from two files in memory: labels as ints, then the images' bytes,
   in one piece. n is 0 on failure. */
static tnn_data tnn__idx(tnn__idx_file *images, tnn__idx_file *labels)
{
    tnn_data data = tnn__no_data();
    const int *dims = images->dims;
    int i, planes, *own;                /* planes: (n, c, h, w), not (n, h, w) */
    size_t bytes;
    tnn__len room;                      /* for labels and images */
    if (!tnn__idx_header(images, 3) || !tnn__idx_header(labels, 1)) return data;
    if (dims[0] != labels->dims[0]) {
        tnn__fail(TNN_ERROR_SHAPE, "%s holds %d images, %s %d labels; they must be as many",
                  images->name, dims[0], labels->name, labels->dims[0]);
        return data;
    }
    bytes = images->size - images->at;
    room = tnn__mul(dims[0], (tnn__len)sizeof *own) + (tnn__len)bytes;
    if (!tnn__within_limit(room, images->name)) return data;
    own = (int *)tnn__own(&data, room, NULL, images->name);
    if (!own) return data;
    planes = images->ndim == 4;
    data.n = dims[0];
    data.c = planes ? dims[1] : 1;
    data.h = dims[1 + planes];
    data.w = dims[2 + planes];
    data.labels = own;
    data.bytes = (const unsigned char *)(own + data.n);
    memcpy(own + data.n, images->bytes + images->at, bytes);
    for (i = 0; i < data.n; i++) {
        own[i] = labels->bytes[labels->at + (size_t)i];
        data.classes = TNN__MAX(data.classes, own[i] + 1);
    }
    return data;
}
/* From memory, which may be given up afterwards. */
TNN_API_GATED tnn_data tnn_parse_idx(const void *images, size_t images_size, const void *labels,
                                     size_t labels_size)
{
    tnn__idx_file of_images = {"images", (const unsigned char *)images, images_size, 0, 0, {0}};
    tnn__idx_file of_labels = {"labels", (const unsigned char *)labels, labels_size, 0, 0, {0}};
    return tnn__idx(&of_images, &of_labels);
}
#ifndef TINYNN_NO_STDIO
/* From files; the error is that of the first one that is wrong. */
TNN_API_GATED tnn_data tnn_load_idx(const char *images_path, const char *labels_path)
{
    tnn__idx_file images = {images_path, NULL, 0, 0, 0, {0}};
    tnn__idx_file labels = {labels_path, NULL, 0, 0, 0, {0}};
    unsigned char *read[2] = {NULL, NULL};
    tnn_data data = tnn__no_data();
    images.bytes = read[0] = tnn__read_file(images_path, &images.size, 0);
    if (read[0]) labels.bytes = read[1] = tnn__read_file(labels_path, &labels.size, 0);
    if (read[1]) data = tnn__idx(&images, &labels);
    tnn__release(read[0]);
    tnn__release(read[1]);
    return data;
}
#endif

/* ---- 13d. Augmentation ------------------------------------------------------------------------
   What happens to a sample is a function of (seed, epoch, sample): whoever makes it, in whatever
   batch, draws the same. Sample i has words 64 i + k of its epoch's stream, k named here; Beta
   variates draw from a stream of their own, as no one knows how many words they take.
   The order is that of the manual (1g): geometry, colour, normalisation, erasing, mixing. All is
   plain double arithmetic with sin, cos, exp and log of section 2. */
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

/* Word k of a sample as a number in [0, 1), of 32 bits: exact in a double. */
static double tnn__draw(const tnn__draws *dice, int k)
{
    const uint64_t stream = ((uint64_t)3 << 61) + dice->epoch;
    return tnn_random_bits(dice->seed, stream, 64*dice->sample + (uint64_t)k)/4294967296.0;
}
/* The same, uniform in [lo, hi). */
static double tnn__draw_from(const tnn__draws *dice, int k, double lo, double hi)
{
    return lo + (hi - lo)*tnn__draw(dice, k);
}
/* The largest integer that is not above x. */
static int tnn__floor(double x)
{
    const int i = (int)x;
    return i > x ? i - 1 : i;
}

/* The logarithm of a uniform number in (0, 1). */
static double tnn__log_uniform(const tnn__draws *dice, uint64_t stream, uint64_t word)
{
    return tnn__log_double((tnn_random_bits(dice->seed, stream, word) + 0.5)/4294967296.0);
}
/* The logarithm of a Gamma(a, 1) variate (Marsaglia and Tsang 2000; for a < 1 that of a + 1, times
   U^(1/a)). Attempt t has block first + t: a normal variate and two uniform ones. */
static double tnn__log_gamma_variate(const tnn__draws *dice, uint64_t first, double a)
{
    const uint64_t stream = ((uint64_t)7 << 60) + dice->epoch; /* of no other draws */
    const double b = (a < 1 ? a + 1 : a) - 1.0/3, c = 1/sqrt(9*b);
    for (;; first++) {
        const double x = (double)tnn_random_normal(dice->seed, stream, first), y = 1 + c*x;
        const double v = y*y*y, u = tnn__log_uniform(dice, stream, 4*first + 2);
        if (!(y > 0) || !(u < 0.5*x*x + b - b*v + b*tnn__log_double(v))) continue;
        return tnn__log_double(b*v)
             + (a < 1 ? tnn__log_uniform(dice, stream, 4*first + 3)/a : 0);
    }
}
/* A Beta(alpha, alpha) variate: x/(x + y) of two Gamma variates. */
static double tnn__beta_variate(const tnn__draws *dice, double alpha)
{
    const uint64_t first = dice->sample << 20;
    const double x = tnn__log_gamma_variate(dice, first, alpha);
    const double y = tnn__log_gamma_variate(dice, first + (1u << 19), alpha);
    return 1/(1 + tnn__exp_double(y - x));
}

/* The pixel that stands at i where there are 0..n-1; -1: none. Mirrored borders have the period
   2(n - 1): c b a b c b a ... */
static int tnn__border(int i, int n, tnn_border border)
{
    const int period = TNN__MAX(1, 2*(n - 1));
    if (i >= 0 && i < n) return i;
    if (border == TNN_BORDER_FILL) return -1; /* the caller's .fill */
    if (border == TNN_BORDER_EDGE) return i < 0 ? 0 : n - 1;
    i = (i%period + period)%period;
    return TNN__MIN(i, period - i)%n;
}

/* -1 with that probability, of word k; else 1. */
static double tnn__mirror(const tnn__draws *dice, int k, double probability)
{
    return tnn__draw(dice, k) < probability ? -1 : 1;
}
/* By how many of n pixels .shift and .crop_pad move the image, of words k and k + 2. Both are whole
   pixels: a crop of the padded image is a shift of it. */
static double tnn__move(const tnn__draws *dice, int k, const tnn_loader_options *with, int n)
{
    return tnn__floor(tnn__draw_from(dice, k, -with->shift, with->shift)*n + 0.5)
         + tnn__floor(tnn__draw(dice, k + 2)*(2*with->crop_pad + 1)) - with->crop_pad;
}
/* The geometry: reads a sample's image of bytes or floats (c, h, w), writes x (c, h, w).
   Pixel p of the result is taken from  m + A^-1 (p - m - t),  m the middle, t the shift and
       A = rotation * [1 -tan u; 0 1] * scale * mirrors,
   whose inverse is (xx xy; yx yy) below. Between pixels it is bilinear, of four taps; at whole
   pixels there is one tap, and the value comes out as it is. Each pixel's taps are found once and
   serve all channels. */
static void tnn__transform(const tnn_data *data, const tnn_loader_options *with,
                           const tnn__draws *dice, const unsigned char *bytes, const float *floats,
                           float *x)
{
    const int h = data->h, w = data->w;
    const tnn__len area = (tnn__len)h*w; /* of a channel */
    const double mx = 0.5*(w - 1), my = 0.5*(h - 1), fill = with->fill; /* the middle */
    const double turn = tnn__draw_from(dice, TNN__DRAW_ROTATE, -with->rotate, with->rotate)/360;
    const double lean = tnn__draw_from(dice, TNN__DRAW_SHEAR, -with->shear, with->shear)/360;
    const double scale = tnn__draw_from(dice, TNN__DRAW_SCALE, with->scale_min, with->scale_max);
    const double c = tnn__cos_turn(fabs(turn)); /* of the angle of rotation */
    const double s = tnn__cos_turn(turn < 0.25 ? turn + 0.75 : turn - 0.25);
    const double slant = tnn__cos_turn(lean + 0.75)/tnn__cos_turn(fabs(lean));
    const double mirror_x = scale*tnn__mirror(dice, TNN__DRAW_FLIP_X, with->flip);
    const double mirror_y = scale*tnn__mirror(dice, TNN__DRAW_FLIP_Y, with->flip_vertical);
    const double xx = (c - slant*s)/mirror_x, xy = (s + slant*c)/mirror_x;
    const double yx = -s/mirror_y,          yy = c/mirror_y;
    const double tx = tnn__move(dice, TNN__DRAW_SHIFT_X, with, w);
    const double ty = tnn__move(dice, TNN__DRAW_SHIFT_Y, with, h);
    int i, j, k, channel;               /* pixel (i, j) of the result, tap k */
    for (i = 0; i < h; i++)
        for (j = 0; j < w; j++, x++) {
            const double px = j - mx - tx, py = i - my - ty; /* about the middle, moved back */
            const double sx = mx + (xx*px + xy*py), sy = my + (yx*px + yy*py); /* where from */
            const int x_0 = tnn__floor(sx), y_0 = tnn__floor(sy);
            const double fx = sx - x_0, fy = sy - y_0; /* between its pixels */
            const int taps = fx > 0 || fy > 0 ? 4 : 1;
            tnn__len at[4];             /* pixels of the taps, -1: none */
            for (k = 0; k < taps; k++) {
                const int from_x = tnn__border(x_0 + k%2, w, with->border);
                const int from_y = tnn__border(y_0 + k/2, h, with->border);
                at[k] = from_x < 0 || from_y < 0 ? -1 : (tnn__len)from_y*w + from_x;
            }
            for (channel = 0; channel < data->c; channel++) {
                double v[4];            /* of the taps; becomes the result */
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

/* The grey of the pixel at x, whose channels are `area` floats apart: of three ITU-R 601's, else
   their mean. */
static double tnn__grey(const float *x, int channels, tnn__len area)
{
    double sum = 0;
    int c;
    if (channels == 3)
        return 0.2989*(double)x[0] + 0.587*(double)x[area] + 0.114*(double)x[2*area];
    for (c = 0; c < channels; c++) sum += (double)x[c*area];
    return sum/channels;
}
/* The colours of x (channels, n pixels), each kind in its turn. With value V = max and chroma
   C = max - min the hue H, in sixths of the circle, gives
       channel = V - C max(0, min(k, 4 - k, 1)),   k = (5, 3, 1 for r, g, b) + H modulo 6.
   The order of the four kinds is a random permutation (Fisher and Yates). Each kind has a word of
   its own, so that one option does not change what another one draws. */
static void tnn__colour(const tnn_loader_options *with, const tnn__draws *dice, int channels,
                        tnn__len n, float *x)
{
    const double strength[4] = { with->brightness, with->contrast, with->saturation, with->hue };
    int order[4] = { 0, 1, 2, 3 }, i, c;
    tnn__len p;
    for (i = 3; i > 0; i--) {
        const int j = tnn__floor(tnn__draw(dice, TNN__DRAW_ORDER + i - 1)*(i + 1)), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (i = 0; i < 4; i++) {
        const int kind = order[i];      /* 0 brightness, 1 contrast, 2 saturation, 3 hue */
        const double a = strength[kind];
        const double f = tnn__draw_from(dice, TNN__DRAW_COLOUR + kind,
                                        kind == 3 ? -6*a : TNN__MAX(0, 1 - a),
                                        kind == 3 ? 6*a : 1 + a);
        double mean = 0;                /* grey of the image */
        if (!(a > 0)) continue;
        for (p = 0; kind == 1 && p < n; p++) mean += tnn__grey(x + p, channels, n)/(double)n;
        /* v = f v + (1 - f) b, b 0, the image's grey or the pixel's. */
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
                double k = 5 - 2*c + hue + f; /* of channel c, turned by f */
                k -= 6*tnn__floor(k/6);
                k = TNN__MIN(1, TNN__MIN(k, 4 - k));
                x[c*n + p] = (float)(most - chroma*TNN__MAX(0, k));
            }
        }
    }
}

typedef struct { int lo, hi; } tnn__part;       /* pixels lo <= i < hi */
/* Of 0..n-1 what `size` pixels about the u-th part of it leave inside. */
static tnn__part tnn__part_of(int n, double u, int size)
{
    const int first = tnn__floor(u*n) - size/2; /* may lie outside */
    tnn__part p;
    p.lo = TNN__MAX(0, first);
    p.hi = TNN__MIN(n, first + size);
    return p;
}
/* In that part of each channel of x (c, h, w) x becomes y, or 0 where y is NULL. */
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
/* Cutout, then a random rectangle; of ten attempts the first that is smaller than the image. What
   is erased is 0, the mean of normalised data, in all channels of x (c, h, w). */
static void tnn__erase(const tnn_data *data, const tnn_loader_options *with, const tnn__draws *dice,
                       float *x)
{
    const double log_ratio = tnn__log_double(with->erase_ratio); /* uniform in the logarithm */
    int attempt;
    if (with->cutout)
        tnn__paste(data, x, NULL,
                   tnn__part_of(data->h, tnn__draw(dice, TNN__DRAW_CUTOUT_Y), with->cutout),
                   tnn__part_of(data->w, tnn__draw(dice, TNN__DRAW_CUTOUT_X), with->cutout));
    if (!(tnn__draw(dice, TNN__DRAW_ERASE) < with->erase)) return;
    for (attempt = 0; attempt < 10; attempt++) {
        const int k = TNN__DRAW_RECTANGLE + 4*attempt; /* its four words */
        const double share = tnn__draw_from(dice, k, with->erase_min, with->erase_max);
        const double area = share*data->h*data->w;
        const double ratio = tnn__exp_double(tnn__draw_from(dice, k + 1, -log_ratio, log_ratio));
        const int h = tnn__floor(sqrt(area/ratio) + 0.5), w = tnn__floor(sqrt(area*ratio) + 0.5);
        tnn__part rows, cols;
        if (h >= data->h || w >= data->w) continue; /* too long on one side */
        rows.lo = tnn__floor(tnn__draw(dice, k + 2)*(data->h - h + 1));
        cols.lo = tnn__floor(tnn__draw(dice, k + 3)*(data->w - w + 1));
        rows.hi = rows.lo + h;
        cols.hi = cols.lo + w;
        tnn__paste(data, x, NULL, rows, cols);
        return;
    }
}

/* ---- 13e. Loaders -----------------------------------------------------------------------------
   A loader is an order of the samples, made anew for each epoch from (seed, epoch), and the memory
   of one batch. tnn_next makes the batch's samples as tasks of the thread pool where they are
   augmented, else alone: then it is a copy.
       labels (n)               without mixing
       targets (n, classes)     with mixing: lambda at one label, 1 - lambda at the other */
struct tnn__loader {
    tnn_data           data;            /* as it was at first, with mean and std */
    tnn_loader_options options;         /* with defaults */
    int                between, *order;     /* between two epochs */
    float              table[256];      /* what bytes stand for */
    int                geometry, colour, erasing, mixing;   /* what is to be done */
    int                threads;             /* and by how many */
    float             *spare;               /* of each thread: the sample that is mixed in */
};

/* Fills in and checks the augmentation's options, of which some do nothing without others. The
   upper ends come first: they bound the lower ones. */
static tnn_status tnn__check_augmentation(tnn_loader_options *with)
{
#define TNN__X(member, otherwise, least, most) \
    TNN__RANGE(tnn_loader_options, member, 'd', otherwise, least, most)
#define TNN__Y(member, most) TNN__RANGE(tnn_loader_options, member, 'i', 0, 0, most)
    const tnn__option ranges[] = {
        TNN__X(flip, 0, 0, 1), TNN__X(flip_vertical, 0, 0, 1), TNN__X(rotate, 0, 0, 180),
        TNN__X(shear, 0, 0, 80), TNN__X(scale_max, 1, 0.01, 100),
        TNN__X(scale_min, 1, 0.01, tnn__default(with->scale_max, 1)),
        TNN__X(shift, 0, 0, 1), TNN__Y(crop_pad, 1 << 16), TNN__X(fill, 0, -1e30, 1e30),
        TNN__Y(border, INT_MAX), TNN__X(brightness, 0, 0, 1e6), TNN__X(contrast, 0, 0, 1e6),
        TNN__X(saturation, 0, 0, 1e6), TNN__X(hue, 0, 0, 0.5), TNN__Y(cutout, 1 << 16),
        TNN__X(erase, 0, 0, 1), TNN__X(erase_max, 0.33, 0, 1),
        TNN__X(erase_min, 0.02, 0, tnn__default(with->erase_max, 0.33)),
        TNN__X(erase_ratio, 3.3, 1, 1e6), TNN__X(mixup, 0, 0, 1e6), TNN__X(cutmix, 0, 0, 1e6),
        TNN__X(mix, 1, 0, 1)
    };
#undef TNN__X
#undef TNN__Y
    if (tnn__choice("tnn_loader_create: .border", (int)with->border, TNN_BORDER_EDGE)
        || TNN__CHECK_READ("tnn_loader_create", with, ranges,
                           "flip flip_vertical rotate shear scale_min scale_max shift crop_pad "
                           "border:rotate|shear|scale_min|scale_max|shift|crop_pad "
                           "fill:rotate|shear|scale_min|scale_max|shift|crop_pad:!border "
                           "brightness contrast saturation hue cutout erase erase_min:erase "
                           "erase_max:erase erase_ratio:erase mixup cutmix mix:mixup|cutmix"))
        return TNN_ERROR_ARGUMENT;
    return tnn__check_ranges("tnn_loader_create: ", with, ranges, TNN__COUNT_OF(ranges));
}
/* Checks options against the data, fills in defaults, and sees what is to be done to samples, so
   that a batch asks no option twice. Nothing is allocated yet. */
static tnn_status tnn__check_loader(const tnn_data *data, const tnn_loader_options *given,
                                    struct tnn__loader *state)
{
    tnn_loader_options *with = &state->options;
    const int most = 1 << 16;           /* pixels: their products fit */
    int i;
    if (!data || !given || data->n < 1)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_loader_create: no %s", given ? "samples: "
                         "tnn_load_idx, tnn_data_view and others give data sets" : "options");
    *with = *given;
    if (!with->batch) with->batch = 64;
    if (with->batch < 1)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_loader_create: .batch = %d must be at least 1",
                         with->batch);
    if (with->drop_last && with->batch > data->n)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_loader_create: .drop_last drops everything: %d "
                         "samples in batches of %d", data->n, with->batch);
    if (tnn__check_augmentation(with)) return TNN_ERROR_ARGUMENT;
    with->batch = TNN__MIN(with->batch, data->n);
    /* What is to be done. */
    state->geometry = with->flip + with->flip_vertical + with->rotate + with->shear > 0
                      || with->shift > 0 || with->crop_pad || with->scale_min < 1
                      || with->scale_max > 1;
    state->colour = with->brightness + with->contrast + with->saturation + with->hue > 0;
    state->erasing = with->cutout || with->erase > 0;
    state->mixing = with->mixup + with->cutmix > 0;
    /* Whether the samples are such as it can be done to. */
    if (data->h == 1 && data->w == 1 && (state->geometry || state->erasing || with->cutmix > 0
                                         || with->contrast > 0))
        return tnn__fail(TNN_ERROR_SHAPE, "tnn_loader_create: samples of %dx1x1 are no images; "
                         "they take .brightness and .mixup; for the others give the data set the "
                         "images' shape (tnn_data_view, tnn_load_npy's .shape)", data->c);
    if (with->border == TNN_BORDER_FILL && with->crop_pad >= TNN__MIN(data->h, data->w))
        return tnn__fail(TNN_ERROR_SHAPE, "tnn_loader_create: .crop_pad = %d of images of %dx%d: "
                         "crops would have nothing of them; at most %d, or another .border",
                         with->crop_pad, data->h, data->w, TNN__MIN(data->h, data->w) - 1);
    if (data->c != 3 && with->saturation + with->hue > 0)
        return tnn__fail(TNN_ERROR_SHAPE, "tnn_loader_create: .saturation and .hue need 3 "
                         "channels, the data have %d", data->c);
    if ((state->geometry || state->erasing || state->mixing) && (data->h > most || data->w > most))
        return tnn__fail(TNN_ERROR_SHAPE, "tnn_loader_create: augmentation of images of %dx%d, "
                         "at most %dx%d", data->h, data->w, most, most);
    for (i = 0; state->mixing && i < data->n; i++)
        if (tnn__label(data, i) < 0 || tnn__label(data, i) >= data->classes)
            return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_loader_create: label %d of sample %d, "
                             "the data have %d classes", tnn__label(data, i), i, data->classes);
    return TNN_OK;
}
/* Hands out the loader's memory, or with NULL only counts it; returns its floats:
       x (batch, c, h, w)   order (n)   spare (threads, c, h, w)   targets or labels */
static tnn__len tnn__place_loader(tnn_loader *loader, struct tnn__loader *state, float *memory)
{
    const tnn__len batch = state->options.batch, classes = state->data.classes; /* at most n */
    const tnn__len size = (tnn__len)state->data.c*state->data.h*state->data.w;
    tnn__arena arena;
    arena.memory = memory;
    arena.used = 0;
    loader->x = tnn__take(&arena, tnn__mul(batch, size) + TNN__SLACK);
    state->order = (int *)(void *)tnn__take(&arena, state->data.n);
    if (state->mixing) {
        state->spare = tnn__take(&arena, tnn__mul(state->threads, size));
        loader->targets = tnn__take(&arena, tnn__mul(batch, classes));
    } else loader->labels = (int *)(void *)tnn__take(&arena, batch);
    return arena.used;
}
/* A new loader; NULL on error. It is one allocation: itself, its state, and the memory of these.
   So it is one thing to free, and one that can fail. */
static tnn_loader *tnn__new_loader(const tnn_data *data, const tnn_loader_options *options)
{
    const tnn__len head = tnn__round_up((tnn__len)(sizeof(tnn_loader) + sizeof(struct tnn__loader)),
                                        TNN__ALIGN);
    tnn_loader made, *loader;           /* made: before there is memory */
    struct tnn__loader state;
    tnn__len floats;
    memset(&made, 0, sizeof made);
    memset(&state, 0, sizeof state);
    if (tnn__check_loader(data, options, &state)) return NULL;
    state.data = *data;
    state.between = 1;                  /* as at the end of an epoch */
    state.threads = state.geometry || state.colour || state.erasing || state.mixing ? tnn_threads()
                                                                                     : 1;
    tnn__byte_values(data, state.table);
    made.batches = state.options.drop_last ? data->n/state.options.batch
                                           : tnn__blocks(data->n, state.options.batch);
    made.epoch = -1;                    /* the first tnn_next begins epoch 0 */
    floats = tnn__place_loader(&made, &state, NULL);
    loader = (tnn_loader *)tnn__alloc(head + tnn__mul(floats, 4), "tnn_loader_create");
    if (!loader) return NULL;
    tnn__place_loader(&made, &state, (float *)(void *)((char *)loader + head));
    made.state = (struct tnn__loader *)(void *)(loader + 1);
    *loader = made;
    *made.state = state;
    tnn__share(data->memory);
    return loader;
}
static tnn_loader tnn__no_loader;       /* for one that could not be made; nobody writes to it */
TNN_API_GATED tnn_loader *tnn_loader_create_with(const tnn_data *data,
                                                 const tnn_loader_options *options)
{
    tnn_loader *loader = tnn_failed() ? NULL : tnn__new_loader(data, options);
    return loader ? loader : &tnn__no_loader;
}
/* Whether that is a loader that could be made; else an error of the call `what`. */
static tnn_status tnn__loader_made(const char *what, const tnn_loader *loader)
{
    if (loader && loader->state) return TNN_OK;
    return tnn__fail(TNN_ERROR_ARGUMENT, "%s: no loader, or one that could not be made; "
                     "tnn_loader_create makes them", what);
}
/* Makes x (c, h, w) of sample dice->sample of the data, augmented but for what is mixed in. */
static void tnn__load_sample(const struct tnn__loader *state, const tnn__draws *dice, float *x)
{
    const tnn_data *data = &state->data;
    const tnn_loader_options *with = &state->options;
    const int i = (int)dice->sample;    /* in the loader's data */
    const tnn__len size = (tnn__len)data->c*data->h*data->w;
    const tnn__len at = (data->order ? data->order[i] : i)*size;
    const unsigned char *bytes = data->bytes ? data->bytes + at : NULL;
    const float *floats = data->bytes ? NULL : data->floats + at;
    tnn__len k;
    /* Bytes count as byte/255 until they are normalised; without geometry and colour one lookup
       does both. */
    if (state->geometry) tnn__transform(data, with, dice, bytes, floats, x);
    else if (state->colour)
        for (k = 0; k < size; k++) x[k] = bytes ? (float)bytes[k]/255.0f : floats[k];
    else tnn__sample(data, i, state->table, x);
    if (state->colour) tnn__colour(with, dice, data->c, (tnn__len)data->h*data->w, x);
    if (state->geometry || state->colour)
        for (k = 0; k < size; k++) x[k] = (x[k] - data->mean)/data->std;
    if (state->erasing) tnn__erase(data, with, dice, x);
}
/* Mixes another sample of the data into x (c, h, w), whose target (classes) is a 1 at its label.
   The other one is augmented as it would be in its own place of the epoch. Cutmix pastes a part of
   it; what the image's edge cuts off counts for neither. */
static void tnn__mix_sample(const struct tnn__loader *state, const tnn__draws *dice, int worker,
                            float *x, float *target)
{
    const tnn_data *data = &state->data;
    const tnn_loader_options *with = &state->options;
    const tnn__len size = (tnn__len)data->c*data->h*data->w;
    const int label = tnn__label(data, (int)dice->sample);
    const int cut = with->cutmix > 0
                    && (!(with->mixup > 0) || tnn__draw(dice, TNN__DRAW_MIX_KIND) < 0.5);
    double lambda = tnn__beta_variate(dice, TNN__MAX(cut ? with->cutmix : with->mixup, 1e-6));
    float *y = state->spare + worker*size; /* the other one */
    tnn__draws other = *dice;
    tnn__len k;
    other.sample = (uint64_t)tnn__floor(tnn__draw(dice, TNN__DRAW_OTHER)*data->n);
    tnn__load_sample(state, &other, y);
    if (!cut)
        for (k = 0; k < size; k++)
            x[k] = (float)(lambda*(double)x[k] + (1 - lambda)*(double)y[k]);
    else {
        /* A rectangle of 1 - lambda of the area, of the image's proportions. */
        const double side = sqrt(1 - lambda);
        const tnn__part rows = tnn__part_of(data->h, tnn__draw(dice, TNN__DRAW_BOX_Y),
                                            tnn__floor(side*data->h));
        const tnn__part cols = tnn__part_of(data->w, tnn__draw(dice, TNN__DRAW_BOX_X),
                                            tnn__floor(side*data->w));
        tnn__paste(data, x, y, rows, cols);
        lambda = 1 - (double)(rows.hi - rows.lo)*(cols.hi - cols.lo)/data->h/data->w;
    }
    target[label] = (float)lambda;
    target[tnn__label(data, (int)other.sample)] += (float)(1 - lambda);
}
/* Makes sample `task` of the batch, its label or its target: a task of the pool. */
static void tnn__load_task(void *context, int task, int worker)
{
    const tnn_loader *loader = (const tnn_loader *)context;
    const struct tnn__loader *state = loader->state;
    const tnn_loader_options *with = &state->options;
    const tnn_data *data = &state->data;
    float *x = loader->x + task*((tnn__len)data->c*data->h*data->w), *target;
    int label;
    tnn__draws dice;
    dice.seed = with->seed;
    dice.epoch = (uint64_t)loader->epoch;
    dice.sample = (uint64_t)state->order[(tnn__len)loader->batch_index*with->batch + task];
    tnn__load_sample(state, &dice, x);
    label = tnn__label(data, (int)dice.sample);
    if (!state->mixing) {
        loader->labels[task] = label;
        return;
    }
    target = loader->targets + (tnn__len)task*data->classes;
    memset(target, 0, (size_t)data->classes*sizeof *target);
    target[label] = 1;
    if (tnn__draw(&dice, TNN__DRAW_MIX) < with->mix)
        tnn__mix_sample(state, &dice, worker, x, target);
}
/* The samples in the order of the epoch, which is loader->epoch. A checkpoint that takes up within
   an epoch asks for it, too. */
static void tnn__order(const tnn_loader *loader)
{
    const struct tnn__loader *state = loader->state;
    int i;
    for (i = 0; i < state->data.n; i++) state->order[i] = i;
    if (state->options.shuffle)
        tnn_shuffle(state->order, state->data.n, state->options.seed,
                    ((uint64_t)1 << 62) + (uint64_t)loader->epoch);
}
/* Makes the next batch and returns its size; 0 once at the end of each epoch. */
TNN_API_GATED int tnn_next(tnn_loader *loader)
{
    struct tnn__loader *state;
    if (tnn_failed() || tnn__loader_made("tnn_next", loader)) return 0;
    state = loader->state;
    loader->n = 0;
    if (state->between) {               /* begin an epoch */
        state->between = 0;
        loader->epoch++;
        loader->batch_index = -1;
        tnn__order(loader);
    }
    if (++loader->batch_index >= loader->batches) {
        state->between = 1;
        return 0;
    }
    loader->n = (int)TNN__MIN(state->options.batch, state->data.n
                              - (tnn__len)loader->batch_index*state->options.batch);
    tnn__run(state->threads, loader->n, tnn__load_task, loader);
    return loader->n;
}
/* The loader that could not be made is nobody's. */
TNN_API void tnn_loader_free(tnn_loader *loader)
{
    if (!loader || !loader->state) return;
    tnn__give_up(loader->state->data.memory);
    tnn__release(loader);
}

/* ==== 14. TRAINING AND METRICS =================================================================
   What a program does with a network and a data set or loader beside the steps themselves.
     14a  evaluation, an epoch of training, early stopping
     14b  what tries steps: the learning-rate finder, the check of gradients. They keep a copy of
          the network's one allocation and put it back: it is bit for bit as it was
     14c  a network in words
   Whether samples fit the network, and labels its loss, is asked once, before the first batch. */

/* ---- 14a. Metrics and epochs ------------------------------------------------------------------
   A loss of many batches is not the mean of theirs where the last is smaller, classes are weighted
   or labels ignored. So sums are kept, of losses and of their weights, and reduced at the end as
   those of one batch of all samples would be. */

/* The loss, and of n samples that count so many that are correct. Where none counts, as with losses
   that have no classes, the accuracy is NaN, which no comparison takes for good. */
static tnn_metrics tnn__metrics_of(double loss, int correct, int n)
{
    tnn_metrics m;
    memset(&m, 0, sizeof m);
    m.loss = loss;
    m.correct = correct;
    m.n = n;
    m.accuracy = n ? (double)correct/n : TNN__NAN;
    return m;
}
/* What failure gives. */
static tnn_metrics tnn__no_metrics(void)
{
    tnn_metrics m;
    memset(&m, 0, sizeof m);
    m.loss = TNN__NAN;
    return m;
}
/* Whether the samples are what the network takes: of its shape, or as many values where one of the
   two is flat. Other shapes of as many are other images: (h, w, c) is the usual mistake, and trains
   to a bad accuracy without any error. */
static tnn_status tnn__samples_fit(const char *what, const tnn_net *net, const tnn_data *data)
{
    const int *in = net->options.input;
    const tnn__len values = (tnn__len)in[0]*in[1]*in[2];
    if (!data || data->n < 1)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: no data: tnn_load_idx, tnn_data_view and others "
                         "give data sets", what);
    if ((tnn__len)data->c*data->h*data->w != values)
        return tnn__fail(TNN_ERROR_SHAPE, "%s: samples of %dx%dx%d for a network of %dx%dx%d", what,
                         data->c, data->h, data->w, in[0], in[1], in[2]);
    if ((data->c == in[0] && data->h == in[1] && data->w == in[2])
        || data->c == values || in[0] == values) return TNN_OK;
    return tnn__fail(TNN_ERROR_SHAPE, "%s: samples of %dx%dx%d for a network of %dx%dx%d: as many "
                     "values in another order; both are channels x height x width (tnn_load_npy "
                     "has .channels_last), or one of the two is flat, %lx1x1", what,
                     data->c, data->h, data->w, in[0], in[1], in[2], (long long)values);
}
/* The same of a loader's samples, if there is a loader. */
static tnn_status tnn__loader_fits(const char *what, const tnn_net *net, const tnn_loader *loader)
{
    const tnn_status e = tnn__loader_made(what, loader);
    return e ? e : tnn__samples_fit(what, net, &loader->state->data);
}
/* Whether a loader's batches and the network's loss go together: one label per sample, and of
   mixed ones targets of as many classes as the loss sees values. */
static tnn_status tnn__trains_on(const char *what, tnn_net *net, const tnn_loader *loader)
{
    tnn_status e = tnn__one_label(what, net);
    if (!e) e = tnn__loader_fits(what, net, loader);
    if (e || !loader->targets
        || loader->state->data.classes == tnn__loss_view(net, &net->loss).values) return e;
    return tnn__fail(TNN_ERROR_SHAPE, "%s: targets of %d classes, the loss sees %d values", what,
                     loader->state->data.classes, tnn__loss_view(net, &net->loss).values);
}
/* The next batch of an epoch, or of what is left of it; where nothing was, of the next. `batches`
   have been taken so far. Returns its size, 0 at the end. */
static int tnn__next_of(tnn_loader *loader, int batches)
{
    return tnn_next(loader) || (!batches && tnn_next(loader));
}
/* A training step on the loader's batch, with its labels or, where samples are mixed, its targets;
   returns its loss. */
static double tnn__train_on(tnn_net *net, const tnn_loader *loader)
{
    return tnn__train_batch(net, loader->x, loader->labels, loader->targets, loader->n);
}
/* Adds a batch's predictions to counts (classes, classes), rows by label; labels (n), from sample
   `first` on. A label that the network does not tell is an error. */
static tnn_status tnn__count_batch(tnn_net *net, const int *labels, int first, int n, int classes,
                                   int *counts)
{
    int s;
    for (s = 0; s < n; s++)
        if (tnn__ignored(net, labels[s])) continue;
        else if (labels[s] < classes)
            counts[(tnn__len)labels[s]*classes + tnn__predicted(net, s)]++;
        else
            return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_confusion: label %d of sample %d, the "
                             "network tells %d classes apart", labels[s], first + s, classes);
    return TNN_OK;
}
/* Runs a data set through the network in eval mode, in order, in batches of the network's size;
   counts (room, room) may be NULL. Samples are made here, without a loader: nothing is augmented.
   x (batch, c, h, w) and the labels are one workspace. The network forgets its last forward, which
   was not the caller's. On failure the loss is NaN. */
static tnn_metrics tnn__measure(tnn_net *net, const tnn_data *data, int *counts, int room)
{
    double loss = 0, weight = 0;        /* sums over the batches */
    float table[256], *x;
    int *labels, i, n, s, shape[3], classes = tnn_output_shape(net, shape), batch;
    int correct = 0, counted = 0;       /* also sums */
    tnn__len size;
    if (!classes || tnn__one_label("tnn_evaluate", net)
        || tnn__samples_fit("tnn_evaluate", net, data)) return tnn__no_metrics();
    classes = tnn__outcomes(net);
    if (counts && room != classes) {
        tnn__fail(TNN_ERROR_SHAPE, "tnn_confusion: counts of %d classes, the network tells %d "
                  "apart", room, classes);
        return tnn__no_metrics();
    }
    size = (tnn__len)data->c*data->h*data->w;
    batch = TNN__MIN(net->options.batch, data->n);
    x = tnn__workspace(tnn__mul(batch, size + 1), "tnn_evaluate");
    if (!x) return tnn__no_metrics();
    labels = (int *)(void *)(x + batch*size); /* behind a batch of samples */
    if (counts) memset(counts, 0, (size_t)classes*(size_t)classes*sizeof *counts);
    tnn__byte_values(data, table);
    for (i = 0; i < data->n && !tnn_failed(); i += n) {
        n = TNN__MIN(batch, data->n - i);
        for (s = 0; s < n; s++) {
            tnn__sample(data, i + s, table, x + s*size);
            labels[s] = tnn__label(data, i + s);
        }
        if (tnn_forward(net, x, n, TNN_EVAL) || tnn__loss_run(net, labels, NULL)) break;
        loss += net->total;
        weight += net->weight;
        correct += net->correct;
        counted += net->counted;
        if (counts) tnn__count_batch(net, labels, i, n, classes, counts);
    }
    tnn__release(x);
    net->stage = TNN__NOTHING;
    if (!tnn_failed()) loss = tnn__reduced(net, data->n, loss, weight);
    return tnn_failed() ? tnn__no_metrics() : tnn__metrics_of(loss, correct, counted);
}
/* The metrics of a data set. */
TNN_API_GATED tnn_metrics tnn_evaluate(tnn_net *net, const tnn_data *data)
{
    return tnn__measure(net, data, NULL, 0);
}
/* The same, and counts (classes, classes). */
TNN_API_GATED tnn_metrics tnn_confusion(tnn_net *net, const tnn_data *data, int *counts,
                                        int classes)
{
    if (counts) return tnn__measure(net, data, counts, classes);
    tnn__fail(TNN_ERROR_ARGUMENT, "tnn_confusion: no counts, which are classes*classes ints");
    return tnn__no_metrics();
}
/* Trains what is left of the loader's epoch and ends the network's epoch, for its schedule. The
   first error ends it, and no metrics are told. */
TNN_API_GATED tnn_metrics tnn_train_epoch(tnn_net *net, tnn_loader *loader)
{
    double loss = 0;                    /* sum of the batches' means */
    int batches = 0, correct = 0, counted = 0;
    if (tnn__trains_on("tnn_train_epoch", net, loader)) return tnn__no_metrics();
    for (; tnn__next_of(loader, batches); batches++) {
        loss += tnn__train_on(net, loader);
        if (tnn_failed()) break;
        counted += net->counted;
        correct += net->correct;
    }
    if (tnn_failed() || !batches) return tnn__no_metrics();
    tnn_end_epoch(net);
    return tnn__metrics_of(loss/batches, correct, counted);
}

/* Whether a number is neither infinite nor NaN: their differences with themselves are NaN. */
static int tnn__finite(double x) { return x - x >= 0; }
/* A threshold of early stopping, with the sign of the metric: the smaller the better. Where it is
   not set it is NaN, which is neither < nor >, so that no comparison with it asks whether it is. */
static double tnn__threshold(const tnn_early_stopping *stop, double value)
{
    return (stop->max ? -1 : 1)*tnn__default(value, TNN__NAN);
}
/* Checks the options of early stopping at each call: the program may have changed them. Those of
   one framework do nothing in the other's manner. */
static tnn_status tnn__check_stopping(const tnn_early_stopping *stop, const tnn_net *net)
{
    if (!stop || (stop->restore_best && !net))
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_early_stop: no tnn_early_stopping, or no network "
                         "for .restore_best");
    if (stop->patience < -1 || stop->start_from < 0 || !(stop->min_delta >= 0)
        || stop->min_delta > 1e30)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_early_stop: .patience = %d must be at least -1, "
                         ".start_from = %d not negative, .min_delta = %g in [0, 1e30]",
                         stop->patience, stop->start_from, stop->min_delta);
    /* What the one of the two has not is refused where it is set. */
    if (stop->keras ? stop->any_value || tnn__finite(tnn__threshold(stop, stop->stop_at))
                      || tnn__finite(tnn__threshold(stop, stop->diverged_at))
                    : stop->start_from || tnn__finite(tnn__threshold(stop, stop->baseline)))
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_early_stop: %s", stop->keras
                         ? ".any_value, .stop_at and .diverged_at do not go with .keras"
                         : ".baseline and .start_from need .keras");
    return TNN_OK;
}
/* One call per validation. The copy of the best weights is made at the first call, so that there is
   something to put back even if no metric is ever better. `bad` counts the calls since the last
   better one; Keras begins to count anew only below the baseline. */
TNN_API_GATED int tnn_early_stop(tnn_early_stopping *stop, tnn_net *net, double metric)
{
    double v, best, baseline;           /* of the metric times sign: the smaller the better */
    int patience;
    size_t n = 0;
    float *w = NULL;                    /* the weights, and behind them statistics */
    if (tnn_failed() || tnn__check_stopping(stop, net)) return 1;
    if (stop->restore_best && !(w = tnn_flat(net, 0, &n))) return 1;
    if (w) n += (size_t)net->buffer_floats;
    if (++stop->calls <= stop->start_from) return 0;
    if (w && !stop->copy) {
        stop->copy = tnn__workspace((tnn__len)n, "tnn_early_stop");
        if (!stop->copy) return 1;
        memcpy(stop->copy, w, n*sizeof *w);
    }
    /* Lightning's: what stops whether or not the metric is better. */
    v = stop->max ? -metric : metric;
    if (!stop->keras && ((!tnn__finite(v) && !stop->any_value)
                         || v < tnn__threshold(stop, stop->stop_at)
                         || v > tnn__threshold(stop, stop->diverged_at))) return 1;
    best = !stop->best_call ? HUGE_VAL : stop->max ? -stop->best : stop->best;
    baseline = tnn__threshold(stop, stop->baseline);
    stop->bad++;
    if (v + stop->min_delta < best) {
        stop->best = metric;
        stop->best_call = stop->calls;
        if (stop->copy) memcpy(stop->copy, w, n*sizeof *w);
        if (!tnn__finite(baseline) || v + stop->min_delta < baseline) stop->bad = 0;
        return 0;
    }
    /* Not better: is it time? Never at Keras' first call. */
    patience = stop->patience < 0 ? 0 : stop->patience || stop->keras ? stop->patience : 3;
    return stop->bad >= patience && !(stop->keras && stop->calls == 1);
}
/* Puts the best weights and running statistics back, and forgets gradients that were accumulated
   on others. Serves again afterwards. */
TNN_API_GATED tnn_status tnn_early_stopping_end(tnn_early_stopping *stop, tnn_net *net)
{
    size_t n = 0;
    float *w;
    if (!stop)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_early_stopping_end: no tnn_early_stopping");
    if (stop->copy && net && (w = tnn_flat(net, 0, &n)) != NULL) {
        memcpy(w, stop->copy, (n + (size_t)net->buffer_floats)*sizeof *w);
        net->accumulated = 0;
        net->stage = TNN__NOTHING;
    }
    tnn__release(stop->copy);
    stop->copy = NULL;
    stop->calls = stop->bad = stop->best_call = 0;
    stop->best = 0;
    return (tnn_status)tnn_failed();
}

/* ---- 14b. What tries steps on a network -------------------------------------------------------
   All that a step changes lies in the network's allocation or in struct tnn_net itself: weights,
   optimizer state, averages, running statistics; counters of steps and of random numbers. A copy of
   the two is all that is needed, and no part of a network must know of it. */

/* Keeps the network's state in *before and its memory in the copy that it returns; NULL on
   failure. */
static float *tnn__keep(const char *what, const tnn_net *net, tnn_net *before)
{
    float *memory = tnn__workspace(net->memory_floats, what);
    if (memory) memcpy(memory, net->memory, (size_t)net->memory_floats*sizeof *memory);
    *before = *net;
    return memory;
}
/* Leaves the network as it was, and frees the copy. The caller's input, which blob 0 may point to,
   is that of the last forward still. */
static void tnn__put_back(tnn_net *net, const tnn_net *before, float *memory)
{
    *net = *before;
    memcpy(net->memory, memory, (size_t)net->memory_floats*sizeof *memory);
    if (net->direct) net->blob[0].data = (float *)(uintptr_t)net->x;
    tnn__release(memory);
}

/* Trains the finder's steps from rate `low` to `high` and fills its curve, lr and loss (count):
       a_k = beta a_(k-1) + (1 - beta) loss_k,   loss'_k = a_k/(1 - beta^(k+1))
   It ends early where loss' is `diverge` times its least, or a loss is not finite. */
static void tnn__lr_curve(tnn_net *net, tnn_loader *loader, tnn_lr_finder *finder, double low,
                          double high)
{
    const double beta = tnn__default(finder->beta, 0.98);
    const double diverge = tnn__default(finder->diverge, 4);
    double average = 0, weight = 1, least = HUGE_VAL, loss; /* weight: beta^(k+1) */
    int i;
    finder->count = 0;
    for (i = 0; i < finder->steps && tnn__next_of(loader, 0); i++) {
        const double part = (double)i/(finder->steps - 1);
        const double lr = finder->linear ? low + (high - low)*part : low*tnn__pow(high/low, part);
        tnn_set_lr(net, lr);
        loss = tnn__train_on(net, loader);
        if (tnn_failed()) {             /* a loss that is not finite ends the curve */
            if (i && tnn_failed() == TNN_ERROR_NUMBER) tnn_clear_error();
            break;
        }
        average = beta*average + (1 - beta)*loss;
        weight *= beta;
        finder->lr[i] = lr;
        finder->loss[i] = average/(1 - weight);
        finder->count = i + 1;
        if (finder->loss[i] > diverge*least) break;
        least = TNN__MIN(least, finder->loss[i]);
    }
}
/* The rate where the smoothed losses fall fastest from step to step, of central differences:
   fastai's "steep". The schedule is switched off meanwhile. NaN on failure. */
TNN_API_GATED double tnn_lr_find(tnn_net *net, tnn_loader *loader, tnn_lr_finder *finder)
{
    double low, high, beta, diverge, steepest = HUGE_VAL, best = TNN__NAN;
    float *memory;
    tnn_net before;                     /* its state, to be put back */
    int i;
    if (tnn_failed()) return TNN__NAN;
    if (!net || !finder || !finder->lr || !finder->loss) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_lr_find: no network or finder, or no arrays .lr and "
                  ".loss in it");
        return TNN__NAN;
    }
    low = tnn__default(finder->min_lr, 1e-8);
    high = tnn__default(finder->max_lr, 1);
    beta = tnn__default(finder->beta, 0.98);
    diverge = tnn__default(finder->diverge, 4);
    if (!(low >= (finder->linear ? 0 : 1e-30) && high > low && high <= 1e30) || finder->steps < 3
        || !(beta >= 0 && beta < 1) || !(diverge > 1)) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_lr_find: needs 0 < .min_lr = %g < .max_lr = %g, "
                  ".steps = %d at least 3, .beta = %g in [0, 1), .diverge = %g above 1",
                  low, high, finder->steps, beta, diverge);
        return TNN__NAN;
    }
    if (tnn_build(net) || tnn__trains_on("tnn_lr_find", net, loader)
        || (memory = tnn__keep("tnn_lr_find", net, &before)) == NULL) return TNN__NAN;
    net->schedule.type = (tnn_schedule_type)0;
    tnn__lr_curve(net, loader, finder, low, high);
    tnn__put_back(net, &before, memory);
    if (tnn_failed()) return TNN__NAN;
    /* Without the first tenth, whose averages are of few losses, and the last. */
    for (i = TNN__MAX(finder->steps/10, 1); i + 1 < finder->count; i++) {
        const double slope = finder->loss[i + 1] - finder->loss[i - 1];
        if (!(slope < steepest)) continue;
        steepest = slope;
        best = finder->lr[i];
    }
    if (!(best >= 0))
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_lr_find: ended after %d steps, too few of %d; begin "
                  "with a smaller .min_lr than %g", finder->count, finder->steps, low);
    return best;
}

/* Whether dL/dw is what backward says, without derivatives of second order and in floats.
   Along d, random signs over a whole tensor or, in every other round, at one of its elements, the
   loss leaves its tangent with slopes r(h) = (L(w + h d) - L(w) - g.(h d))/h. Rounding, corners and
   curvature spread eight of them, of steps to both sides of 3e-3 to 4e-4 of the tensor's norm; with
   a right g they lie about 0, which was never twice their spread from their middle. What is
   returned is by how much 0 is further away than that, in units of the derivative. Weights are
   moved in place, within their panels, and copied back from `memory`. */
TNN_API_GATED double tnn_gradient_check(tnn_net *net, const float *x, const int *labels, int n,
                                        int samples)
{
    double worst = 0, largest = 0, start; /* largest gradient; loss at w */
    tnn__len i;
    float *memory;
    tnn_net before;
    int k, j;
    if (tnn_build(net) || (memory = tnn__keep("tnn_gradient_check", net, &before)) == NULL)
        return TNN__NAN;
    net->accumulated = 0;
    tnn_forward(net, x, n, TNN_TRAIN);
    start = tnn_loss(net, labels);
    tnn_backward(net);
    for (i = 0; i < net->params && !tnn_failed(); i++)
        largest = TNN__MAX(largest, fabs((double)net->flat[TNN__G][i]));
    for (k = 0; net->trained_tensors && k < samples && !tnn_failed(); k++) {
        int which;
        const tnn__op *op = tnn__find_param(net, k%net->trained_tensors, &which);
        const tnn__len count = tnn__param_of(op, which).count;
        const int one = k/net->trained_tensors%2; /* every other round one element */
        const tnn__len first = one ? (tnn__len)(tnn_random_bits(1, 1, (uint64_t)k)
                                                %(uint64_t)count) : 0;
        const tnn__len end = one ? first + 1 : count;
        const float *w = net->flat[TNN__W] + (which ? op->b : op->w);
        const double size = tnn__inner(tnn__kernels(), which ? op->b_floats : op->w_floats, w, w);
        const double unit = sqrt((size > 1e-40 ? size : (double)count)/(double)(end - first));
        double low = HUGE_VAL, high = -HUGE_VAL, scale = 0.01*largest;
        if (!op->trained) continue;
        /* Eight steps h d, to both sides, each half as long as the one before it. */
        for (j = 0; j < 8 && !tnn_failed(); j++) {
            const double h = (j%2 ? -3e-3 : 3e-3)/(1 << j/2)*unit;
            double tangent = 0, squares = 0, rise; /* g.(h d), |g|^2, L(w + h d) - L(w) */
            for (i = first; i < end; i++) {
                const double g = (double)*tnn__param_at(net, op, which, net->flat[TNN__G], i);
                float *at = tnn__param_at(net, op, which, net->flat[TNN__W], i);
                const double old = (double)*at;
                *at = (float)(old + (tnn_random_bits(2, (uint64_t)k, (uint64_t)i) & 1 ? h : -h));
                tangent += g*((double)*at - old);
                squares += g*g;
            }
            net->draws--;               /* the same dropout */
            tnn_forward(net, x, n, TNN_TRAIN);
            rise = tnn_loss(net, labels) - start;
            low = TNN__MIN(low, (rise - tangent)/h);
            high = TNN__MAX(high, (rise - tangent)/h);
            scale = TNN__MAX(TNN__MAX(scale, fabs(rise/h)), sqrt(squares));
            for (i = first; i < end; i++) {
                float *at = tnn__param_at(net, op, which, net->flat[TNN__W], i);
                *at = memory[at - net->memory];
            }
        }
        /* The middle of the slopes, beyond twice their spread. */
        worst = TNN__MAX(worst, (fabs(low + high)/2 - 2*(high - low))/TNN__MAX(scale, 1e-30));
    }
    tnn__put_back(net, &before, memory);
    return tnn_failed() ? TNN__NAN : worst;
}

/* While net->cumulative counts the batches from 1, running statistics are means of all of them (7).
   They are made beside the old ones, net->moved, and take their place only at the end. Nothing is
   trained: it is a forward in training mode of each batch, as update_bn does it. */
TNN_API_GATED tnn_status tnn_update_statistics(tnn_net *net, tnn_loader *loader)
{
    tnn_status e = tnn_build(net);
    uint64_t draws;                     /* of dropout: as before after an error */
    if (!e) e = tnn__loader_fits("tnn_update_statistics", net, loader);
    if (e) return e;
    draws = net->draws;
    for (net->cumulative = 1; tnn__next_of(loader, net->cumulative > 1); net->cumulative++)
        if (tnn_forward(net, loader->x, loader->n, TNN_TRAIN)
            || tnn__check_statistics("tnn_update_statistics", net)) break;
    if (net->cumulative > 1 && !tnn_failed()) {
        tnn__copy_statistics(net, net->moved, net->buffers);
        tnn__copy_statistics(net, net->moved, net->held);
    } else net->draws = draws;
    net->cumulative = 0;
    net->stage = TNN__NOTHING;
    return (tnn_status)tnn_failed();
}

/* ---- 14c. Summary -----------------------------------------------------------------------------
   A page is written as snprintf writes: what has no room is only counted. Each layer is looked at
   by itself, as PyTorch sees it, before anything is fused; its row in tnn__torch says how PyTorch
   prints it. A layer of a new type needs a row there, and a letter in tnn__print_value for each
   value that none has yet. */
typedef struct { char *text; size_t room, length; } tnn__page;

/* Writes one character, or counts it. */
static void tnn__print_char(tnn__page *page, char c)
{
    if (page->length + 1 < page->room) page->text[page->length] = c;
    page->length++;
}
/* Text as tnn__fail formats it (2b), at most 127 characters, at the right of `width`; what is
   longer than the width is not cut. */
static void tnn__print(tnn__page *page, int width, const char *format, ...)
{
    char text[128];
    const char *c;
    int n;
    va_list args;
    va_start(args, format);
    tnn__format(text, sizeof text, format, args);
    va_end(args);
    for (n = (int)strlen(text); n < width; n++) tnn__print_char(page, ' ');
    for (c = text; *c; c++) tnn__print_char(page, *c);
}
/* A count with commas, 1,069,509, at the right of `width`. */
static void tnn__print_count(tnn__page *page, int width, long long count)
{
    char text[40], *c = text + sizeof text - 1; /* written from its end */
    int n = 0;
    *c = 0;
    do {
        if (n && n%3 == 0) *--c = ',';
        *--c = (char)('0' + count%10);
        count /= 10;
    } while (++n && count);
    tnn__print(page, width, "%s", c);
}
/* A line with megabytes of 2^20, to two decimals, rounded in integers so that every machine writes
   the same. */
static void tnn__print_mb(tnn__page *page, const char *what, double bytes)
{
    const long long n = (long long)(bytes/1048576*100 + 0.5); /* hundredths */
    tnn__print(page, 0, "%s (MB): %l.%s%l\n", what, n/100, n%100 < 10 ? "0" : "", n%100);
}
/* A line of 80 times the same character. */
static void tnn__print_rule(tnn__page *page, char c)
{
    int i;
    for (i = 0; i < 80; i++) tnn__print_char(page, c);
    tnn__print_char(page, '\n');
}
/* A number as Python's repr writes a float: 1.0, 0.01, 1e-05; NaN is None. To six digits, which
   give back what the user wrote. */
static void tnn__print_float(tnn__page *page, double x)
{
    int e = 0;                          /* of 10^-e */
    const double size = fabs(x);
    for (; size > 0 && size < 0.9999995e-4 && fabs(x) < 0.9999995; e++) x *= 10;
    tnn__print(page, 0, x != x ? "None" : "%g", x);
    if (e) tnn__print(page, 0, e < 10 ? "e-0%d" : "e-%d", e);
    else if (size < 1e6 && x - (double)(long long)x == 0) tnn__print(page, 0, ".0");
}
/* "(c, h, w)" of an image, "(n)" of a vector, between `before` and `after`. */
static void tnn__print_shape(tnn__page *page, int width, const tnn__blob *b, int is_vector,
                             const char *before, const char *after)
{
    if (is_vector) tnn__print(page, width, "%s%d%s", before, tnn__values(b), after);
    else tnn__print(page, width, "%s%d, %d, %d%s", before, b->c, b->h, b->w, after);
}

/* By tnn_layer_type: PyTorch's class, and what it prints in brackets, an item after each semicolon.
   A value stands for %fx: x is what (tnn__print_value), f how: b True or False, d an int, f a
   float, g a short one, s text, 2 "(h, w)", 1 the same, but one number where they are equal. An
   item is left out where its value is what stands behind its !. Before the class may be
       *  a call in forward(), not a module, with TNN_SUMMARY_FUNCTIONAL
       =  of a vector, (n, c) to PyTorch, it makes a vector; else an image of one pixel
       -  it makes a vector of anything
   "Conv2d;%di;kernel_size=%2k;groups=%dg!1" of 3 channels in, 5 x 5, ungrouped, is written
   Conv2d(3, kernel_size=(5, 5)). */
#define TNN__CONV_ITEMS(more) ";%di;%do;kernel_size=%2k;stride=%2s;padding=%2p!(0, 0);" \
    "dilation=%2d!(1, 1);" more "groups=%dg!1;bias=%bb!True;padding_mode=%sm!zeros"
#define TNN__NORM_ITEMS "%sr;%di;eps=%fe;momentum=%gM;affine=%ba;bias=%bb;track_running_stats=%bt"
static const char *const tnn__torch[] = {
    "Input",
    "Conv2d" TNN__CONV_ITEMS(""),
    "-Linear;in_features=%dI;out_features=%do;bias=%bb",
    "MaxPool2d;kernel_size=%1k;stride=%1s;padding=%1p;dilation=%1d;ceil_mode=%bc",
    "AvgPool2d;kernel_size=%1k;stride=%1s;padding=%1p",
    "*-Flatten;start_dim=1;end_dim=-1",
    "*=ReLU", "*=LeakyReLU;negative_slope=%fl", "=Dropout;p=%gq;inplace=False",
    "ConvTranspose2d" TNN__CONV_ITEMS("output_padding=%2x!(0, 0);"),
    "AdaptiveMaxPool2d;output_size=%1z", "AdaptiveAvgPool2d;output_size=%1z",
    "Upsample;size=%2Z!(0, 0);scale_factor=%fZ!0.0;mode='%sM'",
    "%syPad2d;%sY(%dw, %dw, %dh, %dh);value=%fv!0.0",
    "*Unflatten;dim=1;unflattened_size=%sS",
    "=Identity", "*=Add;from=%dn", "*=Concat;from=%dn", "=Scale;%di",
    "=BatchNorm" TNN__NORM_ITEMS,
    "=LayerNorm;%sS;eps=%fe;elementwise_affine=%ba;bias=%bb",
    "=GroupNorm;%dG;%di;eps=%fe;affine=%ba;bias=%bb",
    "=InstanceNorm" TNN__NORM_ITEMS,
    "=RMSNorm;%sS;eps=%fE;elementwise_affine=%ba",
    "=PReLU;num_parameters=%dN",
    "*=ReLU6", "*=ELU;alpha=%f0", "*=SELU", "*=CELU;alpha=%f0", "*=GELU;approximate='%sA'",
    "*=SiLU", "*=Mish", "*=Softplus;beta=%f0;threshold=%f1", "*=Softsign", "*=Sigmoid",
    "*=LogSigmoid", "*=Tanh", "*=Hardtanh;min_val=%f0;max_val=%f1", "*=Hardsigmoid",
    "*=Hardswish", "*=Softmax;dim=1", "*=LogSoftmax;dim=1", "*=GLU;dim=1",
    "=Dropout2d;p=%gq;inplace=False", "=AlphaDropout;p=%gq;inplace=False",
    "=GaussianDropout;p=%gq", "=GaussianNoise;std=%f0", "=StochasticDepth;p=%gq;mode=row",
    "%sC"
};

/* A layer by itself: its shape is worked out as the plan would (12a), from the shape that the layer
   before leaves. A vector is (n, c) to PyTorch, not (n, c, 1, 1). */
typedef struct {
    const tnn_layer *layer;
    const char *row;            /* its class in tnn__torch */
    int       functional;
    tnn__op   op;
    tnn__blob in, out;
    int       in_vector, is_vector;
    long long params, frozen, products;
} tnn__module;

/* Goes on from the layer before to layer i. Errors of shapes cannot be: the network is planned.
   Multiply-adds are those of one sample: outputs times the length of the sum of each. */
static void tnn__module_next(tnn_net *net, int i, tnn__module *module)
{
    const tnn_layer *layer = &net->record[i].o;
    const tnn__layer_kind *kind = &tnn__layer_kinds[TNN__NTH(layer->type)];
    const tnn__conv *q = &module->op.q;
    const int two = (kind->flags & TNN__TWO) != 0;
    tnn__blob b[2];                     /* its inputs; b[0] becomes its output */
    const char *row;
    int k, keeps = 0, makes = 0;        /* a vector, of a vector or of all */
    memset(b, 0, sizeof b);
    module->layer = layer;
    module->in = module->out;
    module->in_vector = module->is_vector;
    module->functional = 0;
    for (row = tnn__torch[TNN__NTH(layer->type)]; strchr("*=-", *row); row++) {
        module->functional |= *row == '*';
        keeps |= *row == '=';
        makes |= *row == '-';
    }
    module->row = row;
    /* What it reads: the layer before, or .from in its place or beside it. */
    if (layer->from) tnn__named_blob(net, layer->from, two ? &b[1] : &module->in);
    if (layer->from && !two) module->in_vector = module->in.flat || module->in.h*module->in.w == 1;
    b[0] = module->in;
    b[0].flat |= makes;
    memset(&module->op, 0, sizeof module->op);
    module->op.type = (int)layer->type;
    module->op.kind = kind;
    if (tnn__wants_channels(layer, b)) for (k = 0; k <= two; k++) tnn__as_channels(&b[k]);
    if (kind->shape) {
        tnn_layer bare = *layer;                /* padding of another kind comes first */
        if (tnn__pads_first(layer)) {
            bare.mode = layer->pad_mode;
            tnn__pad_shape(&module->op, &bare, b);
            bare.pad = bare.pad_h = bare.pad_w = 0;
        }
        kind->shape(&module->op, &bare, b);
    }
    module->out = b[0];
    module->is_vector = b->flat || (keeps && module->in_vector && b->h*b->w == 1);
    /* Its parameters, and of them those that are not trained. */
    module->params = module->frozen = 0;
    for (k = tnn__first_param(net, i, 1);
         k < net->trained_tensors && net->tensor[k].op->layer == i; k++) {
        const int count = tnn__param_of(net->tensor[k].op, net->tensor[k].which).count;
        module->params += count;
        /* segments are in this order; tnn_set_group may have changed them */
        if (net->built ? net->segment[k].frozen : layer->frozen) module->frozen += count;
    }
    module->products = 0;
    if (tnn__is_conv(&module->op))
        module->products = (long long)q->oc*q->g.oh*q->g.ow*q->inner;
}
/* A value of a module: text, or one or two numbers. */
typedef struct { const char *text; double a, b; } tnn__value;
/* The module's value `what`, a letter of tnn__torch, which is written as `how`. Options that
   PyTorch has as None are NaN. */
static tnn__value tnn__value_of(const tnn__module *module, char how, char what)
{
    static const char *const modes[] = {"zeros", "zeros", "reflect", "replicate", "circular",
                                        "nearest", "bilinear", "bilinear"};
    static const char *const pads[] = {"", "Zero", "Reflection", "Replication", "Circular"};
    const tnn_layer *layer = module->layer;
    const tnn__op *op = &module->op;
    const tnn__pool_geometry *window = tnn__is_conv(op) ? &op->q.g : &op->pool;
    const int ph = tnn__either(layer->pad_h, layer->pad, 0);
    const int pw = tnn__either(layer->pad_w, layer->pad, 0);
    const int constant = op->mode == TNN_ZEROS && (layer->value < 0 || layer->value > 0);
    const int sized = layer->size || layer->size_h; /* an upsampling to a size */
    tnn__value value = {"", 0, 0};
    switch (what) {
    case 'i': value.a = module->in_vector ? tnn__values(&module->in) : module->in.c; break;
    case 'I': value.a = tnn__values(&module->in); break;     /* values in */
    case 'o': value.a = module->out.c; break;                /* channels out */
    case 'k': value.a = window->kh; value.b = window->kw; break;      /* kernel */
    case 's': value.a = window->sh; value.b = window->sw; break;      /* stride */
    case 'd': value.a = window->dh; value.b = window->dw; break;      /* dilation */
    case 'z': value.a = window->oh; value.b = window->ow; break;      /* size of the output */
    case 'p': value.a = ph; value.b = pw; break;            /* padding */
    case 'h': value.a = ph; break;                      /* of it the rows */
    case 'w': value.a = pw; break;                      /* and the columns */
    case 'x':
        value.a = tnn__either(layer->output_pad_h, layer->output_pad, 0);
        value.b = tnn__either(layer->output_pad_w, layer->output_pad, 0);
        break;
    case 'Z':                           /* one of the two is 0, and left out */
        value.a = how == '2' ? (sized ? module->out.h : 0)
                : sized ? 0 : layer->factor ? layer->factor : 2;
        value.b = sized ? module->out.w : 0;
        break;
    case 'g': value.a = op->q.groups; break;            /* of a convolution */
    case 'G': value.a = op->groups; break;              /* of a norm */
    case 'n': value.a = layer->from; break;             /* the other layer */
    case 'N': value.a = (double)module->params; break;       /* parameters */
    case 'v': value.a = constant ? (double)layer->value : 0; break; /* of the border */
    case 'l': value.a = (double)op->slope; break;       /* of leaky ReLU */
    case '0': value.a = (double)op->option[0]; break;   /* alpha, beta, std, min */
    case '1': value.a = (double)op->option[1]; break;   /* threshold, max */
    case 'q': value.a = (double)op->p; break;           /* probability */
    case 'e': value.a = (double)op->eps; break;         /* of norms */
    case 'E': value.a = layer->eps > 0 ? (double)op->eps : TNN__NAN; break; /* None: float's */
    case 'M': value.a = op->cumulative ? TNN__NAN : (double)op->momentum;
              value.text = modes[TNN__NTH(op->mode)]; break;
    case 'm': value.text = modes[TNN__NTH(layer->pad_mode)]; break;
    case 'b': value.a = op->b_floats > 0; break;        /* has biases */
    case 'a': value.a = op->affine; break;              /* has weights */
    case 't': value.a = op->track; break;               /* has running statistics */
    case 'c': value.a = layer->ceil; break;             /* rounds sizes up */
    case 'r': value.text = module->in_vector ? "1d" : "2d"; break;
    case 'y': value.text = constant ? "Constant" : pads[TNN__NTH(op->mode)]; break;
    case 'Y': value.text = constant ? "padding=" : ""; break;
    case 'A': value.text = layer->approximate ? "tanh" : "none"; break;
    case 'C': value.text = layer->custom->name ? layer->custom->name : "Custom"; break;
    default: break;
    }
    return value;
}
/* Writes it: letters of `how` and `what` stand at tnn__torch. */
static void tnn__print_value(tnn__page *page, const tnn__module *module, char how, char what)
{
    const tnn__value value = tnn__value_of(module, how, what);
    if (what == 'S') {
        tnn__print_shape(page, 0, &module->out, module->is_vector, "(",
                         module->is_vector ? ",)" : ")");
        return;
    }
    switch (how) {
    case 's': tnn__print(page, 0, "%s", value.text); break;
    case 'd': tnn__print(page, 0, "%d", (int)value.a); break;
    case 'g': tnn__print(page, 0, value.a != value.a ? "None" : "%g", value.a); break;
    case 'f': tnn__print_float(page, value.a); break;
    case 'b': tnn__print(page, 0, value.a > 0 ? "True" : "False"); break;
    default:
        if (how == '1' && (int)value.a == (int)value.b) tnn__print(page, 0, "%d", (int)value.a);
        else tnn__print(page, 0, "(%d, %d)", (int)value.a, (int)value.b);
    }
}
/* Writes an item of a row up to its semicolon, unless its value is the default behind its !.
   Returns how long the item is in the row. */
static int tnn__print_item(tnn__page *page, const tnn__module *module, const char *item)
{
    const tnn__page before = *page;
    char value[128] = "";               /* the last one of the item */
    const char *c;
    for (c = item; *c && *c != ';' && *c != '!'; c++)
        if (*c != '%') tnn__print_char(page, *c);
        else {
            tnn__page line = {value, sizeof value, 0};
            tnn__print_value(&line, module, c[1], c[2]);
            value[TNN__MIN(line.length, sizeof value - 1)] = 0;
            tnn__print(page, 0, "%s", value);
            c += 2;
        }
    if (*c == '!') {
        const size_t n = strcspn(++c, ";");
        if (strlen(value) == n && !memcmp(value, c, n)) *page = before;
        c += n;
    }
    return (int)(c - item);
}
/* A module as PyTorch prints it: Class(item, item). An item that is left out takes its comma with
   it: the page goes back to where it was. */
static void tnn__print_module(tnn__page *page, const tnn__module *module)
{
    const char *c = module->row + tnn__print_item(page, module, module->row);
    int some = 0;                       /* an item stands before */
    tnn__print_char(page, '(');
    while (*c) {
        const tnn__page before = *page;
        size_t length;
        if (some) tnn__print(page, 0, ", ");
        length = page->length;
        c += 1 + tnn__print_item(page, module, c + 1);
        if (page->length > length) some = 1;
        else *page = before;
    }
    tnn__print(page, 0, ")\n");
}
/* A module as torchsummary's row of that number, and its multiply-adds. Its columns end at 20, 47
   and 63 characters, ours at 79. */
static void tnn__print_row(tnn__page *page, const tnn__module *module, int number)
{
    char name[64];
    tnn__page line = {name, sizeof name, 0};
    tnn__print_item(&line, module, module->row);
    tnn__print(&line, 0, "-%d", number);
    name[TNN__MIN(line.length, sizeof name - 1)] = 0;
    tnn__print(page, 20, "%s", name);
    tnn__print_shape(page, 27, &module->out, module->is_vector, "[-1, ", "]");
    tnn__print(page, 0, " ");
    tnn__print_count(page, 15, module->params);
    tnn__print(page, 0, " ");
    tnn__print_count(page, 15, module->products);
    tnn__print(page, 0, "\n");
}
/* What stands below the rows. Their outputs have `outputs` values, each counted twice, forward and
   backward; `all` sums the modules; the network takes `bytes`. Sums of torchsummary are of one
   sample, in floats of 4 bytes. */
static void tnn__print_totals(tnn__page *page, const tnn_net *net, const tnn__module *all,
                              long long outputs, size_t bytes)
{
    const struct { const char *what; long long count; } totals[] = {
        {"Total params: ", all->params}, {"Trainable params: ", all->params - all->frozen},
        {"Non-trainable params: ", all->frozen}, {"Mult-adds: ", all->products}};
    const int *input = net->options.input;
    const double in = 4.0*input[0]*input[1]*input[2], out = 2.0*4.0*(double)outputs;
    const double weights = 4.0*(double)all->params;
    int i;
    tnn__print_rule(page, '=');
    for (i = 0; i < 4; i++) {
        tnn__print(page, 0, "%s", totals[i].what);
        tnn__print_count(page, 0, totals[i].count);
        tnn__print(page, 0, "\n");
    }
    tnn__print_rule(page, '-');
    tnn__print_mb(page, "Input size", in);
    tnn__print_mb(page, "Forward/backward pass size", out);
    tnn__print_mb(page, "Params size", weights);
    tnn__print_mb(page, "Estimated Total Size", in + out + weights);
    tnn__print_rule(page, '-');
    tnn__print(page, 0, "Batch of %d, allocated at once", net->options.batch);
    tnn__print_mb(page, "", (double)bytes);
    tnn__print_rule(page, '-');
}
/* Head, a line per layer, totals. Also what is left out as functional goes on with the shape and
   counts as parameters and multiply-adds, but has no row and no output. */
TNN_API_GATED size_t tnn_summary(tnn_net *net, char *text, size_t room, int flags)
{
    const int modules = flags & TNN_SUMMARY_MODULES;
    const size_t bytes = tnn_net_bytes(net);
    tnn__page page = {text, room, 0};
    tnn__module module, all;                 /* the layer; sums over all */
    long long outputs = 0;              /* values of all rows */
    int i, rows = 0;
    if (tnn_failed()) return 0;
    if (room && !text) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_summary: no text to write to");
        return 0;
    }
    if (flags & ~(TNN_SUMMARY_MODULES | TNN_SUMMARY_FUNCTIONAL)) {
        tnn__choice("tnn_summary: flags are TNN_SUMMARY_MODULES and TNN_SUMMARY_FUNCTIONAL",
                    flags, TNN__NO_CHOICE);
        return 0;
    }
    memset(&module, 0, sizeof module);
    memset(&all, 0, sizeof all);
    module.out.c = net->options.input[0];
    module.out.h = net->options.input[1];
    module.out.w = net->options.input[2];
    module.is_vector = module.out.h*module.out.w == 1;
    if (modules) tnn__print(&page, 0, "Sequential(\n");
    else {
        tnn__print_rule(&page, '-');
        tnn__print(&page, 20, "Layer (type)");
        tnn__print(&page, 27, "Output Shape");
        tnn__print(&page, 16, "Param #");
        tnn__print(&page, 17, "Mult-Adds\n");
        tnn__print_rule(&page, '=');
    }
    for (i = 0; i < net->layers; i++) {
        tnn__module_next(net, i, &module);
        all.params += module.params;
        all.products += module.products;
        all.frozen += module.frozen;
        if ((flags & TNN_SUMMARY_FUNCTIONAL) && module.functional) continue;
        outputs += tnn__values(&module.out);
        if (modules) {
            tnn__print(&page, 0, "  (%d): ", rows++);
            tnn__print_module(&page, &module);
        } else tnn__print_row(&page, &module, ++rows);
    }
    if (modules) tnn__print(&page, 0, ")\n");
    else tnn__print_totals(&page, net, &all, outputs, bytes);
    if (room) text[TNN__MIN(page.length, room - 1)] = 0;
    return page.length;
}

/* ---- To be skipped on first reading: what surrounds a network ------------------------------- */

/* ==== 15. FILES ================================================================================
   Arrays and weights. Numbers are assembled from bytes, whatever the machine's own order is. */

/* ---- 15a. Numbers as text ---------------------------------------------------------------------
   printf and strtod depend on the locale. Both directions here are one product with a power of five
   in twice the precision of a double, x[0] + x[1], good to 1e-29 of it, and an exact one with a
   power of two. A double of 17 digits is at least 1e-17 of itself away from where rounding turns,
   so it reads back the same; any other number that is read is the nearest double, too: where the
   product does not tell which one that is, whole numbers of any length do. */
static double tnn__two(int p)           /* 2^p, p in -1022..1023 */
{
    const uint64_t bits = (uint64_t)(p + 1023) << 52;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
/* x *= y, both below 1e290 */
static void tnn__times(double x[2], const double y[2])
{
    const double a = x[0]*134217729, b = y[0]*134217729;        /* 2^27 + 1: halves of 26 bits */
    const double ah = a - (a - x[0]), al = x[0] - ah, bh = b - (b - y[0]), bl = y[0] - bh;
    const double p = x[0]*y[0];
    const double e = ((ah*bh - p) + ah*bl + al*bh) + al*bl + (x[0]*y[1] + x[1]*y[0]);
    x[0] = p + e;
    x[1] = e - (x[0] - p);
}
/* x *= 5^p, p in -365..365 */
static void tnn__times_five(double x[2], int p)
{
    static const double fives[9][2] = {         /* 5^(2^i) */
        {5, 0}, {25, 0}, {625, 0}, {390625, 0}, {152587890625, 0},
        {2.3283064365386964e22, -1249407.0}, {5.421010862427522e44, -1.1557822304175851e28},
        {2.938735877055719e89, -2.2091796174082778e73},
        {8.636168555094445e178, -2.601875490681736e162}};
    const int n = p < 0 ? -p : p;
    double y[2] = {1, 0}, t[2], q, r;
    int i;
    for (i = 0; n >> i; i++) if (n >> i & 1) tnn__times(y, fives[i]);
    if (p >= 0) { tnn__times(x, y); return; }
    t[0] = q = x[0]/y[0];
    t[1] = 0;
    tnn__times(t, y);
    r = (x[0] - t[0] - t[1] + x[1])/y[0];       /* what q leaves */
    x[0] = q + r;
    x[1] = r - (x[0] - q);
}

/* A whole number, the lowest limb first: 2900 bits are enough for 801 digits, or the 54 bits and
   the powers that they are compared with. */
typedef struct { int n; uint32_t limb[96]; } tnn__whole;
static void tnn__whole_times(tnn__whole *a, uint32_t times, uint32_t plus)
{
    uint64_t carry = plus;
    int i;
    for (i = 0; i < a->n; i++, carry >>= 32) {
        carry += (uint64_t)a->limb[i]*times;
        a->limb[i] = (uint32_t)carry;
    }
    if (carry) a->limb[a->n++] = (uint32_t)carry;
}
static void tnn__whole_scale(tnn__whole *a, int fives, int twos)    /* powers below 0: not */
{
    for (; fives >= 13; fives -= 13) tnn__whole_times(a, 1220703125, 0);
    for (; fives > 0; fives--) tnn__whole_times(a, 5, 0);
    for (; twos >= 31; twos -= 31) tnn__whole_times(a, 1u << 31, 0);
    if (twos > 0) tnn__whole_times(a, 1u << twos, 0);
}
/* The sign of digits 10^p - the middle between the double of these bits and the next larger. */
static int tnn__against_middle(const tnn__whole *digits, int p, uint64_t bits)
{
    const uint64_t low = bits & (((uint64_t)1 << 52) - 1);
    const int e = bits >> 52 ? (int)(bits >> 52) : 1, k = e - 1076;
    const uint64_t m = 2*(low | (uint64_t)(bits >> 52 != 0) << 52) + 1;     /* times 2^k */
    tnn__whole a = *digits, b;
    int i;
    b.n = 1 + (m >> 32 != 0);
    b.limb[0] = (uint32_t)m;
    b.limb[1] = (uint32_t)(m >> 32);
    tnn__whole_scale(&a, p, p - k);
    tnn__whole_scale(&b, -p, k - p);
    if (a.n != b.n) return a.n < b.n ? -1 : 1;
    for (i = a.n - 1; i >= 0; i--)
        if (a.limb[i] != b.limb[i]) return a.limb[i] < b.limb[i] ? -1 : 1;
    return 0;
}
/* The double nearest to 0.DIGITS 10^p, of ties the even one: of all digits in s..end, the first of
   which is not 0, and v near it. Those behind the 800th only break ties. */
static double tnn__nearest(const char *s, const char *end, int p, double v)
{
    tnn__whole digits;
    int n = 0, rest = 0, c;
    uint64_t bits;
    digits.n = 0;
    for (; s < end; s++) {
        if (*s == '.') continue;
        if (n == 800) rest |= *s != '0';
        else { tnn__whole_times(&digits, 10, (uint32_t)(*s - '0')); n++; }
    }
    if (rest) { tnn__whole_times(&digits, 10, 1); n++; }
    memcpy(&bits, &v, sizeof bits);
    while (bits < (uint64_t)2047 << 52          /* infinity */
           && ((c = tnn__against_middle(&digits, p - n, bits)) > 0 || (c == 0 && (bits & 1))))
        bits++;
    while (bits && ((c = tnn__against_middle(&digits, p - n, bits - 1)) < 0
                    || (c == 0 && (bits & 1)))) bits--;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* A decimal number, nan or inf, with a - or not, at *at, which moves past it. 0 if there is
   none before `end`, or one that no double can hold: *value stays. */
static int tnn__read_double(const char **at, const char *end, double *value)
{
    static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
        1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *s = *at, *first = NULL, *last;
    const int minus = s < end && *s == '-';
    int digits = 0, point = 0, more = 0;
    long long count = 0, p = 0, e = 0;          /* the number is m 10^p, and more */
    uint64_t m = 0;
    double x[2], v = 0, error;
    s += minus;
    if (end - s >= 3) {
        char word[4] = "";
        for (; digits < 3; digits++) word[digits] = (char)(s[digits] | 32);
        digits = 0;
        if (!strcmp(word, "nan") || !strcmp(word, "inf")) {
            *value = *word == 'n' ? TNN__NAN : minus ? -HUGE_VAL : HUGE_VAL;
            *at = s + 3;
            return 1;
        }
    }
    for (; s < end && ((*s >= '0' && *s <= '9') || (*s == '.' && !point)); s++) {
        if (*s == '.') { point = 1; continue; }
        digits = 1;
        if (count >= 19) { p += !point; more |= *s != '0'; }
        else { m = 10*m + (uint64_t)(*s - '0'); p -= point; }
        if (m && !count++) first = s;
    }
    last = s;
    if (digits && s < end && (*s == 'e' || *s == 'E')) {
        const int down = ++s < end && *s == '-';
        s += s < end && (*s == '-' || *s == '+');
        digits = s < end && *s >= '0' && *s <= '9';
        for (; s < end && *s >= '0' && *s <= '9'; s++) if (e < 1ll << 56) e = 10*e + (*s - '0');
        p += down ? -e : e;
    }
    count = p + TNN__MIN(count, 19);            /* the number is 0.DIGITS 10^count */
    if (!digits || (m && count > 310)) return 0;
    if (m < (uint64_t)1 << 53 && p >= -22 && p <= 0) v = (double)m/tens[-p];    /* both exact */
    else if (m && count > -330) {
        x[0] = (double)m;
        x[1] = (double)(int64_t)(m - (uint64_t)x[0]);
        tnn__times_five(x, (int)p);
        error = (more ? 1e-18 : 1e-28)*x[0];
        v = x[0]*tnn__two((int)p);
        if (!(v > 2*DBL_MIN && v <= DBL_MAX) || x[0] + (x[1] + error) > x[0]
            || x[0] + (x[1] - error) < x[0])
            v = tnn__nearest(first, last, (int)count, TNN__MIN(v, DBL_MAX));
        if (v > DBL_MAX) return 0;
    }
    *value = minus ? -v : v;
    *at = s;
    return 1;
}
/* The fewest digits, of 15 to 17, that read back as v. */
static TNN__UNUSED char *tnn__put_exact(char *to, char *end, double v)
{
    char text[48], *t;
    int n;
    if (v != v) return tnn__put(to, end, "nan");
    if (v < 0) { to = tnn__put(to, end, "-"); v = -v; }
    if (v > DBL_MAX) return tnn__put(to, end, "inf");
    if (v == 0) return tnn__put(to, end, "0");
    for (n = v < DBL_MIN ? 17 : 15; n <= 17; n++) {
        /* v = m 10^(e - n + 1), m of n digits */
        const double log = tnn__log_double(v*tnn__two(v < 1 ? 600 : -600));
        int e = (int)(log*0.4342944819032518
                      + (v < 1 ? 400 - 180.6179973983887 : 400 + 180.6179973983887)) - 400;
        int i, point;
        char digits[24];
        const char *back = text;
        double got;
        for (;;) {
            double x[2];
            long long m;
            x[0] = v;
            x[1] = 0;
            tnn__times_five(x, n - 1 - e);
            x[0] *= tnn__two(n - 1 - e);
            x[1] *= tnn__two(n - 1 - e);
            m = (long long)x[0];
            m += (long long)(x[0] - (double)m + x[1] + 1.5) - 1;
            *tnn__put_int(digits, digits + 23, m) = 0;
            i = (int)strlen(digits);
            if (i == n) break;
            e += i > n ? 1 : -1;
        }
        for (i = n; i > 1 && digits[i - 1] == '0'; ) digits[--i] = 0;
        point = e >= -5 && e < 16 ? e : 0;
        for (t = text, i = TNN__MIN(point, 0); i < TNN__MAX((int)strlen(digits), point + 1); i++) {
            *t++ = i >= 0 && i < (int)strlen(digits) ? digits[i] : '0';
            if (i == point && i + 1 < (int)strlen(digits)) *t++ = '.';
        }
        if (point != e) t = tnn__put_int(tnn__put(t, text + 47, "e"), text + 47, e);
        *t = 0;
        if (tnn__read_double(&back, t, &got) && got == v) break;
    }
    return tnn__put(to, end, text);
}

/* ---- 15b. Types of elements, and the text of headers ----------------------------------------- */
static const struct {
    const char *npy, *name;             /* in .npy without the byte order; in safetensors */
    int         bytes;
} tnn__dtypes[] = {
    {"", "", 0},
    {"b1", "BOOL", 1}, {"u1", "U8", 1},   {"i1", "I8", 1},  {"u2", "U16", 2}, {"i2", "I16", 2},
    {"u4", "U32", 4},  {"i4", "I32", 4},  {"u8", "U64", 8}, {"i8", "I64", 8}, {"f2", "F16", 2},
    {"", "BF16", 2},   {"f4", "F32", 4},  {"f8", "F64", 8},
};
enum { TNN__DTYPES = (int)(sizeof tnn__dtypes/sizeof *tnn__dtypes) };
static tnn_dtype tnn__dtype_of(const char *name, int npy)       /* 0: none */
{
    int i;
    for (i = 1; i < TNN__DTYPES; i++)
        if (*name && !strcmp(name, npy ? tnn__dtypes[i].npy : tnn__dtypes[i].name))
            return (tnn_dtype)(TNN_BOOL - 1 + i);
    return (tnn_dtype)0;
}

static int tnn__big_endian(void)        /* the machine */
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return !first;
}
static uint64_t tnn__bits(const unsigned char *p, int bytes, int big)
{
    uint64_t u = 0;
    int i;
    for (i = 0; i < bytes; i++) u = u << 8 | p[big ? i : bytes - 1 - i];
    return u;
}
static void tnn__put_bits(unsigned char *p, uint64_t u, int bytes, int big)
{
    int i;
    for (i = 0; i < bytes; i++, u >>= 8) p[big ? bytes - 1 - i : i] = (unsigned char)(u & 255);
}
/* What the bits of an element mean. An F16 is (-1)^s 2^(e-15) (1 + m/2^10), a BF16 the upper half
   of an F32. */
static double tnn__number(uint64_t bits, tnn_dtype dtype)
{
    const uint64_t sign = (uint64_t)1 << (8*tnn__dtypes[TNN__NTH(dtype)].bytes - 1);
    uint32_t u = (uint32_t)bits;
    float f;
    double d;
    switch (dtype) {
    case TNN_BOOL: return u != 0;
    case TNN_I8: case TNN_I16: case TNN_I32: case TNN_I64:
        return bits & sign ? -(double)((sign << 1) - bits) : (double)bits;
    case TNN_F16:
        if ((u & 0x7c00) == 0) return (u & 0x8000 ? -1.0 : 1.0)*(u & 0x3ff)/16777216.0;
        u = (u & 0x8000) << 16 | (u & 0x3ff) << 13
          | ((u & 0x7c00) == 0x7c00 ? 0x7f800000 : ((u >> 10 & 31) + 112) << 23);
        break;
    case TNN_BF16: u <<= 16; break;
    case TNN_F32: break;
    case TNN_F64: memcpy(&d, &bits, sizeof d); return d;
    default: return (double)bits;
    }
    memcpy(&f, &u, sizeof f);
    return (double)f;
}
static int tnn__is_float(double v) { return fabs(v) <= 3.4028234663852886e38; }

/* Walks over an array in C order: place[k] < shape[k], and `at` is sum_k place[k] stride[k]. */
typedef struct {
    int     ndim;
    tnn__len shape[TNN_DIMS], stride[TNN_DIMS], place[TNN_DIMS], at;
} tnn__walk;
static tnn__walk tnn__walk_over(const tnn_array *a, int fortran)
{
    tnn__walk w;
    tnn__len step = 1;
    int k, d;
    memset(&w, 0, sizeof w);
    w.ndim = a->ndim;
    for (k = 0; k < a->ndim; k++, step = tnn__mul(step, w.shape[d])) {
        d = fortran ? k : a->ndim - 1 - k;
        w.shape[d] = (tnn__len)TNN__MIN(a->shape[d], TNN__HUGE);
        w.stride[d] = step;
    }
    return w;
}
static void tnn__walk_on(tnn__walk *w)
{
    int k;
    for (k = w->ndim - 1; k >= 0; k--) {
        w->at += w->stride[k];
        if (++w->place[k] < w->shape[k]) return;
        w->at -= w->stride[k]*w->shape[k];
        w->place[k] = 0;
    }
}

/* The text of a header: `end` characters in memory of our own, the first at byte `base` of the
   file. The functions skip white space first; those that return 0, -1 or NULL on error have
   said why. */
typedef struct { const char *file; char *text; tnn__len base, at, end; } tnn__scan;
static int tnn__wrong(const tnn__scan *s, const char *what)
{
    tnn__fail(TNN_ERROR_FORMAT, "%s: at byte %l: %s", s->file, (long long)(s->base + s->at), what);
    return 0;
}
static char tnn__peek(tnn__scan *s)             /* 0 at the end */
{
    while (s->at < s->end && s->text[s->at] && strchr(" \t\r\n", s->text[s->at])) s->at++;
    return s->at < s->end ? s->text[s->at] : '\0';
}
static int tnn__next(tnn__scan *s, char c)      /* takes it if it comes next */
{
    if (tnn__peek(s) != c) return 0;
    s->at++;
    return 1;
}
static int tnn__end(tnn__scan *s)
{
    tnn__peek(s);
    return s->at == s->end || tnn__wrong(s, "the header should end here");
}
static int tnn__need(tnn__scan *s, char c)
{
    char what[] = "'?' expected";
    what[1] = c;
    return tnn__next(s, c) || tnn__wrong(s, what);
}
static int tnn__integer(tnn__scan *s, long long *v)
{
    const tnn__len first = (tnn__peek(s), s->at);
    for (*v = 0; s->at < s->end && s->text[s->at] >= '0' && s->text[s->at] <= '9'; s->at++) {
        if (*v > ((long long)1 << 53)/10 || (s->at > first && s->text[first] == '0'))
            return tnn__wrong(s, "a number that is too long");
        *v = 10 * *v + (s->text[s->at] - '0');
    }
    return s->at > first || tnn__wrong(s, "a whole number expected, not negative");
}
/* Up to TNN_DIMS of them: JSON's list in [], Python's in () with a comma after a single one. */
static int tnn__list(tnn__scan *s, char open, char close, long long *v, int *n)
{
    int comma = 1;
    if (!tnn__need(s, open)) return 0;
    for (*n = 0; !tnn__next(s, close); ++*n) {
        if (!comma) return tnn__need(s, ',');
        if (*n == TNN_DIMS) return tnn__wrong(s, "more than 8 dimensions");
        if (!tnn__integer(s, &v[*n])) return 0;
        if (close == ')' && s->at < s->end && s->text[s->at] == 'L') s->at++;   /* Python 2 */
        comma = tnn__next(s, ',');
    }
    if (*n && (close == ']' ? comma : *n == 1 && !comma))
        return tnn__wrong(s, "a comma too many or too few in a list");
    return 1;
}
/* One code point of UTF-8 (RFC 3629), which is `n` bytes long; n = 0: it is not. */
static int tnn__utf8(const unsigned char *p, tnn__len left)
{
    const int n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    int i;
    if (n > left) return 0;
    for (i = 1; i < n; i++) if ((p[i] & 0xc0) != 0x80) return 0;
    if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f)       /* too long; surrogates */
        || (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f)) return 0;
    return n;
}
static int tnn__hex4(tnn__scan *s, unsigned *v)         /* \uXXXX from the u on */
{
    int i;
    for (*v = 0, i = 0; i < 5; i++, s->at++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char c = s->at < s->end ? s->text[s->at] : 0, *d = c ? strchr(digits, c) : NULL;
        if (i ? !d : c != 'u') return tnn__wrong(s, "four hexadecimal digits expected after \\u");
        if (i) *v = *v*16 + (unsigned)(d - digits)%16;
    }
    return 1;
}
/* A string in double quotes, or single ones if `python`. Escapes are replaced where they stand and
   the closing quote by a 0, as what is written never is longer than what is read. */
static char *tnn__string(tnn__scan *s, int python)
{
    static const char escapes[] = "\"\\/bfnrt'", meaning[] = "\"\\/\b\f\n\r\t'";
    const char quote = python && tnn__next(s, '\'') ? '\'' : '"';
    char *to, *text;
    if (quote == '"' && !tnn__next(s, '"')) {
        tnn__wrong(s, "a string expected");
        return NULL;
    }
    for (to = text = s->text + s->at; s->at < s->end && s->text[s->at] != quote; ) {
        const unsigned char *p = (const unsigned char *)s->text + s->at;
        int n = *p < 0x20 ? 0 : tnn__utf8(p, s->end - s->at);
        unsigned v, low;
        const char *e;
        if (!n) { tnn__wrong(s, "a control character, or no UTF-8"); return NULL; }
        if (*p != '\\') {
            for (; n > 0; n--) *to++ = s->text[s->at++];
            continue;
        }
        s->at++;
        e = s->at < s->end && s->text[s->at] ? strchr(escapes, s->text[s->at]) : NULL;
        if (e) {
            *to++ = meaning[e - escapes];
            s->at++;
            continue;
        }
        if (!tnn__hex4(s, &v)) return NULL;
        if (v >> 10 == 0x36) {                  /* the first half of a surrogate pair */
            if (s->at == s->end || s->text[s->at] != '\\' || (s->at++, !tnn__hex4(s, &low))
                || low >> 10 != 0x37) v = 0;
            else v = 0x10000 + ((v & 0x3ff) << 10 | (low & 0x3ff));
        }
        if (!v || v >> 10 == 0x37) { tnn__wrong(s, "no character that text has"); return NULL; }
        if (v < 0x80) *to++ = (char)v;
        else {
            n = v < 0x800 ? 1 : v < 0x10000 ? 2 : 3;
            *to++ = (char)((0x7f80 >> n & 0xff) | v >> 6*n);
            while (n--) *to++ = (char)(0x80 | (v >> 6*n & 0x3f));
        }
    }
    if (s->at == s->end) { tnn__wrong(s, "a string without an end"); return NULL; }
    s->at++;
    *to = 0;
    return text;
}

/* The next key of a dictionary or object whose { was taken, the *n-th so far, and its colon; NULL
   after the }, and on error, *n then being -1. Python allows a comma before the }. */
static char *tnn__key(tnn__scan *s, int *n, int python)
{
    const int more = *n == 0 || tnn__next(s, ',');
    char *key = NULL;
    if ((*n == 0 || python || !more) && tnn__next(s, '}')) return NULL;
    if (more ? (key = tnn__string(s, python)) != NULL && tnn__need(s, ':') : tnn__need(s, ',')) {
        ++*n;
        return key;
    }
    *n = -1;
    return NULL;
}
/* Its place among names[0..count), once each: bits of *seen. -1 on error. */
static int tnn__key_of(tnn__scan *s, const char *key, const char *const *names, int count,
                       int *seen, const char *what)
{
    int k;
    for (k = 0; k < count && strcmp(key, names[k]); k++) {}
    if (k < count && !(*seen >> k & 1)) {
        *seen |= 1 << k;
        return k;
    }
    s->at = key - s->text;
    tnn__wrong(s, what);
    return -1;
}

/* ---- 15c. Arrays: .npy ------------------------------------------------------------------------
   \x93NUMPY, version (two bytes), length of the header (2 bytes, 4 from version 2 on, the lowest
   first), the header: a Python dictionary
       {'descr': '<f4', 'fortran_order': False, 'shape': (5000, 784), }
   padded with spaces and ended by a newline; then the elements (NEP 1; numpy.lib.format). */
static int tnn__npy_header(tnn__scan *s, tnn_array *a, int *big, int *fortran)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    static const char what[] = "descr, fortran_order and shape expected, each once";
    const char *key, *descr;
    int n = 0, seen = 0, k;
    if (!tnn__need(s, '{')) return 0;
    while ((key = tnn__key(s, &n, 1)) != NULL) {
        if ((k = tnn__key_of(s, key, keys, 3, &seen, what)) < 0) return 0;
        if (k == 0) {
            if (tnn__peek(s) == '[') return tnn__wrong(s, "an array of records is not supported");
            if ((descr = tnn__string(s, 1)) == NULL) return 0;
            *big = descr[0] == '>';
            a->dtype = descr[0] ? tnn__dtype_of(descr + 1, 1) : (tnn_dtype)0;
            if (!a->dtype || !strchr(tnn__dtypes[TNN__NTH(a->dtype)].bytes > 1 ? "<>" : "<>|",
                                     descr[0])) {
                tnn__fail(TNN_ERROR_FORMAT, "%s: elements of type '%s'; supported are b1, u1, i1, "
                          "u2, i2, u4, i4, u8, i8, f2, f4, f8 after < or >", s->file, descr);
                return 0;
            }
        } else if (k == 1) {
            const char *word = tnn__peek(s) == 'T' ? "True" : "False";
            const tnn__len length = (tnn__len)strlen(word);
            if (s->end - s->at < length || memcmp(s->text + s->at, word, (size_t)length))
                return tnn__wrong(s, "True or False expected");
            *fortran = length == 4;
            s->at += length;
        } else if (!tnn__list(s, '(', ')', a->shape, &a->ndim)) return 0;
    }
    return n == 3 ? tnn__end(s) : n >= 0 && tnn__wrong(s, what);
}
/* The number of elements, saturating. */
static tnn__len tnn__array_count(int ndim, const long long *shape)
{
    tnn__len count = 1;
    int i;
    for (i = 0; i < ndim; i++) count = tnn__mul(count, (tnn__len)TNN__MIN(shape[i], TNN__HUGE));
    return count;
}
static tnn_array tnn__npy(const char *file, const unsigned char *p, size_t size)
{
    const int version = p && size >= 10 ? p[6] : 0, head = version > 1 ? 12 : 10;
    int big = 0, fortran = 0, bytes;
    tnn_array a, none;
    tnn__scan s;
    tnn__len length = -1, left, i;
    memset(&a, 0, sizeof a);
    none = a;
    memset(&s, 0, sizeof s);
    if (!p || size < 10 || memcmp(p, "\x93NUMPY", 6) || version < 1 || version > 3 || p[7]) {
        if (tnn__foreign(file, p, size, ".npy")) return none;
        tnn__fail(TNN_ERROR_FORMAT, "%s: is not a .npy file of version 1.0, 2.0 or 3.0 (%l bytes)",
                  file, (long long)size);
        return none;
    }
    left = (tnn__len)size - head;
    if (left >= 0) length = (tnn__len)TNN__MIN(tnn__bits(p + 8, head - 8, 0), 1u << 30);
    if (length < 0 || length > left || length > 65535) {
        tnn__fail(TNN_ERROR_FORMAT, "%s: at byte 8: a header of %l bytes, of %l that are left and "
                  "65535 at most", file, (long long)length, (long long)left);
        return none;
    }
    left -= length;
    s.file = file;
    s.base = head;
    s.end = length;
    s.text = (char *)tnn__alloc_raw(length + 1, file);
    if (!s.text) return none;
    memcpy(s.text, p + head, (size_t)length);
    if (tnn__npy_header(&s, &a, &big, &fortran)) {
        a.count = tnn__array_count(a.ndim, a.shape);
        bytes = tnn__dtypes[TNN__NTH(a.dtype)].bytes;
        if (tnn__mul((tnn__len)a.count, bytes) != left)
            tnn__fail(TNN_ERROR_FORMAT, "%s: holds %l bytes from byte %l on, %l elements of %d are "
                      "announced", file, (long long)left, (long long)(head + length), a.count,
                      bytes);
        else a.data = tnn__read_alloc(left, file);
    }
    tnn__release(s.text);
    if (!a.data) return none;
    p += head + length;
    if (!fortran && (bytes == 1 || big == tnn__big_endian())) memcpy(a.data, p, (size_t)left);
    else {
        tnn__walk w = tnn__walk_over(&a, fortran);
        unsigned char *to = (unsigned char *)a.data;
        for (i = 0; i < a.count; i++, to += bytes, tnn__walk_on(&w))
            tnn__put_bits(to, tnn__bits(p + w.at*bytes, bytes, big), bytes, tnn__big_endian());
    }
    return a;
}
TNN_API_GATED tnn_array tnn_parse_npy(const void *bytes, size_t size)
{
    return tnn__npy("npy", (const unsigned char *)bytes, size);
}
TNN_API void tnn_array_free(tnn_array *array)
{
    if (!array) return;
    tnn__release(array->data);
    memset(array, 0, sizeof *array);
}
static double tnn__element(const tnn_array *a, tnn__len i)
{
    const int bytes = tnn__dtypes[TNN__NTH(a->dtype)].bytes;
    return tnn__number(tnn__bits((const unsigned char *)a->data + i*bytes, bytes,
                                 tnn__big_endian()), a->dtype);
}
TNN_API_GATED double tnn_array_value(const tnn_array *array, long long i)
{
    if (array && array->data && tnn__choice("tnn_array_value", (int)array->dtype, TNN_BOOL))
        return TNN__NAN;
    if (array && array->data && i >= 0 && i < array->count) return tnn__element(array, (tnn__len)i);
    tnn__fail(TNN_ERROR_ARGUMENT, "tnn_array_value: element %l of %l", i,
              array && array->data ? array->count : 0);
    return TNN__NAN;
}

/* The shape (n, c, h, w) of samples, n = 0 on error. */
static tnn__walk tnn__samples(const tnn_array *x, const tnn_npy_options *o, const char *name)
{
    tnn__walk w = tnn__walk_over(x, 0);
    const int k = w.ndim, last = o->channels_last;
    const tnn__len *d = w.shape, *s = w.stride;
    tnn__walk r;
    int i;
    memset(&r, 0, sizeof r);
    r.ndim = 4;
    for (i = 0; i < 4; i++) r.shape[i] = 1;
    if (k >= 1 && k <= 4 && (!last || k == 4)) {
        for (i = 0; i < k; i++) {           /* place i of the result is dimension `from` */
            const int to = k == 3 && i ? i + 1 : i, from = last && i ? (i == 1 ? 3 : i - 1) : i;
            r.shape[to] = d[from];
            r.stride[to] = s[from];
        }
    } else r.shape[0] = 0;
    for (i = 0; i < 4; i++) if (r.shape[i] > 0x7fffffff) r.shape[0] = 0;
    if (!r.shape[0] || !tnn__count((int)r.shape[0], (int)r.shape[1], (int)r.shape[2],
                                   (int)r.shape[3])) {
        tnn__fail(TNN_ERROR_SHAPE, "%s: %d dimensions, the first two %l and %l, are no samples%s",
                  name, x->ndim, x->shape[0], x->shape[1],
                  last ? " (n, h, w, c)" : ": (n), (n, k), (n, h, w) or (n, c, h, w)");
        r.shape[0] = 0;
    }
    return r;
}
TNN_API_GATED tnn_data tnn_array_data(const tnn_array *samples, const tnn_array *labels,
                                      const tnn_npy_options *options)
{
    const tnn_npy_options none = {NULL, NULL, 0, {0, 0, 0}, 0}, *o = options ? options : &none;
    const char *name = o->samples ? o->samples : "samples";
    const char *labels_name = o->labels ? o->labels : "labels";
    tnn_data d = tnn__no_data();
    tnn__walk w;
    tnn__len i, n, count, column = -1, columns = 0;     /* column: that of the labels */
    int *label, bytes;
    tnn__len room;
    if (!samples || !samples->data || (labels && !labels->data)) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_array_data: no array of samples or labels");
        return d;
    }
    if (tnn__choice("tnn_array_data", (int)samples->dtype, TNN_BOOL)
        || (labels && tnn__choice("tnn_array_data", (int)labels->dtype, TNN_BOOL))) return d;
    w = tnn__samples(samples, o, name);
    n = w.shape[0];
    if (!n) return d;
    count = (tnn__len)samples->count;
    if (labels && (labels->count != n || labels->ndim < 1 || labels->shape[0] != n)) {
        tnn__fail(TNN_ERROR_SHAPE, "%s holds %l samples, %s %l labels", name, (long long)n,
                  labels_name, labels->count);
        return d;
    }
    d.c = (int)w.shape[1]; d.h = (int)w.shape[2]; d.w = (int)w.shape[3];
    if (o->label_column) {
        columns = d.c;
        column = o->label_column > 0 ? o->label_column - 1 : columns + o->label_column;
        if (samples->ndim != 2 || columns < 2 || labels || column < 0 || column >= columns) {
            tnn__fail(TNN_ERROR_ARGUMENT, "%s: .label_column = %d, must be one of the columns "
                      "1..%l or -%l..-1, at least 2, of samples (n, k) without other labels",
                      name, o->label_column, (long long)columns, (long long)columns);
            return tnn__no_data();
        }
        d.c--;
        count -= n;
    }
    if (o->shape[0] || o->shape[1] || o->shape[2]) {
        d.c = o->shape[0]; d.h = o->shape[1]; d.w = o->shape[2];
        if (tnn__count((int)n, d.c, d.h, d.w) != count) {
            tnn__fail(TNN_ERROR_SHAPE, "%s: samples have %l values, .shape %dx%dx%d must have as "
                      "many", name, (long long)(count/n), d.c, d.h, d.w);
            return tnn__no_data();
        }
    }
    bytes = samples->dtype == TNN_U8 ? 1 : (int)sizeof(float);
    room = tnn__mul(n, (tnn__len)sizeof *label) + tnn__mul(count, bytes);
    label = tnn__within_limit(room, name) ? (int *)tnn__own(&d, room, NULL, name) : NULL;
    if (!label) return tnn__no_data();
    for (i = 0; i < n; i++) {
        const double v = labels ? tnn__element(labels, i)
                       : columns ? tnn__element(samples, i*columns + column) : 0;
        if (!(v >= 0 && v <= 1 << 24) || (double)(int)v < v) {
            if (fabs(v) < 1e15 && (double)(long long)v >= v)
                tnn__fail(TNN_ERROR_NUMBER, "%s: label %l of sample %l is not within 0..16777216",
                          labels_name, (long long)v, (long long)i);
            else tnn__fail(TNN_ERROR_NUMBER, "%s: label %g of sample %l is not a whole number",
                           labels_name, v, (long long)i);
            tnn_data_free(&d);
            return d;
        }
        label[i] = (int)v;
        d.classes = TNN__MAX(d.classes, label[i] + 1);
    }
    d.n = (int)n;
    d.labels = label;
    if (bytes == 1) d.bytes = (const unsigned char *)(label + n);
    else d.floats = (const float *)(const void *)(label + n);
    for (i = 0; i < count; i++, tnn__walk_on(&w)) {
        double v;
        if (w.place[1] == column) tnn__walk_on(&w);
        v = tnn__element(samples, w.at);
        if (bytes == 1) ((unsigned char *)(label + n))[i] = (unsigned char)v;
        else if (tnn__is_float(v)) ((float *)(void *)(label + n))[i] = (float)v;
        else {
            tnn__fail(TNN_ERROR_NUMBER, "%s: value %g of sample %l is not a finite float", name, v,
                      (long long)(i/(count/n)));
            tnn_data_free(&d);
            return d;
        }
    }
    return d;
}

/* ---- 15d. Text and images: CSV, PGM, PPM ----------------------------------------------------- */

/* A field, from *at to the separator, the end of the line or that of the text, where *at then is.
   1: a number; 0: empty, NaN; -1: anything else. */
static int tnn__csv_field(const char **at, const char *end, char separator, double *v)
{
    const char *p = *at, *stop;
    int quoted = 0, pass;
    for (stop = p; stop < end && *stop != '\n' && (quoted || *stop != separator); stop++)
        quoted ^= *stop == '"';
    *at = stop;
    *v = TNN__NAN;
    for (pass = 0; pass < 2; pass++) {      /* blanks, once quotes, blanks */
        while (p < stop && (*p == ' ' || *p == '\t' || *p == '\r')) p++;
        while (p < stop && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r')) stop--;
        if (pass || stop - p < 2 || *p != '"' || stop[-1] != '"') continue;
        p++;
        stop--;
    }
    if (p == stop) return 0;
    if (*p == '+' && stop - p > 1 && p[1] != '-') p++;
    return tnn__read_double(&p, stop, v) && p == stop ? 1 : -1;
}
static tnn_array tnn__csv(const char *file, const unsigned char *bytes, size_t size)
{
    const char *p = (const char *)bytes, *end = p ? p + size : p, *at;
    char separator = ',';
    tnn_array a;
    int fill, quoted = 0, good = 1;
    memset(&a, 0, sizeof a);
    if (tnn__foreign(file, bytes, size, "CSV")) return a;
    if (size >= 3 && p && !memcmp(p, "\xef\xbb\xbf", 3)) p += 3;      /* a byte order mark */
    for (at = p; at < end && (quoted || (*at != ',' && *at != ';' && *at != '\t')); at++)
        quoted ^= *at == '"';
    if (at < end) separator = *at;
    a.dtype = TNN_F64;
    a.ndim = 2;
    for (fill = 0; fill < 2; fill++) {                  /* a look at all of it first */
        long long line = 0, fields, numbers, wrong, at_wrong = 0, count, first = 1;
        char text[24] = "";                             /* what the wrong field begins with */
        for (at = p, a.shape[0] = 0; good && at < end; at += at < end) {
            const char *start = at;
            count = a.shape[0]*a.shape[1];
            for (line++, fields = numbers = wrong = 0; ; at++) {
                const char *field = at;
                double v;
                const int kind = tnn__csv_field(&at, end, separator, &v);
                fields++;
                numbers += kind > 0;
                if (kind < 0 && !wrong) {
                    char *to = text;
                    wrong = fields;
                    at_wrong = field - (const char *)bytes;
                    for (; field < at && to < text + 20; field++)
                        *to++ = *field >= ' ' && *field < 127 ? *field : '?';
                    memcpy(to, "...", 4);
                    if (field == at) *to = 0;
                }
                if (fill && count < a.count) ((double *)a.data)[count++] = v;
                if (at == end || *at == '\n') break;
            }
            if (fields == 1 && !numbers && !wrong) continue;    /* an empty line */
            if (first) a.shape[1] = fields;
            good = fields == a.shape[1] && (!wrong || (first && !numbers));
            if (fields != a.shape[1])
                tnn__fail(TNN_ERROR_FORMAT, "%s: at byte %l: line %l has %l fields, the first %l",
                          file, (long long)(start - (const char *)bytes), line, fields, a.shape[1]);
            else if (!good)
                tnn__fail(TNN_ERROR_FORMAT, "%s: at byte %l: field %l of line %l is not a number, "
                          "as -12, 0.5 or 1e-3, up to 1.7e308: %s", file, at_wrong, wrong, line,
                          text);
            a.shape[0] += !wrong;                       /* or names */
            first = 0;
        }
        if (fill) return a;
        if (good && !a.shape[0])
            tnn__fail(TNN_ERROR_FORMAT, "%s: has no line of numbers (%l bytes); one is as 1.5,0,7",
                      file, (long long)size);
        if (!good || !a.shape[0]) break;
        a.count = a.shape[0]*a.shape[1];
        a.data = tnn__read_alloc(tnn__mul((tnn__len)a.count, (tnn__len)sizeof(double)), file);
        if (!a.data) break;
    }
    memset(&a, 0, sizeof a);
    return a;
}

static int tnn__blank(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
/* A whole number of a header or a text of numbers, after white space and comments; -1: there is
   none that is at most 65535. */
static int tnn__pnm_number(const unsigned char **at, const unsigned char *end)
{
    const unsigned char *p = *at, *first;
    int v = 0;
    for (; p < end && (tnn__blank(*p) || *p == '#'); p++)
        if (*p == '#') while (p + 1 < end && *p != '\n') p++;
    for (first = p; p < end && *p >= '0' && *p <= '9' && v <= 65535; p++) v = 10*v + (*p - '0');
    *at = p;
    return p > first && v <= 65535 ? v : -1;
}
static tnn_array tnn__pnm(const char *file, const unsigned char *p, size_t size)
{
    const unsigned char *at, *end;
    const int kind = p && size > 2 && p[0] == 'P' ? p[1] - '0' : 0, raw = kind > 3;
    int head[3] = {0, 0, 0}, top, bytes, i;
    tnn__len left, k;
    tnn_array a, none;
    memset(&a, 0, sizeof a);
    none = a;
    if (kind != 2 && kind != 3 && kind != 5 && kind != 6) {
        if (tnn__foreign(file, p, size, "PGM")) return none;
        tnn__fail(TNN_ERROR_FORMAT, "%s: is not a PGM or PPM image (%l bytes, starts with %d %d, "
                  "should be 80 and 50, 51, 53 or 54)", file, (long long)size,
                  p && size ? p[0] : 0, p && size > 1 ? p[1] : 0);
        return none;
    }
    at = p + 2;
    end = p + size;
    for (i = 0; i < 3; i++) {
        head[i] = tnn__pnm_number(&at, end);
        if (head[i] > 0 && (i < 2 || at == end || tnn__blank(*at))) continue;
        tnn__fail(TNN_ERROR_FORMAT, "%s: at byte %l: the %s, 1 to 65535, expected", file,
                  (long long)(at - p), i == 0 ? "width" : i == 1 ? "height" : "largest value");
        return none;
    }
    top = head[2] > 255 ? 65535 : 255;
    bytes = top > 255 ? 2 : 1;
    at += at < end;
    left = (tnn__len)(end - at);
    a.dtype = bytes == 2 ? TNN_U16 : TNN_U8;
    a.ndim = kind%3 == 0 ? 3 : 2;
    a.shape[0] = head[1];
    a.shape[1] = head[0];
    a.shape[2] = a.ndim == 3 ? 3 : 0;
    a.count = a.shape[0]*a.shape[1]*(a.ndim == 3 ? 3 : 1);
    if (raw ? a.count*bytes != left : a.count > left/2 + 1) {
        tnn__fail(TNN_ERROR_FORMAT, "%s: holds %l bytes from byte %l on, %l values of %d%s are "
                  "announced", file, (long long)left, (long long)(at - p), a.count,
                  raw ? bytes : 2, raw ? "" : " or more");
        return none;
    }
    a.data = tnn__read_alloc((tnn__len)a.count*bytes, file);
    if (!a.data) return none;
    for (k = 0; k < a.count; k++) {
        const unsigned char *from = at;
        int v;
        if (raw) { v = (int)tnn__bits(at, bytes, 1); at += bytes; }
        else v = tnn__pnm_number(&at, end);
        if (v < 0 || v > head[2]) {
            tnn__fail(TNN_ERROR_FORMAT, "%s: at byte %l: value %l, 0 to %d expected", file,
                      (long long)(from - p), (long long)k, head[2]);
            break;
        }
        v = (int)(((uint32_t)v*(uint32_t)top + (uint32_t)head[2]/2)/(uint32_t)head[2]);
        if (bytes == 2) ((uint16_t *)a.data)[k] = (uint16_t)v;
        else ((unsigned char *)a.data)[k] = (unsigned char)v;
    }
    for (; k == a.count && at < end; at++)
        if (!tnn__blank(*at)) {
            tnn__fail(TNN_ERROR_FORMAT, "%s: at byte %l: the image should end here", file,
                      (long long)(at - p));
            k = 0;
        }
    if (k == a.count) return a;
    tnn__release(a.data);
    return none;
}

TNN_API_GATED tnn_array tnn_parse_csv(const void *bytes, size_t size)
{
    return tnn__csv("csv", (const unsigned char *)bytes, size);
}
TNN_API_GATED tnn_array tnn_parse_pnm(const void *bytes, size_t size)
{
    return tnn__pnm("pnm", (const unsigned char *)bytes, size);
}
#ifndef TINYNN_NO_STDIO
static tnn_array tnn__read_array(const char *path,
                                 tnn_array (*parse)(const char *, const unsigned char *, size_t))
{
    size_t size = 0;
    unsigned char *p = tnn__read_file(path, &size, 0);
    tnn_array a;
    memset(&a, 0, sizeof a);
    if (p) a = parse(path, p, size);
    tnn__release(p);
    return a;
}
TNN_API_GATED tnn_array tnn_read_npy(const char *path) { return tnn__read_array(path, tnn__npy); }
TNN_API_GATED tnn_array tnn_read_csv(const char *path) { return tnn__read_array(path, tnn__csv); }
TNN_API_GATED tnn_array tnn_read_pnm(const char *path) { return tnn__read_array(path, tnn__pnm); }
TNN_API_GATED tnn_data tnn_load_npy_with(const tnn_npy_options *options)
{
    tnn_data d = tnn__no_data();
    tnn_array x = tnn_read_npy(options ? options->samples : NULL), y;
    if (!x.data) return d;
    memset(&y, 0, sizeof y);
    if (options->labels) y = tnn_read_npy(options->labels);
    if (!options->labels || y.data)
        d = tnn_array_data(&x, options->labels ? &y : NULL, options);
    tnn_array_free(&x);
    tnn_array_free(&y);
    return d;
}
#endif

/* ---- 15e. Writing: to a temporary file that takes the place of PATH, or to memory ------------ */
typedef struct {
    int            good;
    unsigned char *to;                  /* memory, written to while `used` is within `room` */
    size_t         room, used;
    uint64_t       hash;                /* of what was written, if not 0 at first */
#ifndef TINYNN_NO_STDIO
    const char    *path;                /* the caller's; NULL: to memory */
    char           target[TNN__PATH], temporary[TNN__PATH];  /* where its links end; what is
                                           renamed to that, "": nothing, is written to straight */
    int            file, error;         /* an errno */
    unsigned char  buffer[4096];        /* the bytes that are not yet in the file */
#endif
} tnn__writer;
#ifndef TINYNN_NO_STDIO
/* Whether what was done went well: the first error is kept. */
static int tnn__write_check(tnn__writer *w, int result)
{
    if (result < 0 && w->good) {
        w->good = 0;
        w->error = errno;
    }
    return w->good;
}
#endif
static void tnn__write(tnn__writer *w, const void *p, size_t size)
{
    if (w->hash) w->hash = tnn__fnv(w->hash, (const unsigned char *)p, size);
#ifndef TINYNN_NO_STDIO
    if (w->path) {
        const unsigned char *from = (const unsigned char *)p;
        while (w->good && size > 0) {
            const size_t at = w->used%sizeof w->buffer, n = TNN__MIN(size, sizeof w->buffer - at);
            memcpy(w->buffer + at, from, n);
            w->used += n;
            from += n;
            size -= n;
            if (at + n == sizeof w->buffer)
                tnn__write_check(w, tnn__write_all(w->file, w->buffer, sizeof w->buffer));
        }
        return;
    }
#endif
    if (w->used <= w->room && size <= w->room - w->used) memcpy(w->to + w->used, p, size);
    w->used += size;
}
static void tnn__write_text(tnn__writer *w, const char *text) { tnn__write(w, text, strlen(text)); }
static void tnn__write_int(tnn__writer *w, long long v)
{
    char text[24];
    tnn__write(w, text, (size_t)(tnn__put_int(text, text + sizeof text, v) - text));
}
/* Makes a writer to memory, of what fits into `room` bytes; `used` then says how many there are.
   `to` NULL: it only counts. */
static void tnn__write_memory(tnn__writer *w, void *to, size_t room)
{
    memset(w, 0, sizeof *w);
    w->good = 1;
    w->to = (unsigned char *)to;
    w->room = to ? room : 0;
}
/* Elements, the lowest byte first. Not inlined: its buffer and the writer are a large frame. */
static TNN__OWN_CALL void tnn__write_elements(tnn__writer *w, const void *data, tnn__len count,
                                              int bytes)
{
    const unsigned char *p = (const unsigned char *)data;
    unsigned char block[4096];
    tnn__len i, n;
    for (; count > 0 && w->good; count -= n, p += n*bytes) {
        n = TNN__MIN(count, (tnn__len)sizeof block/bytes);
        for (i = 0; i < n; i++)
            tnn__put_bits(block + i*bytes, tnn__bits(p + i*bytes, bytes, tnn__big_endian()), bytes,
                          0);
        tnn__write(w, block, (size_t)(n*bytes));
    }
}

#ifndef TINYNN_NO_STDIO
/* Puts n bytes behind the first `at` of a path; 0, or -1 and errno. */
static int tnn__path_put(char *path, size_t at, const char *text, size_t n)
{
    errno = ENAMETOOLONG;
    if (at >= TNN__PATH || n >= TNN__PATH - at) return -1;
    memcpy(path + at, text, n);
    path[at + n] = 0;
    return 0;
}
/* Sets the target: where the links at path end, be there a file or not. Returns 1 where the last
   is the system's own, in /proc or /dev/fd, for an open file; -1 and errno on failure. */
static int tnn__follow(tnn__writer *w)
{
    if (tnn__path_put(w->target, 0, w->path, strlen(w->path))) return -1;
#ifndef _WIN32
    {
        char link[TNN__PATH];
        tnn__len n;
        int links;
        for (links = 0; (n = readlink(w->target, link, sizeof link)) >= 0; links++) {
            if (!strncmp(w->target, "/proc/", 6) || !strncmp(w->target, "/dev/fd/", 8)) return 1;
            if (tnn__path_put(w->target, *link == '/' ? 0 : tnn__folder(w->target), link,
                              (size_t)n)) return -1;
            errno = ELOOP;
            if (links == 40) return -1;
        }
    }
#endif
    return 0;
}
/* Opens path, if it is a device or the like, or a new file TARGET.PROCESS-NUMBER.tmp, of a name
   that nothing had (behind 100 bytes of a longer one: names have a longest) and of the mode and,
   where that is allowed, the owner and the group of the target. */
static int tnn__write_open(tnn__writer *w)
{
    struct stat old;
    const int followed = tnn__follow(w), exists = !stat(w->path, &old);
    size_t n = strlen(w->target);
    int mode = 0666, i;
    if (followed < 0) return -1;
    if (followed || (exists && !TNN__PLAIN(old.st_mode)))
        return w->file = tnn__open(w->path, TNN__O(WRONLY) | TNN__O(APPEND), 0);
    if (exists && TNN__SYS(access)(w->target, 2)) return -1;    /* is protected from writing */
    if (exists) mode = (int)(old.st_mode & 0777);
#ifndef _WIN32
    n = TNN__MIN(n, tnn__folder(w->target) + 100);
#endif
    for (i = 0; i < 10000; i++) {
        char name[48], *to = name, *end = name + sizeof name;
        to = tnn__put_int(tnn__put(to, end, "."), end, TNN__SYS(getpid)());
        to = tnn__put(tnn__put_int(tnn__put(to, end, "-"), end, i), end, ".tmp");
        if (tnn__path_put(w->temporary, 0, w->target, n)
            || tnn__path_put(w->temporary, n, name, (size_t)(to - name))) return -1;
        w->file = tnn__open(w->temporary, TNN__O(WRONLY) | TNN__O(CREAT) | TNN__O(EXCL), mode);
        if (w->file >= 0 || errno != EEXIST) break;
    }
#ifndef _WIN32
    if (exists && w->file >= 0) {
        const int owned = !chown(w->temporary, old.st_uid, old.st_gid)
                          || !chown(w->temporary, (uid_t)-1, old.st_gid);
        (void)owned;
        (void)chmod(w->temporary, (mode_t)mode);
    }
#endif
    return w->file;
}
/* Begins a file; after TNN_OK tnn__write_end must follow. */
static tnn_status tnn__write_start(tnn__writer *w, const char *path)
{
    memset(w, 0, sizeof *w);
    if (!path || !*path) return tnn__fail(TNN_ERROR_IO, "(no path): cannot be written; a "
                                      "file's name must be given");
    w->path = path;
    w->good = 1;
    if (tnn__write_check(w, tnn__write_open(w))) return TNN_OK;
    return tnn__fail_file(path, "written", w->error);
}
/* Puts the file in its place. Where that fails the old one stays, unless the message says that
   PATH is written: then it is the new one, but may be lost in a crash of the machine. */
static tnn_status tnn__write_end(tnn__writer *w)
{
    const char *done = "written";
    int folder = -1;
    if (w->good)
        tnn__write_check(w, tnn__write_all(w->file, w->buffer, w->used%sizeof w->buffer));
    if (w->good && *w->temporary) tnn__write_check(w, tnn__sync(w->file));
    tnn__write_check(w, tnn__close(w->file));
    if (*w->temporary) {
        if (w->good && (folder = tnn__open_folder(w->target)) < 0 && errno != EACCES)
            tnn__write_check(w, folder);
        if (w->good) tnn__write_check(w, TNN__RENAME(w->temporary, w->target));
        if (!w->good) remove(w->temporary);
        else if (folder >= 0 && tnn__sync(folder) && errno != EINVAL) {
            tnn__write_check(w, -1);
            done = "synced in its folder, but is written";
        }
        if (folder >= 0) tnn__close(folder);
    }
    return w->good ? TNN_OK : tnn__fail_file(w->path, done, w->error);
}
TNN_API_GATED tnn_status tnn_write_file(const char *path, const void *bytes, size_t size)
{
    tnn__writer w;
    tnn_status e;
    if (!bytes && size)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_write_file: %s: no bytes", path ? path : "");
    e = tnn__write_start(&w, path);
    if (e) return e;
    tnn__write(&w, bytes, size);
    return tnn__write_end(&w);
}

TNN_API_GATED tnn_status tnn_save_npy(const char *path, const void *data, tnn_dtype dtype, int ndim,
                                      const long long *shape)
{
    char header[448], *to = header + 10, *end = header + sizeof header;
    tnn__writer w;
    tnn_status e;
    tnn__len count;
    int i, fits = ndim >= 0 && ndim <= TNN_DIMS && (shape || !ndim);
    for (i = 0; fits && i < ndim; i++) fits = shape[i] >= 0;
    count = fits ? tnn__array_count(ndim, shape) : TNN__HUGE;
    if (tnn__choice("tnn_save_npy", (int)dtype, TNN_BOOL)) return TNN_ERROR_ARGUMENT;
    if (!data || dtype == TNN_BF16 || count >= TNN__HUGE/8)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_save_npy: %s: needs data, a type that NumPy has "
                         "(not TNN_BF16) and %d dimensions, at most 8, not negative",
                         path ? path : "(no path)", ndim);
    to = tnn__put(to, end, "{'descr': '");
    to = tnn__put(to, end, tnn__dtypes[TNN__NTH(dtype)].bytes > 1 ? "<" : "|");
    to = tnn__put(to, end, tnn__dtypes[TNN__NTH(dtype)].npy);
    to = tnn__put(to, end, "', 'fortran_order': False, 'shape': (");
    for (i = 0; i < ndim; i++)
        to = tnn__put(tnn__put_int(to, end, shape[i]), end, i + 1 < ndim ? ", " : "");
    to = tnn__put(to, end, ndim == 1 ? ",), }" : "), }");
    while ((to - header)%64 != 63) *to++ = ' ';
    *to++ = '\n';
    memcpy(header, "\x93NUMPY\1", 8);
    tnn__put_bits((unsigned char *)header + 8, (uint64_t)(to - header - 10), 2, 0);
    e = tnn__write_start(&w, path);
    if (e) return e;
    tnn__write(&w, header, (size_t)(to - header));
    tnn__write_elements(&w, data, count, tnn__dtypes[TNN__NTH(dtype)].bytes);
    return tnn__write_end(&w);
}
#endif /* TINYNN_NO_STDIO */

/* ---- 15f. Weights: safetensors ----------------------------------------------------------------
   Length N of the header (8 bytes, the lowest first); the header, a JSON object
       {"__metadata__": {"KEY": "VALUE", ...},
        "NAME": {"dtype": "F32", "shape": [64, 3, 3, 3], "data_offsets": [BEGIN, END]}, ...}
   that begins with its { and may be padded with spaces; then the data, little-endian, to which the
   offsets refer and which they cover once. */
enum { TNN__HEADER_LIMIT = 100000000 };
enum { TNN__LEAST_ENTRY = 48 };     /* "":{"dtype":"U8","shape":[],"data_offsets":[0,1]} and less */

static int tnn__stored_header(tnn__scan *s, tnn_stored *t)
{
    static const char *const keys[] = {"dtype", "shape", "data_offsets"};
    static const char what[] = "dtype, shape and data_offsets expected, each once";
    const char *key;
    long long offsets[TNN_DIMS];
    int n = 0, seen = 0, pair = 0, k;
    if (!tnn__need(s, '{')) return 0;
    while ((key = tnn__key(s, &n, 0)) != NULL) {
        if ((k = tnn__key_of(s, key, keys, 3, &seen, what)) < 0) return 0;
        if (k == 0) {
            if ((t->type = tnn__string(s, 0)) == NULL) return 0;
            t->dtype = tnn__dtype_of(t->type, 0);
        } else if (k == 1) {
            if (!tnn__list(s, '[', ']', t->shape, &t->ndim)) return 0;
        } else {
            if (!tnn__list(s, '[', ']', offsets, &pair)) return 0;
            if (pair != 2) return tnn__wrong(s, "two data_offsets expected");
        }
    }
    if (n != 3) return n >= 0 && tnn__wrong(s, what);
    t->begin = offsets[0];
    t->end = offsets[1];
    t->count = tnn__array_count(t->ndim, t->shape);
    return 1;
}
static int tnn__by_name(const void *a, const void *b)
{
    return strcmp(((const tnn_stored *)a)->name, ((const tnn_stored *)b)->name);
}
static int tnn__by_place(const void *a, const void *b)
{
    const tnn_stored *x = (const tnn_stored *)a, *y = (const tnn_stored *)b;
    return x->begin != y->begin ? (x->begin < y->begin ? -1 : 1)
         : x->end != y->end ? (x->end < y->end ? -1 : 1) : tnn__by_name(a, b);
}
/* The entries of a header into t, which has room for any number that fits its length; -1 on error.
   Sorted by place. */
static int tnn__stored_list(tnn__scan *s, tnn_stored *t, long long data)
{
    int keys = 0, metadata = 0, count = 0, i;
    long long at = 0;
    char *key;
    if (!tnn__need(s, '{')) return -1;
    while ((key = tnn__key(s, &keys, 0)) != NULL) {
        int n = 0;
        if (strcmp(key, "__metadata__")) {
            memset(&t[count], 0, sizeof *t);
            t[count].name = key;
            if (!tnn__stored_header(s, &t[count++])) return -1;
            continue;
        }
        if (metadata++) { tnn__wrong(s, "__metadata__ is there twice"); return -1; }
        if (!tnn__need(s, '{')) return -1;
        while (tnn__key(s, &n, 0)) if (!tnn__string(s, 0)) return -1;
        if (n < 0) return -1;
    }
    if (keys < 0 || !tnn__end(s)) return -1;
    qsort(t, (size_t)count, sizeof *t, tnn__by_name);
    for (i = 1; i < count; i++)
        if (!tnn__by_name(&t[i - 1], &t[i])) {
            tnn__fail(TNN_ERROR_FORMAT, "%s: has %s twice", s->file, t[i].name);
            return -1;
        }
    qsort(t, (size_t)count, sizeof *t, tnn__by_place);
    for (i = 0; i < count; at = t[i++].end) {
        const long long bytes = !t[i].dtype ? TNN__MAX(t[i].end - at, 0)    /* as it says */
            : tnn__mul((tnn__len)t[i].count, tnn__dtypes[TNN__NTH(t[i].dtype)].bytes);
        if (t[i].begin == at && t[i].end <= data && t[i].end - at == bytes) continue;
        tnn__fail(TNN_ERROR_FORMAT, "%s: %s has data_offsets %l to %l; its shape needs %l bytes "
                  "from %l on, without overlap or hole, of %l that there are", s->file, t[i].name,
                  t[i].begin, t[i].end, bytes, at, data);
        return -1;
    }
    if (at != data) {
        tnn__fail(TNN_ERROR_FORMAT, "%s: %l bytes of data, of which the header describes %l",
                  s->file, data, at);
        return -1;
    }
    return count;
}
static tnn_safetensors tnn__safetensors(const char *file, const unsigned char *p, size_t size)
{
    const uint64_t length = p && size >= 8 ? tnn__bits(p, 8, 0) : 0;
    tnn_safetensors f;
    tnn_stored *t;
    tnn__scan s;
    tnn__len entries;
    memset(&f, 0, sizeof f);
    memset(&s, 0, sizeof s);
    if (length < 2 || length > TNN__HEADER_LIMIT || length > size - 8 || p[8] != '{') {
        if (tnn__foreign(file, p, size, "safetensors")) return f;
        if (length > 1 && length <= TNN__HEADER_LIMIT && size > 8 && p[8] == '{')
            tnn__fail(TNN_ERROR_FORMAT, "%s: is cut off after %l bytes, within its header of %l",
                      file, (long long)size, (long long)length);
        else tnn__fail(TNN_ERROR_FORMAT, "%s: is not a safetensors file: %l bytes, a header of %l "
                       "(at most 100 MB) that begins with %d (should be 123)", file,
                       (long long)size, (long long)TNN__MIN(length, (uint64_t)1 << 62),
                       length && size > 8 ? p[8] : 0);
        return f;
    }
    entries = ((tnn__len)length/TNN__LEAST_ENTRY + 1)*(tnn__len)sizeof *t;
    t = (tnn_stored *)tnn__read_alloc(entries + (tnn__len)length + 1, file);
    if (!t) return f;
    s.file = file;
    s.base = 8;
    s.end = (tnn__len)length;
    s.text = (char *)t + entries;
    memcpy(s.text, p + 8, (size_t)length);
    f.count = tnn__stored_list(&s, t, (long long)(size - 8 - (size_t)length));
    if (f.count < 0) {
        tnn__release(t);
        f.count = 0;
        return f;
    }
    f.memory = t;
    f.tensor = t;
    f.data = p + 8 + length;
    return f;
}
TNN_API_GATED tnn_safetensors tnn_parse_safetensors(const void *bytes, size_t size)
{
    return tnn__safetensors("safetensors", (const unsigned char *)bytes, size);
}
TNN_API void tnn_safetensors_free(tnn_safetensors *file)
{
    if (!file) return;
    tnn__release(file->memory);
    tnn__release(file->file);
    memset(file, 0, sizeof *file);
}
/* Whether a tensor's type is one of ours. */
static int tnn__known_type(const char *file, const tnn_stored *t)
{
    if (!t->dtype)
        tnn__fail(TNN_ERROR_FORMAT, "%s: %s is of type %s, which cannot be read; convert it to F32 "
                  "(read are BOOL, U8, I8, U16, I16, U32, I32, U64, I64, F16, BF16, F32, F64)",
                  file, t->name, t->type);
    return t->dtype != 0;
}
/* Element i of a tensor. */
static double tnn__stored_value(const tnn_safetensors *f, const tnn_stored *t, tnn__len i)
{
    const int bytes = tnn__dtypes[TNN__NTH(t->dtype)].bytes;
    return tnn__number(tnn__bits(f->data + t->begin + i*bytes, bytes, 0), t->dtype);
}
TNN_API_GATED tnn_array tnn_safetensors_array(const tnn_safetensors *file, int i)
{
    tnn_array a;
    const tnn_stored *t;
    tnn__len k;
    memset(&a, 0, sizeof a);
    if (!file || !file->tensor || i < 0 || i >= file->count) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_safetensors_array: tensor %d of %d", i,
                  file ? file->count : 0);
        return a;
    }
    t = &file->tensor[i];
    if (!tnn__known_type("tnn_safetensors_array", t)) return a;
    a.data = tnn__read_alloc((tnn__len)(t->end - t->begin), t->name);
    if (!a.data) return a;
    a.dtype = t->dtype;
    a.ndim = t->ndim;
    a.count = t->count;
    memcpy(a.shape, t->shape, sizeof a.shape);
    for (k = 0; k < a.count; k++) {
        const int bytes = tnn__dtypes[TNN__NTH(t->dtype)].bytes;
        tnn__put_bits((unsigned char *)a.data + k*bytes,
                      tnn__bits(file->data + t->begin + k*bytes, bytes, 0), bytes,
                      tnn__big_endian());
    }
    return a;
}

static const tnn_weights_options tnn__every_weight = {NULL, {{NULL, NULL}}, 0, 0};
/* Two strings that make one name. head NULL: none. */
typedef struct { const char *head, *tail; } tnn__name;
static char tnn__name_next(tnn__name *n)
{
    return *n->head ? *n->head++ : *n->tail ? *n->tail++ : '\0';
}
/* As strcmp; none comes first. */
static int tnn__compare_names(tnn__name a, tnn__name b)
{
    char c, d;
    if (!a.head || !b.head) return !!a.head - !!b.head;
    do {
        c = tnn__name_next(&a);
        d = tnn__name_next(&b);
    } while (c && c == d);
    return (int)(unsigned char)c - (int)(unsigned char)d;
}
/* How many bytes of `name` pair k stands for on one side; -1: another beginning, -2: no pair. */
static int tnn__begins(const tnn_weights_options *o, int k, int net, const char *name)
{
    const char *start;
    int n;
    if (k >= TNN_RENAMES || (!o->rename[k].file && !o->rename[k].net)) return -2;
    start = net ? o->rename[k].net : o->rename[k].file;
    n = start ? (int)strlen(start) : 0;
    return !n || !strncmp(name, start, (size_t)n) ? n : -1;
}
/* What the file calls a tensor of the network. */
static tnn__name tnn__file_name(const tnn_weights_options *o, const char *name)
{
    tnn__name r = {NULL, NULL};
    int k, n, most = -1;
    for (k = 0; (n = tnn__begins(o, k, 1, name)) > -2; k++)
        if (n > most) {
            most = n;
            r.head = o->rename[k].file ? o->rename[k].file : "";
            r.tail = name + n;
        }
    if (k) return r;
    r.head = name;
    r.tail = "";
    return r;
}
/* What the file calls each tensor of the network, sorted; `room` bytes per tensor, zeros, follow.
   To be released; NULL on failure. */
typedef struct { tnn__name name; int i; } tnn__file_named;
static int tnn__by_file_name(const void *a, const void *b)
{
    const tnn__file_named *x = (const tnn__file_named *)a, *y = (const tnn__file_named *)b;
    const int order = tnn__compare_names(x->name, y->name);
    return order ? order : x->i - y->i;
}
static tnn__file_named *tnn__file_names(const tnn_net *net, const tnn_weights_options *o,
                                        size_t room)
{
    const tnn__len each = (tnn__len)(sizeof(tnn__file_named) + room);
    tnn__file_named *list = (tnn__file_named *)tnn__alloc(net->tensors*each, "names of tensors");
    int i, which = 0;
    for (i = 0; list && i < net->tensors; i++) {
        const tnn__op *op = tnn__find_param(net, i, &which);
        list[i].name = tnn__file_name(o, op->name[which]);
        list[i].i = i;
    }
    if (list) qsort(list, (size_t)net->tensors, sizeof *list, tnn__by_file_name);
    return list;
}
/* The first of `list` that is not before a name. */
static int tnn__from_name(const tnn__file_named *list, int n, tnn__name name)
{
    int from = 0;
    while (from < n) {
        const int i = from + (n - from)/2;
        if (tnn__compare_names(list[i].name, name) < 0) from = i + 1; else n = i;
    }
    return from;
}
/* Is a tensor of the file one of those that the network should have? */
static int tnn__expected(const tnn_weights_options *o, const char *name)
{
    static const char counter[] = ".num_batches_tracked";
    const size_t n = strlen(name), m = sizeof counter - 1;
    int k, begins, any = 0;
    if (n >= m && !strcmp(name + n - m, counter)) return 0;
    if (!strncmp(name, "tinynn.", 7)) return 0;             /* of a checkpoint */
    for (k = 0; (begins = tnn__begins(o, k, 0, name)) > -2; k++) any |= begins >= 0;
    return any || k == 0;
}

static int tnn__fits(const tnn_param *p, const tnn_stored *t)
{
    int i;
    if (t->count != p->count) return 0;
    for (i = 0; i < p->ndim && i < t->ndim && t->shape[i] == p->dims[i]; i++) {}
    return t->ndim == p->ndim ? i == p->ndim : p->ndim == 2 && t->ndim > 2 && i > 0;
}
static const char *tnn__put_shape(char text[64], int ndim, const int *dims, const long long *shape)
{
    char *to = text, *end = text + 63;
    int i;
    for (i = 0; i < ndim; i++)
        to = tnn__put_int(i ? tnn__put(to, end, "x") : to, end, dims ? dims[i] : shape[i]);
    *to = 0;
    return text;
}
/* Sets tensor i of the network from t of the file (NULL: it is not there), or if !set only looks
   whether it can be. 1: yes, 0: it stays as it is, -1: error. */
static int tnn__load_tensor(tnn_net *net, const tnn_weights_options *o, const char *file,
                            const tnn_safetensors *f, const tnn_stored *t, int i, int set)
{
    int which = 0;
    const tnn__op *op = tnn__find_param(net, i, &which);
    const tnn_param p = tnn__param_of(op, which);
    tnn__len at;
    if (!t) {
        const tnn__name want = tnn__file_name(o, p.name);
        if (!want.head || o->partial) return 0;
        tnn__fail(TNN_ERROR_FORMAT, "%s: has no %s%s; .partial = 1 loads what it has", file,
                  want.head, want.tail);
        return -1;
    }
    if (!tnn__known_type(file, t)) return -1;
    if (!tnn__fits(&p, t)) {
        char shapes[2][64];
        tnn__fail(TNN_ERROR_SHAPE, "%s: %s is (%s), the network's %s (%s)", file, t->name,
                  tnn__put_shape(shapes[0], t->ndim, NULL, t->shape), p.name,
                  tnn__put_shape(shapes[1], p.ndim, p.dims, NULL));
        return -1;
    }
    for (at = 0; at < p.count; at++) {
        const double v = tnn__stored_value(f, t, at);
        if (set) tnn__param_set(net, op, which, at, (float)v);
        else if (!tnn__is_float(v)) {
            tnn__fail(TNN_ERROR_NUMBER, "%s: value %l of %s, %g, is not a finite float", file,
                      (long long)at, t->name, v);
            return -1;
        }
    }
    return 1;
}
/* How many tensors were set, -1 on error. o NULL: all, of which there need not be any. */
static int tnn__load_weights(tnn_net *net, const tnn_weights_options *o, const char *file,
                             const tnn_safetensors *f)
{
    const int least = o != NULL;
    const char *unknown = NULL;
    const tnn_stored **from;
    tnn__file_named *list;
    tnn__name have;
    int i, k, n = 0, count = 0;
    if (!o) o = &tnn__every_weight;
    if (tnn_build(net)) return -1;
    list = tnn__file_names(net, o, sizeof *from);
    if (!list) return -1;
    from = (const tnn_stored **)(void *)(list + net->tensors);
    have.tail = "";
    for (k = 0; k < f->count; k++) {
        int some = 0;
        have.head = f->tensor[k].name;
        for (i = tnn__from_name(list, net->tensors, have);
             i < net->tensors && !tnn__compare_names(list[i].name, have); i++, some = 1)
            from[list[i].i] = &f->tensor[k];
        if (!some && !unknown && tnn__expected(o, have.head)) unknown = have.head;
    }
    for (i = 0; i < net->tensors && n >= 0; i++)
        count += n = tnn__load_tensor(net, o, file, f, from[i], i, 0);
    if (n >= 0 && unknown && !o->partial)
        n = -(int)tnn__fail(TNN_ERROR_FORMAT, "%s: has %s, the network has not; .partial = 1 loads "
                            "the rest", file, unknown);
    else if (n >= 0 && count < least)
        n = -(int)tnn__fail(TNN_ERROR_FORMAT, "%s: has none of the network's tensors", file);
    for (i = 0; i < net->tensors && n >= 0; i++)
        if (from[i]) tnn__load_tensor(net, o, file, f, from[i], i, 1);
    tnn__release(list);
    return n < 0 ? -1 : count;
}
TNN_API_GATED int tnn_parse_weights(tnn_net *net, const void *bytes, size_t size,
                                    const tnn_weights_options *options)
{
    const tnn_weights_options *o = options ? options : &tnn__every_weight;
    const char *file = o->path ? o->path : "weights";
    tnn_safetensors f = tnn__safetensors(file, (const unsigned char *)bytes, size);
    const int count = f.tensor ? tnn__load_weights(net, o, file, &f) : 0;
    tnn_safetensors_free(&f);
    return TNN__MAX(count, 0);
}

static void tnn__write_name(tnn__writer *w, tnn__name name)
{
    static const char digits[] = "0123456789abcdef";
    char c;
    while ((c = tnn__name_next(&name)) != 0) {
        char text[] = "\\u0000";
        if ((unsigned char)c < 0x20) {
            text[4] = digits[c >> 4];
            text[5] = digits[c & 15];
            tnn__write(w, text, 6);
        } else {
            if (c == '"' || c == '\\') tnn__write(w, "\\", 1);
            tnn__write(w, &c, 1);
        }
    }
}
/* What a checkpoint has beside the weights: vectors. Without data it is the hash. */
typedef struct { const char *name; tnn_dtype dtype; tnn__len count; void *data; } tnn__piece;

static void tnn__write_entry(tnn__writer *w, tnn__name name, tnn_dtype dtype, int ndim,
                             const long long *shape, long long *at)
{
    int k;
    tnn__write_text(w, ",\"");
    tnn__write_name(w, name);
    tnn__write_text(w, "\":{\"dtype\":\"");
    tnn__write_text(w, tnn__dtypes[TNN__NTH(dtype)].name);
    tnn__write_text(w, "\",\"shape\":[");
    for (k = 0; k < ndim; k++) {
        tnn__write_text(w, k ? "," : "");
        tnn__write_int(w, shape[k]);
    }
    tnn__write_text(w, "],\"data_offsets\":[");
    tnn__write_int(w, *at);
    tnn__write_text(w, ",");
    tnn__write_int(w, *at += tnn__dtypes[TNN__NTH(dtype)].bytes*tnn__array_count(ndim, shape));
    tnn__write_text(w, "]}");
}
static void tnn__write_header(tnn__writer *w, tnn_net *net, const tnn_weights_options *o,
                              const tnn__piece *piece, int pieces, long long *data)
{
    const tnn__op *op;
    long long shape[TNN_DIMS];
    int i, k, which;
    *data = 0;
    tnn__write_text(w, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (i = 0; (op = tnn__find_param(net, i, &which)) != NULL; i++) {
        const tnn_param p = tnn__param_of(op, which);
        const tnn__name name = tnn__file_name(o, p.name);
        if (!name.head) continue;
        for (k = 0; k < p.ndim; k++) shape[k] = p.dims[k];
        tnn__write_entry(w, name, TNN_F32, p.ndim, shape, data);
    }
    for (i = 0; i < pieces; i++) {
        tnn__name name;
        name.head = piece[i].name;
        name.tail = "";
        shape[0] = piece[i].count;
        tnn__write_entry(w, name, piece[i].dtype, 1, shape, data);
    }
    tnn__write_text(w, "}");
}
/* Whether loading would take what is to be saved: names are text, each there once, not all left
   out; values are finite. o NULL: all tensors, of which there need not be any. */
static tnn_status tnn__check_saved(const char *what, tnn_net *net, const tnn_weights_options *o)
{
    const tnn__op *op;
    tnn__file_named *list = NULL;
    tnn__writer only;
    tnn_status e = TNN_OK;
    long long data;
    tnn__len at;
    int i, k, n, which, renamed = 0, some = !o;
    if (!o) o = &tnn__every_weight;
    if (o->partial || o->optional)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: .%s is for loading", what,
                         o->partial ? "partial" : "optional");
    for (; tnn__begins(o, renamed, 0, "") > -2; renamed++) {
        const char *p = o->rename[renamed].file;
        for (; p && *p; p += n)
            if ((n = tnn__utf8((const unsigned char *)p, (tnn__len)strlen(p))) == 0)
                return tnn__fail(TNN_ERROR_ARGUMENT, "%s: .rename: a name that is no UTF-8", what);
    }
    if (renamed && net->tensors && (list = tnn__file_names(net, o, 0)) == NULL)
        return TNN_ERROR_MEMORY;
    for (k = 0; list && !e && k < net->tensors; k++) {
        const tnn__name name = list[k].name;
        tnn__name reserved;
        reserved.head = "__metadata__";
        reserved.tail = "";
        if (!name.head) continue;
        if (!tnn__compare_names(reserved, name)
            || (k && !tnn__compare_names(list[k - 1].name, name)))
            e = tnn__fail(TNN_ERROR_ARGUMENT, "%s: .rename makes %s%s of %s", what, name.head,
                          name.tail, k && !tnn__compare_names(list[k - 1].name, name)
                                     ? "two tensors" : "a tensor, which is not a name for one");
    }
    tnn__release(list);
    for (i = 0; !e && (op = tnn__find_param(net, i, &which)) != NULL; i++) {
        const tnn_param p = tnn__param_of(op, which);
        float *from = p.buffer ? net->buffers : net->flat[TNN__W];
        if (!tnn__file_name(o, p.name).head) continue;
        some = 1;
        for (at = 0; !e && at < p.count; at++) {
            const float v = *tnn__param_at(net, op, which, from, at);
            if (!(v - v >= 0))
                e = tnn__fail(TNN_ERROR_NUMBER, "%s: value %l of %s, %g, is not finite", what,
                              (long long)at, p.name, (double)v);
        }
    }
    if (!e && !some)
        e = tnn__fail(TNN_ERROR_ARGUMENT, net->tensors ? "%s: .rename leaves out all tensors"
                                          : "%s: the network has no tensors", what);
    memset(&only, 0, sizeof only);
    if (!e) tnn__write_header(&only, net, o, NULL, 0, &data);
    if (only.used > TNN__HEADER_LIMIT - 4096)           /* so much for a checkpoint's own */
        e = tnn__fail(TNN_ERROR_ARGUMENT, "%s: names of %l bytes, more than 100 MB", what,
                      (long long)only.used);
    return e;
}
static TNN__OWN_CALL tnn__len tnn__header_bytes(tnn_net *net, const tnn_weights_options *o,
                                                const tnn__piece *piece, int pieces,
                                                long long *data)
{
    tnn__writer only;
    memset(&only, 0, sizeof only);
    tnn__write_header(&only, net, o, piece, pieces, data);
    return (tnn__len)only.used;
}
/* The whole file; its size. w NULL: only that. */
static size_t tnn__write_weights(tnn__writer *w, tnn_net *net, const tnn_weights_options *o,
                                 const tnn__piece *piece, int pieces)
{
    unsigned char length[8];
    float block[512];
    const tnn__op *op;
    tnn__len at, n;
    long long data;
    int i, k, which;
    const tnn__len used = tnn__header_bytes(net, o, piece, pieces, &data);
    n = tnn__round_up(used, 8);
    if (!w) return 8 + (size_t)n + (size_t)data;
    tnn__put_bits(length, (uint64_t)n, 8, 0);
    tnn__write(w, length, 8);
    tnn__write_header(w, net, o, piece, pieces, &data);
    for (n -= used; n > 0; n--) tnn__write(w, " ", 1);
    for (i = 0; (op = tnn__find_param(net, i, &which)) != NULL; i++) {
        const tnn_param p = tnn__param_of(op, which);
        if (!tnn__file_name(o, p.name).head) continue;
        for (at = 0; at < p.count; at += n) {
            n = TNN__MIN(p.count - at, 512);
            for (k = 0; k < n; k++)
                block[k] = *tnn__param_at(net, op, which,
                                          p.buffer ? net->buffers : net->flat[TNN__W],
                                          at + k);
            tnn__write_elements(w, block, n, 4);
        }
    }
    for (i = 0; i < pieces; i++) {
        const uint64_t hash = w->hash;
        tnn__write_elements(w, piece[i].data ? piece[i].data : &hash, piece[i].count,
                            tnn__dtypes[TNN__NTH(piece[i].dtype)].bytes);
    }
    return 0;
}
TNN_API_GATED size_t tnn_format_weights(tnn_net *net, void *to, size_t room,
                                        const tnn_weights_options *options)
{
    const tnn_weights_options *o = options ? options : &tnn__every_weight;
    tnn__writer w;
    size_t size;
    if (tnn_build(net) || tnn__check_saved("tnn_format_weights", net, o)) return 0;
    size = tnn__write_weights(NULL, net, o, NULL, 0);
    if (!to || size > room) return size;
    memset(&w, 0, sizeof w);
    w.good = 1;
    w.to = (unsigned char *)to;
    w.room = room;
    tnn__write_weights(&w, net, o, NULL, 0);
    return size;
}

#ifndef TINYNN_NO_STDIO
TNN_API_GATED tnn_safetensors tnn_read_safetensors(const char *path)
{
    size_t size = 0;
    unsigned char *p = tnn__read_file(path, &size, 0);
    tnn_safetensors f;
    memset(&f, 0, sizeof f);
    if (p) f = tnn__safetensors(path, p, size);
    if (f.tensor) f.file = p; else tnn__release(p);
    return f;
}
TNN_API_GATED int tnn_load_weights_with(tnn_net *net, const tnn_weights_options *options)
{
    size_t size = 0;
    unsigned char *p = tnn__read_file(options ? options->path : NULL, &size,
                                      options && options->optional);
    const int count = p ? tnn_parse_weights(net, p, size, options) : 0;
    tnn__release(p);
    return count;
}
TNN_API_GATED tnn_status tnn_save_weights_with(tnn_net *net, const tnn_weights_options *options)
{
    tnn_status e = tnn_build(net);
    tnn__writer w;
    if (!e && !options)
        e = tnn__fail(TNN_ERROR_ARGUMENT, "tnn_save_weights: no path");
    if (!e) e = tnn__check_saved("tnn_save_weights", net, options);
    if (!e) e = tnn__write_start(&w, options->path);
    if (e) return e;
    tnn__write_weights(&w, net, options, NULL, 0);
    return tnn__write_end(&w);
}
#endif

/* ---- 15g. Checkpoints: the format is in 1j, in this order ------------------------------------ */
enum { TNN__SAME = 10, TNN__WHOLE = TNN__SAME + 11, TNN__REALS = 10, TNN__PIECES = TNN__FLATS + 6 };

/* The counters of network and loader, into both arrays or from them. The first TNN__SAME are what
   must be the same, and only compared. */
static const char *const tnn__same[TNN__SAME] = {
    "version of the format", "optimizer", "number of floats in a flat vector",
    "loader (1: there is one)", "number of the loader's samples", "loader's batch",
    "loader's .shuffle", "loader's .drop_last", "loader's .seed", "network's .seed"
};
static void tnn__counters(tnn_net *net, tnn_loader *l, long long *i, double *r, int set)
{
    struct tnn__loader *s = l ? l->state : NULL;
    int epoch = l ? l->epoch : 0, batch = l ? l->batch_index : 0, between = l ? s->between : 0;
    double momentum = *tnn__momentum(&net->optimizer);
#define TNN__INTEGER(type, v) (set ? (void)(v = (type)*i) : (void)(*i = (long long)(v)), i++)
#define TNN__REAL(v)        (set ? (void)(v = *r) : (void)(*r = (v)), r++)
    if (!set) {
        i[0] = 1;
        i[1] = TNN__NTH(net->optimizer.type);
        i[2] = (long long)net->params;
        i[3] = l != NULL;
        i[4] = l ? s->data.n : 0;
        i[5] = l ? s->options.batch : 0;
        i[6] = l ? s->options.shuffle : 0;
        i[7] = l ? s->options.drop_last : 0;
        i[8] = l ? (long long)s->options.seed : 0;
        i[9] = (long long)net->options.seed;
    }
    i += TNN__SAME;
    TNN__INTEGER(uint64_t, net->draws);        TNN__INTEGER(long long, net->steps);
    TNN__INTEGER(long long, net->schedule_step);
    TNN__INTEGER(int, net->averages);          TNN__INTEGER(int, net->accumulated);
    TNN__INTEGER(int, net->lbfgs.iterations);  TNN__INTEGER(int, net->lbfgs.kept);
    TNN__INTEGER(int, net->lbfgs.oldest);
    TNN__INTEGER(int, epoch);                  TNN__INTEGER(int, batch);
    TNN__INTEGER(int, between);
    TNN__REAL(net->optimizer.lr);            TNN__REAL(momentum);
    TNN__REAL(net->cumulative);
    TNN__REAL(net->c[0]);                    TNN__REAL(net->c[1]);
    TNN__REAL(net->shares);
    TNN__REAL(net->lr_max);                  TNN__REAL(net->grad_norm);
    TNN__REAL(net->lbfgs.scale);             TNN__REAL(net->lbfgs.t);
    if (!set) return;
    *tnn__momentum(&net->optimizer) = momentum;
    net->stage = TNN__NOTHING;
    if (!l) return;
    l->epoch = epoch;
    l->batch_index = batch;
    l->n = 0;
    s->between = between;
    if (!between) tnn__order(l);
}
/* Whether counters from a file are some that a run can have come to. */
static tnn_status tnn__check_counters(const tnn_net *net, const tnn_loader *l, const char *path,
                                      const long long *i, const double *r)
{
    const long long any = (long long)1 << 62, most = 1 << 30;
    const long long history = net->optimizer.type == TNN_LBFGS ? net->optimizer.history : 0;
    const long long limits[TNN__WHOLE - TNN__SAME][2] = {
        {0, any}, {0, any}, {0, any}, {0, most}, {0, TNN__MAX(1, net->optimizer.accumulate)},
        {0, most}, {0, history}, {0, history}, {-!!l, most}, {-!!l, l ? l->batches : 0}, {0, 1}
    };
    int k;
    for (k = 0; k < TNN__WHOLE - TNN__SAME; k++)
        if (i[TNN__SAME + k] < limits[k][0] || i[TNN__SAME + k] > limits[k][1])
            return tnn__fail(TNN_ERROR_FORMAT, "%s: number %d of tinynn.integers is %l, must be in "
                             "[%l, %l]", path, TNN__SAME + k, i[TNN__SAME + k], limits[k][0],
                             limits[k][1]);
    if (!(r[0] >= 0 && r[0] < HUGE_VAL) || !(r[1] >= 0 && r[1] < 1))
        return tnn__fail(TNN_ERROR_FORMAT, "%s: learning rate %g and momentum %g in tinynn.reals",
                         path, r[0], r[1]);
    return TNN_OK;
}
/* All that is beside the weights; returns how many. `numbers` of them. */
static int tnn__pieces(tnn_net *net, tnn__piece *p, long long *whole, double *reals,
                       double *numbers, tnn__len count)
{
    static const char *const states[TNN__FLATS - TNN__S] = {
        "tinynn.state.2", "tinynn.state.3", "tinynn.state.4", "tinynn.state.5", "tinynn.state.6",
        "tinynn.state.7", "tinynn.state.8"
    };
    const tnn_optimizer *o = &net->optimizer;
    int i, n = 0;
#define TNN__PIECE(title, type, elements, from) \
    (p[n].name = title, p[n].dtype = type, p[n].count = elements, p[n].data = from, n++)
    for (i = TNN__S; i < TNN__FLATS; i++)
        if (net->flat[i]) TNN__PIECE(states[i - TNN__S], TNN_F32, net->params, net->flat[i]);
    if (o->accumulate > 1 && net->buffer_floats)
        TNN__PIECE("tinynn.statistics", TNN_F32, net->buffer_floats, net->held);
    if (o->type == TNN_LBFGS && net->work)
        TNN__PIECE("tinynn.work", TNN_F32, (2*(tnn__len)o->history + 1)*net->params
                                      + 4*(tnn__len)o->history, net->work);
    TNN__PIECE("tinynn.integers", TNN_I64, TNN__WHOLE, whole);
    TNN__PIECE("tinynn.reals", TNN_F64, TNN__REALS, reals);
    if (count) TNN__PIECE("tinynn.numbers", TNN_F64, count, numbers);
    TNN__PIECE("tinynn.hash", TNN_U64, 1, NULL);
    return n;
}
static const tnn_checkpoint_options tnn__plain_checkpoint = {NULL, NULL, NULL, 0, 0};
static tnn_status tnn__checkpoint_begin(const char *what, tnn_net *net,
                                        const tnn_checkpoint_options *o, int save)
{
    long long whole[TNN__WHOLE];
    double reals[TNN__REALS];
    const tnn_status e = tnn_build(net);
    if (e) return e;
    if (!o || o->count < 0 || (o->count > 0 && !o->numbers))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: no options, or .count = %d without .numbers",
                         what, o ? o->count : 0);
    if (o->loader && tnn__loader_made(what, o->loader)) return TNN_ERROR_ARGUMENT;
    if (net->swapped)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: tnn_use_average(net, 0) comes first", what);
    if (!save) return TNN_OK;
    if (o->optional)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: .optional is for loading", what);
    if (net->stage == TNN__BACKWARD)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: within a step; it comes after tnn_step", what);
    tnn__counters(net, o->loader, whole, reals, 0);
    if (!tnn__check_counters(net, o->loader, what, whole, reals))
        return tnn__check_saved(what, net, NULL);
    return TNN_ERROR_FORMAT;
}
/* Writes it, or if !w returns how many bytes that will be. */
static size_t tnn__write_checkpoint(tnn__writer *w, tnn_net *net, const tnn_checkpoint_options *o)
{
    long long whole[TNN__WHOLE];
    double reals[TNN__REALS];
    tnn__piece piece[TNN__PIECES];
    const int pieces = tnn__pieces(net, piece, whole, reals, o->numbers, o->count);
    tnn__counters(net, o->loader, whole, reals, 0);
    if (w) w->hash = TNN__FNV;
    return tnn__write_weights(w, net, &tnn__every_weight, piece, pieces);
}
TNN_API_GATED size_t tnn_format_checkpoint(tnn_net *net, void *to, size_t room,
                                           const tnn_checkpoint_options *options)
{
    tnn__writer w;
    size_t size;
    if (!options) options = &tnn__plain_checkpoint;
    if (tnn__checkpoint_begin("tnn_format_checkpoint", net, options, 1)) return 0;
    size = tnn__write_checkpoint(NULL, net, options);
    if (!to || size > room) return size;
    memset(&w, 0, sizeof w);
    w.good = 1;
    w.to = (unsigned char *)to;
    w.room = room;
    tnn__write_checkpoint(&w, net, options);
    return size;
}

static const tnn_stored *tnn__stored_named(const tnn_safetensors *f, const char *name)
{
    int i;
    for (i = 0; i < f->count; i++) if (!strcmp(f->tensor[i].name, name)) return &f->tensor[i];
    return NULL;
}
/* The elements of a piece, in the machine's order. */
static void tnn__take_piece(const tnn_safetensors *f, const tnn__piece *p)
{
    const tnn_stored *t = tnn__stored_named(f, p->name);
    const int bytes = tnn__dtypes[TNN__NTH(p->dtype)].bytes;
    tnn__len i;
    for (i = 0; i < t->count; i++)
        tnn__put_bits((unsigned char *)p->data + i*bytes,
                      tnn__bits(f->data + t->begin + i*bytes, bytes, 0), bytes,
                      tnn__big_endian());
}
/* Whether it is of the network's optimizer: what else differs then follows from that. */
static tnn_status tnn__check_rule(const char *path, const tnn_safetensors *f, const tnn_net *net)
{
    const tnn_stored *t = tnn__stored_named(f, "tinynn.integers");
    const uint64_t own = (uint64_t)TNN__NTH(net->optimizer.type);
    const uint64_t type = t && t->dtype == TNN_I64 && t->count > 1
                        ? tnn__bits(f->data + t->begin + 8, 8, 0) : own;
    const char *stored = type <= TNN__NTH(TNN_CUSTOM) ? tnn__rules[type].name
                                                      : "an unknown optimizer";
    if (type == own) return TNN_OK;
    return tnn__fail(TNN_ERROR_FORMAT, "%s: is of a network with %s, this one has %s; make it with "
                     "the same, or load the weights alone, with tnn_load_weights", path,
                     *stored ? stored : "no optimizer", own ? tnn__rules[own].name : "none");
}
/* What a piece is, for messages; its name begins with "tinynn.". */
static const char *tnn__piece_is(const char *name)
{
    return strncmp(name + 7, "state.", 6) ? ""
         : name[13] == '6' ? ", averaged weights (.ema, .swa_start)"
         : name[13] == '7' ? ", slow weights (.lookahead)"
         : name[13] == '8' ? ", gradients so far (.accumulate)"
                           : ", the optimizer's state (.momentum, .amsgrad and their like)";
}
/* Whether the file has the pieces, and nothing else of that kind; numbers may be fewer. */
static tnn_status tnn__check_pieces(const char *path, const tnn_safetensors *f,
                                    const tnn__piece *piece, int pieces)
{
    int i, k;
    for (i = 0; i < pieces; i++) {
        const tnn_stored *t = tnn__stored_named(f, piece[i].name);
        const int numbers = !strcmp(piece[i].name, "tinynn.numbers");
        if (!t && numbers) continue;
        if (!t || t->dtype != piece[i].dtype || t->ndim != 1
            || (numbers ? t->count > piece[i].count : t->count != piece[i].count))
            return tnn__fail(TNN_ERROR_FORMAT, "%s: has %l of %s%s, this network %l", path,
                             t ? t->count : 0, piece[i].name, !t ? tnn__piece_is(piece[i].name)
                             : numbers ? "" : ", of other layers", (long long)piece[i].count);
    }
    for (k = 0; k < f->count; k++) {
        const char *name = f->tensor[k].name;
        if (strncmp(name, "tinynn.", 7)) continue;
        for (i = 0; i < pieces && strcmp(name, piece[i].name); i++) {}
        if (i == pieces)
            return tnn__fail(TNN_ERROR_FORMAT, "%s: has %s of %l%s, for which this network has no "
                             "place", path, name, f->tensor[k].count, tnn__piece_is(name));
    }
    return TNN_OK;
}
TNN_API_GATED tnn_status tnn_parse_checkpoint(tnn_net *net, const void *bytes, size_t size,
                                              const tnn_checkpoint_options *options)
{
    long long whole[TNN__WHOLE], now[TNN__WHOLE];
    double reals[TNN__REALS];
    tnn__piece piece[TNN__PIECES];
    const tnn_checkpoint_options *o = options ? options : &tnn__plain_checkpoint;
    const char *path = o->path ? o->path : "checkpoint";
    const unsigned char *p = (const unsigned char *)bytes;
    const tnn_stored *hash;
    tnn_safetensors f;
    int pieces, i;
    tnn_status e = tnn__checkpoint_begin("tnn_load_checkpoint", net, o, 0);
    if (e) return e;
    f = tnn__safetensors(path, p, size);
    if (!f.tensor) return (tnn_status)tnn_failed();
    hash = tnn__stored_named(&f, "tinynn.hash");
    if (!hash || hash != &f.tensor[f.count - 1] || hash->dtype != TNN_U64 || hash->count != 1)
        e = tnn__fail(TNN_ERROR_FORMAT, "%s: is no checkpoint: does not end with tinynn.hash",
                      path);
    else if (tnn__fnv(TNN__FNV, p, size - 8) != tnn__bits(p + size - 8, 8, 0))
        e = tnn__fail(TNN_ERROR_FORMAT, "%s: is damaged: not what its tinynn.hash says; "
                      "take an older copy", path);
    pieces = tnn__pieces(net, piece, whole, reals, o->numbers, o->count);
    if (!e) e = tnn__check_rule(path, &f, net);
    if (!e) e = tnn__check_pieces(path, &f, piece, pieces);
    if (!e) {
        tnn__counters(net, o->loader, now, reals, 0);
        for (i = 0; i < pieces; i++)
            if (piece[i].data == whole || piece[i].data == reals) tnn__take_piece(&f, &piece[i]);
        for (i = 0; !e && i < TNN__SAME; i++)
            if (whole[i] != now[i])
                e = tnn__fail(TNN_ERROR_FORMAT, "%s: %s: %l in the file, %l here", path,
                              tnn__same[i], whole[i], now[i]);
    }
    if (!e) e = tnn__check_counters(net, o->loader, path, whole, reals);
    if (!e && tnn__load_weights(net, NULL, path, &f) < 0) e = (tnn_status)tnn_failed();
    if (!e) {
        for (i = 0; i < o->count; i++) o->numbers[i] = 0;
        for (i = 0; i < pieces; i++)
            if (piece[i].data && tnn__stored_named(&f, piece[i].name))
                tnn__take_piece(&f, &piece[i]);
        tnn__counters(net, o->loader, whole, reals, 1);
    }
    tnn_safetensors_free(&f);
    return e;
}
#ifndef TINYNN_NO_STDIO
TNN_API_GATED tnn_status tnn_save_checkpoint_with(tnn_net *net,
                                                  const tnn_checkpoint_options *options)
{
    tnn__writer w;
    tnn_status e = tnn__checkpoint_begin("tnn_save_checkpoint", net, options, 1);
    if (!e) e = tnn__write_start(&w, options->path);
    if (e) return e;
    tnn__write_checkpoint(&w, net, options);
    return tnn__write_end(&w);
}
TNN_API_GATED tnn_status tnn_load_checkpoint_with(tnn_net *net,
                                                  const tnn_checkpoint_options *options)
{
    size_t size = 0;
    unsigned char *p = tnn__read_file(options ? options->path : NULL, &size,
                                      options && options->optional);
    const tnn_status e = p ? tnn_parse_checkpoint(net, p, size, options)
                           : (tnn_status)tnn_failed();
    tnn__release(p);
    return e;
}
#endif

/* ==== 16. HYPER-PARAMETER SEARCH ===============================================================
   A study is what its journal says. Whatever happens to a trial becomes a line of text, and
   tnn__study_line reads it: one's own, another process's or last week's alike. In memory the same
   lines are read without being written.
     16a, 16b  the normal distribution; the space, and what a study holds
     16c, 16d  TPE as it is defined; a quick way to the same choices
     16e, 16f  what trial k tries; when a trial is stopped
     16g, 16h  the journal; the functions of the API
   All is plain double arithmetic with exp and log of section 2, so a study is the same everywhere.
   Its results do not depend on the order in which things were computed: trial k is a function of
   the seed, k and the trials that ended.
   WORDS  A variable's axis is its values on a line. A kernel is one trial's hump of a density on
   it, a mix the sum of many. The good trials are the best tenth, the rest are the others. */

#ifndef TINYNN_NO_SEARCH
/* ---- 16a. The normal distribution -------------------------------------------------------------
   phi(x) = exp(-x^2/2)/sqrt(2 pi), and its upper tail Q(x) = integral of phi from x on, as
   Q = phi M with Mills' ratio M. Each exists twice: exactly, to 5e-15 of it however far out, and
   quickly, to about 1e-10. */
#define TNN__LOG_SQRT_2PI 0.91893853320467274
#define TNN__SQRT_2PI     2.5066282746310005
/* M(x) for x >= 0.
       M(x) = sqrt(pi/2) exp(x^2/2) - (x + x^3/3 + x^5/(3 5) + ...)           Marsaglia 2004
       M(x) = 1/(x + 1/(x + 2/(x + 3/(x + ...))))                             Laplace
   k terms of the second leave about exp(-2 x sqrt(k)) of it. */
static double tnn__mills(double x)
{
    double term = x, sum = x;           /* of the first series; sum: also the fraction's */
    int k;
    if (x < 2) {                        /* here the series ends soon, there the fraction */
        for (k = 3; term > 1e-17*sum; k += 2) sum += term *= x*x/k;
        return 1.2533141373155003*tnn__exp_double(x*x/2) - sum;
    }
    for (k = 10 + (int)(375/(x*x)); k > 0; k--) sum = x + k/sum;
    return 1/sum;
}
/* Q(x) for x >= 0. */
static double tnn__tail(double x)
{
    return tnn__mills(x)*tnn__exp_double(-x*x/2 - TNN__LOG_SQRT_2PI);
}
/* The log of the integral of phi from a to b, a <= b. */
static double tnn__log_mass(double a, double b)
{
    const double x = a < 0 ? -b : a, y = a < 0 ? -a : b;
    if (a < -9 && b > 9) return 0;      /* all of it, to the last bit */
    if (a < 0 && b > 0) return tnn__log_double(1 - tnn__tail(-a) - tnn__tail(b));
    return tnn__log_double(tnn__mills(x) - tnn__mills(y)*tnn__exp_double((x - y)*(x + y)/2))
           - x*x/2 - TNN__LOG_SQRT_2PI;
}
/* exp(x) for x <= 0: 2^k e^r with |r| <= log(2)/2. */
static double tnn__quick_exp(double x)
{
    const int k = x > -700 && x < 700 ? (int)(x*1.4426950408889634 - 0.5) : -1023;
    const double r = x - k*0.6931471805599453;
    if (k == -1023) return 0;           /* what a density does not feel */
    return tnn__two(k)*(1 + r*(1 + r*(1/2.0 + r*(1/6.0 + r*(1/24.0 + r*(1/120.0 + r*(1/720.0
                        + r*(1/5040.0 + r*(1/40320.0 + r*(1/362880.0 + r/3628800))))))))));
}
/* M(x) for x >= 0: a polynomial in (x - 4)/(x + 4) was fitted to (x + 5/4) M(x). */
static double tnn__quick_mills(double x)
{
    static const double c[] = {
        1.242425010256, -0.349180606597, 0.1130350243276, 0.02675450297529, -0.06136644741188,
        0.0396377771057, -0.0122204158956, -0.0003170323880591, 0.001622296853052,
        -0.0002616547860443, -0.0001977119439938, 5.117735980198e-05, 2.613498037052e-05,
        -5.499550912447e-06, -2.555331628074e-06 };
    const double t = (x - 4)/(x + 4);
    double sum = c[14];
    int i;
    for (i = 13; i >= 0; i--) sum = sum*t + c[i];
    return sum/(x + 1.25);
}
/* Q(x) for x >= 0. */
static double tnn__quick_tail(double x)
{
    return tnn__quick_mills(x)*tnn__quick_exp(-x*x/2)/TNN__SQRT_2PI;
}
/* The integral of exp(-t^2/2) from z - h to z + h; for h = 0 exp(-z^2/2) itself. A small h takes
   the series in h, whose factors are Hermite's polynomials of z. */
static double tnn__quick_cell(double z, double h)
{
    const double zz = z*z, hh = h*h;
    if (fabs(z) > 14 + h) return 0;     /* 1e-43 of the middle */
    if (h*(1 + fabs(z)) < 0.06)
        return tnn__quick_exp(-zz/2)*(!(h > 0) ? 1 : 2*h*(1 + hh*(zz - 1)/6
                                      + hh*hh*(zz*zz - 6*zz + 3)/120));
    z = fabs(z);
    return TNN__SQRT_2PI*((z < h ? 1 - tnn__quick_tail(h - z) : tnn__quick_tail(z - h))
                          - tnn__quick_tail(z + h));
}
/* The x in [a, b], a <= 0 <= b, below which the share u of phi's integral over [a, b] lies. It is
   sought in the smaller tail, of mass p: Q(t) = p.
     exactly   Newton's method on log Q(t) = log p, whose derivative is -1/M(t). log Q is concave
               and Q(t) <= exp(-t^2/2)/2: from t = sqrt(-2 log(2 p)) it comes down to the root
               without passing it.
     quickly   from Hastings' start (Abramowitz and Stegun 26.2.23) one step of three terms. */
static double tnn__truncated_normal(double a, double b, double u, int quick)
{
    double (*const tail)(double) = quick ? tnn__quick_tail : tnn__tail;
    const double below = tail(TNN__MAX(-a, 0)), above = tail(TNN__MAX(b, 0));
    const double mass = 1 - below - above, p = below + u*mass, q = above + (1 - u)*mass;
    const double least = TNN__MIN(p, q), goal = tnn__log_double(least); /* of the two tails */
    double t, change = 1;               /* t: how far out, whichever side */
    int i;
    if (quick) {
        const double w = sqrt(-2*goal);
        t = w - (2.515517 + w*(0.802853 + w*0.010328))
                /(1 + w*(1.432788 + w*(0.189269 + w*0.001308)));
        change = tnn__quick_mills(t) - least*TNN__SQRT_2PI/tnn__quick_exp(-t*t/2);
        t += change*(1 + change*(t/2 + change*(2*t*t + 1)/6));
    } else {
        t = sqrt(TNN__MAX(-2*(goal + 0.6931471805599453), 0));
        for (i = 0; i < 50 && fabs(change) > 1e-9; i++) {   /* what is left is its square */
            const double m = tnn__mills(t);
            change = (tnn__log_double(m) - t*t/2 - TNN__LOG_SQRT_2PI - goal)*m;
            t = TNN__MAX(t + change, 0);
        }
    }
    t = p < q ? -t : t;
    return TNN__MIN(TNN__MAX(t, a), b);
}

/* ---- 16b. The space, and what a study holds ---------------------------------------------------
   x in the user's terms: 0.01, 32, choice 2. y on the axis, where distances mean something.
   A variable's axis goes from `from` to `to`: of x, of log x, or of the number of a choice. Where x
   has a step the axis is half of it longer at either end, so that each value has its cell. */
typedef struct { double mu, sigma, weight, factor; } tnn__kernel;   /* factor: tnn__quick_factor */
typedef struct { tnn__kernel *kernels; int n; } tnn__mix;           /* the prior is the last */
typedef struct {                /* where kernel i, or that of trial i, is: sorted by mu, then i */
    double mu, factor;          /* factor: with the least deviation */
    int    i;
} tnn__spot;
typedef struct {
    tnn_variable of;            /* with defaults; categorical: 0 to choices - 1 by 1 */
    double       from, to;
    tnn__mix     good;          /* of the good trials */
    tnn__spot   *spots;         /* of all trials that ended, n of them */
    int          n;
} tnn__axis;
struct tnn_study {
    tnn_study_options options;  /* with defaults */
    float      *memory;         /* of the trials and all that grows with them */
    tnn__axis  *space;
    tnn_trial  *trials, *current;       /* current: asked, not yet told */
    tnn__mix    rest;           /* of one variable after the other */
    tnn__spot  *spots;          /* scratch */
    double     *terms, *candidates, *scores, *weights;     /* weights: the rest's, by trial */
    int         best[26], bests;        /* the best that ended, the best first */
    int         good[25], goods;        /* the first of these, by number */
    int        *order, others;          /* the rest, by number */
    int         fresh[64], freshes;     /* ended since the last draw */
    int         ended, stale;           /* how many; stale: all of them are to be sorted anew */
    const char *columns;        /* the journal's second line */
    int         header;         /* the journal has it */
    long long   offset;         /* so many bytes of the journal, whole lines, were read */
    int         next;           /* the trial of this shard before which none waits */
    char        line[2000], head[8000], input[8000];    /* written; the first two; read */
};

/* x on its axis. */
static double tnn__on_line(const tnn__axis *axis, double x)
{
    return axis->of.log ? tnn__log_double(x) : x;
}
/* The x nearest to y on the axis, on a step where there are steps. */
static double tnn__from_line(const tnn__axis *axis, double y)
{
    const double low = axis->of.low, step = axis->of.step;
    double x = axis->of.log ? tnn__exp_double(y) : y; /* rounding may leave the range */
    if (step > 0) x = low + step*(double)(long long)TNN__MAX((x - low)/step + 0.5, 0);
    return TNN__MIN(TNN__MAX(x, low), axis->of.high);
}
/* Two numbers in (0, 1) with all 53 bits, a function of the seed and the three: no order of calls
   changes them, and a candidate can be drawn again. */
static void tnn__uniforms(const tnn_study *study, int trial, int variable, int candidate,
                          double u[2])
{
    uint32_t r[4];
    size_t i;
    tnn__philox(study->options.seed, (uint64_t)trial,
                (uint64_t)variable << 16 | (uint64_t)candidate, r);
    for (i = 0; i < 2; i++)
        u[i] = ((r[2*i] >> 5)*67108864.0 + (r[2*i + 1] >> 6) + 0.5)/9007199254740992.0;
}
/* Whether the sampler looks at a trial: failed ones tell it nothing. */
static int tnn__ended(const tnn_trial *trial)
{
    return trial->state == TNN_DONE || trial->state == TNN_PRUNED;
}

/* ---- 16c. TPE ---------------------------------------------------------------------------------
   Optuna 3's sampler, univariate. The trials that ended, n of them, are ordered: those done by
   value, then those pruned by the last step they reached, then by the value reported there. The
   first min(ceil(n/10), 25) are good. A density is a mix of one kernel per trial and the prior,
   with weights 1 (the oldest of more than 25 a ramp from 1/n on), the prior's .prior_weight:
     number        a normal distribution around x, cut off at the ends of the axis. Deviation: the
                   larger distance to a neighbour, the prior's middle being one of them; that of
                   the first and last, to their only one; at most the range, at least
                   range/min(100, kernels + 1). Prior: middle and range of the axis. With a step,
                   but not in log, the mass of a value's cell in place of the density
     categorical   (1 [c = x] + w)/(1 + w choices), w = prior_weight/kernels; prior: uniform */

/* Whether trial a is better than b; of equal ones the first is. */
static int tnn__before(const tnn_study *study, const tnn_trial *a, const tnn_trial *b)
{
    double key[2][2];                   /* of a and b: done first, then by value */
    int i;
    for (i = 0; i < 2; i++) {
        const tnn_trial *trial = i ? b : a;
        const tnn_trial_report *last = trial->count ? &trial->reports[trial->count - 1] : NULL;
        const int done = trial->state == TNN_DONE; /* else pruned: what it last reported */
        const double v = done ? trial->value : last ? last->value : 0;
        key[i][0] = done ? -1e10 : last ? -last->step : 1;
        key[i][1] = v != v ? HUGE_VAL : study->options.maximize ? -v : v;
    }
    for (i = 0; i < 2; i++)
        if (key[0][i] < key[1][i] || key[0][i] > key[1][i]) return key[0][i] < key[1][i];
    return a->number < b->number;
}
/* For qsort: by place, of equal ones by number. */
static int tnn__by_spot(const void *a, const void *b)
{
    const tnn__spot *x = (const tnn__spot *)a, *y = (const tnn__spot *)b;
    return x->mu < y->mu ? -1 : x->mu > y->mu ? 1 : x->i - y->i;
}
/* The weight of the i-th of n kernels: of more than 25 the oldest are on a ramp. */
static double tnn__parzen_weight(int i, int n)
{
    return i >= n - 25 ? 1 : i ? 1.0/n + (1 - 1.0/n)*i/(n - 26) : 1.0/n;
}
/* The deviation of the kernel at place q of spots[0..n], the prior among them. */
static double tnn__parzen_sigma(const tnn_study *study, const tnn__axis *axis,
                                const tnn__spot *spots, int q, int n, double least)
{
    const double mu = spots[q].mu;
    const int ends = study->options.endpoints; /* the axis' ends are neighbours, too */
    const double down = q ? mu - TNN__MAX(axis->from, spots[q - 1].mu) : ends ? mu - axis->from : 0;
    const double up = q < n ? TNN__MIN(axis->to, spots[q + 1].mu) - mu : ends ? axis->to - mu : 0;
    return TNN__MIN(TNN__MAX(TNN__MAX(down, up), least), axis->to - axis->from);
}
/* Whether the axis has a density, not masses of cells: a step in log is not looked at. */
static int tnn__has_density(const tnn__axis *axis)
{
    return axis->of.log || !(axis->of.step > 0);
}
/* What a kernel's sum is multiplied by, but its weight: 1/the mass on the axis, for a density also
   /sigma. Quickly. */
static double tnn__quick_factor(const tnn__axis *axis, double mu, double sigma)
{
    const double mass = 1 - tnn__quick_tail((mu - axis->from)/sigma)
                          - tnn__quick_tail((axis->to - mu)/sigma);
    return 1/(tnn__has_density(axis) ? mass*sigma : mass);
}
/* Fits a variable's mix to the n trials of these numbers, which rise: kernel i is trials[i], the
   prior kernel n. Deviations need the kernels' order on the axis, for which study->spots is
   scratch. Weights sum to 1. */
static void tnn__parzen_fit(const tnn_study *study, int variable, const int *trials, int n,
                            tnn__mix *mix)
{
    const tnn__axis *axis = &study->space[variable];
    const double range = axis->to - axis->from;
    const double least = study->options.no_magic_clip ? 1e-12 : range/TNN__MIN(100.0, n + 2.0);
    tnn__kernel *kernels = mix->kernels;
    tnn__spot *spots = study->spots;
    double total = study->options.prior_weight; /* of all weights */
    int i;
    mix->n = n + 1;
    for (i = 0; i < n; i++) total += kernels[i].weight = tnn__parzen_weight(i, n);
    kernels[n].weight = study->options.prior_weight;
    for (i = 0; i <= n; i++) {
        kernels[i].weight /= total;
        kernels[i].mu = i < n ? tnn__on_line(axis, study->trials[trials[i]].x[variable])
                              : 0.5*(axis->from + axis->to);
        spots[i].mu = kernels[i].mu;
        spots[i].i = i;
    }
    if (axis->of.type == TNN_CATEGORICAL) return;
    qsort(spots, (size_t)n + 1, sizeof *spots, tnn__by_spot);
    for (i = 0; i <= n; i++) {
        tnn__kernel *kernel = &kernels[spots[i].i];
        kernel->sigma = spots[i].i < n ? tnn__parzen_sigma(study, axis, spots, i, n, least) : range;
        kernel->factor = kernel->weight*tnn__quick_factor(axis, kernel->mu, kernel->sigma);
    }
}
/* Adds trial k to the spots of each axis, which stay sorted. Their quick factors are those of the
   least deviation, which nearly all have. */
static void tnn__add_spots(tnn_study *study, int k)
{
    int v, i;
    for (v = 0; v < study->options.count; v++) {
        tnn__axis *axis = &study->space[v];
        tnn__spot spot;                 /* of trial k on this axis */
        spot.mu = tnn__on_line(axis, study->trials[k].x[v]);
        spot.factor = tnn__quick_factor(axis, spot.mu, (axis->to - axis->from)/100);
        spot.i = k;
        for (i = axis->n++; i > 0 && tnn__by_spot(&axis->spots[i - 1], &spot) > 0; i--)
            axis->spots[i] = axis->spots[i - 1];
        axis->spots[i] = spot;
    }
}
/* Sorts the trials that ended since the last draw; returns how many ended in all. Where the good
   ones change they are fitted, and the rest, by number, is listed anew. */
static int tnn__split_trials(tnn_study *study)
{
    const int all = study->stale, trials = study->options.trials; /* all: from nothing */
    const int n = all ? trials : study->freshes; /* to be looked at */
    int *best = study->best, good[25], i, j, k, below, anew = all;
    if (all) study->ended = study->others = study->bests = 0;
    for (i = 0; i < study->options.count && all; i++) study->space[i].n = 0;
    /* Each that ended is inserted among the best 26, which suffice as at most 25 are good, and in
       the spots. It joins the rest until it turns out to be good. */
    for (j = 0; j < n; j++) {
        k = all ? j : study->fresh[j];
        if (!tnn__ended(&study->trials[k])) continue;
        for (i = study->bests; i > 0 && tnn__before(study, &study->trials[k],
                                                    &study->trials[best[i - 1]]); i--)
            if (i < 26) best[i] = best[i - 1];
        if (i < 26) best[i] = k;
        study->bests = TNN__MIN(study->bests + 1, 26);
        study->ended++;
        anew |= study->others && study->order[study->others - 1] > k;
        study->order[study->others++] = k;
        tnn__add_spots(study, k);
    }
    study->freshes = study->stale = 0;
    below = TNN__MIN((study->ended + 9)/10, 25);
    for (i = 0; i < below; i++) {               /* the good, by number */
        for (j = i; j > 0 && good[j - 1] > best[i]; j--) good[j] = good[j - 1];
        good[j] = best[i];
    }
    /* Mostly the good ones are the same, and the rest has grown at its end. */
    if (anew || below != study->goods || memcmp(good, study->good, (size_t)below*sizeof *good)) {
        memcpy(study->good, good, (size_t)below*sizeof *good);
        study->goods = below;
        for (k = 0; k < study->options.count; k++)
            tnn__parzen_fit(study, k, good, below, &study->space[k].good);
        for (i = k = study->others = 0; k < trials; k++) {
            study->weights[k] = 0;
            if (i < below && good[i] == k) i++;
            else if (tnn__ended(&study->trials[k])) study->order[study->others++] = k;
        }
    }
    for (i = 0; i < study->others; i++)
        study->weights[study->order[i]] = tnn__parzen_weight(i, study->others);
    return study->ended;
}
/* The log of the exact factor of a kernel: of the weight, the mass on the axis and, for a density,
   sqrt(2 pi) sigma. */
static double tnn__parzen_factor(const tnn__axis *axis, const tnn__kernel *kernel)
{
    const double mu = kernel->mu, sigma = kernel->sigma;
    double f = tnn__log_double(kernel->weight)
             - tnn__log_mass((axis->from - mu)/sigma, (axis->to - mu)/sigma);
    if (tnn__has_density(axis)) f -= TNN__LOG_SQRT_2PI + tnn__log_double(sigma);
    return f;
}
/* The probability of choice c under kernel k of a categorical variable. */
static double tnn__parzen_choice(const tnn_study *study, const tnn__axis *axis,
                                 const tnn__mix *mix, int k, int c)
{
    const double choices = axis->of.high + 1, w = study->options.prior_weight/mix->n;
    return k == mix->n - 1 ? 1/choices : ((c == (int)mix->kernels[k].mu) + w)/(1 + w*choices);
}
/* The log of a mix's density at x, exactly: log sum exp, from the largest term, which no deviation
   makes too small. With a step the mass of x's cell is in place of the density. */
static double tnn__parzen_log(const tnn_study *study, int variable, const tnn__mix *mix, double x)
{
    const tnn__axis *axis = &study->space[variable];
    const double y = tnn__on_line(axis, x), half = axis->of.log ? 0 : axis->of.step/2;
    double *terms = study->terms, sum = 0, most = -HUGE_VAL; /* logs of the terms, the largest */
    int k;
    if (axis->of.type == TNN_CATEGORICAL) {
        for (k = 0; k < mix->n; k++)
            sum += mix->kernels[k].weight*tnn__parzen_choice(study, axis, mix, k, (int)x);
        return tnn__log_double(sum);
    }
    for (k = 0; k < mix->n; k++) {
        const tnn__kernel *kernel = &mix->kernels[k];
        const double z = (y - kernel->mu)/kernel->sigma, h = half/kernel->sigma;
        const double gap = TNN__MAX(fabs(z) - h, 0), factor = tnn__parzen_factor(axis, kernel);
        terms[k] = factor - gap*gap/2;          /* or at most that, with a step */
        if (h > 0 && terms[k] > most - 40) terms[k] = factor + tnn__log_mass(z - h, z + h);
        most = TNN__MAX(most, terms[k]);
    }
    for (k = 0; k < mix->n; k++)        /* below e^-40 of the largest one is not seen in the sum */
        if (terms[k] > most - 40) sum += tnn__exp_double(terms[k] - most);
    return most + tnn__log_double(sum);
}
/* A number from the good trials' mix: u[0] picks the kernel, u[1] the place in it. Quickly it is as
   near as 1e-8 of the kernel's deviation, in the same step. */
static double tnn__parzen_draw(const tnn_study *study, int variable, const double u[2], int quick)
{
    const tnn__axis *axis = &study->space[variable];
    const tnn__mix *mix = &axis->good;
    const tnn__kernel *kernel = mix->kernels;
    double sum = kernel->weight, a, b, y, most;
    int k = 0, c;
    /* The kernel whose part of [0, 1) u[0] lies in. */
    for (; k < mix->n - 1 && u[0] >= sum; k++) sum += (++kernel)->weight;
    if (axis->of.type == TNN_CATEGORICAL) {
        sum = tnn__parzen_choice(study, axis, mix, k, 0);
        for (c = 0; c < (int)axis->of.high && u[1] >= sum; )
            sum += tnn__parzen_choice(study, axis, mix, k, ++c);
        return c;
    }
    a = (axis->from - kernel->mu)/kernel->sigma; /* the axis, as the kernel sees it */
    b = (axis->to - kernel->mu)/kernel->sigma;
    y = kernel->mu + kernel->sigma*tnn__truncated_normal(a, b, u[1], quick);
    most = 1e-8*kernel->sigma;          /* does a step change within it? */
    if (quick && axis->of.step > 0
        && tnn__from_line(axis, y - most) < tnn__from_line(axis, y + most))
        return tnn__parzen_draw(study, variable, u, 0);
    return tnn__from_line(axis, y);
}

/* ---- 16d. Quickly -----------------------------------------------------------------------------
   Candidates are compared by quick sums, after quick draws. Those within 1e-6 of the best are drawn
   exactly; if then others are within 1e-8, the definition's sums decide. So the choice is that of
   the definition, bit for bit.
   Of many trials nearly all kernels of the rest have the least deviation h, a hundredth of the
   axis. A candidate only meets those within 9.2 h, whose spots are kept sorted; the wider ones and
   the prior make the mix. */
enum { TNN__MANY = 100 };       /* trials of the rest, from which on h is that */

/* One kernel more, of which only the quick factor is known, its weight within it. */
static void tnn__mix_add(tnn__mix *mix, double mu, double sigma, double factor)
{
    tnn__kernel *kernel = &mix->kernels[mix->n++];
    kernel->mu = mu;
    kernel->sigma = sigma;
    kernel->factor = factor;
}
/* Gathers the rest of many trials in study->spots, with the prior among them, and the wider ones of
   them in study->rest. Returns how many spots there are. */
static int tnn__fit_many(tnn_study *study, int variable)
{
    const tnn__axis *axis = &study->space[variable];
    const double middle = 0.5*(axis->from + axis->to), range = axis->to - axis->from;
    tnn__spot *spots = study->spots;
    int i, n = 0;
    for (i = 0; i < axis->n; i++) {
        spots[n] = axis->spots[i];
        spots[n].factor *= study->weights[spots[n].i];
        n += study->weights[spots[n].i] > 0;
    }
    /* The prior is a neighbour like others, but has a kernel of its own in the mix. */
    for (i = n; i > 0 && spots[i - 1].mu > middle; i--) spots[i] = spots[i - 1];
    spots[i].mu = middle;
    spots[i].factor = 0;
    spots[i].i = -1;
    study->rest.n = 0;
    for (i = 0; i <= n; i++) {
        const double mu = spots[i].mu;
        const double sigma = tnn__parzen_sigma(study, axis, spots, i, n, range/100);
        if (spots[i].i < 0 || !(sigma > range/100)) continue;
        spots[i].factor = 0;
        tnn__mix_add(&study->rest, mu, sigma, study->weights[spots[i].i]
                                              *tnn__quick_factor(axis, mu, sigma));
    }
    tnn__mix_add(&study->rest, middle, range, study->options.prior_weight
                                              *tnn__quick_factor(axis, middle, range));
    return n + 1;
}
/* Fits study->rest to a variable; returns how many of study->spots belong to it. */
static int tnn__fit_rest(tnn_study *study, int variable)
{
    const tnn_study_options *options = &study->options;
    if (study->others >= TNN__MANY && !options->no_magic_clip && options->prior_weight >= 0.01
        && study->space[variable].of.type != TNN_CATEGORICAL) return tnn__fit_many(study, variable);
    tnn__parzen_fit(study, variable, study->order, study->others, &study->rest);
    return 0;
}
/* A mix's density at x, and that of n spots with it, but for a factor that all x have. */
static double tnn__quick_density(const tnn_study *study, int variable, const tnn__mix *mix, int n,
                                 double x)
{
    const tnn__axis *axis = &study->space[variable];
    const tnn__spot *spots = study->spots;
    const double y = tnn__on_line(axis, x), half = axis->of.log ? 0 : axis->of.step/2;
    const double h = (axis->to - axis->from)/100, reach = 9.2*h + half;
    double sum = 0, cell = 0, last = -HUGE_VAL; /* cell: of the last mu; equal ones share it */
    int k, to = n;
    if (axis->of.type == TNN_CATEGORICAL) {
        for (k = 0; k < mix->n; k++)
            sum += mix->kernels[k].weight*tnn__parzen_choice(study, axis, mix, k, (int)x);
        return sum;
    }
    for (k = 0; k < mix->n; k++) {
        const tnn__kernel *kernel = &mix->kernels[k];
        sum += kernel->factor*tnn__quick_cell((y - kernel->mu)/kernel->sigma,
                                              half > 0 ? half/kernel->sigma : 0);
    }
    for (k = 0; k < to; ) {             /* the first within reach */
        const int middle = k + (to - k)/2;
        if (spots[middle].mu < y - reach) k = middle + 1; else to = middle;
    }
    for (; k < n && spots[k].mu <= y + reach; k++) {
        if (spots[k].mu > last) cell = tnn__quick_cell((y - spots[k].mu)/h, half/h);
        last = spots[k].mu;
        sum += spots[k].factor*cell;
    }
    return sum;
}
/* Of a variable's candidates x[0..n) the one with the largest log l - log g; the first of equal
   ones. Those of trial k were drawn quickly: those near the best are drawn again, exactly, into x.
   With k = -1 they stay what they are. */
static int tnn__tpe_choose(tnn_study *study, int variable, double *x, int n, int k)
{
    const tnn__mix *good = &study->space[variable].good, *rest = &study->rest;
    const int spots = tnn__fit_rest(study, variable);
    const int steps = study->space[variable].of.step > 0;
    double *scores = study->scores, most, score, u[2];
    int i, j, turn, best = 0, left = 0; /* left: candidates not yet out of it */
    for (i = 0; i < n; i++) {           /* -1: out of it, here as the same as an earlier one */
        for (j = 0; j < i && (!steps || x[j] < x[i] || x[j] > x[i]); ) j++;
        scores[i] = j < i ? -1 : 0;
    }
    /* Two turns: what was drawn quickly is told apart to 1e-6, what is drawn exactly to 1e-8. */
    for (turn = 0; turn < 2; turn++) {
        for (i = 0, most = 0; i < n; i++) {
            if (scores[i] < 0) continue;
            if (turn && k >= 0) {
                tnn__uniforms(study, k, variable, i, u);
                x[i] = tnn__parzen_draw(study, variable, u, 0);
            }
            if (study->options.prior_weight < 1e-25) continue;  /* g may be under its quick error */
            scores[i] = tnn__quick_density(study, variable, good, 0, x[i])
                      / tnn__quick_density(study, variable, rest, spots, x[i]);
            most = TNN__MAX(most, scores[i]);
        }
        most *= 1 - (turn ? 1e-8 : 1e-6);
        for (i = n - 1, left = 0; i >= 0; i--) {
            if (scores[i] < most) scores[i] = -1;
            if (scores[i] < 0) continue;
            best = i;
            left++;
        }
    }
    if (left <= 1) return best;
    /* As near as that: the definition decides. */
    if (spots) tnn__parzen_fit(study, variable, study->order, study->others, &study->rest);
    for (i = best, most = -HUGE_VAL; i < n; i++) {
        if (scores[i] < 0) continue;
        score = tnn__parzen_log(study, variable, good, x[i])
              - tnn__parzen_log(study, variable, rest, x[i]);
        if (score > most) { most = score; best = i; }
    }
    return best;
}

/* ---- 16e. What trial k tries ------------------------------------------------------------------
   Nothing here depends on what was drawn before, but through the trials that ended. Each variable
   is drawn by itself, from its candidates' uniforms; the grid counts through all combinations. */

/* The value of one variable for trial k, after so many trials that ended: at random at first and
   for TNN_RANDOM, else the best of TPE's candidates. */
static double tnn__suggest(tnn_study *study, int k, int variable, int ended)
{
    const tnn__axis *axis = &study->space[variable];
    const tnn_study_options *options = &study->options;
    double u[2];                        /* for the kernel, and the place in it */
    int i;
    if (!(axis->to > axis->from)) return axis->of.low;
    if (options->sampler == TNN_RANDOM || ended < options->startup) {
        tnn__uniforms(study, k, variable, 0, u);
        return tnn__from_line(axis, axis->from + (axis->to - axis->from)*u[0]);
    }
    for (i = 0; i < options->candidates; i++) {
        tnn__uniforms(study, k, variable, i, u);
        study->candidates[i] = tnn__parzen_draw(study, variable, u, !options->no_magic_clip);
    }
    return study->candidates[tnn__tpe_choose(study, variable, study->candidates,
                                             options->candidates, k)];
}
/* How many values the grid has on an axis: all steps, or .points. */
static int tnn__grid_points(const tnn__axis *axis)
{
    const tnn_variable *v = &axis->of;
    return v->step > 0 ? (int)TNN__MIN((v->high - v->low)/v->step + 1.5, 1e9) : v->points;
}
/* The i-th of them, evenly on the axis; the last one is .high to the bit. */
static double tnn__grid_value(const tnn__axis *axis, int i)
{
    const int last = axis->of.points - 1;
    if (axis->of.step > 0) return axis->of.low + i*axis->of.step;
    return i == last ? axis->of.high
                     : tnn__from_line(axis, axis->from + (axis->to - axis->from)*i/last);
}
/* Fills trial->x. The grid's number is written in digits of mixed radix, of which the last variable
   has the fastest. */
static void tnn__draw_all(tnn_study *study, tnn_trial *trial)
{
    const int grid = study->options.sampler == TNN_GRID;
    const int ended = grid ? 0 : tnn__split_trials(study);
    int v, rest = trial->number;
    for (v = study->options.count - 1; v >= 0; v--)
        if (grid) {
            const int points = tnn__grid_points(&study->space[v]);
            trial->x[v] = tnn__grid_value(&study->space[v], rest%points);
            rest /= points;
        } else trial->x[v] = tnn__suggest(study, trial->number, v, ended);
}

/* ---- 16f. Pruners -----------------------------------------------------------------------------
   Both look at the reports of all trials, and at one more of a trial that is not yet among them.
   Optuna 3's MedianPruner and SuccessiveHalvingPruner are what they mean. */

/* Whether a is worse than b, by what the study seeks; not if one of them is NaN. */
static int tnn__worse(const tnn_study *study, double a, double b)
{
    return study->options.maximize ? a < b : a > b;
}
/* The value that a trial reported at a step, NaN if it did not. */
static double tnn__reported(const tnn_trial *trial, int step)
{
    int i = TNN__MIN(step, trial->count - 1);   /* steps rise from 0 at least: it is not behind */
    while (i >= 0 && trial->reports[i].step > step) i--;
    return i >= 0 && trial->reports[i].step == step ? trial->reports[i].value : TNN__NAN;
}
/* Whether the best of a trial's reports is worse than the median, at this step, of the trials done.
   It is worse than k of their n values. Only where that is half of them, the median is looked at:
   the mean of the values beside it. */
static int tnn__prune_median(const tnn_study *study, const tnn_trial *trial, int step, double value)
{
    const tnn_study_options *options = &study->options;
    const int look = (step - options->warmup)/options->interval*options->interval + options->warmup;
    double best = value, above = TNN__NAN, below = TNN__NAN; /* the values beside the median */
    int i, done = 0, n = 0, k = 0;      /* n reported at the step, k are better */
    if (step < options->warmup || (trial->count && trial->reports[trial->count - 1].step >= look))
        return 0;
    /* The trial's best report so far. */
    for (i = 0; i < trial->count; i++) {
        const double v = trial->reports[i].value;
        if (best != best || tnn__worse(study, best, v)) best = v;
    }
    /* The worst of those that are better, the best of the others. */
    for (i = 0; i < options->trials; i++) {
        const double v = tnn__reported(&study->trials[i], step);
        if (study->trials[i].state != TNN_DONE) continue;
        done++;
        if (v != v) continue;
        n++;
        if (tnn__worse(study, best, v)) {
            if (!k++ || tnn__worse(study, v, below)) below = v;
        } else if (above != above || tnn__worse(study, above, v)) above = v;
    }
    if (!done || done < options->prune_startup) return 0;
    return best != best || (2*k == n ? n && tnn__worse(study, best, 0.5*below + 0.5*above)
                                     : 2*k > n);
}
/* Whether a trial ends on a rung that it comes to with the report. *rung: what it has passed then.
   The value of a trial on a rung is that of its first report with more rungs passed. */
static int tnn__prune_halving(const tnn_study *study, const tnn_trial *trial, int step,
                              double value, int *rung)
{
    const tnn_study_options *options = &study->options;
    double resource = options->min_resource; /* the step of the rung */
    int i, j;
    *rung = trial->count ? trial->reports[trial->count - 1].rung : 0;
    /* Where it is not given, the first trial done says it. */
    for (i = 0; i < options->trials && !(resource > 0); i++) {
        const tnn_trial *first = &study->trials[i];
        if (first->state == TNN_DONE && first->count)
            resource = TNN__MAX(first->reports[first->count - 1].step/100, 1);
    }
    for (i = 0; i < options->min_rate + *rung && resource <= step; i++) resource *= options->factor;
    for (; resource > 0 && step >= resource; resource *= options->factor) {
        int others = 0, better = 0;
        if (value != value) return 1;
        /* How many others have passed this rung, and of them how many with a better value. */
        for (i = 0; i < options->trials; i++) {
            const tnn_trial *other = &study->trials[i];
            for (j = 0; j < other->count && other->reports[j].rung <= *rung; j++) {}
            if (other == trial || j == other->count) continue;
            others++;
            better += tnn__worse(study, value, other->reports[j].value);
        }
        ++*rung;
        if (better > TNN__MAX((others + 1)/options->factor - 1, 0)) return 1;
    }
    return 0;
}

/* ---- 16g. The journal -------------------------------------------------------------------------
   A line: trial, the variables' values, step, value, rung, state, with tabs between them. It is the
   truth: a report or an end is added to the file, read back, and only then known. So a process
   that is killed anywhere leaves a study that can be taken up, and processes that share a file
   agree. offset is where the next line begins; what stands behind is overwritten. */
static const char *const tnn__sampler_names[] = { "tpe", "random", "grid" };
static const char *const tnn__trial_states[] = { "", "step", "done", "pruned", "failed" };

/* The error of a file that is something else, and is left as it is. */
static tnn_status tnn__fail_no_journal(const tnn_study *study)
{
    return tnn__fail(TNN_ERROR_FORMAT, "study: %s is not a journal, whose first line would be "
                     "\"%s\"", study->options.journal, study->head);
}
/* One report more. It takes back those at its step and after: the trial was begun anew. */
static tnn_status tnn__trial_reported(tnn_trial *trial, int step, double value, int rung)
{
    tnn_trial_report *reports = trial->reports;
    if (trial->count == trial->room) {
        const int room = 2*trial->room + 16;
        reports = (tnn_trial_report *)tnn__alloc(room*(tnn__len)sizeof *reports, "study");
        if (!reports) return TNN_ERROR_MEMORY;
        if (trial->count)
            memcpy(reports, trial->reports, (size_t)trial->count*sizeof *reports);
        tnn__release(trial->reports);
        trial->reports = reports;
        trial->room = room;
    }
    while (trial->count && reports[trial->count - 1].step >= step) trial->count--;
    reports[trial->count].step = step;
    reports[trial->count].value = value;
    reports[trial->count++].rung = rung;
    return TNN_OK;
}
/* Reads one line of the journal, without its end. A line that is not one of this study's means
   nothing, but it is an error where it says that the study is another one. */
static tnn_status tnn__study_line(tnn_study *study, const char *line)
{
    static const char first[] = "# tinynn study";
    double field[64 + 4];                       /* trial, variables, step, value, rung */
    const int count = study->options.count, trials = study->options.trials;
    const char *at = line, *journal = study->options.journal;
    const double *x = field + 1, *step = x + count; /* step[1]: the value, step[2]: the rung */
    const int ours = !strncmp(line, first, sizeof first - 1);
    tnn_trial *trial;
    int i, state, ended;
    if (journal && !study->offset && !ours) return tnn__fail_no_journal(study);
    if (ours && strcmp(line, study->head))
        return tnn__fail(TNN_ERROR_FORMAT, "study: %s is the journal of another study: \"%s\", "
                         "this one is \"%s\"", journal, line, study->head);
    if (!strcmp(line, study->columns)) study->header = 1;
    /* Numbers, each with a tab behind it, then the state. */
    for (i = 0; i < count + 4; i++)
        if (!tnn__read_double(&at, at + strlen(at), &field[i]) || *at++ != '\t') return TNN_OK;
    for (state = 1; state < 5 && strcmp(at, tnn__trial_states[state]); state++) {}
    /* Nothing else can be a line of this study: values out of the space, numbers out of range. */
    for (i = 0; i < count; i++)
        if (!(x[i] >= study->space[i].of.low && x[i] <= study->space[i].of.high)) return TNN_OK;
    if (state == 5 || !(field[0] >= 0 && field[0] <= 1e9 && step[0] >= -1 && step[0] <= INT_MAX
                        && step[2] >= 0 && step[2] <= 1e3)) return TNN_OK;
    if (field[0] >= trials)
        return tnn__fail(TNN_ERROR_ARGUMENT, "study: %s has trial %g, .trials = %d must be more",
                         journal, field[0], trials);
    trial = &study->trials[(int)field[0]];
    if (trial == study->current && strcmp(line, study->line))   /* a line that is not from here */
        return tnn__fail(TNN_ERROR_ARGUMENT, "study: %s: another process runs trial %d, too; each "
                         "needs its own .shard of .shards", journal, trial->number);
    ended = tnn__ended(trial);
    if (state == 1) {
        if (tnn__trial_reported(trial, (int)step[0], step[1], (int)step[2]))
            return TNN_ERROR_MEMORY;
    } else {
        trial->state = (tnn_trial_state)(TNN_RUNNING - 1 + state);
        trial->value = step[1];
        if (study->freshes == 64) study->stale = 1;
        else if (!ended && tnn__ended(trial)) study->fresh[study->freshes++] = trial->number;
    }
    study->stale |= ended;              /* it has been sorted as it was */
    memcpy(trial->x, x, (size_t)count*sizeof *x);
    return TNN_OK;
}

#ifndef TINYNN_NO_STDIO
/* Waits until no other open file of that name has the lock, or only such as share it. It ends with
   tnn__unlock or the process. Windows: of a byte far behind the end. */
static int tnn__lock(int file, int share)
{
    int result;
#ifdef _WIN32
    (void)share;
    do result = TNN__SEEK(file, 1ll << 40) < 0 ? -1 : _locking(file, _LK_LOCK, 1);
    while (result && errno == EDEADLOCK);
#else
    do result = flock(file, share ? LOCK_SH : LOCK_EX); while (tnn__again(result));
#endif
    return result;
}
/* Gives the lock up. */
static void tnn__unlock(int file)
{
#ifdef _WIN32
    if (TNN__SEEK(file, 1ll << 40) >= 0) _locking(file, _LK_UNLCK, 1);
#else
    flock(file, LOCK_UN);
#endif
}
/* Reads the lines that have come since the last time, to the file's byte `end` at most. Behind the
   last line's end may be the first part of one whose writer was killed or had no room: it is not
   one yet, and will be overwritten. */
static tnn_status tnn__study_read(tnn_study *study, int file, long long end)
{
    const char *path = study->options.journal;
    char bytes[4096], *input = study->input;
    long long at = study->offset;
    tnn__len got = 0, i;
    size_t n = 0;                       /* characters of the line so far */
    tnn_status e = TNN_OK;
    if (TNN__SEEK(file, at) < 0) return tnn__fail_file(path, "read", errno);
    while (!e && at < end
           && (got = tnn__read_some(file, bytes, TNN__MIN(sizeof bytes, (size_t)(end - at)))) > 0)
        for (i = 0; !e && i < got; i++) {
            at++;
            if (bytes[i] != '\n') {
                if (n < sizeof study->input) input[n++] = bytes[i];
                continue;
            }
            if (n == sizeof study->input || memchr(input, 0, n)) n = 0;     /* none of ours */
            input[n] = 0;
            e = tnn__study_line(study, input);
            n = 0;
            if (!e) study->offset = at;
        }
    if (!e && !study->offset && strncmp(input, study->head, TNN__MIN(n, strlen(study->head))))
        e = tnn__fail_no_journal(study);
    return got < 0 ? tnn__fail_file(path, "read", errno) : e;
}
/* Writes a line behind the last one and reads it. The journal is locked and has been read. If that
   fails there is no such line: without its end it is none. */
static tnn_status tnn__study_write(tnn_study *study, int file, const char *line, int sync)
{
    const char *path = study->options.journal;
    const long long at = study->offset, end = at + (long long)strlen(line);
    tnn_status e = TNN_OK;
    int folder = -1, ended = 0;         /* ended: the line has its end */
    int bad = TNN__SEEK(file, at) < 0 || tnn__write_all(file, line, strlen(line));
    if (!bad) bad = !(ended = !tnn__write_all(file, "\n", 1)) || (sync && tnn__sync(file));
    if (!bad && !at) {                  /* a new file */
        folder = tnn__open_folder(path);
        bad = folder < 0 ? errno != EACCES : tnn__sync(folder) && errno != EINVAL;
    }
    if (bad) e = tnn__fail_file(path, "written", errno);
    if (folder >= 0) tnn__close(folder);
    if (!e) e = tnn__study_read(study, file, end + 1);
    if (!e && study->offset != end + 1)
        e = tnn__fail(TNN_ERROR_IO, "%s: does not keep what is written to it", path);
    /* What cannot be taken back is spoilt: with a blank in place of its end it is no line. */
    if (e && ended && TNN__SEEK(file, end) >= 0) tnn__write_all(file, " ", 1);
    if (e) study->offset = at;
    return e;
}
/* Reads what is new in the journal; then adds a line, if there is one, for good if `sync`. */
static tnn_status tnn__study_journal(tnn_study *study, const char *line, int sync)
{
    const char *path = study->options.journal;
    struct stat now;                    /* how the file is */
    const int exists = !stat(path, &now);
    tnn_status e = TNN_OK;
    int file;
    if (exists && !TNN__PLAIN(now.st_mode))
        return tnn__fail(TNN_ERROR_IO, "%s: is not a file that a journal can be", path);
    if (study->offset > (exists ? (long long)now.st_size : 0))
        return tnn__fail(TNN_ERROR_IO, "%s: cannot be read from byte %l on: it is shorter now",
                         path, study->offset);
    if (!exists && !line) return TNN_OK;                /* there is none yet */
    file = tnn__open(path, !line ? TNN__O(RDONLY) : TNN__O(RDWR) | TNN__O(CREAT), 0666);
    if (file < 0) return tnn__fail_file(path, "opened", errno);
    if (tnn__lock(file, !line)) e = tnn__fail_file(path, "locked", errno);
    else {
        e = tnn__study_read(study, file, LLONG_MAX);
        if (!e && line) e = tnn__study_write(study, file, line, sync);
        tnn__unlock(file);
    }
    tnn__close(file);                   /* too late to fail: others may have read the line */
    return e;
}
#endif

/* Reads what other processes have added. Then adds a line if there is one, and reads it. */
static tnn_status tnn__study_add(tnn_study *study, const char *line, int sync)
{
#ifndef TINYNN_NO_STDIO
    if (study->options.journal) return tnn__study_journal(study, line, sync);
#endif
    (void)sync;
    return line ? tnn__study_line(study, line) : TNN_OK;
}
/* Adds a line about a trial; one that ends it is synced, too. Numbers read back as the same. */
static tnn_status tnn__study_note(tnn_study *study, const tnn_trial *trial, int step, double value,
                                  int rung, tnn_trial_state state)
{
    char *to = study->line, *end = to + sizeof study->line - 1; /* kept: tnn__study_line knows it */
    int i;
    to = tnn__put(tnn__put_int(to, end, trial->number), end, "\t");
    for (i = 0; i < study->options.count; i++)
        to = tnn__put(tnn__put_exact(to, end, trial->x[i]), end, "\t");
    to = tnn__put(tnn__put_int(to, end, step), end, "\t");
    to = tnn__put(tnn__put_exact(to, end, value), end, "\t");
    to = tnn__put(tnn__put_int(to, end, rung), end, "\t");
    *tnn__put(to, end, tnn__trial_states[TNN__NTH(state)]) = 0;
    return tnn__study_add(study, study->line, state > TNN_RUNNING);
}
/* Makes the journal's first two lines, the study and its columns; 0: they are too long. */
static int tnn__study_head(tnn_study *study)
{
    const tnn_study_options *options = &study->options;
    char *to = study->head, *end = to + sizeof study->head - 2; /* two lines, each with a 0 */
    int i;
    to = tnn__put(to, end, "# tinynn study, ");
    to = tnn__put(to, end, options->maximize ? "maximize, " : "minimize, ");
    to = tnn__put(tnn__put(to, end, tnn__sampler_names[TNN__NTH(options->sampler)]), end, " seed ");
    to = tnn__put_int(to, end, (long long)options->seed);
    for (i = 0; i < options->count; i++) {
        const tnn_variable *v = &study->space[i].of;
        to = tnn__put(tnn__put(tnn__put(to, end, "; "), end, v->name), end, " ");
        if (v->type == TNN_CATEGORICAL) { to = tnn__put(to, end, v->choices); continue; }
        to = tnn__put(to, end, v->type == TNN_INT ? "int " : "float ");
        to = tnn__put(tnn__put_exact(to, end, v->low), end, " ");
        to = tnn__put_exact(to, end, v->high);
        if (v->step > 0) to = tnn__put_exact(tnn__put(to, end, " step "), end, v->step);
        if (v->log) to = tnn__put(to, end, " log");
        if (v->points) to = tnn__put_int(tnn__put(to, end, " points "), end, v->points);
    }
    *to++ = 0;
    study->columns = to;
    to = tnn__put(to, end, "trial\t");
    for (i = 0; i < options->count; i++)
        to = tnn__put(tnn__put(to, end, study->space[i].of.name), end, "\t");
    to = tnn__put(to, end, "step\tvalue\trung\tstate");
    *to = 0;
    return to < end;
}

/* ---- 16h. Studies -----------------------------------------------------------------------------
   A study is one allocation for itself, one for its space, one for its trials and all else that
   grows with them, and one for each trial's reports. */

/* Whether a double is an integer. */
static int tnn__is_whole(double x) { return fabs(x) < 9e15 && (double)(long long)x - x == 0; }
/* Checks the range of a number, sets its step and moves .high to the last step. */
static tnn_status tnn__study_range(const tnn_study *study, tnn_variable *v)
{
    const int whole = v->type == TNN_INT;
    const double most = whole ? INT_MAX : 1e15, least = whole ? 1 : 1e-290;
    if (!(v->low >= -most && v->low <= v->high && v->high <= most)
        || (v->log && (v->low < least || v->step > whole)))
        return tnn__fail(TNN_ERROR_ARGUMENT, "study: %s: must be .low = %g <= .high = %g, "
                         "within +-%g; with .log .low at least %g and no .step = %g", v->name,
                         v->low, v->high, most, least, v->step);
    if (whole && !(v->step > 0 || v->step < 0)) v->step = 1;    /* the default */
    if (!(v->step >= 0) || (v->step > 0 && (v->high - v->low)/v->step > 1e15)
        || (whole && !(tnn__is_whole(v->low) && tnn__is_whole(v->high) && tnn__is_whole(v->step))))
        return tnn__fail(TNN_ERROR_ARGUMENT, "study: %s: .step = %g must not be negative%s",
                         v->name, v->step, whole ? "; whole, as .low and .high" : "");
    if (v->step > 0) {                  /* but for rounding */
        const double n = (double)(long long)((v->high - v->low)/v->step*(1 + 1e-12) + 1e-9);
        v->high = TNN__MIN(v->high, v->low + n*v->step);
    } else if (study->options.sampler == TNN_GRID
               && (v->points < 1 || (v->points == 1 && v->high > v->low)))
        return tnn__fail(TNN_ERROR_ARGUMENT, "study: %s: for a grid, .points = %d of a float "
                         "without .step must be at least 2", v->name, v->points);
    return TNN_OK;
}
/* Checks the choices, and counts them: they are 0 to .high by 1. */
static tnn_status tnn__study_choices(tnn_variable *v)
{
    const char *p = v->choices;
    int words = 0;                      /* ends of words */
    for (; p && (unsigned char)*p >= ' ' && *p != ';'; p++)
        words += *p != ' ' && (p[1] == ' ' || !p[1]);
    if (!words || *p)
        return tnn__fail(TNN_ERROR_ARGUMENT, "study: %s: .choices must be words, a space between "
                         "them", v->name);
    v->low = v->log = 0;
    v->high = words - 1;
    v->step = 1;
    return TNN_OK;
}
/* Makes the i-th axis of the space from the options, without its kernels. */
static tnn_status tnn__study_axis(tnn_study *study, int i)
{
    static const char *const reads[] = {"low high step log points:!step", "low high step log",
                                        "choices"};
#define TNN__X(member) TNN__OPTION(tnn_variable, member),
    static const tnn__option list[] = {
        TNN__X(low) TNN__X(high) TNN__X(step) TNN__X(log) TNN__X(choices) TNN__X(points)
    };
#undef TNN__X
    const tnn_variable *given = study->options.space;
    tnn__axis *axis = &study->space[i];
    tnn_variable *v = &axis->of;
    const char *p;
    int k;
    *v = given[i];
    /* The name: one word, as the journal's columns are words, and no other's. */
    for (p = v->name; p && *p > ' ' && *p != ';' && *p != 127; p++) {}
    if (!p || p == v->name || *p)
        return tnn__fail(TNN_ERROR_ARGUMENT, "study: .name = \"%s\" of variable %d must be one "
                         "word", v->name ? v->name : "", i);
    for (k = 0; k < i; k++)
        if (!strcmp(given[k].name, v->name))
            return tnn__fail(TNN_ERROR_ARGUMENT, "study: variables %d and %d are both called %s; "
                             "names must differ", k, i, v->name);
    if (tnn__choice("study: .type of a variable", (int)v->type, TNN_INT)
        || tnn__check_options("study", v, list, TNN__COUNT_OF(list), TNN_INT, (int)v->type,
                              reads, sizeof *reads, NULL)) return TNN_ERROR_ARGUMENT;
    if (v->points && study->options.sampler != TNN_GRID)
        return tnn__fail(TNN_ERROR_ARGUMENT, "study: %s: .points is for .sampler = TNN_GRID",
                         v->name);
    if (v->type == TNN_CATEGORICAL ? tnn__study_choices(v) : tnn__study_range(study, v))
        return TNN_ERROR_ARGUMENT;
    axis->from = tnn__on_line(axis, v->low - v->step/2);
    axis->to = tnn__on_line(axis, v->high + v->step/2);
    return TNN_OK;
}
/* Checks what does not depend on the space, and sets defaults. */
static tnn_status tnn__study_options_check(tnn_study_options *options)
{
#define TNN__X(member, otherwise, least, most) \
    TNN__RANGE(tnn_study_options, member, 'i', otherwise, least, most)
    const tnn__option ranges[] = {              /* the sampler's, the pruner's, all studies' */
        TNN__X(startup, 10, 0, 1000000), TNN__X(candidates, 24, 1, 65536),
        TNN__RANGE(tnn_study_options, prior_weight, 'd', 1, 1e-300, 1e6),
        TNN__X(no_magic_clip, 0, -INT_MAX, INT_MAX), TNN__X(endpoints, 0, -INT_MAX, INT_MAX),
        TNN__X(prune_startup, 5, 0, 1000000), TNN__X(warmup, 0, 0, 1000000),
        TNN__X(interval, 1, 1, 1000000), TNN__X(min_resource, 0, 0, 1000000),
        TNN__X(factor, 4, 2, 1000000), TNN__X(min_rate, 0, 0, 100),
        TNN__X(count, 0, 1, 64), TNN__X(shards, 1, 1, 1000000),
        TNN__X(trials, options->sampler == TNN_GRID ? 1e6 : 100.0, 1, 1000000),
        TNN__X(shard, 0, 0, (double)TNN__MAX(options->shards, 1) - 1)
    };
#undef TNN__X
    static const char *const samplers[] = {
        "startup candidates prior_weight no_magic_clip endpoints", "", ""
    };
    static const char *const pruners[] = {
        "", "prune_startup warmup interval", "min_resource factor min_rate"
    };
    if (tnn__choice("study: .sampler", (int)options->sampler, TNN_RANDOM)
        || tnn__choice("study: .pruner", (int)options->pruner, TNN_MEDIAN)
        || tnn__check_options("study", options, ranges, 5, TNN_RANDOM, (int)options->sampler,
                              samplers, sizeof *samplers, NULL)
        || tnn__check_options("study", options, ranges + 5, 6, TNN_MEDIAN, (int)options->pruner,
                              pruners, sizeof *pruners, NULL)
        || tnn__check_ranges("study: ", options, ranges, TNN__COUNT_OF(ranges)))
        return TNN_ERROR_ARGUMENT;
    if (!options->space) return tnn__fail(TNN_ERROR_ARGUMENT, "study: no .space");
#ifdef TINYNN_NO_STDIO
    if (options->journal) return tnn__fail(TNN_ERROR_ARGUMENT, "study: no .journal without files");
#endif
    if (options->shards > 1 && !options->journal)
        return tnn__fail(TNN_ERROR_ARGUMENT, "study: %d shards need a .journal to share",
                         options->shards);
    return TNN_OK;
}
/* So many bytes of an arena. */
static void *tnn__take_bytes(tnn__arena *arena, tnn__len bytes)
{
    return tnn__take(arena, tnn__round_up(bytes, 4)/4);
}
/* Hands out the memory of the trials and of all that grows with them; with NULL it only counts.
   Returns its floats. */
static tnn__len tnn__study_place(tnn_study *study, float *memory)
{
    const tnn__len size = (tnn__len)sizeof(double), trials = study->options.trials;
    const tnn__len kernel = (tnn__len)sizeof(tnn__kernel), count = study->options.count;
    const tnn__len candidates = study->options.candidates;
    tnn__arena arena;
    double *x;
    int i;
    arena.memory = memory;
    arena.used = 0;
    study->trials = (tnn_trial *)tnn__take_bytes(&arena, trials*(tnn__len)sizeof *study->trials);
    x = (double *)tnn__take_bytes(&arena, trials*count*size);
    study->terms = (double *)tnn__take_bytes(&arena, (trials + 1)*size);
    study->candidates = (double *)tnn__take_bytes(&arena, candidates*size);
    study->scores = (double *)tnn__take_bytes(&arena, candidates*size);
    study->spots = (tnn__spot *)tnn__take_bytes(&arena, (trials + 1)*(tnn__len)sizeof(tnn__spot));
    study->weights = (double *)tnn__take_bytes(&arena, trials*size);
    study->order = (int *)tnn__take_bytes(&arena, trials*(tnn__len)sizeof(int));
    study->rest.kernels = (tnn__kernel *)tnn__take_bytes(&arena, (trials + 1)*kernel);
    for (i = 0; i < count; i++) {
        tnn__axis *axis = &study->space[i];
        axis->good.kernels = (tnn__kernel *)tnn__take_bytes(&arena, 26*kernel);
        axis->spots = (tnn__spot *)tnn__take_bytes(&arena, trials*(tnn__len)sizeof(tnn__spot));
    }
    for (i = 0; i < trials && memory; i++, x += count) {
        study->trials[i].number = i;
        study->trials[i].value = TNN__NAN;
        study->trials[i].x = x;
        study->trials[i].study = study;
    }
    return arena.used;
}
/* Makes what the options ask for, and reads the journal. */
static tnn_status tnn__study_make(tnn_study *study)
{
    tnn_study_options *options = &study->options;
    const tnn__len count = options->count;
    tnn_status e = TNN_OK;
    double grid = 1;                    /* combinations */
    int i;
    study->space = (tnn__axis *)tnn__alloc(count*(tnn__len)sizeof *study->space, "study");
    for (i = 0; i < count; i++) {
        if (!study->space || tnn__study_axis(study, i)) return TNN_ERROR_ARGUMENT;
        if (options->sampler == TNN_GRID) grid *= tnn__grid_points(&study->space[i]);
    }
    if (options->sampler == TNN_GRID && grid < options->trials) options->trials = (int)grid;
    study->memory = (float *)tnn__alloc(tnn__study_place(study, NULL)*(tnn__len)sizeof(float),
                                        "study");
    if (!study->memory) return TNN_ERROR_MEMORY;
    tnn__study_place(study, study->memory);
    if (!tnn__study_head(study))
        return tnn__fail(TNN_ERROR_ARGUMENT, "study: names and choices of %d variables are longer "
                         "than %d characters", options->count, (int)sizeof study->head/2);
    if (options->journal) e = tnn__study_add(study, NULL, 0);
    if (options->journal && !e && !study->header) {
        e = tnn__study_add(study, study->head, 1);
        if (!e) e = tnn__study_add(study, study->columns, 1);
    }
    return e;
}
/* Frees a study; NULL is none. Its journal stays. */
TNN_API void tnn_study_free(tnn_study *study)
{
    int i;
    if (!study) return;
    for (i = 0; study->memory && i < study->options.trials; i++)
        tnn__release(study->trials[i].reports);
    tnn__release(study->memory);
    tnn__release(study->space);
    tnn__release(study);
}
/* A new study with what its journal knows; NULL on failure, which leaves nothing behind. */
TNN_API_GATED tnn_study *tnn_study_create_with(const tnn_study_options *given)
{
    tnn_study_options options;
    tnn_study *study;
    memset(&options, 0, sizeof options);
    if (given) options = *given;
    if (tnn__study_options_check(&options)) return NULL;
    study = (tnn_study *)tnn__alloc((tnn__len)sizeof *study, "study");
    if (!study) return NULL;
    study->options = options;
    study->next = options.shard;
    study->stale = 1;
    if (!tnn__study_make(study)) return study;
    tnn_study_free(study);
    return NULL;
}

/* The first trial of this shard that no line says ended; those before `next` are not looked at
   again. What it reported before it was given up is forgotten: it begins anew. */
TNN_API_GATED tnn_trial *tnn_ask(tnn_study *study)
{
    if (tnn_failed()) return NULL;
    if (!study || study->current) {
        tnn__fail(TNN_ERROR_ARGUMENT, study ? "tnn_ask: trial %d has not been told; tnn_tell ends "
                  "it" : "tnn_ask: no study", study ? study->current->number : 0);
        return NULL;
    }
    if (tnn__study_add(study, NULL, 0)) return NULL;
    for (; study->next < study->options.trials; study->next += study->options.shards) {
        tnn_trial *trial = &study->trials[study->next];
        if (trial->state != TNN_WAITING) continue;
        tnn__draw_all(study, trial);
        trial->state = TNN_RUNNING;
        trial->count = trial->stop = 0;
        return study->current = trial;
    }
    return NULL;
}
/* Asks the pruner before the report is among the others, then writes it with the rung that it has
   come to. An error counts as a reason to stop. */
TNN_API_GATED int tnn_report(tnn_trial *trial, int step, double value)
{
    tnn_study *study = trial ? trial->study : NULL;
    const tnn_pruner pruner = study ? study->options.pruner : TNN_NO_PRUNER;
    int rung = 0, stop;                 /* of successive halving */
    if (tnn_failed()) return 1;
    if (!study || study->current != trial || step < 0
        || (trial->count && trial->reports[trial->count - 1].step >= step)) {
        tnn__fail(TNN_ERROR_ARGUMENT, "tnn_report: step %d of trial %d, which must be under way "
                  "and its last step smaller", step, trial ? trial->number : -1);
        return 1;
    }
    if (pruner && tnn__study_add(study, NULL, 0)) return 1;
    stop = pruner == TNN_MEDIAN  ? tnn__prune_median(study, trial, step, value)
         : pruner == TNN_HALVING ? tnn__prune_halving(study, trial, step, value, &rung) : 0;
    if (tnn__study_note(study, trial, step, value, rung, TNN_RUNNING)) return 1;
    return trial->stop = stop;
}
/* The line that ends a trial repeats the last step and rung. As long as it is not written and read,
   the trial is under way. */
TNN_API_GATED tnn_status tnn_tell(tnn_trial *trial, double value)
{
    tnn_study *study = trial ? trial->study : NULL;
    const tnn_trial_report *last = trial && trial->count ? &trial->reports[trial->count - 1] : NULL;
    tnn_status e;
    if (tnn_failed()) return (tnn_status)tnn_failed();
    if (!study || study->current != trial)
        return tnn__fail(TNN_ERROR_ARGUMENT, "tnn_tell: trial %d is not under way; tnn_ask "
                         "begins one", trial ? trial->number : -1);
    e = tnn__study_note(study, trial, last ? last->step : -1, value, last ? last->rung : 0,
                        value != value ? TNN_FAILED : trial->stop ? TNN_PRUNED : TNN_DONE);
    if (!e) study->current = NULL;
    return e;
}

/* The number of the variable of that name and type (0: any is right); -1 and an error where there
   is none. */
static int tnn__study_variable(const tnn_study *study, const char *name, int type, const char *what)
{
    int i;
    for (i = 0; study && name && i < study->options.count; i++) {
        const tnn_variable *v = &study->space[i].of;
        if (!strcmp(v->name, name) && (!type || (int)v->type == type)) return i;
    }
    if (!study) tnn__fail(TNN_ERROR_ARGUMENT, "%s: no study or trial", what);
    else
        tnn__fail(TNN_ERROR_ARGUMENT, "%s: the study has no %svariable %s; .space has "
                  "them, and tnn_trial_float, _int and _choice give them by their type", what,
                  !type ? "" : type == TNN_INT ? "int " : "categorical ", name ? name : "");
    return -1;
}
/* That variable's value; `none` and an error where there is none. */
static double tnn__trial_value(const tnn_trial *trial, const char *name, int type,
                               const char *what, double none)
{
    const int i = tnn__study_variable(trial ? trial->study : NULL, name, type, what);
    return i < 0 ? none : trial->x[i];
}
/* A variable of any type, as a double; NaN: there is none. */
TNN_API_GATED double tnn_trial_float(const tnn_trial *trial, const char *name)
{
    return tnn__trial_value(trial, name, 0, "tnn_trial_float", TNN__NAN);
}
/* An int variable; 0: there is none. */
TNN_API_GATED int tnn_trial_int(const tnn_trial *trial, const char *name)
{
    return (int)tnn__trial_value(trial, name, TNN_INT, "tnn_trial_int", 0);
}
/* The number of a choice; -1: there is no such variable. */
TNN_API_GATED int tnn_trial_choice(const tnn_trial *trial, const char *name)
{
    return (int)tnn__trial_value(trial, name, TNN_CATEGORICAL, "tnn_trial_choice", -1);
}
/* Trial number, in whatever state; NULL: there is none. */
TNN_API const tnn_trial *tnn_study_trial(const tnn_study *study, int number)
{
    return study && number >= 0 && number < study->options.trials ? &study->trials[number] : NULL;
}
/* The best of those done, as the sampler orders them; NULL: none is. */
TNN_API_GATED const tnn_trial *tnn_study_best(const tnn_study *study)
{
    const tnn_trial *best = NULL;
    int i;
    for (i = 0; study && i < study->options.trials; i++) {
        const tnn_trial *trial = &study->trials[i];
        if (trial->state == TNN_DONE && (!best || tnn__before(study, trial, best))) best = trial;
    }
    return best;
}
/* eta^2 = 1 - sum of squares within the groups / total, adjusted:
   1 - (within/(n - groups))/(total/(n - 1))  (epsilon^2, Kelley 1935).
   Groups are choices, or 2 to 8 equal parts of the ranks. Values are divided by the largest, so
   that no square overflows. NaN where there is nothing to explain. */
TNN_API_GATED double tnn_study_explained(const tnn_study *study, const char *name)
{
    const int variable = tnn__study_variable(study, name, 0, "tnn_study_explained");
    double mean = 0, total = 0, within = 0, scale = 0, last = 0;
    tnn__spot *spots;
    int i, j, n = 0, groups, rank = 0, used = 0; /* used: groups that have a trial */
    if (variable < 0) return TNN__NAN;
    spots = study->spots;
    for (i = 0; i < study->options.trials; i++) {
        const tnn_trial *trial = &study->trials[i];
        if (trial->state != TNN_DONE || trial->value - trial->value != 0) continue;
        spots[n].mu = trial->x[variable];
        spots[n++].i = i;
        scale = TNN__MAX(scale, fabs(trial->value));
    }
    if (n < 4 || !(scale > 0)) return TNN__NAN;
    for (j = 0; j < n; j++) mean += study->trials[spots[j].i].value/scale/n;
    /* Numbers become the group of their rank. */
    groups = TNN__MAX(TNN__MIN(n/8, 8), 2);
    qsort(spots, (size_t)n, sizeof *spots, tnn__by_spot);
    for (j = 0; j < n && study->space[variable].of.type != TNN_CATEGORICAL; j++) {
        if (spots[j].mu > last || !j) rank = j;         /* equal numbers share theirs */
        last = spots[j].mu;
        spots[j].mu = (double)((long long)rank*groups/n);
    }
    qsort(spots, (size_t)n, sizeof *spots, tnn__by_spot);       /* by group, then trial */
    /* Squares about the whole mean, and about the groups' own. */
    for (j = 0; j < n; used++) {
        const double group = spots[j].mu;
        double sum = 0, squares = 0;
        const int from = j;
        for (; j < n && spots[j].mu <= group; j++) {
            const double e = study->trials[spots[j].i].value/scale - mean;
            sum += e;
            squares += e*e;
        }
        total += squares;
        within += TNN__MAX(squares - sum*sum/(j - from), 0);
    }
    if (!(total > 0)) return TNN__NAN;
    return n > used ? TNN__MAX(1 - within/(n - used)/(total/(n - 1)), 0) : 0;
}
#endif /* !TINYNN_NO_SEARCH */

/* ==== 17. NETWORKS AS C ========================================================================
   A network is written as one C file: what it needs of the functions in 17b and of the loops in
   17d, its weights as arrays, and a function that calls the loops in turn. The loops are the text
   of what sections 3 and 6 do, for one sample, with the same products and sums in the same order:
   whoever changes one there changes its text here, and tests/export.sh compares the bits.

   An operation of the network becomes one to three calls (17e), each a row of the table in 17d.
   Images are channels last, as they are inside a network. All of them lie in the caller's `work`,
   where room is given anew to what is no longer read. */
#ifndef TINYNN_NO_EXPORT

/* ---- 17a. Text --------------------------------------------------------------------------------
   In all text below @ stands for the network's name, $a to $z for a number, $A to $Z for a text in
   which these may stand again. TNN__C_SET says what $a is, TNN__C_SAY what $A is. */
typedef struct {
    tnn_net     *net;
    tnn__writer *writer;
    const char  *name;
    int          int8;              /* weights are bytes */
    tnn__len    *at;                /* where each blob lies in work, then what a layer has alone */
    tnn__len     work;              /* floats in all */
    tnn__len     bytes, items;      /* of the arrays so far; in this array */
    int          odd;               /* whether some number was not finite */
    tnn__len     number[26];        /* $a to $z */
    const char  *text[26];          /* $A to $Z */
} tnn__c_file;
#define TNN__C_SET(letter, value) (file->number[(letter) - 'a'] = (value))
#define TNN__C_SAY(letter, value) (file->text[(letter) - 'A'] = (value))

/* Writes text, with what its letters stand for. */
static void tnn__c(tnn__c_file *file, const char *text)
{
    for (; *text; text++) {
        if (*text == '@') tnn__write_text(file->writer, file->name);
        else if (*text != '$') tnn__write(file->writer, text, 1);
        else if (*++text >= 'a') tnn__write_int(file->writer, file->number[*text - 'a']);
        else tnn__c(file, file->text[*text - 'A']);
    }
}
/* Writes a function of the text's own. */
static void tnn__c_code(tnn__c_file *file, const char *head, const char *body)
{
    tnn__c(file, "static ");
    tnn__c(file, head);
    tnn__c(file, "\n{\n");
    tnn__c(file, body);
    tnn__c(file, "}\n");
}
/* Before each item of a list: begins a line after so many. */
static void tnn__c_item(tnn__c_file *file, int per_line)
{
    tnn__c(file, !file->items ? "\n    " : file->items%per_line ? ", " : ",\n    ");
    file->items++;
}
/* A whole number of an array, 16 or 20 on a line. */
static void tnn__c_int(tnn__c_file *file, int value, int per_line)
{
    tnn__c_item(file, per_line);
    tnn__write_int(file->writer, value);
}
/* A float of an array, in hexadecimal, which is exact: 0x1.800000p1f is 3. */
static void tnn__c_float(tnn__c_file *file, float value)
{
    char text[40] = "-0x1.", *to = text + 5, *end = text + sizeof text - 1;
    uint32_t bits;
    int i, exponent;
    memcpy(&bits, &value, sizeof bits);
    exponent = (int)(bits >> 23 & 255);
    file->odd |= exponent == 255;
    if (!exponent) text[3] = '0';
    for (i = 20; i >= 0; i -= 4) *to++ = "0123456789abcdef"[(bits << 1 & 0xffffff) >> i & 15];
    *to++ = 'p';
    to = tnn__put_int(to, end, exponent ? exponent - 127 : -126);
    *to++ = 'f';
    *to = 0;
    tnn__c_item(file, 5);
    tnn__write_text(file->writer, text + !(bits >> 31));
}
/* Begins an array of a type, and a name behind which $i stands. */
static void tnn__c_open(tnn__c_file *file, const char *type, const char *name)
{
    TNN__C_SAY('T', type);
    TNN__C_SAY('N', name);
    tnn__c(file, "static const $T @_$N$i[] = {");
    file->items = 0;
}
/* Ends an array, of items of so many bytes; 0: they are no weights. */
static void tnn__c_close(tnn__c_file *file, int bytes)
{
    tnn__c(file, "\n};\n");
    file->bytes += bytes*file->items;
}
/* An array of n floats. */
static void tnn__c_floats(tnn__c_file *file, const char *name, const float *x, tnn__len n)
{
    tnn__len i;
    tnn__c_open(file, "float", name);
    for (i = 0; i < n; i++) tnn__c_float(file, x[i]);
    tnn__c_close(file, 4);
}

/* ---- 17b. Functions of numbers ----------------------------------------------------------------
   Those of 3c, Kahan's sum, and both transforms of Winograd's way for one row or column. Each has a
   bit, in this order; `needs` are those that must stand before it. */
enum {
    TNN__C_POLY = 1, TNN__C_PARTS = 2, TNN__C_EXP = 4, TNN__C_EXPM1 = 8, TNN__C_ABS = 16,
    TNN__C_SIGMOID = 32, TNN__C_TANH = 64, TNN__C_SOFTPLUS = 128, TNN__C_CDF = 256,
    TNN__C_SIXTH = 512, TNN__C_MISH = 1024, TNN__C_COLLECT = 2048, TNN__C_SPREAD = 4096,
    TNN__C_GATHER = 8192
};
static const struct { int needs; const char *head, *body; } tnn__c_functions[] = {
    {0, "float @_poly(float x, const float *c)",
    "    float p = c[0];\n"
    "    int i;\n"
    "    for (i = 1; i < 7; i++) p = fmaf(p, x, c[i]);\n"
    "    return p;\n"},
    {TNN__C_POLY, "float @_parts(float x, int unit, float *r, float *power)",
    "    /* x = n ln 2 + r: gives r, 2^(n + unit) and (exp(r) - 1)/r */\n"
    "    static const float c[] = {1.0f/5040, 1.0f/720, 1.0f/120, 1.0f/24, 1.0f/6, 0.5f, 1};\n"
    "    const float t = fmaf(x, 1.44269504f, 12582912.0f), n = t - 12582912.0f;\n"
    "    union { float f; uint32_t u; } p;\n"
    "    p.f = t;\n"
    "    p.u = (p.u << 23) + ((uint32_t)(127 + unit) << 23);\n"
    "    *power = p.f;\n"
    "    *r = fmaf(n, 2.12194440e-4f, fmaf(n, -0.693359375f, x));\n"
    "    return @_poly(*r, c);\n"},
    {TNN__C_PARTS, "float @_exp(float x)",
    "    const float a = -104 > x ? -104 : x, b = 89 < a ? 89 : a;\n"
    "    float r, power;\n"
    "    const float p = @_parts(b, b < 0 ? 64 : -64, &r, &power);\n"
    "    const float large = 18446744073709551616.0f;\n"
    "    return fmaf(p, r, 1)*power*(b < 0 ? 1/large : large);\n"},
    {TNN__C_PARTS, "float @_expm1(float x)",
    "    const float a = -87.3f > x ? -87.3f : x, b = 88 < a ? 88 : a;\n"
    "    float r, power;\n"
    "    const float p = @_parts(b, 0, &r, &power);\n"
    "    return fmaf(p*r, power, power - 1);\n"},
    {0, "float @_abs(float x)",
    "    return x > 0 - x ? x : 0 - x;\n"},
    {TNN__C_EXP | TNN__C_ABS, "float @_sigmoid(float x)",
    "    const float e = @_exp(0 - @_abs(x));\n"
    "    return (0 > x ? e : 1)/(1 + e);\n"},
    {TNN__C_EXPM1 | TNN__C_ABS, "float @_tanh(float x)",
    "    const float b = @_abs(x), a = 10 < b ? 10 : b, e = @_expm1(a + a), y = e/(e + 2);\n"
    "    return x != x ? x : 0 > x ? 0 - y : y;\n"},
    {TNN__C_EXP | TNN__C_ABS | TNN__C_POLY, "float @_softplus(float x)",
    "    static const float c[] = {2.0f/15, 2.0f/13, 2.0f/11, 2.0f/9, 2.0f/7, 2.0f/5, 2.0f/3};\n"
    "    const float f = @_exp(0 - @_abs(x)), s = f/(2 + f), z = s*s;\n"
    "    const float tail = z*@_poly(z, c), m = s*(f - tail);\n"
    "    return (x > 0 ? x : 0) + (f - m);\n"},
    {TNN__C_EXP | TNN__C_ABS | TNN__C_POLY, "float @_cdf(float x)",
    "    /* of the normal distribution */\n"
    "    static const float p[] = {7.85385572e-05f, -8.01019192e-04f, 5.18832749e-03f,\n"
    "        -2.68538118e-02f, 1.12835851e-01f, -3.76126258e-01f, 1.12837917f};\n"
    "    static const float q[] = {0.0903068943f, -0.371924909f, 0.419313965f, 0.011148143f,\n"
    "        0.293492455f, 0.274944265f, 0.282557077f};\n"
    "    const float u = x*0.707106781f, b = @_abs(u), a = 10.5f < b ? 10.5f : b, z = a*a;\n"
    "    const float t = 1/fmaf(a, 0.5f, 1), tail = @_exp(0 - z)*t*@_poly(t, q);\n"
    "    const float y = 1 > a ? a*@_poly(z, p) : 1 - tail;\n"
    "    return -1 > u ? 0.5f*tail : fmaf(0.5f, 0 > u ? 0 - y : y, 0.5f);\n"},
    {0, "float @_sixth(float x)",
    "    const float a = fmaf(x, 1.0f/6, 0.5f), b = 0 > a ? 0 : a;\n"
    "    return 1 < b ? 1 : b;\n"},
    {TNN__C_EXP, "float @_mish(float x)",
    "    const float e = @_exp(20 < x ? 20 : x), w = e*(e + 2);\n"
    "    return x*(w/(w + 2));\n"},
    {0, "void @_collect(float *s, float *low, float t)",
    "    const float y = t - *low, z = *s + y, rounded = z - *s;\n"
    "    *low = rounded - y;\n"
    "    if (*low - *low != 0) *low = 0;\n"
    "    *s = z;\n"},
    {0, "void @_spread(const float *d, int n, float *t, int m)",
    "    t[0] = d[0] - d[2*n];\n"
    "    t[m] = d[n] + d[2*n];\n"
    "    t[2*m] = d[2*n] - d[n];\n"
    "    t[3*m] = d[n] - d[3*n];\n"},
    {TNN__C_SPREAD, "void @_gather(const float *t, int n, float *y, int m)",
    "    const float a = t[0] + t[n], b = t[n] - t[2*n];\n"
    "    y[0] = a + t[2*n];\n"
    "    y[m] = b - t[3*n];\n"}
};
enum { TNN__C_FUNCTIONS = (int)(sizeof tnn__c_functions/sizeof *tnn__c_functions) };

/* ---- 17c. The arrays of an operation ----------------------------------------------------------
   One function for each kind of array: operation i's, each a `static const` with i behind its
   name. */

/* Whether a convolution takes Winograd's way; its bytes do not. */
static int tnn__c_tiled(const tnn__c_file *file, const tnn__op *op)
{
    return op->tiled && !file->int8;
}
/* The chains of sums, as the opening describes them, for one output of a convolution, in the order
   (u, v, c): a new one begins after chains[1] products, and after each multiple of chains[0]. */
static void tnn__c_chains(const tnn__op *op, int tiled, int chains[2])
{
    int n1, n2, run, part;
    tnn__window_loops(&op->q, &n1, &n2, &run);
    if (tiled || op->type == TNN_DENSE || op->q.depthwise) {
        n1 = n2 = 1;
        run = tiled ? op->q.g.c : (int)op->q.inner;
    }
    part = op->q.depthwise ? run : tnn__chain(run, 1);
    if (part == run) part *= tnn__chain(n2, run), run *= n2;
    if (part == run) part *= tnn__chain(n1, run), run *= n1;
    chains[0] = run;
    chains[1] = part;
}
/* A window as a @_window: the geometry of a convolution or pool to oc channels. `chains` is that of
   a convolution; `groups` of a pool says whether it averages over what lies inside only. */
static void tnn__c_window(tnn__c_file *file, const char *name, const tnn__pool_geometry *g, int oc,
                          int groups, const int chains[2])
{
    const int fit = g->adaptive, v[17] = {
        g->c, g->ih, g->iw, oc, g->oh, g->ow, g->kh, g->kw, fit ? 0 : g->sh, g->sw, g->ph, g->pw,
        fit ? 1 : g->dh, fit ? 1 : g->dw, groups, chains[0], chains[1]
    };
    int i;
    TNN__C_SAY('N', name);
    tnn__c(file, "static const @_window @_$N$i = {");
    for (i = 0; i < 17; i++) {
        TNN__C_SET('v', v[i]);
        tnn__c(file, i ? ", $v" : "$v");
    }
    tnn__c(file, "};\n");
}
/* The window of a pool, or of the one that a convolution has taken in. */
static void tnn__c_pool(tnn__c_file *file, const tnn__op *op)
{
    static const int none[2] = {0, 0};
    tnn__c_window(file, "p", &op->pool, op->pool.c, op->pool.exclude_pad, none);
}
/* Weight (o, c) at place p = u*kw + v of a convolution, or of 16 that Winograd's way has. */
static float tnn__c_weight(const tnn__c_file *file, const tnn__op *op, int o, int c, int p)
{
    const tnn__len in = op->q.g.c;          /* tiled: (16, oc/16, c, 16) */
    return tnn__c_tiled(file, op)
         ? op->tiled[p*in*op->q.oc + (tnn__len)(o/16)*16*in + 16*(tnn__len)c + o%16]
         : file->net->flat[TNN__W][op->w + tnn__weight_at(&op->q, o, c, p)];
}
/* Of bytes, the scales of the outputs, where `scales` asks for these; or the weights, in the order
   (o, p, c). */
static void tnn__c_weights(tnn__c_file *file, const tnn__op *op, int scales)
{
    const tnn__conv *q = &op->q;
    const int tiled = tnn__c_tiled(file, op), in = tiled ? q->g.c : q->cg;
    const int n = in*(tiled ? 16 : q->g.kh*q->g.kw);
    int o, k;
    tnn__c_open(file, scales ? "float" : "@_weight", scales ? "scale" : "w");
    for (o = 0; o < q->oc; o++) {
        double most = 0;
        for (k = 0; file->int8 && k < n; k++)
            most = TNN__MAX(most, fabs((double)tnn__c_weight(file, op, o, k%in, k/in)));
        if (scales) tnn__c_float(file, (float)(most/127));
        for (k = 0; !scales && k < n; k++) {
            const float v = tnn__c_weight(file, op, o, k%in, k/in);
            const double t = most > 0 ? (double)v*127/most : 0;
            if (file->int8) tnn__c_int(file, (int)(t < 0 ? t - 0.5 : t + 0.5), 20);
            else tnn__c_float(file, v);
        }
    }
    tnn__c_close(file, scales || !file->int8 ? 4 : 1);
}
/* A convolution's or dense layer's window, weights and biases. */
static void tnn__c_conv(tnn__c_file *file, const tnn__op *op)
{
    const tnn__conv *q = &op->q;
    int chains[2], o;
    tnn__c_chains(op, tnn__c_tiled(file, op), chains);
    tnn__c_window(file, "s", &q->g, q->oc, q->groups, chains);
    if (file->int8) tnn__c_weights(file, op, 1);
    tnn__c_weights(file, op, 0);
    if (op->no_bias) return;
    tnn__c_open(file, "float", "b");
    for (o = 0; o < q->oc; o++)
        tnn__c_float(file, file->net->flat[TNN__W][op->b + tnn__bias_at(q, o)]);
    tnn__c_close(file, 4);
}
/* The slopes of a leaky ReLU, of one that a convolution has taken in, or of a PReLU ($s). */
static void tnn__c_slopes(tnn__c_file *file, const tnn__op *op)
{
    const int own = op->w_floats && !tnn__is_conv(op);
    tnn__c_floats(file, "slope", own ? file->net->flat[TNN__W] + op->w : &op->slope,
                  file->number['s' - 'a']);
}
/* The options of an activation. */
static void tnn__c_options(tnn__c_file *file, const tnn__op *op)
{
    tnn__c_floats(file, "option", op->option, 3);
}
/* Batch norm's mean, scale and shift of each channel or value ($m). */
static void tnn__c_norm(tnn__c_file *file, const tnn__op *op)
{
    const tnn__len cells = tnn__norm_cells(op, &file->net->blob[op->in]);
    const tnn__len n = file->number['m' - 'a'];
    tnn__c_floats(file, "mean", op->kept, n);
    tnn__c_floats(file, "scale", op->kept + 2*cells, n);
    tnn__c_floats(file, "shift", op->kept + 3*cells, n);
}
/* Where the rows or columns of an output of padding or upsampling come from; -1: from outside. */
static void tnn__c_places(tnn__c_file *file, const tnn__op *op, const char *name, int in, int out,
                          int before)
{
    int i;
    tnn__c_open(file, "int", name);
    for (i = 0; i < out; i++) {
        const tnn__tap tap = tnn__tap_of(op, i, in, out, before);
        tnn__c_int(file, tap.count ? tap.at[0] : -1, 16);
    }
    tnn__c_close(file, 0);
}
/* Both, and what stands outside. */
static void tnn__c_samples(tnn__c_file *file, const tnn__op *op)
{
    const tnn__blob *in = &file->net->blob[op->in], *out = &file->net->blob[op - file->net->op + 1];
    tnn__c_places(file, op, "row", in->h, out->h, op->top);
    tnn__c_places(file, op, "column", in->w, out->w, op->left);
    tnn__c_floats(file, "outside", op->option, 1);
}

/* ---- 17d. The loops ---------------------------------------------------------------------------
   Each is a function @_NAME(const float *x, float *y, PARAMETERS), called with what an operation
   reads, what it writes, and ARGUMENTS, whose letters tnn__c_letters sets. c are channels, n and m
   pixels, or n values. */
enum {
    TNN__C_RESHAPE, TNN__C_CONV, TNN__C_TILED, TNN__C_MAXPOOL, TNN__C_AVGPOOL, TNN__C_CONCAT,
    TNN__C_SOFTMAX, TNN__C_GLU, TNN__C_SAMPLE, TNN__C_COPY, TNN__C_ADD, TNN__C_RELU, TNN__C_LEAKY,
    TNN__C_AFFINE, TNN__C_FUNCTION, TNN__C_COUNT = TNN__C_FUNCTION + TNN__ACT_COUNT
};
/* The rows y0 <= yi < y1 and columns x0 <= xi < x1 of each window of a pool, which need not lie
   inside; what is done with them follows. */
#define TNN__C_WINDOWS \
    "    int i, j, c, yi, xi;\n" \
    "    for (i = 0; i < s->oh; i++)\n" \
    "        for (j = 0; j < s->ow; j++) {\n" \
    "            const int fit = !s->sh;     /* windows are fitted to the image */\n" \
    "            const int y0 = fit ? i*s->h/s->oh : i*s->sh - s->ph;\n" \
    "            const int x0 = fit ? j*s->w/s->ow : j*s->sw - s->pw;\n" \
    "            const int y1 = fit ? ((i + 1)*s->h - 1)/s->oh + 1\n" \
    "                               : y0 + (s->kh - 1)*s->dh + 1;\n" \
    "            const int x1 = fit ? ((j + 1)*s->w - 1)/s->ow + 1\n" \
    "                               : x0 + (s->kw - 1)*s->dw + 1;\n"
/* Makes y[i] of v = x[i] and of parameters, value by value. */
#define TNN__C_EACH(value) \
    "    int i;\n" \
    "    for (i = 0; i < n; i++) {\n" \
    "        const float v = x[i];\n" \
    "        y[i] = " value ";\n" \
    "    }\n"
/* An activation of 3d, without options and with them as p. */
#define TNN__C_PLAIN(needs, name, value) \
    {NULL, needs, "each_" name, "$n", "int n", TNN__C_EACH(value)}
#define TNN__C_TUNED(needs, name, value) \
    {tnn__c_options, needs, "each_" name, "$n, @_option$i", "int n, const float *p", \
     TNN__C_EACH(value)}
static const struct {
    void      (*arrays)(tnn__c_file *, const tnn__op *);       /* NULL: none */
    int         needs;                                          /* of 17b */
    const char *name, *arguments, *parameters, *body;
} tnn__c_kinds[TNN__C_COUNT] = {
    {NULL, 0, "reshape", "$a, $b, $c, $p", "int c, int n, int d, int m",
    "    /* one (c, n) seen as (d, m): one of c*n pixels is (c, n) */\n"
    "    int i;\n"
    "    for (i = 0; i < c*n; i++) y[i%m*d + i/m] = x[i%n*c + i/n];\n"},
    {tnn__c_conv, 0, "conv", "&@_s$i, @_w$i, $S, $B, $r", "const @_window *s,\n"
    "    const @_weight *w, const float *scale, const float *bias, int relu",
    "    const int in = s->c/s->groups, out = s->oc/s->groups;\n"
    "    int i, j, o, u, v, c;\n"
    "    for (i = 0; i < s->oh; i++)\n"
    "        for (j = 0; j < s->ow; j++) {\n"
    "            const @_weight *k = w;\n"
    "            for (o = 0; o < s->oc; o++) {\n"
    "                const float b = bias ? bias[o] : 0;\n"
    "                float a = scale ? 0 : b, sum = -0.0f;\n"
    "                int n = 0, m = 0;       /* so far in a chain, in a row of chains */\n"
    "                for (u = 0; u < s->kh; u++)\n"
    "                    for (v = 0; v < s->kw; v++) {\n"
    "                        const int yi = i*s->sh - s->ph + u*s->dh;\n"
    "                        const int xi = j*s->sw - s->pw + v*s->dw;\n"
    "                        const int inside = yi >= 0 && yi < s->h && xi >= 0 && xi < s->w;\n"
    "                        const float *p = inside ? x + (yi*s->w + xi)*s->c + o/out*in : x;\n"
    "                        for (c = 0; c < in; c++, n++, m++) {\n"
    "                            if (m == s->row) m = 0, n = s->chain;\n"
    "                            if (n == s->chain) sum += a, a = 0, n = 0;\n"
    "                            a = fmaf(inside ? p[c] : 0, (float)*k++, a);\n"
    "                        }\n"
    "                    }\n"
    "                a = sum + a;\n"
    "                if (scale) a = fmaf(a, scale[o], b);\n"
    "                *y++ = relu && 0 > a ? 0 : a;\n"
    "            }\n"
    "        }\n"},
    {tnn__c_conv, TNN__C_GATHER, "tiled", "&@_s$i, @_w$i, $B, $r, work + $t",
    "const @_window *s,\n    const float *w, const float *bias, int relu, float *v",
    "    /* 3x3 by Winograd's F(2x2, 3x3): weights (oc, 16, c), transformed; v is 16*c floats */\n"
    "    const int n = s->c;\n"
    "    int r, j, i, k, c, o;\n"
    "    for (r = 0; r < s->h; r += 2)\n"
    "        for (j = 0; j < s->w; j += 2) {\n"
    "            const float *u = w;\n"
    "            for (c = 0; c < n; c++) {\n"
    "                float d[16], t[16];\n"
    "                for (i = 0; i < 16; i++) {\n"
    "                    const int yi = r - 1 + i/4, xi = j - 1 + i%4;\n"
    "                    const int in = yi >= 0 && yi < s->h && xi >= 0 && xi < s->w;\n"
    "                    d[i] = in ? x[(yi*s->w + xi)*n + c] : 0;\n"
    "                }\n"
    "                for (k = 0; k < 4; k++) @_spread(d + k, 4, t + k, 4);\n"
    "                for (i = 0; i < 4; i++) @_spread(t + 4*i, 1, v + 4*i*n + c, n);\n"
    "            }\n"
    "            for (o = 0; o < s->oc; o++) {\n"
    "                const float b = bias ? bias[o] : 0;\n"
    "                float m[16], p[8], z[4];\n"
    "                for (i = 0; i < 16; i++) {\n"
    "                    float a = 0, sum = -0.0f;\n"
    "                    for (c = 0; c < n; c++) {\n"
    "                        if (c > 0 && c%s->chain == 0) sum += a, a = 0;\n"
    "                        a = fmaf(v[i*n + c], *u++, a);\n"
    "                    }\n"
    "                    m[i] = sum + a;\n"
    "                }\n"
    "                for (k = 0; k < 4; k++) @_gather(m + k, 4, p + k, 4);\n"
    "                for (i = 0; i < 2; i++) @_gather(p + 4*i, 1, z + 2*i, 1);\n"
    "                for (i = 0; i < 4; i++) {\n"
    "                    const float a = z[i] + b;\n"
    "                    y[((r + i/2)*s->w + j + i%2)*s->oc + o] = relu && 0 > a ? 0 : a;\n"
    "                }\n"
    "            }\n"
    "        }\n"},
    {tnn__c_pool, 0, "maxpool", "&@_p$i", "const @_window *s", TNN__C_WINDOWS
    "            for (c = 0; c < s->c; c++) {\n"
    "                float m = -HUGE_VALF;\n"
    "                for (yi = y0; yi < y1; yi += s->dh)\n"
    "                    for (xi = x0; xi < x1; xi += s->dw)\n"
    "                        if (yi >= 0 && yi < s->h && xi >= 0 && xi < s->w) {\n"
    "                            const float e = x[(yi*s->w + xi)*s->c + c];\n"
    "                            if (e > m || e != e) m = e;\n"
    "                        }\n"
    "                *y++ = m;\n"
    "            }\n"
    "        }\n"},
    {tnn__c_pool, TNN__C_COLLECT, "avgpool", "&@_p$i", "const @_window *s", TNN__C_WINDOWS
    "            const int a = s->groups && y0 < 0 ? 0 : y0, b = s->groups && x0 < 0 ? 0 : x0;\n"
    "            const int h = s->groups ? s->h : s->h + s->ph;\n"
    "            const int w = s->groups ? s->w : s->w + s->pw;\n"
    "            const float n = (float)(((y1 < h ? y1 : h) - a)*((x1 < w ? x1 : w) - b));\n"
    "            for (c = 0; c < s->c; c++) {\n"
    "                float m = 0, low = 0, t = 0;\n"
    "                int terms = 0;\n"
    "                for (yi = y0; yi < y1; yi++)\n"
    "                    for (xi = x0; xi < x1; xi++)\n"
    "                        if (yi >= 0 && yi < s->h && xi >= 0 && xi < s->w) {\n"
    "                            t += x[(yi*s->w + xi)*s->c + c];\n"
    "                            if (++terms%16 == 0) @_collect(&m, &low, t), t = 0;\n"
    "                        }\n"
    "                @_collect(&m, &low, t);\n"
    "                *y++ = m/n;\n"
    "            }\n"
    "        }\n"},
    {NULL, 0, "concat", "$F, $d, $e, $q", "const float *z, int a, int b, int n",
    "    int i, k;\n"
    "    for (i = 0; i < n; i++) {\n"
    "        for (k = 0; k < a; k++) *y++ = *x++;\n"
    "        for (k = 0; k < b; k++) *y++ = *z++;\n"
    "    }\n"},
    {NULL, TNN__C_EXP | TNN__C_COLLECT, "softmax", "$c, $q", "int c, int n",
    "    int i, k, l;\n"
    "    for (i = 0; i < n; i++, x += c, y += c) {\n"
    "        float m = x[0], sum[16] = {0}, low[16] = {0};\n"
    "        for (k = 1; k < c; k++) if (!(x[k] <= m) && m == m) m = x[k];\n"
    "        for (k = 0; k < c; ) {\n"
    "            float t[16] = {0};\n"
    "            do t[k%16] += y[k] = @_exp(x[k] - m); while (++k < c && k%256);\n"
    "            for (l = 0; l < 16; l++) @_collect(&sum[l], &low[l], t[l]);\n"
    "        }\n"
    "        for (l = 8; l > 0; l /= 2) for (k = 0; k < l; k++) sum[k] += sum[k + l];\n"
    "        for (k = 0; k < c; k++) y[k] /= sum[0];\n"
    "    }\n"},
    {NULL, TNN__C_SIGMOID, "glu", "$c, $q", "int c, int n",
    "    int i, k;\n"
    "    for (i = 0; i < n; i++, x += c)\n"
    "        for (k = 0; k < c; k++, x++) *y++ = x[0]*@_sigmoid(x[c]);\n"},
    {tnn__c_samples, 0, "sample", "$d, $w, @_row$i, $h, @_column$i, $l, @_outside$i",
    "int c, int w,\n    const int *row, int n, const int *column, int m, const float *outside",
    "    /* pixel (i, j) is (row[i], column[j]) of x; outside where one of them is negative */\n"
    "    int i, j, k;\n"
    "    for (i = 0; i < n; i++)\n"
    "        for (j = 0; j < m; j++) {\n"
    "            const int in = row[i] >= 0 && column[j] >= 0;\n"
    "            const float *p = in ? x + (row[i]*w + column[j])*c : x;\n"
    "            for (k = 0; k < c; k++) *y++ = in ? p[k] : *outside;\n"
    "        }\n"},
    {NULL, 0, "copy", "$n", "int n", TNN__C_EACH("v")},
    {NULL, 0, "add", "$n, $F", "int n, const float *z", TNN__C_EACH("v + z[i]")},
    {NULL, 0, "relu", "$n", "int n", TNN__C_EACH("0 > v ? 0 : v")},
    {tnn__c_slopes, 0, "leaky", "$n, @_slope$i, $s", "int n, const float *slope, int slots",
     TNN__C_EACH("v > 0 ? v : slope[i%slots]*v")},
    {tnn__c_norm, 0, "affine", "$n, @_mean$i, @_scale$i, @_shift$i, $m",
     "int n, const float *mean,\n    const float *scale, const float *shift, int slots",
     TNN__C_EACH("fmaf(v - mean[i%slots], scale[i%slots], shift[i%slots])")},
    /* the activations, in the order of TNN__ACTIVATIONS */
    TNN__C_TUNED(TNN__C_EXPM1, "elu", "p[2]*(v > 0 ? v : p[0]*@_expm1(p[1]*v))"),
    TNN__C_TUNED(0, "clamp", "p[0] > v ? p[0] : v > p[1] ? p[1] : v"),
    TNN__C_PLAIN(TNN__C_SIXTH, "hardsigmoid", "@_sixth(v)"),
    TNN__C_PLAIN(TNN__C_SIXTH, "hardswish", "v*@_sixth(v)"),
    TNN__C_PLAIN(TNN__C_CDF, "gelu", "v*@_cdf(v)"),
    TNN__C_PLAIN(TNN__C_SIGMOID, "gelu_tanh",
                 "v*@_sigmoid(2*(0.797884561f*(v*fmaf(v*v, 0.044715f, 1))))"),
    TNN__C_PLAIN(TNN__C_SIGMOID, "silu", "v*@_sigmoid(v)"),
    TNN__C_PLAIN(TNN__C_MISH, "mish", "@_mish(v)"),
    TNN__C_TUNED(TNN__C_SOFTPLUS, "softplus", "p[0]*v > p[1] ? v : @_softplus(p[0]*v)/p[0]"),
    TNN__C_PLAIN(TNN__C_ABS, "softsign", "v/(1 + @_abs(v))"),
    TNN__C_PLAIN(TNN__C_SIGMOID, "sigmoid", "@_sigmoid(v)"),
    TNN__C_PLAIN(TNN__C_SOFTPLUS, "log_sigmoid", "0 - @_softplus(0 - v)"),
    TNN__C_PLAIN(TNN__C_TANH, "tanh", "@_tanh(v)")
};

/* ---- 17e. The calls of an operation ---------------------------------------------------------- */
/* What a layer becomes, a row of tnn__c_kinds; -1: it cannot be exported. */
static int tnn__c_kind(const tnn__c_file *file, const tnn__op *op)
{
    static const struct { int type, kind; } rows[] = {
        {TNN__INPUT, TNN__C_RESHAPE},           {TNN_RESHAPE, TNN__C_RESHAPE},
        {TNN_CONV2D, TNN__C_CONV},              {TNN_DENSE, TNN__C_CONV},
        {TNN_MAXPOOL2D, TNN__C_MAXPOOL},        {TNN_ADAPTIVE_MAXPOOL2D, TNN__C_MAXPOOL},
        {TNN_AVGPOOL2D, TNN__C_AVGPOOL},        {TNN_ADAPTIVE_AVGPOOL2D, TNN__C_AVGPOOL},
        {TNN_LEAKY_RELU, TNN__C_LEAKY},         {TNN_PRELU, TNN__C_LEAKY},
        {TNN_RELU, TNN__C_RELU},                {TNN_BATCHNORM, TNN__C_AFFINE},
        {TNN_ADD, TNN__C_ADD},                  {TNN_CONCAT, TNN__C_CONCAT},
        {TNN_SOFTMAX, TNN__C_SOFTMAX},          {TNN_GLU, TNN__C_GLU},
        {TNN_PAD, TNN__C_SAMPLE},               {TNN_UPSAMPLE, TNN__C_SAMPLE}
    };
    size_t i;
    if (op->kind->shape == tnn__function_shape) return TNN__C_FUNCTION + op->function;
    if (op->kind->shape == tnn__dropout_shape || (op->kind->flags & TNN__NOTHING_TO_DO))
        return TNN__C_COPY;
    for (i = 0; i < sizeof rows/sizeof *rows && rows[i].type != op->type; i++) {}
    if (i == sizeof rows/sizeof *rows || (rows[i].kind == TNN__C_AFFINE && !op->track)
        || (rows[i].kind == TNN__C_SAMPLE && tnn__tap_of(op, 0, 2, 2, 0).weight[1] > 0)) return -1;
    return rows[i].kind + (rows[i].kind == TNN__C_CONV && tnn__c_tiled(file, op));
}
/* The calls of operation i, at most three: itself, and the pool and the leaky ReLU that a
   convolution has taken in. Between it and the pool lies a layer's own room, behind the blobs.
   Returns how many; 0: it cannot be exported. */
typedef struct { int kind, in, out; } tnn__c_call;
static int tnn__c_calls(const tnn__c_file *file, int i, tnn__c_call call[3])
{
    const tnn__op *op = &file->net->op[i];
    const int own = file->net->ops + 1;
    int n = 1;
    call[0].kind = tnn__c_kind(file, op);
    call[0].in = op->in;
    call[0].out = i + 1;
    if (call[0].kind < 0) return 0;
    if (tnn__is_conv(op) && op->pool.kh) {
        call[n].kind = TNN__C_MAXPOOL;
        call[0].out = call[n].in = own;
        call[n++].out = i + 1;
    }
    if (tnn__is_conv(op) && op->act && op->slope > 0) {
        call[n].kind = TNN__C_LEAKY;
        call[n].in = call[n].out = i + 1;
        n++;
    }
    return n;
}
/* The floats of its own that a convolution has before a pool that it has taken in. */
static tnn__len tnn__c_before_pool(const tnn__op *op)
{
    return tnn__is_conv(op) && op->pool.kh ? (tnn__len)op->q.oc*op->q.g.oh*op->q.g.ow : 0;
}
/* Lays the blobs into work: each as low as no other that is still to be read lies; behind them what
   a layer has for itself. */
static void tnn__c_place(tnn__c_file *file)
{
    const tnn_net *net = file->net;
    tnn__len *at = file->at, *own = at + net->ops + 1;
    int i, j, k;
    *own = 0;
    for (j = 1; j <= net->ops; j++) {
        const tnn__len size = tnn__values(&net->blob[j]);
        at[j] = 0;
        for (k = 1; k < j; k++) {
            const tnn__len end = at[k] + tnn__values(&net->blob[k]);
            for (i = j - 1; i < net->ops && net->op[i].in != k && net->op[i].from != k; i++) {}
            if (i == net->ops || at[j] >= end || at[k] >= at[j] + size) continue;
            at[j] = end;
            k = 0;                                  /* look again */
        }
        *own = TNN__MAX(*own, at[j] + size);
    }
    file->work = *own;
    for (i = 0; i < net->ops; i++) {
        const tnn__op *op = &net->op[i];
        file->work = TNN__MAX(file->work, *own + tnn__c_before_pool(op)
                                          + (tnn__c_tiled(file, op) ? 16*op->q.g.c : 0));
    }
}
/* What a call reads or writes: `letter` stands for blob, `digits` for its place. */
static void tnn__c_blob(tnn__c_file *file, char letter, int blob, char digits, const char *text)
{
    TNN__C_SET(digits, blob ? file->at[blob] : 0);
    TNN__C_SAY(letter, blob ? text : "x");
}
/* Says what the letters in a call and in its arrays are. */
static void tnn__c_letters(tnn__c_file *file, int i, const tnn__c_call *call)
{
    const tnn_net *net = file->net;
    const tnn__op *op = &net->op[i];
    const tnn__blob *in = &net->blob[op->in], *out = &net->blob[i + 1];
    const tnn__len values = tnn__values(out), first = op->in ? in->c : 1;
    const tnn__len numbers[] = {        /* a sample of the caller's is channels first */
        i, first, values/first, out->c, in->c, net->blob[op->from].c, out->h, out->w, in->w,
        (tnn__len)out->h*out->w, (tnn__len)in->h*in->w, values, op->act && !(op->slope > 0),
        op->per_channel ? in->c : 1, op->element ? values : in->c,
        file->at[net->ops + 1] + tnn__c_before_pool(op)
    };
    int k;
    tnn__c_blob(file, 'I', call->in, 'x', "work + $x");
    tnn__c_blob(file, 'O', call->out, 'y', "work + $y");
    tnn__c_blob(file, 'F', op->from, 'z', "work + $z");
    TNN__C_SAY('S', file->int8 ? "@_scale$i" : "0");
    TNN__C_SAY('B', op->no_bias ? "0" : "@_b$i");
    for (k = 0; k < (int)(sizeof numbers/sizeof *numbers); k++)
        TNN__C_SET("iabcdehlwpqnrsmt"[k], numbers[k]);
}

/* ---- 17f. The file --------------------------------------------------------------------------- */
/* Its beginning: how it is used, and the types. */
static void tnn__c_head(tnn__c_file *file, int needs)
{
    const tnn_net *net = file->net;
    const tnn__blob *in = &net->blob[0];
    TNN__C_SET('p', (tnn__len)net->param_total);
    TNN__C_SET('c', in->c);
    TNN__C_SET('h', in->h);
    TNN__C_SET('w', in->w);
    TNN__C_SET('n', tnn__values(in));
    TNN__C_SET('o', tnn__values(&net->blob[net->ops]));
    TNN__C_SET('k', file->work);
    TNN__C_SAY('T', file->int8 ? "signed char" : "float");
    tnn__c(file, "/* A network of $p parameters, exported by tinynn.h " TNN_VERSION ".\n\n"
           "       void @(const float *x, float *y, float *work);\n\n"
        "   x is a sample of $c channels, $h rows and $w columns, y its $o outputs, work @_WORK\n"
           "   floats of the caller's. Compile with cc -std=c99 -O2, link with -lm for fmaf. */\n"
           "#include <math.h>\n");
    tnn__c(file, !needs ? "\n" : "#include <stdint.h>\n\n"
           "#if defined(__clang__)\n"
           "#pragma STDC FP_CONTRACT OFF\n"
           "#elif defined(__GNUC__)\n"
           "#pragma GCC optimize(\"fp-contract=off\")\n"
           "#endif\n\n");
    tnn__c(file, "enum { @_INPUT = $n, @_OUTPUT = $o, @_WORK = $k };\n"
           "void @(const float *x, float *y, float *work);\n\n"
           "typedef struct {\n"
           "    int c, h, w, oc, oh, ow, kh, kw, sh, sw, ph, pw, dh, dw, groups, row, chain;\n"
           "} @_window;\n"
           "typedef $T @_weight;\n");
}
/* Marks the rows of the table that the network calls; returns the functions that they need. */
static int tnn__c_uses(const tnn__c_file *file, char uses[TNN__C_COUNT])
{
    tnn__c_call call[3];
    int needs = 0, i, k, n;
    memset(uses, 0, TNN__C_COUNT);
    uses[TNN__C_RESHAPE] = 1;                       /* of the outputs */
    for (i = 0; i < file->net->ops; i++)
        for (n = tnn__c_calls(file, i, call), k = 0; k < n; k++) {
            uses[call[k].kind] = 1;
            needs |= tnn__c_kinds[call[k].kind].needs;
        }
    for (i = TNN__C_FUNCTIONS - 1; i >= 0; i--)
        if (needs >> i & 1) needs |= tnn__c_functions[i].needs;
    return needs;
}
/* The whole file: its head, functions and loops, arrays, and the calls in turn. */
static void tnn__c_text(tnn__c_file *file)
{
    const tnn_net *net = file->net;
    const tnn__blob *out = &net->blob[net->ops];
    char uses[TNN__C_COUNT];
    tnn__c_call call[3];
    int needs, i, k, n, calls;
    tnn__c_place(file);
    needs = tnn__c_uses(file, uses);
    tnn__c_head(file, needs);
    for (i = 0; i < TNN__C_FUNCTIONS; i++)
        if (needs >> i & 1) tnn__c_code(file, tnn__c_functions[i].head, tnn__c_functions[i].body);
    for (i = 0; i < TNN__C_COUNT; i++) {
        TNN__C_SAY('N', tnn__c_kinds[i].name);
        TNN__C_SAY('P', tnn__c_kinds[i].parameters);
        if (uses[i])
            tnn__c_code(file, "void @_$N(const float *x, float *y, $P)", tnn__c_kinds[i].body);
    }
    file->bytes = 0;
    for (calls = 0; calls < 2; calls++) {           /* all arrays, then all calls */
        if (calls) {
            TNN__C_SET('b', file->bytes);
            tnn__c(file, "\n/* $b bytes of weights */\n"
                   "void @(const float *x, float *y, float *work)\n{\n");
        }
        for (i = 0; i < net->ops; i++)
            for (n = tnn__c_calls(file, i, call), k = 0; k < n; k++) {
                tnn__c_letters(file, i, &call[k]);
                TNN__C_SAY('N', tnn__c_kinds[call[k].kind].name);
                TNN__C_SAY('A', tnn__c_kinds[call[k].kind].arguments);
                if (calls) tnn__c(file, "    @_$N($I, $O, $A);\n");
                else if (tnn__c_kinds[call[k].kind].arrays)
                    tnn__c_kinds[call[k].kind].arrays(file, &net->op[i]);
            }
    }
    tnn__c_blob(file, 'I', net->ops, 'x', "work + $x");
    TNN__C_SET('c', out->c);
    TNN__C_SET('p', (tnn__len)out->h*out->w);
    TNN__C_SET('o', tnn__values(out));
    tnn__c(file, "    @_reshape($I, y, $c, $p, 1, $o);\n}\n");
}

/* Whether a compiler or linker of C or C++ would take a function's name for something else. */
static int tnn__c_reserved(const char *name)
{
    static const char words[] =                     /* of the languages; of libraries */
        " alignas alignof and and_eq asm auto bitand bitor bool break case catch char class"
        " co_await co_return co_yield compl concept const const_cast consteval constexpr constinit"
        " continue decltype default delete do double dynamic_cast else enum explicit export extern"
        " false far float for friend goto if inline int linux long main mutable namespace near new"
        " noexcept not not_eq nullptr operator or or_eq private protected public register"
        " reinterpret_cast requires restrict return short signed sizeof static static_assert"
        " static_cast std struct switch template this thread_local throw true try typedef typeid"
        " typename typeof typeof_unqual union unix unsigned using virtual void volatile while xor"
        " xor_eq abort abs close exit free index malloc memcpy memset open printf puts read select"
        " send signal sleep time write ";
    static const char math[] =                      /* also with f or l behind */
        " acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erf erfc exp"
        " exp10 exp2 expm1 fabs fdim finite floor fma fmax fmin fmod fpclassify frexp gamma hypot"
        " ilogb isfinite isgreater isinf isless isnan isnormal j0 j1 jn ldexp lgamma llrint llround"
        " log log10 log1p log2 logb lrint lround modf nan nearbyint nextafter nexttoward pow pow10"
        " remainder remquo rint round roundeven scalb scalbln scalbn signbit significand sin sincos"
        " sinh sqrt tan tanh tgamma trunc y0 y1 yn ";
    char word[64] = " ", *end = tnn__put(word + 1, word + 62, name);
    const char *p = name;
    while (*p && (*p < 'a' || *p > 'z')) p++;       /* macros are in capitals */
    if (!*p || *name == '_' || (end > word + 3 && end[-2] == '_' && end[-1] == 't')) return 1;
    end[0] = ' ';
    end[1] = 0;
    if (strstr(words, word) || strstr(math, word)) return 1;
    if (end[-1] != 'f' && end[-1] != 'l') return 0;
    end[-1] = ' ';
    end[0] = 0;
    return strstr(math, word) != NULL;
}
/* Takes the options, and refuses what cannot be exported. */
static tnn_status tnn__c_check(const char *what, tnn__c_file *file, tnn_net *net,
                               const tnn_export_options *options)
{
    tnn__c_call call[3];
    const char *c;
    int i;
    file->net = net;
    file->name = options && options->name ? options->name : "network";
    file->int8 = options && options->int8;
    for (c = file->name; (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_'
                         || (c > file->name && *c >= '0' && *c <= '9'); c++) {}
    if (*c || c == file->name || c - file->name > 60)
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: .name = \"%s\" must be a C identifier of at most "
                         "60 characters", what, file->name);
    if (tnn__c_reserved(file->name))
        return tnn__fail(TNN_ERROR_ARGUMENT, "%s: .name = \"%s\" is a word of C or C++, a name of "
                         "their libraries or reserved for them; \"net_%s\" would do", what,
                         file->name, *file->name == '_' ? "model" : file->name);
    if (tnn__check_saved(what, net, NULL)) return TNN_ERROR_NUMBER;
    for (i = 0; i < net->ops; i++)
        if (!tnn__c_calls(file, i, call))
            return tnn__fail(TNN_ERROR_ARGUMENT, "%s: layer %d, %s, cannot be exported; "
                             "the text above tnn_export_options names those that can", what,
                             net->op[i].layer + 1, net->op[i].kind->name);
    return TNN_OK;
}
/* Checks and prepares: a forward makes batch norm's scales and transformed weights, and a first
   writing to nowhere tells whether all numbers are finite. After TNN_OK file->at is to be
   released. */
static tnn_status tnn__c_begin(const char *what, tnn__c_file *file, tnn_net *net,
                               const tnn_export_options *options)
{
    tnn__writer nowhere;
    float *zeros;
    memset(file, 0, sizeof *file);
    if (tnn_build(net) || tnn__c_check(what, file, net, options)) return (tnn_status)tnn_failed();
    file->at = (tnn__len *)tnn__alloc((net->ops + 2)*(tnn__len)sizeof *file->at, what);
    zeros = file->at ? tnn__floats(tnn__values(&net->blob[0]), what) : NULL;
    if (zeros) tnn_forward(net, zeros, 1, TNN_EVAL);
    net->stage = TNN__NOTHING;
    net->n = 0;
    tnn__release(zeros);
    if (!tnn_failed()) {
        tnn__write_memory(&nowhere, NULL, 0);
        file->writer = &nowhere;
        tnn__c_text(file);
        if (file->odd)
            tnn__fail(TNN_ERROR_NUMBER, "%s: a number made of weights or options is not finite",
                      what);
    }
    if (tnn_failed()) tnn__release(file->at);
    return (tnn_status)tnn_failed();
}
/* To memory; the size of the text, 0 on error. */
TNN_API_GATED size_t tnn_format_c(tnn_net *net, void *to, size_t room,
                                  const tnn_export_options *options)
{
    tnn__c_file file;
    tnn__writer writer;
    if (tnn__c_begin("tnn_format_c", &file, net, options)) return 0;
    tnn__write_memory(&writer, to, room);
    file.writer = &writer;
    tnn__c_text(&file);
    tnn__release(file.at);
    return writer.used;
}
#ifndef TINYNN_NO_STDIO
/* To a path. */
TNN_API_GATED tnn_status tnn_export_c_with(tnn_net *net, const tnn_export_options *options)
{
    tnn__c_file file;
    tnn__writer writer;
    tnn_status e = tnn__c_begin("tnn_export_c", &file, net, options);
    if (e) return e;
    e = tnn__write_start(&writer, options ? options->path : NULL);
    if (!e) {
        file.writer = &writer;
        tnn__c_text(&file);
        e = tnn__write_end(&writer);
    }
    tnn__release(file.at);
    return e;
}
#endif
#endif /* !TINYNN_NO_EXPORT */

/* ==== 18. THE DOOR =============================================================================
   What is called from outside. Each works in the default mode of floating point and leaves the
   caller's as it was; its body above is a function of its own, or compilers would move sums out of
   here. */
#undef TNN__CALL
#define TNN__CALL(name, ...) (TNN__HERE, tnn_##name(__VA_ARGS__))
#define TNN__GATE(type, name, parameters, arguments)                                           \
    TNN_API type (tnn_##name) parameters                                                       \
    {                                                                                          \
        const unsigned was = tnn__mode();                                                      \
        if (was) tnn__set_mode(0);                                                             \
        {                                                                                      \
            type const result = tnn__do_##name arguments;                                      \
            if (was) tnn__set_mode(was);                                                       \
            return result;                                                                     \
        }                                                                                      \
    }
TNN__GATE(tnn_status, set_isa, (const char *a), (a))
TNN__GATE(tnn_status, shutdown, (void), ())
TNN__GATE(float, random_normal, (uint64_t a, uint64_t b, uint64_t c), (a, b, c))
TNN__GATE(tnn_tensor, tensor_create, (int a, int b, int c, int d), (a, b, c, d))
TNN__GATE(tnn_tensor, tensor_slice, (tnn_tensor a, int b, int c), (a, b, c))
TNN__GATE(tnn_status, fill, (tnn_tensor a, float b), (a, b))
TNN__GATE(tnn_status, matmul, (tnn_tensor a, tnn_tensor b, tnn_tensor c, int d), (a, b, c, d))
TNN__GATE(tnn_status, conv2d_forward,
          (tnn_tensor a, tnn_tensor b, tnn_tensor c, const float *d, tnn_window e), (a, b, c, d, e))
TNN__GATE(tnn_status, conv2d_backward_input,
          (tnn_tensor a, tnn_tensor b, tnn_tensor c, tnn_window d), (a, b, c, d))
TNN__GATE(tnn_status, conv2d_backward_weights,
          (tnn_tensor a, float *b, tnn_tensor c, tnn_tensor d, tnn_window e), (a, b, c, d, e))
TNN__GATE(tnn_status, maxpool2d_forward,
          (tnn_tensor a, float *b, tnn_tensor c, tnn_window d), (a, b, c, d))
TNN__GATE(tnn_status, maxpool2d_backward,
          (tnn_tensor a, tnn_tensor b, const float *c, tnn_window d), (a, b, c, d))
TNN__GATE(tnn_status, avgpool2d_forward, (tnn_tensor a, tnn_tensor b, tnn_window c), (a, b, c))
TNN__GATE(tnn_status, avgpool2d_backward, (tnn_tensor a, tnn_tensor b, tnn_window c), (a, b, c))
TNN__GATE(tnn_status, softmax, (tnn_tensor a, tnn_tensor b), (a, b))
TNN__GATE(tnn_status, log_softmax, (tnn_tensor a, tnn_tensor b), (a, b))
TNN__GATE(float, sum, (tnn_tensor a), (a))
TNN__GATE(float, mean, (tnn_tensor a), (a))
TNN__GATE(float, max, (tnn_tensor a), (a))
TNN__GATE(float, dot, (tnn_tensor a, tnn_tensor b), (a, b))
TNN__GATE(int, argmax, (const float *a, int b), (a, b))
TNN__GATE(double, calculate_gain, (const char *a, double b), (a, b))
TNN__GATE(double, penalty, (tnn_net *a), (a))
TNN__GATE(tnn_net *, create_with, (const tnn_net_options *a), (a))
TNN__GATE(tnn_status, add_with, (tnn_net *a, const tnn_layer *b), (a, b))
TNN__GATE(tnn_status, set_loss_with, (tnn_net *a, const tnn_loss_options *b), (a, b))
TNN__GATE(tnn_status, set_optimizer_with, (tnn_net *a, const tnn_optimizer *b), (a, b))
TNN__GATE(size_t, net_bytes, (tnn_net *a), (a))
TNN__GATE(tnn_status, build, (tnn_net *a), (a))
TNN__GATE(int, output_shape, (tnn_net *a, int b[3]), (a, b))
TNN__GATE(tnn_status, forward, (tnn_net *a, const float *b, int c, tnn_mode d), (a, b, c, d))
TNN__GATE(const float *, output, (tnn_net *a), (a))
TNN__GATE(double, loss, (tnn_net *a, const int *b), (a, b))
TNN__GATE(double, loss_targets, (tnn_net *a, const float *b), (a, b))
TNN__GATE(tnn_status, backward, (tnn_net *a), (a))
TNN__GATE(tnn_status, step, (tnn_net *a), (a))
TNN__GATE(double, train_batch, (tnn_net *a, const float *b, const int *c, int d), (a, b, c, d))
TNN__GATE(double, train_batch_targets,
          (tnn_net *a, const float *b, const float *c, int d), (a, b, c, d))
TNN__GATE(tnn_status, set_lr, (tnn_net *a, double b), (a, b))
TNN__GATE(tnn_status, set_momentum, (tnn_net *a, double b), (a, b))
TNN__GATE(tnn_status, set_group,
          (tnn_net *a, const char *b, double c, double d, int e), (a, b, c, d, e))
TNN__GATE(double, clip_grad, (tnn_net *a, tnn_clip b, double c), (a, b, c))
TNN__GATE(tnn_status, use_average, (tnn_net *a, int b), (a, b))
TNN__GATE(int, param_count, (tnn_net *a), (a))
TNN__GATE(tnn_param, param_info, (tnn_net *a, int b), (a, b))
TNN__GATE(long long, param_total, (tnn_net *a), (a))
TNN__GATE(tnn_status, get_param, (tnn_net *a, const char *b, float *c, int d), (a, b, c, d))
TNN__GATE(tnn_status, set_param, (tnn_net *a, const char *b, const float *c, int d), (a, b, c, d))
TNN__GATE(tnn_status, get_grad, (tnn_net *a, const char *b, float *c, int d), (a, b, c, d))
TNN__GATE(float *, flat, (tnn_net *a, int b, size_t *c), (a, b, c))
TNN__GATE(uint64_t, hash, (tnn_net *a), (a))
TNN__GATE(double, schedule_lr, (const tnn_schedule *a, long long b), (a, b))
TNN__GATE(double, schedule_momentum, (const tnn_schedule *a, long long b), (a, b))
TNN__GATE(tnn_status, set_schedule_with, (tnn_net *a, const tnn_schedule *b), (a, b))
TNN__GATE(tnn_status, end_epoch, (tnn_net *a), (a))
TNN__GATE(int, plateau_update, (tnn_plateau *a, double b, double *c), (a, b, c))
TNN__GATE(tnn_data, parse_idx, (const void *a, size_t b, const void *c, size_t d), (a, b, c, d))
TNN__GATE(tnn_data, data_view,
          (const unsigned char *a, const float *b, const int *c, int d, int e, int f, int g),
          (a, b, c, d, e, f, g))
TNN__GATE(tnn_status, normalize, (tnn_data *a, float b, float c), (a, b, c))
TNN__GATE(tnn_data, subset, (const tnn_data *a, int b, int c), (a, b, c))
TNN__GATE(tnn_status, split,
          (const tnn_data *a, int b, uint64_t c, tnn_data *d, tnn_data *e), (a, b, c, d, e))
TNN__GATE(tnn_status, sample, (const tnn_data *a, int b, float *c, int d), (a, b, c, d))
TNN__GATE(tnn_loader *, loader_create_with,
          (const tnn_data *a, const tnn_loader_options *b), (a, b))
TNN__GATE(int, next, (tnn_loader *a), (a))
TNN__GATE(tnn_metrics, evaluate, (tnn_net *a, const tnn_data *b), (a, b))
TNN__GATE(tnn_metrics, confusion, (tnn_net *a, const tnn_data *b, int *c, int d), (a, b, c, d))
TNN__GATE(tnn_metrics, train_epoch, (tnn_net *a, tnn_loader *b), (a, b))
TNN__GATE(int, early_stop, (tnn_early_stopping *a, tnn_net *b, double c), (a, b, c))
TNN__GATE(tnn_status, early_stopping_end, (tnn_early_stopping *a, tnn_net *b), (a, b))
TNN__GATE(double, lr_find, (tnn_net *a, tnn_loader *b, tnn_lr_finder *c), (a, b, c))
TNN__GATE(double, gradient_check,
          (tnn_net *a, const float *b, const int *c, int d, int e), (a, b, c, d, e))
TNN__GATE(tnn_status, update_statistics, (tnn_net *a, tnn_loader *b), (a, b))
TNN__GATE(size_t, summary, (tnn_net *a, char *b, size_t c, int d), (a, b, c, d))
#ifndef TINYNN_NO_SEARCH
TNN__GATE(tnn_study *, study_create_with, (const tnn_study_options *a), (a))
TNN__GATE(tnn_trial *, ask, (tnn_study *a), (a))
TNN__GATE(double, trial_float, (const tnn_trial *a, const char *b), (a, b))
TNN__GATE(int, trial_int, (const tnn_trial *a, const char *b), (a, b))
TNN__GATE(int, trial_choice, (const tnn_trial *a, const char *b), (a, b))
TNN__GATE(int, report, (tnn_trial *a, int b, double c), (a, b, c))
TNN__GATE(tnn_status, tell, (tnn_trial *a, double b), (a, b))
TNN__GATE(const tnn_trial *, study_best, (const tnn_study *a), (a))
TNN__GATE(double, study_explained, (const tnn_study *a, const char *b), (a, b))
#endif
TNN__GATE(double, array_value, (const tnn_array *a, long long b), (a, b))
TNN__GATE(tnn_array, parse_npy, (const void *a, size_t b), (a, b))
TNN__GATE(tnn_array, parse_csv, (const void *a, size_t b), (a, b))
TNN__GATE(tnn_array, parse_pnm, (const void *a, size_t b), (a, b))
TNN__GATE(tnn_data, array_data,
          (const tnn_array *a, const tnn_array *b, const tnn_npy_options *c), (a, b, c))
TNN__GATE(int, parse_weights,
          (tnn_net *a, const void *b, size_t c, const tnn_weights_options *d), (a, b, c, d))
TNN__GATE(size_t, format_weights,
          (tnn_net *a, void *b, size_t c, const tnn_weights_options *d), (a, b, c, d))
TNN__GATE(tnn_status, parse_checkpoint,
          (tnn_net *a, const void *b, size_t c, const tnn_checkpoint_options *d), (a, b, c, d))
TNN__GATE(size_t, format_checkpoint,
          (tnn_net *a, void *b, size_t c, const tnn_checkpoint_options *d), (a, b, c, d))
TNN__GATE(tnn_safetensors, parse_safetensors, (const void *a, size_t b), (a, b))
TNN__GATE(tnn_array, safetensors_array, (const tnn_safetensors *a, int b), (a, b))
#ifndef TINYNN_NO_STDIO
TNN__GATE(tnn_data, load_idx, (const char *a, const char *b), (a, b))
TNN__GATE(tnn_status, write_file, (const char *a, const void *b, size_t c), (a, b, c))
TNN__GATE(tnn_array, read_npy, (const char *a), (a))
TNN__GATE(tnn_status, save_npy,
          (const char *a, const void *b, tnn_dtype c, int d, const long long *e), (a, b, c, d, e))
TNN__GATE(tnn_array, read_csv, (const char *a), (a))
TNN__GATE(tnn_array, read_pnm, (const char *a), (a))
TNN__GATE(tnn_data, load_npy_with, (const tnn_npy_options *a), (a))
TNN__GATE(int, load_weights_with, (tnn_net *a, const tnn_weights_options *b), (a, b))
TNN__GATE(tnn_status, save_weights_with, (tnn_net *a, const tnn_weights_options *b), (a, b))
TNN__GATE(tnn_status, save_checkpoint_with, (tnn_net *a, const tnn_checkpoint_options *b), (a, b))
TNN__GATE(tnn_status, load_checkpoint_with, (tnn_net *a, const tnn_checkpoint_options *b), (a, b))
TNN__GATE(tnn_safetensors, read_safetensors, (const char *a), (a))
#endif
#ifndef TINYNN_NO_EXPORT
TNN__GATE(size_t, format_c,
          (tnn_net *a, void *b, size_t c, const tnn_export_options *d), (a, b, c, d))
#ifndef TINYNN_NO_STDIO
TNN__GATE(tnn_status, export_c_with, (tnn_net *a, const tnn_export_options *b), (a, b))
#endif
#endif

#if defined(__clang__)
    #pragma STDC FP_CONTRACT DEFAULT
    #pragma clang diagnostic push
    #pragma clang diagnostic ignored "-Wignored-pragmas"
    #pragma float_control(pop)
    #pragma clang diagnostic pop
#elif defined(__GNUC__)
    #pragma GCC diagnostic pop
    #pragma GCC pop_options
#endif
#endif /* !TNN__PASS */
#endif /* TINYNN_IMPLEMENTATION */

/* ==== 19. HISTORY ==============================================================================
   0.2.0  Where tnn_x has named options, tnn_x_with takes them as a struct. Before, the functions
          behind the macros had names of their own:
            tnn_net_create      tnn_create_with          tnn_npy_load        tnn_load_npy_with
            tnn_add_layer       tnn_add_with             tnn_weights_load    tnn_load_weights_with
            tnn_net_loss        tnn_set_loss_with        tnn_weights_save    tnn_save_weights_with
            tnn_net_optimizer   tnn_set_optimizer_with   tnn_c_export        tnn_export_c_with
            tnn_net_schedule    tnn_set_schedule_with    tnn_loader_open     tnn_loader_create_with
            tnn_checkpoint_load tnn_load_checkpoint_with tnn_study_open      tnn_study_create_with
            tnn_checkpoint_save tnn_save_checkpoint_with
   0.1.0  The first. */

/* ==== 20. LICENCE ==============================================================================
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
