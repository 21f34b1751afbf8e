// widths: 2 4
// options: quarantine-blocks=64
// fault: write-after-free - 1 detected=- freed=main:9 allocated=main:8
// Bug class 18: a terminator is written at the start of a freed string, seen when it leaves quarantine.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("password"));
  SysFreeString(text);
  text[0] = 0;
  for (int i = 0; i < 2000; i++) SysFreeString(SysAllocStringLen(NULL, 5));
  return 0;
}
