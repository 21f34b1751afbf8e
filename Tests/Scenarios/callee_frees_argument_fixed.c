// widths: 2 4
// Bug class 5, corrected: the callee keeps a copy.
#include "text.h"

static BSTR kept;

KEEP static void put_StatusText(BSTR text) { SysReAllocString(&kept, text); }

int main(void) {
  BSTR text = SysAllocString(T("lent"));
  put_StatusText(text);
  SysFreeString(text);
  put_StatusText(NULL);
  return 0;
}
