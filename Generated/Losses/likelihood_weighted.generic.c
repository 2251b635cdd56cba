#include <stdint.h>
#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif

// loss: negative log-likelihood of log-probabilities, with the gradient.
//
//   x        [batch, 3, 5, 7]
//   label    [batch, 5, 7]
//   weights  [batch, 5, 7]
//   each     [batch, 5]        sum over each row
//   d_x      [batch, 3, 5, 7]
static void loss_forward_backward(int batch, const float *restrict x_, const int32_t *restrict label_,
                                  const float *restrict weights_, float *restrict each_, float *restrict d_x_) {
    enum { K = 3, H = 5, W = 7 };
    enum { CELLS = 7 };  // pixels that are judged at once
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const int32_t (*label)[H][W] = (const int32_t (*)[H][W])label_;
    const float (*weights)[H][W] = (const float (*)[H][W])weights_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W] = (float (*)[K][H][W])d_x_;
    static const float class_weight[K] = {
        1.0f, 0.5f, 2.0f
    };
    const float scale = 0.75f / ((float)batch * 35.0f);

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            double total = 0.0;
            int32_t wanted[CELLS];
            for (int i = 0; i < CELLS; i++) wanted[i] = label[n][h][i];
            float weight[CELLS];
            for (int i = 0; i < CELLS; i++) weight[i] = weights[n][h][i];
            float loss[CELLS];
            // loss
            for (int i = 0; i < CELLS; i++) loss[i] = 0.0f;
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h];
                for (int i = 0; i < CELLS; i++) {
                    const float share = class_weight[k] * (k == wanted[i] ? 1.0f : 0.0f);
                    loss[i] -= share * score[i];
                }
            }
            for (int i = 0; i < W; i++) total += weight[i] * loss[i];
            // loss
            for (int k = 0; k < K; k++) {
                float *slope = d_x[n][k][h];
                for (int i = 0; i < CELLS; i++) {
                    const float share = class_weight[k] * (k == wanted[i] ? 1.0f : 0.0f);
                    slope[i] = -scale * weight[i] * share;
                }
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
