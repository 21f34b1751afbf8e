// widths: 2 4
// fault: overrun - 1 detected=main:9 freed=- allocated=main:7
// Bug class 15: room for bytes is allocated, and characters are written.
#include "text.h"

int main(void) {
  BSTR text = SysAllocStringByteLen(NULL, 4);
  for (int i = 0; i < 4; i++) text[i] = 'a';
  SysFreeString(text);
  return 0;
}
