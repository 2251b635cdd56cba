#include "convc_random.h"

#include <string.h>

// A fused multiply-add rounds once where others round twice: the bits would depend on the machine.
#pragma STDC FP_CONTRACT OFF

// The widest vectors a machine has are chosen when the program starts; the bits are the same.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__clang__) && defined(__OPTIMIZE__)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif

// Blocks that are drawn together, for the compiler to make vectors of.
enum { BLOCKS = 32, NUMBERS = 4 * BLOCKS };

// Words j of BLOCKS blocks: word[j][i] is that of block first + i.
static inline __attribute__((always_inline)) void draw(
    uint64_t key, uint64_t stream, uint64_t first, uint32_t word[4][BLOCKS]) {
  uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
  for (int i = 0; i < BLOCKS; i++) {
    const uint64_t block = first + (uint64_t)i;
    word[0][i] = (uint32_t)block;
    word[1][i] = (uint32_t)(block >> 32);
    word[2][i] = (uint32_t)stream;
    word[3][i] = (uint32_t)(stream >> 32);
  }
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < BLOCKS; i++) {
      const uint64_t a = (uint64_t)0xD2511F53u * word[0][i];
      const uint64_t b = (uint64_t)0xCD9E8D57u * word[2][i];
      word[0][i] = (uint32_t)(b >> 32) ^ word[1][i] ^ key0;
      word[2][i] = (uint32_t)(a >> 32) ^ word[3][i] ^ key1;
      word[1][i] = (uint32_t)b;
      word[3][i] = (uint32_t)a;
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

// An odd multiple of 2^-24 in -1...1.
static inline __attribute__((always_inline)) float uniform(uint32_t word) {
  return (float)((int32_t)(word >> 8) * 2 - 16777215) * 0x1p-24f;
}

// The number below which a standard normal variable between -2 and 2 is with probability (1 + t) / 2.
//
// sqrt(2) erfinv(erf(sqrt(2)) t) is t times a smooth function of 1 - t^2, which a quotient of two polynomials with
// positive coefficients comes close to: nothing cancels.
static inline __attribute__((always_inline)) float truncated_normal(float t) {
  const float r = 1.0f - t * t;
  const float p =
      (((4.3842907f * r + 54.2402382f) * r + 74.4894409f) * r + 24.256176f) * r + 1.99999988f;
  const float q =
      (((10.7055273f * r + 55.2521362f) * r + 52.4249687f) * r + 13.8379068f) * r + 1.0f;
  return t * (p / q);
}

// -log(r) for a normal number r up to 1: r = 2^exponent * m with m from sqrt(1/2) to sqrt(2), and the series of
// log((1 + z) / (1 - z)).
static inline __attribute__((always_inline)) float minus_log(float r) {
  int32_t bits;
  memcpy(&bits, &r, sizeof bits);
  const int32_t exponent = (bits - 0x3F3504F3) >> 23;
  bits -= exponent * (1 << 23);
  float m;
  memcpy(&m, &bits, sizeof m);
  const float z = (m - 1.0f) / (m + 1.0f), s = z * z;
  const float series = (((0.111111111f * s + 0.142857143f) * s + 0.2f) * s + 0.333333333f) * s;
  return -((float)exponent * 0.693147181f + (2.0f * z + 2.0f * z * series));
}

// The standard normal number whose sign is the word's upper bit, 1 for plus; with v, the other bits, a variable lies closer
// to 0 with probability t = (v + 1/2) / 2^31.
//
// sqrt(2) erfinv(t) / t is a smooth function of w = -log(1 - t^2), which a quotient of two polynomials with positive
// coefficients comes close to. The distance from t to 1 is known exactly, so tails are as exact as the middle.
static inline __attribute__((always_inline)) float normal(uint32_t word) {
  const int32_t place = (int32_t)(word & 0x7FFFFFFFu);
  const float t = ((float)place + 0.5f) * 0x1p-31f;
  const float rest = ((float)(0x7FFFFFFF - place) + 0.5f) * 0x1p-31f;
  const float w = minus_log(rest * (2.0f - rest));
  const float p = ((((2.8953139e-5f * w + 1.01385211e-3f) * w + 1.20015704e-2f) * w + 9.05590335e-2f) * w +
                   4.5470959e-1f) * w + 1.2533143f;
  const float q = ((((9.87974474e-7f * w + 1.69694662e-4f) * w + 2.33336255e-3f) * w + 3.27671954e-2f) * w +
                   1.01009524e-1f) * w + 1.0f;
  const float x = t * (p / q);
  return word >> 31 ? x : -x;
}

WIDE void convc_random_words(
    uint64_t key, uint64_t stream, uint64_t first, uint64_t blocks, uint32_t *words) {
  for (uint64_t start = 0; start < blocks; start += BLOCKS) {
    uint32_t word[4][BLOCKS];
    draw(key, stream, first + start, word);
    const uint64_t rest = blocks - start;
    for (uint64_t i = 0; i < (rest < BLOCKS ? rest : BLOCKS); i++) {
      for (int j = 0; j < 4; j++) words[4 * (start + i) + (uint64_t)j] = word[j][i];
    }
  }
}

// Numbers of a sequence, BLOCKS blocks at a time; the last ones go through a buffer.
#define FILL(NUMBER)                                                          \
  for (uint64_t start = 0; start < count; start += NUMBERS) {                 \
    uint32_t word[4][BLOCKS];                                                 \
    float number[NUMBERS];                                                    \
    draw(key, 0, (first + start) / 4, word);                                  \
    const uint64_t rest = count - start;                                      \
    float *const place = rest < NUMBERS ? number : values + start;            \
    for (int i = 0; i < BLOCKS; i++) {                                        \
      for (int j = 0; j < 4; j++) {                                           \
        place[4 * i + j] = scale * NUMBER(word[j][i]);                        \
      }                                                                       \
    }                                                                         \
    if (rest < NUMBERS) memcpy(values + start, number, rest * sizeof(float)); \
  }

WIDE void convc_random_uniform(
    uint64_t key, float scale, uint64_t first, uint64_t count, float *values) {
  FILL(uniform)
}

WIDE void convc_random_normal(
    uint64_t key, float scale, uint64_t first, uint64_t count, float *values) {
  FILL(normal)
}

#define NORMAL(word) truncated_normal(uniform(word))

WIDE void convc_random_truncated_normal(
    uint64_t key, float scale, uint64_t first, uint64_t count, float *values) {
  FILL(NORMAL)
}
