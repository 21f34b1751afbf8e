// widths: 2 4
// sanitizers: no; AddressSanitizer's own quarantine keeps addresses from being given out again
// options: quarantine=0
// fault: double-free reused 1 detected=main:14 freed=main:13 allocated=main:11
// Without a quarantine the address goes to the next string, which the wrong release takes along.
#include "text.h"

int main(void) {
  BSTR first = SysAllocString(T("first"));
  SysFreeString(first);
  BSTR second = SysAllocString(T("other"));
  if (second != first) return 1;
  SysFreeString(first);
  SysFreeString(second);
  return 0;
}
