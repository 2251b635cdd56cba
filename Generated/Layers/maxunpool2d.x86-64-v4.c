#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// unpool1: MaxUnpool2D 2x2.
//
//   x    [batch, 2, 2, 3]
//   map  [batch, 2, 5, 7]  what the pool read
//   y    [batch, 2, 5, 7]
//
// Winners are found as the pooling layer finds them.
static NOINLINE void unpool1_forward(int batch, const float *restrict x_, const float *restrict map_,
                                     float *restrict y_) {
    enum { C = 2, H = 5, W = 7, OH = 2, OW = 3 };
    enum { R = 2, S = 2, STRIDE_H = 2, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 0 };
    const float (*x)[C][OH][OW] = (const float (*)[C][OH][OW])x_;
    const float (*map)[C][H][W] = (const float (*)[C][H][W])map_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < OH; h++) {
                int winner[OW];  // of windows side by side
                for (int w = 0; w < OW; w++) {
                    float best = map[n][m][h * R][w * S];
                    int won = 0;
                    for (int r = 0; r < R; r++) {
                        for (int s = 0; s < S; s++) {
                            const float cell = map[n][m][h * R + r][w * S + s];
                            const int better = cell > best || cell != cell;
                            best = better ? cell : best;
                            won = better ? r * S + s : won;
                        }
                    }
                    winner[w] = won;
                }
                for (int r = 0; r < R; r++) {
                    for (int w = 0; w < OW; w++)
                        for (int s = 0; s < S; s++)
                            y[n][m][h * R + r][w * S + s] = winner[w] == r * S + s ? x[n][m][h][w] : 0.0f;
                    for (int w = OW * S; w < W; w++) y[n][m][h * R + r][w] = 0.0f;
                }
            }
            for (int h = OH * R; h < H; h++)
                for (int w = 0; w < W; w++) y[n][m][h][w] = 0.0f;
        }
    }
}

// unpool1: gradient of the values.
//
//   d_y  [batch, 2, 5, 7]
//   map  [batch, 2, 5, 7]  what the pool read
//   d_x  [batch, 2, 2, 3]
//
// Winners are found as the pooling layer finds them.
static NOINLINE void unpool1_backward(int batch, const float *restrict d_y_, const float *restrict map_,
                                      float *restrict d_x_) {
    enum { C = 2, H = 5, W = 7, OH = 2, OW = 3 };
    enum { R = 2, S = 2, STRIDE_H = 2, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 0 };
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
//   d_map  [batch, 2, 5, 7]
static NOINLINE void unpool1_backward_map(int batch, float *restrict d_map_) {
    enum { C = 2, H = 5, W = 7 };
    float (*d_map)[C][H][W] = (float (*)[C][H][W])d_map_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_map[n][m][h][w] = 0.0f;
            }
        }
    }
}
