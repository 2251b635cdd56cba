#include <stdint.h>
#include <math.h>
#include <string.h>

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

// ln x for all x, within 2 units in the last place: of 0 it is minus infinity, below NaN. NaN and infinity pass
// through.
static inline float ln_float(float x) {
    const int is_small = x < 1.17549435e-38f;  // below the normal numbers
    const float ln = log_float(is_small ? x * 8388608.0f : x) - (is_small ? 15.9423851f : 0.0f);
    return x > 0.0f ? ln : x == 0.0f ? -INFINITY : x < 0.0f ? NAN : x;
}

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

// 1 / (1 + e^-x), within 3 units in the last place. NaN passes through.
static inline float sigmoid_float(float x) {
    return 1.0f / (1.0f + exp_float(-x));
}

// loss log(1.0 + pow(p - t, 2.0)) + 0.1 * softplus(p * t), with the gradient.
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
                    const float e1 = p - t;
                    const float e2 = 1.0f + e1 * e1;
                    const float e3 = p * t;
                    const float e4 = ln_float(e2) + 0.1f * softplus_float(e3);
                    const float e5 = 1.0f / e2 * (2.0f * e1) + 0.1f * (sigmoid_float(e3) * t);
                    const float value = e4;
                    const float slope = e5;
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
