#include "FuzzMain.h"

FUZZ_TARGET(bstrtrace_fuzz_call_frame_information)
