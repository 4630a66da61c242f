/* options.h - every option of tnn_optimizer but .user and .update, for tests that set each in turn

   STRUCT is the struct; D, F, I and E say that a member of it is a double, a float, an int, an
   enumerator. */
#ifndef OPTIONS_H
#define OPTIONS_H

typedef struct { const char *name; size_t at; char type; } option;
#define O(member) {#member, offsetof(STRUCT, member),
#define I(member) O(member) 'i'},
#define E(member) O(member) 'e'},
#define F(member) O(member) 'f'},
#define D(member) O(member) 'd'},

#define STRUCT tnn_optimizer
static const option rule_options[] = {
    D(lr) D(momentum) D(dampening) I(nesterov) D(weight_decay) D(beta1) D(beta2) D(eps) D(beta3)
    D(alpha) D(rho) D(gamma) D(lambd) D(t0) D(lr_decay) D(initial_accumulator) D(eta_minus)
    D(eta_plus) D(step_min) D(step_max) D(momentum_decay) D(trust) D(beta2_decay) D(eps2)
    D(clip_threshold) D(r) D(weight_lr_power) D(ns_a) D(ns_b) D(ns_c) D(tolerance_grad)
    D(tolerance_change) I(keras_eps) I(velocity) I(amsgrad) I(maximize) I(decoupled) I(centered)
    I(rectify) I(no_nesterov) I(match_rms) I(strong_wolfe) I(warmup_steps) I(alpha_warmup)
    I(beta3_warmup) I(interval) I(ns_steps) I(max_iter) I(max_eval) I(history) I(states)
    I(no_bias_decay) D(clip_value) D(clip_tensor) D(clip_norm) I(accumulate) I(lookahead)
    D(lookahead_alpha) D(ema) I(ema_warmup) I(swa_start) I(swa_every)
};
#undef STRUCT
#endif
