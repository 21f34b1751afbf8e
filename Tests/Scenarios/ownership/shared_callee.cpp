// fault: double-free - 1 detected=first:22 freed=put_StatusText:11 allocated=first:20 rule=in owner=first:20 consumer=put_StatusText:11
// fault: double-free - 1 detected=second:28 freed=put_StatusText:11 allocated=second:26 rule=in owner=second:26 consumer=put_StatusText:11
// fault: double-free - 1 detected=third:34 freed=put_StatusText:11 allocated=third:32 rule=in owner=third:32 consumer=put_StatusText:11
// twin: -DFIXED
// Bug class 5: a function that many call and that frees its argument is no helper when each caller frees, too.
// Corrected: the function that many call leaves its argument alone.
#include "text.h"

KEEP static void put_StatusText(BSTR text) {
#ifndef FIXED
  SysFreeString(text);
#else
  if (SysStringLen(text) != 1) abort();
#endif
  asm("");
}

// What follows is thrice the same mistake.
KEEP static void first() {
  BSTR text = SysAllocString(T("1"));
  put_StatusText(text);
  SysFreeString(text);
}

KEEP static void second() {
  BSTR text = SysAllocString(T("2"));
  put_StatusText(text);
  SysFreeString(text);
}

KEEP static void third() {
  BSTR text = SysAllocString(T("3"));
  put_StatusText(text);
  SysFreeString(text);
}

int main() {
  first();
  second();
  third();
}
