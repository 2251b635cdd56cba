#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// depthtospace1: DepthToSpace 2, crd.
//
//   x  [batch, 12, 3, 5]
//   y  [batch, 3, 6, 10]
static NOINLINE void depthtospace1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 6, W = 10 };
    const float (*x)[12][3][5] = (const float (*)[12][3][5])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][m * 4 + h % 2 * 2 + w % 2][h / 2][w / 2];
            }
        }
    }
}

// depthtospace1: gradient of the input.
//
//   d_y  [batch, 3, 6, 10]
//   d_x  [batch, 12, 3, 5]
static NOINLINE void depthtospace1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 12, H = 3, W = 5 };
    const float (*d_y)[3][6][10] = (const float (*)[3][6][10])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m / 4][h * 2 + m % 4 / 2][w * 2 + m % 4 % 2];
            }
        }
    }
}
