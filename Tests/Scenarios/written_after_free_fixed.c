// widths: 2 4
// Bug class 18, corrected: written before.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("status"));
  text[2] = 'X';
  SysFreeString(text);
  return 0;
}
