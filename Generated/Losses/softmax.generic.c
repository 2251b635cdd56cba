#include <stdint.h>
#include <math.h>
#include <string.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif

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

// loss: softmax and cross-entropy, with the gradient.
//
//   x      [batch, 7]
//   label  [batch]
//   each   [batch]     loss of each image
//   d_x    [batch, 7]
static void loss_forward_backward(int batch, const float *restrict x_, const int32_t *restrict label,
                                  float *restrict each, float *restrict d_x_) {
    enum { K = 7 };
    const float (*x)[K] = (const float (*)[K])x_;
    float (*d_x)[K] = (float (*)[K])d_x_;
    const float scale = 0.75f / (float)batch;

    OMP(omp for schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        float largest = x[n][0];
        for (int k = 1; k < K; k++) {
            if (x[n][k] > largest) largest = x[n][k];
        }
        float sum = 0.0f;
        for (int k = 0; k < K; k++) sum += exp_float(x[n][k] - largest);
        each[n] = log_float(sum) - (x[n][label[n]] - largest);
        for (int k = 0; k < K; k++) {
            const float share = exp_float(x[n][k] - largest) / sum;
            d_x[n][k] = scale * (k == label[n] ? share - 1.0f : share);
        }
    }
}

// loss: mean over the batch.
//
//   each  [batch]
//   loss  [1]
static void loss_mean(int batch, const float *restrict each, float *restrict loss) {
    double sum = 0.0;
    for (int n = 0; n < batch; n++) sum += each[n];
    loss[0] = (float)(sum / batch);
}
