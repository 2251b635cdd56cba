#include <stdint.h>
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// lrn1: LocalResponseNorm over 5 channels.
//
//   x  [batch, 19]
//   y  [batch, 19]
static void lrn1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    enum { HALF = 2, SIZE = 5 };  // channels of a window
    enum { CHANNEL = 1 };  // floats from one channel to the next
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        const int cells = 1;
        for (int k = 0; k < C; k++) {
            const float *value = &x[n][k];
            float *result = &y[n][k];
            if (k >= HALF && k < C - HALF) {
                for (int i = 0; i < cells; i++) {
                    float sum = 0.0f;
                    for (int d = -HALF; d <= HALF; d++) {
                        const float neighbour = value[i + d * CHANNEL];
                        sum += neighbour * neighbour;
                    }
                    const float s = 1.0f + 0.1f * sum;
                    const float factor = 1.0f / s;
                    result[i] = value[i] * factor;
                }
                continue;
            }
            float sum[1];
            for (int i = 0; i < cells; i++) sum[i] = 0.0f;
            for (int j = MAX(0, k - HALF); j < MIN(C, k + HALF + 1); j++) {
                const float *neighbour = &x[n][j];
                for (int i = 0; i < cells; i++) sum[i] += neighbour[i] * neighbour[i];
            }
            for (int i = 0; i < cells; i++) {
                const float s = 1.0f + 0.1f * sum[i];
                const float factor = 1.0f / s;
                result[i] = value[i] * factor;
            }
        }
    }
}

// lrn1: gradient of the input.
//
//   x    [batch, 19]
//   d_y  [batch, 19]
//   d_x  [batch, 19]
static void lrn1_backward(int batch, const float *restrict x_, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 19 };
    enum { HALF = 2, SIZE = 5 };  // channels of a window
    enum { CHANNEL = 1 };  // floats from one channel to the next
    const float (*x)[C] = (const float (*)[C])x_;
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;

    for (int n = 0; n < batch; n++) {
        const int cells = 1;
        // Of the last SIZE channels: s^-beta, and what a channel adds to the gradients of its neighbours.
        float factors[SIZE][1], slopes[SIZE][1], sum[1];
        for (int j = 0; j < SIZE; j++)
            for (int i = 0; i < cells; i++) slopes[j][i] = 0.0f;
        for (int k = 0; k < C + HALF; k++) {
            float *factor = factors[k % SIZE], *slope = slopes[k % SIZE];
            if (k >= C) {
                for (int i = 0; i < cells; i++) slope[i] = 0.0f;
            } else if (k >= HALF && k < C - HALF) {
                const float *value = &x[n][k], *d_after = &d_y[n][k];
                for (int i = 0; i < cells; i++) {
                    float squares = 0.0f;
                    for (int d = -HALF; d <= HALF; d++) {
                        const float neighbour = value[i + d * CHANNEL];
                        squares += neighbour * neighbour;
                    }
                    const float s = 1.0f + 0.1f * squares;
                    const float power = 1.0f / s;
                    factor[i] = power;
                    slope[i] = d_after[i] * value[i] * power * (1.0f / s);
                }
            } else {
                const float *value = &x[n][k], *d_after = &d_y[n][k];
                for (int i = 0; i < cells; i++) sum[i] = 0.0f;
                for (int j = MAX(0, k - HALF); j < MIN(C, k + HALF + 1); j++) {
                    const float *neighbour = &x[n][j];
                    for (int i = 0; i < cells; i++) sum[i] += neighbour[i] * neighbour[i];
                }
                for (int i = 0; i < cells; i++) {
                    const float s = 1.0f + 0.1f * sum[i];
                    const float power = 1.0f / s;
                    factor[i] = power;
                    slope[i] = d_after[i] * value[i] * power * (1.0f / s);
                }
            }
            const int j = k - HALF;  // the middle of the channels at hand
            if (j < 0) continue;
            const float *value = &x[n][j], *d_after = &d_y[n][j];
            float *d_before = &d_x[n][j];
            factor = factors[j % SIZE];
            for (int i = 0; i < cells; i++) {
                float total = 0.0f;
                for (int q = 0; q < SIZE; q++) total += slopes[q][i];
                d_before[i] = d_after[i] * factor[i] - 0.2f * value[i] * total;
            }
        }
    }
}
