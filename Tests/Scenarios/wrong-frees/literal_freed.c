// widths: 2 4
// fault: invalid-free static 1 detected=main:14 freed=- allocated=-
// twin: -DFIXED
// Bug class 10: a literal is freed.
// Corrected: a copy of the literal is freed.
#include "text.h"

int main(void) {
#ifndef FIXED
  BSTR text = (BSTR)T("a literal");
#else
  BSTR text = SysAllocString(T("a literal"));
#endif
  SysFreeString(text);
  return 0;
}
