#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// multiply1: Multiply.
//
//   x1  [batch, 4, 1, 1]
//   x2  [batch, 4, 1, 9]
//   y   [batch, 4, 1, 9]
static NOINLINE void multiply1_forward(int batch, const float *restrict x1_, const float *restrict x2_,
                                       float *restrict y_) {
    enum { C = 4, H = 1, W = 9 };
    const float (*x1)[C][H][1] = (const float (*)[C][H][1])x1_;
    const float (*x2)[C][H][W] = (const float (*)[C][H][W])x2_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][0][w] = x1[n][m][0][0] * x2[n][m][0][w];
            }
        }
    }
}

// multiply1: gradient of input 1, summed over the map.
//
//   d_y   [batch, 4, 1, 9]
//   x2    [batch, 4, 1, 9]
//   d_x1  [batch, 4, 1, 1]
static NOINLINE void multiply1_backward_1(int batch, const float *restrict d_y_, const float *restrict x2_,
                                          float *restrict d_x1_) {
    enum { C = 4, H = 1, W = 9 };
    enum { STEP = 8 };  // columns at a time
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*x2)[C][H][W] = (const float (*)[C][H][W])x2_;
    float (*d_x1)[C][H][1] = (float (*)[C][H][1])d_x1_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            float sums[STEP] = {0};  // many at a time fill a vector
            for (int first = 0; first + STEP <= W; first += STEP) {
                for (int j = 0; j < STEP; j++) {
                    const int w = first + j;
                    sums[j] += d_y[n][m][0][w] * x2[n][m][0][w];
                }
            }
            for (int w = W / STEP * STEP; w < W; w++) sums[0] += d_y[n][m][0][w] * x2[n][m][0][w];
            float sum = 0.0f;
            for (int j = 0; j < STEP; j++) sum += sums[j];
            d_x1[n][m][0][0] = sum;
        }
    }
}

// multiply1: gradient of input 2.
//
//   d_y   [batch, 4, 1, 9]
//   x1    [batch, 4, 1, 1]
//   d_x2  [batch, 4, 1, 9]
static NOINLINE void multiply1_backward_2(int batch, const float *restrict d_y_, const float *restrict x1_,
                                          float *restrict d_x2_) {
    enum { C = 4, H = 1, W = 9 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*x1)[C][H][1] = (const float (*)[C][H][1])x1_;
    float (*d_x2)[C][H][W] = (float (*)[C][H][W])d_x2_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x2[n][m][0][w] = d_y[n][m][0][w] * x1[n][m][0][0];
            }
        }
    }
}
