#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// mean1: ReduceMean axes [3], dropped.
//
//   x  [batch, 16, 3, 5]
//   y  [batch, 16, 1, 3]
static NOINLINE void mean1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 3, W = 5 };
    enum { COUNT = 5 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][1][3] = (float (*)[C][1][3])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                float sum = 0.0f;
                for (int w = 0; w < W; w++)
                    sum += x[n][m][h][w];
                y[n][m][0][h] = sum / (float)COUNT;
            }
        }
    }
}

// mean1: gradient of the input.
//
//   d_y  [batch, 16, 1, 3]
//   d_x  [batch, 16, 3, 5]
static NOINLINE void mean1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 16, H = 3, W = 5 };
    enum { COUNT = 5 };
    const float (*d_y)[C][1][3] = (const float (*)[C][1][3])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][0][h] * (1.0f / (float)COUNT);
            }
        }
    }
}
