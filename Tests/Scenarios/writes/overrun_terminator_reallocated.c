// widths: 2 4
// fault: overrun - 1 detected=main:8 freed=- allocated=main:6
// Bug class 18: one character too many, and then the string grows: that is told once.
#include "text.h"

int main(void) { BSTR text = SysAllocString(T("abc"));
  text[3] = 'd';
  SysReAllocStringLen(&text, NULL, 50);
  SysFreeString(text);
  return 0;
}
