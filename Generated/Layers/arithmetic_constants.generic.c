#include <stdint.h>

// arithmetic1: Arithmetic subtract, constants 1x3x5 first.
//
//   value  [1, 3, 5]         constants
//   x      [batch, 2, 3, 5]
//   y      [batch, 2, 3, 5]
static void arithmetic1_forward(int batch, const float *restrict value_, const float *restrict x_, float *restrict y_) {
    enum { C = 2, H = 3, W = 5 };
    const float (*value)[3][5] = (const float (*)[3][5])value_;
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = value[0][h][w] - x[n][m][h][w];
            }
        }
    }
}

// arithmetic1: gradient of the input.
//
//   d_y  [batch, 2, 3, 5]
//   d_x  [batch, 2, 3, 5]
static void arithmetic1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 2, H = 3, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = -d_y[n][m][h][w];
            }
        }
    }
}
