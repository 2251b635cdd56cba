// Reads a digit with a network that holds its own weights.
#include <algorithm>
#include <array>
#include <cstdio>
#include "mnist.h"

int main() {
    std::array<float, 28 * 28> picture{};  // gray levels, 0 to 255
    for (int row = 4; row < 24; row++) picture[row * 28 + 14] = 255;

    std::array<float, 10> scores{};
    alignas(MNIST_ALIGNMENT) static char workspace[MNIST_WORKSPACE_BYTES];
    const void *inputs[] = {picture.data()};
    void *outputs[] = {scores.data()};
    const int status = mnist_forward(mnist_packed(), inputs, outputs, 1, 0, workspace);
    if (status != CONVC_OK) return std::fprintf(stderr, "mnist_forward returned %d\n", status), 1;

    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    std::printf("digit %d\n", static_cast<int>(best));
}
