#include <stdint.h>
#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
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

// conv1: Conv1D 4, flipped kernel.
//
//   x       [batch, 3, 1, 9]
//   weight  [4, 3, 1, 4]
//   bias    [4]
//   y       [batch, 4, 1, 6]
static NOINLINE void conv1_forward(int batch, const float *restrict x_, const float *restrict weight_,
                                   const float *restrict bias, float *restrict y_) {
    enum { C = 3, H = 1, W = 9, K = 4, R = 1, S = 4, OH = 1, OW = 6 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 1, DILATION_W = 1 };
    enum { POOL_H = 1, POOL_W = 1, COLUMNS = 6 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*weight)[C][R][S] = (const float (*)[C][R][S])weight_;
    float (*y)[K][OH][OW] = (float (*)[K][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < K; m++) {
            for (int h = 0; h < OH; h++) {
                float rows[POOL_H][COLUMNS];
                for (int i = 0; i < POOL_H; i++) {
                    for (int w = 0; w < COLUMNS; w++) rows[i][w] = bias[m];
                    for (int c = 0; c < C; c++) {
                        for (int r = 0; r < R; r++) {
                            const int row = (h * POOL_H + i) * STRIDE_H - PAD_TOP + r * DILATION_H;
                            if (row < 0 || row >= H) continue;
                            const float *cells = x[n][c][row];
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

// conv1: zeros, to which the gradient of the weights in use is added.
//
//   y  [48]
static NOINLINE void conv1_backward_weight_clear(float *restrict y) {
    enum { COUNT = 48 };

    for (int i = 0; i < COUNT; i++) y[i] = 0.0f;
}

// conv1: gradients of weight and bias.
//
//   x         [batch, 3, 1, 9]
//   d_y       [batch, 4, 1, 6]
//   d_weight  [4, 3, 1, 4]
//   d_bias    [4]
static NOINLINE void conv1_backward_weight(int batch, int accumulate, const float *restrict x_,
                                           const float *restrict d_y_, float *restrict d_weight_,
                                           float *restrict d_bias) {
    enum { C = 3, H = 1, W = 9, K = 4, R = 1, S = 4, OH = 1, OW = 6 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 1, DILATION_W = 1 };
    enum { POOL_H = 1, POOL_W = 1, COLUMNS = 6 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[K][OH][OW] = (const float (*)[K][OH][OW])d_y_;
    float (*d_weight)[C][R][S] = (float (*)[C][R][S])d_weight_;

    for (int m = 0; m < K; m++) {
        for (int c = 0; c < C; c++) {
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
                            const float *cells = x[n][c][row];
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
//   weight  [4, 3, 1, 4]
//   d_y     [batch, 4, 1, 6]
//   d_x     [batch, 3, 1, 9]
static NOINLINE void conv1_backward_data(int batch, const float *restrict weight_, const float *restrict d_y_,
                                         float *restrict d_x_) {
    enum { C = 3, H = 1, W = 9, K = 4, R = 1, S = 4, OH = 1, OW = 6 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 1, DILATION_W = 1 };
    enum { POOL_H = 1, POOL_W = 1, COLUMNS = 6 };
    const float (*weight)[C][R][S] = (const float (*)[C][R][S])weight_;
    const float (*d_y)[K][OH][OW] = (const float (*)[K][OH][OW])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int c = 0; c < C; c++) {
            for (int i = 0; i < H * W; i++) d_x[n][c][i / W][i % W] = 0.0f;
            for (int m = 0; m < K; m++) {
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
                                const float tap = weight[m][c][r][s];
                                for (int w = first; w < last; w++) cells[w * STRIDE_W + shift] += tap * rows[i][w];
                            }
                        }
                    }
                }
            }
        }
    }
}

// conv1: gradient of the weight: that of the flipped kernels with their taps in reverse order.
//
//   x  [4, 3, 4]
//   y  [4, 3, 4]
static NOINLINE void conv1_backward_weight_flip(int accumulate, const float *restrict x_, float *restrict y_) {
    enum { KERNELS = 12, TAPS = 4 };  // kernels, and taps of one
    const float (*x)[TAPS] = (const float (*)[TAPS])x_;
    float (*y)[TAPS] = (float (*)[TAPS])y_;

    for (int k = 0; k < KERNELS; k++) {
        for (int t = 0; t < TAPS; t++) y[k][t] = (accumulate ? y[k][t] : 0.0f) + x[k][TAPS - 1 - t];
    }
}

// conv1: kernels with their taps in reverse order.
//
//   x  [4, 3, 4]
//   y  [4, 3, 4]
static NOINLINE void conv1_weight_flip(const float *restrict x_, float *restrict y_) {
    enum { KERNELS = 12, TAPS = 4 };  // kernels, and taps of one
    const float (*x)[TAPS] = (const float (*)[TAPS])x_;
    float (*y)[TAPS] = (float (*)[TAPS])y_;

    OMP(omp for schedule(static) nowait)
    for (int k = 0; k < KERNELS; k++) {
        for (int t = 0; t < TAPS; t++) y[k][t] = x[k][TAPS - 1 - t];
    }
}
