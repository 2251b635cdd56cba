#include <stdint.h>
#include <math.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif

// loss: hinge loss of Crammer and Singer, with the gradient.
//
//   x      [batch, 7]
//   label  [batch]
//   each   [batch]     sum over each row
//   d_x    [batch, 7]
static void loss_forward_backward(int batch, const float *restrict x_, const int32_t *restrict label_,
                                  float *restrict each_, float *restrict d_x_) {
    enum { K = 7, H = 1, W = 1 };  // features as one pixel
    enum { CELLS = 1 };  // pixels that are judged at once
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const int32_t (*label)[H][W] = (const int32_t (*)[H][W])label_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W] = (float (*)[K][H][W])d_x_;
    const float scale = 0.75f / (float)batch;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            double total = 0.0;
            int32_t wanted[CELLS];
            for (int i = 0; i < CELLS; i++) wanted[i] = label[n][h][i];
            float loss[CELLS];
            // loss
            float own[CELLS], best[CELLS];
            int32_t rival[CELLS];  // the highest of the other classes
            for (int i = 0; i < CELLS; i++) {
                own[i] = 0.0f;
                best[i] = -INFINITY;
                rival[i] = -1;
            }
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h];
                for (int i = 0; i < CELLS; i++) {
                    const int is_own = k == wanted[i];
                    const int is_better = !is_own && (score[i] > best[i] || score[i] != score[i]);
                    own[i] = is_own ? score[i] : own[i];
                    best[i] = is_better ? score[i] : best[i];
                    rival[i] = is_better ? k : rival[i];
                }
            }
            for (int i = 0; i < CELLS; i++) {
                const float gap = 1.0f + best[i] - own[i];
                loss[i] = gap < 0.0f ? 0.0f : gap;
            }
            for (int i = 0; i < W; i++) total += loss[i];
            // loss
            for (int k = 0; k < K; k++) {
                float *slope = d_x[n][k][h];
                for (int i = 0; i < CELLS; i++) {
                    const float side = k == wanted[i] ? -1.0f : k == rival[i] ? 1.0f : 0.0f;
                    slope[i] = loss[i] > 0.0f ? scale * side : 0.0f;
                }
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
