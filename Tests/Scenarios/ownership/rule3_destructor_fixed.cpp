// KB Q108934, callee 5, kept: the wrapper lets go of what is returned.
#include "text.h"

struct Holder {
  BSTR string;
  KEEP ~Holder() { SysFreeString(string); }
  BSTR detach() {
    BSTR detached = string;
    string = nullptr;
    return detached;
  }
};

KEEP static BSTR make() {
  Holder holder{SysAllocString(T("made"))};
  return holder.detach();
}

int main() { SysFreeString(make()); }
