#include <stdint.h>

// loss: hinge loss, with the gradient.
//
//   x      [batch, 1]
//   label  [batch, 1]
//   each   [batch]     sum over each row
//   d_x    [batch, 1]
static void loss_forward_backward(int batch, const float *restrict x_, const int32_t *restrict label_,
                                  float *restrict each_, float *restrict d_x_) {
    enum { K = 1, H = 1, W = 1 };  // features stand in one row
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const int32_t (*label)[K][H][W] = (const int32_t (*)[K][H][W])label_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W] = (float (*)[K][H][W])d_x_;
    const float scale = 0.75f / (float)batch;

    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            double total = 0.0;
            for (int k = 0; k < K; k++) {
                float loss[W];
                for (int w = 0; w < W; w++) {
                    const float p = x[n][k][h][w], t = (float)label[n][k][h][w];
                    // loss
                    const float side = 2.0f * t - 1.0f, gap = 1.0f - side * p;
                    const float value = gap < 0.0f ? 0.0f : gap, slope = gap > 0.0f ? -side : 0.0f;
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
    loss[0] = (float)(sum / batch);
}
