#include "convc_digits.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char file[] = {
#embed "digits.csv.gz"
};

const unsigned char *convc_digits_bytes(void) { return file; }

size_t convc_digits_count(void) { return sizeof file; }
