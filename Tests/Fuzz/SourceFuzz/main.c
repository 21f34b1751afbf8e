#include "FuzzMain.h"

FUZZ_TARGET(bstrtrace_fuzz_source_file)
