#include <stdint.h>
#include <math.h>
#include <string.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif

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

// ln x for x of at least 1, within 2 units in the last place. NaN and infinity pass through.
static inline float log_float(float x) {
    if (!(x < INFINITY)) return x;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    int power = (int)(bits >> 23) - 127;
    bits = (bits & 0x7fffffu) | 0x3f800000u;
    float m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.41421356f) {
        m *= 0.5f;
        power++;
    }
    const float s = (m - 1.0f) / (m + 1.0f), q = s * s;  // ln m = 2 artanh s
    const float series = (0.14934601f * q + 0.199888264f) * q + 0.333333876f;
    const float ln = 2.0f * s + 2.0f * s * q * series;
    return (float)power * 0.693359375f + (ln - (float)power * 2.12194440e-4f);
}

// loss: softmax and cross-entropy, with the gradient.
//
//   x         [batch, 7]
//   expected  [batch, 7]
//   each      [batch]     sum over each row
//   d_x       [batch, 7]
static void loss_forward_backward(int batch, const float *restrict x_, const float *restrict expected_,
                                  float *restrict each_, float *restrict d_x_) {
    enum { K = 7, H = 1, W = 1 };  // features as one pixel
    enum { CELLS = 1 };  // pixels that are judged at once
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const float (*expected)[K][H][W] = (const float (*)[K][H][W])expected_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W] = (float (*)[K][H][W])d_x_;
    const float scale = 0.75f / (float)batch;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            double total = 0.0;
            float loss[CELLS];
            // loss
            float largest[CELLS], sum[CELLS], mass[CELLS];  // mass: the target's sum over the classes
            for (int i = 0; i < CELLS; i++) largest[i] = -INFINITY;
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h];
                for (int i = 0; i < CELLS; i++) largest[i] = score[i] > largest[i] ? score[i] : largest[i];
            }
            for (int i = 0; i < CELLS; i++) sum[i] = mass[i] = loss[i] = 0.0f;
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h];
                for (int i = 0; i < CELLS; i++) {
                    const float below = score[i] - largest[i];
                    const float share = expected[n][k][h][i];
                    sum[i] += exp_float(below);
                    mass[i] += share;
                    loss[i] -= share * below;
                }
            }
            for (int i = 0; i < CELLS; i++) loss[i] += mass[i] * log_float(sum[i]);
            for (int i = 0; i < W; i++) total += loss[i];
            // loss
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h];
                float *slope = d_x[n][k][h];
                for (int i = 0; i < CELLS; i++) {
                    const float share = expected[n][k][h][i];
                    const float probability = exp_float(score[i] - largest[i]) / sum[i];
                    slope[i] = scale * (mass[i] * probability - share);
                }
            }
            each[n][h] = (float)total;
        }
    }
}

// loss: sum over the rows, mean over the batch.
//
//   each  [batch]
//   loss  [1]
static void loss_mean(int batch, const float *restrict each, float *restrict loss) {
    double sum = 0.0;
    for (int n = 0; n < batch; n++) sum += each[n];
    loss[0] = (float)(sum / batch);
}
