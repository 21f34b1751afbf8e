// widths: 2 4
// fault: invalid-free interior 1 detected=main:10 freed=- allocated=main:8
// leak: 1 16 main interior_freed.c:8
// Bug class 10: a pointer that was moved along the string is freed; so the string itself is not.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("  padded"));
  while (*text == ' ') text++;
  SysFreeString(text);
  return 0;
}
