#include <stdint.h>
#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")  // what an iteration writes, no other one touches
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

// lrn1: LocalResponseNorm over 5 channels.
//
//   x  [batch, 19]
//   y  [batch, 19]
static void lrn1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    enum { HALF = 2 };  // channels to either side of a window's middle
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        const int cells = 1;
        float none[1] = {0}, spare[1];
        for (int k = 0; k < C; k += 2) {  // two channels, whose windows have most channels in common
            // Channels k - HALF to k + 1 + HALF; before the first and behind the last there are zeros.
            const float *near[2 * HALF + 2];
            for (int d = 0; d < 2 * HALF + 2; d++) {
                const int m = k - HALF + d;
                near[d] = m < 0 || m >= C ? none : &x[n][m];
            }
            float *result[2];
            for (int e = 0; e < 2; e++) result[e] = k + e < C ? &y[n][k + e] : spare;
            INDEPENDENT for (int i = 0; i < cells; i++) {
                float both = 0.0f;
                for (int d = 1; d <= 2 * HALF; d++) both += near[d][i] * near[d][i];
                for (int e = 0; e < 2; e++) {
                    const float other = near[e * (2 * HALF + 1)][i];
                    const float s = 1.0f + 0.1f * (both + other * other);
                    const float power = 1.0f / s;
                    result[e][i] = near[HALF + e][i] * power;
                }
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
    enum { HALF = 2, PAIRS = 3 };  // channels to either side of a window's middle
    const float (*x)[C] = (const float (*)[C])x_;
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;

    for (int n = 0; n < batch; n++) {
        const int cells = 1;
        float none[1] = {0}, spare[1] = {0};
        // Of the last pairs of channels: d_y s^-beta, and what a channel adds to the gradients of its neighbours.
        float scaled[PAIRS][2][1], slopes[PAIRS][2][1] = {0};
        for (int k = 0; k < C + HALF; k += 2) {  // two channels, whose windows have most channels in common
            // Channels k - HALF to k + 1 + HALF; before the first and behind the last there are zeros.
            const float *near[2 * HALF + 2];
            for (int d = 0; d < 2 * HALF + 2; d++) {
                const int m = k - HALF + d;
                near[d] = m < 0 || m >= C ? none : &x[n][m];
            }
            const float *d_after[2], *own[2];
            float *d_before[2];
            for (int e = 0; e < 2; e++) {
                const int m = k - HALF + e;  // the middle of a window whose slopes are all there
                d_after[e] = k + e < C ? &d_y[n][k + e] : none;
                own[e] = m < 0 ? none : scaled[m / 2 % PAIRS][m % 2];
                d_before[e] = m < 0 || m >= C ? spare : &d_x[n][m];
            }
            float (*scale)[1] = scaled[k / 2 % PAIRS], (*slope)[1] = slopes[k / 2 % PAIRS];
            float (*oldest)[1] = slopes[(k / 2 + 1) % PAIRS];
            INDEPENDENT for (int i = 0; i < cells; i++) {
                float both = 0.0f, added[2];
                for (int d = 1; d <= 2 * HALF; d++) both += near[d][i] * near[d][i];
                for (int e = 0; e < 2; e++) {
                    const float other = near[e * (2 * HALF + 1)][i];
                    const float s = 1.0f + 0.1f * (both + other * other);
                    const float power = 1.0f / s;
                    const float inverse = 1.0f / s;
                    const float share = d_after[e][i] * power;
                    scale[e][i] = share;
                    slope[e][i] = added[e] = share * near[HALF + e][i] * inverse;
                }
                float total = oldest[1][i] + added[0];
                for (int q = 2; q <= HALF; q++) {
                    float (*pair)[1] = slopes[(k / 2 + q) % PAIRS];
                    total += pair[0][i] + pair[1][i];
                }
                d_before[0][i] = own[0][i] - 0.2f * near[0][i] * (total + oldest[0][i]);
                d_before[1][i] = own[1][i] - 0.2f * near[1][i] * (total + added[1]);
            }
        }
    }
}
