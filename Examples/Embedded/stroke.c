// The emitted file compiled into a program of one's own: no library, no heap, all memory known at compile time.
// Build: cc -std=c99 -O2 stroke.c out/lenet5.c -Iout -lm -o stroke
#include <stdio.h>
#include "lenet5.h"

static float parameters[LENET5_PARAMETERS_FLOATS];  // on a device: a const array of trained values
static union {
    char bytes[LENET5_PACKED_BYTES];
    char aligned __attribute__((aligned(LENET5_ALIGNMENT)));
} packed;
static union {
    char bytes[LENET5_WORKSPACE_BYTES];
    char aligned __attribute__((aligned(LENET5_ALIGNMENT)));
} workspace;

int main(void) {
    for (int i = 0; i < LENET5_PARAMETERS_FLOATS; i++) parameters[i] = (float)(i * 37 % 101 - 50) / 1000.0f;
    lenet5_prepare(parameters, &packed);
    static float picture[28 * 28];
    for (int row = 4; row < 24; row++) picture[row * 28 + 14] = 1.0f;
    float scores[10];
    const void *inputs[] = {picture};
    void *outputs[] = {scores};
    if (lenet5_forward(&packed, inputs, outputs, 1, 1, &workspace) != CONVC_OK) return 70;
    for (int k = 0; k < 10; k++) printf("%d: %+.4f\n", k, scores[k]);
    return 0;
}
