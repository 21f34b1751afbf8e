// widths: 2 4
// Bug class 8, corrected: whoever has the variable frees the string.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("byref"));
  VARIANT variant = {.vt = VT_BSTR | VT_BYREF, .pbstrVal = &text};
  VariantClear(&variant);
  SysFreeString(text);
  return 0;
}
