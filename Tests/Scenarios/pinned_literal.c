// widths: 2 4
// fault: invalid-use literal 1 detected=main:9 freed=- allocated=-
// Bug class 9: SysAddRefString of what is no BSTR.
#include "text.h"

static OLECHAR greeting[] = T("hello");

int main(void) {
  SysAddRefString(greeting);
  SysReleaseString(greeting);
  return 0;
}
