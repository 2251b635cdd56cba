#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// gmp1: GlobalMaxPool.
//
//   x       [batch, 3, 17, 16]
//   y       [batch, 3, 1, 1]
//   winner  [batch, 3, 1, 1]    position of each maximum in its window; the first wins a tie
static NOINLINE void gmp1_forward(int batch, const float *restrict x_, float *restrict y_, int32_t *restrict winner_) {
    enum { C = 3, H = 17, W = 16, OH = 1, OW = 1 };
    enum { R = 17, S = 16, STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][OH][OW] = (float (*)[C][OH][OW])y_;
    int32_t (*winner)[C][OH][OW] = (int32_t (*)[C][OH][OW])winner_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < OH; h++) {
                const int top = h * STRIDE_H - PAD_TOP, first_row = MAX(0, -top), end_row = MIN(R, H - top);
                for (int w = 0; w < OW; w++) {
                    const int left = w * STRIDE_W - PAD_LEFT;
                    const int first_column = MAX(0, -left), end_column = MIN(S, W - left);
                    float best = x[n][m][top + first_row][left + first_column];
                    int won = first_row * S + first_column;
                    for (int r = first_row; r < end_row; r++) {
                        for (int s = first_column; s < end_column; s++) {
                            const float cell = x[n][m][top + r][left + s];
                            const int better = cell > best || cell != cell;
                            best = better ? cell : best;
                            won = better ? r * S + s : won;
                        }
                    }
                    y[n][m][h][w] = best;
                    winner[n][m][h][w] = won;
                }
            }
        }
    }
}

// gmp1: gradient of the input.
//
//   d_y     [batch, 3, 1, 1]
//   winner  [batch, 3, 1, 1]    position of each maximum in its window; the first wins a tie
//   d_x     [batch, 3, 17, 16]
//
// One thread has a whole map: windows that overlap never make two threads add to one cell.
static NOINLINE void gmp1_backward(int batch, const float *restrict d_y_, const int32_t *restrict winner_,
                                   float *restrict d_x_) {
    enum { C = 3, H = 17, W = 16, OH = 1, OW = 1 };
    enum { R = 17, S = 16, STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0 };
    const float (*d_y)[C][OH][OW] = (const float (*)[C][OH][OW])d_y_;
    const int32_t (*winner)[C][OH][OW] = (const int32_t (*)[C][OH][OW])winner_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            int zeros = 0;  // rows of d_x that are cleared
            for (int h = 0; h < OH; h++) {
                const int top = h * STRIDE_H - PAD_TOP;
                for (; zeros < MIN(top + R, H); zeros++)
                    for (int w = 0; w < W; w++) d_x[n][m][zeros][w] = 0.0f;
                for (int w = 0; w < OW; w++) {
                    const int left = w * STRIDE_W - PAD_LEFT;
                    const int won = winner[n][m][h][w];
                    d_x[n][m][top + won / S][left + won % S] += d_y[n][m][h][w];
                }
            }
            for (; zeros < H; zeros++)
                for (int w = 0; w < W; w++) d_x[n][m][zeros][w] = 0.0f;
        }
    }
}
