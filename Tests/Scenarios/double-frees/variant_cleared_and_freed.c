// widths: 2 4
// fault: double-free - 1 detected=main:15 freed=VariantClear:* allocated=main:9 rule=- owner=main:9
// twin: -DFIXED
// Bug class 4: VariantClear has freed the string already.
// Corrected: the variant is the only owner.
#include "text.h"

int main(void) {
  VARIANT variant = {.vt = VT_BSTR, .bstrVal = SysAllocString(T("variant"))};
#ifndef FIXED
  BSTR text = variant.bstrVal;
#endif
  VariantClear(&variant);
#ifndef FIXED
  SysFreeString(text);
#endif
  return 0;
}
