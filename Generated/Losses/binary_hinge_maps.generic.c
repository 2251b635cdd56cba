#include <stdint.h>

// loss: hinge loss, with the gradient.
//
//   x        [batch, 1, 5, 7]
//   label    [batch, 1, 5, 7]
//   weights  [batch, 5, 7]
//   each     [batch, 5]        sum over each row
//   d_x      [batch, 1, 5, 7]
static void loss_forward_backward(int batch, const float *restrict x_, const int32_t *restrict label_,
                                  const float *restrict weights_, float *restrict each_, float *restrict d_x_) {
    enum { K = 1, H = 5, W = 7 };
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const int32_t (*label)[K][H][W] = (const int32_t (*)[K][H][W])label_;
    const float (*weights)[H][W] = (const float (*)[H][W])weights_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W] = (float (*)[K][H][W])d_x_;
    const float scale = 0.75f / ((float)batch * 35.0f);

    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            double total = 0.0;
            for (int k = 0; k < K; k++) {
                float loss[W];
                for (int w = 0; w < W; w++) {
                    const float p = x[n][k][h][w], t = (float)label[n][k][h][w];
                    // loss
                    const float side = 2.0f * t - 1.0f, gap = 0.5f - side * p;
                    const float value = gap < 0.0f ? 0.0f : gap, slope = gap > 0.0f ? -side : 0.0f;
                    loss[w] = weights[n][h][w] * value;
                    d_x[n][k][h][w] = scale * weights[n][h][w] * slope;
                }
                for (int w = 0; w < W; w++) total += loss[w];
            }
            each[n][h] = (float)total;
        }
    }
}

// loss: sum over the rows, mean over the batch.
//
//   each  [batch, 5]
//   loss  [1]
static void loss_mean(int batch, const float *restrict each, float *restrict loss) {
    double sum = 0.0;
    for (int n = 0; n < batch * 5; n++) sum += each[n];
    loss[0] = (float)(sum / ((double)batch * 35.0));
}
