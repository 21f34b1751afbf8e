// leak: 1 10 copy(char16_t*) property_copied.cpp:8 rule=- owner=-
// twin: -DFIXED
// A property setter that swaps in what a helper has copied: it received the last one, and kept it.
// Corrected: the object's string is freed.
#include "text.h"

KEEP static BSTR copy(BSTR text) {
  return SysAllocStringLen(text, SysStringLen(text));
}

struct Browser {
  BSTR status = nullptr;
  KEEP void put_StatusText(BSTR text) {
    BSTR made = copy(text);
    SysFreeString(status);
    status = made;
  }
};

int main() {
  Browser browser;
  BSTR text = SysAllocString(T("Ready"));
  for (int i = 0; i < 10; i++) browser.put_StatusText(text);
  SysFreeString(text);
#ifdef FIXED
  SysFreeString(browser.status);
#endif
}
