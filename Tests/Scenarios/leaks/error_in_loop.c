// widths: 2 4
// leak: 3 18 readAll error_in_loop.c:11 rule=in owner=readAll:11 leaves=13
// twin: -DFIXED
// Bug class 1: `continue` skips the release.
// Corrected: the release comes before `continue`.
#include "text.h"

KEEP static int readAll(void) {
  int read = 0;
  for (int i = 0; i < 10; i++) {
    BSTR line = SysAllocStringLen(NULL, 3);
#ifndef FIXED
    if (i % 4 == 0) continue;
    read += SysStringLen(line) == 3;
#else
    read += i % 4 != 0 && SysStringLen(line) == 3;
#endif
    SysFreeString(line);
  }
  return read;
}

int main(void) { return readAll() == 7 ? 0 : 1; }
