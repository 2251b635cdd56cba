#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// unpool1: MaxUnpool2D 3x3, stride 2.
//
//   x    [batch, 16, 2, 3]
//   map  [batch, 16, 5, 7]  what the pool read
//   y    [batch, 16, 5, 7]
//
// Winners are found as the pooling layer finds them.
static NOINLINE void unpool1_forward(int batch, const float *restrict x_, const float *restrict map_,
                                     float *restrict y_) {
    enum { C = 16, H = 5, W = 7, OH = 2, OW = 3 };
    enum { R = 3, S = 3, STRIDE_H = 2, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 0 };
    const float (*x)[C][OH][OW] = (const float (*)[C][OH][OW])x_;
    const float (*map)[C][H][W] = (const float (*)[C][H][W])map_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            int zeros = 0;  // rows of y that are cleared
            for (int h = 0; h < OH; h++) {
                const int top = h * STRIDE_H - PAD_TOP, first_row = MAX(0, -top), end_row = MIN(R, H - top);
                for (; zeros < top + end_row; zeros++)
                    for (int w = 0; w < W; w++) y[n][m][zeros][w] = 0.0f;
                for (int w = 0; w < OW; w++) {
                    const int left = w * STRIDE_W - PAD_LEFT;
                    const int first_column = MAX(0, -left), end_column = MIN(S, W - left);
                    float best = map[n][m][top + first_row][left + first_column];
                    int row = top + first_row, column = left + first_column;
                    for (int r = first_row; r < end_row; r++) {
                        for (int s = first_column; s < end_column; s++) {
                            const float cell = map[n][m][top + r][left + s];
                            if (cell > best || cell != cell) {
                                best = cell;
                                row = top + r;
                                column = left + s;
                            }
                        }
                    }
                    y[n][m][row][column] += x[n][m][h][w];
                }
            }
            for (; zeros < H; zeros++)
                for (int w = 0; w < W; w++) y[n][m][zeros][w] = 0.0f;
        }
    }
}

// unpool1: gradient of the values.
//
//   d_y  [batch, 16, 5, 7]
//   map  [batch, 16, 5, 7]  what the pool read
//   d_x  [batch, 16, 2, 3]
//
// Winners are found as the pooling layer finds them.
static NOINLINE void unpool1_backward(int batch, const float *restrict d_y_, const float *restrict map_,
                                      float *restrict d_x_) {
    enum { C = 16, H = 5, W = 7, OH = 2, OW = 3 };
    enum { R = 3, S = 3, STRIDE_H = 2, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 0 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*map)[C][H][W] = (const float (*)[C][H][W])map_;
    float (*d_x)[C][OH][OW] = (float (*)[C][OH][OW])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < OH; h++) {
                const int top = h * STRIDE_H - PAD_TOP, first_row = MAX(0, -top), end_row = MIN(R, H - top);
                for (int w = 0; w < OW; w++) {
                    const int left = w * STRIDE_W - PAD_LEFT;
                    const int first_column = MAX(0, -left), end_column = MIN(S, W - left);
                    float best = map[n][m][top + first_row][left + first_column];
                    float v = d_y[n][m][top + first_row][left + first_column];
                    for (int r = first_row; r < end_row; r++) {
                        for (int s = first_column; s < end_column; s++) {
                            const float cell = map[n][m][top + r][left + s];
                            if (cell > best || cell != cell) {
                                best = cell;
                                v = d_y[n][m][top + r][left + s];
                            }
                        }
                    }
                    d_x[n][m][h][w] = v;
                }
            }
        }
    }
}

// unpool1: gradient of the switches: none.
//
//   d_map  [batch, 16, 5, 7]
static NOINLINE void unpool1_backward_map(int batch, float *restrict d_map_) {
    enum { C = 16, H = 5, W = 7 };
    float (*d_map)[C][H][W] = (float (*)[C][H][W])d_map_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_map[n][m][h][w] = 0.0f;
            }
        }
    }
}
