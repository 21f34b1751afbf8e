// widths: 2 4
// leak: 1 16 main detached_argument.cpp:19 rule=in owner=main:19
// Bug class 7: a wrapper lets go of its string for a callee that takes no ownership.
#include "text.h"

struct Owner {
  BSTR string;
  ~Owner() { SysFreeString(string); }
  BSTR detach() {
    BSTR detached = string;
    string = nullptr;
    return detached;
  }
};

KEEP static UINT put_Text(BSTR text) { return SysStringLen(text); }

int main() {
  Owner owner{SysAllocString(T("detached"))};
  return put_Text(owner.detach()) == 8 ? 0 : 1;
}
