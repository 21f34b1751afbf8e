// widths: 2 4
// leak: 1 6 main overrun_leaked.cpp:10
// fault: overrun - 1 detected=- freed=- allocated=main:10
// twin: -DFIXED
// Bug class 18: a string that is never freed is looked at when the program ends.
// Corrected: inside, and freed.
#include "text.h"

int main() {
  BSTR text = SysAllocString(T("abc"));
#ifndef FIXED
  text[4] = 'e';
#else
  text[2] = 'e';
  SysFreeString(text);
#endif
}
