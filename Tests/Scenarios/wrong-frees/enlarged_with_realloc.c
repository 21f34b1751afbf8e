// widths: 2 4
// sanitizers: no; AddressSanitizer itself ends a program that frees inside a block
// fault: wrong-deallocator realloc 1 detected=main:9 freed=- allocated=main:8 rule=in owner=main:8
// Bug class 11: realloc on the BSTR itself.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("grow"));
  OLECHAR *grown = realloc(text, 100 * sizeof(OLECHAR));
  int failed = memcmp(grown, T("grow"), 5 * sizeof(OLECHAR)) != 0;
  free(grown);
  return failed;
}
