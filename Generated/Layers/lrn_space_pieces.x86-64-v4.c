#include <stdint.h>
#include <string.h>

#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
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

// lrn1: LocalResponseNorm over 3x3 cells.
//
//   x  [batch, 1, 4, 231]
//   y  [batch, 1, 4, 231]
static NOINLINE void lrn1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 1, H = 4, W = 231 };
    enum { PIECE = 231 };  // columns at a time
    enum { HALF = 1, SIZE = 3 };  // cells of a window
    enum { ROW = 231 };  // floats from one row to the next
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

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
            float *result = &y[n][m][h][w0];
            for (int i = 0; i < cells; i++) {
                float sum = 0.0f;
                for (int q = 0; q < SIZE; q++) sum += columns[i + q];
                const float s = 1.0f + 0.055555556f * sum;
                const float power = inverse_power_float(s);
                result[i] = value[i] * power;
            }
        }
    }
}

// lrn1: gradient of the input.
//
//   x    [batch, 1, 4, 231]
//   d_y  [batch, 1, 4, 231]
//   d_x  [batch, 1, 4, 231]
static NOINLINE void lrn1_backward(int batch, const float *restrict x_, const float *restrict d_y_,
                                   float *restrict d_x_) {
    enum { C = 1, H = 4, W = 231 };
    enum { PIECE = 128 };  // columns at a time
    enum { HALF = 1, SIZE = 3 };  // cells of a window
    enum { ROW = 231 };  // floats from one row to the next
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    OMP(omp for collapse(3) schedule(static) nowait)
    for (int n = 0; n < batch; n++) for (int m = 0; m < C; m++) {
        for (int w0 = 0; w0 < W; w0 += PIECE) {
            // What a place adds to the gradients of its neighbours is wanted around the piece as well, and squares
            // around that.
            const int first = MAX(0, w0 - HALF), places = (MIN(W, w0 + PIECE + HALF) - first);
            const int left = MAX(0, w0 - 2 * HALF), around = (MIN(W, w0 + PIECE + 2 * HALF) - left);
            float squares[(PIECE + 4 * HALF)] = {0};  // sums over the rows of the window
            // Of the last SIZE rows: s^-beta, and what a place adds to the gradients of its neighbours.
            float factors[SIZE][(PIECE + 2 * HALF)], slopes[SIZE][(PIECE + 2 * HALF)] = {0};
            for (int k = 0; k < H + HALF; k++) {
                float *factor = factors[k % SIZE] + (first - w0 + HALF);
                float *slope = slopes[k % SIZE] + (first - w0 + HALF);
                if (k < H) {
                    float *column = squares + (left - w0 + 2 * HALF);
                    if (k >= HALF && k < H - HALF) {
                        const float *middle = &x[n][m][k][left];
                        for (int i = 0; i < around; i++) {
                            float sum = 0.0f;
                            for (int d = -HALF; d <= HALF; d++) {
                                const float neighbour = middle[i + d * ROW];
                                sum += neighbour * neighbour;
                            }
                            column[i] = sum;
                        }
                    } else {
                        for (int i = 0; i < around; i++) column[i] = 0.0f;
                        for (int r = MAX(0, k - HALF); r < MIN(H, k + HALF + 1); r++) {
                            const float *neighbour = &x[n][m][r][left];
                            for (int i = 0; i < around; i++) column[i] += neighbour[i] * neighbour[i];
                        }
                    }
                    column = squares + (first - w0 + HALF);
                    const float *value = &x[n][m][k][first], *d_after = &d_y[n][m][k][first];
                    for (int i = 0; i < places; i++) {
                        float sum = 0.0f;
                        for (int q = 0; q < SIZE; q++) sum += column[i + q];
                        const float s = 1.0f + 0.055555556f * sum;
                        const float power = inverse_power_float(s);
                        factor[i] = power;
                        slope[i] = d_after[i] * value[i] * power * ((s * power * power) * (s * power * power));
                    }
                } else {
                    for (int i = 0; i < places; i++) slope[i] = 0.0f;
                }
                const int h = k - HALF;  // the middle of the rows at hand
                if (h < 0) continue;
                float sums[(PIECE + 2 * HALF)];
                for (int i = 0; i < (PIECE + 2 * HALF); i++) {
                    sums[i] = 0.0f;
                    for (int q = 0; q < SIZE; q++) sums[i] += slopes[q][i];
                }
                factor = factors[h % SIZE] + HALF;
                const float *value = &x[n][m][h][w0], *d_after = &d_y[n][m][h][w0];
                float *d_before = &d_x[n][m][h][w0];
                for (int i = 0; i < MIN(PIECE, W - w0); i++) {
                    float sum = 0.0f;
                    for (int q = 0; q < SIZE; q++) sum += sums[i + q];
                    d_before[i] = d_after[i] * factor[i] - 0.083333336f * value[i] * sum;
                }
            }
        }
    }
}
