#include <stdint.h>
#include <math.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define LANES 16  // floats of one vector
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t masks __attribute__((vector_size(4 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));
// Helpers are functions: in macros that name an accumulator twice, it would not stay in its register. They are always
// inlined, so how a vector argument would be passed does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

// loss: absolute error, with the gradient.
//
//   x         [groups, 3, 5, 7, 16]  16 images in lanes
//   expected  [batch, 3, 5, 7]
//   weights   [batch]
//   each      [batch, 5]             sum over each row
//   d_x       [groups, 3, 5, 7, 16]
//
// Lanes without an image get a gradient of zero.
static NOINLINE void loss_forward_backward(int batch, int groups, const float *restrict x_,
                                           const float *restrict expected_, const float *restrict weights,
                                           float *restrict each_, float *restrict d_x_) {
    enum { K = 3, H = 5, W = 7 };
    const float (*x)[K][H][W][LANES] = (const float (*)[K][H][W][LANES])x_;
    const float (*expected)[K][H][W] = (const float (*)[K][H][W])expected_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W][LANES] = (float (*)[K][H][W][LANES])d_x_;
    const float scale = 0.75f / (float)batch;

    for (int n = 0; n < groups; n++) {
        for (int h = 0; h < H; h++) {
            double total[LANES] = {0.0};
            int image[LANES];  // the last one again in lanes without an image
            for (int l = 0; l < LANES; l++) image[l] = MIN(n * LANES + l, batch - 1);
            for (int k = 0; k < K; k++) {
                float sum[LANES] = {0.0f};
                for (int w = 0; w < W; w++) {
                    for (int l = 0; l < LANES; l++) {
                        const float p = x[n][k][h][w][l], t = expected[image[l]][k][h][w];
                        // loss
                        const float value = fabsf(p - t), slope = p > t ? 1.0f : p < t ? -1.0f : p - t;
                        sum[l] += weights[image[l]] * value;
                        const float step = scale * weights[image[l]] * slope;
                        d_x[n][k][h][w][l] = n * LANES + l < batch ? step : 0.0f;
                    }
                }
                for (int l = 0; l < LANES; l++) total[l] += sum[l];
            }
            for (int l = 0; l < LANES && n * LANES + l < batch; l++) each[n * LANES + l][h] = (float)total[l];
        }
    }
}

// loss: sum over the rows, mean over the batch.
//
//   each  [batch, 5]
//   loss  [1]
static NOINLINE void loss_mean(int batch, const float *restrict each, float *restrict loss) {
    double sum = 0.0;
    for (int n = 0; n < batch * 5; n++) sum += each[n];
    loss[0] = (float)(sum / batch);
}
