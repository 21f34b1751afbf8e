// Calls the tracker at the start and the end of a process into which it was preloaded. Decides
// nothing.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "CPreload.h"
#include "CTracker.h"

const uint32_t ct_role = 1;

__attribute__((destructor(101))) static void ending(void) { bstrtrace_preload_ending(); }

void ct_start_product(void) {
  bstrtrace_preload_started();
  // quick_exit runs no destructors, and runs the function that was registered first last.
  at_quick_exit(ending);
}

void _exit(int status) {
  static void (*next)(int);
  bstrtrace_preload_exiting(status);
  if (!next) next = (void (*)(int))dlsym(RTLD_NEXT, "_exit");
  next(status);
  __builtin_unreachable();
}

void _Exit(int status) { _exit(status); }
