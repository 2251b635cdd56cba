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

// Lane i of the result is the sum of the lanes of v[i]; v is used up.
INLINE lanes lane_sums(lanes v[LANES]) {
    UNROLL for (int half = LANES / 2; half > 0; half /= 2) {
        UNROLL for (int i = 0; i < half; i++) v[i] = zip_low(v[i], v[i + half]) + zip_high(v[i], v[i + half]);
    }
    return v[0];
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

// dense1: Dense.
//
//   x       [batch, 7]
//   weight  [4, 7]
//   bias    [4]
//   y       [batch, 4]
static NOINLINE void dense1_forward(int batch, const float *restrict x_, const float *restrict weight_,
                                    const float *restrict bias, float *restrict y_) {
    enum { F = 7, K = 4 };  // features, outputs
    enum { TN = 3, TK = 4 };  // register tile: images x outputs, with features in lanes
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
                    float v = sums[TK * (n - n0) + m - m0] + bias[m];
                    for (int f = F / LANES * LANES; f < F; f++) v += weight[m][f] * x[n][f];
                    y[n][m] = v;
                }
            }
        }
    }
}

// dense1: Dense.
//
//   x       [batch, 7]
//   weight  [4, 7]
//   bias    [4]
//   y       [batch, 4]
static NOINLINE void dense1_forward_2(int batch, const float *restrict x_, const float *restrict weight_,
                                      const float *restrict bias, float *restrict y_) {
    enum { F = 7, K = 4 };  // features, outputs
    const float (*x)[F] = (const float (*)[F])x_;
    const float (*weight)[F] = (const float (*)[F])weight_;
    float (*y)[K] = (float (*)[K])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < K; m++) {
            float v = dot(weight[m], x[n], F, 1) + bias[m];
            y[n][m] = v;
        }
    }
}

// dense1: gradients of weight and bias.
//
//   x         [batch, 7]
//   d_y       [batch, 4]
//   d_weight  [4, 7]
//   d_bias    [4]
static NOINLINE void dense1_backward_weight(int batch, int accumulate, const float *restrict x_,
                                            const float *restrict d_y_, float *restrict d_weight_,
                                            float *restrict d_bias) {
    enum { F = 7, K = 4 };  // features, outputs
    const float (*x)[F] = (const float (*)[F])x_;
    const float (*d_y)[K] = (const float (*)[K])d_y_;
    float (*d_weight)[F] = (float (*)[F])d_weight_;

    for (int m = 0; m < K; m++) {
        if (!accumulate) {
            for (int f = 0; f < F; f++) d_weight[m][f] = 0.0f;
            d_bias[m] = 0.0f;
        }
        for (int n = 0; n < batch; n++) {
            float v = d_y[n][m];
            d_bias[m] += v;
            for (int f = 0; f < F; f++) d_weight[m][f] += v * x[n][f];
        }
    }
}

// dense1: gradient of the input.
//
//   weight  [4, 7]
//   d_y     [batch, 4]
//   d_x     [batch, 7]
static NOINLINE void dense1_backward_data(int batch, const float *restrict weight_, const float *restrict d_y_,
                                          float *restrict d_x_) {
    enum { F = 7, K = 4 };  // features, outputs
    const float (*weight)[F] = (const float (*)[F])weight_;
    const float (*d_y)[K] = (const float (*)[K])d_y_;
    float (*d_x)[F] = (float (*)[F])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int f = 0; f < F; f++) d_x[n][f] = 0.0f;
        for (int m = 0; m < K; m++) {
            float v = d_y[n][m];
            for (int f = 0; f < F; f++) d_x[n][f] += v * weight[m][f];
        }
    }
}
