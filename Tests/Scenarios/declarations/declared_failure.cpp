// fault: ownership left-by-failure 1 detected=* freed=- allocated=Text::get:9 rule=return
// leak: 1 6 Text::get(char16_t**) declared_failure.cpp:9
// On failure every [out] is NULL. This implementer leaves a string there.
#include "bstrtrace.hpp"
#include "text.h"

struct Text {
  KEEP HRESULT get(BSTR *text) {
    *text = SysAllocString(T("abc"));
    return E_OUTOFMEMORY;
  }
};

int main() {
  Text texts;
  BSTR text = nullptr;
  if (bstrtrace::call(texts, &Text::get, bstrtrace::out(&text)) >= 0) SysFreeString(text);
}
