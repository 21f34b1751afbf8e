// fault: double-free - 1 detected=main:17 freed=Holder::~Holder:* allocated=make:11 rule=return owner=main:16 producer=make:11
// KB Q108934, callee 5: the implementer's own wrapper frees what was returned.
#include "text.h"

struct Holder {
  BSTR string;
  KEEP ~Holder() { SysFreeString(string); }
};

KEEP static BSTR make() {
  Holder holder{SysAllocString(T("made"))};
  return holder.string;
}

int main() {
  BSTR text = make();
  SysFreeString(text);
}
