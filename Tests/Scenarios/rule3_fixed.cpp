// Rule 3, kept.
#include "text.h"

struct Browser {
  KEEP HRESULT get_StatusText(BSTR *text) {
    *text = SysAllocString(T("Ready"));
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
