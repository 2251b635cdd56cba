#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// slice1: Slice axis 1, 0..<7, every 3.
//
//   x  [batch, 7, 2, 3]
//   y  [batch, 3, 2, 3]
static NOINLINE void slice1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 2, W = 3 };
    enum { STEP_C = 3 };  // distance of its cells
    const float (*x)[7][H][W] = (const float (*)[7][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][m * STEP_C][h][w];
            }
        }
    }
}

// slice1: gradient of the input.
//
//   d_y  [batch, 3, 2, 3]
//   d_x  [batch, 7, 2, 3]
static NOINLINE void slice1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 7, H = 2, W = 3 };
    enum { PART_W = 3 };
    enum { STEP_C = 3 };  // distance of its cells
    const float (*d_y)[3][H][W] = (const float (*)[3][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                if (m % STEP_C != 0) {
                    for (int w = 0; w < W; w++) d_x[n][m][h][w] = 0.0f;
                    continue;
                }
                for (int w = 0; w < PART_W; w++) d_x[n][m][h][w] = d_y[n][m / STEP_C][h][w];
            }
        }
    }
}
