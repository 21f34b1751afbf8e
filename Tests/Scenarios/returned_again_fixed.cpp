// The function returns a copy each time.
#include "text.h"

KEEP static BSTR kept() {
  return SysAllocString(T("kept"));
}

KEEP static void take() {
  BSTR text = kept();
  SysFreeString(text);
  asm("");
}

int main() {
  for (int i = 0; i < 3; i++) take();
}
