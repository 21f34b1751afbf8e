// Bug class 6, declared and corrected.
#include "text.h"

KEEP static void get_StatusText(BSTR *text) { *text = SysAllocString(T("Ready")); }

KEEP static int isReady(void) {
  BSTR text = NULL;
  bstrtrace_before_out(&text);
  get_StatusText(&text);
  bstrtrace_after_out(&text, S_OK);
  int ready = SysStringLen(text) == 5;
  SysFreeString(text);
  return ready;
}

int main(void) {
  for (int i = 0; i < 5; i++) isReady();
  return 0;
}
