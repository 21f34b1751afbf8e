// widths: 2 4
// Bug class 1, corrected: the release comes before `continue`.
#include "text.h"

KEEP static int readAll(void) {
  int read = 0;
  for (int i = 0; i < 10; i++) {
    BSTR line = SysAllocStringLen(NULL, 3);
    read += i % 4 != 0 && SysStringLen(line) == 3;
    SysFreeString(line);
  }
  return read;
}

int main(void) { return readAll() == 7 ? 0 : 1; }
