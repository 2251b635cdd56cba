#include <stdint.h>
#include <string.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")  // what an iteration writes, no other one touches
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

// x^-0.75 for normal x above 0, within 2 units in the last place; NaN passes through. Without a call, so that loops
// become vectors.
static inline float inverse_power_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = 0x6f146000u - (bits - (bits >> 2));
    float power;
    memcpy(&power, &bits, sizeof power);  // within 4.5 %
    const float root = x * power;  // x^0.25
    const float off = 1.0f - root * root * (root * power);
    // (1 - off)^-1/4, a polynomial fitted to what that leaves: -0.172 to 0.172
    float scale = 0.08427086f + 0.07443222f * off;
    scale = 0.09514578f + scale * off;
    scale = 0.11713845f + scale * off;
    scale = 0.15625039f + scale * off;
    scale = 0.25f + scale * off;
    return power + power * off * scale;
}

// lrn1: LocalResponseNorm over 7 channels.
//
//   x  [batch, 10, 1, 9]
//   y  [batch, 10, 1, 9]
static void lrn1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 10, H = 1, W = 9 };
    enum { PIECE = 9 };  // columns at a time
    enum { HALF = 3 };  // channels to either side of a window's middle
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
                        const float s = 1.0f + 0.071428575f * (both + other * other);
                        const float power = inverse_power_float(s);
                        result[e][i] = near[HALF + e][i] * power;
                    }
                }
            }
        }
    }
}

// lrn1: gradient of the input.
//
//   x    [batch, 10, 1, 9]
//   d_y  [batch, 10, 1, 9]
//   d_x  [batch, 10, 1, 9]
static void lrn1_backward(int batch, const float *restrict x_, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 10, H = 1, W = 9 };
    enum { PIECE = 9 };  // columns at a time
    enum { HALF = 3, PAIRS = 4 };  // channels to either side of a window's middle
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    OMP(omp for collapse(3) schedule(static) nowait)
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
                        const float s = 1.0f + 0.071428575f * (both + other * other);
                        const float power = inverse_power_float(s);
                        const float inverse = (s * power * power) * (s * power * power);
                        const float share = d_after[e][i] * power;
                        scale[e][i] = share;
                        slope[e][i] = added[e] = share * near[HALF + e][i] * inverse;
                    }
                    float total = oldest[1][i] + added[0];
                    for (int q = 2; q <= HALF; q++) {
                        float (*pair)[PIECE] = slopes[(k / 2 + q) % PAIRS];
                        total += pair[0][i] + pair[1][i];
                    }
                    d_before[0][i] = own[0][i] - 0.10714286f * near[0][i] * (total + oldest[0][i]);
                    d_before[1][i] = own[1][i] - 0.10714286f * near[1][i] * (total + added[1]);
                }
            }
        }
    }
}
