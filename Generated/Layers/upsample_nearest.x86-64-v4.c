#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// upsample1: Upsample 2x2, nearest.
//
//   x  [batch, 2, 3, 5]
//   y  [batch, 2, 6, 10]
static NOINLINE void upsample1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 2, H = 3, W = 5, OH = 6, OW = 10 };
    enum { FACTOR_H = 2, FACTOR_W = 2 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][OH][OW] = (float (*)[C][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < OH; h++) {
                for (int w = 0; w < W; w++)
                    for (int s = 0; s < FACTOR_W; s++) y[n][m][h][w * FACTOR_W + s] = x[n][m][h / FACTOR_H][w];
            }
        }
    }
}

// upsample1: gradient of the input.
//
//   d_y  [batch, 2, 6, 10]
//   d_x  [batch, 2, 3, 5]
static NOINLINE void upsample1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 2, H = 3, W = 5, OH = 6, OW = 10 };
    enum { FACTOR_H = 2, FACTOR_W = 2 };
    const float (*d_y)[C][OH][OW] = (const float (*)[C][OH][OW])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float sum = 0.0f;
                    for (int r = 0; r < FACTOR_H; r++)
                        for (int s = 0; s < FACTOR_W; s++) sum += d_y[n][m][h * FACTOR_H + r][w * FACTOR_W + s];
                    d_x[n][m][h][w] = sum;
                }
            }
        }
    }
}
