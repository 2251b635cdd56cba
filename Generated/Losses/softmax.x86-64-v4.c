#include <stdint.h>
#include <math.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

#define LANES 16  // floats of one vector
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t masks __attribute__((vector_size(4 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));
// Helpers are functions: in macros that name an accumulator twice, it would not stay in its register. They are always
// inlined, so how a vector argument would be passed does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

// a where the mask is set, else b.
INLINE lanes pick(masks mask, lanes a, lanes b) {
    return (lanes)((mask & (masks)a) | (~mask & (masks)b));
}

// e^x for x up to 88, within 2 units in the last place; below -87.7 it is 0. NaN passes through.
INLINE lanes exp_lanes(lanes x) {
    const lanes least = pick(x < -88.0f, (lanes){0} - 88.0f, x), near = pick(least > 88.0f, (lanes){0} + 88.0f, least);
    const lanes shifted = near * 1.44269504f + 12583039.0f;  // 1.5 * 2^23 + 127: the last bits are power + 127
    const lanes power = shifted - 12583039.0f;
    const lanes r = (near - power * 0.693359375f) + power * 2.12194440e-4f;  // ln 2 in two parts: r is exact
    lanes sum = r * 1.38145400e-3f + 8.36874514e-3f;
    sum = sum * r + 4.16683908e-2f;
    sum = sum * r + 0.166665204f;
    sum = sum * r + 0.499999934f;
    sum = sum * r + 1.0f;
    sum = sum * r + 1.0f;
    return sum * (lanes)((masks)shifted << 23);  // by 2^power; by 0 where that is -127
}

// ln x for normal x above 0, within 2 units in the last place of the larger of it and 1. NaN and infinity pass through.
INLINE lanes log_lanes(lanes x) {
    const masks bits = (masks)x;
    const lanes whole = (lanes)((bits & 0x7fffff) | 0x3f800000);
    const masks high = whole > 1.41421356f;  // -1 where set
    const lanes m = pick(high, whole * 0.5f, whole);
    const lanes power = (lanes)((bits >> 23) - 127 - high + 0x4b400000) - 12582912.0f;  // a float, by 1.5 * 2^23
    const lanes s = (m - 1.0f) / (m + 1.0f), q = s * s;  // ln m = 2 artanh s
    const lanes series = (0.14934601f * q + 0.199888264f) * q + 0.333333876f;
    const lanes ln = 2.0f * s + 2.0f * s * q * series;
    return pick(x < INFINITY, power * 0.693359375f + (ln - power * 2.12194440e-4f), x);
}

// loss: softmax and cross-entropy, with the gradient.
//
//   x      [groups, 7, 16]  16 images in lanes
//   label  [batch]
//   each   [batch]          loss of each image
//   d_x    [groups, 7, 16]
//
// Lanes without an image get a gradient of zero.
static NOINLINE void loss_forward_backward(int batch, int groups, const lanes *restrict x_,
                                           const int32_t *restrict label, float *restrict each, lanes *restrict d_x_) {
    enum { K = 7 };
    const lanes (*x)[K] = (const lanes (*)[K])x_;
    lanes (*d_x)[K] = (lanes (*)[K])d_x_;
    const float scale = 0.75f / (float)batch;

    for (int n = 0; n < groups; n++) {
        masks labels;  // -1 in lanes without an image
        for (int l = 0; l < LANES; l++) labels[l] = LANES * n + l < batch ? label[LANES * n + l] : -1;
        lanes largest = x[n][0], score = {0}, sum = {0};
        for (int k = 1; k < K; k++) largest = pick(x[n][k] > largest, x[n][k], largest);
        for (int k = 0; k < K; k++) {
            score = pick(labels == k, x[n][k], score);
            sum += exp_lanes(x[n][k] - largest);
        }
        const lanes losses = log_lanes(sum) - (score - largest);
        for (int l = 0; l < LANES && LANES * n + l < batch; l++) each[LANES * n + l] = losses[l];
        for (int k = 0; k < K; k++) {
            const lanes share = exp_lanes(x[n][k] - largest) / sum;
            const lanes slope = scale * pick(labels == k, share - 1.0f, share);
            d_x[n][k] = pick(labels >= 0, slope, (lanes){0});
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
