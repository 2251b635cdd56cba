#include <stdint.h>
#include <math.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
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

// ln x for x of at least 1, within 2 units in the last place. NaN and infinity pass through.
static inline float log_float(float x) {
    if (!(x < INFINITY)) return x;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    int power = (int)(bits >> 23) - 127;
    bits = (bits & 0x7fffffu) | 0x3f800000u;
    float m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.41421356f) {
        m *= 0.5f;
        power++;
    }
    const float s = (m - 1.0f) / (m + 1.0f), q = s * s;  // ln m = 2 artanh s
    const float series = (0.14934601f * q + 0.199888264f) * q + 0.333333876f;
    const float ln = 2.0f * s + 2.0f * s * q * series;
    return (float)power * 0.693359375f + (ln - (float)power * 2.12194440e-4f);
}

// lrn1: LocalResponseNorm over 3 channels.
//
//   x  [batch, 5, 1, 9]
//   y  [batch, 5, 1, 9]
static NOINLINE void lrn1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 5, H = 1, W = 9 };
    enum { PIECE = 9 };  // columns at a time
    enum { HALF = 1, SIZE = 3 };  // channels of a window
    enum { CHANNEL = 9 };  // floats from one channel to the next
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

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
                        const float s = 1.0f + 0.23333333f * sum;
                        const float factor = exp_float(-0.6f * log_float(s));
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
                    const float s = 1.0f + 0.23333333f * sum[i];
                    const float factor = exp_float(-0.6f * log_float(s));
                    result[i] = value[i] * factor;
                }
            }
        }
    }
}

// lrn1: gradient of the input.
//
//   x    [batch, 5, 1, 9]
//   d_y  [batch, 5, 1, 9]
//   d_x  [batch, 5, 1, 9]
static NOINLINE void lrn1_backward(int batch, const float *restrict x_, const float *restrict d_y_,
                                   float *restrict d_x_) {
    enum { C = 5, H = 1, W = 9 };
    enum { PIECE = 9 };  // columns at a time
    enum { HALF = 1, SIZE = 3 };  // channels of a window
    enum { CHANNEL = 9 };  // floats from one channel to the next
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

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
                        const float s = 1.0f + 0.23333333f * squares;
                        const float power = exp_float(-0.6f * log_float(s));
                        factor[i] = power;
                        slope[i] = d_after[i] * value[i] * power * (1.0f / s);
                    }
                } else {
                    const float *value = &x[n][k][h][w0], *d_after = &d_y[n][k][h][w0];
                    for (int i = 0; i < cells; i++) sum[i] = 0.0f;
                    for (int j = MAX(0, k - HALF); j < MIN(C, k + HALF + 1); j++) {
                        const float *neighbour = &x[n][j][h][w0];
                        for (int i = 0; i < cells; i++) sum[i] += neighbour[i] * neighbour[i];
                    }
                    for (int i = 0; i < cells; i++) {
                        const float s = 1.0f + 0.23333333f * sum[i];
                        const float power = exp_float(-0.6f * log_float(s));
                        factor[i] = power;
                        slope[i] = d_after[i] * value[i] * power * (1.0f / s);
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
                    d_before[i] = d_after[i] * factor[i] - 0.28f * value[i] * total;
                }
            }
        }
    }
}
