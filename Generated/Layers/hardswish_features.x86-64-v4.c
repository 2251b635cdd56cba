#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// hardswish1: HardSwish.
//
//   x  [batch, 19]
//   y  [batch, 19]
static NOINLINE void hardswish1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                // hardswish1
                v = v <= -3.0f ? 0.0f : v >= 3.0f ? v : v * (v + 3.0f) * 0.166666667f;
                y[n][m] = v;
            }
        }
    }
}

// hardswish1: gradient through HardSwish.
//
//   d_y  [batch, 19]
//   d_x  [batch, 19]
//   x    [batch, 19]  hardswish1 computes its gradient from it
static NOINLINE void hardswish1_backward(int batch, const float *restrict d_y_, float *restrict d_x_,
                                         const float *restrict x_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;
    const float (*x)[C] = (const float (*)[C])x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = d_y[n][m];
                // hardswish1
                {
                    const float value = x[n][m];
                    v = value <= -3.0f ? 0.0f : value >= 3.0f ? v : v * (value * 0.333333333f + 0.5f);
                }
                d_x[n][m] = v;
            }
        }
    }
}
