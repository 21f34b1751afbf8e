// leak: 2 44 make_title three_from_two_places.c:8
// leak: 1 6 make_name three_from_two_places.c:9
// Three strings from two places; a fourth is freed.
#include <stdio.h>

#include "bstr.h"

static __attribute__((noinline)) BSTR make_title(void) { return SysAllocString(u"Status Text"); }
static __attribute__((noinline)) BSTR make_name(int n) { return SysAllocStringLen(u"abcdefgh", n); }

int main(void) {
  for (int i = 0; i < 2; i++) printf("%u\n", SysStringLen(make_title()));
  printf("%u\n", SysStringLen(make_name(3)));
  SysFreeString(make_name(4));
  return 0;
}
