#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// concat1: Concat axis 2, input 1.
//
//   x  [batch, 3, 1, 4]
//   y  [batch, 3, 1, 11]
static NOINLINE void concat1_forward_1(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 1, W = 4 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][11] = (float (*)[C][H][11])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][0][w] = x[n][m][0][w];
            }
        }
    }
}

// concat1: Concat axis 2, input 2.
//
//   x  [batch, 3, 1, 7]
//   y  [batch, 3, 1, 11]
static NOINLINE void concat1_forward_2(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 1, W = 7 };
    enum { LEFT = 4 };  // first cell of the part
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][11] = (float (*)[C][H][11])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][0][LEFT + w] = x[n][m][0][w];
            }
        }
    }
}

// concat1: gradient of input 1.
//
//   d_y  [batch, 3, 1, 11]
//   d_x  [batch, 3, 1, 4]
static NOINLINE void concat1_backward_1(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 1, W = 4 };
    const float (*d_y)[C][H][11] = (const float (*)[C][H][11])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][0][w] = d_y[n][m][0][w];
            }
        }
    }
}

// concat1: gradient of input 2.
//
//   d_y  [batch, 3, 1, 11]
//   d_x  [batch, 3, 1, 7]
static NOINLINE void concat1_backward_2(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 1, W = 7 };
    enum { LEFT = 4 };  // first cell of the part
    const float (*d_y)[C][H][11] = (const float (*)[C][H][11])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][0][w] = d_y[n][m][0][LEFT + w];
            }
        }
    }
}
