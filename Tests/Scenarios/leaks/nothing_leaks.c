// Every string is freed, also by a static destructor and an exit handler.
#include <stdlib.h>

#include "bstr.h"

static BSTR late, later;
static void free_late(void) { SysFreeString(late); }
__attribute__((destructor)) static void free_later(void) { SysFreeString(later); }

int main(void) {
  late = SysAllocString(u"late");
  later = SysAllocString(u"later");
  atexit(free_late);
  for (int i = 0; i < 1000; i++) SysFreeString(SysAllocStringLen(NULL, i));
  return 0;
}
