// widths: 2 4
// Bug class 18, corrected: an empty variable may be enlarged.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("gone"));
  SysFreeString(text);
  text = NULL;
  SysReAllocString(&text, T("a new text"));
  SysFreeString(text);
  return 0;
}
