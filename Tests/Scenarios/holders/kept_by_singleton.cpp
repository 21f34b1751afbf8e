// options: holders=on
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 1 10 get_StatusText kept_by_singleton.cpp:11 rule=- basis=held
// held: get_StatusText application()::only (program .bss) → Application, 24 bytes, +8 → the string
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
  KEEP Application() {
    get_StatusText(&status);
#ifdef FIXED
    bstrtrace_immortal(status);
#endif
  }
  virtual ~Application() { SysFreeString(status); }
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
