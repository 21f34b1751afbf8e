// widths: 2 4
// Bug class 11, corrected.
#include "text.h"

int main() {
  BSTR text = SysAllocString(T("not new's"));
  SysFreeString(text);
}
