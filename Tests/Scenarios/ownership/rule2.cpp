// leak: 3 30 Browser::get_StatusText(char16_t**) rule2.cpp:9 rule=out owner=isReady:16 producer=Browser::get_StatusText:9
// twin: -DFIXED
// Rule 2: who calls a function that returns a BSTR frees it. isReady forgets to.
// Corrected: isReady frees what it was given.
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
#ifndef FIXED
  return SysStringLen(status) == 5;
#else
  bool ready = SysStringLen(status) == 5;
  SysFreeString(status);
  return ready;
#endif
}

int main() {
  Browser browser;
  for (int i = 0; i < 3; i++) isReady(browser);
}
