#include <stdint.h>

// Sum of products of a and every stride-th element of b, in eight running sums: the same order on every machine, and
// wide enough for vectors.
static float dot(const float *a, const float *b, int count, int stride) {
    float sums[8] = {0};
    int i = 0;
    if (stride == 1) {
        for (; i + 8 <= count; i += 8)
            for (int j = 0; j < 8; j++) sums[j] += a[i + j] * b[i + j];
    }
    for (; i < count; i++) sums[i % 8] += a[i] * b[i * stride];
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

// dense1: Dense, no bias.
//
//   x       [batch, 33]
//   weight  [19, 33]
//   y       [batch, 19]
static void dense1_forward(int batch, const float *restrict x_, const float *restrict weight_, float *restrict y_) {
    enum { F = 33, K = 19 };  // features, outputs
    const float (*x)[F] = (const float (*)[F])x_;
    const float (*weight)[F] = (const float (*)[F])weight_;
    float (*y)[K] = (float (*)[K])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < K; m++) {
            float v = dot(weight[m], x[n], F, 1);
            y[n][m] = v;
        }
    }
}

// dense1: gradient of the weight.
//
//   x         [batch, 33]
//   d_y       [batch, 19]
//   d_weight  [19, 33]
static void dense1_backward_weight(int batch, int accumulate, const float *restrict x_, const float *restrict d_y_,
                                   float *restrict d_weight_) {
    enum { F = 33, K = 19 };  // features, outputs
    const float (*x)[F] = (const float (*)[F])x_;
    const float (*d_y)[K] = (const float (*)[K])d_y_;
    float (*d_weight)[F] = (float (*)[F])d_weight_;

    for (int m = 0; m < K; m++) {
        if (!accumulate) {
            for (int f = 0; f < F; f++) d_weight[m][f] = 0.0f;
        }
        for (int n = 0; n < batch; n++) {
            float v = d_y[n][m];
            for (int f = 0; f < F; f++) d_weight[m][f] += v * x[n][f];
        }
    }
}

// dense1: gradient of the input.
//
//   weight  [19, 33]
//   d_y     [batch, 19]
//   d_x     [batch, 33]
static void dense1_backward_data(int batch, const float *restrict weight_, const float *restrict d_y_,
                                 float *restrict d_x_) {
    enum { F = 33, K = 19 };  // features, outputs
    const float (*weight)[F] = (const float (*)[F])weight_;
    const float (*d_y)[K] = (const float (*)[K])d_y_;
    float (*d_x)[F] = (float (*)[F])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int f = 0; f < F; f++) d_x[n][f] = 0.0f;
        for (int m = 0; m < K; m++) {
            float v = d_y[n][m];
            for (int f = 0; f < F; f++) d_x[n][f] += v * weight[m][f];
        }
    }
}
