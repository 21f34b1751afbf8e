// fault: double-free - 1 detected=Title::clear:* freed=main:22 allocated=main:20 rule=-
// twin: -DFIXED
// KB Q108934, callee 2: an [in] argument is kept without a copy. Stacks cannot tell whether it was
// handed over.
// Corrected: the callee keeps a copy.
#include "text.h"

struct Title {
  BSTR string = nullptr;
#ifndef FIXED
  KEEP void put(BSTR text) { string = text; }
#else
  KEEP void put(BSTR text) { SysReAllocString(&string, text); }
#endif
  KEEP void clear() { SysFreeString(string); }
};

int main() {
  Title title;
  BSTR text = SysAllocString(T("kept"));
  title.put(text);
  SysFreeString(text);
  title.clear();
}
