#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// mean1: ReduceMean axes [1].
//
//   x  [batch, 5, 3, 4]
//   y  [batch, 1, 3, 4]
static NOINLINE void mean1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 5, H = 3, W = 4 };
    enum { COUNT = 5 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[1][H][W] = (float (*)[1][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            float sums[W];
            for (int w = 0; w < W; w++) sums[w] = 0.0f;
            for (int m = 0; m < C; m++)
                for (int w = 0; w < W; w++) sums[w] += x[n][m][h][w];
            for (int w = 0; w < W; w++) {
                const float sum = sums[w];
                y[n][0][h][w] = sum / (float)COUNT;
            }
        }
    }
}

// mean1: gradient of the input.
//
//   d_y  [batch, 1, 3, 4]
//   d_x  [batch, 5, 3, 4]
static NOINLINE void mean1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 5, H = 3, W = 4 };
    enum { COUNT = 5 };
    const float (*d_y)[1][H][W] = (const float (*)[1][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][0][h][w] * (1.0f / (float)COUNT);
            }
        }
    }
}
