#include <stdint.h>
#include <math.h>
#include <string.h>

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

// ln x for all x, within 2 units in the last place: of 0 it is minus infinity, below NaN. NaN and infinity pass
// through.
static inline float ln_float(float x) {
    const int is_small = x < 1.17549435e-38f;  // below the normal numbers
    const float ln = log_float(is_small ? x * 8388608.0f : x) - (is_small ? 15.9423851f : 0.0f);
    return x > 0.0f ? ln : x == 0.0f ? -INFINITY : x < 0.0f ? NAN : x;
}

// loss: binary cross-entropy, with the gradient.
//
//   x      [batch, 1, 5, 7]
//   label  [batch, 1, 5, 7]
//   each   [batch, 5]        sum over each row
//   d_x    [batch, 1, 5, 7]
static void loss_forward_backward(int batch, const float *restrict x_, const int32_t *restrict label_,
                                  float *restrict each_, float *restrict d_x_) {
    enum { K = 1, H = 5, W = 7 };
    const float (*x)[K][H][W] = (const float (*)[K][H][W])x_;
    const int32_t (*label)[K][H][W] = (const int32_t (*)[K][H][W])label_;
    float (*each)[H] = (float (*)[H])each_;
    float (*d_x)[K][H][W] = (float (*)[K][H][W])d_x_;
    const float scale = 0.75f / ((float)batch * 35.0f);

    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            double total = 0.0;
            for (int k = 0; k < K; k++) {
                float loss[W];
                for (int w = 0; w < W; w++) {
                    const float p = x[n][k][h][w], t = (float)label[n][k][h][w];
                    // loss
                    const float least = 1.1920929e-07f, y = p < least ? least : p > 1.0f - least ? 1.0f - least : p;
                    const float value = (t - 1.0f) * ln_float(1.0f - y) - 2.5f * t * ln_float(y);
                    const float slope = y == p ? (1.0f - t) / (1.0f - y) - 2.5f * t / y : 0.0f;
                    loss[w] = value;
                    d_x[n][k][h][w] = scale * slope;
                }
                for (int w = 0; w < W; w++) total += loss[w];
            }
            each[n][h] = (float)total;
        }
    }
}

// loss: sum over the rows, mean over the batch.
//
//   each  [batch, 5]
//   loss  [1]
static void loss_mean(int batch, const float *restrict each, float *restrict loss) {
    double sum = 0.0;
    for (int n = 0; n < batch * 5; n++) sum += each[n];
    loss[0] = (float)(sum / ((double)batch * 35.0));
}
