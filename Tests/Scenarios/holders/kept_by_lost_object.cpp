// options: holders=on
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 1 10 Browser::put_StatusText(char16_t*) kept_by_lost_object.cpp:14 rule=- basis=held
// held: Browser::put_StatusText Browser, 24 bytes, +8 → the string
// twin: -DFIXED
// The object is lost, and its string with it: who made the string is not to blame.
// Corrected: every object is ended.
#include "text.h"

struct Browser {
  BSTR status = nullptr;
  KEEP void put_StatusText(BSTR text) {
    SysFreeString(status);
    status = SysAllocString(text);
  }
  KEEP virtual ~Browser() { SysFreeString(status); }
};

KEEP static void use(BSTR text, bool loses) {
  Browser *browser = new Browser;
  browser->put_StatusText(text);
#ifndef FIXED
  if (!loses) delete browser;
#else
  if (loses) asm("");
  delete browser;
#endif
}

int main() {
  BSTR text = SysAllocString(T("Ready"));
  for (int i = 0; i < 5; i++) use(text, i == 4);
  SysFreeString(text);
}
