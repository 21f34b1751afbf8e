// fault: double-free - 1 detected=show:17 freed=Browser::get_StatusText:9 allocated=Browser::get_StatusText:7 rule=return owner=show:16 producer=Browser::get_StatusText:7
// Rule 3: who implements a function that returns a BSTR does not free it. This one tidies up.
#include "text.h"

struct Browser {
  KEEP HRESULT get_StatusText(BSTR *text) {
    BSTR made = SysAllocString(T("Ready"));
    *text = made;
    SysFreeString(made);
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
