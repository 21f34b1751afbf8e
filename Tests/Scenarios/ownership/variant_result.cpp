// leak: 2 28 Cell::get_Value(int, VARIANT*) variant_result.cpp:11 rule=out owner=measure:25 producer=Cell::get_Value:11
// leak: 2 14 Cell::fetch(int, VARIANT*) variant_result.cpp:16 rule=out owner=rename:36 producer=Cell::fetch:16
// twin: -DFIXED
// Strings come back in a VARIANT, or through the reference in one, and are forgotten: no string of theirs was ever
// freed, and the type of a getter's parameter says whose they are.
// Corrected: the callers free them.
#include "text.h"

struct Cell {
  KEEP HRESULT get_Value(int row, VARIANT *value) {
    value->bstrVal = SysAllocString(row ? T("second.") : T("first.."));
    value->vt = VT_BSTR;
    return S_OK;
  }
  KEEP HRESULT fetch(int row, VARIANT *reference) {
    BSTR made = SysAllocStringLen(T("name"), 3 + row);
    SysFreeString(*reference->pbstrVal);
    *reference->pbstrVal = made;
    return S_OK;
  }
};

KEEP static UINT measure(Cell &cell, int row) {
  VARIANT value;
  cell.get_Value(row, &value);
  UINT length = SysStringLen(value.bstrVal);
#ifdef FIXED
  VariantClear(&value);
#endif
  return length;
}

KEEP static UINT rename(Cell &cell, int row) {
  BSTR text = SysAllocString(T("old"));
  VARIANT reference = {.vt = VT_BSTR | VT_BYREF, .pbstrVal = &text};
  cell.fetch(row, &reference);
  UINT length = SysStringLen(text);
#ifdef FIXED
  SysFreeString(text);
#endif
  VariantClear(&reference);
  return length;
}

int main() {
  Cell cell;
  UINT all = 0;
  for (int i = 0; i < 2; i++) all += measure(cell, i) + rename(cell, i);
  return all == 21 ? 0 : 1;
}
