#include <stdint.h>
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// upsample1: Upsample 2x2, bilinear.
//
//   x  [batch, 3, 4, 5]
//   y  [batch, 3, 8, 10]
static NOINLINE void upsample1_forward(int batch, const float *restrict x_, float *restrict y_) {
    enum { C = 3, H = 4, W = 5, OH = 8, OW = 10 };
    enum { FACTOR_H = 2, FACTOR_W = 2 };
    const float (*x)[C][H][W] = (const float (*)[C][H][W])x_;
    float (*y)[C][OH][OW] = (float (*)[C][OH][OW])y_;

    int columns[OW];  // of the input, left of each column of the output
    float shares[OW];  // what the column right of that counts
    for (int w = 0; w < OW; w++) {
        const int column_at = MAX(0, 2 * w + 1 - FACTOR_W), column_parts = 2 * FACTOR_W;
        columns[w] = column_at / column_parts;
        shares[w] = (float)(column_at % column_parts) / (float)column_parts;
    }

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < OH; h++) {
                // Where the row lies in the input, in parts of a row.
                const int row_at = MAX(0, 2 * h + 1 - FACTOR_H), row_parts = 2 * FACTOR_H;
                const int row = row_at / row_parts, below = MIN(row + 1, H - 1);
                const float a = (float)(row_at % row_parts) / (float)row_parts;
                float mixed[W + 1];  // the row of that place, its last cell twice
                for (int w = 0; w < W; w++) mixed[w] = (1.0f - a) * x[n][m][row][w] + a * x[n][m][below][w];
                mixed[W] = mixed[W - 1];
                for (int w = 0; w < OW; w++)
                    y[n][m][h][w] = (1.0f - shares[w]) * mixed[columns[w]] + shares[w] * mixed[columns[w] + 1];
            }
        }
    }
}

// upsample1: gradient of the input.
//
//   d_y  [batch, 3, 8, 10]
//   d_x  [batch, 3, 4, 5]
static NOINLINE void upsample1_backward(int batch, const float *restrict d_y_, float *restrict d_x_) {
    enum { C = 3, H = 4, W = 5, OH = 8, OW = 10 };
    enum { FACTOR_H = 2, FACTOR_W = 2 };
    const float (*d_y)[C][OH][OW] = (const float (*)[C][OH][OW])d_y_;
    float (*d_x)[C][H][W] = (float (*)[C][H][W])d_x_;

    int columns[OW];  // of the input, left of each column of the output
    float shares[OW];  // what the column right of that counts
    for (int w = 0; w < OW; w++) {
        const int column_at = MAX(0, 2 * w + 1 - FACTOR_W), column_parts = 2 * FACTOR_W;
        columns[w] = column_at / column_parts;
        shares[w] = (float)(column_at % column_parts) / (float)column_parts;
    }

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++)
                for (int w = 0; w < W; w++) d_x[n][m][h][w] = 0.0f;
            float sums[2][OW] = {0};  // of the gradient's rows, for the two rows of the input that they count in
            int done = 0;  // rows of d_x that have all
            for (int h = 0; h <= OH; h++) {
                // Where the row lies in the input, in parts of a row.
                const int row_at = MAX(0, 2 * h + 1 - FACTOR_H), row_parts = 2 * FACTOR_H;
                const int row = h < OH ? row_at / row_parts : H, below = MIN(row + 1, H - 1);
                for (; done < row; done++) {
                    float *sum = sums[done % 2];
                    for (int w = 0; w < OW; w++) {
                        d_x[n][m][done][columns[w]] += (1.0f - shares[w]) * sum[w];
                        d_x[n][m][done][MIN(columns[w] + 1, W - 1)] += shares[w] * sum[w];
                        sum[w] = 0.0f;
                    }
                }
                if (h == OH) break;
                const float a = (float)(row_at % row_parts) / (float)row_parts;
                for (int w = 0; w < OW; w++) sums[row % 2][w] += (1.0f - a) * d_y[n][m][h][w];
                for (int w = 0; w < OW; w++) sums[below % 2][w] += a * d_y[n][m][h][w];
            }
        }
    }
}
