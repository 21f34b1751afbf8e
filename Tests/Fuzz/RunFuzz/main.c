#include "FuzzMain.h"

FUZZ_TARGET(bstrtrace_fuzz_run_to_compare)
