// sanitizers: no; free is the sanitizer's there
// fault: wrong-deallocator interior 2 detected=main:9 freed=- allocated=main:8
// Addresses inside a string, far from its start, are given to free: libc would end the program, and the
// string is left alone.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("a string of thirty-one letters."));
  for (int i = 0; i < 2; i++) free((char *)(void *)text + 37);
  return 0;
}
