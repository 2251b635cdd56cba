#include <stdint.h>
#include <math.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

#define LANES 16  // floats of one vector
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t masks __attribute__((vector_size(4 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));
// Helpers are functions: in macros that name an accumulator twice, it would not stay in its register. They are always
// inlined, so how a vector argument would be passed does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

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
//   x      [groups, 7, 16]  16 images in lanes
//   label  [batch]
//   each   [batch]          loss of each image
//   d_x    [groups, 7, 16]
//
// Lanes without an image get a gradient of zero.
static NOINLINE void loss_forward_backward(int batch, int groups, const float *restrict x_,
                                           const int32_t *restrict label, float *restrict each, float *restrict d_x_) {
    enum { K = 7 };
    const float (*x)[K][LANES] = (const float (*)[K][LANES])x_;
    float (*d_x)[K][LANES] = (float (*)[K][LANES])d_x_;
    const float scale = 0.75f / (float)batch;

    for (int n = 0; n < groups; n++) for (int l = 0; l < LANES; l++) {
        const int image = n * LANES + l;
        if (image >= batch) {
            for (int k = 0; k < K; k++) d_x[n][k][l] = 0.0f;
            continue;
        }
        float largest = x[n][0][l];
        for (int k = 1; k < K; k++) {
            if (x[n][k][l] > largest) largest = x[n][k][l];
        }
        float sum = 0.0f;
        for (int k = 0; k < K; k++) sum += exp_float(x[n][k][l] - largest);
        each[image] = log_float(sum) - (x[n][label[image]][l] - largest);
        for (int k = 0; k < K; k++) {
            const float share = exp_float(x[n][k][l] - largest) / sum;
            d_x[n][k][l] = scale * (k == label[image] ? share - 1.0f : share);
        }
    }
}

// loss: mean over the batch.
//
//   each  [batch]
//   loss  [1]
static NOINLINE void loss_mean(int batch, const float *restrict each, float *restrict loss) {
    double sum = 0.0;
    for (int n = 0; n < batch; n++) sum += each[n];
    loss[0] = (float)(sum / batch);
}
