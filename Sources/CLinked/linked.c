// Calls the functions of CLinked.h from the first constructor and the last destructor of the
// module.

#include <stdlib.h>

#include "CLinked.h"

__attribute__((destructor(101))) static void ending(void) { bstrtrace_linked_ending(); }

__attribute__((constructor(101))) static void started(void) {
  bstrtrace_linked_started();
  // quick_exit runs no destructors, and runs the function that was registered first last.
  at_quick_exit(ending);
}
