// widths: 2 4
// fault: prefix-damage - 1 detected=main:9 freed=- allocated=main:7
// Bug class 18: the length says more than was allocated.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("abc"));
  ((uint32_t *)(void *)text)[-1] = 4000;
  SysFreeString(text);
  return 0;
}
