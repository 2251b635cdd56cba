#include <stdint.h>
#include <math.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

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

// softmax1: Softmax.
//
//   x  [batch, 140, 1, 9]
//   y  [batch, 140, 1, 9]
static NOINLINE void softmax1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 140, H = 1, W = 9 };
    enum { PIECE = 9 };  // columns at a time
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) for (int h = 0; h < H; h++) {
        for (int w0 = 0; w0 < W; w0 += PIECE) {
            const int cells = PIECE;
            float largest[PIECE], sum[PIECE];
            for (int i = 0; i < cells; i++) {
                largest[i] = -INFINITY;
                sum[i] = 0.0f;
            }
            for (int k = 0; k < C; k++) {
                const float *score = &x[n][k][h][w0];
                for (int i = 0; i < cells; i++) largest[i] = score[i] > largest[i] ? score[i] : largest[i];
            }
            for (int k = 0; k < C; k++) {
                const float *score = &x[n][k][h][w0];
                float *share = &y[n][k][h][w0];
                for (int i = 0; i < cells; i++) {
                    share[i] = exp_float(score[i] - largest[i]);
                    sum[i] += share[i];
                }
            }
            for (int i = 0; i < cells; i++) sum[i] = 1.0f / sum[i];
            for (int k = 0; k < C; k++) {
                float *share = &y[n][k][h][w0];
                for (int i = 0; i < cells; i++) share[i] *= sum[i];
            }
        }
    }
}

// softmax1: gradient of the input.
//
//   y    [batch, 140, 1, 9]
//   d_y  [batch, 140, 1, 9]
//   d_x  [batch, 140, 1, 9]
static NOINLINE void softmax1_backward(int batch, const float *restrict y_, const float *restrict d_y_,
                                       float *restrict d_x_) {
    enum { C = 140, H = 1, W = 9 };
    enum { PIECE = 9 };  // columns at a time
    const float (*y)[C][H][W] = (const float (*)[C][H][W])y_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) for (int h = 0; h < H; h++) {
        for (int w0 = 0; w0 < W; w0 += PIECE) {
            const int cells = PIECE;
            float sum[PIECE];
            for (int i = 0; i < cells; i++) sum[i] = 0.0f;
            for (int k = 0; k < C; k++) {
                const float *d_after = &d_y[n][k][h][w0];
                const float *share = &y[n][k][h][w0];
                for (int i = 0; i < cells; i++) sum[i] += d_after[i] * share[i];
            }
            for (int k = 0; k < C; k++) {
                const float *d_after = &d_y[n][k][h][w0];
                float *d_before = &d_x[n][k][h][w0];
                const float *share = &y[n][k][h][w0];
                for (int i = 0; i < cells; i++) d_before[i] = share[i] * (d_after[i] - sum[i]);
            }
        }
    }
}
