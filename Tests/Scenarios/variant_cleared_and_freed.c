// widths: 2 4
// fault: double-free - 1 detected=main:10 freed=VariantClear:* allocated=main:7 rule=- owner=main:7
// Bug class 4: VariantClear has freed the string already.
#include "text.h"

int main(void) {
  VARIANT variant = {.vt = VT_BSTR, .bstrVal = SysAllocString(T("variant"))};
  BSTR text = variant.bstrVal;
  VariantClear(&variant);
  SysFreeString(text);
  return 0;
}
