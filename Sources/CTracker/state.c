// Defines the per-thread state and the filter of CTracker.h.

#define _GNU_SOURCE
#include "CTracker.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

_Thread_local struct ct_thread ct_thread_state __attribute__((tls_model("initial-exec")));

uint8_t ct_filter[1u << CT_FILTER_BITS];
bool ct_filter_armed;

__attribute__((weak)) const uint32_t ct_role = 2;

uint32_t ct_thread_id(void) { return (uint32_t)syscall(SYS_gettid); }

bool ct_is_in_stack(pthread_t thread, uintptr_t address) {
  pthread_attr_t attributes;
  void *start = NULL;
  size_t bytes = 0;
  if (pthread_getattr_np(thread, &attributes) != 0) return false;
  pthread_attr_getstack(&attributes, &start, &bytes);
  pthread_attr_destroy(&attributes);
  return address - (uintptr_t)start < bytes;
}

bool ct_store_path(char *path, size_t bytes, const char *directory, int attempt) {
  int length = snprintf(path, bytes, "%s/%d.%d.store", directory, (int)getpid(), attempt);
  return length > 0 && (size_t)length < bytes;
}
