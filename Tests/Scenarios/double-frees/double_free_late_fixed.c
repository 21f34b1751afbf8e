// widths: 2 4
// options: quarantine-blocks=64
// The same calls, with one free for each string.
#include "text.h"

int main(void) {
  BSTR text = SysAllocStringLen(NULL, 100000);
  SysFreeString(text);
  for (int i = 0; i < 200; i++) SysFreeString(SysAllocStringLen(NULL, 5));
  text = NULL;
  SysFreeString(text);
  return 0;
}
