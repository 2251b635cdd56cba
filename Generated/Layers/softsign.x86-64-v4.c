#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// softsign1: Softsign.
//
//   x  [batch, 2, 5, 7]
//   y  [batch, 2, 5, 7]
static NOINLINE void softsign1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // softsign1
                    v /= 1.0f + (v < 0.0f ? -v : v);
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// softsign1: gradient through Softsign.
//
//   d_y  [batch, 2, 5, 7]
//   d_x  [batch, 2, 5, 7]
//   y    [batch, 2, 5, 7]  softsign1 computes its gradient from it
static NOINLINE void softsign1_backward(int batch, const float *restrict d_y_, float *restrict d_x_,
                                        const float *restrict y_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;
    const float (*y)[C][H][W] = (const float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = d_y[n][m][h][w];
                    // softsign1
                    {
                        const float value = y[n][m][h][w];
                        const float slope = 1.0f - (value < 0.0f ? -value : value);
                        v *= slope * slope;
                    }
                    d_x[n][m][h][w] = v;
                }
            }
        }
    }
}
