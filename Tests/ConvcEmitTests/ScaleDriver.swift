/// A C program that calls every entry point of ``ScaleModule`` and prints what does not hold.
let scaleDriver = """
  #include "scale.h"
  #include "scale.h"
  #include <math.h>
  #include <stdio.h>
  #include <string.h>

  #define ALIGNED __attribute__((aligned(SCALE_ALIGNMENT)))
  #define CHECK(condition) \\
      do { \\
          if (!(condition)) { \\
              printf("line %d: %s\\n", __LINE__, #condition); \\
              return 1; \\
          } \\
      } while (0)

  enum { C = 5, N = SCALE_MAX_BATCH, P = SCALE_PARAMETERS_FLOATS };

  static ALIGNED char packed[SCALE_PACKED_BYTES + 4];
  static ALIGNED char workspace[SCALE_TRAINING_WORKSPACE_BYTES];
  static float x[N * C], y[N * C], wanted[N * C];
  static int32_t labels[N] = {0, 1, 2, 0};
  static const void *inputs[] = {x}, *targets[] = {wanted, labels};
  static void *outputs[] = {y};

  static void start(float *parameters, float *optimizer) {
      for (int i = 0; i < P; i++) parameters[i] = 0.5f - 0.125f * (float)i;
      memset(optimizer, 0, SCALE_OPTIMIZER_FLOATS * sizeof(float));
  }

  static int forward(float *parameters) {
      for (int threads = 0; threads < 6; threads++) {
          for (int batch = 1; batch <= N; batch++) {
              memset(y, 0xFF, sizeof y);
              CHECK(scale_prepare(parameters, packed) == CONVC_OK);
              CHECK(scale_forward(packed, inputs, outputs, batch, threads, workspace) == CONVC_OK);
              for (int i = 0; i < batch * C; i++) {
                  const float v = x[i] * parameters[i % C] + parameters[C + i % C] + 0.5f;
                  CHECK(fabsf(y[i] - (v < 0 ? 0 : v)) < 1e-6f);
              }
              for (int i = batch * C; i < N * C; i++) CHECK(y[i] != y[i]);
          }
      }
      return 0;
  }

  static int step(scale_options options, int whole, float *parameters, float *optimizer, float *loss) {
      float gradients[SCALE_GRADIENTS_FLOATS] = {0};
      for (options.step = 0; options.step < 3; options.step++) {
          if (whole) {
              CHECK(scale_train_step(parameters, packed, inputs, targets, N, &options, gradients, optimizer, loss,
                                     NULL, workspace) == CONVC_OK);
          } else {
              void *none[] = {NULL};
              CHECK(scale_gradients(parameters, packed, inputs, targets, N, &options, gradients, loss, none,
                                    workspace) == CONVC_OK);
              CHECK(scale_update(parameters, gradients, optimizer, &options) == CONVC_OK);
              CHECK(scale_prepare(parameters, packed) == CONVC_OK);
          }
      }
      return 0;
  }

  static int train(void) {
      scale_options options = CONVC_OPTIONS_DEFAULT;
      options.rate = 0.1f;
      options.momentum = 0.9f;
      options.weight_decay = 0.01f;
      float first[P], v[P], loss[2];
      start(first, v);
      CHECK(scale_prepare(first, packed) == CONVC_OK);
      CHECK(step(options, 0, first, v, &loss[0]) == 0);
      for (options.threads = 0; options.threads < 6; options.threads++) {
          float parameters[P], w[P];
          start(parameters, w);
          CHECK(step(options, 1, parameters, w, &loss[1]) == 0);
          CHECK(memcmp(first, parameters, sizeof first) == 0);
          CHECK(memcmp(v, w, sizeof v) == 0);
          CHECK(loss[0] == loss[1]);
          char again[SCALE_PACKED_BYTES];
          memcpy(again, packed, sizeof again);
          CHECK(scale_prepare(parameters, packed) == CONVC_OK);
          CHECK(memcmp(again, packed, sizeof again) == 0);
      }
      return 0;
  }

  // One step from known values, by hand.
  static int values(void) {
      scale_options options = CONVC_OPTIONS_DEFAULT;
      float p[P], q[P], v[P], gradients[P], expected[P], loss = 0, sum = 0;
      start(p, v);
      memset(expected, 0, sizeof expected);
      memset(y, 0, sizeof y);
      for (int i = 0; i < N * C; i++) {
          const float s = x[i] * p[i % C] + p[C + i % C] + 0.5f;
          const float d = (s < 0 ? 0 : s) - wanted[i];
          sum += d * d;
          if (s <= 0) continue;
          expected[i % C] += 2 * d / (N * C) * x[i];
          expected[C + i % C] += 2 * d / (N * C);
      }
      CHECK(scale_gradients(p, packed, inputs, targets, N, &options, gradients, &loss, outputs, workspace) == 0);
      CHECK(fabsf(loss - sum / (N * C)) < 1e-5f);
      CHECK(y[6] != 0);
      for (int i = 0; i < P; i++) CHECK(fabsf(gradients[i] - expected[i]) < 1e-5f);
      options.accumulate = 1;
      CHECK(scale_gradients(p, packed, inputs, targets, N, &options, gradients, &loss, NULL, workspace) == 0);
      for (int i = 0; i < P; i++) CHECK(fabsf(gradients[i] - 2 * expected[i]) < 1e-5f);
      options.momentum = 0.5f;
      options.weight_decay = 0.25f;
      memcpy(q, p, sizeof p);
      for (int i = 0; i < P; i++) v[i] = 1;
      CHECK(scale_update(p, gradients, v, &options) == CONVC_OK);
      for (int i = 0; i < P; i++) {
          const float w = 0.5f + gradients[i] + (i < C ? 0.25f * q[i] : 0);
          CHECK(fabsf(v[i] - w) < 1e-6f);
          CHECK(fabsf(p[i] - (q[i] - options.rate * w)) < 1e-6f);
      }
      return 0;
  }

  static int errors(void) {
      scale_options options = CONVC_OPTIONS_DEFAULT;
      float p[P], v[P], g[P] = {0}, before[P], loss = 7;
      const void *none[] = {NULL}, *no_targets[] = {wanted, NULL};
      start(p, v);
      memcpy(before, p, sizeof p);
      CHECK(scale_prepare(NULL, packed) == CONVC_ERROR_NULL);
      CHECK(scale_prepare(p, NULL) == CONVC_ERROR_NULL);
      CHECK(scale_prepare(p, packed + 4) == CONVC_ERROR_ALIGNMENT);
      CHECK(scale_forward(packed, NULL, outputs, 1, 0, workspace) == CONVC_ERROR_NULL);
      CHECK(scale_forward(packed, none, outputs, 1, 0, workspace) == CONVC_ERROR_NULL);
      CHECK(scale_forward(packed, inputs, outputs, 0, 0, workspace) == CONVC_ERROR_BATCH);
      CHECK(scale_forward(packed, inputs, outputs, N + 1, 0, workspace) == CONVC_ERROR_BATCH);
      CHECK(scale_forward(packed, inputs, outputs, 1, 0, workspace + 4) == CONVC_ERROR_ALIGNMENT);
      CHECK(scale_gradients(p, packed, inputs, no_targets, N, &options, g, &loss, NULL, workspace) == CONVC_ERROR_NULL);
      CHECK(scale_gradients(p, packed, inputs, targets, N, NULL, g, &loss, NULL, workspace) == CONVC_ERROR_NULL);
      CHECK(scale_gradients(p, packed, inputs, targets, 9, &options, g, &loss, NULL, workspace) == CONVC_ERROR_BATCH);
      labels[3] = 3;
      CHECK(scale_gradients(p, packed, inputs, targets, 3, &options, g, &loss, NULL, workspace) == CONVC_OK);
      loss = 7;
      memset(g, 0, sizeof g);
      CHECK(scale_train_step(p, packed, inputs, targets, N, &options, g, v, &loss, NULL, workspace) == CONVC_ERROR_LABEL);
      labels[3] = -1;
      CHECK(scale_gradients(p, packed, inputs, targets, N, &options, g, &loss, NULL, workspace) == CONVC_ERROR_LABEL);
      CHECK(loss == 7 && g[0] == 0 && memcmp(before, p, sizeof p) == 0);
      labels[3] = 0;
      CHECK(scale_train_step(p, packed, inputs, targets, N, &options, g, NULL, &loss, NULL, workspace) == CONVC_ERROR_NULL);
      options.struct_size = 8;
      CHECK(scale_update(p, g, v, &options) == CONVC_ERROR_OPTIONS);
      CHECK(scale_gradients(p, packed, inputs, targets, N, &options, g, &loss, NULL, workspace) == CONVC_ERROR_OPTIONS);
      return 0;
  }

  static int model(void) {
      const convc_model *m = scale_model();
      CHECK(m->abi_version == CONVC_ABI_VERSION && m->struct_size == sizeof *m);
      CHECK(strcmp(m->name, "scale") == 0 && strcmp(m->model_hash, "0123abcd") == 0);
      CHECK(m->max_batch == N && m->inputs_count == 1 && m->outputs_count == 1 && m->targets_count == 2);
      CHECK(strcmp(m->inputs[0].name, "x") == 0 && m->inputs[0].rank == 2 && m->inputs[0].shape[1] == C);
      CHECK(m->inputs[0].preprocessing->channels == 1 && m->inputs[0].preprocessing->deviation[0] == 0.25f);
      CHECK(m->targets[1].element == CONVC_INT32 && m->losses[0].target == 0);
      CHECK(strcmp(m->parameters[1].name, "scale1.bias") == 0 && m->parameters[1].gradient_offset == C);
      CHECK(m->classes_count == 3 && strcmp(m->classes[1], "\\"dog\\"?\\?/\\n") == 0);
      CHECK(m->forward == scale_forward && m->train_step == scale_train_step);
      return 0;
  }

  int main(void) {
      float parameters[P], optimizer[P];
      for (int i = 0; i < N * C; i++) {
          x[i] = (float)(i % 7) - 2.5f;
          wanted[i] = (float)(i % 3);
      }
      start(parameters, optimizer);
      return forward(parameters) || train() || values() || errors() || model();
  }

  """
