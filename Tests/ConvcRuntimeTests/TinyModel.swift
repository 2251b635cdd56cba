import FoundationEssentials

@testable import ConvcRuntime

/// A model written by hand in the form that convc generates, small enough to check by hand.
///
/// `y = scale * (W x + b)` with `x [N, 3]` and `y [N, 2]`, for up to 4 images. Two losses: `squared`
/// is the mean of `(y - goal)^2 / 2` summed over `y`, with weight 1; `pick` is the mean of
/// `-y[label]`, with weight 0.5. `scale` is frozen, `seen` counts images of training.
/// Macros make faulty variants: `INFERENCE_ONLY`, `FIXED_BATCH`, `VERSION=n`, `BAD_OFFSET`,
/// `STATUS=n` (what forward returns).
enum TinyModel {
  static var sources: [CSource] {
    get throws { [CSource(name: "tiny.c", text: code), try header] }
  }

  static var header: CSource {
    get throws {
      let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
      let file = root.appending(path: "Sources/ConvcABI/include/convc_abi.h")
      return CSource(name: "convc_abi.h", text: try String(contentsOf: file, encoding: .utf8))
    }
  }

  private static let code = functions + descriptor

  private static let functions = """
    #include "convc_abi.h"
    enum { N = 4, C = 3, K = 2, WEIGHTS = K * C, TRAINABLE = WEIGHTS + K, PACKED = TRAINABLE + 1 };
    #ifndef VERSION
    #define VERSION CONVC_ABI_VERSION
    #endif
    #ifdef FIXED_BATCH
    #define IS_FIXED 1
    #else
    #define IS_FIXED 0
    #endif
    #ifdef BAD_OFFSET
    #define SEEN 1000
    #else
    #define SEEN PACKED
    #endif

    static int prepare(const float *parameters, void *packed) {
        if (!parameters || !packed) return CONVC_ERROR_NULL;
        if ((uintptr_t)packed % CONVC_ALIGNMENT) return CONVC_ERROR_ALIGNMENT;
        for (int i = 0; i < PACKED; i++) ((float *)packed)[i] = parameters[i];
        return CONVC_OK;
    }

    static void linear(const float *p, const float *x, float *y) {
        for (int k = 0; k < K; k++) {
            float sum = p[WEIGHTS + k];
            for (int c = 0; c < C; c++) sum += p[k * C + c] * x[c];
            y[k] = p[TRAINABLE] * sum;
        }
    }

    static int forward(const void *packed, const void *const *inputs, void *const *outputs, int batch,
                       int threads, void *workspace) {
        (void)threads;
    #ifdef STATUS
        return STATUS;
    #endif
        if (!packed || !inputs || !outputs || !workspace) return CONVC_ERROR_NULL;
        if (batch < 1 || batch > N) return CONVC_ERROR_BATCH;
        if ((uintptr_t)workspace % CONVC_ALIGNMENT) return CONVC_ERROR_ALIGNMENT;
        for (int n = 0; n < batch; n++)
            linear(packed, (const float *)inputs[0] + n * C, (float *)outputs[0] + n * K);
        return CONVC_OK;
    }

    static int gradients(float *parameters, const void *packed, const void *const *inputs,
                         const void *const *targets, int batch, const convc_options *options, float *gradients,
                         float *losses, void *const *outputs, void *workspace) {
        if (!parameters || !packed || !inputs || !targets || !gradients || !losses || !workspace)
            return CONVC_ERROR_NULL;
        if (options->struct_size < sizeof(convc_options)) return CONVC_ERROR_OPTIONS;
        if (batch < 1 || batch > N) return CONVC_ERROR_BATCH;
        const int32_t *labels = targets[1];
        for (int n = 0; n < batch; n++)
            if (labels[n] < 0 || labels[n] >= K) return CONVC_ERROR_LABEL;
        const float *p = packed;
        if (!options->accumulate)
            for (int i = 0; i < TRAINABLE; i++) gradients[i] = 0;
        losses[0] = losses[1] = 0;
        for (int n = 0; n < batch; n++) {
            const float *x = (const float *)inputs[0] + n * C, *goal = (const float *)targets[0] + n * K;
            float y[K];
            linear(p, x, y);
            losses[1] -= y[labels[n]] / (float)batch;
            for (int k = 0; k < K; k++) {
                const float difference = y[k] - goal[k];
                losses[0] += 0.5f * difference * difference / (float)batch;
                const float d_y = p[TRAINABLE] * (difference - (k == labels[n] ? 0.5f : 0)) / (float)batch;
                for (int c = 0; c < C; c++) gradients[k * C + c] += d_y * x[c];
                gradients[WEIGHTS + k] += d_y;
                if (outputs) ((float *)outputs[0])[n * K + k] = y[k];
            }
        }
        parameters[PACKED] += (float)batch;
        return CONVC_OK;
    }

    static int update(float *parameters, const float *gradients, float *optimizer, const convc_options *options) {
        if (!parameters || !gradients || !optimizer || !options) return CONVC_ERROR_NULL;
        for (int i = 0; i < TRAINABLE; i++) {
            const float decay = i < WEIGHTS ? options->weight_decay * parameters[i] : 0;
            optimizer[i] = options->momentum * optimizer[i] + gradients[i] + decay;
            parameters[i] -= options->rate * optimizer[i];
        }
        return CONVC_OK;
    }

    static int train_step(float *parameters, void *packed, const void *const *inputs, const void *const *targets,
                          int batch, const convc_options *options, float *gradient, float *optimizer,
                          float *losses, void *const *outputs, void *workspace) {
        int status = gradients(parameters, packed, inputs, targets, batch, options, gradient, losses, outputs,
                               workspace);
        if (status == CONVC_OK) status = update(parameters, gradient, optimizer, options);
        return status == CONVC_OK ? prepare(parameters, packed) : status;
    }

    """

  private static let descriptor = """

    static const int64_t x_shape[] = {N, C}, y_shape[] = {N, K}, label_shape[] = {N};
    static const int64_t weight_shape[] = {K, C}, bias_shape[] = {K}, one[] = {1};
    static const float mean[] = {0.5f}, deviation[] = {0.25f};
    static const convc_preprocessing pixels = {1.0f / 255, 1, mean, deviation};
    static const convc_tensor inputs[] = {{"x", CONVC_FLOAT32, 2, x_shape, &pixels}};
    static const convc_tensor outputs[] = {{"y", CONVC_FLOAT32, 2, y_shape, 0}};
    static const convc_tensor targets[] = {{"goal", CONVC_FLOAT32, 2, y_shape, 0},
                                           {"labels", CONVC_INT32, 1, label_shape, 0}};
    static const convc_loss losses[] = {{"squared", 1, 0, 0}, {"pick", 0.5f, 0, 1}};
    static const convc_parameter parameters[] = {
        {"weight", CONVC_TRAINABLE, 2, weight_shape, 0, 0},
        {"bias", CONVC_TRAINABLE, 1, bias_shape, WEIGHTS, WEIGHTS},
        {"scale", CONVC_FROZEN, 1, one, TRAINABLE, -1},
        {"seen", CONVC_STATISTIC, 1, one, SEEN, -1},
    };
    static const char *const classes[] = {"left", "right"};
    static const convc_model model = {
        .abi_version = VERSION, .struct_size = sizeof(convc_model), .name = "tiny", .target = "generic",
        .model_hash = "0123", .max_batch = N, .fixed_batch = IS_FIXED, .inputs_count = 1,
        .outputs_count = 1, .targets_count = 2, .losses_count = 2, .parameters_count = 4,
        .classes_count = 2, .inputs = inputs, .outputs = outputs, .targets = targets, .losses = losses,
        .parameters = parameters, .classes = classes, .parameters_floats = PACKED + 1,
        .gradients_floats = TRAINABLE, .optimizer_floats = TRAINABLE, .packed_bytes = 64,
        .inference_workspace_bytes = 64, .training_workspace_bytes = 128, .prepare = prepare,
        .forward = forward,
    #ifndef INFERENCE_ONLY
        .gradients = gradients, .update = update, .train_step = train_step,
    #endif
    };
    __attribute__((visibility("default"))) const convc_model *tiny_model(void);
    const convc_model *tiny_model(void) { return &model; }

    """
}
