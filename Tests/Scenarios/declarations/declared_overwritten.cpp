// fault: ownership overwritten 2 detected=* freed=- allocated=Text::get:9 rule=out owner=main:*
// leak: 2 12 Text::get(char16_t**) declared_overwritten.cpp:9
// Bug class 2, declared: the variable of an [out] argument still owns a string.
#include "bstrtrace.hpp"
#include "text.h"

struct Text {
  KEEP HRESULT get(BSTR *text) {
    *text = SysAllocString(T("abc"));
    return S_OK;
  }
};

int main() {
  Text texts;
  BSTR text = nullptr;
  for (int i = 0; i < 3; i++) bstrtrace::call(texts, &Text::get, bstrtrace::out(&text));
  SysFreeString(text);
}
