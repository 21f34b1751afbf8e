// widths: 2 4
// plugin: freeing_plugin.c
// fault: double-free - 1 detected=main:21 freed=plugin_frees:* allocated=main:14 rule=in owner=main:14 consumer=plugin_frees:*
// twin: -DFIXED
// Bug class 5 across modules: the plug-in frees its argument, and is closed; its name stays.
// Corrected: the plug-in reads only.
#include <dlfcn.h>

#include "text.h"

int main(void) {
  void *plugin = dlopen("./libfreeing_plugin.so", RTLD_NOW);
  if (!plugin) return 1;
  BSTR text = SysAllocString(T("lent"));
#ifndef FIXED
  ((void (*)(BSTR))dlsym(plugin, "plugin_frees"))(text);
#else
  unsigned length = ((unsigned (*)(BSTR))dlsym(plugin, "plugin_reads"))(text);
#endif
  dlclose(plugin);
  SysFreeString(text);
#ifndef FIXED
  return 0;
#else
  return length == 4 ? 0 : 1;
#endif
}
