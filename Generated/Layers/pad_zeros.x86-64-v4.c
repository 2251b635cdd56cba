#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// pad1: Pad 1, constant.
//
//   x  [batch, 16, 2, 3]
//   y  [batch, 16, 4, 5]
static NOINLINE void pad1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 4, W = 5 };
    enum { PART_W = 3 };
    enum { TOP = 1, LEFT = 1 };  // first cell of the part
    const float (*x)[C][2][3] = (const float (*)[C][2][3])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = 0.0f;
                if (h < TOP || h >= 3) continue;
                for (int w = 0; w < PART_W; w++) y[n][m][h][LEFT + w] = x[n][m][h - TOP][w];
            }
        }
    }
}

// pad1: gradient of the input.
//
//   d_y  [batch, 16, 4, 5]
//   d_x  [batch, 16, 2, 3]
static NOINLINE void pad1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 16, H = 2, W = 3 };
    enum { TOP = 1, LEFT = 1 };  // first cell of the part
    const float (*d_y)[C][4][5] = (const float (*)[C][4][5])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][TOP + h][LEFT + w];
            }
        }
    }
}
