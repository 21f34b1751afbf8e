// widths: 2 4
// fault: invalid-free immortal 1 detected=main:10 freed=- allocated=-
// A static BSTR is a valid one that must never be freed.
#include "text.h"

BSTR_LITERAL(unknown, T("unknown"));

int main(void) {
  if (SysStringLen(unknown) != 7) return 1;
  SysFreeString(unknown);
  return 0;
}
