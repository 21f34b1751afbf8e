// widths: 2 4
// Bug class 10, corrected: another pointer moves.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("  padded"));
  OLECHAR *start = text;
  while (*start == ' ') start++;
  SysFreeString(text);
  return 0;
}
