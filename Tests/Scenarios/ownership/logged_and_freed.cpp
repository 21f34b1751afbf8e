// fault: double-free - 1 detected=main:26 freed=Log:9 allocated=Browser::get_StatusText:18 rule=in owner=Browser::get_StatusText:18 consumer=Log:9
// twin: -DFIXED
// Rule 1, inside a function that returns a string: what it calls frees its argument.
// Corrected: what it calls reads its argument.
#include "text.h"

KEEP static void Log(BSTR text) {
#ifndef FIXED
  SysFreeString(text);
#else
  if (SysStringLen(text) != 5) abort();
#endif
  asm("");
}

struct Browser {
  KEEP HRESULT get_StatusText(BSTR *text) {
    BSTR made = SysAllocString(T("Ready"));
    Log(made);
    *text = made;
    return S_OK;
  } };

int main() {
  Browser browser; BSTR status = nullptr; browser.get_StatusText(&status);
  SysFreeString(status);
}
