// fault: double-free - 1 detected=main:17 freed=update:8 allocated=main:15 rule=in-out owner=main:15 consumer=update:8
// twin: -DFIXED
// KB Q108934, callee 4: [in,out] is freed although it is not replaced.
// Corrected: what is freed is replaced, here by nothing.
#include "text.h"

KEEP static void update(BSTR *text) {
  SysFreeString(*text);
#ifdef FIXED
  *text = nullptr;
#endif
}

int main() {
  BSTR text = SysAllocString(T("by reference"));
  update(&text);
  SysFreeString(text);
}
