#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// gap1: GlobalAveragePool.
//
//   x  [batch, 5, 1, 1]
//   y  [batch, 5, 1, 1]
static NOINLINE void gap1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 5, H = 1, W = 1, OH = 1, OW = 1 };
    enum { R = 1, S = 1, STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0 };
    enum { PAD_BOTTOM = 0, PAD_RIGHT = 0 };  // padding counts in the divisor
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][OH][OW] = (float (*)[C][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < OH; h++) {
                const int top = h * STRIDE_H - PAD_TOP, first_row = MAX(0, top), end_row = MIN(top + R, H);
                for (int w = 0; w < OW; w++) {
                    const int left = w * STRIDE_W - PAD_LEFT;
                    const int first_column = MAX(0, left), end_column = MIN(left + S, W);
                    const int rows = MIN(top + R, H + PAD_BOTTOM) - top, columns = MIN(left + S, W + PAD_RIGHT) - left;
                    const int count = rows * columns;
                    float sum = 0.0f;
                    for (int row = first_row; row < end_row; row++)
                        for (int column = first_column; column < end_column; column++)
                            sum += x[n][m][row][column];
                    y[n][m][h][w] = sum * (1.0f / (float)count);
                }
            }
        }
    }
}

// gap1: gradient of the input.
//
//   d_y  [batch, 5, 1, 1]
//   d_x  [batch, 5, 1, 1]
//
// One thread has a whole map: windows that overlap never make two threads add to one cell.
static NOINLINE void gap1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 5, H = 1, W = 1, OH = 1, OW = 1 };
    enum { R = 1, S = 1, STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0 };
    enum { PAD_BOTTOM = 0, PAD_RIGHT = 0 };  // padding counts in the divisor
    const float (*d_y)[C][OH][OW] = (const float (*)[C][OH][OW])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            int zeros = 0;  // rows of d_x that are cleared
            for (int h = 0; h < OH; h++) {
                const int top = h * STRIDE_H - PAD_TOP, first_row = MAX(0, top), end_row = MIN(top + R, H);
                for (; zeros < end_row; zeros++)
                    for (int w = 0; w < W; w++) d_x[n][m][zeros][w] = 0.0f;
                for (int w = 0; w < OW; w++) {
                    const int left = w * STRIDE_W - PAD_LEFT;
                    const int first_column = MAX(0, left), end_column = MIN(left + S, W);
                    const int rows = MIN(top + R, H + PAD_BOTTOM) - top, columns = MIN(left + S, W + PAD_RIGHT) - left;
                    const int count = rows * columns;
                    const float v = d_y[n][m][h][w] * (1.0f / (float)count);
                    for (int row = first_row; row < end_row; row++)
                        for (int column = first_column; column < end_column; column++)
                            d_x[n][m][row][column] += v;
                }
            }
            for (; zeros < H; zeros++)
                for (int w = 0; w < W; w++) d_x[n][m][zeros][w] = 0.0f;
        }
    }
}
