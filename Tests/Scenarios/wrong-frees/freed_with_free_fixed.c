// widths: 2 4
// Bug class 11, corrected.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("not malloc's"));
  SysFreeString(text);
  return 0;
}
