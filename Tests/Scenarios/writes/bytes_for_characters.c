// widths: 2 4
// fault: overrun - 1 detected=main:15 freed=- allocated=main:10
// twin: -DFIXED
// Bug class 15: room for bytes is allocated, and characters are written.
// Corrected: room for characters.
#include "text.h"

int main(void) {
#ifndef FIXED
  BSTR text = SysAllocStringByteLen(NULL, 4);
#else
  BSTR text = SysAllocStringLen(NULL, 4);
#endif
  for (int i = 0; i < 4; i++) text[i] = 'a';
  SysFreeString(text);
  return 0;
}
