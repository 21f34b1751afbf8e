// The function returns a copy each time.
#include "text.h"

KEEP static BSTR kept() {
  return SysAllocString(T("kept"));
}

KEEP static void take() {
  SysFreeString(kept());
  asm("");
}

int main() { take(), take(); }
