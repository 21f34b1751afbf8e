// Starts this copy of the library as soon as Swift code may run in it: from its first constructor,
// or from its last one where the Swift run-time is part of the same module. Then the module's string
// layout is announced (CBSTR). Decides nothing else.

#include "CTracker.h"

__attribute__((weak)) void ct_start_product(void) {}

static void start(void) {
  static bool is_started;
  if (is_started) return;
  is_started = true;
  ct_start_product();
  bstrtrace_announce();
}

// In front of the program's constructors, where the program is this module, and of the
// announcements that bstr.h makes in them.
__attribute__((constructor(101))) static void start_first(void) {
  if (!ct_has_own_runtime()) start();
}

// A run-time that is linked statically knows the module's types when its own constructors have
// run, which have no priority. lld puts this number behind those (LLVM's ELF linker sorts sections
// without a number as 65536), and is what links such a library; other linkers put it in front.
__attribute__((section(".init_array.70000"), used)) static void (*start_last)(void) = start;
