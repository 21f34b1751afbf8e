// leak: 5 50 get_StatusText declared_received.c:6 rule=out owner=isReady:* producer=get_StatusText:6
// Bug class 6, declared: the caller says that it received what it forgets.
#include "text.h"

KEEP static void get_StatusText(BSTR *text) {
  *text = SysAllocString(T("Ready"));
}

KEEP static int isReady(void) {
  BSTR text = NULL;
  bstrtrace_before_out(&text);
  get_StatusText(&text);
  bstrtrace_after_out(&text, S_OK);
  return SysStringLen(text) == 5;
}

int main(void) {
  for (int i = 0; i < 5; i++) isReady();
  return 0;
}
