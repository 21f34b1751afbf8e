// Bug class 7, corrected: the wrapper lends.
#include "text.h"

class CComBSTR {
  BSTR string;

 public:
  KEEP explicit CComBSTR(const OLECHAR *text) { string = SysAllocString(text); }
  KEEP ~CComBSTR() { SysFreeString(string); }
  BSTR get() const { return string; }
};

KEEP static UINT put_Text(BSTR text) { return SysStringLen(text); }

int main() {
  UINT length = 0;
  for (int i = 0; i < 4; i++) {
    CComBSTR text(T("detached"));
    length += put_Text(text.get());
  }
  return length == 32 ? 0 : 1;
}
