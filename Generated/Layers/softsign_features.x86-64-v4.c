#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// softsign1: Softsign.
//
//   x  [batch, 19]
//   y  [batch, 19]
static NOINLINE void softsign1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                // softsign1
                v /= 1.0f + (v < 0.0f ? -v : v);
                y[n][m] = v;
            }
        }
    }
}

// softsign1: gradient through Softsign.
//
//   d_y  [batch, 19]
//   d_x  [batch, 19]
//   y    [batch, 19]  softsign1 computes its gradient from it
static NOINLINE void softsign1_backward(int batch, const float *restrict d_y_, float *restrict d_x_,
                                        const float *restrict y_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;
    const float (*y)[C] = (const float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = d_y[n][m];
                // softsign1
                {
                    const float value = y[n][m];
                    const float slope = 1.0f - (value < 0.0f ? -value : value);
                    v *= slope * slope;
                }
                d_x[n][m] = v;
            }
        }
    }
}
