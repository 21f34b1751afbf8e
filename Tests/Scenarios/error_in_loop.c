// widths: 2 4
// leak: 3 18 readAll error_in_loop.c:9 rule=in owner=readAll:9
// Bug class 1: `continue` skips the release.
#include "text.h"

KEEP static int readAll(void) {
  int read = 0;
  for (int i = 0; i < 10; i++) {
    BSTR line = SysAllocStringLen(NULL, 3);
    if (i % 4 == 0) continue;
    read += SysStringLen(line) == 3;
    SysFreeString(line);
  }
  return read;
}

int main(void) { return readAll() == 7 ? 0 : 1; }
