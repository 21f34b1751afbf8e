// KB Q108934, callee 3, declared and kept: by type alone, and by name.
#include "bstrtrace.hpp"
#include "text.h"

struct Text {
  KEEP HRESULT update(BSTR *text, bool) {
    BSTR old = *text;
    *text = SysAllocString(T("new"));
    SysFreeString(old);
    return S_OK;
  }
};

int main() {
  Text updater;
  for (int i = 0; i < 4; i++) {
    BSTR text = SysAllocString(T("old"));
    if (i % 2) bstrtrace::call(&updater, &Text::update, bstrtrace::in_out(&text), false);
    else bstrtrace::call(updater, &Text::update, &text, false);
    SysFreeString(text);
  }
}
