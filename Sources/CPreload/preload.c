// Starts the tracker where a library in front has loaded it (CFront), and has it called at the end.
// Decides nothing.

#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "CPreload.h"
#include "CSymbols.h"
#include "CTracker.h"

const uint32_t ct_role = 1;

// The library in front is there first: nothing else loads this one.
ptrdiff_t ct_find_locals_offset(void) {
  struct ct_front *front = ct_front();
  if (front) return front->locals_offset;
  ct_warn("bstrtrace: this library is not to be preloaded, but libbstrtrace-preload.so\n");
  abort();
}

// Has the version of `ct_front` checked when this library is loaded (front.c of CFront).
extern void bstrtrace_front_1(void);
__attribute__((used)) static void (*const version)(void) = bstrtrace_front_1;

// Bound first: where functions inside of modules are tried out, `free` is watched.
void ct_start_product(void) {
  struct ct_front *front = ct_front();
  if (front) {
    front->ending = bstrtrace_preload_ending;
    front->bind(ct_module_of((uintptr_t)&ct_start_product));
  }
  bstrtrace_preload_started();
}

void _exit(int status) {
  static void (*next)(int);
  bstrtrace_preload_exiting(status);
  if (!next) next = (void (*)(int))ct_next_function("_exit");
  next(status);
  __builtin_unreachable();
}

void _Exit(int status) { _exit(status); }
