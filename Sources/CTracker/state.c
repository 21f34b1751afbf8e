// Defines the filter of CTracker.h, and its small things.

#define _GNU_SOURCE
#include "CTracker.h"

#include <stdio.h>
#include <unistd.h>

uint8_t ct_filter[1u << CT_FILTER_BITS];
bool ct_filter_armed;

__attribute__((weak)) const uint32_t ct_role = 2;

void ct_complain_of_scope(const void *name, size_t bytes, uint32_t scope, const uint8_t *what) {
  char line[1400];
  int length = bytes ? snprintf(line, sizeof line, "bstrtrace: the scope '%.*s' (%u) %s\n",
                                (int)bytes, (const char *)name, scope, (const char *)what)
                     : snprintf(line, sizeof line, "bstrtrace: the scope %u %s\n", scope,
                                (const char *)what);
  if (length > 0 && write(2, line, (size_t)length) < 0) return;
}

bool ct_store_path(char *path, size_t bytes, const char *directory, int attempt) {
  int length = snprintf(path, bytes, "%s/%d.%d.store", directory, (int)getpid(), attempt);
  return length > 0 && (size_t)length < bytes;
}
