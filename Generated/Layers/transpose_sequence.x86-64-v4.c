#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// transpose1: Transpose [2, 1].
//
//   x  [batch, 3, 1, 7]
//   y  [batch, 7, 1, 3]
static NOINLINE void transpose1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 7, H = 1, W = 3 };
    const float (*x)[3][H][7] = (const float (*)[3][H][7])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][0][w] = x[n][w][0][m];
            }
        }
    }
}

// transpose1: gradient of the input.
//
//   d_y  [batch, 7, 1, 3]
//   d_x  [batch, 3, 1, 7]
static NOINLINE void transpose1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 1, W = 7 };
    const float (*d_y)[7][H][3] = (const float (*)[7][H][3])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][0][w] = d_y[n][w][0][m];
            }
        }
    }
}
