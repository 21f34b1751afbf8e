// widths: 2 4
// fault: overrun - 1 detected=main:10 freed=- allocated=main:7
// Bug class 18: the terminator is written one character too far.
#include "text.h"

int main(void) {
  BSTR text = SysAllocStringLen(NULL, 5);
  memcpy(text, T("hello!"), 6 * sizeof(OLECHAR));
  text[6] = 0;
  SysFreeString(text);
  return 0;
}
