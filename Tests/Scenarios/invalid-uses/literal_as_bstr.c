// widths: 2 4
// fault: invalid-use literal 1 detected=main:14 freed=- allocated=-
// twin: -DFIXED
// Bug class 9: a literal has no length in front of it.
// Corrected: SysAllocString makes a BSTR of it.
#include "text.h"

int main(void) {
#ifndef FIXED
  BSTR text = (BSTR)T("literal");
#else
  BSTR text = SysAllocString(T("literal"));
#endif
  SysReAllocString(&text, T("a real one"));
  SysFreeString(text);
  return 0;
}
