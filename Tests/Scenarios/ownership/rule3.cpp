// fault: double-free - 1 detected=show:23 freed=Browser::get_StatusText:12 allocated=Browser::get_StatusText:10 rule=return owner=show:22 producer=Browser::get_StatusText:10
// twin: -DFIXED
// Rule 3: who implements a function that returns a BSTR does not free it. This one tidies up.
// Corrected: the implementer leaves what it returned alone.
#include "text.h"

struct Browser {
  KEEP HRESULT get_StatusText(BSTR *text) {
#ifndef FIXED
    BSTR made = SysAllocString(T("Ready"));
    *text = made;
    SysFreeString(made);
#else
    *text = SysAllocString(T("Ready"));
#endif
    return S_OK;
  }
};

KEEP static void show(Browser &browser) {
  BSTR status = nullptr;
  browser.get_StatusText(&status);
  SysFreeString(status);
}

int main() {
  Browser browser;
  show(browser);
}
