// Random numbers in bulk: every number depends on a key and its own index alone, so that any part of a sequence can
// be drawn by any thread, with the same bits on every machine.
#ifndef CONVC_RANDOM_H
#define CONVC_RANDOM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The four words of each of the blocks first, first + 1, ..., first + blocks - 1 of Philox 4x32-10.
//
// stream is the upper half of the counter, the block's number the lower one.
// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
void convc_random_words(
    uint64_t key, uint64_t stream, uint64_t first, uint64_t blocks, uint32_t *words);

// Uniform numbers first, first + 1, ..., first + count - 1 of a sequence: scale times odd multiples of 2^-24 in -1...1.
//
// Number i comes from the upper 24 bits of word i % 4 of block i / 4; first is a multiple of 4.
void convc_random_uniform(
    uint64_t key, float scale, uint64_t first, uint64_t count, float *values);

// The same for the standard normal distribution, times scale.
//
// A word's upper bit tells the sign, 1 for plus; with v, the other bits, (v + 1/2) / 2^31 is the probability to lie closer
// to 0. Up to 6.34 either way. Within 6e-7 of the exact number, relative, before the scale.
void convc_random_normal(
    uint64_t key, float scale, uint64_t first, uint64_t count, float *values);

// The same for the standard normal distribution cut off at -2 and 2, times scale.
//
// The inverse of the distribution function at the uniform number. Within 4.3e-7 of it, relative, before the scale.
void convc_random_truncated_normal(
    uint64_t key, float scale, uint64_t first, uint64_t count, float *values);

#ifdef __cplusplus
}
#endif

#endif
