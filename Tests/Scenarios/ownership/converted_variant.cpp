// leak: 2 8 VariantChangeType(VARIANT*, VARIANT*, unsigned short) converted_variant.cpp:9 rule=out owner=print:* producer=VariantChangeType:*
// twin: -DFIXED
// VariantChangeType makes a string for its caller, which forgets it.
// Corrected: the caller clears the VARIANT.
#include "text.h"

KEEP static HRESULT VariantChangeType(VARIANT *to, VARIANT *from, unsigned short type) {
  OLECHAR digits[2] = {(OLECHAR)(T('0') + from->vt / 10 % 10), (OLECHAR)(T('0') + from->vt % 10)};
  to->bstrVal = SysAllocStringLen(digits, 2);
  to->vt = type;
  return S_OK;
}

KEEP static UINT print(int number) {
  VARIANT text = {}, from = {};
  from.vt = (unsigned short)number;
  VariantChangeType(&text, &from, VT_BSTR);
  UINT length = SysStringLen(text.bstrVal);
#ifdef FIXED
  VariantClear(&text);
#endif
  return length;
}

int main() { return print(12) + print(34) == 4 ? 0 : 1; }
