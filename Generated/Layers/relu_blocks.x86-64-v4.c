#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// relu1: ReLU.
//
//   x  [batch, 32, 3, 5]
//   y  [batch, 32, 3, 5]
static NOINLINE void relu1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 32, H = 3, W = 5 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // relu1
                    v = v < 0.0f ? 0.0f : v;
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// relu1: gradient through ReLU.
//
//   d_y  [batch, 32, 3, 5]
//   d_x  [batch, 32, 3, 5]
//   y    [batch, 32, 3, 5]  relu1 lets gradients through where it is positive
static NOINLINE void relu1_backward(int batch, const float *restrict d_y_, float *restrict d_x_,
                                    const float *restrict y_) {
    enum { C = 32, H = 3, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;
    const float (*y)[C][H][W] = (const float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = d_y[n][m][h][w];
                    // relu1
                    v = y[n][m][h][w] > 0.0f ? v : 0.0f;
                    d_x[n][m][h][w] = v;
                }
            }
        }
    }
}
