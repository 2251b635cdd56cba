#include <stdint.h>
#include <math.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// instancenorm1: InstanceNorm.
//
//   x           [batch, 2, 2, 64]
//   y           [batch, 2, 2, 64]
//   statistics  [batch, 2, 2, 1]   mean and inverse deviation
static void instancenorm1_forward(int batch, const float *restrict x_, float *restrict y_,
                                  float *restrict statistics_) {
    enum { C = 2, H = 2, W = 64 };
    enum { UNITS = 2, MAPS = 1 };  // groups, and maps of a group
    enum { CELLS = 64, STEP = 16 };  // floats of a row, and how many at a time
    // values of a map and of a group, statistics of a unit and of a map
    enum { PIXELS = 128, COUNT = 128, STATS = 1, WIDTH = 1 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;
    float (*statistics)[UNITS][2][STATS] = (float (*)[UNITS][2][STATS])statistics_;

    for (int n = 0; n < batch; n++) for (int u = 0; u < UNITS; u++) {
        double mean[STATS] = {0};
        double spread[STATS] = {0};
        for (int k = 0; k < MAPS; k++) {
            const int m = u * MAPS + k;
            const float *first = x[n][m][0];
            float centre[STEP] = {0};  // the mean of the first row, around which sums are taken
            for (int i = 0; i + STEP <= CELLS; i += STEP)
                for (int j = 0; j < STEP; j++) centre[j] += first[i + j];
            for (int j = 1; j < STEP; j++) centre[0] += centre[j];
            for (int j = 0; j < WIDTH; j++) centre[j] /= CELLS / WIDTH;
            float total[STEP] = {0};
            float square[STEP] = {0};
            for (int h = 0; h < H; h++) {
                const float *value = x[n][m][h];
                float sum[STEP] = {0}, squares[STEP] = {0};  // of a row: short sums round less
                for (int i = 0; i + STEP <= CELLS; i += STEP) {
                    for (int j = 0; j < STEP; j++) {
                        const float distance = value[i + j] - centre[0];
                        sum[j] += distance;
                        squares[j] += distance * distance;
                    }
                }
                for (int j = 0; j < STEP; j++) {
                    total[j] += sum[j];
                    square[j] += squares[j];
                }
            }
            for (int j = 1; j < STEP; j++) {
                total[0] += total[j];
                square[0] += square[j];
            }
            for (int j = 0; j < WIDTH; j++) {
                const int s = 0, before = k;  // maps of the group so far
                const double shift = (double)total[j] / PIXELS, distance = centre[j] + shift - mean[s];
                mean[s] += distance / (before + 1);
                spread[s] += square[j] - total[j] * shift + PIXELS * distance * distance * before / (before + 1);
            }
        }
        float middle[STATS], inverse[STATS];
        for (int s = 0; s < STATS; s++) {
            middle[s] = (float)mean[s];
            inverse[s] = (float)(1.0 / sqrt(MAX(spread[s], 0.0) / COUNT + 1e-05f));
            statistics[n][u][0][s] = middle[s];
            statistics[n][u][1][s] = inverse[s];
        }
        for (int k = 0; k < MAPS; k++) {
            const int m = u * MAPS + k;
            float centre[WIDTH], scale[WIDTH];
            for (int j = 0; j < WIDTH; j++) {
                const int s = 0;
                centre[j] = middle[s];
                scale[j] = inverse[s];
            }
            for (int h = 0; h < H; h++) {
                const float *value = x[n][m][h];
                float *result = y[n][m][h];
                for (int i = 0; i < CELLS; i++)
                    result[i] = (value[i] - centre[0]) * scale[0];
            }
        }
    }
}

// instancenorm1: gradient of the input.
//
//   x           [batch, 2, 2, 64]
//   d_y         [batch, 2, 2, 64]
//   statistics  [batch, 2, 2, 1]   mean and inverse deviation
//   d_x         [batch, 2, 2, 64]
static void instancenorm1_backward(int batch, const float *restrict x_, const float *restrict d_y_,
                                   const float *restrict statistics_, float *restrict d_x_) {
    enum { C = 2, H = 2, W = 64 };
    enum { UNITS = 2, MAPS = 1 };  // groups, and maps of a group
    enum { CELLS = 64, STEP = 16 };  // floats of a row, and how many at a time
    // values of a map and of a group, statistics of a unit and of a map
    enum { PIXELS = 128, COUNT = 128, STATS = 1, WIDTH = 1 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*statistics)[UNITS][2][STATS] = (const float (*)[UNITS][2][STATS])statistics_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) for (int u = 0; u < UNITS; u++) {
        double total[STATS] = {0}, product[STATS] = {0};
        for (int k = 0; k < MAPS; k++) {
            const int m = u * MAPS + k;
            float gradient[STEP] = {0};
            float moment[STEP] = {0}, centre[WIDTH];  // the gradient's products with the input around its mean
            for (int j = 0; j < WIDTH; j++) centre[j] = statistics[n][u][0][0];
            for (int h = 0; h < H; h++) {
                const float *d_after = d_y[n][m][h];
                float sum[STEP] = {0};
                const float *value = x[n][m][h];
                float products[STEP] = {0};
                for (int i = 0; i + STEP <= CELLS; i += STEP) {
                    for (int j = 0; j < STEP; j++) {
                        sum[j] += d_after[i + j];
                        products[j] += d_after[i + j] * (value[i + j] - centre[0]);
                    }
                }
                for (int j = 0; j < STEP; j++) {
                    gradient[j] += sum[j];
                    moment[j] += products[j];
                }
            }
            for (int j = 1; j < STEP; j++) {
                gradient[0] += gradient[j];
                moment[0] += moment[j];
            }
            for (int j = 0; j < WIDTH; j++) {
                const int s = 0;
                total[s] += gradient[j];
                product[s] += moment[j];
            }
        }
        for (int k = 0; k < MAPS; k++) {
            const int m = u * MAPS + k;
            float offset[WIDTH];
            float centre[WIDTH], scale[WIDTH], slope[WIDTH];
            for (int j = 0; j < WIDTH; j++) {
                const int s = 0;
                const double inverse = statistics[n][u][1][s];
                centre[j] = statistics[n][u][0][s];
                scale[j] = (float)inverse;
                slope[j] = (float)(-product[s] * inverse * inverse * inverse / COUNT);
                offset[j] = (float)(-total[s] * inverse / COUNT);
            }
            for (int h = 0; h < H; h++) {
                const float *d_after = d_y[n][m][h];
                float *d_before = d_x[n][m][h];
                const float *value = x[n][m][h];
                for (int i = 0; i < CELLS; i++)
                    d_before[i] = d_after[i] * scale[0] +
                        ((value[i] - centre[0]) * slope[0] + offset[0]);
            }
        }
    }
}
