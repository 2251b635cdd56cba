/// A C program that trains a network it knows nothing of, with memory of exactly the sizes that the
/// network's description gives. `MODEL` is the function that returns the description.
///
/// Workspaces start as NaN and -1, so what a step reads before it writes it shows, too.
let sanitizerDriver = """
  #include <math.h>
  #include <stdio.h>
  #include <stdlib.h>
  #include <string.h>

  #define CHECK(condition) \\
      do { \\
          if (!(condition)) { \\
              printf("line %d: %s\\n", __LINE__, #condition); \\
              exit(1); \\
          } \\
      } while (0)

  static uint32_t random_bits(void) {
      static uint32_t state = 1;
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      return state;
  }

  // Exactly as many elements of four bytes as asked for, at the worst alignment that is allowed.
  static void *elements(int64_t count) {
      char *memory = malloc((size_t)count * 4 + 4);
      CHECK(memory != NULL);
      memset(memory, 0xFF, (size_t)count * 4 + 4);
      return memory + 4;
  }

  // Bytes at the alignment that the interface asks for and no better; NaN in floats, -1 in integers.
  static void *aligned(int64_t bytes) {
      void *memory = NULL;
      CHECK(posix_memalign(&memory, CONVC_ALIGNMENT, (size_t)bytes) == 0);
      memset(memory, 0xFF, (size_t)bytes);
      return memory;
  }

  static float *uniform(int64_t count) {
      float *values = elements(count);
      for (int64_t i = 0; i < count; i++) values[i] = (float)(random_bits() % 2001) / 1000 - 1;
      return values;
  }

  static int64_t per_image(const convc_tensor *tensor) {
      int64_t count = 1;
      for (int axis = 1; axis < tensor->rank; axis++) count *= tensor->shape[axis];
      return count;
  }

  static float *parameters_of(const convc_model *model) {
      float *values = uniform(model->parameters_floats);
      for (int i = 0; i < model->parameters_count; i++) {
          const convc_parameter *parameter = &model->parameters[i];
          int64_t count = 1;
          for (int axis = 0; axis < parameter->rank; axis++) count *= parameter->shape[axis];
          float *start = values + parameter->offset;
          // Variances must be positive, and scores small enough for finite losses.
          for (int64_t j = 0; j < count; j++) start[j] = parameter->kind == CONVC_STATISTIC ? 1 : start[j] / 8;
      }
      return values;
  }

  static void *target_of(const convc_model *model, int target, int batch) {
      const int64_t count = batch * per_image(&model->targets[target]);
      if (model->targets[target].element == CONVC_FLOAT32) return uniform(count);
      int32_t *labels = elements(count);
      for (int loss = 0; loss < model->losses_count; loss++) {
          if (model->losses[loss].target != target) continue;
          const uint32_t classes = (uint32_t)model->outputs[model->losses[loss].output].shape[1];
          for (int64_t i = 0; i < count; i++) labels[i] = (int32_t)(random_bits() % classes);
      }
      return labels;
  }

  static void check_finite(const float *values, int64_t count) {
      for (int64_t i = 0; i < count; i++) CHECK(isfinite(values[i]));
  }

  enum { MOST = 8 };  // inputs, outputs or targets

  static void train(const convc_model *model, int batch) {
      void *inputs[MOST], *targets[MOST], *outputs[MOST];
      for (int i = 0; i < model->inputs_count; i++) inputs[i] = uniform(batch * per_image(&model->inputs[i]));
      for (int i = 0; i < model->targets_count; i++) targets[i] = target_of(model, i, batch);
      for (int i = 0; i < model->outputs_count; i++) outputs[i] = elements(batch * per_image(&model->outputs[i]));
      float *parameters = parameters_of(model);
      float *gradients = elements(model->gradients_floats);
      float *optimizer = elements(model->optimizer_floats);
      float *losses = elements(model->losses_count);
      memset(optimizer, 0, (size_t)model->optimizer_floats * 4);
      void *packed = aligned(model->packed_bytes);
      const void *const *x = (const void *const *)inputs, *const *t = (const void *const *)targets;

      convc_options options = CONVC_OPTIONS_DEFAULT;
      options.momentum = 0.9f;
      options.weight_decay = 1e-3f;
      CHECK(model->prepare(parameters, packed) == CONVC_OK);
      for (options.step = 0; options.step < 4; options.step++) {
          void *workspace = aligned(model->training_workspace_bytes);
          void *const *y = options.step == 1 ? NULL : outputs;
          if (options.step < 2) {
              CHECK(model->train_step(parameters, packed, x, t, batch, &options, gradients, optimizer, losses, y,
                                      workspace) == CONVC_OK);
          } else {
              options.accumulate = options.step == 3;
              CHECK(model->gradients(parameters, packed, x, t, batch, &options, gradients, losses, y, workspace)
                    == CONVC_OK);
              CHECK(model->update(parameters, gradients, optimizer, &options) == CONVC_OK);
              CHECK(model->prepare(parameters, packed) == CONVC_OK);
          }
          check_finite(losses, model->losses_count);
          check_finite(gradients, model->gradients_floats);
          check_finite(parameters, model->parameters_floats);
          free(workspace);
      }
      void *workspace = aligned(model->inference_workspace_bytes);
      CHECK(model->forward(packed, x, outputs, batch, 0, workspace) == CONVC_OK);
      for (int i = 0; i < model->outputs_count; i++) {
          check_finite(outputs[i], batch * per_image(&model->outputs[i]));
      }
  }

  int main(void) {
      const convc_model *model = MODEL();
      train(model, 1);
      train(model, model->max_batch);
      printf("ok\\n");
      return 0;
  }
  """
