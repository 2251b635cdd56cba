#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// mean1: ReduceMean axes [2], dropped.
//
//   x  [batch, 3, 1, 7]
//   y  [batch, 3]
static NOINLINE void mean1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 1, W = 7 };
    enum { COUNT = 7 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            float sum = 0.0f;
            for (int w = 0; w < W; w++)
                sum += x[n][m][0][w];
            y[n][m] = sum / (float)COUNT;
        }
    }
}

// mean1: gradient of the input.
//
//   d_y  [batch, 3]
//   d_x  [batch, 3, 1, 7]
static NOINLINE void mean1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 1, W = 7 };
    enum { COUNT = 7 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][0][w] = d_y[n][m] * (1.0f / (float)COUNT);
            }
        }
    }
}
