// widths: 2 4
// leak: 1 10 main byref_variant.c:9 rule=in owner=main:9
// twin: -DFIXED
// Bug class 8: VT_BSTR|VT_BYREF owns nothing, so that VariantClear frees nothing.
// Corrected: whoever has the variable frees the string.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("byref"));
  VARIANT variant = {.vt = VT_BSTR | VT_BYREF, .pbstrVal = &text};
  VariantClear(&variant);
#ifdef FIXED
  SysFreeString(text);
#endif
  return 0;
}
