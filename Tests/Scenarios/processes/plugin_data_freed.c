// widths: 2 4
// plugin: freeing_plugin.c
// fault: invalid-free static 1 detected=main:12 freed=- allocated=-
// Bug class 10 across modules: a plug-in's own variable is freed.
#include <dlfcn.h>

#include "text.h"

int main(void) {
  void *plugin = dlopen("./libfreeing_plugin.so", RTLD_NOW);
  if (!plugin) return 1;
  SysFreeString((BSTR)dlsym(plugin, "plugin_title"));
  dlclose(plugin);
  return 0;
}
