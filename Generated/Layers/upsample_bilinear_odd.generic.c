#include <stdint.h>
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// upsample1: Upsample 3x4, bilinear.
//
//   x  [batch, 16, 3, 1]
//   y  [batch, 16, 9, 4]
static void upsample1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 16, H = 3, W = 1, OH = 9, OW = 4 };
    enum { FACTOR_H = 3, FACTOR_W = 4 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][OH][OW] = (float (*)[C][OH][OW])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < OH; h++) {
                // Where the row lies in the input, in parts of a row.
                const int row_at = MAX(0, 2 * h + 1 - FACTOR_H), row_parts = 2 * FACTOR_H;
                const int row = row_at / row_parts, below = MIN(row + 1, H - 1);
                const float a = (float)(row_at % row_parts) / (float)row_parts;
                for (int w = 0; w < OW; w++) {
                    const int column_at = MAX(0, 2 * w + 1 - FACTOR_W), column_parts = 2 * FACTOR_W;
                    const int column = column_at / column_parts, right = MIN(column + 1, W - 1);
                    const float b = (float)(column_at % column_parts) / (float)column_parts;
                    y[n][m][h][w] = (1.0f - a) * ((1.0f - b) * x[n][m][row][column] + b * x[n][m][row][right])
                                    + a * ((1.0f - b) * x[n][m][below][column] + b * x[n][m][below][right]);
                }
            }
        }
    }
}

// upsample1: gradient of the input.
//
//   d_y  [batch, 16, 9, 4]
//   d_x  [batch, 16, 3, 1]
static void upsample1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 16, H = 3, W = 1, OH = 9, OW = 4 };
    enum { FACTOR_H = 3, FACTOR_W = 4 };
    const float (*d_y)[C][OH][OW] = (const float (*)[C][OH][OW])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++)
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = 0.0f;
            for (int h = 0; h < OH; h++) {
                // Where the row lies in the input, in parts of a row.
                const int row_at = MAX(0, 2 * h + 1 - FACTOR_H), row_parts = 2 * FACTOR_H;
                const int row = row_at / row_parts, below = MIN(row + 1, H - 1);
                const float a = (float)(row_at % row_parts) / (float)row_parts;
                for (int w = 0; w < OW; w++) {
                    const int column_at = MAX(0, 2 * w + 1 - FACTOR_W), column_parts = 2 * FACTOR_W;
                    const int column = column_at / column_parts, right = MIN(column + 1, W - 1);
                    const float b = (float)(column_at % column_parts) / (float)column_parts;
                    const float v = d_y[n][m][h][w];
                    d_x[n][m][row][column] += (1.0f - a) * (1.0f - b) * v;
                    d_x[n][m][row][right] += (1.0f - a) * b * v;
                    d_x[n][m][below][column] += a * (1.0f - b) * v;
                    d_x[n][m][below][right] += a * b * v;
                }
            }
        }
    }
}
