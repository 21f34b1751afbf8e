// Defines the memory of the filter that `free` consults, and the mode that says whether it does.
// The functions are inlined from CTracker.h.

#include "CTracker.h"

uint8_t ct_filter[1u << CT_FILTER_BITS];
uint32_t ct_free_mode;
