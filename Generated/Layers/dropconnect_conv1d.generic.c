#include <stdint.h>
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// Words of Philox 4x32-10 (Salmon et al. 2011), random bits that depend on the step's seed, the layer's key and a
// value's index alone: those of count values that follow one another, the first with this index. The room takes three
// more and is whole blocks of four.
static inline const uint32_t *random_bits(uint32_t *room, int count, uint64_t seed, uint32_t key, uint64_t step,
                                          uint64_t index) {
    const int first = index % 4;
    for (int i = 0; i < count + first; i += 4) {
        const uint64_t block = (index + i) / 4;
        uint32_t word0 = (uint32_t)block, word1 = (uint32_t)(block >> 32);
        uint32_t word2 = (uint32_t)step, word3 = (uint32_t)(step >> 32);
        uint32_t key0 = (uint32_t)seed ^ key, key1 = (uint32_t)(seed >> 32);
        for (int round = 0; round < 10; round++) {
            const uint64_t a = (uint64_t)0xD2511F53u * word0, b = (uint64_t)0xCD9E8D57u * word2;
            word0 = (uint32_t)(b >> 32) ^ word1 ^ key0;
            word1 = (uint32_t)b;
            word2 = (uint32_t)(a >> 32) ^ word3 ^ key1;
            word3 = (uint32_t)a;
            key0 += 0x9E3779B9u;
            key1 += 0xBB67AE85u;
        }
        room[i] = word0;
        room[i + 1] = word1;
        room[i + 2] = word2;
        room[i + 3] = word3;
    }
    return room + first;
}

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

// conv1: Conv1D 3, groups 2, dropConnect 0.1.
//
//   x       [batch, 4, 1, 9]
//   weight  [4, 2, 1, 3]
//   bias    [4]
//   y       [batch, 4, 1, 7]
static void conv1_forward(int batch, const float *restrict x_, const float *restrict weight_,
                          const float *restrict bias, float *restrict y_) {
    enum { C = 4, H = 1, W = 9, K = 4, R = 1, S = 3, OH = 1, OW = 7 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 1, DILATION_W = 1 };
    enum { C_GROUP = 2, K_GROUP = 2 };  // channels and maps of one group
    enum { POOL_H = 1, POOL_W = 1, COLUMNS = 7 };
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

// conv1: weights of this step: dropped ones are zero.
//
//   x  [4, 2, 3]
//   y  [4, 2, 3]
static void conv1_forward_drop_weight(uint64_t seed, uint64_t step, const float *restrict x, float *restrict y) {
    enum { COUNT = 24 };
    enum { PIECE = 256, ROOM = 260 };  // weights that bits are drawn for at once, and whole blocks of bits

    for (int first = 0; first < COUNT; first += PIECE) {
        const int count = MIN(PIECE, COUNT - first);
        uint32_t room[ROOM];
        const uint32_t *bits = random_bits(room, count, seed, 0x1f5c2e02u, step, (uint64_t)first);
        for (int i = 0; i < count; i++) {
            const float kept = bits[i] < 429496730u ? 0.0f : x[first + i] * 1.1111112f;
            y[first + i] = kept;
        }
    }
}

// conv1: zeros, to which the gradient of the weights in use is added.
//
//   y  [24]
static void conv1_backward_weight_clear(float *restrict y) {
    enum { COUNT = 24 };

    for (int i = 0; i < COUNT; i++) y[i] = 0.0f;
}

// conv1: gradients of weight and bias.
//
//   x         [batch, 4, 1, 9]
//   d_y       [batch, 4, 1, 7]
//   d_weight  [4, 2, 1, 3]
//   d_bias    [4]
static void conv1_backward_weight(int batch, int accumulate, const float *restrict x_, const float *restrict d_y_,
                                  float *restrict d_weight_, float *restrict d_bias) {
    enum { C = 4, H = 1, W = 9, K = 4, R = 1, S = 3, OH = 1, OW = 7 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 1, DILATION_W = 1 };
    enum { C_GROUP = 2, K_GROUP = 2 };  // channels and maps of one group
    enum { POOL_H = 1, POOL_W = 1, COLUMNS = 7 };
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
//   weight  [4, 2, 1, 3]
//   d_y     [batch, 4, 1, 7]
//   d_x     [batch, 4, 1, 9]
static void conv1_backward_data(int batch, const float *restrict weight_, const float *restrict d_y_,
                                float *restrict d_x_) {
    enum { C = 4, H = 1, W = 9, K = 4, R = 1, S = 3, OH = 1, OW = 7 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 1, DILATION_W = 1 };
    enum { C_GROUP = 2, K_GROUP = 2 };  // channels and maps of one group
    enum { POOL_H = 1, POOL_W = 1, COLUMNS = 7 };
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

// conv1: gradient of the weight: zero for dropped ones.
//
//   x  [4, 2, 3]
//   y  [4, 2, 3]
static void conv1_backward_weight_drop(int accumulate, uint64_t seed, uint64_t step, const float *restrict x,
                                       float *restrict y) {
    enum { COUNT = 24 };
    enum { PIECE = 256, ROOM = 260 };  // weights that bits are drawn for at once, and whole blocks of bits

    for (int first = 0; first < COUNT; first += PIECE) {
        const int count = MIN(PIECE, COUNT - first);
        uint32_t room[ROOM];
        const uint32_t *bits = random_bits(room, count, seed, 0x1f5c2e02u, step, (uint64_t)first);
        for (int i = 0; i < count; i++) {
            const float kept = bits[i] < 429496730u ? 0.0f : x[first + i] * 1.1111112f;
            y[first + i] = (accumulate ? y[first + i] : 0.0f) + kept;
        }
    }
}
