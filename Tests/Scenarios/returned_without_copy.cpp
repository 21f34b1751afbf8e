// fault: double-free - 1 detected=Browser::~Browser:9 freed=show:17 allocated=Browser::Browser:8 rule=-
// A returned stored string must be a copy: this one is not, and its receiver frees it rightly. The stacks show two
// who may free, and not who gave it away.
#include "text.h"

struct Browser {
  BSTR status;
  KEEP Browser() : status(SysAllocString(T("Ready"))) {}
  KEEP ~Browser() { SysFreeString(status); }
  KEEP HRESULT get_StatusText(BSTR *text) { *text = status; return S_OK; }
};

KEEP static void show(Browser &browser) {
  BSTR text = nullptr;
  browser.get_StatusText(&text);
  if (SysStringLen(text) != 5) abort();
  SysFreeString(text);
}

int main() {
  Browser browser;
  show(browser);
}
