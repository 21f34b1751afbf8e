// widths: 2 4
// plugin: freeing_plugin.c
// fault: invalid-free unmapped 1 detected=main:15 freed=- allocated=-
// Bug class 10 after dlclose: the variable's module is gone.
#include <dlfcn.h>

#include "text.h"

int main(void) {
  SysFreeString(SysAllocString(T("first")));
  void *plugin = dlopen("./libfreeing_plugin.so", RTLD_NOW);
  if (!plugin) return 1;
  BSTR title = (BSTR)dlsym(plugin, "plugin_title");
  dlclose(plugin);
  SysFreeString(title);
  return 0;
}
