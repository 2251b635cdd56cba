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

// convtranspose1: ConvTranspose1D 3, stride 2, padding 1, dilation 2, groups 2, no bias.
//
//   x       [batch, 4, 1, 6]
//   weight  [4, 3, 1, 3]
//   y       [batch, 6, 1, 13]
static NOINLINE void convtranspose1_forward(int batch, const float *restrict x_, const float *restrict weight_,
                                            float *restrict y_) {
    enum { C = 4, H = 1, W = 6, K = 6, R = 1, S = 3, OH = 1, OW = 13 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 1, DILATION_H = 1, DILATION_W = 2 };
    enum { C_GROUP = 2, K_GROUP = 3 };  // channels and maps of one group
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*weight)[K_GROUP][R][S] = (const float (*)[K_GROUP][R][S])weight_;
    float (*y)[K][OH][OW] = (float (*)[K][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < K; m++) {
            for (int h = 0; h < OH; h++) {
                float row[OW];
                for (int w = 0; w < OW; w++) row[w] = 0.0f;
                for (int r = 0; r < R; r++) {
                    // the row of the input, if any, whose tap r falls on this one
                    const int distance = h + PAD_TOP - r * DILATION_H;
                    if (distance < 0 || distance % STRIDE_H != 0 || distance / STRIDE_H >= H) continue;
                    const int first_channel = m / K_GROUP * C_GROUP;
                    for (int c = first_channel; c < first_channel + C_GROUP; c++) {
                        const float *cells = x[n][c][distance / STRIDE_H];
                        for (int s = 0; s < S; s++) {
                            // columns whose tap falls inside the output
                            const int shift = s * DILATION_W - PAD_LEFT;
                            const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                            const int fit = shift < OW ? (OW - 1 - shift) / STRIDE_W + 1 : 0;
                            const int last = fit < W ? fit : W;
                            const float tap = weight[c][m % K_GROUP][r][s];
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

// convtranspose1: gradient of the weight.
//
//   x         [batch, 4, 1, 6]
//   d_y       [batch, 6, 1, 13]
//   d_weight  [4, 3, 1, 3]
static NOINLINE void convtranspose1_backward_weight(int batch, int accumulate, const float *restrict x_,
                                                    const float *restrict d_y_, float *restrict d_weight_) {
    enum { C = 4, H = 1, W = 6, K = 6, R = 1, S = 3, OH = 1, OW = 13 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 1, DILATION_H = 1, DILATION_W = 2 };
    enum { C_GROUP = 2, K_GROUP = 3 };  // channels and maps of one group
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[K][OH][OW] = (const float (*)[K][OH][OW])d_y_;
    float (*d_weight)[K_GROUP][R][S] = (float (*)[K_GROUP][R][S])d_weight_;

    for (int m = 0; m < K; m++) {
        for (int i = 0; i < C_GROUP; i++) {
            const int c = m / K_GROUP * C_GROUP + i;
            float (*taps)[S] = d_weight[c][m % K_GROUP];
            if (!accumulate) {
                for (int t = 0; t < R * S; t++) taps[t / S][t % S] = 0.0f;
            }
            for (int n = 0; n < batch; n++) {
                for (int h = 0; h < OH; h++) {
                    float row[OW];  // gradient of the convolution's own result
                    for (int w = 0; w < OW; w++) {
                        float v = d_y[n][m][h][w];
                        row[w] = v;
                    }
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
//   weight  [4, 3, 1, 3]
//   d_y     [batch, 6, 1, 13]
//   d_x     [batch, 4, 1, 6]
static NOINLINE void convtranspose1_backward_data(int batch, const float *restrict weight_, const float *restrict d_y_,
                                                  float *restrict d_x_) {
    enum { C = 4, H = 1, W = 6, K = 6, R = 1, S = 3, OH = 1, OW = 13 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 2, PAD_TOP = 0, PAD_LEFT = 1, DILATION_H = 1, DILATION_W = 2 };
    enum { C_GROUP = 2, K_GROUP = 3 };  // channels and maps of one group
    const float (*weight)[K_GROUP][R][S] = (const float (*)[K_GROUP][R][S])weight_;
    const float (*d_y)[K][OH][OW] = (const float (*)[K][OH][OW])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int c = 0; c < C; c++) {
            for (int i = 0; i < H * W; i++) d_x[n][c][i / W][i % W] = 0.0f;
            const int first_map = c / C_GROUP * K_GROUP;
            for (int m = first_map; m < first_map + K_GROUP; m++) {
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
                            const float tap = weight[c][m % K_GROUP][r][s];
                            for (int w = first; w < last; w++) cells[w] += tap * row[w * STRIDE_W + shift];
                        }
                    }
                }
            }
        }
    }
}
