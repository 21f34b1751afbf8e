// Rule 1, kept: the function reads what it was lent.
#include "text.h"

struct Browser {
  UINT shown = 0;
  KEEP HRESULT put_StatusText(BSTR text) {
    shown += SysStringLen(text);
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
