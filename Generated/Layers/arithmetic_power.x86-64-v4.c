#include <stdint.h>
#include <math.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// The slope of a^b by a; 0 for the power 0, also at a = 0.
static inline float power_base_float(float a, float b) {
    return b == 0.0f ? 0.0f : b * powf(a, b - 1.0f);
}

// The slope of a^b by b; 0 at a = 0, where powers that are not negative stay 0 or 1.
static inline float power_exponent_float(float a, float b) {
    return a == 0.0f && b >= 0.0f ? 0.0f : powf(a, b) * logf(a);
}

// arithmetic1: Arithmetic power.
//
//   a  [batch, 3, 1, 7]
//   b  [batch, 1, 1, 7]
//   y  [batch, 3, 1, 7]
static NOINLINE void arithmetic1_forward(int batch, const float *restrict a_, const float *restrict b_,
                                         float *restrict y_) {
    enum { C = 3, H = 1, W = 7 };
    const float (*a)[C][H][W] = (const float (*)[C][H][W])a_;
    const float (*b)[1][H][W] = (const float (*)[1][H][W])b_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][0][w] = powf(a[n][m][0][w], b[n][0][0][w]);
            }
        }
    }
}

// arithmetic1: gradient of a.
//
//   d_y  [batch, 3, 1, 7]
//   a    [batch, 3, 1, 7]
//   b    [batch, 1, 1, 7]
//   d_a  [batch, 3, 1, 7]
static NOINLINE void arithmetic1_backward_a(int batch, const float *restrict d_y_, const float *restrict a_,
                                            const float *restrict b_, float *restrict d_a_) {
    enum { C = 3, H = 1, W = 7 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*a)[C][H][W] = (const float (*)[C][H][W])a_;
    const float (*b)[1][H][W] = (const float (*)[1][H][W])b_;
    float (*d_a)[C][H][W] = (float (*)[C][H][W])d_a_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++)
                    d_a[n][m][0][w] = d_y[n][m][0][w] * power_base_float(a[n][m][0][w], b[n][0][0][w]);
            }
        }
    }
}

// arithmetic1: gradient of b, summed over what each cell stands for.
//
//   d_y  [batch, 3, 1, 7]
//   a    [batch, 3, 1, 7]
//   b    [batch, 1, 1, 7]
//   d_b  [batch, 1, 1, 7]
static NOINLINE void arithmetic1_backward_b(int batch, const float *restrict d_y_, const float *restrict a_,
                                            const float *restrict b_, float *restrict d_b_) {
    enum { C = 3, H = 1, W = 7 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*a)[C][H][W] = (const float (*)[C][H][W])a_;
    const float (*b)[1][H][W] = (const float (*)[1][H][W])b_;
    float (*d_b)[1][H][W] = (float (*)[1][H][W])d_b_;

    for (int n = 0; n < batch; n++) {
        float sums[W];
        for (int w = 0; w < W; w++) sums[w] = 0.0f;
        for (int m = 0; m < C; m++)
            for (int w = 0; w < W; w++) sums[w] += d_y[n][m][0][w] * power_exponent_float(a[n][m][0][w], b[n][0][0][w]);
        for (int w = 0; w < W; w++) {
            const float sum = sums[w];
            d_b[n][0][0][w] = sum;
        }
    }
}
