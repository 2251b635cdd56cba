#include "convc_templates.h"
const convc_template *convc_templates(void) { return NULL; }
size_t convc_templates_count(void) { return 0; }
