// leak: 2 32 Table::GetPropertyInfo(unsigned int, char16_t**, unsigned int*, unsigned short*) parameters_between.cpp:12 rule=out owner=list:36 producer=Table::GetPropertyInfo:12
// leak: 2 24 Table::Get(char16_t const*, long, VARIANT*, int*, int*) parameters_between.cpp:19 rule=out owner=list:38 producer=Table::Get:19
// leak: 2 20 Table::parse(char16_t**, Table*) parameters_between.cpp:25 rule=- owner=-
// twin: -DFIXED
// What returns a string stands in front of parameters that return something else. That it does so a getter's name says;
// of another function it may as well be replaced.
// Corrected: the caller frees the strings.
#include "text.h"

struct Table {
  KEEP HRESULT GetPropertyInfo(UINT index, BSTR *name, UINT *id, unsigned short *type) {
    *name = SysAllocStringLen(T("property"), 8);
    *id = index;
    *type = VT_BSTR;
    return S_OK;
  }
  KEEP HRESULT Get(const OLECHAR *name, long, VARIANT *value, int *type, int *flavour) {
    value->vt = VT_BSTR;
    value->bstrVal = SysAllocStringLen(name, 6);
    *type = *flavour = VT_BSTR;
    return S_OK;
  }
  KEEP HRESULT parse(BSTR *rest, Table *other) {
    if (other == this) return E_INVALIDARG;
    *rest = SysAllocString(T("=true"));
    return S_OK;
  }
};

KEEP static UINT list(Table &table, UINT index) {
  BSTR name = nullptr, rest = nullptr;
  VARIANT value = {};
  UINT id;
  unsigned short type;
  int kind, flavour;
  table.GetPropertyInfo(index, &name, &id, &type);
  UINT length = SysStringLen(name);
  table.Get(T("colour"), 0, &value, &kind, &flavour);
  length += SysStringLen(value.bstrVal);
  table.parse(&rest, nullptr);
  length += SysStringLen(rest);
#ifdef FIXED
  SysFreeString(name);
  SysFreeString(rest);
  VariantClear(&value);
#endif
  return length;
}

int main() {
  Table table;
  return list(table, 0) + list(table, 1) == 38 ? 0 : 1;
}
