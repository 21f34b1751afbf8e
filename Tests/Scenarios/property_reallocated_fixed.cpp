// The object's string is freed.
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
  SysFreeString(browser.status);
}
