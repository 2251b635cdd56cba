#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// pad1: Pad top 0 bottom 0 left 4 right 0, constant.
//
//   x  [batch, 3, 1, 7]
//   y  [batch, 3, 1, 11]
static NOINLINE void pad1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 1, W = 11 };
    enum { PART_W = 7 };
    enum { LEFT = 4 };  // first cell of the part
    const float (*x)[C][H][7] = (const float (*)[C][H][7])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][0][w] = 0.0f;
                for (int w = 0; w < PART_W; w++) y[n][m][0][LEFT + w] = x[n][m][0][w];
            }
        }
    }
}

// pad1: gradient of the input.
//
//   d_y  [batch, 3, 1, 11]
//   d_x  [batch, 3, 1, 7]
static NOINLINE void pad1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
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
