#include <stdint.h>
#include <math.h>

#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// bn1: BatchNorm2D.
//
//   x          [batch, 2, 2, 64]
//   y          [batch, 2, 2, 64]
//   bn1_scale  [2]
//   bn1_shift  [2]
static NOINLINE void bn1_forward(int batch, const float *restrict x_, float *restrict y_,
                                 const float *restrict bn1_scale, const float *restrict bn1_shift) {
    enum { C = 2, H = 2, W = 64 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // bn1
                    v = v * bn1_scale[m] + bn1_shift[m];
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// bn1: sums of each channel around one of its values.
//
//   x      [batch, 2, 2, 64]
//   parts  [2, 3, 16]         a value, sum and sum of squares around it
static NOINLINE void bn1_sums(int batch, const float *restrict x_, float *restrict parts_) {
    enum { C = 2, H = 2, W = 64 };
    enum { STEP = 64 };  // columns at a time
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*parts)[3][16] = (float (*)[3][16])parts_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            const float centre = x[n][m][0][0];
            float total[STEP] = {0}, total_x[STEP] = {0};
            for (int h = 0; h < H; h++) {
                float sum[STEP] = {0}, sum_x[STEP] = {0};  // of a row: short sums round less
                for (int first = 0; first + STEP <= W; first += STEP) {
                    for (int j = 0; j < STEP; j++) {
                        const int w = first + j;
                        float v = x[n][m][h][w] - centre;
                        sum[j] += v;
                        sum_x[j] += v * v;
                    }
                }
                for (int j = 0; j < STEP; j++) {
                    total[j] += sum[j];
                    total_x[j] += sum_x[j];
                }
            }
            for (int j = 1; j < STEP; j++) {
                total[0] += total[j];
                total_x[0] += total_x[j];
            }
            parts[n][0][m] = centre;
            parts[n][1][m] = total[0];
            parts[n][2][m] = total_x[0];
        }
    }
}

// bn1: statistics of the batch; the running ones follow them.
//
//   parts         [2, 3, 16]  a value, sum and sum of squares around it
//   weight        [2]
//   bias          [2]
//   running_mean  [2]
//   running_var   [2]
//   values        [4, 16]     mean, inverse deviation, scale and bias
static NOINLINE void bn1_statistics(int batch, const float *restrict parts_, const float *restrict weight,
                                    const float *restrict bias, float *restrict running_mean,
                                    float *restrict running_var, float *restrict values_) {
    enum { C = 2, BLOCK = 16 };  // channels, and how many at a time
    const float (*parts)[3][16] = (const float (*)[3][16])parts_;
    float (*values)[16] = (float (*)[16])values_;
    const double count = (double)batch * 2 * 64;

    for (int c0 = 0; c0 < C; c0 += BLOCK) {
        const int channels = MIN(BLOCK, C - c0);
        double mean[BLOCK] = {0}, spread[BLOCK] = {0};
        for (int n = 0; n < batch; n++) {
            const int cells = 128;
            for (int i = 0; i < channels; i++)
                mean[i] += ((double)parts[n][0][c0 + i] * cells + parts[n][1][c0 + i]) / count;
        }
        // Chan, Golub and LeVeque 1979: each part's spread around its own mean, and that of the means.
        for (int n = 0; n < batch; n++) {
            const int cells = 128;
            for (int i = 0; i < channels; i++) {
                const double shift = (double)parts[n][1][c0 + i] / cells;
                const double distance = parts[n][0][c0 + i] + shift - mean[i];
                spread[i] += parts[n][2][c0 + i] - parts[n][1][c0 + i] * shift + cells * distance * distance;
            }
        }
        for (int i = 0; i < channels; i++) {
            const int c = c0 + i;
            const double variance = MAX(spread[i], 0.0) / count;
            const float deviation = (float)(1.0 / sqrt(variance + 0.01f));
            values[0][c] = (float)mean[i];
            values[1][c] = deviation;
            values[2][c] = weight[c] * deviation;
            values[3][c] = bias[c];
            running_mean[c] += 0.1f * ((float)mean[i] - running_mean[c]);
            running_var[c] += 0.1f * ((float)(variance * count / MAX(count - 1.0, 1.0)) - running_var[c]);
        }
        for (int i = channels; i < BLOCK; i++) {
            for (int k = 0; k < 4; k++) values[k][c0 + i] = 0.0f;
        }
    }
}

// bn1: BatchNorm2D.
//
//   x          [batch, 2, 2, 64]
//   y          [batch, 2, 2, 64]
//   bn1_mean   [2]
//   bn1_scale  [2]
//   bn1_bias   [2]
static NOINLINE void bn1_forward_2(int batch, const float *restrict x_, float *restrict y_,
                                   const float *restrict bn1_mean, const float *restrict bn1_scale,
                                   const float *restrict bn1_bias) {
    enum { C = 2, H = 2, W = 64 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = x[n][m][h][w];
                    // bn1
                    v = (v - bn1_mean[m]) * bn1_scale[m] + bn1_bias[m];
                    y[n][m][h][w] = v;
                }
            }
        }
    }
}

// bn1: sums of each channel's gradients, and of their products with the centred input.
//
//   d_y       [batch, 2, 2, 64]
//   x         [batch, 2, 2, 64]  input of bn1
//   bn1_mean  [2]
//   parts     [2, 2, 16]         sum, and sum of products
static NOINLINE void bn1_backward_sums(int batch, const float *restrict d_y_, const float *restrict x_,
                                       const float *restrict bn1_mean, float *restrict parts_) {
    enum { C = 2, H = 2, W = 64 };
    enum { STEP = 64 };  // columns at a time
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*parts)[2][16] = (float (*)[2][16])parts_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            float total[STEP] = {0}, total_x[STEP] = {0};
            for (int h = 0; h < H; h++) {
                float sum[STEP] = {0}, sum_x[STEP] = {0};  // of a row: short sums round less
                for (int first = 0; first + STEP <= W; first += STEP) {
                    for (int j = 0; j < STEP; j++) {
                        const int w = first + j;
                        float v = d_y[n][m][h][w];
                        sum[j] += v;
                        sum_x[j] += v * (x[n][m][h][w] - bn1_mean[m]);
                    }
                }
                for (int j = 0; j < STEP; j++) {
                    total[j] += sum[j];
                    total_x[j] += sum_x[j];
                }
            }
            for (int j = 1; j < STEP; j++) {
                total[0] += total[j];
                total_x[0] += total_x[j];
            }
            parts[n][0][m] = total[0];
            parts[n][1][m] = total_x[0];
        }
    }
}

// bn1: gradients of weight and bias, and the slopes of the input's gradient.
//
//   parts     [2, 2, 16]  sum, and sum of products
//   values    [4, 16]     mean, inverse deviation, scale and bias
//   d_weight  [2]
//   d_bias    [2]
//   slopes    [2, 16]     by the centred input, and the rest
static NOINLINE void bn1_backward_parameters(int batch, int accumulate, const float *restrict parts_,
                                             const float *restrict values_, float *restrict d_weight,
                                             float *restrict d_bias, float *restrict slopes_) {
    enum { C = 2, BLOCK = 16 };  // channels, and how many at a time
    const float (*parts)[2][16] = (const float (*)[2][16])parts_;
    const float (*values)[16] = (const float (*)[16])values_;
    float (*slopes)[16] = (float (*)[16])slopes_;
    const double count = (double)batch * 2 * 64;

    for (int c0 = 0; c0 < C; c0 += BLOCK) {
        const int channels = MIN(BLOCK, C - c0);
        double total[BLOCK] = {0}, total_x[BLOCK] = {0};
        for (int n = 0; n < batch; n++) {
            for (int i = 0; i < channels; i++) {
                total[i] += parts[n][0][c0 + i];
                total_x[i] += parts[n][1][c0 + i];
            }
        }
        for (int i = 0; i < channels; i++) {
            const int c = c0 + i;
            const double deviation = values[1][c];
            const float d_scale = (float)(total_x[i] * deviation), d_shift = (float)total[i];
            d_weight[c] = accumulate ? d_weight[c] + d_scale : d_scale;
            d_bias[c] = accumulate ? d_bias[c] + d_shift : d_shift;
            slopes[0][c] = (float)(-values[2][c] * total_x[i] * deviation * deviation / count);
            slopes[1][c] = (float)(-values[2][c] * total[i] / count);
        }
        for (int i = channels; i < BLOCK; i++) slopes[0][c0 + i] = slopes[1][c0 + i] = 0.0f;
    }
}

// bn1: gradient of the input.
//
//   d_y         [batch, 2, 2, 64]
//   d_x         [batch, 2, 2, 64]
//   x           [batch, 2, 2, 64]  input of bn1
//   bn1_mean    [2]
//   bn1_scale   [2]
//   bn1_slope   [2]
//   bn1_offset  [2]
static NOINLINE void bn1_backward_data(int batch, const float *restrict d_y_, float *restrict d_x_,
                                       const float *restrict x_, const float *restrict bn1_mean,
                                       const float *restrict bn1_scale, const float *restrict bn1_slope,
                                       const float *restrict bn1_offset) {
    enum { C = 2, H = 2, W = 64 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) {
                    float v = d_y[n][m][h][w];
                    // bn1
                    const float bn1_centred = x[n][m][h][w] - bn1_mean[m];
                    v = v * bn1_scale[m] + (bn1_centred * bn1_slope[m] + bn1_offset[m]);
                    d_x[n][m][h][w] = v;
                }
            }
        }
    }
}

// bn1: BatchNorm2D as one multiply-add: y = x * scale + shift.
//
//   weight        [2]
//   bias          [2]
//   running_mean  [2]
//   running_var   [2]
//   y             [2, 16]  scale, then shift
static NOINLINE void bn1_prepare(const float *restrict weight, const float *restrict bias,
                                 const float *restrict running_mean, const float *restrict running_var,
                                 float *restrict y_) {
    enum { C = 2, PADDED = 16 };
    float (*y)[PADDED] = (float (*)[PADDED])y_;

    for (int c = 0; c < PADDED; c++) {
        y[0][c] = c < C ? weight[c] / sqrtf(running_var[c] + 0.01f) : 0.0f;
        y[1][c] = c < C ? bias[c] + ( - running_mean[c]) * y[0][c] : 0.0f;
    }
}
