#include <stdint.h>
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

// loss: sums over each row for the Dice score.
//
//   x      [groups, 17, 3, 5, 16]  16 images in lanes
//   label  [batch, 3, 5]
//   sums   [batch, 3, 17, 2]       overlap of probabilities and truth, and both
static NOINLINE void loss_sums(int batch, int groups, const float *restrict x_, const int32_t *restrict label_,
                               float *restrict sums_) {
    enum { K = 17, H = 3, W = 5 };
    enum { CELLS = 80 };  // pixels that are judged at once
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
            for (int i = 0; i < CELLS; i++) wanted[i] = wanted[i] == 255 ? -1 : wanted[i];
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                float share[CELLS];
                for (int i = 0; i < CELLS; i++) {
                    share[i] = wanted[i] < 0 ? 0.0f : score[i];
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
//   sums     [batch, 3, 17, 2]
//   weights  [batch]
//   factors  [batch, 17, 2]     gradient by the probability: of the truth, and of all pixels
//   each     [batch]            loss of each image
static NOINLINE void loss_scores(int batch, const float *restrict sums_, const float *restrict weights,
                                 float *restrict factors_, float *restrict each) {
    enum { K = 17, H = 3 };
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
            factors[n][k][0] = (float)(weights[n] * -2.0 / mass);
            factors[n][k][1] = (float)(weights[n] * score / mass);
        }
        each[n] = (float)(weights[n] * lost / K);
    }
}

// loss: gradient of the Dice score.
//
//   label    [batch, 3, 5]
//   factors  [batch, 17, 2]
//   d_x      [groups, 17, 3, 5, 16]
//
// Lanes without an image get a gradient of zero.
static NOINLINE void loss_backward(int batch, int groups, const int32_t *restrict label_,
                                   const float *restrict factors_, float *restrict d_x_) {
    enum { K = 17, H = 3, W = 5 };
    enum { CELLS = 80 };  // pixels that are judged at once
    const int32_t (*label)[H][W] = (const int32_t (*)[H][W])label_;
    const float (*factors)[K][2] = (const float (*)[K][2])factors_;
    float (*d_x)[K][H][W][LANES] = (float (*)[K][H][W][LANES])d_x_;
    const float scale = 0.75f / ((float)batch * 17.0f);

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < groups; n++) {
        for (int h = 0; h < H; h++) {
            int32_t wanted[CELLS];  // -1: left out
            for (int i = 0; i < CELLS; i++) {
                const int image = n * LANES + i % LANES;
                wanted[i] = image < batch ? label[image][h][i / LANES] : -1;
            }
            for (int i = 0; i < CELLS; i++) wanted[i] = wanted[i] == 255 ? -1 : wanted[i];
            for (int k = 0; k < K; k++) {
                float *slope = d_x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) {
                    const float *factor = factors[MIN(n * LANES + i % LANES, batch - 1)][k];
                    const float by_share = wanted[i] == k ? factor[0] + factor[1] : factor[1];
                    slope[i] = wanted[i] < 0 ? 0.0f : scale * (by_share);
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
