#include <stdint.h>

// arithmetic1: Arithmetic add.
//
//   a  [batch, 3, 4, 1]
//   b  [batch, 1, 4, 9]
//   y  [batch, 3, 4, 9]
static void arithmetic1_forward(int batch, const float *restrict a_, const float *restrict b_, float *restrict y_) {
    enum { C = 3, H = 4, W = 9 };
    const float (*a)[C][H][1] = (const float (*)[C][H][1])a_;
    const float (*b)[1][H][W] = (const float (*)[1][H][W])b_;
    float (*y)[C][H][W] = (float (*)[C][H][W])y_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                for (int w = 0; w < W; w++) y[n][m][h][w] = a[n][m][h][0] + b[n][0][h][w];
            }
        }
    }
}

// arithmetic1: gradient of a, summed over what each cell stands for.
//
//   d_y  [batch, 3, 4, 9]
//   d_a  [batch, 3, 4, 1]
static void arithmetic1_backward_a(int batch, const float *restrict d_y_, float *restrict d_a_) {
    enum { C = 3, H = 4, W = 9 };
    enum { STEP = 8 };  // columns at a time
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_a)[C][H][1] = (float (*)[C][H][1])d_a_;

    for (int n = 0; n < batch; n++) {
        for (int m = 0; m < C; m++) {
            for (int h = 0; h < H; h++) {
                float sums[STEP] = {0};  // many at a time fill a vector
                for (int first = 0; first + STEP <= W; first += STEP) {
                    for (int j = 0; j < STEP; j++) {
                        const int w = first + j;
                        sums[j] += d_y[n][m][h][w];
                    }
                }
                for (int w = W / STEP * STEP; w < W; w++) sums[0] += d_y[n][m][h][w];
                float sum = 0.0f;
                for (int j = 0; j < STEP; j++) sum += sums[j];
                d_a[n][m][h][0] = sum;
            }
        }
    }
}

// arithmetic1: gradient of b, summed over what each cell stands for.
//
//   d_y  [batch, 3, 4, 9]
//   d_b  [batch, 1, 4, 9]
static void arithmetic1_backward_b(int batch, const float *restrict d_y_, float *restrict d_b_) {
    enum { C = 3, H = 4, W = 9 };
    const float (*d_y)[C][H][W] = (const float (*)[C][H][W])d_y_;
    float (*d_b)[1][H][W] = (float (*)[1][H][W])d_b_;

    for (int n = 0; n < batch; n++) {
        for (int h = 0; h < H; h++) {
            float sums[W];
            for (int w = 0; w < W; w++) sums[w] = 0.0f;
            for (int m = 0; m < C; m++)
                for (int w = 0; w < W; w++) sums[w] += d_y[n][m][h][w];
            for (int w = 0; w < W; w++) {
                const float sum = sums[w];
                d_b[n][0][h][w] = sum;
            }
        }
    }
}
