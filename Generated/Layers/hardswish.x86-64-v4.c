#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// hardswish1: HardSwish.
//
//   x  [batch, 2, 5, 7]
//   y  [batch, 2, 5, 7]
static NOINLINE void hardswish1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // hardswish1
                    v = v <= -3.0f ? 0.0f : v >= 3.0f ? v : v * (v + 3.0f) * 0.166666667f;
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// hardswish1: gradient through HardSwish.
//
//   d_y  [batch, 2, 5, 7]
//   d_x  [batch, 2, 5, 7]
//   x    [batch, 2, 5, 7]  hardswish1 computes its gradient from it
static NOINLINE void hardswish1_backward(int batch, const float *restrict d_y_, float *restrict d_x_,
                                         const float *restrict x_) {
    enum { C = 2, H = 5, W = 7 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = d_y[n][m][h][w];
                    // hardswish1
                    {
                        const float value = x[n][m][h][w];
                        v = value <= -3.0f ? 0.0f : value >= 3.0f ? v : v * (value * 0.333333333f + 0.5f);
                    }
                    d_x[n][m][h][w] = v;
                }
            }
        }
    }
}
