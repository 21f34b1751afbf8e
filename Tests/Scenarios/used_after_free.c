// widths: 2 4
// fault: invalid-use freed 1 detected=main:9 freed=main:8 allocated=main:7
// Bug class 18: a string that is gone is enlarged.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("gone"));
  SysFreeString(text);
  SysReAllocString(&text, T("a new text"));
  SysFreeString(text);
  return 0;
}
