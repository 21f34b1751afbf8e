// flags: -O2
// fault: wrong-deallocator free 1 detected=consume:10 freed=- allocated=main:13 rule=-|in owner=main:13
// A function of the program gives the string to free: it is the one that did, and not free.
#include <stdlib.h>

#include "bstr.h"

__attribute__((noinline))
static void consume(BSTR text) {
  free(text); __asm__ volatile("");
}

int main(void) { consume(SysAllocString(u"given to free"));
  return 0;
}
