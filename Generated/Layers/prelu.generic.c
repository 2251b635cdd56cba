#include <stdint.h>

// prelu1: PReLU.
//
//   x             [batch, 2, 5, 7]
//   y             [batch, 2, 5, 7]
//   prelu1_slope  [2]
static void prelu1_forward(int batch, const float *restrict x_, float *restrict y_,
                           const float *restrict prelu1_slope) {
    enum { C = 2, H = 5, W = 7 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // prelu1
                    {
                        const float below = v * prelu1_slope[m];
                        v = v < 0.0f ? below : v;
                    }
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// prelu1: PReLU.
//
//   x      [batch, 2, 5, 7]
//   y      [batch, 2, 5, 7]
//   slope  [2]
static void prelu1_forward_2(int batch, const float *restrict x_, float *restrict y_, const float *restrict slope) {
    enum { C = 2, H = 5, W = 7 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // prelu1
                    {
                        const float below = v * slope[m];
                        v = v < 0.0f ? below : v;
                    }
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// prelu1: gradient of the input, and parts of the slope's.
//
//   x      [batch, 2, 5, 7]
//   d_y    [batch, 2, 5, 7]
//   slope  [2]
//   d_x    [batch, 2, 5, 7]
//   parts  [batch, 2]
static void prelu1_backward(int batch, const float *restrict x_, const float *restrict d_y_,
                            const float *restrict slope, float *restrict d_x_, float *restrict parts_) {
    enum { C = 2, H = 5, W = 7 };
    enum { CELLS = 7, STEP = 16 };  // floats of a row, and how many at a time
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;
    float (*parts)[2] = (float (*)[2])parts_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            float sums[STEP] = {0};  // many short sums: they round less, and fill a vector
            for (int h = 0; h < H; h++) {
                const float *value = x[n][m][h], *d_after = d_y[n][m][h];
                for (int i = 0; i + STEP <= CELLS; i += STEP)
                    for (int j = 0; j < STEP; j++) {
                        const float part = value[i + j] * d_after[i + j];
                        sums[j] += value[i + j] > 0.0f ? 0.0f : part;
                    }
                for (int i = CELLS / STEP * STEP; i < CELLS; i++)
                    sums[0] += value[i] > 0.0f ? 0.0f : value[i] * d_after[i];
                for (int w = 0; w < W; w++) {
                    const float after = d_y[n][m][h][w], below = after * slope[m];
                    d_x[n][m][h][w] = x[n][m][h][w] > 0.0f ? after : below;
                }
            }
            float sum = 0.0f;
            for (int j = 0; j < STEP; j++) sum += sums[j];
            parts[n][m] = sum;
        }
    }
}

// prelu1: gradient of the slope: the sum of its parts.
//
//   parts    [batch, 2]
//   d_slope  [2]
static void prelu1_backward_slope(int batch, int accumulate, const float *restrict parts_, float *restrict d_slope) {
    enum { C = 2 };
    const float (*parts)[C] = (const float (*)[C])parts_;

    for (int c = 0; c < C; c++) {
        double sum = accumulate ? d_slope[c] : 0.0;
        for (int n = 0; n < batch; n++) sum += parts[n][c];
        d_slope[c] = (float)sum;
    }
}

// prelu1: a slope of each channel, filled up to whole vectors.
//
//   slope  [2]
//   y      [2]
static void prelu1_prepare(const float *restrict slope, float *restrict y) {
    enum { C = 2, PADDED = 2 };

    for (int c = 0; c < PADDED; c++) y[c] = c < C ? slope[c] : 0.0f;
}
