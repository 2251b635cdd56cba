#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says

// mvn1: MeanVarianceNorm, mean alone.
//
//   x           [batch, 3, 4, 5]
//   y           [batch, 3, 4, 5]
//   statistics  [batch, 3, 2, 1]  mean and inverse deviation
static NOINLINE void mvn1_forward(int batch, const float *restrict x_, float *restrict y_,
                                  float *restrict statistics_) {
    enum { C = 3, H = 4, W = 5 };
    enum { UNITS = 3, MAPS = 1 };  // groups, and maps of a group
    enum { CELLS = 5, STEP = 4 };  // floats of a row, and how many at a time
    // values of a map and of a group, statistics of a unit and of a map
    enum { PIXELS = 20, COUNT = 20, STATS = 1, WIDTH = 1 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;
    float (*statistics)[UNITS][2][STATS] = (float (*)[UNITS][2][STATS])statistics_;

    for (int n = 0; n < batch; n++) for (int u = 0; u < UNITS; u++) {
        double mean[STATS] = {0};
        for (int k = 0; k < MAPS; k++) {
            const int m = u * MAPS + k;
            const float *first = x[n][m][0];
            float centre[STEP] = {0};  // the mean of the first row, around which sums are taken
            for (int i = 0; i + STEP <= CELLS; i += STEP)
                for (int j = 0; j < STEP; j++) centre[j] += first[i + j];
            for (int i = CELLS / STEP * STEP; i < CELLS; i++) centre[0] += first[i];
            for (int j = 1; j < STEP; j++) centre[0] += centre[j];
            for (int j = 0; j < WIDTH; j++) centre[j] /= CELLS / WIDTH;
            float total[STEP] = {0};
            for (int h = 0; h < H; h++) {
                const float *value = x[n][m][h];
                float sum[STEP] = {0};  // of a row: short sums round less
                for (int i = 0; i + STEP <= CELLS; i += STEP) {
                    for (int j = 0; j < STEP; j++) {
                        const float distance = value[i + j] - centre[0];
                        sum[j] += distance;
                    }
                }
                for (int i = CELLS / STEP * STEP; i < CELLS; i++) {
                    const float distance = value[i] - centre[0];
                    sum[0] += distance;
                }
                for (int j = 0; j < STEP; j++) {
                    total[j] += sum[j];
                }
            }
            for (int j = 1; j < STEP; j++) {
                total[0] += total[j];
            }
            for (int j = 0; j < WIDTH; j++) {
                const int s = 0, before = k;  // maps of the group so far
                const double shift = (double)total[j] / PIXELS, distance = centre[j] + shift - mean[s];
                mean[s] += distance / (before + 1);
            }
        }
        float middle[STATS];
        for (int s = 0; s < STATS; s++) {
            middle[s] = (float)mean[s];
            statistics[n][u][0][s] = middle[s];
            statistics[n][u][1][s] = 1.0f;
        }
        for (int k = 0; k < MAPS; k++) {
            const int m = u * MAPS + k;
            float centre[WIDTH], scale[WIDTH];
            for (int j = 0; j < WIDTH; j++) {
                const int s = 0;
                centre[j] = middle[s];
                scale[j] = 1.0f;
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

// mvn1: gradient of the input.
//
//   d_y  [batch, 3, 4, 5]
//   d_x  [batch, 3, 4, 5]
static NOINLINE void mvn1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 4, W = 5 };
    enum { UNITS = 3, MAPS = 1 };  // groups, and maps of a group
    enum { CELLS = 5, STEP = 4 };  // floats of a row, and how many at a time
    // values of a map and of a group, statistics of a unit and of a map
    enum { PIXELS = 20, COUNT = 20, STATS = 1, WIDTH = 1 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) for (int u = 0; u < UNITS; u++) {
        double total[STATS] = {0};
        for (int k = 0; k < MAPS; k++) {
            const int m = u * MAPS + k;
            float gradient[STEP] = {0};
            for (int h = 0; h < H; h++) {
                const float *d_after = d_y[n][m][h];
                float sum[STEP] = {0};
                for (int i = 0; i + STEP <= CELLS; i += STEP) {
                    for (int j = 0; j < STEP; j++) {
                        sum[j] += d_after[i + j];
                    }
                }
                for (int i = CELLS / STEP * STEP; i < CELLS; i++) {
                    sum[0] += d_after[i];
                }
                for (int j = 0; j < STEP; j++) {
                    gradient[j] += sum[j];
                }
            }
            for (int j = 1; j < STEP; j++) {
                gradient[0] += gradient[j];
            }
            for (int j = 0; j < WIDTH; j++) {
                const int s = 0;
                total[s] += gradient[j];
            }
        }
        for (int k = 0; k < MAPS; k++) {
            const int m = u * MAPS + k;
            float offset[WIDTH];
            for (int j = 0; j < WIDTH; j++) {
                const int s = 0;
                offset[j] = (float)(-total[s] / COUNT);
            }
            for (int h = 0; h < H; h++) {
                const float *d_after = d_y[n][m][h];
                float *d_before = d_x[n][m][h];
                for (int i = 0; i < CELLS; i++)
                    d_before[i] = d_after[i] + offset[0];
            }
        }
    }
}
