#include <stdint.h>
#include <math.h>
#include <string.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
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

// e^x for x up to 88, within 2 units in the last place; below -87.7 it is 0. NaN passes through.
static inline float exp_float(float x) {
    const float least = x < -88.0f ? -88.0f : x, near = least > 88.0f ? 88.0f : least;
    const float shifted = near * 1.44269504f + 12583039.0f;  // 1.5 * 2^23 + 127: the last bits are power + 127
    const float power = shifted - 12583039.0f;
    const float r = (near - power * 0.693359375f) + power * 2.12194440e-4f;  // ln 2 in two parts: r is exact
    float sum = 1.38145400e-3f * r + 8.36874514e-3f;
    sum = sum * r + 4.16683908e-2f;
    sum = sum * r + 0.166665204f;
    sum = sum * r + 0.499999934f;
    sum = sum * r + 1.0f;
    sum = sum * r + 1.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits <<= 23;
    float scale;  // 2^power, or 0 where that is -127
    memcpy(&scale, &bits, sizeof scale);
    return sum * scale;
}

// loss: sums over each row for the Dice score.
//
//   x      [groups, 3, 5, 7, 16]  16 images in lanes
//   label  [batch, 5, 7]
//   sums   [batch, 5, 3, 2]       overlap of probabilities and truth, and both
static NOINLINE void loss_sums(int batch, int groups, const float *restrict x_, const int32_t *restrict label_,
                               float *restrict sums_) {
    enum { K = 3, H = 5, W = 7 };
    enum { CELLS = 112 };  // pixels that are judged at once
    const float (*x)[K][H][W][LANES] = (const float (*)[K][H][W][LANES])x_;
    const int32_t (*label)[H][W] = (const int32_t (*)[H][W])label_;
    float (*sums)[H][K][2] = (float (*)[H][K][2])sums_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < groups; n++) {
        for (int h = 0; h < H; h++) {
            int32_t wanted[CELLS];  // -1: left out
            for (int i = 0; i < CELLS; i++) {
                const int image = n * LANES + i % LANES;
                wanted[i] = image < batch ? label[image][h][i / LANES] : -1;
            }
            float largest[CELLS], sum[CELLS];
            for (int i = 0; i < CELLS; i++) {
                largest[i] = -INFINITY;
                sum[i] = 0.0f;
            }
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) largest[i] = score[i] > largest[i] ? score[i] : largest[i];
            }
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) sum[i] += exp_float(score[i] - largest[i]);
            }
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                float share[CELLS];
                for (int i = 0; i < CELLS; i++) {
                    share[i] = wanted[i] < 0 ? 0.0f : exp_float(score[i] - largest[i]) / sum[i];
                }
                for (int l = 0; l < LANES && n * LANES + l < batch; l++) {
                    double both = 0.0, mass = 0.0;
                    for (int w = 0; w < W; w++) {
                        const int i = w * LANES + l, is_own = wanted[i] == k;
                        both += is_own ? share[i] : 0.0f;
                        mass += share[i] + (float)is_own;
                    }
                    float *row = sums[n * LANES + l][h][k];
                    row[0] = (float)both;
                    row[1] = (float)mass;
                }
            }
        }
    }
}

// loss: Dice score of each image and class.
//
//   sums     [batch, 5, 3, 2]
//   factors  [batch, 3, 2]     gradient by the probability: of the truth, and of all pixels
//   each     [batch]           loss of each image
static NOINLINE void loss_scores(int batch, const float *restrict sums_, float *restrict factors_,
                                 float *restrict each) {
    enum { K = 3, H = 5 };
    const float (*sums)[H][K][2] = (const float (*)[H][K][2])sums_;
    float (*factors)[K][2] = (float (*)[K][2])factors_;

    for (int n = 0; n < batch; n++) {
        double lost = 0.0;
        for (int k = 0; k < K; k++) {
            double both = 0.0, mass = 1.0f;
            for (int h = 0; h < H; h++) {
                both += sums[n][h][k][0];
                mass += sums[n][h][k][1];
            }
            const double score = (2.0 * both + 1.0f) / mass;
            lost += 1.0 - score;
            factors[n][k][0] = (float)(-2.0 / mass);
            factors[n][k][1] = (float)(score / mass);
        }
        each[n] = (float)(lost / K);
    }
}

// loss: gradient of the Dice score.
//
//   x        [groups, 3, 5, 7, 16]  16 images in lanes
//   label    [batch, 5, 7]
//   factors  [batch, 3, 2]
//   d_x      [groups, 3, 5, 7, 16]
//
// Lanes without an image get a gradient of zero.
static NOINLINE void loss_backward(int batch, int groups, const float *restrict x_, const int32_t *restrict label_,
                                   const float *restrict factors_, float *restrict d_x_) {
    enum { K = 3, H = 5, W = 7 };
    enum { CELLS = 112 };  // pixels that are judged at once
    const float (*x)[K][H][W][LANES] = (const float (*)[K][H][W][LANES])x_;
    const int32_t (*label)[H][W] = (const int32_t (*)[H][W])label_;
    const float (*factors)[K][2] = (const float (*)[K][2])factors_;
    float (*d_x)[K][H][W][LANES] = (float (*)[K][H][W][LANES])d_x_;
    const float scale = 0.75f / ((float)batch * 3.0f);

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < groups; n++) {
        for (int h = 0; h < H; h++) {
            int32_t wanted[CELLS];  // -1: left out
            for (int i = 0; i < CELLS; i++) {
                const int image = n * LANES + i % LANES;
                wanted[i] = image < batch ? label[image][h][i / LANES] : -1;
            }
            float largest[CELLS], sum[CELLS], mean[CELLS];  // mean: of the gradients by the probabilities
            for (int i = 0; i < CELLS; i++) {
                largest[i] = -INFINITY;
                sum[i] = mean[i] = 0.0f;
            }
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) largest[i] = score[i] > largest[i] ? score[i] : largest[i];
            }
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) {
                    const float *factor = factors[MIN(n * LANES + i % LANES, batch - 1)][k];
                    const float share = exp_float(score[i] - largest[i]);
                    sum[i] += share;
                    mean[i] += share * (wanted[i] == k ? factor[0] + factor[1] : factor[1]);
                }
            }
            for (int i = 0; i < CELLS; i++) mean[i] /= sum[i];
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                float *slope = d_x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) {
                    const float *factor = factors[MIN(n * LANES + i % LANES, batch - 1)][k];
                    const float by_share = wanted[i] == k ? factor[0] + factor[1] : factor[1];
                    const float share = exp_float(score[i] - largest[i]) / sum[i];
                    slope[i] = wanted[i] < 0 ? 0.0f : scale * (share * (by_share - mean[i]));
                }
            }
        }
    }
}

// loss: mean over the batch.
//
//   each  [batch]
//   loss  [1]
static NOINLINE void loss_mean(int batch, const float *restrict each, float *restrict loss) {
    double sum = 0.0;
    for (int n = 0; n < batch; n++) sum += each[n];
    loss[0] = (float)(sum / batch);
}
