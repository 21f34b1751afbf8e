// KB Q108934, callee 4, kept: what is freed is replaced, here by nothing.
#include "text.h"

KEEP static void update(BSTR *text) {
  SysFreeString(*text);
  *text = nullptr;
}

int main() {
  BSTR text = SysAllocString(T("by reference"));
  update(&text);
  SysFreeString(text);
}
