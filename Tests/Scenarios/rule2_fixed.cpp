// Rule 2, kept.
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
  bool ready = SysStringLen(status) == 5;
  SysFreeString(status);
  return ready;
}

int main() {
  Browser browser;
  for (int i = 0; i < 3; i++) isReady(browser);
}
