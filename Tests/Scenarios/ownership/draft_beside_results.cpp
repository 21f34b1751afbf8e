// leak: 3 30 get_Both(char16_t**, char16_t**) draft_beside_results.cpp:9 rule=- owner=-
// twin: -DFIXED
// A function returns two strings at a time, which its caller frees, and forgets a draft of its own. By their counts
// three strings came up, for which there is no room: who forgot the one is left open.
// Corrected: the draft is freed.
#include "text.h"

KEEP static HRESULT get_Both(BSTR *name, BSTR *text) {
  BSTR draft = SysAllocString(T("draft"));
  *name = SysAllocString(T("name"));
  *text = SysAllocString(draft);
#ifdef FIXED
  SysFreeString(draft);
#endif
  return S_OK;
}

KEEP static UINT use() {
  BSTR name = nullptr, text = nullptr;
  get_Both(&name, &text);
  UINT length = SysStringLen(name) + SysStringLen(text);
  SysFreeString(name);
  SysFreeString(text);
  return length;
}

int main() {
  UINT all = 0;
  for (int i = 0; i < 3; i++) all += use();
  return all == 27 ? 0 : 1;
}
