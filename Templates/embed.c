#include "convc_templates.h"

// Each template is two lines, sorted by name; EmbeddedTemplatesTests compares the list with the folder.
#pragma clang diagnostic ignored "-Wc23-extensions"

// Ends the text before it and begins the next.
#define TEMPLATE(name) , 0}}, {#name, (const unsigned char[]) {

static const convc_template texts[] = {{"", (const unsigned char[]) {
#embed "../Sources/ConvcABI/include/convc_abi.h"

TEMPLATE(file_forward)
#embed "Kernels/file_forward.c.mustache"
TEMPLATE(file_gradients)
#embed "Kernels/file_gradients.c.mustache"
TEMPLATE(file_header)
#embed "Kernels/file_header.c.mustache"
TEMPLATE(file_model)
#embed "Kernels/file_model.c.mustache"
TEMPLATE(file_prelude)
#embed "Kernels/file_prelude.c.mustache"
TEMPLATE(file_prepare)
#embed "Kernels/file_prepare.c.mustache"
TEMPLATE(file_train_step)
#embed "Kernels/file_train_step.c.mustache"
TEMPLATE(file_update)
#embed "Kernels/file_update.c.mustache"

, 0}}};

const unsigned char *convc_interface_text(void) { return texts[0].text; }

const convc_template *convc_templates(void) { return texts + 1; }
size_t convc_templates_count(void) { return sizeof texts / sizeof *texts - 1; }
