// leak: 2 12 get_Name(char16_t**, int) declared_implementer.cpp:8 rule=in owner=get_Name:*
// The implementer forgets its own draft; it had said that the draft is its own.
#include "text.h"

KEEP static HRESULT get_Name(BSTR *name, int number) {
  *name = NULL;
  if (number % 4 == 3) {
    BSTR draft = SysAllocString(T("abc"));
    bstrtrace_adopt(draft);
    return SysStringLen(draft) == 3 ? E_OUTOFMEMORY : S_OK;
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
