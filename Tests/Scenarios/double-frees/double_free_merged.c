// sanitizers: no; of another heap than glibc's it is not known that it has the block again
// fault: double-free - 1 detected=main:11 freed=main:10 allocated=main:8
// A string too large for the quarantine is freed twice; the heap has joined its block with another.
#include "text.h"

int main(void) {
  void *before = malloc(2000);
  BSTR text = SysAllocStringByteLen(NULL, 66000);
  free(before);
  SysFreeString(text);
  SysFreeString(text);
  return 0;
}
