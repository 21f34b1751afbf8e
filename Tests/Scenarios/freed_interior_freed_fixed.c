// widths: 2 4
// Bug class 10, corrected: the part is a string of its own.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("key=value"));
  BSTR value = SysAllocString(text + 4);
  SysFreeString(text);
  SysFreeString(value);
  return 0;
}
