#ifndef CONVC_TEMPLATES_H
#define CONVC_TEMPLATES_H
#include <stddef.h>

// A kernel template, embedded into the program.
typedef struct convc_template {
    const char *name;  // file name without ".c.mustache"
    const unsigned char *bytes;
    size_t count;
} convc_template;

const convc_template *convc_templates(void);
size_t convc_templates_count(void);

#endif
