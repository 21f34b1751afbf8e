// plugin: provider.c
// flags: -Wl,-Bsymbolic-functions
// leak: 1 8 use provider_opened.c:11
// unseen: -
// twin: -DFIXED
// A library that provides the functions to others is opened, linked so that its own calls stay inside: it makes
// strings for nobody but its callers, whose calls are seen.
#include <dlfcn.h>
#include "text.h"
static void use(int i) {
  BSTR text = SysAllocString(T("seen"));
#ifndef FIXED
  if (i != 2)
#endif
    SysFreeString(text);
}

int main(void) {
  if (!dlopen("./libprovider.so", RTLD_NOW | RTLD_GLOBAL)) return 1;
  for (int i = 0; i < 4; i++) use(i);
  return 0;
}
