#include <stdint.h>

// offset0: PositionBias.
// The same for positionbias1.
//
//   x     [batch, 2, 5, 7]
//   bias  [2, 5, 7]
//   y     [batch, 2, 5, 7]
static void offset0_forward(int batch, const float *restrict x_, const float *restrict bias_, float *restrict y_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*bias)[H][W] = (const float (*)[H][W])bias_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int m = 0; m < C; m++) {  // outside, so that a map's biases are read once
        for (int n = 0; n < batch; n++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x[n][m][h][w] + bias[m][h][w];
            }
        }
    }
}

// positionbias1: gradient of the bias: the sum over the images.
// The same for offset0.
//
//   d_y     [batch, 2, 5, 7]
//   d_bias  [2, 5, 7]
static void positionbias1_backward_bias(int batch, int accumulate, const float *restrict d_y_,
                                        float *restrict d_bias_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_bias)[H][W] = (float (*)[H][W])d_bias_;

    for (int m = 0; m < C; m++) {
        for (int h = 0; h < H; h++) {
            float sums[W] = {0};
            for (int n = 0; n < batch; n++)
                for (int w = 0; w < W; w++) sums[w] += d_y[n][m][h][w];
            for (int w = 0; w < W; w++)
                d_bias[m][h][w] = (accumulate ? d_bias[m][h][w] : 0.0f) + sums[w];
        }
    }
}

// positionbias1: gradient of the input: the output's.
//
//   d_y  [batch, 2, 5, 7]
//   d_x  [batch, 2, 5, 7]
static void positionbias1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = d_y[n][m][h][w];
                    d_x[n][m][h][w] = v;
                }
            }
        }
    }
}
