// fault: prefix-damage - 1 detected=main:9 freed=- allocated=main:6
// fault: overrun - 1 detected=main:9 freed=- allocated=main:6
// Bug class 18: the length and what stands behind the string were overwritten: both are told.
#include "text.h"

int main(void) { BSTR text = SysAllocString(T("abc"));
  ((uint32_t *)text)[-1] = 100;
  text[4] = 'x';
  SysFreeString(text);
  return 0;
}
