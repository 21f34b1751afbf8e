// The objects free what they keep.
#include "text.h"

struct Browser {
  BSTR status = nullptr;
  KEEP void put_StatusText(BSTR text) {
    // The old one may be what is given.
    BSTR copy = SysAllocString(text);
    SysFreeString(status);
    status = copy;
  }
  KEEP void end() { SysFreeString(status); }
};

int main() {
  Browser browsers[3];
  BSTR text = SysAllocString(T("Ready"));
  for (int i = 0; i < 12; i++) browsers[i % 3].put_StatusText(text);
  for (Browser &browser : browsers) browser.end();
  SysFreeString(text);
}
