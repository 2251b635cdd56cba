#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// sum1: ReduceSum axes [2].
//
//   x  [batch, 16, 3, 5]
//   y  [batch, 16, 1, 5]
static NOINLINE void sum1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 3, W = 5 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][1][W] = (float (*)[C][1][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            float sums[W];
            for (int w = 0; w < W; w++) sums[w] = 0.0f;
            for (int h = 0; h < H; h++)
                for (int w = 0; w < W; w++) sums[w] += x[n][m][h][w];
            for (int w = 0; w < W; w++) {
                const float sum = sums[w];
                y[n][m][0][w] = sum;
            }
        }
    }
}

// sum1: gradient of the input.
//
//   d_y  [batch, 16, 1, 5]
//   d_x  [batch, 16, 3, 5]
static NOINLINE void sum1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 16, H = 3, W = 5 };
    const float (*d_y)[C][1][W] = (const float (*)[C][1][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][0][w];
            }
        }
    }
}
