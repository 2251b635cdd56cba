// Classifies one picture with a network in a shared library, which describes itself.
// Build: cc classify.c -Iout -Lout -llenet5 -o classify
#include <stdio.h>
#include <stdlib.h>
#include "lenet5.h"

int main(int count, char **arguments) {
    if (count != 2) return fprintf(stderr, "usage: classify WEIGHTS.safetensors\n"), 64;
    const convc_model *model = lenet5_model();

    // The data section of a safetensors file is the parameter block: 8 bytes of length, a header, then the floats.
    FILE *file = fopen(arguments[1], "rb");
    uint64_t header = 0;
    float *parameters = malloc((size_t)model->parameters_floats * sizeof(float));
    if (!file || !parameters || fread(&header, 8, 1, file) != 1 || fseek(file, (long)header, SEEK_CUR) != 0 ||
        fread(parameters, sizeof(float), (size_t)model->parameters_floats, file) != (size_t)model->parameters_floats)
        return fprintf(stderr, "%s cannot be read\n", arguments[1]), 65;

    void *packed = aligned_alloc(CONVC_ALIGNMENT, ((size_t)model->packed_bytes + 63) / 64 * 64);
    void *workspace = aligned_alloc(CONVC_ALIGNMENT, ((size_t)model->inference_workspace_bytes + 63) / 64 * 64);
    lenet5_prepare(parameters, packed);

    static float picture[28 * 28];
    for (int row = 4; row < 24; row++) picture[row * 28 + 14] = 1.0f;  // an upright stroke
    float scores[10];
    const void *inputs[] = {picture};
    void *outputs[] = {scores};
    const int status = lenet5_forward(packed, inputs, outputs, 1, 1, workspace);
    if (status != CONVC_OK) return fprintf(stderr, "lenet5_forward returned %d\n", status), 70;

    int best = 0;
    for (int k = 1; k < 10; k++)
        if (scores[k] > scores[best]) best = k;
    printf("class %d\n", best);
    free(workspace), free(packed), free(parameters), fclose(file);
    return 0;
}
