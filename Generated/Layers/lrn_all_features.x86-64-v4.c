#include <stdint.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

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

// lrn1: LocalResponseNorm over all channels.
//
//   x  [batch, 7]
//   y  [batch, 7]
static NOINLINE void lrn1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 7 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        const int cells = 1;
        float sum[1];
        for (int i = 0; i < cells; i++) sum[i] = 0.0f;
        for (int k = 0; k < C; k++) {
            const float *value = &x[n][k];
            for (int i = 0; i < cells; i++) sum[i] += value[i] * value[i];
        }
        for (int i = 0; i < cells; i++) {
            const float s = 1.0f + 0.071428575f * sum[i];
            sum[i] = inverse_power_float(s);
        }
        for (int k = 0; k < C; k++) {
            const float *value = &x[n][k];
            float *result = &y[n][k];
            for (int i = 0; i < cells; i++) result[i] = value[i] * sum[i];
        }
    }
}

// lrn1: gradient of the input.
//
//   x    [batch, 7]
//   d_y  [batch, 7]
//   d_x  [batch, 7]
static NOINLINE void lrn1_backward(int batch, const float *restrict x_, const float *restrict d_y_,
                                   float *restrict d_x_) {
    enum { C = 7 };
    const float (*x)[C] = (const float (*)[C])x_;
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;

    for (int n = 0; n < batch; n++) {
        const int cells = 1;
        float sum[1], slope[1];
        for (int i = 0; i < cells; i++) sum[i] = slope[i] = 0.0f;
        for (int k = 0; k < C; k++) {
            const float *value = &x[n][k], *d_after = &d_y[n][k];
            for (int i = 0; i < cells; i++) {
                sum[i] += value[i] * value[i];
                slope[i] += d_after[i] * value[i];
            }
        }
        for (int i = 0; i < cells; i++) {
            const float s = 1.0f + 0.071428575f * sum[i];
            const float power = inverse_power_float(s);
            sum[i] = power;
            slope[i] *= 0.10714286f * power * ((s * power * power) * (s * power * power));
        }
        for (int k = 0; k < C; k++) {
            const float *value = &x[n][k], *d_after = &d_y[n][k];
            float *d_before = &d_x[n][k];
            for (int i = 0; i < cells; i++) d_before[i] = d_after[i] * sum[i] - value[i] * slope[i];
        }
    }
}
