#include <stdint.h>

// loss: squared error, with the gradient.
//
//   x         [batch, 7]
//   expected  [batch, 7]
//   each      [batch]     sum over each row
//   d_x       [batch, 7]
static void loss_forward_backward(int batch, const float *restrict x_, const float *restrict expected_,
                                  float *restrict each_, float *restrict d_x_) {
    enum { K = 1, H = 1, W = 7 };  // features stand in one row
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const float (*expected)[K][H][W] = (const float (*)[K][H][W])expected_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W] = (float (*)[K][H][W])d_x_;
    const float scale = 0.75f / ((float)batch * 7.0f);

    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            double total = 0.0;
            for (int k = 0; k < K; k++) {
                float loss[W];
                for (int w = 0; w < W; w++) {
                    const float p = x[n][k][h][w], t = expected[n][k][h][w];
                    // loss
                    const float difference = p - t;
                    const float value = difference * difference, slope = 2.0f * difference;
                    loss[w] = value;
                    d_x[n][k][h][w] = scale * slope;
                }
                for (int w = 0; w < W; w++) total += loss[w];
            }
            each[n][h] = (float)total;
        }
    }
}

// loss: sum over the rows, mean over the batch.
//
//   each  [batch]
//   loss  [1]
static void loss_mean(int batch, const float *restrict each, float *restrict loss) {
    double sum = 0.0;
    for (int n = 0; n < batch; n++) sum += each[n];
    loss[0] = (float)(sum / ((double)batch * 7.0));
}
