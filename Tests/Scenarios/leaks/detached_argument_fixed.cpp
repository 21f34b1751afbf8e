// widths: 2 4
// Bug class 7, corrected: the wrapper lends.
#include "text.h"

struct Owner {
  BSTR string;
  ~Owner() { SysFreeString(string); }
};

KEEP static UINT put_Text(BSTR text) { return SysStringLen(text); }

int main() {
  Owner owner{SysAllocString(T("detached"))};
  return put_Text(owner.string) == 8 ? 0 : 1;
}
