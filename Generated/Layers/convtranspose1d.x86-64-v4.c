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

// convtranspose1: ConvTranspose1D 4, stride 3, padding left 1 right 0, output padding 1.
//
//   x       [batch, 2, 1, 5]
//   weight  [2, 5, 1, 4]
//   bias    [5]
//   y       [batch, 5, 1, 16]
static NOINLINE void convtranspose1_forward(int batch, const float *restrict x_, const float *restrict weight_,
                                            const float *restrict bias, float *restrict y_) {
    enum { C = 2, H = 1, W = 5, K = 5, R = 1, S = 4, OH = 1, OW = 16 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 3, PAD_TOP = 0, PAD_LEFT = 1, DILATION_H = 1, DILATION_W = 1 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*weight)[K][R][S] = (const float (*)[K][R][S])weight_;
    float (*y)[K][OH][OW] = (float (*)[K][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < K; m++) {
            for (int h = 0; h < OH; h++) {
                float row[OW];
                for (int w = 0; w < OW; w++) row[w] = bias[m];
                for (int r = 0; r < R; r++) {
                    // the row of the input, if any, whose tap r falls on this one
                    const int distance = h + PAD_TOP - r * DILATION_H;
                    if (distance < 0 || distance % STRIDE_H != 0 || distance / STRIDE_H >= H) continue;
                    for (int c = 0; c < C; c++) {
                        const float *cells = x[n][c][distance / STRIDE_H];
                        for (int s = 0; s < S; s++) {
                            // columns whose tap falls inside the output
                            const int shift = s * DILATION_W - PAD_LEFT;
                            const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                            const int fit = shift < OW ? (OW - 1 - shift) / STRIDE_W + 1 : 0;
                            const int last = fit < W ? fit : W;
                            const float tap = weight[c][m][r][s];
                            for (int w = first; w < last; w++) row[w * STRIDE_W + shift] += tap * cells[w];
                        }
                    }
                }
                for (int w = 0; w < OW; w++) {
                    float v = row[w];
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// convtranspose1: gradients of weight and bias.
//
//   x         [batch, 2, 1, 5]
//   d_y       [batch, 5, 1, 16]
//   d_weight  [2, 5, 1, 4]
//   d_bias    [5]
static NOINLINE void convtranspose1_backward_weight(int batch, int accumulate, const float *restrict x_,
                                                    const float *restrict d_y_, float *restrict d_weight_,
                                                    float *restrict d_bias) {
    enum { C = 2, H = 1, W = 5, K = 5, R = 1, S = 4, OH = 1, OW = 16 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 3, PAD_TOP = 0, PAD_LEFT = 1, DILATION_H = 1, DILATION_W = 1 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[K][OH][OW] = (const float (*)[K][OH][OW])d_y_;
    float (*d_weight)[K][R][S] = (float (*)[K][R][S])d_weight_;

    for (int m = 0; m < K; m++) {
        for (int i = 0; i < C; i++) {
            const int c = i;
            float (*taps)[S] = d_weight[c][m];
            if (!accumulate) {
                for (int t = 0; t < R * S; t++) taps[t / S][t % S] = 0.0f;
                if (i == 0) d_bias[m] = 0.0f;
            }
            for (int n = 0; n < batch; n++) {
                for (int h = 0; h < OH; h++) {
                    float row[OW];  // gradient of the convolution's own result
                    float sum = 0.0f;
                    for (int w = 0; w < OW; w++) {
                        float v = d_y[n][m][h][w];
                        row[w] = v;
                        sum += v;
                    }
                    if (i == 0) d_bias[m] += sum;
                    for (int r = 0; r < R; r++) {
                        const int distance = h + PAD_TOP - r * DILATION_H;
                        if (distance < 0 || distance % STRIDE_H != 0 || distance / STRIDE_H >= H) continue;
                        const float *cells = x[n][c][distance / STRIDE_H];
                        for (int s = 0; s < S; s++) {
                            const int shift = s * DILATION_W - PAD_LEFT;
                            const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                            const int fit = shift < OW ? (OW - 1 - shift) / STRIDE_W + 1 : 0;
                            const int last = fit < W ? fit : W;
                            if (first >= last) continue;
                            taps[r][s] += dot(&cells[first], &row[first * STRIDE_W + shift], last - first, STRIDE_W);
                        }
                    }
                }
            }
        }
    }
}

// convtranspose1: gradient of the input.
//
//   weight  [2, 5, 1, 4]
//   d_y     [batch, 5, 1, 16]
//   d_x     [batch, 2, 1, 5]
static NOINLINE void convtranspose1_backward_data(int batch, const float *restrict weight_, const float *restrict d_y_,
                                                  float *restrict d_x_) {
    enum { C = 2, H = 1, W = 5, K = 5, R = 1, S = 4, OH = 1, OW = 16 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 3, PAD_TOP = 0, PAD_LEFT = 1, DILATION_H = 1, DILATION_W = 1 };
    const float (*weight)[K][R][S] = (const float (*)[K][R][S])weight_;
    const float (*d_y)[K][OH][OW] = (const float (*)[K][OH][OW])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int c = 0; c < C; c++) {
            for (int i = 0; i < H * W; i++) d_x[n][c][i / W][i % W] = 0.0f;
            for (int m = 0; m < K; m++) {
                for (int h = 0; h < OH; h++) {
                    float row[OW];  // gradient of the convolution's own result
                    for (int w = 0; w < OW; w++) {
                        float v = d_y[n][m][h][w];
                        row[w] = v;
                    }
                    for (int r = 0; r < R; r++) {
                        const int distance = h + PAD_TOP - r * DILATION_H;
                        if (distance < 0 || distance % STRIDE_H != 0 || distance / STRIDE_H >= H) continue;
                        float *cells = d_x[n][c][distance / STRIDE_H];
                        for (int s = 0; s < S; s++) {
                            const int shift = s * DILATION_W - PAD_LEFT;
                            const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                            const int fit = shift < OW ? (OW - 1 - shift) / STRIDE_W + 1 : 0;
                            const int last = fit < W ? fit : W;
                            const float tap = weight[c][m][r][s];
                            for (int w = first; w < last; w++) cells[w] += tap * row[w * STRIDE_W + shift];
                        }
                    }
                }
            }
        }
    }
}
