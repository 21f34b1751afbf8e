// Bug class 3, mended: what was given to the releasing function is not freed again.
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
  asm("");
}

int main() {
  for (int i = 0; i < 3; i++) first();
  last();
}
