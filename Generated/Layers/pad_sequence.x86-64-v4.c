#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// pad1: Pad top 0 bottom 0 left 3 right 1, reflect.
//
//   x  [batch, 3, 1, 5]
//   y  [batch, 3, 1, 9]
static NOINLINE void pad1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 1, W = 5, OH = 1, OW = 9 };
    enum { TOP = 0, LEFT = 3 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][OH][OW] = (float (*)[C][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < OH; h++) {
                const int row = H - 1 - __builtin_abs(H - 1 - __builtin_abs(h - TOP));
                for (int w = 0; w < OW; w++) {
                    const int column = W - 1 - __builtin_abs(W - 1 - __builtin_abs(w - LEFT));
                    y[n][m][h][w] = x[n][m][row][column];
                }
            }
        }
    }
}

// pad1: gradient of the input: of all copies of a cell.
//
//   d_y  [batch, 3, 1, 9]
//   d_x  [batch, 3, 1, 5]
static NOINLINE void pad1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 1, W = 5, OH = 1, OW = 9 };
    enum { TOP = 0, LEFT = 3 };
    const float (*d_y)[C][OH][OW] = (const float (*)[C][OH][OW])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++)
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = 0.0f;
            for (int h = 0; h < OH; h++) {
                const int row = H - 1 - __builtin_abs(H - 1 - __builtin_abs(h - TOP));
                for (int w = 0; w < OW; w++) {
                    const int column = W - 1 - __builtin_abs(W - 1 - __builtin_abs(w - LEFT));
                    d_x[n][m][row][column] += d_y[n][m][h][w];
                }
            }
        }
    }
}
