#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

#define LANES 16  // floats of one vector
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t masks __attribute__((vector_size(4 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));
// Helpers are functions: in macros that name an accumulator twice, it would not stay in its register. They are always
// inlined, so how a vector argument would be passed does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

// local1: LocallyConnected2D 2x2, no bias.
//
//   x       [batch, 16, 3, 3]
//   weight  [16, 16, 2, 2, 2, 2]
//   y       [batch, 16, 2, 2]
static NOINLINE void local1_forward(int batch, const float *restrict x_, const float *restrict weight_,
                                    float *restrict y_) {
    enum { C = 16, H = 3, W = 3, K = 16, R = 2, S = 2, OH = 2, OW = 2 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 1, DILATION_W = 1 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*weight)[C][R][S][OH][OW] = (const float (*)[C][R][S][OH][OW])weight_;
    float (*y)[K][OH][OW] = (float (*)[K][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < K; m++) {
            for (int h = 0; h < OH; h++) {
                for (int w = 0; w < OW; w++) y[n][m][h][w] = 0.0f;
                for (int c = 0; c < C; c++) {
                    for (int r = 0; r < R; r++) {
                        const int row = h * STRIDE_H - PAD_TOP + r * DILATION_H;
                        if (row < 0 || row >= H) continue;
                        for (int s = 0; s < S; s++) {
                            // columns whose tap lies inside the map
                            const int shift = s * DILATION_W - PAD_LEFT;
                            const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                            const int fit = shift < W ? (W - 1 - shift) / STRIDE_W + 1 : 0;
                            const int last = fit < OW ? fit : OW;
                            for (int w = first; w < last; w++) {
                                const int column = w * STRIDE_W + shift;
                                const float tap = weight[m][c][r][s][h][w];
                                y[n][m][h][w] += tap * x[n][c][row][column];
                            }
                        }
                    }
                }
            }
        }
    }
}

// local1: LocallyConnected2D 2x2, no bias.
//
//   x       [groups, 16, 3, 3, 16]  16 images in lanes
//   weight  [16, 16, 2, 2, 2, 2]
//   y       [groups, 16, 2, 2, 16]
static NOINLINE void local1_forward_2(int groups, const float *restrict x_, const float *restrict weight_,
                                      float *restrict y_) {
    enum { C = 16, H = 3, W = 3, K = 16, R = 2, S = 2, OH = 2, OW = 2 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 1, DILATION_W = 1 };
    const float (*x)[C][H][W][LANES] = (const float (*)[C][H][W][LANES])x_;
    const float (*weight)[C][R][S][OH][OW] = (const float (*)[C][R][S][OH][OW])weight_;
    float (*y)[K][OH][OW][LANES] = (float (*)[K][OH][OW][LANES])y_;

    for (int n = 0; n < groups; n++) {
        for (int m = 0; m < K; m++) {
            for (int h = 0; h < OH; h++) {
                for (int w = 0; w < OW; w++) for (int l = 0; l < LANES; l++) y[n][m][h][w][l] = 0.0f;
                for (int c = 0; c < C; c++) {
                    for (int r = 0; r < R; r++) {
                        const int row = h * STRIDE_H - PAD_TOP + r * DILATION_H;
                        if (row < 0 || row >= H) continue;
                        for (int s = 0; s < S; s++) {
                            // columns whose tap lies inside the map
                            const int shift = s * DILATION_W - PAD_LEFT;
                            const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                            const int fit = shift < W ? (W - 1 - shift) / STRIDE_W + 1 : 0;
                            const int last = fit < OW ? fit : OW;
                            for (int w = first; w < last; w++) {
                                const int column = w * STRIDE_W + shift;
                                const float tap = weight[m][c][r][s][h][w];
                                for (int l = 0; l < LANES; l++) y[n][m][h][w][l] += tap * x[n][c][row][column][l];
                            }
                        }
                    }
                }
            }
        }
    }
}

// local1: gradient of the weight: the sum over the images.
//
//   x         [groups, 16, 3, 3, 16]  16 images in lanes
//   d_y       [groups, 16, 2, 2, 16]
//   d_weight  [16, 16, 2, 2, 2, 2]
static NOINLINE void local1_backward_weight(int groups, int accumulate, const lanes *restrict x_,
                                            const lanes *restrict d_y_, float *restrict d_weight_) {
    enum { C = 16, H = 3, W = 3, K = 16, R = 2, S = 2, OH = 2, OW = 2 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 1, DILATION_W = 1 };
    const lanes (*x)[C][H][W] = (const lanes (*)[C][H][W])x_;
    const lanes (*d_y)[K][OH][OW] = (const lanes (*)[K][OH][OW])d_y_;
    float (*d_weight)[C][R][S][OH][OW] = (float (*)[C][R][S][OH][OW])d_weight_;

    for (int m = 0; m < K; m++) {
        for (int c = 0; c < C; c++) {
            for (int r = 0; r < R; r++) {
                for (int s = 0; s < S; s++) {
                    // columns whose tap lies inside the map
                    const int shift = s * DILATION_W - PAD_LEFT;
                    const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                    const int fit = shift < W ? (W - 1 - shift) / STRIDE_W + 1 : 0;
                    const int last = fit < OW ? fit : OW;
                    for (int h = 0; h < OH; h++) {
                        float *const sums = d_weight[m][c][r][s][h];
                        if (!accumulate)
                            for (int w = 0; w < OW; w++) sums[w] = 0.0f;
                        const int row = h * STRIDE_H - PAD_TOP + r * DILATION_H;
                        if (row < 0 || row >= H) continue;
                        for (int w = first; w < last; w++) {
                            lanes products = {0};
                            for (int n = 0; n < groups; n++)
                                products += d_y[n][m][h][w] * x[n][c][row][w * STRIDE_W + shift];
                            for (int l = 0; l < LANES; l++) sums[w] += products[l];
                        }
                    }
                }
            }
        }
    }
}

// local1: gradient of the input.
//
//   weight  [16, 16, 2, 2, 2, 2]
//   d_y     [groups, 16, 2, 2, 16]  16 images in lanes
//   d_x     [groups, 16, 3, 3, 16]
static NOINLINE void local1_backward_data(int groups, const float *restrict weight_, const float *restrict d_y_,
                                          float *restrict d_x_) {
    enum { C = 16, H = 3, W = 3, K = 16, R = 2, S = 2, OH = 2, OW = 2 };  // C x H x W to K x OH x OW
    enum { STRIDE_H = 1, STRIDE_W = 1, PAD_TOP = 0, PAD_LEFT = 0, DILATION_H = 1, DILATION_W = 1 };
    const float (*weight)[C][R][S][OH][OW] = (const float (*)[C][R][S][OH][OW])weight_;
    const float (*d_y)[K][OH][OW][LANES] = (const float (*)[K][OH][OW][LANES])d_y_;
    float (*d_x)[C][H][W][LANES] = (float (*)[C][H][W][LANES])d_x_;

    for (int n = 0; n < groups; n++) {
        for (int c = 0; c < C; c++) {
            for (int i = 0; i < H * W; i++) for (int l = 0; l < LANES; l++) d_x[n][c][i / W][i % W][l] = 0.0f;
            for (int m = 0; m < K; m++) {
                for (int r = 0; r < R; r++) {
                    for (int s = 0; s < S; s++) {
                        // columns whose tap lies inside the map
                        const int shift = s * DILATION_W - PAD_LEFT;
                        const int first = shift < 0 ? (STRIDE_W - 1 - shift) / STRIDE_W : 0;
                        const int fit = shift < W ? (W - 1 - shift) / STRIDE_W + 1 : 0;
                        const int last = fit < OW ? fit : OW;
                        for (int h = 0; h < OH; h++) {
                            const int row = h * STRIDE_H - PAD_TOP + r * DILATION_H;
                            if (row < 0 || row >= H) continue;
                            for (int w = first; w < last; w++) {
                                const int column = w * STRIDE_W + shift;
                                const float tap = weight[m][c][r][s][h][w];
                                for (int l = 0; l < LANES; l++) d_x[n][c][row][column][l] += tap * d_y[n][m][h][w][l];
                            }
                        }
                    }
                }
            }
        }
    }
}
