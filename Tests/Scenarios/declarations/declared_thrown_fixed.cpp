// Calls that end with an exception give back what they were lent; methods of all kinds, functions, and NULL.
#include <memory>
#include <stdexcept>

#include "bstrtrace.hpp"
#include "text.h"

struct Browser {
  HRESULT put_StatusText(BSTR text) {
    if (SysStringLen(text) > 2) throw std::runtime_error("too long");
    return S_OK;
  }
  HRESULT get_StatusText(BSTR *text) const {
    *text = SysAllocString(T("Ready"));
    return S_OK;
  }
  void quiet(BSTR) noexcept {}
};

static HRESULT get_StatusText(BSTR *text) {
  *text = SysAllocString(T("Ready"));
  return S_OK;
}

KEEP static void announce(Browser *browser) {
  BSTR text = SysAllocString(T("Loading"));
  try {
    bstrtrace::call(browser, &Browser::put_StatusText, text);
  } catch (const std::exception &) {
  }
  SysFreeString(text);
}

int main() {
  Browser browser;
  announce(&browser);
  const Browser &constant = browser;
  BSTR text = nullptr;
  bstrtrace::call(constant, &Browser::get_StatusText, &text);
  SysFreeString(text);
  bstrtrace::call(get_StatusText, bstrtrace::out(&text));
  bstrtrace::call(std::make_shared<Browser>(), &Browser::quiet, text);
  bstrtrace::call(&browser, &Browser::put_StatusText, NULL);
  bstrtrace::call(&browser, &Browser::quiet, nullptr);
  SysFreeString(text);
}
