// Bug class 2, declared and corrected; a VARIANT, a returned string and other types pass as they are.
#include <memory>

#include "bstrtrace.hpp"
#include "text.h"

struct Text {
  KEEP HRESULT get(BSTR *text) {
    *text = SysAllocString(T("abc"));
    return S_OK;
  }
  KEEP HRESULT value(VARIANT *variant, int number) {
    variant->vt = VT_BSTR;
    variant->bstrVal = SysAllocStringLen(NULL, number);
    return S_OK;
  }
  KEEP BSTR copy(BSTR text) { return SysAllocString(text); }
  KEEP void nothing() {}
};

int main() {
  auto texts = std::make_unique<Text>();
  for (int i = 0; i < 3; i++) {
    BSTR text = nullptr;
    bstrtrace::call(texts, &Text::get, bstrtrace::out(&text));
    BSTR copy = bstrtrace::call(texts, &Text::copy, text);
    VARIANT variant = {};
    bstrtrace::call(texts, &Text::value, &variant, i);
    bstrtrace::call(texts, &Text::nothing);
    SysFreeString(copy);
    SysFreeString(text);
    VariantClear(&variant);
  }
}
