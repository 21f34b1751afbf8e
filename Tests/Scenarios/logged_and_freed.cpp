// fault: double-free - 1 detected=main:20 freed=Log:6 allocated=Browser::get_StatusText:12 rule=in owner=Browser::get_StatusText:12 consumer=Log:6
// Rule 1, inside a function that returns a string: what it calls frees its argument.
#include "text.h"

KEEP static void Log(BSTR text) {
  SysFreeString(text);
  asm("");
}

struct Browser {
  KEEP HRESULT get_StatusText(BSTR *text) {
    BSTR made = SysAllocString(T("Ready"));
    Log(made);
    *text = made;
    return S_OK;
  } };

int main() {
  Browser browser; BSTR status = nullptr; browser.get_StatusText(&status);
  SysFreeString(status);
}
