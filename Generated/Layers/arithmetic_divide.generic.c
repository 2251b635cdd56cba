#include <stdint.h>

// arithmetic1: Arithmetic divide.
//
//   a  [batch, 3, 4, 5]
//   b  [batch, 1, 4, 1]
//   y  [batch, 3, 4, 5]
static void arithmetic1_forward(int batch, const float *restrict a_, const float *restrict b_, float *restrict y_) {
    enum { C = 3, H = 4, W = 5 };
    const float (*a)[C][H][W] = (const float (*)[C][H][W])a_;
    const float (*b)[1][H][1] = (const float (*)[1][H][1])b_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = a[n][m][h][w] / b[n][0][h][0];
            }
        }
    }
}

// arithmetic1: gradient of a.
//
//   d_y  [batch, 3, 4, 5]
//   b    [batch, 1, 4, 1]
//   d_a  [batch, 3, 4, 5]
static void arithmetic1_backward_a(int batch, const float *restrict d_y_, const float *restrict b_,
                                   float *restrict d_a_) {
    enum { C = 3, H = 4, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*b)[1][H][1] = (const float (*)[1][H][1])b_;
    float (*d_a)[C][H][W] = (float (*)[C][H][W])d_a_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_a[n][m][h][w] = d_y[n][m][h][w] / b[n][0][h][0];
            }
        }
    }
}

// arithmetic1: gradient of b, summed over what each cell stands for.
//
//   d_y  [batch, 3, 4, 5]
//   a    [batch, 3, 4, 5]
//   b    [batch, 1, 4, 1]
//   d_b  [batch, 1, 4, 1]
static void arithmetic1_backward_b(int batch, const float *restrict d_y_, const float *restrict a_,
                                   const float *restrict b_, float *restrict d_b_) {
    enum { C = 3, H = 4, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*a)[C][H][W] = (const float (*)[C][H][W])a_;
    const float (*b)[1][H][1] = (const float (*)[1][H][1])b_;
    float (*d_b)[1][H][1] = (float (*)[1][H][1])d_b_;

    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            float sum = 0.0f;
            for (int m = 0; m < C; m++)
                for (int w = 0; w < W; w++)
                    sum += -d_y[n][m][h][w] * a[n][m][h][w] / (b[n][0][h][0] * b[n][0][h][0]);
            d_b[n][0][h][0] = sum;
        }
    }
}
