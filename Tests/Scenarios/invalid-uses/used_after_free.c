// widths: 2 4
// fault: invalid-use freed 1 detected=main:14 freed=main:10 allocated=main:9
// twin: -DFIXED
// Bug class 18: a string that is gone is enlarged.
// Corrected: an empty variable may be enlarged.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("gone"));
  SysFreeString(text);
#ifdef FIXED
  text = NULL;
#endif
  SysReAllocString(&text, T("a new text"));
  SysFreeString(text);
  return 0;
}
