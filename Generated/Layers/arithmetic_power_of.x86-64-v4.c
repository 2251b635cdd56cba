#include <stdint.h>
#include <math.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// The slope of a^b by a; 0 for the power 0, also at a = 0.
static inline float power_base_float(float a, float b) {
    return b == 0.0f ? 0.0f : b * powf(a, b - 1.0f);
}

// arithmetic1: Arithmetic power, constants 1x1.
//
//   x      [batch, 3, 1, 9]
//   value  [1, 1]            constants
//   y      [batch, 3, 1, 9]
static NOINLINE void arithmetic1_forward(int batch, const float *restrict x_, const float *restrict value_,
                                         float *restrict y_) {
    enum { C = 3, H = 1, W = 9 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*value)[1] = (const float (*)[1])value_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][0][w] = powf(x[n][m][0][w], value[0][0]);
            }
        }
    }
}

// arithmetic1: gradient of the input.
//
//   d_y    [batch, 3, 1, 9]
//   x      [batch, 3, 1, 9]
//   value  [1, 1]            constants
//   d_x    [batch, 3, 1, 9]
static NOINLINE void arithmetic1_backward(int batch, const float *restrict d_y_, const float *restrict x_,
                                          const float *restrict value_, float *restrict d_x_) {
    enum { C = 3, H = 1, W = 9 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*value)[1] = (const float (*)[1])value_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++)
                    d_x[n][m][0][w] = d_y[n][m][0][w] * power_base_float(x[n][m][0][w], value[0][0]);
            }
        }
    }
}
