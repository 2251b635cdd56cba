#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// slice1: Slice axis 2, 2..<5.
//
//   x  [batch, 3, 1, 8]
//   y  [batch, 3, 1, 3]
static NOINLINE void slice1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 1, W = 3 };
    enum { LEFT = 2 };  // first cell of the part
    const float (*x)[C][H][8] = (const float (*)[C][H][8])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][0][w] = x[n][m][0][LEFT + w];
            }
        }
    }
}

// slice1: gradient of the input.
//
//   d_y  [batch, 3, 1, 3]
//   d_x  [batch, 3, 1, 8]
static NOINLINE void slice1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 1, W = 8 };
    enum { PART_W = 3 };
    enum { LEFT = 2 };  // first cell of the part
    const float (*d_y)[C][H][3] = (const float (*)[C][H][3])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][0][w] = 0.0f;
                for (int w = 0; w < PART_W; w++) d_x[n][m][0][LEFT + w] = d_y[n][m][0][w];
            }
        }
    }
}
