// widths: 2 4
// fault: double-free - 1 detected=main:13 freed=put_StatusText:7 allocated=main:11 rule=in owner=main:11 consumer=put_StatusText:7
// Bug class 5: the callee frees what it was only lent.
#include "text.h"

KEEP static void put_StatusText(BSTR text) {
  SysFreeString(text);
}

int main(void) {
  BSTR text = SysAllocString(T("lent"));
  put_StatusText(text);
  SysFreeString(text);
  return 0;
}
