#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// local1: LocallyConnected2D 2x2, stride 2, dilation 2.
//
//   x       [batch, 3, 6, 5]
//   weight  [4, 3, 2, 2, 2, 2]
//   bias    [4, 2, 2]
//   y       [batch, 4, 2, 2]
static NOINLINE void local1_forward(int batch, const float *restrict x_, const float *restrict weight_,
                                    const float *restrict bias_, float *restrict y_) {
    enum { C = 3, H = 6, W = 5, K = 4, R = 2, S = 2, OH = 2, OW = 2 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 2, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 2, DILATION_W = 2 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*weight)[C][R][S][OH][OW] = (const float (*)[C][R][S][OH][OW])weight_;
    const float (*bias)[OH][OW] = (const float (*)[OH][OW])bias_;
    float (*y)[K][OH][OW] = (float (*)[K][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < K; m++) {
            for (int h = 0; h < OH; h++) {
                for (int w = 0; w < OW; w++) y[n][m][h][w] = bias[m][h][w];
                for (int c = 0; c < C; c++) {
                    for (int r = 0; r < R; r++) {
                        const int row = h * STRIDE_H - PAD_TOP + r * DILATION_H;
                        if (row < 0 || row >= H) continue;
                        for (int s = 0; s < S; s++) {
                            // columns whose tap lies inside the map
                            const int shift = s * DILATION_W - PAD_LEFT;
                            const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                            const int fit = shift < W ? (W - 1 - shift) / STRIDE_W + 1 : 0;
                            const int last = fit < OW ? fit : OW;
                            for (int w = first; w < last; w++) {
                                const int column = w * STRIDE_W + shift;
                                const float tap = weight[m][c][r][s][h][w];
                                y[n][m][h][w] += tap * x[n][c][row][column];
                            }
                        }
                    }
                }
            }
        }
    }
}

// local1: gradient of the weight: the sum over the images.
//
//   x         [batch, 3, 6, 5]
//   d_y       [batch, 4, 2, 2]
//   d_weight  [4, 3, 2, 2, 2, 2]
static NOINLINE void local1_backward_weight(int batch, int accumulate, const float *restrict x_,
                                            const float *restrict d_y_, float *restrict d_weight_) {
    enum { C = 3, H = 6, W = 5, K = 4, R = 2, S = 2, OH = 2, OW = 2 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 2, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 2, DILATION_W = 2 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[K][OH][OW] = (const float (*)[K][OH][OW])d_y_;
    float (*d_weight)[C][R][S][OH][OW] = (float (*)[C][R][S][OH][OW])d_weight_;

    for (int m = 0; m < K; m++) {
        for (int c = 0; c < C; c++) {
            for (int r = 0; r < R; r++) {
                for (int s = 0; s < S; s++) {
                    // columns whose tap lies inside the map
                    const int shift = s * DILATION_W - PAD_LEFT;
                    const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                    const int fit = shift < W ? (W - 1 - shift) / STRIDE_W + 1 : 0;
                    const int last = fit < OW ? fit : OW;
                    for (int h = 0; h < OH; h++) {
                        float *const sums = d_weight[m][c][r][s][h];
                        if (!accumulate)
                            for (int w = 0; w < OW; w++) sums[w] = 0.0f;
                        const int row = h * STRIDE_H - PAD_TOP + r * DILATION_H;
                        if (row < 0 || row >= H) continue;
                        for (int n = 0; n < batch; n++) {
                            for (int w = first; w < last; w++)
                                sums[w] += d_y[n][m][h][w] * x[n][c][row][w * STRIDE_W + shift];
                        }
                    }
                }
            }
        }
    }
}

// local1: gradient of the bias: the sum over the images.
//
//   d_y     [batch, 4, 2, 2]
//   d_bias  [4, 2, 2]
static NOINLINE void local1_backward_bias(int batch, int accumulate, const float *restrict d_y_,
                                          float *restrict d_bias_) {
    enum { K = 4, OH = 2, OW = 2 };
    const float (*d_y)[K][OH][OW] = (const float (*)[K][OH][OW])d_y_;
    float (*d_bias)[OH][OW] = (float (*)[OH][OW])d_bias_;

    for (int m = 0; m < K; m++) {
        for (int h = 0; h < OH; h++) {
            for (int n = 0; n < batch; n++) {
                for (int w = 0; w < OW; w++) {
                    float v = d_y[n][m][h][w];
                    d_bias[m][h][w] = (accumulate || n > 0 ? d_bias[m][h][w] : 0.0f) + v;
                }
            }
        }
    }
}

// local1: gradient of the input.
//
//   weight  [4, 3, 2, 2, 2, 2]
//   d_y     [batch, 4, 2, 2]
//   d_x     [batch, 3, 6, 5]
static NOINLINE void local1_backward_data(int batch, const float *restrict weight_, const float *restrict d_y_,
                                          float *restrict d_x_) {
    enum { C = 3, H = 6, W = 5, K = 4, R = 2, S = 2, OH = 2, OW = 2 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 2, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 2, DILATION_W = 2 };
    const float (*weight)[C][R][S][OH][OW] = (const float (*)[C][R][S][OH][OW])weight_;
    const float (*d_y)[K][OH][OW] = (const float (*)[K][OH][OW])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int c = 0; c < C; c++) {
            for (int i = 0; i < H * W; i++) d_x[n][c][i / W][i % W] = 0.0f;
            for (int m = 0; m < K; m++) {
                for (int r = 0; r < R; r++) {
                    for (int s = 0; s < S; s++) {
                        // columns whose tap lies inside the map
                        const int shift = s * DILATION_W - PAD_LEFT;
                        const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                        const int fit = shift < W ? (W - 1 - shift) / STRIDE_W + 1 : 0;
                        const int last = fit < OW ? fit : OW;
                        for (int h = 0; h < OH; h++) {
                            const int row = h * STRIDE_H - PAD_TOP + r * DILATION_H;
                            if (row < 0 || row >= H) continue;
                            for (int w = first; w < last; w++) {
                                const int column = w * STRIDE_W + shift;
                                const float tap = weight[m][c][r][s][h][w];
                                d_x[n][c][row][column] += tap * d_y[n][m][h][w];
                            }
                        }
                    }
                }
            }
        }
    }
}
