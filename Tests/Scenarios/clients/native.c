// A native library that .NET and Mono call: it returns strings, borrows one, frees one, and forgets one.

#include <stddef.h>

#include "bstr.h"

BSTR make_name(void) { return SysAllocString(u"a name"); }

int get_name(BSTR *name) {
  *name = SysAllocString(u"an out parameter");
  return 0;
}

unsigned take(BSTR text) { return SysStringLen(text); }

void give_back(BSTR text) { SysFreeString(text); }

int forget(void) { return SysAllocString(u"forgotten by native code") != NULL; }
