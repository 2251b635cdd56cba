#ifndef CONVC_TEMPLATES_H
#define CONVC_TEMPLATES_H
#include <stddef.h>

// A kernel template, embedded into the program.
typedef struct convc_template {
    const char *name;           // file name without ".c.mustache"
    const unsigned char *text;  // UTF-8, ends with a zero
} convc_template;

// The text of convc_abi.h, which every generated header repeats.
const unsigned char *convc_interface_text(void);

const convc_template *convc_templates(void);
size_t convc_templates_count(void);

#endif
