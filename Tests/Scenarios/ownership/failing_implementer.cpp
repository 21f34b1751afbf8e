// leak: 2 12 get_Name(char16_t**, int) failing_implementer.cpp:11 rule=-
// twin: -DFIXED
// The implementer fails and forgets its own string, which the caller never saw. Stacks cannot tell it
// from a caller's mistake, and do not: no string from that line was ever freed.
// Corrected: the implementer frees what it does not return.
#include "text.h"

KEEP static HRESULT get_Name(BSTR *name, int number) {
  *name = NULL;
  if (number % 4 == 3) {
    BSTR draft = SysAllocString(T("abc"));
#ifndef FIXED
    return SysStringLen(draft) == 3 ? E_OUTOFMEMORY : S_OK;
#else
    HRESULT result = SysStringLen(draft) == 3 ? E_OUTOFMEMORY : S_OK;
    SysFreeString(draft);
    return result;
#endif
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
