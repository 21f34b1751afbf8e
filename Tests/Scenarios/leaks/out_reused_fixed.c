// widths: 2 4
// Bug class 2, corrected: the variable is empty whenever it is given.
#include "text.h"

KEEP static void get_Name(BSTR *name) { *name = SysAllocString(T("abc")); }

int main(void) {
  for (int i = 0; i < 3; i++) {
    BSTR name = NULL;
    get_Name(&name);
    SysFreeString(name);
  }
  return 0;
}
