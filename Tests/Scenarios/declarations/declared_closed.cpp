// fault: double-free - 1 detected=Browser::close:10 freed=main:19 allocated=main:16 rule=in owner=Browser::attach:* consumer=main:19
// An object takes a string over, and another of its functions frees it: the giver's free was the wrong one.
#include "text.h"
struct Browser {
  BSTR status = nullptr;
  KEEP void attach(BSTR text) {
    bstrtrace_adopt(text);
    status = text;
  }
  KEEP void close() { SysFreeString(status); status = nullptr; }
};

int main() {
  // The giver
  Browser browser;
  BSTR text = SysAllocString(T("Loading"));
  browser.attach(text);
  // frees what it has given away.
  SysFreeString(text);
  browser.close();
}
