#include <stdint.h>
#include <math.h>

// -1 or 1 with the sign of x, or 0; NaN passes through.
static inline float sign_float(float x) {
    return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x;
}

// elementary1: Elementary abs.
//
//   x  [batch, 2, 5, 7]
//   y  [batch, 2, 5, 7]
static void elementary1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = fabsf(x[n][m][h][w]);
            }
        }
    }
}

// elementary1: gradient of the input.
//
//   d_y  [batch, 2, 5, 7]
//   x    [batch, 2, 5, 7]
//   d_x  [batch, 2, 5, 7]
static void elementary1_backward(int batch, const float *restrict d_y_, const float *restrict x_,
                                 float *restrict d_x_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][h][w] * sign_float(x[n][m][h][w]);
            }
        }
    }
}
