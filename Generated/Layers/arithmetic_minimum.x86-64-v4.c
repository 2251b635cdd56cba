#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// The smaller of two numbers; NaN where either is.
static inline float smaller_float(float a, float b) {
    return a < b ? a : b <= a ? b : a + b;  // with NaN neither comparison holds
}

// The share of a gradient that goes to a, of which the larger of a and b was taken: equal ones get a half each.
static inline float share_float(float a, float b) {
    return a > b ? 1.0f : a == b ? 0.5f : 0.0f;
}

// arithmetic1: Arithmetic minimum.
//
//   a  [batch, 19]
//   b  [batch, 1]
//   y  [batch, 19]
static NOINLINE void arithmetic1_forward(int batch, const float *restrict a_, const float *restrict b_,
                                         float *restrict y_) {
    enum { C = 19 };
    const float (*a)[C] = (const float (*)[C])a_;
    const float (*b)[1] = (const float (*)[1])b_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            y[n][m] = smaller_float(a[n][m], b[n][0]);
        }
    }
}

// arithmetic1: gradient of a.
//
//   d_y  [batch, 19]
//   a    [batch, 19]
//   b    [batch, 1]
//   d_a  [batch, 19]
static NOINLINE void arithmetic1_backward_a(int batch, const float *restrict d_y_, const float *restrict a_,
                                            const float *restrict b_, float *restrict d_a_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    const float (*a)[C] = (const float (*)[C])a_;
    const float (*b)[1] = (const float (*)[1])b_;
    float (*d_a)[C] = (float (*)[C])d_a_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            d_a[n][m] = d_y[n][m] * share_float(b[n][0], a[n][m]);
        }
    }
}

// arithmetic1: gradient of b, summed over what each cell stands for.
//
//   d_y  [batch, 19]
//   a    [batch, 19]
//   b    [batch, 1]
//   d_b  [batch, 1]
static NOINLINE void arithmetic1_backward_b(int batch, const float *restrict d_y_, const float *restrict a_,
                                            const float *restrict b_, float *restrict d_b_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    const float (*a)[C] = (const float (*)[C])a_;
    const float (*b)[1] = (const float (*)[1])b_;
    float (*d_b)[1] = (float (*)[1])d_b_;

    for (int n = 0; n < batch; n++) {
        float sum = 0.0f;
        for (int m = 0; m < C; m++)
            sum += d_y[n][m] * share_float(a[n][m], b[n][0]);
        d_b[n][0] = sum;
    }
}
