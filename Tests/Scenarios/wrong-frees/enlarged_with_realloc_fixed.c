// widths: 2 4
// Bug class 11, corrected.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("grow"));
  SysReAllocStringLen(&text, NULL, 100);
  int failed = memcmp(text, T("grow"), 4 * sizeof(OLECHAR)) != 0;
  SysFreeString(text);
  return failed;
}
