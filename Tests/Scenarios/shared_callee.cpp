// fault: double-free - 1 detected=first:14 freed=put_StatusText:6 allocated=first:12 rule=in owner=first:12 consumer=put_StatusText:6
// fault: double-free - 1 detected=second:20 freed=put_StatusText:6 allocated=second:18 rule=in owner=second:18 consumer=put_StatusText:6
// fault: double-free - 1 detected=third:26 freed=put_StatusText:6 allocated=third:24 rule=in owner=third:24 consumer=put_StatusText:6
// Bug class 5: a function that many call and that frees its argument is no helper when each caller frees, too.
#include "text.h"
KEEP static void put_StatusText(BSTR text) { SysFreeString(text);
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
