#include <stdint.h>
#include <math.h>
#include <string.h>

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

// logsoftmax1: LogSoftmax.
//
//   x  [batch, 5, 1, 9]
//   y  [batch, 5, 1, 9]
static void logsoftmax1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 5, H = 1, W = 9 };
    enum { PIECE = 9 };  // columns at a time
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) for (int h = 0; h < H; h++) {
        for (int w0 = 0; w0 < W; w0 += PIECE) {
            const int cells = PIECE;
            float largest[PIECE], sum[PIECE];
            float scores[C][PIECE];  // stays in the first-level cache
            for (int i = 0; i < cells; i++) {
                largest[i] = -INFINITY;
                sum[i] = 0.0f;
            }
            for (int k = 0; k < C; k++) {
                const float *score = &x[n][k][h][w0];
                for (int i = 0; i < cells; i++) {
                    scores[k][i] = score[i];
                    largest[i] = score[i] > largest[i] ? score[i] : largest[i];
                }
            }
            for (int k = 0; k < C; k++) {
                const float *score = scores[k];
                for (int i = 0; i < cells; i++) sum[i] += exp_float(score[i] - largest[i]);
            }
            for (int i = 0; i < cells; i++) sum[i] = log_float(sum[i]);
            for (int k = 0; k < C; k++) {
                const float *score = scores[k];
                float *result = &y[n][k][h][w0];
                for (int i = 0; i < cells; i++) result[i] = (score[i] - largest[i]) - sum[i];
            }
        }
    }
}

// logsoftmax1: gradient of the input.
//
//   y    [batch, 5, 1, 9]
//   d_y  [batch, 5, 1, 9]
//   d_x  [batch, 5, 1, 9]
static void logsoftmax1_backward(int batch, const float *restrict y_, const float *restrict d_y_,
                                 float *restrict d_x_) {
    enum { C = 5, H = 1, W = 9 };
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
                for (int i = 0; i < cells; i++) sum[i] += d_after[i];
            }
            for (int k = 0; k < C; k++) {
                const float *d_after = &d_y[n][k][h][w0];
                float *d_before = &d_x[n][k][h][w0];
                const float *result = &y[n][k][h][w0];
                for (int i = 0; i < cells; i++) d_before[i] = d_after[i] - exp_float(result[i]) * sum[i];
            }
        }
    }
}
