#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// arithmetic1: Arithmetic multiply.
//
//   a  [batch, 1, 4, 5]
//   b  [batch, 3, 1, 5]
//   y  [batch, 3, 4, 5]
static NOINLINE void arithmetic1_forward(int batch, const float *restrict a_, const float *restrict b_,
                                         float *restrict y_) {
    enum { C = 3, H = 4, W = 5 };
    const float (*a)[1][H][W] = (const float (*)[1][H][W])a_;
    const float (*b)[C][1][W] = (const float (*)[C][1][W])b_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = a[n][0][h][w] * b[n][m][0][w];
            }
        }
    }
}

// arithmetic1: gradient of a, summed over what each cell stands for.
//
//   d_y  [batch, 3, 4, 5]
//   b    [batch, 3, 1, 5]
//   d_a  [batch, 1, 4, 5]
static NOINLINE void arithmetic1_backward_a(int batch, const float *restrict d_y_, const float *restrict b_,
                                            float *restrict d_a_) {
    enum { C = 3, H = 4, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*b)[C][1][W] = (const float (*)[C][1][W])b_;
    float (*d_a)[1][H][W] = (float (*)[1][H][W])d_a_;

    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            float sums[W];
            for (int w = 0; w < W; w++) sums[w] = 0.0f;
            for (int m = 0; m < C; m++)
                for (int w = 0; w < W; w++) sums[w] += d_y[n][m][h][w] * b[n][m][0][w];
            for (int w = 0; w < W; w++) {
                const float sum = sums[w];
                d_a[n][0][h][w] = sum;
            }
        }
    }
}

// arithmetic1: gradient of b, summed over what each cell stands for.
//
//   d_y  [batch, 3, 4, 5]
//   a    [batch, 1, 4, 5]
//   d_b  [batch, 3, 1, 5]
static NOINLINE void arithmetic1_backward_b(int batch, const float *restrict d_y_, const float *restrict a_,
                                            float *restrict d_b_) {
    enum { C = 3, H = 4, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*a)[1][H][W] = (const float (*)[1][H][W])a_;
    float (*d_b)[C][1][W] = (float (*)[C][1][W])d_b_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            float sums[W];
            for (int w = 0; w < W; w++) sums[w] = 0.0f;
            for (int h = 0; h < H; h++)
                for (int w = 0; w < W; w++) sums[w] += d_y[n][m][h][w] * a[n][0][h][w];
            for (int w = 0; w < W; w++) {
                const float sum = sums[w];
                d_b[n][m][0][w] = sum;
            }
        }
    }
}
