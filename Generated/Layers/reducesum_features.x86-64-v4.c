#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// sum1: ReduceSum axes [1].
//
//   x  [batch, 7]
//   y  [batch, 1]
static NOINLINE void sum1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 7 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[1] = (float (*)[1])y_;

    for (int n = 0; n < batch; n++) {
        float sum = 0.0f;
        for (int m = 0; m < C; m++)
            sum += x[n][m];
        y[n][0] = sum;
    }
}

// sum1: gradient of the input.
//
//   d_y  [batch, 1]
//   d_x  [batch, 7]
static NOINLINE void sum1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 7 };
    const float (*d_y)[1] = (const float (*)[1])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            d_x[n][m] = d_y[n][0];
        }
    }
}
