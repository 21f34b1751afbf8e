// widths: 2 4
// fault: invalid-free static 1 detected=main:8 freed=- allocated=-
// Bug class 10: a literal is freed.
#include "text.h"

int main(void) {
  BSTR text = (BSTR)T("a literal");
  SysFreeString(text);
  return 0;
}
