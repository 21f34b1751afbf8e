// options: holders=on
// leak: 1 10 Browser::put_StatusText(char16_t*) setter_of_local.cpp:12 rule=- basis=-
// held: Browser::put_StatusText nobody
// never: nothing was found
// The object that a setter is of is gone with main's stack: that nobody holds its string does not blame the setter.
#include "text.h"

struct Browser {
  BSTR status = nullptr;
  KEEP void put_StatusText(BSTR text) {
    SysFreeString(status);
    status = SysAllocString(text);
  }
};

int main() {
  Browser browser;
  BSTR text = SysAllocString(T("Ready"));
  for (int i = 0; i < 10; i++) browser.put_StatusText(text);
  SysFreeString(text);
}
