// widths: 2 4
// fault: invalid-free freed-interior 1 detected=main:16 freed=main:15 allocated=main:9
// twin: -DFIXED
// Bug class 10: a pointer into a string that is gone.
// Corrected: the part is a string of its own.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("key=value"));
#ifndef FIXED
  OLECHAR *value = text + 4;
#else
  BSTR value = SysAllocString(text + 4);
#endif
  SysFreeString(text);
  SysFreeString(value);
  return 0;
}
