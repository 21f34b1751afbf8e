// The README's example: a browser's status text, set and read through BSTRs.
//
// The five pieces of Microsoft's page "Allocating and Releasing Memory for a BSTR" show who
// allocates and who frees: a caller that passes a string in, a caller that gets one out, and a
// function that returns one. Each is here as it should be, and once as it is often written.

#include <cstdio>
#include <string>

#include "bstr.h"

class Browser {
 public:
  // Expects a BSTR. It is only lent, so what is to be kept is copied and nothing is freed.
  HRESULT put_StatusText(BSTR text) {
    status_.assign(text, SysStringLen(text));
    return S_OK;
  }

  // Returns a BSTR. It allocates, stores through the pointer and does not free: that is the
  // receiver's to do.
  HRESULT get_StatusText(BSTR *text) {
    *text = SysAllocStringLen(status_.data(), static_cast<UINT>(status_.size()));
    return *text ? S_OK : E_OUTOFMEMORY;
  }

 private:
  std::u16string status_;
};

// Rule 1: who calls a function that expects a BSTR allocates it before and frees it after.
static void showProgress(Browser &browser) {
  BSTR text = SysAllocString(u"Loading");
  if (text) {
    browser.put_StatusText(text);
    SysFreeString(text);
  }
}

// Rule 2: who calls a function that returns a BSTR frees it.
static size_t statusLength(Browser &browser) {
  BSTR text = nullptr;
  if (browser.get_StatusText(&text) != S_OK) return 0;
  size_t length = SysStringLen(text);
  SysFreeString(text);
  return length;
}

// Rule 2, broken: the string is looked at and forgotten.
static bool isIdle(Browser &browser) {
  BSTR text = nullptr;
  if (browser.get_StatusText(&text) != S_OK) return true;
  return SysStringLen(text) == 0;
}

// Rule 1, broken: on the way out through the error nothing frees what was allocated.
static bool announce(Browser &browser, const char16_t *message) {
  BSTR text = SysAllocString(message);
  if (SysStringLen(text) > 10) return false;
  browser.put_StatusText(text);
  SysFreeString(text);
  return true;
}

int main() {
  Browser browser;
  showProgress(browser);
  std::printf("%zu characters of status\n", statusLength(browser));
  for (int poll = 0; poll < 3; poll++) {
    if (isIdle(browser)) break;
  }
  announce(browser, u"Done");
  announce(browser, u"Everything has been loaded");
  return 0;
}
