#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// multiply1: Multiply.
//
//   x1  [batch, 19]
//   x2  [batch, 19]
//   y   [batch, 19]
static NOINLINE void multiply1_forward(int batch, const float *restrict x1_, const float *restrict x2_,
                                       float *restrict y_) {
    enum { C = 19 };
    const float (*x1)[C] = (const float (*)[C])x1_;
    const float (*x2)[C] = (const float (*)[C])x2_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            y[n][m] = x1[n][m] * x2[n][m];
        }
    }
}

// multiply1: gradient of input 1.
//
//   d_y   [batch, 19]
//   x2    [batch, 19]
//   d_x1  [batch, 19]
static NOINLINE void multiply1_backward_1(int batch, const float *restrict d_y_, const float *restrict x2_,
                                          float *restrict d_x1_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    const float (*x2)[C] = (const float (*)[C])x2_;
    float (*d_x1)[C] = (float (*)[C])d_x1_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            d_x1[n][m] = d_y[n][m] * x2[n][m];
        }
    }
}

// multiply1: gradient of input 2.
//
//   d_y   [batch, 19]
//   x1    [batch, 19]
//   d_x2  [batch, 19]
static NOINLINE void multiply1_backward_2(int batch, const float *restrict d_y_, const float *restrict x1_,
                                          float *restrict d_x2_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    const float (*x1)[C] = (const float (*)[C])x1_;
    float (*d_x2)[C] = (float (*)[C])d_x2_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            d_x2[n][m] = d_y[n][m] * x1[n][m];
        }
    }
}
