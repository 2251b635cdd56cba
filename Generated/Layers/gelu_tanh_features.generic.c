#include <stdint.h>

// tanh v = v * tanh_above_float(v * v) / tanh_below_float(v * v) for v from -9 to 9.
static inline float tanh_above_float(float q) {
    return (((1.33549126e-8f * q + 2.06092835e-5f) * q + 3.49560127e-3f) * q + 0.13381037f) * q + 0.99999998f;
}

static inline float tanh_below_float(float q) {
    return (((7.77666690e-7f * q + 3.28565566e-4f) * q + 2.58770332e-2f) * q + 0.467143526f) * q + 1.0f;
}

// tanh x within 6 units in the last place: an odd rational function up to 9, beyond which it is 1. NaN passes through.
static inline float tanh_float(float x) {
    const float v = x < -9.0f ? -9.0f : x > 9.0f ? 9.0f : x;
    return x > 9.0f ? 1.0f : x < -9.0f ? -1.0f : v * tanh_above_float(v * v) / tanh_below_float(v * v);
}

// gelu1: GELU tanh.
//
//   x  [batch, 19]
//   y  [batch, 19]
static void gelu1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                // gelu1
                v *= 0.5f + 0.5f * tanh_float(0.797884561f * (v + 0.044715f * v * v * v));
                y[n][m] = v;
            }
        }
    }
}

// gelu1: gradient through GELU tanh.
//
//   d_y  [batch, 19]
//   d_x  [batch, 19]
//   x    [batch, 19]  gelu1 computes its gradient from it
static void gelu1_backward(int batch, const float *restrict d_y_, float *restrict d_x_, const float *restrict x_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;
    const float (*x)[C] = (const float (*)[C])x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = d_y[n][m];
                // gelu1
                {
                    // Beyond 5.2 the slope is 0 or 1; there what rounding leaves of 1 - tangent * tangent would be
                    // multiplied.
                    const float input = x[n][m];
                    const float value = input > 5.2f ? 5.2f : input < -5.2f ? -5.2f : input, square = value * value;
                    const float tangent = tanh_float(0.797884561f * value * (1.0f + 0.044715f * square));
                    v *= 0.5f * (1.0f + tangent) +
                         0.5f * value * (1.0f - tangent * tangent) * 0.797884561f * (1.0f + 0.134145f * square);
                }
                d_x[n][m] = v;
            }
        }
    }
}
