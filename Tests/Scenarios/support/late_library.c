// Keeps a string until it is unloaded.

#include "bstr.h"

static BSTR own, kept;

void keep_until_unload(BSTR text) { kept = text; }

__attribute__((constructor)) static void start(void) { own = SysAllocString(u"own"); }

__attribute__((destructor)) static void end(void) {
  SysFreeString(own);
  SysFreeString(kept);
}
