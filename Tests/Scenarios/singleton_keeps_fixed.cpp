// A singleton says that it keeps its string for good.
#include "text.h"
KEEP static HRESULT get_StatusText(BSTR *text) {
  *text = SysAllocString(T("Ready"));
  return S_OK;
}

struct Application {
  BSTR status;
  KEEP Application() { get_StatusText(&status); bstrtrace_immortal(status); }
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
