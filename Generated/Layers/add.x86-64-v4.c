#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// add1: Add.
//
//   x       [batch, 2, 5, 7]
//   y       [batch, 2, 5, 7]
//   add1_x  [batch, 2, 5, 7]  add1's other operand
static NOINLINE void add1_forward(int batch, const float *restrict x_, float *restrict y_,
                                  const float *restrict add1_x_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;
    const float (*add1_x)[C][H][W] = (const float (*)[C][H][W])add1_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // add1
                    v += add1_x[n][m][h][w];
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// add1: gradient through Add.
//
//   d_y  [batch, 2, 5, 7]
//   d_x  [batch, 2, 5, 7]
static NOINLINE void add1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = d_y[n][m][h][w];
                    d_x[n][m][h][w] = v;
                }
            }
        }
    }
}
