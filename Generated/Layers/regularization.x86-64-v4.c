#include <stdint.h>
#ifdef _OPENMP
#define OMP(directive) _Pragma(#directive)
#else
#define OMP(directive)
#endif
#define NOINLINE __attribute__((noinline))  // in a caller, a kernel would lose what restrict says
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

// Adds the slope of a weight's penalty to its gradient, and the weight to sums of magnitudes and squares.
static inline void penalize(float w, float l1, float l2, float *d_w, float *absolute, float *squares) {
    *d_w += l1 * (float)((w > 0.0f) - (w < 0.0f)) + 2.0f * l2 * w;
    *absolute += w < 0.0f ? -w : w;
    *squares += w * w;
}

// regularization: penalty on weights, with the gradient.
//
//   parameters  the parameter block
//   gradients   the gradient block
//   parts       [6]                  penalty of each part
//
// Each range of weights adds l1 * sum |w| + l2 * sum w * w to what is minimised, and the slope of that to its
// gradients; at 0 the slope of |w| is 0.
static NOINLINE void regularization(const float *restrict parameters, float *restrict gradients,
                                    double *restrict parts) {
    enum { PART = 8192 };  // weights that one thread takes at once
    enum { SUMS = 16 };  // sums side by side
    static const struct {
        int64_t first, end;
        int part;  // number of the range's first part
        float l1, l2;
    } ranges[] = {
        {0, 765, 0, 0.01f, 0.02f},  // both.weight
        {765, 782, 1, 0.01f, 0.02f},  // both.bias
        {1122, 18122, 2, 0.0f, 0.003f},  // wide.weight
        {18162, 18322, 5, 0.05f, 0.0f},  // last.weight
    };
    for (int range = 0; range < (int)(sizeof ranges / sizeof *ranges); range++) {
        const int64_t first = ranges[range].first, end = ranges[range].end;
        const float l1 = ranges[range].l1, l2 = ranges[range].l2;
        OMP(omp for schedule(static) nowait)
        for (int64_t start = first; start < end; start += PART) {
            const float *const w = parameters + start;
            float *const d_w = gradients + start;
            const int count = (int)MIN(end - start, PART), whole = count / SUMS * SUMS;
            float absolute[SUMS] = {0.0f}, squares[SUMS] = {0.0f};
            for (int i = 0; i < whole; i += SUMS) {
                for (int j = 0; j < SUMS; j++) penalize(w[i + j], l1, l2, &d_w[i + j], &absolute[j], &squares[j]);
            }
            for (int i = whole, j = 0; i < count; i++, j++) {
                penalize(w[i], l1, l2, &d_w[i], &absolute[j], &squares[j]);
            }
            double penalty = 0.0;
            for (int j = 0; j < SUMS; j++) penalty += (double)l1 * absolute[j] + (double)l2 * squares[j];
            parts[ranges[range].part + (start - first) / PART] = penalty;
        }
    }
}

// regularization: penalty of all parts.
//
//   parts  [6]
//   loss   [1]
static NOINLINE void regularization_sum(const double *restrict parts, float *restrict loss) {
    enum { PARTS = 6 };
    double sum = 0.0;
    for (int part = 0; part < PARTS; part++) sum += parts[part];
    loss[0] = (float)sum;
}
