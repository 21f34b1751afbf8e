// options: holders=on
// leak: 1 10 Browser::put_StatusText(char16_t*) kept_by_setter.cpp:13 rule=- basis=held
// held: Browser::put_StatusText g_browser (program .bss) → the string
// twin: -DFIXED
// A setter frees the old string before it makes the new one: it is not to blame that nobody frees the last.
// Corrected: the object frees what it has when it ends.
#include "text.h"

struct Browser {
  BSTR status;
  KEEP void put_StatusText(BSTR text) {
    SysFreeString(status);
    status = SysAllocString(text);
  }
#ifdef FIXED
  KEEP ~Browser() { SysFreeString(status); }
#endif
};
static Browser g_browser;

int main() {
  BSTR text = SysAllocString(T("Ready"));
  for (int i = 0; i < 10; i++) g_browser.put_StatusText(text);
  SysFreeString(text);
}
