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

// loss: cosine proximity, with the gradient.
//
//   x         [groups, 7, 16]  16 images in lanes
//   expected  [batch, 7]
//   each      [batch]          sum over each row
//   d_x       [groups, 7, 16]
//
// Lanes without an image get a gradient of zero.
static NOINLINE void loss_forward_backward(int batch, int groups, const float *restrict x_,
                                           const float *restrict expected_, float *restrict each_,
                                           float *restrict d_x_) {
    enum { K = 7, H = 1, W = 1 };  // features as one pixel
    enum { CELLS = 16 };  // pixels that are judged at once
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
            float weight[CELLS];
            for (int i = 0; i < CELLS; i++) weight[i] = (n * LANES + i % LANES < batch ? 1.0f : 0.0f);
            float loss[CELLS];
            // loss
            float own[CELLS], aim[CELLS];  // squares of the lengths, then 1 over the lengths
            for (int i = 0; i < CELLS; i++) loss[i] = own[i] = aim[i] = 0.0f;
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) {
                    const float p = score[i];
                    const float t = expected[image[i % LANES]][k][h][i / LANES];
                    loss[i] -= p * t;
                    own[i] += p * p;
                    aim[i] += t * t;
                }
            }
            for (int i = 0; i < CELLS; i++) {
                own[i] = own[i] > 0.0f ? 1.0f / sqrtf(own[i]) : 0.0f;
                aim[i] = aim[i] > 0.0f ? 1.0f / sqrtf(aim[i]) : 0.0f;
                loss[i] *= own[i] * aim[i];
            }
            for (int l = 0; l < LANES; l++) {
                for (int w = 0; w < W; w++) {
                    const int i = w * LANES + l;
                    total[l] += weight[i] * loss[i];
                }
            }
            // loss
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                float *slope = d_x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) {
                    const float p = score[i] * own[i];
                    const float t = expected[image[i % LANES]][k][h][i / LANES] * aim[i];
                    slope[i] = -scale * weight[i] * own[i] * (t + loss[i] * p);
                }
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
