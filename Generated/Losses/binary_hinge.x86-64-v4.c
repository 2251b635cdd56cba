#include <stdint.h>
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

// loss: hinge loss, with the gradient.
//
//   x      [groups, 1, 16]  16 images in lanes
//   label  [batch, 1]
//   each   [batch]          sum over each row
//   d_x    [groups, 1, 16]
//
// Lanes without an image get a gradient of zero.
static NOINLINE void loss_forward_backward(int batch, int groups, const float *restrict x_,
                                           const int32_t *restrict label_, float *restrict each_,
                                           float *restrict d_x_) {
    enum { K = 1, H = 1, W = 1 };  // features stand in one row
    const float (*x)[K][H][W][LANES] = (const float (*)[K][H][W][LANES])x_;
    const int32_t (*label)[K][H][W] = (const int32_t (*)[K][H][W])label_;
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
                        const float p = x[n][k][h][w][l], t = (float)label[image[l]][k][h][w];
                        // loss
                        const float side = 2.0f * t - 1.0f, gap = 1.0f - side * p;
                        const float value = gap < 0.0f ? 0.0f : gap, slope = gap > 0.0f ? -side : 0.0f;
                        sum[l] += value;
                        const float step = scale * slope;
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
//   each  [batch]
//   loss  [1]
static NOINLINE void loss_mean(int batch, const float *restrict each, float *restrict loss) {
    double sum = 0.0;
    for (int n = 0; n < batch; n++) sum += each[n];
    loss[0] = (float)(sum / batch);
}
