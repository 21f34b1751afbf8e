// Rule 1, kept: the caller releases what it passed, on every path.
#include "text.h"

struct Browser {
  UINT shown = 0;
  KEEP HRESULT put_StatusText(BSTR text) {
    shown += SysStringLen(text);
    return S_OK;
  }
};

KEEP static void announce(Browser &browser, const OLECHAR *text, bool quietly) {
  BSTR status = SysAllocString(text);
  if (!quietly) browser.put_StatusText(status);
  SysFreeString(status);
}

int main() {
  Browser browser;
  announce(browser, T("Loading"), false);
  announce(browser, T("Waiting"), true);
}
