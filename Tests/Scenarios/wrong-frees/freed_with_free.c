// widths: 2 4
// sanitizers: no; AddressSanitizer itself ends a program that frees inside a block
// fault: wrong-deallocator free 1 detected=main:9 freed=- allocated=main:8 rule=in owner=main:8
// Bug class 11: free on the BSTR itself.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("not malloc's"));
  free(text);
  return 0;
}
