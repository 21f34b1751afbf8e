// widths: 2 4
// leak: 5 50 get_StatusText result_forgotten.c:7 rule=-
// Bug class 6: the caller forgets that an [out] value is its own.
#include "text.h"

KEEP static void get_StatusText(BSTR *text) {
  *text = SysAllocString(T("Ready"));
}

KEEP static int isReady(void) {
  BSTR text = NULL;
  get_StatusText(&text);
  return SysStringLen(text) == 5;
}

int main(void) {
  for (int i = 0; i < 5; i++) isReady();
  return 0;
}
