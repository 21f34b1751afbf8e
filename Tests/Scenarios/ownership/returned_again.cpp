// fault: double-free - 2 detected=take:19 freed=take:19 allocated=kept:10 rule=- owner=- producer=kept:10
// twin: -DFIXED
// A function makes its string once and returns it to everybody; each receiver rightly frees what it receives.
// Corrected: the function returns a copy each time.
#include "text.h"

KEEP static BSTR kept() {
#ifndef FIXED
  // The first call makes it, every call returns it.
  static BSTR text = SysAllocString(T("kept"));
  return text;
#else
  return SysAllocString(T("kept"));
#endif
}

KEEP static void take() {
  BSTR text = kept();
  SysFreeString(text);
  asm("");
}

int main() {
  for (int i = 0; i < 3; i++) take();
}
