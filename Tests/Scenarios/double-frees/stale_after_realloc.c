// widths: 2 4
// fault: double-free - 1 detected=main:10 freed=main:9 allocated=main:7 rule=- owner=main:7
// Bug class 19: SysReAllocString has freed the old string; who kept its address frees it again.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("before"));
  BSTR kept = text;
  SysReAllocString(&text, T("a longer text after"));
  SysFreeString(kept);
  SysFreeString(text);
  return 0;
}
