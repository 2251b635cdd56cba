#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// leakyrelu1: LeakyReLU 0.2.
//
//   x  [batch, 19]
//   y  [batch, 19]
static NOINLINE void leakyrelu1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                // leakyrelu1
                v = v < 0.0f ? 0.2f * v : v;
                y[n][m] = v;
            }
        }
    }
}

// leakyrelu1: gradient through LeakyReLU 0.2.
//
//   d_y  [batch, 19]
//   d_x  [batch, 19]
//   y    [batch, 19]  leakyrelu1 multiplies gradients by the slope where it is not positive
static NOINLINE void leakyrelu1_backward(int batch, const float *restrict d_y_, float *restrict d_x_,
                                         const float *restrict y_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;
    const float (*y)[C] = (const float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = d_y[n][m];
                // leakyrelu1
                v = y[n][m] > 0.0f ? v : 0.2f * v;
                d_x[n][m] = v;
            }
        }
    }
}
