#include <stdint.h>
#include <string.h>

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#define ROLL _Pragma("clang loop unroll(disable)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#define ROLL _Pragma("GCC unroll 1")
#endif
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define LANES 16  // floats of one vector
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));  // the same at any address
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

// Lane i of the result is the sum of the lanes of v[i]; v is used up.
INLINE lanes lane_sums(lanes v[LANES]) {
    UNROLL for (int half = LANES / 2; half > 0; half /= 2) {
        UNROLL for (int i = 0; i < half; i++) v[i] = zip_low(v[i], v[i + half]) + zip_high(v[i], v[i + half]);
    }
    return v[0];
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

// dense1: Dense, no bias, dropConnect 0.25.
//
//   x       [batch, 40]
//   weight  [33, 40]
//   y       [batch, 33]
static NOINLINE void dense1_forward(int batch, const float *restrict x_, const float *restrict weight_,
                                    float *restrict y_) {
    enum { F = 40, K = 33 };  // features, outputs
    enum { TN = 5, TK = 3 };  // register tile: images x outputs, with features in lanes
    enum { SUMS = 16 };  // vectors of the tile, to be summed a vector's lanes at a time
    const float (*x)[F] = (const float (*)[F])x_;
    const float (*weight)[F] = (const float (*)[F])weight_;
    float (*y)[K] = (float (*)[K])y_;

    for (int tile = 0; tile < K; tile += TK) {
        for (int n0 = 0; n0 < batch; n0 += TN) {
            const int m0 = MIN(tile, K - TK);  // the last tile overlaps its neighbour
            lanes acc[SUMS] = {0};
            ROLL for (int f = 0; f < F / LANES * LANES; f += LANES) {
                UNROLL for (int t = 0; t < TK; t++) {
                    UNROLL for (int i = 0; i < TN; i++)
                        acc[TK * i + t] +=
                            *(const loose *)&weight[m0 + t][f] * *(const loose *)&x[MIN(n0 + i, batch - 1)][f];
                }
            }
            float sums[SUMS];
            for (int i = 0; i < SUMS; i += LANES) *(loose *)&sums[i] = lane_sums(&acc[i]);
            for (int n = n0; n < MIN(n0 + TN, batch); n++) {
                for (int m = tile; m < m0 + TK; m++) {
                    float v = sums[TK * (n - n0) + m - m0];
                    for (int f = F / LANES * LANES; f < F; f++) v += weight[m][f] * x[n][f];
                    y[n][m] = v;
                }
            }
        }
    }
}

// dense1: weights of this step: dropped ones are zero.
//
//   x  [33, 40]
//   y  [33, 40]
static NOINLINE void dense1_forward_drop_weight(uint64_t seed, uint64_t step, const float *restrict x,
                                                float *restrict y) {
    enum { COUNT = 1320 };
    enum { PIECE = 256, ROOM = 384 };  // weights that bits are drawn for at once, and whole blocks of bits

    for (int first = 0; first < COUNT; first += PIECE) {
        const int count = MIN(PIECE, COUNT - first);
        uint32_t room[ROOM];
        const uint32_t *bits = random_bits(room, count, seed, 0xd9d91213u, step, (uint64_t)first);
        for (int i = 0; i < count; i++) {
            const float kept = bits[i] < 1073741824u ? 0.0f : x[first + i] * 1.3333334f;
            y[first + i] = kept;
        }
    }
}

// dense1: zeros, to which the gradient of the weights in use is added.
//
//   y  [1320]
static NOINLINE void dense1_backward_weight_clear(float *restrict y) {
    enum { COUNT = 1320 };

    for (int i = 0; i < COUNT; i++) y[i] = 0.0f;
}

// dense1: gradient of the weight.
//
//   x         [batch, 40]
//   d_y       [batch, 33]
//   d_weight  [33, 40]
static NOINLINE void dense1_backward_weight(int batch, int accumulate, const float *restrict x_,
                                            const float *restrict d_y_, float *restrict d_weight_) {
    enum { F = 40, K = 33 };  // features, outputs
    enum { TK = 7, TF = 1 };  // register tile: outputs x vectors of features
    enum { FB = 16, KB = 33, ROWS = 5 };  // features and outputs of a part; images in the buffer
    const float (*x)[F] = (const float (*)[F])x_;
    const float (*d_y)[K] = (const float (*)[K])d_y_;
    float (*d_weight)[F] = (float (*)[F])d_weight_;

    for (int part = 0; part < F; part += FB) {
        for (int m0 = 0; m0 < K; m0 += KB) {
            const int outputs = MIN(KB, K - m0);
            for (int n0 = 0; n0 < batch; n0 += ROWS) {
                const int count = MIN(ROWS, batch - n0), adds = n0 > 0 || accumulate;
                float d_pre[ROWS][KB];  // the gradient before the epilogues
                for (int i = 0; i < count; i++) {
                    const int n = n0 + i;
                    for (int m = m0; m < m0 + outputs; m++) {
                        float v = d_y[n][m];
                        d_pre[i][m - m0] = v;
                    }
                }
                for (int column = part; column < MIN(part + FB, F); column += TF * LANES) {
                    const int f0 = MIN(column, F - TF * LANES);  // the last tile overlaps its neighbour
                    for (int tile = 0; tile < outputs; tile += TK) {
                        const int k0 = MIN(tile, outputs - TK);
                        lanes acc[TK][TF] = {0};
                        ROLL for (int i = 0; i < count; i++) {
                            const loose *row = (const loose *)&x[n0 + i][f0];
                            UNROLL for (int t = 0; t < TF; t++) {
                                UNROLL for (int k = 0; k < TK; k++) acc[k][t] += row[t] * d_pre[i][k0 + k];
                            }
                        }
                        lanes sums[TK][TF];
                        UNROLL for (int k = 0; k < TK; k++) {
                            UNROLL for (int t = 0; t < TF; t++) sums[k][t] = acc[k][t];
                        }
                        for (int k = tile - k0; k < TK; k++) {
                            const float *values = (const float *)sums[k];
                            float *at = &d_weight[m0 + k0 + k][f0];
                            for (int i = column - f0; i < TF * LANES; i++) at[i] = adds ? at[i] + values[i] : values[i];
                        }
                    }
                }
            }
        }
    }
}

// dense1: gradient of the input.
//
//   weight  [33, 40]
//   d_y     [batch, 33]
//   d_x     [batch, 40]
static NOINLINE void dense1_backward_data(int batch, const float *restrict weight_, const float *restrict d_y_,
                                          float *restrict d_x_) {
    enum { F = 40, K = 33 };  // features, outputs
    enum { TN = 5, TF = 2 };  // register tile: images x vectors of features
    enum { FB = 32, ROWS = 5, KB = 33 };  // features and images of a part; outputs in the buffer
    const float (*weight)[F] = (const float (*)[F])weight_;
    const float (*d_y)[K] = (const float (*)[K])d_y_;
    float (*d_x)[F] = (float (*)[F])d_x_;

    for (int part = 0; part < F; part += FB) {
        for (int n0 = 0; n0 < batch; n0 += ROWS) {
            const int count = MIN(ROWS, batch - n0);
            for (int m0 = 0; m0 < K; m0 += KB) {
                const int outputs = MIN(KB, K - m0);
                float d_pre[ROWS][KB];  // the gradient before the epilogues
                for (int i = 0; i < (count + TN - 1) / TN * TN; i++) {
                    const int n = MIN(n0 + i, batch - 1);
                    for (int m = m0; m < m0 + outputs; m++) {
                        float v = d_y[n][m];
                        d_pre[i][m - m0] = v;
                    }
                }
                for (int tile = part; tile < MIN(part + FB, F); tile += TF * LANES) {
                    const int f0 = MIN(tile, F - TF * LANES);  // the last tile overlaps its neighbour
                    for (int i = 0; i < count; i += TN) {
                        lanes acc[TN][TF] = {0};
                        ROLL for (int k = 0; k < outputs; k++) {
                            const loose *row = (const loose *)&weight[m0 + k][f0];
                            UNROLL for (int t = 0; t < TF; t++) {
                                UNROLL for (int j = 0; j < TN; j++) acc[j][t] += row[t] * d_pre[i + j][k];
                            }
                        }
                        lanes sums[TN][TF];
                        UNROLL for (int j = 0; j < TN; j++) {
                            UNROLL for (int t = 0; t < TF; t++) sums[j][t] = acc[j][t];
                        }
                        for (int j = 0; j < MIN(TN, count - i); j++) {
                            const float *values = (const float *)sums[j];
                            float *at = &d_x[n0 + i + j][f0];
                            for (int f = tile - f0; f < TF * LANES; f++) at[f] = m0 > 0 ? at[f] + values[f] : values[f];
                        }
                    }
                }
            }
        }
    }
}

// dense1: gradient of the weight: zero for dropped ones.
//
//   x  [33, 40]
//   y  [33, 40]
static NOINLINE void dense1_backward_weight_drop(int accumulate, uint64_t seed, uint64_t step, const float *restrict x,
                                                 float *restrict y) {
    enum { COUNT = 1320 };
    enum { PIECE = 256, ROOM = 384 };  // weights that bits are drawn for at once, and whole blocks of bits

    for (int first = 0; first < COUNT; first += PIECE) {
        const int count = MIN(PIECE, COUNT - first);
        uint32_t room[ROOM];
        const uint32_t *bits = random_bits(room, count, seed, 0xd9d91213u, step, (uint64_t)first);
        for (int i = 0; i < count; i++) {
            const float kept = bits[i] < 1073741824u ? 0.0f : x[first + i] * 1.3333334f;
            y[first + i] = (accumulate ? y[first + i] : 0.0f) + kept;
        }
    }
}
