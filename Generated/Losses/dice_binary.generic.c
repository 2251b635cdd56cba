#include <stdint.h>
#include <string.h>

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
//   x      [batch, 1, 5, 7]
//   label  [batch, 5, 7]
//   sums   [batch, 5, 1, 2]  overlap of probabilities and truth, and both
static void loss_sums(int batch, const float *restrict x_, const int32_t *restrict label_, float *restrict sums_) {
    enum { K = 1, H = 5, W = 7 };
    enum { CELLS = 7 };  // pixels that are judged at once
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const int32_t (*label)[H][W] = (const int32_t (*)[H][W])label_;
    float (*sums)[H][K][2] = (float (*)[H][K][2])sums_;

    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            int32_t wanted[CELLS];  // -1: left out
            for (int i = 0; i < CELLS; i++) wanted[i] = label[n][h][i];
            for (int i = 0; i < CELLS; i++) wanted[i] = wanted[i] == 255 ? -1 : wanted[i];
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h];
                float share[CELLS];
                for (int i = 0; i < CELLS; i++) {
                    share[i] = wanted[i] < 0 ? 0.0f : 1.0f / (1.0f + exp_float(-score[i]));
                }
                double both = 0.0, mass = 0.0;
                for (int i = 0; i < W; i++) {
                    const int is_own = wanted[i] == 1;
                    both += is_own ? share[i] : 0.0f;
                    mass += share[i] + (float)is_own;
                }
                float *row = sums[n][h][k];
                row[0] = (float)both;
                row[1] = (float)mass;
            }
        }
    }
}

// loss: Dice score of each image and class.
//
//   sums     [batch, 5, 1, 2]
//   factors  [batch, 1, 2]     gradient by the probability: of the truth, and of all pixels
//   each     [batch]           loss of each image
static void loss_scores(int batch, const float *restrict sums_, float *restrict factors_, float *restrict each) {
    enum { K = 1, H = 5 };
    const float (*sums)[H][K][2] = (const float (*)[H][K][2])sums_;
    float (*factors)[K][2] = (float (*)[K][2])factors_;

    for (int n = 0; n < batch; n++) {
        double lost = 0.0;
        for (int k = 0; k < K; k++) {
            double both = 0.0, mass = 0.5f;
            for (int h = 0; h < H; h++) {
                both += sums[n][h][k][0];
                mass += sums[n][h][k][1];
            }
            const double score = (2.0 * both + 0.5f) / mass;
            lost += 1.0 - score;
            factors[n][k][0] = (float)(-2.0 / mass);
            factors[n][k][1] = (float)(score / mass);
        }
        each[n] = (float)(lost / K);
    }
}

// loss: gradient of the Dice score.
//
//   x        [batch, 1, 5, 7]
//   label    [batch, 5, 7]
//   factors  [batch, 1, 2]
//   d_x      [batch, 1, 5, 7]
static void loss_backward(int batch, const float *restrict x_, const int32_t *restrict label_,
                          const float *restrict factors_, float *restrict d_x_) {
    enum { K = 1, H = 5, W = 7 };
    enum { CELLS = 7 };  // pixels that are judged at once
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const int32_t (*label)[H][W] = (const int32_t (*)[H][W])label_;
    const float (*factors)[K][2] = (const float (*)[K][2])factors_;
    float (*d_x)[K][H][W] = (float (*)[K][H][W])d_x_;
    const float scale = 0.75f / (float)batch;

    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            int32_t wanted[CELLS];  // -1: left out
            for (int i = 0; i < CELLS; i++) wanted[i] = label[n][h][i];
            for (int i = 0; i < CELLS; i++) wanted[i] = wanted[i] == 255 ? -1 : wanted[i];
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h];
                float *slope = d_x[n][k][h];
                for (int i = 0; i < CELLS; i++) {
                    const float *factor = factors[n][k];
                    const float by_share = wanted[i] == 1 ? factor[0] + factor[1] : factor[1];
                    const float share = 1.0f / (1.0f + exp_float(-score[i]));
                    slope[i] = wanted[i] < 0 ? 0.0f : scale * (by_share * share * (1.0f - share));
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
