#include <stdint.h>
#include <string.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
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

// Stores v, or adds it to what is there.
INLINE void store(lanes *at, lanes v, int adds) {
    if (adds) v += *at;
    *at = v;
}

// Lane i of the result is the sum of the lanes of v[i]; v is used up.
INLINE lanes lane_sums(lanes v[LANES]) {
    UNROLL for (int half = LANES / 2; half > 0; half /= 2) {
        UNROLL for (int i = 0; i < half; i++) v[i] = zip_low(v[i], v[i + half]) + zip_high(v[i], v[i + half]);
    }
    return v[0];
}

// Turns rows into columns: v[i][j] becomes v[j][i].
INLINE void transpose(lanes v[LANES]) {
    UNROLL for (int round = 1; round < LANES; round *= 2) {
        lanes w[LANES];
        UNROLL for (int i = 0; i < LANES / 2; i++) {
            w[2 * i] = zip_low(v[i], v[i + LANES / 2]);
            w[2 * i + 1] = zip_high(v[i], v[i + LANES / 2]);
        }
        UNROLL for (int i = 0; i < LANES; i++) v[i] = w[i];
    }
}

// conv1: Conv2D 2x2, flipped kernel, bias per position, dropConnect 0.75.
//
//   x       [batch, 16, 4, 5]
//   weight  [1, 16, 2, 2, 1, 16]  maps in lanes
//   y       [batch, 1, 3, 4, 16]
//   bias    [1, 3, 4, 16]         maps in lanes
static NOINLINE void conv1_forward(int batch, const float *restrict x_, const lanes *restrict weight_,
                                   lanes *restrict y_, const lanes *restrict bias_) {
    enum { C = 16, CI = 1, H = 4, W = 5 };  // planes of channels
    enum { K = 1, R = 2, S = 2, OH = 3, OW = 4 };  // blocks of maps
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, POOL_H = 1, POOL_W = 1 };
    enum { TK = 1, TW = 4 };  // register tile: blocks of maps x columns
    const float (*x)[C][H][W][CI] = (const float (*)[C][H][W][CI])x_;
    const lanes (*weight)[C][R][S][CI] = (const lanes (*)[C][R][S][CI])weight_;
    lanes (*y)[K][OH][OW] = (lanes (*)[K][OH][OW])y_;
    const lanes (*bias)[OH][OW] = (const lanes (*)[OH][OW])bias_;

    for (int n = 0; n < batch; n++) {
        for (int tile = 0; tile < K; tile += TK) {
            for (int h = 0; h < OH; h++) {
                const int m0 = tile;
                for (int w0 = 0; w0 < OW; w0 += TW) {
                    lanes acc[TK][POOL_H][POOL_W * TW] = {0};
                    for (int c = 0; c < C; c++) {
                        ROLL for (int r = 0; r < R; r++) {
                            ROLL for (int s = 0; s < S; s++) {
                                ROLL for (int l = 0; l < CI; l++) {
                                    UNROLL for (int i = 0; i < POOL_H; i++) {
                                        UNROLL for (int j = 0; j < POOL_W * TW; j++) {
                                            UNROLL for (int t = 0; t < TK; t++)
                                                acc[t][i][j] += weight[m0 + t][c][r][s][l] *
                                                                x[n][c][STRIDE_H * (POOL_H * h + i) + r]
                                                                 [STRIDE_W * (POOL_W * w0 + j) + s][l];
                                        }
                                    }
                                }
                            }
                        }
                    }
                    UNROLL for (int t = 0; t < TK; t++) {
                        UNROLL for (int p = 0; p < TW; p++) {
                            const int m = m0 + t, w = w0 + p;
                            lanes v = acc[t][0][POOL_W * p];
                            // conv1
                            v += bias[m][h][w];
                            y[n][m][h][w] = v;
                        }
                    }
                }
            }
        }
    }
}

// conv1: weights of this step: dropped ones are zero.
//
//   x  [16, 16, 2, 2]
//   y  [16, 16, 2, 2]
static NOINLINE void conv1_forward_drop_weight(uint64_t seed, uint64_t step, const float *restrict x,
                                               float *restrict y) {
    enum { COUNT = 1024 };
    enum { PIECE = 256, ROOM = 384 };  // weights that bits are drawn for at once, and whole blocks of bits

    for (int first = 0; first < COUNT; first += PIECE) {
        const int count = MIN(PIECE, COUNT - first);
        uint32_t room[ROOM];
        const uint32_t *bits = random_bits(room, count, seed, 0x1f5c2e02u, step, (uint64_t)first);
        for (int i = 0; i < count; i++) {
            const float kept = bits[i] < 3221225472u ? 0.0f : x[first + i] * 4.0f;
            y[first + i] = kept;
        }
    }
}

// conv1: Conv2D 2x2, flipped kernel, bias per position, dropConnect 0.75.
//
//   x       [groups, 16, 4, 5, 16]  16 images in lanes
//   weight  [16, 16, 2, 2]
//   y       [groups, 16, 3, 4, 16]
//   bias    [16, 3, 4]
static NOINLINE void conv1_forward_2(int groups, const lanes *restrict x_, const float *restrict weight_,
                                     lanes *restrict y_, const float *restrict bias_) {
    enum { C = 16, H = 4, W = 5, K = 16, R = 2, S = 2, OH = 3, OW = 4 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, POOL_H = 1, POOL_W = 1 };
    enum { TK = 4, TW = 4 };  // register tile: maps x columns
    const lanes (*x)[C][H][W] = (const lanes (*)[C][H][W])x_;
    const float (*weight)[C][R][S] = (const float (*)[C][R][S])weight_;
    lanes (*y)[K][OH][OW] = (lanes (*)[K][OH][OW])y_;
    const float (*bias)[OH][OW] = (const float (*)[OH][OW])bias_;

    for (int n = 0; n < groups; n++) {
        for (int h = 0; h < OH; h++) {
            for (int m0 = 0; m0 < K; m0 += TK) {
                lanes acc[TK][POOL_H][POOL_W * TW] = {0};
                for (int c = 0; c < C; c++) {
                    ROLL for (int r = 0; r < R; r++) {
                        ROLL for (int s = 0; s < S; s++) {
                            UNROLL for (int i = 0; i < POOL_H; i++) {
                                UNROLL for (int j = 0; j < POOL_W * TW; j++) {
                                    UNROLL for (int t = 0; t < TK; t++)
                                        acc[t][i][j] += weight[m0 + t][c][r][s] *
                                                        x[n][c][STRIDE_H * (POOL_H * h + i) + r]
                                                         [STRIDE_W * j + s];
                                }
                            }
                        }
                    }
                }
                UNROLL for (int t = 0; t < TK; t++) {
                    UNROLL for (int p = 0; p < TW; p++) {
                        const int m = m0 + t, w = p;
                        lanes v = acc[t][0][POOL_W * p];
                        // conv1
                        v += bias[m][h][w];
                        y[n][m][h][w] = v;
                    }
                }
            }
        }
    }
}

// conv1: gradient of the bias: the sum over the images.
//
//   d_y     [groups, 16, 3, 4, 16]  16 images in lanes
//   d_bias  [16, 3, 4]
static NOINLINE void conv1_backward_bias(int groups, int accumulate, const lanes *restrict d_y_,
                                         float *restrict d_bias_) {
    enum { K = 16, OH = 3, OW = 4 };
    const lanes (*d_y)[K][OH][OW] = (const lanes (*)[K][OH][OW])d_y_;
    float (*d_bias)[OH][OW] = (float (*)[OH][OW])d_bias_;

    for (int m = 0; m < K; m++) {
        for (int h = 0; h < OH; h++) {
            for (int w = 0; w < OW; w++) {
                lanes sum = {0};
                for (int n = 0; n < groups; n++) {
                    lanes v = d_y[n][m][h][w];
                    sum += v;
                }
                float total = 0.0f;
                for (int l = 0; l < LANES; l++) total += sum[l];
                d_bias[m][h][w] = (accumulate ? d_bias[m][h][w] : 0.0f) + total;
            }
        }
    }
}

// conv1: zeros, to which the gradient of the weights in use is added.
//
//   y  [1024]
static NOINLINE void conv1_backward_weight_clear(float *restrict y) {
    enum { COUNT = 1024 };

    for (int i = 0; i < COUNT; i++) y[i] = 0.0f;
}

// conv1: gradients of weight and bias, in parts.
//
//   x      [groups, 16, 4, 5, 16]  16 images in lanes
//   d_y    [groups, 16, 3, 4, 16]
//   parts  [1, 16, 64 + 1, 16]     taps, then bias; lanes are summed last
static NOINLINE void conv1_backward_weight(int groups, const lanes *restrict x_, const lanes *restrict d_y_,
                                           lanes *restrict parts_) {
    enum { C = 16, H = 4, W = 5, K = 16, R = 2, S = 2, OH = 3, OW = 4 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, POOL_H = 1, POOL_W = 1 };
    enum { TK = 8, TC = 1 };  // register tile: maps x channels x S
    const lanes (*x)[C][H][W] = (const lanes (*)[C][H][W])x_;
    const lanes (*d_y)[K][OH][OW] = (const lanes (*)[K][OH][OW])d_y_;
    lanes (*parts)[K][C * R * S + 1] = (lanes (*)[K][C * R * S + 1])parts_;

    for (int m0 = 0; m0 < K; m0 += TK) {
        lanes d_bias[TK] = {0};
        for (int n = 0; n < groups; n++) {
            lanes d_pre[TK][POOL_H * OH][POOL_W * OW];  // gradient of the convolution's result
            for (int m = m0; m < m0 + TK; m++) {
                for (int h = 0; h < OH; h++) {
                    lanes (*cells)[POOL_W * OW] = &d_pre[m - m0][POOL_H * h];
                    for (int w = 0; w < OW; w++) {
                        lanes v = d_y[n][m][h][w];
                        d_bias[m - m0] += v;
                        cells[0][w] = v;
                    }
                }
            }
            for (int c0 = 0; c0 < C; c0 += TC) {
                for (int r = 0; r < R; r++) {
                    lanes acc[TK][TC][S] = {0};
                    for (int i = 0; i < POOL_H * OH; i++) {
                        const int row = STRIDE_H * i + r;
                        for (int j = 0; j < POOL_W * OW; j++) {
                            UNROLL for (int u = 0; u < TC; u++) {
                                UNROLL for (int s = 0; s < S; s++) {
                                    UNROLL for (int t = 0; t < TK; t++)
                                        acc[t][u][s] += d_pre[t][i][j] * x[n][c0 + u][row][STRIDE_W * j + s];
                                }
                            }
                        }
                    }
                    UNROLL for (int t = 0; t < TK; t++) {
                        UNROLL for (int u = 0; u < TC; u++) {
                            lanes *sum = &parts[0][m0 + t][((c0 + u) * R + r) * S];
                            UNROLL for (int s = 0; s < S; s++)
                                store(&sum[s], acc[t][u][s], n > 0);
                        }
                    }
                }
            }
        }
        for (int t = 0; t < TK; t++) parts[0][m0 + t][C * R * S] = d_bias[t];
    }
}

// conv1: gradient of the input.
//
//   weight  [16, 16, 2, 2]
//   d_y     [groups, 16, 3, 4, 16]
//   d_x     [groups, 16, 4, 5, 16]
static NOINLINE void conv1_backward_data(int groups, const float *restrict weight_, const lanes *restrict d_y_,
                                         lanes *restrict d_x_) {
    enum { C = 16, H = 4, W = 5, K = 16, R = 2, S = 2, OH = 3, OW = 4 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0, POOL_H = 1, POOL_W = 1 };
    enum { TC = 4, TW = 5, TH = 1 };  // register tile: channels x columns; rows of a strip
    enum { TK = 16, ROWS = 2, COLUMNS = 4 };  // maps, rows and columns of the buffer
    const float (*weight)[C][R][S] = (const float (*)[C][R][S])weight_;
    const lanes (*d_y)[K][OH][OW] = (const lanes (*)[K][OH][OW])d_y_;
    lanes (*d_x)[C][H][W] = (lanes (*)[C][H][W])d_x_;

    for (int n = 0; n < groups; n++) {
        for (int h0 = 0; h0 < H; h0 += TH) {
            const int bottom = h0 + TH;
            // rows of the output whose windows lie over this strip
            const int first_row = MAX(h0 + PAD_TOP - R + STRIDE_H, 0) / STRIDE_H / POOL_H;
            const int end_row = MIN((bottom - 1 + PAD_TOP) / STRIDE_H, POOL_H * OH - 1) / POOL_H + 1;
            lanes d_pre[TK][ROWS][COLUMNS];  // gradient of the convolution's result
            for (int m = 0; m < K; m++) {
                for (int h = first_row; h < end_row; h++) {
                    lanes (*cells)[COLUMNS] = &d_pre[m][POOL_H * (h - first_row)];
                    for (int w = 0; w < OW; w++) {
                        lanes v = d_y[n][m][h][w];
                        cells[0][w] = v;
                    }
                }
            }
            for (int h = h0; h < bottom; h++) {
                // taps that lie over a row of the output
                const int first = MAX((h + PAD_TOP) % STRIDE_H, h + PAD_TOP - (POOL_H * OH - 1) * STRIDE_H);
                const int last = MIN(R - 1, h + PAD_TOP);
                for (int c0 = 0; c0 < C; c0 += TC) {
                    lanes acc[TC][TW] = {0};
                    for (int k = 0; k < K; k++) {
                        for (int r = first; r <= last; r += STRIDE_H) {
                            const int i = (h + PAD_TOP - r) / STRIDE_H - POOL_H * first_row;
                            const lanes *row = d_pre[k][i];
                            UNROLL for (int s = 0; s < S; s++) {
                                UNROLL for (int j = 0; j < TW; j++) {
                                    const int q = j + PAD_LEFT - s;
                                    if (q < 0 || q >= STRIDE_W * POOL_W * OW || q % STRIDE_W != 0) continue;
                                    UNROLL for (int t = 0; t < TC; t++)
                                        acc[t][j] += weight[k][c0 + t][r][s] * row[q / STRIDE_W];
                                }
                            }
                        }
                    }
                    UNROLL for (int j = 0; j < TW; j++) {
                        UNROLL for (int t = 0; t < TC; t++)
                            d_x[n][c0 + t][h][j] = acc[t][j];
                    }
                }
            }
        }
    }
}

// conv1: sums of the parts of the gradients, chunk by chunk, then of their lanes.
//
//   parts     [1, 16, 64 + 1, 16]  taps, then bias; lanes are summed last
//   d_weight  [16, 16, 2, 2]
static NOINLINE void conv1_backward_weight_sum(int accumulate, const lanes *restrict parts_,
                                               float *restrict d_weight_) {
    enum { K = 16, TAPS = 64, BLOCKS = 5 };
    const lanes (*parts)[K][TAPS + 1] = (const lanes (*)[K][TAPS + 1])parts_;
    float (*d_weight)[TAPS] = (float (*)[TAPS])d_weight_;

    for (int m = 0; m < K; m++) {
        float sum[BLOCKS * LANES];
        for (int b = 0; b < BLOCKS; b++) {
            lanes v[LANES];
            UNROLL for (int i = 0; i < LANES; i++) {
                const int tap = MIN(LANES * b + i, TAPS);
                v[i] = parts[0][m][tap];
            }
            *(loose *)&sum[LANES * b] = lane_sums(v);
        }
        for (int i = 0; i < TAPS; i++) d_weight[m][i] = sum[i] + (accumulate ? d_weight[m][i] : 0.0f);
    }
}

// conv1: gradient of the weight: zero for dropped ones.
//
//   x  [16, 16, 2, 2]
//   y  [16, 16, 2, 2]
static NOINLINE void conv1_backward_weight_drop(int accumulate, uint64_t seed, uint64_t step, const float *restrict x,
                                                float *restrict y) {
    enum { COUNT = 1024 };
    enum { PIECE = 256, ROOM = 384 };  // weights that bits are drawn for at once, and whole blocks of bits

    for (int first = 0; first < COUNT; first += PIECE) {
        const int count = MIN(PIECE, COUNT - first);
        uint32_t room[ROOM];
        const uint32_t *bits = random_bits(room, count, seed, 0x1f5c2e02u, step, (uint64_t)first);
        for (int i = 0; i < count; i++) {
            const float kept = bits[i] < 3221225472u ? 0.0f : x[first + i] * 4.0f;
            y[first + i] = (accumulate ? y[first + i] : 0.0f) + kept;
        }
    }
}

// conv1: gradient of the weight: that of the flipped kernels with their taps in reverse order.
//
//   x  [16, 16, 2, 2]
//   y  [16, 16, 2, 2]
static NOINLINE void conv1_backward_weight_flip(int accumulate, const float *restrict x_, float *restrict y_) {
    enum { KERNELS = 256, TAPS = 4 };  // kernels, and taps of one
    const float (*x)[TAPS] = (const float (*)[TAPS])x_;
    float (*y)[TAPS] = (float (*)[TAPS])y_;

    for (int k = 0; k < KERNELS; k++) {
        for (int t = 0; t < TAPS; t++) y[k][t] = (accumulate ? y[k][t] : 0.0f) + x[k][TAPS - 1 - t];
    }
}

// conv1: kernels with their taps in reverse order.
//
//   x  [16, 16, 2, 2]
//   y  [16, 16, 2, 2]
static NOINLINE void conv1_weight_flip(const float *restrict x_, float *restrict y_) {
    enum { KERNELS = 256, TAPS = 4 };  // kernels, and taps of one
    const float (*x)[TAPS] = (const float (*)[TAPS])x_;
    float (*y)[TAPS] = (float (*)[TAPS])y_;

    OMP(omp for schedule(static) nowait)
    for (int k = 0; k < KERNELS; k++) {
        for (int t = 0; t < TAPS; t++) y[k][t] = x[k][TAPS - 1 - t];
    }
}

// conv1: weights with maps in lanes.
//
//   weight  [16, 16, 2, 2]
//   y       [1, 16, 2, 2, 1, 16]
static NOINLINE void conv1_weight_prepare(const float *restrict weight_, lanes *restrict y_) {
    enum { K = 1, C = 16, CI = 1, R = 2, S = 2 };  // K and C in blocks
    enum { MAPS = 16, TAPS = 64 };  // maps, and taps of one map
    const float (*weight)[TAPS] = (const float (*)[TAPS])weight_;
    lanes (*y)[C][R * S][CI] = (lanes (*)[C][R * S][CI])y_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int m = 0; m < K; m++) {
        for (int tap = 0; tap < TAPS; tap += LANES) {
            const int count = MIN(LANES, TAPS - tap);
            lanes v[LANES];
            for (int l = 0; l < LANES; l++) {
                const float *row = &weight[LANES * m + l][tap];
                if (count == LANES) {
                    v[l] = *(const loose *)row;
                } else {
                    v[l] = (lanes){0};
                    for (int i = 0; i < count; i++) v[l][i] = row[i];
                }
            }
            transpose(v);
            for (int i = 0; i < count; i++) {
                const int c = (tap + i) / (R * S), t = (tap + i) % (R * S);
                y[m][c / CI][t][c % CI] = v[i];
            }
        }
    }
}

// conv1: bias of each place with maps in lanes.
//
//   weight  [16, 3, 4]
//   y       [1, 3, 4, 16]
static NOINLINE void conv1_bias_prepare(const float *restrict weight_, float *restrict y_) {
    enum { C = 1, CHANNELS = 16, R = 3, S = 4 };  // C in blocks
    const float (*weight)[R * S] = (const float (*)[R * S])weight_;
    float (*y)[R * S][LANES] = (float (*)[R * S][LANES])y_;

    OMP(omp for schedule(static) nowait)
    for (int m = 0; m < C; m++) {
        for (int t = 0; t < R * S; t++) {
            for (int l = 0; l < LANES; l++)
                y[m][t][l] = LANES * m + l < CHANNELS ? weight[LANES * m + l][t] : 0.0f;
        }
    }
}
