// widths: 2 4
// Bug class 3, corrected: the variable is empty once its string is gone.
#include "text.h"

KEEP static void release(BSTR *text) {
  SysFreeString(*text);
  *text = NULL;
}

int main(void) {
  BSTR text = SysAllocString(T("twice"));
  release(&text);
  SysFreeString(text);
  return 0;
}
