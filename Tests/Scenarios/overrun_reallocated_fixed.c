// widths: 2 4
// Bug class 18, corrected: enlarged before.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("abc"));
  SysReAllocStringLen(&text, NULL, 50);
  text[4] = 'e';
  SysFreeString(text);
  return 0;
}
