// The constructor and the destructor of CLinked.h: the first and the last of their module.

#include <stdlib.h>

#include "CLinked.h"

__attribute__((destructor(101))) static void ending(void) { bstrtrace_linked_ending(); }

__attribute__((constructor(101))) static void started(void) {
  bstrtrace_linked_started();
  // quick_exit runs no destructors, and what was registered first last.
  at_quick_exit(ending);
}
