// widths: 2 4
// fault: overrun - 1 detected=main:15 freed=- allocated=main:9
// twin: -DFIXED
// Bug class 18: seen when the string is enlarged.
// Corrected: enlarged before.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("abc"));
#ifdef FIXED
  SysReAllocStringLen(&text, NULL, 50);
#endif
  text[4] = 'e';
#ifndef FIXED
  SysReAllocStringLen(&text, NULL, 50);
#endif
  SysFreeString(text);
  return 0;
}
