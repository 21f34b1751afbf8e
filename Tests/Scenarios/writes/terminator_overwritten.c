// widths: 2 4
// fault: overrun - 1 detected=main:9 freed=- allocated=main:7
// Bug class 18: one character too many lands on the terminator.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("abc"));
  text[3] = 'd';
  SysFreeString(text);
  return 0;
}
