// fault: double-free - 1 detected=main:22 freed=Browser::clear:14 allocated=main:19 rule=-
// twin: -DFIXED
// KB Q108934, callee 2: kept without a copy, and freed by a function that takes no string: who broke the rule is
// not on these stacks.
// Corrected: what is kept is a copy.
#include "text.h"
struct Browser {
  BSTR status = nullptr;
#ifndef FIXED
  KEEP void put_StatusText(BSTR text) { status = text; }
#else
  KEEP void put_StatusText(BSTR text) { status = SysAllocString(text); }
#endif
  KEEP void clear() { SysFreeString(status); status = nullptr; }
};

int main() {
  Browser browser;
  BSTR text = SysAllocString(T("Loading"));
  browser.put_StatusText(text);
  browser.clear();
  SysFreeString(text);
}
