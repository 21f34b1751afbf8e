// widths: 2 4
// options: quarantine-blocks=64
// fault: write-after-free - 1 detected=- freed=main:14 allocated=main:10
// twin: -DFIXED
// Bug class 18: a terminator is written at the start of a freed string, seen when it leaves quarantine.
// Corrected: cleared before it is freed.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("password"));
#ifdef FIXED
  memset(text, 0, SysStringByteLen(text));
#endif
  SysFreeString(text);
#ifndef FIXED
  text[0] = 0;
#endif
  for (int i = 0; i < 2000; i++) SysFreeString(SysAllocStringLen(NULL, 5));
  return 0;
}
