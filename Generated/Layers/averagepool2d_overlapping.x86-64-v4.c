#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// pool1: AveragePool2D 3x3, stride 2, padding top 0 bottom 1 left 2 right 0.
//
//   x  [batch, 3, 6, 5]
//   y  [batch, 3, 3, 3]
static NOINLINE void pool1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 6, W = 5, OH = 3, OW = 3 };
    enum { R = 3, S = 3, STRIDE_H = 2, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 2 };
    enum { PAD_BOTTOM = 1, PAD_RIGHT = 0 };  // padding counts in the divisor
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

// pool1: gradient of the input.
//
//   d_y  [batch, 3, 3, 3]
//   d_x  [batch, 3, 6, 5]
//
// One thread has a whole map: windows that overlap never make two threads add to one cell.
static NOINLINE void pool1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 6, W = 5, OH = 3, OW = 3 };
    enum { R = 3, S = 3, STRIDE_H = 2, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 2 };
    enum { PAD_BOTTOM = 1, PAD_RIGHT = 0 };  // padding counts in the divisor
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
