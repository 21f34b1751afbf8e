// widths: 2 4
// sanitizers: no; of another heap than glibc's it is not known that it has the block again
// options: quarantine-blocks=64
// fault: double-free - 1 detected=main:12 freed=main:10 allocated=main:9
// A block's history outlives its memory: the second release comes when the heap has it again.
#include "text.h"

int main(void) {
  BSTR text = SysAllocStringLen(NULL, 100000);
  SysFreeString(text);
  for (int i = 0; i < 200; i++) SysFreeString(SysAllocStringLen(NULL, 5));
  SysFreeString(text);
  return 0;
}
