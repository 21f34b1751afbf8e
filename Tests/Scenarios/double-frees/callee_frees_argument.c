// widths: 2 4
// fault: double-free - 1 detected=main:21 freed=put_StatusText:10 allocated=main:19 rule=in owner=main:19 consumer=put_StatusText:10
// twin: -DFIXED
// Bug class 5: the callee frees what it was only lent.
// Corrected: the callee keeps a copy.
#include "text.h"

#ifndef FIXED
KEEP static void put_StatusText(BSTR text) {
  SysFreeString(text);
}
#else
static BSTR kept;

KEEP static void put_StatusText(BSTR text) { SysReAllocString(&kept, text); }
#endif

int main(void) {
  BSTR text = SysAllocString(T("lent"));
  put_StatusText(text);
  SysFreeString(text);
#ifdef FIXED
  put_StatusText(NULL);
#endif
  return 0;
}
