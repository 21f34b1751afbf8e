// plugin: engine.c
// leak: 1 14 use engine_with_copy.c:12
// unseen: libengine.so own-copy SysAllocStringLen
// twin: -DFIXED
// An engine has the string functions inside. None of its functions is on a stack of a string that is seen, and it is
// closed long before the end: its strings are not seen all the same.
#include <dlfcn.h>

#include "text.h"

static void use(int i) {
  BSTR text = SysAllocString(T("outside"));
#ifndef FIXED
  if (i % 4 != 2)
#endif
    SysFreeString(text);
}

int main(void) {
  void *engine = dlopen("./libengine.so", RTLD_NOW | RTLD_LOCAL);
  if (!engine) return 1;
  unsigned (*run)(int) = (unsigned (*)(int))dlsym(engine, "engine_run");
  for (int i = 0; i < 4; i++) run(i);
  dlclose(engine);
  if (dlopen("./libengine.so", RTLD_NOW | RTLD_NOLOAD)) return 2;
  for (int i = 0; i < 4; i++) use(i);
  return 0;
}
