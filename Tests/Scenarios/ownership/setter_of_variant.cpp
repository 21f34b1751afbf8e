// leak: 1 10 Window::put_Title(VARIANT*) setter_of_variant.cpp:12 rule=- owner=-
// twin: -DFIXED
// A setter copies what it is given and keeps the copy: its VARIANT is no result, and its caller is not to blame.
// Corrected: the object frees its copy.
#include "text.h"

struct Window {
  BSTR title = nullptr;
  KEEP HRESULT put_Title(VARIANT *value) {
    SysFreeString(title);
    UINT length = SysStringLen(value->bstrVal);
    title = SysAllocStringLen(value->bstrVal, length);
    return S_OK;
  }
#ifdef FIXED
  ~Window() { SysFreeString(title); }
#endif
};

KEEP static void name(Window &window) {
  VARIANT value = {VT_BSTR, {SysAllocString(T("Title"))}};
  window.put_Title(&value);
  VariantClear(&value);
}

int main() {
  Window window;
  name(window);
  return SysStringLen(window.title) == 5 ? 0 : 1;
}
