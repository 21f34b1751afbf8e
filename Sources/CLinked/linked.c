// The constructor and the destructor of CLinked.h: the first and the last of their module.

#include "CLinked.h"

__attribute__((constructor(101))) static void started(void) { bstrtrace_linked_started(); }

__attribute__((destructor(101))) static void ending(void) { bstrtrace_linked_ending(); }
