// The first is freed.
#include "text.h"

struct Outer {
  KEEP HRESULT get(BSTR *text) {
    *text = SysAllocString(T("lost")); SysFreeString(*text); *text = SysAllocString(T("kept"));
    return S_OK;
  }
};

KEEP static UINT decode(Outer &outer) {
  BSTR text = nullptr;
  outer.get(&text);
  UINT length = SysStringLen(text);
  SysFreeString(text);
  return length;
}

int main() {
  Outer outer;
  UINT all = 0;
  for (int i = 0; i < 3; i++) all += decode(outer);
  return all == 12 ? 0 : 1;
}
