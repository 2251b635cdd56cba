#include <stdint.h>
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

// conv1: Conv2D 2x4, stride 2x1, padding top 0 bottom 1 left 2 right 0, no bias.
//
//   x       [groups, 2, 7, 7, 16]  16 images in lanes, zeros around the maps
//   weight  [5, 2, 2, 4]
//   y       [groups, 5, 3, 4, 16]
static NOINLINE void conv1_forward(int groups, const lanes *restrict x_, const float *restrict weight_,
                                   lanes *restrict y_) {
    enum { C = 2, H = 6, W = 5, K = 5, R = 2, S = 4, OH = 3, OW = 4 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 2, STRIDE_W = 1, POOL_H = 1, POOL_W = 1 };
    enum { TK = 5, TW = 4 };  // register tile: maps x columns
    const lanes (*x)[C][7][7] = (const lanes (*)[C][7][7])x_;
    const float (*weight)[C][R][S] = (const float (*)[C][R][S])weight_;
    lanes (*y)[K][OH][OW] = (lanes (*)[K][OH][OW])y_;

    for (int n = 0; n < groups; n++) {
        for (int h = 0; h < OH; h++) {
            lanes acc[TK][POOL_H][POOL_W * TW] = {0};
            for (int c = 0; c < C; c++) {
                ROLL for (int r = 0; r < R; r++) {
                    ROLL for (int s = 0; s < S; s++) {
                        UNROLL for (int i = 0; i < POOL_H; i++) {
                            UNROLL for (int j = 0; j < POOL_W * TW; j++) {
                                UNROLL for (int t = 0; t < TK; t++)
                                    acc[t][i][j] += weight[t][c][r][s] *
                                                    x[n][c][STRIDE_H * (POOL_H * h + i) + r]
                                                     [STRIDE_W * j + s];
                            }
                        }
                    }
                }
            }
            UNROLL for (int t = 0; t < TK; t++) {
                UNROLL for (int p = 0; p < TW; p++) {
                    const int m = t, w = p;
                    lanes v = acc[t][0][POOL_W * p];
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// conv1: gradients of weight and bias, in parts.
//
//   x      [groups, 2, 7, 7, 16]  16 images in lanes, zeros around the maps
//   d_y    [groups, 5, 3, 4, 16]
//   parts  [2, 5, 16 + 1, 16]     taps, then bias; lanes are summed last
//
// Images are cut into the same chunks for any number of threads, so the sums have the same bits.
static NOINLINE void conv1_backward_weight(int groups, const lanes *restrict x_, const lanes *restrict d_y_,
                                           lanes *restrict parts_) {
    enum { C = 2, H = 6, W = 5, K = 5, R = 2, S = 4, OH = 3, OW = 4 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 2, STRIDE_W = 1, POOL_H = 1, POOL_W = 1 };
    enum { CHUNKS = 2, TK = 5, TC = 1 };  // register tile: maps x channels x S
    const lanes (*x)[C][7][7] = (const lanes (*)[C][7][7])x_;
    const lanes (*d_y)[K][OH][OW] = (const lanes (*)[K][OH][OW])d_y_;
    lanes (*parts)[K][C * R * S + 1] = (lanes (*)[K][C * R * S + 1])parts_;

    for (int chunk = 0; chunk < CHUNKS; chunk++) {
        for (int m0 = 0; m0 < K; m0 += TK) {
            const int per_chunk = (groups + CHUNKS - 1) / CHUNKS;
            const int begin = chunk * per_chunk, end = MIN(begin + per_chunk, groups);
            lanes d_bias[TK] = {0};
            for (int n = begin; n < end; n++) {
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
                                lanes *sum = &parts[chunk][m0 + t][((c0 + u) * R + r) * S];
                                UNROLL for (int s = 0; s < S; s++)
                                    store(&sum[s], acc[t][u][s], n > begin);
                            }
                        }
                    }
                }
            }
            for (int t = 0; t < TK; t++) parts[chunk][m0 + t][C * R * S] = d_bias[t];
        }
    }
}

// conv1: gradient of the input.
//
//   weight  [5, 2, 2, 4]
//   d_y     [groups, 5, 3, 4, 16]
//   d_x     [groups, 2, 6, 5, 16]
static NOINLINE void conv1_backward_data(int groups, const float *restrict weight_, const lanes *restrict d_y_,
                                         lanes *restrict d_x_) {
    enum { C = 2, H = 6, W = 5, K = 5, R = 2, S = 4, OH = 3, OW = 4 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 2, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 2, POOL_H = 1, POOL_W = 1 };
    enum { TC = 2, TW = 5, TH = 2 };  // register tile: channels x columns; rows of a strip
    enum { TK = 5, ROWS = 1, COLUMNS = 4 };  // maps, rows and columns of the buffer
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
                                    acc[t][j] += weight[k][t][r][s] * row[q / STRIDE_W];
                            }
                        }
                    }
                }
                UNROLL for (int j = 0; j < TW; j++) {
                    UNROLL for (int t = 0; t < TC; t++)
                        d_x[n][t][h][j] = acc[t][j];
                }
            }
        }
    }
}

// conv1: sums of the parts of the gradients, chunk by chunk, then of their lanes.
//
//   parts     [2, 5, 16 + 1, 16]  taps, then bias; lanes are summed last
//   d_weight  [5, 2, 2, 4]
static NOINLINE void conv1_backward_weight_sum(int groups, int accumulate, const lanes *restrict parts_,
                                               float *restrict d_weight_) {
    enum { K = 5, TAPS = 16, BLOCKS = 2, CHUNKS = 2 };
    const lanes (*parts)[K][TAPS + 1] = (const lanes (*)[K][TAPS + 1])parts_;
    float (*d_weight)[TAPS] = (float (*)[TAPS])d_weight_;
    const int per_chunk = (groups + CHUNKS - 1) / CHUNKS, chunks = (groups + per_chunk - 1) / per_chunk;

    for (int m = 0; m < K; m++) {
        float sum[BLOCKS * LANES];
        for (int b = 0; b < BLOCKS; b++) {
            lanes v[LANES];
            UNROLL for (int i = 0; i < LANES; i++) {
                const int tap = MIN(LANES * b + i, TAPS);
                v[i] = parts[0][m][tap];
                for (int chunk = 1; chunk < chunks; chunk++) v[i] += parts[chunk][m][tap];
            }
            *(loose *)&sum[LANES * b] = lane_sums(v);
        }
        for (int i = 0; i < TAPS; i++) d_weight[m][i] = sum[i] + (accumulate ? d_weight[m][i] : 0.0f);
    }
}
