#include "convc_abi.h"
