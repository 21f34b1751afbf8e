// fault: double-free - 1 detected=main:16 freed=Browser::clear:8 allocated=main:13 rule=-
// KB Q108934, callee 2: kept without a copy, and freed by a function that takes no string: who broke the rule is
// not on these stacks.
#include "text.h"
struct Browser {
  BSTR status = nullptr;
  KEEP void put_StatusText(BSTR text) { status = text; }
  KEEP void clear() { SysFreeString(status); status = nullptr; }
};

int main() {
  Browser browser;
  BSTR text = SysAllocString(T("Loading"));
  browser.put_StatusText(text);
  browser.clear();
  SysFreeString(text);
}
