#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// transpose1: Transpose [3, 1, 2].
//
//   x  [batch, 16, 3, 16]
//   y  [batch, 16, 16, 3]
static NOINLINE void transpose1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 16, W = 3 };
    const float (*x)[C][3][16] = (const float (*)[C][3][16])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][h][w][m];
            }
        }
    }
}

// transpose1: gradient of the input.
//
//   d_y  [batch, 16, 16, 3]
//   d_x  [batch, 16, 3, 16]
static NOINLINE void transpose1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 16, H = 3, W = 16 };
    const float (*d_y)[C][16][3] = (const float (*)[C][16][3])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][w][m][h];
            }
        }
    }
}
