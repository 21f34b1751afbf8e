// flags: -O1
// leak: 1 6 make_inline inlined.c:8
// The function that allocates was inlined into the one that calls it.
#include <stdio.h>

#include "bstr.h"

static inline __attribute__((always_inline)) BSTR make_inline(void) { return SysAllocString(u"abc"); }

static __attribute__((noinline)) int use(void) {
  BSTR made = make_inline();
  printf("%u\n", SysStringLen(made));
  return 0;
}

int main(void) { return use(); }
