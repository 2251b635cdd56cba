#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// Sum of products of a and every stride-th element of b, in eight running sums: the same order on every machine, and
// wide enough for vectors.
static float dot(const float *a, const float *b, int count, int stride) {
    float sums[8] = {0};
    int i = 0;
    if (stride == 1) {
        for (; i + 8 <= count; i += 8)
            for (int j = 0; j < 8; j++) sums[j] += a[i + j] * b[i + j];
    }
    for (; i < count; i++) sums[i % 8] += a[i] * b[i * stride];
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

// conv1: Conv1D 3, stride 2, padding 1, dilation 2, groups 16.
//
//   x       [batch, 16, 1, 12]
//   weight  [16, 1, 1, 3]
//   bias    [16]
//   y       [batch, 16, 1, 5]
static NOINLINE void conv1_forward(int batch, const float *restrict x_, const float *restrict weight_,
                                   const float *restrict bias, float *restrict y_) {
    enum { C = 16, H = 1, W = 12, K = 16, R = 1, S = 3, OH = 1, OW = 5 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 1, DILATION_H = 1, DILATION_W = 2 };
    enum { C_GROUP = 1, K_GROUP = 1 };  // channels and maps of one group
    enum { POOL_H = 1, POOL_W = 1, COLUMNS = 5 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*weight)[C_GROUP][R][S] = (const float (*)[C_GROUP][R][S])weight_;
    float (*y)[K][OH][OW] = (float (*)[K][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < K; m++) {
            for (int h = 0; h < OH; h++) {
                float rows[POOL_H][COLUMNS];
                for (int i = 0; i < POOL_H; i++) {
                    for (int w = 0; w < COLUMNS; w++) rows[i][w] = bias[m];
                    for (int c = 0; c < C_GROUP; c++) {
                        for (int r = 0; r < R; r++) {
                            const int row = (h * POOL_H + i) * STRIDE_H - PAD_TOP + r * DILATION_H;
                            if (row < 0 || row >= H) continue;
                            const float *cells = x[n][m / K_GROUP * C_GROUP + c][row];
                            for (int s = 0; s < S; s++) {
                                // columns whose tap lies inside the map
                                const int shift = s * DILATION_W - PAD_LEFT;
                                const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                                const int fit = shift < W ? (W - 1 - shift) / STRIDE_W + 1 : 0;
                                const int last = fit < COLUMNS ? fit : COLUMNS;
                                const float tap = weight[m][c][r][s];
                                for (int w = first; w < last; w++) rows[i][w] += tap * cells[w * STRIDE_W + shift];
                            }
                        }
                    }
                }
                for (int w = 0; w < OW; w++) {
                    float v = rows[0][w];
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// conv1: gradients of weight and bias.
//
//   x         [batch, 16, 1, 12]
//   d_y       [batch, 16, 1, 5]
//   d_weight  [16, 1, 1, 3]
//   d_bias    [16]
static NOINLINE void conv1_backward_weight(int batch, int accumulate, const float *restrict x_,
                                           const float *restrict d_y_, float *restrict d_weight_,
                                           float *restrict d_bias) {
    enum { C = 16, H = 1, W = 12, K = 16, R = 1, S = 3, OH = 1, OW = 5 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 1, DILATION_H = 1, DILATION_W = 2 };
    enum { C_GROUP = 1, K_GROUP = 1 };  // channels and maps of one group
    enum { POOL_H = 1, POOL_W = 1, COLUMNS = 5 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[K][OH][OW] = (const float (*)[K][OH][OW])d_y_;
    float (*d_weight)[C_GROUP][R][S] = (float (*)[C_GROUP][R][S])d_weight_;

    for (int m = 0; m < K; m++) {
        for (int c = 0; c < C_GROUP; c++) {
            if (!accumulate) {
                for (int t = 0; t < R * S; t++) d_weight[m][c][t / S][t % S] = 0.0f;
                if (c == 0) d_bias[m] = 0.0f;
            }
            for (int n = 0; n < batch; n++) {
                for (int h = 0; h < OH; h++) {
                    float rows[POOL_H][COLUMNS];  // gradient of the convolution's result
                    float sum = 0.0f;
                    for (int w = 0; w < OW; w++) {
                        float v = d_y[n][m][h][w];
                        rows[0][w] = v;
                        sum += v;
                    }
                    if (c == 0) d_bias[m] += sum;
                    for (int i = 0; i < POOL_H; i++) {
                        for (int r = 0; r < R; r++) {
                            const int row = (h * POOL_H + i) * STRIDE_H - PAD_TOP + r * DILATION_H;
                            if (row < 0 || row >= H) continue;
                            const float *cells = x[n][m / K_GROUP * C_GROUP + c][row];
                            for (int s = 0; s < S; s++) {
                                const int shift = s * DILATION_W - PAD_LEFT;
                                const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                                const int fit = shift < W ? (W - 1 - shift) / STRIDE_W + 1 : 0;
                                const int last = fit < COLUMNS ? fit : COLUMNS;
                                if (first >= last) continue;
                                d_weight[m][c][r][s] +=
                                    dot(&rows[i][first], &cells[first * STRIDE_W + shift], last - first, STRIDE_W);
                            }
                        }
                    }
                }
            }
        }
    }
}

// conv1: gradient of the input.
//
//   weight  [16, 1, 1, 3]
//   d_y     [batch, 16, 1, 5]
//   d_x     [batch, 16, 1, 12]
static NOINLINE void conv1_backward_data(int batch, const float *restrict weight_, const float *restrict d_y_,
                                         float *restrict d_x_) {
    enum { C = 16, H = 1, W = 12, K = 16, R = 1, S = 3, OH = 1, OW = 5 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 1, DILATION_H = 1, DILATION_W = 2 };
    enum { C_GROUP = 1, K_GROUP = 1 };  // channels and maps of one group
    enum { POOL_H = 1, POOL_W = 1, COLUMNS = 5 };
    const float (*weight)[C_GROUP][R][S] = (const float (*)[C_GROUP][R][S])weight_;
    const float (*d_y)[K][OH][OW] = (const float (*)[K][OH][OW])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int c = 0; c < C; c++) {
            for (int i = 0; i < H * W; i++) d_x[n][c][i / W][i % W] = 0.0f;
            const int first_map = c / C_GROUP * K_GROUP;
            for (int m = first_map; m < first_map + K_GROUP; m++) {
                for (int h = 0; h < OH; h++) {
                    float rows[POOL_H][COLUMNS];  // gradient of the convolution's result
                    for (int w = 0; w < OW; w++) {
                        float v = d_y[n][m][h][w];
                        rows[0][w] = v;
                    }
                    for (int i = 0; i < POOL_H; i++) {
                        for (int r = 0; r < R; r++) {
                            const int row = (h * POOL_H + i) * STRIDE_H - PAD_TOP + r * DILATION_H;
                            if (row < 0 || row >= H) continue;
                            float *cells = d_x[n][c][row];
                            for (int s = 0; s < S; s++) {
                                const int shift = s * DILATION_W - PAD_LEFT;
                                const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                                const int fit = shift < W ? (W - 1 - shift) / STRIDE_W + 1 : 0;
                                const int last = fit < COLUMNS ? fit : COLUMNS;
                                const float tap = weight[m][c % C_GROUP][r][s];
                                for (int w = first; w < last; w++) cells[w * STRIDE_W + shift] += tap * rows[i][w];
                            }
                        }
                    }
                }
            }
        }
    }
}
