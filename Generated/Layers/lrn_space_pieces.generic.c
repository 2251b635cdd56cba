#include <stdint.h>
#include <string.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
// What an iteration writes, no other one touches; two vectors at a time.
#ifdef __clang__
#define PAIRED _Pragma("clang loop vectorize(assume_safety) interleave_count(2)")
#else
#define PAIRED _Pragma("GCC ivdep")
#endif
#define ALIGNED __attribute__((aligned(64)))  // starts with a line of memory
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

// lrn1: LocalResponseNorm over 3x3 cells.
//
//   x  [batch, 1, 2, 1131]
//   y  [batch, 1, 2, 1131]
static void lrn1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 1, H = 2, W = 1131 };
    enum { ROWS = 16 };  // rows at a time
    enum { HALF = 1, SIZE = 3 };  // cells of a window
    enum { SIDE = 16, ROOM = 1152 };  // zeros in front of a row that is kept, and floats with those behind it
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    OMP(omp for collapse(3) schedule(static) nowait)
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
                const float s = 1.0f + 0.055555556f * sum;
                const float power = inverse_power_float(s);
                result[i] = value[i] * power;
            }
        }
    }
}

// lrn1: what every place adds to the gradients around it.
//
//   x       [batch, 1, 2, 1131]
//   d_y     [batch, 1, 2, 1131]
//   slopes  [batch, 1, 2, 1131]
static void lrn1_slopes(int batch, const float *restrict x_, const float *restrict d_y_, float *restrict slopes_) {
    enum { C = 1, H = 2, W = 1131 };
    enum { PIECE = 512 };  // columns at a time
    enum { HALF = 1, SIZE = 3 };  // cells of a window
    enum { ROW = 1131 };  // floats from one row to the next
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*slopes)[C][H][W] = (float (*)[C][H][W])slopes_;

    OMP(omp for collapse(3) schedule(static) nowait)
    for (int n = 0; n < batch; n++) for (int m = 0; m < C; m++) for (int h = 0; h < H; h++) {
        for (int w0 = 0; w0 < W; w0 += PIECE) {
            const int first = MAX(0, w0 - HALF), last = MIN(W, w0 + PIECE + HALF);
            const int cells = MIN(PIECE, W - w0);
            float columns[(PIECE + 2 * HALF)] = {0};  // sums over the rows of the window
            float *column = columns + (first - w0 + HALF);
            if (h >= HALF && h < H - HALF) {
                const float *middle = &x[n][m][h][first];
                for (int i = 0; i < (last - first); i++) {
                    float squares = 0.0f;
                    for (int d = -HALF; d <= HALF; d++) {
                        const float neighbour = middle[i + d * ROW];
                        squares += neighbour * neighbour;
                    }
                    column[i] = squares;
                }
            } else {
                for (int r = MAX(0, h - HALF); r < MIN(H, h + HALF + 1); r++) {
                    const float *neighbour = &x[n][m][r][first];
                    for (int i = 0; i < (last - first); i++) column[i] += neighbour[i] * neighbour[i];
                }
            }
            const float *value = &x[n][m][h][w0];
            const float *d_after = &d_y[n][m][h][w0];
            float *result = &slopes[n][m][h][w0];
            for (int i = 0; i < cells; i++) {
                float sum = 0.0f;
                for (int q = 0; q < SIZE; q++) sum += columns[i + q];
                const float s = 1.0f + 0.055555556f * sum;
                const float power = inverse_power_float(s);
                result[i] = d_after[i] * value[i] * power * ((s * power * power) * (s * power * power));
            }
        }
    }
}

// lrn1: gradient of the input.
//
//   x       [batch, 1, 2, 1131]
//   d_y     [batch, 1, 2, 1131]
//   slopes  [batch, 1, 2, 1131]
//   d_x     [batch, 1, 2, 1131]
static void lrn1_backward(int batch, const float *restrict x_, const float *restrict d_y_,
                          const float *restrict slopes_, float *restrict d_x_) {
    enum { C = 1, H = 2, W = 1131 };
    enum { PIECE = 512 };  // columns at a time
    enum { HALF = 1, SIZE = 3 };  // cells of a window
    enum { ROW = 1131 };  // floats from one row to the next
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*slopes)[C][H][W] = (const float (*)[C][H][W])slopes_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    OMP(omp for collapse(3) schedule(static) nowait)
    for (int n = 0; n < batch; n++) for (int m = 0; m < C; m++) for (int h = 0; h < H; h++) {
        for (int w0 = 0; w0 < W; w0 += PIECE) {
            const int first = MAX(0, w0 - HALF), last = MIN(W, w0 + PIECE + HALF);
            const int cells = MIN(PIECE, W - w0);
            float columns[(PIECE + 2 * HALF)] = {0};  // sums over the rows of the window
            float sum[PIECE] = {0};
            float *column = columns + (first - w0 + HALF);
            for (int r = MAX(0, h - HALF); r < MIN(H, h + HALF + 1); r++) {
                const float *neighbour = &x[n][m][r][first];
                for (int i = 0; i < (last - first); i++) column[i] += neighbour[i] * neighbour[i];
            }
            for (int s = 0; s < SIZE; s++)
                for (int i = 0; i < cells; i++) sum[i] += columns[i + s];
            for (int i = 0; i < cells; i++) {
                const float s = 1.0f + 0.055555556f * sum[i];
                sum[i] = inverse_power_float(s);
            }
            float slope[PIECE] = {0};
            for (int i = 0; i < (PIECE + 2 * HALF); i++) columns[i] = 0.0f;
            for (int r = MAX(0, h - HALF); r < MIN(H, h + HALF + 1); r++) {
                const float *neighbour = &slopes[n][m][r][first];
                for (int i = 0; i < (last - first); i++) column[i] += neighbour[i];
            }
            for (int s = 0; s < SIZE; s++)
                for (int i = 0; i < cells; i++) slope[i] += columns[i + s];
            const float *value = &x[n][m][h][w0], *d_after = &d_y[n][m][h][w0];
            float *d_before = &d_x[n][m][h][w0];
            for (int i = 0; i < cells; i++)
                d_before[i] = d_after[i] * sum[i] - 0.083333336f * value[i] * slope[i];
        }
    }
}
