#include <stdint.h>
#include <string.h>

// What an iteration writes, no other one touches; two vectors at a time.
#ifdef __clang__
#define PAIRED _Pragma("clang loop vectorize(assume_safety) interleave_count(2)")
#else
#define PAIRED _Pragma("GCC ivdep")
#endif
#define ALIGNED __attribute__((aligned(64)))  // starts with a line of memory
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// x^-0.75 for normal x above 0, within 2 units in the last place; NaN passes through. Without a call, so that loops
// become vectors.
static inline float inverse_power_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = 0x6f146000u - (bits - (bits >> 2));
    float power;
    memcpy(&power, &bits, sizeof power);  // within 4.5 %
    const float root = x * power;  // x^0.25
    const float off = 1.0f - root * root * (root * power);
    // (1 - off)^-1/4, a polynomial fitted to what that leaves: -0.172 to 0.172
    float scale = 0.08427086f + 0.07443222f * off;
    scale = 0.09514578f + scale * off;
    scale = 0.11713845f + scale * off;
    scale = 0.15625039f + scale * off;
    scale = 0.25f + scale * off;
    return power + power * off * scale;
}

// lrn1: LocalResponseNorm over 7x7 cells.
//
//   x  [batch, 1, 3, 70]
//   y  [batch, 1, 3, 70]
static NOINLINE void lrn1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 1, H = 3, W = 70 };
    enum { ROWS = 16 };  // rows at a time
    enum { HALF = 3, SIZE = 7 };  // cells of a window
    enum { SIDE = 16, ROOM = 96 };  // zeros in front of a row that is kept, and floats with those behind it
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) for (int m = 0; m < C; m++) for (int h0 = 0; h0 < H; h0 += ROWS) {
        // A row's squares are summed over the rows of its window one row early: sums over columns then read what left
        // the processor's store buffer long before.
        float squares[2][ROOM] ALIGNED = {0}, none[W] = {0}, spare[W];
        for (int h = h0 - 1; h < MIN(H, h0 + ROWS); h++) {
            const float *rows[SIZE];  // of the window around row h + 1
            for (int d = 0; d < SIZE; d++) {
                const int r = h + 1 - HALF + d;
                rows[d] = r < 0 || r >= H ? none : x[n][m][r];
            }
            float *column = squares[(h + 1) % 2] + SIDE;
            const float *columns = squares[(h + 2) % 2] + SIDE - HALF;
            const float *value = h < h0 ? none : x[n][m][h];
            float *result = h < h0 ? spare : y[n][m][h];
            PAIRED for (int i = 0; i < W; i++) {
                float square = 0.0f, sum = 0.0f;
                for (int d = 0; d < SIZE; d++) square += rows[d][i] * rows[d][i];
                column[i] = square;
                for (int q = 0; q < SIZE; q++) sum += columns[i + q];
                const float s = 1.0f + 0.010204081f * sum;
                const float power = inverse_power_float(s);
                result[i] = value[i] * power;
            }
        }
    }
}

// lrn1: gradient of the input.
//
//   x    [batch, 1, 3, 70]
//   d_y  [batch, 1, 3, 70]
//   d_x  [batch, 1, 3, 70]
static NOINLINE void lrn1_backward(int batch, const float *restrict x_, const float *restrict d_y_,
                                   float *restrict d_x_) {
    enum { C = 1, H = 3, W = 70 };
    enum { HALF = 3, SIZE = 7 };  // cells of a window
    enum { SIDE = 16, ROOM = 96 };  // zeros in front of a row that is kept, and floats with those behind it
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) for (int m = 0; m < C; m++) {
        // One walk down the map sums squares over the rows of the window of row k + 1, takes what the places of row k
        // add to the gradients around them, and writes the gradients of row k - HALF - 1. Sums over columns read what
        // the walk wrote a row before, which has left the processor's store buffer by then.
        float squares[2][ROOM] ALIGNED = {0}, totals[2][ROOM] ALIGNED = {0};  // over the rows of a window
        float scaled[HALF + 2][W] ALIGNED = {0}, slopes[SIZE][W] ALIGNED = {0};  // d_y s^-beta, what is added
        float none[W] = {0}, spare[W] = {0};
        for (int k = -1; k < H + HALF + 1; k++) {
            const int h = k - HALF - 1, turn = k + 1;
            const float *rows[SIZE];  // of the window around row k + 1
            float *slope[SIZE];  // this row's, and those of the rows before, the oldest first
            for (int d = 0; d < SIZE; d++) {
                const int r = k + 1 - HALF + d;
                rows[d] = r < 0 || r >= H ? none : x[n][m][r];
                slope[d] = slopes[(turn + d) % SIZE];
            }
            float *column = squares[turn % 2] + SIDE, *total = totals[turn % 2] + SIDE;
            const float *columns = squares[(turn + 1) % 2] + SIDE - HALF;
            const float *around = totals[(turn + 1) % 2] + SIDE - HALF;
            float *share = scaled[turn % (HALF + 2)], *own = scaled[(turn + 1) % (HALF + 2)];
            const float *value = k < 0 || k >= H ? none : x[n][m][k], *d_after = k < 0 || k >= H ? none : d_y[n][m][k];
            const float *before = h < 0 ? none : x[n][m][h];
            float *d_before = h < 0 ? spare : d_x[n][m][h];
            PAIRED for (int i = 0; i < W; i++) {
                float square = 0.0f, sum = 0.0f, slopes_around = 0.0f;
                for (int d = 0; d < SIZE; d++) square += rows[d][i] * rows[d][i];
                column[i] = square;
                for (int q = 0; q < SIZE; q++) sum += columns[i + q];
                const float s = 1.0f + 0.010204081f * sum;
                const float power = inverse_power_float(s);
                for (int q = 0; q < SIZE; q++) slopes_around += around[i + q];
                d_before[i] = own[i] - 0.015306123f * before[i] * slopes_around;
                const float part = d_after[i] * power;
                share[i] = part;
                float all = part * value[i] * ((s * power * power) * (s * power * power));
                slope[0][i] = all;
                for (int d = 1; d < SIZE; d++) all += slope[d][i];
                total[i] = all;
            }
        }
    }
}
