#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// concat1: Concat axis 3, input 1.
//
//   x  [batch, 3, 4, 5]
//   y  [batch, 3, 4, 8]
static NOINLINE void concat1_forward_1(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 4, W = 5 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][8] = (float (*)[C][H][8])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][m][h][w];
            }
        }
    }
}

// concat1: Concat axis 3, input 2.
//
//   x  [batch, 3, 4, 1]
//   y  [batch, 3, 4, 8]
static NOINLINE void concat1_forward_2(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 4, W = 1 };
    enum { LEFT = 5 };  // first cell of the part
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][8] = (float (*)[C][H][8])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][LEFT + w] = x[n][m][h][w];
            }
        }
    }
}

// concat1: Concat axis 3, input 3.
//
//   x  [batch, 3, 4, 2]
//   y  [batch, 3, 4, 8]
static NOINLINE void concat1_forward_3(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 4, W = 2 };
    enum { LEFT = 6 };  // first cell of the part
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][8] = (float (*)[C][H][8])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][LEFT + w] = x[n][m][h][w];
            }
        }
    }
}

// concat1: gradient of input 1.
//
//   d_y  [batch, 3, 4, 8]
//   d_x  [batch, 3, 4, 5]
static NOINLINE void concat1_backward_1(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 4, W = 5 };
    const float (*d_y)[C][H][8] = (const float (*)[C][H][8])d_y_;
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
//   d_y  [batch, 3, 4, 8]
//   d_x  [batch, 3, 4, 1]
static NOINLINE void concat1_backward_2(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 4, W = 1 };
    enum { LEFT = 5 };  // first cell of the part
    const float (*d_y)[C][H][8] = (const float (*)[C][H][8])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][h][LEFT + w];
            }
        }
    }
}

// concat1: gradient of input 3.
//
//   d_y  [batch, 3, 4, 8]
//   d_x  [batch, 3, 4, 2]
static NOINLINE void concat1_backward_3(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 4, W = 2 };
    enum { LEFT = 6 };  // first cell of the part
    const float (*d_y)[C][H][8] = (const float (*)[C][H][8])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][h][LEFT + w];
            }
        }
    }
}
