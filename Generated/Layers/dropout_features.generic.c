#include <stdint.h>
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

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

// dropout1: Dropout 0.75.
//
//   x  [batch, 19]
//   y  [batch, 19]
static void dropout1_forward(int batch, uint64_t seed, uint64_t step, const float *restrict x_, float *restrict y_) {
    enum { C = 19 };
    enum { COLUMNS = 19 };  // what random bits are drawn for at once
    enum { ROOM = 24 };  // whole blocks of bits
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m0 = 0; m0 < C; m0 += COLUMNS) {
            const int columns = MIN(COLUMNS, C - m0), count = columns;
            const uint64_t first = (uint64_t)n * 19 + m0;
            // dropout1
            uint32_t dropout1_bits_room[ROOM];
            const uint32_t *dropout1_bits = random_bits(dropout1_bits_room, count, seed, 0x5f2e4f73u, step, first);
            for (int m = m0; m < m0 + columns; m++) {
                float v = x[n][m];
                // dropout1
                v = dropout1_bits[m - m0] < 3221225472u ? 0.0f : v * 4.0f;
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
    enum { COLUMNS = 19 };  // what random bits are drawn for at once
    enum { ROOM = 24 };  // whole blocks of bits
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m0 = 0; m0 < C; m0 += COLUMNS) {
            const int columns = MIN(COLUMNS, C - m0), count = columns;
            const uint64_t first = (uint64_t)n * 19 + m0;
            // dropout1
            uint32_t dropout1_bits_room[ROOM];
            const uint32_t *dropout1_bits = random_bits(dropout1_bits_room, count, seed, 0x5f2e4f73u, step, first);
            for (int m = m0; m < m0 + columns; m++) {
                float v = d_y[n][m];
                // dropout1
                v = dropout1_bits[m - m0] < 3221225472u ? 0.0f : v * 4.0f;
                d_x[n][m] = v;
            }
        }
    }
}
