// leak: 3 24 Outer::get(char16_t**) two_drafts.cpp:11 rule=- owner=-
// twin: -DFIXED
// An implementer allocates twice in one line and returns the second; its caller frees all that it gets.
// Corrected: the first is freed.
#include "text.h"

struct Outer {
  KEEP HRESULT get(BSTR *text) {
#ifndef FIXED
    // The first is lost.
    *text = SysAllocString(T("lost")); *text = SysAllocString(T("kept"));
#else
    *text = SysAllocString(T("lost")); SysFreeString(*text); *text = SysAllocString(T("kept"));
#endif
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
