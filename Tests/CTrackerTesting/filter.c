// Defines the filter's part of CTrackerTesting.h.

#include "CTrackerTesting.h"

#include "CTracker.h"

size_t ctt_filter_total(void) {
  size_t total = 0;
  for (size_t index = 0; index < 1u << CT_FILTER_BITS; index++) total += ct_filter[index];
  return total;
}
