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

// silu1: SiLU.
//
//   x  [batch, 19]
//   y  [batch, 19]
static NOINLINE void silu1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                // silu1
                v = v < -88.0f ? -88.0f : v;
                v /= 1.0f + exp_float(-v);
                y[n][m] = v;
            }
        }
    }
}

// silu1: gradient through SiLU.
//
//   d_y  [batch, 19]
//   d_x  [batch, 19]
//   x    [batch, 19]  silu1 computes its gradient from it
static NOINLINE void silu1_backward(int batch, const float *restrict d_y_, float *restrict d_x_,
                                    const float *restrict x_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;
    const float (*x)[C] = (const float (*)[C])x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = d_y[n][m];
                // silu1
                {
                    const float value = x[n][m] < -88.0f ? -88.0f : x[n][m];
                    const float sigmoid = 1.0f / (1.0f + exp_float(-value));
                    v *= sigmoid * (1.0f + value * (1.0f - sigmoid));
                }
                d_x[n][m] = v;
            }
        }
    }
}
