#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// hardsigmoid1: HardSigmoid 0.16666667 0.5.
//
//   x  [batch, 19]
//   y  [batch, 19]
static NOINLINE void hardsigmoid1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                // hardsigmoid1
                v = 0.16666667f * v + 0.5f;
                v = v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v;
                y[n][m] = v;
            }
        }
    }
}

// hardsigmoid1: gradient through HardSigmoid 0.16666667 0.5.
//
//   d_y  [batch, 19]
//   d_x  [batch, 19]
//   y    [batch, 19]  hardsigmoid1 computes its gradient from it
static NOINLINE void hardsigmoid1_backward(int batch, const float *restrict d_y_, float *restrict d_x_,
                                           const float *restrict y_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;
    const float (*y)[C] = (const float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = d_y[n][m];
                // hardsigmoid1
                v = y[n][m] > 0.0f && y[n][m] < 1.0f ? 0.16666667f * v : 0.0f;
                d_x[n][m] = v;
            }
        }
    }
}
