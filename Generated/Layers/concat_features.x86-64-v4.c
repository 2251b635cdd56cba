#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// concat1: Concat, input 1.
//
//   x  [batch, 3]
//   y  [batch, 20]
static NOINLINE void concat1_forward_1(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[20] = (float (*)[20])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                y[n][m] = v;
            }
        }
    }
}

// concat1: Concat, input 2.
//
//   x  [batch, 17]
//   y  [batch, 20]
static NOINLINE void concat1_forward_2(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 17 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[20] = (float (*)[20])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                y[n][m] = v;
            }
        }
    }
}

// concat1: gradient of input 1.
//
//   d_y  [batch, 20]
//   d_x  [batch, 3]
static NOINLINE void concat1_backward_1(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3 };
    const float (*d_y)[20] = (const float (*)[20])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = d_y[n][m];
                d_x[n][m] = v;
            }
        }
    }
}

// concat1: gradient of input 2.
//
//   d_y  [batch, 20]
//   d_x  [batch, 17]
static NOINLINE void concat1_backward_2(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 17 };
    const float (*d_y)[20] = (const float (*)[20])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = d_y[n][m];
                d_x[n][m] = v;
            }
        }
    }
}
