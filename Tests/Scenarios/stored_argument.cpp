// fault: double-free - 1 detected=Title::clear:* freed=main:16 allocated=main:14 rule=-
// KB Q108934, callee 2: an [in] argument is kept without a copy. Stacks cannot tell whether it was
// handed over.
#include "text.h"

struct Title {
  BSTR string = nullptr;
  KEEP void put(BSTR text) { string = text; }
  KEEP void clear() { SysFreeString(string); }
};

int main() {
  Title title;
  BSTR text = SysAllocString(T("kept"));
  title.put(text);
  SysFreeString(text);
  title.clear();
}
