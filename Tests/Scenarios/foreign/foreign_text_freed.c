// sanitizers: no; the program aborts
// modes: preloaded
// widths: 2
// status: 134
// fault: wrong-deallocator foreign-bstr 1 detected=main:14 freed=- allocated=-
// The characters of another copy's BSTR are given to free: the heap ends the program, and it is said why.
#include "text.h"

int main(void) {
  SysFreeString(SysAllocString(T("traced")));
  char *block = calloc(1, BSTR_PAYLOAD_OFFSET + 24);
  block[BSTR_PAYLOAD_OFFSET - 4] = 2;
  block[BSTR_PAYLOAD_OFFSET] = 'x';
  free(block + BSTR_PAYLOAD_OFFSET);
  return 0;
}
