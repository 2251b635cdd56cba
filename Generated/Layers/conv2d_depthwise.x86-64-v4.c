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
typedef int32_t masks __attribute__((vector_size(4 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));
// Helpers are functions: in macros that name an accumulator twice, it would not stay in its register. They are always
// inlined, so how a vector argument would be passed does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

// conv1: Conv2D 3x3, stride 2, padding 1, groups 16.
//
//   x       [batch, 16, 7, 5]
//   weight  [16, 1, 3, 3]
//   bias    [16]
//   y       [batch, 16, 4, 3]
static NOINLINE void conv1_forward(int batch, const float *restrict x_, const float *restrict weight_,
                                   const float *restrict bias, float *restrict y_) {
    enum { C = 16, H = 7, W = 5, K = 16, R = 3, S = 3, OH = 4, OW = 3 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 2, STRIDE_W = 2, PAD_TOP = 1, PAD_LEFT = 1, DILATION_H = 1, DILATION_W = 1 };
    enum { C_GROUP = 1, K_GROUP = 1 };  // channels and maps of one group
    enum { POOL_H = 1, POOL_W = 1, COLUMNS = 3 };
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

// conv1: Conv2D 3x3, stride 2, padding 1, groups 16.
//
//   x       [batch, 1, 9, 7, 16]  16 maps in lanes, zeros around the maps
//   weight  [1, 3, 3, 16]         channels in lanes
//   bias    [1, 16]
//   y       [batch, 1, 4, 3, 16]
static NOINLINE void conv1_forward_2(int batch, const lanes *restrict x_, const lanes *restrict weight_,
                                     const lanes *restrict bias, lanes *restrict y_) {
    enum { C = 1, H = 7, W = 5, R = 3, S = 3, OH = 4, OW = 3 };  // blocks of channels
    enum { STRIDE_H = 2, STRIDE_W = 2, DILATION_H = 1, DILATION_W = 1 };
    enum { TW = 3 };  // register tile: columns
    const lanes (*x)[C][9][7] = (const lanes (*)[C][9][7])x_;
    const lanes (*weight)[R][S] = (const lanes (*)[R][S])weight_;
    lanes (*y)[C][OH][OW] = (lanes (*)[C][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < OH; h++) {
                for (int w0 = 0; w0 < OW; w0 += TW) {
                    lanes acc[TW] = {0};
                    ROLL for (int r = 0; r < R; r++) {
                        const lanes *cells = &x[n][m][STRIDE_H * h + DILATION_H * r][STRIDE_W * w0];
                        ROLL for (int s = 0; s < S; s++) {
                            UNROLL for (int j = 0; j < TW; j++)
                                acc[j] += weight[m][r][s] * cells[STRIDE_W * j + DILATION_W * s];
                        }
                    }
                    UNROLL for (int j = 0; j < TW; j++) {
                        const int w = w0 + j;
                        lanes v = acc[j] + bias[m];
                        y[n][m][h][w] = v;
                    }
                }
            }
        }
    }
}

// conv1: gradients of weight and bias, in parts.
//
//   x      [batch, 1, 9, 7, 16]  16 maps in lanes, zeros around the maps
//   d_y    [batch, 1, 4, 3, 16]
//   parts  [2, 1, 9 + 1, 16]     taps, then bias
//
// The images are cut into chunks, whatever the number of threads.
static NOINLINE void conv1_backward_weight(int batch, const lanes *restrict x_, const lanes *restrict d_y_,
                                           lanes *restrict parts_) {
    enum { C = 1, H = 7, W = 5, R = 3, S = 3, OH = 4, OW = 3 };  // blocks of channels
    enum { STRIDE_H = 2, STRIDE_W = 2, DILATION_H = 1, DILATION_W = 1 };
    enum { TR = 3, CHUNKS = 2 };  // rows of taps at a time; chunks of images
    const lanes (*x)[C][9][7] = (const lanes (*)[C][9][7])x_;
    const lanes (*d_y)[C][OH][OW] = (const lanes (*)[C][OH][OW])d_y_;
    lanes (*parts)[C][R * S + 1] = (lanes (*)[C][R * S + 1])parts_;
    const int per_chunk = (batch + CHUNKS - 1) / CHUNKS;

    for (int chunk = 0; chunk < CHUNKS; chunk++) {
        for (int m = 0; m < C; m++) {
            const int begin = chunk * per_chunk, end = MIN(begin + per_chunk, batch);
            for (int r0 = 0; r0 < R && begin < end; r0 += TR) {
                lanes acc[TR][S] = {0};
                lanes bias_sum = {0};
                for (int n = begin; n < end; n++) {
                    for (int h = 0; h < OH; h++) {
                        ROLL for (int w = 0; w < OW; w++) {
                            lanes v = d_y[n][m][h][w];
                            bias_sum += v;
                            UNROLL for (int r = 0; r < TR; r++) {
                                UNROLL for (int s = 0; s < S; s++)
                                    acc[r][s] += v * x[n][m][STRIDE_H * h + DILATION_H * (r0 + r)]
                                                      [STRIDE_W * w + DILATION_W * s];
                            }
                        }
                    }
                }
                UNROLL for (int r = 0; r < TR; r++) {
                    UNROLL for (int s = 0; s < S; s++) parts[chunk][m][(r0 + r) * S + s] = acc[r][s];
                }
                parts[chunk][m][R * S] = bias_sum;
            }
        }
    }
}

// conv1: adds the parts of the weight gradient in the order of the chunks.
//
//   parts     [2, 1, 9 + 1, 16]  taps, then bias
//   d_weight  [16, 1, 3, 3]
//   d_bias    [16]
static NOINLINE void conv1_backward_weight_sum(int batch, int accumulate, const lanes *restrict parts_,
                                               float *restrict d_weight_, float *restrict d_bias) {
    enum { C = 1, CHANNELS = 16, R = 3, S = 3, CHUNKS = 2 };  // C in blocks
    const lanes (*parts)[C][R * S + 1] = (const lanes (*)[C][R * S + 1])parts_;
    float (*d_weight)[R * S] = (float (*)[R * S])d_weight_;
    const int per_chunk = (batch + CHUNKS - 1) / CHUNKS, chunks = (batch + per_chunk - 1) / per_chunk;

    for (int m = 0; m < C; m++) {
        const int count = MIN(LANES, CHANNELS - LANES * m);
        for (int tap = 0; tap < R * S + 1; tap++) {
            lanes sum = parts[0][m][tap];
            for (int chunk = 1; chunk < chunks; chunk++) sum += parts[chunk][m][tap];
            for (int l = 0; l < count; l++) {
                float *at = tap < R * S ? &d_weight[LANES * m + l][tap] : &d_bias[LANES * m + l];
                *at = accumulate ? *at + sum[l] : sum[l];
            }
        }
    }
}

// conv1: gradient of the input.
//
//   weight  [1, 3, 3, 16]         channels in lanes
//   d_y     [batch, 1, 4, 3, 16]
//   d_x     [batch, 1, 7, 5, 16]
static NOINLINE void conv1_backward_data(int batch, const lanes *restrict weight_, const lanes *restrict d_y_,
                                         lanes *restrict d_x_) {
    enum { C = 1, H = 7, W = 5, R = 3, S = 3, OH = 4, OW = 3 };  // blocks of channels
    enum { STRIDE_H = 2, STRIDE_W = 2, DILATION_H = 1, DILATION_W = 1, PAD_TOP = 1, PAD_LEFT = 1 };
    enum { TW = 3, TH = 7 };  // register tile: columns of one phase; rows of a strip
    enum { ROWS = 5, COLUMNS = 5, LEFT = 1 };  // rows and columns of the buffer; zero columns on its left
    const lanes (*weight)[R][S] = (const lanes (*)[R][S])weight_;
    const lanes (*d_y)[C][OH][OW] = (const lanes (*)[C][OH][OW])d_y_;
    lanes (*d_x)[C][H][W] = (lanes (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h0 = 0; h0 < H; h0 += TH) {
                const int bottom = MIN(h0 + TH, H);
                // rows of the output whose windows lie over this strip
                const int first_row = MAX(h0 + PAD_TOP - DILATION_H * (R - 1) + STRIDE_H - 1, 0) / STRIDE_H;
                const int end_row = MIN((bottom - 1 + PAD_TOP) / STRIDE_H, OH - 1) + 1;
                lanes d_pre[ROWS][COLUMNS];  // the gradient of the convolution's own result, in zeros
                for (int h = first_row; h < end_row; h++) {
                    lanes *cells = d_pre[h - first_row];
                    for (int j = 0; j < LEFT; j++) cells[j] = (lanes){0};
                    for (int w = 0; w < OW; w++) {
                        lanes v = d_y[n][m][h][w];
                        cells[LEFT + w] = v;
                    }
                    for (int j = LEFT + OW; j < COLUMNS; j++) cells[j] = (lanes){0};
                }
                for (int h = h0; h < bottom; h++) {
                    for (int phase = 0; phase < STRIDE_W; phase++) {
                        // columns phase, phase + STRIDE_W, ...: all see the same taps
                        for (int w0 = 0; STRIDE_W * w0 + phase < W; w0 += TW) {
                            lanes acc[TW] = {0};
                            ROLL for (int r = 0; r < R; r++) {
                                const int distance = h + PAD_TOP - DILATION_H * r;
                                if (distance < 0 || distance % STRIDE_H != 0 || distance / STRIDE_H >= OH) continue;
                                const lanes *cells = &d_pre[distance / STRIDE_H - first_row][LEFT + w0];
                                ROLL for (int s = 0; s < S; s++) {
                                    const int shift = phase + PAD_LEFT - DILATION_W * s;
                                    if (shift % STRIDE_W != 0) continue;
                                    UNROLL for (int j = 0; j < TW; j++)
                                        acc[j] += weight[m][r][s] * cells[j + shift / STRIDE_W];
                                }
                            }
                            UNROLL for (int j = 0; j < TW; j++) {
                                const int w = STRIDE_W * (w0 + j) + phase;
                                if (w < W) d_x[n][m][h][w] = acc[j];
                            }
                        }
                    }
                }
            }
        }
    }
}

// conv1: weights with channels in lanes.
//
//   weight  [16, 1, 3, 3]
//   y       [1, 3, 3, 16]
static NOINLINE void conv1_weight_prepare(const float *restrict weight_, float *restrict y_) {
    enum { C = 1, CHANNELS = 16, R = 3, S = 3 };  // C in blocks
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

// conv1: bias as whole vectors.
//
//   x  [16]
//   y  [16]
static NOINLINE void conv1_bias_prepare(const float *restrict x, float *restrict y) {
    enum { COUNT = 16, PADDED = 16 };

    for (int i = 0; i < PADDED; i++) y[i] = i < COUNT ? x[i] : 0.0f;
}
