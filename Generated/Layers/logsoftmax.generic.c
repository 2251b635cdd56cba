#include <stdint.h>
#include <math.h>
#include <string.h>

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

// logsoftmax1: LogSoftmax, axis -1.
//
//   x  [batch, 19]
//   y  [batch, 19]
static void logsoftmax1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    enum { STEP = 16 };  // places at a time
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        const float *score = x[n];
        float larger[STEP], sums[STEP] = {0};  // many at a time fill a vector
        for (int j = 0; j < STEP; j++) larger[j] = -INFINITY;
        for (int k = 0; k + STEP <= C; k += STEP)
            for (int j = 0; j < STEP; j++) larger[j] = score[k + j] > larger[j] ? score[k + j] : larger[j];
        for (int k = C / STEP * STEP; k < C; k++) larger[0] = MAX(score[k], larger[0]);
        float largest = larger[0];
        for (int j = 1; j < STEP; j++) largest = MAX(larger[j], largest);
        float *result = y[n];
        for (int k = 0; k < C; k++) result[k] = exp_float(score[k] - largest);
        for (int k = 0; k + STEP <= C; k += STEP)
            for (int j = 0; j < STEP; j++) sums[j] += result[k + j];
        for (int k = C / STEP * STEP; k < C; k++) sums[0] += result[k];
        for (int j = 1; j < STEP; j++) sums[0] += sums[j];
        const float logarithm = log_float(sums[0]);
        for (int k = 0; k < C; k++) result[k] = (score[k] - largest) - logarithm;
    }
}

// logsoftmax1: gradient of the input.
//
//   y    [batch, 19]
//   d_y  [batch, 19]
//   d_x  [batch, 19]
static void logsoftmax1_backward(int batch, const float *restrict y_, const float *restrict d_y_,
                                 float *restrict d_x_) {
    enum { C = 19 };
    enum { STEP = 16 };  // places at a time
    const float (*y)[C] = (const float (*)[C])y_;
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;

    for (int n = 0; n < batch; n++) {
        const float *d_after = d_y[n];
        float *d_before = d_x[n];
        float sums[STEP] = {0};  // many at a time fill a vector
        const float *result = y[n];
        for (int k = 0; k + STEP <= C; k += STEP)
            for (int j = 0; j < STEP; j++) sums[j] += d_after[k + j];
        for (int k = C / STEP * STEP; k < C; k++) sums[0] += d_after[k];
        for (int j = 1; j < STEP; j++) sums[0] += sums[j];
        for (int k = 0; k < C; k++) d_before[k] = d_after[k] - exp_float(result[k]) * sums[0];
    }
}
