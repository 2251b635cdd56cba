#include <stdint.h>
#include <string.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

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

// lrn1: LocalResponseNorm over 1 channels.
//
//   x  [batch, 4, 1, 6]
//   y  [batch, 4, 1, 6]
static void lrn1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 4, H = 1, W = 6 };
    enum { PIECE = 6 };  // columns at a time
    enum { HALF = 0 };  // channels to either side of a window's middle
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) for (int h = 0; h < H; h++) {
        for (int w0 = 0; w0 < W; w0 += PIECE) {
            const int cells = PIECE;
            for (int m = 0; m < C; m++) {
                const float *value = &x[n][m][h][w0];
                float *result = &y[n][m][h][w0], sum[PIECE];
                for (int i = 0; i < cells; i++) sum[i] = 0.0f;
                for (int j = MAX(0, m - HALF); j < MIN(C, m + HALF + 1); j++) {
                    const float *neighbour = &x[n][j][h][w0];
                    for (int i = 0; i < cells; i++) sum[i] += neighbour[i] * neighbour[i];
                }
                for (int i = 0; i < cells; i++) {
                    const float s = 1.0f + 0.5f * sum[i];
                    const float power = inverse_power_float(s);
                    result[i] = value[i] * power;
                }
            }
        }
    }
}

// lrn1: gradient of the input.
//
//   x    [batch, 4, 1, 6]
//   d_y  [batch, 4, 1, 6]
//   d_x  [batch, 4, 1, 6]
static void lrn1_backward(int batch, const float *restrict x_, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 4, H = 1, W = 6 };
    enum { PIECE = 6 };  // columns at a time
    enum { HALF = 0, SIZE = 1 };  // channels to either side of a window's middle
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) for (int h = 0; h < H; h++) {
        for (int w0 = 0; w0 < W; w0 += PIECE) {
            const int cells = PIECE;
            // Of the last channels: d_y s^-beta, and what a channel adds to the gradients of its neighbours.
            float scaled[SIZE][PIECE], slopes[SIZE][PIECE], sum[PIECE];
            for (int k = 0; k < C + HALF; k++) {
                if (k < C) {
                    const float *value = &x[n][k][h][w0], *d_after = &d_y[n][k][h][w0];
                    for (int i = 0; i < cells; i++) sum[i] = 0.0f;
                    for (int j = MAX(0, k - HALF); j < MIN(C, k + HALF + 1); j++) {
                        const float *neighbour = &x[n][j][h][w0];
                        for (int i = 0; i < cells; i++) sum[i] += neighbour[i] * neighbour[i];
                    }
                    for (int i = 0; i < cells; i++) {
                        const float s = 1.0f + 0.5f * sum[i];
                        const float power = inverse_power_float(s);
                        const float inverse = (s * power * power) * (s * power * power);
                        scaled[k % SIZE][i] = d_after[i] * power;
                        slopes[k % SIZE][i] = scaled[k % SIZE][i] * value[i] * inverse;
                    }
                }
                const int m = k - HALF;  // the middle of a window whose slopes are all there
                if (m < 0) continue;
                for (int i = 0; i < cells; i++) sum[i] = 0.0f;
                for (int j = MAX(0, m - HALF); j < MIN(C, m + HALF + 1); j++)
                    for (int i = 0; i < cells; i++) sum[i] += slopes[j % SIZE][i];
                const float *value = &x[n][m][h][w0], *own = scaled[m % SIZE];
                float *d_before = &d_x[n][m][h][w0];
                for (int i = 0; i < cells; i++) d_before[i] = own[i] - 0.75f * value[i] * sum[i];
            }
        }
    }
}
