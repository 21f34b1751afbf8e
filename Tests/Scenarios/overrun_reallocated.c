// widths: 2 4
// fault: overrun - 1 detected=main:9 freed=- allocated=main:7
// Bug class 18: seen when the string is enlarged.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("abc"));
  text[4] = 'e';
  SysReAllocStringLen(&text, NULL, 50);
  SysFreeString(text);
  return 0;
}
