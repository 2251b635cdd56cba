// Reads a digit with a network that holds its own weights.
#include <stdio.h>
#include "mnist.h"

static _Alignas(MNIST_ALIGNMENT) char workspace[MNIST_WORKSPACE_BYTES];

int main(void) {
    static float picture[28 * 28];  // gray levels, 0 to 255
    for (int row = 4; row < 24; row++) picture[row * 28 + 14] = 255;

    float scores[10];
    const void *inputs[] = {picture};
    void *outputs[] = {scores};
    const int status = mnist_forward(mnist_packed(), inputs, outputs, 1, 0, workspace);
    if (status != CONVC_OK) return fprintf(stderr, "mnist_forward returned %d\n", status), 1;

    int best = 0;
    for (int k = 1; k < 10; k++)
        if (scores[k] > scores[best]) best = k;
    printf("digit %d\n", best);
    return 0;
}
