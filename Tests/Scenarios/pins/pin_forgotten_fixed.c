// widths: 2 4
// Corrected: the release waits for the last unpinning.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("pinned"));
  SysAddRefString(text);
  SysAddRefString(text);
  SysFreeString(text);
  int failed = SysStringLen(text) != 6;
  SysReleaseString(text);
  failed |= SysStringLen(text) != 6;
  SysReleaseString(text);
  return failed;
}
