// widths: 2 4
// leak: 1 10 main byref_variant.c:7 rule=in owner=main:7
// Bug class 8: VT_BSTR|VT_BYREF owns nothing, so that VariantClear frees nothing.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("byref"));
  VARIANT variant = {.vt = VT_BSTR | VT_BYREF, .pbstrVal = &text};
  VariantClear(&variant);
  return 0;
}
