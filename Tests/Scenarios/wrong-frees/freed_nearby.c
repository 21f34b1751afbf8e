// sanitizers: no; free is the sanitizer's there
// widths: 2
// fault: wrong-deallocator interior 1 detected=main:17 freed=- allocated=make:11
// fault: wrong-deallocator interior 1 detected=main:18 freed=- allocated=make:11
// Addresses that are 8 bytes in front of a block and 16 behind its start: the heap would end the program, or take the
// second for a block.
#include "text.h"

static BSTR make(void) __attribute__((noinline));
static BSTR make(void) {
  return SysAllocString(T("left alone, both of"));
}

int main(void) {
  char *one = (char *)(void *)make() - BSTR_PAYLOAD_OFFSET;
  char *other = (char *)(void *)make() - BSTR_PAYLOAD_OFFSET;
  free(one - 8);
  free(other + 16);
  return 0;
}
