// widths: 2 4
// Bug class 19, corrected; and the new text may come from inside the old string.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("before and after"));
  SysReAllocString(&text, text + 11);
  int failed = SysStringLen(text) != 5;
  SysReAllocStringLen(&text, text, 40);
  SysFreeString(text);
  return failed;
}
