// widths: 2 4
// fault: double-free - 1 detected=main:10 freed=main:9 allocated=main:7 rule=- owner=main:7
// A second SysFreeString while the first one still waits for a pin.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("pinned"));
  SysAddRefString(text);
  SysFreeString(text);
  SysFreeString(text);
  SysReleaseString(text);
  return 0;
}
