// leak: 1 12 cachedName() helper_keeps_value.cpp:11 rule=- owner=-
// twin: -DFIXED
// A helper makes a string once, keeps it and returns it to a function that returns copies, which are freed: who gets the
// copies is not to blame for the one that is kept.
// Corrected: the cache says that it keeps its string for good.
#include "text.h"

KEEP static BSTR cachedName() {
  static BSTR name;
  if (!name) {
    name = SysAllocString(T("cached"));
#ifdef FIXED
    bstrtrace_immortal(name);
#endif
  }
  return name;
}

KEEP static HRESULT get_Name(BSTR *name) {
  BSTR kept = cachedName();
  *name = SysAllocString(kept);
  return S_OK;
}

KEEP static UINT show() {
  BSTR name = nullptr;
  get_Name(&name);
  UINT length = SysStringLen(name);
  SysFreeString(name);
  return length;
}

int main() {
  UINT all = 0;
  for (int i = 0; i < 4; i++) all += show();
  return all == 24 ? 0 : 1;
}
