#include <stdint.h>

// offset0: PositionBias.
// The same for positionbias1.
//
//   x     [batch, 19]
//   bias  [19]
//   y     [batch, 19]
static void offset0_forward(int batch, const float *restrict x_, const float *restrict bias, float *restrict y_) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int m = 0; m < C; m++) {  // outside, so that a map's biases are read once
        for (int n = 0; n < batch; n++) {
            y[n][m] = x[n][m] + bias[m];
        }
    }
}

// positionbias1: gradient of the bias: the sum over the images.
// The same for offset0.
//
//   d_y     [batch, 19]
//   d_bias  [19]
static void positionbias1_backward_bias(int batch, int accumulate, const float *restrict d_y_, float *restrict d_bias) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;

    for (int m = 0; m < C; m++) {
        {
            float sum = 0.0f;
            for (int n = 0; n < batch; n++) sum += d_y[n][m];
            d_bias[m] = (accumulate ? d_bias[m] : 0.0f) + sum;
        }
    }
}

// positionbias1: gradient of the input: the output's.
//
//   d_y  [batch, 19]
//   d_x  [batch, 19]
static void positionbias1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
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
