// widths: 2 4
// leak: 1 6 main overrun_leaked.cpp:8
// fault: overrun - 1 detected=- freed=- allocated=main:8
// Bug class 18: a string that is never freed is looked at when the program ends.
#include "text.h"

int main() {
  BSTR text = SysAllocString(T("abc"));
  text[4] = 'e';
}
