// flags: -O1
// leak: 3 24 convert|decode(Outer&) two_drafts_inlined.cpp:10 rule=- owner=-
// twin: -DFIXED
// The same through a helper, and all of it inlined into one line.
// Corrected: the first is freed.
#include "text.h"

__attribute__((always_inline)) static inline BSTR convert(const OLECHAR *text) {
  // Reads as one place in both calls.
  return SysAllocString(text);
}

struct Outer {
  __attribute__((always_inline)) HRESULT get(BSTR *text) {
#ifndef FIXED
    *text = convert(T("lost")); *text = convert(T("kept"));
#else
    *text = convert(T("lost")); SysFreeString(*text); *text = convert(T("kept"));
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
