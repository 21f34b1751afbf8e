// Forgets a string, and leaves another to its destructor.
#include "bstr.h"

static BSTR kept;

int work(void) {
  BSTR text = SysAllocString(u"lost");
  if (!kept) kept = SysAllocString(u"kept");
  return (int)SysStringLen(text);
}

__attribute__((destructor)) static void end(void) { SysFreeString(kept); }
