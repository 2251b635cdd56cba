#include <stdint.h>
#include <string.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// x^-0.75 for normal x above 0, within 2 units in the last place; NaN passes through. Without a call, so that loops
// become vectors.
static inline float inverse_power_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = 0x6f14e000u - (bits - (bits >> 2));
    float power;
    memcpy(&power, &bits, sizeof power);  // within 4.5 %
    for (int step = 0; step < 2; step++) {
        const float root = x * power;  // x^0.25
        const float off = 1.0f - root * root * (root * power);
        power += power * off * (0.25f + 0.15625f * off);  // of (1 - off)^-1/4 the first powers
    }
    return power;
}

// lrn1: LocalResponseNorm over 5 channels.
//
//   x  [batch, 4, 1, 517]
//   y  [batch, 4, 1, 517]
static void lrn1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 4, H = 1, W = 517 };
    enum { PIECE = 256 };  // columns at a time
    enum { HALF = 2, SIZE = 5 };  // channels of a window
    enum { CHANNEL = 517 };  // floats from one channel to the next
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    OMP(omp for collapse(3) schedule(static) nowait)
    for (int n = 0; n < batch; n++) for (int h = 0; h < H; h++) {
        for (int w0 = 0; w0 < W; w0 += PIECE) {
            const int cells = MIN(PIECE, W - w0);
            for (int k = 0; k < C; k++) {
                const float *value = &x[n][k][h][w0];
                float *result = &y[n][k][h][w0];
                if (k >= HALF && k < C - HALF) {
                    for (int i = 0; i < cells; i++) {
                        float sum = 0.0f;
                        for (int d = -HALF; d <= HALF; d++) {
                            const float neighbour = value[i + d * CHANNEL];
                            sum += neighbour * neighbour;
                        }
                        const float s = 1.0f + 0.1f * sum;
                        const float factor = inverse_power_float(s);
                        result[i] = value[i] * factor;
                    }
                    continue;
                }
                float sum[PIECE];
                for (int i = 0; i < cells; i++) sum[i] = 0.0f;
                for (int j = MAX(0, k - HALF); j < MIN(C, k + HALF + 1); j++) {
                    const float *neighbour = &x[n][j][h][w0];
                    for (int i = 0; i < cells; i++) sum[i] += neighbour[i] * neighbour[i];
                }
                for (int i = 0; i < cells; i++) {
                    const float s = 1.0f + 0.1f * sum[i];
                    const float factor = inverse_power_float(s);
                    result[i] = value[i] * factor;
                }
            }
        }
    }
}

// lrn1: gradient of the input.
//
//   x    [batch, 4, 1, 517]
//   d_y  [batch, 4, 1, 517]
//   d_x  [batch, 4, 1, 517]
static void lrn1_backward(int batch, const float *restrict x_, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 4, H = 1, W = 517 };
    enum { PIECE = 128 };  // columns at a time
    enum { HALF = 2, SIZE = 5 };  // channels of a window
    enum { CHANNEL = 517 };  // floats from one channel to the next
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    OMP(omp for collapse(3) schedule(static) nowait)
    for (int n = 0; n < batch; n++) for (int h = 0; h < H; h++) {
        for (int w0 = 0; w0 < W; w0 += PIECE) {
            const int cells = MIN(PIECE, W - w0);
            // Of the last SIZE channels: s^-beta, and what a channel adds to the gradients of its neighbours.
            float factors[SIZE][PIECE], slopes[SIZE][PIECE], sum[PIECE];
            for (int j = 0; j < SIZE; j++)
                for (int i = 0; i < cells; i++) slopes[j][i] = 0.0f;
            for (int k = 0; k < C + HALF; k++) {
                float *factor = factors[k % SIZE], *slope = slopes[k % SIZE];
                if (k >= C) {
                    for (int i = 0; i < cells; i++) slope[i] = 0.0f;
                } else if (k >= HALF && k < C - HALF) {
                    const float *value = &x[n][k][h][w0], *d_after = &d_y[n][k][h][w0];
                    for (int i = 0; i < cells; i++) {
                        float squares = 0.0f;
                        for (int d = -HALF; d <= HALF; d++) {
                            const float neighbour = value[i + d * CHANNEL];
                            squares += neighbour * neighbour;
                        }
                        const float s = 1.0f + 0.1f * squares;
                        const float power = inverse_power_float(s);
                        factor[i] = power;
                        slope[i] = d_after[i] * value[i] * power * ((s * power * power) * (s * power * power));
                    }
                } else {
                    const float *value = &x[n][k][h][w0], *d_after = &d_y[n][k][h][w0];
                    for (int i = 0; i < cells; i++) sum[i] = 0.0f;
                    for (int j = MAX(0, k - HALF); j < MIN(C, k + HALF + 1); j++) {
                        const float *neighbour = &x[n][j][h][w0];
                        for (int i = 0; i < cells; i++) sum[i] += neighbour[i] * neighbour[i];
                    }
                    for (int i = 0; i < cells; i++) {
                        const float s = 1.0f + 0.1f * sum[i];
                        const float power = inverse_power_float(s);
                        factor[i] = power;
                        slope[i] = d_after[i] * value[i] * power * ((s * power * power) * (s * power * power));
                    }
                }
                const int j = k - HALF;  // the middle of the channels at hand
                if (j < 0) continue;
                const float *value = &x[n][j][h][w0], *d_after = &d_y[n][j][h][w0];
                float *d_before = &d_x[n][j][h][w0];
                factor = factors[j % SIZE];
                for (int i = 0; i < cells; i++) {
                    float total = 0.0f;
                    for (int q = 0; q < SIZE; q++) total += slopes[q][i];
                    d_before[i] = d_after[i] * factor[i] - 0.15f * value[i] * total;
                }
            }
        }
    }
}
