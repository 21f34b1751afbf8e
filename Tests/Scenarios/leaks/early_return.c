// widths: 2 4
// leak: 1 14 describe early_return.c:9 rule=in owner=describe:9 leaves=11
// twin: -DFIXED
// Bug class 1: an early return leaves the string behind.
// Corrected: every path frees the string.
#include "text.h"

KEEP static int describe(int fails) {
  BSTR text = SysAllocString(T("message"));
#ifndef FIXED
  if (fails) return -1;
#else
  int result = fails ? -1 : 0;
#endif
  SysFreeString(text);
#ifndef FIXED
  return 0;
#else
  return result;
#endif
}

int main(void) { return describe(0) + (describe(1) != -1); }
