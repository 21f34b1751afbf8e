// widths: 2 4
// Bug class 1, corrected: every path frees the string.
#include "text.h"

KEEP static int describe(int fails) {
  BSTR text = SysAllocString(T("message"));
  int result = fails ? -1 : 0;
  SysFreeString(text);
  return result;
}

int main(void) { return describe(0) + (describe(1) != -1); }
