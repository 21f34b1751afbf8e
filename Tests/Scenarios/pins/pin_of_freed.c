// widths: 2 4
// fault: invalid-use freed 1 detected=main:9 freed=main:8 allocated=main:7
// A string that is gone is pinned; the one that has its address later is not.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("gone"));
  SysFreeString(text);
  SysAddRefString(text);
  for (int i = 0; i < 5000; i++) SysFreeString(SysAllocString(T("next")));
  return 0;
}
