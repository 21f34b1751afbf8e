// leak: 1 10 get_StatusText(char16_t**) singleton_keeps.cpp:7 rule=-
// twin: -DFIXED
// A singleton keeps what others free: its constructor is not to blame.
// Corrected: a singleton says that it keeps its string for good.
#include "text.h"
KEEP static HRESULT get_StatusText(BSTR *text) {
  *text = SysAllocString(T("Ready"));
  return S_OK;
}

struct Application {
  BSTR status;
#ifndef FIXED
  KEEP Application() { get_StatusText(&status); }
#else
  KEEP Application() { get_StatusText(&status); bstrtrace_immortal(status); }
#endif
};

KEEP static Application &application() {
  static Application *only = new Application;
  return *only;
}

KEEP static void show() {
  BSTR text = nullptr;
  get_StatusText(&text);
  SysFreeString(text);
}

int main() {
  for (int i = 0; i < 4; i++) show();
  application();
}
