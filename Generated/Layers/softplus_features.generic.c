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

// tanh v = v * tanh_above_float(v * v) / tanh_below_float(v * v) for v from -9 to 9.
static inline float tanh_above_float(float q) {
    return (((1.33549126e-8f * q + 2.06092835e-5f) * q + 3.49560127e-3f) * q + 0.13381037f) * q + 0.99999998f;
}

static inline float tanh_below_float(float q) {
    return (((7.77666690e-7f * q + 3.28565566e-4f) * q + 2.58770332e-2f) * q + 0.467143526f) * q + 1.0f;
}

// e^x - 1 for x of at most 0, within 5 units in the last place: 2 tanh(x / 2) / (1 - tanh(x / 2)). NaN passes through.
static inline float expm1_float(float x) {
    const float v = x < -18.0f ? -9.0f : 0.5f * x;
    const float odd = v * tanh_above_float(v * v);
    return 2.0f * odd / (tanh_below_float(v * v) - odd);
}

// softplus1: Softplus.
//
//   x  [batch, 19]
//   y  [batch, 19]
static void softplus1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                // softplus1
                v = softplus_float(v);
                y[n][m] = v;
            }
        }
    }
}

// softplus1: gradient through Softplus.
//
//   d_y  [batch, 19]
//   d_x  [batch, 19]
//   y    [batch, 19]  softplus1 computes its gradient from it
static void softplus1_backward(int batch, const float *restrict d_y_, float *restrict d_x_, const float *restrict y_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;
    const float (*y)[C] = (const float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = d_y[n][m];
                // softplus1
                v *= -expm1_float(-y[n][m]);
                d_x[n][m] = v;
            }
        }
    }
}
