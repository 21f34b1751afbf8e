// Defines what each thread has of the tracker's, for copies that no library in front has loaded.

#include "CTracker.h"

ptrdiff_t ct_locals_offset;

// Initial-exec: static storage, at the same distance in all threads.
static _Thread_local struct ct_locals own __attribute__((tls_model("initial-exec")));

__attribute__((weak)) ptrdiff_t ct_find_locals_offset(void) {
  return (char *)&own - (char *)__builtin_thread_pointer();
}
