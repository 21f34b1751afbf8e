// leak: 2 12 get_Name(char16_t**, bool) failing_elsewhere.cpp:13 rule=- owner=-
// leak: 1 6 get_Name(char16_t**, bool) failing_elsewhere.cpp:13 rule=- owner=-
// twin: -DFIXED
// An implementer fails and forgets its draft. One of its callers frees what it gets; the other, which gets nothing, is
// not to blame either.
// Corrected: the implementer frees what it does not return.
#include "text.h"

KEEP static HRESULT get_Name(BSTR *name, bool fails) {
  *name = nullptr;
  if (fails) {
    HRESULT result;
    BSTR draft = SysAllocString(T("abc"));
    result = SysStringLen(draft) == 3 ? E_OUTOFMEMORY : S_OK;
#ifdef FIXED
    SysFreeString(draft);
#endif
    return result;
  }
  *name = SysAllocString(T("a good name"));
  return S_OK;
}

KEEP static void frees(bool fails) {
  BSTR name = nullptr;
  get_Name(&name, fails);
  SysFreeString(name);
}

KEEP static HRESULT tries() {
  BSTR name = nullptr;
  return get_Name(&name, true);
}

int main() {
  for (int i = 0; i < 6; i++) frees(i % 3 == 2);
  return tries() == E_OUTOFMEMORY ? 0 : 1;
}
