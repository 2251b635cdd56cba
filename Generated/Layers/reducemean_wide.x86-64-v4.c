#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// mean1: ReduceMean axes [2, 3].
//
//   x  [batch, 3, 2, 19]
//   y  [batch, 3, 1, 1]
static NOINLINE void mean1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 2, W = 19 };
    enum { STEP = 16 };  // columns at a time
    enum { COUNT = 38 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][1][1] = (float (*)[C][1][1])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            float sums[STEP] = {0};  // many at a time fill a vector
            for (int h = 0; h < H; h++) {
                for (int first = 0; first + STEP <= W; first += STEP) {
                    for (int j = 0; j < STEP; j++) {
                        const int w = first + j;
                        sums[j] += x[n][m][h][w];
                    }
                }
                for (int w = W / STEP * STEP; w < W; w++) sums[0] += x[n][m][h][w];
            }
            float sum = 0.0f;
            for (int j = 0; j < STEP; j++) sum += sums[j];
            y[n][m][0][0] = sum / (float)COUNT;
        }
    }
}

// mean1: gradient of the input.
//
//   d_y  [batch, 3, 1, 1]
//   d_x  [batch, 3, 2, 19]
static NOINLINE void mean1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 2, W = 19 };
    enum { COUNT = 38 };
    const float (*d_y)[C][1][1] = (const float (*)[C][1][1])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][0][0] * (1.0f / (float)COUNT);
            }
        }
    }
}
