// leak: 3 30 Browser::get_StatusText(char16_t**) rule2.cpp:7 rule=out owner=isReady:14 producer=Browser::get_StatusText:7
// Rule 2: who calls a function that returns a BSTR frees it. isReady forgets to.
#include "text.h"

struct Browser {
  KEEP HRESULT get_StatusText(BSTR *text) {
    *text = SysAllocString(T("Ready"));
    return S_OK;
  }
};

KEEP static bool isReady(Browser &browser) {
  BSTR status = nullptr;
  browser.get_StatusText(&status);
  return SysStringLen(status) == 5;
}

int main() {
  Browser browser;
  for (int i = 0; i < 3; i++) isReady(browser);
}
