#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// prelu1: PReLU.
//
//   x             [batch, 19]
//   y             [batch, 19]
//   prelu1_slope  [19]
static NOINLINE void prelu1_forward(int batch, const float *restrict x_, float *restrict y_,
                                    const float *restrict prelu1_slope) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                // prelu1
                {
                    const float below = v * prelu1_slope[m];
                    v = v < 0.0f ? below : v;
                }
                y[n][m] = v;
            }
        }
    }
}

// prelu1: PReLU.
//
//   x      [batch, 19]
//   y      [batch, 19]
//   slope  [19]
static NOINLINE void prelu1_forward_2(int batch, const float *restrict x_, float *restrict y_,
                                      const float *restrict slope) {
    enum { C = 19 };
    const float (*x)[C] = (const float (*)[C])x_;
    float (*y)[C] = (float (*)[C])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            {
                float v = x[n][m];
                // prelu1
                {
                    const float below = v * slope[m];
                    v = v < 0.0f ? below : v;
                }
                y[n][m] = v;
            }
        }
    }
}

// prelu1: gradient of the input, and parts of the slope's.
//
//   x      [batch, 19]
//   d_y    [batch, 19]
//   slope  [19]
//   d_x    [batch, 19]
//   parts  [batch, 19]
static NOINLINE void prelu1_backward(int batch, const float *restrict x_, const float *restrict d_y_,
                                     const float *restrict slope, float *restrict d_x_, float *restrict parts_) {
    enum { C = 19 };
    enum { CELLS = 1, STEP = 16 };  // floats of a row, and how many at a time
    const float (*x)[C] = (const float (*)[C])x_;
    const float (*d_y)[C] = (const float (*)[C])d_y_;
    float (*d_x)[C] = (float (*)[C])d_x_;
    float (*parts)[19] = (float (*)[19])parts_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            float sums[STEP] = {0};  // many short sums: they round less, and fill a vector
            const float *value = &x[n][m], *d_after = &d_y[n][m];
            for (int i = 0; i + STEP <= CELLS; i += STEP)
                for (int j = 0; j < STEP; j++) {
                    const float part = value[i + j] * d_after[i + j];
                    sums[j] += value[i + j] > 0.0f ? 0.0f : part;
                }
            for (int i = CELLS / STEP * STEP; i < CELLS; i++)
                sums[0] += value[i] > 0.0f ? 0.0f : value[i] * d_after[i];
            {
                const float after = d_y[n][m], below = after * slope[m];
                d_x[n][m] = x[n][m] > 0.0f ? after : below;
            }
            float sum = 0.0f;
            for (int j = 0; j < STEP; j++) sum += sums[j];
            parts[n][m] = sum;
        }
    }
}

// prelu1: gradient of the slope: the sum of its parts.
//
//   parts    [batch, 19]
//   d_slope  [19]
static NOINLINE void prelu1_backward_slope(int batch, int accumulate, const float *restrict parts_,
                                           float *restrict d_slope) {
    enum { C = 19 };
    const float (*parts)[C] = (const float (*)[C])parts_;

    for (int c = 0; c < C; c++) {
        double sum = accumulate ? d_slope[c] : 0.0;
        for (int n = 0; n < batch; n++) sum += parts[n][c];
        d_slope[c] = (float)sum;
    }
}

// prelu1: a slope of each channel, filled up to whole vectors.
//
//   slope  [19]
//   y      [32]
static NOINLINE void prelu1_prepare(const float *restrict slope, float *restrict y) {
    enum { C = 19, PADDED = 32 };

    for (int c = 0; c < PADDED; c++) y[c] = c < C ? slope[c] : 0.0f;
}
