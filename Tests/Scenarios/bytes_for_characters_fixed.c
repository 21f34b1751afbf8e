// widths: 2 4
// Bug class 15, corrected: room for characters.
#include "text.h"

int main(void) {
  BSTR text = SysAllocStringLen(NULL, 4);
  for (int i = 0; i < 4; i++) text[i] = 'a';
  SysFreeString(text);
  return 0;
}
