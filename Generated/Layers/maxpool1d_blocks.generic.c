#include <stdint.h>
#include <math.h>

// pool1: MaxPool1D 4, stride 3, padding 1.
//
//   x       [batch, 16, 1, 11]
//   y       [batch, 16, 1, 4]
//   winner  [batch, 16, 1, 4]   position of each maximum in its window; the first wins a tie
static void pool1_forward(int batch, const float *restrict x_, float *restrict y_, uint8_t *restrict winner_) {
    enum { C = 16, H = 1, W = 11, OH = 1, OW = 4 };
    enum { R = 1, S = 4, STRIDE_H = 1, STRIDE_W = 3, PAD_TOP = 0, PAD_LEFT = 1 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][OH][OW] = (float (*)[C][OH][OW])y_;
    uint8_t (*winner)[C][OH][OW] = (uint8_t (*)[C][OH][OW])winner_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < OH; h++) {
                for (int w = 0; w < OW; w++) {
                    float best = -INFINITY;
                    int won = -1;
                    for (int q = 0; q < R * S; q++) {
                        const int row = h * STRIDE_H - PAD_TOP + q / S, column = w * STRIDE_W - PAD_LEFT + q % S;
                        if (row < 0 || row >= H || column < 0 || column >= W) continue;
                        const float cell = x[n][m][row][column];
                        if (won < 0 || cell > best || cell != cell) {
                            best = cell;
                            won = q;
                        }
                    }
                    y[n][m][h][w] = best;
                    winner[n][m][h][w] = (uint8_t)won;
                }
            }
        }
    }
}

// pool1: gradient of the input.
//
//   d_y     [batch, 16, 1, 4]
//   winner  [batch, 16, 1, 4]   position of each maximum in its window; the first wins a tie
//   d_x     [batch, 16, 1, 11]
//
// One thread has a whole map: windows that overlap never make two threads add to one cell.
static void pool1_backward(int batch, const float *restrict d_y_, const uint8_t *restrict winner_,
                           float *restrict d_x_) {
    enum { C = 16, H = 1, W = 11, OH = 1, OW = 4 };
    enum { R = 1, S = 4, STRIDE_H = 1, STRIDE_W = 3, PAD_TOP = 0, PAD_LEFT = 1 };
    const float (*d_y)[C][OH][OW] = (const float (*)[C][OH][OW])d_y_;
    const uint8_t (*winner)[C][OH][OW] = (const uint8_t (*)[C][OH][OW])winner_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int i = 0; i < H * W; i++) d_x[n][m][i / W][i % W] = 0.0f;
            for (int h = 0; h < OH; h++) {
                for (int w = 0; w < OW; w++) {
                    const int q = winner[n][m][h][w];
                    const int row = h * STRIDE_H - PAD_TOP + q / S, column = w * STRIDE_W - PAD_LEFT + q % S;
                    d_x[n][m][row][column] += d_y[n][m][h][w];
                }
            }
        }
    }
}
