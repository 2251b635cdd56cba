#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// slice1: Slice axis 1, 16..<48.
//
//   x  [batch, 48, 2, 3]
//   y  [batch, 32, 2, 3]
static NOINLINE void slice1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 32, H = 2, W = 3 };
    enum { FIRST = 16 };  // first cell of the part
    const float (*x)[48][H][W] = (const float (*)[48][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][FIRST + m][h][w];
            }
        }
    }
}

// slice1: gradient of the input.
//
//   d_y  [batch, 32, 2, 3]
//   d_x  [batch, 48, 2, 3]
static NOINLINE void slice1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 48, H = 2, W = 3 };
    enum { PART_W = 3 };
    enum { FIRST = 16 };  // first cell of the part
    const float (*d_y)[32][H][W] = (const float (*)[32][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                if (m < FIRST) {
                    for (int w = 0; w < W; w++) d_x[n][m][h][w] = 0.0f;
                    continue;
                }
                for (int w = 0; w < PART_W; w++) d_x[n][m][h][w] = d_y[n][m - FIRST][h][w];
            }
        }
    }
}
