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

// sigmoid1: Sigmoid.
//
//   x  [batch, 2, 5, 7]
//   y  [batch, 2, 5, 7]
static NOINLINE void sigmoid1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // sigmoid1
                    v = 1.0f / (1.0f + exp_float(-v));
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// sigmoid1: gradient through Sigmoid.
//
//   d_y  [batch, 2, 5, 7]
//   d_x  [batch, 2, 5, 7]
//   y    [batch, 2, 5, 7]  sigmoid1 computes its gradient from it
static NOINLINE void sigmoid1_backward(int batch, const float *restrict d_y_, float *restrict d_x_,
                                       const float *restrict y_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;
    const float (*y)[C][H][W] = (const float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = d_y[n][m][h][w];
                    // sigmoid1
                    v *= y[n][m][h][w] * (1.0f - y[n][m][h][w]);
                    d_x[n][m][h][w] = v;
                }
            }
        }
    }
}
