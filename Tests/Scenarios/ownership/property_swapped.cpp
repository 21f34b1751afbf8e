// leak: 3 30 Browser::put_StatusText(char16_t*) property_swapped.cpp:11 rule=- owner=-
// twin: -DFIXED
// Property setters that make the new string and free the old one; the objects are never ended.
// Corrected: the objects free what they keep.
#include "text.h"

struct Browser {
  BSTR status = nullptr;
  KEEP void put_StatusText(BSTR text) {
    // The old one may be what is given.
    BSTR copy = SysAllocString(text);
    SysFreeString(status);
    status = copy;
  }
#ifndef FIXED
  KEEP void end() { status = nullptr; }
#else
  KEEP void end() { SysFreeString(status); }
#endif
};

int main() {
  Browser browsers[3];
  BSTR text = SysAllocString(T("Ready"));
  for (int i = 0; i < 12; i++) browsers[i % 3].put_StatusText(text);
  for (Browser &browser : browsers) browser.end();
  SysFreeString(text);
}
