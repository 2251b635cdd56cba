#include <stdint.h>
#include <math.h>
#include <string.h>

#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")  // what an iteration writes, no other one touches
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif
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
    enum { HALF = 1 };  // channels to either side of a window's middle
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) for (int h = 0; h < H; h++) {
        for (int w0 = 0; w0 < W; w0 += PIECE) {
            const int cells = PIECE;
            float none[PIECE] = {0}, spare[PIECE];
            for (int k = 0; k < C; k += 2) {  // two channels, whose windows have most channels in common
                // Channels k - HALF to k + 1 + HALF; before the first and behind the last there are zeros.
                const float *near[2 * HALF + 2];
                for (int d = 0; d < 2 * HALF + 2; d++) {
                    const int m = k - HALF + d;
                    near[d] = m < 0 || m >= C ? none : &x[n][m][h][w0];
                }
                float *result[2];
                for (int e = 0; e < 2; e++) result[e] = k + e < C ? &y[n][k + e][h][w0] : spare;
                INDEPENDENT for (int i = 0; i < cells; i++) {
                    float both = 0.0f;
                    for (int d = 1; d <= 2 * HALF; d++) both += near[d][i] * near[d][i];
                    for (int e = 0; e < 2; e++) {
                        const float other = near[e * (2 * HALF + 1)][i];
                        const float s = 1.0f + 0.23333333f * (both + other * other);
                        const float power = exp_float(-0.6f * log_float(s));
                        result[e][i] = near[HALF + e][i] * power;
                    }
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
    enum { HALF = 1, PAIRS = 2 };  // channels to either side of a window's middle
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) for (int h = 0; h < H; h++) {
        for (int w0 = 0; w0 < W; w0 += PIECE) {
            const int cells = PIECE;
            float none[PIECE] = {0}, spare[PIECE] = {0};
            // Of the last pairs of channels: d_y s^-beta, and what a channel adds to the gradients of its neighbours.
            float scaled[PAIRS][2][PIECE], slopes[PAIRS][2][PIECE] = {0};
            for (int k = 0; k < C + HALF; k += 2) {  // two channels, whose windows have most channels in common
                // Channels k - HALF to k + 1 + HALF; before the first and behind the last there are zeros.
                const float *near[2 * HALF + 2];
                for (int d = 0; d < 2 * HALF + 2; d++) {
                    const int m = k - HALF + d;
                    near[d] = m < 0 || m >= C ? none : &x[n][m][h][w0];
                }
                const float *d_after[2], *own[2];
                float *d_before[2];
                for (int e = 0; e < 2; e++) {
                    const int m = k - HALF + e;  // the middle of a window whose slopes are all there
                    d_after[e] = k + e < C ? &d_y[n][k + e][h][w0] : none;
                    own[e] = m < 0 ? none : scaled[m / 2 % PAIRS][m % 2];
                    d_before[e] = m < 0 || m >= C ? spare : &d_x[n][m][h][w0];
                }
                float (*scale)[PIECE] = scaled[k / 2 % PAIRS], (*slope)[PIECE] = slopes[k / 2 % PAIRS];
                float (*oldest)[PIECE] = slopes[(k / 2 + 1) % PAIRS];
                INDEPENDENT for (int i = 0; i < cells; i++) {
                    float both = 0.0f, added[2];
                    for (int d = 1; d <= 2 * HALF; d++) both += near[d][i] * near[d][i];
                    for (int e = 0; e < 2; e++) {
                        const float other = near[e * (2 * HALF + 1)][i];
                        const float s = 1.0f + 0.23333333f * (both + other * other);
                        const float power = exp_float(-0.6f * log_float(s));
                        const float inverse = 1.0f / s;
                        const float share = d_after[e][i] * power;
                        scale[e][i] = share;
                        slope[e][i] = added[e] = share * near[HALF + e][i] * inverse;
                    }
                    float total = oldest[1][i] + added[0];
                    for (int q = 2; q <= HALF; q++) {
                        float (*pair)[PIECE] = slopes[(k / 2 + q) % PAIRS];
                        total += pair[0][i] + pair[1][i];
                    }
                    d_before[0][i] = own[0][i] - 0.28f * near[0][i] * (total + oldest[0][i]);
                    d_before[1][i] = own[1][i] - 0.28f * near[1][i] * (total + added[1]);
                }
            }
        }
    }
}
