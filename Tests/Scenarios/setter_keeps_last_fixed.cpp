// The object frees what it has when it ends.
#include "text.h"

struct Browser {
  BSTR status = nullptr;
  KEEP void put_StatusText(BSTR text) {
    SysFreeString(status);
    status = SysAllocString(text);
  }
  KEEP ~Browser() { SysFreeString(status); }
};

int main() {
  Browser browser;
  BSTR text = SysAllocString(T("Ready"));
  for (int i = 0; i < 10; i++) browser.put_StatusText(text);
  SysFreeString(text);
}
