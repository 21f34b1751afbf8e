// leak: 1 10 Browser::put_StatusText(char16_t*) setter_keeps_last.cpp:11 rule=-
// twin: -DFIXED
// A setter frees the old string before it makes the new one: it is not to blame that nobody frees the last.
// Corrected: the object frees what it has when it ends.
#include "text.h"

struct Browser {
  BSTR status = nullptr;
  KEEP void put_StatusText(BSTR text) {
    SysFreeString(status);
    status = SysAllocString(text);
  }
#ifdef FIXED
  KEEP ~Browser() { SysFreeString(status); }
#endif
};

int main() {
  Browser browser;
  BSTR text = SysAllocString(T("Ready"));
  for (int i = 0; i < 10; i++) browser.put_StatusText(text);
  SysFreeString(text);
}
