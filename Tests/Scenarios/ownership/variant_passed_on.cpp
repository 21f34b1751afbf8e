// leak: 2 20 Text::get_Text(char16_t**) variant_passed_on.cpp:9 rule=- owner=-
// leak: 2 16 Name::get_Name(char16_t**) variant_passed_on.cpp:13 rule=- owner=-
// twin: -DFIXED
// Two getters that are given a VARIANT receive a string: one passes it on to its caller, one forgets it. They look alike.
// Corrected: the caller frees the one, and the getter the other.
#include "text.h"

struct Text {
  KEEP HRESULT get_Text(BSTR *text) { *text = SysAllocString(T("Ready")); return S_OK; }
};

struct Name {
  KEEP HRESULT get_Name(BSTR *name) { *name = SysAllocString(T("Name")); return S_OK; }
};

struct Cell {
  KEEP HRESULT get_Value(int, VARIANT *value) {
    value->vt = VT_BSTR;
    return Text().get_Text(&value->bstrVal);
  }
  KEEP HRESULT get_Size(int, VARIANT *value) {
    BSTR name = nullptr;
    Name().get_Name(&name);
    value->vt = VT_EMPTY + SysStringLen(name);
#ifdef FIXED
    SysFreeString(name);
#endif
    return S_OK;
  }
};

KEEP static UINT measure(Cell &cell, int row) {
  VARIANT value, size;
  cell.get_Value(row, &value);
  cell.get_Size(row, &size);
  UINT length = SysStringLen(value.bstrVal) + size.vt;
#ifdef FIXED
  VariantClear(&value);
#endif
  return length;
}

int main() {
  Cell cell;
  return measure(cell, 0) + measure(cell, 1) == 18 ? 0 : 1;
}
