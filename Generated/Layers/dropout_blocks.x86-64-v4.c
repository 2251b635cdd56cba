#include <stdint.h>
#include <string.h>

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif
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

// a0 b0 a1 b1 ... of the first halves.
INLINE lanes zip_low(lanes a, lanes b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// a0 b0 a1 b1 ... of the second halves.
INLINE lanes zip_high(lanes a, lanes b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef uint64_t blocks __attribute__((vector_size(8 * LANES)));
// Vectors of blocks that are drawn side by side, as many as the registers hold: each round waits for the one before.
enum { SETS = LANES > 8 ? 2 : 1 };

// The four words of LANES blocks of Philox 4x32-10 (Salmon et al. 2011) in each set: random bits that depend on the
// step's seed, the layer's key and the block's number alone. Upper halves may hold anything, for products are taken of
// the lower ones.
INLINE void random_blocks(words word[SETS][4], uint64_t seed, uint32_t key, uint64_t step, const blocks block[SETS]) {
    blocks word0[SETS], word1[SETS], word2[SETS], word3[SETS];
    UNROLL for (int s = 0; s < SETS; s++) {
        word0[s] = block[s];
        word1[s] = block[s] >> 32;
        word2[s] = (blocks){0} + step;
        word3[s] = word2[s] >> 32;
    }
    uint32_t key0 = (uint32_t)seed ^ key, key1 = (uint32_t)(seed >> 32);
    UNROLL for (int round = 0; round < 10; round++) {
        UNROLL for (int s = 0; s < SETS; s++) {
            const blocks a = (word0[s] & 0xFFFFFFFFu) * 0xD2511F53u, b = (word2[s] & 0xFFFFFFFFu) * 0xCD9E8D57u;
            word0[s] = (b >> 32) ^ word1[s] ^ key0;
            word1[s] = b;
            word2[s] = (a >> 32) ^ word3[s] ^ key1;
            word3[s] = a;
        }
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    UNROLL for (int s = 0; s < SETS; s++) {
        word[s][0] = __builtin_convertvector(word0[s], words);
        word[s][1] = __builtin_convertvector(word1[s], words);
        word[s][2] = __builtin_convertvector(word2[s], words);
        word[s][3] = __builtin_convertvector(word3[s], words);
    }
}

// Random words of count values that follow one another, the first with this index; the room takes three more and is
// whole blocks of 4 * LANES in each set.
INLINE const uint32_t *random_bits(uint32_t *room, int count, uint64_t seed, uint32_t key, uint64_t step,
                                   uint64_t index) {
    const int first = index % 4;
    blocks block[SETS];
    for (int l = 0; l < LANES; l++) block[0][l] = index / 4 + l;
    for (int s = 1; s < SETS; s++) block[s] = block[0] + LANES * s;
    for (int i = 0; i < count + first; i += SETS * 4 * LANES) {
        words word[SETS][4];
        random_blocks(word, seed, key, step, block);
        UNROLL for (int s = 0; s < SETS; s++) {
            const lanes word0 = (lanes)word[s][0], word1 = (lanes)word[s][1];
            const lanes word2 = (lanes)word[s][2], word3 = (lanes)word[s][3];
            const lanes even[2] = {zip_low(word0, word2), zip_high(word0, word2)};
            const lanes odd[2] = {zip_low(word1, word3), zip_high(word1, word3)};
            UNROLL for (int j = 0; j < 2; j++) {
                word[s][2 * j] = (words)zip_low(even[j], odd[j]);
                word[s][2 * j + 1] = (words)zip_high(even[j], odd[j]);
            }
            block[s] += SETS * LANES;
        }
        memcpy(room + i, word, sizeof word);
    }
    return room + first;
}

// dropout1: Dropout 0.25.
//
//   x  [batch, 32, 3, 3]
//   y  [batch, 32, 3, 3]
static NOINLINE void dropout1_forward(int batch, uint64_t seed, uint64_t step, const float *restrict x_,
                                      float *restrict y_) {
    enum { C = 32, H = 3, W = 3 };
    enum { ROWS = 3, COLUMNS = 3 };  // what random bits are drawn for at once
    enum { ROOM = 128 };  // whole blocks of bits
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) for (int m = 0; m < C; m++) {
        for (int h0 = 0; h0 < H; h0 += ROWS) for (int w0 = 0; w0 < W; w0 += COLUMNS) {
            const int rows = MIN(ROWS, H - h0), columns = MIN(COLUMNS, W - w0), count = rows * columns;
            const uint64_t first = (((uint64_t)n * 32 + m) * H + h0) * W + w0;
            // dropout1
            uint32_t dropout1_bits_room[ROOM];
            const uint32_t *dropout1_bits = random_bits(dropout1_bits_room, count, seed, 0x5f2e4f73u, step, first);
            for (int h = h0; h < h0 + rows; h++) for (int w = w0; w < w0 + columns; w++) {
                float v = x[n][m][h][w];
                // dropout1
                v = dropout1_bits[(h - h0) * W + w - w0] < 1073741824u ? 0.0f : v * 1.3333334f;
                y[n][m][h][w] = v;
            }
        }
    }
}

// dropout1: gradient through Dropout 0.25.
//
//   d_y  [batch, 32, 3, 3]
//   d_x  [batch, 32, 3, 3]
static NOINLINE void dropout1_backward(int batch, uint64_t seed, uint64_t step, const float *restrict d_y_,
                                       float *restrict d_x_) {
    enum { C = 32, H = 3, W = 3 };
    enum { ROWS = 3, COLUMNS = 3 };  // what random bits are drawn for at once
    enum { ROOM = 128 };  // whole blocks of bits
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) for (int m = 0; m < C; m++) {
        for (int h0 = 0; h0 < H; h0 += ROWS) for (int w0 = 0; w0 < W; w0 += COLUMNS) {
            const int rows = MIN(ROWS, H - h0), columns = MIN(COLUMNS, W - w0), count = rows * columns;
            const uint64_t first = (((uint64_t)n * 32 + m) * H + h0) * W + w0;
            // dropout1
            uint32_t dropout1_bits_room[ROOM];
            const uint32_t *dropout1_bits = random_bits(dropout1_bits_room, count, seed, 0x5f2e4f73u, step, first);
            for (int h = h0; h < h0 + rows; h++) for (int w = w0; w < w0 + columns; w++) {
                float v = d_y[n][m][h][w];
                // dropout1
                v = dropout1_bits[(h - h0) * W + w - w0] < 1073741824u ? 0.0f : v * 1.3333334f;
                d_x[n][m][h][w] = v;
            }
        }
    }
}
