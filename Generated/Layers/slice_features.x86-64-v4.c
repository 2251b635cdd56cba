#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// slice1: Slice axis 1, 3..<20.
//
//   x  [batch, 40]
//   y  [batch, 17]
static NOINLINE void slice1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 17 };
    enum { FIRST = 3 };  // first cell of the part
    const float (*x)[40] = (const float (*)[40])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            y[n][m] = x[n][FIRST + m];
        }
    }
}

// slice1: gradient of the input.
//
//   d_y  [batch, 17]
//   d_x  [batch, 40]
static NOINLINE void slice1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 40 };
    enum { FIRST = 3 };  // first cell of the part
    const float (*d_y)[17] = (const float (*)[17])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            d_x[n][m] = 0.0f;
            if (m < FIRST || m >= 20) continue;
            d_x[n][m] = d_y[n][m - FIRST];
        }
    }
}
