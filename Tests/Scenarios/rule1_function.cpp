// fault: double-free - 1 detected=announce:17 freed=Browser::put_StatusText:9 allocated=announce:15 rule=in owner=announce:15 consumer=Browser::put_StatusText:9
// Rule 1: a function that expects a BSTR does not release it. This one does.
#include "text.h"

struct Browser {
  UINT shown = 0;
  KEEP HRESULT put_StatusText(BSTR text) {
    shown += SysStringLen(text);
    SysFreeString(text);
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
