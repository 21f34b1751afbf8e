// Rule 1, kept inside a function that returns a string.
#include "text.h"

KEEP static void Log(BSTR text) {
  if (SysStringLen(text) != 5) abort();
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
