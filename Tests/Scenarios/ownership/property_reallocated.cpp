// leak: 1 10 Browser::put_StatusText(char16_t*) property_reallocated.cpp:10 rule=- owner=-
// twin: -DFIXED
// The same with SysReAllocString, which frees and allocates in one call.
// Corrected: the object's string is freed.
#include "text.h"

struct Browser {
  BSTR status = nullptr;
  KEEP void put_StatusText(BSTR text) {
    SysReAllocString(&status, text);
    asm("");
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
