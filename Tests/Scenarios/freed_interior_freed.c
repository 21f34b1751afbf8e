// widths: 2 4
// fault: invalid-free freed-interior 1 detected=main:10 freed=main:9 allocated=main:7
// Bug class 10: a pointer into a string that is gone.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("key=value"));
  OLECHAR *value = text + 4;
  SysFreeString(text);
  SysFreeString(value);
  return 0;
}
