#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// slice1: Slice axis 2, 1..<7, every 2.
//
//   x  [batch, 16, 7, 3]
//   y  [batch, 16, 3, 3]
static NOINLINE void slice1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 3, W = 3 };
    enum { TOP = 1 };  // first cell of the part
    enum { STEP_H = 2 };  // distance of its cells
    const float (*x)[C][7][W] = (const float (*)[C][7][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][m][TOP + h * STEP_H][w];
            }
        }
    }
}

// slice1: gradient of the input.
//
//   d_y  [batch, 16, 3, 3]
//   d_x  [batch, 16, 7, 3]
static NOINLINE void slice1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 16, H = 7, W = 3 };
    enum { PART_W = 3 };
    enum { TOP = 1 };  // first cell of the part
    enum { STEP_H = 2 };  // distance of its cells
    const float (*d_y)[C][3][W] = (const float (*)[C][3][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                if (h < TOP || h >= 6 || (h - TOP) % STEP_H != 0) {
                    for (int w = 0; w < W; w++) d_x[n][m][h][w] = 0.0f;
                    continue;
                }
                for (int w = 0; w < PART_W; w++) d_x[n][m][h][w] = d_y[n][m][(h - TOP) / STEP_H][w];
            }
        }
    }
}
