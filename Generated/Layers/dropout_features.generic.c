#include <stdint.h>

// Word index % 4 of block index / 4 of Philox 4x32-10 (Salmon et al. 2011): random bits that depend on the step's seed,
// the layer's key and the value's index alone.
// Without an array or a call, so that loops become vectors.
#ifdef __GNUC__
__attribute__((always_inline))
#endif
static inline uint32_t random_word(uint64_t seed, uint32_t key, uint64_t step, uint64_t index) {
    const uint64_t block = index / 4;
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
    const uint32_t even = index & 2 ? word2 : word0, odd = index & 2 ? word3 : word1;
    return index & 1 ? odd : even;
}

// dropout1: Dropout 0.75.
//
//   x  [batch, 19]
//   y  [batch, 19]
static void dropout1_forward(int batch, uint64_t seed, uint64_t step, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                // dropout1
                {
                    const uint64_t index = ((uint64_t)(n) * 19 + (m));
                    v = random_word(seed, 0x5f2e4f73u, step, index) < 3221225472u ? 0.0f : v * 4.0f;
                }
                y[n][m] = v;
            }
        }
    }
}

// dropout1: gradient through Dropout 0.75.
//
//   d_y  [batch, 19]
//   d_x  [batch, 19]
static void dropout1_backward(int batch, uint64_t seed, uint64_t step, const float *restrict d_y_,
                              float *restrict d_x_) {
    enum { C = 19 };
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = d_y[n][m];
                // dropout1
                {
                    const uint64_t index = ((uint64_t)(n) * 19 + (m));
                    v = random_word(seed, 0x5f2e4f73u, step, index) < 3221225472u ? 0.0f : v * 4.0f;
                }
                d_x[n][m] = v;
            }
        }
    }
}
