// widths: 2 4
// plugin: freeing_plugin.c
// leak: 2 20 plugin_returns freeing_plugin.c:13 rule=out owner=main:* producer=plugin_returns:13
// Bug class 6 across modules: what a plug-in returned is forgotten, and the plug-in closed.
#include <dlfcn.h>

#include "text.h"

int main() {
  void *plugin = dlopen("./libfreeing_plugin.so", RTLD_NOW);
  if (!plugin) return 1;
  auto returns = (BSTR(*)())dlsym(plugin, "plugin_returns");
  for (int i = 0; i < 3; i++) {
    BSTR text = returns();
    if (i == 1) SysFreeString(text);
  }
  dlclose(plugin);
}
