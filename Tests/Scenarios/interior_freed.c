// widths: 2 4
// fault: invalid-free interior 1 detected=main:9 freed=- allocated=main:7
// Bug class 10: a pointer that was moved along the string is freed; that the string itself is not is no second mistake.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("  padded"));
  while (*text == ' ') text++;
  SysFreeString(text);
  return 0;
}
