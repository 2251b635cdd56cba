#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// depthtospace1: DepthToSpace 3, dcr.
//
//   x  [batch, 144, 1, 2]
//   y  [batch, 16, 3, 6]
static NOINLINE void depthtospace1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 3, W = 6 };
    const float (*x)[144][1][2] = (const float (*)[144][1][2])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][(h % 3 * 3 + w % 3) * 16 + m][h / 3][w / 3];
            }
        }
    }
}

// depthtospace1: gradient of the input.
//
//   d_y  [batch, 16, 3, 6]
//   d_x  [batch, 144, 1, 2]
static NOINLINE void depthtospace1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 144, H = 1, W = 2 };
    const float (*d_y)[16][3][6] = (const float (*)[16][3][6])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m % 16][h * 3 + m / 16 / 3][w * 3 + m / 16 % 3];
            }
        }
    }
}
