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

// tanh1: Tanh.
//
//   x  [batch, 2, 5, 7]
//   y  [batch, 2, 5, 7]
static void tanh1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // tanh1
                    v = tanh_float(v);
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// tanh1: gradient through Tanh.
//
//   d_y  [batch, 2, 5, 7]
//   d_x  [batch, 2, 5, 7]
//   y    [batch, 2, 5, 7]  tanh1 computes its gradient from it
static void tanh1_backward(int batch, const float *restrict d_y_, float *restrict d_x_, const float *restrict y_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;
    const float (*y)[C][H][W] = (const float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = d_y[n][m][h][w];
                    // tanh1
                    v *= 1.0f - y[n][m][h][w] * y[n][m][h][w];
                    d_x[n][m][h][w] = v;
                }
            }
        }
    }
}
