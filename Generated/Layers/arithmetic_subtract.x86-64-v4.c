#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// arithmetic1: Arithmetic subtract.
//
//   a  [batch, 2, 5, 7]
//   b  [batch, 2, 1, 1]
//   y  [batch, 2, 5, 7]
static NOINLINE void arithmetic1_forward(int batch, const float *restrict a_, const float *restrict b_,
                                         float *restrict y_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*a)[C][H][W] = (const float (*)[C][H][W])a_;
    const float (*b)[C][1][1] = (const float (*)[C][1][1])b_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = a[n][m][h][w] - b[n][m][0][0];
            }
        }
    }
}

// arithmetic1: gradient of a.
//
//   d_y  [batch, 2, 5, 7]
//   d_a  [batch, 2, 5, 7]
static NOINLINE void arithmetic1_backward_a(int batch, const float *restrict d_y_, float *restrict d_a_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_a)[C][H][W] = (float (*)[C][H][W])d_a_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_a[n][m][h][w] = d_y[n][m][h][w];
            }
        }
    }
}

// arithmetic1: gradient of b, summed over what each cell stands for.
//
//   d_y  [batch, 2, 5, 7]
//   d_b  [batch, 2, 1, 1]
static NOINLINE void arithmetic1_backward_b(int batch, const float *restrict d_y_, float *restrict d_b_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_b)[C][1][1] = (float (*)[C][1][1])d_b_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            float sum = 0.0f;
            for (int h = 0; h < H; h++)
                for (int w = 0; w < W; w++)
                    sum += -d_y[n][m][h][w];
            d_b[n][m][0][0] = sum;
        }
    }
}
