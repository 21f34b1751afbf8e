// fault: double-free - 1 detected=finish:8 freed=finish:7 allocated=main:13 rule=-
// A function frees what it is given twice, in one call.
#include "text.h"

KEEP static void finish(BSTR text) {
  // In two lines.
  SysFreeString(text);
  SysFreeString(text);
  asm("");
}

int main() {
  BSTR text = SysAllocString(T("finished"));
  finish(text);
}
