// Each level frees what it was given, and returns its own.
#include "text.h"

KEEP static BSTR describe(int depth) {
  if (depth == 0) return SysAllocStringLen(NULL, 1);
  BSTR inner = describe(depth - 1);
  BSTR outer = SysAllocStringLen(NULL, SysStringLen(inner) + 1);
  SysFreeString(inner);
  return outer;
}

int main() {
  BSTR text = describe(4);
  int failed = SysStringLen(text) != 5;
  SysFreeString(text);
  return failed;
}
