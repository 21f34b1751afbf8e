// leak: 1 6 main replaced_without_free.cpp:14 rule=-
// KB Q108934, callee 3: [in,out] is replaced without freeing the old string, now and then. Stacks
// cannot tell whether the string got there at all.
#include "text.h"

KEEP static void update(BSTR *text, bool inHaste) {
  BSTR old = *text;
  *text = SysAllocString(T("new"));
  if (!inHaste) SysFreeString(old);
}

int main() {
  for (int i = 0; i < 4; i++) {
    BSTR text = SysAllocString(T("old"));
    update(&text, i == 2);
    SysFreeString(text);
  }
}
