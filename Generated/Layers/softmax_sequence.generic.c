#include <stdint.h>
#include <math.h>
#include <string.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

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

// softmax1: Softmax, axis 2.
//
//   x  [batch, 3, 1, 11]
//   y  [batch, 3, 1, 11]
static void softmax1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 1, W = 11 };
    enum { STEP = 8 };  // places at a time
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    OMP(omp for collapse(3) schedule(static) nowait)
    for (int n = 0; n < batch; n++) for (int m = 0; m < C; m++) for (int h = 0; h < H; h++) {
        const float *score = x[n][m][h];
        float larger[STEP], sums[STEP] = {0};  // many at a time fill a vector
        for (int j = 0; j < STEP; j++) larger[j] = -INFINITY;
        for (int k = 0; k + STEP <= W; k += STEP)
            for (int j = 0; j < STEP; j++) larger[j] = score[k + j] > larger[j] ? score[k + j] : larger[j];
        for (int k = W / STEP * STEP; k < W; k++) larger[0] = MAX(score[k], larger[0]);
        float largest = larger[0];
        for (int j = 1; j < STEP; j++) largest = MAX(larger[j], largest);
        float *share = y[n][m][h];
        for (int k = 0; k < W; k++) share[k] = exp_float(score[k] - largest);
        for (int k = 0; k + STEP <= W; k += STEP)
            for (int j = 0; j < STEP; j++) sums[j] += share[k + j];
        for (int k = W / STEP * STEP; k < W; k++) sums[0] += share[k];
        for (int j = 1; j < STEP; j++) sums[0] += sums[j];
        const float factor = 1.0f / sums[0];
        for (int k = 0; k < W; k++) share[k] *= factor;
    }
}

// softmax1: gradient of the input.
//
//   y    [batch, 3, 1, 11]
//   d_y  [batch, 3, 1, 11]
//   d_x  [batch, 3, 1, 11]
static void softmax1_backward(int batch, const float *restrict y_, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 1, W = 11 };
    enum { STEP = 8 };  // places at a time
    const float (*y)[C][H][W] = (const float (*)[C][H][W])y_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) for (int m = 0; m < C; m++) for (int h = 0; h < H; h++) {
        const float *d_after = d_y[n][m][h];
        float *d_before = d_x[n][m][h];
        float sums[STEP] = {0};  // many at a time fill a vector
        const float *share = y[n][m][h];
        for (int k = 0; k + STEP <= W; k += STEP)
            for (int j = 0; j < STEP; j++) sums[j] += d_after[k + j] * share[k + j];
        for (int k = W / STEP * STEP; k < W; k++) sums[0] += d_after[k] * share[k];
        for (int j = 1; j < STEP; j++) sums[0] += sums[j];
        for (int k = 0; k < W; k++) d_before[k] = share[k] * (d_after[k] - sums[0]);
    }
}
