// widths: 2 4
// fault: invalid-free interior 1 detected=main:16 freed=- allocated=main:9
// twin: -DFIXED
// Bug class 10: a pointer that was moved along the string is freed; that the string itself is not is no second mistake.
// Corrected: another pointer moves.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("  padded"));
#ifndef FIXED
  while (*text == ' ') text++;
#else
  OLECHAR *start = text;
  while (*start == ' ') start++;
#endif
  SysFreeString(text);
  return 0;
}
