// KB Q108934, callee 3, kept.
#include "text.h"

KEEP static void update(BSTR *text) {
  BSTR old = *text;
  *text = SysAllocString(T("new"));
  SysFreeString(old);
}

int main() {
  for (int i = 0; i < 4; i++) {
    BSTR text = SysAllocString(T("old"));
    update(&text);
    SysFreeString(text);
  }
}
