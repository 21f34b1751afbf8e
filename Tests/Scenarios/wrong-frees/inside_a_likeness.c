// fault: invalid-free interior 1 detected=main:8 freed=- allocated=main:7
// Binary data in a string that looks like a block of the heap is still inside a string.
#include "text.h"

int main(void) {
  uint64_t words[] = {0x21, 0, 0, 0, 0x21, 0, 0, 0};
  BSTR text = SysAllocStringByteLen((const char *)words, sizeof words);
  SysFreeString((BSTR)(void *)((char *)text + 16));
  SysFreeString(text);
  return 0;
}
