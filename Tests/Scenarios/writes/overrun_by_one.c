// widths: 2 4
// fault: overrun - 1 detected=main:16 freed=- allocated=main:10
// twin: -DFIXED
// Bug class 18: the terminator is written one character too far.
// Corrected: the room is counted without the terminator, which is there already.
#include "text.h"

int main(void) {
#ifndef FIXED
  BSTR text = SysAllocStringLen(NULL, 5);
#else
  BSTR text = SysAllocStringLen(NULL, 6);
#endif
  memcpy(text, T("hello!"), 6 * sizeof(OLECHAR));
  text[6] = 0;
  SysFreeString(text);
  return 0;
}
