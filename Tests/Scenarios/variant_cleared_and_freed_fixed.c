// widths: 2 4
// Bug class 4, corrected: the variant is the only owner.
#include "text.h"

int main(void) {
  VARIANT variant = {.vt = VT_BSTR, .bstrVal = SysAllocString(T("variant"))};
  VariantClear(&variant);
  return 0;
}
