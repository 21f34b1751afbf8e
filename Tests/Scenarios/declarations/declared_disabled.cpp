// flags: -DBSTRTRACE_DISABLED
// leak: 1 6 Text::get(char16_t**) declared_disabled.cpp:9
// Everything compiles to nothing: the leak is found, and no declaration.
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
  bstrtrace_before_out(&text);
  bstrtrace::call(texts, &Text::get, bstrtrace::out(&text));
  bstrtrace_note(text, "nothing");
}
