// modes: preloaded
// Strings are released by private copies of SysFreeString, with free and realloc.
#include <stdlib.h>

#include "bstr.h"

int main(void) {
  for (int i = 0; i < 100; i++) {
    BSTR text = SysAllocString(u"released as free(b - 8)");
    free((char *)text - 8);
    text = SysAllocString(u"moved by realloc");
    char *block = realloc((char *)text - 8, 4096);
    SysFreeString((BSTR)(void *)(block + 8));
    text = SysAllocString(u"released by realloc");
    if (realloc((char *)text - 8, 0)) return 1;
  }
  return 0;
}
