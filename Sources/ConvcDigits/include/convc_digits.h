#ifndef CONVC_DIGITS_H
#define CONVC_DIGITS_H

#include <stddef.h>

// The data set of handwritten digits as a gzip file: a line an image, 64 pixels of 0 to 16 and the digit.
const unsigned char *convc_digits_bytes(void);
size_t convc_digits_count(void);

#endif
