// fault: double-free - 1 detected=last:22 freed=release:8 allocated=last:19 rule=in owner=last:19 consumer=release:8
// twin: -DFIXED
// Bug class 3: a function that frees what it is given, as it did rightly before, and its caller frees again.
// Corrected: what was given to the releasing function is not freed again.
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
#ifndef FIXED
  SysFreeString(text);
#else
  asm("");
#endif
}

int main() {
  for (int i = 0; i < 3; i++) first();
  last();
}
