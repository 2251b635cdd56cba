#include <stdint.h>
#include <math.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// e^x for x up to 88, within 2 units in the last place; below -87 it is 0. NaN passes through.
static inline float exp_float(float x) {
    if (x < -87.0f) return 0.0f;
    if (x > 88.0f) x = 88.0f;
    const float power = x == x ? floorf(x * 1.44269504f + 0.5f) : 0.0f;
    const float r = (x - power * 0.693359375f) + power * 2.12194440e-4f;  // ln 2 in two parts: r is exact
    float sum = 1.0f / 5040.0f;
    sum = sum * r + 1.0f / 720.0f;
    sum = sum * r + 1.0f / 120.0f;
    sum = sum * r + 1.0f / 24.0f;
    sum = sum * r + 1.0f / 6.0f;
    sum = sum * r + 0.5f;
    sum = sum * r + 1.0f;
    sum = sum * r + 1.0f;
    const uint32_t bits = (uint32_t)((int)power + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return sum * scale;
}

// ln(1 + e^x) within 4 units in the last place, as max(x, 0) + ln(1 + e^-|x|). NaN passes through.
static inline float softplus_float(float x) {
    const float e = exp_float(x > 0.0f ? -x : x);
    const float s = e / (2.0f + e), q = s * s;  // ln(1 + e) = 2 artanh s
    const float series =
        ((((q * (1.0f / 13.0f) + 1.0f / 11.0f) * q + 1.0f / 9.0f) * q + 1.0f / 7.0f) * q + 1.0f / 5.0f) * q;
    return (x < 0.0f ? 0.0f : x) + 2.0f * s + 2.0f * s * q * (1.0f / 3.0f + series);
}

// tanh x within 3 units in the last place: an odd rational function up to 9, beyond which it is 1. NaN passes through.
static inline float tanh_float(float x) {
    const float v = x < -9.0f ? -9.0f : x > 9.0f ? 9.0f : x;
    const float q = v * v;
    const float above =
        (((1.33549126e-8f * q + 2.06092835e-5f) * q + 3.49560127e-3f) * q + 0.13381037f) * q + 0.99999998f;
    const float below = (((7.77666690e-7f * q + 3.28565566e-4f) * q + 2.58770332e-2f) * q + 0.467143526f) * q + 1.0f;
    return x > 9.0f ? 1.0f : x < -9.0f ? -1.0f : v * above / below;
}

// e^x - 1 for x of at most 0, within 5 units in the last place.
static inline float expm1_float(float x) {
    const float t = tanh_float(0.5f * x);
    return 2.0f * t / (1.0f - t);
}

// softplus1: Softplus.
//
//   x  [batch, 32, 3, 5]
//   y  [batch, 32, 3, 5]
static NOINLINE void softplus1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 32, H = 3, W = 5 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // softplus1
                    v = softplus_float(v);
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// softplus1: gradient through Softplus.
//
//   d_y  [batch, 32, 3, 5]
//   d_x  [batch, 32, 3, 5]
//   y    [batch, 32, 3, 5]  softplus1 computes its gradient from it
static NOINLINE void softplus1_backward(int batch, const float *restrict d_y_, float *restrict d_x_,
                                        const float *restrict y_) {
    enum { C = 32, H = 3, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;
    const float (*y)[C][H][W] = (const float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = d_y[n][m][h][w];
                    // softplus1
                    v *= -expm1_float(-y[n][m][h][w]);
                    d_x[n][m][h][w] = v;
                }
            }
        }
    }
}
