#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// pad1: Pad top 2 bottom 1 left 0 right 3, edge.
//
//   x  [batch, 16, 3, 2]
//   y  [batch, 16, 6, 5]
static NOINLINE void pad1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 3, W = 2, OH = 6, OW = 5 };
    enum { TOP = 2, LEFT = 0 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][OH][OW] = (float (*)[C][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < OH; h++) {
                const int row = MIN(MAX(h - TOP, 0), H - 1);
                for (int w = 0; w < OW; w++) {
                    const int column = MIN(MAX(w - LEFT, 0), W - 1);
                    y[n][m][h][w] = x[n][m][row][column];
                }
            }
        }
    }
}

// pad1: gradient of the input: of all copies of a cell.
//
//   d_y  [batch, 16, 6, 5]
//   d_x  [batch, 16, 3, 2]
static NOINLINE void pad1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 16, H = 3, W = 2, OH = 6, OW = 5 };
    enum { TOP = 2, LEFT = 0 };
    const float (*d_y)[C][OH][OW] = (const float (*)[C][OH][OW])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++)
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = 0.0f;
            for (int h = 0; h < OH; h++) {
                const int row = MIN(MAX(h - TOP, 0), H - 1);
                for (int w = 0; w < OW; w++) {
                    const int column = MIN(MAX(w - LEFT, 0), W - 1);
                    d_x[n][m][row][column] += d_y[n][m][h][w];
                }
            }
        }
    }
}
