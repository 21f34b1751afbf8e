// widths: 2 4
// options: quarantine=0
// Addresses that are given out again are nobody's fault.
#include "text.h"

int main(void) {
  for (int i = 0; i < 1000; i++) {
    BSTR text = SysAllocString(T("again"));
    SysFreeString(text);
  }
  return 0;
}
