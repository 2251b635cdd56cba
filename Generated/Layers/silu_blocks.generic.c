#include <stdint.h>
#include <string.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif

// e^x for x up to 88, within 2 units in the last place; below -87.7 it is 0. NaN passes through.
static inline float exp_float(float x) {
    const float least = x < -88.0f ? -88.0f : x, near = least > 88.0f ? 88.0f : least;
    const float shifted = near * 1.44269504f + 12583039.0f;  // 1.5 * 2^23 + 127: the last bits are power + 127
    const float power = shifted - 12583039.0f;
    const float r = (near - power * 0.693359375f) + power * 2.12194440e-4f;  // ln 2 in two parts: r is exact
    float sum = 1.38145400e-3f * r + 8.36874514e-3f;
    sum = sum * r + 4.16683908e-2f;
    sum = sum * r + 0.166665204f;
    sum = sum * r + 0.499999934f;
    sum = sum * r + 1.0f;
    sum = sum * r + 1.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits <<= 23;
    float scale;  // 2^power, or 0 where that is -127
    memcpy(&scale, &bits, sizeof scale);
    return sum * scale;
}

// silu1: SiLU.
//
//   x  [batch, 32, 3, 5]
//   y  [batch, 32, 3, 5]
static void silu1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 32, H = 3, W = 5 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // silu1
                    v = v < -88.0f ? -88.0f : v;
                    v /= 1.0f + exp_float(-v);
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// silu1: gradient through SiLU.
//
//   d_y  [batch, 32, 3, 5]
//   d_x  [batch, 32, 3, 5]
//   x    [batch, 32, 3, 5]  silu1 computes its gradient from it
static void silu1_backward(int batch, const float *restrict d_y_, float *restrict d_x_, const float *restrict x_) {
    enum { C = 32, H = 3, W = 5 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;

    OMP(omp for collapse(2) schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = d_y[n][m][h][w];
                    // silu1
                    {
                        const float value = x[n][m][h][w] < -88.0f ? -88.0f : x[n][m][h][w];
                        const float sigmoid = 1.0f / (1.0f + exp_float(-value));
                        v *= sigmoid * (1.0f + value * (1.0f - sigmoid));
                    }
                    d_x[n][m][h][w] = v;
                }
            }
        }
    }
}
