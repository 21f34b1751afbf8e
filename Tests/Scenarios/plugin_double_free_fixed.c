// widths: 2 4
// plugin: freeing_plugin.c
// Corrected: the plug-in reads only.
#include <dlfcn.h>

#include "text.h"

int main(void) {
  void *plugin = dlopen("./libfreeing_plugin.so", RTLD_NOW);
  if (!plugin) return 1;
  BSTR text = SysAllocString(T("lent"));
  unsigned length = ((unsigned (*)(BSTR))dlsym(plugin, "plugin_reads"))(text);
  dlclose(plugin);
  SysFreeString(text);
  return length == 4 ? 0 : 1;
}
