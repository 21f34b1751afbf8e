// widths: 2 4
// fault: invalid-free immortal 1 detected=main:9 freed=- allocated=-
// A string that was declared immortal is freed all the same.
#include "text.h"

int main() {
  BSTR name = SysAllocString(T("for ever"));
  bstrtrace_immortal(name);
  SysFreeString(name);
}
