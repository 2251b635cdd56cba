#include <stdint.h>
#include <math.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// elementary1: Elementary exp.
// The same for elementary2.
//
//   x  [batch, 3, 4, 5]
//   y  [batch, 3, 4, 5]
static NOINLINE void elementary1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 4, W = 5 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = expf(x[n][m][h][w]);
            }
        }
    }
}

// elementary2: gradient of the input.
// The same for elementary1.
//
//   d_y  [batch, 3, 4, 5]
//   x    [batch, 3, 4, 5]
//   d_x  [batch, 3, 4, 5]
static NOINLINE void elementary2_backward(int batch, const float *restrict d_y_, const float *restrict x_,
                                          float *restrict d_x_) {
    enum { C = 3, H = 4, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][h][w] * expf(x[n][m][h][w]);
            }
        }
    }
}
