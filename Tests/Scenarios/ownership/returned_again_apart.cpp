// fault: double-free - 1 detected=take:17 freed=take:17 allocated=kept:9 rule=- owner=- producer=kept:9
// twin: -DFIXED
// The same from two calls in one line: their addresses tell them apart.
// Corrected: the function returns a copy each time.
#include "text.h"

KEEP static BSTR kept() {
#ifndef FIXED
  static BSTR text = SysAllocString(T("kept"));
  return text;
#else
  return SysAllocString(T("kept"));
#endif
}

KEEP static void take() {
  SysFreeString(kept());
  asm("");
}

int main() { take(), take(); }
