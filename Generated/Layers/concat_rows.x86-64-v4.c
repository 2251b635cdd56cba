#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// concat1: Concat axis 2, input 1.
//
//   x  [batch, 16, 2, 3]
//   y  [batch, 16, 5, 3]
static NOINLINE void concat1_forward_1(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 2, W = 3 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][5][W] = (float (*)[C][5][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][m][h][w];
            }
        }
    }
}

// concat1: Concat axis 2, input 2.
//
//   x  [batch, 16, 3, 3]
//   y  [batch, 16, 5, 3]
static NOINLINE void concat1_forward_2(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 3, W = 3 };
    enum { TOP = 2 };  // first cell of the part
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][5][W] = (float (*)[C][5][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][TOP + h][w] = x[n][m][h][w];
            }
        }
    }
}

// concat1: gradient of input 1.
//
//   d_y  [batch, 16, 5, 3]
//   d_x  [batch, 16, 2, 3]
static NOINLINE void concat1_backward_1(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 16, H = 2, W = 3 };
    const float (*d_y)[C][5][W] = (const float (*)[C][5][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][h][w];
            }
        }
    }
}

// concat1: gradient of input 2.
//
//   d_y  [batch, 16, 5, 3]
//   d_x  [batch, 16, 3, 3]
static NOINLINE void concat1_backward_2(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 16, H = 3, W = 3 };
    enum { TOP = 2 };  // first cell of the part
    const float (*d_y)[C][5][W] = (const float (*)[C][5][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][TOP + h][w];
            }
        }
    }
}
