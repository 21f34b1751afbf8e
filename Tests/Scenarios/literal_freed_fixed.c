// widths: 2 4
// Bug class 10, corrected: a copy of the literal is freed.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("a literal"));
  SysFreeString(text);
  return 0;
}
