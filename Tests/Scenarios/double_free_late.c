// widths: 2 4
// options: quarantine-blocks=64
// fault: double-free - 1 detected=main:11 freed=main:9 allocated=main:8
// A block's history outlives its memory: the second release comes when the heap has it again.
#include "text.h"

int main(void) {
  BSTR text = SysAllocStringLen(NULL, 100000);
  SysFreeString(text);
  for (int i = 0; i < 2000; i++) SysFreeString(SysAllocStringLen(NULL, 5));
  SysFreeString(text);
  return 0;
}
