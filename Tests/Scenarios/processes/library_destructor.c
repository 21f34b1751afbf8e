// links: late_library.c
// A library's destructor frees what its constructor and main made.
#include "bstr.h"

void keep_until_unload(BSTR text);

int main(void) {
  keep_until_unload(SysAllocString(u"kept"));
  return 0;
}
