#include <stdint.h>
#include <math.h>
#include <string.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

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
//   x      [batch, 2, 1, 1030]
//   label  [batch, 1, 1030]
//   sums   [batch, 1, 2, 2]     overlap of probabilities and truth, and both
static void loss_sums(int batch, const float *restrict x_, const int32_t *restrict label_, float *restrict sums_) {
    enum { K = 2, H = 1, W = 1030 };
    enum { PIECE = 1024 };  // columns
    enum { CELLS = 1024 };  // pixels that are judged at once
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const int32_t (*label)[H][W] = (const int32_t (*)[H][W])label_;
    float (*sums)[H][K][2] = (float (*)[H][K][2])sums_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            for (int first = 0; first < W; first += PIECE) {
                const int cells = MIN(PIECE, W - first);
                int32_t wanted[CELLS];  // -1: left out
                for (int i = 0; i < cells; i++) wanted[i] = label[n][h][first + i];
                for (int i = 0; i < cells; i++) wanted[i] = wanted[i] == 255 ? -1 : wanted[i];
                float largest[CELLS], sum[CELLS];
                for (int i = 0; i < cells; i++) {
                    largest[i] = -INFINITY;
                    sum[i] = 0.0f;
                }
                for (int k = 0; k < K; k++) {
                    const float *score = &x[n][k][h][first];
                    for (int i = 0; i < cells; i++) largest[i] = score[i] > largest[i] ? score[i] : largest[i];
                }
                for (int k = 0; k < K; k++) {
                    const float *score = &x[n][k][h][first];
                    for (int i = 0; i < cells; i++) sum[i] += exp_float(score[i] - largest[i]);
                }
                for (int k = 0; k < K; k++) {
                    const float *score = &x[n][k][h][first];
                    float share[CELLS];
                    for (int i = 0; i < cells; i++) {
                        share[i] = wanted[i] < 0 ? 0.0f : exp_float(score[i] - largest[i]) / sum[i];
                    }
                    double both = 0.0, mass = 0.0;
                    for (int i = 0; i < MIN(PIECE, W - first); i++) {
                        const int is_own = wanted[i] == k;
                        both += is_own ? share[i] : 0.0f;
                        mass += share[i] + (float)is_own;
                    }
                    float *row = sums[n][h][k];
                    row[0] = (float)both + (first > 0 ? row[0] : 0.0f);
                    row[1] = (float)mass + (first > 0 ? row[1] : 0.0f);
                }
            }
        }
    }
}

// loss: Dice score of each image and class.
//
//   sums     [batch, 1, 2, 2]
//   factors  [batch, 2, 2]     gradient by the probability: of the truth, and of all pixels
//   each     [batch]           loss of each image
static void loss_scores(int batch, const float *restrict sums_, float *restrict factors_, float *restrict each) {
    enum { K = 2, H = 1 };
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
//   x        [batch, 2, 1, 1030]
//   label    [batch, 1, 1030]
//   factors  [batch, 2, 2]
//   d_x      [batch, 2, 1, 1030]
static void loss_backward(int batch, const float *restrict x_, const int32_t *restrict label_,
                          const float *restrict factors_, float *restrict d_x_) {
    enum { K = 2, H = 1, W = 1030 };
    enum { PIECE = 1024 };  // columns
    enum { CELLS = 1024 };  // pixels that are judged at once
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const int32_t (*label)[H][W] = (const int32_t (*)[H][W])label_;
    const float (*factors)[K][2] = (const float (*)[K][2])factors_;
    float (*d_x)[K][H][W] = (float (*)[K][H][W])d_x_;
    const float scale = 0.75f / ((float)batch * 2.0f);

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            for (int first = 0; first < W; first += PIECE) {
                const int cells = MIN(PIECE, W - first);
                int32_t wanted[CELLS];  // -1: left out
                for (int i = 0; i < cells; i++) wanted[i] = label[n][h][first + i];
                for (int i = 0; i < cells; i++) wanted[i] = wanted[i] == 255 ? -1 : wanted[i];
                float largest[CELLS], sum[CELLS], mean[CELLS];  // mean: of the gradients by the probabilities
                for (int i = 0; i < cells; i++) {
                    largest[i] = -INFINITY;
                    sum[i] = mean[i] = 0.0f;
                }
                for (int k = 0; k < K; k++) {
                    const float *score = &x[n][k][h][first];
                    for (int i = 0; i < cells; i++) largest[i] = score[i] > largest[i] ? score[i] : largest[i];
                }
                for (int k = 0; k < K; k++) {
                    const float *score = &x[n][k][h][first];
                    for (int i = 0; i < cells; i++) {
                        const float *factor = factors[n][k];
                        const float share = exp_float(score[i] - largest[i]);
                        sum[i] += share;
                        mean[i] += share * (wanted[i] == k ? factor[0] + factor[1] : factor[1]);
                    }
                }
                for (int i = 0; i < cells; i++) mean[i] /= sum[i];
                for (int k = 0; k < K; k++) {
                    const float *score = &x[n][k][h][first];
                    float *slope = &d_x[n][k][h][first];
                    for (int i = 0; i < cells; i++) {
                        const float *factor = factors[n][k];
                        const float by_share = wanted[i] == k ? factor[0] + factor[1] : factor[1];
                        const float share = exp_float(score[i] - largest[i]) / sum[i];
                        slope[i] = wanted[i] < 0 ? 0.0f : scale * (share * (by_share - mean[i]));
                    }
                }
            }
        }
    }
}

// loss: mean over the batch.
//
//   each  [batch]
//   loss  [1]
static void loss_mean(int batch, const float *restrict each, float *restrict loss) {
    double sum = 0.0;
    for (int n = 0; n < batch; n++) sum += each[n];
    loss[0] = (float)(sum / batch);
}
