// leak: 1 22 show(VARIANT*) variant_argument.cpp:43 rule=- owner=-
// leak: 1 14 Cell::put_Value(VARIANT*) variant_argument.cpp:19 rule=- owner=-
// leak: 1 10 Cell::get_Item(VARIANT*, Cell**) variant_argument.cpp:24 rule=- owner=-
// leak: 1 4 Cell::get_Link(VARIANT*, VARIANT*) variant_argument.cpp:33 rule=- owner=-
// twin: -DFIXED
// A VARIANT is passed by its address as an argument, too. What is made of it is the object's, or the function's own and
// forgotten. Types cannot tell that from a result, and the caller is not to blame.
// Corrected: the object frees what it has, and the functions what they make.
#include "text.h"

struct Cell {
  BSTR value = nullptr;

#ifdef FIXED
  KEEP ~Cell() { SysFreeString(value); }
#endif

  KEEP HRESULT put_Value(VARIANT *argument) {
    value = SysAllocString(argument->bstrVal);
    return S_OK;
  }

  KEEP HRESULT get_Item(VARIANT *index, Cell **item) {
    BSTR name = SysAllocString(index->bstrVal);
    *item = SysStringLen(name) == 5 ? this : nullptr;
#ifdef FIXED
    SysFreeString(name);
#endif
    return S_OK;
  }

  KEEP HRESULT get_Link(VARIANT *from, VARIANT *to) {
    BSTR key = SysAllocString(from->bstrVal);
    bool isSame = SysStringLen(key) == SysStringLen(to->bstrVal);
#ifdef FIXED
    SysFreeString(key);
#endif
    return isSame ? S_OK : E_INVALIDARG;
  }
};

KEEP static UINT show(VARIANT *value) {
  BSTR line = SysAllocStringLen(nullptr, SysStringLen(value->bstrVal) + 4);
  UINT length = SysStringLen(line);
#ifdef FIXED
  SysFreeString(line);
#endif
  return length;
}

KEEP static UINT use(Cell &cell, const OLECHAR *text) {
  VARIANT argument = {.vt = VT_BSTR, .bstrVal = SysAllocString(text)};
  Cell *item = nullptr;
  UINT length = SysStringLen(argument.bstrVal);
  if (length == 7) cell.put_Value(&argument);
  if (length == 5) cell.get_Item(&argument, &item);
  if (length == 2) cell.get_Link(&argument, &argument);
  if (length > 5) show(&argument);
  VariantClear(&argument);
  return length;
}

int main() {
  Cell cell;
  return use(cell, T("a value")) + use(cell, T("index")) + use(cell, T("to")) == 14 ? 0 : 1;
}
