// widths: 2 4
// Bug class 9, corrected: SysAllocString makes a BSTR of it.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("literal"));
  SysReAllocString(&text, T("a real one"));
  SysFreeString(text);
  return 0;
}
