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

// dropout1: Dropout 0.5.
//
//   x  [batch, 2, 5, 7]
//   y  [batch, 2, 5, 7]
static void dropout1_forward(int batch, uint64_t seed, uint64_t step, const float *restrict x_, float *restrict y_) {
    enum { C = 2, H = 5, W = 7 };
    enum { ROWS = 5, COLUMNS = 7 };  // what random bits are drawn for at once
    enum { ROOM = 40 };  // whole blocks of bits
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) for (int m = 0; m < C; m++) {
        for (int h0 = 0; h0 < H; h0 += ROWS) for (int w0 = 0; w0 < W; w0 += COLUMNS) {
            const int rows = MIN(ROWS, H - h0), columns = MIN(COLUMNS, W - w0), count = rows * columns;
            const uint64_t first = (((uint64_t)n * 2 + m) * H + h0) * W + w0;
            // dropout1
            uint32_t dropout1_bits_room[ROOM];
            const uint32_t *dropout1_bits = random_bits(dropout1_bits_room, count, seed, 0x5f2e4f73u, step, first);
            for (int h = h0; h < h0 + rows; h++) for (int w = w0; w < w0 + columns; w++) {
                float v = x[n][m][h][w];
                // dropout1
                v = dropout1_bits[(h - h0) * W + w - w0] < 2147483648u ? 0.0f : v * 2.0f;
                y[n][m][h][w] = v;
            }
        }
    }
}

// dropout1: gradient through Dropout 0.5.
//
//   d_y  [batch, 2, 5, 7]
//   d_x  [batch, 2, 5, 7]
static void dropout1_backward(int batch, uint64_t seed, uint64_t step, const float *restrict d_y_,
                              float *restrict d_x_) {
    enum { C = 2, H = 5, W = 7 };
    enum { ROWS = 5, COLUMNS = 7 };  // what random bits are drawn for at once
    enum { ROOM = 40 };  // whole blocks of bits
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) for (int m = 0; m < C; m++) {
        for (int h0 = 0; h0 < H; h0 += ROWS) for (int w0 = 0; w0 < W; w0 += COLUMNS) {
            const int rows = MIN(ROWS, H - h0), columns = MIN(COLUMNS, W - w0), count = rows * columns;
            const uint64_t first = (((uint64_t)n * 2 + m) * H + h0) * W + w0;
            // dropout1
            uint32_t dropout1_bits_room[ROOM];
            const uint32_t *dropout1_bits = random_bits(dropout1_bits_room, count, seed, 0x5f2e4f73u, step, first);
            for (int h = h0; h < h0 + rows; h++) for (int w = w0; w < w0 + columns; w++) {
                float v = d_y[n][m][h][w];
                // dropout1
                v = dropout1_bits[(h - h0) * W + w - w0] < 2147483648u ? 0.0f : v * 2.0f;
                d_x[n][m][h][w] = v;
            }
        }
    }
}
