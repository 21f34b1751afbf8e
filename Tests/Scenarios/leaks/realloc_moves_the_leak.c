// leak: 1 200 grow realloc_moves_the_leak.c:5
// What was grown belongs to where it was grown.
#include "bstr.h"

static __attribute__((noinline)) int grow(BSTR *text) { return SysReAllocStringLen(text, NULL, 100); }

int main(void) {
  BSTR text = SysAllocString(u"short");
  return grow(&text) == 1 ? 0 : 1;
}
