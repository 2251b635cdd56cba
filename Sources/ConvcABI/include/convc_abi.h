#ifndef CONVC_ABI_H
#define CONVC_ABI_H
// What a program and the C that convc generates agree on. This text stands in every generated header, under this one
// guard, so that headers of several models can be included together.
#include <stddef.h>
#include <stdint.h>

#define CONVC_ABI_VERSION 2  // 2: 64-bit integers and booleans; embedded_packed, embedded_parameters
#define CONVC_ALIGNMENT 64  // bytes: packed, workspace, and nothing else, must start at a multiple of it

// What every function returns.
enum {
    CONVC_OK = 0,
    CONVC_ERROR_NULL = 1,       // a pointer that must not be NULL is NULL
    CONVC_ERROR_BATCH = 2,      // batch is not in 1...max_batch
    CONVC_ERROR_ALIGNMENT = 3,  // packed or workspace does not start at a multiple of CONVC_ALIGNMENT
    CONVC_ERROR_LABEL = 4,      // a class label is not in 0...classes - 1; nothing was changed
    CONVC_ERROR_OPTIONS = 5     // options->struct_size is smaller than this interface's structure
};

// Element types of inputs, outputs and targets; a bool is a byte, 0 or 1.
enum { CONVC_FLOAT32 = 1, CONVC_INT32 = 2, CONVC_INT64 = 3, CONVC_BOOL = 4 };

// Settings of one training step. Start from CONVC_OPTIONS_DEFAULT: fields may be added at the end.
typedef struct convc_options {
    size_t struct_size;    // sizeof(convc_options)
    float rate;            // learning rate
    float momentum;        // 0: none. v = momentum * v + gradient; parameter -= rate * v
    float weight_decay;    // added to a gradient as weight_decay * parameter; biases and normalisation excluded
    int32_t accumulate;    // 1: gradients add to what the gradient block holds; 0: they replace it
    int32_t threads;       // 0: as many as OpenMP takes by default
    uint32_t reserved;     // 0
    uint64_t seed;         // of dropout, together with step
    uint64_t step;         // number of the step, from 0
} convc_options;
#define CONVC_OPTIONS_DEFAULT {sizeof(convc_options), 0.01f, 0.0f, 0.0f, 0, 0, 0, 0, 0}

// How raw pixels become an input: x = (pixel * scale - mean[c]) / deviation[c].
typedef struct convc_preprocessing {
    float scale;
    int32_t channels;  // entries of mean and deviation
    const float *mean;
    const float *deviation;
} convc_preprocessing;

// An input, output or target at the boundary: dense, row-major, NCHW; shape[0] is the largest batch,
// but with fixed_batch: there shapes are whole, and a call is one run.
typedef struct convc_tensor {
    const char *name;
    int32_t element;  // CONVC_FLOAT32, CONVC_INT32 ...
    int32_t rank;
    const int64_t *shape;
    const convc_preprocessing *preprocessing;  // NULL: none
} convc_tensor;

// A loss: the entry `index` of `losses` is its mean over the batch, before `weight`.
typedef struct convc_loss {
    const char *name;
    float weight;
    int32_t output;  // index of the output it judges; -1: none, it is the penalty on weights
    int32_t target;  // index of its target, or -1
} convc_loss;

// Kinds of parameters, in the order in which they stand in the parameter block.
enum { CONVC_TRAINABLE = 0, CONVC_FROZEN = 1, CONVC_STATISTIC = 2 };

typedef struct convc_parameter {
    const char *name;
    int32_t kind;
    int32_t rank;
    const int64_t *shape;
    int64_t offset;           // floats from the start of the parameter block
    int64_t gradient_offset;  // floats from the start of the gradient block, -1: no gradient
} convc_parameter;

typedef int convc_prepare_function(const float *parameters, void *packed);
typedef int convc_forward_function(const void *packed, const void *const *inputs, void *const *outputs, int batch,
                                   int threads, void *workspace);
typedef int convc_gradients_function(float *parameters, const void *packed, const void *const *inputs,
                                     const void *const *targets, int batch, const convc_options *options,
                                     float *gradients, float *losses, void *const *outputs, void *workspace);
typedef int convc_update_function(float *parameters, const float *gradients, float *optimizer,
                                  const convc_options *options);
typedef int convc_train_step_function(float *parameters, void *packed, const void *const *inputs,
                                      const void *const *targets, int batch, const convc_options *options,
                                      float *gradients, float *optimizer, float *losses, void *const *outputs,
                                      void *workspace);

// All that a program needs to use a model it knows nothing of.
typedef struct convc_model {
    uint32_t abi_version;  // CONVC_ABI_VERSION
    uint32_t struct_size;  // sizeof(convc_model)
    const char *name;
    const char *target;  // the row of the target table the C was written for
    const char *model_hash;
    int32_t max_batch;
    int32_t fixed_batch;  // 1: batch must be max_batch, which is 1; every tensor has its whole shape
    int32_t inputs_count, outputs_count, targets_count, losses_count, parameters_count, classes_count;
    const convc_tensor *inputs;
    const convc_tensor *outputs;
    const convc_tensor *targets;
    const convc_loss *losses;
    const convc_parameter *parameters;
    const char *const *classes;  // class names, classes_count of them
    int64_t parameters_floats;   // the parameter block
    int64_t gradients_floats;    // the gradient block: the trainable part of the parameter block
    int64_t optimizer_floats;    // the optimiser's state
    int64_t packed_bytes;
    int64_t inference_workspace_bytes;
    int64_t training_workspace_bytes;
    convc_prepare_function *prepare;
    convc_forward_function *forward;
    convc_gradients_function *gradients;    // NULL in an inference build, as the next two
    convc_update_function *update;
    convc_train_step_function *train_step;
    const void *embedded_packed;       // the packed form of the weights in this library, for forward; or NULL
    const float *embedded_parameters;  // the parameter block in this library, for prepare; or NULL
} convc_model;

typedef const convc_model *convc_model_function(void);

#endif
