// widths: 2 4
// leak: 2 12 get_Name out_reused.c:6 rule=out owner=main:* producer=get_Name:6
// Bug class 2: an [out] variable is given again while it still owns a string.
#include "text.h"

KEEP static void get_Name(BSTR *name) { *name = SysAllocString(T("abc")); }

int main(void) {
  BSTR name = NULL;
  for (int i = 0; i < 3; i++) get_Name(&name);
  SysFreeString(name);
  return 0;
}
