// leak: 1 14 announce(Browser&, char16_t const*, bool) rule1_caller.cpp:16 rule=in owner=announce:16 leaves=18
// twin: -DFIXED
// Rule 1: who calls a function that expects a BSTR releases it after. One path does not.
// Corrected: the caller releases what it passed, on every path.
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
#ifndef FIXED
  if (quietly) return;
  browser.put_StatusText(status);
#else
  if (!quietly) browser.put_StatusText(status);
#endif
  SysFreeString(status);
}

int main() {
  Browser browser;
  announce(browser, T("Loading"), false);
  announce(browser, T("Waiting"), true);
}
