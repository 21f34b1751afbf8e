// widths: 2 4
// Bug class 18, corrected: the room is counted without the terminator, which is there already.
#include "text.h"

int main(void) {
  BSTR text = SysAllocStringLen(NULL, 6);
  memcpy(text, T("hello!"), 6 * sizeof(OLECHAR));
  text[6] = 0;
  SysFreeString(text);
  return 0;
}
