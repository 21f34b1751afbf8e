// Calls the functions of CLinked.h at the start of this copy of the library and from the module's
// last destructor.

#include <stdlib.h>

#include "CLinked.h"
#include "CTracker.h"

__attribute__((destructor(101))) static void ending(void) { bstrtrace_linked_ending(); }

void ct_start_product(void) {
  bstrtrace_linked_started();
  // quick_exit runs no destructors, and runs the function that was registered first last.
  at_quick_exit(ending);
}
