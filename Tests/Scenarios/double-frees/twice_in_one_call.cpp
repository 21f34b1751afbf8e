// fault: double-free - 1 detected=finish:12 freed=finish:10 allocated=main:17 rule=-
// twin: -DFIXED
// A function frees what it is given twice, in one call.
// Corrected: once is enough.
#include "text.h"

KEEP static void finish(BSTR text) {
#ifndef FIXED
  // In two lines.
  SysFreeString(text);
#endif
  SysFreeString(text);
  asm("");
}

int main() {
  BSTR text = SysAllocString(T("finished"));
  finish(text);
}
