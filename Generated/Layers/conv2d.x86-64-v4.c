#include <stdint.h>
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

// conv1: Conv2D 3x3, padding 1.
//
//   x       [batch, 3, 7, 9]      , zeros around the maps
//   weight  [1, 3, 3, 3, 1, 16]   maps in lanes
//   bias    [1, 16]
//   y       [batch, 1, 5, 7, 16]
static NOINLINE void conv1_forward(int batch, const float *restrict x_, const lanes *restrict weight_,
                                   const lanes *restrict bias, lanes *restrict y_) {
    enum { C = 3, CI = 1, H = 5, W = 7 };  // planes of channels
    enum { K = 1, R = 3, S = 3, OH = 5, OW = 7 };  // blocks of maps
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 1, POOL_H = 1, POOL_W = 1 };
    enum { TK = 1, TW = 7 };  // register tile: blocks of maps x columns
    const float (*x)[C][7][9][CI] = (const float (*)[C][7][9][CI])x_;
    const lanes (*weight)[C][R][S][CI] = (const lanes (*)[C][R][S][CI])weight_;
    lanes (*y)[K][OH][OW] = (lanes (*)[K][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int tile = 0; tile < K; tile += TK) {
            for (int h = 0; h < OH; h++) {
                const int m0 = tile;
                // rows of taps that lie over the map, not over its zeros
                const int first = MAX(0, PAD_TOP - STRIDE_H * (POOL_H * h + POOL_H - 1));
                const int end = MIN(R, H + PAD_TOP - STRIDE_H * POOL_H * h);
                for (int w0 = 0; w0 < OW; w0 += TW) {
                    lanes acc[TK][POOL_H][POOL_W * TW] = {0};
                    for (int c = 0; c < C; c++) {
                        ROLL for (int r = first; r < end; r++) {
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
                            v += bias[m];
                            y[n][m][h][w] = v;
                        }
                    }
                }
            }
        }
    }
}

// conv1: Conv2D 3x3, padding 1.
//
//   x       [groups, 3, 7, 9, 16]  16 images in lanes, zeros around the maps
//   weight  [4, 3, 3, 3]
//   bias    [4]
//   y       [groups, 4, 5, 7, 16]
static NOINLINE void conv1_forward_2(int groups, const lanes *restrict x_, const float *restrict weight_,
                                     const float *restrict bias, lanes *restrict y_) {
    enum { C = 3, H = 5, W = 7, K = 4, R = 3, S = 3, OH = 5, OW = 7 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, POOL_H = 1, POOL_W = 1 };
    enum { TK = 2, TW = 7 };  // register tile: maps x columns
    const lanes (*x)[C][7][9] = (const lanes (*)[C][7][9])x_;
    const float (*weight)[C][R][S] = (const float (*)[C][R][S])weight_;
    lanes (*y)[K][OH][OW] = (lanes (*)[K][OH][OW])y_;

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
                        v += bias[m];
                        y[n][m][h][w] = v;
                    }
                }
            }
        }
    }
}

// conv1: gradients of weight and bias, in parts.
//
//   x      [groups, 3, 7, 9, 16]  16 images in lanes, zeros around the maps
//   d_y    [groups, 4, 5, 7, 16]
//   parts  [1, 4, 27 + 1, 16]     taps, then bias; lanes are summed last
static NOINLINE void conv1_backward_weight(int groups, const lanes *restrict x_, const lanes *restrict d_y_,
                                           lanes *restrict parts_) {
    enum { C = 3, H = 5, W = 7, K = 4, R = 3, S = 3, OH = 5, OW = 7 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, POOL_H = 1, POOL_W = 1 };
    enum { TK = 4, TC = 1 };  // register tile: maps x channels x S
    const lanes (*x)[C][7][9] = (const lanes (*)[C][7][9])x_;
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
//   weight  [4, 3, 3, 3]
//   d_y     [groups, 4, 5, 7, 16]
//   d_x     [groups, 3, 5, 7, 16]
static NOINLINE void conv1_backward_data(int groups, const float *restrict weight_, const lanes *restrict d_y_,
                                         lanes *restrict d_x_) {
    enum { C = 3, H = 5, W = 7, K = 4, R = 3, S = 3, OH = 5, OW = 7 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 1, PAD_LEFT = 1, POOL_H = 1, POOL_W = 1 };
    enum { TC = 3, TW = 7, TH = 1 };  // register tile: channels x columns; rows of a strip
    enum { TK = 4, ROWS = 3, COLUMNS = 7 };  // maps, rows and columns of the buffer
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
//   parts     [1, 4, 27 + 1, 16]  taps, then bias; lanes are summed last
//   d_weight  [4, 3, 3, 3]
//   d_bias    [4]
static NOINLINE void conv1_backward_weight_sum(int accumulate, const lanes *restrict parts_, float *restrict d_weight_,
                                               float *restrict d_bias) {
    enum { K = 4, TAPS = 27, BLOCKS = 2 };
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
        d_bias[m] = sum[TAPS] + (accumulate ? d_bias[m] : 0.0f);
    }
}

// conv1: weights with maps in lanes.
//
//   weight  [4, 3, 3, 3]
//   y       [1, 3, 3, 3, 1, 16]
static NOINLINE void conv1_weight_prepare(const float *restrict weight_, lanes *restrict y_) {
    enum { K = 1, C = 3, CI = 1, R = 3, S = 3 };  // K and C in blocks
    enum { MAPS = 4, TAPS = 27 };  // maps, and taps of one map
    const float (*weight)[TAPS] = (const float (*)[TAPS])weight_;
    lanes (*y)[C][R * S][CI] = (lanes (*)[C][R * S][CI])y_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int m = 0; m < K; m++) {
        for (int tap = 0; tap < TAPS; tap += LANES) {
            const int count = MIN(LANES, TAPS - tap);
            lanes v[LANES];
            for (int l = 0; l < LANES; l++) {
                v[l] = (lanes){0};
                if (LANES * m + l >= MAPS) continue;  // a lane without a map
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

// conv1: bias as whole vectors.
//
//   x  [4]
//   y  [16]
static NOINLINE void conv1_bias_prepare(const float *restrict x, float *restrict y) {
    enum { COUNT = 4, PADDED = 16 };

    for (int i = 0; i < PADDED; i++) y[i] = i < COUNT ? x[i] : 0.0f;
}
