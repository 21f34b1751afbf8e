// widths: 2 4
// fault: write-after-free - 1 detected=- freed=main:8 allocated=main:7
// Bug class 18: a character is written to a string that is gone.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("status"));
  SysFreeString(text);
  text[2] = 'X';
  return 0;
}
