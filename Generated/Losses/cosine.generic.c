#include <stdint.h>
#include <math.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif

// loss: cosine proximity, with the gradient.
//
//   x         [batch, 7]
//   expected  [batch, 7]
//   each      [batch]     sum over each row
//   d_x       [batch, 7]
static void loss_forward_backward(int batch, const float *restrict x_, const float *restrict expected_,
                                  float *restrict each_, float *restrict d_x_) {
    enum { K = 7, H = 1, W = 1 };  // features as one pixel
    enum { CELLS = 1 };  // pixels that are judged at once
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const float (*expected)[K][H][W] = (const float (*)[K][H][W])expected_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W] = (float (*)[K][H][W])d_x_;
    const float scale = 0.75f / (float)batch;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            double total = 0.0;
            float loss[CELLS];
            // loss
            float own[CELLS], aim[CELLS];  // squares of the lengths, then 1 over the lengths
            for (int i = 0; i < CELLS; i++) loss[i] = own[i] = aim[i] = 0.0f;
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h];
                for (int i = 0; i < CELLS; i++) {
                    const float p = score[i];
                    const float t = expected[n][k][h][i];
                    loss[i] -= p * t;
                    own[i] += p * p;
                    aim[i] += t * t;
                }
            }
            for (int i = 0; i < CELLS; i++) {
                own[i] = own[i] > 0.0f ? 1.0f / sqrtf(own[i]) : 0.0f;
                aim[i] = aim[i] > 0.0f ? 1.0f / sqrtf(aim[i]) : 0.0f;
                loss[i] *= own[i] * aim[i];
            }
            for (int i = 0; i < W; i++) total += loss[i];
            // loss
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h];
                float *slope = d_x[n][k][h];
                for (int i = 0; i < CELLS; i++) {
                    const float p = score[i] * own[i];
                    const float t = expected[n][k][h][i] * aim[i];
                    slope[i] = -scale * own[i] * (t + loss[i] * p);
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
