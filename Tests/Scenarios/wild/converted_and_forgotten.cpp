// flags: -O1
// twin: -DFIXED
// leak: 2 24 Range::GetText converted_and_forgotten.cpp:11 rule=out owner=readText:*|readText[abi:cxx11]:*
// leak: 1 18 Range::GetAttributeValue converted_and_forgotten.cpp:15 rule=out owner=readFont:*
// A text is converted for the caller and the original forgotten; an attribute that may be a number is never cleared.
#define VARIANT_FUNCTIONS
#include <string>
#include "variant.h"
struct Range {
  APART HRESULT GetText(int maximum, BSTR *text) {
    *text = SysAllocStringLen(T("what the screen shows"), maximum);
    return S_OK;
  }
  APART HRESULT GetAttributeValue(int id, VARIANT *value) {
    if (id == 1) { value->vt = VT_BSTR; value->bstrVal = SysAllocString(T("Monospace")); }
    else { value->vt = VT_I4; value->lVal = 12; }
    return S_OK;
  }
};
APART std::basic_string<OLECHAR> readText(Range &range, int maximum) {
  BSTR text;
  if (range.GetText(maximum, &text) < 0) return {};
  std::basic_string<OLECHAR> result(text, SysStringLen(text));
#ifdef FIXED
  SysFreeString(text);
#endif
  return result;
}
APART unsigned readFont(Range &range, int id) {
  VARIANT value;
  range.GetAttributeValue(id, &value);
  unsigned result = value.vt == VT_I4 ? (unsigned)value.lVal : SysStringLen(value.bstrVal);
#ifdef FIXED
  VariantClear(&value);
#endif
  return result;
}
int main() {
  Range range;
  size_t sum = readText(range, 4).size() + readText(range, 8).size();
  sum += readFont(range, 1) + readFont(range, 2);
  return sum == 33 ? 0 : 1;
}
