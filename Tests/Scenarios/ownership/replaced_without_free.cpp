// leak: 1 6 main replaced_without_free.cpp:14 rule=in-out owner=main:14 consumer=update:*
// KB Q108934, callee 3: [in,out] is replaced without freeing the old string, now and then. That each
// string got there is seen by the new ones: there are as many.
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
