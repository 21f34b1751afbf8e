// fault: double-free - 1 detected=last:19 freed=release:6 allocated=last:17 rule=in owner=last:17 consumer=release:6
// Bug class 3: a function that frees what it is given, as it did rightly before, and its caller frees again.
#include "text.h"

KEEP static void release(BSTR text) {
  SysFreeString(text);
  asm("");
}

KEEP static void first() {
  BSTR text = SysAllocString(T("first"));
  release(text);
  asm("");
}

KEEP static void last() {
  BSTR text = SysAllocString(T("last"));
  release(text);
  SysFreeString(text);
}

int main() {
  for (int i = 0; i < 3; i++) first();
  last();
}
