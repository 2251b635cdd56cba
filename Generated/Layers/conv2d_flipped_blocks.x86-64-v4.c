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

// Stores up to LANES taps with maps in lanes: lane l of each tap to row l of the weights' gradient.
INLINE void store_taps(const lanes *taps, int count, float *d_weight, int columns, int accumulate) {
    lanes v[LANES];
    UNROLL for (int i = 0; i < LANES; i++) v[i] = taps[MIN(i, count - 1)];
    transpose(v);
    if (count == LANES) {
        UNROLL for (int l = 0; l < LANES; l++) {
            loose *at = (loose *)&d_weight[columns * l];
            *at = accumulate ? (lanes)*at + v[l] : v[l];
        }
    } else {
        for (int l = 0; l < LANES; l++) {
            float *at = &d_weight[columns * l];
            for (int i = 0; i < count; i++) at[i] = v[l][i] + (accumulate ? at[i] : 0.0f);
        }
    }
}

// conv1: Conv2D 3x3, padding 1, flipped kernel, no bias.
//
//   x       [batch, 16, 7, 6]     , zeros around the maps
//   weight  [1, 16, 3, 3, 1, 16]  maps in lanes
//   y       [batch, 1, 5, 4, 16]
static NOINLINE void conv1_forward(int batch, const float *restrict x_, const lanes *restrict weight_,
                                   lanes *restrict y_) {
    enum { C = 16, CI = 1, H = 5, W = 4 };  // planes of channels
    enum { K = 1, R = 3, S = 3, OH = 5, OW = 4 };  // blocks of maps
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 1, POOL_H = 1, POOL_W = 1 };
    enum { TK = 1, TW = 4 };  // register tile: blocks of maps x columns
    const float (*x)[C][7][6][CI] = (const float (*)[C][7][6][CI])x_;
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
                            y[n][m][h][w] = v;
                        }
                    }
                }
            }
        }
    }
}

// conv1: Conv2D 3x3, padding 1, flipped kernel, no bias.
//
//   x       [batch, 1, 7, 6, 16]  16 maps in lanes, zeros around the maps
//   weight  [1, 1, 3, 3, 16, 16]  maps in lanes
//   y       [batch, 1, 5, 4, 16]
static NOINLINE void conv1_forward_2(int batch, const float *restrict x_, const lanes *restrict weight_,
                                     lanes *restrict y_) {
    enum { C = 1, CI = 16, H = 5, W = 4 };  // blocks of channels, and channels of one
    enum { K = 1, R = 3, S = 3, OH = 5, OW = 4 };  // blocks of maps
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 1, PAD_LEFT = 1, POOL_H = 1, POOL_W = 1 };
    enum { TK = 1, TW = 4 };  // register tile: blocks of maps x columns
    const float (*x)[C][7][6][CI] = (const float (*)[C][7][6][CI])x_;
    const lanes (*weight)[C][R][S][CI] = (const lanes (*)[C][R][S][CI])weight_;
    lanes (*y)[K][OH][OW] = (lanes (*)[K][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int tile = 0; tile < K; tile += TK) {
            for (int h = 0; h < OH; h++) {
                const int m0 = tile;
                // rows of taps that lie over the map, not over its zeros
                const int first = MAX(0, PAD_TOP - STRIDE_H * (POOL_H * h + POOL_H - 1));
                const int end = MIN(R, H + PAD_TOP - STRIDE_H * POOL_H * h);
                UNROLL for (int w0 = 0; w0 < OW; w0 += TW) {
                    lanes acc[TK][POOL_H][POOL_W * TW] = {0};
                    for (int c = 0; c < C; c++) {
                        ROLL for (int r = first; r < end; r++) {
                            UNROLL for (int s = 0; s < S; s++) {
                                // the columns over the map, not over its zeros
                                const int left = MAX(0, PAD_LEFT - s - POOL_W * w0);
                                const int right = MIN(POOL_W * TW, W + PAD_LEFT - s - POOL_W * w0);
                                ROLL for (int l = 0; l < CI; l++) {
                                    UNROLL for (int i = 0; i < POOL_H; i++) {
                                        UNROLL for (int j = left; j < right; j++) {
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
                            y[n][m][h][w] = v;
                        }
                    }
                }
            }
        }
    }
}

// conv1: zeros, to which the gradient of the weights in use is added.
//
//   y  [2304]
static NOINLINE void conv1_backward_weight_clear(float *restrict y) {
    enum { COUNT = 2304 };

    for (int i = 0; i < COUNT; i++) y[i] = 0.0f;
}

// conv1: gradient of the weight, in parts.
//
//   x      [batch, 1, 7, 6, 16]  16 maps in lanes, zeros around the maps
//   d_y    [batch, 1, 5, 4, 16]
//   parts  [2, 1, 144 + 1, 16]   taps, then bias; maps in lanes
//
// The images are cut into chunks, whatever the number of threads.
static NOINLINE void conv1_backward_weight(int batch, const float *restrict x_, const lanes *restrict d_y_,
                                           lanes *restrict parts_) {
    enum { C = 1, CI = 16, H = 5, W = 4 };  // blocks of channels, and channels of one
    enum { K = 1, R = 3, S = 3, OH = 5, OW = 4 };  // blocks of maps
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 1, POOL_H = 1, POOL_W = 1 };
    enum { TK = 1, TC = 8, TR = 1 };  // register tile: blocks of maps x channels x rows of taps x S
    enum { CB = 8, TH = 5, CHUNKS = 2 };  // channels of a part; rows of windows at a time; chunks of images
    const float (*x)[C][7][6][CI] = (const float (*)[C][7][6][CI])x_;
    const lanes (*d_y)[K][OH][OW] = (const lanes (*)[K][OH][OW])d_y_;
    lanes (*parts)[K][C * CI * R * S + 1] = (lanes (*)[K][C * CI * R * S + 1])parts_;
    const int per_chunk = (batch + CHUNKS - 1) / CHUNKS;

    for (int chunk = 0; chunk < CHUNKS; chunk++) {
        for (int m0 = 0; m0 < K; m0 += TK) {
            for (int part = 0; part < C * CI; part += CB) {
                const int channels = MIN(CB, C * CI - part);
                const int begin = chunk * per_chunk, end = MIN(begin + per_chunk, batch);
                lanes sums[TK][CB * R * S];  // the gradient by these channels' weights
                for (int n = begin; n < end; n++) {
                    for (int first_row = 0; first_row < OH; first_row += TH) {
                        const int end_row = MIN(first_row + TH, OH);
                        for (int c = 0; c < channels; c += TC) {
                            const int block = (part + c) / CI, channel = (part + c) % CI;
                            for (int r = 0; r < R; r += TR) {
                                // rows whose tap lies over the map, not over its zeros
                                const int top = MAX(POOL_H * first_row, (PAD_TOP - r + STRIDE_H - 1) / STRIDE_H);
                                const int bottom = MIN(POOL_H * end_row, (H + PAD_TOP - r + STRIDE_H - 1) / STRIDE_H);
                                lanes acc[TK][TC][TR * S] = {0};
                                for (int h = top; h < bottom; h++) {
                                    const int row = STRIDE_H * h + r;
                                    ROLL for (int w = 0; w < POOL_W * OW; w++) {
                                        UNROLL for (int u = 0; u < TC; u++) {
                                            UNROLL for (int s = 0; s < TR * S; s++) {
                                                UNROLL for (int t = 0; t < TK; t++)
                                                    acc[t][u][s] +=
                                                        d_y[n][m0 + t][h][w] *
                                                        x[n][block][row + s / S][STRIDE_W * w + s % S][channel + u];
                                            }
                                        }
                                    }
                                }
                                const int adds = n > begin || first_row > 0;
                                UNROLL for (int t = 0; t < TK; t++) {
                                    UNROLL for (int u = 0; u < TC; u++) {
                                        lanes *at = &sums[t][((c + u) * R + r) * S];
                                        UNROLL for (int s = 0; s < TR * S; s++)
                                            at[s] = adds ? at[s] + acc[t][u][s] : acc[t][u][s];
                                    }
                                }
                            }
                        }
                    }
                }
                for (int t = 0; t < TK && begin < end; t++) {
                    const int m = m0 + t;
                    for (int tap = 0; tap < channels * R * S; tap++) parts[chunk][m][part * R * S + tap] = sums[t][tap];
                }
            }
        }
    }
}

// conv1: adds the parts of the weight gradient in the order of the chunks.
//
//   parts     [2, 1, 144 + 1, 16]  taps, then bias; maps in lanes
//   d_weight  [16, 16, 3, 3]
static NOINLINE void conv1_backward_weight_sum(int batch, int accumulate, const lanes *restrict parts_,
                                               float *restrict d_weight_) {
    enum { K = 1, TAPS = 144, CHUNKS = 2 };
    const lanes (*parts)[K][TAPS + 1] = (const lanes (*)[K][TAPS + 1])parts_;
    float (*d_weight)[TAPS] = (float (*)[TAPS])d_weight_;
    const int per_chunk = (batch + CHUNKS - 1) / CHUNKS, chunks = (batch + per_chunk - 1) / per_chunk;

    for (int m = 0; m < K; m++) {
        for (int tap = 0; tap < TAPS; tap += LANES) {
            const int count = MIN(LANES, TAPS - tap);
            lanes sums[LANES];
            for (int i = 0; i < count; i++) {
                sums[i] = parts[0][m][tap + i];
                for (int chunk = 1; chunk < chunks; chunk++) sums[i] += parts[chunk][m][tap + i];
            }
            store_taps(sums, count, &d_weight[LANES * m][tap], TAPS, accumulate);
        }
    }
}

// conv1: gradient of the input.
//
//   weight  [1, 1, 3, 3, 16, 16]  channels in lanes
//   d_y     [batch, 1, 5, 4, 16]
//   d_x     [batch, 1, 5, 4, 16]
static NOINLINE void conv1_backward_data(int batch, const lanes *restrict weight_, const lanes *restrict d_y_,
                                         lanes *restrict d_x_) {
    enum { C = 1, CI = 16, H = 5, W = 4 };  // blocks of channels, and channels of one
    enum { K = 1, R = 3, S = 3, OH = 5, OW = 4 };  // blocks of maps
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 1, PAD_LEFT = 1, POOL_H = 1, POOL_W = 1 };
    enum { TC = 1, TW = 4 };  // register tile: blocks of channels x columns
    enum { TH = 2 };  // rows of a strip
    // blocks of maps, rows and columns of the buffer; zero columns on its left
    enum { TK = 1, ROWS = 4, COLUMNS = 6, LEFT = 1 };
    const lanes (*weight)[K][R][S][LANES] = (const lanes (*)[K][R][S][LANES])weight_;
    const lanes (*d_y)[K][OH][OW] = (const lanes (*)[K][OH][OW])d_y_;
    lanes (*d_x)[C][H][W] = (lanes (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int h0 = 0; h0 < H; h0 += TH) {
            const int bottom = MIN(h0 + TH, H);
            // rows of the output whose windows lie over this strip
            const int first_row = MAX(h0 + PAD_TOP - R + STRIDE_H, 0) / STRIDE_H / POOL_H;
            const int end_row = MIN((bottom - 1 + PAD_TOP) / STRIDE_H, POOL_H * OH - 1) / POOL_H + 1;
            lanes d_pre[TK][ROWS][COLUMNS];  // the gradient of the convolution's own cells, in zeros
            for (int k = 0; k < TK; k++) {
                for (int i = 0; i < ROWS; i++) {
                    for (int j = 0; j < LEFT; j++) d_pre[k][i][j] = (lanes){0};
                    for (int j = LEFT + POOL_W * OW; j < COLUMNS; j++) d_pre[k][i][j] = (lanes){0};
                }
            }
            for (int m0 = 0; m0 < K; m0 += TK) {
                const int maps = MIN(TK, K - m0);
                for (int m = m0; m < m0 + maps; m++) {
                    for (int h = first_row; h < end_row; h++) {
                        for (int w = 0; w < OW; w++) {
                            lanes v = d_y[n][m][h][w];
                            d_pre[m - m0][h - first_row][LEFT + w] = v;
                        }
                    }
                }
                for (int c = 0; c < C; c += TC) {
                    const int c0 = c;
                    for (int h = h0; h < bottom; h++) {
                        const int first = MAX((h + PAD_TOP) % STRIDE_H, h + PAD_TOP - (POOL_H * OH - 1) * STRIDE_H);
                        const int last = MIN(R - 1, h + PAD_TOP);
                        UNROLL for (int w0 = 0; w0 < W; w0 += TW) {
                            lanes acc[TC][TW] = {0};
                            for (int k = 0; k < maps; k++) {
                                ROLL for (int r = first; r <= last; r += STRIDE_H) {
                                    const int i = (h + PAD_TOP - r) / STRIDE_H - POOL_H * first_row;
                                    UNROLL for (int s = 0; s < S; s++) {
                                        const lanes *row = &d_pre[k][i][LEFT + w0 + PAD_LEFT - s];
                                        // the columns that outputs lie over
                                        const int left = MAX(0, s - PAD_LEFT - w0);
                                        const int right = MIN(TW, POOL_W * OW + s - PAD_LEFT - w0);
                                        const float (*cells)[LANES] = (const float (*)[LANES])row;
                                        ROLL for (int l = 0; l < LANES; l++) {
                                            UNROLL for (int j = left; j < right; j++) {
                                                UNROLL for (int t = 0; t < TC; t++)
                                                    acc[t][j] += weight[c0 + t][m0 + k][r][s][l] * cells[j][l];
                                            }
                                        }
                                    }
                                }
                            }
                            UNROLL for (int j = 0; j < TW; j++) {
                                const int w = w0 + j;
                                UNROLL for (int t = 0; t < TC; t++) {
                                    lanes *at = &d_x[n][c0 + t][h][w];
                                    *at = m0 > 0 ? *at + acc[t][j] : acc[t][j];
                                }
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
//   x  [16, 16, 3, 3]
//   y  [16, 16, 3, 3]
static NOINLINE void conv1_backward_weight_flip(int accumulate, const float *restrict x_, float *restrict y_) {
    enum { KERNELS = 256, TAPS = 9 };  // kernels, and taps of one
    const float (*x)[TAPS] = (const float (*)[TAPS])x_;
    float (*y)[TAPS] = (float (*)[TAPS])y_;

    for (int k = 0; k < KERNELS; k++) {
        for (int t = 0; t < TAPS; t++) y[k][t] = (accumulate ? y[k][t] : 0.0f) + x[k][TAPS - 1 - t];
    }
}

// conv1: kernels with their taps in reverse order.
//
//   x  [16, 16, 3, 3]
//   y  [16, 16, 3, 3]
static NOINLINE void conv1_weight_flip(const float *restrict x_, float *restrict y_) {
    enum { KERNELS = 256, TAPS = 9 };  // kernels, and taps of one
    const float (*x)[TAPS] = (const float (*)[TAPS])x_;
    float (*y)[TAPS] = (float (*)[TAPS])y_;

    OMP(omp for schedule(static) nowait)
    for (int k = 0; k < KERNELS; k++) {
        for (int t = 0; t < TAPS; t++) y[k][t] = x[k][TAPS - 1 - t];
    }
}

// conv1: weights with maps in lanes.
//
//   weight  [16, 16, 3, 3]
//   y       [1, 16, 3, 3, 1, 16]
static NOINLINE void conv1_weight_prepare(const float *restrict weight_, lanes *restrict y_) {
    enum { K = 1, C = 16, CI = 1, R = 3, S = 3 };  // K and C in blocks
    enum { MAPS = 16, TAPS = 144 };  // maps, and taps of one map
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

// conv1: weights with maps in lanes.
//
//   weight  [16, 16, 3, 3]
//   y       [1, 1, 3, 3, 16, 16]
static NOINLINE void conv1_weight_prepare_2(const float *restrict weight_, lanes *restrict y_) {
    enum { K = 1, C = 1, CI = 16, R = 3, S = 3 };  // K and C in blocks
    enum { MAPS = 16, TAPS = 144 };  // maps, and taps of one map
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

// conv1: weights with channels in lanes.
//
//   weight  [16, 16, 3, 3]
//   y       [1, 1, 3, 3, 16, 16]
static NOINLINE void conv1_weight_transpose(const float *restrict weight_, lanes *restrict y_) {
    enum { K = 1, C = 1, R = 3, S = 3 };  // K and C in blocks
    const float (*weight)[C * LANES * R * S] = (const float (*)[C * LANES * R * S])weight_;
    lanes (*y)[K][R * S][LANES] = (lanes (*)[K][R * S][LANES])y_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int c = 0; c < C; c++) {
        for (int m = 0; m < K; m++) {
            for (int i = 0; i < LANES; i++) {
                const float *taps = &weight[LANES * m + i][LANES * c * R * S];
                for (int t = 0; t < R * S; t++) {
                    lanes v;
                    UNROLL for (int l = 0; l < LANES; l++) v[l] = taps[R * S * l + t];
                    y[c][m][t][i] = v;
                }
            }
        }
    }
}
