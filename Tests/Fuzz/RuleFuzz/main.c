#include "FuzzMain.h"

FUZZ_TARGET(bstrtrace_fuzz_suppression_rules)
