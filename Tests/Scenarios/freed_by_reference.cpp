// fault: double-free - 1 detected=main:12 freed=update:6 allocated=main:10 rule=in-out owner=main:10 consumer=update:6
// KB Q108934, callee 4: [in,out] is freed although it is not replaced.
#include "text.h"

KEEP static void update(BSTR *text) {
  SysFreeString(*text);
}

int main() {
  BSTR text = SysAllocString(T("by reference"));
  update(&text);
  SysFreeString(text);
}
