#include <stdint.h>
#include <string.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// x^-0.75 for normal x above 0, within 2 units in the last place; NaN passes through. Without a call, so that loops
// become vectors.
static inline float inverse_power_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = 0x6f14e000u - (bits - (bits >> 2));
    float power;
    memcpy(&power, &bits, sizeof power);  // within 4.5 %
    for (int step = 0; step < 2; step++) {
        const float root = x * power;  // x^0.25
        const float off = 1.0f - root * root * (root * power);
        power += power * off * (0.25f + 0.15625f * off);  // of (1 - off)^-1/4 the first powers
    }
    return power;
}

// lrn1: LocalResponseNorm over 5x5 cells.
//
//   x  [batch, 16, 3, 4]
//   y  [batch, 16, 3, 4]
static void lrn1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 3, W = 4 };
    enum { PIECE = 4 };  // columns at a time
    enum { HALF = 2, SIZE = 5 };  // cells of a window
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

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
            const float *value = &x[n][m][h][w0];
            float *result = &y[n][m][h][w0];
            for (int i = 0; i < cells; i++) {
                const float s = 0.0f + 0.02f * sum[i];
                const float factor = s < 1.17549435e-38f ? 0.0f : inverse_power_float(s);
                result[i] = value[i] * factor;
            }
        }
    }
}

// lrn1: what every place adds to the gradients around it.
//
//   x       [batch, 16, 3, 4]
//   d_y     [batch, 16, 3, 4]
//   slopes  [batch, 16, 3, 4]
static void lrn1_slopes(int batch, const float *restrict x_, const float *restrict d_y_, float *restrict slopes_) {
    enum { C = 16, H = 3, W = 4 };
    enum { PIECE = 4 };  // columns at a time
    enum { HALF = 2, SIZE = 5 };  // cells of a window
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*slopes)[C][H][W] = (float (*)[C][H][W])slopes_;

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
            const float *value = &x[n][m][h][w0];
            const float *d_after = &d_y[n][m][h][w0];
            float *result = &slopes[n][m][h][w0];
            for (int i = 0; i < cells; i++) {
                const float s = 0.0f + 0.02f * sum[i];
                const float factor = s < 1.17549435e-38f ? 0.0f : inverse_power_float(s);
                result[i] = d_after[i] * value[i] * factor / MAX(s, 1.17549435e-38f);
            }
        }
    }
}

// lrn1: gradient of the input.
//
//   x       [batch, 16, 3, 4]
//   d_y     [batch, 16, 3, 4]
//   slopes  [batch, 16, 3, 4]
//   d_x     [batch, 16, 3, 4]
static void lrn1_backward(int batch, const float *restrict x_, const float *restrict d_y_,
                          const float *restrict slopes_, float *restrict d_x_) {
    enum { C = 16, H = 3, W = 4 };
    enum { PIECE = 4 };  // columns at a time
    enum { HALF = 2, SIZE = 5 };  // cells of a window
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
                const float s = 0.0f + 0.02f * sum[i];
                sum[i] = s < 1.17549435e-38f ? 0.0f : inverse_power_float(s);
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
                d_before[i] = d_after[i] * sum[i] - 0.03f * value[i] * slope[i];
        }
    }
}
