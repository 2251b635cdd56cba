#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// slice1: Slice axis 3, -4..<-1.
//
//   x  [batch, 3, 4, 7]
//   y  [batch, 3, 4, 3]
static NOINLINE void slice1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 4, W = 3 };
    enum { LEFT = 3 };  // first cell of the part
    const float (*x)[C][H][7] = (const float (*)[C][H][7])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][m][h][LEFT + w];
            }
        }
    }
}

// slice1: gradient of the input.
//
//   d_y  [batch, 3, 4, 3]
//   d_x  [batch, 3, 4, 7]
static NOINLINE void slice1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 4, W = 7 };
    enum { PART_W = 3 };
    enum { LEFT = 3 };  // first cell of the part
    const float (*d_y)[C][H][3] = (const float (*)[C][H][3])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = 0.0f;
                for (int w = 0; w < PART_W; w++) d_x[n][m][h][LEFT + w] = d_y[n][m][h][w];
            }
        }
    }
}
