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

// loss: hinge loss of Crammer and Singer, with the gradient.
//
//   x        [groups, 3, 5, 7, 16]  16 images in lanes
//   label    [batch, 5, 7]
//   weights  [batch]
//   each     [batch, 5]             sum over each row
//   d_x      [groups, 3, 5, 7, 16]
//
// Lanes without an image get a gradient of zero.
static NOINLINE void loss_forward_backward(int batch, int groups, const float *restrict x_,
                                           const int32_t *restrict label_, const float *restrict weights,
                                           float *restrict each_, float *restrict d_x_) {
    enum { K = 3, H = 5, W = 7 };
    enum { CELLS = 112 };  // pixels that are judged at once
    const float (*x)[K][H][W][LANES] = (const float (*)[K][H][W][LANES])x_;
    const int32_t (*label)[H][W] = (const int32_t (*)[H][W])label_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W][LANES] = (float (*)[K][H][W][LANES])d_x_;
    const float scale = 0.75f / ((float)batch * 35.0f);

    for (int n = 0; n < groups; n++) {
        for (int h = 0; h < H; h++) {
            double total[LANES] = {0.0};
            int image[LANES];  // the last one again in lanes without an image
            for (int l = 0; l < LANES; l++) image[l] = MIN(n * LANES + l, batch - 1);
            int32_t wanted[CELLS];
            for (int i = 0; i < CELLS; i++) wanted[i] = label[image[i % LANES]][h][i / LANES];
            float weight[CELLS];
            for (int i = 0; i < CELLS; i++) weight[i] = (n * LANES + i % LANES < batch ? 1.0f : 0.0f)
                * weights[image[i % LANES]];
            float loss[CELLS];
            // loss
            float own[CELLS], best[CELLS];
            int32_t rival[CELLS];  // the highest of the other classes
            for (int i = 0; i < CELLS; i++) {
                own[i] = 0.0f;
                best[i] = -INFINITY;
                rival[i] = -1;
            }
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) {
                    const int is_own = k == wanted[i];
                    const int is_better = !is_own && (score[i] > best[i] || score[i] != score[i]);
                    own[i] = is_own ? score[i] : own[i];
                    best[i] = is_better ? score[i] : best[i];
                    rival[i] = is_better ? k : rival[i];
                }
            }
            for (int i = 0; i < CELLS; i++) {
                const float gap = 1.0f + best[i] - own[i];
                loss[i] = gap < 0.0f ? 0.0f : gap;
            }
            for (int l = 0; l < LANES; l++) {
                for (int w = 0; w < W; w++) {
                    const int i = w * LANES + l;
                    total[l] += weight[i] * loss[i];
                }
            }
            // loss
            for (int k = 0; k < K; k++) {
                float *slope = d_x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) {
                    const float side = k == wanted[i] ? -1.0f : k == rival[i] ? 1.0f : 0.0f;
                    slope[i] = loss[i] > 0.0f ? scale * weight[i] * side : 0.0f;
                }
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
    loss[0] = (float)(sum / ((double)batch * 35.0));
}
