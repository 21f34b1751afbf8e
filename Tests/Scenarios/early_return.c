// widths: 2 4
// leak: 1 14 describe early_return.c:7 rule=in owner=describe:7
// Bug class 1: an early return leaves the string behind.
#include "text.h"

KEEP static int describe(int fails) {
  BSTR text = SysAllocString(T("message"));
  if (fails) return -1;
  SysFreeString(text);
  return 0;
}

int main(void) { return describe(0) + (describe(1) != -1); }
