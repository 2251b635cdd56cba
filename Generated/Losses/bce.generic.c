#include <stdint.h>
#include <math.h>
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

// ln(1 + e^x) within 4 units in the last place, as max(x, 0) + ln(1 + e^-|x|). NaN passes through.
static inline float softplus_float(float x) {
    const float e = exp_float(-fabsf(x));
    const float s = e / (2.0f + e), q = s * s;  // ln(1 + e) = 2 artanh s
    const float series = ((0.140103828f * q + 0.139999938f) * q + 0.200108193f) * q + 0.333332072f;
    return (x < 0.0f ? 0.0f : x) + 2.0f * s + 2.0f * s * q * series;
}

// loss: sigmoid and binary cross-entropy, with the gradient.
//
//   x         [batch, 7]
//   expected  [batch, 7]
//   each      [batch]     sum over each row
//   d_x       [batch, 7]
static void loss_forward_backward(int batch, const float *restrict x_, const float *restrict expected_,
                                  float *restrict each_, float *restrict d_x_) {
    enum { K = 1, H = 1, W = 7 };  // features stand in one row
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const float (*expected)[K][H][W] = (const float (*)[K][H][W])expected_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W] = (float (*)[K][H][W])d_x_;
    const float scale = 0.75f / ((float)batch * 7.0f);

    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            double total = 0.0;
            for (int k = 0; k < K; k++) {
                float loss[W];
                for (int w = 0; w < W; w++) {
                    const float p = x[n][k][h][w], t = expected[n][k][h][w];
                    // loss
                    const float rest = softplus_float(p > 0.0f ? -p : p);
                    const float value = (p < 0.0f ? 0.0f : p) - p * t + rest;
                    const float slope = 1.0f / (1.0f + exp_float(-p)) - t;
                    loss[w] = value;
                    d_x[n][k][h][w] = scale * slope;
                }
                for (int w = 0; w < W; w++) total += loss[w];
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
    loss[0] = (float)(sum / ((double)batch * 7.0));
}
