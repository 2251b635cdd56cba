#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// clip1: Clip -0.5...0.75.
//
//   x  [batch, 19]
//   y  [batch, 19]
static NOINLINE void clip1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                // clip1
                v = v < -0.5f ? -0.5f : v > 0.75f ? 0.75f : v;
                y[n][m] = v;
            }
        }
    }
}

// clip1: gradient through Clip -0.5...0.75.
//
//   d_y  [batch, 19]
//   d_x  [batch, 19]
//   y    [batch, 19]  clip1 lets gradients through where it lies between its bounds
static NOINLINE void clip1_backward(int batch, const float *restrict d_y_, float *restrict d_x_,
                                    const float *restrict y_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;
    const float (*y)[C] = (const float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = d_y[n][m];
                // clip1
                v = y[n][m] > -0.5f && y[n][m] < 0.75f ? v : 0.0f;
                d_x[n][m] = v;
            }
        }
    }
}
