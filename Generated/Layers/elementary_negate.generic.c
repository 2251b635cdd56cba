#include <stdint.h>

// elementary1: Elementary negate.
//
//   x  [batch, 3, 1, 4]
//   y  [batch, 3, 1, 4]
static void elementary1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 1, W = 4 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = -x[n][m][h][w];
            }
        }
    }
}

// elementary1: gradient of the input.
//
//   d_y  [batch, 3, 1, 4]
//   d_x  [batch, 3, 1, 4]
static void elementary1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 1, W = 4 };
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
