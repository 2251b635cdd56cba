#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// The larger of two numbers; NaN where either is.
static inline float larger_float(float a, float b) {
    return a > b ? a : b >= a ? b : a + b;  // with NaN neither comparison holds
}

// The share of a gradient that goes to a, of which the larger of a and b was taken: equal ones get a half each.
static inline float share_float(float a, float b) {
    return a > b ? 1.0f : a == b ? 0.5f : 0.0f;
}

// arithmetic1: Arithmetic maximum.
//
//   a  [batch, 16, 3, 5]
//   b  [batch, 16, 3, 5]
//   y  [batch, 16, 3, 5]
static NOINLINE void arithmetic1_forward(int batch, const float *restrict a_, const float *restrict b_,
                                         float *restrict y_) {
    enum { C = 16, H = 3, W = 5 };
    const float (*a)[C][H][W] = (const float (*)[C][H][W])a_;
    const float (*b)[C][H][W] = (const float (*)[C][H][W])b_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = larger_float(a[n][m][h][w], b[n][m][h][w]);
            }
        }
    }
}

// arithmetic1: gradient of a.
//
//   d_y  [batch, 16, 3, 5]
//   a    [batch, 16, 3, 5]
//   b    [batch, 16, 3, 5]
//   d_a  [batch, 16, 3, 5]
static NOINLINE void arithmetic1_backward_a(int batch, const float *restrict d_y_, const float *restrict a_,
                                            const float *restrict b_, float *restrict d_a_) {
    enum { C = 16, H = 3, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*a)[C][H][W] = (const float (*)[C][H][W])a_;
    const float (*b)[C][H][W] = (const float (*)[C][H][W])b_;
    float (*d_a)[C][H][W] = (float (*)[C][H][W])d_a_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++)
                    d_a[n][m][h][w] = d_y[n][m][h][w] * share_float(a[n][m][h][w], b[n][m][h][w]);
            }
        }
    }
}

// arithmetic1: gradient of b.
//
//   d_y  [batch, 16, 3, 5]
//   a    [batch, 16, 3, 5]
//   b    [batch, 16, 3, 5]
//   d_b  [batch, 16, 3, 5]
static NOINLINE void arithmetic1_backward_b(int batch, const float *restrict d_y_, const float *restrict a_,
                                            const float *restrict b_, float *restrict d_b_) {
    enum { C = 16, H = 3, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*a)[C][H][W] = (const float (*)[C][H][W])a_;
    const float (*b)[C][H][W] = (const float (*)[C][H][W])b_;
    float (*d_b)[C][H][W] = (float (*)[C][H][W])d_b_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++)
                    d_b[n][m][h][w] = d_y[n][m][h][w] * share_float(b[n][m][h][w], a[n][m][h][w]);
            }
        }
    }
}
