// widths: 2 4
// plugin: freeing_plugin.c
// fault: double-free - 1 detected=main:15 freed=plugin_frees:* allocated=main:12 rule=in owner=main:12 consumer=plugin_frees:*
// Bug class 5 across modules: the plug-in frees its argument, and is closed; its name stays.
#include <dlfcn.h>

#include "text.h"

int main(void) {
  void *plugin = dlopen("./libfreeing_plugin.so", RTLD_NOW);
  if (!plugin) return 1;
  BSTR text = SysAllocString(T("lent"));
  ((void (*)(BSTR))dlsym(plugin, "plugin_frees"))(text);
  dlclose(plugin);
  SysFreeString(text);
  return 0;
}
