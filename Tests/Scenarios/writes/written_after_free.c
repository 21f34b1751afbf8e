// widths: 2 4
// fault: write-after-free - 1 detected=- freed=main:13 allocated=main:9
// twin: -DFIXED
// Bug class 18: a character is written to a string that is gone.
// Corrected: written before.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("status"));
#ifdef FIXED
  text[2] = 'X';
#endif
  SysFreeString(text);
#ifndef FIXED
  text[2] = 'X';
#endif
  return 0;
}
