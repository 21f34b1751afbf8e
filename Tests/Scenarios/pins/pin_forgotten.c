// widths: 2 4
// leak: 1 12 main pin_forgotten.c:11 pinned=hold:7
// A pin that is not taken back keeps the string; the leak names who pinned it.
#include "text.h"

KEEP static void hold(BSTR text) {
  SysAddRefString(text);
}

int main(void) {
  BSTR text = SysAllocString(T("pinned"));
  hold(text);
  SysFreeString(text);
  return 0;
}
