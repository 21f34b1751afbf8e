// fault: double-free - 1 detected=take:11 freed=take:11 allocated=kept:6 rule=- owner=- producer=kept:6
// The same from two calls in one line: their addresses tell them apart.
#include "text.h"

KEEP static BSTR kept() {
  static BSTR text = SysAllocString(T("kept"));
  return text;
}

KEEP static void take() {
  SysFreeString(kept());
  asm("");
}

int main() { take(), take(); }
