// Once is enough.
#include "text.h"

KEEP static void finish(BSTR text) {
  SysFreeString(text);
  asm("");
}

int main() {
  BSTR text = SysAllocString(T("finished"));
  finish(text);
}
