#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// sum1: ReduceSum axes [3, 1, 2].
//
//   x  [batch, 5, 3, 4]
//   y  [batch, 1, 1, 1]
static NOINLINE void sum1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 5, H = 3, W = 4 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[1][1][1] = (float (*)[1][1][1])y_;

    for (int n = 0; n < batch; n++) {
        float sum = 0.0f;
        for (int m = 0; m < C; m++)
            for (int h = 0; h < H; h++)
                for (int w = 0; w < W; w++)
                    sum += x[n][m][h][w];
        y[n][0][0][0] = sum;
    }
}

// sum1: gradient of the input.
//
//   d_y  [batch, 1, 1, 1]
//   d_x  [batch, 5, 3, 4]
static NOINLINE void sum1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 5, H = 3, W = 4 };
    const float (*d_y)[1][1][1] = (const float (*)[1][1][1])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][0][0][0];
            }
        }
    }
}
