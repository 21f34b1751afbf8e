// fault: double-free - 1 detected=Browser::~Browser:11 freed=show:23 allocated=Browser::Browser:10 rule=-
// twin: -DFIXED
// A returned stored string must be a copy: this one is not, and its receiver frees it rightly. The stacks show two
// who may free, and not who gave it away.
// Corrected: a returned stored string is a copy.
#include "text.h"

struct Browser {
  BSTR status;
  KEEP Browser() : status(SysAllocString(T("Ready"))) {}
  KEEP ~Browser() { SysFreeString(status); }
#ifndef FIXED
  KEEP HRESULT get_StatusText(BSTR *text) { *text = status; return S_OK; }
#else
  KEEP HRESULT get_StatusText(BSTR *text) { *text = SysAllocString(status); return S_OK; }
#endif
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
