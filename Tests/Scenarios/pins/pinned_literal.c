// widths: 2 4
// fault: invalid-use literal 1 detected=main:15 freed=- allocated=-
// twin: -DFIXED
// Bug class 9: SysAddRefString of what is no BSTR.
// Corrected: a static BSTR has its length in front of it.
#include "text.h"

#ifndef FIXED
static OLECHAR greeting[] = T("hello");
#else
BSTR_LITERAL(greeting, T("hello"));
#endif

int main(void) {
  SysAddRefString(greeting);
  SysReleaseString(greeting);
#ifndef FIXED
  return 0;
#else
  return SysStringLen(greeting) == 5 ? 0 : 1;
#endif
}
