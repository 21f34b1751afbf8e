// widths: 2 4
// options: quarantine-blocks=64
// Bug class 18, corrected: cleared before it is freed.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("password"));
  memset(text, 0, SysStringByteLen(text));
  SysFreeString(text);
  for (int i = 0; i < 2000; i++) SysFreeString(SysAllocStringLen(NULL, 5));
  return 0;
}
