// widths: 2 4
// sanitizers: no; of another heap than glibc's it is not known that it has the blocks again
// fault: double-free - 1 detected=main:16 freed=main:15 allocated=main:14
// fault: double-free - 3000 detected=main:24 freed=main:21 allocated=main:18
// Thousands of short strings are freed, and the first of them again when the heap has them back: what
// the heap keeps in them must not be taken for strings.
#include "text.h"

static BSTR strings[6000];

int main(void) {
  // Debug builds of the tracker allocate Swift's metadata at their first fault. This one is before
  // the others' blocks are free, so that it cannot have them.
  BSTR first = SysAllocString(T("the first fault"));
  SysFreeString(first);
  SysFreeString(first);
  for (int i = 0; i < 6000; i++) {
    strings[i] = SysAllocString(T("abc"));
  }
  for (int i = 0; i < 6000; i++) {
    SysFreeString(strings[i]);
  }
  for (int i = 3000; i < 6000; i++) {
    SysFreeString(strings[i]);
  }
  return 0;
}
