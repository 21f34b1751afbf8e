// KB Q108934, callee 2, kept: what is kept is a copy.
#include "text.h"
struct Browser {
  BSTR status = nullptr;
  KEEP void put_StatusText(BSTR text) { status = SysAllocString(text); }
  KEEP void clear() { SysFreeString(status); status = nullptr; }
};

int main() {
  Browser browser;
  BSTR text = SysAllocString(T("Loading"));
  browser.put_StatusText(text);
  browser.clear();
  SysFreeString(text);
}
