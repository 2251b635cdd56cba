#include <stdint.h>
#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// loss: squared error, with the gradient.
//
//   x         [batch, 1500]
//   expected  [batch, 1500]
//   each      [batch]        sum over each row
//   d_x       [batch, 1500]
static void loss_forward_backward(int batch, const float *restrict x_, const float *restrict expected_,
                                  float *restrict each_, float *restrict d_x_) {
    enum { K = 1, H = 1, W = 1500 };  // features stand in one row
    enum { PIECE = 1024 };  // columns
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const float (*expected)[K][H][W] = (const float (*)[K][H][W])expected_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W] = (float (*)[K][H][W])d_x_;
    const float scale = 0.75f / ((float)batch * 1500.0f);

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            double total = 0.0;
            for (int k = 0; k < K; k++) {
                for (int first = 0; first < W; first += PIECE) {
                    const int end = MIN(first + PIECE, W);
                    float loss[PIECE];
                    for (int w = first; w < end; w++) {
                        const float p = x[n][k][h][w], t = expected[n][k][h][w];
                        // loss
                        const float difference = p - t;
                        const float value = difference * difference, slope = 2.0f * difference;
                        loss[w - first] = value;
                        d_x[n][k][h][w] = scale * slope;
                    }
                    for (int w = first; w < end; w++) total += loss[w - first];
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
    loss[0] = (float)(sum / ((double)batch * 1500.0));
}
