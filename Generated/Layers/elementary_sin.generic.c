#include <stdint.h>
#include <math.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif

// elementary1: Elementary sin.
//
//   x  [batch, 32, 3, 5]
//   y  [batch, 32, 3, 5]
static void elementary1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 32, H = 3, W = 5 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = sinf(x[n][m][h][w]);
            }
        }
    }
}

// elementary1: gradient of the input.
//
//   d_y  [batch, 32, 3, 5]
//   x    [batch, 32, 3, 5]
//   d_x  [batch, 32, 3, 5]
static void elementary1_backward(int batch, const float *restrict d_y_, const float *restrict x_,
                                 float *restrict d_x_) {
    enum { C = 32, H = 3, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = d_y[n][m][h][w] * cosf(x[n][m][h][w]);
            }
        }
    }
}
