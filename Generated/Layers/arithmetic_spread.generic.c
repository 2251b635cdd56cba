#include <stdint.h>

// arithmetic1: Arithmetic multiply, constants 4x1x5.
//
//   x      [batch, 1, 3, 5]
//   value  [4, 1, 5]         constants
//   y      [batch, 4, 3, 5]
static void arithmetic1_forward(int batch, const float *restrict x_, const float *restrict value_, float *restrict y_) {
    enum { C = 4, H = 3, W = 5 };
    const float (*x)[1][H][W] = (const float (*)[1][H][W])x_;
    const float (*value)[1][5] = (const float (*)[1][5])value_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][0][h][w] * value[m][0][w];
            }
        }
    }
}

// arithmetic1: gradient of the input, summed over what each cell stands for.
//
//   d_y    [batch, 4, 3, 5]
//   value  [4, 1, 5]         constants
//   d_x    [batch, 1, 3, 5]
static void arithmetic1_backward(int batch, const float *restrict d_y_, const float *restrict value_,
                                 float *restrict d_x_) {
    enum { C = 4, H = 3, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*value)[1][5] = (const float (*)[1][5])value_;
    float (*d_x)[1][H][W] = (float (*)[1][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            float sums[W];
            for (int w = 0; w < W; w++) sums[w] = 0.0f;
            for (int m = 0; m < C; m++)
                for (int w = 0; w < W; w++) sums[w] += d_y[n][m][h][w] * value[m][0][w];
            for (int w = 0; w < W; w++) {
                const float sum = sums[w];
                d_x[n][0][h][w] = sum;
            }
        }
    }
}
