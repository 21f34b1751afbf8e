// leak: 1 16 CComBSTR::CComBSTR(char16_t const*) detached_wrapper.cpp:10 rule=in owner=main:26
// Bug class 7 with a well-known wrapper: its constructor acts for main, which lets go of the string.
#include "text.h"

class CComBSTR {
  BSTR string;

 public:
  KEEP explicit CComBSTR(const OLECHAR *text) {
    string = SysAllocString(text);
  }
  KEEP ~CComBSTR() { SysFreeString(string); }
  BSTR Detach() {
    BSTR detached = string;
    string = nullptr;
    return detached;
  }
  BSTR get() const { return string; }
};

KEEP static UINT put_Text(BSTR text) { return SysStringLen(text); }

int main() {
  UINT length = 0;
  for (int i = 0; i < 4; i++) {
    CComBSTR text(T("detached"));
    length += put_Text(i == 2 ? text.Detach() : text.get());
  }
  return length == 32 ? 0 : 1;
}
