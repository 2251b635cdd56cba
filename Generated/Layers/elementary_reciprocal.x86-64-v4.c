#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// elementary2: Elementary reciprocal.
//
//   x  [batch, 19]
//   y  [batch, 19]
static NOINLINE void elementary2_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            y[n][m] = 1.0f / x[n][m];
        }
    }
}

// elementary2: gradient of the input.
//
//   d_y  [batch, 19]
//   x    [batch, 19]
//   d_x  [batch, 19]
static NOINLINE void elementary2_backward(int batch, const float *restrict d_y_, const float *restrict x_,
                                          float *restrict d_x_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    const float (*x)[C] = (const float (*)[C])x_;
    float (*d_x)[C] = (float (*)[C])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            d_x[n][m] = -d_y[n][m] / (x[n][m] * x[n][m]);
        }
    }
}
