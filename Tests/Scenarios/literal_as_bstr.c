// widths: 2 4
// fault: invalid-use literal 1 detected=main:8 freed=- allocated=-
// Bug class 9: a literal has no length in front of it.
#include "text.h"

int main(void) {
  BSTR text = (BSTR)T("literal");
  SysReAllocString(&text, T("a real one"));
  SysFreeString(text);
  return 0;
}
