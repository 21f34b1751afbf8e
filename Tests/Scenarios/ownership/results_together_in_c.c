// leak: 2 16 get_both results_together_in_c.c:9 rule=- owner=-
// twin: -DFIXED
// Names of C have no types: the second string may be a second result that was forgotten, as it is here, or a draft.
// Corrected: the caller frees both.
#include "text.h"

KEEP static HRESULT get_both(BSTR *name, BSTR *text) {
  *name = SysAllocString(T("name"));
  *text = SysAllocString(T("text"));
  return S_OK;
}

KEEP static UINT show(void) {
  BSTR name = NULL, text = NULL;
  get_both(&name, &text);
  UINT length = SysStringLen(name) + SysStringLen(text);
  SysFreeString(name);
#ifdef FIXED
  SysFreeString(text);
#endif
  return length;
}

int main(void) { return show() + show() == 16 ? 0 : 1; }
