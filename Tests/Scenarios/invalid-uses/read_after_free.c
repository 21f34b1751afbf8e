// widths: 2 4
// Bug class 18: a read leaves no trace. It finds an empty string and does no harm.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("gone"));
  SysFreeString(text);
  return SysStringLen(text) == 0 && text[4] == 0 ? 0 : 1;
}
