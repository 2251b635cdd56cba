#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// pad1: Pad top 2 bottom 1 left 0 right 3, constant 1.5.
//
//   x  [batch, 2, 3, 5]
//   y  [batch, 2, 6, 8]
static NOINLINE void pad1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 2, H = 6, W = 8 };
    enum { PART_W = 5 };
    enum { TOP = 2 };  // first cell of the part
    const float (*x)[C][3][5] = (const float (*)[C][3][5])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = 1.5f;
                if (h < TOP || h >= 5) continue;
                for (int w = 0; w < PART_W; w++) y[n][m][h][w] = x[n][m][h - TOP][w];
            }
        }
    }
}

// pad1: gradient of the input.
//
//   d_y  [batch, 2, 6, 8]
//   d_x  [batch, 2, 3, 5]
static NOINLINE void pad1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 2, H = 3, W = 5 };
    enum { TOP = 2 };  // first cell of the part
    const float (*d_y)[C][6][8] = (const float (*)[C][6][8])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][TOP + h][w];
            }
        }
    }
}
