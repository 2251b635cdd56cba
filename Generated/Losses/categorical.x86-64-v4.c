#include <stdint.h>
#include <math.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

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
//   x         [groups, 7, 16]  16 images in lanes
//   expected  [batch, 7]
//   each      [batch]          sum over each row
//   d_x       [groups, 7, 16]
//
// Lanes without an image get a gradient of zero.
static NOINLINE void loss_forward_backward(int batch, int groups, const float *restrict x_,
                                           const float *restrict expected_, float *restrict each_,
                                           float *restrict d_x_) {
    enum { K = 7, H = 1, W = 1 };  // features as one pixel
    enum { CELLS = 16 };  // pixels that are judged at once
    const float (*x)[K][H][W][LANES] = (const float (*)[K][H][W][LANES])x_;
    const float (*expected)[K][H][W] = (const float (*)[K][H][W])expected_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W][LANES] = (float (*)[K][H][W][LANES])d_x_;
    const float scale = 0.75f / (float)batch;

    for (int n = 0; n < groups; n++) {
        for (int h = 0; h < H; h++) {
            double total[LANES] = {0.0};
            int image[LANES];  // the last one again in lanes without an image
            for (int l = 0; l < LANES; l++) image[l] = MIN(n * LANES + l, batch - 1);
            float weight[CELLS];
            for (int i = 0; i < CELLS; i++) weight[i] = (n * LANES + i % LANES < batch ? 1.0f : 0.0f);
            float loss[CELLS];
            // loss
            float largest[CELLS], sum[CELLS], mass[CELLS];  // mass: the target's sum over the classes
            for (int i = 0; i < CELLS; i++) largest[i] = -INFINITY;
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) largest[i] = score[i] > largest[i] ? score[i] : largest[i];
            }
            for (int i = 0; i < CELLS; i++) sum[i] = mass[i] = loss[i] = 0.0f;
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) {
                    const float below = score[i] - largest[i];
                    const float share = expected[image[i % LANES]][k][h][i / LANES];
                    sum[i] += exp_float(below);
                    mass[i] += share;
                    loss[i] -= share * below;
                }
            }
            for (int i = 0; i < CELLS; i++) loss[i] += mass[i] * log_float(sum[i]);
            for (int l = 0; l < LANES; l++) {
                for (int w = 0; w < W; w++) {
                    const int i = w * LANES + l;
                    total[l] += weight[i] * loss[i];
                }
            }
            // loss
            for (int k = 0; k < K; k++) {
                const float *score = x[n][k][h][0];
                float *slope = d_x[n][k][h][0];
                for (int i = 0; i < CELLS; i++) {
                    const float share = expected[image[i % LANES]][k][h][i / LANES];
                    const float probability = exp_float(score[i] - largest[i]) / sum[i];
                    slope[i] = scale * weight[i] * (mass[i] * probability - share);
                }
            }
            for (int l = 0; l < LANES && n * LANES + l < batch; l++) each[n * LANES + l][h] = (float)total[l];
        }
    }
}

// loss: sum over the rows, mean over the batch.
//
//   each  [batch]
//   loss  [1]
static NOINLINE void loss_mean(int batch, const float *restrict each, float *restrict loss) {
    double sum = 0.0;
    for (int n = 0; n < batch; n++) sum += each[n];
    loss[0] = (float)(sum / batch);
}
