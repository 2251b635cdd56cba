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

// convtranspose1: ConvTranspose1D 2, stride 2.
//
//   x       [batch, 1, 1, 7, 16]   16 maps in lanes
//   weight  [1, 1, 2, 1, 16, 16]   maps in lanes
//   bias    [1, 16]
//   y       [batch, 1, 1, 14, 16]
static NOINLINE void convtranspose1_forward(int batch, const float *restrict x_, const lanes *restrict weight_,
                                            const lanes *restrict bias, lanes *restrict y_) {
    enum { C = 1, H = 1, W = 7 };  // blocks of channels
    enum { K = 1, R = 1, S = 2, OH = 1, OW = 14 };  // blocks of maps; windows lie side by side
    enum { TK = 1, TW = 7, TS = 2 };  // register tile: blocks of maps x columns x phases
    const float (*x)[C][H][W][LANES] = (const float (*)[C][H][W][LANES])x_;
    const lanes (*weight)[R][S][C][LANES] = (const lanes (*)[R][S][C][LANES])weight_;
    lanes (*y)[K][OH][OW] = (lanes (*)[K][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int tile = 0; tile < K; tile += TK) {
            for (int row = 0; row < H; row++) {
                const int m0 = tile;
                for (int r = 0; r < R; r++) {
                    const int h = R * row + r;
                    for (int s0 = 0; s0 < S; s0 += TS) {
                        for (int w0 = 0; w0 < W; w0 += TW) {
                            lanes acc[TK][TW][TS] = {0};
                            for (int c = 0; c < C; c++) {
                                ROLL for (int l = 0; l < LANES; l++) {
                                    UNROLL for (int j = 0; j < TW; j++) {
                                        UNROLL for (int t = 0; t < TK; t++) {
                                            UNROLL for (int s = 0; s < TS; s++)
                                                acc[t][j][s] += weight[m0 + t][r][s0 + s][c][l] *
                                                                x[n][c][row][w0 + j][l];
                                        }
                                    }
                                }
                            }
                            UNROLL for (int t = 0; t < TK; t++) {
                                UNROLL for (int q = 0; q < TW * TS; q++) {
                                    const int m = m0 + t, w = S * (w0 + q / TS) + s0 + q % TS;
                                    lanes v = acc[t][q / TS][q % TS] + bias[m];
                                    y[n][m][h][w] = v;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

// convtranspose1: gradients of weight and bias, in parts.
//
//   x           [batch, 1, 1, 7, 16]   16 maps in lanes
//   d_y         [batch, 1, 1, 14, 16]
//   parts       [2, 1, 32, 16]         channels in lanes
//   bias_parts  [2, 1, 16]
//
// The images are cut into chunks, whatever the number of threads.
static NOINLINE void convtranspose1_backward_weight(int batch, const lanes *restrict x_, const lanes *restrict d_y_,
                                                    lanes *restrict parts_, lanes *restrict bias_parts_) {
    enum { C = 1, H = 1, W = 7 };  // blocks of channels
    enum { K = 1, R = 1, S = 2, OH = 1, OW = 14 };  // blocks of maps; windows lie side by side
    enum { TC = 1, TM = 8 };  // register tile: blocks of channels x maps x S
    enum { PC = 1, PK = 1, CHUNKS = 2 };  // blocks of channels and of maps of a part; chunks of images
    enum { TH = 1, CW = 7 };  // rows and columns at a time
    const lanes (*x)[C][H][W] = (const lanes (*)[C][H][W])x_;
    const lanes (*d_y)[K][OH][OW] = (const lanes (*)[K][OH][OW])d_y_;
    lanes (*parts)[C][K * LANES * R * S] = (lanes (*)[C][K * LANES * R * S])parts_;
    lanes (*bias_parts)[K] = (lanes (*)[K])bias_parts_;
    const int per_chunk = (batch + CHUNKS - 1) / CHUNKS;

    for (int chunk = 0; chunk < CHUNKS; chunk++) {
        for (int first_block = 0; first_block < C; first_block += PC) {
            for (int first_map = 0; first_map < K; first_map += PK) {
                const int blocks = MIN(PC, C - first_block), maps = MIN(PK, K - first_map);
                const int begin = chunk * per_chunk, end = MIN(begin + per_chunk, batch);
                lanes sums[PC][PK * LANES * R * S];  // the gradient by the part's weights
                lanes bias_sums[PK] = {0};
                for (int n = begin; n < end; n++) {
                    for (int top = 0; top < H; top += TH) {
                        const int bottom = MIN(top + TH, H);
                        for (int left = 0; left < W; left += CW) {
                            const int right = MIN(left + CW, W);
                            for (int m = 0; m < maps && first_block == 0; m++) {
                                lanes phases[R][S] = {0};  // chains of additions that do not wait for one another
                                for (int row = top; row < bottom; row++) {
                                    for (int w = left; w < right; w++) {
                                        UNROLL for (int q = 0; q < R * S; q++)
                                            phases[q / S][q % S] +=
                                                d_y[n][first_map + m][R * row + q / S][S * w + q % S];
                                    }
                                }
                                UNROLL for (int q = 0; q < R * S; q++) bias_sums[m] += phases[q / S][q % S];
                            }
                            const int adds = n > begin || top > 0 || left > 0;
                            for (int c = 0; c < blocks; c += TC) {
                                for (int m = 0; m < maps * LANES; m += TM) {
                                    for (int r = 0; r < R; r++) {
                                        lanes acc[TC][TM][S] = {0};
                                        for (int row = top; row < bottom; row++) {
                                            const lanes *cells = &d_y[n][first_map + m / LANES][R * row + r][S * left];
                                            const float (*cell)[LANES] = (const float (*)[LANES])cells;
                                            ROLL for (int w = 0; w < right - left; w++) {
                                                UNROLL for (int u = 0; u < TM; u++) {
                                                    UNROLL for (int s = 0; s < S; s++) {
                                                        UNROLL for (int t = 0; t < TC; t++)
                                                            acc[t][u][s] += x[n][first_block + c + t][row][left + w] *
                                                                            cell[S * w + s][m % LANES + u];
                                                    }
                                                }
                                            }
                                        }
                                        UNROLL for (int t = 0; t < TC; t++) {
                                            UNROLL for (int u = 0; u < TM; u++) {
                                                lanes *at = &sums[c + t][((m + u) * R + r) * S];
                                                UNROLL for (int s = 0; s < S; s++)
                                                    at[s] = adds ? at[s] + acc[t][u][s] : acc[t][u][s];
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                for (int c = 0; c < blocks && begin < end; c++) {
                    lanes *at = &parts[chunk][first_block + c][first_map * LANES * R * S];
                    for (int tap = 0; tap < maps * LANES * R * S; tap++) at[tap] = sums[c][tap];
                }
                for (int m = 0; m < maps && begin < end && first_block == 0; m++)
                    bias_parts[chunk][first_map + m] = bias_sums[m];
            }
        }
    }
}

// convtranspose1: adds the parts of the weight gradient in the order of the chunks.
//
//   parts       [2, 1, 32, 16]  channels in lanes
//   bias_parts  [2, 1, 16]
//   d_weight    [16, 16, 1, 2]
//   d_bias      [16]
static NOINLINE void convtranspose1_backward_weight_sum(int batch, int accumulate, const lanes *restrict parts_,
                                                        const lanes *restrict bias_parts_, float *restrict d_weight_,
                                                        float *restrict d_bias) {
    enum { C = 1, K = 1, TAPS = 32, CHUNKS = 2 };
    const lanes (*parts)[C][TAPS] = (const lanes (*)[C][TAPS])parts_;
    const lanes (*bias_parts)[K] = (const lanes (*)[K])bias_parts_;
    float (*d_weight)[TAPS] = (float (*)[TAPS])d_weight_;
    const int per_chunk = (batch + CHUNKS - 1) / CHUNKS, chunks = (batch + per_chunk - 1) / per_chunk;

    for (int c = 0; c < C; c++) {
        for (int tap = 0; tap < TAPS; tap += LANES) {
            lanes sums[LANES];
            for (int i = 0; i < LANES; i++) {
                sums[i] = parts[0][c][tap + i];
                for (int chunk = 1; chunk < chunks; chunk++) sums[i] += parts[chunk][c][tap + i];
            }
            store_taps(sums, LANES, &d_weight[LANES * c][tap], TAPS, accumulate);
            if (c > 0 || tap >= LANES * K) continue;
            lanes sum = bias_parts[0][tap / LANES];
            for (int chunk = 1; chunk < chunks; chunk++) sum += bias_parts[chunk][tap / LANES];
            loose *at = (loose *)&d_bias[tap];
            *at = accumulate ? (lanes)*at + sum : sum;
        }
    }
}

// convtranspose1: gradient of the input.
//
//   weight  [1, 1, 1, 2, 16, 16]   channels in lanes
//   d_y     [batch, 1, 1, 14, 16]
//   d_x     [batch, 1, 1, 7, 16]
static NOINLINE void convtranspose1_backward_data(int batch, const lanes *restrict weight_, const lanes *restrict d_y_,
                                                  lanes *restrict d_x_) {
    enum { C = 1, H = 1, W = 7 };  // blocks of channels
    enum { K = 1, R = 1, S = 2, OH = 1, OW = 14 };  // blocks of maps; windows lie side by side
    enum { TC = 1, TW = 7 };  // register tile: blocks of channels x columns
    enum { TK = 1, CW = 7 };  // blocks of maps and columns at a time
    const lanes (*weight)[K][R][S][LANES] = (const lanes (*)[K][R][S][LANES])weight_;
    const lanes (*d_y)[K][OH][OW] = (const lanes (*)[K][OH][OW])d_y_;
    lanes (*d_x)[C][H][W] = (lanes (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int row = 0; row < H; row++) {
            for (int strip = 0; strip < W; strip += CW) {
                for (int m0 = 0; m0 < K; m0 += TK) {
                    const int maps = MIN(TK, K - m0);
                    for (int c = 0; c < C; c += TC) {
                        const int c0 = c;
                        for (int column = strip; column < MIN(strip + CW, W); column += TW) {
                            const int w0 = MIN(column, W - TW);
                            lanes acc[TC][TW] = {0};
                            for (int k = 0; k < maps; k++) {
                                ROLL for (int r = 0; r < R; r++) {
                                    const lanes *cells = &d_y[n][m0 + k][R * row + r][S * w0];
                                    ROLL for (int s = 0; s < S; s++) {
                                        const float (*phase)[LANES] = (const float (*)[LANES])(cells + s);
                                        ROLL for (int l = 0; l < LANES; l++) {
                                            UNROLL for (int j = 0; j < TW; j++) {
                                                UNROLL for (int t = 0; t < TC; t++)
                                                    acc[t][j] += weight[c0 + t][m0 + k][r][s][l] * phase[S * j][l];
                                            }
                                        }
                                    }
                                }
                            }
                            UNROLL for (int j = 0; j < TW; j++) {
                                UNROLL for (int t = 0; t < TC; t++) {
                                    lanes *at = &d_x[n][c0 + t][row][w0 + j];
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

// convtranspose1: weights with maps in lanes.
//
//   weight  [16, 16, 1, 2]
//   y       [1, 1, 2, 1, 16, 16]  maps in lanes
static NOINLINE void convtranspose1_weight_prepare(const float *restrict weight_, float *restrict y_) {
    enum { C = 1, K = 1, R = 1, S = 2 };  // C and K in blocks
    const float (*weight)[LANES * K][R * S] = (const float (*)[LANES * K][R * S])weight_;
    float (*y)[R * S][C][LANES][LANES] = (float (*)[R * S][C][LANES][LANES])y_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int m = 0; m < K; m++) {
        for (int c = 0; c < C; c++) {
            for (int i = 0; i < LANES; i++) {
                for (int t = 0; t < R * S; t++) {
                    for (int l = 0; l < LANES; l++)
                        y[m][t][c][i][l] = weight[LANES * c + i][LANES * m + l][t];
                }
            }
        }
    }
}

// convtranspose1: bias as whole vectors.
//
//   x  [16]
//   y  [16]
static NOINLINE void convtranspose1_bias_prepare(const float *restrict x, float *restrict y) {
    enum { COUNT = 16, PADDED = 16 };

    for (int i = 0; i < PADDED; i++) y[i] = i < COUNT ? x[i] : 0.0f;
}

// convtranspose1: weights with channels in lanes.
//
//   weight  [16, 16, 1, 2]
//   y       [1, 1, 1, 2, 16, 16]  channels in lanes
static NOINLINE void convtranspose1_weight_transpose(const float *restrict weight_, float *restrict y_) {
    enum { C = 1, K = 1, R = 1, S = 2 };  // C and K in blocks
    const float (*weight)[LANES * K][R * S] = (const float (*)[LANES * K][R * S])weight_;
    float (*y)[K][R * S][LANES][LANES] = (float (*)[K][R * S][LANES][LANES])y_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int m = 0; m < K; m++) {
        for (int c = 0; c < C; c++) {
            for (int i = 0; i < LANES; i++) {
                for (int t = 0; t < R * S; t++) {
                    for (int l = 0; l < LANES; l++)
                        y[c][m][t][i][l] = weight[LANES * c + l][LANES * m + i][t];
                }
            }
        }
    }
}
