// widths: 2 4
// Bug class 9, corrected: a static BSTR has its length in front of it.
#include "text.h"

BSTR_LITERAL(greeting, T("hello"));

int main(void) {
  SysAddRefString(greeting);
  SysReleaseString(greeting);
  return SysStringLen(greeting) == 5 ? 0 : 1;
}
