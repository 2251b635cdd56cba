#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// arithmetic1: Arithmetic divide, constants 16x1x1.
//
//   x      [batch, 16, 3, 3]
//   value  [16, 1, 1]         constants
//   y      [batch, 16, 3, 3]
static NOINLINE void arithmetic1_forward(int batch, const float *restrict x_, const float *restrict value_,
                                         float *restrict y_) {
    enum { C = 16, H = 3, W = 3 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*value)[1][1] = (const float (*)[1][1])value_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][m][h][w] / value[m][0][0];
            }
        }
    }
}

// arithmetic1: gradient of the input.
//
//   d_y    [batch, 16, 3, 3]
//   value  [16, 1, 1]         constants
//   d_x    [batch, 16, 3, 3]
static NOINLINE void arithmetic1_backward(int batch, const float *restrict d_y_, const float *restrict value_,
                                          float *restrict d_x_) {
    enum { C = 16, H = 3, W = 3 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*value)[1][1] = (const float (*)[1][1])value_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][h][w] / value[m][0][0];
            }
        }
    }
}
