// fault: ownership replaced 1 detected=* freed=- allocated=main:19 rule=in-out owner=main:*
// leak: 1 6 main declared_in_out.cpp:19
// KB Q108934, callee 3, declared: [in,out] is replaced without freeing the old string.
#include "bstrtrace.hpp"
#include "text.h"

struct Text {
  KEEP HRESULT update(BSTR *text, bool inHaste) {
    BSTR old = *text;
    *text = SysAllocString(T("new"));
    if (!inHaste) SysFreeString(old);
    return S_OK;
  }
};

int main() {
  Text updater;
  for (int i = 0; i < 4; i++) {
    BSTR text = SysAllocString(T("old"));
    bstrtrace::call(&updater, &Text::update, bstrtrace::in_out(&text), i == 2);
    SysFreeString(text);
  }
}
