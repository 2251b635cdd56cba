#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// spacetodepth1: SpaceToDepth 2, dcr.
//
//   x  [batch, 3, 4, 6]
//   y  [batch, 12, 2, 3]
static NOINLINE void spacetodepth1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 12, H = 2, W = 3 };
    const float (*x)[3][4][6] = (const float (*)[3][4][6])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][m % 3][h * 2 + m / 3 / 2][w * 2 + m / 3 % 2];
            }
        }
    }
}

// spacetodepth1: gradient of the input.
//
//   d_y  [batch, 12, 2, 3]
//   d_x  [batch, 3, 4, 6]
static NOINLINE void spacetodepth1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 4, W = 6 };
    const float (*d_y)[12][2][3] = (const float (*)[12][2][3])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][(h % 2 * 2 + w % 2) * 3 + m][h / 2][w / 2];
            }
        }
    }
}
