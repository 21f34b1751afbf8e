// widths: 2 4
// fault: double-free - 100 detected=main:10 freed=main:9 allocated=main:8
// A hundred faults of one place are one finding.
#include "text.h"

int main(void) {
  for (int i = 0; i < 100; i++) {
    BSTR text = SysAllocString(T("often"));
    SysFreeString(text);
    SysFreeString(text);
  }
  return 0;
}
