// The implementer frees what it does not return.
#include "text.h"

KEEP static HRESULT get_Name(BSTR *name, int number) {
  *name = NULL;
  if (number % 4 == 3) {
    BSTR draft = SysAllocString(T("abc"));
    HRESULT result = SysStringLen(draft) == 3 ? E_OUTOFMEMORY : S_OK;
    SysFreeString(draft);
    return result;
  }
  *name = SysAllocString(T("a good name"));
  return S_OK;
}

int main() {
  for (int i = 0; i < 8; i++) {
    BSTR name = NULL;
    get_Name(&name, i);
    SysFreeString(name);
  }
}
