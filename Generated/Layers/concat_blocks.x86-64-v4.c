#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// concat1: Concat, input 1.
//
//   x  [batch, 16, 2, 3]
//   y  [batch, 48, 2, 3]
static NOINLINE void concat1_forward_1(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 2, W = 3 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[48][H][W] = (float (*)[48][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// concat1: Concat, input 2.
//
//   x  [batch, 32, 2, 3]
//   y  [batch, 48, 2, 3]
static NOINLINE void concat1_forward_2(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 32, H = 2, W = 3 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[48][H][W] = (float (*)[48][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// concat1: gradient of input 1.
//
//   d_y  [batch, 48, 2, 3]
//   d_x  [batch, 16, 2, 3]
static NOINLINE void concat1_backward_1(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 16, H = 2, W = 3 };
    const float (*d_y)[48][H][W] = (const float (*)[48][H][W])d_y_;
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

// concat1: gradient of input 2.
//
//   d_y  [batch, 48, 2, 3]
//   d_x  [batch, 32, 2, 3]
static NOINLINE void concat1_backward_2(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 32, H = 2, W = 3 };
    const float (*d_y)[48][H][W] = (const float (*)[48][H][W])d_y_;
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
