// A returned stored string is a copy.
#include "text.h"

struct Browser {
  BSTR status;
  KEEP Browser() : status(SysAllocString(T("Ready"))) {}
  KEEP ~Browser() { SysFreeString(status); }
  KEEP HRESULT get_StatusText(BSTR *text) { *text = SysAllocString(status); return S_OK; }
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
