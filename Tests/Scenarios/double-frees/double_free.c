// widths: 2 4
// fault: double-free - 1 detected=main:13 freed=release:7 allocated=main:11 rule=in owner=main:11 consumer=release:7
// Bug class 3: two functions think that they own the string.
#include "text.h"

KEEP static void release(BSTR text) {
  SysFreeString(text);
}

int main(void) {
  BSTR text = SysAllocString(T("twice"));
  release(text);
  SysFreeString(text);
  return 0;
}
