#include <stdint.h>
#include <math.h>

// elementary2: Elementary log.
//
//   x  [batch, 16, 3, 3]
//   y  [batch, 16, 3, 3]
static void elementary2_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 3, W = 3 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = logf(x[n][m][h][w]);
            }
        }
    }
}

// elementary2: gradient of the input.
//
//   d_y  [batch, 16, 3, 3]
//   x    [batch, 16, 3, 3]
//   d_x  [batch, 16, 3, 3]
static void elementary2_backward(int batch, const float *restrict d_y_, const float *restrict x_,
                                 float *restrict d_x_) {
    enum { C = 16, H = 3, W = 3 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][h][w] / x[n][m][h][w];
            }
        }
    }
}
