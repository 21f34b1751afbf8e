// fault: ownership not-replaced 1 detected=* freed=Text::update:8 allocated=main:15 rule=in-out
// KB Q108934, callee 4, declared: [in,out] is freed and nothing stored.
#include "bstrtrace.hpp"
#include "text.h"

struct Text {
  KEEP HRESULT update(BSTR *text) {
    SysFreeString(*text);
    return S_OK;
  }
};

int main() {
  Text updater;
  BSTR text = SysAllocString(T("old"));
  bstrtrace::call(updater, &Text::update, bstrtrace::in_out(&text));
}
