// leak: 3 24 get_Both(char16_t**, char16_t**) both_in_one_line.cpp:8 rule=out owner=use:* producer=get_Both:*
// twin: -DFIXED
// A function returns two strings at a time, made in one line. Its caller frees one.
// Corrected: the caller frees both.
#include "text.h"

KEEP static HRESULT get_Both(BSTR *name, BSTR *text) {
  *name = SysAllocString(T("name")); *text = SysAllocString(T("text")); return S_OK;
}

KEEP static UINT use() {
  BSTR name = nullptr, text = nullptr;
  get_Both(&name, &text);
  UINT length = SysStringLen(name) + SysStringLen(text);
  SysFreeString(name);
#ifdef FIXED
  SysFreeString(text);
#endif
  return length;
}

int main() {
  UINT all = 0;
  for (int i = 0; i < 3; i++) all += use();
  return all == 24 ? 0 : 1;
}
