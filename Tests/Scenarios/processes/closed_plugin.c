// plugin: named_plugin.c other_plugin.c
// leak: 3 30 named_plugin_leaks named_plugin.c:5
// leak: 2 16 other_plugin_leaks other_plugin.c:5
// Plug-ins that were closed, and whose addresses went to the other, keep their names.
#include <dlfcn.h>
#include <stdio.h>

static int call(const char *library, const char *function) {
  void *handle = dlopen(library, RTLD_NOW);
  if (!handle) return printf("%s\n", dlerror()), 1;
  ((void (*)(void))dlsym(handle, function))();
  return dlclose(handle);
}

#include "bstr.h"

int main(void) {
  SysFreeString(SysAllocString(u""));
  int failed = 0;
  for (int i = 0; i < 3; i++) {
    failed |= call("./libnamed_plugin.so", "named_plugin_leaks");
    if (i < 2) failed |= call("./libother_plugin.so", "other_plugin_leaks");
  }
  return failed;
}
