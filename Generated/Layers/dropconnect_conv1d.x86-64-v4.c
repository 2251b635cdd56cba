#include <stdint.h>
#include <string.h>

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define LANES 16  // floats of one vector
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t masks __attribute__((vector_size(4 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));
// Helpers are functions: in macros that name an accumulator twice, it would not stay in its register. They are always
// inlined, so how a vector argument would be passed does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

// a0 b0 a1 b1 ... of the first halves.
INLINE lanes zip_low(lanes a, lanes b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// a0 b0 a1 b1 ... of the second halves.
INLINE lanes zip_high(lanes a, lanes b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef uint64_t blocks __attribute__((vector_size(8 * LANES)));
// Vectors of blocks that are drawn side by side, as many as the registers hold: each round waits for the one before.
enum { SETS = LANES > 8 ? 2 : 1 };

// The four words of LANES blocks of Philox 4x32-10 (Salmon et al. 2011) in each set: random bits that depend on the
// step's seed, the layer's key and the block's number alone. Upper halves may hold anything, for products are taken of
// the lower ones.
INLINE void random_blocks(words word[SETS][4], uint64_t seed, uint32_t key, uint64_t step, const blocks block[SETS]) {
    blocks word0[SETS], word1[SETS], word2[SETS], word3[SETS];
    UNROLL for (int s = 0; s < SETS; s++) {
        word0[s] = block[s];
        word1[s] = block[s] >> 32;
        word2[s] = (blocks){0} + step;
        word3[s] = word2[s] >> 32;
    }
    uint32_t key0 = (uint32_t)seed ^ key, key1 = (uint32_t)(seed >> 32);
    UNROLL for (int round = 0; round < 10; round++) {
        UNROLL for (int s = 0; s < SETS; s++) {
            const blocks a = (word0[s] & 0xFFFFFFFFu) * 0xD2511F53u, b = (word2[s] & 0xFFFFFFFFu) * 0xCD9E8D57u;
            word0[s] = (b >> 32) ^ word1[s] ^ key0;
            word1[s] = b;
            word2[s] = (a >> 32) ^ word3[s] ^ key1;
            word3[s] = a;
        }
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    UNROLL for (int s = 0; s < SETS; s++) {
        word[s][0] = __builtin_convertvector(word0[s], words);
        word[s][1] = __builtin_convertvector(word1[s], words);
        word[s][2] = __builtin_convertvector(word2[s], words);
        word[s][3] = __builtin_convertvector(word3[s], words);
    }
}

// Random words of count values that follow one another, the first with this index; the room takes three more and is
// whole blocks of 4 * LANES in each set.
INLINE const uint32_t *random_bits(uint32_t *room, int count, uint64_t seed, uint32_t key, uint64_t step,
                                   uint64_t index) {
    const int first = index % 4;
    blocks block[SETS];
    for (int l = 0; l < LANES; l++) block[0][l] = index / 4 + l;
    for (int s = 1; s < SETS; s++) block[s] = block[0] + LANES * s;
    for (int i = 0; i < count + first; i += SETS * 4 * LANES) {
        words word[SETS][4];
        random_blocks(word, seed, key, step, block);
        UNROLL for (int s = 0; s < SETS; s++) {
            const lanes word0 = (lanes)word[s][0], word1 = (lanes)word[s][1];
            const lanes word2 = (lanes)word[s][2], word3 = (lanes)word[s][3];
            const lanes even[2] = {zip_low(word0, word2), zip_high(word0, word2)};
            const lanes odd[2] = {zip_low(word1, word3), zip_high(word1, word3)};
            UNROLL for (int j = 0; j < 2; j++) {
                word[s][2 * j] = (words)zip_low(even[j], odd[j]);
                word[s][2 * j + 1] = (words)zip_high(even[j], odd[j]);
            }
            block[s] += SETS * LANES;
        }
        memcpy(room + i, word, sizeof word);
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
static NOINLINE void conv1_forward(int batch, const float *restrict x_, const float *restrict weight_,
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
static NOINLINE void conv1_forward_drop_weight(uint64_t seed, uint64_t step, const float *restrict x,
                                               float *restrict y) {
    enum { COUNT = 24 };
    enum { PIECE = 256, ROOM = 384 };  // weights that bits are drawn for at once, and whole blocks of bits

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
static NOINLINE void conv1_backward_weight_clear(float *restrict y) {
    enum { COUNT = 24 };

    for (int i = 0; i < COUNT; i++) y[i] = 0.0f;
}

// conv1: gradients of weight and bias.
//
//   x         [batch, 4, 1, 9]
//   d_y       [batch, 4, 1, 7]
//   d_weight  [4, 2, 1, 3]
//   d_bias    [4]
static NOINLINE void conv1_backward_weight(int batch, int accumulate, const float *restrict x_,
                                           const float *restrict d_y_, float *restrict d_weight_,
                                           float *restrict d_bias) {
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
static NOINLINE void conv1_backward_data(int batch, const float *restrict weight_, const float *restrict d_y_,
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
static NOINLINE void conv1_backward_weight_drop(int accumulate, uint64_t seed, uint64_t step, const float *restrict x,
                                                float *restrict y) {
    enum { COUNT = 24 };
    enum { PIECE = 256, ROOM = 384 };  // weights that bits are drawn for at once, and whole blocks of bits

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
