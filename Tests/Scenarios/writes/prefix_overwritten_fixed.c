// widths: 2 4
// Bug class 18, corrected: shortening a string in place is legal.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("abcdef"));
  ((uint32_t *)(void *)text)[-1] = 3 * sizeof(OLECHAR);
  text[3] = 0;
  int failed = SysStringLen(text) != 3;
  SysReAllocStringLen(&text, NULL, 2);
  SysReAllocStringLen(&text, NULL, 9);
  SysFreeString(text);
  return failed;
}
