// fault: double-free - 2 detected=take:13 freed=take:13 allocated=kept:7 rule=- owner=- producer=kept:7
// A function makes its string once and returns it to everybody; each receiver rightly frees what it receives.
#include "text.h"

KEEP static BSTR kept() {
  // The first call makes it, every call returns it.
  static BSTR text = SysAllocString(T("kept"));
  return text;
}

KEEP static void take() {
  BSTR text = kept();
  SysFreeString(text);
  asm("");
}

int main() {
  for (int i = 0; i < 3; i++) take();
}
