// Every object is ended.
#include "text.h"

struct Browser {
  BSTR status = nullptr;
  KEEP void put_StatusText(BSTR text) {
    SysFreeString(status);
    status = SysAllocString(text);
  }
  KEEP ~Browser() { SysFreeString(status); }
};

KEEP static void use(BSTR text, bool loses) {
  Browser *browser = new Browser;
  browser->put_StatusText(text);
  if (loses) asm("");
  delete browser;
}

int main() {
  BSTR text = SysAllocString(T("Ready"));
  for (int i = 0; i < 5; i++) use(text, i == 4);
  SysFreeString(text);
}
