#include <stdint.h>
#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// Sum of products of a and every stride-th element of b, in eight running sums: the same order on every machine, and
// wide enough for vectors.
static float dot(const float *a, const float *b, int count, int stride) {
    float sums[8] = {0};
    int i = 0;
    if (stride == 1) {
        for (; i + 8 <= count; i += 8)
            for (int j = 0; j < 8; j++) sums[j] += a[i + j] * b[i + j];
    }
    for (; i < count; i++) sums[i % 8] += a[i] * b[i * stride];
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

// Words of Philox 4x32-10 (Salmon et al. 2011), random bits that depend on the step's seed, the layer's key and a
// value's index alone: those of count values that follow one another, the first with this index. The room takes three
// more and is whole blocks of four.
static inline const uint32_t *random_bits(uint32_t *room, int count, uint64_t seed, uint32_t key, uint64_t step,
                                          uint64_t index) {
    const int first = index % 4;
    for (int i = 0; i < count + first; i += 4) {
        const uint64_t block = (index + i) / 4;
        uint32_t word0 = (uint32_t)block, word1 = (uint32_t)(block >> 32);
        uint32_t word2 = (uint32_t)step, word3 = (uint32_t)(step >> 32);
        uint32_t key0 = (uint32_t)seed ^ key, key1 = (uint32_t)(seed >> 32);
        for (int round = 0; round < 10; round++) {
            const uint64_t a = (uint64_t)0xD2511F53u * word0, b = (uint64_t)0xCD9E8D57u * word2;
            word0 = (uint32_t)(b >> 32) ^ word1 ^ key0;
            word1 = (uint32_t)b;
            word2 = (uint32_t)(a >> 32) ^ word3 ^ key1;
            word3 = (uint32_t)a;
            key0 += 0x9E3779B9u;
            key1 += 0xBB67AE85u;
        }
        room[i] = word0;
        room[i + 1] = word1;
        room[i + 2] = word2;
        room[i + 3] = word3;
    }
    return room + first;
}

// dense1: Dense, no bias, dropConnect 0.25.
//
//   x       [batch, 40]
//   weight  [33, 40]
//   y       [batch, 33]
static void dense1_forward(int batch, const float *restrict x_, const float *restrict weight_, float *restrict y_) {
    enum { F = 40, K = 33 };  // features, outputs
    const float (*x)[F] = (const float (*)[F])x_;
    const float (*weight)[F] = (const float (*)[F])weight_;
    float (*y)[K] = (float (*)[K])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < K; m++) {
            float v = dot(weight[m], x[n], F, 1);
            y[n][m] = v;
        }
    }
}

// dense1: weights of this step: dropped ones are zero.
//
//   x  [33, 40]
//   y  [33, 40]
static void dense1_forward_drop_weight(uint64_t seed, uint64_t step, const float *restrict x, float *restrict y) {
    enum { COUNT = 1320 };
    enum { PIECE = 256, ROOM = 260 };  // weights that bits are drawn for at once, and whole blocks of bits

    OMP(omp for schedule(static) nowait)
    for (int first = 0; first < COUNT; first += PIECE) {
        const int count = MIN(PIECE, COUNT - first);
        uint32_t room[ROOM];
        const uint32_t *bits = random_bits(room, count, seed, 0xd9d91213u, step, (uint64_t)first);
        for (int i = 0; i < count; i++) {
            const float kept = bits[i] < 1073741824u ? 0.0f : x[first + i] * 1.3333334f;
            y[first + i] = kept;
        }
    }
}

// dense1: zeros, to which the gradient of the weights in use is added.
//
//   y  [1320]
static void dense1_backward_weight_clear(float *restrict y) {
    enum { COUNT = 1320 };

    for (int i = 0; i < COUNT; i++) y[i] = 0.0f;
}

// dense1: gradient of the weight.
//
//   x         [batch, 40]
//   d_y       [batch, 33]
//   d_weight  [33, 40]
static void dense1_backward_weight(int batch, int accumulate, const float *restrict x_, const float *restrict d_y_,
                                   float *restrict d_weight_) {
    enum { F = 40, K = 33 };  // features, outputs
    const float (*x)[F] = (const float (*)[F])x_;
    const float (*d_y)[K] = (const float (*)[K])d_y_;
    float (*d_weight)[F] = (float (*)[F])d_weight_;

    for (int m = 0; m < K; m++) {
        if (!accumulate) {
            for (int f = 0; f < F; f++) d_weight[m][f] = 0.0f;
        }
        for (int n = 0; n < batch; n++) {
            float v = d_y[n][m];
            for (int f = 0; f < F; f++) d_weight[m][f] += v * x[n][f];
        }
    }
}

// dense1: gradient of the input.
//
//   weight  [33, 40]
//   d_y     [batch, 33]
//   d_x     [batch, 40]
static void dense1_backward_data(int batch, const float *restrict weight_, const float *restrict d_y_,
                                 float *restrict d_x_) {
    enum { F = 40, K = 33 };  // features, outputs
    const float (*weight)[F] = (const float (*)[F])weight_;
    const float (*d_y)[K] = (const float (*)[K])d_y_;
    float (*d_x)[F] = (float (*)[F])d_x_;

    OMP(omp for schedule(static) nowait)
    for (int n = 0; n < batch; n++) {
        for (int f = 0; f < F; f++) d_x[n][f] = 0.0f;
        for (int m = 0; m < K; m++) {
            float v = d_y[n][m];
            for (int f = 0; f < F; f++) d_x[n][f] += v * weight[m][f];
        }
    }
}

// dense1: gradient of the weight: zero for dropped ones.
//
//   x  [33, 40]
//   y  [33, 40]
static void dense1_backward_weight_drop(int accumulate, uint64_t seed, uint64_t step, const float *restrict x,
                                        float *restrict y) {
    enum { COUNT = 1320 };
    enum { PIECE = 256, ROOM = 260 };  // weights that bits are drawn for at once, and whole blocks of bits

    OMP(omp for schedule(static) nowait)
    for (int first = 0; first < COUNT; first += PIECE) {
        const int count = MIN(PIECE, COUNT - first);
        uint32_t room[ROOM];
        const uint32_t *bits = random_bits(room, count, seed, 0xd9d91213u, step, (uint64_t)first);
        for (int i = 0; i < count; i++) {
            const float kept = bits[i] < 1073741824u ? 0.0f : x[first + i] * 1.3333334f;
            y[first + i] = (accumulate ? y[first + i] : 0.0f) + kept;
        }
    }
}
