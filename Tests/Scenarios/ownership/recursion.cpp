// leak: 1 2 describe(int) recursion.cpp:6 rule=out owner=show:11
// A recursive function hands its string up through itself; the one who called it first owns it.
#include "text.h"

KEEP static BSTR describe(int depth) {
  if (depth == 0) return SysAllocStringLen(NULL, 1);
  return describe(depth - 1);
}

KEEP static void show(bool forgets) {
  BSTR text = describe(4);
  if (!forgets) SysFreeString(text);
}

int main() {
  for (int i = 0; i < 9; i++) show(i == 5);
}
