#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// multiply1: Multiply.
//
//   x1  [batch, 3, 1, 1]
//   x2  [batch, 3, 4, 3]
//   x3  [batch, 3, 4, 3]
//   y   [batch, 3, 4, 3]
static NOINLINE void multiply1_forward(int batch, const float *restrict x1_, const float *restrict x2_,
                                       const float *restrict x3_, float *restrict y_) {
    enum { C = 3, H = 4, W = 3 };
    const float (*x1)[C][1][1] = (const float (*)[C][1][1])x1_;
    const float (*x2)[C][H][W] = (const float (*)[C][H][W])x2_;
    const float (*x3)[C][H][W] = (const float (*)[C][H][W])x3_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = x1[n][m][0][0] * x2[n][m][h][w] * x3[n][m][h][w];
            }
        }
    }
}

// multiply1: gradient of input 1, summed over the map.
//
//   d_y   [batch, 3, 4, 3]
//   x2    [batch, 3, 4, 3]
//   x3    [batch, 3, 4, 3]
//   d_x1  [batch, 3, 1, 1]
static NOINLINE void multiply1_backward_1(int batch, const float *restrict d_y_, const float *restrict x2_,
                                          const float *restrict x3_, float *restrict d_x1_) {
    enum { C = 3, H = 4, W = 3 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*x2)[C][H][W] = (const float (*)[C][H][W])x2_;
    const float (*x3)[C][H][W] = (const float (*)[C][H][W])x3_;
    float (*d_x1)[C][1][1] = (float (*)[C][1][1])d_x1_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            float sum = 0.0f;
            for (int h = 0; h < H; h++)
                for (int w = 0; w < W; w++)
                    sum += d_y[n][m][h][w] * x2[n][m][h][w] * x3[n][m][h][w];
            d_x1[n][m][0][0] = sum;
        }
    }
}

// multiply1: gradient of input 2.
//
//   d_y   [batch, 3, 4, 3]
//   x1    [batch, 3, 1, 1]
//   x3    [batch, 3, 4, 3]
//   d_x2  [batch, 3, 4, 3]
static NOINLINE void multiply1_backward_2(int batch, const float *restrict d_y_, const float *restrict x1_,
                                          const float *restrict x3_, float *restrict d_x2_) {
    enum { C = 3, H = 4, W = 3 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*x1)[C][1][1] = (const float (*)[C][1][1])x1_;
    const float (*x3)[C][H][W] = (const float (*)[C][H][W])x3_;
    float (*d_x2)[C][H][W] = (float (*)[C][H][W])d_x2_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x2[n][m][h][w] = d_y[n][m][h][w] * x1[n][m][0][0] * x3[n][m][h][w];
            }
        }
    }
}

// multiply1: gradient of input 3.
//
//   d_y   [batch, 3, 4, 3]
//   x1    [batch, 3, 1, 1]
//   x2    [batch, 3, 4, 3]
//   d_x3  [batch, 3, 4, 3]
static NOINLINE void multiply1_backward_3(int batch, const float *restrict d_y_, const float *restrict x1_,
                                          const float *restrict x2_, float *restrict d_x3_) {
    enum { C = 3, H = 4, W = 3 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*x1)[C][1][1] = (const float (*)[C][1][1])x1_;
    const float (*x2)[C][H][W] = (const float (*)[C][H][W])x2_;
    float (*d_x3)[C][H][W] = (float (*)[C][H][W])d_x3_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x3[n][m][h][w] = d_y[n][m][h][w] * x1[n][m][0][0] * x2[n][m][h][w];
            }
        }
    }
}
