// widths: 2 4
// Bug class 6, corrected: the caller frees what it was given.
#include "text.h"

KEEP static void get_StatusText(BSTR *text) { *text = SysAllocString(T("Ready")); }

KEEP static int isReady(void) {
  BSTR text = NULL;
  get_StatusText(&text);
  int ready = SysStringLen(text) == 5;
  SysFreeString(text);
  return ready;
}

int main(void) {
  for (int i = 0; i < 5; i++) isReady();
  return 0;
}
