#include <stdint.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

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
