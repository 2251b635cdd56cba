#include <stdint.h>
#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif

// tanh v = v * tanh_above_float(v * v) / tanh_below_float(v * v) for v from -9 to 9.
static inline float tanh_above_float(float q) {
    return (((1.33549126e-8f * q + 2.06092835e-5f) * q + 3.49560127e-3f) * q + 0.13381037f) * q + 0.99999998f;
}

static inline float tanh_below_float(float q) {
    return (((7.77666690e-7f * q + 3.28565566e-4f) * q + 2.58770332e-2f) * q + 0.467143526f) * q + 1.0f;
}

// e^x - 1 for x of at most 0, within 5 units in the last place: 2 tanh(x / 2) / (1 - tanh(x / 2)). NaN passes through.
static inline float expm1_float(float x) {
    const float v = x < -18.0f ? -9.0f : 0.5f * x;
    const float odd = v * tanh_above_float(v * v);
    return 2.0f * odd / (tanh_below_float(v * v) - odd);
}

// selu1: SELU.
//
//   x  [batch, 32, 3, 5]
//   y  [batch, 32, 3, 5]
static void selu1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 32, H = 3, W = 5 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // selu1
                    v = v < 0.0f ? 1.75809934f * expm1_float(v) : 1.05070099f * v;
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// selu1: gradient through SELU.
//
//   d_y  [batch, 32, 3, 5]
//   d_x  [batch, 32, 3, 5]
//   y    [batch, 32, 3, 5]  selu1 computes its gradient from it
static void selu1_backward(int batch, const float *restrict d_y_, float *restrict d_x_, const float *restrict y_) {
    enum { C = 32, H = 3, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;
    const float (*y)[C][H][W] = (const float (*)[C][H][W])y_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = d_y[n][m][h][w];
                    // selu1
                    v *= y[n][m][h][w] > 0.0f ? 1.05070099f : y[n][m][h][w] + 1.75809934f;
                    d_x[n][m][h][w] = v;
                }
            }
        }
    }
}
