// widths: 2 4
// A string that is declared to live as long as the program is no leak.
#include "text.h"

int main(void) {
  BSTR name = SysAllocString(T("for ever"));
  bstrtrace_immortal(name);
  bstrtrace_immortal(NULL);
  return SysStringLen(name) == 8 ? 0 : 1;
}
