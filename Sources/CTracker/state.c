// Defines the process's tracker, its fast-path layout and its role, and names stores.

#define _GNU_SOURCE
#include "CTracker.h"

#include <stdio.h>
#include <unistd.h>

uint8_t ct_fast_path_layout;
void *ct_tracker;

__attribute__((weak)) const uint32_t ct_role = 2;

bool ct_store_path(char *path, size_t bytes, const char *directory, int attempt) {
  int length = snprintf(path, bytes, "%s/%d.%d.store", directory, (int)getpid(), attempt);
  return length > 0 && (size_t)length < bytes;
}
