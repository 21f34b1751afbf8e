// fault: double-free - 1 detected=announce:21 freed=Browser::put_StatusText:12 allocated=announce:19 rule=in owner=announce:19 consumer=Browser::put_StatusText:12
// twin: -DFIXED
// Rule 1: a function that expects a BSTR does not release it. This one does.
// Corrected: the function reads what it was lent.
#include "text.h"

struct Browser {
  UINT shown = 0;
  KEEP HRESULT put_StatusText(BSTR text) {
    shown += SysStringLen(text);
#ifndef FIXED
    SysFreeString(text);
#endif
    return S_OK;
  }
};

KEEP static void announce(Browser &browser, const OLECHAR *text) {
  BSTR status = SysAllocString(text);
  browser.put_StatusText(status);
  SysFreeString(status);
}

int main() {
  Browser browser;
  announce(browser, T("Loading"));
}
